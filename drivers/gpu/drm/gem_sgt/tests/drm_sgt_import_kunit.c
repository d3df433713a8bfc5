// SPDX-License-Identifier: GPL-2.0

#include <kunit/device.h>
#include <kunit/static_stub.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/fs.h>

#include "drm_sgt_kunit_exporter.h"

/*
 * Tables of imports. The exporter is part of the test, and counts attachments and
 * mappings. The entries of its table are tested in drm_sgt_import_table_kunit.c, GEM
 * objects of imports in drm_gem_sgt_import_kunit.c.
 */

#define IMPORT_PAGES	6
#define IMPORT_SIZE	(IMPORT_PAGES * PAGE_SIZE)

struct import_fixture {
	struct kunit *test;
	struct drm_sgt_kunit_device *d;
	struct drm_sgt_kunit_exporter *e;
	struct drm_sgt *sgt;
};

static void import_fixture_on(struct import_fixture *f, struct kunit *test,
			      struct drm_sgt_kunit_device *d, struct device *dev,
			      enum drm_sgt_kunit_exporter_kind kind)
{
	f->test = test;
	f->d = d;
	f->e = drm_sgt_kunit_exporter_create(test, kind, IMPORT_SIZE, dev);
	f->sgt = drm_sgt_create_import(d->sdev, f->e->buf);
	drm_sgt_kunit_free_later(test, f->sgt);
}

/* Create a table for the dma-buf of an exporter of @kind; it is not mapped. */
static struct import_fixture import_fixture_create(struct kunit *test,
						   enum drm_sgt_kunit_exporter_kind kind)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct import_fixture f;

	import_fixture_on(&f, test, d, d->dev, kind);
	return f;
}

static const enum drm_sgt_kunit_exporter_kind import_kinds[] = {
	EXPORTER_PLAIN, EXPORTER_CACHED, EXPORTER_DYNAMIC,
};

static const char * const import_kind_name[] = { "plain", "cached", "dynamic" };

static void import_kind_desc(const enum drm_sgt_kunit_exporter_kind *kind, char *desc)
{
	strscpy(desc, import_kind_name[*kind], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(import_kind, import_kinds, import_kind_desc);

static enum drm_sgt_kunit_exporter_kind import_kind(struct kunit *test)
{
	return *(const enum drm_sgt_kunit_exporter_kind *)test->param_value;
}

/* The counters of the device must match those of the exporter. */
static void import_check(struct import_fixture *f, unsigned int begun, unsigned int ended)
{
	struct drm_sgt_device_stats stats = drm_sgt_kunit_stats(f->d->sdev);
	bool mapped = begun != ended;

	drm_sgt_kunit_exporter_check(f->e, begun, ended);
	KUNIT_EXPECT_EQ(f->test, stats.maps, begun);
	KUNIT_EXPECT_EQ(f->test, stats.unmaps, ended);
	KUNIT_EXPECT_EQ(f->test, stats.mapped, mapped);
	KUNIT_EXPECT_EQ(f->test, stats.bytes_mapped, mapped ? IMPORT_SIZE : 0);
}

/* A map attaches and maps, an unmap undoes both, and each does so only once. */
static void import_map_and_unmap(struct kunit *test)
{
	struct import_fixture f = import_fixture_create(test, import_kind(test));
	struct drm_sgt_access access = {};

	KUNIT_EXPECT_TRUE(test, drm_sgt_is_import(f.sgt));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f.sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, drm_sgt_size(f.sgt), IMPORT_SIZE);
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_access_begin(f.sgt, &access));
	import_check(&f, 0, 0);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f.sgt), DRM_SGT_MAPPED);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_map(f.sgt, DMA_TO_DEVICE));
	import_check(&f, 1, 0);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_access_begin(f.sgt, &access));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_unmap(f.sgt));
	drm_sgt_access_end(&access);
	import_check(&f, 1, 0);

	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f.sgt), DRM_SGT_BACKED);
	import_check(&f, 1, 1);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_TO_DEVICE));
	import_check(&f, 2, 1);
}

static void import_do_unmap(struct import_fixture *f)
{
	KUNIT_EXPECT_EQ(f->test, 0, drm_sgt_unmap(f->sgt));
}

static void import_do_shutdown(struct import_fixture *f)
{
	drm_sgt_device_shutdown(f->d->sdev);
}

static void import_do_unbind(struct import_fixture *f)
{
	drm_sgt_kunit_unbind(f->d);
}

static void import_do_free(struct import_fixture *f)
{
	drm_sgt_kunit_free_now(f->test, f->sgt);
	f->sgt = NULL;
}

typedef void (*import_step)(struct import_fixture *f);

static const struct import_order {
	const char *name;
	import_step step[4];
} import_orders[] = {
	{ "unmap, free", { import_do_unmap, import_do_free } },
	{ "free", { import_do_free } },
	{ "free, unbind", { import_do_free, import_do_unbind } },
	{ "unbind, free", { import_do_unbind, import_do_free } },
	{ "unbind, unmap, free", { import_do_unbind, import_do_unmap, import_do_free } },
	{ "unmap, unbind, free", { import_do_unmap, import_do_unbind, import_do_free } },
	{ "shutdown, unbind, free", { import_do_shutdown, import_do_unbind, import_do_free } },
	{ "shutdown, unmap, free", { import_do_shutdown, import_do_unmap, import_do_free } },
};

static void import_order_desc(const struct import_order *order, char *desc)
{
	strscpy(desc, order->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(import_order, import_orders, import_order_desc);

/*
 * The first step ends the mapping and the attachment, whichever step it is and
 * whatever the exporter keeps. The later steps find nothing left. The table holds a
 * reference to the dma-buf until it is freed.
 */
static void import_ends_once(struct kunit *test)
{
	const struct import_order *order = test->param_value;
	unsigned int kind, i;

	for (kind = 0; kind < ARRAY_SIZE(import_kinds); kind++) {
		struct drm_sgt_kunit_device *d;
		struct import_fixture f;

		d = drm_sgt_kunit_bind_limits(test, import_kind_name[kind], UINT_MAX, ULONG_MAX);
		import_fixture_on(&f, test, d, d->dev, import_kinds[kind]);
		KUNIT_EXPECT_EQ(test, file_count(f.e->buf->file), 2);
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
		drm_sgt_kunit_exporter_check(f.e, 1, 0);
		for (i = 0; i < ARRAY_SIZE(order->step) && order->step[i]; i++) {
			order->step[i](&f);
			drm_sgt_kunit_exporter_check(f.e, 1, 1);
			KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(d->sdev).mapped, 0);
			KUNIT_EXPECT_EQ(test, file_count(f.e->buf->file), f.sgt ? 2 : 1);
		}
	}
}

/* After unbind, the exporter is not called any more. */
static void import_after_unbind(struct kunit *test)
{
	struct import_fixture f = import_fixture_create(test, import_kind(test));
	struct drm_sgt_access access = {};
	struct drm_sgt *late;

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	drm_sgt_kunit_unbind(f.d);
	import_check(&f, 1, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f.d->sdev).revoked, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f.sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_access_begin(f.sgt, &access));
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_sync_for_device(f.sgt, 0, 1));

	late = drm_sgt_create_import(f.d->sdev, f.e->buf);
	drm_sgt_kunit_free_later(test, late);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_map(late, DMA_BIDIRECTIONAL));
	import_check(&f, 1, 1);
}

/* A table keeps its dma-buf, also when it has the last reference. */
static void import_keeps_the_dma_buf(struct kunit *test)
{
	struct import_fixture f = import_fixture_create(test, import_kind(test));

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	drm_sgt_kunit_exporter_put(f.e);
	KUNIT_EXPECT_EQ(test, file_count(f.e->buf->file), 1);
	drm_sgt_kunit_unbind(f.d);
	KUNIT_EXPECT_EQ(test, file_count(f.e->buf->file), 1);
	KUNIT_EXPECT_FALSE(test, completion_done(&f.e->released));
	import_check(&f, 1, 1);
	drm_sgt_kunit_free_now(test, f.sgt);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_exporter_released(f.e));
}

/* Two tables of one dma-buf are independent, with an attachment each. */
static void import_twice(struct kunit *test)
{
	struct import_fixture f = import_fixture_create(test, import_kind(test));
	struct drm_sgt *other = drm_sgt_create_import(f.d->sdev, f.e->buf);

	drm_sgt_kunit_free_later(test, other);
	KUNIT_EXPECT_EQ(test, file_count(f.e->buf->file), 3);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(other, DMA_TO_DEVICE));
	drm_sgt_kunit_exporter_check(f.e, 2, 0);
	drm_sgt_kunit_free_now(test, other);
	drm_sgt_kunit_exporter_check(f.e, 2, 1);
	drm_sgt_kunit_unbind(f.d);
	drm_sgt_kunit_exporter_check(f.e, 2, 2);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f.d->sdev).grace_periods, 1);
}

/* An import has no pages: depopulate, walks and copies of the list are refused. */
static void import_has_no_pages(struct kunit *test)
{
	struct import_fixture f = import_fixture_create(test, EXPORTER_PLAIN);
	struct drm_sgt_run_iter iter;
	struct drm_sgt_info info;
	struct drm_sgt_run run;
	unsigned int mapped;

	for (mapped = 0; mapped < 2; mapped++) {
		if (mapped)
			KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
		KUNIT_EXPECT_EQ(test, 0, drm_sgt_populate(f.sgt));
		KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_depopulate(f.sgt));
		KUNIT_EXPECT_EQ(test, -EINVAL,
				PTR_ERR_OR_ZERO(drm_sgt_dup_table(f.sgt, f.d->dev)));
		drm_sgt_run_iter_init(&iter, f.sgt);
		KUNIT_EXPECT_FALSE(test, drm_sgt_run_iter_next(&iter, &run));
		drm_sgt_get_info(f.sgt, &info);
		KUNIT_EXPECT_EQ(test, info.size, IMPORT_SIZE);
		KUNIT_EXPECT_EQ(test, info.runs, 0);
		KUNIT_EXPECT_EQ(test, info.folios, 0);
		KUNIT_EXPECT_EQ(test, info.cpu_ents, 0);
		KUNIT_EXPECT_STREQ(test, info.source, "dma-buf");
	}
}

/* Sizes that no table can have are refused before any attachment is made. */
static void import_refuses_sizes(struct kunit *test)
{
	static const size_t size[] = { 0, 1, PAGE_SIZE - 1, PAGE_SIZE + 1, IMPORT_SIZE - 512 };
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(size); i++) {
		struct drm_sgt_kunit_exporter *e;
		struct drm_sgt *sgt;

		e = drm_sgt_kunit_exporter_create(test, EXPORTER_PLAIN, size[i], d->dev);
		sgt = drm_sgt_create_import(d->sdev, e->buf);
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), -EINVAL);
		KUNIT_EXPECT_EQ(test, file_count(e->buf->file), 1);
		drm_sgt_kunit_exporter_check(e, 0, 0);
	}
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(d->sdev).tables, 0);
}

static int import_try(struct import_fixture *f, int *fail, int err)
{
	int ret;

	*fail = err;
	ret = drm_sgt_map(f->sgt, DMA_BIDIRECTIONAL);
	*fail = 0;
	return ret;
}

static const struct import_error {
	int said, err;
} import_errors[] = {
	{ -ENOSPC, -ENOSPC }, { -EINVAL, -EINVAL }, { -EINTR, -EINTR }, { -ENOMEM, -ENOMEM },
	/* The DMA API has no bounce buffer left, or none that is long enough */
	{ -EIO, -ENOMEM },
};

/*
 * The errno of an exporter is returned as drm_sgt_map() documents. Nothing is leaked, and
 * the next map succeeds.
 */
static void import_passes_errors_on(struct kunit *test)
{
	struct import_fixture f = import_fixture_create(test, import_kind(test));
	bool dynamic = import_kind(test) == EXPORTER_DYNAMIC;
	unsigned int i, n = ARRAY_SIZE(import_errors);

	KUNIT_EXPECT_EQ(test, -EXDEV, import_try(&f, &f.e->fail_attach, -EXDEV));
	import_check(&f, 0, 0);

	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, import_errors[i].err,
				import_try(&f, &f.e->fail_map, import_errors[i].said));
	KUNIT_EXPECT_EQ(test, f.e->attaches, n);
	KUNIT_EXPECT_EQ(test, f.e->detaches, n);
	KUNIT_EXPECT_EQ(test, f.e->maps, 0);
	KUNIT_EXPECT_EQ(test, f.e->pins, f.e->unpins);

	KUNIT_EXPECT_EQ(test, dynamic ? -EAGAIN : 0,
			import_try(&f, &f.e->fail_pin, -EAGAIN));
	KUNIT_EXPECT_EQ(test, f.e->attaches, n + 1);
	KUNIT_EXPECT_EQ(test, f.e->detaches, dynamic ? n + 1 : n);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f.sgt),
			dynamic ? DRM_SGT_BACKED : DRM_SGT_MAPPED);

	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f.d->sdev).maps, 1);
	KUNIT_EXPECT_EQ(test, f.e->maps, 1);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	KUNIT_EXPECT_EQ(test, f.e->attaches, f.e->detaches);
}

/*
 * Physical mode
 */

static bool import_says_phys(struct device *dev)
{
	return true;
}

static bool import_says_not_phys(struct device *dev)
{
	return false;
}

/* Without a bus device, there is no device to attach. */
static void import_without_a_bus_device(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind_phys(test, NULL);
	struct drm_sgt_kunit_exporter *e;

	e = drm_sgt_kunit_exporter_create(test, EXPORTER_PLAIN, IMPORT_SIZE, NULL);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			PTR_ERR_OR_ZERO(drm_sgt_create_import(d->sdev, e->buf)));
	KUNIT_EXPECT_EQ(test, file_count(e->buf->file), 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(d->sdev).tables, 0);
	drm_sgt_kunit_exporter_check(e, 0, 0);
}

static void import_fixture_on_bus(struct import_fixture *f, struct kunit *test)
{
	struct device *bus = drm_sgt_kunit_dma_device(test, "bus", UINT_MAX, ULONG_MAX);

	import_fixture_on(f, test, drm_sgt_kunit_bind_phys(test, bus), bus, EXPORTER_CACHED);
}

/* The bus device is attached, and a view has its DMA addresses. */
static void import_in_physical_mode(struct kunit *test)
{
	struct import_fixture f;

	kunit_activate_static_stub(test, drm_sgt_import_is_phys, import_says_phys);
	import_fixture_on_bus(&f, test);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	import_check(&f, 1, 0);
	drm_sgt_kunit_exporter_check_walk(f.e, f.sgt);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_sync_for_device(f.sgt, 0, IMPORT_SIZE));
	KUNIT_EXPECT_EQ(test, -ERANGE, drm_sgt_sync_for_device(f.sgt, 1, IMPORT_SIZE));
	drm_sgt_kunit_unbind(f.d);
	import_check(&f, 1, 1);
}

/* If DMA addresses are not physical ones, a map is refused before the attach. */
static void import_refuses_translated_addresses(struct kunit *test)
{
	struct import_fixture f;

	kunit_activate_static_stub(test, drm_sgt_import_is_phys, import_says_not_phys);
	import_fixture_on_bus(&f, test);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	import_check(&f, 0, 0);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f.sgt), DRM_SGT_BACKED);

	kunit_activate_static_stub(test, drm_sgt_import_is_phys, import_says_phys);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
}

/* The exporter maps in the direction asked for, and in no other: see the unmap of the mock. */
static void import_in_one_direction(struct kunit *test)
{
	static const enum dma_data_direction dirs[] = {
		DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL,
	};
	struct import_fixture f = import_fixture_create(test, import_kind(test));
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(f.sgt, dirs[i]));
		KUNIT_EXPECT_EQ(test, f.e->dir, dirs[i]);
		KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_map(f.sgt, dirs[(i + 1) % ARRAY_SIZE(dirs)]));
		KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(f.sgt));
		drm_sgt_kunit_exporter_check(f.e, i + 1, i + 1);
	}
}

/*
 * Bounce buffers
 */

/* The CPU writes @seed after the device and the bounce buffer have seen other bytes. */
static void import_write_late(struct import_fixture *f, enum dma_data_direction dir, u8 seed)
{
	memset(f->e->mem, ~seed, IMPORT_SIZE);
	KUNIT_ASSERT_EQ(f->test, 0, drm_sgt_map(f->sgt, dir));
	KUNIT_EXPECT_EQ(f->test, f->e->dir, dir);
	memset(f->e->mem, seed, IMPORT_SIZE);
}

static void import_expect_bytes(struct import_fixture *f, u8 seed)
{
	KUNIT_EXPECT_NULL(f->test, memchr_inv(f->e->mem, seed, IMPORT_SIZE));
}

/*
 * When the mapping has ended, the memory has what the CPU wrote last, although that was
 * never synced and the exporter copies the bounce buffer back. Every kind of exporter is
 * passed the direction.
 */
static void import_keeps_what_the_cpu_wrote(struct kunit *test)
{
	struct import_fixture f = import_fixture_create(test, import_kind(test));

	if (!dma_dev_need_sync(f.d->dev))
		kunit_skip(test, "nothing to sync here without CONFIG_DMA_API_DEBUG");
	drm_sgt_kunit_exporter_bounce(f.e);

	import_write_late(&f, DMA_TO_DEVICE, 1);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	import_expect_bytes(&f, 1);

	import_write_late(&f, DMA_BIDIRECTIONAL, 2);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	import_expect_bytes(&f, 2);

	import_write_late(&f, DMA_BIDIRECTIONAL, 3);
	drm_sgt_kunit_unbind(f.d);
	import_expect_bytes(&f, 3);
}

/* Synced writes of the device are kept, and so are later writes of the CPU. */
static void import_keeps_what_the_device_wrote(struct kunit *test)
{
	struct import_fixture f = import_fixture_create(test, import_kind(test));
	u8 *mem = f.e->mem;

	if (!dma_dev_need_sync(f.d->dev))
		kunit_skip(test, "nothing to sync here without CONFIG_DMA_API_DEBUG");
	drm_sgt_kunit_exporter_bounce(f.e);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	memset(f.e->bounce, 4, IMPORT_SIZE);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_sync_for_cpu(f.sgt, 0, IMPORT_SIZE));
	memset(mem, 5, 3 * PAGE_SIZE / 2);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	KUNIT_EXPECT_NULL(test, memchr_inv(mem, 5, 3 * PAGE_SIZE / 2));
	KUNIT_EXPECT_NULL(test, memchr_inv(mem + 3 * PAGE_SIZE / 2, 4,
					   IMPORT_SIZE - 3 * PAGE_SIZE / 2));

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_FROM_DEVICE));
	memset(f.e->bounce, 6, IMPORT_SIZE);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	import_expect_bytes(&f, 6);
}

/* A map waits for the kernel fences of the exporter, which may still move the memory. */
static void import_waits_for_the_exporter(struct kunit *test)
{
	struct import_fixture f = import_fixture_create(test, import_kind(test));
	struct drm_sgt_kunit_fence *fence;

	fence = drm_sgt_kunit_fence_add(test, f.e->buf->resv, DMA_RESV_USAGE_KERNEL);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_TO_DEVICE));
	KUNIT_EXPECT_TRUE(test, fence->waited);
}

/* First the cases that the others build on. */
static struct kunit_case drm_sgt_import_cases[] = {
	KUNIT_CASE_PARAM(import_map_and_unmap, import_kind_gen_params),
	KUNIT_CASE_PARAM(import_ends_once, import_order_gen_params),
	KUNIT_CASE_PARAM(import_in_one_direction, import_kind_gen_params),
	KUNIT_CASE_PARAM(import_after_unbind, import_kind_gen_params),
	KUNIT_CASE_PARAM(import_keeps_the_dma_buf, import_kind_gen_params),
	KUNIT_CASE_PARAM(import_twice, import_kind_gen_params),
	KUNIT_CASE(import_has_no_pages),
	KUNIT_CASE(import_refuses_sizes),
	KUNIT_CASE_PARAM(import_passes_errors_on, import_kind_gen_params),
	KUNIT_CASE(import_without_a_bus_device),
	KUNIT_CASE(import_in_physical_mode),
	KUNIT_CASE(import_refuses_translated_addresses),
	KUNIT_CASE_PARAM(import_keeps_what_the_cpu_wrote, import_kind_gen_params),
	KUNIT_CASE_PARAM(import_keeps_what_the_device_wrote, import_kind_gen_params),
	KUNIT_CASE_PARAM(import_waits_for_the_exporter, import_kind_gen_params),
	{}
};

static struct kunit_suite drm_sgt_import_suite = {
	.name = "drm_sgt_import",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_sgt_import_cases,
};

kunit_test_suite(drm_sgt_import_suite);
