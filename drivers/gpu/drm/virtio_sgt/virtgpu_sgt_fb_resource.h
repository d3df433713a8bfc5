/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_FB_RESOURCE_H__
#define __VIRTGPU_SGT_FB_RESOURCE_H__

#include <linux/compiler.h>
#include <linux/types.h>

struct drm_framebuffer;
struct virtgpu_sgt_resource;

bool virtgpu_sgt_fb_can_be_resource(const struct drm_framebuffer *fb);
u64 virtgpu_sgt_fb_size(const struct drm_framebuffer *fb);
struct virtgpu_sgt_resource * __must_check
virtgpu_sgt_fb_resource_create(const struct drm_framebuffer *fb);
void virtgpu_sgt_fb_resource_destroy(struct virtgpu_sgt_resource *res);

#endif /* __VIRTGPU_SGT_FB_RESOURCE_H__ */
