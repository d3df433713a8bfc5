// SPDX-License-Identifier: GPL-2.0

#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gpupt.h>
#include <drm/drm_gpuvm.h>
#include <drm/drm_print.h>
#include <drm/drm_sgt.h>
#include <drm/virtgpu_sgt_drm.h>

#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_vm.h"
#include "virtgpu_sgt_vm_args.h"
#include "virtgpu_sgt_vm_job.h"
#include "virtgpu_sgt_vm_query.h"

static_assert(sizeof(struct drm_virtgpu_sgt_dev_query) == 16);
static_assert(sizeof(struct drm_virtgpu_sgt_vm_info) == 40);
static_assert(sizeof(struct drm_virtgpu_sgt_vm_query) == 64);
static_assert(sizeof(struct drm_virtgpu_sgt_bo_info) == 64);

static const struct drm_virtgpu_sgt_vm_info virtgpu_sgt_vm_info = {
	.page_size = PAGE_SIZE,
	.va_bits = VIRTGPU_SGT_VA_BITS,
	.max_ops = VIRTGPU_SGT_VM_BIND_MAX_OPS,
	.max_syncs = VIRTGPU_SGT_VM_BIND_MAX_SYNCS,
	.max_jobs = VIRTGPU_SGT_VM_MAX_JOBS,
	.max_job_ops = VIRTGPU_SGT_VM_MAX_JOB_OPS,
	.max_tables = VIRTGPU_SGT_VM_MAX_TABLES,
	.max_mappings = VIRTGPU_SGT_VM_MAX_MAPPINGS,
	.max_resources = VIRTGPU_SGT_VM_MAX_RESOURCES,
};

/* Copy as much as fits, and write zeros after it. */
static int virtgpu_sgt_dev_query_copy(void __user *to, size_t size)
{
	size_t len = min(size, sizeof(virtgpu_sgt_vm_info));

	if (copy_to_user(to, &virtgpu_sgt_vm_info, len) ||
	    clear_user(to + len, size - len))
		return -EFAULT;
	return 0;
}

/**
 * virtgpu_sgt_dev_query_ioctl() - DRM_IOCTL_VIRTGPU_SGT_DEV_QUERY
 * @drm: DRM device
 * @data: struct drm_virtgpu_sgt_dev_query
 * @file: open file
 *
 * Return:
 * * %0       - success
 * * %-EINVAL - an unknown type, or a size below the first version
 * * %-E2BIG  - a size above 4096
 * * %-EFAULT - the pointer cannot be written to
 */
int virtgpu_sgt_dev_query_ioctl(struct drm_device *drm, void *data,
				struct drm_file *file)
{
	struct drm_virtgpu_sgt_dev_query *args = data;
	u32 size = args->size;

	if (args->type != VIRTGPU_SGT_DEV_QUERY_VM) {
		drm_dbg_driver(drm, "unknown type %u of a query\n", args->type);
		return -EINVAL;
	}

	args->size = sizeof(virtgpu_sgt_vm_info);
	if (!args->pointer)
		return 0;
	if (size < offsetofend(struct drm_virtgpu_sgt_vm_info, max_resources) ||
	    size > SZ_4K) {
		drm_dbg_driver(drm, "%u bytes for the answer of a query\n", size);
		return size > SZ_4K ? -E2BIG : -EINVAL;
	}
	return virtgpu_sgt_dev_query_copy(u64_to_user_ptr(args->pointer), size);
}

/* The result of all walks so far. */
struct virtgpu_sgt_walked {
	struct drm_gpupt_extent last;
	u64 mapped;
	u64 segments;
};

/* A segment can span mappings, of which each walk covers one. */
static int virtgpu_sgt_walked_add(void *arg, const struct drm_gpupt_extent *extent)
{
	struct virtgpu_sgt_walked *walked = arg;
	struct drm_gpupt_extent *last = &walked->last;

	if (!walked->segments || extent->va != last->va + last->seg.len ||
	    !drm_dma_seg_touches(&last->seg, &extent->seg) ||
	    extent->prot != last->prot)
		walked->segments++;
	walked->mapped += extent->seg.len;
	*last = *extent;
	return 0;
}

static int virtgpu_sgt_vm_query_locked(struct virtgpu_sgt_vm *vm,
				       struct drm_virtgpu_sgt_vm_query *args)
{
	u64 leaves[DRM_GPUPT_MAX_LEVELS], end = args->va + args->size;
	struct virtgpu_sgt_walked walked = {};
	struct drm_gpuva *va;
	int ret = 0;

	lockdep_assert_held(&vm->lock);

	drm_gpuvm_for_each_va_range(va, &vm->base, args->va, end) {
		u64 start = max(va->va.addr, args->va);

		ret = drm_gpupt_walk(vm->pt, start,
				     min(va->va.addr + va->va.range, end) - start,
				     virtgpu_sgt_walked_add, &walked);
		if (ret)
			return ret;
		/* The walk checks for signals, but mappings can be many and short. */
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}

	ret = drm_gpupt_count_leaves(vm->pt, args->va, args->size, leaves);
	if (ret)
		return ret;
	args->mapped = walked.mapped;
	args->segments = walked.segments;
	args->leaves_4k = leaves[0];
	args->leaves_2m = leaves[1];
	args->leaves_1g = leaves[2];
	args->tables = drm_gpupt_tables(vm->pt);
	return 0;
}

/**
 * virtgpu_sgt_vm_query_ioctl() - DRM_IOCTL_VIRTGPU_SGT_VM_QUERY
 * @drm: DRM device
 * @data: struct drm_virtgpu_sgt_vm_query
 * @file: open file
 *
 * Return: 0, -EINVAL for a bad range, -EINTR if the task is killed, or see
 * virtgpu_sgt_vm_of_file() and virtgpu_sgt_vm_lock_idle()
 */
int virtgpu_sgt_vm_query_ioctl(struct drm_device *drm, void *data,
			       struct drm_file *file)
{
	struct drm_virtgpu_sgt_vm_query *args = data;
	struct virtgpu_sgt_vm *vm;
	int ret;

	if (!virtgpu_sgt_vm_has_range(args->va, args->size)) {
		drm_dbg_driver(drm, "bad range 0x%llx + 0x%llx\n", args->va,
			       args->size);
		return -EINVAL;
	}

	vm = virtgpu_sgt_vm_of_file(to_virtgpu_sgt(drm), file);
	if (IS_ERR(vm))
		return PTR_ERR(vm);

	/* Unlinked tables are freed after the fence. */
	ret = virtgpu_sgt_vm_wait(vm);
	if (ret)
		return ret;
	virtgpu_sgt_vm_jobs_flush(vm);

	ret = virtgpu_sgt_vm_lock_idle(vm);
	if (ret)
		return ret;
	ret = virtgpu_sgt_vm_query_locked(vm, args);
	mutex_unlock(&vm->lock);
	return ret;
}

static int virtgpu_sgt_bo_info_memory(struct virtgpu_sgt_bo *bo,
				      struct drm_virtgpu_sgt_bo_info *args)
{
	struct drm_sgt_info info;
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	int ret;

	drm_sgt_get_info(bo->base.sgt, &info);
	args->folios = info.folios;
	args->cpu_runs = info.runs;
	/* A query does not map it. */
	if (info.state != DRM_SGT_MAPPED)
		return 0;

	drm_sgt_access_scope(view, bo->base.sgt, ret) {
		ret = drm_dma_iter_init(&iter, view, 0, info.size);
		while (!ret && drm_dma_iter_next(&iter, &seg)) {
			args->segments++;
			cond_resched();
		}
	}
	return ret;
}

/* A buffer has no list of its mappings: look at those of the file. */
static int virtgpu_sgt_bo_info_leaves(struct virtgpu_sgt_vm *vm,
				      const struct drm_gem_object *obj,
				      struct drm_virtgpu_sgt_bo_info *args)
{
	u64 leaves[DRM_GPUPT_MAX_LEVELS];
	struct drm_gpuva *va;
	int ret;

	ret = virtgpu_sgt_vm_lock_idle(vm);
	if (ret)
		return ret;

	drm_gpuvm_for_each_va(va, &vm->base) {
		cond_resched();
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		if (va->gem.obj != obj)
			continue;
		ret = drm_gpupt_count_leaves(vm->pt, va->va.addr, va->va.range, leaves);
		if (ret)
			break;
		args->leaves_4k += leaves[0];
		args->leaves_2m += leaves[1];
		args->leaves_1g += leaves[2];
	}
	mutex_unlock(&vm->lock);
	return ret;
}

static int virtgpu_sgt_bo_info(struct drm_file *file, struct drm_gem_object *obj,
			       struct drm_virtgpu_sgt_bo_info *args)
{
	struct virtgpu_sgt_vm *vm;
	int ret;

	*args = (struct drm_virtgpu_sgt_bo_info) {
		.handle = args->handle,
		.size = obj->size,
	};
	if (!virtgpu_sgt_is_bo(obj))
		return 0;

	ret = virtgpu_sgt_bo_info_memory(to_virtgpu_sgt_bo(obj), args);
	if (ret)
		return ret;

	/* Pairs with the release in virtgpu_sgt_vm_of_file(). */
	vm = smp_load_acquire(&file->driver_priv);
	return vm ? virtgpu_sgt_bo_info_leaves(vm, obj, args) : 0;
}

/**
 * virtgpu_sgt_bo_info_ioctl() - DRM_IOCTL_VIRTGPU_SGT_BO_INFO
 * @drm: DRM device
 * @data: struct drm_virtgpu_sgt_bo_info
 * @file: open file
 *
 * Return:
 * * %0       - success
 * * %-EINVAL - flags are set
 * * %-ENOENT - there is no such handle
 * * %-ENODEV - the device is being removed
 * * %-ECANCELED - the file was closed
 * * %-EINTR, %-ERESTARTSYS - interrupted while waiting for jobs
 */
int virtgpu_sgt_bo_info_ioctl(struct drm_device *drm, void *data,
			      struct drm_file *file)
{
	struct drm_virtgpu_sgt_bo_info *args = data;
	struct drm_gem_object *obj;
	int ret;

	if (args->flags) {
		drm_dbg_driver(drm, "unknown flags 0x%x\n", args->flags);
		return -EINVAL;
	}

	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;

	ret = virtgpu_sgt_bo_info(file, obj, args);
	drm_gem_object_put(obj);
	return ret;
}
