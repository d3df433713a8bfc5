/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_DMA_LAYOUT_H__
#define __DRM_DMA_LAYOUT_H__

#include <linux/overflow.h>
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
 * struct drm_dma_layout - properties of the DMA addresses of a table
 *
 * Measured once for each mapping, so that no walk has to read all entries for it.
 */
struct drm_dma_layout {
	/** @size: bytes of all entries */
	u64 size;
	/** @longest: bytes of the longest contiguous run of entries */
	u64 longest;
	/** @bits: all addresses and lengths ORed: what they are multiples of */
	u64 bits;
	/** @last: the highest address */
	dma_addr_t last;
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

/* A segment that ends at the last address is not contiguous with address 0. */
static inline bool drm_dma_seg_touches(const struct drm_dma_seg *seg,
				       const struct drm_dma_seg *next)
{
	return next->addr > seg->addr && next->addr - seg->addr == seg->len;
}

/* Does a view have @len bytes from @offset on? */
static inline int drm_dma_view_check(const struct drm_dma_view view, u64 offset,
				     u64 len)
{
	u64 end;

	return check_add_overflow(offset, len, &end) || end > view.size ? -ERANGE : 0;
}

/* The segment of one entry. */
static inline struct drm_dma_seg drm_dma_entry(struct scatterlist *sg, bool phys)
{
	if (phys)
		return (struct drm_dma_seg) { sg_phys(sg), sg->length };

	return (struct drm_dma_seg) { sg_dma_address(sg), sg_dma_len(sg) };
}

void drm_dma_layout_measure(struct drm_dma_layout *layout,
			    struct drm_dma_ents ents);
int drm_dma_layout_init(struct drm_dma_layout *layout, struct drm_dma_ents ents);
void drm_dma_layout_fini(struct drm_dma_layout *layout);
const struct drm_dma_mark *
drm_dma_layout_find(const struct drm_dma_layout *layout, u64 offset);

/* drm_dma_view.c */
void drm_dma_view_measure(const struct drm_dma_view view,
			  struct drm_dma_layout *layout);

#endif /* __DRM_DMA_LAYOUT_H__ */
