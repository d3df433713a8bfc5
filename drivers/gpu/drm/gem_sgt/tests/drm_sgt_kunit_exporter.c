// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>

#include "drm_sgt_kunit_exporter.h"

/* An ordinary table: three segments for the device, the same for the CPU. */
const struct drm_sgt_kunit_layout drm_sgt_kunit_layout = {
	.name = "ordinary",
	.seg = { { SZ_1G, 2 * PAGE_SIZE }, { SZ_2G, PAGE_SIZE }, { SZ_1M, 3 * PAGE_SIZE } },
	.nents = 3,
	.orig_nents = 3,
	.expected = { { SZ_1G, 2 * PAGE_SIZE }, { SZ_2G, PAGE_SIZE }, { SZ_1M, 3 * PAGE_SIZE } },
};

/* A table, and its allocated entries, as its own counts are those of the layout. */
struct exporter_table {
	struct sg_table table;
	unsigned int ents;
};

static void exporter_free_table(struct sg_table *table)
{
	struct exporter_table *t = container_of(table, struct exporter_table, table);

	t->table.orig_nents = t->ents;
	sg_free_table(&t->table);
	kfree(t);
}

/* No entry has a page. Entries without a DMA segment have garbage in the DMA fields. */
static struct sg_table *exporter_table(const struct drm_sgt_kunit_layout *layout)
{
	struct exporter_table *t = kzalloc(sizeof(*t), GFP_KERNEL);
	struct scatterlist *sg;
	unsigned int i;

	if (!t)
		return ERR_PTR(-ENOMEM);
	t->ents = max(max(layout->nents, layout->orig_nents), 1);
	if (sg_alloc_table(&t->table, t->ents, GFP_KERNEL)) {
		kfree(t);
		return ERR_PTR(-ENOMEM);
	}
	for_each_sg(t->table.sgl, sg, t->ents, i) {
		bool is_seg = i < layout->nents;

		sg->length = PAGE_SIZE;
		sg_dma_address(sg) = is_seg ? layout->seg[i].addr : 0xdead0000dead0000ULL;
		sg_dma_len(sg) = is_seg ? layout->seg[i].len : 0xdead;
	}
	t->table.nents = layout->nents;
	t->table.orig_nents = layout->orig_nents;
	return &t->table;
}

static int exporter_attach(struct dma_buf *buf, struct dma_buf_attachment *attach)
{
	struct drm_sgt_kunit_exporter *e = buf->priv;

	if (e->fail_attach)
		return e->fail_attach;
	KUNIT_EXPECT_PTR_EQ(e->test, attach->dev, e->dev);
	e->attaches++;
	return 0;
}

/* The last call for an attachment, after the unmap. */
static void exporter_detach(struct dma_buf *buf, struct dma_buf_attachment *attach)
{
	struct drm_sgt_kunit_exporter *e = buf->priv;

	e->detaches++;
	KUNIT_EXPECT_LE(e->test, e->detaches, e->attaches);
	KUNIT_EXPECT_LE(e->test, e->maps - e->unmaps, e->attaches - e->detaches);
}

static int exporter_pin(struct dma_buf_attachment *attach)
{
	struct drm_sgt_kunit_exporter *e = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	if (e->fail_pin)
		return e->fail_pin;
	e->pins++;
	return 0;
}

static void exporter_unpin(struct dma_buf_attachment *attach)
{
	struct drm_sgt_kunit_exporter *e = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	e->unpins++;
}

static struct sg_table *exporter_map(struct dma_buf_attachment *attach,
				     enum dma_data_direction dir)
{
	struct drm_sgt_kunit_exporter *e = attach->dmabuf->priv;
	struct sg_table *table;

	dma_resv_assert_held(attach->dmabuf->resv);
	if (e->move_in_map)
		dma_buf_invalidate_mappings(attach->dmabuf);
	if (e->fail_map)
		return ERR_PTR(e->fail_map);
	table = exporter_table(e->layout);
	if (IS_ERR(table))
		return table;
	e->maps++;
	e->dir = dir;
	attach->priv = (void *)(uintptr_t)dir;
	if (e->bounce)
		memcpy(e->bounce, e->mem, e->buf->size);
	return table;
}

static void exporter_unmap(struct dma_buf_attachment *attach, struct sg_table *table,
			   enum dma_data_direction dir)
{
	struct drm_sgt_kunit_exporter *e = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	KUNIT_EXPECT_EQ(e->test, dir, (enum dma_data_direction)(uintptr_t)attach->priv);
	if (e->bounce && dir != DMA_TO_DEVICE)
		memcpy(e->mem, e->bounce, e->buf->size);
	e->unmaps++;
	exporter_free_table(table);
}

static int exporter_vmap(struct dma_buf *buf, struct iosys_map *map)
{
	struct drm_sgt_kunit_exporter *e = buf->priv;

	dma_resv_assert_held(buf->resv);
	e->vmaps++;
	iosys_map_set_vaddr(map, e->mem);
	return 0;
}

static void exporter_vunmap(struct dma_buf *buf, struct iosys_map *map)
{
	struct drm_sgt_kunit_exporter *e = buf->priv;

	dma_resv_assert_held(buf->resv);
	e->vmaps--;
}

static void exporter_vma_open(struct vm_area_struct *vma)
{
	struct drm_sgt_kunit_exporter *e = vma->vm_private_data;

	e->vmas++;
}

static void exporter_vma_close(struct vm_area_struct *vma)
{
	struct drm_sgt_kunit_exporter *e = vma->vm_private_data;

	e->vmas--;
}

static vm_fault_t exporter_vma_fault(struct vm_fault *vmf)
{
	struct drm_sgt_kunit_exporter *e = vmf->vma->vm_private_data;

	return vmf_insert_pfn(vmf->vma, vmf->address,
			      PHYS_PFN(virt_to_phys(e->mem)) + vmf->pgoff);
}

static const struct vm_operations_struct exporter_vm_ops = {
	.open = exporter_vma_open,
	.close = exporter_vma_close,
	.fault = exporter_vma_fault,
};

/* Expects nothing of the importer in the VMA, and would let it grow. */
static int exporter_mmap(struct dma_buf *buf, struct vm_area_struct *vma)
{
	struct drm_sgt_kunit_exporter *e = buf->priv;

	KUNIT_EXPECT_NULL(e->test, vma->vm_private_data);
	KUNIT_EXPECT_NULL(e->test, vma->vm_ops);
	if (e->fail_mmap)
		return e->fail_mmap;
	vm_flags_set(vma, VM_PFNMAP);
	vma->vm_ops = &exporter_vm_ops;
	vma->vm_private_data = e;
	e->vmas++;
	return 0;
}

static int exporter_begin_cpu_access(struct dma_buf *buf, enum dma_data_direction dir)
{
	struct drm_sgt_kunit_exporter *e = buf->priv;

	e->begins++;
	return 0;
}

static int exporter_end_cpu_access(struct dma_buf *buf, enum dma_data_direction dir)
{
	struct drm_sgt_kunit_exporter *e = buf->priv;

	e->ends++;
	return 0;
}

/* Without a reference, a dma-buf must have no attachment. */
static void exporter_release(struct dma_buf *buf)
{
	struct drm_sgt_kunit_exporter *e = buf->priv;

	KUNIT_EXPECT_EQ(e->test, e->attaches, e->detaches);
	KUNIT_EXPECT_EQ(e->test, e->maps, e->unmaps);
	KUNIT_EXPECT_EQ(e->test, e->pins, e->unpins);
	KUNIT_EXPECT_EQ(e->test, e->vmaps, 0);
	KUNIT_EXPECT_EQ(e->test, e->vmas, 0);
	complete_all(&e->released);
}

#define EXPORTER_OPS				\
	.attach = exporter_attach,		\
	.detach = exporter_detach,		\
	.map_dma_buf = exporter_map,		\
	.unmap_dma_buf = exporter_unmap,	\
	.vmap = exporter_vmap,			\
	.vunmap = exporter_vunmap,		\
	.begin_cpu_access = exporter_begin_cpu_access,	\
	.end_cpu_access = exporter_end_cpu_access,	\
	.release = exporter_release

static const struct dma_buf_ops exporter_ops[] = {
	[EXPORTER_PLAIN] = { EXPORTER_OPS },
	[EXPORTER_CACHED] = { EXPORTER_OPS, COMPAT_CACHE_SGT_MAPPING .mmap = exporter_mmap },
	[EXPORTER_DYNAMIC] = { EXPORTER_OPS, .pin = exporter_pin, .unpin = exporter_unpin },
};

static void exporter_put(void *data)
{
	struct drm_sgt_kunit_exporter *e = data;

	dma_buf_put(e->buf);
}

/* Drop the reference of the case, instead of at its end. */
void drm_sgt_kunit_exporter_put(struct drm_sgt_kunit_exporter *e)
{
	kunit_release_action(e->test, exporter_put, e);
}

/* Wait until the dma-buf is released: a work item closes its file. */
bool drm_sgt_kunit_exporter_released(struct drm_sgt_kunit_exporter *e)
{
	flush_delayed_fput();
	return wait_for_completion_timeout(&e->released, DRM_SGT_KUNIT_PATIENCE);
}

/* Runs last, when no reference may be left. */
static void exporter_end(void *data)
{
	struct drm_sgt_kunit_exporter *e = data;

	KUNIT_EXPECT_TRUE(e->test, drm_sgt_kunit_exporter_released(e));
}

/* The offset of DMA address @addr in the memory */
static u64 exporter_offset(const struct drm_sgt_kunit_exporter *e, dma_addr_t addr)
{
	const struct drm_dma_seg *seg = e->layout->seg;
	u64 offset = 0;

	for (; addr < seg->addr || addr - seg->addr >= seg->len; seg++)
		offset += seg->len;
	return offset + addr - seg->addr;
}

/* The exporter with a bounce buffer, or NULL */
static struct drm_sgt_kunit_exporter *exporter_current(void)
{
	struct drm_sgt_kunit *ctx = kunit_get_current_test()->priv;

	return ctx->bounced;
}

static void exporter_sync_for_device(struct device *dev, dma_addr_t addr, size_t len,
				     enum dma_data_direction dir)
{
	struct drm_sgt_kunit_exporter *e = exporter_current();
	u64 offset;

	if (!e || dir == DMA_FROM_DEVICE)
		return;
	offset = exporter_offset(e, addr);
	memcpy(e->bounce + offset, e->mem + offset, len);
}

static void exporter_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t len,
				  enum dma_data_direction dir)
{
	struct drm_sgt_kunit_exporter *e = exporter_current();
	u64 offset;

	if (!e || dir == DMA_TO_DEVICE)
		return;
	offset = exporter_offset(e, addr);
	memcpy(e->mem + offset, e->bounce + offset, len);
}

/* The DMA API must not see addresses without memory. */
static void exporter_stub_sync(struct kunit *test)
{
	kunit_activate_static_stub(test, drm_sgt_dma_sync_for_device,
				   exporter_sync_for_device);
	kunit_activate_static_stub(test, drm_sgt_dma_sync_for_cpu, exporter_sync_for_cpu);
}

/**
 * drm_sgt_kunit_exporter_create() - export a dma-buf
 * @test: the case
 * @kind: when it maps and unmaps
 * @size: bytes
 * @dev: the device to attach
 *
 * Syncs do nothing from here on, unless the case records them.
 *
 * Return: the exporter; the case has the only reference to its dma-buf
 */
struct drm_sgt_kunit_exporter *
drm_sgt_kunit_exporter_create(struct kunit *test, enum drm_sgt_kunit_exporter_kind kind,
			      size_t size, struct device *dev)
{
	struct drm_sgt_kunit_exporter *e = kunit_kzalloc(test, sizeof(*e), GFP_KERNEL);
	struct dma_buf_export_info info = {
		.exp_name = "kunit",
		.owner = THIS_MODULE,
		.ops = &exporter_ops[kind],
		.size = size,
		.flags = O_RDWR,
		.priv = e,
	};

	KUNIT_ASSERT_NOT_NULL(test, e);
	e->test = test;
	e->kind = kind;
	e->layout = &drm_sgt_kunit_layout;
	e->dev = dev;
	init_completion(&e->released);
	e->mem = kunit_kzalloc(test, size + !size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, e->mem);
	exporter_stub_sync(test);
	e->buf = dma_buf_export(&info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, e->buf);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, exporter_end, e));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, exporter_put, e));
	return e;
}

/* Put a bounce buffer between the memory and the device, until the end of the case. */
void drm_sgt_kunit_exporter_bounce(struct drm_sgt_kunit_exporter *e)
{
	struct drm_sgt_kunit *ctx = e->test->priv;

	kunit_activate_static_stub(e->test, drm_sgt_dma_need_sync, drm_sgt_kunit_need_sync);
	e->bounce = kunit_kzalloc(e->test, e->buf->size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(e->test, e->bounce);
	ctx->bounced = e;
}

/*
 * Move the memory, to where it has the layout @to. Returns -EBUSY if an importer has
 * pinned it. The pins of the core do not count: it has none if importers follow moves.
 */
int drm_sgt_kunit_exporter_move(struct drm_sgt_kunit_exporter *e,
				const struct drm_sgt_kunit_layout *to)
{
	unsigned int core;
	int ret = -EBUSY;

	dma_resv_lock(e->buf->resv, NULL);
	core = COMPAT_DMABUF_MOVE_NOTIFY ? 0 : e->maps - e->unmaps;
	if (e->pins - e->unpins == core) {
		e->layout = to;
		dma_buf_invalidate_mappings(e->buf);
		ret = 0;
	}
	dma_resv_unlock(e->buf->resv);
	return ret;
}

/*
 * Fences
 */

static const char *fence_name(struct dma_fence *fence)
{
	return "kunit";
}

static bool fence_wanted(struct dma_fence *base)
{
	struct drm_sgt_kunit_fence *fence = container_of(base, struct drm_sgt_kunit_fence,
							 base);

	fence->syncs = fence->ctx->nr_syncs;
	WRITE_ONCE(fence->waited, true);
	return fence->pending;
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
	.enable_signaling = fence_wanted,
};

static void fence_put(void *base)
{
	dma_fence_put(base);
}

static struct drm_sgt_kunit_fence *
fence_add(struct kunit *test, struct dma_resv *resv, enum dma_resv_usage usage, bool pending)
{
	struct drm_sgt_kunit_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, fence);
	spin_lock_init(&fence->lock);
	fence->ctx = test->priv;
	fence->pending = pending;
	dma_fence_init(&fence->base, &fence_ops, &fence->lock, dma_fence_context_alloc(1), 1);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, fence_put, &fence->base));
	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, 1);
	if (!ret)
		dma_resv_add_fence(resv, &fence->base, usage);
	dma_resv_unlock(resv);
	KUNIT_ASSERT_EQ(test, 0, ret);
	return fence;
}

/* Add a fence to @resv that signals when it is waited for. */
struct drm_sgt_kunit_fence *
drm_sgt_kunit_fence_add(struct kunit *test, struct dma_resv *resv, enum dma_resv_usage usage)
{
	return fence_add(test, resv, usage, false);
}

/* Add a fence that signals when the case calls dma_fence_signal(). */
struct drm_sgt_kunit_fence *
drm_sgt_kunit_fence_add_pending(struct kunit *test, struct dma_resv *resv,
				enum dma_resv_usage usage)
{
	return fence_add(test, resv, usage, true);
}

/* Expect @begun attachments, each of them mapped, of which @ended have ended. */
void drm_sgt_kunit_exporter_check(struct drm_sgt_kunit_exporter *e, unsigned int begun,
				  unsigned int ended)
{
	/* Our pin, and one of the core if it does not let importers follow moves. */
	unsigned int pins = !e->follows + !COMPAT_DMABUF_MOVE_NOTIFY;

	KUNIT_EXPECT_EQ(e->test, e->attaches, begun);
	KUNIT_EXPECT_EQ(e->test, e->maps, begun);
	KUNIT_EXPECT_EQ(e->test, e->unmaps, ended);
	KUNIT_EXPECT_EQ(e->test, e->detaches, ended);
	KUNIT_EXPECT_EQ(e->test, e->pins - e->unpins,
			e->kind == EXPORTER_DYNAMIC ? (begun - ended) * pins : 0);
}

/* Expect that a walk over @sgt finds exactly the segments of the exporter. */
void drm_sgt_kunit_exporter_check_walk(struct drm_sgt_kunit_exporter *e, struct drm_sgt *sgt)
{
	const struct drm_dma_seg *expected = e->layout->expected;
	u64 size = e->buf->size;
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	int ret;

	drm_sgt_access_scope(view, sgt, ret) {
		KUNIT_EXPECT_EQ(e->test, drm_dma_view_size(view), size);
		KUNIT_EXPECT_EQ(e->test, -ERANGE, drm_dma_iter_init(&iter, view, 0, size + 1));
		ret = drm_dma_iter_init(&iter, view, 0, size);
		if (ret)
			break;
		for (; drm_dma_iter_next(&iter, &seg) && expected->len; expected++) {
			KUNIT_EXPECT_EQ(e->test, seg.addr, expected->addr);
			KUNIT_EXPECT_EQ(e->test, seg.len, expected->len);
		}
		KUNIT_EXPECT_EQ(e->test, seg.len, 0);
		KUNIT_EXPECT_EQ(e->test, expected->len, 0);
	}
	KUNIT_EXPECT_EQ(e->test, ret, 0);
}
