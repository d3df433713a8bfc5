// SPDX-License-Identifier: GPL-2.0

#include <kunit/device.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/seq_file.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>

#include "drm_sgt_kunit_exporter.h"

/*
 * Out of memory: each operation is repeated, and each time another of its allocations
 * fails, from the first to the last. It must return -ENOMEM and leave nothing behind.
 */

struct nomem_ctx {
	struct kunit *test;
	struct drm_sgt_kunit_device *d;
	struct drm_sgt_kunit_source *source;
	struct drm_sgt *sgt;
	struct device *owner;
	struct file *filp;
	struct page **pages;
	struct drm_sgt_kunit_exporter *e;
};

static struct nomem_ctx *nomem_start(struct kunit *test)
{
	struct nomem_ctx *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->test = test;
	c->d = drm_sgt_kunit_bind(test);
	drm_sgt_kunit_nomem(test);
	return c;
}

/* 600 runs: several chunks of the list of runs, several of the list of entries. */
#define NOMEM_RUNS	600

static void nomem_make_source(struct nomem_ctx *c)
{
	struct drm_sgt_kunit_piece *piece;
	unsigned int i;

	piece = kunit_kcalloc(c->test, NOMEM_RUNS, sizeof(*piece), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(c->test, piece);
	for (i = 0; i < NOMEM_RUNS; i++)
		piece[i] = (struct drm_sgt_kunit_piece) { 0x1000 + 4 * i, 2 };
	c->source = drm_sgt_kunit_source_create(c->test, piece, NOMEM_RUNS);
}

/* create */

static int nomem_create(void *arg)
{
	struct nomem_ctx *c = arg;
	struct drm_sgt *sgt;

	sgt = drm_sgt_create(c->d->sdev, &drm_sgt_kunit_source_ops, c->source,
			     drm_sgt_kunit_source_size(c->source));
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	drm_sgt_free(sgt);
	return 0;
}

static void nomem_check_create(void *arg, int ret)
{
	struct nomem_ctx *c = arg;

	KUNIT_EXPECT_EQ(c->test, drm_sgt_kunit_stats(c->d->sdev).tables, 0);
	KUNIT_EXPECT_EQ(c->test, c->source->releases, !ret);
	/* The next round counts from 0 again. */
	c->source->releases = 0;
	if (ret)
		KUNIT_EXPECT_EQ(c->test, ret, -ENOMEM);
}

/* After a failed create, the caller still has the source. */
static void nomem_creating_a_table(struct kunit *test)
{
	struct nomem_ctx *c = nomem_start(test);

	nomem_make_source(c);
	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, nomem_create,
						  nomem_check_create, c), 1);
}

/* create_pages */

/* An array of one page. */
static void nomem_make_pages(struct nomem_ctx *c)
{
	c->pages = kvmalloc_array(1, sizeof(*c->pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(c->test, c->pages);
	c->pages[0] = alloc_page(GFP_KERNEL);
	if (!c->pages[0])
		kvfree(c->pages);
	KUNIT_ASSERT_NOT_NULL(c->test, c->pages[0]);
}

static int nomem_create_pages(void *arg)
{
	struct nomem_ctx *c = arg;
	struct drm_sgt *sgt = drm_sgt_create_pages(c->d->sdev, c->pages, 1);

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	drm_sgt_free(sgt);
	return 0;
}

static void nomem_check_create_pages(void *arg, int ret)
{
	struct nomem_ctx *c = arg;

	KUNIT_EXPECT_EQ(c->test, drm_sgt_kunit_stats(c->d->sdev).tables, 0);
	if (!ret) {
		nomem_make_pages(c);
		return;
	}
	KUNIT_EXPECT_EQ(c->test, ret, -ENOMEM);
	KUNIT_EXPECT_EQ(c->test, page_count(c->pages[0]), 1);
}

/* The same for an array of pages: the caller keeps the array and the references. */
static void nomem_creating_a_table_of_pages(struct kunit *test)
{
	struct nomem_ctx *c = nomem_start(test);

	nomem_make_pages(c);
	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, nomem_create_pages,
						  nomem_check_create_pages, c), 2);
	put_page(c->pages[0]);
	kvfree(c->pages);
}

/* populate */

static int nomem_populate(void *arg)
{
	struct nomem_ctx *c = arg;

	return drm_sgt_populate(c->sgt);
}

/* The table leaves no reference to a page: neither to the first, nor to the failed one. */
static void nomem_check_shmem(struct nomem_ctx *c)
{
	struct address_space *mapping = c->filp->f_mapping;
	unsigned long nr = mapping->nrpages;
	struct page *pages[2];
	unsigned int i;

	KUNIT_EXPECT_FALSE(c->test, mapping_unevictable(mapping));
	for (i = 0; i < 2; i++) {
		pages[i] = shmem_read_mapping_page(mapping, i && nr ? nr - 1 : 0);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(c->test, pages[i]);
	}
	/* The next round starts without pages, too. */
	shmem_truncate_range(file_inode(c->filp), 0, -1);
	KUNIT_EXPECT_EQ(c->test, mapping->nrpages, 0);
	drm_sgt_kunit_flush_batches(c->test);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(c->test, page_count(pages[i]), pages[0] == pages[1] ? 2 - i : 1);
		put_page(pages[i]);
	}
}

static void nomem_check_populate(void *arg, int ret)
{
	struct nomem_ctx *c = arg;
	struct drm_sgt_info info;

	if (ret) {
		KUNIT_EXPECT_EQ(c->test, ret, -ENOMEM);
	} else {
		KUNIT_EXPECT_EQ(c->test, drm_sgt_get_state(c->sgt), DRM_SGT_BACKED);
		KUNIT_EXPECT_EQ(c->test, 0, drm_sgt_depopulate(c->sgt));
	}
	drm_sgt_get_info(c->sgt, &info);
	KUNIT_EXPECT_EQ(c->test, info.state, DRM_SGT_EMPTY);
	KUNIT_EXPECT_EQ(c->test, info.runs, 0);
	KUNIT_EXPECT_EQ(c->test, info.folios, 0);
	KUNIT_EXPECT_EQ(c->test, info.cpu_ents, 0);
	if (c->source)
		KUNIT_EXPECT_EQ(c->test, c->source->pages_out, 0);
	if (c->filp)
		nomem_check_shmem(c);
}

/* Pages that were added before a failure are put, each one once. */
static void nomem_populating_a_table(struct kunit *test)
{
	struct nomem_ctx *c = nomem_start(test);

	nomem_make_source(c);
	c->sgt = drm_sgt_kunit_sgt(test, c->d->sdev, c->source);
	/* The list of runs and the list of entries, each in several parts. */
	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, nomem_populate,
						  nomem_check_populate, c), 4);
}

/* The same for shmem, where populate also allocates the pages. */
static void nomem_populating_a_table_from_shmem(struct kunit *test)
{
	struct nomem_ctx *c = nomem_start(test);

	c->filp = shmem_file_setup("kunit", SZ_64K, mk_vma_flags(VMA_NORESERVE_BIT));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c->filp);
	c->sgt = drm_sgt_create_shmem(c->d->sdev, c->filp, 0, SZ_64K);
	/* The table keeps the file. */
	fput(c->filp);
	drm_sgt_kunit_free_later(test, c->sgt);
	mapping_set_gfp_mask(c->filp->f_mapping,
			     GFP_HIGHUSER | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);

	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, nomem_populate,
						  nomem_check_populate, c), 16);
}

/* dup_table */

static int nomem_dup(void *arg)
{
	struct nomem_ctx *c = arg;
	struct sg_table *copy = drm_sgt_dup_table(c->sgt, NULL);

	if (IS_ERR(copy))
		return PTR_ERR(copy);
	sg_free_table(copy);
	kfree(copy);
	return 0;
}

static void nomem_check_dup(void *arg, int ret)
{
	struct nomem_ctx *c = arg;

	KUNIT_EXPECT_EQ(c->test, drm_sgt_get_state(c->sgt), DRM_SGT_BACKED);
	if (ret)
		KUNIT_EXPECT_EQ(c->test, ret, -ENOMEM);
}

/* A failed copy does not change the original. */
static void nomem_copying_a_table(struct kunit *test)
{
	struct nomem_ctx *c = nomem_start(test);

	nomem_make_source(c);
	c->sgt = drm_sgt_kunit_sgt(test, c->d->sdev, c->source);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_pin_pages(c->sgt));
	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, nomem_dup,
						  nomem_check_dup, c), 3);
	drm_sgt_unpin_pages(c->sgt);
}

/* import */

static int nomem_import(void *arg)
{
	struct nomem_ctx *c = arg;
	struct drm_sgt *sgt = drm_sgt_create_import(c->d->sdev, c->e->buf);
	int ret;

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	ret = drm_sgt_map(sgt, DMA_BIDIRECTIONAL);
	drm_sgt_free(sgt);
	return ret;
}

static void nomem_check_import(void *arg, int ret)
{
	struct nomem_ctx *c = arg;

	if (ret)
		KUNIT_EXPECT_EQ(c->test, ret, -ENOMEM);
	KUNIT_EXPECT_EQ(c->test, c->e->attaches, c->e->detaches);
	KUNIT_EXPECT_EQ(c->test, c->e->maps, c->e->unmaps);
	KUNIT_EXPECT_EQ(c->test, c->e->pins, c->e->unpins);
	KUNIT_EXPECT_EQ(c->test, file_count(c->e->buf->file), 1);
	KUNIT_EXPECT_EQ(c->test, drm_sgt_kunit_stats(c->d->sdev).tables, 0);
}

static const enum drm_sgt_kunit_exporter_kind nomem_exporters[] = {
	EXPORTER_PLAIN, EXPORTER_CACHED, EXPORTER_DYNAMIC,
};

/* After any failed allocation of an import, no attachment and no reference is left. */
static void nomem_importing(struct kunit *test)
{
	struct nomem_ctx *c = nomem_start(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nomem_exporters); i++) {
		c->e = drm_sgt_kunit_exporter_create(test, nomem_exporters[i],
						     6 * PAGE_SIZE, c->d->dev);
		/*
		 * The table, the attachment, two of the exporter, and the map. A debug
		 * checker that allocates only in the first round can hide one.
		 */
		KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, nomem_import,
							  nomem_check_import, c), 3);
	}
}

/* devices */

static unsigned int nomem_count_devices(struct kunit *test)
{
	struct seq_file m = { .size = SZ_16K };
	unsigned int lines = 0;
	char *p;

	m.buf = kunit_kzalloc(test, SZ_16K, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	drm_sgt_device_show_all(&m);
	for (p = m.buf; *p; p++)
		lines += *p == '\n';
	kunit_kfree(test, m.buf);
	return lines - 1;
}

static int nomem_create_device(void *arg)
{
	struct nomem_ctx *c = arg;
	struct drm_sgt_device *sdev = devm_drm_sgt_device_create(c->owner, c->d->dev);

	return PTR_ERR_OR_ZERO(sdev);
}

static void nomem_check_create_device(void *arg, int ret)
{
	struct nomem_ctx *c = arg;
	unsigned int refs;

	device_link_wait_removal();
	refs = kref_read(&c->d->dev->kobj.kref);
	/* The device of the fixture, and the new one. */
	KUNIT_EXPECT_EQ(c->test, nomem_count_devices(c->test), 1 + !ret);
	if (ret) {
		KUNIT_EXPECT_EQ(c->test, ret, -ENOMEM);
		return;
	}
	device_release_driver(c->owner);
	device_link_wait_removal();
	/* References of the new device, and of the link. */
	KUNIT_EXPECT_EQ(c->test, kref_read(&c->d->dev->kobj.kref), refs - 2);
	KUNIT_EXPECT_EQ(c->test, nomem_count_devices(c->test), 1);
	KUNIT_EXPECT_EQ(c->test, device_attach(c->owner), 1);
}

/* A failed create of a device lists nothing, and leaks no reference to another device. */
static void nomem_creating_a_device(struct kunit *test)
{
	struct nomem_ctx *c = nomem_start(test);
	unsigned int refs;

	if (nomem_count_devices(test) != 1)
		kunit_skip(test, "other devices use the layer");
	c->owner = kunit_device_register(test, "owner");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c->owner);
	refs = kref_read(&c->d->dev->kobj.kref);
	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, nomem_create_device,
						  nomem_check_create_device, c), 2);
	KUNIT_EXPECT_EQ(test, kref_read(&c->d->dev->kobj.kref), refs);
}

static struct kunit_case drm_sgt_nomem_cases[] = {
	KUNIT_CASE(nomem_creating_a_table),
	KUNIT_CASE(nomem_creating_a_table_of_pages),
	KUNIT_CASE(nomem_populating_a_table),
	KUNIT_CASE(nomem_populating_a_table_from_shmem),
	KUNIT_CASE(nomem_copying_a_table),
	KUNIT_CASE(nomem_importing),
	KUNIT_CASE(nomem_creating_a_device),
	{}
};

static struct kunit_suite drm_sgt_nomem_suite = {
	.name = "drm_sgt_nomem",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_sgt_nomem_cases,
};

kunit_test_suite(drm_sgt_nomem_suite);
