// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-fence.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_print.h>
#include <drm/virtgpu_sgt_drm.h>

#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_reclaim.h"
#include "virtgpu_sgt_vm.h"
#include "virtgpu_sgt_vm_args.h"
#include "virtgpu_sgt_vm_bind.h"
#include "virtgpu_sgt_vm_job.h"
#include "virtgpu_sgt_vm_plan.h"
#include "virtgpu_sgt_vm_sync.h"

/* What a VM_BIND refers to: all lookups are done before any change. */
struct virtgpu_sgt_vm_bind {
	const struct drm_virtgpu_sgt_vm_bind *args;
	struct virtgpu_sgt_vm *vm;
	struct drm_virtgpu_sgt_vm_bind_op *ops;
	/* One for each operation, in use; NULL for an UNMAP. */
	struct drm_gem_object **objs;
	struct virtgpu_sgt_vm_syncs syncs;
};

static struct drm_gem_object *
virtgpu_sgt_vm_bind_get_obj(struct drm_device *drm, struct drm_file *file,
			    const struct drm_virtgpu_sgt_vm_bind_op *op)
{
	struct drm_gem_object *obj;
	int ret;

	obj = drm_gem_object_lookup(file, op->handle);
	if (!obj) {
		drm_dbg_driver(drm, "no handle %u\n", op->handle);
		return ERR_PTR(-ENOENT);
	}

	if (!virtgpu_sgt_is_bo(obj)) {
		drm_dbg_driver(drm, "handle %u has no memory of its own\n", op->handle);
		ret = -EOPNOTSUPP;
	} else {
		ret = virtgpu_sgt_vm_check_op_object(drm, op, obj->size) ?:
		      virtgpu_sgt_bo_begin_use(to_virtgpu_sgt_bo(obj));
	}
	if (ret) {
		drm_gem_object_put(obj);
		return ERR_PTR(ret);
	}
	return obj;
}

static int virtgpu_sgt_vm_bind_get_objs(struct virtgpu_sgt_vm_bind *bind,
					struct drm_file *file)
{
	struct drm_device *drm = bind->vm->vgdev->drm;
	struct drm_gem_object *obj;
	int ret;
	u32 i;

	for (i = 0; i < bind->args->ops.count; i++) {
		ret = virtgpu_sgt_vm_check_op(drm, &bind->ops[i]);
		if (ret)
			return ret;
		if (bind->ops[i].op == VIRTGPU_SGT_VM_UNMAP)
			continue;

		obj = virtgpu_sgt_vm_bind_get_obj(drm, file, &bind->ops[i]);
		if (IS_ERR(obj))
			return PTR_ERR(obj);
		bind->objs[i] = obj;
	}
	return 0;
}

/* Copy the arrays, check each element, and look up what it names. */
static int virtgpu_sgt_vm_bind_get(struct virtgpu_sgt_vm_bind *bind,
				   struct drm_file *file)
{
	const struct drm_virtgpu_sgt_vm_bind *args = bind->args;
	int ret;

	bind->ops = virtgpu_sgt_vm_copy_array(bind->vm->vgdev->drm, &args->ops,
					      sizeof(*bind->ops), VIRTGPU_SGT_MIN_OP);
	if (IS_ERR(bind->ops)) {
		ret = PTR_ERR(bind->ops);
		bind->ops = NULL;
		return ret;
	}
	bind->objs = kvcalloc(args->ops.count, sizeof(*bind->objs), GFP_KERNEL_ACCOUNT);
	if (!bind->objs)
		return -ENOMEM;

	ret = virtgpu_sgt_vm_bind_get_objs(bind, file);
	if (ret)
		return ret;
	return virtgpu_sgt_vm_syncs_get(&bind->syncs, file, &args->syncs);
}

static void virtgpu_sgt_vm_bind_put(struct virtgpu_sgt_vm_bind *bind)
{
	u32 i;

	virtgpu_sgt_vm_syncs_put(&bind->syncs);
	for (i = 0; bind->objs && i < bind->args->ops.count; i++)
		virtgpu_sgt_bo_put_used(bind->objs[i]);
	kvfree(bind->objs);
	kvfree(bind->ops);
}

/* All operations or none. */
static int virtgpu_sgt_vm_bind_plan(struct virtgpu_sgt_vm_bind *bind,
				    struct virtgpu_sgt_vm_job *job)
{
	const struct drm_virtgpu_sgt_vm_bind *args = bind->args;
	int ret = 0;
	u32 i;

	lockdep_assert_held(&bind->vm->lock);

	for (i = 0; i < args->ops.count && !ret; i++)
		ret = virtgpu_sgt_vm_plan_op(bind->vm, &job->steps, &bind->ops[i],
					     bind->objs[i]);
	if (!ret)
		ret = virtgpu_sgt_vm_job_push(job);
	if (ret)
		virtgpu_sgt_vm_plan_undo(bind->vm, &job->steps);
	return ret;
}

/* Returns the fence of the operations, with a reference. */
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

	job = virtgpu_sgt_vm_job_create(vm, bind->args->ops.count);
	if (IS_ERR(job)) {
		mutex_unlock(&vm->lock);
		return ERR_CAST(job);
	}
	swap(job->waits, bind->syncs.waits);
	job->num_waits = bind->syncs.num_waits;
	fence = dma_fence_get(job->fence);

	ret = virtgpu_sgt_vm_bind_plan(bind, job);
	mutex_unlock(&vm->lock);
	if (ret) {
		swap(job->waits, bind->syncs.waits);
		job->num_waits = 0;
		virtgpu_sgt_vm_job_free(job);
		dma_fence_put(fence);
		return ERR_PTR(ret);
	}
	return fence;
}

/*
 * Killable only: after an EINTR, drmIoctl() would repeat a call whose operations are
 * queued already.
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
	struct dma_fence *fence;
	int ret = 0;

	fence = virtgpu_sgt_vm_bind_submit(bind);
	if (fence == ERR_PTR(-ENOSPC)) {
		/* Jobs that are done may still own tables: free them. */
		virtgpu_sgt_vm_jobs_flush(bind->vm);
		fence = virtgpu_sgt_vm_bind_submit(bind);
	}
	if (IS_ERR(fence))
		return PTR_ERR(fence);

	virtgpu_sgt_vm_syncs_signal(&bind->syncs, fence);
	if (!(bind->args->flags & VIRTGPU_SGT_VM_BIND_ASYNC))
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
 * Return: 0 or a negative errno: see "errors" in virtgpu_sgt_drm.h
 */
int virtgpu_sgt_vm_bind_ioctl(struct drm_device *drm, void *data,
			      struct drm_file *file)
{
	struct virtgpu_sgt_vm_bind bind = { .args = data };
	int ret;

	ret = virtgpu_sgt_vm_check_bind(drm, data);
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
