// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <signal.h>

#include "drm_fourcc.h"
#include "igt.h"
#include "virtgpu_drm.h"

#include "lib/sgt_test.h"

/**
 * TEST: sgt map
 * Description: Reach every page of a buffer by mmap, by dma-buf and by the device
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: buffer mapping
 * Test category: functionality test
 *
 * SUBTEST: screen
 * Description: The device shows every pixel that was written through a mapping
 *
 * SUBTEST: screen-scattered
 * Description: The same for a buffer whose pages lie apart in memory
 *
 * SUBTEST: screen-large
 * Description: The same for a buffer of several screens, panned over
 *
 * SUBTEST: merged-segments
 * Description: An IOMMU joins scattered pages to fewer segments than the CPU has
 *
 * SUBTEST: resource-transfer
 * Description: A virtgpu resource shows what was transferred, and only once it was
 *
 * SUBTEST: dmabuf
 * Description: Written through the mapping of a dma-buf, read by the device and by mmap
 *
 * SUBTEST: dmabuf-sync
 * Description: The sync call of a dma-buf takes good flags and refuses bad ones
 *
 * SUBTEST: import-self
 * Description: A dma-buf imported where it came from is the same buffer
 *
 * SUBTEST: import-other-device
 * Description: The import of another driver keeps the buffer and its bytes
 *
 * SUBTEST: many-maps
 * Description: Hundreds of mappings of one buffer show the same pages
 *
 * SUBTEST: fork
 * Description: Children write through the mapping they inherit and through one of their own
 *
 * SUBTEST: partial-munmap
 * Description: Unmapping the middle leaves the ends, faults inside, and loses nothing
 *
 * SUBTEST: invalid-offset
 * Description: No mapping at an offset that is no buffer's, or past its end, or of another file
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
 * SUBTEST: damage
 * Description: The device takes the damaged rectangle, all of it and nothing else
 *
 * SUBTEST: damage-rows
 * Description: Damage of single rows, one after the other, adds up to the picture
 *
 * SUBTEST: flip-events
 * Description: Each page flip is answered by one event, and the last picture stays
 *
 * SUBTEST: cursor
 * Description: A cursor is uploaded, moved and hidden
 *
 * SUBTEST: bad-fb
 * Description: Framebuffers and cursors that the host cannot show are refused, one field at a time
 *
 * SUBTEST: table-states
 * Description: The table of buffers follows one through its life
 */

IGT_TEST_DESCRIPTION("Reach every page of a buffer by mmap, by dma-buf and by the device");

#define GARBAGE		0x00ff00ffu

static size_t screen_bytes(const struct sgt_screen *screen)
{
	return screen->mode.hdisplay * screen->mode.vdisplay * 4ul;
}

static void show_and_check(const struct sgt_screen *screen, const struct sgt_bo *bo,
			   uint32_t seed)
{
	sgt_must(sgt_screen_show(screen, bo, 0));
	sgt_expect_screen(screen, seed);
}

static void test_screen(const struct sgt_screen *screen)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_bo bo;

	sgt_make_picture(&bo, screen, seed);
	show_and_check(screen, &bo, seed);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	sgt_must(sgt_screen_off(screen));
	sgt_bo_free(&bo);
}

/* A buffer in at least half as many runs as it has pages */
static void make_scattered(struct sgt_bo *bo, const struct sgt_screen *screen,
			   uint32_t seed)
{
	struct sgt_scatter scatter;

	sgt_must(sgt_scatter_begin(&scatter, 2 * screen_bytes(screen)));
	sgt_make_picture(bo, screen, seed);
	sgt_scatter_end(&scatter);
}

static void test_screen_scattered(const struct sgt_test *test,
				  const struct sgt_screen *screen)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_buffer_row row;
	struct sgt_bo bo;

	make_scattered(&bo, screen, seed);
	if (test->tables) {
		sgt_expect_row(test, &bo, &row);
		igt_info("%lu pages in %lu runs, %lu CPU entries, %lu DMA segments\n",
			 bo.size / PAGE, row.runs, row.cpu_ents, row.dma_segs);
		igt_assert(row.runs > bo.size / PAGE / 2);
		igt_assert(row.cpu_ents >= row.runs);
	}
	show_and_check(screen, &bo, seed);
	sgt_must(sgt_screen_off(screen));
	sgt_bo_free(&bo);
}

/* Each screenful of the buffer has a seed of its own. */
static void test_screen_large(const struct sgt_screen *screen, unsigned int screens)
{
	uint32_t seed = sgt_new_seed();
	uint32_t width = screen->mode.hdisplay, height = screen->mode.vdisplay;
	size_t words = (size_t)width * height;
	struct sgt_bo bo;

	sgt_must(sgt_bo_create(&bo, screen->drm, width, height * screens));
	igt_assert_eq(bo.pitch, width * sizeof(*bo.map));
	sgt_must(sgt_bo_map(&bo));
	sgt_must(sgt_bo_add_fb(&bo));
	for (unsigned int i = 0; i < screens; i++)
		sgt_fill(bo.map + i * words, words, seed + (i << 16));

	for (unsigned int i = 0; i < screens; i++) {
		/* From the last to the first, so that no screen is there already */
		unsigned int shown = screens - 1 - i;

		sgt_must(sgt_screen_show(screen, &bo, shown * height));
		sgt_expect_screen(screen, seed + (shown << 16));
	}
	sgt_must(sgt_screen_off(screen));
	sgt_bo_free(&bo);
}

static void test_merged_segments(const struct sgt_test *test,
				 const struct sgt_screen *screen)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_buffer_row row;
	struct sgt_bo bo;

	make_scattered(&bo, screen, seed);
	sgt_expect_row(test, &bo, &row);
	igt_assert(!strcmp(row.state, "mapped"));
	igt_assert_f(row.dma_segs < row.cpu_ents, "%lu DMA segments, %lu CPU entries\n",
		     row.dma_segs, row.cpu_ents);
	sgt_must(sgt_host_fact("merged_cpu_ents", row.cpu_ents));
	sgt_must(sgt_host_fact("merged_dma_segs", row.dma_segs));
	show_and_check(screen, &bo, seed);
	sgt_must(sgt_screen_off(screen));
	sgt_bo_free(&bo);
}

static void transfer(int drm, const struct sgt_bo *bo)
{
	struct drm_virtgpu_3d_transfer_to_host arg = {
		.bo_handle = bo->handle,
		.box = { .w = bo->width, .h = bo->height, .d = 1 },
	};
	struct drm_virtgpu_3d_wait wait = { .handle = bo->handle };

	do_ioctl(drm, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &arg);
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_WAIT, &wait);
}

static void test_resource_transfer(const struct sgt_screen *screen)
{
	uint32_t seed = sgt_new_seed(), other = sgt_new_seed();
	struct drm_virtgpu_resource_create create = {
		.target = 2,		/* PIPE_TEXTURE_2D */
		.format = 2,		/* VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM */
		.width = screen->mode.hdisplay,
		.height = screen->mode.vdisplay,
		.depth = 1,
		.array_size = 1,
		.size = screen_bytes(screen),
		.stride = screen->mode.hdisplay * 4,
	};
	struct sgt_bo bo;

	do_ioctl(screen->drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create);
	bo = (struct sgt_bo) {
		.drm = screen->drm,
		.handle = create.bo_handle,
		.width = create.width,
		.height = create.height,
		.pitch = create.stride,
		.size = create.size,
	};
	sgt_must(sgt_bo_map(&bo));
	sgt_must(sgt_bo_add_fb(&bo));

	sgt_fill(bo.map, sgt_bo_words(&bo), seed);
	transfer(screen->drm, &bo);
	show_and_check(screen, &bo, seed);

	sgt_fill(bo.map, sgt_bo_words(&bo), other);
	sgt_expect_screen(screen, seed);
	transfer(screen->drm, &bo);
	sgt_expect_screen(screen, other);

	sgt_must(sgt_screen_off(screen));
	sgt_bo_free(&bo);
}

static int sync_dmabuf(int fd, uint64_t flags)
{
	struct dma_buf_sync arg = { .flags = flags };

	return drmIoctl(fd, DMA_BUF_IOCTL_SYNC, &arg) ? -errno : 0;
}

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

	sgt_must(sync_dmabuf(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
	sgt_fill(map, sgt_bo_words(&bo), seed);
	sgt_must(sync_dmabuf(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE));

	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	show_and_check(screen, &bo, seed);
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
		sgt_must(sync_dmabuf(fd, DMA_BUF_SYNC_START | good[i]));
		sgt_must(sync_dmabuf(fd, DMA_BUF_SYNC_END | good[i]));
	}
	igt_assert_eq(sync_dmabuf(fd, DMA_BUF_SYNC_START), -EINVAL);
	igt_assert_eq(sync_dmabuf(fd, DMA_BUF_SYNC_END), -EINVAL);
	for (int bit = 3; bit < 64; bit++)
		igt_assert_eq(sync_dmabuf(fd, DMA_BUF_SYNC_RW | 1ull << bit), -EINVAL);

	close(fd);
	sgt_bo_free(&bo);
}

static void test_import_self(int drm)
{
	uint32_t seed = sgt_new_seed();
	uint32_t handle = 0;
	struct sgt_bo bo;
	uint32_t *map;
	int fd, other;

	sgt_must(sgt_bo_create(&bo, drm, 256, 256));
	sgt_must(sgt_bo_map(&bo));
	sgt_fill(bo.map, sgt_bo_words(&bo), seed);
	fd = sgt_must(sgt_bo_export(&bo));

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
	close(other);
	close(fd);
	sgt_bo_free(&bo);
}

/*
 * An import cannot be mapped through its own device, but comes back out of it
 * as the dma-buf that it is.
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
	show_and_check(screen, &bo, seed);
	sgt_must(sgt_screen_off(screen));
	sgt_bo_free(&bo);

	fd = sgt_must(sgt_bo_export(&import));
	map = sgt_mmap_fd(fd, screen_bytes(screen));
	igt_assert(map);
	sgt_expect_pattern(map, screen_bytes(screen) / sizeof(*map), seed);
	munmap(map, screen_bytes(screen));
	close(fd);

	close(vgem);
	sgt_baseline_check(test, &base);
}

/* Page p is written through mapping p, and read through another. */
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

/* Even pages are for the inherited mapping, odd ones for the child's own. */
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
	igt_waitchildren();

	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	show_and_check(screen, &bo, seed);
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

	/* Both ends go separately, and a new mapping has it all. */
	igt_assert_eq(munmap(bytes, hole * PAGE), 0);
	igt_assert_eq(munmap(bytes + (hole + hole_pages) * PAGE,
			     (pages - hole - hole_pages) * PAGE), 0);
	sgt_must(sgt_bo_map(&bo));
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

	/* The offset is right, the file has no handle. */
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

static bool inside(const drmModeClip *clip, uint32_t x, uint32_t y)
{
	return x >= clip->x1 && x < clip->x2 && y >= clip->y1 && y < clip->y2;
}

/* The pattern where @clip and @in_clip agree, garbage elsewhere */
static void fill_part(struct sgt_bo *bo, const drmModeClip *clip, bool in_clip,
		      uint32_t seed)
{
	for (uint32_t y = 0; y < bo->height; y++) {
		for (uint32_t x = 0; x < bo->width; x++) {
			uint32_t word = y * bo->width + x;

			bo->map[word] = inside(clip, x, y) == in_clip ?
					sgt_pattern(word, seed) : GARBAGE;
		}
	}
}

/*
 * The device gets the pattern around the rectangle first and garbage inside.
 * Then memory has it the other way round, and only the rectangle is damaged.
 */
static void check_damage(const struct sgt_screen *screen, struct sgt_bo *bo,
			 drmModeClip clip)
{
	uint32_t seed = sgt_new_seed();

	igt_debug("damage %d,%d to %d,%d\n", clip.x1, clip.y1, clip.x2, clip.y2);
	fill_part(bo, &clip, false, seed);
	sgt_must(sgt_host_trace_mark());
	sgt_must(sgt_screen_show(screen, bo, 0));
	/* The device reads memory after the call returned. */
	sgt_wait_trace("virtio_gpu_cmd_res_flush", 1);
	fill_part(bo, &clip, true, seed);
	igt_assert_eq(drmModeDirtyFB(bo->drm, bo->fb, &clip, 1), 0);
	sgt_expect_screen(screen, seed);
	sgt_must(sgt_screen_off(screen));
}

static void test_damage(const struct sgt_screen *screen)
{
	uint32_t seed = sgt_new_seed();
	uint16_t width = screen->mode.hdisplay, height = screen->mode.vdisplay;
	const drmModeClip clips[] = {
		{ .x1 = 0, .y1 = 0, .x2 = 1, .y2 = 1 },
		{ .x1 = width - 1, .y1 = height - 1, .x2 = width, .y2 = height },
		{ .x1 = 101, .y1 = 203, .x2 = width - 307, .y2 = height - 89 },
		{ .x1 = 0, .y1 = 0, .x2 = width, .y2 = height },
	};
	struct sgt_bo bo;

	sgt_make_picture(&bo, screen, seed);
	for (unsigned int i = 0; i < ARRAY_SIZE(clips); i++)
		check_damage(screen, &bo, clips[i]);
	sgt_bo_free(&bo);
}

static void test_damage_rows(const struct sgt_screen *screen)
{
	uint32_t seed = sgt_new_seed(), other = sgt_new_seed();
	uint16_t width = screen->mode.hdisplay, height = screen->mode.vdisplay;
	struct sgt_bo bo;

	sgt_make_picture(&bo, screen, other);
	sgt_must(sgt_screen_show(screen, &bo, 0));
	sgt_fill(bo.map, sgt_bo_words(&bo), seed);

	/* In an order that is neither up nor down */
	for (uint32_t i = 0; i < height; i++) {
		uint16_t row = i * 7 % height;
		drmModeClip clip = { .x2 = width, .y1 = row, .y2 = row + 1 };

		igt_assert_eq(drmModeDirtyFB(bo.drm, bo.fb, &clip, 1), 0);
	}
	igt_assert_neq(height % 7, 0);
	sgt_expect_screen(screen, seed);
	sgt_must(sgt_screen_off(screen));
	sgt_bo_free(&bo);
}

static void test_flip_events(const struct sgt_screen *screen)
{
	uint32_t seed = sgt_new_seed(), other = sgt_new_seed();
	struct sgt_bo bos[2];
	int flips = 25;

	sgt_make_picture(&bos[0], screen, seed);
	sgt_make_picture(&bos[1], screen, other);
	show_and_check(screen, &bos[0], seed);
	for (int i = 1; i <= flips; i++) {
		sgt_must(sgt_screen_flip(screen, &bos[i & 1]));
		igt_assert_eq(sgt_wait_flips(screen->drm, 1, 5000), 1);
	}
	/* No event came that nobody asked for. */
	igt_assert_eq(sgt_wait_flips(screen->drm, 1, 100), 0);
	sgt_expect_screen(screen, other);

	sgt_must(sgt_screen_off(screen));
	sgt_bo_free(&bos[0]);
	sgt_bo_free(&bos[1]);
}

static void test_cursor(const struct sgt_screen *screen)
{
	uint32_t seed = sgt_new_seed(), other = sgt_new_seed();
	struct sgt_bo picture, cursor;

	sgt_make_picture(&picture, screen, seed);
	show_and_check(screen, &picture, seed);
	sgt_must(sgt_bo_create(&cursor, screen->drm, 64, 64));
	sgt_must(sgt_bo_map(&cursor));
	sgt_fill(cursor.map, sgt_bo_words(&cursor), other);

	sgt_must(sgt_host_trace_mark());
	igt_assert_eq(drmModeSetCursor(screen->drm, screen->crtc, cursor.handle, 64, 64), 0);
	sgt_expect_trace("virtio_gpu_update_cursor", 1);
	igt_assert_eq(drmModeMoveCursor(screen->drm, screen->crtc, 100, 100), 0);
	sgt_expect_trace("virtio_gpu_update_cursor", 2);
	igt_assert_eq(drmModeSetCursor(screen->drm, screen->crtc, 0, 0, 0), 0);
	sgt_expect_trace("virtio_gpu_update_cursor", 3);

	/* The cursor is a plane of its own and leaves the picture alone. */
	sgt_expect_screen(screen, seed);
	sgt_must(sgt_screen_off(screen));
	sgt_bo_free(&cursor);
	sgt_bo_free(&picture);
}

struct fb {
	uint32_t width, height, format, pitch, offset;
};

static int add_fb(const struct sgt_bo *bo, const struct fb *fb)
{
	uint32_t handles[4] = { bo->handle };
	uint32_t pitches[4] = { fb->pitch };
	uint32_t offsets[4] = { fb->offset };
	uint32_t id = 0;
	int err;

	err = drmModeAddFB2(bo->drm, fb->width, fb->height, fb->format,
			    handles, pitches, offsets, &id, 0);
	if (!err)
		drmModeRmFB(bo->drm, id);
	return err;
}

/* Each would end within the last page: the size of the buffer is no reason. */
static void refuse_fbs(int drm)
{
	const struct fb good = { 65, 65, DRM_FORMAT_XRGB8888, 65 * 4, 0 };
	static const struct {
		size_t field;
		uint32_t value;
	} bad[] = {
		{ offsetof(struct fb, width), 0 },
		{ offsetof(struct fb, width), 66 },
		{ offsetof(struct fb, height), 0 },
		{ offsetof(struct fb, height), 66 },
		{ offsetof(struct fb, format), DRM_FORMAT_XBGR8888 },
		{ offsetof(struct fb, format), DRM_FORMAT_BGRX8888 },
		{ offsetof(struct fb, format), DRM_FORMAT_RGBX8888 },
		{ offsetof(struct fb, format), DRM_FORMAT_RGB565 },
		{ offsetof(struct fb, format), 0 },
		{ offsetof(struct fb, pitch), 0 },
		{ offsetof(struct fb, pitch), 64 * 4 },
		{ offsetof(struct fb, pitch), 65 * 4 + 1 },
		{ offsetof(struct fb, pitch), 66 * 4 },
		{ offsetof(struct fb, offset), 4 },
		{ offsetof(struct fb, offset), PAGE },
	};
	struct sgt_bo bo;

	sgt_must(sgt_bo_create(&bo, drm, good.width, good.height));
	igt_assert(66 * 4 * 66 <= bo.size);
	igt_assert_eq(add_fb(&bo, &good), 0);

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct fb fb = good;

		memcpy((char *)&fb + bad[i].field, &bad[i].value, sizeof(bad[i].value));
		igt_debug("field at %zu = %#x\n", bad[i].field, bad[i].value);
		igt_assert_eq(add_fb(&bo, &fb), -EINVAL);
	}
	sgt_bo_free(&bo);
}

static int set_cursor(const struct sgt_screen *screen, uint32_t width, uint32_t height,
		      uint32_t shown_width, uint32_t shown_height)
{
	struct sgt_bo bo;
	int err;

	sgt_must(sgt_bo_create(&bo, screen->drm, width, height));
	err = drmModeSetCursor(screen->drm, screen->crtc, bo.handle,
			       shown_width, shown_height);
	if (!err)
		igt_assert_eq(drmModeSetCursor(screen->drm, screen->crtc, 0, 0, 0), 0);
	sgt_bo_free(&bo);
	return err;
}

/* The buffer and what is shown of it: both are 64x64. */
static void refuse_cursors(const struct sgt_screen *screen)
{
	static const uint32_t bad[][4] = {
		{ 32, 32, 32, 32 },
		{ 63, 64, 63, 64 },
		{ 64, 63, 64, 63 },
		{ 65, 64, 65, 64 },
		{ 64, 65, 64, 65 },
		{ 128, 128, 128, 128 },
		{ 64, 64, 64, 63 },
		{ 64, 64, 63, 64 },
		{ 64, 128, 64, 64 },
		{ 128, 64, 64, 64 },
	};

	igt_assert_eq(set_cursor(screen, 64, 64, 64, 64), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		const uint32_t *row = bad[i];

		igt_debug("%ux%u of %ux%u\n", row[2], row[3], row[0], row[1]);
		igt_assert_eq(set_cursor(screen, row[0], row[1], row[2], row[3]), -EINVAL);
	}
	igt_assert_eq(set_cursor(screen, 64, 64, 64, 64), 0);
}

static void test_bad_fb(int drm)
{
	struct sgt_screen screen;
	struct sgt_bo bo;

	refuse_fbs(drm);

	/* A cursor is for a screen that is on. */
	sgt_must(sgt_screen_find(&screen, drm));
	sgt_make_picture(&bo, &screen, sgt_new_seed());
	sgt_must(sgt_screen_show(&screen, &bo, 0));
	refuse_cursors(&screen);
	sgt_must(sgt_screen_off(&screen));
	sgt_bo_free(&bo);
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
	igt_assert_eq(!strcmp(dev.mode, "phys"), sgt_setup_is("phys"));

	/* A size that no other buffer has */
	sgt_must(sgt_bo_create(&bo, drm, WORDS_PER_PAGE, 77));
	sgt_expect_row(test, &bo, &row);
	igt_assert(!strcmp(row.state, "mapped"));
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

	igt_describe("What the device reads, checked by what the host shows");
	igt_subtest_group() {
		igt_fixture() {
			sgt_require_host();
			sgt_must(sgt_screen_find(&screen, drm));
		}

		igt_describe("One screen, every pixel");
		igt_subtest("screen") {
			test_screen(&screen);
			sgt_baseline_check(&test, &base);
		}

		igt_describe("Pages far apart come together on the screen");
		igt_subtest("screen-scattered") {
			test_screen_scattered(&test, &screen);
			sgt_baseline_check(&test, &base);
		}

		igt_describe("Far into a large buffer");
		igt_subtest("screen-large") {
			test_screen_large(&screen, 6);
			sgt_baseline_check(&test, &base);
		}

		igt_describe("The set-up where segments and entries differ in number");
		igt_subtest("merged-segments") {
			igt_require(sgt_setup_is("iommu"));
			sgt_require_tables(&test);
			test_merged_segments(&test, &screen);
			sgt_baseline_check(&test, &base);
		}

		igt_describe("Transfers that the program asks for itself");
		igt_subtest("resource-transfer") {
			test_resource_transfer(&screen);
			sgt_baseline_check(&test, &base);
		}

		igt_describe("The way in through a dma-buf");
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

		igt_describe("Damage is synced and transferred, exactly");
		igt_subtest("damage") {
			test_damage(&screen);
			sgt_baseline_check(&test, &base);
		}

		igt_describe("Damage in small parts");
		igt_subtest("damage-rows") {
			test_damage_rows(&screen);
			sgt_baseline_check(&test, &base);
		}

		igt_describe("Flips come to an end");
		igt_subtest("flip-events") {
			test_flip_events(&screen);
			sgt_baseline_check(&test, &base);
		}

		igt_describe("The other plane");
		igt_subtest("cursor") {
			test_cursor(&screen);
			sgt_baseline_check(&test, &base);
		}
	}

	igt_describe("Access brackets of a dma-buf");
	igt_subtest("dmabuf-sync") {
		test_dmabuf_sync(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("A buffer comes home");
	igt_subtest("import-self") {
		test_import_self(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("One buffer, many places");
	igt_subtest("many-maps") {
		test_many_maps(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Mappings are cut to pieces");
	igt_subtest("partial-munmap") {
		test_partial_munmap(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Offsets are checked");
	igt_subtest("invalid-offset") {
		test_invalid_offset(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Copies on write would part from the buffer");
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

	igt_describe("The host would show it wrong, and not say so");
	igt_subtest("bad-fb") {
		sgt_require_tables(&test);
		test_bad_fb(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("The tables tell the truth");
	igt_subtest("table-states") {
		sgt_require_tables(&test);
		test_table_states(&test, drm);
		sgt_baseline_check(&test, &base);
	}

	igt_fixture()
		close(drm);
}
