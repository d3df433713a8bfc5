// SPDX-License-Identifier: GPL-2.0

/*
 * The example driver of Documentation/gpu/writing-a-driver.rst, and a test that binds,
 * uses and unbinds it. The book quotes the code between the markers.
 */

#include <kunit/test.h>
#include <linux/dma-mapping.h>
#include <linux/platform_device.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_ioctl.h>

/* [example: device] */
struct example_device {
	struct drm_device drm;
	/* what the hardware would read: one address for each page */
	dma_addr_t pte[64];
};

/* [end] */

/* [example: create] */
DEFINE_DRM_GEM_SGT_FOPS(example_fops);

static const struct drm_driver example_driver = {
	.driver_features = DRIVER_GEM,
	.fops = &example_fops,
	DRM_GEM_SGT_DRIVER_OPS,
	.name = "sgt-example",
	.desc = "the example of the book",
	.major = 1,
};

/* [end] */

/* [example: walk] */
static int example_fill_ptes(struct example_device *ex,
			     const struct drm_dma_view view)
{
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	unsigned int i = 0;
	int ret;

	if (drm_dma_view_size(view) > sizeof(ex->pte) / sizeof(*ex->pte) * PAGE_SIZE)
		return -E2BIG;

	ret = drm_dma_iter_init(&iter, view, 0, drm_dma_view_size(view));
	if (ret)
		return ret;

	while (drm_dma_iter_next(&iter, &seg))
		for (; seg.len; seg.addr += PAGE_SIZE, seg.len -= PAGE_SIZE)
			ex->pte[i++] = seg.addr;
	return 0;
}

static int example_map_and_fill(struct example_device *ex,
				struct drm_gem_sgt_object *bo)
{
	int ret;

	ret = drm_gem_sgt_map(bo);
	if (ret)
		return ret;

	ret = drm_sgt_sync_for_device(bo->sgt, 0, bo->base.size);
	if (ret)
		return ret;

	drm_sgt_access_scope(view, bo->sgt, ret)
		ret = example_fill_ptes(ex, view);
	return ret;
}

static int example_show(struct example_device *ex, struct drm_gem_sgt_object *bo)
{
	int ret, idx;

	/* After drm_dev_unplug(), remove clears the PTEs, and no ioctl writes new ones. */
	if (!drm_dev_enter(&ex->drm, &idx))
		return -ENODEV;

	ret = example_map_and_fill(ex, bo);
	drm_dev_exit(idx);
	return ret;
}

/* [end] */

/* [example: probe] */
static int example_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct example_device *ex;
	int ret;

	ex = devm_drm_dev_alloc(dev, &example_driver, struct example_device, drm);
	if (IS_ERR(ex))
		return PTR_ERR(ex);
	platform_set_drvdata(pdev, ex);

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	dma_set_max_seg_size(dev, UINT_MAX);

	ret = devm_drm_gem_sgt_init(&ex->drm, dev, dev);
	if (ret)
		return ret;

	return drm_dev_register(&ex->drm, 0);
}

static void example_remove(struct platform_device *pdev)
{
	struct example_device *ex = platform_get_drvdata(pdev);

	drm_dev_unplug(&ex->drm);
	/* Stop the hardware: here, clear the PTEs that it would read. */
	memset(ex->pte, 0, sizeof(ex->pte));
	drm_sgt_device_shutdown(drm_gem_sgt_default_device(&ex->drm));
}

/* [end] */

static struct platform_driver example_platform_driver = {
	.driver.name = "drm-gem-sgt-example",
	.probe = example_probe,
	.remove = example_remove,
};

/*
 * While bound, the example maps a buffer and reads its addresses. When unbind returns, no
 * mapping is left, the buffer still exists, and a map of it is refused.
 */
static void example_maps_until_unbind(struct kunit *test)
{
	const size_t size = 5 * PAGE_SIZE;
	struct drm_sgt_device_stats stats;
	struct drm_gem_sgt_object *bo;
	struct platform_device *pdev;
	struct drm_sgt_device *sdev;
	struct example_device *ex;

	KUNIT_ASSERT_EQ(test, platform_driver_register(&example_platform_driver), 0);
	pdev = platform_device_register_simple("drm-gem-sgt-example", -1, NULL, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pdev);
	ex = platform_get_drvdata(pdev);
	KUNIT_ASSERT_NOT_NULL(test, ex);
	drm_dev_get(&ex->drm);
	sdev = drm_gem_sgt_default_device(&ex->drm);
	KUNIT_ASSERT_NOT_NULL(test, sdev);

	bo = drm_gem_sgt_create(&ex->drm, sdev, size);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_EXPECT_EQ(test, example_show(ex, bo), 0);
	KUNIT_EXPECT_NE(test, ex->pte[size / PAGE_SIZE - 1], 0);
	drm_sgt_device_get_stats(sdev, &stats);
	KUNIT_EXPECT_EQ(test, stats.mapped, 1);

	platform_device_unregister(pdev);
	drm_sgt_device_get_stats(sdev, &stats);
	KUNIT_EXPECT_EQ(test, stats.mapped, 0);
	KUNIT_EXPECT_EQ(test, stats.revoked, 1);
	KUNIT_EXPECT_EQ(test, example_show(ex, bo), -ENODEV);

	drm_gem_object_put(&bo->base);
	drm_dev_put(&ex->drm);
	platform_driver_unregister(&example_platform_driver);
}

static struct kunit_case example_cases[] = {
	KUNIT_CASE(example_maps_until_unbind),
	{}
};

static struct kunit_suite example_suite = {
	.name = "drm_gem_sgt_example",
	.test_cases = example_cases,
};

kunit_test_suite(example_suite);
