// SPDX-License-Identifier: GPL-2.0

#include <asm/barrier.h>
#include <linux/dma-fence.h>

#include "drm_gpt_internal.h"

/**
 * drm_gpt_fill_next() - the next run of neighbouring segments
 * @fill: whose &drm_gpt_fill.seg is used up
 *
 * For formats that bring a loop of their own.
 *
 * Context: Inside &drm_gpt_fmt.fill.
 * Return: whether there was one. There is: prepared is what the view has
 */
bool drm_gpt_fill_next(struct drm_gpt_fill *fill)
{
	return !WARN_ON_ONCE(!drm_dma_iter_next(&fill->iter, &fill->seg));
}
EXPORT_SYMBOL_GPL(drm_gpt_fill_next);

/* Write leaves of @table, from where @fill is. */
static void drm_gpt_write_leaves(struct drm_gpt *gpt, struct drm_gpt_fill *fill,
				 struct drm_gpt_table *table,
				 unsigned int first, unsigned int count)
{
	fill->entry = drm_gpt_entry(gpt, table, first);
	fill->count = count;
	fill->level = table->level;
	fill->shift = gpt->fmt->level[table->level].shift;
	gpt->fmt->fill(fill);
	drm_gpt_table_sync(gpt, table, first, count);
}

/*
 * Fill the table that a leaf becomes. The plan says that there is a leaf, but it
 * has no address if it was committed after an unbind.
 */
static void drm_gpt_write_split(struct drm_gpt *gpt, struct drm_gpt_edit *edit)
{
	void *entry = drm_gpt_entry(gpt, edit->table, edit->first);
	struct drm_gpt_table *child = edit->child;
	struct drm_gpt_fill fill = {};
	struct drm_gpt_run run = {};

	if (gpt->fmt->read(entry, edit->table->level, &run) != DRM_GPT_ENTRY_LEAF)
		return;

	fill.seg = run.seg;
	fill.prot = run.prot;
	drm_gpt_write_leaves(gpt, &fill, child, 0,
			     drm_gpt_nr_entries(gpt, child->level));
}

static void drm_gpt_write_clear(struct drm_gpt *gpt, struct drm_gpt_table *table,
				unsigned int first, unsigned int count)
{
	if (!table->entries)
		return;

	gpt->fmt->clear(drm_gpt_entry(gpt, table, first), count);
	drm_gpt_table_sync(gpt, table, first, count);
}

static void drm_gpt_write_link(struct drm_gpt *gpt, struct drm_gpt_edit *edit)
{
	drm_gpt_table_go_live(gpt, edit->table, edit->child);
	if (!edit->table->entries)
		return;

	/* The device finds a table that is complete. */
	dma_wmb();
	gpt->fmt->link(drm_gpt_entry(gpt, edit->table, edit->first),
		       edit->child->dma);
	drm_gpt_table_sync(gpt, edit->table, edit->first, 1);
}

static void drm_gpt_commit_edit(struct drm_gpt *gpt, struct drm_gpt_edit *edit,
				struct drm_gpt_fill *fill)
{
	switch (edit->what) {
	case DRM_GPT_STEP_NEW:
		break;
	case DRM_GPT_STEP_SPLIT:
		drm_gpt_write_split(gpt, edit);
		break;
	case DRM_GPT_STEP_MAP:
		if (fill)
			drm_gpt_write_leaves(gpt, fill, edit->table,
					     edit->first, edit->count);
		break;
	case DRM_GPT_STEP_CLEAR:
		drm_gpt_write_clear(gpt, edit->table, edit->first, edit->count);
		break;
	case DRM_GPT_STEP_LINK:
		drm_gpt_write_link(gpt, edit);
		break;
	case DRM_GPT_STEP_UNLINK:
		rb_erase(&edit->child->live_node, &edit->table->live);
		drm_gpt_write_clear(gpt, edit->table, edit->first, 1);
		break;
	}
}

static void drm_gpt_commit_locked(struct drm_gpt_op *op, struct drm_gpt_fill *fill)
{
	struct drm_gpt *gpt = op->gpt;
	unsigned int i;

	lockdep_assert_held(&gpt->commit_lock);

	/* Else it would be written into tables that do not exist yet. */
	if (WARN_ON_ONCE(op->state != DRM_GPT_OP_PREPARED ||
			 op->seq != gpt->committed + 1))
		return;

	for (i = 0; i < op->nr_edits; i++) {
		if (i)
			drm_gpt_relax(i);
		drm_gpt_commit_edit(gpt, &op->edits[i], fill);
	}

	WRITE_ONCE(gpt->committed, op->seq);
	op->state = DRM_GPT_OP_COMMITTED;
	if (op->flush && gpt->config->flush)
		gpt->config->flush(gpt->priv, op->va, op->len);
}

static void drm_gpt_commit_with(struct drm_gpt_op *op, struct drm_gpt_fill *fill)
{
	bool cookie = dma_fence_begin_signalling();

	mutex_lock(&op->gpt->commit_lock);
	drm_gpt_commit_locked(op, fill);
	mutex_unlock(&op->gpt->commit_lock);
	dma_fence_end_signalling(cookie);
}

/* The first entry can be one that the range begins in the middle of. */
static void drm_gpt_fill_begin(struct drm_gpt_fill *fill,
			       const struct drm_gpt_op *op)
{
	struct drm_dma_iter *iter = &fill->iter;

	fill->prot = op->prot;
	fill->merge = op->merge;
	fill->seg.len = 0;
	if (fill->merge)
		return;

	fill->seg = drm_dma_entry(iter->sg, iter->phys);
	fill->seg.addr += iter->skip;
	fill->seg.len -= iter->skip;
}

/**
 * drm_gpt_commit_map() - write what was prepared to be mapped
 * @op: the oldest operation that is prepared and not committed, a map
 * @view: the memory, as when it was prepared
 *
 * Context: Fence-signalling path, in process context. Inside the access section
 * of @view. Takes a mutex; calls &drm_gpt_config.flush if the device may know
 * what was there before.
 */
void drm_gpt_commit_map(struct drm_gpt_op *op, const struct drm_dma_view view)
{
	/* Not zeroed: see drm_gpt_prepare(). */
	struct drm_gpt_fill fill __uninitialized;

	if (WARN_ON_ONCE(!op->is_map) ||
	    WARN_ON_ONCE(drm_dma_iter_init(&fill.iter, view, op->offset, op->len))) {
		drm_gpt_commit_with(op, NULL);
		return;
	}

	drm_gpt_fill_begin(&fill, op);
	drm_gpt_commit_with(op, &fill);
}
EXPORT_SYMBOL_GPL(drm_gpt_commit_map);

/**
 * drm_gpt_commit() - write what was prepared to be unmapped
 * @op: the oldest operation that is prepared and not committed
 *
 * Also for a map whose memory has no address any more, as the device is no longer
 * bound: then its range stays empty, although it is planned to be mapped.
 *
 * Context: As drm_gpt_commit_map(), without the access section.
 */
void drm_gpt_commit(struct drm_gpt_op *op)
{
	drm_gpt_commit_with(op, NULL);
}
EXPORT_SYMBOL_GPL(drm_gpt_commit);
