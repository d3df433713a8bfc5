// SPDX-License-Identifier: GPL-2.0

#include <linux/pgtable.h>

#include "drm_gem_sgt_kunit_helpers.h"
#include "../drm_gem_sgt_huge.h"

/* Objects of huge pages. Kernels without these, such as User Mode Linux, degrade. */

#define HUGE_PAGES	(PMD_SIZE / PAGE_SIZE)

static void huge_restore(void *was)
{
	WRITE_ONCE(drm_gem_sgt_huge_pages, !!was);
}

static void huge_set(struct kunit *test, bool on)
{
	void *was = drm_gem_sgt_huge_pages ? test : NULL;

	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, huge_restore, was));
	WRITE_ONCE(drm_gem_sgt_huge_pages, on);
}

static const struct huge_folios {
	const char *name;
	bool on;
	unsigned long huge, small;
} huge_folios[] = {
	{ "on", true, 2, 0 },
	{ "on, with a tail", true, 1, 3 },
	{ "on, too small", true, 0, HUGE_PAGES - 1 },
	{ "off", false, 0, HUGE_PAGES },
};

KUNIT_ARRAY_PARAM_DESC(huge_folios, huge_folios, name);

/* There are huge pages where they fit, and nowhere else; all bytes are there. */
static void huge_folios_where_they_fit(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	const struct huge_folios *c = test->param_value;
	unsigned long pages = c->huge * HUGE_PAGES + c->small;
	struct drm_gem_sgt_object *bo;
	struct drm_sgt_info info;

	huge_set(test, c->on);
	bo = gem_kunit_bo(f, pages * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(bo));
	drm_sgt_get_info(bo->sgt, &info);
	KUNIT_EXPECT_EQ(test, info.folios,
			has_transparent_hugepage() ? c->huge + c->small : pages);
	KUNIT_EXPECT_EQ(test, info.state, DRM_SGT_MAPPED);
	gem_kunit_each_page(test, bo, 1, true);

	/* The bytes stay in the file. */
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(bo->sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_depopulate(bo->sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(bo->sgt));
	gem_kunit_each_page(test, bo, 1, false);
}

static struct kunit_case drm_gem_sgt_huge_cases[] = {
	KUNIT_CASE_PARAM(huge_folios_where_they_fit, huge_folios_gen_params),
	{}
};

static struct kunit_suite drm_gem_sgt_huge_suite = {
	.name = "drm_gem_sgt_huge",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gem_sgt_huge_cases,
};

kunit_test_suite(drm_gem_sgt_huge_suite);
