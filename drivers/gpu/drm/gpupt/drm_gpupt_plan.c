// SPDX-License-Identifier: GPL-2.0

#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "drm_gpupt_internal.h"

/*
 * Find the steps of an operation in a walk from the root, which updates the plan on the
 * way. The order of the steps is safe while the device reads the live table: a table is
 * filled before it is linked.
 */

/* Does the limit allow one more table, counting those planned for this operation? */
static bool drm_gpupt_plan_has_room(const struct drm_gpupt_plan *plan)
{
	unsigned long max = plan->pt->config->max_tables;

	if (!max || plan->pt->pages + plan->op->nr_tables < max)
		return true;

	drm_gpupt_dbg(plan->pt, "more than %lu tables\n", max);
	return false;
}

/*
 * Plan a new table, empty or split from a leaf, for entry @index of @parent. The
 * operation owns it until it is linked.
 */
static struct drm_gpupt_table *
drm_gpupt_plan_table(struct drm_gpupt_plan *plan, enum drm_gpupt_step_kind kind,
		     struct drm_gpupt_table *parent, unsigned int index)
{
	struct drm_gpupt_table *child;
	struct drm_gpupt_step *step;

	if (!drm_gpupt_plan_has_room(plan))
		return ERR_PTR(-ENOSPC);

	child = drm_gpupt_table_alloc(plan->pt->fmt, parent->level - 1, index);
	if (!child)
		return ERR_PTR(-ENOMEM);

	step = drm_gpupt_op_add_step(plan->op, kind, parent, index);
	if (!step) {
		kfree(child);
		return ERR_PTR(-ENOMEM);
	}
	step->child = child;
	plan->op->nr_tables++;
	if (kind == DRM_GPUPT_STEP_SPLIT) {
		child->used = drm_gpupt_nr_entries(plan->pt, child->level);
		bitmap_fill(child->leaf, child->used);
	}
	return child;
}

/* Plan to point an entry to @child; it is empty, or the leaf that @child was split from. */
static int drm_gpupt_plan_link(struct drm_gpupt_plan *plan,
			       struct drm_gpupt_table *table,
			       struct drm_gpupt_table *child, unsigned int index)
{
	struct drm_gpupt_step *step;

	step = drm_gpupt_op_add_step(plan->op, DRM_GPUPT_STEP_LINK, table, index);
	if (!step)
		return -ENOMEM;

	step->child = child;
	step->was_leaf = __test_and_clear_bit(index, table->leaf);
	if (!step->was_leaf)
		table->used++;
	drm_gpupt_table_plan(plan->pt, table, child);
	return 0;
}

/* Plan to unlink @child with all tables below it. */
static int drm_gpupt_plan_unlink(struct drm_gpupt_plan *plan,
				 struct drm_gpupt_table *table,
				 struct drm_gpupt_table *child)
{
	struct drm_gpupt_step *step;

	step = drm_gpupt_op_add_step(plan->op, DRM_GPUPT_STEP_UNLINK, table, child->slot);
	if (!step)
		return -ENOMEM;

	step->child = child;
	drm_gpupt_table_unplan(plan->pt, table, child);
	table->used--;
	plan->op->flush = true;
	plan->op->drops = true;
	return 0;
}

/*
 * Called before a descent: user space chooses the length of the range, and so the number
 * of descents. A prepare ends here if its task is being killed.
 */
static int drm_gpupt_plan_pause(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* Can entries hold the address of the segment, and cover it with whole leaves? */
static int drm_gpupt_plan_check_seg(struct drm_gpupt_plan *plan)
{
	const struct drm_gpupt_fmt *fmt = plan->pt->fmt;
	struct drm_dma_seg seg = plan->seg;
	u64 mask = drm_gpupt_span(plan->pt, 0) - 1;
	bool last = !plan->iter.left;

	if (fls64(seg.addr + seg.len - 1) > fmt->addr_bits)
		return -EOVERFLOW;
	if (seg.addr & mask || (seg.len & mask && !(fmt->partial_last_leaf && last)))
		return -EINVAL;
	return 0;
}

/* Load and check the next segment if none is left over; after the last there is none. */
static int drm_gpupt_plan_peek(struct drm_gpupt_plan *plan)
{
	if (plan->seg.len || !drm_dma_iter_next(&plan->iter, &plan->seg))
		return 0;

	return drm_gpupt_plan_check_seg(plan);
}

/*
 * Skip @len bytes of the segments. After the last segment, @len can exceed what is left
 * by less than a leaf.
 */
static int drm_gpupt_plan_advance(struct drm_gpupt_plan *plan, u64 len)
{
	while (len) {
		int ret = drm_gpupt_plan_peek(plan);
		u64 part = min(len, plan->seg.len);

		if (ret || !part)
			return ret;
		plan->seg.addr += part;
		plan->seg.len -= part;
		len -= part;
	}
	return 0;
}

/* The number of leaves that can be written to @table from @va on; 0 for a table below. */
static u64 drm_gpupt_plan_count(const struct drm_gpupt_plan *plan,
				const struct drm_gpupt_table *table, unsigned int index,
				u64 va, u64 end)
{
	const struct drm_gpupt_level *level = &plan->pt->fmt->level[table->level];
	u64 left = min((1ull << level->bits) - index, (end - va) >> level->shift);

	if (!table->level)
		return left;
	if (!level->leaf || !plan->op->merge ||
	    (va | plan->seg.addr) & (BIT_ULL(level->shift) - 1))
		return 0;

	return min(left, plan->seg.len >> level->shift);
}

static bool drm_gpupt_table_is_clean(struct drm_gpupt *pt,
				     const struct drm_gpupt_table *table,
				     unsigned int index, unsigned int count)
{
	unsigned int end = index + count;

	return find_next_bit(table->leaf, end, index) == end &&
	       (!table->level || !drm_gpupt_table_plans_any(pt, table, index, count));
}

/* Add leaves to the last step, or in a new one. */
static int drm_gpupt_plan_write(struct drm_gpupt_op *op, enum drm_gpupt_step_kind kind,
				struct drm_gpupt_table *table, unsigned int index,
				unsigned int count)
{
	struct drm_gpupt_step *step = NULL;

	if (op->nr_steps)
		step = &op->steps[op->nr_steps - 1];
	if (step && step->kind == kind && step->table == table &&
	    step->first + step->count == index) {
		step->count += count;
		return 0;
	}

	step = drm_gpupt_op_add_step(op, kind, table, index);
	if (!step)
		return -ENOMEM;
	step->count = count;
	return 0;
}

/* Plan leaves in entries that are empty. */
static int drm_gpupt_plan_new(struct drm_gpupt_op *op, struct drm_gpupt_table *table,
			      unsigned int index, unsigned int count)
{
	int ret = drm_gpupt_plan_write(op, DRM_GPUPT_STEP_MAP, table, index, count);

	if (ret)
		return ret;
	bitmap_set(table->leaf, index, count);
	table->used += count;
	return 0;
}

/* Plan a leaf in place of @child with all tables below it. */
static int drm_gpupt_plan_collapse(struct drm_gpupt_plan *plan,
				   struct drm_gpupt_table *table,
				   struct drm_gpupt_table *child)
{
	struct drm_gpupt_step *step;

	step = drm_gpupt_op_add_step(plan->op, DRM_GPUPT_STEP_COLLAPSE, table, child->slot);
	if (!step)
		return -ENOMEM;

	step->child = child;
	drm_gpupt_table_unplan(plan->pt, table, child);
	__set_bit(child->slot, table->leaf);
	plan->op->flush = true;
	plan->op->drops = true;
	return 0;
}

/* Plan leaves over what the entries are: leaves, empty, or tables. */
static int drm_gpupt_plan_over(struct drm_gpupt_plan *plan, struct drm_gpupt_table *table,
			       unsigned int index, unsigned int count)
{
	unsigned int end = index + count, next;
	struct drm_gpupt_table *child;
	int ret = 0;

	for (; index < end && !ret; index = next) {
		child = table->level ? drm_gpupt_table_planned(plan->pt, table, index) : NULL;
		if (child) {
			next = index + 1;
			ret = drm_gpupt_plan_collapse(plan, table, child);
		} else if (test_bit(index, table->leaf)) {
			next = find_next_zero_bit(table->leaf, end, index);
			plan->op->flush = true;
			ret = drm_gpupt_plan_write(plan->op, DRM_GPUPT_STEP_REPLACE, table,
						   index, next - index);
		} else {
			/* One at a time where the next one could be a table. */
			next = table->level ? index + 1 : find_next_bit(table->leaf, end, index);
			ret = drm_gpupt_plan_new(plan->op, table, index, next - index);
		}
	}
	return ret;
}

static int drm_gpupt_plan_leaves(struct drm_gpupt_plan *plan,
				 struct drm_gpupt_table *table, unsigned int index,
				 unsigned int count)
{
	struct drm_gpupt_op *op = plan->op;
	int ret;

	if (drm_gpupt_table_is_clean(plan->pt, table, index, count))
		ret = drm_gpupt_plan_new(op, table, index, count);
	else
		ret = op->replace ? drm_gpupt_plan_over(plan, table, index, count) : -EEXIST;
	if (ret)
		return ret;

	return op->merge ? drm_gpupt_plan_advance(plan, (u64)count <<
						  plan->pt->fmt->level[table->level].shift) : 0;
}

/* The number of entries of @table that a range touches. */
static u64 drm_gpupt_plan_touched(const struct drm_gpupt *pt,
				  const struct drm_gpupt_table *table, u64 va, u64 end)
{
	unsigned int shift = pt->fmt->level[table->level].shift;

	return ((end - 1) >> shift) - (va >> shift) + 1;
}

/* The lowest planned table where the range touches several entries, or is exactly one. */
static struct drm_gpupt_table *
drm_gpupt_plan_descend(struct drm_gpupt *pt, u64 va, u64 end)
{
	struct drm_gpupt_table *table = pt->root, *child;
	const u64 len = end - va, differ = va ^ (end - 1);

	while (table->level) {
		const struct drm_gpupt_level *level = &pt->fmt->level[table->level];

		if (differ >> level->shift || len == BIT_ULL(level->shift))
			break;
		child = drm_gpupt_table_planned(pt, table,
						(va >> level->shift) & (BIT(level->bits) - 1));
		if (!child)
			break;
		table = child;
	}
	return table;
}

static int drm_gpupt_plan_map_table(struct drm_gpupt_plan *plan,
				    struct drm_gpupt_table *table, u64 va, u64 end);

static int drm_gpupt_plan_map_below(struct drm_gpupt_plan *plan,
				    struct drm_gpupt_table *table, u64 va, u64 end)
{
	unsigned int index = drm_gpupt_index(plan->pt, table->level, va);
	enum drm_gpupt_step_kind kind = DRM_GPUPT_STEP_NEW;
	struct drm_gpupt_table *child;
	int ret;

	if (test_bit(index, table->leaf)) {
		if (!plan->op->replace)
			return -EEXIST;
		/* The rest of the leaf stays mapped. */
		if (end - va < drm_gpupt_span(plan->pt, table->level))
			kind = DRM_GPUPT_STEP_SPLIT;
		plan->op->flush = true;
	}
	ret = drm_gpupt_plan_pause();
	if (ret)
		return ret;

	child = drm_gpupt_table_planned(plan->pt, table, index);
	if (child)
		return drm_gpupt_plan_map_table(plan, child, va, end);

	child = drm_gpupt_plan_table(plan, kind, table, index);
	if (IS_ERR(child))
		return PTR_ERR(child);

	ret = drm_gpupt_plan_map_table(plan, child, va, end);
	return ret ?: drm_gpupt_plan_link(plan, table, child, index);
}

static int drm_gpupt_plan_map_table(struct drm_gpupt_plan *plan,
				    struct drm_gpupt_table *table, u64 va, u64 end)
{
	struct drm_gpupt *pt = plan->pt;
	unsigned int level = table->level;

	while (va < end) {
		int ret = plan->op->merge ? drm_gpupt_plan_peek(plan) : 0;
		unsigned int index = drm_gpupt_index(pt, level, va);
		u64 count, next;

		if (ret)
			return ret;

		count = drm_gpupt_plan_count(plan, table, index, va, end);
		if (count) {
			next = va + (count << pt->fmt->level[level].shift);
			ret = drm_gpupt_plan_leaves(plan, table, index, count);
		} else {
			next = drm_gpupt_entry_end(pt, level, va, end);
			ret = drm_gpupt_plan_map_below(plan, table, va, next);
		}
		if (ret)
			return ret;
		va = next;
	}
	return 0;
}

/**
 * drm_gpupt_plan_map() - plan to map a range
 * @plan: the operation, and its segments
 * @va: first byte
 * @end: first byte after it
 *
 * Return: 0 or a negative errno: see drm_gpupt_prepare_map()
 */
int drm_gpupt_plan_map(struct drm_gpupt_plan *plan, u64 va, u64 end)
{
	lockdep_assert_held(&plan->pt->plan_lock);

	return drm_gpupt_plan_map_table(plan, drm_gpupt_plan_descend(plan->pt, va, end),
					va, end);
}

/* Returns 1 if @table has no other entries: the caller unlinks it instead. */
static int drm_gpupt_plan_clear(struct drm_gpupt_plan *plan,
				struct drm_gpupt_table *table, unsigned int index,
				unsigned int count)
{
	struct drm_gpupt_step *step;

	if (count == table->used && table != plan->pt->root)
		return 1;

	step = drm_gpupt_op_add_step(plan->op, DRM_GPUPT_STEP_CLEAR, table, index);
	if (!step)
		return -ENOMEM;

	step->count = count;
	bitmap_clear(table->leaf, index, count);
	table->used -= count;
	plan->op->flush = true;
	return 0;
}

static int drm_gpupt_plan_unmap_table(struct drm_gpupt_plan *plan,
				      struct drm_gpupt_table *table, u64 va, u64 end);

/* Split a leaf that the range covers in part, and unmap the range from its new table. */
static int drm_gpupt_plan_split(struct drm_gpupt_plan *plan,
				struct drm_gpupt_table *table, unsigned int index,
				u64 va, u64 end)
{
	struct drm_gpupt_table *child;
	int ret;

	child = drm_gpupt_plan_table(plan, DRM_GPUPT_STEP_SPLIT, table, index);
	if (IS_ERR(child))
		return PTR_ERR(child);

	ret = drm_gpupt_plan_unmap_table(plan, child, va, end);
	return ret ?: drm_gpupt_plan_link(plan, table, child, index);
}

/* Unmap a part of the range of an entry that points to a table, or, with @whole, all of it. */
static int drm_gpupt_plan_unmap_below(struct drm_gpupt_plan *plan,
				      struct drm_gpupt_table *table, u64 va, u64 end,
				      bool whole)
{
	unsigned int index = drm_gpupt_index(plan->pt, table->level, va);
	struct drm_gpupt_table *child = drm_gpupt_table_planned(plan->pt, table, index);
	int ret;

	if (!child)
		return -ENOENT;
	ret = drm_gpupt_plan_pause();
	if (ret)
		return ret;

	if (whole)
		ret = drm_gpupt_table_is_full(plan->pt, child) ? 1 : -ENOENT;
	else
		ret = drm_gpupt_plan_unmap_table(plan, child, va, end);
	return ret > 0 ? drm_gpupt_plan_unlink(plan, table, child) : ret;
}

/* Unmap adjacent leaves, or the range of one entry; sets @next to the end of that. */
static int drm_gpupt_plan_unmap_some(struct drm_gpupt_plan *plan,
				     struct drm_gpupt_table *table, u64 va, u64 end,
				     u64 *next)
{
	struct drm_gpupt *pt = plan->pt;
	unsigned int shift = pt->fmt->level[table->level].shift;
	unsigned int index = drm_gpupt_index(pt, table->level, va);
	unsigned int stop;
	bool whole;

	*next = drm_gpupt_entry_end(pt, table->level, va, end);
	whole = *next - va == drm_gpupt_span(pt, table->level);
	if (!table->level && !whole)
		return -EINVAL;
	if (!test_bit(index, table->leaf))
		return table->level ? drm_gpupt_plan_unmap_below(plan, table, va, *next,
								 whole) : -ENOENT;
	if (!whole)
		return drm_gpupt_plan_split(plan, table, index, va, *next);

	stop = min_t(u64, drm_gpupt_nr_entries(pt, table->level),
		     index + ((end - va) >> shift));
	stop = find_next_zero_bit(table->leaf, stop, index);
	*next = va + ((u64)(stop - index) << shift);
	return drm_gpupt_plan_clear(plan, table, index, stop - index);
}

/* Returns 1 if nothing will be left in @table: the caller unlinks it. */
static int drm_gpupt_plan_unmap_table(struct drm_gpupt_plan *plan,
				      struct drm_gpupt_table *table, u64 va, u64 end)
{
	while (va < end) {
		u64 next;
		int ret = drm_gpupt_plan_unmap_some(plan, table, va, end, &next);

		/* The table is empty, so the rest of the range has a hole. */
		if (ret > 0)
			return next < end ? -ENOENT : 1;
		if (ret)
			return ret;
		va = next;
	}
	return !table->used && table != plan->pt->root;
}

/**
 * drm_gpupt_plan_unmap() - plan to unmap a range
 * @plan: the operation
 * @va: first byte
 * @end: first byte after it
 *
 * Return: 0 or a negative errno: see drm_gpupt_prepare_unmap()
 */
int drm_gpupt_plan_unmap(struct drm_gpupt_plan *plan, u64 va, u64 end)
{
	struct drm_gpupt *pt = plan->pt;
	struct drm_gpupt_table *table;

	lockdep_assert_held(&pt->plan_lock);

	/* If it keeps an entry, it is not unlinked, and no table above it changes. */
	table = drm_gpupt_plan_descend(pt, va, end);
	if (table->used <= drm_gpupt_plan_touched(pt, table, va, end))
		table = pt->root;
	return drm_gpupt_plan_unmap_table(plan, table, va, end);
}
