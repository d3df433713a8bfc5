/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_FB_H__
#define __VIRTGPU_SGT_FB_H__

#include <linux/types.h>

struct drm_device;
struct drm_file;
struct drm_framebuffer;
struct drm_mode_fb_cmd2;
struct virtgpu_sgt_resource;

bool virtgpu_sgt_fb_can_be_resource(const struct drm_framebuffer *fb);
int __must_check
virtgpu_sgt_fb_check_resource(const struct drm_framebuffer *fb,
			      const struct virtgpu_sgt_resource *res);
int __must_check virtgpu_sgt_fb_check(const struct drm_framebuffer *fb);
struct drm_framebuffer *virtgpu_sgt_fb_create(struct drm_device *drm,
					      struct drm_file *file,
					      const struct drm_mode_fb_cmd2 *cmd);

#endif /* __VIRTGPU_SGT_FB_H__ */
