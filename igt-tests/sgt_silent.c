// SPDX-License-Identifier: GPL-2.0
#include <linux/virtio_config.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "igt.h"

#include "lib/sgt_fence.h"
#include "lib/sgt_removal.h"
#include "lib/sgt_rounds.h"
#include "lib/sgt_virtgpu.h"
#include "lib/sgt_vm_gate.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt silent
 * Description: The host does not respond, or responds with a wrong length
 * Category: Display
 * Mega feature: DRM
 * Sub-category: driver
 * Functionality: device lost
 * Test category: functionality test
 *
 * SUBTEST: create
 * Description: Creating a buffer fails in time, and later calls fail, too
 *
 * SUBTEST: transfer
 * Description: A transfer fails in time, and the buffer keeps its bytes
 *
 * SUBTEST: commit
 * Description: The out-fence of a commit signals in time, with an error
 *
 * SUBTEST: job
 * Description: The fence of a bind signals in time, with an error; a query ends
 *
 * SUBTEST: close
 * Description: A file can be closed, and its memory is freed
 *
 * SUBTEST: killed
 * Description: A process can be killed, and its memory is freed
 *
 * SUBTEST: unbind
 * Description: An unbind and calls in progress end before the time limit of the host
 *
 * SUBTEST: unbind-lost
 * Description: A device that is lost can be unbound, with buffers held
 *
 * SUBTEST: bind
 * Description: A bind ends, and the device stays reset
 *
 * SUBTEST: race
 * Description: The unbind comes when the time limit of the host expires
 *
 * SUBTEST: answer-empty
 * Description: Empty responses fail, and the host keeps no memory for them
 *
 * SUBTEST: answer-long
 * Description: A response length beyond the buffer is limited
 */

IGT_TEST_DESCRIPTION("The host does not respond, or responds with a wrong length");

#define FAULTS		"/sys/kernel/debug/virtio_gpu_sgt/"
#define HOLD		FAULTS "hold_answers"
#define BYTES		FAULTS "answer_bytes"
#define LIMIT		"/sys/module/virtio_gpu_sgt/parameters/host_seconds"

#define HONEST		"4294967295"

/* Far more than the limits that the tests set: a regression hangs */
#define ENDS_SECONDS	60

#define VA		SGT_LEAF_1G

static struct sgt_test test;
static bool was_silent;

static void be_silent(const char *seconds)
{
	sgt_must(sgt_write_file(LIMIT, seconds));
	was_silent = true;
	sgt_must(sgt_write_file(HOLD, "Y"));
	igt_set_timeout(ENDS_SECONDS, "a call that the host does not answer");
}

static void speak(void)
{
	igt_reset_timeout();
	sgt_must(sgt_write_file(HOLD, "N"));
	sgt_must(sgt_write_file(BYTES, HONEST));
	sgt_must(sgt_write_file(LIMIT, "10"));
}

/* The host responds again, and the driver is bound again. */
static void start_again(void)
{
	speak();
	sgt_remove(&test, SGT_ROUTE_VIRTIO);
	sgt_bring_back(&test, SGT_ROUTE_VIRTIO);
	was_silent = false;
	sgt_expect_picture(&test);
}

static void expect_lost(int drm)
{
	igt_assert_eq(sgt_try_resource(drm), -EIO);
}

/* The device was reset, and DRIVER_OK is not set. */
static bool device_is_reset(void)
{
	unsigned int status;
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/bus/virtio/devices/%s/status",
		 test.gpu.virtio);
	file = fopen(path, "re");
	igt_assert(file);
	igt_assert_eq(fscanf(file, "%x", &status), 1);
	fclose(file);
	return !(status & VIRTIO_CONFIG_S_DRIVER_OK);
}

static void test_create(void)
{
	int drm = sgt_must(sgt_open());
	struct sgt_bo bo;

	sgt_must(sgt_bo_create(&bo, drm, 64, 64));
	be_silent("1");
	expect_lost(drm);

	/* The waits end before the reset does. */
	while (!device_is_reset())
		sched_yield();

	/* The host responds again, but the driver does not use it. */
	speak();
	expect_lost(drm);
	igt_assert_eq(sgt_transfer(&bo), -EIO);
	igt_assert_eq(sgt_bo_add_fb(&bo), -EIO);
	sgt_bo_free(&bo);
	close(drm);
	start_again();
}

static void test_transfer(void)
{
	int drm = sgt_must(sgt_open());
	uint32_t seed = sgt_new_seed();
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 100);
	sgt_fill(bo.map, sgt_bo_words(&bo), seed);
	sgt_must(sgt_bo_use(&bo));
	be_silent("1");
	igt_assert_eq(sgt_transfer(&bo), -EIO);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);

	start_again();
	igt_assert_eq(sgt_transfer(&bo), -ENODEV);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	sgt_bo_free(&bo);
	close(drm);
}

static void test_commit(void)
{
	int drm = sgt_must(sgt_open()), fence, later;
	struct sgt_screen screen;
	struct sgt_bo bo;

	sgt_must(sgt_screen_find(&screen, drm));
	sgt_make_picture(&bo, &screen, sgt_new_seed());
	sgt_must(sgt_screen_show(&screen, &bo, 0));

	be_silent("1");
	fence = sgt_must(sgt_screen_fence(&screen, &bo, -1));
	igt_assert_eq(sgt_sync_file_wait(fence), -EIO);

	/* The next commit returns the error; the commit after it fails itself. */
	igt_assert_eq(sgt_screen_fence(&screen, &bo, -1), -EIO);
	later = sgt_must(sgt_screen_fence(&screen, &bo, -1));
	igt_assert_eq(sgt_sync_file_wait(later), -EIO);

	sgt_bo_free(&bo);
	close(drm);
	close(fence);
	close(later);
	start_again();
}

/* Pages at VA, and a resource of them on the host */
static void make_window(int drm, struct sgt_bo *bo, struct sgt_bo *picture)
{
	sgt_make_pages(bo, drm, 100);
	sgt_must(sgt_vm_map(bo, VA, bo->size, 0));
	sgt_must(sgt_vm_picture(picture, drm, VA, WORDS_PER_PAGE, 100));
}

/* Its DETACH is not answered. */
static int start_job(int drm, uint64_t size)
{
	uint32_t out = make_sync(drm);

	unmap_async(drm, VA, size, 0, out);
	return export_sync(drm, out);
}

static void test_job(void)
{
	int drm = sgt_must(sgt_open()), fence;
	struct drm_virtgpu_sgt_vm_query query;
	struct sgt_bo bo, picture;

	make_window(drm, &bo, &picture);
	be_silent("1");
	fence = start_job(drm, bo.size);
	sgt_must(sgt_vm_query(drm, 0, SGT_VM_END, &query));
	igt_assert_eq_u64(query.mapped, 0);
	igt_assert_eq(sgt_sync_file_wait(fence), -EIO);

	sgt_bo_free(&picture);
	sgt_bo_free(&bo);
	close(drm);
	close(fence);
	start_again();
}

static void test_close(void)
{
	struct sgt_bo bo, picture;
	struct sgt_baseline base;
	int drm;

	sgt_baseline_take(&test, &base);
	drm = sgt_must(sgt_open());
	make_window(drm, &bo, &picture);
	munmap(bo.map, bo.size);
	be_silent("1");
	close(drm);
	sgt_baseline_check(&test, &base);
	start_again();
}

static void hold_until_killed(int ready)
{
	struct sgt_bo bo, picture;
	int drm = sgt_open();

	make_window(drm, &bo, &picture);
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void test_killed(void)
{
	struct sgt_baseline base;
	int ready[2], status;
	pid_t child;
	char byte;

	sgt_baseline_take(&test, &base);
	igt_assert_eq(pipe(ready), 0);
	child = fork();
	igt_assert(child >= 0);
	if (!child)
		hold_until_killed(ready[1]);
	igt_assert_eq(read(ready[0], &byte, 1), 1);

	be_silent("1");
	igt_assert_eq(kill(child, SIGKILL), 0);
	igt_assert_eq(waitpid(child, &status, 0), child);
	igt_assert(WIFSIGNALED(status));
	sgt_baseline_check(&test, &base);
	close(ready[0]);
	close(ready[1]);
	start_again();
}

/* A job, a commit and an ioctl are waiting for the host. */
static void test_unbind(void)
{
	int drm = sgt_must(sgt_open()), status = 0, ready[2], job, commit;
	struct sgt_bo bo, picture, shown;
	struct sgt_screen screen;
	pid_t child;
	char byte;

	make_window(drm, &bo, &picture);
	sgt_must(sgt_screen_find(&screen, drm));
	sgt_make_picture(&shown, &screen, sgt_new_seed());
	sgt_must(sgt_screen_show(&screen, &shown, 0));

	igt_assert_eq(pipe(ready), 0);
	be_silent("3600");
	job = start_job(drm, bo.size);
	commit = sgt_must(sgt_screen_fence(&screen, &shown, -1));
	child = fork();
	igt_assert(child >= 0);
	if (!child) {
		int drm = sgt_open();

		if (write(ready[1], "", 1) != 1)
			_exit(1);
		_exit(-sgt_try_resource(drm));
	}
	igt_assert_eq(read(ready[0], &byte, 1), 1);

	sgt_remove(&test, SGT_ROUTE_VIRTIO);
	igt_assert_eq(waitpid(child, &status, 0), child);
	igt_assert(WIFEXITED(status));
	igt_assert_eq(WEXITSTATUS(status), ENODEV);
	igt_assert_eq(sgt_sync_file_wait(job), -ENODEV);
	igt_assert_eq(sgt_sync_file_wait(commit), -ENODEV);
	sgt_expect_no_mapping(&test, 0);
	speak();
	sgt_bring_back(&test, SGT_ROUTE_VIRTIO);
	sgt_bo_free(&shown);
	sgt_bo_free(&picture);
	sgt_bo_free(&bo);
	close(drm);
	close(job);
	close(commit);
	close(ready[0]);
	close(ready[1]);
	start_again();
}

static void test_unbind_lost(void)
{
	int drm = sgt_must(sgt_open());
	struct sgt_before before;
	struct sgt_bo bo, picture;
	uint32_t seed = sgt_new_seed();

	sgt_look_before(&test, &before);
	make_window(drm, &bo, &picture);
	sgt_fill(bo.map, sgt_bo_words(&bo), seed);
	be_silent("1");
	expect_lost(drm);

	sgt_remove(&test, SGT_ROUTE_VIRTIO);
	sgt_expect_gone(&test, &before, 1);
	sgt_expect_no_mapping(&test, 0);
	igt_assert_eq(sgt_try_resource(drm), -ENODEV);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);

	speak();
	sgt_bring_back(&test, SGT_ROUTE_VIRTIO);
	sgt_bo_free(&picture);
	sgt_bo_free(&bo);
	close(drm);
	sgt_expect_forgotten(&test, &before);
	start_again();
}

static void test_bind(void)
{
	int drm;

	sgt_remove(&test, SGT_ROUTE_VIRTIO);
	be_silent("1");
	sgt_bring_back(&test, SGT_ROUTE_VIRTIO);
	igt_assert(device_is_reset());
	drm = sgt_must(sgt_open_wait());
	expect_lost(drm);
	close(drm);
	start_again();
}

/* The watchdog runs once a second, and stops the device in its second or third run. */
static void race_round(struct sgt_rounds *rounds)
{
	struct sgt_before before;
	pid_t child;

	sgt_look_before(&test, &before);
	be_silent("1");
	child = fork();
	igt_assert(child >= 0);
	if (!child)
		_exit(-sgt_try_resource(sgt_open()));
	sgt_spin_us(900 * 1000 + sgt_random_below(&rounds->random, 1300 * 1000));
	sgt_remove(&test, SGT_ROUTE_VIRTIO);
	sgt_expect_gone(&test, &before, 0);
	igt_assert_eq(waitpid(child, NULL, 0), child);
	speak();
	sgt_bring_back(&test, SGT_ROUTE_VIRTIO);
}

static void test_race(void)
{
	struct sgt_rounds rounds;

	sgt_rounds_begin(&rounds, 1, 5);
	while (sgt_rounds_next(&rounds))
		race_round(&rounds);
	start_again();
}

static void test_answer_empty(void)
{
	int drm = sgt_must(sgt_open());
	struct sgt_baseline base;
	struct sgt_bo bo;

	sgt_baseline_take(&test, &base);
	for (int i = 0; i < 3; i++) {
		sgt_must(sgt_write_file(BYTES, "0"));
		igt_assert_eq(sgt_try_resource(drm), -EIO);

		/* Guest and host can use the same resource ID again. */
		speak();
		sgt_must(sgt_bo_create(&bo, drm, 64, 64));
		igt_assert_eq(sgt_transfer(&bo), 0);
		sgt_bo_free(&bo);
	}
	sgt_baseline_check(&test, &base);
	close(drm);
}

static void test_answer_long(void)
{
	int drm = sgt_must(sgt_open());
	struct sgt_bo bo;

	sgt_must(sgt_write_file(BYTES, "4294967294"));
	sgt_must(sgt_bo_create(&bo, drm, 64, 64));
	igt_assert_eq(sgt_transfer(&bo), 0);
	sgt_bo_free(&bo);
	close(drm);

	/* A bind queries the displays and their EDIDs again. */
	sgt_remove(&test, SGT_ROUTE_VIRTIO);
	sgt_bring_back(&test, SGT_ROUTE_VIRTIO);
	sgt_expect_picture(&test);
	speak();
}

static void begin(void)
{
	sgt_removal_begin(&test);
	sgt_require_tables(&test);
	sgt_must(sgt_write_file(BYTES, HONEST));
}

static void recover(void)
{
	if (was_silent) {
		speak();
		sgt_remove(&test, SGT_ROUTE_VIRTIO);
	}
	was_silent = false;
	sgt_removal_recover(&test);
}

int igt_main()
{
	static const struct {
		const char *name;
		void (*run)(void);
	} tests[] = {
		{ "create", test_create },
		{ "transfer", test_transfer },
		{ "commit", test_commit },
		{ "job", test_job },
		{ "close", test_close },
		{ "killed", test_killed },
		{ "unbind", test_unbind },
		{ "unbind-lost", test_unbind_lost },
		{ "bind", test_bind },
		{ "race", test_race },
		{ "answer-empty", test_answer_empty },
		{ "answer-long", test_answer_long },
	};

	igt_fixture()
		begin();

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe("Each call ends, and the driver can be bound again");
		igt_subtest(tests[i].name)
			tests[i].run();
		igt_fixture()
			recover();
	}
}
