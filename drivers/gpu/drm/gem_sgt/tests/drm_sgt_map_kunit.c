// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-mapping.h>

#include "drm_gem_sgt_kunit_helpers.h"
#include "drm_sgt_kunit_exporter.h"

/* The direction and the attributes that a driver chooses for a mapping. */

static const struct drm_sgt_kunit_piece map_pieces[] = { { 0x100, 2 }, { 0x200, 1 } };

#define MAP_BOTH (DMA_ATTR_WEAK_ORDERING | DMA_ATTR_NO_WARN)

/* Create a table in state BACKED. */
static struct drm_sgt *map_table(struct kunit *test, struct drm_sgt_kunit_device *d)
{
	struct drm_sgt_kunit_source *source;
	struct drm_sgt *sgt;

	drm_sgt_kunit_stub_dma(test->priv);
	source = drm_sgt_kunit_source_create(test, map_pieces, ARRAY_SIZE(map_pieces));
	sgt = drm_sgt_kunit_sgt(test, d->sdev, source);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(sgt));
	return sgt;
}

/* Expect a mapping as the stubs of the DMA API see it: nothing is synced implicitly. */
static void map_check(struct kunit *test, const struct drm_sgt *sgt,
		      enum dma_data_direction dir, unsigned long attrs)
{
	KUNIT_EXPECT_EQ(test, sgt->dir, dir);
	KUNIT_EXPECT_EQ(test, sgt->attrs, attrs | DMA_ATTR_SKIP_CPU_SYNC);
}

static const enum dma_data_direction map_dirs[] = {
	DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL,
};

/* Each direction and each attribute is mapped as requested. */
static void map_as_requested(struct kunit *test)
{
	static const unsigned long attrs[] = {
		0, DMA_ATTR_WEAK_ORDERING, DMA_ATTR_NO_WARN, MAP_BOTH,
	};
	struct drm_sgt *sgt = map_table(test, drm_sgt_kunit_bind(test));
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(map_dirs); i++)
		for (k = 0; k < ARRAY_SIZE(attrs); k++) {
			KUNIT_ASSERT_EQ(test, 0, drm_sgt_map_attrs(sgt, map_dirs[i], attrs[k]));
			map_check(test, sgt, map_dirs[i], attrs[k]);
			KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(sgt));
		}

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(sgt, DMA_TO_DEVICE));
	map_check(test, sgt, DMA_TO_DEVICE, 0);
}

/* Attributes that the layer sets, or that change what a mapping is, are refused. */
static void map_refuses_attrs(struct kunit *test)
{
	static const unsigned long attrs[] = {
		DMA_ATTR_SKIP_CPU_SYNC, DMA_ATTR_NO_KERNEL_MAPPING, DMA_ATTR_WRITE_COMBINE,
		DMA_ATTR_FORCE_CONTIGUOUS, DMA_ATTR_PRIVILEGED, BIT(BITS_PER_LONG - 1), ~0UL,
	};
	struct drm_sgt *sgt = map_table(test, drm_sgt_kunit_bind(test));
	struct drm_sgt_kunit *ctx = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(attrs); i++)
		KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_map_attrs(sgt, DMA_TO_DEVICE, attrs[i]));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_map_attrs(sgt, DMA_NONE, 0));
	KUNIT_EXPECT_EQ(test, ctx->maps, 0);
}

/* A map that does nothing, or that fails, leaves direction and attributes as they were. */
static void map_keeps_what_it_had(struct kunit *test)
{
	struct drm_sgt *sgt = map_table(test, drm_sgt_kunit_bind(test));
	struct drm_sgt_kunit *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map_attrs(sgt, DMA_FROM_DEVICE, DMA_ATTR_NO_WARN));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(sgt, DMA_FROM_DEVICE));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_map_attrs(sgt, DMA_TO_DEVICE, MAP_BOTH));
	map_check(test, sgt, DMA_FROM_DEVICE, DMA_ATTR_NO_WARN);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(sgt));
	ctx->map.ret = -ENOMEM;
	KUNIT_EXPECT_EQ(test, -ENOMEM, drm_sgt_map_attrs(sgt, DMA_TO_DEVICE, MAP_BOTH));
	ctx->map.ret = 0;
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map_again(sgt));
	map_check(test, sgt, DMA_FROM_DEVICE, DMA_ATTR_NO_WARN);
}

/* An object is mapped in both directions, unless the driver chooses. */
static void map_of_an_object(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gem_sgt_map_attrs(bo, DMA_NONE, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			drm_gem_sgt_map_attrs(bo, DMA_TO_DEVICE, DMA_ATTR_SKIP_CPU_SYNC));
	for (i = 0; i < ARRAY_SIZE(map_dirs); i++) {
		KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map_attrs(bo, map_dirs[i], MAP_BOTH));
		KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_map_attrs(bo, map_dirs[i], 0));
		map_check(test, bo->sgt, map_dirs[i], MAP_BOTH);
		KUNIT_EXPECT_EQ(test, map_dirs[i] == DMA_BIDIRECTIONAL ? 0 : -EBUSY,
				drm_gem_sgt_map(bo));
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(bo->sgt));
	}

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(bo));
	map_check(test, bo->sgt, DMA_BIDIRECTIONAL, 0);
	drm_sgt_kunit_unbind(f->d);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_gem_sgt_map_attrs(bo, DMA_TO_DEVICE, 0));
}

KUNIT_DEFINE_ACTION_WRAPPER(map_put, drm_gem_object_put, struct drm_gem_object *);

/* The exporter maps in the direction that is requested, and in no other. */
static void map_of_an_import(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_sgt_kunit_exporter *e;
	struct drm_gem_sgt_object *bo;
	struct drm_gem_object *obj;
	unsigned int i;

	e = drm_sgt_kunit_exporter_create(test, EXPORTER_CACHED, 6 * PAGE_SIZE, f->d->dev);
	obj = drm_gem_sgt_prime_import(f->drm, f->d->sdev, e->buf, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, map_put, obj));
	bo = to_drm_gem_sgt_obj(obj);
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_gem_sgt_map_attrs(bo, DMA_BIDIRECTIONAL, 0));
	for (i = 0; i < ARRAY_SIZE(map_dirs); i++) {
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(bo->sgt));
		KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map_attrs(bo, map_dirs[i], MAP_BOTH));
		KUNIT_EXPECT_EQ(test, e->dir, map_dirs[i]);
		KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_map(bo));
	}
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gem_sgt_map_attrs(bo, DMA_TO_DEVICE, ~0UL));
	drm_sgt_kunit_exporter_check(e, 1 + ARRAY_SIZE(map_dirs), ARRAY_SIZE(map_dirs));
}

static struct kunit_case drm_sgt_map_cases[] = {
	KUNIT_CASE(map_as_requested),
	KUNIT_CASE(map_refuses_attrs),
	KUNIT_CASE(map_keeps_what_it_had),
	KUNIT_CASE(map_of_an_object),
	KUNIT_CASE(map_of_an_import),
	{}
};

static struct kunit_suite drm_sgt_map_suite = {
	.name = "drm_sgt_map",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_sgt_map_cases,
};

kunit_test_suite(drm_sgt_map_suite);
