// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

#include <drm/drm_device.h>
#include <drm/drm_gem_sgt.h>

#include "drm_gem_sgt_object.h"
#include "drm_gem_sgt_shrinker.h"
#include "drm_sgt_table.h"

/**
 * drm_gem_sgt_is_import() - does an object stand for a dma-buf?
 * @bo: the object
 *
 * Context: Any.
 * Return: true for one that drm_gem_sgt_prime_import() made of another exporter's
 * dma-buf
 */
bool drm_gem_sgt_is_import(const struct drm_gem_sgt_object *bo)
{
	return drm_sgt_is_import(bo->sgt);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_is_import);

/* The dma-buf of an import, valid for as long as @bo lives; NULL for others. */
struct dma_buf *drm_gem_sgt_import_dma_buf(const struct drm_gem_sgt_object *bo)
{
	return drm_gem_sgt_is_import(bo) ? drm_sgt_import_source(bo->sgt)->dmabuf : NULL;
}

/**
 * drm_gem_sgt_set_map_wc() - choose between write-combined and cached mappings
 * @bo: the object, without pages
 * @wc: true for write-combined, false for cached CPU mappings
 *
 * Sets &drm_gem_sgt_object.map_wc. See "caching" for when CPU mappings are in fact
 * write-combined.
 *
 * Context: Process context, may sleep. One call at a time for @bo.
 * Return:
 * * %0       - pages that are allocated from now on are mapped as @wc says
 * * %-EBUSY  - the object has pages
 * * %-EINVAL - @bo is an import: its exporter chooses
 */
int drm_gem_sgt_set_map_wc(struct drm_gem_sgt_object *bo, bool wc)
{
	int ret = drm_sgt_set_wc(bo->sgt, wc);

	if (!ret)
		bo->map_wc = wc;
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_set_map_wc);

/* drm_sgt_pin_pages(), at the cost of idle objects. */
int drm_gem_sgt_pin_pages(struct drm_gem_sgt_object *bo)
{
	int ret = drm_sgt_pin_pages(bo->sgt);

	if (ret == -ENOMEM && drm_gem_sgt_make_room(bo))
		ret = drm_sgt_pin_pages(bo->sgt);
	return ret;
}

/**
 * drm_gem_sgt_map() - get the pages and DMA-map them
 * @bo: the object
 *
 * The mapping is bidirectional, as userspace decides what the device does: see
 * drm_gem_sgt_map_attrs() for other directions. It ends when the object is freed, or
 * at unbind. Nothing happens if the object is mapped already; an import is mapped when
 * it is created. An import that was unmapped is attached and mapped again, in the same
 * direction.
 *
 * Context: Process context, may sleep. Takes the lock of the table only: the
 * caller can hold the resv, unless @bo is an import, for which the resv is taken
 * as well.
 * Return: 0, or see drm_sgt_populate() and drm_sgt_map()
 */
int drm_gem_sgt_map(struct drm_gem_sgt_object *bo)
{
	if (drm_gem_sgt_is_import(bo))
		return drm_sgt_map_again(bo->sgt);

	return drm_gem_sgt_map_attrs(bo, DMA_BIDIRECTIONAL, 0);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_map);

/**
 * drm_gem_sgt_map_attrs() - drm_gem_sgt_map() in a direction of the driver's choice
 * @bo: the object
 * @dir: direction of the data, seen from the CPU
 * @attrs: see drm_sgt_map_attrs()
 *
 * Nothing happens if @bo is mapped in this direction already. To change the direction,
 * end the mapping with drm_sgt_unmap() first. That holds for an import, too, which was
 * mapped in the direction of drm_gem_sgt_prime_import().
 *
 * Context: see drm_gem_sgt_map()
 * Return: 0, or see drm_sgt_populate() and drm_sgt_map_attrs()
 */
int drm_gem_sgt_map_attrs(struct drm_gem_sgt_object *bo, enum dma_data_direction dir,
			  unsigned long attrs)
{
	int ret;

	if (drm_gem_sgt_is_import(bo))
		return drm_sgt_map_attrs(bo->sgt, dir, attrs);

	/* The mapping itself keeps the pages, once there is one. */
	ret = drm_gem_sgt_pin_pages(bo);
	if (ret)
		return ret;

	ret = drm_sgt_map_attrs(bo->sgt, dir, attrs);
	drm_sgt_unpin_pages(bo->sgt);
	drm_gem_sgt_lru_update(bo);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_map_attrs);

/**
 * drm_gem_sgt_pin_locked() - get the pages of an object, and keep them
 * @bo: the object
 *
 * Does not map them for the device: see drm_gem_sgt_map(). For an import, only
 * counts the pin: its pages are the exporter's.
 *
 * Context: Process context, may sleep. The caller holds the resv of @bo.
 * Return: 0, with a pin that drm_gem_sgt_unpin_locked() drops, or see
 * drm_sgt_populate()
 */
int drm_gem_sgt_pin_locked(struct drm_gem_sgt_object *bo)
{
	int ret = 0;

	dma_resv_assert_held(bo->base.resv);

	/* An import's lock nests outside the resv. */
	if (!drm_gem_sgt_is_import(bo))
		ret = drm_gem_sgt_pin_pages(bo);
	if (ret)
		return ret;

	WRITE_ONCE(bo->pin_count, bo->pin_count + 1);
	drm_gem_sgt_lru_update(bo);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_pin_locked);

/**
 * drm_gem_sgt_unpin_locked() - undo drm_gem_sgt_pin_locked()
 * @bo: the object
 *
 * Context: Process context. The caller holds the resv of @bo.
 */
void drm_gem_sgt_unpin_locked(struct drm_gem_sgt_object *bo)
{
	dma_resv_assert_held(bo->base.resv);

	if (drm_WARN_ON(bo->base.dev, !bo->pin_count))
		return;

	WRITE_ONCE(bo->pin_count, bo->pin_count - 1);
	if (!drm_gem_sgt_is_import(bo))
		drm_sgt_unpin_pages(bo->sgt);
	drm_gem_sgt_lru_update(bo);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_unpin_locked);

/**
 * drm_gem_sgt_pin() - get the pages of an object, and keep them
 * @bo: the object
 *
 * Context: Process context, may sleep. Takes the resv of @bo.
 * Return:
 * * %0       - success
 * * see drm_gem_sgt_pin_locked()
 * * %-EINTR - interrupted while waiting for the resv
 */
int drm_gem_sgt_pin(struct drm_gem_sgt_object *bo)
{
	int ret;

	ret = dma_resv_lock_interruptible(bo->base.resv, NULL);
	if (ret)
		return ret;
	ret = drm_gem_sgt_pin_locked(bo);
	dma_resv_unlock(bo->base.resv);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_pin);

/**
 * drm_gem_sgt_unpin() - undo drm_gem_sgt_pin()
 * @bo: the object
 *
 * Context: Process context, may sleep. Takes the resv of @bo.
 */
void drm_gem_sgt_unpin(struct drm_gem_sgt_object *bo)
{
	dma_resv_lock(bo->base.resv, NULL);
	drm_gem_sgt_unpin_locked(bo);
	dma_resv_unlock(bo->base.resv);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_unpin);

/**
 * drm_gem_sgt_get_sg_table() - list the pages for an importer
 * @bo: the object, pinned
 *
 * For &drm_gem_object_funcs.get_sg_table, which does not name the importer: the
 * entries have the limits of the object's own device. The dma-bufs of
 * drm_gem_sgt_prime_export() use those of the importer.
 *
 * Ownership: see drm_sgt_dup_table().
 *
 * Context: Process context, may sleep.
 * Return: an unmapped table, or an ERR_PTR(), see drm_sgt_dup_table()
 */
struct sg_table *drm_gem_sgt_get_sg_table(struct drm_gem_sgt_object *bo)
{
	return drm_sgt_dup_table(bo->sgt, NULL);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_get_sg_table);
