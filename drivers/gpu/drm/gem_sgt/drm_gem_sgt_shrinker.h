/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GEM_SGT_SHRINKER_H__
#define __DRM_GEM_SGT_SHRINKER_H__

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <drm/drm_gem.h>

struct drm_device;
struct drm_gem_sgt_object;
struct drm_gem_sgt_shrinker_ops;
struct shrinker;

/**
 * struct drm_gem_sgt_shrinker - the shrinker of a DRM device
 *
 * Freed with the DRM device, or with the last object, if the release of the DRM device
 * frees objects later. Each object that ever had pages is on one of the lists, the one
 * that was used last at the tail.
 */
struct drm_gem_sgt_shrinker {
	/** @refcount: references of the DRM device and of each object */
	struct kref refcount;

	/** @drm: the DRM device */
	struct drm_device *drm;

	/** @ops: of the driver; constant */
	const struct drm_gem_sgt_shrinker_ops *ops;

	/** @shrinker: registered */
	struct shrinker *shrinker;

	/** @lock: of the lists. Taken in reclaim: nothing is allocated under it */
	struct mutex *lock;

	/** @own_lock: @lock, if the DRM device has none for it */
	struct mutex own_lock;

	/** @purgeable: objects to purge */
	struct drm_gem_lru purgeable;

	/** @evictable: objects to evict */
	struct drm_gem_lru evictable;

	/** @mapped: objects that are mapped until unbind, as there is no ops->idle */
	struct drm_gem_lru mapped;

	/** @kept: all others, which have no pages, or need them */
	struct drm_gem_lru kept;

	/** @put: drops a reference to @drm, and to the module of its driver */
	struct work_struct put;
};

int drm_gem_sgt_shrinkers_init(void);
void drm_gem_sgt_shrinkers_fini(void);

void drm_gem_sgt_lru_init(struct drm_gem_sgt_object *bo);
void drm_gem_sgt_lru_update(struct drm_gem_sgt_object *bo);
void drm_gem_sgt_lru_populated(void *arg);
void drm_gem_sgt_lru_remove(struct drm_gem_sgt_object *bo);
bool drm_gem_sgt_make_room(struct drm_gem_sgt_object *bo);
bool drm_gem_sgt_can_swap(void);

#endif /* __DRM_GEM_SGT_SHRINKER_H__ */
