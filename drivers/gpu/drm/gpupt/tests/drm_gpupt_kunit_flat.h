/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GPUPT_KUNIT_FLAT_H__
#define __DRM_GPUPT_KUNIT_FLAT_H__

#include <drm/drm_gpupt_fmt.h>

/*
 * A model of a page table: a flat map, which is an array with one cell for each page or
 * group of pages of VA. Everything is computed by looking at each cell.
 */

/**
 * struct drm_gpupt_kunit_window - the part of the VA space that the cells cover
 */
struct drm_gpupt_kunit_window {
	/** @fmt: the format of the page table */
	const struct drm_gpupt_fmt *fmt;
	/** @va: first byte */
	u64 va;
	/** @cell: bytes of a cell: at least a page, at most what a table covers */
	u64 cell;
	/** @nr: number of cells */
	unsigned int nr;
};

/**
 * struct drm_gpupt_kunit_cell - what a cell maps to
 */
struct drm_gpupt_kunit_cell {
	/** @addr: DMA address of its first byte */
	u64 addr;
	/** @prot: DRM_GPUPT_* */
	u32 prot;
	/** @leaf: the level of the leaf that it is in, plus 1; 0 if it is a hole */
	u8 leaf;
};

/* The VA of a cell, or of the end of the window. */
static inline u64 drm_gpupt_kunit_cell_va(const struct drm_gpupt_kunit_window *w, unsigned int i)
{
	return w->va + i * w->cell;
}

/* Bytes that one entry of a level covers. */
static inline u64 drm_gpupt_kunit_entry_size(const struct drm_gpupt_fmt *fmt, unsigned int level)
{
	return BIT_ULL(fmt->level[level].shift);
}

/* log2 of the bytes that a table of a level covers. */
static inline unsigned int drm_gpupt_kunit_table_shift(const struct drm_gpupt_fmt *fmt,
						       unsigned int level)
{
	return fmt->level[level].shift + fmt->level[level].bits;
}

/* Bytes of the smallest leaf, and of the VA space. */
static inline u64 drm_gpupt_kunit_page(const struct drm_gpupt_fmt *fmt)
{
	return drm_gpupt_kunit_entry_size(fmt, 0);
}

static inline u64 drm_gpupt_kunit_space(const struct drm_gpupt_fmt *fmt)
{
	return BIT_ULL(drm_gpupt_kunit_table_shift(fmt, fmt->levels - 1));
}

unsigned int drm_gpupt_kunit_flat_mapped(const struct drm_gpupt_kunit_cell *cells,
					 unsigned int first, unsigned int nr);
void drm_gpupt_kunit_flat_choose(const struct drm_gpupt_kunit_window *w,
				 struct drm_gpupt_kunit_cell *cells,
				 unsigned int first, unsigned int nr);
void drm_gpupt_kunit_flat_unmap(const struct drm_gpupt_kunit_window *w,
				struct drm_gpupt_kunit_cell *cells,
				unsigned int first, unsigned int nr);
unsigned int drm_gpupt_kunit_flat_tables(const struct drm_gpupt_kunit_window *w,
					 const struct drm_gpupt_kunit_cell *cells,
					 const struct drm_gpupt_kunit_cell *but);
void drm_gpupt_kunit_flat_leaves(const struct drm_gpupt_kunit_window *w,
				 const struct drm_gpupt_kunit_cell *cells,
				 u64 leaves[DRM_GPUPT_MAX_LEVELS]);

#endif /* __DRM_GPUPT_KUNIT_FLAT_H__ */
