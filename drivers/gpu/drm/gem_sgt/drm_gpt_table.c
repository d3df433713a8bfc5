// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "drm_gpt_internal.h"

/**
 * drm_gpt_table_alloc() - make a table that has no memory yet
 * @fmt: of what
 * @level: its level; of a list's own table, 1
 *
 * Return: the table, or NULL
 */
struct drm_gpt_table *drm_gpt_table_alloc(const struct drm_gpt_fmt *fmt,
					  unsigned int level)
{
	unsigned int nr = 1u << fmt->level[level].bits;
	size_t map = BITS_TO_LONGS(nr) * sizeof(long);
	size_t list = nr * sizeof(struct drm_gpt_table *);
	struct drm_gpt_table *table;

	table = kzalloc(sizeof(*table) + map + (level ? map + 2 * list : 0), GFP_KERNEL);
	if (!table)
		return NULL;

	table->level = level;
	table->leaf = (void *)(table + 1);
	if (level) {
		table->below = (void *)table->leaf + map;
		table->child = (void *)table->below + map;
		table->live = (void *)table->child + list;
	}
	return table;
}

/**
 * drm_gpt_table_free() - free a table, and no other
 * @gpt: of which
 * @table: nothing refers to it
 * @unused: its memory is added to that, if it was the last table there
 */
void drm_gpt_table_free(struct drm_gpt *gpt, struct drm_gpt_table *table,
			struct list_head *unused)
{
	struct drm_gpt_mem *mem = table->mem;

	lockdep_assert_held(&gpt->plan_lock);

	if (mem) {
		WRITE_ONCE(gpt->tables, gpt->tables - 1);
		if (!--mem->tables)
			list_add(&mem->entry, unused);
	}
	kfree(table);
}

/**
 * drm_gpt_table_free_all() - free a table and what is planned to be below it
 * @gpt: of which
 * @table: nothing refers to it
 * @unused: memory is added to that
 */
void drm_gpt_table_free_all(struct drm_gpt *gpt, struct drm_gpt_table *table,
			    struct list_head *unused)
{
	unsigned int i;

	lockdep_assert_held(&gpt->plan_lock);

	if (table->level) {
		cond_resched();
		for_each_set_bit(i, table->below, drm_gpt_nr_entries(gpt, table->level))
			drm_gpt_table_free_all(gpt, table->child[i], unused);
	}
	drm_gpt_table_free(gpt, table, unused);
}

/**
 * drm_gpt_table_is_full() - is everything planned to be mapped?
 * @gpt: of which
 * @table: one of its tables
 *
 * Return: whether the range of @table has no hole
 */
bool drm_gpt_table_is_full(const struct drm_gpt *gpt,
			   const struct drm_gpt_table *table)
{
	unsigned int i, nr = drm_gpt_nr_entries(gpt, table->level);

	lockdep_assert_held(&gpt->plan_lock);

	if (table->used < nr)
		return false;
	if (table->level) {
		cond_resched();
		for_each_set_bit(i, table->below, nr)
			if (!drm_gpt_table_is_full(gpt, table->child[i]))
				return false;
	}
	return true;
}

/**
 * drm_gpt_table_sync() - let the device see what was written
 * @gpt: of which
 * @table: one of its tables
 * @first: the first entry
 * @count: entries
 */
void drm_gpt_table_sync(struct drm_gpt *gpt, const struct drm_gpt_table *table,
			unsigned int first, unsigned int count)
{
	struct drm_sgt *sgt = table->mem->sgt;
	u64 offset = (u64)table->index << PAGE_SHIFT;
	size_t size = gpt->fmt->entry_size;

	lockdep_assert_held(&gpt->commit_lock);

	if (!sgt || !gpt->sdev->dma_dev || !dma_dev_need_sync(gpt->sdev->dma_dev))
		return;

	/* Fails once the device is unbound, and reads nothing any more. */
	if (drm_sgt_sync_for_device(sgt, offset + first * size, count * size))
		drm_gpt_dbg(gpt, "a table is not synced\n");
}
