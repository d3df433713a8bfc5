// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>

#include "igt.h"

#include "lib/sgt_removal.h"
#include "lib/sgt_test.h"

/**
 * TEST: sgt vblank
 * Description: Events come with the vertical blank, which the mode defines
 * Category: Display
 * Mega feature: DRM
 * Sub-category: KMS
 * Functionality: vertical blank
 * Test category: functionality test
 *
 * SUBTEST: flip-pace
 * Description: 200 flips have events at different vertical blanks
 *
 * SUBTEST: out-fence-pace
 * Description: An out-fence signals at a later vertical blank than the one before
 *
 * SUBTEST: blocking-pace
 * Description: A blocking commit returns after its event
 *
 * SUBTEST: wait
 * Description: A wait ends at the vertical blank that was asked for
 *
 * SUBTEST: event
 * Description: A vertical blank that was asked for by number has its event
 *
 * SUBTEST: no-event
 * Description: Commits without an event do not wait for a vertical blank
 *
 * SUBTEST: off
 * Description: A CRTC that is turned off sends the events that wait, and refuses others
 *
 * SUBTEST: unbind
 * Description: Events that wait for a vertical blank are sent by an unbind
 *
 * SUBTEST: modes
 * Description: Modes that are too slow, too fast or interlaced are refused
 */

IGT_TEST_DESCRIPTION("Events come with the vertical blank, which the mode defines");

#define FLIPS		200
#define EVENT_MS	5000
#define NS_PER_SEC	1000000000ull

/* A vertical blank, as an event or a query describes it */
struct vblank {
	uint64_t sequence, ns;
};

/* The last event, and the number of all */
static struct vblank last_event;
static unsigned int events;

static uint64_t period_ns(const struct sgt_screen *screen)
{
	return screen->mode.htotal * (uint64_t)screen->mode.vtotal * 1000000 /
	       screen->mode.clock;
}

static struct vblank current(const struct sgt_screen *screen)
{
	struct vblank vblank;

	igt_assert_eq(drmCrtcGetSequence(screen->drm, screen->crtc, &vblank.sequence,
					 &vblank.ns), 0);
	return vblank;
}

static void on_flip(int fd, unsigned int sequence, unsigned int sec, unsigned int usec,
		    void *data)
{
	(void)fd;
	(void)data;
	last_event = (struct vblank) { sequence, sec * NS_PER_SEC + usec * 1000ull };
	events++;
}

static void on_sequence(int fd, uint64_t sequence, uint64_t ns, uint64_t data)
{
	(void)fd;
	(void)data;
	last_event = (struct vblank) { sequence, ns };
	events++;
}

/* The last one of the next @count events, which must come */
static struct vblank next_events(int drm, unsigned int count)
{
	drmEventContext context = {
		.version = 4,
		.page_flip_handler = on_flip,
		.sequence_handler = on_sequence,
	};
	struct pollfd pfd = { .fd = drm, .events = POLLIN };

	events = 0;
	while (events < count) {
		igt_assert_eq(poll(&pfd, 1, EVENT_MS), 1);
		igt_assert(pfd.revents & POLLIN);
		igt_assert_eq(drmHandleEvent(drm, &context), 0);
	}
	igt_assert_eq(events, count);
	return last_event;
}

static void make_pictures(struct sgt_bo bos[2], const struct sgt_screen *screen)
{
	sgt_make_picture(&bos[0], screen, sgt_new_seed());
	sgt_make_picture(&bos[1], screen, sgt_new_seed());
	sgt_must(sgt_screen_show(screen, &bos[0], 0));
}

static void free_pictures(struct sgt_bo bos[2], const struct sgt_screen *screen)
{
	sgt_must(sgt_screen_off(screen));
	sgt_bo_free(&bos[0]);
	sgt_bo_free(&bos[1]);
}

/* The times are those of the numbers: a microsecond is the unit of an event. */
static void expect_distance(const struct vblank *from, const struct vblank *to, uint64_t period)
{
	uint64_t want = (to->sequence - from->sequence) * period;
	uint64_t ns = to->ns - from->ns;

	igt_assert_f(ns <= want + 1000 && ns + 1000 >= want,
		     "vertical blank %lu comes %lu ns after %lu, of a period of %lu ns\n",
		     to->sequence, ns, from->sequence, period);
}

static void test_flip_pace(const struct sgt_screen *screen)
{
	uint64_t period = period_ns(screen);
	struct vblank first = {}, last = {};
	struct sgt_bo bos[2];

	make_pictures(bos, screen);
	for (int i = 1; i <= FLIPS; i++) {
		struct vblank now;

		sgt_must(sgt_screen_flip(screen, &bos[i & 1]));
		now = next_events(screen->drm, 1);
		if (i == 1)
			first = now;
		else
			igt_assert_lt(last.sequence, now.sequence);
		last = now;
	}
	igt_info("%d flips in %lu vertical blanks\n", FLIPS, last.sequence - first.sequence);
	igt_assert((FLIPS - 1) * period <= last.ns - first.ns + 1000);
	expect_distance(&first, &last, period);
	free_pictures(bos, screen);
}

static void test_out_fence_pace(const struct sgt_screen *screen)
{
	struct sgt_bo bos[2];
	uint64_t last;

	make_pictures(bos, screen);
	last = current(screen).sequence;
	for (int i = 1; i <= 20; i++) {
		int fence = sgt_must(sgt_screen_fence(screen, &bos[i & 1], -1));
		struct pollfd pfd = { .fd = fence, .events = POLLIN };
		struct vblank now;

		igt_assert_eq(poll(&pfd, 1, EVENT_MS), 1);
		close(fence);
		now = current(screen);
		igt_assert_lt(last, now.sequence);
		last = now.sequence;
	}
	free_pictures(bos, screen);
}

static void test_blocking_pace(const struct sgt_screen *screen)
{
	struct pollfd pfd = { .fd = screen->drm, .events = POLLIN };
	struct sgt_bo bos[2];

	make_pictures(bos, screen);
	for (int i = 1; i <= 20; i++) {
		drmModeAtomicReq *req;

		sgt_must(sgt_screen_request(&req, screen, &bos[i & 1], -1, NULL));
		igt_assert_eq(drmModeAtomicCommit(screen->drm, req, DRM_MODE_PAGE_FLIP_EVENT, NULL),
			      0);
		drmModeAtomicFree(req);
		igt_assert_eq(poll(&pfd, 1, 0), 1);
		next_events(screen->drm, 1);
	}
	free_pictures(bos, screen);
}

static void test_wait(const struct sgt_screen *screen)
{
	uint64_t period = period_ns(screen);
	struct vblank before, after;
	struct sgt_bo bos[2];
	drmVBlank vbl;

	make_pictures(bos, screen);
	before = current(screen);
	for (int i = 1; i <= 10; i++) {
		vbl = (drmVBlank) {
			.request.type = DRM_VBLANK_ABSOLUTE,
			.request.sequence = before.sequence + 2 * i,
		};
		igt_assert_eq(drmWaitVBlank(screen->drm, &vbl), 0);
		igt_assert_lte((unsigned int)before.sequence + 2 * i, vbl.reply.sequence);
	}
	after = current(screen);
	igt_assert_lte(before.sequence + 20, after.sequence);
	expect_distance(&before, &after, period);
	free_pictures(bos, screen);
}

static void test_event(const struct sgt_screen *screen)
{
	struct vblank before, event;
	struct sgt_bo bos[2];
	uint64_t queued;

	make_pictures(bos, screen);
	before = current(screen);
	igt_assert_eq(drmCrtcQueueSequence(screen->drm, screen->crtc, 0, before.sequence + 5,
					   &queued, 1), 0);
	igt_assert_eq_u64(queued, before.sequence + 5);
	event = next_events(screen->drm, 1);
	/* A timer that is late has the number of the blank in which it is. */
	igt_assert_lte(queued, event.sequence);
	expect_distance(&before, &event, period_ns(screen));
	free_pictures(bos, screen);
}

/* More commits than there are vertical blanks meanwhile */
static void test_off(const struct sgt_screen *screen)
{
	struct vblank before;
	struct sgt_bo bos[2];
	uint64_t sequence, ns, queued;

	make_pictures(bos, screen);
	before = current(screen);
	/* Far away: only turning the CRTC off can send it. */
	igt_assert_eq(drmCrtcQueueSequence(screen->drm, screen->crtc, 0, before.sequence + 100000,
					   &queued, 1), 0);
	sgt_must(sgt_screen_flip(screen, &bos[1]));
	sgt_must(sgt_screen_off(screen));
	next_events(screen->drm, 2);
	igt_assert_neq(drmCrtcGetSequence(screen->drm, screen->crtc, &sequence, &ns), 0);
	igt_assert_neq(drmCrtcQueueSequence(screen->drm, screen->crtc,
					    DRM_CRTC_SEQUENCE_RELATIVE, 1, NULL, 1), 0);

	/* The number never goes back. */
	sgt_must(sgt_screen_show(screen, &bos[0], 0));
	igt_assert_lt(before.sequence, current(screen).sequence);
	free_pictures(bos, screen);
}

static void test_unbind(struct sgt_test *test, int drm)
{
	struct sgt_screen screen;
	struct sgt_bo bos[2];

	sgt_must(sgt_screen_find(&screen, drm));
	make_pictures(bos, &screen);
	igt_assert_eq(drmCrtcQueueSequence(drm, screen.crtc, DRM_CRTC_SEQUENCE_RELATIVE, 100000,
					   NULL, 1), 0);
	sgt_must(sgt_screen_flip(&screen, &bos[1]));
	sgt_remove(test, SGT_ROUTE_VIRTIO);
	next_events(drm, 2);
	sgt_bring_back(test, SGT_ROUTE_VIRTIO);
	sgt_bo_free(&bos[0]);
	sgt_bo_free(&bos[1]);
}

static int try_mode(const struct sgt_screen *screen, const struct sgt_bo *bo,
		    const drmModeModeInfo *mode)
{
	uint32_t connector = screen->connector;
	drmModeModeInfo copy = *mode;

	if (drmModeSetCrtc(screen->drm, screen->crtc, bo->fb, 0, 0, &connector, 1, &copy))
		return -errno;
	return 0;
}

/* So slow that no machine takes as long for a commit */
static void test_no_event(const struct sgt_screen *screen)
{
	drmModeModeInfo slow = screen->mode;
	const unsigned int commits = 100;
	struct vblank before, after;
	struct sgt_bo bos[2];

	slow.clock = 2 * slow.htotal * slow.vtotal / 1000;
	make_pictures(bos, screen);
	igt_assert_eq(try_mode(screen, &bos[0], &slow), 0);
	before = current(screen);
	for (unsigned int i = 0; i < commits; i++) {
		drmModeClip clip = { .x2 = 8, .y2 = 8 };

		igt_assert_eq(drmModeDirtyFB(screen->drm, bos[0].fb, &clip, 1), 0);
	}
	after = current(screen);
	igt_info("%u commits in %lu vertical blanks\n", commits, after.sequence - before.sequence);
	igt_assert_lt(after.sequence - before.sequence, commits);
	free_pictures(bos, screen);
}

static void test_modes(const struct sgt_screen *screen)
{
	drmModeModeInfo slow = screen->mode, fast = screen->mode, laced = screen->mode;
	drmModeModeInfo wide = screen->mode;
	struct sgt_bo bos[2];

	make_pictures(bos, screen);
	slow.clock = 1;
	igt_assert_eq(try_mode(screen, &bos[0], &slow), -EINVAL);
	fast.clock = 2000000000;
	igt_assert_eq(try_mode(screen, &bos[0], &fast), -EINVAL);
	laced.flags |= DRM_MODE_FLAG_INTERLACE;
	igt_assert_eq(try_mode(screen, &bos[0], &laced), -EINVAL);
	wide.htotal = 65535;
	wide.vtotal = 65535;
	wide.clock = 2000000000;
	igt_assert_eq(try_mode(screen, &bos[0], &wide), -EINVAL);
	free_pictures(bos, screen);
}

int igt_main()
{
	static const struct {
		const char *name, *what;
		void (*run)(const struct sgt_screen *screen);
	} tests[] = {
		{ "flip-pace", "One event per refresh", test_flip_pace },
		{ "out-fence-pace", "One out-fence per refresh", test_out_fence_pace },
		{ "blocking-pace", "A blocking commit waits", test_blocking_pace },
		{ "wait", "DRM_IOCTL_WAIT_VBLANK", test_wait },
		{ "event", "DRM_IOCTL_CRTC_QUEUE_SEQUENCE", test_event },
		{ "no-event", "Only events wait", test_no_event },
		{ "off", "No event is lost", test_off },
		{ "modes", "The period is limited", test_modes },
	};
	struct sgt_baseline base = {};
	struct sgt_screen screen = {};
	struct sgt_test test = {};
	int drm = -1;

	igt_fixture() {
		drm = sgt_test_begin(&test);
		sgt_require_tables(&test);
		sgt_must(sgt_screen_find(&screen, drm));
		sgt_baseline_take(&test, &base);
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].what);
		igt_subtest(tests[i].name) {
			tests[i].run(&screen);
			sgt_baseline_check(&test, &base);
		}
	}

	igt_describe("No event is lost");
	igt_subtest("unbind")
		test_unbind(&test, drm);

	igt_fixture()
		close(drm);
}
