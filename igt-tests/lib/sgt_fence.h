/* SPDX-License-Identifier: GPL-2.0 */
/* A fence that is signalled when the test says so: vgem has them. */
#ifndef SGT_FENCE_H
#define SGT_FENCE_H

#include "sgt_kms.h"

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

#endif
