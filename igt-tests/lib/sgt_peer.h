/* SPDX-License-Identifier: GPL-2.0 */
/* Another process, which holds a buffer of its own and is told what to do. */
#ifndef SGT_PEER_H
#define SGT_PEER_H

#include "sgt_kms.h"

struct sgt_peer {
	int to_child, from_child;
};

/* To be called while this process has no file of the device open */
void sgt_peer_begin(struct sgt_peer *peer);

/* Its bytes are right, and go on being so when it writes others. */
void sgt_peer_check(struct sgt_peer *peer);

/* The same, and its file says that the device is gone. */
void sgt_peer_check_nodev(struct sgt_peer *peer);

/* It has let go when this returns. */
void sgt_peer_end(struct sgt_peer *peer);

/* Each call on @drm that is tried says -ENODEV. */
void sgt_expect_nodev(int drm, const struct sgt_bo *bo);

#endif
