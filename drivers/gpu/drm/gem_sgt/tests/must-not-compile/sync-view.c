// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible type for argument 1 of .*drm_sgt_sync_for_device */
/* Only a table can be synced: a view does not know the pages. */
#include <drm/drm_sgt.h>

int sync(struct drm_sgt *sgt);

int sync(struct drm_sgt *sgt)
{
	int ret;

	drm_sgt_access_scope(view, sgt, ret)
#ifndef GOOD
		ret = drm_sgt_sync_for_device(view, 0, drm_dma_view_size(view));
#else
		ret = drm_sgt_sync_for_device(sgt, 0, drm_dma_view_size(view));
#endif
	return ret;
}
