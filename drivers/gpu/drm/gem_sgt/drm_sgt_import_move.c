// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>

#include "drm_sgt_import.h"
#include "drm_sgt_table.h"

/**
 * DOC: exporters that move
 *
 * An exporter such as amdgpu or xe has memory of its own, and moves a buffer between that
 * and system memory. This layer maps such a buffer in one of two ways:
 *
 * * drm_sgt_create_import() pins it: it stays in system memory as long as it is mapped;
 * * drm_sgt_create_import_dynamic() does not. As it does not ask for peer-to-peer DMA, the
 *   exporter moves the buffer to system memory when it is mapped, and may move it away
 *   again for the next job of its own device.
 *
 * Before a move, the exporter calls this layer, with the resv held:
 *
 * 1. From here on, to enter an access section of the table fails with -EINVAL.
 * 2. The layer calls the callback of the driver. The device must not use the addresses
 *    for new work from then on. The work that it does already has fences in the resv, and
 *    the exporter keeps the memory in its old place until they have signalled.
 * 3. The table is BACKED. If no section is open, and all fences have signalled, the
 *    mapping ends at once. Otherwise, a work item waits for both, and ends it. An exporter
 *    of 7.3 may wait for that, so the work item ignores fences that are added after it
 *    has begun.
 *
 * The next drm_sgt_map() or drm_gem_sgt_map() maps the memory in its new place. If the old
 * mapping has not ended, it first waits for the fences, with the lock of the table held:
 * what signals a fence of the resv must not take that lock. An unmap, a free and an
 * unbind do not wait, as the device has stopped by then. The attachment to the dma-buf
 * stays until one of these three, and &struct drm_sgt_device_stats counts it as a mapping.
 *
 * The memory moves at any time, except while the resv is held. So a driver that submits
 * work does this, in a loop:
 *
 * 1. drm_gem_sgt_map(), without the resv, which it takes itself;
 * 2. lock the resv, and begin an access section. If that fails with -EINVAL, the memory
 *    has moved again: unlock, and go back to 1;
 * 3. write the addresses, end the section, add the fence of the work to the resv;
 * 4. unlock the resv.
 *
 * A move does not race the end of the mapping: what ends it takes the resv, and finds
 * either a mapping or only the attachment. When drm_sgt_unmap(), drm_sgt_free() or
 * drm_sgt_device_shutdown() has returned, the callback is not running, and is not called.
 *
 * A mapping that ends after a move must not write to the old place, as the pages may have
 * another user by then. But an exporter unmaps with a sync, which copies a bounce buffer
 * or invalidates caches. So a mapping that needs syncs, and lets the device write, is
 * pinned as that of a static import, and does not move.
 *
 * If the kernel has no CONFIG_DMABUF_MOVE_NOTIFY, the dma-buf core pins the memory, and
 * nothing moves while it is mapped. An exporter that cannot move its memory is imported as
 * by drm_sgt_create_import(). A driver that cannot follow a move uses that, too: for
 * example, for what a display scans out.
 */

/* Sections are short, and memory comes back: in jiffies */
#define DRM_SGT_IMPORT_RETRY	1

/*
 * Before a map ends the mapping of the old place: work of the device may still use it. The
 * fences that are added from now on are not of such work.
 */
int drm_sgt_import_wait(struct drm_sgt *sgt)
{
	long ret;

	lockdep_assert_held(&sgt->lock);

	if (!READ_ONCE(sgt->mapped))
		return 0;

	ret = dma_resv_wait_timeout(drm_sgt_import_source(sgt)->dmabuf->resv,
				    DMA_RESV_USAGE_BOOKKEEP, true, MAX_SCHEDULE_TIMEOUT);
	return ret < 0 ? ret : 0;
}

static void drm_sgt_import_work_done(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct drm_sgt_import *import = container_of(cb, struct drm_sgt_import, work_done);

	schedule_delayed_work(&import->end, 0);
}

/*
 * Returns whether the work has signalled that was in the resv when this was first called;
 * if not, @end runs again when it has.
 */
static int drm_sgt_import_work_is_done(struct drm_sgt_import *import)
{
	struct dma_resv *resv = import->never_attached.dmabuf->resv;
	int ret;

	dma_resv_assert_held(resv);

	if (import->work)
		return dma_fence_is_signaled(import->work);

	ret = dma_resv_get_singleton(resv, DMA_RESV_USAGE_BOOKKEEP, &import->work);
	if (ret)
		return ret;

	return !import->work || dma_fence_add_callback(import->work, &import->work_done,
						       drm_sgt_import_work_done);
}

/* The mapping ends: what its work does is of no interest any more. */
void drm_sgt_import_forget_work(struct drm_sgt_import *import)
{
	dma_resv_assert_held(import->never_attached.dmabuf->resv);

	if (!import->work)
		return;

	dma_fence_remove_callback(import->work, &import->work_done);
	dma_fence_put(import->work);
	import->work = NULL;
}

/* Returns -EAGAIN if nothing will tell when to try again. */
static int drm_sgt_import_try_end(struct drm_sgt_import *import)
{
	struct drm_sgt *sgt = import->sgt;
	bool idle;
	int ret;

	dma_resv_assert_held(import->never_attached.dmabuf->resv);

	/* A map, an unmap, a free or an unbind may be ending it, or have ended it. */
	if (!drm_sgt_has_moved(sgt, &idle) || !sgt->mapped)
		return 0;

	ret = drm_sgt_import_work_is_done(import);
	if (ret < 0 || (ret && !idle))
		return -EAGAIN;
	if (ret)
		drm_sgt_import_end_mapping(sgt, sgt->attach);
	return 0;
}

static void drm_sgt_import_end(struct work_struct *work)
{
	struct drm_sgt_import *import = container_of(to_delayed_work(work),
						     struct drm_sgt_import, end);
	struct dma_resv *resv = import->never_attached.dmabuf->resv;
	int ret;

	dma_resv_lock(resv, NULL);
	ret = drm_sgt_import_try_end(import);
	dma_resv_unlock(resv);
	if (ret)
		schedule_delayed_work(&import->end, DRM_SGT_IMPORT_RETRY);
}

void drm_sgt_import_init_end(struct drm_sgt_import *import)
{
	INIT_DELAYED_WORK(&import->end, drm_sgt_import_end);
}

/* No mapping exists: nothing begins it again. */
void drm_sgt_import_cancel_end(struct drm_sgt_import *import)
{
	if (!import->moved)
		return;

	/* The work item takes it. */
	might_lock(&import->never_attached.dmabuf->resv->lock.base);
	cancel_delayed_work_sync(&import->end);
}

/* A map has listed a mapping whose memory had moved by then. */
void drm_sgt_import_was_moved(struct drm_sgt *sgt)
{
	struct drm_sgt_import *import = sgt->source;

	schedule_delayed_work(&import->end, 0);
}

/* The mapping stays valid for what still uses it: see "exporters that move". */
static void drm_sgt_import_move(struct dma_buf_attachment *attach)
{
	struct drm_sgt *sgt = attach->importer_priv;
	struct drm_sgt_import *import = sgt->source;
	bool first = !READ_ONCE(sgt->moved), idle;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (!drm_sgt_begin_move(sgt, &idle))
		return;

	if (first)
		import->moved(import->data);
	if (!sgt->mapped)
		return;

	if (idle && dma_resv_test_signaled(attach->dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP))
		drm_sgt_import_end_mapping(sgt, attach);
	else
		schedule_delayed_work(&import->end, 0);
}

const struct dma_buf_attach_ops drm_sgt_import_dynamic_ops = {
	.invalidate_mappings = drm_sgt_import_move,
};

/* Before the first map of @sgt: do not pin, and call @moved. */
void drm_sgt_import_follow(struct drm_sgt *sgt, void (*moved)(void *data), void *data)
{
	struct drm_sgt_import *import = sgt->source;

	import->moved = moved;
	import->data = data;
}

/**
 * drm_sgt_create_import_dynamic() - drm_sgt_create_import() of memory that can move
 * @sdev: the device that it will be mapped for
 * @dma_buf: the dma-buf
 * @moved: told that the memory of a mapped table moves
 * @data: for @moved
 *
 * See "exporters that move" for what the exporter, the layer and the driver do. @moved
 * makes the driver stop using the addresses, for example by dropping PTEs. It is called
 * with the resv of @dma_buf held, while the exporter moves memory, and may in turn be under
 * memory pressure: it does not sleep for long, wait for a fence, allocate memory that it
 * has to wait for, or take any resv. It does not call a function of the layer for the table
 * that takes its lock, such as drm_sgt_unmap().
 *
 * drm_sgt_free() takes the resv of @dma_buf, mapped or not.
 *
 * Ownership: as for drm_sgt_create_import(). @data must be valid until drm_sgt_free().
 *
 * Context: Process context, may sleep.
 * Return: -EINVAL without @moved, or see drm_sgt_create_import()
 */
struct drm_sgt *drm_sgt_create_import_dynamic(struct drm_sgt_device *sdev,
					      struct dma_buf *dma_buf,
					      void (*moved)(void *data), void *data)
{
	struct drm_sgt *sgt;

	if (!moved) {
		drm_sgt_dbg(sdev, "no callback for moves\n");
		return ERR_PTR(-EINVAL);
	}

	sgt = drm_sgt_create_import(sdev, dma_buf);
	if (!IS_ERR(sgt))
		drm_sgt_import_follow(sgt, moved, data);
	return sgt;
}
EXPORT_SYMBOL_GPL(drm_sgt_create_import_dynamic);
