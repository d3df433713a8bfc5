// SPDX-License-Identifier: GPL-2.0

#include <kunit/test-bug.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/uaccess.h>

#include <drm/drm_gem.h>

#include "drm_gem_sgt_kunit_helpers.h"
#include "drm_sgt_kunit_exporter.h"

/* madvise, purge and eviction of objects, before and after unbind */

struct gem_reclaim {
	struct kunit *test;
	struct gem_kunit *f;
	struct drm_gem_sgt_object *bo;
};

static int reclaim_madvise(struct drm_gem_sgt_object *bo, int madv)
{
	int ret;

	dma_resv_lock(bo->base.resv, NULL);
	ret = drm_gem_sgt_madvise_locked(bo, madv);
	dma_resv_unlock(bo->base.resv);
	return ret;
}

static int reclaim_purge(struct drm_gem_sgt_object *bo)
{
	int ret;

	dma_resv_lock(bo->base.resv, NULL);
	ret = drm_gem_sgt_purge_locked(bo);
	dma_resv_unlock(bo->base.resv);
	return ret;
}

/* An object that is mapped for its device, filled. */
static struct gem_reclaim reclaim_create(struct kunit *test)
{
	struct gem_reclaim c = { .test = test };

	c.f = gem_kunit_create(test, &gem_kunit_driver);
	c.bo = gem_kunit_bo(c.f, GEM_KUNIT_SIZE);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c.bo));
	gem_kunit_each_page(test, c.bo, 1, true);
	return c;
}

/* The object has no pages, and nothing is mapped for the device. */
static void reclaim_expect_empty(struct gem_reclaim *c)
{
	KUNIT_EXPECT_EQ(c->test, drm_sgt_get_state(c->bo->sgt), DRM_SGT_EMPTY);
	KUNIT_EXPECT_EQ(c->test, drm_sgt_kunit_stats(c->f->d->sdev).mapped, 0);
}

static const bool reclaim_bound[] = { true, false };

static void reclaim_bound_desc(const bool *bound, char *desc)
{
	strscpy(desc, *bound ? "bound" : "after unbind", KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(reclaim_bound, reclaim_bound, reclaim_bound_desc);

static void reclaim_maybe_unbind(struct gem_reclaim *c)
{
	if (!*(const bool *)c->test->param_value)
		drm_sgt_kunit_unbind(c->f->d);
}

/* The answer is whether the bytes are there, and no advice frees them. */
static void reclaim_madvise_keeps_the_bytes(struct kunit *test)
{
	struct gem_reclaim c = reclaim_create(test);
	static const int advice[] = { 0, 1, 0, 2, 1, 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(advice); i++) {
		KUNIT_EXPECT_EQ(test, 1, reclaim_madvise(c.bo, advice[i]));
		KUNIT_EXPECT_EQ(test, drm_gem_sgt_is_purgeable(c.bo), advice[i] > 0);
	}
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(c.bo->sgt), DRM_SGT_MAPPED);
	gem_kunit_each_page(test, c.bo, 1, false);
}

/* What userspace reads in fdinfo */
static void reclaim_shows_in_the_status(struct kunit *test)
{
	struct gem_reclaim c = reclaim_create(test);

	KUNIT_EXPECT_EQ(test, drm_gem_sgt_status(c.bo), DRM_GEM_OBJECT_RESIDENT);
	reclaim_madvise(c.bo, 1);
	KUNIT_EXPECT_EQ(test, drm_gem_sgt_status(c.bo),
			DRM_GEM_OBJECT_RESIDENT | DRM_GEM_OBJECT_PURGEABLE);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_pin(c.bo));
	KUNIT_EXPECT_EQ(test, drm_gem_sgt_status(c.bo), DRM_GEM_OBJECT_RESIDENT);
	drm_gem_sgt_unpin(c.bo);
	KUNIT_ASSERT_EQ(test, 0, reclaim_purge(c.bo));
	KUNIT_EXPECT_EQ(test, drm_gem_sgt_status(c.bo), 0);
}

/*
 * A purge frees the pages and what is in the file, unmaps all, and is for good: madvise
 * says so, a fault is a SIGBUS, and all else that needs pages fails.
 */
static void reclaim_purge_frees_the_bytes(struct kunit *test)
{
	struct gem_reclaim c = reclaim_create(test);
	unsigned long addr = gem_user_map_object(c.f, c.bo), i;
	struct iosys_map map;
	u8 byte;

	gem_user_check(test, addr, 0, 1);
	KUNIT_ASSERT_EQ(test, 1, reclaim_madvise(c.bo, 1));
	reclaim_maybe_unbind(&c);
	KUNIT_ASSERT_EQ(test, 0, reclaim_purge(c.bo));
	reclaim_expect_empty(&c);
	KUNIT_EXPECT_EQ(test, c.bo->base.filp->f_mapping->nrpages, 0);
	for (i = 0; i < GEM_KUNIT_SIZE; i += PAGE_SIZE) {
		KUNIT_EXPECT_NULL(test, gem_user_page(addr + i));
		KUNIT_EXPECT_EQ(test, 1, copy_from_user(&byte, (void __user *)(addr + i), 1));
	}

	KUNIT_EXPECT_EQ(test, 0, reclaim_madvise(c.bo, 0));
	KUNIT_EXPECT_EQ(test, 0, reclaim_madvise(c.bo, 1));
	KUNIT_EXPECT_FALSE(test, drm_gem_sgt_is_purgeable(c.bo));
	KUNIT_EXPECT_EQ(test, 0, reclaim_purge(c.bo));
	KUNIT_EXPECT_EQ(test, 0, gem_kunit_evict(c.bo));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gem_sgt_map(c.bo));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gem_sgt_pin(c.bo));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gem_vmap(&c.bo->base, &map));
	KUNIT_EXPECT_EQ(test, c.bo->base.filp->f_mapping->nrpages, 0);
	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr, GEM_KUNIT_SIZE));
}

/*
 * An evicted object has no pages and no PTEs. A process, the kernel and the device get
 * the same bytes again, and what they write meanwhile is in the next pages as well.
 */
static void reclaim_evict_keeps_the_bytes(struct kunit *test)
{
	struct gem_reclaim c = reclaim_create(test);
	unsigned long addr = gem_user_map_object(c.f, c.bo), i;
	struct iosys_map map;

	gem_user_check(test, addr, 0, 1);
	reclaim_maybe_unbind(&c);
	KUNIT_ASSERT_EQ(test, 0, gem_kunit_evict(c.bo));
	reclaim_expect_empty(&c);
	for (i = 0; i < GEM_KUNIT_SIZE; i += PAGE_SIZE)
		KUNIT_EXPECT_NULL(test, gem_user_page(addr + i));
	KUNIT_EXPECT_EQ(test, 0, gem_kunit_evict(c.bo));

	gem_user_check(test, addr, 0, 1);
	KUNIT_EXPECT_EQ(test, 0, put_user(gem_kunit_pattern(0, 2), (u8 __user *)addr));
	KUNIT_ASSERT_EQ(test, 0, gem_kunit_evict(c.bo));
	reclaim_expect_empty(&c);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap(&c.bo->base, &map));
	KUNIT_EXPECT_EQ(test, *(u8 *)map.vaddr, gem_kunit_pattern(0, 2));
	KUNIT_EXPECT_EQ(test, gem_kunit_check(map.vaddr + 1, 1, GEM_KUNIT_SIZE, 1),
			GEM_KUNIT_SIZE);
	gem_kunit_fill(map.vaddr, GEM_KUNIT_SIZE, 3);
	drm_gem_vunmap(&c.bo->base, &map);
	KUNIT_ASSERT_EQ(test, 0, gem_kunit_evict(c.bo));

	KUNIT_EXPECT_EQ(test, drm_gem_sgt_map(c.bo), c.f->d->bound ? 0 : -ENODEV);
	gem_kunit_each_page(test, c.bo, 3, false);
	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr, GEM_KUNIT_SIZE));
}

/* An unbind of an object that is evicted, and an eviction after that. */
static void reclaim_unbind_of_an_evicted_object(struct kunit *test)
{
	struct gem_reclaim c = reclaim_create(test);

	KUNIT_ASSERT_EQ(test, 0, gem_kunit_evict(c.bo));
	drm_sgt_kunit_unbind(c.f->d);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_pin(c.bo));
	gem_kunit_each_page(test, c.bo, 1, false);
	KUNIT_EXPECT_EQ(test, -EBUSY, gem_kunit_evict(c.bo));
	drm_gem_sgt_unpin(c.bo);
	KUNIT_EXPECT_EQ(test, 0, gem_kunit_evict(c.bo));
	reclaim_expect_empty(&c);
}

/* Neither is done; the bytes, and the mapping for the device, stay. */
static void reclaim_expect_kept(struct gem_reclaim *c)
{
	KUNIT_EXPECT_FALSE(c->test, drm_gem_sgt_is_purgeable(c->bo));
	KUNIT_EXPECT_EQ(c->test, -EBUSY, reclaim_purge(c->bo));
	KUNIT_EXPECT_EQ(c->test, -EBUSY, gem_kunit_evict(c->bo));
	KUNIT_EXPECT_EQ(c->test, drm_sgt_get_state(c->bo->sgt), DRM_SGT_MAPPED);
	gem_kunit_each_page(c->test, c->bo, 1, false);
}

/* A pin, a kernel mapping and an importer keep the pages of an object. */
static void reclaim_leaves_users_alone(struct kunit *test)
{
	struct gem_reclaim c = reclaim_create(test);
	struct dma_buf_attachment *attach;
	struct iosys_map map;
	struct dma_buf *buf;

	KUNIT_ASSERT_EQ(test, 1, reclaim_madvise(c.bo, 1));
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_pin(c.bo));
	reclaim_expect_kept(&c);
	drm_gem_sgt_unpin(c.bo);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap(&c.bo->base, &map));
	reclaim_expect_kept(&c);
	drm_gem_vunmap(&c.bo->base, &map);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_vmap(c.bo->sgt, &map));
	reclaim_expect_kept(&c);
	drm_sgt_vunmap(c.bo->sgt, &map);

	KUNIT_EXPECT_TRUE(test, drm_gem_sgt_is_purgeable(c.bo));
	buf = drm_gem_sgt_prime_export(&c.bo->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, gem_dma_buf_put, buf));
	attach = gem_attach(test, buf);
	reclaim_expect_kept(&c);
	dma_buf_detach(buf, attach);

	/* Shared: evicted, but not purged, even when the dma-buf is gone. */
	KUNIT_EXPECT_EQ(test, -EBUSY, reclaim_purge(c.bo));
	kunit_release_action(test, gem_dma_buf_put, buf);
	KUNIT_EXPECT_EQ(test, -EBUSY, reclaim_purge(c.bo));
	KUNIT_EXPECT_EQ(test, 0, gem_kunit_evict(c.bo));
	reclaim_expect_empty(&c);
}

/* An open access section keeps the mapping, and so does an operation on the table. */
static void reclaim_waits_for_nothing(struct kunit *test)
{
	struct gem_reclaim c = reclaim_create(test);
	int ret;

	KUNIT_EXPECT_EQ(test, -EBUSY, reclaim_purge(c.bo));
	KUNIT_ASSERT_EQ(test, 1, reclaim_madvise(c.bo, 1));
	dma_resv_lock(c.bo->base.resv, NULL);
	drm_sgt_access_scope(view, c.bo->sgt, ret) {
		KUNIT_EXPECT_EQ(test, -EBUSY, drm_gem_sgt_purge_locked(c.bo));
		KUNIT_EXPECT_EQ(test, -EBUSY, drm_gem_sgt_evict_locked(c.bo));
		KUNIT_EXPECT_EQ(test, drm_dma_view_size(view), GEM_KUNIT_SIZE);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);

	mutex_lock(&c.bo->sgt->lock);
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_gem_sgt_purge_locked(c.bo));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_gem_sgt_evict_locked(c.bo));
	mutex_unlock(&c.bo->sgt->lock);

	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_purge_locked(c.bo));
	dma_resv_unlock(c.bo->base.resv);
	reclaim_expect_empty(&c);
}

static int reclaim_do_export(void *arg)
{
	struct drm_gem_sgt_object *bo = arg;
	struct dma_buf *buf = drm_gem_sgt_prime_export(&bo->base, O_RDWR);

	if (IS_ERR(buf))
		return PTR_ERR(buf);
	dma_buf_put(buf);
	/* A kernel thread leaves the last put to a work item. */
	flush_delayed_fput();
	return 0;
}

/* What holds the resv has found the object purgeable: it is not shared before the unlock. */
static void reclaim_holds_off_export(struct kunit *test)
{
	struct gem_reclaim c = reclaim_create(test);
	struct drm_sgt_kunit_thread *export;

	KUNIT_ASSERT_EQ(test, 1, reclaim_madvise(c.bo, 1));
	dma_resv_lock(c.bo->base.resv, NULL);
	export = drm_sgt_kunit_start(test->priv, reclaim_do_export, c.bo);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(!task_is_running(export->task)));
	KUNIT_EXPECT_TRUE(test, drm_gem_sgt_is_purgeable(c.bo));
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_purge_locked(c.bo));
	dma_resv_unlock(c.bo->base.resv);

	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(export));
	KUNIT_EXPECT_EQ(test, export->ret, 0);
	reclaim_expect_empty(&c);
}

KUNIT_DEFINE_ACTION_WRAPPER(reclaim_put, drm_gem_object_put, struct drm_gem_object *);

/* The pages of an import are the exporter's. */
static void reclaim_leaves_imports_alone(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_sgt_kunit_exporter *e;
	struct drm_gem_sgt_object *bo;
	struct drm_gem_object *obj;

	e = drm_sgt_kunit_exporter_create(test, EXPORTER_CACHED, GEM_KUNIT_SIZE, f->d->dev);
	obj = drm_gem_sgt_prime_import(f->drm, f->d->sdev, e->buf, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, reclaim_put, obj));

	bo = to_drm_gem_sgt_obj(obj);
	KUNIT_EXPECT_EQ(test, 1, reclaim_madvise(bo, 1));
	KUNIT_EXPECT_FALSE(test, drm_gem_sgt_is_purgeable(bo));
	KUNIT_EXPECT_EQ(test, -EBUSY, reclaim_purge(bo));
	KUNIT_EXPECT_EQ(test, -EINVAL, gem_kunit_evict(bo));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(bo->sgt), DRM_SGT_MAPPED);
}

static struct kunit_case drm_gem_sgt_reclaim_cases[] = {
	KUNIT_CASE(reclaim_madvise_keeps_the_bytes),
	KUNIT_CASE(reclaim_shows_in_the_status),
	KUNIT_CASE_PARAM(reclaim_purge_frees_the_bytes, reclaim_bound_gen_params),
	KUNIT_CASE_PARAM(reclaim_evict_keeps_the_bytes, reclaim_bound_gen_params),
	KUNIT_CASE(reclaim_unbind_of_an_evicted_object),
	KUNIT_CASE(reclaim_leaves_users_alone),
	KUNIT_CASE(reclaim_waits_for_nothing),
	KUNIT_CASE(reclaim_holds_off_export),
	KUNIT_CASE(reclaim_leaves_imports_alone),
	{}
};

static struct kunit_suite drm_gem_sgt_reclaim_suite = {
	.name = "drm_gem_sgt_reclaim",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gem_sgt_reclaim_cases,
};

kunit_test_suite(drm_gem_sgt_reclaim_suite);
