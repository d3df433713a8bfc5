// SPDX-License-Identifier: GPL-2.0

#include <kunit/device.h>
#include <linux/dma-resv.h>
#include <linux/highmem.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_mode.h>
#include <drm/drm_mode_config.h>

#include "drm_gem_sgt_kunit_helpers.h"

/* An object of a driver: the embedded one must come first. */
struct gem_object {
	struct drm_gem_sgt_object base;
	struct gem_kunit *f;
};

static void gem_object_free(struct drm_gem_object *obj)
{
	struct gem_object *own = container_of(to_drm_gem_sgt_obj(obj),
					      struct gem_object, base);

	own->f->freed_by = current;
	own->f->objects--;
	drm_gem_sgt_object_free(obj);
}

/* The default functions, except for a free that counts. */
const struct drm_gem_object_funcs gem_kunit_object_funcs = {
	.free = gem_object_free,
	.export = drm_gem_sgt_prime_export,
	.print_info = drm_gem_sgt_object_print_info,
	.pin = drm_gem_sgt_object_pin,
	.unpin = drm_gem_sgt_object_unpin,
	.get_sg_table = drm_gem_sgt_object_get_sg_table,
	.vmap = drm_gem_sgt_object_vmap,
	.vunmap = drm_gem_sgt_object_vunmap,
	.mmap = drm_gem_sgt_object_mmap,
	.vm_ops = &drm_gem_sgt_vm_ops,
};

static struct gem_kunit *gem_kunit_of(struct drm_device *drm)
{
	return dev_get_drvdata(drm->dev);
}

static struct drm_gem_object *gem_create_object(struct drm_device *drm, size_t size)
{
	struct gem_kunit *f = gem_kunit_of(drm);
	struct gem_object *own;

	if (f->create_object_err)
		return ERR_PTR(f->create_object_err);

	own = kzalloc(sizeof(*own), GFP_KERNEL);
	if (!own)
		return ERR_PTR(-ENOMEM);
	own->f = f;
	own->base.base.funcs = &gem_kunit_object_funcs;
	own->base.map_wc = f->map_wc;
	f->objects++;
	return &own->base.base;
}

static int gem_dumb_create(struct drm_file *file, struct drm_device *drm,
			   struct drm_mode_create_dumb *args)
{
	return drm_gem_sgt_dumb_create(file, drm, gem_kunit_of(drm)->d->sdev, args);
}

DEFINE_DRM_GEM_SGT_FOPS(gem_fops);

const struct drm_driver gem_kunit_driver = {
	.driver_features = DRIVER_GEM | DRIVER_MODESET,
	.dumb_create = gem_dumb_create,
	.fops = &gem_fops,
	.name = "drm-gem-sgt-kunit",
	.desc = "drm-gem-sgt-kunit",
};

const struct drm_driver gem_kunit_driver_with_objects = {
	.driver_features = DRIVER_GEM | DRIVER_MODESET,
	.dumb_create = gem_dumb_create,
	.gem_create_object = gem_create_object,
	.fops = &gem_fops,
	.name = "drm-gem-sgt-kunit",
	.desc = "drm-gem-sgt-kunit",
};
EXPORT_SYMBOL_GPL(gem_kunit_driver_with_objects);

KUNIT_DEFINE_ACTION_WRAPPER(gem_drm_put, drm_dev_put, struct drm_device *);
KUNIT_DEFINE_ACTION_WRAPPER(gem_client_release, drm_client_release, struct drm_client_dev *);
KUNIT_DEFINE_ACTION_WRAPPER(gem_object_put, drm_gem_object_put, struct drm_gem_object *);

static void gem_kunit_end(void *data)
{
	struct gem_kunit *f = data;

	/* The last object may be freed with a file, which a work item closes. */
	KUNIT_EXPECT_TRUE(f->test, drm_sgt_kunit_until(!READ_ONCE(f->objects)));
}

/* Create a DRM device with a parent of its own; the case has the reference. */
struct drm_device *gem_kunit_card(struct kunit *test, const char *name,
				  const struct drm_driver *driver)
{
	struct device *card = kunit_device_register(test, name);
	struct drm_device *drm;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, card);
	drm = drm_dev_alloc(driver, card);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, gem_drm_put, drm));
	return drm;
}

struct gem_kunit *gem_kunit_create_on(struct kunit *test, const struct drm_driver *driver,
				      struct drm_sgt_kunit_device *d)
{
	struct gem_kunit *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->test = test;
	f->d = d;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, gem_kunit_end, f));
	f->drm = gem_kunit_card(test, "card", driver);
	dev_set_drvdata(f->drm->dev, f);
	return f;
}

struct gem_kunit *gem_kunit_create(struct kunit *test, const struct drm_driver *driver)
{
	return gem_kunit_create_on(test, driver, drm_sgt_kunit_bind(test));
}
EXPORT_SYMBOL_GPL(gem_kunit_create);

/* A DRM file of the fixture, with handles of its own. */
struct drm_file *gem_kunit_open(struct gem_kunit *f)
{
	struct kunit *test = f->test;

	KUNIT_ASSERT_EQ(test, 0, drmm_mode_config_init(f->drm));
	KUNIT_ASSERT_EQ(test, 0, drm_client_init(f->drm, &f->client, "kunit", NULL));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, gem_client_release, &f->client));
	return f->client.file;
}

struct drm_gem_sgt_object *gem_kunit_bo(struct gem_kunit *f, size_t size)
{
	struct drm_gem_sgt_object *bo = drm_gem_sgt_create(f->drm, f->d->sdev, size);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(f->test, bo);
	KUNIT_ASSERT_EQ(f->test, 0,
			kunit_add_action_or_reset(f->test, gem_object_put, &bo->base));
	return bo;
}
EXPORT_SYMBOL_GPL(gem_kunit_bo);

void gem_kunit_bo_free(struct gem_kunit *f, struct drm_gem_sgt_object *bo)
{
	kunit_release_action(f->test, gem_object_put, &bo->base);
}
EXPORT_SYMBOL_GPL(gem_kunit_bo_free);

/* drm_gem_sgt_evict_locked(), with the resv */
int gem_kunit_evict(struct drm_gem_sgt_object *bo)
{
	int ret;

	dma_resv_lock(bo->base.resv, NULL);
	ret = drm_gem_sgt_evict_locked(bo);
	dma_resv_unlock(bo->base.resv);
	return ret;
}
EXPORT_SYMBOL_GPL(gem_kunit_evict);

u8 gem_kunit_pattern(size_t i, u8 seed)
{
	return i * 7 + (i >> 8) * 3 + (i >> 12) + seed;
}

void gem_kunit_fill(u8 *p, size_t size, u8 seed)
{
	size_t i;

	for (i = 0; i < size; i++)
		p[i] = gem_kunit_pattern(i, seed);
}

/* The first byte from @start to @end that differs from the pattern; @end if none does. */
size_t gem_kunit_check(const u8 *p, size_t start, size_t end, u8 seed)
{
	size_t i;

	for (i = start; i < end && p[i - start] == gem_kunit_pattern(i, seed); i++)
		;
	return i;
}

/* Check the pages of an object one by one, or write them. */
void gem_kunit_each_page(struct kunit *test, struct drm_gem_sgt_object *bo, u8 seed,
			 bool write)
{
	struct drm_sgt_run_iter iter;
	struct drm_sgt_run run;
	unsigned long k;
	size_t pos = 0;

	drm_sgt_run_iter_init(&iter, bo->sgt);
	while (drm_sgt_run_iter_next(&iter, &run))
		for (k = 0; k < run.nr_pages; k++, pos += PAGE_SIZE) {
			u8 *p = kmap_local_page(run.page + k);
			size_t i;

			for (i = 0; write && i < PAGE_SIZE; i++)
				p[i] = gem_kunit_pattern(pos + i, seed);
			i = gem_kunit_check(p, pos, pos + PAGE_SIZE, seed);
			kunmap_local(p);
			KUNIT_EXPECT_EQ_MSG(test, i, pos + PAGE_SIZE, "byte %zu", i);
		}
	KUNIT_EXPECT_EQ(test, pos, bo->base.size);
}
