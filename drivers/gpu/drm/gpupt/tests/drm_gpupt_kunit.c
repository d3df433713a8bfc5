// SPDX-License-Identifier: GPL-2.0

#include <linux/seq_file.h>
#include <linux/sizes.h>

#include "drm_gpupt_kunit_helpers.h"

/*
 * The state of a page table after each operation, for each format. Invalid arguments are
 * in drm_gpupt_input_kunit.c, several operations at a time in drm_gpupt_flight_kunit.c.
 */

/* Map, and unmap again in two parts: nothing is left. */
static void pt_map_and_unmap(struct drm_gpupt_kunit *ctx, u64 va, u64 len,
			     const struct drm_gpupt_kunit_mem *mem, u64 offset)
{
	const u64 first = ctx->window.cell;

	drm_gpupt_kunit_map_now(ctx, va, len, mem, offset, 0);
	drm_gpupt_kunit_unmap_now(ctx, va, first);
	if (len > first)
		drm_gpupt_kunit_unmap_now(ctx, va + first, len - first);
	KUNIT_EXPECT_EQ(ctx->test, drm_gpupt_kunit_info(ctx).tables, ctx->empty);
}

/* Two pages on each side of the end of a table, and of an entry, on each level. */
static void pt_maps_across_each_boundary(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	const u64 page = drm_gpupt_kunit_page(fmt), space = drm_gpupt_kunit_space(fmt);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA,
								4 * page);
	unsigned int level;

	for (level = 0; level < fmt->levels; level++) {
		const u64 at[] = {
			drm_gpupt_kunit_entry_size(fmt, level),
			BIT_ULL(drm_gpupt_kunit_table_shift(fmt, level)),
			space - drm_gpupt_kunit_entry_size(fmt, level),
		};
		unsigned int i;

		for (i = 0; i < ARRAY_SIZE(at); i++) {
			if (at[i] == space)
				continue;
			drm_gpupt_kunit_look_around(ctx, at[i]);
			pt_map_and_unmap(ctx, at[i] - page, 2 * page, mem, 0);
			pt_map_and_unmap(ctx, at[i] - page, page, mem, page);
			pt_map_and_unmap(ctx, at[i], page, mem, 2 * page);
		}
	}
}

/* The first and the last page of the VA space: the first and last entry on each level. */
static void pt_maps_first_and_last_entries(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	const u64 page = drm_gpupt_kunit_page(fmt), space = drm_gpupt_kunit_space(fmt);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA,
								2 * page);

	pt_map_and_unmap(ctx, 0, page, mem, page);
	drm_gpupt_kunit_look_around(ctx, space);
	pt_map_and_unmap(ctx, space - page, page, mem, page);
	pt_map_and_unmap(ctx, space - 2 * page, 2 * page, mem, 0);
}

/*
 * Set a window of up to four leaves of a level. Its cells are pages, or the leaves of
 * the level below if there are too many pages. Returns the size of a leaf, or 0 if the
 * level has none.
 */
static u64 pt_look_at_leaves(struct drm_gpupt_kunit *ctx, unsigned int level, u64 *unit)
{
	const struct drm_gpupt_fmt *fmt = ctx->window.fmt;
	const u64 size = drm_gpupt_kunit_entry_size(fmt, level);

	if (!fmt->level[level].leaf)
		return 0;

	*unit = drm_gpupt_kunit_page(fmt);
	if (size / *unit > 4096)
		*unit = drm_gpupt_kunit_entry_size(fmt, level - 1);
	drm_gpupt_kunit_look_at(ctx, 0, *unit, min(4 * size, drm_gpupt_kunit_space(fmt)) / *unit);
	return size;
}

/*
 * Ranges of about the size of a leaf, which begin where it can begin and a unit before
 * and after, in memory that is aligned to the leaf and that is not.
 */
static void pt_chooses_large_leaves(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	unsigned int level, i, k;
	u64 unit;

	for (level = 1; level < fmt->levels; level++) {
		u64 size = pt_look_at_leaves(ctx, level, &unit);
		struct drm_gpupt_kunit_mem *mem;
		const u64 va[] = { size - unit, size, size + unit };
		const u64 len[] = { size - unit, size, size + unit, 2 * size };
		const u64 offset[] = { 0, unit, size - unit, size };

		if (!size)
			continue;
		mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA, 4 * size);
		for (i = 0; i < ARRAY_SIZE(va) * ARRAY_SIZE(len); i++)
			for (k = 0; k < ARRAY_SIZE(offset); k++)
				pt_map_and_unmap(ctx, va[i % ARRAY_SIZE(va)],
						 len[i / ARRAY_SIZE(va)], mem, offset[k]);
	}
}

/* A leaf can map several contiguous segments. */
static void pt_merges_segments_into_leaves(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	const u64 base = DRM_GPUPT_KUNIT_DMA;
	unsigned int level;
	u64 unit;

	for (level = 1; level < fmt->levels; level++) {
		u64 size = pt_look_at_leaves(ctx, level, &unit);
		const struct drm_dma_seg seg[] = {
			{ base, unit }, { base + unit, size - unit },
			{ base + size, unit }, { base + size + unit, size - unit },
			/* In the wrong order, so not contiguous. */
			{ base + size / 2, size / 2 }, { base, size / 2 },
		};
		struct drm_gpupt_kunit_mem *mem;

		if (!size)
			continue;
		mem = drm_gpupt_kunit_mem(test, seg, ARRAY_SIZE(seg));
		drm_gpupt_kunit_map_now(ctx, 0, 3 * size, mem, 0, 0);
		drm_gpupt_kunit_unmap_now(ctx, 0, 3 * size);
		drm_gpupt_kunit_map_now(ctx, 0, 2 * size, mem, unit, 0);
		drm_gpupt_kunit_unmap_now(ctx, 0, 2 * size);
	}
}

/* Map some leaves, unmap a part, map and unmap that again, and unmap the rest. */
static void pt_cut(struct drm_gpupt_kunit *ctx, const struct drm_gpupt_kunit_mem *mem, u64 va,
		   u64 len)
{
	const u64 size = mem->size, end = va + len;

	drm_gpupt_kunit_map_now(ctx, 0, size, mem, 0, ctx->window.fmt->prot);
	drm_gpupt_kunit_unmap_now(ctx, va, len);
	drm_gpupt_kunit_map_now(ctx, va, len, mem, va, 0);
	drm_gpupt_kunit_unmap_now(ctx, va, len);
	if (va)
		drm_gpupt_kunit_unmap_now(ctx, 0, va);
	if (end < size)
		drm_gpupt_kunit_unmap_now(ctx, end, size - end);
	KUNIT_EXPECT_EQ(ctx->test, drm_gpupt_kunit_info(ctx).tables, ctx->empty);
}

/* The rest of a split leaf maps to the same memory as before, with the largest leaves. */
static void pt_cuts_large_leaves(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	unsigned int level, i;
	u64 unit;

	for (level = 1; level < fmt->levels; level++) {
		u64 size = pt_look_at_leaves(ctx, level, &unit);
		struct drm_gpupt_kunit_mem *mem;
		const struct {
			u64 va;
			u64 len;
		} cut[] = {
			{ 0, unit }, { unit, unit }, { size / 2, unit }, { size - unit, unit },
			{ 0, size - unit }, { unit, size - unit }, { 0, size / 2 },
			{ size / 2, size / 2 }, { size / 2, size }, { size - unit, 2 * unit },
			{ 0, size }, { size, size }, { 2 * size - unit, unit },
		};

		if (!size)
			continue;
		mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA, 2 * size);
		for (i = 0; i < ARRAY_SIZE(cut); i++)
			pt_cut(ctx, mem, cut[i].va, cut[i].len);
	}
}

/*
 * Leaves have the permissions of their map, and a walk does not merge leaves with
 * different ones. Permissions that the format does not support are refused.
 */
static void pt_keeps_permissions(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	const u64 page = drm_gpupt_kunit_page(fmt);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA,
								16 * page);
	u32 prot;
	u64 va = 0;

	for (prot = 0; prot <= (DRM_GPUPT_WRITE | DRM_GPUPT_EXEC | DRM_GPUPT_UNCACHED); prot++) {
		if (prot & ~fmt->prot) {
			KUNIT_EXPECT_EQ(test, -EINVAL,
					drm_gpupt_kunit_map(ctx, va, page, mem, va, prot));
			continue;
		}
		drm_gpupt_kunit_map_now(ctx, va, page, mem, va, prot);
		/* The same permissions: these leaves are merged. */
		drm_gpupt_kunit_map_now(ctx, va + page, page, mem, va + page, prot);
		va += 2 * page;
	}
	drm_gpupt_kunit_unmap_now(ctx, 0, va);
}

/*
 * Walks
 */

static int pt_stop(void *arg, const struct drm_gpupt_extent *extent)
{
	unsigned int *left = arg;

	return --*left ? 0 : -ECANCELED;
}

/* A walk ends when its callback returns an error, and returns that. */
static void pt_walk_can_be_stopped(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	const u64 page = drm_gpupt_kunit_page(fmt), base = DRM_GPUPT_KUNIT_DMA;
	const struct drm_dma_seg seg[] = {
		{ base + 4 * page, page }, { base + 2 * page, page }, { base, page },
	};
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_mem(test, seg, ARRAY_SIZE(seg));
	unsigned int left;

	drm_gpupt_kunit_map_now(ctx, 0, 3 * page, mem, 0, 0);
	for (left = 1; left <= 3; left++) {
		unsigned int n = left;

		KUNIT_EXPECT_EQ(test, -ECANCELED,
				drm_gpupt_walk(ctx->pt, 0, 3 * page, pt_stop, &n));
		KUNIT_EXPECT_EQ(test, n, 0);
	}
	left = 4;
	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_walk(ctx->pt, 0, 3 * page, pt_stop, &left));
	/* What is after a hole is never reported. */
	drm_gpupt_kunit_map_now(ctx, 4 * page, page, mem, 0, 0);
	left = 4;
	KUNIT_EXPECT_EQ(test, -EFAULT, drm_gpupt_walk(ctx->pt, 0, 5 * page, pt_stop, &left));
}

static int pt_keep_extent(void *arg, const struct drm_gpupt_extent *extent)
{
	*(struct drm_gpupt_extent *)arg = *extent;
	return 0;
}

/* A walk that begins and ends inside leaves reports only the parts in its range. */
static void pt_walks_parts_of_leaves(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	const u64 page = drm_gpupt_kunit_page(fmt), size = drm_gpupt_kunit_entry_size(fmt, 1);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA,
								2 * size);
	struct drm_gpupt_extent extent = {};

	drm_gpupt_kunit_look_at(ctx, 0, page, 2 * size / page);
	drm_gpupt_kunit_map_now(ctx, 0, 2 * size, mem, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_walk(ctx->pt, page, 2 * size - 2 * page, pt_keep_extent,
						&extent));
	KUNIT_EXPECT_EQ(test, extent.va, page);
	KUNIT_EXPECT_EQ(test, extent.seg.addr, DRM_GPUPT_KUNIT_DMA + page);
	KUNIT_EXPECT_EQ(test, extent.seg.len, 2 * size - 2 * page);
}

/* The dump has the name of the format, and one line for adjacent leaves. */
static void pt_shows_each_run(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	const u64 page = drm_gpupt_kunit_page(fmt);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA,
								4 * page);
	struct seq_file m = { .size = SZ_16K };
	unsigned int empty = 0, lines = 0;
	char *p;

	m.buf = kunit_kzalloc(test, m.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	drm_gpupt_show(ctx->pt, &m);
	for (p = m.buf; *p; p++)
		empty += *p == '\n';

	/* Two adjacent leaves, and one apart. */
	drm_gpupt_kunit_map_now(ctx, 0, page, mem, 0, 0);
	drm_gpupt_kunit_map_now(ctx, page, page, mem, page, 0);
	drm_gpupt_kunit_map_now(ctx, 4 * page, page, mem, 0, 0);
	memset(m.buf, 0, m.size);
	m.count = 0;
	drm_gpupt_show(ctx->pt, &m);
	for (p = m.buf; *p; p++)
		lines += *p == '\n';
	KUNIT_EXPECT_FALSE(test, seq_has_overflowed(&m));
	KUNIT_EXPECT_NOT_NULL(test, strstr(m.buf, fmt->name));
	KUNIT_EXPECT_EQ_MSG(test, lines, empty + 2, "%s", m.buf);
}

/* Page frames, one for each entry of a table in physical mode. */
static const unsigned int pt_frames[] = { 64, 66, 67, 73, 69, 68, 64 };

static int pt_check_frames(void *arg, const struct drm_gpupt_extent *extent)
{
	struct drm_gpupt_kunit *ctx = arg;
	const u64 page = drm_gpupt_kunit_page(ctx->window.fmt);
	u64 done;

	for (done = 0; done < extent->seg.len; done += page)
		if (extent->seg.addr + done != pt_frames[(extent->va + done) / page] * page)
			return -EPROTO;
	return 0;
}

/* In physical mode, the addresses are those of the pages: DMA addresses are ignored. */
static void pt_maps_physical_memory(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	const u64 page = drm_gpupt_kunit_page(fmt), size = ARRAY_SIZE(pt_frames) * page;
	struct drm_gpupt_kunit_mem *mem =
		drm_gpupt_kunit_block(test, 0, ARRAY_SIZE(pt_frames) * (u64)SZ_2G);
	const struct drm_dma_view view = {
		.sgl = mem->table.sgl,
		.size = size,
		.nents = ARRAY_SIZE(pt_frames),
		.phys = true,
	};
	struct drm_gpupt_op op = {};
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(mem->table.sgl, sg, ARRAY_SIZE(pt_frames), i)
		sg_set_page(sg, pfn_to_page(PHYS_PFN(pt_frames[i] * page)), page, 0);
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_map(ctx->pt, &op, 0, size, view, 0, 0));
	drm_gpupt_commit_map(&op, view);
	drm_gpupt_op_fini(&op);
	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_walk(ctx->pt, 0, size, pt_check_frames, ctx));
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_info(ctx).mapped, size);
}

static void pt_map_tables(struct kunit *test, const struct drm_gpupt_fmt *fmt,
			  struct drm_sgt_device *sdev)
{
	const u64 page = drm_gpupt_kunit_page(fmt), middle = drm_gpupt_kunit_space(fmt) / 2;
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA,
								2 * page);
	const struct drm_dma_view view = drm_gpupt_kunit_view(mem);
	struct drm_gpupt *pt = drm_gpupt_create(fmt, sdev, NULL, NULL);
	struct drm_gpupt_op op = {};
	struct drm_gpupt_extent extent;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pt);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpupt_format(pt), fmt);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(sdev).mapped, 1);
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_map(pt, &op, middle - page, 2 * page, view, 0,
						       0));
	KUNIT_EXPECT_EQ(test, drm_gpupt_op_tables(&op), 2 * (fmt->levels - 1));
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(sdev).bytes_mapped,
			(2 * fmt->levels - 1) * PAGE_SIZE);
	drm_gpupt_commit_map(&op, view);
	drm_gpupt_op_fini(&op);
	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_walk(pt, middle - page, 2 * page, pt_keep_extent,
						&extent));
	KUNIT_EXPECT_EQ(test, extent.seg.len, 2 * page);
	/* Mapped ranges do not matter. */
	drm_gpupt_destroy(pt);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(sdev).mapped, 0);
}

/* The tables are mapped with the DMA API, or have physical addresses: one page each. */
static void pt_maps_its_tables(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);

	pt_map_tables(test, fmt, drm_sgt_kunit_bind(test)->sdev);
	pt_map_tables(test, fmt, drm_sgt_kunit_bind_phys(test, NULL)->sdev);
}

static struct kunit_case drm_gpupt_cases[] = {
	KUNIT_CASE_PARAM(pt_maps_its_tables, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(pt_maps_first_and_last_entries, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(pt_maps_across_each_boundary, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(pt_keeps_permissions, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(pt_walk_can_be_stopped, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(pt_walks_parts_of_leaves, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(pt_maps_physical_memory, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(pt_shows_each_run, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(pt_chooses_large_leaves, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(pt_merges_segments_into_leaves, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(pt_cuts_large_leaves, drm_gpupt_kunit_formats),
	{}
};

static struct kunit_suite drm_gpupt_suite = {
	.name = "drm_gpupt",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpupt_cases,
};

kunit_test_suite(drm_gpupt_suite);
