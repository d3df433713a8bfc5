// SPDX-License-Identifier: GPL-2.0

#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>
#include <linux/topology.h>

#include "drm_sgt_kunit_crew.h"

/*
 * Thousands of races. Threads that live as long as the case get a job in each round, and
 * a device is bound and unbound in each round. The seed decides what is tried; the
 * scheduler decides the order.
 */

static ulong kunit_rounds;
module_param(kunit_rounds, ulong, 0444);
MODULE_PARM_DESC(kunit_rounds, "rounds of the test cases that race; 0: enough");

/* No round begins after this time. */
#define CREW_PATIENCE	(10 * HZ)

/* A job that takes longer was delayed by something else. */
#define CREW_LONGEST	(2 * NSEC_PER_MSEC)

/* A member of the crew: a thread, on a CPU of its own if there are enough. */
struct crew_hand {
	struct drm_sgt_kunit_crew *crew;
	struct task_struct *task;
	/* job of this round; NULL ends the thread */
	struct drm_sgt_kunit_job *job;
	u64 delay;
	u64 took;
	struct completion begin;
};

struct drm_sgt_kunit_crew {
	struct kunit *test;
	struct crew_hand hand[DRM_SGT_KUNIT_CREW];
	/* members that are not ready to start yet, and not done yet */
	atomic_t missing;
	atomic_t busy;
	struct completion done;
	/* nanoseconds of the longest job of the last round */
	u64 longest;
	bool hangs;
	unsigned int rounds;
	/* jiffies: no round begins after this */
	unsigned long end;
};

static void crew_spin(u64 ns)
{
	u64 end = ktime_get_ns() + ns;

	while (ns && ktime_get_ns() < end)
		cpu_relax();
}

static void crew_do(struct crew_hand *hand)
{
	struct drm_sgt_kunit_crew *crew = hand->crew;
	struct drm_sgt_kunit_job *job = hand->job;
	u64 begun;

	atomic_dec(&crew->missing);
	while (atomic_read(&crew->missing) > 0)
		cpu_relax();

	crew_spin(hand->delay);
	begun = ktime_get_ns();
	job->ret = job->fn(job->arg);
	hand->took = ktime_get_ns() - begun;
	if (atomic_dec_and_test(&crew->busy))
		complete(&crew->done);
}

static int crew_thread(void *data)
{
	struct crew_hand *hand = data;

	/* The stubs of the case are active in this thread, too. */
	current->kunit_test = hand->crew->test;
	for (;;) {
		/* Idle, so that it is not reported as hung: a round may not need all threads. */
		wait_for_completion_state(&hand->begin, TASK_IDLE);
		if (!hand->job)
			break;
		crew_do(hand);
	}
	current->kunit_test = NULL;
	return 0;
}

static void crew_dismiss(void *data)
{
	struct drm_sgt_kunit_crew *crew = data;
	unsigned int i;

	/* Do not wait for a member that hangs: the case has failed already. */
	for (i = 0; i < DRM_SGT_KUNIT_CREW && !crew->hangs; i++) {
		struct crew_hand *hand = &crew->hand[i];

		if (!hand->task)
			continue;
		hand->job = NULL;
		complete(&hand->begin);
		kthread_stop_put(hand->task);
	}
}

/* The threads end with the case, before the release of anything created before them. */
struct drm_sgt_kunit_crew *drm_sgt_kunit_crew_create(struct kunit *test)
{
	struct drm_sgt_kunit_crew *crew = kunit_kzalloc(test, sizeof(*crew), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, crew);
	crew->test = test;
	crew->end = jiffies + CREW_PATIENCE;
	init_completion(&crew->done);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, crew_dismiss, crew));
	for (i = 0; i < DRM_SGT_KUNIT_CREW; i++) {
		struct crew_hand *hand = &crew->hand[i];
		struct task_struct *task;

		hand->crew = crew;
		init_completion(&hand->begin);
		task = kthread_create(crew_thread, hand, "drm_sgt_kunit/%u", i);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
		hand->task = get_task_struct(task);
		kthread_bind(task, cpumask_local_spread(i, NUMA_NO_NODE));
		wake_up_process(task);
	}
	return crew;
}

/*
 * Half of the jobs begin at once. The others are delayed by up to the duration of the
 * longest job in the last round, so that jobs overlap at any point.
 */
static u64 crew_delay(struct drm_sgt_kunit_crew *crew, struct rnd_state *rnd)
{
	u64 part = drm_sgt_kunit_below(rnd, SZ_1K);

	if (drm_sgt_kunit_below(rnd, 2) || num_online_cpus() == 1)
		return 0;
	return crew->longest * part / SZ_1K;
}

/**
 * drm_sgt_kunit_crew_round() - run several jobs at the same time
 * @crew: the threads
 * @rnd: chooses the thread of each job, and its delay
 * @jobs: the jobs
 * @nr: number of jobs, at most that of the threads
 *
 * Return: true when all are done; false if one hangs, after the case was failed
 */
bool drm_sgt_kunit_crew_round(struct drm_sgt_kunit_crew *crew, struct rnd_state *rnd,
			      struct drm_sgt_kunit_job *jobs, unsigned int nr)
{
	/* On one CPU, this alone decides the order. */
	unsigned int i, first = drm_sgt_kunit_below(rnd, nr);

	/* Only members that run at the same time can wait for each other. */
	atomic_set(&crew->missing, nr <= num_online_cpus() ? nr : 0);
	atomic_set(&crew->busy, nr);
	for (i = 0; i < nr; i++) {
		crew->hand[i].job = &jobs[(first + i) % nr];
		crew->hand[i].delay = crew_delay(crew, rnd);
		complete(&crew->hand[i].begin);
	}
	crew->hangs = !wait_for_completion_timeout(&crew->done, DRM_SGT_KUNIT_PATIENCE);
	KUNIT_EXPECT_FALSE_MSG(crew->test, crew->hangs, "a thread hangs");
	if (crew->hangs)
		return false;

	crew->longest = 0;
	for (i = 0; i < nr; i++)
		crew->longest = max(crew->longest, crew->hand[i].took);
	crew->longest = min(crew->longest, CREW_LONGEST);
	return true;
}

/**
 * drm_sgt_kunit_crew_again() - is there another round?
 * @crew: the threads
 * @rounds: number of rounds, if there are several CPUs and the machine is fast
 *
 * Stops at the first failure, as later rounds would only repeat it.
 *
 * Return: false after the last round, whose number is in the log
 */
bool drm_sgt_kunit_crew_again(struct drm_sgt_kunit_crew *crew, unsigned int rounds)
{
	bool late = time_after(jiffies, crew->end);

	/* On one CPU, there are few orders to try. */
	if (num_online_cpus() == 1)
		rounds = DIV_ROUND_UP(rounds, 4);
	if (kunit_rounds) {
		rounds = kunit_rounds;
		late = false;
	}
	if (crew->rounds < rounds && !late && !crew->hangs &&
	    READ_ONCE(crew->test->status) != KUNIT_FAILURE) {
		crew->rounds++;
		return true;
	}
	kunit_info(crew->test, "%u rounds", crew->rounds);
	return false;
}

/*
 * Devices
 */

void drm_sgt_kunit_owner_init(struct drm_sgt_kunit_owner *owner, struct kunit *test,
			      const char *name)
{
	owner->test = test;
	/* Each page is an entry of its own, so each has an address to check. */
	owner->dev = drm_sgt_kunit_dma_device(test, name, PAGE_SIZE, ULONG_MAX);
	owner->refs = kref_read(&owner->dev->kobj.kref);
}

/* Do only the part of a bind and an unbind that concerns the layer: the rest is slow. */
void drm_sgt_kunit_owner_bind(struct drm_sgt_kunit_owner *owner)
{
	struct kunit *test = owner->test;
	struct drm_sgt_device *sdev;

	KUNIT_ASSERT_NOT_NULL(test, devres_open_group(owner->dev, owner, GFP_KERNEL));
	sdev = devm_drm_sgt_device_create(owner->dev, owner->dev);
	devres_close_group(owner->dev, owner);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sdev);
	owner->sdev = drm_sgt_device_get(sdev);
}

void drm_sgt_kunit_owner_release(struct drm_sgt_kunit_owner *owner)
{
	devres_release_group(owner->dev, owner);
}

/* Unbind, and check the guarantees of an unbind when it returns. */
void drm_sgt_kunit_owner_unbind(struct drm_sgt_kunit_owner *owner)
{
	struct drm_sgt_device_stats stats;

	drm_sgt_kunit_owner_release(owner);
	stats = drm_sgt_kunit_stats(owner->sdev);
	KUNIT_EXPECT_EQ(owner->test, stats.mapped, 0);
	KUNIT_EXPECT_EQ(owner->test, stats.bytes_mapped, 0);
	KUNIT_EXPECT_EQ(owner->test, stats.maps, stats.unmaps);
	KUNIT_EXPECT_EQ(owner->test, stats.grace_periods, 1);
	KUNIT_EXPECT_TRUE(owner->test, stats.gone);
}

/* End a round, and check that no table, mapping or reference is left. */
void drm_sgt_kunit_owner_put(struct drm_sgt_kunit_owner *owner)
{
	struct drm_sgt_device_stats stats;

	/* A dma-buf holds references until its file is closed, by a work item. */
	KUNIT_EXPECT_TRUE(owner->test,
			  drm_sgt_kunit_until(kref_read(&owner->sdev->refcount) == 1));
	stats = drm_sgt_kunit_stats(owner->sdev);
	KUNIT_EXPECT_EQ(owner->test, stats.tables, 0);
	KUNIT_EXPECT_EQ(owner->test, stats.mapped, 0);
	KUNIT_EXPECT_EQ(owner->test, stats.maps, stats.unmaps);
	KUNIT_EXPECT_EQ(owner->test, stats.grace_periods, 1);
	drm_sgt_device_put(owner->sdev);
	owner->sdev = NULL;
	KUNIT_EXPECT_EQ(owner->test, kref_read(&owner->dev->kobj.kref), owner->refs);
}
