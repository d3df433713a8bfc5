// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>

#include "drm_gem_sgt_kunit_helpers.h"
#include "drm_sgt_kunit_exporter.h"

/*
 * The syncs of an exported object for the devices of its importers: when a table is
 * mapped and unmapped, and when a CPU access begins and ends.
 */

#define EXPORT_IMPORTERS	2

struct gem_export {
	struct kunit *test;
	struct drm_sgt_kunit *ctx;
	struct gem_kunit *f;
	struct drm_gem_sgt_object *bo;
	struct dma_buf *buf;
	struct device *dev[EXPORT_IMPORTERS];
	struct dma_buf_attachment *attach[EXPORT_IMPORTERS];
	struct sg_table *table[EXPORT_IMPORTERS];
	enum dma_data_direction dir[EXPORT_IMPORTERS];
};

/* The unmap is here, or in the detach if the dma-buf core caches the mapping. */
static void gem_export_detach(struct gem_export *x, unsigned int i)
{
	if (x->table[i])
		dma_buf_unmap_attachment_unlocked(x->attach[i], x->table[i], x->dir[i]);
	dma_buf_detach(x->buf, x->attach[i]);
	x->table[i] = NULL;
	x->attach[i] = NULL;
}

static void gem_export_end(void *data)
{
	struct gem_export *x = data;
	unsigned int i;

	for (i = 0; i < EXPORT_IMPORTERS; i++)
		if (x->attach[i])
			gem_export_detach(x, i);
	dma_buf_put(x->buf);
	flush_delayed_fput();
}

/* Create an exported object, and devices that are attached to it. */
static struct gem_export *gem_export_create(struct kunit *test)
{
	static const char * const name[] = { "importer-a", "importer-b" };
	struct gem_export *x = kunit_kzalloc(test, sizeof(*x), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, x);
	x->test = test;
	x->ctx = test->priv;
	x->f = gem_kunit_create(test, &gem_kunit_driver);
	x->bo = gem_kunit_bo(x->f, GEM_KUNIT_SIZE);
	for (i = 0; i < EXPORT_IMPORTERS; i++)
		x->dev[i] = drm_sgt_kunit_dma_device(test, name[i], UINT_MAX, ULONG_MAX);
	if (!dma_dev_need_sync(x->dev[0]))
		kunit_skip(test, "nothing to sync here without CONFIG_DMA_API_DEBUG");

	drm_sgt_kunit_stub_sync(x->ctx);
	x->buf = drm_gem_sgt_prime_export(&x->bo->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, x->buf);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, gem_export_end, x));
	for (i = 0; i < EXPORT_IMPORTERS; i++) {
		struct dma_buf_attachment *attach = dma_buf_attach(x->buf, x->dev[i]);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
		x->attach[i] = attach;
	}
	return x;
}

static void gem_export_map(struct gem_export *x, unsigned int i, enum dma_data_direction dir)
{
	struct sg_table *table = dma_buf_map_attachment_unlocked(x->attach[i], dir);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(x->test, table);
	x->table[i] = table;
	x->dir[i] = dir;
}

/* Expect that the calls from number @n on sync a whole table; returns their number. */
static unsigned int gem_export_check_table(struct gem_export *x, unsigned int n,
					   unsigned int importer,
					   enum dma_data_direction dir, bool for_cpu)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(x->table[importer], sg, i) {
		const struct drm_sgt_kunit_sync *sync = &x->ctx->sync[n + i];

		KUNIT_ASSERT_LT(x->test, n + i, x->ctx->nr_syncs);
		KUNIT_EXPECT_PTR_EQ(x->test, sync->dev, x->dev[importer]);
		KUNIT_EXPECT_EQ(x->test, sync->addr, sg_dma_address(sg));
		KUNIT_EXPECT_EQ(x->test, sync->len, sg_dma_len(sg));
		KUNIT_EXPECT_EQ(x->test, sync->dir, dir);
		KUNIT_EXPECT_EQ(x->test, sync->for_cpu, for_cpu);
	}
	return i;
}

static void gem_export_expect_no_syncs(struct gem_export *x)
{
	KUNIT_EXPECT_EQ(x->test, x->ctx->nr_syncs, 0);
	x->ctx->nr_syncs = 0;
}

static const enum dma_data_direction gem_dirs[] = {
	DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE,
};

static void gem_dir_desc(const enum dma_data_direction *dir, char *desc)
{
	static const char * const name[] = { "both ways", "to device", "from device" };

	strscpy(desc, name[*dir], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(gem_dir, gem_dirs, gem_dir_desc);

static enum dma_data_direction gem_dir(struct kunit *test)
{
	return *(const enum dma_data_direction *)test->param_value;
}

/*
 * A map in any direction syncs the pages for the device. It must see what the CPU wrote:
 * at least the zeroes that replaced older data.
 */
static void gem_export_is_synced_when_mapped(struct kunit *test)
{
	struct gem_export *x = gem_export_create(test);
	unsigned int n;

	gem_export_expect_no_syncs(x);
	gem_export_map(x, 0, gem_dir(test));
	n = gem_export_check_table(x, 0, 0, gem_dir(test), false);
	KUNIT_EXPECT_EQ(test, x->ctx->nr_syncs, n);
}

/* A mapping for writing is synced for the CPU before it ends. */
static void gem_export_is_unmapped(struct kunit *test)
{
	struct gem_export *x = gem_export_create(test);
	unsigned int i;

	gem_export_map(x, 0, gem_dir(test));
	x->ctx->nr_syncs = 0;
	gem_export_detach(x, 0);
	for (i = 0; i < x->ctx->nr_syncs; i++) {
		KUNIT_EXPECT_TRUE(test, x->ctx->sync[i].for_cpu);
		KUNIT_EXPECT_EQ(test, x->ctx->sync[i].dir, DMA_FROM_DEVICE);
	}
	KUNIT_EXPECT_EQ(test, x->ctx->nr_syncs > 0, gem_dir(test) == DMA_FROM_DEVICE);
}

/* So is a mapping for both directions, if a fence shows that the device has written. */
static void gem_export_that_was_written_is_unmapped(struct kunit *test)
{
	struct gem_export *x = gem_export_create(test);

	gem_export_map(x, 0, DMA_BIDIRECTIONAL);
	drm_sgt_kunit_fence_add(test, x->buf->resv, DMA_RESV_USAGE_WRITE);
	x->ctx->nr_syncs = 0;
	gem_export_detach(x, 0);
	KUNIT_ASSERT_GT(test, x->ctx->nr_syncs, 0);
	KUNIT_EXPECT_TRUE(test, x->ctx->sync[0].for_cpu);
	KUNIT_EXPECT_EQ(test, x->ctx->sync[0].dir, DMA_BIDIRECTIONAL);
}

/*
 * If devices have only read, the begin of a CPU access syncs nothing. What the CPU wrote
 * before through an mmap of the DRM file is newer than the bounce buffers.
 */
static void gem_export_keeps_what_the_cpu_drew(struct kunit *test)
{
	struct gem_export *x = gem_export_create(test);

	gem_export_map(x, 0, DMA_BIDIRECTIONAL);
	gem_export_map(x, 1, DMA_TO_DEVICE);
	drm_sgt_kunit_fence_add(test, x->buf->resv, DMA_RESV_USAGE_READ);
	x->ctx->nr_syncs = 0;
	KUNIT_EXPECT_EQ(test, 0, dma_buf_begin_cpu_access(x->buf, gem_dir(test)));
	KUNIT_EXPECT_EQ(test, x->ctx->nr_syncs, 0);
}

/*
 * A CPU access by direction: one that reads begins with a sync for the CPU of the
 * mappings that a device can write to. One that writes ends with syncs for all devices,
 * the last one first, each in its own direction. An unbind changes nothing.
 */
static void gem_export_is_synced_in_brackets(struct kunit *test)
{
	enum dma_data_direction dir = gem_dir(test);
	struct gem_export *x = gem_export_create(test);
	bool reads = dir != DMA_TO_DEVICE, writes = dir != DMA_FROM_DEVICE;
	unsigned int n = 0;

	gem_export_map(x, 0, DMA_BIDIRECTIONAL);
	gem_export_map(x, 1, DMA_TO_DEVICE);
	drm_sgt_kunit_fence_add(test, x->buf->resv, DMA_RESV_USAGE_WRITE);
	drm_sgt_kunit_unbind(x->f->d);

	x->ctx->nr_syncs = 0;
	KUNIT_EXPECT_EQ(test, 0, dma_buf_begin_cpu_access(x->buf, dir));
	if (reads)
		n = gem_export_check_table(x, 0, 0, DMA_BIDIRECTIONAL, true);
	KUNIT_EXPECT_EQ(test, x->ctx->nr_syncs, n);

	x->ctx->nr_syncs = 0;
	n = 0;
	KUNIT_EXPECT_EQ(test, 0, dma_buf_end_cpu_access(x->buf, dir));
	if (writes) {
		n = gem_export_check_table(x, 0, 1, DMA_TO_DEVICE, false);
		n += gem_export_check_table(x, n, 0, DMA_BIDIRECTIONAL, false);
	}
	KUNIT_EXPECT_EQ(test, x->ctx->nr_syncs, n);
}

/* A table that is not mapped, or no longer, is not synced. */
static void gem_export_syncs_what_is_mapped(struct kunit *test)
{
	struct gem_export *x = gem_export_create(test);
	unsigned int n;

	KUNIT_EXPECT_EQ(test, 0, dma_buf_begin_cpu_access(x->buf, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, 0, dma_buf_end_cpu_access(x->buf, DMA_BIDIRECTIONAL));
	gem_export_expect_no_syncs(x);

	gem_export_map(x, 0, DMA_BIDIRECTIONAL);
	gem_export_map(x, 1, DMA_BIDIRECTIONAL);
	gem_export_detach(x, 0);
	x->ctx->nr_syncs = 0;
	KUNIT_EXPECT_EQ(test, 0, dma_buf_end_cpu_access(x->buf, DMA_TO_DEVICE));
	n = gem_export_check_table(x, 0, 1, DMA_BIDIRECTIONAL, false);
	KUNIT_EXPECT_EQ(test, x->ctx->nr_syncs, n);
}

/* The sync for the CPU waits for the fence of the device. */
static void gem_export_waits_for_the_devices(struct kunit *test)
{
	struct gem_export *x = gem_export_create(test);
	struct drm_sgt_kunit_fence *fence;

	gem_export_map(x, 0, DMA_BIDIRECTIONAL);
	fence = drm_sgt_kunit_fence_add(test, x->buf->resv, DMA_RESV_USAGE_WRITE);
	x->ctx->nr_syncs = 0;
	KUNIT_EXPECT_EQ(test, 0, dma_buf_begin_cpu_access(x->buf, DMA_FROM_DEVICE));
	KUNIT_EXPECT_TRUE(test, fence->waited);
	KUNIT_EXPECT_EQ(test, fence->syncs, 0);
	KUNIT_EXPECT_GT(test, x->ctx->nr_syncs, 0);
}

static struct kunit_case drm_gem_sgt_export_cases[] = {
	KUNIT_CASE_PARAM(gem_export_is_synced_when_mapped, gem_dir_gen_params),
	KUNIT_CASE_PARAM(gem_export_is_unmapped, gem_dir_gen_params),
	KUNIT_CASE(gem_export_that_was_written_is_unmapped),
	KUNIT_CASE_PARAM(gem_export_keeps_what_the_cpu_drew, gem_dir_gen_params),
	KUNIT_CASE_PARAM(gem_export_is_synced_in_brackets, gem_dir_gen_params),
	KUNIT_CASE(gem_export_syncs_what_is_mapped),
	KUNIT_CASE(gem_export_waits_for_the_devices),
	{}
};

static struct kunit_suite drm_gem_sgt_export_suite = {
	.name = "drm_gem_sgt_export",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gem_sgt_export_cases,
};

kunit_test_suite(drm_gem_sgt_export_suite);
