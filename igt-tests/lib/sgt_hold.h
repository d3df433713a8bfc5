/* SPDX-License-Identifier: GPL-2.0 */
/* Ways to hold on to a buffer while its device goes. */
#ifndef SGT_HOLD_H
#define SGT_HOLD_H

#include <sys/types.h>

#include "sgt_test.h"

enum {
	SGT_HOLD_HANDLE		= 1 << 0,	/* an open file with a handle */
	SGT_HOLD_PROCESS	= 1 << 1,	/* the same in another process */
	SGT_HOLD_MMAP		= 1 << 2,	/* a mapping alone, the file closed */
	SGT_HOLD_DMABUF		= 1 << 3,	/* a dma-buf fd */
	SGT_HOLD_DMABUF_MMAP	= 1 << 4,	/* a mapping of the dma-buf alone */
	SGT_HOLD_SCANOUT	= 1 << 5,	/* the picture on the screen */
	SGT_HOLD_IMPORT		= 1 << 6,	/* the handle of another driver */
	SGT_HOLD_ALL		= (1 << 7) - 1,
};

#define SGT_HELD_BUFFERS 3

struct sgt_held {
	struct sgt_bo bo;
	uint32_t *map, *dmabuf_map;
	int dmabuf;
	uint32_t import;	/* a handle of vgem */
};

struct sgt_hold {
	unsigned int what;
	int drm, vgem;
	struct sgt_screen screen;
	struct sgt_held held[SGT_HELD_BUFFERS];	/* the first is the picture */
	uint32_t seed;		/* of what the CPU wrote last */
	long import_slots;	/* bounce buffer slots of the importer's own */
	int to_child, from_child;
};

/*
 * Creates buffers of several sizes, has the device read them where it is told
 * to show them, and lets go of all but @what.
 */
void sgt_hold_begin(struct sgt_hold *hold, unsigned int what);

/* The CPU writes; the device is not told. */
void sgt_hold_write(struct sgt_hold *hold);

/* All that is held has what the CPU wrote last, in each way to look at it. */
void sgt_hold_check(struct sgt_hold *hold);

/* The device is gone: files say so. */
void sgt_hold_check_nodev(struct sgt_hold *hold);

/* Buffers that are held, those of the child included */
int sgt_hold_buffers(const struct sgt_hold *hold);

void sgt_hold_end(struct sgt_hold *hold);

/* Each call on @drm that is tried says -ENODEV. */
void sgt_expect_nodev(int drm, const struct sgt_bo *bo);

#endif
