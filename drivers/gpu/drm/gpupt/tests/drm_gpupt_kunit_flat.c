// SPDX-License-Identifier: GPL-2.0

#include <linux/align.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "drm_gpupt_kunit_flat.h"

/* The number of cells that are mapped. */
unsigned int drm_gpupt_kunit_flat_mapped(const struct drm_gpupt_kunit_cell *cells,
					 unsigned int first, unsigned int nr)
{
	unsigned int i, mapped = 0;

	for (i = first; i < first + nr; i++)
		mapped += !!cells[i].leaf;
	return mapped;
}

/* Does a leaf of @size bytes fit at cell @i, without reaching past cell @end? */
static bool flat_leaf_fits(const struct drm_gpupt_kunit_window *w,
			   const struct drm_gpupt_kunit_cell *cells,
			   unsigned int i, unsigned int end, u64 size)
{
	const u64 n = size / w->cell;
	unsigned int k;

	if (!IS_ALIGNED(cells[i].addr, size))
		return false;
	/* The leaf is smaller than a cell, which has several of them. */
	if (!n)
		return true;
	if (!IS_ALIGNED(drm_gpupt_kunit_cell_va(w, i), size) || n > end - i)
		return false;
	for (k = 1; k < n; k++)
		if (cells[i + k].addr != cells[i].addr + k * w->cell)
			return false;
	return true;
}

/* Choose the largest leaves for cells that have an address and permissions. */
void drm_gpupt_kunit_flat_choose(const struct drm_gpupt_kunit_window *w,
				 struct drm_gpupt_kunit_cell *cells,
				 unsigned int first, unsigned int nr)
{
	unsigned int i = first, end = first + nr;

	while (i < end) {
		unsigned int level = w->fmt->levels - 1;
		u64 left;

		while (level &&
		       !(w->fmt->level[level].leaf &&
			 flat_leaf_fits(w, cells, i, end,
					drm_gpupt_kunit_entry_size(w->fmt, level))))
			level--;
		left = max(drm_gpupt_kunit_entry_size(w->fmt, level), w->cell);
		for (; left; left -= w->cell)
			cells[i++].leaf = level + 1;
	}
}

/* Does the aligned block of @size bytes around cell @i overlap cells @first to @end? */
static bool flat_block_meets(const struct drm_gpupt_kunit_window *w, unsigned int i, u64 size,
			     unsigned int first, unsigned int end)
{
	u64 block = ALIGN_DOWN(drm_gpupt_kunit_cell_va(w, i), size);

	return size >= w->cell && block < drm_gpupt_kunit_cell_va(w, end) &&
	       drm_gpupt_kunit_cell_va(w, first) < block + size;
}

/*
 * Make cells holes. The rest of a leaf that is split gets the largest leaves that do not
 * overlap the hole.
 */
void drm_gpupt_kunit_flat_unmap(const struct drm_gpupt_kunit_window *w,
				struct drm_gpupt_kunit_cell *cells,
				unsigned int first, unsigned int nr)
{
	unsigned int i, end = first + nr;

	memset(&cells[first], 0, nr * sizeof(*cells));
	for (i = 0; i < w->nr; i++) {
		unsigned int level;

		if (!cells[i].leaf)
			continue;
		level = cells[i].leaf - 1;
		while (level &&
		       (!w->fmt->level[level].leaf ||
			flat_block_meets(w, i, drm_gpupt_kunit_entry_size(w->fmt, level),
					 first, end)))
			level--;
		cells[i].leaf = level + 1;
	}
}

/*
 * Do the cells from @i on need a table of @level? It would cover those up to *@end, and
 * is needed if one of them is in a leaf of its level, or below.
 */
static bool flat_has_table(const struct drm_gpupt_kunit_window *w,
			   const struct drm_gpupt_kunit_cell *cells,
			   unsigned int level, unsigned int i, unsigned int *end)
{
	unsigned int shift = drm_gpupt_kunit_table_shift(w->fmt, level);
	u64 table = drm_gpupt_kunit_cell_va(w, i) >> shift;
	bool has = false;

	for (; i < w->nr && drm_gpupt_kunit_cell_va(w, i) >> shift == table; i++)
		has |= cells && cells[i].leaf && cells[i].leaf - 1 <= level;
	*end = i;
	return has;
}

/*
 * The number of tables that @cells need and @but does not; all that @cells need if @but
 * is NULL. The root does not count, as it always exists.
 */
unsigned int drm_gpupt_kunit_flat_tables(const struct drm_gpupt_kunit_window *w,
					 const struct drm_gpupt_kunit_cell *cells,
					 const struct drm_gpupt_kunit_cell *but)
{
	unsigned int level, i, end, tables = 0;

	for (level = 0; level < w->fmt->levels - 1; level++)
		for (i = 0; i < w->nr; i = end)
			tables += flat_has_table(w, cells, level, i, &end) &&
				  !flat_has_table(w, but, level, i, &end);
	return tables;
}

/* Count the leaves by level. */
void drm_gpupt_kunit_flat_leaves(const struct drm_gpupt_kunit_window *w,
				 const struct drm_gpupt_kunit_cell *cells,
				 u64 leaves[DRM_GPUPT_MAX_LEVELS])
{
	u64 bytes[DRM_GPUPT_MAX_LEVELS] = {};
	unsigned int i;

	for (i = 0; i < w->nr; i++)
		if (cells[i].leaf)
			bytes[cells[i].leaf - 1] += w->cell;
	memset(leaves, 0, DRM_GPUPT_MAX_LEVELS * sizeof(*leaves));
	for (i = 0; i < w->fmt->levels; i++)
		leaves[i] = bytes[i] >> w->fmt->level[i].shift;
}
