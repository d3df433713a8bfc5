/* SPDX-License-Identifier: GPL-2.0 */
/* Processes that always have commands in the queue until the device is removed. */
#ifndef SGT_TRAFFIC_H
#define SGT_TRAFFIC_H

struct sgt_traffic_shared;

struct sgt_traffic {
	struct sgt_traffic_shared *shared;
	int hold;	/* when closed, the processes free their buffers */
};

#define SGT_TRAFFIC_PROCESSES	4

/* To be called while this process has no file of the device open */
void sgt_traffic_begin(struct sgt_traffic *traffic);

/* Returns when every process waits for a response. */
void sgt_traffic_wait(struct sgt_traffic *traffic);

/* All processes have got -ENODEV, and none waits. */
void sgt_traffic_expect_nodev(struct sgt_traffic *traffic);

/* Each process frees its buffer and exits; sgt_children_wait() waits for them. */
void sgt_traffic_end(struct sgt_traffic *traffic);

#endif
