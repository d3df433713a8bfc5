// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

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

int sgt_bo_use(const struct sgt_bo *bo)
{
	struct sgt_bo pixel = *bo;

	pixel.width = 1;
	pixel.height = 1;
	return sgt_transfer(&pixel);
}

int sgt_try_resource(int drm)
{
	struct drm_virtgpu_resource_create arg = {
		.target = SGT_TARGET_2D,
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.width = 64,
		.height = 64,
		.depth = 1,
		.array_size = 1,
		.size = 64 * 64 * 4,
	};

	if (drmIoctl(drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &arg))
		return -errno;
	return sgt_close_handle(drm, arg.bo_handle);
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

long sgt_stat(int drm, const char *key)
{
	char path[64], name[32], value[32];
	long found = -ENOENT;
	struct stat st;
	FILE *file;

	if (fstat(drm, &st))
		return -errno;
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/virtgpu-stats",
		 minor(st.st_rdev));
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (found < 0 && fscanf(file, "%31s %31s", name, value) == 2)
		if (!strcmp(name, key))
			found = strtol(value, NULL, 10);
	fclose(file);
	return found;
}

bool sgt_has_blobs(int drm)
{
	return sgt_stat(drm, "has_blobs") == 1;
}
