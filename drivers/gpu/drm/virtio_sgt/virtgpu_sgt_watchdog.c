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
 * A host may take its time, but not for ever: commits, jobs, ioctls, the end of
 * a file and the probe wait for it, and some of these waits look at no signal.
 * While the host has commands, a watchdog looks once a second at the oldest one
 * of each queue. If that has been in the ring for ``host_seconds`` (a parameter
 * of the module, 10 by default), the host is lost:
 *
 * 1. Nothing new goes to the host. Every wait ends with -EIO.
 * 2. The device is reset. The host has no access to memory from here on.
 * 3. All commands end with -EIO, and so does each one that is submitted later.
 *    Memory that they have kept for the host is freed.
 *
 * So the out-fences of commits and jobs have -EIO, and so have ioctls that need
 * the host. Files can be closed, and buffers keep their bytes. A message in the
 * log says what has happened. The device stays like this until the driver is
 * unbound; when it is bound again, it starts afresh.
 *
 * The time of a command counts from when the ring takes it, not from when it is
 * submitted: a host that answers one command after another is not silent. It is
 * counted in looks of the watchdog, so that a guest that was stopped does not
 * blame the host for the time.
 *
 * The reset itself is a register of the device, for which the virtio core waits
 * without a limit. Waits have ended by then, but an unbind waits for it.
 */

#define VIRTGPU_SGT_MAX_SECONDS		3600U

/* Writable: a host that is slow needs more, a test of silence needs less. */
static unsigned int host_seconds = 10;
module_param(host_seconds, uint, 0644);
MODULE_PARM_DESC(host_seconds,
		 "Seconds after which a host that does not answer is lost (default: 10, 1 to 3600)");

/* Has the oldest command of the queue been there for so many looks? */
static bool virtgpu_sgt_queue_is_silent(struct virtgpu_sgt_queue *q,
					unsigned int looks, bool *busy)
{
	struct virtgpu_sgt_cmd *oldest;
	bool silent = false;

	spin_lock(&q->lock);
	/* What is pending counts if the host has none: the queue is broken. */
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
		silent = q->silent >= looks;
	}
	spin_unlock(&q->lock);
	return silent;
}

/* Not after the core has reset it for a reboot, nor when it was pulled. */
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
 * virtgpu_sgt_watchdog_stop() - look at the queues no more
 * @vgdev: device
 *
 * Waits for a reset that has begun. There is none afterwards.
 *
 * Context: Process context, may sleep.
 */
void virtgpu_sgt_watchdog_stop(struct virtgpu_sgt_device *vgdev)
{
	disable_delayed_work_sync(&vgdev->watchdog);
}
