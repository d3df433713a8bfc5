// SPDX-License-Identifier: GPL-2.0

/*
 * The format of Documentation/gpu/drm-gpt.rst, whole, and the test that maps
 * something with it. The rst includes the code between the markers.
 */

#include <kunit/test.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>

#include <drm/drm_gpt_fmt.h>

#include "drm_sgt_kunit_helpers.h"

/* [example: format] */
#define EXAMPLE_VALID	BIT(0)
#define EXAMPLE_WRITE	BIT(1)	/* of a leaf */
#define EXAMPLE_LEAF	BIT(2)	/* on level 1 */

/* Page numbers of 28 bits, above four flags. */
static __always_inline void example_put(void *entry, dma_addr_t addr, u64 bits)
{
	WRITE_ONCE(*(u32 *)entry, addr >> 12 << 4 | bits);
}

static void example_fill(struct drm_gpt_fill *fill)
{
	u32 bits = EXAMPLE_VALID;

	if (fill->prot & DRM_GPT_WRITE)
		bits |= EXAMPLE_WRITE;
	if (fill->level)
		bits |= EXAMPLE_LEAF;
	drm_gpt_fill_leaves(fill, sizeof(u32), example_put, bits);
}

static void example_link(void *entry, dma_addr_t table)
{
	example_put(entry, table, EXAMPLE_VALID);
}

static void example_clear(void *entry, unsigned int count)
{
	memset32(entry, 0, count);
}

static enum drm_gpt_entry example_read(const void *entry, unsigned int level,
				       struct drm_gpt_run *run)
{
	u32 bits = READ_ONCE(*(const u32 *)entry);

	if (!(bits & EXAMPLE_VALID))
		return DRM_GPT_ENTRY_NONE;

	run->seg.addr = (u64)(bits >> 4) << 12;
	if (level && !(bits & EXAMPLE_LEAF))
		return DRM_GPT_ENTRY_TABLE;

	run->seg.len = level ? SZ_4M : SZ_4K;
	run->prot = bits & EXAMPLE_WRITE ? DRM_GPT_WRITE : 0;
	return DRM_GPT_ENTRY_LEAF;
}

static const struct drm_gpt_fmt example_fmt = {
	.name = "example",
	.level = {
		{ .shift = 12, .bits = 10, .leaf = true },
		{ .shift = 22, .bits = 10, .leaf = true },
	},
	.levels = 2,
	.entry_size = sizeof(u32),
	.addr_bits = 40,
	.prot = DRM_GPT_WRITE,
	.fill = example_fill,
	.link = example_link,
	.clear = example_clear,
	.read = example_read,
};

/* [end] */

#define EXAMPLE_VA	(SZ_4M - SZ_8K)

/* Two pages, a large leaf, and a page, whose addresses follow each other. */
#define EXAMPLE_ADDR	(BIT_ULL(39) - SZ_8K)
#define EXAMPLE_LEN	(SZ_8K + SZ_4M + SZ_4K)

/* An expectation that fails takes memory, which may not be taken here. */
static int example_remember_run(void *arg, const struct drm_gpt_run *run)
{
	struct drm_gpt_run *last = arg;

	*last = *run;
	return 0;
}

static void example_format(struct kunit *test)
{
	u64 leaves[DRM_GPT_MAX_LEVELS];
	struct drm_gpt_run run = {};
	struct drm_gpt_op op = {};
	struct sg_table table;
	struct drm_gpt *gpt;

	KUNIT_ASSERT_EQ(test, 0, sg_alloc_table(&table, 1, GFP_KERNEL));
	sg_dma_address(table.sgl) = EXAMPLE_ADDR;
	sg_dma_len(table.sgl) = EXAMPLE_LEN;

	gpt = drm_gpt_create(&example_fmt, drm_sgt_kunit_bind(test)->sdev, NULL, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(gpt));
	KUNIT_EXPECT_EQ(test, 0, drm_gpt_prepare_map(gpt, &op, EXAMPLE_VA, EXAMPLE_LEN,
						     drm_dma_view_borrow(&table), 0,
						     DRM_GPT_WRITE));
	KUNIT_EXPECT_EQ(test, 2, drm_gpt_op_tables(&op));
	drm_gpt_commit_map(&op, drm_dma_view_borrow(&table));
	drm_gpt_op_fini(&op);

	KUNIT_EXPECT_EQ(test, 0, drm_gpt_walk(gpt, EXAMPLE_VA, EXAMPLE_LEN,
					      example_remember_run, &run));
	KUNIT_EXPECT_EQ(test, run.va, EXAMPLE_VA);
	KUNIT_EXPECT_EQ(test, run.seg.addr, EXAMPLE_ADDR);
	KUNIT_EXPECT_EQ(test, run.seg.len, EXAMPLE_LEN);
	KUNIT_EXPECT_EQ(test, run.prot, DRM_GPT_WRITE);

	KUNIT_EXPECT_EQ(test, 0, drm_gpt_count_leaves(gpt, EXAMPLE_VA, EXAMPLE_LEN, leaves));
	KUNIT_EXPECT_EQ(test, leaves[0], 3);
	KUNIT_EXPECT_EQ(test, leaves[1], 1);

	drm_gpt_destroy(gpt);
	sg_free_table(&table);
}

static struct kunit_case drm_gpt_example_cases[] = {
	KUNIT_CASE(example_format),
	{}
};

static struct kunit_suite drm_gpt_example_suite = {
	.name = "drm_gpt_example",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpt_example_cases,
};

kunit_test_suite(drm_gpt_example_suite);
