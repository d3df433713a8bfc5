// SPDX-License-Identifier: GPL-2.0

#include <linux/atomic.h>
#include <linux/dma-fence.h>
#include <linux/err.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_drv.h>
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

/**
 * DOC: errors in a commit
 *
 * What the host would refuse is refused before: a framebuffer must have the
 * pitch and the format of its resource, lie within it, and the resource must
 * have its pages; a mode must have a size that the host takes; a cursor must
 * be 64x64. fb_create says so, and atomic_check.
 *
 * When the host refuses a command of a commit nevertheless, or the range of a VA resource
 * has lost memory since, the commit has been accepted already, and cannot fail any
 * more.
 * Such an error
 *
 * - is counted (commit_errors in virtgpu-stats) and logged,
 * - becomes the error of the out-fence of the commit, if there is one,
 * - is kept, the first one of the CRTC, and returned instead of doing the next
 *   commit with that CRTC that is not TEST_ONLY; the one after that goes through,
 * - makes the driver send the whole picture again with the next change of it.
 *
 * It is told to the master that made the commit, and to no other one. When the
 * master of the device changes, what was kept is forgotten, and what goes wrong
 * later in a commit from before is not kept. A master that comes back begins anew:
 * it has to set all of its pictures again in any case. A lessee counts as its
 * lessor.
 *
 * Only a commit that userspace asked for has its errors kept, and is told one, as
 * no other commit can act on it: not one of the console, which is redrawn, moved
 * and brought back by any write, switch or last close; not the one at the end of a
 * framebuffer; not the one of the removal. All these wait for
 * their locks without looking at signals. The ioctls that change a picture look at
 * them: ATOMIC, SETCRTC, SETPLANE, PAGE_FLIP, CURSOR and DIRTYFB, and these
 * are told. The legacy ioctls for properties and gamma do not, and leave the
 * error to the next one that does.
 */

/* What a commit has to tell, after its hardware phase. */
static void virtgpu_sgt_commit_report(struct virtgpu_sgt_device *vgdev,
				      struct drm_crtc *crtc,
				      struct drm_crtc_state *crtc_state)
{
	struct virtgpu_sgt_output *output = to_virtgpu_sgt_output(crtc);
	u32 master = to_virtgpu_sgt_crtc_state(crtc_state)->master;
	int error = virtgpu_sgt_output_error(output);

	if (!error)
		return;

	if (crtc_state->event && crtc_state->event->base.fence)
		dma_fence_set_error(crtc_state->event->base.fence, error);

	/*
	 * Every call says that the device goes away, no need to remember. And the
	 * walk of a task that was killed in its commit is no error for the next.
	 */
	if (error == -ENODEV || error == -EINTR)
		return;

	atomic_long_inc(&vgdev->stats.commit_errors);
	if (master == (u32)atomic_read(&vgdev->master))
		virtgpu_sgt_output_keep_error(output, master, error);

	/* Userspace has taken the memory of the picture away. */
	if (error == -EFAULT)
		return;
	drm_err_ratelimited(vgdev->drm, "[CRTC:%d:%s] host failed a commit: %pe\n",
			    crtc->base.id, crtc->name, ERR_PTR(error));
}

static void virtgpu_sgt_atomic_commit_tail(struct drm_atomic_state *state)
{
	struct drm_device *drm = state->dev;
	struct drm_crtc_state *crtc_state;
	struct drm_crtc *crtc;
	int i;

	drm_atomic_helper_commit_modeset_disables(drm, state);
	drm_atomic_helper_commit_modeset_enables(drm, state);
	drm_atomic_helper_commit_planes(drm, state,
					DRM_PLANE_COMMIT_ACTIVE_ONLY);

	for_each_new_crtc_in_state(state, crtc, crtc_state, i)
		virtgpu_sgt_commit_report(to_virtgpu_sgt(drm), crtc,
					  crtc_state);

	drm_atomic_helper_fake_vblank(state);
	drm_atomic_helper_commit_hw_done(state);
	drm_atomic_helper_cleanup_planes(drm, state);
}

/* Is this an ioctl that changes the picture? See "errors in a commit". */
static bool virtgpu_sgt_commit_is_of_user(const struct drm_atomic_state *state)
{
	return state->acquire_ctx && state->acquire_ctx->interruptible;
}

/* Note the master that commits, and tell what went wrong before for the same master. */
static int virtgpu_sgt_commit_claim(struct virtgpu_sgt_device *vgdev,
				    struct drm_atomic_state *state)
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
				     struct drm_atomic_state *state,
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

/* Another number than that of all masters before, and not that of none. */
static void virtgpu_sgt_master_next(struct drm_device *drm)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(drm);

	if (!atomic_inc_return(&vgdev->master))
		atomic_inc(&vgdev->master);
}

/**
 * virtgpu_sgt_master_set() - &drm_driver.master_set
 * @drm: DRM device
 * @file: the master from now on
 * @from_open: whether it has just been opened
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
 * @file: the master until now
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

static const struct drm_mode_config_funcs virtgpu_sgt_mode_funcs = {
	.fb_create = virtgpu_sgt_fb_create,
	.atomic_check = drm_atomic_helper_check,
	.atomic_commit = virtgpu_sgt_atomic_commit,
};

/* drm_mode_config_reset() does not say that it had no memory for a state. */
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
 * virtgpu_sgt_display_init() - make what mode setting needs
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
