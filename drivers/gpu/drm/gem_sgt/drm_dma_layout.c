// SPDX-License-Identifier: GPL-2.0

#include <linux/sched.h>
#include <linux/slab.h>

#include "drm_dma_layout.h"

/* Entries between two marks: as many as fit into a page. */
#define DRM_DMA_MARK_STEP	SG_MAX_SINGLE_ALLOC

static bool drm_dma_ents_next(struct drm_dma_ents *ents, struct drm_dma_seg *seg)
{
	if (ents->index == ents->nents)
		return false;

	if (ents->index++)
		ents->sg = sg_next(ents->sg);
	*seg = drm_dma_entry(ents->sg, ents->phys);
	return true;
}

/* Read all entries once. @layout is zeroed; with room for marks, may sleep. */
static void drm_dma_layout_read(struct drm_dma_layout *layout,
				struct drm_dma_ents ents)
{
	struct drm_dma_seg run = {}, seg;

	while (drm_dma_ents_next(&ents, &seg)) {
		unsigned int index = ents.index - 1;

		if (layout->marks && index && index % DRM_DMA_MARK_STEP == 0) {
			layout->marks[index / DRM_DMA_MARK_STEP - 1] = (struct drm_dma_mark) {
				.sg = ents.sg,
				.offset = layout->size,
				.index = index,
			};
			cond_resched();
		}
		if (!seg.len)
			continue;

		layout->size += seg.len;
		layout->bits |= seg.addr | seg.len;
		layout->last = max(layout->last, seg.addr + seg.len - 1);
		if (run.len && drm_dma_seg_touches(&run, &seg))
			run.len += seg.len;
		else
			run = seg;
		layout->longest = max(layout->longest, run.len);
	}
}

/**
 * drm_dma_layout_measure() - measure the entries of a mapped table
 * @layout: filled in, except for its marks
 * @ents: the entries
 */
void drm_dma_layout_measure(struct drm_dma_layout *layout, struct drm_dma_ents ents)
{
	*layout = (struct drm_dma_layout) {};
	drm_dma_layout_read(layout, ents);
}

/**
 * drm_dma_layout_init() - measure a mapped table, and index its entries by offset
 * @layout: filled in
 * @ents: the entries
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM; drm_dma_layout_fini() when the mapping ends
 */
int drm_dma_layout_init(struct drm_dma_layout *layout, struct drm_dma_ents ents)
{
	unsigned int nr = ents.nents ? (ents.nents - 1) / DRM_DMA_MARK_STEP : 0;

	*layout = (struct drm_dma_layout) {};
	if (nr) {
		layout->marks = kvmalloc_array(nr, sizeof(*layout->marks),
					       GFP_KERNEL_ACCOUNT);
		if (!layout->marks)
			return -ENOMEM;
		layout->nr_marks = nr;
	}

	drm_dma_layout_read(layout, ents);
	return 0;
}

/**
 * drm_dma_layout_fini() - free the marks of a mapping that has ended
 * @layout: layout of the mapping
 */
void drm_dma_layout_fini(struct drm_dma_layout *layout)
{
	kvfree(layout->marks);
	layout->marks = NULL;
	layout->nr_marks = 0;
}

/**
 * drm_dma_layout_find() - the last mark at or before an offset
 * @layout: layout of the table
 * @offset: bytes
 *
 * Return: the mark, or NULL: start from the first entry
 */
const struct drm_dma_mark *
drm_dma_layout_find(const struct drm_dma_layout *layout, u64 offset)
{
	unsigned int low = 0, high = layout->nr_marks;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (layout->marks[middle].offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &layout->marks[low - 1] : NULL;
}
