// SPDX-License-Identifier: GPL-2.0

#include <linux/atomic.h>
#include <linux/dma-fence.h>
#include <linux/err.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_mode_config.h>
#include <drm/drm_modeset_lock.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_print.h>
#include <drm/drm_probe_helper.h>
#include <drm/drm_vblank.h>

#include "virtgpu_sgt_crtc.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_display.h"
#include "virtgpu_sgt_fb.h"
#include "virtgpu_sgt_output.h"
#include "virtgpu_sgt_plane.h"
#include "virtgpu_sgt_vblank.h"

/**
 * DOC: errors in a commit
 *
 * fb_create and atomic_check reject what the host would reject: a framebuffer must
 * have the pitch and the format of its resource and lie within it, and the resource
 * must be attached; the size of a mode must be one that the host accepts; a cursor
 * must be 64x64.
 *
 * The host may still fail a command of a commit, or part of the range of a VA
 * resource may be unmapped after the check. By then the commit is accepted, and cannot
 * fail any more. Such an error
 *
 * - is counted (commit_errors in virtgpu-stats) and logged,
 * - becomes the error of the out-fence of the commit, if there is one,
 * - is kept, if it is the first of the CRTC. The next commit with that CRTC that
 *   is not TEST_ONLY returns it and does nothing; the one after that is carried
 *   out. If a commit does not wait for the host (see "frames"), the next commit is the
 *   first one after the answer,
 * - causes the next change of the picture to send all of it.
 *
 * Only the master that made the commit gets the error. When the master of the
 * device changes, errors that were kept are dropped, and later errors of earlier
 * commits are not kept. This also holds for a master that comes back: it has to
 * set all of its pictures again in any case. A lessee counts as its lessor.
 *
 * A blocking commit whose task is killed ends early: it waits neither for an earlier
 * frame, nor for the image of a cursor, nor for the jobs of the range, and does not walk
 * the rest of that. Its out-fence
 * gets -EINTR, no error is kept, and the next change of the picture sends all of it.
 *
 * Errors are kept for, and returned to, only commits that userspace asked for,
 * since other commits cannot handle them: those of the console, which any write,
 * VT switch or last close causes; those that remove a framebuffer; and that of the
 * removal. The driver tells them apart by how they take their locks: these other
 * commits take them uninterruptibly. The ioctls that change a picture take them
 * interruptibly, and get the error: ATOMIC, SETCRTC, SETPLANE, PAGE_FLIP, CURSOR and
 * DIRTYFB. The legacy ioctls for properties and gamma take them uninterruptibly, and
 * leave the error to the next ioctl that does not.
 */

/* Report the errors of a commit that are known at the end of its hardware phase. */
static void virtgpu_sgt_commit_report(struct drm_crtc *crtc,
				      struct drm_crtc_state *crtc_state)
{
	struct virtgpu_sgt_output *output = to_virtgpu_sgt_output(crtc);
	u32 master = to_virtgpu_sgt_crtc_state(crtc_state)->master;
	int error = virtgpu_sgt_output_error(output);

	if (!error)
		return;

	if (crtc_state->event && crtc_state->event->base.fence)
		dma_fence_set_error(crtc_state->event->base.fence, error);

	virtgpu_sgt_output_report(output, master, error);
}

static void virtgpu_sgt_atomic_commit_tail(struct drm_atomic_commit *state)
{
	struct drm_device *drm = state->dev;
	struct drm_crtc_state *crtc_state;
	struct drm_crtc *crtc;
	int i;

	drm_atomic_helper_commit_modeset_disables(drm, state);
	drm_atomic_helper_commit_modeset_enables(drm, state);
	drm_atomic_helper_commit_planes(drm, state,
					DRM_PLANE_COMMIT_ACTIVE_ONLY);

	for_each_new_crtc_in_state(state, crtc, crtc_state, i) {
		/* Earlier commits may not have waited, and this one may have no frame. */
		if (virtgpu_sgt_vblank_has_event(crtc_state))
			virtgpu_sgt_output_drain(to_virtgpu_sgt_output(crtc));
		virtgpu_sgt_commit_report(crtc, crtc_state);
		virtgpu_sgt_vblank_send_event(crtc, crtc_state);
	}

	drm_atomic_helper_commit_hw_done(state);
	/* A blocking commit has sent its event when it returns. */
	drm_atomic_helper_wait_for_flip_done(drm, state);
	drm_atomic_helper_cleanup_planes(drm, state);
}

/* Is this the commit of an ioctl? See "errors in a commit". */
static bool virtgpu_sgt_commit_is_of_user(const struct drm_atomic_commit *state)
{
	return state->acquire_ctx && state->acquire_ctx->interruptible;
}

/* Set the master of a commit, and return the error that is kept for it. */
static int virtgpu_sgt_commit_claim(struct virtgpu_sgt_device *vgdev,
				    struct drm_atomic_commit *state)
{
	u32 master = atomic_read(&vgdev->master);
	struct drm_crtc_state *crtc_state;
	struct drm_crtc *crtc;
	int ret = 0;
	int i;

	if (!virtgpu_sgt_commit_is_of_user(state) || virtgpu_sgt_is_stopping(vgdev))
		return 0;

	for_each_new_crtc_in_state(state, crtc, crtc_state, i) {
		int error = virtgpu_sgt_output_tell_error(to_virtgpu_sgt_output(crtc),
							  master);

		to_virtgpu_sgt_crtc_state(crtc_state)->master = master;
		if (!ret)
			ret = error;
	}
	return ret;
}

static int virtgpu_sgt_atomic_commit(struct drm_device *drm,
				     struct drm_atomic_commit *state,
				     bool nonblock)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(drm);
	int ret;

	ret = virtgpu_sgt_commit_claim(vgdev, state);
	if (ret)
		return ret;

	ret = virtgpu_sgt_fences_keep(vgdev, state);
	if (ret)
		return ret;

	return drm_atomic_helper_commit(drm, state, nonblock);
}

/* A number that no master had before, and not 0. */
static void virtgpu_sgt_master_next(struct drm_device *drm)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(drm);

	if (!atomic_inc_return(&vgdev->master))
		atomic_inc(&vgdev->master);
}

/**
 * virtgpu_sgt_master_set() - &drm_driver.master_set
 * @drm: DRM device
 * @file: the new master
 * @from_open: whether it is being opened
 *
 * Context: Process context. The core holds &drm_device.master_mutex.
 */
void virtgpu_sgt_master_set(struct drm_device *drm, struct drm_file *file,
			    bool from_open)
{
	virtgpu_sgt_master_next(drm);
}

/**
 * virtgpu_sgt_master_drop() - &drm_driver.master_drop
 * @drm: DRM device
 * @file: the old master
 *
 * Context: Process context. The core holds &drm_device.master_mutex.
 */
void virtgpu_sgt_master_drop(struct drm_device *drm, struct drm_file *file)
{
	virtgpu_sgt_master_next(drm);
}

static const struct drm_mode_config_helper_funcs virtgpu_sgt_mode_helper_funcs = {
	.atomic_commit_tail = virtgpu_sgt_atomic_commit_tail,
};

COMPAT_DRM_FB_CREATE(virtgpu_sgt_fb_create)

static const struct drm_mode_config_funcs virtgpu_sgt_mode_funcs = {
	.fb_create = COMPAT_DRM_FB_CREATE_OP(virtgpu_sgt_fb_create),
	.atomic_check = drm_atomic_helper_check,
	.atomic_commit = virtgpu_sgt_atomic_commit,
};

/* drm_mode_config_reset() does not report that it could not allocate a state. */
static bool virtgpu_sgt_display_has_states(const struct virtgpu_sgt_device *vgdev)
{
	unsigned int i;

	for (i = 0; i < vgdev->num_scanouts; i++) {
		const struct virtgpu_sgt_output *output = &vgdev->outputs[i];

		if (!output->crtc.state || !output->crtc.primary->state ||
		    !output->crtc.cursor->state || !output->connector.state)
			return false;
	}
	return true;
}

/**
 * virtgpu_sgt_display_init() - initialise mode setting
 * @vgdev: device, with at least one scanout
 *
 * Return: 0 or a negative errno
 */
int virtgpu_sgt_display_init(struct virtgpu_sgt_device *vgdev)
{
	struct drm_device *drm = vgdev->drm;
	struct drm_mode_config *config = &drm->mode_config;
	int ret;

	ret = drmm_mode_config_init(drm);
	if (ret)
		return ret;

	virtgpu_sgt_master_next(drm);
	config->funcs = &virtgpu_sgt_mode_funcs;
	config->helper_private = &virtgpu_sgt_mode_helper_funcs;
	config->min_width = VIRTGPU_SGT_MIN_SIZE;
	config->min_height = VIRTGPU_SGT_MIN_SIZE;
	config->max_width = VIRTGPU_SGT_MAX_SIZE;
	config->max_height = VIRTGPU_SGT_MAX_SIZE;
	config->cursor_width = VIRTGPU_SGT_CURSOR_SIZE;
	config->cursor_height = VIRTGPU_SGT_CURSOR_SIZE;
	config->preferred_depth = 24;
	config->quirk_addfb_prefer_host_byte_order = true;
	config->fb_modifiers_not_supported = true;

	ret = virtgpu_sgt_crtcs_init(vgdev);
	if (ret)
		return ret;

	drm_mode_config_reset(drm);
	return virtgpu_sgt_display_has_states(vgdev) ? 0 : -ENOMEM;
}
