// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "igt.h"

#include "lib/sgt_removal.h"
#include "lib/sgt_rounds.h"
#include "lib/sgt_vm_gate.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt abuse end
 * Description: Close a file or kill a process in the middle of its work
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: address space, limits
 * Test category: stress test
 *
 * SUBTEST: close-signalled
 * Description: A file is closed while the fence that its bind waits for is being signalled
 *
 * SUBTEST: query-killed
 * Description: A query of a large range can be killed
 *
 * SUBTEST: unmap-killed
 * Description: A killed unmap is done as a whole or not at all, and ends soon
 */

IGT_TEST_DESCRIPTION("Close a file or kill a process in the middle of its work");

#define VA	(3ull << 39)

static struct sgt_test test;

/*
 * The number of times that one ioctl waits for a fence.  When the fence signals,
 * the callback of the bind runs after all of these, so the file can be closed in
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

/* The thread sleeps only in its ioctl. */
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
	long delay_us;
};

static void *open_in_thread(void *data)
{
	struct opener *opener = data;

	pthread_barrier_wait(&opener->start);
	sgt_spin_us(opener->delay_us);
	open_gate(opener->gate);
	return NULL;
}

/* A file whose bind waits for the fence of the gate */
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

/*
 * The fence signals @delay_us after the close begins.  Returns the time that the
 * close takes.
 */
static long close_round(int drm, long delay_us)
{
	struct opener opener = { .delay_us = delay_us };
	struct crowd crowd;
	struct gate gate;
	pthread_t thread;
	int victim;
	long begin;

	close_gate(&gate, drm);
	gather(&crowd, drm, gate.sync);
	victim = open_and_wait(&gate);

	opener.gate = &gate;
	igt_assert_eq(pthread_barrier_init(&opener.start, NULL, 2), 0);
	igt_assert_eq(pthread_create(&thread, NULL, open_in_thread, &opener), 0);
	pthread_barrier_wait(&opener.start);
	igt_set_timeout(30, "close");
	begin = sgt_now_us();
	close(victim);
	begin = sgt_now_us() - begin;
	igt_reset_timeout();

	pthread_join(thread, NULL);
	pthread_join(crowd.thread, NULL);
	end_gate(&gate, drm);
	return begin;
}

/* KASAN reports a callback that uses freed memory. */
static void test_close_signalled(int drm)
{
	struct sgt_rounds rounds;
	long window = 1000;

	sgt_rounds_begin(&rounds, 2, 20);
	while (sgt_rounds_next(&rounds))
		window = close_round(drm, sgt_random_below(&rounds.random, window));
	igt_info("the last close took %ld us\n", window);
}

/* A call that takes long, during which a child is killed */
struct killing {
	int (*call)(int drm);
	volatile bool called;
};

static struct killing *share_killing(int (*call)(int drm))
{
	struct killing *killing = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	igt_assert(killing != MAP_FAILED);
	killing->call = call;
	return killing;
}

/* Returns the time between the signal and the end of the child. */
static long kill_in_call(struct killing *killing, int drm, long after_us)
{
	int status = 0;
	pid_t child;
	long begin;

	killing->called = false;
	child = fork();
	igt_assert(child >= 0);
	if (!child) {
		killing->called = true;
		for (;;)
			killing->call(drm);
	}
	while (!killing->called)
		sched_yield();
	sgt_spin_us(after_us);
	begin = sgt_now_us();
	igt_assert_eq(kill(child, SIGKILL), 0);
	igt_assert_eq(waitpid(child, &status, 0), child);
	igt_assert(WIFSIGNALED(status));
	return sgt_now_us() - begin;
}

static long time_call(int (*call)(int drm), int drm)
{
	long begin = sgt_now_us();

	sgt_must(call(drm));
	return sgt_now_us() - begin;
}

static int query_all(int drm)
{
	struct drm_virtgpu_sgt_vm_query query;

	return sgt_vm_query(drm, 0, SGT_VM_END, &query);
}

#define KILLS	5

/*
 * A child that is killed at the beginning of the call ends before the call would.
 * Uses the shortest of several times, as a signal may be late.
 */
static void test_query_killed(int drm)
{
	struct killing *killing = share_killing(query_all);
	long whole, late, least = LONG_MAX;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 1);
	igt_assert_eq(sgt_map_often(&bo, 0, SGT_LEAF_2M, SGT_WIDE, NULL), -ENOSPC);
	whole = time_call(query_all, drm);
	for (int i = 0; i < KILLS; i++) {
		late = kill_in_call(killing, drm, whole / 20);
		least = late < least ? late : least;
	}
	igt_info("a query takes %ld us, the end of a killed one %ld us\n", whole, least);
	igt_assert(least < whole / 2);
	munmap(killing, PAGE);
	sgt_bo_free(&bo);
}

#define MANY	98304

static int unmap_all(int drm)
{
	return sgt_vm_unmap(drm, 0, SGT_VM_END);
}

static void test_unmap_killed(int drm)
{
	struct killing *killing = share_killing(unmap_all);
	long whole, late, least = LONG_MAX;
	struct drm_virtgpu_sgt_vm_query query;
	struct sgt_bo bo;
	int undone = 0;

	sgt_make_pages(&bo, drm, 1);
	sgt_must(sgt_map_often(&bo, VA, PAGE, MANY, NULL));
	whole = time_call(unmap_all, drm);
	for (int i = 0; i < KILLS; i++) {
		sgt_must(sgt_map_often(&bo, VA, PAGE, MANY, NULL));
		late = kill_in_call(killing, drm, whole / 20);
		least = late < least ? late : least;
		sgt_must(sgt_vm_query(drm, 0, SGT_VM_END, &query));
		igt_assert(!query.mapped || query.mapped == MANY * PAGE);
		undone += !!query.mapped;
		sgt_must(unmap_all(drm));
	}
	igt_info("an unmap takes %ld us, the end of a killed one %ld us, %d taken back\n",
		 whole, least, undone);
	igt_assert(least < whole / 2);
	munmap(killing, PAGE);
	sgt_bo_free(&bo);
}

int igt_main()
{
	static const struct sgt_file_test tests[] = {
		{ "query-killed", "A query can be interrupted", test_query_killed },
		{ "unmap-killed", "An unmap is whole or undone, and ends soon", test_unmap_killed },
	};
	int keep = -1;

	igt_fixture()
		keep = sgt_vm_fixture(&test);

	igt_describe("A late callback finds nothing to run");
	igt_subtest("close-signalled") {
		igt_require_f(sgt_have_driver("vgem"), "vgem has fences that a test can signal\n");
		sgt_in_file(&test, test_close_signalled);
	}

	sgt_in_files(&test, tests, ARRAY_SIZE(tests));

	igt_fixture()
		close(keep);
}
