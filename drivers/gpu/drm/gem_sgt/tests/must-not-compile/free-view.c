// SPDX-License-Identifier: GPL-2.0
/* expect: incompatible type for argument 1 of .*drm_sgt_free */
/* A view owns nothing, and nothing is freed through it. */
#include <drm/drm_sgt.h>

int release(struct drm_sgt *sgt);

int release(struct drm_sgt *sgt)
{
	int ret = 0;

#ifndef GOOD
	drm_sgt_access_scope(view, sgt, ret)
		drm_sgt_free(view);
#else
	drm_sgt_free(sgt);
#endif
	return ret;
}
