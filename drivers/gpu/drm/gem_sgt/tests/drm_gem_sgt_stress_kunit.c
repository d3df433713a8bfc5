// SPDX-License-Identifier: GPL-2.0

#include <linux/cpumask.h>
#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/iosys-map.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/shmem_fs.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>

#include "drm_gem_sgt_kunit_helpers.h"
#include "drm_sgt_kunit_crew.h"

/*
 * The use of GEM objects while their devices are unbound. Devices A and B have a DRM
 * device each while they are bound. B imports what A exports.
 */

#define GEM_STRESS_PAGES	3
#define GEM_STRESS_SIZE		(GEM_STRESS_PAGES * PAGE_SIZE)

DEFINE_DRM_GEM_FOPS(gem_stress_fops);

/* Without DRIVER_MODESET, as an unplug would need a mode configuration. */
static const struct drm_driver gem_stress_driver = {
	.driver_features = DRIVER_GEM,
	.fops = &gem_stress_fops,
	.name = "drm-gem-sgt-kunit",
	.desc = "drm-gem-sgt-kunit",
};

/* A device, and its DRM device of this round, on a device of its own. */
struct gem_stress_card {
	struct drm_sgt_kunit_owner owner;
	struct device *dev;
	struct drm_device *drm;
};

struct gem_stress {
	struct kunit *test;
	struct rnd_state rnd;
	struct drm_sgt_kunit_crew *crew;
	struct gem_stress_card a;
	struct gem_stress_card b;
	/* of this round: an object of A, its dma-buf, and the import of B */
	struct drm_gem_sgt_object *bo;
	struct dma_buf *buf;
	struct drm_gem_object *import;
	/* the value in each page of @bo, to which the number of the page is added */
	u64 stamp;
	/* the address space of the case's thread, with @buf mapped at @addr */
	struct mm_struct *mm;
	unsigned long addr;
};

static u64 gem_stress_stamp(const struct gem_stress *f, unsigned int page)
{
	return f->stamp + page;
}

/* Check a word of each page of the object at @vaddr. */
static void gem_stress_check(struct gem_stress *f, const void *vaddr)
{
	unsigned int i;

	for (i = 0; i < GEM_STRESS_PAGES; i++)
		KUNIT_EXPECT_EQ(f->test, *(u64 *)(vaddr + i * PAGE_SIZE),
				gem_stress_stamp(f, i));
}

/* Jobs: uses that do not depend on the device */

/* Read the pages as a process, and write them. */
static void gem_stress_read_user(struct gem_stress *f)
{
	unsigned int i;

	for (i = 0; i < GEM_STRESS_PAGES; i++) {
		void __user *p = (void __user *)(f->addr + i * PAGE_SIZE);
		u64 word = 0;

		KUNIT_EXPECT_EQ(f->test, 0, copy_from_user(&word, p, sizeof(word)));
		KUNIT_EXPECT_EQ(f->test, word, gem_stress_stamp(f, i));
		KUNIT_EXPECT_EQ(f->test, 0, copy_to_user(p, &word, sizeof(word)));
	}
}

/* And zap them, so that the next read faults again. */
static void gem_stress_check_user(struct gem_stress *f)
{
	gem_stress_read_user(f);
	/* User Mode Linux cannot zap while an unplug does so, too. */
	if (num_online_cpus() > 1)
		unmap_mapping_range(f->buf->file->f_mapping, 0, 0, 1);
}

static int gem_stress_fault(void *arg)
{
	struct gem_stress *f = arg;
	unsigned int i;

	kthread_use_mm(f->mm);
	for (i = 0; i < 4; i++)
		gem_stress_check_user(f);
	kthread_unuse_mm(f->mm);
	return 0;
}

/* The eviction zaps. */
static int gem_stress_fault_only(void *arg)
{
	struct gem_stress *f = arg;
	unsigned int i;

	kthread_use_mm(f->mm);
	for (i = 0; i < 4; i++)
		gem_stress_read_user(f);
	kthread_unuse_mm(f->mm);
	return 0;
}

static int gem_stress_vmap(void *arg)
{
	struct gem_stress *f = arg;
	struct iosys_map map;
	int ret;

	ret = drm_gem_vmap(&f->bo->base, &map);
	if (ret)
		return ret;
	gem_stress_check(f, map.vaddr);
	drm_gem_vunmap(&f->bo->base, &map);
	return 0;
}

/* As a shrinker does, as far as the others allow. */
static int gem_stress_evict(void *arg)
{
	struct gem_stress *f = arg;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		int ret = gem_kunit_evict(f->bo);

		if (ret && ret != -EBUSY)
			return ret;
	}
	return 0;
}

/* The parent of B's DRM device attaches to the dma-buf of A, without an import. */
static int gem_stress_attach(void *arg)
{
	struct gem_stress *f = arg;
	struct dma_buf_attachment *attach;
	struct sg_table *table;

	attach = dma_buf_attach(f->buf, f->b.dev);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	table = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (!IS_ERR(table))
		dma_buf_unmap_attachment_unlocked(attach, table, DMA_BIDIRECTIONAL);
	dma_buf_detach(f->buf, attach);
	return PTR_ERR_OR_ZERO(table);
}

/* Jobs: uses that end with the device, with -ENODEV */

static int gem_stress_map_another(void *arg)
{
	struct gem_stress *f = arg;
	struct drm_gem_sgt_object *bo;
	int ret;

	bo = drm_gem_sgt_create(f->a.drm, f->a.owner.sdev, GEM_STRESS_SIZE);
	if (IS_ERR(bo))
		return PTR_ERR(bo);
	ret = drm_gem_sgt_map(bo);
	drm_gem_object_put(&bo->base);
	return ret;
}

/* B imports the dma-buf of A, reads it, and drops it. */
static int gem_stress_import(void *arg)
{
	struct gem_stress *f = arg;
	struct drm_gem_object *obj;
	struct iosys_map map;
	int ret;

	obj = drm_gem_sgt_prime_import(f->b.drm, f->b.owner.sdev, f->buf, DMA_TO_DEVICE);
	if (IS_ERR(obj))
		return PTR_ERR(obj);

	ret = drm_gem_vmap(obj, &map);
	KUNIT_EXPECT_EQ(f->test, ret, 0);
	if (!ret) {
		gem_stress_check(f, map.vaddr);
		drm_gem_vunmap(obj, &map);
	}
	drm_gem_object_put(obj);
	return 0;
}

/* B drops its last reference to the import of this round. */
static int gem_stress_close(void *arg)
{
	struct gem_stress *f = arg;

	drm_gem_object_put(f->import);
	f->import = NULL;
	return 0;
}

/* Jobs: unbinds, as by a driver */

static int gem_stress_unbind_a(void *arg)
{
	struct gem_stress *f = arg;

	drm_dev_unplug(f->a.drm);
	drm_sgt_kunit_owner_unbind(&f->a.owner);
	return 0;
}

/* Without the unplug, which zaps: User Mode Linux cannot do so twice at a time. */
static int gem_stress_shutdown_a(void *arg)
{
	struct gem_stress *f = arg;

	drm_sgt_kunit_owner_unbind(&f->a.owner);
	return 0;
}

/* No mapping is left, and no attachment, which could have kept one. */
static int gem_stress_unbind_b(void *arg)
{
	struct gem_stress *f = arg;

	drm_dev_unplug(f->b.drm);
	drm_sgt_kunit_owner_unbind(&f->b.owner);
	dma_resv_lock(f->buf->resv, NULL);
	KUNIT_EXPECT_TRUE(f->test, list_empty(&f->buf->attachments));
	dma_resv_unlock(f->buf->resv);
	return 0;
}

/* Rounds */

static void gem_stress_bind(struct gem_stress *f, struct gem_stress_card *card)
{
	drm_sgt_kunit_owner_bind(&card->owner);
	card->drm = drm_dev_alloc(&gem_stress_driver, card->dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(f->test, card->drm);
	/* drm_dev_unplug() warns of a device that is not registered. */
	KUNIT_ASSERT_EQ(f->test, 0, drm_dev_register(card->drm, 0));
}

static void gem_stress_write(struct gem_stress *f)
{
	struct drm_sgt_run_iter iter;
	struct drm_sgt_run run;
	unsigned int page = 0;
	unsigned long k;

	f->stamp = (u64)prandom_u32_state(&f->rnd) << 32;
	drm_sgt_run_iter_init(&iter, f->bo->sgt);
	while (drm_sgt_run_iter_next(&iter, &run))
		for (k = 0; k < run.nr_pages; k++) {
			u64 *p = kmap_local_page(run.page + k);

			*p = gem_stress_stamp(f, page++);
			kunmap_local(p);
		}
	KUNIT_EXPECT_EQ(f->test, page, GEM_STRESS_PAGES);
}

/* Bind A and B; A exports an object, which its device and a process have mapped. */
static void gem_stress_begin(struct gem_stress *f, bool import)
{
	struct kunit *test = f->test;

	gem_stress_bind(f, &f->a);
	gem_stress_bind(f, &f->b);
	f->bo = drm_gem_sgt_create(f->a.drm, f->a.owner.sdev, GEM_STRESS_SIZE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->bo);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(f->bo));
	gem_stress_write(f);
	f->buf = drm_gem_sgt_prime_export(&f->bo->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->buf);
	f->addr = vm_mmap(f->buf->file, 0, GEM_STRESS_SIZE, PROT_READ | PROT_WRITE,
			  MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(f->addr));
	if (!import)
		return;
	f->import = drm_gem_sgt_prime_import(f->b.drm, f->b.owner.sdev, f->buf, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->import);
}

static void gem_stress_end_card(struct gem_stress_card *card)
{
	drm_dev_put(card->drm);
	card->drm = NULL;
	drm_sgt_kunit_owner_put(&card->owner);
}

/* Unbind what is still bound. The bytes and the CPU mappings have not changed. */
static void gem_stress_end(struct gem_stress *f)
{
	/* gem_stress_shutdown_a() leaves the DRM device registered. */
	if (!drm_sgt_device_is_gone(f->a.owner.sdev))
		gem_stress_unbind_a(f);
	else if (!drm_dev_is_unplugged(f->a.drm))
		drm_dev_unplug(f->a.drm);
	if (!drm_sgt_device_is_gone(f->b.owner.sdev))
		gem_stress_unbind_b(f);
	KUNIT_EXPECT_EQ(f->test, -ENODEV, gem_stress_import(f));
	KUNIT_EXPECT_EQ(f->test, -ENODEV, drm_gem_sgt_map(f->bo));
	gem_stress_check_user(f);
	if (f->import)
		gem_stress_close(f);

	KUNIT_EXPECT_EQ(f->test, 0, vm_munmap(f->addr, GEM_STRESS_SIZE));
	drm_gem_object_put(&f->bo->base);
	dma_buf_put(f->buf);
	flush_delayed_fput();
	gem_stress_end_card(&f->a);
	gem_stress_end_card(&f->b);
}

/* Give the case's thread an address space, which is freed with the thread. */
static void gem_stress_attach_mm(struct gem_stress *f)
{
	struct file *filp = shmem_file_setup("kunit", PAGE_SIZE, mk_vma_flags(VMA_NORESERVE_BIT));
	unsigned long addr;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(f->test, filp);
	addr = kunit_vm_mmap(f->test, filp, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
	fput(filp);
	KUNIT_ASSERT_FALSE(f->test, IS_ERR_VALUE(addr) || !addr);
	f->mm = current->mm;
}

static void gem_stress_init_card(struct gem_stress *f, struct gem_stress_card *card,
				 const char *name, const char *drm_name)
{
	drm_sgt_kunit_owner_init(&card->owner, f->test, name);
	/* It does DMA only in gem_stress_attach(). */
	card->dev = drm_sgt_kunit_dma_device(f->test, drm_name, UINT_MAX, ULONG_MAX);
}

static struct gem_stress *gem_stress_create(struct kunit *test)
{
	struct gem_stress *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->test = test;
	drm_sgt_kunit_seed(test, &f->rnd);
	gem_stress_attach_mm(f);
	/* This one stays, as the last DRM device to be freed unmounts a file system. */
	gem_kunit_card(test, "card", &gem_stress_driver);
	gem_stress_init_card(f, &f->a, "a", "card-a");
	gem_stress_init_card(f, &f->b, "b", "card-b");
	f->crew = drm_sgt_kunit_crew_create(test);
	return f;
}

struct gem_race {
	const char *name;
	drm_sgt_kunit_job_fn fn[DRM_SGT_KUNIT_CREW];
	/* B has imported the dma-buf of A */
	bool import;
	/* the job may fail, as its device is being unbound */
	bool may_fail;
};

static const struct gem_race gem_races[] = {
	{ "fault vs unbind", { gem_stress_fault, gem_stress_unbind_a } },
	{ "vmap vs unbind", { gem_stress_vmap, gem_stress_unbind_a } },
	{ "attach vs unbind", { gem_stress_attach, gem_stress_unbind_a } },
	{ "evict vs unbind", { gem_stress_evict, gem_stress_shutdown_a } },
	{ "evict vs fault and vmap",
	  { gem_stress_evict, gem_stress_fault_only, gem_stress_vmap } },
	{ "evict vs all",
	  { gem_stress_evict, gem_stress_fault_only, gem_stress_attach, gem_stress_shutdown_a } },
	{ "create and map vs unbind", { gem_stress_map_another, gem_stress_unbind_a },
	  .may_fail = true },
	{ "import vs unbind of the importer", { gem_stress_import, gem_stress_unbind_b },
	  .may_fail = true },
	{ "import vs unbind of the exporter", { gem_stress_import, gem_stress_unbind_a } },
	{ "close of an import vs unbind of the importer",
	  { gem_stress_close, gem_stress_unbind_b }, .import = true },
	{ "close of an import vs unbind of both",
	  { gem_stress_close, gem_stress_unbind_b, gem_stress_unbind_a }, .import = true },
	{ "import, fault and both unbinds",
	  { gem_stress_import, gem_stress_fault, gem_stress_unbind_a, gem_stress_unbind_b },
	  .import = true, .may_fail = true },
};

static void gem_race_desc(const struct gem_race *race, char *desc)
{
	strscpy(desc, race->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(gem_race, gem_races, gem_race_desc);

/* A use goes on, or fails with -ENODEV; all mappings have ended when unbind returns. */
static void gem_stress_use_vs_unbind(struct kunit *test)
{
	const struct gem_race *race = test->param_value;
	struct gem_stress *f = gem_stress_create(test);

	while (drm_sgt_kunit_crew_again(f->crew, 1000)) {
		struct drm_sgt_kunit_job jobs[DRM_SGT_KUNIT_CREW];
		unsigned int i, nr;

		for (nr = 0; nr < DRM_SGT_KUNIT_CREW && race->fn[nr]; nr++)
			jobs[nr] = (struct drm_sgt_kunit_job) { race->fn[nr], f };
		gem_stress_begin(f, race->import);
		if (!drm_sgt_kunit_crew_round(f->crew, &f->rnd, jobs, nr))
			break;
		for (i = 0; i < nr; i++)
			if (jobs[i].ret != -ENODEV || !race->may_fail)
				KUNIT_EXPECT_EQ(test, jobs[i].ret, 0);
		gem_stress_end(f);
	}
}

static struct kunit_case drm_gem_sgt_stress_cases[] = {
	KUNIT_CASE_PARAM(gem_stress_use_vs_unbind, gem_race_gen_params),
	{}
};

static struct kunit_suite drm_gem_sgt_stress_suite = {
	.name = "drm_gem_sgt_stress",
	.attr = { .speed = KUNIT_SPEED_SLOW },
	.test_cases = drm_gem_sgt_stress_cases,
};

kunit_test_suite(drm_gem_sgt_stress_suite);
