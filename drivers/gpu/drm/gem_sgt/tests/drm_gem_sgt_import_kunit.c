// SPDX-License-Identifier: GPL-2.0

#include <kunit/test-bug.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_prime.h>

#include "drm_gem_sgt_kunit_helpers.h"
#include "drm_sgt_kunit_exporter.h"

/*
 * Imports of dma-bufs as GEM objects, and exports of GEM objects. The table of an import
 * is tested in drm_sgt_import_kunit.c.
 */

#define IMPORT_SIZE	(6 * PAGE_SIZE)

struct gem_import {
	struct kunit *test;
	struct gem_kunit *f;
	struct drm_sgt_kunit_exporter *e;
	struct drm_gem_object *obj;
	struct drm_gem_sgt_object *bo;
};

KUNIT_DEFINE_ACTION_WRAPPER(gem_import_put, drm_gem_object_put, struct drm_gem_object *);

static struct drm_gem_object *gem_import_try(struct gem_import *c)
{
	return drm_gem_sgt_prime_import(c->f->drm, c->f->d->sdev, c->e->buf, DMA_TO_DEVICE);
}

/* A device, and a dma-buf of another exporter. */
static struct gem_import gem_import_prepare(struct kunit *test,
					    const struct drm_driver *driver, size_t size)
{
	struct gem_import c = { .test = test };

	c.f = gem_kunit_create(test, driver);
	c.e = drm_sgt_kunit_exporter_create(test, EXPORTER_CACHED, size, c.f->d->dev);
	return c;
}

/* The same, and the object of its import. */
static struct gem_import gem_import_create(struct kunit *test)
{
	struct gem_import c = gem_import_prepare(test, &gem_kunit_driver_with_objects,
						 IMPORT_SIZE);

	c.obj = gem_import_try(&c);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c.obj);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, gem_import_put, c.obj));
	c.bo = to_drm_gem_sgt_obj(c.obj);
	return c;
}

static void gem_import_close(struct gem_import *c)
{
	kunit_release_action(c->test, gem_import_put, c->obj);
}

/* Expect that only the test has a reference to the dma-buf. */
static void gem_import_check_untouched(struct gem_import *c)
{
	drm_sgt_kunit_exporter_check(c->e, 0, 0);
	KUNIT_EXPECT_EQ(c->test, file_count(c->e->buf->file), 1);
	KUNIT_EXPECT_EQ(c->test, drm_sgt_kunit_stats(c->f->d->sdev).tables, 0);
	KUNIT_EXPECT_EQ(c->test, c->f->objects, 0);
}

/* Expect that the dma-buf was attached and mapped, and that both have ended. */
static void gem_import_check_undone(struct gem_import *c)
{
	KUNIT_EXPECT_EQ(c->test, c->e->attaches, c->e->detaches);
	KUNIT_EXPECT_EQ(c->test, c->e->maps, c->e->unmaps);
	KUNIT_EXPECT_EQ(c->test, file_count(c->e->buf->file), 1);
	KUNIT_EXPECT_EQ(c->test, drm_sgt_kunit_stats(c->f->d->sdev).tables, 0);
	KUNIT_EXPECT_EQ(c->test, c->f->objects, 0);
}

/* An import is mapped at once, and the core knows that it is one. */
static void gem_import_is_mapped_at_once(struct kunit *test)
{
	struct gem_import c = gem_import_create(test);

	KUNIT_EXPECT_TRUE(test, drm_gem_sgt_is_import(c.bo));
	KUNIT_EXPECT_EQ(test, c.obj->size, IMPORT_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, c.obj->resv, c.e->buf->resv);
	KUNIT_EXPECT_TRUE(test, drm_gem_is_imported(c.obj));
	KUNIT_EXPECT_NULL(test, c.obj->filp);
	KUNIT_EXPECT_PTR_EQ(test, c.obj->funcs, &gem_kunit_object_funcs);
	KUNIT_EXPECT_EQ(test, c.f->objects, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(c.bo->sgt), DRM_SGT_MAPPED);
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_map(c.bo));
	drm_sgt_kunit_exporter_check(c.e, 1, 0);

	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_pin(c.bo));
	drm_gem_sgt_unpin(c.bo);
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR_OR_ZERO(drm_gem_sgt_get_sg_table(c.bo)));

	gem_import_close(&c);
	KUNIT_EXPECT_EQ(test, c.f->objects, 0);
	drm_sgt_kunit_exporter_check(c.e, 1, 1);
	KUNIT_EXPECT_EQ(test, file_count(c.e->buf->file), 1);
}

/* The unbind unmaps and detaches; the object keeps the dma-buf until it is freed. */
static void gem_import_ends_with_the_device(struct kunit *test)
{
	struct gem_import c = gem_import_create(test);

	drm_sgt_kunit_exporter_put(c.e);
	drm_sgt_kunit_unbind(c.f->d);
	drm_sgt_kunit_exporter_check(c.e, 1, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(c.bo->sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_gem_sgt_map(c.bo));
	KUNIT_EXPECT_EQ(test, file_count(c.e->buf->file), 1);
	KUNIT_EXPECT_FALSE(test, completion_done(&c.e->released));

	gem_import_close(&c);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_exporter_released(c.e));
	drm_sgt_kunit_exporter_check(c.e, 1, 1);
}

/* After unbind, a device cannot import. */
static void gem_import_after_unbind(struct kunit *test)
{
	struct gem_import c = gem_import_prepare(test, &gem_kunit_driver_with_objects,
						 IMPORT_SIZE);

	drm_sgt_kunit_unbind(c.f->d);
	KUNIT_EXPECT_EQ(test, -ENODEV, PTR_ERR_OR_ZERO(gem_import_try(&c)));
	gem_import_check_untouched(&c);
}

/*
 * The import_attach that the DRM core sees is not the real attachment, and survives an
 * unbind: drm_gem_fb_begin_cpu_access() uses it to find the dma-buf.
 */
static void gem_import_is_one_to_the_core(struct kunit *test)
{
	struct gem_import c = gem_import_create(test);
	struct drm_gem_sgt_object *own = gem_kunit_bo(c.f, GEM_KUNIT_SIZE);
	unsigned int bound;

	KUNIT_EXPECT_FALSE(test, drm_gem_is_imported(&own->base));
	KUNIT_ASSERT_NOT_NULL(test, c.obj->import_attach);
	KUNIT_EXPECT_PTR_NE(test, c.obj->import_attach, c.bo->sgt->attach);
	for (bound = 2; bound--;) {
		struct dma_buf *buf = c.obj->import_attach->dmabuf;

		KUNIT_ASSERT_PTR_EQ(test, buf, c.e->buf);
		KUNIT_EXPECT_EQ(test, list_count_nodes(&buf->attachments), bound);
		KUNIT_EXPECT_EQ(test, 0, dma_buf_begin_cpu_access(buf, DMA_FROM_DEVICE));
		KUNIT_EXPECT_EQ(test, 0, dma_buf_end_cpu_access(buf, DMA_FROM_DEVICE));
		if (bound)
			drm_sgt_kunit_unbind(c.f->d);
	}
	KUNIT_EXPECT_EQ(test, c.e->begins, 2);
	KUNIT_EXPECT_EQ(test, c.e->ends, 2);
}

/* An import that was unmapped can be mapped again, any number of times. */
static void gem_import_is_mapped_again(struct kunit *test)
{
	struct gem_import c = gem_import_create(test);
	unsigned int i;

	for (i = 1; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(c.bo->sgt));
		drm_sgt_kunit_exporter_check(c.e, i, i);
		KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_map(c.bo));
		KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_map(c.bo));
		KUNIT_EXPECT_EQ(test, drm_sgt_get_state(c.bo->sgt), DRM_SGT_MAPPED);
		KUNIT_EXPECT_EQ(test, c.e->dir, DMA_TO_DEVICE);
		drm_sgt_kunit_exporter_check(c.e, i + 1, i);
	}
}

/* A kernel mapping is that of the exporter, also after an unbind. */
static void gem_import_is_vmapped_by_the_exporter(struct kunit *test)
{
	struct gem_import c = gem_import_create(test);
	struct iosys_map before, after;

	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap(c.obj, &before));
	KUNIT_EXPECT_PTR_EQ(test, before.vaddr, c.e->mem);
	KUNIT_EXPECT_EQ(test, c.bo->vmap_count, 1);
	KUNIT_EXPECT_EQ(test, c.e->vmaps, 1);

	drm_sgt_kunit_unbind(c.f->d);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap(c.obj, &after));
	KUNIT_EXPECT_PTR_EQ(test, after.vaddr, c.e->mem);
	KUNIT_EXPECT_EQ(test, c.bo->vmap_count, 2);
	drm_gem_vunmap(c.obj, &after);
	drm_gem_vunmap(c.obj, &before);
	KUNIT_EXPECT_EQ(test, c.bo->vmap_count, 0);
	KUNIT_EXPECT_EQ(test, c.e->vmaps, 0);
	KUNIT_EXPECT_EQ(test, c.bo->pin_count, 0);
}

/* The export of an import is the dma-buf that it came from. */
static void gem_import_is_exported_as_itself(struct kunit *test)
{
	struct gem_import c = gem_import_create(test);
	unsigned int refs = kref_read(&c.obj->refcount);
	struct dma_buf *buf;

	KUNIT_EXPECT_EQ(test, file_count(c.e->buf->file), 2);
	buf = c.obj->funcs->export(c.obj, O_RDWR);
	KUNIT_EXPECT_PTR_EQ(test, buf, c.e->buf);
	KUNIT_EXPECT_EQ(test, file_count(c.e->buf->file), 3);
	KUNIT_EXPECT_EQ(test, kref_read(&c.obj->refcount), refs);
	dma_buf_put(buf);

	drm_sgt_kunit_unbind(c.f->d);
	buf = c.obj->funcs->export(c.obj, O_RDWR);
	KUNIT_EXPECT_PTR_EQ(test, buf, c.e->buf);
	dma_buf_put(buf);
}

/* The same by its handle, which the DRM core stores with the dma-buf. */
static void gem_import_handle_is_exported(struct kunit *test)
{
	struct gem_import c = gem_import_create(test);
	struct drm_file *file = gem_kunit_open(c.f);
	struct dma_buf *buf;
	unsigned int i;
	u32 handle;

	KUNIT_ASSERT_EQ(test, 0, drm_gem_handle_create(file, c.obj, &handle));
	for (i = 0; i < 2; i++) {
		buf = drm_gem_prime_handle_to_dmabuf(c.f->drm, file, handle, O_RDWR);
		KUNIT_EXPECT_PTR_EQ(test, buf, c.e->buf);
		if (!IS_ERR(buf))
			dma_buf_put(buf);
		/* References of the case, the object and the handle */
		KUNIT_EXPECT_EQ(test, file_count(c.e->buf->file), 3);
		if (!i)
			drm_sgt_kunit_unbind(c.f->d);
	}
	KUNIT_EXPECT_EQ(test, 0, drm_gem_handle_delete(file, handle));
	KUNIT_EXPECT_EQ(test, file_count(c.e->buf->file), 2);
}

/* The import of a device's own export gives the same object. */
static void gem_import_of_an_own_object(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver_with_objects);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);
	struct dma_buf *buf = drm_gem_sgt_prime_export(&bo->base, O_RDWR);
	struct drm_gem_object *obj;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, kref_read(&bo->base.refcount), 2);
	obj = drm_gem_sgt_prime_import(f->drm, f->d->sdev, buf, DMA_TO_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, obj, &bo->base);
	KUNIT_EXPECT_EQ(test, kref_read(&bo->base.refcount), 3);
	KUNIT_EXPECT_EQ(test, f->objects, 1);
	KUNIT_EXPECT_FALSE(test, drm_gem_sgt_is_import(bo));
	KUNIT_EXPECT_TRUE(test, list_empty(&buf->attachments));
	if (!IS_ERR(obj))
		drm_gem_object_put(obj);
	dma_buf_put(buf);
	flush_delayed_fput();
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(kref_read(&bo->base.refcount) == 1));
}

/*
 * Another device of the same driver is another exporter: the import attaches to its
 * object, has the same bytes, and outlives both devices.
 */
static void gem_import_of_another_device(struct kunit *test)
{
	struct drm_sgt_kunit_device *d;
	struct gem_kunit *from = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(from, GEM_KUNIT_SIZE);
	struct drm_device *card;
	struct drm_gem_object *obj;
	struct iosys_map map;
	struct dma_buf *buf;

	d = drm_sgt_kunit_bind_limits(test, "importer", UINT_MAX, ULONG_MAX);
	card = gem_kunit_card(test, "card-b", &gem_kunit_driver);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(bo));
	gem_kunit_each_page(test, bo, 12, true);
	buf = drm_gem_sgt_prime_export(&bo->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	obj = drm_gem_sgt_prime_import(card, d->sdev, buf, DMA_TO_DEVICE);
	dma_buf_put(buf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_EXPECT_PTR_NE(test, obj, &bo->base);
	KUNIT_EXPECT_PTR_EQ(test, obj->resv, bo->base.resv);
	KUNIT_EXPECT_EQ(test, bo->pin_count, 1);

	drm_sgt_kunit_unbind(from->d);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(d->sdev).mapped, 1);
	drm_sgt_kunit_unbind(d);
	KUNIT_EXPECT_EQ(test, bo->pin_count, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&buf->attachments));
	KUNIT_EXPECT_EQ(test, 0, drm_gem_vmap(obj, &map));
	KUNIT_EXPECT_EQ(test, gem_kunit_check(map.vaddr, 0, GEM_KUNIT_SIZE, 12), GEM_KUNIT_SIZE);
	drm_gem_vunmap(obj, &map);
	drm_gem_object_put(obj);
	flush_delayed_fput();
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(kref_read(&bo->base.refcount) == 1));
}

/* Errors leave the dma-buf as it was. */

static void gem_import_of_no_whole_pages(struct kunit *test)
{
	struct gem_import c = gem_import_prepare(test, &gem_kunit_driver_with_objects,
						 PAGE_SIZE + 512);

	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR_OR_ZERO(gem_import_try(&c)));
	gem_import_check_untouched(&c);
}

static void gem_import_without_an_object(struct kunit *test)
{
	struct gem_import c = gem_import_prepare(test, &gem_kunit_driver_with_objects,
						 IMPORT_SIZE);

	c.f->create_object_err = -EACCES;
	KUNIT_EXPECT_EQ(test, -EACCES, PTR_ERR_OR_ZERO(gem_import_try(&c)));
	gem_import_check_undone(&c);
}

/* After an error, the driver has freed the object of its gem_create_object, if any. */
static void gem_import_that_the_exporter_refuses(struct kunit *test)
{
	struct gem_import c = gem_import_prepare(test, &gem_kunit_driver_with_objects,
						 IMPORT_SIZE);

	c.e->fail_attach = -EXDEV;
	KUNIT_EXPECT_EQ(test, -EXDEV, PTR_ERR_OR_ZERO(gem_import_try(&c)));
	gem_import_check_untouched(&c);
	c.e->fail_attach = 0;
	c.e->fail_map = -ENXIO;
	KUNIT_EXPECT_EQ(test, -ENXIO, PTR_ERR_OR_ZERO(gem_import_try(&c)));
	gem_import_check_undone(&c);
	/* The errno of dma_map_sgtable() for a segment longer than a bounce buffer */
	c.e->fail_map = -EIO;
	KUNIT_EXPECT_EQ(test, -ENOMEM, PTR_ERR_OR_ZERO(gem_import_try(&c)));
	gem_import_check_undone(&c);
}

/* Without a bus device, an import in physical mode has no addresses. */
static void gem_import_in_physical_mode(struct kunit *test)
{
	struct gem_import c = { .test = test };

	c.f = gem_kunit_create_on(test, &gem_kunit_driver_with_objects,
				  drm_sgt_kunit_bind_phys(test, NULL));
	c.e = drm_sgt_kunit_exporter_create(test, EXPORTER_PLAIN, IMPORT_SIZE, NULL);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, PTR_ERR_OR_ZERO(gem_import_try(&c)));
	gem_import_check_untouched(&c);
}

static int gem_import_nomem(void *arg)
{
	struct gem_import *c = arg;
	struct drm_gem_object *obj = gem_import_try(c);

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	drm_gem_object_put(obj);
	return 0;
}

static void gem_import_check_nomem(void *arg, int ret)
{
	struct gem_import *c = arg;

	if (ret)
		KUNIT_EXPECT_EQ(c->test, ret, -ENOMEM);
	gem_import_check_undone(c);
}

static void gem_import_without_memory(struct kunit *test)
{
	struct gem_import c = gem_import_prepare(test, &gem_kunit_driver_with_objects,
						 IMPORT_SIZE);

	drm_sgt_kunit_nomem(test);
	/* The object, its table, the attachment, and the allocations of the exporter. */
	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, gem_import_nomem,
						  gem_import_check_nomem, &c), 4);
}

/*
 * Exports
 */

struct gem_limits {
	const char *name;
	unsigned int max_segment;
	u64 boundary;
	int err;
};

static const struct gem_limits gem_limits[] = {
	{ "none", UINT_MAX, ULONG_MAX },
	{ "a page", PAGE_SIZE, ULONG_MAX },
	{ "two pages", 2 * PAGE_SIZE, ULONG_MAX },
	{ "boundary of two pages", UINT_MAX, 2 * PAGE_SIZE - 1 },
	{ "three pages, boundary of four", 3 * PAGE_SIZE, 4 * PAGE_SIZE - 1 },
	{ "less than a page", PAGE_SIZE / 2, ULONG_MAX, -EINVAL },
};

static void gem_limits_desc(const struct gem_limits *l, char *desc)
{
	strscpy(desc, l->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(gem_limits, gem_limits, gem_limits_desc);

/* The table of an importer has the limits of its own device, not those of ours. */
static void gem_export_has_the_limits_of_the_importer(struct kunit *test)
{
	const struct gem_limits *l = test->param_value;
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, 64 * PAGE_SIZE);
	struct dma_buf *buf = drm_gem_sgt_prime_export(&bo->base, O_RDWR);
	struct dma_buf_attachment *attach;
	struct scatterlist *sg;
	struct sg_table *table;
	unsigned int i;
	u64 size = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	attach = dma_buf_attach(buf, drm_sgt_kunit_dma_device(test, "importer", l->max_segment,
							      l->boundary));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	table = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(table), l->err);
	if (!IS_ERR(table)) {
		for_each_sgtable_dma_sg(table, sg, i) {
			u64 first = sg_dma_address(sg), last = first + sg_dma_len(sg) - 1;

			KUNIT_EXPECT_LE(test, sg_dma_len(sg), l->max_segment);
			KUNIT_EXPECT_EQ(test, first & ~l->boundary, last & ~l->boundary);
			size += sg_dma_len(sg);
		}
		KUNIT_EXPECT_EQ(test, size, bo->base.size);
		dma_buf_unmap_attachment_unlocked(attach, table, DMA_BIDIRECTIONAL);
	}
	dma_buf_detach(buf, attach);
	dma_buf_put(buf);
	flush_delayed_fput();
}

static struct kunit_case drm_gem_sgt_import_cases[] = {
	KUNIT_CASE(gem_import_is_mapped_at_once),
	KUNIT_CASE(gem_import_is_one_to_the_core),
	KUNIT_CASE(gem_import_is_mapped_again),
	KUNIT_CASE(gem_import_ends_with_the_device),
	KUNIT_CASE(gem_import_after_unbind),
	KUNIT_CASE(gem_import_is_vmapped_by_the_exporter),
	KUNIT_CASE(gem_import_is_exported_as_itself),
	KUNIT_CASE(gem_import_handle_is_exported),
	KUNIT_CASE(gem_import_of_an_own_object),
	KUNIT_CASE(gem_import_of_another_device),
	KUNIT_CASE(gem_import_of_no_whole_pages),
	KUNIT_CASE(gem_import_without_an_object),
	KUNIT_CASE(gem_import_that_the_exporter_refuses),
	KUNIT_CASE(gem_import_in_physical_mode),
	KUNIT_CASE(gem_import_without_memory),
	KUNIT_CASE_PARAM(gem_export_has_the_limits_of_the_importer, gem_limits_gen_params),
	{}
};

static struct kunit_suite drm_gem_sgt_import_suite = {
	.name = "drm_gem_sgt_import",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gem_sgt_import_cases,
};

kunit_test_suite(drm_gem_sgt_import_suite);
