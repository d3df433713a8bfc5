// SPDX-License-Identifier: GPL-2.0

#include "drm_sgt_internal.h"

void drm_sgt_end_mapping(struct drm_sgt *sgt)
{
	drm_dma_layout_fini(&sgt->layout);
	drm_sgt_sync_fini(sgt);
	sgt->map_ops->unmap(sgt);
	sgt->mapped = NULL;
}

static bool drm_sgt_mapping_covers(const struct drm_sgt *sgt)
{
	return sgt->layout.size == sgt->size ||
	       (sgt->map_ops->may_exceed && sgt->layout.size > sgt->size);
}

static int drm_sgt_map_and_list(struct drm_sgt *sgt)
{
	struct drm_sgt_device *sdev = sgt->sdev;
	int ret;

	if (drm_sgt_device_is_gone(sdev))
		return -ENODEV;
	if (drm_sgt_should_fail_map(sgt->size))
		return -ENOMEM;

	sgt->mapped = &sgt->table;
	ret = sgt->map_ops->map(sgt);
	if (ret)
		return ret;

	ret = drm_dma_layout_init(&sgt->layout, drm_sgt_mapped_ents(sgt));
	if (!ret && !drm_sgt_mapping_covers(sgt))
		ret = -EIO;
	if (!ret)
		ret = drm_sgt_sync_init(sgt);
	if (ret) {
		drm_sgt_end_mapping(sgt);
		return ret;
	}

	drm_sgt_device_add(sdev, sgt);
	return 0;
}

static int drm_sgt_map_locked(struct drm_sgt *sgt, enum dma_data_direction dir)
{
	enum dma_data_direction old = sgt->dir;
	int idx, ret;

	lockdep_assert_held(&sgt->lock);

	switch (drm_sgt_get_state(sgt)) {
	case DRM_SGT_EMPTY:
		drm_sgt_dbg(sgt->sdev, "mapping a table that has no pages\n");
		return -EINVAL;
	case DRM_SGT_MAPPED:
		return sgt->dir == dir ? 0 : -EBUSY;
	case DRM_SGT_BACKED:
		break;
	}

	/*
	 * The section is what an unbind waits for: then it finds the mapping on
	 * the list, or none.
	 */
	sgt->dir = dir;
	idx = srcu_read_lock(&sgt->sdev->srcu);
	ret = drm_sgt_map_and_list(sgt);
	srcu_read_unlock(&sgt->sdev->srcu, idx);
	if (ret) {
		/* What drm_sgt_map_again() maps in is what was mapped. */
		sgt->dir = old;
		drm_sgt_dbg(sgt->sdev, "mapping %llu bytes of %s: %pe\n",
			    sgt->size, sgt->ops->name, ERR_PTR(ret));
	}
	return ret;
}

/**
 * drm_sgt_map() - DMA-map a table for its device
 * @sgt: the table, populated
 * @dir: who writes, seen from the CPU
 *
 * The mapping ends at drm_sgt_unmap(), drm_sgt_free() or unbind, whichever is
 * first. No data is synced: call drm_sgt_sync_for_device() before the device
 * reads, and drm_sgt_sync_for_cpu() after it has written. Nothing happens if
 * the table is mapped in this direction already.
 *
 * Context: Process context, may sleep.
 * Return:
 * * %0       - MAPPED, or was, the moment before an unbind
 * * %-ENODEV - the device is no longer bound; the table stays BACKED
 * * %-EINVAL - the table has no pages, @dir is none, or the IOMMU refused
 * * %-EBUSY  - it is mapped in another direction
 * * %-ENOMEM - out of memory, IOVA space or bounce buffers, or a page that the
 *   device cannot reach: the DMA API does not tell these apart
 * * %-EIO    - the mapping does not cover the table
 * * %-EREMOTEIO - the table has memory of another device that this one cannot
 *   reach
 *
 * and for an import:
 *
 * * %-EOPNOTSUPP - the device takes physical addresses, and the exporter has
 *   none to give: an IOMMU or a bounce buffer is in between, or the bus is not
 *   coherent
 * * %-ENOMEM - as above, too if the exporter passes an -EIO of the DMA API on;
 *   also segments that are longer than a bounce buffer
 * * what the exporter says, else
 */
int drm_sgt_map(struct drm_sgt *sgt, enum dma_data_direction dir)
{
	if (!valid_dma_direction(dir) || dir == DMA_NONE) {
		drm_sgt_dbg(sgt->sdev, "direction %d\n", dir);
		return -EINVAL;
	}

	guard(mutex)(&sgt->lock);

	return drm_sgt_map_locked(sgt, dir);
}
EXPORT_SYMBOL_GPL(drm_sgt_map);

/**
 * drm_sgt_map_again() - drm_sgt_map() in the direction of the mapping before
 * @sgt: the table, mapped before
 *
 * Context: see drm_sgt_map()
 * Return: see drm_sgt_map()
 */
int drm_sgt_map_again(struct drm_sgt *sgt)
{
	guard(mutex)(&sgt->lock);

	return drm_sgt_map_locked(sgt, sgt->dir);
}

/**
 * drm_sgt_unmap() - end the mapping of a table
 * @sgt: the table
 *
 * For the driver to call when neither the device nor a page table uses the
 * addresses any more. Nothing happens if there is no mapping; if an unbind is
 * ending it right now, waits until it has.
 *
 * Context: Process context, may sleep. Not inside an access section of @sgt.
 * Return:
 * * %0      - not mapped
 * * %-EBUSY - somebody is in an access section of @sgt
 */
int drm_sgt_unmap(struct drm_sgt *sgt)
{
	might_sleep();
	guard(mutex)(&sgt->lock);

	return drm_sgt_device_remove(sgt->sdev, sgt);
}
EXPORT_SYMBOL_GPL(drm_sgt_unmap);
