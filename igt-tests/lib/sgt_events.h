/* SPDX-License-Identifier: GPL-2.0 */
/* The events of the helpers in tracefs. */
#ifndef SGT_EVENTS_H
#define SGT_EVENTS_H

struct sgt_event {
	char name[32];
	char dev[64];		/* the bound device */
	char table[32];		/* an id, the same for all events of a table */
	unsigned long size, pages;
	/* of drm_gem_sgt_fault only */
	unsigned long index;
	unsigned int order, ret;
};

/*
 * Records all events of tables of @size bytes, until sgt_events_end().  Returns 0 or a
 * negative errno: -ENOENT without the events in the kernel
 */
int sgt_events_begin(unsigned long size);
void sgt_events_end(void);

/*
 * The events since the last call, up to @max: their number, or a negative errno, which is
 * -EPROTO for an event that has other fields.
 */
int sgt_events_take(struct sgt_event *events, int max);

#endif
