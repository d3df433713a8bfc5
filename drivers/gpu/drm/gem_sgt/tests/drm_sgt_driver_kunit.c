// SPDX-License-Identifier: GPL-2.0

#include <kunit/platform_device.h>
#include <linux/platform_device.h>

#include "drm_sgt_kunit_helpers.h"

/*
 * A platform driver with a probe and a remove: a probe that fails leaves nothing behind,
 * and a device can be bound again while old tables exist.
 */

#define DRIVER_NAME	"drm-sgt-kunit"

static const struct drm_sgt_kunit_piece driver_pieces[] = {
	{ 0x100, 3 }, { 0x300, 1 }, { 0x200, 2 },
};

#define DRIVER_SIZE	((3 + 1 + 2) * PAGE_SIZE)

/* What the driver does, and the result. */
struct driver_plan {
	struct kunit *test;
	int probe_ret;
	bool shutdown_in_remove;
	struct drm_sgt_kunit_source *source;
	/* one for each probe; referenced by the test */
	struct drm_sgt_device *sdev[2];
	unsigned int probes;
	unsigned int removes;
	struct drm_sgt *sgt;
};

static int driver_probe(struct platform_device *pdev)
{
	struct driver_plan *plan = *(struct driver_plan **)dev_get_platdata(&pdev->dev);
	struct drm_sgt_device *sdev;
	int ret;

	sdev = devm_drm_sgt_device_create(&pdev->dev, &pdev->dev);
	if (IS_ERR(sdev))
		return PTR_ERR(sdev);
	platform_set_drvdata(pdev, sdev);
	plan->sdev[plan->probes++] = drm_sgt_device_get(sdev);
	if (plan->sgt)
		return plan->probe_ret;

	/* As a driver that creates a buffer before its probe fails. */
	plan->sgt = drm_sgt_create(sdev, &drm_sgt_kunit_source_ops, plan->source,
				   DRIVER_SIZE);
	if (IS_ERR(plan->sgt))
		return PTR_ERR(plan->sgt);
	ret = drm_sgt_populate(plan->sgt) ?: drm_sgt_map(plan->sgt, DMA_BIDIRECTIONAL);
	return ret ?: plan->probe_ret;
}

static void driver_remove(struct platform_device *pdev)
{
	struct driver_plan *plan = *(struct driver_plan **)dev_get_platdata(&pdev->dev);

	plan->removes++;
	if (!plan->shutdown_in_remove)
		return;
	drm_sgt_device_shutdown(platform_get_drvdata(pdev));
	KUNIT_EXPECT_EQ(plan->test, drm_sgt_get_state(plan->sgt), DRM_SGT_BACKED);
}

static void driver_plan_end(void *data)
{
	struct driver_plan *plan = data;
	unsigned int i;

	if (!IS_ERR_OR_NULL(plan->sgt))
		drm_sgt_free(plan->sgt);
	for (i = 0; i < plan->probes; i++) {
		KUNIT_EXPECT_EQ(plan->test, drm_sgt_kunit_stats(plan->sdev[i]).mapped, 0);
		KUNIT_EXPECT_EQ(plan->test, drm_sgt_kunit_stats(plan->sdev[i]).tables, 0);
		drm_sgt_device_put(plan->sdev[i]);
	}
}

/* Register a driver that follows @plan, and its device. */
static struct platform_device *driver_plan_start(struct kunit *test,
						 struct driver_plan *plan)
{
	struct platform_driver *drv;
	struct platform_device *pdev;

	plan->test = test;
	plan->source = drm_sgt_kunit_source_create(test, driver_pieces,
						   ARRAY_SIZE(driver_pieces));
	drv = kunit_kzalloc(test, sizeof(*drv), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, drv);
	drv->probe = driver_probe;
	drv->remove = driver_remove;
	drv->driver.name = DRIVER_NAME;
	drv->driver.probe_type = PROBE_FORCE_SYNCHRONOUS;
	KUNIT_ASSERT_EQ(test, 0, kunit_platform_driver_register(test, drv));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, driver_plan_end, plan));

	pdev = kunit_platform_device_alloc(test, DRIVER_NAME, PLATFORM_DEVID_NONE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pdev);
	KUNIT_ASSERT_EQ(test, 0, platform_device_add_data(pdev, &plan, sizeof(plan)));
	KUNIT_ASSERT_EQ(test, 0, kunit_platform_device_add(test, pdev));
	return pdev;
}

static struct driver_plan *driver_plan_create(struct kunit *test)
{
	struct driver_plan *plan = kunit_kzalloc(test, sizeof(*plan), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, plan);
	drm_sgt_kunit_stub_dma(test->priv);
	return plan;
}

/* A probe that fails after it has mapped something leaves no mapping. */
static void driver_probe_that_fails_ends_mappings(struct kunit *test)
{
	struct driver_plan *plan = driver_plan_create(test);
	struct drm_sgt_kunit *ctx = test->priv;

	plan->probe_ret = -ENXIO;
	driver_plan_start(test, plan);
	KUNIT_ASSERT_EQ(test, plan->probes, 1);
	KUNIT_EXPECT_EQ(test, plan->removes, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, plan->sgt);
	KUNIT_EXPECT_EQ(test, ctx->maps, 1);
	KUNIT_EXPECT_EQ(test, ctx->unmaps, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(plan->sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_TRUE(test, drm_sgt_device_is_gone(plan->sdev[0]));
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(plan->sdev[0]).grace_periods, 1);
	/* References of the test and of the table. */
	KUNIT_EXPECT_EQ(test, kref_read(&plan->sdev[0]->refcount), 2);
}

static const bool driver_shutdowns[] = { false, true };

static void driver_shutdown_desc(const bool *shutdown, char *desc)
{
	strscpy(desc, *shutdown ? "shutdown in remove" : "devres alone",
		KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(driver_shutdown, driver_shutdowns, driver_shutdown_desc);

/*
 * A device is bound, unbound and bound again, by drivers that call the shutdown and that
 * do not. The old table stays unmapped, and a new one uses the new binding.
 */
static void driver_can_be_bound_again(struct kunit *test)
{
	struct driver_plan *plan = driver_plan_create(test);
	struct drm_sgt_kunit *ctx = test->priv;
	struct platform_device *pdev;
	struct drm_sgt_kunit_source *source;
	struct drm_sgt *sgt;

	plan->shutdown_in_remove = *(const bool *)test->param_value;
	pdev = driver_plan_start(test, plan);
	KUNIT_ASSERT_EQ(test, plan->probes, 1);
	KUNIT_ASSERT_EQ(test, drm_sgt_get_state(plan->sgt), DRM_SGT_MAPPED);

	device_release_driver(&pdev->dev);
	KUNIT_EXPECT_EQ(test, plan->removes, 1);
	KUNIT_EXPECT_EQ(test, ctx->unmaps, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(plan->sdev[0]).grace_periods, 1);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_map(plan->sgt, DMA_BIDIRECTIONAL));

	KUNIT_ASSERT_EQ(test, 1, device_attach(&pdev->dev));
	KUNIT_ASSERT_EQ(test, plan->probes, 2);
	KUNIT_EXPECT_NE(test, drm_sgt_device_id(plan->sdev[0]),
			drm_sgt_device_id(plan->sdev[1]));
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_map(plan->sgt, DMA_BIDIRECTIONAL));
	source = drm_sgt_kunit_source_create(test, driver_pieces, ARRAY_SIZE(driver_pieces));
	sgt = drm_sgt_kunit_sgt(test, plan->sdev[1], source);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_populate(sgt));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(sgt, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(plan->sdev[1]).mapped, 1);
	drm_sgt_kunit_free_now(test, sgt);
}

static struct kunit_case drm_sgt_driver_cases[] = {
	KUNIT_CASE(driver_probe_that_fails_ends_mappings),
	KUNIT_CASE_PARAM(driver_can_be_bound_again, driver_shutdown_gen_params),
	{}
};

static struct kunit_suite drm_sgt_driver_suite = {
	.name = "drm_sgt_driver",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_sgt_driver_cases,
};

kunit_test_suite(drm_sgt_driver_suite);
