/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What these tests use of the kernel's vgem_drm.h, which libdrm does not ship.
 * An IGT checkout has the real one.
 */
#ifndef SGT_COMPAT_VGEM_DRM_H
#define SGT_COMPAT_VGEM_DRM_H

#include <drm.h>

struct drm_vgem_fence_attach {
	__u32 handle;
	__u32 flags;
#define VGEM_FENCE_WRITE	0x1
	__u32 out_fence;
	__u32 pad;
};

struct drm_vgem_fence_signal {
	__u32 fence;
	__u32 flags;
};

#define DRM_IOCTL_VGEM_FENCE_ATTACH	\
	DRM_IOWR(DRM_COMMAND_BASE + 0x1, struct drm_vgem_fence_attach)
#define DRM_IOCTL_VGEM_FENCE_SIGNAL	\
	DRM_IOW(DRM_COMMAND_BASE + 0x2, struct drm_vgem_fence_signal)

#endif
