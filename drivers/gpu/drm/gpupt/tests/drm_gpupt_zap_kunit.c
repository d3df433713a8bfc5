// SPDX-License-Identifier: GPL-2.0

#include <linux/sched/mm.h>

#include "drm_gpupt_kunit_helpers.h"

/* A range that is mapped with leaves as large as the format has, where it has large ones. */
struct zap {
	struct drm_gpupt_kunit *pt;
	struct drm_gpupt_kunit_mem *mem;
	u64 page;
	u64 va;
	u64 len;
};

static struct zap zap_create(struct kunit *test)
{
	const struct drm_gpupt_fmt *fmt = drm_gpupt_kunit_format(test);
	const u64 table = BIT_ULL(drm_gpupt_kunit_table_shift(fmt, 0));
	struct zap z = {
		.pt = drm_gpupt_kunit_create(test, fmt),
		.page = drm_gpupt_kunit_page(fmt),
	};

	/* A page, all of a table, a page */
	z.va = table - z.page;
	z.len = table + 2 * z.page;
	z.mem = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA + z.va, z.len);
	drm_gpupt_kunit_look_at(z.pt, 0, z.page, (z.va + z.len + z.page) / z.page);
	drm_gpupt_kunit_map_now(z.pt, z.va, z.len, z.mem, 0, 0);
	drm_gpupt_kunit_check(z.pt);
	return z;
}

static int zap_ignore_extent(void *arg, const struct drm_gpupt_extent *extent)
{
	return 0;
}

static bool zap_is_mapped(const struct zap *z, u64 va, u64 len)
{
	int ret = drm_gpupt_walk(z->pt->pt, va, len, zap_ignore_extent, NULL);

	KUNIT_EXPECT_TRUE(z->pt->test, !ret || ret == -EFAULT);
	return !ret;
}

/* Unmap and map again: all is as in the plan, with no table more or less. */
static void zap_repair(const struct zap *z)
{
	drm_gpupt_kunit_unmap_now(z->pt, z->va, z->len);
	drm_gpupt_kunit_check(z->pt);
	KUNIT_EXPECT_EQ(z->pt->test, drm_gpupt_kunit_info(z->pt).tables, z->pt->empty);
	drm_gpupt_kunit_map_now(z->pt, z->va, z->len, z->mem, 0, 0);
	drm_gpupt_kunit_check(z->pt);
}

/* The leaf of each page of the range can go, with all of its bytes and no others. */
static void zap_clears_whole_leaves(struct kunit *test)
{
	struct zap z = zap_create(test);
	const u64 end = z.va + z.len;
	u64 at;

	for (at = z.va; at < end; at += max(z.page, z.len / 8 / z.page * z.page)) {
		unsigned int calls = z.pt->flush.calls;
		u64 first, last;

		drm_gpupt_zap(z.pt->pt, at, z.page);
		KUNIT_ASSERT_EQ(test, z.pt->flush.calls, calls + 1);
		KUNIT_EXPECT_FALSE(test, z.pt->flush.tables);
		first = z.pt->flush.va;
		last = first + z.pt->flush.len;
		KUNIT_EXPECT_LE(test, first, at);
		KUNIT_EXPECT_GE(test, last, at + z.page);
		KUNIT_EXPECT_FALSE(test, zap_is_mapped(&z, at, z.page));
		if (first > z.va)
			KUNIT_EXPECT_TRUE(test, zap_is_mapped(&z, z.va, first - z.va));
		if (last < end)
			KUNIT_EXPECT_TRUE(test, zap_is_mapped(&z, last, end - last));
		zap_repair(&z);
	}
}

/* A zap of everything leaves no leaf, all tables, and the plan. Another finds nothing. */
static void zap_clears_all(struct kunit *test)
{
	struct zap z = zap_create(test);
	struct drm_gpupt_info was = drm_gpupt_kunit_info(z.pt), now;
	struct drm_gpupt_kunit_shape shape;
	unsigned int level;

	drm_gpupt_zap(z.pt->pt, 0, U64_MAX);
	KUNIT_EXPECT_EQ(test, z.pt->flush.calls, 1);
	KUNIT_EXPECT_EQ(test, z.pt->flush.va, z.va);
	KUNIT_EXPECT_EQ(test, z.pt->flush.len, z.len);
	now = drm_gpupt_kunit_info(z.pt);
	KUNIT_EXPECT_EQ(test, now.mapped, 0);
	KUNIT_EXPECT_EQ(test, now.tables, was.tables);
	shape = drm_gpupt_kunit_read(z.pt);
	KUNIT_EXPECT_EQ(test, shape.wild, 0);
	for (level = 0; level < DRM_GPUPT_MAX_LEVELS; level++)
		KUNIT_EXPECT_EQ(test, shape.leaves[level], 0);
	KUNIT_EXPECT_EQ(test, -EEXIST, drm_gpupt_kunit_map(z.pt, z.va, z.page, z.mem, 0, 0));

	drm_gpupt_zap(z.pt->pt, 0, U64_MAX);
	drm_gpupt_zap(z.pt->pt, U64_MAX, 1);
	drm_gpupt_zap(z.pt->pt, z.va, 0);
	KUNIT_EXPECT_EQ(test, z.pt->flush.calls, 1);
	zap_repair(&z);
}

/* A large leaf that was cleared is split into nothing. */
static void zap_then_cut(struct kunit *test)
{
	struct zap z = zap_create(test);

	drm_gpupt_zap(z.pt->pt, z.va, z.len);
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_kunit_unmap(z.pt, z.va + 2 * z.page, z.page));
	drm_gpupt_kunit_commit(z.pt);
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_info(z.pt).mapped, 0);
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_read(z.pt).wild, 0);
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_kunit_map(z.pt, z.va + 2 * z.page, z.page, z.mem,
						     2 * z.page, 0));
	drm_gpupt_kunit_commit(z.pt);
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_info(z.pt).mapped, z.page);
	zap_repair(&z);
}

/* lockdep would report an allocation, or a lock under which memory is allocated. */
static void zap_in_reclaim(struct kunit *test)
{
	struct zap z = zap_create(test);

	fs_reclaim_acquire(GFP_KERNEL);
	drm_gpupt_zap(z.pt->pt, z.va, z.len);
	fs_reclaim_release(GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, z.pt->flush.calls, 1);
}

static struct kunit_case drm_gpupt_zap_cases[] = {
	KUNIT_CASE_PARAM(zap_clears_whole_leaves, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(zap_clears_all, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(zap_then_cut, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(zap_in_reclaim, drm_gpupt_kunit_formats),
	{}
};

static struct kunit_suite drm_gpupt_zap_suite = {
	.name = "drm_gpupt_zap",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpupt_zap_cases,
};

kunit_test_suite(drm_gpupt_zap_suite);
