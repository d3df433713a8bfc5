/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's own list of DMA mappings, where it keeps one. */
#ifndef SGT_DMA_API_H
#define SGT_DMA_API_H

/* Mappings of a device; -ENOENT without CONFIG_DMA_API_DEBUG, or another errno */
long sgt_dma_api_count(const char *device);

#endif
