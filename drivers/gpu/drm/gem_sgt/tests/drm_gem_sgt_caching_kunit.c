// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/mman.h>
#include <linux/vmalloc.h>

#include "drm_gem_sgt_kunit_helpers.h"
#include "drm_sgt_kunit_exporter.h"

/*
 * Caching: how the CPU maps an object whose device is not coherent, and when the
 * pages are flushed.
 */

/* Stands for the write-combined attribute: UML has none. No PTE gets it. */
#define CACHING_WC	BIT(BITS_PER_LONG - 2)

struct gem_caching {
	struct kunit *test;
	struct drm_sgt_kunit *ctx;
	struct gem_kunit *f;
	struct drm_gem_sgt_object *bo;
};

/* What the stub of drm_sgt_vmap_array() got last. */
static pgprot_t caching_vmap_prot;

static bool caching_not_coherent(struct device *dev)
{
	return false;
}

static pgprot_t caching_fake_wc(pgprot_t prot)
{
	return __pgprot(pgprot_val(prot) | CACHING_WC);
}

static void *caching_fake_vmap(struct page **pages, unsigned long n, pgprot_t prot)
{
	caching_vmap_prot = prot;
	return vmap(pages, n, VM_MAP, PAGE_KERNEL);
}

static struct gem_caching caching_on(struct kunit *test, struct drm_sgt_kunit_device *d)
{
	struct gem_caching c = { .test = test, .ctx = test->priv };

	/* Before any object: stubs go in the reverse order. */
	drm_sgt_kunit_stub_dma(c.ctx);
	drm_sgt_kunit_stub_sync(c.ctx);
	kunit_activate_static_stub(test, drm_sgt_pgprot_wc, caching_fake_wc);
	kunit_activate_static_stub(test, drm_sgt_vmap_array, caching_fake_vmap);
	c.f = gem_kunit_create_on(test, &gem_kunit_driver_with_objects, d);
	return c;
}

/* An object, write-combined or not, and the devices are not coherent. */
static struct gem_caching caching_create(struct kunit *test, bool wc)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct gem_caching c;

	if (!dma_dev_need_sync(d->dev))
		kunit_skip(test, "nothing to sync here without CONFIG_DMA_API_DEBUG");

	c = caching_on(test, d);
	kunit_activate_static_stub(test, drm_sgt_dma_is_coherent, caching_not_coherent);
	c.f->map_wc = wc;
	c.bo = gem_kunit_bo(c.f, GEM_KUNIT_SIZE);
	KUNIT_ASSERT_EQ(test, c.bo->map_wc, wc);
	return c;
}

static void caching_expect_no_syncs(struct gem_caching *c)
{
	KUNIT_EXPECT_EQ(c->test, c->ctx->nr_syncs, 0);
	c->ctx->nr_syncs = 0;
}

/* Call number @n and the following ones sync all pages. Returns the next one. */
static unsigned int caching_check_all(struct gem_caching *c, unsigned int n,
				      enum dma_data_direction dir, bool for_cpu)
{
	dma_addr_t addr = c->ctx->map.base;
	dma_addr_t end = addr + GEM_KUNIT_SIZE;

	for (; addr < end; n++) {
		const struct drm_sgt_kunit_sync *sync = &c->ctx->sync[n];

		KUNIT_ASSERT_LT(c->test, n, c->ctx->nr_syncs);
		KUNIT_EXPECT_PTR_EQ(c->test, sync->dev, c->f->d->dev);
		KUNIT_EXPECT_EQ(c->test, sync->addr, addr);
		KUNIT_EXPECT_EQ(c->test, sync->dir, dir);
		KUNIT_EXPECT_EQ(c->test, sync->for_cpu, for_cpu);
		addr += sync->len;
	}
	KUNIT_EXPECT_EQ(c->test, addr, end);
	return n;
}

/* The pages were flushed once, and what was mapped for that is unmapped. */
static void caching_expect_flush(struct gem_caching *c)
{
	unsigned int n;

	n = caching_check_all(c, 0, DMA_BIDIRECTIONAL, false);
	n = caching_check_all(c, n, DMA_BIDIRECTIONAL, true);
	KUNIT_EXPECT_EQ(c->test, c->ctx->nr_syncs, n);
	KUNIT_EXPECT_EQ(c->test, c->ctx->maps, c->ctx->unmaps);
	c->ctx->nr_syncs = 0;
}

static void caching_dma_buf_put(void *buf)
{
	dma_buf_put(buf);
	flush_delayed_fput();
}

static struct dma_buf *caching_export(struct gem_caching *c)
{
	struct dma_buf *buf = drm_gem_sgt_prime_export(&c->bo->base, O_RDWR);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(c->test, buf);
	KUNIT_ASSERT_EQ(c->test, 0,
			kunit_add_action_or_reset(c->test, caching_dma_buf_put, buf));
	return buf;
}

static void caching_check_vmap(struct gem_caching *c, struct dma_buf *buf, pgprot_t prot)
{
	struct iosys_map map;

	caching_vmap_prot = __pgprot(0);
	KUNIT_ASSERT_EQ(c->test, 0, dma_buf_vmap_unlocked(buf, &map));
	KUNIT_EXPECT_EQ(c->test, pgprot_val(caching_vmap_prot), pgprot_val(prot));
	dma_buf_vunmap_unlocked(buf, &map);
}

/* Map once more into a VMA of the process, as the core gives it its own attributes. */
static void caching_check_mmap(struct gem_caching *c, struct dma_buf *buf, bool wc)
{
	struct mm_struct *mm;
	struct vm_area_struct *vma;
	unsigned long addr;
	pgprot_t prot;

	addr = kunit_vm_mmap(c->test, buf->file, 0, buf->size, PROT_READ | PROT_WRITE,
			     MAP_SHARED, 0);
	KUNIT_ASSERT_NE(c->test, addr, 0);
	KUNIT_ASSERT_FALSE(c->test, IS_ERR_VALUE(addr));

	mm = current->mm;
	mmap_write_lock(mm);
	vma = vma_lookup(mm, addr);
	prot = vma->vm_page_prot;
	KUNIT_EXPECT_EQ(c->test, 0, drm_gem_sgt_mmap(c->bo, vma));
	KUNIT_EXPECT_EQ(c->test, !!(pgprot_val(vma->vm_page_prot) & CACHING_WC), wc);
	vma->vm_page_prot = prot;
	mmap_write_unlock(mm);
	KUNIT_EXPECT_EQ(c->test, 0, vm_munmap(addr, buf->size));
}

/* Each mapping of the CPU, by the driver or by an importer, is of one kind. */
static void caching_check_maps(struct gem_caching *c, bool wc)
{
	struct dma_buf *buf = caching_export(c);

	caching_check_vmap(c, buf, wc ? caching_fake_wc(PAGE_KERNEL) : PAGE_KERNEL);
	caching_check_mmap(c, buf, wc);
	kunit_release_action(c->test, caching_dma_buf_put, buf);
}

/*
 * A write-combined object: mapped so by everything, flushed before the first CPU
 * mapping, and never again while it has its pages.
 */
static void caching_of_a_wc_object(struct kunit *test)
{
	struct gem_caching c = caching_create(test, true);

	caching_expect_no_syncs(&c);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_pin(c.bo));
	caching_expect_flush(&c);
	caching_check_maps(&c, true);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c.bo));
	caching_check_maps(&c, true);
	caching_expect_no_syncs(&c);
	drm_gem_sgt_unpin(c.bo);
}

/* A CPU mapping is write-combined when it is the first to need pages, too. */
static void caching_of_a_wc_object_that_is_new(struct kunit *test)
{
	struct gem_caching c = caching_create(test, true);

	caching_check_maps(&c, true);
	caching_expect_flush(&c);
}

/*
 * A cached object: the device sees the zeroes, and not what they cleared, each time
 * that the object is mapped for it; and nothing is flushed for the CPU.
 */
static void caching_of_a_cached_object(struct kunit *test)
{
	struct gem_caching c = caching_create(test, false);
	unsigned int n;

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_pin(c.bo));
	caching_check_maps(&c, false);
	caching_expect_no_syncs(&c);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c.bo));
	n = caching_check_all(&c, 0, DMA_BIDIRECTIONAL, false);
	KUNIT_EXPECT_EQ(test, c.ctx->nr_syncs, n);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(c.bo->sgt));
	c.ctx->nr_syncs = 0;
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(c.bo->sgt, DMA_TO_DEVICE));
	n = caching_check_all(&c, 0, DMA_TO_DEVICE, false);
	KUNIT_EXPECT_EQ(test, c.ctx->nr_syncs, n);
	drm_gem_sgt_unpin(c.bo);
}

static const bool caching_wc[] = { true, false };

static void caching_wc_desc(const bool *wc, char *desc)
{
	strscpy(desc, *wc ? "write-combined" : "cached", KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(caching_wc, caching_wc, caching_wc_desc);

static void caching_expect_cached(struct gem_caching *c)
{
	c->f->map_wc = *(const bool *)c->test->param_value;
	c->bo = gem_kunit_bo(c->f, GEM_KUNIT_SIZE);
	KUNIT_ASSERT_EQ(c->test, 0, drm_gem_sgt_map(c->bo));
	caching_check_maps(c, false);
	caching_expect_no_syncs(c);
}

/* A device that sees the caches: nothing is flushed, and the CPU uses its caches. */
static void caching_on_a_coherent_device(struct kunit *test)
{
	struct gem_caching c = caching_on(test, drm_sgt_kunit_bind(test));

	caching_expect_cached(&c);
}

/* Without a DMA device, there is none to ask. */
static void caching_in_physical_mode(struct kunit *test)
{
	struct gem_caching c = caching_on(test, drm_sgt_kunit_bind_phys(test, NULL));

	kunit_activate_static_stub(test, drm_sgt_dma_is_coherent, caching_not_coherent);
	caching_expect_cached(&c);
}

/* After unbind, pages keep their caching, and new ones are cached: no DMA API. */
static void caching_over_an_unbind(struct kunit *test)
{
	struct gem_caching c = caching_create(test, true);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c.bo));
	drm_sgt_kunit_unbind(c.f->d);
	c.ctx->nr_syncs = 0;
	c.ctx->maps = 0;
	caching_check_maps(&c, true);

	c.bo = gem_kunit_bo(c.f, GEM_KUNIT_SIZE);
	caching_check_maps(&c, false);
	KUNIT_EXPECT_EQ(test, c.ctx->maps, 0);
	caching_expect_no_syncs(&c);
}

/* The bytes that reclaim writes to swap are in memory; new pages start anew. */
static void caching_ends_with_the_pages(struct kunit *test)
{
	struct gem_caching c = caching_create(test, true);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(c.bo->sgt));
	caching_expect_flush(&c);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_depopulate(c.bo->sgt));
	caching_expect_flush(&c);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_depopulate(c.bo->sgt));
	caching_expect_no_syncs(&c);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(c.bo->sgt));
	caching_expect_flush(&c);

	/* Without a device, there is no flush. */
	drm_sgt_kunit_unbind(c.f->d);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_depopulate(c.bo->sgt));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(c.bo->sgt), DRM_SGT_BACKED);
	caching_check_maps(&c, true);
	caching_expect_no_syncs(&c);
}

/*
 * Write-combined pages are flushed when they are evicted, once. Without a device, they
 * stay, mapped as they were; but a purge needs no flush.
 */
static void caching_of_evicted_pages(struct kunit *test)
{
	struct gem_caching c = caching_create(test, true);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c.bo));
	c.ctx->nr_syncs = 0;
	dma_resv_lock(c.bo->base.resv, NULL);
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_evict_locked(c.bo));
	caching_expect_flush(&c);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(c.bo->sgt), DRM_SGT_EMPTY);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c.bo));
	dma_resv_unlock(c.bo->base.resv);

	drm_sgt_kunit_unbind(c.f->d);
	c.ctx->nr_syncs = 0;
	dma_resv_lock(c.bo->base.resv, NULL);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_gem_sgt_evict_locked(c.bo));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(c.bo->sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, 1, drm_gem_sgt_madvise_locked(c.bo, 1));
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_purge_locked(c.bo));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(c.bo->sgt), DRM_SGT_EMPTY);
	dma_resv_unlock(c.bo->base.resv);
	caching_expect_no_syncs(&c);
}

/*
 * Cached pages are flushed before an eviction ends their mapping, if the device may have
 * written; if their bytes are not needed any more, they are not.
 */
static void caching_of_evicted_cached_pages(struct kunit *test)
{
	struct gem_caching c = caching_create(test, false);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c.bo));
	c.ctx->nr_syncs = 0;
	dma_resv_lock(c.bo->base.resv, NULL);
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_evict_locked(c.bo));
	caching_expect_flush(&c);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map_attrs(c.bo, DMA_TO_DEVICE, 0));
	c.ctx->nr_syncs = 0;
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_evict_locked(c.bo));
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_evict_locked(c.bo));
	caching_expect_no_syncs(&c);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c.bo));
	c.ctx->nr_syncs = 0;
	KUNIT_EXPECT_EQ(test, 1, drm_gem_sgt_madvise_locked(c.bo, 1));
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_purge_locked(c.bo));
	dma_resv_unlock(c.bo->base.resv);
	caching_expect_no_syncs(&c);
}

/* A bounce buffer for one table, of memory that is never merged */
static struct drm_sgt *caching_bounced;
static char caching_slot[GEM_KUNIT_SIZE];

static size_t caching_bounce(u64 offset, size_t len, bool to_slot)
{
	struct sg_table *table = &caching_bounced->table;

	return to_slot ? sg_pcopy_to_buffer(table->sgl, table->orig_nents,
					    caching_slot + offset, len, offset) :
			 sg_pcopy_from_buffer(table->sgl, table->orig_nents,
					      caching_slot + offset, len, offset);
}

static int caching_bounce_map(struct drm_sgt *sgt)
{
	dma_addr_t addr = SZ_1G;
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(&sgt->table, sg, i) {
		sg_dma_address(sg) = addr;
		sg_dma_len(sg) = sg->length;
		addr += sg->length;
	}
	sgt->table.nents = sgt->table.orig_nents;
	caching_bounced = sgt;
	caching_bounce(0, GEM_KUNIT_SIZE, true);
	return 0;
}

/* No sync: DRM_SGT_ATTRS */
static void caching_bounce_unmap(struct drm_sgt *sgt)
{
}

static void caching_bounce_for_device(struct device *dev, dma_addr_t addr, size_t len,
				      enum dma_data_direction dir)
{
	if (dir != DMA_FROM_DEVICE)
		caching_bounce(addr - SZ_1G, len, true);
}

static void caching_bounce_for_cpu(struct device *dev, dma_addr_t addr, size_t len,
				   enum dma_data_direction dir)
{
	if (dir != DMA_TO_DEVICE)
		caching_bounce(addr - SZ_1G, len, false);
}

static char caching_byte(struct gem_caching *c)
{
	struct sg_table *table = &c->bo->sgt->table;
	char byte;

	sg_pcopy_to_buffer(table->sgl, table->orig_nents, &byte, 1, PAGE_SIZE + 1);
	return byte;
}

static const enum dma_data_direction caching_writes[] = { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE };

static void caching_writes_desc(const enum dma_data_direction *dir, char *desc)
{
	strscpy(desc, *dir == DMA_FROM_DEVICE ? "device writes" : "both write",
		KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(caching_writes, caching_writes, caching_writes_desc);

/* Behind a bounce buffer, the eviction does not bring back older bytes. */
static void caching_of_evicted_bounced_pages(struct kunit *test)
{
	enum dma_data_direction dir = *(const enum dma_data_direction *)test->param_value;
	struct gem_caching c = caching_create(test, false);
	char byte = 'x';

	kunit_activate_static_stub(test, drm_sgt_dma_map, caching_bounce_map);
	kunit_activate_static_stub(test, drm_sgt_dma_unmap, caching_bounce_unmap);
	kunit_activate_static_stub(test, drm_sgt_dma_sync_for_device, caching_bounce_for_device);
	kunit_activate_static_stub(test, drm_sgt_dma_sync_for_cpu, caching_bounce_for_cpu);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map_attrs(c.bo, dir, 0));
	sg_pcopy_from_buffer(c.bo->sgt->table.sgl, c.bo->sgt->table.orig_nents, &byte, 1,
			     PAGE_SIZE + 1);
	KUNIT_EXPECT_EQ(test, 0, gem_kunit_evict(c.bo));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(c.bo->sgt));
	KUNIT_EXPECT_EQ(test, caching_byte(&c), byte);
}

/* An eviction whose flush fails can be repeated, and flushes then. */
static void caching_fails_to_flush_evicted_pages(struct kunit *test)
{
	struct gem_caching c = caching_create(test, false);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c.bo));
	c.ctx->nr_syncs = 0;
	c.ctx->map.ret = -ENOMEM;
	KUNIT_EXPECT_EQ(test, -ENOMEM, gem_kunit_evict(c.bo));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(c.bo->sgt), DRM_SGT_BACKED);
	caching_expect_no_syncs(&c);
	c.ctx->map.ret = 0;
	KUNIT_EXPECT_EQ(test, 0, gem_kunit_evict(c.bo));
	caching_expect_flush(&c);
}

/* After an unbind there is no mapping to flush, and no device to flush it for. */
static void caching_of_cached_pages_evicted_after_unbind(struct kunit *test)
{
	struct gem_caching c = caching_create(test, false);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c.bo));
	drm_sgt_kunit_unbind(c.f->d);
	c.ctx->nr_syncs = 0;
	KUNIT_EXPECT_EQ(test, 0, gem_kunit_evict(c.bo));
	caching_expect_no_syncs(&c);
}

static void caching_expect_info(struct gem_caching *c, bool wc)
{
	struct drm_sgt_info info;

	drm_sgt_get_info(c->bo->sgt, &info);
	KUNIT_EXPECT_EQ(c->test, info.wc, wc);
}

/* What debugfs shows: how the pages are mapped, not what was requested. */
static void caching_is_shown(struct kunit *test)
{
	bool wc = *(const bool *)test->param_value;
	struct gem_caching c = caching_create(test, wc);

	caching_expect_info(&c, false);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(c.bo->sgt));
	caching_expect_info(&c, wc);
	dma_resv_lock(c.bo->base.resv, NULL);
	KUNIT_EXPECT_EQ(test, 1, drm_gem_sgt_madvise_locked(c.bo, 1));
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_purge_locked(c.bo));
	dma_resv_unlock(c.bo->base.resv);
	caching_expect_info(&c, false);
}

/* Pages that cannot be flushed are not used, or not given back; later they can. */
static void caching_fails_to_flush(struct kunit *test)
{
	struct gem_caching c = caching_create(test, true);

	c.ctx->map.ret = -ENOMEM;
	KUNIT_EXPECT_EQ(test, -ENOMEM, drm_gem_sgt_pin(c.bo));
	KUNIT_EXPECT_EQ(test, -ENOMEM, drm_gem_sgt_map(c.bo));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(c.bo->sgt), DRM_SGT_EMPTY);
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_set_map_wc(c.bo, true));
	caching_expect_no_syncs(&c);

	c.ctx->map.ret = 0;
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(c.bo->sgt));
	caching_expect_flush(&c);

	c.ctx->map.ret = -ENOMEM;
	KUNIT_EXPECT_EQ(test, -ENOMEM, drm_sgt_depopulate(c.bo->sgt));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(c.bo->sgt), DRM_SGT_BACKED);
	caching_check_maps(&c, true);

	c.ctx->map.ret = 0;
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(c.bo->sgt));
	caching_expect_flush(&c);
}

/* The flush does not change in which direction the table is mapped next. */
static void caching_keeps_the_direction(struct kunit *test)
{
	struct gem_caching c = caching_create(test, true);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(c.bo->sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(c.bo->sgt, DMA_TO_DEVICE));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(c.bo->sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_depopulate(c.bo->sgt));
	KUNIT_EXPECT_EQ(test, c.bo->sgt->dir, DMA_TO_DEVICE);
}

/* A driver chooses as long as there are no pages, either way. */
static void caching_is_chosen_before_the_pages(struct kunit *test)
{
	bool wc = *(const bool *)test->param_value;
	struct gem_caching c = caching_create(test, !wc);

	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_set_map_wc(c.bo, !wc));
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_set_map_wc(c.bo, wc));
	KUNIT_EXPECT_EQ(test, c.bo->map_wc, wc);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(c.bo->sgt));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_gem_sgt_set_map_wc(c.bo, !wc));
	KUNIT_EXPECT_EQ(test, c.bo->map_wc, wc);
	caching_check_maps(&c, wc);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(c.bo));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_gem_sgt_set_map_wc(c.bo, !wc));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(c.bo->sgt));

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_depopulate(c.bo->sgt));
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_set_map_wc(c.bo, !wc));
	KUNIT_EXPECT_EQ(test, c.bo->map_wc, !wc);
	caching_check_maps(&c, !wc);
}

KUNIT_DEFINE_ACTION_WRAPPER(caching_put, drm_gem_object_put, struct drm_gem_object *);

/* The exporter of an import chooses, whatever the driver sets for its objects. */
static void caching_of_an_import(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver_with_objects);
	struct drm_sgt_kunit_exporter *e;
	struct drm_gem_object *obj;
	struct iosys_map map;

	e = drm_sgt_kunit_exporter_create(test, EXPORTER_CACHED, GEM_KUNIT_SIZE, f->d->dev);
	f->map_wc = true;
	obj = drm_gem_sgt_prime_import(f->drm, f->d->sdev, e->buf, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, caching_put, obj));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gem_sgt_set_map_wc(to_drm_gem_sgt_obj(obj), true));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gem_sgt_set_map_wc(to_drm_gem_sgt_obj(obj), false));

	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap(obj, &map));
	KUNIT_EXPECT_PTR_EQ(test, map.vaddr, e->mem);
	drm_gem_vunmap(obj, &map);
}

static struct kunit_case drm_gem_sgt_caching_cases[] = {
	KUNIT_CASE(caching_of_a_wc_object),
	KUNIT_CASE(caching_of_a_wc_object_that_is_new),
	KUNIT_CASE(caching_of_a_cached_object),
	KUNIT_CASE_PARAM(caching_on_a_coherent_device, caching_wc_gen_params),
	KUNIT_CASE_PARAM(caching_in_physical_mode, caching_wc_gen_params),
	KUNIT_CASE(caching_over_an_unbind),
	KUNIT_CASE(caching_ends_with_the_pages),
	KUNIT_CASE(caching_of_evicted_pages),
	KUNIT_CASE(caching_of_evicted_cached_pages),
	KUNIT_CASE_PARAM(caching_of_evicted_bounced_pages, caching_writes_gen_params),
	KUNIT_CASE(caching_fails_to_flush_evicted_pages),
	KUNIT_CASE(caching_of_cached_pages_evicted_after_unbind),
	KUNIT_CASE_PARAM(caching_is_shown, caching_wc_gen_params),
	KUNIT_CASE(caching_fails_to_flush),
	KUNIT_CASE(caching_keeps_the_direction),
	KUNIT_CASE_PARAM(caching_is_chosen_before_the_pages, caching_wc_gen_params),
	KUNIT_CASE(caching_of_an_import),
	{}
};

static struct kunit_suite drm_gem_sgt_caching_suite = {
	.name = "drm_gem_sgt_caching",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gem_sgt_caching_cases,
};

kunit_test_suite(drm_gem_sgt_caching_suite);
