/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_WATCHDOG_H__
#define __VIRTGPU_SGT_WATCHDOG_H__

#include <linux/jiffies.h>
#include <linux/workqueue.h>

#include "virtgpu_sgt_device.h"

#define VIRTGPU_SGT_WATCHDOG_PERIOD	HZ

/**
 * virtgpu_sgt_watchdog_start() - start checking the queues
 * @vgdev: device, one of whose queues has a command
 *
 * The checks go on until no queue has a command.
 *
 * Context: Process context. The caller may hold &virtgpu_sgt_queue.lock.
 */
static inline void virtgpu_sgt_watchdog_start(struct virtgpu_sgt_device *vgdev)
{
	if (!delayed_work_pending(&vgdev->watchdog))
		queue_delayed_work(virtgpu_sgt_wq, &vgdev->watchdog,
				   VIRTGPU_SGT_WATCHDOG_PERIOD);
}

void virtgpu_sgt_watchdog_init(struct virtgpu_sgt_device *vgdev);
void virtgpu_sgt_watchdog_stop(struct virtgpu_sgt_device *vgdev);

#endif /* __VIRTGPU_SGT_WATCHDOG_H__ */
