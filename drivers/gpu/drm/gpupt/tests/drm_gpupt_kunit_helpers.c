// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-mapping.h>
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "drm_gpupt_kunit_helpers.h"

static const struct drm_gpupt_fmt *const pt_formats[] = {
	&drm_gpupt_x86_64, &drm_gpupt_radix3, &drm_gpupt_vtd2, &drm_gpupt_kunit_toy,
	&drm_gpupt_kunit_odd, &drm_gpupt_kunit_tiny,
};

static void pt_format_desc(const struct drm_gpupt_fmt *const *fmt, char *desc)
{
	strscpy(desc, (*fmt)->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(pt_format, pt_formats, pt_format_desc);

COMPAT_GEN_PARAMS(drm_gpupt_kunit_formats)
{
	return pt_format_gen_params(COMPAT_GEN_ARGS);
}

/*
 * Table memory
 */

/*
 * A device that is not coherent. It has memory of its own for each mapped page, which is
 * filled with garbage, and sees only what is synced. On a kernel that skips syncs which a
 * device does not need, it sees the page itself.
 */
#define GPUPT_GARBAGE	0x5b

static void pt_dma_unmap(struct drm_sgt *sgt)
{
	struct scatterlist *sg;
	unsigned int i;
	void *memory;

	for_each_sgtable_sg(&sgt->table, sg, i) {
		memory = drm_gpupt_kunit_memory(sg_dma_address(sg));
		sg_dma_address(sg) = DMA_MAPPING_ERROR;
		if (memory && memory != sg_virt(sg))
			free_pages_exact(memory, sg->length);
	}
}

static int pt_dma_map(struct drm_sgt *sgt)
{
	bool sync = dma_dev_need_sync(sgt->sdev->dma_dev);
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(&sgt->table, sg, i)
		sg_dma_address(sg) = DMA_MAPPING_ERROR;
	for_each_sgtable_sg(&sgt->table, sg, i) {
		void *memory = sync ? alloc_pages_exact(sg->length, GFP_KERNEL) : sg_virt(sg);
		unsigned int done;

		if (!memory) {
			pt_dma_unmap(sgt);
			return -ENOMEM;
		}
		sg_dma_address(sg) = virt_to_phys(memory) + DRM_GPUPT_KUNIT_TABLES;
		sg_dma_len(sg) = sg->length;
		if (!sync)
			continue;
		memset(memory, GPUPT_GARBAGE, sg->length);
		for (done = 0; done < sg->length; done += PAGE_SIZE)
			set_page_private(virt_to_page(memory + done),
					 (unsigned long)sg_virt(sg) + done);
	}
	sgt->table.nents = sgt->table.orig_nents;
	return 0;
}

static void pt_dma_sync(struct device *dev, dma_addr_t addr, size_t len,
			enum dma_data_direction dir)
{
	while (len) {
		size_t part = min(len, PAGE_SIZE - offset_in_page(addr));
		void *memory = drm_gpupt_kunit_memory(addr);

		memcpy(memory, (void *)page_private(virt_to_page(memory)) + offset_in_page(addr),
		       part);
		addr += part;
		len -= part;
	}
}

static bool pt_dma_need_sync(struct device *dev, dma_addr_t addr)
{
	return true;
}

static const struct drm_sgt_kunit_dma pt_dma = {
	.map = pt_dma_map,
	.unmap = pt_dma_unmap,
	.need_sync = pt_dma_need_sync,
	.sync_for_device = pt_dma_sync,
};

/* The memory that the device sees at a DMA address, or NULL. */
void *drm_gpupt_kunit_memory(u64 addr)
{
	u64 phys = addr - DRM_GPUPT_KUNIT_TABLES;

	if (addr < DRM_GPUPT_KUNIT_TABLES || !pfn_valid(PHYS_PFN(phys)))
		return NULL;
	return phys_to_virt(phys);
}

/* The DMA address of the root table. */
static u64 pt_root(struct drm_gpupt_kunit *ctx)
{
	u64 root = 0;
	int ret;

	drm_sgt_access_scope(view, drm_gpupt_root(ctx->pt), ret)
		root = drm_dma_view_first(view);
	KUNIT_EXPECT_EQ(ctx->test, ret, 0);
	return root;
}

static void pt_read_table(const struct drm_gpupt_fmt *fmt, const void *table, unsigned int level,
			  struct drm_gpupt_kunit_shape *shape)
{
	const unsigned int size = fmt->entry_size << fmt->level[level].bits;
	const void *entry, *child;
	bool empty = true;

	shape->tables++;
	shape->hash = jhash(table, size, shape->hash);
	for (entry = table; entry != table + size; entry += fmt->entry_size) {
		struct drm_gpupt_extent extent = {};

		switch (fmt->read(entry, level, &extent)) {
		case DRM_GPUPT_ENTRY_NONE:
			continue;
		case DRM_GPUPT_ENTRY_LEAF:
			shape->leaves[level]++;
			shape->wild += !fmt->level[level].leaf;
			break;
		case DRM_GPUPT_ENTRY_TABLE:
			child = drm_gpupt_kunit_memory(extent.seg.addr);
			if (level && child)
				pt_read_table(fmt, child, level - 1, shape);
			else
				shape->wild++;
			break;
		}
		empty = false;
	}
	shape->empty += empty && level != fmt->levels - 1;
}

/* Read all tables, as the device does: from the root. */
struct drm_gpupt_kunit_shape drm_gpupt_kunit_read(struct drm_gpupt_kunit *ctx)
{
	const struct drm_gpupt_fmt *fmt = ctx->window.fmt;
	struct drm_gpupt_kunit_shape shape = {};

	pt_read_table(fmt, ctx->root, fmt->levels - 1, &shape);
	return shape;
}

/*
 * The page table
 */

struct drm_gpupt_info drm_gpupt_kunit_info(struct drm_gpupt_kunit *ctx)
{
	struct drm_gpupt_info info;

	KUNIT_EXPECT_EQ(ctx->test, 0, drm_gpupt_get_info(ctx->pt, &info));
	return info;
}

/* Record everything that can be observed of a page table. */
struct drm_gpupt_kunit_trace drm_gpupt_kunit_trace(struct drm_gpupt_kunit *ctx)
{
	return (struct drm_gpupt_kunit_trace) {
		.shape = drm_gpupt_kunit_read(ctx),
		.info = drm_gpupt_kunit_info(ctx),
		.stats = drm_sgt_kunit_stats(ctx->d->sdev),
	};
}

/* Expect the same as in @was, in memory and in the counters. */
void drm_gpupt_kunit_check_trace(struct drm_gpupt_kunit *ctx,
				 const struct drm_gpupt_kunit_trace *was)
{
	struct drm_gpupt_kunit_trace now = drm_gpupt_kunit_trace(ctx);

	KUNIT_EXPECT_EQ(ctx->test, now.shape.hash, was->shape.hash);
	KUNIT_EXPECT_EQ(ctx->test, now.info.tables, was->info.tables);
	KUNIT_EXPECT_EQ(ctx->test, now.info.in_flight, was->info.in_flight);
	KUNIT_EXPECT_EQ(ctx->test, now.info.mapped, was->info.mapped);
	KUNIT_EXPECT_EQ(ctx->test, now.stats.mapped, was->stats.mapped);
	KUNIT_EXPECT_EQ(ctx->test, now.stats.tables, was->stats.tables);
}

static void pt_flush(void *priv, const struct drm_gpupt_flush *flush)
{
	struct drm_gpupt_kunit *ctx = priv;

	ctx->flush.calls++;
	ctx->flush.va = flush->va;
	ctx->flush.len = flush->len;
	ctx->flush.tables = flush->tables;
	/* The tables of a device that is gone are not mapped. */
	if (!drm_sgt_device_is_gone(ctx->d->sdev))
		ctx->flush.shape = drm_gpupt_kunit_read(ctx);
	ctx->flush.stats = drm_sgt_kunit_stats(ctx->d->sdev);
}

static const struct drm_gpupt_config pt_config = {
	.flush = pt_flush,
};

static void pt_free(void *data)
{
	struct drm_gpupt_kunit *ctx = data;
	unsigned int i;

	while (ctx->in_flight)
		drm_gpupt_kunit_abort(ctx);
	drm_gpupt_destroy(ctx->pt);
	for (i = 0; i <= DRM_GPUPT_KUNIT_OPS; i++)
		kvfree(ctx->cells[i]);
}

/* Create a page table and its device, which are freed and checked at the end of the case. */
struct drm_gpupt_kunit *drm_gpupt_kunit_create(struct kunit *test, const struct drm_gpupt_fmt *fmt)
{
	struct drm_gpupt_kunit *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->test = test;
	ctx->window.fmt = fmt;
	ctx->d = drm_sgt_kunit_bind(test);
	drm_sgt_kunit_replace_dma(test, &pt_dma);

	ctx->pt = drm_gpupt_create(fmt, ctx->d->sdev, &pt_config, ctx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->pt);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, pt_free, ctx));
	ctx->root = drm_gpupt_kunit_memory(pt_root(ctx));
	KUNIT_ASSERT_NOT_NULL(test, ctx->root);
	ctx->empty = drm_gpupt_kunit_info(ctx).tables;
	drm_gpupt_kunit_look_around(ctx, 0);
	return ctx;
}

/* Set a window of @nr cells from @va on; nothing is mapped or in flight. */
void drm_gpupt_kunit_look_at(struct drm_gpupt_kunit *ctx, u64 va, u64 cell, unsigned int nr)
{
	unsigned int i;

	KUNIT_ASSERT_EQ(ctx->test, ctx->in_flight, 0);
	KUNIT_ASSERT_LE(ctx->test, cell, BIT_ULL(drm_gpupt_kunit_table_shift(ctx->window.fmt, 0)));
	KUNIT_ASSERT_LE(ctx->test, va + cell * nr, drm_gpupt_kunit_space(ctx->window.fmt));
	ctx->window.va = va;
	ctx->window.cell = cell;
	ctx->window.nr = nr;
	for (i = 0; i <= DRM_GPUPT_KUNIT_OPS; i++) {
		kvfree(ctx->cells[i]);
		ctx->cells[i] = NULL;
	}
	ctx->cells[0] = kvcalloc(nr, sizeof(*ctx->cells[0]), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(ctx->test, ctx->cells[0]);
}

/* Set a window of up to 128 pages, with @va as close to its middle as possible. */
void drm_gpupt_kunit_look_around(struct drm_gpupt_kunit *ctx, u64 va)
{
	const u64 page = drm_gpupt_kunit_page(ctx->window.fmt);
	const u64 pages = drm_gpupt_kunit_space(ctx->window.fmt) / page;
	const u64 nr = min(128, pages);
	u64 first = va / page;

	first = min(first - min(first, nr / 2), pages - nr);
	drm_gpupt_kunit_look_at(ctx, first * page, page, nr);
}

/* The index of the @i-th operation in flight; after the last, of the next one. */
static unsigned int pt_op_index(const struct drm_gpupt_kunit *ctx, unsigned int i)
{
	return (ctx->first + i) % DRM_GPUPT_KUNIT_OPS;
}

struct drm_gpupt_op *drm_gpupt_kunit_op(struct drm_gpupt_kunit *ctx, unsigned int i)
{
	return &ctx->op[pt_op_index(ctx, i)];
}

/* Get the cells of the next operation, as a copy of those before it. */
static struct drm_gpupt_kunit_cell *pt_next_cells(struct drm_gpupt_kunit *ctx)
{
	const size_t size = ctx->window.nr * sizeof(*ctx->cells[0]);
	struct drm_gpupt_kunit_cell **next = &ctx->cells[ctx->in_flight + 1];

	KUNIT_ASSERT_LT(ctx->test, ctx->in_flight, DRM_GPUPT_KUNIT_OPS);
	if (!*next)
		*next = kvmalloc(size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(ctx->test, *next);
	memcpy(*next, ctx->cells[ctx->in_flight], size);
	return *next;
}

/* Count a new operation as in flight; it must have the tables that the flat map needs. */
static void pt_prepared(struct drm_gpupt_kunit *ctx)
{
	struct drm_gpupt_op *op = drm_gpupt_kunit_op(ctx, ctx->in_flight++);

	KUNIT_EXPECT_EQ(ctx->test, drm_gpupt_op_tables(op),
			drm_gpupt_kunit_flat_tables(&ctx->window, ctx->cells[ctx->in_flight],
						    ctx->cells[ctx->in_flight - 1]));
	KUNIT_EXPECT_EQ(ctx->test, drm_gpupt_kunit_info(ctx).in_flight, ctx->in_flight);
}

static int pt_map(struct drm_gpupt_kunit *ctx, u64 va, u64 len,
		  const struct drm_gpupt_kunit_mem *mem, u64 offset, u32 prot, bool replace)
{
	typeof(drm_gpupt_prepare_map) *prepare = replace ? drm_gpupt_prepare_replace :
							   drm_gpupt_prepare_map;
	const struct drm_gpupt_kunit_window *w = &ctx->window;
	unsigned int first = (va - w->va) / w->cell, nr = len / w->cell;
	struct drm_gpupt_kunit_cell *cells = pt_next_cells(ctx);
	unsigned int i = pt_op_index(ctx, ctx->in_flight), mapped;
	int ret;

	ret = prepare(ctx->pt, &ctx->op[i], va, len, drm_gpupt_kunit_view(mem), offset, prot);
	if (ret)
		return ret;

	mapped = drm_gpupt_kunit_flat_mapped(cells, first, nr);
	if (replace)
		drm_gpupt_kunit_flat_unmap(w, cells, first, nr);
	else
		KUNIT_EXPECT_EQ(ctx->test, mapped, 0);
	ctx->mem[i] = mem;
	ctx->replaces[i] = mapped;
	drm_gpupt_kunit_mem_to_cells(mem, offset, prot, cells + first, nr, w->cell);
	drm_gpupt_kunit_flat_choose(w, cells, first, nr);
	pt_prepared(ctx);
	return 0;
}

/* Prepare a map of whole cells. If that succeeds, do the same to the flat maps. */
int drm_gpupt_kunit_map(struct drm_gpupt_kunit *ctx, u64 va, u64 len,
			const struct drm_gpupt_kunit_mem *mem, u64 offset, u32 prot)
{
	return pt_map(ctx, va, len, mem, offset, prot, false);
}

/* The same, in place of what is mapped. */
int drm_gpupt_kunit_replace(struct drm_gpupt_kunit *ctx, u64 va, u64 len,
			    const struct drm_gpupt_kunit_mem *mem, u64 offset, u32 prot)
{
	return pt_map(ctx, va, len, mem, offset, prot, true);
}

/* The same for an unmap. */
int drm_gpupt_kunit_unmap(struct drm_gpupt_kunit *ctx, u64 va, u64 len)
{
	const struct drm_gpupt_kunit_window *w = &ctx->window;
	unsigned int first = (va - w->va) / w->cell, nr = len / w->cell;
	struct drm_gpupt_kunit_cell *cells = pt_next_cells(ctx);
	unsigned int i = pt_op_index(ctx, ctx->in_flight);
	int ret;

	ret = drm_gpupt_prepare_unmap(ctx->pt, &ctx->op[i], va, len);
	if (ret)
		return ret;

	ctx->mem[i] = NULL;
	KUNIT_EXPECT_EQ(ctx->test, drm_gpupt_kunit_flat_mapped(cells, first, nr), nr);
	drm_gpupt_kunit_flat_unmap(w, cells, first, nr);
	pt_prepared(ctx);
	return 0;
}

/*
 * Commit the oldest operation. An unmap flushes its range, after the table was changed;
 * a map does not flush, unless it replaces something.
 */
void drm_gpupt_kunit_commit(struct drm_gpupt_kunit *ctx)
{
	struct drm_gpupt_op *op = drm_gpupt_kunit_op(ctx, 0);
	const struct drm_gpupt_kunit_mem *mem = ctx->mem[ctx->first];
	struct drm_gpupt_kunit_cell *was = ctx->cells[0];
	unsigned int calls = ctx->flush.calls;

	if (mem) {
		drm_gpupt_commit_map(op, drm_gpupt_kunit_view(mem));
		KUNIT_EXPECT_EQ(ctx->test, ctx->flush.calls, calls + ctx->replaces[ctx->first]);
	} else {
		drm_gpupt_commit(op);
		KUNIT_EXPECT_EQ(ctx->test, ctx->flush.calls, calls + 1);
		KUNIT_EXPECT_EQ(ctx->test, ctx->flush.shape.hash, drm_gpupt_kunit_read(ctx).hash);
	}
	drm_gpupt_op_fini(op);

	memmove(&ctx->cells[0], &ctx->cells[1], ctx->in_flight * sizeof(ctx->cells[0]));
	ctx->cells[ctx->in_flight] = was;
	ctx->first = pt_op_index(ctx, 1);
	ctx->in_flight--;
}

void drm_gpupt_kunit_commit_all(struct drm_gpupt_kunit *ctx)
{
	while (ctx->in_flight)
		drm_gpupt_kunit_commit(ctx);
	drm_gpupt_kunit_check(ctx);
}

/* Abort the newest operation. */
void drm_gpupt_kunit_abort(struct drm_gpupt_kunit *ctx)
{
	ctx->in_flight--;
	KUNIT_EXPECT_EQ(ctx->test, 0, drm_gpupt_abort(drm_gpupt_kunit_op(ctx, ctx->in_flight)));
}

/* Prepare, commit and check a map or an unmap, when nothing else is in flight. */
void drm_gpupt_kunit_map_now(struct drm_gpupt_kunit *ctx, u64 va, u64 len,
			     const struct drm_gpupt_kunit_mem *mem, u64 offset, u32 prot)
{
	KUNIT_ASSERT_EQ_MSG(ctx->test, 0, drm_gpupt_kunit_map(ctx, va, len, mem, offset, prot),
			    "map of %#llx at %#llx", len, va);
	drm_gpupt_kunit_commit_all(ctx);
}

void drm_gpupt_kunit_unmap_now(struct drm_gpupt_kunit *ctx, u64 va, u64 len)
{
	KUNIT_ASSERT_EQ_MSG(ctx->test, 0, drm_gpupt_kunit_unmap(ctx, va, len),
			    "unmap of %#llx at %#llx", len, va);
	drm_gpupt_kunit_commit_all(ctx);
}

/*
 * Checks against the flat map
 */

/*
 * A walk, and the cells that it has not reached. A failure is reported after the walk,
 * as a report allocates memory.
 */
struct pt_walk {
	struct drm_gpupt_kunit *ctx;
	unsigned int i;
	unsigned int end;
	/* the first wrong extent, and the expected one */
	struct drm_gpupt_extent is;
	struct drm_gpupt_extent want;
};

/* Is the cell after @i in the same extent? */
static bool pt_goes_on(const struct drm_gpupt_kunit *ctx, unsigned int i)
{
	const struct drm_gpupt_kunit_cell *cell = &ctx->cells[0][i];

	return cell[1].leaf && cell[1].prot == cell->prot &&
	       cell[1].addr == cell->addr + ctx->window.cell;
}

static int pt_check_extent(void *arg, const struct drm_gpupt_extent *extent)
{
	struct pt_walk *walk = arg;
	struct drm_gpupt_kunit *ctx = walk->ctx;
	const struct drm_gpupt_kunit_cell *cell = &ctx->cells[0][walk->i];
	struct drm_gpupt_extent want = {
		.va = drm_gpupt_kunit_va(ctx, walk->i),
		.seg = { .addr = cell->addr, .len = ctx->window.cell },
		.prot = cell->prot,
	};

	for (; walk->i + 1 < walk->end && pt_goes_on(ctx, walk->i); walk->i++)
		want.seg.len += ctx->window.cell;
	walk->i++;
	if (extent->va == want.va && extent->seg.addr == want.seg.addr &&
	    extent->seg.len == want.seg.len && extent->prot == want.prot)
		return 0;

	walk->is = *extent;
	walk->want = want;
	return -EPROTO;
}

/* Walk cells that are all mapped, or all holes. */
static void pt_check_walk(struct drm_gpupt_kunit *ctx, unsigned int first, unsigned int end)
{
	struct pt_walk walk = { .ctx = ctx, .i = first, .end = end };
	bool hole = !ctx->cells[0][first].leaf;
	int ret = drm_gpupt_walk(ctx->pt, drm_gpupt_kunit_va(ctx, first),
				 (u64)(end - first) * ctx->window.cell, pt_check_extent, &walk);

	KUNIT_EXPECT_EQ_MSG(ctx->test, ret, hole ? -EFAULT : 0, "cells %u to %u", first, end);
	if (ret == -EPROTO)
		KUNIT_FAIL(ctx->test, "%#llx: %#llx to %#llx, %#x; not %#llx: %#llx to %#llx, %#x",
			   walk.is.va, walk.is.seg.len, (u64)walk.is.seg.addr, walk.is.prot,
			   walk.want.va, walk.want.seg.len, (u64)walk.want.seg.addr,
			   walk.want.prot);
	KUNIT_EXPECT_EQ(ctx->test, walk.i, hole ? first : end);
}

static void pt_check_walks(struct drm_gpupt_kunit *ctx)
{
	const struct drm_gpupt_kunit_cell *cells = ctx->cells[0];
	unsigned int first, end, nr = ctx->window.nr;

	for (first = 0; first < nr; first = end) {
		end = first + 1;
		while (end < nr && !cells[end].leaf == !cells[first].leaf)
			end++;
		pt_check_walk(ctx, first, end);
	}
}

static void pt_check_leaves(struct drm_gpupt_kunit *ctx, const char *whose, const u64 *leaves)
{
	u64 expect[DRM_GPUPT_MAX_LEVELS];
	unsigned int i;

	drm_gpupt_kunit_flat_leaves(&ctx->window, ctx->cells[0], expect);
	for (i = 0; i < DRM_GPUPT_MAX_LEVELS; i++)
		KUNIT_EXPECT_EQ_MSG(ctx->test, leaves[i], expect[i], "leaves of level %u, %s",
				    i, whose);
}

/* Expect the tables and leaves of @cells[0], whatever is in flight. */
void drm_gpupt_kunit_check(struct drm_gpupt_kunit *ctx)
{
	const struct drm_gpupt_kunit_window *w = &ctx->window;
	struct drm_gpupt_kunit_shape shape = drm_gpupt_kunit_read(ctx);
	struct drm_gpupt_info info = drm_gpupt_kunit_info(ctx);
	unsigned int i, tables = drm_gpupt_kunit_flat_tables(w, ctx->cells[0], NULL);
	u64 leaves[DRM_GPUPT_MAX_LEVELS];

	KUNIT_EXPECT_EQ(ctx->test, shape.wild, 0);
	KUNIT_EXPECT_EQ(ctx->test, shape.empty, 0);
	KUNIT_EXPECT_EQ(ctx->test, shape.tables, 1 + tables);
	pt_check_leaves(ctx, "in memory", shape.leaves);

	for (i = 0; i < ctx->in_flight; i++)
		tables += drm_gpupt_op_tables(drm_gpupt_kunit_op(ctx, i));
	KUNIT_EXPECT_EQ(ctx->test, info.tables, ctx->empty + tables);
	KUNIT_EXPECT_EQ(ctx->test, info.in_flight, ctx->in_flight);
	KUNIT_EXPECT_EQ(ctx->test, info.mapped,
			drm_gpupt_kunit_flat_mapped(ctx->cells[0], 0, w->nr) * w->cell);
	pt_check_leaves(ctx, "in the info", info.leaves);

	KUNIT_EXPECT_EQ(ctx->test, 0,
			drm_gpupt_count_leaves(ctx->pt, w->va, w->nr * w->cell, leaves));
	pt_check_leaves(ctx, "counted", leaves);
	pt_check_walks(ctx);
}
