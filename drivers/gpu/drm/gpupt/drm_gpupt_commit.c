// SPDX-License-Identifier: GPL-2.0

#include <asm/barrier.h>
#include <linux/dma-fence.h>

#include "drm_gpupt_internal.h"

/* Leaves of scattered memory that a format writes in one call; limited by the stack. */
#define DRM_GPUPT_FILL_BATCH	64

/* The memory that the leaves map. */
struct drm_gpupt_source {
	/* the rest of the segment that is written now */
	struct drm_dma_seg seg;
	/* the segments after @seg */
	struct drm_dma_iter iter;
	u32 prot;
};

/* Take up to @count leaves from the current segment, which is not empty. */
static void drm_gpupt_take_seg(struct drm_gpupt_source *source,
			       struct drm_gpupt_fill *fill, unsigned int count)
{
	struct drm_dma_seg *seg = &source->seg;
	u64 taken;

	/* The last page of a range can be partial. */
	fill->count = clamp(seg->len >> fill->shift, 1, count);
	fill->addrs = NULL;
	fill->addr = seg->addr;

	taken = (u64)fill->count << fill->shift;
	seg->addr += taken;
	seg->len -= min(seg->len, taken);
}

/* Take the next leaves, up to @count. The memory has as many as were prepared. */
static bool drm_gpupt_take_leaves(struct drm_gpupt_source *source,
				  struct drm_gpupt_fill *fill, dma_addr_t *addrs,
				  unsigned int count)
{
	if (!source->seg.len) {
		fill->addrs = addrs;
		fill->count = drm_dma_iter_next_blocks(&source->iter, fill->shift, addrs,
						       min(count, DRM_GPUPT_FILL_BATCH));
		if (fill->count)
			return true;
		if (WARN_ON_ONCE(!drm_dma_iter_next(&source->iter, &source->seg)))
			return false;
	}
	drm_gpupt_take_seg(source, fill, count);
	return true;
}

/* Write leaves to @table, for the next memory of @source. */
static void drm_gpupt_write_leaves(struct drm_gpupt *pt, struct drm_gpupt_source *source,
				   struct drm_gpupt_table *table,
				   unsigned int first, unsigned int count)
{
	dma_addr_t addrs[DRM_GPUPT_FILL_BATCH] __uninitialized;
	struct drm_gpupt_fill fill = {
		.entry = drm_gpupt_entry(pt, table, first),
		.level = table->level,
		.shift = pt->fmt->level[table->level].shift,
		.prot = source->prot,
	};
	unsigned int left = count;

	while (left && drm_gpupt_take_leaves(source, &fill, addrs, left)) {
		pt->fmt->fill(&fill);
		fill.entry += fill.count * pt->fmt->entry_size;
		left -= fill.count;
	}
	drm_gpupt_table_sync(pt, table, first, count);
}

/*
 * Fill the table that replaces a leaf. If the map of the leaf was committed after an
 * unbind, the plan has the leaf, but the live entry is empty.
 */
static void drm_gpupt_write_split(struct drm_gpupt *pt, struct drm_gpupt_step *step)
{
	void *entry = drm_gpupt_entry(pt, step->table, step->first);
	struct drm_gpupt_table *child = step->child;
	struct drm_gpupt_source source = {};
	struct drm_gpupt_extent extent = {};

	if (pt->fmt->read(entry, step->table->level, &extent) != DRM_GPUPT_ENTRY_LEAF)
		return;

	source.seg = extent.seg;
	source.prot = extent.prot;
	drm_gpupt_write_leaves(pt, &source, child, 0,
			       drm_gpupt_nr_entries(pt, child->level));
}

static void drm_gpupt_write_clear(struct drm_gpupt *pt, struct drm_gpupt_table *table,
				  unsigned int first, unsigned int count)
{
	pt->fmt->clear(drm_gpupt_entry(pt, table, first), count);
	drm_gpupt_table_sync(pt, table, first, count);
}

static void drm_gpupt_write_link(struct drm_gpupt *pt, struct drm_gpupt_step *step)
{
	drm_gpupt_table_go_live(pt, step->table, step->child);

	/* The device must see the entries of the table before its address. */
	dma_wmb();
	pt->fmt->link(drm_gpupt_entry(pt, step->table, step->first),
		      step->child->dma);
	drm_gpupt_table_sync(pt, step->table, step->first, 1);
}

static void drm_gpupt_commit_step(struct drm_gpupt *pt, struct drm_gpupt_step *step,
				  struct drm_gpupt_source *source)
{
	switch (step->kind) {
	case DRM_GPUPT_STEP_NEW:
		break;
	case DRM_GPUPT_STEP_SPLIT:
		drm_gpupt_write_split(pt, step);
		break;
	case DRM_GPUPT_STEP_MAP:
		if (source)
			drm_gpupt_write_leaves(pt, source, step->table,
					       step->first, step->count);
		break;
	case DRM_GPUPT_STEP_COLLAPSE:
		rb_erase(&step->child->live_node, &step->table->live);
		fallthrough;
	case DRM_GPUPT_STEP_REPLACE:
		if (source)
			drm_gpupt_write_leaves(pt, source, step->table,
					       step->first, step->count);
		else
			drm_gpupt_write_clear(pt, step->table, step->first, step->count);
		break;
	case DRM_GPUPT_STEP_CLEAR:
		drm_gpupt_write_clear(pt, step->table, step->first, step->count);
		break;
	case DRM_GPUPT_STEP_LINK:
		drm_gpupt_write_link(pt, step);
		break;
	case DRM_GPUPT_STEP_UNLINK:
		rb_erase(&step->child->live_node, &step->table->live);
		drm_gpupt_write_clear(pt, step->table, step->first, 1);
		break;
	}
}

/**
 * drm_gpupt_flush_locked() - flush the device, if there is something to flush
 * @pt: the page table
 * @flush: what is outdated
 */
void drm_gpupt_flush_locked(struct drm_gpupt *pt, const struct drm_gpupt_flush *flush)
{
	lockdep_assert_held(&pt->commit_lock);

	if (flush->len && pt->config->flush)
		pt->config->flush(pt->priv, flush);
}

/* Add what an operation has made outdated. A range between two is flushed, too. */
static void drm_gpupt_flush_add(const struct drm_gpupt_op *op, struct drm_gpupt_flush *flush)
{
	u64 end = op->va + round_up(op->len, drm_gpupt_span(op->pt, 0));

	if (flush->len)
		end = max(end, flush->va + flush->len);
	flush->va = flush->len ? min(flush->va, op->va) : op->va;
	flush->len = end - flush->va;
	flush->tables |= op->drops;
}

static void drm_gpupt_commit_locked(struct drm_gpupt_op *op, struct drm_gpupt_source *source,
				    struct drm_gpupt_flush *gather)
{
	struct drm_gpupt_flush flush = {};
	struct drm_gpupt *pt = op->pt;
	unsigned int i;

	lockdep_assert_held(&pt->commit_lock);

	/* Out of order, it could write to tables that are not linked yet. */
	if (WARN_ON_ONCE(op->state != DRM_GPUPT_OP_PREPARED ||
			 op->seq != pt->committed + 1))
		return;

	for (i = 0; i < op->nr_steps; i++) {
		if (i)
			drm_gpupt_relax(i);
		drm_gpupt_commit_step(pt, &op->steps[i], source);
	}

	WRITE_ONCE(pt->committed, op->seq);
	op->state = DRM_GPUPT_OP_COMMITTED;
	if (!op->flush)
		return;
	drm_gpupt_flush_add(op, gather ?: &flush);
	if (!gather)
		drm_gpupt_flush_locked(pt, &flush);
	else if (!pt->gathered)
		pt->gathered = op->seq;
}

static void drm_gpupt_commit_with(struct drm_gpupt_op *op, struct drm_gpupt_source *source,
				  struct drm_gpupt_flush *gather)
{
	bool cookie = dma_fence_begin_signalling();

	mutex_lock(&op->pt->commit_lock);
	drm_gpupt_commit_locked(op, source, gather);
	mutex_unlock(&op->pt->commit_lock);
	dma_fence_end_signalling(cookie);
}

/**
 * drm_gpupt_commit_map() - commit a map
 * @op: the oldest operation that is prepared and not committed, a map
 * @view: the same memory as in the prepare
 *
 * Calls &drm_gpupt_config.flush only if @op is from drm_gpupt_prepare_replace(), and
 * replaces something: otherwise the entries were empty before.
 *
 * Context: Fence-signalling path, in process context. Inside the access section
 * of @view. Takes a mutex.
 */
void drm_gpupt_commit_map(struct drm_gpupt_op *op, const struct drm_dma_view view)
{
	/* Not zeroed: see drm_gpupt_prepare(). */
	struct drm_gpupt_source source __uninitialized;

	if (WARN_ON_ONCE(!op->is_map) ||
	    WARN_ON_ONCE(drm_dma_iter_init(&source.iter, view, op->offset, op->len))) {
		drm_gpupt_commit_with(op, NULL, NULL);
		return;
	}

	source.seg.len = 0;
	source.prot = op->prot;
	drm_gpupt_commit_with(op, &source, NULL);
}
EXPORT_SYMBOL_GPL(drm_gpupt_commit_map);

/**
 * drm_gpupt_commit() - commit an unmap
 * @op: the oldest operation that is prepared and not committed
 *
 * Calls &drm_gpupt_config.flush with the range. Also commits a map whose memory has no
 * DMA address any more, as the device is unbound: the range stays empty in the live
 * table, although the plan has it mapped.
 *
 * Context: As drm_gpupt_commit_map(), but needs no access section.
 */
void drm_gpupt_commit(struct drm_gpupt_op *op)
{
	drm_gpupt_commit_with(op, NULL, NULL);
}
EXPORT_SYMBOL_GPL(drm_gpupt_commit);

/**
 * drm_gpupt_commit_gather() - commit an unmap, and flush later
 * @op: as for drm_gpupt_commit()
 * @gather: gets what @op makes outdated, in addition to what it has already
 *
 * For a job of several operations, which needs one flush then. The job commits its maps
 * with drm_gpupt_commit_map(), in any order with these, and ends with
 * drm_gpupt_flush_gathered(). Until then, the device may use what was unmapped, also
 * where something else is mapped now.
 *
 * Ownership: the caller owns @gather. One page table has one at a time.
 *
 * Context: As drm_gpupt_commit().
 */
void drm_gpupt_commit_gather(struct drm_gpupt_op *op, struct drm_gpupt_flush *gather)
{
	drm_gpupt_commit_with(op, NULL, gather);
}
EXPORT_SYMBOL_GPL(drm_gpupt_commit_gather);

/**
 * drm_gpupt_flush_gathered() - flush what commits have gathered
 * @pt: the page table
 * @gather: from drm_gpupt_commit_gather(); has nothing afterwards
 *
 * Calls &drm_gpupt_config.flush once, with a range that includes all of @gather. Does
 * nothing if @gather has nothing.
 *
 * Context: As drm_gpupt_commit(). Before the job signals its fence.
 */
void drm_gpupt_flush_gathered(struct drm_gpupt *pt, struct drm_gpupt_flush *gather)
{
	bool cookie = dma_fence_begin_signalling();

	mutex_lock(&pt->commit_lock);
	drm_gpupt_flush_locked(pt, gather);
	pt->gathered = 0;
	mutex_unlock(&pt->commit_lock);
	dma_fence_end_signalling(cookie);
	*gather = (struct drm_gpupt_flush) {};
}
EXPORT_SYMBOL_GPL(drm_gpupt_flush_gathered);

/**
 * drm_gpupt_flush_late() - flush for an operation whose gather was not flushed
 * @op: committed, unlinks tables
 *
 * The device must not read a table that is freed.
 */
void drm_gpupt_flush_late(struct drm_gpupt_op *op)
{
	struct drm_gpupt_flush flush = {};

	guard(mutex)(&op->pt->commit_lock);

	if (!op->pt->gathered || op->seq < op->pt->gathered)
		return;
	drm_gpupt_flush_add(op, &flush);
	drm_gpupt_flush_locked(op->pt, &flush);
}
