// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible type for argument 2 of .*drm_gpupt_commit_map */
/* A page table is filled from a view, and not from an sg_table. */
#include <drm/drm_gpupt.h>

void run(struct drm_gpupt_op *op, const struct sg_table *table);

void run(struct drm_gpupt_op *op, const struct sg_table *table)
{
#ifndef GOOD
	drm_gpupt_commit_map(op, table);
#else
	drm_gpupt_commit_map(op, drm_dma_view_borrow(table));
#endif
}
