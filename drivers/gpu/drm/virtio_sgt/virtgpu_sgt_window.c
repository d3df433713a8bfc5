// SPDX-License-Identifier: GPL-2.0

#include <linux/err.h>
#include <linux/interval_tree_generic.h>
#include <linux/kref.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/drm_gpuvm.h>
#include <drm/drm_print.h>
#include <drm/drm_sgt.h>
#include <drm/virtgpu_sgt_drm.h>

#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_drv.h"
#include "virtgpu_sgt_entries.h"
#include "virtgpu_sgt_vm.h"
#include "virtgpu_sgt_window.h"

/**
 * DOC: resources from VA
 *
 * A window is a GEM object without memory of its own, and a resource on the host
 * whose memory is what a range of an address space leads to. Its list of memory
 * entries comes from a walk of the page table: parts of several buffers, in any
 * order, and the same page as often as it is mapped.
 *
 * It keeps nothing in place. Before something in its range loses its memory, the
 * job that does it has the host detach the window, and waits for the answer. From
 * then on, to use the window is an -EFAULT, until all of its range leads somewhere
 * again. The next use finds that, and attaches the window anew:
 *
 * ::
 *
 *                  attach: jobs are done, walk,
 *                  ATTACH_BACKING answered
 *   (detached) ------------------------------------> (attached)
 *       ^     \                                          |
 *       |      +-- a hole: -EFAULT                       |
 *       +------------------------------------------------+
 *          a job, or the end of the file: DETACH_BACKING
 *
 * A use is a transfer, a framebuffer that is made, or a commit with one; the last
 * attaches when the commit is prepared, as it must not wait for jobs later. If
 * somebody detaches the window in between, the commit fails with -EFAULT in the
 * way that a commit fails: see "errors in a commit".
 *
 * What is attached is a backing: it keeps the buffers until the host has answered
 * the DETACH, or the UNREF, so that no memory goes that the host may still read,
 * whoever gives up waiting. It also knows which bytes of which buffer to sync
 * before a transfer. The DETACH is allocated with it: to detach must not fail.
 *
 * The address space ends with its file. A framebuffer may keep a window longer,
 * which is detached then for good.
 */

/* Part of a buffer, as a part of the range of a window. */
struct virtgpu_sgt_piece {
	struct drm_gem_object *obj;
	u64 offset;
	u64 len;
};

/* Memory that a window is attached to. */
struct virtgpu_sgt_backing {
	/* The window has one, then its DETACH; and who waits for that. */
	struct kref ref;
	struct virtgpu_sgt_device *vgdev;
	struct virtgpu_sgt_cmd *detach;
	struct work_struct free_work;
	/* Who detaches the window has a reference to it, and leaves it here. */
	struct drm_gem_object *window;
	unsigned int count;
	struct virtgpu_sgt_piece pieces[] __counted_by(count);
};

#define VIRTGPU_SGT_WINDOW_START(window)	((window)->va)
#define VIRTGPU_SGT_WINDOW_LAST(window)		((window)->last)

INTERVAL_TREE_DEFINE(struct virtgpu_sgt_window, rb, u64, subtree_last,
		     VIRTGPU_SGT_WINDOW_START, VIRTGPU_SGT_WINDOW_LAST, static,
		     virtgpu_sgt_window_tree);

static struct virtgpu_sgt_window *
virtgpu_sgt_resource_window(struct virtgpu_sgt_resource *res)
{
	return container_of(res, struct virtgpu_sgt_window, res);
}

static void virtgpu_sgt_backing_free_work(struct work_struct *work)
{
	struct virtgpu_sgt_backing *backing =
		container_of(work, struct virtgpu_sgt_backing, free_work);
	struct virtgpu_sgt_device *vgdev = backing->vgdev;
	unsigned int i;

	for (i = 0; i < backing->count; i++)
		drm_gem_object_put(backing->pieces[i].obj);
	if (backing->window)
		drm_gem_object_put(backing->window);
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
	struct virtgpu_sgt_backing *backing;
	struct virtgpu_sgt_cmd *detach;

	detach = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq,
				       sizeof(struct virtio_gpu_ctrl_hdr));
	backing = kvzalloc(struct_size(backing, pieces, count),
			   GFP_KERNEL_ACCOUNT);
	if (!detach || !backing) {
		virtgpu_sgt_cmd_put(detach);
		kvfree(backing);
		return NULL;
	}

	detach->done = virtgpu_sgt_backing_detached;
	detach->priv = backing;
	kref_init(&backing->ref);
	backing->vgdev = vgdev;
	backing->detach = detach;
	backing->count = count;
	INIT_WORK(&backing->free_work, virtgpu_sgt_backing_free_work);
	return backing;
}

/* How many mappings there are in the range. -EFAULT if they leave a hole. */
static int virtgpu_sgt_window_count_locked(struct virtgpu_sgt_window *window)
{
	u64 end = window->last + 1, next = window->va;
	struct drm_gpuva *va;
	int count = 0;

	lockdep_assert_held(&window->vm->lock);

	drm_gpuvm_for_each_va_range(va, &window->vm->base, window->va, end) {
		if (va->va.addr > next)
			return -EFAULT;
		next = va->va.addr + va->va.range;
		count++;
	}
	return next < end ? -EFAULT : count;
}

/* What the range leads to, in pieces that keep their buffers. */
static struct virtgpu_sgt_backing *
virtgpu_sgt_window_collect_locked(struct virtgpu_sgt_window *window)
{
	struct virtgpu_sgt_vm *vm = window->vm;
	struct virtgpu_sgt_backing *backing;
	struct virtgpu_sgt_piece *piece;
	u64 end = window->last + 1;
	struct drm_gpuva *va;
	int count;

	count = virtgpu_sgt_window_count_locked(window);
	if (count < 0)
		return ERR_PTR(count);

	backing = virtgpu_sgt_backing_alloc(vm->vgdev, count);
	if (!backing)
		return ERR_PTR(-ENOMEM);

	piece = backing->pieces;
	drm_gpuvm_for_each_va_range(va, &vm->base, window->va, end) {
		u64 skip = window->va > va->va.addr ? window->va - va->va.addr : 0;

		drm_gem_object_get(va->gem.obj);
		piece->obj = va->gem.obj;
		piece->offset = va->gem.offset + skip;
		piece->len = min(va->va.range, end - va->va.addr) - skip;
		piece++;
	}
	return backing;
}

/*
 * Have the host let go of the memory. Returns that with a reference, for the
 * caller to wait for its DETACH and to put.
 */
static struct virtgpu_sgt_backing *
virtgpu_sgt_window_detach(struct virtgpu_sgt_window *window)
{
	struct virtgpu_sgt_backing *backing = window->backing;

	kref_get(&backing->ref);
	mutex_lock(&window->res.lock);
	WRITE_ONCE(window->backing, NULL);
	virtgpu_sgt_resource_detach_locked(&window->res, backing->detach);
	mutex_unlock(&window->res.lock);
	return backing;
}

/* An attempt to attach was refused, or somebody gave up waiting for it. */
static void virtgpu_sgt_window_give_up(struct virtgpu_sgt_window *window)
{
	struct virtgpu_sgt_backing *backing = window->backing;

	if (window->res.entries)
		backing = virtgpu_sgt_window_detach(window);
	else
		WRITE_ONCE(window->backing, NULL);
	virtgpu_sgt_backing_put(backing);
}

static int virtgpu_sgt_window_attach_locked(struct virtgpu_sgt_window *window)
{
	struct virtgpu_sgt_vm *vm = window->vm;
	struct virtgpu_sgt_entries *entries;
	struct virtgpu_sgt_backing *backing;
	int ret;

	lockdep_assert_held(&vm->lock);

	if (virtgpu_sgt_resource_is_attached(&window->res))
		return 0;

	backing = virtgpu_sgt_window_collect_locked(window);
	if (IS_ERR(backing))
		return PTR_ERR(backing);

	entries = virtgpu_sgt_entries_of_range(vm->vgdev->drm, vm->gpt,
					       window->va, window->base.size,
					       virtgpu_sgt_resource_size(&window->res),
					       virtgpu_sgt_queue_max_payload(&vm->vgdev->ctrlq));
	if (IS_ERR(entries)) {
		virtgpu_sgt_backing_put(backing);
		return PTR_ERR(entries);
	}

	WRITE_ONCE(window->backing, backing);
	ret = virtgpu_sgt_resource_make(&window->res, entries);
	if (ret)
		virtgpu_sgt_window_give_up(window);
	return ret;
}

static int virtgpu_sgt_window_attach(struct virtgpu_sgt_resource *res,
				     const struct drm_framebuffer *fb)
{
	struct virtgpu_sgt_window *window = virtgpu_sgt_resource_window(res);
	struct virtgpu_sgt_vm *vm = window->vm;
	int ret;

	if (virtgpu_sgt_is_dead(vm->vgdev))
		return -ENODEV;
	if (virtgpu_sgt_resource_is_attached(res))
		return 0;

	ret = virtgpu_sgt_vm_lock_idle(vm);
	/* There will never be anything in the range again. */
	if (ret == -ECANCELED)
		return -EFAULT;
	if (ret)
		return ret;

	ret = virtgpu_sgt_window_attach_locked(window);
	mutex_unlock(&vm->lock);
	return ret;
}

static int virtgpu_sgt_window_sync(struct virtgpu_sgt_resource *res, u64 offset,
				   u64 len)
{
	struct virtgpu_sgt_backing *backing =
		virtgpu_sgt_resource_window(res)->backing;
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

static void virtgpu_sgt_window_destroy(struct virtgpu_sgt_resource *res)
{
	struct virtgpu_sgt_window *window = virtgpu_sgt_resource_window(res);
	struct virtgpu_sgt_vm *vm = window->vm;

	spin_lock(&vm->window_lock);
	virtgpu_sgt_window_tree_remove(window, &vm->windows);
	spin_unlock(&vm->window_lock);

	if (window->backing)
		virtgpu_sgt_backing_put(window->backing);
	drm_gem_object_release(&window->base);
	kfree(window);
	drm_gpuvm_put(&vm->base);
}

static const struct virtgpu_sgt_resource_funcs virtgpu_sgt_window_funcs = {
	.attach = virtgpu_sgt_window_attach,
	.sync = virtgpu_sgt_window_sync,
	.free = virtgpu_sgt_window_destroy,
};

/* One more; -ENOSPC if there are too many. */
static int virtgpu_sgt_windows_enter(struct virtgpu_sgt_vm *vm)
{
	bool fits;

	spin_lock(&vm->window_lock);
	fits = vm->num_windows < VIRTGPU_SGT_VM_MAX_RESOURCES;
	if (fits)
		vm->num_windows++;
	spin_unlock(&vm->window_lock);

	if (fits)
		return 0;
	drm_dbg_driver(vm->vgdev->drm, "too many resources from VA\n");
	return -ENOSPC;
}

static void virtgpu_sgt_windows_leave(struct virtgpu_sgt_vm *vm)
{
	spin_lock(&vm->window_lock);
	vm->num_windows--;
	spin_unlock(&vm->window_lock);
}

static void virtgpu_sgt_window_free(struct drm_gem_object *obj)
{
	struct virtgpu_sgt_window *window = to_virtgpu_sgt_window(obj);

	/* Not when the host has answered: the user has closed it by now. */
	virtgpu_sgt_windows_leave(window->vm);
	virtgpu_sgt_resource_release(&window->res);
}

/* There is no memory to share. */
static struct dma_buf *virtgpu_sgt_window_export(struct drm_gem_object *obj,
						 int flags)
{
	return ERR_PTR(-EINVAL);
}

/* What tells a window from a buffer; see virtgpu_sgt_is_window(). */
const struct drm_gem_object_funcs virtgpu_sgt_window_gem_funcs = {
	.free = virtgpu_sgt_window_free,
	.export = virtgpu_sgt_window_export,
};

static struct virtgpu_sgt_window *
virtgpu_sgt_window_alloc(struct virtgpu_sgt_vm *vm,
			 const struct virtgpu_sgt_window_params *params)
{
	struct virtgpu_sgt_window *window;

	window = kzalloc(sizeof(*window), GFP_KERNEL_ACCOUNT);
	if (!window)
		return NULL;

	window->base.funcs = &virtgpu_sgt_window_gem_funcs;
	drm_gem_private_object_init(vm->vgdev->drm, &window->base, params->size);
	virtgpu_sgt_resource_init(&window->res, &window->base,
				  &virtgpu_sgt_window_funcs);
	window->res.format = params->format;
	window->res.width = params->width;
	window->res.height = params->height;
	window->va = params->va;
	window->last = params->va + params->size - 1;
	window->vm = vm;
	drm_gpuvm_get(&vm->base);

	spin_lock(&vm->window_lock);
	virtgpu_sgt_window_tree_insert(window, &vm->windows);
	spin_unlock(&vm->window_lock);
	return window;
}

/**
 * virtgpu_sgt_window_create() - make a resource of a range of an address space
 * @vm: the address space
 * @params: what it shall be; its range is one of @vm
 *
 * Waits for jobs, and for the host. The window is attached when this returns.
 *
 * Context: Process context, not inside drm_dev_enter(): waits for the host.
 * Return: the window, with one reference of its GEM object for the caller, or an
 * ERR_PTR():
 *
 * * %-EFAULT - part of the range leads nowhere
 * * %-ENOSPC - @vm has too many windows, or there are no more numbers
 * * %-EINTR, %-ERESTARTSYS - interrupted while waiting for jobs
 * * others   - see virtgpu_sgt_bo_create()
 */
struct virtgpu_sgt_window *
virtgpu_sgt_window_create(struct virtgpu_sgt_vm *vm,
			  const struct virtgpu_sgt_window_params *params)
{
	struct virtgpu_sgt_window *window;
	int ret;

	ret = virtgpu_sgt_windows_enter(vm);
	if (ret)
		return ERR_PTR(ret);

	window = virtgpu_sgt_window_alloc(vm, params);
	if (!window) {
		virtgpu_sgt_windows_leave(vm);
		return ERR_PTR(-ENOMEM);
	}

	ret = virtgpu_sgt_resource_reserve(&window->res);
	if (!ret)
		ret = virtgpu_sgt_resource_attach(&window->res, NULL);
	if (ret) {
		drm_gem_object_put(&window->base);
		return ERR_PTR(ret);
	}
	return window;
}

/*
 * A window in the range that the host has memory of, with a reference. One whose
 * last reference is gone is none: its UNREF is on the way, and nobody can use it.
 */
static struct virtgpu_sgt_window *
virtgpu_sgt_windows_find(struct virtgpu_sgt_vm *vm, u64 va, u64 last)
{
	struct virtgpu_sgt_window *window;

	spin_lock(&vm->window_lock);
	for (window = virtgpu_sgt_window_tree_iter_first(&vm->windows, va, last);
	     window; window = virtgpu_sgt_window_tree_iter_next(window, va, last))
		if (READ_ONCE(window->backing) &&
		    kref_get_unless_zero(&window->base.refcount))
			break;
	spin_unlock(&vm->window_lock);
	return window;
}

/**
 * virtgpu_sgt_windows_detach() - take a range away from the host
 * @vm: the address space
 * @va: first byte of the range
 * @len: bytes of the range
 *
 * Detaches all windows that touch it, and waits for the host. If the device goes
 * away first, the buffers live on until the reset.
 *
 * Context: Process context, the fence-signalling path. Nobody attaches a window of
 * @vm: in a job, or with &virtgpu_sgt_vm.lock when there is none.
 */
void virtgpu_sgt_windows_detach(struct virtgpu_sgt_vm *vm, u64 va, u64 len)
{
	struct virtgpu_sgt_backing *backing;
	struct virtgpu_sgt_window *window;

	while ((window = virtgpu_sgt_windows_find(vm, va, va + len - 1))) {
		/* Not put here: freeing is not for this path. */
		window->backing->window = &window->base;
		backing = virtgpu_sgt_window_detach(window);
		virtgpu_sgt_cmd_wait(backing->detach);
		virtgpu_sgt_backing_put(backing);
	}
}
