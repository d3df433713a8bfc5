// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>

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

/**
 * DOC: exporters that move
 *
 * drm_sgt_create_import() pins memory that can move for as long as it is mapped: a buffer
 * of amdgpu or xe stays in system memory. drm_sgt_create_import_dynamic() does not pin.
 * As it does not ask for peer-to-peer DMA, the exporter moves a buffer to system memory
 * when it is mapped, but can move it away again for the next job of its own device. It
 * tells the layer, with the resv held:
 *
 * 1. No access section of the table can be entered any more: -EINVAL.
 * 2. The driver is told by its callback. The device must not use the addresses for new
 *    work from then on. For the work that it does already, there are fences in the resv,
 *    and the exporter keeps the memory in its old place until they have signalled.
 * 3. The table is BACKED. If no section is open, and all fences have signalled, the
 *    mapping ends. Else it stays valid for them, and ends later.
 *
 * The next drm_sgt_map() or drm_gem_sgt_map() maps the memory in its new place. It first
 * waits for the fences, if the old mapping has not ended; so no fence of the resv needs a
 * call that takes the lock of the table to signal. An unmap, free or unbind does not wait,
 * as the device has stopped by then. Until one of these, the attachment is left, and
 * &struct drm_sgt_device_stats counts it as a mapping. That has no bound in time: an
 * exporter that waits for the unmap after the fences, as 7.3 lets it do in order to revoke
 * the memory, waits for the next map, or the end of the mapping.
 *
 * The memory moves at any time, except while the resv is held. So a driver that submits
 * work does this, in a loop:
 *
 * 1. drm_gem_sgt_map(), without the resv, which it takes itself;
 * 2. lock the resv, and begin an access section. If that fails with -EINVAL, the memory
 *    has moved again: unlock, and go back to 1;
 * 3. write the addresses, end the section, add the fence of the work to the resv;
 * 4. unlock the resv.
 *
 * A move does not race the end of the mapping: what ends it takes the resv, and finds
 * either a mapping or only the attachment. When drm_sgt_unmap(), drm_sgt_free() or
 * drm_sgt_device_shutdown() has returned, the callback is not running, and is not called.
 *
 * A mapping that ends late can write to the old place: an exporter unmaps with a sync, which
 * copies a bounce buffer or invalidates caches, and the pages may have another user by then.
 * So a device that is not coherent, or needs bounce buffers, uses the static form.
 *
 * If the kernel has no CONFIG_DMABUF_MOVE_NOTIFY, the dma-buf core pins the memory, and
 * nothing moves while it is mapped. An exporter that cannot move its memory is imported as
 * by drm_sgt_create_import(). A display that scans out an import needs it to stay, and so
 * does a device that faults on no page: they use the static form.
 */

static struct lock_class_key drm_sgt_import_key;

/* The source of an import. All is constant from the first map on. */
struct drm_sgt_import {
	struct dma_buf_attachment never_attached;
	/* NULL for a static one */
	void (*moved)(void *data);
	void *data;
};

static void drm_sgt_import_release(void *source)
{
	struct drm_sgt_import *import = source;

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

static bool drm_sgt_import_pins(const struct dma_buf_attachment *attach)
{
	return attach->importer_ops == &drm_sgt_import_attach_ops;
}

static struct sg_table *
drm_sgt_import_map_waited(struct dma_buf_attachment *attach,
			  enum dma_data_direction dir)
{
	struct dma_resv *resv = attach->dmabuf->resv;
	struct sg_table *table;
	long ret;

	table = dma_buf_map_attachment(attach, dir);
	if (IS_ERR(table) || !attach->importer_ops)
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
drm_sgt_import_map_attached(struct dma_buf_attachment *attach,
			    enum dma_data_direction dir)
{
	bool pin = drm_sgt_import_pins(attach);
	struct sg_table *table;
	int ret;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (pin) {
		ret = dma_buf_pin(attach);
		if (ret)
			return ERR_PTR(ret);
	}

	table = drm_sgt_import_map_waited(attach, dir);
	if (IS_ERR(table) && pin)
		dma_buf_unpin(attach);
	/* Most exporters return the errno of the DMA API. */
	return IS_ERR(table) ? ERR_PTR(drm_sgt_dma_errno(PTR_ERR(table))) : table;
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

static void drm_sgt_import_unmap_attached(struct dma_buf_attachment *attach,
					  struct sg_table *table,
					  enum dma_data_direction dir)
{
	dma_resv_assert_held(attach->dmabuf->resv);

	drm_sgt_import_flush(attach, table, dir);
	dma_buf_unmap_attachment(attach, table, dir);
	if (drm_sgt_import_pins(attach))
		dma_buf_unpin(attach);
}

/*
 * Before a map ends the mapping of the old place: work of the device may still use it. The
 * fences that are added from now on are not of such work.
 */
int drm_sgt_import_wait(struct drm_sgt *sgt)
{
	long ret;

	lockdep_assert_held(&sgt->lock);

	if (!READ_ONCE(sgt->mapped))
		return 0;

	ret = dma_resv_wait_timeout(drm_sgt_import_source(sgt)->dmabuf->resv,
				    DMA_RESV_USAGE_BOOKKEEP, true, MAX_SCHEDULE_TIMEOUT);
	return ret < 0 ? ret : 0;
}

/* The mapping stays valid for what still uses it: see "exporters that move". */
static void drm_sgt_import_move(struct dma_buf_attachment *attach)
{
	struct drm_sgt *sgt = attach->importer_priv;
	const struct drm_sgt_import *import = sgt->source;
	bool first = !READ_ONCE(sgt->moved), idle;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (!drm_sgt_begin_move(sgt, &idle))
		return;

	if (first)
		import->moved(import->data);
	if (!idle || !sgt->mapped ||
	    !dma_resv_test_signaled(attach->dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP))
		return;

	drm_sgt_import_unmap_attached(attach, sgt->mapped, sgt->dir);
	WRITE_ONCE(sgt->mapped, NULL);
}

static const struct dma_buf_attach_ops drm_sgt_import_dynamic_ops = {
	.invalidate_mappings = drm_sgt_import_move,
};

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
		drm_sgt_import_unmap_attached(attach, sgt->mapped, sgt->dir);
	sgt->mapped = NULL;
	dma_resv_unlock(dma_buf->resv);

	dma_buf_detach(dma_buf, attach);
	sgt->attach = NULL;
}

static int drm_sgt_import_map_resv(struct drm_sgt *sgt, struct dma_buf_attachment *attach)
{
	struct sg_table *table;

	dma_resv_assert_held(attach->dmabuf->resv);

	table = drm_sgt_import_map_attached(attach, sgt->dir);
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
	/* No other task can see it yet. */
	if (!sdev->no_dma)
		sgt->map_ops = &drm_sgt_map_import_ops;
	sgt->state = DRM_SGT_BACKED;
	drm_sgt_import_prime_lockdep(sgt, dma_buf);
	return sgt;
}
EXPORT_SYMBOL_GPL(drm_sgt_create_import);

/* Before the first map of @sgt: do not pin, and call @moved. */
void drm_sgt_import_follow(struct drm_sgt *sgt, void (*moved)(void *data), void *data)
{
	struct drm_sgt_import *import = sgt->source;

	import->moved = moved;
	import->data = data;
}

/**
 * drm_sgt_create_import_dynamic() - drm_sgt_create_import() of memory that can move
 * @sdev: the device that it will be mapped for
 * @dma_buf: the dma-buf
 * @moved: told that the memory of a mapped table moves
 * @data: for @moved
 *
 * See "exporters that move" for what the exporter, the layer and the driver do. @moved
 * makes the driver stop using the addresses, for example by dropping PTEs. It is called
 * with the resv of @dma_buf held, while the exporter moves memory, and may in turn be under
 * memory pressure: it does not sleep for long, wait for a fence, allocate memory that it
 * has to wait for, or take any resv. It does not call a function of the layer for the table
 * that takes its lock, such as drm_sgt_unmap().
 *
 * Ownership: as for drm_sgt_create_import(). @data must be valid until drm_sgt_free().
 *
 * Context: Process context, may sleep.
 * Return: -EINVAL without @moved, or see drm_sgt_create_import()
 */
struct drm_sgt *drm_sgt_create_import_dynamic(struct drm_sgt_device *sdev,
					      struct dma_buf *dma_buf,
					      void (*moved)(void *data), void *data)
{
	struct drm_sgt *sgt;

	if (!moved) {
		drm_sgt_dbg(sdev, "no callback for moves\n");
		return ERR_PTR(-EINVAL);
	}

	sgt = drm_sgt_create_import(sdev, dma_buf);
	if (!IS_ERR(sgt))
		drm_sgt_import_follow(sgt, moved, data);
	return sgt;
}
EXPORT_SYMBOL_GPL(drm_sgt_create_import_dynamic);
