// SPDX-License-Identifier: GPL-2.0

#include <drm/drm_mm.h>
#include <drm/drm_vma_manager.h>

#include "drm_gem_sgt_kunit_helpers.h"

/* Objects in memory that the layer neither allocates nor frees. */

struct init_object {
	/* not first, so that a kfree() of the object cannot go unnoticed */
	unsigned int released;
	struct drm_gem_sgt_object base;
};

static void init_object_free(struct drm_gem_object *obj)
{
	struct init_object *own = container_of(to_drm_gem_sgt_obj(obj),
					       struct init_object, base);

	drm_gem_sgt_release(&own->base);
	own->released++;
}

static const struct drm_gem_object_funcs init_object_funcs = {
	.free = init_object_free,
	.vmap = drm_gem_sgt_object_vmap,
	.vunmap = drm_gem_sgt_object_vunmap,
	.mmap = drm_gem_sgt_object_mmap,
	.vm_ops = &drm_gem_sgt_vm_ops,
};

static struct init_object *init_object_alloc(struct kunit *test)
{
	struct init_object *own = kunit_kzalloc(test, sizeof(*own), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, own);
	own->base.base.funcs = &init_object_funcs;
	return own;
}

/* It is an object like any other, and its memory is still there after its end. */
static void init_makes_an_object(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct init_object *own = init_object_alloc(test);
	struct drm_gem_sgt_object *bo = &own->base;

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_init(f->drm, bo, f->d->sdev, GEM_KUNIT_SIZE - 1));
	KUNIT_EXPECT_EQ(test, bo->base.size, GEM_KUNIT_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, bo->base.funcs, &init_object_funcs);
	KUNIT_EXPECT_NE(test, drm_vma_node_offset_addr(&bo->base.vma_node), 0);
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_map(bo));
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).mapped, 1);
	drm_gem_object_put(&bo->base);
	KUNIT_EXPECT_EQ(test, own->released, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).tables, 0);
}

/* A size that is refused leaves memory that can be used again. */
static void init_refuses_a_size(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct init_object *own = init_object_alloc(test);

	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gem_sgt_init(f->drm, &own->base, f->d->sdev, 0));
	KUNIT_EXPECT_EQ(test, -E2BIG, drm_gem_sgt_init(f->drm, &own->base, f->d->sdev, SIZE_MAX));
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).tables, 0);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_init(f->drm, &own->base, f->d->sdev, GEM_KUNIT_SIZE));
	drm_gem_object_put(&own->base.base);
	KUNIT_EXPECT_EQ(test, own->released, 1);
}

struct init_nomem {
	struct kunit *test;
	struct gem_kunit *f;
	struct init_object *own;
};

static int init_nomem_init(void *arg)
{
	struct init_nomem *c = arg;

	memset(c->own, 0, sizeof(*c->own));
	c->own->base.base.funcs = &init_object_funcs;
	return drm_gem_sgt_init(c->f->drm, &c->own->base, c->f->d->sdev, GEM_KUNIT_SIZE);
}

static void init_nomem_check(void *arg, int ret)
{
	struct init_nomem *c = arg;

	if (!ret)
		drm_gem_object_put(&c->own->base.base);
	else if (ret != -ENOSPC) /* no inode for the file: says shmem */
		KUNIT_EXPECT_EQ(c->test, ret, -ENOMEM);
	KUNIT_EXPECT_EQ(c->test, c->own->released, !ret);
	KUNIT_EXPECT_EQ(c->test, drm_sgt_kunit_stats(c->f->d->sdev).tables, 0);
	KUNIT_EXPECT_TRUE(c->test,
			  drm_mm_clean(&c->f->drm->vma_offset_manager->vm_addr_space_mm));
}

/* Without memory, nothing is left, and the free callback is not called. */
static void init_without_memory(struct kunit *test)
{
	struct init_nomem c = {
		.test = test,
		.f = gem_kunit_create(test, &gem_kunit_driver),
		.own = init_object_alloc(test),
	};

	drm_sgt_kunit_nomem(test);
	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, init_nomem_init, init_nomem_check, &c), 3);
}

static struct kunit_case drm_gem_sgt_init_cases[] = {
	KUNIT_CASE(init_makes_an_object),
	KUNIT_CASE(init_refuses_a_size),
	KUNIT_CASE(init_without_memory),
	{}
};

static struct kunit_suite drm_gem_sgt_init_suite = {
	.name = "drm_gem_sgt_init",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gem_sgt_init_cases,
};

kunit_test_suite(drm_gem_sgt_init_suite);
