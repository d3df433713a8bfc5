// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/iommu.h>
#include <linux/swiotlb.h>

#include "drm_sgt_internal.h"

/**
 * DOC: imports
 *
 * A table can also stand for somebody else's dma-buf. It has no pages and is
 * BACKED from the start. To map it is to attach to the dma-buf and have the
 * exporter map it for our DMA device; to unmap it is to undo both. The two
 * belong together, since exporters keep their mapping until the attachment is
 * detached: an unbind that only unmapped would end nothing.
 *
 * The attachment is the layer's. A GEM object leaves
 * &drm_gem_object.import_attach NULL, as the core would look into it after the
 * unbind.
 *
 * Of the exporter's table, only nents and the DMA fields are looked at: it may
 * list no pages at all.
 *
 * The reference to the dma-buf is held until drm_sgt_free(). The lock of an
 * import is taken before the resv of its dma-buf, which the exporter wants held
 * for mapping, and not after it as that of other tables. They have lockdep
 * classes of their own.
 */

static struct lock_class_key drm_sgt_import_key;

static void drm_sgt_import_release(void *source)
{
	dma_buf_put(source);
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

/* Where an import is attached: in physical mode, to the device below. */
struct device *drm_sgt_import_device(const struct drm_sgt_device *sdev)
{
	return sdev->dma_dev ?: sdev->bus_dev;
}

/* What lockdep is told when the first import is made; see "locking". */
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
 * drm_sgt_create_import() - make a table for a dma-buf of somebody else
 * @sdev: the device that it will be mapped for
 * @dma_buf: the dma-buf
 *
 * Nothing is attached before drm_sgt_map(). Works after unbind too; such a table
 * cannot be mapped.
 *
 * drm_sgt_map() and drm_sgt_unmap() of this table, and drm_sgt_free() while it
 * is mapped, take the resv of @dma_buf. drm_sgt_depopulate() and
 * drm_sgt_dup_table() are refused, and a drm_sgt_run_iter finds nothing.
 *
 * Ownership: the caller owns the table, which holds a reference to @dma_buf
 * until it is freed, and one to @sdev.
 *
 * Context: Process context, may sleep.
 * Return: the table, in state BACKED, or an ERR_PTR():
 *
 * * %-EOPNOTSUPP - @sdev is in physical mode and has no bus device
 * * see drm_sgt_create(), for the size of @dma_buf
 */
struct drm_sgt *drm_sgt_create_import(struct drm_sgt_device *sdev,
				      struct dma_buf *dma_buf)
{
	struct drm_sgt *sgt;

	if (!drm_sgt_import_device(sdev)) {
		drm_sgt_dbg(sdev, "physical addresses, and nothing to attach to\n");
		return ERR_PTR(-EOPNOTSUPP);
	}

	sgt = drm_sgt_create(sdev, &drm_sgt_import_ops, dma_buf, dma_buf->size);
	if (IS_ERR(sgt))
		return sgt;

	get_dma_buf(dma_buf);
	/* Nobody else can see it yet. */
	sgt->state = DRM_SGT_BACKED;
	drm_sgt_import_prime_lockdep(sgt, dma_buf);
	return sgt;
}
EXPORT_SYMBOL_GPL(drm_sgt_create_import);

/*
 * In physical mode, DMA addresses are all that there is of an import, and they
 * must be physical ones: nothing may translate them on their way, and nothing
 * bounce what is behind them. The CPU fields of the table are no way out.
 */
bool drm_sgt_import_is_phys(struct device *dev)
{
	struct iommu_domain *domain;

	KUNIT_STATIC_STUB_REDIRECT(drm_sgt_import_is_phys, dev);

	domain = iommu_get_domain_for_dev(dev);
	if (domain && domain->type != IOMMU_DOMAIN_IDENTITY)
		return false;

	return !dev->dma_range_map && !is_swiotlb_force_bounce(dev);
}

/*
 * A page that the bus device cannot reach is bounced, whatever the rule, and
 * nobody would sync it. A device that is not coherent needs syncs, too.
 */
static bool drm_sgt_import_needs_sync(struct device *dev, struct sg_table *table)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(table, sg, i)
		if (dma_need_sync(dev, sg_dma_address(sg)))
			return true;
	return false;
}

static struct sg_table *
drm_sgt_import_map_attached(struct drm_sgt *sgt, struct dma_buf_attachment *attach)
{
	struct sg_table *table;

	table = dma_buf_map_attachment_unlocked(attach, sgt->dir);
	if (IS_ERR(table))
		return table;

	if (drm_sgt_device_is_phys(sgt->sdev) &&
	    drm_sgt_import_needs_sync(attach->dev, table)) {
		drm_sgt_dbg(sgt->sdev, "syncs needed, for a device with physical addresses\n");
		dma_buf_unmap_attachment_unlocked(attach, table, sgt->dir);
		return ERR_PTR(-EOPNOTSUPP);
	}
	return table;
}

/* Attach and map: returns the exporter's table, or an ERR_PTR(). */
struct sg_table *drm_sgt_import_map(struct drm_sgt *sgt)
{
	struct device *dev = drm_sgt_import_device(sgt->sdev);
	struct dma_buf_attachment *attach;
	struct sg_table *table;

	if (drm_sgt_device_is_phys(sgt->sdev) && !drm_sgt_import_is_phys(dev)) {
		drm_sgt_dbg(sgt->sdev, "DMA addresses of %s are not physical ones\n",
			    dev_name(dev));
		return ERR_PTR(-EOPNOTSUPP);
	}

	attach = dma_buf_attach(sgt->source, dev);
	if (IS_ERR(attach))
		return ERR_CAST(attach);

	table = drm_sgt_import_map_attached(sgt, attach);
	if (IS_ERR(table)) {
		dma_buf_detach(sgt->source, attach);
		return table;
	}

	sgt->attach = attach;
	return table;
}

/* Unmap and detach. */
void drm_sgt_import_unmap(struct drm_sgt *sgt, struct sg_table *table)
{
	struct dma_buf_attachment *attach = sgt->attach;

	sgt->attach = NULL;
	dma_buf_unmap_attachment_unlocked(attach, table, sgt->dir);
	dma_buf_detach(sgt->source, attach);
}
