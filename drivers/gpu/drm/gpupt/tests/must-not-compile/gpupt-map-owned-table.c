// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible type for argument 5 of .*drm_gpupt_prepare_map */
/* A page table is filled from the view of an access section, and not from its table. */
#include <drm/drm_gpupt.h>

int run(struct drm_gpupt *pt, struct drm_gpupt_op *op, struct drm_sgt *sgt,
	const struct drm_dma_view *view);

int run(struct drm_gpupt *pt, struct drm_gpupt_op *op, struct drm_sgt *sgt,
	const struct drm_dma_view *view)
{
#ifndef GOOD
	return drm_gpupt_prepare_map(pt, op, 0, 4096, sgt, 0, 0);
#else
	return drm_gpupt_prepare_map(pt, op, 0, 4096, *view, 0, 0);
#endif
}
