// SPDX-License-Identifier: GPL-2.0

#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/err.h>
#include <linux/interval_tree_generic.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/drm_gpuvm.h>
#include <drm/drm_print.h>
#include <drm/drm_sgt.h>
#include <drm/virtgpu_sgt_drm.h>

#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_drv.h"
#include "virtgpu_sgt_mem_entries.h"
#include "virtgpu_sgt_va_resource.h"
#include "virtgpu_sgt_vm.h"
#include "virtgpu_sgt_vm_job.h"

/**
 * DOC: resources from VA
 *
 * A VA resource is a GEM object without memory of its own, and a resource on the host
 * whose memory is what a range of an address space leads to. Its list of memory
 * entries comes from a walk of the page table: parts of several buffers, in any
 * order, and the same page as often as it is mapped.
 *
 * It keeps nothing in place. Before something in its range loses its memory, the
 * job that does it has the host detach the VA resource, and waits for the answer. From
 * then on, to use the VA resource is an -EFAULT, until all of its range leads somewhere
 * again. The next use finds that, and attaches the VA resource anew:
 *
 * ::
 *
 *            attach: plan, jobs are done, walk,
 *            ATTACH_BACKING answered
 *   (detached) ------------------------------------> (attached)
 *       ^     \                                          |
 *       |      +-- a hole: -EFAULT                       |
 *       +------------------------------------------------+
 *          a job, or the end of the file: DETACH_BACKING
 *
 * A use is a transfer, a framebuffer that is made, or a commit with one. Each plans
 * first: under &virtgpu_sgt_vm.lock, it sees what the range is going to lead to,
 * allocates all that it takes to attach that, and notes the last job that there is.
 * When this one is done, it walks the page table and sends the list. A commit plans
 * when it is prepared and does the rest in its tail, so that no lock of KMS is held
 * while jobs, or the host, are waited for. Jobs that come after the plan are not
 * waited for, as they may depend on the commit.
 *
 * Between plan and list, a later job that takes memory from the range makes the plan
 * outdated, as it makes the host detach the VA resource after that. An ioctl plans anew
 * then. A commit cannot, and fails with -EFAULT in the way that a commit fails: see
 * "errors in a commit".
 *
 * What is attached is a backing: it keeps the buffers until the host has answered
 * the DETACH, or the UNREF, so that no memory goes that the host may still read,
 * whoever gives up waiting. It also knows which bytes of which buffer to sync
 * before a transfer. The DETACH is allocated with it: to detach must not fail.
 *
 * The address space ends with its file. A framebuffer may keep a VA resource longer,
 * which is detached then for good.
 */

/* Part of a buffer, as a part of the range of a VA resource. */
struct virtgpu_sgt_piece {
	struct drm_gem_object *obj;
	u64 offset;
	u64 len;
};

/* Memory that a VA resource is attached to. */
struct virtgpu_sgt_backing {
	/* The VA resource has one, then its DETACH; and each wait for a command. */
	struct kref ref;
	struct virtgpu_sgt_device *vgdev;
	struct virtgpu_sgt_cmd *attach;
	struct virtgpu_sgt_cmd *detach;
	struct work_struct free_work;
	/* The reference of the task that detaches the VA resource. */
	struct drm_gem_object *va_res;
	unsigned int count;
	struct virtgpu_sgt_piece pieces[] __counted_by(count);
};

/*
 * All that it takes to attach a VA resource, and when. It may be carried out in the
 * fence-signalling path, where nothing is allocated.
 */
struct virtgpu_sgt_attach {
	/* In the list of the VA resource; not if it was carried out, or is outdated. */
	struct list_head node;
	struct virtgpu_sgt_va_resource *va_res;
	/* Of the last job that it was planned on, whose fence is this, or NULL. */
	u64 seqno;
	struct dma_fence *fence;
	/* What was not handed on yet. */
	struct virtgpu_sgt_cmd *create;
	struct virtgpu_sgt_backing *backing;
	struct virtgpu_sgt_mem_entries *entries;
};

#define VIRTGPU_SGT_WINDOW_START(va_res)	((va_res)->va)
#define VIRTGPU_SGT_WINDOW_LAST(va_res)		((va_res)->last)

INTERVAL_TREE_DEFINE(struct virtgpu_sgt_va_resource, rb, u64, subtree_last,
		     VIRTGPU_SGT_WINDOW_START, VIRTGPU_SGT_WINDOW_LAST, static,
		     virtgpu_sgt_va_resource_tree);

static struct virtgpu_sgt_va_resource *
virtgpu_sgt_resource_va(struct virtgpu_sgt_resource *res)
{
	return container_of(res, struct virtgpu_sgt_va_resource, res);
}

static void virtgpu_sgt_backing_free_work(struct work_struct *work)
{
	struct virtgpu_sgt_backing *backing =
		container_of(work, struct virtgpu_sgt_backing, free_work);
	struct virtgpu_sgt_device *vgdev = backing->vgdev;
	unsigned int i;

	for (i = 0; i < backing->count; i++) {
		drm_gem_object_put(backing->pieces[i].obj);
		cond_resched();
	}
	if (backing->va_res)
		drm_gem_object_put(backing->va_res);
	virtgpu_sgt_cmd_put(backing->attach);
	virtgpu_sgt_cmd_put(backing->detach);
	kvfree(backing);
	virtgpu_sgt_free_done(vgdev);
}

/* Not freed here, since this may be the fence-signalling path. */
static void virtgpu_sgt_backing_release(struct kref *ref)
{
	struct virtgpu_sgt_backing *backing =
		container_of(ref, struct virtgpu_sgt_backing, ref);

	virtgpu_sgt_free_later(backing->vgdev, &backing->free_work);
}

static void virtgpu_sgt_backing_put(struct virtgpu_sgt_backing *backing)
{
	kref_put(&backing->ref, virtgpu_sgt_backing_release);
}

/* Answered, or the device is reset: the host does not read it any more. */
static void virtgpu_sgt_backing_detached(struct virtgpu_sgt_cmd *cmd, int status)
{
	virtgpu_sgt_backing_put(cmd->priv);
}

static struct virtgpu_sgt_backing *
virtgpu_sgt_backing_alloc(struct virtgpu_sgt_device *vgdev, unsigned int count)
{
	const unsigned int resp = sizeof(struct virtio_gpu_ctrl_hdr);
	struct virtgpu_sgt_cmd *attach, *detach;
	struct virtgpu_sgt_backing *backing;

	attach = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq, resp);
	detach = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq, resp);
	backing = kvzalloc(struct_size(backing, pieces, count),
			   GFP_KERNEL_ACCOUNT);
	if (!attach || !detach || !backing) {
		virtgpu_sgt_cmd_put(attach);
		virtgpu_sgt_cmd_put(detach);
		kvfree(backing);
		return NULL;
	}

	detach->done = virtgpu_sgt_backing_detached;
	detach->priv = backing;
	kref_init(&backing->ref);
	backing->vgdev = vgdev;
	backing->attach = attach;
	backing->detach = detach;
	backing->count = count;
	INIT_WORK(&backing->free_work, virtgpu_sgt_backing_free_work);
	return backing;
}

/* Before each mapping of the range: a user decides how many there are. */
static int virtgpu_sgt_va_resource_pause(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* How many mappings there are in the range. -EFAULT if they leave a hole. */
static int virtgpu_sgt_va_resource_count_locked(struct virtgpu_sgt_va_resource *va_res)
{
	u64 end = va_res->last + 1, next = va_res->va;
	struct drm_gpuva *va;
	int count = 0;

	lockdep_assert_held(&va_res->vm->lock);

	drm_gpuvm_for_each_va_range(va, &va_res->vm->base, va_res->va, end) {
		int ret = virtgpu_sgt_va_resource_pause();

		if (ret)
			return ret;
		if (va->va.addr > next)
			return -EFAULT;
		next = va->va.addr + va->va.range;
		count++;
	}
	return next < end ? -EFAULT : count;
}

/*
 * What the range is going to lead to, in pieces that keep their buffers; @entries is
 * how many entries that will be.
 */
static int virtgpu_sgt_va_resource_collect_locked(struct virtgpu_sgt_va_resource *va_res,
						  struct virtgpu_sgt_backing *backing,
						  u64 *entries)
{
	struct virtgpu_sgt_mem_entries_counter counter = {};
	struct virtgpu_sgt_piece *piece = backing->pieces;
	struct virtgpu_sgt_vm *vm = va_res->vm;
	u64 end = va_res->last + 1;
	struct drm_gpuva *va;
	int ret;

	lockdep_assert_held(&vm->lock);

	drm_gpuvm_for_each_va_range(va, &vm->base, va_res->va, end) {
		u64 skip = va_res->va > va->va.addr ? va_res->va - va->va.addr : 0;

		ret = virtgpu_sgt_va_resource_pause();
		if (ret)
			return ret;
		drm_gem_object_get(va->gem.obj);
		piece->obj = va->gem.obj;
		piece->offset = va->gem.offset + skip;
		piece->len = min(va->va.range, end - va->va.addr) - skip;
		ret = virtgpu_sgt_mem_entries_count(&counter,
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
	*entries = virtgpu_sgt_mem_entries_total(&counter);
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

	count = virtgpu_sgt_va_resource_count_locked(va_res);
	if (count < 0)
		return count;

	attach->backing = virtgpu_sgt_backing_alloc(vgdev, count);
	if (!attach->backing)
		return -ENOMEM;
	ret = virtgpu_sgt_va_resource_collect_locked(va_res, attach->backing,
						     &num_entries);
	if (ret)
		return ret;

	entries = virtgpu_sgt_mem_entries_reserve(vgdev->drm, num_entries,
						  virtgpu_sgt_queue_max_payload(q));
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	attach->entries = entries;

	/* Of a new VA resource, to which there is no other reference. */
	if (va_res->res.state == VIRTGPU_SGT_RESOURCE_LOCAL) {
		attach->create = virtgpu_sgt_cmd_alloc(q, sizeof(struct virtio_gpu_ctrl_hdr));
		if (!attach->create)
			return -ENOMEM;
	}
	return 0;
}

/* From here on, a job that takes memory from the range makes it outdated. */
static int virtgpu_sgt_attach_plan(struct virtgpu_sgt_attach *attach)
{
	struct virtgpu_sgt_va_resource *va_res = attach->va_res;
	struct virtgpu_sgt_vm *vm = va_res->vm;
	int ret;

	ret = mutex_lock_interruptible(&vm->lock);
	if (ret)
		return ret;

	ret = READ_ONCE(vm->error);
	/* There will never be anything in the range again. */
	if (ret == -ECANCELED)
		ret = -EFAULT;
	if (!ret)
		ret = virtgpu_sgt_attach_alloc_locked(attach);
	if (!ret) {
		attach->seqno = vm->seqno;
		attach->fence = virtgpu_sgt_vm_jobs_last_fence(vm);
		spin_lock(&vm->va_res_lock);
		list_add_tail(&attach->node, &va_res->attaches);
		spin_unlock(&vm->va_res_lock);
	}
	mutex_unlock(&vm->lock);
	return ret;
}

/**
 * virtgpu_sgt_attach_create() - get ready to attach a VA resource
 * @va_res: the VA resource
 *
 * Plans on what the range leads to when all jobs are done that there are now. Jobs
 * that come later are not waited for: they may depend on the commit that this is
 * for.
 *
 * Context: Process context, may sleep. Takes &virtgpu_sgt_vm.lock, and waits neither
 * for the host nor for a fence.
 * Return: what virtgpu_sgt_attach_run() takes, owned by the caller, NULL if @va_res
 * is attached, or an ERR_PTR(); see virtgpu_sgt_resource_attach()
 */
struct virtgpu_sgt_attach *
virtgpu_sgt_attach_create(struct virtgpu_sgt_va_resource *va_res)
{
	struct virtgpu_sgt_attach *attach;
	int ret;

	if (virtgpu_sgt_is_stopping(va_res->vm->vgdev))
		return ERR_PTR(-ENODEV);
	if (virtgpu_sgt_resource_is_attached(&va_res->res))
		return NULL;

	attach = kzalloc(sizeof(*attach), GFP_KERNEL_ACCOUNT);
	if (!attach)
		return ERR_PTR(-ENOMEM);

	attach->va_res = va_res;
	INIT_LIST_HEAD(&attach->node);
	ret = virtgpu_sgt_attach_plan(attach);
	if (ret) {
		virtgpu_sgt_attach_free(attach);
		return ERR_PTR(ret);
	}
	return attach;
}

/**
 * virtgpu_sgt_attach_fence() - what virtgpu_sgt_attach_run() must come after
 * @attach: the attach, or NULL
 *
 * Context: Any.
 * Return: a fence, of which @attach has a reference, or NULL
 */
struct dma_fence *virtgpu_sgt_attach_fence(const struct virtgpu_sgt_attach *attach)
{
	return attach ? attach->fence : NULL;
}

/**
 * virtgpu_sgt_attach_free() - end an attach, whether it was carried out or not
 * @attach: the attach, or NULL
 *
 * Context: Process context, also in the fence-signalling path.
 */
void virtgpu_sgt_attach_free(struct virtgpu_sgt_attach *attach)
{
	struct virtgpu_sgt_vm *vm;

	if (!attach)
		return;

	vm = attach->va_res->vm;
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

/* Let go of the backing, if it is that of the VA resource: its reference is the caller's. */
static bool virtgpu_sgt_va_resource_forget_locked(struct virtgpu_sgt_va_resource *va_res,
						  struct virtgpu_sgt_backing *backing)
{
	struct virtgpu_sgt_vm *vm = va_res->vm;
	bool forgotten;

	lockdep_assert_held(&va_res->res.lock);

	spin_lock(&vm->va_res_lock);
	forgotten = va_res->backing == backing;
	if (forgotten)
		va_res->backing = NULL;
	spin_unlock(&vm->va_res_lock);
	return forgotten;
}

/*
 * Make the backing that of the VA resource, before the page table is read: a job that
 * wants to change it from here on finds the backing, and waits for the lock of the
 * resource to detach it. If the host is attaching another one already, that does as
 * well. Returns a reference to either.
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

/* Read the page table, and send what the host needs to know. */
static int virtgpu_sgt_attach_send_locked(struct virtgpu_sgt_attach *attach,
					  struct virtgpu_sgt_backing *backing)
{
	struct virtgpu_sgt_va_resource *va_res = attach->va_res;
	struct virtgpu_sgt_resource *res = &va_res->res;
	int ret;

	lockdep_assert_held(&res->lock);

	ret = virtgpu_sgt_mem_entries_fill_range(attach->entries, va_res->vm->gpt,
						 va_res->va, va_res->base.size);
	if (ret) {
		if (virtgpu_sgt_va_resource_forget_locked(va_res, backing))
			virtgpu_sgt_backing_put(backing);
		return ret;
	}

	if (attach->create) {
		virtgpu_sgt_prep_create_2d(attach->create, res);
		WRITE_ONCE(res->state, VIRTGPU_SGT_RESOURCE_CREATED);
		virtgpu_sgt_cmd_submit(attach->create);
	}
	WRITE_ONCE(res->entries, attach->entries->count);
	virtgpu_sgt_prep_attach(backing->attach, res, attach->entries);
	attach->entries = NULL;
	virtgpu_sgt_cmd_submit(backing->attach);
	return 0;
}

/*
 * What has become of it: @ret is what the wait has said. One that was given up goes
 * on, and is there for the next who wants to attach the VA resource.
 */
static int virtgpu_sgt_attach_finish_locked(struct virtgpu_sgt_attach *attach,
					    struct virtgpu_sgt_backing *backing,
					    int ret)
{
	struct virtgpu_sgt_va_resource *va_res = attach->va_res;
	struct virtgpu_sgt_resource *res = &va_res->res;

	lockdep_assert_held(&res->lock);

	if (!ret) {
		if (va_res->backing != backing)
			return -EAGAIN;
		/* See virtgpu_sgt_resource_is_attached(). */
		smp_store_release(&res->state, VIRTGPU_SGT_RESOURCE_ATTACHED);
		return 0;
	}

	if (!virtgpu_sgt_cmd_has_failed(backing->attach) ||
	    !virtgpu_sgt_va_resource_forget_locked(va_res, backing))
		return ret;

	WRITE_ONCE(res->entries, 0);
	/* Nothing about it is on its way: no UNREF is needed. */
	if (attach->create && virtgpu_sgt_cmd_has_failed(attach->create))
		WRITE_ONCE(res->state, VIRTGPU_SGT_RESOURCE_LOCAL);
	virtgpu_sgt_backing_put(backing);
	return ret;
}

static int virtgpu_sgt_attach_wait(struct virtgpu_sgt_cmd *cmd, bool killable)
{
	return killable ? virtgpu_sgt_cmd_wait_killable(cmd) :
			  virtgpu_sgt_cmd_wait(cmd);
}

/* -EAGAIN: the range has changed since the plan. */
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
		if (attach->create)
			created = virtgpu_sgt_attach_wait(attach->create, killable);
		ret = virtgpu_sgt_attach_wait(backing->attach, killable);
		scoped_guard(mutex, &res->lock)
			ret = virtgpu_sgt_attach_finish_locked(attach, backing,
							       created ?: ret);
	}
	virtgpu_sgt_backing_put(backing);
	return ret;
}

/**
 * virtgpu_sgt_attach_run() - attach a VA resource, without allocating
 * @attach: the attach, not carried out before; its fence has signalled
 *
 * Context: Process context, the fence-signalling path. Waits for the host.
 * Return: 0, or a negative errno:
 *
 * * %-EFAULT - the range has lost memory since
 * * others   - see virtgpu_sgt_cmd_wait()
 */
int virtgpu_sgt_attach_run(struct virtgpu_sgt_attach *attach)
{
	int ret = virtgpu_sgt_attach_do_run(attach, false);

	return ret == -EAGAIN ? -EFAULT : ret;
}

static int virtgpu_sgt_va_resource_try_attach(struct virtgpu_sgt_va_resource *va_res)
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

/* Here there is time for another plan: the range may be full again, or still be. */
static int virtgpu_sgt_va_resource_attach(struct virtgpu_sgt_resource *res,
					  const struct drm_framebuffer *fb)
{
	struct virtgpu_sgt_va_resource *va_res = virtgpu_sgt_resource_va(res);
	int ret;

	do {
		if (signal_pending(current))
			return -ERESTARTSYS;
		ret = virtgpu_sgt_va_resource_try_attach(va_res);
	} while (ret == -EAGAIN);
	return ret;
}

static int virtgpu_sgt_va_resource_sync(struct virtgpu_sgt_resource *res, u64 offset,
					u64 len)
{
	struct virtgpu_sgt_backing *backing =
		virtgpu_sgt_resource_va(res)->backing;
	unsigned int i;
	int ret;

	lockdep_assert_held(&res->lock);

	for (i = 0; i < backing->count && len; i++) {
		struct virtgpu_sgt_piece *piece = &backing->pieces[i];
		u64 part;

		if (offset >= piece->len) {
			offset -= piece->len;
			continue;
		}

		part = min(len, piece->len - offset);
		ret = drm_sgt_sync_for_device(to_virtgpu_sgt_bo(piece->obj)->base.sgt,
					      piece->offset + offset, part);
		if (ret)
			return ret;
		offset = 0;
		len -= part;
	}
	return len ? -ERANGE : 0;
}

static void virtgpu_sgt_va_resource_destroy(struct virtgpu_sgt_resource *res)
{
	struct virtgpu_sgt_va_resource *va_res = virtgpu_sgt_resource_va(res);
	struct virtgpu_sgt_vm *vm = va_res->vm;

	spin_lock(&vm->va_res_lock);
	virtgpu_sgt_va_resource_tree_remove(va_res, &vm->va_resources);
	spin_unlock(&vm->va_res_lock);

	if (va_res->backing)
		virtgpu_sgt_backing_put(va_res->backing);
	drm_gem_object_release(&va_res->base);
	kfree(va_res);
	drm_gpuvm_put(&vm->base);
}

static const struct virtgpu_sgt_resource_funcs virtgpu_sgt_va_resource_funcs = {
	.attach = virtgpu_sgt_va_resource_attach,
	.sync = virtgpu_sgt_va_resource_sync,
	.free = virtgpu_sgt_va_resource_destroy,
};

/* One more; -ENOSPC if there are too many. */
static int virtgpu_sgt_va_resources_enter(struct virtgpu_sgt_vm *vm)
{
	bool fits;

	spin_lock(&vm->va_res_lock);
	fits = vm->num_va_res < VIRTGPU_SGT_VM_MAX_RESOURCES;
	if (fits)
		vm->num_va_res++;
	spin_unlock(&vm->va_res_lock);

	if (fits)
		return 0;
	drm_dbg_driver(vm->vgdev->drm, "too many resources from VA\n");
	return -ENOSPC;
}

static void virtgpu_sgt_va_resources_leave(struct virtgpu_sgt_vm *vm)
{
	spin_lock(&vm->va_res_lock);
	vm->num_va_res--;
	spin_unlock(&vm->va_res_lock);
}

static void virtgpu_sgt_va_resource_free(struct drm_gem_object *obj)
{
	struct virtgpu_sgt_va_resource *va_res = to_virtgpu_sgt_va_resource(obj);

	/* Not when the host has answered: the user has closed it by now. */
	virtgpu_sgt_va_resources_leave(va_res->vm);
	virtgpu_sgt_resource_release(&va_res->res);
}

/* There is no memory to share. */
static struct dma_buf *virtgpu_sgt_va_resource_export(struct drm_gem_object *obj,
						      int flags)
{
	return ERR_PTR(-EINVAL);
}

/* What tells a VA resource from a buffer; see virtgpu_sgt_is_va_resource(). */
const struct drm_gem_object_funcs virtgpu_sgt_va_resource_gem_funcs = {
	.free = virtgpu_sgt_va_resource_free,
	.export = virtgpu_sgt_va_resource_export,
};

static struct virtgpu_sgt_va_resource *
virtgpu_sgt_va_resource_alloc(struct virtgpu_sgt_vm *vm,
			      const struct virtgpu_sgt_va_resource_params *params)
{
	struct virtgpu_sgt_va_resource *va_res;

	va_res = kzalloc(sizeof(*va_res), GFP_KERNEL_ACCOUNT);
	if (!va_res)
		return NULL;

	va_res->base.funcs = &virtgpu_sgt_va_resource_gem_funcs;
	drm_gem_private_object_init(vm->vgdev->drm, &va_res->base, params->size);
	virtgpu_sgt_resource_init(&va_res->res, &va_res->base,
				  &virtgpu_sgt_va_resource_funcs);
	va_res->res.format = params->format;
	va_res->res.width = params->width;
	va_res->res.height = params->height;
	va_res->va = params->va;
	va_res->last = params->va + params->size - 1;
	va_res->vm = vm;
	INIT_LIST_HEAD(&va_res->attaches);
	drm_gpuvm_get(&vm->base);

	spin_lock(&vm->va_res_lock);
	virtgpu_sgt_va_resource_tree_insert(va_res, &vm->va_resources);
	spin_unlock(&vm->va_res_lock);
	return va_res;
}

/**
 * virtgpu_sgt_va_resource_create() - make a resource of a range of an address space
 * @vm: the address space
 * @params: what it shall be; its range is one of @vm
 *
 * Waits for jobs, and for the host. The VA resource is attached when this returns.
 *
 * Context: Process context, not inside drm_dev_enter(): waits for the host.
 * Return: the VA resource, with one reference of its GEM object for the caller, or an
 * ERR_PTR():
 *
 * * %-EINVAL - the range has less bytes than width and height need
 * * %-EFAULT - part of the range leads nowhere
 * * %-ENOSPC - @vm has too many VA resources, or there are no more numbers
 * * %-EINTR, %-ERESTARTSYS - interrupted while waiting for jobs
 * * others   - see virtgpu_sgt_bo_create()
 */
struct virtgpu_sgt_va_resource *
virtgpu_sgt_va_resource_create(struct virtgpu_sgt_vm *vm,
			       const struct virtgpu_sgt_va_resource_params *params)
{
	struct virtgpu_sgt_va_resource *va_res;
	size_t needed;
	int ret;

	needed = array3_size(params->width, params->height, sizeof(u32));
	if (params->size < needed) {
		drm_dbg_driver(vm->vgdev->drm, "%llu bytes back a resource of %zu\n",
			       params->size, needed);
		return ERR_PTR(-EINVAL);
	}

	ret = virtgpu_sgt_va_resources_enter(vm);
	if (ret) {
		/* The end of VA resources that were closed may be queued. */
		flush_workqueue(virtgpu_sgt_free_wq);
		ret = virtgpu_sgt_va_resources_enter(vm);
	}
	if (ret)
		return ERR_PTR(ret);

	va_res = virtgpu_sgt_va_resource_alloc(vm, params);
	if (!va_res) {
		virtgpu_sgt_va_resources_leave(vm);
		return ERR_PTR(-ENOMEM);
	}

	ret = virtgpu_sgt_resource_reserve(&va_res->res);
	if (!ret)
		ret = virtgpu_sgt_resource_attach(&va_res->res, NULL);
	if (ret) {
		drm_gem_object_put(&va_res->base);
		return ERR_PTR(ret);
	}
	return va_res;
}

/* Attaches that were planned before the job that now takes memory away */
static void virtgpu_sgt_va_resources_outdate(struct virtgpu_sgt_vm *vm, u64 va,
					     u64 last, u64 seqno)
{
	struct virtgpu_sgt_attach *attach, *next;
	struct virtgpu_sgt_va_resource *va_res;

	spin_lock(&vm->va_res_lock);
	for (va_res = virtgpu_sgt_va_resource_tree_iter_first(&vm->va_resources, va, last);
	     va_res; va_res = virtgpu_sgt_va_resource_tree_iter_next(va_res, va, last))
		list_for_each_entry_safe(attach, next, &va_res->attaches, node)
			if (attach->seqno < seqno)
				list_del_init(&attach->node);
	spin_unlock(&vm->va_res_lock);
}

/*
 * A VA resource in the range that the host has memory of, and that memory, with a
 * reference each; or NULL. One whose last reference is gone is none: its UNREF is on
 * the way, and nobody can use it.
 */
static struct virtgpu_sgt_va_resource *
virtgpu_sgt_va_resources_find(struct virtgpu_sgt_vm *vm, u64 va, u64 last,
			      struct virtgpu_sgt_backing **backing)
{
	struct virtgpu_sgt_va_resource *va_res;

	spin_lock(&vm->va_res_lock);
	for (va_res = virtgpu_sgt_va_resource_tree_iter_first(&vm->va_resources, va, last);
	     va_res; va_res = virtgpu_sgt_va_resource_tree_iter_next(va_res, va, last))
		if (va_res->backing &&
		    kref_get_unless_zero(&va_res->base.refcount))
			break;
	if (va_res) {
		*backing = va_res->backing;
		kref_get(&va_res->backing->ref);
	}
	spin_unlock(&vm->va_res_lock);
	return va_res;
}

/* Not if somebody else has done it since: then the DETACH is sent, or not needed. */
static void virtgpu_sgt_va_resource_detach(struct virtgpu_sgt_va_resource *va_res,
					   struct virtgpu_sgt_backing *backing)
{
	guard(mutex)(&va_res->res.lock);

	/* The reference of the VA resource goes on to the DETACH. */
	if (virtgpu_sgt_va_resource_forget_locked(va_res, backing))
		virtgpu_sgt_resource_detach_locked(&va_res->res, backing->detach);
}

/**
 * virtgpu_sgt_va_resources_detach() - take a range away from the host
 * @vm: the address space
 * @va: first byte of the range
 * @len: bytes of the range
 * @seqno: of the fence of the job that changes the range; %U64_MAX if it is the last
 *	change of all
 *
 * Detaches all VA resources that touch it, and waits for the host. What was planned
 * before the job was, and was not carried out yet, will not be. If the device goes
 * away first, the buffers live on until the reset.
 *
 * Context: Process context, the fence-signalling path. In a job, or when there is
 * none and none comes.
 */
void virtgpu_sgt_va_resources_detach(struct virtgpu_sgt_vm *vm, u64 va, u64 len,
				     u64 seqno)
{
	struct virtgpu_sgt_backing *backing;
	struct virtgpu_sgt_va_resource *va_res;
	u64 last = va + len - 1;

	virtgpu_sgt_va_resources_outdate(vm, va, last, seqno);
	while ((va_res = virtgpu_sgt_va_resources_find(vm, va, last, &backing))) {
		virtgpu_sgt_va_resource_detach(va_res, backing);
		virtgpu_sgt_cmd_wait(backing->detach);
		/* Not put here: freeing is not for this path. */
		backing->va_res = &va_res->base;
		virtgpu_sgt_backing_put(backing);
	}
}
