// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-fence.h>
#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gpupt.h>
#include <drm/drm_gpupt_fmt.h>
#include <drm/virtgpu_sgt_drm.h>

#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_va_resource.h"
#include "virtgpu_sgt_vm.h"
#include "virtgpu_sgt_vm_job.h"
#include "virtgpu_sgt_vm_plan.h"

/**
 * DOC: address spaces
 *
 * Each open file has a GPU address space of 48 bits: a page table in the format of
 * &drm_gpupt_x86_64, and a &struct drm_gpuvm that tracks which buffer is mapped where.
 * It is created by the first ioctl that needs it, and destroyed with the file. A
 * mapping holds a reference to its buffer.
 *
 * The virtio-gpu device has no MMU. For a resource from VA, the driver walks the page
 * table and sends the device the list of memory that the range maps to: see "resources
 * from VA". A device that walks page tables would be given the address of the root,
 * and a TLB flush would take the place of each detach.
 *
 * An address space has two states. Ioctls change the *planned* state under
 * &virtgpu_sgt_vm.lock. They allocate all memory that the change needs, and an ioctl
 * that fails undoes what it has planned. The page table itself, the *current* state,
 * follows job by job: see "jobs". virtgpu_sgt_vm_lock_idle() waits until both are the
 * same, and returns with the lock held, which prevents new jobs.
 *
 * A buffer with a mapping is not evicted, so the driver needs no list of the mappings of
 * a buffer, and no lock for one.
 */

static void virtgpu_sgt_vm_free(struct drm_gpuvm *gpuvm)
{
	struct virtgpu_sgt_vm *vm = to_virtgpu_sgt_vm(gpuvm);

	mutex_destroy(&vm->lock);
	kfree(vm);
}

static const struct drm_gpuvm_ops virtgpu_sgt_vm_ops = {
	.vm_free = virtgpu_sgt_vm_free,
	.sm_step_map = virtgpu_sgt_vm_step_map,
	.sm_step_remap = virtgpu_sgt_vm_step_remap,
	.sm_step_unmap = virtgpu_sgt_vm_step_unmap,
};

/* Memory is allocated under the lock, so no job may take it: see "locking". */
static void virtgpu_sgt_vm_prime_lockdep(struct virtgpu_sgt_vm *vm)
{
	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;

	mutex_lock(&vm->lock);
	might_alloc(GFP_KERNEL);
	spin_lock(&vm->job_lock);
	spin_unlock(&vm->job_lock);
	spin_lock(&vm->va_res_lock);
	spin_unlock(&vm->va_res_lock);
	mutex_unlock(&vm->lock);
}

static void virtgpu_sgt_vm_init(struct virtgpu_sgt_vm *vm,
				struct virtgpu_sgt_device *vgdev)
{
	vm->vgdev = vgdev;
	vm->pid = task_tgid_nr(current);
	get_task_comm(vm->comm, current);
	vm->context = dma_fence_context_alloc(1);
	mutex_init(&vm->lock);
	spin_lock_init(&vm->job_lock);
	INIT_LIST_HEAD(&vm->jobs);
	INIT_LIST_HEAD(&vm->done);
	init_waitqueue_head(&vm->finished);
	INIT_WORK(&vm->work, virtgpu_sgt_vm_jobs_work);
	INIT_WORK(&vm->free_work, virtgpu_sgt_vm_jobs_free_work);
	spin_lock_init(&vm->va_res_lock);
	vm->va_resources = RB_ROOT_CACHED;
	virtgpu_sgt_vm_prime_lockdep(vm);
}

/* The device never reads the tables, only lists made from them. */
static const struct drm_gpupt_config virtgpu_sgt_gpupt_config = {
	.cpu_only = true,
	.max_tables = VIRTGPU_SGT_VM_MAX_TABLES,
};

static struct virtgpu_sgt_vm *
virtgpu_sgt_vm_create(struct virtgpu_sgt_device *vgdev)
{
	struct drm_gem_object *resv_obj;
	struct virtgpu_sgt_vm *vm;
	int ret = -ENOMEM;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);

	vm->pt = drm_gpupt_create(&drm_gpupt_x86_64, vgdev->sdev,
				  &virtgpu_sgt_gpupt_config, NULL);
	if (IS_ERR(vm->pt)) {
		ret = PTR_ERR(vm->pt);
		goto err_free;
	}

	/* drm_gpuvm requires one. Buffers do not share their resv. */
	resv_obj = drm_gpuvm_resv_object_alloc(vgdev->drm);
	if (!resv_obj)
		goto err_pt;

	virtgpu_sgt_vm_init(vm, vgdev);
	drm_gpuvm_init(&vm->base, vm->comm, 0, vgdev->drm, resv_obj, 0,
		       BIT_ULL(VIRTGPU_SGT_VA_BITS), 0, 0, &virtgpu_sgt_vm_ops);
	drm_gem_object_put(resv_obj);
	return vm;

err_pt:
	drm_gpupt_destroy(vm->pt);
err_free:
	kfree(vm);
	return ERR_PTR(ret);
}

/**
 * virtgpu_sgt_vm_of_file() - the address space of a file
 * @vgdev: device
 * @file: open file; in an ioctl of it
 *
 * Creates it, if there is none.
 *
 * Context: Process context, may sleep. Takes &virtgpu_sgt_device.vm_lock.
 * Return:
 * * the address space, which lives as long as @file is open, or an ERR_PTR() of an
 *   errno below
 * * %-ENOMEM - out of memory, or of bounce buffers
 * * %-ENODEV - the device is being removed
 */
struct virtgpu_sgt_vm *virtgpu_sgt_vm_of_file(struct virtgpu_sgt_device *vgdev,
					      struct drm_file *file)
{
	struct virtgpu_sgt_vm *vm;

	guard(mutex)(&vgdev->vm_lock);

	/* Checked under the lock: virtgpu_sgt_vms_stop() takes it after stopping. */
	if (virtgpu_sgt_is_stopping(vgdev))
		return ERR_PTR(-ENODEV);
	if (file->driver_priv)
		return file->driver_priv;

	vm = virtgpu_sgt_vm_create(vgdev);
	if (!IS_ERR(vm)) {
		list_add_tail(&vm->node, &vgdev->vms);
		/* Pairs with the acquire of readers that do not hold the lock. */
		smp_store_release(&file->driver_priv, vm);
	}
	return vm;
}

/**
 * virtgpu_sgt_vm_wait() - wait for all jobs that are pending now
 * @vm: the address space
 *
 * Context: Process context. Waits for fences.
 * Return: 0, or -ERESTARTSYS: interrupted
 */
int virtgpu_sgt_vm_wait(struct virtgpu_sgt_vm *vm)
{
	struct dma_fence *fence = virtgpu_sgt_vm_jobs_last_fence(vm);
	int ret;

	if (!fence)
		return 0;

	ret = dma_fence_wait(fence, true);
	dma_fence_put(fence);
	return ret;
}

static bool virtgpu_sgt_vm_is_idle(struct virtgpu_sgt_vm *vm)
{
	struct dma_fence *fence = virtgpu_sgt_vm_jobs_last_fence(vm);
	bool idle = !fence || dma_fence_is_signaled(fence);

	dma_fence_put(fence);
	return idle;
}

/**
 * virtgpu_sgt_vm_lock_idle() - wait for all jobs, and prevent new ones
 * @vm: the address space
 *
 * The planned state is the current state until the caller releases
 * &virtgpu_sgt_vm.lock.
 *
 * Context: Process context. Waits for fences, and takes &virtgpu_sgt_vm.lock.
 * Return:
 * * %0          - @vm is locked
 * * %-ENODEV    - the device is being removed
 * * %-ECANCELED - the file was closed
 * * %-EINTR, %-ERESTARTSYS - interrupted
 */
int virtgpu_sgt_vm_lock_idle(struct virtgpu_sgt_vm *vm)
{
	int ret;

	/* Wait without the lock: a commit takes it while it holds KMS locks. */
	for (;;) {
		ret = virtgpu_sgt_vm_wait(vm);
		if (ret)
			return ret;

		ret = mutex_lock_interruptible(&vm->lock);
		if (ret)
			return ret;
		if (virtgpu_sgt_vm_is_idle(vm))
			break;
		mutex_unlock(&vm->lock);
	}

	ret = READ_ONCE(vm->error);
	if (ret)
		mutex_unlock(&vm->lock);
	return ret;
}

/**
 * virtgpu_sgt_vms_init() - allocate the workqueue of jobs, for all devices
 *
 * Return: 0, or -ENOMEM
 */
int virtgpu_sgt_vms_init(void)
{
	virtgpu_sgt_vm_wq = alloc_workqueue("virtio_gpu_sgt_vm",
					    WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return virtgpu_sgt_vm_wq ? 0 : -ENOMEM;
}

/**
 * virtgpu_sgt_vms_exit() - destroy the workqueue of jobs
 */
void virtgpu_sgt_vms_exit(void)
{
	destroy_workqueue(virtgpu_sgt_vm_wq);
}

/**
 * virtgpu_sgt_vms_stop() - finish the jobs of all address spaces
 * @vgdev: device, whose queues are stopped
 *
 * Part of the removal. Afterwards no job is pending, and none can be queued.
 *
 * Context: Process context, may sleep. Takes &virtgpu_sgt_device.vm_lock.
 */
void virtgpu_sgt_vms_stop(struct virtgpu_sgt_device *vgdev)
{
	struct virtgpu_sgt_vm *vm;

	guard(mutex)(&vgdev->vm_lock);
	list_for_each_entry(vm, &vgdev->vms, node)
		virtgpu_sgt_vm_jobs_kill(vm, -ENODEV);
}

/**
 * virtgpu_sgt_vms_show() - dump the page tables of all address spaces
 * @vgdev: device
 * @m: output
 *
 * Context: Process context, may sleep. Takes &virtgpu_sgt_device.vm_lock.
 */
void virtgpu_sgt_vms_show(struct virtgpu_sgt_device *vgdev, struct seq_file *m)
{
	struct virtgpu_sgt_vm *vm;

	guard(mutex)(&vgdev->vm_lock);
	list_for_each_entry(vm, &vgdev->vms, node) {
		seq_printf(m, "pid %d %s\n", vm->pid, vm->comm);
		drm_gpupt_show(vm->pt, m);
	}
}

/* Takes no lock: the file is closed, so there are no other users. */
static void virtgpu_sgt_vm_empty(struct virtgpu_sgt_vm *vm)
{
	struct drm_gpuva *va, *next;

	drm_gpuvm_for_each_va_safe(va, next, &vm->base) {
		drm_gpuva_remove(va);
		virtgpu_sgt_mapping_free(to_virtgpu_sgt_mapping(va));
		cond_resched();
	}
}

/**
 * virtgpu_sgt_postclose() - &drm_driver.postclose
 * @drm: DRM device
 * @file: the file, whose handles are gone
 *
 * Destroys its address space. VA resources that a framebuffer references outlive it.
 */
void virtgpu_sgt_postclose(struct drm_device *drm, struct drm_file *file)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(drm);
	struct virtgpu_sgt_vm *vm = file->driver_priv;

	if (!vm)
		return;

	mutex_lock(&vgdev->vm_lock);
	list_del(&vm->node);
	mutex_unlock(&vgdev->vm_lock);

	virtgpu_sgt_vm_jobs_kill(vm, -ECANCELED);

	/*
	 * Wait for attaches that are being planned: the detach below outdates them,
	 * and later ones fail with vm->error. The detach itself is outside the lock,
	 * which a commit takes while it is prepared: it must not wait for the host.
	 */
	mutex_lock(&vm->lock);
	mutex_unlock(&vm->lock);
	virtgpu_sgt_va_resources_detach(vm, 0, BIT_ULL(VIRTGPU_SGT_VA_BITS), U64_MAX);

	virtgpu_sgt_vm_empty(vm);
	drm_gpupt_destroy(vm->pt);
	drm_gpuvm_put(&vm->base);
}
