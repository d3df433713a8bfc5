// SPDX-License-Identifier: GPL-2.0

/*
 * A DRM driver in a directory of its own, for a device that does not exist: its page
 * table is an array. See Documentation/gpu/out-of-tree.rst.
 */

#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_managed.h>

#include "sgt_sample_drm.h"

#define SAMPLE_PTES	1024

struct sample_device {
	struct drm_device drm;
	/* protects @pte */
	struct mutex lock;
	dma_addr_t pte[SAMPLE_PTES];
};

/* Of a device that does not see the caches of the CPU, mmap() bypasses them. */
static struct drm_gem_object *sample_create_object(struct drm_device *drm, size_t size)
{
	struct drm_gem_sgt_object *bo = kzalloc(sizeof(*bo), GFP_KERNEL_ACCOUNT);

	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->map_wc = true;
	return &bo->base;
}

static int sample_write_ptes(struct sample_device *sample,
			     const struct drm_dma_view view, u32 *pages)
{
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	int ret;

	lockdep_assert_held(&sample->lock);

	if (drm_dma_view_size(view) / PAGE_SIZE > SAMPLE_PTES)
		return -E2BIG;

	ret = drm_dma_iter_init(&iter, view, 0, drm_dma_view_size(view));
	if (ret)
		return ret;

	*pages = 0;
	while (drm_dma_iter_next(&iter, &seg))
		for (; seg.len; seg.addr += PAGE_SIZE, seg.len -= PAGE_SIZE)
			sample->pte[(*pages)++] = seg.addr;
	return 0;
}

static int sample_map_and_show(struct sample_device *sample,
			       struct drm_gem_sgt_object *bo, u32 *pages)
{
	int ret;

	ret = drm_gem_sgt_map(bo);
	if (ret)
		return ret;

	ret = drm_sgt_sync_for_device(bo->sgt, 0, bo->base.size);
	if (ret)
		return ret;

	guard(mutex)(&sample->lock);
	drm_sgt_access_scope(view, bo->sgt, ret)
		ret = sample_write_ptes(sample, view, pages);
	return ret;
}

static int sample_show_ioctl(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_sgt_sample_show *args = data;
	struct drm_gem_object *obj;
	int ret, idx;

	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;

	/* After drm_dev_unplug(), remove clears the PTEs, and no ioctl writes new ones. */
	ret = -ENODEV;
	if (drm_dev_enter(drm, &idx)) {
		ret = sample_map_and_show(container_of(drm, struct sample_device, drm),
					  to_drm_gem_sgt_obj(obj), &args->pages);
		drm_dev_exit(idx);
	}
	drm_gem_object_put(obj);
	return ret;
}

static const struct drm_ioctl_desc sample_ioctls[] = {
	{
		.cmd = DRM_IOCTL_SGT_SAMPLE_SHOW,
		.func = sample_show_ioctl,
		.name = "SGT_SAMPLE_SHOW",
	},
};

DEFINE_DRM_GEM_SGT_FOPS(sample_fops);

static const struct drm_driver sample_driver = {
	.driver_features = DRIVER_GEM,
	.fops = &sample_fops,
	.ioctls = sample_ioctls,
	.num_ioctls = ARRAY_SIZE(sample_ioctls),
	.gem_create_object = sample_create_object,
	DRM_GEM_SGT_DRIVER_OPS,
	.name = "sgt_sample",
	.desc = "sample of drm-gem-sgt",
	.major = 1,
};

static int sample_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct sample_device *sample;
	int ret;

	sample = devm_drm_dev_alloc(dev, &sample_driver, struct sample_device, drm);
	if (IS_ERR(sample))
		return PTR_ERR(sample);
	platform_set_drvdata(pdev, sample);

	ret = drmm_mutex_init(&sample->drm, &sample->lock);
	if (ret)
		return ret;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	dma_set_max_seg_size(dev, UINT_MAX);

	ret = devm_drm_gem_sgt_init(&sample->drm, dev, dev);
	if (ret)
		return ret;

	return drm_dev_register(&sample->drm, 0);
}

static void sample_remove(struct platform_device *pdev)
{
	struct sample_device *sample = platform_get_drvdata(pdev);

	drm_dev_unplug(&sample->drm);
	/* Stop the hardware: here, clear the PTEs that it would read. */
	memset(sample->pte, 0, sizeof(sample->pte));
	drm_sgt_device_shutdown(drm_gem_sgt_default_device(&sample->drm));
}

static struct platform_driver sample_platform_driver = {
	.driver.name = "sgt_sample",
	.probe = sample_probe,
	.remove = sample_remove,
};

static struct platform_device *sample_pdev;

static int __init sample_init(void)
{
	int ret;

	ret = platform_driver_register(&sample_platform_driver);
	if (ret)
		return ret;

	sample_pdev = platform_device_register_simple("sgt_sample", PLATFORM_DEVID_NONE,
						      NULL, 0);
	if (IS_ERR(sample_pdev)) {
		platform_driver_unregister(&sample_platform_driver);
		return PTR_ERR(sample_pdev);
	}
	return 0;
}
module_init(sample_init);

static void __exit sample_exit(void)
{
	platform_device_unregister(sample_pdev);
	platform_driver_unregister(&sample_platform_driver);
}
module_exit(sample_exit);

MODULE_DESCRIPTION("Sample driver outside of the tree of drm-gem-sgt");
MODULE_LICENSE("GPL");
