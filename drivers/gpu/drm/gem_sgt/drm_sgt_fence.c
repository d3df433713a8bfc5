// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/stddef.h>

#include <drm/drm_sgt_fence.h>

/**
 * DOC: fences
 *
 * As a sync file, in a syncobj or in a dma-buf, a fence can outlive the device and the
 * module of its driver. Linux 6.12 calls the fence all the same: SYNC_IOC_FILE_INFO
 * reads its names, and each function takes its lock, which can be a lock of the driver.
 *
 * A fence of drm_sgt_fence_create() has a lock of its own, and its callbacks are part of
 * this layer. It holds the module of the driver, which has the names, until it is freed.
 * The release itself may return after that: the exit of this layer waits for it.
 */

struct drm_sgt_fence {
	/* first: dma_fence_free() frees the whole */
	struct dma_fence base;
	/* of @base only */
	spinlock_t lock;
	struct module *owner;
	/* memory of @owner */
	const char *driver;
	const char *timeline;
};

static_assert(offsetof(struct drm_sgt_fence, base) == 0);

static struct drm_sgt_fence *to_drm_sgt_fence(struct dma_fence *fence)
{
	return container_of(fence, struct drm_sgt_fence, base);
}

static const char *drm_sgt_fence_driver_name(struct dma_fence *fence)
{
	return to_drm_sgt_fence(fence)->driver;
}

static const char *drm_sgt_fence_timeline_name(struct dma_fence *fence)
{
	return to_drm_sgt_fence(fence)->timeline;
}

/* In any context that drops the last reference. */
static void drm_sgt_fence_release(struct dma_fence *fence)
{
	struct module *owner = to_drm_sgt_fence(fence)->owner;

	dma_fence_free(fence);
	module_put(owner);
}

static const struct dma_fence_ops drm_sgt_fence_ops = {
	.get_driver_name = drm_sgt_fence_driver_name,
	.get_timeline_name = drm_sgt_fence_timeline_name,
	.release = drm_sgt_fence_release,
};

/**
 * drm_sgt_fence_create() - create a fence that can outlive its driver's device
 * @owner: THIS_MODULE of the driver, in use: for example, a file of it is open
 * @driver: name of the driver, a constant
 * @timeline: name of the timeline, a constant
 * @context: from dma_fence_context_alloc()
 * @seqno: its number in @context
 *
 * Ownership: the caller has the only reference. The fence holds @owner until the last one
 * is dropped. The driver signals it with dma_fence_signal(), at an unbind at the latest.
 *
 * Context: Process context, may sleep. Not in the fence-signalling path.
 * Return: the fence, or NULL if out of memory
 */
struct dma_fence *drm_sgt_fence_create(struct module *owner, const char *driver,
				       const char *timeline, u64 context, u64 seqno)
{
	struct drm_sgt_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL_ACCOUNT);

	if (!fence)
		return NULL;

	__module_get(owner);
	fence->owner = owner;
	fence->driver = driver;
	fence->timeline = timeline;
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &drm_sgt_fence_ops, &fence->lock, context, seqno);
	return &fence->base;
}
EXPORT_SYMBOL_GPL(drm_sgt_fence_create);
