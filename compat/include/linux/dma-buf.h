/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/dma-buf.h>

#ifndef __COMPAT_LINUX_DMA_BUF_H__
#define __COMPAT_LINUX_DMA_BUF_H__

#include <linux/version.h>

/* 6.16: dma-buf keeps no mapping in an attachment, and .cache_sgt_mapping is gone. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define COMPAT_CACHE_SGT_MAPPING	.cache_sgt_mapping = true,
#else
#define COMPAT_CACHE_SGT_MAPPING
#endif

/*
 * 7.2 at the latest: .move_notify, which is required, became .invalidate_mappings,
 * which is optional, and with which an importer promises to end its mappings.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
static inline void compat_move_notify(struct dma_buf_attachment *attach)
{
}

/* Whether an importer is told of moves; otherwise the core pins for it. */
#define COMPAT_DMABUF_MOVE_NOTIFY	IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY)
#define COMPAT_MOVE_NOTIFY	.move_notify = compat_move_notify,
#define invalidate_mappings		move_notify
#define dma_buf_invalidate_mappings	dma_buf_move_notify
#else
#define COMPAT_DMABUF_MOVE_NOTIFY	true
#define COMPAT_MOVE_NOTIFY
#endif

#endif
