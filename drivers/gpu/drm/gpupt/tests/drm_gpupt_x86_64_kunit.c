// SPDX-License-Identifier: GPL-2.0

#include <linux/io-pgtable.h>
#include <linux/seqlock.h>
#include <linux/sizes.h>

#include "drm_gpupt_kunit_bits.h"

/*
 * The bits of x86-64 page tables, as in the Intel 64 and IA-32 Architectures
 * Software Developer's Manual, volume 3A, section 4.5 "4-Level Paging and 5-Level
 * Paging": table 4-15 for an entry of a PML4, 4-16 and 4-17 of a page-directory-
 * pointer table, 4-18 and 4-19 of a page directory, 4-20 of a page table. They are
 * plain numbers here, so that the tests find an error in the macros of the format.
 */

/* P, R/W, U/S, A: 4-15, 4-17, 4-19 */
#define X86_TABLE		0x27ull
/* P, U/S, A, D: 4-20 */
#define X86_PAGE		0x65ull
/* P, U/S, A, D, PS: 4-16, 4-18 */
#define X86_LARGE		0xe5ull
#define X86_WRITE		0x02ull
#define X86_CACHE_DISABLE	0x10ull

static u64 x86_entry(struct drm_gpupt_kunit *ctx, u64 va, unsigned int level)
{
	return drm_gpupt_kunit_entry(ctx, va, level, X86_TABLE);
}

static const struct drm_gpupt_kunit_leaf x86_leaves[] = {
	{ "4K", 0, 0, X86_PAGE },
	{ "4K, writable", 0, DRM_GPUPT_WRITE, X86_PAGE | X86_WRITE },
	{ "4K, uncached", 0, DRM_GPUPT_UNCACHED, X86_PAGE | X86_CACHE_DISABLE },
	{ "4K, both", 0, DRM_GPUPT_WRITE | DRM_GPUPT_UNCACHED,
	  X86_PAGE | X86_WRITE | X86_CACHE_DISABLE },
	{ "2M", 1, 0, X86_LARGE },
	{ "2M, writable", 1, DRM_GPUPT_WRITE, X86_LARGE | X86_WRITE },
	{ "2M, both", 1, DRM_GPUPT_WRITE | DRM_GPUPT_UNCACHED,
	  X86_LARGE | X86_WRITE | X86_CACHE_DISABLE },
	{ "1G", 2, 0, X86_LARGE },
	{ "1G, writable", 2, DRM_GPUPT_WRITE, X86_LARGE | X86_WRITE },
	{ "1G, uncached", 2, DRM_GPUPT_UNCACHED, X86_LARGE | X86_CACHE_DISABLE },
};

KUNIT_ARRAY_PARAM(x86_leaf, x86_leaves, drm_gpupt_kunit_leaf_desc);

static void x86_64_has_the_bits_of_the_manual(struct kunit *test)
{
	drm_gpupt_kunit_check_leaf(test, &drm_gpupt_x86_64, X86_TABLE);
}

/* An unmap of a page in 1G leaves 511 leaves of 2M, and 511 of 4K. */
static void x86_64_cuts_a_page_out_of_1g(struct kunit *test)
{
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, &drm_gpupt_x86_64);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, 3ull * SZ_1G, SZ_1G);
	const u64 va = 5ull * SZ_1G, hole = SZ_512M + SZ_4M + 7 * SZ_4K;
	const u64 bits = X86_WRITE | X86_CACHE_DISABLE;
	struct drm_gpupt_info info;
	struct drm_gpupt_op op = {};
	u64 at;

	drm_gpupt_kunit_look_at(ctx, va, SZ_2M, 512);
	drm_gpupt_kunit_map_now(ctx, va, SZ_1G, mem, 0, DRM_GPUPT_WRITE | DRM_GPUPT_UNCACHED);
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_unmap(ctx->pt, &op, va + hole, SZ_4K));
	KUNIT_EXPECT_EQ(test, drm_gpupt_op_tables(&op), 2);
	drm_gpupt_commit(&op);
	drm_gpupt_op_fini(&op);

	info = drm_gpupt_kunit_info(ctx);
	KUNIT_EXPECT_EQ(test, info.leaves[0], 511);
	KUNIT_EXPECT_EQ(test, info.leaves[1], 511);
	KUNIT_EXPECT_EQ(test, info.leaves[2], 0);
	for (at = 0; at < SZ_1G; at += SZ_2M)
		if (at != SZ_512M + SZ_4M)
			KUNIT_EXPECT_EQ(test, x86_entry(ctx, va + at, 1),
					(3ull * SZ_1G + at) | X86_LARGE | bits);
	for (at = SZ_512M + SZ_4M; at < SZ_512M + SZ_4M + SZ_2M; at += SZ_4K)
		KUNIT_EXPECT_EQ(test, x86_entry(ctx, va + at, 0),
				at == hole ? 0 : (3ull * SZ_1G + at) | X86_PAGE | bits);
}

/* No table more than the range and the size of its leaves need; segments of 2G merge. */
static void x86_64_takes_the_tables_that_are_needed(struct kunit *test)
{
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, &drm_gpupt_x86_64);
	const struct drm_gpupt_kunit_mem *small = drm_gpupt_kunit_block(test, SZ_4K, 256 * SZ_4K);
	const struct drm_gpupt_kunit_mem *large = drm_gpupt_kunit_block(test, SZ_2M,
									256ull * SZ_2M);
	const struct drm_gpupt_kunit_mem *huge = drm_gpupt_kunit_block(test, SZ_1G, 8ull * SZ_1G);
	const struct {
		u64 va;
		const struct drm_gpupt_kunit_mem *mem;
		unsigned int tables;
	} maps[] = {
		{ 0, small, 3 }, { SZ_2M - SZ_4K, small, 4 }, { SZ_1G - SZ_4K, small, 5 },
		{ SZ_512G - SZ_4K, small, 6 },
		{ 0, large, 2 }, { SZ_1G - SZ_2M, large, 3 }, { SZ_512G - SZ_2M, large, 4 },
		{ SZ_4K, large, 259 },
		{ 0, huge, 1 }, { SZ_512G - SZ_1G, huge, 2 }, { SZ_2M, huge, 10 },
	};
	struct drm_gpupt_op op = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(maps); i++) {
		const struct drm_gpupt_kunit_mem *mem = maps[i].mem;

		KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_map(ctx->pt, &op, maps[i].va, mem->size,
							       drm_gpupt_kunit_view(mem), 0, 0));
		KUNIT_EXPECT_EQ(test, drm_gpupt_op_tables(&op), maps[i].tables);
		KUNIT_ASSERT_EQ(test, 0, drm_gpupt_abort(&op));
	}
}

#if IS_ENABLED(CONFIG_AMD_IOMMU) && !IS_ENABLED(CONFIG_GENERIC_PT)

/*
 * The kernel's own code for this format is io-pgtable for the AMD IOMMU. It expects a
 * structure that is private to that driver; this is a copy from 6.12. Each range is
 * mapped only once, as a second map would call the driver.
 */
struct x86_amd_io_pgtable {
	seqcount_t seqcount;
	struct io_pgtable pgtbl;
	int mode;
	u64 *root;
	u64 *pgd;
};

#define X86_AMD_READ	BIT(0)
#define X86_AMD_WRITE	BIT(1)

static void x86_amd_free(void *data)
{
	struct x86_amd_io_pgtable *amd = data;

	free_io_pgtable_ops(&amd->pgtbl.ops);
}

static struct x86_amd_io_pgtable *x86_amd_create(struct kunit *test)
{
	struct x86_amd_io_pgtable *amd = kunit_kzalloc(test, sizeof(*amd), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, amd);
	amd->pgtbl.cfg.amd.nid = NUMA_NO_NODE;
	KUNIT_ASSERT_PTR_EQ(test, alloc_io_pgtable_ops(AMD_IOMMU_V2, &amd->pgtbl.cfg, NULL),
			    &amd->pgtbl.ops);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, x86_amd_free, amd));
	return amd;
}

/* The largest page that fits, as in iommu_map(). */
static u64 x86_amd_page_size(u64 va, u64 addr, u64 len)
{
	if (IS_ALIGNED(va | addr, SZ_1G) && len >= SZ_1G)
		return SZ_1G;
	return IS_ALIGNED(va | addr, SZ_2M) && len >= SZ_2M ? SZ_2M : SZ_4K;
}

static void x86_amd_map(struct kunit *test, struct x86_amd_io_pgtable *amd, u64 va,
			const struct drm_gpupt_kunit_mem *mem, u32 prot)
{
	struct io_pgtable_ops *ops = &amd->pgtbl.ops;
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	u64 size;

	KUNIT_ASSERT_EQ(test, 0, drm_dma_iter_init(&iter, drm_gpupt_kunit_view(mem), 0, mem->size));
	while (drm_dma_iter_next(&iter, &seg))
		for (; seg.len; va += size, seg.addr += size, seg.len -= size) {
			size_t mapped = 0;

			size = x86_amd_page_size(va, seg.addr, seg.len);
			KUNIT_ASSERT_EQ(test, 0,
					ops->map_pages(ops, va, seg.addr, size, 1,
						       X86_AMD_READ |
						       (prot & DRM_GPUPT_WRITE ? X86_AMD_WRITE : 0),
						       GFP_KERNEL, &mapped));
			KUNIT_ASSERT_EQ(test, mapped, size);
		}
}

/* Expect the same entries, apart from the addresses of tables. */
static void x86_amd_compare(struct kunit *test, const u64 *ours, const u64 *theirs,
			    unsigned int level)
{
	const u64 addr = GENMASK_ULL(51, 12), large = BIT_ULL(7);
	unsigned int i;

	for (i = 0; i < 512; i++) {
		bool is_table = level && theirs[i] && !(theirs[i] & large);
		u64 mask = is_table ? ~addr : U64_MAX;

		if ((ours[i] & mask) != (theirs[i] & mask))
			KUNIT_FAIL_AND_ABORT(test, "level %u, entry %u: %#llx, and not %#llx",
					     level, i, ours[i], theirs[i]);
		if (is_table)
			x86_amd_compare(test, drm_gpupt_kunit_memory(ours[i] & addr),
					phys_to_virt(theirs[i] & addr), level - 1);
	}
}

/* Random segments, aligned as their VA, to 4K, or contiguous with the one before. */
static struct drm_gpupt_kunit_mem *x86_amd_mem(struct kunit *test, struct rnd_state *rnd, u64 va)
{
	static const u64 unit[] = { SZ_4K, SZ_4K, SZ_2M, SZ_2M, SZ_1G };
	static const u64 phase[] = { 0, 0, SZ_4K, SZ_2M };
	struct drm_dma_seg seg[12];
	u64 addr = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(seg); i++) {
		u64 len = unit[drm_sgt_kunit_below(rnd, ARRAY_SIZE(unit))];

		seg[i].len = len * (1 + drm_sgt_kunit_below(rnd, len == SZ_1G ? 2 : 200));
		if (!i || drm_sgt_kunit_below(rnd, 3))
			addr = BIT_ULL(41) + (va % SZ_1G) + (u64)(i + 1) * 64 * SZ_1G +
			       phase[drm_sgt_kunit_below(rnd, ARRAY_SIZE(phase))];
		seg[i].addr = addr;
		addr += seg[i].len;
		va += seg[i].len;
	}
	return drm_gpupt_kunit_mem(test, seg, ARRAY_SIZE(seg));
}

/* For random memory, the tables have the same entries as those of io-pgtable. */
static void x86_64_is_what_io_pgtable_makes(struct kunit *test)
{
	const u64 va = *(const u64 *)test->param_value;
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, &drm_gpupt_x86_64);
	struct x86_amd_io_pgtable *amd = x86_amd_create(test);
	struct drm_gpupt_op op = {};
	struct drm_gpupt_kunit_mem *mem;
	struct rnd_state rnd;
	u32 prot;

	drm_sgt_kunit_seed(test, &rnd);
	mem = x86_amd_mem(test, &rnd, va);
	prot = drm_sgt_kunit_below(&rnd, 2) ? DRM_GPUPT_WRITE : 0;
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_map(ctx->pt, &op, va, mem->size,
						       drm_gpupt_kunit_view(mem), 0, prot));
	drm_gpupt_commit_map(&op, drm_gpupt_kunit_view(mem));
	drm_gpupt_op_fini(&op);
	x86_amd_map(test, amd, va, mem, prot);
	x86_amd_compare(test, ctx->root, amd->pgd, 3);
}

#else

static void x86_64_is_what_io_pgtable_makes(struct kunit *test)
{
	kunit_skip(test, "needs the io-pgtable of CONFIG_AMD_IOMMU");
}

#endif

/* Around the end of tables of each level. */
static const u64 x86_starts[] = {
	0, SZ_4K, SZ_2M - SZ_4K, SZ_1G - SZ_4K, SZ_1G, SZ_512G - SZ_1G - SZ_2M,
	SZ_512G - SZ_4K, BIT_ULL(47) - SZ_1G,
};

static void x86_start_desc(const u64 *va, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "at %#llx", *va);
}

KUNIT_ARRAY_PARAM(x86_start, x86_starts, x86_start_desc);

static struct kunit_case drm_gpupt_x86_64_cases[] = {
	KUNIT_CASE_PARAM(x86_64_has_the_bits_of_the_manual, x86_leaf_gen_params),
	KUNIT_CASE(x86_64_cuts_a_page_out_of_1g),
	KUNIT_CASE(x86_64_takes_the_tables_that_are_needed),
	KUNIT_CASE_PARAM(x86_64_is_what_io_pgtable_makes, x86_start_gen_params),
	{}
};

static struct kunit_suite drm_gpupt_x86_64_suite = {
	.name = "drm_gpupt_x86_64",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpupt_x86_64_cases,
};

kunit_test_suite(drm_gpupt_x86_64_suite);
