// SPDX-License-Identifier: GPL-2.0

#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/err.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include <drm/drm_gpuvm.h>
#include <drm/drm_print.h>

#include "virtgpu_sgt_attach.h"
#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_mem_entries.h"
#include "virtgpu_sgt_reclaim.h"
#include "virtgpu_sgt_va_entries.h"
#include "virtgpu_sgt_va_resource.h"
#include "virtgpu_sgt_vm_job.h"
#include "virtgpu_sgt_vm_types.h"

/* Called for each mapping of the range: userspace chooses their number. */
static int virtgpu_sgt_attach_pause(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* Count the mappings of the range. -EFAULT if they leave a hole. */
static int virtgpu_sgt_attach_count_locked(struct virtgpu_sgt_va_resource *va_res)
{
	u64 end = va_res->last + 1, next = va_res->va;
	struct drm_gpuva *va;
	int count = 0;

	lockdep_assert_held(&va_res->vm->lock);

	drm_gpuvm_for_each_va_range(va, &va_res->vm->base, va_res->va, end) {
		int ret = virtgpu_sgt_attach_pause();

		if (ret)
			return ret;
		if (va->va.addr > next)
			return -EFAULT;
		next = va->va.addr + va->va.range;
		count++;
	}
	return next < end ? -EFAULT : count;
}

/* Take a piece of each mapping of the range, and count the entries of them all. */
static int virtgpu_sgt_attach_collect_locked(struct virtgpu_sgt_va_resource *va_res,
					     struct virtgpu_sgt_backing *backing,
					     u64 *entries)
{
	struct virtgpu_sgt_va_entries counter = {};
	struct virtgpu_sgt_piece *piece = backing->pieces;
	struct virtgpu_sgt_vm *vm = va_res->vm;
	u64 end = va_res->last + 1;
	struct drm_gpuva *va;
	int ret;

	lockdep_assert_held(&vm->lock);

	drm_gpuvm_for_each_va_range(va, &vm->base, va_res->va, end) {
		u64 skip = va_res->va > va->va.addr ? va_res->va - va->va.addr : 0;

		ret = virtgpu_sgt_attach_pause();
		if (ret)
			return ret;
		virtgpu_sgt_bo_get_used(va->gem.obj);
		piece->obj = va->gem.obj;
		piece->offset = va->gem.offset + skip;
		piece->len = min(va->va.range, end - va->va.addr) - skip;
		ret = virtgpu_sgt_va_entries_count(&counter,
						   to_virtgpu_sgt_bo(piece->obj)->base.sgt,
						   piece->offset, piece->len,
						   to_virtgpu_sgt_mapping(va)->prot);
		if (ret) {
			drm_dbg_driver(vm->vgdev->drm, "listing the memory of 0x%llx: %pe\n",
				       va->va.addr, ERR_PTR(ret));
			return ret;
		}
		piece++;
	}
	*entries = virtgpu_sgt_va_entries_total(&counter);
	return 0;
}

static int virtgpu_sgt_attach_alloc_locked(struct virtgpu_sgt_attach *attach)
{
	struct virtgpu_sgt_va_resource *va_res = attach->va_res;
	struct virtgpu_sgt_device *vgdev = va_res->vm->vgdev;
	struct virtgpu_sgt_queue *q = &vgdev->ctrlq;
	struct virtgpu_sgt_mem_entries *entries;
	u64 num_entries;
	int count, ret;

	count = virtgpu_sgt_attach_count_locked(va_res);
	if (count < 0)
		return count;

	attach->backing = virtgpu_sgt_backing_alloc(vgdev, count);
	if (!attach->backing)
		return -ENOMEM;
	ret = virtgpu_sgt_attach_collect_locked(va_res, attach->backing, &num_entries);
	if (ret)
		return ret;

	entries = virtgpu_sgt_mem_entries_reserve(vgdev->drm, num_entries,
						  virtgpu_sgt_queue_max_payload(q));
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	attach->entries = entries;

	/* A new VA resource: it has no other user. */
	if (va_res->res.state == VIRTGPU_SGT_RESOURCE_LOCAL) {
		attach->create = virtgpu_sgt_cmd_alloc(q, sizeof(struct virtio_gpu_ctrl_hdr));
		if (!attach->create)
			return -ENOMEM;
	}
	return 0;
}

/*
 * -EALREADY: the VA resource is attached, and either no job is left that could detach
 * it, or it could not be attached again after the jobs.
 */
static int virtgpu_sgt_attach_plan_locked(struct virtgpu_sgt_attach *attach)
{
	struct virtgpu_sgt_va_resource *va_res = attach->va_res;
	struct virtgpu_sgt_vm *vm = va_res->vm;
	bool attached;
	int ret;

	lockdep_assert_held(&vm->lock);

	/* Get the fence before the state: if there is none, no job can change the state. */
	attach->fence = virtgpu_sgt_vm_jobs_last_fence(vm);
	attached = virtgpu_sgt_resource_is_attached(&va_res->res);
	if (attached && !attach->fence)
		return -EALREADY;

	ret = READ_ONCE(vm->error);
	/* The file is closed: the range stays unmapped. */
	if (ret == -ECANCELED)
		ret = -EFAULT;
	if (!ret)
		ret = virtgpu_sgt_attach_alloc_locked(attach);
	if (ret)
		return attached && (ret == -EFAULT || ret == -E2BIG) ? -EALREADY : ret;

	/* From here on, a job that unmaps or remaps part of the range drops the plan. */
	attach->seqno = vm->seqno;
	spin_lock(&vm->va_res_lock);
	list_add_tail(&attach->node, &va_res->attaches);
	spin_unlock(&vm->va_res_lock);
	return 0;
}

static int virtgpu_sgt_attach_plan(struct virtgpu_sgt_attach *attach)
{
	struct virtgpu_sgt_vm *vm = attach->va_res->vm;
	int ret;

	ret = mutex_lock_interruptible(&vm->lock);
	if (ret)
		return ret;

	ret = virtgpu_sgt_attach_plan_locked(attach);
	mutex_unlock(&vm->lock);
	return ret;
}

/**
 * virtgpu_sgt_attach_create() - plan to attach a VA resource
 * @va_res: the VA resource
 *
 * The plan is for what the range maps to when all current jobs are done. Later jobs are
 * not waited for: they may depend on the commit that the plan is for. An attached VA
 * resource gets a plan, too, while there are jobs: one of them may detach it before the
 * commit uses it.
 *
 * Context: Process context, may sleep. Takes &virtgpu_sgt_vm.lock, and waits neither
 * for the host nor for a fence.
 * Return: the plan for virtgpu_sgt_attach_run(), owned by the caller; NULL if @va_res is
 * attached and needs none; or an ERR_PTR(), see virtgpu_sgt_resource_attach()
 */
struct virtgpu_sgt_attach *
virtgpu_sgt_attach_create(struct virtgpu_sgt_va_resource *va_res)
{
	struct virtgpu_sgt_attach *attach;
	int ret;

	if (virtgpu_sgt_is_stopping(va_res->vm->vgdev))
		return ERR_PTR(-ENODEV);

	attach = kzalloc(sizeof(*attach), GFP_KERNEL_ACCOUNT);
	if (!attach)
		return ERR_PTR(-ENOMEM);

	attach->va_res = va_res;
	INIT_LIST_HEAD(&attach->node);
	ret = virtgpu_sgt_attach_plan(attach);
	if (ret) {
		virtgpu_sgt_attach_free(attach);
		return ret == -EALREADY ? NULL : ERR_PTR(ret);
	}
	return attach;
}

/**
 * virtgpu_sgt_attach_free() - free a plan, carried out or not
 * @attach: the plan
 *
 * Context: Process context, also in the fence-signalling path.
 */
void virtgpu_sgt_attach_free(struct virtgpu_sgt_attach *attach)
{
	struct virtgpu_sgt_vm *vm = attach->va_res->vm;

	spin_lock(&vm->va_res_lock);
	list_del_init(&attach->node);
	spin_unlock(&vm->va_res_lock);

	if (attach->backing)
		virtgpu_sgt_backing_put(attach->backing);
	virtgpu_sgt_mem_entries_free(attach->entries);
	virtgpu_sgt_cmd_put(attach->create);
	dma_fence_put(attach->fence);
	kfree(attach);
}

/*
 * Give the backing to the VA resource before the page table is walked. A job that is
 * about to change the range then finds the backing, and waits for the lock of the
 * resource to detach it. If the VA resource has a backing already, use that one.
 * Returns a reference to the backing, or NULL if the plan is outdated.
 */
static struct virtgpu_sgt_backing *
virtgpu_sgt_attach_claim_locked(struct virtgpu_sgt_attach *attach)
{
	struct virtgpu_sgt_va_resource *va_res = attach->va_res;
	struct virtgpu_sgt_backing *backing = NULL;
	struct virtgpu_sgt_vm *vm = va_res->vm;

	lockdep_assert_held(&va_res->res.lock);

	spin_lock(&vm->va_res_lock);
	if (!list_empty(&attach->node)) {
		list_del_init(&attach->node);
		if (!va_res->backing) {
			va_res->backing = attach->backing;
			attach->backing = NULL;
		}
		backing = va_res->backing;
		kref_get(&backing->ref);
	}
	spin_unlock(&vm->va_res_lock);
	return backing;
}

/* Walk the page table, and send the commands with one notification. */
static int virtgpu_sgt_attach_send_locked(struct virtgpu_sgt_attach *attach,
					  struct virtgpu_sgt_backing *backing)
{
	struct virtgpu_sgt_va_resource *va_res = attach->va_res;
	struct virtgpu_sgt_resource *res = &va_res->res;
	struct virtgpu_sgt_cmd *cmds[2];
	unsigned int count = 0;
	int ret;

	lockdep_assert_held(&res->lock);

	ret = virtgpu_sgt_va_entries_fill(attach->entries, va_res->vm->pt,
					  va_res->va, va_res->base.size);
	if (ret) {
		if (virtgpu_sgt_va_resource_forget_locked(va_res, backing))
			virtgpu_sgt_backing_put(backing);
		return ret;
	}

	if (attach->create) {
		virtgpu_sgt_prep_create_2d(attach->create, res);
		WRITE_ONCE(res->state, VIRTGPU_SGT_RESOURCE_CREATED);
		cmds[count++] = attach->create;
	}
	WRITE_ONCE(res->entries, attach->entries->count);
	virtgpu_sgt_prep_attach(backing->attach, res, attach->entries);
	attach->entries = NULL;
	cmds[count++] = backing->attach;
	virtgpu_sgt_cmds_submit(cmds, count);
	return 0;
}

/*
 * @ret is the result of waiting for the commands. If the wait was interrupted, the
 * commands stay queued, and the next attach finds their backing.
 */
static int virtgpu_sgt_attach_finish_locked(struct virtgpu_sgt_attach *attach,
					    struct virtgpu_sgt_backing *backing,
					    int ret)
{
	struct virtgpu_sgt_va_resource *va_res = attach->va_res;
	struct virtgpu_sgt_resource *res = &va_res->res;

	lockdep_assert_held(&res->lock);

	if (!ret && va_res->backing != backing)
		return -EAGAIN;
	if (ret && (!virtgpu_sgt_cmd_has_failed(backing->attach) ||
		    !virtgpu_sgt_va_resource_forget_locked(va_res, backing)))
		return ret;

	virtgpu_sgt_resource_settle(res, attach->create, backing->attach, ret);
	if (ret)
		virtgpu_sgt_backing_put(backing);
	return ret;
}

/* dma_fence_wait() can be interrupted by all signals or none, this only by SIGKILL. */
static int virtgpu_sgt_attach_wait_for_jobs(struct virtgpu_sgt_attach *attach)
{
	struct virtgpu_sgt_vm *vm = attach->va_res->vm;

	if (!attach->fence)
		return 0;
	return wait_event_killable(vm->finished,
				   dma_fence_is_signaled(attach->fence)) ? -EINTR : 0;
}

/* -EAGAIN: the plan is outdated. */
static int virtgpu_sgt_attach_do_run(struct virtgpu_sgt_attach *attach,
				     bool killable)
{
	struct virtgpu_sgt_resource *res = &attach->va_res->res;
	struct virtgpu_sgt_backing *backing;
	int ret = 0, created = 0;

	scoped_guard(mutex, &res->lock) {
		if (virtgpu_sgt_resource_is_attached(res))
			return 0;
		backing = virtgpu_sgt_attach_claim_locked(attach);
		if (!backing)
			return -EAGAIN;
		if (!attach->backing)
			ret = virtgpu_sgt_attach_send_locked(attach, backing);
	}

	if (!ret) {
		/* The last one first: its answer comes after the other. */
		ret = virtgpu_sgt_cmd_wait_either(backing->attach, killable);
		if (attach->create)
			created = virtgpu_sgt_cmd_wait_either(attach->create, killable);
		scoped_guard(mutex, &res->lock)
			ret = virtgpu_sgt_attach_finish_locked(attach, backing,
							       created ?: ret);
	}
	virtgpu_sgt_backing_put(backing);
	return ret;
}

/**
 * virtgpu_sgt_attach_run() - carry out a plan
 * @attach: the plan, not carried out before
 *
 * Context: Process context, the fence-signalling path. Waits for the jobs before the
 * plan, and for the host.
 * Return:
 * * %0       - success
 * * %-EFAULT - part of the range was unmapped or remapped since
 * * %-EINTR  - the task was killed
 * * others   - see virtgpu_sgt_cmd_wait()
 */
int virtgpu_sgt_attach_run(struct virtgpu_sgt_attach *attach)
{
	int ret;

	ret = virtgpu_sgt_attach_wait_for_jobs(attach) ?:
	      virtgpu_sgt_attach_do_run(attach, false);
	return ret == -EAGAIN ? -EFAULT : ret;
}

static int virtgpu_sgt_attach_try(struct virtgpu_sgt_va_resource *va_res)
{
	struct virtgpu_sgt_attach *attach;
	int ret = 0;

	attach = virtgpu_sgt_attach_create(va_res);
	if (IS_ERR_OR_NULL(attach))
		return PTR_ERR_OR_ZERO(attach);

	if (attach->fence)
		ret = dma_fence_wait(attach->fence, true);
	if (!ret)
		ret = virtgpu_sgt_attach_do_run(attach, true);
	virtgpu_sgt_attach_free(attach);
	return ret;
}

/**
 * virtgpu_sgt_attach_now() - attach a VA resource
 * @va_res: the VA resource; may be attached
 *
 * Plans again if the range changes meanwhile, as all of it may be mapped again.
 *
 * Context: Process context, not inside drm_dev_enter(): waits for jobs, and for the
 * host.
 * Return: 0, or see virtgpu_sgt_resource_attach()
 */
int virtgpu_sgt_attach_now(struct virtgpu_sgt_va_resource *va_res)
{
	int ret;

	do {
		if (virtgpu_sgt_resource_is_attached(&va_res->res))
			return 0;
		if (signal_pending(current))
			return -ERESTARTSYS;
		ret = virtgpu_sgt_attach_try(va_res);
	} while (ret == -EAGAIN);
	return ret;
}
