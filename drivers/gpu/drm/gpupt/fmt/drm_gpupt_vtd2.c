// SPDX-License-Identifier: GPL-2.0

#include <asm/byteorder.h>
#include <linux/bits.h>
#include <linux/export.h>

#include <drm/drm_gpupt_fmt.h>

/**
 * DOC: format vtd2
 *
 * The second-level page tables of Intel's IOMMU, VT-d, with four levels. See Intel
 * Virtualization Technology for Directed I/O, section 3.7 "Second-Level Translation" and
 * section 9.8 "Second-Level Paging Entries"; later revisions say "second-stage". The
 * leaves are 4 KiB, 2 MiB and 1 GiB large. A unit has 2 MiB and 1 GiB if its capability
 * register says so, in SLLPS.
 *
 * There is no present bit: an entry without R and W is empty. The accessed and dirty
 * bits are left clear, as a unit sets them only if the driver enables that.
 */

#define VTD2_R		BIT_ULL(0)	/* reads are allowed */
#define VTD2_W		BIT_ULL(1)	/* writes are allowed */
#define VTD2_PS		BIT_ULL(7)	/* levels 1 and 2: a leaf */
#define VTD2_ADDR	GENMASK_ULL(51, 12)

static __always_inline void vtd2_put(void *entry, dma_addr_t addr, u64 bits)
{
	WRITE_ONCE(*(__le64 *)entry, cpu_to_le64(addr + bits));
}

static void vtd2_fill(const struct drm_gpupt_fill *fill)
{
	u64 bits = VTD2_R;

	if (fill->prot & DRM_GPUPT_WRITE)
		bits |= VTD2_W;
	if (fill->level)
		bits |= VTD2_PS;
	drm_gpupt_fill_leaves(fill, sizeof(__le64), vtd2_put, bits);
}

/* An access needs its bit on each level: the tables allow both, and the leaf decides. */
static void vtd2_link(void *entry, dma_addr_t table)
{
	vtd2_put(entry, table, VTD2_R | VTD2_W);
}

static enum drm_gpupt_entry vtd2_read(const void *entry, unsigned int level,
				      struct drm_gpupt_extent *extent)
{
	u64 bits = le64_to_cpu(READ_ONCE(*(const __le64 *)entry));

	if (!(bits & (VTD2_R | VTD2_W)))
		return DRM_GPUPT_ENTRY_NONE;

	extent->seg.addr = bits & VTD2_ADDR;
	if (level && !(bits & VTD2_PS))
		return DRM_GPUPT_ENTRY_TABLE;

	extent->seg.len = BIT_ULL(drm_gpupt_vtd2.level[level].shift);
	extent->prot = bits & VTD2_W ? DRM_GPUPT_WRITE : 0;
	return DRM_GPUPT_ENTRY_LEAF;
}

const struct drm_gpupt_fmt drm_gpupt_vtd2 = {
	.name = "vtd2",
	.level = {
		{ .shift = 12, .bits = 9, .leaf = true },
		{ .shift = 21, .bits = 9, .leaf = true },
		{ .shift = 30, .bits = 9, .leaf = true },
		{ .shift = 39, .bits = 9 },
	},
	.levels = 4,
	.entry_size = sizeof(__le64),
	.addr_bits = 52,
	.prot = DRM_GPUPT_WRITE,
	.fill = vtd2_fill,
	.link = vtd2_link,
	.clear = drm_gpupt_clear_le64,
	.read = vtd2_read,
};
EXPORT_SYMBOL_GPL(drm_gpupt_vtd2);
