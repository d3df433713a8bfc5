/* SPDX-License-Identifier: GPL-2.0 */
#include_next <drm/drm_gem_framebuffer_helper.h>

#ifndef __COMPAT_DRM_GEM_FRAMEBUFFER_HELPER_H__
#define __COMPAT_DRM_GEM_FRAMEBUFFER_HELPER_H__

#include <linux/version.h>

#include <drm/drm_fourcc.h>

/*
 * 6.17: .fb_create gets the format, and passes it on. A driver calls
 * COMPAT_DRM_FB_CREATE() beside its callback, and sets .fb_create to
 * COMPAT_DRM_FB_CREATE_OP().
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define COMPAT_DRM_FB_CREATE(create)						\
static struct drm_framebuffer *							\
compat_##create(struct drm_device *dev, struct drm_file *file,			\
		const struct drm_mode_fb_cmd2 *cmd)				\
{										\
	return create(dev, file, drm_get_format_info(dev, cmd), cmd);		\
}

#define COMPAT_DRM_FB_CREATE_OP(create)	compat_##create

#define drm_gem_fb_init_with_funcs(dev, fb, file, info, cmd, funcs) \
	drm_gem_fb_init_with_funcs(dev, fb, file, cmd, funcs)
#else
#define COMPAT_DRM_FB_CREATE(create)
#define COMPAT_DRM_FB_CREATE_OP(create)	create
#endif

#endif
