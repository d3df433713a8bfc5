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
#include "virtgpu_sgt_drv.h"
#include "virtgpu_sgt_vm.h"
#include "virtgpu_sgt_vm_job.h"
#include "virtgpu_sgt_vm_plan.h"

/*
 * From operations of a VM_BIND to steps of a job. drm_gpuvm knows what is where,
 * and cuts what is in the way; each cut, removal or new range is a step, prepared
 * in the page table at once. Both are as if the steps had been done already, which
 * is what the next one is planned on.
 */

/* What a step callback is told. */
struct virtgpu_sgt_vm_plan {
	struct virtgpu_sgt_vm_job *job;
	u32 prot;
};

/*
 * Begin with a step, of which a user decides how many there are: each one may be
 * the last. @grows: there will be one mapping more.
 */
static struct virtgpu_sgt_step *
virtgpu_sgt_step_begin(const struct virtgpu_sgt_vm_plan *plan, bool grows)
{
	struct virtgpu_sgt_vm *vm = plan->job->vm;
	struct virtgpu_sgt_step *step;

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
virtgpu_sgt_step_add(struct virtgpu_sgt_step *step, unsigned int index, u32 prot)
{
	struct virtgpu_sgt_mapping *mapping = virtgpu_sgt_mapping_alloc();

	if (mapping)
		mapping->prot = prot;
	step->added[index] = mapping;
	return mapping;
}

/* A step that is not part of a job, nor its mappings of the address space. */
static void virtgpu_sgt_step_free(struct virtgpu_sgt_step *step)
{
	virtgpu_sgt_mapping_free(step->added[0]);
	virtgpu_sgt_mapping_free(step->added[1]);
	kfree(step);
}

/* How many mappings more there are after a step: -1, 0 or 1. */
static int virtgpu_sgt_step_growth(const struct virtgpu_sgt_step *step)
{
	return !!step->added[0] + !!step->added[1] - !!step->removed;
}

/* From here on nothing fails: drm_gpuvm has changed, or does so now. */
static void virtgpu_sgt_step_finish(struct virtgpu_sgt_vm_job *job,
				    struct virtgpu_sgt_step *step)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(step->added); i++)
		if (step->added[i])
			drm_gem_object_get(step->added[i]->base.gem.obj);
	job->vm->num_mappings += virtgpu_sgt_step_growth(step);
	list_add_tail(&step->node, &job->steps);
}

/**
 * virtgpu_sgt_step_map() - &drm_gpuvm_ops.sm_step_map
 * @op: the new range, which is empty
 * @priv: a struct virtgpu_sgt_vm_plan
 *
 * Return: 0 or a negative errno: see virtgpu_sgt_vm_plan_map()
 */
int virtgpu_sgt_step_map(struct drm_gpuva_op *op, void *priv)
{
	struct virtgpu_sgt_bo *bo = to_virtgpu_sgt_bo(op->map.gem.obj);
	struct virtgpu_sgt_vm_plan *plan = priv;
	struct virtgpu_sgt_vm *vm = plan->job->vm;
	struct virtgpu_sgt_step *step;
	int ret = -ENOMEM;

	step = virtgpu_sgt_step_begin(plan, true);
	if (IS_ERR(step))
		return PTR_ERR(step);
	if (!virtgpu_sgt_step_add(step, 0, plan->prot))
		goto err_free;

	step->va = op->map.va.addr;
	step->len = op->map.va.range;
	drm_sgt_access_scope(view, bo->base.sgt, ret)
		ret = drm_gpupt_prepare_map(vm->gpt, &step->op, step->va,
					    step->len, view, op->map.gem.offset,
					    plan->prot);
	if (ret)
		goto err_free;

	drm_gpuva_map(&vm->base, &step->added[0]->base, &op->map);
	virtgpu_sgt_step_finish(plan->job, step);
	return 0;

err_free:
	virtgpu_sgt_step_free(step);
	return ret;
}

/**
 * virtgpu_sgt_step_remap() - &drm_gpuvm_ops.sm_step_remap
 * @op: what is cut, and what is left of it
 * @priv: a struct virtgpu_sgt_vm_plan
 *
 * Return: 0 or a negative errno: see virtgpu_sgt_vm_plan_unmap()
 */
int virtgpu_sgt_step_remap(struct drm_gpuva_op *op, void *priv)
{
	struct drm_gpuva_op_remap *remap = &op->remap;
	struct virtgpu_sgt_vm_plan *plan = priv;
	struct virtgpu_sgt_step *step;
	int ret = -ENOMEM;

	step = virtgpu_sgt_step_begin(plan, remap->prev && remap->next);
	if (IS_ERR(step))
		return PTR_ERR(step);
	step->removed = to_virtgpu_sgt_mapping(remap->unmap->va);
	if (remap->prev &&
	    !virtgpu_sgt_step_add(step, 0, step->removed->prot))
		goto err_free;
	if (remap->next &&
	    !virtgpu_sgt_step_add(step, 1, step->removed->prot))
		goto err_free;

	drm_gpuva_op_remap_to_unmap_range(remap, &step->va, &step->len);
	ret = drm_gpupt_prepare_unmap(plan->job->vm->gpt, &step->op, step->va,
				      step->len);
	if (ret)
		goto err_free;

	drm_gpuva_remap(remap->prev ? &step->added[0]->base : NULL,
			remap->next ? &step->added[1]->base : NULL, remap);
	virtgpu_sgt_step_finish(plan->job, step);
	return 0;

err_free:
	virtgpu_sgt_step_free(step);
	return ret;
}

/**
 * virtgpu_sgt_step_unmap() - &drm_gpuvm_ops.sm_step_unmap
 * @op: what is removed
 * @priv: a struct virtgpu_sgt_vm_plan
 *
 * Return: 0 or a negative errno: see virtgpu_sgt_vm_plan_unmap()
 */
int virtgpu_sgt_step_unmap(struct drm_gpuva_op *op, void *priv)
{
	struct drm_gpuva *va = op->unmap.va;
	struct virtgpu_sgt_vm_plan *plan = priv;
	struct virtgpu_sgt_step *step;
	int ret;

	step = virtgpu_sgt_step_begin(plan, false);
	if (IS_ERR(step))
		return PTR_ERR(step);

	step->removed = to_virtgpu_sgt_mapping(va);
	step->va = va->va.addr;
	step->len = va->va.range;
	ret = drm_gpupt_prepare_unmap(plan->job->vm->gpt, &step->op, step->va,
				      step->len);
	if (ret) {
		virtgpu_sgt_step_free(step);
		return ret;
	}

	drm_gpuva_unmap(&op->unmap);
	virtgpu_sgt_step_finish(plan->job, step);
	return 0;
}

/**
 * virtgpu_sgt_vm_plan_map() - have a range lead to a buffer, whatever is there
 * @job: the job
 * @va: first byte of the range
 * @size: bytes of the range
 * @obj: the buffer; not a VA resource
 * @offset: first byte in the buffer
 * @prot: DRM_GPUPT_*
 *
 * After an error, the steps that were planned before it are still there.
 *
 * Context: Process context, may sleep. The caller holds &virtgpu_sgt_vm.lock.
 * Return: 0, or see virtgpu_sgt_vm_plan_unmap() and drm_gpupt_prepare_map()
 */
int virtgpu_sgt_vm_plan_map(struct virtgpu_sgt_vm_job *job, u64 va, u64 size,
			    struct drm_gem_object *obj, u64 offset, u32 prot)
{
	struct virtgpu_sgt_vm_plan plan = { .job = job, .prot = prot };

	lockdep_assert_held(&job->vm->lock);

	return drm_gpuvm_sm_map(&job->vm->base, &plan, va, size, obj, offset);
}

/**
 * virtgpu_sgt_vm_plan_unmap() - empty a range, whatever is there
 * @job: the job
 * @va: first byte of the range
 * @size: bytes of the range
 *
 * After an error, the steps that were planned before it are still there.
 *
 * Context: Process context, may sleep. The caller holds &virtgpu_sgt_vm.lock.
 * Return: 0, or see drm_gpupt_prepare_unmap(), or:
 *
 * * %-ENOSPC - the address space would have too many mappings
 * * %-EINTR  - the caller was killed
 * * %-ENOMEM - out of memory
 */
int virtgpu_sgt_vm_plan_unmap(struct virtgpu_sgt_vm_job *job, u64 va, u64 size)
{
	struct virtgpu_sgt_vm_plan plan = { .job = job };

	lockdep_assert_held(&job->vm->lock);

	return drm_gpuvm_sm_unmap(&job->vm->base, &plan, va, size);
}

static void virtgpu_sgt_step_undo(struct virtgpu_sgt_vm *vm,
				  struct virtgpu_sgt_step *step)
{
	unsigned int i;

	/* The newest one that is prepared: others wait for the lock. */
	WARN_ON_ONCE(drm_gpupt_abort(&step->op));

	for (i = 0; i < ARRAY_SIZE(step->added); i++)
		if (step->added[i])
			drm_gpuva_remove(&step->added[i]->base);
	if (step->removed)
		WARN_ON_ONCE(drm_gpuva_insert(&vm->base, &step->removed->base));

	vm->num_mappings -= virtgpu_sgt_step_growth(step);

	list_del(&step->node);
	virtgpu_sgt_step_free(step);
}

/**
 * virtgpu_sgt_vm_plan_undo() - have it that a job never was
 * @job: the job, not pushed; without steps afterwards
 *
 * Context: Process context, may sleep. The caller holds &virtgpu_sgt_vm.lock, since
 * before the job was created.
 */
void virtgpu_sgt_vm_plan_undo(struct virtgpu_sgt_vm_job *job)
{
	struct virtgpu_sgt_step *step, *prev;

	lockdep_assert_held(&job->vm->lock);

	list_for_each_entry_safe_reverse(step, prev, &job->steps, node) {
		virtgpu_sgt_step_undo(job->vm, step);
		cond_resched();
	}
}
