// SPDX-License-Identifier: GPL-2.0

#include <linux/bitfield.h>
#include <linux/sizes.h>

#include "drm_gpupt_kunit_toy.h"

/* The toy format: the kind of an entry, and its address in units of 4K. */
#define TOY_KIND		GENMASK(1, 0)
#define   TOY_KIND_TABLE	1
#define   TOY_KIND_LEAF		2
#define   TOY_KIND_LEAF_WRITE	3
#define TOY_FRAME		GENMASK(31, 2)
#define TOY_FRAME_SHIFT		12

static __always_inline void toy_put(void *entry, dma_addr_t addr, u64 kind)
{
	WRITE_ONCE(*(u32 *)entry, FIELD_PREP(TOY_FRAME, addr >> TOY_FRAME_SHIFT) | kind);
}

static void toy_fill(const struct drm_gpupt_fill *fill)
{
	drm_gpupt_fill_leaves(fill, sizeof(u32), toy_put,
			      fill->prot & DRM_GPUPT_WRITE ? TOY_KIND_LEAF_WRITE : TOY_KIND_LEAF);
}

static void toy_link(void *entry, dma_addr_t table)
{
	toy_put(entry, table, TOY_KIND_TABLE);
}

static void toy_clear(void *entry, unsigned int count)
{
	u32 *p = entry;

	while (count--)
		WRITE_ONCE(*p++, 0);
}

static enum drm_gpupt_entry toy_read(const void *entry, unsigned int level,
				     struct drm_gpupt_extent *extent)
{
	u32 value = READ_ONCE(*(const u32 *)entry);

	extent->seg.addr = (dma_addr_t)FIELD_GET(TOY_FRAME, value) << TOY_FRAME_SHIFT;
	switch (FIELD_GET(TOY_KIND, value)) {
	case TOY_KIND_TABLE:
		return DRM_GPUPT_ENTRY_TABLE;
	case TOY_KIND_LEAF:
	case TOY_KIND_LEAF_WRITE:
		extent->seg.len = BIT_ULL(drm_gpupt_kunit_toy.level[level].shift);
		extent->prot = FIELD_GET(TOY_KIND, value) == TOY_KIND_LEAF_WRITE ?
			       DRM_GPUPT_WRITE : 0;
		return DRM_GPUPT_ENTRY_LEAF;
	default:
		return DRM_GPUPT_ENTRY_NONE;
	}
}

const struct drm_gpupt_fmt drm_gpupt_kunit_toy = {
	.name = "toy",
	.level = {
		{ .shift = 14, .bits = 5, .leaf = true },
		{ .shift = 19, .bits = 2, .leaf = true },
		{ .shift = 21, .bits = 3 },
	},
	.levels = 3,
	.entry_size = sizeof(u32),
	.addr_bits = 42,
	.prot = DRM_GPUPT_WRITE,
	.fill = toy_fill,
	.link = toy_link,
	.clear = toy_clear,
	.read = toy_read,
};

/* The other two formats: an address, and flags in the bits below the page size. */
#define BE_VALID	BIT_ULL(0)
#define BE_LEAF		BIT_ULL(1)
#define BE_ADDR		GENMASK_ULL(51, 12)

static __always_inline void be_put(void *entry, dma_addr_t addr, u64 bits)
{
	WRITE_ONCE(*(__be64 *)entry, cpu_to_be64((addr & BE_ADDR) | bits));
}

static void be_fill(const struct drm_gpupt_fill *fill)
{
	drm_gpupt_fill_leaves(fill, sizeof(u64), be_put, BE_VALID | BE_LEAF);
}

static void be_link(void *entry, dma_addr_t table)
{
	be_put(entry, table, BE_VALID);
}

static void be_clear(void *entry, unsigned int count)
{
	__be64 *p = entry;

	while (count--)
		WRITE_ONCE(*p++, 0);
}

static enum drm_gpupt_entry be_read(const void *entry, const struct drm_gpupt_level *level,
				    struct drm_gpupt_extent *extent)
{
	u64 value = be64_to_cpu(READ_ONCE(*(const __be64 *)entry));

	if (!(value & BE_VALID))
		return DRM_GPUPT_ENTRY_NONE;

	extent->seg.addr = value & BE_ADDR;
	if (!(value & BE_LEAF))
		return DRM_GPUPT_ENTRY_TABLE;

	extent->seg.len = BIT_ULL(level->shift);
	extent->prot = 0;
	return DRM_GPUPT_ENTRY_LEAF;
}

static enum drm_gpupt_entry odd_read(const void *entry, unsigned int level,
				     struct drm_gpupt_extent *extent)
{
	return be_read(entry, &drm_gpupt_kunit_odd.level[level], extent);
}

const struct drm_gpupt_fmt drm_gpupt_kunit_odd = {
	.name = "odd",
	.level = {
		{ .shift = 12, .bits = 2, .leaf = true },
		{ .shift = 14, .bits = 1, .leaf = true },
		{ .shift = 15, .bits = 1, .leaf = true },
		{ .shift = 16, .bits = 3 },
	},
	.levels = 4,
	.entry_size = sizeof(u64),
	.addr_bits = 52,
	.fill = be_fill,
	.link = be_link,
	.clear = be_clear,
	.read = odd_read,
};

static enum drm_gpupt_entry tiny_read(const void *entry, unsigned int level,
				      struct drm_gpupt_extent *extent)
{
	return be_read(entry, &drm_gpupt_kunit_tiny.level[level], extent);
}

const struct drm_gpupt_fmt drm_gpupt_kunit_tiny = {
	.name = "tiny",
	.level = {
		{ .shift = 12, .bits = 1, .leaf = true },
		{ .shift = 13, .bits = 1, .leaf = true },
		{ .shift = 14, .bits = 2, .leaf = true },
	},
	.levels = 3,
	.entry_size = sizeof(u64),
	.addr_bits = 52,
	.fill = be_fill,
	.link = be_link,
	.clear = be_clear,
	.read = tiny_read,
};
