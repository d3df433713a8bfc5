/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_VM_ARGS_H__
#define __VIRTGPU_SGT_VM_ARGS_H__

#include <linux/compiler.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include <drm/virtgpu_sgt_drm.h>

struct drm_device;

/* Sizes of the first versions of the structures in arrays: the smallest strides. */
#define VIRTGPU_SGT_MIN_OP	offsetofend(struct drm_virtgpu_sgt_vm_bind_op, pad)
#define VIRTGPU_SGT_MIN_SYNC	offsetofend(struct drm_virtgpu_sgt_sync, timeline_value)

bool virtgpu_sgt_vm_has_range(u64 va, u64 size);
int __must_check virtgpu_sgt_vm_check_bind(struct drm_device *drm,
					   const struct drm_virtgpu_sgt_vm_bind *args);
int __must_check virtgpu_sgt_vm_check_op(struct drm_device *drm,
					 const struct drm_virtgpu_sgt_vm_bind_op *op);
int __must_check
virtgpu_sgt_vm_check_op_object(struct drm_device *drm,
			       const struct drm_virtgpu_sgt_vm_bind_op *op, u64 size);
int __must_check virtgpu_sgt_vm_check_sync(struct drm_device *drm,
					   const struct drm_virtgpu_sgt_sync *sync);
int __must_check
virtgpu_sgt_vm_check_array(struct drm_device *drm,
			   const struct drm_virtgpu_sgt_obj_array *array, u32 min_stride);
void * __must_check
virtgpu_sgt_vm_copy_array(struct drm_device *drm,
			  const struct drm_virtgpu_sgt_obj_array *array, size_t size,
			  u32 min_stride);

#endif /* __VIRTGPU_SGT_VM_ARGS_H__ */
