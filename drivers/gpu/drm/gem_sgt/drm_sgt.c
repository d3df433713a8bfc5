// SPDX-License-Identifier: GPL-2.0

#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "drm_sgt_runs.h"
#include "drm_sgt_table.h"
#include "drm_sgt_trace.h"

/**
 * DOC: overview
 *
 * A &struct drm_sgt owns three things that belong together: pages, a table
 * that lists them, and the DMA mapping of that table for one device. It is
 * created from a source of pages (&struct drm_sgt_pages_ops). One call frees it
 * from any state, in the only correct order.
 *
 * Its mapping ends with drm_sgt_unmap(), with drm_sgt_free(), or with the
 * unbind of the device (&struct drm_sgt_device), whichever comes first. Pages
 * and table stay after an unbind: CPU mappings of the buffer and dma-bufs made of
 * it continue to work.
 *
 * Drivers do not see the scatterlist. They read DMA addresses through a &struct
 * drm_dma_view, inside an access section only, and pages through
 * drm_sgt_run_iter_next(), which does not accept a view.
 *
 * Tables do not depend on GEM. &struct drm_gem_sgt_object builds on them.
 */

/**
 * DOC: states of a table
 *
 * ::
 *
 *   EMPTY --populate--> BACKED ------map-----> MAPPED
 *     ^                 |  ^ |                 |    |
 *     +---depopulate----+  | +--map fails---+  |    +--unmap, readers: -EBUSY,
 *                          |   stays BACKED    |       stays MAPPED; or waits
 *                          +--unmap or unbind,-+
 *                             move of an import
 *
 *   depopulate, pinned:  -EBUSY, keeps its pages
 *   map after unbind:    -ENODEV, stays BACKED
 *   populate fails:      stays EMPTY, nothing held
 *   free:                from any state; unmaps, frees the table, puts the
 *                        pages, releases the source
 */

/**
 * DOC: locking
 *
 * In this order, outermost first:
 *
 * 1. &drm_sgt.lock of an import: map, unmap and free of that import
 * 2. the &dma_resv of a GEM object, where there is one
 * 3. &drm_sgt.lock of any other table: populate, depopulate, map, unmap and free
 *    of that table. Memory is allocated under it, so reclaim takes it by a trylock
 *    only. That of a table that borrows pages nests outside that of the lender
 * 4. &drm_sgt_device.lock, a spinlock: the list of mappings, and the states
 *
 * Access sections hold &drm_sgt_device.srcu for reading, and so does drm_sgt_map(),
 * under 1 or 3, while it maps, and the flush of write-combined pages, under 3. Inside
 * a section, the table cannot be unmapped, but another one may be populated or mapped.
 * Mapping an import takes 2 as well, as exporters require the resv.
 *
 * An exporter that moves its memory holds 2. It takes only 4 then, and not 1, and so does
 * the work item that ends the mapping later: see "exporters that move".
 *
 * drm_sgt_unmap_wait() waits for the sections of its table, and holds no lock of the
 * layer meanwhile. To lockdep it is a wait for all sections, so it is not called inside
 * one, nor with a lock held that is taken inside one, such as 2.
 *
 * The mmap lock nests outside all of these: mmap and faults populate, under 3.
 * A section does not take it: see "access sections". The locks that
 * unmap_mapping_range() takes nest inside 3: a depopulate zaps PTEs.
 *
 * The mutex of the lists of a shrinker nests inside 2, 3 and the mmap lock. Reclaim
 * takes it, and 2 and 3 by trylock.
 *
 * For debugfs, the list of objects has a spinlock, which is held for one object at a
 * time, and the list of devices has a mutex. Only 4 is taken while holding either.
 *
 * drm_sgt_device_shutdown() holds &drm_sgt_device.shutdown_lock, waits for the
 * readers of the SRCU, takes 4, and 2 for each import, but never 1 or 3: a table
 * in the middle of an operation cannot hold up an unbind.
 */

static void drm_sgt_prime_inner_locked(struct drm_sgt *sgt)
{
	int idx;

	lockdep_assert_held(&sgt->lock);

	idx = srcu_read_lock(&sgt->sdev->srcu);
	spin_lock(&sgt->sdev->lock);
	spin_unlock(&sgt->sdev->lock);
	srcu_read_unlock(&sgt->sdev->srcu, idx);
}

/*
 * Prime lockdep when the first table is created, so that it knows the order before
 * a task takes both locks: memory is allocated under the lock, reclaim takes it by
 * trylock only, and the locks nest as written above.
 */
static void drm_sgt_prime_lockdep(struct drm_sgt *sgt)
{
	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;

	mutex_lock(&sgt->lock);
	might_alloc(GFP_KERNEL);
	drm_sgt_prime_inner_locked(sgt);
	mutex_unlock(&sgt->lock);

	fs_reclaim_acquire(GFP_KERNEL);
	if (mutex_trylock(&sgt->lock)) {
		drm_sgt_prime_inner_locked(sgt);
		mutex_unlock(&sgt->lock);
	}
	fs_reclaim_release(GFP_KERNEL);
}

static const struct drm_sgt_map_ops *
drm_sgt_choose_map_ops(const struct drm_sgt_device *sdev)
{
	if (sdev->no_dma)
		return &drm_sgt_map_none_ops;

	return drm_sgt_device_is_phys(sdev) ? &drm_sgt_map_phys_ops : &drm_sgt_map_dma_ops;
}

/**
 * drm_sgt_create() - make a table from a source of pages
 * @sdev: the device that it will be mapped for
 * @ops: how to get at the pages
 * @source: passed to @ops
 * @size: bytes, a multiple of the page size, not 0
 *
 * No page is touched before drm_sgt_populate(). Works after unbind too; such a
 * table can be populated, but not mapped.
 *
 * Ownership: the caller owns the table, which owns @source from now on and
 * holds a reference to @sdev. On failure, @source stays with the caller.
 *
 * Context: Process context, may sleep.
 * Return:
 * * the table, in state EMPTY, or an ERR_PTR() of an errno below
 * * %-EINVAL - @size is 0 or no multiple of the page size
 * * %-E2BIG  - @size is more than a table can list
 * * %-ENOMEM - out of memory
 */
struct drm_sgt *drm_sgt_create(struct drm_sgt_device *sdev,
			       const struct drm_sgt_pages_ops *ops,
			       void *source, u64 size)
{
	struct drm_sgt *sgt;

	if (!size || !PAGE_ALIGNED(size)) {
		drm_sgt_dbg(sdev, "size %llu is 0 or no multiple of a page\n", size);
		return ERR_PTR(-EINVAL);
	}
	if (size >> PAGE_SHIFT > DRM_SGT_MAX_PAGES) {
		drm_sgt_dbg(sdev, "size %llu is more than a table can list\n", size);
		return ERR_PTR(-E2BIG);
	}

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL_ACCOUNT);
	if (!sgt)
		return ERR_PTR(-ENOMEM);

	sgt->sdev = drm_sgt_device_get(sdev);
	sgt->ops = ops;
	sgt->map_ops = drm_sgt_choose_map_ops(sdev);
	sgt->source = source;
	sgt->size = size;
	sgt->attrs = DRM_SGT_ATTRS;
	sgt->state = DRM_SGT_EMPTY;
	mutex_init(&sgt->lock);
	atomic_set(&sgt->pins, 0);
	atomic_set(&sgt->readers, DRM_SGT_NO_READERS);
	atomic_set(&sgt->closing, 0);
	INIT_LIST_HEAD(&sgt->entry);
	drm_sgt_prime_lockdep(sgt);
	drm_sgt_device_count(sdev, 1);
	return sgt;
}
EXPORT_SYMBOL_GPL(drm_sgt_create);

/* Put the pages of a table that could not be built: populate may be tried again. */
static void drm_sgt_put_collected(void *arg, const struct drm_sgt_run *runs,
				  unsigned int nr_runs)
{
	struct drm_sgt *sgt = arg;

	if (sgt->ops->put)
		sgt->ops->put(sgt->source, runs, nr_runs, false);
}

static int drm_sgt_collect_locked(struct drm_sgt *sgt, struct drm_sgt_builder *builder)
{
	int ret;

	lockdep_assert_held(&sgt->lock);

	ret = sgt->ops->get(sgt->source, builder, sgt->size);
	if (!ret && drm_sgt_builder_left(builder)) {
		drm_sgt_dbg(sgt->sdev, "%s: %lu of %llu pages missing\n",
			    sgt->ops->name, drm_sgt_builder_left(builder),
			    sgt->size >> PAGE_SHIFT);
		ret = -EIO;
	}
	if (ret)
		return ret;

	ret = drm_sgt_builder_to_table(builder, &sgt->sdev->limits, &sgt->table);
	if (ret)
		return ret;

	ret = drm_sgt_caching_begin_locked(sgt);
	if (ret)
		sg_free_table(&sgt->table);
	return ret;
}

/* Between EMPTY and BACKED; updates the numbers in debugfs with the state. */
static void drm_sgt_set_state_locked(struct drm_sgt *sgt,
				     enum drm_sgt_state state,
				     const struct drm_sgt_builder *builder)
{
	lockdep_assert_held(&sgt->lock);

	spin_lock(&sgt->sdev->lock);
	sgt->runs = builder ? builder->nr : 0;
	sgt->folios = builder ? builder->folios : 0;
	/* Pairs with the acquire in drm_sgt_get_state(). */
	smp_store_release(&sgt->state, state);
	spin_unlock(&sgt->sdev->lock);
}

static void drm_sgt_was_populated_locked(struct drm_sgt *sgt)
{
	lockdep_assert_held(&sgt->lock);

	if (sgt->evicted)
		trace_drm_sgt_restore(sgt);
	else
		trace_drm_sgt_populate(sgt);
	sgt->evicted = false;
	if (sgt->populated)
		sgt->populated(sgt->arg);
}

static int drm_sgt_populate_locked(struct drm_sgt *sgt)
{
	struct drm_sgt_builder builder;
	int ret;

	lockdep_assert_held(&sgt->lock);

	if (drm_sgt_get_state(sgt) != DRM_SGT_EMPTY)
		return 0;
	if (sgt->purged) {
		drm_sgt_dbg(sgt->sdev, "the pages were purged\n");
		return -EINVAL;
	}

	drm_sgt_builder_init(&builder, sgt->size);
	ret = drm_sgt_collect_locked(sgt, &builder);
	if (ret)
		drm_sgt_builder_for_each(&builder, drm_sgt_put_collected, sgt);
	else
		drm_sgt_set_state_locked(sgt, DRM_SGT_BACKED, &builder);
	drm_sgt_builder_fini(&builder);
	if (!ret)
		drm_sgt_was_populated_locked(sgt);
	return ret;
}

/**
 * drm_sgt_populate() - get the pages and list them
 * @sgt: the table
 *
 * Nothing happens if the pages are there already. They stay until
 * drm_sgt_depopulate() or drm_sgt_free(), even across an unbind. A caller that
 * cannot rule out a depopulate pins them with drm_sgt_pin_pages().
 *
 * Context: Process context, may sleep and allocate.
 * Return:
 * * %0       - the table is BACKED or MAPPED
 * * %-ENOMEM - out of memory
 * * %-EINTR  - the task is being killed
 * * %-EIO    - the source has too few pages, or one is poisoned
 * * %-EINVAL - the pages of the GEM object were purged
 * * any errno that the &drm_sgt_pages_ops.get of a driver returns
 * * for a write-combined object, see drm_sgt_map(): the pages are mapped to be flushed
 */
int drm_sgt_populate(struct drm_sgt *sgt)
{
	guard(mutex)(&sgt->lock);

	return drm_sgt_populate_locked(sgt);
}
EXPORT_SYMBOL_GPL(drm_sgt_populate);

/**
 * drm_sgt_pin_pages() - get the pages, and keep them
 * @sgt: the table, not an import
 *
 * For kernel mappings, importers, and other users of the pages that do not map the
 * table. drm_sgt_depopulate() is refused until drm_sgt_unpin_pages(). Pins are
 * counted. They do not keep the table itself: the caller unpins before
 * drm_sgt_free().
 *
 * Context: Process context, may sleep and allocate.
 * Return: 0, with a pin, or see drm_sgt_populate()
 */
int drm_sgt_pin_pages(struct drm_sgt *sgt)
{
	int ret;

	guard(mutex)(&sgt->lock);

	ret = drm_sgt_populate_locked(sgt);
	if (!ret)
		atomic_inc(&sgt->pins);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_sgt_pin_pages);

/**
 * drm_sgt_unpin_pages() - undo drm_sgt_pin_pages()
 * @sgt: the table
 *
 * Context: Any.
 */
void drm_sgt_unpin_pages(struct drm_sgt *sgt)
{
	/* Orders the uses before it; pairs with the read in drm_sgt_depopulate(). */
	WARN_ON_ONCE(atomic_dec_return_release(&sgt->pins) < 0);
}
EXPORT_SYMBOL_GPL(drm_sgt_unpin_pages);

/* Runs in one call of @put: large enough for few calls, small enough for the stack. */
#define DRM_SGT_PUT_RUNS	16

static void drm_sgt_put_all_locked(struct drm_sgt *sgt, bool last)
{
	struct drm_sgt_run runs[DRM_SGT_PUT_RUNS];
	struct drm_sgt_run_iter iter;
	unsigned int nr = 0;

	lockdep_assert_held(&sgt->lock);

	if (!sgt->ops->put)
		return;

	drm_sgt_run_iter_init(&iter, sgt);
	while (drm_sgt_run_iter_next(&iter, &runs[nr]))
		if (++nr == ARRAY_SIZE(runs)) {
			sgt->ops->put(sgt->source, runs, nr, last);
			nr = 0;
		}
	if (nr)
		sgt->ops->put(sgt->source, runs, nr, last);
}

/* @last: the source is released as well. */
static void drm_sgt_depopulate_locked(struct drm_sgt *sgt, bool last)
{
	lockdep_assert_held(&sgt->lock);

	if (drm_sgt_get_state(sgt) == DRM_SGT_EMPTY)
		return;

	/* First, so that no reader looks at a table that is being freed. */
	drm_sgt_set_state_locked(sgt, DRM_SGT_EMPTY, NULL);

	drm_sgt_put_all_locked(sgt, last);
	sg_free_table(&sgt->table);
}

/*
 * Give the pages back, if there are any. Without @discard, their bytes are still needed.
 * The table is not mapped.
 */
int drm_sgt_give_back_locked(struct drm_sgt *sgt, bool discard)
{
	int ret;

	lockdep_assert_held(&sgt->lock);

	if (atomic_read_acquire(&sgt->pins))
		return -EBUSY;
	if (sgt->zap && drm_sgt_get_state(sgt) != DRM_SGT_EMPTY)
		sgt->zap(sgt->arg);

	/* After the last write by a process. */
	ret = discard ? 0 : drm_sgt_caching_end_locked(sgt);
	if (ret)
		return ret;

	drm_sgt_depopulate_locked(sgt, false);
	return 0;
}

/**
 * drm_sgt_depopulate() - give the pages back
 * @sgt: the table, neither mapped nor pinned
 *
 * Nothing happens if there are none. The table of a GEM object can be mapped by
 * processes: their PTEs are zapped, also if an error follows.
 *
 * Context: Process context, may sleep.
 * Return:
 * * %0       - the table is EMPTY
 * * %-EBUSY  - it is MAPPED, or its pages are pinned
 * * %-EINVAL - it is an import
 * * %-ENODEV - its pages are write-combined, and the device is no longer bound: they
 *   cannot be flushed, and stay until drm_sgt_free()
 * * for write-combined pages, see drm_sgt_map(): they are mapped to be flushed
 */
int drm_sgt_depopulate(struct drm_sgt *sgt)
{
	guard(mutex)(&sgt->lock);

	if (!drm_sgt_has_pages(sgt)) {
		drm_sgt_dbg(sgt->sdev, "the pages are the exporter's\n");
		return -EINVAL;
	}
	if (drm_sgt_get_state(sgt) == DRM_SGT_MAPPED)
		return -EBUSY;

	return drm_sgt_give_back_locked(sgt, false);
}
EXPORT_SYMBOL_GPL(drm_sgt_depopulate);

/**
 * drm_sgt_free() - free a table and all that it owns
 * @sgt: the table, or NULL
 *
 * Works in any state. If an unbind is ending the mapping right now, waits until it
 * has ended.
 *
 * Context: Process context, may sleep. The caller has the last pointer to @sgt:
 * it is a bug to have an access section open, and it leaks the table, with a
 * warning. A pin that is left is a bug, too.
 */
void drm_sgt_free(struct drm_sgt *sgt)
{
	might_sleep();

	if (!sgt)
		return;

	mutex_lock(&sgt->lock);
	if (WARN_ON(drm_sgt_device_remove(sgt->sdev, sgt))) {
		mutex_unlock(&sgt->lock);
		return;
	}
	WARN_ON_ONCE(atomic_read_acquire(&sgt->pins));
	drm_sgt_depopulate_locked(sgt, true);
	mutex_unlock(&sgt->lock);

	if (sgt->ops->release)
		sgt->ops->release(sgt->source);
	mutex_destroy(&sgt->lock);
	drm_sgt_device_count(sgt->sdev, -1);
	drm_sgt_device_put(sgt->sdev);
	kfree(sgt);
}
EXPORT_SYMBOL_GPL(drm_sgt_free);

/**
 * drm_sgt_get_info() - read the size, state and entry counts of a table
 * @sgt: the table
 * @info: filled
 *
 * Context: Process context; does not sleep, even while @sgt changes state.
 */
void drm_sgt_get_info(struct drm_sgt *sgt, struct drm_sgt_info *info)
{
	spin_lock(&sgt->sdev->lock);
	*info = (struct drm_sgt_info) {
		.size = sgt->size,
		.runs = sgt->runs,
		.folios = sgt->folios,
		.state = drm_sgt_get_state(sgt),
		.source = sgt->ops->name,
	};
	/* sg_free_table() does not reset the counts. */
	if (info->state != DRM_SGT_EMPTY) {
		info->cpu_ents = sgt->table.orig_nents;
		info->wc = READ_ONCE(sgt->wc);
	}
	if (info->state == DRM_SGT_MAPPED)
		info->dma_segs = sgt->dma_segs;
	spin_unlock(&sgt->sdev->lock);
}
EXPORT_SYMBOL_GPL(drm_sgt_get_info);

/**
 * drm_sgt_get_device() - the device of a table
 * @sgt: the table
 *
 * Context: Any.
 * Return: the device, for as long as the table lives
 */
struct drm_sgt_device *drm_sgt_get_device(const struct drm_sgt *sgt)
{
	return sgt->sdev;
}
EXPORT_SYMBOL_GPL(drm_sgt_get_device);

/**
 * drm_sgt_size() - the size of a table
 * @sgt: the table
 *
 * Context: Any.
 * Return: bytes, a multiple of the page size
 */
u64 drm_sgt_size(const struct drm_sgt *sgt)
{
	return sgt->size;
}
EXPORT_SYMBOL_GPL(drm_sgt_size);

/* Add the runs of a table that has pages to another one. */
int drm_sgt_copy_runs_locked(struct drm_sgt *sgt, struct drm_sgt_builder *builder)
{
	struct drm_sgt_run_iter iter;
	struct drm_sgt_run run;
	int ret = 0;

	lockdep_assert_held(&sgt->lock);

	drm_sgt_run_iter_init(&iter, sgt);
	while (!ret && drm_sgt_run_iter_next(&iter, &run))
		ret = drm_sgt_builder_add(builder, run.page, run.nr_pages);
	return ret;
}

static int drm_sgt_copy_table_locked(struct drm_sgt *sgt,
				     const struct drm_sgt_limits *limits,
				     struct sg_table *copy)
{
	struct drm_sgt_builder builder;
	int ret;

	lockdep_assert_held(&sgt->lock);

	drm_sgt_builder_init(&builder, sgt->size);
	ret = drm_sgt_copy_runs_locked(sgt, &builder);
	if (!ret)
		ret = drm_sgt_builder_to_table(&builder, limits, copy);
	drm_sgt_builder_fini(&builder);
	return ret;
}

/**
 * drm_sgt_dup_table() - list the pages once more, for an importer to map
 * @sgt: the table, pinned
 * @importer: the device that will map them, for its limits; NULL for those of @sgt
 *
 * For exporters: the importer maps the copy for its own device, even after the
 * device of @sgt is gone.
 *
 * Ownership: the caller frees the copy, with sg_free_table() and kfree(). It
 * owns no pages: the pin on @sgt has to stay until then.
 *
 * Context: Process context, may sleep and allocate.
 * Return:
 * * an unmapped table, or an ERR_PTR() of an errno below
 * * %-EINVAL - @sgt is not pinned, or is an import, or @importer cannot map a page
 *   in one piece
 * * %-EINTR  - the task is being killed
 * * %-ENOMEM - out of memory
 */
struct sg_table *drm_sgt_dup_table(struct drm_sgt *sgt, struct device *importer)
{
	struct drm_sgt_limits limits = sgt->sdev->limits;
	struct sg_table *copy;
	int ret;

	if (importer) {
		ret = drm_sgt_limits_init(&limits, importer, importer);
		if (ret)
			return ERR_PTR(ret);
	}

	guard(mutex)(&sgt->lock);

	if (!drm_sgt_has_pages(sgt) || !atomic_read(&sgt->pins)) {
		drm_sgt_dbg(sgt->sdev, "no pages to list, or not pinned\n");
		return ERR_PTR(-EINVAL);
	}

	copy = kzalloc(sizeof(*copy), GFP_KERNEL_ACCOUNT);
	if (!copy)
		return ERR_PTR(-ENOMEM);

	ret = drm_sgt_copy_table_locked(sgt, &limits, copy);
	if (ret) {
		kfree(copy);
		return ERR_PTR(ret);
	}
	return copy;
}
EXPORT_SYMBOL_GPL(drm_sgt_dup_table);
