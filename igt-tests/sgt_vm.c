// SPDX-License-Identifier: GPL-2.0
#include "igt.h"

#include "lib/sgt_rounds.h"
#include "lib/sgt_vm_model.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt vm
 * Description: Bind buffers to the GPU address space of a file
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: address space
 * Test category: functionality test
 *
 * SUBTEST: bind
 * Description: Map all of a buffer and a part of it, and unmap them
 *
 * SUBTEST: tables
 * Description: A range at the boundary of each level has the tables that it needs
 *
 * SUBTEST: rebind
 * Description: Map one buffer after another at a range, and a buffer at many ranges
 *
 * SUBTEST: remap
 * Description: A remap replaces all mappings in its range, if any
 *
 * SUBTEST: unmap
 * Description: Unmap a range with buffers, parts of buffers and holes
 *
 * SUBTEST: unmap-empty
 * Description: An unmap of an unmapped range succeeds, and leaves no table
 *
 * SUBTEST: cut-large-leaf
 * Description: An unmap of a page in a large leaf keeps the rest of the leaf mapped
 *
 * SUBTEST: large-leaves
 * Description: Leaves are as large as the addresses on both sides allow
 *
 * SUBTEST: overlap
 * Description: A map of a range in which a page is mapped is refused
 *
 * SUBTEST: all-or-none
 * Description: If one operation of an array is refused, none is done
 *
 * SUBTEST: array-order
 * Description: Each operation of an array sees the result of those before it
 *
 * SUBTEST: end-of-space
 * Description: The last page of the address space can be mapped, and none beyond it
 *
 * SUBTEST: many-binds
 * Description: Map thousands of single pages, in one call and one by one
 *
 * SUBTEST: random
 * Description: After random operations, each page is mapped as in a model
 */

IGT_TEST_DESCRIPTION("Bind buffers to the GPU address space of a file");

/* The first page of a table of each level, with room on both sides */
#define VA	(3ull << 39)

static struct sgt_test test;

static void test_bind(int drm)
{
	struct sgt_bo bo;

	sgt_expect_space(drm, 0, 1);
	sgt_make_pages(&bo, drm, 16);

	sgt_must(sgt_vm_map(&bo, VA, bo.size, 0));
	sgt_expect_mapped(drm, VA, bo.size, bo.size);
	sgt_expect_mapped(drm, VA - PAGE, PAGE, 0);
	sgt_expect_mapped(drm, VA + bo.size, PAGE, 0);
	sgt_expect_space(drm, bo.size, 4);
	sgt_must(sgt_vm_unmap(drm, VA, bo.size));
	sgt_expect_space(drm, 0, 1);

	/* A part from the middle, and the last page */
	sgt_must(sgt_vm_map(&bo, VA + PAGE, 3 * PAGE, 5 * PAGE));
	sgt_must(sgt_vm_map(&bo, VA + 9 * PAGE, PAGE, 15 * PAGE));
	sgt_expect_mapped(drm, VA, 16 * PAGE, 4 * PAGE);
	sgt_must(sgt_vm_unmap(drm, VA + 2 * PAGE, PAGE));
	sgt_expect_mapped(drm, VA + PAGE, PAGE, PAGE);
	sgt_expect_mapped(drm, VA + 2 * PAGE, PAGE, 0);
	sgt_expect_mapped(drm, VA + 3 * PAGE, PAGE, PAGE);
	sgt_expect_space(drm, 3 * PAGE, 4);
	sgt_bo_free(&bo);
}

/* Two pages are too small for anything but two leaves. */
static void test_tables(int drm)
{
	static const struct {
		uint64_t va;
		unsigned int pages, tables;
	} ranges[] = {
		{ 0, 1, 4 },
		{ 0, 2, 4 },
		{ SGT_LEAF_2M - 2 * PAGE, 2, 4 },
		{ SGT_LEAF_2M - PAGE, 2, 5 },
		{ SGT_LEAF_1G - PAGE, 2, 6 },
		{ (1ull << 39) - PAGE, 2, 7 },
		{ SGT_VM_END / 2 - PAGE, 2, 7 },
		{ SGT_VM_END - 2 * PAGE, 2, 4 },
	};
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 2);
	for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++) {
		uint64_t va = ranges[i].va, size = ranges[i].pages * PAGE;

		igt_debug("%u pages at %#llx\n", ranges[i].pages, (unsigned long long)va);
		sgt_must(sgt_vm_map(&bo, va, size, 0));
		sgt_expect_space(drm, size, ranges[i].tables);
		sgt_expect_mapped(drm, va, size, size);
		sgt_must(sgt_vm_unmap(drm, va, size));
		sgt_expect_space(drm, 0, 1);
	}
	sgt_bo_free(&bo);
}

static void test_rebind(int drm)
{
	struct sgt_bo bos[2];

	sgt_make_pages(&bos[0], drm, 3);
	sgt_make_pages(&bos[1], drm, 5);
	for (int i = 0; i < 6; i++) {
		struct sgt_bo *bo = &bos[i & 1];

		sgt_must(sgt_vm_map(bo, VA, bo->size, 0));
		sgt_expect_space(drm, bo->size, 4);
		sgt_must(sgt_vm_unmap(drm, VA, bo->size));
	}
	/* Side by side, and again far away */
	for (int i = 0; i < 8; i++) {
		sgt_must(sgt_vm_map(&bos[0], VA + i * bos[0].size, bos[0].size, 0));
		sgt_must(sgt_vm_map(&bos[0], i * SGT_LEAF_1G, bos[0].size, 0));
	}
	sgt_expect_mapped(drm, VA, 8 * bos[0].size, 8 * bos[0].size);
	sgt_expect_space(drm, 16 * bos[0].size, 1 + 3 + 1 + 8 * 2);
	sgt_bo_free(&bos[0]);
	sgt_bo_free(&bos[1]);
}

static void test_remap(int drm)
{
	struct sgt_bo bos[2];

	sgt_make_pages(&bos[0], drm, 16);
	sgt_make_pages(&bos[1], drm, 16);

	sgt_must(sgt_vm_remap(&bos[0], VA, bos[0].size, 0));
	sgt_expect_space(drm, 16 * PAGE, 4);
	sgt_must(sgt_vm_remap(&bos[1], VA, bos[0].size, 0));
	sgt_expect_space(drm, 16 * PAGE, 4);
	/* In the middle, over an end, and over all mappings */
	sgt_must(sgt_vm_remap(&bos[0], VA + 4 * PAGE, 4 * PAGE, 8 * PAGE));
	sgt_expect_space(drm, 16 * PAGE, 4);
	sgt_must(sgt_vm_remap(&bos[0], VA + 12 * PAGE, 8 * PAGE, 0));
	sgt_expect_space(drm, 20 * PAGE, 4);
	sgt_must(sgt_vm_remap(&bos[1], VA - PAGE, 16 * PAGE, 0));
	sgt_expect_mapped(drm, VA - PAGE, 21 * PAGE, 21 * PAGE);
	sgt_bo_free(&bos[0]);
	sgt_bo_free(&bos[1]);
}

static void test_unmap(int drm)
{
	struct sgt_bo bos[3];

	for (int i = 0; i < 3; i++) {
		sgt_make_pages(&bos[i], drm, 8);
		sgt_must(sgt_vm_map(&bos[i], VA + i * 10 * PAGE, bos[i].size, 0));
	}
	/* From the middle of the first to the middle of the last */
	sgt_must(sgt_vm_unmap(drm, VA + 5 * PAGE, 20 * PAGE));
	sgt_expect_mapped(drm, VA, 5 * PAGE, 5 * PAGE);
	sgt_expect_mapped(drm, VA + 5 * PAGE, 20 * PAGE, 0);
	sgt_expect_mapped(drm, VA + 25 * PAGE, 3 * PAGE, 3 * PAGE);
	/* The hole can be filled. */
	sgt_must(sgt_vm_map(&bos[1], VA + 6 * PAGE, bos[1].size, 0));
	sgt_expect_space(drm, 16 * PAGE, 4);
	/* All mappings, and far more */
	sgt_must(sgt_vm_unmap(drm, 0, SGT_VM_END));
	sgt_expect_space(drm, 0, 1);
	for (int i = 0; i < 3; i++)
		sgt_bo_free(&bos[i]);
}

static void test_unmap_empty(int drm)
{
	struct sgt_bo bo;

	sgt_must(sgt_vm_unmap(drm, VA, PAGE));
	sgt_must(sgt_vm_unmap(drm, 0, SGT_VM_END));
	sgt_must(sgt_vm_unmap(drm, SGT_VM_END - PAGE, PAGE));
	sgt_expect_space(drm, 0, 1);
	sgt_make_pages(&bo, drm, 2);
	sgt_must(sgt_vm_map(&bo, VA, bo.size, 0));
	sgt_must(sgt_vm_unmap(drm, VA - PAGE, PAGE));
	sgt_must(sgt_vm_unmap(drm, VA + bo.size, SGT_LEAF_1G));
	sgt_expect_space(drm, bo.size, 4);
	sgt_bo_free(&bo);
}

/*
 * Whether the DMA address of a buffer is contiguous and aligned to a leaf.  An
 * IOMMU aligns a segment to its size; without one, folios are aligned.
 */
static bool has_large_leaves(const struct sgt_bo *bo)
{
	struct drm_virtgpu_sgt_bo_info info;

	sgt_must(sgt_bo_info(bo, &info));
	return sgt_setup_is("iommu") || info.folios * SGT_LEAF_2M == bo->size;
}

static void test_cut_large_leaf(int drm)
{
	struct drm_virtgpu_sgt_vm_query query;
	uint64_t leaves = 2;
	struct sgt_bo bo;
	bool large;

	sgt_make_pages(&bo, drm, leaves * SGT_LEAF_2M / PAGE);
	sgt_must(sgt_vm_map(&bo, VA, bo.size, 0));
	sgt_expect_mapped(drm, VA, bo.size, bo.size);
	sgt_must(sgt_vm_query(drm, VA, bo.size, &query));
	igt_info("%llu leaves of 2 MiB, %llu of 4 KiB, %llu segments, %llu tables\n",
		 (unsigned long long)query.leaves_2m, (unsigned long long)query.leaves_4k,
		 (unsigned long long)query.segments, (unsigned long long)query.tables);
	large = has_large_leaves(&bo);
	if (large) {
		igt_assert_eq_u64(query.leaves_2m, leaves);
		igt_assert_eq_u64(query.tables, 3);
	}
	leaves = query.leaves_2m;

	sgt_must(sgt_vm_unmap(drm, VA + 100 * PAGE, PAGE));
	sgt_expect_mapped(drm, VA, 100 * PAGE, 100 * PAGE);
	sgt_expect_mapped(drm, VA + 100 * PAGE, PAGE, 0);
	sgt_expect_mapped(drm, VA + 101 * PAGE, bo.size - 101 * PAGE, bo.size - 101 * PAGE);
	sgt_must(sgt_vm_query(drm, VA, bo.size, &query));
	if (large) {
		igt_assert_eq_u64(query.leaves_2m, leaves - 1);
		igt_assert_eq_u64(query.leaves_4k, 511);
		igt_assert_eq_u64(query.tables, 4);
	}

	/* The page can be mapped again, and the range be unmapped. */
	sgt_must(sgt_vm_map(&bo, VA + 100 * PAGE, PAGE, 100 * PAGE));
	sgt_expect_mapped(drm, VA, bo.size, bo.size);
	sgt_must(sgt_vm_unmap(drm, VA, bo.size));
	sgt_expect_space(drm, 0, 1);
	sgt_bo_free(&bo);
}

static void test_large_leaves(int drm)
{
	struct drm_virtgpu_sgt_vm_query query;
	struct sgt_bo bo;
	bool large;

	sgt_make_pages(&bo, drm, 3 * SGT_LEAF_2M / PAGE);
	large = has_large_leaves(&bo);

	/* One page off, so that no large leaf fits both addresses */
	sgt_must(sgt_vm_map(&bo, VA + PAGE, bo.size, 0));
	sgt_expect_mapped(drm, VA + PAGE, bo.size, bo.size);
	sgt_must(sgt_vm_query(drm, VA + PAGE, bo.size, &query));
	if (large)
		igt_assert_eq_u64(query.leaves_4k, bo.size / PAGE);
	sgt_must(sgt_vm_unmap(drm, VA + PAGE, bo.size));

	/* Both addresses are off by the same size: one large leaf less */
	sgt_must(sgt_vm_map(&bo, VA + PAGE, bo.size - PAGE, PAGE));
	sgt_expect_mapped(drm, VA + PAGE, bo.size - PAGE, bo.size - PAGE);
	sgt_must(sgt_vm_query(drm, VA + PAGE, bo.size - PAGE, &query));
	if (large) {
		igt_assert_eq_u64(query.leaves_2m, 2);
		igt_assert_eq_u64(query.leaves_4k, 511);
	}
	sgt_bo_free(&bo);
}

static void test_overlap(int drm)
{
	static const struct {
		int first, pages;
	} ranges[] = {
		{ 0, 1 }, { 9, 1 }, { 5, 1 }, { 0, 10 }, { -1, 2 }, { 9, 2 }, { -1, 12 },
		{ -10, 11 }, { 3, 4 },
	};
	struct sgt_bo bo, other;

	sgt_make_pages(&bo, drm, 10);
	sgt_make_pages(&other, drm, 12);
	sgt_must(sgt_vm_map(&bo, VA, bo.size, 0));
	for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++) {
		uint64_t va = VA + ranges[i].first * (int64_t)PAGE;
		uint64_t size = ranges[i].pages * PAGE;

		igt_debug("%d pages at %d\n", ranges[i].pages, ranges[i].first);
		igt_assert_eq(sgt_vm_map(&other, va, size, 0), -EEXIST);
		igt_assert_eq(sgt_vm_map(&bo, va, PAGE, 0), ranges[i].first < 0 ? 0 : -EEXIST);
		if (ranges[i].first < 0)
			sgt_must(sgt_vm_unmap(drm, va, PAGE));
		sgt_expect_space(drm, bo.size, 4);
	}
	/* Next to the range */
	sgt_must(sgt_vm_map(&other, VA - other.size, other.size, 0));
	sgt_must(sgt_vm_map(&other, VA + bo.size, other.size, 0));
	sgt_bo_free(&bo);
	sgt_bo_free(&other);
}

static void test_all_or_none(int drm)
{
	struct sgt_bo bo, none = { .handle = 0xdead };
	struct drm_virtgpu_sgt_vm_bind_op bad[5];
	const int want[] = { -EEXIST, -ENOENT, -ERANGE, -EINVAL, -EINVAL };

	sgt_make_pages(&bo, drm, 16);
	sgt_must(sgt_vm_map(&bo, VA, 8 * PAGE, 0));
	sgt_expect_space(drm, 8 * PAGE, 4);

	bad[0] = sgt_vm_op_map(VA + 6 * PAGE, PAGE, &bo, 0);
	bad[1] = sgt_vm_op_map(VA + 32 * PAGE, PAGE, &none, 0);
	bad[2] = sgt_vm_op_map(VA + 32 * PAGE, 2 * PAGE, &bo, 15 * PAGE);
	bad[3] = sgt_vm_op_map(VA + 32 * PAGE, PAGE / 2, &bo, 0);
	bad[4] = sgt_vm_op_unmap(VA, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct drm_virtgpu_sgt_vm_bind_op ops[] = {
			sgt_vm_op_unmap(VA + PAGE, PAGE),
			sgt_vm_op_map(VA + 16 * PAGE, bo.size, &bo, 0),
			sgt_vm_op_remap(VA + 4 * PAGE, 2 * PAGE, &bo, 14 * PAGE),
			sgt_vm_op_map(SGT_LEAF_1G - PAGE, 2 * PAGE, &bo, 0),
			bad[i],
			sgt_vm_op_unmap(VA, 8 * PAGE),
		};

		igt_debug("bad operation %u\n", i);
		igt_assert_eq(sgt_vm_bind(drm, ops, ARRAY_SIZE(ops)), want[i]);
		sgt_expect_mapped(drm, VA, 8 * PAGE, 8 * PAGE);
		sgt_expect_space(drm, 8 * PAGE, 4);
		sgt_must(sgt_vm_bind(drm, ops, 4));
		sgt_expect_space(drm, 7 * PAGE + bo.size + 2 * PAGE, 9);
		sgt_must(sgt_vm_unmap(drm, 0, SGT_VM_END));
		sgt_must(sgt_vm_map(&bo, VA, 8 * PAGE, 0));
	}
	sgt_bo_free(&bo);
}

static void test_array_order(int drm)
{
	struct drm_virtgpu_sgt_vm_bind_op ops[6];
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 16);
	ops[0] = sgt_vm_op_map(VA, bo.size, &bo, 0);
	ops[1] = sgt_vm_op_unmap(VA + 4 * PAGE, 8 * PAGE);
	ops[2] = sgt_vm_op_map(VA + 5 * PAGE, 3 * PAGE, &bo, 0);
	ops[3] = sgt_vm_op_remap(VA + 7 * PAGE, 2 * PAGE, &bo, 2 * PAGE);
	ops[4] = sgt_vm_op_unmap(VA, PAGE);
	ops[5] = sgt_vm_op_map(VA, PAGE, &bo, 15 * PAGE);

	sgt_must(sgt_vm_bind(drm, ops, ARRAY_SIZE(ops)));
	sgt_expect_mapped(drm, VA, 4 * PAGE, 4 * PAGE);
	sgt_expect_mapped(drm, VA + 4 * PAGE, PAGE, 0);
	sgt_expect_mapped(drm, VA + 5 * PAGE, 4 * PAGE, 4 * PAGE);
	sgt_expect_mapped(drm, VA + 9 * PAGE, 3 * PAGE, 0);
	sgt_expect_space(drm, 12 * PAGE, 4);

	/* Fails again: the first operation overlaps the result of the last. */
	igt_assert_eq(sgt_vm_bind(drm, ops, ARRAY_SIZE(ops)), -EEXIST);
	sgt_expect_space(drm, 12 * PAGE, 4);
	sgt_bo_free(&bo);
}

static void test_end_of_space(int drm)
{
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 4);
	sgt_must(sgt_vm_map(&bo, SGT_VM_END - bo.size, bo.size, 0));
	sgt_must(sgt_vm_map(&bo, 0, bo.size, 0));
	sgt_expect_space(drm, 2 * bo.size, 7);
	sgt_must(sgt_vm_unmap(drm, SGT_VM_END - PAGE, PAGE));
	igt_assert_eq(sgt_vm_map(&bo, SGT_VM_END - PAGE, 2 * PAGE, 0), -EINVAL);
	igt_assert_eq(sgt_vm_map(&bo, SGT_VM_END, PAGE, 0), -EINVAL);
	igt_assert_eq(sgt_vm_map(&bo, 0 - bo.size, bo.size, 0), -EINVAL);
	sgt_must(sgt_vm_map(&bo, SGT_VM_END - PAGE, PAGE, 0));
	sgt_expect_space(drm, 2 * bo.size, 7);
	sgt_bo_free(&bo);
}

/* Every second page, so that no mappings are adjacent */
static void test_many_binds(int drm)
{
	const unsigned int count = VIRTGPU_SGT_VM_BIND_MAX_OPS;
	struct drm_virtgpu_sgt_vm_bind_op *ops = calloc(count, sizeof(*ops));
	struct sgt_bo bo;

	igt_assert(ops);
	sgt_make_pages(&bo, drm, 64);
	for (unsigned int i = 0; i < count; i++)
		ops[i] = sgt_vm_op_map(VA + 2 * i * PAGE, PAGE, &bo, i % 64 * PAGE);

	sgt_must(sgt_vm_bind(drm, ops, count));
	sgt_expect_space(drm, count * PAGE, 1 + 1 + 1 + count / 256);
	for (unsigned int i = 0; i < count; i++) {
		sgt_must(sgt_vm_unmap(drm, ops[i].va, PAGE));
		if (i % 512 == 511)
			igt_debug("%u of %u\n", i + 1, count);
	}
	sgt_expect_space(drm, 0, 1);
	for (unsigned int i = 0; i < count; i++)
		sgt_must(sgt_vm_bind(drm, &ops[i], 1));
	sgt_expect_space(drm, count * PAGE, 1 + 1 + 1 + count / 256);

	/* One that overlaps all of them, and an array that maps them again */
	sgt_must(sgt_vm_unmap(drm, VA, 2 * count * PAGE));
	sgt_expect_space(drm, 0, 1);
	sgt_must(sgt_vm_bind(drm, ops, count));
	sgt_expect_mapped(drm, VA, 2 * count * PAGE, count * PAGE);
	sgt_bo_free(&bo);
	free(ops);
}

/* Tables of each level begin in the middle of the range. */
static void test_random(int drm)
{
	static const uint32_t sizes[] = { 300, 64, 1 };
	struct sgt_vm_model model;
	struct sgt_rounds rounds;

	sgt_model_begin(&model, drm, VA - 400 * PAGE, 1000, sizes);
	sgt_rounds_begin(&rounds, 20, 500);
	while (sgt_rounds_next(&rounds)) {
		sgt_model_step(&model, &rounds.random, 0, 0);
		if (rounds.done % 10 == 0)
			sgt_model_check(&model);
	}
	sgt_model_check(&model);
	sgt_must(sgt_vm_unmap(drm, model.va, model.count * PAGE));
	sgt_expect_space(drm, 0, 1);
	sgt_model_end(&model);
}

int igt_main()
{
	static const struct sgt_file_test tests[] = {
		{ "bind", "A buffer, or part of it", test_bind },
		{ "tables", "As many tables as needed, and none left", test_tables },
		{ "rebind", "Addresses and buffers can be used again", test_rebind },
		{ "remap", "Unmap and map at once", test_remap },
		{ "unmap", "All mappings in the range", test_unmap },
		{ "unmap-empty", "An unmapped range is no error", test_unmap_empty },
		{ "cut-large-leaf", "A large leaf is split", test_cut_large_leaf },
		{ "large-leaves", "As large as both addresses allow", test_large_leaves },
		{ "overlap", "Only a remap replaces", test_overlap },
		{ "all-or-none", "All checks are before the first change",
		  test_all_or_none },
		{ "array-order", "One after the other", test_array_order },
		{ "end-of-space", "Exactly 48 bits", test_end_of_space },
		{ "many-binds", "The most operations of a call", test_many_binds },
		{ "random", "Any sequence of calls", test_random },
	};
	int keep = -1;

	igt_fixture()
		keep = sgt_vm_fixture(&test);

	sgt_in_files(&test, tests, ARRAY_SIZE(tests));

	igt_fixture()
		close(keep);
}
