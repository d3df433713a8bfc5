// SPDX-License-Identifier: GPL-2.0
#include <sys/mman.h>

#include "igt.h"

#include "lib/sgt_test.h"

/**
 * TEST: sgt huge
 * Description: Buffers of huge pages
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: buffer mapping
 * Test category: functionality test
 *
 * SUBTEST: folios
 * Description: Huge pages where they fit, if the parameter says so, and all bytes
 *
 * SUBTEST: alignment
 * Description: Addresses that mmap chooses are aligned to huge pages, others are taken
 */

IGT_TEST_DESCRIPTION("Buffers of huge pages");

#define PARAMETER	"/sys/module/drm_gem_sgt/parameters/huge_pages"
#define HUGE		(512 * PAGE)

static void make_mapped(struct sgt_bo *bo, int drm, size_t pages, bool huge)
{
	sgt_must(sgt_write_file(PARAMETER, huge ? "Y" : "N"));
	sgt_must(sgt_bo_create(bo, drm, WORDS_PER_PAGE, pages));
	sgt_must(sgt_bo_map(bo));
}

static void expect_folios(const struct sgt_test *test, int drm, size_t pages, bool huge,
			  size_t folios)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_buffer_row row;
	struct sgt_bo bo;

	make_mapped(&bo, drm, pages, huge);
	sgt_expect_row(test, &bo, &row);
	igt_assert_eq_u64(row.folios, folios);
	sgt_fill(bo.map, sgt_bo_words(&bo), seed);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	sgt_bo_free(&bo);
}

static void test_folios(const struct sgt_test *test, int drm)
{
	expect_folios(test, drm, 4 * 512, true, 4);
	expect_folios(test, drm, 2 * 512 + 9, true, 2 + 9);
	expect_folios(test, drm, 511, true, 511);
	expect_folios(test, drm, 2 * 512, false, 2 * 512);
}

static void expect_aligned(void *map, bool aligned)
{
	igt_assert(map);
	igt_assert_eq(!((uintptr_t)map % HUGE), aligned);
}

/* Maps at an address that the caller chooses, with and without force. */
static void expect_taken(const struct sgt_bo *bo, void *at, int flags)
{
	struct drm_mode_map_dumb arg = { .handle = bo->handle };

	do_ioctl(bo->drm, DRM_IOCTL_MODE_MAP_DUMB, &arg);
	igt_assert(mmap(at, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED | flags, bo->drm,
			arg.offset) == at);
	sgt_expect_pattern(at, sgt_bo_words(bo), 1);
	igt_assert_eq(munmap(at, bo->size), 0);
}

/* The fake offset of the second buffer is not aligned. */
static void test_alignment(int drm)
{
	size_t pages = 2 * 512 + 3;
	struct sgt_bo small, bo;
	char *map;

	sgt_must(sgt_bo_create(&small, drm, WORDS_PER_PAGE, 1));
	make_mapped(&bo, drm, pages, true);
	expect_aligned(bo.map, true);
	sgt_fill(bo.map, sgt_bo_words(&bo), 1);

	/* A part of it; and one that no huge page fits into */
	map = sgt_mmap_handle(drm, bo.handle, HUGE);
	expect_aligned(map, true);
	munmap(map, HUGE);
	map = sgt_mmap_handle(drm, bo.handle, HUGE - PAGE);
	igt_assert(map);
	munmap(map, HUGE - PAGE);

	map = mmap(NULL, bo.size + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	igt_assert(map != MAP_FAILED);
	map = (char *)ALIGN((uintptr_t)map, HUGE);
	expect_taken(&bo, map + PAGE, MAP_FIXED);
	expect_taken(&bo, map + PAGE, 0);
	sgt_bo_free(&bo);
	sgt_bo_free(&small);
}

int igt_main()
{
	struct sgt_baseline base = {};
	struct sgt_test test = {};
	int drm = -1;

	igt_fixture() {
		drm = sgt_test_begin(&test);
		sgt_require_tables(&test);
		/* So that there are huge pages, even after other tests */
		sgt_must(sgt_write_file("/proc/sys/vm/compact_memory", "1"));
		sgt_baseline_take(&test, &base);
	}

	igt_describe("Folio by folio");
	igt_subtest("folios") {
		test_folios(&test, drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Where a mapping is");
	igt_subtest("alignment") {
		test_alignment(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_fixture() {
		sgt_must(sgt_write_file(PARAMETER, "N"));
		close(drm);
	}
}
