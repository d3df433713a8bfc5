// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/dma-mapping.h>
#include <linux/sizes.h>

#include "drm_sgt_kunit_helpers.h"

/*
 * Syncs in the middle of a long table. Those of short tables are in
 * drm_sgt_access_kunit.c, those of imports in drm_sgt_import_table_kunit.c.
 */

/* A few more entries than fit into three pages. */
#define SYNC_RUNS	(3 * SG_MAX_SINGLE_ALLOC + 5)

/* Bytes between two segments, unless they are merged */
#define SYNC_GAP	SZ_64K

struct sync_fixture {
	struct drm_sgt_kunit *ctx;
	struct drm_sgt *sgt;
	bool merge;
};

static u64 sync_run_len(unsigned int index)
{
	return (1 + index % 3) * PAGE_SIZE;
}

/* Runs of one to three pages, none of which is adjacent to another. */
static struct drm_sgt *sync_sgt(struct kunit *test, struct drm_sgt_device *sdev)
{
	struct drm_sgt_kunit_piece *pieces;
	struct drm_sgt *sgt;
	unsigned int i;

	pieces = kunit_kcalloc(test, SYNC_RUNS, sizeof(*pieces), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pieces);
	for (i = 0; i < SYNC_RUNS; i++) {
		pieces[i].pfn = 8 * (i + 1);
		pieces[i].nr_pages = sync_run_len(i) >> PAGE_SHIFT;
	}

	sgt = drm_sgt_kunit_sgt(test, sdev,
				drm_sgt_kunit_source_create(test, pieces, SYNC_RUNS));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(sgt, DMA_BIDIRECTIONAL));
	KUNIT_ASSERT_EQ(test, sgt->table.orig_nents, SYNC_RUNS);
	return sgt;
}

static const bool sync_merged[] = { false, true };

static void sync_merged_desc(const bool *merged, char *desc)
{
	strscpy(desc, *merged ? "one merged segment" : "segments apart",
		KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(sync_merged, sync_merged, sync_merged_desc);

static struct sync_fixture sync_fixture_create(struct kunit *test)
{
	struct sync_fixture f = { .ctx = test->priv };
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);

	f.merge = *(const bool *)test->param_value;
	if (f.merge && !IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH))
		kunit_skip(test, "entries have one length for CPU and device");
	if (!dma_dev_need_sync(d->dev))
		kunit_skip(test, "nothing to sync here without CONFIG_DMA_API_DEBUG");
	f.ctx->map.merge = f.merge;
	f.ctx->map.gap = f.merge ? 0 : SYNC_GAP;
	drm_sgt_kunit_stub_dma(f.ctx);
	drm_sgt_kunit_stub_sync(f.ctx);
	f.sgt = sync_sgt(test, d->sdev);
	return f;
}

/* Bytes before a run */
static u64 sync_run_offset(unsigned int index)
{
	u64 offset = 0;

	while (index--)
		offset += sync_run_len(index);
	return offset;
}

static dma_addr_t sync_run_addr(const struct sync_fixture *f, unsigned int index)
{
	return f->ctx->map.base + sync_run_offset(index) + index * f->ctx->map.gap;
}

/* Expect one call for a run, for its bytes from @skip on. */
static void sync_expect_run(struct kunit *test, struct sync_fixture *f,
			    unsigned int index, u64 skip)
{
	u64 len = sync_run_len(index) - skip;

	f->ctx->nr_syncs = 0;
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_sync_for_device(f->sgt, sync_run_offset(index) + skip,
							 len));
	KUNIT_EXPECT_EQ(test, f->ctx->nr_syncs, 1);
	KUNIT_EXPECT_EQ(test, f->ctx->sync[0].addr, sync_run_addr(f, index) + skip);
	KUNIT_EXPECT_EQ(test, f->ctx->sync[0].len, len);
}

/* A sync can begin at any entry, or inside it. */
static void sync_from_anywhere(struct kunit *test)
{
	struct sync_fixture f = sync_fixture_create(test);
	unsigned int i;

	for (i = 0; i < SYNC_RUNS; i++) {
		sync_expect_run(test, &f, i, 0);
		sync_expect_run(test, &f, i, 1);
		sync_expect_run(test, &f, i, sync_run_len(i) - 1);
	}

	f.ctx->nr_syncs = 0;
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_sync_for_cpu(f.sgt, 0, drm_sgt_size(f.sgt)));
	KUNIT_EXPECT_EQ(test, f.ctx->nr_syncs, SYNC_RUNS);
}

static bool sync_not_coherent(struct device *dev)
{
	return false;
}

/*
 * A device that does not see the caches of the CPU sees what the CPU wrote before
 * the table was mapped, also the second time. For one that does, nothing is done.
 */
static void sync_when_mapped(struct kunit *test)
{
	struct sync_fixture f = sync_fixture_create(test);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, f.ctx->nr_syncs, 0);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	kunit_activate_static_stub(test, drm_sgt_dma_is_coherent, sync_not_coherent);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_TO_DEVICE));
	KUNIT_EXPECT_EQ(test, f.ctx->nr_syncs, SYNC_RUNS);
	for (i = 0; i < min(SYNC_RUNS, DRM_SGT_KUNIT_SYNCS); i++) {
		const struct drm_sgt_kunit_sync *sync = &f.ctx->sync[i];

		KUNIT_EXPECT_EQ(test, sync->addr, sync_run_addr(&f, i));
		KUNIT_EXPECT_EQ(test, sync->len, sync_run_len(i));
		KUNIT_EXPECT_EQ(test, sync->dir, DMA_TO_DEVICE);
		KUNIT_EXPECT_FALSE(test, sync->for_cpu);
	}

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	KUNIT_EXPECT_EQ(test, f.ctx->nr_syncs, SYNC_RUNS);
}

/* Make all entries before @end longer by some bytes, or restore them. */
static void sync_stretch(struct sync_fixture *f, unsigned int end, int bytes)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(f->sgt->table.sgl, sg, end, i) {
		sg->length += bytes;
		if (!f->merge)
			sg_dma_len(sg) += bytes;
	}
}

/*
 * A sync reads no entry before the nearest mark, so a change of those makes no difference.
 * Therefore its cost does not depend on where it begins.
 */
static void sync_skips_what_is_before_a_mark(struct kunit *test)
{
	struct sync_fixture f = sync_fixture_create(test);
	unsigned int i;

	for (i = SG_MAX_SINGLE_ALLOC; i < SYNC_RUNS; i++) {
		unsigned int mark = rounddown(i, SG_MAX_SINGLE_ALLOC);

		sync_stretch(&f, mark, 1);
		sync_expect_run(test, &f, i, 0);
		sync_stretch(&f, mark, -1);
	}
}

/*
 * The table of an importer is synced as a whole, cut where a CPU entry ends, without an
 * access to its pages.
 */
static void sync_of_an_importers_table(struct kunit *test)
{
	struct sync_fixture f = sync_fixture_create(test);
	struct device *dev = f.sgt->sdev->dma_dev;
	unsigned int i;

	drm_sgt_sync_table_for_cpu(dev, &f.sgt->table, DMA_FROM_DEVICE);
	KUNIT_ASSERT_EQ(test, f.ctx->nr_syncs, SYNC_RUNS);
	for (i = 0; i < DRM_SGT_KUNIT_SYNCS; i++) {
		KUNIT_EXPECT_PTR_EQ(test, f.ctx->sync[i].dev, dev);
		KUNIT_EXPECT_EQ(test, f.ctx->sync[i].addr, sync_run_addr(&f, i));
		KUNIT_EXPECT_EQ(test, f.ctx->sync[i].len, sync_run_len(i));
		KUNIT_EXPECT_EQ(test, f.ctx->sync[i].dir, DMA_FROM_DEVICE);
		KUNIT_EXPECT_TRUE(test, f.ctx->sync[i].for_cpu);
	}
}

/* An unmap frees the marks, and the next map makes new ones. */
static void sync_marks_end_with_the_mapping(struct kunit *test)
{
	struct sync_fixture f = sync_fixture_create(test);
	unsigned int marks = f.merge ? 3 : 0;

	KUNIT_EXPECT_EQ(test, f.sgt->cpu_index.nr_marks, marks);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	KUNIT_EXPECT_EQ(test, f.sgt->cpu_index.nr_marks, 0);
	KUNIT_EXPECT_NULL(test, f.sgt->cpu_index.marks);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, f.sgt->cpu_index.nr_marks, marks);
}

static struct kunit_case drm_sgt_sync_cases[] = {
	KUNIT_CASE_PARAM(sync_from_anywhere, sync_merged_gen_params),
	KUNIT_CASE_PARAM(sync_when_mapped, sync_merged_gen_params),
	KUNIT_CASE_PARAM(sync_skips_what_is_before_a_mark, sync_merged_gen_params),
	KUNIT_CASE_PARAM(sync_of_an_importers_table, sync_merged_gen_params),
	KUNIT_CASE_PARAM(sync_marks_end_with_the_mapping, sync_merged_gen_params),
	{}
};

static struct kunit_suite drm_sgt_sync_suite = {
	.name = "drm_sgt_sync",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_sgt_sync_cases,
};

kunit_test_suite(drm_sgt_sync_suite);
