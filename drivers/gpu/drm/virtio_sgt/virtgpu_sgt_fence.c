// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-fence.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <drm/drm_atomic.h>
#include <drm/drm_crtc.h>
#include <drm/drm_drv.h>
#include <drm/drm_vblank.h>

#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_fence.h"

/**
 * DOC: out-fences
 *
 * Userspace gets two kinds of fences: the out-fence of an atomic commit
 * (OUT_FENCE_PTR), which the DRM core creates, and the fence of a job (see "jobs"),
 * from drm_sgt_fence_create(). As a sync file, in a syncobj or in a dma-buf, a fence
 * can outlive the device and the module. The fence of a job may do so: see "fences".
 *
 * On Linux 6.12, an out-fence may not. Its lock is a field of the CRTC, and its names are
 * read through the CRTC from &struct drm_driver, which is part of the module
 * (drivers/gpu/drm/drm_crtc.c:162, :169). Both are also used after the fence has signalled:
 * dma_fence_enable_sw_signaling() takes the lock before it checks
 * (drivers/dma-buf/dma-fence.c:611), and SYNC_IOC_FILE_INFO reads the names
 * (drivers/dma-buf/sync_file.c:264). The core takes no reference to either.
 *
 * The core offers no callback for the end of an out-fence. So the device keeps a
 * list of them, with a reference to each. While the list is not empty, it holds a
 * reference to the DRM device, which owns the CRTCs, and one to the module. A work
 * item runs once a second, and drops the fences to which the list has the only
 * reference. Each commit that adds a fence checks two others: its cost does not
 * depend on the length of the list, and fences that are released at once do not
 * make the list grow.
 */

#define VIRTGPU_SGT_FENCES_PERIOD	HZ

/* How many fences a commit checks when it adds one. */
#define VIRTGPU_SGT_FENCES_CHECK	2

/* How many fences the work item checks before it drops the lock. */
#define VIRTGPU_SGT_FENCES_PIECE	64

/* An out-fence in the list of its device. */
struct virtgpu_sgt_fence {
	struct list_head node;
	struct dma_fence *fence;
};

static void virtgpu_sgt_fence_drop(struct virtgpu_sgt_fence *entry)
{
	list_del(&entry->node);
	dma_fence_put(entry->fence);
	kfree(entry);
}

/*
 * Check the first @max fences. Drop those that only the list refers to, and move
 * the others to the end.
 */
static void virtgpu_sgt_fences_check_locked(struct virtgpu_sgt_fences *fences,
					    unsigned int max)
{
	struct virtgpu_sgt_fence *entry;

	lockdep_assert_held(&fences->lock);

	for (; max && !list_empty(&fences->list); max--) {
		entry = list_first_entry(&fences->list, struct virtgpu_sgt_fence,
					 node);
		if (kref_read(&entry->fence->refcount) > 1) {
			list_move_tail(&entry->node, &fences->list);
			continue;
		}
		virtgpu_sgt_fence_drop(entry);
		fences->count--;
	}
}

/* Check all fences, in pieces. Commits may add others meanwhile. */
static void virtgpu_sgt_fences_check(struct virtgpu_sgt_fences *fences)
{
	unsigned int left = READ_ONCE(fences->count), piece;

	for (; left; left -= piece) {
		piece = min(left, VIRTGPU_SGT_FENCES_PIECE);
		mutex_lock(&fences->lock);
		virtgpu_sgt_fences_check_locked(fences, piece);
		mutex_unlock(&fences->lock);
		cond_resched();
	}
}

/*
 * Only this function drops the references of the list. Dropping the last one to
 * the device frees the work item, and after dropping the last one to the module,
 * code of the module still runs: virtgpu_sgt_exit() waits until this function has
 * returned. Not in virtgpu_sgt_wq, as freeing a DRM device flushes other work.
 */
static void virtgpu_sgt_fences_work(struct work_struct *work)
{
	struct virtgpu_sgt_fences *fences =
		container_of(to_delayed_work(work), struct virtgpu_sgt_fences,
			     work);
	struct virtgpu_sgt_device *vgdev =
		container_of(fences, struct virtgpu_sgt_device, fences);
	bool last;

	virtgpu_sgt_fences_check(fences);

	mutex_lock(&fences->lock);
	last = list_empty(&fences->list);
	if (last)
		fences->holds = false;
	else
		queue_delayed_work(system_unbound_wq, &fences->work,
				   VIRTGPU_SGT_FENCES_PERIOD);
	mutex_unlock(&fences->lock);

	if (!last)
		return;

	/*
	 * A lookup under RCU may hold a reference to a fence for a moment, until
	 * it finds that the pointer has changed, and may drop the last one.
	 */
	synchronize_rcu();
	drm_dev_put(vgdev->drm);
	module_put(THIS_MODULE);
}

/**
 * virtgpu_sgt_fences_init() - initialise the list of out-fences
 * @vgdev: device
 */
void virtgpu_sgt_fences_init(struct virtgpu_sgt_device *vgdev)
{
	struct virtgpu_sgt_fences *fences = &vgdev->fences;

	mutex_init(&fences->lock);
	INIT_LIST_HEAD(&fences->list);
	INIT_DELAYED_WORK(&fences->work, virtgpu_sgt_fences_work);
}

static void virtgpu_sgt_fences_add_locked(struct virtgpu_sgt_device *vgdev,
					  struct virtgpu_sgt_fence *entry)
{
	struct virtgpu_sgt_fences *fences = &vgdev->fences;

	lockdep_assert_held(&fences->lock);

	list_add_tail(&entry->node, &fences->list);
	fences->count++;
	if (fences->holds)
		return;

	/* A file of the device is open: device and module are alive. */
	drm_dev_get(vgdev->drm);
	__module_get(THIS_MODULE);
	fences->holds = true;
	queue_delayed_work(system_unbound_wq, &fences->work,
			   VIRTGPU_SGT_FENCES_PERIOD);
}

/* If the commit fails, the work item drops the fence again. */
static int virtgpu_sgt_fence_keep(struct virtgpu_sgt_device *vgdev,
				  struct dma_fence *fence)
{
	struct virtgpu_sgt_fences *fences = &vgdev->fences;
	struct virtgpu_sgt_fence *entry;

	entry = kmalloc(sizeof(*entry), GFP_KERNEL_ACCOUNT);
	if (!entry)
		return -ENOMEM;
	entry->fence = dma_fence_get(fence);

	mutex_lock(&fences->lock);
	virtgpu_sgt_fences_check_locked(fences, VIRTGPU_SGT_FENCES_CHECK);
	virtgpu_sgt_fences_add_locked(vgdev, entry);
	mutex_unlock(&fences->lock);
	return 0;
}

/**
 * virtgpu_sgt_fences_keep() - keep the out-fences of a commit
 * @vgdev: device
 * @state: the commit, before it starts
 *
 * Context: Process context. Takes &virtgpu_sgt_fences.lock.
 * Return: 0, or -ENOMEM
 */
int virtgpu_sgt_fences_keep(struct virtgpu_sgt_device *vgdev,
			    struct drm_atomic_commit *state)
{
	struct drm_crtc_state *crtc_state;
	struct drm_crtc *crtc;
	int ret;
	int i;

	for_each_new_crtc_in_state(state, crtc, crtc_state, i) {
		if (!crtc_state->event || !crtc_state->event->base.fence)
			continue;

		ret = virtgpu_sgt_fence_keep(vgdev,
					     crtc_state->event->base.fence);
		if (ret)
			return ret;
	}
	return 0;
}
