// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/dma-mapping.h>

#include "drm_sgt_kunit_exporter.h"

/* A table that borrows the pages of another one, for a second device. */

static const struct drm_sgt_kunit_piece borrow_pieces[] = { { 0x100, 3 }, { 0x300, 1 } };

#define BORROW_SIZE	((3 + 1) * PAGE_SIZE)

struct borrow_fixture {
	struct kunit *test;
	struct drm_sgt_kunit *ctx;
	/* the devices of the lender and of the borrower */
	struct drm_sgt_kunit_device *d[2];
	struct drm_sgt_kunit_source *source;
	struct drm_sgt *lender;
	struct drm_sgt *sgt;
};

/* Two EMPTY tables. The second device maps page by page. */
static struct borrow_fixture borrow_fixture_create(struct kunit *test)
{
	struct borrow_fixture f = { .test = test, .ctx = test->priv };

	f.d[0] = drm_sgt_kunit_bind(test);
	f.d[1] = drm_sgt_kunit_bind_limits(test, "second", PAGE_SIZE, ULONG_MAX);
	drm_sgt_kunit_stub_dma(f.ctx);
	f.source = drm_sgt_kunit_source_create(test, borrow_pieces, ARRAY_SIZE(borrow_pieces));
	f.lender = drm_sgt_kunit_sgt(test, f.d[0]->sdev, f.source);
	f.sgt = drm_sgt_create_borrow(f.d[1]->sdev, f.lender);
	drm_sgt_kunit_free_later(test, f.sgt);
	return f;
}

static void borrow_map(struct borrow_fixture *f, struct drm_sgt *sgt)
{
	KUNIT_ASSERT_EQ(f->test, 0, drm_sgt_populate(sgt));
	KUNIT_ASSERT_EQ(f->test, 0, drm_sgt_map(sgt, DMA_BIDIRECTIONAL));
}

static unsigned int borrow_ents(struct drm_sgt *sgt)
{
	struct drm_sgt_info info;

	drm_sgt_get_info(sgt, &info);
	return info.cpu_ents;
}

/* Both tables have the same pages, in entries for their own devices. */
static void borrow_has_the_pages(struct kunit *test)
{
	struct borrow_fixture f = borrow_fixture_create(test);
	struct drm_sgt_run_iter iter[2];
	struct drm_sgt_run run[2];

	borrow_map(&f, f.lender);
	borrow_map(&f, f.sgt);
	KUNIT_EXPECT_EQ(test, drm_sgt_size(f.sgt), BORROW_SIZE);
	KUNIT_EXPECT_EQ(test, borrow_ents(f.lender), 2);
	KUNIT_EXPECT_EQ(test, borrow_ents(f.sgt), 4);
	KUNIT_EXPECT_EQ(test, f.source->gets, 1);

	drm_sgt_run_iter_init(&iter[0], f.lender);
	drm_sgt_run_iter_init(&iter[1], f.sgt);
	while (drm_sgt_run_iter_next(&iter[0], &run[0])) {
		KUNIT_ASSERT_TRUE(test, drm_sgt_run_iter_next(&iter[1], &run[1]));
		KUNIT_EXPECT_PTR_EQ(test, run[0].page, run[1].page);
		KUNIT_EXPECT_EQ(test, run[0].nr_pages, run[1].nr_pages);
	}
	KUNIT_EXPECT_FALSE(test, drm_sgt_run_iter_next(&iter[1], &run[1]));
}

/* The lender keeps its pages as long as they are borrowed, and no longer. */
static void borrow_pins_the_lender(struct kunit *test)
{
	struct borrow_fixture f = borrow_fixture_create(test);
	unsigned int i;

	for (i = 0; i < 2; i++) {
		/* Whichever table is populated first, the lender gets the pages. */
		if (i)
			KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(f.lender));
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(f.sgt));
		KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_depopulate(f.lender));
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_TO_DEVICE));
		KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_depopulate(f.sgt));
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(f.sgt));
		KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(f.sgt));
		KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(f.lender));
		KUNIT_EXPECT_EQ(test, f.source->pages_out, 0);
	}
	borrow_map(&f, f.sgt);
	drm_sgt_kunit_free_now(test, f.sgt);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(f.lender));
}

/* Each mapping ends with its own device, in either order; the pages stay. */
static void borrow_ends_with_its_device(struct kunit *test)
{
	unsigned int first = *(const unsigned int *)test->param_value;
	struct borrow_fixture f = borrow_fixture_create(test);
	struct drm_sgt *sgt[2] = { f.lender, f.sgt };

	borrow_map(&f, sgt[0]);
	borrow_map(&f, sgt[1]);

	drm_sgt_kunit_unbind(f.d[first]);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(sgt[first]), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(sgt[!first]), DRM_SGT_MAPPED);
	KUNIT_EXPECT_EQ(test, f.ctx->unmaps, 1);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_map(sgt[first], DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(sgt[!first]));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(sgt[!first], DMA_BIDIRECTIONAL));

	drm_sgt_kunit_unbind(f.d[!first]);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(sgt[!first]), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, f.ctx->unmaps, 3);
	KUNIT_EXPECT_EQ(test, f.source->puts, 0);
	drm_sgt_kunit_free_now(test, f.sgt);
	drm_sgt_kunit_free_now(test, f.lender);
	KUNIT_EXPECT_EQ(test, f.source->pages_out, 0);
}

static const unsigned int borrow_first[] = { 0, 1 };

static void borrow_first_desc(const unsigned int *first, char *desc)
{
	strscpy(desc, *first ? "borrower first" : "lender first", KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(borrow_first, borrow_first, borrow_first_desc);

/* If the lender gets no pages, the borrower has none, and pins none. */
static void borrow_fails_with_the_lender(struct kunit *test)
{
	struct borrow_fixture f = borrow_fixture_create(test);

	f.source->fail_at = 1;
	f.source->fail_with = -EREMOTEIO;
	KUNIT_EXPECT_EQ(test, -EREMOTEIO, drm_sgt_populate(f.sgt));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f.sgt), DRM_SGT_EMPTY);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f.lender), DRM_SGT_EMPTY);
	f.source->fail_at = UINT_MAX;
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_populate(f.lender));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(f.lender));
}

static int borrow_nomem_populate(void *arg)
{
	struct borrow_fixture *f = arg;
	struct drm_sgt *sgt = drm_sgt_create_borrow(f->d[1]->sdev, f->lender);
	int ret;

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	ret = drm_sgt_populate(sgt);
	drm_sgt_free(sgt);
	return ret;
}

static void borrow_nomem_check(void *arg, int ret)
{
	struct borrow_fixture *f = arg;

	if (ret)
		KUNIT_EXPECT_EQ(f->test, ret, -ENOMEM);
	KUNIT_EXPECT_EQ(f->test, atomic_read(&f->lender->pins), 1);
	KUNIT_EXPECT_EQ(f->test, drm_sgt_kunit_stats(f->d[1]->sdev).tables, 1);
}

/* Any failure drops the pin. */
static void borrow_without_memory(struct kunit *test)
{
	struct borrow_fixture f = borrow_fixture_create(test);

	drm_sgt_kunit_nomem(test);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_pin_pages(f.lender));
	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, borrow_nomem_populate,
						  borrow_nomem_check, &f), 4);
	drm_sgt_unpin_pages(f.lender);
}

/* A borrower does not lend. A second table of an import is an import. */
static void borrow_from_others(struct kunit *test)
{
	struct borrow_fixture f = borrow_fixture_create(test);
	struct drm_sgt_kunit_exporter *e;
	struct drm_sgt *import, *second;

	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR_OR_ZERO(drm_sgt_create_borrow(f.d[0]->sdev, f.sgt)));

	e = drm_sgt_kunit_exporter_create(test, EXPORTER_PLAIN, 6 * PAGE_SIZE, f.d[1]->dev);
	import = drm_sgt_create_import(f.d[0]->sdev, e->buf);
	drm_sgt_kunit_free_later(test, import);
	second = drm_sgt_create_borrow(f.d[1]->sdev, import);
	drm_sgt_kunit_free_later(test, second);
	KUNIT_EXPECT_TRUE(test, drm_sgt_is_import(second));
	drm_sgt_kunit_free_now(test, import);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(second, DMA_BIDIRECTIONAL));
	drm_sgt_kunit_exporter_check(e, 1, 0);
}

static bool borrow_is_not_coherent(struct device *dev)
{
	return false;
}

/*
 * Write-combined pages are so for the borrower, too. The lender flushes them, once before
 * and once after, and the borrower never: it gives them back even after its unbind.
 */
static void borrow_is_write_combined(struct kunit *test)
{
	struct borrow_fixture f = borrow_fixture_create(test);
	unsigned int maps;

	drm_sgt_kunit_stub_sync(f.ctx);
	kunit_activate_static_stub(test, drm_sgt_dma_is_coherent, borrow_is_not_coherent);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_set_wc(f.lender, true));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(f.sgt));
	KUNIT_EXPECT_TRUE(test, f.sgt->wc);
	maps = f.ctx->maps;

	drm_sgt_kunit_unbind(f.d[1]);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(f.sgt));
	KUNIT_EXPECT_EQ(test, f.ctx->maps, maps);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(f.lender));
	KUNIT_EXPECT_EQ(test, f.ctx->maps, maps + 1);
}

static struct kunit_case drm_sgt_borrow_cases[] = {
	KUNIT_CASE(borrow_has_the_pages),
	KUNIT_CASE(borrow_pins_the_lender),
	KUNIT_CASE_PARAM(borrow_ends_with_its_device, borrow_first_gen_params),
	KUNIT_CASE(borrow_fails_with_the_lender),
	KUNIT_CASE(borrow_without_memory),
	KUNIT_CASE(borrow_from_others),
	KUNIT_CASE(borrow_is_write_combined),
	{}
};

static struct kunit_suite drm_sgt_borrow_suite = {
	.name = "drm_sgt_borrow",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_sgt_borrow_cases,
};

kunit_test_suite(drm_sgt_borrow_suite);
