// SPDX-License-Identifier: GPL-2.0
/* expect: ignoring return value of .*drm_sgt_sync_for_device */
/* A sync can fail, so its result must be checked. */
#include <drm/drm_sgt.h>

int run(struct drm_sgt *sgt);

int run(struct drm_sgt *sgt)
{
#ifndef GOOD
	drm_sgt_sync_for_device(sgt, 0, 1);
	return 0;
#else
	return drm_sgt_sync_for_device(sgt, 0, 1);
#endif
}
