// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/dma-mapping.h>
#include <linux/sizes.h>

#include "drm_sgt_kunit_exporter.h"

/*
 * The entries of an exporter's table: which of them a walk finds, and how they are synced.
 * The begin and end of a mapping are in drm_sgt_import_kunit.c.
 */

#define TABLE_SIZE	(6 * PAGE_SIZE)

struct table_fixture {
	struct kunit *test;
	struct drm_sgt_kunit_device *d;
	struct drm_sgt_kunit_exporter *e;
	struct drm_sgt *sgt;
};

/* Create a table for a dma-buf of layout @l; it is not mapped. */
static struct table_fixture table_fixture_create(struct kunit *test,
						 const struct drm_sgt_kunit_layout *l)
{
	struct table_fixture f = { .test = test, .d = drm_sgt_kunit_bind(test) };

	if (l->nents != l->orig_nents && !IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH))
		kunit_skip(test, "entries have one length for CPU and device");
	f.e = drm_sgt_kunit_exporter_create(test, EXPORTER_PLAIN, TABLE_SIZE, f.d->dev);
	f.e->layout = l;
	f.sgt = drm_sgt_create_import(f.d->sdev, f.e->buf);
	drm_sgt_kunit_free_later(test, f.sgt);
	return f;
}

#define A	SZ_1G
#define B	SZ_2G
#define PG	PAGE_SIZE

static const struct drm_sgt_kunit_layout table_layouts[] = {
	{ "an entry a page", .nents = 6, .orig_nents = 6,
	  .seg = { { A, PG }, { B, PG }, { A + PG, PG }, { B + PG, PG },
		   { A + 2 * PG, PG }, { B - PG, PG } },
	  .expected = { { A, PG }, { B, PG }, { A + PG, PG }, { B + PG, PG },
			{ A + 2 * PG, PG }, { B - PG, PG } } },
	{ "neighbours", .nents = 4, .orig_nents = 4,
	  .seg = { { A, PG }, { A + PG, 2 * PG }, { B, PG }, { B + PG, 2 * PG } },
	  .expected = { { A, 3 * PG }, { B, 3 * PG } } },
	{ "merged by an IOMMU", .nents = 1, .orig_nents = 6,
	  .seg = { { A, 6 * PG } }, .expected = { { A, 6 * PG } } },
	{ "merged in part", .nents = 2, .orig_nents = 6,
	  .seg = { { B, 2 * PG }, { A, 4 * PG } }, .expected = { { B, 2 * PG }, { A, 4 * PG } } },
	{ "no CPU entries", .nents = 2, .orig_nents = 0,
	  .seg = { { A, 5 * PG }, { B, PG } }, .expected = { { A, 5 * PG }, { B, PG } } },
	{ "zero lengths at the end", .nents = 5, .orig_nents = 5,
	  .seg = { { A, 4 * PG }, { B, 2 * PG }, { 0, 0 }, { 0, 0 }, { 0, 0 } },
	  .expected = { { A, 4 * PG }, { B, 2 * PG } } },
	{ "zero lengths in between", .nents = 5, .orig_nents = 5,
	  .seg = { { 0, 0 }, { A, 4 * PG }, { 0, 0 }, { 0, 0 }, { A + 4 * PG, 2 * PG } },
	  .expected = { { A, 6 * PG } } },
	{ "longer than the dma-buf", .nents = 2, .orig_nents = 2,
	  .seg = { { A, 4 * PG }, { B, 4 * PG } }, .expected = { { A, 4 * PG }, { B, 2 * PG } } },
	{ "longer by an entry", .nents = 3, .orig_nents = 3,
	  .seg = { { A, 4 * PG }, { B, 2 * PG }, { SZ_1M, PG } },
	  .expected = { { A, 4 * PG }, { B, 2 * PG } } },
	{ "shorter than the dma-buf", .nents = 2, .orig_nents = 2,
	  .seg = { { A, 4 * PG }, { B, PG } }, .err = -EIO },
	{ "shorter, with garbage behind", .nents = 1, .orig_nents = 6,
	  .seg = { { A, 5 * PG } }, .err = -EIO },
	{ "empty", .nents = 0, .orig_nents = 1, .err = -EIO },
};

#undef A
#undef B
#undef PG

static void table_layout_desc(const struct drm_sgt_kunit_layout *l, char *desc)
{
	strscpy(desc, l->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(table_layout, table_layouts, table_layout_desc);

/*
 * A walk of any table uses its DMA fields only. A table that does not cover the dma-buf is
 * unmapped at once.
 */
static void table_of_a_layout(struct kunit *test)
{
	const struct drm_sgt_kunit_layout *l = test->param_value;
	struct table_fixture f = table_fixture_create(test, l);
	struct drm_sgt_info info;

	KUNIT_EXPECT_EQ(test, l->err, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	drm_sgt_kunit_exporter_check(f.e, 1, !!l->err);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f.d->sdev).mapped, !l->err);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f.sgt), l->err ? DRM_SGT_BACKED : DRM_SGT_MAPPED);
	if (l->err)
		return;
	drm_sgt_kunit_exporter_check_walk(f.e, f.sgt);
	drm_sgt_get_info(f.sgt, &info);
	KUNIT_EXPECT_EQ(test, info.dma_segs, l->nents);
	KUNIT_EXPECT_EQ(test, info.cpu_ents, 0);
}

/*
 * Syncs
 */

/* Find the segment of the byte at @offset, and make @offset relative to its start. */
static const struct drm_dma_seg *table_find_seg(const struct drm_sgt_kunit_layout *l,
						u64 *offset)
{
	const struct drm_dma_seg *seg = l->seg;

	for (; *offset >= seg->len; seg++)
		*offset -= seg->len;
	return seg;
}

/* Expect that the recorded calls are those for @len bytes at @offset, one for each entry. */
static void table_check_syncs(struct table_fixture *f, u64 offset, u64 len, bool for_cpu)
{
	struct drm_sgt_kunit *ctx = f->test->priv;
	const struct drm_sgt_kunit_sync *sync = ctx->sync;
	unsigned int n = 0;

	while (len) {
		u64 skip = offset;
		const struct drm_dma_seg *seg = table_find_seg(f->e->layout, &skip);
		u64 part = min(seg->len - skip, len);

		KUNIT_ASSERT_LT(f->test, n, ctx->nr_syncs);
		KUNIT_EXPECT_EQ(f->test, sync[n].addr, seg->addr + skip);
		KUNIT_EXPECT_EQ(f->test, sync[n].len, part);
		KUNIT_EXPECT_EQ(f->test, sync[n].dir, DMA_BIDIRECTIONAL);
		KUNIT_EXPECT_EQ(f->test, sync[n].for_cpu, for_cpu);
		offset += part;
		len -= part;
		n++;
	}
	KUNIT_EXPECT_EQ_MSG(f->test, ctx->nr_syncs, n, "%llu bytes at %llu", len, offset);
	ctx->nr_syncs = 0;
}

static struct table_fixture table_fixture_with_syncs(struct kunit *test,
						     const struct drm_sgt_kunit_layout *l)
{
	struct table_fixture f = table_fixture_create(test, l);

	if (!dma_dev_need_sync(f.d->dev))
		kunit_skip(test, "nothing to sync here without CONFIG_DMA_API_DEBUG");
	drm_sgt_kunit_stub_sync(test->priv);
	return f;
}

/*
 * A sync calls the DMA API for each DMA entry of the exporter, whatever its CPU entries
 * are: two adjacent entries can have separate bounce buffers.
 */
static void table_syncs_by_entry(struct kunit *test)
{
	const struct drm_sgt_kunit_layout *l = test->param_value;
	struct table_fixture f = table_fixture_with_syncs(test, l);
	struct rnd_state rnd;
	unsigned int round;

	if (l->err)
		return;
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_sync_for_device(f.sgt, 0, TABLE_SIZE));
	table_check_syncs(&f, 0, TABLE_SIZE, false);
	KUNIT_EXPECT_EQ(test, -ERANGE, drm_sgt_sync_for_cpu(f.sgt, 1, TABLE_SIZE));
	table_check_syncs(&f, 0, 0, true);

	drm_sgt_kunit_seed(test, &rnd);
	for (round = 0; round < 200; round++) {
		u64 offset = drm_sgt_kunit_below(&rnd, TABLE_SIZE + 1);
		u64 len = drm_sgt_kunit_below(&rnd, TABLE_SIZE - offset + 1);

		KUNIT_ASSERT_EQ(test, 0, drm_sgt_sync_for_cpu(f.sgt, offset, len));
		table_check_syncs(&f, offset, len, true);
	}
}

static bool table_says_not_coherent(struct device *dev)
{
	return false;
}

/*
 * On a device that is not coherent, the exporter does the cache maintenance, as its memory
 * need not be in the linear map. Ranges are checked nevertheless.
 */
static void table_leaves_caches_to_exporter(struct kunit *test)
{
	struct table_fixture f = table_fixture_with_syncs(test, &drm_sgt_kunit_layout);

	kunit_activate_static_stub(test, drm_sgt_dma_is_coherent, table_says_not_coherent);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_sync_for_device(f.sgt, 0, TABLE_SIZE));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_sync_for_cpu(f.sgt, 0, TABLE_SIZE));
	KUNIT_EXPECT_EQ(test, -ERANGE, drm_sgt_sync_for_cpu(f.sgt, 1, TABLE_SIZE));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	table_check_syncs(&f, 0, 0, true);
}

static struct kunit_case drm_sgt_import_table_cases[] = {
	KUNIT_CASE_PARAM(table_of_a_layout, table_layout_gen_params),
	KUNIT_CASE_PARAM(table_syncs_by_entry, table_layout_gen_params),
	KUNIT_CASE(table_leaves_caches_to_exporter),
	{}
};

static struct kunit_suite drm_sgt_import_table_suite = {
	.name = "drm_sgt_import_table",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_sgt_import_table_cases,
};

kunit_test_suite(drm_sgt_import_table_suite);
