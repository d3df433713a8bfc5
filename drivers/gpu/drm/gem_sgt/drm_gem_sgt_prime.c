// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_prime.h>

#include "drm_sgt_internal.h"

/**
 * DOC: PRIME
 *
 * An exported object gives each importer a table of its own, cut for the device
 * that will map it. Neither cares whether the exporting device is still bound.
 *
 * A device sees what the CPU wrote before the table was mapped for it. After that,
 * the brackets of DMA_BUF_IOCTL_SYNC (dma_buf_begin_cpu_access()) sync the tables
 * of the importers, each for its device. The end of an access that writes syncs all
 * of them for their devices. The start of one that reads syncs those for the CPU
 * whose device may have written: a mapping that is only written to, and one in both
 * directions while the resv has the fence of a write. Without that rule, what a
 * process drew through an mmap of the DRM file, which has no brackets, would be
 * lost behind the bounce buffer of a display that maps in both directions. The
 * mapping for the exporting device is for the driver to sync: see
 * drm_sgt_sync_for_device().
 *
 * An imported object is a GEM object whose &drm_gem_sgt_object.sgt stands for
 * the dma-buf (drm_sgt_create_import()): it has no pages of its own and cannot
 * be mapped into a process, since that is for the exporter to do. It is mapped
 * for the device by the import. An unbind ends that mapping, and the attachment
 * with it, while handles, framebuffers and the exporter's own mappings stay.
 *
 * &drm_gem_object.import_attach tells the core that such an object is an import,
 * and of which dma-buf: it brackets what it does to a framebuffer with
 * dma_buf_begin_cpu_access(), shares the dma-buf once more, and gives out no mmap
 * offset. That is not the attachment that is mapped, and stays over an unbind. A
 * driver must not call drm_prime_gem_destroy().
 */

/**
 * struct drm_gem_sgt_mapping - a table that is mapped for an importer
 *
 * In &dma_buf_attachment.priv, which the resv protects. There is one for an
 * attachment, as the core caches it.
 */
struct drm_gem_sgt_mapping {
	/** @table: owned */
	struct sg_table *table;
	/** @dir: of the mapping */
	enum dma_data_direction dir;
};

static int drm_gem_sgt_map_table(struct dma_buf_attachment *attach,
				 struct drm_gem_sgt_mapping *mapping)
{
	struct drm_gem_object *obj = attach->dmabuf->priv;
	struct sg_table *table;
	int ret;

	table = drm_sgt_dup_table(to_drm_gem_sgt_obj(obj)->sgt, attach->dev);
	if (IS_ERR(table))
		return PTR_ERR(table);

	/* Nothing is synced implicitly: see "syncing". */
	ret = dma_map_sgtable(attach->dev, table, mapping->dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (ret) {
		sg_free_table(table);
		kfree(table);
		return drm_sgt_dma_errno(ret);
	}

	/* What the CPU wrote last can be zeroes, over what was another's before. */
	drm_sgt_sync_table_for_device(attach->dev, table, mapping->dir);
	mapping->table = table;
	return 0;
}

static struct sg_table *
drm_gem_sgt_map_dma_buf(struct dma_buf_attachment *attach,
			enum dma_data_direction dir)
{
	struct drm_gem_sgt_mapping *mapping;
	int ret;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (WARN_ON(dir == DMA_NONE || attach->priv))
		return ERR_PTR(-EINVAL);

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return ERR_PTR(-ENOMEM);

	mapping->dir = dir;
	ret = drm_gem_sgt_map_table(attach, mapping);
	if (ret) {
		kfree(mapping);
		return ERR_PTR(ret);
	}
	attach->priv = mapping;
	return mapping->table;
}

/*
 * May the device have written what the CPU does not have? One that can read as well
 * says so with the fence of a write, which stays in the resv when it has signalled.
 * If there is none, the bytes behind a bounce buffer are older than those of the CPU.
 */
static bool drm_gem_sgt_was_written(struct dma_buf *dma_buf,
				    enum dma_data_direction dir)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	if (dir != DMA_BIDIRECTIONAL)
		return dir == DMA_FROM_DEVICE;

	dma_resv_for_each_fence(&cursor, dma_buf->resv, DMA_RESV_USAGE_WRITE, fence)
		return true;
	return false;
}

static void drm_gem_sgt_fetch(struct dma_buf_attachment *attach,
			      const struct sg_table *table,
			      enum dma_data_direction dir)
{
	if (drm_gem_sgt_was_written(attach->dmabuf, dir))
		drm_sgt_sync_table_for_cpu(attach->dev, table, dir);
}

static void drm_gem_sgt_give(struct dma_buf_attachment *attach,
			     const struct sg_table *table,
			     enum dma_data_direction dir)
{
	drm_sgt_sync_table_for_device(attach->dev, table, dir);
}

static void drm_gem_sgt_unmap_dma_buf(struct dma_buf_attachment *attach,
				      struct sg_table *table,
				      enum dma_data_direction dir)
{
	dma_resv_assert_held(attach->dmabuf->resv);

	drm_gem_sgt_fetch(attach, table, dir);
	dma_unmap_sgtable(attach->dev, table, dir, DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(table);
	kfree(table);
	kfree(attach->priv);
	attach->priv = NULL;
}

static void drm_gem_sgt_sync_importers(struct dma_buf *dma_buf,
				       void (*sync)(struct dma_buf_attachment *attach,
						    const struct sg_table *table,
						    enum dma_data_direction dir))
{
	struct dma_buf_attachment *attach;

	dma_resv_assert_held(dma_buf->resv);

	list_for_each_entry(attach, &dma_buf->attachments, node) {
		struct drm_gem_sgt_mapping *mapping = attach->priv;

		if (mapping)
			sync(attach, mapping->table, mapping->dir);
	}
}

/*
 * A CPU that only writes gets nothing from the devices. The core waits for fences
 * after this, which is too late for what the devices write.
 */
static int drm_gem_sgt_begin_cpu_access(struct dma_buf *dma_buf,
					enum dma_data_direction dir)
{
	long ret;

	if (dir == DMA_TO_DEVICE)
		return 0;

	ret = dma_resv_wait_timeout(dma_buf->resv, dma_resv_usage_rw(false), true,
				    MAX_SCHEDULE_TIMEOUT);
	if (ret < 0)
		return ret;

	ret = dma_resv_lock_interruptible(dma_buf->resv, NULL);
	if (ret)
		return ret;
	drm_gem_sgt_sync_importers(dma_buf, drm_gem_sgt_fetch);
	dma_resv_unlock(dma_buf->resv);
	return 0;
}

/* A CPU that only read gives nothing to the devices: they may have written since. */
static int drm_gem_sgt_end_cpu_access(struct dma_buf *dma_buf,
				      enum dma_data_direction dir)
{
	if (dir == DMA_FROM_DEVICE)
		return 0;

	dma_resv_lock(dma_buf->resv, NULL);
	drm_gem_sgt_sync_importers(dma_buf, drm_gem_sgt_give);
	dma_resv_unlock(dma_buf->resv);
	return 0;
}

static const struct dma_buf_ops drm_gem_sgt_dmabuf_ops = {
	.cache_sgt_mapping = true,
	.attach = drm_gem_map_attach,
	.detach = drm_gem_map_detach,
	.map_dma_buf = drm_gem_sgt_map_dma_buf,
	.unmap_dma_buf = drm_gem_sgt_unmap_dma_buf,
	.release = drm_gem_dmabuf_release,
	.mmap = drm_gem_dmabuf_mmap,
	.vmap = drm_gem_dmabuf_vmap,
	.vunmap = drm_gem_dmabuf_vunmap,
	.begin_cpu_access = drm_gem_sgt_begin_cpu_access,
	.end_cpu_access = drm_gem_sgt_end_cpu_access,
};

/**
 * drm_gem_sgt_prime_export() - share an object as a dma-buf
 * @obj: GEM object of this layer
 * @flags: of the file: DRM_CLOEXEC, DRM_RDWR
 *
 * For &drm_gem_object_funcs.export, as in drm_gem_prime_export(). Works after
 * unbind, too. An imported object is shared as the dma-buf that it came from.
 * Objects of a driver that imports must have this: by it, the driver knows its
 * own buffers when they come back.
 *
 * Ownership: the caller has a reference to the dma-buf, which has one to @obj
 * unless that is an import.
 *
 * Context: Process context, may sleep.
 * Return: the dma-buf, or an ERR_PTR():
 *
 * * %-ENOMEM - out of memory
 * * %-ENFILE - out of files
 */
struct dma_buf *drm_gem_sgt_prime_export(struct drm_gem_object *obj, int flags)
{
	struct drm_gem_sgt_object *bo = to_drm_gem_sgt_obj(obj);
	struct drm_device *dev = obj->dev;
	struct dma_buf_export_info exp_info = {
		.exp_name = KBUILD_MODNAME,
		.owner = dev->driver->fops->owner,
		.ops = &drm_gem_sgt_dmabuf_ops,
		.size = obj->size,
		.flags = flags,
		.priv = obj,
		.resv = obj->resv,
	};
	struct dma_buf *dma_buf = drm_gem_sgt_import_dma_buf(bo);

	if (dma_buf) {
		get_dma_buf(dma_buf);
		return dma_buf;
	}
	return drm_gem_dmabuf_export(dev, &exp_info);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_prime_export);

/* A table for the dma-buf, mapped. */
static struct drm_sgt *drm_gem_sgt_map_import(struct drm_sgt_device *sdev,
					      struct dma_buf *dma_buf,
					      enum dma_data_direction dir)
{
	struct drm_sgt *sgt;
	int ret;

	sgt = drm_sgt_create_import(sdev, dma_buf);
	if (IS_ERR(sgt))
		return sgt;

	ret = drm_sgt_map(sgt, dir);
	if (ret) {
		drm_sgt_free(sgt);
		return ERR_PTR(ret);
	}
	return sgt;
}

/*
 * The object comes last: only the driver can undo its gem_create_object, by a
 * free that wants a complete object.
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

	bo->sgt = sgt;
	drm_gem_private_object_init(dev, &bo->base, dma_buf->size);
	bo->base.resv = dma_buf->resv;
	bo->base.import_attach = drm_sgt_import_source(sgt);
	drm_gem_sgt_debugfs_add(bo);
	return bo;
}

/**
 * drm_gem_sgt_prime_import() - make a GEM object of a dma-buf
 * @dev: DRM device
 * @sdev: the device that it will be mapped for
 * @dma_buf: the dma-buf
 * @dir: who writes, seen from the CPU
 *
 * For &drm_driver.gem_prime_import, from a callback that knows @sdev. Attaches to
 * @dma_buf and maps it, unless it is of @dev itself: then this finds the object
 * that was exported. The mapping and the attachment end when the object is
 * freed, or at unbind. &drm_driver.gem_create_object is called as in
 * drm_gem_sgt_create(), when all else has succeeded.
 *
 * The exporter maps, and may sync for the CPU when it unmaps. Behind a bounce
 * buffer, what the CPU wrote meanwhile survives that if @dir is DMA_TO_DEVICE, and
 * if it is DMA_BIDIRECTIONAL and @sdev is coherent. What the device wrote has to be
 * fetched with drm_sgt_sync_for_cpu() before the mapping ends. A driver whose device
 * does not write should say so.
 *
 * Ownership: the caller has the first reference to the object, or one more.
 * The object holds one to @dma_buf until it is freed.
 *
 * Context: Process context, may sleep. Takes the resv of @dma_buf.
 * Return: the object, or an ERR_PTR():
 *
 * * %-ENODEV - the device is no longer bound
 * * see drm_sgt_create_import() and drm_sgt_map()
 */
struct drm_gem_object *drm_gem_sgt_prime_import(struct drm_device *dev,
						struct drm_sgt_device *sdev,
						struct dma_buf *dma_buf,
						enum dma_data_direction dir)
{
	struct drm_gem_sgt_object *bo;
	struct drm_gem_object *obj;

	if (dma_buf->ops == &drm_gem_sgt_dmabuf_ops) {
		obj = dma_buf->priv;
		if (obj->dev == dev) {
			drm_gem_object_get(obj);
			return obj;
		}
	}

	bo = drm_gem_sgt_import(dev, sdev, dma_buf, dir);
	if (IS_ERR(bo)) {
		drm_dbg(dev, "import of %zu bytes from %s: %pe\n",
			dma_buf->size, dma_buf->exp_name, bo);
		return ERR_CAST(bo);
	}
	return &bo->base;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_prime_import);

/**
 * drm_gem_sgt_dumb_map_offset() - where in the DRM file an object can be mapped
 * @file: whose handle it is
 * @dev: DRM device
 * @handle: of the object
 * @offset: filled
 *
 * For &drm_driver.dumb_map_offset: drm_gem_dumb_map_offset(), which refuses an
 * import, but not an object that its driver gave no &drm_gem_object_funcs.mmap.
 *
 * Context: Process context, may sleep.
 * Return:
 * * %0       - @offset is valid
 * * %-ENOENT - there is no such handle
 * * %-EINVAL - it is of an import, whose dma-buf is what can be mapped, or of an
 *   object that cannot be mapped at all
 * * %-ENOSPC - out of mmap offsets
 */
int drm_gem_sgt_dumb_map_offset(struct drm_file *file, struct drm_device *dev,
				u32 handle, u64 *offset)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(file, handle);
	bool can_map;

	if (!obj)
		return -ENOENT;

	can_map = obj->funcs->mmap;
	drm_gem_object_put(obj);
	if (!can_map) {
		drm_dbg(dev, "handle %u has no memory to map\n", handle);
		return -EINVAL;
	}
	return drm_gem_dumb_map_offset(file, dev, handle, offset);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_dumb_map_offset);
