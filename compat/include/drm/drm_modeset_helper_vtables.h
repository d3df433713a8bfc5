/* SPDX-License-Identifier: GPL-2.0 */
#include_next <drm/drm_modeset_helper_vtables.h>

#ifndef __COMPAT_DRM_MODESET_HELPER_VTABLES_H__
#define __COMPAT_DRM_MODESET_HELPER_VTABLES_H__

#include <linux/version.h>

/*
 * 6.15: .atomic_async_check is told whether it is for a page flip. A driver calls
 * COMPAT_DRM_ASYNC_CHECK() beside its callback, and sets .atomic_async_check to
 * COMPAT_DRM_ASYNC_CHECK_OP().
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
#define COMPAT_DRM_ASYNC_CHECK(check)						\
static int compat_##check(struct drm_plane *plane, struct drm_atomic_state *state)	\
{										\
	return check(plane, state, false);					\
}

#define COMPAT_DRM_ASYNC_CHECK_OP(check)	compat_##check
#else
#define COMPAT_DRM_ASYNC_CHECK(check)
#define COMPAT_DRM_ASYNC_CHECK_OP(check)	check
#endif

#endif
