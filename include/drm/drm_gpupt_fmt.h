/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GPUPT_FMT_H__
#define __DRM_GPUPT_FMT_H__

#include <linux/bits.h>
#include <linux/string.h>
#include <linux/types.h>

#include <drm/drm_gpupt.h>

/**
 * enum drm_gpupt_entry - the kind of an entry
 */
enum drm_gpupt_entry {
	/** @DRM_GPUPT_ENTRY_NONE: empty; zeroed memory must mean this */
	DRM_GPUPT_ENTRY_NONE,
	/** @DRM_GPUPT_ENTRY_TABLE: points to a table of the level below */
	DRM_GPUPT_ENTRY_TABLE,
	/** @DRM_GPUPT_ENTRY_LEAF: maps memory */
	DRM_GPUPT_ENTRY_LEAF,
};

/**
 * struct drm_gpupt_level - the tables of one level
 */
struct drm_gpupt_level {
	/** @shift: one entry covers 1 << @shift bytes of GPU VA */
	u8 shift;
	/** @bits: a table has 1 << @bits entries, which fit into a CPU page */
	u8 bits;
	/**
	 * @leaf: an entry can be a leaf. Must be true of level 0, and can be true of a
	 * level only if it is true of the level below: a leaf is split into those
	 */
	bool leaf;
};

/**
 * struct drm_gpupt_fill - leaves that a format has to write
 *
 * Adjacent entries of one table. The addresses are in an array, or contiguous.
 */
struct drm_gpupt_fill {
	/** @entry: the first entry */
	void *entry;
	/** @count: number of leaves, at least one */
	unsigned int count;
	/** @level: level of the table */
	unsigned int level;
	/** @shift: log2 of the bytes that a leaf covers */
	unsigned int shift;
	/** @prot: DRM_GPUPT_*, a subset of &drm_gpupt_fmt.prot */
	u32 prot;
	/** @addrs: the address of each leaf; NULL if the addresses are contiguous */
	const dma_addr_t *addrs;
	/** @addr: the address of the first leaf, if @addrs is NULL */
	dma_addr_t addr;
};

/**
 * struct drm_gpupt_fmt - a format of page tables
 *
 * Describes to the engine how the device reads the tables. Constant. The callbacks
 * access entries in CPU memory. They run in the fence-signalling path, and must not
 * allocate or take a lock.
 *
 * Zeroed memory must be an empty table.
 */
struct drm_gpupt_fmt {
	/** @name: for debugfs and messages */
	const char *name;

	/** @level: the levels; [0] is the lowest */
	struct drm_gpupt_level level[DRM_GPUPT_MAX_LEVELS];

	/** @levels: number of levels */
	u8 levels;

	/** @entry_size: bytes of an entry */
	u8 entry_size;

	/**
	 * @addr_bits: bits of an address that an entry holds, of memory or of a
	 * table. Longer addresses are refused: the driver sets a DMA mask that
	 * avoids them
	 */
	u8 addr_bits;

	/**
	 * @partial_last_leaf: the length of a range need not be a multiple of the
	 * smallest leaf; the range then has only the first bytes of its last leaf
	 */
	bool partial_last_leaf;

	/** @prot: the DRM_GPUPT_* flags that a leaf can hold */
	u32 prot;

	/**
	 * @fill: write leaves
	 *
	 * Most formats call drm_gpupt_fill_leaves() here. It is inlined, so that
	 * each format has a loop of its own.
	 */
	void (*fill)(const struct drm_gpupt_fill *fill);

	/**
	 * @link: point an entry to a table of the level below
	 *
	 * With one store, as the device may read the entry at the same time.
	 */
	void (*link)(void *entry, dma_addr_t table);

	/**
	 * @clear: make @count entries empty
	 *
	 * With one store for each, as for @link.
	 */
	void (*clear)(void *entry, unsigned int count);

	/**
	 * @read: decode an entry
	 *
	 * Sets the address of the extent, and for a leaf also its length and
	 * permissions. Must cope with any content, and ignore the bits that a
	 * device sets. The engine knows which entries point to a table, and calls
	 * this only for the others.
	 */
	enum drm_gpupt_entry (*read)(const void *entry, unsigned int level,
				     struct drm_gpupt_extent *extent);
};

/* The formats that come with the layer. */
extern const struct drm_gpupt_fmt drm_gpupt_x86_64;
extern const struct drm_gpupt_fmt drm_gpupt_radix3;
extern const struct drm_gpupt_fmt drm_gpupt_vtd2;

/* Writes one leaf, with one store. */
typedef void (*drm_gpupt_put_fn)(void *entry, dma_addr_t addr, u64 bits);

/* @listed is constant, so that an array and contiguous addresses have a loop each. */
static __always_inline void
__drm_gpupt_fill_leaves(const struct drm_gpupt_fill *fill, size_t size,
			drm_gpupt_put_fn put, u64 bits, bool listed)
{
	const u64 step = BIT_ULL(fill->shift);
	const dma_addr_t *addrs = fill->addrs;
	unsigned int count = fill->count, i;
	dma_addr_t addr = fill->addr;
	void *entry = fill->entry;

	/* No address is computed from the one before it, so the CPU can overlap them. */
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
 * @put: writes one leaf; must be an inline function
 * @bits: for @put: the bits that are the same in all leaves
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
 * @entry: the first entry
 * @count: number of entries
 */
static inline void drm_gpupt_clear_le64(void *entry, unsigned int count)
{
	__le64 *le = entry;

	/* For fewer, starting a string instruction costs more than it saves. */
	if (count >= 16) {
		memset64(entry, 0, count);
		return;
	}
	while (count--)
		WRITE_ONCE(*le++, 0);
}

#endif /* __DRM_GPUPT_FMT_H__ */
