// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible type for argument 1 of .*drm_sgt_map */
/* Only a table can be mapped: a view is of a table that is mapped already. */
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
