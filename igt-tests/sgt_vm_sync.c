// SPDX-License-Identifier: GPL-2.0
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "igt.h"

#include "lib/sgt_children.h"
#include "lib/sgt_removal.h"
#include "lib/sgt_rounds.h"
#include "lib/sgt_virtgpu.h"
#include "lib/sgt_vm_gate.h"
#include "lib/sgt_vm_model.h"

/**
 * TEST: sgt vm sync
 * Description: Bind buffers to the address space after fences, and before others
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: address space, fences
 * Test category: functionality test
 *
 * SUBTEST: in-fence
 * Description: Operations that wait for a fence are done after it, and not before
 *
 * SUBTEST: in-order
 * Description: Operations without a fence are done after those that wait for one
 *
 * SUBTEST: planned
 * Description: Each call sees the planned result of those before it
 *
 * SUBTEST: bind-waits
 * Description: A synchronous bind returns after the fence of an earlier one
 *
 * SUBTEST: query-waits
 * Description: A query returns after the fence of an earlier bind
 *
 * SUBTEST: resource-waits
 * Description: A resource from VA is created after the fence of an earlier bind
 *
 * SUBTEST: signal
 * Description: Signals with a handler do not end the wait of a bind
 *
 * SUBTEST: killed
 * Description: A bind whose process is killed while it waits is done all the same
 *
 * SUBTEST: chain
 * Description: Each bind waits for the fence of the one before it, in the same syncobj
 *
 * SUBTEST: two-files
 * Description: A bind waits for the fence of a bind of another file
 *
 * SUBTEST: cut
 * Description: A resource is detached when the fence signals, and not before
 *
 * SUBTEST: many
 * Description: Hundreds of binds wait for one fence
 *
 * SUBTEST: file-closed
 * Description: Closing a file finishes its binds, and their fences have an error
 *
 * SUBTEST: random
 * Description: After random operations with random fences, each page is mapped as in a model
 */

IGT_TEST_DESCRIPTION("Bind buffers to the address space after fences, and before others");

#define VA	(3ull << 39)

/* A job that does not wait is done in this time. */
#define FOUND_OUT_MS	50

static struct sgt_test test;

/* The syncobj does not signal within FOUND_OUT_MS. */
static void expect_pending(int drm, uint32_t sync)
{
	struct pollfd pfd = { .events = POLLIN };

	igt_assert_eq(drmSyncobjExportSyncFile(drm, sync, &pfd.fd), 0);
	igt_assert_eq(poll(&pfd, 1, FOUND_OUT_MS), 0);
	igt_assert_eq(sgt_sync_file_status(pfd.fd), 0);
	close(pfd.fd);
}

static void test_in_fence(int drm)
{
	uint32_t out = make_sync(drm);
	struct gate gate;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 5);
	close_gate(&gate, drm);
	map_async(&bo, VA, gate.sync, out);
	expect_pending(drm, out);
	open_gate(&gate);
	igt_assert_eq(wait_for_sync(drm, out), 1);
	sgt_expect_space(drm, bo.size, 4);

	/* A signalled in-fence, and no in-fence */
	unmap_async(drm, VA, PAGE, gate.sync, out);
	igt_assert_eq(wait_for_sync(drm, out), 1);
	sgt_expect_space(drm, bo.size - PAGE, 4);
	unmap_async(drm, VA, bo.size, 0, out);
	igt_assert_eq(wait_for_sync(drm, out), 1);
	sgt_expect_space(drm, 0, 1);
	map_async(&bo, VA, 0, 0);
	sgt_expect_space(drm, bo.size, 4);
	end_gate(&gate, drm);
	sgt_bo_free(&bo);
}

static void test_in_order(int drm)
{
	uint32_t out[4];
	struct gate gate;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 5);
	close_gate(&gate, drm);
	for (unsigned int i = 0; i < ARRAY_SIZE(out); i++) {
		out[i] = make_sync(drm);
		map_async(&bo, VA + i * bo.size, i ? 0 : gate.sync, out[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(out); i++)
		expect_pending(drm, out[i]);
	open_gate(&gate);
	/* All earlier jobs are done before the last one. */
	igt_assert_eq(wait_for_sync(drm, out[3]), 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(out); i++)
		igt_assert_eq(sync_status(drm, out[i]), 1);
	sgt_expect_space(drm, ARRAY_SIZE(out) * bo.size, 4);
	end_gate(&gate, drm);
	sgt_bo_free(&bo);
}

static void test_planned(int drm)
{
	struct drm_virtgpu_sgt_vm_bind_op ops[3];
	uint32_t out = make_sync(drm);
	struct gate gate;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 8);
	sgt_must(sgt_vm_map(&bo, VA, 4 * PAGE, 0));
	close_gate(&gate, drm);

	/* None of these changes is in the tables yet. */
	ops[0] = sgt_vm_op_unmap(VA, 2 * PAGE);
	ops[1] = sgt_vm_op_map(VA + 4 * PAGE, 4 * PAGE, &bo, 4 * PAGE);
	sgt_must(sgt_vm_bind_async(drm, ops, 2, gate.sync, 0));
	ops[0] = sgt_vm_op_map(VA + 4 * PAGE, PAGE, &bo, 0);
	igt_assert_eq(sgt_vm_bind_async(drm, ops, 1, 0, 0), -EEXIST);
	ops[0] = sgt_vm_op_map(VA, PAGE, &bo, 0);
	sgt_must(sgt_vm_bind_async(drm, ops, 1, 0, 0));
	ops[0] = sgt_vm_op_unmap(VA, 8 * PAGE);
	ops[1] = sgt_vm_op_map(VA + 20 * PAGE, 8 * PAGE, &bo, 0);
	ops[2] = sgt_vm_op_map(VA + 27 * PAGE, PAGE, &bo, 0);
	igt_assert_eq(sgt_vm_bind_async(drm, ops, 3, 0, 0), -EEXIST);
	ops[0] = sgt_vm_op_map(VA + PAGE, PAGE, &bo, 0);
	sgt_must(sgt_vm_bind_async(drm, ops, 1, 0, out));
	expect_pending(drm, out);

	open_gate(&gate);
	igt_assert_eq(wait_for_sync(drm, out), 1);
	sgt_expect_mapped(drm, VA, 8 * PAGE, 8 * PAGE);
	sgt_expect_space(drm, 8 * PAGE, 4);
	end_gate(&gate, drm);
	sgt_bo_free(&bo);
}

static int wait_in_bind(int drm)
{
	return sgt_vm_unmap(drm, SGT_LEAF_1G, PAGE);
}

static int wait_in_query(int drm)
{
	struct drm_virtgpu_sgt_vm_query query;
	int err = sgt_vm_query(drm, VA, 4 * PAGE, &query);

	if (!err)
		igt_assert_eq_u64(query.mapped, 4 * PAGE);
	return err;
}

static int wait_in_resource(int drm)
{
	struct sgt_bo picture;
	int err = sgt_vm_picture(&picture, drm, VA, WORDS_PER_PAGE, 4);

	return err ?: sgt_bo_close(&picture);
}

/* A child makes the call, which must not return before the parent opens the gate. */
static void check_waits(int drm, int (*call)(int drm))
{
	struct shared {
		volatile bool called, open;
	} *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct gate gate;
	struct sgt_bo bo;

	igt_assert(shared != MAP_FAILED);
	sgt_make_pages(&bo, drm, 4);
	close_gate(&gate, drm);
	map_async(&bo, VA, gate.sync, 0);
	igt_fork(child, 1) {
		shared->called = true;
		sgt_must(call(drm));
		igt_assert(shared->open);
	}
	while (!shared->called)
		sched_yield();
	poll(NULL, 0, FOUND_OUT_MS);
	shared->open = true;
	open_gate(&gate);
	sgt_children_wait();
	end_gate(&gate, drm);
	sgt_bo_free(&bo);
	munmap(shared, PAGE);
}

static void test_bind_waits(int drm)
{
	check_waits(drm, wait_in_bind);
}

static void test_query_waits(int drm)
{
	check_waits(drm, wait_in_query);
}

static void test_resource_waits(int drm)
{
	check_waits(drm, wait_in_resource);
}

static void ignore(int sig)
{
	(void)sig;
}

/* Signals with a handler arrive during the wait. */
static int wait_in_bind_with_signals(int drm)
{
	struct sigaction act = { .sa_handler = ignore };
	int err;

	sigaction(SIGALRM, &act, NULL);
	ualarm(2000, 2000);
	err = wait_in_bind(drm);
	ualarm(0, 0);
	return err;
}

static void test_signal(int drm)
{
	check_waits(drm, wait_in_bind_with_signals);
}

static void bind_and_wait(const struct sgt_bo *bo, uint32_t in)
{
	struct drm_virtgpu_sgt_vm_bind_op op = sgt_vm_op_map(VA, bo->size, bo, 0);
	struct drm_virtgpu_sgt_sync sync = sgt_vm_wait(in, 0);
	struct drm_virtgpu_sgt_vm_bind arg = {
		.ops = sgt_objs(&op, 1),
		.syncs = sgt_objs(&sync, 1),
	};

	ioctl(bo->drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &arg);
	_exit(1);
}

/* A call that changes nothing, and is refused once the range is mapped */
static void wait_until_planned(const struct sgt_bo *bo)
{
	const struct drm_virtgpu_sgt_vm_bind_op probe[] = {
		sgt_vm_op_map(VA, PAGE, bo, 0),
		sgt_vm_op_unmap(VA, PAGE),
	};
	int err;

	do {
		err = sgt_vm_bind_async(bo->drm, probe, ARRAY_SIZE(probe), 0, 0);
	} while (!err);
	igt_assert_eq(err, -EEXIST);
}

static void test_killed(int drm)
{
	struct gate gate;
	struct sgt_bo bo;
	int status = 0;
	pid_t child;

	sgt_make_pages(&bo, drm, 4);
	close_gate(&gate, drm);
	child = fork();
	igt_assert(child >= 0);
	if (!child)
		bind_and_wait(&bo, gate.sync);
	wait_until_planned(&bo);
	igt_assert_eq(kill(child, SIGKILL), 0);
	igt_assert_eq(waitpid(child, &status, 0), child);
	igt_assert(WIFSIGNALED(status));
	igt_assert_eq(sgt_sync_file_status(gate.fence.file), 0);

	open_gate(&gate);
	sgt_expect_space(drm, bo.size, 4);
	end_gate(&gate, drm);
	sgt_bo_free(&bo);
}

static void test_chain(int drm)
{
	struct gate gate;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 2);
	close_gate(&gate, drm);
	for (int i = 0; i < 20; i++)
		map_async(&bo, VA + i * bo.size, gate.sync, gate.sync);
	expect_pending(drm, gate.sync);
	open_gate(&gate);
	igt_assert_eq(wait_for_sync(drm, gate.sync), 1);
	sgt_expect_space(drm, 20 * bo.size, 4);
	end_gate(&gate, drm);
	sgt_bo_free(&bo);
}

static void test_two_files(int drm)
{
	int other = sgt_must(sgt_open()), fd = -1;
	uint32_t out = make_sync(drm), in, end = make_sync(other);
	struct sgt_bo bos[2];
	struct gate gate;

	sgt_make_pages(&bos[0], drm, 3);
	sgt_make_pages(&bos[1], other, 4);
	close_gate(&gate, drm);
	map_async(&bos[0], VA, gate.sync, out);
	igt_assert_eq(drmSyncobjHandleToFD(drm, out, &fd), 0);
	igt_assert_eq(drmSyncobjFDToHandle(other, fd, &in), 0);
	close(fd);
	map_async(&bos[1], VA, in, end);
	expect_pending(other, end);

	open_gate(&gate);
	igt_assert_eq(wait_for_sync(other, end), 1);
	igt_assert_eq(sync_status(drm, out), 1);
	sgt_expect_space(drm, bos[0].size, 4);
	sgt_expect_space(other, bos[1].size, 4);
	end_gate(&gate, drm);
	sgt_bo_free(&bos[0]);
	sgt_bo_free(&bos[1]);
	close(other);
}

static void test_cut(int drm)
{
	uint32_t out = make_sync(drm);
	struct sgt_bo bo, picture;
	struct gate gate;

	sgt_require_host();
	sgt_make_pages(&bo, drm, 16);
	sgt_must(sgt_vm_map(&bo, VA, bo.size, 0));
	sgt_must(sgt_vm_picture(&picture, drm, VA, WORDS_PER_PAGE, 16));
	close_gate(&gate, drm);
	sgt_must(sgt_host_trace_mark());
	unmap_async(drm, VA + 3 * PAGE, PAGE, gate.sync, out);
	expect_pending(drm, out);
	sgt_must(sgt_transfer(&picture));
	igt_assert_eq(sgt_must(sgt_host_trace_count("virtio_gpu_cmd_res_back_detach")), 0);

	open_gate(&gate);
	igt_assert_eq(wait_for_sync(drm, out), 1);
	igt_assert_eq(sgt_must(sgt_host_trace_count("virtio_gpu_cmd_res_back_detach")), 1);
	igt_assert_eq(sgt_transfer(&picture), -EFAULT);
	end_gate(&gate, drm);
	sgt_bo_free(&picture);
	sgt_bo_free(&bo);
}

static void test_many(int drm)
{
	uint32_t out = make_sync(drm);
	struct gate gate;
	struct sgt_bo bo;
	int count = 600;

	sgt_make_pages(&bo, drm, 1);
	close_gate(&gate, drm);
	for (int i = 0; i < count; i++)
		map_async(&bo, VA + i * PAGE, gate.sync, i + 1 < count ? 0 : out);
	for (int i = 0; i < count; i += 2)
		unmap_async(drm, VA + i * PAGE, PAGE, gate.sync, i + 2 < count ? 0 : out);
	expect_pending(drm, out);
	open_gate(&gate);
	igt_assert_eq(wait_for_sync(drm, out), 1);
	sgt_expect_space(drm, count / 2 * PAGE, 5);
	end_gate(&gate, drm);
	sgt_bo_free(&bo);
}

static void test_file_closed(int drm)
{
	int closed = sgt_must(sgt_open()), file = -1;
	uint32_t out = make_sync(closed);
	struct gate gate;
	struct sgt_bo bo;

	(void)drm;
	sgt_make_pages(&bo, closed, 7);
	close_gate(&gate, closed);
	map_async(&bo, VA, 0, 0);
	unmap_async(closed, VA, PAGE, gate.sync, 0);
	map_async(&bo, VA + bo.size, 0, out);
	igt_assert_eq(drmSyncobjExportSyncFile(closed, out, &file), 0);
	sgt_bo_free(&bo);
	drmSyncobjDestroy(closed, out);
	drmSyncobjDestroy(closed, gate.sync);
	close(closed);

	igt_assert_eq(sgt_sync_file_wait(file), -ECANCELED);
	igt_assert_eq(sgt_sync_file_status(gate.fence.file), 0);
	close(file);
	sgt_fence_end(&gate.fence);
}

/* Closed at the same time, and opened in any order */
#define GATES	4

static void random_round(struct sgt_vm_model *model, uint64_t *random)
{
	uint32_t out = make_sync(model->drm);
	struct gate gates[GATES];

	for (int i = 0; i < GATES; i++)
		close_gate(&gates[i], model->drm);
	for (int i = 0; i < 24; i++) {
		unsigned int which = sgt_random_below(random, 2 * GATES);

		sgt_model_step(model, random, which < GATES ? gates[which].sync : 0, out);
	}
	for (int i = 0; i < GATES; i++) {
		unsigned int with = i + sgt_random_below(random, GATES - i);
		struct gate gate = gates[with];

		gates[with] = gates[i];
		gates[i] = gate;
		open_gate(&gates[i]);
	}
	sgt_model_check(model);
	for (int i = 0; i < GATES; i++)
		end_gate(&gates[i], model->drm);
	drmSyncobjDestroy(model->drm, out);
}

static void test_random(int drm)
{
	static const uint32_t sizes[] = { 300, 64, 1 };
	struct sgt_vm_model model;
	struct sgt_rounds rounds;

	sgt_model_begin(&model, drm, VA - 400 * PAGE, 1000, sizes);
	sgt_rounds_begin(&rounds, 1, 20);
	while (sgt_rounds_next(&rounds))
		random_round(&model, &rounds.random);
	sgt_must(sgt_vm_unmap(drm, model.va, model.count * PAGE));
	sgt_expect_space(drm, 0, 1);
	sgt_model_end(&model);
}

int igt_main()
{
	static const struct sgt_file_test tests[] = {
		{ "in-fence", "Neither too early nor too late", test_in_fence },
		{ "in-order", "One timeline", test_in_order },
		{ "planned", "The planned state counts", test_planned },
		{ "bind-waits", "All earlier ones are done", test_bind_waits },
		{ "query-waits", "The answer is up to date", test_query_waits },
		{ "resource-waits", "The memory is up to date", test_resource_waits },
		{ "signal", "A repeated call would fail", test_signal },
		{ "killed", "A wait ends with a fatal signal", test_killed },
		{ "chain", "One syncobj to wait for and to signal", test_chain },
		{ "two-files", "Fences between files", test_two_files },
		{ "cut", "The picture is complete until the fence", test_cut },
		{ "many", "A long queue", test_many },
		{ "file-closed", "No wait outlives its file", test_file_closed },
		{ "random", "Any order of fences", test_random },
	};
	int keep = -1;

	igt_fixture() {
		keep = sgt_vm_fixture(&test);
		igt_require_f(sgt_have_driver("vgem"), "vgem has fences that a test can signal\n");
	}

	sgt_in_files(&test, tests, ARRAY_SIZE(tests));

	igt_fixture()
		close(keep);
}
