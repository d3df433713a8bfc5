// SPDX-License-Identifier: GPL-2.0

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "drm_gpupt_internal.h"

/*
 * An operation is a list of steps. The prepare adds them, and the commit does them. Each
 * also changes the plan when it is added. An abort, and a prepare that fails, undo the
 * steps in reverse order.
 */

static int drm_gpupt_op_grow(struct drm_gpupt_op *op)
{
	unsigned int max = op->max_steps * 2;
	struct drm_gpupt_step *steps;

	steps = kvmalloc_array(max, sizeof(*steps), GFP_KERNEL_ACCOUNT);
	if (!steps)
		return -ENOMEM;

	memcpy(steps, op->steps, op->nr_steps * sizeof(*steps));
	if (op->steps != op->inline_steps)
		kvfree(op->steps);
	op->steps = steps;
	op->max_steps = max;
	return 0;
}

/**
 * drm_gpupt_op_add_step() - append a step to an operation
 * @op: the operation
 * @kind: what the step does
 * @table: the table that it changes
 * @first: the first entry in it
 *
 * Return: the step, with a count of one entry; NULL when out of memory
 */
struct drm_gpupt_step *drm_gpupt_op_add_step(struct drm_gpupt_op *op,
					     enum drm_gpupt_step_kind kind,
					     struct drm_gpupt_table *table,
					     unsigned int first)
{
	struct drm_gpupt_step *step;

	if (op->nr_steps == op->max_steps && drm_gpupt_op_grow(op))
		return NULL;

	step = &op->steps[op->nr_steps++];
	*step = (struct drm_gpupt_step) {
		.kind = kind,
		.table = table,
		.first = first,
		.count = 1,
	};
	return step;
}

/**
 * drm_gpupt_undo_step() - undo what a step changed in the plan
 * @pt: the page table
 * @step: the last step of the newest operation
 * @unused: a list that gets the memory of tables that are freed
 */
void drm_gpupt_undo_step(struct drm_gpupt *pt, struct drm_gpupt_step *step,
			 struct list_head *unused)
{
	struct drm_gpupt_table *table = step->table;

	lockdep_assert_held(&pt->plan_lock);

	switch (step->kind) {
	case DRM_GPUPT_STEP_NEW:
	case DRM_GPUPT_STEP_SPLIT:
		drm_gpupt_table_free(pt, step->child, unused);
		break;
	case DRM_GPUPT_STEP_MAP:
		bitmap_clear(table->leaf, step->first, step->count);
		table->used -= step->count;
		break;
	case DRM_GPUPT_STEP_CLEAR:
		bitmap_set(table->leaf, step->first, step->count);
		table->used += step->count;
		break;
	case DRM_GPUPT_STEP_LINK:
		drm_gpupt_table_unplan(pt, table, step->child);
		if (step->was_leaf)
			__set_bit(step->first, table->leaf);
		else
			table->used--;
		break;
	case DRM_GPUPT_STEP_REPLACE:
		break;
	case DRM_GPUPT_STEP_COLLAPSE:
		__clear_bit(step->first, table->leaf);
		drm_gpupt_table_plan(pt, table, step->child);
		break;
	case DRM_GPUPT_STEP_UNLINK:
		drm_gpupt_table_plan(pt, table, step->child);
		table->used++;
		break;
	}
}
