/* SPDX-License-Identifier: GPL-2.0 */
#include_next <drm/drm_gem.h>

#ifndef __COMPAT_DRM_GEM_H__
#define __COMPAT_DRM_GEM_H__

#include <linux/version.h>

/*
 * 6.16: drm_gem_vmap_unlocked() became drm_gem_vmap(), which was the name of what
 * is drm_gem_vmap_locked() now; likewise drm_gem_vunmap().
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define drm_gem_vmap	drm_gem_vmap_unlocked
#define drm_gem_vunmap	drm_gem_vunmap_unlocked
#endif

/*
 * 7.2 at the latest: the LRUs of a device share &drm_device.gem_lru_mutex. They had
 * a lock of the driver.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
#define compat_drm_gem_lru_lock(drm, own)	(own)
#define compat_drm_gem_lru_init(lru, lock)	drm_gem_lru_init(lru, lock)
#else
#define compat_drm_gem_lru_lock(drm, own)	(&(drm)->gem_lru_mutex)
#define compat_drm_gem_lru_init(lru, lock)	drm_gem_lru_init(lru)
#endif

#endif
