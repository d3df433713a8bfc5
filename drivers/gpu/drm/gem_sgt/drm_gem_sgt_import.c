// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-buf.h>

#include <drm/drm_device.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_print.h>

#include "drm_gem_sgt_debugfs.h"
#include "drm_gem_sgt_object.h"
#include "drm_sgt_table.h"

/* From here on, the object owns the table. If this fails, it drops both. */
static struct drm_gem_sgt_object *
drm_gem_sgt_complete_import(struct drm_device *dev, struct drm_gem_sgt_object *bo,
			    struct drm_sgt *sgt, struct dma_buf *dma_buf)
{
	int ret;

	bo->sgt = sgt;
	drm_gem_private_object_init(dev, &bo->base, dma_buf->size);
	bo->base.resv = dma_buf->resv;
	bo->base.import_attach = drm_sgt_import_source(sgt);
	drm_gem_sgt_debugfs_add(bo);

	ret = drm_gem_create_mmap_offset(&bo->base);
	if (ret) {
		drm_gem_object_put(&bo->base);
		return ERR_PTR(ret);
	}
	return bo;
}

/* A table for the dma-buf, mapped if the device does DMA. */
static struct drm_sgt *drm_gem_sgt_map_import(struct drm_sgt_device *sdev,
					      struct dma_buf *dma_buf,
					      enum dma_data_direction dir)
{
	struct drm_sgt *sgt;
	int ret;

	sgt = drm_sgt_create_import(sdev, dma_buf);
	if (IS_ERR(sgt) || sdev->no_dma)
		return sgt;

	ret = drm_sgt_map(sgt, dir);
	if (ret) {
		drm_sgt_free(sgt);
		return ERR_PTR(ret);
	}
	return sgt;
}

/*
 * Create the object last: only the driver can undo its gem_create_object, in a free
 * callback that needs a complete object.
 */
static struct drm_gem_sgt_object *drm_gem_sgt_import(struct drm_device *dev,
						     struct drm_sgt_device *sdev,
						     struct dma_buf *dma_buf,
						     enum dma_data_direction dir)
{
	struct drm_gem_sgt_object *bo;
	struct drm_sgt *sgt;

	sgt = drm_gem_sgt_map_import(sdev, dma_buf, dir);
	if (IS_ERR(sgt))
		return ERR_CAST(sgt);

	bo = drm_gem_sgt_alloc(dev, dma_buf->size);
	if (IS_ERR(bo)) {
		drm_sgt_free(sgt);
		return bo;
	}

	return drm_gem_sgt_complete_import(dev, bo, sgt, dma_buf);
}

/* The object, with a reference, if @dev itself exported @dma_buf; else NULL. */
static struct drm_gem_object *drm_gem_sgt_get_own(struct drm_device *dev,
						  struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj;

	if (dma_buf->ops != &drm_gem_sgt_dmabuf_ops)
		return NULL;

	obj = dma_buf->priv;
	if (obj->dev != dev)
		return NULL;

	drm_gem_object_get(obj);
	return obj;
}

static struct drm_gem_object *drm_gem_sgt_imported(struct drm_device *dev,
						   struct drm_gem_sgt_object *bo,
						   const struct dma_buf *dma_buf)
{
	if (!IS_ERR(bo))
		return &bo->base;

	drm_dbg(dev, "import of %zu bytes from %s: %pe\n", dma_buf->size, dma_buf->exp_name,
		bo);
	return ERR_CAST(bo);
}

/**
 * drm_gem_sgt_prime_import() - make a GEM object of a dma-buf
 * @dev: DRM device
 * @sdev: the device that it will be mapped for
 * @dma_buf: the dma-buf
 * @dir: direction of the data, seen from the CPU
 *
 * For &drm_driver.gem_prime_import, from a callback that knows @sdev. If @dev itself
 * exported @dma_buf, returns the object that was exported. Otherwise, attaches to
 * @dma_buf and maps it, unless @sdev does no DMA. The mapping and the attachment end
 * when the object is freed, or at unbind. &drm_driver.gem_create_object is called as in
 * drm_gem_sgt_create(), when all else has succeeded.
 *
 * The exporter maps, and may sync for the CPU when it unmaps. Behind a bounce
 * buffer, what the CPU wrote meanwhile survives that sync if @dir is DMA_TO_DEVICE,
 * or if @dir is DMA_BIDIRECTIONAL and @sdev is coherent. If the device wrote, the
 * driver must call drm_sgt_sync_for_cpu() before the mapping ends. If the device never
 * writes, pass DMA_TO_DEVICE.
 *
 * Ownership: the caller gets a reference to the object, which holds a reference to
 * @dma_buf until it is freed.
 *
 * Context: Process context, may sleep. Takes the resv of @dma_buf.
 * Return:
 * * the object, or an ERR_PTR() of an errno below
 * * %-ENODEV - the device is no longer bound; not if @sdev does no DMA: nothing is mapped
 * * %-ENOSPC - out of mmap offsets
 * * see drm_sgt_create_import() and drm_sgt_map()
 */
struct drm_gem_object *drm_gem_sgt_prime_import(struct drm_device *dev,
						struct drm_sgt_device *sdev,
						struct dma_buf *dma_buf,
						enum dma_data_direction dir)
{
	struct drm_gem_object *obj = drm_gem_sgt_get_own(dev, dma_buf);

	if (obj)
		return obj;

	return drm_gem_sgt_imported(dev, drm_gem_sgt_import(dev, sdev, dma_buf, dir), dma_buf);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_prime_import);

static void drm_gem_sgt_moved(void *data)
{
	struct drm_gem_sgt_object *bo = data;

	bo->moved(bo);
}

/* The callback needs the object, so there is one before anything is attached. */
static struct drm_gem_sgt_object *
drm_gem_sgt_import_dynamic(struct drm_device *dev, struct drm_sgt_device *sdev,
			   struct dma_buf *dma_buf, enum dma_data_direction dir,
			   void (*moved)(struct drm_gem_sgt_object *bo))
{
	struct drm_gem_sgt_object *bo;
	struct drm_sgt *sgt;
	int ret;

	sgt = drm_sgt_create_import(sdev, dma_buf);
	if (IS_ERR(sgt))
		return ERR_CAST(sgt);

	bo = drm_gem_sgt_alloc(dev, dma_buf->size);
	if (IS_ERR(bo)) {
		drm_sgt_free(sgt);
		return bo;
	}

	bo->moved = moved;
	drm_sgt_import_follow(sgt, drm_gem_sgt_moved, bo);
	bo = drm_gem_sgt_complete_import(dev, bo, sgt, dma_buf);
	if (IS_ERR(bo))
		return bo;

	ret = sdev->no_dma ? 0 : drm_sgt_map(sgt, dir);
	if (ret) {
		drm_gem_object_put(&bo->base);
		return ERR_PTR(ret);
	}
	return bo;
}

/**
 * drm_gem_sgt_prime_import_dynamic() - drm_gem_sgt_prime_import() of memory that can move
 * @dev: DRM device
 * @sdev: the device that it will be mapped for
 * @dma_buf: the dma-buf
 * @dir: direction of the data, seen from the CPU
 * @moved: told that the memory of the object moves
 *
 * The exporter does not pin the memory for this import: see "exporters that move". It
 * calls @moved with the resv of the object held, under the rules of
 * drm_sgt_create_import_dynamic(), and drm_gem_sgt_map() maps the new place before the next
 * use. @moved is not called for an object that @dev itself exported.
 *
 * The object is complete before the memory is mapped. As the memory can move before this
 * returns, &drm_driver.gem_create_object initialises what @moved uses. If the map fails,
 * &drm_gem_object_funcs.free is called.
 *
 * Ownership: as for drm_gem_sgt_prime_import().
 *
 * Context: Process context, may sleep. Takes the resv of @dma_buf.
 * Return:
 * * the object, or an ERR_PTR() of an errno below
 * * %-EINVAL - there is no @moved, or @dir is not a direction
 * * see drm_gem_sgt_prime_import()
 */
struct drm_gem_object *
drm_gem_sgt_prime_import_dynamic(struct drm_device *dev, struct drm_sgt_device *sdev,
				 struct dma_buf *dma_buf, enum dma_data_direction dir,
				 void (*moved)(struct drm_gem_sgt_object *bo))
{
	struct drm_gem_object *obj;
	struct drm_gem_sgt_object *bo;

	if (!moved) {
		drm_dbg(dev, "no callback for moves\n");
		return ERR_PTR(-EINVAL);
	}
	obj = drm_gem_sgt_get_own(dev, dma_buf);
	if (obj)
		return obj;

	bo = drm_gem_sgt_import_dynamic(dev, sdev, dma_buf, dir, moved);
	return drm_gem_sgt_imported(dev, bo, dma_buf);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_prime_import_dynamic);
