// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>

#include "drm_sgt_sync.h"
#include "drm_sgt_table.h"

/**
 * DOC: syncing
 *
 * A device sees what the CPU wrote before the table was mapped. After that, the driver
 * says which bytes to sync: drm_sgt_sync_for_device() after the CPU has written and
 * before the device reads, drm_sgt_sync_for_cpu() after the device has written. Behind a
 * bounce buffer this is where the bytes are copied; on a coherent device
 * without one it costs nothing. What it costs depends on the length of the range
 * and not on where it begins.
 *
 * The exporter does the cache maintenance of imported memory, between the two
 * calls of DMA_BUF_IOCTL_SYNC. That memory need not be in the linear map, where the
 * DMA API would look for it. Exporters do not sync the bounce buffers of their
 * importers, so the calls above do. On a device that is not coherent, the DMA API
 * cannot sync a bounce buffer without cache maintenance, and the calls above do
 * nothing for an import.
 *
 * An unbind does not sync the layer's own pages either. Afterwards, they hold what
 * the CPU wrote last.
 */

typedef void (*drm_sgt_sync_fn)(struct device *dev, dma_addr_t addr, size_t len,
				enum dma_data_direction dir);

/* A position in the entries of a table, as the device or the CPU sees them. */
struct drm_sgt_ent_pos {
	struct scatterlist *sg;
	u64 skip;
	bool dma;
};

static u64 drm_sgt_ent_len(const struct drm_sgt_ent_pos *pos)
{
	return pos->dma ? sg_dma_len(pos->sg) : pos->sg->length;
}

static void drm_sgt_ent_take(struct drm_sgt_ent_pos *pos, u64 len)
{
	pos->skip += len;
	while (pos->sg && pos->skip >= drm_sgt_ent_len(pos)) {
		pos->skip -= drm_sgt_ent_len(pos);
		pos->sg = sg_next(pos->sg);
	}
}

static void drm_sgt_ent_seek(struct drm_sgt_ent_pos *pos, u64 offset,
			     const struct drm_dma_index *index)
{
	const struct drm_dma_mark *mark = drm_dma_index_find(index, offset);

	if (mark) {
		pos->sg = mark->sg;
		offset -= mark->offset;
	}
	drm_sgt_ent_take(pos, offset);
}

bool drm_sgt_dma_need_sync(struct device *dev, dma_addr_t addr)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_sgt_dma_need_sync, dev, addr);

	return dma_need_sync(dev, addr);
}

/*
 * CONFIG_DMA_API_DEBUG checks even a sync that does nothing, and cannot tell it from
 * a sync of another mapping of the same memory.
 */
static void drm_sgt_sync_ent(struct device *dev, dma_addr_t addr, size_t len,
			     enum dma_data_direction dir, drm_sgt_sync_fn sync)
{
	if (drm_sgt_dma_need_sync(dev, addr))
		sync(dev, addr, len, dir);
}

/*
 * A segment that an IOMMU merged is contiguous for the device only. The DMA API
 * looks up the physical address of where a sync starts and goes on from there,
 * so no sync may go over the end of a CPU entry. @cpu is the position in the CPU
 * entries; it has no entry if nothing is merged.
 */
static void drm_sgt_sync_ents(struct device *dev, struct drm_sgt_ent_pos dma,
			      struct drm_sgt_ent_pos cpu, u64 len,
			      enum dma_data_direction dir, drm_sgt_sync_fn sync)
{
	while (len) {
		u64 part = min(len, drm_sgt_ent_len(&dma) - dma.skip);

		if (cpu.sg)
			part = min(part, drm_sgt_ent_len(&cpu) - cpu.skip);
		drm_sgt_sync_ent(dev, sg_dma_address(dma.sg) + dma.skip, part, dir, sync);
		drm_sgt_ent_take(&dma, part);
		drm_sgt_ent_take(&cpu, part);
		len -= part;
		cond_resched();
	}
}

bool drm_sgt_dma_is_coherent(struct device *dev)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_sgt_dma_is_coherent, dev);

	return dev_is_dma_coherent(dev);
}

/*
 * An import has no CPU entries, and the table of its exporter need not have any. None
 * are needed: a bounce buffer is behind one entry, and what is bounced is never merged.
 */
static void drm_sgt_sync_range(struct drm_sgt *sgt, u64 offset, u64 len,
			       drm_sgt_sync_fn sync)
{
	struct drm_sgt_ent_pos dma = { .sg = sgt->mapped->sgl, .dma = true };
	struct drm_sgt_ent_pos cpu = {};

	drm_sgt_ent_seek(&dma, offset, &sgt->index);
	if (drm_sgt_table_is_merged(&sgt->table)) {
		cpu.sg = sgt->table.sgl;
		drm_sgt_ent_seek(&cpu, offset, &sgt->cpu_index);
	}
	drm_sgt_sync_ents(sgt->sdev->dma_dev, dma, cpu, len, sgt->dir, sync);
}

static int drm_sgt_sync(struct drm_sgt *sgt, u64 offset, u64 len,
			drm_sgt_sync_fn sync)
{
	int ret;

	drm_sgt_access_scope(view, sgt, ret) {
		ret = drm_dma_view_check(view, offset, len);
		if (ret) {
			drm_sgt_dbg(sgt->sdev, "sync of %llu bytes at %llu, of %llu\n",
				    len, offset, sgt->size);
			break;
		}
		if (sgt->map_ops->needs_sync(sgt))
			drm_sgt_sync_range(sgt, offset, len, sync);
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

static void drm_sgt_sync_table(struct device *dev, const struct sg_table *table,
			       enum dma_data_direction dir, drm_sgt_sync_fn sync)
{
	struct drm_sgt_ent_pos dma = { .sg = table->sgl, .dma = true };
	struct drm_sgt_ent_pos cpu = {};
	struct scatterlist *sg;
	unsigned int i;
	u64 len = 0;

	if (!dma_dev_need_sync(dev))
		return;

	for_each_sgtable_dma_sg(table, sg, i)
		len += sg_dma_len(sg);
	if (drm_sgt_table_is_merged(table))
		cpu.sg = table->sgl;
	drm_sgt_sync_ents(dev, dma, cpu, len, dir, sync);
}

/**
 * drm_sgt_sync_table_for_device() - let an importer's device see our pages
 * @dev: the device that @table is mapped for
 * @table: from drm_sgt_dup_table(), mapped; its page links are not read, as
 *	CONFIG_DMABUF_DEBUG mangles them
 * @dir: direction of the mapping
 *
 * Context: Process context, may sleep.
 */
void drm_sgt_sync_table_for_device(struct device *dev, const struct sg_table *table,
				   enum dma_data_direction dir)
{
	drm_sgt_sync_table(dev, table, dir, drm_sgt_dma_sync_for_device);
}

/**
 * drm_sgt_sync_table_for_cpu() - see what an importer's device wrote
 * @dev: the device that @table is mapped for
 * @table: as for drm_sgt_sync_table_for_device()
 * @dir: direction of the mapping
 *
 * Context: Process context, may sleep.
 */
void drm_sgt_sync_table_for_cpu(struct device *dev, const struct sg_table *table,
				enum dma_data_direction dir)
{
	drm_sgt_sync_table(dev, table, dir, drm_sgt_dma_sync_for_cpu);
}

/**
 * drm_sgt_sync_for_device() - let the device see what the CPU wrote
 * @sgt: the table, mapped
 * @offset: first byte of the range
 * @len: bytes
 *
 * Context: Process context, may sleep. Enters an access section.
 * Return:
 * * %0       - done, or there was nothing to do
 * * %-ENODEV - the device is no longer bound
 * * %-EINVAL - the table is not mapped
 * * %-ERANGE - the range is not within the table
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
 * Context: Process context, may sleep. Enters an access section.
 * Return: see drm_sgt_sync_for_device()
 */
int drm_sgt_sync_for_cpu(struct drm_sgt *sgt, u64 offset, u64 len)
{
	return drm_sgt_sync(sgt, offset, len, drm_sgt_dma_sync_for_cpu);
}
EXPORT_SYMBOL_GPL(drm_sgt_sync_for_cpu);
