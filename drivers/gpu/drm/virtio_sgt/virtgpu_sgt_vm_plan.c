// SPDX-License-Identifier: GPL-2.0

#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>
#include <drm/drm_gpupt.h>
#include <drm/drm_gpuvm.h>
#include <drm/drm_print.h>
#include <drm/drm_sgt.h>
#include <drm/virtgpu_sgt_drm.h>

#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_reclaim.h"
#include "virtgpu_sgt_vm_plan.h"
#include "virtgpu_sgt_vm_types.h"

/*
 * Plans the operations of a VM_BIND as steps of a job. drm_gpuvm splits and removes the
 * mappings that overlap an operation. Each split, removal or new mapping is a step,
 * which is prepared in the page table at once. drm_gpuvm and the page table then are in
 * the planned state, on which the next step is planned.
 */

/* The argument of the step callbacks. */
struct virtgpu_sgt_vm_plan {
	struct virtgpu_sgt_vm *vm;
	struct list_head *steps;
	u32 prot;
};

/*
 * Begin a step. Userspace chooses how many there are, so each one checks for signals.
 * @grows: adds a mapping.
 */
static struct virtgpu_sgt_vm_step *
virtgpu_sgt_vm_step_begin(const struct virtgpu_sgt_vm_plan *plan, bool grows)
{
	struct virtgpu_sgt_vm *vm = plan->vm;
	struct virtgpu_sgt_vm_step *step;

	cond_resched();
	if (fatal_signal_pending(current))
		return ERR_PTR(-EINTR);

	if (grows && vm->num_mappings >= VIRTGPU_SGT_VM_MAX_MAPPINGS) {
		drm_dbg_driver(vm->vgdev->drm, "more than %u mappings\n",
			       vm->num_mappings);
		return ERR_PTR(-ENOSPC);
	}

	step = kzalloc(sizeof(*step), GFP_KERNEL_ACCOUNT);
	return step ?: ERR_PTR(-ENOMEM);
}

static struct virtgpu_sgt_mapping *
virtgpu_sgt_vm_step_add(struct virtgpu_sgt_vm_step *step, unsigned int index, u32 prot)
{
	struct virtgpu_sgt_mapping *mapping;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (mapping)
		mapping->prot = prot;
	step->added[index] = mapping;
	return mapping;
}

/**
 * virtgpu_sgt_mapping_free() - free a mapping
 * @mapping: one that is in no address space, or NULL
 *
 * Context: Process context, may sleep. Can drop the last reference to a buffer.
 */
void virtgpu_sgt_mapping_free(struct virtgpu_sgt_mapping *mapping)
{
	if (!mapping)
		return;

	virtgpu_sgt_bo_put_used(mapping->base.gem.obj);
	kfree(mapping);
}

/* Free a step that is in no list, and whose new mappings are in no address space. */
static void virtgpu_sgt_vm_step_free(struct virtgpu_sgt_vm_step *step)
{
	virtgpu_sgt_mapping_free(step->added[0]);
	virtgpu_sgt_mapping_free(step->added[1]);
	kfree(step);
}

/* How many mappings a step adds: -1, 0 or 1. */
static int virtgpu_sgt_vm_step_growth(const struct virtgpu_sgt_vm_step *step)
{
	return !!step->added[0] + !!step->added[1] - !!step->removed;
}

/* The step cannot fail any more: drm_gpuvm has changed. */
static void virtgpu_sgt_vm_step_finish(const struct virtgpu_sgt_vm_plan *plan,
				       struct virtgpu_sgt_vm_step *step)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(step->added); i++)
		if (step->added[i])
			virtgpu_sgt_bo_get_used(step->added[i]->base.gem.obj);
	plan->vm->num_mappings += virtgpu_sgt_vm_step_growth(step);
	list_add_tail(&step->node, plan->steps);
}

/**
 * virtgpu_sgt_vm_step_map() - &drm_gpuvm_ops.sm_step_map
 * @op: the new range, which is unmapped
 * @priv: a struct virtgpu_sgt_vm_plan
 *
 * Return: 0 or a negative errno: see virtgpu_sgt_vm_plan_op()
 */
int virtgpu_sgt_vm_step_map(struct drm_gpuva_op *op, void *priv)
{
	struct virtgpu_sgt_bo *bo = to_virtgpu_sgt_bo(op->map.gem.obj);
	struct virtgpu_sgt_vm_plan *plan = priv;
	struct virtgpu_sgt_vm *vm = plan->vm;
	struct virtgpu_sgt_vm_step *step;
	int ret = -ENOMEM;

	step = virtgpu_sgt_vm_step_begin(plan, true);
	if (IS_ERR(step))
		return PTR_ERR(step);
	if (!virtgpu_sgt_vm_step_add(step, 0, plan->prot))
		goto err_free;

	step->va = op->map.va.addr;
	step->len = op->map.va.range;
	drm_sgt_access_scope(view, bo->base.sgt, ret)
		ret = drm_gpupt_prepare_map(vm->pt, &step->op, step->va,
					    step->len, view, op->map.gem.offset,
					    plan->prot);
	if (ret)
		goto err_free;

	drm_gpuva_map(&vm->base, &step->added[0]->base, &op->map);
	virtgpu_sgt_vm_step_finish(plan, step);
	return 0;

err_free:
	virtgpu_sgt_vm_step_free(step);
	return ret;
}

/**
 * virtgpu_sgt_vm_step_remap() - &drm_gpuvm_ops.sm_step_remap
 * @op: the mapping that is split, and what is left of it
 * @priv: a struct virtgpu_sgt_vm_plan
 *
 * Return: 0 or a negative errno: see virtgpu_sgt_vm_plan_op()
 */
int virtgpu_sgt_vm_step_remap(struct drm_gpuva_op *op, void *priv)
{
	struct drm_gpuva_op_remap *remap = &op->remap;
	struct virtgpu_sgt_vm_plan *plan = priv;
	struct virtgpu_sgt_vm_step *step;
	int ret = -ENOMEM;

	step = virtgpu_sgt_vm_step_begin(plan, remap->prev && remap->next);
	if (IS_ERR(step))
		return PTR_ERR(step);
	step->removed = to_virtgpu_sgt_mapping(remap->unmap->va);
	if (remap->prev &&
	    !virtgpu_sgt_vm_step_add(step, 0, step->removed->prot))
		goto err_free;
	if (remap->next &&
	    !virtgpu_sgt_vm_step_add(step, 1, step->removed->prot))
		goto err_free;

	drm_gpuva_op_remap_to_unmap_range(remap, &step->va, &step->len);
	ret = drm_gpupt_prepare_unmap(plan->vm->pt, &step->op, step->va,
				      step->len);
	if (ret)
		goto err_free;

	drm_gpuva_remap(remap->prev ? &step->added[0]->base : NULL,
			remap->next ? &step->added[1]->base : NULL, remap);
	virtgpu_sgt_vm_step_finish(plan, step);
	return 0;

err_free:
	virtgpu_sgt_vm_step_free(step);
	return ret;
}

/**
 * virtgpu_sgt_vm_step_unmap() - &drm_gpuvm_ops.sm_step_unmap
 * @op: the mapping that is removed
 * @priv: a struct virtgpu_sgt_vm_plan
 *
 * Return: 0 or a negative errno: see virtgpu_sgt_vm_plan_op()
 */
int virtgpu_sgt_vm_step_unmap(struct drm_gpuva_op *op, void *priv)
{
	struct drm_gpuva *va = op->unmap.va;
	struct virtgpu_sgt_vm_plan *plan = priv;
	struct virtgpu_sgt_vm_step *step;
	int ret;

	step = virtgpu_sgt_vm_step_begin(plan, false);
	if (IS_ERR(step))
		return PTR_ERR(step);

	step->removed = to_virtgpu_sgt_mapping(va);
	step->va = va->va.addr;
	step->len = va->va.range;
	ret = drm_gpupt_prepare_unmap(plan->vm->pt, &step->op, step->va,
				      step->len);
	if (ret) {
		virtgpu_sgt_vm_step_free(step);
		return ret;
	}

	drm_gpuva_unmap(&op->unmap);
	virtgpu_sgt_vm_step_finish(plan, step);
	return 0;
}

/**
 * virtgpu_sgt_vm_plan_op() - plan an operation of a VM_BIND
 * @vm: the address space
 * @steps: list to which the steps of the operation are added
 * @op: the operation, whose arguments are checked
 * @obj: its buffer, not a VA resource; NULL for an UNMAP
 *
 * After an error, @steps has the steps that were planned before the error.
 *
 * Context: Process context, may sleep. The caller holds &virtgpu_sgt_vm.lock.
 * Return:
 * * %0       - success
 * * see drm_gpupt_prepare_map() and drm_gpupt_prepare_unmap()
 * * %-EEXIST - a MAP of a range that is not empty
 * * %-ENOSPC - the address space would have too many mappings
 * * %-EINTR  - the task was killed
 * * %-ENOMEM - out of memory
 */
int virtgpu_sgt_vm_plan_op(struct virtgpu_sgt_vm *vm, struct list_head *steps,
			   const struct drm_virtgpu_sgt_vm_bind_op *op,
			   struct drm_gem_object *obj)
{
	struct virtgpu_sgt_vm_plan plan = {
		.vm = vm,
		.steps = steps,
		.prot = op->flags & VIRTGPU_SGT_VM_READONLY ? 0 : DRM_GPUPT_WRITE,
	};
	const struct drm_gpuvm_map_req req = {
		.map.va.addr = op->va,
		.map.va.range = op->size,
		.map.gem.obj = obj,
		.map.gem.offset = op->offset,
	};

	lockdep_assert_held(&vm->lock);

	if (op->op == VIRTGPU_SGT_VM_UNMAP)
		return drm_gpuvm_sm_unmap(&vm->base, &plan, op->va, op->size);

	if (op->op == VIRTGPU_SGT_VM_MAP &&
	    !drm_gpuvm_interval_empty(&vm->base, op->va, op->size)) {
		drm_dbg_driver(vm->vgdev->drm, "0x%llx + 0x%llx is not empty\n",
			       op->va, op->size);
		return -EEXIST;
	}
	return drm_gpuvm_sm_map(&vm->base, &plan, &req);
}

static void virtgpu_sgt_vm_step_undo(struct virtgpu_sgt_vm *vm,
				     struct virtgpu_sgt_vm_step *step)
{
	unsigned int i;

	/* Only the newest prepared change can be aborted, and the lock keeps out others. */
	WARN_ON_ONCE(drm_gpupt_abort(&step->op));

	for (i = 0; i < ARRAY_SIZE(step->added); i++)
		if (step->added[i])
			drm_gpuva_remove(&step->added[i]->base);
	if (step->removed)
		WARN_ON_ONCE(drm_gpuva_insert(&vm->base, &step->removed->base));

	vm->num_mappings -= virtgpu_sgt_vm_step_growth(step);

	list_del(&step->node);
	virtgpu_sgt_vm_step_free(step);
}

/**
 * virtgpu_sgt_vm_plan_undo() - restore the planned state before some steps
 * @vm: the address space
 * @steps: the newest steps that were planned; an empty list afterwards
 *
 * Context: Process context, may sleep. The caller has held &virtgpu_sgt_vm.lock since
 * before the first step was planned.
 */
void virtgpu_sgt_vm_plan_undo(struct virtgpu_sgt_vm *vm, struct list_head *steps)
{
	struct virtgpu_sgt_vm_step *step, *prev;

	lockdep_assert_held(&vm->lock);

	list_for_each_entry_safe_reverse(step, prev, steps, node) {
		virtgpu_sgt_vm_step_undo(vm, step);
		cond_resched();
	}
}

/**
 * virtgpu_sgt_vm_plan_free() - free steps that are done
 * @steps: the steps, all of which are committed
 *
 * Context: Process context, may sleep. Can drop the last reference to buffers.
 */
void virtgpu_sgt_vm_plan_free(struct list_head *steps)
{
	struct virtgpu_sgt_vm_step *step, *next;

	list_for_each_entry_safe(step, next, steps, node) {
		drm_gpupt_op_fini(&step->op);
		virtgpu_sgt_mapping_free(step->removed);
		kfree(step);
		cond_resched();
	}
}
