// SPDX-License-Identifier: GPL-2.0

#include <kunit/test-bug.h>
#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/iosys-map.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/uaccess.h>

#include <drm/drm_prime.h>

#include "drm_gem_sgt_kunit_helpers.h"

/*
 * The use of GEM objects, before and after unbind: pins, mappings for the device, the
 * kernel and a process, and sharing with other devices.
 */

/* A pin allocates the pages, and each pin needs an unpin. */
static void gem_pin_counts(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_pin(bo));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(bo->sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, bo->pin_count, 1);
	KUNIT_EXPECT_EQ(test, bo->base.filp->f_mapping->nrpages, 5);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_pin(bo));
	KUNIT_EXPECT_EQ(test, bo->pin_count, 2);
	drm_gem_sgt_unpin(bo);
	drm_gem_sgt_unpin(bo);
	KUNIT_EXPECT_EQ(test, bo->pin_count, 0);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).mapped, 0);
}

/* A map gives pages and addresses; a second map changes nothing; after unbind it fails. */
static void gem_map_ends_with_the_device(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE), *late;

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(bo));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(bo->sgt), DRM_SGT_MAPPED);
	KUNIT_EXPECT_EQ(test, bo->sgt->dir, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(bo));
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).maps, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).bytes_mapped, GEM_KUNIT_SIZE);
	gem_kunit_each_page(test, bo, 3, true);

	drm_sgt_kunit_unbind(f->d);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(bo->sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).mapped, 0);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_gem_sgt_map(bo));
	gem_kunit_each_page(test, bo, 3, false);

	late = gem_kunit_bo(f, GEM_KUNIT_SIZE);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_gem_sgt_map(late));
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_pin(late));
	drm_gem_sgt_unpin(late);
}

static const bool gem_bound[] = { true, false };

static void gem_bound_desc(const bool *bound, char *desc)
{
	strscpy(desc, *bound ? "bound" : "after unbind", KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(gem_bound, gem_bound, gem_bound_desc);

/*
 * A write through the kernel address changes the pages, and a write to the pages is seen
 * there. Two users share one address. An unbind changes none of this.
 */
static void gem_vmap_shows_the_pages(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);
	struct iosys_map one, two;

	if (!*(const bool *)test->param_value)
		drm_sgt_kunit_unbind(f->d);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap(&bo->base, &one));
	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap(&bo->base, &two));
	KUNIT_EXPECT_PTR_EQ(test, one.vaddr, two.vaddr);
	KUNIT_EXPECT_EQ(test, bo->vmap_count, 2);
	KUNIT_EXPECT_EQ(test, bo->pin_count, 1);
	KUNIT_EXPECT_NULL(test, memchr_inv(one.vaddr, 0, GEM_KUNIT_SIZE));

	gem_kunit_fill(one.vaddr, GEM_KUNIT_SIZE, 1);
	gem_kunit_each_page(test, bo, 1, false);
	drm_gem_vunmap(&bo->base, &one);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&one));
	KUNIT_EXPECT_EQ(test, bo->vmap_count, 1);

	gem_kunit_each_page(test, bo, 2, true);
	KUNIT_EXPECT_EQ(test, gem_kunit_check(two.vaddr, 0, GEM_KUNIT_SIZE, 2), GEM_KUNIT_SIZE);
	drm_gem_vunmap(&bo->base, &two);
	KUNIT_EXPECT_EQ(test, bo->vmap_count, 0);
	KUNIT_EXPECT_EQ(test, bo->pin_count, 0);
	KUNIT_EXPECT_NULL(test, bo->vaddr);
	gem_kunit_each_page(test, bo, 2, false);
}

/* A kernel address stays valid after an unbind. */
static void gem_vmap_stays_over_an_unbind(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);
	struct iosys_map map;

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(bo));
	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap(&bo->base, &map));
	gem_kunit_fill(map.vaddr, GEM_KUNIT_SIZE, 4);
	drm_sgt_kunit_unbind(f->d);
	KUNIT_EXPECT_EQ(test, gem_kunit_check(map.vaddr, 0, GEM_KUNIT_SIZE, 4), GEM_KUNIT_SIZE);
	gem_kunit_fill(map.vaddr, GEM_KUNIT_SIZE, 5);
	gem_kunit_each_page(test, bo, 5, false);
	drm_gem_vunmap(&bo->base, &map);
}

/*
 * Check the bytes that a device reads through @table. The devices here have neither an
 * IOMMU nor bounce buffers, so their addresses are physical ones.
 */
static void gem_check_as_device(struct kunit *test, const struct sg_table *table, u8 seed)
{
	const struct drm_dma_view view = drm_dma_view_borrow(table);
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	size_t pos = 0;

	KUNIT_ASSERT_EQ(test, 0, drm_dma_iter_init(&iter, view, 0, GEM_KUNIT_SIZE));
	while (drm_dma_iter_next(&iter, &seg))
		for (; seg.len; seg.len -= PAGE_SIZE, seg.addr += PAGE_SIZE) {
			u8 *p = kmap_local_page(pfn_to_page(PHYS_PFN(seg.addr)));
			size_t i = gem_kunit_check(p, pos, pos + PAGE_SIZE, seed);

			kunmap_local(p);
			pos += PAGE_SIZE;
			KUNIT_EXPECT_EQ(test, i, pos);
		}
	KUNIT_EXPECT_EQ(test, drm_dma_view_size(view), GEM_KUNIT_SIZE);
}

/*
 * An importer gets the pages, mapped for its own device, and keeps them after the unbind
 * of the exporter. A later importer gets them as well.
 */
static void gem_importer_gets_the_pages(struct kunit *test)
{
	bool bound = *(const bool *)test->param_value;
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);
	struct dma_buf *buf = gem_export(f, bo);
	struct dma_buf_attachment *attach;
	struct sg_table *table;

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(bo));
	if (!bound)
		drm_sgt_kunit_unbind(f->d);
	attach = gem_attach(test, buf);
	KUNIT_EXPECT_EQ(test, bo->pin_count, 1);
	table = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(table))
		dma_buf_detach(buf, attach);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, table);
	if (bound)
		drm_sgt_kunit_unbind(f->d);

	KUNIT_EXPECT_EQ(test, 0, dma_buf_begin_cpu_access(buf, DMA_BIDIRECTIONAL));
	gem_kunit_each_page(test, bo, 6, true);
	KUNIT_EXPECT_EQ(test, 0, dma_buf_end_cpu_access(buf, DMA_BIDIRECTIONAL));
	gem_check_as_device(test, table, 6);
	dma_buf_unmap_attachment_unlocked(attach, table, DMA_BIDIRECTIONAL);
	dma_buf_detach(buf, attach);
	KUNIT_EXPECT_EQ(test, bo->pin_count, 0);
}

/* A dma-buf that is the last user keeps the object, its pages and its bytes. */
static void gem_dma_buf_keeps_the_object(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver_with_objects);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);
	struct dma_buf *buf = gem_export(f, bo);
	struct iosys_map map;

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(bo));
	gem_kunit_each_page(test, bo, 7, true);
	gem_kunit_bo_free(f, bo);
	drm_sgt_kunit_unbind(f->d);
	KUNIT_EXPECT_EQ(test, f->objects, 1);

	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(buf, &map));
	KUNIT_EXPECT_EQ(test, gem_kunit_check(map.vaddr, 0, GEM_KUNIT_SIZE, 7), GEM_KUNIT_SIZE);
	dma_buf_vunmap_unlocked(buf, &map);
	kunit_release_action(test, gem_dma_buf_put, buf);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(!READ_ONCE(f->objects)));
}

/* The table of an importer is a copy, as the mapping of ours may change meanwhile. */
static void gem_get_sg_table_is_a_copy(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);
	struct sg_page_iter pages;
	struct sg_table *copy;
	size_t n = 0;

	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR_OR_ZERO(drm_gem_sgt_get_sg_table(bo)));
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(bo));
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_pin(bo));
	gem_kunit_each_page(test, bo, 8, true);
	copy = drm_gem_sgt_get_sg_table(bo);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, copy);
	drm_sgt_kunit_unbind(f->d);
	for_each_sgtable_page(copy, &pages, 0) {
		u8 *p = kmap_local_page(sg_page_iter_page(&pages));

		KUNIT_EXPECT_EQ(test, gem_kunit_check(p, n, n + PAGE_SIZE, 8), n + PAGE_SIZE);
		kunmap_local(p);
		n += PAGE_SIZE;
	}
	KUNIT_EXPECT_EQ(test, n, GEM_KUNIT_SIZE);
	sg_free_table(copy);
	kfree(copy);
	drm_gem_sgt_unpin(bo);
	gem_kunit_each_page(test, bo, 8, false);
}

/*
 * A process that maps the dma-buf sees the pages, before and after an unbind. Faults leave
 * no reference behind.
 */
static void gem_mmap_shows_the_pages(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);
	struct dma_buf *buf = gem_export(f, bo);
	u8 *p = kunit_kzalloc(test, GEM_KUNIT_SIZE, GFP_KERNEL);
	unsigned long addr;
	struct page *first;
	int refs;

	KUNIT_ASSERT_NOT_NULL(test, p);
	if (!*(const bool *)test->param_value)
		drm_sgt_kunit_unbind(f->d);
	addr = gem_user_map_shared(test, buf);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(bo->sgt), DRM_SGT_BACKED);
	first = sg_page(bo->sgt->table.sgl);
	drm_sgt_kunit_flush_batches(test);
	refs = page_count(first);

	gem_kunit_fill(p, GEM_KUNIT_SIZE, 9);
	KUNIT_EXPECT_EQ(test, 0, copy_to_user((void __user *)addr, p, GEM_KUNIT_SIZE));
	gem_kunit_each_page(test, bo, 9, false);
	if (f->d->bound)
		drm_sgt_kunit_unbind(f->d);
	gem_kunit_each_page(test, bo, 10, true);
	gem_user_check(test, addr, 0, 10);

	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr, GEM_KUNIT_SIZE));
	drm_sgt_kunit_flush_batches(test);
	KUNIT_EXPECT_EQ(test, page_count(first), refs);
}

/* When the start of a VMA is unmapped, the rest of it still has the right pages. */
static void gem_mmap_without_its_start(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);
	struct dma_buf *buf = gem_export(f, bo);
	unsigned long addr = gem_user_map_shared(test, buf);

	gem_kunit_each_page(test, bo, 11, true);
	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr, 2 * PAGE_SIZE));
	gem_user_check(test, addr, 2 * PAGE_SIZE, 11);
	KUNIT_EXPECT_EQ(test, 0,
			vm_munmap(addr + 2 * PAGE_SIZE, GEM_KUNIT_SIZE - 2 * PAGE_SIZE));
}

#define GEM_FAULT_PAGES	40

/* The rest of a VMA, where a fault hits it, and the pages that the fault maps */
static const struct gem_fault {
	const char *name;
	unsigned long start, end;
	unsigned long touch;
	unsigned long first, last;
} gem_faults[] = {
	{ "whole", 0, 40, 20, 16, 31 },
	{ "first page", 0, 40, 0, 0, 15 },
	{ "end of the object", 0, 40, 39, 32, 39 },
	{ "no start", 18, 40, 31, 18, 31 },
	{ "no end", 0, 27, 16, 16, 26 },
	{ "middle", 20, 22, 21, 20, 21 },
	{ "one page", 15, 16, 15, 15, 15 },
};

KUNIT_ARRAY_PARAM_DESC(gem_faults, gem_faults, name);

static void gem_user_unmap(struct kunit *test, unsigned long addr, unsigned long start,
			   unsigned long end)
{
	if (start < end)
		KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr + start * PAGE_SIZE,
						   (end - start) * PAGE_SIZE));
}

/*
 * A fault maps the pages around it, the right ones and no others, before and after unbind.
 * It takes no reference to them.
 */
static void gem_fault_maps_the_neighbours(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_FAULT_PAGES * PAGE_SIZE);
	const struct gem_fault *c = test->param_value;
	unsigned long addr = gem_user_map_shared(test, gem_export(f, bo)), i;
	struct address_space *mapping = bo->base.filp->f_mapping;

	drm_sgt_kunit_unbind(f->d);
	gem_user_unmap(test, addr, 0, c->start);
	gem_user_unmap(test, addr, c->end, GEM_FAULT_PAGES);
	drm_sgt_kunit_flush_batches(test);
	KUNIT_EXPECT_EQ(test, 0, put_user(1, (u8 __user *)(addr + c->touch * PAGE_SIZE)));

	for (i = 0; i < GEM_FAULT_PAGES; i++) {
		struct page *page = shmem_read_mapping_page(mapping, i);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, page);
		KUNIT_EXPECT_PTR_EQ_MSG(test, gem_user_page(addr + i * PAGE_SIZE),
					i < c->first || i > c->last ? NULL : page,
					"page %lu", i);
		/* References of the page cache, the table and this loop */
		KUNIT_EXPECT_EQ(test, page_count(page), 3);
		put_page(page);
	}
	gem_user_unmap(test, addr, c->start, c->end);
}

/*
 * A pin, a kernel mapping and an importer keep the pages. After the last of these users,
 * the table can give the pages back, and the bytes stay in the file.
 */
static void gem_users_keep_the_pages(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);
	struct dma_buf *buf = gem_export(f, bo);
	struct dma_buf_attachment *attach;
	struct iosys_map map;

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_pin(bo));
	gem_kunit_each_page(test, bo, 12, true);
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_depopulate(bo->sgt));
	drm_gem_sgt_unpin(bo);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(bo->sgt));

	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap(&bo->base, &map));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_depopulate(bo->sgt));
	KUNIT_EXPECT_EQ(test, gem_kunit_check(map.vaddr, 0, GEM_KUNIT_SIZE, 12), GEM_KUNIT_SIZE);
	drm_gem_vunmap(&bo->base, &map);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(bo->sgt));

	attach = gem_attach(test, buf);
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_depopulate(bo->sgt));
	dma_buf_detach(buf, attach);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(bo->sgt));
}

/*
 * A VMA does not keep the pages: when they are given back, its PTEs are zapped, all of
 * them, and a fault gets the pages and the bytes again. An unbind changes nothing.
 */
static void gem_mmap_gets_the_pages_again(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);
	unsigned long addr = gem_user_map_shared(test, gem_export(f, bo)), i;

	gem_kunit_each_page(test, bo, 13, true);
	gem_user_check(test, addr, 0, 13);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_depopulate(bo->sgt));
	for (i = 0; i < GEM_KUNIT_SIZE; i += PAGE_SIZE)
		KUNIT_EXPECT_NULL(test, gem_user_page(addr + i));
	if (!*(const bool *)test->param_value)
		drm_sgt_kunit_unbind(f->d);

	gem_user_check(test, addr, 0, 13);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(bo->sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr, GEM_KUNIT_SIZE));
}

/* A private mmap is refused, as its writes would not reach the buffer. */
static void gem_mmap_refuses_private_mappings(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);
	struct dma_buf *buf = gem_export(f, bo);
	unsigned int refs = kref_read(&bo->base.refcount);

	KUNIT_EXPECT_EQ(test, (long)gem_user_map(test, buf, MAP_PRIVATE), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(bo->sgt), DRM_SGT_EMPTY);
	KUNIT_EXPECT_EQ(test, kref_read(&bo->base.refcount), refs);
}

static int gem_nomem_vmap(void *arg)
{
	struct drm_gem_sgt_object *bo = arg;
	struct iosys_map map;
	int ret;

	ret = drm_gem_vmap(&bo->base, &map);
	if (!ret)
		drm_gem_vunmap(&bo->base, &map);
	return ret;
}

static void gem_nomem_check_vmap(void *arg, int ret)
{
	struct drm_gem_sgt_object *bo = arg;
	struct kunit *test = kunit_get_current_test();

	if (ret)
		KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
	KUNIT_EXPECT_EQ(test, bo->vmap_count, 0);
	KUNIT_EXPECT_EQ(test, bo->pin_count, 0);
	KUNIT_EXPECT_NULL(test, bo->vaddr);
	/* The next round starts without pages, too. */
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(bo->sgt));
	shmem_truncate_range(file_inode(bo->base.filp), 0, -1);
}

/* A vmap that runs out of memory leaves no pin. */
static void gem_vmap_without_memory(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);

	drm_sgt_kunit_nomem(test);
	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, gem_nomem_vmap,
						  gem_nomem_check_vmap, bo), 8);
}

static struct kunit_case drm_gem_sgt_share_cases[] = {
	KUNIT_CASE(gem_pin_counts),
	KUNIT_CASE(gem_map_ends_with_the_device),
	KUNIT_CASE_PARAM(gem_vmap_shows_the_pages, gem_bound_gen_params),
	KUNIT_CASE(gem_vmap_stays_over_an_unbind),
	KUNIT_CASE_PARAM(gem_importer_gets_the_pages, gem_bound_gen_params),
	KUNIT_CASE(gem_dma_buf_keeps_the_object),
	KUNIT_CASE(gem_get_sg_table_is_a_copy),
	KUNIT_CASE_PARAM(gem_mmap_shows_the_pages, gem_bound_gen_params),
	KUNIT_CASE(gem_mmap_without_its_start),
	KUNIT_CASE_PARAM(gem_fault_maps_the_neighbours, gem_faults_gen_params),
	KUNIT_CASE(gem_users_keep_the_pages),
	KUNIT_CASE_PARAM(gem_mmap_gets_the_pages_again, gem_bound_gen_params),
	KUNIT_CASE(gem_mmap_refuses_private_mappings),
	KUNIT_CASE(gem_vmap_without_memory),
	{}
};

static struct kunit_suite drm_gem_sgt_share_suite = {
	.name = "drm_gem_sgt_share",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gem_sgt_share_cases,
};

kunit_test_suite(drm_gem_sgt_share_suite);
