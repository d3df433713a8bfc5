/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_SGT_SYNC_H__
#define __DRM_SGT_SYNC_H__

#include <linux/dma-direction.h>
#include <linux/errno.h>
#include <linux/types.h>

struct device;
struct sg_table;

/* The "legacy error" of the DMA API: with a bounce buffer, it is out of slots. */
static inline int drm_sgt_dma_errno(int err)
{
	return err == -EIO ? -ENOMEM : err;
}

bool drm_sgt_dma_is_coherent(struct device *dev);
bool drm_sgt_dma_need_sync(struct device *dev, dma_addr_t addr);
void drm_sgt_sync_table_for_device(struct device *dev, const struct sg_table *table,
				   enum dma_data_direction dir);
void drm_sgt_sync_table_for_cpu(struct device *dev, const struct sg_table *table,
				enum dma_data_direction dir);
void drm_sgt_dma_sync_for_device(struct device *dev, dma_addr_t addr, size_t len,
				 enum dma_data_direction dir);
void drm_sgt_dma_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t len,
			      enum dma_data_direction dir);

#endif /* __DRM_SGT_SYNC_H__ */
