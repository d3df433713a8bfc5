// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>

#include "igt.h"
#include "virtgpu_drm.h"

#include "lib/sgt_children.h"
#include "lib/sgt_imported.h"
#include "lib/sgt_test.h"

/**
 * TEST: sgt import map
 * Description: Map buffers of other exporters through the DRM file
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: PRIME import
 * Test category: functionality test
 *
 * SUBTEST: %s-bytes
 * Description: %arg[1]: mappings of the DRM file, the dma-buf and the exporter show the same bytes
 *
 * SUBTEST: %s-picture
 * Description: %arg[1]: the host shows what was drawn through the DRM file
 *
 * SUBTEST: %s-parts
 * Description: %arg[1]: a mapping can shrink and move, but not grow
 *
 * SUBTEST: %s-fork
 * Description: %arg[1]: children write through the mapping they inherit and through a new one
 *
 * SUBTEST: %s-outlives
 * Description: %arg[1]: a mapping outlives the handle and the file, but does not keep the import
 *
 * SUBTEST: %s-refused
 * Description: %arg[1]: other sizes, files without a handle and private mappings are refused
 *
 * arg[1]:
 *
 * @udmabuf: An import of a memfd
 * @vgem: An import of a buffer of vgem
 */

IGT_TEST_DESCRIPTION("Map buffers of other exporters through the DRM file");

/* A page is a row: enough of them for a framebuffer. */
#define PAGES	48u

static void begin(struct sgt_imported *import, int drm, enum sgt_exporter exporter)
{
	sgt_import_begin(import, drm, exporter, WORDS_PER_PAGE, PAGES);
	sgt_must(sgt_bo_map(&import->bo));
}

static uint64_t offset_of(const struct sgt_bo *bo)
{
	struct drm_mode_map_dumb arg = { .handle = bo->handle };

	do_ioctl(bo->drm, DRM_IOCTL_MODE_MAP_DUMB, &arg);
	igt_assert(arg.offset);
	return arg.offset;
}

static void check_offset(const struct sgt_bo *bo)
{
	struct drm_virtgpu_map arg = { .handle = bo->handle };

	do_ioctl(bo->drm, DRM_IOCTL_VIRTGPU_MAP, &arg);
	igt_assert_eq_u64(arg.offset, offset_of(bo));
}

static void test_bytes(const struct sgt_test *test, int drm, enum sgt_exporter exporter)
{
	struct sgt_imported import;
	uint32_t *dmabuf;
	size_t words;

	(void)test;
	begin(&import, drm, exporter);
	words = sgt_bo_words(&import.bo);
	dmabuf = sgt_mmap_fd(import.foreign.fd, import.foreign.size);
	igt_assert(dmabuf);
	for (int i = 0; i < 2; i++) {
		uint32_t seed = sgt_new_seed();

		check_offset(&import.bo);
		sgt_fill(import.bo.map, words, seed);
		sgt_expect_pattern(dmabuf, words, seed);
		sgt_import_check(&import, seed);
		sgt_fill(dmabuf, words, ~seed);
		sgt_expect_pattern(import.bo.map, words, ~seed);
		/* The second round has a resource. */
		sgt_must(import.bo.fb ? 0 : sgt_bo_add_fb(&import.bo));
	}
	munmap(dmabuf, import.foreign.size);
	sgt_import_end(&import);
}

/* Draws without the brackets of a dma-buf, as in any other buffer of the device. */
static void test_picture(const struct sgt_test *test, int drm, enum sgt_exporter exporter)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_imported import;
	struct sgt_screen screen;

	(void)test;
	sgt_require_host();
	sgt_must(sgt_screen_find(&screen, drm));
	sgt_import_begin(&import, drm, exporter, screen.mode.hdisplay, screen.mode.vdisplay);
	sgt_must(sgt_bo_map(&import.bo));
	sgt_fill(import.bo.map, sgt_bo_words(&import.bo), seed);
	sgt_must(sgt_bo_add_fb(&import.bo));
	sgt_must(sgt_screen_show(&screen, &import.bo, 0));
	sgt_expect_screen(&screen, seed);

	sgt_fill(import.bo.map, sgt_bo_words(&import.bo), ++seed);
	igt_assert_eq(drmModeDirtyFB(drm, import.bo.fb, NULL, 0), 0);
	sgt_expect_screen(&screen, seed);
	sgt_must(sgt_screen_off(&screen));
	sgt_import_end(&import);
}

static void expect_page(const uint32_t *map, unsigned int page, uint32_t seed, int signal)
{
	uint32_t value;

	igt_assert_eq(sgt_try_read(map + page * WORDS_PER_PAGE, &value), signal);
	if (!signal)
		igt_assert_eq_u32(value, sgt_pattern(page * WORDS_PER_PAGE, seed));
}

/* Unmaps the end only: vgem of 6.12 counts pages from the start of what is left. */
static void test_parts(const struct sgt_test *test, int drm, enum sgt_exporter exporter)
{
	const unsigned int left = PAGES / 3;
	uint32_t seed = sgt_new_seed();
	struct sgt_imported import;
	char *map, *moved;
	size_t size;

	(void)test;
	begin(&import, drm, exporter);
	sgt_import_fill(&import, seed);
	map = (char *)import.bo.map;
	import.bo.map = NULL;
	size = left * PAGE;

	igt_assert_eq(munmap(map + size, import.bo.size - size), 0);
	for (unsigned int page = 0; page < PAGES; page++)
		expect_page((uint32_t *)map, page, seed, page < left ? 0 : SIGSEGV);

	igt_assert(mremap(map, size, size + PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
	igt_assert_eq(errno, EFAULT);
	/* Replaces another mapping, which is thus at another address. */
	moved = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	igt_assert(moved != MAP_FAILED);
	igt_assert(mremap(map, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, moved) == moved);
	for (unsigned int page = 0; page < left; page++)
		expect_page((uint32_t *)moved, page, seed, 0);

	munmap(moved, size);
	sgt_import_check(&import, seed);
	sgt_import_end(&import);
}

/* Writes even pages through the inherited mapping, and odd ones through a new one. */
static void write_as_child(const struct sgt_bo *bo, unsigned int child, uint32_t seed)
{
	uint32_t *own = sgt_mmap_handle(bo->drm, bo->handle, bo->size);

	igt_assert(own);
	for (unsigned int page = child; page < PAGES; page += 2) {
		uint32_t *map = page & 1 ? own : bo->map;

		for (size_t i = 0; i < WORDS_PER_PAGE; i++) {
			size_t word = page * WORDS_PER_PAGE + i;

			map[word] = sgt_pattern(word, seed);
		}
	}
	munmap(own, bo->size);
}

static void test_fork(const struct sgt_test *test, int drm, enum sgt_exporter exporter)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_imported import;

	(void)test;
	begin(&import, drm, exporter);
	igt_fork(child, 2)
		write_as_child(&import.bo, child, seed);
	sgt_children_wait();
	sgt_expect_pattern(import.bo.map, sgt_bo_words(&import.bo), seed);
	sgt_import_check(&import, seed);
	sgt_import_end(&import);
}

static void test_outlives(const struct sgt_test *test, int drm, enum sgt_exporter exporter)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_imported import;
	struct sgt_baseline base;
	struct sgt_bo second;
	size_t words;
	int other;

	sgt_baseline_take(test, &base);
	begin(&import, drm, exporter);
	words = sgt_bo_words(&import.bo);
	other = sgt_must(sgt_open());
	sgt_must(sgt_bo_import(&second, other, import.foreign.fd, WORDS_PER_PAGE, PAGES));
	sgt_must(sgt_bo_map(&second));

	/* One goes by its handle, and the other by its file. */
	sgt_must(sgt_bo_close(&import.bo));
	close(other);
	sgt_baseline_check(test, &base);
	igt_assert_eq(sgt_must(sgt_dmabuf_attachments(test->gpu.pci)), 0);

	sgt_fill(import.bo.map, words, seed);
	sgt_expect_pattern(second.map, words, seed);
	sgt_import_check(&import, seed);

	/* The mappings have the last references to the dma-buf. */
	sgt_foreign_free(&import.foreign);
	sgt_fill(second.map, words, ~seed);
	sgt_expect_pattern(import.bo.map, words, ~seed);
	munmap(second.map, second.size);
	sgt_import_end(&import);
}

static int try_mmap(int drm, uint64_t offset, size_t size, int flags)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, drm, offset);

	if (map == MAP_FAILED)
		return -errno;
	munmap(map, size);
	return 0;
}

static void test_refused(const struct sgt_test *test, int drm, enum sgt_exporter exporter)
{
	struct sgt_imported import;
	uint64_t offset;
	size_t size;
	int other;

	(void)test;
	sgt_import_begin(&import, drm, exporter, WORDS_PER_PAGE, PAGES);
	offset = offset_of(&import.bo);
	size = import.bo.size;
	sgt_must(try_mmap(drm, offset, size, MAP_SHARED));
	sgt_must(try_mmap(drm, offset, PAGE, MAP_SHARED));

	igt_assert_eq(try_mmap(drm, offset, size + PAGE, MAP_SHARED), -EINVAL);
	igt_assert_eq(try_mmap(drm, offset + PAGE, PAGE, MAP_SHARED), -EINVAL);
	igt_assert_eq(try_mmap(drm, offset, size, MAP_PRIVATE), -EINVAL);

	other = sgt_must(sgt_open());
	igt_assert_eq(try_mmap(other, offset, size, MAP_SHARED), -EACCES);
	close(other);

	sgt_must(sgt_bo_close(&import.bo));
	igt_assert_eq(try_mmap(drm, offset, size, MAP_SHARED), -EINVAL);
	sgt_import_end(&import);
}

int igt_main()
{
	static const struct {
		const char *name, *what;
		void (*run)(const struct sgt_test *test, int drm, enum sgt_exporter exporter);
	} tests[] = {
		{ "bytes", "Each mapping shows the memory of the exporter", test_bytes },
		{ "picture", "Drawing needs no dma-buf", test_picture },
		{ "parts", "Mappings change", test_parts },
		{ "fork", "Mappings and processes", test_fork },
		{ "outlives", "A mapping holds the dma-buf, not the import", test_outlives },
		{ "refused", "Offsets are checked", test_refused },
	};
	struct sgt_import_state before = {};
	struct sgt_test test = {};
	int drm = -1;

	igt_fixture() {
		drm = sgt_test_begin(&test);
		sgt_require_tables(&test);
		igt_require(!sgt_setup_is("bypass"));
		sgt_import_look(&test, &before);
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		for (int exporter = 0; exporter < SGT_EXPORTERS; exporter++) {
			igt_describe(tests[i].what);
			igt_subtest_f("%s-%s", sgt_exporter_name[exporter], tests[i].name) {
				tests[i].run(&test, drm, exporter);
				sgt_import_check_clean(&test, &before);
			}
		}
	}

	igt_fixture()
		close(drm);
}
