// SPDX-License-Identifier: GPL-2.0
/* expect: invalid use of undefined type .*struct drm_sgt */
/* An owned table is opaque: its list cannot be accessed. */
#include <drm/drm_sgt.h>

u64 size(struct drm_sgt *sgt);

u64 size(struct drm_sgt *sgt)
{
#ifndef GOOD
	return sgt->table.nents;
#else
	return drm_sgt_size(sgt);
#endif
}
