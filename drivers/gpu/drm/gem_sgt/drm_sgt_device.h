/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_SGT_DEVICE_H__
#define __DRM_SGT_DEVICE_H__

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/wait.h>

#include <drm/drm_print.h>
#include <drm/drm_sgt.h>

struct seq_file;

/**
 * struct drm_sgt_limits - the limits of one entry of a table
 */
struct drm_sgt_limits {
	/** @max_segment: bytes, a multiple of the page size */
	unsigned int max_segment;
	/** @boundary: a mask; no entry crosses a multiple of @boundary + 1 */
	unsigned long boundary;
};

/**
 * struct drm_sgt_device - a bound device, and the mappings that end with it
 *
 * Each &struct drm_sgt and the devm action on the owner hold a reference, so it
 * outlives the owner's unbind and is freed after the last table.
 */
struct drm_sgt_device {
	/** @refcount: see above */
	struct kref refcount;

	/** @id: number in debugfs and messages; constant */
	unsigned int id;

	/** @owner: name of the owner, which may be freed after unbind; constant */
	char *owner;

	/**
	 * @dma_dev: does the DMA, referenced; NULL in physical mode, or if there is no
	 * DMA; constant
	 */
	struct device *dma_dev;

	/** @no_dma: there is no DMA, and no table is mapped; constant */
	bool no_dma;

	/**
	 * @bus_dev: in physical mode, the device on the bus, to attach imports
	 * to; referenced, can be NULL; constant
	 */
	struct device *bus_dev;

	/** @limits: constant, as tables are also built after unbind */
	struct drm_sgt_limits limits;

	/** @zone: see drm_sgt_device_zone(); constant, as @limits */
	gfp_t zone;

	/** @srcu: held for reading by access sections and by drm_sgt_map() */
	struct srcu_struct srcu;

	/** @shutdown_lock: one shutdown at a time */
	struct mutex shutdown_lock;

	/** @drained: a shutdown is complete; protected by @shutdown_lock */
	bool drained;

	/**
	 * @lock: innermost, taken with interrupts on; protects @mapped, @stats
	 * and the state of every table of the device
	 */
	spinlock_t lock;

	/**
	 * @gone: nothing new is mapped or accessed. Set once, before a shutdown
	 * waits for @srcu; read inside @srcu
	 */
	bool gone;

	/** @mapped: tables in state MAPPED that no task is unmapping */
	struct list_head mapped;

	/** @stats: counters; @stats.mapped drops only after the DMA unmap */
	struct drm_sgt_device_stats stats;

	/**
	 * @unmapped: woken when a mapping has ended, as the two sides of a race
	 * between unmap and shutdown wait here for each other; and by the last
	 * section of a table that drm_sgt_unmap_wait() waits for
	 */
	wait_queue_head_t unmapped;

	/** @entry: in the list of all devices, under that list's mutex */
	struct list_head entry;
};

/* The owner may have been freed, so messages name the device that does the DMA. */
#define drm_sgt_dbg(sdev, fmt, ...) \
	drm_dev_dbg((sdev)->dma_dev, DRM_UT_DRIVER, fmt, ##__VA_ARGS__)

void drm_sgt_device_count(struct drm_sgt_device *sdev, int tables);
void drm_sgt_device_show_all(struct seq_file *m);
bool drm_sgt_dma_is_translated(struct device *dev);
bool drm_sgt_dma_is_limited(struct device *dev);
int drm_sgt_limits_init(struct drm_sgt_limits *limits, struct device *owner,
			struct device *dma_dev);

#endif /* __DRM_SGT_DEVICE_H__ */
