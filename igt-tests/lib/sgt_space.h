/* SPDX-License-Identifier: GPL-2.0 */
/* The GPU address space of an open file, and pictures of its ranges. */
#ifndef SGT_SPACE_H
#define SGT_SPACE_H

#include <stdint.h>

#include <drm/virtgpu_sgt_drm.h>

#include "sgt_kms.h"

#define SGT_VM_END	(UINT64_C(1) << VIRTGPU_SGT_VA_BITS)

/* The descriptor of an array */
#define sgt_objs(from, number)					\
	((struct drm_virtgpu_sgt_obj_array) {			\
		.stride = sizeof(*(from)),			\
		.count = (number),				\
		.array = (uintptr_t)(from),			\
	})

/* Elements of an array of operations */
struct drm_virtgpu_sgt_vm_bind_op
sgt_vm_op_map(uint64_t va, uint64_t size, const struct sgt_bo *bo, uint64_t offset);
struct drm_virtgpu_sgt_vm_bind_op
sgt_vm_op_remap(uint64_t va, uint64_t size, const struct sgt_bo *bo, uint64_t offset);
struct drm_virtgpu_sgt_vm_bind_op sgt_vm_op_unmap(uint64_t va, uint64_t size);

/* Elements of an array of syncs; @point is 0 for a binary syncobj. */
struct drm_virtgpu_sgt_sync sgt_vm_wait(uint32_t handle, uint64_t point);
struct drm_virtgpu_sgt_sync sgt_vm_signal(uint32_t handle, uint64_t point);

/* All below return 0 or a negative errno. */

/* A synchronous bind.  It is not restarted, as drmIoctl() would do. */
int sgt_vm_bind(int drm, const struct drm_virtgpu_sgt_vm_bind_op *ops, uint32_t count);

/* An asynchronous bind with an array of syncs */
int sgt_vm_bind_syncs(int drm, const struct drm_virtgpu_sgt_vm_bind_op *ops, uint32_t count,
		      const struct drm_virtgpu_sgt_sync *syncs, uint32_t num_syncs);

/* An asynchronous bind that waits for @in and signals @out, 0 for none */
int sgt_vm_bind_async(int drm, const struct drm_virtgpu_sgt_vm_bind_op *ops,
		      uint32_t count, uint32_t in, uint32_t out);

/* A synchronous bind of one operation, in the file of the buffer */
int sgt_vm_map(const struct sgt_bo *bo, uint64_t va, uint64_t size, uint64_t offset);
int sgt_vm_remap(const struct sgt_bo *bo, uint64_t va, uint64_t size, uint64_t offset);
int sgt_vm_unmap(int drm, uint64_t va, uint64_t size);

int sgt_vm_query(int drm, uint64_t va, uint64_t size,
		 struct drm_virtgpu_sgt_vm_query *query);
int sgt_bo_info(const struct sgt_bo *bo, struct drm_virtgpu_sgt_bo_info *info);

/* Returns whether the bytes are retained, or a negative errno. */
int sgt_madvise(const struct sgt_bo *bo, uint32_t madv);

/* The size is rounded up to pages. */
int sgt_vm_picture(struct sgt_bo *picture, int drm, uint64_t va, uint32_t width,
		   uint32_t height);

#endif
