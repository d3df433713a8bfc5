/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GPUPT_KUNIT_BITS_H__
#define __DRM_GPUPT_KUNIT_BITS_H__

#include "drm_gpupt_kunit_helpers.h"

/**
 * struct drm_gpupt_kunit_leaf - a kind of leaf, and its bits besides the address
 */
struct drm_gpupt_kunit_leaf {
	/** @name: of the case */
	const char *name;
	/** @level: of the table that it is in */
	unsigned int level;
	/** @prot: what it is mapped with */
	u32 prot;
	/** @bits: as in the specification of the format */
	u64 bits;
};

static inline void drm_gpupt_kunit_leaf_desc(const struct drm_gpupt_kunit_leaf *leaf, char *desc)
{
	strscpy(desc, leaf->name, KUNIT_PARAM_DESC_SIZE);
}

u64 drm_gpupt_kunit_entry(struct drm_gpupt_kunit *ctx, u64 va, unsigned int level, u64 bits);
void drm_gpupt_kunit_check_leaf(struct kunit *test, const struct drm_gpupt_fmt *fmt, u64 bits);

#endif /* __DRM_GPUPT_KUNIT_BITS_H__ */
