// SPDX-License-Identifier: GPL-2.0

#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/virtio_gpu.h>

#include <drm/drm_atomic_state_helper.h>
#include <drm/drm_edid.h>
#include <drm/drm_modes.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_print.h>
#include <drm/drm_probe_helper.h>

#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_connector.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_output.h"
#include "virtgpu_sgt_scanout.h"

/* How many seconds to wait for the host to describe its displays. */
#define VIRTGPU_SGT_PATIENCE	5

/* Submit a query, and wait for its response. */
static int virtgpu_sgt_ask(struct virtgpu_sgt_cmd *cmd)
{
	virtgpu_sgt_cmd_submit(cmd);
	return virtgpu_sgt_cmd_wait_timeout(cmd, VIRTGPU_SGT_PATIENCE);
}

/* Bytes of a response. The length that the host reports is not trusted. */
static size_t virtgpu_sgt_resp_len(const struct virtgpu_sgt_cmd *cmd)
{
	return min(cmd->resp_len, cmd->resp_size);
}

/* Would another query get no response either? */
static bool virtgpu_sgt_gives_up(int error)
{
	return error == -ETIMEDOUT || error == -ENODEV || error == -ERESTARTSYS;
}

/*
 * Return the command with its response, for the caller to put, or an ERR_PTR().
 * Also for a display that is off: it may be forced on.
 */
static struct virtgpu_sgt_cmd *
virtgpu_sgt_ask_edid(struct virtgpu_sgt_output *output)
{
	struct virtgpu_sgt_device *vgdev = output->vgdev;
	struct virtgpu_sgt_cmd *cmd;
	int ret;

	if (!vgdev->has_edid)
		return ERR_PTR(-EOPNOTSUPP);

	cmd = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq,
				    sizeof(struct virtio_gpu_resp_edid));
	if (!cmd)
		return ERR_PTR(-ENOMEM);

	virtgpu_sgt_prep_get_edid(cmd, output->index);
	ret = virtgpu_sgt_ask(cmd);
	if (ret) {
		virtgpu_sgt_cmd_put(cmd);
		return ERR_PTR(ret);
	}
	return cmd;
}

/* Without an EDID, the size of the display info is used. */
static void virtgpu_sgt_scanout_set(struct virtgpu_sgt_output *output,
				    const struct virtgpu_sgt_cmd *info,
				    const struct virtgpu_sgt_cmd *edid)
{
	struct virtgpu_sgt_scanout *display = &output->display;

	guard(mutex)(&output->vgdev->output_lock);

	virtgpu_sgt_scanout_set_info(display, (const void *)info->resp,
				     virtgpu_sgt_resp_len(info),
				     output->index);
	if (edid)
		virtgpu_sgt_scanout_set_edid(display, (const void *)edid->resp,
					     virtgpu_sgt_resp_len(edid));
	else
		display->edid_size = 0;
}

/* If the host does not answer, wait for it once, not once for each display. */
static void virtgpu_sgt_scanouts_set(struct virtgpu_sgt_device *vgdev,
				     const struct virtgpu_sgt_cmd *info)
{
	bool ask = true;
	unsigned int i;

	for (i = 0; i < vgdev->num_scanouts; i++) {
		struct virtgpu_sgt_output *output = &vgdev->outputs[i];
		struct virtgpu_sgt_cmd *edid = NULL;

		if (ask)
			edid = virtgpu_sgt_ask_edid(output);
		if (IS_ERR(edid)) {
			ask = !virtgpu_sgt_gives_up(PTR_ERR(edid));
			edid = NULL;
		}
		virtgpu_sgt_scanout_set(output, info, edid);
		virtgpu_sgt_cmd_put(edid);
	}
}

/**
 * virtgpu_sgt_scanouts_refresh() - ask the host for its displays
 * @vgdev: device
 *
 * Updates the connectors. If there is no response, they stay as they are.
 *
 * Context: Process context, in the probe or in a work item that the removal
 * cancels. Waits for the host, for a few seconds at most.
 * Return: 0, or a negative errno: see virtgpu_sgt_cmd_wait_timeout()
 */
int virtgpu_sgt_scanouts_refresh(struct virtgpu_sgt_device *vgdev)
{
	struct virtgpu_sgt_cmd *cmd;
	int ret;

	cmd = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq,
				    sizeof(struct virtio_gpu_resp_display_info));
	if (!cmd)
		return -ENOMEM;

	virtgpu_sgt_prep_get_display_info(cmd);
	ret = virtgpu_sgt_ask(cmd);
	if (!ret)
		virtgpu_sgt_scanouts_set(vgdev, cmd);
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
	if (output->display.enabled && !virtgpu_sgt_is_stopping(vgdev))
		return connector_status_connected;
	return connector_status_disconnected;
}

static bool virtgpu_sgt_connector_prefers_one(struct drm_connector *connector)
{
	const struct drm_display_mode *mode;

	list_for_each_entry(mode, &connector->probed_modes, head)
		if (mode->type & DRM_MODE_TYPE_PREFERRED &&
		    virtgpu_sgt_scanout_has_mode(mode))
			return true;
	return false;
}

/* Return the number of modes added. */
static int virtgpu_sgt_connector_add_preferred(struct drm_connector *connector,
					       u32 width, u32 height)
{
	const struct drm_display_mode preferred = {
		DRM_MODE_INIT(60, width, height, 0, 0)
	};
	struct drm_display_mode *mode;

	mode = drm_mode_duplicate(connector->dev, &preferred);
	if (!mode)
		return 0;
	drm_mode_set_name(mode);
	mode->type |= DRM_MODE_TYPE_PREFERRED;
	drm_mode_probed_add(connector, mode);
	return 1;
}

/*
 * Read the EDID each time, since it can be overridden meanwhile:
 * drm_edid_read_custom() checks for an override first.
 */
static int virtgpu_sgt_connector_get_modes(struct drm_connector *connector)
{
	struct virtgpu_sgt_output *output =
		container_of(connector, struct virtgpu_sgt_output, connector);
	struct virtgpu_sgt_scanout *display = &output->display;
	const struct drm_edid *edid;
	u32 width, height;
	int count;

	guard(mutex)(&output->vgdev->output_lock);

	edid = drm_edid_read_custom(connector, virtgpu_sgt_scanout_read_edid,
				    display);
	drm_edid_connector_update(connector, edid);
	drm_edid_free(edid);

	count = drm_edid_connector_add_modes(connector);
	if (!count)
		count = drm_add_modes_noedid(connector, VIRTGPU_SGT_MAX_SIZE,
					     VIRTGPU_SGT_MAX_SIZE);
	if (virtgpu_sgt_connector_prefers_one(connector))
		return count;

	virtgpu_sgt_scanout_get_size(display, &width, &height);
	return count + virtgpu_sgt_connector_add_preferred(connector, width,
							   height);
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

/**
 * virtgpu_sgt_connector_init() - initialise the connector of an output
 * @output: the output, with CRTC and encoder
 *
 * Return: 0 or a negative errno
 */
int virtgpu_sgt_connector_init(struct virtgpu_sgt_output *output)
{
	struct drm_connector *connector = &output->connector;
	struct virtgpu_sgt_device *vgdev = output->vgdev;
	int ret;

	/* Assume one display until the host answers. */
	output->display.enabled = output->index == 0;

	ret = drmm_connector_init(vgdev->drm, connector,
				  &virtgpu_sgt_connector_funcs,
				  DRM_MODE_CONNECTOR_VIRTUAL, NULL);
	if (ret)
		return ret;
	drm_connector_helper_add(connector,
				 &virtgpu_sgt_connector_helper_funcs);
	connector->polled = DRM_CONNECTOR_POLL_HPD;
	/* An EDID may come from an override, without support of the host. */
	drm_connector_attach_edid_property(connector);

	return drm_connector_attach_encoder(connector, &output->encoder);
}
