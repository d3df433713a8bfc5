// SPDX-License-Identifier: GPL-2.0

#include <linux/sizes.h>

#include "drm_gpupt_kunit_helpers.h"

/*
 * The bytes of a radix3 page table against a decoder of its own: three levels of 4 KiB
 * tables, with little-endian DMA addresses of 8 bytes. The last level has the address of
 * each page of the memory, including a partial last page.
 */

#define RADIX3_PAGE	4096
#define RADIX3_ENTRIES	512

static u64 radix3_get(const u8 *table, unsigned int i)
{
	u64 value = 0;
	int byte;

	for (byte = 7; byte >= 0; byte--)
		value = value << 8 | table[8 * i + byte];
	return value;
}

/* The table that an entry points to; NULL if it is empty. */
static const u8 *radix3_below(struct kunit *test, const u8 *table, unsigned int i)
{
	u64 addr = radix3_get(table, i);

	if (!addr)
		return NULL;
	KUNIT_ASSERT_TRUE(test, IS_ALIGNED(addr, RADIX3_PAGE));
	KUNIT_ASSERT_NOT_NULL(test, drm_gpupt_kunit_memory(addr));
	return drm_gpupt_kunit_memory(addr);
}

/* A position in the segments of the memory, which advances page by page. */
struct radix3_pages {
	const struct drm_dma_seg *seg;
	u64 done;
	u64 left;
};

/* The address of the next page, or 0 after the last. */
static u64 radix3_next(struct radix3_pages *pages)
{
	u64 addr;

	if (!pages->left)
		return 0;
	while (pages->done >= pages->seg->len) {
		pages->done -= pages->seg->len;
		pages->seg++;
	}
	addr = pages->seg->addr + pages->done;
	pages->done += RADIX3_PAGE;
	pages->left -= min(pages->left, RADIX3_PAGE);
	return addr;
}

/* Expect all pages from VA 0 on, and zeroes after them, on every level. */
static void radix3_check(struct drm_gpupt_kunit *ctx, const struct drm_dma_seg *seg, u64 len)
{
	struct radix3_pages pages = { .seg = seg, .left = len };
	const u8 *level0 = ctx->root;
	unsigned int i, k, n;

	for (i = 0; i < RADIX3_ENTRIES; i++) {
		const u8 *level1 = radix3_below(ctx->test, level0, i);

		KUNIT_ASSERT_EQ(ctx->test, !level1, !pages.left);
		for (k = 0; level1 && k < RADIX3_ENTRIES; k++) {
			const u8 *level2 = radix3_below(ctx->test, level1, k);

			KUNIT_ASSERT_EQ(ctx->test, !level2, !pages.left);
			for (n = 0; level2 && n < RADIX3_ENTRIES; n++) {
				u64 addr = radix3_next(&pages);

				if (radix3_get(level2, n) != addr)
					KUNIT_FAIL_AND_ABORT(ctx->test,
							     "%u, %u, %u: %#llx, and not %#llx",
							     i, k, n, radix3_get(level2, n), addr);
			}
		}
	}
}

/* Map at VA 0, check, and unmap again. */
static void radix3_try(struct drm_gpupt_kunit *ctx, const struct drm_dma_seg *seg,
		       unsigned int nr, u64 len)
{
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_mem(ctx->test, seg, nr);
	const u64 pages = DIV_ROUND_UP_ULL(len, RADIX3_PAGE);
	const u64 tables2 = DIV_ROUND_UP_ULL(pages, RADIX3_ENTRIES);
	const u64 tables1 = DIV_ROUND_UP_ULL(tables2, RADIX3_ENTRIES);
	struct drm_gpupt_op op = {};

	KUNIT_ASSERT_EQ(ctx->test, 0, drm_gpupt_prepare_map(ctx->pt, &op, 0, len,
							    drm_gpupt_kunit_view(mem), 0, 0));
	KUNIT_EXPECT_EQ(ctx->test, drm_gpupt_op_tables(&op), tables1 + tables2);
	drm_gpupt_commit_map(&op, drm_gpupt_kunit_view(mem));
	drm_gpupt_op_fini(&op);
	radix3_check(ctx, seg, len);
	KUNIT_EXPECT_EQ(ctx->test, drm_gpupt_kunit_info(ctx).leaves[0], pages);

	KUNIT_ASSERT_EQ(ctx->test, 0, drm_gpupt_prepare_unmap(ctx->pt, &op, 0, len));
	drm_gpupt_commit(&op);
	drm_gpupt_op_fini(&op);
	radix3_check(ctx, seg, 0);
	KUNIT_EXPECT_EQ(ctx->test, drm_gpupt_kunit_info(ctx).tables, ctx->empty);
}

static const struct radix3_case {
	const char *name;
	struct drm_dma_seg seg[4];
	u64 len;
} radix3_cases[] = {
	{ "one page", { { SZ_1M, SZ_4K } }, SZ_4K },
	{ "a byte", { { SZ_1M, SZ_4K } }, 1 },
	{ "a page and a byte", { { SZ_1M, SZ_8K } }, SZ_4K + 1 },
	{ "a byte less than two pages", { { SZ_1M, SZ_8K } }, SZ_8K - 1 },
	{ "memory that ends in a page", { { SZ_1M, SZ_4K + 100 } }, SZ_4K + 100 },
	{ "three segments", { { SZ_1G, SZ_8K }, { SZ_1M, SZ_4K }, { SZ_4G, SZ_16K } }, 28672 },
	{ "a part of the last segment", { { SZ_1G, SZ_8K }, { SZ_1M, SZ_4K }, { SZ_4G, SZ_16K } },
	  SZ_16K + 1 },
	{ "neighbours", { { SZ_1G, SZ_8K }, { SZ_1G + SZ_8K, SZ_8K }, { SZ_1M, SZ_4K } }, 20480 },
	{ "large, aligned memory", { { SZ_1G, SZ_4M } }, SZ_4M },
	{ "a table and a byte", { { SZ_1G + SZ_4K, SZ_4M } }, SZ_2M + 1 },
	{ "addresses of 64 bits", { { -8ull * SZ_4K, 4 * SZ_4K }, { BIT_ULL(63), SZ_4K } }, 20480 },
	{ "up to the last address", { { -4ull * SZ_4K, 4 * SZ_4K } }, SZ_16K },
	{ "a page less than 1 GiB", { { SZ_4G, SZ_1G } }, SZ_1G - SZ_4K },
	{ "1 GiB", { { SZ_4G, SZ_1G } }, SZ_1G },
	{ "1 GiB and a byte", { { SZ_4G, SZ_1G }, { SZ_1M, SZ_4K } }, SZ_1G + 1 },
	{ "more than 2 GiB", { { SZ_4G, SZ_1G + SZ_4K }, { SZ_64G, SZ_1G }, { SZ_1M, SZ_4K + 8 } },
	  SZ_2G + SZ_8K + 8 },
};

static void radix3_case_desc(const struct radix3_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(radix3_case, radix3_cases, radix3_case_desc);

static void radix3_lists_each_page(struct kunit *test)
{
	const struct radix3_case *c = test->param_value;
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, &drm_gpupt_radix3);
	unsigned int segs = 0;

	while (segs < ARRAY_SIZE(c->seg) && c->seg[segs].len)
		segs++;
	radix3_try(ctx, c->seg, segs, c->len);
}

#define RADIX3_SEGS	64

/* Firmware in many pieces, of any length. */
static void radix3_lists_scattered_pages(struct kunit *test)
{
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, &drm_gpupt_radix3);
	unsigned int round, i;
	struct drm_dma_seg *seg;
	struct rnd_state rnd;

	seg = kunit_kcalloc(test, RADIX3_SEGS, sizeof(*seg), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seg);
	drm_sgt_kunit_seed(test, &rnd);
	for (round = 0; round < 50; round++) {
		u64 len = 0;

		for (i = 0; i < RADIX3_SEGS; i++) {
			seg[i].addr = SZ_4K * (1ull + prandom_u32_state(&rnd));
			seg[i].len = SZ_4K * (1 + drm_sgt_kunit_below(&rnd, 40));
			if (i && drm_sgt_kunit_below(&rnd, 2))
				seg[i].addr = seg[i - 1].addr + seg[i - 1].len;
			len += seg[i].len;
		}
		radix3_try(ctx, seg, RADIX3_SEGS,
			   len - (round % 4 ? drm_sgt_kunit_below(&rnd, SZ_4K) : 0));
	}
}

/* 512 GiB is the limit of three levels. */
static void radix3_ends_at_512_gib(struct kunit *test)
{
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, &drm_gpupt_radix3);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, SZ_1T, SZ_512G + SZ_4K);
	const struct drm_dma_view view = drm_gpupt_kunit_view(mem);
	struct drm_gpupt_op op = {};

	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gpupt_prepare_map(ctx->pt, &op, 0, SZ_512G + 1, view,
							     0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gpupt_prepare_map(ctx->pt, &op, SZ_512G - SZ_4K,
							     SZ_4K + 1, view, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			drm_gpupt_prepare_map(ctx->pt, &op, SZ_512G, 1, view, 0, 0));
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_map(ctx->pt, &op, SZ_512G - SZ_4K, SZ_4K - 1,
						       view, SZ_4K, 0));
	drm_gpupt_commit_map(&op, view);
	drm_gpupt_op_fini(&op);
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_info(ctx).leaves[0], 1);
}

static int radix3_keep_extent(void *arg, const struct drm_gpupt_extent *extent)
{
	*(struct drm_gpupt_extent *)arg = *extent;
	return 0;
}

/* A partial last page is mapped, walked and unmapped with its partial length. */
static void radix3_keeps_a_partial_last_leaf(struct kunit *test)
{
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, &drm_gpupt_radix3);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, SZ_1M, SZ_16K + 100);
	const struct drm_dma_view view = drm_gpupt_kunit_view(mem);
	struct drm_gpupt_op op = {}, more = {};
	struct drm_gpupt_extent extent = {};

	KUNIT_EXPECT_EQ(test, -ERANGE, drm_gpupt_prepare_map(ctx->pt, &op, 0, SZ_16K + 101, view,
							     0, 0));
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_map(ctx->pt, &op, 0, SZ_16K + 100, view, 0, 0));
	/* The rest of the page cannot be mapped. */
	KUNIT_EXPECT_EQ(test, -EEXIST, drm_gpupt_prepare_map(ctx->pt, &more, SZ_16K, SZ_4K, view,
							     0, 0));
	drm_gpupt_commit_map(&op, view);
	drm_gpupt_op_fini(&op);

	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_walk(ctx->pt, 0, SZ_16K + 100, radix3_keep_extent,
						&extent));
	KUNIT_EXPECT_EQ(test, extent.va, 0);
	KUNIT_EXPECT_EQ(test, extent.seg.addr, SZ_1M);
	KUNIT_EXPECT_EQ(test, extent.seg.len, SZ_16K + 100);

	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_unmap(ctx->pt, &op, SZ_8K, SZ_8K + 100));
	drm_gpupt_commit(&op);
	drm_gpupt_op_fini(&op);
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_info(ctx).leaves[0], 2);
	/* What the device forgets are whole leaves. */
	KUNIT_EXPECT_EQ(test, ctx->flush.va, SZ_8K);
	KUNIT_EXPECT_EQ(test, ctx->flush.len, SZ_8K + SZ_4K);
}

static struct kunit_case drm_gpupt_radix3_cases[] = {
	KUNIT_CASE_PARAM(radix3_lists_each_page, radix3_case_gen_params),
	KUNIT_CASE(radix3_lists_scattered_pages),
	KUNIT_CASE(radix3_ends_at_512_gib),
	KUNIT_CASE(radix3_keeps_a_partial_last_leaf),
	{}
};

static struct kunit_suite drm_gpupt_radix3_suite = {
	.name = "drm_gpupt_radix3",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpupt_radix3_cases,
};

kunit_test_suite(drm_gpupt_radix3_suite);
