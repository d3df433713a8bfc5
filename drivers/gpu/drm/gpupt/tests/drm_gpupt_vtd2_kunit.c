// SPDX-License-Identifier: GPL-2.0

#include <linux/sizes.h>

#include "drm_gpupt_kunit_helpers.h"

/*
 * The bits of second-level paging entries, as in section 9.8 of the specification of
 * VT-d. They are plain numbers here, so that the tests find an error in the macros of the
 * format.
 */

/* R, W */
#define VTD_TABLE	0x3ull
/* R */
#define VTD_PAGE	0x1ull
/* R, PS */
#define VTD_LARGE	0x81ull
#define VTD_WRITE	0x2ull

/* Bits 47:39, 38:30, 29:21, 20:12 of an input address: 512 entries each. */
static unsigned int vtd_index(u64 va, unsigned int level)
{
	return (va >> (12 + 9 * level)) % 512;
}

/* The entry for @va in the table of @level. */
static u64 vtd_entry(struct drm_gpupt_kunit *ctx, u64 va, unsigned int level)
{
	const __le64 *table = ctx->root;
	unsigned int i;

	for (i = 3; i > level; i--) {
		u64 entry = le64_to_cpu(table[vtd_index(va, i)]);

		KUNIT_ASSERT_EQ_MSG(ctx->test, entry & ~GENMASK_ULL(51, 12), VTD_TABLE,
				    "level %u at %#llx", i, va);
		table = drm_gpupt_kunit_memory(entry & GENMASK_ULL(51, 12));
		KUNIT_ASSERT_NOT_NULL(ctx->test, table);
	}
	return le64_to_cpu(table[vtd_index(va, level)]);
}

struct vtd_leaf {
	const char *name;
	unsigned int level;
	u32 prot;
	u64 bits;
};

static const struct vtd_leaf vtd_leaves[] = {
	{ "4K", 0, 0, VTD_PAGE },
	{ "4K, writable", 0, DRM_GPUPT_WRITE, VTD_PAGE | VTD_WRITE },
	{ "2M", 1, 0, VTD_LARGE },
	{ "2M, writable", 1, DRM_GPUPT_WRITE, VTD_LARGE | VTD_WRITE },
	{ "1G", 2, 0, VTD_LARGE },
	{ "1G, writable", 2, DRM_GPUPT_WRITE, VTD_LARGE | VTD_WRITE },
};

static void vtd_leaf_desc(const struct vtd_leaf *leaf, char *desc)
{
	strscpy(desc, leaf->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(vtd_leaf, vtd_leaves, vtd_leaf_desc);

/* Each kind of leaf, and the tables above it, bit by bit; all other entries are empty. */
static void vtd2_has_the_bits_of_the_specification(struct kunit *test)
{
	const struct vtd_leaf *leaf = test->param_value;
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, &drm_gpupt_vtd2);
	const u64 size = SZ_4K << (9 * leaf->level);
	/* The highest address that fits, and a VA with another index on each level. */
	const u64 addr = BIT_ULL(52) - 2 * size;
	const u64 va = 0x123456789000ull & ~(size - 1);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, addr, 2 * size);

	drm_gpupt_kunit_look_at(ctx, va, min(size, SZ_2M), 2 * size / min(size, SZ_2M));
	drm_gpupt_kunit_map_now(ctx, va, 2 * size, mem, 0, leaf->prot);
	KUNIT_EXPECT_EQ(test, vtd_entry(ctx, va, leaf->level), addr | leaf->bits);
	KUNIT_EXPECT_EQ(test, vtd_entry(ctx, va + size, leaf->level), (addr + size) | leaf->bits);
	KUNIT_EXPECT_EQ(test, vtd_entry(ctx, va + 2 * size, leaf->level), 0);
	drm_gpupt_kunit_unmap_now(ctx, va, size);
	KUNIT_EXPECT_EQ(test, vtd_entry(ctx, va, leaf->level), 0);
	KUNIT_EXPECT_EQ(test, vtd_entry(ctx, va + size, leaf->level), (addr + size) | leaf->bits);
}

/* An unmap of a page in a read-only leaf of 1G leaves smaller leaves, read-only as well. */
static void vtd2_keeps_permissions_in_a_split(struct kunit *test)
{
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, &drm_gpupt_vtd2);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, 3ull * SZ_1G, SZ_1G);
	const u64 va = 5ull * SZ_1G, hole = SZ_512M + 7 * SZ_4K;
	struct drm_gpupt_op op = {};

	drm_gpupt_kunit_look_at(ctx, va, SZ_2M, 512);
	drm_gpupt_kunit_map_now(ctx, va, SZ_1G, mem, 0, 0);
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_unmap(ctx->pt, &op, va + hole, SZ_4K));
	drm_gpupt_commit(&op);
	drm_gpupt_op_fini(&op);
	KUNIT_EXPECT_EQ(test, vtd_entry(ctx, va + SZ_2M, 1), (3ull * SZ_1G + SZ_2M) | VTD_LARGE);
	KUNIT_EXPECT_EQ(test, vtd_entry(ctx, va + hole - SZ_4K, 0),
			(3ull * SZ_1G + hole - SZ_4K) | VTD_PAGE);
	KUNIT_EXPECT_EQ(test, vtd_entry(ctx, va + hole, 0), 0);
}

static struct kunit_case drm_gpupt_vtd2_cases[] = {
	KUNIT_CASE_PARAM(vtd2_has_the_bits_of_the_specification, vtd_leaf_gen_params),
	KUNIT_CASE(vtd2_keeps_permissions_in_a_split),
	{}
};

static struct kunit_suite drm_gpupt_vtd2_suite = {
	.name = "drm_gpupt_vtd2",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpupt_vtd2_cases,
};

kunit_test_suite(drm_gpupt_vtd2_suite);
