// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/shrinker.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>

#include "drm_gem_sgt_kunit_helpers.h"
#include "../drm_gem_sgt_shrinker.h"

/*
 * The shrinker, called through its callbacks. The kernel of the tests can call it too, but
 * has memory enough not to.
 */

#define SHRINKER_PAGES	(GEM_KUNIT_SIZE / PAGE_SIZE)
#define SHRINKER_BOS	3

struct gem_shrinker {
	struct kunit *test;
	struct gem_kunit *f;
	struct drm_gem_sgt_shrinker *s;
	struct drm_gem_sgt_object *bo[SHRINKER_BOS];
	/* calls of shrinker_idle(), and what it returns */
	unsigned int idle;
	int idle_ret;
	/* shrinker_idle() drops the reference of the case to this one */
	struct drm_gem_sgt_object *drop;
};

/* Of the case that runs: the callback has no argument for it. */
static struct gem_shrinker *shrinker_case;

static int shrinker_idle(struct drm_gem_sgt_object *bo)
{
	struct gem_shrinker *c = shrinker_case;

	dma_resv_assert_held(bo->base.resv);
	KUNIT_EXPECT_EQ(c->test, drm_sgt_get_state(bo->sgt), DRM_SGT_MAPPED);
	c->idle++;
	if (bo == c->drop)
		gem_kunit_bo_free(c->f, bo);
	return c->idle_ret;
}

static const struct drm_gem_sgt_shrinker_ops shrinker_ops = { .idle = shrinker_idle };

static bool shrinker_has_swap(void)
{
	return true;
}

static bool shrinker_has_no_swap(void)
{
	return false;
}

/* Objects that are mapped for their device and filled, in the order of their use. */
static struct gem_shrinker *shrinker_create(struct kunit *test,
					    const struct drm_gem_sgt_shrinker_ops *ops)
{
	struct gem_shrinker *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->test = test;
	c->f = gem_kunit_create(test, &gem_kunit_driver_with_objects);
	KUNIT_ASSERT_EQ(test, 0, drmm_gem_sgt_shrinker_init(c->f->drm, ops));
	kunit_activate_static_stub(test, drm_gem_sgt_can_swap, shrinker_has_swap);
	for (i = 0; i < SHRINKER_BOS; i++) {
		c->bo[i] = gem_kunit_bo(c->f, GEM_KUNIT_SIZE);
		KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c->bo[i]));
		gem_kunit_each_page(test, c->bo[i], i, true);
	}
	c->s = c->bo[0]->shrinker;
	KUNIT_ASSERT_NOT_NULL(test, c->s);
	shrinker_case = c;
	return c;
}

static unsigned long shrinker_count(struct gem_shrinker *c)
{
	struct shrink_control sc = {};

	return c->s->shrinker->count_objects(c->s->shrinker, &sc);
}

/* Expect that a scan of up to @nr pages looks at @scanned and frees @freed of them. */
static void shrinker_scan(struct gem_shrinker *c, unsigned long nr, unsigned long scanned,
			  unsigned long freed)
{
	struct shrink_control sc = { .nr_to_scan = nr, .nr_scanned = nr };

	KUNIT_EXPECT_EQ(c->test, c->s->shrinker->scan_objects(c->s->shrinker, &sc),
			scanned ? freed : SHRINK_STOP);
	KUNIT_EXPECT_EQ(c->test, sc.nr_scanned, scanned);
}

static void shrinker_madvise(struct drm_gem_sgt_object *bo, int madv)
{
	dma_resv_lock(bo->base.resv, NULL);
	drm_gem_sgt_madvise_locked(bo, madv);
	dma_resv_unlock(bo->base.resv);
}

static void shrinker_expect_states(struct gem_shrinker *c, enum drm_sgt_state first,
				   enum drm_sgt_state second, enum drm_sgt_state third)
{
	KUNIT_EXPECT_EQ(c->test, drm_sgt_get_state(c->bo[0]->sgt), first);
	KUNIT_EXPECT_EQ(c->test, drm_sgt_get_state(c->bo[1]->sgt), second);
	KUNIT_EXPECT_EQ(c->test, drm_sgt_get_state(c->bo[2]->sgt), third);
}

/* What is counted is what a scan can free: with swap, all that is not pinned or empty. */
static void shrinker_counts_what_it_can_free(struct kunit *test)
{
	struct gem_shrinker *c = shrinker_create(test, &shrinker_ops);

	gem_kunit_bo(c->f, GEM_KUNIT_SIZE);
	KUNIT_EXPECT_EQ(test, shrinker_count(c), 3 * SHRINKER_PAGES);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_pin(c->bo[0]));
	KUNIT_EXPECT_EQ(test, shrinker_count(c), 2 * SHRINKER_PAGES);
	shrinker_madvise(c->bo[0], 1);
	KUNIT_EXPECT_EQ(test, shrinker_count(c), 2 * SHRINKER_PAGES);
	drm_gem_sgt_unpin(c->bo[0]);
	KUNIT_EXPECT_EQ(test, shrinker_count(c), 3 * SHRINKER_PAGES);

	kunit_activate_static_stub(test, drm_gem_sgt_can_swap, shrinker_has_no_swap);
	KUNIT_EXPECT_EQ(test, shrinker_count(c), SHRINKER_PAGES);
	shrinker_scan(c, 100, SHRINKER_PAGES, SHRINKER_PAGES);
	KUNIT_EXPECT_EQ(test, shrinker_count(c), 0);
	KUNIT_EXPECT_LT(test, c->bo[0]->madv, 0);
	shrinker_scan(c, 100, 0, 0);
	shrinker_expect_states(c, DRM_SGT_EMPTY, DRM_SGT_MAPPED, DRM_SGT_MAPPED);
}

/*
 * Purgeable objects go first, then those that were used longest ago, and no more than
 * asked for. A map or a fault brings back what was evicted, as the last one to go.
 */
static void shrinker_frees_the_oldest_first(struct kunit *test)
{
	struct gem_shrinker *c = shrinker_create(test, &shrinker_ops);

	shrinker_madvise(c->bo[2], 1);
	shrinker_scan(c, 1, SHRINKER_PAGES, SHRINKER_PAGES);
	shrinker_expect_states(c, DRM_SGT_MAPPED, DRM_SGT_MAPPED, DRM_SGT_EMPTY);
	KUNIT_EXPECT_LT(test, c->bo[2]->madv, 0);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c->bo[0]));
	shrinker_scan(c, 1, SHRINKER_PAGES, SHRINKER_PAGES);
	shrinker_expect_states(c, DRM_SGT_MAPPED, DRM_SGT_EMPTY, DRM_SGT_EMPTY);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c->bo[1]));
	gem_kunit_each_page(test, c->bo[1], 1, false);
	shrinker_scan(c, SHRINKER_PAGES, SHRINKER_PAGES, SHRINKER_PAGES);
	shrinker_expect_states(c, DRM_SGT_EMPTY, DRM_SGT_MAPPED, DRM_SGT_EMPTY);
	shrinker_scan(c, 100, SHRINKER_PAGES, SHRINKER_PAGES);
	KUNIT_EXPECT_EQ(test, c->idle, 4);
	KUNIT_EXPECT_EQ(test, shrinker_count(c), 0);
}

/* A process that faults the pages in makes the object reclaimable again. */
static void shrinker_finds_what_a_fault_populates(struct kunit *test)
{
	struct gem_shrinker *c = shrinker_create(test, &shrinker_ops);
	unsigned long addr = gem_user_map_object(c->f, c->bo[0]);

	shrinker_scan(c, 100, 3 * SHRINKER_PAGES, 3 * SHRINKER_PAGES);
	KUNIT_EXPECT_EQ(test, shrinker_count(c), 0);
	gem_user_check(test, addr, 0, 0);
	KUNIT_EXPECT_EQ(test, shrinker_count(c), SHRINKER_PAGES);
	shrinker_scan(c, 100, SHRINKER_PAGES, SHRINKER_PAGES);
	gem_user_check(test, addr, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr, GEM_KUNIT_SIZE));
}

/* What a driver populates by the table is found, too, without a map or a fault. */
static void shrinker_finds_what_the_driver_populates(struct kunit *test)
{
	struct gem_shrinker *c = shrinker_create(test, &shrinker_ops);

	shrinker_scan(c, 100, 3 * SHRINKER_PAGES, 3 * SHRINKER_PAGES);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_populate(c->bo[1]->sgt));
	KUNIT_EXPECT_EQ(test, shrinker_count(c), SHRINKER_PAGES);
	shrinker_scan(c, 100, SHRINKER_PAGES, SHRINKER_PAGES);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_pin_pages(c->bo[2]->sgt));
	KUNIT_EXPECT_EQ(test, shrinker_count(c), SHRINKER_PAGES);
	drm_sgt_unpin_pages(c->bo[2]->sgt);
}

static const char *shrinker_fence_name(struct dma_fence *fence)
{
	return "kunit";
}

static const struct dma_fence_ops shrinker_fence_ops = {
	.get_driver_name = shrinker_fence_name,
	.get_timeline_name = shrinker_fence_name,
};

/* Add a fence that has not signalled to the resv of an object, and return it. */
static struct dma_fence *shrinker_add_fence(struct gem_shrinker *c,
					    struct drm_gem_sgt_object *bo)
{
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	static DEFINE_SPINLOCK(lock);

	KUNIT_ASSERT_NOT_NULL(c->test, fence);
	dma_fence_init(fence, &shrinker_fence_ops, &lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(bo->base.resv, NULL);
	KUNIT_ASSERT_EQ(c->test, 0, dma_resv_reserve_fences(bo->base.resv, 1));
	dma_resv_add_fence(bo->base.resv, fence, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(bo->base.resv);
	return fence;
}

/*
 * An object whose resv is locked, that has a fence, that has a pin of its table, or that
 * the driver needs, is looked at once and left alone. The driver is asked last.
 */
static void shrinker_leaves_busy_objects_alone(struct kunit *test)
{
	struct gem_shrinker *c = shrinker_create(test, &shrinker_ops);
	struct dma_fence *fence = shrinker_add_fence(c, c->bo[1]);

	dma_resv_lock(c->bo[0]->base.resv, NULL);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_pin_pages(c->bo[2]->sgt));
	shrinker_scan(c, 100, 3 * SHRINKER_PAGES, 0);
	KUNIT_EXPECT_EQ(test, c->idle, 0);

	dma_resv_unlock(c->bo[0]->base.resv);
	dma_fence_signal(fence);
	dma_fence_put(fence);
	drm_sgt_unpin_pages(c->bo[2]->sgt);
	c->idle_ret = -EBUSY;
	shrinker_scan(c, 100, 3 * SHRINKER_PAGES, 0);
	KUNIT_EXPECT_EQ(test, c->idle, 3);
	shrinker_expect_states(c, DRM_SGT_MAPPED, DRM_SGT_MAPPED, DRM_SGT_MAPPED);

	c->idle_ret = 0;
	shrinker_scan(c, 100, 3 * SHRINKER_PAGES, 3 * SHRINKER_PAGES);
}

/*
 * Without the callback of the driver, what is mapped stays, and is not counted, until the
 * unbind. After that, everything can go, and the callback would not be called.
 */
static void shrinker_without_the_driver(struct kunit *test)
{
	struct gem_shrinker *c = shrinker_create(test, NULL);
	struct drm_gem_sgt_object *pinned = gem_kunit_bo(c->f, GEM_KUNIT_SIZE);

	KUNIT_EXPECT_EQ(test, shrinker_count(c), 0);
	shrinker_scan(c, 100, 0, 0);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_pin(pinned));
	KUNIT_EXPECT_EQ(test, shrinker_count(c), 0);

	drm_sgt_kunit_unbind(c->f->d);
	KUNIT_EXPECT_EQ(test, shrinker_count(c), 3 * SHRINKER_PAGES);
	shrinker_scan(c, 100, 3 * SHRINKER_PAGES, 3 * SHRINKER_PAGES);
	KUNIT_EXPECT_EQ(test, shrinker_count(c), 0);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_pin(c->bo[1]));
	gem_kunit_each_page(test, c->bo[1], 1, false);
	drm_gem_sgt_unpin(c->bo[1]);
	drm_gem_sgt_unpin(pinned);
	KUNIT_EXPECT_EQ(test, shrinker_count(c), 2 * SHRINKER_PAGES);
}

/* The objects of a device that is bound do not hide those of one that is not. */
static void shrinker_with_two_devices(struct kunit *test)
{
	struct gem_shrinker *c = shrinker_create(test, NULL);
	struct drm_sgt_kunit_device *other = drm_sgt_kunit_bind_phys(test, NULL);
	struct drm_gem_sgt_object *bo;

	bo = drm_gem_sgt_create(c->f->drm, other->sdev, GEM_KUNIT_SIZE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_map(bo));
	drm_sgt_kunit_unbind(other);

	KUNIT_EXPECT_EQ(test, shrinker_count(c), SHRINKER_PAGES);
	shrinker_scan(c, 100, SHRINKER_PAGES, SHRINKER_PAGES);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(bo->sgt), DRM_SGT_EMPTY);
	shrinker_expect_states(c, DRM_SGT_MAPPED, DRM_SGT_MAPPED, DRM_SGT_MAPPED);
	KUNIT_EXPECT_EQ(test, shrinker_count(c), 0);
	drm_gem_object_put(&bo->base);
}

/* With the callback, it is not called after the unbind. */
static void shrinker_asks_no_driver_after_unbind(struct kunit *test)
{
	struct gem_shrinker *c = shrinker_create(test, &shrinker_ops);

	drm_sgt_kunit_unbind(c->f->d);
	shrinker_scan(c, 100, 3 * SHRINKER_PAGES, 3 * SHRINKER_PAGES);
	KUNIT_EXPECT_EQ(test, c->idle, 0);
}

/* A scan that has the last reference does not free the object itself: this is reclaim. */
static void shrinker_frees_no_object(struct kunit *test)
{
	struct gem_shrinker *c = shrinker_create(test, &shrinker_ops);

	c->drop = c->bo[0];
	shrinker_scan(c, 1, SHRINKER_PAGES, SHRINKER_PAGES);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(READ_ONCE(c->f->objects) == 2));
	KUNIT_EXPECT_NOT_NULL(test, c->f->freed_by);
	KUNIT_EXPECT_PTR_NE(test, c->f->freed_by, (const struct task_struct *)current);
	KUNIT_EXPECT_EQ(test, shrinker_count(c), 2 * SHRINKER_PAGES);
}

/*
 * A process that has no memory for an object gets that of its own idle objects, the oldest
 * first, and no more than it needs.
 */
static void shrinker_makes_room_for_a_process(struct kunit *test)
{
	struct gem_shrinker *c = shrinker_create(test, &shrinker_ops);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(c->f, GEM_KUNIT_SIZE);

	c->bo[0]->pid = bo->pid + 1;
	KUNIT_EXPECT_TRUE(test, drm_gem_sgt_make_room(bo));
	shrinker_expect_states(c, DRM_SGT_MAPPED, DRM_SGT_EMPTY, DRM_SGT_MAPPED);

	kunit_activate_static_stub(test, drm_gem_sgt_can_swap, shrinker_has_no_swap);
	KUNIT_EXPECT_FALSE(test, drm_gem_sgt_make_room(bo));
	shrinker_madvise(c->bo[2], 1);
	KUNIT_EXPECT_TRUE(test, drm_gem_sgt_make_room(bo));
	shrinker_expect_states(c, DRM_SGT_MAPPED, DRM_SGT_EMPTY, DRM_SGT_EMPTY);
	KUNIT_EXPECT_FALSE(test, drm_gem_sgt_make_room(bo));
}

/* A DRM device has one shrinker. */
static void shrinker_is_one(struct kunit *test)
{
	struct gem_shrinker *c = shrinker_create(test, &shrinker_ops);

	KUNIT_EXPECT_EQ(test, -EBUSY, drmm_gem_sgt_shrinker_init(c->f->drm, NULL));
	KUNIT_EXPECT_EQ(test, shrinker_count(c), 3 * SHRINKER_PAGES);
}

static void shrinker_free_late(struct drm_device *drm, void *data)
{
	struct gem_shrinker *c = data;

	/* The shrinker is gone. The object has the last reference to the lists. */
	KUNIT_EXPECT_EQ(c->test, kref_read(&c->s->refcount), 1);
	KUNIT_EXPECT_EQ(c->test, c->s->evictable.count, SHRINKER_PAGES);
	drm_gem_object_put(&c->bo[0]->base);
}

/* The lists outlive an object that the release of the DRM device frees last. */
static void shrinker_lists_outlive_the_objects(struct kunit *test)
{
	struct gem_shrinker *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->test = test;
	c->f = gem_kunit_create(test, &gem_kunit_driver);
	/* Added first, and so called after the shrinker was freed. */
	KUNIT_ASSERT_EQ(test, 0, drmm_add_action(c->f->drm, shrinker_free_late, c));
	KUNIT_ASSERT_EQ(test, 0, drmm_gem_sgt_shrinker_init(c->f->drm, &shrinker_ops));
	c->bo[0] = drm_gem_sgt_create(c->f->drm, c->f->d->sdev, GEM_KUNIT_SIZE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c->bo[0]);
	c->s = c->bo[0]->shrinker;
	KUNIT_ASSERT_NOT_NULL(test, c->s);
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_map(c->bo[0]));
}

static struct kunit_case drm_gem_sgt_shrinker_cases[] = {
	KUNIT_CASE(shrinker_counts_what_it_can_free),
	KUNIT_CASE(shrinker_frees_the_oldest_first),
	KUNIT_CASE(shrinker_finds_what_a_fault_populates),
	KUNIT_CASE(shrinker_finds_what_the_driver_populates),
	KUNIT_CASE(shrinker_leaves_busy_objects_alone),
	KUNIT_CASE(shrinker_without_the_driver),
	KUNIT_CASE(shrinker_with_two_devices),
	KUNIT_CASE(shrinker_asks_no_driver_after_unbind),
	KUNIT_CASE(shrinker_frees_no_object),
	KUNIT_CASE(shrinker_makes_room_for_a_process),
	KUNIT_CASE(shrinker_is_one),
	KUNIT_CASE(shrinker_lists_outlive_the_objects),
	{}
};

static struct kunit_suite drm_gem_sgt_shrinker_suite = {
	.name = "drm_gem_sgt_shrinker",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gem_sgt_shrinker_cases,
};

kunit_test_suite(drm_gem_sgt_shrinker_suite);
