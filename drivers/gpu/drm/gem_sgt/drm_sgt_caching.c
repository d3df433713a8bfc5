// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>

#include "drm_sgt_sync.h"
#include "drm_sgt_table.h"

/**
 * DOC: caching
 *
 * Where DMA is not coherent, the device does not see what is in the caches of the CPU.
 * An object is mapped for the CPU in one of two ways:
 *
 * * cached, the default: the driver calls drm_sgt_sync_for_device() after the CPU has
 *   written and before the device reads, and drm_sgt_sync_for_cpu() after the device has
 *   written and before the CPU reads;
 * * write-combined (&drm_gem_sgt_object.map_wc): CPU mappings bypass the caches, and
 *   no such calls are needed. The CPU reads slowly.
 *
 * The choice is made before the object has pages. It holds for mmap() of the DRM file
 * and of the dma-buf, and for vmap by the driver and by importers.
 *
 * In four cases, an object with &drm_gem_sgt_object.map_wc is mapped cached all the
 * same, as nothing needs to bypass the caches:
 *
 * * The DMA of the device is coherent: it sees the caches. That includes all devices
 *   on x86, which does not allow mappings of one page that differ in caching.
 * * The device takes physical addresses.
 * * The device does no DMA. An importer's device sees what the CPU wrote before the
 *   importer mapped the object, and at each DMA_BUF_IOCTL_SYNC.
 * * The pages are allocated after unbind: no device reads them. Pages that are
 *   write-combined when the device is unbound stay write-combined.
 *
 * The kernel clears a new page through its own, cached mapping. The zeroes may still be
 * in the cache, while memory has the bytes of an earlier user. So, where DMA is not
 * coherent, the layer flushes pages, which here means to write the lines back and drop
 * them, at these times:
 *
 * * cached pages, each time they are mapped for the device;
 * * write-combined pages, when they are allocated. No CPU mapping exists yet: a line that
 *   is written back later would overwrite what the CPU wrote through it;
 * * cached pages that are evicted while they are mapped, unless the device only reads
 *   them. The flush leaves in memory, and so in swap, what the device has written. With a
 *   bounce buffer, it is not copied to the pages: they may have newer bytes of the CPU;
 * * write-combined pages in drm_sgt_depopulate(), as swap reads them through the cache.
 *
 * The kernel's linear mapping of write-combined pages stays cached. What reads through it
 * can see old bytes: a driver that uses kmap on a page of drm_sgt_run_iter_next(), a bounce
 * buffer, or an importer whose DMA is coherent while that of the exporter is not. With
 * a bounce buffer or such an importer, objects should be cached.
 */

/* The caller is in a section of the device. */
static bool drm_sgt_is_coherent(const struct drm_sgt *sgt)
{
	return sgt->map_ops->phys || drm_sgt_dma_is_coherent(sgt->sdev->dma_dev);
}

/*
 * Write back all cache lines of the pages and drop them. The DMA API does cache
 * maintenance for memory that is mapped only, so map the pages for the time of it: in
 * both directions, as a bounce buffer then gets the bytes that are copied back. The
 * caller is in a section of the device.
 */
static int drm_sgt_flush_locked(struct drm_sgt *sgt)
{
	struct device *dev = sgt->sdev->dma_dev;
	enum dma_data_direction old = sgt->dir;
	int ret;

	lockdep_assert_held(&sgt->lock);

	sgt->dir = DMA_BIDIRECTIONAL;
	ret = drm_sgt_dma_map(sgt);
	if (!ret) {
		drm_sgt_sync_table_for_device(dev, &sgt->table, sgt->dir);
		drm_sgt_sync_table_for_cpu(dev, &sgt->table, sgt->dir);
		drm_sgt_dma_unmap(sgt);
	}
	sgt->dir = old;
	return ret;
}

/*
 * Before the mapping of cached pages ends whose bytes are still needed: there can be cache
 * lines from before the device wrote. They are dropped when processes have stopped writing.
 */
void drm_sgt_caching_unmap_locked(struct drm_sgt *sgt)
{
	int idx;

	lockdep_assert_held(&sgt->lock);

	/* An unbind may be ending the mapping; within the section, it does not. */
	if (drm_sgt_device_enter(sgt->sdev, &idx))
		return;

	if (drm_sgt_get_state(sgt) == DRM_SGT_MAPPED && sgt->dir != DMA_TO_DEVICE &&
	    !sgt->wc && !drm_sgt_is_coherent(sgt))
		sgt->stale = true;
	drm_sgt_device_exit(sgt->sdev, idx);
}

/**
 * drm_sgt_set_wc() - request write-combined CPU mappings, or cached ones
 * @sgt: the table, EMPTY; its pages have no CPU mapping of another user
 * @wc: the request
 *
 * Context: Process context, may sleep.
 * Return:
 * * %0       - requested
 * * %-EBUSY  - the table has pages
 * * %-EINVAL - it is an import
 */
int drm_sgt_set_wc(struct drm_sgt *sgt, bool wc)
{
	guard(mutex)(&sgt->lock);

	if (!drm_sgt_has_pages(sgt)) {
		drm_sgt_dbg(sgt->sdev, "the exporter chooses the caching\n");
		return -EINVAL;
	}
	if (drm_sgt_get_state(sgt) != DRM_SGT_EMPTY) {
		drm_sgt_dbg(sgt->sdev, "the caching of pages cannot be changed\n");
		return -EBUSY;
	}

	sgt->want_wc = wc;
	return 0;
}

/* Decide for pages that are listed in the table, but not used yet. */
int drm_sgt_caching_begin_locked(struct drm_sgt *sgt)
{
	int idx, ret = 0;

	lockdep_assert_held(&sgt->lock);

	sgt->stale = false;
	if (!sgt->want_wc || drm_sgt_device_enter(sgt->sdev, &idx))
		return 0;

	if (!drm_sgt_is_coherent(sgt)) {
		ret = drm_sgt_flush_locked(sgt);
		sgt->wc = !ret;
	}
	drm_sgt_device_exit(sgt->sdev, idx);
	return ret;
}

/* Before pages are put whose bytes are still needed. */
int drm_sgt_caching_end_locked(struct drm_sgt *sgt)
{
	/* Borrowed pages are flushed when the lender puts them. */
	bool wc = sgt->wc && sgt->want_wc;
	int idx, ret;

	lockdep_assert_held(&sgt->lock);

	if (!wc && !sgt->stale)
		return 0;

	ret = drm_sgt_device_enter(sgt->sdev, &idx);
	if (ret)
		return wc ? ret : 0;

	ret = drm_sgt_flush_locked(sgt);
	drm_sgt_device_exit(sgt->sdev, idx);
	if (ret)
		return ret;

	if (wc)
		WRITE_ONCE(sgt->wc, false);
	sgt->stale = false;
	return 0;
}

pgprot_t drm_sgt_pgprot_wc(pgprot_t prot)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_sgt_pgprot_wc, prot);

	return pgprot_writecombine(prot);
}

/**
 * drm_sgt_pgprot() - the attributes of a CPU mapping
 * @sgt: the table, pinned
 * @prot: the attributes of a cached one
 *
 * Context: Any.
 * Return: @prot, or its write-combined form
 */
pgprot_t drm_sgt_pgprot(const struct drm_sgt *sgt, pgprot_t prot)
{
	return sgt->wc ? drm_sgt_pgprot_wc(prot) : prot;
}
