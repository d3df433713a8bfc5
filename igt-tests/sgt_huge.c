// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>

#include "igt.h"

#include "lib/sgt_children.h"
#include "lib/sgt_removal.h"

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
 *
 * SUBTEST: faults
 * Description: One fault maps a huge page, for reading and writing, and through a dma-buf
 *
 * SUBTEST: partial-munmap
 * Description: Unmapping a page of a huge one leaves the others, in small pages
 *
 * SUBTEST: mremap
 * Description: A mapping moves as it is, or in small pages to an address that is not aligned
 *
 * SUBTEST: mprotect
 * Description: Huge pages are read-only and then writable again
 *
 * SUBTEST: fork
 * Description: A child has the huge pages, and shares them
 *
 * SUBTEST: unbind
 * Description: Huge pages stay, and are mapped again, after an unbind
 */

IGT_TEST_DESCRIPTION("Buffers of huge pages");

#define HUGE		(512 * PAGE)
/* A fault maps this many small pages. */
#define AROUND		16
/* Four huge pages, and a tail of 20 small ones: that makes six faults. */
#define PAGES		(4 * 512 + 20)
#define FAULTS		6

static void make_mapped(struct sgt_bo *bo, int drm, size_t pages, bool huge)
{
	sgt_must(sgt_write_file(SGT_HUGE_PAGES, huge ? "Y" : "N"));
	sgt_must(sgt_bo_create(bo, drm, WORDS_PER_PAGE, pages));
	sgt_must(sgt_bo_map(bo));
}

static void expect_folios(const struct sgt_test *test, int drm, size_t pages, bool huge,
			  size_t least, size_t most)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_buffer_row row;
	struct sgt_bo bo;

	make_mapped(&bo, drm, pages, huge);
	sgt_expect_row(test, &bo, &row);
	igt_assert(row.folios >= least && row.folios <= most);
	sgt_fill(bo.map, sgt_bo_words(&bo), seed);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	sgt_bo_free(&bo);
}

static void test_folios(const struct sgt_test *test, int drm)
{
	expect_folios(test, drm, 4 * 512, true, 4, 4);
	/* By 7.3, what is left over is not in single pages. */
	expect_folios(test, drm, 2 * 512 + 9, true, 2 + 1, 2 + 9);
	expect_folios(test, drm, 511, true, 511, 511);
	expect_folios(test, drm, 2 * 512, false, 2 * 512, 2 * 512);
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

/* Reads or writes the first word of each page.  Returns the number of faults. */
static long touch(uint32_t *map, size_t first, size_t end, bool write, uint32_t seed)
{
	volatile uint32_t *at = map;
	long faults = -sgt_count_faults();

	for (size_t i = first * WORDS_PER_PAGE; i < end * WORDS_PER_PAGE; i += WORDS_PER_PAGE)
		if (write)
			at[i] = sgt_pattern(i, seed);
		else
			igt_assert_eq_u32(at[i], sgt_pattern(i, seed));
	return faults + sgt_count_faults();
}

/* A buffer that is filled, and has a new mapping without faults so far */
static uint32_t make_untouched(struct sgt_bo *bo, int drm, size_t pages)
{
	uint32_t seed = sgt_new_seed();

	make_mapped(bo, drm, pages, true);
	sgt_fill(bo->map, sgt_bo_words(bo), seed);
	sgt_expect_faults(touch(bo->map, 0, pages, false, seed), 0);
	munmap(bo->map, bo->size);
	sgt_must(sgt_bo_map(bo));
	return seed;
}

/* A huge page that is mapped for a read needs no other fault for a write. */
static void test_faults(int drm)
{
	struct sgt_bo bo;
	uint32_t seed, *map;
	int fd;

	for (int write = 0; write <= 1; write++) {
		seed = make_untouched(&bo, drm, PAGES);
		sgt_expect_faults(touch(bo.map, 0, PAGES, write, seed), FAULTS);
		sgt_expect_faults(touch(bo.map, 0, PAGES, !write, seed), 0);
		sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
		sgt_bo_free(&bo);
	}

	seed = make_untouched(&bo, drm, 2 * 512);
	fd = sgt_must(sgt_bo_export(&bo));
	map = sgt_mmap_fd(fd, bo.size);
	igt_assert(map);
	sgt_expect_faults(touch(map, 0, 2 * 512, true, seed), 2);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	munmap(map, bo.size);
	close(fd);
	sgt_bo_free(&bo);
}

/* The hole is in the second huge page. */
static void test_partial_munmap(int drm)
{
	size_t hole = 512 + 5 * AROUND;
	struct sgt_bo bo;
	uint32_t value, seed = make_untouched(&bo, drm, PAGES);
	char *map = (char *)bo.map;

	touch(bo.map, 0, PAGES, true, seed);
	igt_assert_eq(munmap(map + hole * PAGE, PAGE), 0);
	igt_assert_eq(sgt_try_read((uint32_t *)(map + hole * PAGE), &value), SIGSEGV);
	sgt_expect_faults(touch(bo.map, 0, 512, false, seed), 0);
	sgt_expect_faults(touch(bo.map, 512, hole, false, seed), 5);
	sgt_expect_faults(touch(bo.map, hole + 1, 1024, true, seed), 512 / AROUND - 5);
	sgt_expect_faults(touch(bo.map, 1024, PAGES, false, seed), 0);

	munmap(map, hole * PAGE);
	munmap(map + (hole + 1) * PAGE, bo.size - (hole + 1) * PAGE);
	sgt_must(sgt_bo_map(&bo));
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	sgt_bo_free(&bo);
}

static void test_mremap(int drm)
{
	struct sgt_bo bo;
	uint32_t seed = make_untouched(&bo, drm, PAGES);
	char *to;

	to = mmap(NULL, bo.size + 2 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	igt_assert(to != MAP_FAILED);
	to = (char *)ALIGN((uintptr_t)to, HUGE);

	touch(bo.map, 0, PAGES, true, seed);
	bo.map = mremap(bo.map, bo.size, bo.size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	igt_assert(bo.map == (void *)to);
	sgt_expect_faults(touch(bo.map, 0, PAGES, true, seed), 0);

	/* Only small pages can be where it moves now. */
	to = mmap(NULL, bo.size + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	igt_assert(to != MAP_FAILED);
	to = (char *)ALIGN((uintptr_t)to, HUGE) + 3 * PAGE;
	bo.map = mremap(bo.map, bo.size, bo.size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	igt_assert(bo.map == (void *)to);
	igt_assert_lte(512 / AROUND, touch(bo.map, 0, 512, true, seed));
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	sgt_bo_free(&bo);
}

static void test_mprotect(int drm)
{
	struct sgt_bo bo;
	uint32_t seed = make_untouched(&bo, drm, PAGES);

	for (int touched = 0; touched <= 1; touched++) {
		if (touched)
			touch(bo.map, 0, PAGES, true, seed);
		igt_assert_eq(mprotect(bo.map, bo.size, PROT_READ), 0);
		sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
		igt_assert_eq(sgt_try_write(bo.map + sgt_bo_words(&bo) / 2, 0), SIGSEGV);

		seed = sgt_new_seed();
		igt_assert_eq(mprotect(bo.map, bo.size, PROT_READ | PROT_WRITE), 0);
		sgt_fill(bo.map, sgt_bo_words(&bo), seed);
		sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	}
	sgt_bo_free(&bo);
}

static void test_fork(int drm)
{
	struct sgt_bo bo;
	uint32_t seed = make_untouched(&bo, drm, PAGES), other = sgt_new_seed();

	touch(bo.map, 0, PAGES, true, seed);
	igt_fork(child, 1) {
		sgt_expect_faults(touch(bo.map, 0, PAGES, false, seed), 0);
		sgt_expect_faults(touch(bo.map, 0, PAGES, true, other), 0);
	}
	sgt_children_wait();
	sgt_expect_faults(touch(bo.map, 0, PAGES, false, other), 0);
	sgt_bo_free(&bo);
}

/* The core unmaps everything, and the process maps it again. */
static void test_unbind(struct sgt_test *test)
{
	int drm = sgt_must(sgt_open());
	struct sgt_before before;
	struct sgt_bo bo;
	uint32_t seed;

	sgt_look_before(test, &before);
	seed = make_untouched(&bo, drm, PAGES);
	/* The driver maps what it shows. */
	sgt_must(sgt_bo_add_fb(&bo));
	touch(bo.map, 0, PAGES, true, seed);
	sgt_remove(test, SGT_ROUTE_VIRTIO);
	sgt_expect_gone(test, &before, 1);
	sgt_expect_faults(touch(bo.map, 0, PAGES, false, seed), FAULTS);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	seed = sgt_new_seed();
	sgt_fill(bo.map, sgt_bo_words(&bo), seed);

	sgt_bring_back(test, SGT_ROUTE_VIRTIO);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	sgt_bo_free(&bo);
	close(drm);
	sgt_expect_forgotten(test, &before);
}

int igt_main()
{
	static const struct {
		const char *name;
		void (*run)(int drm);
	} tests[] = {
		{ "alignment", test_alignment },
		{ "faults", test_faults },
		{ "partial-munmap", test_partial_munmap },
		{ "mremap", test_mremap },
		{ "mprotect", test_mprotect },
		{ "fork", test_fork },
	};
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

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe("Mappings of huge pages");
		igt_subtest(tests[i].name) {
			tests[i].run(drm);
			sgt_baseline_check(&test, &base);
		}
	}

	igt_subtest_group() {
		igt_fixture() {
			close(drm);
			sgt_removal_begin(&test);
		}

		igt_describe("The pages outlive the device");
		igt_subtest("unbind")
			test_unbind(&test);

		igt_fixture()
			sgt_removal_recover(&test);
	}

	igt_fixture()
		sgt_must(sgt_write_file(SGT_HUGE_PAGES, "N"));
}
