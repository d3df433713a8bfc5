// SPDX-License-Identifier: GPL-2.0

#include <linux/align.h>
#include <linux/bits.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_device.h>
#include <drm/drm_print.h>
#include <drm/virtgpu_sgt_drm.h>

#include "virtgpu_sgt_vm_args.h"

/*
 * Checks of the arguments of ioctls that need no address space. Errors are logged for
 * @drm, which may be NULL.
 */

/* The same for 32 and 64 bits: no holes, and sizes that are multiples of 8. */
static_assert(sizeof(struct drm_virtgpu_sgt_obj_array) == 16);
static_assert(sizeof(struct drm_virtgpu_sgt_vm_bind_op) == 40);
static_assert(sizeof(struct drm_virtgpu_sgt_sync) == 16);
static_assert(sizeof(struct drm_virtgpu_sgt_vm_bind) == 40);

/**
 * virtgpu_sgt_vm_has_range() - can this be a range of an address space?
 * @va: first byte
 * @size: bytes
 *
 * Return: whether it is a range of whole pages, not empty, and within the space
 */
bool virtgpu_sgt_vm_has_range(u64 va, u64 size)
{
	u64 end;

	return size && !check_add_overflow(va, size, &end) &&
	       end <= BIT_ULL(VIRTGPU_SGT_VA_BITS) &&
	       IS_ALIGNED(va | size, PAGE_SIZE);
}

/**
 * virtgpu_sgt_vm_check_bind() - check the arguments of a VM_BIND
 * @drm: DRM device
 * @args: the arguments, without what the arrays contain
 *
 * Return: 0, or -EINVAL
 */
int virtgpu_sgt_vm_check_bind(struct drm_device *drm,
			      const struct drm_virtgpu_sgt_vm_bind *args)
{
	if (args->flags & ~VIRTGPU_SGT_VM_BIND_ASYNC || args->pad) {
		drm_dbg_driver(drm, "unknown flags 0x%x, pad 0x%x of a bind\n",
			       args->flags, args->pad);
		return -EINVAL;
	}
	if (!args->ops.count || args->ops.count > VIRTGPU_SGT_VM_BIND_MAX_OPS ||
	    args->syncs.count > VIRTGPU_SGT_VM_BIND_MAX_SYNCS) {
		drm_dbg_driver(drm, "%u operations, %u syncs in a bind\n",
			       args->ops.count, args->syncs.count);
		return -EINVAL;
	}
	return 0;
}

static bool virtgpu_sgt_vm_op_is_known(const struct drm_virtgpu_sgt_vm_bind_op *op)
{
	switch (op->op) {
	case VIRTGPU_SGT_VM_MAP:
	case VIRTGPU_SGT_VM_REMAP:
		return !(op->flags & ~VIRTGPU_SGT_VM_READONLY) && !op->pad;
	case VIRTGPU_SGT_VM_UNMAP:
		return !op->flags && !op->handle && !op->offset && !op->pad;
	}
	return false;
}

/**
 * virtgpu_sgt_vm_check_op() - check an operation of a VM_BIND
 * @drm: DRM device
 * @op: the operation
 *
 * Return: 0, or -EINVAL
 */
int virtgpu_sgt_vm_check_op(struct drm_device *drm,
			    const struct drm_virtgpu_sgt_vm_bind_op *op)
{
	if (!virtgpu_sgt_vm_op_is_known(op)) {
		drm_dbg_driver(drm, "operation %u with flags 0x%x, handle %u, pad 0x%x\n",
			       op->op, op->flags, op->handle, op->pad);
		return -EINVAL;
	}
	if (!virtgpu_sgt_vm_has_range(op->va, op->size) ||
	    !IS_ALIGNED(op->offset, PAGE_SIZE)) {
		drm_dbg_driver(drm, "bad range 0x%llx + 0x%llx, offset 0x%llx\n",
			       op->va, op->size, op->offset);
		return -EINVAL;
	}
	return 0;
}

/**
 * virtgpu_sgt_vm_check_op_object() - check an operation against its buffer
 * @drm: DRM device
 * @op: the operation, not an UNMAP, checked on its own
 * @size: bytes of the buffer
 *
 * Return: 0, or -ERANGE
 */
int virtgpu_sgt_vm_check_op_object(struct drm_device *drm,
				   const struct drm_virtgpu_sgt_vm_bind_op *op, u64 size)
{
	u64 end;

	if (!check_add_overflow(op->offset, op->size, &end) && end <= size)
		return 0;

	drm_dbg_driver(drm, "0x%llx + 0x%llx is outside of handle %u\n",
		       op->offset, op->size, op->handle);
	return -ERANGE;
}

/**
 * virtgpu_sgt_vm_check_sync() - check a sync of a VM_BIND
 * @drm: DRM device
 * @sync: the sync
 *
 * Return: 0, or -EINVAL
 */
int virtgpu_sgt_vm_check_sync(struct drm_device *drm,
			      const struct drm_virtgpu_sgt_sync *sync)
{
	switch (sync->flags & ~VIRTGPU_SGT_SYNC_SIGNAL) {
	case VIRTGPU_SGT_SYNC_SYNCOBJ:
		if (!sync->timeline_value)
			return 0;
		break;
	case VIRTGPU_SGT_SYNC_TIMELINE_SYNCOBJ:
		if (sync->timeline_value)
			return 0;
		break;
	}
	drm_dbg_driver(drm, "bad sync: flags 0x%x, timeline value %llu\n", sync->flags,
		       sync->timeline_value);
	return -EINVAL;
}

/**
 * virtgpu_sgt_vm_check_array() - check the stride of an array
 * @drm: DRM device
 * @array: the array
 * @min_stride: size of the first version of its structure
 *
 * As with other structures that can grow, excess bytes end at 4096.
 *
 * Return: 0, -EINVAL if the stride is too small, or -E2BIG if it is too large
 */
int virtgpu_sgt_vm_check_array(struct drm_device *drm,
			       const struct drm_virtgpu_sgt_obj_array *array, u32 min_stride)
{
	if (array->stride >= min_stride && array->stride <= SZ_4K)
		return 0;

	drm_dbg_driver(drm, "stride of %u bytes, at least %u needed\n", array->stride,
		       min_stride);
	return array->stride < min_stride ? -EINVAL : -E2BIG;
}

/* Userspace chooses the count, and copies can fault: check for signals each time. */
static int virtgpu_sgt_vm_copy_each(const struct drm_virtgpu_sgt_obj_array *array,
				    void *to, size_t size)
{
	void __user *from = u64_to_user_ptr(array->array);
	int ret = 0;
	u32 i;

	for (i = 0; i < array->count && !ret; i++) {
		ret = copy_struct_from_user(to + i * size, size,
					    from + (size_t)i * array->stride, array->stride);
		cond_resched();
		if (fatal_signal_pending(current))
			ret = -EINTR;
	}
	return ret;
}

/**
 * virtgpu_sgt_vm_copy_array() - copy an array from userspace
 * @drm: DRM device
 * @array: the array, whose count is checked and not 0
 * @size: bytes of its structure, as the kernel knows it
 * @min_stride: bytes of the first version of the structure
 *
 * Context: Process context, may sleep.
 * Return:
 * * an array of structures of @size, for kvfree(), or an ERR_PTR() of an errno
 *   below
 * * %-EINVAL - the stride is below @min_stride
 * * %-E2BIG  - the stride is above a page, or excess bytes are not zero
 * * %-EFAULT - the memory cannot be read
 * * %-ENOMEM - out of memory
 * * %-EINTR  - the task was killed
 */
void *virtgpu_sgt_vm_copy_array(struct drm_device *drm,
				const struct drm_virtgpu_sgt_obj_array *array, size_t size,
				u32 min_stride)
{
	void *to;
	int ret;

	ret = virtgpu_sgt_vm_check_array(drm, array, min_stride);
	if (ret)
		return ERR_PTR(ret);

	to = kvmalloc_array(array->count, size, GFP_KERNEL_ACCOUNT);
	if (!to)
		return ERR_PTR(-ENOMEM);

	ret = virtgpu_sgt_vm_copy_each(array, to, size);
	if (ret) {
		drm_dbg_driver(drm, "cannot read %u elements of %u bytes: %pe\n", array->count,
			       array->stride, ERR_PTR(ret));
		kvfree(to);
		return ERR_PTR(ret);
	}
	return to;
}
