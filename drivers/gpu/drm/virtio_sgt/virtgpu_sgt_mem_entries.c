// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/virtio.h>
#include <linux/virtio_gpu.h>

#include <drm/drm_device.h>
#include <drm/drm_print.h>
#include <drm/drm_sgt.h>

#include "virtgpu_sgt_mem_entries.h"

/* Chunks are single pages unless the ring has too few descriptors for that. */
#define VIRTGPU_SGT_MAX_ORDER	PAGE_ALLOC_COSTLY_ORDER

/* A list of up to this many bytes is short: no chunk is allocated for it. */
#define VIRTGPU_SGT_SHORT_LIST	1024

/**
 * virtgpu_sgt_mem_entries_begin() - start to fill a list
 * @pos: initialised to the first entry
 * @entries: the list
 *
 * Context: Any.
 */
void virtgpu_sgt_mem_entries_begin(struct virtgpu_sgt_mem_entries_pos *pos,
				   struct virtgpu_sgt_mem_entries *entries)
{
	*pos = (struct virtgpu_sgt_mem_entries_pos) {
		.sg = entries->sgl,
		.left = entries->count,
	};
}

static int virtgpu_sgt_mem_entries_put(struct virtgpu_sgt_mem_entries_pos *pos,
				       u64 addr, u32 len)
{
	struct virtio_gpu_mem_entry *entry;

	if (!pos->left)
		return -EIO;

	if (pos->index == pos->sg->length / sizeof(*entry)) {
		pos->sg = sg_next(pos->sg);
		pos->index = 0;
	}

	entry = sg_virt(pos->sg);
	entry[pos->index++] = (struct virtio_gpu_mem_entry) {
		.addr = cpu_to_le64(addr),
		.length = cpu_to_le32(len),
	};
	pos->left--;
	return 0;
}

/**
 * virtgpu_sgt_mem_entries_add() - add a segment to a list
 * @pos: where the list goes on
 * @seg: the segment; takes virtgpu_sgt_mem_entries_needed() entries
 *
 * Context: Any, while the addresses of @seg are valid.
 * Return: 0, or -EIO: the list is full
 */
int virtgpu_sgt_mem_entries_add(struct virtgpu_sgt_mem_entries_pos *pos,
				const struct drm_dma_seg *seg)
{
	u64 addr = seg->addr, left = seg->len;
	int ret = 0;

	while (left && !ret) {
		u32 len = min(left, VIRTGPU_SGT_MAX_MEM_ENTRY_LEN);

		ret = virtgpu_sgt_mem_entries_put(pos, addr, len);
		addr += len;
		left -= len;
	}
	return ret;
}

/**
 * virtgpu_sgt_mem_entries_end() - finish a list
 * @pos: behind the last entry that was added
 *
 * Context: Any.
 * Return: 0, or -EIO: the list has room left
 */
int virtgpu_sgt_mem_entries_end(const struct virtgpu_sgt_mem_entries_pos *pos)
{
	return pos->left ? -EIO : 0;
}

static int virtgpu_sgt_mem_entries_alloc_chunks(struct virtgpu_sgt_mem_entries *entries,
						size_t bytes)
{
	size_t chunk = PAGE_SIZE << entries->order;
	struct scatterlist *sg;
	struct page *page;
	unsigned int i;
	int ret;

	ret = sg_alloc_table(&entries->table, DIV_ROUND_UP(bytes, chunk),
			     GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;

	for_each_sgtable_sg(&entries->table, sg, i) {
		page = alloc_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, entries->order);
		if (!page)
			return -ENOMEM;
		sg_set_page(sg, page, min(bytes, chunk), 0);
		bytes -= sg->length;
	}
	entries->sgl = entries->table.sgl;
	entries->chunks = entries->table.nents;
	return 0;
}

static struct virtgpu_sgt_mem_entries *
virtgpu_sgt_mem_entries_alloc_short(unsigned int count)
{
	struct virtgpu_sgt_mem_entries *entries;

	entries = kzalloc(struct_size(entries, entry, count), GFP_KERNEL_ACCOUNT);
	if (!entries)
		return ERR_PTR(-ENOMEM);

	entries->count = count;
	entries->chunks = 1;
	entries->sgl = &entries->inside;
	sg_init_one(entries->sgl, entries->entry,
		    count * sizeof(*entries->entry));
	return entries;
}

static struct virtgpu_sgt_mem_entries *
virtgpu_sgt_mem_entries_alloc(unsigned int count, unsigned int max_chunks)
{
	size_t bytes = count * sizeof(struct virtio_gpu_mem_entry);
	struct virtgpu_sgt_mem_entries *entries;
	unsigned int order = 0;
	int ret;

	if (bytes <= VIRTGPU_SGT_SHORT_LIST && max_chunks)
		return virtgpu_sgt_mem_entries_alloc_short(count);

	while (DIV_ROUND_UP(bytes, PAGE_SIZE << order) > max_chunks)
		if (++order > VIRTGPU_SGT_MAX_ORDER)
			return ERR_PTR(-E2BIG);

	entries = kzalloc(sizeof(*entries), GFP_KERNEL_ACCOUNT);
	if (!entries)
		return ERR_PTR(-ENOMEM);

	entries->count = count;
	entries->order = order;
	ret = virtgpu_sgt_mem_entries_alloc_chunks(entries, bytes);
	if (ret) {
		virtgpu_sgt_mem_entries_free(entries);
		return ERR_PTR(ret);
	}
	return entries;
}

/**
 * virtgpu_sgt_mem_entries_reserve() - make room for a list
 * @drm: DRM device, for messages
 * @count: entries
 * @max_chunks: the largest number of chunks that the list may have
 *
 * Context: Process context, may sleep.
 * Return:
 * * the list, not filled, owned by the caller, or an ERR_PTR() of an errno below
 * * %-E2BIG  - more entries than the host accepts, or than @max_chunks hold
 * * %-ENOMEM - out of memory
 */
struct virtgpu_sgt_mem_entries *
virtgpu_sgt_mem_entries_reserve(struct drm_device *drm, u64 count,
				unsigned int max_chunks)
{
	struct virtgpu_sgt_mem_entries *entries;

	if (count > VIRTGPU_SGT_MAX_MEM_ENTRIES) {
		drm_dbg_driver(drm, "%llu memory entries, the host takes %u\n",
			       count, VIRTGPU_SGT_MAX_MEM_ENTRIES);
		return ERR_PTR(-E2BIG);
	}

	entries = virtgpu_sgt_mem_entries_alloc(count, max_chunks);
	if (entries == ERR_PTR(-E2BIG))
		drm_dbg_driver(drm, "%llu memory entries, too many for the ring\n",
			       count);
	return entries;
}

static int virtgpu_sgt_mem_entries_count_table(struct drm_sgt *sgt, u64 offset, u64 len,
					       u64 *count)
{
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	int ret;

	drm_sgt_access_scope(view, sgt, ret) {
		ret = drm_dma_iter_init(&iter, view, offset, len);
		while (!ret && drm_dma_iter_next(&iter, &seg))
			*count += virtgpu_sgt_mem_entries_needed(seg.len);
	}
	return ret;
}

/*
 * The list stays valid after the section, until the mapping ends. At an unbind, the
 * device has been reset by then, and nothing more is sent to the host. In all other
 * cases, the mapping does not end before the use of the caller: see "buffers that are not
 * in use".
 */
static int virtgpu_sgt_mem_entries_fill_table(struct virtgpu_sgt_mem_entries_pos *pos,
					      struct drm_sgt *sgt, u64 offset, u64 len)
{
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	int ret;

	drm_sgt_access_scope(view, sgt, ret) {
		ret = drm_dma_iter_init(&iter, view, offset, len);
		while (!ret && drm_dma_iter_next(&iter, &seg))
			ret = virtgpu_sgt_mem_entries_add(pos, &seg);
	}
	return ret;
}

/**
 * virtgpu_sgt_mem_entries_of_table() - list memory of a buffer for the host
 * @drm: DRM device, for messages
 * @sgt: the table of the buffer, mapped
 * @offset: first byte to list
 * @len: bytes to list, not 0
 * @again: the last bytes of @len that the list has a second time, at its end; or 0
 * @max_chunks: the largest number of chunks that the list may have
 *
 * Context: Process context, may sleep. Enters access sections of @sgt.
 * Return:
 * * the list, owned by the caller, or an ERR_PTR() of an errno below
 * * %-ERANGE - the buffer is too small for @offset and @len
 * * %-E2BIG  - more entries than the host accepts, or than @max_chunks hold
 * * %-ENOMEM - out of memory
 * * %-ENODEV - the device is no longer bound
 */
struct virtgpu_sgt_mem_entries *
virtgpu_sgt_mem_entries_of_table(struct drm_device *drm, struct drm_sgt *sgt,
				 u64 offset, u64 len, u64 again, unsigned int max_chunks)
{
	struct virtgpu_sgt_mem_entries_pos pos;
	struct virtgpu_sgt_mem_entries *entries;
	u64 second = again ? offset + len - again : 0, count = 0;
	int ret;

	ret = virtgpu_sgt_mem_entries_count_table(sgt, offset, len, &count) ?:
	      virtgpu_sgt_mem_entries_count_table(sgt, second, again, &count);
	if (ret)
		return ERR_PTR(ret);

	entries = virtgpu_sgt_mem_entries_reserve(drm, count, max_chunks);
	if (IS_ERR(entries))
		return entries;

	virtgpu_sgt_mem_entries_begin(&pos, entries);
	ret = virtgpu_sgt_mem_entries_fill_table(&pos, sgt, offset, len) ?:
	      virtgpu_sgt_mem_entries_fill_table(&pos, sgt, second, again) ?:
	      virtgpu_sgt_mem_entries_end(&pos);
	if (ret) {
		virtgpu_sgt_mem_entries_free(entries);
		return ERR_PTR(ret);
	}
	return entries;
}

static void virtgpu_sgt_mem_entries_unmap_until(struct virtgpu_sgt_mem_entries *entries,
						struct virtqueue *vq,
						const struct scatterlist *end)
{
	struct scatterlist *sg;

	for (sg = entries->sgl; sg != end; sg = sg_next(sg))
		virtqueue_unmap_single_attrs(vq, sg_dma_address(sg),
					     sg->length, DMA_TO_DEVICE, 0);
}

/**
 * virtgpu_sgt_mem_entries_map() - map a list for the device
 * @entries: the list; the memory that it lists is mapped already
 * @vq: the virtqueue that it is sent through
 *
 * Context: Any.
 * Return: 0, or -ENOMEM
 */
int virtgpu_sgt_mem_entries_map(struct virtgpu_sgt_mem_entries *entries,
				struct virtqueue *vq)
{
	struct scatterlist *sg;

	for (sg = entries->sgl; sg; sg = sg_next(sg)) {
		sg_dma_address(sg) =
			virtqueue_map_single_attrs(vq, sg_virt(sg), sg->length,
						   DMA_TO_DEVICE, 0);
		if (virtqueue_map_mapping_error(vq, sg_dma_address(sg))) {
			virtgpu_sgt_mem_entries_unmap_until(entries, vq, sg);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * virtgpu_sgt_mem_entries_unmap() - undo virtgpu_sgt_mem_entries_map()
 * @entries: the list, which the host has read or will not read
 * @vq: the virtqueue
 *
 * Context: Any.
 */
void virtgpu_sgt_mem_entries_unmap(struct virtgpu_sgt_mem_entries *entries,
				   struct virtqueue *vq)
{
	virtgpu_sgt_mem_entries_unmap_until(entries, vq, NULL);
}

/**
 * virtgpu_sgt_mem_entries_free() - free a list
 * @entries: the list, or NULL
 */
void virtgpu_sgt_mem_entries_free(struct virtgpu_sgt_mem_entries *entries)
{
	struct scatterlist *sg;
	unsigned int i;

	if (!entries)
		return;

	/*
	 * A short list has no chunk. If a chunk of a long list could not be
	 * allocated, it has no page, nor have those that follow.
	 */
	for_each_sgtable_sg(&entries->table, sg, i) {
		if (!sg_page(sg))
			break;
		__free_pages(sg_page(sg), entries->order);
	}
	sg_free_table(&entries->table);
	kfree(entries);
}
