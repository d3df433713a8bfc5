// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_print.h>
#include <drm/drm_rect.h>
#include <drm/virtgpu_drm.h>
#include <drm/virtgpu_sgt_drm.h>

#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_ioctl.h"
#include "virtgpu_sgt_reclaim.h"
#include "virtgpu_sgt_va_gem.h"
#include "virtgpu_sgt_vm_bind.h"
#include "virtgpu_sgt_vm_query.h"

/*
 * The ioctls of virtgpu_drm.h, as on a device without 3D, and those of
 * virtgpu_sgt_drm.h. Ioctls that need 3D fail with the errno of the in-tree driver.
 */

/* Gallium's PIPE_TEXTURE_2D, the only target of a 2D resource. */
#define VIRTGPU_SGT_TARGET_2D	2

/* The longest wait of VIRTGPU_WAIT. */
#define VIRTGPU_SGT_WAIT	(15 * HZ)

static int virtgpu_sgt_map_ioctl(struct drm_device *drm, void *data,
				 struct drm_file *file)
{
	struct drm_virtgpu_map *args = data;

	if (args->pad)
		return -EINVAL;

	return drm_gem_sgt_dumb_map_offset(file, drm, args->handle,
					   &args->offset);
}

static int virtgpu_sgt_getparam_ioctl(struct drm_device *drm, void *data,
				      struct drm_file *file)
{
	struct drm_virtgpu_getparam *args = data;
	int value;

	switch (args->param) {
	case VIRTGPU_PARAM_CAPSET_QUERY_FIX:
		value = 1;
		break;
	case VIRTGPU_PARAM_3D_FEATURES:
	case VIRTGPU_PARAM_RESOURCE_BLOB:
	case VIRTGPU_PARAM_HOST_VISIBLE:
	case VIRTGPU_PARAM_CROSS_DEVICE:
	case VIRTGPU_PARAM_CONTEXT_INIT:
	case VIRTGPU_PARAM_SUPPORTED_CAPSET_IDs:
	case VIRTGPU_PARAM_EXPLICIT_DEBUG_NAME:
		value = 0;
		break;
	default:
		return -EINVAL;
	}

	/* An int, whatever the type of the field says. */
	if (copy_to_user(u64_to_user_ptr(args->value), &value, sizeof(value)))
		return -EFAULT;
	return 0;
}

static bool virtgpu_sgt_resource_is_2d(const struct drm_virtgpu_resource_create *args)
{
	return args->target == VIRTGPU_SGT_TARGET_2D &&
	       args->depth <= 1 && args->array_size <= 1 &&
	       args->last_level <= 1 && args->nr_samples <= 1 &&
	       virtgpu_sgt_resource_is_possible(args->format, args->width,
						args->height);
}

/*
 * Y_0_TOP matters to 3D only. There is no gap between lines, so the only valid stride is
 * that of the width.
 */
static int
virtgpu_sgt_resource_check(struct drm_device *drm,
			   const struct drm_virtgpu_resource_create *args)
{
	if (!virtgpu_sgt_resource_is_2d(args)) {
		drm_dbg_driver(drm, "not a 2D resource: target %u, format %u, %ux%u\n",
			       args->target, args->format, args->width,
			       args->height);
		return -EINVAL;
	}
	if (args->flags & ~VIRTIO_GPU_RESOURCE_FLAG_Y_0_TOP) {
		drm_dbg_driver(drm, "unknown flags 0x%x of a resource\n",
			       args->flags);
		return -EINVAL;
	}
	if (args->stride && args->stride != args->width * sizeof(u32)) {
		drm_dbg_driver(drm, "stride %u of a resource of width %u\n",
			       args->stride, args->width);
		return -EINVAL;
	}
	return 0;
}

static int virtgpu_sgt_resource_create_ioctl(struct drm_device *drm, void *data,
					     struct drm_file *file)
{
	struct drm_virtgpu_resource_create *args = data;
	struct virtgpu_sgt_bo_params params = {
		.format = args->format,
		.width = args->width,
		.height = args->height,
	};
	struct virtgpu_sgt_bo *bo;
	u32 handle, res_id;
	int ret;

	ret = virtgpu_sgt_resource_check(drm, args);
	if (ret)
		return ret;

	/* The in-tree driver takes any size, and users rely on 0. */
	params.size = PAGE_ALIGN(max_t(u64, args->size, array3_size(args->width, args->height,
								    sizeof(u32))));
	bo = virtgpu_sgt_bo_create(to_virtgpu_sgt(drm), &params);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	ret = virtgpu_sgt_resource_attach(&bo->res);
	/* Once the handle exists, another thread may guess and close it. */
	res_id = bo->res.id;
	if (!ret)
		ret = drm_gem_handle_create(file, &bo->base.base, &handle);
	drm_gem_object_put(&bo->base.base);
	if (ret)
		return ret;

	args->res_handle = res_id;
	args->bo_handle = handle;
	return 0;
}

static int virtgpu_sgt_resource_info_ioctl(struct drm_device *drm, void *data,
					   struct drm_file *file)
{
	struct drm_virtgpu_resource_info *args = data;
	struct virtgpu_sgt_resource *res;
	struct drm_gem_object *obj;

	obj = drm_gem_object_lookup(file, args->bo_handle);
	if (!obj)
		return -ENOENT;
	res = to_virtgpu_sgt_resource(obj);

	args->size = obj->size;
	args->res_handle = !virtgpu_sgt_is_bo(obj) ||
			   virtgpu_sgt_resource_is_attached(res) ? res->id : 0;
	args->blob_mem = 0;
	drm_gem_object_put(obj);
	return 0;
}

/* The rectangle of a transfer, if it is one of a 2D resource. */
static int
virtgpu_sgt_transfer_rect(const struct drm_virtgpu_3d_transfer_to_host *args,
			  const struct virtgpu_sgt_resource *res,
			  struct drm_rect *rect)
{
	const struct drm_virtgpu_3d_box *box = &args->box;

	if (args->level || args->stride || args->layer_stride ||
	    box->z || box->d > 1)
		return -EINVAL;
	if (!box->w || !box->h ||
	    (u64)box->x + box->w > res->width ||
	    (u64)box->y + box->h > res->height)
		return -EINVAL;

	drm_rect_init(rect, box->x, box->y, box->w, box->h);
	return 0;
}

/* Let the host read @rect, from @offset on in the memory of @res. */
static int virtgpu_sgt_transfer(struct virtgpu_sgt_device *vgdev,
				struct virtgpu_sgt_resource *res,
				const struct drm_rect *rect, u64 offset)
{
	struct virtgpu_sgt_cmd *cmd;
	int ret;

	if (virtgpu_sgt_is_stopping(vgdev))
		return -ENODEV;

	cmd = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq,
				    sizeof(struct virtio_gpu_ctrl_hdr));
	if (!cmd)
		return -ENOMEM;

	mutex_lock(&res->lock);
	ret = virtgpu_sgt_resource_transfer_locked(res, cmd, rect, offset);
	if (!ret)
		virtgpu_sgt_cmd_submit(cmd);
	mutex_unlock(&res->lock);
	if (ret == -ERANGE)
		ret = -EINVAL;
	if (!ret)
		ret = virtgpu_sgt_cmd_wait_killable(cmd);
	virtgpu_sgt_cmd_put(cmd);
	return ret;
}

static int virtgpu_sgt_transfer_to_host_ioctl(struct drm_device *drm,
					      void *data,
					      struct drm_file *file)
{
	struct drm_virtgpu_3d_transfer_to_host *args = data;
	struct virtgpu_sgt_resource *res;
	struct drm_gem_object *obj;
	struct drm_rect rect;
	int ret;

	obj = drm_gem_object_lookup(file, args->bo_handle);
	if (!obj)
		return -ENOENT;
	res = to_virtgpu_sgt_resource(obj);

	ret = virtgpu_sgt_resource_attach(res);
	if (!ret)
		ret = virtgpu_sgt_transfer_rect(args, res, &rect);
	if (!ret)
		ret = virtgpu_sgt_transfer(to_virtgpu_sgt(drm), res, &rect,
					   args->offset);
	drm_gem_object_put(obj);
	return ret;
}

/*
 * All commands are finished when their ioctl returns, so the fences found here are those
 * of other users of the buffer.
 */
static int virtgpu_sgt_wait_ioctl(struct drm_device *drm, void *data,
				  struct drm_file *file)
{
	struct drm_virtgpu_3d_wait *args = data;
	struct drm_gem_object *obj;
	long ret;

	if (args->flags & ~VIRTGPU_WAIT_NOWAIT)
		return -EINVAL;

	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;

	if (args->flags & VIRTGPU_WAIT_NOWAIT)
		ret = dma_resv_test_signaled(obj->resv, DMA_RESV_USAGE_READ);
	else
		ret = dma_resv_wait_timeout(obj->resv, DMA_RESV_USAGE_READ,
					    true, VIRTGPU_SGT_WAIT);
	drm_gem_object_put(obj);

	if (!ret)
		return -EBUSY;
	return ret < 0 ? ret : 0;
}

/*
 * Ioctls that a device without 3D does not support. checkpatch is right about the errno,
 * but it is that of the in-tree driver, which userspace relies on.
 */
static int virtgpu_sgt_nosys_ioctl(struct drm_device *drm, void *data,
				   struct drm_file *file)
{
	return -ENOSYS;
}

/* Ioctls of features that GETPARAM reports as missing: userspace does not call them. */
static int virtgpu_sgt_inval_ioctl(struct drm_device *drm, void *data,
				   struct drm_file *file)
{
	return -EINVAL;
}

/* &drm_driver.ioctls */
const struct drm_ioctl_desc virtgpu_sgt_ioctls[VIRTGPU_SGT_NUM_IOCTLS] = {
	DRM_IOCTL_DEF_DRV(VIRTGPU_MAP, virtgpu_sgt_map_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_EXECBUFFER, virtgpu_sgt_nosys_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_GETPARAM, virtgpu_sgt_getparam_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_RESOURCE_CREATE,
			  virtgpu_sgt_resource_create_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_RESOURCE_INFO,
			  virtgpu_sgt_resource_info_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_TRANSFER_FROM_HOST, virtgpu_sgt_nosys_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_TRANSFER_TO_HOST,
			  virtgpu_sgt_transfer_to_host_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_WAIT, virtgpu_sgt_wait_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_GET_CAPS, virtgpu_sgt_nosys_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_RESOURCE_CREATE_BLOB, virtgpu_sgt_inval_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_CONTEXT_INIT, virtgpu_sgt_inval_ioctl,
			  DRM_RENDER_ALLOW),
#ifdef CONFIG_DRM_VIRTIO_SGT_VM
	DRM_IOCTL_DEF_DRV(VIRTGPU_SGT_DEV_QUERY, virtgpu_sgt_dev_query_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_SGT_VM_BIND, virtgpu_sgt_vm_bind_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_SGT_RESOURCE_FROM_VA,
			  virtgpu_sgt_resource_from_va_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_SGT_VM_QUERY, virtgpu_sgt_vm_query_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VIRTGPU_SGT_BO_INFO, virtgpu_sgt_bo_info_ioctl,
			  DRM_RENDER_ALLOW),
#endif
	DRM_IOCTL_DEF_DRV(VIRTGPU_SGT_MADVISE, virtgpu_sgt_madvise_ioctl,
			  DRM_RENDER_ALLOW),
};
