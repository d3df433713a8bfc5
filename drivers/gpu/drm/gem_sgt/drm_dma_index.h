/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_DMA_INDEX_H__
#define __DRM_DMA_INDEX_H__

#include <linux/scatterlist.h>

#include <drm/drm_dma_view.h>

/**
 * struct drm_dma_mark - where an entry of a mapped table begins
 */
struct drm_dma_mark {
	/** @sg: the entry */
	struct scatterlist *sg;
	/** @offset: bytes before it */
	u64 offset;
	/** @index: entries before it */
	unsigned int index;
};

/**
 * struct drm_dma_index - the DMA addresses of a table, by offset
 *
 * Made once for each mapping, so that no walk has to read all entries.
 */
struct drm_dma_index {
	/** @measure: properties of all entries */
	struct drm_dma_measure measure;
	/** @marks: one at a fixed interval of entries, in order */
	struct drm_dma_mark *marks;
	/** @nr_marks: how many */
	unsigned int nr_marks;
};

/**
 * struct drm_dma_ents - the entries of a mapped table, and a position in them
 */
struct drm_dma_ents {
	/** @sg: the first one, or the one that was read last */
	struct scatterlist *sg;
	/** @nents: how many */
	unsigned int nents;
	/** @index: how many have been read */
	unsigned int index;
	/** @phys: use physical addresses */
	bool phys;
};

/* The segment of one entry. */
static inline struct drm_dma_seg drm_dma_entry(struct scatterlist *sg, bool phys)
{
	if (phys)
		return (struct drm_dma_seg) { sg_phys(sg), sg->length };

	return (struct drm_dma_seg) { sg_dma_address(sg), sg_dma_len(sg) };
}

struct drm_dma_measure drm_dma_ents_measure(struct drm_dma_ents ents);
int drm_dma_index_init(struct drm_dma_index *index, struct drm_dma_ents ents);
void drm_dma_index_fini(struct drm_dma_index *index);
const struct drm_dma_mark *
drm_dma_index_find(const struct drm_dma_index *index, u64 offset);

#endif /* __DRM_DMA_INDEX_H__ */
