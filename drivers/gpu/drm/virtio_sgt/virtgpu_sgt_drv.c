// SPDX-License-Identifier: GPL-2.0

#include <linux/aperture.h>
#include <linux/array_size.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm.h>
#include <linux/rcupdate.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_gpu.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#include <drm/clients/drm_client_setup.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_fbdev_ttm.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_print.h>
#include <drm/drm_probe_helper.h>
#include <drm/drm_sgt_version.h>

#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_connector.h"
#include "virtgpu_sgt_debugfs.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_display.h"
#include "virtgpu_sgt_fault.h"
#include "virtgpu_sgt_ioctl.h"
#include "virtgpu_sgt_vblank.h"
#include "virtgpu_sgt_vm.h"
#include "virtgpu_sgt_watchdog.h"

/**
 * DOC: overview
 *
 * A driver for the 2D part of the virtio-gpu device (VIRTIO 1.2, section 5.7),
 * on top of the GEM helper layer of &struct drm_gem_sgt_object. It can replace
 * virtio-gpu.ko: it has the same DRM name and implements virtgpu_drm.h as the
 * in-tree driver does for a device without 3D.
 *
 * The driver is bound to the virtio device, and its unbind ends all mappings of
 * this driver. Another device does the DMA. If the virtqueues use the DMA API,
 * it is the one that virtqueue_dma_dev() returns: the parent, usually a PCI
 * device. If not, the device takes physical addresses, and the kernel has no
 * device for the DMA.
 *
 * The unbind ends all that needs the hardware: queues, commands, and the DMA
 * mappings of all buffers. What userspace can see (the DRM device, buffers and
 * their pages) lives until the last file, mapping or dma-buf is closed.
 */

/**
 * DOC: removal order
 *
 * Each step relies on the one before it.
 *
 * ::
 *
 *   0. stop the watchdog     a reset that it has begun is over; it begins none
 *        |
 *   1. stop the queues       nothing new goes to the host, and it is not notified
 *        |                   any more; all waits for it, in an ioctl, a commit or
 *        |                   a job, end
 *   2. stop the jobs         all end, in their order, and their fences have
 *        |                   -ENODEV; a later VM_BIND is refused
 *   3. cancel the hotplug    its wait for the host, if any, has ended in step 1
 *        |
 *   4. drm_dev_unplug()      removes the device nodes
 *        |
 *   5. atomic shutdown       commits end here, and complete their events; the timers
 *        |                   of the vertical blank stop
 *        |
 *   6. reset the device      the host forgets all resources and their pages:
 *        |                   this detaches all buffers at once; the callbacks of
 *        |                   the virtqueues have run for the last time
 *   7. drain the queues      commands end with -ENODEV, also later ones; wait
 *        |                   until buffers whose UNREF was in a queue are freed
 *   8. delete the queues     the virtio device is not accessed from here on
 *        |
 *   9. end the mappings      drm_sgt_device_shutdown() unmaps what is left, also
 *        |                   page tables; addresses cannot be read any more
 *  10. drop the DRM device   freed with its last user, maybe much later
 *
 * A probe that fails undoes its steps from 6. on: before the DRM device is
 * registered, there is no call to stop. If the registration fails, steps 0. to 2.
 * come first.
 *
 * A device that the watchdog has reset is removed in the same way.
 *
 * Reboot and kexec do not call remove: the virtio core breaks the queues and
 * resets the device by itself. Waits check for a broken queue once a second.
 */

/**
 * DOC: locking
 *
 * Outermost first. A lock may be taken while holding those before it:
 *
 * 1. the locks of DRM: &drm_mode_config.mutex, &drm_modeset_lock, the
 *    &dma_resv of a buffer
 * 2. &virtgpu_sgt_output.lock, a mutex: the commands of an output. Held while
 *    waiting for the host, which virtgpu_sgt_remove() ends in its first steps.
 *    Taken in the fence-signalling path: do not allocate while holding it
 *    &virtgpu_sgt_output.cursor_lock, a mutex, may be taken inside: the newest
 *    position of the cursor. Not held while waiting for the host
 * 3. &virtgpu_sgt_device.output_lock, a mutex: the displays, as the host
 *    describes them. Not held while waiting for the host
 * 4. &virtgpu_sgt_device.vm_lock, a mutex: the list of address spaces
 * 5. &virtgpu_sgt_vm.lock, a mutex: the planned state of an address space. Held
 *    while allocating, so that jobs do not take it. Commits take it when they are
 *    prepared: do not wait for a fence or the host while holding it
 * 6. &virtgpu_sgt_fences.lock, a mutex: out-fences of commits
 * 7. &virtgpu_sgt_device.make_lock, a mutex: creating the resources of buffers.
 *    Held while waiting for the host. Not taken while holding any of 1 to 6
 * 8. &virtgpu_sgt_resource.lock, a mutex: whether the host has the memory of a
 *    resource. Taken in the fence-signalling path: do not allocate, and do not
 *    wait for the host, while holding it. Held while reading the page table
 * 9. &virtgpu_sgt_queue.lock, &virtgpu_sgt_device.resource_lock,
 *    &virtgpu_sgt_output.told_lock, &virtgpu_sgt_vm.job_lock and
 *    &virtgpu_sgt_vm.va_res_lock, spinlocks, taken in process context only, and
 *    never one inside another. The host is notified after the first is dropped, with
 *    preemption disabled, whose end step 1 of the removal waits for
 *
 * Locks 2, 5 and 8 tell lockdep about their context when they are initialised.
 *
 * The helper layer has locks of its own, and never calls the driver while holding
 * one. The driver neither submits a command nor waits for one inside an access
 * section.
 *
 * A wait for the host may outlive the virtqueue. So it uses only the queue, which
 * lives as long as the DRM device. The lock of the queue protects whether there is a
 * virtqueue.
 */

/* The virtio core calls this only between the end of probe and remove. */
static void virtgpu_sgt_config_changed(struct virtio_device *vdev)
{
	struct drm_device *drm = vdev->priv;

	schedule_work(&to_virtgpu_sgt(drm)->hotplug_work);
}

/* Clear the event first: a change during the query sets it again. */
static void virtgpu_sgt_hotplug_work(struct work_struct *work)
{
	struct virtgpu_sgt_device *vgdev =
		container_of(work, struct virtgpu_sgt_device, hotplug_work);
	u32 events;

	virtio_cread_le(vgdev->vdev, struct virtio_gpu_config, events_read,
			&events);
	if (!(events & VIRTIO_GPU_EVENT_DISPLAY))
		return;

	events = VIRTIO_GPU_EVENT_DISPLAY;
	virtio_cwrite_le(vgdev->vdev, struct virtio_gpu_config, events_clear,
			 &events);
	if (!vgdev->num_scanouts)
		return;

	atomic_long_inc(&vgdev->stats.hotplugs);
	if (!virtgpu_sgt_scanouts_refresh(vgdev))
		drm_kms_helper_hotplug_event(vgdev->drm);
}

static int virtgpu_sgt_init_scanouts(struct virtgpu_sgt_device *vgdev)
{
	u32 num;

	virtio_cread_le(vgdev->vdev, struct virtio_gpu_config, num_scanouts,
			&num);
	vgdev->num_scanouts = min(num, VIRTIO_GPU_MAX_SCANOUTS);
	vgdev->has_edid = virtio_has_feature(vgdev->vdev, VIRTIO_GPU_F_EDID);
	vgdev->has_blobs = virtio_has_feature(vgdev->vdev, VIRTIO_GPU_F_RESOURCE_BLOB);

	if (!vgdev->num_scanouts) {
		vgdev->drm->driver_features &= ~(DRIVER_MODESET | DRIVER_ATOMIC);
		return 0;
	}
	return virtgpu_sgt_display_init(vgdev);
}

static int virtgpu_sgt_hw_init(struct virtgpu_sgt_device *vgdev)
{
	int ret;

	ret = virtgpu_sgt_device_start(vgdev);
	if (ret)
		return ret;

	ret = virtgpu_sgt_init_scanouts(vgdev);
	if (ret) {
		virtgpu_sgt_device_fini(vgdev);
		return ret;
	}

	virtio_device_ready(vgdev->vdev);
	if (vgdev->num_scanouts) {
		ret = virtgpu_sgt_scanouts_refresh(vgdev);
		if (ret)
			drm_warn(vgdev->drm, "no display information from the host: %pe\n",
				 ERR_PTR(ret));
	}
	return 0;
}

static const struct file_operations virtgpu_sgt_fops = {
	.owner = THIS_MODULE,
	DRM_GEM_SGT_FOPS,
	.show_fdinfo = drm_show_fdinfo,
};

static const struct drm_driver virtgpu_sgt_drm_driver = {
	.driver_features = DRIVER_MODESET | DRIVER_GEM | DRIVER_RENDER |
			   DRIVER_ATOMIC | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE | DRIVER_CURSOR_HOTSPOT |
			   (IS_ENABLED(CONFIG_DRM_VIRTIO_SGT_VM) ? COMPAT_DRIVER_GEM_GPUVA : 0),
	.postclose = virtgpu_sgt_postclose,
	.master_set = virtgpu_sgt_master_set,
	.master_drop = virtgpu_sgt_master_drop,
	.gem_create_object = virtgpu_sgt_gem_create_object,
	.dumb_create = virtgpu_sgt_dumb_create,
	.dumb_map_offset = drm_gem_sgt_dumb_map_offset,
	DRM_FBDEV_TTM_DRIVER_OPS,
	.gem_prime_import = virtgpu_sgt_prime_import,
	.ioctls = virtgpu_sgt_ioctls,
	.num_ioctls = VIRTGPU_SGT_NUM_IOCTLS,
	.show_fdinfo = virtgpu_sgt_bo_show_fdinfo,
	.fops = &virtgpu_sgt_fops,
	/* Name and version that libdrm, Mesa and IGT look for. */
	.name = "virtio_gpu",
	.desc = "virtio GPU",
	COMPAT_DRM_DRIVER_DATE
	.major = 0,
	.minor = 1,
	.patchlevel = 0,
};

/* Remove the driver of the firmware's framebuffer. */
static int virtgpu_sgt_remove_firmware_fb(struct virtio_device *vdev)
{
	struct device *parent = vdev->dev.parent;

	if (!dev_is_pci(parent) || !pci_is_vga(to_pci_dev(parent)))
		return 0;

	return aperture_remove_conflicting_pci_devices(to_pci_dev(parent),
						       virtgpu_sgt_drm_driver.name);
}

static bool virtgpu_sgt_blobs = true;
module_param_named(blobs, virtgpu_sgt_blobs, bool, 0644);
MODULE_PARM_DESC(blobs,
		 "Let the host show guest memory without a copy if it can (default: on)");

/* A table of indirect descriptors would have to be mapped: see "memory of a queue". */
static int virtgpu_sgt_validate(struct virtio_device *vdev)
{
	__virtio_clear_bit(vdev, VIRTIO_RING_F_INDIRECT_DESC);
	/* There is no 3D. The feature only tells that there are no blobs, either. */
	if (!virtgpu_sgt_blobs || virtio_has_feature(vdev, VIRTIO_GPU_F_VIRGL))
		__virtio_clear_bit(vdev, VIRTIO_GPU_F_RESOURCE_BLOB);
	__virtio_clear_bit(vdev, VIRTIO_GPU_F_VIRGL);
	return 0;
}

static int virtgpu_sgt_probe(struct virtio_device *vdev)
{
	struct virtgpu_sgt_device *vgdev;
	struct drm_device *drm;
	int ret;

	if (drm_firmware_drivers_only())
		return -ENODEV;
	if (!virtio_has_feature(vdev, VIRTIO_F_VERSION_1))
		return -ENODEV;
	/* No DMA device, and no physical addresses either */
	if (compat_virtio_has_map(vdev))
		return -ENODEV;

	ret = virtgpu_sgt_remove_firmware_fb(vdev);
	if (ret)
		return ret;

	/*
	 * The parent, as userspace looks for a PCI device behind the nodes. Not
	 * devm_drm_dev_alloc(): its release action would belong to the parent,
	 * and not run when only the virtio device is unbound.
	 */
	drm = drm_dev_alloc(&virtgpu_sgt_drm_driver, vdev->dev.parent);
	if (IS_ERR(drm))
		return PTR_ERR(drm);
	vdev->priv = drm;

	ret = virtgpu_sgt_device_init(drm, vdev);
	if (ret)
		goto err_put;
	vgdev = to_virtgpu_sgt(drm);
	INIT_WORK(&vgdev->hotplug_work, virtgpu_sgt_hotplug_work);
	virtgpu_sgt_watchdog_init(vgdev);

	ret = virtgpu_sgt_hw_init(vgdev);
	if (ret)
		goto err_put;

	virtgpu_sgt_debugfs_init(vgdev);
	ret = drm_dev_register(drm, 0);
	if (ret)
		goto err_fini;

	if (vgdev->num_scanouts)
		drm_client_setup_with_color_mode(drm, 32);
	return 0;

err_fini:
	/* The nodes existed for a moment, and a process may have opened one. */
	virtgpu_sgt_watchdog_stop(vgdev);
	virtgpu_sgt_device_stop(vgdev);
	virtgpu_sgt_vms_stop(vgdev);
	virtgpu_sgt_vblanks_stop(vgdev);
	virtgpu_sgt_device_fini(vgdev);
err_put:
	drm_dev_put(drm);
	return ret;
}

/*
 * A watchdog that resets the device while it is being probed clears DRIVER_OK.
 * The virtio core then sets it again, and calls this.
 */
static void virtgpu_sgt_scan(struct virtio_device *vdev)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(vdev->priv);

	if (virtgpu_sgt_device_error(vgdev))
		virtgpu_sgt_device_reset(vgdev);
}

static void virtgpu_sgt_remove(struct virtio_device *vdev)
{
	struct drm_device *drm = vdev->priv;
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(drm);

	virtgpu_sgt_watchdog_stop(vgdev);
	virtgpu_sgt_device_stop(vgdev);
	virtgpu_sgt_vms_stop(vgdev);
	cancel_work_sync(&vgdev->hotplug_work);
	drm_dev_unplug(drm);
	if (vgdev->num_scanouts)
		drm_atomic_helper_shutdown(drm);
	virtgpu_sgt_vblanks_stop(vgdev);
	virtgpu_sgt_device_fini(vgdev);
	drm_dev_put(drm);
}

/*
 * Without this the virtio core lets a suspend succeed, and resets the device while
 * the queues are live. To support suspend, resume would have to create all
 * resources again: the reset destroys them on the host.
 */
static int virtgpu_sgt_freeze(struct virtio_device *vdev)
{
	struct drm_device *drm = vdev->priv;

	drm_warn(drm, "no suspend: the host would forget all resources, and this driver cannot restore them; unbind it first\n");
	return -EBUSY;
}

static const struct virtio_device_id virtgpu_sgt_ids[] = {
	{ VIRTIO_ID_GPU, VIRTIO_DEV_ANY_ID },
	{ }
};
MODULE_DEVICE_TABLE(virtio, virtgpu_sgt_ids);

static const unsigned int virtgpu_sgt_features[] = {
	VIRTIO_GPU_F_VIRGL,
	VIRTIO_GPU_F_EDID,
	VIRTIO_GPU_F_RESOURCE_BLOB,
};

static struct virtio_driver virtgpu_sgt_driver = {
	/* Not "virtio_gpu": the in-tree driver may be loaded as well. */
	.driver.name = KBUILD_MODNAME,
	.feature_table = virtgpu_sgt_features,
	.feature_table_size = ARRAY_SIZE(virtgpu_sgt_features),
	.id_table = virtgpu_sgt_ids,
	.validate = virtgpu_sgt_validate,
	.probe = virtgpu_sgt_probe,
	.scan = virtgpu_sgt_scan,
	.remove = virtgpu_sgt_remove,
	.config_changed = virtgpu_sgt_config_changed,
	.freeze = pm_sleep_ptr(virtgpu_sgt_freeze),
};

static int __init virtgpu_sgt_init(void)
{
	int ret;

	/* Commands and jobs must progress under memory pressure. */
	virtgpu_sgt_wq = alloc_workqueue("virtio_gpu_sgt",
					 WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!virtgpu_sgt_wq)
		return -ENOMEM;

	ret = virtgpu_sgt_vms_init();
	if (ret)
		goto err_wq;

	virtgpu_sgt_free_wq = alloc_workqueue("virtio_gpu_sgt_free", WQ_UNBOUND,
					      0);
	if (!virtgpu_sgt_free_wq) {
		ret = -ENOMEM;
		goto err_vms;
	}

	virtgpu_sgt_fault_init();
	ret = register_virtio_driver(&virtgpu_sgt_driver);
	if (ret)
		goto err_fault;
	return 0;

err_fault:
	virtgpu_sgt_fault_exit();
	destroy_workqueue(virtgpu_sgt_free_wq);
err_vms:
	virtgpu_sgt_vms_exit();
err_wq:
	destroy_workqueue(virtgpu_sgt_wq);
	return ret;
}
module_init(virtgpu_sgt_init);

/*
 * Files, dma-bufs and out-fences hold references to the module, so none is left
 * here. But code of the module may still run for a moment: in the tail of a commit,
 * which drops the last reference to a framebuffer or to the device, and in the work
 * item that has dropped the references of the out-fences. Wait until all devices are
 * freed, and then until all tasks have left the code of the module.
 */
static void __exit virtgpu_sgt_exit(void)
{
	unregister_virtio_driver(&virtgpu_sgt_driver);
	virtgpu_sgt_fault_exit();
	virtgpu_sgt_devices_wait_freed();
	synchronize_rcu_tasks();
	destroy_workqueue(virtgpu_sgt_free_wq);
	virtgpu_sgt_vms_exit();
	destroy_workqueue(virtgpu_sgt_wq);
}
module_exit(virtgpu_sgt_exit);

MODULE_DESCRIPTION("Virtio GPU driver with buffers that end their DMA at unbind");
MODULE_VERSION(DRM_SGT_VERSION);
MODULE_LICENSE("GPL");
