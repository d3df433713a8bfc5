// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <linux/dma-mapping.h>
#include <linux/sizes.h>

#include "drm_gem_sgt_kunit_helpers.h"
#include "drm_sgt_kunit_exporter.h"

/* Imports of an exporter that moves its memory, and tells them. */

#define DYNAMIC_SIZE	(6 * PAGE_SIZE)

/* Where the memory moves to. */
static const struct drm_sgt_kunit_layout dynamic_elsewhere = {
	.name = "elsewhere",
	.seg = { { SZ_512M, 6 * PAGE_SIZE } },
	.nents = 1,
	.orig_nents = 1,
	.expected = { { SZ_512M, 6 * PAGE_SIZE } },
};

struct dynamic_fixture {
	struct kunit *test;
	struct drm_sgt_kunit *ctx;
	struct drm_sgt_kunit_device *d;
	struct drm_sgt_kunit_exporter *e;
	struct drm_sgt *sgt;
	/* calls of the driver's callback */
	unsigned int moves;
	/* the callback waits for the gate of @ctx */
	bool block;
};

/* The device is told while its addresses are valid, and while nothing else can happen. */
static void dynamic_moved(void *data)
{
	struct dynamic_fixture *f = data;
	struct drm_sgt_access access = {};

	dma_resv_assert_held(f->e->buf->resv);
	KUNIT_EXPECT_EQ(f->test, f->e->maps, f->e->unmaps + 1);
	KUNIT_EXPECT_EQ(f->test, drm_sgt_get_state(f->sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_NE(f->test, 0, drm_sgt_access_begin(f->sgt, &access));
	f->moves++;
	if (f->block) {
		complete(&f->ctx->entered);
		wait_for_completion(&f->ctx->gate);
	}
}

static struct dynamic_fixture *dynamic_create_on(struct kunit *test,
						 struct drm_sgt_kunit_device *d,
						 struct device *dev,
						 enum drm_sgt_kunit_exporter_kind kind)
{
	struct dynamic_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->test = test;
	f->ctx = test->priv;
	f->d = d;
	f->e = drm_sgt_kunit_exporter_create(test, kind, DYNAMIC_SIZE, dev);
	f->e->follows = true;
	f->sgt = drm_sgt_create_import_dynamic(d->sdev, f->e->buf, dynamic_moved, f);
	drm_sgt_kunit_free_later(test, f->sgt);
	return f;
}

static struct dynamic_fixture *dynamic_create(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);

	return dynamic_create_on(test, d, d->dev, EXPORTER_DYNAMIC);
}

static struct dynamic_fixture *dynamic_create_mapped(struct kunit *test)
{
	struct dynamic_fixture *f = dynamic_create(test);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f->sgt, DMA_TO_DEVICE));
	return f;
}

static void dynamic_move(struct dynamic_fixture *f, const struct drm_sgt_kunit_layout *to)
{
	KUNIT_ASSERT_EQ(f->test, 0, drm_sgt_kunit_exporter_move(f->e, to));
}

/* Attachments, then mappings of them: begun, and ended */
static void dynamic_check(struct dynamic_fixture *f, unsigned int attaches,
			  unsigned int detaches, unsigned int maps, unsigned int unmaps)
{
	KUNIT_EXPECT_EQ(f->test, f->e->attaches, attaches);
	KUNIT_EXPECT_EQ(f->test, f->e->detaches, detaches);
	KUNIT_EXPECT_EQ(f->test, f->e->maps, maps);
	KUNIT_EXPECT_EQ(f->test, f->e->unmaps, unmaps);
}

/* The mapping ends by itself; the attachment is left. */
static void dynamic_expect_end(struct dynamic_fixture *f)
{
	KUNIT_EXPECT_TRUE(f->test, drm_sgt_kunit_until(READ_ONCE(f->e->unmaps) == f->e->maps));
	KUNIT_EXPECT_EQ(f->test, f->e->attaches, f->e->detaches + 1);
}

static struct drm_sgt_kunit_fence *dynamic_add_work(struct dynamic_fixture *f)
{
	return drm_sgt_kunit_fence_add_pending(f->test, f->e->buf->resv,
					       DMA_RESV_USAGE_BOOKKEEP);
}

/* A static import pins the memory; a dynamic one does not, and needs a callback. */
static void dynamic_does_not_pin(struct kunit *test)
{
	struct dynamic_fixture *f = dynamic_create_mapped(test);
	struct drm_sgt *sgt;

	drm_sgt_kunit_exporter_check(f->e, 1, 0);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR_OR_ZERO(drm_sgt_create_import_dynamic(f->d->sdev, f->e->buf,
								      NULL, f)));

	sgt = drm_sgt_create_import(f->d->sdev, f->e->buf);
	drm_sgt_kunit_free_later(test, sgt);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(sgt, DMA_TO_DEVICE));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_kunit_exporter_move(f->e, &dynamic_elsewhere));
	drm_sgt_kunit_free_now(test, sgt);
	dynamic_move(f, &dynamic_elsewhere);
	KUNIT_EXPECT_EQ(test, f->moves, 1);
}

/* A move ends the mapping; the next use has the new addresses, in the same direction. */
static void dynamic_is_mapped_again(struct kunit *test)
{
	static const struct drm_sgt_kunit_layout * const to[] = {
		&dynamic_elsewhere, &drm_sgt_kunit_layout, &dynamic_elsewhere,
	};
	struct dynamic_fixture *f = dynamic_create_mapped(test);
	struct drm_sgt_access access = {};
	struct drm_sgt_info info;
	unsigned int i;

	drm_sgt_kunit_exporter_check_walk(f->e, f->sgt);
	for (i = 1; i <= ARRAY_SIZE(to); i++) {
		dynamic_move(f, to[i - 1]);
		KUNIT_EXPECT_EQ(test, f->moves, i);
		dynamic_check(f, i, i - 1, i, i);
		KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f->sgt), DRM_SGT_BACKED);
		drm_sgt_get_info(f->sgt, &info);
		KUNIT_EXPECT_EQ(test, info.state, DRM_SGT_BACKED);
		KUNIT_EXPECT_EQ(test, info.dma_segs, 0);
		KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_access_begin(f->sgt, &access));

		KUNIT_ASSERT_EQ(test, 0, drm_sgt_map_again(f->sgt));
		KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f->sgt), DRM_SGT_MAPPED);
		KUNIT_EXPECT_EQ(test, f->e->dir, DMA_TO_DEVICE);
		drm_sgt_kunit_exporter_check_walk(f->e, f->sgt);
		drm_sgt_kunit_exporter_check(f->e, i + 1, i);
	}
}

/* Moves of memory that is not mapped are no news to the device. */
static void dynamic_is_told_once(struct kunit *test)
{
	struct dynamic_fixture *f = dynamic_create(test);

	dynamic_move(f, &dynamic_elsewhere);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f->sgt, DMA_TO_DEVICE));
	dynamic_move(f, &drm_sgt_kunit_layout);
	dynamic_move(f, &dynamic_elsewhere);
	KUNIT_EXPECT_EQ(test, f->moves, 1);
	dynamic_check(f, 1, 0, 1, 1);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(f->sgt));
	dynamic_move(f, &drm_sgt_kunit_layout);
	KUNIT_EXPECT_EQ(test, f->moves, 1);
}

/* A section that is open keeps its addresses. No other begins, and no map succeeds. */
static void dynamic_moves_in_a_section(struct kunit *test)
{
	struct dynamic_fixture *f = dynamic_create_mapped(test);
	struct drm_sgt_access access = {}, other = {};
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_access_begin(f->sgt, &access));
	dynamic_move(f, &dynamic_elsewhere);
	dynamic_move(f, &dynamic_elsewhere);
	KUNIT_EXPECT_EQ(test, f->moves, 1);
	dynamic_check(f, 1, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, 0, drm_dma_iter_init(&iter, drm_sgt_access_view(&access), 0,
						   DYNAMIC_SIZE));
	KUNIT_EXPECT_TRUE(test, drm_dma_iter_next(&iter, &seg));
	KUNIT_EXPECT_EQ(test, seg.addr, drm_sgt_kunit_layout.seg[0].addr);
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_access_begin(f->sgt, &other));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_map_again(f->sgt));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_unmap(f->sgt));
	drm_sgt_access_end(&access);
	dynamic_expect_end(f);

	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map_again(f->sgt));
	dynamic_check(f, 2, 1, 2, 1);
	drm_sgt_kunit_exporter_check_walk(f->e, f->sgt);
}

/* Work that uses the old place: the mapping ends when it is done, and no later. */
static void dynamic_moves_under_work(struct kunit *test)
{
	struct dynamic_fixture *f = dynamic_create_mapped(test);
	struct drm_sgt_kunit_fence *work = dynamic_add_work(f), *later;
	struct drm_sgt_access access = {};

	dynamic_move(f, &dynamic_elsewhere);
	KUNIT_EXPECT_EQ(test, f->moves, 1);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(READ_ONCE(work->waited)));
	dynamic_check(f, 1, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f->sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_access_begin(f->sgt, &access));

	/* In the new place */
	later = dynamic_add_work(f);
	dynamic_move(f, &drm_sgt_kunit_layout);
	dma_fence_signal(&work->base);
	dynamic_expect_end(f);
	dma_fence_signal(&later->base);

	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map_again(f->sgt));
	dynamic_check(f, 2, 1, 2, 1);
	drm_sgt_kunit_exporter_check_walk(f->e, f->sgt);
}

static int dynamic_do_map(void *arg)
{
	struct dynamic_fixture *f = arg;

	return drm_sgt_map_again(f->sgt);
}

/* A map waits for the work that uses the old place. */
static void dynamic_is_mapped_under_work(struct kunit *test)
{
	struct dynamic_fixture *f = dynamic_create_mapped(test);
	struct drm_sgt_kunit_fence *work = dynamic_add_work(f);
	struct drm_sgt_kunit_thread *map;

	dynamic_move(f, &dynamic_elsewhere);
	map = drm_sgt_kunit_start(f->ctx, dynamic_do_map, f);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(READ_ONCE(work->waited)));
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(!task_is_running(map->task)));
	dynamic_check(f, 1, 0, 1, 0);
	dma_fence_signal(&work->base);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(map));
	KUNIT_EXPECT_EQ(test, map->ret, 0);
	dynamic_check(f, 2, 1, 2, 1);
	drm_sgt_kunit_exporter_check_walk(f->e, f->sgt);
}

/* An exporter can move the memory in order to map it: that is no move of the mapping. */
static void dynamic_moves_for_the_map(struct kunit *test)
{
	struct dynamic_fixture *f = dynamic_create(test);

	f->e->move_in_map = true;
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f->sgt, DMA_TO_DEVICE));
	KUNIT_EXPECT_EQ(test, f->moves, 0);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f->sgt), DRM_SGT_MAPPED);
	drm_sgt_kunit_exporter_check_walk(f->e, f->sgt);
}

static bool dynamic_is_phys(struct device *dev)
{
	return true;
}

/* Called between the map by the exporter and the moment at which the table is MAPPED. */
static bool dynamic_need_sync(struct device *dev, dma_addr_t addr)
{
	struct drm_sgt_kunit *ctx = kunit_get_current_test()->priv;

	if (ctx->bounced) {
		struct drm_sgt_kunit_exporter *e = ctx->bounced;

		ctx->bounced = NULL;
		drm_sgt_kunit_exporter_move(e, &dynamic_elsewhere);
	}
	return false;
}

/* A move in the middle of a map: the mapping is not used, and the next map is. */
static void dynamic_moves_during_the_map(struct kunit *test)
{
	struct device *bus = drm_sgt_kunit_dma_device(test, "bus", UINT_MAX, ULONG_MAX);
	struct drm_sgt_access access = {};
	struct dynamic_fixture *f;

	kunit_activate_static_stub(test, drm_sgt_import_is_phys, dynamic_is_phys);
	kunit_activate_static_stub(test, drm_sgt_dma_need_sync, dynamic_need_sync);
	f = dynamic_create_on(test, drm_sgt_kunit_bind_phys(test, bus), bus, EXPORTER_DYNAMIC);
	f->ctx->bounced = f->e;
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(f->sgt, DMA_TO_DEVICE));
	KUNIT_EXPECT_EQ(test, f->moves, 0);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f->sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_access_begin(f->sgt, &access));
	dynamic_expect_end(f);

	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map_again(f->sgt));
	drm_sgt_kunit_exporter_check_walk(f->e, f->sgt);
	drm_sgt_kunit_exporter_check(f->e, 2, 1);
}

/* A move after the map has seen that there was none, and before it reads the state */
static enum drm_sgt_state dynamic_own_state(struct drm_sgt *sgt)
{
	struct kunit *test = kunit_get_current_test();
	struct drm_sgt_kunit *ctx = test->priv;
	enum drm_sgt_state state;

	kunit_deactivate_static_stub(test, drm_sgt_own_state);
	state = drm_sgt_own_state(sgt);
	drm_sgt_kunit_exporter_move(ctx->bounced, &dynamic_elsewhere);
	return state;
}

/* It is not mapped twice. */
static void dynamic_moves_before_the_map(struct kunit *test)
{
	struct dynamic_fixture *f = dynamic_create_mapped(test);

	f->ctx->bounced = f->e;
	kunit_activate_static_stub(test, drm_sgt_own_state, dynamic_own_state);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map_again(f->sgt));
	KUNIT_EXPECT_EQ(test, f->moves, 1);
	dynamic_check(f, 1, 0, 1, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).mapped, 1);

	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map_again(f->sgt));
	dynamic_check(f, 2, 1, 2, 1);
	drm_sgt_kunit_exporter_check_walk(f->e, f->sgt);
}

/* The end of a mapping behind a bounce buffer writes, so it does not outlive a move. */
static void dynamic_behind_a_bounce_buffer(struct kunit *test)
{
	struct dynamic_fixture *f = dynamic_create(test);

	drm_sgt_kunit_exporter_bounce(f->e);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f->sgt, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_kunit_exporter_move(f->e, &dynamic_elsewhere));
	KUNIT_EXPECT_EQ(test, f->moves, 0);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(f->sgt));

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f->sgt, DMA_TO_DEVICE));
	dynamic_move(f, &dynamic_elsewhere);
	KUNIT_EXPECT_EQ(test, f->moves, 1);
}

static int dynamic_do_unmap(void *arg)
{
	struct dynamic_fixture *f = arg;

	return drm_sgt_unmap(f->sgt);
}

static int dynamic_do_unmap_wait(void *arg)
{
	struct dynamic_fixture *f = arg;

	return drm_sgt_unmap_wait(f->sgt);
}

static int dynamic_do_free(void *arg)
{
	struct dynamic_fixture *f = arg;

	drm_sgt_kunit_free_now(f->test, f->sgt);
	return 0;
}

static int dynamic_do_shutdown(void *arg)
{
	struct dynamic_fixture *f = arg;

	drm_sgt_device_shutdown(f->d->sdev);
	return 0;
}

static int dynamic_do_unbind(void *arg)
{
	struct dynamic_fixture *f = arg;

	drm_sgt_kunit_unbind(f->d);
	return 0;
}

static const struct dynamic_end {
	const char *name;
	int (*fn)(void *arg);
} dynamic_ends[] = {
	{ "unmap", dynamic_do_unmap },
	{ "unmap that waits", dynamic_do_unmap_wait },
	{ "free", dynamic_do_free },
	{ "shutdown", dynamic_do_shutdown },
	{ "unbind", dynamic_do_unbind },
};

KUNIT_ARRAY_PARAM_DESC(dynamic_end, dynamic_ends, name);

/* After a move, what ends the mapping ends the attachment; a later move is not told. */
static void dynamic_ends_after_a_move(struct kunit *test)
{
	const struct dynamic_end *end = test->param_value;
	struct dynamic_fixture *f = dynamic_create_mapped(test);

	dynamic_move(f, &dynamic_elsewhere);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).mapped, 1);
	KUNIT_EXPECT_EQ(test, 0, end->fn(f));
	dynamic_check(f, 1, 1, 1, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).mapped, 0);
	dynamic_move(f, &drm_sgt_kunit_layout);
	KUNIT_EXPECT_EQ(test, f->moves, 1);
}

/* What ends the mapping does not wait for work, and nothing is left to be done after it. */
static void dynamic_ends_under_work(struct kunit *test)
{
	const struct dynamic_end *end = test->param_value;
	struct dynamic_fixture *f = dynamic_create_mapped(test);
	struct drm_sgt_kunit_fence *work = dynamic_add_work(f);

	dynamic_move(f, &dynamic_elsewhere);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(READ_ONCE(work->waited)));
	KUNIT_EXPECT_EQ(test, 0, end->fn(f));
	dynamic_check(f, 1, 1, 1, 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&work->base.cb_list));
	dma_fence_signal(&work->base);
}

static int dynamic_do_move(void *arg)
{
	struct dynamic_fixture *f = arg;

	return drm_sgt_kunit_exporter_move(f->e, &dynamic_elsewhere);
}

static void dynamic_open(void *data)
{
	struct dynamic_fixture *f = data;

	complete_all(&f->ctx->gate);
}

/*
 * A move is under way: what ends the mapping waits until the driver was told, and does not
 * free anything that the move still uses. The mapping ends once.
 */
static void dynamic_ends_during_a_move(struct kunit *test)
{
	const struct dynamic_end *end = test->param_value;
	struct dynamic_fixture *f = dynamic_create_mapped(test);
	struct drm_sgt_kunit_thread *move, *other;

	f->block = true;
	move = drm_sgt_kunit_start(f->ctx, dynamic_do_move, f);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, dynamic_open, f));
	KUNIT_ASSERT_NE(test, 0, wait_for_completion_timeout(&f->ctx->entered,
							     DRM_SGT_KUNIT_PATIENCE));
	other = drm_sgt_kunit_start(f->ctx, end->fn, f);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, dynamic_open, f));
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_until(!task_is_running(other->task)));
	KUNIT_EXPECT_FALSE(test, completion_done(&other->done));
	complete_all(&f->ctx->gate);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(move));
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_join(other));
	KUNIT_EXPECT_EQ(test, move->ret, 0);
	KUNIT_EXPECT_EQ(test, other->ret, 0);
	dynamic_check(f, 1, 1, 1, 1);
}

/* An exporter that cannot move its memory, or keeps mappings, is imported as ever. */
static void dynamic_of_a_static_exporter(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct dynamic_fixture *f = dynamic_create_on(test, d, d->dev, EXPORTER_CACHED);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f->sgt, DMA_FROM_DEVICE));
	KUNIT_EXPECT_EQ(test, f->e->dir, DMA_FROM_DEVICE);
	drm_sgt_kunit_unbind(d);
	dynamic_check(f, 1, 1, 1, 1);
	KUNIT_EXPECT_EQ(test, f->moves, 0);
}

/* The object that was told last */
static void dynamic_object_moved(struct drm_gem_sgt_object *bo)
{
	struct drm_sgt_kunit *ctx = kunit_get_current_test()->priv;

	KUNIT_EXPECT_EQ(ctx->test, drm_gem_sgt_status(bo), 0);
	ctx->nr_syncs++;
}

KUNIT_DEFINE_ACTION_WRAPPER(dynamic_put, drm_gem_object_put, struct drm_gem_object *);

/* A GEM object is mapped from the start, and again after a move. */
static void dynamic_object(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver_with_objects);
	struct drm_sgt_kunit *ctx = test->priv;
	struct drm_sgt_kunit_exporter *e;
	struct drm_gem_sgt_object *bo;
	struct drm_gem_object *obj;

	e = drm_sgt_kunit_exporter_create(test, EXPORTER_DYNAMIC, DYNAMIC_SIZE, f->d->dev);
	e->follows = true;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR_OR_ZERO(drm_gem_sgt_prime_import_dynamic(f->drm, f->d->sdev, e->buf,
									 DMA_TO_DEVICE, NULL)));
	e->fail_map = -ENOSPC;
	obj = drm_gem_sgt_prime_import_dynamic(f->drm, f->d->sdev, e->buf, DMA_TO_DEVICE,
					       dynamic_object_moved);
	KUNIT_EXPECT_EQ(test, -ENOSPC, PTR_ERR_OR_ZERO(obj));
	KUNIT_EXPECT_EQ(test, f->objects, 0);
	e->fail_map = 0;

	obj = drm_gem_sgt_prime_import_dynamic(f->drm, f->d->sdev, e->buf, DMA_TO_DEVICE,
					       dynamic_object_moved);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, dynamic_put, obj));
	bo = to_drm_gem_sgt_obj(obj);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(bo->sgt), DRM_SGT_MAPPED);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_kunit_exporter_move(e, &dynamic_elsewhere));
	KUNIT_EXPECT_EQ(test, ctx->nr_syncs, 1);
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_map(bo));
	KUNIT_EXPECT_EQ(test, drm_gem_sgt_status(bo), DRM_GEM_OBJECT_RESIDENT);
	drm_sgt_kunit_exporter_check_walk(e, bo->sgt);

	drm_sgt_kunit_unbind(f->d);
	KUNIT_EXPECT_EQ(test, e->attaches, e->detaches);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_kunit_exporter_move(e, &drm_sgt_kunit_layout));
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_gem_sgt_map(bo));
	KUNIT_EXPECT_EQ(test, ctx->nr_syncs, 1);
}

static struct kunit_case drm_sgt_import_dynamic_cases[] = {
	KUNIT_CASE(dynamic_does_not_pin),
	KUNIT_CASE(dynamic_is_mapped_again),
	KUNIT_CASE(dynamic_is_told_once),
	KUNIT_CASE(dynamic_moves_in_a_section),
	KUNIT_CASE(dynamic_moves_under_work),
	KUNIT_CASE(dynamic_is_mapped_under_work),
	KUNIT_CASE(dynamic_moves_for_the_map),
	KUNIT_CASE(dynamic_moves_during_the_map),
	KUNIT_CASE(dynamic_moves_before_the_map),
	KUNIT_CASE(dynamic_behind_a_bounce_buffer),
	KUNIT_CASE_PARAM(dynamic_ends_after_a_move, dynamic_end_gen_params),
	KUNIT_CASE_PARAM(dynamic_ends_under_work, dynamic_end_gen_params),
	KUNIT_CASE_PARAM(dynamic_ends_during_a_move, dynamic_end_gen_params),
	KUNIT_CASE(dynamic_of_a_static_exporter),
	KUNIT_CASE(dynamic_object),
	{}
};

static struct kunit_suite drm_sgt_import_dynamic_suite = {
	.name = "drm_sgt_import_dynamic",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_sgt_import_dynamic_cases,
};

kunit_test_suite(drm_sgt_import_dynamic_suite);
