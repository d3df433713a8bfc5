// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-buf.h>
#include <linux/slab.h>

#include "drm_sgt_runs.h"
#include "drm_sgt_table.h"

/**
 * DOC: more than one device
 *
 * A table is mapped for one device. For a second device, a second table borrows the pages
 * of the first: drm_sgt_create_borrow(). It has entries within the limits of its device,
 * a state, a mapping and access sections of its own, and an unbind of either device ends
 * the mapping for that one alone.
 *
 * The borrower pins the pages of the lender while it has them: from its drm_sgt_populate()
 * to its drm_sgt_depopulate() or drm_sgt_free(). It does not keep the lender itself. The
 * owner frees the borrower first.
 *
 * Each device is synced by the calls for its own table. If both write, the driver calls
 * drm_sgt_sync_for_cpu() for one before drm_sgt_sync_for_device() for the other.
 */

static struct lock_class_key drm_sgt_borrow_key;

/* The source of a table that borrows. */
struct drm_sgt_borrow {
	/* the borrower and the lender; constant */
	struct drm_sgt *sgt;
	struct drm_sgt *lender;
	/* pages that it has; protected by the lock of @sgt */
	unsigned long pages;
};

static int drm_sgt_borrow_runs(struct drm_sgt *lender, struct drm_sgt_builder *builder)
{
	/* Holds off a map by an IOMMU, which changes the lengths of entries meanwhile. */
	guard(mutex)(&lender->lock);

	return drm_sgt_copy_runs_locked(lender, builder);
}

/* One pin for all pages. The put of the last one drops it, also after a failure here. */
static int drm_sgt_borrow_get(void *source, struct drm_sgt_builder *builder, u64 size)
{
	struct drm_sgt_borrow *borrow = source;
	int ret;

	ret = drm_sgt_pin_pages(borrow->lender);
	if (ret)
		return ret;

	borrow->sgt->wc = borrow->lender->wc;
	ret = drm_sgt_borrow_runs(borrow->lender, builder);
	borrow->pages = (size >> PAGE_SHIFT) - drm_sgt_builder_left(builder);
	if (!borrow->pages)
		drm_sgt_unpin_pages(borrow->lender);
	return ret;
}

static void drm_sgt_borrow_put(void *source, const struct drm_sgt_run *runs,
			       unsigned int nr_runs, bool last)
{
	struct drm_sgt_borrow *borrow = source;
	unsigned int i;

	for (i = 0; i < nr_runs; i++)
		borrow->pages -= runs[i].nr_pages;
	if (!borrow->pages)
		drm_sgt_unpin_pages(borrow->lender);
}

static void drm_sgt_borrow_release(void *source)
{
	kfree(source);
}

static const struct drm_sgt_pages_ops drm_sgt_borrow_ops = {
	.name = "borrowed",
	.get = drm_sgt_borrow_get,
	.put = drm_sgt_borrow_put,
	.release = drm_sgt_borrow_release,
};

/* Prime lockdep when a borrower is created; see "locking". */
static void drm_sgt_borrow_prime_lockdep(struct drm_sgt *sgt, struct drm_sgt *lender)
{
	lockdep_set_class(&sgt->lock, &drm_sgt_borrow_key);
	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;

	mutex_lock(&sgt->lock);
	might_lock(&lender->lock);
	mutex_unlock(&sgt->lock);
}

/**
 * drm_sgt_create_borrow() - make a table of the same memory for another device
 * @sdev: the device that it will be mapped for; can be that of @lender
 * @lender: the table whose memory it is
 *
 * If @lender is an import, the new table is a second import of the dma-buf, independent
 * of @lender. Otherwise it borrows the pages. They are pinned in @lender by
 * drm_sgt_populate() of the new table, and mapped by the CPU as those of @lender are.
 *
 * Ownership: the caller owns the table, which holds a reference to @sdev. If it borrows
 * pages, the caller frees it before @lender.
 *
 * Context: Process context, may sleep.
 * Return:
 * * the table, or an ERR_PTR() of an errno below
 * * %-EINVAL - @lender borrows by itself: pass the table that owns the pages
 * * %-ENOMEM - out of memory
 * * see drm_sgt_create_import(), if @lender is an import
 */
struct drm_sgt *drm_sgt_create_borrow(struct drm_sgt_device *sdev, struct drm_sgt *lender)
{
	struct drm_sgt_borrow *borrow;
	struct drm_sgt *sgt;

	if (drm_sgt_is_import(lender))
		return drm_sgt_create_import(sdev, drm_sgt_import_source(lender)->dmabuf);
	if (lender->ops == &drm_sgt_borrow_ops) {
		drm_sgt_dbg(sdev, "the lender has borrowed its pages\n");
		return ERR_PTR(-EINVAL);
	}

	borrow = kzalloc(sizeof(*borrow), GFP_KERNEL_ACCOUNT);
	if (!borrow)
		return ERR_PTR(-ENOMEM);

	sgt = drm_sgt_create(sdev, &drm_sgt_borrow_ops, borrow, lender->size);
	if (IS_ERR(sgt)) {
		kfree(borrow);
		return sgt;
	}
	borrow->sgt = sgt;
	borrow->lender = lender;
	drm_sgt_borrow_prime_lockdep(sgt, lender);
	return sgt;
}
EXPORT_SYMBOL_GPL(drm_sgt_create_borrow);
