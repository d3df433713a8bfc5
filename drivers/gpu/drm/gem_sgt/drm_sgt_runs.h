/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_SGT_RUNS_H__
#define __DRM_SGT_RUNS_H__

#include <linux/list.h>

#include <drm/drm_sgt.h>

struct drm_sgt_limits;

/**
 * struct drm_sgt_builder - the pages of a table while they are collected
 *
 * Independent of shmem, so that a test can add any pages.
 */
struct drm_sgt_builder {
	/** @chunks: the runs, in order, in chunks of up to a page */
	struct list_head chunks;
	/** @nr: runs so far */
	unsigned int nr;
	/** @left: pages that are still missing */
	unsigned long left;
	/** @folios: folios so far, one for each drm_sgt_builder_add() */
	unsigned long folios;
};

void drm_sgt_builder_init(struct drm_sgt_builder *builder, u64 size);
void drm_sgt_builder_fini(struct drm_sgt_builder *builder);
int drm_sgt_builder_to_table(const struct drm_sgt_builder *builder,
			     const struct drm_sgt_limits *limits,
			     struct sg_table *table);
void drm_sgt_builder_for_each(const struct drm_sgt_builder *builder,
			      void (*fn)(void *arg, const struct drm_sgt_run *runs,
					 unsigned int nr_runs),
			      void *arg);

#endif /* __DRM_SGT_RUNS_H__ */
