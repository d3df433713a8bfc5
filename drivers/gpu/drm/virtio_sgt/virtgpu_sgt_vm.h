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

/* The rest of the driver calls only these. */
#ifdef CONFIG_DRM_VIRTIO_SGT_VM
int __must_check virtgpu_sgt_vms_init(void);
void virtgpu_sgt_vms_exit(void);
void virtgpu_sgt_vms_stop(struct virtgpu_sgt_device *vgdev);
void virtgpu_sgt_vms_show(struct virtgpu_sgt_device *vgdev, struct seq_file *m);
void virtgpu_sgt_postclose(struct drm_device *drm, struct drm_file *file);
#else
static inline int virtgpu_sgt_vms_init(void)
{
	return 0;
}

static inline void virtgpu_sgt_vms_exit(void)
{
}

static inline void virtgpu_sgt_vms_stop(struct virtgpu_sgt_device *vgdev)
{
}

static inline void virtgpu_sgt_vms_show(struct virtgpu_sgt_device *vgdev,
					struct seq_file *m)
{
}

static inline void virtgpu_sgt_postclose(struct drm_device *drm,
					 struct drm_file *file)
{
}
#endif

#endif /* __VIRTGPU_SGT_VM_H__ */
