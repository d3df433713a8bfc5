// SPDX-License-Identifier: GPL-2.0
#include "igt.h"

#include <time.h>

#include "lib/sgt_nth.h"

/**
 * TEST: sgt fail bind
 * Description: Make binding and unbinding of the device fail at many points
 * Category: Core
 * Mega feature: DRM
 * Sub-category: Driver
 * Functionality: error paths
 * Test category: fault injection
 *
 * SUBTEST: bind
 * Description: A bind that fails leaves nothing, and the next one works (SGT_ROUNDS points)
 *
 * SUBTEST: unbind
 * Description: An unbind does all of its work, whatever fails on the way (SGT_ROUNDS points)
 */

IGT_TEST_DESCRIPTION("Make binding and unbinding of the device fail at many points");

#define DRIVERS		"/sys/bus/virtio/drivers/"

/* More points than a bind has: the rest is left, which gives their number. */
#define NO_POINT	1000000000u

/* A bind has thousands of points and takes a second on a debug kernel. */
#define ROUNDS		24

static unsigned int number_from(const char *variable, unsigned int otherwise)
{
	const char *text = getenv(variable);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

static int write_driver(const struct sgt_gpu *gpu, const char *file)
{
	char path[256];

	snprintf(path, sizeof(path), DRIVERS "%s/%s", gpu->driver, file);
	return sgt_write_file(path, gpu->virtio);
}

static bool is_bound(const struct sgt_gpu *gpu)
{
	char path[256];

	snprintf(path, sizeof(path), DRIVERS "%s/%s", gpu->driver, gpu->virtio);
	return !access(path, F_OK);
}

/* A device that is not bound and has no users leaves nothing. */
static void expect_no_device(void)
{
	struct sgt_device_row *rows = NULL;
	int count = 0;

	for (int i = 0; i < 250; i++) {
		count = sgt_must(sgt_read_devices(&rows));
		free(rows);
		if (!count)
			break;
		usleep(20000);
	}
	igt_assert_eq(count, 0);
}

/*
 * device_add() ignores the errors of devtmpfs, so without memory the device has no
 * node in /dev until the next bind.
 */
static void expect_node(const struct sgt_gpu *gpu)
{
	int drm = sgt_open();

	if (drm >= 0) {
		close(drm);
		return;
	}
	sgt_must(write_driver(gpu, "unbind"));
	expect_no_device();
	sgt_must(write_driver(gpu, "bind"));
}

/* The device works from end to end. */
static void expect_working(void)
{
	int drm = sgt_must(sgt_open_wait());
	struct sgt_screen screen;
	struct sgt_bo bo;

	sgt_must(sgt_bo_create(&bo, drm, 64, 64));
	sgt_must(sgt_bo_map(&bo));
	sgt_fill(bo.map, sgt_bo_words(&bo), 1);
	sgt_bo_free(&bo);
	sgt_must(sgt_screen_find(&screen, drm));
	close(drm);
}

struct outcome {
	int failed, tolerated;
};

/* Fails a bind at one point.  Returns the number of points that are left. */
static unsigned int try_bind(const struct sgt_gpu *gpu, unsigned int point,
			     struct outcome *outcome)
{
	unsigned int left;
	int err;

	sgt_must(write_driver(gpu, "unbind"));
	expect_no_device();
	igt_debug("bind: point %u\n", point);
	sgt_nth_begin(point);
	err = write_driver(gpu, "bind");
	left = sgt_nth_end();

	igt_assert_eq(is_bound(gpu), !err);
	if (err) {
		igt_assert_f(!left, "bind: %s, and nothing was made to fail\n", strerror(-err));
		igt_assert_f(err == -ENOMEM || err == -EFAULT, "bind: %s\n", strerror(-err));
		outcome->failed++;
		expect_no_device();
		sgt_must(write_driver(gpu, "bind"));
	} else if (!left) {
		outcome->tolerated++;
		expect_node(gpu);
	}
	expect_working();
	return left;
}

static unsigned int try_unbind(const struct sgt_gpu *gpu, unsigned int point,
			       struct outcome *outcome)
{
	unsigned int left;
	int err;

	igt_debug("unbind: point %u\n", point);
	sgt_nth_begin(point);
	err = write_driver(gpu, "unbind");
	left = sgt_nth_end();

	/* Only the write may fail, before it reaches the driver. */
	igt_assert_eq(is_bound(gpu), !!err);
	if (err) {
		igt_assert_f(err == -ENOMEM || err == -EFAULT, "unbind: %s\n", strerror(-err));
		outcome->failed++;
		sgt_must(write_driver(gpu, "unbind"));
	} else if (!left) {
		outcome->tolerated++;
	}
	expect_no_device();
	sgt_must(write_driver(gpu, "bind"));
	expect_working();
	return left;
}

/*
 * A choice of all points.  They are closer together at the beginning, as most
 * failures have no effect once the device is registered and the console set up.
 */
static void sample(const struct sgt_gpu *gpu, const char *name,
		   unsigned int (*try)(const struct sgt_gpu *gpu, unsigned int point,
				       struct outcome *outcome))
{
	unsigned int rounds = number_from("SGT_ROUNDS", ROUNDS);
	unsigned int seed = number_from("SGT_SEED", time(NULL));
	struct outcome outcome = {};
	unsigned int points, point;

	points = NO_POINT - try(gpu, NO_POINT, &outcome);
	igt_info("%s: %u of %u points, SGT_SEED=%u\n", name, rounds, points, seed);
	srand(seed);
	for (unsigned int i = 0; i < rounds; i++) {
		/* Point i * i of rounds * rounds */
		point = 1 + (i * i + rand() % (2 * i + 1)) * (uint64_t)points / (rounds * rounds);
		try(gpu, point, &outcome);
	}
	igt_info("%s: %d errors, %d without one\n", name, outcome.failed, outcome.tolerated);
	sgt_nth_report(name, points, outcome.tolerated);
}

int igt_main()
{
	struct sgt_baseline base;
	struct sgt_test test;

	igt_fixture() {
		int drm = sgt_test_begin(&test);

		sgt_require_tables(&test);
		sgt_nth_require();
		sgt_baseline_take(&test, &base);
		close(drm);
	}

	igt_describe("At points spread over a bind");
	igt_subtest("bind")
		sample(&test.gpu, "bind", try_bind);

	igt_describe("At points spread over an unbind");
	igt_subtest("unbind")
		sample(&test.gpu, "unbind", try_unbind);

	igt_fixture()
		sgt_gpu_recover(&test.gpu);
}
