// SPDX-License-Identifier: GPL-2.0
/* expect: assignment of (read-only )?member .*size */
/* The size of a view cannot be written. */
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
