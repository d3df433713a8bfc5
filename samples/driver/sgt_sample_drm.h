/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SGT_SAMPLE_DRM_H
#define SGT_SAMPLE_DRM_H

#ifdef __KERNEL__
#include <drm/drm.h>
#else
#include <drm.h>
#endif

/* Has the device read a buffer: maps it, and writes its addresses into the device. */
struct drm_sgt_sample_show {
	__u32 handle;
	__u32 pages;		/* out: addresses written */
};

#define DRM_IOCTL_SGT_SAMPLE_SHOW \
	DRM_IOWR(DRM_COMMAND_BASE, struct drm_sgt_sample_show)

#endif
