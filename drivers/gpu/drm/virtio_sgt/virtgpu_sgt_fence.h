/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_FENCE_H__
#define __VIRTGPU_SGT_FENCE_H__

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct drm_atomic_commit;
struct virtgpu_sgt_device;

/**
 * struct virtgpu_sgt_fences - the out-fences of commits that userspace holds
 */
struct virtgpu_sgt_fences {
	/** @lock: protects all fields but @work */
	struct mutex lock;

	/** @list: of struct virtgpu_sgt_fence, in the order of the next check */
	struct list_head list;

	/** @count: length of @list */
	unsigned int count;

	/** @holds: the list holds references to device and module */
	bool holds;

	/** @work: drops the fences that only @list refers to */
	struct delayed_work work;
};

void virtgpu_sgt_fences_init(struct virtgpu_sgt_device *vgdev);
int __must_check virtgpu_sgt_fences_keep(struct virtgpu_sgt_device *vgdev,
					 struct drm_atomic_commit *state);

#endif /* __VIRTGPU_SGT_FENCE_H__ */
