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
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_reclaim.h"
#include "virtgpu_sgt_va_resource.h"
#include "virtgpu_sgt_vm_types.h"

/**
 * DOC: resources from VA
 *
 * A VA resource is a GEM object without memory of its own. Its resource on the host is
 * attached to what a range of an address space maps to. The list of mem entries comes
 * from a walk of the page table: parts of several buffers, in any order, and the same
 * page as often as it is mapped.
 *
 * A VA resource does not pin what it is attached to. Before a job unmaps or remaps part
 * of the range, the job has the host detach the VA resource, and waits for the answer.
 * From then on, a use of the VA resource fails with -EFAULT, until all of its range is
 * mapped again. The next use then attaches it again:
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
 * A use is a transfer, the creation of a framebuffer, or a commit that shows one. Each
 * use first makes a plan: under &virtgpu_sgt_vm.lock, it looks up what the range will
 * map to when all jobs are done, allocates all memory that attaching needs, and notes
 * the last job. When that job is done, the use walks the page table and sends the list.
 * A commit makes the plan when it is prepared, and does the rest in its tail, so that a
 * nonblocking commit holds no modeset lock while it waits for jobs or for the host. It
 * does not wait for jobs that are submitted after the plan, as they may depend on the
 * commit.
 *
 * A commit plans for an attached VA resource, too, if there are jobs. It waits for them
 * only if the VA resource is detached when the tail needs the memory.
 *
 * A plan is outdated once a later job has detached the VA resource: that job would not
 * detach it again. An ioctl makes another plan then. A commit cannot, and fails with
 * -EFAULT as described in "errors in a commit".
 *
 * The memory that a VA resource is attached to is its backing. The backing holds
 * references to the buffers until the host has answered the DETACH or the UNREF, even
 * if the task that waits for the answer is killed. It also says which bytes of which
 * buffer to sync before a transfer. The DETACH is allocated with it, as detaching must
 * not fail.
 *
 * The address space ends with its file. A framebuffer can keep a VA resource longer,
 * but that stays detached.
 */

#define VIRTGPU_SGT_VA_RESOURCE_START(va_res)	((va_res)->va)
#define VIRTGPU_SGT_VA_RESOURCE_LAST(va_res)	((va_res)->last)

INTERVAL_TREE_DEFINE(struct virtgpu_sgt_va_resource, rb, u64, subtree_last,
		     VIRTGPU_SGT_VA_RESOURCE_START, VIRTGPU_SGT_VA_RESOURCE_LAST, static,
		     virtgpu_sgt_va_resource_tree);

static void virtgpu_sgt_backing_free_work(struct work_struct *work)
{
	struct virtgpu_sgt_backing *backing =
		container_of(work, struct virtgpu_sgt_backing, free_work);
	struct virtgpu_sgt_device *vgdev = backing->vgdev;
	unsigned int i;

	for (i = 0; i < backing->count; i++) {
		virtgpu_sgt_bo_put_used(backing->pieces[i].obj);
		cond_resched();
	}
	if (backing->va_res)
		drm_gem_object_put(backing->va_res);
	virtgpu_sgt_cmd_put(backing->attach);
	virtgpu_sgt_cmd_put(backing->detach);
	kvfree(backing);
	virtgpu_sgt_free_done(vgdev);
}

/* This may be the fence-signalling path, which must not free buffers. */
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

/* The host has answered, or the device is reset: the memory is no longer read. */
static void virtgpu_sgt_backing_detached(struct virtgpu_sgt_cmd *cmd, int status)
{
	virtgpu_sgt_backing_put(cmd->priv);
}

/**
 * virtgpu_sgt_backing_alloc() - allocate a backing and its commands
 * @vgdev: device
 * @count: number of pieces
 *
 * Return: the backing, with one reference and empty pieces, or NULL
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
 * virtgpu_sgt_va_resource_forget_locked() - unlink a VA resource from its backing
 * @va_res: the VA resource
 * @backing: the backing
 *
 * Context: The caller holds &virtgpu_sgt_resource.lock.
 * Return: true, and the caller owns the reference that @va_res had; false if @va_res
 * has another backing, or none
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

/* Drop plans that are older than the job that is about to change the range. */
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
 * Find a VA resource in the range that has a backing. Returns a reference to both, or
 * NULL. Skips objects without a reference: these cannot be used, and their UNREF is
 * about to be sent.
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

/* Does nothing if @backing was unlinked meanwhile: its DETACH is sent, or not needed. */
static void virtgpu_sgt_va_resource_detach(struct virtgpu_sgt_va_resource *va_res,
					   struct virtgpu_sgt_backing *backing)
{
	guard(mutex)(&va_res->res.lock);

	/* The DETACH takes over the reference of the VA resource. */
	if (virtgpu_sgt_va_resource_forget_locked(va_res, backing))
		virtgpu_sgt_resource_detach_locked(&va_res->res, backing->detach);
}

/**
 * virtgpu_sgt_va_resources_detach() - detach all VA resources that overlap a range
 * @vm: the address space
 * @va: first byte of the range
 * @len: bytes of the range
 * @seqno: seqno of the fence of the job that changes the range; %U64_MAX if no job
 *	follows
 *
 * Waits for the host. Plans that are older than the job and were not carried out are
 * dropped. If the device goes away first, the buffers are kept until the reset.
 *
 * Context: Process context, the fence-signalling path. In a job, or when there is no
 * job and no new one can be submitted.
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
		/* Dropped with the backing, outside of the fence-signalling path. */
		backing->va_res = &va_res->base;
		virtgpu_sgt_backing_put(backing);
	}
}
