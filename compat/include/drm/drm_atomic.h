/* SPDX-License-Identifier: GPL-2.0 */
#include_next <drm/drm_atomic.h>

#ifndef __COMPAT_DRM_ATOMIC_H__
#define __COMPAT_DRM_ATOMIC_H__

#include <linux/version.h>

/*
 * 7.2: struct drm_atomic_state became struct drm_atomic_commit. The macro hides
 * the function drm_atomic_commit() of older kernels, which drivers do not call.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
#define drm_atomic_commit	drm_atomic_state
#endif

#endif
