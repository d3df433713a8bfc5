// SPDX-License-Identifier: GPL-2.0
/* expect: assignment of read-only variable|assignment of read-only location */
/* A view cannot be kept in a variable that outlives the section. */
#include <drm/drm_sgt.h>

u64 keep(struct drm_sgt *sgt);

u64 keep(struct drm_sgt *sgt)
{
#ifndef GOOD
	struct drm_dma_view kept = {};
#endif
	u64 size = 0;
	int ret;

	drm_sgt_access_scope(view, sgt, ret) {
#ifndef GOOD
		kept = view;
#else
		size = drm_dma_view_size(view);
#endif
	}
#ifndef GOOD
	size = drm_dma_view_size(kept);
#endif
	return ret ? 0 : size;
}
