// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible type for argument 1 of .*drm_sgt_map */
/* What is mapped is a table: a view is of one that is mapped. */
#include <drm/drm_sgt.h>

int map(struct drm_sgt *sgt, const struct sg_table *table);

int map(struct drm_sgt *sgt, const struct sg_table *table)
{
#ifndef GOOD
	return drm_sgt_map(drm_dma_view_borrow(table), DMA_TO_DEVICE);
#else
	return drm_sgt_map(sgt, DMA_TO_DEVICE);
#endif
}
