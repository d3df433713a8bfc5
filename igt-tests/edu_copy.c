// SPDX-License-Identifier: GPL-2.0
#include <sys/mman.h>

#include "igt.h"

#include <drm/edu_gpu_drm.h>
#include "lib/edu.h"
#include "lib/sgt_fence.h"

/**
 * TEST: edu copy
 * Description: Copy through page tables that an MMU in QEMU reads
 * Category: Core
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: address space
 * Test category: functionality test
 *
 * SUBTEST: bytes
 * Description: A copy writes its bytes and no others, in pages that are scattered
 *
 * SUBTEST: corners
 * Description: Copy between ranges in different tables of each level, up to the last page
 *
 * SUBTEST: large-leaves
 * Description: Copy through a 2M leaf and across the boundary of two
 *
 * SUBTEST: cut-large-leaf
 * Description: An unmap of a page in a 2M leaf keeps the rest, and the hole can be filled
 *
 * SUBTEST: remap
 * Description: A range that is mapped to another buffer is that buffer at once
 *
 * SUBTEST: replace
 * Description: A range is replaced while it is copied: the copy has old or new bytes
 *
 * SUBTEST: unmapped
 * Description: A copy from or to an unmapped range fails, and writes nothing
 *
 * SUBTEST: unmap-used
 * Description: A range that copies have used is unmapped as soon as the unmap returns
 *
 * SUBTEST: half-mapped
 * Description: A copy that leaves the mapped range fails
 *
 * SUBTEST: read-only
 * Description: A copy to a read-only range fails and writes nothing, one from it works
 *
 * SUBTEST: after-a-fault
 * Description: The faults of one copy are not those of the next
 *
 * SUBTEST: other-file
 * Description: The same address is another buffer in another open file
 *
 * SUBTEST: closed-handle
 * Description: A mapped buffer lives without a handle until it is unmapped
 *
 * SUBTEST: pending
 * Description: The pending copies of a file are limited, and end in their order
 *
 * SUBTEST: bad-bind
 * Description: A VM_BIND with one wrong field is refused
 *
 * SUBTEST: bad-copy
 * Description: A COPY with one wrong field is refused
 */

IGT_TEST_DESCRIPTION("Copy through page tables that an MMU in QEMU reads");

#define LEAF_2M		0x200000ull
#define LEAF_1G		0x40000000ull
#define SRC		(5ull << 39)
#define DST		(6ull << 39)

static char pci[64];

/* Two buffers of as many pages, not mapped for the device yet */
static void make_two(int drm, struct sgt_bo bos[2], unsigned int pages)
{
	for (int i = 0; i < 2; i++)
		edu_make(&bos[i], drm, pages, sgt_new_seed());
}

static void free_two(struct sgt_bo bos[2])
{
	sgt_bo_free(&bos[0]);
	sgt_bo_free(&bos[1]);
}

static void map_two(struct sgt_bo bos[2])
{
	sgt_must(edu_map(&bos[0], SRC, bos[0].size, 0));
	sgt_must(edu_map(&bos[1], DST, bos[1].size, 0));
}

static void test_bytes(int drm)
{
	static const int order[2][5] = { { 0, 2, 4, 1, 3 }, { 0, 3, 1, 4, 2 } };
	struct sgt_bo bos[2];
	uint32_t before, after;

	make_two(drm, bos, 5);
	/* Pages that are not adjacent, in another order */
	for (int i = 0; i < 5; i++) {
		sgt_must(edu_map(&bos[0], SRC + i * PAGE, PAGE, order[0][i] * PAGE));
		sgt_must(edu_map(&bos[1], DST + i * PAGE, PAGE, order[1][i] * PAGE));
	}
	/* Page 1 of both ranges, but for its first and last word */
	before = bos[1].map[3 * WORDS_PER_PAGE];
	after = bos[1].map[4 * WORDS_PER_PAGE - 1];
	edu_expect_copy(&bos[0], 2 * PAGE + 4, SRC + PAGE + 4, &bos[1], 3 * PAGE + 4,
			DST + PAGE + 4, PAGE - 8);
	igt_assert_eq_u32(bos[1].map[3 * WORDS_PER_PAGE], before);
	igt_assert_eq_u32(bos[1].map[4 * WORDS_PER_PAGE - 1], after);

	/* The last bytes of page 2, and the first of page 3 */
	sgt_must(edu_copy(drm, SRC + 3 * PAGE - 1000, DST + 3 * PAGE - 1000, 2000));
	igt_assert(!memcmp((char *)bos[1].map + 2 * PAGE - 1000,
			   (char *)bos[0].map + 5 * PAGE - 1000, 1000));
	igt_assert(!memcmp((char *)bos[1].map + 4 * PAGE, (char *)bos[0].map + PAGE, 1000));
	free_two(bos);
}

static void test_corners(int drm)
{
	static const uint64_t starts[] = {
		0, LEAF_2M - PAGE, LEAF_1G - PAGE, (1ull << 39) - PAGE,
		(1ull << 47) - PAGE, EDU_GPU_VA_SIZE - 2 * PAGE,
	};
	struct sgt_bo bos[2];

	make_two(drm, bos, 2);
	sgt_must(edu_map(&bos[1], DST, bos[1].size, 0));
	for (unsigned int i = 0; i < ARRAY_SIZE(starts); i++) {
		sgt_must(edu_map(&bos[0], starts[i], bos[0].size, 0));
		sgt_fill(bos[0].map, sgt_bo_words(&bos[0]), sgt_new_seed());
		edu_expect_copy(&bos[0], PAGE - 256, starts[i] + PAGE - 256, &bos[1], 512,
				DST + 512, 512);
	}
	free_two(bos);
}

static void test_large_leaves(int drm)
{
	struct sgt_bo bos[2];

	make_two(drm, bos, 2 * LEAF_2M / PAGE);
	map_two(bos);
	igt_assert_eq_u64(edu_leaves(drm, "2m"), 4);
	igt_assert_eq_u64(edu_leaves(drm, "4k"), 0);
	edu_expect_copy(&bos[0], 0x1234, SRC + 0x1234, &bos[1], LEAF_2M + 0x54321,
			DST + LEAF_2M + 0x54321, 1000);
	edu_expect_copy(&bos[0], LEAF_2M - 500, SRC + LEAF_2M - 500, &bos[1], LEAF_2M - 300,
			DST + LEAF_2M - 300, 1000);
	free_two(bos);
}

static void test_cut_large_leaf(int drm)
{
	const uint64_t hole = 100 * PAGE;
	struct sgt_bo bos[2];

	make_two(drm, bos, LEAF_2M / PAGE);
	map_two(bos);
	igt_assert_eq_u64(edu_leaves(drm, "2m"), 2);
	edu_expect_copy(&bos[0], hole, SRC + hole, &bos[1], 0, DST, 64);

	sgt_must(edu_unmap(drm, SRC + hole, PAGE));
	igt_assert_eq_u64(edu_leaves(drm, "2m"), 1);
	igt_assert_eq_u64(edu_leaves(drm, "4k"), LEAF_2M / PAGE - 1);
	edu_expect_fault(drm, SRC + hole, DST, 64, bos[1].map);
	edu_expect_copy(&bos[0], hole - 64, SRC + hole - 64, &bos[1], 0, DST, 64);
	edu_expect_copy(&bos[0], hole + PAGE, SRC + hole + PAGE, &bos[1], 0, DST, 64);

	sgt_must(edu_map(&bos[0], SRC + hole, PAGE, 7 * PAGE));
	edu_expect_copy(&bos[0], 7 * PAGE, SRC + hole, &bos[1], 0, DST, 64);
	free_two(bos);
}

static void test_remap(int drm)
{
	struct sgt_bo bos[2], to;

	make_two(drm, bos, 2);
	edu_make(&to, drm, 1, sgt_new_seed());
	sgt_must(edu_map(&to, DST, PAGE, 0));
	for (int i = 0; i < 4; i++) {
		sgt_must(edu_map(&bos[i & 1], SRC, 2 * PAGE, 0));
		edu_expect_copy(&bos[i & 1], PAGE, SRC + PAGE, &to, 0, DST, 64);
		sgt_must(edu_unmap(drm, SRC, 2 * PAGE));
	}
	free_two(bos);
	sgt_bo_free(&to);
}

static void test_replace(int drm)
{
	const uint32_t len = EDU_GPU_MAX_COPY;
	struct sgt_bo bos[2], to;
	int file, status, i = 0;

	make_two(drm, bos, LEAF_2M / PAGE);
	edu_make(&to, drm, len / PAGE, sgt_new_seed());
	sgt_must(edu_map(&to, DST, len, 0));
	sgt_must(edu_replace(&bos[0], SRC, bos[0].size, 0));
	file = sgt_must(edu_copy_begin(drm, SRC, DST, len));
	/* By a large leaf, or by pages: only a part of it, then the rest */
	while (!(status = sgt_sync_file_status(file))) {
		const struct sgt_bo *bo = &bos[++i & 1];

		if (i & 2)
			sgt_must(edu_replace(bo, SRC, bo->size, 0));
		else
			sgt_must(edu_replace(bo, SRC + PAGE, bo->size - 2 * PAGE, PAGE));
	}
	close(file);
	igt_assert_eq(status, 1);
	igt_assert_lt(2, i);
	for (uint32_t at = 0; at < len / 4; at++)
		igt_assert(to.map[at] == bos[0].map[at] || to.map[at] == bos[1].map[at]);

	sgt_must(edu_replace(&bos[0], SRC, bos[0].size, 0));
	edu_expect_copy(&bos[0], 0, SRC, &to, 0, DST, 64);
	sgt_must(edu_replace(&bos[1], SRC, PAGE, 0));
	edu_expect_copy(&bos[1], 0, SRC, &to, 0, DST, 64);
	edu_expect_copy(&bos[0], PAGE, SRC + PAGE, &to, 0, DST, 64);
	free_two(bos);
	sgt_bo_free(&to);
}

static void test_unmapped(int drm)
{
	struct sgt_bo bos[2];

	make_two(drm, bos, 1);
	sgt_must(edu_map(&bos[1], DST, PAGE, 0));
	/* A hole in a table, and no table at all */
	edu_expect_fault(drm, DST + PAGE, DST, 64, bos[1].map);
	edu_expect_fault(drm, SRC, DST, 64, bos[1].map);
	edu_expect_fault(drm, DST, SRC, 64, bos[1].map);
	igt_assert_eq(edu_unmap(drm, SRC, PAGE), -ENOENT);
	igt_assert_eq(edu_unmap(drm, DST, 2 * PAGE), -ENOENT);
	edu_expect_copy(&bos[1], 0, DST, &bos[1], 128, DST + 128, 64);
	free_two(bos);
}

static void test_unmap_used(int drm)
{
	struct sgt_bo bos[2];
	uint32_t word;

	make_two(drm, bos, 2);
	map_two(bos);
	edu_expect_copy(&bos[0], 0, SRC, &bos[1], 0, DST, 2 * PAGE);
	sgt_must(edu_unmap(drm, SRC, PAGE));
	edu_expect_fault(drm, SRC, DST, 64, bos[1].map);
	edu_expect_copy(&bos[0], PAGE, SRC + PAGE, &bos[1], 0, DST, 64);

	word = bos[1].map[0];
	sgt_must(edu_unmap(drm, DST, 2 * PAGE));
	edu_expect_fault(drm, SRC + PAGE, DST, 64, bos[1].map);
	igt_assert_eq_u32(bos[1].map[0], word);
	free_two(bos);
}

static void test_half_mapped(int drm)
{
	struct sgt_bo bos[2];

	make_two(drm, bos, 2);
	sgt_must(edu_map(&bos[0], SRC, PAGE, 0));
	sgt_must(edu_map(&bos[1], DST, 2 * PAGE, 0));
	edu_expect_fault(drm, SRC + PAGE - 64, DST, 128, bos[1].map);
	sgt_must(edu_unmap(drm, DST + PAGE, PAGE));
	edu_expect_fault(drm, SRC, DST + PAGE - 64, 128, bos[1].map + WORDS_PER_PAGE);
	free_two(bos);
}

static void test_read_only(int drm)
{
	struct sgt_bo bos[2];

	make_two(drm, bos, 1);
	sgt_must(edu_map_readonly(&bos[0], SRC, PAGE, 0));
	sgt_must(edu_map(&bos[1], DST, PAGE, 0));
	edu_expect_fault(drm, DST, SRC, 64, bos[0].map);
	edu_expect_copy(&bos[0], 0, SRC, &bos[1], 0, DST, 64);
	/* The unit has the page in its IOTLB now. */
	edu_expect_fault(drm, DST + 256, SRC, 64, bos[0].map);
	free_two(bos);
}

static void test_after_a_fault(int drm)
{
	struct sgt_bo bos[2];
	int files[4];

	make_two(drm, bos, 1);
	map_two(bos);
	for (int i = 0; i < 4; i++)
		files[i] = sgt_must(edu_copy_begin(drm, i & 1 ? SRC : SRC + PAGE, DST, 64));
	for (int i = 0; i < 4; i++) {
		igt_assert_eq(sgt_sync_file_wait(files[i]), i & 1 ? 1 : -EFAULT);
		close(files[i]);
	}
	free_two(bos);
}

static void test_other_file(int drm)
{
	int drms[2] = { drm, edu_open() };
	struct sgt_bo bos[2][2];

	for (int i = 0; i < 2; i++) {
		make_two(drms[i], bos[i], 1);
		map_two(bos[i]);
	}
	for (int i = 0; i < 4; i++)
		edu_expect_copy(&bos[i & 1][0], 64 * i, SRC + 64 * i, &bos[i & 1][1], 0,
				DST, 64);
	free_two(bos[0]);
	sgt_must(edu_unmap(drms[0], SRC, PAGE));
	edu_expect_copy(&bos[1][0], 0, SRC, &bos[1][1], 0, DST, 64);
	edu_expect_fault(drms[0], SRC, DST, 64, bos[1][1].map);
	free_two(bos[1]);
	close(drms[1]);
}

static void test_closed_handle(int drm)
{
	struct sgt_device_row row;
	struct sgt_bo bos[2];
	int buffers;

	sgt_must(edu_find_device(pci, "live", &row));
	buffers = sgt_must(sgt_count_buffers(row.id));
	make_two(drm, bos, 4);
	map_two(bos);
	sgt_must(sgt_close_handle(drm, bos[0].handle));
	edu_expect_copy(&bos[0], 0, SRC, &bos[1], 0, DST, 64);

	/* The CPU's mapping keeps it as well. */
	munmap(bos[0].map, bos[0].size);
	igt_assert_eq(sgt_must(sgt_count_buffers(row.id)), buffers + 2);
	sgt_must(edu_unmap(drm, SRC + PAGE, PAGE));
	sgt_must(edu_copy(drm, SRC + 2 * PAGE, DST, 64));
	sgt_must(edu_unmap(drm, SRC, PAGE));
	igt_assert_eq(sgt_must(sgt_count_buffers(row.id)), buffers + 2);
	sgt_must(edu_unmap(drm, SRC + 2 * PAGE, 2 * PAGE));
	igt_assert_eq(sgt_must(sgt_count_buffers(row.id)), buffers + 1);
	sgt_must(edu_unmap(drm, DST, bos[1].size));
	sgt_bo_free(&bos[1]);
	igt_assert_eq(sgt_must(sgt_count_buffers(row.id)), buffers);
}

static void test_pending(int drm)
{
	int files[EDU_GPU_MAX_JOBS + 1], count = 0;
	struct sgt_bo bos[2];

	make_two(drm, bos, 16);
	map_two(bos);
	/* While the first one is in progress, for seconds */
	while (count <= EDU_GPU_MAX_JOBS) {
		files[count] = edu_copy_begin(drm, SRC, DST, count ? 4 : EDU_GPU_MAX_COPY);
		if (files[count] < 0)
			break;
		count++;
	}
	igt_assert_eq(count, EDU_GPU_MAX_JOBS);
	igt_assert_eq(files[count], -EBUSY);
	igt_assert_eq(sgt_sync_file_wait(files[1]), 1);
	igt_assert_eq(sgt_sync_file_status(files[0]), 1);
	for (int i = 0; i < count; i++)
		close(files[i]);
	free_two(bos);
}

static void test_bad_bind(int drm)
{
	struct drm_edu_gpu_vm_bind good, args;
	struct sgt_bo bo;

	edu_make(&bo, drm, 4, 0);
	good = (struct drm_edu_gpu_vm_bind) { .handle = bo.handle, .va = SRC, .len = 2 * PAGE };

#define refuse(field, value, error) do {				\
		args = good;						\
		args.field = value;					\
		do_ioctl_err(drm, DRM_IOCTL_EDU_GPU_VM_BIND, &args, error); \
	} while (0)

	refuse(op, 3, EINVAL);
	refuse(flags, 2, EINVAL);
	refuse(pad, 1, EINVAL);
	refuse(handle, bo.handle + 100, ENOENT);
	refuse(va, SRC + 1, EINVAL);
	refuse(va, EDU_GPU_VA_SIZE - PAGE, EINVAL);
	refuse(va, -PAGE, EINVAL);
	refuse(len, 0, EINVAL);
	refuse(len, PAGE + 1, EINVAL);
	refuse(len, -PAGE, EINVAL);
	refuse(len, 5 * PAGE, ERANGE);
	refuse(offset, 1, EINVAL);
	refuse(offset, 3 * PAGE, ERANGE);
	refuse(offset, -PAGE, ERANGE);

	do_ioctl(drm, DRM_IOCTL_EDU_GPU_VM_BIND, &good);
	refuse(va, SRC + PAGE, EEXIST);
	good.op = EDU_GPU_VM_BIND_UNMAP;
	refuse(offset, 0, EINVAL);	/* has a handle */
	good.handle = 0;
	refuse(flags, EDU_GPU_VM_BIND_READONLY, EINVAL);
	refuse(offset, PAGE, EINVAL);
	do_ioctl(drm, DRM_IOCTL_EDU_GPU_VM_BIND, &good);
#undef refuse
	sgt_bo_free(&bo);
}

static void test_bad_copy(int drm)
{
	const struct drm_edu_gpu_copy good = { .src = SRC, .dst = DST, .len = 64 };
	struct drm_edu_gpu_copy args;

#define refuse(field, value) do {					\
		args = good;						\
		args.field = value;					\
		do_ioctl_err(drm, DRM_IOCTL_EDU_GPU_COPY, &args, EINVAL); \
	} while (0)

	refuse(len, 0);
	refuse(len, EDU_GPU_MAX_COPY + 1);
	refuse(flags, 1);
	refuse(pad, 1);
	refuse(src, EDU_GPU_VA_SIZE - 63);
	refuse(dst, EDU_GPU_VA_SIZE - 63);
	refuse(src, -64);
	refuse(dst, SRC);
	refuse(dst, SRC + 63);
	refuse(dst, SRC - 63);
#undef refuse
}

int igt_main()
{
	static const struct {
		const char *name;
		const char *describe;
		void (*run)(int drm);
	} tests[] = {
		{ "bytes", "A copy writes its bytes and no others", test_bytes },
		{ "corners", "All entries of the tables are found", test_corners },
		{ "large-leaves", "Large leaves map all of their bytes", test_large_leaves },
		{ "cut-large-leaf", "A split keeps what it does not unmap", test_cut_large_leaf },
		{ "remap", "No old translation is left", test_remap },
		{ "replace", "There is no moment of nothing", test_replace },
		{ "unmapped", "A fault is an error of the copy", test_unmapped },
		{ "unmap-used", "The IOTLB is flushed before an unmap returns", test_unmap_used },
		{ "half-mapped", "Each page of a copy is translated", test_half_mapped },
		{ "read-only", "Permissions are those of the map", test_read_only },
		{ "after-a-fault", "A fault ends its own copy only", test_after_a_fault },
		{ "other-file", "Address spaces are separate", test_other_file },
		{ "closed-handle", "A mapping holds its buffer", test_closed_handle },
		{ "pending", "What a file can queue is limited", test_pending },
		{ "bad-bind", "Wrong input is refused", test_bad_bind },
		{ "bad-copy", "Wrong input is refused", test_bad_copy },
	};
	int drm = -1;

	igt_fixture()
		edu_begin(pci);

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].describe);
		igt_subtest(tests[i].name) {
			drm = edu_open();
			tests[i].run(drm);
			close(drm);
		}
	}
}
