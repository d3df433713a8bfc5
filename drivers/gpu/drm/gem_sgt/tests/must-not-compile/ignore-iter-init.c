// SPDX-License-Identifier: GPL-2.0
/* expect: ignoring return value of .*drm_dma_iter_init */
/* The view may not cover the range, so the result must be checked. */
#include <drm/drm_sgt.h>

int run(struct drm_dma_iter *iter, const struct sg_table *table);

int run(struct drm_dma_iter *iter, const struct sg_table *table)
{
#ifndef GOOD
	drm_dma_iter_init(iter, drm_dma_view_borrow(table), 0, 1);
	return 0;
#else
	return drm_dma_iter_init(iter, drm_dma_view_borrow(table), 0, 1);
#endif
}
