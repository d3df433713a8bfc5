// SPDX-License-Identifier: GPL-2.0

#include <linux/bitmap.h>
#include <linux/wait.h>

#include "drm_gpupt_kunit_helpers.h"

/*
 * One thread prepares, one commits, as the scheduler of a driver does, and one walks the
 * live table. At any time, each page is a hole, or maps to the memory at the offset that
 * equals its VA.
 */

#define RACES_STEPS	3000
#define RACES_PAGES	1024
#define RACES_OPS	16

struct races {
	struct drm_gpupt_kunit *pt;
	struct drm_gpupt_kunit_mem *mem;
	u64 page;
	/* what is planned */
	DECLARE_BITMAP(mapped, RACES_PAGES);

	struct drm_gpupt_op op[RACES_OPS];
	bool is_map[RACES_OPS];
	/* operations that were given to the committer, and that are finished */
	atomic_t prepared;
	atomic_t finished;
	/* no more operations follow */
	atomic_t stop;
	wait_queue_head_t progress;
};

static unsigned int races_in_flight(struct races *r)
{
	return atomic_read_acquire(&r->prepared) - atomic_read_acquire(&r->finished);
}

static bool races_wait_for_work(struct races *r)
{
	wait_event(r->progress, races_in_flight(r) || atomic_read_acquire(&r->stop));
	return races_in_flight(r);
}

static int races_commit(void *arg)
{
	struct races *r = arg;

	while (races_wait_for_work(r)) {
		unsigned int i = (unsigned int)atomic_read(&r->finished) % RACES_OPS;

		if (r->is_map[i])
			drm_gpupt_commit_map(&r->op[i], drm_gpupt_kunit_view(r->mem));
		else
			drm_gpupt_commit(&r->op[i]);
		drm_gpupt_op_fini(&r->op[i]);
		atomic_inc_return_release(&r->finished);
		wake_up_all(&r->progress);
	}
	return 0;
}

static int races_check_extent(void *arg, const struct drm_gpupt_extent *extent)
{
	*(bool *)arg |= extent->seg.addr != DRM_GPUPT_KUNIT_DMA + extent->va;
	return 0;
}

static int races_read(void *arg)
{
	struct races *r = arg;
	const u64 space = RACES_PAGES * r->page;
	u64 va = 0, leaves[DRM_GPUPT_MAX_LEVELS];
	struct drm_gpupt_info info;
	bool wrong = false;
	int ret;

	while (!atomic_read(&r->stop) && !wrong) {
		ret = drm_gpupt_walk(r->pt->pt, va, min(64 * r->page, space - va),
				     races_check_extent, &wrong);
		wrong |= ret && ret != -EFAULT;
		wrong |= drm_gpupt_count_leaves(r->pt->pt, va, space - va, leaves);
		wrong |= leaves[0] > RACES_PAGES;
		wrong |= drm_gpupt_get_info(r->pt->pt, &info);
		wrong |= info.mapped > space || info.in_flight > RACES_OPS + 1;
		va = (va + r->page) % space;
		cond_resched();
	}
	return wrong;
}

/* The number of pages from @first on that are all mapped, or all holes, in the plan. */
static unsigned int races_run(struct races *r, struct rnd_state *rnd, unsigned int first)
{
	unsigned int end = min(first + 1 + drm_sgt_kunit_below(rnd, 80), RACES_PAGES);

	if (test_bit(first, r->mapped))
		return find_next_zero_bit(r->mapped, end, first) - first;
	return find_next_bit(r->mapped, end, first) - first;
}

/* Prepare an operation, and abort it at once, or leave it to the committer. */
static void races_step(struct races *r, struct rnd_state *rnd)
{
	unsigned int i = (unsigned int)atomic_read(&r->prepared) % RACES_OPS;
	unsigned int first = drm_sgt_kunit_below(rnd, RACES_PAGES);
	unsigned int nr = races_run(r, rnd, first);
	u64 va = first * r->page, len = nr * r->page;
	struct drm_gpupt *pt = r->pt->pt;

	wait_event(r->progress, races_in_flight(r) < RACES_OPS);
	r->is_map[i] = !test_bit(first, r->mapped);
	if (r->is_map[i])
		KUNIT_ASSERT_EQ(r->pt->test, 0,
				drm_gpupt_prepare_map(pt, &r->op[i], va, len,
						      drm_gpupt_kunit_view(r->mem), va, 0));
	else
		KUNIT_ASSERT_EQ(r->pt->test, 0,
				drm_gpupt_prepare_unmap(pt, &r->op[i], va, len));
	if (!drm_sgt_kunit_below(rnd, 4)) {
		KUNIT_EXPECT_EQ(r->pt->test, 0, drm_gpupt_abort(&r->op[i]));
		return;
	}
	if (r->is_map[i])
		bitmap_set(r->mapped, first, nr);
	else
		bitmap_clear(r->mapped, first, nr);
	atomic_inc_return_release(&r->prepared);
	wake_up_all(&r->progress);
}

/* Also ends the threads of a case that fails half way. */
static void races_stop(void *data)
{
	struct races *r = data;

	atomic_set_release(&r->stop, 1);
	wake_up_all(&r->progress);
}

static void races_plan_commit_and_read(struct kunit *test)
{
	struct races *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	struct drm_sgt_kunit_thread *committer, *reader;
	struct rnd_state rnd;
	unsigned int i;
	bool wrong = false;

	KUNIT_ASSERT_NOT_NULL(test, r);
	drm_sgt_kunit_seed(test, &rnd);
	init_waitqueue_head(&r->progress);
	r->pt = drm_gpupt_kunit_create(test, &drm_gpupt_kunit_toy);
	r->page = drm_gpupt_kunit_page(&drm_gpupt_kunit_toy);
	r->mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA, RACES_PAGES * r->page);
	committer = drm_sgt_kunit_start(test->priv, races_commit, r);
	reader = drm_sgt_kunit_start(test->priv, races_read, r);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, races_stop, r));

	for (i = 0; i < RACES_STEPS; i++)
		races_step(r, &rnd);
	races_stop(r);
	if (!drm_sgt_kunit_join(committer) || !drm_sgt_kunit_join(reader))
		return;

	KUNIT_EXPECT_EQ(test, reader->ret, 0);
	KUNIT_EXPECT_EQ(test, races_in_flight(r), 0);
	for (i = 0; i < RACES_PAGES; i++)
		KUNIT_EXPECT_EQ(test, test_bit(i, r->mapped) ? 0 : -EFAULT,
				drm_gpupt_walk(r->pt->pt, i * r->page, r->page,
					       races_check_extent, &wrong));
	KUNIT_EXPECT_FALSE(test, wrong);
}

static struct kunit_case drm_gpupt_races_cases[] = {
	KUNIT_CASE_SLOW(races_plan_commit_and_read),
	{}
};

static struct kunit_suite drm_gpupt_races_suite = {
	.name = "drm_gpupt_races",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpupt_races_cases,
};

kunit_test_suite(drm_gpupt_races_suite);
