// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>

#include "drm_sgt_import.h"
#include "drm_sgt_sync.h"
#include "drm_sgt_table.h"

/**
 * DOC: imports
 *
 * A table can also stand for a dma-buf of another exporter. It has no pages and is
 * BACKED from the start. Mapping it attaches to the dma-buf and has the exporter
 * map it for the DMA device; unmapping it undoes both. Exporters can keep their
 * mapping until the attachment is detached: an unbind that only unmapped would end
 * nothing.
 *
 * The layer owns the attachment, which ends with the mapping. The DRM core recognises
 * an imported GEM object by its &drm_gem_object.import_attach and finds the dma-buf
 * there, even after the unbind. So the source of the table is a second &struct
 * dma_buf_attachment. It is never attached, and only its
 * &dma_buf_attachment.dmabuf is set.
 *
 * The layer reads only nents and the DMA fields of the exporter's table, which may
 * list no pages at all.
 *
 * The layer attaches dynamically to an exporter that can move its memory, and pins
 * the memory while it is mapped: otherwise, the dma-buf core would map it in both
 * directions when it attaches. Exporters may sync for the CPU when they unmap. Unless
 * the direction is DMA_TO_DEVICE, that copies the bytes of a bounce buffer over the
 * memory. So an import in both directions is synced for the device before the unmap:
 * the bytes that the CPU wrote are then copied back.
 *
 * The reference to the dma-buf is held until drm_sgt_free(). The lock of an import
 * nests outside the resv of its dma-buf, which the exporter requires for mapping.
 * The lock of any other table nests inside the resv. The two kinds have lockdep
 * classes of their own.
 */

static struct lock_class_key drm_sgt_import_key;

static void drm_sgt_import_release(void *source)
{
	struct drm_sgt_import *import = source;

	drm_sgt_import_cancel_end(import);
	dma_buf_put(import->never_attached.dmabuf);
	kfree(import);
}

static const struct drm_sgt_pages_ops drm_sgt_import_ops = {
	.name = "dma-buf",
	.release = drm_sgt_import_release,
};

/**
 * drm_sgt_is_import() - does a table stand for a dma-buf?
 * @sgt: the table
 *
 * Context: Any.
 * Return: true for one made by drm_sgt_create_import()
 */
bool drm_sgt_is_import(const struct drm_sgt *sgt)
{
	return sgt->ops == &drm_sgt_import_ops;
}
EXPORT_SYMBOL_GPL(drm_sgt_is_import);

/**
 * drm_sgt_import_source() - the unused attachment of an import, for the DRM core
 * @sgt: the table, an import
 *
 * Context: Any.
 * Return: an attachment that is never attached and refers to the dma-buf of @sgt;
 * valid for as long as @sgt lives
 */
struct dma_buf_attachment *drm_sgt_import_source(const struct drm_sgt *sgt)
{
	struct drm_sgt_import *import = sgt->source;

	return &import->never_attached;
}

/* The device that imports are attached to: in physical mode, that on the bus. */
static struct device *drm_sgt_import_device(const struct drm_sgt_device *sdev)
{
	return sdev->dma_dev ?: sdev->bus_dev;
}

/*
 * In physical mode, an import has DMA addresses only, and these must be physical
 * ones: no IOMMU may translate them, and no bounce buffer may stand in for the
 * memory. The CPU fields of the table are no substitute.
 */
bool drm_sgt_import_is_phys(struct device *dev)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_sgt_import_is_phys, dev);

	return !drm_sgt_dma_is_translated(dev) && !dev->dma_range_map &&
	       !is_swiotlb_force_bounce(dev);
}

/*
 * A page that the bus device cannot reach is bounced in any case, and in physical
 * mode no call would sync it. A device that is not coherent needs syncs, too.
 */
static bool drm_sgt_import_needs_sync(struct device *dev, struct sg_table *table)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(table, sg, i)
		if (drm_sgt_dma_need_sync(dev, sg_dma_address(sg)))
			return true;
	return false;
}

/*
 * Mapped memory is pinned and does not move. An exporter may move it while pinning it
 * and after the last unpin, but the memory is not mapped at these times.
 */
static const struct dma_buf_attach_ops drm_sgt_import_attach_ops = {
	COMPAT_MOVE_NOTIFY
};

static struct sg_table *
drm_sgt_import_map_waited(struct dma_buf_attachment *attach,
			  enum dma_data_direction dir)
{
	struct dma_resv *resv = attach->dmabuf->resv;
	struct sg_table *table;
	long ret;

	table = dma_buf_map_attachment(attach, dir);
	/* Most exporters return the errno of the DMA API. */
	if (IS_ERR(table))
		return ERR_PTR(drm_sgt_dma_errno(PTR_ERR(table)));
	if (!attach->importer_ops)
		return table;

	/*
	 * The exporter may still be moving the memory. Without importer_ops, the
	 * dma-buf core has waited.
	 */
	ret = dma_resv_wait_timeout(resv, DMA_RESV_USAGE_KERNEL, true,
				    MAX_SCHEDULE_TIMEOUT);
	if (ret < 0) {
		dma_buf_unmap_attachment(attach, table, dir);
		return ERR_PTR(ret);
	}
	return table;
}

static struct sg_table *
drm_sgt_import_map_pinned(struct drm_sgt *sgt, struct dma_buf_attachment *attach)
{
	struct drm_sgt_import *import = sgt->source;
	struct sg_table *table;
	int ret;

	ret = dma_buf_pin(attach);
	if (ret)
		return ERR_PTR(ret);

	table = drm_sgt_import_map_waited(attach, sgt->dir);
	if (IS_ERR(table))
		dma_buf_unpin(attach);
	else
		import->pinned = true;
	return table;
}

/*
 * Exporters may sync for the CPU when they unmap: that copies a bounce buffer over
 * the memory. Sync for the device first, so that the bounce buffer has what the CPU
 * wrote last. If the device wrote, the driver has synced for the CPU by now.
 */
static void drm_sgt_import_flush(struct dma_buf_attachment *attach,
				 struct sg_table *table,
				 enum dma_data_direction dir)
{
	struct scatterlist *sg;
	unsigned int i;

	if (dir != DMA_BIDIRECTIONAL || !dma_dev_need_sync(attach->dev) ||
	    !drm_sgt_dma_is_coherent(attach->dev))
		return;

	for_each_sgtable_dma_sg(table, sg, i) {
		if (sg_dma_len(sg) && drm_sgt_dma_need_sync(attach->dev, sg_dma_address(sg)))
			drm_sgt_dma_sync_for_device(attach->dev, sg_dma_address(sg),
						    sg_dma_len(sg), dir);
		cond_resched();
	}
}

static void drm_sgt_import_unmap_attached(struct drm_sgt *sgt,
					  struct dma_buf_attachment *attach,
					  struct sg_table *table)
{
	struct drm_sgt_import *import = sgt->source;

	dma_resv_assert_held(attach->dmabuf->resv);

	drm_sgt_import_flush(attach, table, sgt->dir);
	dma_buf_unmap_attachment(attach, table, sgt->dir);
	if (import->pinned)
		dma_buf_unpin(attach);
	import->pinned = false;
}

/* A mapping whose end writes must not outlive a move: see "exporters that move". */
static bool drm_sgt_import_may_move(struct drm_sgt *sgt, struct dma_buf_attachment *attach,
				    struct sg_table *table)
{
	return sgt->dir == DMA_TO_DEVICE || !drm_sgt_import_needs_sync(attach->dev, table);
}

static struct sg_table *
drm_sgt_import_map_attached(struct drm_sgt *sgt, struct dma_buf_attachment *attach)
{
	struct sg_table *table;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (attach->importer_ops == &drm_sgt_import_attach_ops)
		return drm_sgt_import_map_pinned(sgt, attach);

	table = drm_sgt_import_map_waited(attach, sgt->dir);
	if (IS_ERR(table) || !attach->importer_ops ||
	    drm_sgt_import_may_move(sgt, attach, table))
		return table;

	drm_sgt_import_unmap_attached(sgt, attach, table);
	return drm_sgt_import_map_pinned(sgt, attach);
}

/* The mapping ends, with the resv held; the attachment does not. */
void drm_sgt_import_end_mapping(struct drm_sgt *sgt, struct dma_buf_attachment *attach)
{
	drm_sgt_import_forget_work(sgt->source);
	drm_sgt_import_unmap_attached(sgt, attach, sgt->mapped);
	WRITE_ONCE(sgt->mapped, NULL);
}

/*
 * If the exporter can move its memory and the attachment is not dynamic, 6.12 maps
 * in dma_buf_attach(), in both directions. To choose the direction, attach
 * dynamically, and pin or follow the memory. If the exporter cannot move its memory,
 * 6.12 maps dynamic attachments there instead.
 */
static struct dma_buf_attachment *
drm_sgt_import_attach(struct drm_sgt *sgt, struct device *dev)
{
	struct drm_sgt_import *import = sgt->source;
	struct dma_buf *dma_buf = import->never_attached.dmabuf;

	if (!dma_buf_is_dynamic(dma_buf))
		return dma_buf_attach(dma_buf, dev);

	return dma_buf_dynamic_attach(dma_buf, dev,
				      import->moved ? &drm_sgt_import_dynamic_ops :
						      &drm_sgt_import_attach_ops, sgt);
}

static void drm_sgt_import_unmap(struct drm_sgt *sgt)
{
	struct dma_buf_attachment *attach = sgt->attach;
	struct dma_buf *dma_buf = attach->dmabuf;

	dma_resv_lock(dma_buf->resv, NULL);
	/* A move may have ended the mapping, but cannot detach. */
	if (sgt->mapped)
		drm_sgt_import_end_mapping(sgt, attach);
	dma_resv_unlock(dma_buf->resv);

	dma_buf_detach(dma_buf, attach);
	sgt->attach = NULL;
}

static int drm_sgt_import_map_resv(struct drm_sgt *sgt, struct dma_buf_attachment *attach)
{
	struct sg_table *table;

	dma_resv_assert_held(attach->dmabuf->resv);

	table = drm_sgt_import_map_attached(sgt, attach);
	if (IS_ERR(table))
		return PTR_ERR(table);

	/* The exporter may have moved the memory in order to map it. */
	WRITE_ONCE(sgt->moved, false);
	sgt->attach = attach;
	sgt->mapped = table;
	return 0;
}

static int drm_sgt_import_map(struct drm_sgt *sgt)
{
	struct device *dev = drm_sgt_import_device(sgt->sdev);
	struct dma_buf *dma_buf = drm_sgt_import_source(sgt)->dmabuf;
	struct dma_buf_attachment *attach;
	int ret;

	if (drm_sgt_device_is_phys(sgt->sdev) && !drm_sgt_import_is_phys(dev)) {
		drm_sgt_dbg(sgt->sdev, "DMA addresses of %s are not physical ones\n",
			    dev_name(dev));
		return -EOPNOTSUPP;
	}

	attach = drm_sgt_import_attach(sgt, dev);
	if (IS_ERR(attach))
		return PTR_ERR(attach);

	dma_resv_lock(dma_buf->resv, NULL);
	ret = drm_sgt_import_map_resv(sgt, attach);
	dma_resv_unlock(dma_buf->resv);
	if (ret) {
		dma_buf_detach(dma_buf, attach);
		return ret;
	}

	if (drm_sgt_device_is_phys(sgt->sdev) && drm_sgt_import_needs_sync(dev, sgt->mapped)) {
		drm_sgt_dbg(sgt->sdev, "syncs needed, for a device with physical addresses\n");
		drm_sgt_import_unmap(sgt);
		return -EOPNOTSUPP;
	}
	return 0;
}

/* On a device that is not coherent, a sync would include cache maintenance. */
static bool drm_sgt_import_syncs(const struct drm_sgt *sgt)
{
	struct device *dev = sgt->sdev->dma_dev;

	return dev && dma_dev_need_sync(dev) && drm_sgt_dma_is_coherent(dev);
}

static const struct drm_sgt_map_ops drm_sgt_map_import_ops = {
	.map = drm_sgt_import_map,
	.unmap = drm_sgt_import_unmap,
	.needs_sync = drm_sgt_import_syncs,
	.may_exceed = true,
};

/* Prime lockdep when the first import is created; see "locking". */
static void drm_sgt_import_prime_lockdep(struct drm_sgt *sgt,
					 struct dma_buf *dma_buf)
{
	int idx;

	lockdep_set_class(&sgt->lock, &drm_sgt_import_key);
	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;

	mutex_lock(&sgt->lock);
	idx = srcu_read_lock(&sgt->sdev->srcu);
	might_lock(&dma_buf->resv->lock.base);
	srcu_read_unlock(&sgt->sdev->srcu, idx);
	mutex_unlock(&sgt->lock);
}

/**
 * drm_sgt_create_import() - make a table for a dma-buf of another exporter
 * @sdev: the device that it will be mapped for
 * @dma_buf: the dma-buf
 *
 * Nothing is attached before drm_sgt_map(). Works after unbind too; such a table
 * cannot be mapped, and neither can one of a device without DMA.
 *
 * drm_sgt_map() and drm_sgt_unmap() of this table, and drm_sgt_free() while it
 * is mapped, take the resv of @dma_buf. drm_sgt_depopulate() and
 * drm_sgt_dup_table() are refused, and a drm_sgt_run_iter finds nothing.
 *
 * Ownership: the caller owns the table, which holds a reference to @dma_buf
 * until it is freed, and one to @sdev.
 *
 * Context: Process context, may sleep.
 * Return:
 * * the table, in state BACKED, or an ERR_PTR() of an errno below
 * * %-EOPNOTSUPP - @sdev is in physical mode and has no bus device
 * * see drm_sgt_create(), for the size of @dma_buf
 */
struct drm_sgt *drm_sgt_create_import(struct drm_sgt_device *sdev,
				      struct dma_buf *dma_buf)
{
	struct drm_sgt_import *import;
	struct drm_sgt *sgt;

	if (!drm_sgt_import_device(sdev) && !sdev->no_dma) {
		drm_sgt_dbg(sdev, "physical addresses, and nothing to attach to\n");
		return ERR_PTR(-EOPNOTSUPP);
	}

	import = kzalloc(sizeof(*import), GFP_KERNEL_ACCOUNT);
	if (!import)
		return ERR_PTR(-ENOMEM);

	sgt = drm_sgt_create(sdev, &drm_sgt_import_ops, import, dma_buf->size);
	if (IS_ERR(sgt)) {
		kfree(import);
		return sgt;
	}

	get_dma_buf(dma_buf);
	import->never_attached.dmabuf = dma_buf;
	import->sgt = sgt;
	drm_sgt_import_init_end(import);
	/* No other task can see it yet. */
	if (!sdev->no_dma)
		sgt->map_ops = &drm_sgt_map_import_ops;
	sgt->state = DRM_SGT_BACKED;
	drm_sgt_import_prime_lockdep(sgt, dma_buf);
	return sgt;
}
EXPORT_SYMBOL_GPL(drm_sgt_create_import);
