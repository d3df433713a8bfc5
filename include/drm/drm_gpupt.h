/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GPUPT_H__
#define __DRM_GPUPT_H__

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/types.h>

#include <drm/drm_sgt.h>

struct drm_gpupt;
struct drm_gpupt_fmt;
struct drm_gpupt_mem;
struct drm_gpupt_table;
struct seq_file;

/* What the device may do, for formats that can say so; see &drm_gpupt_fmt.prot. */
#define DRM_GPUPT_WRITE		BIT(0)	/* write, too; reading is always allowed */
#define DRM_GPUPT_EXEC		BIT(1)	/* fetch instructions */
#define DRM_GPUPT_UNCACHED	BIT(2)	/* bypass the caches of the CPU */

/* The most levels that a format can have. */
#define DRM_GPUPT_MAX_LEVELS	5

/* drm_gpupt_core.c */

/**
 * struct drm_gpupt_config - what a driver says of a page table
 *
 * Constant, and lives longer than the page table.
 */
struct drm_gpupt_config {
	/**
	 * @flush: have the device forget what it keeps of a range
	 *
	 * Optional, for a device that keeps nothing. Called after entries that
	 * the device may have read were changed or taken away, by the commit
	 * that did so, with the range in bytes of GPU VA. When it returns, the
	 * device reads what is in the table now; tables that fell out of it are
	 * freed later, by drm_gpupt_op_fini(). Runs in the fence-signalling path:
	 * must not allocate with GFP_KERNEL, nor take a dma_resv.
	 */
	void (*flush)(void *priv, u64 va, u64 len);

	/**
	 * @cpu_only: no device reads the tables
	 *
	 * Then they are not mapped for DMA, take no bounce buffers, and are
	 * linked by their physical addresses. drm_gpupt_root() is NULL.
	 */
	bool cpu_only;

	/**
	 * @max_tables: the most tables that there can be, with the root and with
	 * those that drm_gpupt_op_fini() has not freed yet; 0 for no limit. A prepare
	 * that takes more fails with -ENOSPC.
	 *
	 * It is memory that is limited: of tables that are mapped for DMA together,
	 * all count until the last one is free. That is not so with @cpu_only
	 */
	unsigned long max_tables;
};

struct drm_gpupt * __must_check
drm_gpupt_create(const struct drm_gpupt_fmt *fmt, struct drm_sgt_device *sdev,
		 const struct drm_gpupt_config *config, void *priv);
void drm_gpupt_destroy(struct drm_gpupt *pt);
unsigned long drm_gpupt_tables(const struct drm_gpupt *pt);
struct drm_sgt *drm_gpupt_root(const struct drm_gpupt *pt);
const struct drm_gpupt_fmt *drm_gpupt_format(const struct drm_gpupt *pt);

/* drm_gpupt_plan.c, drm_gpupt_commit.c */

/**
 * enum drm_gpupt_op_state - how far an operation is
 */
enum drm_gpupt_op_state {
	/**
	 * @DRM_GPUPT_OP_IDLE: not prepared, or aborted, or done with. What a
	 * zero-initialised one is. Left by drm_gpupt_prepare_map() and
	 * drm_gpupt_prepare_unmap()
	 */
	DRM_GPUPT_OP_IDLE,
	/**
	 * @DRM_GPUPT_OP_PREPARED: part of the plan; has all memory it takes. Left
	 * by a commit, or by drm_gpupt_abort()
	 */
	DRM_GPUPT_OP_PREPARED,
	/**
	 * @DRM_GPUPT_OP_COMMITTED: in the table; may have tables to free. Left by
	 * drm_gpupt_op_fini()
	 */
	DRM_GPUPT_OP_COMMITTED,
};

/* Kinds of &struct drm_gpupt_step, by what they do to the live table. */
enum drm_gpupt_step_kind {
	/* Nothing: a table has been made. */
	DRM_GPUPT_STEP_NEW,
	/* A new table is filled with what the leaf at an entry maps to. */
	DRM_GPUPT_STEP_SPLIT,
	/* Empty entries become leaves. */
	DRM_GPUPT_STEP_MAP,
	/* Leaves become empty. */
	DRM_GPUPT_STEP_CLEAR,
	/* An entry, empty or a leaf, becomes a new table. */
	DRM_GPUPT_STEP_LINK,
	/* A table becomes an empty entry, and what is below is dropped. */
	DRM_GPUPT_STEP_UNLINK,
};

/**
 * struct drm_gpupt_step - one step of an operation, at one place in one table
 */
struct drm_gpupt_step {
	/* private: */
	struct drm_gpupt_table *table;
	struct drm_gpupt_table *child;
	u16 first;
	u16 count;
	enum drm_gpupt_step_kind kind : 8;
	bool was_leaf;
};

/* Enough for a range within one leaf table, on any format that we know. */
#define DRM_GPUPT_INLINE_STEPS	2

/**
 * struct drm_gpupt_op - a map or unmap of a range, on its way into a page table
 *
 * Part of a job of the driver, zero-initialised. One task at a time uses it.
 */
struct drm_gpupt_op {
	/* private: */
	struct drm_gpupt *pt;
	u64 seq;
	u64 va;
	u64 len;
	u64 offset;
	u32 prot;
	enum drm_gpupt_op_state state;
	bool is_map;
	bool merge;
	bool flush;
	bool drops;
	unsigned int nr_steps;
	unsigned int max_steps;
	unsigned int nr_tables;
	struct drm_gpupt_step *steps;
	struct drm_gpupt_step inline_steps[DRM_GPUPT_INLINE_STEPS];
};

int __must_check drm_gpupt_prepare_map(struct drm_gpupt *pt, struct drm_gpupt_op *op,
				       u64 va, u64 len,
				       const struct drm_dma_view view, u64 offset,
				       u32 prot);
int __must_check drm_gpupt_prepare_unmap(struct drm_gpupt *pt,
					 struct drm_gpupt_op *op, u64 va, u64 len);
void drm_gpupt_commit_map(struct drm_gpupt_op *op, const struct drm_dma_view view);
void drm_gpupt_commit(struct drm_gpupt_op *op);
int drm_gpupt_abort(struct drm_gpupt_op *op);
void drm_gpupt_op_fini(struct drm_gpupt_op *op);
unsigned int drm_gpupt_op_tables(const struct drm_gpupt_op *op);

/* drm_gpupt_walk.c */

/**
 * struct drm_gpupt_extent - a range of GPU VA, and what it maps to
 */
struct drm_gpupt_extent {
	/** @va: first byte, in GPU VA */
	u64 va;
	/** @seg: what the device reads there; its length is that of the range */
	struct drm_dma_seg seg;
	/** @prot: DRM_GPUPT_* */
	u32 prot;
};

int __must_check drm_gpupt_walk(struct drm_gpupt *pt, u64 va, u64 len,
				int (*fn)(void *arg, const struct drm_gpupt_extent *extent),
				void *arg);

/**
 * struct drm_gpupt_info - what a page table consists of
 */
struct drm_gpupt_info {
	/** @tables: see drm_gpupt_tables() */
	unsigned long tables;
	/** @leaves: leaves in the table, by level */
	u64 leaves[DRM_GPUPT_MAX_LEVELS];
	/** @mapped: bytes that the leaves cover */
	u64 mapped;
	/** @in_flight: operations that are prepared and not yet committed */
	u64 in_flight;
};

int __must_check drm_gpupt_get_info(struct drm_gpupt *pt, struct drm_gpupt_info *info);
int __must_check drm_gpupt_count_leaves(struct drm_gpupt *pt, u64 va, u64 len,
					u64 leaves[DRM_GPUPT_MAX_LEVELS]);
void drm_gpupt_show(struct drm_gpupt *pt, struct seq_file *m);

#endif /* __DRM_GPUPT_H__ */
