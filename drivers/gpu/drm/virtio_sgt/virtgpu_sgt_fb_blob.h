/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_FB_BLOB_H__
#define __VIRTGPU_SGT_FB_BLOB_H__

#include <linux/compiler.h>

#include "virtgpu_sgt_resource.h"

struct drm_framebuffer;
struct virtgpu_sgt_device;
struct virtgpu_sgt_mem_entries;

struct virtgpu_sgt_blob virtgpu_sgt_fb_blob_of(const struct drm_framebuffer *fb);
struct virtgpu_sgt_mem_entries * __must_check
virtgpu_sgt_fb_blob_begin(struct virtgpu_sgt_resource *res,
			  const struct drm_framebuffer *fb);
void virtgpu_sgt_fb_blob_leave(struct virtgpu_sgt_device *vgdev);

#endif /* __VIRTGPU_SGT_FB_BLOB_H__ */
