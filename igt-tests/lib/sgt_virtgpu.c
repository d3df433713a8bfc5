// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include <virtgpu_drm.h>

#include "sgt_virtgpu.h"

bool sgt_has_3d(int drm)
{
	struct drm_virtgpu_getparam arg = { .param = VIRTGPU_PARAM_3D_FEATURES };
	int value = 0;

	arg.value = (uintptr_t)&value;
	return !drmIoctl(drm, DRM_IOCTL_VIRTGPU_GETPARAM, &arg) && value;
}

int sgt_transfer(const struct sgt_bo *bo)
{
	struct drm_virtgpu_3d_transfer_to_host arg = {
		.bo_handle = bo->handle,
		.box = { .w = bo->width, .h = bo->height, .d = 1 },
	};
	struct drm_virtgpu_3d_wait wait = { .handle = bo->handle };

	if (drmIoctl(bo->drm, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &arg) ||
	    drmIoctl(bo->drm, DRM_IOCTL_VIRTGPU_WAIT, &wait))
		return -errno;
	return 0;
}

int sgt_resource_info(const struct sgt_bo *bo, uint32_t *res_handle, uint32_t *size)
{
	struct drm_virtgpu_resource_info arg = { .bo_handle = bo->handle };

	if (drmIoctl(bo->drm, DRM_IOCTL_VIRTGPU_RESOURCE_INFO, &arg))
		return -errno;
	*res_handle = arg.res_handle;
	*size = arg.size;
	return 0;
}
