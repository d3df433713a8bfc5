/* SPDX-License-Identifier: GPL-2.0 */
/* The ioctls of the driver that several tests use. */
#ifndef SGT_VIRTGPU_H
#define SGT_VIRTGPU_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_gpu.h>

#include "sgt_kms.h"

/* PIPE_TEXTURE_2D of Mesa's pipe_texture_target: the only target without 3D */
#define SGT_TARGET_2D	2

bool sgt_has_3d(int drm);

/* Transfers the whole buffer to the host and waits: 0 or a negative errno */
int sgt_transfer(const struct sgt_bo *bo);

/* Has the host use the memory of a buffer, and waits: 0 or a negative errno */
int sgt_bo_use(const struct sgt_bo *bo);

/* Creates a resource of 64x64 and frees it again: 0 or a negative errno of the host */
int sgt_try_resource(int drm);

/* The resource of a handle and its size: 0 or a negative errno */
int sgt_resource_info(const struct sgt_bo *bo, uint32_t *res_handle, uint32_t *size);

/* A number of the driver's virtgpu-stats in debugfs, or a negative errno */
long sgt_stat(int drm, const char *key);

/* Whether the device shows the memory of framebuffers, and not a copy */
bool sgt_has_blobs(int drm);

#endif
