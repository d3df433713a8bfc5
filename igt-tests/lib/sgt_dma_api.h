/* SPDX-License-Identifier: GPL-2.0 */
/* The list of DMA mappings of dma-debug, if the kernel has it. */
#ifndef SGT_DMA_API_H
#define SGT_DMA_API_H

/* The number of mappings of a device, or -errno: -ENOENT without CONFIG_DMA_API_DEBUG */
long sgt_dma_api_count(const char *device);

#endif
