// SPDX-License-Identifier: GPL-2.0
/* expect: ignoring return value of .*drm_sgt_access_begin */
/* Whether the section was entered has to be looked at. */
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
