// SPDX-License-Identifier: GPL-2.0

#include <linux/log2.h>

#include "drm_gpupt_kunit_helpers.h"

/*
 * Invalid arguments, one at a time, for each format: each is refused with its errno, and
 * changes nothing.
 */

/* A map of @len pages at page @va, each off by some bytes. */
static const struct input_bad_map {
	const char *name;
	int ret;
	unsigned int va, len;
	s64 more_va, more_len, more_offset, more_addr;
	u32 more_prot;
	/* @va is counted from the end of the VA space */
	bool end;
} input_bad_maps[] = {
	{ "nothing", 0, 8, 4 },
	{ "VA off by a byte", -EINVAL, 8, 4, .more_va = 1 },
	{ "VA off by half a page", -EINVAL, 8, 4, .more_va = 2048 },
	{ "length 0", -EINVAL, 8, 0 },
	{ "offset off by a byte", -EINVAL, 8, 4, .more_offset = 1 },
	{ "address off by a byte", -EINVAL, 8, 4, .more_addr = 1 },
	{ "address off by half a page", -EINVAL, 8, 4, .more_addr = 2048 },
	{ "a page too far", -EINVAL, 3, 4, .end = true },
	{ "all too far", -EINVAL, 0, 4, .end = true },
	{ "VA wraps", -EINVAL, 8, 4, .more_va = S64_MIN },
	{ "length wraps", -EINVAL, 8, 4, .more_len = S64_MIN },
	{ "VA and length wrap", -EINVAL, 8, 4, .more_va = S64_MIN, .more_len = S64_MIN },
	{ "unknown permission", -EINVAL, 8, 4, .more_prot = BIT(31) },
	{ "longer than the memory", -ERANGE, 8, 5 },
	{ "offset too far", -ERANGE, 8, 4, .more_offset = 1ll << 40 },
	{ "offset wraps", -ERANGE, 8, 4, .more_offset = S64_MIN },
	{ "over something", -EEXIST, 1, 4 },
	{ "over its end", -EEXIST, 4, 4 },
};

static int input_try_map(struct drm_gpupt_kunit *ctx, const struct input_bad_map *bad,
			 const struct drm_gpupt_kunit_mem *mem)
{
	const struct drm_gpupt_fmt *fmt = ctx->window.fmt;
	const u64 page = drm_gpupt_kunit_page(fmt), space = drm_gpupt_kunit_space(fmt);
	u64 va = bad->end ? space - bad->va * page : bad->va * page;

	return drm_gpupt_prepare_map(ctx->pt, drm_gpupt_kunit_op(ctx, 0), va + bad->more_va,
				     bad->len * page + bad->more_len, drm_gpupt_kunit_view(mem),
				     bad->more_offset, bad->more_prot);
}

/* One wrong argument in each case: it is refused, and the operation stays idle. */
static void input_refuses_bad_maps(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	const u64 page = drm_gpupt_kunit_page(fmt);
	struct drm_gpupt_kunit_mem *block = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA,
								  5 * page);
	struct drm_gpupt_kunit_trace trace;
	struct drm_gpupt_op *op;
	unsigned int i;

	drm_gpupt_kunit_map_now(ctx, 0, 5 * page, block, 0, 0);
	op = drm_gpupt_kunit_op(ctx, 0);
	trace = drm_gpupt_kunit_trace(ctx);
	for (i = 0; i < ARRAY_SIZE(input_bad_maps); i++) {
		const struct input_bad_map *bad = &input_bad_maps[i];
		struct drm_gpupt_kunit_mem *mem =
			drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA + bad->more_addr, 4 * page);

		KUNIT_EXPECT_EQ_MSG(test, input_try_map(ctx, bad, mem), bad->ret, "%s", bad->name);
		KUNIT_EXPECT_EQ(test, op->state,
				bad->ret ? DRM_GPUPT_OP_IDLE : DRM_GPUPT_OP_PREPARED);
		KUNIT_EXPECT_EQ(test, 0, drm_gpupt_abort(op));
		drm_gpupt_kunit_check_trace(ctx, &trace);
	}
	drm_gpupt_kunit_check(ctx);
}

/* A length that is not a multiple of a leaf needs a format with a partial last leaf. */
static void input_refuses_parts_of_pages(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	const u64 page = drm_gpupt_kunit_page(fmt), base = DRM_GPUPT_KUNIT_DMA;
	const struct drm_dma_seg seg[] = { { base, page / 2 }, { base + page, page } };
	struct drm_gpupt_kunit_mem *split = drm_gpupt_kunit_mem(test, seg, ARRAY_SIZE(seg));
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, base, 4 * page);
	struct drm_gpupt_op *op = drm_gpupt_kunit_op(ctx, 0);
	const int ret = fmt->partial_last_leaf ? 0 : -EINVAL;

	KUNIT_EXPECT_EQ(test, ret, drm_gpupt_prepare_map(ctx->pt, op, 0, page + 1,
							 drm_gpupt_kunit_view(mem), 0, 0));
	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_abort(op));
	KUNIT_EXPECT_EQ(test, ret, drm_gpupt_prepare_map(ctx->pt, op, 0, page - 1,
							 drm_gpupt_kunit_view(mem), 0, 0));
	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_abort(op));

	/* A segment in the middle of the range must end with a leaf in any format. */
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gpupt_prepare_map(ctx->pt, op, 0, page,
							     drm_gpupt_kunit_view(split), 0, 0));
	drm_gpupt_kunit_check(ctx);
}

/* Segments outside the mapped range are not checked. */
static void input_looks_at_the_range_only(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	const u64 page = drm_gpupt_kunit_page(fmt), base = DRM_GPUPT_KUNIT_DMA;
	const u64 far = fmt->addr_bits < 64 ? BIT_ULL(fmt->addr_bits) : base + 1;
	const struct drm_dma_seg seg[] = {
		{ base + 8 * page + 1, page }, { far, page }, { base, 2 * page },
		{ base + 16 * page + 2048, page }, { far, page },
	};
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_mem(test, seg, ARRAY_SIZE(seg));

	drm_gpupt_kunit_map_now(ctx, 0, 2 * page, mem, 2 * page, 0);
	drm_gpupt_kunit_unmap_now(ctx, 0, 2 * page);
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gpupt_kunit_map(ctx, 0, page, mem, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gpupt_kunit_map(ctx, 0, 3 * page, mem, 2 * page, 0));
	drm_gpupt_kunit_check(ctx);
}

/* The last address that fits into an entry, and the first that does not. */
static void input_refuses_long_addresses(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	const u64 page = drm_gpupt_kunit_page(fmt), limit = GENMASK_ULL(fmt->addr_bits - 1, 0);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, limit - page + 1, page);

	drm_gpupt_kunit_map_now(ctx, 0, page, mem, 0, 0);
	drm_gpupt_kunit_unmap_now(ctx, 0, page);
	if (fmt->addr_bits == 64)
		return;

	mem = drm_gpupt_kunit_block(test, limit - page + 1, 2 * page);
	drm_gpupt_kunit_map_now(ctx, 0, page, mem, 0, 0);
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, drm_gpupt_kunit_map(ctx, page, page, mem, page, 0));
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, drm_gpupt_kunit_map(ctx, page, 2 * page, mem, 0, 0));
	drm_gpupt_kunit_check(ctx);
}

static struct drm_gpupt_fmt *input_copy_format(struct kunit *test, unsigned int addr_bits)
{
	struct drm_gpupt_fmt *fmt = kunit_kzalloc(test, sizeof(*fmt), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fmt);
	*fmt = drm_gpupt_kunit_toy;
	fmt->addr_bits = addr_bits;
	return fmt;
}

/* From here on, DMA addresses are one bit too long. */
static int input_dma_map_far(struct drm_sgt *sgt)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(&sgt->table, sg, i) {
		sg_dma_address(sg) = sg_phys(sg) + 2 * DRM_GPUPT_KUNIT_TABLES;
		sg_dma_len(sg) = sg->length;
	}
	sgt->table.nents = sgt->table.orig_nents;
	return 0;
}

static void input_no_sync(struct device *dev, dma_addr_t addr, size_t len,
			  enum dma_data_direction dir)
{
}

static const struct drm_sgt_kunit_dma input_far = {
	.map = input_dma_map_far,
	.sync_for_device = input_no_sync,
};

/* A table whose address does not fit into an entry is refused. */
static void input_refuses_far_tables(struct kunit *test)
{
	struct drm_gpupt_fmt *fmt = input_copy_format(test, ilog2(DRM_GPUPT_KUNIT_TABLES) + 1);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	const u64 page = drm_gpupt_kunit_page(fmt), leaf = drm_gpupt_kunit_entry_size(fmt, 1);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA, leaf);
	struct drm_gpupt_kunit_trace trace;

	drm_gpupt_kunit_map_now(ctx, 0, leaf, mem, 0, 0);
	trace = drm_gpupt_kunit_trace(ctx);
	drm_sgt_kunit_replace_dma(test, &input_far);
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, drm_gpupt_kunit_map(ctx, leaf, page, mem, 0, 0));
	drm_gpupt_kunit_check_trace(ctx, &trace);
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, drm_gpupt_kunit_unmap(ctx, 0, page));
	drm_gpupt_kunit_check_trace(ctx, &trace);
	drm_gpupt_kunit_check(ctx);
}

/* The same for the root, with a DMA mapping and without. */
static void input_refuses_a_far_root(struct kunit *test)
{
	static const struct drm_gpupt_config cpu_only = { .cpu_only = true };
	struct drm_gpupt_fmt *fmt = input_copy_format(test, ilog2(DRM_GPUPT_KUNIT_TABLES));
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, &drm_gpupt_kunit_toy);
	struct drm_gpupt *pt;

	KUNIT_EXPECT_EQ(test, -EOVERFLOW,
			PTR_ERR_OR_ZERO(drm_gpupt_create(fmt, ctx->d->sdev, NULL, NULL)));
	pt = drm_gpupt_create(fmt, ctx->d->sdev, &cpu_only, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pt);
	drm_gpupt_destroy(pt);

	/* Entries hold only the addresses of the first two pages of memory. */
	fmt = input_copy_format(test, PAGE_SHIFT + 1);
	fmt->level[0].shift = PAGE_SHIFT;
	fmt->level[1].shift = fmt->level[0].shift + fmt->level[0].bits;
	fmt->level[1].leaf = false;
	fmt->level[2].shift = fmt->level[1].shift + fmt->level[1].bits;
	KUNIT_EXPECT_EQ(test, -EOVERFLOW,
			PTR_ERR_OR_ZERO(drm_gpupt_create(fmt, ctx->d->sdev, &cpu_only, NULL)));
}

/*
 * Pages 3 to 8 of twelve are mapped. A range can be mapped if it has none of them, and
 * unmapped if it has no other.
 */
static void input_refuses_overlaps_and_holes(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	const u64 page = drm_gpupt_kunit_page(fmt);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA,
								12 * page);
	unsigned int first, end;

	drm_gpupt_kunit_map_now(ctx, 3 * page, 6 * page, mem, 3 * page, 0);
	for (first = 0; first < 12; first++)
		for (end = first + 1; end <= 12; end++) {
			u64 va = first * page, len = (end - first) * page;
			int ret = end > 3 && first < 9 ? -EEXIST : 0;

			KUNIT_EXPECT_EQ_MSG(test, drm_gpupt_kunit_map(ctx, va, len, mem, va, 0),
					    ret, "%u to %u", first, end);
			if (!ret)
				drm_gpupt_kunit_abort(ctx);

			ret = first < 3 || end > 9 ? -ENOENT : 0;
			KUNIT_EXPECT_EQ_MSG(test, drm_gpupt_kunit_unmap(ctx, va, len),
					    ret, "%u to %u", first, end);
			if (!ret)
				drm_gpupt_kunit_abort(ctx);
			drm_gpupt_kunit_check(ctx);
		}
}

static int input_count_extent(void *arg, const struct drm_gpupt_extent *extent)
{
	++*(unsigned int *)arg;
	return 0;
}

/* Ranges that can never be unmapped or walked. */
static void input_refuses_bad_ranges(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, fmt);
	const u64 page = drm_gpupt_kunit_page(fmt), space = drm_gpupt_kunit_space(fmt);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA,
								4 * page);
	const struct {
		u64 va;
		u64 len;
	} bad[] = {
		{ space - 4 * page, 0 }, { space - page, 2 * page }, { space, page },
		{ space - 4 * page, space },
		{ 0, space + page }, { space - 4 * page, 0 - (space - 4 * page) },
		{ 0 - page, page }, { 0 - page, 2 * page },
	};
	unsigned int i, extents = 0;

	drm_gpupt_kunit_look_around(ctx, space);
	drm_gpupt_kunit_map_now(ctx, space - 4 * page, 4 * page, mem, 0, 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    drm_gpupt_kunit_unmap(ctx, bad[i].va, bad[i].len),
				    "%#llx at %#llx", bad[i].len, bad[i].va);
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    drm_gpupt_walk(ctx->pt, bad[i].va, bad[i].len,
						   input_count_extent, &extents),
				    "%#llx at %#llx", bad[i].len, bad[i].va);
	}
	KUNIT_EXPECT_EQ(test, extents, 0);
	/* A walk can begin anywhere, an unmap cannot. */
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gpupt_kunit_unmap(ctx, space - 4 * page + 1, page));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gpupt_kunit_unmap(ctx, space - 3 * page - 1, page));
	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_walk(ctx->pt, space - 4 * page + 1, page,
						input_count_extent, &extents));
	drm_gpupt_kunit_check(ctx);
}

static void input_check_create(struct kunit *test, const struct drm_gpupt_fmt *fmt,
			       struct drm_sgt_device *sdev, long err, const char *why)
{
	struct drm_gpupt *pt = drm_gpupt_create(fmt, sdev, NULL, NULL);

	KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(pt), err, "%s", why);
	if (!IS_ERR(pt))
		drm_gpupt_destroy(pt);
}

/* A malformed format is refused when a page table is created. */
static void input_refuses_bad_formats(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	const struct drm_gpupt_fmt good = drm_gpupt_kunit_toy;
	struct drm_gpupt_fmt fmt;

	input_check_create(test, &good, d->sdev, 0, "good");
	input_check_create(test, &good, NULL, -EINVAL, "no device");

#define input_check_without(field__, value__)					\
	do {									\
		fmt = good;							\
		fmt.field__ = (value__);					\
		input_check_create(test, &fmt, d->sdev, -EINVAL, #field__);	\
	} while (0)

	input_check_without(levels, 0);
	input_check_without(levels, DRM_GPUPT_MAX_LEVELS + 1);
	/* Levels without a description. */
	input_check_without(levels, 4);
	input_check_without(entry_size, 0);
	/* Tables that are longer than a page. */
	input_check_without(entry_size, 255);
	input_check_without(level[0].bits, 20);
	input_check_without(level[2].bits, 20);
	input_check_without(level[1].bits, 0);
	input_check_without(level[1].shift, 20);
	input_check_without(level[2].shift, 20);
	/* A VA space of more than 64 bits. */
	input_check_without(level[0].shift, 60);
	input_check_without(level[0].leaf, false);
	input_check_without(addr_bits, 65);
	input_check_without(fill, NULL);
	input_check_without(link, NULL);
	input_check_without(clear, NULL);
	input_check_without(read, NULL);
#undef input_check_without

	/* Large leaves that cannot be split, as the level below has none. */
	fmt = drm_gpupt_kunit_odd;
	input_check_create(test, &fmt, d->sdev, 0, "odd");
	fmt.level[1].leaf = false;
	input_check_create(test, &fmt, d->sdev, -EINVAL, "a gap");
}

static struct kunit_case drm_gpupt_input_cases[] = {
	KUNIT_CASE(input_refuses_bad_formats),
	KUNIT_CASE_PARAM(input_refuses_bad_maps, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(input_refuses_parts_of_pages, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(input_looks_at_the_range_only, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(input_refuses_long_addresses, drm_gpupt_kunit_formats),
	KUNIT_CASE(input_refuses_far_tables),
	KUNIT_CASE(input_refuses_a_far_root),
	KUNIT_CASE_PARAM(input_refuses_overlaps_and_holes, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(input_refuses_bad_ranges, drm_gpupt_kunit_formats),
	{}
};

static struct kunit_suite drm_gpupt_input_suite = {
	.name = "drm_gpupt_input",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpupt_input_cases,
};

kunit_test_suite(drm_gpupt_input_suite);
