// SPDX-License-Identifier: GPL-2.0

#include <linux/bits.h>
#include <linux/export.h>

#include <drm/drm_gpupt_fmt.h>

/**
 * DOC: format x86_64
 *
 * The 4-level page tables of x86-64, which many IOMMUs and some GPUs read, too. See
 * Intel 64 and IA-32 Architectures Software Developer's Manual, volume 3A,
 * section 4.5.4 "Linear-Address Translation with 4-Level Paging and 5-Level
 * Paging", tables 4-15 to 4-20. The leaves are 4 KiB, 2 MiB and 1 GiB large.
 *
 * The accessed and dirty bits (section 4.8) are set in advance, so that no device has
 * to write to a table to set them.
 */

#define X86_64_P	BIT_ULL(0)	/* present */
#define X86_64_RW	BIT_ULL(1)	/* writes are allowed */
#define X86_64_US	BIT_ULL(2)	/* user-mode accesses are allowed */
#define X86_64_PCD	BIT_ULL(4)	/* cache disable */
#define X86_64_A	BIT_ULL(5)	/* accessed */
#define X86_64_D	BIT_ULL(6)	/* dirty */
#define X86_64_PS	BIT_ULL(7)	/* levels 1 and 2: a leaf */
#define X86_64_ADDR	GENMASK_ULL(51, 12)

/* No bit is in both. In an unrolled loop, + takes one instruction less than |. */
static __always_inline void x86_64_put(void *entry, dma_addr_t addr, u64 bits)
{
	WRITE_ONCE(*(u64 *)entry, addr + bits);
}

static void x86_64_fill(const struct drm_gpupt_fill *fill)
{
	u64 bits = X86_64_P | X86_64_US | X86_64_A | X86_64_D;

	if (fill->prot & DRM_GPUPT_WRITE)
		bits |= X86_64_RW;
	if (fill->prot & DRM_GPUPT_UNCACHED)
		bits |= X86_64_PCD;
	if (fill->level)
		bits |= X86_64_PS;
	drm_gpupt_fill_leaves(fill, sizeof(u64), x86_64_put, bits);
}

/* The leaf alone decides the permissions: all tables above allow everything. */
static void x86_64_link(void *entry, dma_addr_t table)
{
	x86_64_put(entry, table, X86_64_P | X86_64_RW | X86_64_US | X86_64_A);
}

static enum drm_gpupt_entry x86_64_read(const void *entry, unsigned int level,
					struct drm_gpupt_extent *extent)
{
	u64 bits = READ_ONCE(*(const u64 *)entry);

	if (!(bits & X86_64_P))
		return DRM_GPUPT_ENTRY_NONE;

	extent->seg.addr = bits & X86_64_ADDR;
	if (level && !(bits & X86_64_PS))
		return DRM_GPUPT_ENTRY_TABLE;

	extent->seg.len = BIT_ULL(drm_gpupt_x86_64.level[level].shift);
	extent->prot = (bits & X86_64_RW ? DRM_GPUPT_WRITE : 0) |
		    (bits & X86_64_PCD ? DRM_GPUPT_UNCACHED : 0);
	return DRM_GPUPT_ENTRY_LEAF;
}

const struct drm_gpupt_fmt drm_gpupt_x86_64 = {
	.name = "x86_64",
	.level = {
		{ .shift = 12, .bits = 9, .leaf = true },
		{ .shift = 21, .bits = 9, .leaf = true },
		{ .shift = 30, .bits = 9, .leaf = true },
		{ .shift = 39, .bits = 9 },
	},
	.levels = 4,
	.entry_size = sizeof(u64),
	.addr_bits = 52,
	.prot = DRM_GPUPT_WRITE | DRM_GPUPT_UNCACHED,
	.fill = x86_64_fill,
	.link = x86_64_link,
	.clear = drm_gpupt_clear_le64,
	.read = x86_64_read,
};
EXPORT_SYMBOL_GPL(drm_gpupt_x86_64);
