/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_VM_H__
#define __VIRTGPU_SGT_VM_H__

#include <linux/compiler.h>

#include "virtgpu_sgt_vm_types.h"

struct drm_device;
struct drm_file;
struct seq_file;
struct virtgpu_sgt_device;

struct virtgpu_sgt_vm * __must_check
virtgpu_sgt_vm_of_file(struct virtgpu_sgt_device *vgdev, struct drm_file *file);
int __must_check virtgpu_sgt_vm_wait(struct virtgpu_sgt_vm *vm);
int __must_check virtgpu_sgt_vm_lock_idle(struct virtgpu_sgt_vm *vm);
void virtgpu_sgt_vms_stop(struct virtgpu_sgt_device *vgdev);
void virtgpu_sgt_vms_show(struct virtgpu_sgt_device *vgdev, struct seq_file *m);
void virtgpu_sgt_postclose(struct drm_device *drm, struct drm_file *file);

#endif /* __VIRTGPU_SGT_VM_H__ */
