/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GPUPT_FMT_H__
#define __DRM_GPUPT_FMT_H__

#include <linux/minmax.h>
#include <linux/scatterlist.h>
#include <linux/string.h>
#include <linux/types.h>

#include <drm/drm_gpupt.h>

/**
 * enum drm_gpupt_entry - what an entry of a table is
 */
enum drm_gpupt_entry {
	/** @DRM_GPUPT_ENTRY_NONE: nothing; what zeroed memory must mean */
	DRM_GPUPT_ENTRY_NONE,
	/** @DRM_GPUPT_ENTRY_TABLE: the address of a table of the level below */
	DRM_GPUPT_ENTRY_TABLE,
	/** @DRM_GPUPT_ENTRY_LEAF: the address of memory */
	DRM_GPUPT_ENTRY_LEAF,
};

/**
 * struct drm_gpupt_level - the tables of one level
 */
struct drm_gpupt_level {
	/** @shift: one entry covers 1 << @shift bytes of GPU VA */
	u8 shift;
	/** @bits: a table has 1 << @bits entries; they fit into a page */
	u8 bits;
	/**
	 * @leaf: an entry can be a leaf; true of level 0, and above it without a
	 * gap: a leaf that is cut becomes a table of those of the level below
	 */
	bool leaf;
};

/**
 * struct drm_gpupt_fill - leaves that a format is to write
 *
 * One after the other into one table, from DMA segments that cover them.
 */
struct drm_gpupt_fill {
	/** @entry: the first one */
	void *entry;
	/** @count: how many; at least one */
	unsigned int count;
	/** @level: of the table */
	unsigned int level;
	/** @shift: log2 of the bytes that a leaf covers */
	unsigned int shift;
	/** @prot: DRM_GPUPT_*, a subset of &drm_gpupt_fmt.prot */
	u32 prot;
	/** @seg: what is left of the segment that the last leaf came from */
	struct drm_dma_seg seg;
	/* private: where the segments after that come from */
	struct drm_dma_iter iter;
	bool merge;
};

/**
 * struct drm_gpupt_fmt - a format of page tables
 *
 * What the engine has to know of how a device reads them. Constant. Everything
 * that a format does is done to memory of the CPU: it neither allocates nor
 * takes a lock, and is fit for the fence-signalling path.
 *
 * Zeroed memory is a table without entries.
 */
struct drm_gpupt_fmt {
	/** @name: for debugfs and messages */
	const char *name;

	/** @level: the levels; [0] is the lowest */
	struct drm_gpupt_level level[DRM_GPUPT_MAX_LEVELS];

	/** @levels: how many */
	u8 levels;

	/** @entry_size: bytes of an entry */
	u8 entry_size;

	/**
	 * @addr_bits: bits of an address that an entry holds, of memory or of a
	 * table. What is longer is refused: a driver tells the DMA API, by its mask
	 */
	u8 addr_bits;

	/**
	 * @tail: the end of a range need not be a whole leaf: the last one leads
	 * to a page that is mapped in part
	 */
	bool tail;

	/** @prot: those of DRM_GPUPT_* that leaves can say */
	u32 prot;

	/**
	 * @fill: write leaves
	 *
	 * Most formats call drm_gpupt_fill_leaves() from here, which makes a loop
	 * of its own for each format.
	 */
	void (*fill)(struct drm_gpupt_fill *fill);

	/**
	 * @link: write the address of a table of the level below
	 *
	 * In one store, as the device may be reading.
	 */
	void (*link)(void *entry, dma_addr_t table);

	/**
	 * @clear: make @count entries empty
	 *
	 * Each in one store.
	 */
	void (*clear)(void *entry, unsigned int count);

	/**
	 * @read: what an entry says
	 *
	 * Fills in the address of a table or a leaf, of a leaf also its
	 * permissions and length. Must stand any bytes, and ignore what a device
	 * sets. The engine asks for leaves only.
	 */
	enum drm_gpupt_entry (*read)(const void *entry, unsigned int level,
				     struct drm_gpupt_run *run);
};

/* The formats that come with the layer. */
extern const struct drm_gpupt_fmt drm_gpupt_x86_64;
extern const struct drm_gpupt_fmt drm_gpupt_radix3;

/* drm_gpupt_commit.c */
bool drm_gpupt_fill_next(struct drm_gpupt_fill *fill);

/* Writes one leaf, in one store. */
typedef void (*drm_gpupt_put_fn)(void *entry, dma_addr_t addr, u64 bits);

/*
 * Entries of the table that are one leaf each, as of memory in scattered pages:
 * a dozen instructions a leaf, where a call would take more. Stops at the first
 * entry of another length, which is in @seg then.
 */
static __always_inline void *
__drm_gpupt_fill_singles(struct drm_gpupt_fill *fill, void *entry, void *end,
			 size_t size, drm_gpupt_put_fn put, u64 bits, bool phys)
{
	const unsigned int step = 1u << fill->shift;
	struct scatterlist *sg = fill->iter.sg;

	do {
		dma_addr_t addr;
		unsigned int len;

		/* As much was prepared as there is: no look for the end. */
		sg++;
		if (unlikely(sg_is_chain(sg))) {
			sg = sg_chain_ptr(sg);
			/* A branch, not a conditional move that each load waits for. */
			OPTIMIZER_HIDE_VAR(sg);
		}
		addr = phys ? sg_phys(sg) : sg_dma_address(sg);
		len = phys ? sg->length : sg_dma_len(sg);
		if (unlikely(len != step)) {
			fill->seg.addr = addr;
			fill->seg.len = len;
			break;
		}
		put(entry, addr, bits);
		entry += size;
	} while (entry != end);

	fill->iter.sg = sg;
	return entry;
}

/* Leaves whose addresses follow each other. */
static __always_inline void *
__drm_gpupt_fill_run(void *entry, u64 count, size_t size, drm_gpupt_put_fn put,
		     dma_addr_t addr, u64 step, u64 bits)
{
	unsigned int i;

	/* No address waits for the one before it. */
	for (; count >= 8; count -= 8) {
#pragma GCC unroll 8
		for (i = 0; i < 8; i++)
			put(entry + i * size, addr + i * step, bits);
		entry += 8 * size;
		addr += 8 * step;
	}
	for (; count; count--) {
		put(entry, addr, bits);
		entry += size;
		addr += step;
	}
	return entry;
}

/**
 * drm_gpupt_fill_leaves() - the loop of &drm_gpupt_fmt.fill
 * @fill: what to write
 * @size: bytes of an entry; a constant
 * @put: writes one leaf; a function that is inlined
 * @bits: for @put: what all leaves have in common
 *
 * Segments that are longer than a leaf become runs of leaves.
 */
static __always_inline void
drm_gpupt_fill_leaves(struct drm_gpupt_fill *fill, size_t size, drm_gpupt_put_fn put,
		      u64 bits)
{
	const u64 step = BIT_ULL(fill->shift);
	void *entry = fill->entry;
	void *end = entry + fill->count * size;

	while (entry != end) {
		struct drm_dma_seg *seg = &fill->seg;
		u64 count;

		if (!seg->len) {
			if (fill->merge) {
				if (!drm_gpupt_fill_next(fill))
					return;
			} else if (fill->iter.phys) {
				entry = __drm_gpupt_fill_singles(fill, entry, end, size,
								 put, bits, true);
			} else {
				entry = __drm_gpupt_fill_singles(fill, entry, end, size,
								 put, bits, false);
			}
			continue;
		}

		/* The last page of a range may be there in part. */
		count = max(seg->len >> fill->shift, 1);
		count = min(count, (end - entry) / size);
		entry = __drm_gpupt_fill_run(entry, count, size, put, seg->addr, step, bits);
		seg->addr += count << fill->shift;
		seg->len -= min(seg->len, count << fill->shift);
	}
}

/**
 * drm_gpupt_clear_le64() - &drm_gpupt_fmt.clear for entries of 8 bytes
 * @entry: the first one
 * @count: how many
 */
static inline void drm_gpupt_clear_le64(void *entry, unsigned int count)
{
	__le64 *le = entry;

	/* Below that, what it takes to start a string instruction is more. */
	if (count >= 16) {
		memset64(entry, 0, count);
		return;
	}
	while (count--)
		WRITE_ONCE(*le++, 0);
}

#endif /* __DRM_GPUPT_FMT_H__ */
