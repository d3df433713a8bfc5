// SPDX-License-Identifier: GPL-2.0

#include <linux/err.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include <drm/drm_sgt_version.h>

#include "drm_gpupt_internal.h"

/**
 * DOC: page tables
 *
 * A &struct drm_gpupt is a page table that is filled from DMA segments. A
 * &struct drm_gpupt_fmt defines the layout of its tables and entries. The driver, or
 * drm_gpuvm, manages the VA space.
 *
 * Every change is an operation, &struct drm_gpupt_op, which maps or unmaps one range
 * in two phases. drm_gpupt_prepare_map() and drm_gpupt_prepare_unmap() check the
 * range, and allocate exactly the tables that the operation needs: everything that can
 * fail fails there. drm_gpupt_commit_map() and drm_gpupt_commit() write the entries.
 * They allocate nothing and cannot fail, so a fence may depend on them. Then
 * drm_gpupt_op_fini() frees the tables that were unlinked. drm_gpupt_abort() undoes a
 * prepare instead.
 *
 * ::
 *
 *          prepare            commit                op_fini
 *   IDLE ----------> PREPARED ------> COMMITTED ------------> IDLE
 *     ^                 |     writes, flushes    frees tables
 *     +------ abort ----+
 *
 * Many operations can be prepared at a time. So a page table has two states: the live
 * table, which the device reads, and the plan, which is what the live table becomes
 * when all prepared operations are committed. A prepare checks its operation against
 * the plan. Therefore:
 *
 * - Operations are committed in the order in which they were prepared. A driver
 *   has one timeline for each page table.
 * - Only the newest can be aborted.
 * - No operation can be skipped, as the later ones depend on it. If a fence that a
 *   job waits for fails, the job commits its operations nevertheless, and reports
 *   the error in its own fence.
 */

/* Check one level, given that the levels below it are sane. */
static bool drm_gpupt_level_is_sane(const struct drm_gpupt_fmt *fmt, unsigned int i)
{
	const struct drm_gpupt_level *level = &fmt->level[i];

	if (!level->bits || (fmt->entry_size << level->bits) > PAGE_SIZE)
		return false;
	if (level->leaf && level->shift >= fmt->addr_bits)
		return false;
	if (!i)
		return level->leaf;
	return level->shift == level[-1].shift + level[-1].bits &&
	       level->leaf <= level[-1].leaf;
}

static bool drm_gpupt_fmt_is_sane(const struct drm_gpupt_fmt *fmt)
{
	unsigned int i;

	if (!fmt->levels || fmt->levels > DRM_GPUPT_MAX_LEVELS)
		return false;
	if (!fmt->entry_size || fmt->addr_bits > 64)
		return false;
	if (!fmt->fill || !fmt->link || !fmt->clear || !fmt->read)
		return false;

	for (i = 0; i < fmt->levels; i++)
		if (!drm_gpupt_level_is_sane(fmt, i))
			return false;
	return fmt->level[i - 1].shift + fmt->level[i - 1].bits < 64;
}

/* The size of the smallest leaf above level 0, or 0. */
static u64 drm_gpupt_large_leaf(const struct drm_gpupt_fmt *fmt)
{
	unsigned int i;

	for (i = 1; i < fmt->levels; i++)
		if (fmt->level[i].leaf)
			return BIT_ULL(fmt->level[i].shift);
	return 0;
}

static u64 drm_gpupt_va_size(const struct drm_gpupt_fmt *fmt)
{
	const struct drm_gpupt_level *top = &fmt->level[fmt->levels - 1];

	return BIT_ULL(top->shift + top->bits);
}

static int drm_gpupt_add_root(struct drm_gpupt *pt)
{
	const struct drm_gpupt_fmt *fmt = pt->fmt;
	struct drm_gpupt_mem *mem;
	LIST_HEAD(unused);
	int ret;

	pt->root = drm_gpupt_table_alloc(fmt, fmt->levels - 1, 0);
	if (!pt->root)
		return -ENOMEM;

	mem = drm_gpupt_mem_alloc(pt, 1);
	if (IS_ERR(mem))
		return PTR_ERR(mem);

	ret = drm_gpupt_mem_give(pt, mem, &pt->root);
	if (ret) {
		list_add(&mem->entry, &unused);
		drm_gpupt_mem_free_list(&unused);
	}
	return ret;
}

/* Teach lockdep that reclaim can wait for a commit, and that a prepare can reclaim. */
static void drm_gpupt_prime_lockdep(struct drm_gpupt *pt)
{
	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;

	fs_reclaim_acquire(GFP_KERNEL);
	might_lock(&pt->commit_lock);
	fs_reclaim_release(GFP_KERNEL);
	mutex_lock(&pt->plan_lock);
	might_alloc(GFP_KERNEL);
	mutex_unlock(&pt->plan_lock);
}

static const struct drm_gpupt_config drm_gpupt_no_config;

/**
 * drm_gpupt_create() - create an empty page table
 * @fmt: its format
 * @sdev: the device for which the memory and the tables are mapped for DMA
 * @config: settings of the driver; NULL for the defaults
 * @priv: passed to &drm_gpupt_config.flush
 *
 * The caller frees the page table with drm_gpupt_destroy().
 *
 * Context: Process context, may sleep.
 * Return:
 * * the page table, or an ERR_PTR() of an errno below
 * * %-EINVAL - @fmt is malformed, @sdev is NULL, or @config has only one of get_page and
 *   put_page
 * * %-EOVERFLOW - the address of the root has more bits than &drm_gpupt_fmt.addr_bits
 * * %-ENOMEM - out of memory, or see drm_sgt_map()
 * * %-ENODEV - the device is no longer bound
 */
struct drm_gpupt *drm_gpupt_create(const struct drm_gpupt_fmt *fmt,
				   struct drm_sgt_device *sdev,
				   const struct drm_gpupt_config *config, void *priv)
{
	struct drm_gpupt *pt;
	int ret;

	if (!sdev || !drm_gpupt_fmt_is_sane(fmt) ||
	    (config && !config->get_page != !config->put_page))
		return ERR_PTR(-EINVAL);
	/* A map of the root would return this, too, but with cpu_only there is none. */
	if (drm_sgt_device_is_gone(sdev))
		return ERR_PTR(-ENODEV);

	pt = kzalloc(sizeof(*pt), GFP_KERNEL_ACCOUNT);
	if (!pt)
		return ERR_PTR(-ENOMEM);

	pt->fmt = fmt;
	pt->va_size = drm_gpupt_va_size(fmt);
	pt->large_leaf = drm_gpupt_large_leaf(fmt);
	pt->config = config ?: &drm_gpupt_no_config;
	pt->priv = priv;
	pt->sdev = drm_sgt_device_get(sdev);
	mutex_init(&pt->plan_lock);
	mutex_init(&pt->commit_lock);
	drm_gpupt_prime_lockdep(pt);

	ret = drm_gpupt_add_root(pt);
	if (ret) {
		drm_gpupt_destroy(pt);
		return ERR_PTR(ret);
	}
	return pt;
}
EXPORT_SYMBOL_GPL(drm_gpupt_create);

/**
 * drm_gpupt_destroy() - free a page table
 * @pt: the page table, or NULL; no operation is between prepare and op_fini
 *
 * The device must not read it any more. Memory that is mapped in it is not touched.
 *
 * Context: Process context, may sleep. Not in the fence-signalling path.
 */
void drm_gpupt_destroy(struct drm_gpupt *pt)
{
	LIST_HEAD(unused);

	might_alloc(GFP_KERNEL);

	if (!pt)
		return;

	WARN_ON_ONCE(pt->planned != pt->committed);

	mutex_lock(&pt->plan_lock);
	if (pt->root)
		drm_gpupt_table_free_all(pt, pt->root, &unused);
	mutex_unlock(&pt->plan_lock);

	drm_gpupt_mem_free_list(&unused);
	mutex_destroy(&pt->plan_lock);
	mutex_destroy(&pt->commit_lock);
	drm_sgt_device_put(pt->sdev);
	kfree(pt);
}
EXPORT_SYMBOL_GPL(drm_gpupt_destroy);

/**
 * drm_gpupt_root() - the memory of the root table
 * @pt: the page table
 *
 * The driver reads its DMA address in an access section, and writes it to the
 * register of the device.
 *
 * Context: Any.
 * Return: a mapped &struct drm_sgt of one page, owned by @pt; NULL with
 * &drm_gpupt_config.cpu_only
 */
struct drm_sgt *drm_gpupt_root(const struct drm_gpupt *pt)
{
	return pt->root->mem ? pt->root->mem->sgt : NULL;
}
EXPORT_SYMBOL_GPL(drm_gpupt_root);

/**
 * drm_gpupt_tables() - count the tables of a page table
 * @pt: the page table
 *
 * Counts the root, the linked tables, those of prepared operations, and those that
 * are unlinked and wait for drm_gpupt_op_fini(). Takes no lock and walks nothing.
 *
 * Context: Any.
 * Return: number of tables
 */
unsigned long drm_gpupt_tables(const struct drm_gpupt *pt)
{
	return READ_ONCE(pt->tables);
}
EXPORT_SYMBOL_GPL(drm_gpupt_tables);

/**
 * drm_gpupt_format() - the format of a page table
 * @pt: the page table
 *
 * Context: Any.
 * Return: the format that was passed to drm_gpupt_create()
 */
const struct drm_gpupt_fmt *drm_gpupt_format(const struct drm_gpupt *pt)
{
	return pt->fmt;
}
EXPORT_SYMBOL_GPL(drm_gpupt_format);

MODULE_DESCRIPTION("GPU page tables, filled from DMA segments");
MODULE_VERSION(DRM_SGT_VERSION);
MODULE_LICENSE("GPL");
