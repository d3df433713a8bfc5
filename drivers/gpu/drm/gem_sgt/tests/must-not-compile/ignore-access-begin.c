// SPDX-License-Identifier: GPL-2.0
/* expect: ignoring return value of .*drm_sgt_access_begin */
/* The begin of an access section can fail, so its result must be checked. */
#include <drm/drm_sgt.h>

int run(struct drm_sgt *sgt, struct drm_sgt_access *access);

int run(struct drm_sgt *sgt, struct drm_sgt_access *access)
{
#ifndef GOOD
	drm_sgt_access_begin(sgt, access);
	return 0;
#else
	return drm_sgt_access_begin(sgt, access);
#endif
}
