// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <poll.h>
#include <time.h>

#include "igt.h"

#include "lib/sgt_removal.h"
#include "lib/sgt_space.h"
#include "lib/sgt_virtgpu.h"

/**
 * TEST: sgt flat
 * Description: What a buffer costs does not depend on how many there are
 * Category: Display
 * Mega feature: DRM
 * Sub-category: driver
 * Functionality: device hotplug
 * Test category: performance
 *
 * SUBTEST: destroy
 * Description: Instructions to free the oldest and the newest of many buffers
 *
 * SUBTEST: unbind
 * Description: Instructions of an unbind for each buffer, and its grace periods
 *
 * SUBTEST: bind
 * Description: Instructions of a bind in one file for the fences that another file holds
 */

/*
 * These are counts, not timings.  QEMU's -icount makes the guest's clock advance
 * by one nanosecond with each instruction of its only CPU, and by nothing else
 * while a task runs.  So a span of CPU time is a number of instructions.  It does
 * not depend on the load of the machine, nor on QEMU's list of resources, which
 * QEMU searches from one end to the other.  Interrupts and slow paths of the
 * allocators still vary, by far less than the limits asserted here.
 */
IGT_TEST_DESCRIPTION("What a buffer costs does not depend on how many there are");

#define MOST		10000
#define BATCH		16
#define BATCHES		4

/* 10,000 against 10: a cost that grows with the number is 1,000 times higher. */
#define FLAT_PERCENT	150

static const int steps[] = { 10, 1000, MOST };

static struct sgt_bo bos[MOST + 2 * BATCH * BATCHES];

static void fill(int drm, int first, int count)
{
	for (int i = first; i < first + count; i++) {
		sgt_must(sgt_bo_create(&bos[i], drm, 32, 32));
		sgt_must(sgt_bo_use(&bos[i]));
	}
}

static long thread_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000 + now.tv_nsec;
}

/*
 * The instructions of all tasks but the idle task, up to the last switch between
 * tasks, which the sleep causes.
 */
static long cpu_clock(void)
{
	unsigned long long ran;
	char line[256];
	long clock = -1;
	FILE *file;

	poll(NULL, 0, 1);
	file = fopen("/proc/schedstat", "re");
	igt_require_f(file, "the kernel has no /proc/schedstat\n");
	while (clock < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "cpu0 %*u %*u %*u %*u %*u %*u %llu", &ran) == 1)
			clock = ran;
	fclose(file);
	igt_assert(clock >= 0);
	return clock;
}

/*
 * A work item frees the memory after the response of the device.  The transfer is
 * queued last, so it ends after all of them.
 */
static long destroy(int first, int count, const struct sgt_bo *marker)
{
	long begin;

	sgt_must(sgt_transfer(marker));
	begin = cpu_clock();
	for (int i = first; i < first + count; i++)
		sgt_must(sgt_bo_close(&bos[i]));
	sgt_must(sgt_transfer(marker));
	return cpu_clock() - begin;
}

/* The lowest cost of all batches, without the cost of measuring */
static long destroy_one(int first, const struct sgt_bo *marker)
{
	long least = LONG_MAX, empty = LONG_MAX, cost;

	for (int i = 0; i < BATCHES; i++) {
		cost = destroy(first, 0, marker);
		empty = cost < empty ? cost : empty;
		cost = destroy(first + i * BATCH, BATCH, marker);
		least = cost < least ? cost : least;
	}
	return (least - empty) / BATCH;
}

static void report(const char *what, int alive, long cost)
{
	char key[64];

	snprintf(key, sizeof(key), "instr/%s/%d", what, alive);
	igt_info("%-28s %ld\n", key, cost);
	if (sgt_host_present())
		sgt_must(sgt_host_fact(key, cost));
}

static void expect_flat(const char *what, long few, long many)
{
	igt_assert_f(many * 100 <= few * FLAT_PERCENT,
		     "%s: %ld instructions with many alive, %ld with few\n",
		     what, many, few);
}

static void test_destroy(void)
{
	long oldest[ARRAY_SIZE(steps)], newest[ARRAY_SIZE(steps)];
	const int ends = BATCH * BATCHES;

	for (unsigned int i = 0; i < ARRAY_SIZE(steps); i++) {
		int drm = sgt_must(sgt_open());
		struct sgt_bo marker;

		sgt_must(sgt_bo_create(&marker, drm, 32, 32));
		fill(drm, 0, steps[i] + 2 * ends);
		newest[i] = destroy_one(steps[i] + ends, &marker);
		oldest[i] = destroy_one(0, &marker);
		report("destroy-newest", steps[i], newest[i]);
		report("destroy-oldest", steps[i], oldest[i]);
		close(drm);
	}
	expect_flat("the oldest", oldest[0], oldest[ARRAY_SIZE(steps) - 1]);
	expect_flat("the newest", newest[0], newest[ARRAY_SIZE(steps) - 1]);
}

/* The calling thread does all of the work. */
static long unbind(struct sgt_test *test, int alive)
{
	struct sgt_before before;
	struct sgt_device_row row;
	int drm = sgt_must(sgt_open_wait());
	long cost;

	fill(drm, 0, alive);
	sgt_look_before(test, &before);
	cost = thread_clock();
	sgt_remove(test, SGT_ROUTE_VIRTIO);
	cost = thread_clock() - cost;

	sgt_expect_gone(test, &before, alive);
	if (test->tables) {
		sgt_must(sgt_find_device(before.row.id, &row));
		igt_assert_eq_u64(row.grace, before.row.grace + 1);
	}
	close(drm);
	sgt_expect_forgotten(test, &before);
	sgt_bring_back(test, SGT_ROUTE_VIRTIO);
	return cost;
}

/* With few buffers, this is the fixed cost of an unbind. */
static void test_unbind(struct sgt_test *test)
{
	long cost[ARRAY_SIZE(steps)], some, each;

	for (unsigned int i = 0; i < ARRAY_SIZE(steps); i++) {
		cost[i] = unbind(test, steps[i]);
		report("unbind", steps[i], cost[i]);
	}
	some = (cost[1] - cost[0]) / (steps[1] - steps[0]);
	each = (cost[2] - cost[0]) / (steps[2] - steps[0]);
	report("unbind-each", steps[1], some);
	report("unbind-each", steps[2], each);
	expect_flat("the unbind", some, each);
}

/* Fences of finished binds, each in its own syncobj */
static void hold_fences(int drm, int count)
{
	struct drm_virtgpu_sgt_vm_bind_op op = sgt_vm_op_unmap(0, PAGE);
	uint32_t sync;

	for (int i = 0; i < count; i++) {
		igt_assert_eq(drmSyncobjCreate(drm, 0, &sync), 0);
		sgt_must(sgt_vm_bind_async(drm, &op, 1, 0, sync));
		if (i % 256 == 255)
			sgt_must(sgt_vm_unmap(drm, 0, PAGE));
	}
	sgt_must(sgt_vm_unmap(drm, 0, PAGE));
}

/*
 * Each bind waits for its job.  Otherwise, the number of jobs for each run of the
 * worker depends on the scheduler, which changes the cost by a factor of three.
 */
static long bind_some(int drm, uint32_t sync, int count)
{
	struct drm_virtgpu_sgt_vm_bind_op op = sgt_vm_op_unmap(0, PAGE);
	struct drm_virtgpu_sgt_sync out = sgt_vm_signal(sync, 0);
	struct drm_virtgpu_sgt_vm_bind bind = {
		.ops = sgt_objs(&op, 1),
		.syncs = sgt_objs(&out, 1),
	};
	long begin = cpu_clock();

	for (int i = 0; i < count; i++)
		do_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &bind);
	return cpu_clock() - begin;
}

static long bind_one(int drm)
{
	long least = LONG_MAX, empty = LONG_MAX, cost;
	uint32_t sync;

	igt_assert_eq(drmSyncobjCreate(drm, 0, &sync), 0);
	for (int i = 0; i < BATCHES; i++) {
		cost = bind_some(drm, sync, 0);
		empty = cost < empty ? cost : empty;
		cost = bind_some(drm, sync, BATCH);
		least = cost < least ? cost : least;
	}
	return (least - empty) / BATCH;
}

static void test_bind(const struct sgt_test *test)
{
	long cost[ARRAY_SIZE(steps)];

	sgt_require_tables(test);
	for (unsigned int i = 0; i < ARRAY_SIZE(steps); i++) {
		int drm = sgt_must(sgt_open()), other = sgt_must(sgt_open());

		hold_fences(other, steps[i]);
		cost[i] = bind_one(drm);
		report("bind", steps[i], cost[i]);
		close(other);
		close(drm);
	}
	expect_flat("a bind", cost[0], cost[ARRAY_SIZE(steps) - 1]);
}

int igt_main()
{
	struct sgt_test test = {};

	igt_fixture() {
		igt_require_f(getenv("SGT_ICOUNT"),
			      "the clock does not count instructions\n");
		sgt_removal_begin(&test);
	}

	igt_describe("The cost of a free does not depend on the number of buffers");
	igt_subtest("destroy")
		test_destroy();

	igt_describe("The cost of a bind does not depend on fences of other files");
	igt_subtest("bind")
		test_bind(&test);

	igt_describe("One grace period, and a constant cost for each buffer");
	igt_subtest("unbind")
		test_unbind(&test);
	igt_fixture()
		sgt_removal_recover(&test);
}
