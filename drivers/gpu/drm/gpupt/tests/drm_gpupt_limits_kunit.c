// SPDX-License-Identifier: GPL-2.0

#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "../drm_gpupt_internal.h"
#include "drm_gpupt_kunit_helpers.h"

/*
 * What user space can make long or many is limited, and ends when the task is killed.
 */

/* A page table that no device reads. */
static struct drm_gpupt *limits_create(struct kunit *test, struct drm_sgt_device *sdev,
				       const struct drm_gpupt_config *config)
{
	struct drm_gpupt *pt = drm_gpupt_create(&drm_gpupt_x86_64, sdev, config, NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pt);
	return pt;
}

static int limits_map(struct drm_gpupt *pt, u64 va, const struct drm_gpupt_kunit_mem *mem)
{
	struct drm_gpupt_op op = {};
	int ret;

	ret = drm_gpupt_prepare_map(pt, &op, va, mem->size, drm_gpupt_kunit_view(mem), 0, 0);
	if (ret)
		return ret;

	drm_gpupt_commit_map(&op, drm_gpupt_kunit_view(mem));
	drm_gpupt_op_fini(&op);
	return 0;
}

static int limits_unmap(struct drm_gpupt *pt, u64 va, u64 len)
{
	struct drm_gpupt_op op = {};
	int ret;

	ret = drm_gpupt_prepare_unmap(pt, &op, va, len);
	if (ret)
		return ret;

	drm_gpupt_commit(&op);
	drm_gpupt_op_fini(&op);
	return 0;
}

static int limits_keep_extent(void *arg, const struct drm_gpupt_extent *extent)
{
	*(struct drm_gpupt_extent *)arg = *extent;
	return 0;
}

/* With cpu_only, no table is mapped. A walk works, but fails after unbind. */
static void limits_cpu_only_is_not_mapped(struct kunit *test)
{
	static const struct drm_gpupt_config config = { .cpu_only = true };
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA, SZ_8K);
	struct drm_gpupt *pt = limits_create(test, d->sdev, &config);
	struct drm_gpupt_extent extent = {};

	KUNIT_EXPECT_EQ(test, 0, limits_map(pt, SZ_2M - SZ_4K, mem));
	KUNIT_EXPECT_EQ(test, drm_gpupt_tables(pt), 5);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(d->sdev).tables, 0);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(d->sdev).mapped, 0);
	KUNIT_EXPECT_NULL(test, drm_gpupt_root(pt));
	KUNIT_EXPECT_EQ(test, 0,
			drm_gpupt_walk(pt, SZ_2M - SZ_4K, SZ_8K, limits_keep_extent, &extent));
	KUNIT_EXPECT_EQ(test, extent.seg.addr, DRM_GPUPT_KUNIT_DMA);
	KUNIT_EXPECT_EQ(test, extent.seg.len, SZ_8K);

	extent.seg.addr = 0;
	drm_sgt_kunit_unbind(d);
	KUNIT_EXPECT_EQ(test, -ENODEV,
			drm_gpupt_walk(pt, SZ_2M - SZ_4K, SZ_8K, limits_keep_extent, &extent));
	KUNIT_EXPECT_EQ(test, extent.seg.addr, 0);
	KUNIT_EXPECT_EQ(test, -ENODEV, limits_map(pt, SZ_1G, mem));
	KUNIT_EXPECT_EQ(test, -ENODEV, limits_unmap(pt, SZ_2M - SZ_4K, SZ_4K));
	KUNIT_EXPECT_EQ(test, -ENODEV, PTR_ERR_OR_ZERO(drm_gpupt_create(&drm_gpupt_x86_64, d->sdev,
									&config, NULL)));
	drm_gpupt_destroy(pt);
}

/* A map or unmap beyond the limit of tables is refused, and succeeds once tables are freed. */
static void limits_of_tables(struct kunit *test)
{
	static const struct drm_gpupt_config config = { .cpu_only = true, .max_tables = 6 };
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct drm_gpupt_kunit_mem *page = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA, SZ_4K);
	struct drm_gpupt_kunit_mem *large = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA, SZ_2M);
	struct drm_gpupt *pt = limits_create(test, d->sdev, &config);
	struct drm_gpupt_info was, now;

	KUNIT_EXPECT_EQ(test, drm_gpupt_tables(pt), 1);
	KUNIT_EXPECT_EQ(test, 0, limits_map(pt, 0, page));
	KUNIT_EXPECT_EQ(test, 0, limits_map(pt, SZ_2M, page));
	KUNIT_EXPECT_EQ(test, 0, limits_map(pt, SZ_4M, large));
	KUNIT_EXPECT_EQ(test, drm_gpupt_tables(pt), 5);
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_get_info(pt, &was));

	/* That needs two new tables. */
	KUNIT_EXPECT_EQ(test, -ENOSPC, limits_map(pt, SZ_1G, page));
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_get_info(pt, &now));
	KUNIT_EXPECT_MEMEQ(test, &now, &was, sizeof(was));

	/* This needs one, so that none is left for a split. */
	KUNIT_EXPECT_EQ(test, 0, limits_map(pt, SZ_8M, page));
	KUNIT_EXPECT_EQ(test, drm_gpupt_tables(pt), 6);
	KUNIT_EXPECT_EQ(test, -ENOSPC, limits_unmap(pt, SZ_4M, SZ_4K));
	KUNIT_EXPECT_EQ(test, -ENOSPC, limits_map(pt, SZ_16M, page));
	KUNIT_EXPECT_EQ(test, 0, limits_map(pt, SZ_4K, page));

	KUNIT_EXPECT_EQ(test, 0, limits_unmap(pt, SZ_8M, SZ_4K));
	KUNIT_EXPECT_EQ(test, drm_gpupt_tables(pt), 5);
	KUNIT_EXPECT_EQ(test, 0, limits_unmap(pt, SZ_4M, SZ_4K));
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_get_info(pt, &now));
	KUNIT_EXPECT_EQ(test, now.tables, drm_gpupt_tables(pt));
	drm_gpupt_destroy(pt);
}

/*
 * The tables of an operation share a mapping, and all their pages count until it ends.
 * Without a mapping, each page counts until it is freed.
 */
static void limits_count_memory(struct kunit *test)
{
	static const struct drm_gpupt_config configs[] = {
		{ .max_tables = 7 }, { .max_tables = 7, .cpu_only = true },
	};
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct drm_gpupt_kunit_mem *page = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA, SZ_4K);
	/* Not aligned as the VA, so that no leaf is large. */
	struct drm_gpupt_kunit_mem *mem =
		drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA + SZ_4K, SZ_8M);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(configs); i++) {
		struct drm_gpupt *pt = limits_create(test, d->sdev, &configs[i]);

		KUNIT_EXPECT_EQ(test, 0, limits_map(pt, 0, mem));
		KUNIT_EXPECT_EQ(test, drm_gpupt_tables(pt), 7);
		KUNIT_EXPECT_EQ(test, 0, limits_unmap(pt, SZ_2M, SZ_8M - SZ_2M));
		KUNIT_EXPECT_EQ(test, drm_gpupt_tables(pt), 4);
		KUNIT_EXPECT_EQ(test, configs[i].cpu_only ? 0 : -ENOSPC,
				limits_map(pt, SZ_16M, page));
		if (configs[i].cpu_only)
			KUNIT_EXPECT_EQ(test, 0, limits_unmap(pt, SZ_16M, SZ_4K));
		KUNIT_EXPECT_EQ(test, 0, limits_unmap(pt, 0, SZ_2M));
		KUNIT_EXPECT_EQ(test, 0, limits_map(pt, 0, mem));
		drm_gpupt_destroy(pt);
	}
}

/* Pages of a driver: how many it has, and how many it still gives. */
struct limits_pool {
	unsigned int used;
	unsigned int left;
	gfp_t gfp;
};

static struct page *limits_get_page(void *priv, gfp_t gfp)
{
	struct limits_pool *pool = priv;

	pool->gfp = gfp;
	if (!pool->left)
		return NULL;
	pool->left--;
	pool->used++;
	return alloc_page(gfp);
}

static void limits_put_page(void *priv, struct page *page)
{
	struct limits_pool *pool = priv;

	pool->used--;
	__free_page(page);
}

/*
 * All tables have pages of the driver, which are charged, and come back to it, also if it
 * has no more in the middle of an operation.
 */
static void limits_use_pages_of_the_driver(struct kunit *test)
{
	static const struct drm_gpupt_config configs[] = {
		{ .get_page = limits_get_page, .put_page = limits_put_page },
		{ .get_page = limits_get_page, .put_page = limits_put_page, .cpu_only = true },
	};
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	const u64 page = BIT_ULL(fmt->level[0].shift);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA, page);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(configs); i++) {
		struct limits_pool pool = { .left = fmt->levels };
		struct drm_gpupt *pt = drm_gpupt_create(fmt, d->sdev, &configs[i], &pool);

		/* The addresses of tables in memory are too long for some formats. */
		if (PTR_ERR_OR_ZERO(pt) == -EOVERFLOW)
			continue;
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pt);
		KUNIT_EXPECT_EQ(test, 0, limits_map(pt, 0, mem));
		KUNIT_EXPECT_EQ(test, pool.used, drm_gpupt_tables(pt));
		KUNIT_EXPECT_EQ(test, pool.gfp, GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN);
		KUNIT_EXPECT_EQ(test, 0, limits_unmap(pt, 0, page));
		KUNIT_EXPECT_EQ(test, pool.used, 1);

		pool.left = fmt->levels > 2;
		KUNIT_EXPECT_EQ(test, fmt->levels > 1 ? -ENOMEM : 0, limits_map(pt, 0, mem));
		KUNIT_EXPECT_EQ(test, pool.used, 1);
		drm_gpupt_destroy(pt);
		KUNIT_EXPECT_EQ(test, pool.used, 0);
	}
}

/* The tables are where the device can reach them, unless it does not read them. */
static void limits_allocate_within_reach(struct kunit *test)
{
	static const struct drm_gpupt_config configs[] = {
		{ .get_page = limits_get_page, .put_page = limits_put_page },
		{ .get_page = limits_get_page, .put_page = limits_put_page, .cpu_only = true },
	};
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind_narrow(test, 28);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(configs); i++) {
		struct limits_pool pool = {};
		struct drm_gpupt *pt = drm_gpupt_create(fmt, d->sdev, &configs[i], &pool);

		KUNIT_EXPECT_EQ(test, PTR_ERR(pt), -ENOMEM);
		KUNIT_EXPECT_EQ(test, (__force u32)(pool.gfp & GFP_ZONEMASK),
				configs[i].cpu_only ? 0 : (__force u32)GFP_DMA);
	}
}

/* A driver that allocates pages frees them, too. */
static void limits_refuse_half_an_allocator(struct kunit *test)
{
	static const struct drm_gpupt_config configs[] = {
		{ .get_page = limits_get_page }, { .put_page = limits_put_page },
	};
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(configs); i++)
		KUNIT_EXPECT_EQ(test, -EINVAL,
				PTR_ERR_OR_ZERO(drm_gpupt_create(&drm_gpupt_x86_64, d->sdev,
								 &configs[i], NULL)));
}

/* The engine's own data for a table is a small part of a page, on any level. */
static void limits_of_what_a_table_takes(struct kunit *test)
{
	static const struct drm_gpupt_config config = { .cpu_only = true };
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA, SZ_4K);
	struct drm_gpupt *pt = limits_create(test, d->sdev, &config);
	struct drm_gpupt_table *table = pt->root;
	unsigned int level;

	KUNIT_EXPECT_EQ(test, 0, limits_map(pt, 0, mem));
	for (level = 3; level; level--) {
		KUNIT_EXPECT_LE(test, ksize(table), PAGE_SIZE / 16);
		mutex_lock(&pt->plan_lock);
		table = drm_gpupt_table_planned(pt, table, 0);
		mutex_unlock(&pt->plan_lock);
		KUNIT_ASSERT_NOT_NULL(test, table);
	}
	KUNIT_EXPECT_LE(test, ksize(table), PAGE_SIZE / 16);
	drm_gpupt_destroy(pt);
}

#define LIMITS_PAGES	8192

/* Pages that are not contiguous: each is an extent. */
static struct drm_gpupt_kunit_mem *limits_scattered(struct kunit *test)
{
	struct drm_dma_seg *seg = kvcalloc(LIMITS_PAGES, sizeof(*seg), GFP_KERNEL);
	struct drm_gpupt_kunit_mem *mem;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, seg);
	for (i = 0; i < LIMITS_PAGES; i++)
		seg[i] = (struct drm_dma_seg) { DRM_GPUPT_KUNIT_DMA + i * (u64)SZ_8K, SZ_4K };
	mem = drm_gpupt_kunit_mem(test, seg, LIMITS_PAGES);
	kvfree(seg);
	return mem;
}

static int limits_count_and_die(void *arg, const struct drm_gpupt_extent *extent)
{
	if (!(*(unsigned int *)arg)++)
		send_sig(SIGKILL, current, 1);
	return 0;
}

/* A kill ends the walk of a long range early. */
static void limits_of_a_walk(struct kunit *test)
{
	static const struct drm_gpupt_config config = { .cpu_only = true };
	const u64 len = (u64)LIMITS_PAGES * SZ_4K;
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct drm_gpupt_kunit_mem *mem = limits_scattered(test);
	struct drm_gpupt *pt = limits_create(test, d->sdev, &config);
	int walk, again, leaves, info;
	u64 nr[DRM_GPUPT_MAX_LEVELS];
	struct drm_gpupt_info all;
	unsigned int runs = 0;

	KUNIT_ASSERT_EQ(test, 0, limits_map(pt, 0, mem));

	allow_signal(SIGKILL);
	walk = drm_gpupt_walk(pt, 0, len, limits_count_and_die, &runs);
	leaves = drm_gpupt_count_leaves(pt, 0, len, nr);
	info = drm_gpupt_get_info(pt, &all);
	flush_signals(current);
	disallow_signal(SIGKILL);

	KUNIT_EXPECT_EQ(test, walk, -EINTR);
	KUNIT_EXPECT_GT(test, runs, 0);
	KUNIT_EXPECT_LE(test, runs, LIMITS_PAGES / 2);
	KUNIT_EXPECT_EQ(test, leaves, -EINTR);
	KUNIT_EXPECT_EQ(test, info, -EINTR);

	/* A walk that drops the lock in between still finds everything. */
	runs = 1;
	again = drm_gpupt_walk(pt, 0, len, limits_count_and_die, &runs);
	KUNIT_EXPECT_EQ(test, again, 0);
	KUNIT_EXPECT_EQ(test, runs, LIMITS_PAGES + 1);
	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_count_leaves(pt, 0, len, nr));
	KUNIT_EXPECT_EQ(test, nr[0], LIMITS_PAGES);
	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_get_info(pt, &all));
	KUNIT_EXPECT_EQ(test, all.mapped, len);
	drm_gpupt_destroy(pt);
}

static int limits_prepare_killed(struct drm_gpupt *pt, struct drm_gpupt_op *op,
				 const struct drm_gpupt_kunit_mem *mem, u64 va, u64 len)
{
	int ret;

	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	if (mem)
		ret = drm_gpupt_prepare_map(pt, op, va, len, drm_gpupt_kunit_view(mem), 0, 0);
	else
		ret = drm_gpupt_prepare_unmap(pt, op, va, len);
	flush_signals(current);
	disallow_signal(SIGKILL);
	return ret;
}

/* A kill ends the prepare of a long range, on any level, which then changes nothing. */
static void limits_of_a_plan(struct kunit *test)
{
	static const u64 steps[] = { SZ_2M, SZ_1G };
	struct drm_gpupt_kunit *ctx = drm_gpupt_kunit_create(test, &drm_gpupt_x86_64);
	struct drm_gpupt_kunit_mem *mem = limits_scattered(test);
	struct drm_gpupt_kunit_trace trace;
	struct drm_gpupt_op op = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		u64 va = steps[i] - SZ_1M, len = 2 * SZ_1M;

		trace = drm_gpupt_kunit_trace(ctx);
		KUNIT_EXPECT_EQ(test, -EINTR, limits_prepare_killed(ctx->pt, &op, mem, va, len));
		KUNIT_EXPECT_EQ(test, op.state, DRM_GPUPT_OP_IDLE);
		drm_gpupt_kunit_check_trace(ctx, &trace);

		KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_map(ctx->pt, &op, va, len,
							       drm_gpupt_kunit_view(mem), 0, 0));
		drm_gpupt_commit_map(&op, drm_gpupt_kunit_view(mem));
		drm_gpupt_op_fini(&op);

		trace = drm_gpupt_kunit_trace(ctx);
		KUNIT_EXPECT_EQ(test, -EINTR, limits_prepare_killed(ctx->pt, &op, NULL, va, len));
		KUNIT_EXPECT_EQ(test, op.state, DRM_GPUPT_OP_IDLE);
		drm_gpupt_kunit_check_trace(ctx, &trace);
	}
}

static struct kunit_case drm_gpupt_limits_cases[] = {
	KUNIT_CASE(limits_cpu_only_is_not_mapped),
	KUNIT_CASE(limits_of_tables),
	KUNIT_CASE(limits_count_memory),
	KUNIT_CASE_PARAM(limits_use_pages_of_the_driver, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(limits_allocate_within_reach, drm_gpupt_kunit_formats),
	KUNIT_CASE(limits_refuse_half_an_allocator),
	KUNIT_CASE(limits_of_what_a_table_takes),
	KUNIT_CASE(limits_of_a_walk),
	KUNIT_CASE(limits_of_a_plan),
	{}
};

static struct kunit_suite drm_gpupt_limits_suite = {
	.name = "drm_gpupt_limits",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpupt_limits_cases,
};

kunit_test_suite(drm_gpupt_limits_suite);
