// SPDX-License-Identifier: GPL-2.0

#include <linux/err.h>

#include <drm/drm_device.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_print.h>

#include "virtgpu_sgt_fb.h"
#include "virtgpu_sgt_resource.h"

/**
 * virtgpu_sgt_fb_can_be_resource() - can a resource be created for a framebuffer?
 * @fb: framebuffer of an import
 *
 * Return: whether a 2D resource can be shown as @fb
 */
bool virtgpu_sgt_fb_can_be_resource(const struct drm_framebuffer *fb)
{
	return virtgpu_sgt_format(fb->format->format) && !fb->offsets[0] &&
	       fb->pitches[0] % sizeof(u32) == 0 &&
	       fb->pitches[0] / sizeof(u32) <= VIRTGPU_SGT_MAX_RESOURCE &&
	       fb->height <= VIRTGPU_SGT_MAX_RESOURCE;
}

/**
 * virtgpu_sgt_fb_check_resource() - can the host show a resource like this?
 * @fb: framebuffer
 * @res: resource
 *
 * The format and the size of a 2D resource are fixed when it is created. The host
 * cannot show it in another format or size.
 *
 * Return: 0, or -EINVAL
 */
int virtgpu_sgt_fb_check_resource(const struct drm_framebuffer *fb,
				  const struct virtgpu_sgt_resource *res)
{
	if (!virtgpu_sgt_format_shows(res->format, fb->format->format)) {
		drm_dbg_kms(fb->dev, "resource %u of format %u shown as %p4cc\n",
			    res->id, res->format, &fb->format->format);
		return -EINVAL;
	}
	if (fb->offsets[0] || fb->pitches[0] != res->width * sizeof(u32) ||
	    fb->width > res->width || fb->height > res->height) {
		drm_dbg_kms(fb->dev, "%ux%u, pitch %u, at %u do not fit resource %u of %ux%u\n",
			    fb->width, fb->height, fb->pitches[0],
			    fb->offsets[0], res->id, res->width, res->height);
		return -EINVAL;
	}
	return 0;
}

/**
 * virtgpu_sgt_fb_check() - can the host show this framebuffer?
 * @fb: framebuffer of a buffer of this driver
 *
 * Return: 0, or -EINVAL
 */
int virtgpu_sgt_fb_check(const struct drm_framebuffer *fb)
{
	return virtgpu_sgt_fb_check_resource(fb, to_virtgpu_sgt_resource(fb->obj[0]));
}

/**
 * virtgpu_sgt_fb_create() - &drm_mode_config_funcs.fb_create
 * @drm: DRM device
 * @file: open file
 * @cmd: see struct drm_mode_fb_cmd2
 *
 * Context: Process context. May wait for the host, and for fences.
 * Return: the framebuffer, or an ERR_PTR(): -EINVAL, or see
 * drm_gem_fb_create_with_dirty() and virtgpu_sgt_resource_attach()
 */
struct drm_framebuffer *
virtgpu_sgt_fb_create(struct drm_device *drm, struct drm_file *file,
		      const struct drm_mode_fb_cmd2 *cmd)
{
	struct drm_framebuffer *fb;
	int ret;

	fb = drm_gem_fb_create_with_dirty(drm, file, cmd);
	if (IS_ERR(fb))
		return fb;

	ret = virtgpu_sgt_resource_attach(to_virtgpu_sgt_resource(fb->obj[0]),
					  fb);
	if (!ret)
		ret = virtgpu_sgt_fb_check(fb);
	if (ret) {
		drm_framebuffer_put(fb);
		return ERR_PTR(ret);
	}
	return fb;
}
