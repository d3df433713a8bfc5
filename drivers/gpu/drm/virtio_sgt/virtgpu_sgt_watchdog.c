// SPDX-License-Identifier: GPL-2.0

#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/workqueue.h>

#include <drm/drm_print.h>

#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_watchdog.h"

/**
 * DOC: a silent host
 *
 * Commits, jobs, ioctls, the close of a file and the probe wait for the host, and
 * some of these waits are not interruptible. So a watchdog limits them. While the
 * host has commands, the watchdog checks the oldest one of each queue once a second.
 * If a command has been in the ring for ``host_seconds`` (a module parameter, 10 by
 * default), the device is lost:
 *
 * 1. Nothing new goes to the host. Every wait ends with -EIO.
 * 2. The device is reset. The host has no access to memory from here on.
 * 3. All commands end with -EIO, also those that are submitted later. Memory that
 *    they have kept for the host is freed.
 *
 * The out-fences of commits and the fences of jobs signal with -EIO, and ioctls that
 * need the host fail with it. Files can be closed, and buffers keep their contents.
 * The driver logs an error. The device stays lost until the driver is unbound; the
 * next bind starts afresh.
 *
 * The time of a command counts from when it enters the ring, not from when it is
 * submitted: a host that answers one command after another is not silent. It is
 * counted in checks of the watchdog, so that the time for which a guest was
 * stopped does not count.
 *
 * To reset the device, the virtio core writes a register and waits without a limit
 * for the device. Other waits have ended by then, but an unbind waits for the
 * reset.
 */

#define VIRTGPU_SGT_MAX_SECONDS		3600U

/* Writable: a slow host needs more, and tests need less. */
static unsigned int host_seconds = 10;
module_param(host_seconds, uint, 0644);
MODULE_PARM_DESC(host_seconds,
		 "Seconds after which a host that does not answer is lost (default: 10, 1 to 3600)");

/* Has the oldest command of the queue been there for @checks checks? */
static bool virtgpu_sgt_queue_is_silent(struct virtgpu_sgt_queue *q,
					unsigned int checks, bool *busy)
{
	struct virtgpu_sgt_cmd *oldest;
	bool silent = false;

	spin_lock(&q->lock);
	/* Pending commands count if the ring has none: the queue is broken. */
	oldest = list_first_entry_or_null(&q->inflight, struct virtgpu_sgt_cmd,
					  node) ?:
		 list_first_entry_or_null(&q->pending, struct virtgpu_sgt_cmd,
					  node);
	if (oldest) {
		*busy = true;
		if (oldest->seq == q->watched)
			q->silent++;
		else
			q->silent = 0;
		q->watched = oldest->seq;
		silent = q->silent >= checks;
	}
	spin_unlock(&q->lock);
	return silent;
}

/* False if the virtio core has reset the device for a reboot, or if it was removed. */
static bool virtgpu_sgt_device_is_there(struct virtio_device *vdev)
{
	u8 status = vdev->config->get_status(vdev);

	return status && status != U8_MAX;
}

static void virtgpu_sgt_watchdog_work(struct work_struct *work)
{
	struct virtgpu_sgt_device *vgdev =
		container_of(to_delayed_work(work), struct virtgpu_sgt_device,
			     watchdog);
	unsigned int seconds = clamp(READ_ONCE(host_seconds), 1U,
				     VIRTGPU_SGT_MAX_SECONDS);
	bool busy = false, silent;

	silent = virtgpu_sgt_queue_is_silent(&vgdev->ctrlq, seconds, &busy);
	silent |= virtgpu_sgt_queue_is_silent(&vgdev->cursorq, seconds, &busy);

	if (silent && virtgpu_sgt_device_is_there(vgdev->vdev)) {
		drm_err(vgdev->drm,
			"the host has not answered for %u seconds: device reset and lost, unbind the driver and bind it again\n",
			seconds);
		virtgpu_sgt_device_lose(vgdev);
	} else if (busy && !silent) {
		virtgpu_sgt_watchdog_start(vgdev);
	}
}

/**
 * virtgpu_sgt_watchdog_init() - prepare the watchdog
 * @vgdev: device
 */
void virtgpu_sgt_watchdog_init(struct virtgpu_sgt_device *vgdev)
{
	INIT_DELAYED_WORK(&vgdev->watchdog, virtgpu_sgt_watchdog_work);
}

/**
 * virtgpu_sgt_watchdog_stop() - stop checking the queues
 * @vgdev: device
 *
 * Waits for a reset that has begun. None begins afterwards.
 *
 * Context: Process context, may sleep.
 */
void virtgpu_sgt_watchdog_stop(struct virtgpu_sgt_device *vgdev)
{
	disable_delayed_work_sync(&vgdev->watchdog);
}
