// SPDX-License-Identifier: GPL-2.0

#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "drm_sgt_kunit_helpers.h"

/*
 * Two concurrent threads. A stub stops one of them in the middle of an operation, until
 * the gate is opened. The other must wait for it, and not return before. No case depends
 * on the scheduler: a check that runs too early can miss a failure, but not report a false
 * one.
 */

static const struct drm_sgt_kunit_piece races_pieces[] = { { 0x100, 3 }, { 0x300, 1 } };

#define RACES_SIZE	((3 + 1) * PAGE_SIZE)

struct races_fixture {
	struct kunit *test;
	struct drm_sgt_kunit *ctx;
	struct drm_sgt_kunit_device *d;
	struct drm_sgt_kunit_source *source;
	struct drm_sgt *sgt;
	/* completed by a thread that has reached a point */
	struct completion inside;
	struct completion leave;
};

static void races_open_all(void *data)
{
	struct races_fixture *f = data;

	complete_all(&f->ctx->gate);
	complete_all(&f->leave);
}

/* Create a table in state BACKED. */
static struct races_fixture *races_fixture_create(struct kunit *test)
{
	struct races_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->test = test;
	f->ctx = test->priv;
	init_completion(&f->inside);
	init_completion(&f->leave);
	f->d = drm_sgt_kunit_bind(test);
	drm_sgt_kunit_stub_dma(f->ctx);
	f->source = drm_sgt_kunit_source_create(test, races_pieces,
						ARRAY_SIZE(races_pieces));
	f->sgt = drm_sgt_kunit_sgt(test, f->d->sdev, f->source);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(f->sgt));
	return f;
}

static struct races_fixture *races_fixture_create_mapped(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create(test);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f->sgt, DMA_BIDIRECTIONAL));
	return f;
}

/*
 * Threads end before what they use is freed, so a case that fails half way has to open the
 * gate. The action that does so runs right before the threads are waited for.
 */
static struct drm_sgt_kunit_thread *
races_start(struct races_fixture *f, int (*fn)(void *arg))
{
	struct drm_sgt_kunit_thread *thread = drm_sgt_kunit_start(f->ctx, fn, f);

	KUNIT_ASSERT_EQ(f->test, 0, kunit_add_action_or_reset(f->test, races_open_all, f));
	return thread;
}

/* The functions of the threads */

static int races_shutdown(void *arg)
{
	struct races_fixture *f = arg;

	drm_sgt_device_shutdown(f->d->sdev);
	return 0;
}

static int races_unbind(void *arg)
{
	struct races_fixture *f = arg;

	drm_sgt_kunit_unbind(f->d);
	return 0;
}

static int races_unmap(void *arg)
{
	struct races_fixture *f = arg;

	return drm_sgt_unmap(f->sgt);
}

static int races_unmap_wait(void *arg)
{
	struct races_fixture *f = arg;

	return drm_sgt_unmap_wait(f->sgt);
}

static int races_unmap_wait_mortal(void *arg)
{
	int ret;

	allow_signal(SIGKILL);
	ret = races_unmap_wait(arg);
	disallow_signal(SIGKILL);
	return ret;
}

static int races_free(void *arg)
{
	struct races_fixture *f = arg;

	drm_sgt_kunit_free_now(f->test, f->sgt);
	return 0;
}

static int races_map(void *arg)
{
	struct races_fixture *f = arg;

	return drm_sgt_map(f->sgt, DMA_BIDIRECTIONAL);
}

/* Stays in a section until the test completes @leave; returns the unmaps at that time. */
static int races_read(void *arg)
{
	struct races_fixture *f = arg;
	struct drm_sgt_access nested = {};
	unsigned int unmaps = UINT_MAX;
	int ret;

	drm_sgt_access_scope(view, f->sgt, ret) {
		complete(&f->inside);
		wait_for_completion(&f->leave);
		unmaps = f->ctx->unmaps;
		KUNIT_EXPECT_EQ(f->test, drm_dma_view_size(view), RACES_SIZE);
		KUNIT_EXPECT_EQ(f->test, drm_sgt_get_state(f->sgt), DRM_SGT_MAPPED);
		/* The device is gone: an unbind does not wait for new sections. */
		if (drm_sgt_device_is_gone(f->d->sdev)) {
			KUNIT_EXPECT_EQ(f->test, -ENODEV,
					drm_sgt_access_begin(f->sgt, &nested));
			KUNIT_EXPECT_EQ(f->test, -ENODEV,
					drm_sgt_sync_for_cpu(f->sgt, 0, RACES_SIZE));
		}
	}
	return ret ?: unmaps;
}

/* Wait until a thread has reached a point. */
static void races_wait(struct races_fixture *f, struct completion *where)
{
	KUNIT_ASSERT_NE(f->test, 0,
			wait_for_completion_timeout(where, DRM_SGT_KUNIT_PATIENCE));
}

static bool races_someone_waits(struct races_fixture *f)
{
	/* No barrier: a check that runs too early is repeated. */
	return waitqueue_active(&f->d->sdev->unmapped);
}

/* Expect that @waiter waits for the other thread, and has not returned. */
static void races_expect_waiting(struct races_fixture *f,
				 struct drm_sgt_kunit_thread *waiter)
{
	KUNIT_EXPECT_TRUE(f->test, drm_sgt_kunit_until(races_someone_waits(f) ||
						       completion_done(&waiter->done)));
	KUNIT_EXPECT_FALSE_MSG(f->test, completion_done(&waiter->done),
			       "did not wait for the other party");
}

/*
 * A shutdown waits for a reader, whose addresses are valid until it leaves the section.
 * Later calls return -ENODEV.
 */
static void races_shutdown_waits_for_readers(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create_mapped(test);
	struct drm_sgt_kunit_thread *reader, *shutdown;
	struct drm_sgt_access access = {};

	reader = races_start(f, races_read);
	races_wait(f, &f->inside);
	shutdown = races_start(f, races_shutdown);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(drm_sgt_device_is_gone(f->d->sdev)));

	KUNIT_EXPECT_FALSE(test, completion_done(&shutdown->done));
	KUNIT_EXPECT_EQ(test, f->ctx->unmaps, 0);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).mapped, 1);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_access_begin(f->sgt, &access));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_unmap(f->sgt));

	complete_all(&f->leave);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(reader));
	KUNIT_EXPECT_EQ(test, reader->ret, 0);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(shutdown));
	KUNIT_EXPECT_EQ(test, f->ctx->unmaps, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f->sgt), DRM_SGT_BACKED);
}

/* The same for the unbind of the driver. */
static void races_unbind_waits_for_readers(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create_mapped(test);
	struct drm_sgt_kunit_thread *reader, *unbind;

	reader = races_start(f, races_read);
	races_wait(f, &f->inside);
	unbind = races_start(f, races_unbind);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(drm_sgt_device_is_gone(f->d->sdev)));
	KUNIT_EXPECT_FALSE(test, completion_done(&unbind->done));

	complete_all(&f->leave);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(reader));
	KUNIT_EXPECT_EQ(test, reader->ret, 0);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(unbind));
	KUNIT_EXPECT_EQ(test, f->ctx->unmaps, 1);
}

/* A reader of one device does not delay the shutdown of another, unlike drm_dev_enter(). */
static void races_readers_hold_up_their_own_device_only(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create_mapped(test);
	struct drm_sgt_kunit_device *other;
	struct drm_sgt_kunit_thread *reader;

	other = drm_sgt_kunit_bind_limits(test, "other", PAGE_SIZE, ULONG_MAX);
	reader = races_start(f, races_read);
	races_wait(f, &f->inside);
	drm_sgt_kunit_unbind(other);
	KUNIT_EXPECT_TRUE(test, drm_sgt_device_is_gone(other->sdev));
	KUNIT_EXPECT_FALSE(test, completion_done(&reader->done));

	complete_all(&f->leave);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(reader));
	KUNIT_EXPECT_EQ(test, reader->ret, 0);
}

/* An unmap does not wait for readers: it returns -EBUSY, and the mapping stays. */
static void races_unmap_says_that_there_are_readers(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create_mapped(test);
	struct drm_sgt_kunit_thread *reader;

	reader = races_start(f, races_read);
	races_wait(f, &f->inside);
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_unmap(f->sgt));
	KUNIT_EXPECT_EQ(test, f->ctx->unmaps, 0);

	complete_all(&f->leave);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(reader));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(f->sgt));
	KUNIT_EXPECT_EQ(test, f->ctx->unmaps, 1);
}

/* Reclaim waits neither for readers, nor for an unbind that is ending the mapping. */
static void races_evict_waits_for_nothing(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create_mapped(test);
	struct drm_sgt_kunit_thread *reader, *shutdown;

	reader = races_start(f, races_read);
	races_wait(f, &f->inside);
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_evict(f->sgt, true));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_purge(f->sgt, true));
	complete_all(&f->leave);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(reader));

	f->ctx->block_unmap = true;
	shutdown = races_start(f, races_shutdown);
	races_wait(f, &f->ctx->entered);
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_evict(f->sgt, true));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_purge(f->sgt, true));
	KUNIT_EXPECT_FALSE(test, completion_done(&shutdown->done));

	complete_all(&f->ctx->gate);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(shutdown));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_evict(f->sgt, true));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f->sgt), DRM_SGT_EMPTY);
	KUNIT_EXPECT_EQ(test, f->ctx->unmaps, 1);
}

/* A mapping that was made after the caller looked for one stays: the device may use it. */
static void races_evict_without_unmap(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create_mapped(test);

	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_evict(f->sgt, false));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_purge(f->sgt, false));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f->sgt), DRM_SGT_MAPPED);
	KUNIT_EXPECT_EQ(test, f->ctx->unmaps, 0);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(f->sgt));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_evict(f->sgt, false));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f->sgt), DRM_SGT_EMPTY);
}

/* Without an open section, there is nothing to wait for. */
static void races_unmap_wait_in_each_state(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create_mapped(test);

	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap_wait(f->sgt));
	KUNIT_EXPECT_EQ(test, f->ctx->unmaps, 1);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap_wait(f->sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_depopulate(f->sgt));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap_wait(f->sgt));

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(f->sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f->sgt, DMA_BIDIRECTIONAL));
	drm_sgt_kunit_unbind(f->d);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap_wait(f->sgt));
	KUNIT_EXPECT_EQ(test, f->ctx->unmaps, 2);
}

/* Start a reader, and a thread that waits for it. */
static void races_start_waiting(struct races_fixture *f, int (*wait)(void *arg),
				struct drm_sgt_kunit_thread *threads[2])
{
	threads[0] = races_start(f, races_read);
	races_wait(f, &f->inside);
	threads[1] = races_start(f, wait);
	races_expect_waiting(f, threads[1]);
	KUNIT_EXPECT_EQ(f->test, f->ctx->unmaps, 0);
}

static void races_let_readers_go(struct races_fixture *f,
				 struct drm_sgt_kunit_thread *threads[2], int ret)
{
	complete_all(&f->leave);
	KUNIT_EXPECT_TRUE(f->test, drm_sgt_kunit_join(threads[0]));
	KUNIT_EXPECT_TRUE(f->test, drm_sgt_kunit_join(threads[1]));
	KUNIT_EXPECT_EQ(f->test, threads[0]->ret, 0);
	KUNIT_EXPECT_EQ(f->test, threads[1]->ret, ret);
}

/*
 * The other form of unmap waits for the readers, and no others begin meanwhile: they could
 * follow each other for ever. It holds no lock that a reader may take.
 */
static void races_unmap_wait_waits_for_readers(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create_mapped(test);
	struct drm_sgt_kunit_thread *threads[2];
	struct drm_sgt_access access = {};

	races_start_waiting(f, races_unmap_wait, threads);
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_access_begin(f->sgt, &access));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(f->sgt, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_unmap(f->sgt));

	races_let_readers_go(f, threads, 0);
	KUNIT_EXPECT_EQ(test, f->ctx->unmaps, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f->sgt), DRM_SGT_BACKED);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f->sgt, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_access_begin(f->sgt, &access));
	drm_sgt_access_end(&access);
}

/* If two tasks wait for the same reader, both return, and the mapping ends once. */
static void races_unmap_wait_twice(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create_mapped(test);
	struct drm_sgt_kunit_thread *threads[2], *second;

	races_start_waiting(f, races_unmap_wait, threads);
	second = races_start(f, races_unmap_wait);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(atomic_read(&f->sgt->closing) == 2));
	races_let_readers_go(f, threads, 0);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(second));
	KUNIT_EXPECT_EQ(test, second->ret, 0);
	KUNIT_EXPECT_EQ(test, f->ctx->unmaps, 1);
}

/* A fatal signal ends the wait. The table is as it was before. */
static void races_unmap_wait_ends_with_a_fatal_signal(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create_mapped(test);
	struct drm_sgt_kunit_thread *threads[2];
	struct drm_sgt_access access = {};

	races_start_waiting(f, races_unmap_wait_mortal, threads);
	send_sig(SIGKILL, threads[1]->task, 1);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(threads[1]));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_access_begin(f->sgt, &access));
	drm_sgt_access_end(&access);
	races_let_readers_go(f, threads, -EINTR);
	KUNIT_EXPECT_EQ(test, f->ctx->unmaps, 0);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f->sgt), DRM_SGT_MAPPED);
}

/* An unmap and a shutdown wait for the same reader: the mapping has ended for both. */
static void races_unmap_wait_and_shutdown(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create_mapped(test);
	struct drm_sgt_kunit_thread *threads[2], *shutdown;

	races_start_waiting(f, races_unmap_wait, threads);
	shutdown = races_start(f, races_shutdown);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(drm_sgt_device_is_gone(f->d->sdev)));
	KUNIT_EXPECT_FALSE(test, completion_done(&shutdown->done));
	races_let_readers_go(f, threads, 0);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(shutdown));
	KUNIT_EXPECT_EQ(test, f->ctx->unmaps, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f->sgt), DRM_SGT_BACKED);
}

/* Start @first, which blocks in the unmap stub, and then @second. */
static void races_start_in_order(struct races_fixture *f,
				 int (*first)(void *arg),
				 int (*second)(void *arg),
				 struct drm_sgt_kunit_thread *threads[2])
{
	f->ctx->block_unmap = true;
	threads[0] = races_start(f, first);
	races_wait(f, &f->ctx->entered);
	KUNIT_EXPECT_FALSE(f->test, completion_done(&threads[0]->done));

	threads[1] = races_start(f, second);
	races_expect_waiting(f, threads[1]);
	KUNIT_EXPECT_EQ(f->test, f->ctx->unmaps, 0);
	KUNIT_EXPECT_EQ(f->test, drm_sgt_kunit_stats(f->d->sdev).mapped, 1);
}

static void races_let_go(struct races_fixture *f, struct drm_sgt_kunit_thread *threads[2])
{
	complete_all(&f->ctx->gate);
	KUNIT_EXPECT_TRUE(f->test, drm_sgt_kunit_join(threads[0]));
	KUNIT_EXPECT_TRUE(f->test, drm_sgt_kunit_join(threads[1]));
	KUNIT_EXPECT_EQ(f->test, threads[0]->ret, 0);
	KUNIT_EXPECT_EQ(f->test, threads[1]->ret, 0);
	KUNIT_EXPECT_EQ(f->test, f->ctx->unmaps, 1);
	KUNIT_EXPECT_EQ(f->test, drm_sgt_kunit_stats(f->d->sdev).mapped, 0);
	KUNIT_EXPECT_EQ(f->test, drm_sgt_kunit_stats(f->d->sdev).unmaps, 1);
}

/* An unmap is under way: the shutdown does not return before it has ended. */
static void races_shutdown_waits_for_unmap(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create_mapped(test);
	struct drm_sgt_kunit_thread *threads[2];

	races_start_in_order(f, races_unmap, races_shutdown, threads);
	races_let_go(f, threads);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).revoked, 0);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f->sgt), DRM_SGT_BACKED);
}

/* A free is under way: the same. */
static void races_shutdown_waits_for_free(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create_mapped(test);
	struct drm_sgt_kunit_thread *threads[2];

	races_start_in_order(f, races_free, races_shutdown, threads);
	races_let_go(f, threads);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).revoked, 0);
	KUNIT_EXPECT_EQ(test, f->source->releases, 1);
}

/* The shutdown is under way: the unmap does not return before it has ended. */
static void races_unmap_waits_for_shutdown(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create_mapped(test);
	struct drm_sgt_kunit_thread *threads[2];

	races_start_in_order(f, races_shutdown, races_unmap, threads);
	races_let_go(f, threads);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).revoked, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f->sgt), DRM_SGT_BACKED);
}

/*
 * The shutdown is under way: a free waits, and neither puts a page nor frees the table
 * before the mapping has ended.
 */
static void races_free_waits_for_shutdown(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create_mapped(test);
	struct drm_sgt_kunit_thread *threads[2];

	races_start_in_order(f, races_shutdown, races_free, threads);
	KUNIT_EXPECT_EQ(test, f->source->puts, 0);
	KUNIT_EXPECT_EQ(test, f->source->releases, 0);
	races_let_go(f, threads);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).revoked, 1);
	KUNIT_EXPECT_EQ(test, f->source->unmaps_at_put, 1);
	KUNIT_EXPECT_EQ(test, f->source->releases, 1);
}

/* A second shutdown waits for the first, as both must not return before mappings end. */
static void races_shutdown_waits_for_shutdown(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create_mapped(test);
	struct drm_sgt_kunit_thread *first, *second;

	f->ctx->block_unmap = true;
	first = races_start(f, races_shutdown);
	races_wait(f, &f->ctx->entered);
	second = races_start(f, races_unbind);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(!task_is_running(second->task)));
	KUNIT_EXPECT_FALSE(test, completion_done(&second->done));

	complete_all(&f->ctx->gate);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(first));
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(second));
	KUNIT_EXPECT_EQ(test, f->ctx->unmaps, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).grace_periods, 1);
}

/*
 * Another task unmaps one of several tables: the shutdown ends the mappings of the others,
 * and waits for that one.
 */
static void races_shutdown_waits_for_one_of_many(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create_mapped(test);
	struct drm_sgt_kunit_thread *unmap, *shutdown;
	struct drm_sgt *others[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		struct drm_sgt_kunit_source *source;

		source = drm_sgt_kunit_source_create(test, races_pieces,
						     ARRAY_SIZE(races_pieces));
		others[i] = drm_sgt_kunit_sgt(test, f->d->sdev, source);
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(others[i]));
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(others[i], DMA_TO_DEVICE));
	}
	f->ctx->block_unmap = true;
	unmap = races_start(f, races_unmap);
	races_wait(f, &f->ctx->entered);
	f->ctx->block_unmap = false;

	shutdown = races_start(f, races_shutdown);
	races_expect_waiting(f, shutdown);
	KUNIT_EXPECT_EQ(test, f->ctx->unmaps, ARRAY_SIZE(others));
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).mapped, 1);

	complete_all(&f->ctx->gate);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(unmap));
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(shutdown));
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).revoked, ARRAY_SIZE(others));
}

/*
 * A map is under way when the shutdown begins: the shutdown waits for it, and has ended
 * the mapping, once, when it returns. The table stays BACKED.
 */
static void races_map_that_is_late_is_revoked(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create(test);
	struct drm_sgt_kunit_thread *map, *shutdown;

	f->ctx->map.block = true;
	map = races_start(f, races_map);
	races_wait(f, &f->ctx->entered);
	shutdown = races_start(f, races_shutdown);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(drm_sgt_device_is_gone(f->d->sdev)));
	KUNIT_EXPECT_FALSE(test, completion_done(&map->done));
	KUNIT_EXPECT_FALSE_MSG(test, completion_done(&shutdown->done),
			       "did not wait for the map");

	complete_all(&f->ctx->gate);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(map));
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(shutdown));
	KUNIT_EXPECT_EQ(test, map->ret, 0);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f->sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, f->ctx->maps, 1);
	KUNIT_EXPECT_EQ(test, f->ctx->unmaps, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).mapped, 0);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).revoked, 1);
}

/* A map is under way: an unmap of the same table waits for it, and then unmaps. */
static void races_unmap_waits_for_map(struct kunit *test)
{
	struct races_fixture *f = races_fixture_create(test);
	struct drm_sgt_kunit_thread *map, *unmap;

	f->ctx->map.block = true;
	map = races_start(f, races_map);
	races_wait(f, &f->ctx->entered);
	unmap = races_start(f, races_unmap);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(!task_is_running(unmap->task)));
	KUNIT_EXPECT_FALSE(test, completion_done(&unmap->done));

	complete_all(&f->ctx->gate);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(map));
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(unmap));
	KUNIT_EXPECT_EQ(test, map->ret, 0);
	KUNIT_EXPECT_EQ(test, unmap->ret, 0);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f->sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, f->ctx->unmaps, 1);
}

static struct kunit_case drm_sgt_races_cases[] = {
	KUNIT_CASE(races_shutdown_waits_for_readers),
	KUNIT_CASE(races_unbind_waits_for_readers),
	KUNIT_CASE(races_readers_hold_up_their_own_device_only),
	KUNIT_CASE(races_unmap_says_that_there_are_readers),
	KUNIT_CASE(races_evict_waits_for_nothing),
	KUNIT_CASE(races_evict_without_unmap),
	KUNIT_CASE(races_unmap_wait_in_each_state),
	KUNIT_CASE(races_unmap_wait_waits_for_readers),
	KUNIT_CASE(races_unmap_wait_twice),
	KUNIT_CASE(races_unmap_wait_ends_with_a_fatal_signal),
	KUNIT_CASE(races_unmap_wait_and_shutdown),
	KUNIT_CASE(races_shutdown_waits_for_unmap),
	KUNIT_CASE(races_shutdown_waits_for_free),
	KUNIT_CASE(races_unmap_waits_for_shutdown),
	KUNIT_CASE(races_free_waits_for_shutdown),
	KUNIT_CASE(races_shutdown_waits_for_shutdown),
	KUNIT_CASE(races_shutdown_waits_for_one_of_many),
	KUNIT_CASE(races_map_that_is_late_is_revoked),
	KUNIT_CASE(races_unmap_waits_for_map),
	{}
};

static struct kunit_suite drm_sgt_races_suite = {
	.name = "drm_sgt_races",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_sgt_races_cases,
};

kunit_test_suite(drm_sgt_races_suite);
