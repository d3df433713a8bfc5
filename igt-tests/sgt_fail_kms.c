// SPDX-License-Identifier: GPL-2.0
#include "igt.h"

#include <drm_fourcc.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "lib/sgt_nth.h"

/**
 * TEST: sgt fail kms
 * Description: Make each call for the screen fail at each point where it can
 * Category: Display
 * Mega feature: DRM
 * Sub-category: KMS
 * Functionality: error paths
 * Test category: fault injection
 *
 * SUBTEST: %s
 * Description: Failures in %arg[1]
 *
 * arg[1]:
 *
 * @add-fb: creating a framebuffer
 * @remove-fb: removing a framebuffer
 * @get-fb: querying a framebuffer
 * @get-connector: querying the modes of a connector
 * @set-crtc: setting a mode
 * @crtc-off: turning off a CRTC
 * @flip: a page flip with an event
 * @commit: an atomic commit with an out-fence
 * @commit-test: an atomic test commit
 * @dirty: announcing damage
 * @cursor-set: setting the image of a cursor
 * @cursor-move: moving a cursor
 */

IGT_TEST_DESCRIPTION("Make each call for the screen fail at each point where it can");

#define CURSOR		64
#define EVENT_MS	5000

/* The request of an atomic commit, and its out-fence */
static drmModeAtomicReq *commit;
static int32_t out_fence;

/* The pictures are as large as the screen, so all tries share them. */
static void begin(struct sgt_try *try)
{
	sgt_try_open(try);
	sgt_must(sgt_screen_find(&try->screen, try->drm));
	sgt_make_picture(&try->bo, &try->screen, sgt_new_seed());
	sgt_make_picture(&try->other, &try->screen, sgt_new_seed());
	sgt_must(sgt_screen_show(&try->screen, &try->bo, 0));
}

static void end(struct sgt_try *try)
{
	sgt_bo_free(&try->bo);
	sgt_bo_free(&try->other);
	sgt_try_close(try);
}

/* The first call may return the error of an earlier commit. */
static void show_picture(struct sgt_try *try)
{
	sgt_screen_show(&try->screen, &try->bo, 0);
	sgt_must(sgt_screen_show(&try->screen, &try->bo, 0));
}

static void make_small(struct sgt_try *try)
{
	sgt_try_open(try);
	sgt_must(sgt_bo_create(&try->bo, try->drm, CURSOR, CURSOR));
}

static int add_fb_call(struct sgt_try *try)
{
	struct drm_mode_fb_cmd2 arg = {
		.width = CURSOR,
		.height = CURSOR,
		.pixel_format = DRM_FORMAT_XRGB8888,
		.handles = { try->bo.handle },
		.pitches = { try->bo.pitch },
	};
	int err = sgt_try_ioctl(try->drm, DRM_IOCTL_MODE_ADDFB2, &arg);

	try->bo.fb = arg.fb_id;
	return err;
}

static void make_small_fb(struct sgt_try *try)
{
	make_small(try);
	igt_assert_eq(add_fb_call(try), 0);
}

static void fb_check(struct sgt_try *try)
{
	drmModeFB *fb = drmModeGetFB(try->drm, try->bo.fb);

	igt_assert(fb);
	igt_assert_eq(fb->width, CURSOR);
	drmModeFreeFB(fb);
}

static int remove_fb_call(struct sgt_try *try)
{
	unsigned int id = try->bo.fb;

	return sgt_try_ioctl(try->drm, DRM_IOCTL_MODE_RMFB, &id);
}

static int get_fb_call(struct sgt_try *try)
{
	struct drm_mode_fb_cmd2 arg = { .fb_id = try->bo.fb };

	return sgt_try_ioctl(try->drm, DRM_IOCTL_MODE_GETFB2, &arg);
}

static int get_connector_call(struct sgt_try *try)
{
	static struct drm_mode_modeinfo modes[128];
	struct drm_mode_get_connector arg = {
		.connector_id = try->screen.connector,
		.count_modes = ARRAY_SIZE(modes),
		.modes_ptr = (uintptr_t)modes,
	};

	return sgt_try_ioctl(try->drm, DRM_IOCTL_MODE_GETCONNECTOR, &arg);
}

static int set_crtc(struct sgt_try *try, const struct sgt_bo *bo)
{
	struct drm_mode_crtc arg = { .crtc_id = try->screen.crtc };

	if (bo) {
		arg.fb_id = bo->fb;
		arg.set_connectors_ptr = (uintptr_t)&try->screen.connector;
		arg.count_connectors = 1;
		arg.mode_valid = 1;
		memcpy(&arg.mode, &try->screen.mode, sizeof(arg.mode));
	}
	return sgt_try_ioctl(try->drm, DRM_IOCTL_MODE_SETCRTC, &arg);
}

/* Shows the other picture, as showing the same one does nothing. */
static int set_crtc_call(struct sgt_try *try)
{
	return set_crtc(try, &try->other);
}

static int crtc_off_call(struct sgt_try *try)
{
	return set_crtc(try, NULL);
}

static int flip_call(struct sgt_try *try)
{
	struct drm_mode_crtc_page_flip arg = {
		.crtc_id = try->screen.crtc,
		.fb_id = try->other.fb,
		.flags = DRM_MODE_PAGE_FLIP_EVENT,
	};

	return sgt_try_ioctl(try->drm, DRM_IOCTL_MODE_PAGE_FLIP, &arg);
}

static void flip_check(struct sgt_try *try)
{
	/* Two events, if the flip before succeeded and its result was not copied */
	igt_assert_lt(0, sgt_wait_flips(try->drm, 1, EVENT_MS));
}

static void begin_commit(struct sgt_try *try)
{
	begin(try);
	sgt_must(sgt_screen_request(&commit, &try->screen, &try->other, -1, &out_fence));
}

static void end_commit(struct sgt_try *try)
{
	drmModeAtomicFree(commit);
	end(try);
}

static int commit_call(struct sgt_try *try)
{
	out_fence = -1;
	return drmModeAtomicCommit(try->drm, commit, DRM_MODE_ATOMIC_NONBLOCK, NULL);
}

static void commit_check(struct sgt_try *try)
{
	struct pollfd pfd = { .fd = out_fence, .events = POLLIN };

	(void)try;
	igt_assert(out_fence >= 0);
	igt_assert_eq(poll(&pfd, 1, EVENT_MS), 1);
	close(out_fence);
}

static int commit_test_call(struct sgt_try *try)
{
	return drmModeAtomicCommit(try->drm, commit, DRM_MODE_ATOMIC_TEST_ONLY, NULL);
}

static int dirty_call(struct sgt_try *try)
{
	struct drm_clip_rect clip = { .x1 = 3, .y1 = 5, .x2 = 70, .y2 = 90 };
	struct drm_mode_fb_dirty_cmd arg = {
		.fb_id = try->bo.fb,
		.num_clips = 1,
		.clips_ptr = (uintptr_t)&clip,
	};

	return sgt_try_ioctl(try->drm, DRM_IOCTL_MODE_DIRTYFB, &arg);
}

/* Position and image change from try to try. */
static int cursor(struct sgt_try *try, uint32_t flags)
{
	struct drm_mode_cursor2 arg = {
		.flags = flags,
		.crtc_id = try->screen.crtc,
		.x = try->id++ % 50,
		.width = CURSOR,
		.height = CURSOR,
		.handle = try->third.handle,
	};

	return sgt_try_ioctl(try->drm, DRM_IOCTL_MODE_CURSOR2, &arg);
}

static int cursor_set_call(struct sgt_try *try)
{
	return cursor(try, DRM_MODE_CURSOR_BO | DRM_MODE_CURSOR_MOVE);
}

static int cursor_move_call(struct sgt_try *try)
{
	return cursor(try, DRM_MODE_CURSOR_MOVE);
}

static void begin_cursor(struct sgt_try *try)
{
	begin(try);
	sgt_must(sgt_bo_create(&try->third, try->drm, CURSOR, CURSOR));
	igt_assert_eq(cursor_set_call(try), 0);
}

/* The framebuffer of the cursor plane holds the buffer. */
static void end_cursor(struct sgt_try *try)
{
	sgt_must(drmModeSetCursor(try->drm, try->screen.crtc, 0, 0, 0));
	sgt_bo_free(&try->third);
	end(try);
}

#define SMALL(name_, call_, prepare_, ...)	\
	{ .name = name_, .call = call_, .prepare = prepare_, .finish = sgt_try_close, __VA_ARGS__ }

#define SHOWN(name_, call_, ...)	\
	{ .name = name_, .call = call_, .begin = begin, .end = end,	\
	  .prepare = show_picture, .latched = true, __VA_ARGS__ }

static const struct sgt_nth_call calls[] = {
	SMALL("add-fb", add_fb_call, make_small, .check = fb_check, .maps = true),
	SMALL("remove-fb", remove_fb_call, make_small_fb, .again = ENOENT),
	SMALL("get-fb", get_fb_call, make_small_fb),
	SHOWN("get-connector", get_connector_call),
	SHOWN("set-crtc", set_crtc_call),
	SHOWN("crtc-off", crtc_off_call),
	SHOWN("flip", flip_call, .check = flip_check),
	SHOWN("dirty", dirty_call),
	{
		.name = "commit",
		.begin = begin_commit,
		.end = end_commit,
		.prepare = show_picture,
		.call = commit_call,
		.check = commit_check,
		.latched = true,
	}, {
		.name = "commit-test",
		.begin = begin_commit,
		.end = end_commit,
		.prepare = show_picture,
		.call = commit_test_call,
	}, {
		.name = "cursor-set",
		.begin = begin_cursor,
		.end = end_cursor,
		.call = cursor_set_call,
		.latched = true,
	}, {
		.name = "cursor-move",
		.begin = begin_cursor,
		.end = end_cursor,
		.call = cursor_move_call,
		.latched = true,
	},
};

/* Everything that was made for the pictures is freed. */
static void sweep(const struct sgt_test *test, const struct sgt_nth_call *call)
{
	struct sgt_try try = { .drm = -1, .fd = -1 };
	struct sgt_baseline base;

	sgt_baseline_take(test, &base);
	sgt_nth_sweep(test, call, &try);
	sgt_baseline_check(test, &base);
}

int igt_main()
{
	struct sgt_test test;
	int keep = -1;

	igt_fixture()
		keep = sgt_nth_fixture(&test);

	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++) {
		igt_describe_f("At each point of %s", calls[i].name);
		igt_subtest_f("%s", calls[i].name)
			sweep(&test, &calls[i]);
	}

	igt_fixture()
		close(keep);
}
