// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible type for argument 2 of .*drm_dma_iter_init */
/* An sg_table of another driver cannot be walked: drm_dma_view_borrow() makes a view of it. */
#include <drm/drm_sgt.h>

int walk(struct sg_table *table, u64 size);

int walk(struct sg_table *table, u64 size)
{
	struct drm_dma_iter iter;

#ifndef GOOD
	return drm_dma_iter_init(&iter, table, 0, size);
#else
	return drm_dma_iter_init(&iter, drm_dma_view_borrow(table), 0, size);
#endif
}
