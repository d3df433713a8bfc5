// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/shrinker.h>
#include <linux/swap.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "drm_gem_sgt_object.h"
#include "drm_gem_sgt_shrinker.h"
#include "drm_sgt_table.h"

/**
 * DOC: shrinker
 *
 * A driver that calls drmm_gem_sgt_shrinker_init() in probe has a shrinker, which purges
 * objects, and evicts others while there is swap, those that were used longest ago first.
 * The layer moves objects between its lists: by drm_gem_sgt_map(), pins, madvise, faults
 * and so on. A driver calls drm_gem_sgt_map() before each use of an object by the device,
 * which maps what was evicted, and tells the shrinker that it was used.
 *
 * The shrinker leaves an object alone whose resv is locked, or has a fence that has not
 * signalled. For an object that is mapped, it calls &drm_gem_sgt_shrinker_ops.idle.
 * Without that callback, objects stay as long as they are mapped; those that are not, and
 * after an unbind all, are purged and evicted. The shrinker works until the DRM device is
 * released.
 *
 * A scan can drop the last reference to an object, or to the DRM device. The
 * callbacks of the driver are not made for reclaim, so a work item does that. Until it has,
 * the module of the driver cannot be unloaded.
 *
 * The kernel calls a shrinker of this kind for the system, and not for the limit of a
 * memory cgroup. Instead, a process that gets no memory for an object evicts idle ones
 * which it has created, and tries once more: the limit then swaps these out.
 */

/* By the address of the DRM device, which has no member for it. */
static DEFINE_XARRAY(drm_gem_sgt_shrinkers);

/* Freeing an object can wait for anything: no rescuer. */
static struct workqueue_struct *drm_gem_sgt_put_wq;

int drm_gem_sgt_shrinkers_init(void)
{
	drm_gem_sgt_put_wq = alloc_workqueue("drm_gem_sgt_put", WQ_UNBOUND, 0);
	return drm_gem_sgt_put_wq ? 0 : -ENOMEM;
}

void drm_gem_sgt_shrinkers_fini(void)
{
	destroy_workqueue(drm_gem_sgt_put_wq);
}

/*
 * References
 */

/* While a scan runs, neither the DRM device nor the code of its driver goes. */
static bool drm_gem_sgt_get_drm(struct drm_device *drm)
{
	struct module *owner = drm->driver->fops->owner;

	if (!try_module_get(owner))
		return false;
	if (kref_get_unless_zero(&drm->ref))
		return true;
	module_put(owner);
	return false;
}

/* Not in reclaim. */
static void drm_gem_sgt_put_drm(struct drm_device *drm)
{
	struct module *owner = drm->driver->fops->owner;

	drm_dev_put(drm);
	module_put(owner);
}

static void drm_gem_sgt_put_drm_work(struct work_struct *work)
{
	drm_gem_sgt_put_drm(container_of(work, struct drm_gem_sgt_shrinker, put)->drm);
}

/* The work is idle: it is queued with the last reference only, and has that. */
static void drm_gem_sgt_put_drm_later(struct drm_gem_sgt_shrinker *s)
{
	if (refcount_dec_not_one(&s->drm->ref.refcount))
		module_put(s->drm->driver->fops->owner);
	else
		queue_work(drm_gem_sgt_put_wq, &s->put);
}

static void drm_gem_sgt_put_object_work(struct work_struct *work)
{
	struct drm_gem_sgt_object *bo = container_of(work, struct drm_gem_sgt_object, put);
	struct drm_device *drm = bo->base.dev;

	drm_gem_object_put(&bo->base);
	drm_gem_sgt_put_drm(drm);
}

/* The same for an object. The caller has references to the DRM device and the module. */
static void drm_gem_sgt_put_object_later(struct drm_gem_sgt_object *bo)
{
	struct drm_device *drm = bo->base.dev;

	if (refcount_dec_not_one(&bo->base.refcount.refcount))
		return;
	drm_dev_get(drm);
	__module_get(drm->driver->fops->owner);
	queue_work(drm_gem_sgt_put_wq, &bo->put);
}

static void drm_gem_sgt_shrinker_free(struct kref *kref)
{
	struct drm_gem_sgt_shrinker *s = container_of(kref, struct drm_gem_sgt_shrinker,
						      refcount);

	mutex_destroy(&s->own_lock);
	kfree(s);
}

static void drm_gem_sgt_shrinker_put(struct drm_gem_sgt_shrinker *s)
{
	kref_put(&s->refcount, drm_gem_sgt_shrinker_free);
}

/*
 * Lists
 */

static bool drm_gem_sgt_has_idle(const struct drm_gem_sgt_shrinker *s)
{
	return s->ops && s->ops->idle;
}

static struct drm_gem_lru *drm_gem_sgt_pick_lru(struct drm_gem_sgt_shrinker *s,
						const struct drm_gem_sgt_object *bo)
{
	enum drm_sgt_state state = drm_sgt_get_state(bo->sgt);

	if (state == DRM_SGT_EMPTY || READ_ONCE(bo->pin_count))
		return &s->kept;
	if (state == DRM_SGT_MAPPED && !drm_gem_sgt_has_idle(s))
		return &s->mapped;
	if (READ_ONCE(bo->madv) > 0 && !READ_ONCE(bo->shared))
		return &s->purgeable;
	/* See "caching". */
	if (bo->sgt->wc && drm_sgt_device_is_gone(bo->sgt->sdev))
		return &s->kept;
	return &s->evictable;
}

static void drm_gem_sgt_lru_update_locked(struct drm_gem_sgt_shrinker *s,
					  struct drm_gem_sgt_object *bo)
{
	lockdep_assert_held(s->lock);

	drm_gem_lru_move_tail_locked(drm_gem_sgt_pick_lru(s, bo), &bo->base);
}

/**
 * drm_gem_sgt_lru_init() - let an object be found by the shrinker, if there is one
 * @bo: the object, new, not an import
 *
 * Context: Process context.
 */
void drm_gem_sgt_lru_init(struct drm_gem_sgt_object *bo)
{
	bo->shrinker = xa_load(&drm_gem_sgt_shrinkers, (unsigned long)bo->base.dev);
	if (bo->shrinker)
		kref_get(&bo->shrinker->refcount);
	INIT_WORK(&bo->put, drm_gem_sgt_put_object_work);
}

/**
 * drm_gem_sgt_lru_update() - an object was used, or what decides on its list has changed
 * @bo: the object
 *
 * Of two that race, the one that comes last sees what both have changed.
 *
 * Context: Process context, may sleep, in reclaim too.
 */
void drm_gem_sgt_lru_update(struct drm_gem_sgt_object *bo)
{
	struct drm_gem_sgt_shrinker *s = bo->shrinker;

	if (!s)
		return;

	guard(mutex)(s->lock);

	drm_gem_sgt_lru_update_locked(s, bo);
}

/* For &drm_sgt.populated: faults change the order of the lists only when they populate. */
void drm_gem_sgt_lru_populated(void *arg)
{
	struct drm_gem_object *obj = arg;

	drm_gem_sgt_lru_update(to_drm_gem_sgt_obj(obj));
}

/**
 * drm_gem_sgt_lru_remove() - take an object off its list before it is freed
 * @bo: the object
 *
 * drm_gem_lru_remove() reads the list without the lock, and misses an object that a scan
 * is moving.
 *
 * Context: Process context, may sleep.
 */
void drm_gem_sgt_lru_remove(struct drm_gem_sgt_object *bo)
{
	struct drm_gem_sgt_shrinker *s = bo->shrinker;

	if (!s)
		return;

	mutex_lock(s->lock);
	if (bo->base.lru) {
		bo->base.lru->count -= bo->base.size >> PAGE_SHIFT;
		list_del(&bo->base.lru_node);
		bo->base.lru = NULL;
	}
	mutex_unlock(s->lock);
	drm_gem_sgt_shrinker_put(s);
}

static struct drm_gem_sgt_object *
drm_gem_sgt_lru_first_locked(struct drm_gem_sgt_shrinker *s, struct drm_gem_lru *lru)
{
	struct drm_gem_object *obj;

	lockdep_assert_held(s->lock);

	obj = list_first_entry_or_null(&lru->list, struct drm_gem_object, lru_node);
	return obj ? to_drm_gem_sgt_obj(obj) : NULL;
}

/* Take a reference to the next object, and put it last. @left: pages to look at. */
static struct drm_gem_sgt_object *drm_gem_sgt_lru_next(struct drm_gem_sgt_shrinker *s,
						       struct drm_gem_lru *lru, long *left)
{
	struct drm_gem_sgt_object *bo;

	guard(mutex)(s->lock);

	while (*left > 0 && (bo = drm_gem_sgt_lru_first_locked(s, lru))) {
		*left -= bo->base.size >> PAGE_SHIFT;
		drm_gem_lru_move_tail_locked(lru, &bo->base);
		/* One that is being freed is removed soon. */
		if (kref_get_unless_zero(&bo->base.refcount))
			return bo;
	}
	return NULL;
}

/* Objects that one call looks at */
#define DRM_GEM_SGT_SORT	64

/*
 * The next object of the list whose mapping an unbind has ended. The objects of a DRM device
 * can belong to several devices: those that are bound go last, so that later calls see the
 * others. Their order does not matter, as they are not reclaimed.
 */
static struct drm_gem_sgt_object *
drm_gem_sgt_lru_unbound_locked(struct drm_gem_sgt_shrinker *s, unsigned int *left)
{
	struct drm_gem_sgt_object *bo;

	lockdep_assert_held(s->lock);

	while (*left && (bo = drm_gem_sgt_lru_first_locked(s, &s->mapped))) {
		--*left;
		if (drm_sgt_device_is_gone(bo->sgt->sdev))
			return bo;
		drm_gem_lru_move_tail_locked(&s->mapped, &bo->base);
	}
	return NULL;
}

/* An unbind does not touch the lists: move some of the objects that it unmapped. */
static void drm_gem_sgt_lru_sort_locked(struct drm_gem_sgt_shrinker *s)
{
	unsigned int left = DRM_GEM_SGT_SORT;
	struct drm_gem_sgt_object *bo;

	lockdep_assert_held(s->lock);

	while ((bo = drm_gem_sgt_lru_unbound_locked(s, &left)))
		drm_gem_sgt_lru_update_locked(s, bo);
}

/*
 * Reclaim
 */

bool drm_gem_sgt_can_swap(void)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_gem_sgt_can_swap);

	return get_nr_swap_pages() > 0;
}

/* Sets @unmap if the device has stopped: it may be using any other mapping. */
static int drm_gem_sgt_stop_use_locked(struct drm_gem_sgt_shrinker *s,
				       struct drm_gem_sgt_object *bo, bool *unmap)
{
	int idx, ret;

	dma_resv_assert_held(bo->base.resv);

	*unmap = false;
	if (drm_sgt_get_state(bo->sgt) != DRM_SGT_MAPPED)
		return 0;
	if (!drm_gem_sgt_has_idle(s))
		return -EBUSY;

	/* What the callback uses may go with the unbind, which waits for the section. */
	if (drm_sgt_device_enter(bo->sgt->sdev, &idx))
		return 0;
	ret = s->ops->idle(bo);
	drm_sgt_device_exit(bo->sgt->sdev, idx);
	*unmap = !ret;
	return ret;
}

/* Returns 0 if the pages were given back. */
static int drm_gem_sgt_reclaim_locked(struct drm_gem_sgt_shrinker *s,
				      struct drm_gem_sgt_object *bo)
{
	bool purge = drm_gem_sgt_is_purgeable(bo), unmap;
	int ret;

	dma_resv_assert_held(bo->base.resv);

	/* There is nothing to get, or it would be in vain to stop the device. */
	if (drm_sgt_get_state(bo->sgt) == DRM_SGT_EMPTY || atomic_read(&bo->sgt->pins) ||
	    (!purge && !drm_gem_sgt_can_swap()))
		return -EBUSY;
	if (!dma_resv_test_signaled(bo->base.resv, DMA_RESV_USAGE_BOOKKEEP))
		return -EBUSY;

	ret = drm_gem_sgt_stop_use_locked(s, bo, &unmap);
	if (ret)
		return ret;
	return purge ? drm_gem_sgt_try_purge_locked(bo, unmap) :
		       drm_gem_sgt_try_evict_locked(bo, unmap);
}

/* Returns the pages that were given back. */
static unsigned long drm_gem_sgt_reclaim(struct drm_gem_sgt_shrinker *s,
					 struct drm_gem_sgt_object *bo)
{
	int ret;

	/* Memory is allocated while a resv is held. */
	if (!dma_resv_trylock(bo->base.resv))
		return 0;

	ret = drm_gem_sgt_reclaim_locked(s, bo);
	/* Its list can be out of date: a driver may have given back the pages itself. */
	if (ret)
		drm_gem_sgt_lru_update(bo);
	dma_resv_unlock(bo->base.resv);
	return ret ? 0 : bo->base.size >> PAGE_SHIFT;
}

/* Look at each object once at most. */
static unsigned long drm_gem_sgt_scan_lru(struct drm_gem_sgt_shrinker *s,
					  struct drm_gem_lru *lru, struct shrink_control *sc)
{
	struct drm_gem_sgt_object *bo;
	unsigned long freed = 0;
	long left = READ_ONCE(lru->count);

	while (sc->nr_scanned < sc->nr_to_scan && (bo = drm_gem_sgt_lru_next(s, lru, &left))) {
		sc->nr_scanned += bo->base.size >> PAGE_SHIFT;
		freed += drm_gem_sgt_reclaim(s, bo);
		drm_gem_sgt_put_object_later(bo);
	}
	return freed;
}

static unsigned long drm_gem_sgt_count_objects(struct shrinker *shrinker,
					       struct shrink_control *sc)
{
	struct drm_gem_sgt_shrinker *s = shrinker->private_data;
	unsigned long count;

	guard(mutex)(s->lock);

	drm_gem_sgt_lru_sort_locked(s);
	count = s->purgeable.count;
	if (drm_gem_sgt_can_swap())
		count += s->evictable.count;
	return count;
}

static unsigned long drm_gem_sgt_scan_objects(struct shrinker *shrinker,
					      struct shrink_control *sc)
{
	struct drm_gem_sgt_shrinker *s = shrinker->private_data;
	unsigned long freed;

	sc->nr_scanned = 0;
	if (!drm_gem_sgt_get_drm(s->drm))
		return SHRINK_STOP;

	freed = drm_gem_sgt_scan_lru(s, &s->purgeable, sc);
	if (drm_gem_sgt_can_swap())
		freed += drm_gem_sgt_scan_lru(s, &s->evictable, sc);
	drm_gem_sgt_put_drm_later(s);
	return sc->nr_scanned ? freed : SHRINK_STOP;
}

/* As drm_gem_sgt_scan_lru(), for objects that the calling process has created. */
static unsigned long drm_gem_sgt_scan_own(struct drm_gem_sgt_shrinker *s,
					  struct drm_gem_lru *lru, unsigned long wanted)
{
	struct drm_gem_sgt_object *bo;
	long left = READ_ONCE(lru->count);
	unsigned long freed = 0;

	while (freed < wanted && (bo = drm_gem_sgt_lru_next(s, lru, &left))) {
		if (bo->pid == task_tgid_nr(current))
			freed += drm_gem_sgt_reclaim(s, bo);
		drm_gem_sgt_put_object_later(bo);
		cond_resched();
	}
	return freed;
}

/**
 * drm_gem_sgt_make_room() - let a process that is out of memory swap out its idle objects
 * @bo: the object that needs pages
 *
 * The limit of a memory cgroup does not call the shrinker. Objects of other processes
 * stay: they need not be charged to the same cgroup.
 *
 * Context: Process context, may sleep; as in reclaim, any lock may be held. The caller
 * has a reference to @bo, and so to the module of the driver.
 * Return: true if pages were given back, and another try can succeed
 */
bool drm_gem_sgt_make_room(struct drm_gem_sgt_object *bo)
{
	struct drm_gem_sgt_shrinker *s = bo->shrinker;
	unsigned long wanted = bo->base.size >> PAGE_SHIFT, freed;

	if (!s)
		return false;

	freed = drm_gem_sgt_scan_own(s, &s->purgeable, wanted);
	if (drm_gem_sgt_can_swap() && freed < wanted)
		freed += drm_gem_sgt_scan_own(s, &s->evictable, wanted - freed);
	return freed;
}

/*
 * Set-up
 */

static void drm_gem_sgt_shrinker_release(struct drm_device *drm, void *data)
{
	struct drm_gem_sgt_shrinker *s = data;

	xa_erase(&drm_gem_sgt_shrinkers, (unsigned long)drm);
	shrinker_free(s->shrinker);
	drm_gem_sgt_shrinker_put(s);
}

/* Let lockdep know that reclaim takes the lock, before it does. */
static void drm_gem_sgt_shrinker_prime(struct drm_gem_sgt_shrinker *s)
{
	fs_reclaim_acquire(GFP_KERNEL);
	mutex_lock(s->lock);
	mutex_unlock(s->lock);
	fs_reclaim_release(GFP_KERNEL);
}

static struct drm_gem_sgt_shrinker *
drm_gem_sgt_shrinker_alloc(struct drm_device *drm, const struct drm_gem_sgt_shrinker_ops *ops)
{
	struct drm_gem_sgt_shrinker *s;

	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return NULL;

	kref_init(&s->refcount);
	mutex_init(&s->own_lock);
	s->lock = compat_drm_gem_lru_lock(drm, &s->own_lock);
	s->drm = drm;
	s->ops = ops;
	compat_drm_gem_lru_init(&s->purgeable, s->lock);
	compat_drm_gem_lru_init(&s->evictable, s->lock);
	compat_drm_gem_lru_init(&s->mapped, s->lock);
	compat_drm_gem_lru_init(&s->kept, s->lock);
	INIT_WORK(&s->put, drm_gem_sgt_put_drm_work);
	drm_gem_sgt_shrinker_prime(s);
	return s;
}

/**
 * drmm_gem_sgt_shrinker_init() - let reclaim have the memory of idle objects
 * @drm: DRM device, without objects
 * @ops: constant, valid until @drm is released; NULL if the device uses each object that
 *	is mapped, until it is unmapped
 *
 * See "shrinker". Objects that exist already are not found by it.
 *
 * Ownership: the shrinker is unregistered when @drm is released.
 *
 * Context: Process context, may sleep. In probe.
 * Return:
 * * %0       - registered
 * * %-EBUSY  - @drm has a shrinker already, and keeps it
 * * %-ENOMEM - out of memory
 */
int drmm_gem_sgt_shrinker_init(struct drm_device *drm,
			       const struct drm_gem_sgt_shrinker_ops *ops)
{
	struct drm_gem_sgt_shrinker *s;
	int ret;

	s = drm_gem_sgt_shrinker_alloc(drm, ops);
	if (!s)
		return -ENOMEM;

	ret = -ENOMEM;
	s->shrinker = shrinker_alloc(0, "drm-gem-sgt:%s", dev_name(drm->dev));
	if (s->shrinker)
		ret = xa_insert(&drm_gem_sgt_shrinkers, (unsigned long)drm, s, GFP_KERNEL);
	if (ret) {
		drm_dbg(drm, "shrinker: %pe\n", ERR_PTR(ret));
		shrinker_free(s->shrinker);
		drm_gem_sgt_shrinker_put(s);
		return ret;
	}

	s->shrinker->count_objects = drm_gem_sgt_count_objects;
	s->shrinker->scan_objects = drm_gem_sgt_scan_objects;
	s->shrinker->private_data = s;
	shrinker_register(s->shrinker);
	return drmm_add_action_or_reset(drm, drm_gem_sgt_shrinker_release, s);
}
EXPORT_SYMBOL_GPL(drmm_gem_sgt_shrinker_init);
