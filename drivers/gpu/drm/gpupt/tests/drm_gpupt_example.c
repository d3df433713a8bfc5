// SPDX-License-Identifier: GPL-2.0

/*
 * The example format of Documentation/gpu/drm-gpupt.rst, and a test that uses it. The
 * rst includes the code between the markers.
 */

#include <kunit/test.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>

#include <drm/drm_gpupt_fmt.h>

#include "../../gem_sgt/tests/drm_sgt_kunit_helpers.h"

/* [example: format] */
#define EXAMPLE_VALID	BIT(0)
#define EXAMPLE_WRITE	BIT(1)	/* of a leaf */
#define EXAMPLE_LEAF	BIT(2)	/* on level 1 */

/* Page numbers of 28 bits, above four flags. */
static __always_inline void example_put(void *entry, dma_addr_t addr, u64 bits)
{
	WRITE_ONCE(*(u32 *)entry, addr >> 12 << 4 | bits);
}

static void example_fill(const struct drm_gpupt_fill *fill)
{
	u32 bits = EXAMPLE_VALID;

	if (fill->prot & DRM_GPUPT_WRITE)
		bits |= EXAMPLE_WRITE;
	if (fill->level)
		bits |= EXAMPLE_LEAF;
	drm_gpupt_fill_leaves(fill, sizeof(u32), example_put, bits);
}

static void example_link(void *entry, dma_addr_t table)
{
	example_put(entry, table, EXAMPLE_VALID);
}

static void example_clear(void *entry, unsigned int count)
{
	memset32(entry, 0, count);
}

static enum drm_gpupt_entry example_read(const void *entry, unsigned int level,
					 struct drm_gpupt_extent *extent)
{
	u32 bits = READ_ONCE(*(const u32 *)entry);

	if (!(bits & EXAMPLE_VALID))
		return DRM_GPUPT_ENTRY_NONE;

	extent->seg.addr = (u64)(bits >> 4) << 12;
	if (level && !(bits & EXAMPLE_LEAF))
		return DRM_GPUPT_ENTRY_TABLE;

	extent->seg.len = level ? SZ_4M : SZ_4K;
	extent->prot = bits & EXAMPLE_WRITE ? DRM_GPUPT_WRITE : 0;
	return DRM_GPUPT_ENTRY_LEAF;
}

static const struct drm_gpupt_fmt example_fmt = {
	.name = "example",
	.level = {
		{ .shift = 12, .bits = 10, .leaf = true },
		{ .shift = 22, .bits = 10, .leaf = true },
	},
	.levels = 2,
	.entry_size = sizeof(u32),
	.addr_bits = 40,
	.prot = DRM_GPUPT_WRITE,
	.fill = example_fill,
	.link = example_link,
	.clear = example_clear,
	.read = example_read,
};

/* [end] */

#define EXAMPLE_VA	(SZ_4M - SZ_8K)

/* Two pages, a large leaf, and a page, with contiguous addresses. */
#define EXAMPLE_ADDR	(BIT_ULL(39) - SZ_8K)
#define EXAMPLE_LEN	(SZ_8K + SZ_4M + SZ_4K)

/* Memory must not be allocated here, and an expectation that fails does so. */
static int example_remember_extent(void *arg, const struct drm_gpupt_extent *extent)
{
	struct drm_gpupt_extent *last = arg;

	*last = *extent;
	return 0;
}

static void example_format(struct kunit *test)
{
	u64 leaves[DRM_GPUPT_MAX_LEVELS];
	struct drm_gpupt_extent extent = {};
	struct drm_gpupt_op op = {};
	struct sg_table table;
	struct drm_gpupt *pt;

	KUNIT_ASSERT_EQ(test, 0, sg_alloc_table(&table, 1, GFP_KERNEL));
	sg_dma_address(table.sgl) = EXAMPLE_ADDR;
	sg_dma_len(table.sgl) = EXAMPLE_LEN;

	pt = drm_gpupt_create(&example_fmt, drm_sgt_kunit_bind(test)->sdev, NULL, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pt));
	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_prepare_map(pt, &op, EXAMPLE_VA, EXAMPLE_LEN,
						       drm_dma_view_borrow(&table), 0,
						       DRM_GPUPT_WRITE));
	KUNIT_EXPECT_EQ(test, 2, drm_gpupt_op_tables(&op));
	drm_gpupt_commit_map(&op, drm_dma_view_borrow(&table));
	drm_gpupt_op_fini(&op);

	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_walk(pt, EXAMPLE_VA, EXAMPLE_LEN,
						example_remember_extent, &extent));
	KUNIT_EXPECT_EQ(test, extent.va, EXAMPLE_VA);
	KUNIT_EXPECT_EQ(test, extent.seg.addr, EXAMPLE_ADDR);
	KUNIT_EXPECT_EQ(test, extent.seg.len, EXAMPLE_LEN);
	KUNIT_EXPECT_EQ(test, extent.prot, DRM_GPUPT_WRITE);

	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_count_leaves(pt, EXAMPLE_VA, EXAMPLE_LEN, leaves));
	KUNIT_EXPECT_EQ(test, leaves[0], 3);
	KUNIT_EXPECT_EQ(test, leaves[1], 1);

	drm_gpupt_destroy(pt);
	sg_free_table(&table);
}

static struct kunit_case drm_gpupt_example_cases[] = {
	KUNIT_CASE(example_format),
	{}
};

static struct kunit_suite drm_gpupt_example_suite = {
	.name = "drm_gpupt_example",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpupt_example_cases,
};

kunit_test_suite(drm_gpupt_example_suite);
