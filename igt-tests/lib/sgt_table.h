/* SPDX-License-Identifier: GPL-2.0 */
/* The tables of the helpers in debugfs: devices and live buffers. */
#ifndef SGT_TABLE_H
#define SGT_TABLE_H

#include <stdbool.h>

struct sgt_device_row {
	unsigned int id;
	char owner[64];		/* the bound device */
	char dma[64];		/* the device that does DMA */
	char mode[8];		/* dma or phys */
	char state[8];		/* live or gone */
	unsigned long tables, mapped, bytes_mapped, maps, unmaps, revoked, grace;
};

struct sgt_buffer_row {
	unsigned int dev;	/* id of the devices table */
	unsigned long size, folios, runs, cpu_ents, dma_segs;
	char state[8];		/* empty, backed or mapped */
	char caching[8];	/* cached, wc or - */
	unsigned int handles, refs, pins, vmaps, exported;
	char source[16];	/* shmem or dma-buf */
};

bool sgt_tables_present(void);

/*
 * Both read a table into an array, which the caller frees.  They return the number
 * of rows, or a negative errno.
 */
int sgt_read_devices(struct sgt_device_row **rows);
int sgt_read_buffers(struct sgt_buffer_row **rows);

/* 0 or a negative errno: -ENOENT if there is no such device */
int sgt_find_device(unsigned int id, struct sgt_device_row *row);
int sgt_find_live_device(struct sgt_device_row *row);

/* The number of live buffers of a device, or a negative errno */
int sgt_count_buffers(unsigned int dev);

/* Finds a buffer by its size, which must be unique. */
int sgt_find_buffer(unsigned int dev, unsigned long size,
		    struct sgt_buffer_row *row);

#endif
