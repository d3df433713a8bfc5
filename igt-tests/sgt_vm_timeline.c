// SPDX-License-Identifier: GPL-2.0
#include <time.h>

#include "igt.h"

#include "lib/sgt_removal.h"
#include "lib/sgt_vm_gate.h"

/**
 * TEST: sgt vm timeline
 * Description: Bind buffers to the address space with timeline syncobjs
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: address space, timelines
 * Test category: functionality test
 *
 * SUBTEST: wait
 * Description: Operations wait for a point, or for the one after it
 *
 * SUBTEST: signal
 * Description: Operations signal points when they are done, and not before
 *
 * SUBTEST: unsubmitted
 * Description: A wait for a point that is not submitted is refused, and changes nothing
 *
 * SUBTEST: many
 * Description: Operations wait for binary syncobjs and points, and signal both
 *
 * SUBTEST: after-others
 * Description: A point is signalled after those that were added before it
 *
 * SUBTEST: not-increasing
 * Description: A point below its predecessor is added with the value of that
 *
 * SUBTEST: chain
 * Description: Each of many binds waits for the point that the bind before it signals
 *
 * SUBTEST: file-closed
 * Description: The points of a file that is closed are signalled
 */

IGT_TEST_DESCRIPTION("Bind buffers to the address space with timeline syncobjs");

#define VA	(3ull << 39)

/* A job that does not wait is done in this time. */
#define FOUND_OUT_NS	50000000

static struct sgt_test test;

static int wait_for_point(int drm, uint32_t sync, uint64_t point, int64_t ns)
{
	struct timespec now;

	igt_assert_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return drmSyncobjTimelineWait(drm, &sync, &point, 1,
				      now.tv_sec * INT64_C(1000000000) + now.tv_nsec + ns, 0, NULL);
}

static void expect_pending(int drm, uint32_t sync, uint64_t point)
{
	igt_assert_eq(wait_for_point(drm, sync, point, FOUND_OUT_NS), -ETIME);
}

static void expect_signalled(int drm, uint32_t sync, uint64_t point)
{
	igt_assert_eq(wait_for_point(drm, sync, point, INT64_C(10000000000)), 0);
}

static uint64_t last_point(int drm, uint32_t sync)
{
	uint64_t point;

	igt_assert_eq(drmSyncobjQuery(drm, &sync, &point, 1), 0);
	return point;
}

/* A point of a timeline that is signalled when the gate is opened */
static void close_gate_at(struct gate *gate, int drm, uint32_t timeline, uint64_t point)
{
	close_gate(gate, drm);
	igt_assert_eq(drmSyncobjTransfer(drm, timeline, point, gate->sync, 0, 0), 0);
}

static int map_syncs(const struct sgt_bo *bo, uint64_t va,
		     const struct drm_virtgpu_sgt_sync *syncs, uint32_t num_syncs)
{
	struct drm_virtgpu_sgt_vm_bind_op op = sgt_vm_op_map(va, bo->size, bo, 0);

	return sgt_vm_bind_syncs(bo->drm, &op, 1, syncs, num_syncs);
}

static void test_wait(int drm)
{
	uint32_t timeline = make_sync(drm), out = make_sync(drm);
	struct drm_virtgpu_sgt_sync syncs[] = {
		sgt_vm_wait(timeline, 10), sgt_vm_signal(out, 1),
	};
	struct gate gates[2];
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 4);
	close_gate_at(&gates[0], drm, timeline, 10);
	close_gate_at(&gates[1], drm, timeline, 20);

	sgt_must(map_syncs(&bo, VA, syncs, 2));
	expect_pending(drm, out, 1);
	open_gate(&gates[0]);
	expect_signalled(drm, out, 1);
	sgt_expect_space(drm, bo.size, 4);

	/* Point 15 is signalled with point 20, which is the next one. */
	syncs[0] = sgt_vm_wait(timeline, 15);
	syncs[1] = sgt_vm_signal(out, 2);
	sgt_must(map_syncs(&bo, VA + bo.size, syncs, 2));
	expect_pending(drm, out, 2);
	open_gate(&gates[1]);
	expect_signalled(drm, out, 2);

	/* A point that is signalled */
	syncs[0] = sgt_vm_wait(timeline, 1);
	syncs[1] = sgt_vm_signal(out, 3);
	sgt_must(map_syncs(&bo, VA + 2 * bo.size, syncs, 2));
	expect_signalled(drm, out, 3);
	sgt_expect_space(drm, 3 * bo.size, 4);

	end_gate(&gates[0], drm);
	end_gate(&gates[1], drm);
	drmSyncobjDestroy(drm, timeline);
	drmSyncobjDestroy(drm, out);
	sgt_bo_free(&bo);
}

static void test_signal(int drm)
{
	uint32_t timeline = make_sync(drm);
	struct drm_virtgpu_sgt_sync syncs[3];
	struct gate gate;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 4);
	close_gate(&gate, drm);
	syncs[0] = sgt_vm_signal(timeline, 1);
	sgt_must(map_syncs(&bo, VA, syncs, 1));
	expect_signalled(drm, timeline, 1);

	syncs[0] = sgt_vm_signal(timeline, 5);
	syncs[1] = sgt_vm_wait(gate.sync, 0);
	syncs[2] = sgt_vm_signal(timeline, UINT64_MAX);
	sgt_must(map_syncs(&bo, VA + bo.size, syncs, 3));
	expect_pending(drm, timeline, 5);
	igt_assert_eq_u64(last_point(drm, timeline), 1);
	open_gate(&gate);
	expect_signalled(drm, timeline, 5);
	expect_signalled(drm, timeline, UINT64_MAX);
	igt_assert_eq_u64(last_point(drm, timeline), UINT64_MAX);
	sgt_expect_space(drm, 2 * bo.size, 4);
	end_gate(&gate, drm);
	drmSyncobjDestroy(drm, timeline);
	sgt_bo_free(&bo);
}

static void test_unsubmitted(int drm)
{
	uint32_t timeline = make_sync(drm);
	struct drm_virtgpu_sgt_sync syncs[2];
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 4);
	syncs[0] = sgt_vm_wait(timeline, 1);
	igt_assert_eq(map_syncs(&bo, VA, syncs, 1), -EINVAL);

	/* A point that the same call submits does not count, in either order. */
	syncs[1] = sgt_vm_signal(timeline, 1);
	igt_assert_eq(map_syncs(&bo, VA, syncs, 2), -EINVAL);
	syncs[0] = sgt_vm_signal(timeline, 1);
	syncs[1] = sgt_vm_wait(timeline, 1);
	igt_assert_eq(map_syncs(&bo, VA, syncs, 2), -EINVAL);
	sgt_expect_space(drm, 0, 1);

	/* A call that fails adds no point. */
	igt_assert_eq(map_syncs(&bo, VA + 1, syncs, 1), -EINVAL);
	igt_assert_eq_u64(last_point(drm, timeline), 0);

	sgt_must(map_syncs(&bo, VA, syncs, 1));
	syncs[1] = sgt_vm_wait(timeline, 2);
	igt_assert_eq(map_syncs(&bo, VA + bo.size, &syncs[1], 1), -EINVAL);
	sgt_expect_space(drm, bo.size, 4);

	/* A binary fence has no point. */
	igt_assert_eq(drmSyncobjReset(drm, &timeline, 1), 0);
	igt_assert_eq(drmSyncobjSignal(drm, &timeline, 1), 0);
	syncs[1] = sgt_vm_wait(timeline, 1);
	igt_assert_eq(map_syncs(&bo, VA + bo.size, &syncs[1], 1), -EINVAL);
	drmSyncobjDestroy(drm, timeline);
	sgt_bo_free(&bo);
}

/* Opens the gate @last after the others. */
static void many_round(int drm, const struct sgt_bo *bo, int last)
{
	uint32_t timelines[] = { make_sync(drm), make_sync(drm) }, out = make_sync(drm);
	struct drm_virtgpu_sgt_sync syncs[6];
	struct gate gates[3];

	close_gate(&gates[0], drm);
	close_gate_at(&gates[1], drm, timelines[0], 7);
	close_gate_at(&gates[2], drm, timelines[1], 7);
	syncs[0] = sgt_vm_signal(timelines[0], 8);
	syncs[1] = sgt_vm_wait(timelines[0], 7);
	syncs[2] = sgt_vm_wait(gates[0].sync, 0);
	syncs[3] = sgt_vm_signal(out, 0);
	syncs[4] = sgt_vm_wait(timelines[1], 7);
	syncs[5] = sgt_vm_signal(timelines[1], 9);
	sgt_must(map_syncs(bo, VA, syncs, ARRAY_SIZE(syncs)));
	for (int i = 0; i < 3; i++)
		if (i != last)
			open_gate(&gates[i]);
	expect_pending(drm, timelines[0], 8);
	igt_assert_eq(sync_status(drm, out), 0);
	open_gate(&gates[last]);
	expect_signalled(drm, timelines[0], 8);
	expect_signalled(drm, timelines[1], 9);
	igt_assert_eq(wait_for_sync(drm, out), 1);
	sgt_expect_space(drm, bo->size, 4);
	sgt_must(sgt_vm_unmap(drm, VA, bo->size));

	for (int i = 0; i < 3; i++)
		end_gate(&gates[i], drm);
	drmSyncobjDestroy(drm, out);
	drmSyncobjDestroy(drm, timelines[0]);
	drmSyncobjDestroy(drm, timelines[1]);
}

static void test_many(int drm)
{
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 4);
	for (int last = 0; last < 3; last++)
		many_round(drm, &bo, last);
	sgt_bo_free(&bo);
}

static uint32_t share_sync(int from, uint32_t sync, int to)
{
	uint32_t shared;
	int fd = -1;

	igt_assert_eq(drmSyncobjHandleToFD(from, sync, &fd), 0);
	igt_assert_eq(drmSyncobjFDToHandle(to, fd, &shared), 0);
	close(fd);
	return shared;
}

static void test_after_others(int drm)
{
	int other = sgt_must(sgt_open());
	uint32_t timeline = make_sync(drm), shared = share_sync(drm, timeline, other);
	struct drm_virtgpu_sgt_sync syncs[2];
	struct sgt_bo bos[2];
	struct gate gate;

	sgt_make_pages(&bos[0], drm, 3);
	sgt_make_pages(&bos[1], other, 4);
	close_gate(&gate, drm);
	syncs[0] = sgt_vm_wait(gate.sync, 0);
	syncs[1] = sgt_vm_signal(timeline, 1);
	sgt_must(map_syncs(&bos[0], VA, syncs, 2));
	syncs[0] = sgt_vm_signal(shared, 2);
	sgt_must(map_syncs(&bos[1], VA, syncs, 1));

	/* The bind of the other file is done, but the points before its own are not. */
	sgt_expect_space(other, bos[1].size, 4);
	expect_pending(other, shared, 2);
	open_gate(&gate);
	expect_signalled(other, shared, 2);
	sgt_expect_space(drm, bos[0].size, 4);
	end_gate(&gate, drm);
	drmSyncobjDestroy(drm, timeline);
	sgt_bo_free(&bos[0]);
	sgt_bo_free(&bos[1]);
	close(other);
}

static void test_not_increasing(int drm)
{
	uint32_t timeline = make_sync(drm), out = make_sync(drm);
	struct drm_virtgpu_sgt_sync syncs[2];
	struct gate gate;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 4);
	close_gate(&gate, drm);
	syncs[0] = sgt_vm_signal(timeline, 5);
	sgt_must(map_syncs(&bo, VA, syncs, 1));
	expect_signalled(drm, timeline, 5);
	syncs[0] = sgt_vm_wait(gate.sync, 0);
	syncs[1] = sgt_vm_signal(timeline, 3);
	sgt_must(map_syncs(&bo, VA + bo.size, syncs, 2));

	/* The wait uses the point that was added last. */
	syncs[0] = sgt_vm_wait(timeline, 3);
	syncs[1] = sgt_vm_signal(out, 1);
	sgt_must(map_syncs(&bo, VA + 2 * bo.size, syncs, 2));
	expect_pending(drm, out, 1);
	open_gate(&gate);
	expect_signalled(drm, out, 1);
	expect_signalled(drm, timeline, 5);
	syncs[0] = sgt_vm_wait(timeline, 6);
	igt_assert_eq(map_syncs(&bo, VA + 3 * bo.size, syncs, 1), -EINVAL);
	sgt_expect_space(drm, 3 * bo.size, 4);
	end_gate(&gate, drm);
	drmSyncobjDestroy(drm, timeline);
	drmSyncobjDestroy(drm, out);
	sgt_bo_free(&bo);
}

static void test_chain(int drm)
{
	const unsigned int count = 200;
	uint32_t timeline = make_sync(drm);
	struct drm_virtgpu_sgt_sync syncs[2];
	struct gate gate;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 1);
	close_gate_at(&gate, drm, timeline, 1);
	for (unsigned int i = 1; i <= count; i++) {
		syncs[0] = sgt_vm_wait(timeline, i);
		syncs[1] = sgt_vm_signal(timeline, i + 1);
		sgt_must(map_syncs(&bo, VA + i * PAGE, syncs, 2));
	}
	expect_pending(drm, timeline, 2);
	igt_assert_eq_u64(last_point(drm, timeline), 0);
	open_gate(&gate);
	expect_signalled(drm, timeline, count + 1);
	sgt_expect_space(drm, count * PAGE, 4);
	end_gate(&gate, drm);
	drmSyncobjDestroy(drm, timeline);
	sgt_bo_free(&bo);
}

static void test_file_closed(int drm)
{
	int closed = sgt_must(sgt_open());
	uint32_t timeline = make_sync(drm), shared = share_sync(drm, timeline, closed);
	struct drm_virtgpu_sgt_sync syncs[2];
	struct gate gate;
	struct sgt_bo bo;

	sgt_make_pages(&bo, closed, 4);
	close_gate(&gate, drm);
	syncs[0] = sgt_vm_wait(share_sync(drm, gate.sync, closed), 0);
	syncs[1] = sgt_vm_signal(shared, 1);
	sgt_must(map_syncs(&bo, VA, syncs, 2));
	expect_pending(drm, timeline, 1);
	sgt_bo_free(&bo);
	close(closed);
	expect_signalled(drm, timeline, 1);
	igt_assert_eq(sgt_sync_file_status(gate.fence.file), 0);
	end_gate(&gate, drm);
	drmSyncobjDestroy(drm, timeline);
}

int igt_main()
{
	static const struct sgt_file_test tests[] = {
		{ "wait", "Neither too early nor too late", test_wait },
		{ "signal", "Several points of one timeline", test_signal },
		{ "unsubmitted", "No fence, nothing to wait for", test_unsubmitted },
		{ "many", "The last fence counts", test_many },
		{ "after-others", "A timeline has an order", test_after_others },
		{ "not-increasing", "A timeline does not go back", test_not_increasing },
		{ "chain", "One timeline for all", test_chain },
		{ "file-closed", "No wait outlives its file", test_file_closed },
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
