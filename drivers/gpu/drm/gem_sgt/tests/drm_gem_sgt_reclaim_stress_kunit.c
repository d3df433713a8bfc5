// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/mman.h>
#include <linux/shmem_fs.h>
#include <linux/shrinker.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_prime.h>

#include "drm_gem_sgt_kunit_helpers.h"
#include "drm_sgt_kunit_crew.h"
#include "../drm_gem_sgt_shrinker.h"

/*
 * Random operations on some objects, in every order, with an unbind at some point. A
 * shadow copy says what must be in the pages, and what each call must return.
 */

#define RANDOM_BOS	3
#define RANDOM_PAGES	2
#define RANDOM_SIZE	(RANDOM_PAGES * PAGE_SIZE)
#define RANDOM_STEPS	80

DEFINE_DRM_GEM_FOPS(reclaim_random_fops);

static const struct drm_driver random_driver = {
	.driver_features = DRIVER_GEM,
	.fops = &reclaim_random_fops,
	.name = "drm-gem-sgt-kunit",
	.desc = "drm-gem-sgt-kunit",
};

/* An object, and what is expected of it */
struct random_bo {
	struct drm_gem_sgt_object *bo;
	/* for its mmap and attachments; not known to the layer as shared */
	struct dma_buf *buf;
	unsigned long addr;
	struct dma_buf_attachment *attach;
	u64 word[RANDOM_PAGES];
	unsigned int pins;
	int madv;
	bool shared;
	bool purged;
};

struct gem_random {
	struct kunit *test;
	struct rnd_state rnd;
	struct drm_sgt_kunit_owner owner;
	struct device *dev;
	struct device *importer;
	struct drm_device *drm;
	struct random_bo item[RANDOM_BOS];
	bool bound;
};

static bool random_has_swap(void)
{
	return true;
}

/* The shrinker may take any object that is not kept. */
static int random_idle(struct drm_gem_sgt_object *bo)
{
	return 0;
}

static const struct drm_gem_sgt_shrinker_ops random_ops = { .idle = random_idle };

static bool random_is_kept(const struct random_bo *item)
{
	return item->pins || item->attach;
}

static bool random_is_purgeable(const struct random_bo *item)
{
	return item->madv > 0 && !item->shared && !random_is_kept(item);
}

/* What a call returns that needs pages */
static int random_expected(const struct random_bo *item)
{
	return item->purged ? -EINVAL : 0;
}

/*
 * Operations
 */

static void random_check_vmap(struct gem_random *f, struct random_bo *item)
{
	struct iosys_map map;
	unsigned int i;
	int ret;

	ret = drm_gem_vmap(&item->bo->base, &map);
	KUNIT_EXPECT_EQ(f->test, ret, random_expected(item));
	if (ret)
		return;
	for (i = 0; i < RANDOM_PAGES; i++)
		KUNIT_EXPECT_EQ(f->test, *(u64 *)(map.vaddr + i * PAGE_SIZE), item->word[i]);
	i = drm_sgt_kunit_below(&f->rnd, RANDOM_PAGES);
	item->word[i] = prandom_u32_state(&f->rnd);
	*(u64 *)(map.vaddr + i * PAGE_SIZE) = item->word[i];
	drm_gem_vunmap(&item->bo->base, &map);
}

/* A process reads and writes; of an object that was purged, it gets a SIGBUS. */
static void random_check_user(struct gem_random *f, struct random_bo *item)
{
	unsigned int i = drm_sgt_kunit_below(&f->rnd, RANDOM_PAGES);
	u64 __user *p = (u64 __user *)(item->addr + i * PAGE_SIZE);
	unsigned long left;
	u64 word = 0;

	left = copy_from_user(&word, p, sizeof(word));
	KUNIT_EXPECT_EQ(f->test, !left, !item->purged);
	if (left)
		return;
	KUNIT_EXPECT_EQ(f->test, word, item->word[i]);
	item->word[i] = prandom_u32_state(&f->rnd);
	KUNIT_EXPECT_EQ(f->test, 0, copy_to_user(p, &item->word[i], sizeof(word)));
}

static void random_map(struct gem_random *f, struct random_bo *item)
{
	KUNIT_EXPECT_EQ(f->test, drm_gem_sgt_map(item->bo),
			random_expected(item) ?: f->bound ? 0 : -ENODEV);
}

static void random_unmap(struct gem_random *f, struct random_bo *item)
{
	KUNIT_EXPECT_EQ(f->test, 0, drm_sgt_unmap(item->bo->sgt));
}

static void random_pin(struct gem_random *f, struct random_bo *item)
{
	int ret = drm_gem_sgt_pin(item->bo);

	KUNIT_EXPECT_EQ(f->test, ret, random_expected(item));
	item->pins += !ret;
}

static void random_unpin(struct gem_random *f, struct random_bo *item)
{
	if (!item->pins)
		return;
	drm_gem_sgt_unpin(item->bo);
	item->pins--;
}

static void random_attach(struct gem_random *f, struct random_bo *item)
{
	struct dma_buf_attachment *attach;

	if (item->attach)
		return;
	attach = dma_buf_attach(item->buf, f->importer);
	KUNIT_EXPECT_EQ(f->test, PTR_ERR_OR_ZERO(attach), random_expected(item));
	if (!IS_ERR(attach))
		item->attach = attach;
}

static void random_detach(struct gem_random *f, struct random_bo *item)
{
	if (item->attach)
		dma_buf_detach(item->buf, item->attach);
	item->attach = NULL;
}

static void random_share(struct gem_random *f, struct random_bo *item)
{
	struct dma_buf *buf;

	/* Seldom, as nothing undoes it. */
	if (drm_sgt_kunit_below(&f->rnd, 8))
		return;
	buf = drm_gem_sgt_prime_export(&item->bo->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(f->test, buf);
	dma_buf_put(buf);
	item->shared = true;
}

static void random_madvise(struct gem_random *f, struct random_bo *item)
{
	int madv = drm_sgt_kunit_below(&f->rnd, 2);

	dma_resv_lock(item->bo->base.resv, NULL);
	KUNIT_EXPECT_EQ(f->test, drm_gem_sgt_madvise_locked(item->bo, madv), !item->purged);
	dma_resv_unlock(item->bo->base.resv);
	if (!item->purged)
		item->madv = madv;
}

/* The pages of an object are gone if a call says so, and only then. */
static void random_expect_empty(struct gem_random *f, struct random_bo *item)
{
	KUNIT_EXPECT_EQ(f->test, drm_sgt_get_state(item->bo->sgt), DRM_SGT_EMPTY);
}

static void random_purge(struct gem_random *f, struct random_bo *item)
{
	int ret;

	dma_resv_lock(item->bo->base.resv, NULL);
	ret = drm_gem_sgt_purge_locked(item->bo);
	dma_resv_unlock(item->bo->base.resv);
	KUNIT_EXPECT_EQ(f->test, ret, item->purged || random_is_purgeable(item) ? 0 : -EBUSY);
	if (ret)
		return;
	item->purged = true;
	item->madv = -1;
	random_expect_empty(f, item);
	KUNIT_EXPECT_EQ(f->test, item->bo->base.filp->f_mapping->nrpages, 0);
}

static void random_evict(struct gem_random *f, struct random_bo *item)
{
	int ret = gem_kunit_evict(item->bo);

	KUNIT_EXPECT_EQ(f->test, ret, random_is_kept(item) ? -EBUSY : 0);
	if (!ret)
		random_expect_empty(f, item);
}

/* A scan takes what it finds, but purges only what may be purged. */
static void random_scan(struct gem_random *f, struct random_bo *unused)
{
	struct shrinker *shrinker = f->item[0].bo->shrinker->shrinker;
	struct shrink_control sc = {
		.nr_to_scan = 1 + drm_sgt_kunit_below(&f->rnd, RANDOM_BOS * RANDOM_PAGES),
	};
	unsigned int i;

	if (shrinker->count_objects(shrinker, &sc))
		KUNIT_EXPECT_GT(f->test, shrinker->scan_objects(shrinker, &sc), 0);
	for (i = 0; i < RANDOM_BOS; i++) {
		struct random_bo *item = &f->item[i];

		if (item->purged || READ_ONCE(item->bo->madv) >= 0)
			continue;
		KUNIT_EXPECT_TRUE(f->test, random_is_purgeable(item));
		item->purged = true;
		item->madv = -1;
		random_expect_empty(f, item);
	}
}

static void random_unbind(struct gem_random *f, struct random_bo *unused)
{
	if (!f->bound || drm_sgt_kunit_below(&f->rnd, 4))
		return;
	drm_sgt_kunit_owner_unbind(&f->owner);
	f->bound = false;
}

static void random_open(struct gem_random *f, struct random_bo *item)
{
	*item = (struct random_bo) {};
	item->bo = drm_gem_sgt_create(f->drm, f->owner.sdev, RANDOM_SIZE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(f->test, item->bo);
	item->buf = drm_gem_prime_export(&item->bo->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(f->test, item->buf);
	item->addr = vm_mmap(item->buf->file, 0, RANDOM_SIZE, PROT_READ | PROT_WRITE,
			     MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(f->test, IS_ERR_VALUE(item->addr));
}

static void random_close(struct gem_random *f, struct random_bo *item)
{
	random_check_vmap(f, item);
	random_detach(f, item);
	while (item->pins)
		random_unpin(f, item);
	KUNIT_EXPECT_EQ(f->test, 0, vm_munmap(item->addr, RANDOM_SIZE));
	dma_buf_put(item->buf);
	drm_gem_object_put(&item->bo->base);
}

static void random_replace(struct gem_random *f, struct random_bo *item)
{
	random_close(f, item);
	random_open(f, item);
}

static void (*const random_calls[])(struct gem_random *f, struct random_bo *item) = {
	random_check_vmap, random_check_user, random_check_user, random_map, random_map,
	random_unmap, random_pin, random_unpin, random_unpin, random_attach, random_detach,
	random_detach, random_share, random_madvise, random_madvise, random_purge, random_evict,
	random_evict, random_scan, random_unbind, random_replace,
};

static void random_begin(struct gem_random *f)
{
	unsigned int i;

	drm_sgt_kunit_owner_bind(&f->owner);
	f->bound = true;
	f->drm = drm_dev_alloc(&random_driver, f->dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(f->test, f->drm);
	KUNIT_ASSERT_EQ(f->test, 0, drmm_gem_sgt_shrinker_init(f->drm, &random_ops));
	for (i = 0; i < RANDOM_BOS; i++)
		random_open(f, &f->item[i]);
}

static void random_end(struct gem_random *f)
{
	unsigned int i;

	for (i = 0; i < RANDOM_BOS; i++)
		random_close(f, &f->item[i]);
	flush_delayed_fput();
	if (f->bound)
		drm_sgt_kunit_owner_unbind(&f->owner);
	drm_dev_put(f->drm);
	drm_sgt_kunit_owner_put(&f->owner);
}

/* Give the case's thread an address space, which is freed with the thread. */
static void random_attach_mm(struct kunit *test)
{
	struct file *filp = shmem_file_setup("kunit", PAGE_SIZE, mk_vma_flags(VMA_NORESERVE_BIT));
	unsigned long addr;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	addr = kunit_vm_mmap(test, filp, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
	fput(filp);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr) || !addr);
}

/* Bytes and errnos are those of the shadow, whatever came before. */
static void gem_reclaim_in_any_order(struct kunit *test)
{
	struct gem_random *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct drm_sgt_kunit_crew *crew;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->test = test;
	drm_sgt_kunit_seed(test, &f->rnd);
	random_attach_mm(test);
	/* This one stays, as the last DRM device to be freed unmounts a file system. */
	gem_kunit_card(test, "card", &random_driver);
	f->dev = drm_sgt_kunit_dma_device(test, "card-random", UINT_MAX, ULONG_MAX);
	f->importer = drm_sgt_kunit_dma_device(test, "importer", UINT_MAX, ULONG_MAX);
	drm_sgt_kunit_owner_init(&f->owner, test, "owner");
	kunit_activate_static_stub(test, drm_gem_sgt_can_swap, random_has_swap);
	crew = drm_sgt_kunit_crew_create(test);

	while (drm_sgt_kunit_crew_again(crew, 2000)) {
		random_begin(f);
		for (i = 0; i < RANDOM_STEPS; i++) {
			u32 op = drm_sgt_kunit_below(&f->rnd, ARRAY_SIZE(random_calls));
			u32 item = drm_sgt_kunit_below(&f->rnd, RANDOM_BOS);

			random_calls[op](f, &f->item[item]);
		}
		random_end(f);
	}
}

static struct kunit_case drm_gem_sgt_reclaim_stress_cases[] = {
	KUNIT_CASE_SLOW(gem_reclaim_in_any_order),
	{}
};

static struct kunit_suite drm_gem_sgt_reclaim_stress_suite = {
	.name = "drm_gem_sgt_reclaim_stress",
	.test_cases = drm_gem_sgt_reclaim_stress_cases,
};

kunit_test_suite(drm_gem_sgt_reclaim_stress_suite);
