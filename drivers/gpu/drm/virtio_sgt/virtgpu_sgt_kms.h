/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_KMS_H__
#define __VIRTGPU_SGT_KMS_H__

struct drm_framebuffer;
struct virtgpu_sgt_device;

int virtgpu_sgt_kms_init(struct virtgpu_sgt_device *vgdev);
int virtgpu_sgt_fb_check(const struct drm_framebuffer *fb);

#endif /* __VIRTGPU_SGT_KMS_H__ */
