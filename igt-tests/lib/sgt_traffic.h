/* SPDX-License-Identifier: GPL-2.0 */
/* Processes that always have commands with the device, until it goes. */
#ifndef SGT_TRAFFIC_H
#define SGT_TRAFFIC_H

struct sgt_traffic_shared;

struct sgt_traffic {
	struct sgt_traffic_shared *shared;
	int hold;	/* closed: the processes let go of their buffers */
};

#define SGT_TRAFFIC_PROCESSES	4

/* To be called while this process has no file of the device open */
void sgt_traffic_begin(struct sgt_traffic *traffic);

/* Returns when every process waits for the device to answer. */
void sgt_traffic_wait(struct sgt_traffic *traffic);

/* The device is gone: they all were told so, and none waits any more. */
void sgt_traffic_expect_nodev(struct sgt_traffic *traffic);

/* Each has one buffer until this is called; sgt_children_wait() waits for them. */
void sgt_traffic_end(struct sgt_traffic *traffic);

#endif
