// SPDX-License-Identifier: GPL-2.0
/* expect: view.* undeclared */
/* The name of a view is out of scope after its section. */
#include <drm/drm_sgt.h>

u64 size(struct drm_sgt *sgt);

u64 size(struct drm_sgt *sgt)
{
	u64 size = 0;
	int ret;

	drm_sgt_access_scope(view, sgt, ret)
		size = drm_dma_view_size(view);
#ifndef GOOD
	size = drm_dma_view_size(view);
#endif
	return ret ? 0 : size;
}
