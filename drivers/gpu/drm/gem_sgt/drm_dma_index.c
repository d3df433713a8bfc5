// SPDX-License-Identifier: GPL-2.0

#include <linux/sched.h>
#include <linux/slab.h>

#include "drm_dma_index.h"

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

/* Read all entries once. @measure is zeroed; with @marks, may sleep. */
static void drm_dma_ents_read(struct drm_dma_ents ents, struct drm_dma_measure *measure,
			      struct drm_dma_mark *marks)
{
	struct drm_dma_seg run = {}, seg;

	while (drm_dma_ents_next(&ents, &seg)) {
		unsigned int index = ents.index - 1;

		if (marks && index && index % DRM_DMA_MARK_STEP == 0) {
			marks[index / DRM_DMA_MARK_STEP - 1] = (struct drm_dma_mark) {
				.sg = ents.sg,
				.offset = measure->size,
				.index = index,
			};
			cond_resched();
		}
		if (!seg.len)
			continue;

		measure->size += seg.len;
		measure->bits |= seg.addr | seg.len;
		measure->last = max(measure->last, seg.addr + seg.len - 1);
		if (run.len && drm_dma_seg_touches(&run, &seg))
			run.len += seg.len;
		else
			run = seg;
		measure->longest = max(measure->longest, run.len);
	}
}

/**
 * drm_dma_ents_measure() - measure the entries of a mapped table
 * @ents: the entries
 *
 * Return: the properties of the entries
 */
struct drm_dma_measure drm_dma_ents_measure(struct drm_dma_ents ents)
{
	struct drm_dma_measure measure = {};

	drm_dma_ents_read(ents, &measure, NULL);
	return measure;
}

/**
 * drm_dma_index_init() - measure a mapped table, and index its entries by offset
 * @index: filled in
 * @ents: the entries
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM; drm_dma_index_fini() when the mapping ends
 */
int drm_dma_index_init(struct drm_dma_index *index, struct drm_dma_ents ents)
{
	unsigned int nr = ents.nents ? (ents.nents - 1) / DRM_DMA_MARK_STEP : 0;

	*index = (struct drm_dma_index) {};
	if (nr) {
		index->marks = kvmalloc_array(nr, sizeof(*index->marks),
					      GFP_KERNEL_ACCOUNT);
		if (!index->marks)
			return -ENOMEM;
		index->nr_marks = nr;
	}

	drm_dma_ents_read(ents, &index->measure, index->marks);
	return 0;
}

/**
 * drm_dma_index_fini() - free the marks of a mapping that has ended
 * @index: index of the mapping
 */
void drm_dma_index_fini(struct drm_dma_index *index)
{
	kvfree(index->marks);
	index->marks = NULL;
	index->nr_marks = 0;
}

/**
 * drm_dma_index_find() - the last mark at or before an offset
 * @index: index of the table
 * @offset: bytes
 *
 * Return: the mark, or NULL: start from the first entry
 */
const struct drm_dma_mark *
drm_dma_index_find(const struct drm_dma_index *index, u64 offset)
{
	unsigned int low = 0, high = index->nr_marks;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (index->marks[middle].offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &index->marks[low - 1] : NULL;
}
