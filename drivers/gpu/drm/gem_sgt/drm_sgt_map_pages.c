// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/dma-mapping.h>

#include "drm_sgt_sync.h"
#include "drm_sgt_table.h"

/*
 * How a table maps its own pages: for DMA, by physical address, or not at all. An
 * import is mapped by its exporter, see drm_sgt_import.c.
 */

int drm_sgt_dma_map(struct drm_sgt *sgt)
{
	int ret;

	KUNIT_STATIC_STUB_REDIRECT(drm_sgt_dma_map, sgt);

	ret = dma_map_sgtable(sgt->sdev->dma_dev, &sgt->table, sgt->dir, sgt->attrs);
	return drm_sgt_dma_errno(ret);
}

void drm_sgt_dma_unmap(struct drm_sgt *sgt)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_sgt_dma_unmap, sgt);

	dma_unmap_sgtable(sgt->sdev->dma_dev, &sgt->table, sgt->dir, sgt->attrs);
}

/*
 * The CPU may have zeroed memory that held another user's data: let the device see
 * that. A bounce buffer is filled by the map. Write-combined pages have no dirty lines.
 */
static int drm_sgt_dma_map_and_sync(struct drm_sgt *sgt)
{
	struct device *dev = sgt->sdev->dma_dev;
	int ret = drm_sgt_dma_map(sgt);

	if (!ret && !sgt->wc && !drm_sgt_dma_is_coherent(dev))
		drm_sgt_sync_table_for_device(dev, &sgt->table, sgt->dir);
	return ret;
}

static bool drm_sgt_dma_needs_sync(const struct drm_sgt *sgt)
{
	return dma_dev_need_sync(sgt->sdev->dma_dev);
}

const struct drm_sgt_map_ops drm_sgt_map_dma_ops = {
	.map = drm_sgt_dma_map_and_sync,
	.unmap = drm_sgt_dma_unmap,
	.needs_sync = drm_sgt_dma_needs_sync,
};

/* The device reads the CPU entries, so there is nothing to make or to undo. */
static int drm_sgt_phys_map(struct drm_sgt *sgt)
{
	return 0;
}

static void drm_sgt_phys_unmap(struct drm_sgt *sgt)
{
}

static bool drm_sgt_phys_needs_sync(const struct drm_sgt *sgt)
{
	return false;
}

const struct drm_sgt_map_ops drm_sgt_map_phys_ops = {
	.map = drm_sgt_phys_map,
	.unmap = drm_sgt_phys_unmap,
	.needs_sync = drm_sgt_phys_needs_sync,
	.phys = true,
};

/* Without DMA, no table is mapped, whether it has pages or is an import. */
static int drm_sgt_none_map(struct drm_sgt *sgt)
{
	return -EOPNOTSUPP;
}

/* As there are no DMA addresses, the CPU entries stand for them: nothing is flushed. */
const struct drm_sgt_map_ops drm_sgt_map_none_ops = {
	.map = drm_sgt_none_map,
	.unmap = drm_sgt_phys_unmap,
	.needs_sync = drm_sgt_phys_needs_sync,
	.phys = true,
};
