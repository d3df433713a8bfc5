// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <sys/syscall.h>

#include "igt.h"

#include "lib/sgt_removal.h"
#include "lib/sgt_rounds.h"
#include "lib/sgt_vm_gate.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt abuse
 * Description: What any user who may open the render node can try against the machine
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: address space, limits
 * Test category: stress test
 *
 * SUBTEST: close-signalled
 * Description: A file is closed while the fence that its bind waits for is being signalled
 */

IGT_TEST_DESCRIPTION("What any user who may open the render node can try against the machine");

#define VA	(3ull << 39)

static struct sgt_test test;

/*
 * One ioctl waits for a fence so often.  When the fence signals, it calls back
 * for each of them, and for the bind last of all: the file can be closed in
 * between.
 */
#define CROWD	8192

struct crowd {
	pthread_t thread;
	int drm;
	uint32_t handles[CROWD];
	volatile int tid;
};

static void *wait_often(void *data)
{
	struct crowd *crowd = data;

	crowd->tid = syscall(SYS_gettid);
	drmSyncobjWait(crowd->drm, crowd->handles, CROWD, INT64_MAX,
		       DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL, NULL);
	return NULL;
}

/* Whether it sleeps: in its one ioctl, and not on the way there */
static bool sleeps(int tid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "re");
	igt_assert(file);
	igt_assert_eq(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
	fclose(file);
	return state == 'S';
}

static void gather(struct crowd *crowd, int drm, uint32_t sync)
{
	crowd->drm = drm;
	crowd->tid = 0;
	for (unsigned int i = 0; i < CROWD; i++)
		crowd->handles[i] = sync;
	igt_assert_eq(pthread_create(&crowd->thread, NULL, wait_often, crowd), 0);
	igt_set_timeout(30, "gather");
	while (!crowd->tid || !sleeps(crowd->tid))
		sched_yield();
	igt_reset_timeout();
}

struct opener {
	const struct gate *gate;
	pthread_barrier_t start;
	volatile long took_us;
};

static void *open_in_thread(void *data)
{
	struct opener *opener = data;
	long begin;

	pthread_barrier_wait(&opener->start);
	begin = sgt_now_us();
	open_gate(opener->gate);
	opener->took_us = sgt_now_us() - begin;
	return NULL;
}

/* A file whose bind waits for the fence of another */
static int open_and_wait(const struct gate *gate)
{
	int drm = sgt_must(sgt_open());
	uint32_t in = make_sync(drm);
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 1);
	igt_assert_eq(drmSyncobjImportSyncFile(drm, in, gate->fence.file), 0);
	map_async(&bo, VA, in, 0);
	sgt_bo_free(&bo);
	return drm;
}

static long close_round(int drm, long delay_us)
{
	struct opener opener;
	struct crowd crowd;
	struct gate gate;
	pthread_t thread;
	int victim;

	close_gate(&gate, drm);
	gather(&crowd, drm, gate.sync);
	victim = open_and_wait(&gate);

	opener.gate = &gate;
	igt_assert_eq(pthread_barrier_init(&opener.start, NULL, 2), 0);
	igt_assert_eq(pthread_create(&thread, NULL, open_in_thread, &opener), 0);
	pthread_barrier_wait(&opener.start);
	sgt_spin_us(delay_us);
	igt_set_timeout(30, "close");
	close(victim);
	igt_reset_timeout();

	pthread_join(thread, NULL);
	pthread_join(crowd.thread, NULL);
	end_gate(&gate, drm);
	return opener.took_us;
}

/* Kernels that watch freed memory are the judges. */
static void test_close_signalled(int drm)
{
	struct sgt_rounds rounds;
	long window = 1000;

	sgt_rounds_begin(&rounds, 2, 20);
	while (sgt_rounds_next(&rounds))
		window = close_round(drm, sgt_random_below(&rounds.random, window));
	igt_info("the last signal took %ld us\n", window);
}

int igt_main()
{
	static const struct {
		const char *name, *what;
		bool vgem;
		void (*run)(int drm);
	} tests[] = {
		{ "close-signalled", "A late callback finds nothing to run", true,
		  test_close_signalled },
	};
	int keep = -1;

	igt_fixture()
		keep = sgt_vm_fixture(&test);

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].what);
		igt_subtest(tests[i].name) {
			igt_require_f(!tests[i].vgem || sgt_have_driver("vgem"),
				      "vgem has fences that a test can signal\n");
			sgt_in_file(&test, tests[i].run);
		}
	}

	igt_fixture()
		close(keep);
}
