// SPDX-License-Identifier: GPL-2.0

#include <linux/sizes.h>

#include "drm_sgt_kunit_helpers.h"

/*
 * Walks that begin in the middle of a long table, compared with a walk from its
 * beginning, which uses no mark of the index.
 */

/* A few more entries than fit into three pages. */
#define INDEX_RUNS	(3 * SG_MAX_SINGLE_ALLOC + 5)

struct index_fixture {
	struct drm_sgt *sgt;
	struct drm_dma_seg segs[INDEX_RUNS];
};

/* Runs of one to three pages, none of which is adjacent to another. */
static struct drm_sgt *index_sgt(struct kunit *test, struct drm_sgt_device *sdev)
{
	struct drm_sgt_kunit_piece *pieces;
	struct drm_sgt *sgt;
	unsigned int i;

	pieces = kunit_kcalloc(test, INDEX_RUNS, sizeof(*pieces), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pieces);
	for (i = 0; i < INDEX_RUNS; i++) {
		pieces[i].pfn = 8 * (i + 1);
		pieces[i].nr_pages = 1 + i % 3;
	}

	sgt = drm_sgt_kunit_sgt(test, sdev,
				drm_sgt_kunit_source_create(test, pieces, INDEX_RUNS));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(sgt, DMA_BIDIRECTIONAL));
	return sgt;
}

static struct index_fixture *index_fixture(struct kunit *test, bool phys)
{
	struct drm_sgt_kunit *ctx = test->priv;
	struct drm_sgt_kunit_device *d;
	struct drm_dma_iter iter;
	struct index_fixture *f;
	unsigned int i;
	int ret;

	drm_sgt_kunit_stub_dma(ctx);
	ctx->map.base = SZ_1G;
	ctx->map.gap = SZ_64K;
	d = phys ? drm_sgt_kunit_bind_phys(test, NULL) : drm_sgt_kunit_bind(test);

	f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f);
	f->sgt = index_sgt(test, d->sdev);

	drm_sgt_access_scope(view, f->sgt, ret) {
		KUNIT_EXPECT_EQ(test, 0, drm_dma_iter_init(&iter, view, 0,
							   drm_dma_view_size(view)));
		for (i = 0; i < INDEX_RUNS; i++)
			KUNIT_EXPECT_TRUE(test, drm_dma_iter_next(&iter, &f->segs[i]));
		KUNIT_EXPECT_EQ(test, 0, iter.left);
	}
	KUNIT_ASSERT_EQ(test, 0, ret);
	return f;
}

/* A walk from a byte of a segment finds the rest of that, and then the next one. */
static void index_expect(struct kunit *test, const struct index_fixture *f,
			 unsigned int index, u64 offset, u64 skip)
{
	const struct drm_dma_seg *expect = &f->segs[index];
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	int ret;

	drm_sgt_access_scope(view, f->sgt, ret) {
		KUNIT_EXPECT_EQ(test, 0, drm_dma_iter_init(&iter, view, offset + skip,
							   drm_dma_view_size(view) -
							   offset - skip));
		KUNIT_EXPECT_TRUE(test, drm_dma_iter_next(&iter, &seg));
		KUNIT_EXPECT_EQ(test, seg.addr, expect->addr + skip);
		KUNIT_EXPECT_EQ(test, seg.len, expect->len - skip);
		KUNIT_EXPECT_EQ(test, drm_dma_iter_next(&iter, &seg), index + 1 < INDEX_RUNS);
		if (index + 1 < INDEX_RUNS)
			KUNIT_EXPECT_EQ(test, seg.addr, expect[1].addr);
	}
	KUNIT_EXPECT_EQ(test, 0, ret);
}

static void index_expect_all(struct kunit *test, bool phys)
{
	struct index_fixture *f = index_fixture(test, phys);
	u64 offset = 0;
	unsigned int i;

	for (i = 0; i < INDEX_RUNS; offset += f->segs[i++].len) {
		index_expect(test, f, i, offset, 0);
		index_expect(test, f, i, offset, 1);
		index_expect(test, f, i, offset, f->segs[i].len - 1);
	}
	KUNIT_EXPECT_EQ(test, offset, drm_sgt_size(f->sgt));
}

static void index_walks_from_anywhere(struct kunit *test)
{
	index_expect_all(test, false);
}

static void index_walks_from_anywhere_in_physical_mode(struct kunit *test)
{
	index_expect_all(test, true);
}

/* From a mark to any offset after it, there is at most a page of entries. */
static void index_has_a_mark_nearby(struct kunit *test)
{
	struct index_fixture *f = index_fixture(test, false);
	const struct drm_dma_mark *mark;
	u64 offset = 0;
	unsigned int i;

	for (i = 0; i < INDEX_RUNS; offset += f->segs[i++].len) {
		mark = drm_dma_index_find(&f->sgt->index, offset);
		KUNIT_EXPECT_LE(test, i - (mark ? mark->index : 0), SG_MAX_SINGLE_ALLOC);
	}
}

static void index_is_measured(struct kunit *test)
{
	struct index_fixture *f = index_fixture(test, false);
	const struct drm_dma_measure *measure = &f->sgt->index.measure;
	const struct drm_dma_seg *last = &f->segs[INDEX_RUNS - 1];

	KUNIT_EXPECT_EQ(test, measure->size, drm_sgt_size(f->sgt));
	KUNIT_EXPECT_EQ(test, measure->longest, 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, measure->last, last->addr + last->len - 1);
	KUNIT_EXPECT_EQ(test, measure->bits & (2 * PAGE_SIZE - 1), PAGE_SIZE);
}

/* An unmap frees the marks, and the next map makes new ones. */
static void index_ends_with_the_mapping(struct kunit *test)
{
	struct index_fixture *f = index_fixture(test, false);

	KUNIT_EXPECT_EQ(test, f->sgt->index.nr_marks, 3);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(f->sgt));
	KUNIT_EXPECT_NULL(test, f->sgt->index.marks);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(f->sgt, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_NOT_NULL(test, f->sgt->index.marks);
}

static struct kunit_case drm_dma_index_cases[] = {
	KUNIT_CASE(index_walks_from_anywhere),
	KUNIT_CASE(index_walks_from_anywhere_in_physical_mode),
	KUNIT_CASE(index_has_a_mark_nearby),
	KUNIT_CASE(index_is_measured),
	KUNIT_CASE(index_ends_with_the_mapping),
	{}
};

static struct kunit_suite drm_dma_index_suite = {
	.name = "drm_dma_index",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_dma_index_cases,
};

kunit_test_suite(drm_dma_index_suite);
