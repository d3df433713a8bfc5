// SPDX-License-Identifier: GPL-2.0

#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>
#include <linux/topology.h>

#include "drm_sgt_kunit_crew.h"

/*
 * Races by the thousand: threads that live as long as the case are handed their
 * jobs round by round, and a device is bound and unbound in each of them. The
 * seed decides what is tried; the scheduler decides the order.
 */

static ulong kunit_rounds;
module_param(kunit_rounds, ulong, 0444);
MODULE_PARM_DESC(kunit_rounds, "rounds of the test cases that race; 0: enough");

/* How long a case goes on with its rounds. */
#define CREW_PATIENCE	(10 * HZ)

/* What takes longer was held up by something else. */
#define CREW_LONGEST	(2 * NSEC_PER_MSEC)

/* One thread, on a CPU of its own if there are enough. */
struct crew_hand {
	struct drm_sgt_kunit_crew *crew;
	struct task_struct *task;
	/* of this round; NULL: the end */
	struct drm_sgt_kunit_job *job;
	u64 delay;
	u64 took;
	struct completion begin;
};

struct drm_sgt_kunit_crew {
	struct kunit *test;
	struct crew_hand hand[DRM_SGT_KUNIT_CREW];
	/* hands that are not at the starting line yet, and not done yet */
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

	/* So that stubs are for this thread as well. */
	current->kunit_test = hand->crew->test;
	for (;;) {
		/* Not counted as hung: not every round is for every hand. */
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

	/* A member that hangs is not waited for: that is a failure already. */
	for (i = 0; i < DRM_SGT_KUNIT_CREW && !crew->hangs; i++) {
		struct crew_hand *hand = &crew->hand[i];

		if (!hand->task)
			continue;
		hand->job = NULL;
		complete(&hand->begin);
		kthread_stop_put(hand->task);
	}
}

/* The threads end with the case, before what was made before them. */
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
 * Half of the jobs begin at once; the others somewhere in the time that the
 * longest one took in the last round, so that each meets each at any point.
 */
static u64 crew_delay(struct drm_sgt_kunit_crew *crew, struct rnd_state *rnd)
{
	u64 part = drm_sgt_kunit_below(rnd, SZ_1K);

	if (drm_sgt_kunit_below(rnd, 2) || num_online_cpus() == 1)
		return 0;
	return crew->longest * part / SZ_1K;
}

/**
 * drm_sgt_kunit_crew_round() - do several jobs at the same time
 * @crew: the threads
 * @rnd: decides which thread does what, and when it begins
 * @jobs: the jobs
 * @nr: of them, not more than there are threads
 *
 * Return: true when all are done; false, and a failure, if one hangs
 */
bool drm_sgt_kunit_crew_round(struct drm_sgt_kunit_crew *crew, struct rnd_state *rnd,
			      struct drm_sgt_kunit_job *jobs, unsigned int nr)
{
	/* On one CPU, this alone is the order. */
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
 * drm_sgt_kunit_crew_again() - is there another round to do?
 * @crew: the threads
 * @rounds: to do in all, if there are CPUs for them and the machine is fast
 *
 * The first failure is enough: the next thousand would be the same one.
 *
 * Return: false after the last round; how many there were is in the log
 */
bool drm_sgt_kunit_crew_again(struct drm_sgt_kunit_crew *crew, unsigned int rounds)
{
	bool late = time_after(jiffies, crew->end);

	/* One CPU has few orders to try. */
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
	/* A page is an entry, and so one address to look at. */
	owner->dev = drm_sgt_kunit_dma_device(test, name, PAGE_SIZE, ULONG_MAX);
	owner->refs = kref_read(&owner->dev->kobj.kref);
}

/* The part of a bind and an unbind that the layer sees: the rest is slow. */
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

/* The unbind, and what it promises at the moment when it returns. */
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

/* The end of a round: no table, mapping or reference is left. */
void drm_sgt_kunit_owner_put(struct drm_sgt_kunit_owner *owner)
{
	struct drm_sgt_device_stats stats;

	/* What a dma-buf keeps goes with its file, which a work item closes. */
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
