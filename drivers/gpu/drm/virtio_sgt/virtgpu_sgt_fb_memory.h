/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_FB_MEMORY_H__
#define __VIRTGPU_SGT_FB_MEMORY_H__

#include <linux/compiler.h>
#include <linux/rbtree_types.h>
#include <linux/types.h>

struct dma_buf;
struct virtgpu_sgt_device;

/**
 * struct virtgpu_sgt_fb_memory - what the framebuffers of some memory take on the host
 *
 * Part of a buffer, or shared by all imports of a dma-buf. Protected by
 * &virtgpu_sgt_device.resource_lock.
 */
struct virtgpu_sgt_fb_memory {
	/** @node: of a dma-buf: in &virtgpu_sgt_device.fb_memories */
	struct rb_node node;

	/** @dma_buf: the dma-buf; set once */
	const struct dma_buf *dma_buf;

	/** @imports: number of imports of @dma_buf */
	unsigned int imports;

	/** @bytes: bytes on the host */
	u64 bytes;
};

struct virtgpu_sgt_fb_memory * __must_check
virtgpu_sgt_fb_memory_get(struct virtgpu_sgt_device *vgdev, const struct dma_buf *dma_buf);
void virtgpu_sgt_fb_memory_put(struct virtgpu_sgt_device *vgdev,
			       struct virtgpu_sgt_fb_memory *memory);

#endif /* __VIRTGPU_SGT_FB_MEMORY_H__ */
