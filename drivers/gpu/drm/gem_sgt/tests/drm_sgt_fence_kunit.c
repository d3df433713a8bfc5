// SPDX-License-Identifier: GPL-2.0

#include <kunit/test.h>
#include <linux/dma-fence.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

#include <drm/drm_sgt_fence.h>

static struct dma_fence *fence_create(struct kunit *test, struct module *owner)
{
	struct dma_fence *fence = drm_sgt_fence_create(owner, "driver", "timeline", 7, 3);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	return fence;
}

/* The names, the numbers and the error are those of the driver. */
static void fence_is_as_created(struct kunit *test)
{
	struct dma_fence *fence = fence_create(test, THIS_MODULE);
	const struct dma_fence_ops *ops = rcu_dereference_raw(fence->ops);

	KUNIT_EXPECT_STREQ(test, ops->get_driver_name(fence), "driver");
	KUNIT_EXPECT_STREQ(test, ops->get_timeline_name(fence), "timeline");
	KUNIT_EXPECT_EQ(test, fence->context, 7);
	KUNIT_EXPECT_EQ(test, fence->seqno, 3);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 0);

	dma_fence_set_error(fence, -ECANCELED);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), -ECANCELED);
	dma_fence_put(fence);
}

#ifdef CONFIG_MODULE_UNLOAD
/* From its creation to the last reference, signalled or not, a fence holds the module. */
static void fence_holds_the_module(struct kunit *test)
{
	struct module *owner = kunit_kzalloc(test, sizeof(*owner), GFP_KERNEL);
	struct dma_fence *fence;

	KUNIT_ASSERT_NOT_NULL(test, owner);
	atomic_set(&owner->refcnt, 1);
	fence = fence_create(test, owner);
	KUNIT_EXPECT_EQ(test, atomic_read(&owner->refcnt), 2);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, atomic_read(&owner->refcnt), 2);
	dma_fence_put(fence);
	KUNIT_EXPECT_EQ(test, atomic_read(&owner->refcnt), 1);
}
#endif

static struct kunit_case drm_sgt_fence_cases[] = {
	KUNIT_CASE(fence_is_as_created),
#ifdef CONFIG_MODULE_UNLOAD
	KUNIT_CASE(fence_holds_the_module),
#endif
	{}
};

static struct kunit_suite drm_sgt_fence_suite = {
	.name = "drm_sgt_fence",
	.test_cases = drm_sgt_fence_cases,
};

kunit_test_suite(drm_sgt_fence_suite);
