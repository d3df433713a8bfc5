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
struct drm_printer;
struct page;
struct seq_file;

/* What the device may do; &drm_gpupt_fmt.prot has the flags that a format supports. */
#define DRM_GPUPT_WRITE		BIT(0)	/* write, too; reading is always allowed */
#define DRM_GPUPT_EXEC		BIT(1)	/* fetch instructions */
#define DRM_GPUPT_UNCACHED	BIT(2)	/* bypass the caches of the CPU */

/* The maximum number of levels of a format. */
#define DRM_GPUPT_MAX_LEVELS	5

/* drm_gpupt_core.c */

/**
 * struct drm_gpupt_flush - what a device has to flush from its TLBs
 *
 * Also gathers the flushes of several operations: see drm_gpupt_commit_gather(). Zero-
 * initialised, it has nothing.
 */
struct drm_gpupt_flush {
	/** @va: first byte, in GPU VA */
	u64 va;
	/** @len: bytes; 0 for nothing */
	u64 len;
	/**
	 * @tables: tables were unlinked: cached entries that point to tables are outdated,
	 * too. Otherwise only leaves are, maybe larger ones than @len
	 */
	bool tables;
};

/**
 * struct drm_gpupt_config - what a driver sets for a page table
 *
 * Constant, and lives longer than the page table.
 */
struct drm_gpupt_config {
	/**
	 * @flush: flush a range from the TLBs of the device
	 *
	 * Optional, for a device that caches no entries. The commit of an unmap, or
	 * drm_gpupt_flush_gathered(), calls it after the entries were cleared. When
	 * it returns, the device must use only what is in the table now;
	 * drm_gpupt_op_fini() frees the unlinked tables later. The commit of a
	 * map does not call it, so the device must not cache empty entries. Runs in
	 * the fence-signalling path, under the lock of commits: must not allocate
	 * with GFP_KERNEL, take a dma_resv, or call drm_gpupt_walk().
	 */
	void (*flush)(void *priv, const struct drm_gpupt_flush *flush);

	/**
	 * @get_page: allocate the page of a table
	 *
	 * Optional, for tables that need memory of their own, such as a pool. @gfp has the
	 * zone that the device can reach, charges the page to the calling task, and
	 * zeroes it: the page must be zeroed. It is a
	 * page of the kernel's direct map. Returns NULL when out of memory. May
	 * sleep; called under a lock of the page table, so it must not call a
	 * function of drm_gpupt.
	 */
	struct page *(*get_page)(void *priv, gfp_t gfp);

	/**
	 * @put_page: free a page from @get_page
	 *
	 * Set if and only if @get_page is. May sleep. The page is not mapped for DMA
	 * any more.
	 */
	void (*put_page)(void *priv, struct page *page);

	/**
	 * @cpu_only: no device reads the tables
	 *
	 * The tables are not mapped for DMA, need no bounce buffers, and are
	 * linked by their physical addresses. drm_gpupt_root() returns NULL.
	 */
	bool cpu_only;

	/**
	 * @max_tables: the limit of tables, including the root and those that
	 * drm_gpupt_op_fini() has not freed yet; 0 for no limit. A prepare that needs
	 * more fails with -ENOSPC.
	 *
	 * The limit is one of memory: tables that share a DMA mapping all count until
	 * the last of them is freed. With @cpu_only, each counts until it is freed.
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

/* drm_gpupt_op.c, drm_gpupt_commit.c */

/**
 * enum drm_gpupt_op_state - the state of an operation
 */
enum drm_gpupt_op_state {
	/**
	 * @DRM_GPUPT_OP_IDLE: not prepared, aborted, or finished; the state of a
	 * zero-initialised operation. drm_gpupt_prepare_map() and
	 * drm_gpupt_prepare_unmap() leave it
	 */
	DRM_GPUPT_OP_IDLE,
	/**
	 * @DRM_GPUPT_OP_PREPARED: part of the plan, with all memory allocated. A
	 * commit and drm_gpupt_abort() leave it
	 */
	DRM_GPUPT_OP_PREPARED,
	/**
	 * @DRM_GPUPT_OP_COMMITTED: written to the table; may have unlinked tables
	 * to free. drm_gpupt_op_fini() leaves it
	 */
	DRM_GPUPT_OP_COMMITTED,
};

/* Kinds of &struct drm_gpupt_step: what its commit does. */
enum drm_gpupt_step_kind {
	/* Nothing: the prepare has allocated a table. */
	DRM_GPUPT_STEP_NEW,
	/* Fill a new table with leaves that map what a larger leaf maps. */
	DRM_GPUPT_STEP_SPLIT,
	/* Write leaves to empty entries. */
	DRM_GPUPT_STEP_MAP,
	/* Clear leaves. */
	DRM_GPUPT_STEP_CLEAR,
	/* Point an entry, which is empty or a leaf, to a new table. */
	DRM_GPUPT_STEP_LINK,
	/* Clear an entry that points to a table; drm_gpupt_op_fini() frees the table. */
	DRM_GPUPT_STEP_UNLINK,
	/* Write leaves over leaves. */
	DRM_GPUPT_STEP_REPLACE,
	/* Write a leaf over an entry that points to a table, which is freed as by UNLINK. */
	DRM_GPUPT_STEP_COLLAPSE,
};

/**
 * struct drm_gpupt_step - a part of an operation, in one table
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

/* Enough for a range within one table of level 0 that is already linked. */
#define DRM_GPUPT_INLINE_STEPS	2

/**
 * struct drm_gpupt_op - an operation: the map or unmap of one range
 *
 * Embedded in a job of the driver, and zero-initialised. One task at a time uses it.
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
	bool replace;
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
int __must_check drm_gpupt_prepare_replace(struct drm_gpupt *pt, struct drm_gpupt_op *op,
					   u64 va, u64 len,
					   const struct drm_dma_view view, u64 offset,
					   u32 prot);
int __must_check drm_gpupt_prepare_unmap(struct drm_gpupt *pt,
					 struct drm_gpupt_op *op, u64 va, u64 len);
void drm_gpupt_commit_map(struct drm_gpupt_op *op, const struct drm_dma_view view);
void drm_gpupt_commit(struct drm_gpupt_op *op);
void drm_gpupt_commit_gather(struct drm_gpupt_op *op, struct drm_gpupt_flush *gather);
void drm_gpupt_flush_gathered(struct drm_gpupt *pt, struct drm_gpupt_flush *gather);
int drm_gpupt_abort(struct drm_gpupt_op *op);
void drm_gpupt_op_fini(struct drm_gpupt_op *op);
unsigned int drm_gpupt_op_tables(const struct drm_gpupt_op *op);

/* drm_gpupt_zap.c */
void drm_gpupt_zap(struct drm_gpupt *pt, u64 va, u64 len);

/* drm_gpupt_walk.c */

/**
 * struct drm_gpupt_extent - a range of GPU VA, and the segment that it maps to
 */
struct drm_gpupt_extent {
	/** @va: first byte, in GPU VA */
	u64 va;
	/** @seg: the DMA addresses; its length is that of the range */
	struct drm_dma_seg seg;
	/** @prot: DRM_GPUPT_* */
	u32 prot;
};

int __must_check drm_gpupt_walk(struct drm_gpupt *pt, u64 va, u64 len,
				int (*fn)(void *arg, const struct drm_gpupt_extent *extent),
				void *arg);

/**
 * struct drm_gpupt_info - statistics of a page table
 */
struct drm_gpupt_info {
	/** @tables: see drm_gpupt_tables() */
	unsigned long tables;
	/** @leaves: leaves in the live table, by level */
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
void drm_gpupt_show_fdinfo(struct drm_gpupt *pt, struct drm_printer *p, const char *prefix);

#endif /* __DRM_GPUPT_H__ */
