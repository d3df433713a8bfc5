/* SPDX-License-Identifier: GPL-2.0 */
/* Ways to hold a buffer while its device is removed. */
#ifndef SGT_HOLD_H
#define SGT_HOLD_H

#include <sys/types.h>

#include "sgt_dmabuf.h"
#include "sgt_peer.h"
#include "sgt_test.h"
#include "sgt_traffic.h"
#include "sgt_vmap.h"

enum {
	SGT_HOLD_HANDLE		= 1 << 0,	/* an open file with a handle */
	SGT_HOLD_PROCESS	= 1 << 1,	/* the same in another process */
	SGT_HOLD_MMAP		= 1 << 2,	/* a mapping alone, the file closed */
	SGT_HOLD_VMAP		= 1 << 3,	/* a kernel mapping alone */
	SGT_HOLD_DMABUF		= 1 << 4,	/* a dma-buf fd */
	SGT_HOLD_DMABUF_MMAP	= 1 << 5,	/* a mapping of the dma-buf alone */
	SGT_HOLD_IMPORTER	= 1 << 6,	/* the handle of another driver */
	SGT_HOLD_UDMABUF	= 1 << 7,	/* an import from udmabuf */
	SGT_HOLD_VGEM		= 1 << 8,	/* an import from vgem */
	SGT_HOLD_SCANOUT	= 1 << 9,	/* the picture on the screen */
	SGT_HOLD_QUEUED		= 1 << 10,	/* commands without a response */
	SGT_HOLD_SYNC_FILE	= 1 << 11,	/* the out-fence of a commit */
	SGT_HOLD_SYNCOBJ	= 1 << 12,	/* the same, in a syncobj */
};

#define SGT_HELD_BUFFERS 3

struct sgt_held {
	struct sgt_bo bo;
	uint32_t *map, *dmabuf_map;
	int dmabuf;
	uint32_t import;	/* a handle of vgem */
};

/* Memory of another exporter, imported */
struct sgt_guest {
	struct sgt_foreign from;
	struct sgt_bo bo;
};

struct sgt_hold {
	unsigned int what;
	int drm, vgem;
	struct sgt_screen screen;
	struct sgt_held held[SGT_HELD_BUFFERS];	/* the first is the picture */
	struct sgt_guest guests[2];
	struct sgt_vmap vmap;
	struct sgt_peer peer;
	struct sgt_traffic traffic;
	int sync_file, syncobj;
	uint32_t seed;		/* of what the CPU wrote last */
	long import_slots;	/* bounce buffer slots of the importer */
};

/* The kinds of @what that this kernel and driver support */
unsigned int sgt_hold_possible(const struct sgt_test *test, unsigned int what);

/*
 * Creates buffers of several sizes, shows one if @what includes the screen, and
 * releases everything but @what.
 */
void sgt_hold_begin(struct sgt_hold *hold, unsigned int what);

/* Writes new bytes with the CPU, without damage or transfer. */
void sgt_hold_write(struct sgt_hold *hold);

/* Everything that is held has the bytes that the CPU wrote last. */
void sgt_hold_check(struct sgt_hold *hold);

/* Files return -ENODEV, fences are signalled, and no process waits. */
void sgt_hold_check_nodev(struct sgt_hold *hold);

/* The number of buffers that are held, those of children included */
int sgt_hold_buffers(const struct sgt_hold *hold);

void sgt_hold_end(struct sgt_hold *hold);

#endif
