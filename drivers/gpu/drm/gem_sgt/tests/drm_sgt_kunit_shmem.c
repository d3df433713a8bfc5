// SPDX-License-Identifier: GPL-2.0

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/shmem_fs.h>

#include "drm_sgt_kunit_helpers.h"

/*
 * Shmem files, and the pages of their page cache
 */

/* An action, which a case can release. */
void drm_sgt_kunit_fput(void *filp)
{
	fput(filp);
}

/* Create a file of @nr pages, none of them in the page cache. */
struct file *drm_sgt_kunit_shmem_file(struct kunit *test, unsigned long nr)
{
	struct file *filp = shmem_file_setup("kunit", nr * PAGE_SIZE,
					     mk_vma_flags(VMA_NORESERVE_BIT));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, drm_sgt_kunit_fput, filp));
	return filp;
}

/* A page of @filp, without a reference. Allocates it if it is not in the page cache. */
struct page *drm_sgt_kunit_cached_page(struct kunit *test, struct file *filp,
				       pgoff_t index)
{
	struct page *page = shmem_read_mapping_page(filp->f_mapping, index);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, page);
	/* The page cache keeps the page for the duration of a case. */
	put_page(page);
	return page;
}

/* The byte that fills a page, which differs from that of other pages. */
u8 drm_sgt_kunit_file_byte(pgoff_t index, u8 seed)
{
	return 31 * index + seed;
}

void drm_sgt_kunit_fill_file(struct kunit *test, struct file *filp, u8 seed)
{
	pgoff_t i, nr = i_size_read(file_inode(filp)) >> PAGE_SHIFT;

	for (i = 0; i < nr; i++)
		memset_page(drm_sgt_kunit_cached_page(test, filp, i), 0,
			    drm_sgt_kunit_file_byte(i, seed), PAGE_SIZE);
}

void drm_sgt_kunit_check_file(struct kunit *test, struct file *filp, u8 seed)
{
	pgoff_t i, nr = i_size_read(file_inode(filp)) >> PAGE_SHIFT;

	for (i = 0; i < nr; i++) {
		void *p = kmap_local_page(drm_sgt_kunit_cached_page(test, filp, i));

		KUNIT_EXPECT_NULL_MSG(test, memchr_inv(p, drm_sgt_kunit_file_byte(i, seed),
						       PAGE_SIZE), "page %lu", i);
		kunmap_local(p);
	}
}
