// SPDX-License-Identifier: GPL-2.0

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "drm_gpupt_internal.h"

static void drm_gpupt_op_begin(struct drm_gpupt_op *op, struct drm_gpupt *pt,
			       u64 va, u64 len)
{
	op->pt = pt;
	op->va = va;
	op->len = len;
	op->offset = 0;
	op->prot = 0;
	op->replace = false;
	op->merge = false;
	op->flush = false;
	op->drops = false;
	op->nr_steps = 0;
	op->nr_tables = 0;
	op->steps = op->inline_steps;
	op->max_steps = ARRAY_SIZE(op->inline_steps);
}

static void drm_gpupt_op_end(struct drm_gpupt_op *op)
{
	if (op->steps != op->inline_steps)
		kvfree(op->steps);
	op->steps = NULL;
	op->nr_steps = 0;
	op->state = DRM_GPUPT_OP_IDLE;
}

static void drm_gpupt_undo_locked(struct drm_gpupt_op *op, struct list_head *unused)
{
	struct drm_gpupt *pt = op->pt;

	lockdep_assert_held(&pt->plan_lock);

	while (op->nr_steps) {
		drm_gpupt_relax(op->nr_steps);
		drm_gpupt_undo_step(pt, &op->steps[--op->nr_steps], unused);
	}
	drm_gpupt_op_end(op);
}

/* Get the next @nr tables without memory, and advance @step past them. */
static void drm_gpupt_op_new_tables(struct drm_gpupt_step **step, unsigned int nr,
				    struct drm_gpupt_table **tables)
{
	unsigned int i = 0;

	for (; i < nr; (*step)++)
		if ((*step)->kind == DRM_GPUPT_STEP_NEW ||
		    (*step)->kind == DRM_GPUPT_STEP_SPLIT)
			tables[i++] = (*step)->child;
}

static int drm_gpupt_op_give_memory_locked(struct drm_gpupt_op *op)
{
	struct drm_gpupt_table *tables[DRM_GPUPT_MEM_MAX_PAGES];
	struct drm_gpupt_step *step = op->steps;
	struct drm_gpupt *pt = op->pt;
	unsigned int left = op->nr_tables;
	LIST_HEAD(unused);
	int ret;

	lockdep_assert_held(&pt->plan_lock);

	while (left) {
		struct drm_gpupt_mem *mem;

		if (fatal_signal_pending(current))
			return -EINTR;
		mem = drm_gpupt_mem_alloc(pt, left);
		if (IS_ERR(mem))
			return PTR_ERR(mem);

		drm_gpupt_op_new_tables(&step, mem->nr_pages, tables);
		ret = drm_gpupt_mem_give(pt, mem, tables);
		if (ret) {
			list_add(&mem->entry, &unused);
			drm_gpupt_mem_free_list(&unused);
			return ret;
		}
		left -= mem->nr_pages;
	}
	return 0;
}

/* End a prepare: allocate memory for the planned tables, or undo the plan on an error. */
static int drm_gpupt_op_finish_locked(struct drm_gpupt_op *op, int ret,
				      struct list_head *unused)
{
	struct drm_gpupt *pt = op->pt;

	lockdep_assert_held(&pt->plan_lock);

	if (!ret && op->nr_tables)
		ret = drm_gpupt_op_give_memory_locked(op);
	if (ret) {
		drm_gpupt_dbg(pt, "%s of %#llx bytes at %#llx: %pe\n",
			      op->is_map ? "map" : "unmap", op->len, op->va,
			      ERR_PTR(ret));
		drm_gpupt_undo_locked(op, unused);
		return ret;
	}

	op->seq = ++pt->planned;
	op->state = DRM_GPUPT_OP_PREPARED;
	return 0;
}

static int drm_gpupt_check_range(struct drm_gpupt *pt, u64 va, u64 len)
{
	u64 mask = drm_gpupt_span(pt, 0) - 1, size = pt->va_size;

	if (!len || va & mask || (len & mask && !pt->fmt->partial_last_leaf)) {
		drm_gpupt_dbg(pt, "%#llx bytes at %#llx: not of leaves of %#llx\n",
			      len, va, mask + 1);
		return -EINVAL;
	}
	if (len > size || va > size - len) {
		drm_gpupt_dbg(pt, "%#llx bytes at %#llx: VA ends at %#llx\n",
			      len, va, size);
		return -EINVAL;
	}
	return 0;
}

static int drm_gpupt_check_op(struct drm_gpupt *pt, const struct drm_gpupt_op *op,
			      u64 va, u64 len)
{
	if (op->state != DRM_GPUPT_OP_IDLE) {
		drm_gpupt_dbg(pt, "the operation is in use\n");
		return -EBUSY;
	}
	if (drm_sgt_device_is_gone(pt->sdev))
		return -ENODEV;
	return drm_gpupt_check_range(pt, va, len);
}

/*
 * Does the plan depend on the segments? If no large leaf is possible and all addresses
 * fit, the tables that a map needs follow from its VA alone.
 */
static bool drm_gpupt_segments_matter(const struct drm_gpupt *pt, u64 len,
				      const struct drm_dma_view view)
{
	struct drm_dma_measure measure = drm_dma_view_measure(view);
	u64 large = pt->large_leaf;

	return measure.bits & (drm_gpupt_span(pt, 0) - 1) ||
	       fls64(measure.last) > pt->fmt->addr_bits ||
	       (large && len >= large && measure.longest >= large);
}

static int drm_gpupt_plan_op_locked(struct drm_gpupt_op *op, struct drm_gpupt_plan *plan)
{
	struct drm_gpupt *pt = op->pt;
	u64 end = op->va + round_up(op->len, drm_gpupt_span(pt, 0));

	lockdep_assert_held(&pt->plan_lock);

	return op->is_map ? drm_gpupt_plan_map(plan, op->va, end) :
			    drm_gpupt_plan_unmap(plan, op->va, end);
}

/*
 * @plan has an iterator if the segments matter. The callers do not initialise @plan,
 * as the compiler would then zero all of it, which takes a tenth of the time of a
 * short map.
 */
static int drm_gpupt_prepare(struct drm_gpupt_op *op, struct drm_gpupt_plan *plan)
{
	struct drm_gpupt *pt = op->pt;
	LIST_HEAD(unused);
	int ret;

	might_alloc(GFP_KERNEL);

	plan->pt = pt;
	plan->op = op;
	plan->seg.len = 0;
	mutex_lock(&pt->plan_lock);
	ret = drm_gpupt_plan_op_locked(op, plan);
	ret = drm_gpupt_op_finish_locked(op, ret, &unused);
	mutex_unlock(&pt->plan_lock);

	if (!list_empty(&unused))
		drm_gpupt_mem_free_list(&unused);
	return ret;
}

static int drm_gpupt_prepare_leaves(struct drm_gpupt *pt, struct drm_gpupt_op *op, u64 va,
				    u64 len, const struct drm_dma_view view, u64 offset,
				    u32 prot, bool replace)
{
	struct drm_gpupt_plan plan __uninitialized;
	int ret;

	ret = drm_gpupt_check_op(pt, op, va, len);
	if (ret)
		return ret;
	if (offset & (drm_gpupt_span(pt, 0) - 1) || prot & ~pt->fmt->prot) {
		drm_gpupt_dbg(pt, "offset %#llx, prot %#x\n", offset, prot);
		return -EINVAL;
	}

	ret = drm_dma_view_check(view, offset, len);
	if (ret) {
		drm_gpupt_dbg(pt, "%#llx bytes at %#llx of %#llx\n", len, offset,
			      drm_dma_view_size(view));
		return ret;
	}

	drm_gpupt_op_begin(op, pt, va, len);
	op->is_map = true;
	op->replace = replace;
	op->offset = offset;
	op->prot = prot;
	op->merge = drm_gpupt_segments_matter(pt, len, view);
	if (op->merge) {
		ret = drm_dma_iter_init(&plan.iter, view, offset, len);
		if (ret)
			return ret;
	}
	return drm_gpupt_prepare(op, &plan);
}

/**
 * drm_gpupt_prepare_map() - prepare to map a VA range
 * @pt: the page table
 * @op: idle; must not be moved from here on
 * @va: first byte of the range, a multiple of the smallest leaf
 * @len: bytes, a multiple of the smallest leaf
 * @view: the memory
 * @offset: first byte in @view, a multiple of the smallest leaf
 * @prot: DRM_GPUPT_*, a subset of &drm_gpupt_fmt.prot
 *
 * Checks the range against the plan, and allocates exactly the tables that are
 * missing there. Large leaves are used wherever the VA, the address, the length
 * and adjacent segments allow. The caller keeps the memory mapped for DMA until the
 * range is unmapped here, or the device is unbound.
 *
 * If the format has &drm_gpupt_fmt.partial_last_leaf, @len may end inside a leaf.
 *
 * Context: Process context, may sleep. Inside the access section of @view, or
 * while a borrowed view is valid.
 * Return:
 * * %0       - @op is prepared; on an error, nothing has changed
 * * %-EINVAL - @va, @len, @offset, a DMA address or the length of a segment is not a
 *   multiple of the smallest leaf, @len is 0, the range is beyond the VA space, or
 *   @prot has unsupported bits
 * * %-ERANGE - @view has less than @len bytes at @offset
 * * %-EEXIST - a part of the range is mapped in the plan
 * * %-EOVERFLOW - an address, of memory or of a table, has more bits than an entry holds
 * * %-ENOSPC - more tables than &drm_gpupt_config.max_tables
 * * %-EBUSY  - @op is not idle
 * * %-EINTR  - the task is being killed
 * * %-ENOMEM - out of memory, or see drm_sgt_map()
 * * %-ENODEV - the device is no longer bound
 */
int drm_gpupt_prepare_map(struct drm_gpupt *pt, struct drm_gpupt_op *op, u64 va,
			  u64 len, const struct drm_dma_view view, u64 offset,
			  u32 prot)
{
	return drm_gpupt_prepare_leaves(pt, op, va, len, view, offset, prot, false);
}
EXPORT_SYMBOL_GPL(drm_gpupt_prepare_map);

/**
 * drm_gpupt_prepare_replace() - prepare to map a VA range in place of what is mapped there
 * @pt: the page table
 * @op: idle; must not be moved from here on
 * @va: first byte of the range, a multiple of the smallest leaf
 * @len: bytes, a multiple of the smallest leaf
 * @view: the memory
 * @offset: first byte in @view, a multiple of the smallest leaf
 * @prot: DRM_GPUPT_*, a subset of &drm_gpupt_fmt.prot
 *
 * Like drm_gpupt_prepare_map(), but all, some or nothing of the range can be mapped before.
 * Each entry changes with one store. So where something is mapped before and after, there
 * is no moment of nothing, and the device does not fault: it uses the old or the new
 * memory, and only the new one once the commit has flushed. For a device that must not see
 * two sizes of leaves at an address, unmap and map instead: there is no break-before-make.
 *
 * drm_gpupt_commit_map() commits it. If the device is unbound and drm_gpupt_commit() does,
 * the range is empty in the live table.
 *
 * Context: As drm_gpupt_prepare_map().
 * Return: see drm_gpupt_prepare_map(), but not %-EEXIST
 */
int drm_gpupt_prepare_replace(struct drm_gpupt *pt, struct drm_gpupt_op *op, u64 va,
			      u64 len, const struct drm_dma_view view, u64 offset,
			      u32 prot)
{
	return drm_gpupt_prepare_leaves(pt, op, va, len, view, offset, prot, true);
}
EXPORT_SYMBOL_GPL(drm_gpupt_prepare_replace);

/**
 * drm_gpupt_prepare_unmap() - prepare to unmap a VA range
 * @pt: the page table
 * @op: idle; must not be moved from here on
 * @va: first byte of the range, a multiple of the smallest leaf
 * @len: bytes, a multiple of the smallest leaf, or as for drm_gpupt_prepare_map()
 *
 * A leaf that is only in part in the range is split: this allocates a table for smaller
 * leaves. Tables that become empty are unlinked.
 *
 * If the format has &drm_gpupt_fmt.partial_last_leaf, @len may end inside a leaf, all of
 * which is unmapped.
 *
 * Context: Process context, may sleep.
 * Return:
 * * %0       - @op is prepared; on an error, nothing has changed
 * * %-EINVAL - @va or @len is not a multiple of the smallest leaf, @len is 0, or the
 *   range is beyond the VA space
 * * %-ENOENT - a part of the range is not mapped in the plan
 * * %-ENOSPC - more tables than &drm_gpupt_config.max_tables
 * * %-EBUSY  - @op is not idle
 * * %-EINTR  - the task is being killed
 * * %-EOVERFLOW - the address of a table has more bits than an entry holds
 * * %-ENOMEM - out of memory, or see drm_sgt_map()
 * * %-ENODEV - the device is no longer bound
 */
int drm_gpupt_prepare_unmap(struct drm_gpupt *pt, struct drm_gpupt_op *op, u64 va,
			    u64 len)
{
	struct drm_gpupt_plan plan __uninitialized;
	int ret;

	ret = drm_gpupt_check_op(pt, op, va, len);
	if (ret)
		return ret;

	drm_gpupt_op_begin(op, pt, va, len);
	op->is_map = false;
	return drm_gpupt_prepare(op, &plan);
}
EXPORT_SYMBOL_GPL(drm_gpupt_prepare_unmap);

/**
 * drm_gpupt_abort() - undo a prepare
 * @op: the newest prepared operation; nothing happens if it is idle
 *
 * Restores the plan as it was before @op was prepared, and frees the tables that were
 * allocated for it.
 *
 * Context: Process context, may sleep. Not in the fence-signalling path.
 * Return:
 * * %0      - @op is idle now
 * * %-EBUSY - @op is not the newest, or is committed
 */
int drm_gpupt_abort(struct drm_gpupt_op *op)
{
	struct drm_gpupt *pt = op->pt;
	LIST_HEAD(unused);

	might_alloc(GFP_KERNEL);

	if (op->state == DRM_GPUPT_OP_IDLE)
		return 0;

	scoped_guard(mutex, &pt->plan_lock) {
		if (op->state != DRM_GPUPT_OP_PREPARED || op->seq != pt->planned)
			return -EBUSY;

		pt->planned--;
		drm_gpupt_undo_locked(op, &unused);
	}
	drm_gpupt_mem_free_list(&unused);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_gpupt_abort);

static void drm_gpupt_op_free_tables(struct drm_gpupt_op *op)
{
	struct drm_gpupt *pt = op->pt;
	LIST_HEAD(unused);
	unsigned int i;

	mutex_lock(&pt->plan_lock);
	for (i = 0; i < op->nr_steps; i++)
		if (op->steps[i].kind == DRM_GPUPT_STEP_UNLINK ||
		    op->steps[i].kind == DRM_GPUPT_STEP_COLLAPSE)
			drm_gpupt_table_free_all(pt, op->steps[i].child, &unused);
	mutex_unlock(&pt->plan_lock);

	drm_gpupt_mem_free_list(&unused);
}

/**
 * drm_gpupt_op_fini() - finish an operation, and free the tables that it unlinked
 * @op: committed; nothing happens if it is idle
 *
 * The commit has flushed the device, or drm_gpupt_flush_gathered() has. @op is idle
 * afterwards, and can be used again.
 *
 * Context: Process context, may sleep. Not in the fence-signalling path: it takes the
 * lock of prepares, under which memory is allocated. So it is not called by the worker
 * that commits, but by another one.
 */
void drm_gpupt_op_fini(struct drm_gpupt_op *op)
{
	/* Annotate the calls that have nothing to free as well. */
	might_alloc(GFP_KERNEL);

	if (op->state == DRM_GPUPT_OP_IDLE ||
	    WARN_ON_ONCE(op->state != DRM_GPUPT_OP_COMMITTED))
		return;

	if (op->drops) {
		drm_gpupt_flush_late(op);
		drm_gpupt_op_free_tables(op);
	}
	drm_gpupt_op_end(op);
}
EXPORT_SYMBOL_GPL(drm_gpupt_op_fini);

/**
 * drm_gpupt_op_tables() - count the tables that an operation adds
 * @op: prepared, or committed
 *
 * Context: Any.
 * Return: number of tables that were allocated for @op
 */
unsigned int drm_gpupt_op_tables(const struct drm_gpupt_op *op)
{
	return op->nr_tables;
}
EXPORT_SYMBOL_GPL(drm_gpupt_op_tables);
