/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_MEM_ENTRIES_H__
#define __VIRTGPU_SGT_MEM_ENTRIES_H__

#include <linux/math64.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <linux/virtio_gpu.h>

#include <drm/drm_dma_view.h>

struct drm_device;
struct drm_sgt;
struct virtqueue;

/*
 * QEMU refuses more entries: virtio_gpu_create_mapping_iov() in
 * hw/display/virtio-gpu.c. VIRTIO 1.2, section 5.7.6.8, names no limit and no way to
 * ask for it.
 */
#define VIRTGPU_SGT_MAX_MEM_ENTRIES	16384

/* Bytes of one entry, whose length has 32 bits; no page is split. */
#define VIRTGPU_SGT_MAX_MEM_ENTRY_LEN	(SZ_4G - SZ_4K)

/**
 * struct virtgpu_sgt_mem_entries - where the pages of a resource are
 *
 * A list of struct virtio_gpu_mem_entry, as the payload of an ATTACH_BACKING. It is in
 * chunks of memory that need not be contiguous. A short list has no chunks, but is
 * part of this structure.
 */
struct virtgpu_sgt_mem_entries {
	/** @sgl: where the list is */
	struct scatterlist *sgl;
	/** @table: the chunks, all full but the last; empty if the list is short */
	struct sg_table table;
	/** @inside: the list, if it is short */
	struct scatterlist inside;
	/** @chunks: number of chunks; 1 if the list is short */
	unsigned int chunks;
	/** @count: entries in all */
	unsigned int count;
	/** @order: allocation order of each chunk */
	unsigned int order;
	/** @entry: the entries, if the list is short */
	struct virtio_gpu_mem_entry entry[];
};

/**
 * struct virtgpu_sgt_mem_entries_pos - a place in a list that is being filled
 */
struct virtgpu_sgt_mem_entries_pos {
	/** @sg: the chunk */
	struct scatterlist *sg;
	/** @index: the next entry in it */
	unsigned int index;
	/** @left: entries that are not filled yet */
	unsigned int left;
};

/* The entries that a segment of @len bytes takes. */
static inline u64 virtgpu_sgt_mem_entries_needed(u64 len)
{
	return DIV64_U64_ROUND_UP(len, VIRTGPU_SGT_MAX_MEM_ENTRY_LEN);
}

struct virtgpu_sgt_mem_entries * __must_check
virtgpu_sgt_mem_entries_of_table(struct drm_device *drm, struct drm_sgt *sgt,
				 u64 offset, u64 len, u64 again, unsigned int max_chunks);
struct virtgpu_sgt_mem_entries * __must_check
virtgpu_sgt_mem_entries_reserve(struct drm_device *drm, u64 count,
				unsigned int max_chunks);
void virtgpu_sgt_mem_entries_begin(struct virtgpu_sgt_mem_entries_pos *pos,
				   struct virtgpu_sgt_mem_entries *entries);
int __must_check
virtgpu_sgt_mem_entries_add(struct virtgpu_sgt_mem_entries_pos *pos,
			    const struct drm_dma_seg *seg);
int __must_check
virtgpu_sgt_mem_entries_end(const struct virtgpu_sgt_mem_entries_pos *pos);
int __must_check virtgpu_sgt_mem_entries_map(struct virtgpu_sgt_mem_entries *entries,
					     struct virtqueue *vq);
void virtgpu_sgt_mem_entries_unmap(struct virtgpu_sgt_mem_entries *entries,
				   struct virtqueue *vq);
void virtgpu_sgt_mem_entries_free(struct virtgpu_sgt_mem_entries *entries);

#endif /* __VIRTGPU_SGT_MEM_ENTRIES_H__ */
