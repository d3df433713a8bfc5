/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_VA_ENTRIES_H__
#define __VIRTGPU_SGT_VA_ENTRIES_H__

#include <linux/compiler.h>
#include <linux/types.h>

#include <drm/drm_dma_view.h>

struct drm_gpupt;
struct drm_sgt;
struct virtgpu_sgt_mem_entries;

/**
 * struct virtgpu_sgt_va_entries - how many memory entries a range of GPU VA takes
 *
 * Zero-initialised before the first part of the range.
 */
struct virtgpu_sgt_va_entries {
	/** @count: entries of the segments before @seg */
	u64 count;
	/** @seg: what the next segment may continue */
	struct drm_dma_seg seg;
	/** @prot: DRM_GPUPT_* of @seg */
	u32 prot;
};

int __must_check virtgpu_sgt_va_entries_count(struct virtgpu_sgt_va_entries *entries,
					      struct drm_sgt *sgt, u64 offset, u64 len,
					      u32 prot);
u64 virtgpu_sgt_va_entries_total(struct virtgpu_sgt_va_entries *entries);
int __must_check virtgpu_sgt_va_entries_fill(struct virtgpu_sgt_mem_entries *list,
					     struct drm_gpupt *pt, u64 va, u64 size);

#endif /* __VIRTGPU_SGT_VA_ENTRIES_H__ */
