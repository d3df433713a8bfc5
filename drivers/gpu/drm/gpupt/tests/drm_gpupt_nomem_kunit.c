// SPDX-License-Identifier: GPL-2.0

#include <linux/sizes.h>

#include "drm_gpupt_kunit_helpers.h"

/*
 * Out of memory: each function that allocates is called again and again, and each time
 * another of its allocations fails. It must return -ENOMEM and change nothing.
 */

struct pt_nomem {
	struct kunit *test;
	struct drm_sgt_kunit_device *d;
	struct drm_gpupt_kunit *pt;
	struct drm_gpupt_kunit_mem *mem;
	struct drm_gpupt_op op;
	u64 va;
	u64 len;
	/* the state before, which must be the same after a failure */
	struct drm_gpupt_kunit_trace trace;
};

static struct pt_nomem *pt_nomem_start(struct kunit *test, const struct drm_gpupt_fmt *fmt)
{
	struct pt_nomem *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->test = test;
	c->pt = drm_gpupt_kunit_create(test, fmt);
	c->d = c->pt->d;
	return c;
}

/* prepare_map */

static int pt_nomem_map(void *arg)
{
	struct pt_nomem *c = arg;

	return drm_gpupt_prepare_map(c->pt->pt, &c->op, c->va, c->len,
				     drm_gpupt_kunit_view(c->mem), 0, 0);
}

/* The state is the same after a failure, and after an abort. */
static void pt_nomem_check(void *arg, int ret)
{
	struct pt_nomem *c = arg;

	if (ret)
		KUNIT_EXPECT_EQ(c->test, ret, -ENOMEM);
	KUNIT_EXPECT_EQ(c->test, c->op.state, ret ? DRM_GPUPT_OP_IDLE : DRM_GPUPT_OP_PREPARED);
	KUNIT_EXPECT_EQ(c->test, 0, drm_gpupt_abort(&c->op));
	drm_gpupt_kunit_check_trace(c->pt, &c->trace);
}

/* Tables of a map: more than share a DMA mapping, and enough for many steps. */
#define NOMEM_TABLES	40

/* A map that needs many tables, after another map is prepared in the first of them. */
static void pt_nomem_mapping(struct kunit *test)
{
	struct pt_nomem *c = pt_nomem_start(test, &drm_gpupt_x86_64);

	c->va = SZ_1G - SZ_4K;
	c->len = NOMEM_TABLES * (u64)SZ_2M;
	c->mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA, c->len);
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_kunit_map(c->pt, 0, SZ_4K, c->mem, 0, 0));
	c->trace = drm_gpupt_kunit_trace(c->pt);
	drm_sgt_kunit_nomem(test);
	/* At least a page and a structure for each table. */
	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, pt_nomem_map, pt_nomem_check, c),
			2 * NOMEM_TABLES);
	drm_gpupt_kunit_commit_all(c->pt);
}

/* prepare_unmap */

static int pt_nomem_unmap(void *arg)
{
	struct pt_nomem *c = arg;

	return drm_gpupt_prepare_unmap(c->pt->pt, &c->op, c->va, c->len);
}

/* A leaf of 1G, tables of smaller ones, and two leaves of 1G; from a page before the second. */
static struct pt_nomem *pt_nomem_start_mapped(struct kunit *test)
{
	struct pt_nomem *c = pt_nomem_start(test, &drm_gpupt_x86_64);

	c->mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA, 4ull * SZ_1G);
	drm_gpupt_kunit_look_at(c->pt, 0, SZ_2M, 4 * 512);
	drm_gpupt_kunit_map_now(c->pt, 0, SZ_1G, c->mem, 0, 0);
	/* In between, memory that is not aligned: tables, and no large leaf. */
	drm_gpupt_kunit_map_now(c->pt, SZ_1G, SZ_1G, c->mem, SZ_2M, 0);
	drm_gpupt_kunit_map_now(c->pt, SZ_2G, SZ_2G, c->mem, SZ_2G, 0);
	c->va = SZ_1G - SZ_4K;
	c->len = 2ull * SZ_1G;
	c->trace = drm_gpupt_kunit_trace(c->pt);
	drm_sgt_kunit_nomem(test);
	return c;
}

/* An unmap that splits a leaf of 1G at each end, and unlinks the table in between. */
static void pt_nomem_unmapping(struct kunit *test)
{
	struct pt_nomem *c = pt_nomem_start_mapped(test);

	/* Four tables, with two allocations each. */
	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, pt_nomem_unmap, pt_nomem_check, c), 8);
	drm_gpupt_kunit_check(c->pt);
	drm_gpupt_kunit_unmap_now(c->pt, 0, 4ull * SZ_1G);
}

/* prepare_replace */

static int pt_nomem_replace(void *arg)
{
	struct pt_nomem *c = arg;

	return drm_gpupt_prepare_replace(c->pt->pt, &c->op, c->va, c->len,
					 drm_gpupt_kunit_view(c->mem), c->va, 0);
}

/* A replace that splits the same leaves, and has one of 1G in between. */
static void pt_nomem_replacing(struct kunit *test)
{
	struct pt_nomem *c = pt_nomem_start_mapped(test);

	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, pt_nomem_replace, pt_nomem_check, c), 8);
	drm_gpupt_kunit_check(c->pt);
	drm_gpupt_kunit_unmap_now(c->pt, 0, 4ull * SZ_1G);
}

/* create */

static int pt_nomem_create(void *arg)
{
	struct pt_nomem *c = arg;
	struct drm_gpupt *pt = drm_gpupt_create(&drm_gpupt_kunit_toy, c->d->sdev, NULL, NULL);

	if (IS_ERR(pt))
		return PTR_ERR(pt);
	drm_gpupt_destroy(pt);
	return 0;
}

static void pt_nomem_check_create(void *arg, int ret)
{
	struct pt_nomem *c = arg;

	if (ret)
		KUNIT_EXPECT_EQ(c->test, ret, -ENOMEM);
	KUNIT_EXPECT_EQ(c->test, drm_sgt_kunit_stats(c->d->sdev).tables, c->trace.stats.tables);
	KUNIT_EXPECT_EQ(c->test, drm_sgt_kunit_stats(c->d->sdev).mapped, c->trace.stats.mapped);
	KUNIT_EXPECT_EQ(c->test, kref_read(&c->d->sdev->refcount), 2 + c->trace.stats.tables + 1);
}

/* A failure to create a page table leaks no memory, and no reference to the device. */
static void pt_nomem_creating(struct kunit *test)
{
	struct pt_nomem *c = pt_nomem_start(test, &drm_gpupt_kunit_toy);

	c->trace = drm_gpupt_kunit_trace(c->pt);
	drm_sgt_kunit_nomem(test);
	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, pt_nomem_create,
						  pt_nomem_check_create, c), 4);
}

static struct kunit_case drm_gpupt_nomem_cases[] = {
	KUNIT_CASE(pt_nomem_creating),
	KUNIT_CASE(pt_nomem_mapping),
	KUNIT_CASE(pt_nomem_unmapping),
	KUNIT_CASE(pt_nomem_replacing),
	{}
};

static struct kunit_suite drm_gpupt_nomem_suite = {
	.name = "drm_gpupt_nomem",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpupt_nomem_cases,
};

kunit_test_suite(drm_gpupt_nomem_suite);
