// SPDX-License-Identifier: GPL-2.0

#include <linux/err.h>
#include <linux/math64.h>
#include <linux/mm.h>

#include "drm_gpupt_internal.h"

/**
 * DOC: lists
 *
 * Some devices read no tree, but a list of addresses and lengths, from its first
 * entry on. The VA of an entry follows from all before it, so it
 * cannot be changed in the middle: it is mapped and unmapped as a whole. The rest
 * is as with a tree, whose lowest level the pages of the list are.
 */

static int drm_gpupt_list_count(struct drm_gpupt_plan *plan, u64 *count)
{
	struct drm_gpupt *gpt = plan->gpt;
	u64 mask = drm_gpupt_span(gpt, 0) - 1;
	struct drm_dma_seg seg;

	*count = 0;
	while (drm_dma_iter_next(&plan->iter, &seg)) {
		if (fls64(seg.addr + seg.len - 1) > gpt->fmt->addr_bits)
			return -EOVERFLOW;
		if ((seg.addr | seg.len) & mask)
			return -EINVAL;
		*count += DIV64_U64_ROUND_UP(seg.len, gpt->fmt->max_len);
		/* There can be many more of them than the list has room for. */
		if (*count > gpt->fmt->max_entries)
			return -E2BIG;
	}
	return 0;
}

static int drm_gpupt_list_plan_page(struct drm_gpupt_plan *plan, unsigned int index,
				    unsigned int count)
{
	struct drm_gpupt_table *root = plan->gpt->root;
	struct drm_gpupt_table *page;
	struct drm_gpupt_edit *edit;

	page = drm_gpupt_plan_table(plan, DRM_GPUPT_STEP_NEW, root, index);
	if (IS_ERR(page))
		return PTR_ERR(page);

	edit = drm_gpupt_op_edit(plan->op, DRM_GPUPT_STEP_MAP, page, 0);
	if (!edit)
		return -ENOMEM;

	edit->count = count;
	bitmap_set(page->leaf, 0, count);
	page->used = count;
	return drm_gpupt_plan_link(plan, root, page, index);
}

/**
 * drm_gpupt_list_plan_map() - plan the only map of a list
 * @plan: of which operation
 *
 * Return: 0 or a negative errno: see drm_gpupt_prepare_map()
 */
int drm_gpupt_list_plan_map(struct drm_gpupt_plan *plan)
{
	struct drm_gpupt *gpt = plan->gpt;
	unsigned int nr = drm_gpupt_nr_entries(gpt, 0);
	unsigned int i;
	u64 count;
	int ret;

	lockdep_assert_held(&gpt->plan_lock);

	if (gpt->list_len)
		return -EEXIST;
	if (plan->op->va)
		return -EOPNOTSUPP;

	ret = drm_gpupt_list_count(plan, &count);
	for (i = 0; !ret && count; i++) {
		unsigned int some = min(count, nr);

		ret = drm_gpupt_list_plan_page(plan, i, some);
		count -= some;
	}
	return ret;
}

/**
 * drm_gpupt_list_plan_unmap() - plan to empty a list
 * @plan: of which operation
 *
 * Return: 0 or a negative errno: see drm_gpupt_prepare_unmap()
 */
int drm_gpupt_list_plan_unmap(struct drm_gpupt_plan *plan)
{
	struct drm_gpupt *gpt = plan->gpt;
	struct drm_gpupt_table *root = gpt->root;
	struct drm_gpupt_table *page;
	int ret = 0;

	lockdep_assert_held(&gpt->plan_lock);

	if (!gpt->list_len)
		return -ENOENT;
	if (plan->op->va || plan->op->len != gpt->list_len)
		return -EOPNOTSUPP;

	while (!ret && root->used) {
		page = drm_gpupt_table_planned_first(root);
		ret = drm_gpupt_plan_unlink(plan, root, page);
	}
	return ret;
}

/**
 * drm_gpupt_list_entries() - the length of a list
 * @gpt: a page table whose format is a list, with no operation in flight
 *
 * Context: Process context, may sleep.
 * Return: entries
 */
unsigned int drm_gpupt_list_entries(struct drm_gpupt *gpt)
{
	struct drm_gpupt_table *page;
	unsigned int nr = 0;

	guard(mutex)(&gpt->plan_lock);

	for (page = drm_gpupt_table_planned_first(gpt->root); page;
	     page = drm_gpupt_table_planned_next(page))
		nr += page->used;
	return nr;
}
EXPORT_SYMBOL_GPL(drm_gpupt_list_entries);

/**
 * drm_gpupt_list_page() - the memory of a list
 * @gpt: a page table whose format is a list, with no operation in flight
 * @index: of the page; each but the last is full of entries
 *
 * Ownership: the list's, until that is unmapped or destroyed.
 *
 * Context: Process context, may sleep.
 * Return: the page, or NULL if there are fewer
 */
struct page *drm_gpupt_list_page(struct drm_gpupt *gpt, unsigned int index)
{
	struct drm_gpupt_table *page;

	guard(mutex)(&gpt->plan_lock);

	page = drm_gpupt_table_planned(gpt, gpt->root, index);
	return page ? virt_to_page(page->entries) : NULL;
}
EXPORT_SYMBOL_GPL(drm_gpupt_list_page);
