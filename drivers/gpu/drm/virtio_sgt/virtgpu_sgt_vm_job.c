// SPDX-License-Identifier: GPL-2.0

#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_gem.h>
#include <drm/drm_print.h>
#include <drm/drm_sgt.h>
#include <drm/drm_sgt_fence.h>
#include <drm/virtgpu_sgt_drm.h>

#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_va_resource.h"
#include "virtgpu_sgt_vm_job.h"
#include "virtgpu_sgt_vm_plan.h"
#include "virtgpu_sgt_vm_types.h"

/**
 * DOC: jobs
 *
 * Each VM_BIND is a job. The ioctl plans it, which allocates all memory and checks for
 * all errors. A work item of the address space then runs the jobs one by one, in the
 * order of the ioctls, and cannot fail:
 *
 * ::
 *
 *   plan ----> QUEUED ----------> RUNNING ---------> DONE ------> freed
 *   (ioctl)      |    earlier jobs   |    fence        |   free_work: puts
 *                |    done, and      |    signals      |   buffers, frees
 *                |    in-fences      |                 |   tables
 *                |    signalled      |
 *                +-- file closed, ---+
 *                    or device
 *                    removed
 *
 * The worker does not block on an in-fence: a callback of the fence queues the work
 * item again. From RUNNING until the fence signals is the fence-signalling path. The
 * job first detaches the VA resources that overlap ranges to unmap, and waits for the
 * host; that wait ends at the latest when the device is removed. Then it changes the
 * page table. It allocates no memory, and takes no lock under which memory is
 * allocated; dma_fence_begin_signalling() lets lockdep check that.
 *
 * The number of pending jobs, and of their operations, is limited: a file that only
 * submits and never waits gets -EBUSY. A job counts until its fence signals. Jobs that
 * are done but not freed are limited by a wait: see virtgpu_sgt_vm_jobs_throttle().
 *
 * A job always runs, since later ones were planned on its result. If an in-fence had an
 * error, the fence of the job gets that error, after all other in-fences signalled.
 * When the device is removed, pending jobs run at once, in order, and their fences get
 * -ENODEV; buffers that the host may still read are kept until the reset. When the file
 * is closed, the fences get -ECANCELED.
 */

/* Jobs wait for commands, so they need a rescuer apart from that of virtgpu_sgt_wq. */
struct workqueue_struct *virtgpu_sgt_vm_wq;

/* Count a job as pending, unless there are too many. */
static int virtgpu_sgt_vm_job_enter(struct virtgpu_sgt_vm_job *job, u32 num_ops)
{
	struct virtgpu_sgt_vm *vm = job->vm;
	bool fits;

	spin_lock(&vm->job_lock);
	fits = vm->num_jobs < VIRTGPU_SGT_VM_MAX_JOBS &&
	       num_ops <= VIRTGPU_SGT_VM_MAX_JOB_OPS - vm->num_ops;
	if (fits) {
		vm->num_jobs++;
		vm->num_ops += num_ops;
		job->num_ops = num_ops;
	}
	spin_unlock(&vm->job_lock);

	if (fits)
		return 0;
	drm_dbg_driver(vm->vgdev->drm, "too many jobs or operations pending\n");
	return -EBUSY;
}

/* Does nothing if the job is not counted. */
static void virtgpu_sgt_vm_job_leave(struct virtgpu_sgt_vm_job *job)
{
	struct virtgpu_sgt_vm *vm = job->vm;

	spin_lock(&vm->job_lock);
	if (job->num_ops)
		vm->num_jobs--;
	vm->num_ops -= job->num_ops;
	job->num_ops = 0;
	spin_unlock(&vm->job_lock);
}

static struct virtgpu_sgt_vm_job *virtgpu_sgt_vm_job_alloc(struct virtgpu_sgt_vm *vm)
{
	struct virtgpu_sgt_vm_job *job;

	lockdep_assert_held(&vm->lock);

	job = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);
	if (!job)
		return NULL;
	job->fence = drm_sgt_fence_create(THIS_MODULE, "virtio_gpu_sgt", "vm", vm->context,
					  vm->seqno + 1);
	if (!job->fence) {
		kfree(job);
		return NULL;
	}

	vm->seqno++;
	job->vm = vm;
	INIT_LIST_HEAD(&job->node);
	INIT_LIST_HEAD(&job->steps);
	return job;
}

/**
 * virtgpu_sgt_vm_job_create() - create a job
 * @vm: the address space
 * @num_ops: number of its operations, at least 1
 *
 * Context: Process context, may sleep. The caller holds &virtgpu_sgt_vm.lock, and
 * pushes or frees the job before it creates another.
 * Return:
 * * the job, without steps, or an ERR_PTR() of an errno below
 * * %-EBUSY  - too many jobs or operations are pending
 * * %-ENOMEM - out of memory
 */
struct virtgpu_sgt_vm_job *virtgpu_sgt_vm_job_create(struct virtgpu_sgt_vm *vm,
						     u32 num_ops)
{
	struct virtgpu_sgt_vm_job *job = virtgpu_sgt_vm_job_alloc(vm);
	int ret;

	if (!job)
		return ERR_PTR(-ENOMEM);

	ret = virtgpu_sgt_vm_job_enter(job, num_ops);
	if (ret) {
		virtgpu_sgt_vm_job_free(job);
		return ERR_PTR(ret);
	}
	return job;
}

/**
 * virtgpu_sgt_vm_job_push() - queue a job
 * @job: the job; belongs to the address space when this succeeds
 *
 * Context: Process context. The caller holds &virtgpu_sgt_vm.lock.
 * Return: 0, or &virtgpu_sgt_vm.error
 */
int virtgpu_sgt_vm_job_push(struct virtgpu_sgt_vm_job *job)
{
	struct virtgpu_sgt_vm *vm = job->vm;
	int ret;

	lockdep_assert_held(&vm->lock);

	spin_lock(&vm->job_lock);
	ret = vm->error;
	if (!ret)
		list_add_tail(&job->node, &vm->jobs);
	spin_unlock(&vm->job_lock);

	if (!ret)
		queue_work(virtgpu_sgt_vm_wq, &vm->work);
	return ret;
}

/**
 * virtgpu_sgt_vm_job_free() - free a job that is done, or was never pushed
 * @job: the job; without steps in the latter case
 *
 * Context: Process context, may sleep. Can drop the last reference to buffers.
 */
void virtgpu_sgt_vm_job_free(struct virtgpu_sgt_vm_job *job)
{
	unsigned int i;

	virtgpu_sgt_vm_job_leave(job);
	virtgpu_sgt_vm_plan_free(&job->steps);
	for (i = 0; i < job->num_waits; i++)
		dma_fence_put(job->waits[i]);
	kvfree(job->waits);
	dma_fence_put(job->fence);
	kfree(job);
}

/**
 * virtgpu_sgt_vm_jobs_last_fence() - get the fence of the newest pending job
 * @vm: the address space
 *
 * Context: Process context.
 * Return: the fence, with a reference for the caller, or NULL if no job is pending
 */
struct dma_fence *virtgpu_sgt_vm_jobs_last_fence(struct virtgpu_sgt_vm *vm)
{
	struct dma_fence *fence = NULL;

	spin_lock(&vm->job_lock);
	if (!list_empty(&vm->jobs))
		fence = dma_fence_get(list_last_entry(&vm->jobs,
						      struct virtgpu_sgt_vm_job,
						      node)->fence);
	spin_unlock(&vm->job_lock);
	return fence;
}

static void virtgpu_sgt_vm_job_wake(struct dma_fence *fence,
				    struct dma_fence_cb *cb)
{
	struct virtgpu_sgt_vm_job *job = container_of(cb, struct virtgpu_sgt_vm_job,
						      cb);

	queue_work(virtgpu_sgt_vm_wq, &job->vm->work);
}

/* Whether the job may go on. If not, the fence queues the work item again. */
static bool virtgpu_sgt_vm_job_wait_is_over(struct virtgpu_sgt_vm_job *job,
					    struct dma_fence *fence)
{
	if (READ_ONCE(job->vm->error) || dma_fence_is_signaled(fence)) {
		/* When this returns, the callback is not running and never will. */
		if (job->armed)
			dma_fence_remove_callback(fence, &job->cb);
		job->armed = false;
		return true;
	}

	if (!job->armed)
		job->armed = !dma_fence_add_callback(fence, &job->cb,
						     virtgpu_sgt_vm_job_wake);
	return !job->armed;
}

static bool virtgpu_sgt_vm_job_is_ready(struct virtgpu_sgt_vm_job *job)
{
	for (; job->next_wait < job->num_waits; job->next_wait++) {
		struct dma_fence *fence = job->waits[job->next_wait];

		if (!virtgpu_sgt_vm_job_wait_is_over(job, fence))
			return false;
		if (!job->error)
			job->error = min(dma_fence_get_status(fence), 0);
	}
	return true;
}

static void virtgpu_sgt_vm_step_commit(struct virtgpu_sgt_vm_step *step)
{
	struct virtgpu_sgt_bo *bo;
	int ret;

	if (!step->removed) {
		bo = to_virtgpu_sgt_bo(step->added[0]->base.gem.obj);
		drm_sgt_access_scope(view, bo->base.sgt, ret)
			drm_gpupt_commit_map(&step->op, view);
		if (!ret)
			return;
	}
	drm_gpupt_commit(&step->op);
}

static int virtgpu_sgt_vm_job_outcome(struct virtgpu_sgt_vm_job *job)
{
	return virtgpu_sgt_device_error(job->vm->vgdev) ?:
	       READ_ONCE(job->vm->error) ?: job->error;
}

static void virtgpu_sgt_vm_job_run(struct virtgpu_sgt_vm_job *job)
{
	bool cookie = dma_fence_begin_signalling();
	struct virtgpu_sgt_vm_step *step;
	int error;

	list_for_each_entry(step, &job->steps, node) {
		if (step->removed)
			virtgpu_sgt_va_resources_detach(job->vm, step->va, step->len,
							job->fence->seqno);
		cond_resched();
	}

	list_for_each_entry(step, &job->steps, node) {
		virtgpu_sgt_vm_step_commit(step);
		cond_resched();
	}

	/* Before the fence signals: whatever waited for it can queue another job. */
	virtgpu_sgt_vm_job_leave(job);

	error = virtgpu_sgt_vm_job_outcome(job);
	if (error)
		dma_fence_set_error(job->fence, error);
	dma_fence_signal(job->fence);
	dma_fence_end_signalling(cookie);
}

static struct virtgpu_sgt_vm_job *virtgpu_sgt_vm_jobs_first(struct virtgpu_sgt_vm *vm)
{
	struct virtgpu_sgt_vm_job *job;

	spin_lock(&vm->job_lock);
	job = list_first_entry_or_null(&vm->jobs, struct virtgpu_sgt_vm_job, node);
	spin_unlock(&vm->job_lock);
	return job;
}

/**
 * virtgpu_sgt_vm_jobs_work() - run all jobs that are ready
 * @work: &virtgpu_sgt_vm.work
 */
void virtgpu_sgt_vm_jobs_work(struct work_struct *work)
{
	struct virtgpu_sgt_vm *vm = container_of(work, struct virtgpu_sgt_vm,
						 work);
	struct virtgpu_sgt_vm_job *job;

	while ((job = virtgpu_sgt_vm_jobs_first(vm))) {
		if (!virtgpu_sgt_vm_job_is_ready(job))
			return;

		virtgpu_sgt_vm_job_run(job);

		spin_lock(&vm->job_lock);
		list_move_tail(&job->node, &vm->done);
		vm->num_done++;
		spin_unlock(&vm->job_lock);
		queue_work(virtgpu_sgt_free_wq, &vm->free_work);
		wake_up_all(&vm->finished);
	}
}

/**
 * virtgpu_sgt_vm_jobs_free_work() - free the jobs that are done
 * @work: &virtgpu_sgt_vm.free_work
 */
void virtgpu_sgt_vm_jobs_free_work(struct work_struct *work)
{
	struct virtgpu_sgt_vm *vm = container_of(work, struct virtgpu_sgt_vm,
						 free_work);
	struct virtgpu_sgt_vm_job *job, *next;
	LIST_HEAD(done);

	spin_lock(&vm->job_lock);
	list_splice_init(&vm->done, &done);
	vm->num_done = 0;
	spin_unlock(&vm->job_lock);

	list_for_each_entry_safe(job, next, &done, node)
		virtgpu_sgt_vm_job_free(job);
}

/**
 * virtgpu_sgt_vm_jobs_kill() - finish all jobs without waiting for their in-fences
 * @vm: the address space
 * @error: error of the pending jobs, and of an attempt to queue another, unless an
 *	earlier call has set one
 *
 * When this returns, all jobs are done and freed, and no work item of @vm runs or is
 * queued.
 *
 * Context: Process context, may wait for the host, until the queue is stopped.
 */
void virtgpu_sgt_vm_jobs_kill(struct virtgpu_sgt_vm *vm, int error)
{
	spin_lock(&vm->job_lock);
	if (!vm->error)
		WRITE_ONCE(vm->error, error);
	spin_unlock(&vm->job_lock);

	queue_work(virtgpu_sgt_vm_wq, &vm->work);
	flush_work(&vm->work);

	/*
	 * All jobs are done, and all callbacks of in-fences removed. A callback that
	 * ran before its removal may have queued the work item again.
	 */
	cancel_work_sync(&vm->work);
	flush_work(&vm->free_work);
}

/**
 * virtgpu_sgt_vm_jobs_throttle() - wait if too many jobs are done but not freed
 * @vm: the address space
 *
 * Limits the memory of these jobs. Waits instead of failing, as freeing them depends on
 * nothing but CPU time.
 *
 * Context: Process context, may sleep. Not in the fence-signalling path.
 */
void virtgpu_sgt_vm_jobs_throttle(struct virtgpu_sgt_vm *vm)
{
	if (READ_ONCE(vm->num_done) >= VIRTGPU_SGT_VM_MAX_JOBS)
		flush_work(&vm->free_work);
}

/**
 * virtgpu_sgt_vm_jobs_flush() - wait until finished jobs are freed
 * @vm: the address space
 *
 * Does not wait for jobs that wait for a fence.
 *
 * Context: Process context, may wait for the host.
 */
void virtgpu_sgt_vm_jobs_flush(struct virtgpu_sgt_vm *vm)
{
	flush_work(&vm->work);
	flush_work(&vm->free_work);
}
