/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_SGT_INTERNAL_H__
#define __DRM_SGT_INTERNAL_H__

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/wait.h>

#include <drm/drm_print.h>
#include <drm/drm_sgt.h>

struct dentry;
struct dma_buf;
struct dma_buf_attachment;
struct drm_device;
struct drm_gem_sgt_object;
struct seq_file;

/**
 * struct drm_sgt_limits - what one entry of a table may look like
 */
struct drm_sgt_limits {
	/** @max_segment: bytes, a multiple of the page size */
	unsigned int max_segment;
	/** @boundary: no entry crosses a multiple of this plus one */
	unsigned long boundary;
};

/**
 * struct drm_sgt_device - a bound device, and the mappings that end with it
 *
 * Counted: by each &struct drm_sgt and by the devm action on the owner, so it
 * outlives the owner's unbind and goes with the last table.
 */
struct drm_sgt_device {
	/** @refcount: see above */
	struct kref refcount;

	/** @id: number in debugfs and messages; constant */
	unsigned int id;

	/** @owner: name of the owner, which may be freed after unbind; constant */
	char *owner;

	/** @dma_dev: does the DMA, referenced; NULL in physical mode; constant */
	struct device *dma_dev;

	/**
	 * @bus_dev: in physical mode, the device below, which imports are
	 * attached to; referenced, can be NULL; constant
	 */
	struct device *bus_dev;

	/** @limits: constant, as tables are also built after unbind */
	struct drm_sgt_limits limits;

	/** @srcu: held for reading by access sections and by drm_sgt_map() */
	struct srcu_struct srcu;

	/** @shutdown_lock: one shutdown at a time */
	struct mutex shutdown_lock;

	/** @drained: a shutdown is complete; protected by @shutdown_lock */
	bool drained;

	/**
	 * @lock: innermost, taken with interrupts on; protects @mapped, @stats
	 * and the state of every table of the device
	 */
	spinlock_t lock;

	/**
	 * @gone: nothing new is mapped or accessed. Set once, before a shutdown
	 * waits for @srcu; looked at inside @srcu
	 */
	bool gone;

	/** @mapped: tables in state MAPPED and not on their way out */
	struct list_head mapped;

	/** @stats: counters; @stats.mapped drops only after the DMA unmap */
	struct drm_sgt_device_stats stats;

	/**
	 * @unmapped: woken when a mapping has ended: the two sides of a race
	 * between unmap and shutdown wait here for each other
	 */
	wait_queue_head_t unmapped;

	/** @entry: in the list of all devices, under that list's mutex */
	struct list_head entry;
};

/**
 * struct drm_dma_mark - where an entry of a mapped table begins
 */
struct drm_dma_mark {
	/** @sg: the entry */
	struct scatterlist *sg;
	/** @offset: bytes before it */
	u64 offset;
	/** @index: entries before it */
	unsigned int index;
};

/**
 * struct drm_dma_layout - what the DMA addresses of a table are like
 *
 * Found out once for each mapping, so that nobody who walks has to look at all
 * entries for it.
 */
struct drm_dma_layout {
	/** @size: bytes of all entries */
	u64 size;
	/** @longest: bytes of the longest run of neighbours */
	u64 longest;
	/** @bits: all addresses and lengths ORed: what they are multiples of */
	u64 bits;
	/** @last: the highest address */
	dma_addr_t last;
	/** @marks: one for every so many entries, in order */
	struct drm_dma_mark *marks;
	/** @nr_marks: how many */
	unsigned int nr_marks;
};

/**
 * struct drm_dma_ents - the entries of a mapped table, and a position in them
 */
struct drm_dma_ents {
	/** @sg: the first one, or the one that was looked at last */
	struct scatterlist *sg;
	/** @nents: how many */
	unsigned int nents;
	/** @index: how many have been looked at */
	unsigned int index;
	/** @phys: the physical address counts */
	bool phys;
};

/**
 * struct drm_sgt_map_ops - how a table is mapped
 *
 * Chosen when the table is created.
 */
struct drm_sgt_map_ops {
	/**
	 * @map: map in direction &drm_sgt.dir, and set &drm_sgt.mapped, unless
	 * it is &drm_sgt.table; returns 0 or a negative errno
	 */
	int (*map)(struct drm_sgt *sgt);
	/** @unmap: undo @map */
	void (*unmap)(struct drm_sgt *sgt);
	/** @needs_sync: a sync of some of its bytes may have something to do */
	bool (*needs_sync)(const struct drm_sgt *sgt);
	/** @phys: the device reads the CPU entries, by physical address */
	bool phys;
	/** @may_exceed: the mapping can be longer than the table: exporters round up */
	bool may_exceed;
};

/**
 * struct drm_sgt - pages, a table of them, and their DMA mapping
 *
 * Teardown order is unmap, free the table, put the pages, release the source.
 * drm_sgt_free() is the one place that does all of it.
 */
struct drm_sgt {
	/** @sdev: referenced; constant */
	struct drm_sgt_device *sdev;

	/** @ops: constant */
	const struct drm_sgt_pages_ops *ops;

	/** @map_ops: constant */
	const struct drm_sgt_map_ops *map_ops;

	/** @source: for @ops, owned; constant */
	void *source;

	/** @size: bytes, page-aligned; constant */
	u64 size;

	/** @lock: serialises populate, depopulate, map and unmap */
	struct mutex lock;

	/**
	 * @table: built and freed under @lock in EMPTY; its DMA fields are valid
	 * in MAPPED only, and constant there
	 */
	struct sg_table table;

	/**
	 * @pins: users of the pages, which hold off depopulate. Raised from 0
	 * under @lock, with pages; dropped without it
	 */
	atomic_t pins;

	/** @attach: of an import, while it is MAPPED */
	struct dma_buf_attachment *attach;

	/**
	 * @mapped: whose DMA fields to look at: @table, or the exporter's; valid
	 * in MAPPED, constant there
	 */
	struct sg_table *mapped;

	/** @layout: of @mapped; as that */
	struct drm_dma_layout layout;

	/** @cpu_layout: of the CPU entries of @table, if merged; as @mapped */
	struct drm_dma_layout cpu_layout;

	/** @dma_segs: entries of @mapped; as @mapped, but outlives it */
	unsigned int dma_segs;

	/** @runs: physically contiguous runs; as @state */
	unsigned int runs;

	/** @folios: in all runs; as @state */
	unsigned long folios;

	/** @dir: of the mapping; written under @lock before MAPPED */
	enum dma_data_direction dir;

	/**
	 * @state: written under @lock and @sdev->lock; by the shutdown of the
	 * device under @sdev->lock alone, MAPPED to BACKED only
	 */
	enum drm_sgt_state state;

	/**
	 * @revoking: the shutdown took the mapping off the list and has not
	 * unmapped it yet; protected by @sdev->lock
	 */
	bool revoking;

	/**
	 * @readers: access sections that are open; DRM_SGT_NO_READERS while not
	 * mapped, so that one atomic both tests the state and holds off unmap
	 */
	atomic_t readers;

	/** @entry: in @sdev->mapped; protected by @sdev->lock */
	struct list_head entry;
};

#define DRM_SGT_NO_READERS INT_MIN

/* What a table can list if each page is an entry of its own. */
#define DRM_SGT_MAX_PAGES INT_MAX

/* The owner can be gone, so messages name the device that does the DMA. */
#define drm_sgt_dbg(sdev, fmt, ...) \
	drm_dev_dbg((sdev)->dma_dev, DRM_UT_DRIVER, fmt, ##__VA_ARGS__)

/* An import has no pages of its own. */
static inline bool drm_sgt_has_pages(const struct drm_sgt *sgt)
{
	return sgt->ops->get;
}

/* Did an IOMMU merge entries? If not, CPU and device see the same ones. */
static inline bool drm_sgt_table_is_merged(const struct sg_table *table)
{
	return table->nents != table->orig_nents;
}

/* The "legacy error" of the DMA API: with a bounce buffer, it is out of slots. */
static inline int drm_sgt_dma_errno(int err)
{
	return err == -EIO ? -ENOMEM : err;
}

/* drm_sgt_device.c */
void drm_sgt_device_count(struct drm_sgt_device *sdev, int tables);
void drm_sgt_device_show_all(struct seq_file *m);
int drm_sgt_limits_init(struct drm_sgt_limits *limits, struct device *owner,
			struct device *dma_dev);

/* drm_sgt.c */
void drm_sgt_repin_pages(struct drm_sgt *sgt);

/* drm_sgt_unbind.c */
int drm_sgt_device_enter(struct drm_sgt_device *sdev, int *idx);
void drm_sgt_device_exit(struct drm_sgt_device *sdev, int idx);
void drm_sgt_access_misused(void);
int drm_sgt_map_again(struct drm_sgt *sgt);
int drm_sgt_device_remove(struct drm_sgt_device *sdev, struct drm_sgt *sgt);

/* drm_sgt_map_pages.c */
extern const struct drm_sgt_map_ops drm_sgt_map_dma_ops;
extern const struct drm_sgt_map_ops drm_sgt_map_phys_ops;

int drm_sgt_dma_map(struct drm_sgt *sgt);
void drm_sgt_dma_unmap(struct drm_sgt *sgt);

/* drm_sgt_pages.c */
struct drm_sgt *drm_sgt_create_shmem_own(struct drm_sgt_device *sdev,
					 struct file *filp, u64 size);

/* drm_sgt_import.c */
struct dma_buf_attachment *drm_sgt_import_source(const struct drm_sgt *sgt);
struct device *drm_sgt_import_device(const struct drm_sgt_device *sdev);
bool drm_sgt_import_is_phys(struct device *dev);

/* drm_sgt_fault.c */
bool drm_sgt_should_fail_map(u64 size);
void drm_sgt_fault_init(struct dentry *dir);

/* drm_sgt_sync.c */
bool drm_sgt_dma_is_coherent(struct device *dev);
bool drm_sgt_dma_need_sync(struct device *dev, dma_addr_t addr);
void drm_sgt_sync_table_for_device(struct device *dev, const struct sg_table *table,
				   enum dma_data_direction dir);
void drm_sgt_sync_table_for_cpu(struct device *dev, const struct sg_table *table,
				enum dma_data_direction dir);
void drm_sgt_dma_sync_for_device(struct device *dev, dma_addr_t addr, size_t len,
				 enum dma_data_direction dir);
void drm_sgt_dma_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t len,
			      enum dma_data_direction dir);

/* drm_dma_view.c */
bool drm_dma_seg_touches(const struct drm_dma_seg *seg,
			 const struct drm_dma_seg *next);
void drm_dma_view_measure(const struct drm_dma_view view,
			  struct drm_dma_layout *layout);

/* Whether a view has so many bytes from an offset on. */
static inline int drm_dma_view_check(const struct drm_dma_view view, u64 offset,
				     u64 len)
{
	u64 end;

	return check_add_overflow(offset, len, &end) || end > view.size ? -ERANGE : 0;
}

/* What one entry says. */
static inline struct drm_dma_seg drm_dma_entry(struct scatterlist *sg, bool phys)
{
	if (phys)
		return (struct drm_dma_seg) { sg_phys(sg), sg->length };

	return (struct drm_dma_seg) { sg_dma_address(sg), sg_dma_len(sg) };
}

/* drm_dma_layout.c */
void drm_dma_layout_measure(struct drm_dma_layout *layout,
			    struct drm_dma_ents ents);
int drm_dma_layout_init(struct drm_dma_layout *layout, struct drm_dma_ents ents);
void drm_dma_layout_fini(struct drm_dma_layout *layout);
const struct drm_dma_mark *
drm_dma_layout_find(const struct drm_dma_layout *layout, u64 offset);

/*
 * drm_sgt_runs.c
 */

/**
 * struct drm_sgt_runs - the pages of a table while they are collected
 *
 * Kept apart from shmem, so that a test can feed it anything.
 */
struct drm_sgt_runs {
	/** @chunks: the runs in order, a page of them each */
	struct list_head chunks;
	/** @nr: runs so far */
	unsigned int nr;
	/** @left: pages that are still missing */
	unsigned long left;
	/** @folios: counted on the way */
	unsigned long folios;
};

void drm_sgt_runs_init(struct drm_sgt_runs *runs, u64 size);
void drm_sgt_runs_fini(struct drm_sgt_runs *runs);
int drm_sgt_runs_to_table(const struct drm_sgt_runs *runs,
			  const struct drm_sgt_limits *limits,
			  struct sg_table *table);
void drm_sgt_runs_for_each(const struct drm_sgt_runs *runs,
			   void (*fn)(void *arg, const struct drm_sgt_run *runs,
				      unsigned int nr_runs),
			   void *arg);

/* drm_gem_sgt_object.c */
struct drm_gem_sgt_object *drm_gem_sgt_alloc(struct drm_device *dev, size_t size);
struct dma_buf *drm_gem_sgt_import_dma_buf(const struct drm_gem_sgt_object *bo);

/*
 * drm_gem_sgt_debugfs.c
 */

/* What the debugfs table says of one object. */
struct drm_gem_sgt_line {
	struct drm_sgt_info info;
	unsigned int device;
	unsigned int minor;
	unsigned int handles;
	unsigned int refs;
	unsigned int pins;
	unsigned int vmaps;
	bool exported;
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

/**
 * struct drm_gem_sgt_reader - an open debugfs table of objects
 */
struct drm_gem_sgt_reader {
	/** @entry: in the list of readers; protected by the lock of the table */
	struct list_head entry;
	/** @next: the object to take next, or the end; protected as @entry */
	struct list_head *next;
	/** @pos: of @line; 0 for none */
	loff_t pos;
	/** @line: a copy of the object that was taken last */
	struct drm_gem_sgt_line line;
};

extern const struct seq_operations drm_gem_sgt_buffers_sops;

void drm_gem_sgt_reader_init(struct drm_gem_sgt_reader *reader);
void drm_gem_sgt_reader_fini(struct drm_gem_sgt_reader *reader);
void drm_gem_sgt_debugfs_add(struct drm_gem_sgt_object *bo);
void drm_gem_sgt_debugfs_remove(struct drm_gem_sgt_object *bo);
void drm_gem_sgt_debugfs_init(void);
void drm_gem_sgt_debugfs_fini(void);

#endif /* __DRM_SGT_INTERNAL_H__ */
