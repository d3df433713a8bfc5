/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kernel mapping of a buffer.  The importers that map into the kernel from
 * the moment they have a dma-buf until they give it back are V4L2 devices
 * without DMA; the kernel has vivid, a test driver, for everybody.
 */
#ifndef SGT_VMAP_H
#define SGT_VMAP_H

#include <stddef.h>

struct sgt_vmap {
	int video;
};

/* Loads vivid, if it can: 0 or a negative errno */
int sgt_vmap_probe(void);

/* The mapping lasts until sgt_vmap_end(): 0 or a negative errno */
int sgt_vmap_begin(struct sgt_vmap *vmap, int dmabuf, size_t size);

/* Has the kernel write a frame through it: 0 or a negative errno */
int sgt_vmap_write(const struct sgt_vmap *vmap);

void sgt_vmap_end(struct sgt_vmap *vmap);

#endif
