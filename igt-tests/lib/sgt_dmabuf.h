/* SPDX-License-Identifier: GPL-2.0 */
/* Buffers of other exporters, for the device under test to import. */
#ifndef SGT_DMABUF_H
#define SGT_DMABUF_H

#include <stddef.h>
#include <stdint.h>

#include "sgt_kms.h"

enum sgt_exporter { SGT_UDMABUF, SGT_VGEM, SGT_EXPORTERS };

extern const char * const sgt_exporter_name[SGT_EXPORTERS];

struct sgt_foreign {
	int fd;			/* the dma-buf */
	size_t size;
	uint32_t *map;		/* the exporter's memory, not through the dma-buf */
	int drm;		/* file of vgem and its handle; -1 with udmabuf */
	uint32_t handle;
};

/* All return 0 or a negative errno. */

/* Pages of a memfd; @size is a multiple of PAGE.  -ENOENT without udmabuf */
int sgt_foreign_udmabuf(struct sgt_foreign *f, size_t size);

/* One page of 1 GiB, which the kernel has reserved; another errno if it has none */
int sgt_foreign_gigantic(struct sgt_foreign *f);

/* A dumb buffer of 32 bits per pixel; -ENODEV without vgem */
int sgt_foreign_vgem(struct sgt_foreign *f, uint32_t width, uint32_t height);

/* One of them, with room for a picture; -ENODEV without the exporter */
int sgt_foreign_make(struct sgt_foreign *f, enum sgt_exporter exporter,
		     uint32_t width, uint32_t height);

/* To be called before and after CPU writes through @map */
int sgt_foreign_begin_cpu(const struct sgt_foreign *f);
int sgt_foreign_end_cpu(const struct sgt_foreign *f);

void sgt_foreign_free(struct sgt_foreign *f);

/*
 * Imports a dma-buf as a buffer of this width and height.  The rows have no
 * padding, and the size is that of the dma-buf.
 */
int sgt_bo_import(struct sgt_bo *bo, int drm, int dmabuf,
		  uint32_t width, uint32_t height);

/* DMA_BUF_IOCTL_SYNC */
int sgt_dmabuf_sync(int dmabuf, uint64_t flags);

/* The number of dma-bufs that a device is attached to, or a negative errno */
int sgt_dmabuf_attachments(const char *device);

/* Pass an fd to another process; the receiver returns its new fd. */
int sgt_send_fd(int socket, int fd);
int sgt_receive_fd(int socket);

#endif
