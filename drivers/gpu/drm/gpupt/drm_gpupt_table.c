// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "drm_gpupt_internal.h"

/*
 * A table finds the tables below it in red-black trees, whose nodes are part of those
 * tables. So a commit and an abort need no memory to link a table, and other entries take
 * none.
 */

/**
 * drm_gpupt_table_alloc() - allocate a table that has no entries yet
 * @fmt: the format
 * @level: its level
 * @slot: index of its entry in the table above
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
 * drm_gpupt_table_planned() - find the table that an entry points to in the plan
 * @pt: the page table
 * @table: the table with the entry
 * @index: index of the entry
 *
 * Return: the table below, or NULL
 */
struct drm_gpupt_table *drm_gpupt_table_planned(struct drm_gpupt *pt,
						struct drm_gpupt_table *table,
						unsigned int index)
{
	struct rb_node *node;

	lockdep_assert_held(&pt->plan_lock);

	/* The next range is often close to the last one. */
	if (table->recent && table->recent->slot == index)
		return table->recent;

	node = rb_find(&index, &table->planned, drm_gpupt_planned_cmp);
	if (!node)
		return NULL;

	table->recent = drm_gpupt_of_planned(node);
	return table->recent;
}

/**
 * drm_gpupt_table_plans_any() - does any of several entries point to a table?
 * @pt: the page table
 * @table: the table with the entries
 * @index: index of the first entry
 * @count: number of entries
 *
 * Return: whether one of them points to a table in the plan
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
 * drm_gpupt_table_plan() - link a table in the plan
 * @pt: the page table
 * @table: the table above; the entry at the slot of @child points to no table
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
 * drm_gpupt_table_unplan() - unlink a table in the plan
 * @pt: the page table
 * @table: the table above
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
 * drm_gpupt_table_live_from() - find the next live table below a table
 * @pt: the page table
 * @table: the table above
 * @index: index of the first entry to look at
 *
 * Return: the first table below whose entry is at @index or after it, or NULL
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
 * drm_gpupt_table_go_live() - record a table as live
 * @pt: the page table
 * @table: the table above; the entry at the slot of @child points to no table
 * @child: the table below
 */
void drm_gpupt_table_go_live(struct drm_gpupt *pt, struct drm_gpupt_table *table,
			     struct drm_gpupt_table *child)
{
	lockdep_assert_held(&pt->commit_lock);

	rb_add(&child->live_node, &table->live, drm_gpupt_live_less);
}

/**
 * drm_gpupt_table_free() - free a table, and none of those below it
 * @pt: the page table
 * @table: the table; nothing refers to it
 * @unused: a list that gets its memory, if no other table uses that
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
 * drm_gpupt_table_free_all() - free a table and all tables below it in the plan
 * @pt: the page table
 * @table: the table; nothing refers to it
 * @unused: a list that gets the memory that no other table uses
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
 * drm_gpupt_table_is_full() - is the whole range of a table mapped in the plan?
 * @pt: the page table
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
 * drm_gpupt_table_sync() - make written entries visible to the device
 * @pt: the page table
 * @table: one of its tables
 * @first: index of the first entry
 * @count: number of entries
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

	/* Fails only when the device is unbound, and no longer reads the tables. */
	if (drm_sgt_sync_for_device(sgt, offset + first * size, count * size))
		drm_gpupt_dbg(pt, "a table is not synced\n");
}
