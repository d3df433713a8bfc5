// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible type for argument 2 of .*drm_dma_iter_init */
/* DMA addresses are read from a view, and not from an owned table. */
#include <drm/drm_sgt.h>

int walk(struct drm_sgt *sgt);

int walk(struct drm_sgt *sgt)
{
	struct drm_dma_iter iter;
	int ret;

#ifndef GOOD
	ret = drm_dma_iter_init(&iter, sgt, 0, drm_sgt_size(sgt));
#else
	drm_sgt_access_scope(view, sgt, ret)
		ret = drm_dma_iter_init(&iter, view, 0, drm_dma_view_size(view));
#endif
	return ret;
}
