// SPDX-License-Identifier: GPL-2.0
#include "drm_fourcc.h"
#include "igt.h"
#include "virtgpu_drm.h"

#include "lib/sgt_damage.h"
#include "lib/sgt_test.h"
#include "lib/sgt_virtgpu.h"

/**
 * TEST: sgt screen
 * Description: Show buffers, and compare every pixel of the screen
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: scanout
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
 * Description: An IOMMU merges scattered pages into fewer segments than CPU entries
 *
 * SUBTEST: resource-transfer
 * Description: A virtgpu resource shows the pixels after a transfer, and not before
 *
 * SUBTEST: damage
 * Description: The device reads exactly the damaged rectangle
 *
 * SUBTEST: damage-rows
 * Description: Damage of single rows, one after the other, adds up to the picture
 *
 * SUBTEST: flip-events
 * Description: Each page flip has one event, and the last picture is shown
 *
 * SUBTEST: cursor
 * Description: A cursor is uploaded, moved and hidden
 *
 * SUBTEST: cursor-redraw
 * Description: A cursor is uploaded when it is redrawn in place, and not when it is moved
 */

IGT_TEST_DESCRIPTION("Show buffers, and compare every pixel of the screen");

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

/* A buffer whose number of runs is at least half the number of its pages */
static void make_scattered(struct sgt_bo *bo, const struct sgt_screen *screen,
			   uint32_t seed)
{
	struct sgt_scatter scatter;

	sgt_must(sgt_scatter_begin(&scatter, 2 * sgt_screen_bytes(screen)));
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

/* Each screenful of the buffer has its own seed. */
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
		/* From the last to the first, so that no screen is shown already */
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

static void test_resource_transfer(const struct sgt_screen *screen)
{
	uint32_t seed = sgt_new_seed(), other = sgt_new_seed();
	struct drm_virtgpu_resource_create create = {
		.target = SGT_TARGET_2D,
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.width = screen->mode.hdisplay,
		.height = screen->mode.vdisplay,
		.depth = 1,
		.array_size = 1,
		.size = sgt_screen_bytes(screen),
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
	sgt_must(sgt_transfer(&bo));
	show_and_check(screen, &bo, seed);

	sgt_fill(bo.map, sgt_bo_words(&bo), other);
	sgt_expect_screen(screen, seed);
	sgt_must(sgt_transfer(&bo));
	sgt_expect_screen(screen, other);

	sgt_must(sgt_screen_off(screen));
	sgt_bo_free(&bo);
}

static void test_damage(const struct sgt_screen *screen)
{
	struct sgt_bo bo;

	igt_require_f(!sgt_has_blobs(screen->drm), "the device shows what it has not read\n");
	sgt_make_picture(&bo, screen, sgt_new_seed());
	sgt_check_damage(screen, &bo);
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
	/* There is no extra event. */
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

	/* The cursor has its own plane and does not change the picture. */
	sgt_expect_screen(screen, seed);
	sgt_must(sgt_screen_off(screen));
	sgt_bo_free(&cursor);
	sgt_bo_free(&picture);
}

static void test_cursor_redraw(const struct sgt_screen *screen)
{
	static const struct sgt_fb fb = { 64, 64, DRM_FORMAT_ARGB8888, 64 * 4, 0 };
	const char *upload = "virtio_gpu_cmd_res_xfer_toh_2d";
	struct sgt_bo picture, cursor;

	sgt_make_picture(&picture, screen, sgt_new_seed());
	sgt_must(sgt_screen_show(screen, &picture, 0));
	sgt_must(sgt_bo_create(&cursor, screen->drm, 64, 64));
	sgt_must(sgt_add_fb(&cursor, &fb));

	sgt_must(sgt_host_trace_mark());
	sgt_must(sgt_place_cursor(screen, &cursor, 10, 10));
	sgt_expect_trace(upload, 1);
	sgt_must(sgt_place_cursor(screen, &cursor, 20, 10));
	sgt_expect_trace("virtio_gpu_update_cursor", 2);
	sgt_expect_trace(upload, 1);

	igt_assert_eq(drmModeDirtyFB(screen->drm, cursor.fb, NULL, 0), 0);
	sgt_expect_trace(upload, 2);
	sgt_must(sgt_place_cursor(screen, &cursor, 20, 10));
	sgt_expect_trace(upload, 3);

	sgt_must(sgt_screen_off(screen));
	sgt_bo_free(&cursor);
	sgt_bo_free(&picture);
}

int igt_main()
{
	struct sgt_baseline base = {};
	struct sgt_screen screen = {};
	struct sgt_test test = {};
	int drm = -1;

	igt_fixture() {
		drm = sgt_test_begin(&test);
		sgt_require_host();
		sgt_must(sgt_screen_find(&screen, drm));
		sgt_baseline_take(&test, &base);
	}

	igt_describe("One screen, every pixel");
	igt_subtest("screen") {
		test_screen(&screen);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Pages that are apart in memory");
	igt_subtest("screen-scattered") {
		test_screen_scattered(&test, &screen);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Offsets in a large buffer");
	igt_subtest("screen-large") {
		test_screen_large(&screen, 6);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Segments and entries differ in number");
	igt_subtest("merged-segments") {
		igt_require(sgt_setup_is("iommu"));
		sgt_require_tables(&test);
		test_merged_segments(&test, &screen);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Transfers by ioctl");
	igt_subtest("resource-transfer") {
		test_resource_transfer(&screen);
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

	igt_describe("Flips complete");
	igt_subtest("flip-events") {
		test_flip_events(&screen);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("The cursor plane");
	igt_subtest("cursor") {
		test_cursor(&screen);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("The image of the cursor changes in place");
	igt_subtest("cursor-redraw") {
		sgt_require_tables(&test);
		test_cursor_redraw(&screen);
		sgt_baseline_check(&test, &base);
	}

	igt_fixture()
		close(drm);
}
