// SPDX-License-Identifier: GPL-2.0
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "igt.h"

#include "lib/sgt_answers.h"
#include "lib/sgt_children.h"
#include "lib/sgt_fence.h"
#include "lib/sgt_removal.h"
#include "lib/sgt_virtgpu.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt frames
 * Description: Commits that do not wait for the host
 * Category: Display
 * Mega feature: DRM
 * Sub-category: KMS
 * Functionality: atomic commits
 * Test category: functionality test
 *
 * SUBTEST: no-wait
 * Description: Without an event, each call returns before the host answers
 *
 * SUBTEST: event
 * Description: Events and out-fences come after the answer of the host
 *
 * SUBTEST: flood
 * Description: A task that sends more than the host takes waits, and can be killed
 *
 * SUBTEST: late-error
 * Description: The next commit returns the error, and the one after sends the whole picture
 *
 * SUBTEST: freed
 * Description: Pictures can be freed while the host has commands about them
 *
 * SUBTEST: unbind
 * Description: An unbind does not wait for the commands
 */

IGT_TEST_DESCRIPTION("Commits that do not wait for the host");

/* How many commits the driver sends ahead, and the most commands of each */
#define FRAMES		16
#define FRAME_COMMANDS	3
/* Of a flip to a blob, which is not transferred */
#define BLOB_COMMANDS	2

#define FLOOD		1000
#define EVENT_MS	5000
#define VA		SGT_LEAF_1G

static struct sgt_test test;

/* The first picture is on the screen, and the host has no commands. */
struct client {
	struct sgt_screen screen;
	struct sgt_bo pictures[2];
	uint32_t seed;		/* of the second */
};

static void client_begin(struct client *client, int drm)
{
	client->seed = sgt_new_seed();
	sgt_must(sgt_screen_find(&client->screen, drm));
	sgt_make_picture(&client->pictures[0], &client->screen, sgt_new_seed());
	sgt_must(sgt_screen_show(&client->screen, &client->pictures[0], 0));
	/* This waits for the host. */
	sgt_make_picture(&client->pictures[1], &client->screen, client->seed);
}

static void client_end(struct client *client)
{
	sgt_must(sgt_screen_off(&client->screen));
	sgt_bo_free(&client->pictures[0]);
	sgt_bo_free(&client->pictures[1]);
}

static int dirty(const struct sgt_bo *bo)
{
	drmModeClip clip = { .x1 = 1, .y1 = 2, .x2 = 9, .y2 = 8 };

	return drmModeDirtyFB(bo->drm, bo->fb, &clip, 1) ? -errno : 0;
}

static void test_no_wait(int drm)
{
	struct client client;

	client_begin(&client, drm);
	sgt_hold_answers();
	for (int i = 0; i < 3; i++)
		sgt_must(dirty(&client.pictures[0]));
	sgt_must(sgt_screen_show(&client.screen, &client.pictures[1], 0));
	sgt_must(sgt_screen_show(&client.screen, &client.pictures[0], 0));
	sgt_must(sgt_screen_off(&client.screen));
	sgt_must(sgt_screen_show(&client.screen, &client.pictures[0], 0));
	igt_assert_eq(drmModePageFlip(drm, client.screen.crtc, client.pictures[1].fb, 0, NULL), 0);
	/* The number of commits */
	igt_assert_lte(8, sgt_commands_held(drm));
	sgt_release_answers();
	sgt_expect_screen(&client.screen, client.seed);
	client_end(&client);
}

static void wait_for_commands(int drm, long count)
{
	while (sgt_commands_held(drm) < count)
		sched_yield();
}

/* An event that waits only for the vertical blank has come by then. */
static void wait_for_refreshes(int drm)
{
	drmVBlank vbl = { .request.type = DRM_VBLANK_RELATIVE, .request.sequence = 2 };

	igt_assert_eq(drmWaitVBlank(drm, &vbl), 0);
}

static void test_event(int drm)
{
	struct pollfd pfd = { .fd = drm, .events = POLLIN };
	struct client client;
	long held, count;
	int fence;

	count = sgt_has_blobs(drm) ? BLOB_COMMANDS : FRAME_COMMANDS;
	client_begin(&client, drm);
	sgt_hold_answers();
	sgt_must(dirty(&client.pictures[0]));
	held = sgt_commands_held(drm);
	sgt_must(sgt_screen_flip(&client.screen, &client.pictures[1]));
	wait_for_commands(drm, held + count);
	wait_for_refreshes(drm);
	igt_assert_eq(poll(&pfd, 1, 0), 0);
	sgt_release_answers();
	igt_assert_eq(sgt_wait_flips(drm, 1, EVENT_MS), 1);

	sgt_hold_answers();
	sgt_must(dirty(&client.pictures[1]));
	held = sgt_commands_held(drm);
	fence = sgt_must(sgt_screen_fence(&client.screen, &client.pictures[0], -1));
	wait_for_commands(drm, held + count);
	wait_for_refreshes(drm);
	igt_assert_eq(sgt_sync_file_status(fence), 0);
	sgt_release_answers();
	igt_assert_eq(sgt_sync_file_wait(fence), 1);
	close(fence);
	client_end(&client);
}

/* The child sleeps, and has made no progress meanwhile. */
static bool is_throttled(pid_t child, const volatile int *sent)
{
	int before = *sent;

	poll(NULL, 0, 10);
	return sgt_child_is_stuck(child) && before >= FRAMES && *sent == before;
}

static void test_flood(int drm)
{
	volatile int *sent = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				  -1, 0);
	struct client client;
	int status;
	pid_t child;

	igt_assert(sent != MAP_FAILED);
	client_begin(&client, drm);
	sgt_hold_answers();
	child = fork();
	igt_assert(child >= 0);
	if (!child) {
		while (*sent < FLOOD && !dirty(&client.pictures[0]))
			++*sent;
		pause();
	}

	while (!is_throttled(child, sent))
		igt_assert_lt(*sent, FLOOD);
	igt_assert_lte(sgt_commands_held(drm), FRAMES * FRAME_COMMANDS);
	igt_assert_eq(kill(child, SIGKILL), 0);
	igt_assert_eq(waitpid(child, &status, 0), child);
	sgt_release_answers();

	/* The change that was given up is part of the next one. */
	sgt_fill(client.pictures[0].map, sgt_bo_words(&client.pictures[0]), client.seed);
	sgt_must(dirty(&client.pictures[0]));
	sgt_expect_screen(&client.screen, client.seed);
	client_end(&client);
	munmap((void *)sent, PAGE);
}

static void test_late_error(int drm)
{
	struct client client;
	long errors;

	client_begin(&client, drm);
	errors = sgt_must(sgt_stat(drm, "commit_errors"));
	sgt_hold_answers();
	sgt_must(dirty(&client.pictures[0]));
	sgt_empty_answers(true);
	sgt_release_answers();
	igt_set_timeout(EVENT_MS / 1000, "an error that is counted");
	while (sgt_must(sgt_stat(drm, "commit_errors")) == errors)
		sched_yield();
	igt_reset_timeout();
	sgt_empty_answers(false);

	sgt_fill(client.pictures[0].map, sgt_bo_words(&client.pictures[0]), client.seed);
	igt_assert_eq(dirty(&client.pictures[0]), -EIO);
	sgt_must(dirty(&client.pictures[0]));
	sgt_expect_screen(&client.screen, client.seed);
	igt_assert_eq(sgt_must(sgt_stat(drm, "commit_errors")), errors + 1);
	client_end(&client);
}

static void test_freed(int drm)
{
	struct sgt_bo range;
	struct client client;
	uint64_t size;

	client_begin(&client, drm);
	size = client.pictures[0].size;
	sgt_must(sgt_vm_map(&client.pictures[0], VA, size, 0));
	sgt_must(sgt_vm_picture(&range, drm, VA, client.screen.mode.hdisplay,
				client.screen.mode.vdisplay));
	sgt_must(sgt_bo_add_fb(&range));
	sgt_hold_answers();
	sgt_must(sgt_screen_show(&client.screen, &range, 0));
	sgt_must(sgt_screen_show(&client.screen, &client.pictures[1], 0));
	sgt_must(dirty(&client.pictures[1]));
	client_end(&client);
	sgt_bo_free(&range);
	sgt_release_answers();
	sgt_must(sgt_vm_unmap(drm, VA, size));
}

static void test_unbind(void)
{
	int drm = sgt_must(sgt_open());
	struct client client;

	client_begin(&client, drm);
	sgt_hold_answers();
	for (int i = 0; i < FRAMES; i++)
		sgt_must(dirty(&client.pictures[0]));
	sgt_remove(&test, SGT_ROUTE_VIRTIO);
	igt_assert_eq(dirty(&client.pictures[0]), -ENODEV);
	sgt_release_answers();
	sgt_bring_back(&test, SGT_ROUTE_VIRTIO);
	sgt_bo_free(&client.pictures[0]);
	sgt_bo_free(&client.pictures[1]);
	close(drm);
	sgt_expect_picture(&test);
}

int igt_main()
{
	static const struct sgt_file_test tests[] = {
		{ "no-wait", "No call waits", test_no_wait },
		{ "event", "The picture is shown", test_event },
		{ "flood", "The number of commits is limited", test_flood },
		{ "late-error", "An error after the call", test_late_error },
		{ "freed", "The memory stays until the host is done", test_freed },
	};

	igt_fixture() {
		sgt_vm_fixture(&test);
		sgt_require_host();
		sgt_require_tables(&test);
		sgt_require_answers();
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].what);
		igt_subtest(tests[i].name)
			sgt_in_file(&test, tests[i].run);
		igt_fixture()
			sgt_reset_answers();
	}

	igt_subtest_group() {
		igt_fixture()
			sgt_removal_begin(&test);
		igt_describe("Commands without an answer");
		igt_subtest("unbind")
			test_unbind();
		igt_fixture() {
			sgt_reset_answers();
			sgt_removal_recover(&test);
		}
	}
}
