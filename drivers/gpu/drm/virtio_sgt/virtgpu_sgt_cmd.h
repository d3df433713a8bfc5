/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_CMD_H__
#define __VIRTGPU_SGT_CMD_H__

#include <linux/types.h>

#include "virtgpu_sgt_queue.h"

struct drm_rect;
struct virtgpu_sgt_resource;

/**
 * struct virtgpu_sgt_cursor - what the host is told of a cursor
 */
struct virtgpu_sgt_cursor {
	/** @resource: the image, or 0 for no cursor */
	u32 resource;
	/** @x: left edge of the image on the scanout */
	s32 x;
	/** @y: upper edge of the image on the scanout */
	s32 y;
	/** @hot_x: hotspot, from the left edge */
	s32 hot_x;
	/** @hot_y: hotspot, from the upper edge */
	s32 hot_y;
};

struct virtgpu_sgt_cmd * __must_check
virtgpu_sgt_cmd_alloc(struct virtgpu_sgt_queue *q, unsigned int resp_size);
void virtgpu_sgt_cmd_get(struct virtgpu_sgt_cmd *cmd);
void virtgpu_sgt_cmd_put(struct virtgpu_sgt_cmd *cmd);
const char *virtgpu_sgt_cmd_name(const struct virtgpu_sgt_cmd *cmd);

void virtgpu_sgt_prep_get_display_info(struct virtgpu_sgt_cmd *cmd);
void virtgpu_sgt_prep_get_edid(struct virtgpu_sgt_cmd *cmd, u32 scanout);
void virtgpu_sgt_prep_create_2d(struct virtgpu_sgt_cmd *cmd,
				const struct virtgpu_sgt_resource *res);
void virtgpu_sgt_prep_attach(struct virtgpu_sgt_cmd *cmd,
			     const struct virtgpu_sgt_resource *res,
			     struct virtgpu_sgt_mem_entries *entries);
void virtgpu_sgt_prep_detach(struct virtgpu_sgt_cmd *cmd,
			     const struct virtgpu_sgt_resource *res);
void virtgpu_sgt_prep_unref(struct virtgpu_sgt_cmd *cmd,
			    const struct virtgpu_sgt_resource *res);
void virtgpu_sgt_prep_transfer(struct virtgpu_sgt_cmd *cmd,
			       const struct virtgpu_sgt_resource *res,
			       const struct drm_rect *rect, u64 offset);
void virtgpu_sgt_prep_set_scanout(struct virtgpu_sgt_cmd *cmd, u32 scanout,
				  const struct virtgpu_sgt_resource *res,
				  const struct drm_rect *rect);
void virtgpu_sgt_prep_flush(struct virtgpu_sgt_cmd *cmd,
			    const struct virtgpu_sgt_resource *res,
			    const struct drm_rect *rect);
void virtgpu_sgt_prep_cursor(struct virtgpu_sgt_cmd *cmd, u32 scanout,
			     const struct virtgpu_sgt_cursor *cursor,
			     bool update);

#endif /* __VIRTGPU_SGT_CMD_H__ */
