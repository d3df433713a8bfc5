/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_DMA_VIEW_H__
#define __DRM_DMA_VIEW_H__

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/overflow.h>
#include <linux/types.h>

struct drm_dma_index;
struct drm_sgt_device;
struct scatterlist;
struct sg_table;

/**
 * struct drm_dma_seg - contiguous DMA addresses
 */
struct drm_dma_seg {
	/** @addr: first DMA address (physical address in physical mode) */
	dma_addr_t addr;
	/** @len: bytes; 64 bits, as a merge of adjacent entries can exceed 4 GiB */
	u64 len;
};

/**
 * drm_dma_seg_touches() - does one segment continue another?
 * @seg: the first segment
 * @next: the second segment
 *
 * Context: Any.
 * Return: whether @next begins where @seg ends; a segment that ends at the last
 * address is not contiguous with address 0
 */
static inline bool drm_dma_seg_touches(const struct drm_dma_seg *seg,
				       const struct drm_dma_seg *next)
{
	return next->addr > seg->addr && next->addr - seg->addr == seg->len;
}

/**
 * struct drm_dma_measure - properties of all segments of a view
 */
struct drm_dma_measure {
	/** @size: bytes of all segments */
	u64 size;
	/** @longest: bytes of the longest segment, with adjacent entries merged */
	u64 longest;
	/** @bits: all addresses and lengths ORed: the lowest set bit is their alignment */
	u64 bits;
	/** @last: the highest address */
	dma_addr_t last;
};

/**
 * struct drm_dma_view - the DMA segments of a table that is mapped now
 *
 * A view is a value: it owns nothing, frees nothing and cannot be written
 * through. It has only DMA addresses; no page can be found from it. A view from an
 * access section is valid until the end of the section, one from
 * drm_dma_view_borrow() until its table is unmapped: only the caller knows when.
 * All members are const, so that a view cannot be assigned to a variable that
 * outlives its section. The compiler does not catch a pointer to a view, or a walk,
 * that outlives the section; lockdep checks the walk.
 *
 * Invariant: the lengths of the first @nents entries of @sgl add up to @size,
 * or to more than @size in the table of an exporter.
 */
struct drm_dma_view {
	/* private: for drm_dma_iter_init() alone */
	struct scatterlist * const sgl;
	const struct drm_sgt_device * const sdev;
	const struct drm_dma_index * const index;
	const u64 size;
	const unsigned int nents;
	const bool phys;
};

/**
 * struct drm_dma_iter - a position in a &struct drm_dma_view
 */
struct drm_dma_iter {
	/* private: */
	struct scatterlist *sg;
	const struct drm_sgt_device *sdev;
	unsigned int nents;
	bool phys;
	u64 skip;
	u64 left;
};

struct drm_dma_view drm_dma_view_borrow(const struct sg_table *table);
u64 drm_dma_view_size(const struct drm_dma_view view);
struct drm_dma_measure drm_dma_view_measure(const struct drm_dma_view view);
dma_addr_t drm_dma_view_first(const struct drm_dma_view view);

/**
 * drm_dma_view_check() - does a view cover a range?
 * @view: the view
 * @offset: first byte of the range
 * @len: bytes of the range
 *
 * Context: Any.
 * Return: 0, or -ERANGE: the view is shorter than @offset + @len
 */
static inline int drm_dma_view_check(const struct drm_dma_view view, u64 offset,
				     u64 len)
{
	u64 end;

	return check_add_overflow(offset, len, &end) || end > view.size ? -ERANGE : 0;
}

int __must_check drm_dma_iter_init(struct drm_dma_iter *iter,
				   const struct drm_dma_view view,
				   u64 offset, u64 len);
bool __must_check drm_dma_iter_next(struct drm_dma_iter *iter,
				    struct drm_dma_seg *seg);
unsigned int __must_check
drm_dma_iter_next_blocks(struct drm_dma_iter *iter, unsigned int shift,
			 dma_addr_t *addrs, unsigned int max);

#endif /* __DRM_DMA_VIEW_H__ */
