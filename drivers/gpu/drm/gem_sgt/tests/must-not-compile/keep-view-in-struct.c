// SPDX-License-Identifier: GPL-2.0
/* expect: assignment of read-only member|assignment of read-only location */
/* A view cannot be kept in a structure of the driver. */
#include <drm/drm_sgt.h>

struct buffer {
	struct drm_sgt *sgt;
	struct drm_dma_view view;
	u64 size;
};

static inline int keep(struct buffer *b)
{
	int ret;

	drm_sgt_access_scope(view, b->sgt, ret) {
#ifndef GOOD
		b->view = view;
#else
		b->size = drm_dma_view_size(view);
#endif
	}
	return ret;
}
