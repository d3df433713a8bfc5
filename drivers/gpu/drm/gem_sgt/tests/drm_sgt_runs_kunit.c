// SPDX-License-Identifier: GPL-2.0

#include <linux/sizes.h>

#include "drm_sgt_kunit_helpers.h"

/*
 * The builder of tables, with folios that no test machine has. It computes with page frame
 * numbers and never accesses a page, so the pages need not exist.
 */

#define RUNS_NO_LIMIT	((unsigned int)(UINT_MAX & PAGE_MASK))

/* A builder and its table, which are freed at the end of the case. */
struct runs_fixture {
	struct drm_sgt_builder builder;
	struct sg_table table;
};

static void runs_fixture_free(void *data)
{
	struct runs_fixture *f = data;

	drm_sgt_builder_fini(&f->builder);
	sg_free_table(&f->table);
}

static struct runs_fixture *runs_fixture_create(struct kunit *test, u64 pages)
{
	struct runs_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	drm_sgt_builder_init(&f->builder, pages << PAGE_SHIFT);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, runs_fixture_free, f));
	return f;
}

static unsigned long runs_pages(const struct drm_sgt_kunit_piece *piece, unsigned int nr)
{
	unsigned long pages = 0;

	while (nr--)
		pages += piece++->nr_pages;
	return pages;
}

/* Add all pieces in order; none may be refused. */
static struct runs_fixture *runs_fixture_feed(struct kunit *test,
					      const struct drm_sgt_kunit_piece *piece,
					      unsigned int nr)
{
	unsigned long left = runs_pages(piece, nr);
	struct runs_fixture *f = runs_fixture_create(test, left);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, drm_sgt_builder_left(&f->builder), left);
	for (i = 0; i < nr; i++) {
		KUNIT_ASSERT_EQ(test, 0,
				drm_sgt_builder_add(&f->builder, pfn_to_page(piece[i].pfn),
						    piece[i].nr_pages));
		left -= piece[i].nr_pages;
		KUNIT_ASSERT_EQ(test, drm_sgt_builder_left(&f->builder), left);
	}
	KUNIT_EXPECT_EQ(test, f->builder.folios, nr);
	return f;
}

/* The oracle for runs: a new one begins wherever two pieces are not contiguous. */
static unsigned int runs_expected(const struct drm_sgt_kunit_piece *piece, unsigned int nr)
{
	unsigned int i, runs = 1;

	for (i = 1; i < nr; i++)
		runs += piece[i - 1].pfn + piece[i - 1].nr_pages != piece[i].pfn;
	return runs;
}

/* The oracle for pages: advances through the pieces page by page. */
struct runs_oracle {
	const struct drm_sgt_kunit_piece *piece;
	unsigned long taken;
	/* pages that are left */
	unsigned long left;
};

static struct runs_oracle runs_oracle_start(const struct drm_sgt_kunit_piece *piece,
					    unsigned int nr)
{
	return (struct runs_oracle) {
		.piece = piece,
		.left = runs_pages(piece, nr),
	};
}

static unsigned long runs_oracle_next(struct runs_oracle *o)
{
	unsigned long pfn = o->piece->pfn + o->taken;

	if (++o->taken == o->piece->nr_pages) {
		o->taken = 0;
		o->piece++;
	}
	o->left--;
	return pfn;
}

/* Expect that @nr_pages pages from @page on are the next ones of the oracle. */
static void runs_check_pages(struct kunit *test, struct runs_oracle *o,
			     struct page *page, unsigned long nr_pages)
{
	unsigned long pfn = page_to_pfn(page), k;

	KUNIT_ASSERT_LE_MSG(test, nr_pages, o->left, "more pages than were added");
	for (k = 0; k < nr_pages; k++) {
		unsigned long expected = runs_oracle_next(o);

		if (pfn + k != expected)
			KUNIT_FAIL_AND_ABORT(test, "%lu before the end: page %#lx, not %#lx",
					     o->left + 1, pfn + k, expected);
	}
}

/* Expect that an entry keeps to the limits of a DMA segment. */
static void runs_check_entry(struct kunit *test, struct scatterlist *sg,
			     const struct drm_sgt_limits *limits)
{
	KUNIT_ASSERT_EQ(test, sg->offset, 0);
	KUNIT_ASSERT_GT(test, sg->length, 0);
	KUNIT_ASSERT_TRUE(test, PAGE_ALIGNED(sg->length));
	KUNIT_ASSERT_LE(test, sg->length, limits->max_segment);
	KUNIT_ASSERT_LE(test, (u64)(sg_phys(sg) & limits->boundary) + sg->length - 1,
			limits->boundary);
}

/* Must a new entry begin at @phys, after that of @len bytes at @prev? */
static bool runs_cut_is_needed(const struct drm_sgt_limits *limits, u64 prev,
			       unsigned int len, u64 phys)
{
	return phys != prev + len || len == limits->max_segment ||
	       !(phys & limits->boundary);
}

/* Expect the pages of the pieces, in as few entries as the limits allow. */
static void runs_check_table(struct kunit *test, struct sg_table *table,
			     const struct drm_sgt_limits *limits,
			     const struct drm_sgt_kunit_piece *piece,
			     unsigned int nr)
{
	struct runs_oracle o = runs_oracle_start(piece, nr);
	struct scatterlist *sg, *prev = NULL;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, table->nents, table->orig_nents);
	for_each_sgtable_sg(table, sg, i) {
		runs_check_entry(test, sg, limits);
		runs_check_pages(test, &o, sg_page(sg), sg->length >> PAGE_SHIFT);
		if (prev)
			KUNIT_EXPECT_TRUE_MSG(test,
					      runs_cut_is_needed(limits, sg_phys(prev),
								 prev->length, sg_phys(sg)),
					      "entry %u could be longer", i - 1);
		prev = sg;
	}
	KUNIT_EXPECT_EQ(test, o.left, 0);
	KUNIT_EXPECT_TRUE(test, prev && sg_is_last(prev));
}

static void runs_feed_and_check(struct kunit *test, const struct drm_sgt_limits *limits,
				const struct drm_sgt_kunit_piece *piece, unsigned int nr)
{
	struct runs_fixture *f = runs_fixture_feed(test, piece, nr);

	KUNIT_EXPECT_EQ(test, f->builder.nr, runs_expected(piece, nr));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_builder_to_table(&f->builder, limits, &f->table));
	runs_check_table(test, &f->table, limits, piece, nr);
	kunit_release_action(test, runs_fixture_free, f);
}

struct runs_limits {
	const char *name;
	struct drm_sgt_limits limits;
};

static const struct runs_limits runs_limits[] = {
	{ "none", { RUNS_NO_LIMIT, ULONG_MAX } },
	{ "one page", { PAGE_SIZE, ULONG_MAX } },
	{ "boundary of one page", { RUNS_NO_LIMIT, PAGE_SIZE - 1 } },
	{ "three pages", { 3 * PAGE_SIZE, ULONG_MAX } },
	{ "three pages, boundary of four", { 3 * PAGE_SIZE, 4 * PAGE_SIZE - 1 } },
	{ "four pages, boundary of four", { 4 * PAGE_SIZE, 4 * PAGE_SIZE - 1 } },
	{ "64K", { SZ_64K, ULONG_MAX } },
	{ "64K, boundary of 64K", { SZ_64K, SZ_64K - 1 } },
	{ "64K, boundary of 4G", { SZ_64K, SZ_4G - 1 } },
	{ "256K, as with bounce buffers", { SZ_256K, ULONG_MAX } },
	{ "2M, boundary of 1M", { SZ_2M, SZ_1M - 1 } },
	{ "2M + 4K, boundary of 4M", { SZ_2M + SZ_4K, SZ_4M - 1 } },
	{ "boundary of 4G", { RUNS_NO_LIMIT, SZ_4G - 1 } },
};

static void runs_limits_desc(const struct runs_limits *l, char *desc)
{
	strscpy(desc, l->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(runs_limits, runs_limits, runs_limits_desc);

#define RUNS_PIECES	12

struct runs_pieces {
	unsigned int nr;
	struct drm_sgt_kunit_piece piece[RUNS_PIECES];
};

static const struct runs_pieces runs_pieces[] = {
	/* a page */
	{ 1, { { 0x1234, 1 } } },
	/* contiguous pages and folios of all orders up to 9 */
	{ 10, { { 0x1001, 1 }, { 0x1002, 2 }, { 0x1004, 4 }, { 0x1008, 8 },
		{ 0x1010, 16 }, { 0x1020, 32 }, { 0x1040, 64 }, { 0x1080, 128 },
		{ 0x1100, 256 }, { 0x1200, 512 } } },
	/* the same, but none adjacent to another */
	{ 10, { { 0x9001, 1 }, { 0x1202, 2 }, { 0x8004, 4 }, { 0x1408, 8 },
		{ 0x7010, 16 }, { 0x1620, 32 }, { 0x6040, 64 }, { 0x1880, 128 },
		{ 0x5100, 256 }, { 0x2000, 512 } } },
	/* pages in falling order, and one page again and again */
	{ 8, { { 13, 1 }, { 12, 1 }, { 11, 1 }, { 10, 1 }, { 10, 1 }, { 10, 1 },
	       { 11, 1 }, { 10, 1 } } },
	/* two contiguous runs, with another between them */
	{ 3, { { 0x100, 16 }, { 0x300, 16 }, { 0x110, 16 } } },
	/* a folio that starts before a limit of 64K is reached, and ends after */
	{ 3, { { 0x10fff, 1 }, { 0x11000, 12 }, { 0x1100c, 16 } } },
	/* a huge folio after a small one, so that every limit falls into it */
	{ 2, { { 0x1ff, 1 }, { 0x200, 512 } } },
	/* the end of a huge folio is cut off: the object is shorter */
	{ 2, { { 0x200, 512 }, { 0x400, 193 } } },
	/* over 4 GiB of addresses, where page frame numbers outgrow 20 bits */
	{ 2, { { 0xffff0, 16 }, { 0x100000, 16 } } },
	/* far up */
	{ 2, { { DRM_SGT_KUNIT_HIGH_PFN - 1, 1 }, { DRM_SGT_KUNIT_HIGH_PFN, 512 } } },
};

/*
 * For any pages and any limits: every page is in the table once, in order, and no entry
 * exceeds a limit, or is shorter than it could be.
 */
static void runs_to_table_keeps_pages_and_limits(struct kunit *test)
{
	const struct runs_limits *l = test->param_value;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(runs_pieces); i++)
		runs_feed_and_check(test, &l->limits, runs_pieces[i].piece,
				    runs_pieces[i].nr);
}

/*
 * An entry is 32 bits long, a run is not. Folios that add up to 9 GiB in a row
 * are one run, cut before an entry overflows. i915 merged them into the length
 * of one entry (029ae067431a).
 */
static void runs_beyond_4g_are_cut(struct kunit *test)
{
	static const struct drm_sgt_limits none = { RUNS_NO_LIMIT, ULONG_MAX };
	const unsigned long order18 = BIT(18);
	struct drm_sgt_kunit_piece piece[10];
	struct runs_fixture *f;
	unsigned int i;

	piece[0] = (struct drm_sgt_kunit_piece) { order18 - 1, 1 };
	for (i = 1; i < ARRAY_SIZE(piece); i++)
		piece[i] = (struct drm_sgt_kunit_piece) { i * order18, order18 };

	f = runs_fixture_feed(test, piece, ARRAY_SIZE(piece));
	KUNIT_EXPECT_EQ(test, f->builder.nr, 1);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_builder_to_table(&f->builder, &none, &f->table));
	/* 9 GiB and a page, in entries of up to 4 GiB minus a page. */
	KUNIT_EXPECT_EQ(test, f->table.orig_nents, 3);
	runs_check_table(test, &f->table, &none, piece, ARRAY_SIZE(piece));
}

/*
 * A folio that is cut at the longest segment continues in the next entry where it was cut.
 * i915 began it again, so that its first pages were listed twice and its last pages not at
 * all (drm/i915/kernel work item 15816).
 */
static void runs_folio_over_the_limit_goes_on(struct kunit *test)
{
	static const struct drm_sgt_limits limits = { 3 * SZ_1M, ULONG_MAX };
	static const struct drm_sgt_kunit_piece piece[] = {
		{ 0x200, 512 }, { 0x400, 512 }, { 0x600, 512 },
	};
	struct scatterlist *sg;
	struct runs_fixture *f;

	f = runs_fixture_feed(test, piece, ARRAY_SIZE(piece));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_builder_to_table(&f->builder, &limits, &f->table));
	KUNIT_ASSERT_EQ(test, f->table.orig_nents, 2);

	sg = f->table.sgl;
	KUNIT_EXPECT_EQ(test, page_to_pfn(sg_page(sg)), 0x200);
	KUNIT_EXPECT_EQ(test, sg->length, 3 * SZ_1M);
	sg = sg_next(sg);
	KUNIT_EXPECT_EQ(test, page_to_pfn(sg_page(sg)), 0x500);
	KUNIT_EXPECT_EQ(test, sg->length, 3 * SZ_1M);
}

/*
 * A folio that is larger than the rest of the object is refused as a whole: the source must
 * cut it. i915 did not, and wrote beyond the end of the page table (0b62af28f249).
 */
static void runs_refuse_more_than_is_missing(struct kunit *test)
{
	static const struct drm_sgt_limits none = { RUNS_NO_LIMIT, ULONG_MAX };
	static const struct drm_sgt_kunit_piece cut[] = { { 0x200, 512 }, { 0x400, 1 } };
	struct runs_fixture *f = runs_fixture_create(test, 513);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_builder_add(&f->builder, pfn_to_page(0x200), 512));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_builder_add(&f->builder, pfn_to_page(0x400), 512));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_builder_add(&f->builder, pfn_to_page(0x400), 2));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_builder_add(&f->builder, pfn_to_page(0x400), 0));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			drm_sgt_builder_add(&f->builder, pfn_to_page(0x400), ULONG_MAX));
	KUNIT_EXPECT_EQ(test, drm_sgt_builder_left(&f->builder), 1);
	KUNIT_EXPECT_EQ(test, f->builder.folios, 1);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_builder_add(&f->builder, pfn_to_page(0x400), 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_builder_add(&f->builder, pfn_to_page(0x401), 1));
	KUNIT_EXPECT_EQ(test, drm_sgt_builder_left(&f->builder), 0);
	KUNIT_EXPECT_EQ(test, f->builder.nr, 1);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_builder_to_table(&f->builder, &none, &f->table));
	runs_check_table(test, &f->table, &none, cut, ARRAY_SIZE(cut));
}

/* A builder without pages makes no table. */
static void runs_of_nothing_are_no_table(struct kunit *test)
{
	static const struct drm_sgt_limits none = { RUNS_NO_LIMIT, ULONG_MAX };
	struct runs_fixture *f = runs_fixture_create(test, 8);

	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_builder_to_table(&f->builder, &none, &f->table));
	KUNIT_EXPECT_EQ(test, f->table.orig_nents, 0);
}

/* The builder keeps runs in chunks of a page: numbers around the ends of chunks. */
static const unsigned int runs_numbers[] = { 253, 254, 255, 256, 507, 508, 509, 5000 };

static void runs_number_desc(const unsigned int *nr, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u", *nr);
}

KUNIT_ARRAY_PARAM(runs_number, runs_numbers, runs_number_desc);

/* No run is lost or duplicated at the end of a chunk. */
static void runs_of_any_number(struct kunit *test)
{
	static const struct drm_sgt_limits none = { RUNS_NO_LIMIT, ULONG_MAX };
	unsigned int i, nr = *(const unsigned int *)test->param_value;
	struct drm_sgt_kunit_piece *piece;

	piece = kunit_kcalloc(test, 2 * nr, sizeof(*piece), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, piece);
	/* Add each run in two pieces, so that the last run of a chunk grows, too. */
	for (i = 0; i < nr; i++) {
		piece[2 * i] = (struct drm_sgt_kunit_piece) { 0x100000 - i * 8, 1 };
		piece[2 * i + 1] = (struct drm_sgt_kunit_piece) { 0x100001 - i * 8, 2 };
	}
	runs_feed_and_check(test, &none, piece, 2 * nr);
}

/* Random pieces, about half of which are contiguous with the one before. */
static unsigned int runs_random_pieces(struct rnd_state *rnd,
				       struct drm_sgt_kunit_piece *piece)
{
	unsigned int nr = 1 + drm_sgt_kunit_below(rnd, RUNS_PIECES), i;
	unsigned long pfn = drm_sgt_kunit_below(rnd, 4096);

	for (i = 0; i < nr; i++) {
		if (drm_sgt_kunit_below(rnd, 2))
			pfn = drm_sgt_kunit_below(rnd, 4096);
		piece[i].pfn = pfn;
		piece[i].nr_pages = 1 + drm_sgt_kunit_below(rnd, 64);
		pfn += piece[i].nr_pages;
	}
	return nr;
}

/* Random pieces under random limits. */
static void runs_random(struct kunit *test)
{
	struct drm_sgt_kunit_piece piece[RUNS_PIECES];
	struct drm_sgt_limits limits;
	struct rnd_state rnd;
	unsigned int round, nr;

	drm_sgt_kunit_seed(test, &rnd);
	for (round = 0; round < 2000; round++) {
		nr = runs_random_pieces(&rnd, piece);
		limits.max_segment = PAGE_SIZE * (1 + drm_sgt_kunit_below(&rnd, 40));
		limits.boundary = (PAGE_SIZE << drm_sgt_kunit_below(&rnd, 8)) - 1;
		runs_feed_and_check(test, &limits, piece, nr);
	}
}

static const struct drm_sgt_kunit_piece runs_iter_pieces[] = {
	{ 0x100, 5 }, { 0x105, 3 }, { 0x300, 1 }, { 0x200, 7 }, { 0x207, 1 }, { 0x208, 1 },
};

/*
 * A walk over the pages of a table finds the pages that were added. Its runs do not depend
 * on where the entries were cut for the device.
 */
static void runs_iter_gives_what_was_added(struct kunit *test)
{
	struct runs_oracle o = runs_oracle_start(runs_iter_pieces,
						 ARRAY_SIZE(runs_iter_pieces));
	struct drm_sgt_kunit_source *source;
	struct drm_sgt_kunit_device *d;
	struct drm_sgt_run_iter iter;
	struct drm_sgt_run run;
	struct drm_sgt *sgt;
	unsigned int runs = 0;

	d = drm_sgt_kunit_bind_limits(test, "sgt", 2 * PAGE_SIZE, ULONG_MAX);
	source = drm_sgt_kunit_source_create(test, runs_iter_pieces,
					     ARRAY_SIZE(runs_iter_pieces));
	sgt = drm_sgt_kunit_sgt(test, d->sdev, source);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(sgt));
	KUNIT_EXPECT_EQ(test, sgt->table.orig_nents, 4 + 1 + 5);

	drm_sgt_run_iter_init(&iter, sgt);
	while (drm_sgt_run_iter_next(&iter, &run)) {
		runs_check_pages(test, &o, run.page, run.nr_pages);
		runs++;
	}
	KUNIT_EXPECT_EQ(test, o.left, 0);
	KUNIT_EXPECT_EQ(test, runs, 3);
	KUNIT_EXPECT_FALSE(test, drm_sgt_run_iter_next(&iter, &run));
}

static struct kunit_case drm_sgt_runs_cases[] = {
	KUNIT_CASE_PARAM(runs_to_table_keeps_pages_and_limits, runs_limits_gen_params),
	KUNIT_CASE(runs_beyond_4g_are_cut),
	KUNIT_CASE(runs_folio_over_the_limit_goes_on),
	KUNIT_CASE(runs_refuse_more_than_is_missing),
	KUNIT_CASE(runs_of_nothing_are_no_table),
	KUNIT_CASE_PARAM(runs_of_any_number, runs_number_gen_params),
	KUNIT_CASE(runs_random),
	KUNIT_CASE(runs_iter_gives_what_was_added),
	{}
};

static struct kunit_suite drm_sgt_runs_suite = {
	.name = "drm_sgt_runs",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_sgt_runs_cases,
};

kunit_test_suite(drm_sgt_runs_suite);
