// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-fence.h>
#include <linux/dma-fence-chain.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>
#include <drm/drm_syncobj.h>
#include <drm/virtgpu_sgt_drm.h>

#include "virtgpu_sgt_vm_args.h"
#include "virtgpu_sgt_vm_sync.h"

static int virtgpu_sgt_vm_syncs_get_wait(struct virtgpu_sgt_vm_syncs *syncs,
					 struct drm_file *file,
					 const struct drm_virtgpu_sgt_sync *sync)
{
	struct drm_device *drm = file->minor->dev;
	struct dma_fence *fence;
	int ret;

	ret = drm_syncobj_find_fence(file, sync->handle, sync->timeline_value, 0, &fence);
	if (ret) {
		drm_dbg_driver(drm, "no fence at point %llu of syncobj %u: %pe\n",
			       sync->timeline_value, sync->handle, ERR_PTR(ret));
		return ret;
	}
	syncs->waits[syncs->num_waits++] = fence;
	return 0;
}

/* Once the operations are queued, nothing may fail: allocate the point now. */
static int virtgpu_sgt_vm_syncs_get_signal(struct virtgpu_sgt_vm_syncs *syncs,
					   struct drm_file *file,
					   const struct drm_virtgpu_sgt_sync *sync)
{
	struct virtgpu_sgt_vm_signal *signal = &syncs->signals[syncs->num_signals];

	signal->syncobj = drm_syncobj_find(file, sync->handle);
	if (!signal->syncobj) {
		drm_dbg_driver(file->minor->dev, "no syncobj %u\n", sync->handle);
		return -ENOENT;
	}
	syncs->num_signals++;

	signal->point = sync->timeline_value;
	if (!signal->point)
		return 0;
	signal->chain = dma_fence_chain_alloc();
	return signal->chain ? 0 : -ENOMEM;
}

static int virtgpu_sgt_vm_syncs_get_each(struct virtgpu_sgt_vm_syncs *syncs,
					 struct drm_file *file,
					 const struct drm_virtgpu_sgt_sync *args, u32 count)
{
	int ret;
	u32 i;

	syncs->waits = kcalloc(count, sizeof(*syncs->waits), GFP_KERNEL_ACCOUNT);
	syncs->signals = kcalloc(count, sizeof(*syncs->signals), GFP_KERNEL_ACCOUNT);
	if (!syncs->waits || !syncs->signals)
		return -ENOMEM;

	for (i = 0; i < count; i++) {
		ret = virtgpu_sgt_vm_check_sync(file->minor->dev, &args[i]);
		if (ret)
			return ret;
		if (args[i].flags & VIRTGPU_SGT_SYNC_SIGNAL)
			ret = virtgpu_sgt_vm_syncs_get_signal(syncs, file, &args[i]);
		else
			ret = virtgpu_sgt_vm_syncs_get_wait(syncs, file, &args[i]);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * virtgpu_sgt_vm_syncs_get() - look up the syncs of a VM_BIND
 * @syncs: zeroed; to be put in any case
 * @file: open file
 * @array: of struct drm_virtgpu_sgt_sync, whose count is checked; may be empty
 *
 * The fences to wait for are those that the syncobjs have now.
 *
 * Context: Process context, may sleep.
 * Return:
 * * %0       - success
 * * see virtgpu_sgt_vm_copy_array()
 * * %-EINVAL - a bad sync, or a wait for a fence that does not exist yet
 * * %-ENOENT - an unknown handle
 * * %-ENOMEM - out of memory
 */
int virtgpu_sgt_vm_syncs_get(struct virtgpu_sgt_vm_syncs *syncs, struct drm_file *file,
			     const struct drm_virtgpu_sgt_obj_array *array)
{
	struct drm_virtgpu_sgt_sync *args;
	int ret;

	if (!array->count)
		return 0;

	args = virtgpu_sgt_vm_copy_array(file->minor->dev, array, sizeof(*args),
					 VIRTGPU_SGT_MIN_SYNC);
	if (IS_ERR(args))
		return PTR_ERR(args);

	ret = virtgpu_sgt_vm_syncs_get_each(syncs, file, args, array->count);
	kvfree(args);
	return ret;
}

/**
 * virtgpu_sgt_vm_syncs_signal() - put a fence into all syncobjs to signal
 * @syncs: the syncs
 * @fence: signals when the operations are done
 *
 * Context: Process context. Cannot fail.
 */
void virtgpu_sgt_vm_syncs_signal(struct virtgpu_sgt_vm_syncs *syncs,
				 struct dma_fence *fence)
{
	struct virtgpu_sgt_vm_signal *signal = syncs->signals;
	u32 i;

	for (i = 0; i < syncs->num_signals; i++, signal++) {
		if (!signal->chain) {
			drm_syncobj_replace_fence(signal->syncobj, fence);
			continue;
		}
		drm_syncobj_add_point(signal->syncobj, signal->chain, fence, signal->point);
		signal->chain = NULL;
	}
}

/**
 * virtgpu_sgt_vm_syncs_put() - drop all references of syncs
 * @syncs: the syncs, which may have been looked up in part
 *
 * Context: Process context.
 */
void virtgpu_sgt_vm_syncs_put(struct virtgpu_sgt_vm_syncs *syncs)
{
	u32 i;

	for (i = 0; syncs->waits && i < syncs->num_waits; i++)
		dma_fence_put(syncs->waits[i]);
	kfree(syncs->waits);
	for (i = 0; i < syncs->num_signals; i++) {
		drm_syncobj_put(syncs->signals[i].syncobj);
		dma_fence_chain_free(syncs->signals[i].chain);
	}
	kfree(syncs->signals);
}
