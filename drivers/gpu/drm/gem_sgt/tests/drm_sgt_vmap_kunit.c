// SPDX-License-Identifier: GPL-2.0

#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "drm_sgt_kunit_exporter.h"

/*
 * Kernel mappings of a table: they have the bytes of the table, which keeps its pages
 * as long as they exist.
 */

#define VMAP_PAGES	7
#define VMAP_SIZE	(VMAP_PAGES * PAGE_SIZE)

struct vmap_fixture {
	struct kunit *test;
	struct drm_sgt_kunit_device *d;
	struct file *filp;
	struct drm_sgt *sgt;
};

/* Create an EMPTY table of a filled file. */
static struct vmap_fixture vmap_fixture_create(struct kunit *test)
{
	struct vmap_fixture f = {
		.test = test,
		.d = drm_sgt_kunit_bind(test),
		.filp = drm_sgt_kunit_shmem_file(test, VMAP_PAGES),
	};

	drm_sgt_kunit_fill_file(test, f.filp, 1);
	f.sgt = drm_sgt_create_shmem(f.d->sdev, f.filp, 0, VMAP_SIZE);
	drm_sgt_kunit_free_later(test, f.sgt);
	return f;
}

/* Expect the bytes of drm_sgt_kunit_fill_file(). */
static void vmap_check(struct kunit *test, const struct iosys_map *map, u8 seed)
{
	unsigned int i;

	KUNIT_ASSERT_FALSE(test, map->is_iomem);
	for (i = 0; i < VMAP_PAGES; i++)
		KUNIT_EXPECT_NULL_MSG(test, memchr_inv(map->vaddr + i * PAGE_SIZE,
						       drm_sgt_kunit_file_byte(i, seed),
						       PAGE_SIZE), "page %u", i);
}

static void vmap_fill(const struct iosys_map *map, u8 seed)
{
	unsigned int i;

	for (i = 0; i < VMAP_PAGES; i++)
		memset(map->vaddr + i * PAGE_SIZE, drm_sgt_kunit_file_byte(i, seed), PAGE_SIZE);
}

static void vmap_do_nothing(struct vmap_fixture *f)
{
}

static void vmap_do_populate(struct vmap_fixture *f)
{
	KUNIT_ASSERT_EQ(f->test, 0, drm_sgt_populate(f->sgt));
}

static void vmap_do_map(struct vmap_fixture *f)
{
	vmap_do_populate(f);
	KUNIT_ASSERT_EQ(f->test, 0, drm_sgt_map(f->sgt, DMA_BIDIRECTIONAL));
}

static void vmap_do_unbind(struct vmap_fixture *f)
{
	drm_sgt_kunit_unbind(f->d);
}

static void vmap_do_map_and_unbind(struct vmap_fixture *f)
{
	vmap_do_map(f);
	drm_sgt_kunit_unbind(f->d);
}

static const struct vmap_state {
	const char *name;
	void (*enter)(struct vmap_fixture *f);
	enum drm_sgt_state state;
} vmap_states[] = {
	{ "empty", vmap_do_nothing, DRM_SGT_BACKED },
	{ "backed", vmap_do_populate, DRM_SGT_BACKED },
	{ "mapped", vmap_do_map, DRM_SGT_MAPPED },
	{ "empty, after unbind", vmap_do_unbind, DRM_SGT_BACKED },
	{ "backed, after unbind", vmap_do_map_and_unbind, DRM_SGT_BACKED },
};

KUNIT_ARRAY_PARAM_DESC(vmap_state, vmap_states, name);

/* The mapping and the file have the same bytes. A depopulate is refused meanwhile. */
static void vmap_in_each_state(struct kunit *test)
{
	const struct vmap_state *state = test->param_value;
	struct vmap_fixture f = vmap_fixture_create(test);
	struct iosys_map map;

	state->enter(&f);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_vmap(f.sgt, &map));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f.sgt), state->state);
	vmap_check(test, &map, 1);
	vmap_fill(&map, 2);
	drm_sgt_kunit_check_file(test, f.filp, 2);

	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_depopulate(f.sgt));
	vmap_check(test, &map, 2);

	drm_sgt_vunmap(f.sgt, &map);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));
	/* Does nothing to a clear map. */
	drm_sgt_vunmap(f.sgt, &map);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(f.sgt));
	drm_sgt_kunit_check_file(test, f.filp, 2);
}

/* A mapping that exists continues to work after an unbind. */
static void vmap_stays_over_an_unbind(struct kunit *test)
{
	struct vmap_fixture f = vmap_fixture_create(test);
	struct iosys_map map;

	vmap_do_map(&f);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_vmap(f.sgt, &map));
	vmap_do_unbind(&f);
	vmap_check(test, &map, 1);
	vmap_fill(&map, 2);
	drm_sgt_kunit_check_file(test, f.filp, 2);
	drm_sgt_vunmap(f.sgt, &map);
}

/* Each call creates a mapping. The end of one does not end the other. */
static void vmap_twice(struct kunit *test)
{
	struct vmap_fixture f = vmap_fixture_create(test);
	struct iosys_map one, two;

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_vmap(f.sgt, &one));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_vmap(f.sgt, &two));
	KUNIT_EXPECT_PTR_NE(test, one.vaddr, two.vaddr);
	vmap_fill(&one, 2);
	drm_sgt_vunmap(f.sgt, &one);

	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_depopulate(f.sgt));
	vmap_check(test, &two, 2);
	drm_sgt_vunmap(f.sgt, &two);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(f.sgt));
}

/* Two runs of two pages are mapped in the order of the table. */
static void vmap_of_runs(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct page **pages = kvmalloc_array(4, sizeof(*pages), GFP_KERNEL);
	struct page *block = alloc_pages(GFP_KERNEL, 2);
	struct iosys_map map;
	struct drm_sgt *sgt;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_ASSERT_NOT_NULL(test, block);
	split_page(block, 2);
	for (i = 0; i < 4; i++) {
		pages[i] = block + (i ^ 2);
		memset(page_address(pages[i]), 0x60 + i, PAGE_SIZE);
	}
	sgt = drm_sgt_create_pages(d->sdev, pages, 4);
	drm_sgt_kunit_free_later(test, sgt);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_vmap(sgt, &map));
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_NULL(test, memchr_inv(map.vaddr + i * PAGE_SIZE, 0x60 + i,
						   PAGE_SIZE));
	drm_sgt_vunmap(sgt, &map);
}

static const enum drm_sgt_kunit_exporter_kind vmap_exporters[] = {
	EXPORTER_PLAIN, EXPORTER_CACHED, EXPORTER_DYNAMIC,
};

static void vmap_exporter_desc(const enum drm_sgt_kunit_exporter_kind *kind, char *desc)
{
	static const char * const name[] = { "plain", "cached", "dynamic" };

	strscpy(desc, name[*kind], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(vmap_exporter, vmap_exporters, vmap_exporter_desc);

/* The exporter maps an import, without an attachment, even after an unbind. */
static void vmap_of_an_import(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct drm_sgt_kunit_exporter *e;
	struct iosys_map before, after;
	struct drm_sgt *sgt;

	e = drm_sgt_kunit_exporter_create(test, *(const int *)test->param_value, VMAP_SIZE,
					  d->dev);
	sgt = drm_sgt_create_import(d->sdev, e->buf);
	drm_sgt_kunit_free_later(test, sgt);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_vmap(sgt, &before));
	KUNIT_EXPECT_PTR_EQ(test, before.vaddr, e->mem);
	KUNIT_EXPECT_EQ(test, e->attaches, 0);
	drm_sgt_kunit_unbind(d);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_vmap(sgt, &after));
	KUNIT_EXPECT_PTR_EQ(test, after.vaddr, e->mem);
	KUNIT_EXPECT_EQ(test, e->vmaps, 1);

	drm_sgt_vunmap(sgt, &before);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&before));
	KUNIT_EXPECT_EQ(test, e->vmaps, 1);
	drm_sgt_vunmap(sgt, &after);
	KUNIT_EXPECT_EQ(test, e->vmaps, 0);
	KUNIT_EXPECT_EQ(test, e->attaches, 0);
}

static int vmap_nomem(void *arg)
{
	struct vmap_fixture *f = arg;
	struct iosys_map map;
	int ret;

	ret = drm_sgt_vmap(f->sgt, &map);
	KUNIT_EXPECT_EQ(f->test, iosys_map_is_null(&map), !!ret);
	drm_sgt_vunmap(f->sgt, &map);
	return ret;
}

static void vmap_check_nomem(void *arg, int ret)
{
	struct vmap_fixture *f = arg;

	if (ret)
		KUNIT_EXPECT_EQ(f->test, ret, -ENOMEM);
	KUNIT_EXPECT_EQ(f->test, 0, drm_sgt_depopulate(f->sgt));
	/* The next round starts without pages, too. */
	shmem_truncate_range(file_inode(f->filp), 0, -1);
}

/* A vmap that fails leaves no pin. */
static void vmap_without_memory(struct kunit *test)
{
	struct vmap_fixture f = vmap_fixture_create(test);

	mapping_set_gfp_mask(f.filp->f_mapping,
			     GFP_HIGHUSER | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	vmap_check_nomem(&f, 0);
	drm_sgt_kunit_nomem(test);
	/* A page each, the list of runs and that of entries, the array, and vmap(). */
	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, vmap_nomem, vmap_check_nomem, &f),
			VMAP_PAGES + 4);
}

static struct kunit_case drm_sgt_vmap_cases[] = {
	KUNIT_CASE_PARAM(vmap_in_each_state, vmap_state_gen_params),
	KUNIT_CASE(vmap_stays_over_an_unbind),
	KUNIT_CASE(vmap_twice),
	KUNIT_CASE(vmap_of_runs),
	KUNIT_CASE_PARAM(vmap_of_an_import, vmap_exporter_gen_params),
	KUNIT_CASE(vmap_without_memory),
	{}
};

static struct kunit_suite drm_sgt_vmap_suite = {
	.name = "drm_sgt_vmap",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_sgt_vmap_cases,
};

kunit_test_suite(drm_sgt_vmap_suite);
