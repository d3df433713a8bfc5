// SPDX-License-Identifier: GPL-2.0

#include <linux/sizes.h>

#include <drm/drm_gpupt_fmt.h>
#include <drm/drm_gpupt_space.h>
#include <drm/drm_print.h>

#include "../../gem_sgt/tests/drm_gem_sgt_kunit_helpers.h"

#define SPACE_VA	SZ_1G
#define SPACE_PAGES	16

struct space_kunit {
	struct kunit *test;
	struct gem_kunit *f;
	struct drm_gpupt_space space;
	struct drm_gem_sgt_object *bo;
	unsigned int flushes;
};

static void space_flush(void *priv, const struct drm_gpupt_flush *flush)
{
	struct space_kunit *c = priv;

	c->flushes++;
}

static const struct drm_gpupt_config space_config = {
	.flush = space_flush,
	.max_tables = 64,
};

KUNIT_DEFINE_ACTION_WRAPPER(space_fini, drm_gpupt_space_fini, struct drm_gpupt_space *);

static struct space_kunit *space_create_fmt(struct kunit *test, const struct drm_gpupt_fmt *fmt)
{
	struct space_kunit *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->test = test;
	c->f = gem_kunit_create(test, &gem_kunit_driver_with_objects);
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_space_init(&c->space, fmt, c->f->d->sdev,
						      &space_config, c));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, space_fini, &c->space));
	c->bo = gem_kunit_bo(c->f, SPACE_PAGES * PAGE_SIZE);
	return c;
}

static struct space_kunit *space_create(struct kunit *test)
{
	return space_create_fmt(test, &drm_gpupt_vtd2);
}

static struct drm_gpupt_info space_info(struct space_kunit *c)
{
	struct drm_gpupt_info info;

	KUNIT_EXPECT_EQ(c->test, 0, drm_gpupt_get_info(c->space.pt, &info));
	KUNIT_EXPECT_EQ(c->test, info.in_flight, 0);
	return info;
}

static u64 space_va(unsigned int page)
{
	return SPACE_VA + page * PAGE_SIZE;
}

/* Map pages of the buffer at their own offset. */
static int space_map(struct space_kunit *c, unsigned int page, unsigned int count)
{
	return drm_gpupt_space_map(&c->space, c->bo, space_va(page), count * PAGE_SIZE,
				   page * PAGE_SIZE, DRM_GPUPT_WRITE, false);
}

static int space_unmap(struct space_kunit *c, unsigned int page, unsigned int count)
{
	return drm_gpupt_space_unmap(&c->space, space_va(page), count * PAGE_SIZE);
}

/* What is mapped, and whether the buffer of the test exists, which has no other reference */
static void space_expect(struct space_kunit *c, unsigned int pages, unsigned int objects)
{
	KUNIT_EXPECT_EQ(c->test, space_info(c).mapped, pages * PAGE_SIZE);
	KUNIT_EXPECT_EQ(c->test, c->f->objects, objects);
}

/* A buffer lives until its last range is unmapped, in whatever pieces. */
static void space_holds_buffers(struct kunit *test)
{
	struct space_kunit *c = space_create(test);

	KUNIT_ASSERT_EQ(test, 0, space_map(c, 0, 8));
	KUNIT_ASSERT_EQ(test, 0, space_map(c, 8, 8));
	gem_kunit_bo_free(c->f, c->bo);
	space_expect(c, 16, 1);
	/* A hole, the boundary of the two maps, what is left of the first, of the second */
	KUNIT_EXPECT_EQ(test, 0, space_unmap(c, 3, 1));
	KUNIT_EXPECT_EQ(test, 0, space_unmap(c, 7, 2));
	space_expect(c, 13, 1);
	KUNIT_EXPECT_EQ(test, 0, space_unmap(c, 0, 3));
	KUNIT_EXPECT_EQ(test, 0, space_unmap(c, 4, 3));
	space_expect(c, 7, 1);
	KUNIT_EXPECT_EQ(test, c->flushes, 4);
	KUNIT_EXPECT_EQ(test, 0, space_unmap(c, 9, 7));
	space_expect(c, 0, 0);
}

/* A replace drops what was in its range, and only that. */
static void space_replace_drops(struct kunit *test)
{
	struct space_kunit *c = space_create(test);
	struct drm_gem_sgt_object *other = gem_kunit_bo(c->f, 4 * PAGE_SIZE);

	KUNIT_ASSERT_EQ(test, 0, space_map(c, 0, 4));
	gem_kunit_bo_free(c->f, c->bo);
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_space_map(&c->space, other, space_va(2),
						     4 * PAGE_SIZE, 0, 0, true));
	space_expect(c, 6, 2);
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_space_map(&c->space, other, space_va(0),
						     2 * PAGE_SIZE, 0, 0, true));
	space_expect(c, 6, 1);
	gem_kunit_bo_free(c->f, other);
	space_expect(c, 6, 1);
	KUNIT_EXPECT_EQ(test, 0, space_unmap(c, 0, 6));
	space_expect(c, 0, 0);
}

/* The end of a space drops each buffer once. */
static void space_fini_drops(struct kunit *test)
{
	struct space_kunit *c = space_create(test);

	KUNIT_ASSERT_EQ(test, 0, space_map(c, 0, 8));
	KUNIT_ASSERT_EQ(test, 0, space_map(c, 8, 8));
	KUNIT_ASSERT_EQ(test, 0, space_unmap(c, 3, 1));
	gem_kunit_bo_free(c->f, c->bo);
	KUNIT_EXPECT_EQ(test, c->f->objects, 1);
	kunit_release_action(test, space_fini, &c->space);
	KUNIT_EXPECT_EQ(test, c->f->objects, 0);
}

/* A range that ends inside a leaf has all of it, for a map and for an unmap. */
static void space_partial_last_leaf(struct kunit *test)
{
	struct space_kunit *c = space_create_fmt(test, &drm_gpupt_radix3);

	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_space_map(&c->space, c->bo, space_va(0),
						     4 * PAGE_SIZE - 100, 0, 0, false));
	gem_kunit_bo_free(c->f, c->bo);
	space_expect(c, 4, 1);
	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_space_unmap(&c->space, space_va(1), 1));
	KUNIT_EXPECT_EQ(test, 0, space_unmap(c, 2, 2));
	space_expect(c, 1, 1);
	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_space_unmap(&c->space, space_va(0), 100));
	space_expect(c, 0, 0);
}

/* A refused call changes nothing, and holds nothing. */
static void space_refuses(struct kunit *test)
{
	struct space_kunit *c = space_create(test);

	KUNIT_ASSERT_EQ(test, 0, space_map(c, 4, 4));
	KUNIT_EXPECT_EQ(test, -EEXIST, space_map(c, 7, 2));
	KUNIT_EXPECT_EQ(test, -ERANGE, space_map(c, SPACE_PAGES - 1, 2));
	KUNIT_EXPECT_EQ(test, -EINVAL, space_map(c, 12, 0));
	KUNIT_EXPECT_EQ(test, -ENOENT, space_unmap(c, 3, 2));
	KUNIT_EXPECT_EQ(test, -ENOENT, space_unmap(c, 7, 2));
	gem_kunit_bo_free(c->f, c->bo);
	space_expect(c, 4, 1);
	KUNIT_EXPECT_EQ(test, 0, space_unmap(c, 4, 4));
	space_expect(c, 0, 0);
}

/* After an unbind maps are refused, and what is mapped can go. */
static void space_after_unbind(struct kunit *test)
{
	struct space_kunit *c = space_create(test);

	KUNIT_ASSERT_EQ(test, 0, space_map(c, 0, 4));
	drm_sgt_kunit_unbind(c->f->d);
	KUNIT_EXPECT_EQ(test, -ENODEV, space_map(c, 4, 4));
	gem_kunit_bo_free(c->f, c->bo);
	KUNIT_EXPECT_EQ(test, c->f->objects, 1);
	kunit_release_action(test, space_fini, &c->space);
	KUNIT_EXPECT_EQ(test, c->f->objects, 0);
}

static int space_try_map(void *arg)
{
	return space_map(arg, 4, 4);
}

/* A failure changes nothing, and holds nothing. */
static void space_check_map(void *arg, int ret)
{
	struct space_kunit *c = arg;

	if (ret) {
		KUNIT_EXPECT_EQ(c->test, ret, -ENOMEM);
		space_expect(c, 0, 1);
	} else {
		space_expect(c, 4, 1);
		KUNIT_EXPECT_EQ(c->test, 0, space_unmap(c, 4, 4));
	}
}

static void space_nomem(struct kunit *test)
{
	struct space_kunit *c = space_create(test);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c->bo));
	drm_sgt_kunit_nomem(test);
	/* What is noted of the buffer, tables, a node of the tree */
	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, space_try_map, space_check_map, c), 4);
	gem_kunit_bo_free(c->f, c->bo);
	space_expect(c, 0, 0);
}

/* The leaves of each size that the format has, and the tables. */
static void space_shows_fdinfo(struct kunit *test)
{
	struct space_kunit *c = space_create(test);
	struct drm_print_iterator iter = { .remain = SZ_1K };
	struct drm_printer p;

	iter.data = kunit_kzalloc(test, iter.remain, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, iter.data);
	KUNIT_ASSERT_EQ(test, 0, space_map(c, 2, 3));
	p = drm_coredump_printer(&iter);
	drm_gpupt_show_fdinfo(c->space.pt, &p, "test");
	KUNIT_EXPECT_STREQ(test, iter.data,
			   "test-tables:\t4\ntest-leaves-4k:\t3\ntest-leaves-2m:\t0\n"
			   "test-leaves-1g:\t0\n");
}

static struct kunit_case drm_gpupt_space_cases[] = {
	KUNIT_CASE(space_holds_buffers),
	KUNIT_CASE(space_replace_drops),
	KUNIT_CASE(space_fini_drops),
	KUNIT_CASE(space_partial_last_leaf),
	KUNIT_CASE(space_refuses),
	KUNIT_CASE(space_after_unbind),
	KUNIT_CASE(space_nomem),
	KUNIT_CASE(space_shows_fdinfo),
	{}
};

static struct kunit_suite drm_gpupt_space_suite = {
	.name = "drm_gpupt_space",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpupt_space_cases,
};

kunit_test_suite(drm_gpupt_space_suite);
