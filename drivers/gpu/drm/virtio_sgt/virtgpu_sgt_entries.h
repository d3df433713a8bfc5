/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_ENTRIES_H__
#define __VIRTGPU_SGT_ENTRIES_H__

#include <linux/scatterlist.h>
#include <linux/types.h>
#include <linux/virtio_gpu.h>

struct drm_device;
struct drm_gpt;
struct drm_sgt;
struct virtqueue;

/**
 * struct virtgpu_sgt_entries - where the pages of a resource are
 *
 * A list of struct virtio_gpu_mem_entry, in chunks of memory that need not be
 * next to each other, as the payload of an ATTACH_BACKING. One that is short has
 * no chunks, but is in here.
 */
struct virtgpu_sgt_entries {
	/** @sgl: where the list is */
	struct scatterlist *sgl;
	/** @table: the chunks; each is full but the last. None if it is short */
	struct sg_table table;
	/** @inside: the list, if it is short */
	struct scatterlist inside;
	/** @chunks: how many of them, or 1 */
	unsigned int chunks;
	/** @count: entries in all */
	unsigned int count;
	/** @order: pages of a chunk are 1 << this */
	unsigned int order;
	/** @entry: the entries, if the list is short */
	struct virtio_gpu_mem_entry entry[];
};

struct virtgpu_sgt_entries * __must_check
virtgpu_sgt_entries_of_table(struct drm_device *drm, struct drm_sgt *sgt,
			     u64 min_size, unsigned int max_chunks);
struct virtgpu_sgt_entries * __must_check
virtgpu_sgt_entries_of_range(struct drm_device *drm, struct drm_gpt *gpt,
			     u64 va, u64 size, u64 min_size,
			     unsigned int max_chunks);
int __must_check virtgpu_sgt_entries_map(struct virtgpu_sgt_entries *entries,
					 struct virtqueue *vq);
void virtgpu_sgt_entries_unmap(struct virtgpu_sgt_entries *entries,
			       struct virtqueue *vq);
void virtgpu_sgt_entries_free(struct virtgpu_sgt_entries *entries);

#endif /* __VIRTGPU_SGT_ENTRIES_H__ */
