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

#include "virtgpu_sgt_drv.h"
#include "virtgpu_sgt_va_resource.h"
#include "virtgpu_sgt_vm.h"
#include "virtgpu_sgt_vm_job.h"
#include "virtgpu_sgt_vm_plan.h"

/**
 * DOC: address spaces
 *
 * Each open file has a GPU address space of 48 bits: a page table in the format of
 * &drm_gpupt_x86_64, and a &struct drm_gpuvm that knows which buffer is where. It
 * is made when the file first asks for it, and ends with the file. A range that
 * leads to a buffer keeps the buffer.
 *
 * The device of today has no MMU of its own. What it gets of an address space is
 * what a walk of the page table finds, as the list of memory of a resource: see
 * "resources from VA". A device that does walk page tables would be given the
 * address of the root instead, and every detach here be a flush of its TLB.
 *
 * There are two states of everything. The *plan* is what the ioctls have asked
 * for: it is changed under &virtgpu_sgt_vm.lock, memory is allocated on the way,
 * and an ioctl that fails half way takes back what it has planned. What the page
 * table says *now* follows job by job: see "jobs". Whoever wants the two to be the
 * same waits for the jobs and keeps the lock, so that no new one comes:
 * virtgpu_sgt_vm_lock_idle().
 *
 * Nothing asks a buffer for the ranges that lead to it, as nothing evicts it: so
 * mappings are in no list of their GEM object, and there is no lock for one.
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

/* The plan takes memory; so no job may take its lock: see "locking". */
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

/* The device reads lists that a walk makes, and never the tables. */
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

	vm->gpt = drm_gpupt_create(&drm_gpupt_x86_64, vgdev->sdev,
				   &virtgpu_sgt_gpupt_config, NULL);
	if (IS_ERR(vm->gpt)) {
		ret = PTR_ERR(vm->gpt);
		goto err_free;
	}

	/* drm_gpuvm wants one. We share no resv between buffers. */
	resv_obj = drm_gpuvm_resv_object_alloc(vgdev->drm);
	if (!resv_obj)
		goto err_gpt;

	virtgpu_sgt_vm_init(vm, vgdev);
	drm_gpuvm_init(&vm->base, vm->comm, 0, vgdev->drm, resv_obj, 0,
		       BIT_ULL(VIRTGPU_SGT_VA_BITS), 0, 0, &virtgpu_sgt_vm_ops);
	drm_gem_object_put(resv_obj);
	return vm;

err_gpt:
	drm_gpupt_destroy(vm->gpt);
err_free:
	kfree(vm);
	return ERR_PTR(ret);
}

/**
 * virtgpu_sgt_vm_of_file() - the address space of a file
 * @vgdev: device
 * @file: open file; in an ioctl of it
 *
 * Makes it, if there is none.
 *
 * Context: Process context, may sleep. Takes &virtgpu_sgt_device.vm_lock.
 * Return: the address space, which lives as long as @file is open, or an ERR_PTR():
 *
 * * %-ENOMEM - out of memory, or of bounce buffers
 * * %-ENODEV - the device goes away
 */
struct virtgpu_sgt_vm *virtgpu_sgt_vm_of_file(struct virtgpu_sgt_device *vgdev,
					      struct drm_file *file)
{
	struct virtgpu_sgt_vm *vm;

	guard(mutex)(&vgdev->vm_lock);

	/* Under the lock: virtgpu_sgt_vms_stop() takes it later than this. */
	if (virtgpu_sgt_is_stopping(vgdev))
		return ERR_PTR(-ENODEV);
	if (file->driver_priv)
		return file->driver_priv;

	vm = virtgpu_sgt_vm_create(vgdev);
	if (!IS_ERR(vm)) {
		list_add_tail(&vm->node, &vgdev->vms);
		/* For those who look without the lock. */
		smp_store_release(&file->driver_priv, vm);
	}
	return vm;
}

/**
 * virtgpu_sgt_vm_wait() - wait for all jobs that there are now
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
 * virtgpu_sgt_vm_lock_idle() - wait for all jobs, and let none come after
 * @vm: the address space
 *
 * What is planned is what is there, until the caller unlocks &virtgpu_sgt_vm.lock.
 *
 * Context: Process context. Waits for fences, and takes &virtgpu_sgt_vm.lock.
 * Return:
 * * %0          - @vm is locked
 * * %-ENODEV    - the device goes away
 * * %-ECANCELED - the file was closed
 * * %-EINTR, %-ERESTARTSYS - interrupted
 */
int virtgpu_sgt_vm_lock_idle(struct virtgpu_sgt_vm *vm)
{
	int ret;

	/* Never with the lock: a commit takes it, and holds locks of KMS. */
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
 * virtgpu_sgt_vms_stop() - end the jobs of all address spaces
 * @vgdev: device, whose queues are stopped
 *
 * Part of the removal. None has a job afterwards, nor gets one.
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
 * @m: where to
 *
 * Context: Process context, may sleep. Takes &virtgpu_sgt_device.vm_lock.
 */
void virtgpu_sgt_vms_show(struct virtgpu_sgt_device *vgdev, struct seq_file *m)
{
	struct virtgpu_sgt_vm *vm;

	guard(mutex)(&vgdev->vm_lock);
	list_for_each_entry(vm, &vgdev->vms, node) {
		seq_printf(m, "pid %d %s\n", vm->pid, vm->comm);
		drm_gpupt_show(vm->gpt, m);
	}
}

/* No lock: nobody else has anything to do with the plan. */
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
 * Ends its address space. VA resources that a framebuffer keeps live on without.
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
	 * An attach that was planned before the jobs ended is outdated here; one
	 * that comes later finds the error. The lock only lets a plan in progress
	 * end: a commit takes it when it is prepared, and must not wait for the
	 * host then.
	 */
	mutex_lock(&vm->lock);
	mutex_unlock(&vm->lock);
	virtgpu_sgt_va_resources_detach(vm, 0, BIT_ULL(VIRTGPU_SGT_VA_BITS), U64_MAX);

	virtgpu_sgt_vm_empty(vm);
	drm_gpupt_destroy(vm->gpt);
	drm_gpuvm_put(&vm->base);
}
