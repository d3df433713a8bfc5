/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kernel mapping of a buffer.  V4L2 devices without DMA map a dma-buf while they
 * hold it; this uses vivid, a test driver of the kernel.
 */
#ifndef SGT_VMAP_H
#define SGT_VMAP_H

#include <stddef.h>

struct sgt_vmap {
	int video;
};

/* Loads vivid: 0 or a negative errno */
int sgt_vmap_probe(void);

/* Maps the dma-buf until sgt_vmap_end(): 0 or a negative errno */
int sgt_vmap_begin(struct sgt_vmap *vmap, int dmabuf, size_t size);

/* Makes the kernel write a frame through the mapping: 0 or a negative errno */
int sgt_vmap_write(const struct sgt_vmap *vmap);

void sgt_vmap_end(struct sgt_vmap *vmap);

#endif
