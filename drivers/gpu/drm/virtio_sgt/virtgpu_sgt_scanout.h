/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_SCANOUT_H__
#define __VIRTGPU_SGT_SCANOUT_H__

#include <linux/sizes.h>
#include <linux/types.h>

struct drm_display_mode;
struct virtio_gpu_resp_display_info;
struct virtio_gpu_resp_edid;

/* Width and height of modes and framebuffers, in pixels. */
#define VIRTGPU_SGT_MIN_SIZE	32U
#define VIRTGPU_SGT_MAX_SIZE	8192U

/**
 * struct virtgpu_sgt_scanout - one display, as the host describes it
 *
 * Zeroed, it is a display that the host has not described.
 */
struct virtgpu_sgt_scanout {
	/** @width: preferred width in pixels, not checked; 0 if not reported */
	u32 width;
	/** @height: preferred height in pixels, not checked; 0 if not reported */
	u32 height;
	/** @enabled: the display is connected */
	bool enabled;
	/** @edid_size: bytes of @edid, whole blocks; 0 if there is none */
	unsigned int edid_size;
	/** @edid: as sent by the host, not checked */
	u8 edid[SZ_1K];
};

void virtgpu_sgt_scanout_set_info(struct virtgpu_sgt_scanout *display,
				  const struct virtio_gpu_resp_display_info *resp,
				  size_t len, unsigned int scanout);
void virtgpu_sgt_scanout_set_edid(struct virtgpu_sgt_scanout *display,
				  const struct virtio_gpu_resp_edid *resp,
				  size_t len);
int virtgpu_sgt_scanout_read_edid(void *data, u8 *buf, unsigned int block,
				  size_t len);
void virtgpu_sgt_scanout_get_size(const struct virtgpu_sgt_scanout *display,
				  u32 *width, u32 *height);
bool virtgpu_sgt_scanout_has_mode(const struct drm_display_mode *mode);

#endif /* __VIRTGPU_SGT_SCANOUT_H__ */
