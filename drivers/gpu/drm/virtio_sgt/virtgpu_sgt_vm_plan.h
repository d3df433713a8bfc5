/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_VM_PLAN_H__
#define __VIRTGPU_SGT_VM_PLAN_H__

#include <linux/compiler.h>
#include <linux/types.h>

struct drm_gem_object;
struct drm_gpuva_op;
struct virtgpu_sgt_vm_job;

int __must_check virtgpu_sgt_vm_plan_map(struct virtgpu_sgt_vm_job *job, u64 va,
					 u64 size, struct drm_gem_object *obj,
					 u64 offset, u32 prot);
int __must_check virtgpu_sgt_vm_plan_unmap(struct virtgpu_sgt_vm_job *job, u64 va,
					   u64 size);
void virtgpu_sgt_vm_plan_undo(struct virtgpu_sgt_vm_job *job);

/* &drm_gpuvm_ops of an address space. */
int virtgpu_sgt_step_map(struct drm_gpuva_op *op, void *priv);
int virtgpu_sgt_step_remap(struct drm_gpuva_op *op, void *priv);
int virtgpu_sgt_step_unmap(struct drm_gpuva_op *op, void *priv);

#endif /* __VIRTGPU_SGT_VM_PLAN_H__ */
