/* SPDX-License-Identifier: GPL-2.0 */
/* Fences: one that is signalled when the test says so, and what others made. */
#ifndef SGT_FENCE_H
#define SGT_FENCE_H

#include "sgt_kms.h"

/* Of vgem, which has such fences */
struct sgt_fence {
	struct sgt_bo bo;	/* of vgem: fences are made for a buffer */
	uint32_t id;
	int file;		/* a sync file of the fence */
};

/*
 * Both return 0 or a negative errno.  vgem itself signals a fence that is ten
 * seconds old: -ETIMEDOUT says that it was first.
 */
int sgt_fence_begin(struct sgt_fence *fence);
int sgt_fence_signal(const struct sgt_fence *fence);

void sgt_fence_end(struct sgt_fence *fence);

/* Of a sync file: 0 while it is not signalled, 1, or its error */
int sgt_sync_file_status(int file);

/* The same, when it is signalled; -ETIMEDOUT: it is not, for seconds */
int sgt_sync_file_wait(int file);

/* The fence in a syncobj, which has an fd of its own; back again by any device */
int sgt_syncobj_make(int drm, int sync_file);
int sgt_syncobj_open(int drm, int syncobj);

#endif
