/* SPDX-License-Identifier: GPL-2.0 */
/* Fences that a test signals, and sync files and syncobjs of any driver. */
#ifndef SGT_FENCE_H
#define SGT_FENCE_H

#include "sgt_kms.h"

/* A fence of vgem, which a test can signal */
struct sgt_fence {
	struct sgt_bo bo;	/* of vgem: a fence belongs to a buffer */
	uint32_t id;
	int file;		/* a sync file of the fence */
};

/*
 * Both return 0 or a negative errno.  vgem signals a fence itself after ten
 * seconds: then sgt_fence_signal() returns -ETIMEDOUT.
 */
int sgt_fence_begin(struct sgt_fence *fence);
int sgt_fence_signal(const struct sgt_fence *fence);

void sgt_fence_end(struct sgt_fence *fence);

/* The status of a sync file: 0 before it is signalled, then 1 or its error */
int sgt_sync_file_status(int file);

/* The same after a wait: -ETIMEDOUT if it does not signal within seconds */
int sgt_sync_file_wait(int file);

/* An fd of a syncobj with the fence; a sync file from that, by any device */
int sgt_syncobj_make(int drm, int sync_file);
int sgt_syncobj_open(int drm, int syncobj);

#endif
