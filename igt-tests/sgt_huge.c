// SPDX-License-Identifier: GPL-2.0
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

	igt_fixture() {
		sgt_must(sgt_write_file(PARAMETER, "N"));
		close(drm);
	}
}
