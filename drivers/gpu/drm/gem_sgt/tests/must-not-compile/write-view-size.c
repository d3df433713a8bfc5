// SPDX-License-Identifier: GPL-2.0
/* expect: assignment of (read-only )?member .*size */
/* A view is not written: not its size. */
#include <drm/drm_sgt.h>

int shrink(struct drm_sgt *sgt);

int shrink(struct drm_sgt *sgt)
{
	int ret;

	drm_sgt_access_scope(view, sgt, ret) {
#ifndef GOOD
		view.size = 0;
#else
		ret = drm_dma_view_size(view) ? 0 : -1;
#endif
	}
	return ret;
}
