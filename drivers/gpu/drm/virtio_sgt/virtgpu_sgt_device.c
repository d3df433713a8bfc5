// SPDX-License-Identifier: GPL-2.0

#include <linux/array_size.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_managed.h>

#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_reclaim.h"

/*
 * For virtgpu_sgt_free_later(). Freeing can wait for a dma_resv, and freeing a
 * DRM device flushes work items of other modules. So this workqueue has no
 * rescuer, and under memory pressure freeing may wait for a worker.
 */
struct workqueue_struct *virtgpu_sgt_free_wq;

/* DRM devices that are not freed yet. */
static atomic_t virtgpu_sgt_live = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(virtgpu_sgt_freed);

/**
 * virtgpu_sgt_free_later() - free something that the host no longer uses
 * @vgdev: device
 * @work: frees it, and calls virtgpu_sgt_free_done()
 *
 * The removal waits for it.
 *
 * Context: Any, for use in &virtgpu_sgt_cmd.done.
 */
void virtgpu_sgt_free_later(struct virtgpu_sgt_device *vgdev,
			    struct work_struct *work)
{
	/* The last file and the last buffer may be gone before @work runs. */
	drm_dev_get(vgdev->drm);
	atomic_inc(&vgdev->freeing);
	queue_work(virtgpu_sgt_free_wq, work);
}

/**
 * virtgpu_sgt_free_done() - the end of a work item of virtgpu_sgt_free_later()
 * @vgdev: device
 *
 * Context: Process context, may sleep: can free the DRM device.
 */
void virtgpu_sgt_free_done(struct virtgpu_sgt_device *vgdev)
{
	if (atomic_dec_and_test(&vgdev->freeing))
		wake_up_all(&vgdev->freed);
	drm_dev_put(vgdev->drm);
}

/* The last managed action of the DRM device. */
static void virtgpu_sgt_device_count_freed(struct drm_device *drm, void *data)
{
	if (atomic_dec_and_test(&virtgpu_sgt_live))
		wake_up(&virtgpu_sgt_freed);
}

/**
 * virtgpu_sgt_devices_wait_freed() - wait until all devices are freed
 *
 * Context: Process context, may sleep. No device is bound, nor will be.
 */
void virtgpu_sgt_devices_wait_freed(void)
{
	wait_event(virtgpu_sgt_freed, !atomic_read(&virtgpu_sgt_live));
}

static void virtgpu_sgt_device_release(struct drm_device *drm, void *data)
{
	struct virtgpu_sgt_device *vgdev = data;

	ida_destroy(&vgdev->res_ids);
}

/**
 * virtgpu_sgt_device_init() - initialise what needs no hardware
 * @drm: DRM device
 * @vdev: its virtio device
 *
 * Sets &drm_device.dev_private. Freed with the DRM device.
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ENOMEM
 */
int virtgpu_sgt_device_init(struct drm_device *drm, struct virtio_device *vdev)
{
	struct virtgpu_sgt_device *vgdev;
	int ret;

	atomic_inc(&virtgpu_sgt_live);
	ret = drmm_add_action_or_reset(drm, virtgpu_sgt_device_count_freed, NULL);
	if (ret)
		return ret;

	vgdev = drmm_kzalloc(drm, sizeof(*vgdev), GFP_KERNEL);
	if (!vgdev)
		return -ENOMEM;

	vgdev->drm = drm;
	vgdev->vdev = vdev;
	ida_init(&vgdev->res_ids);
	ret = drmm_add_action_or_reset(drm, virtgpu_sgt_device_release, vgdev);
	if (ret)
		return ret;

	ret = drmm_mutex_init(drm, &vgdev->output_lock) ?:
	      drmm_mutex_init(drm, &vgdev->make_lock) ?:
	      drmm_mutex_init(drm, &vgdev->vm_lock);
	if (ret)
		return ret;

	INIT_LIST_HEAD(&vgdev->vms);
	spin_lock_init(&vgdev->resource_lock);
	INIT_LIST_HEAD(&vgdev->resources);
	init_waitqueue_head(&vgdev->freed);
	virtgpu_sgt_fences_init(vgdev);
	virtgpu_sgt_queue_init(vgdev, &vgdev->ctrlq);
	virtgpu_sgt_queue_init(vgdev, &vgdev->cursorq);
	drm->dev_private = vgdev;
	return 0;
}

/**
 * virtgpu_sgt_device_stop() - stop the queues
 * @vgdev: device, whose watchdog is stopped
 *
 * Step 1 of the removal.
 *
 * Context: Process context, may sleep.
 */
void virtgpu_sgt_device_stop(struct virtgpu_sgt_device *vgdev)
{
	virtgpu_sgt_queue_stop(&vgdev->ctrlq);
	virtgpu_sgt_queue_stop(&vgdev->cursorq);
	/* See virtgpu_sgt_queue_unlock(). */
	synchronize_rcu();
}

/**
 * virtgpu_sgt_device_reset() - end the access of the host to all memory
 * @vgdev: device, whose queues send nothing
 *
 * No callback of the virtqueues runs when this returns, nor later. The reset of
 * virtio-mmio does not ensure that by itself.
 *
 * Context: Process context, may sleep.
 */
void virtgpu_sgt_device_reset(struct virtgpu_sgt_device *vgdev)
{
	virtio_reset_device(vgdev->vdev);
	virtio_synchronize_cbs(vgdev->vdev);
}

/**
 * virtgpu_sgt_device_lose() - give up a host that does not answer
 * @vgdev: device
 *
 * See "a silent host". virtgpu_sgt_device_error() is -EIO from here on.
 *
 * Context: Process context, may sleep. No removal has begun, and none begins.
 */
void virtgpu_sgt_device_lose(struct virtgpu_sgt_device *vgdev)
{
	virtgpu_sgt_queue_begin_lose(&vgdev->ctrlq);
	virtgpu_sgt_queue_begin_lose(&vgdev->cursorq);
	synchronize_rcu();
	virtgpu_sgt_device_reset(vgdev);
	virtgpu_sgt_queue_lose(&vgdev->ctrlq);
	virtgpu_sgt_queue_lose(&vgdev->cursorq);
}

/**
 * virtgpu_sgt_device_fini() - end all that needs the hardware
 * @vgdev: device after virtgpu_sgt_device_start(), whose queues are stopped, or that
 *	was not registered
 *
 * Steps 6 to 9 of the removal.
 *
 * Context: Process context, may sleep.
 */
void virtgpu_sgt_device_fini(struct virtgpu_sgt_device *vgdev)
{
	virtgpu_sgt_device_reset(vgdev);
	virtgpu_sgt_queue_drain(&vgdev->ctrlq);
	virtgpu_sgt_queue_drain(&vgdev->cursorq);
	wait_event(vgdev->freed, !atomic_read(&vgdev->freeing));
	vgdev->vdev->config->del_vqs(vgdev->vdev);
	if (vgdev->sdev)
		drm_sgt_device_shutdown(vgdev->sdev);
}

static void virtgpu_sgt_ctrl_ack(struct virtqueue *vq)
{
	struct drm_device *drm = vq->vdev->priv;

	virtgpu_sgt_queue_ack(&to_virtgpu_sgt(drm)->ctrlq);
}

static void virtgpu_sgt_cursor_ack(struct virtqueue *vq)
{
	struct drm_device *drm = vq->vdev->priv;

	virtgpu_sgt_queue_ack(&to_virtgpu_sgt(drm)->cursorq);
}

static int virtgpu_sgt_device_start_queues(struct virtgpu_sgt_device *vgdev,
					   struct virtqueue *vqs[2])
{
	/* The longest command has a payload of at least one piece. */
	return virtgpu_sgt_queue_start(&vgdev->ctrlq, vqs[0],
				       VIRTGPU_SGT_CMD_DESCS + 1) ?:
	       virtgpu_sgt_queue_start(&vgdev->cursorq, vqs[1], 1);
}

/* [book: dma] */
/*
 * If the virtqueues use the DMA API, their DMA device maps the buffers. If not,
 * addresses are physical, and the parent maps imports. Segments may be as long as
 * the DMA API can map in one piece: an entry for the host can be split.
 */
static int virtgpu_sgt_device_find_dma(struct virtgpu_sgt_device *vgdev)
{
	struct device *dma_dev = virtqueue_dma_dev(vgdev->ctrlq.vq);
	struct device *owner = &vgdev->vdev->dev;
	struct device *bus_dev = dma_dev ?: owner->parent;
	size_t max = dma_max_mapping_size(bus_dev) ?: UINT_MAX;
	struct drm_sgt_device *sdev;
	int ret;

	if (bus_dev->dma_parms)
		dma_set_max_seg_size(bus_dev, min_t(size_t, max, UINT_MAX));

	sdev = dma_dev ? devm_drm_sgt_device_create(owner, dma_dev) :
			 devm_drm_sgt_device_create_phys(owner, bus_dev);
	if (IS_ERR(sdev))
		return PTR_ERR(sdev);

	vgdev->sdev = sdev;
	ret = drmm_gem_sgt_init(vgdev->drm, sdev);
	if (ret)
		return ret;

	return drmm_gem_sgt_shrinker_init(vgdev->drm, &virtgpu_sgt_shrinker_ops);
}

/* [end] */

/**
 * virtgpu_sgt_device_start() - find the virtqueues and the DMA device
 * @vgdev: device
 *
 * Context: Process context, may sleep. In the probe, before DRIVER_OK.
 * Return: 0, and virtgpu_sgt_device_fini() must follow, or a negative errno
 */
int virtgpu_sgt_device_start(struct virtgpu_sgt_device *vgdev)
{
	struct virtqueue_info info[] = {
		{ "control", virtgpu_sgt_ctrl_ack },
		{ "cursor", virtgpu_sgt_cursor_ack },
	};
	struct virtqueue *vqs[ARRAY_SIZE(info)];
	int ret;

	ret = virtio_find_vqs(vgdev->vdev, ARRAY_SIZE(info), vqs, info, NULL);
	if (ret)
		return ret;

	ret = virtgpu_sgt_device_start_queues(vgdev, vqs);
	if (!ret)
		ret = virtgpu_sgt_device_find_dma(vgdev);
	if (ret)
		virtgpu_sgt_device_fini(vgdev);
	return ret;
}
