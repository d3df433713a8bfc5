// SPDX-License-Identifier: GPL-2.0
#include <linux/dma-buf.h>
#include <signal.h>
#include <sys/mman.h>

#include "igt.h"

#include "lib/sgt_children.h"
#include "lib/sgt_dmabuf.h"
#include "lib/sgt_test.h"
#include "lib/sgt_virtgpu.h"

/**
 * TEST: sgt map
 * Description: Reach every page of a buffer by mmap and by dma-buf
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: buffer mapping
 * Test category: functionality test
 *
 * SUBTEST: dmabuf
 * Description: Written through the mapping of a dma-buf, read by the device and by mmap
 *
 * SUBTEST: import-other-device
 * Description: An import by another driver keeps the buffer and its contents
 *
 * SUBTEST: fork
 * Description: Children write through the mapping they inherit and through one of their own
 *
 * SUBTEST: dmabuf-sync
 * Description: The sync call of a dma-buf takes good flags and refuses bad ones
 *
 * SUBTEST: many-maps
 * Description: Hundreds of mappings of one buffer show the same pages
 *
 * SUBTEST: partial-munmap
 * Description: Unmapping the middle leaves the ends, faults inside, and loses nothing
 *
 * SUBTEST: fault-around
 * Description: A fault maps the neighbours of its page, as far as the mapping reaches
 *
 * SUBTEST: invalid-offset
 * Description: Offsets without a buffer, past its end or of another file are refused
 *
 * SUBTEST: private-map
 * Description: A private writable mapping is refused
 *
 * SUBTEST: write-after-close
 * Description: A mapping outlives the handle, and the buffer goes with the mapping
 *
 * SUBTEST: map-outlives-file
 * Description: A mapping outlives the open file
 *
 * SUBTEST: table-states
 * Description: The table of buffers follows one through its life
 */

/* The PCI bus in the device tree of QEMU's virt machine */
#define PCI_NODE	"/sys/firmware/devicetree/base/pcie@10000000"

IGT_TEST_DESCRIPTION("Reach every page of a buffer by mmap and by dma-buf");

static void test_dmabuf(const struct sgt_screen *screen)
{
	uint32_t seed = sgt_new_seed(), other = sgt_new_seed();
	struct sgt_bo bo;
	uint32_t *map;
	int fd;

	sgt_make_picture(&bo, screen, other);
	fd = sgt_must(sgt_bo_export(&bo));
	igt_assert_eq_u64(lseek(fd, 0, SEEK_END), bo.size);
	map = sgt_mmap_fd(fd, bo.size);
	igt_assert(map);
	sgt_expect_pattern(map, sgt_bo_words(&bo), other);

	sgt_must(sgt_dmabuf_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
	sgt_fill(map, sgt_bo_words(&bo), seed);
	sgt_must(sgt_dmabuf_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE));

	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	sgt_must(sgt_screen_show(screen, &bo, 0));
	sgt_expect_screen(screen, seed);
	sgt_must(sgt_screen_off(screen));

	munmap(map, bo.size);
	close(fd);
	sgt_bo_free(&bo);
}

static void test_dmabuf_sync(int drm)
{
	static const uint64_t good[] = {
		DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_RW,
	};
	struct sgt_bo bo;
	int fd;

	sgt_must(sgt_bo_create(&bo, drm, 64, 64));
	fd = sgt_must(sgt_bo_export(&bo));

	for (unsigned int i = 0; i < ARRAY_SIZE(good); i++) {
		sgt_must(sgt_dmabuf_sync(fd, DMA_BUF_SYNC_START | good[i]));
		sgt_must(sgt_dmabuf_sync(fd, DMA_BUF_SYNC_END | good[i]));
	}
	igt_assert_eq(sgt_dmabuf_sync(fd, DMA_BUF_SYNC_START), -EINVAL);
	igt_assert_eq(sgt_dmabuf_sync(fd, DMA_BUF_SYNC_END), -EINVAL);
	for (int bit = 3; bit < 64; bit++)
		igt_assert_eq(sgt_dmabuf_sync(fd, DMA_BUF_SYNC_RW | 1ull << bit), -EINVAL);

	close(fd);
	sgt_bo_free(&bo);
}

/*
 * An import cannot be mapped through the importing device, which exports the
 * original dma-buf again.
 */
static void test_import_other(const struct sgt_test *test,
			      const struct sgt_screen *screen)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_baseline base;
	struct sgt_bo bo, import = {};
	uint32_t *map;
	int fd, vgem;

	vgem = sgt_open_driver("vgem");
	igt_require_f(vgem >= 0, "no vgem device\n");

	sgt_baseline_take(test, &base);
	sgt_make_picture(&bo, screen, seed);
	fd = sgt_must(sgt_bo_export(&bo));
	import.drm = vgem;
	igt_assert_eq(drmPrimeFDToHandle(vgem, fd, &import.handle), 0);
	close(fd);
	sgt_must(sgt_screen_show(screen, &bo, 0));
	sgt_expect_screen(screen, seed);
	sgt_must(sgt_screen_off(screen));
	sgt_bo_free(&bo);

	fd = sgt_must(sgt_bo_export(&import));
	map = sgt_mmap_fd(fd, sgt_screen_bytes(screen));
	igt_assert(map);
	sgt_expect_pattern(map, sgt_screen_bytes(screen) / sizeof(*map), seed);
	munmap(map, sgt_screen_bytes(screen));
	close(fd);

	close(vgem);
	sgt_baseline_check(test, &base);
}

/* Writes page p through mapping p, and reads it through another. */
static void test_many_maps(int drm)
{
	uint32_t *maps[256];
	struct sgt_bo bo;
	uint32_t value;
	int count = ARRAY_SIZE(maps);

	sgt_must(sgt_bo_create(&bo, drm, WORDS_PER_PAGE, count));
	for (int i = 0; i < count; i++) {
		maps[i] = sgt_mmap_handle(drm, bo.handle, bo.size);
		igt_assert(maps[i]);
		igt_assert_eq(sgt_try_write(maps[i] + i * WORDS_PER_PAGE, ~i), 0);
	}
	for (int i = 0; i < count; i++) {
		int page = (i * 37 + 11) % count;

		igt_assert_eq(sgt_try_read(maps[i] + page * WORDS_PER_PAGE, &value), 0);
		igt_assert_eq_u32(value, ~page);
	}
	for (int i = 0; i < count; i++)
		munmap(maps[i], bo.size);
	sgt_bo_free(&bo);
}

/* Writes even pages through the inherited mapping, and odd ones through a new one. */
static void write_as_child(const struct sgt_bo *bo, int child, int children,
			   uint32_t seed)
{
	size_t pages = bo->size / PAGE;
	uint32_t *own;

	own = sgt_mmap_handle(bo->drm, bo->handle, bo->size);
	igt_assert(own);
	for (size_t page = child; page < pages; page += children) {
		uint32_t *map = page & 1 ? own : bo->map;

		for (size_t i = 0; i < WORDS_PER_PAGE; i++) {
			size_t word = page * WORDS_PER_PAGE + i;

			map[word] = sgt_pattern(word, seed);
		}
	}
	munmap(own, bo->size);
}

static void test_fork(const struct sgt_screen *screen)
{
	uint32_t seed = sgt_new_seed(), other = sgt_new_seed();
	struct sgt_bo bo;

	sgt_make_picture(&bo, screen, other);
	igt_fork(child, 4)
		write_as_child(&bo, child, 4, seed);
	sgt_children_wait();

	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	sgt_must(sgt_screen_show(screen, &bo, 0));
	sgt_expect_screen(screen, seed);
	sgt_must(sgt_screen_off(screen));
	sgt_bo_free(&bo);
}

static void test_partial_munmap(int drm)
{
	uint32_t seed = sgt_new_seed();
	size_t pages = 64, hole = 16, hole_pages = 32;
	struct sgt_bo bo;
	uint32_t value;
	char *bytes;

	sgt_must(sgt_bo_create(&bo, drm, WORDS_PER_PAGE, pages));
	sgt_must(sgt_bo_map(&bo));
	sgt_fill(bo.map, sgt_bo_words(&bo), seed);
	bytes = (char *)bo.map;

	igt_assert_eq(munmap(bytes + hole * PAGE, hole_pages * PAGE), 0);
	for (size_t page = 0; page < pages; page++) {
		bool gone = page >= hole && page < hole + hole_pages;
		uint32_t *word = (uint32_t *)(bytes + page * PAGE);

		igt_assert_eq(sgt_try_read(word, &value), gone ? SIGSEGV : 0);
		if (!gone)
			igt_assert_eq_u32(value, sgt_pattern(page * WORDS_PER_PAGE, seed));
	}

	/* Unmaps both ends separately; a new mapping has all pages. */
	igt_assert_eq(munmap(bytes, hole * PAGE), 0);
	igt_assert_eq(munmap(bytes + (hole + hole_pages) * PAGE,
			     (pages - hole - hole_pages) * PAGE), 0);
	sgt_must(sgt_bo_map(&bo));
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	sgt_bo_free(&bo);
}

/* Reads or writes a page of the pattern.  Returns the number of faults. */
static long touch(char *map, size_t page, bool write, uint32_t seed)
{
	size_t word = page * WORDS_PER_PAGE;
	volatile uint32_t *at = (uint32_t *)map + word;
	uint32_t value = sgt_pattern(word, seed);
	long faults = -sgt_count_faults();

	if (write)
		*at = value;
	else
		igt_assert_eq_u32(*at, value);
	return faults + sgt_count_faults();
}

/* Unmaps pages 20 to 25, so that the second mapping does not begin at page 0. */
static void test_fault_around(int drm, bool write)
{
	/* One fault each for pages 16 to 19, 0 to 15, 26 to 31, 32 to 47, 48 to 63 */
	static const size_t first[] = { 18, 0, 31, 40, 63 };
	uint32_t seed = sgt_new_seed();
	struct sgt_bo bo;
	char *map;

	sgt_must(sgt_bo_create(&bo, drm, WORDS_PER_PAGE, 64));
	sgt_must(sgt_bo_map(&bo));
	sgt_fill(bo.map, sgt_bo_words(&bo), seed);
	igt_assert_eq(touch((char *)bo.map, 0, write, seed), 0);

	map = sgt_mmap_handle(drm, bo.handle, bo.size);
	igt_assert(map);
	igt_assert_eq(munmap(map + 20 * PAGE, 6 * PAGE), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(first); i++)
		sgt_expect_faults(touch(map, first[i], write, seed), 1);
	for (size_t page = 0; page < 64; page++)
		if (page < 20 || page >= 26)
			sgt_expect_faults(touch(map, page, !write, seed), 0);

	munmap(map, 20 * PAGE);
	munmap(map + 26 * PAGE, 38 * PAGE);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	sgt_bo_free(&bo);
}

static int try_mmap(int drm, uint64_t offset, size_t size, int flags)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, drm, offset);

	if (map == MAP_FAILED)
		return -errno;
	munmap(map, size);
	return 0;
}

static void test_invalid_offset(int drm)
{
	struct drm_mode_map_dumb arg = {};
	struct sgt_bo bo;
	int other;

	sgt_must(sgt_bo_create(&bo, drm, WORDS_PER_PAGE, 16));
	arg.handle = bo.handle;
	do_ioctl(drm, DRM_IOCTL_MODE_MAP_DUMB, &arg);
	sgt_must(try_mmap(drm, arg.offset, bo.size, MAP_SHARED));
	sgt_must(try_mmap(drm, arg.offset, PAGE, MAP_SHARED));

	igt_assert_eq(try_mmap(drm, 0, PAGE, MAP_SHARED), -EINVAL);
	igt_assert_eq(try_mmap(drm, arg.offset + 1, PAGE, MAP_SHARED), -EINVAL);
	igt_assert_eq(try_mmap(drm, arg.offset + PAGE, PAGE, MAP_SHARED), -EINVAL);
	igt_assert_eq(try_mmap(drm, arg.offset + bo.size, PAGE, MAP_SHARED), -EINVAL);
	igt_assert_eq(try_mmap(drm, arg.offset, bo.size + PAGE, MAP_SHARED), -EINVAL);
	igt_assert_eq(try_mmap(drm, 1ull << 62, PAGE, MAP_SHARED), -EINVAL);

	/* The offset is valid, but the file has no handle. */
	other = sgt_must(sgt_open());
	igt_assert_eq(try_mmap(other, arg.offset, bo.size, MAP_SHARED), -EACCES);
	close(other);

	sgt_bo_free(&bo);
	igt_assert_eq(try_mmap(drm, arg.offset, PAGE, MAP_SHARED), -EINVAL);
}

static void test_private_map(int drm)
{
	struct drm_mode_map_dumb arg = {};
	struct sgt_bo bo;

	sgt_must(sgt_bo_create(&bo, drm, 64, 64));
	arg.handle = bo.handle;
	do_ioctl(drm, DRM_IOCTL_MODE_MAP_DUMB, &arg);
	igt_assert_eq(try_mmap(drm, arg.offset, bo.size, MAP_PRIVATE), -EINVAL);
	sgt_bo_free(&bo);
}

static void test_write_after_close(const struct sgt_test *test, int drm)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_baseline base, now;
	struct sgt_bo bo;

	sgt_baseline_take(test, &base);
	sgt_must(sgt_bo_create(&bo, drm, 512, 512));
	sgt_must(sgt_bo_map(&bo));
	sgt_must(sgt_bo_close(&bo));
	sgt_fill(bo.map, sgt_bo_words(&bo), seed);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	if (test->tables) {
		sgt_baseline_take(test, &now);
		igt_assert_eq(now.buffers - base.buffers, 1);
	}
	sgt_bo_free(&bo);
	sgt_baseline_check(test, &base);
}

static void test_map_outlives_file(const struct sgt_test *test)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_baseline base;
	struct sgt_bo bo;
	int drm;

	sgt_baseline_take(test, &base);
	drm = sgt_must(sgt_open());
	sgt_must(sgt_bo_create(&bo, drm, 512, 512));
	sgt_must(sgt_bo_map(&bo));
	close(drm);

	sgt_fill(bo.map, sgt_bo_words(&bo), seed);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	munmap(bo.map, bo.size);
	sgt_baseline_check(test, &base);
}

static void test_table_states(const struct sgt_test *test, int drm)
{
	struct sgt_buffer_row row;
	struct sgt_device_row dev;
	struct sgt_bo bo;
	int fd, other;
	uint32_t handle;

	sgt_must(sgt_find_live_device(&dev));
	igt_assert(!strcmp(dev.owner, test->gpu.virtio));
	igt_assert_eq(!strcmp(dev.mode, "phys"), sgt_setup_is_physical());
	if (sgt_setup_is("noncoherent"))
		igt_assert(!access(PCI_NODE "/reg", F_OK) &&
			   access(PCI_NODE "/dma-coherent", F_OK));

	/* A size that no other buffer has */
	sgt_must(sgt_bo_create(&bo, drm, WORDS_PER_PAGE, 77));
	sgt_expect_row(test, &bo, &row);
	igt_assert(!strcmp(row.state, "empty"));
	igt_assert(!strcmp(row.caching, "-"));
	igt_assert_eq(row.folios, 0);

	/* The first use by the device brings the pages. */
	sgt_must(sgt_bo_use(&bo));
	sgt_expect_row(test, &bo, &row);
	igt_assert(!strcmp(row.state, "mapped"));
	igt_assert(!strcmp(row.caching, "cached"));
	igt_assert_eq(row.handles, 1);
	igt_assert_eq(row.exported, 0);
	igt_assert(row.folios >= 1 && row.folios <= 77);
	igt_assert(row.runs >= 1 && row.runs <= row.folios);
	igt_assert(row.cpu_ents >= row.runs);
	igt_assert(row.dma_segs >= 1 && row.dma_segs <= row.cpu_ents);

	fd = sgt_must(sgt_bo_export(&bo));
	sgt_expect_row(test, &bo, &row);
	igt_assert_eq(row.exported, 1);

	other = sgt_must(sgt_open());
	igt_assert_eq(drmPrimeFDToHandle(other, fd, &handle), 0);
	sgt_expect_row(test, &bo, &row);
	igt_assert_eq(row.handles, 2);
	close(other);

	sgt_must(sgt_bo_close(&bo));
	sgt_expect_row(test, &bo, &row);
	igt_assert_eq(row.handles, 0);
	close(fd);
	sgt_bo_free(&bo);
}

int igt_main()
{
	struct sgt_baseline base = {};
	struct sgt_screen screen = {};
	struct sgt_test test = {};
	int drm = -1;

	igt_fixture() {
		drm = sgt_test_begin(&test);
		sgt_baseline_take(&test, &base);
	}

	igt_describe("The host shows what the device reads");
	igt_subtest_group() {
		igt_fixture() {
			sgt_require_host();
			sgt_must(sgt_screen_find(&screen, drm));
		}

		igt_describe("Writes through a dma-buf");
		igt_subtest("dmabuf") {
			test_dmabuf(&screen);
			sgt_baseline_check(&test, &base);
		}

		igt_describe("Shared with another driver");
		igt_subtest("import-other-device")
			test_import_other(&test, &screen);

		igt_describe("Mappings and processes");
		igt_subtest("fork") {
			test_fork(&screen);
			sgt_baseline_check(&test, &base);
		}
	}

	igt_describe("CPU access to a dma-buf");
	igt_subtest("dmabuf-sync") {
		test_dmabuf_sync(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("One buffer, many mappings");
	igt_subtest("many-maps") {
		test_many_maps(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Mappings are split");
	igt_subtest("partial-munmap") {
		test_partial_munmap(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("One fault for several pages");
	igt_subtest("fault-around") {
		sgt_require_tables(&test);
		test_fault_around(drm, false);
		test_fault_around(drm, true);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Offsets are checked");
	igt_subtest("invalid-offset") {
		test_invalid_offset(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Copies on write would differ from the buffer");
	igt_subtest("private-map") {
		test_private_map(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("A mapping holds the buffer");
	igt_subtest("write-after-close")
		test_write_after_close(&test, drm);

	igt_describe("A mapping needs no file");
	igt_subtest("map-outlives-file")
		test_map_outlives_file(&test);

	igt_describe("The tables show each state of a buffer");
	igt_subtest("table-states") {
		sgt_require_tables(&test);
		test_table_states(&test, drm);
		sgt_baseline_check(&test, &base);
	}

	igt_fixture()
		close(drm);
}
