/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GPUPT_INTERNAL_H__
#define __DRM_GPUPT_INTERNAL_H__

#include <linux/bitmap.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/sched.h>

#include <drm/drm_gpupt.h>
#include <drm/drm_gpupt_fmt.h>
#include <drm/drm_print.h>

/* Few, as one table that is still in use keeps the pages of all. */
#define DRM_GPUPT_MEM_MAX_PAGES	32

/**
 * struct drm_gpupt_mem - pages for some tables, mapped for DMA together
 *
 * Freed with the last of the tables.
 */
struct drm_gpupt_mem {
	/** @pt: the page table, whose config frees @pages */
	const struct drm_gpupt *pt;
	/** @sgt: maps @pages; NULL with &drm_gpupt_config.cpu_only */
	struct drm_sgt *sgt;
	/** @tables: tables that use a page; protected by &drm_gpupt.plan_lock */
	unsigned int tables;
	/** @nr_pages: length of @pages */
	unsigned int nr_pages;
	/** @entry: links it into a list to be freed, once @tables is 0 */
	struct list_head entry;
	/** @pages: owned; zeroed when allocated; NULL for a page that is already freed */
	struct page *pages[] __counted_by(nr_pages);
};

/**
 * struct drm_gpupt_table - one table of the tree
 *
 * Members that are marked as part of the plan are protected by
 * &drm_gpupt.plan_lock, those of the live table by &drm_gpupt.commit_lock. The
 * others are constant once the table has its memory.
 */
struct drm_gpupt_table {
	/** @mem: has the page of @entries */
	struct drm_gpupt_mem *mem;
	/** @index: index of the page in @mem */
	unsigned int index;
	/**
	 * @entries: the memory that the device reads; written under
	 * &drm_gpupt.commit_lock
	 */
	void *entries;
	/** @dma: DMA address of @entries; the physical address if they are not mapped */
	dma_addr_t dma;
	/** @level: 0 is the lowest */
	u8 level;
	/** @slot: index of its entry in the table above */
	u16 slot;
	/** @used: plan: entries that are not empty */
	unsigned int used;
	/** @planned: plan: the tables below, by @slot */
	struct rb_root planned;
	/** @planned_node: plan: links it into @planned of the table above */
	struct rb_node planned_node;
	/** @recent: plan: the table in @planned that was used last, or NULL */
	struct drm_gpupt_table *recent;
	/** @live: live: the tables below, by @slot */
	struct rb_root live;
	/** @live_node: live: links it into @live of the table above */
	struct rb_node live_node;
	/** @leaf: plan: bitmap of the entries that are leaves */
	unsigned long leaf[];
};

/**
 * struct drm_gpupt - a page table
 *
 * It has two states: the plan, which prepares and aborts change, and the live table,
 * which commits change. &struct drm_gpupt_table has both.
 *
 * Lock order: the locks of drm_sgt nest inside &drm_gpupt.plan_lock. The engine takes no
 * lock inside &drm_gpupt.commit_lock, and allocates no memory there, as it is taken in
 * the fence-signalling path. Neither of the two nests inside the other.
 */
struct drm_gpupt {
	/** @fmt: constant */
	const struct drm_gpupt_fmt *fmt;
	/** @va_size: size of the VA space, in bytes; constant */
	u64 va_size;
	/** @large_leaf: size of the smallest leaf above level 0, or 0; constant */
	u64 large_leaf;
	/** @sdev: maps the tables; refcounted; constant */
	struct drm_sgt_device *sdev;
	/** @config: constant, not NULL */
	const struct drm_gpupt_config *config;
	/** @priv: for @config; constant */
	void *priv;
	/** @root: constant */
	struct drm_gpupt_table *root;

	/** @plan_lock: protects the plan */
	struct mutex plan_lock;
	/** @planned: sequence number of the newest prepared operation; protected by @plan_lock */
	u64 planned;
	/** @tables: tables that exist; written under @plan_lock, read without a lock */
	unsigned long tables;
	/** @pages: pages of tables; protected by @plan_lock */
	unsigned long pages;

	/** @commit_lock: protects the live table */
	struct mutex commit_lock;
	/** @committed: number of the last committed operation; written under @commit_lock */
	u64 committed;
	/**
	 * @gathered: number of the first operation that was gathered and is not flushed;
	 * 0 for none; protected by @commit_lock
	 */
	u64 gathered;
};

/* Steps of an operation that are done or undone between two reschedules. */
#define DRM_GPUPT_BATCH	64

/* Called before iteration @i of a loop whose length user space chooses. */
static inline void drm_gpupt_relax(unsigned int i)
{
	if (!(i % DRM_GPUPT_BATCH))
		cond_resched();
}

#define drm_gpupt_dbg(pt, fmt, ...)						\
	drm_dev_dbg(drm_sgt_device_dma_dev((pt)->sdev), DRM_UT_DRIVER, fmt,	\
		    ##__VA_ARGS__)

static inline unsigned int drm_gpupt_nr_entries(const struct drm_gpupt *pt,
						unsigned int level)
{
	return 1u << pt->fmt->level[level].bits;
}

/* The bytes that an entry covers. */
static inline u64 drm_gpupt_span(const struct drm_gpupt *pt, unsigned int level)
{
	return BIT_ULL(pt->fmt->level[level].shift);
}

static inline unsigned int drm_gpupt_index(const struct drm_gpupt *pt,
					   unsigned int level, u64 va)
{
	return (va >> pt->fmt->level[level].shift) &
	       (drm_gpupt_nr_entries(pt, level) - 1);
}

/* The end of the entry that covers @va, or @end if that is lower. */
static inline u64 drm_gpupt_entry_end(const struct drm_gpupt *pt,
				      unsigned int level, u64 va, u64 end)
{
	u64 span = drm_gpupt_span(pt, level);

	return min((va & ~(span - 1)) + span, end);
}

static inline void *drm_gpupt_entry(const struct drm_gpupt *pt,
				    const struct drm_gpupt_table *table,
				    unsigned int index)
{
	return table->entries + index * pt->fmt->entry_size;
}

/* The first planned table below @table, or NULL. */
static inline struct drm_gpupt_table *
drm_gpupt_table_planned_first(const struct drm_gpupt_table *table)
{
	return rb_entry_safe(rb_first(&table->planned), struct drm_gpupt_table, planned_node);
}

/* The planned table after @table, or NULL. */
static inline struct drm_gpupt_table *
drm_gpupt_table_planned_next(const struct drm_gpupt_table *table)
{
	return rb_entry_safe(rb_next(&table->planned_node), struct drm_gpupt_table,
			     planned_node);
}

/* The live table after @table, or NULL. */
static inline struct drm_gpupt_table *
drm_gpupt_table_live_next(const struct drm_gpupt_table *table)
{
	return rb_entry_safe(rb_next(&table->live_node), struct drm_gpupt_table, live_node);
}

/* drm_gpupt_table.c */
struct drm_gpupt_table *drm_gpupt_table_alloc(const struct drm_gpupt_fmt *fmt,
					      unsigned int level, unsigned int slot);
struct drm_gpupt_table *drm_gpupt_table_planned(struct drm_gpupt *pt,
						struct drm_gpupt_table *table,
						unsigned int index);
bool drm_gpupt_table_plans_any(struct drm_gpupt *pt, const struct drm_gpupt_table *table,
			       unsigned int index, unsigned int count);
void drm_gpupt_table_plan(struct drm_gpupt *pt, struct drm_gpupt_table *table,
			  struct drm_gpupt_table *child);
void drm_gpupt_table_unplan(struct drm_gpupt *pt, struct drm_gpupt_table *table,
			    struct drm_gpupt_table *child);
struct drm_gpupt_table *drm_gpupt_table_live_from(struct drm_gpupt *pt,
						  const struct drm_gpupt_table *table,
						  unsigned int index);
void drm_gpupt_table_go_live(struct drm_gpupt *pt, struct drm_gpupt_table *table,
			     struct drm_gpupt_table *child);
void drm_gpupt_table_free(struct drm_gpupt *pt, struct drm_gpupt_table *table,
			  struct list_head *unused);
void drm_gpupt_table_free_all(struct drm_gpupt *pt, struct drm_gpupt_table *table,
			      struct list_head *unused);
bool drm_gpupt_table_is_full(const struct drm_gpupt *pt,
			     const struct drm_gpupt_table *table);
void drm_gpupt_table_sync(struct drm_gpupt *pt, const struct drm_gpupt_table *table,
			  unsigned int first, unsigned int count);

/* drm_gpupt_mem.c */
struct drm_gpupt_mem *drm_gpupt_mem_alloc(const struct drm_gpupt *pt,
					  unsigned int tables);
int drm_gpupt_mem_give(struct drm_gpupt *pt, struct drm_gpupt_mem *mem,
		       struct drm_gpupt_table **tables);
void drm_gpupt_mem_drop(struct drm_gpupt *pt, struct drm_gpupt_mem *mem, unsigned int index,
			struct list_head *unused);
void drm_gpupt_mem_free_list(struct list_head *unused);

/* drm_gpupt_commit.c */
void drm_gpupt_flush_locked(struct drm_gpupt *pt, const struct drm_gpupt_flush *flush);
void drm_gpupt_flush_late(struct drm_gpupt_op *op);

/* drm_gpupt_step.c */
struct drm_gpupt_step *drm_gpupt_op_add_step(struct drm_gpupt_op *op,
					     enum drm_gpupt_step_kind kind,
					     struct drm_gpupt_table *table,
					     unsigned int first);
void drm_gpupt_undo_step(struct drm_gpupt *pt, struct drm_gpupt_step *step,
			 struct list_head *unused);

/* drm_gpupt_plan.c */

/**
 * struct drm_gpupt_plan - an operation while it is being prepared
 */
struct drm_gpupt_plan {
	/** @pt: the page table; its plan_lock is held */
	struct drm_gpupt *pt;
	/** @op: the operation */
	struct drm_gpupt_op *op;
	/** @iter: the segments after @seg; not initialised if the plan ignores them */
	struct drm_dma_iter iter;
	/** @seg: the rest of the segment that is planned now */
	struct drm_dma_seg seg;
};

int drm_gpupt_plan_map(struct drm_gpupt_plan *plan, u64 va, u64 end);
int drm_gpupt_plan_unmap(struct drm_gpupt_plan *plan, u64 va, u64 end);

#endif /* __DRM_GPUPT_INTERNAL_H__ */
