// SPDX-License-Identifier: GPL-2.0

#include <linux/container_of.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/virtio_gpu.h>

#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_print.h>
#include <drm/drm_sgt.h>

#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_fb_blob.h"
#include "virtgpu_sgt_fb_resource.h"
#include "virtgpu_sgt_mem_entries.h"
#include "virtgpu_sgt_reclaim.h"
#include "virtgpu_sgt_resource.h"

/* The resource of one framebuffer. */
struct virtgpu_sgt_fb_resource {
	struct virtgpu_sgt_resource res;
	/* of the first pixel in the buffer, in bytes */
	u32 offset;
	/* part of &virtgpu_sgt_bo.fb_memory; 0 if it is not counted */
	u64 bytes;
	/* the buffer is in use for it */
	bool uses;
};

static struct virtgpu_sgt_fb_resource *
to_virtgpu_sgt_fb_resource(struct virtgpu_sgt_resource *res)
{
	return container_of(res, struct virtgpu_sgt_fb_resource, res);
}

static int virtgpu_sgt_fb_resource_sync(struct virtgpu_sgt_resource *res, u64 offset,
					u64 len)
{
	return drm_sgt_sync_for_device(to_virtgpu_sgt_bo(res->obj)->base.sgt,
				       to_virtgpu_sgt_fb_resource(res)->offset + offset,
				       len);
}

static void virtgpu_sgt_fb_resource_free(struct virtgpu_sgt_resource *res)
{
	if (to_virtgpu_sgt_fb_resource(res)->uses)
		virtgpu_sgt_bo_end_use(to_virtgpu_sgt_bo(res->obj));
	drm_gem_object_put(res->obj);
	kfree(to_virtgpu_sgt_fb_resource(res));
}

static const struct virtgpu_sgt_resource_ops virtgpu_sgt_fb_resource_ops = {
	.sync = virtgpu_sgt_fb_resource_sync,
	.free = virtgpu_sgt_fb_resource_free,
};

/**
 * virtgpu_sgt_fb_can_be_resource() - can a resource be created for a framebuffer?
 * @fb: framebuffer of a buffer
 *
 * Return: whether a 2D resource can be shown as @fb
 */
bool virtgpu_sgt_fb_can_be_resource(const struct drm_framebuffer *fb)
{
	return fb->pitches[0] % sizeof(u32) == 0 && fb->offsets[0] % sizeof(u32) == 0 &&
	       virtgpu_sgt_resource_is_possible(virtgpu_sgt_format(fb->format->format),
						fb->pitches[0] / sizeof(u32), fb->height);
}

/**
 * virtgpu_sgt_fb_size() - the memory of a framebuffer
 * @fb: framebuffer for which a resource can be created
 *
 * Return: bytes from the first to the last pixel
 */
u64 virtgpu_sgt_fb_size(const struct drm_framebuffer *fb)
{
	return (u64)(fb->height - 1) * fb->pitches[0] + fb->width * sizeof(u32);
}

/* Count what the host will allocate or map. -ENOSPC if it is too much for one buffer. */
static int virtgpu_sgt_fb_resource_enter(struct virtgpu_sgt_fb_resource *fb_res)
{
	u64 bytes = virtgpu_sgt_resource_size(&fb_res->res);
	struct virtgpu_sgt_bo *bo = to_virtgpu_sgt_bo(fb_res->res.obj);
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(fb_res->res.obj->dev);
	bool fits;

	spin_lock(&vgdev->resource_lock);
	fits = bo->fb_memory->bytes + bytes <= VIRTIO_GPU_MAX_SCANOUTS * (u64)bo->base.base.size;
	if (fits) {
		bo->fb_memory->bytes += bytes;
		fb_res->bytes = bytes;
	}
	spin_unlock(&vgdev->resource_lock);

	if (fits)
		return 0;
	drm_dbg_kms(vgdev->drm, "too many framebuffers of a buffer of %zu bytes\n",
		    bo->base.base.size);
	return -ENOSPC;
}

/**
 * virtgpu_sgt_fb_resource_destroy() - free the resource of a framebuffer
 * @res: from virtgpu_sgt_fb_resource_create(); the caller has a reference to its buffer
 *
 * What the host has for it is free for others when this returns, not when the UNREF is
 * answered: the host executes that before the CREATE of another framebuffer.
 *
 * Context: Process context, may sleep. Does not wait for the host.
 */
void virtgpu_sgt_fb_resource_destroy(struct virtgpu_sgt_resource *res)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(res->obj->dev);
	struct virtgpu_sgt_bo *bo = to_virtgpu_sgt_bo(res->obj);
	u64 bytes = to_virtgpu_sgt_fb_resource(res)->bytes;
	bool is_blob = virtgpu_sgt_resource_is_blob(res);

	virtgpu_sgt_resource_release(res);

	spin_lock(&vgdev->resource_lock);
	bo->fb_memory->bytes -= bytes;
	spin_unlock(&vgdev->resource_lock);
	if (is_blob)
		virtgpu_sgt_fb_blob_leave(vgdev);
}

static struct virtgpu_sgt_fb_resource *
virtgpu_sgt_fb_resource_alloc(const struct drm_framebuffer *fb)
{
	struct virtgpu_sgt_fb_resource *fb_res;

	fb_res = kzalloc(sizeof(*fb_res), GFP_KERNEL_ACCOUNT);
	if (!fb_res)
		return NULL;

	drm_gem_object_get(fb->obj[0]);
	virtgpu_sgt_resource_init(&fb_res->res, fb->obj[0], &virtgpu_sgt_fb_resource_ops);
	fb_res->res.format = virtgpu_sgt_format(fb->format->format);
	fb_res->res.width = fb->pitches[0] / sizeof(u32);
	fb_res->res.height = fb->height;
	fb_res->offset = fb->offsets[0];
	return fb_res;
}

/* Returns 0 and leaves the resource LOCAL if it has to be a 2D resource. */
static int virtgpu_sgt_fb_resource_try_blob(struct virtgpu_sgt_resource *res,
					    const struct drm_framebuffer *fb)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(fb->dev);
	struct virtgpu_sgt_mem_entries *entries;
	int ret;

	entries = virtgpu_sgt_fb_blob_begin(res, fb);
	if (IS_ERR_OR_NULL(entries))
		return PTR_ERR_OR_ZERO(entries);

	ret = virtgpu_sgt_resource_make(res, entries);
	if (res->state != VIRTGPU_SGT_RESOURCE_LOCAL)
		return ret;
	drm_dbg_kms(fb->dev, "no blob of %llu bytes: %pe\n", res->blob.size, ERR_PTR(ret));
	res->blob = (struct virtgpu_sgt_blob) {};
	virtgpu_sgt_fb_blob_leave(vgdev);
	return 0;
}

static int virtgpu_sgt_fb_resource_make(struct virtgpu_sgt_fb_resource *fb_res,
					const struct drm_framebuffer *fb)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(fb->dev);
	struct virtgpu_sgt_mem_entries *entries;
	int ret;

	ret = virtgpu_sgt_resource_reserve(&fb_res->res) ?:
	      virtgpu_sgt_fb_resource_try_blob(&fb_res->res, fb);
	if (ret || fb_res->res.state != VIRTGPU_SGT_RESOURCE_LOCAL)
		return ret;

	entries = virtgpu_sgt_mem_entries_of_table(vgdev->drm,
						   to_virtgpu_sgt_bo(fb->obj[0])->base.sgt,
						   fb_res->offset, virtgpu_sgt_fb_size(fb), 0,
						   virtgpu_sgt_queue_max_payload(&vgdev->ctrlq));
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	return virtgpu_sgt_resource_make(&fb_res->res, entries);
}

/**
 * virtgpu_sgt_fb_resource_create() - create the resource of a framebuffer
 * @fb: framebuffer of a buffer, all of whose lines are inside
 *
 * Populates and maps the buffer.
 *
 * Ownership: the caller frees the resource with virtgpu_sgt_fb_resource_destroy(). Until
 * the host has answered its UNREF, it holds a reference to the GEM object.
 *
 * Context: Process context, not inside drm_dev_enter(): waits for the host.
 * Return:
 * * the resource, ATTACHED, or an ERR_PTR() of an errno below
 * * %-EINVAL - pitch or offset are not multiples of 4 bytes, the pitch is larger
 *   than 65536 bytes, or the height than 16384
 * * %-ENOSPC - the framebuffers of the buffer take too much memory of the host, or all
 *   numbers are in use
 * * %-E2BIG  - more mem entries than the host accepts or the queue can carry
 * * others   - see virtgpu_sgt_bo_begin_use() and virtgpu_sgt_resource_make()
 */
struct virtgpu_sgt_resource *
virtgpu_sgt_fb_resource_create(const struct drm_framebuffer *fb)
{
	struct virtgpu_sgt_bo *bo = to_virtgpu_sgt_bo(fb->obj[0]);
	struct virtgpu_sgt_fb_resource *fb_res;
	int ret;

	if (!virtgpu_sgt_fb_can_be_resource(fb)) {
		drm_dbg_kms(fb->dev, "no resource for %ux%u, %p4cc, pitch %u, at %u\n",
			    fb->width, fb->height, &fb->format->format,
			    fb->pitches[0], fb->offsets[0]);
		return ERR_PTR(-EINVAL);
	}

	ret = virtgpu_sgt_device_error(to_virtgpu_sgt(fb->dev));
	if (ret)
		return ERR_PTR(ret);

	fb_res = virtgpu_sgt_fb_resource_alloc(fb);
	if (!fb_res)
		return ERR_PTR(-ENOMEM);

	ret = virtgpu_sgt_fb_resource_enter(fb_res) ?: virtgpu_sgt_bo_begin_use(bo);
	if (!ret) {
		fb_res->uses = true;
		ret = virtgpu_sgt_fb_resource_make(fb_res, fb);
	}
	if (ret) {
		virtgpu_sgt_fb_resource_destroy(&fb_res->res);
		return ERR_PTR(ret);
	}
	return &fb_res->res;
}
