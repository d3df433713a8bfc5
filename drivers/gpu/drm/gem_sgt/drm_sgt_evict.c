// SPDX-License-Identifier: GPL-2.0

#include "drm_sgt_table.h"
#include "drm_sgt_trace.h"

/*
 * Take the pages from a table that its device does not use. An eviction leaves the bytes to
 * the source, and a purge discards them. Reclaim calls both, so neither waits for a lock: if
 * the table is busy, they fail, and change nothing.
 */

static void drm_sgt_was_evicted_locked(struct drm_sgt *sgt, bool purge)
{
	lockdep_assert_held(&sgt->lock);

	if (purge)
		trace_drm_sgt_purge(sgt);
	else
		trace_drm_sgt_evict(sgt);
	sgt->purged = purge;
	sgt->evicted = !purge;
}

static int drm_sgt_evict_locked(struct drm_sgt *sgt, bool purge, bool unmap)
{
	enum drm_sgt_state state = drm_sgt_get_state(sgt);
	int ret;

	lockdep_assert_held(&sgt->lock);

	if (!drm_sgt_has_pages(sgt))
		return -EINVAL;
	if (atomic_read_acquire(&sgt->pins))
		return -EBUSY;
	/* The caller has seen no mapping: the device may be using this one. */
	if (!unmap && state == DRM_SGT_MAPPED)
		return -EBUSY;
	/* Leave the mapping alone if the pages will stay in any case. */
	if (!purge && sgt->wc && drm_sgt_device_is_gone(sgt->sdev))
		return -ENODEV;

	if (!purge)
		drm_sgt_caching_unmap_locked(sgt);
	ret = drm_sgt_device_try_remove(sgt->sdev, sgt);
	if (ret)
		return ret;

	ret = drm_sgt_give_back_locked(sgt, purge);
	if (!ret && (purge || state != DRM_SGT_EMPTY))
		drm_sgt_was_evicted_locked(sgt, purge);
	return ret;
}

static int drm_sgt_try_evict(struct drm_sgt *sgt, bool purge, bool unmap)
{
	int ret;

	/* Memory is allocated under the lock: reclaim must not wait for it. */
	if (!mutex_trylock(&sgt->lock))
		return -EBUSY;

	ret = drm_sgt_evict_locked(sgt, purge, unmap);
	mutex_unlock(&sgt->lock);
	return ret;
}

/**
 * drm_sgt_evict() - end the mapping of a table, and give the pages back
 * @sgt: the table, which its device does not use
 * @unmap: end the mapping; else the table keeps its pages if there is one
 *
 * The bytes stay in the source. The next drm_sgt_populate() gets pages again.
 *
 * Context: Process context, may sleep, in reclaim too: allocates nothing that enters
 * reclaim, and waits for no lock under which that happens. Not inside an access section.
 * Return:
 * * %0       - the table is EMPTY
 * * %-EBUSY  - its pages are pinned, an access section is open, another operation is in
 *   progress, an unbind is ending the mapping, or it is MAPPED and @unmap is not set
 * * %-EINVAL - it is an import
 * * %-ENODEV - its pages are write-combined, and the device is no longer bound: see
 *   drm_sgt_depopulate()
 * * see drm_sgt_map(), where DMA is not coherent, for pages that are write-combined, or
 *   that the device may have written: they are mapped to be flushed; the table is BACKED
 */
int drm_sgt_evict(struct drm_sgt *sgt, bool unmap)
{
	return drm_sgt_try_evict(sgt, false, unmap);
}

/**
 * drm_sgt_purge() - drm_sgt_evict(), for bytes that are not needed any more
 * @sgt: the table, which its device does not use
 * @unmap: see drm_sgt_evict()
 *
 * The table gets no pages from here on: drm_sgt_populate() returns -EINVAL. The caller
 * discards the bytes in the source.
 *
 * Context: see drm_sgt_evict()
 * Return: 0, -EBUSY or -EINVAL, see drm_sgt_evict()
 */
int drm_sgt_purge(struct drm_sgt *sgt, bool unmap)
{
	return drm_sgt_try_evict(sgt, true, unmap);
}
