/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_VA_GEM_H__
#define __VIRTGPU_SGT_VA_GEM_H__

struct drm_device;
struct drm_file;

int virtgpu_sgt_resource_from_va_ioctl(struct drm_device *drm, void *data,
				       struct drm_file *file);

#endif /* __VIRTGPU_SGT_VA_GEM_H__ */
