// SPDX-License-Identifier: GPL-2.0
#include <poll.h>
#include <sys/mman.h>

#include "igt.h"
#include "sgt_peer.h"
#include "sgt_rounds.h"
#include "sgt_test.h"
#include "sgt_traffic.h"
#include "sgt_virtgpu.h"

#define PATIENCE_MS	30000

/* A transfer of this size takes longer in the device than in the CPU. */
#define SIDE		1024

struct sgt_traffic_shared {
	volatile unsigned int waits[SGT_TRAFFIC_PROCESSES];
	volatile unsigned int ended;
};

/*
 * The process does not wait for the unref of the small buffer, which is queued
 * behind commands of other processes when the device is removed.
 */
static int ask_once(const struct sgt_bo *bo, volatile unsigned int *waits)
{
	struct sgt_bo small;
	int err;

	err = sgt_bo_create(&small, bo->drm, 16, 16);
	if (err)
		return err;
	*waits = 1;
	err = sgt_bo_use(&small);
	*waits = 0;
	if (!err)
		err = sgt_bo_close(&small);
	if (err)
		return err;

	*waits = 1;
	err = sgt_transfer(bo);
	*waits = 0;
	return err;
}

static void ask_until_gone(struct sgt_traffic_shared *shared, int child, int hold)
{
	int drm = sgt_must(sgt_open());
	struct sgt_bo bo;
	char byte;
	int err;

	drmDropMaster(drm);
	sgt_must(sgt_bo_create(&bo, drm, SIDE, SIDE));
	sgt_must(sgt_bo_map(&bo));
	sgt_fill(bo.map, sgt_bo_words(&bo), child);
	do
		err = ask_once(&bo, &shared->waits[child]);
	while (!err);
	igt_assert_eq(err, -ENODEV);
	__sync_add_and_fetch(&shared->ended, 1);

	/* Until the other end is closed */
	igt_assert_eq(read(hold, &byte, 1), 0);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), child);
	sgt_expect_nodev(drm, &bo);
	sgt_bo_free(&bo);
	close(drm);
}

static unsigned int waiting(const struct sgt_traffic_shared *shared)
{
	unsigned int count = 0;

	for (int i = 0; i < SGT_TRAFFIC_PROCESSES; i++)
		count += shared->waits[i];
	return count;
}

/* Spins, as the state may change at any time. */
void sgt_traffic_wait(struct sgt_traffic *traffic)
{
	for (long end = sgt_now_us() + PATIENCE_MS * 1000; sgt_now_us() < end;)
		if (waiting(traffic->shared) == SGT_TRAFFIC_PROCESSES)
			return;
	igt_assert_f(false, "%u processes wait for the device\n", waiting(traffic->shared));
}

void sgt_traffic_begin(struct sgt_traffic *traffic)
{
	int hold[2];

	igt_assert_eq(pipe(hold), 0);
	traffic->shared = mmap(NULL, sizeof(*traffic->shared), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	igt_assert(traffic->shared != MAP_FAILED);
	igt_fork(child, SGT_TRAFFIC_PROCESSES) {
		close(hold[1]);
		ask_until_gone(traffic->shared, child, hold[0]);
	}
	close(hold[0]);
	traffic->hold = hold[1];
	/* All processes have dropped DRM master. */
	sgt_traffic_wait(traffic);
}

void sgt_traffic_expect_nodev(struct sgt_traffic *traffic)
{
	for (int ms = 0; ms < PATIENCE_MS; ms += 5) {
		if (traffic->shared->ended == SGT_TRAFFIC_PROCESSES)
			return;
		poll(NULL, 0, 5);
	}
	igt_assert_eq(traffic->shared->ended, SGT_TRAFFIC_PROCESSES);
}

void sgt_traffic_end(struct sgt_traffic *traffic)
{
	close(traffic->hold);
	munmap(traffic->shared, sizeof(*traffic->shared));
}
