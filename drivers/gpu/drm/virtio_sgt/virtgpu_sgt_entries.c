// SPDX-License-Identifier: GPL-2.0

#include <linux/align.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/virtio_gpu.h>

#include <drm/drm_device.h>
#include <drm/drm_print.h>
#include <drm/drm_sgt.h>

#include "virtgpu_sgt_entries.h"

/*
 * More than this, QEMU refuses. The specification knows no limit and no way to
 * ask for one.
 */
#define VIRTGPU_SGT_MAX_ENTRIES	16384

/* What an entry may hold: its length has 32 bits, and pages stay whole. */
#define VIRTGPU_SGT_MAX_LEN	round_down(U32_MAX, PAGE_SIZE)

/* Chunks are single pages unless the ring has too few descriptors for that. */
#define VIRTGPU_SGT_MAX_ORDER	PAGE_ALLOC_COSTLY_ORDER

/* A place in the list, while it is being filled. */
struct virtgpu_sgt_entries_pos {
	struct scatterlist *sg;
	unsigned int index;
	unsigned int left;
};

static int virtgpu_sgt_entries_put(struct virtgpu_sgt_entries_pos *pos,
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

static int virtgpu_sgt_entries_put_seg(struct virtgpu_sgt_entries_pos *pos,
				       struct drm_dma_seg seg)
{
	while (seg.len) {
		u32 len = min_t(u64, seg.len, VIRTGPU_SGT_MAX_LEN);
		int ret = virtgpu_sgt_entries_put(pos, seg.addr, len);

		if (ret)
			return ret;
		seg.addr += len;
		seg.len -= len;
	}
	return 0;
}

/* How many entries there will be, and how much memory they describe. */
static int virtgpu_sgt_entries_measure(struct drm_sgt *sgt, u64 *count,
				       u64 *size)
{
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	int ret;

	*count = 0;
	drm_sgt_access_scope(view, sgt, ret) {
		*size = drm_dma_view_size(view);
		ret = drm_dma_iter_init(&iter, view, 0, *size);
		if (ret)
			break;
		while (drm_dma_iter_next(&iter, &seg))
			*count += DIV64_U64_ROUND_UP(seg.len,
						     VIRTGPU_SGT_MAX_LEN);
	}
	return ret;
}

/*
 * The list that this writes is good after the section, too. The addresses in
 * it end when the mapping does, and that is either an unbind, where nothing is
 * sent to the host any more and what was sent ends with the reset, or the end
 * of the buffer, which comes after the host has answered the UNREF.
 */
static int virtgpu_sgt_entries_fill(struct virtgpu_sgt_entries *entries,
				    struct drm_sgt *sgt)
{
	struct virtgpu_sgt_entries_pos pos = {
		.sg = entries->table.sgl,
		.left = entries->count,
	};
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	int ret;

	drm_sgt_access_scope(view, sgt, ret) {
		ret = drm_dma_iter_init(&iter, view, 0, drm_dma_view_size(view));
		while (!ret && drm_dma_iter_next(&iter, &seg))
			ret = virtgpu_sgt_entries_put_seg(&pos, seg);
	}

	/* A mapping does not change: this is what was measured. */
	if (!ret && WARN_ON_ONCE(pos.left))
		ret = -EIO;
	return ret;
}

static int virtgpu_sgt_entries_alloc_chunks(struct virtgpu_sgt_entries *entries,
					    size_t bytes)
{
	size_t chunk = PAGE_SIZE << entries->order;
	struct scatterlist *sg;
	struct page *page;
	unsigned int i;
	int ret;

	ret = sg_alloc_table(&entries->table, DIV_ROUND_UP(bytes, chunk),
			     GFP_KERNEL);
	if (ret)
		return ret;

	for_each_sgtable_sg(&entries->table, sg, i) {
		page = alloc_pages(GFP_KERNEL | __GFP_ZERO, entries->order);
		if (!page)
			return -ENOMEM;
		sg_set_page(sg, page, min(bytes, chunk), 0);
		bytes -= sg->length;
	}
	return 0;
}

static struct virtgpu_sgt_entries *
virtgpu_sgt_entries_alloc(unsigned int count, unsigned int max_chunks)
{
	size_t bytes = count * sizeof(struct virtio_gpu_mem_entry);
	struct virtgpu_sgt_entries *entries;
	unsigned int order = 0;
	int ret;

	while (DIV_ROUND_UP(bytes, PAGE_SIZE << order) > max_chunks)
		if (++order > VIRTGPU_SGT_MAX_ORDER)
			return ERR_PTR(-E2BIG);

	entries = kzalloc(sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return ERR_PTR(-ENOMEM);

	entries->count = count;
	entries->order = order;
	ret = virtgpu_sgt_entries_alloc_chunks(entries, bytes);
	if (ret) {
		virtgpu_sgt_entries_free(entries);
		return ERR_PTR(ret);
	}
	return entries;
}

/**
 * virtgpu_sgt_entries_build() - list the memory of a buffer for the host
 * @drm: DRM device, for messages
 * @sgt: the table of the buffer, mapped
 * @min_size: bytes that the host will expect; it does not check
 * @max_chunks: into how many pieces the list may be cut
 *
 * Context: Process context, may sleep. Enters access sections of @sgt.
 * Return: the list, owned by the caller, or an ERR_PTR():
 *
 * * %-EINVAL - the buffer has less than @min_size bytes
 * * %-E2BIG  - more entries than the host takes, or than @max_chunks hold
 * * %-ENOMEM - out of memory
 * * %-ENODEV - the device is no longer bound
 */
struct virtgpu_sgt_entries *
virtgpu_sgt_entries_build(struct drm_device *drm, struct drm_sgt *sgt,
			  u64 min_size, unsigned int max_chunks)
{
	struct virtgpu_sgt_entries *entries;
	u64 count, size;
	int ret;

	ret = virtgpu_sgt_entries_measure(sgt, &count, &size);
	if (ret)
		return ERR_PTR(ret);

	if (size < min_size) {
		drm_dbg_driver(drm, "%llu bytes back a resource of %llu\n",
			       size, min_size);
		return ERR_PTR(-EINVAL);
	}
	if (count > VIRTGPU_SGT_MAX_ENTRIES) {
		drm_dbg_driver(drm, "%llu memory entries, the host takes %u\n",
			       count, VIRTGPU_SGT_MAX_ENTRIES);
		return ERR_PTR(-E2BIG);
	}

	entries = virtgpu_sgt_entries_alloc(count, max_chunks);
	if (IS_ERR(entries)) {
		if (entries == ERR_PTR(-E2BIG))
			drm_dbg_driver(drm, "%llu memory entries, too many for the ring\n",
				       count);
		return entries;
	}

	ret = virtgpu_sgt_entries_fill(entries, sgt);
	if (ret) {
		virtgpu_sgt_entries_free(entries);
		return ERR_PTR(ret);
	}
	return entries;
}

/**
 * virtgpu_sgt_entries_free() - free a list
 * @entries: the list, or NULL
 */
void virtgpu_sgt_entries_free(struct virtgpu_sgt_entries *entries)
{
	struct scatterlist *sg;
	unsigned int i;

	if (!entries)
		return;

	/* The first chunk that could not be allocated has no page. */
	for_each_sgtable_sg(&entries->table, sg, i) {
		if (!sg_page(sg))
			break;
		__free_pages(sg_page(sg), entries->order);
	}
	sg_free_table(&entries->table);
	kfree(entries);
}
