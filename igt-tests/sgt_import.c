// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "igt.h"

#include "lib/sgt_imported.h"
#include "lib/sgt_test.h"
#include "lib/sgt_virtgpu.h"

/**
 * TEST: sgt import
 * Description: Import buffers of other exporters
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: PRIME import
 * Test category: functionality test
 *
 * SUBTEST: sizes
 * Description: Imports of one page, of many and of 64 MiB are mapped as a whole
 *
 * SUBTEST: bad-fd
 * Description: No file, a file that is no dma-buf and a closed one are refused
 *
 * SUBTEST: import-self
 * Description: A dma-buf imported where it came from is the same buffer
 *
 * SUBTEST: bypass
 * Description: Imports are refused where addresses are translated for others, but not for the GPU
 *
 * SUBTEST: %s-table
 * Description: %arg[1] is mapped from its import until its handle is closed
 *
 * SUBTEST: %s-twice
 * Description: %arg[1] has one handle in a file, and another object in another file
 *
 * SUBTEST: %s-reexport
 * Description: %arg[1] exports as the dma-buf that it was imported from
 *
 * arg[1]:
 *
 * @udmabuf: An import of a memfd
 * @vgem: An import of a buffer of vgem
 */

IGT_TEST_DESCRIPTION("Import buffers of other exporters");

/* A size that no other buffer of the device has */
#define WIDTH	333u
#define HEIGHT	111u

/* An IOMMU merges the pages that the exporter lists. */
static void check_row(const struct sgt_buffer_row *row, const struct sgt_foreign *foreign)
{
	unsigned long pages = foreign->size / PAGE;

	igt_info("%lu pages in %lu DMA segments\n", pages, row->dma_segs);
	igt_assert(!strcmp(row->source, "dma-buf"));
	igt_assert(!strcmp(row->state, "mapped"));
	igt_assert_eq_u64(row->size, foreign->size);
	igt_assert(row->dma_segs > 0 && row->dma_segs <= pages);
	if (sgt_setup_is("iommu") && pages > 1)
		igt_assert(row->dma_segs < pages);
	igt_assert_eq_u64(row->folios, 0);
	igt_assert_eq_u64(row->cpu_ents, 0);
	igt_assert_eq(row->exported, 0);
}

static void test_table(const struct sgt_test *test, int drm, enum sgt_exporter exporter)
{
	struct sgt_device_row before, after;
	struct sgt_imported import;
	struct sgt_buffer_row row;

	sgt_must(sgt_find_live_device(&before));
	sgt_import_begin(&import, drm, exporter, WIDTH, HEIGHT);
	igt_assert_eq_u64(import.bo.size, import.foreign.size);
	sgt_expect_row(test, &import.bo, &row);
	check_row(&row, &import.foreign);
	igt_assert_eq(row.handles, 1);
	igt_assert_eq(sgt_must(sgt_dmabuf_attachments(test->gpu.pci)), 1);

	sgt_must(sgt_find_live_device(&after));
	igt_assert_eq_u64(after.mapped - before.mapped, 1);
	igt_assert_eq_u64(after.bytes_mapped - before.bytes_mapped, import.foreign.size);
	igt_assert_eq_u64(after.maps - before.maps, 1);
	igt_assert_eq_u64(after.unmaps, before.unmaps);

	/* The exporter keeps the memory and its contents. */
	sgt_import_fill(&import, 1);
	sgt_must(sgt_bo_close(&import.bo));
	sgt_import_check(&import, 1);
	sgt_must(sgt_find_live_device(&after));
	igt_assert_eq_u64(after.mapped, before.mapped);
	igt_assert_eq_u64(after.bytes_mapped, before.bytes_mapped);
	igt_assert_eq_u64(after.unmaps - before.unmaps, 1);
	igt_assert_eq(sgt_must(sgt_dmabuf_attachments(test->gpu.pci)), 0);
	sgt_import_end(&import);
}

/* A dma-buf is one object in a file, and another object in another file. */
static void test_twice(const struct sgt_test *test, int drm, enum sgt_exporter exporter)
{
	struct sgt_baseline one, now;
	struct sgt_imported import;
	struct sgt_buffer_row row;
	struct sgt_bo again, third;
	int other;

	sgt_import_begin(&import, drm, exporter, WIDTH, HEIGHT);
	sgt_baseline_take(test, &one);
	sgt_must(sgt_bo_import(&again, drm, import.foreign.fd, WIDTH, HEIGHT));
	igt_assert_eq(again.handle, import.bo.handle);
	sgt_baseline_check(test, &one);
	sgt_expect_row(test, &import.bo, &row);
	igt_assert_eq(row.handles, 1);

	other = sgt_must(sgt_open());
	sgt_must(sgt_bo_import(&third, other, import.foreign.fd, WIDTH, HEIGHT));
	sgt_baseline_take(test, &now);
	igt_assert_eq(now.buffers - one.buffers, 1);
	igt_assert_eq_u64(now.mapped - one.mapped, 1);
	igt_assert_eq(sgt_must(sgt_dmabuf_attachments(test->gpu.pci)), 2);

	/* Both imports gave the same handle; the object of the other file remains. */
	sgt_must(sgt_bo_close(&import.bo));
	igt_assert_eq(sgt_bo_close(&again), -EINVAL);
	igt_assert_eq(sgt_must(sgt_dmabuf_attachments(test->gpu.pci)), 1);
	sgt_expect_row(test, &third, &row);
	check_row(&row, &import.foreign);
	close(other);
	sgt_import_end(&import);
}

static ino_t inode_of(int fd)
{
	struct stat st;

	igt_assert_eq(fstat(fd, &st), 0);
	return st.st_ino;
}

static void test_reexport(const struct sgt_test *test, int drm, enum sgt_exporter exporter)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_imported import;
	uint32_t handle = 0, *map;
	int fd;

	(void)test;
	sgt_import_begin(&import, drm, exporter, WIDTH, HEIGHT);
	sgt_import_fill(&import, seed);
	fd = sgt_must(sgt_bo_export(&import.bo));
	igt_assert_eq_u64(inode_of(fd), inode_of(import.foreign.fd));

	/* The dma-buf can still be mapped. */
	map = sgt_mmap_fd(fd, import.foreign.size);
	igt_assert(map);
	sgt_expect_pattern(map, sgt_bo_words(&import.bo), seed);
	munmap(map, import.foreign.size);

	if (import.foreign.drm >= 0) {
		igt_assert_eq(drmPrimeFDToHandle(import.foreign.drm, fd, &handle), 0);
		igt_assert_eq(handle, import.foreign.handle);
	}
	close(fd);
	sgt_import_end(&import);
}

/* QEMU takes 16384 entries: one for each page of the last size. */
static void test_sizes(const struct sgt_test *test, int drm)
{
	static const struct {
		uint32_t width, height;
	} sizes[] = {
		{ 32, 32 }, { 32, 33 }, { 1023, 1025 }, { 4096, 4096 },
	};

	for (int i = 0; i < 2 * (int)ARRAY_SIZE(sizes); i++) {
		struct sgt_imported import;
		struct sgt_buffer_row row;

		sgt_import_begin(&import, drm, i & 1, sizes[i / 2].width, sizes[i / 2].height);
		sgt_expect_row(test, &import.bo, &row);
		check_row(&row, &import.foreign);
		sgt_import_fill(&import, i);
		sgt_must(sgt_bo_add_fb(&import.bo));
		sgt_import_check(&import, i);
		sgt_import_end(&import);
	}
}

static void test_bad_fd(int drm)
{
	uint32_t handle = 0;
	int null, closed;

	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	closed = dup(null);
	igt_assert(null >= 0 && closed >= 0);
	close(closed);

	igt_assert_eq(drmPrimeFDToHandle(drm, -1, &handle), -1);
	igt_assert_eq(errno, EBADF);
	igt_assert_eq(drmPrimeFDToHandle(drm, closed, &handle), -1);
	igt_assert_eq(errno, EBADF);
	igt_assert_eq(drmPrimeFDToHandle(drm, null, &handle), -1);
	igt_assert_eq(errno, EINVAL);
	igt_assert_eq(drmPrimeFDToHandle(drm, drm, &handle), -1);
	igt_assert_eq(errno, EINVAL);
	close(null);
}

static void test_import_self(const struct sgt_test *test, int drm)
{
	struct sgt_buffer_row before = {}, row;
	uint32_t seed = sgt_new_seed();
	uint32_t handle = 0;
	struct sgt_bo bo;
	uint32_t *map;
	int fd, other;

	sgt_must(sgt_bo_create(&bo, drm, WIDTH, HEIGHT));
	sgt_must(sgt_bo_map(&bo));
	sgt_fill(bo.map, sgt_bo_words(&bo), seed);
	fd = sgt_must(sgt_bo_export(&bo));
	if (test->tables)
		sgt_expect_row(test, &bo, &before);

	igt_assert_eq(drmPrimeFDToHandle(drm, fd, &handle), 0);
	igt_assert_eq(handle, bo.handle);

	other = sgt_must(sgt_open());
	igt_assert_eq(drmPrimeFDToHandle(other, fd, &handle), 0);
	map = sgt_mmap_handle(other, handle, bo.size);
	igt_assert(map);
	sgt_expect_pattern(map, sgt_bo_words(&bo), seed);
	sgt_fill(map, sgt_bo_words(&bo), ~seed);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), ~seed);
	munmap(map, bo.size);

	/* There is no second object and no attachment: both handles are of one object. */
	if (test->tables) {
		sgt_expect_row(test, &bo, &row);
		igt_assert(!strcmp(row.source, "shmem"));
		igt_assert_eq(row.handles, 2);
		/* All handles of an object share one reference. */
		igt_assert_eq(row.refs, before.refs);
		igt_assert_eq(row.exported, 1);
		igt_assert_eq(sgt_must(sgt_dmabuf_attachments(test->gpu.pci)), 0);
	}
	close(other);
	close(fd);
	sgt_bo_free(&bo);
}

/* Twice, as the first refusal must leave no state behind. */
static void refuse_import(const struct sgt_test *test, int drm, enum sgt_exporter exporter)
{
	struct sgt_imported import;
	struct sgt_import_state before;

	sgt_import_make(&import, exporter, WIDTH, HEIGHT);
	sgt_import_look(test, &before);
	for (int i = 0; i < 2; i++)
		igt_assert_eq(sgt_bo_import(&import.bo, drm, import.foreign.fd, WIDTH, HEIGHT),
			      -EOPNOTSUPP);
	sgt_import_check_clean(test, &before);
	sgt_import_fill(&import, 1);
	sgt_import_check(&import, 1);
	sgt_import_end(&import);
}

static void test_bypass(const struct sgt_test *test, int drm)
{
	struct sgt_screen screen;
	struct sgt_bo bo;
	uint32_t seed = sgt_new_seed();

	for (int exporter = 0; exporter < SGT_EXPORTERS; exporter++)
		refuse_import(test, drm, exporter);

	/* Buffers of the device itself still work. */
	test_import_self(test, drm);
	sgt_must(sgt_screen_find(&screen, drm));
	sgt_make_picture(&bo, &screen, seed);
	sgt_must(sgt_screen_show(&screen, &bo, 0));
	sgt_expect_screen(&screen, seed);
	sgt_must(sgt_screen_off(&screen));
	sgt_bo_free(&bo);
}

int igt_main()
{
	static const struct {
		const char *name, *what;
		void (*run)(const struct sgt_test *test, int drm, enum sgt_exporter exporter);
	} tests[] = {
		{ "table", "The tables list imports", test_table },
		{ "twice", "One dma-buf is one handle", test_twice },
		{ "reexport", "The exported dma-buf is that of the exporter", test_reexport },
	};
	struct sgt_import_state before = {};
	struct sgt_test test = {};
	int drm = -1;

	igt_fixture()
		drm = sgt_test_begin(&test);

	igt_describe("Memory of other exporters");
	igt_subtest_group() {
		igt_fixture() {
			sgt_require_tables(&test);
			igt_require(!sgt_setup_is("bypass"));
			sgt_import_look(&test, &before);
		}

		for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
			for (int exporter = 0; exporter < SGT_EXPORTERS; exporter++) {
				igt_describe(tests[i].what);
				igt_subtest_f("%s-%s", sgt_exporter_name[exporter],
					      tests[i].name) {
					tests[i].run(&test, drm, exporter);
					sgt_import_check_clean(&test, &before);
				}
			}
		}

		igt_describe("Small and large");
		igt_subtest("sizes") {
			test_sizes(&test, drm);
			sgt_import_check_clean(&test, &before);
		}

		igt_describe("Only dma-bufs are imported");
		igt_subtest("bad-fd") {
			test_bad_fd(drm);
			sgt_import_check_clean(&test, &before);
		}
	}

	igt_describe("An import by the exporter");
	igt_subtest("import-self") {
		struct sgt_baseline base;

		igt_require(!sgt_setup_is("bypass"));
		sgt_baseline_take(&test, &base);
		test_import_self(&test, drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("DMA addresses that the device cannot use");
	igt_subtest("bypass") {
		igt_require(sgt_setup_is("bypass"));
		sgt_require_tables(&test);
		sgt_import_look(&test, &before);
		test_bypass(&test, drm);
		sgt_import_check_clean(&test, &before);
	}

	igt_fixture()
		close(drm);
}
