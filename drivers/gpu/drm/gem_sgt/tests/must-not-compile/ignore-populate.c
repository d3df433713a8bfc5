// SPDX-License-Identifier: GPL-2.0
/* expect: ignoring return value of .*drm_sgt_populate */
/* A populate can fail, so its result must be checked. */
#include <drm/drm_sgt.h>

int run(struct drm_sgt *sgt);

int run(struct drm_sgt *sgt)
{
#ifndef GOOD
	drm_sgt_populate(sgt);
	return 0;
#else
	return drm_sgt_populate(sgt);
#endif
}
