// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-buf.h>
#include <linux/file.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_mode.h>

#include "drm_gem_sgt_kunit_helpers.h"
#include "drm_sgt_kunit_exporter.h"

/*
 * The default device of a DRM device, and the callbacks that use it. A driver that
 * has both is in drm_gem_sgt_example.c.
 */

DEFINE_DRM_GEM_FOPS(default_fops);

static const struct drm_driver default_driver = {
	.driver_features = DRIVER_GEM | DRIVER_MODESET,
	DRM_GEM_SGT_DRIVER_OPS,
	.fops = &default_fops,
	.name = "drm-gem-sgt-kunit",
	.desc = "drm-gem-sgt-kunit",
};

static unsigned int default_refs(struct gem_kunit *f)
{
	return kref_read(&f->d->sdev->refcount);
}

/* A DRM device on that of the test, without a default. */
static struct drm_device *default_card(struct gem_kunit *f)
{
	struct drm_device *drm = drm_dev_alloc(&default_driver, f->drm->dev);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(f->test, drm);
	return drm;
}

static struct gem_kunit *default_create(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &default_driver);

	KUNIT_ASSERT_EQ(test, 0, drmm_gem_sgt_init(f->drm, f->d->sdev));
	return f;
}

/* Each DRM device has its own, and none before it is registered. */
static void default_is_found(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &default_driver);
	struct drm_sgt_kunit_device *d;
	struct drm_device *card;

	d = drm_sgt_kunit_bind_limits(test, "other", UINT_MAX, ULONG_MAX);
	card = gem_kunit_card(test, "card-b", &default_driver);
	KUNIT_EXPECT_NULL(test, drm_gem_sgt_default_device(f->drm));
	KUNIT_ASSERT_EQ(test, 0, drmm_gem_sgt_init(f->drm, f->d->sdev));
	KUNIT_EXPECT_PTR_EQ(test, drm_gem_sgt_default_device(f->drm), f->d->sdev);
	KUNIT_EXPECT_NULL(test, drm_gem_sgt_default_device(card));

	KUNIT_ASSERT_EQ(test, 0, drmm_gem_sgt_init(card, d->sdev));
	KUNIT_EXPECT_PTR_EQ(test, drm_gem_sgt_default_device(card), d->sdev);
	KUNIT_EXPECT_PTR_EQ(test, drm_gem_sgt_default_device(f->drm), f->d->sdev);
}

/* A second one is refused, and the first one stays. */
static void default_is_registered_once(struct kunit *test)
{
	struct gem_kunit *f = default_create(test);
	struct drm_sgt_kunit_device *d;
	unsigned int refs;

	d = drm_sgt_kunit_bind_limits(test, "other", UINT_MAX, ULONG_MAX);
	refs = kref_read(&d->sdev->refcount);
	KUNIT_EXPECT_EQ(test, -EBUSY, drmm_gem_sgt_init(f->drm, d->sdev));
	KUNIT_EXPECT_EQ(test, kref_read(&d->sdev->refcount), refs);
	KUNIT_EXPECT_PTR_EQ(test, drm_gem_sgt_default_device(f->drm), f->d->sdev);
}

/* DRM devices that share one have a reference each, and drop it at their release. */
static void default_is_dropped_with_the_drm_device(struct kunit *test)
{
	struct gem_kunit *f = default_create(test);
	unsigned int refs = default_refs(f);
	struct drm_device *drm = default_card(f);

	KUNIT_EXPECT_EQ(test, 0, drmm_gem_sgt_init(drm, f->d->sdev));
	KUNIT_EXPECT_EQ(test, default_refs(f), refs + 1);
	drm_dev_put(drm);
	KUNIT_EXPECT_EQ(test, default_refs(f), refs);
	/* The next one may have the address of the last one. */
	KUNIT_EXPECT_NULL(test, drm_gem_sgt_default_device(drm));
	KUNIT_EXPECT_PTR_EQ(test, drm_gem_sgt_default_device(f->drm), f->d->sdev);
}

/* After unbind, it makes objects, and maps none. */
static void default_outlives_unbind(struct kunit *test)
{
	struct gem_kunit *f = default_create(test);
	struct drm_sgt_device *sdev;
	struct drm_gem_sgt_object *bo;

	drm_sgt_kunit_unbind(f->d);
	sdev = drm_gem_sgt_default_device(f->drm);
	KUNIT_ASSERT_PTR_EQ(test, sdev, f->d->sdev);
	bo = drm_gem_sgt_create(f->drm, sdev, GEM_KUNIT_SIZE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_gem_sgt_map(bo));
	drm_gem_object_put(&bo->base);
}

/* The last reference to a device can be that of the DRM device. */
static void default_is_freed_with_the_drm_device(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &default_driver);
	struct device *owner = drm_sgt_kunit_dma_device(test, "owner", UINT_MAX, ULONG_MAX);
	struct drm_device *drm = default_card(f);
	struct drm_sgt_device *sdev;
	unsigned int refs;

	KUNIT_ASSERT_EQ(test, 0, devm_drm_gem_sgt_init(drm, owner, owner));
	sdev = drm_gem_sgt_default_device(drm);
	KUNIT_ASSERT_NOT_NULL(test, sdev);
	KUNIT_EXPECT_PTR_EQ(test, drm_sgt_device_dma_dev(sdev), owner);
	/* The owner, and the DRM device */
	KUNIT_EXPECT_EQ(test, kref_read(&sdev->refcount), 2);

	device_release_driver(owner);
	KUNIT_EXPECT_PTR_EQ(test, drm_gem_sgt_default_device(drm), sdev);
	KUNIT_EXPECT_TRUE(test, drm_sgt_device_is_gone(sdev));
	KUNIT_EXPECT_EQ(test, kref_read(&sdev->refcount), 1);
	/* A device holds a reference to the one that does the DMA. */
	refs = kref_read(&owner->kobj.kref);
	drm_dev_put(drm);
	KUNIT_EXPECT_EQ(test, kref_read(&owner->kobj.kref), refs - 1);
}

/* No device is created, so none is registered. */
static void default_without_dma_device(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &default_driver);

	KUNIT_EXPECT_EQ(test, -EINVAL, devm_drm_gem_sgt_init(f->drm, f->d->dev, NULL));
	KUNIT_EXPECT_NULL(test, drm_gem_sgt_default_device(f->drm));
}

/* The callbacks */

static void default_dumb_create(struct kunit *test)
{
	struct drm_mode_create_dumb args = { .width = 100, .height = 50, .bpp = 32 };
	struct gem_kunit *f = default_create(test);
	struct drm_file *file = gem_kunit_open(f);
	struct drm_gem_object *obj;
	u64 offset = 0;

	KUNIT_ASSERT_EQ(test, 0, f->drm->driver->dumb_create(file, f->drm, &args));
	obj = drm_gem_object_lookup(file, args.handle);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	KUNIT_EXPECT_EQ(test, obj->size, args.size);
	KUNIT_EXPECT_PTR_EQ(test, drm_sgt_get_device(to_drm_gem_sgt_obj(obj)->sgt), f->d->sdev);
	KUNIT_EXPECT_EQ(test, 0, f->drm->driver->dumb_map_offset(file, f->drm, args.handle,
								 &offset));
	KUNIT_EXPECT_EQ(test, offset, drm_vma_node_offset_addr(&obj->vma_node));
	drm_gem_object_put(obj);
	KUNIT_EXPECT_EQ(test, 0, drm_gem_handle_delete(file, args.handle));
}

/* The driver does not say what its device does with an import: it may do all. */
static void default_import(struct kunit *test)
{
	struct gem_kunit *f = default_create(test);
	struct drm_sgt_kunit_exporter *e;
	struct drm_gem_object *obj;
	struct drm_sgt *sgt;

	e = drm_sgt_kunit_exporter_create(test, EXPORTER_CACHED, GEM_KUNIT_SIZE, f->d->dev);
	obj = f->drm->driver->gem_prime_import(f->drm, e->buf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	sgt = to_drm_gem_sgt_obj(obj)->sgt;
	KUNIT_EXPECT_PTR_EQ(test, drm_sgt_get_device(sgt), f->d->sdev);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(sgt), DRM_SGT_MAPPED);
	KUNIT_EXPECT_EQ(test, e->dir, DMA_BIDIRECTIONAL);
	drm_gem_object_put(obj);
	drm_sgt_kunit_exporter_check(e, 1, 1);

	drm_sgt_kunit_unbind(f->d);
	KUNIT_EXPECT_EQ(test, -ENODEV,
			PTR_ERR_OR_ZERO(f->drm->driver->gem_prime_import(f->drm, e->buf)));
	drm_sgt_kunit_exporter_check(e, 1, 1);
}

/* A driver that has forgotten the default gets an error, and no object. */
static void default_is_missing(struct kunit *test)
{
	struct drm_mode_create_dumb args = { .width = 100, .height = 50, .bpp = 32 };
	struct gem_kunit *f = gem_kunit_create(test, &default_driver);
	struct drm_file *file = gem_kunit_open(f);
	struct drm_sgt_kunit_exporter *e;

	e = drm_sgt_kunit_exporter_create(test, EXPORTER_CACHED, GEM_KUNIT_SIZE, f->d->dev);
	KUNIT_EXPECT_EQ(test, -ENODEV, f->drm->driver->dumb_create(file, f->drm, &args));
	KUNIT_EXPECT_EQ(test, args.handle, 0);
	KUNIT_EXPECT_EQ(test, -ENODEV,
			PTR_ERR_OR_ZERO(f->drm->driver->gem_prime_import(f->drm, e->buf)));
	drm_sgt_kunit_exporter_check(e, 0, 0);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).tables, 0);
}

struct default_nomem {
	struct gem_kunit *f;
	struct device *owner;
	struct drm_device *drm;
	unsigned int refs;
};

static void default_nomem_prepare(struct default_nomem *c)
{
	c->drm = default_card(c->f);
	KUNIT_ASSERT_NOT_NULL(c->f->test, devres_open_group(c->owner, c, GFP_KERNEL));
	c->refs = kref_read(&c->owner->kobj.kref);
}

static int default_nomem_init(void *arg)
{
	struct default_nomem *c = arg;

	return devm_drm_gem_sgt_init(c->drm, c->owner, c->owner);
}

/* No device is left, which would have a reference to its owner. */
static void default_nomem_check(void *arg, int ret)
{
	struct default_nomem *c = arg;
	struct kunit *test = c->f->test;

	if (ret) {
		KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
		KUNIT_EXPECT_NULL(test, drm_gem_sgt_default_device(c->drm));
	}
	devres_release_group(c->owner, c);
	drm_dev_put(c->drm);
	KUNIT_EXPECT_EQ(test, kref_read(&c->owner->kobj.kref), c->refs);
	default_nomem_prepare(c);
}

static void default_without_memory(struct kunit *test)
{
	struct default_nomem c = { .f = gem_kunit_create(test, &default_driver) };

	c.owner = drm_sgt_kunit_dma_device(test, "owner", UINT_MAX, ULONG_MAX);
	default_nomem_prepare(&c);
	drm_sgt_kunit_nomem(test);
	/* The device, its name, two actions. The xarray tries again by itself. */
	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, default_nomem_init,
						  default_nomem_check, &c), 2);
	devres_release_group(c.owner, &c);
	drm_dev_put(c.drm);
}

static struct kunit_case drm_gem_sgt_default_cases[] = {
	KUNIT_CASE(default_is_found),
	KUNIT_CASE(default_is_registered_once),
	KUNIT_CASE(default_is_dropped_with_the_drm_device),
	KUNIT_CASE(default_is_freed_with_the_drm_device),
	KUNIT_CASE(default_outlives_unbind),
	KUNIT_CASE(default_without_dma_device),
	KUNIT_CASE(default_dumb_create),
	KUNIT_CASE(default_import),
	KUNIT_CASE(default_is_missing),
	KUNIT_CASE(default_without_memory),
	{}
};

static struct kunit_suite drm_gem_sgt_default_suite = {
	.name = "drm_gem_sgt_default",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gem_sgt_default_cases,
};

kunit_test_suite(drm_gem_sgt_default_suite);
