/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_VM_PLAN_H__
#define __VIRTGPU_SGT_VM_PLAN_H__

#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/types.h>

#include <drm/drm_gpupt.h>

struct drm_gem_object;
struct drm_gpuva_op;
struct drm_virtgpu_sgt_vm_bind_op;
struct virtgpu_sgt_mapping;
struct virtgpu_sgt_vm;

/**
 * struct virtgpu_sgt_vm_step - one change of the page table
 *
 * Either maps a range, and @removed is NULL, or unmaps it.
 */
struct virtgpu_sgt_vm_step {
	/** @node: in the list of steps of a job */
	struct list_head node;

	/** @op: the prepared change */
	struct drm_gpupt_op op;

	/** @va: first byte of the range that changes */
	u64 va;

	/** @len: bytes of the range */
	u64 len;

	/** @removed: the mapping of which the range is part; owned */
	struct virtgpu_sgt_mapping *removed;

	/**
	 * @added: the new mapping in [0], or the rest of @removed on each side.
	 * Owned by the address space; only a later job removes it, so it is valid
	 * until the step is done
	 */
	struct virtgpu_sgt_mapping *added[2];
};

int __must_check virtgpu_sgt_vm_plan_op(struct virtgpu_sgt_vm *vm, struct list_head *steps,
					const struct drm_virtgpu_sgt_vm_bind_op *op,
					struct drm_gem_object *obj);
void virtgpu_sgt_vm_plan_undo(struct virtgpu_sgt_vm *vm, struct list_head *steps);
void virtgpu_sgt_vm_plan_free(struct list_head *steps);
void virtgpu_sgt_mapping_free(struct virtgpu_sgt_mapping *mapping);

/* &drm_gpuvm_ops of an address space. */
int virtgpu_sgt_vm_step_map(struct drm_gpuva_op *op, void *priv);
int virtgpu_sgt_vm_step_remap(struct drm_gpuva_op *op, void *priv);
int virtgpu_sgt_vm_step_unmap(struct drm_gpuva_op *op, void *priv);

#endif /* __VIRTGPU_SGT_VM_PLAN_H__ */
