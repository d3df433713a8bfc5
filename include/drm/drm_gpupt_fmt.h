/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GPUPT_FMT_H__
#define __DRM_GPUPT_FMT_H__

#include <linux/bits.h>
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
 * One after the other into one table. Their addresses are in a list, or follow each
 * other.
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
	/** @addrs: the address of each leaf; NULL if they follow each other */
	const dma_addr_t *addrs;
	/** @addr: the address of the first leaf, without @addrs */
	dma_addr_t addr;
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
	 * @partial_last_leaf: a range may end inside a leaf; the last one then maps
	 * a page of which the range has only the first bytes
	 */
	bool partial_last_leaf;

	/** @prot: those of DRM_GPUPT_* that leaves can say */
	u32 prot;

	/**
	 * @fill: write leaves
	 *
	 * Most formats call drm_gpupt_fill_leaves() from here, which makes a loop
	 * of its own for each format.
	 */
	void (*fill)(const struct drm_gpupt_fill *fill);

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
				     struct drm_gpupt_extent *extent);
};

/* The formats that come with the layer. */
extern const struct drm_gpupt_fmt drm_gpupt_x86_64;
extern const struct drm_gpupt_fmt drm_gpupt_radix3;

/* Writes one leaf, in one store. */
typedef void (*drm_gpupt_put_fn)(void *entry, dma_addr_t addr, u64 bits);

/* @listed: a constant, so that there is one loop for each kind of addresses. */
static __always_inline void
__drm_gpupt_fill_leaves(const struct drm_gpupt_fill *fill, size_t size,
			drm_gpupt_put_fn put, u64 bits, bool listed)
{
	const u64 step = BIT_ULL(fill->shift);
	const dma_addr_t *addrs = fill->addrs;
	unsigned int count = fill->count, i;
	dma_addr_t addr = fill->addr;
	void *entry = fill->entry;

	/* No address waits for the one before it. */
	for (; count >= 8; count -= 8) {
#pragma GCC unroll 8
		for (i = 0; i < 8; i++)
			put(entry + i * size, listed ? addrs[i] : addr + i * step, bits);
		entry += 8 * size;
		if (listed)
			addrs += 8;
		else
			addr += 8 * step;
	}
	for (i = 0; i < count; i++)
		put(entry + i * size, listed ? addrs[i] : addr + i * step, bits);
}

/**
 * drm_gpupt_fill_leaves() - the loop of &drm_gpupt_fmt.fill
 * @fill: what to write
 * @size: bytes of an entry; a constant
 * @put: writes one leaf; a function that is inlined
 * @bits: for @put: what all leaves have in common
 */
static __always_inline void
drm_gpupt_fill_leaves(const struct drm_gpupt_fill *fill, size_t size,
		      drm_gpupt_put_fn put, u64 bits)
{
	if (fill->addrs)
		__drm_gpupt_fill_leaves(fill, size, put, bits, true);
	else
		__drm_gpupt_fill_leaves(fill, size, put, bits, false);
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
