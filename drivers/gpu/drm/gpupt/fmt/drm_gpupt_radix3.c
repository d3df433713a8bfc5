// SPDX-License-Identifier: GPL-2.0

#include <asm/byteorder.h>
#include <linux/export.h>

#include <drm/drm_gpupt_fmt.h>

/**
 * DOC: format radix3
 *
 * The boot loader of NVIDIA's GSP finds the memory of its firmware through these
 * tables: three levels of 4 KiB tables, whose entries are little-endian DMA addresses
 * of 8 bytes, without flags. See nvkm_gsp_radix3_sg() in
 * drivers/gpu/drm/nouveau/nvkm/subdev/gsp/r535.c.
 *
 * The firmware begins at VA 0. The root has one entry for each GiB, and the limit is
 * 512 GiB. The last page can be partial.
 *
 * An entry of 0 is empty, so address 0 cannot be mapped in this format. Neither the DMA
 * API nor the page allocator gives it to a driver.
 */

static __always_inline void radix3_put(void *entry, dma_addr_t addr, u64 bits)
{
	WRITE_ONCE(*(__le64 *)entry, cpu_to_le64(addr));
}

static void radix3_fill(const struct drm_gpupt_fill *fill)
{
	drm_gpupt_fill_leaves(fill, sizeof(__le64), radix3_put, 0);
}

static void radix3_link(void *entry, dma_addr_t table)
{
	radix3_put(entry, table, 0);
}

static enum drm_gpupt_entry radix3_read(const void *entry, unsigned int level,
					struct drm_gpupt_extent *extent)
{
	extent->seg.addr = le64_to_cpu(READ_ONCE(*(const __le64 *)entry));
	if (!extent->seg.addr)
		return DRM_GPUPT_ENTRY_NONE;
	if (level)
		return DRM_GPUPT_ENTRY_TABLE;

	extent->seg.len = BIT_ULL(drm_gpupt_radix3.level[0].shift);
	extent->prot = 0;
	return DRM_GPUPT_ENTRY_LEAF;
}

const struct drm_gpupt_fmt drm_gpupt_radix3 = {
	.name = "radix3",
	.level = {
		{ .shift = 12, .bits = 9, .leaf = true },
		{ .shift = 21, .bits = 9 },
		{ .shift = 30, .bits = 9 },
	},
	.levels = 3,
	.entry_size = sizeof(__le64),
	.addr_bits = 64,
	.partial_last_leaf = true,
	.fill = radix3_fill,
	.link = radix3_link,
	.clear = drm_gpupt_clear_le64,
	.read = radix3_read,
};
EXPORT_SYMBOL_GPL(drm_gpupt_radix3);
