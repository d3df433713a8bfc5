/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_SGT_KUNIT_HELPERS_H__
#define __DRM_SGT_KUNIT_HELPERS_H__

#include <linux/bits.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/prandom.h>
#include <linux/sched.h>

#include <drm/drm_sgt.h>
#include <kunit/test.h>

#include "../drm_sgt_runs.h"
#include "../drm_sgt_sync.h"
#include "../drm_sgt_table.h"

struct drm_sgt_kunit_exporter;
struct file;
struct page;
struct task_struct;

/* A test waits this long for what must happen, and then fails. */
#define DRM_SGT_KUNIT_PATIENCE	(10 * HZ)

/*
 * Let other tasks run until @cond__ holds, or time is up. Returns whether it holds. Only
 * for conditions that complete no completion.
 */
#define drm_sgt_kunit_until(cond__)						\
({										\
	unsigned long end__ = jiffies + DRM_SGT_KUNIT_PATIENCE;			\
	bool holds__;								\
										\
	while (!(holds__ = (cond__)) && time_before(jiffies, end__))		\
		cond_resched();							\
	holds__;								\
})

/* One call of drm_sgt_dma_sync_for_device() or _cpu(). */
struct drm_sgt_kunit_sync {
	struct device *dev;
	dma_addr_t addr;
	size_t len;
	enum dma_data_direction dir;
	bool for_cpu;
};

#define DRM_SGT_KUNIT_SYNCS	64

/**
 * struct drm_sgt_kunit - context of a case; &kunit.priv of every suite here
 */
struct drm_sgt_kunit {
	/** @test: the case */
	struct kunit *test;

	/** @map: what the stub of drm_sgt_dma_map() does */
	struct {
		/** @map.ret: if not 0, maps nothing and returns this */
		int ret;
		/** @map.missing: number of entries at the end that are not mapped */
		unsigned int missing;
		/**
		 * @map.merge: map to one segment, with garbage after it. Needs
		 * CONFIG_NEED_SG_DMA_LENGTH
		 */
		bool merge;
		/** @map.base: first DMA address; the segments are contiguous */
		dma_addr_t base;
		/** @map.gap: bytes between two segments */
		u64 gap;
		/** @map.block: wait for @gate before the return */
		bool block;
	} map;

	/** @block_unmap: the stub of drm_sgt_dma_unmap() waits for @gate */
	bool block_unmap;

	/** @maps: successful calls of the stub */
	unsigned int maps;
	/** @unmaps: finished calls of the stub */
	unsigned int unmaps;

	/** @entered: completed when a stub begins to wait for @gate */
	struct completion entered;
	/** @gate: lets the stub continue */
	struct completion gate;

	/** @sync: calls of the two stubs of syncs, in order */
	struct drm_sgt_kunit_sync sync[DRM_SGT_KUNIT_SYNCS];
	/** @nr_syncs: number of calls; can exceed the length of @sync */
	unsigned int nr_syncs;

	/** @bounced: see drm_sgt_kunit_exporter_bounce() */
	struct drm_sgt_kunit_exporter *bounced;
};

/**
 * struct drm_sgt_kunit_dma - a DMA API that a test brings along
 *
 * Optional members are left as they are. For tests of other modules, which do not see
 * what they replace.
 */
struct drm_sgt_kunit_dma {
	/** @map: instead of drm_sgt_dma_map(); optional */
	int (*map)(struct drm_sgt *sgt);
	/** @unmap: instead of drm_sgt_dma_unmap(); optional */
	void (*unmap)(struct drm_sgt *sgt);
	/** @need_sync: instead of drm_sgt_dma_need_sync(); optional */
	bool (*need_sync)(struct device *dev, dma_addr_t addr);
	/** @sync_for_device: instead of drm_sgt_dma_sync_for_device(); optional */
	void (*sync_for_device)(struct device *dev, dma_addr_t addr, size_t len,
				enum dma_data_direction dir);
};

void drm_sgt_kunit_replace_dma(struct kunit *test, const struct drm_sgt_kunit_dma *dma);
struct drm_sgt_kunit *drm_sgt_kunit_create(struct kunit *test);
int drm_sgt_kunit_init(struct kunit *test);
void drm_sgt_kunit_stub_dma(struct drm_sgt_kunit *ctx);
void drm_sgt_kunit_stub_sync(struct drm_sgt_kunit *ctx);
bool drm_sgt_kunit_need_sync(struct device *dev, dma_addr_t addr);

/**
 * struct drm_sgt_kunit_device - a bound device of the test
 *
 * The end of the case checks that nothing of it is left: no table, no mapping, no
 * reference.
 */
struct drm_sgt_kunit_device {
	/** @test: the case */
	struct kunit *test;
	/** @dev: owner, and DMA device unless in physical mode */
	struct device *dev;
	/** @sdev: referenced, so valid after unbind, too */
	struct drm_sgt_device *sdev;
	/** @bound: @dev's devres entry has a reference to @sdev */
	bool bound;
};

struct device *drm_sgt_kunit_dma_device(struct kunit *test, const char *name,
					unsigned int max_segment, u64 boundary);
struct drm_sgt_kunit_device *drm_sgt_kunit_bind(struct kunit *test);
struct drm_sgt_kunit_device *drm_sgt_kunit_bind_phys(struct kunit *test,
						     struct device *bus_dev);
struct drm_sgt_kunit_device *drm_sgt_kunit_bind_none(struct kunit *test);
struct drm_sgt_kunit_device *
drm_sgt_kunit_bind_limits(struct kunit *test, const char *name,
			  unsigned int max_segment, u64 boundary);
struct drm_sgt_kunit_device *drm_sgt_kunit_bind_narrow(struct kunit *test, unsigned int bits);
void drm_sgt_kunit_watch(struct kunit *test, struct drm_sgt_device *sdev);
void drm_sgt_kunit_unbind(struct drm_sgt_kunit_device *d);
struct drm_sgt_device_stats drm_sgt_kunit_stats(struct drm_sgt_device *sdev);

/* A high page frame number: 2^40 if a long has 64 bits. */
#define DRM_SGT_KUNIT_HIGH_PFN	BIT(BITS_PER_LONG * 5 / 8)

/* Pages that a source adds in one call. */
struct drm_sgt_kunit_piece {
	unsigned long pfn;
	unsigned long nr_pages;
};

/**
 * struct drm_sgt_kunit_source - a source that tracks its pages
 *
 * The pages need not exist: nothing here looks into a &struct page.
 */
struct drm_sgt_kunit_source {
	/** @test: the case */
	struct kunit *test;
	/** @pieces: the pieces that it adds, one at a time */
	const struct drm_sgt_kunit_piece *pieces;
	/** @nr_pieces: number of pieces */
	unsigned int nr_pieces;
	/** @fail_at: the piece at which it fails; ~0 for none */
	unsigned int fail_at;
	/** @fail_with: its errno at @fail_at; 0 to stop there as if done */
	int fail_with;
	/** @pages_out: pages that the layer has */
	unsigned long pages_out;
	/** @out: for each page of all pieces in order, whether the layer has it */
	u8 *out;
	/** @gets: calls of get */
	unsigned int gets;
	/** @puts: runs that were put */
	unsigned int puts;
	/** @last: the argument of the last put: a release follows */
	bool last;
	/** @releases: calls of release */
	unsigned int releases;
	/** @unmaps_at_put: &drm_sgt_kunit.unmaps at the put of the last page */
	unsigned int unmaps_at_put;
};

extern const struct drm_sgt_pages_ops drm_sgt_kunit_source_ops;

struct drm_sgt_kunit_source *
drm_sgt_kunit_source_create(struct kunit *test,
			    const struct drm_sgt_kunit_piece *pieces,
			    unsigned int nr_pieces);
u64 drm_sgt_kunit_source_size(const struct drm_sgt_kunit_source *source);
void drm_sgt_kunit_free_later(struct kunit *test, struct drm_sgt *sgt);
void drm_sgt_kunit_free_now(struct kunit *test, struct drm_sgt *sgt);
struct drm_sgt *drm_sgt_kunit_sgt(struct kunit *test,
				  struct drm_sgt_device *sdev,
				  struct drm_sgt_kunit_source *source);

void drm_sgt_kunit_flush_batches(struct kunit *test);

void drm_sgt_kunit_fput(void *filp);
struct file *drm_sgt_kunit_shmem_file(struct kunit *test, unsigned long nr);
struct page *drm_sgt_kunit_cached_page(struct kunit *test, struct file *filp,
				       pgoff_t index);
u8 drm_sgt_kunit_file_byte(pgoff_t index, u8 seed);
void drm_sgt_kunit_fill_file(struct kunit *test, struct file *filp, u8 seed);
void drm_sgt_kunit_check_file(struct kunit *test, struct file *filp, u8 seed);

/**
 * struct drm_sgt_kunit_thread - a second thread of a case
 */
struct drm_sgt_kunit_thread {
	/** @ctx: context of its case */
	struct drm_sgt_kunit *ctx;
	/** @fn: what it does */
	int (*fn)(void *arg);
	/** @arg: for @fn */
	void *arg;
	/** @ret: what @fn returned, once @done */
	int ret;
	/** @task: the thread, referenced */
	struct task_struct *task;
	/** @done: @fn has returned */
	struct completion done;
};

struct drm_sgt_kunit_thread *
drm_sgt_kunit_start(struct drm_sgt_kunit *ctx, int (*fn)(void *arg), void *arg);
bool drm_sgt_kunit_join(struct drm_sgt_kunit_thread *thread);

void drm_sgt_kunit_nomem(struct kunit *test);
unsigned int drm_sgt_kunit_sweep(struct kunit *test, int (*op)(void *arg),
				 void (*check)(void *arg, int ret), void *arg);

void drm_sgt_kunit_seed(struct kunit *test, struct rnd_state *rnd);
u32 drm_sgt_kunit_below(struct rnd_state *rnd, u32 limit);

#endif /* __DRM_SGT_KUNIT_HELPERS_H__ */
