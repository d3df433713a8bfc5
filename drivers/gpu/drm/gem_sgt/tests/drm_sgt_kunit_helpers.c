// SPDX-License-Identifier: GPL-2.0

#include <kunit/device.h>
#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <linux/cpumask.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/pagemap.h>
#include <linux/folio_batch.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>
#include <linux/swap.h>

#include "drm_sgt_kunit_helpers.h"

static ulong kunit_seed;
module_param(kunit_seed, ulong, 0444);
MODULE_PARM_DESC(kunit_seed, "seed of the random test cases; 0: another one each time");

/* Set a seed, and log it, so that a failure can be repeated. */
void drm_sgt_kunit_seed(struct kunit *test, struct rnd_state *rnd)
{
	unsigned long seed = kunit_seed ?: get_random_u32();

	kunit_info(test, "drm_gem_sgt.kunit_seed=%lu", seed);
	prandom_seed_state(rnd, seed);
}
EXPORT_SYMBOL_GPL(drm_sgt_kunit_seed);

/* A random number from 0 to @limit - 1. */
u32 drm_sgt_kunit_below(struct rnd_state *rnd, u32 limit)
{
	return prandom_u32_state(rnd) % limit;
}
EXPORT_SYMBOL_GPL(drm_sgt_kunit_below);

/* The macro checks the types of functions, and of no pointers. */
void drm_sgt_kunit_replace_dma(struct kunit *test, const struct drm_sgt_kunit_dma *dma)
{
	if (dma->map)
		kunit_activate_static_stub(test, drm_sgt_dma_map, *dma->map);
	if (dma->unmap)
		kunit_activate_static_stub(test, drm_sgt_dma_unmap, *dma->unmap);
	if (dma->need_sync)
		kunit_activate_static_stub(test, drm_sgt_dma_need_sync, *dma->need_sync);
	if (dma->sync_for_device)
		kunit_activate_static_stub(test, drm_sgt_dma_sync_for_device,
					   *dma->sync_for_device);
}
EXPORT_SYMBOL_GPL(drm_sgt_kunit_replace_dma);

/*
 * Context of a case
 */

struct drm_sgt_kunit *drm_sgt_kunit_create(struct kunit *test)
{
	struct drm_sgt_kunit *ctx;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->test = test;
	ctx->map.base = SZ_1G;
	init_completion(&ctx->entered);
	init_completion(&ctx->gate);
	return ctx;
}

/* For &kunit_suite.init */
int drm_sgt_kunit_init(struct kunit *test)
{
	test->priv = drm_sgt_kunit_create(test);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_sgt_kunit_init);

static struct drm_sgt_kunit *drm_sgt_kunit_current(void)
{
	return kunit_get_current_test()->priv;
}

/* Sets unique DMA addresses, which are never accessed. */
static int drm_sgt_kunit_fake_map(struct drm_sgt *sgt)
{
	struct drm_sgt_kunit *ctx = drm_sgt_kunit_current();
	dma_addr_t addr = ctx->map.base;
	struct scatterlist *sg;
	unsigned int i;

	if (ctx->map.block) {
		complete(&ctx->entered);
		wait_for_completion(&ctx->gate);
	}
	if (ctx->map.ret)
		return ctx->map.ret;

	for_each_sgtable_sg(&sgt->table, sg, i) {
		sg_dma_address(sg) = addr;
		sg_dma_len(sg) = sg->length;
		addr += sg->length + ctx->map.gap;
	}
	sgt->table.nents = sgt->table.orig_nents - ctx->map.missing;

	if (ctx->map.merge) {
		for_each_sgtable_sg(&sgt->table, sg, i) {
			sg_dma_address(sg) = (dma_addr_t)0xdead0000dead0000ULL;
			sg_dma_len(sg) = 0xdead;
		}
		sg_dma_address(sgt->table.sgl) = ctx->map.base;
		sg_dma_len(sgt->table.sgl) = sgt->size;
		sgt->table.nents = 1;
	}

	ctx->maps++;
	return 0;
}

static void drm_sgt_kunit_fake_unmap(struct drm_sgt *sgt)
{
	struct drm_sgt_kunit *ctx = drm_sgt_kunit_current();

	if (ctx->block_unmap) {
		complete(&ctx->entered);
		wait_for_completion(&ctx->gate);
	}
	ctx->unmaps++;
}

/*
 * Activate the stubs until the end of the case. Actions that unmap must be registered
 * after this, so that they run before the stubs are removed.
 */
void drm_sgt_kunit_stub_dma(struct drm_sgt_kunit *ctx)
{
	kunit_activate_static_stub(ctx->test, drm_sgt_dma_map,
				   drm_sgt_kunit_fake_map);
	kunit_activate_static_stub(ctx->test, drm_sgt_dma_unmap,
				   drm_sgt_kunit_fake_unmap);
}

static void drm_sgt_kunit_record(struct device *dev, dma_addr_t addr, size_t len,
				 enum dma_data_direction dir, bool for_cpu)
{
	struct drm_sgt_kunit *ctx = drm_sgt_kunit_current();

	if (ctx->nr_syncs < ARRAY_SIZE(ctx->sync))
		ctx->sync[ctx->nr_syncs] = (struct drm_sgt_kunit_sync) {
			.dev = dev,
			.addr = addr,
			.len = len,
			.dir = dir,
			.for_cpu = for_cpu,
		};
	ctx->nr_syncs++;
}

static void drm_sgt_kunit_fake_sync_for_device(struct device *dev,
					       dma_addr_t addr, size_t len,
					       enum dma_data_direction dir)
{
	drm_sgt_kunit_record(dev, addr, len, dir, false);
}

static void drm_sgt_kunit_fake_sync_for_cpu(struct device *dev,
					    dma_addr_t addr, size_t len,
					    enum dma_data_direction dir)
{
	drm_sgt_kunit_record(dev, addr, len, dir, true);
}

bool drm_sgt_kunit_need_sync(struct device *dev, dma_addr_t addr)
{
	return true;
}

/* From now until the end of the case, syncs are recorded and not done. */
void drm_sgt_kunit_stub_sync(struct drm_sgt_kunit *ctx)
{
	kunit_activate_static_stub(ctx->test, drm_sgt_dma_sync_for_device,
				   drm_sgt_kunit_fake_sync_for_device);
	kunit_activate_static_stub(ctx->test, drm_sgt_dma_sync_for_cpu,
				   drm_sgt_kunit_fake_sync_for_cpu);
	kunit_activate_static_stub(ctx->test, drm_sgt_dma_need_sync,
				   drm_sgt_kunit_need_sync);
}

/*
 * Devices
 */

struct drm_sgt_device_stats drm_sgt_kunit_stats(struct drm_sgt_device *sdev)
{
	struct drm_sgt_device_stats stats;

	drm_sgt_device_get_stats(sdev, &stats);
	return stats;
}
EXPORT_SYMBOL_GPL(drm_sgt_kunit_stats);

/*
 * The last check of a device, before the unbind of its owner unless the case has unbound
 * it. A failure here means that the case has leaked something.
 */
static void drm_sgt_kunit_device_check(void *data)
{
	struct drm_sgt_kunit_device *d = data;
	struct drm_sgt_device_stats stats = drm_sgt_kunit_stats(d->sdev);

	KUNIT_EXPECT_EQ(d->test, stats.tables, 0);
	KUNIT_EXPECT_EQ(d->test, stats.mapped, 0);
	KUNIT_EXPECT_EQ(d->test, stats.bytes_mapped, 0);
	KUNIT_EXPECT_EQ(d->test, stats.maps, stats.unmaps);
	KUNIT_EXPECT_LE(d->test, stats.grace_periods, 1);
	KUNIT_EXPECT_TRUE(d->test, list_empty(&d->sdev->mapped));
	KUNIT_EXPECT_EQ(d->test, kref_read(&d->sdev->refcount), 1 + d->bound);
	drm_sgt_device_put(d->sdev);
}

static struct drm_sgt_kunit_device *
drm_sgt_kunit_device_create(struct kunit *test, struct drm_sgt_device *sdev)
{
	struct drm_sgt_kunit_device *d;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sdev);
	d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, d);
	d->test = test;
	d->sdev = drm_sgt_device_get(sdev);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, drm_sgt_kunit_device_check, d));
	return d;
}

/* Check a device that the case has created itself, and that is unbound at the end. */
void drm_sgt_kunit_watch(struct kunit *test, struct drm_sgt_device *sdev)
{
	drm_sgt_kunit_device_create(test, sdev);
}

/* Create a device that can do DMA, with limits of its segments, and without a driver. */
struct device *drm_sgt_kunit_dma_device(struct kunit *test, const char *name,
					unsigned int max_segment, u64 boundary)
{
	struct device_dma_parameters *parms;
	struct device *dev;

	/* Allocated before the device, so freed after it. */
	parms = kunit_kzalloc(test, sizeof(*parms), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, parms);

	dev = kunit_device_register(test, name);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, 0, dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)));
	dev->dma_parms = parms;
	dma_set_max_seg_size(dev, max_segment);
	dma_set_seg_boundary(dev, boundary);
	return dev;
}

static struct drm_sgt_kunit_device *drm_sgt_kunit_bind_dma(struct kunit *test,
							   struct device *dev)
{
	struct drm_sgt_kunit_device *d;

	d = drm_sgt_kunit_device_create(test, devm_drm_sgt_device_create(dev, dev));
	d->dev = dev;
	d->bound = true;
	return d;
}

/* Bind a device with limits of its DMA segments, which is its own DMA device. */
struct drm_sgt_kunit_device *
drm_sgt_kunit_bind_limits(struct kunit *test, const char *name,
			  unsigned int max_segment, u64 boundary)
{
	return drm_sgt_kunit_bind_dma(test, drm_sgt_kunit_dma_device(test, name, max_segment,
								     boundary));
}

static bool drm_sgt_kunit_is_limited(struct device *dev)
{
	return true;
}

/* Bind a device whose addresses have @bits, which are too few for the memory there is. */
struct drm_sgt_kunit_device *drm_sgt_kunit_bind_narrow(struct kunit *test, unsigned int bits)
{
	struct device *dev = drm_sgt_kunit_dma_device(test, "narrow", UINT_MAX, ULONG_MAX);

	/* dma_set_mask() refuses what no zone of the kernel fits into. */
	*dev->dma_mask = DMA_BIT_MASK(bits);
	kunit_activate_static_stub(test, drm_sgt_dma_is_limited, drm_sgt_kunit_is_limited);
	return drm_sgt_kunit_bind_dma(test, dev);
}
EXPORT_SYMBOL_GPL(drm_sgt_kunit_bind_narrow);

/* Bind a device without limits that matter to a test. */
struct drm_sgt_kunit_device *drm_sgt_kunit_bind(struct kunit *test)
{
	return drm_sgt_kunit_bind_limits(test, "sgt", UINT_MAX, ULONG_MAX);
}
EXPORT_SYMBOL_GPL(drm_sgt_kunit_bind);

/* Bind a device that uses physical addresses, with @bus_dev, which can be NULL. */
struct drm_sgt_kunit_device *drm_sgt_kunit_bind_phys(struct kunit *test,
						     struct device *bus_dev)
{
	struct drm_sgt_kunit_device *d;
	struct device *dev;

	dev = kunit_device_register(test, "phys");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, 0, dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)));
	d = drm_sgt_kunit_device_create(test, devm_drm_sgt_device_create_phys(dev, bus_dev));
	d->dev = dev;
	d->bound = true;
	return d;
}
EXPORT_SYMBOL_GPL(drm_sgt_kunit_bind_phys);

/* Bind a software device, which has no DMA mask, either. */
struct drm_sgt_kunit_device *drm_sgt_kunit_bind_none(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "none");
	struct drm_sgt_kunit_device *d;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	d = drm_sgt_kunit_device_create(test, devm_drm_sgt_device_create_none(dev));
	d->dev = dev;
	d->bound = true;
	return d;
}

/* Unbind the driver: its devres entries are released when this returns. */
void drm_sgt_kunit_unbind(struct drm_sgt_kunit_device *d)
{
	d->bound = false;
	device_release_driver(d->dev);
}
EXPORT_SYMBOL_GPL(drm_sgt_kunit_unbind);

/*
 * Source
 */

static int drm_sgt_kunit_source_get(void *data, struct drm_sgt_builder *builder, u64 size)
{
	struct drm_sgt_kunit_source *s = data;
	unsigned long pos = 0;
	unsigned int i;
	int ret;

	s->gets++;
	for (i = 0; i < s->nr_pieces; i++) {
		const struct drm_sgt_kunit_piece *piece = &s->pieces[i];

		if (i == s->fail_at)
			return s->fail_with;
		ret = drm_sgt_builder_add(builder, pfn_to_page(piece->pfn), piece->nr_pages);
		if (ret)
			return ret;
		memset(s->out + pos, 1, piece->nr_pages);
		pos += piece->nr_pages;
		s->pages_out += piece->nr_pages;
	}
	return 0;
}

/* A page is put: it must be out, and is in from now on. */
static void drm_sgt_kunit_source_put_page(struct drm_sgt_kunit_source *s,
					  unsigned long pfn)
{
	unsigned long pos = 0;
	unsigned int i;

	for (i = 0; i < s->nr_pieces; i++) {
		const struct drm_sgt_kunit_piece *piece = &s->pieces[i];
		unsigned long n = pfn - piece->pfn;

		if (pfn >= piece->pfn && n < piece->nr_pages && s->out[pos + n]) {
			s->out[pos + n] = 0;
			s->pages_out--;
			return;
		}
		pos += piece->nr_pages;
	}
	KUNIT_FAIL(s->test, "page %#lx came back, and was not out", pfn);
}

static void drm_sgt_kunit_source_put(void *data, const struct drm_sgt_run *runs,
				     unsigned int nr_runs, bool last)
{
	struct drm_sgt_kunit_source *s = data;
	struct drm_sgt_kunit *ctx = s->test->priv;

	KUNIT_EXPECT_GT(s->test, nr_runs, 0);
	KUNIT_EXPECT_FALSE(s->test, s->last && !last);
	s->last = last;
	s->puts += nr_runs;
	s->unmaps_at_put = ctx->unmaps;
	for (; nr_runs--; runs++) {
		unsigned long pfn = page_to_pfn(runs->page), n = runs->nr_pages;

		while (n--)
			drm_sgt_kunit_source_put_page(s, pfn++);
	}
}

static void drm_sgt_kunit_source_release(void *data)
{
	struct drm_sgt_kunit_source *s = data;

	KUNIT_EXPECT_EQ(s->test, s->pages_out, 0);
	s->releases++;
}

const struct drm_sgt_pages_ops drm_sgt_kunit_source_ops = {
	.name = "kunit",
	.get = drm_sgt_kunit_source_get,
	.put = drm_sgt_kunit_source_put,
	.release = drm_sgt_kunit_source_release,
};

/* Each page that was added has been put once. */
static void drm_sgt_kunit_source_check(void *data)
{
	struct drm_sgt_kunit_source *s = data;

	KUNIT_EXPECT_EQ(s->test, s->pages_out, 0);
	KUNIT_EXPECT_LE(s->test, s->releases, 1);
}

struct drm_sgt_kunit_source *
drm_sgt_kunit_source_create(struct kunit *test,
			    const struct drm_sgt_kunit_piece *pieces,
			    unsigned int nr_pieces)
{
	struct drm_sgt_kunit_source *s;

	s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s);
	s->test = test;
	s->pieces = pieces;
	s->nr_pieces = nr_pieces;
	s->fail_at = UINT_MAX;
	s->out = kunit_kzalloc(test, drm_sgt_kunit_source_size(s) >> PAGE_SHIFT,
			       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s->out);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, drm_sgt_kunit_source_check, s));
	return s;
}

u64 drm_sgt_kunit_source_size(const struct drm_sgt_kunit_source *source)
{
	u64 size = 0;
	unsigned int i;

	for (i = 0; i < source->nr_pieces; i++)
		size += (u64)source->pieces[i].nr_pages << PAGE_SHIFT;
	return size;
}

KUNIT_DEFINE_ACTION_WRAPPER(drm_sgt_kunit_free, drm_sgt_free, struct drm_sgt *);

/* Free @sgt at the end of the case, unless drm_sgt_kunit_free_now() frees it before. */
void drm_sgt_kunit_free_later(struct kunit *test, struct drm_sgt *sgt)
{
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, drm_sgt_kunit_free, sgt));
}

void drm_sgt_kunit_free_now(struct kunit *test, struct drm_sgt *sgt)
{
	kunit_release_action(test, drm_sgt_kunit_free, sgt);
}

/* Create a table of @source, in state EMPTY, which is freed at the end of the case. */
struct drm_sgt *drm_sgt_kunit_sgt(struct kunit *test,
				  struct drm_sgt_device *sdev,
				  struct drm_sgt_kunit_source *source)
{
	struct drm_sgt *sgt;

	sgt = drm_sgt_create(sdev, &drm_sgt_kunit_source_ops, source,
			     drm_sgt_kunit_source_size(source));
	drm_sgt_kunit_free_later(test, sgt);
	return sgt;
}

/*
 * Pages
 */

static void drm_sgt_kunit_fill_batches(struct kunit *test)
{
	const unsigned long nr = 4 * FOLIO_BATCH_SIZE;
	struct file *filp = shmem_file_setup("kunit", nr * PAGE_SIZE,
					     mk_vma_flags(VMA_NORESERVE_BIT));
	unsigned long i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	for (i = 0; i < nr; i++) {
		struct page *page = shmem_read_mapping_page(filp->f_mapping, i);

		if (IS_ERR(page))
			break;
		mark_page_accessed(page);
		mark_page_accessed(page);
		put_page(page);
	}
	fput(filp);
	KUNIT_ASSERT_EQ(test, i, nr);
}

/*
 * The mm keeps references to recently added or used pages in batches for each CPU, and
 * drops them when a batch is full. Fill the batches with other pages, so that a page count
 * has only the references of other users.
 */
void drm_sgt_kunit_flush_batches(struct kunit *test)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		KUNIT_ASSERT_EQ(test, 0, set_cpus_allowed_ptr(current, cpumask_of(cpu)));
		drm_sgt_kunit_fill_batches(test);
	}
	KUNIT_ASSERT_EQ(test, 0, set_cpus_allowed_ptr(current, cpu_possible_mask));
}

/*
 * Threads
 */

static int drm_sgt_kunit_run(void *data)
{
	struct drm_sgt_kunit_thread *thread = data;

	/* The stubs of the case are active in this thread, too. */
	current->kunit_test = thread->ctx->test;
	thread->ret = thread->fn(thread->arg);
	current->kunit_test = NULL;
	complete_all(&thread->done);
	return 0;
}

/* Wait for a thread to end. If it does not, the case fails, and this returns false. */
bool drm_sgt_kunit_join(struct drm_sgt_kunit_thread *thread)
{
	bool done = wait_for_completion_timeout(&thread->done,
						DRM_SGT_KUNIT_PATIENCE);

	KUNIT_EXPECT_TRUE_MSG(thread->ctx->test, done, "a thread hangs");
	return done;
}
EXPORT_SYMBOL_GPL(drm_sgt_kunit_join);

static void drm_sgt_kunit_stop(void *data)
{
	struct drm_sgt_kunit_thread *thread = data;

	/* A case that failed half way has not opened the gate. */
	complete_all(&thread->ctx->gate);
	if (drm_sgt_kunit_join(thread))
		kthread_stop_put(thread->task);
}

/* Run @fn in a thread of its own; the end of the case waits for it. */
struct drm_sgt_kunit_thread *
drm_sgt_kunit_start(struct drm_sgt_kunit *ctx, int (*fn)(void *arg), void *arg)
{
	struct drm_sgt_kunit_thread *thread;
	struct kunit *test = ctx->test;

	thread = kunit_kzalloc(test, sizeof(*thread), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, thread);
	thread->ctx = ctx;
	thread->fn = fn;
	thread->arg = arg;
	init_completion(&thread->done);
	thread->task = kthread_create(drm_sgt_kunit_run, thread, "drm_sgt_kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread->task);
	/* The thread can end at any time, so keep a reference to the task. */
	wake_up_process(get_task_struct(thread->task));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, drm_sgt_kunit_stop, thread));
	return thread;
}
EXPORT_SYMBOL_GPL(drm_sgt_kunit_start);
