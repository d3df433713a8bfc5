// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible type for argument 2 of .*drm_gpt_commit_map */
/* No scatterlist gets into a page table but as a view. */
#include <drm/drm_gpt.h>

void run(struct drm_gpt_op *op, const struct sg_table *table);

void run(struct drm_gpt_op *op, const struct sg_table *table)
{
#ifndef GOOD
	drm_gpt_commit_map(op, table);
#else
	drm_gpt_commit_map(op, drm_dma_view_borrow(table));
#endif
}
