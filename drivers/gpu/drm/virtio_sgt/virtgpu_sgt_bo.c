// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_print.h>
#include <drm/drm_rect.h>

#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_drv.h"
#include "virtgpu_sgt_entries.h"

/**
 * DOC: life of a buffer
 *
 * A buffer is a GEM object of the helper layer, which owns pages, table and
 * DMA mapping, and a 2D resource on the host that is backed by these pages
 * (VIRTIO 1.2, 5.7.6.1). The two are made and freed together.
 *
 * ::
 *
 *            CREATE_2D          ATTACH_BACKING       last reference
 *            submitted          answered             gone
 *   LOCAL --------------> CREATED ----------> ATTACHED ------> UNREF --> freed
 *     ^                    |    |                                ^  answered,
 *     +--- host refuses ---+    +---- attach fails, or killed ---+  or reset
 *
 * Creating waits for the host, so that its answer is the errno of the ioctl.
 * Format, width and height are fixed then. So is the list of memory entries:
 * the pages do not move while the object lives.
 *
 * Freeing does not wait. The UNREF was allocated together with the buffer; when
 * it is done, the number of the resource, the mapping and the pages are freed,
 * in this order. Until the host has answered, it may read the pages.
 *
 * That is done by a work item of its own. The one that takes the responses
 * wakes commits, whose out-fences others wait for, while the end of an import
 * takes the resv of its exporter, which those others may hold.
 *
 * An import is the exception: what kind of picture somebody else's dma-buf has
 * is known only when a framebuffer is made of it. It is LOCAL until then. The
 * first framebuffer fixes format, width and height, until the import is freed.
 * If making the resource was given up half way, the next framebuffer has it
 * undone by an UNREF, and tries again.
 *
 * An unbind sends no UNREF for buffers that are still in use: the reset of the
 * device is what makes the host forget them. What has been queued is completed
 * after the reset, and a buffer that is freed later is freed on the spot.
 */

/**
 * DOC: caches
 *
 * The mapping of a buffer syncs nothing by itself. Before a TRANSFER_TO_HOST
 * the driver syncs the bytes from the first to the last pixel that the host
 * will read, and no others: behind a bounce buffer each of them is a copy.
 * Nothing is ever synced in the other direction, since the host never writes
 * into the backing of a 2D resource.
 */

/* drm_gem_sgt_free() frees the memory through its own pointer. */
static_assert(offsetof(struct virtgpu_sgt_bo, base) == 0);

/**
 * virtgpu_sgt_format_is_known() - is this a format of 2D resources?
 * @format: number from userspace
 *
 * Return: whether the specification knows it; if so, a pixel has four bytes
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
 * virtgpu_sgt_format() - the format of a resource for a format of DRM
 * @fourcc: DRM_FORMAT_*, names bits from the highest down
 *
 * Return: VIRTIO_GPU_FORMAT_*, names bytes from the lowest up; 0 if none fits
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
 * virtgpu_sgt_format_shows() - will these pixels have the right colours?
 * @format: format of the resource
 * @fourcc: DRM_FORMAT_* of the framebuffer
 *
 * Alpha does not matter: a dumb buffer is made without knowing whether it will
 * be a picture or a cursor, and the host copies all four bytes in any case.
 *
 * Return: whether they are in the same order
 */
bool virtgpu_sgt_format_shows(u32 format, u32 fourcc)
{
	return virtgpu_sgt_format_opaque(format) ==
	       virtgpu_sgt_format_opaque(virtgpu_sgt_format(fourcc));
}

/**
 * virtgpu_sgt_bo_offset() - where in the memory of a buffer a pixel is
 * @bo: the buffer
 * @rect: the pixel is its upper left one
 *
 * Return: bytes from the start
 */
u64 virtgpu_sgt_bo_offset(const struct virtgpu_sgt_bo *bo,
			  const struct drm_rect *rect)
{
	return ((u64)rect->y1 * bo->width + rect->x1) * sizeof(u32);
}

/**
 * virtgpu_sgt_bo_sync() - let the host see what the CPU has drawn
 * @bo: the buffer
 * @rect: how much of it
 * @offset: where its first pixel is in memory
 *
 * Context: Process context.
 * Return: see drm_sgt_sync_for_device()
 */
int virtgpu_sgt_bo_sync(struct virtgpu_sgt_bo *bo, const struct drm_rect *rect,
			u64 offset)
{
	u64 pixels = (u64)(drm_rect_height(rect) - 1) * bo->width +
		     drm_rect_width(rect);

	return drm_sgt_sync_for_device(bo->base.sgt, offset,
				       pixels * sizeof(u32));
}

static void virtgpu_sgt_bo_publish(struct virtgpu_sgt_device *vgdev,
				   struct virtgpu_sgt_bo *bo)
{
	spin_lock(&vgdev->bo_lock);
	list_add_tail(&bo->node, &vgdev->bos);
	vgdev->num_bos++;
	spin_unlock(&vgdev->bo_lock);
}

static void virtgpu_sgt_bo_withdraw(struct virtgpu_sgt_device *vgdev,
				    struct virtgpu_sgt_bo *bo)
{
	spin_lock(&vgdev->bo_lock);
	if (!list_empty(&bo->node)) {
		list_del_init(&bo->node);
		vgdev->num_bos--;
	}
	spin_unlock(&vgdev->bo_lock);
}

/* The host has no use for the buffer any more, or never had. */
static void virtgpu_sgt_bo_destroy(struct virtgpu_sgt_bo *bo)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(bo->base.base.dev);

	virtgpu_sgt_bo_withdraw(vgdev, bo);
	if (bo->res_id)
		ida_free(&vgdev->res_ids, bo->res_id);
	virtgpu_sgt_cmd_put(bo->unref);
	drm_gem_sgt_free(&bo->base);
}

static void virtgpu_sgt_bo_unref_done(struct virtgpu_sgt_cmd *cmd, int status)
{
	struct virtgpu_sgt_bo *bo = cmd->priv;
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(bo->base.base.dev);

	/* There is nobody else to tell. */
	if (status && status != -ENODEV)
		drm_err_ratelimited(vgdev->drm,
				    "the host does not let go of resource %u: %pe\n",
				    bo->res_id, ERR_PTR(status));

	/* Whoever had the last file or reference need not wait for it. */
	drm_dev_get(vgdev->drm);
	atomic_inc(&vgdev->freeing);
	queue_work(virtgpu_sgt_free_wq, &bo->free_work);
}

static void virtgpu_sgt_bo_free_work(struct work_struct *work)
{
	struct virtgpu_sgt_bo *bo = container_of(work, struct virtgpu_sgt_bo,
						 free_work);
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(bo->base.base.dev);

	virtgpu_sgt_bo_destroy(bo);
	if (atomic_dec_and_test(&vgdev->freeing))
		wake_up_all(&vgdev->freed);
	drm_dev_put(vgdev->drm);
}

static void virtgpu_sgt_bo_free(struct drm_gem_object *obj)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(obj->dev);
	struct virtgpu_sgt_bo *bo = to_virtgpu_sgt_bo(obj);

	if (bo->state == VIRTGPU_SGT_BO_LOCAL ||
	    virtgpu_sgt_queue_is_gone(&vgdev->ctrlq)) {
		virtgpu_sgt_bo_destroy(bo);
		return;
	}

	WRITE_ONCE(bo->state, VIRTGPU_SGT_BO_UNREF);
	virtgpu_sgt_prep_unref(bo->unref, bo);
	virtgpu_sgt_cmd_submit(bo->unref);
}

static const struct drm_gem_object_funcs virtgpu_sgt_gem_funcs = {
	.free = virtgpu_sgt_bo_free,
	.export = drm_gem_sgt_prime_export,
	.print_info = drm_gem_sgt_object_print_info,
	.pin = drm_gem_sgt_object_pin,
	.unpin = drm_gem_sgt_object_unpin,
	.get_sg_table = drm_gem_sgt_object_get_sg_table,
	.vmap = drm_gem_sgt_object_vmap,
	.vunmap = drm_gem_sgt_object_vunmap,
	.mmap = drm_gem_sgt_object_mmap,
	.vm_ops = &drm_gem_sgt_vm_ops,
};

/**
 * virtgpu_sgt_gem_create_object() - &drm_driver.gem_create_object
 * @drm: DRM device
 * @size: bytes, not used
 *
 * Return: the GEM object of an empty buffer, or an ERR_PTR()
 */
struct drm_gem_object *virtgpu_sgt_gem_create_object(struct drm_device *drm,
						     size_t size)
{
	struct virtgpu_sgt_bo *bo;

	bo = kzalloc(sizeof(*bo), GFP_KERNEL);
	if (!bo)
		return ERR_PTR(-ENOMEM);

	INIT_LIST_HEAD(&bo->node);
	INIT_WORK(&bo->free_work, virtgpu_sgt_bo_free_work);
	bo->base.base.funcs = &virtgpu_sgt_gem_funcs;
	return &bo->base.base;
}

/*
 * Send both commands before waiting for either: the host works on them one
 * after the other, and refuses the second if the first fails. The commands
 * become the caller's to put; they may still be in the queue when this fails.
 *
 * A wait that was given up says nothing about the resource: what the host will
 * know of it follows from the outcome of the commands alone.
 */
static int virtgpu_sgt_bo_submit(struct virtgpu_sgt_bo *bo,
				 struct virtgpu_sgt_cmd *create,
				 struct virtgpu_sgt_cmd *attach)
{
	int created, attached;

	WRITE_ONCE(bo->state, VIRTGPU_SGT_BO_CREATED);
	virtgpu_sgt_cmd_submit(create);
	virtgpu_sgt_cmd_submit(attach);
	created = virtgpu_sgt_cmd_wait_killable(create);
	attached = virtgpu_sgt_cmd_wait_killable(attach);

	/* Refused, and nothing about it is on its way: no UNREF is needed. */
	if (virtgpu_sgt_cmd_has_failed(create) &&
	    virtgpu_sgt_cmd_is_idle(attach))
		WRITE_ONCE(bo->state, VIRTGPU_SGT_BO_LOCAL);
	else if (!created && !attached)
		/* With all that describes it; see virtgpu_sgt_bo_is_attached(). */
		smp_store_release(&bo->state, VIRTGPU_SGT_BO_ATTACHED);

	return created ?: attached;
}

/* Make the resource, and give it the pages of @bo. */
static int virtgpu_sgt_bo_make_resource(struct virtgpu_sgt_device *vgdev,
					struct virtgpu_sgt_bo *bo)
{
	struct virtgpu_sgt_queue *q = &vgdev->ctrlq;
	struct virtgpu_sgt_cmd *create, *attach;
	struct virtgpu_sgt_entries *entries;
	int ret = -ENOMEM;

	create = virtgpu_sgt_cmd_alloc(q, sizeof(struct virtio_gpu_ctrl_hdr));
	attach = virtgpu_sgt_cmd_alloc(q, sizeof(struct virtio_gpu_ctrl_hdr));
	if (!create || !attach)
		goto out;

	entries = virtgpu_sgt_entries_build(vgdev->drm, bo->base.sgt,
					    array3_size(bo->width, bo->height,
							sizeof(u32)),
					    virtgpu_sgt_queue_max_payload(q));
	if (IS_ERR(entries)) {
		ret = PTR_ERR(entries);
		goto out;
	}

	bo->entries = entries->count;
	virtgpu_sgt_prep_create_2d(create, bo);
	virtgpu_sgt_prep_attach(attach, bo, entries);
	ret = virtgpu_sgt_bo_submit(bo, create, attach);
out:
	virtgpu_sgt_cmd_put(create);
	virtgpu_sgt_cmd_put(attach);
	return ret;
}

static struct virtgpu_sgt_cmd *
virtgpu_sgt_bo_alloc_unref(struct virtgpu_sgt_device *vgdev)
{
	struct virtgpu_sgt_cmd *unref;

	unref = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq,
				      sizeof(struct virtio_gpu_ctrl_hdr));
	if (unref)
		unref->must_arrive = true;
	return unref;
}

/* What it takes to have a resource; freed with the buffer. */
static int virtgpu_sgt_bo_reserve(struct virtgpu_sgt_device *vgdev,
				  struct virtgpu_sgt_bo *bo)
{
	int ret;

	if (!bo->unref) {
		bo->unref = virtgpu_sgt_bo_alloc_unref(vgdev);
		if (!bo->unref)
			return -ENOMEM;
		bo->unref->done = virtgpu_sgt_bo_unref_done;
		bo->unref->priv = bo;
	}

	if (!bo->res_id) {
		ret = ida_alloc_min(&vgdev->res_ids, 1, GFP_KERNEL);
		if (ret < 0)
			return ret;
		bo->res_id = ret;
		virtgpu_sgt_bo_publish(vgdev, bo);
	}
	return 0;
}

/**
 * virtgpu_sgt_bo_create() - make a buffer and its resource on the host
 * @vgdev: device
 * @params: what it shall be
 *
 * Waits for the host. The buffer is complete when this returns: it has all its
 * pages, is mapped, and the host knows where they are.
 *
 * Context: Process context, not inside drm_dev_enter(): waits for the host.
 * Return: the buffer, with one reference of its GEM object for the caller, or
 * an ERR_PTR():
 *
 * * %-EINVAL - @params.size is less than width and height need, or the host
 *   does not like one of them
 * * %-E2BIG  - the pages lie too scattered for the host, or for its queue
 * * %-ENOMEM - out of memory here, in the bounce buffers, or on the host
 * * %-ENOSPC, %-ENFILE - see drm_gem_sgt_create()
 * * %-ENODEV - the device goes away
 * * %-EIO    - the host has another problem
 * * %-ERESTARTSYS - the caller was killed
 */
struct virtgpu_sgt_bo *
virtgpu_sgt_bo_create(struct virtgpu_sgt_device *vgdev,
		      const struct virtgpu_sgt_bo_params *params)
{
	struct drm_gem_sgt_object *base;
	struct virtgpu_sgt_bo *bo;
	int ret;

	if (virtgpu_sgt_is_dead(vgdev))
		return ERR_PTR(-ENODEV);

	base = drm_gem_sgt_create(vgdev->drm, vgdev->sdev, params->size);
	if (IS_ERR(base))
		return ERR_CAST(base);
	bo = container_of(base, struct virtgpu_sgt_bo, base);
	bo->format = params->format;
	bo->width = params->width;
	bo->height = params->height;

	ret = drm_gem_sgt_map(base);
	if (ret)
		goto err_put;

	ret = virtgpu_sgt_bo_reserve(vgdev, bo);
	if (ret)
		goto err_put;

	ret = virtgpu_sgt_bo_make_resource(vgdev, bo);
	if (ret)
		goto err_put;
	return bo;

err_put:
	drm_gem_object_put(&base->base);
	return ERR_PTR(ret);
}

/**
 * virtgpu_sgt_prime_import() - &drm_driver.gem_prime_import
 * @drm: DRM device
 * @dma_buf: of whomever
 *
 * Context: Process context.
 * Return: the GEM object, or an ERR_PTR(): see drm_gem_sgt_prime_import()
 */
struct drm_gem_object *virtgpu_sgt_prime_import(struct drm_device *drm,
						struct dma_buf *dma_buf)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(drm);

	if (virtgpu_sgt_is_dead(vgdev))
		return ERR_PTR(-ENODEV);

	/* The host never writes into the backing of a 2D resource. */
	return drm_gem_sgt_prime_import(drm, vgdev->sdev, dma_buf,
					DMA_TO_DEVICE);
}

static bool virtgpu_sgt_fb_can_be_resource(const struct drm_framebuffer *fb)
{
	return virtgpu_sgt_format(fb->format->format) && !fb->offsets[0] &&
	       fb->pitches[0] % sizeof(u32) == 0 &&
	       fb->pitches[0] / sizeof(u32) <= VIRTGPU_SGT_MAX_RESOURCE &&
	       fb->height <= VIRTGPU_SGT_MAX_RESOURCE;
}

/* Have the host forget a resource that somebody failed to make. */
static int virtgpu_sgt_bo_undo_resource(struct virtgpu_sgt_device *vgdev,
					struct virtgpu_sgt_bo *bo)
{
	struct virtgpu_sgt_cmd *unref;
	int ret;

	unref = virtgpu_sgt_bo_alloc_unref(vgdev);
	if (!unref)
		return -ENOMEM;

	virtgpu_sgt_prep_unref(unref, bo);
	virtgpu_sgt_cmd_submit(unref);
	ret = virtgpu_sgt_cmd_wait_killable(unref);

	/* The host refuses only what it does not have: it may never have had it. */
	if (virtgpu_sgt_cmd_is_idle(unref)) {
		WRITE_ONCE(bo->state, VIRTGPU_SGT_BO_LOCAL);
		ret = 0;
	}
	virtgpu_sgt_cmd_put(unref);
	return ret;
}

static int virtgpu_sgt_bo_complete_locked(struct virtgpu_sgt_device *vgdev,
					  struct virtgpu_sgt_bo *bo,
					  const struct drm_framebuffer *fb)
{
	int ret = 0;

	lockdep_assert_held(&vgdev->import_lock);

	if (bo->state == VIRTGPU_SGT_BO_CREATED)
		ret = virtgpu_sgt_bo_undo_resource(vgdev, bo);
	if (ret || bo->state != VIRTGPU_SGT_BO_LOCAL)
		return ret;

	bo->format = virtgpu_sgt_format(fb->format->format);
	bo->width = fb->pitches[0] / sizeof(u32);
	bo->height = fb->height;
	ret = virtgpu_sgt_bo_reserve(vgdev, bo);
	if (ret)
		return ret;

	return virtgpu_sgt_bo_make_resource(vgdev, bo);
}

/**
 * virtgpu_sgt_bo_complete() - make the resource of an import
 * @bo: a buffer
 * @fb: a framebuffer of it
 *
 * Nothing happens if there is one, or if @fb is nothing to make one of: for the
 * caller to check then.
 *
 * Context: Process context, not inside drm_dev_enter(): waits for the host.
 * Return: 0 or a negative errno: see virtgpu_sgt_bo_create(), or:
 *
 * * %-EINTR - interrupted while somebody else did the same
 */
int virtgpu_sgt_bo_complete(struct virtgpu_sgt_bo *bo,
			    const struct drm_framebuffer *fb)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(fb->dev);
	int ret;

	if (!drm_gem_sgt_is_import(&bo->base) ||
	    !virtgpu_sgt_fb_can_be_resource(fb))
		return 0;

	ret = mutex_lock_interruptible(&vgdev->import_lock);
	if (ret)
		return ret;

	ret = virtgpu_sgt_bo_complete_locked(vgdev, bo, fb);
	mutex_unlock(&vgdev->import_lock);
	return ret;
}

/**
 * virtgpu_sgt_dumb_create() - &drm_driver.dumb_create
 * @file: who will have the handle
 * @drm: DRM device
 * @args: see struct drm_mode_create_dumb
 *
 * Context: Process context.
 * Return:
 * * %0       - done
 * * %-EINVAL - not 32 bits per pixel, or what drm_gem_sgt_dumb_args() says
 * * %-ENODEV - the device goes away
 * * others   - see virtgpu_sgt_bo_create() and drm_gem_handle_create()
 */
int virtgpu_sgt_dumb_create(struct drm_file *file, struct drm_device *drm,
			    struct drm_mode_create_dumb *args)
{
	struct virtgpu_sgt_bo_params params = {
		.format = virtgpu_sgt_format(DRM_FORMAT_HOST_XRGB8888),
	};
	struct virtgpu_sgt_bo *bo;
	int ret;

	if (args->bpp != 32)
		return -EINVAL;

	ret = drm_gem_sgt_dumb_args(drm, args);
	if (ret)
		return ret;
	params.size = args->size;
	params.width = args->pitch / sizeof(u32);
	params.height = args->height;

	bo = virtgpu_sgt_bo_create(to_virtgpu_sgt(drm), &params);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	/* The handle has a reference of its own, ours is not needed. */
	ret = drm_gem_handle_create(file, &bo->base.base, &args->handle);
	drm_gem_object_put(&bo->base.base);
	return ret;
}
