// SPDX-License-Identifier: GPL-2.0
/* expect: ignoring return value of .*drm_dma_iter_next */
/* There may be no next segment, so the result must be checked. */
#include <drm/drm_sgt.h>

u64 run(struct drm_dma_iter *iter);

u64 run(struct drm_dma_iter *iter)
{
	struct drm_dma_seg seg;

#ifndef GOOD
	drm_dma_iter_next(iter, &seg);
	return seg.len;
#else
	return drm_dma_iter_next(iter, &seg) ? seg.len : 0;
#endif
}
