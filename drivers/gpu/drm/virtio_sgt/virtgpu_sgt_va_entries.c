// SPDX-License-Identifier: GPL-2.0

#include <drm/drm_gpupt.h>
#include <drm/drm_sgt.h>

#include "virtgpu_sgt_mem_entries.h"
#include "virtgpu_sgt_va_entries.h"

static void virtgpu_sgt_va_entries_end_seg(struct virtgpu_sgt_va_entries *entries)
{
	entries->count += virtgpu_sgt_mem_entries_needed(entries->seg.len);
	entries->seg.len = 0;
}

/**
 * virtgpu_sgt_va_entries_count() - count the entries of a part of a range
 * @entries: the counter
 * @sgt: the table that the next part maps to, DMA-mapped
 * @offset: first byte of the part in @sgt
 * @len: bytes of the part
 * @prot: DRM_GPUPT_* of the part
 *
 * Merges the segments that drm_gpupt_walk() will merge.
 *
 * Context: Process context, may sleep. Enters an access section of @sgt.
 * Return:
 * * %0       - success
 * * %-E2BIG  - the range so far needs more entries than the host accepts
 * * %-ENODEV - the device is no longer bound
 */
int virtgpu_sgt_va_entries_count(struct virtgpu_sgt_va_entries *entries,
				 struct drm_sgt *sgt, u64 offset, u64 len, u32 prot)
{
	struct drm_dma_seg *last = &entries->seg;
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	int ret;

	drm_sgt_access_scope(view, sgt, ret) {
		ret = drm_dma_iter_init(&iter, view, offset, len);
		while (!ret && drm_dma_iter_next(&iter, &seg)) {
			if (last->len && entries->prot == prot &&
			    drm_dma_seg_touches(last, &seg)) {
				last->len += seg.len;
				continue;
			}
			virtgpu_sgt_va_entries_end_seg(entries);
			if (entries->count > VIRTGPU_SGT_MAX_MEM_ENTRIES) {
				ret = -E2BIG;
				break;
			}
			*last = seg;
			entries->prot = prot;
		}
	}
	return ret;
}

/**
 * virtgpu_sgt_va_entries_total() - how many entries the range takes
 * @entries: the counter, after the last part of the range
 *
 * Context: Any.
 * Return: the number of entries
 */
u64 virtgpu_sgt_va_entries_total(struct virtgpu_sgt_va_entries *entries)
{
	virtgpu_sgt_va_entries_end_seg(entries);
	return entries->count;
}

static int virtgpu_sgt_va_entries_add(void *arg, const struct drm_gpupt_extent *extent)
{
	return virtgpu_sgt_mem_entries_add(arg, &extent->seg);
}

/**
 * virtgpu_sgt_va_entries_fill() - list what a range of GPU VA maps to
 * @list: a list with room for exactly these entries
 * @pt: the page table
 * @va: first byte of the range, which does not change meanwhile
 * @size: bytes of the range
 *
 * The list stays valid until the mapping of the range ends. An unmap waits until the
 * host has answered the DETACH. At an unbind, the device has been reset by then, and
 * nothing more is sent to the host.
 *
 * Context: Process context, the fence-signalling path.
 * Return:
 * * %0       - success
 * * %-EFAULT - part of the range is unmapped
 * * %-EIO    - there are more entries than there is room for, or fewer; or see
 *   drm_gpupt_walk()
 * * %-EINTR  - the task is being killed
 * * %-ENODEV - the device is no longer bound
 */
int virtgpu_sgt_va_entries_fill(struct virtgpu_sgt_mem_entries *list,
				struct drm_gpupt *pt, u64 va, u64 size)
{
	struct virtgpu_sgt_mem_entries_pos pos;
	int ret;

	virtgpu_sgt_mem_entries_begin(&pos, list);
	ret = drm_gpupt_walk(pt, va, size, virtgpu_sgt_va_entries_add, &pos);
	return ret ?: virtgpu_sgt_mem_entries_end(&pos);
}
