// SPDX-License-Identifier: GPL-2.0

#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/spinlock.h>
#include <linux/virtio_gpu.h>

#include <drm/drm_managed.h>
#include <drm/drm_print.h>
#include <drm/drm_rect.h>

#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_frame.h"
#include "virtgpu_sgt_output.h"
#include "virtgpu_sgt_resource.h"

/**
 * DOC: displays
 *
 * Each scanout of the device has one CRTC with a primary and a cursor plane, one
 * encoder and one connector.
 *
 * A commit for which userspace has asked an event or an out-fence waits until the host
 * has executed its commands and those of the commits before it, so that these mean that
 * the picture is shown. Both come with the next vertical blank: see "vertical blank".
 * Other commits return when they are sent: see
 * "frames".
 * The image of a cursor must be on the host before the cursor is set (VIRTIO 1.2,
 * 5.7.6.6), so the driver waits for the TRANSFER_TO_HOST first.
 *
 * A cursor that only moves waits for nothing. While the host has a move, the newest
 * position replaces the one that is to be sent next. A cursor off the screen is hidden on
 * the host, and uploaded when it returns.
 *
 * The response of the host about a display is stored as received, and nothing in it
 * is trusted: not the sizes, the EDID, nor its length. The driver also asks for the
 * EDID of a display that is off, since it can be forced on (video=). Each probe of a
 * connector reads the EDID, or its override if there is one. If the EDID has no
 * preferred mode that can be shown, the size in the display information is preferred.
 * If that is 0 or cannot be shown, 1024x768 is preferred.
 *
 * Once the removal has begun, a commit sends nothing and still completes: its
 * events are sent, and its out-fences signal with -ENODEV.
 *
 * After a commit that failed, the software state is as if it had succeeded. So the
 * output remembers that the host may be out of date, and the next change sends the
 * whole picture, or the whole cursor.
 */

static void virtgpu_sgt_output_fail_locked(struct virtgpu_sgt_output *output, int ret)
{
	lockdep_assert_held(&output->lock);

	if (!output->error)
		output->error = ret;
}

/* Only what userspace asked for may stay undone when a task is killed. */
static bool virtgpu_sgt_commit_is_killable(const struct virtgpu_sgt_commit *commit)
{
	return commit->master;
}

static int virtgpu_sgt_output_wait(struct virtgpu_sgt_cmd *cmd,
				   const struct virtgpu_sgt_commit *commit)
{
	int ret = virtgpu_sgt_cmd_wait_either(cmd, virtgpu_sgt_commit_is_killable(commit));

	return ret == -ERESTARTSYS ? -EINTR : ret;
}

/*
 * Wait until a command of the output can be filled again. If the last commit stopped
 * waiting for it, its task was killed, or the device is lost or being removed.
 */
static int virtgpu_sgt_output_reclaim(struct virtgpu_sgt_cmd *cmd,
				      const struct virtgpu_sgt_commit *commit)
{
	int ret = virtgpu_sgt_output_wait(cmd, commit);

	if (virtgpu_sgt_cmd_is_idle(cmd)) {
		virtgpu_sgt_cmd_settle(cmd);
		return 0;
	}
	if (ret == -EINTR)
		return ret;
	return virtgpu_sgt_queue_error(cmd->queue) ?: -ENODEV;
}

/* Sync the pixels in @rect, and fill their TRANSFER_TO_HOST. */
static int virtgpu_sgt_output_upload_locked(struct virtgpu_sgt_output *output,
					    struct virtgpu_sgt_cmd *transfer,
					    struct virtgpu_sgt_resource *res,
					    const struct drm_rect *rect)
{
	lockdep_assert_held(&output->lock);

	return virtgpu_sgt_resource_transfer_locked(res, transfer, rect,
						    virtgpu_sgt_resource_offset(res, rect));
}

/* The host reads the memory of a blob itself: there is only a sync. */
static int virtgpu_sgt_output_fill_upload_locked(struct virtgpu_sgt_output *output,
						 struct virtgpu_sgt_frame *frame,
						 const struct virtgpu_sgt_update *update)
{
	u64 offset = virtgpu_sgt_resource_offset(update->res, update->damage);
	int ret;

	lockdep_assert_held(&output->lock);

	if (virtgpu_sgt_resource_is_blob(update->res))
		return virtgpu_sgt_resource_sync_locked(update->res, update->damage, offset);

	ret = virtgpu_sgt_output_upload_locked(output, frame->transfer, update->res,
					       update->damage);
	if (!ret)
		virtgpu_sgt_frame_add(frame, frame->transfer);
	return ret;
}

/* See "blobs" for what is between a blob and a 2D resource. */
static void virtgpu_sgt_output_fill_scanout_locked(struct virtgpu_sgt_output *output,
						   struct virtgpu_sgt_frame *frame,
						   const struct virtgpu_sgt_update *update)
{
	bool is_blob = virtgpu_sgt_resource_is_blob(update->res);

	lockdep_assert_held(&output->lock);

	if (output->shows_blob && !is_blob) {
		virtgpu_sgt_prep_set_scanout(frame->blank, output->index, NULL, NULL);
		virtgpu_sgt_frame_add(frame, frame->blank);
	}
	output->shows_blob = is_blob;
	virtgpu_sgt_prep_set_scanout(frame->scanout, output->index, update->res, &update->src);
	virtgpu_sgt_frame_add(frame, frame->scanout);
}

/* Fill the commands of a frame, which is then sent. The resource must be attached. */
static int virtgpu_sgt_output_fill_locked(struct virtgpu_sgt_output *output,
					  struct virtgpu_sgt_frame *frame,
					  const struct virtgpu_sgt_update *update)
{
	int ret;

	lockdep_assert_held(&output->lock);

	ret = virtgpu_sgt_output_fill_upload_locked(output, frame, update);
	if (ret)
		return ret;
	if (update->set_src)
		virtgpu_sgt_output_fill_scanout_locked(output, frame, update);
	virtgpu_sgt_prep_flush(frame->flush, update->res, update->damage);
	virtgpu_sgt_frame_add(frame, frame->flush);
	return 0;
}

static struct virtgpu_sgt_frame *
virtgpu_sgt_output_get_frame_locked(struct virtgpu_sgt_output *output, bool killable)
{
	struct virtgpu_sgt_frame *frame = &output->frames[output->next_frame];
	int ret;

	lockdep_assert_held(&output->lock);

	if (virtgpu_sgt_is_stopping(output->vgdev))
		return ERR_PTR(-ENODEV);
	ret = virtgpu_sgt_frame_reclaim(frame, killable);
	return ret ? ERR_PTR(ret) : frame;
}

static void virtgpu_sgt_output_submit_locked(struct virtgpu_sgt_output *output,
					     struct virtgpu_sgt_frame *frame,
					     const struct virtgpu_sgt_commit *commit)
{
	lockdep_assert_held(&output->lock);

	output->next_frame = (output->next_frame + 1) % VIRTGPU_SGT_FRAMES;
	virtgpu_sgt_frame_submit(frame, commit->wait, commit->master);
}

static int virtgpu_sgt_output_try_show_locked(struct virtgpu_sgt_output *output,
					      const struct virtgpu_sgt_commit *commit,
					      const struct virtgpu_sgt_update *update)
{
	struct virtgpu_sgt_frame *frame;
	int ret;

	lockdep_assert_held(&output->lock);

	frame = virtgpu_sgt_output_get_frame_locked(output,
						    virtgpu_sgt_commit_is_killable(commit));
	if (IS_ERR(frame))
		return PTR_ERR(frame);

	ret = virtgpu_sgt_resource_begin_use(update->res, update->attach);
	if (ret)
		return ret;
	ret = virtgpu_sgt_output_fill_locked(output, frame, update);
	if (!ret)
		virtgpu_sgt_output_submit_locked(output, frame, commit);
	virtgpu_sgt_resource_end_use(update->res);
	if (ret)
		return ret;
	return commit->wait ? virtgpu_sgt_frame_wait(frame) : 0;
}

/**
 * virtgpu_sgt_output_show() - show a resource on the display
 * @output: the output
 * @commit: the commit
 * @update: what to show
 *
 * An error becomes the error of the commit: see virtgpu_sgt_output_error(). If the commit
 * does not wait, an error of the host goes to virtgpu_sgt_output_frame_failed().
 *
 * Context: Hardware phase of a commit. Takes &virtgpu_sgt_output.lock and may wait
 * for the host.
 */
void virtgpu_sgt_output_show(struct virtgpu_sgt_output *output,
			     const struct virtgpu_sgt_commit *commit,
			     const struct virtgpu_sgt_update *update)
{
	struct virtgpu_sgt_update whole;
	int ret;

	guard(mutex)(&output->lock);

	/* A frame that fails meanwhile is older than the picture that is sent now. */
	if (READ_ONCE(output->stale)) {
		WRITE_ONCE(output->stale, false);
		whole = *update;
		whole.damage = &update->src;
		whole.set_src = true;
		update = &whole;
	}
	if (!update->damage)
		return;

	ret = virtgpu_sgt_output_try_show_locked(output, commit, update);
	if (ret)
		WRITE_ONCE(output->stale, true);
	virtgpu_sgt_output_fail_locked(output, ret);
}

static int virtgpu_sgt_output_try_blank_locked(struct virtgpu_sgt_output *output,
					       const struct virtgpu_sgt_commit *commit)
{
	struct virtgpu_sgt_frame *frame;

	lockdep_assert_held(&output->lock);

	/* No later commit repeats this command, so the wait is not killable. */
	frame = virtgpu_sgt_output_get_frame_locked(output, false);
	if (IS_ERR(frame))
		return PTR_ERR(frame);

	virtgpu_sgt_prep_set_scanout(frame->scanout, output->index, NULL, NULL);
	virtgpu_sgt_frame_add(frame, frame->scanout);
	virtgpu_sgt_output_submit_locked(output, frame, commit);
	return commit->wait ? virtgpu_sgt_frame_wait(frame) : 0;
}

/**
 * virtgpu_sgt_output_blank() - turn the display off
 * @output: the output
 * @commit: the commit
 *
 * Errors: see virtgpu_sgt_output_show(). One that is known here does not make the output
 * stale, since a modeset or another buffer must follow, and these send the whole picture.
 *
 * Context: Hardware phase of a commit. Takes &virtgpu_sgt_output.lock and may wait
 * for the host.
 */
void virtgpu_sgt_output_blank(struct virtgpu_sgt_output *output,
			      const struct virtgpu_sgt_commit *commit)
{
	guard(mutex)(&output->lock);

	virtgpu_sgt_output_fail_locked(output,
				       virtgpu_sgt_output_try_blank_locked(output, commit));
}

/* While a move is in the queue, the next one waits, and a newer one replaces it. */
static void virtgpu_sgt_output_send_move_locked(struct virtgpu_sgt_output *output)
{
	lockdep_assert_held(&output->cursor_lock);

	if (!output->moved || !virtgpu_sgt_cmd_is_idle(output->move))
		return;
	output->moved = false;
	virtgpu_sgt_prep_cursor(output->move, output->index, &output->position, false);
	virtgpu_sgt_cmd_submit(output->move);
}

static void virtgpu_sgt_output_move_done(struct virtgpu_sgt_cmd *cmd, int status)
{
	struct virtgpu_sgt_output *output = cmd->priv;

	/* The queue has ended, and cursor_lock may be held. */
	if (status)
		return;

	guard(mutex)(&output->cursor_lock);

	virtgpu_sgt_output_send_move_locked(output);
}

/* It has a position of its own: a move that is not sent yet would undo it. */
static void virtgpu_sgt_output_send_cursor(struct virtgpu_sgt_output *output,
					   const struct virtgpu_sgt_cursor *cursor)
{
	guard(mutex)(&output->cursor_lock);

	output->moved = false;
	virtgpu_sgt_prep_cursor(output->cursor, output->index, cursor, true);
	virtgpu_sgt_cmd_submit(output->cursor);
}

/*
 * Wait for the change: the host copies the image, and an UNREF of the buffer goes
 * through the other queue.
 */
static int virtgpu_sgt_output_try_cursor_set_locked(struct virtgpu_sgt_output *output,
						    const struct virtgpu_sgt_commit *commit,
						    const struct virtgpu_sgt_cursor *cursor,
						    struct virtgpu_sgt_resource *upload,
						    struct virtgpu_sgt_attach *attach)
{
	struct drm_rect whole;
	int ret;

	lockdep_assert_held(&output->lock);

	if (virtgpu_sgt_is_stopping(output->vgdev))
		return -ENODEV;

	if (upload) {
		drm_rect_init(&whole, 0, 0, upload->width, upload->height);
		ret = virtgpu_sgt_output_reclaim(output->upload, commit);
		if (ret)
			return ret;
		ret = virtgpu_sgt_resource_begin_use(upload, attach);
		if (ret)
			return ret;
		ret = virtgpu_sgt_output_upload_locked(output, output->upload, upload,
						       &whole);
		if (!ret)
			virtgpu_sgt_cmd_submit(output->upload);
		virtgpu_sgt_resource_end_use(upload);
		if (!ret)
			ret = virtgpu_sgt_output_wait(output->upload, commit);
		if (ret)
			return ret;
	}

	ret = virtgpu_sgt_output_reclaim(output->cursor, commit);
	if (ret)
		return ret;
	virtgpu_sgt_output_send_cursor(output, cursor);
	ret = virtgpu_sgt_output_wait(output->cursor, commit);
	output->cursor_shown = cursor->resource || ret;
	return ret;
}

static void virtgpu_sgt_output_cursor_set_locked(struct virtgpu_sgt_output *output,
						 const struct virtgpu_sgt_commit *commit,
						 const struct virtgpu_sgt_cursor *cursor,
						 struct virtgpu_sgt_resource *upload,
						 struct virtgpu_sgt_attach *attach)
{
	int ret;

	lockdep_assert_held(&output->lock);

	ret = virtgpu_sgt_output_try_cursor_set_locked(output, commit, cursor, upload,
						       attach);
	output->cursor_stale = ret;
	virtgpu_sgt_output_fail_locked(output, ret);
}

/**
 * virtgpu_sgt_output_cursor_set() - set the cursor
 * @output: the output
 * @commit: the commit
 * @cursor: the new cursor
 * @image: the resource of its image
 * @attach: from virtgpu_sgt_resource_prepare(), or NULL
 * @upload: whether the image is new
 *
 * An error becomes the error of the commit.
 *
 * Context: Hardware phase of a commit. Takes &virtgpu_sgt_output.lock and waits
 * for the host.
 */
void virtgpu_sgt_output_cursor_set(struct virtgpu_sgt_output *output,
				   const struct virtgpu_sgt_commit *commit,
				   const struct virtgpu_sgt_cursor *cursor,
				   struct virtgpu_sgt_resource *image,
				   struct virtgpu_sgt_attach *attach, bool upload)
{
	guard(mutex)(&output->lock);

	if (!output->cursor_shown || output->cursor_stale)
		upload = true;
	virtgpu_sgt_output_cursor_set_locked(output, commit, cursor, upload ? image : NULL,
					     attach);
}

/**
 * virtgpu_sgt_output_cursor_can_move() - does the host have the cursor?
 * @output: the output
 *
 * Context: Process context. No commit to the cursor plane is in its hardware phase.
 * Return: whether virtgpu_sgt_output_cursor_move() is enough
 */
bool virtgpu_sgt_output_cursor_can_move(const struct virtgpu_sgt_output *output)
{
	return READ_ONCE(output->cursor_shown) && !READ_ONCE(output->cursor_stale);
}

/**
 * virtgpu_sgt_output_cursor_move() - move the cursor
 * @output: the output, see virtgpu_sgt_output_cursor_can_move()
 * @cursor: the cursor, with a new position
 *
 * The host is told the newest position when it has taken the one before. Positions in
 * between are dropped.
 *
 * Context: Process context, also in the hardware phase of a commit. Does not wait for
 * the host.
 */
void virtgpu_sgt_output_cursor_move(struct virtgpu_sgt_output *output,
				    const struct virtgpu_sgt_cursor *cursor)
{
	if (virtgpu_sgt_is_stopping(output->vgdev))
		return;

	guard(mutex)(&output->cursor_lock);

	output->position = *cursor;
	output->moved = true;
	virtgpu_sgt_output_send_move_locked(output);
}

/**
 * virtgpu_sgt_output_cursor_hide() - hide the cursor
 * @output: the output
 *
 * Sends nothing if none is shown. An error becomes the error of the commit. A task that
 * is killed hides the cursor, too, as nothing sends this again.
 *
 * Context: Hardware phase of a commit. Takes &virtgpu_sgt_output.lock and waits
 * for the host.
 */
void virtgpu_sgt_output_cursor_hide(struct virtgpu_sgt_output *output)
{
	static const struct virtgpu_sgt_commit unkillable;
	static const struct virtgpu_sgt_cursor none;

	guard(mutex)(&output->lock);

	if (output->cursor_shown)
		virtgpu_sgt_output_cursor_set_locked(output, &unkillable, &none, NULL,
						     NULL);
}

/**
 * virtgpu_sgt_output_drain() - wait until the host has executed all frames
 * @output: the output
 *
 * An error of a frame goes to virtgpu_sgt_output_frame_failed().
 *
 * Context: Hardware phase of a commit. Takes &virtgpu_sgt_output.lock and waits
 * for the host.
 */
void virtgpu_sgt_output_drain(struct virtgpu_sgt_output *output)
{
	unsigned int i;

	guard(mutex)(&output->lock);

	for (i = 0; i < VIRTGPU_SGT_FRAMES; i++) {
		if (virtgpu_sgt_frame_reclaim(&output->frames[i], false))
			break;
	}
}

/**
 * virtgpu_sgt_output_error() - take the error of a commit
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

/*
 * An error that is kept for the same master stays. One that is kept for another master is
 * dropped.
 */
static void virtgpu_sgt_output_keep_error(struct virtgpu_sgt_output *output,
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
 * virtgpu_sgt_output_report() - report the error of a commit
 * @output: the output
 * @master: &virtgpu_sgt_crtc_state.master of the commit
 * @error: negative errno
 *
 * Context: Process context, the fence-signalling path.
 */
void virtgpu_sgt_output_report(struct virtgpu_sgt_output *output, u32 master, int error)
{
	struct virtgpu_sgt_device *vgdev = output->vgdev;

	/*
	 * All calls fail once the device is being removed. If a task was killed
	 * in its commit, that is no error for the next commit.
	 */
	if (error == -ENODEV || error == -EINTR)
		return;

	atomic_long_inc(&vgdev->stats.commit_errors);
	if (master == (u32)atomic_read(&vgdev->master))
		virtgpu_sgt_output_keep_error(output, master, error);

	/* Userspace has unmapped the memory of the picture: do not log it. */
	if (error == -EFAULT)
		return;
	drm_err_ratelimited(vgdev->drm, "[CRTC:%d:%s] host failed a commit: %pe\n",
			    output->crtc.base.id, output->crtc.name, ERR_PTR(error));
}

/**
 * virtgpu_sgt_output_frame_failed() - the host has failed a commit that did not wait
 * @output: the output
 * @master: &virtgpu_sgt_crtc_state.master of the commit
 * @error: negative errno
 *
 * The next change sends the whole picture.
 *
 * Context: Process context, the fence-signalling path. &virtgpu_sgt_output.lock may be
 * held.
 */
void virtgpu_sgt_output_frame_failed(struct virtgpu_sgt_output *output, u32 master, int error)
{
	WRITE_ONCE(output->stale, true);
	virtgpu_sgt_output_report(output, master, error);
}

/**
 * virtgpu_sgt_output_tell_error() - take the error that is kept for a master
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

/* The lock is taken in the tail of a commit, whose out-fence signals after that. */
static void virtgpu_sgt_output_prime_lockdep(struct virtgpu_sgt_output *output)
{
	bool cookie = dma_fence_begin_signalling();

	might_lock(&output->lock);
	might_lock(&output->cursor_lock);
	dma_fence_end_signalling(cookie);
}

static void virtgpu_sgt_output_release(struct drm_device *drm, void *data)
{
	struct virtgpu_sgt_output *output = data;
	unsigned int i;

	for (i = 0; i < VIRTGPU_SGT_FRAMES; i++)
		virtgpu_sgt_frame_fini(&output->frames[i]);
	virtgpu_sgt_cmd_put(output->upload);
	virtgpu_sgt_cmd_put(output->cursor);
	virtgpu_sgt_cmd_put(output->move);
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
	unsigned int i;
	int ret;

	spin_lock_init(&output->told_lock);
	ret = drmm_mutex_init(vgdev->drm, &output->lock) ?:
	      drmm_mutex_init(vgdev->drm, &output->cursor_lock);
	if (ret)
		return ret;
	virtgpu_sgt_output_prime_lockdep(output);

	ret = drmm_add_action_or_reset(vgdev->drm, virtgpu_sgt_output_release,
				       output);
	if (ret)
		return ret;

	for (i = 0; i < VIRTGPU_SGT_FRAMES; i++) {
		ret = virtgpu_sgt_frame_init(&output->frames[i], output);
		if (ret)
			return ret;
	}
	output->upload = virtgpu_sgt_cmd_alloc(&vgdev->ctrlq, resp);
	output->cursor = virtgpu_sgt_cmd_alloc(&vgdev->cursorq, 0);
	output->move = virtgpu_sgt_cmd_alloc(&vgdev->cursorq, 0);
	if (!output->upload || !output->cursor || !output->move)
		return -ENOMEM;

	output->move->done = virtgpu_sgt_output_move_done;
	output->move->priv = output;
	return 0;
}
