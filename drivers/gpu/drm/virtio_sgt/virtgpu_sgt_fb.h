/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_FB_H__
#define __VIRTGPU_SGT_FB_H__

#include <linux/container_of.h>

#include <drm/drm_framebuffer.h>

struct drm_device;
struct drm_file;
struct drm_format_info;
struct drm_mode_fb_cmd2;
struct virtgpu_sgt_resource;

/**
 * struct virtgpu_sgt_fb - a framebuffer, and the resource that shows it
 */
struct virtgpu_sgt_fb {
	/** @base: the framebuffer; must be first */
	struct drm_framebuffer base;

	/** @own: a resource that is freed with it, or NULL; set once */
	struct virtgpu_sgt_resource *own;

	/** @res: @own, or the resource of its GEM object; set once */
	struct virtgpu_sgt_resource *res;
};

/**
 * to_virtgpu_sgt_fb() - the framebuffer of this driver
 * @fb: a framebuffer of this driver
 *
 * Return: the &struct virtgpu_sgt_fb
 */
static inline struct virtgpu_sgt_fb *to_virtgpu_sgt_fb(struct drm_framebuffer *fb)
{
	return container_of(fb, struct virtgpu_sgt_fb, base);
}

int __must_check
virtgpu_sgt_fb_check_resource(const struct drm_framebuffer *fb,
			      const struct virtgpu_sgt_resource *res);
struct drm_framebuffer *virtgpu_sgt_fb_create(struct drm_device *drm,
					      struct drm_file *file,
					      const struct drm_format_info *info,
					      const struct drm_mode_fb_cmd2 *cmd);

#endif /* __VIRTGPU_SGT_FB_H__ */
