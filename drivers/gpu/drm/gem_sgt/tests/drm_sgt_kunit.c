// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-mapping.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include "drm_sgt_kunit_helpers.h"

/*
 * The states of a table and all transitions, with a source that tracks its pages, and a
 * stub of the DMA API that the case controls.
 */

static const struct drm_sgt_kunit_piece sgt_pieces[] = {
	{ 0x100, 4 }, { 0x300, 1 }, { 0x200, 2 }, { 0x202, 3 }, { 0x301, 1 }, { 0x300, 1 },
};

#define SGT_PAGES	(4 + 1 + 2 + 3 + 1 + 1)
#define SGT_SIZE	(SGT_PAGES * PAGE_SIZE)
/* 0x200 and 0x202 are one run. */
#define SGT_RUNS	5
/* At two pages for each entry: 2 + 1 + 3 + 1 + 1. */
#define SGT_ENTS	8

/* A device, a source and a table of it, in state EMPTY. */
struct sgt_fixture {
	struct drm_sgt_kunit *ctx;
	struct drm_sgt_kunit_device *d;
	struct drm_sgt_kunit_source *source;
	struct drm_sgt *sgt;
};

static struct sgt_fixture sgt_fixture_create(struct kunit *test)
{
	struct sgt_fixture f = { .ctx = test->priv };

	f.d = drm_sgt_kunit_bind_limits(test, "sgt", 2 * PAGE_SIZE, ULONG_MAX);
	drm_sgt_kunit_stub_dma(f.ctx);
	f.source = drm_sgt_kunit_source_create(test, sgt_pieces, ARRAY_SIZE(sgt_pieces));
	f.sgt = drm_sgt_kunit_sgt(test, f.d->sdev, f.source);
	return f;
}

/* Check what can be observed of a table in each state. */
static void sgt_check_state(struct kunit *test, const struct sgt_fixture *f,
			    enum drm_sgt_state state)
{
	struct drm_sgt_device_stats stats = drm_sgt_kunit_stats(f->d->sdev);
	bool backed = state != DRM_SGT_EMPTY, mapped = state == DRM_SGT_MAPPED;
	struct drm_sgt_info info;

	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f->sgt), state);
	drm_sgt_get_info(f->sgt, &info);
	KUNIT_EXPECT_EQ(test, info.state, state);
	KUNIT_EXPECT_EQ(test, info.size, SGT_SIZE);
	KUNIT_EXPECT_EQ(test, info.runs, backed ? SGT_RUNS : 0);
	KUNIT_EXPECT_EQ(test, info.folios, backed ? ARRAY_SIZE(sgt_pieces) : 0);
	KUNIT_EXPECT_EQ(test, info.cpu_ents, backed ? SGT_ENTS : 0);
	KUNIT_EXPECT_EQ(test, info.dma_segs, mapped ? SGT_ENTS : 0);

	KUNIT_EXPECT_EQ(test, f->source->pages_out, backed ? SGT_PAGES : 0);
	KUNIT_EXPECT_EQ(test, f->ctx->maps - f->ctx->unmaps, mapped);
	KUNIT_EXPECT_EQ(test, stats.tables, 1);
	KUNIT_EXPECT_EQ(test, stats.mapped, mapped);
	KUNIT_EXPECT_EQ(test, stats.bytes_mapped, mapped ? SGT_SIZE : 0);
}

/* Bring a new table into @state. */
static void sgt_enter_state(struct kunit *test, struct drm_sgt *sgt,
			    enum drm_sgt_state state)
{
	if (state != DRM_SGT_EMPTY)
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(sgt));
	if (state == DRM_SGT_MAPPED)
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(sgt, DMA_BIDIRECTIONAL));
}

static const enum drm_sgt_state sgt_states[] = {
	DRM_SGT_EMPTY, DRM_SGT_BACKED, DRM_SGT_MAPPED,
};

static void sgt_state_desc(const enum drm_sgt_state *state, char *desc)
{
	static const char * const name[] = { "EMPTY", "BACKED", "MAPPED" };

	strscpy(desc, name[*state], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(sgt_state, sgt_states, sgt_state_desc);

/*
 * A table of 0 bytes, of half a page, or of more entries than an sg_table can count is
 * refused. The caller keeps the source, which is not called.
 */
static void sgt_create_refuses_bad_sizes(struct kunit *test)
{
	static const struct { u64 size; int err; } bad[] = {
		{ 0, -EINVAL }, { 1, -EINVAL }, { PAGE_SIZE - 1, -EINVAL },
		{ PAGE_SIZE + 1, -EINVAL }, { U64_MAX, -EINVAL },
		{ ((u64)INT_MAX + 1) << PAGE_SHIFT, -E2BIG }, { BIT_ULL(63), -E2BIG },
	};
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct drm_sgt_kunit_source *source;
	unsigned int i;

	source = drm_sgt_kunit_source_create(test, sgt_pieces, ARRAY_SIZE(sgt_pieces));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct drm_sgt *sgt;

		sgt = drm_sgt_create(d->sdev, &drm_sgt_kunit_source_ops, source,
				     bad[i].size);
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(sgt), bad[i].err,
				    "%llu bytes", bad[i].size);
		if (!IS_ERR(sgt))
			drm_sgt_free(sgt);
	}
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(d->sdev).tables, 0);
	KUNIT_EXPECT_EQ(test, source->gets, 0);
	KUNIT_EXPECT_EQ(test, source->releases, 0);
}

/* A new table is EMPTY, has its size and its device, and has not called its source. */
static void sgt_create_touches_no_page(struct kunit *test)
{
	struct sgt_fixture f = sgt_fixture_create(test);

	sgt_check_state(test, &f, DRM_SGT_EMPTY);
	KUNIT_EXPECT_EQ(test, drm_sgt_size(f.sgt), SGT_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, drm_sgt_get_device(f.sgt), f.d->sdev);
	KUNIT_EXPECT_EQ(test, f.source->gets, 0);
}

/* EMPTY: map, access and sync are refused; unmap and depopulate do nothing. */
static void sgt_empty_refuses(struct kunit *test)
{
	struct sgt_fixture f = sgt_fixture_create(test);
	struct drm_sgt_access access = {};

	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_access_begin(f.sgt, &access));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_sync_for_cpu(f.sgt, 0, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_sync_for_device(f.sgt, 0, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR_OR_ZERO(drm_sgt_dup_table(f.sgt, NULL)));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(f.sgt));
	sgt_check_state(test, &f, DRM_SGT_EMPTY);
	KUNIT_EXPECT_EQ(test, f.source->gets, 0);
}

/* BACKED: access and sync are refused; another populate, or an unmap, does nothing. */
static void sgt_backed_refuses(struct kunit *test)
{
	struct sgt_fixture f = sgt_fixture_create(test);
	struct drm_sgt_access access = {};

	sgt_enter_state(test, f.sgt, DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_access_begin(f.sgt, &access));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_sync_for_cpu(f.sgt, 0, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_sync_for_device(f.sgt, 0, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_map(f.sgt, DMA_NONE));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_map(f.sgt, DMA_NONE + 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_map(f.sgt, -1));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_populate(f.sgt));
	sgt_check_state(test, &f, DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, f.source->gets, 1);
	KUNIT_EXPECT_EQ(test, f.ctx->maps, 0);
}

/* MAPPED: pages and direction are fixed; a map in the same direction does nothing. */
static void sgt_mapped_refuses(struct kunit *test)
{
	struct sgt_fixture f = sgt_fixture_create(test);

	sgt_enter_state(test, f.sgt, DRM_SGT_MAPPED);
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_depopulate(f.sgt));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_map(f.sgt, DMA_TO_DEVICE));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_map(f.sgt, DMA_FROM_DEVICE));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_map(f.sgt, DMA_NONE));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_populate(f.sgt));
	sgt_check_state(test, &f, DRM_SGT_MAPPED);
	KUNIT_EXPECT_EQ(test, f.source->gets, 1);
	KUNIT_EXPECT_EQ(test, f.ctx->maps, 1);
}

/* Pinned: pages stay until the last unpin, also after unbind. */
static void sgt_pinned_refuses(struct kunit *test)
{
	struct sgt_fixture f = sgt_fixture_create(test);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_pin_pages(f.sgt));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_depopulate(f.sgt));
	sgt_check_state(test, &f, DRM_SGT_BACKED);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_pin_pages(f.sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	drm_sgt_kunit_unbind(f.d);
	drm_sgt_unpin_pages(f.sgt);
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_depopulate(f.sgt));
	sgt_check_state(test, &f, DRM_SGT_BACKED);
	drm_sgt_unpin_pages(f.sgt);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(f.sgt));
	sgt_check_state(test, &f, DRM_SGT_EMPTY);
	KUNIT_EXPECT_EQ(test, f.source->gets, 1);
}

/* A pin that gets no pages fails, and does not count. */
static void sgt_pin_that_fails_pins_nothing(struct kunit *test)
{
	struct sgt_fixture f = sgt_fixture_create(test);

	f.source->fail_at = 1;
	f.source->fail_with = -EREMOTEIO;
	KUNIT_EXPECT_EQ(test, -EREMOTEIO, drm_sgt_pin_pages(f.sgt));
	sgt_check_state(test, &f, DRM_SGT_EMPTY);
	f.source->fail_at = UINT_MAX;
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_populate(f.sgt));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(f.sgt));
}

/* Every transition in the diagram of states, three times. */
static void sgt_goes_round_its_states(struct kunit *test)
{
	static const enum dma_data_direction dir[] = {
		DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE,
	};
	struct sgt_fixture f = sgt_fixture_create(test);
	unsigned int round;

	for (round = 0; round < ARRAY_SIZE(dir); round++) {
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(f.sgt));
		sgt_check_state(test, &f, DRM_SGT_BACKED);
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, dir[round]));
		sgt_check_state(test, &f, DRM_SGT_MAPPED);
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(f.sgt));
		sgt_check_state(test, &f, DRM_SGT_BACKED);
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(f.sgt));
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, dir[round]));
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(f.sgt));
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_depopulate(f.sgt));
		sgt_check_state(test, &f, DRM_SGT_EMPTY);
		/* A run that was added in two pieces is put as one. */
		KUNIT_EXPECT_EQ(test, f.source->puts, SGT_RUNS * (round + 1));
		KUNIT_EXPECT_FALSE(test, f.source->last);
	}
	KUNIT_EXPECT_EQ(test, f.ctx->maps, 2 * ARRAY_SIZE(dir));
	KUNIT_EXPECT_EQ(test, f.ctx->unmaps, 2 * ARRAY_SIZE(dir));
	KUNIT_EXPECT_EQ(test, f.source->releases, 0);
}

/*
 * In any state, a free unmaps, puts each page once, releases the source, and updates the
 * counters, in this order.
 */
static void sgt_free_undoes_everything(struct kunit *test)
{
	enum drm_sgt_state state = *(const enum drm_sgt_state *)test->param_value;
	struct sgt_fixture f = sgt_fixture_create(test);
	bool backed = state != DRM_SGT_EMPTY, mapped = state == DRM_SGT_MAPPED;

	sgt_enter_state(test, f.sgt, state);
	sgt_check_state(test, &f, state);
	drm_sgt_kunit_free_now(test, f.sgt);

	KUNIT_EXPECT_EQ(test, f.ctx->unmaps, mapped);
	KUNIT_EXPECT_EQ(test, f.source->puts, backed ? SGT_RUNS : 0);
	KUNIT_EXPECT_EQ(test, f.source->last, backed);
	KUNIT_EXPECT_EQ(test, f.source->unmaps_at_put, mapped);
	KUNIT_EXPECT_EQ(test, f.source->pages_out, 0);
	KUNIT_EXPECT_EQ(test, f.source->releases, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f.d->sdev).tables, 0);
}

/* A free of NULL does nothing. */
static void sgt_free_of_null_does_nothing(struct kunit *test)
{
	drm_sgt_free(NULL);
}

/* A source needs neither put nor release. */
static void sgt_put_and_release_are_optional(struct kunit *test)
{
	static const struct drm_sgt_kunit_piece page[] = { { 0x100, 1 } };
	struct drm_sgt_pages_ops ops = {
		.name = "bare",
		.get = drm_sgt_kunit_source_ops.get,
	};
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct drm_sgt_kunit_source *source;
	struct drm_sgt *sgt;

	source = drm_sgt_kunit_source_create(test, page, 1);
	sgt = drm_sgt_create(d->sdev, &ops, source, PAGE_SIZE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_populate(sgt));
	drm_sgt_free(sgt);
	KUNIT_EXPECT_EQ(test, source->pages_out, 1);
	source->pages_out = 0;
}

/*
 * The source fails at any piece: its errno is returned, each page that it had added is put
 * once, and the table is EMPTY and can be populated later.
 */
static void sgt_populate_undoes_what_a_source_had_added(struct kunit *test)
{
	struct sgt_fixture f = sgt_fixture_create(test);
	unsigned int step;

	for (step = 0; step < ARRAY_SIZE(sgt_pieces); step++) {
		f.source->fail_at = step;
		f.source->fail_with = -EREMOTEIO;
		KUNIT_EXPECT_EQ(test, -EREMOTEIO, drm_sgt_populate(f.sgt));
		sgt_check_state(test, &f, DRM_SGT_EMPTY);

		/* "Done", with pages missing. */
		f.source->fail_with = 0;
		KUNIT_EXPECT_EQ(test, -EIO, drm_sgt_populate(f.sgt));
		sgt_check_state(test, &f, DRM_SGT_EMPTY);
	}

	f.source->fail_at = UINT_MAX;
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_populate(f.sgt));
	sgt_check_state(test, &f, DRM_SGT_BACKED);
}

/* A source with more pages than the table is refused, and all its pages are put. */
static void sgt_populate_refuses_a_source_that_is_too_large(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct drm_sgt_kunit_source *source;
	struct drm_sgt *sgt;

	source = drm_sgt_kunit_source_create(test, sgt_pieces, ARRAY_SIZE(sgt_pieces));
	sgt = drm_sgt_create(d->sdev, &drm_sgt_kunit_source_ops, source,
			     SGT_SIZE - PAGE_SIZE);
	drm_sgt_kunit_free_later(test, sgt);
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_populate(sgt));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(sgt), DRM_SGT_EMPTY);
	KUNIT_EXPECT_EQ(test, source->pages_out, 0);
	KUNIT_EXPECT_GT(test, source->puts, 0);
}

/*
 * The DMA API fails: its errno is returned, the table stays BACKED, nothing is unmapped,
 * and the next map can succeed.
 */
static void sgt_map_that_fails_stays_backed(struct kunit *test)
{
	static const int err[] = { -ENOMEM, -EREMOTEIO, -EINVAL, -EIO };
	struct sgt_fixture f = sgt_fixture_create(test);
	unsigned int i;

	sgt_enter_state(test, f.sgt, DRM_SGT_BACKED);
	for (i = 0; i < ARRAY_SIZE(err); i++) {
		f.ctx->map.ret = err[i];
		KUNIT_EXPECT_EQ(test, err[i], drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
		sgt_check_state(test, &f, DRM_SGT_BACKED);
	}
	KUNIT_EXPECT_EQ(test, f.ctx->unmaps, 0);

	/* The failure does not fix the direction: the next map can use another. */
	f.ctx->map.ret = 0;
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_TO_DEVICE));
	sgt_check_state(test, &f, DRM_SGT_MAPPED);
}

/* A mapping that does not cover the table is undone, and the map returns -EIO. */
static void sgt_map_that_is_short_is_undone(struct kunit *test)
{
	struct sgt_fixture f = sgt_fixture_create(test);
	unsigned int missing;

	sgt_enter_state(test, f.sgt, DRM_SGT_BACKED);
	for (missing = 1; missing <= SGT_ENTS; missing++) {
		f.ctx->map.missing = missing;
		KUNIT_EXPECT_EQ(test, -EIO, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
		KUNIT_EXPECT_EQ(test, f.ctx->maps, missing);
		sgt_check_state(test, &f, DRM_SGT_BACKED);
	}

	f.ctx->map.missing = 0;
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	sgt_check_state(test, &f, DRM_SGT_MAPPED);
}

/*
 * A mapping that an IOMMU merged: the walk ends at nents, and does not read the entries
 * after it. The table still has all pages.
 */
static void sgt_map_that_merges_is_walked_by_nents(struct kunit *test)
{
	struct sgt_fixture f = sgt_fixture_create(test);
	struct drm_sgt_info info;
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	int ret;

	if (!IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH))
		kunit_skip(test, "entries have one length for CPU and device");

	f.ctx->map.merge = true;
	sgt_enter_state(test, f.sgt, DRM_SGT_MAPPED);
	drm_sgt_get_info(f.sgt, &info);
	KUNIT_EXPECT_EQ(test, info.dma_segs, 1);
	KUNIT_EXPECT_EQ(test, info.cpu_ents, SGT_ENTS);

	drm_sgt_access_scope(view, f.sgt, ret) {
		KUNIT_EXPECT_EQ(test, drm_dma_view_size(view), SGT_SIZE);
		KUNIT_EXPECT_EQ(test, view.nents, 1);
		ret = drm_dma_iter_init(&iter, view, PAGE_SIZE, SGT_SIZE - PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_TRUE(test, drm_dma_iter_next(&iter, &seg));
		KUNIT_EXPECT_EQ(test, seg.addr, f.ctx->map.base + PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, seg.len, SGT_SIZE - PAGE_SIZE);
		KUNIT_EXPECT_FALSE(test, drm_dma_iter_next(&iter, &seg));
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
}

/*
 * With the real DMA API: a walk finds its segments, the map does not sync, and the mapping
 * ends with the table.
 */
static void sgt_maps_through_the_dma_api(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	struct drm_sgt *sgt;
	void *buf;
	int ret;
	u64 n = 0;

	buf = vmalloc(16 * PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	sgt = drm_sgt_create_vmalloc(d->sdev, buf, 16 * PAGE_SIZE);
	if (IS_ERR(sgt))
		vfree(buf);
	drm_sgt_kunit_free_later(test, sgt);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(sgt, DMA_BIDIRECTIONAL));

	drm_sgt_access_scope(view, sgt, ret) {
		ret = drm_dma_iter_init(&iter, view, 0, drm_dma_view_size(view));
		KUNIT_EXPECT_EQ(test, ret, 0);
		while (!ret && drm_dma_iter_next(&iter, &seg))
			for (; seg.len; seg.len -= PAGE_SIZE, seg.addr += PAGE_SIZE) {
				struct page *page = vmalloc_to_page(buf + n++ * PAGE_SIZE);

				KUNIT_EXPECT_EQ(test, seg.addr, page_to_phys(page));
			}
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, n, 16);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_sync_for_device(sgt, 0, drm_sgt_size(sgt)));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_sync_for_cpu(sgt, 0, drm_sgt_size(sgt)));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(sgt));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(sgt), DRM_SGT_BACKED);
}

KUNIT_DEFINE_ACTION_WRAPPER(sgt_unpin, drm_sgt_unpin_pages, struct drm_sgt *);
KUNIT_DEFINE_ACTION_WRAPPER(sgt_free_table, sg_free_table, struct sg_table *);
KUNIT_DEFINE_ACTION_WRAPPER(sgt_kfree, kfree, const void *);

/*
 * A copy has the same pages, in the entries for the CPU and not for the device, and is not
 * mapped.
 */
static void sgt_dup_table_lists_the_same_pages(struct kunit *test)
{
	enum drm_sgt_state state = *(const enum drm_sgt_state *)test->param_value;
	struct sgt_fixture f = sgt_fixture_create(test);
	struct scatterlist *sg, *from;
	struct sg_table *copy;
	unsigned int i;

	sgt_enter_state(test, f.sgt, state);
	/* Without a pin, the pages could be put while the copy is in use. */
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR_OR_ZERO(drm_sgt_dup_table(f.sgt, NULL)));
	if (state == DRM_SGT_EMPTY)
		return;
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_pin_pages(f.sgt));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, sgt_unpin, f.sgt));
	copy = drm_sgt_dup_table(f.sgt, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, copy);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, sgt_kfree, copy));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, sgt_free_table, copy));

	KUNIT_EXPECT_EQ(test, copy->orig_nents, SGT_ENTS);
	KUNIT_EXPECT_EQ(test, copy->nents, SGT_ENTS);
	from = f.sgt->table.sgl;
	for_each_sgtable_sg(copy, sg, i) {
		KUNIT_EXPECT_PTR_EQ(test, sg_page(sg), sg_page(from));
		KUNIT_EXPECT_EQ(test, sg->length, from->length);
		KUNIT_EXPECT_EQ(test, sg->offset, 0);
		KUNIT_EXPECT_EQ(test, sg_dma_address(sg), 0);
		from = sg_next(from);
	}
	KUNIT_EXPECT_NULL(test, from);
	sgt_check_state(test, &f, state);
}

/* A copy has the limits of the importer's device; the original does not change. */
static void sgt_dup_table_has_the_limits_of_the_importer(struct kunit *test)
{
	static const struct drm_sgt_kunit_piece pieces[] = { { 0x101, 9 } };
	/* Three pages at most, and none over a multiple of four. */
	static const struct drm_sgt_kunit_piece expected[] = {
		{ 0x101, 3 }, { 0x104, 3 }, { 0x107, 1 }, { 0x108, 2 },
	};
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct scatterlist *sg;
	struct sg_table *copy;
	struct device *importer;
	struct drm_sgt *sgt;
	unsigned int i;

	sgt = drm_sgt_kunit_sgt(test, d->sdev, drm_sgt_kunit_source_create(test, pieces, 1));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_pin_pages(sgt));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, sgt_unpin, sgt));
	importer = drm_sgt_kunit_dma_device(test, "importer", 3 * PAGE_SIZE, 4 * PAGE_SIZE - 1);
	copy = drm_sgt_dup_table(sgt, importer);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, copy);
	KUNIT_EXPECT_EQ(test, sgt->table.orig_nents, 1);
	KUNIT_EXPECT_EQ(test, copy->orig_nents, ARRAY_SIZE(expected));
	for_each_sgtable_sg(copy, sg, i) {
		KUNIT_EXPECT_EQ(test, page_to_pfn(sg_page(sg)), expected[i].pfn);
		KUNIT_EXPECT_EQ(test, sg->length, expected[i].nr_pages << PAGE_SHIFT);
	}
	sg_free_table(copy);
	kfree(copy);
}

static struct kunit_case drm_sgt_cases[] = {
	KUNIT_CASE(sgt_create_refuses_bad_sizes),
	KUNIT_CASE(sgt_create_touches_no_page),
	KUNIT_CASE(sgt_empty_refuses),
	KUNIT_CASE(sgt_backed_refuses),
	KUNIT_CASE(sgt_mapped_refuses),
	KUNIT_CASE(sgt_pinned_refuses),
	KUNIT_CASE(sgt_pin_that_fails_pins_nothing),
	KUNIT_CASE(sgt_goes_round_its_states),
	KUNIT_CASE_PARAM(sgt_free_undoes_everything, sgt_state_gen_params),
	KUNIT_CASE(sgt_free_of_null_does_nothing),
	KUNIT_CASE(sgt_put_and_release_are_optional),
	KUNIT_CASE(sgt_populate_undoes_what_a_source_had_added),
	KUNIT_CASE(sgt_populate_refuses_a_source_that_is_too_large),
	KUNIT_CASE(sgt_map_that_fails_stays_backed),
	KUNIT_CASE(sgt_map_that_is_short_is_undone),
	KUNIT_CASE(sgt_map_that_merges_is_walked_by_nents),
	KUNIT_CASE(sgt_maps_through_the_dma_api),
	KUNIT_CASE_PARAM(sgt_dup_table_lists_the_same_pages, sgt_state_gen_params),
	KUNIT_CASE(sgt_dup_table_has_the_limits_of_the_importer),
	{}
};

static struct kunit_suite drm_sgt_suite = {
	.name = "drm_sgt",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_sgt_cases,
};

kunit_test_suite(drm_sgt_suite);
