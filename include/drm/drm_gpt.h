/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GPT_H__
#define __DRM_GPT_H__

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/types.h>

#include <drm/drm_sgt.h>

struct drm_gpt;
struct drm_gpt_fmt;
struct drm_gpt_mem;
struct drm_gpt_table;
struct page;
struct seq_file;

/* What the device may do, for formats that can say so; see &drm_gpt_fmt.prot. */
#define DRM_GPT_WRITE		BIT(0)	/* write, too; reading is always allowed */
#define DRM_GPT_EXEC		BIT(1)	/* fetch instructions */
#define DRM_GPT_UNCACHED	BIT(2)	/* bypass the caches of the CPU */

/* The most levels that a format can have. */
#define DRM_GPT_MAX_LEVELS	5

/* drm_gpt.c */

/**
 * struct drm_gpt_config - what a driver says of a page table
 *
 * Constant, and lives longer than the page table.
 */
struct drm_gpt_config {
	/**
	 * @flush: have the device forget what it keeps of a range
	 *
	 * Optional, for a device that keeps nothing. Called after entries that
	 * the device may have read were changed or taken away, by the commit
	 * that did so, with the range in bytes of GPU VA. When it returns, the
	 * device reads what is in the table now; tables that fell out of it are
	 * freed later, by drm_gpt_op_fini(). Runs in the fence-signalling path:
	 * must not allocate with GFP_KERNEL, nor take a dma_resv.
	 */
	void (*flush)(void *priv, u64 va, u64 len);

	/**
	 * @cpu_only: no device reads the tables
	 *
	 * Then they are not mapped for DMA, take no bounce buffers, and are
	 * linked by their physical addresses. drm_gpt_root() is NULL.
	 */
	bool cpu_only;

	/**
	 * @max_tables: the most tables that there can be, with the root and with
	 * those that drm_gpt_op_fini() has not freed yet; 0 for no limit. A prepare
	 * that takes more fails with -ENOSPC.
	 *
	 * It is memory that is limited: of tables that are mapped for DMA together,
	 * all count until the last one is free. That is not so with @cpu_only
	 */
	unsigned long max_tables;
};

struct drm_gpt * __must_check
drm_gpt_create(const struct drm_gpt_fmt *fmt, struct drm_sgt_device *sdev,
	       const struct drm_gpt_config *config, void *priv);
void drm_gpt_destroy(struct drm_gpt *gpt);
unsigned long drm_gpt_tables(const struct drm_gpt *gpt);
struct drm_sgt *drm_gpt_root(const struct drm_gpt *gpt);
const struct drm_gpt_fmt *drm_gpt_format(const struct drm_gpt *gpt);

/* drm_gpt_plan.c, drm_gpt_commit.c */

/**
 * enum drm_gpt_op_state - how far an operation is
 */
enum drm_gpt_op_state {
	/**
	 * @DRM_GPT_OP_IDLE: not prepared, or aborted, or done with. What a
	 * zero-initialised one is. Left by drm_gpt_prepare_map() and
	 * drm_gpt_prepare_unmap()
	 */
	DRM_GPT_OP_IDLE,
	/**
	 * @DRM_GPT_OP_PREPARED: part of the plan; has all memory it takes. Left
	 * by a commit, or by drm_gpt_abort()
	 */
	DRM_GPT_OP_PREPARED,
	/**
	 * @DRM_GPT_OP_COMMITTED: in the table; may have tables to free. Left by
	 * drm_gpt_op_fini()
	 */
	DRM_GPT_OP_COMMITTED,
};

/**
 * struct drm_gpt_edit - one step of an operation, at one place in one table
 */
struct drm_gpt_edit {
	/* private: */
	struct drm_gpt_table *table;
	struct drm_gpt_table *child;
	u16 first;
	u16 count;
	u8 what;
	bool was_leaf;
};

/* Enough for a range within one leaf table, on any format that we know. */
#define DRM_GPT_INLINE_EDITS	2

/**
 * struct drm_gpt_op - a map or unmap of a range, on its way into a page table
 *
 * Part of a job of the driver, zero-initialised. One task at a time uses it.
 */
struct drm_gpt_op {
	/* private: */
	struct drm_gpt *gpt;
	u64 seq;
	u64 va;
	u64 len;
	u64 offset;
	u32 prot;
	enum drm_gpt_op_state state;
	bool is_map;
	bool merge;
	bool flush;
	bool drops;
	unsigned int nr_edits;
	unsigned int max_edits;
	unsigned int nr_tables;
	struct drm_gpt_edit *edits;
	struct drm_gpt_edit inline_edits[DRM_GPT_INLINE_EDITS];
};

int __must_check drm_gpt_prepare_map(struct drm_gpt *gpt, struct drm_gpt_op *op,
				     u64 va, u64 len,
				     const struct drm_dma_view view, u64 offset,
				     u32 prot);
int __must_check drm_gpt_prepare_unmap(struct drm_gpt *gpt,
				       struct drm_gpt_op *op, u64 va, u64 len);
void drm_gpt_commit_map(struct drm_gpt_op *op, const struct drm_dma_view view);
void drm_gpt_commit(struct drm_gpt_op *op);
int drm_gpt_abort(struct drm_gpt_op *op);
void drm_gpt_op_fini(struct drm_gpt_op *op);
unsigned int drm_gpt_op_tables(const struct drm_gpt_op *op);

/* drm_gpt_walk.c */

/**
 * struct drm_gpt_run - a range of GPU VA, and where it leads
 */
struct drm_gpt_run {
	/** @va: first byte, in GPU VA */
	u64 va;
	/** @seg: what the device reads there; its length is that of the range */
	struct drm_dma_seg seg;
	/** @prot: DRM_GPT_* */
	u32 prot;
};

int __must_check drm_gpt_walk(struct drm_gpt *gpt, u64 va, u64 len,
			      int (*fn)(void *arg, const struct drm_gpt_run *run),
			      void *arg);

/**
 * struct drm_gpt_info - what a page table consists of
 */
struct drm_gpt_info {
	/** @tables: see drm_gpt_tables() */
	unsigned long tables;
	/** @leaves: leaves in the table, by level; of a list, its entries in [0] */
	u64 leaves[DRM_GPT_MAX_LEVELS];
	/** @mapped: bytes that the leaves cover */
	u64 mapped;
	/** @in_flight: operations that are prepared and not yet committed */
	u64 in_flight;
};

int __must_check drm_gpt_get_info(struct drm_gpt *gpt, struct drm_gpt_info *info);
int __must_check drm_gpt_count_leaves(struct drm_gpt *gpt, u64 va, u64 len,
				      u64 leaves[DRM_GPT_MAX_LEVELS]);
void drm_gpt_show(struct drm_gpt *gpt, struct seq_file *m);

/* drm_gpt_list.c: for formats with &drm_gpt_fmt.list */

unsigned int drm_gpt_list_entries(struct drm_gpt *gpt);
struct page *drm_gpt_list_page(struct drm_gpt *gpt, unsigned int index);

#endif /* __DRM_GPT_H__ */
