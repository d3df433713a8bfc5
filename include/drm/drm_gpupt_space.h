/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GPUPT_SPACE_H__
#define __DRM_GPUPT_SPACE_H__

#include <linux/maple_tree.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include <drm/drm_gpupt.h>

struct drm_gem_sgt_object;

/**
 * struct drm_gpupt_space - an address space: a page table and the buffers in it
 *
 * Drivers embed it in the structure of an open file. See "address spaces".
 */
struct drm_gpupt_space {
	/** @pt: the page table; constant from drm_gpupt_space_init() on */
	struct drm_gpupt *pt;

	/* private: protects @buffers and the plan of @pt */
	struct mutex lock;
	/* private: struct drm_gpupt_buffer, by VA */
	struct maple_tree buffers;
};

int __must_check
drm_gpupt_space_init(struct drm_gpupt_space *space, const struct drm_gpupt_fmt *fmt,
		     struct drm_sgt_device *sdev, const struct drm_gpupt_config *config,
		     void *priv);
void drm_gpupt_space_fini(struct drm_gpupt_space *space);
int __must_check
drm_gpupt_space_map(struct drm_gpupt_space *space, struct drm_gem_sgt_object *bo,
		    u64 va, u64 len, u64 offset, u32 prot, bool replace);
int __must_check drm_gpupt_space_unmap(struct drm_gpupt_space *space, u64 va, u64 len);

#endif /* __DRM_GPUPT_SPACE_H__ */
