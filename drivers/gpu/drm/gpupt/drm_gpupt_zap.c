// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-fence.h>

#include "drm_gpupt_internal.h"

/* Entries that are looked at before commit_lock is dropped. */
#define DRM_GPUPT_ZAP_ENTRIES	1024

/* A zap in progress. */
struct drm_gpupt_zap {
	/* the rest of the range */
	u64 va;
	u64 end;
	/* the range of the leaves that were cleared; empty if @first is not below @last */
	u64 first;
	u64 last;
	/* entries until commit_lock is dropped */
	unsigned int left;
};

/* Clear an entry that points to no table, if it is a leaf. */
static void drm_gpupt_zap_entry(struct drm_gpupt *pt, const struct drm_gpupt_table *table,
				struct drm_gpupt_zap *zap)
{
	unsigned int index = drm_gpupt_index(pt, table->level, zap->va);
	u64 span = drm_gpupt_span(pt, table->level), va = zap->va & ~(span - 1);
	void *entry = drm_gpupt_entry(pt, table, index);
	struct drm_gpupt_extent extent = {};

	if (pt->fmt->read(entry, table->level, &extent) == DRM_GPUPT_ENTRY_NONE)
		return;

	pt->fmt->clear(entry, 1);
	drm_gpupt_table_sync(pt, table, index, 1);
	zap->first = min(zap->first, va);
	zap->last = max(zap->last, va + span);
}

static void drm_gpupt_zap_table(struct drm_gpupt *pt, const struct drm_gpupt_table *table,
				u64 end, struct drm_gpupt_zap *zap)
{
	struct drm_gpupt_table *child;

	child = drm_gpupt_table_live_from(pt, table, drm_gpupt_index(pt, table->level, zap->va));

	while (zap->va < end && zap->left) {
		u64 next = drm_gpupt_entry_end(pt, table->level, zap->va, end);

		zap->left--;
		if (child && child->slot == drm_gpupt_index(pt, table->level, zap->va)) {
			drm_gpupt_zap_table(pt, child, next, zap);
			child = drm_gpupt_table_live_next(child);
			continue;
		}
		drm_gpupt_zap_entry(pt, table, zap);
		zap->va = next;
	}
}

static void drm_gpupt_zap_some_locked(struct drm_gpupt *pt, struct drm_gpupt_zap *zap)
{
	lockdep_assert_held(&pt->commit_lock);

	zap->left = DRM_GPUPT_ZAP_ENTRIES;
	drm_gpupt_zap_table(pt, pt->root, zap->end, zap);
	if (zap->va >= zap->end && zap->first < zap->last) {
		struct drm_gpupt_flush flush = {
			.va = zap->first,
			.len = zap->last - zap->first,
		};

		drm_gpupt_flush_locked(pt, &flush);
	}
}

/**
 * drm_gpupt_zap() - clear the leaves of a range, without an operation
 * @pt: the page table
 * @va: first byte of the range
 * @len: bytes
 *
 * For memory that goes away before an unmap can be prepared, as in an MMU notifier or in
 * reclaim. Clears every leaf that has a byte of the range, and flushes. A leaf is cleared
 * as a whole, as a split needs memory; so up to the size of the largest leaf can be cleared
 * on both sides of the range.
 *
 * The plan stays as it is: what was cleared counts as mapped, and comes back when it is
 * unmapped and mapped again by operations. The driver keeps operations for the range that
 * are already prepared from being committed afterwards, if they use the old memory.
 *
 * Context: Process context, may sleep. Callable in reclaim and in the fence-signalling
 * path: allocates nothing, and waits only for commits.
 */
void drm_gpupt_zap(struct drm_gpupt *pt, u64 va, u64 len)
{
	struct drm_gpupt_zap zap = { .va = va, .first = U64_MAX };
	bool cookie;

	if (va >= pt->va_size)
		return;

	zap.end = va + min(len, pt->va_size - va);
	cookie = dma_fence_begin_signalling();
	while (zap.va < zap.end) {
		mutex_lock(&pt->commit_lock);
		drm_gpupt_zap_some_locked(pt, &zap);
		mutex_unlock(&pt->commit_lock);
		cond_resched();
	}
	dma_fence_end_signalling(cookie);
}
EXPORT_SYMBOL_GPL(drm_gpupt_zap);
