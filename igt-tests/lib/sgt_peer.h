/* SPDX-License-Identifier: GPL-2.0 */
/* Another process that holds a buffer and executes commands of the test. */
#ifndef SGT_PEER_H
#define SGT_PEER_H

#include "sgt_kms.h"

struct sgt_peer {
	int to_child, from_child;
};

/* To be called while this process has no file of the device open */
void sgt_peer_begin(struct sgt_peer *peer);

/* Its buffer has the bytes written last; it writes other bytes. */
void sgt_peer_check(struct sgt_peer *peer);

/* The same, and calls on its file return -ENODEV. */
void sgt_peer_check_nodev(struct sgt_peer *peer);

/* Frees its buffer and closes its file. */
void sgt_peer_end(struct sgt_peer *peer);

/* Calls on @drm return -ENODEV. */
void sgt_expect_nodev(int drm, const struct sgt_bo *bo);

#endif
