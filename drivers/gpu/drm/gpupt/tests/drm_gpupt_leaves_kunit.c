// SPDX-License-Identifier: GPL-2.0

#include <linux/align.h>
#include <linux/limits.h>

#include "drm_gpupt_kunit_helpers.h"

/*
 * The choice of leaves is optimal. The VA space of the format is small enough to try
 * every range, and every way to cover it: no other way needs fewer leaves.
 */

#define LEAVES_PAGES	16

/* A range, and the page frame that each of its pages maps to. */
struct leaves {
	u64 page;
	unsigned int first;
	unsigned int nr;
	u64 frame[LEAVES_PAGES];
};

/* Can one leaf map the @n pages from page @i on? */
static bool leaves_can_be_one(const struct leaves *l, unsigned int i, unsigned int n)
{
	unsigned int k;

	if (n > l->nr - i || !IS_ALIGNED(l->first + i, n) || !IS_ALIGNED(l->frame[i], n))
		return false;
	for (k = 1; k < n; k++)
		if (l->frame[i + k] != l->frame[i] + k)
			return false;
	return true;
}

/* The fewest leaves that cover the range, computed from its end for each first leaf. */
static unsigned int leaves_fewest(const struct drm_gpupt_fmt *fmt, const struct leaves *l)
{
	unsigned int fewest[LEAVES_PAGES + 1], level;
	int i;

	fewest[l->nr] = 0;
	for (i = l->nr - 1; i >= 0; i--) {
		fewest[i] = UINT_MAX;
		for (level = 0; level < fmt->levels; level++) {
			unsigned int n = drm_gpupt_kunit_entry_size(fmt, level) / l->page;

			if (fmt->level[level].leaf && leaves_can_be_one(l, i, n))
				fewest[i] = min(fewest[i], 1 + fewest[i + n]);
		}
	}
	return fewest[0];
}

/*
 * Make segments that end where a bit of @cuts is set. The next segment is in turn aligned
 * as its VA, and off by one, two and three pages.
 */
static void leaves_make(struct leaves *l, unsigned int cuts, unsigned int phase)
{
	unsigned int i;

	l->frame[0] = 64 + l->first + phase;
	for (i = 1; i < l->nr; i++) {
		l->frame[i] = l->frame[i - 1] + 1;
		if (cuts & BIT(i - 1))
			l->frame[i] = 64 * (i + 1) + l->first + i + (phase++ + i) % 4;
	}
}

static void leaves_fill_table(const struct leaves *l, struct sg_table *table)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(table->sgl, sg, l->nr, i) {
		sg_dma_address(sg) = DRM_GPUPT_KUNIT_DMA + l->frame[i] * l->page;
		sg_dma_len(sg) = l->page;
	}
	table->nents = l->nr;
}

/* Map, count the leaves, and unmap again. */
static void leaves_try(struct drm_gpupt_kunit *ctx, struct drm_gpupt_kunit_mem *mem,
		       const struct leaves *l)
{
	u64 va = l->first * l->page, len = l->nr * l->page;
	u64 leaves[DRM_GPUPT_MAX_LEVELS], nr = 0;
	struct drm_gpupt_op op = {};
	unsigned int i;

	leaves_fill_table(l, &mem->table);
	KUNIT_ASSERT_EQ(ctx->test, 0, drm_gpupt_prepare_map(ctx->pt, &op, va, len,
							    drm_gpupt_kunit_view(mem), 0, 0));
	drm_gpupt_commit_map(&op, drm_gpupt_kunit_view(mem));
	drm_gpupt_op_fini(&op);
	KUNIT_EXPECT_EQ(ctx->test, 0, drm_gpupt_count_leaves(ctx->pt, va, len, leaves));
	for (i = 0; i < DRM_GPUPT_MAX_LEVELS; i++)
		nr += leaves[i];
	KUNIT_EXPECT_EQ_MSG(ctx->test, nr, leaves_fewest(ctx->window.fmt, l), "%u pages at %u",
			    l->nr, l->first);
	KUNIT_ASSERT_EQ(ctx->test, 0, drm_gpupt_prepare_unmap(ctx->pt, &op, va, len));
	drm_gpupt_commit(&op);
	drm_gpupt_op_fini(&op);
}

/* Every range in 16 pages, with segments that end after any of its first six pages. */
static void leaves_are_the_fewest(struct kunit *test)
{
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, &drm_gpupt_kunit_tiny);
	struct drm_gpupt_kunit_mem *mem;
	struct leaves l = { .page = drm_gpupt_kunit_page(&drm_gpupt_kunit_tiny) };
	unsigned int cuts;

	KUNIT_ASSERT_EQ(test, drm_gpupt_kunit_space(&drm_gpupt_kunit_tiny), LEAVES_PAGES * l.page);
	mem = drm_gpupt_kunit_block(test, 0, LEAVES_PAGES * BIT_ULL(31));
	for (l.first = 0; l.first < LEAVES_PAGES; l.first++)
		for (l.nr = 1; l.nr <= LEAVES_PAGES - l.first; l.nr++)
			for (cuts = 0; cuts < BIT(min(l.nr, 7) - 1); cuts++) {
				leaves_make(&l, cuts, cuts % 4);
				leaves_try(ctx, mem, &l);
			}
	drm_gpupt_kunit_check(ctx);
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_info(ctx).tables, ctx->empty);
}

/* The same with random ranges and segments, for each format. */
static void leaves_are_the_fewest_anywhere(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, 0,
								LEAVES_PAGES * BIT_ULL(31));
	struct leaves l = { .page = drm_gpupt_kunit_page(fmt) };
	u32 pages = min(drm_gpupt_kunit_space(fmt) / l.page, 4096);
	struct rnd_state rnd;
	unsigned int round;

	drm_sgt_kunit_seed(test, &rnd);
	for (round = 0; round < 2000; round++) {
		l.nr = 1 + drm_sgt_kunit_below(&rnd, LEAVES_PAGES);
		l.first = drm_sgt_kunit_below(&rnd, pages - l.nr + 1);
		/* Mostly few cuts, so that large leaves fit in between. */
		leaves_make(&l, prandom_u32_state(&rnd) & prandom_u32_state(&rnd) &
			    prandom_u32_state(&rnd), drm_sgt_kunit_below(&rnd, 2) * round);
		leaves_try(ctx, mem, &l);
	}
}

static struct kunit_case drm_gpupt_leaves_cases[] = {
	KUNIT_CASE(leaves_are_the_fewest),
	KUNIT_CASE_PARAM(leaves_are_the_fewest_anywhere, drm_gpupt_kunit_formats),
	{}
};

static struct kunit_suite drm_gpupt_leaves_suite = {
	.name = "drm_gpupt_leaves",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpupt_leaves_cases,
};

kunit_test_suite(drm_gpupt_leaves_suite);
