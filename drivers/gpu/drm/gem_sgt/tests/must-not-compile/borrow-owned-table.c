// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible pointer type */
/* An owned table cannot be borrowed from: its addresses need an access section. */
#include <drm/drm_sgt.h>

u64 size(struct drm_sgt *sgt, const struct sg_table *table);

u64 size(struct drm_sgt *sgt, const struct sg_table *table)
{
#ifndef GOOD
	return drm_dma_view_size(drm_dma_view_borrow(sgt));
#else
	return drm_dma_view_size(drm_dma_view_borrow(table));
#endif
}
