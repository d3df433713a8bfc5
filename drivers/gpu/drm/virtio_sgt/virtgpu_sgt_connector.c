// SPDX-License-Identifier: GPL-2.0

#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/virtio_gpu.h>

#include <drm/drm_atomic_state_helper.h>
#include <drm/drm_edid.h>
#include <drm/drm_managed.h>
#include <drm/drm_modes.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_print.h>
#include <drm/drm_probe_helper.h>

#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_connector.h"
#include "virtgpu_sgt_drv.h"
#include "virtgpu_sgt_kms.h"
#include "virtgpu_sgt_output.h"

/*
 * A host that says nothing about its displays within this many seconds gets
 * what the specification suggests for the case (VIRTIO 1.2, 5.7.5).
 */
#define VIRTGPU_SGT_PATIENCE	5
#define VIRTGPU_SGT_WIDTH	1024
#define VIRTGPU_SGT_HEIGHT	768

/* Send a question and wait; the answer is in the response of @cmd. */
static int virtgpu_sgt_ask(struct virtgpu_sgt_cmd *cmd)
{
	virtgpu_sgt_cmd_submit(cmd);
	return virtgpu_sgt_cmd_wait_timeout(cmd, VIRTGPU_SGT_PATIENCE);
}

/* The size says how much may be read: the host fills up to 1024 bytes. */
static int virtgpu_sgt_edid_block(void *data, u8 *buf, unsigned int block,
				  size_t len)
{
	const struct virtio_gpu_resp_edid *resp = data;
	size_t size = min_t(size_t, le32_to_cpu(resp->size),
			    sizeof(resp->edid));
	size_t start = block * EDID_LENGTH;

	if (start + len > size)
		return -EINVAL;
	memcpy(buf, resp->edid + start, len);
	return 0;
}

/* NULL if there is none: the sizes of the display info do as well. */
static const struct drm_edid *
virtgpu_sgt_ask_edid(struct virtgpu_sgt_output *output)
{
	struct virtgpu_sgt_device *vgdev = output->vgdev;
	const struct drm_edid *edid = NULL;
	struct virtgpu_sgt_cmd *cmd;

	if (!vgdev->has_edid)
		return NULL;

	cmd = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq,
				    sizeof(struct virtio_gpu_resp_edid));
	if (!cmd)
		return NULL;

	virtgpu_sgt_prep_get_edid(cmd, output->index);
	if (!virtgpu_sgt_ask(cmd))
		edid = drm_edid_read_custom(&output->connector,
					    virtgpu_sgt_edid_block, cmd->resp);
	virtgpu_sgt_cmd_put(cmd);
	return edid;
}

static void virtgpu_sgt_display_set(struct virtgpu_sgt_output *output,
				    const struct virtio_gpu_display_one *one)
{
	struct virtgpu_sgt_device *vgdev = output->vgdev;
	struct virtgpu_sgt_display display = {
		.enabled = le32_to_cpu(one->enabled),
		.width = le32_to_cpu(one->r.width),
		.height = le32_to_cpu(one->r.height),
	};

	if (display.enabled)
		display.edid = virtgpu_sgt_ask_edid(output);

	mutex_lock(&vgdev->output_lock);
	swap(output->display, display);
	mutex_unlock(&vgdev->output_lock);

	drm_edid_free(display.edid);
}

/**
 * virtgpu_sgt_displays_refresh() - ask the host for its displays
 * @vgdev: device
 *
 * The connectors have the answer when this returns. If there is none, they
 * stay as they are.
 *
 * Context: Process context, where no removal can come or where it waits for
 * this to end. Waits for the host, not longer than some seconds.
 * Return: 0, or a negative errno: see virtgpu_sgt_cmd_wait_timeout()
 */
int virtgpu_sgt_displays_refresh(struct virtgpu_sgt_device *vgdev)
{
	const struct virtio_gpu_resp_display_info *resp;
	struct virtgpu_sgt_cmd *cmd;
	unsigned int i;
	int ret;

	cmd = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq, sizeof(*resp));
	if (!cmd)
		return -ENOMEM;

	virtgpu_sgt_prep_get_display_info(cmd);
	ret = virtgpu_sgt_ask(cmd);
	if (!ret) {
		resp = (const void *)cmd->resp;
		for (i = 0; i < vgdev->num_scanouts; i++)
			virtgpu_sgt_display_set(&vgdev->outputs[i],
						&resp->pmodes[i]);
	}
	virtgpu_sgt_cmd_put(cmd);
	return ret;
}

static enum drm_connector_status
virtgpu_sgt_connector_detect(struct drm_connector *connector, bool force)
{
	struct virtgpu_sgt_output *output =
		container_of(connector, struct virtgpu_sgt_output, connector);
	struct virtgpu_sgt_device *vgdev = output->vgdev;

	guard(mutex)(&vgdev->output_lock);
	if (output->display.enabled && !virtgpu_sgt_is_dead(vgdev))
		return connector_status_connected;
	return connector_status_disconnected;
}

/* The modes that everybody knows, and the one that the host prefers. */
static int virtgpu_sgt_add_modes_noedid(struct drm_connector *connector,
					unsigned int width, unsigned int height)
{
	const struct drm_display_mode preferred = {
		DRM_MODE_INIT(60, width, height, 0, 0)
	};
	struct drm_display_mode *mode;
	int count;

	count = drm_add_modes_noedid(connector, VIRTGPU_SGT_MAX_SIZE,
				     VIRTGPU_SGT_MAX_SIZE);

	mode = drm_mode_duplicate(connector->dev, &preferred);
	if (!mode)
		return count;
	drm_mode_set_name(mode);
	mode->type |= DRM_MODE_TYPE_PREFERRED;
	drm_mode_probed_add(connector, mode);
	return count + 1;
}

static int virtgpu_sgt_connector_get_modes(struct drm_connector *connector)
{
	struct virtgpu_sgt_output *output =
		container_of(connector, struct virtgpu_sgt_output, connector);
	const struct virtgpu_sgt_display *display = &output->display;
	int count;

	guard(mutex)(&output->vgdev->output_lock);

	drm_edid_connector_update(connector, display->edid);
	count = drm_edid_connector_add_modes(connector);
	if (count)
		return count;

	return virtgpu_sgt_add_modes_noedid(connector,
					    clamp(display->width,
						  VIRTGPU_SGT_MIN_SIZE,
						  VIRTGPU_SGT_MAX_SIZE),
					    clamp(display->height,
						  VIRTGPU_SGT_MIN_SIZE,
						  VIRTGPU_SGT_MAX_SIZE));
}

static const struct drm_connector_helper_funcs
virtgpu_sgt_connector_helper_funcs = {
	.get_modes = virtgpu_sgt_connector_get_modes,
};

static const struct drm_connector_funcs virtgpu_sgt_connector_funcs = {
	.detect = virtgpu_sgt_connector_detect,
	.fill_modes = drm_helper_probe_single_connector_modes,
	.reset = drm_atomic_helper_connector_reset,
	.atomic_duplicate_state = drm_atomic_helper_connector_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_connector_destroy_state,
};

static void virtgpu_sgt_display_release(struct drm_device *drm, void *data)
{
	struct virtgpu_sgt_output *output = data;

	drm_edid_free(output->display.edid);
}

/**
 * virtgpu_sgt_connector_init() - make the connector of an output
 * @output: the output, with CRTC and encoder
 *
 * Return: 0 or a negative errno
 */
int virtgpu_sgt_connector_init(struct virtgpu_sgt_output *output)
{
	struct drm_connector *connector = &output->connector;
	struct virtgpu_sgt_device *vgdev = output->vgdev;
	int ret;

	/* In case that the host does not tell. */
	output->display.enabled = output->index == 0;
	output->display.width = VIRTGPU_SGT_WIDTH;
	output->display.height = VIRTGPU_SGT_HEIGHT;

	ret = drmm_add_action_or_reset(vgdev->drm, virtgpu_sgt_display_release,
				       output);
	if (ret)
		return ret;

	ret = drmm_connector_init(vgdev->drm, connector,
				  &virtgpu_sgt_connector_funcs,
				  DRM_MODE_CONNECTOR_VIRTUAL, NULL);
	if (ret)
		return ret;
	drm_connector_helper_add(connector,
				 &virtgpu_sgt_connector_helper_funcs);
	connector->polled = DRM_CONNECTOR_POLL_HPD;
	if (vgdev->has_edid)
		drm_connector_attach_edid_property(connector);

	return drm_connector_attach_encoder(connector, &output->encoder);
}
