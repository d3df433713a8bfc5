// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-resv.h>
#include <linux/mm.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>

#include "drm_gem_sgt_kunit_helpers.h"
#include "../drm_sgt_trace.h"

/*
 * The tracepoints: each one is hit once for what it stands for, with the table that it
 * happened to.
 */

enum trace_event {
	TRACE_POPULATE,
	TRACE_RESTORE,
	TRACE_MAP,
	TRACE_UNMAP,
	TRACE_REVOKE,
	TRACE_EVICT,
	TRACE_PURGE,
	TRACE_FAULT,
	TRACE_EVENTS,
};

struct gem_trace {
	struct kunit *test;
	struct gem_kunit *f;
	struct drm_gem_sgt_object *bo;
	unsigned int hits[TRACE_EVENTS];
	/* the last page and the last result of a fault */
	pgoff_t index;
	vm_fault_t ret;
};

/* Other tables have events too: only those of the case count. */
static void trace_hit(struct gem_trace *c, const struct drm_sgt *sgt, enum trace_event event)
{
	if (c->bo && sgt == c->bo->sgt)
		c->hits[event]++;
}

static void trace_on_fault(void *data, const struct drm_sgt *sgt, pgoff_t index,
			   unsigned int order, vm_fault_t ret)
{
	struct gem_trace *c = data;

	trace_hit(c, sgt, TRACE_FAULT);
	c->index = index;
	c->ret = ret;
}

/* Watch an event until the end of the case. */
#define TRACE_WATCH(name, event)							\
static void trace_off_##name(void *data)						\
{											\
	unregister_trace_##event(trace_on_##name, data);				\
	tracepoint_synchronize_unregister();						\
}											\
static void trace_watch_##name(struct gem_trace *c)					\
{											\
	KUNIT_ASSERT_EQ(c->test, 0, register_trace_##event(trace_on_##name, c));	\
	KUNIT_ASSERT_EQ(c->test, 0,							\
			kunit_add_action_or_reset(c->test, trace_off_##name, c));	\
}

#define TRACE_PROBE(name, hit)								\
static void trace_on_##name(void *data, const struct drm_sgt *sgt)			\
{											\
	trace_hit(data, sgt, hit);							\
}											\
TRACE_WATCH(name, drm_sgt_##name)

TRACE_PROBE(populate, TRACE_POPULATE)
TRACE_PROBE(restore, TRACE_RESTORE)
TRACE_PROBE(map, TRACE_MAP)
TRACE_PROBE(unmap, TRACE_UNMAP)
TRACE_PROBE(revoke, TRACE_REVOKE)
TRACE_PROBE(evict, TRACE_EVICT)
TRACE_PROBE(purge, TRACE_PURGE)
TRACE_WATCH(fault, drm_gem_sgt_fault)

/* An object of five pages, and all events are watched. */
static struct gem_trace *trace_create(struct kunit *test)
{
	struct gem_trace *c;

	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "needs CONFIG_TRACEPOINTS");

	c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, c);
	c->test = test;
	trace_watch_populate(c);
	trace_watch_restore(c);
	trace_watch_map(c);
	trace_watch_unmap(c);
	trace_watch_revoke(c);
	trace_watch_evict(c);
	trace_watch_purge(c);
	trace_watch_fault(c);
	c->f = gem_kunit_create(test, &gem_kunit_driver);
	c->bo = gem_kunit_bo(c->f, GEM_KUNIT_SIZE);
	return c;
}

/* Since the last check, there was one event of each kind that is in @events. */
static void trace_expect(struct gem_trace *c, unsigned long events)
{
	unsigned int i;

	for (i = 0; i < TRACE_EVENTS; i++)
		KUNIT_EXPECT_EQ_MSG(c->test, c->hits[i], !!(events & BIT(i)), "event %u", i);
	memset(c->hits, 0, sizeof(c->hits));
}

static void trace_evict(struct gem_trace *c)
{
	KUNIT_EXPECT_EQ(c->test, 0, gem_kunit_evict(c->bo));
}

/* Map and unmap; a call that has nothing to do is no event. */
static void trace_of_mappings(struct kunit *test)
{
	struct gem_trace *c = trace_create(test);

	trace_expect(c, 0);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c->bo));
	trace_expect(c, BIT(TRACE_POPULATE) | BIT(TRACE_MAP));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(c->bo->sgt));
	trace_expect(c, 0);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(c->bo->sgt));
	trace_expect(c, BIT(TRACE_UNMAP));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(c->bo->sgt));
	trace_expect(c, 0);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_depopulate(c->bo->sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(c->bo->sgt));
	trace_expect(c, BIT(TRACE_POPULATE));
}

/* An unbind ends a mapping by another event. What fails is none. */
static void trace_of_an_unbind(struct kunit *test)
{
	struct gem_trace *c = trace_create(test);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c->bo));
	trace_expect(c, BIT(TRACE_POPULATE) | BIT(TRACE_MAP));
	drm_sgt_kunit_unbind(c->f->d);
	trace_expect(c, BIT(TRACE_REVOKE));
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_gem_sgt_map(c->bo));
	trace_expect(c, 0);
}

/* Out to swap and back in, by a map and by a fault. */
static void trace_of_evictions(struct kunit *test)
{
	struct gem_trace *c = trace_create(test);

	trace_evict(c);
	trace_expect(c, 0);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c->bo));
	trace_expect(c, BIT(TRACE_POPULATE) | BIT(TRACE_MAP));
	trace_evict(c);
	trace_expect(c, BIT(TRACE_UNMAP) | BIT(TRACE_EVICT));
	trace_evict(c);
	trace_expect(c, 0);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c->bo));
	trace_expect(c, BIT(TRACE_RESTORE) | BIT(TRACE_MAP));
}

static void trace_of_a_purge(struct kunit *test)
{
	struct gem_trace *c = trace_create(test);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c->bo));
	trace_expect(c, BIT(TRACE_POPULATE) | BIT(TRACE_MAP));
	dma_resv_lock(c->bo->base.resv, NULL);
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_gem_sgt_purge_locked(c->bo));
	KUNIT_EXPECT_EQ(test, 1, drm_gem_sgt_madvise_locked(c->bo, 1));
	trace_expect(c, 0);
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_purge_locked(c->bo));
	trace_expect(c, BIT(TRACE_UNMAP) | BIT(TRACE_PURGE));
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_purge_locked(c->bo));
	dma_resv_unlock(c->bo->base.resv);
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gem_sgt_map(c->bo));
	trace_expect(c, 0);
}

/* A fault maps the pages around it, too: one event for all of them. */
static void trace_of_faults(struct kunit *test)
{
	struct gem_trace *c = trace_create(test);
	unsigned long addr = gem_user_map_object(c->f, c->bo);
	u8 byte;

	trace_expect(c, BIT(TRACE_POPULATE));
	KUNIT_ASSERT_EQ(test, 0, copy_from_user(&byte, (u8 __user *)addr + PAGE_SIZE, 1));
	trace_expect(c, BIT(TRACE_FAULT));
	KUNIT_EXPECT_EQ(test, c->index, 1);
	KUNIT_EXPECT_EQ(test, c->ret, VM_FAULT_NOPAGE);
	KUNIT_ASSERT_EQ(test, 0, copy_from_user(&byte, (u8 __user *)addr, 1));
	trace_expect(c, 0);

	trace_evict(c);
	trace_expect(c, BIT(TRACE_EVICT));
	KUNIT_ASSERT_EQ(test, 0, copy_from_user(&byte, (u8 __user *)addr + 2 * PAGE_SIZE, 1));
	trace_expect(c, BIT(TRACE_RESTORE) | BIT(TRACE_FAULT));
	KUNIT_EXPECT_EQ(test, c->index, 2);
	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr, GEM_KUNIT_SIZE));
}

static struct kunit_case drm_gem_sgt_trace_cases[] = {
	KUNIT_CASE(trace_of_mappings),
	KUNIT_CASE(trace_of_an_unbind),
	KUNIT_CASE(trace_of_evictions),
	KUNIT_CASE(trace_of_a_purge),
	KUNIT_CASE(trace_of_faults),
	{}
};

static struct kunit_suite drm_gem_sgt_trace_suite = {
	.name = "drm_gem_sgt_trace",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gem_sgt_trace_cases,
};

kunit_test_suite(drm_gem_sgt_trace_suite);
