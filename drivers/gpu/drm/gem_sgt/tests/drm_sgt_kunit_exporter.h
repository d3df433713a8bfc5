/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_SGT_KUNIT_EXPORTER_H__
#define __DRM_SGT_KUNIT_EXPORTER_H__

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/scatterlist.h>

#include "drm_sgt_kunit_helpers.h"

#define EXPORTER_SEGS	8

/**
 * struct drm_sgt_kunit_layout - what the table of an exporter looks like
 */
struct drm_sgt_kunit_layout {
	/** @name: for the log */
	const char *name;
	/** @seg: the DMA segments, from entry 0 on */
	struct drm_dma_seg seg[EXPORTER_SEGS];
	/** @nents: number of DMA segments */
	unsigned int nents;
	/** @orig_nents: number of CPU entries; DMA fields beyond @nents are garbage */
	unsigned int orig_nents;
	/** @expected: the segments of a walk over the whole dma-buf, up to length 0 */
	struct drm_dma_seg expected[EXPORTER_SEGS + 1];
	/** @err: result of a map */
	int err;
};

/**
 * enum drm_sgt_kunit_exporter_kind - when an exporter maps and unmaps
 */
enum drm_sgt_kunit_exporter_kind {
	/** @EXPORTER_PLAIN: on the calls of the importer */
	EXPORTER_PLAIN,
	/** @EXPORTER_CACHED: unmaps when the importer detaches; alone has mmap */
	EXPORTER_CACHED,
	/** @EXPORTER_DYNAMIC: pins and maps for importers that are not dynamic */
	EXPORTER_DYNAMIC,
};

/**
 * struct drm_sgt_kunit_exporter - a dma-buf of the test
 *
 * Its memory is a buffer for the CPU, and DMA addresses without memory. It counts
 * its calls, and lives until the dma-buf is released.
 */
struct drm_sgt_kunit_exporter {
	/** @test: the case */
	struct kunit *test;
	/** @kind: when it maps and unmaps */
	enum drm_sgt_kunit_exporter_kind kind;
	/** @buf: the case has a reference until drm_sgt_kunit_exporter_put() */
	struct dma_buf *buf;
	/** @layout: layout of its table */
	const struct drm_sgt_kunit_layout *layout;
	/** @dev: the only device that may attach */
	struct device *dev;
	/** @mem: its memory, as the kernel maps it */
	void *mem;
	/**
	 * @bounce: what the device sees instead of @mem, if not NULL: copied by
	 * maps, unmaps and syncs as swiotlb does
	 */
	void *bounce;
	/** @dir: direction of the last mapping */
	enum dma_data_direction dir;
	/** @fail_attach: errno of the next attachments; 0 for success */
	int fail_attach;
	/** @fail_pin: errno of the next pins */
	int fail_pin;
	/** @fail_map: errno of the next mappings */
	int fail_map;
	/** @fail_mmap: errno of the next mappings into processes */
	int fail_mmap;
	/** @attaches: successful attaches */
	unsigned int attaches;
	/** @detaches: detaches */
	unsigned int detaches;
	/** @maps: successful maps */
	unsigned int maps;
	/** @unmaps: unmaps */
	unsigned int unmaps;
	/** @pins: successful pins */
	unsigned int pins;
	/** @unpins: unpins */
	unsigned int unpins;
	/** @follows: its importers follow moves, and do not pin */
	bool follows;
	/** @move_in_map: moves the memory in the next map */
	bool move_in_map;
	/** @vmaps: kernel mappings that exist */
	unsigned int vmaps;
	/** @vmas: VMAs that exist */
	unsigned int vmas;
	/** @begins: calls of begin_cpu_access */
	unsigned int begins;
	/** @ends: calls of end_cpu_access */
	unsigned int ends;
	/** @released: completed when the dma-buf is released */
	struct completion released;
};

/**
 * struct drm_sgt_kunit_fence - a fence that signals when it is waited for, or later
 */
struct drm_sgt_kunit_fence {
	/** @base: the fence; the case has a reference */
	struct dma_fence base;
	/** @lock: the lock of @base */
	spinlock_t lock;
	/** @ctx: context of the case */
	struct drm_sgt_kunit *ctx;
	/** @pending: no wait signals it */
	bool pending;
	/** @waited: it was waited for, which has signalled it unless it is @pending */
	bool waited;
	/** @syncs: &drm_sgt_kunit.nr_syncs at the time of that wait */
	unsigned int syncs;
};

struct drm_sgt_kunit_fence *
drm_sgt_kunit_fence_add(struct kunit *test, struct dma_resv *resv,
			enum dma_resv_usage usage);
struct drm_sgt_kunit_fence *
drm_sgt_kunit_fence_add_pending(struct kunit *test, struct dma_resv *resv,
				enum dma_resv_usage usage);

extern const struct drm_sgt_kunit_layout drm_sgt_kunit_layout;

struct drm_sgt_kunit_exporter *
drm_sgt_kunit_exporter_create(struct kunit *test, enum drm_sgt_kunit_exporter_kind kind,
			      size_t size, struct device *dev);
void drm_sgt_kunit_exporter_bounce(struct drm_sgt_kunit_exporter *e);
int drm_sgt_kunit_exporter_move(struct drm_sgt_kunit_exporter *e,
				const struct drm_sgt_kunit_layout *to);
void drm_sgt_kunit_exporter_put(struct drm_sgt_kunit_exporter *e);
bool drm_sgt_kunit_exporter_released(struct drm_sgt_kunit_exporter *e);
void drm_sgt_kunit_exporter_check(struct drm_sgt_kunit_exporter *e, unsigned int begun,
				  unsigned int ended);
void drm_sgt_kunit_exporter_check_walk(struct drm_sgt_kunit_exporter *e, struct drm_sgt *sgt);

#endif /* __DRM_SGT_KUNIT_EXPORTER_H__ */
