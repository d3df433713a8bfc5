// SPDX-License-Identifier: GPL-2.0
#include "drm_fourcc.h"
#include "igt.h"

#include "lib/sgt_refuse.h"
#include "lib/sgt_rounds.h"
#include "lib/sgt_test.h"
#include "lib/sgt_virtgpu.h"

/**
 * TEST: sgt fb
 * Description: Show framebuffers of any geometry, several of a buffer
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: framebuffers
 * Test category: functionality test
 *
 * SUBTEST: random
 * Description: Framebuffers of random pitch, offset and size, several of a buffer, show its pixels
 *
 * SUBTEST: random-wrong
 * Description: Random framebuffers that are not inside the buffer, or cannot be shown, are refused
 *
 * SUBTEST: to-the-last-pixel
 * Description: A framebuffer may end with the buffer, and not one pixel later
 *
 * SUBTEST: lazy
 * Description: A buffer has no pages until it is touched, and no mapping until it has a framebuffer
 *
 * SUBTEST: transfer
 * Description: A transfer changes what is shown if the buffer has a resource of that geometry
 *
 * SUBTEST: outlives
 * Description: A framebuffer shows its pixels when the handle and the other framebuffers are gone
 *
 * SUBTEST: trace-counts
 * Description: Each framebuffer takes one create, one unref, and unless it is a blob, one attach
 *
 * SUBTEST: limit
 * Description: The framebuffers of a buffer take at most 16 times its size on the host
 */

IGT_TEST_DESCRIPTION("Show framebuffers of any geometry, several of a buffer");

#define FBS	4

/* A framebuffer of a buffer, in pixels */
struct view {
	uint32_t width, height, pitch, offset;
	struct sgt_bo bo;	/* with the same handle, and a framebuffer of its own */
};

static struct sgt_fb fb_of(const struct view *view)
{
	return (struct sgt_fb) {
		.width = view->width,
		.height = view->height,
		.format = DRM_FORMAT_XRGB8888,
		.pitch = view->pitch * 4,
		.offset = view->offset * 4,
	};
}

static int add_view(struct view *view, const struct sgt_bo *bo)
{
	const struct sgt_fb fb = fb_of(view);

	view->bo = *bo;
	return sgt_add_fb(&view->bo, &fb);
}

static void remove_view(struct view *view)
{
	igt_assert_eq(drmModeRmFB(view->bo.drm, view->bo.fb), 0);
	view->bo.fb = 0;
}

/* Larger than the screen by some pixels, and inside the buffer */
static void make_random(struct view *view, const struct sgt_screen *screen,
			const struct sgt_bo *bo, uint64_t *random)
{
	uint32_t words = sgt_bo_words(bo), used;

	view->width = screen->mode.hdisplay + sgt_random_below(random, 70);
	view->height = screen->mode.vdisplay + sgt_random_below(random, 70);
	view->pitch = view->width + sgt_random_below(random, 2) * sgt_random_below(random, 200);
	used = (view->height - 1) * view->pitch + view->width;
	igt_assert(used <= words);
	view->offset = sgt_random_below(random, words - used + 1);
	/* Only these can be blobs. */
	if (sgt_random_below(random, 2))
		view->offset -= view->offset % WORDS_PER_PAGE;
	sgt_must(add_view(view, bo));
}

/* Any part of the framebuffer; the host compares it with the pattern of the buffer. */
static void show_random(const struct sgt_screen *screen, const struct view *view,
			uint32_t seed, uint64_t *random)
{
	uint32_t width = screen->mode.hdisplay, height = screen->mode.vdisplay;
	uint32_t x = sgt_random_below(random, view->width - width + 1);
	uint32_t y = sgt_random_below(random, view->height - height + 1);
	const struct sgt_part part = {
		.width = width,
		.height = height,
		.first = view->offset + y * view->pitch + x,
		.pitch = view->pitch,
	};
	uint32_t connector = screen->connector;
	drmModeModeInfo mode = screen->mode;

	igt_debug("%ux%u, pitch %u, at %u, from %u, %u\n", view->width, view->height,
		  view->pitch, view->offset, x, y);
	igt_assert_eq(drmModeSetCrtc(screen->drm, screen->crtc, view->bo.fb, x, y, &connector, 1,
				     &mode), 0);
	sgt_expect_part(&part, seed);
}

/* The buffer has room for the largest framebuffer that make_random() makes. */
static void make_buffer(struct sgt_bo *bo, const struct sgt_screen *screen)
{
	sgt_must(sgt_bo_create(bo, screen->drm, screen->mode.hdisplay + 270,
			       screen->mode.vdisplay + 100));
	sgt_must(sgt_bo_map(bo));
}

static void random_round(const struct sgt_screen *screen, struct sgt_bo *bo,
			 struct view *views, uint64_t *random)
{
	uint32_t seed = sgt_new_seed();
	unsigned int i;

	/* The damage of a modeset is the whole of the new framebuffer. */
	sgt_fill(bo->map, sgt_bo_words(bo), seed);
	for (i = 0; i < FBS; i++)
		show_random(screen, &views[sgt_random_below(random, FBS)], seed, random);

	i = sgt_random_below(random, FBS);
	sgt_must(sgt_screen_off(screen));
	remove_view(&views[i]);
	make_random(&views[i], screen, bo, random);
}

static void test_random(const struct sgt_test *test, const struct sgt_screen *screen)
{
	struct view views[FBS] = {};
	struct sgt_rounds rounds;
	struct sgt_bo bo;

	(void)test;
	sgt_rounds_begin(&rounds, 1, 12);
	make_buffer(&bo, screen);
	for (int i = 0; i < FBS; i++)
		make_random(&views[i], screen, &bo, &rounds.random);
	while (sgt_rounds_next(&rounds))
		random_round(screen, &bo, views, &rounds.random);
	for (int i = 0; i < FBS; i++)
		remove_view(&views[i]);
	sgt_bo_free(&bo);
}

/* Each case is one step beyond a framebuffer that fits. */
static void refuse_random(const struct sgt_bo *bo, const struct sgt_fb *good, uint64_t *random)
{
	uint32_t bytes = (good->height - 1) * good->pitch + good->width * 4;
	struct sgt_fb fb = *good;

	switch (sgt_random_below(random, 7)) {
	case 0:
		fb.pitch += 1 + sgt_random_below(random, 3);
		break;
	case 1:
		fb.offset += 1 + sgt_random_below(random, 3);
		break;
	case 2:
		fb.offset = bo->size - sgt_random_below(random, bytes / 4) * 4;
		break;
	case 3:
		fb.height = (bo->size - fb.offset) / fb.pitch + 2 + sgt_random_below(random, 500);
		break;
	case 4:
		fb.width = fb.pitch / 4 + 1 + sgt_random_below(random, 500);
		break;
	case 5:
		fb.pitch = 16385 * 4 + sgt_random_below(random, 1000) * 4;
		fb.height = 32;
		fb.offset = 0;
		break;
	case 6:
		fb.format = DRM_FORMAT_XBGR8888;
		break;
	}
	igt_debug("%ux%u, pitch %u, at %u\n", fb.width, fb.height, fb.pitch, fb.offset);
	igt_assert_eq(sgt_try_fb(bo, &fb), -EINVAL);
}

static void test_random_wrong(const struct sgt_test *test, const struct sgt_screen *screen)
{
	struct sgt_rounds rounds;
	struct view view = {};
	struct sgt_bo bo;

	(void)test;
	sgt_rounds_begin(&rounds, 20, 200);
	make_buffer(&bo, screen);
	while (sgt_rounds_next(&rounds)) {
		struct sgt_fb good;

		make_random(&view, screen, &bo, &rounds.random);
		good = fb_of(&view);
		refuse_random(&bo, &good, &rounds.random);
		remove_view(&view);
	}
	sgt_bo_free(&bo);
}

static int try_fb(const void *bo, void *fb)
{
	return sgt_try_fb(bo, fb);
}

static void test_to_the_last_pixel(const struct sgt_test *test, const struct sgt_screen *screen)
{
	const struct sgt_fb good = {
		.width = 33,
		.height = 40,
		.format = DRM_FORMAT_XRGB8888,
		.pitch = 51 * 4,
		.offset = 16 * PAGE - (39 * 51 + 33) * 4,
	};
	static const struct sgt_bad_field bad[] = {
#define BAD(field, value)	SGT_BAD(struct sgt_fb, field, value, EINVAL)
		BAD(width, 34),
		BAD(height, 41),
		BAD(pitch, 52 * 4),
		BAD(offset, 16 * PAGE - (39 * 51 + 33) * 4 + 4),
#undef BAD
	};
	struct sgt_bo bo;

	(void)test;
	sgt_must(sgt_bo_create(&bo, screen->drm, WORDS_PER_PAGE, 16));
	sgt_must(sgt_try_fb(&bo, &good));
	sgt_refuse(try_fb, &bo, &good, bad);
	sgt_must(sgt_try_fb(&bo, &good));
	sgt_bo_free(&bo);
}

static void expect_state(const struct sgt_test *test, const struct sgt_bo *bo, const char *state)
{
	struct sgt_buffer_row row;

	sgt_expect_row(test, bo, &row);
	igt_assert_f(!strcmp(row.state, state), "%s, not %s\n", row.state, state);
}

static void test_lazy(const struct sgt_test *test, const struct sgt_screen *screen)
{
	struct sgt_bo bo;

	sgt_must(sgt_bo_create(&bo, screen->drm, WORDS_PER_PAGE, 91));
	expect_state(test, &bo, "empty");
	sgt_must(sgt_bo_map(&bo));
	sgt_fill(bo.map, sgt_bo_words(&bo), 1);
	expect_state(test, &bo, "backed");
	sgt_must(sgt_bo_add_fb(&bo));
	expect_state(test, &bo, "mapped");

	/* The mapping ends with the buffer. */
	igt_assert_eq(drmModeRmFB(bo.drm, bo.fb), 0);
	bo.fb = 0;
	expect_state(test, &bo, "mapped");
	sgt_bo_free(&bo);
}

/* The second framebuffer has the resource of the buffer, the first one its own. */
static void test_transfer(const struct sgt_test *test, const struct sgt_screen *screen)
{
	uint32_t seed = sgt_new_seed(), other = sgt_new_seed();
	struct sgt_bo own, shared;

	(void)test;
	sgt_make_picture(&own, screen, seed);
	sgt_must(sgt_transfer(&own));
	shared = own;
	sgt_must(sgt_bo_add_fb(&shared));

	sgt_must(sgt_screen_show(screen, &own, 0));
	/* The device may read memory after the call returns. */
	sgt_expect_screen(screen, seed);
	sgt_fill(own.map, sgt_bo_words(&own), other);
	sgt_must(sgt_transfer(&own));
	/* A blob shows what is drawn, without the transfer. */
	sgt_expect_screen(screen, sgt_has_blobs(screen->drm) ? other : seed);
	sgt_must(sgt_screen_show(screen, &shared, 0));
	sgt_expect_screen(screen, other);
	sgt_fill(own.map, sgt_bo_words(&own), ++other);
	sgt_must(sgt_transfer(&own));
	sgt_expect_screen(screen, other);

	sgt_must(sgt_screen_off(screen));
	igt_assert_eq(drmModeRmFB(shared.drm, shared.fb), 0);
	sgt_bo_free(&own);
}

static void test_outlives(const struct sgt_test *test, const struct sgt_screen *screen)
{
	uint64_t random = 1;
	uint32_t seed = sgt_new_seed();
	struct view views[2] = {};
	struct sgt_bo bo;

	(void)test;
	make_buffer(&bo, screen);
	for (int i = 0; i < 2; i++)
		make_random(&views[i], screen, &bo, &random);
	sgt_fill(bo.map, sgt_bo_words(&bo), seed);
	sgt_must(sgt_bo_close(&bo));
	show_random(screen, &views[0], seed, &random);
	remove_view(&views[1]);
	sgt_fill(bo.map, sgt_bo_words(&bo), ++seed);
	show_random(screen, &views[0], seed, &random);
	sgt_must(sgt_screen_off(screen));
	remove_view(&views[0]);
	sgt_bo_free(&bo);
}

static void test_trace_counts(const struct sgt_test *test, const struct sgt_screen *screen)
{
	struct view views[FBS] = {};
	int blobs = 0;
	uint64_t random = 2;
	struct sgt_bo bo;

	(void)test;
	make_buffer(&bo, screen);
	sgt_must(sgt_host_trace_mark());
	for (int i = 0; i < FBS; i++) {
		make_random(&views[i], screen, &bo, &random);
		blobs += sgt_has_blobs(screen->drm) && views[i].offset % WORDS_PER_PAGE == 0;
	}
	sgt_expect_trace("virtio_gpu_cmd_res_create_blob", blobs);
	sgt_expect_trace("virtio_gpu_cmd_res_create_2d", FBS - blobs);
	sgt_expect_trace("virtio_gpu_cmd_res_back_attach", FBS - blobs);
	sgt_expect_trace("virtio_gpu_cmd_res_unref", 0);
	for (int i = 0; i < FBS; i++)
		remove_view(&views[i]);
	sgt_expect_trace("virtio_gpu_cmd_res_unref", FBS);
	sgt_bo_free(&bo);
	sgt_expect_trace("virtio_gpu_cmd_res_unref", FBS);
	sgt_expect_trace("virtio_gpu_cmd_res_create_blob", blobs);
	sgt_expect_trace("virtio_gpu_cmd_res_create_2d", FBS - blobs);
}

static void test_limit(const struct sgt_test *test, const struct sgt_screen *screen)
{
	uint32_t fbs[16];
	struct sgt_bo bo;

	(void)test;
	sgt_must(sgt_bo_create(&bo, screen->drm, 64, 64));
	igt_assert_eq_u64(bo.size, 4 * PAGE);
	for (int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(fbs); i++) {
			sgt_must(sgt_bo_add_fb(&bo));
			fbs[i] = bo.fb;
		}
		igt_assert_eq(sgt_bo_add_fb(&bo), -ENOSPC);
		bo.fb = 0;
		for (unsigned int i = 0; i < ARRAY_SIZE(fbs); i++)
			igt_assert_eq(drmModeRmFB(bo.drm, fbs[i]), 0);
	}
	sgt_bo_free(&bo);
}

int igt_main()
{
	static const struct {
		const char *name, *what;
		void (*run)(const struct sgt_test *test, const struct sgt_screen *screen);
	} tests[] = {
		{ "random", "Any linear framebuffer shows", test_random },
		{ "random-wrong", "Any other framebuffer is refused", test_random_wrong },
		{ "to-the-last-pixel", "The end of the buffer is exact", test_to_the_last_pixel },
		{ "lazy", "A buffer costs nothing until it is used", test_lazy },
		{ "transfer", "The resource of the buffer itself", test_transfer },
		{ "outlives", "A framebuffer holds all that it needs", test_outlives },
		{ "trace-counts", "One command of each kind", test_trace_counts },
		{ "limit", "The host's memory is limited", test_limit },
	};
	struct sgt_baseline base = {};
	struct sgt_screen screen = {};
	struct sgt_test test = {};
	int drm = -1;

	igt_fixture() {
		drm = sgt_test_begin(&test);
		sgt_require_tables(&test);
		sgt_require_host();
		sgt_must(sgt_screen_find(&screen, drm));
		/* A blob cannot be in many pieces. */
		if (sgt_has_blobs(drm)) {
			sgt_must(sgt_write_file("/proc/sys/vm/compact_memory", "1"));
			sgt_must(sgt_write_file(SGT_HUGE_PAGES, "Y"));
		}
		sgt_baseline_take(&test, &base);
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].what);
		igt_subtest(tests[i].name) {
			tests[i].run(&test, &screen);
			sgt_baseline_check(&test, &base);
		}
	}

	igt_fixture() {
		if (sgt_has_blobs(drm))
			sgt_must(sgt_write_file(SGT_HUGE_PAGES, "N"));
		close(drm);
	}
}
