// SPDX-License-Identifier: GPL-2.0

#include "drm_gpupt_kunit_helpers.h"

struct replace {
	struct drm_gpupt_kunit *pt;
	/* aligned as the VA is, so that leaves are large; and not aligned */
	struct drm_gpupt_kunit_mem *large;
	struct drm_gpupt_kunit_mem *small;
	u64 page;
	u64 va;
	u64 len;
};

static struct replace replace_create(struct kunit *test, const struct drm_gpupt_fmt *fmt)
{
	const u64 table = BIT_ULL(drm_gpupt_kunit_table_shift(fmt, 0));
	struct replace r = {
		.pt = drm_gpupt_kunit_create(test, fmt),
		.page = drm_gpupt_kunit_page(fmt),
	};

	/* A page, all of a table, a page */
	r.va = table - r.page;
	r.len = table + 2 * r.page;
	r.large = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA + r.va, r.len);
	r.small = drm_gpupt_kunit_block(test, DRM_GPUPT_KUNIT_DMA + r.va + r.page, r.len);
	drm_gpupt_kunit_look_at(r.pt, 0, r.page, (r.va + r.len + r.page) / r.page);
	return r;
}

/* Replace a part of the range by the memory at the same offset. */
static void replace_part(const struct replace *r, u64 offset, u64 len,
			 const struct drm_gpupt_kunit_mem *mem)
{
	KUNIT_ASSERT_EQ(r->pt->test, 0,
			drm_gpupt_kunit_replace(r->pt, r->va + offset, len, mem, offset, 0));
	drm_gpupt_kunit_commit_all(r->pt);
	drm_gpupt_kunit_check(r->pt);
}

/* What is there can be empty, smaller, larger or as large, in all of the range or a part. */
static void replace_any_size(struct kunit *test)
{
	struct replace r = replace_create(test, drm_gpupt_kunit_format(test));
	u64 at;

	replace_part(&r, 0, r.len, r.small);
	replace_part(&r, 0, r.len, r.large);
	replace_part(&r, 0, r.len, r.large);
	replace_part(&r, 0, r.len, r.small);
	replace_part(&r, 0, r.len, r.small);
	replace_part(&r, 0, r.len, r.large);
	for (at = 0; at < r.len; at += max(r.page, r.len / 8 / r.page * r.page))
		replace_part(&r, at, r.page, r.small);
	drm_gpupt_kunit_unmap_now(r.pt, r.va + r.page, r.page);
	drm_gpupt_kunit_unmap_now(r.pt, r.va + r.len - r.page, r.page);
	replace_part(&r, 0, r.len, r.large);
	drm_gpupt_kunit_unmap_now(r.pt, r.va, r.len);
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_info(r.pt).tables, r.pt->empty);
}

/* An abort brings back what would have been replaced, and the tables. */
static void replace_then_abort(struct kunit *test)
{
	struct replace r = replace_create(test, drm_gpupt_kunit_format(test));
	const struct drm_gpupt_kunit_mem *mems[] = { r.large, r.small };
	unsigned int i, k;

	for (i = 0; i < 2; i++) {
		struct drm_gpupt_kunit_trace was;

		replace_part(&r, 0, r.len, mems[i]);
		was = drm_gpupt_kunit_trace(r.pt);
		for (k = 0; k < 2; k++) {
			KUNIT_ASSERT_EQ(test, 0,
					drm_gpupt_kunit_replace(r.pt, r.va, r.len, mems[k], 0, 0));
			drm_gpupt_kunit_abort(r.pt);
			KUNIT_ASSERT_EQ(test, 0,
					drm_gpupt_kunit_replace(r.pt, r.va + r.page, r.page,
								mems[k], r.page, 0));
			drm_gpupt_kunit_abort(r.pt);
			drm_gpupt_kunit_check_trace(r.pt, &was);
		}
		drm_gpupt_kunit_check(r.pt);
	}
}

static unsigned int replace_clears;

/* A format of the tests, with the functions of another; one at a time. */
static struct drm_gpupt_fmt replace_fmt;
static const struct drm_gpupt_fmt *replace_real_fmt;

static void replace_count_clear(void *entry, unsigned int count)
{
	replace_clears++;
	replace_real_fmt->clear(entry, count);
}

/* No entry is ever empty on the way, not even between two sizes of leaves. */
static void replace_has_no_moment_of_nothing(struct kunit *test)
{
	struct replace r;

	replace_real_fmt = drm_gpupt_kunit_format(test);
	replace_fmt = *replace_real_fmt;
	replace_fmt.clear = replace_count_clear;
	r = replace_create(test, &replace_fmt);
	replace_part(&r, 0, r.len, r.large);
	replace_clears = 0;
	replace_part(&r, r.page, 2 * r.page, r.small);
	replace_part(&r, 0, r.len, r.small);
	replace_part(&r, 0, r.len, r.large);
	KUNIT_EXPECT_EQ(test, replace_clears, 0);
	KUNIT_EXPECT_EQ(test, r.pt->flush.calls, 3);
	drm_gpupt_kunit_unmap_now(r.pt, r.va, r.len);
	KUNIT_EXPECT_GT(test, replace_clears, 0);
}

/* After an unbind the new memory has no address, and the old one must not stay. */
static void replace_by_memory_that_is_gone(struct kunit *test)
{
	struct replace r = replace_create(test, drm_gpupt_kunit_format(test));

	replace_part(&r, 0, r.len, r.large);
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_kunit_replace(r.pt, r.va, r.len, r.small, 0, 0));
	drm_gpupt_commit(drm_gpupt_kunit_op(r.pt, 0));
	drm_gpupt_op_fini(drm_gpupt_kunit_op(r.pt, 0));
	r.pt->in_flight = 0;
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_info(r.pt).mapped, 0);
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_read(r.pt).wild, 0);
}

static struct kunit_case drm_gpupt_replace_cases[] = {
	KUNIT_CASE_PARAM(replace_any_size, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(replace_then_abort, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(replace_has_no_moment_of_nothing, drm_gpupt_kunit_formats),
	KUNIT_CASE_PARAM(replace_by_memory_that_is_gone, drm_gpupt_kunit_formats),
	{}
};

static struct kunit_suite drm_gpupt_replace_suite = {
	.name = "drm_gpupt_replace",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpupt_replace_cases,
};

kunit_test_suite(drm_gpupt_replace_suite);
