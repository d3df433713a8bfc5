// SPDX-License-Identifier: GPL-2.0

#include <linux/debug_locks.h>
#include <linux/dma-fence.h>

#include "drm_gpupt_kunit_helpers.h"

/*
 * Several prepared operations at a time. Each is planned on top of those before it, and
 * the device sees them in that order.
 */

struct flight {
	struct drm_gpupt_kunit *pt;
	struct drm_gpupt_kunit_mem *mem;
	/* bytes of a page */
	u64 page;
	/* the range: all of a table of level 0, and parts of its two neighbours */
	u64 va;
	u64 len;
};

static struct flight flight_create(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	const u64 table = BIT_ULL(drm_gpupt_kunit_table_shift(fmt, 0));
	struct flight f = {
		.pt = drm_gpupt_kunit_create(test, fmt),
		.page = drm_gpupt_kunit_page(fmt),
	};

	f.va = table - f.page;
	f.len = max(table + 2 * f.page, 8 * f.page);
	/* Memory that is not aligned as the VA is: there are no large leaves. */
	f.mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA, f.len);
	drm_gpupt_kunit_look_at(f.pt, 0, f.page, (f.va + f.len + table) / f.page);
	return f;
}

/* Prepare a map of @nr pages from the @n-th page of the range on. */
static void flight_map(const struct flight *f, unsigned int n, unsigned int pages)
{
	KUNIT_ASSERT_EQ(f->pt->test, 0,
			drm_gpupt_kunit_map(f->pt, f->va + n * f->page, pages * f->page, f->mem,
					    n * f->page, 0));
}

static void flight_unmap(const struct flight *f, unsigned int n, unsigned int pages)
{
	KUNIT_ASSERT_EQ(f->pt->test, 0,
			drm_gpupt_kunit_unmap(f->pt, f->va + n * f->page, pages * f->page));
}

/* Commit one by one. After each, the device sees what that operation did, and no more. */
static void flight_land(const struct flight *f)
{
	drm_gpupt_kunit_check(f->pt);
	while (f->pt->in_flight) {
		drm_gpupt_kunit_commit(f->pt);
		drm_gpupt_kunit_check(f->pt);
	}
}

/* Nothing but the root is left. */
static void flight_check_empty(const struct flight *f)
{
	KUNIT_EXPECT_EQ(f->pt->test, drm_gpupt_kunit_info(f->pt).tables, f->pt->empty);
	KUNIT_EXPECT_EQ(f->pt->test, drm_sgt_kunit_stats(f->pt->d->sdev).mapped, 1);
}

static void flight_check_no_leaves(const struct flight *f)
{
	struct drm_gpupt_kunit_shape shape = drm_gpupt_kunit_read(f->pt);
	unsigned int level;

	for (level = 0; level < DRM_GPUPT_MAX_LEVELS; level++)
		KUNIT_EXPECT_EQ(f->pt->test, shape.leaves[level], 0);
	KUNIT_EXPECT_EQ(f->pt->test, shape.wild, 0);
}

static int flight_count_extent(void *arg, const struct drm_gpupt_extent *extent)
{
	++*(unsigned int *)arg;
	return 0;
}

/* When maps share tables, the first prepare allocates them. */
static void flight_maps_share_tables(struct kunit *test)
{
	struct flight f = flight_create(test);
	unsigned int i;

	for (i = 0; i < 4; i++)
		flight_map(&f, i, 1);
	KUNIT_EXPECT_EQ(test, drm_gpupt_op_tables(drm_gpupt_kunit_op(f.pt, 2)), 0);
	flight_land(&f);
	flight_unmap(&f, 0, 4);
	flight_land(&f);
	flight_check_empty(&f);
}

/* A range counts as mapped when its map is prepared, and as free when its unmap is. */
static void flight_refuses_by_the_plan(struct kunit *test)
{
	struct flight f = flight_create(test);
	const u64 va = f.va, page = f.page;

	KUNIT_EXPECT_EQ(test, -ENOENT, drm_gpupt_kunit_unmap(f.pt, va, page));
	flight_map(&f, 0, 4);
	KUNIT_EXPECT_EQ(test, -EEXIST,
			drm_gpupt_kunit_map(f.pt, va + 3 * page, page, f.mem, 0, 0));
	KUNIT_EXPECT_EQ(test, -EEXIST, drm_gpupt_kunit_map(f.pt, va, 4 * page, f.mem, 0, 0));
	flight_unmap(&f, 1, 2);
	KUNIT_EXPECT_EQ(test, -ENOENT, drm_gpupt_kunit_unmap(f.pt, va + page, page));
	KUNIT_EXPECT_EQ(test, -ENOENT, drm_gpupt_kunit_unmap(f.pt, va, 4 * page));
	KUNIT_EXPECT_EQ(test, -EEXIST, drm_gpupt_kunit_map(f.pt, va, 2 * page, f.mem, 0, 0));
	flight_map(&f, 1, 2);
	flight_unmap(&f, 0, 4);
	KUNIT_EXPECT_EQ(test, f.pt->in_flight, 4);
	flight_land(&f);
	flight_check_empty(&f);
}

/* A map and its unmap are prepared before either is committed. */
static void flight_maps_then_unmaps(struct kunit *test)
{
	struct flight f = flight_create(test);
	const unsigned int pages = f.len / f.page;

	flight_map(&f, 0, pages);
	flight_unmap(&f, 0, pages);
	flight_map(&f, 1, 2);
	flight_unmap(&f, 1, 1);
	flight_unmap(&f, 2, 1);
	KUNIT_EXPECT_EQ(test, drm_gpupt_op_tables(drm_gpupt_kunit_op(f.pt, 1)), 0);
	KUNIT_EXPECT_GT(test, drm_gpupt_op_tables(drm_gpupt_kunit_op(f.pt, 2)), 0);
	flight_land(&f);
	flight_check_empty(&f);
}

/* An unmap and a map of the same range: unlinked tables are not reused. */
static void flight_unmaps_then_maps(struct kunit *test)
{
	struct flight f = flight_create(test);
	const unsigned int pages = f.len / f.page;
	unsigned int tables, i;

	flight_map(&f, 0, pages);
	tables = drm_gpupt_op_tables(drm_gpupt_kunit_op(f.pt, 0));
	flight_land(&f);
	for (i = 0; i < 3; i++) {
		flight_unmap(&f, 0, pages);
		flight_map(&f, 0, pages);
		KUNIT_EXPECT_EQ(test, tables,
				drm_gpupt_op_tables(drm_gpupt_kunit_op(f.pt, 2 * i + 1)));
	}
	flight_land(&f);
	flight_unmap(&f, 0, pages);
	flight_land(&f);
	flight_check_empty(&f);
}

/* A large leaf is split twice in the plan before it is committed. */
static void flight_cuts_what_is_planned(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct flight f = flight_create(test);
	unsigned int level, pages;
	u64 size;

	for (level = 1; level < fmt->levels && !fmt->level[level].leaf; level++)
		;
	if (level == fmt->levels)
		kunit_skip(test, "all leaves are pages");
	size = drm_gpupt_kunit_entry_size(fmt, level);
	pages = size / f.page;
	f.mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA, size);
	f.va = size;
	drm_gpupt_kunit_look_at(f.pt, 0, f.page, 3 * pages);

	flight_map(&f, 0, pages);
	flight_unmap(&f, 0, 1);
	flight_unmap(&f, pages - 1, 1);
	flight_map(&f, pages - 1, 1);
	flight_map(&f, 0, 1);
	flight_unmap(&f, 0, pages);
	flight_map(&f, 0, pages);
	flight_land(&f);
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_info(f.pt).leaves[level], 1);

	/* The same with a leaf that is committed. */
	flight_unmap(&f, pages / 2, 1);
	flight_unmap(&f, 0, pages / 2);
	flight_map(&f, 0, pages / 2 + 1);
	flight_unmap(&f, 0, pages);
	flight_land(&f);
	flight_check_empty(&f);
}

/* Abort one by one, newest first: each restores the plan. */
static void flight_aborts_leave_no_trace(struct kunit *test)
{
	struct flight f = flight_create(test);
	const unsigned int pages = f.len / f.page;
	struct drm_gpupt_kunit_trace *trace;
	int i;

	trace = kunit_kcalloc(test, 5, sizeof(*trace), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, trace);

	flight_map(&f, 1, pages - 2);
	flight_land(&f);
	trace[0] = drm_gpupt_kunit_trace(f.pt);
	flight_map(&f, 0, 1);
	trace[1] = drm_gpupt_kunit_trace(f.pt);
	flight_unmap(&f, 0, 2);
	trace[2] = drm_gpupt_kunit_trace(f.pt);
	flight_unmap(&f, 2, pages - 3);
	trace[3] = drm_gpupt_kunit_trace(f.pt);
	flight_map(&f, 0, pages);
	trace[4] = drm_gpupt_kunit_trace(f.pt);
	flight_unmap(&f, 0, pages);
	for (i = 4; i >= 0; i--) {
		drm_gpupt_kunit_abort(f.pt);
		drm_gpupt_kunit_check_trace(f.pt, &trace[i]);
		drm_gpupt_kunit_check(f.pt);
	}

	/* A range of an aborted map can be mapped again. */
	flight_map(&f, 0, 1);
	flight_unmap(&f, 0, pages - 1);
	flight_land(&f);
	flight_check_empty(&f);
}

/* Only the newest can be aborted, and only the oldest be committed. */
static void flight_aborts_the_newest_only(struct kunit *test)
{
	struct flight f = flight_create(test);
	struct drm_gpupt_op idle = {};
	unsigned int i;

	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_abort(&idle));
	for (i = 0; i < 3; i++)
		flight_map(&f, i, 1);
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_gpupt_abort(drm_gpupt_kunit_op(f.pt, 0)));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_gpupt_abort(drm_gpupt_kunit_op(f.pt, 1)));
	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_abort(&idle));
	drm_gpupt_kunit_check(f.pt);

	drm_gpupt_kunit_commit(f.pt);
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_gpupt_abort(drm_gpupt_kunit_op(f.pt, 0)));
	drm_gpupt_kunit_abort(f.pt);
	drm_gpupt_kunit_abort(f.pt);
	drm_gpupt_kunit_check(f.pt);

	/* A committed operation cannot be aborted. */
	flight_map(&f, 1, 1);
	drm_gpupt_commit_map(drm_gpupt_kunit_op(f.pt, 0), drm_gpupt_kunit_view(f.mem));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_gpupt_abort(drm_gpupt_kunit_op(f.pt, 0)));
	drm_gpupt_op_fini(drm_gpupt_kunit_op(f.pt, 0));
	f.pt->in_flight--;
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_info(f.pt).mapped, 2 * f.page);
}

/* An operation that is not idle cannot be prepared again. */
static void flight_refuses_busy_operations(struct kunit *test)
{
	struct flight f = flight_create(test);
	struct drm_gpupt *pt = f.pt->pt;
	const struct drm_dma_view view = drm_gpupt_kunit_view(f.mem);
	struct drm_gpupt_op op = {};

	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_map(pt, &op, 0, f.page, view, 0, 0));
	KUNIT_EXPECT_EQ(test, op.state, DRM_GPUPT_OP_PREPARED);
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_gpupt_prepare_map(pt, &op, f.page, f.page, view, 0, 0));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_gpupt_prepare_unmap(pt, &op, 0, f.page));
	drm_gpupt_commit_map(&op, view);
	KUNIT_EXPECT_EQ(test, op.state, DRM_GPUPT_OP_COMMITTED);
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_gpupt_prepare_map(pt, &op, f.page, f.page, view, 0, 0));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_gpupt_prepare_unmap(pt, &op, 0, f.page));
	drm_gpupt_op_fini(&op);
	KUNIT_EXPECT_EQ(test, op.state, DRM_GPUPT_OP_IDLE);
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_unmap(pt, &op, 0, f.page));
	drm_gpupt_commit(&op);
	drm_gpupt_op_fini(&op);
	/* Nothing is left to do. */
	drm_gpupt_op_fini(&op);
	flight_check_empty(&f);
}

/*
 * A map that is committed without its memory links the tables, but writes no leaf. Later
 * operations in the range are committed as planned, and find holes.
 */
static void flight_commits_without_memory(struct kunit *test)
{
	struct flight f = flight_create(test);
	const unsigned int pages = f.len / f.page;
	unsigned int i, runs = 0;

	f.mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA + f.va, f.len);
	flight_map(&f, 0, pages);
	flight_unmap(&f, 2, 1);
	flight_unmap(&f, 0, 2);
	flight_unmap(&f, 3, pages - 3);

	drm_gpupt_commit(drm_gpupt_kunit_op(f.pt, 0));
	drm_gpupt_op_fini(drm_gpupt_kunit_op(f.pt, 0));
	flight_check_no_leaves(&f);
	KUNIT_EXPECT_EQ(test, -EFAULT, drm_gpupt_walk(f.pt->pt, f.va, f.len, flight_count_extent,
						      &runs));
	KUNIT_EXPECT_EQ(test, runs, 0);

	for (i = 1; i < 4; i++) {
		drm_gpupt_commit(drm_gpupt_kunit_op(f.pt, i));
		drm_gpupt_op_fini(drm_gpupt_kunit_op(f.pt, i));
		flight_check_no_leaves(&f);
	}
	f.pt->in_flight = 0;
	flight_check_empty(&f);
}

/*
 * The unmapped range, and nothing else, is flushed: after its entries are cleared, and
 * before a table is freed.
 */
static void flight_flushes_before_it_frees(struct kunit *test)
{
	struct flight f = flight_create(test);
	const unsigned int pages = f.len / f.page;
	struct drm_gpupt_kunit_trace mapped;
	struct drm_gpupt_op *op;

	flight_map(&f, 0, pages);
	flight_land(&f);
	KUNIT_EXPECT_EQ(test, f.pt->flush.calls, 0);
	mapped = drm_gpupt_kunit_trace(f.pt);

	flight_unmap(&f, 0, pages);
	KUNIT_EXPECT_EQ(test, f.pt->flush.calls, 0);
	op = drm_gpupt_kunit_op(f.pt, 0);
	drm_gpupt_commit(op);
	KUNIT_EXPECT_EQ(test, f.pt->flush.calls, 1);
	KUNIT_EXPECT_EQ(test, f.pt->flush.va, f.va);
	KUNIT_EXPECT_EQ(test, f.pt->flush.len, f.len);
	KUNIT_EXPECT_EQ(test, f.pt->flush.tables, mapped.info.tables > f.pt->empty);
	KUNIT_EXPECT_EQ(test, f.pt->flush.shape.tables, 1);
	KUNIT_EXPECT_EQ(test, f.pt->flush.stats.tables, mapped.stats.tables);
	KUNIT_EXPECT_EQ(test, f.pt->flush.stats.mapped, mapped.stats.mapped);

	/* They are freed only when the device can no longer read them. */
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_info(f.pt).tables, mapped.info.tables);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f.pt->d->sdev).mapped, mapped.stats.mapped);
	drm_gpupt_op_fini(op);
	f.pt->in_flight--;
	flight_check_empty(&f);
	KUNIT_EXPECT_EQ(test, f.pt->flush.calls, 1);
}

/* An unmap that splits a leaf flushes its range, or more. */
static void flight_flushes_cuts(struct kunit *test)
{
	struct flight f = flight_create(test);
	unsigned int pages = f.len / f.page, i;

	/* With large leaves, if the format has any. */
	f.mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA + f.va, f.len);
	flight_map(&f, 0, pages);
	flight_land(&f);
	for (i = 0; i < pages; i += 3) {
		flight_unmap(&f, i, 1);
		flight_land(&f);
		KUNIT_EXPECT_LE(test, f.pt->flush.va, f.va + i * f.page);
		KUNIT_EXPECT_GE(test, f.pt->flush.va + f.pt->flush.len, f.va + (i + 1) * f.page);
	}
}

/* A flush is told whether tables were unlinked: not while a leaf is left in each. */
static void flight_flush_knows_of_tables(struct kunit *test)
{
	struct flight f = flight_create(test);
	const unsigned int pages = f.len / f.page;
	bool linked;

	flight_map(&f, 0, pages);
	flight_land(&f);
	linked = drm_gpupt_kunit_info(f.pt).tables > f.pt->empty;
	flight_unmap(&f, 1, 1);
	flight_land(&f);
	KUNIT_EXPECT_FALSE(test, f.pt->flush.tables);
	flight_unmap(&f, 0, 1);
	flight_unmap(&f, 2, pages - 2);
	flight_land(&f);
	KUNIT_EXPECT_EQ(test, f.pt->flush.tables, linked);
}

/* A job of unmaps and maps flushes once, all that it has unmapped, before it frees. */
static void flight_gathers_flushes(struct kunit *test)
{
	struct flight f = flight_create(test);
	const unsigned int pages = f.len / f.page;
	struct drm_gpupt_flush gather = {};
	struct drm_sgt_device_stats prepared;
	unsigned int i;

	flight_map(&f, 0, pages);
	flight_land(&f);
	flight_unmap(&f, pages - 1, 1);
	flight_map(&f, pages - 1, 1);
	flight_unmap(&f, 1, 1);
	flight_unmap(&f, 2, pages - 2);
	prepared = drm_sgt_kunit_stats(f.pt->d->sdev);
	for (i = 0; i < 4; i++) {
		struct drm_gpupt_op *op = drm_gpupt_kunit_op(f.pt, i);

		if (i == 1)
			drm_gpupt_commit_map(op, drm_gpupt_kunit_view(f.mem));
		else
			drm_gpupt_commit_gather(op, &gather);
	}
	KUNIT_EXPECT_EQ(test, f.pt->flush.calls, 0);
	drm_gpupt_flush_gathered(f.pt->pt, &gather);
	KUNIT_EXPECT_EQ(test, f.pt->flush.calls, 1);
	KUNIT_EXPECT_EQ(test, f.pt->flush.va, f.va + f.page);
	KUNIT_EXPECT_EQ(test, f.pt->flush.len, f.len - f.page);
	KUNIT_EXPECT_EQ(test, f.pt->flush.stats.mapped, prepared.mapped);
	drm_gpupt_flush_gathered(f.pt->pt, &gather);
	KUNIT_EXPECT_EQ(test, f.pt->flush.calls, 1);
	for (i = 0; i < 4; i++)
		drm_gpupt_op_fini(drm_gpupt_kunit_op(f.pt, i));
	KUNIT_EXPECT_EQ(test, f.pt->flush.calls, 1);
	f.pt->in_flight = 0;
}

/* No table is freed that the device may read: without a flush of the job, there is one. */
static void flight_flushes_what_was_only_gathered(struct kunit *test)
{
	struct flight f = flight_create(test);
	struct drm_gpupt_flush gather = {};

	flight_map(&f, 0, f.len / f.page);
	flight_land(&f);
	flight_unmap(&f, 1, f.len / f.page - 1);
	flight_unmap(&f, 0, 1);
	drm_gpupt_commit_gather(drm_gpupt_kunit_op(f.pt, 0), &gather);
	/* A flush of something else in between. */
	drm_gpupt_commit(drm_gpupt_kunit_op(f.pt, 1));
	KUNIT_EXPECT_EQ(test, f.pt->flush.calls, 1);
	KUNIT_EXPECT_EQ(test, f.pt->flush.len, f.page);
	drm_gpupt_op_fini(drm_gpupt_kunit_op(f.pt, 0));
	KUNIT_EXPECT_EQ(test, f.pt->flush.calls, 1 + gather.tables);
	if (gather.tables)
		KUNIT_EXPECT_EQ(test, f.pt->flush.len, f.len - f.page);
	drm_gpupt_op_fini(drm_gpupt_kunit_op(f.pt, 1));
	f.pt->in_flight = 0;
	flight_check_empty(&f);
}

/*
 * After unbind, nothing can be prepared or walked. Prepared operations are committed or
 * aborted as before.
 */
static void flight_ends_with_the_device(struct kunit *test)
{
	struct flight f = flight_create(test);
	const struct drm_dma_view view = drm_gpupt_kunit_view(f.mem);
	struct drm_gpupt *pt = f.pt->pt;
	struct drm_gpupt_op op = {};
	unsigned int runs = 0;

	flight_map(&f, 0, 4);
	flight_land(&f);
	flight_map(&f, 4, 2);
	flight_unmap(&f, 0, 1);
	flight_map(&f, 0, 1);

	drm_sgt_kunit_unbind(f.pt->d);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f.pt->d->sdev).mapped, 0);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_gpupt_prepare_map(pt, &op, 0, f.page, view, 0, 0));
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_gpupt_prepare_unmap(pt, &op, f.va, f.page));
	KUNIT_EXPECT_EQ(test, op.state, DRM_GPUPT_OP_IDLE);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_gpupt_walk(pt, f.va, 4 * f.page, flight_count_extent,
						      &runs));
	KUNIT_EXPECT_EQ(test, runs, 0);
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-ENODEV),
			    drm_gpupt_create(f.pt->window.fmt, f.pt->d->sdev, NULL, NULL));

	drm_gpupt_commit(drm_gpupt_kunit_op(f.pt, 0));
	drm_gpupt_op_fini(drm_gpupt_kunit_op(f.pt, 0));
	drm_gpupt_commit(drm_gpupt_kunit_op(f.pt, 1));
	drm_gpupt_op_fini(drm_gpupt_kunit_op(f.pt, 1));
	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_abort(drm_gpupt_kunit_op(f.pt, 2)));
	f.pt->in_flight = 0;
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_info(f.pt).in_flight, 0);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f.pt->d->sdev).mapped, 0);
}

/*
 * drm_gpupt_op_fini() takes a lock under which memory is allocated. lockdep reports a
 * call in a fence-signalling section, even if the operation has no table to free. The
 * report turns lockdep off, which is what the test looks for, as the selftest of lockdep
 * does.
 */
static void flight_frees_outside_of_signalling(struct kunit *test)
{
	struct drm_gpupt_op op = {};
	bool cookie, seen;

	if (!IS_ENABLED(CONFIG_PROVE_LOCKING) || !debug_locks)
		kunit_skip(test, "no lockdep");

	debug_locks_silent = 1;
	cookie = dma_fence_begin_signalling();
	drm_gpupt_op_fini(&op);
	seen = !debug_locks;
	debug_locks = 1;
	dma_fence_end_signalling(cookie);
	debug_locks_silent = 0;
	KUNIT_EXPECT_TRUE(test, seen);
}

static struct kunit_case drm_gpupt_flight_cases[] = {
	KUNIT_CASE_PARAM(flight_maps_share_tables, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(flight_refuses_by_the_plan, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(flight_maps_then_unmaps, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(flight_unmaps_then_maps, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(flight_cuts_what_is_planned, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(flight_aborts_leave_no_trace, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(flight_aborts_the_newest_only, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(flight_refuses_busy_operations, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(flight_commits_without_memory, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(flight_flushes_before_it_frees, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(flight_flushes_cuts, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(flight_flush_knows_of_tables, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(flight_gathers_flushes, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(flight_flushes_what_was_only_gathered, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(flight_ends_with_the_device, drm_gpupt_kunit_formats),
	KUNIT_CASE(flight_frees_outside_of_signalling),
	{}
};

static struct kunit_suite drm_gpupt_flight_suite = {
	.name = "drm_gpupt_flight",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpupt_flight_cases,
};

kunit_test_suite(drm_gpupt_flight_suite);
