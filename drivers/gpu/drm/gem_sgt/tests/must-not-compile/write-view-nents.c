// SPDX-License-Identifier: GPL-2.0
/* expect: assignment of read-only member .*nents */
/* The number of segments cannot be written, even if the variable itself is not const. */
#include <drm/drm_sgt.h>

u64 cut(const struct sg_table *table);

u64 cut(const struct sg_table *table)
{
	struct drm_dma_view view = drm_dma_view_borrow(table);

#ifndef GOOD
	view.nents = 1;
#endif
	return drm_dma_view_size(view);
}
