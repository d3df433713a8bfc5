// SPDX-License-Identifier: GPL-2.0

#include <linux/err.h>
#include <linux/export.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

/**
 * DOC: default device
 *
 * Most DRM devices have one &struct drm_sgt_device, for which all buffers are mapped.
 * devm_drm_gem_sgt_init() creates it in probe and registers it as the default of the
 * DRM device. The callbacks of DRM_GEM_SGT_DRIVER_OPS find it there, and so does the
 * driver, with drm_gem_sgt_default_device().
 *
 * The default belongs to the DRM device: it is found after unbind, too, by an ioctl
 * that has begun before, and a mapping is then refused with -ENODEV.
 */

/* By the address of the DRM device, which has no member for it. */
static DEFINE_XARRAY(drm_gem_sgt_defaults);

static void drm_gem_sgt_default_release(struct drm_device *drm, void *sdev)
{
	xa_erase(&drm_gem_sgt_defaults, (unsigned long)drm);
	drm_sgt_device_put(sdev);
}

/**
 * drmm_gem_sgt_init() - register the default device of a DRM device
 * @drm: DRM device, not registered yet
 * @sdev: the device that buffers of @drm are mapped for
 *
 * For a device that devm_drm_gem_sgt_init() cannot create: one that takes physical
 * addresses, or that several DRM devices share.
 *
 * Ownership: takes a reference to @sdev, and drops it when @drm is released.
 *
 * Context: Process context, may sleep.
 * Return:
 * * %0       - @sdev is the default
 * * %-EBUSY  - @drm has a default already, and keeps it
 * * %-ENOMEM - out of memory
 */
int drmm_gem_sgt_init(struct drm_device *drm, struct drm_sgt_device *sdev)
{
	int ret;

	ret = xa_insert(&drm_gem_sgt_defaults, (unsigned long)drm, sdev, GFP_KERNEL);
	if (ret) {
		drm_dbg(drm, "default device: %pe\n", ERR_PTR(ret));
		return ret;
	}

	return drmm_add_action_or_reset(drm, drm_gem_sgt_default_release,
					drm_sgt_device_get(sdev));
}
EXPORT_SYMBOL_GPL(drmm_gem_sgt_init);

/**
 * devm_drm_gem_sgt_init() - create the default device of a DRM device
 * @drm: DRM device, not registered yet
 * @owner: the device that the calling driver is being bound to
 * @dma_dev: the device that does the DMA; can be @owner
 *
 * devm_drm_sgt_device_create() and drmm_gem_sgt_init() in one call.
 *
 * Ownership: @owner and @drm hold a reference to the device each. If the call fails,
 * @owner may have one, and drops it when the probe has failed.
 *
 * Context: Probe of @owner, may sleep. Under no lock that is also taken under the
 * mmap lock.
 * Return: 0, or see devm_drm_sgt_device_create() and drmm_gem_sgt_init()
 */
int devm_drm_gem_sgt_init(struct drm_device *drm, struct device *owner,
			  struct device *dma_dev)
{
	struct drm_sgt_device *sdev;

	sdev = devm_drm_sgt_device_create(owner, dma_dev);
	if (IS_ERR(sdev))
		return PTR_ERR(sdev);

	return drmm_gem_sgt_init(drm, sdev);
}
EXPORT_SYMBOL_GPL(devm_drm_gem_sgt_init);

/**
 * drm_gem_sgt_default_device() - the default device of a DRM device
 * @drm: DRM device
 *
 * Ownership: @drm holds the reference. It lasts until @drm is released, after unbind.
 *
 * Context: Any. The caller has a reference to @drm, if only by an open file.
 * Return: the device, or NULL if none was registered
 */
struct drm_sgt_device *drm_gem_sgt_default_device(struct drm_device *drm)
{
	return xa_load(&drm_gem_sgt_defaults, (unsigned long)drm);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_default_device);

/**
 * drm_gem_sgt_driver_dumb_create() - make a dumb buffer for the default device
 * @file: whose handle it is
 * @drm: DRM device
 * @args: as for &drm_driver.dumb_create
 *
 * For &drm_driver.dumb_create.
 *
 * Ownership: the handle has the only reference.
 *
 * Context: Process context, may sleep.
 * Return:
 * * %0       - &drm_mode_create_dumb.handle is valid
 * * %-ENODEV - @drm has no default device
 * * or see drm_gem_sgt_dumb_create()
 */
int drm_gem_sgt_driver_dumb_create(struct drm_file *file, struct drm_device *drm,
				   struct drm_mode_create_dumb *args)
{
	struct drm_sgt_device *sdev = drm_gem_sgt_default_device(drm);

	if (!sdev) {
		drm_dbg(drm, "no default device for a dumb buffer\n");
		return -ENODEV;
	}
	return drm_gem_sgt_dumb_create(file, drm, sdev, args);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_driver_dumb_create);

/**
 * drm_gem_sgt_driver_prime_import() - import a dma-buf for the default device
 * @drm: DRM device
 * @dma_buf: the dma-buf
 *
 * For &drm_driver.gem_prime_import. The direction is DMA_BIDIRECTIONAL, as in
 * drm_gem_prime_import(). A driver whose device never writes has a callback of its
 * own, which calls drm_gem_sgt_prime_import() with DMA_TO_DEVICE.
 *
 * Ownership: as for drm_gem_sgt_prime_import().
 *
 * Context: Process context, may sleep. Takes the resv of @dma_buf.
 * Return: the object, or an ERR_PTR(): -ENODEV if @drm has no default device, or see
 * drm_gem_sgt_prime_import()
 */
struct drm_gem_object *drm_gem_sgt_driver_prime_import(struct drm_device *drm,
						       struct dma_buf *dma_buf)
{
	struct drm_sgt_device *sdev = drm_gem_sgt_default_device(drm);

	if (!sdev) {
		drm_dbg(drm, "no default device for an import\n");
		return ERR_PTR(-ENODEV);
	}
	return drm_gem_sgt_prime_import(drm, sdev, dma_buf, DMA_BIDIRECTIONAL);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_driver_prime_import);
