/* SPDX-License-Identifier: GPL-2.0 */
#include_next <drm/drm_gem.h>

#ifndef __COMPAT_DRM_GEM_H__
#define __COMPAT_DRM_GEM_H__

#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/version.h>

#include <drm/drm_device.h>
#include <drm/drm_managed.h>

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
 * a lock of the driver, which is freed with the device here.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
static inline struct mutex *compat_drm_gem_lru_lock(struct drm_device *drm)
{
	struct mutex *lock = drmm_kzalloc(drm, sizeof(*lock), GFP_KERNEL);
	int ret;

	if (!lock)
		return ERR_PTR(-ENOMEM);

	ret = drmm_mutex_init(drm, lock);
	return ret ? ERR_PTR(ret) : lock;
}

#define compat_drm_gem_lru_init(lru, lock)	drm_gem_lru_init(lru, lock)
#else
#define compat_drm_gem_lru_lock(drm)		(&(drm)->gem_lru_mutex)
#define compat_drm_gem_lru_init(lru, lock)	drm_gem_lru_init(lru)
#endif

#endif
