/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_DISPLAY_H__
#define __VIRTGPU_SGT_DISPLAY_H__

#include <linux/types.h>

struct drm_device;
struct drm_file;
struct virtgpu_sgt_device;

int virtgpu_sgt_display_init(struct virtgpu_sgt_device *vgdev);
void virtgpu_sgt_master_set(struct drm_device *drm, struct drm_file *file,
			    bool from_open);
void virtgpu_sgt_master_drop(struct drm_device *drm, struct drm_file *file);

#endif /* __VIRTGPU_SGT_DISPLAY_H__ */
