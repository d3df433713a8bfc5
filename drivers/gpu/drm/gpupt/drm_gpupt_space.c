// SPDX-License-Identifier: GPL-2.0

#include <linux/err.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_gpupt_fmt.h>
#include <drm/drm_gpupt_space.h>

#include "drm_gpupt_internal.h"

/**
 * DOC: address spaces
 *
 * A &struct drm_gpupt_space is a page table that knows which buffer is mapped where, for
 * drivers whose maps and unmaps are done when the ioctl returns. A map holds a reference
 * to its buffer until the last byte of it is unmapped, replaced, or the space ends. As in
 * the page table, an unmap may cut a range out of a map, and may cover several.
 *
 * A driver with asynchronous jobs prepares operations in the ioctl and commits them
 * later: it uses the page table itself, with drm_gpuvm for example.
 *
 * Buffers are freed in these functions, which can wait for the resv of an exporter. So
 * the fence-signalling path calls none of them, and the lock of a space is never held
 * there.
 */

/*
 * A map of a buffer, or what is left of it: several ranges, maybe. Their number needs no
 * limit of its own, as each range has a leaf in a table.
 */
struct drm_gpupt_buffer {
	struct drm_gem_object *obj;
	/* of all ranges, in whole leaves */
	u64 bytes;
	/* in a list of those without bytes, which are to be freed */
	struct list_head entry;
};

/**
 * drm_gpupt_space_init() - create the page table of an address space
 * @space: uninitialised
 * @fmt: as for drm_gpupt_create(), with the arguments that follow
 * @sdev: the device that reads the tables
 * @config: what the driver sets
 * @priv: for the callbacks of @config
 *
 * Ownership: the caller ends @space with drm_gpupt_space_fini() if this succeeds.
 *
 * Context: Process context, may sleep.
 * Return: 0, or see drm_gpupt_create()
 */
int drm_gpupt_space_init(struct drm_gpupt_space *space, const struct drm_gpupt_fmt *fmt,
			 struct drm_sgt_device *sdev, const struct drm_gpupt_config *config,
			 void *priv)
{
	struct drm_gpupt *pt = drm_gpupt_create(fmt, sdev, config, priv);

	if (IS_ERR(pt))
		return PTR_ERR(pt);

	space->pt = pt;
	mutex_init(&space->lock);
	mt_init_flags(&space->buffers, MT_FLAGS_LOCK_EXTERN);
	mt_set_external_lock(&space->buffers, &space->lock);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_gpupt_space_init);

/* The length of a range with all of its last leaf: see &drm_gpupt_fmt.partial_last_leaf. */
static u64 gpupt_space_leaves(const struct drm_gpupt_space *space, u64 len)
{
	return round_up(len, drm_gpupt_span(space->pt, 0));
}

/* Subtract a range, and add buffers of which nothing is left to @unmapped. */
static void gpupt_space_drop_locked(struct drm_gpupt_space *space, u64 va, u64 last,
				    struct list_head *unmapped)
{
	MA_STATE(mas, &space->buffers, va, va);
	struct drm_gpupt_buffer *buffer;

	lockdep_assert_held(&space->lock);

	mas_for_each(&mas, buffer, last) {
		buffer->bytes -= min(mas.last, last) - max(mas.index, va) + 1;
		if (!buffer->bytes)
			list_add(&buffer->entry, unmapped);
		cond_resched();
	}
}

static void gpupt_space_free(struct list_head *unmapped)
{
	struct drm_gpupt_buffer *buffer, *next;

	list_for_each_entry_safe(buffer, next, unmapped, entry) {
		drm_gem_object_put(buffer->obj);
		kfree(buffer);
		cond_resched();
	}
}

/**
 * drm_gpupt_space_fini() - free the page table, and drop all buffers
 * @space: the address space, which the device does not use any more
 *
 * Calls no &drm_gpupt_config.flush: the device is detached from the tables.
 *
 * Ownership: drops the references to all mapped buffers.
 *
 * Context: Process context, may sleep, not in the fence-signalling path. No resv held.
 */
void drm_gpupt_space_fini(struct drm_gpupt_space *space)
{
	LIST_HEAD(unmapped);

	scoped_guard(mutex, &space->lock) {
		gpupt_space_drop_locked(space, 0, U64_MAX, &unmapped);
		__mt_destroy(&space->buffers);
	}
	drm_gpupt_destroy(space->pt);
	gpupt_space_free(&unmapped);
	mutex_destroy(&space->lock);
}
EXPORT_SYMBOL_GPL(drm_gpupt_space_fini);

/* Commit a prepared operation, and note @buffer in its range, NULL for an unmap. */
static int gpupt_space_commit_locked(struct drm_gpupt_space *space, struct drm_gpupt_op *op,
				     const struct drm_dma_view *view,
				     struct drm_gpupt_buffer *buffer, struct list_head *unmapped)
{
	MA_STATE(mas, &space->buffers, op->va, op->va + gpupt_space_leaves(space, op->len) - 1);
	int ret;

	lockdep_assert_held(&space->lock);

	ret = mas_preallocate(&mas, buffer, GFP_KERNEL_ACCOUNT);
	if (ret) {
		drm_gpupt_abort(op);
		return ret;
	}

	gpupt_space_drop_locked(space, mas.index, mas.last, unmapped);
	mas_store_prealloc(&mas, buffer);
	if (view)
		drm_gpupt_commit_map(op, *view);
	else
		drm_gpupt_commit(op);
	return 0;
}

static int gpupt_space_map_locked(struct drm_gpupt_space *space, struct drm_gpupt_buffer *buffer,
				  u64 va, u64 len, u64 offset, u32 prot, bool replace,
				  struct list_head *unmapped)
{
	struct drm_gem_sgt_object *bo = to_drm_gem_sgt_obj(buffer->obj);
	struct drm_gpupt_op op = {};
	int ret;

	lockdep_assert_held(&space->lock);

	drm_sgt_access_scope(view, bo->sgt, ret) {
		if (replace)
			ret = drm_gpupt_prepare_replace(space->pt, &op, va, len, view, offset,
							prot);
		else
			ret = drm_gpupt_prepare_map(space->pt, &op, va, len, view, offset, prot);
		if (!ret)
			ret = gpupt_space_commit_locked(space, &op, &view, buffer, unmapped);
	}
	drm_gpupt_op_fini(&op);
	return ret;
}

/**
 * drm_gpupt_space_map() - map a part of a buffer
 * @space: the address space
 * @bo: the buffer, which is mapped for DMA if it is not
 * @va: first byte of the range
 * @len: bytes
 * @offset: first byte in the buffer
 * @prot: DRM_GPUPT_*
 * @replace: unmap what is in the range; otherwise the range must be empty
 *
 * While a range is replaced, the device finds the old or the new memory at any time.
 *
 * Ownership: the range holds a reference to @bo. A replace drops buffers of which nothing
 * is left.
 *
 * Context: Process context, may sleep, not in the fence-signalling path. No resv held.
 * Return:
 * * %0       - the device can use the range, and finds only the new memory there
 * * %-ENOMEM - out of memory
 * * or see drm_gem_sgt_map(), drm_sgt_access_begin(), and drm_gpupt_prepare_map() or
 *   drm_gpupt_prepare_replace(); nothing has changed
 */
int drm_gpupt_space_map(struct drm_gpupt_space *space, struct drm_gem_sgt_object *bo, u64 va,
			u64 len, u64 offset, u32 prot, bool replace)
{
	struct drm_gpupt_buffer *buffer;
	LIST_HEAD(unmapped);
	int ret;

	ret = drm_gem_sgt_map(bo);
	if (ret)
		return ret;
	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return -ENOMEM;

	buffer->obj = &bo->base;
	buffer->bytes = gpupt_space_leaves(space, len);
	drm_gem_object_get(buffer->obj);
	scoped_guard(mutex, &space->lock)
		ret = gpupt_space_map_locked(space, buffer, va, len, offset, prot, replace,
					     &unmapped);
	if (ret)
		list_add(&buffer->entry, &unmapped);
	gpupt_space_free(&unmapped);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gpupt_space_map);

/**
 * drm_gpupt_space_unmap() - unmap a range
 * @space: the address space
 * @va: first byte of the range
 * @len: bytes, all of which are mapped
 *
 * Ownership: drops buffers of which nothing is left.
 *
 * Context: Process context, may sleep, not in the fence-signalling path. No resv held.
 * Return:
 * * %0       - unmapped and flushed
 * * %-ENOMEM - out of memory
 * * or see drm_gpupt_prepare_unmap(); nothing has changed
 */
int drm_gpupt_space_unmap(struct drm_gpupt_space *space, u64 va, u64 len)
{
	struct drm_gpupt_op op = {};
	LIST_HEAD(unmapped);
	int ret;

	scoped_guard(mutex, &space->lock) {
		ret = drm_gpupt_prepare_unmap(space->pt, &op, va, len);
		if (!ret)
			ret = gpupt_space_commit_locked(space, &op, NULL, NULL, &unmapped);
		drm_gpupt_op_fini(&op);
	}
	gpupt_space_free(&unmapped);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gpupt_space_unmap);
