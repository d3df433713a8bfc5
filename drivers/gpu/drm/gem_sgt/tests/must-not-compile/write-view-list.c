// SPDX-License-Identifier: GPL-2.0
/* expect: assignment of (read-only )?member .*sgl */
/* The list of a view cannot be written. */
#include <drm/drm_sgt.h>

int replace(struct drm_sgt *sgt, struct scatterlist *sgl);

int replace(struct drm_sgt *sgt, struct scatterlist *sgl)
{
	int ret;

	drm_sgt_access_scope(view, sgt, ret) {
#ifndef GOOD
		view.sgl = sgl;
#else
		ret = sgl && drm_dma_view_size(view) ? 0 : -1;
#endif
	}
	return ret;
}
