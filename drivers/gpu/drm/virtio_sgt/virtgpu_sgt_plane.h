/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_PLANE_H__
#define __VIRTGPU_SGT_PLANE_H__

#include <drm/drm_plane.h>

struct virtgpu_sgt_output;

/* The only size of a cursor (VIRTIO 1.2, 5.7.6.6). */
#define VIRTGPU_SGT_CURSOR_SIZE	64

struct drm_plane * __must_check
virtgpu_sgt_plane_create(struct virtgpu_sgt_output *output,
			 enum drm_plane_type type);

#endif /* __VIRTGPU_SGT_PLANE_H__ */
