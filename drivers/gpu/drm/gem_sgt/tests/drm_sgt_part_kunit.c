// SPDX-License-Identifier: GPL-2.0

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>

#include "drm_sgt_kunit_helpers.h"

/*
 * Tables of parts of a shmem file: a table has the pages of its part, and does not
 * change the rest of the file, or another table.
 */

#define PART_FILE	12

struct part_fixture {
	struct kunit *test;
	struct drm_sgt_kunit_device *d;
	struct file *filp;
};

static struct part_fixture part_fixture_create(struct kunit *test)
{
	return (struct part_fixture) {
		.test = test,
		.d = drm_sgt_kunit_bind(test),
		.filp = drm_sgt_kunit_shmem_file(test, PART_FILE),
	};
}

/* A part of the file, in pages, and the table of it */
struct part {
	unsigned int start;
	unsigned int nr;
	struct drm_sgt *sgt;
	/* The table has pages. */
	bool populated;
};

static void part_create(struct part_fixture *f, struct part *part)
{
	part->sgt = drm_sgt_create_shmem(f->d->sdev, f->filp, part->start * PAGE_SIZE,
					 part->nr * PAGE_SIZE);
	drm_sgt_kunit_free_later(f->test, part->sgt);
}

static void part_pin(struct part_fixture *f, struct part *part)
{
	KUNIT_ASSERT_EQ(f->test, 0, drm_sgt_pin_pages(part->sgt));
	part->populated = true;
}

static void part_unpin(struct part_fixture *f, struct part *part)
{
	drm_sgt_unpin_pages(part->sgt);
	KUNIT_ASSERT_EQ(f->test, 0, drm_sgt_depopulate(part->sgt));
	part->populated = false;
}

/* Expect the pages of the part in the table, in order. */
static void part_check_pages(struct part_fixture *f, const struct part *part)
{
	pgoff_t index = part->start;
	struct drm_sgt_run_iter iter;
	struct drm_sgt_run run;
	unsigned long i;

	drm_sgt_run_iter_init(&iter, part->sgt);
	while (drm_sgt_run_iter_next(&iter, &run))
		for (i = 0; i < run.nr_pages; i++)
			KUNIT_EXPECT_PTR_EQ(f->test, run.page + i,
					    drm_sgt_kunit_cached_page(f->test, f->filp, index++));
	KUNIT_EXPECT_EQ(f->test, index, part->start + part->nr);
}

static bool part_has(const struct part *part, unsigned int index)
{
	return index >= part->start && index - part->start < part->nr;
}

/* Expect @refs references to each page, for the page cache, and one for each table. */
static void part_check_refs(struct part_fixture *f, int refs, const struct part *part,
			    unsigned int nr_parts)
{
	unsigned int i, k;

	drm_sgt_kunit_flush_batches(f->test);
	for (i = 0; i < PART_FILE; i++) {
		struct page *page = drm_sgt_kunit_cached_page(f->test, f->filp, i);
		int expected = refs;

		for (k = 0; k < nr_parts; k++)
			expected += part[k].populated && part_has(&part[k], i);
		KUNIT_EXPECT_EQ_MSG(f->test, page_count(page), expected, "page %u", i);
	}
}

/* Clean the pages, as reclaim does after it has written them to swap. */
static void part_clean_file(struct part_fixture *f)
{
	unsigned int i;

	for (i = 0; i < PART_FILE; i++)
		ClearPageDirty(drm_sgt_kunit_cached_page(f->test, f->filp, i));
}

/* Expect that the pages of a part are dirty, and all others clean. */
static void part_check_dirty(struct part_fixture *f, const struct part *dirty)
{
	unsigned int i;

	for (i = 0; i < PART_FILE; i++)
		KUNIT_EXPECT_EQ_MSG(f->test, part_has(dirty, i),
				    PageDirty(drm_sgt_kunit_cached_page(f->test, f->filp, i)),
				    "page %u", i);
}

/* A populate gets the pages of the part, and allocates no others. */
static void part_has_its_pages_only(struct kunit *test)
{
	struct part part[] = { { 0, 1 }, { 5, 3 }, { PART_FILE - 1, 1 } };
	struct part_fixture f = part_fixture_create(test);
	unsigned long nr = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(part); i++) {
		part_create(&f, &part[i]);
		KUNIT_EXPECT_EQ(test, drm_sgt_size(part[i].sgt), part[i].nr * PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(part[i].sgt));
		nr += part[i].nr;
		KUNIT_EXPECT_EQ(test, f.filp->f_mapping->nrpages, nr);
		part_check_pages(&f, &part[i]);
		KUNIT_EXPECT_EQ(test, f.filp->f_mapping->nrpages, nr);
	}
}

static const struct part_pair {
	const char *name;
	struct part part[2];
} part_pairs[] = {
	{ "apart", { { 1, 3 }, { 6, 2 } } },
	{ "next to each other", { { 1, 3 }, { 4, 3 } } },
	{ "overlapping", { { 1, 5 }, { 4, 4 } } },
	{ "one in the other", { { 1, 9 }, { 4, 2 } } },
	{ "the same", { { 4, 3 }, { 4, 3 } } },
	{ "and the file", { { 0, PART_FILE }, { 4, 3 } } },
};

KUNIT_ARRAY_PARAM_DESC(part_pair, part_pairs, name);

static void part_end_in_order(struct part_fixture *f, int refs, struct part *part,
			      unsigned int first)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		part_pin(f, &part[i]);
	part_check_refs(f, refs, part, 2);

	for (i = 0; i < 2; i++) {
		struct part *ends = &part[i ^ first];

		part_check_pages(f, ends);
		part_clean_file(f);
		part_unpin(f, ends);
		part_check_dirty(f, ends);
		part_check_refs(f, refs, part, 2);
		KUNIT_EXPECT_TRUE(f->test, mapping_unevictable(f->filp->f_mapping));
	}
}

/*
 * Two tables of one file are depopulated in both orders. The first depopulate changes
 * neither the references nor the pages of the other table, and none changes the bytes of
 * the file, or AS_UNEVICTABLE.
 */
static void part_beside_another(struct kunit *test)
{
	const struct part_pair *pair = test->param_value;
	struct part part[] = { pair->part[0], pair->part[1] };
	struct part_fixture f = part_fixture_create(test);
	unsigned int i;
	int refs;

	drm_sgt_kunit_fill_file(test, f.filp, 1);
	drm_sgt_kunit_flush_batches(test);
	refs = page_count(drm_sgt_kunit_cached_page(test, f.filp, 0));
	mapping_set_unevictable(f.filp->f_mapping);
	for (i = 0; i < 2; i++)
		part_create(&f, &part[i]);

	part_end_in_order(&f, refs, part, 0);
	part_end_in_order(&f, refs, part, 1);
	for (i = 0; i < 2; i++)
		drm_sgt_kunit_free_now(test, part[i].sgt);
	drm_sgt_kunit_check_file(test, f.filp, 1);
}

/*
 * A driver can create a table of a part of a GEM object's file. That table does not make
 * the file evictable, and the free of the object's table does not discard the bytes.
 */
static void part_of_an_own_file(struct kunit *test)
{
	struct part_fixture f = part_fixture_create(test);
	struct part part = { 3, 4 };
	struct drm_sgt *own;

	own = drm_sgt_create_shmem_own(f.d->sdev, f.filp, PART_FILE * PAGE_SIZE);
	drm_sgt_kunit_free_later(test, own);
	drm_sgt_kunit_fill_file(test, f.filp, 1);
	part_create(&f, &part);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(own));
	part_pin(&f, &part);
	part_unpin(&f, &part);
	KUNIT_EXPECT_TRUE(test, mapping_unevictable(f.filp->f_mapping));

	part_pin(&f, &part);
	part_clean_file(&f);
	/* The table of the part keeps the file. */
	kunit_release_action(test, drm_sgt_kunit_fput, f.filp);
	drm_sgt_kunit_free_now(test, own);
	part_check_dirty(&f, &(struct part) { 0, PART_FILE });
	part_check_pages(&f, &part);
	drm_sgt_kunit_check_file(test, f.filp, 1);
	part_unpin(&f, &part);
}

/* A populate of a part beyond the end of the file fails, and puts each page. */
static void part_at_the_end_of_the_file(struct kunit *test)
{
	struct part beyond[] = { { PART_FILE - 2, 3 }, { PART_FILE, 1 }, { PART_FILE + 7, 2 } };
	struct part_fixture f = part_fixture_create(test);
	unsigned int i;
	int refs;

	drm_sgt_kunit_fill_file(test, f.filp, 1);
	drm_sgt_kunit_flush_batches(test);
	refs = page_count(drm_sgt_kunit_cached_page(test, f.filp, 0));
	for (i = 0; i < ARRAY_SIZE(beyond); i++) {
		part_create(&f, &beyond[i]);
		KUNIT_EXPECT_EQ(test, -EIO, drm_sgt_populate(beyond[i].sgt));
		KUNIT_EXPECT_EQ(test, drm_sgt_get_state(beyond[i].sgt), DRM_SGT_EMPTY);
	}
	part_check_refs(&f, refs, beyond, ARRAY_SIZE(beyond));
	KUNIT_EXPECT_EQ(test, f.filp->f_mapping->nrpages, PART_FILE);
}

/* Returns the DMA address of the first page; the caller is inside @access. */
static dma_addr_t part_addr(struct part_fixture *f, const struct drm_sgt_access *access)
{
	struct drm_dma_view view = drm_sgt_access_view(access);
	struct drm_dma_iter iter;
	struct drm_dma_seg seg = {};

	KUNIT_EXPECT_EQ(f->test, 0, drm_dma_iter_init(&iter, view, 0, PAGE_SIZE));
	KUNIT_EXPECT_TRUE(f->test, drm_dma_iter_next(&iter, &seg));
	return seg.addr;
}

/*
 * A heap grows part by part, while an access section of the first part is open: that keeps
 * its address. A part beyond the end fails alone. An unbind ends all of them, and ends the
 * growing.
 */
static void part_of_a_heap(struct kunit *test)
{
	struct part part[] = { { 0, 2 }, { 2, 2 }, { 4, 4 }, { PART_FILE - 1, 2 }, { 8, 4 } };
	struct part_fixture f = part_fixture_create(test);
	struct drm_sgt_access access = {};
	dma_addr_t addr;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(part); i++)
		part_create(&f, &part[i]);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(part[0].sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(part[0].sgt, DMA_BIDIRECTIONAL));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_access_begin(part[0].sgt, &access));
	addr = part_addr(&f, &access);
	for (i = 1; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, 0, drm_sgt_populate(part[i].sgt));
		KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(part[i].sgt, DMA_BIDIRECTIONAL));
		KUNIT_EXPECT_EQ(test, part_addr(&f, &access), addr);
	}
	KUNIT_EXPECT_EQ(test, -EIO, drm_sgt_populate(part[3].sgt));
	KUNIT_EXPECT_EQ(test, part_addr(&f, &access), addr);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f.d->sdev).mapped, 3);
	drm_sgt_access_end(&access);

	drm_sgt_kunit_unbind(f.d);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, drm_sgt_get_state(part[i].sgt), DRM_SGT_BACKED);
		part_check_pages(&f, &part[i]);
	}
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f.d->sdev).mapped, 0);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_populate(part[4].sgt));
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_map(part[4].sgt, DMA_BIDIRECTIONAL));
}

/* The largest offset of a part of one page */
#define PART_LAST	(round_down((u64)MAX_LFS_FILESIZE, PAGE_SIZE) - PAGE_SIZE)

static const struct part_range {
	const char *name;
	u64 offset;
	u64 size;
	int err;
} part_ranges[] = {
	{ "byte 1", 1, PAGE_SIZE, -EINVAL },
	{ "middle of a page", 3 * PAGE_SIZE + PAGE_SIZE / 2, PAGE_SIZE, -EINVAL },
	{ "last byte of a page", PAGE_SIZE - 1, PAGE_SIZE, -EINVAL },
	{ "no bytes", PAGE_SIZE, 0, -EINVAL },
	{ "not whole pages", PAGE_SIZE, PAGE_SIZE + 1, -EINVAL },
	{ "more than a table can list", PAGE_SIZE, (u64)PAGE_SIZE << 31, -E2BIG },
	{ "ends at 0", -(u64)PAGE_SIZE, PAGE_SIZE, -EOVERFLOW },
	{ "ends after 0", -(u64)PAGE_SIZE, 2 * PAGE_SIZE, -EOVERFLOW },
	{ "size ends at 0", PAGE_SIZE, -(u64)PAGE_SIZE, -EOVERFLOW },
	{ "starts beyond all files", -(u64)(2 * PAGE_SIZE), PAGE_SIZE, -EOVERFLOW },
	{ "starts in the last page", PART_LAST + PAGE_SIZE, PAGE_SIZE, -EOVERFLOW },
	{ "one page too long", PART_LAST, 2 * PAGE_SIZE, -EOVERFLOW },
	{ "the last page", PART_LAST, PAGE_SIZE, 0 },
};

KUNIT_ARRAY_PARAM_DESC(part_range, part_ranges, name);

/* A bad part is refused, and no reference to the file is left. */
static void part_refuses_bad_ranges(struct kunit *test)
{
	const struct part_range *range = test->param_value;
	struct part_fixture f = part_fixture_create(test);
	long refs = file_count(f.filp);
	struct drm_sgt *sgt;

	sgt = drm_sgt_create_shmem(f.d->sdev, f.filp, range->offset, range->size);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), range->err);
	KUNIT_EXPECT_EQ(test, file_count(f.filp), refs + !IS_ERR(sgt));
	if (!IS_ERR(sgt)) {
		KUNIT_EXPECT_EQ(test, -EIO, drm_sgt_populate(sgt));
		drm_sgt_free(sgt);
	}
	KUNIT_EXPECT_EQ(test, file_count(f.filp), refs);
}

static int part_nomem_create(void *arg)
{
	struct part_fixture *f = arg;
	struct drm_sgt *sgt;

	sgt = drm_sgt_create_shmem(f->d->sdev, f->filp, PAGE_SIZE, PAGE_SIZE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	drm_sgt_free(sgt);
	return 0;
}

static void part_nomem_check(void *arg, int ret)
{
	struct part_fixture *f = arg;

	if (ret)
		KUNIT_EXPECT_EQ(f->test, ret, -ENOMEM);
	KUNIT_EXPECT_EQ(f->test, file_count(f->filp), 1);
	KUNIT_EXPECT_EQ(f->test, drm_sgt_kunit_stats(f->d->sdev).tables, 0);
}

/* A create that fails leaves no reference to the file. */
static void part_without_memory(struct kunit *test)
{
	struct part_fixture f = part_fixture_create(test);

	drm_sgt_kunit_nomem(test);
	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, part_nomem_create,
						  part_nomem_check, &f), 2);
}

static struct kunit_case drm_sgt_part_cases[] = {
	KUNIT_CASE(part_has_its_pages_only),
	KUNIT_CASE_PARAM(part_beside_another, part_pair_gen_params),
	KUNIT_CASE(part_of_an_own_file),
	KUNIT_CASE(part_of_a_heap),
	KUNIT_CASE(part_at_the_end_of_the_file),
	KUNIT_CASE_PARAM(part_refuses_bad_ranges, part_range_gen_params),
	KUNIT_CASE(part_without_memory),
	{}
};

static struct kunit_suite drm_sgt_part_suite = {
	.name = "drm_sgt_part",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_sgt_part_cases,
};

kunit_test_suite(drm_sgt_part_suite);
