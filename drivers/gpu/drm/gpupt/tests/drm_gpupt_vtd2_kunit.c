// SPDX-License-Identifier: GPL-2.0

#include <linux/sizes.h>

#include "drm_gpupt_kunit_bits.h"

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

static u64 vtd_entry(struct drm_gpupt_kunit *ctx, u64 va, unsigned int level)
{
	return drm_gpupt_kunit_entry(ctx, va, level, VTD_TABLE);
}

static const struct drm_gpupt_kunit_leaf vtd_leaves[] = {
	{ "4K", 0, 0, VTD_PAGE },
	{ "4K, writable", 0, DRM_GPUPT_WRITE, VTD_PAGE | VTD_WRITE },
	{ "2M", 1, 0, VTD_LARGE },
	{ "2M, writable", 1, DRM_GPUPT_WRITE, VTD_LARGE | VTD_WRITE },
	{ "1G", 2, 0, VTD_LARGE },
	{ "1G, writable", 2, DRM_GPUPT_WRITE, VTD_LARGE | VTD_WRITE },
};

KUNIT_ARRAY_PARAM(vtd_leaf, vtd_leaves, drm_gpupt_kunit_leaf_desc);

static void vtd2_has_the_bits_of_the_specification(struct kunit *test)
{
	drm_gpupt_kunit_check_leaf(test, &drm_gpupt_vtd2, VTD_TABLE);
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
