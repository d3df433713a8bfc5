// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_prime.h>

#include "drm_gem_sgt_object.h"
#include "drm_gem_sgt_shrinker.h"
#include "drm_sgt_sync.h"

/**
 * DOC: PRIME
 *
 * Each importer of an exported object gets a copy of the table, with entries that the
 * importer's device can map. Importers can map it after the exporting device is
 * unbound, too.
 *
 * A device sees what the CPU wrote before the table was mapped for it. After that,
 * the brackets of DMA_BUF_IOCTL_SYNC (dma_buf_begin_cpu_access()) sync the tables
 * of the importers, each for its device. The end of an access that writes syncs all
 * of them for their devices. The start of an access that reads syncs, for the CPU,
 * the tables that a device may have written to: those mapped DMA_FROM_DEVICE, and
 * those mapped in both directions while the resv has a write fence. Without that rule,
 * what a process drew through an mmap of the DRM file, which has no brackets, would be
 * overwritten from the bounce buffer of a display that maps in both directions. The
 * driver syncs the mapping for the exporting device: see drm_sgt_sync_for_device().
 *
 * The exporter chooses the caching. dma_buf_mmap() and dma_buf_vmap() give an importer
 * the mappings that a process and the driver of the exporter get: write-combined, if
 * the object is; see "caching". An importer does not map the pages of the table itself.
 *
 * An imported object is a GEM object whose &drm_gem_sgt_object.sgt stands for
 * the dma-buf (drm_sgt_create_import()). It has no pages of its own: the exporter
 * maps it into the kernel and into processes, see drm_gem_sgt_mmap().
 * drm_gem_sgt_prime_import() maps the dma-buf for the device. An unbind ends that
 * mapping and the attachment, while handles, framebuffers and the exporter's own
 * mappings stay.
 *
 * &drm_gem_object.import_attach tells the DRM core that an object is an import, and
 * which dma-buf it imports. The core then brackets CPU access to a framebuffer with
 * dma_buf_begin_cpu_access(), and exports the same dma-buf again. It gives out no
 * mmap offset for an import, which drm_gem_sgt_dumb_map_offset() does. This attachment
 * is not the one that is mapped, and stays across an unbind. A driver must not call
 * drm_prime_gem_destroy().
 */

/**
 * struct drm_gem_sgt_mapping - a table that is mapped for an importer
 *
 * In &dma_buf_attachment.priv, which the resv protects. There is one for each
 * attachment, as the core caches it.
 */
struct drm_gem_sgt_mapping {
	/** @table: owned */
	struct sg_table *table;
	/** @dir: direction of the mapping */
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

	/* The CPU may have zeroed memory that held another user's data: sync that. */
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
 * May the device have written bytes that the CPU has not seen? For a mapping in both
 * directions, a write fence in the resv says so: it stays there after it has signalled.
 * Without such a fence, the bytes in a bounce buffer are older than those of the CPU.
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
 * An access that only writes syncs nothing for the CPU. The core waits for fences
 * after this callback, which is too late to sync what the devices write.
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

/* An access that only read syncs nothing: a device may have written meanwhile. */
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

const struct dma_buf_ops drm_gem_sgt_dmabuf_ops = {
	COMPAT_CACHE_SGT_MAPPING
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
 * A driver that imports must export its objects with this function, so that
 * drm_gem_sgt_prime_import() recognises the driver's own buffers.
 *
 * Ownership: the caller has a reference to the dma-buf, which has one to @obj
 * unless that is an import.
 *
 * Context: Process context, may sleep. Takes the resv of @obj.
 * Return:
 * * the dma-buf, or an ERR_PTR() of an errno below
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

	/* A purge that runs has decided without it: wait, and export what that has left. */
	dma_resv_lock(obj->resv, NULL);
	WRITE_ONCE(bo->shared, true);
	drm_gem_sgt_lru_update(bo);
	dma_resv_unlock(obj->resv);
	return drm_gem_dmabuf_export(dev, &exp_info);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_prime_export);
