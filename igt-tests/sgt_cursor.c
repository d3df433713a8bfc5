// SPDX-License-Identifier: GPL-2.0
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "drm_fourcc.h"
#include "igt.h"

#include "lib/sgt_answers.h"
#include "lib/sgt_children.h"
#include "lib/sgt_test.h"
#include "lib/sgt_virtgpu.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt cursor
 * Description: Move cursors, also while the host is busy, and off the screen
 * Category: Display
 * Mega feature: DRM
 * Sub-category: KMS
 * Functionality: cursor plane
 * Test category: functionality test
 *
 * SUBTEST: moves-held
 * Description: Moves do not wait for a host that is busy, which gets the newest position
 *
 * SUBTEST: image-killed
 * Description: A task that changes the image while the host is busy can be killed
 *
 * SUBTEST: moves-flip
 * Description: Moves do not wait for the vertical blank of a flip
 *
 * SUBTEST: off-screen
 * Description: A cursor that leaves the screen is hidden, and uploaded when it returns
 *
 * SUBTEST: off-screen-detached
 * Description: Redrawing a cursor off the screen whose range is unmapped fails no commit
 */

IGT_TEST_DESCRIPTION("Move cursors, also while the host is busy, and off the screen");

#define SIZE		64
#define MOVES		1000
#define VA		SGT_LEAF_1G

#define CURSOR_TRACE	"virtio_gpu_update_cursor"
#define UPLOAD_TRACE	"virtio_gpu_cmd_res_xfer_toh_2d"

static struct sgt_test test;

/* A picture on the screen, and a cursor on it */
struct client {
	struct sgt_screen screen;
	struct sgt_bo picture, cursor;
};

static void client_begin(struct client *client, int drm)
{
	sgt_must(sgt_screen_find(&client->screen, drm));
	sgt_make_picture(&client->picture, &client->screen, sgt_new_seed());
	sgt_must(sgt_screen_show(&client->screen, &client->picture, 0));
	sgt_must(sgt_bo_create(&client->cursor, drm, SIZE, SIZE));
	igt_assert_eq(drmModeSetCursor(drm, client->screen.crtc, client->cursor.handle, SIZE,
				       SIZE), 0);
}

static void client_end(struct client *client)
{
	igt_assert_eq(drmModeSetCursor(client->screen.drm, client->screen.crtc, 0, 0, 0), 0);
	sgt_must(sgt_screen_off(&client->screen));
	sgt_bo_free(&client->cursor);
	sgt_bo_free(&client->picture);
}

static void move(const struct client *client, int x, int y)
{
	igt_assert_eq(drmModeMoveCursor(client->screen.drm, client->screen.crtc, x, y), 0);
}

/* The host gets the first move and, when it has taken that, the last one. */
static void test_moves_held(int drm)
{
	struct client client;

	client_begin(&client, drm);
	sgt_must(sgt_host_trace_mark());
	sgt_hold_answers();
	for (int i = 0; i < MOVES; i++)
		move(&client, 1 + i % 500, i % 300);
	sgt_release_answers();

	igt_assert_lte(2, sgt_wait_trace(CURSOR_TRACE, 2));
	sgt_expect_trace(CURSOR_TRACE " scanout 0, x 1, y 0, move", 1);
	sgt_expect_trace(CURSOR_TRACE " scanout 0, x 500, y 99, move", 1);
	sgt_expect_trace(CURSOR_TRACE, 2);
	client_end(&client);
}

static int set_image(const struct client *client, const struct sgt_bo *image)
{
	return drmModeSetCursor(image->drm, client->screen.crtc, image->handle, SIZE, SIZE);
}

/* The child waits for the upload of the image. */
static void test_image_killed(int drm)
{
	struct client client;
	struct sgt_bo image;
	pid_t child;
	int status;

	client_begin(&client, drm);
	sgt_must(sgt_bo_create(&image, drm, SIZE, SIZE));
	sgt_must(sgt_bo_use(&image));
	sgt_hold_answers();
	child = fork();
	igt_assert(child >= 0);
	if (!child)
		_exit(-set_image(&client, &image));

	while (!sgt_commands_held(drm) || !sgt_child_is_stuck(child))
		sched_yield();
	igt_assert_eq(kill(child, SIGKILL), 0);
	igt_assert_eq(waitpid(child, &status, 0), child);
	igt_assert(WIFSIGNALED(status));
	sgt_release_answers();

	/* The change that was given up is part of the next one. */
	sgt_must(sgt_host_trace_mark());
	igt_assert_eq(set_image(&client, &image), 0);
	sgt_expect_trace(CURSOR_TRACE, 1);
	client_end(&client);
	sgt_bo_free(&image);
}

/* More moves than there are vertical blanks meanwhile */
static void test_moves_flip(int drm)
{
	uint64_t sequence, end, ns;
	struct client client;
	int moves = 0;

	client_begin(&client, drm);
	igt_assert_eq(drmCrtcGetSequence(drm, client.screen.crtc, &sequence, &ns), 0);
	for (int i = 0; i < 20; i++) {
		sgt_must(sgt_screen_flip(&client.screen, &client.picture));
		for (int j = 0; j < 20; j++)
			move(&client, moves++ % 500, j);
		igt_assert_eq(sgt_wait_flips(drm, 1, 5000), 1);
	}
	igt_assert_eq(drmCrtcGetSequence(drm, client.screen.crtc, &end, &ns), 0);
	igt_info("%d moves in %lu vertical blanks\n", moves, end - sequence);
	igt_assert_lt(end - sequence, moves);
	client_end(&client);
}

static void test_off_screen(int drm)
{
	struct client client;

	client_begin(&client, drm);
	move(&client, 10, 10);
	sgt_must(sgt_host_trace_mark());
	move(&client, -SIZE, 10);
	move(&client, -SIZE, 20);
	sgt_expect_trace(CURSOR_TRACE, 1);
	sgt_expect_trace(CURSOR_TRACE " scanout 0, x 0, y 0, update, res 0x0", 1);
	sgt_expect_trace(UPLOAD_TRACE, 0);

	move(&client, 1 - SIZE, 20);
	sgt_expect_trace(UPLOAD_TRACE, 1);
	sgt_expect_trace(CURSOR_TRACE, 2);
	client_end(&client);
}

/* A cursor that is a VA resource, which an unmap detaches */
static void test_off_screen_detached(int drm)
{
	static const struct sgt_fb fb = { SIZE, SIZE, DRM_FORMAT_ARGB8888, SIZE * 4, 0 };
	struct client client;
	struct sgt_bo range;

	client_begin(&client, drm);
	sgt_must(sgt_vm_map(&client.cursor, VA, client.cursor.size, 0));
	sgt_must(sgt_vm_picture(&range, drm, VA, SIZE, SIZE));
	sgt_must(sgt_add_fb(&range, &fb));
	sgt_must(sgt_place_cursor(&client.screen, &range, -SIZE, 10));
	sgt_must(sgt_vm_unmap(drm, VA, client.cursor.size));

	/* Each is a commit, which would return the error of the one before. */
	for (int i = 0; i < 3; i++)
		sgt_must(sgt_place_cursor(&client.screen, &range, -SIZE, 10));
	sgt_must(sgt_screen_show(&client.screen, &client.picture, 0));
	sgt_bo_free(&range);
	client_end(&client);
}

int igt_main()
{
	static const struct sgt_file_test tests[] = {
		{ "moves-flip", "Moves between flips", test_moves_flip },
		{ "off-screen", "The host shows no cursor", test_off_screen },
		{ "off-screen-detached", "Nothing is uploaded", test_off_screen_detached },
	};

	igt_fixture() {
		sgt_vm_fixture(&test);
		sgt_require_host();
		sgt_require_tables(&test);
	}

	sgt_in_files(&test, tests, ARRAY_SIZE(tests));

	igt_subtest_group() {
		igt_describe("A host that does not respond");
		igt_subtest("moves-held") {
			sgt_require_answers();
			sgt_in_file(&test, test_moves_held);
		}

		igt_fixture()
			sgt_reset_answers();

		igt_describe("An image that the host does not read");
		igt_subtest("image-killed") {
			sgt_require_answers();
			sgt_in_file(&test, test_image_killed);
		}

		igt_fixture()
			sgt_reset_answers();
	}
}
