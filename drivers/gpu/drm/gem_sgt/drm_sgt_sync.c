// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/dma-mapping.h>

#include "drm_sgt_internal.h"

/**
 * DOC: syncing
 *
 * A mapping of this layer syncs nothing by itself. The driver says which bytes
 * go over: drm_sgt_sync_for_device() after the CPU has written and before the
 * device reads, drm_sgt_sync_for_cpu() after the device has written. Behind a
 * bounce buffer this is where the bytes are copied; on a coherent device
 * without one it costs nothing.
 *
 * The pages of an import are synced by their exporter, for its own device, with
 * the brackets of DMA_BUF_IOCTL_SYNC. Exporters forget the bounce buffers of
 * their importers, so the calls above see to these. Where devices are not
 * coherent, the imported memory has to be in the linear map for that.
 *
 * An unbind syncs nothing either, of our own pages. What the CPU wrote last is
 * what is there afterwards. Exporters may sync when they unmap: see
 * drm_gem_sgt_prime_import().
 */

typedef void (*drm_sgt_sync_fn)(struct device *dev, dma_addr_t addr, size_t len,
				enum dma_data_direction dir);

/* A position in the CPU entries of a table. */
struct drm_sgt_cpu_pos {
	struct scatterlist *sg;
	u64 skip;
};

static void drm_sgt_cpu_take(struct drm_sgt_cpu_pos *pos, u64 len)
{
	pos->skip += len;
	while (pos->sg && pos->skip >= pos->sg->length) {
		pos->skip -= pos->sg->length;
		pos->sg = sg_next(pos->sg);
	}
}

/*
 * A segment that an IOMMU merged is contiguous for the device only. The DMA API
 * looks up the physical address of where a sync starts and goes on from there,
 * so no sync may go over the end of a CPU entry.
 */
static void drm_sgt_sync_seg(struct drm_sgt *sgt, struct drm_sgt_cpu_pos *pos,
			     struct drm_dma_seg seg, drm_sgt_sync_fn sync)
{
	while (seg.len) {
		u64 len = min(seg.len, pos->sg->length - pos->skip);

		sync(sgt->sdev->dma_dev, seg.addr, len, sgt->dir);
		drm_sgt_cpu_take(pos, len);
		seg.addr += len;
		seg.len -= len;
	}
}

/*
 * The table of an import may have no CPU entries. No entry ends inside a page,
 * so this is right for any segment, merged or not.
 */
static void drm_sgt_sync_pages(struct drm_sgt *sgt, struct drm_dma_seg seg,
			       drm_sgt_sync_fn sync)
{
	while (seg.len) {
		u64 len = min_t(u64, seg.len,
				PAGE_SIZE - offset_in_page(seg.addr));

		sync(sgt->sdev->dma_dev, seg.addr, len, sgt->dir);
		seg.addr += len;
		seg.len -= len;
	}
}

static int drm_sgt_sync(struct drm_sgt *sgt, u64 offset, u64 len,
			drm_sgt_sync_fn sync)
{
	struct drm_sgt_cpu_pos pos = {};
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	int ret;

	drm_sgt_access_scope(view, sgt, ret) {
		ret = drm_dma_iter_init(&iter, view, offset, len);
		if (ret) {
			drm_sgt_dbg(sgt->sdev, "sync of %llu bytes at %llu, of %llu\n",
				    len, offset, sgt->size);
			break;
		}
		if (drm_sgt_device_is_phys(sgt->sdev) ||
		    !dma_dev_need_sync(sgt->sdev->dma_dev))
			break;

		if (drm_sgt_is_import(sgt)) {
			while (drm_dma_iter_next(&iter, &seg))
				drm_sgt_sync_pages(sgt, seg, sync);
			break;
		}

		pos.sg = sgt->table.sgl;
		drm_sgt_cpu_take(&pos, offset);
		while (drm_dma_iter_next(&iter, &seg))
			drm_sgt_sync_seg(sgt, &pos, seg, sync);
	}
	return ret;
}

void drm_sgt_dma_sync_for_device(struct device *dev, dma_addr_t addr, size_t len,
				 enum dma_data_direction dir)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_sgt_dma_sync_for_device, dev, addr, len, dir);

	dma_sync_single_for_device(dev, addr, len, dir);
}

void drm_sgt_dma_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t len,
			      enum dma_data_direction dir)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_sgt_dma_sync_for_cpu, dev, addr, len, dir);

	dma_sync_single_for_cpu(dev, addr, len, dir);
}

/**
 * drm_sgt_sync_for_device() - let the device see what the CPU wrote
 * @sgt: the table, mapped
 * @offset: first byte of the range
 * @len: bytes
 *
 * Context: Process context. Enters an access section.
 * Return:
 * * %0       - done, or there was nothing to do
 * * %-ENODEV - the device is no longer bound
 * * %-EINVAL - the table is not mapped
 * * %-ERANGE - the table is shorter
 */
int drm_sgt_sync_for_device(struct drm_sgt *sgt, u64 offset, u64 len)
{
	return drm_sgt_sync(sgt, offset, len, drm_sgt_dma_sync_for_device);
}
EXPORT_SYMBOL_GPL(drm_sgt_sync_for_device);

/**
 * drm_sgt_sync_for_cpu() - let the CPU see what the device wrote
 * @sgt: the table, mapped
 * @offset: first byte of the range
 * @len: bytes
 *
 * Context: Process context. Enters an access section.
 * Return: see drm_sgt_sync_for_device()
 */
int drm_sgt_sync_for_cpu(struct drm_sgt *sgt, u64 offset, u64 len)
{
	return drm_sgt_sync(sgt, offset, len, drm_sgt_dma_sync_for_cpu);
}
EXPORT_SYMBOL_GPL(drm_sgt_sync_for_cpu);
