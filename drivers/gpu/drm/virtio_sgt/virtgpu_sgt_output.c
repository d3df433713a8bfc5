// SPDX-License-Identifier: GPL-2.0

#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/lockdep.h>
#include <linux/spinlock.h>
#include <linux/virtio_gpu.h>

#include <drm/drm_managed.h>
#include <drm/drm_rect.h>

#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_output.h"
#include "virtgpu_sgt_resource.h"

/**
 * DOC: displays
 *
 * Each scanout of the device becomes one CRTC with a primary and a cursor
 * plane, one encoder and one connector.
 *
 * A commit sends its commands and waits until the host has carried out all of
 * them, so that an event or an out-fence means that the picture is there. A
 * change of the picture is three commands, sent together: TRANSFER_TO_HOST for
 * what is damaged, SET_SCANOUT if another part or another buffer is shown than
 * before, and FLUSH (VIRTIO 1.2, 5.7.6.2 and 5.7.6.3). A cursor must be with
 * the host before it is set (5.7.6.6); there the driver waits in between.
 *
 * There is no vertical blank. Events are sent when the commit is done.
 *
 * What the host says of a display is kept as it came, and is believed nowhere:
 * not its sizes, not its EDID, nor how much of its answer there is. A display that
 * the host has switched off has an EDID, too, since a user may force it on. Each
 * probe reads that EDID anew, or the one that an administrator has put in its
 * place. If it leaves no preferred mode that can be shown, the size of the display
 * information is preferred, and 1024x768 if that cannot be shown either, or is not
 * said: 0 is no size.
 *
 * Once the device is going away, a commit sends nothing and still completes:
 * its events are delivered, and its out-fences signal with -ENODEV.
 *
 * The software state goes on as if a failed commit had succeeded. So the output
 * remembers that the host may lag behind, and the next change sends all of the
 * picture, or of the cursor, whatever has changed.
 */

static void virtgpu_sgt_output_fail_locked(struct virtgpu_sgt_output *output, int ret)
{
	lockdep_assert_held(&output->lock);

	if (!output->error)
		output->error = ret;
}

/*
 * May a command of the output be filled again? Not if the last commit gave up
 * waiting for it, and then the device is lost.
 */
static int virtgpu_sgt_output_reclaim(struct virtgpu_sgt_cmd *cmd)
{
	virtgpu_sgt_cmd_wait(cmd);
	if (virtgpu_sgt_cmd_is_idle(cmd))
		return 0;
	return virtgpu_sgt_queue_error(cmd->queue) ?: -ENODEV;
}

/* Sync the pixels in @rect, and send the command that fetches them. */
static int virtgpu_sgt_output_upload_locked(struct virtgpu_sgt_output *output,
					    struct virtgpu_sgt_resource *res,
					    const struct drm_rect *rect)
{
	lockdep_assert_held(&output->lock);

	return virtgpu_sgt_resource_transfer_locked(res, output->transfer, rect,
						    virtgpu_sgt_resource_offset(res, rect));
}

/* All that needs the memory of @res, which a job can detach. */
static int virtgpu_sgt_output_submit_locked(struct virtgpu_sgt_output *output,
					    struct virtgpu_sgt_resource *res,
					    const struct drm_rect *damage,
					    const struct drm_rect *src)
{
	int ret;

	lockdep_assert_held(&output->lock);
	lockdep_assert_held(&res->lock);

	ret = virtgpu_sgt_output_upload_locked(output, res, damage);
	if (ret)
		return ret;
	if (src) {
		virtgpu_sgt_prep_set_scanout(output->scanout, output->index,
					     res, src);
		virtgpu_sgt_cmd_submit(output->scanout);
	}
	virtgpu_sgt_prep_flush(output->flush, res, damage);
	virtgpu_sgt_cmd_submit(output->flush);
	return 0;
}

static int virtgpu_sgt_output_try_show_locked(struct virtgpu_sgt_output *output,
					      struct virtgpu_sgt_resource *res,
					      struct virtgpu_sgt_attach *attach,
					      const struct drm_rect *damage,
					      const struct drm_rect *src)
{
	int transferred, set = 0, flushed;
	int ret;

	lockdep_assert_held(&output->lock);

	if (virtgpu_sgt_is_stopping(output->vgdev))
		return -ENODEV;
	ret = virtgpu_sgt_output_reclaim(output->transfer) ?:
	      virtgpu_sgt_output_reclaim(output->scanout) ?:
	      virtgpu_sgt_output_reclaim(output->flush);
	if (ret)
		return ret;

	ret = virtgpu_sgt_resource_begin_use(res, attach);
	if (ret)
		return ret;
	ret = virtgpu_sgt_output_submit_locked(output, res, damage, src);
	virtgpu_sgt_resource_end_use(res);
	if (ret)
		return ret;

	transferred = virtgpu_sgt_cmd_wait(output->transfer);
	if (src)
		set = virtgpu_sgt_cmd_wait(output->scanout);
	flushed = virtgpu_sgt_cmd_wait(output->flush);

	return transferred ?: set ?: flushed;
}

/**
 * virtgpu_sgt_output_show() - bring a picture to the display
 * @output: the output
 * @res: the resource that has the picture
 * @attach: from virtgpu_sgt_resource_prepare(), or NULL
 * @damage: what the host does not have yet, or NULL if it has everything
 * @src: what shall be shown of @res
 * @set_src: whether @res or @src are new
 *
 * What goes wrong is told to the commit, not to the caller.
 *
 * Context: Hardware phase of a commit. Takes &virtgpu_sgt_output.lock and waits
 * for the host.
 */
void virtgpu_sgt_output_show(struct virtgpu_sgt_output *output,
			     struct virtgpu_sgt_resource *res,
			     struct virtgpu_sgt_attach *attach,
			     const struct drm_rect *damage,
			     const struct drm_rect *src, bool set_src)
{
	int ret;

	guard(mutex)(&output->lock);

	if (output->stale) {
		damage = src;
		set_src = true;
	}
	if (!damage)
		return;

	ret = virtgpu_sgt_output_try_show_locked(output, res, attach, damage,
						 set_src ? src : NULL);
	output->stale = ret;
	virtgpu_sgt_output_fail_locked(output, ret);
}

static int virtgpu_sgt_output_try_blank_locked(struct virtgpu_sgt_output *output)
{
	int ret;

	lockdep_assert_held(&output->lock);

	if (virtgpu_sgt_is_stopping(output->vgdev))
		return -ENODEV;
	ret = virtgpu_sgt_output_reclaim(output->scanout);
	if (ret)
		return ret;

	virtgpu_sgt_prep_set_scanout(output->scanout, output->index, NULL,
				     NULL);
	virtgpu_sgt_cmd_submit(output->scanout);
	return virtgpu_sgt_cmd_wait(output->scanout);
}

/**
 * virtgpu_sgt_output_blank() - show nothing on the display
 * @output: the output
 *
 * If that fails, there is nothing to remember: what ends the blank is a modeset
 * or another buffer, and sends everything.
 *
 * Context: Hardware phase of a commit. Takes &virtgpu_sgt_output.lock and waits
 * for the host.
 */
void virtgpu_sgt_output_blank(struct virtgpu_sgt_output *output)
{
	guard(mutex)(&output->lock);

	virtgpu_sgt_output_fail_locked(output, virtgpu_sgt_output_try_blank_locked(output));
}

/*
 * A change of the image is waited for: the host takes a copy of it then, and
 * the UNREF of the buffer goes through the other queue. A move is not.
 */
static int virtgpu_sgt_output_try_cursor_set_locked(struct virtgpu_sgt_output *output,
						    const struct virtgpu_sgt_cursor *cursor,
						    struct virtgpu_sgt_resource *upload,
						    struct virtgpu_sgt_attach *attach,
						    bool update)
{
	struct drm_rect whole;
	int ret;

	lockdep_assert_held(&output->lock);

	if (virtgpu_sgt_is_stopping(output->vgdev))
		return -ENODEV;

	if (upload) {
		drm_rect_init(&whole, 0, 0, upload->width, upload->height);
		ret = virtgpu_sgt_output_reclaim(output->transfer);
		if (ret)
			return ret;
		ret = virtgpu_sgt_resource_begin_use(upload, attach);
		if (ret)
			return ret;
		ret = virtgpu_sgt_output_upload_locked(output, upload, &whole);
		virtgpu_sgt_resource_end_use(upload);
		if (!ret)
			ret = virtgpu_sgt_cmd_wait(output->transfer);
		if (ret)
			return ret;
	}

	ret = virtgpu_sgt_output_reclaim(output->cursor);
	if (ret)
		return ret;
	virtgpu_sgt_prep_cursor(output->cursor, output->index, cursor, update);
	virtgpu_sgt_cmd_submit(output->cursor);
	ret = update ? virtgpu_sgt_cmd_wait(output->cursor) : 0;
	output->cursor_shown = cursor->resource || ret;
	return ret;
}

static void virtgpu_sgt_output_cursor_set_locked(struct virtgpu_sgt_output *output,
						 const struct virtgpu_sgt_cursor *cursor,
						 struct virtgpu_sgt_resource *upload,
						 struct virtgpu_sgt_attach *attach,
						 bool update)
{
	int ret;

	lockdep_assert_held(&output->lock);

	ret = virtgpu_sgt_output_try_cursor_set_locked(output, cursor, upload, attach,
						       update);
	output->cursor_stale = ret;
	virtgpu_sgt_output_fail_locked(output, ret);
}

/**
 * virtgpu_sgt_output_cursor_set() - set or move the cursor
 * @output: the output
 * @cursor: what it shall be
 * @image: the resource of the image
 * @attach: from virtgpu_sgt_resource_prepare(), or NULL
 * @upload: whether the image is new
 * @update: whether something else is new beside the position
 *
 * Context: Hardware phase of a commit. Takes &virtgpu_sgt_output.lock and waits
 * for the host.
 */
void virtgpu_sgt_output_cursor_set(struct virtgpu_sgt_output *output,
				   const struct virtgpu_sgt_cursor *cursor,
				   struct virtgpu_sgt_resource *image,
				   struct virtgpu_sgt_attach *attach, bool upload,
				   bool update)
{
	guard(mutex)(&output->lock);

	if (!output->cursor_shown || output->cursor_stale)
		upload = true;
	virtgpu_sgt_output_cursor_set_locked(output, cursor, upload ? image : NULL,
					     attach, upload || update);
}

/**
 * virtgpu_sgt_output_cursor_hide() - show no cursor
 * @output: the output
 *
 * Sends nothing if there is none.
 *
 * Context: Hardware phase of a commit. Takes &virtgpu_sgt_output.lock and waits
 * for the host.
 */
void virtgpu_sgt_output_cursor_hide(struct virtgpu_sgt_output *output)
{
	static const struct virtgpu_sgt_cursor none;

	guard(mutex)(&output->lock);

	if (output->cursor_shown)
		virtgpu_sgt_output_cursor_set_locked(output, &none, NULL, NULL, true);
}

/**
 * virtgpu_sgt_output_error() - what went wrong, once
 * @output: the output
 *
 * Context: End of the hardware phase of a commit. Takes
 * &virtgpu_sgt_output.lock.
 * Return: 0, or the first error since the last call
 */
int virtgpu_sgt_output_error(struct virtgpu_sgt_output *output)
{
	int error;

	guard(mutex)(&output->lock);

	error = output->error;
	output->error = 0;
	return error;
}

/**
 * virtgpu_sgt_output_keep_error() - keep an error of a commit for its master
 * @output: the output
 * @master: &virtgpu_sgt_crtc_state.master of the commit
 * @error: negative errno
 *
 * One of the same master that was not told yet stays; one of another master will
 * not be told any more.
 *
 * Context: Process context, the fence-signalling path.
 */
void virtgpu_sgt_output_keep_error(struct virtgpu_sgt_output *output,
				   u32 master, int error)
{
	spin_lock(&output->told_lock);
	if (!output->untold || output->untold_master != master) {
		output->untold = error;
		output->untold_master = master;
	}
	spin_unlock(&output->told_lock);
}

/**
 * virtgpu_sgt_output_tell_error() - what went wrong for a master, once
 * @output: the output
 * @master: &virtgpu_sgt_device.master of the commit that asks
 *
 * Context: Process context.
 * Return: 0, or the negative errno that was kept for @master
 */
int virtgpu_sgt_output_tell_error(struct virtgpu_sgt_output *output, u32 master)
{
	int error = 0;

	spin_lock(&output->told_lock);
	if (output->untold_master == master) {
		error = output->untold;
		output->untold = 0;
	}
	spin_unlock(&output->told_lock);
	return error;
}

/* Taken in the tail of a commit, whose out-fence signals after it. */
static void virtgpu_sgt_output_prime_lockdep(struct virtgpu_sgt_output *output)
{
	bool cookie = dma_fence_begin_signalling();

	might_lock(&output->lock);
	dma_fence_end_signalling(cookie);
}

static void virtgpu_sgt_output_release(struct drm_device *drm, void *data)
{
	struct virtgpu_sgt_output *output = data;

	virtgpu_sgt_cmd_put(output->transfer);
	virtgpu_sgt_cmd_put(output->scanout);
	virtgpu_sgt_cmd_put(output->flush);
	virtgpu_sgt_cmd_put(output->cursor);
}

/**
 * virtgpu_sgt_output_init() - initialise locks, and allocate commands
 * @output: the output, with @vgdev and @index set
 *
 * They are freed with the DRM device.
 *
 * Return: 0, or -ENOMEM
 */
int virtgpu_sgt_output_init(struct virtgpu_sgt_output *output)
{
	const unsigned int resp = sizeof(struct virtio_gpu_ctrl_hdr);
	struct virtgpu_sgt_device *vgdev = output->vgdev;
	int ret;

	spin_lock_init(&output->told_lock);
	ret = drmm_mutex_init(vgdev->drm, &output->lock);
	if (ret)
		return ret;
	virtgpu_sgt_output_prime_lockdep(output);

	ret = drmm_add_action_or_reset(vgdev->drm, virtgpu_sgt_output_release,
				       output);
	if (ret)
		return ret;

	output->transfer = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq, resp);
	output->scanout = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq, resp);
	output->flush = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq, resp);
	output->cursor = virtgpu_sgt_cmd_alloc(&vgdev->cursorq, 0);
	if (!output->transfer || !output->scanout || !output->flush ||
	    !output->cursor)
		return -ENOMEM;
	return 0;
}
