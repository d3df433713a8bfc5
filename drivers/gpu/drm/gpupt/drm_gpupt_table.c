// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "drm_gpupt_internal.h"

/*
 * What a table knows of the tables below it is made of what these bring along: it takes
 * no memory that a commit or an abort could be short of, and none for entries that are
 * no tables.
 */

/**
 * drm_gpupt_table_alloc() - make a table that has no memory yet
 * @fmt: of what
 * @level: its level
 * @slot: its entry in the table above
 *
 * Return: the table, or NULL
 */
struct drm_gpupt_table *drm_gpupt_table_alloc(const struct drm_gpupt_fmt *fmt,
					      unsigned int level, unsigned int slot)
{
	struct drm_gpupt_table *table;

	table = kzalloc(struct_size(table, leaf, BITS_TO_LONGS(1u << fmt->level[level].bits)),
			GFP_KERNEL_ACCOUNT);
	if (!table)
		return NULL;

	table->level = level;
	table->slot = slot;
	return table;
}

#define drm_gpupt_of_planned(node) rb_entry(node, struct drm_gpupt_table, planned_node)
#define drm_gpupt_of_live(node) rb_entry(node, struct drm_gpupt_table, live_node)

static bool drm_gpupt_planned_less(struct rb_node *a, const struct rb_node *b)
{
	return drm_gpupt_of_planned(a)->slot < drm_gpupt_of_planned(b)->slot;
}

static bool drm_gpupt_live_less(struct rb_node *a, const struct rb_node *b)
{
	return drm_gpupt_of_live(a)->slot < drm_gpupt_of_live(b)->slot;
}

static int drm_gpupt_planned_cmp(const void *index, const struct rb_node *node)
{
	return (int)*(const unsigned int *)index - drm_gpupt_of_planned(node)->slot;
}

/**
 * drm_gpupt_table_planned() - the table that an entry is planned to point to
 * @pt: of which
 * @table: has the entry
 * @index: of the entry
 *
 * Return: the table below, or NULL
 */
struct drm_gpupt_table *drm_gpupt_table_planned(struct drm_gpupt *pt,
						struct drm_gpupt_table *table,
						unsigned int index)
{
	struct rb_node *node;

	lockdep_assert_held(&pt->plan_lock);

	/* What is mapped next is near to what was mapped last. */
	if (table->recent && table->recent->slot == index)
		return table->recent;

	node = rb_find(&index, &table->planned, drm_gpupt_planned_cmp);
	if (!node)
		return NULL;

	table->recent = drm_gpupt_of_planned(node);
	return table->recent;
}

/**
 * drm_gpupt_table_plans_any() - does any of some entries point to a table?
 * @pt: of which
 * @table: has the entries
 * @index: the first one
 * @count: how many
 *
 * Return: whether one is planned to
 */
bool drm_gpupt_table_plans_any(struct drm_gpupt *pt, const struct drm_gpupt_table *table,
			       unsigned int index, unsigned int count)
{
	struct rb_node *node = table->planned.rb_node;

	lockdep_assert_held(&pt->plan_lock);

	while (node) {
		unsigned int slot = drm_gpupt_of_planned(node)->slot;

		if (slot < index)
			node = node->rb_right;
		else if (slot >= index + count)
			node = node->rb_left;
		else
			return true;
	}
	return false;
}

/**
 * drm_gpupt_table_plan() - an entry is planned to point to a table
 * @pt: of which
 * @table: has the entry, which is planned to point to none
 * @child: the table below
 */
void drm_gpupt_table_plan(struct drm_gpupt *pt, struct drm_gpupt_table *table,
			  struct drm_gpupt_table *child)
{
	lockdep_assert_held(&pt->plan_lock);

	rb_add(&child->planned_node, &table->planned, drm_gpupt_planned_less);
	table->recent = child;
}

/**
 * drm_gpupt_table_unplan() - an entry is no longer planned to point to a table
 * @pt: of which
 * @table: has the entry
 * @child: the table below
 */
void drm_gpupt_table_unplan(struct drm_gpupt *pt, struct drm_gpupt_table *table,
			    struct drm_gpupt_table *child)
{
	lockdep_assert_held(&pt->plan_lock);

	rb_erase(&child->planned_node, &table->planned);
	if (table->recent == child)
		table->recent = NULL;
}

/**
 * drm_gpupt_table_live_from() - the next table that an entry points to
 * @pt: of which
 * @table: has the entries
 * @index: of the first one
 *
 * Return: the first table below, at @index or behind it, or NULL
 */
struct drm_gpupt_table *drm_gpupt_table_live_from(struct drm_gpupt *pt,
						  const struct drm_gpupt_table *table,
						  unsigned int index)
{
	struct rb_node *node = table->live.rb_node, *found = NULL;

	lockdep_assert_held(&pt->commit_lock);

	while (node) {
		if (drm_gpupt_of_live(node)->slot < index) {
			node = node->rb_right;
		} else {
			found = node;
			node = node->rb_left;
		}
	}
	return rb_entry_safe(found, struct drm_gpupt_table, live_node);
}

/**
 * drm_gpupt_table_go_live() - an entry points to a table
 * @pt: of which
 * @table: has the entry, which points to none
 * @child: the table below
 */
void drm_gpupt_table_go_live(struct drm_gpupt *pt, struct drm_gpupt_table *table,
			     struct drm_gpupt_table *child)
{
	lockdep_assert_held(&pt->commit_lock);

	rb_add(&child->live_node, &table->live, drm_gpupt_live_less);
}

/**
 * drm_gpupt_table_free() - free a table, and no other
 * @pt: of which
 * @table: nothing refers to it
 * @unused: its memory is added to that, if it was the last table there
 */
void drm_gpupt_table_free(struct drm_gpupt *pt, struct drm_gpupt_table *table,
			  struct list_head *unused)
{
	lockdep_assert_held(&pt->plan_lock);

	if (table->mem)
		drm_gpupt_mem_drop(pt, table->mem, table->index, unused);
	kfree(table);
}

/**
 * drm_gpupt_table_free_all() - free a table and what is planned to be below it
 * @pt: of which
 * @table: nothing refers to it
 * @unused: memory is added to that
 */
void drm_gpupt_table_free_all(struct drm_gpupt *pt, struct drm_gpupt_table *table,
			      struct list_head *unused)
{
	struct drm_gpupt_table *child, *next;

	lockdep_assert_held(&pt->plan_lock);

	if (table->level) {
		cond_resched();
		rbtree_postorder_for_each_entry_safe(child, next, &table->planned, planned_node)
			drm_gpupt_table_free_all(pt, child, unused);
	}
	drm_gpupt_table_free(pt, table, unused);
}

/**
 * drm_gpupt_table_is_full() - is everything planned to be mapped?
 * @pt: of which
 * @table: one of its tables
 *
 * Return: whether the range of @table has no hole
 */
bool drm_gpupt_table_is_full(const struct drm_gpupt *pt,
			     const struct drm_gpupt_table *table)
{
	struct drm_gpupt_table *child;

	lockdep_assert_held(&pt->plan_lock);

	if (table->used < drm_gpupt_nr_entries(pt, table->level))
		return false;
	if (table->level) {
		cond_resched();
		for (child = drm_gpupt_table_planned_first(table); child;
		     child = drm_gpupt_table_planned_next(child))
			if (!drm_gpupt_table_is_full(pt, child))
				return false;
	}
	return true;
}

/**
 * drm_gpupt_table_sync() - let the device see what was written
 * @pt: of which
 * @table: one of its tables
 * @first: the first entry
 * @count: entries
 */
void drm_gpupt_table_sync(struct drm_gpupt *pt, const struct drm_gpupt_table *table,
			  unsigned int first, unsigned int count)
{
	struct device *dev = drm_sgt_device_dma_dev(pt->sdev);
	u64 offset = (u64)table->index << PAGE_SHIFT;
	struct drm_sgt *sgt = table->mem->sgt;
	size_t size = pt->fmt->entry_size;

	lockdep_assert_held(&pt->commit_lock);

	if (!sgt || !dev || !dma_dev_need_sync(dev))
		return;

	/* Fails once the device is unbound, and reads nothing any more. */
	if (drm_sgt_sync_for_device(sgt, offset + first * size, count * size))
		drm_gpupt_dbg(pt, "a table is not synced\n");
}
