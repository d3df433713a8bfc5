// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/sched.h>

#include "drm_sgt_fault.h"
#include "drm_sgt_table.h"
#include "drm_sgt_trace.h"

/**
 * DOC: device shutdown
 *
 * The shutdown first marks the device as gone. From then on, nothing is mapped and
 * no access section is entered. A task that read the mark before that is inside a
 * section, or inside drm_sgt_map(): the shutdown waits for all of them, once,
 * however many buffers there are. The list of mappings is complete now. Each one is
 * taken off the list and ended. Last, the shutdown waits for the mappings that other
 * tasks had taken off the list before it and may still be unmapping.
 *
 * The other direction is the same: drm_sgt_unmap() and drm_sgt_free() find that the
 * shutdown has taken the mapping, and wait until it has ended. The loser of a race
 * waits for the winner.
 *
 * Documentation/models/revoke.pml is this protocol as a model, which ``make
 * check-model`` searches for an order of events in which it fails.
 */

/**
 * drm_sgt_device_is_gone() - has the shutdown of a device begun?
 * @sdev: the device
 *
 * Only a hint outside of an access section: the shutdown can begin at any moment.
 *
 * Context: Any.
 * Return: true once drm_sgt_device_shutdown() has begun
 */
bool drm_sgt_device_is_gone(struct drm_sgt_device *sdev)
{
	return READ_ONCE(sdev->gone);
}
EXPORT_SYMBOL_GPL(drm_sgt_device_is_gone);

/* The state, whether or not the exporter has moved the memory of a mapping. */
enum drm_sgt_state drm_sgt_own_state(struct drm_sgt *sgt)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_sgt_own_state, sgt);

	/* A reader that sees a state also sees its fields; pairs with the releases. */
	return smp_load_acquire(&sgt->state);
}

/* A mapping exists, and has to be ended. */
static bool drm_sgt_has_mapping(struct drm_sgt *sgt)
{
	return drm_sgt_own_state(sgt) == DRM_SGT_MAPPED;
}

/**
 * drm_sgt_get_state() - the state of a table at this moment
 * @sgt: the table
 *
 * Context: Any. MAPPED can become BACKED any time, unless inside an access
 * section; there, only if the exporter of a dynamic import moves the memory.
 * Return: see &enum drm_sgt_state
 */
enum drm_sgt_state drm_sgt_get_state(struct drm_sgt *sgt)
{
	enum drm_sgt_state state = drm_sgt_own_state(sgt);

	return state == DRM_SGT_MAPPED && READ_ONCE(sgt->moved) ? DRM_SGT_BACKED : state;
}
EXPORT_SYMBOL_GPL(drm_sgt_get_state);

static void drm_sgt_end_mapping(struct drm_sgt *sgt)
{
	drm_dma_index_fini(&sgt->index);
	drm_dma_index_fini(&sgt->cpu_index);
	sgt->map_ops->unmap(sgt);
	sgt->mapped = NULL;
}

static bool drm_sgt_mapping_covers(const struct drm_sgt *sgt)
{
	return sgt->index.measure.size == sgt->size ||
	       (sgt->map_ops->may_exceed && sgt->index.measure.size > sgt->size);
}

/*
 * If no entry is merged, the marks of the segments serve the CPU entries as well.
 * If syncs have nothing to do, no marks are needed.
 */
static int drm_sgt_index_cpu(struct drm_sgt *sgt)
{
	struct drm_dma_ents ents = {
		.sg = sgt->table.sgl,
		.nents = sgt->table.orig_nents,
		.phys = true,
	};

	if (!drm_sgt_table_is_merged(&sgt->table) || !sgt->map_ops->needs_sync(sgt))
		return 0;

	return drm_dma_index_init(&sgt->cpu_index, ents);
}

/*
 * List a table that was just mapped. The caller is still in the section in which it
 * saw that the device is not gone: a shutdown waits for that section before it reads
 * the list.
 */
static void drm_sgt_device_add(struct drm_sgt_device *sdev, struct drm_sgt *sgt)
{
	lockdep_assert_held(&sgt->lock);
	RCU_LOCKDEP_WARN(!srcu_read_lock_held(&sdev->srcu),
			 "mapping listed where no shutdown waits for it");

	spin_lock(&sdev->lock);
	list_add_tail(&sgt->entry, &sdev->mapped);
	sgt->dma_segs = sgt->mapped->nents;
	/* Pairs with the acquire in drm_sgt_get_state(). */
	smp_store_release(&sgt->state, DRM_SGT_MAPPED);
	sdev->stats.mapped++;
	sdev->stats.bytes_mapped += sgt->size;
	sdev->stats.maps++;
	/* Lets readers in; pairs with atomic_inc_unless_negative() there. */
	atomic_set_release(&sgt->readers, 0);
	spin_unlock(&sdev->lock);
}

static int drm_sgt_map_and_list(struct drm_sgt *sgt)
{
	struct drm_sgt_device *sdev = sgt->sdev;
	int ret;

	if (drm_sgt_device_is_gone(sdev))
		return -ENODEV;
	if (drm_sgt_should_fail_map(sgt->size))
		return -ENOMEM;

	sgt->mapped = &sgt->table;
	ret = sgt->map_ops->map(sgt);
	if (ret) {
		sgt->mapped = NULL;
		return ret;
	}

	ret = drm_dma_index_init(&sgt->index, drm_sgt_mapped_ents(sgt));
	if (!ret && !drm_sgt_mapping_covers(sgt))
		ret = -EIO;
	if (!ret)
		ret = drm_sgt_index_cpu(sgt);
	if (ret) {
		drm_sgt_end_mapping(sgt);
		return ret;
	}

	drm_sgt_device_add(sdev, sgt);
	return 0;
}

static int drm_sgt_map_locked(struct drm_sgt *sgt, enum dma_data_direction dir,
			      unsigned long attrs)
{
	enum dma_data_direction old_dir = sgt->dir;
	unsigned long old_attrs = sgt->attrs;
	int idx, ret;

	lockdep_assert_held(&sgt->lock);

	/* The addresses of the old place, and the attachment, end first. */
	if (READ_ONCE(sgt->moved)) {
		ret = drm_sgt_import_wait(sgt) ?: drm_sgt_device_remove(sgt->sdev, sgt);
		if (ret)
			return ret;
	}

	/* A move that comes only now leaves the mapping listed: MAPPED, for the next map to end. */
	switch (drm_sgt_own_state(sgt)) {
	case DRM_SGT_EMPTY:
		drm_sgt_dbg(sgt->sdev, "mapping a table that has no pages\n");
		return -EINVAL;
	case DRM_SGT_MAPPED:
		return sgt->dir == dir ? 0 : -EBUSY;
	case DRM_SGT_BACKED:
		break;
	}

	/*
	 * An unbind waits for this section: after that, the mapping is on the list,
	 * or does not exist.
	 */
	sgt->dir = dir;
	sgt->attrs = attrs;
	idx = srcu_read_lock(&sgt->sdev->srcu);
	ret = drm_sgt_map_and_list(sgt);
	srcu_read_unlock(&sgt->sdev->srcu, idx);
	if (!ret) {
		trace_drm_sgt_map(sgt);
		if (READ_ONCE(sgt->moved))
			drm_sgt_import_was_moved(sgt);
	} else {
		/* drm_sgt_map_again() uses those of the last mapping. */
		sgt->dir = old_dir;
		sgt->attrs = old_attrs;
		drm_sgt_dbg(sgt->sdev, "mapping %llu bytes of %s: %pe\n",
			    sgt->size, sgt->ops->name, ERR_PTR(ret));
	}
	return ret;
}

/**
 * drm_sgt_map() - DMA-map a table for its device
 * @sgt: the table, populated
 * @dir: direction of the data, seen from the CPU
 *
 * The mapping ends at drm_sgt_unmap(), drm_sgt_free() or unbind, whichever is
 * first. The device sees what the CPU wrote before this call. For what it writes
 * later, call drm_sgt_sync_for_device() before the device reads; call
 * drm_sgt_sync_for_cpu() after the device has written. Nothing happens if the table is
 * mapped in this direction already.
 *
 * Context: Process context, may sleep.
 * Return:
 * * %0       - MAPPED; an unbind, or a move of the memory, may have ended the mapping
 *   since
 * * %-ENODEV - the device is no longer bound; the table stays BACKED
 * * %-EINVAL - the table has no pages, @dir is not a direction, or the IOMMU refused
 * * %-EBUSY  - it is mapped in another direction; or an access section is open, since
 *   before the exporter moved the memory
 * * %-ENOMEM - out of memory, IOVA space or bounce buffers, or a page that the
 *   device cannot reach: the DMA API does not tell these apart
 * * %-EIO    - the mapping does not cover the table
 * * %-EREMOTEIO - the table has memory of another device that this one cannot
 *   reach
 * * %-EOPNOTSUPP - the device does no DMA: see devm_drm_sgt_device_create_none()
 * * %-EOPNOTSUPP - an import: the device takes physical addresses, and the exporter has
 *   none to give: an IOMMU or a bounce buffer is in between, or the bus is not
 *   coherent
 * * %-ENOMEM - an import: as above, also if the exporter passes on an -EIO of the DMA
 *   API, or if segments are longer than a bounce buffer
 * * %-ERESTARTSYS - an import: interrupted while waiting for fences of the exporter
 * * an import: any other errno of the exporter
 */
int drm_sgt_map(struct drm_sgt *sgt, enum dma_data_direction dir)
{
	return drm_sgt_map_attrs(sgt, dir, 0);
}
EXPORT_SYMBOL_GPL(drm_sgt_map);

/* The others are the layer's own, or change what a mapping is. */
#define DRM_SGT_MAY_ATTRS (DMA_ATTR_WEAK_ORDERING | DMA_ATTR_NO_WARN)

/**
 * drm_sgt_map_attrs() - drm_sgt_map() with attributes for the DMA API
 * @sgt: the table, populated
 * @dir: direction of the data, seen from the CPU
 * @attrs: DMA_ATTR_WEAK_ORDERING, DMA_ATTR_NO_WARN, both or 0
 *
 * The attributes are hints. They are ignored where the layer does not call the DMA API:
 * for an import, which its exporter maps, and for physical addresses. A table that is
 * mapped in this direction already keeps the attributes that it has.
 *
 * Context: see drm_sgt_map()
 * Return: -EINVAL for any other attribute, or see drm_sgt_map()
 */
int drm_sgt_map_attrs(struct drm_sgt *sgt, enum dma_data_direction dir,
		      unsigned long attrs)
{
	if (!valid_dma_direction(dir) || dir == DMA_NONE || attrs & ~DRM_SGT_MAY_ATTRS) {
		drm_sgt_dbg(sgt->sdev, "direction %d, attributes %#lx\n", dir, attrs);
		return -EINVAL;
	}

	guard(mutex)(&sgt->lock);

	return drm_sgt_map_locked(sgt, dir, attrs | DRM_SGT_ATTRS);
}
EXPORT_SYMBOL_GPL(drm_sgt_map_attrs);

/**
 * drm_sgt_map_again() - map in the direction and with the attributes of the last mapping
 * @sgt: the table, mapped before
 *
 * Context: see drm_sgt_map()
 * Return: see drm_sgt_map()
 */
int drm_sgt_map_again(struct drm_sgt *sgt)
{
	guard(mutex)(&sgt->lock);

	return drm_sgt_map_locked(sgt, sgt->dir, sgt->attrs);
}

/*
 * A mapping has ended. The state is written last: drm_sgt_free() may be waiting for
 * it, and frees the table as soon as it changes.
 */
static void drm_sgt_device_forget(struct drm_sgt_device *sdev,
				  struct drm_sgt *sgt)
{
	spin_lock(&sdev->lock);
	sdev->stats.mapped--;
	sdev->stats.bytes_mapped -= sgt->size;
	sdev->stats.unmaps++;
	sdev->stats.revoked += sgt->revoking;
	sgt->revoking = false;
	sgt->moved = false;
	/* Pairs with the acquire in drm_sgt_get_state(). */
	smp_store_release(&sgt->state, DRM_SGT_BACKED);
	spin_unlock(&sdev->lock);

	wake_up_all(&sdev->unmapped);
}

/* End the mapping of a table, unless a shutdown is ending it. */
static int drm_sgt_device_end(struct drm_sgt_device *sdev, struct drm_sgt *sgt)
{
	bool busy = false, taken = false;

	lockdep_assert_held(&sgt->lock);

	spin_lock(&sdev->lock);
	if (sgt->state == DRM_SGT_MAPPED && !sgt->revoking) {
		/* A move may have held off readers before. */
		busy = atomic_cmpxchg(&sgt->readers, 0, DRM_SGT_NO_READERS) > 0;
		taken = !busy;
	}
	if (taken)
		list_del_init(&sgt->entry);
	spin_unlock(&sdev->lock);

	if (busy)
		return -EBUSY;
	if (taken) {
		drm_sgt_end_mapping(sgt);
		trace_drm_sgt_unmap(sgt);
		drm_sgt_device_forget(sdev, sgt);
	}
	return 0;
}

/* End the mapping of a table, or wait for the shutdown that is ending it. */
int drm_sgt_device_remove(struct drm_sgt_device *sdev, struct drm_sgt *sgt)
{
	int ret;

	lockdep_assert_held(&sgt->lock);

	ret = drm_sgt_device_end(sdev, sgt);
	if (ret)
		return ret;

	/* The other side is drm_sgt_device_shutdown(), between pop and forget. */
	wait_event(sdev->unmapped, !drm_sgt_has_mapping(sgt));
	return 0;
}

/* End the mapping of a table. -EBUSY if a section is open, or a shutdown is ending it. */
int drm_sgt_device_try_remove(struct drm_sgt_device *sdev, struct drm_sgt *sgt)
{
	int ret;

	lockdep_assert_held(&sgt->lock);

	ret = drm_sgt_device_end(sdev, sgt);
	if (!ret && drm_sgt_has_mapping(sgt))
		ret = -EBUSY;
	return ret;
}

static bool drm_sgt_has_moved_locked(struct drm_sgt *sgt, bool *idle)
{
	bool found;

	lockdep_assert_held(&sgt->sdev->lock);

	found = sgt->moved && !list_empty(&sgt->entry);
	*idle = found && atomic_cmpxchg(&sgt->readers, 0, DRM_SGT_NO_READERS) <= 0;
	return found;
}

/*
 * Returns whether the table has a mapping of moved memory that nothing else is ending. If no
 * section is open, closes the table to new sections and sets @idle.
 */
bool drm_sgt_has_moved(struct drm_sgt *sgt, bool *idle)
{
	bool found;

	spin_lock(&sgt->sdev->lock);
	found = drm_sgt_has_moved_locked(sgt, idle);
	spin_unlock(&sgt->sdev->lock);
	return found;
}

/*
 * The exporter moves the memory of an import: no section is entered any more. The caller
 * holds the resv, so it takes no other lock. Returns as drm_sgt_has_moved(). If there is no
 * mapping yet, the map that is under way finds the mark.
 */
bool drm_sgt_begin_move(struct drm_sgt *sgt, bool *idle)
{
	bool found;

	spin_lock(&sgt->sdev->lock);
	WRITE_ONCE(sgt->moved, true);
	found = drm_sgt_has_moved_locked(sgt, idle);
	spin_unlock(&sgt->sdev->lock);
	return found;
}

/**
 * drm_sgt_unmap() - end the mapping of a table
 * @sgt: the table
 *
 * For the driver to call when neither the device nor a page table uses the
 * addresses any more. Nothing happens if there is no mapping; if an unbind is
 * ending it right now, waits until it has ended.
 *
 * Context: Process context, may sleep. Not inside an access section of @sgt.
 * Return:
 * * %0      - not mapped
 * * %-EBUSY - an access section of @sgt is open
 */
int drm_sgt_unmap(struct drm_sgt *sgt)
{
	might_sleep();
	guard(mutex)(&sgt->lock);

	return drm_sgt_device_remove(sgt->sdev, sgt);
}
EXPORT_SYMBOL_GPL(drm_sgt_unmap);

/**
 * drm_sgt_unmap_wait() - drm_sgt_unmap() that waits for open access sections
 * @sgt: the table
 *
 * For the driver to call where it cannot do anything else meanwhile: when it evicts a
 * buffer, or frees a GPU address range. From the call on, no section of @sgt can be
 * entered, so the wait ends when those that are open have ended. Sections are short, as
 * they wait for no hardware.
 *
 * Context: Process context, may sleep. Not inside an access section of any device, not
 * in reclaim, and without holding a lock that is taken inside a section: a resv, for
 * example, as a section may map an import.
 * Return:
 * * %0      - not mapped
 * * %-EINTR - the task is being killed, and a section is still open; @sgt is mapped, and
 *   sections can be entered again
 */
int drm_sgt_unmap_wait(struct drm_sgt *sgt)
{
	struct drm_sgt_device *sdev = sgt->sdev;
	int ret;

	might_sleep();
	/* Sections nest, so lockdep takes it for a wait for all of them. */
	srcu_lock_sync(&sdev->srcu.dep_map);

	/*
	 * The lock is not held while waiting: a section can take it, by mapping @sgt again,
	 * for example. A section that began before the count was seen makes this repeat.
	 */
	atomic_inc(&sgt->closing);
	do {
		/* A full barrier orders the count before the check. */
		ret = wait_event_killable(sdev->unmapped, atomic_read(&sgt->readers) <= 0);
		if (!ret)
			ret = drm_sgt_unmap(sgt);
	} while (ret == -EBUSY);
	atomic_dec(&sgt->closing);
	return ret ? -EINTR : 0;
}
EXPORT_SYMBOL_GPL(drm_sgt_unmap_wait);

/* Take the next mapping to revoke off the list: the shutdown must end it then. */
static struct drm_sgt *drm_sgt_device_pop(struct drm_sgt_device *sdev)
{
	struct drm_sgt *sgt;

	spin_lock(&sdev->lock);
	sgt = list_first_entry_or_null(&sdev->mapped, struct drm_sgt, entry);
	if (sgt) {
		list_del_init(&sgt->entry);
		sgt->revoking = true;
		WARN_ON_ONCE(atomic_cmpxchg(&sgt->readers, 0, DRM_SGT_NO_READERS) > 0);
	}
	spin_unlock(&sdev->lock);
	return sgt;
}

static unsigned long drm_sgt_device_nr_mapped(struct drm_sgt_device *sdev)
{
	unsigned long mapped;

	spin_lock(&sdev->lock);
	mapped = sdev->stats.mapped;
	spin_unlock(&sdev->lock);
	return mapped;
}

static void drm_sgt_device_drain(struct drm_sgt_device *sdev)
{
	struct drm_sgt *sgt;

	lockdep_assert_held(&sdev->shutdown_lock);

	WRITE_ONCE(sdev->gone, true);
	synchronize_srcu(&sdev->srcu);

	spin_lock(&sdev->lock);
	sdev->stats.grace_periods++;
	spin_unlock(&sdev->lock);

	while ((sgt = drm_sgt_device_pop(sdev))) {
		drm_sgt_end_mapping(sgt);
		trace_drm_sgt_revoke(sgt);
		drm_sgt_device_forget(sdev, sgt);
		cond_resched();
	}

	/* The other side is drm_sgt_device_remove(), past its list_del. */
	wait_event(sdev->unmapped, !drm_sgt_device_nr_mapped(sdev));
}

/**
 * drm_sgt_device_shutdown() - end all mappings of a device, for good
 * @sdev: the device
 *
 * Call it last in the remove callback of the owner's driver, when the hardware
 * no longer does DMA and no access section waits for it. When it returns, the
 * layer has no mapping on the device, no access section is open, and none can be
 * opened. Mapped tables become BACKED, and keep their pages. A second call does
 * nothing.
 *
 * Context: Process context, may sleep. Not inside an access section, and without
 * holding a lock that is taken inside one. Takes the resv of the dma-bufs that are
 * imported, and waits for an import that is being mapped by its exporter: first
 * signal the fences of the driver.
 */
void drm_sgt_device_shutdown(struct drm_sgt_device *sdev)
{
	guard(mutex)(&sdev->shutdown_lock);

	if (sdev->drained)
		return;

	drm_sgt_device_drain(sdev);
	sdev->drained = true;
}
EXPORT_SYMBOL_GPL(drm_sgt_device_shutdown);
