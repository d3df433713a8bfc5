// SPDX-License-Identifier: GPL-2.0
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#include "igt.h"

#include "lib/sgt_children.h"
#include "lib/sgt_dmabuf.h"
#include "lib/sgt_peer.h"
#include "lib/sgt_removal.h"
#include "lib/sgt_rounds.h"
#include "lib/sgt_virtgpu.h"

/**
 * TEST: sgt race
 * Description: Remove the device while processes use it
 * Category: Display
 * Mega feature: DRM
 * Sub-category: driver
 * Functionality: device hotplug
 * Test category: stress test
 *
 * SUBTEST: close
 * Description: The last puts of many buffers run before, during and after the unbind
 *
 * SUBTEST: create
 * Description: Processes create and map buffers until the device is removed
 *
 * SUBTEST: fault
 * Description: Threads fault in the pages of a large mapping during the unbind
 *
 * SUBTEST: share
 * Description: Processes export and import dma-bufs until the device is removed
 *
 * SUBTEST: flip
 * Description: Each page flip until the device is removed has its event
 *
 * SUBTEST: storm
 * Description: Processes create, map, show, query and free during unbind and bind
 *
 * SUBTEST: open
 * Description: Processes open and close the device during unbind and bind
 */

IGT_TEST_DESCRIPTION("Remove the device while processes use it");

#define MAX_PROCESSES	4

/* Rounds for each of SGT_ROUNDS, and if it is not set */
#define TIMES		2
#define UNSET		6

/* Shared by all processes */
struct shared {
	volatile uint32_t ready[MAX_PROCESSES], start;
	long window_us;		/* how long the last unbind took */
	volatile uint32_t rounds, stop;
};

/* One of the processes that race against the unbind */
struct racer {
	struct shared *shared;
	uint64_t random;
	int child, drm;
};

static struct shared *share(void)
{
	struct shared *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	igt_assert(shared != MAP_FAILED);
	shared->window_us = 20000;
	return shared;
}

/*
 * Waits for all processes.  The delay depends on the seed, and is between well
 * before the unbind and well after it.
 */
static void start(struct racer *racer)
{
	long window = racer->shared->window_us;

	racer->shared->ready[racer->child] = 1;
	while (!racer->shared->start)
		sched_yield();
	sgt_spin_us(sgt_random_below(&racer->random, window * 3 / 2));
}

static void race_close(struct racer *racer)
{
	static struct sgt_bo bos[64];

	for (unsigned int i = 0; i < ARRAY_SIZE(bos); i++) {
		sgt_must(sgt_bo_create(&bos[i], racer->drm, 64, 16 + i));
		sgt_must(sgt_bo_map(&bos[i]));
		sgt_fill(bos[i].map, sgt_bo_words(&bos[i]), i);
		sgt_must(sgt_bo_use(&bos[i]));
	}
	start(racer);
	for (unsigned int i = 0; i < ARRAY_SIZE(bos); i++) {
		if (i % 4 == 3)
			sgt_expect_pattern(bos[i].map, sgt_bo_words(&bos[i]), i);
		sgt_bo_free(&bos[i]);
	}
}

/* Returns false if the device is removed; all other errors fail the test. */
static bool goes_on(int err)
{
	igt_assert_f(err >= 0 || err == -ENODEV, "%s\n", strerror(-err));
	return err >= 0;
}

static void race_create(struct racer *racer)
{
	static struct sgt_bo bos[16];
	bool on = true;

	start(racer);
	for (unsigned int i = 0; on; i++) {
		struct sgt_bo *bo = &bos[i % ARRAY_SIZE(bos)];
		unsigned int side = 1 + sgt_random_below(&racer->random, 200);

		sgt_bo_free(bo);
		on = goes_on(sgt_bo_create(bo, racer->drm, side, side)) &&
		     goes_on(sgt_bo_map(bo));
		if (on)
			sgt_fill(bo->map, sgt_bo_words(bo), i % ARRAY_SIZE(bos));
		on = on && goes_on(sgt_bo_use(bo));
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(bos); i++) {
		if (bos[i].map)
			sgt_expect_pattern(bos[i].map, sgt_bo_words(&bos[i]), i);
		sgt_bo_free(&bos[i]);
	}
}

struct toucher {
	pthread_t thread;
	const struct sgt_bo *bo;
	size_t first;
	size_t wrong;
};

#define TOUCHERS	4

/* A failed fault raises a signal, which fails the test. */
static void *touch_pages(void *data)
{
	struct toucher *toucher = data;
	size_t words = sgt_bo_words(toucher->bo);

	for (size_t i = toucher->first; i < words; i += TOUCHERS * WORDS_PER_PAGE)
		toucher->wrong += toucher->bo->map[i] != sgt_pattern(i, 1);
	return NULL;
}

static void race_fault(struct racer *racer)
{
	struct toucher touchers[TOUCHERS] = {};
	struct sgt_bo bo;

	sgt_must(sgt_bo_create(&bo, racer->drm, 2048, 1024));
	sgt_must(sgt_bo_map(&bo));
	sgt_fill(bo.map, sgt_bo_words(&bo), 1);
	munmap(bo.map, bo.size);
	sgt_must(sgt_bo_map(&bo));

	start(racer);
	for (int i = 0; i < TOUCHERS; i++) {
		touchers[i].bo = &bo;
		touchers[i].first = i * WORDS_PER_PAGE;
		igt_assert_eq(pthread_create(&touchers[i].thread, NULL, touch_pages,
					     &touchers[i]), 0);
	}
	for (int i = 0; i < TOUCHERS; i++) {
		pthread_join(touchers[i].thread, NULL);
		igt_assert_eq(touchers[i].wrong, 0);
	}
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), 1);
	sgt_bo_free(&bo);
}

/* Exports to vgem.  An exported dma-buf works with and without the device. */
static bool share_ours(struct racer *racer, int vgem)
{
	struct sgt_bo bo, imported = { .drm = vgem };
	int dmabuf;

	if (!goes_on(sgt_bo_create(&bo, racer->drm, 100, 100)))
		return false;
	dmabuf = sgt_bo_export(&bo);
	if (dmabuf >= 0) {
		igt_assert_eq(drmPrimeFDToHandle(vgem, dmabuf, &imported.handle), 0);
		sgt_must(sgt_bo_close(&imported));
		close(dmabuf);
	}
	sgt_bo_free(&bo);
	return goes_on(dmabuf);
}

/* Imports a dma-buf, if the set-up has DMA addresses for it */
static bool share_theirs(struct racer *racer, const struct sgt_foreign *from)
{
	struct sgt_bo bo;
	int err;

	err = sgt_bo_import(&bo, racer->drm, from->fd, 32, 32);
	if (err == -EOPNOTSUPP)
		return true;
	if (!goes_on(err))
		return false;
	/* Otherwise, the close of the file frees the import. */
	if (sgt_random_below(&racer->random, 4))
		sgt_bo_free(&bo);
	return true;
}

static void race_share(struct racer *racer)
{
	int vgem = sgt_must(sgt_open_driver("vgem"));
	struct sgt_foreign from;

	sgt_must(sgt_foreign_udmabuf(&from, 2 * PAGE));
	sgt_pattern_fill(from.map, from.size / sizeof(uint32_t), 1);
	start(racer);
	while (share_ours(racer, vgem) && share_theirs(racer, &from))
		;
	sgt_expect_pattern(from.map, from.size / sizeof(uint32_t), 1);
	sgt_foreign_free(&from);
	close(vgem);
}

/* Each flip that was accepted has its event. */
static void race_flip(struct racer *racer)
{
	struct sgt_screen screen;
	struct sgt_bo bos[2];
	int err, flips = 0, seen = 0;

	sgt_must(sgt_screen_find(&screen, racer->drm));
	sgt_make_picture(&bos[0], &screen, 1);
	sgt_make_picture(&bos[1], &screen, 2);
	sgt_must(sgt_screen_show(&screen, &bos[0], 0));

	start(racer);
	for (;;) {
		err = sgt_screen_flip(&screen, &bos[flips & 1]);
		if (err && err != -EBUSY)
			break;
		flips += !err;
		/* Every fourth event is read later. */
		if (err || flips % 4)
			seen += sgt_wait_flips(racer->drm, flips - seen, 5000);
	}
	seen += sgt_wait_flips(racer->drm, flips - seen, 5000);
	igt_assert_eq(seen, flips);
	/* A flip may return the error of an earlier commit before -ENODEV. */
	while (sgt_screen_flip(&screen, &bos[0]) != -ENODEV)
		;
	sgt_expect_nodev(racer->drm, &bos[0]);
}

struct race {
	const char *name, *what;
	int processes;
	void (*run)(struct racer *racer);
	bool vgem;		/* needs vgem */
};

static void run_racer(const struct race *race, struct shared *shared, int child, uint64_t random)
{
	struct racer racer = { .shared = shared, .child = child, .random = random };

	racer.drm = sgt_must(sgt_open());
	race->run(&racer);
	close(racer.drm);
}

static void race_round(struct sgt_test *test, const struct race *race,
		       struct sgt_rounds *rounds, struct shared *shared)
{
	enum sgt_route route = (rounds->seed + rounds->done) % sgt_gpu_routes(&test->gpu);
	struct sgt_before before;
	uint64_t random = sgt_random(&rounds->random);
	long begin;

	sgt_look_before(test, &before);
	memset((void *)shared->ready, 0, sizeof(shared->ready));
	shared->start = 0;
	igt_fork(child, race->processes)
		run_racer(race, shared, child, sgt_random_fork(&random, child));
	sgt_children_reach(shared->ready, race->processes, 1);
	shared->start = 1;
	sgt_spin_us(sgt_random_below(&random, shared->window_us / 2));
	begin = sgt_now_us();
	sgt_remove(test, route);
	shared->window_us = sgt_now_us() - begin;

	sgt_expect_gone(test, &before, 0);
	sgt_expect_no_dma(test);
	sgt_children_wait();
	sgt_expect_no_mapping(test, 0);
	sgt_expect_forgotten(test, &before);
	sgt_bring_back(test, route);
}

static void test_race(struct sgt_test *test, const struct race *race)
{
	struct shared *shared = share();
	struct sgt_rounds rounds;

	sgt_rounds_begin(&rounds, TIMES, UNSET);
	while (sgt_rounds_next(&rounds))
		race_round(test, race, &rounds, shared);
	munmap(shared, PAGE);
	sgt_expect_picture(test);
}

/* The whole life of a buffer.  Any step may fail when the device is removed. */
static void live_with_buffers(struct racer *racer)
{
	unsigned int what = sgt_random_below(&racer->random, 8);
	struct sgt_screen screen;
	struct sgt_bo bo;
	uint32_t res, size;
	int dmabuf;

	if (sgt_bo_create(&bo, racer->drm, 64 + what * 64, 64))
		return;
	if (!sgt_bo_map(&bo)) {
		sgt_fill(bo.map, sgt_bo_words(&bo), what);
		sgt_expect_pattern(bo.map, sgt_bo_words(&bo), what);
	}
	sgt_transfer(&bo);
	sgt_resource_info(&bo, &res, &size);
	dmabuf = sgt_bo_export(&bo);
	if (dmabuf >= 0)
		close(dmabuf);
	sgt_bo_free(&bo);

	if (what || sgt_screen_find(&screen, racer->drm))
		return;
	if (sgt_bo_create(&bo, racer->drm, screen.mode.hdisplay, screen.mode.vdisplay))
		return;
	if (!sgt_bo_add_fb(&bo))
		sgt_screen_show(&screen, &bo, 0);
	sgt_bo_free(&bo);
}

static void live_until_stopped(struct shared *shared, uint64_t random, bool buffers)
{
	struct racer racer = { .shared = shared, .random = random };

	while (!shared->stop) {
		racer.drm = sgt_open();
		if (racer.drm < 0) {
			poll(NULL, 0, 1);
			continue;
		}
		__sync_add_and_fetch(&shared->rounds, 1);
		for (int i = 0; buffers && i < 16 && !shared->stop; i++)
			live_with_buffers(&racer);
		close(racer.drm);
	}
}

/* The same processes use one device after the other. */
static void test_lives(struct sgt_test *test, bool buffers)
{
	struct shared *shared = share();
	struct sgt_before before = {};
	struct sgt_rounds rounds;

	sgt_rounds_begin(&rounds, TIMES, UNSET);
	igt_fork(child, MAX_PROCESSES)
		live_until_stopped(shared, sgt_random_fork(&rounds.random, child), buffers);

	while (sgt_rounds_next(&rounds)) {
		enum sgt_route route = (rounds.seed + rounds.done) % sgt_gpu_routes(&test->gpu);

		sgt_children_reach(&shared->rounds, 1, shared->rounds + MAX_PROCESSES);
		sgt_spin_us(sgt_random_below(&rounds.random, shared->window_us));
		sgt_look_before(test, &before);
		sgt_remove(test, route);
		sgt_expect_gone(test, &before, 0);
		sgt_expect_no_mapping(test, 0);
		sgt_bring_back(test, route);
	}
	shared->stop = 1;
	sgt_children_wait();
	munmap(shared, PAGE);
	sgt_expect_forgotten(test, &before);
	sgt_expect_picture(test);
}

int igt_main()
{
	static const struct race races[] = {
		{ "close", "Unbind and the last put, in any order", 3, race_close, false },
		{ "create", "Nothing is mapped for a removed device", 3, race_create, false },
		{ "fault", "Pages can be accessed without the device", 1, race_fault, false },
		{ "share", "Attachments end with the device", 3, race_share, true },
		{ "flip", "A page flip either fails or has its event", 1, race_flip, false },
	};
	struct sgt_test test = {};

	igt_fixture()
		sgt_removal_begin(&test);

	for (unsigned int i = 0; i < ARRAY_SIZE(races); i++) {
		igt_describe(races[i].what);
		igt_subtest_f("%s", races[i].name) {
			igt_require(!races[i].vgem || sgt_have_driver("vgem"));
			test_race(&test, &races[i]);
		}
		igt_fixture()
			sgt_removal_recover(&test);
	}

	igt_describe("No call outlives the device");
	igt_subtest("storm")
		test_lives(&test, true);
	igt_fixture()
		sgt_removal_recover(&test);

	igt_describe("An open succeeds or fails as a whole");
	igt_subtest("open")
		test_lives(&test, false);
	igt_fixture()
		sgt_removal_recover(&test);
}
