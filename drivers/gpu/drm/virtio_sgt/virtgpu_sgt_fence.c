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
 * Every command is finished when the call that sent it returns. Two kinds of
 * fences are handed out nevertheless: the out-fence of an atomic commit
 * (OUT_FENCE_PTR), which the DRM core makes, and that of a job (see "jobs"), which
 * is the driver's own. They become sync files, or are in syncobjs, can go on into
 * a dma-buf, and stay there when device and module are long gone.
 *
 * On Linux 6.12 they must not. The lock of the former is a field of the CRTC,
 * and its names are read through the CRTC from &struct drm_driver, which is our
 * module's (drivers/gpu/drm/drm_crtc.c:162, :169), as the names of the latter
 * are. A fence that is signalled is no exception: dma_fence_enable_sw_signaling()
 * takes the lock first and looks then (drivers/dma-buf/dma-fence.c:611), and
 * SYNC_IOC_FILE_INFO asks for the names (drivers/dma-buf/sync_file.c:264). Nothing
 * there counts a reference to either.
 *
 * So the driver does. The fence of a job needs nothing but the module: its lock is
 * its own, and its names are constants. It has a reference to the module from its
 * creation to &dma_fence_ops.release, when the last reference to it goes. What a
 * bind costs does not depend on the fences that others hold.
 *
 * The fence of a commit has no hook for its end. So each one is kept in a list of the
 * device, with a reference to the fence. As long as the list is not empty, it has one
 * reference to the DRM device, which owns the CRTCs, and one to the module. A fence to
 * which the list has the only reference is dropped; nothing says when that is the
 * case, so the list is looked through once a second. Each new fence looks at two of
 * the list, so that a commit costs the same however many are held, and the list
 * does not grow in between if they are not.
 */

#define VIRTGPU_SGT_FENCES_PERIOD	HZ

/* How many fences a new one looks at. */
#define VIRTGPU_SGT_FENCES_LOOK		2

/* How many the work item looks at before it lets others have the lock. */
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
 * Look at the first @max fences. Those that the list alone has are dropped, others
 * become the last ones.
 */
static void virtgpu_sgt_fences_look_locked(struct virtgpu_sgt_fences *fences,
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

/* Look at all that there are now, in pieces; commits may add others meanwhile. */
static void virtgpu_sgt_fences_look(struct virtgpu_sgt_fences *fences)
{
	unsigned int left = READ_ONCE(fences->count), piece;

	for (; left; left -= piece) {
		piece = min(left, VIRTGPU_SGT_FENCES_PIECE);
		mutex_lock(&fences->lock);
		virtgpu_sgt_fences_look_locked(fences, piece);
		mutex_unlock(&fences->lock);
		cond_resched();
	}
}

/*
 * The only place where the references are dropped. The last one to the module
 * is dropped by code of the module, and the last one to the device frees the
 * work item: virtgpu_sgt_exit() waits until this function has returned. Not in
 * virtgpu_sgt_wq, as freeing a DRM device flushes work of others.
 */
static void virtgpu_sgt_fences_work(struct work_struct *work)
{
	struct virtgpu_sgt_fences *fences =
		container_of(to_delayed_work(work), struct virtgpu_sgt_fences,
			     work);
	struct virtgpu_sgt_device *vgdev =
		container_of(fences, struct virtgpu_sgt_device, fences);
	bool last;

	virtgpu_sgt_fences_look(fences);

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
	 * Somebody who found a fence through a pointer under RCU may have had
	 * a reference for the moment that it takes to see that it is not the
	 * one, and may be the one who drops the last.
	 */
	synchronize_rcu();
	drm_dev_put(vgdev->drm);
	module_put(THIS_MODULE);
}

/**
 * virtgpu_sgt_fences_init() - begin with no fence
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

	/* Who asks for an out-fence has the device open: both are alive. */
	drm_dev_get(vgdev->drm);
	__module_get(THIS_MODULE);
	fences->holds = true;
	queue_delayed_work(system_unbound_wq, &fences->work,
			   VIRTGPU_SGT_FENCES_PERIOD);
}

/* If it is not handed out after all, it is gone from the list soon after. */
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
	virtgpu_sgt_fences_look_locked(fences, VIRTGPU_SGT_FENCES_LOOK);
	virtgpu_sgt_fences_add_locked(vgdev, entry);
	mutex_unlock(&fences->lock);
	return 0;
}

/**
 * virtgpu_sgt_fences_keep() - keep the out-fences that a commit hands out
 * @vgdev: device
 * @state: the commit, before it starts
 *
 * Context: Process context. Takes &virtgpu_sgt_fences.lock.
 * Return: 0, or -ENOMEM
 */
int virtgpu_sgt_fences_keep(struct virtgpu_sgt_device *vgdev,
			    struct drm_atomic_state *state)
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
