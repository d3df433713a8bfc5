// SPDX-License-Identifier: GPL-2.0

#include "drm_dma_index.h"
#include "drm_sgt_device.h"

/**
 * DOC: walking DMA segments
 *
 * A mapped &struct sg_table is two lists in one. The first nents entries say
 * what the device sees, the first orig_nents what the CPU sees, and entry n of
 * one is unrelated to entry n of the other. If an IOMMU merges entries, nents is
 * smaller than orig_nents, and the DMA fields of the remaining entries are undefined. A
 * table from another driver may have no CPU list at all (orig_nents 0, pages NULL).
 *
 * So there are two iterators, and neither accepts the input of the other.
 * drm_dma_iter_next() walks a range of a &struct drm_dma_view: nents and the
 * DMA fields, nothing else. drm_sgt_run_iter_next() walks the pages of a
 * &struct drm_sgt. Both merge adjacent entries. A range that the view does not cover
 * is refused before the first step, so that a walk never ends early.
 */

static struct drm_dma_ents drm_dma_view_ents(const struct drm_dma_view view)
{
	return (struct drm_dma_ents) {
		.sg = view.sgl,
		.nents = view.nents,
		.phys = view.phys,
	};
}

/*
 * A section on any table of the device is enough: lockdep knows the devices of a
 * task's sections, not the tables.
 */
static void drm_dma_check_section(const struct drm_sgt_device *sdev)
{
	if (sdev)
		RCU_LOCKDEP_WARN(!srcu_read_lock_held(&sdev->srcu),
				 "DMA addresses read outside of an access section");
}

/**
 * drm_dma_view_borrow() - view a table that other code has mapped
 * @table: a table, DMA-mapped
 *
 * For example, of a dma-buf attachment. Only nents and the DMA fields are read.
 *
 * Ownership: none. The view does not keep the table mapped: the caller knows how long
 * it is, and must not use the view after that.
 *
 * Context: Any, while @table stays mapped. Reads each segment once.
 * Return: the view
 */
struct drm_dma_view drm_dma_view_borrow(const struct sg_table *table)
{
	struct drm_dma_ents ents = { .sg = table->sgl, .nents = table->nents };

	return (struct drm_dma_view) {
		.sgl = table->sgl,
		.size = drm_dma_ents_measure(ents).size,
		.nents = table->nents,
	};
}
EXPORT_SYMBOL_GPL(drm_dma_view_borrow);

/**
 * drm_dma_view_size() - the size of a view
 * @view: the view
 *
 * Context: Any.
 * Return: bytes that can be walked
 */
u64 drm_dma_view_size(const struct drm_dma_view view)
{
	return view.size;
}
EXPORT_SYMBOL_GPL(drm_dma_view_size);

/**
 * drm_dma_view_measure() - what all segments of a view have in common
 * @view: the view
 *
 * Reads each segment of a view from drm_dma_view_borrow(), and none of a view of a
 * &struct drm_sgt.
 *
 * Context: Inside the access section of @view. For a view from drm_dma_view_borrow(),
 * as long as its table is mapped.
 * Return: the properties of the segments
 */
struct drm_dma_measure drm_dma_view_measure(const struct drm_dma_view view)
{
	drm_dma_check_section(view.sdev);

	return view.index ? view.index->measure :
			    drm_dma_ents_measure(drm_dma_view_ents(view));
}
EXPORT_SYMBOL_GPL(drm_dma_view_measure);

/* The entry that @iter is in; false if there is none left. */
static __always_inline bool
drm_dma_iter_entry(const struct drm_dma_iter *iter, struct drm_dma_seg *seg)
{
	if (!iter->nents)
		return false;

	*seg = drm_dma_entry(iter->sg, iter->phys);
	seg->addr += iter->skip;
	seg->len -= iter->skip;
	return true;
}

/* Take @len bytes of the current entry, of which @entry_len are left. */
static __always_inline void
drm_dma_iter_take(struct drm_dma_iter *iter, u64 len, u64 entry_len)
{
	if (len < entry_len) {
		iter->skip += len;
		return;
	}

	iter->skip = 0;
	if (--iter->nents)
		iter->sg = sg_next(iter->sg);
}

static bool drm_dma_iter_seek(struct drm_dma_iter *iter, u64 offset,
			      const struct drm_dma_index *index)
{
	const struct drm_dma_mark *mark = NULL;
	struct drm_dma_seg entry;

	if (index)
		mark = drm_dma_index_find(index, offset);
	if (mark) {
		iter->sg = mark->sg;
		iter->nents -= mark->index;
		offset -= mark->offset;
	}

	while (offset) {
		u64 len;

		if (!drm_dma_iter_entry(iter, &entry))
			return false;
		len = min(offset, entry.len);
		drm_dma_iter_take(iter, len, entry.len);
		offset -= len;
	}
	return true;
}

/**
 * drm_dma_iter_init() - start to walk a range of a view
 * @iter: the position, on the stack of the caller
 * @view: the view
 * @offset: first byte of the range
 * @len: bytes; a range of 0 bytes has no segment
 *
 * Finding @offset takes a few steps in a view of a &struct drm_sgt, and in one
 * from drm_dma_view_borrow() as many as there are segments before it.
 *
 * Context: Inside the access section of @view, which lockdep checks. For a view from
 * drm_dma_view_borrow(), as long as its table is mapped.
 * Return:
 * * %0       - drm_dma_iter_next() will return exactly @len bytes
 * * %-ERANGE - the view is shorter than @offset + @len; @iter is unusable
 */
int drm_dma_iter_init(struct drm_dma_iter *iter, const struct drm_dma_view view,
		      u64 offset, u64 len)
{
	drm_dma_check_section(view.sdev);

	if (drm_dma_view_check(view, offset, len))
		return -ERANGE;

	*iter = (struct drm_dma_iter) {
		.sg = view.sgl,
		.sdev = view.sdev,
		.nents = view.nents,
		.phys = view.phys,
		.left = len,
	};
	if (offset && WARN_ON_ONCE(!drm_dma_iter_seek(iter, offset, view.index)))
		return -ERANGE;
	return 0;
}
EXPORT_SYMBOL_GPL(drm_dma_iter_init);

/**
 * drm_dma_iter_next() - the next segment of the range
 * @iter: the position
 * @seg: filled, unless at the end
 *
 * Contiguous entries are returned as one segment of any length: if a PTE or a command
 * holds less, the driver must split it.
 *
 * Context: As drm_dma_iter_init().
 * Return: false at the end of the range, when all of it has been returned
 */
bool drm_dma_iter_next(struct drm_dma_iter *iter, struct drm_dma_seg *seg)
{
	struct drm_dma_seg entry;

	drm_dma_check_section(iter->sdev);

	seg->len = 0;
	while (iter->left && drm_dma_iter_entry(iter, &entry)) {
		u64 len = min(entry.len, iter->left);

		if (!seg->len)
			seg->addr = entry.addr;
		else if (len && !drm_dma_seg_touches(seg, &entry))
			break;

		seg->len += len;
		iter->left -= len;
		drm_dma_iter_take(iter, len, entry.len);
	}

	WARN_ON_ONCE(!seg->len && iter->left);
	return seg->len;
}
EXPORT_SYMBOL_GPL(drm_dma_iter_next);

/**
 * drm_dma_view_first() - the first address of a view
 * @view: the view, not empty
 *
 * For a register that takes the address of memory in one piece, such as a root table.
 *
 * Context: As drm_dma_iter_init().
 * Return: the DMA address of the first byte; 0 if @view is empty, which is a bug
 */
dma_addr_t drm_dma_view_first(const struct drm_dma_view view)
{
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;

	if (WARN_ON_ONCE(drm_dma_iter_init(&iter, view, 0, 1) || !drm_dma_iter_next(&iter, &seg)))
		return 0;
	return seg.addr;
}
EXPORT_SYMBOL_GPL(drm_dma_view_first);

/* @max is not 0, and the table has as many entries. */
static __always_inline unsigned int
drm_dma_iter_read_blocks(struct drm_dma_iter *iter, unsigned int len,
			 dma_addr_t *addrs, unsigned int max, bool phys)
{
	dma_addr_t *next = addrs, *end = addrs + max;
	struct scatterlist *sg = iter->sg;

	while ((phys ? sg->length : sg_dma_len(sg)) == len) {
		*next++ = phys ? sg_phys(sg) : sg_dma_address(sg);
		if (next == end)
			break;
		sg++;
		if (unlikely(sg_is_chain(sg))) {
			sg = sg_chain_ptr(sg);
			/* A branch, not a conditional move that each load waits for. */
			OPTIMIZER_HIDE_VAR(sg);
		}
	}
	/* There is no entry behind the last one. */
	if (next == end && max < iter->nents)
		sg = sg_next(sg);
	iter->sg = sg;
	return next - addrs;
}

/**
 * drm_dma_iter_next_blocks() - the addresses of entries that are one block each
 * @iter: the position
 * @shift: log2 of the bytes of a block
 * @addrs: the address of each block is stored here
 * @max: length of @addrs
 *
 * A fast path for memory in scattered pages: a few instructions a block, where
 * drm_dma_iter_next() takes a call. It stops before an entry that is not one block,
 * which drm_dma_iter_next() returns.
 *
 * Context: As drm_dma_iter_init().
 * Return: the number of addresses that were stored; 0 does not mean the end of the
 * range
 */
unsigned int drm_dma_iter_next_blocks(struct drm_dma_iter *iter, unsigned int shift,
				      dma_addr_t *addrs, unsigned int max)
{
	unsigned int nr;

	drm_dma_check_section(iter->sdev);

	max = min3(max, iter->nents, iter->left >> shift);
	/* The length of an entry has 32 bits. */
	if (iter->skip || !max || shift > 31)
		return 0;

	if (iter->phys)
		nr = drm_dma_iter_read_blocks(iter, BIT(shift), addrs, max, true);
	else
		nr = drm_dma_iter_read_blocks(iter, BIT(shift), addrs, max, false);
	iter->nents -= nr;
	iter->left -= (u64)nr << shift;
	return nr;
}
EXPORT_SYMBOL_GPL(drm_dma_iter_next_blocks);
