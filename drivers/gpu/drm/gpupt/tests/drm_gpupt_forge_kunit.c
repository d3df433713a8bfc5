// SPDX-License-Identifier: GPL-2.0

#include "../drm_gpupt_internal.h"
#include "drm_gpupt_kunit_helpers.h"

/*
 * Entries that the engine did not write, but a device or a bug. The engine must ignore
 * or report them.
 */

struct forge {
	struct drm_gpupt_kunit *ctx;
	struct drm_gpupt *pt;
	u64 page;
};

/* Two pages are mapped from VA 0 on, in tables of their own. */
static struct forge forge_create(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct forge f = {
		.ctx = drm_gpupt_kunit_create(test, fmt),
		.page = drm_gpupt_kunit_page(fmt),
	};
	struct drm_gpupt_kunit_mem *mem =
		drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA + f.page, 2 * f.page);

	f.pt = f.ctx->pt;
	drm_gpupt_kunit_map_now(f.ctx, 0, 2 * f.page, mem, 0, 0);
	return f;
}

/* The first table of a level. */
static struct drm_gpupt_table *forge_table(const struct forge *f, unsigned int level)
{
	struct drm_gpupt_table *table = f->pt->root;

	guard(mutex)(&f->pt->plan_lock);
	while (table->level > level)
		table = drm_gpupt_table_planned(f->pt, table, 0);
	return table;
}

static int forge_keep_extent(void *arg, const struct drm_gpupt_extent *extent)
{
	*(struct drm_gpupt_extent *)arg = *extent;
	return 0;
}

/* A walk finds what is mapped, as before the forgery. */
static void forge_expect_right(const struct forge *f, unsigned int level)
{
	struct drm_gpupt_extent extent = {};

	KUNIT_EXPECT_EQ_MSG(f->ctx->test, 0,
			    drm_gpupt_walk(f->pt, 0, 2 * f->page, forge_keep_extent, &extent),
			    "level %u", level);
	KUNIT_EXPECT_EQ(f->ctx->test, extent.seg.addr, DRM_GPUPT_KUNIT_DMA + f->page);
	KUNIT_EXPECT_EQ(f->ctx->test, extent.seg.len, 2 * f->page);
}

/* A walk of the entry, and all that read the whole page table, fail. */
static void forge_expect_error(const struct forge *f, unsigned int level, unsigned int index)
{
	u64 va = index * drm_gpupt_span(f->pt, level), leaves[DRM_GPUPT_MAX_LEVELS];
	struct drm_gpupt_extent extent = {};
	struct drm_gpupt_info info;

	KUNIT_EXPECT_EQ_MSG(f->ctx->test, -EIO,
			    drm_gpupt_walk(f->pt, va, f->page, forge_keep_extent, &extent),
			    "level %u", level);
	KUNIT_EXPECT_EQ(f->ctx->test, extent.seg.len, 0);
	KUNIT_EXPECT_EQ(f->ctx->test, -EIO,
			drm_gpupt_count_leaves(f->pt, 0, f->pt->va_size, leaves));
	KUNIT_EXPECT_EQ(f->ctx->test, -EIO, drm_gpupt_get_info(f->pt, &info));
	forge_expect_right(f, level);
}

/* A forged table, or a leaf on a level without leaves, is an error, and no Oops. */
static void forge_tables_that_are_not_there(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct forge f = forge_create(test);
	unsigned int level;

	for (level = fmt->levels - 1; level; level--) {
		struct drm_gpupt_table *table = forge_table(&f, level);
		void *entry = drm_gpupt_entry(f.pt, table, 1);

		fmt->link(entry, table->dma);
		forge_expect_error(&f, level, 1);
		if (!fmt->level[level].leaf) {
			memset(entry, 0xff, fmt->entry_size);
			forge_expect_error(&f, level, 1);
		}
		fmt->clear(entry, 1);
	}
	drm_gpupt_kunit_check(f.ctx);
}

/* A forged entry replaces one that points to a table: the real table is still read. */
static void forge_tables_that_are_there(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct forge f = forge_create(test);
	unsigned int level;

	for (level = fmt->levels - 1; level; level--) {
		struct drm_gpupt_table *table = forge_table(&f, level);
		void *entry = drm_gpupt_entry(f.pt, table, 0);

		fmt->clear(entry, 1);
		forge_expect_right(&f, level);
		memset(entry, 0xff, fmt->entry_size);
		forge_expect_right(&f, level);
		fmt->link(entry, table->dma);
		forge_expect_right(&f, level);
		fmt->link(entry, forge_table(&f, level - 1)->dma);
	}
	drm_gpupt_kunit_check(f.ctx);
}

/* A large leaf is forged into a table before it is split: the rest of it becomes a hole. */
static void forge_leaf_that_is_cut(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	const u64 leaf = drm_gpupt_kunit_entry_size(fmt, 1);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	struct forge f = { .ctx = ctx, .pt = ctx->pt, .page = drm_gpupt_kunit_page(fmt) };
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA, leaf);
	struct drm_gpupt_table *table;
	struct drm_gpupt_op op = {};
	struct drm_gpupt_extent extent;

	if (!fmt->level[1].leaf)
		kunit_skip(test, "no large leaves");

	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_map(f.pt, &op, 0, leaf,
						       drm_gpupt_kunit_view(mem), 0, 0));
	drm_gpupt_commit_map(&op, drm_gpupt_kunit_view(mem));
	drm_gpupt_op_fini(&op);
	table = forge_table(&f, 1);
	fmt->link(drm_gpupt_entry(f.pt, table, 0), table->dma);

	KUNIT_EXPECT_EQ(test, -EIO, drm_gpupt_walk(f.pt, 0, leaf, forge_keep_extent, &extent));
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_unmap(f.pt, &op, 0, f.page));
	drm_gpupt_commit(&op);
	drm_gpupt_op_fini(&op);
	KUNIT_EXPECT_EQ(test, -EFAULT,
			drm_gpupt_walk(f.pt, f.page, f.page, forge_keep_extent, &extent));
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_unmap(f.pt, &op, f.page, leaf - f.page));
	drm_gpupt_commit(&op);
	drm_gpupt_op_fini(&op);
	KUNIT_EXPECT_EQ(test, drm_gpupt_tables(f.pt), 1);
}

/* Tables are mapped so that a write of the device does not reach them. */
static void forge_is_not_mapped_for_writing(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct forge f = forge_create(test);
	unsigned int level;

	for (level = 0; level < fmt->levels; level++)
		KUNIT_EXPECT_EQ(test, forge_table(&f, level)->mem->sgt->dir, DMA_TO_DEVICE);
}

static struct kunit_case drm_gpupt_forge_cases[] = {
	KUNIT_CASE_PARAM(forge_is_not_mapped_for_writing, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(forge_tables_that_are_not_there, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(forge_tables_that_are_there, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(forge_leaf_that_is_cut, drm_gpupt_kunit_formats),
	{}
};

static struct kunit_suite drm_gpupt_forge_suite = {
	.name = "drm_gpupt_forge",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpupt_forge_cases,
};

kunit_test_suite(drm_gpupt_forge_suite);
