// SPDX-License-Identifier: GPL-2.0

#include <linux/cleanup.h>
#include <linux/interval_tree_generic.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/drm_gem.h>

#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_drv.h"
#include "virtgpu_sgt_va_resource.h"
#include "virtgpu_sgt_vm.h"

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

#define VIRTGPU_SGT_WINDOW_START(va_res)	((va_res)->va)
#define VIRTGPU_SGT_WINDOW_LAST(va_res)		((va_res)->last)

INTERVAL_TREE_DEFINE(struct virtgpu_sgt_va_resource, rb, u64, subtree_last,
		     VIRTGPU_SGT_WINDOW_START, VIRTGPU_SGT_WINDOW_LAST, static,
		     virtgpu_sgt_va_resource_tree);

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

/**
 * virtgpu_sgt_backing_put() - drop a reference to a backing
 * @backing: the backing
 *
 * Context: Process context, also in the fence-signalling path.
 */
void virtgpu_sgt_backing_put(struct virtgpu_sgt_backing *backing)
{
	kref_put(&backing->ref, virtgpu_sgt_backing_release);
}

/* Answered, or the device is reset: the host does not read it any more. */
static void virtgpu_sgt_backing_detached(struct virtgpu_sgt_cmd *cmd, int status)
{
	virtgpu_sgt_backing_put(cmd->priv);
}

/**
 * virtgpu_sgt_backing_alloc() - allocate what it takes to attach and to detach
 * @vgdev: device
 * @count: pieces that it has room for
 *
 * Return: the backing, with one reference and without pieces, or NULL
 */
struct virtgpu_sgt_backing *
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

/**
 * virtgpu_sgt_va_resource_add() - add a VA resource to those of its address space
 * @va_res: the VA resource
 */
void virtgpu_sgt_va_resource_add(struct virtgpu_sgt_va_resource *va_res)
{
	struct virtgpu_sgt_vm *vm = va_res->vm;

	spin_lock(&vm->va_res_lock);
	virtgpu_sgt_va_resource_tree_insert(va_res, &vm->va_resources);
	spin_unlock(&vm->va_res_lock);
}

/**
 * virtgpu_sgt_va_resource_remove() - remove a VA resource from its address space
 * @va_res: the VA resource
 */
void virtgpu_sgt_va_resource_remove(struct virtgpu_sgt_va_resource *va_res)
{
	struct virtgpu_sgt_vm *vm = va_res->vm;

	spin_lock(&vm->va_res_lock);
	virtgpu_sgt_va_resource_tree_remove(va_res, &vm->va_resources);
	spin_unlock(&vm->va_res_lock);
}

/**
 * virtgpu_sgt_va_resource_forget_locked() - take its backing from a VA resource
 * @va_res: the VA resource
 * @backing: nothing happens if it has another one, or none
 *
 * Context: The caller holds &virtgpu_sgt_resource.lock.
 * Return: whether the reference of @va_res is now that of the caller
 */
bool virtgpu_sgt_va_resource_forget_locked(struct virtgpu_sgt_va_resource *va_res,
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
