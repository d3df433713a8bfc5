/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_SGT_H__
#define __DRM_SGT_H__

#include <linux/bits.h>
#include <linux/cleanup.h>
#include <linux/compiler.h>
#include <linux/dma-direction.h>
#include <linux/types.h>

#include <drm/drm_dma_view.h>

struct device;
struct dma_buf;
struct drm_sgt;
struct drm_sgt_device;
struct drm_sgt_run;
struct drm_sgt_builder;
struct file;
struct iosys_map;
struct page;
struct sg_table;

/* drm_sgt_device.c */

struct drm_sgt_device *devm_drm_sgt_device_create(struct device *owner,
						  struct device *dma_dev);
struct drm_sgt_device *devm_drm_sgt_device_create_phys(struct device *owner,
						       struct device *bus_dev);
struct drm_sgt_device *devm_drm_sgt_device_create_none(struct device *owner);
struct drm_sgt_device *drm_sgt_device_get(struct drm_sgt_device *sdev);
void drm_sgt_device_put(struct drm_sgt_device *sdev);
bool drm_sgt_device_is_phys(const struct drm_sgt_device *sdev);
struct device *drm_sgt_device_dma_dev(const struct drm_sgt_device *sdev);
gfp_t drm_sgt_device_zone(const struct drm_sgt_device *sdev);
unsigned int drm_sgt_device_id(const struct drm_sgt_device *sdev);

/**
 * struct drm_sgt_device_stats - the counters of a &struct drm_sgt_device
 *
 * A snapshot: consistent in itself, but it may be out of date when it is read.
 */
struct drm_sgt_device_stats {
	/** @tables: tables that exist now, in any state */
	unsigned long tables;
	/**
	 * @mapped: mappings that exist now, and attachments of imports whose
	 * memory has moved
	 */
	unsigned long mapped;
	/** @bytes_mapped: bytes that are mapped now */
	u64 bytes_mapped;
	/** @maps: mappings made since the device was created */
	u64 maps;
	/** @unmaps: mappings ended, for whatever reason, since the device was created */
	u64 unmaps;
	/** @revoked: those of @unmaps that were done by a device shutdown */
	u64 revoked;
	/** @grace_periods: grace periods that a device shutdown waited for */
	u64 grace_periods;
	/** @gone: no mapping can be made any more */
	bool gone;
};

void drm_sgt_device_get_stats(struct drm_sgt_device *sdev,
			      struct drm_sgt_device_stats *stats);

/**
 * enum drm_sgt_state - what a &struct drm_sgt owns at the moment
 *
 * See "States of a table" in Documentation/gpu/drm-sgt.rst for the
 * transitions.
 */
enum drm_sgt_state {
	/** @DRM_SGT_EMPTY: the first state: a source and a size, no pages */
	DRM_SGT_EMPTY,
	/**
	 * @DRM_SGT_BACKED: pages and a table of them; entered from EMPTY by
	 * drm_sgt_populate() and from MAPPED by drm_sgt_unmap() and by the
	 * device shutdown. The first state of an import, whose pages belong to
	 * the exporter
	 */
	DRM_SGT_BACKED,
	/**
	 * @DRM_SGT_MAPPED: DMA-mapped; entered by drm_sgt_map() only. An import
	 * is attached to its dma-buf, too
	 */
	DRM_SGT_MAPPED,
};

/**
 * struct drm_sgt_pages_ops - where the pages of a &struct drm_sgt come from
 *
 * drm_sgt_create() takes a source together with these functions. The table owns
 * the source from then on. Calls for one table never overlap.
 */
struct drm_sgt_pages_ops {
	/** @name: for debugfs and messages */
	const char *name;

	/**
	 * @get: add @size bytes of pages to @builder, in order
	 *
	 * Mandatory. Calls drm_sgt_builder_add() until drm_sgt_builder_left() is 0.
	 * Added pages belong to the layer, also when @get fails later: they are
	 * given back through @put. May sleep. Returns 0 or a negative errno.
	 */
	int (*get)(void *source, struct drm_sgt_builder *builder, u64 size);

	/**
	 * @put: give back pages that @get added
	 *
	 * Optional. Each call gives back some of the physically contiguous runs,
	 * until all are back. Contiguous pieces that @get added can come back as
	 * one run, but one piece never comes back as several runs. With @last
	 * set, no @get follows, only @release. May sleep.
	 */
	void (*put)(void *source, const struct drm_sgt_run *runs,
		    unsigned int nr_runs, bool last);

	/**
	 * @release: free the source
	 *
	 * Optional. The last call, after the last @put. May sleep.
	 */
	void (*release)(void *source);
};

/* drm_sgt_runs.c */

int __must_check drm_sgt_builder_add(struct drm_sgt_builder *builder, struct page *page,
				     unsigned long nr_pages);
unsigned long drm_sgt_builder_left(const struct drm_sgt_builder *builder);

/**
 * struct drm_sgt_run - physically contiguous pages
 */
struct drm_sgt_run {
	/** @page: the first one */
	struct page *page;
	/** @nr_pages: how many */
	unsigned long nr_pages;
};

/**
 * struct drm_sgt_run_iter - a position in the pages of a &struct drm_sgt
 */
struct drm_sgt_run_iter {
	/* private: */
	struct scatterlist *sg;
	unsigned int left;
};

void drm_sgt_run_iter_init(struct drm_sgt_run_iter *iter, struct drm_sgt *sgt);
bool __must_check drm_sgt_run_iter_next(struct drm_sgt_run_iter *iter,
					struct drm_sgt_run *run);

/* drm_sgt_pages.c: the sources that come with the layer */

struct drm_sgt * __must_check
drm_sgt_create_shmem(struct drm_sgt_device *sdev, struct file *filp, u64 offset,
		     u64 size);
struct drm_sgt * __must_check
drm_sgt_create_vmalloc(struct drm_sgt_device *sdev, void *buf, u64 size);
struct drm_sgt * __must_check
drm_sgt_create_pages(struct drm_sgt_device *sdev, struct page **pages,
		     unsigned long nr_pages);

/* drm_sgt.c */

/**
 * struct drm_sgt_info - the size, state and entry counts of a table
 */
struct drm_sgt_info {
	/** @size: bytes */
	u64 size;
	/** @runs: physically contiguous runs of pages, 0 when EMPTY or imported */
	unsigned int runs;
	/** @folios: folios of shmem, pages of other sources; 0 when @runs is 0 */
	unsigned long folios;
	/** @cpu_ents: entries of the table (orig_nents), 0 when @runs is 0 */
	unsigned int cpu_ents;
	/** @dma_segs: DMA segments (nents), 0 unless MAPPED */
	unsigned int dma_segs;
	/** @wc: CPU mappings of the pages are write-combined; false when @runs is 0 */
	bool wc;
	/** @source: the name of the source of the pages */
	const char *source;
	/** @state: see &enum drm_sgt_state */
	enum drm_sgt_state state;
};

struct drm_sgt * __must_check
drm_sgt_create(struct drm_sgt_device *sdev, const struct drm_sgt_pages_ops *ops,
	       void *source, u64 size);
void drm_sgt_free(struct drm_sgt *sgt);
int __must_check drm_sgt_populate(struct drm_sgt *sgt);
int __must_check drm_sgt_depopulate(struct drm_sgt *sgt);
int __must_check drm_sgt_pin_pages(struct drm_sgt *sgt);
void drm_sgt_unpin_pages(struct drm_sgt *sgt);
void drm_sgt_get_info(struct drm_sgt *sgt, struct drm_sgt_info *info);
struct drm_sgt_device *drm_sgt_get_device(const struct drm_sgt *sgt);
u64 drm_sgt_size(const struct drm_sgt *sgt);
struct sg_table * __must_check drm_sgt_dup_table(struct drm_sgt *sgt,
						 struct device *importer);

/* drm_sgt_unbind.c: mappings, and their end */

int __must_check drm_sgt_map(struct drm_sgt *sgt, enum dma_data_direction dir);
int __must_check drm_sgt_map_attrs(struct drm_sgt *sgt, enum dma_data_direction dir,
				   unsigned long attrs);
int __must_check drm_sgt_unmap(struct drm_sgt *sgt);
int __must_check drm_sgt_unmap_wait(struct drm_sgt *sgt);
void drm_sgt_device_shutdown(struct drm_sgt_device *sdev);
bool drm_sgt_device_is_gone(struct drm_sgt_device *sdev);
enum drm_sgt_state drm_sgt_get_state(struct drm_sgt *sgt);

/* drm_sgt_import.c */

struct drm_sgt * __must_check
drm_sgt_create_import(struct drm_sgt_device *sdev, struct dma_buf *dma_buf);
bool drm_sgt_is_import(const struct drm_sgt *sgt);

/* drm_sgt_import_move.c */

struct drm_sgt * __must_check
drm_sgt_create_import_dynamic(struct drm_sgt_device *sdev, struct dma_buf *dma_buf,
			      void (*moved)(void *data), void *data);

/* drm_sgt_borrow.c */

struct drm_sgt * __must_check
drm_sgt_create_borrow(struct drm_sgt_device *sdev, struct drm_sgt *lender);

/* drm_sgt_vmap.c */

int __must_check drm_sgt_vmap(struct drm_sgt *sgt, struct iosys_map *map);
void drm_sgt_vunmap(struct drm_sgt *sgt, struct iosys_map *map);

/* drm_sgt_sync.c */

int __must_check drm_sgt_sync_for_device(struct drm_sgt *sgt, u64 offset, u64 len);
int __must_check drm_sgt_sync_for_cpu(struct drm_sgt *sgt, u64 offset, u64 len);

/* drm_sgt_access.c */

int __must_check drm_sgt_device_enter(struct drm_sgt_device *sdev, int *idx);
void drm_sgt_device_exit(struct drm_sgt_device *sdev, int idx);

/**
 * struct drm_sgt_access - an access section in progress
 *
 * Lives on the stack of one task. Zero-initialise it. drm_sgt_access_end() does
 * nothing if the section was not begun, or has ended. An ended section can be begun
 * again.
 */
struct drm_sgt_access {
	/* private: */
	struct drm_sgt *sgt;
	int idx;
};

int __must_check drm_sgt_access_begin(struct drm_sgt *sgt,
				      struct drm_sgt_access *access);
void drm_sgt_access_end(struct drm_sgt_access *access);
struct drm_dma_view drm_sgt_access_view(const struct drm_sgt_access *access);

/**
 * drm_sgt_access_scope - run a block inside an access section
 * @view__: name of the &struct drm_dma_view that the block sees
 * @sgt__: the &struct drm_sgt to access
 * @err__: an int lvalue: 0 when the block ran, else the errno of
 *	drm_sgt_access_begin(), and the block did not run
 *
 * The section ends however the block is left: at its end, by break, continue,
 * return or goto. Use this rather than drm_sgt_access_begin() wherever the
 * section fits into one function: @view__ is out of scope after the block.
 *
 * Context: see drm_sgt_access_begin().
 */
#define drm_sgt_access_scope(view__, sgt__, err__)				\
	for (struct drm_sgt_access access__ __cleanup(drm_sgt_access_end) = {},	\
	     *begun__ = ((err__) = drm_sgt_access_begin((sgt__), &access__)) ?	\
			NULL : &access__;					\
	     begun__; begun__ = NULL)						\
		__drm_sgt_view_scope(view__)

/* The second half: the view is const, so it needs a for of its own. */
#define __drm_sgt_view_scope(view__)						\
	for (const struct drm_dma_view view__ = drm_sgt_access_view(begun__);	\
	     begun__; begun__ = NULL)

#endif /* __DRM_SGT_H__ */
