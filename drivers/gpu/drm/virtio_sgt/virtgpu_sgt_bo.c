// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/idr.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/stddef.h>

#include <drm/drm_file.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_print.h>

#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_fb_memory.h"
#include "virtgpu_sgt_mem_entries.h"
#include "virtgpu_sgt_reclaim.h"

/**
 * DOC: life of a buffer
 *
 * A buffer is a GEM object of the helper layer. To create one takes neither pages nor
 * a command to the host. Pages come with the first use by the CPU, and the DMA mapping
 * with the first use by the host: a framebuffer, a transfer, or a VM_BIND. As long as
 * the host may read the pages, they stay. The shrinker of the helper layer can swap those
 * of any other buffer: see "buffers that are not in use". After unbind, there are no others.
 *
 * What the host shows is a resource. Each framebuffer of a buffer has one of its own,
 * with the geometry of the framebuffer, and backed by its part of the buffer: see
 * "framebuffers". RESOURCE_CREATE makes one for the whole buffer at once. A dumb buffer
 * gets one with the first TRANSFER_TO_HOST, if there is any. An import has none, as
 * the format and the size of a dma-buf are not known.
 *
 * If creating the resource was interrupted, the next transfer undoes it by an UNREF,
 * and tries again.
 */

/**
 * DOC: cache maintenance
 *
 * Mapping a buffer does not sync it. Before a TRANSFER_TO_HOST the driver syncs
 * the bytes from the first to the last pixel that the host will read, and no
 * others: with a bounce buffer, a sync copies the bytes. The other direction is
 * never synced, since the host does not write to the backing of a 2D resource.
 */

/* drm_gem_sgt_free() frees the memory through its own pointer. */
static_assert(offsetof(struct virtgpu_sgt_bo, base) == 0);

static struct virtgpu_sgt_resource *virtgpu_sgt_bo_resource(struct drm_gem_object *obj)
{
	return &to_virtgpu_sgt_bo(obj)->res;
}

static struct virtgpu_sgt_bo *
virtgpu_sgt_resource_bo(struct virtgpu_sgt_resource *res)
{
	return container_of(res, struct virtgpu_sgt_bo, res);
}

/* Create the resource, backed by all pages of @bo, which is mapped. */
static int virtgpu_sgt_bo_make_resource(struct virtgpu_sgt_device *vgdev,
					struct virtgpu_sgt_bo *bo)
{
	struct virtgpu_sgt_resource *res = &bo->res;
	struct virtgpu_sgt_mem_entries *entries;
	int ret;

	ret = virtgpu_sgt_resource_reserve(res);
	if (ret)
		return ret;

	entries = virtgpu_sgt_mem_entries_of_table(vgdev->drm, bo->base.sgt, 0,
						   drm_sgt_size(bo->base.sgt), 0,
						   virtgpu_sgt_queue_max_payload(&vgdev->ctrlq));
	if (IS_ERR(entries))
		return PTR_ERR(entries);

	return virtgpu_sgt_resource_make(res, entries);
}

static int virtgpu_sgt_bo_attach_locked(struct virtgpu_sgt_device *vgdev,
					struct virtgpu_sgt_bo *bo)
{
	int ret;

	lockdep_assert_held(&vgdev->make_lock);

	if (bo->res.state == VIRTGPU_SGT_RESOURCE_CREATED) {
		ret = virtgpu_sgt_resource_undo(&bo->res);
		if (ret)
			return ret;
	}
	if (bo->res.state != VIRTGPU_SGT_RESOURCE_LOCAL)
		return 0;
	return virtgpu_sgt_bo_make_resource(vgdev, bo);
}

/*
 * The use of the caller becomes that of the resource, if it has none yet, and if the host may
 * have its memory.
 */
static void virtgpu_sgt_bo_keep_use_locked(struct virtgpu_sgt_device *vgdev,
					   struct virtgpu_sgt_bo *bo)
{
	bool used;

	lockdep_assert_held(&vgdev->make_lock);

	used = bo->res.state != VIRTGPU_SGT_RESOURCE_LOCAL && bo->res.entries;
	if (!used || bo->res_uses)
		virtgpu_sgt_bo_end_use(bo);
	if (!used && bo->res_uses)
		virtgpu_sgt_bo_end_use(bo);
	bo->res_uses = used;
}

static int virtgpu_sgt_bo_attach(struct virtgpu_sgt_resource *res)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(res->obj->dev);
	struct virtgpu_sgt_bo *bo = virtgpu_sgt_resource_bo(res);
	int ret;

	if (virtgpu_sgt_resource_is_attached(res))
		return 0;
	if (!virtgpu_sgt_resource_is_possible(res->format, res->width, res->height)) {
		drm_dbg_driver(vgdev->drm, "no resource for a buffer of %ux%u\n",
			       res->width, res->height);
		return -EINVAL;
	}

	/* Map before the lock: to bring the pages can take long, and may reclaim others. */
	ret = virtgpu_sgt_device_error(vgdev) ?: virtgpu_sgt_bo_begin_use(bo);
	if (ret)
		return ret;
	ret = mutex_lock_interruptible(&vgdev->make_lock);
	if (ret) {
		virtgpu_sgt_bo_end_use(bo);
		return ret;
	}

	ret = virtgpu_sgt_bo_attach_locked(vgdev, bo);
	virtgpu_sgt_bo_keep_use_locked(vgdev, bo);
	mutex_unlock(&vgdev->make_lock);
	return ret;
}

static int virtgpu_sgt_bo_sync(struct virtgpu_sgt_resource *res, u64 offset,
			       u64 len)
{
	return drm_sgt_sync_for_device(virtgpu_sgt_resource_bo(res)->base.sgt,
				       offset, len);
}

static void virtgpu_sgt_bo_destroy(struct virtgpu_sgt_resource *res)
{
	struct virtgpu_sgt_bo *bo = virtgpu_sgt_resource_bo(res);

	/* Before the reference to the dma-buf is dropped */
	if (bo->fb_memory != &bo->own_fb_memory)
		virtgpu_sgt_fb_memory_put(to_virtgpu_sgt(res->obj->dev), bo->fb_memory);
	drm_gem_sgt_free(&bo->base);
}

static void virtgpu_sgt_bo_free(struct drm_gem_object *obj)
{
	virtgpu_sgt_resource_release(&to_virtgpu_sgt_bo(obj)->res);
}

/* See virtgpu_sgt_is_bo(). */
const struct virtgpu_sgt_resource_ops virtgpu_sgt_bo_ops = {
	.gem = {
		.free = virtgpu_sgt_bo_free,
		.export = drm_gem_sgt_prime_export,
		.print_info = drm_gem_sgt_object_print_info,
		.pin = drm_gem_sgt_object_pin,
		.unpin = drm_gem_sgt_object_unpin,
		.get_sg_table = drm_gem_sgt_object_get_sg_table,
		.vmap = drm_gem_sgt_object_vmap,
		.vunmap = drm_gem_sgt_object_vunmap,
		.mmap = drm_gem_sgt_object_mmap,
		.status = drm_gem_sgt_object_status,
		.vm_ops = &drm_gem_sgt_vm_ops,
	},
	.of_object = virtgpu_sgt_bo_resource,
	.attach = virtgpu_sgt_bo_attach,
	.sync = virtgpu_sgt_bo_sync,
	.free = virtgpu_sgt_bo_destroy,
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

	bo = kzalloc(sizeof(*bo), GFP_KERNEL_ACCOUNT);
	if (!bo)
		return ERR_PTR(-ENOMEM);

	bo->base.base.funcs = &virtgpu_sgt_bo_ops.gem;
	bo->fb_memory = &bo->own_fb_memory;
	virtgpu_sgt_resource_init(&bo->res, &bo->base.base,
				  &virtgpu_sgt_bo_ops);
	return &bo->base.base;
}

/**
 * virtgpu_sgt_bo_create() - create a buffer
 * @vgdev: device
 * @params: parameters of the buffer, and of the resource that it may get
 *
 * The buffer has no pages and no resource when this returns.
 *
 * Context: Process context, may sleep.
 * Return:
 * * the buffer, with one reference of its GEM object for the caller, or an
 *   ERR_PTR() of an errno below
 * * see virtgpu_sgt_device_error() and drm_gem_sgt_create()
 */
struct virtgpu_sgt_bo *
virtgpu_sgt_bo_create(struct virtgpu_sgt_device *vgdev,
		      const struct virtgpu_sgt_bo_params *params)
{
	struct drm_gem_sgt_object *base;
	struct virtgpu_sgt_bo *bo;
	int ret;

	ret = virtgpu_sgt_device_error(vgdev);
	if (ret)
		return ERR_PTR(ret);

	base = drm_gem_sgt_create(vgdev->drm, vgdev->sdev, params->size);
	if (IS_ERR(base))
		return ERR_CAST(base);

	bo = container_of(base, struct virtgpu_sgt_bo, base);
	bo->res.format = params->format;
	bo->res.width = params->width;
	bo->res.height = params->height;
	return bo;
}

/**
 * virtgpu_sgt_prime_import() - &drm_driver.gem_prime_import
 * @drm: DRM device
 * @dma_buf: dma-buf of any exporter
 *
 * Context: Process context.
 * Return: the GEM object, or an ERR_PTR(): -ENOMEM, or see drm_gem_sgt_prime_import() and
 * virtgpu_sgt_device_error()
 */
struct drm_gem_object *virtgpu_sgt_prime_import(struct drm_device *drm,
						struct dma_buf *dma_buf)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(drm);
	struct virtgpu_sgt_fb_memory *memory;
	struct drm_gem_object *obj;
	int ret = virtgpu_sgt_device_error(vgdev);

	if (ret)
		return ERR_PTR(ret);

	memory = virtgpu_sgt_fb_memory_get(vgdev, dma_buf);
	if (!memory)
		return ERR_PTR(-ENOMEM);

	/* The host never writes into the backing of a 2D resource. */
	obj = drm_gem_sgt_prime_import(drm, vgdev->sdev, dma_buf, DMA_TO_DEVICE);
	if (!IS_ERR(obj) && drm_gem_sgt_is_import(to_drm_gem_sgt_obj(obj)))
		to_virtgpu_sgt_bo(obj)->fb_memory = memory;
	else
		virtgpu_sgt_fb_memory_put(vgdev, memory);
	return obj;
}

/**
 * virtgpu_sgt_dumb_create() - &drm_driver.dumb_create
 * @file: open file, which gets the handle
 * @drm: DRM device
 * @args: see struct drm_mode_create_dumb
 *
 * Context: Process context.
 * Return:
 * * %0       - success
 * * %-EINVAL - not 32 bits per pixel, or see drm_gem_sgt_dumb_args()
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

	/* The handle has a reference of its own. */
	ret = drm_gem_handle_create(file, &bo->base.base, &args->handle);
	drm_gem_object_put(&bo->base.base);
	return ret;
}

/**
 * virtgpu_sgt_bo_show_fdinfo() - &drm_driver.show_fdinfo
 * @p: the printer of the fdinfo
 * @file: DRM file
 *
 * As drm_show_memory_stats(), but without VA resources: they have a size, and no memory
 * of their own.
 *
 * Context: Process context; does not sleep, unless @p does.
 */
void virtgpu_sgt_bo_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	struct drm_memory_stats stats = {};
	struct drm_gem_object *obj;
	int id;

	spin_lock(&file->table_lock);
	idr_for_each_entry(&file->object_idr, obj, id) {
		if (!obj->funcs->status)
			continue;
		if (drm_gem_object_is_shared_for_memory_stats(obj))
			stats.shared += obj->size;
		else
			stats.private += obj->size;
		if (obj->funcs->status(obj) & DRM_GEM_OBJECT_RESIDENT)
			stats.resident += obj->size;
		if (!dma_resv_test_signaled(obj->resv, dma_resv_usage_rw(true)))
			stats.active += obj->size;
	}
	spin_unlock(&file->table_lock);

	drm_print_memory_stats(p, &stats, DRM_GEM_OBJECT_RESIDENT, "memory");
}
