/* SPDX-License-Identifier: GPL-2.0 */
#include_next <drm/drm_drv.h>

#ifndef __COMPAT_DRM_DRV_H__
#define __COMPAT_DRM_DRV_H__

#include <linux/version.h>

/* 6.14: struct drm_driver lost its date, which was required. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#define COMPAT_DRM_DRIVER_DATE		.date = "0",
#else
#define COMPAT_DRM_DRIVER_DATE
#endif

/* 7.3: every GEM object has a list of GPU mappings, and DRIVER_GEM_GPUVA is gone. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
#define COMPAT_DRIVER_GEM_GPUVA		DRIVER_GEM_GPUVA
#else
#define COMPAT_DRIVER_GEM_GPUVA		0
#endif

#endif
