// SPDX-License-Identifier: GPL-2.0

#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/virtio_gpu.h>

#include <drm/drm_edid.h>
#include <drm/drm_modes.h>

#include "virtgpu_sgt_scanout.h"

/*
 * The specification suggests this size for a device without displays (VIRTIO 1.2,
 * 5.7.5). It is used for displays whose size the host does not report.
 */
#define VIRTGPU_SGT_WIDTH	1024
#define VIRTGPU_SGT_HEIGHT	768

static_assert(sizeof_field(struct virtgpu_sgt_scanout, edid) ==
	      sizeof_field(struct virtio_gpu_resp_edid, edid));

/**
 * virtgpu_sgt_scanout_set_info() - store the GET_DISPLAY_INFO of a display
 * @display: the display; keeps its EDID
 * @resp: the response of the host, not trusted
 * @len: bytes of @resp that the host has written
 * @scanout: number of the display
 *
 * If the response ends before the display, the display is off and has no size.
 *
 * Context: Any.
 */
void virtgpu_sgt_scanout_set_info(struct virtgpu_sgt_scanout *display,
				  const struct virtio_gpu_resp_display_info *resp,
				  size_t len, unsigned int scanout)
{
	const struct virtio_gpu_display_one *one;

	display->enabled = false;
	display->width = 0;
	display->height = 0;
	if (scanout >= ARRAY_SIZE(resp->pmodes) ||
	    len < offsetof(struct virtio_gpu_resp_display_info, pmodes) +
		  (scanout + 1) * sizeof(*one))
		return;

	one = &resp->pmodes[scanout];
	display->enabled = le32_to_cpu(one->enabled);
	display->width = le32_to_cpu(one->r.width);
	display->height = le32_to_cpu(one->r.height);
}

/**
 * virtgpu_sgt_scanout_set_edid() - store the EDID of a GET_EDID
 * @display: the display
 * @resp: the response of the host, not trusted
 * @len: bytes of @resp that the host has written; 0 for no EDID
 *
 * The size of the EDID in @resp may be larger than what the host has written.
 *
 * Context: Any.
 */
void virtgpu_sgt_scanout_set_edid(struct virtgpu_sgt_scanout *display,
				  const struct virtio_gpu_resp_edid *resp,
				  size_t len)
{
	const size_t start = offsetof(struct virtio_gpu_resp_edid, edid);
	size_t size = 0;

	if (len > start)
		size = min3(len - start, sizeof(resp->edid),
			    (size_t)le32_to_cpu(resp->size));

	display->edid_size = round_down(size, EDID_LENGTH);
	memcpy(display->edid, resp->edid, display->edid_size);
}

/**
 * virtgpu_sgt_scanout_read_edid() - read one block of the EDID
 * @data: struct virtgpu_sgt_scanout
 * @buf: set to the block
 * @block: number of the block
 * @len: bytes of @buf
 *
 * For drm_edid_read_custom(). The EDID may claim more blocks than the host has
 * sent.
 *
 * Context: Any.
 * Return: 0, or -EINVAL: there is no such block
 */
int virtgpu_sgt_scanout_read_edid(void *data, u8 *buf, unsigned int block,
				  size_t len)
{
	const struct virtgpu_sgt_scanout *display = data;
	size_t start = (size_t)block * EDID_LENGTH;

	if (start > display->edid_size || len > display->edid_size - start)
		return -EINVAL;
	memcpy(buf, display->edid + start, len);
	return 0;
}

static bool virtgpu_sgt_scanout_has_size(u32 width, u32 height)
{
	return width >= VIRTGPU_SGT_MIN_SIZE && width <= VIRTGPU_SGT_MAX_SIZE &&
	       height >= VIRTGPU_SGT_MIN_SIZE && height <= VIRTGPU_SGT_MAX_SIZE;
}

/**
 * virtgpu_sgt_scanout_get_size() - get the size to prefer if the EDID has none
 * @display: the display
 * @width: set to the width in pixels
 * @height: set to the height in pixels
 *
 * If the host reports no size, or one that cannot be shown, returns a default. A size
 * is not clamped: 9000x20 would become a display of 8192x32.
 *
 * Context: Any.
 */
void virtgpu_sgt_scanout_get_size(const struct virtgpu_sgt_scanout *display,
				  u32 *width, u32 *height)
{
	if (virtgpu_sgt_scanout_has_size(display->width, display->height)) {
		*width = display->width;
		*height = display->height;
	} else {
		*width = VIRTGPU_SGT_WIDTH;
		*height = VIRTGPU_SGT_HEIGHT;
	}
}

/**
 * virtgpu_sgt_scanout_has_mode() - can a display be set to a mode?
 * @mode: the mode
 *
 * Context: Any.
 * Return: whether the DRM core keeps it in the list of a connector
 */
bool virtgpu_sgt_scanout_has_mode(const struct drm_display_mode *mode)
{
	return virtgpu_sgt_scanout_has_size(mode->hdisplay, mode->vdisplay) &&
	       !(mode->flags & (DRM_MODE_FLAG_INTERLACE | DRM_MODE_FLAG_DBLSCAN));
}
