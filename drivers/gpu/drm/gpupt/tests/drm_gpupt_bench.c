// SPDX-License-Identifier: GPL-2.0

#include <linux/bits.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include <drm/drm_gpupt.h>
#include <drm/drm_gpupt_fmt.h>
#include <drm/drm_sgt.h>

#include "drm_gpupt_bench.h"

/*
 * The cost of maps and unmaps of an x86_64 page table. Measured while the module loads,
 * and printed in lines for a program to parse:
 *
 *	drm_gpupt_bench: CASE WHAT PTES MINIMUM MEDIAN SAMPLES
 *
 * The unit is a tick of the TSC. In User Mode Linux this is time, on an otherwise
 * idle CPU; under QEMU's -icount it is the number of instructions. The cost of the
 * measurement itself is subtracted.
 */

/* What is measured, in turn */
enum drm_gpupt_bench_what {
	DRM_GPUPT_BENCH_MAP,
	DRM_GPUPT_BENCH_MAP_COMMIT,
	DRM_GPUPT_BENCH_UNMAP,
	DRM_GPUPT_BENCH_UNMAP_COMMIT,
	DRM_GPUPT_BENCH_MEMSET,
	DRM_GPUPT_BENCH_LIB_MAP,
	DRM_GPUPT_BENCH_LIB_UNMAP,
	DRM_GPUPT_BENCH_WHATS,
};

static const char * const drm_gpupt_bench_names[] = {
	[DRM_GPUPT_BENCH_MAP] = "map",
	[DRM_GPUPT_BENCH_MAP_COMMIT] = "map-commit",
	[DRM_GPUPT_BENCH_UNMAP] = "unmap",
	[DRM_GPUPT_BENCH_UNMAP_COMMIT] = "unmap-commit",
	[DRM_GPUPT_BENCH_MEMSET] = "memset64",
	[DRM_GPUPT_BENCH_LIB_MAP] = "lib-map",
	[DRM_GPUPT_BENCH_LIB_UNMAP] = "lib-unmap",
};

/**
 * struct drm_gpupt_bench_case - memory, and where it is mapped
 */
struct drm_gpupt_bench_case {
	/** @name: name of the case */
	const char *name;
	/** @page: bytes of a leaf */
	u64 page;
	/** @ptes: number of leaves */
	unsigned int ptes;
	/** @scattered: each page is a segment of its own */
	bool scattered;
	/**
	 * @alone: nothing else is mapped, so that tables are allocated and freed;
	 * otherwise another mapping in the same table keeps that
	 */
	bool alone;
	/** @samples: number of measurements */
	unsigned int samples;
};

static const struct drm_gpupt_bench_case drm_gpupt_bench_cases[] = {
	{ "1x4K", SZ_4K, 1, .samples = 2000 },
	{ "256x4K", SZ_4K, 256, .samples = 2000 },
	{ "1x2M", SZ_2M, 1, .samples = 2000 },
	{ "256x2M", SZ_2M, 256, .samples = 2000 },
	{ "scattered-256", SZ_4K, 256, .scattered = true, .samples = 2000 },
	{ "scattered-4096", SZ_4K, 4096, .scattered = true, .alone = true,
	  .samples = 100 },
	{ "scattered-65536", SZ_4K, 65536, .scattered = true, .alone = true,
	  .samples = 10 },
	{ "scattered-262144", SZ_4K, 262144, .scattered = true, .alone = true,
	  .samples = 5 },
};

/* In the same table as the other mapping, which has its first entry */
#define DRM_GPUPT_BENCH_ENTRY	64
#define DRM_GPUPT_BENCH_VA	(2ULL * SZ_1G)

/**
 * struct drm_gpupt_bench - a case that is being measured
 */
struct drm_gpupt_bench {
	/** @c: the case */
	const struct drm_gpupt_bench_case *c;
	/** @pt: has the other mapping, or is empty */
	struct drm_gpupt *pt;
	/** @lib: the same page table in io-pgtable; NULL without that library */
	struct drm_gpupt_bench_lib *lib;
	/** @va: where the memory is mapped */
	u64 va;
	/** @len: bytes that are mapped */
	u64 len;
	/** @table: has only DMA addresses, and no memory behind them */
	struct sg_table table;
	/** @sgt: an import of @table, which needs no pages either */
	struct drm_sgt *sgt;
	/** @op: the operation; allocated once, as in a driver's job */
	struct drm_gpupt_op op;
	/** @entries: an array with an element for each PTE */
	u64 *entries;
	/** @ticks: the samples */
	u64 *ticks[DRM_GPUPT_BENCH_WHATS];
};

/**
 * struct drm_gpupt_bench_device - the device of all cases
 */
struct drm_gpupt_bench_device {
	/** @sdev: maps the tables and the memory */
	struct drm_sgt_device *sdev;
	/** @nothing: ticks of an empty measurement */
	u64 nothing;
};

static u64 drm_gpupt_bench_ticks(void)
{
	u32 low, high;

	asm volatile("lfence; rdtsc" : "=a" (low), "=d" (high) : : "memory");
	return (u64)high << 32 | low;
}

/* The ticks of an empty measurement */
static u64 drm_gpupt_bench_nothing(void)
{
	u64 least = U64_MAX;
	int i;

	for (i = 0; i < 1000; i++) {
		u64 begin = drm_gpupt_bench_ticks();

		least = min(least, drm_gpupt_bench_ticks() - begin);
	}
	return least;
}

/* No two segments touch. */
static int drm_gpupt_bench_fill_table(struct drm_gpupt_bench *b)
{
	const u64 len = b->c->scattered ? b->c->page : b->len;
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	ret = sg_alloc_table(&b->table, b->len / len, GFP_KERNEL);
	if (ret)
		return ret;

	for_each_sgtable_dma_sg(&b->table, sg, i) {
		sg_dma_address(sg) = SZ_4G + 2 * len * i;
		sg_dma_len(sg) = len;
	}
	return 0;
}

static struct sg_table *drm_gpupt_bench_buf_map(struct dma_buf_attachment *attach,
						enum dma_data_direction dir)
{
	struct drm_gpupt_bench *b = attach->dmabuf->priv;

	return &b->table;
}

static void drm_gpupt_bench_buf_unmap(struct dma_buf_attachment *attach,
				      struct sg_table *table,
				      enum dma_data_direction dir)
{
}

/* Can run after the case has ended. */
static void drm_gpupt_bench_buf_release(struct dma_buf *buf)
{
}

static const struct dma_buf_ops drm_gpupt_bench_buf_ops = {
	.map_dma_buf = drm_gpupt_bench_buf_map,
	.unmap_dma_buf = drm_gpupt_bench_buf_unmap,
	.release = drm_gpupt_bench_buf_release,
};

static int drm_gpupt_bench_import(struct drm_gpupt_bench *b,
				  struct drm_sgt_device *sdev)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *buf;

	info.ops = &drm_gpupt_bench_buf_ops;
	info.size = b->len;
	info.priv = b;
	buf = dma_buf_export(&info);
	if (IS_ERR(buf))
		return PTR_ERR(buf);

	b->sgt = drm_sgt_create_import(sdev, buf);
	dma_buf_put(buf);
	return IS_ERR(b->sgt) ? PTR_ERR(b->sgt) : drm_sgt_map(b->sgt, DMA_TO_DEVICE);
}

/* Each of these measures one thing, and leaves nothing mapped. */

static int drm_gpupt_bench_whole(struct drm_gpupt_bench *b,
				 const struct drm_dma_view view, unsigned int i)
{
	struct drm_gpupt_op *op = &b->op;
	u64 begin;
	int ret;

	begin = drm_gpupt_bench_ticks();
	ret = drm_gpupt_prepare_map(b->pt, op, b->va, b->len, view, 0,
				    DRM_GPUPT_WRITE);
	if (ret)
		return ret;
	drm_gpupt_commit_map(op, view);
	drm_gpupt_op_fini(op);
	b->ticks[DRM_GPUPT_BENCH_MAP][i] = drm_gpupt_bench_ticks() - begin;

	begin = drm_gpupt_bench_ticks();
	ret = drm_gpupt_prepare_unmap(b->pt, op, b->va, b->len);
	if (ret)
		return ret;
	drm_gpupt_commit(op);
	drm_gpupt_op_fini(op);
	b->ticks[DRM_GPUPT_BENCH_UNMAP][i] = drm_gpupt_bench_ticks() - begin;
	return 0;
}

static int drm_gpupt_bench_commits(struct drm_gpupt_bench *b,
				   const struct drm_dma_view view, unsigned int i)
{
	struct drm_gpupt_op *op = &b->op;
	u64 begin;
	int ret;

	ret = drm_gpupt_prepare_map(b->pt, op, b->va, b->len, view, 0,
				    DRM_GPUPT_WRITE);
	if (ret)
		return ret;
	begin = drm_gpupt_bench_ticks();
	drm_gpupt_commit_map(op, view);
	b->ticks[DRM_GPUPT_BENCH_MAP_COMMIT][i] = drm_gpupt_bench_ticks() - begin;
	drm_gpupt_op_fini(op);

	ret = drm_gpupt_prepare_unmap(b->pt, op, b->va, b->len);
	if (ret)
		return ret;
	begin = drm_gpupt_bench_ticks();
	drm_gpupt_commit(op);
	b->ticks[DRM_GPUPT_BENCH_UNMAP_COMMIT][i] = drm_gpupt_bench_ticks() - begin;
	drm_gpupt_op_fini(op);
	return 0;
}

static void drm_gpupt_bench_memset(struct drm_gpupt_bench *b, unsigned int i)
{
	u64 begin = drm_gpupt_bench_ticks();

	memset64(b->entries, i, b->c->ptes);
	b->ticks[DRM_GPUPT_BENCH_MEMSET][i] = drm_gpupt_bench_ticks() - begin;
}

/* The library keeps empty tables, so each sample gets a new page table. */
static int drm_gpupt_bench_lib_reset(struct drm_gpupt_bench *b)
{
	drm_gpupt_bench_lib_destroy(b->lib);
	b->lib = drm_gpupt_bench_lib_create();
	return PTR_ERR_OR_ZERO(b->lib);
}

static int drm_gpupt_bench_lib(struct drm_gpupt_bench *b, unsigned int i)
{
	u64 begin;
	int ret;

	if (!b->lib)
		return 0;

	if (b->c->alone) {
		ret = drm_gpupt_bench_lib_reset(b);
		if (ret)
			return ret;
	}

	begin = drm_gpupt_bench_ticks();
	ret = drm_gpupt_bench_lib_map(b->lib, b->va, b->len, &b->table);
	if (ret)
		return ret;
	b->ticks[DRM_GPUPT_BENCH_LIB_MAP][i] = drm_gpupt_bench_ticks() - begin;

	begin = drm_gpupt_bench_ticks();
	ret = drm_gpupt_bench_lib_unmap(b->lib, b->va, b->len);
	if (ret)
		return ret;
	b->ticks[DRM_GPUPT_BENCH_LIB_UNMAP][i] = drm_gpupt_bench_ticks() - begin;
	return 0;
}

static int drm_gpupt_bench_measure(struct drm_gpupt_bench *b,
				   const struct drm_dma_view view)
{
	unsigned int i;
	int ret;

	for (i = 0; i < b->c->samples; i++) {
		ret = drm_gpupt_bench_whole(b, view, i);
		if (!ret)
			ret = drm_gpupt_bench_commits(b, view, i);
		if (!ret)
			ret = drm_gpupt_bench_lib(b, i);
		if (ret)
			return ret;
		drm_gpupt_bench_memset(b, i);
		cond_resched();
	}
	return 0;
}

static int drm_gpupt_bench_cmp(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void drm_gpupt_bench_report(struct drm_gpupt_bench *b, u64 nothing)
{
	const unsigned int samples = b->c->samples;
	unsigned int what;

	for (what = 0; what < DRM_GPUPT_BENCH_WHATS; what++) {
		u64 *ticks = b->ticks[what];

		sort(ticks, samples, sizeof(*ticks), drm_gpupt_bench_cmp, NULL);
		if (!ticks[0])
			continue;
		pr_info("drm_gpupt_bench: %s %s %u %lld %lld %u\n", b->c->name,
			drm_gpupt_bench_names[what], b->c->ptes,
			(s64)(ticks[0] - nothing),
			(s64)(ticks[samples / 2] - nothing), samples);
	}
}

/* The other mapping, which stays. */
static int drm_gpupt_bench_settle(struct drm_gpupt_bench *b,
				  const struct drm_dma_view view)
{
	const u64 len = b->c->page;
	struct drm_gpupt_op op = {};
	int ret;

	ret = drm_gpupt_prepare_map(b->pt, &op, DRM_GPUPT_BENCH_VA, len, view, 0,
				    DRM_GPUPT_WRITE);
	if (ret)
		return ret;
	drm_gpupt_commit_map(&op, view);
	drm_gpupt_op_fini(&op);

	return b->lib ? drm_gpupt_bench_lib_map(b->lib, DRM_GPUPT_BENCH_VA, len,
						&b->table) : 0;
}

static int drm_gpupt_bench_unsettle(struct drm_gpupt_bench *b)
{
	struct drm_gpupt_op op = {};
	int ret;

	ret = drm_gpupt_prepare_unmap(b->pt, &op, DRM_GPUPT_BENCH_VA, b->c->page);
	if (ret)
		return ret;
	drm_gpupt_commit(&op);
	drm_gpupt_op_fini(&op);
	return 0;
}

static int drm_gpupt_bench_alloc(struct drm_gpupt_bench *b,
				 const struct drm_gpupt_bench_device *d)
{
	unsigned int what;
	int ret;

	b->pt = drm_gpupt_create(&drm_gpupt_x86_64, d->sdev, NULL, NULL);
	if (IS_ERR(b->pt))
		return PTR_ERR(b->pt);

	ret = drm_gpupt_bench_fill_table(b);
	if (!ret)
		ret = drm_gpupt_bench_import(b, d->sdev);
	if (!ret)
		ret = drm_gpupt_bench_lib_reset(b);
	if (ret)
		return ret;

	b->entries = kvcalloc(b->c->ptes, sizeof(*b->entries), GFP_KERNEL);
	if (!b->entries)
		return -ENOMEM;
	for (what = 0; what < DRM_GPUPT_BENCH_WHATS; what++) {
		b->ticks[what] = kvcalloc(b->c->samples, sizeof(u64), GFP_KERNEL);
		if (!b->ticks[what])
			return -ENOMEM;
	}
	return 0;
}

static void drm_gpupt_bench_free(struct drm_gpupt_bench *b)
{
	unsigned int what;

	for (what = 0; what < DRM_GPUPT_BENCH_WHATS; what++)
		kvfree(b->ticks[what]);
	kvfree(b->entries);
	drm_gpupt_bench_lib_destroy(b->lib);
	if (!IS_ERR_OR_NULL(b->sgt))
		drm_sgt_free(b->sgt);
	sg_free_table(&b->table);
	if (!IS_ERR_OR_NULL(b->pt))
		drm_gpupt_destroy(b->pt);
}

static int drm_gpupt_bench_one(const struct drm_gpupt_bench_device *d,
			       const struct drm_gpupt_bench_case *c)
{
	struct drm_gpupt_bench b = {
		.c = c,
		.va = DRM_GPUPT_BENCH_VA,
		.len = c->ptes * c->page,
	};
	int ret, err;

	if (!c->alone)
		b.va += DRM_GPUPT_BENCH_ENTRY * c->page;

	ret = drm_gpupt_bench_alloc(&b, d);
	if (ret)
		goto out;

	drm_sgt_access_scope(view, b.sgt, err) {
		if (!c->alone)
			ret = drm_gpupt_bench_settle(&b, view);
		if (!ret)
			ret = drm_gpupt_bench_measure(&b, view);
	}
	ret = ret ?: err;
	if (!ret)
		drm_gpupt_bench_report(&b, d->nothing);
	if (!ret && !c->alone)
		ret = drm_gpupt_bench_unsettle(&b);
out:
	drm_gpupt_bench_free(&b);
	return ret;
}

/*
 * Compare the tables that 1 GiB of 2M folios need, no two of which touch, with those
 * that other drivers reserve: they count by VA, one table for each entry of each level.
 */
static int drm_gpupt_bench_tables(const struct drm_gpupt_bench_device *d)
{
	static const struct drm_gpupt_bench_case c = {
		"1 GiB of 2M folios", SZ_2M, SZ_1G / SZ_2M, .scattered = true,
	};
	struct drm_gpupt_bench b = { .c = &c, .len = SZ_1G };
	struct drm_gpupt_op op = {};
	int ret, err;

	ret = drm_gpupt_bench_alloc(&b, d);
	if (ret)
		goto out;

	drm_sgt_access_scope(view, b.sgt, err)
		ret = drm_gpupt_prepare_map(b.pt, &op, DRM_GPUPT_BENCH_VA, b.len,
					    view, 0, DRM_GPUPT_WRITE);
	ret = ret ?: err;
	if (ret)
		goto out;
	pr_info("drm_gpupt_bench: tables %u of %u\n", drm_gpupt_op_tables(&op),
		1 + 1 + SZ_1G / SZ_2M);
	ret = drm_gpupt_abort(&op);
out:
	drm_gpupt_bench_free(&b);
	return ret;
}

/* The length of a tick, from the time of the whole measurement. */
static void drm_gpupt_bench_report_clock(u64 ticks, ktime_t time)
{
	pr_info("drm_gpupt_bench: clock %llu ticks %lld ns\n",
		drm_gpupt_bench_ticks() - ticks,
		ktime_to_ns(ktime_sub(ktime_get(), time)));
}

static int drm_gpupt_bench_all(const struct drm_gpupt_bench_device *d)
{
	const u64 ticks = drm_gpupt_bench_ticks();
	const ktime_t time = ktime_get();
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(drm_gpupt_bench_cases); i++) {
		ret = drm_gpupt_bench_one(d, &drm_gpupt_bench_cases[i]);
		if (ret)
			return ret;
	}
	drm_gpupt_bench_report_clock(ticks, time);
	return drm_gpupt_bench_tables(d);
}

static int __init drm_gpupt_bench_probe(struct platform_device *pdev)
{
	struct drm_gpupt_bench_device d = { .nothing = drm_gpupt_bench_nothing() };
	int ret;

	ret = dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	d.sdev = devm_drm_sgt_device_create(&pdev->dev, &pdev->dev);
	if (IS_ERR(d.sdev))
		return PTR_ERR(d.sdev);

	/* From here on the module must stay loaded: a dma-buf may be released late. */
	ret = drm_gpupt_bench_all(&d);
	if (ret)
		dev_err(&pdev->dev, "cannot measure: %pe\n", ERR_PTR(ret));
	return 0;
}

static struct platform_driver drm_gpupt_bench_driver = {
	.driver.name = "drm_gpupt_bench",
};

static struct platform_device *drm_gpupt_bench_device;

static int __init drm_gpupt_bench_init(void)
{
	drm_gpupt_bench_device = platform_create_bundle(&drm_gpupt_bench_driver,
							drm_gpupt_bench_probe,
							NULL, 0, NULL, 0);
	return PTR_ERR_OR_ZERO(drm_gpupt_bench_device);
}

static void __exit drm_gpupt_bench_exit(void)
{
	platform_device_unregister(drm_gpupt_bench_device);
	platform_driver_unregister(&drm_gpupt_bench_driver);
}

late_initcall(drm_gpupt_bench_init);
module_exit(drm_gpupt_bench_exit);

MODULE_DESCRIPTION("What maps and unmaps of a drm_gpupt cost");
MODULE_LICENSE("GPL");
/* Spelled out: MODULE_IMPORT_NS() wants a string since 6.13, and did not before. */
MODULE_INFO(import_ns, "DMA_BUF");
