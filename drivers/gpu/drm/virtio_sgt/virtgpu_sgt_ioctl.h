/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_IOCTL_H__
#define __VIRTGPU_SGT_IOCTL_H__

#include <drm/drm_ioctl.h>
#include <drm/virtgpu_sgt_drm.h>

/* Numbers begin at 1, and there is a gap: entries of the table are empty. */
#define VIRTGPU_SGT_NUM_IOCTLS	(DRM_VIRTGPU_SGT_MADVISE + 1)

extern const struct drm_ioctl_desc virtgpu_sgt_ioctls[VIRTGPU_SGT_NUM_IOCTLS];

#endif /* __VIRTGPU_SGT_IOCTL_H__ */
