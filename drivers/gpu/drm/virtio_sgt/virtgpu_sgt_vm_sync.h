/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_VM_SYNC_H__
#define __VIRTGPU_SGT_VM_SYNC_H__

#include <linux/compiler.h>
#include <linux/types.h>

struct dma_fence;
struct dma_fence_chain;
struct drm_file;
struct drm_syncobj;
struct drm_virtgpu_sgt_obj_array;

/**
 * struct virtgpu_sgt_vm_signal - a syncobj, or a point of one, to signal
 */
struct virtgpu_sgt_vm_signal {
	/** @syncobj: the syncobj; a counted reference */
	struct drm_syncobj *syncobj;
	/** @chain: for the point of a timeline, until it is used; or NULL */
	struct dma_fence_chain *chain;
	/** @point: the point, with @chain */
	u64 point;
};

/**
 * struct virtgpu_sgt_vm_syncs - the syncs of a VM_BIND
 */
struct virtgpu_sgt_vm_syncs {
	/** @waits: fences to wait for, until a job takes them; references counted */
	struct dma_fence **waits;
	/** @num_waits: length of @waits */
	u32 num_waits;
	/** @signals: syncobjs that get the fence of the job */
	struct virtgpu_sgt_vm_signal *signals;
	/** @num_signals: length of @signals */
	u32 num_signals;
};

int __must_check virtgpu_sgt_vm_syncs_get(struct virtgpu_sgt_vm_syncs *syncs,
					  struct drm_file *file,
					  const struct drm_virtgpu_sgt_obj_array *array);
void virtgpu_sgt_vm_syncs_signal(struct virtgpu_sgt_vm_syncs *syncs,
				 struct dma_fence *fence);
void virtgpu_sgt_vm_syncs_put(struct virtgpu_sgt_vm_syncs *syncs);

#endif /* __VIRTGPU_SGT_VM_SYNC_H__ */
