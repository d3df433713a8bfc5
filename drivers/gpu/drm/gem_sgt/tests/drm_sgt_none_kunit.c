// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/iosys-map.h>
#include <linux/seq_file.h>

#include <drm/drm_gem.h>

#include "drm_gem_sgt_kunit_helpers.h"
#include "drm_sgt_kunit_exporter.h"

/* A device without DMA, as of a software driver: all works but the mappings for it. */

struct none_fixture {
	struct kunit *test;
	struct gem_kunit *f;
	struct drm_sgt_device *sdev;
};

static struct none_fixture none_fixture_create(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind_none(test);

	return (struct none_fixture) {
		.test = test,
		.f = gem_kunit_create_on(test, &gem_kunit_driver_with_objects, d),
		.sdev = d->sdev,
	};
}

/* An object has pages and CPU mappings, and is not mapped for the device. */
static void none_object(struct kunit *test)
{
	struct none_fixture c = none_fixture_create(test);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(c.f, GEM_KUNIT_SIZE);
	struct drm_sgt_access access = {};
	struct iosys_map map;

	KUNIT_EXPECT_FALSE(test, drm_sgt_device_is_phys(c.sdev));
	KUNIT_EXPECT_NULL(test, drm_sgt_device_dma_dev(c.sdev));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, drm_gem_sgt_map(bo));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(bo->sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_access_begin(bo->sgt, &access));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_sync_for_device(bo->sgt, 0, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(bo->sgt));

	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap(&bo->base, &map));
	gem_kunit_fill(map.vaddr, GEM_KUNIT_SIZE, 1);
	drm_sgt_kunit_unbind(c.f->d);
	gem_kunit_each_page(test, bo, 1, false);
	drm_gem_vunmap(&bo->base, &map);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_gem_sgt_map(bo));
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(c.sdev).maps, 0);
}

static bool none_is_not_coherent(struct device *dev)
{
	return false;
}

/* There is no device to flush for: a write-combined object is mapped cached. */
static void none_of_a_wc_object(struct kunit *test)
{
	struct none_fixture c = none_fixture_create(test);
	struct drm_gem_sgt_object *bo;

	kunit_activate_static_stub(test, drm_sgt_dma_is_coherent, none_is_not_coherent);
	c.f->map_wc = true;
	bo = gem_kunit_bo(c.f, GEM_KUNIT_SIZE);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_pin(bo));
	KUNIT_EXPECT_FALSE(test, bo->sgt->wc);
	drm_gem_sgt_unpin(bo);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(bo->sgt));
}

KUNIT_DEFINE_ACTION_WRAPPER(none_put, drm_gem_object_put, struct drm_gem_object *);

static struct drm_gem_sgt_object *none_import(struct kunit *test, struct drm_device *drm,
					      struct drm_sgt_device *sdev, struct dma_buf *buf)
{
	struct drm_gem_object *obj;

	obj = drm_gem_sgt_prime_import(drm, sdev, buf, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, none_put, obj));
	return to_drm_gem_sgt_obj(obj);
}

static const bool none_bound[] = { true, false };

static void none_bound_desc(const bool *bound, char *desc)
{
	strscpy(desc, *bound ? "bound" : "after unbind", KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(none_bound, none_bound, none_bound_desc);

/* An importer's device maps an object of this one. */
static void none_exports(struct kunit *test)
{
	struct none_fixture c = none_fixture_create(test);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(c.f, GEM_KUNIT_SIZE), *other;
	struct drm_device *importer = gem_kunit_card(test, "importer", &gem_kunit_driver);
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct dma_buf *buf = drm_gem_sgt_prime_export(&bo->base, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	if (!*(const bool *)test->param_value)
		drm_sgt_kunit_unbind(c.f->d);
	other = none_import(test, importer, d->sdev, buf);
	dma_buf_put(buf);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(other->sgt), DRM_SGT_MAPPED);
	kunit_release_action(test, none_put, &other->base);
}

/* An import is not attached, and the exporter maps it into the kernel. */
static void none_imports(struct kunit *test)
{
	struct none_fixture c = none_fixture_create(test);
	struct drm_sgt_kunit_exporter *e;
	struct drm_gem_sgt_object *bo;
	struct iosys_map map;

	e = drm_sgt_kunit_exporter_create(test, EXPORTER_CACHED, GEM_KUNIT_SIZE + PAGE_SIZE,
					  NULL);
	if (!*(const bool *)test->param_value)
		drm_sgt_kunit_unbind(c.f->d);
	bo = none_import(test, c.f->drm, c.sdev, e->buf);
	KUNIT_EXPECT_TRUE(test, drm_gem_sgt_is_import(bo));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(bo->sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, *(const bool *)test->param_value ? -EOPNOTSUPP : -ENODEV,
			drm_gem_sgt_map(bo));

	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap(&bo->base, &map));
	KUNIT_EXPECT_PTR_EQ(test, map.vaddr, e->mem);
	drm_gem_vunmap(&bo->base, &map);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_vmap(bo->sgt, &map));
	KUNIT_EXPECT_PTR_EQ(test, map.vaddr, e->mem);
	drm_sgt_vunmap(bo->sgt, &map);
	drm_sgt_kunit_exporter_check(e, 0, 0);
	kunit_release_action(test, none_put, &bo->base);
}

/* The line of the device in debugfs says that there is no DMA. */
static void none_in_debugfs(struct kunit *test)
{
	struct none_fixture c = none_fixture_create(test);
	struct seq_file m = { .size = SZ_64K };
	char line[80];

	m.buf = kunit_kzalloc(test, m.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	drm_sgt_device_show_all(&m);
	KUNIT_ASSERT_FALSE(test, seq_has_overflowed(&m));
	snprintf(line, sizeof(line), "\n%-4u %-16s %-16s none  live ",
		 drm_sgt_device_id(c.sdev), dev_name(c.f->d->dev), "-");
	KUNIT_EXPECT_NOT_NULL(test, strstr(m.buf, line));
}

static struct kunit_case drm_sgt_none_cases[] = {
	KUNIT_CASE(none_object),
	KUNIT_CASE(none_of_a_wc_object),
	KUNIT_CASE_PARAM(none_exports, none_bound_gen_params),
	KUNIT_CASE_PARAM(none_imports, none_bound_gen_params),
	KUNIT_CASE(none_in_debugfs),
	{}
};

static struct kunit_suite drm_sgt_none_suite = {
	.name = "drm_sgt_none",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_sgt_none_cases,
};

kunit_test_suite(drm_sgt_none_suite);
