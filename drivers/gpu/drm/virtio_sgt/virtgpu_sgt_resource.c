// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-fence.h>
#include <linux/err.h>
#include <linux/idr.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/workqueue.h>

#include <drm/drm_fourcc.h>
#include <drm/drm_gem.h>
#include <drm/drm_print.h>
#include <drm/drm_rect.h>

#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_mem_entries.h"
#include "virtgpu_sgt_resource.h"

/**
 * DOC: life of a resource
 *
 * A 2D resource (VIRTIO 1.2, 5.7.6.1) is a picture on the host, and the guest memory
 * that the host fetches it from. A framebuffer of a buffer has a resource of its own,
 * and is shown by that. A GEM object from RESOURCE_CREATE or RESOURCE_FROM_VA has one,
 * which its framebuffers use, too. It is freed with the framebuffer or the object.
 *
 * ::
 *
 *            CREATE_2D          ATTACH_BACKING       last reference
 *            submitted          answered             gone
 *   LOCAL --------------> CREATED ----------> ATTACHED ------> UNREF --> freed
 *     ^                    |    | <------------                  ^  answered,
 *     |                    |    |  DETACH_BACKING                |  or reset
 *     +--- host refuses ---+    +---- attach fails, or killed ---+
 *
 * A blob is created with its memory: CREATE_BLOB takes the place of both CREATE_2D and
 * ATTACH_BACKING.
 *
 * A resource stays attached to the memory of a buffer. A VA resource is detached before
 * its range is unmapped or remapped: see "resources from VA".
 *
 * Creating a resource waits for the host, so that the answer of the host is the errno
 * of the ioctl.
 *
 * Freeing a resource does not wait. Its UNREF was allocated with it. When the UNREF is
 * answered, the number of the resource and then the reference to the GEM object, or
 * the object itself, are freed. Until then, the host may read the memory.
 *
 * A separate work item frees them, and not the one that takes the responses:
 * freeing an import takes the resv of the exporter, under which a task can wait for the
 * out-fence of a commit, and commits complete with the responses.
 *
 * An unbind sends no UNREF for resources in use: the host forgets them when the device
 * is reset. Commands that are queued by then are completed after the reset, and
 * resources whose last reference is dropped later are freed without an UNREF. The same
 * holds when the device is reset because the host was silent: see "a silent host".
 */

/**
 * virtgpu_sgt_format_is_known() - is this a format of 2D resources?
 * @format: number from userspace
 *
 * Return: whether it is in the specification; if so, a pixel has four bytes
 */
bool virtgpu_sgt_format_is_known(u32 format)
{
	switch (format) {
	case VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM:
	case VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM:
	case VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM:
	case VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM:
	case VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM:
	case VIRTIO_GPU_FORMAT_X8B8G8R8_UNORM:
	case VIRTIO_GPU_FORMAT_A8B8G8R8_UNORM:
	case VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM:
		return true;
	}
	return false;
}

/**
 * virtgpu_sgt_resource_is_possible() - can there be a 2D resource like this?
 * @format: number from userspace
 * @width: pixels per line
 * @height: lines
 *
 * Return: whether @format is known, and neither size is 0 or too large
 */
bool virtgpu_sgt_resource_is_possible(u32 format, u32 width, u32 height)
{
	return width && width <= VIRTGPU_SGT_MAX_RESOURCE &&
	       height && height <= VIRTGPU_SGT_MAX_RESOURCE &&
	       virtgpu_sgt_format_is_known(format);
}

/**
 * virtgpu_sgt_format() - convert a DRM format to that of a resource
 * @fourcc: DRM_FORMAT_*, which names bits from the highest down
 *
 * Return: VIRTIO_GPU_FORMAT_*, which names bytes from the lowest up; 0 if none fits
 */
u32 virtgpu_sgt_format(u32 fourcc)
{
	switch (fourcc) {
	case DRM_FORMAT_XRGB8888:
		return VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM;
	case DRM_FORMAT_ARGB8888:
		return VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM;
	case DRM_FORMAT_BGRX8888:
		return VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM;
	case DRM_FORMAT_BGRA8888:
		return VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM;
	}
	return 0;
}

/* The format with the fourth component as padding. */
static u32 virtgpu_sgt_format_opaque(u32 format)
{
	switch (format) {
	case VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM:
		return VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM;
	case VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM:
		return VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM;
	case VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM:
		return VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM;
	case VIRTIO_GPU_FORMAT_A8B8G8R8_UNORM:
		return VIRTIO_GPU_FORMAT_X8B8G8R8_UNORM;
	}
	return format;
}

/**
 * virtgpu_sgt_format_shows() - can a resource show a framebuffer format?
 * @format: format of the resource
 * @fourcc: DRM_FORMAT_* of the framebuffer
 *
 * Alpha does not matter: a dumb buffer is created before it is known to be a picture
 * or a cursor, and the host copies all four bytes in any case.
 *
 * Return: whether the colours are in the same order
 */
bool virtgpu_sgt_format_shows(u32 format, u32 fourcc)
{
	return virtgpu_sgt_format_opaque(format) ==
	       virtgpu_sgt_format_opaque(virtgpu_sgt_format(fourcc));
}

static void virtgpu_sgt_resource_publish(struct virtgpu_sgt_device *vgdev,
					 struct virtgpu_sgt_resource *res)
{
	spin_lock(&vgdev->resource_lock);
	list_add_tail(&res->node, &vgdev->resources);
	vgdev->num_resources++;
	spin_unlock(&vgdev->resource_lock);
}

static void virtgpu_sgt_resource_withdraw(struct virtgpu_sgt_device *vgdev,
					  struct virtgpu_sgt_resource *res)
{
	spin_lock(&vgdev->resource_lock);
	if (!list_empty(&res->node)) {
		list_del_init(&res->node);
		vgdev->num_resources--;
	}
	spin_unlock(&vgdev->resource_lock);
}

/* The host does not use the memory, or never did. */
static void virtgpu_sgt_resource_destroy(struct virtgpu_sgt_resource *res)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(res->obj->dev);

	virtgpu_sgt_resource_withdraw(vgdev, res);
	if (res->id)
		ida_free(&vgdev->res_ids, res->id);
	virtgpu_sgt_cmd_put(res->unref);
	mutex_destroy(&res->lock);
	res->ops->free(res);
}

static void virtgpu_sgt_resource_free_work(struct work_struct *work)
{
	struct virtgpu_sgt_resource *res =
		container_of(work, struct virtgpu_sgt_resource, free_work);
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(res->obj->dev);

	virtgpu_sgt_resource_destroy(res);
	virtgpu_sgt_free_done(vgdev);
}

static void virtgpu_sgt_resource_unref_done(struct virtgpu_sgt_cmd *cmd,
					    int status)
{
	struct virtgpu_sgt_resource *res = cmd->priv;
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(res->obj->dev);

	/* A reset has freed it on the host. */
	if (status && !virtgpu_sgt_queue_error(cmd->queue))
		drm_err_ratelimited(vgdev->drm,
				    "the host did not free resource %u: %pe\n",
				    res->id, ERR_PTR(status));

	virtgpu_sgt_free_later(vgdev, &res->free_work);
}

/* The lock is taken in the fence-signalling path: do not allocate while holding it. */
static void virtgpu_sgt_resource_prime_lockdep(struct virtgpu_sgt_resource *res)
{
	bool cookie = dma_fence_begin_signalling();

	might_lock(&res->lock);
	dma_fence_end_signalling(cookie);
}

/**
 * virtgpu_sgt_resource_init() - initialise a resource as LOCAL
 * @res: the resource, zeroed
 * @obj: the GEM object whose memory it shows, and which need not be initialised yet
 * @ops: operations of this kind of resource
 */
void virtgpu_sgt_resource_init(struct virtgpu_sgt_resource *res,
			       struct drm_gem_object *obj,
			       const struct virtgpu_sgt_resource_ops *ops)
{
	res->obj = obj;
	res->ops = ops;
	mutex_init(&res->lock);
	virtgpu_sgt_resource_prime_lockdep(res);
	INIT_LIST_HEAD(&res->node);
	INIT_WORK(&res->free_work, virtgpu_sgt_resource_free_work);
}

/**
 * virtgpu_sgt_resource_reserve() - allocate the number and the UNREF of a resource
 * @res: the resource, LOCAL
 *
 * Both are freed with the resource. Does nothing if it has them.
 *
 * Context: Process context, may sleep.
 * Return: 0, -ENOMEM, or -ENOSPC if all numbers are in use
 */
int virtgpu_sgt_resource_reserve(struct virtgpu_sgt_resource *res)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(res->obj->dev);
	int ret;

	if (!res->unref) {
		res->unref = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq,
						   sizeof(struct virtio_gpu_ctrl_hdr));
		if (!res->unref)
			return -ENOMEM;
		res->unref->done = virtgpu_sgt_resource_unref_done;
		res->unref->priv = res;
	}

	if (!res->id) {
		ret = ida_alloc_min(&vgdev->res_ids, 1, GFP_KERNEL_ACCOUNT);
		if (ret < 0)
			return ret;
		res->id = ret;
		virtgpu_sgt_resource_publish(vgdev, res);
	}
	return 0;
}

/**
 * virtgpu_sgt_resource_size() - the size of a resource
 * @res: the resource, with width and height
 *
 * Return: bytes
 */
u64 virtgpu_sgt_resource_size(const struct virtgpu_sgt_resource *res)
{
	return array3_size(res->width, res->height, sizeof(u32));
}

/**
 * virtgpu_sgt_resource_attach() - attach a resource to its memory
 * @res: the resource; may be attached
 *
 * A job can detach a VA resource again until virtgpu_sgt_resource_transfer_locked().
 * A commit does not wait here: see virtgpu_sgt_resource_prepare().
 *
 * Context: Process context, not inside drm_dev_enter(): may wait for the host,
 * and for fences.
 * Return:
 * * %0       - success
 * * see virtgpu_sgt_resource_make()
 * * %-EINVAL - an import, which has no resource
 * * %-EFAULT - a VA resource, part of whose range is not mapped
 * * %-EINTR, %-ERESTARTSYS - interrupted
 */
int virtgpu_sgt_resource_attach(struct virtgpu_sgt_resource *res)
{
	return res->ops->attach ? res->ops->attach(res) : 0;
}

/**
 * virtgpu_sgt_resource_prepare() - prepare to use a resource in the tail of a commit
 * @res: the resource
 * @fence: set to the fence that the tail has to wait for, or NULL; valid as long as
 *	the plan that is returned
 *
 * Context: Process context, may sleep. Waits neither for the host nor for a fence.
 * Return: a plan for virtgpu_sgt_resource_begin_use(), which
 * virtgpu_sgt_resource_unprepare() frees; NULL if nothing needs to be attached; or an
 * ERR_PTR(): see virtgpu_sgt_resource_attach()
 */
struct virtgpu_sgt_attach *
virtgpu_sgt_resource_prepare(struct virtgpu_sgt_resource *res, struct dma_fence **fence)
{
	*fence = NULL;
	if (res->ops->prepare)
		return res->ops->prepare(res, fence);
	return ERR_PTR(virtgpu_sgt_resource_attach(res));
}

/**
 * virtgpu_sgt_resource_unprepare() - free what was prepared for a commit
 * @res: the resource
 * @attach: from virtgpu_sgt_resource_prepare(), used or not
 *
 * Context: Process context, also in the fence-signalling path.
 */
void virtgpu_sgt_resource_unprepare(struct virtgpu_sgt_resource *res,
				    struct virtgpu_sgt_attach *attach)
{
	res->ops->unprepare(attach);
}

/**
 * virtgpu_sgt_resource_begin_use() - attach a resource, and keep it attached
 * @res: the resource
 * @attach: from virtgpu_sgt_resource_prepare(), or NULL
 *
 * Until virtgpu_sgt_resource_end_use(), the caller can submit commands that need the
 * memory.
 *
 * Context: Process context, the fence-signalling path. Takes
 * &virtgpu_sgt_resource.lock if it succeeds. May wait for the host.
 * Return:
 * * %0       - success
 * * %-EFAULT - a VA resource that was detached since @attach was prepared
 * * others   - see virtgpu_sgt_cmd_wait()
 */
int virtgpu_sgt_resource_begin_use(struct virtgpu_sgt_resource *res,
				   struct virtgpu_sgt_attach *attach)
{
	int ret;

	for (;;) {
		mutex_lock(&res->lock);
		if (virtgpu_sgt_resource_is_attached(res))
			return 0;
		mutex_unlock(&res->lock);

		if (!attach)
			return -EFAULT;
		ret = res->ops->attach_prepared(attach);
		if (ret)
			return ret;
		attach = NULL;
	}
}

/**
 * virtgpu_sgt_resource_end_use() - end virtgpu_sgt_resource_begin_use()
 * @res: the resource
 */
void virtgpu_sgt_resource_end_use(struct virtgpu_sgt_resource *res)
{
	mutex_unlock(&res->lock);
}

/**
 * virtgpu_sgt_resource_settle() - update the state after CREATE and ATTACH
 * @res: the resource, CREATED
 * @create: its CREATE_2D, or NULL if the host had the resource already
 * @attach: its ATTACH_BACKING; of a blob, both are the CREATE_BLOB
 * @ret: 0 if the host has done both, else the errno of waiting for them
 *
 * An interrupted wait says nothing about the resource: its state on the host follows
 * from the status of the commands alone.
 *
 * Context: Process context. The caller holds &virtgpu_sgt_resource.lock of a VA resource.
 */
void virtgpu_sgt_resource_settle(struct virtgpu_sgt_resource *res,
				 const struct virtgpu_sgt_cmd *create,
				 const struct virtgpu_sgt_cmd *attach, int ret)
{
	if (!ret) {
		/* See virtgpu_sgt_resource_is_attached(). */
		smp_store_release(&res->state, VIRTGPU_SGT_RESOURCE_ATTACHED);
	} else if (virtgpu_sgt_cmd_has_failed(attach)) {
		WRITE_ONCE(res->entries, 0);
		/* No command about it is left in the queue: it needs no UNREF. */
		if (create && virtgpu_sgt_cmd_has_failed(create))
			WRITE_ONCE(res->state, VIRTGPU_SGT_RESOURCE_LOCAL);
	}
}

static int virtgpu_sgt_resource_make_blob(struct virtgpu_sgt_resource *res,
					  struct virtgpu_sgt_mem_entries *entries)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(res->obj->dev);
	struct virtgpu_sgt_cmd *create;
	int ret;

	create = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq, sizeof(struct virtio_gpu_ctrl_hdr));
	if (!create) {
		virtgpu_sgt_mem_entries_free(entries);
		return -ENOMEM;
	}

	WRITE_ONCE(res->state, VIRTGPU_SGT_RESOURCE_CREATED);
	WRITE_ONCE(res->entries, entries->count);
	virtgpu_sgt_prep_create_blob(create, res, entries);
	virtgpu_sgt_cmd_submit(create);
	ret = virtgpu_sgt_cmd_wait_killable(create);
	virtgpu_sgt_resource_settle(res, create, create, ret);
	virtgpu_sgt_cmd_put(create);
	return ret;
}

/**
 * virtgpu_sgt_resource_make() - create a resource on the host, and attach its memory
 * @res: the resource, LOCAL, with all fields that describe it
 * @entries: the memory; owned by this function, also after an error
 *
 * A blob takes one command. For a 2D resource, sends both commands with one
 * notification, and waits for the second first, so that one answer wakes it: the host
 * processes them in order, and refuses the second if the first fails.
 *
 * Context: Process context, not inside drm_dev_enter(): waits for the host.
 * Return:
 * * %0       - success
 * * %-EINVAL - the host rejected a parameter
 * * %-ENOMEM - out of memory, of bounce buffers, or of memory on the host
 * * %-ENODEV - the device is being removed
 * * %-EIO    - the host reported another error, or was silent for too long
 * * %-ERESTARTSYS - the task was killed
 */
int virtgpu_sgt_resource_make(struct virtgpu_sgt_resource *res,
			      struct virtgpu_sgt_mem_entries *entries)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(res->obj->dev);
	const unsigned int resp = sizeof(struct virtio_gpu_ctrl_hdr);
	struct virtgpu_sgt_cmd *create, *attach;
	int ret, attached;

	if (virtgpu_sgt_resource_is_blob(res))
		return virtgpu_sgt_resource_make_blob(res, entries);

	create = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq, resp);
	attach = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq, resp);
	if (!create || !attach) {
		virtgpu_sgt_mem_entries_free(entries);
		ret = -ENOMEM;
		goto out;
	}

	WRITE_ONCE(res->state, VIRTGPU_SGT_RESOURCE_CREATED);
	WRITE_ONCE(res->entries, entries->count);
	virtgpu_sgt_prep_create_2d(create, res);
	virtgpu_sgt_prep_attach(attach, res, entries);
	virtgpu_sgt_cmds_submit((struct virtgpu_sgt_cmd *[]){ create, attach }, 2);

	attached = virtgpu_sgt_cmd_wait_killable(attach);
	ret = virtgpu_sgt_cmd_wait_killable(create) ?: attached;
	virtgpu_sgt_resource_settle(res, create, attach, ret);
out:
	virtgpu_sgt_cmd_put(create);
	virtgpu_sgt_cmd_put(attach);
	return ret;
}

/**
 * virtgpu_sgt_resource_undo() - remove a resource without memory from the host
 * @res: the resource, CREATED; LOCAL if this succeeds
 *
 * Context: Process context, not inside drm_dev_enter(): waits for the host.
 * Return: 0, or see virtgpu_sgt_cmd_wait_killable()
 */
int virtgpu_sgt_resource_undo(struct virtgpu_sgt_resource *res)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(res->obj->dev);
	struct virtgpu_sgt_cmd *unref;
	int ret;

	unref = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq,
				      sizeof(struct virtio_gpu_ctrl_hdr));
	if (!unref)
		return -ENOMEM;

	virtgpu_sgt_prep_unref(unref, res);
	virtgpu_sgt_cmd_submit(unref);
	ret = virtgpu_sgt_cmd_wait_killable(unref);

	/* The host refuses only an unknown number: then it never created the resource. */
	if (virtgpu_sgt_cmd_is_idle(unref)) {
		WRITE_ONCE(res->state, VIRTGPU_SGT_RESOURCE_LOCAL);
		ret = 0;
	}
	virtgpu_sgt_cmd_put(unref);
	return ret;
}

/**
 * virtgpu_sgt_resource_detach_locked() - detach a resource from its memory
 * @res: the resource, CREATED or ATTACHED
 * @detach: an idle command of the control queue; submitted when this returns
 *
 * Until @detach is done, the host may read the memory.
 *
 * Context: Process context. The caller holds &virtgpu_sgt_resource.lock. Does not
 * wait for the host.
 */
void virtgpu_sgt_resource_detach_locked(struct virtgpu_sgt_resource *res,
					struct virtgpu_sgt_cmd *detach)
{
	lockdep_assert_held(&res->lock);

	WRITE_ONCE(res->state, VIRTGPU_SGT_RESOURCE_CREATED);
	WRITE_ONCE(res->entries, 0);
	virtgpu_sgt_prep_detach(detach, res);
	virtgpu_sgt_cmd_submit(detach);
}

/**
 * virtgpu_sgt_resource_release() - free a resource, and what it is part of
 * @res: the resource, which has no user left
 *
 * &virtgpu_sgt_resource_ops.free is called once the host does not have the resource,
 * now or later.
 *
 * Context: Process context, may sleep. Does not wait for the host.
 */
void virtgpu_sgt_resource_release(struct virtgpu_sgt_resource *res)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(res->obj->dev);

	if (res->state == VIRTGPU_SGT_RESOURCE_LOCAL ||
	    virtgpu_sgt_queue_is_gone(&vgdev->ctrlq)) {
		virtgpu_sgt_resource_destroy(res);
		return;
	}

	WRITE_ONCE(res->state, VIRTGPU_SGT_RESOURCE_UNREF);
	virtgpu_sgt_prep_unref(res->unref, res);
	virtgpu_sgt_cmd_submit(res->unref);
}

/**
 * virtgpu_sgt_resource_offset() - the offset of a rectangle in the memory
 * @res: the resource
 * @rect: part of it
 *
 * Return: offset of the upper left pixel, in bytes
 */
u64 virtgpu_sgt_resource_offset(const struct virtgpu_sgt_resource *res,
				const struct drm_rect *rect)
{
	return ((u64)rect->y1 * res->width + rect->x1) * sizeof(u32);
}

/**
 * virtgpu_sgt_resource_sync_locked() - sync pixels before the host reads them
 * @res: the resource
 * @rect: the pixels
 * @offset: offset of the first pixel in memory
 *
 * Context: Process context. The caller holds &virtgpu_sgt_resource.lock.
 * Return:
 * * %0       - success
 * * see drm_sgt_sync_for_device()
 * * %-EFAULT - a VA resource that is detached
 */
int virtgpu_sgt_resource_sync_locked(struct virtgpu_sgt_resource *res,
				     const struct drm_rect *rect, u64 offset)
{
	u64 pixels = (u64)(drm_rect_height(rect) - 1) * res->width +
		     drm_rect_width(rect);

	lockdep_assert_held(&res->lock);

	if (!virtgpu_sgt_resource_is_attached(res))
		return -EFAULT;
	return res->ops->sync(res, offset, pixels * sizeof(u32));
}

/**
 * virtgpu_sgt_resource_transfer_locked() - sync pixels for a transfer to the host
 * @res: the resource
 * @cmd: an idle command of the control queue, which the caller submits before it drops
 *	the lock; filled if this succeeds
 * @rect: the pixels
 * @offset: offset of the first pixel in memory
 *
 * Context: Process context. The caller holds &virtgpu_sgt_resource.lock. Does not
 * wait for the host.
 * Return: 0, or see virtgpu_sgt_resource_sync_locked()
 */
int virtgpu_sgt_resource_transfer_locked(struct virtgpu_sgt_resource *res,
					 struct virtgpu_sgt_cmd *cmd,
					 const struct drm_rect *rect, u64 offset)
{
	int ret;

	lockdep_assert_held(&res->lock);

	ret = virtgpu_sgt_resource_sync_locked(res, rect, offset);
	if (ret)
		return ret;

	virtgpu_sgt_prep_transfer(cmd, res, rect, offset);
	return 0;
}
