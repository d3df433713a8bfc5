// SPDX-License-Identifier: GPL-2.0

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/vmalloc.h>

#include "drm_sgt_kunit_helpers.h"

/*
 * The sources of the layer: the pages in the table are those of the source, they are
 * referenced at the right time, and their bytes are kept.
 */

#define PAGES_NR	23

/* The byte at an offset of a page, which differs so that no two pages are the same. */
static u8 pages_pattern(unsigned long page, unsigned int offset)
{
	return page * 31 + offset * 7 + (offset >> 8);
}

static void pages_fill(struct page *page, unsigned long nr)
{
	u8 *p = kmap_local_page(page);
	unsigned int i;

	for (i = 0; i < PAGE_SIZE; i++)
		p[i] = pages_pattern(nr, i);
	kunmap_local(p);
}

static bool pages_are_filled(struct page *page, unsigned long nr)
{
	u8 *p = kmap_local_page(page);
	unsigned int i;

	for (i = 0; i < PAGE_SIZE && p[i] == pages_pattern(nr, i); i++)
		;
	kunmap_local(p);
	return i == PAGE_SIZE;
}

/* The page of a table that holds byte @index * PAGE_SIZE. */
static struct page *pages_of_table(struct kunit *test, struct drm_sgt *sgt,
				   unsigned long index)
{
	struct drm_sgt_run_iter iter;
	struct drm_sgt_run run;

	drm_sgt_run_iter_init(&iter, sgt);
	while (drm_sgt_run_iter_next(&iter, &run)) {
		if (index < run.nr_pages)
			return run.page + index;
		index -= run.nr_pages;
	}
	KUNIT_FAIL_AND_ABORT(test, "the table has no page %lu", index);
	return NULL;
}

/*
 * vmalloc
 */

/* The table has the pages of the buffer, and its free frees the buffer. */
static void pages_of_vmalloc(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	void *buf = vmalloc(PAGES_NR * PAGE_SIZE);
	struct drm_sgt *sgt;
	unsigned long i;
	struct page *last;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	sgt = drm_sgt_create_vmalloc(d->sdev, buf, PAGES_NR * PAGE_SIZE);
	if (IS_ERR(sgt))
		vfree(buf);
	drm_sgt_kunit_free_later(test, sgt);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(sgt));
	for (i = 0; i < PAGES_NR; i++)
		KUNIT_EXPECT_PTR_EQ(test, pages_of_table(test, sgt, i),
				    vmalloc_to_page(buf + i * PAGE_SIZE));

	/* A depopulate does not free the pages of the buffer. */
	memset(buf, 0x5a, PAGES_NR * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_depopulate(sgt));
	KUNIT_EXPECT_NULL(test, memchr_inv(buf, 0x5a, PAGES_NR * PAGE_SIZE));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(sgt));

	last = vmalloc_to_page(buf + (PAGES_NR - 1) * PAGE_SIZE);
	get_page(last);
	KUNIT_EXPECT_EQ(test, page_count(last), 2);
	drm_sgt_kunit_free_now(test, sgt);
	KUNIT_EXPECT_EQ(test, page_count(last), 1);
	put_page(last);
}

/* Anything but a page-aligned vmalloc buffer is refused, and stays with the caller. */
static void pages_of_vmalloc_refuses_other_memory(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	void *buf = vmalloc(2 * PAGE_SIZE);
	void *km = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR_OR_ZERO(drm_sgt_create_vmalloc(d->sdev, km, PAGE_SIZE)));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR_OR_ZERO(drm_sgt_create_vmalloc(d->sdev, NULL, PAGE_SIZE)));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR_OR_ZERO(drm_sgt_create_vmalloc(d->sdev, buf + 1, PAGE_SIZE)));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR_OR_ZERO(drm_sgt_create_vmalloc(d->sdev, buf, 0)));
	vfree(buf);
}

/* A buffer that is shorter than the table is refused, and the table stays empty. */
static void pages_of_vmalloc_that_is_too_short(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	void *buf = vmalloc(2 * PAGE_SIZE);
	struct drm_sgt *sgt;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	sgt = drm_sgt_create_vmalloc(d->sdev, buf, 3 * PAGE_SIZE);
	if (IS_ERR(sgt))
		vfree(buf);
	drm_sgt_kunit_free_later(test, sgt);
	KUNIT_EXPECT_EQ(test, -EIO, drm_sgt_populate(sgt));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(sgt), DRM_SGT_EMPTY);
}

/*
 * array of pages
 */

static void pages_free_array(struct page **pages, unsigned long nr)
{
	while (nr--)
		put_page(pages[nr]);
	kvfree(pages);
}

/* An array of @nr pages, which has a reference to each. */
static struct page **pages_alloc_array(struct kunit *test, unsigned long nr)
{
	struct page **pages = kvmalloc_array(nr, sizeof(*pages), GFP_KERNEL);
	unsigned long i;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	for (i = 0; i < nr; i++) {
		pages[i] = alloc_page(GFP_KERNEL);
		if (pages[i])
			continue;
		pages_free_array(pages, i);
		KUNIT_FAIL_AND_ABORT(test, "out of pages");
	}
	return pages;
}

/*
 * The table has the pages of the array, in its order. A page can be in it twice. The free
 * drops one reference for each element, and nothing else does.
 */
static void pages_of_array(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct page **pages = pages_alloc_array(test, 4);
	struct page *expected[4];
	struct drm_sgt *sgt;
	unsigned long i;

	/* a b c d becomes a b a d; c stays with the test. */
	expected[0] = pages[0];
	expected[1] = pages[1];
	expected[2] = pages[0];
	expected[3] = pages[3];
	put_page(pages[2]);
	get_page(pages[0]);
	pages[2] = pages[0];
	for (i = 0; i < 4; i++)
		get_page(pages[i]);

	sgt = drm_sgt_create_pages(d->sdev, pages, 4);
	if (IS_ERR(sgt))
		pages_free_array(pages, 4);
	drm_sgt_kunit_free_later(test, sgt);
	KUNIT_EXPECT_EQ(test, drm_sgt_size(sgt), 4 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(sgt));
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_PTR_EQ(test, pages_of_table(test, sgt, i), expected[i]);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_depopulate(sgt));
	KUNIT_EXPECT_EQ(test, page_count(expected[0]), 4);
	KUNIT_EXPECT_EQ(test, page_count(expected[1]), 2);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(sgt));
	drm_sgt_kunit_free_now(test, sgt);
	KUNIT_EXPECT_EQ(test, page_count(expected[0]), 2);
	KUNIT_EXPECT_EQ(test, page_count(expected[1]), 1);
	KUNIT_EXPECT_EQ(test, page_count(expected[3]), 1);
	for (i = 0; i < 4; i++)
		put_page(expected[i]);
}

/* An array of no pages, or of too many, is refused, and stays with the caller. */
static void pages_of_array_refuses_bad_numbers(struct kunit *test)
{
	static const struct { unsigned long nr; int err; } bad[] = {
		{ 0, -EINVAL }, { (unsigned long)INT_MAX + 1, -E2BIG },
		{ (ULONG_MAX >> PAGE_SHIFT) + 2, -E2BIG }, { ULONG_MAX, -E2BIG },
	};
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct page **pages = pages_alloc_array(test, 1);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct drm_sgt *sgt = drm_sgt_create_pages(d->sdev, pages, bad[i].nr);

		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(sgt), bad[i].err,
				    "%lu pages", bad[i].nr);
		/* Not drm_sgt_free(): it would drop references that are not there. */
		if (!IS_ERR(sgt))
			KUNIT_FAIL_AND_ABORT(test, "made");
	}
	KUNIT_EXPECT_EQ(test, page_count(pages[0]), 1);
	pages_free_array(pages, 1);
}

/*
 * shmem
 */

/*
 * The table has the pages of the file's page cache, with one reference to each, and none
 * after a depopulate. The bytes are in the file all the time.
 */
static void pages_of_shmem(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct file *filp = drm_sgt_kunit_shmem_file(test, PAGES_NR);
	long file_refs = file_count(filp);
	unsigned long i;
	struct drm_sgt *sgt;
	int refs;

	pages_fill(drm_sgt_kunit_cached_page(test, filp, 5), 5);
	drm_sgt_kunit_flush_batches(test);
	refs = page_count(drm_sgt_kunit_cached_page(test, filp, 5));

	sgt = drm_sgt_create_shmem(d->sdev, filp, 0, PAGES_NR * PAGE_SIZE);
	drm_sgt_kunit_free_later(test, sgt);
	KUNIT_EXPECT_EQ(test, file_count(filp), file_refs + 1);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(sgt));
	drm_sgt_kunit_flush_batches(test);
	KUNIT_EXPECT_TRUE(test, pages_are_filled(pages_of_table(test, sgt, 5), 5));
	for (i = 0; i < PAGES_NR; i++) {
		struct page *page = pages_of_table(test, sgt, i);

		KUNIT_EXPECT_PTR_EQ(test, page, drm_sgt_kunit_cached_page(test, filp, i));
		KUNIT_EXPECT_EQ(test, page_count(page), refs + 1);
		pages_fill(page, i);
	}

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_depopulate(sgt));
	drm_sgt_kunit_flush_batches(test);
	for (i = 0; i < PAGES_NR; i++) {
		struct page *page = drm_sgt_kunit_cached_page(test, filp, i);

		KUNIT_EXPECT_EQ(test, page_count(page), refs);
		KUNIT_EXPECT_TRUE(test, PageDirty(page));
		KUNIT_EXPECT_TRUE(test, pages_are_filled(page, i));
	}
	drm_sgt_kunit_free_now(test, sgt);
	KUNIT_EXPECT_EQ(test, file_count(filp), file_refs);
}

/* Create a table of the whole file, and fill its pages. */
static struct drm_sgt *pages_fill_shmem(struct kunit *test,
					struct drm_sgt_kunit_device *d,
					struct file *filp)
{
	struct drm_sgt *sgt;
	unsigned long i;

	sgt = drm_sgt_create_shmem(d->sdev, filp, 0, PAGES_NR * PAGE_SIZE);
	drm_sgt_kunit_free_later(test, sgt);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(sgt));
	for (i = 0; i < PAGES_NR; i++)
		pages_fill(pages_of_table(test, sgt, i), i);
	return sgt;
}

/* Clean the pages, as reclaim does after it has written them to swap. */
static void pages_clean(struct kunit *test, struct file *filp)
{
	unsigned long i;

	for (i = 0; i < PAGES_NR; i++)
		ClearPageDirty(drm_sgt_kunit_cached_page(test, filp, i));
}

/* Expect the bytes in the file, in dirty pages, which reclaim does not drop. */
static void pages_check_file(struct kunit *test, struct file *filp)
{
	unsigned long i;

	for (i = 0; i < PAGES_NR; i++) {
		struct page *page = drm_sgt_kunit_cached_page(test, filp, i);

		KUNIT_EXPECT_TRUE(test, PageDirty(page));
		KUNIT_EXPECT_TRUE(test, pages_are_filled(page, i));
	}
}

/* The free of a table does not lose the bytes for other users of the file. */
static void pages_of_shmem_stay_with_the_file(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct file *filp = drm_sgt_kunit_shmem_file(test, PAGES_NR);
	struct drm_sgt *sgt = pages_fill_shmem(test, d, filp);

	drm_sgt_kunit_free_now(test, sgt);
	pages_check_file(test, filp);
}

/*
 * A memfd that is opened again through /proc is a second file of the same inode. The free
 * of a table with the last reference to the first file loses no bytes.
 */
static void pages_of_shmem_stay_with_a_second_file(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct file *filp = drm_sgt_kunit_shmem_file(test, PAGES_NR);
	struct file *second = dentry_open(&filp->f_path, O_RDWR, current_cred());
	struct drm_sgt *sgt;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, second);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, drm_sgt_kunit_fput, second));
	sgt = pages_fill_shmem(test, d, filp);
	kunit_release_action(test, drm_sgt_kunit_fput, filp);
	pages_clean(test, second);

	drm_sgt_kunit_free_now(test, sgt);
	pages_check_file(test, second);
}

static const bool pages_locked[] = { false, true };

static void pages_locked_desc(const bool *locked, char *desc)
{
	strscpy(desc, *locked ? "locked by its owner" : "not locked",
		KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(pages_locked, pages_locked, pages_locked_desc);

/*
 * The owner of a file decides whether it is evictable, as with SHM_LOCK. Tables of the
 * file do not change that, in any order of populate, depopulate and free.
 */
static void pages_of_shmem_leave_the_file_evictable(struct kunit *test)
{
	bool locked = *(const bool *)test->param_value;
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct file *filp = drm_sgt_kunit_shmem_file(test, PAGES_NR);
	struct drm_sgt *one, *two;

	if (locked)
		mapping_set_unevictable(filp->f_mapping);
	one = pages_fill_shmem(test, d, filp);
	two = pages_fill_shmem(test, d, filp);
	KUNIT_EXPECT_EQ(test, mapping_unevictable(filp->f_mapping), locked);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(one));
	KUNIT_EXPECT_EQ(test, mapping_unevictable(filp->f_mapping), locked);
	drm_sgt_kunit_free_now(test, two);
	KUNIT_EXPECT_EQ(test, mapping_unevictable(filp->f_mapping), locked);
	mapping_clear_unevictable(filp->f_mapping);
	pages_check_file(test, filp);
}

/*
 * A file that belongs to a table is not evictable while that table has pages. A second
 * table of the file, created by a driver, does not change that.
 */
static void pages_of_own_shmem_are_not_evictable(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct file *filp = drm_sgt_kunit_shmem_file(test, PAGES_NR);
	struct drm_sgt *own, *second;

	own = drm_sgt_create_shmem_own(d->sdev, filp, PAGES_NR * PAGE_SIZE);
	drm_sgt_kunit_free_later(test, own);
	KUNIT_EXPECT_FALSE(test, mapping_unevictable(filp->f_mapping));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(own));
	KUNIT_EXPECT_TRUE(test, mapping_unevictable(filp->f_mapping));
	second = pages_fill_shmem(test, d, filp);
	pages_clean(test, filp);
	drm_sgt_kunit_free_now(test, second);
	KUNIT_EXPECT_TRUE(test, mapping_unevictable(filp->f_mapping));
	pages_check_file(test, filp);

	/* The test has a reference to the file, too, so the bytes are kept. */
	pages_clean(test, filp);
	drm_sgt_kunit_free_now(test, own);
	KUNIT_EXPECT_FALSE(test, mapping_unevictable(filp->f_mapping));
	pages_check_file(test, filp);
}

/*
 * A table with the only reference to its file gets the same bytes again after a depopulate.
 * Its free drops them, so that they are not written to swap.
 */
static void pages_of_shmem_go_with_the_table(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct file *filp = drm_sgt_kunit_shmem_file(test, PAGES_NR);
	struct drm_sgt *sgt;
	struct page *page;

	sgt = drm_sgt_create_shmem_own(d->sdev, filp, PAGES_NR * PAGE_SIZE);
	drm_sgt_kunit_free_later(test, sgt);
	kunit_release_action(test, drm_sgt_kunit_fput, filp);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(sgt));
	page = pages_of_table(test, sgt, 5);
	pages_fill(page, 5);
	get_page(page);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_depopulate(sgt));
	KUNIT_EXPECT_TRUE(test, PageDirty(page));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(sgt));
	KUNIT_EXPECT_PTR_EQ(test, pages_of_table(test, sgt, 5), page);
	KUNIT_EXPECT_TRUE(test, pages_are_filled(page, 5));

	/* As for a page that was just allocated */
	ClearPageDirty(page);
	drm_sgt_kunit_free_now(test, sgt);
	KUNIT_EXPECT_FALSE(test, PageDirty(page));
	drm_sgt_kunit_flush_batches(test);
	/* A work item closes the file. */
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(page_count(page) == 1));
	put_page(page);
}

/* A map, an unmap and an unbind do not change the pages and the bytes. */
static void pages_of_shmem_survive_the_device(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct file *filp = drm_sgt_kunit_shmem_file(test, PAGES_NR);
	struct drm_sgt *sgt = pages_fill_shmem(test, d, filp);
	unsigned long i;

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(sgt, DMA_BIDIRECTIONAL));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(sgt, DMA_BIDIRECTIONAL));
	drm_sgt_kunit_unbind(d);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(sgt), DRM_SGT_BACKED);
	for (i = 0; i < PAGES_NR; i++) {
		struct page *page = pages_of_table(test, sgt, i);

		KUNIT_EXPECT_PTR_EQ(test, page, drm_sgt_kunit_cached_page(test, filp, i));
		KUNIT_EXPECT_TRUE(test, pages_are_filled(page, i));
	}
}

/* A populate from a file that is too short fails, and puts each page. */
static void pages_of_shmem_file_that_is_too_short(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct file *filp = drm_sgt_kunit_shmem_file(test, PAGES_NR - 1);
	struct drm_sgt *sgt;
	unsigned long i;
	int refs;

	sgt = drm_sgt_create_shmem_own(d->sdev, filp, PAGES_NR * PAGE_SIZE);
	drm_sgt_kunit_free_later(test, sgt);
	drm_sgt_kunit_cached_page(test, filp, 0);
	drm_sgt_kunit_flush_batches(test);
	refs = page_count(drm_sgt_kunit_cached_page(test, filp, 0));
	KUNIT_EXPECT_EQ(test, -EIO, drm_sgt_populate(sgt));
	drm_sgt_kunit_flush_batches(test);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(sgt), DRM_SGT_EMPTY);
	KUNIT_EXPECT_FALSE(test, mapping_unevictable(filp->f_mapping));
	for (i = 0; i < PAGES_NR - 1; i++)
		KUNIT_EXPECT_EQ(test, page_count(drm_sgt_kunit_cached_page(test, filp, i)), refs);
}

static void pages_populate_while_killed(struct kunit *test, struct drm_sgt *sgt)
{
	int ret;

	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	ret = drm_sgt_populate(sgt);
	flush_signals(current);
	disallow_signal(SIGKILL);

	KUNIT_EXPECT_EQ(test, ret, -EINTR);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(sgt), DRM_SGT_EMPTY);
}

/* A fatal signal ends the populate of a large buffer early. */
static void pages_of_shmem_end_with_a_fatal_signal(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct file *filp = drm_sgt_kunit_shmem_file(test, PAGES_NR);
	struct drm_sgt *sgt;

	sgt = drm_sgt_create_shmem_own(d->sdev, filp, PAGES_NR * PAGE_SIZE);
	drm_sgt_kunit_free_later(test, sgt);

	pages_populate_while_killed(test, sgt);
	KUNIT_EXPECT_FALSE(test, mapping_unevictable(filp->f_mapping));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_populate(sgt));
}

/* The same for the sources of drivers. */
static void pages_of_others_end_with_a_fatal_signal(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct page **pages = pages_alloc_array(test, PAGES_NR);
	void *buf = vmalloc(PAGES_NR * PAGE_SIZE);
	struct drm_sgt *sgt;

	sgt = drm_sgt_create_pages(d->sdev, pages, PAGES_NR);
	if (IS_ERR(sgt))
		pages_free_array(pages, PAGES_NR);
	drm_sgt_kunit_free_later(test, sgt);
	pages_populate_while_killed(test, sgt);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_populate(sgt));

	KUNIT_ASSERT_NOT_NULL(test, buf);
	sgt = drm_sgt_create_vmalloc(d->sdev, buf, PAGES_NR * PAGE_SIZE);
	if (IS_ERR(sgt))
		vfree(buf);
	drm_sgt_kunit_free_later(test, sgt);
	pages_populate_while_killed(test, sgt);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_populate(sgt));
}

static struct kunit_case drm_sgt_pages_cases[] = {
	KUNIT_CASE(pages_of_vmalloc),
	KUNIT_CASE(pages_of_vmalloc_refuses_other_memory),
	KUNIT_CASE(pages_of_vmalloc_that_is_too_short),
	KUNIT_CASE(pages_of_array),
	KUNIT_CASE(pages_of_array_refuses_bad_numbers),
	KUNIT_CASE(pages_of_shmem),
	KUNIT_CASE(pages_of_shmem_stay_with_the_file),
	KUNIT_CASE(pages_of_shmem_stay_with_a_second_file),
	KUNIT_CASE_PARAM(pages_of_shmem_leave_the_file_evictable, pages_locked_gen_params),
	KUNIT_CASE(pages_of_own_shmem_are_not_evictable),
	KUNIT_CASE(pages_of_shmem_go_with_the_table),
	KUNIT_CASE(pages_of_shmem_survive_the_device),
	KUNIT_CASE(pages_of_shmem_file_that_is_too_short),
	KUNIT_CASE(pages_of_shmem_end_with_a_fatal_signal),
	KUNIT_CASE(pages_of_others_end_with_a_fatal_signal),
	{}
};

static struct kunit_suite drm_sgt_pages_suite = {
	.name = "drm_sgt_pages",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_sgt_pages_cases,
};

kunit_test_suite(drm_sgt_pages_suite);
