/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GPUPT_KUNIT_HELPERS_H__
#define __DRM_GPUPT_KUNIT_HELPERS_H__

#include <linux/scatterlist.h>

#include <drm/drm_gpupt_fmt.h>

#include "drm_gpupt_kunit_flat.h"
#include "drm_gpupt_kunit_toy.h"
#include "../../gem_sgt/tests/drm_sgt_kunit_helpers.h"

/* The DMA addresses of tables begin here: above all physical addresses. */
#define DRM_GPUPT_KUNIT_TABLES	BIT_ULL(40)

/* A DMA address that any leaf could have. */
#define DRM_GPUPT_KUNIT_DMA	BIT_ULL(39)

/* The formats of the engine and of the tests, for KUNIT_CASE_PARAM. */
COMPAT_GEN_PARAMS(drm_gpupt_kunit_formats);

static inline const struct drm_gpupt_fmt *drm_gpupt_kunit_format(const struct kunit *test)
{
	return *(const struct drm_gpupt_fmt *const *)test->param_value;
}

/**
 * struct drm_gpupt_kunit_mem - DMA addresses without memory behind them
 */
struct drm_gpupt_kunit_mem {
	/** @table: a mapped table without pages, as an exporter returns it */
	struct sg_table table;
	/** @size: bytes */
	u64 size;
	/** @ents: entries that were allocated */
	unsigned int ents;
};

struct drm_gpupt_kunit_mem *drm_gpupt_kunit_mem(struct kunit *test, const struct drm_dma_seg *seg,
						unsigned int nr);
struct drm_gpupt_kunit_mem *drm_gpupt_kunit_block(struct kunit *test, u64 addr, u64 len);
struct drm_dma_view drm_gpupt_kunit_view(const struct drm_gpupt_kunit_mem *mem);
void drm_gpupt_kunit_mem_to_cells(const struct drm_gpupt_kunit_mem *mem, u64 offset, u32 prot,
				  struct drm_gpupt_kunit_cell *cells, unsigned int nr, u64 cell);

/**
 * struct drm_gpupt_kunit_shape - what the device finds when it reads the tables
 */
struct drm_gpupt_kunit_shape {
	/** @tables: tables that it reaches, including the root */
	unsigned int tables;
	/** @empty: tables without an entry, not counting the root */
	unsigned int empty;
	/** @wild: entries that point to no table, and leaves on a level without leaves */
	unsigned int wild;
	/** @leaves: leaves by level */
	u64 leaves[DRM_GPUPT_MAX_LEVELS];
	/** @hash: of all bytes of all tables */
	u32 hash;
};

/**
 * struct drm_gpupt_kunit_trace - everything that an operation can change
 */
struct drm_gpupt_kunit_trace {
	/** @shape: what the device reads */
	struct drm_gpupt_kunit_shape shape;
	/** @info: the statistics of the page table */
	struct drm_gpupt_info info;
	/** @stats: what is mapped for the device */
	struct drm_sgt_device_stats stats;
};

/* Operations that can be in flight. */
#define DRM_GPUPT_KUNIT_OPS	8

/**
 * struct drm_gpupt_kunit - a page table, and the flat maps that it must match
 *
 * Its operations are prepared, committed and aborted by the helpers below, which
 * do the same to the flat maps: @cells[0] is what the device sees, @cells[n] what
 * it will see when the nth operation in flight is committed.
 */
struct drm_gpupt_kunit {
	/** @test: the case */
	struct kunit *test;
	/** @d: the device that reads the tables */
	struct drm_sgt_kunit_device *d;
	/** @pt: what is tested */
	struct drm_gpupt *pt;
	/** @root: its root table */
	void *root;
	/** @empty: number of tables when nothing is mapped */
	unsigned long empty;
	/** @window: the VA that @cells cover */
	struct drm_gpupt_kunit_window window;
	/** @cells: see above */
	struct drm_gpupt_kunit_cell *cells[DRM_GPUPT_KUNIT_OPS + 1];

	/** @op: the operations; those in flight begin at @first, and wrap around */
	struct drm_gpupt_op op[DRM_GPUPT_KUNIT_OPS];
	/** @mem: the memory of each map in @op */
	const struct drm_gpupt_kunit_mem *mem[DRM_GPUPT_KUNIT_OPS];
	/** @replaces: whether each map in @op replaces something */
	bool replaces[DRM_GPUPT_KUNIT_OPS];
	/** @first: index of the oldest operation in flight */
	unsigned int first;
	/** @in_flight: number of operations in flight */
	unsigned int in_flight;

	/** @flush: calls of &drm_gpupt_config.flush */
	struct {
		/** @flush.calls: number of calls */
		unsigned int calls;
		/** @flush.va: the last one */
		u64 va;
		/** @flush.len: the last one */
		u64 len;
		/** @flush.tables: the last one */
		bool tables;
		/** @flush.shape: of the table at the last one */
		struct drm_gpupt_kunit_shape shape;
		/** @flush.stats: of the device at the last one */
		struct drm_sgt_device_stats stats;
	} flush;
};

struct drm_gpupt_kunit *drm_gpupt_kunit_create(struct kunit *test, const struct drm_gpupt_fmt *fmt);
void drm_gpupt_kunit_look_at(struct drm_gpupt_kunit *ctx, u64 va, u64 cell, unsigned int nr);
void drm_gpupt_kunit_look_around(struct drm_gpupt_kunit *ctx, u64 va);

int drm_gpupt_kunit_map(struct drm_gpupt_kunit *ctx, u64 va, u64 len,
			const struct drm_gpupt_kunit_mem *mem, u64 offset, u32 prot);
int drm_gpupt_kunit_replace(struct drm_gpupt_kunit *ctx, u64 va, u64 len,
			    const struct drm_gpupt_kunit_mem *mem, u64 offset, u32 prot);
int drm_gpupt_kunit_unmap(struct drm_gpupt_kunit *ctx, u64 va, u64 len);
void drm_gpupt_kunit_commit(struct drm_gpupt_kunit *ctx);
void drm_gpupt_kunit_commit_all(struct drm_gpupt_kunit *ctx);
void drm_gpupt_kunit_abort(struct drm_gpupt_kunit *ctx);
struct drm_gpupt_op *drm_gpupt_kunit_op(struct drm_gpupt_kunit *ctx, unsigned int i);

void drm_gpupt_kunit_map_now(struct drm_gpupt_kunit *ctx, u64 va, u64 len,
			     const struct drm_gpupt_kunit_mem *mem, u64 offset, u32 prot);
void drm_gpupt_kunit_unmap_now(struct drm_gpupt_kunit *ctx, u64 va, u64 len);

void drm_gpupt_kunit_check(struct drm_gpupt_kunit *ctx);
struct drm_gpupt_kunit_shape drm_gpupt_kunit_read(struct drm_gpupt_kunit *ctx);
struct drm_gpupt_info drm_gpupt_kunit_info(struct drm_gpupt_kunit *ctx);
struct drm_gpupt_kunit_trace drm_gpupt_kunit_trace(struct drm_gpupt_kunit *ctx);
void drm_gpupt_kunit_check_trace(struct drm_gpupt_kunit *ctx,
				 const struct drm_gpupt_kunit_trace *was);
void *drm_gpupt_kunit_memory(u64 addr);

/* A range of pages of the window, in bytes of VA. */
static inline u64 drm_gpupt_kunit_va(const struct drm_gpupt_kunit *ctx, unsigned int cell)
{
	return drm_gpupt_kunit_cell_va(&ctx->window, cell);
}

#endif /* __DRM_GPUPT_KUNIT_HELPERS_H__ */
