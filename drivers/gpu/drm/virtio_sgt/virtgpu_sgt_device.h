/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_DEVICE_H__
#define __VIRTGPU_SGT_DEVICE_H__

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/idr.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree_types.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>

#include "virtgpu_sgt_fence.h"
#include "virtgpu_sgt_queue.h"

struct drm_sgt_device;
struct virtgpu_sgt_output;
struct virtio_device;

/**
 * struct virtgpu_sgt_stats - counters for debugfs, which only increase
 */
struct virtgpu_sgt_stats {
	/** @commands: commands put into a ring */
	atomic_long_t commands;
	/** @notifies: notifications of the host about commands */
	atomic_long_t notifies;
	/** @host_errors: responses other than the one that means success */
	atomic_long_t host_errors;
	/** @commit_errors: atomic commits that the host did not carry out */
	atomic_long_t commit_errors;
	/** @ring_full: commands that had to wait for room in a ring */
	atomic_long_t ring_full;
	/** @hotplugs: changes of its displays that the host has announced */
	atomic_long_t hotplugs;
};

/**
 * struct virtgpu_sgt_device - one virtio-gpu device
 *
 * Lives as long as the DRM device, which outlives the binding of the driver.
 * virtgpu_sgt_remove() ends all that needs the hardware: see "removal order".
 */
struct virtgpu_sgt_device {
	/** @drm: the DRM device; set once */
	struct drm_device *drm;

	/**
	 * @vdev: the virtio device; not accessed once the driver is unbound,
	 * when it may be freed
	 */
	struct virtio_device *vdev;

	/**
	 * @sdev: maps the buffers; the default of @drm, set once by the probe
	 */
	struct drm_sgt_device *sdev;

	/** @ctrlq: takes all commands but those of the cursor */
	struct virtgpu_sgt_queue ctrlq;

	/** @cursorq: takes the commands of the cursor */
	struct virtgpu_sgt_queue cursorq;

	/** @watchdog: checks whether the host answers, see "a silent host" */
	struct delayed_work watchdog;

	/** @has_edid: the host supports GET_EDID; set once by the probe */
	bool has_edid;

	/**
	 * @has_blobs: the host can show blobs; set by the probe, and cleared when the host
	 * refuses one
	 */
	bool has_blobs;

	/** @num_scanouts: length of @outputs; set once by the probe */
	unsigned int num_scanouts;

	/** @outputs: one for each scanout; set once by the probe */
	struct virtgpu_sgt_output *outputs;

	/** @output_lock: protects &virtgpu_sgt_output.display of all outputs */
	struct mutex output_lock;

	/** @hotplug_work: asks the host for its displays */
	struct work_struct hotplug_work;

	/** @vm_lock: protects @vms, and the address space of each file */
	struct mutex vm_lock;

	/** @vms: address spaces of open files */
	struct list_head vms;

	/** @res_ids: ids of resources; has a lock of its own */
	struct ida res_ids;

	/** @make_lock: serializes creating the resources of buffers */
	struct mutex make_lock;

	/**
	 * @resource_lock: protects @resources, @num_resources, @num_blobs and
	 * @fb_memories
	 */
	spinlock_t resource_lock;

	/** @resources: resources that have an id, for debugfs */
	struct list_head resources;

	/** @num_resources: length of @resources */
	unsigned int num_resources;

	/** @num_blobs: framebuffers that have a blob */
	unsigned int num_blobs;

	/** @fb_memories: of &struct virtgpu_sgt_fb_memory, by address of the dma-buf */
	struct rb_root fb_memories;

	/** @freeing: work items of virtgpu_sgt_free_later() that are not done */
	atomic_t freeing;

	/** @freed: woken when @freeing becomes 0 */
	wait_queue_head_t freed;

	/** @master: number of the DRM master; never 0, and new for each master */
	atomic_t master;

	/** @fences: out-fences that userspace still holds */
	struct virtgpu_sgt_fences fences;

	/** @stats: counters, each of them atomic */
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

/**
 * virtgpu_sgt_device_error() - the error of calls that need the host
 * @vgdev: device
 *
 * Return:
 * * %0       - success
 * * %-EIO    - the host was silent, and the device is lost until it is unbound
 * * %-ENODEV - the removal has begun
 */
static inline int virtgpu_sgt_device_error(const struct virtgpu_sgt_device *vgdev)
{
	return virtgpu_sgt_queue_error(&vgdev->ctrlq);
}

/**
 * virtgpu_sgt_is_stopping() - has the removal begun?
 * @vgdev: device
 *
 * Return: true from the first step of the removal on
 */
static inline bool virtgpu_sgt_is_stopping(const struct virtgpu_sgt_device *vgdev)
{
	return virtgpu_sgt_device_error(vgdev) == -ENODEV;
}

extern struct workqueue_struct *virtgpu_sgt_free_wq;

int __must_check virtgpu_sgt_device_init(struct drm_device *drm,
					 struct virtio_device *vdev);
int __must_check virtgpu_sgt_device_start(struct virtgpu_sgt_device *vgdev);
void virtgpu_sgt_device_stop(struct virtgpu_sgt_device *vgdev);
void virtgpu_sgt_device_reset(struct virtgpu_sgt_device *vgdev);
void virtgpu_sgt_device_lose(struct virtgpu_sgt_device *vgdev);
void virtgpu_sgt_device_fini(struct virtgpu_sgt_device *vgdev);
void virtgpu_sgt_devices_wait_freed(void);
void virtgpu_sgt_free_later(struct virtgpu_sgt_device *vgdev,
			    struct work_struct *work);
void virtgpu_sgt_free_done(struct virtgpu_sgt_device *vgdev);

#endif /* __VIRTGPU_SGT_DEVICE_H__ */
