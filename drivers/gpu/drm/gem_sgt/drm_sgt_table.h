/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_SGT_TABLE_H__
#define __DRM_SGT_TABLE_H__

#include <linux/atomic.h>
#include <linux/dma-mapping.h>
#include <linux/mutex.h>
#include <linux/pgtable.h>
#include <linux/scatterlist.h>

#include "drm_dma_index.h"
#include "drm_sgt_device.h"

struct dma_buf_attachment;
struct drm_sgt_builder;
struct folio;

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

	/**
	 * @zap: remove the PTEs that processes have of the pages; NULL if no process
	 * maps them. Called under @lock without pins; constant
	 */
	void (*zap)(void *arg);

	/**
	 * @populated: called under @lock when the table has got pages; NULL if there is
	 * nothing to do; constant
	 */
	void (*populated)(void *arg);

	/** @arg: for @zap and @populated; constant */
	void *arg;

	/** @attach: the attachment of an import while it is MAPPED */
	struct dma_buf_attachment *attach;

	/**
	 * @moved: the exporter of a dynamic import has moved the memory since it was
	 * mapped: no section is entered, and the mapping counts as BACKED. Set under
	 * the resv and @sdev->lock, reset by the map and when the mapping has ended
	 */
	bool moved;

	/**
	 * @mapped: the table with the DMA fields: @table, or the exporter's; valid
	 * in MAPPED, constant there, but for a move: NULL, under the resv
	 */
	struct sg_table *mapped;

	/** @index: index of @mapped; valid as @mapped */
	struct drm_dma_index index;

	/** @cpu_index: index of the CPU entries of @table, if merged; as @mapped */
	struct drm_dma_index cpu_index;

	/** @dma_segs: entries of @mapped; as @mapped, but outlives it */
	unsigned int dma_segs;

	/** @runs: physically contiguous runs; as @state */
	unsigned int runs;

	/** @folios: in all runs; as @state */
	unsigned long folios;

	/** @purged: the pages are gone for good; written under @lock in EMPTY */
	bool purged;

	/** @evicted: the bytes are still needed; written under @lock in EMPTY */
	bool evicted;

	/** @want_wc: as requested; written under @lock in EMPTY */
	bool want_wc;

	/**
	 * @wc: CPU mappings of the pages are write-combined; written under @lock,
	 * constant while the pages are pinned
	 */
	bool wc;

	/**
	 * @stale: cached pages can have cache lines from before the device wrote; written
	 * under @lock
	 */
	bool stale;

	/** @dir: direction of the mapping; written under @lock before MAPPED */
	enum dma_data_direction dir;

	/** @attrs: DMA attributes, with those of the layer; written as @dir */
	unsigned long attrs;

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

	/** @closing: tasks in drm_sgt_unmap_wait(), which hold off new sections */
	atomic_t closing;

	/** @entry: in @sdev->mapped; protected by @sdev->lock */
	struct list_head entry;
};

#define DRM_SGT_NO_READERS INT_MIN

/*
 * Skip the implicit syncs of map and unmap. Behind a bounce buffer, the sync in unmap
 * would overwrite what the CPU wrote with the older bytes of the bounce buffer. The
 * drivers sync by range.
 */
#define DRM_SGT_ATTRS DMA_ATTR_SKIP_CPU_SYNC

/* The pages that a table can list even if each is an entry of its own. */
#define DRM_SGT_MAX_PAGES INT_MAX

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

/* The entries of a mapping, as its device reads them. */
static inline struct drm_dma_ents drm_sgt_mapped_ents(const struct drm_sgt *sgt)
{
	bool phys = sgt->map_ops->phys;

	return (struct drm_dma_ents) {
		.sg = sgt->mapped->sgl,
		.nents = phys ? sgt->mapped->orig_nents : sgt->mapped->nents,
		.phys = phys,
	};
}

/* drm_sgt.c */
int drm_sgt_give_back_locked(struct drm_sgt *sgt, bool discard);
int drm_sgt_copy_runs_locked(struct drm_sgt *sgt, struct drm_sgt_builder *builder);

/* drm_sgt_evict.c */
int drm_sgt_evict(struct drm_sgt *sgt, bool unmap);
int drm_sgt_purge(struct drm_sgt *sgt, bool unmap);

/* drm_sgt_caching.c */
int drm_sgt_set_wc(struct drm_sgt *sgt, bool wc);
int drm_sgt_caching_begin_locked(struct drm_sgt *sgt);
void drm_sgt_caching_unmap_locked(struct drm_sgt *sgt);
int drm_sgt_caching_end_locked(struct drm_sgt *sgt);
pgprot_t drm_sgt_pgprot(const struct drm_sgt *sgt, pgprot_t prot);
pgprot_t drm_sgt_pgprot_wc(pgprot_t prot);

/* drm_sgt_pages.c */
bool drm_sgt_folio_is_poisoned(struct folio *folio);
struct drm_sgt *drm_sgt_create_shmem_own(struct drm_sgt_device *sdev,
					 struct file *filp, u64 size);

/* drm_sgt_access.c */
void drm_sgt_access_misused(void);

/* drm_sgt_unbind.c */
int drm_sgt_map_again(struct drm_sgt *sgt);
int drm_sgt_device_remove(struct drm_sgt_device *sdev, struct drm_sgt *sgt);
int drm_sgt_device_try_remove(struct drm_sgt_device *sdev, struct drm_sgt *sgt);
enum drm_sgt_state drm_sgt_own_state(struct drm_sgt *sgt);
bool drm_sgt_has_moved(struct drm_sgt *sgt, bool *idle);
bool drm_sgt_begin_move(struct drm_sgt *sgt, bool *idle);

/* drm_sgt_map_pages.c */
extern const struct drm_sgt_map_ops drm_sgt_map_dma_ops;
extern const struct drm_sgt_map_ops drm_sgt_map_phys_ops;
extern const struct drm_sgt_map_ops drm_sgt_map_none_ops;

int drm_sgt_dma_map(struct drm_sgt *sgt);
void drm_sgt_dma_unmap(struct drm_sgt *sgt);

/* drm_sgt_import.c */
struct dma_buf_attachment *drm_sgt_import_source(const struct drm_sgt *sgt);
bool drm_sgt_import_is_phys(struct device *dev);

/* drm_sgt_import_move.c */
int drm_sgt_import_wait(struct drm_sgt *sgt);
void drm_sgt_import_was_moved(struct drm_sgt *sgt);
void drm_sgt_import_follow(struct drm_sgt *sgt, void (*moved)(void *data), void *data);

/* drm_sgt_vmap.c */
void *drm_sgt_vmap_array(struct page **pages, unsigned long n, pgprot_t prot);
void *drm_sgt_vmap_pages(struct drm_sgt *sgt);

#endif /* __DRM_SGT_TABLE_H__ */
