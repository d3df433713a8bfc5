/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_SGT_KUNIT_CREW_H__
#define __DRM_SGT_KUNIT_CREW_H__

#include "drm_sgt_kunit_helpers.h"

/* Number of threads. */
#define DRM_SGT_KUNIT_CREW	4

struct drm_sgt_kunit_crew;

typedef int (*drm_sgt_kunit_job_fn)(void *arg);

/**
 * struct drm_sgt_kunit_job - what one thread of a crew does in a round
 */
struct drm_sgt_kunit_job {
	/** @fn: what it does */
	drm_sgt_kunit_job_fn fn;
	/** @arg: for @fn */
	void *arg;
	/** @ret: what @fn returned */
	int ret;
};

struct drm_sgt_kunit_crew *drm_sgt_kunit_crew_create(struct kunit *test);
bool drm_sgt_kunit_crew_again(struct drm_sgt_kunit_crew *crew, unsigned int rounds);
bool drm_sgt_kunit_crew_round(struct drm_sgt_kunit_crew *crew, struct rnd_state *rnd,
			      struct drm_sgt_kunit_job *jobs, unsigned int nr);

/**
 * struct drm_sgt_kunit_owner - a device that is bound again for each round
 */
struct drm_sgt_kunit_owner {
	/** @test: the case */
	struct kunit *test;
	/** @dev: the device, which does the DMA, too */
	struct device *dev;
	/** @refs: references to @dev between two rounds */
	unsigned int refs;
	/** @sdev: the device of this round; referenced */
	struct drm_sgt_device *sdev;
};

void drm_sgt_kunit_owner_init(struct drm_sgt_kunit_owner *owner, struct kunit *test,
			      const char *name);
void drm_sgt_kunit_owner_bind(struct drm_sgt_kunit_owner *owner);
void drm_sgt_kunit_owner_release(struct drm_sgt_kunit_owner *owner);
void drm_sgt_kunit_owner_unbind(struct drm_sgt_kunit_owner *owner);
void drm_sgt_kunit_owner_put(struct drm_sgt_kunit_owner *owner);

#endif /* __DRM_SGT_KUNIT_CREW_H__ */
