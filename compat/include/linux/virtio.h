/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/virtio.h>

#ifndef __COMPAT_LINUX_VIRTIO_H__
#define __COMPAT_LINUX_VIRTIO_H__

#include <linux/version.h>

/*
 * 6.18: virtqueue_dma_*() became virtqueue_map_*(), as a virtio device can have
 * map operations of its own, which are not those of the DMA API.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define virtqueue_map_single_attrs	virtqueue_dma_map_single_attrs
#define virtqueue_unmap_single_attrs	virtqueue_dma_unmap_single_attrs
#define virtqueue_map_mapping_error	virtqueue_dma_mapping_error
#define virtqueue_map_need_sync		virtqueue_dma_need_sync
#define virtqueue_map_sync_single_range_for_cpu	\
	virtqueue_dma_sync_single_range_for_cpu
#define virtqueue_map_sync_single_range_for_device	\
	virtqueue_dma_sync_single_range_for_device

static inline bool compat_virtio_has_map(const struct virtio_device *vdev)
{
	return false;
}
#else
static inline bool compat_virtio_has_map(const struct virtio_device *vdev)
{
	return vdev->map;
}
#endif

/*
 * 6.15: the driver of a queue no longer maps all of its buffers, but chooses for
 * each buffer. One that the device both reads and writes is mapped by the core.
 * Returns 0 if the driver maps, -EOPNOTSUPP if the core does, or another errno.
 */
static inline int compat_virtqueue_set_premapped(struct virtqueue *vq)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
	return virtqueue_set_dma_premapped(vq);
#else
	return -EOPNOTSUPP;
#endif
}

#endif
