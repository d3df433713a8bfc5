// SPDX-License-Identifier: GPL-2.0

#include <linux/align.h>
#include <linux/dma-fence.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gpupt.h>
#include <drm/drm_gpuvm.h>
#include <drm/drm_print.h>
#include <drm/drm_syncobj.h>
#include <drm/virtgpu_sgt_drm.h>

#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_drv.h"
#include "virtgpu_sgt_vm.h"
#include "virtgpu_sgt_vm_bind.h"
#include "virtgpu_sgt_vm_job.h"
#include "virtgpu_sgt_vm_plan.h"

/* The same for 32 and 64 bits: no holes, and sizes that 8 divides. */
static_assert(sizeof(struct drm_virtgpu_sgt_vm_bind_op) == 40);
static_assert(sizeof(struct drm_virtgpu_sgt_vm_bind) == 40);

/* What a VM_BIND has looked up, before it changes anything. */
struct virtgpu_sgt_vm_bind {
	const struct drm_virtgpu_sgt_vm_bind *args;
	struct virtgpu_sgt_vm *vm;
	struct drm_virtgpu_sgt_vm_bind_op *ops;
	/* One for each operation, NULL for an UNMAP. */
	struct drm_gem_object **objs;
	/* Until a job has them. */
	struct dma_fence **waits;
	struct drm_syncobj **syncs;
};

static int virtgpu_sgt_vm_bind_check(struct drm_device *drm,
				     const struct drm_virtgpu_sgt_vm_bind *args)
{
	if (args->flags & ~VIRTGPU_SGT_VM_BIND_ASYNC) {
		drm_dbg_driver(drm, "unknown flags 0x%x of a bind\n",
			       args->flags);
		return -EINVAL;
	}
	if (!args->num_ops || args->num_ops > VIRTGPU_SGT_VM_BIND_MAX_OPS) {
		drm_dbg_driver(drm, "%u operations in a bind\n", args->num_ops);
		return -EINVAL;
	}
	if (args->num_in_syncs > VIRTGPU_SGT_VM_BIND_MAX_SYNCS ||
	    args->num_out_syncs > VIRTGPU_SGT_VM_BIND_MAX_SYNCS) {
		drm_dbg_driver(drm, "%u syncobjs before a bind, %u after it\n",
			       args->num_in_syncs, args->num_out_syncs);
		return -EINVAL;
	}
	return 0;
}

static int virtgpu_sgt_vm_bind_check_op(struct drm_device *drm,
					const struct drm_virtgpu_sgt_vm_bind_op *op)
{
	u32 flags = VIRTGPU_SGT_VM_READONLY;

	switch (op->op) {
	case VIRTGPU_SGT_VM_MAP:
	case VIRTGPU_SGT_VM_REMAP:
		break;
	case VIRTGPU_SGT_VM_UNMAP:
		flags = 0;
		if (!op->handle && !op->offset)
			break;
		drm_dbg_driver(drm, "unmap with handle %u, offset 0x%llx\n",
			       op->handle, op->offset);
		return -EINVAL;
	default:
		drm_dbg_driver(drm, "unknown operation %u\n", op->op);
		return -EINVAL;
	}
	if (op->flags & ~flags || op->pad) {
		drm_dbg_driver(drm, "unknown flags 0x%x, pad 0x%x of operation %u\n",
			       op->flags, op->pad, op->op);
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

static int virtgpu_sgt_vm_bind_check_obj(const struct drm_virtgpu_sgt_vm_bind_op *op,
					 const struct drm_gem_object *obj)
{
	u64 end;

	if (!virtgpu_sgt_is_bo(obj)) {
		drm_dbg_driver(obj->dev, "handle %u has no memory of its own\n",
			       op->handle);
		return -EOPNOTSUPP;
	}
	if (check_add_overflow(op->offset, op->size, &end) || end > obj->size) {
		drm_dbg_driver(obj->dev, "0x%llx + 0x%llx is outside of handle %u\n",
			       op->offset, op->size, op->handle);
		return -ERANGE;
	}
	return 0;
}

/* As kvmemdup() does, but charged to the user. */
static void *virtgpu_sgt_vm_bind_copy(u64 addr, u32 num, size_t size)
{
	void *array = kvmalloc_array(num, size, GFP_KERNEL_ACCOUNT);

	if (!array)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(array, u64_to_user_ptr(addr), size_mul(num, size))) {
		kvfree(array);
		return ERR_PTR(-EFAULT);
	}
	return array;
}

/* Copy the operations, check each, and find what they name. */
static int virtgpu_sgt_vm_bind_get_ops(struct virtgpu_sgt_vm_bind *bind,
				       struct drm_file *file)
{
	const struct drm_virtgpu_sgt_vm_bind *args = bind->args;
	struct drm_device *drm = bind->vm->vgdev->drm;
	struct drm_virtgpu_sgt_vm_bind_op *op;
	unsigned int i;
	int ret;

	bind->ops = virtgpu_sgt_vm_bind_copy(args->ops, args->num_ops,
					     sizeof(*bind->ops));
	if (IS_ERR(bind->ops)) {
		ret = PTR_ERR(bind->ops);
		bind->ops = NULL;
		return ret;
	}
	bind->objs = kvcalloc(args->num_ops, sizeof(*bind->objs),
			      GFP_KERNEL_ACCOUNT);
	if (!bind->objs)
		return -ENOMEM;

	for (i = 0; i < args->num_ops; i++) {
		op = &bind->ops[i];
		ret = virtgpu_sgt_vm_bind_check_op(drm, op);
		if (ret)
			return ret;
		if (op->op == VIRTGPU_SGT_VM_UNMAP)
			continue;

		bind->objs[i] = drm_gem_object_lookup(file, op->handle);
		if (!bind->objs[i])
			return -ENOENT;
		ret = virtgpu_sgt_vm_bind_check_obj(op, bind->objs[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static void virtgpu_sgt_vm_bind_put_syncs(struct drm_syncobj **syncs, u32 num)
{
	if (!syncs)
		return;

	while (num--)
		drm_syncobj_put(syncs[num]);
	kfree(syncs);
}

static struct drm_syncobj **
virtgpu_sgt_vm_bind_get_syncs(struct drm_file *file, u64 addr, u32 num)
{
	struct drm_syncobj **syncs;
	u32 *handles;
	u32 i;

	handles = virtgpu_sgt_vm_bind_copy(addr, num, sizeof(*handles));
	if (IS_ERR(handles))
		return ERR_CAST(handles);

	syncs = kcalloc(num, sizeof(*syncs), GFP_KERNEL_ACCOUNT);
	if (!syncs) {
		syncs = ERR_PTR(-ENOMEM);
		goto out;
	}
	for (i = 0; i < num; i++) {
		syncs[i] = drm_syncobj_find(file, handles[i]);
		if (syncs[i])
			continue;
		virtgpu_sgt_vm_bind_put_syncs(syncs, i);
		syncs = ERR_PTR(-ENOENT);
		break;
	}
out:
	kvfree(handles);
	return syncs;
}

/* The fences that the syncobjs have now. */
static int virtgpu_sgt_vm_bind_get_waits(struct virtgpu_sgt_vm_bind *bind,
					 struct drm_file *file)
{
	u32 i, num = bind->args->num_in_syncs;
	struct drm_syncobj **syncs;
	int ret = 0;

	if (!num)
		return 0;

	syncs = virtgpu_sgt_vm_bind_get_syncs(file, bind->args->in_syncs, num);
	if (IS_ERR(syncs))
		return PTR_ERR(syncs);

	bind->waits = kcalloc(num, sizeof(*bind->waits), GFP_KERNEL_ACCOUNT);
	if (!bind->waits)
		ret = -ENOMEM;
	for (i = 0; i < num && !ret; i++) {
		bind->waits[i] = drm_syncobj_fence_get(syncs[i]);
		if (!bind->waits[i])
			ret = -ENOENT;
	}
	virtgpu_sgt_vm_bind_put_syncs(syncs, num);
	return ret;
}

static int virtgpu_sgt_vm_bind_get(struct virtgpu_sgt_vm_bind *bind,
				   struct drm_file *file)
{
	const struct drm_virtgpu_sgt_vm_bind *args = bind->args;
	int ret;

	ret = virtgpu_sgt_vm_bind_get_ops(bind, file);
	if (ret)
		return ret;
	ret = virtgpu_sgt_vm_bind_get_waits(bind, file);
	if (ret || !args->num_out_syncs)
		return ret;

	bind->syncs = virtgpu_sgt_vm_bind_get_syncs(file, args->out_syncs,
						    args->num_out_syncs);
	if (IS_ERR(bind->syncs)) {
		ret = PTR_ERR(bind->syncs);
		bind->syncs = NULL;
	}
	return ret;
}

static void virtgpu_sgt_vm_bind_put(struct virtgpu_sgt_vm_bind *bind)
{
	const struct drm_virtgpu_sgt_vm_bind *args = bind->args;
	u32 i;

	virtgpu_sgt_vm_bind_put_syncs(bind->syncs, args->num_out_syncs);
	for (i = 0; bind->waits && i < args->num_in_syncs; i++)
		dma_fence_put(bind->waits[i]);
	kfree(bind->waits);
	for (i = 0; bind->objs && i < args->num_ops; i++)
		drm_gem_object_put(bind->objs[i]);
	kvfree(bind->objs);
	kvfree(bind->ops);
}

static int virtgpu_sgt_vm_bind_plan_op(struct virtgpu_sgt_vm_job *job,
				       const struct drm_virtgpu_sgt_vm_bind_op *op,
				       struct drm_gem_object *obj)
{
	struct virtgpu_sgt_vm *vm = job->vm;
	u32 prot = op->flags & VIRTGPU_SGT_VM_READONLY ? 0 : DRM_GPUPT_WRITE;

	if (op->op == VIRTGPU_SGT_VM_UNMAP)
		return virtgpu_sgt_vm_plan_unmap(job, op->va, op->size);

	if (op->op == VIRTGPU_SGT_VM_MAP &&
	    !drm_gpuvm_interval_empty(&vm->base, op->va, op->size)) {
		drm_dbg_driver(vm->vgdev->drm, "0x%llx + 0x%llx is not empty\n",
			       op->va, op->size);
		return -EEXIST;
	}
	return virtgpu_sgt_vm_plan_map(job, op->va, op->size, obj, op->offset, prot);
}

/* All operations or none. */
static int virtgpu_sgt_vm_bind_plan(struct virtgpu_sgt_vm_bind *bind,
				    struct virtgpu_sgt_vm_job *job)
{
	const struct drm_virtgpu_sgt_vm_bind *args = bind->args;
	int ret = 0;
	u32 i;

	lockdep_assert_held(&bind->vm->lock);

	for (i = 0; i < args->num_ops && !ret; i++)
		ret = virtgpu_sgt_vm_bind_plan_op(job, &bind->ops[i],
						  bind->objs[i]);
	if (!ret)
		ret = virtgpu_sgt_vm_job_push(job);
	if (ret)
		virtgpu_sgt_vm_plan_undo(job);
	return ret;
}

/* Returns when the operations will be done, with a reference. */
static struct dma_fence *virtgpu_sgt_vm_bind_submit(struct virtgpu_sgt_vm_bind *bind)
{
	struct virtgpu_sgt_vm *vm = bind->vm;
	struct virtgpu_sgt_vm_job *job;
	struct dma_fence *fence;
	int ret;

	virtgpu_sgt_vm_jobs_throttle(vm);
	ret = mutex_lock_interruptible(&vm->lock);
	if (ret)
		return ERR_PTR(ret);

	job = virtgpu_sgt_vm_job_create(vm, bind->args->num_ops);
	if (IS_ERR(job)) {
		mutex_unlock(&vm->lock);
		return ERR_CAST(job);
	}
	job->waits = bind->waits;
	job->num_waits = bind->args->num_in_syncs;
	bind->waits = NULL;
	fence = dma_fence_get(job->fence);

	ret = virtgpu_sgt_vm_bind_plan(bind, job);
	mutex_unlock(&vm->lock);
	if (ret) {
		swap(bind->waits, job->waits);
		job->num_waits = 0;
		virtgpu_sgt_vm_job_free(job);
		dma_fence_put(fence);
		return ERR_PTR(ret);
	}
	return fence;
}

/*
 * Only somebody who is killed stops waiting: whoever else would do it all again,
 * as drmIoctl() does after an EINTR, would find it done.
 */
static int virtgpu_sgt_vm_bind_wait(struct virtgpu_sgt_vm *vm,
				    struct dma_fence *fence)
{
	int ret;

	ret = wait_event_killable(vm->finished, dma_fence_is_signaled(fence));
	return ret ?: READ_ONCE(vm->error);
}

static int virtgpu_sgt_vm_bind_run(struct virtgpu_sgt_vm_bind *bind)
{
	const struct drm_virtgpu_sgt_vm_bind *args = bind->args;
	struct dma_fence *fence;
	int ret = 0;
	u32 i;

	fence = virtgpu_sgt_vm_bind_submit(bind);
	if (fence == ERR_PTR(-ENOSPC)) {
		/* Jobs that are done may not have given their tables back yet. */
		virtgpu_sgt_vm_jobs_flush(bind->vm);
		fence = virtgpu_sgt_vm_bind_submit(bind);
	}
	if (IS_ERR(fence))
		return PTR_ERR(fence);

	for (i = 0; i < args->num_out_syncs; i++)
		drm_syncobj_replace_fence(bind->syncs[i], fence);
	if (!(args->flags & VIRTGPU_SGT_VM_BIND_ASYNC))
		ret = virtgpu_sgt_vm_bind_wait(bind->vm, fence);
	dma_fence_put(fence);
	return ret;
}

/**
 * virtgpu_sgt_vm_bind_ioctl() - DRM_IOCTL_VIRTGPU_SGT_VM_BIND
 * @drm: DRM device
 * @data: struct drm_virtgpu_sgt_vm_bind
 * @file: open file
 *
 * Return: 0 or a negative errno: see struct drm_virtgpu_sgt_vm_bind
 */
int virtgpu_sgt_vm_bind_ioctl(struct drm_device *drm, void *data,
			      struct drm_file *file)
{
	struct virtgpu_sgt_vm_bind bind = { .args = data };
	int ret;

	ret = virtgpu_sgt_vm_bind_check(drm, data);
	if (ret)
		return ret;

	bind.vm = virtgpu_sgt_vm_of_file(to_virtgpu_sgt(drm), file);
	if (IS_ERR(bind.vm))
		return PTR_ERR(bind.vm);

	ret = virtgpu_sgt_vm_bind_get(&bind, file);
	if (!ret)
		ret = virtgpu_sgt_vm_bind_run(&bind);
	virtgpu_sgt_vm_bind_put(&bind);
	return ret;
}
