/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_DRV_H__
#define __VIRTGPU_SGT_DRV_H__

#include <linux/atomic.h>
#include <linux/idr.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>

#include "virtgpu_sgt_fence.h"
#include "virtgpu_sgt_queue.h"

struct drm_sgt_device;
struct virtgpu_sgt_output;
struct virtio_device;

/**
 * struct virtgpu_sgt_stats - counters for debugfs, which only go up
 */
struct virtgpu_sgt_stats {
	/** @commands: commands that the host was given */
	atomic_long_t commands;
	/** @host_errors: responses other than the one that means success */
	atomic_long_t host_errors;
	/** @commit_errors: atomic commits that the host did not carry out */
	atomic_long_t commit_errors;
	/** @ring_full: commands that had to wait for room in a ring */
	atomic_long_t ring_full;
	/** @hotplugs: times that the host said that its displays have changed */
	atomic_long_t hotplugs;
};

/**
 * struct virtgpu_sgt_device - one virtio-gpu device
 *
 * Lives as long as the DRM device, which is longer than the driver is bound.
 * What belongs to the hardware ends with virtgpu_sgt_remove(); see "removal
 * order".
 */
struct virtgpu_sgt_device {
	/** @drm: the DRM device; set once */
	struct drm_device *drm;

	/**
	 * @vdev: the virtio device; not to be touched once the driver is
	 * unbound, when it may be freed
	 */
	struct virtio_device *vdev;

	/**
	 * @sdev: who maps the buffers; a counted reference, set once by the
	 * probe
	 */
	struct drm_sgt_device *sdev;

	/** @ctrlq: takes all commands but those of the cursor */
	struct virtgpu_sgt_queue ctrlq;

	/** @cursorq: takes the commands of the cursor */
	struct virtgpu_sgt_queue cursorq;

	/** @watchdog: looks whether the host answers, see "a silent host" */
	struct delayed_work watchdog;

	/** @has_edid: the host answers GET_EDID; set once by the probe */
	bool has_edid;

	/** @num_scanouts: length of @outputs; set once by the probe */
	unsigned int num_scanouts;

	/** @outputs: one for each scanout; set once by the probe */
	struct virtgpu_sgt_output *outputs;

	/** @output_lock: protects what the host said of its displays */
	struct mutex output_lock;

	/** @hotplug_work: asks the host for its displays */
	struct work_struct hotplug_work;

	/** @vm_lock: protects @vms, and who has one */
	struct mutex vm_lock;

	/** @vms: address spaces of open files */
	struct list_head vms;

	/** @res_ids: numbers of resources; has a lock of its own */
	struct ida res_ids;

	/** @import_lock: one import at a time gets its resource */
	struct mutex import_lock;

	/** @resource_lock: protects @resources and @num_resources */
	spinlock_t resource_lock;

	/** @resources: what the host has heard of, for debugfs */
	struct list_head resources;

	/** @num_resources: length of @resources */
	unsigned int num_resources;

	/** @freeing: objects that a work item is about to free */
	atomic_t freeing;

	/** @freed: woken when @freeing becomes 0 */
	wait_queue_head_t freed;

	/**
	 * @master: number of the DRM master, another one with each change of
	 * that; not 0
	 */
	atomic_t master;

	/** @fences: out-fences that userspace still holds */
	struct virtgpu_sgt_fences fences;

	/** @stats: counters, atomic each */
	struct virtgpu_sgt_stats stats;
};

/**
 * to_virtgpu_sgt() - the device of a DRM device
 * @drm: DRM device of this driver
 *
 * Return: the &struct virtgpu_sgt_device
 */
static inline struct virtgpu_sgt_device *
to_virtgpu_sgt(const struct drm_device *drm)
{
	return drm->dev_private;
}

/* virtgpu_sgt_drv.c */
extern struct workqueue_struct *virtgpu_sgt_wq;
extern struct workqueue_struct *virtgpu_sgt_vm_wq;
extern struct workqueue_struct *virtgpu_sgt_free_wq;

bool virtgpu_sgt_is_stopping(struct virtgpu_sgt_device *vgdev);
int virtgpu_sgt_device_error(struct virtgpu_sgt_device *vgdev);
void virtgpu_sgt_free_later(struct virtgpu_sgt_device *vgdev,
			    struct work_struct *work);
void virtgpu_sgt_free_done(struct virtgpu_sgt_device *vgdev);

#endif /* __VIRTGPU_SGT_DRV_H__ */
