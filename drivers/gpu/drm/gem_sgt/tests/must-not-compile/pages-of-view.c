// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible type for argument 2 of .*drm_sgt_run_iter_init */
/* A view gives no access to pages. */
#include <drm/drm_sgt.h>

void walk(struct drm_sgt *sgt, const struct sg_table *table);

void walk(struct drm_sgt *sgt, const struct sg_table *table)
{
	struct drm_sgt_run_iter iter;

#ifndef GOOD
	drm_sgt_run_iter_init(&iter, drm_dma_view_borrow(table));
#else
	drm_sgt_run_iter_init(&iter, sgt);
#endif
}
