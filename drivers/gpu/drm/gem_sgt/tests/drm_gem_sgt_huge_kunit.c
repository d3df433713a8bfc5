// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/pgtable.h>
#include <linux/uaccess.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_vma_manager.h>

#include "drm_gem_sgt_kunit_helpers.h"
#include "../drm_gem_sgt_huge.h"
#include "../drm_sgt_table.h"

/* Objects of huge pages. Kernels without these, such as User Mode Linux, degrade. */

#define HUGE_PAGES	(PMD_SIZE / PAGE_SIZE)

static void huge_restore(void *was)
{
	WRITE_ONCE(drm_gem_sgt_huge_pages, !!was);
}

static void huge_set(struct kunit *test, bool on)
{
	void *was = drm_gem_sgt_huge_pages ? test : NULL;

	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, huge_restore, was));
	WRITE_ONCE(drm_gem_sgt_huge_pages, on);
}

static const struct huge_folios {
	const char *name;
	bool on;
	unsigned long huge, small;
} huge_folios[] = {
	{ "on", true, 2, 0 },
	{ "on, with a tail", true, 1, 3 },
	{ "on, too small", true, 0, HUGE_PAGES - 1 },
	{ "off", false, 0, HUGE_PAGES },
};

KUNIT_ARRAY_PARAM_DESC(huge_folios, huge_folios, name);

/* There are huge pages where they fit, and nowhere else; all bytes are there. */
static void huge_folios_where_they_fit(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	const struct huge_folios *c = test->param_value;
	unsigned long pages = c->huge * HUGE_PAGES + c->small;
	struct drm_gem_sgt_object *bo;
	struct drm_sgt_info info;

	huge_set(test, c->on);
	bo = gem_kunit_bo(f, pages * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(bo));
	drm_sgt_get_info(bo->sgt, &info);
	KUNIT_EXPECT_EQ(test, info.folios,
			has_transparent_hugepage() ? c->huge + c->small : pages);
	KUNIT_EXPECT_EQ(test, info.state, DRM_SGT_MAPPED);
	gem_kunit_each_page(test, bo, 1, true);

	/* The bytes stay in the file. */
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(bo->sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_depopulate(bo->sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(bo->sgt));
	gem_kunit_each_page(test, bo, 1, false);
}

/* An object that a process can map */
struct huge_map {
	struct kunit *test;
	struct gem_kunit *f;
	struct drm_gem_sgt_object *bo;
	u32 handle;
	/* What the process would have for the DRM file, which is left to the fixture */
	struct file *filp;
};

KUNIT_DEFINE_ACTION_WRAPPER(huge_fput, fput, struct file *);

static const struct file_operations huge_fops = {
	.mmap = drm_gem_mmap,
	.get_unmapped_area = drm_gem_sgt_get_unmapped_area,
};

/* The fake offset of the object is one page off. */
static struct huge_map huge_map_create(struct kunit *test, size_t size)
{
	struct huge_map c = { .test = test, .f = gem_kunit_create(test, &gem_kunit_driver) };
	struct drm_file *priv = gem_kunit_open(c.f);

	gem_kunit_bo(c.f, PAGE_SIZE);
	huge_set(test, true);
	c.bo = gem_kunit_bo(c.f, size);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_handle_create(priv, &c.bo->base, &c.handle));
	c.filp = anon_inode_getfile("kunit", &huge_fops, priv, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c.filp);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, huge_fput, c.filp));
	c.filp->f_mapping = c.f->drm->anon_inode->i_mapping;
	return c;
}

/* An address, or an errno */
static unsigned long huge_try_mmap(struct huge_map *c, unsigned long at, size_t size,
				   unsigned long flags)
{
	return kunit_vm_mmap(c->test, c->filp, at, size, PROT_READ | PROT_WRITE,
			     MAP_SHARED | flags, drm_vma_node_offset_addr(&c->bo->base.vma_node));
}

/*
 * An address that the mm chooses is aligned to the object, not to its fake offset. One
 * that the process chooses is taken.
 */
static void huge_mapping_is_aligned(struct kunit *test)
{
	size_t size = 2 * PMD_SIZE;
	struct huge_map c = huge_map_create(test, size);
	unsigned long addr, chosen;

	addr = huge_try_mmap(&c, 0, size, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	if (has_transparent_hugepage())
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED(addr, PMD_SIZE));
	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr, size));

	chosen = ALIGN(addr, PMD_SIZE) + PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, huge_try_mmap(&c, chosen, PMD_SIZE, 0), chosen);
	KUNIT_EXPECT_EQ(test, huge_try_mmap(&c, chosen, PMD_SIZE, MAP_FIXED), chosen);
	KUNIT_EXPECT_EQ(test, 0, vm_munmap(chosen, PMD_SIZE));
}

/* Objects without huge pages are mapped, and refused, as without the callback. */
static void huge_area_of_other_objects(struct kunit *test)
{
	struct huge_map c = huge_map_create(test, PAGE_SIZE);
	unsigned long addr = huge_try_mmap(&c, 0, PAGE_SIZE, 0);
	struct file *shmem = c.bo->base.filp;

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, (long)huge_try_mmap(&c, 0, 2 * PAGE_SIZE, 0), -EINVAL);

	/* As an import, which has no file */
	c.bo->base.filp = NULL;
	mmap_write_lock(current->mm);
	addr = drm_gem_sgt_get_unmapped_area(c.filp, 0, PAGE_SIZE,
					     drm_vma_node_start(&c.bo->base.vma_node), 0);
	mmap_write_unlock(current->mm);
	KUNIT_EXPECT_FALSE(test, IS_ERR_VALUE(addr));
	c.bo->base.filp = shmem;

	KUNIT_EXPECT_EQ(test, 0, drm_gem_handle_delete(c.filp->private_data, c.handle));
	KUNIT_EXPECT_EQ(test, (long)huge_try_mmap(&c, 0, PAGE_SIZE, 0), -EACCES);
	drm_gem_free_mmap_offset(&c.bo->base);
	KUNIT_EXPECT_EQ(test, (long)huge_try_mmap(&c, 0, PAGE_SIZE, 0), -EINVAL);
}

#define HUGE_FAULT_PAGES	(2 * HUGE_PAGES + 3)

/*
 * The page offset of the address from an aligned one, the rest of the VMA, where a fault
 * hits it, and the pages that the fault maps
 */
static const struct huge_fault {
	const char *name;
	unsigned long off, start, end;
	unsigned long touch;
	unsigned long first, last;
} huge_faults[] = {
	{ "first", 0, 0, HUGE_FAULT_PAGES, 0, 0, HUGE_PAGES - 1 },
	{ "second", 0, 0, HUGE_FAULT_PAGES, 2 * HUGE_PAGES - 1, HUGE_PAGES, 2 * HUGE_PAGES - 1 },
	{ "tail", 0, 0, HUGE_FAULT_PAGES, 2 * HUGE_PAGES + 1,
	  2 * HUGE_PAGES, 2 * HUGE_PAGES + 2 },
	{ "no start", 0, 1, HUGE_FAULT_PAGES, 5, 1, 15 },
	{ "whole after no start", 0, 1, HUGE_FAULT_PAGES, HUGE_PAGES,
	  HUGE_PAGES, 2 * HUGE_PAGES - 1 },
	{ "no end", 0, 0, HUGE_PAGES - 1, 17, 16, 31 },
	{ "address off", 1, 0, HUGE_FAULT_PAGES, HUGE_PAGES, HUGE_PAGES, HUGE_PAGES + 15 },
};

KUNIT_ARRAY_PARAM_DESC(huge_faults, huge_faults, name);

static void huge_require_pmds(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_ARCH_SUPPORTS_PMD_PFNMAP) || !has_transparent_hugepage())
		kunit_skip(test, "no huge pages in page tables");
}

/* An aligned address with an offset, in pages */
static unsigned long huge_mmap_off(struct huge_map *c, unsigned long off)
{
	size_t size = c->bo->base.size;
	unsigned long addr = huge_try_mmap(c, 0, size, 0);

	KUNIT_ASSERT_FALSE(c->test, IS_ERR_VALUE(addr));
	if (!off)
		return addr;
	KUNIT_ASSERT_EQ(c->test, 0, vm_munmap(addr, size));
	addr = huge_try_mmap(c, addr + off * PAGE_SIZE, size, MAP_FIXED);
	KUNIT_ASSERT_FALSE(c->test, IS_ERR_VALUE(addr));
	return addr;
}

static void huge_munmap(struct huge_map *c, unsigned long addr, unsigned long start,
			unsigned long end)
{
	if (start < end)
		KUNIT_EXPECT_EQ(c->test, 0, vm_munmap(addr + start * PAGE_SIZE,
						      (end - start) * PAGE_SIZE));
}

static void huge_touch(struct huge_map *c, unsigned long addr, unsigned long index)
{
	KUNIT_EXPECT_EQ(c->test, 0, put_user(1, (u8 __user *)(addr + index * PAGE_SIZE)));
}

/* The right pages are mapped from @first up to @last, and no others. */
static void huge_check(struct huge_map *c, unsigned long addr, unsigned long first,
		       unsigned long last)
{
	unsigned long i;

	for (i = 0; i < c->bo->base.size >> PAGE_SHIFT; i++) {
		struct page *page = drm_sgt_kunit_cached_page(c->test, c->bo->base.filp, i);

		KUNIT_EXPECT_PTR_EQ_MSG(c->test, gem_user_page(addr + i * PAGE_SIZE),
					i < first || i > last ? NULL : page, "page %lu", i);
	}
}

/* A fault maps the huge page that it hits, or small pages where that is not possible. */
static void huge_fault_maps_the_page(struct kunit *test)
{
	const struct huge_fault *p = test->param_value;
	struct huge_map c;
	unsigned long addr;

	huge_require_pmds(test);
	c = huge_map_create(test, HUGE_FAULT_PAGES * PAGE_SIZE);
	addr = huge_mmap_off(&c, p->off);
	huge_munmap(&c, addr, 0, p->start);
	huge_munmap(&c, addr, p->end, HUGE_FAULT_PAGES);
	huge_touch(&c, addr, p->touch);
	huge_check(&c, addr, p->first, p->last);
	huge_munmap(&c, addr, p->start, p->end);
}

/* As poison would do: not each kernel that runs this can poison pages. */
static bool huge_poison(struct folio *folio)
{
	return folio_test_large(folio);
}

/* A huge page with a poisoned one in it is not mapped as such: the others stay. */
static void huge_fault_with_poison(struct kunit *test)
{
	struct huge_map c;
	unsigned long addr;

	huge_require_pmds(test);
	c = huge_map_create(test, PMD_SIZE);
	addr = huge_mmap_off(&c, 0);
	kunit_activate_static_stub(test, drm_sgt_folio_is_poisoned, huge_poison);
	huge_touch(&c, addr, 20);
	kunit_deactivate_static_stub(test, drm_sgt_folio_is_poisoned);
	huge_check(&c, addr, 16, 31);
	huge_munmap(&c, addr, 0, HUGE_PAGES);
}

/* When the pages are given back, no part of a huge page stays mapped. */
static void huge_page_is_zapped(struct kunit *test)
{
	struct huge_map c;
	unsigned long addr;

	huge_require_pmds(test);
	c = huge_map_create(test, PMD_SIZE);
	addr = huge_mmap_off(&c, 0);
	huge_touch(&c, addr, 1);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_depopulate(c.bo->sgt));
	huge_check(&c, addr, 1, 0);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(c.bo->sgt), DRM_SGT_EMPTY);

	huge_touch(&c, addr, 1);
	huge_check(&c, addr, 0, HUGE_PAGES - 1);
	huge_munmap(&c, addr, 0, HUGE_PAGES);
}

static struct kunit_case drm_gem_sgt_huge_cases[] = {
	KUNIT_CASE_PARAM(huge_folios_where_they_fit, huge_folios_gen_params),
	KUNIT_CASE(huge_mapping_is_aligned),
	KUNIT_CASE(huge_area_of_other_objects),
	KUNIT_CASE_PARAM(huge_fault_maps_the_page, huge_faults_gen_params),
	KUNIT_CASE(huge_fault_with_poison),
	KUNIT_CASE(huge_page_is_zapped),
	{}
};

static struct kunit_suite drm_gem_sgt_huge_suite = {
	.name = "drm_gem_sgt_huge",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gem_sgt_huge_cases,
};

kunit_test_suite(drm_gem_sgt_huge_suite);
