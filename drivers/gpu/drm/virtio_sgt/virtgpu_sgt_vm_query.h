/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_VM_QUERY_H__
#define __VIRTGPU_SGT_VM_QUERY_H__

struct drm_device;
struct drm_file;

int virtgpu_sgt_dev_query_ioctl(struct drm_device *drm, void *data,
				struct drm_file *file);
int virtgpu_sgt_vm_query_ioctl(struct drm_device *drm, void *data,
			       struct drm_file *file);
int virtgpu_sgt_bo_info_ioctl(struct drm_device *drm, void *data,
			      struct drm_file *file);

#endif /* __VIRTGPU_SGT_VM_QUERY_H__ */
