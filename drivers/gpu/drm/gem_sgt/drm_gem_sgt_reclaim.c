// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/shmem_fs.h>

#include <drm/drm_device.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_print.h>

#include "drm_gem_sgt_object.h"
#include "drm_gem_sgt_shrinker.h"
#include "drm_sgt_table.h"

/**
 * DOC: reclaim
 *
 * An object that is not in use gives its memory back in one of two ways:
 *
 * * drm_gem_sgt_evict_locked() leaves the bytes to shmem, which writes them to swap. The
 *   next drm_gem_sgt_map(), pin, vmap, attachment or page fault gets them again. The
 *   DMA addresses are others then.
 * * drm_gem_sgt_purge_locked() discards the bytes of an object that userspace marked
 *   as not needed, with the driver's madvise ioctl and drm_gem_sgt_madvise_locked(). A
 *   page fault is a SIGBUS from then on; whatever else needs pages returns -EINVAL.
 *
 * Both end the mapping for the device, and zap the PTEs of processes. Before either of
 * them, the driver stops the device from using the object: its jobs have finished, and
 * the object is in no page table. Pages stay where they are while they are pinned, which
 * kernel mappings and importers do, and while an access section is open. An import has
 * no pages of its own. A CPU mapping of a process keeps no pages. An unbind that
 * is ending the mapping at that moment makes the call fail with -EBUSY; after the unbind,
 * an object can be evicted and purged as before, without a driver, but not evicted if
 * its pages are write-combined: see "caching".
 *
 * Both can be called in reclaim, by a shrinker, with a resv that was locked by
 * dma_resv_trylock().
 */

/* Pages stay for what is counted here. Stable under the resv, but for faults. */
static bool drm_gem_sgt_is_kept(const struct drm_gem_sgt_object *bo)
{
	return drm_gem_sgt_is_import(bo) || READ_ONCE(bo->pin_count) ||
	       atomic_read(&bo->sgt->pins);
}

/**
 * drm_gem_sgt_madvise_locked() - does userspace need the bytes of an object?
 * @bo: the object
 * @madv: 0 if it does (WILLNEED), greater than 0 if it does not (DONTNEED)
 *
 * For the madvise ioctl of a driver. Allocates and frees nothing. What was purged stays
 * purged.
 *
 * Context: Process context. The caller holds the resv of @bo.
 * Return: 1 if the bytes are there, in memory or in swap; 0 if they were purged
 */
int drm_gem_sgt_madvise_locked(struct drm_gem_sgt_object *bo, int madv)
{
	dma_resv_assert_held(bo->base.resv);

	if (bo->madv >= 0)
		WRITE_ONCE(bo->madv, madv);
	drm_gem_sgt_lru_update(bo);
	return bo->madv >= 0;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_madvise_locked);

/**
 * drm_gem_sgt_is_purgeable() - can an object be purged?
 * @bo: the object
 *
 * It can if userspace does not need it, nothing keeps its pages, and no other user has to
 * be asked: it has at most one handle, and was not shared as a dma-buf. The users of a
 * dma-buf can outlive the handle: what drm_gem_sgt_prime_export() has exported is never
 * purged.
 *
 * Context: Any. The answer lasts only as long as the caller holds the resv of @bo.
 * Return: true if drm_gem_sgt_purge_locked() need not fail
 */
bool drm_gem_sgt_is_purgeable(const struct drm_gem_sgt_object *bo)
{
	return READ_ONCE(bo->madv) > 0 && !READ_ONCE(bo->shared) &&
	       !READ_ONCE(bo->base.dma_buf) && READ_ONCE(bo->base.handle_count) <= 1 &&
	       !drm_gem_sgt_is_kept(bo);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_is_purgeable);

/* drm_gem_sgt_purge_locked(); without @unmap, -EBUSY if the object is mapped. */
int drm_gem_sgt_try_purge_locked(struct drm_gem_sgt_object *bo, bool unmap)
{
	int ret;

	dma_resv_assert_held(bo->base.resv);

	if (bo->madv < 0)
		return 0;

	ret = drm_gem_sgt_is_purgeable(bo) ? drm_sgt_purge(bo->sgt, unmap) : -EBUSY;
	if (ret) {
		drm_dbg(bo->base.dev, "purge: %pe\n", ERR_PTR(ret));
		return ret;
	}

	WRITE_ONCE(bo->madv, -1);
	shmem_truncate_range(file_inode(bo->base.filp), 0, (loff_t)-1);
	drm_gem_sgt_lru_update(bo);
	return 0;
}

/* drm_gem_sgt_evict_locked(); without @unmap, -EBUSY if the object is mapped. */
int drm_gem_sgt_try_evict_locked(struct drm_gem_sgt_object *bo, bool unmap)
{
	int ret;

	dma_resv_assert_held(bo->base.resv);

	ret = drm_sgt_evict(bo->sgt, unmap);
	if (ret)
		drm_dbg(bo->base.dev, "evict: %pe\n", ERR_PTR(ret));
	drm_gem_sgt_lru_update(bo);
	return ret;
}

/**
 * drm_gem_sgt_purge_locked() - discard the bytes of an object
 * @bo: the object, purgeable, which the device does not use
 *
 * Ends the mapping, zaps the PTEs of processes, frees the pages, and what is in swap.
 * See "reclaim". Nothing happens if the object was purged before.
 *
 * Context: Process context, may sleep, in reclaim too. The caller holds the resv of @bo.
 * Not inside an access section.
 * Return:
 * * %0      - purged, and &drm_gem_sgt_object.madv is negative
 * * %-EBUSY - not purgeable; or an access section of the object is open, it is being
 *   mapped or populated, or an unbind is ending the mapping
 */
int drm_gem_sgt_purge_locked(struct drm_gem_sgt_object *bo)
{
	dma_resv_assert_held(bo->base.resv);

	return drm_gem_sgt_try_purge_locked(bo, true);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_purge_locked);

/**
 * drm_gem_sgt_evict_locked() - leave the bytes of an object to shmem
 * @bo: the object, which the device does not use
 *
 * Ends the mapping, zaps the PTEs of processes, and gives the pages back. See "reclaim".
 * Where DMA is not coherent, the caches are flushed: see "caching". A bounce buffer is not
 * copied, as it can be older than the pages: if the device has written, the driver calls
 * drm_sgt_sync_for_cpu() first.
 *
 * Context: Process context, may sleep, in reclaim too. The caller holds the resv of @bo.
 * Not inside an access section.
 * Return:
 * * %0       - the object has no pages; its bytes can be swapped out
 * * %-EBUSY  - something keeps the pages; or an access section of the object is open, it
 *   is being mapped or populated, or an unbind is ending the mapping
 * * %-EINVAL - @bo is an import
 * * %-ENODEV - its pages are write-combined, and the device is no longer bound
 * * for write-combined pages, see drm_sgt_map(): they are mapped to be flushed
 */
int drm_gem_sgt_evict_locked(struct drm_gem_sgt_object *bo)
{
	dma_resv_assert_held(bo->base.resv);

	return drm_gem_sgt_try_evict_locked(bo, true);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_evict_locked);
