// SPDX-License-Identifier: GPL-2.0

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/dma-resv.h>
#include <linux/err.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_print.h>
#include <drm/virtgpu_sgt_drm.h>

#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_reclaim.h"

static_assert(sizeof(struct drm_virtgpu_sgt_madvise) == 16);

/**
 * DOC: buffers that are not in use
 *
 * The host may read the pages of a buffer at any time, from when it has their addresses
 * until it has answered the command that takes them back. Each of these uses is counted:
 *
 * * the resource of a framebuffer, until its UNREF is answered;
 * * the resource of RESOURCE_CREATE and TRANSFER_TO_HOST, until the buffer is freed;
 * * a mapping in an address space, until the job that removes it is done;
 * * what a resource from VA was attached to, until its DETACH is answered.
 *
 * When its last use ends, a buffer stays mapped, so that the next one is cheap. The
 * shrinker of the helper layer ends the mapping of such a buffer, and swaps it out, or
 * purges it if MADVISE allows that. The memory of a framebuffer that is not on the
 * screen stays where it is, as the host keeps its addresses.
 *
 * The count rises from 0 under the resv only. The shrinker holds the resv from when it
 * reads the count until the mapping has ended. So a new use waits for it, and then maps the
 * buffer again.
 */

/**
 * virtgpu_sgt_bo_begin_use() - map a buffer, and keep it mapped
 * @bo: the buffer
 *
 * The memory of an import is not reclaimed.
 *
 * Ownership: the caller has a reference to @bo until virtgpu_sgt_bo_end_use().
 *
 * Context: Process context, may sleep. Takes the resv.
 * Return: 0, -EINTR, or see drm_gem_sgt_map()
 */
int virtgpu_sgt_bo_begin_use(struct virtgpu_sgt_bo *bo)
{
	struct dma_resv *resv = bo->base.base.resv;
	int ret;

	if (!drm_gem_sgt_is_import(&bo->base)) {
		ret = dma_resv_lock_interruptible(resv, NULL);
		if (ret)
			return ret;
		atomic_inc(&bo->users);
		dma_resv_unlock(resv);
	} else {
		atomic_inc(&bo->users);
	}

	ret = drm_gem_sgt_map(&bo->base);
	if (ret)
		virtgpu_sgt_bo_end_use(bo);
	return ret;
}

/**
 * virtgpu_sgt_bo_end_use() - the host does not read a buffer any more for one use
 * @bo: the buffer
 *
 * Context: Any.
 */
void virtgpu_sgt_bo_end_use(struct virtgpu_sgt_bo *bo)
{
	atomic_dec(&bo->users);
}

/**
 * virtgpu_sgt_bo_get_used() - take a reference to a buffer, and count a use
 * @obj: the GEM object of the buffer, which is in use
 *
 * Context: Any.
 */
void virtgpu_sgt_bo_get_used(struct drm_gem_object *obj)
{
	drm_gem_object_get(obj);
	atomic_inc(&to_virtgpu_sgt_bo(obj)->users);
}

/**
 * virtgpu_sgt_bo_put_used() - drop a reference to a buffer, and a use
 * @obj: the GEM object of the buffer, or NULL
 *
 * Context: Process context, may sleep.
 */
void virtgpu_sgt_bo_put_used(struct drm_gem_object *obj)
{
	if (!obj)
		return;
	virtgpu_sgt_bo_end_use(to_virtgpu_sgt_bo(obj));
	drm_gem_object_put(obj);
}

static int virtgpu_sgt_bo_idle(struct drm_gem_sgt_object *base)
{
	struct virtgpu_sgt_bo *bo = to_virtgpu_sgt_bo(&base->base);

	dma_resv_assert_held(base->base.resv);

	return atomic_read(&bo->users) ? -EBUSY : 0;
}

/* See "buffers that are not in use". */
const struct drm_gem_sgt_shrinker_ops virtgpu_sgt_shrinker_ops = {
	.idle = virtgpu_sgt_bo_idle,
};

static int virtgpu_sgt_madvise(struct drm_gem_object *obj,
			       struct drm_virtgpu_sgt_madvise *args)
{
	bool dontneed = args->madv == VIRTGPU_SGT_MADV_DONTNEED;
	int ret;

	if (!virtgpu_sgt_is_bo(obj)) {
		drm_dbg_driver(obj->dev, "handle %u has no memory of its own\n", args->handle);
		return -EOPNOTSUPP;
	}

	ret = dma_resv_lock_interruptible(obj->resv, NULL);
	if (ret)
		return ret;
	args->retained = drm_gem_sgt_madvise_locked(to_drm_gem_sgt_obj(obj), dontneed);
	dma_resv_unlock(obj->resv);
	return 0;
}

/**
 * virtgpu_sgt_madvise_ioctl() - DRM_IOCTL_VIRTGPU_SGT_MADVISE
 * @drm: DRM device
 * @data: struct drm_virtgpu_sgt_madvise
 * @file: open file
 *
 * Return: 0 or a negative errno: see "errors" in virtgpu_sgt_drm.h
 */
int virtgpu_sgt_madvise_ioctl(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_virtgpu_sgt_madvise *args = data;
	struct drm_gem_object *obj;
	int ret;

	if (args->madv > VIRTGPU_SGT_MADV_DONTNEED || args->pad) {
		drm_dbg_driver(drm, "unknown advice %u, or pad %u\n", args->madv, args->pad);
		return -EINVAL;
	}

	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj) {
		drm_dbg_driver(drm, "no handle %u\n", args->handle);
		return -ENOENT;
	}
	ret = virtgpu_sgt_madvise(obj, args);
	drm_gem_object_put(obj);
	return ret;
}
