// SPDX-License-Identifier: GPL-2.0

#include <linux/err.h>
#include <linux/slab.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_atomic_state_helper.h>
#include <drm/drm_crtc.h>
#include <drm/drm_encoder.h>
#include <drm/drm_managed.h>
#include <drm/drm_modes.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_plane.h>
#include <drm/drm_vblank.h>

#include "virtgpu_sgt_connector.h"
#include "virtgpu_sgt_crtc.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_output.h"
#include "virtgpu_sgt_plane.h"
#include "virtgpu_sgt_vblank.h"

/**
 * virtgpu_sgt_crtc_commit() - what an output has to know about a commit
 * @crtc_state: new state of its CRTC
 *
 * Return: the &struct virtgpu_sgt_commit
 */
struct virtgpu_sgt_commit virtgpu_sgt_crtc_commit(const struct drm_crtc_state *crtc_state)
{
	return (struct virtgpu_sgt_commit) {
		.wait = virtgpu_sgt_vblank_has_event(crtc_state),
		.master = to_virtgpu_sgt_crtc_state(crtc_state)->master,
	};
}

static enum drm_mode_status
virtgpu_sgt_crtc_mode_valid(struct drm_crtc *crtc,
			    const struct drm_display_mode *mode)
{
	if (mode->hdisplay < VIRTGPU_SGT_MIN_SIZE ||
	    mode->hdisplay > VIRTGPU_SGT_MAX_SIZE)
		return MODE_BAD_HVALUE;
	if (mode->vdisplay < VIRTGPU_SGT_MIN_SIZE ||
	    mode->vdisplay > VIRTGPU_SGT_MAX_SIZE)
		return MODE_BAD_VVALUE;
	return virtgpu_sgt_vblank_mode_valid(mode);
}

/* Check last: virtgpu_sgt_vblanks_stop() may come before or after this. */
static void virtgpu_sgt_crtc_atomic_enable(struct drm_crtc *crtc,
					   struct drm_atomic_commit *state)
{
	drm_crtc_vblank_on(crtc);
	if (virtgpu_sgt_is_stopping(to_virtgpu_sgt(crtc->dev)))
		drm_crtc_vblank_off(crtc);
}

/* DRM does not disable the cursor plane of a CRTC that is turned off. */
static void virtgpu_sgt_crtc_atomic_disable(struct drm_crtc *crtc,
					    struct drm_atomic_commit *state)
{
	struct virtgpu_sgt_output *output = to_virtgpu_sgt_output(crtc);
	struct virtgpu_sgt_commit commit =
		virtgpu_sgt_crtc_commit(drm_atomic_get_new_crtc_state(state, crtc));

	drm_crtc_vblank_off(crtc);
	virtgpu_sgt_output_blank(output, &commit);
	virtgpu_sgt_output_cursor_hide(output);
}

static const struct drm_crtc_helper_funcs virtgpu_sgt_crtc_helper_funcs = {
	.mode_valid = virtgpu_sgt_crtc_mode_valid,
	.atomic_enable = virtgpu_sgt_crtc_atomic_enable,
	.atomic_disable = virtgpu_sgt_crtc_atomic_disable,
};

/* The new state has no master until userspace commits it. */
static struct drm_crtc_state *
virtgpu_sgt_crtc_atomic_duplicate_state(struct drm_crtc *crtc)
{
	struct virtgpu_sgt_crtc_state *state;

	state = kzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return NULL;

	__drm_atomic_helper_crtc_duplicate_state(crtc, &state->base);
	return &state->base;
}

static void
virtgpu_sgt_crtc_atomic_destroy_state(struct drm_crtc *crtc,
				      struct drm_crtc_state *crtc_state)
{
	__drm_atomic_helper_crtc_destroy_state(crtc_state);
	kfree(to_virtgpu_sgt_crtc_state(crtc_state));
}

static void virtgpu_sgt_crtc_reset(struct drm_crtc *crtc)
{
	struct virtgpu_sgt_crtc_state *state;

	if (crtc->state)
		virtgpu_sgt_crtc_atomic_destroy_state(crtc, crtc->state);

	state = kzalloc(sizeof(*state), GFP_KERNEL);
	__drm_atomic_helper_crtc_reset(crtc, state ? &state->base : NULL);
}

static const struct drm_crtc_funcs virtgpu_sgt_crtc_funcs = {
	.set_config = drm_atomic_helper_set_config,
	.page_flip = drm_atomic_helper_page_flip,
	.reset = virtgpu_sgt_crtc_reset,
	.atomic_duplicate_state = virtgpu_sgt_crtc_atomic_duplicate_state,
	.atomic_destroy_state = virtgpu_sgt_crtc_atomic_destroy_state,
	.enable_vblank = virtgpu_sgt_vblank_enable,
	.disable_vblank = virtgpu_sgt_vblank_disable,
	.get_vblank_timestamp = virtgpu_sgt_vblank_timestamp,
};

static int virtgpu_sgt_crtc_init(struct virtgpu_sgt_output *output)
{
	struct drm_device *drm = output->vgdev->drm;
	struct drm_plane *primary, *cursor;
	int ret;

	ret = virtgpu_sgt_output_init(output);
	if (ret)
		return ret;

	primary = virtgpu_sgt_plane_create(output, DRM_PLANE_TYPE_PRIMARY);
	if (IS_ERR(primary))
		return PTR_ERR(primary);
	cursor = virtgpu_sgt_plane_create(output, DRM_PLANE_TYPE_CURSOR);
	if (IS_ERR(cursor))
		return PTR_ERR(cursor);

	ret = drmm_crtc_init_with_planes(drm, &output->crtc, primary, cursor,
					 &virtgpu_sgt_crtc_funcs, NULL);
	if (ret)
		return ret;
	drm_crtc_helper_add(&output->crtc, &virtgpu_sgt_crtc_helper_funcs);
	ret = virtgpu_sgt_vblank_init(output);
	if (ret)
		return ret;

	ret = drmm_encoder_init(drm, &output->encoder, NULL,
				DRM_MODE_ENCODER_VIRTUAL, NULL);
	if (ret)
		return ret;
	output->encoder.possible_crtcs = drm_crtc_mask(&output->crtc);

	return virtgpu_sgt_connector_init(output);
}

/**
 * virtgpu_sgt_crtcs_init() - create CRTCs, planes, encoders and connectors
 * @vgdev: device, with &virtgpu_sgt_device.num_scanouts set
 *
 * They are freed with the DRM device.
 *
 * Return: 0 or a negative errno
 */
int virtgpu_sgt_crtcs_init(struct virtgpu_sgt_device *vgdev)
{
	unsigned int i;
	int ret;

	vgdev->outputs = drmm_kcalloc(vgdev->drm, vgdev->num_scanouts,
				      sizeof(*vgdev->outputs), GFP_KERNEL);
	if (!vgdev->outputs)
		return -ENOMEM;

	ret = drm_vblank_init(vgdev->drm, vgdev->num_scanouts);
	if (ret)
		return ret;
	vgdev->drm->vblank_disable_immediate = true;

	for (i = 0; i < vgdev->num_scanouts; i++) {
		vgdev->outputs[i].vgdev = vgdev;
		vgdev->outputs[i].index = i;
		ret = virtgpu_sgt_crtc_init(&vgdev->outputs[i]);
		if (ret)
			return ret;
	}
	return 0;
}
