/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_MEM_ENTRIES_H__
#define __VIRTGPU_SGT_MEM_ENTRIES_H__

#include <linux/scatterlist.h>
#include <linux/types.h>
#include <linux/virtio_gpu.h>

#include <drm/drm_gpupt.h>

struct drm_device;
struct drm_sgt;
struct virtqueue;

/**
 * struct virtgpu_sgt_mem_entries - where the pages of a resource are
 *
 * A list of struct virtio_gpu_mem_entry, in chunks of memory that need not be
 * next to each other, as the payload of an ATTACH_BACKING. One that is short has
 * no chunks, but is in here.
 */
struct virtgpu_sgt_mem_entries {
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

/**
 * struct virtgpu_sgt_mem_entries_counter - how long a list is going to be
 */
struct virtgpu_sgt_mem_entries_counter {
	/** @count: entries of the runs before @run */
	u64 count;
	/** @run: what the next segment may continue */
	struct drm_gpupt_run run;
};

struct virtgpu_sgt_mem_entries * __must_check
virtgpu_sgt_mem_entries_of_table(struct drm_device *drm, struct drm_sgt *sgt,
				 u64 min_size, unsigned int max_chunks);
struct virtgpu_sgt_mem_entries * __must_check
virtgpu_sgt_mem_entries_reserve(struct drm_device *drm, u64 count,
				unsigned int max_chunks);
int __must_check
virtgpu_sgt_mem_entries_count(struct virtgpu_sgt_mem_entries_counter *counter,
			      struct drm_sgt *sgt, u64 offset, u64 len, u32 prot);
u64 virtgpu_sgt_mem_entries_total(struct virtgpu_sgt_mem_entries_counter *counter);
int __must_check
virtgpu_sgt_mem_entries_fill_range(struct virtgpu_sgt_mem_entries *entries,
				   struct drm_gpupt *gpt, u64 va, u64 size);
int __must_check virtgpu_sgt_mem_entries_map(struct virtgpu_sgt_mem_entries *entries,
					     struct virtqueue *vq);
void virtgpu_sgt_mem_entries_unmap(struct virtgpu_sgt_mem_entries *entries,
				   struct virtqueue *vq);
void virtgpu_sgt_mem_entries_free(struct virtgpu_sgt_mem_entries *entries);

#endif /* __VIRTGPU_SGT_MEM_ENTRIES_H__ */
