// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-mapping.h>
#include <linux/module.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_sgt_version.h>
#include <drm/edu_gpu_drm.h>

#include "edu_gpu.h"

/**
 * DOC: edu_gpu
 *
 * A driver for the edu device of QEMU as a GPU: its DMA engine copies between buffers.
 * The MMU of the GPU is the VT-d unit of the machine, which the kernel must leave alone
 * (``intel_iommu=off intremap=off``). The driver points the context entry of the device
 * to the page table of an address space, and lets all other devices pass through.
 *
 * The kernel's DMA API knows of no IOMMU then, so a buffer is mapped at its physical
 * addresses. They are what the page tables have, and what the unit makes of the GPU
 * addresses that the DMA engine sends.
 *
 * The unit of QEMU reads tables through the caches of the CPU. The driver writes none
 * back, and would not work on a machine whose unit does not.
 */

/* [book: driver] */
/* [step: 5] */
static const struct drm_ioctl_desc edu_gpu_ioctls[] = {
	DRM_IOCTL_DEF_DRV(EDU_GPU_VM_BIND, edu_gpu_vm_bind_ioctl, 0),
	/* [step: 6] */
	DRM_IOCTL_DEF_DRV(EDU_GPU_COPY, edu_gpu_copy_ioctl, 0),
};

/* [step: 2] */
DEFINE_DRM_GEM_SGT_FOPS(edu_gpu_fops);

/* [step: 2] */
static const struct drm_driver edu_gpu_drm_driver = {
	.driver_features = DRIVER_GEM,
	.fops = &edu_gpu_fops,
	DRM_GEM_SGT_DRIVER_OPS,
	.name = "edu_gpu",
	.desc = "edu device of QEMU with an MMU",
	COMPAT_DRM_DRIVER_DATE
	.major = 1,
	/* [step: 4] */
	.open = edu_gpu_open,
	.postclose = edu_gpu_postclose,
	.show_fdinfo = edu_gpu_show_fdinfo,
	/* [step: 5] */
	.ioctls = edu_gpu_ioctls,
	.num_ioctls = ARRAY_SIZE(edu_gpu_ioctls),
};

/* [end] */

/* [step: 3] */
/**
 * edu_gpu_hang() - do no DMA any more, because something does not answer
 * @edu: the device
 * @what: the name of what does not
 *
 * Jobs fail with -EIO until the driver is bound again. The device can no longer write, so
 * that memory that it was told of may be freed.
 */
/* [book: hang] */
void edu_gpu_hang(struct edu_gpu *edu, const char *what)
{
	cmpxchg(&edu->error, 0, -EIO);
	pci_clear_master(edu->pdev);
	dev_err_ratelimited(&edu->pdev->dev, "%s: no answer, DMA is off\n", what);
}

/* [end] */

/* [book: remove] */
/* [step: 2] */
static void edu_gpu_remove(struct pci_dev *pdev)
{
	struct edu_gpu *edu = pci_get_drvdata(pdev);

	/* [step: 6] */
	/* After a shutdown, an unbind. Jobs end after a part; the unplug ends what queues them. */
	if (xchg(&edu->error, -ENODEV) == -ENODEV)
		return;
	/* [step: 2] */
	drm_dev_unplug(&edu->drm);
	/* [step: 6] */
	if (edu->wq)
		destroy_workqueue(edu->wq);
	/* [step: 3] */
	/* Without the unit, GPU addresses would be physical ones. */
	pci_clear_master(pdev);
	edu_gpu_unit_stop(edu);
	/* [step: 2] */
	drm_sgt_device_shutdown(drm_gem_sgt_default_device(&edu->drm));
}

/* [end] */

/* [book: probe] */
static int edu_gpu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	/* [step: 2] */
	struct edu_gpu *edu;
	/* [step: 1] */
	int ret;

	/* [step: 2] */
	edu = devm_drm_dev_alloc(&pdev->dev, &edu_gpu_drm_driver, struct edu_gpu, drm);
	if (IS_ERR(edu))
		return PTR_ERR(edu);
	pci_set_drvdata(pdev, edu);
	edu->pdev = pdev;
	/* [step: 6] */
	mutex_init(&edu->dma_lock);

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	/* [step: 2] */
	edu->mmio = pcim_iomap(pdev, 0, 0);
	if (!edu->mmio)
		return -ENOMEM;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(52));
	if (ret)
		return ret;
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	ret = devm_drm_gem_sgt_init(&edu->drm, &pdev->dev, &pdev->dev);
	if (ret)
		return ret;

	/* [step: 3] */
	ret = edu_gpu_unit_init(edu);
	if (ret)
		return ret;

	/* [step: 6] */
	/* Fences must signal under memory pressure. */
	edu->wq = alloc_ordered_workqueue("edu_gpu", WQ_MEM_RECLAIM);
	/* While a DMA of an earlier driver runs, the engine takes no command. */
	ret = edu->wq ? edu_gpu_dma_wait(edu) : -ENOMEM;
	if (ret) {
		edu_gpu_remove(pdev);
		return ret;
	}

	/* [step: 3] */
	pci_set_master(pdev);
	/* [step: 2] */
	ret = drm_dev_register(&edu->drm, 0);
	if (ret)
		edu_gpu_remove(pdev);
	/* [step: 1] */
	return ret;
}

/* [end] */

/* [step: 3] */
/* The unit would lose its tables, and GPU addresses become physical ones. */
static int edu_gpu_suspend(struct device *dev)
{
	return -EBUSY;
}

/* [step: 3] */
static DEFINE_SIMPLE_DEV_PM_OPS(edu_gpu_pm_ops, edu_gpu_suspend, NULL);

/* [book: module] */
static const struct pci_device_id edu_gpu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_gpu_ids);

static struct pci_driver edu_gpu_pci_driver = {
	.name = KBUILD_MODNAME,
	.id_table = edu_gpu_ids,
	.probe = edu_gpu_probe,
	/* [step: 2] */
	.remove = edu_gpu_remove,
	.shutdown = edu_gpu_remove,
	/* [step: 3] */
	.driver.pm = pm_sleep_ptr(&edu_gpu_pm_ops),
};
module_pci_driver(edu_gpu_pci_driver);

/* [end] */

MODULE_DESCRIPTION("QEMU's edu device as a GPU, with an Intel IOMMU as its MMU");
MODULE_VERSION(DRM_SGT_VERSION);
MODULE_LICENSE("GPL");
