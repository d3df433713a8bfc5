// SPDX-License-Identifier: GPL-2.0

#include <linux/sizes.h>

#include "drm_gpupt_kunit_bits.h"

/*
 * For formats with four levels of 512 entries of 8 bytes, and addresses in bits 51:12.
 */

/* Bits 47:39, 38:30, 29:21, 20:12 of an address. */
static unsigned int bits_index(u64 va, unsigned int level)
{
	return (va >> (12 + 9 * level)) % 512;
}

/* The entry for @va in the table of @level. Those above have @bits besides the address. */
u64 drm_gpupt_kunit_entry(struct drm_gpupt_kunit *ctx, u64 va, unsigned int level, u64 bits)
{
	const __le64 *table = ctx->root;
	unsigned int i;

	for (i = 3; i > level; i--) {
		u64 entry = le64_to_cpu(table[bits_index(va, i)]);

		KUNIT_ASSERT_EQ_MSG(ctx->test, entry & ~GENMASK_ULL(51, 12), bits,
				    "level %u at %#llx", i, va);
		table = drm_gpupt_kunit_memory(entry & GENMASK_ULL(51, 12));
		KUNIT_ASSERT_NOT_NULL(ctx->test, table);
	}
	return le64_to_cpu(table[bits_index(va, level)]);
}

/*
 * The kind of leaf of the case, and the tables above it, bit by bit; all other entries are
 * empty. @bits: as in drm_gpupt_kunit_entry()
 */
void drm_gpupt_kunit_check_leaf(struct kunit *test, const struct drm_gpupt_fmt *fmt, u64 bits)
{
	const struct drm_gpupt_kunit_leaf *leaf = test->param_value;
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	const unsigned int level = leaf->level;
	const u64 size = SZ_4K << (9 * level);
	/* The highest address that fits, and a VA with another index on each level. */
	const u64 addr = BIT_ULL(52) - 2 * size;
	const u64 va = 0x123456789000ull & ~(size - 1);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, addr, 2 * size);

	drm_gpupt_kunit_look_at(ctx, va, min(size, SZ_2M), 2 * size / min(size, SZ_2M));
	drm_gpupt_kunit_map_now(ctx, va, 2 * size, mem, 0, leaf->prot);
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_entry(ctx, va, level, bits), addr | leaf->bits);
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_entry(ctx, va + size, level, bits),
			(addr + size) | leaf->bits);
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_entry(ctx, va + 2 * size, level, bits), 0);
	drm_gpupt_kunit_unmap_now(ctx, va, size);
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_entry(ctx, va, level, bits), 0);
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_entry(ctx, va + size, level, bits),
			(addr + size) | leaf->bits);
}
