// SPDX-License-Identifier: GPL-2.0

#include <asm/barrier.h>
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/virtio_gpu.h>

#include <drm/drm_print.h>

#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_frame.h"
#include "virtgpu_sgt_output.h"
#include "virtgpu_sgt_queue.h"

/**
 * DOC: frames
 *
 * To change the picture takes up to three commands, which are a frame: TRANSFER_TO_HOST
 * for the damage, SET_SCANOUT if the buffer or its source rectangle changes, and FLUSH
 * (VIRTIO 1.2, 5.7.6.2 and 5.7.6.3). They are sent together. A blob needs no transfer,
 * and SET_SCANOUT_BLOB; a 2D resource that follows a blob needs another SET_SCANOUT: see
 * "blobs". The frame that turns a display off is a SET_SCANOUT alone.
 *
 * A commit for which userspace has asked an event or an out-fence waits for its frame.
 * Any other commit, as of DIRTYFB, SETCRTC or a flip without an event, returns when its
 * frame is submitted. An error of the host then reaches a later commit: see "errors in a
 * commit".
 *
 * An output has a fixed number of frames. When the host has all of them, a commit waits
 * for the oldest one. The wait ends when the task is killed, except in a commit that turns
 * the display off or that userspace did not ask for.
 *
 * A frame holds no reference to the framebuffer. The queue keeps the order of commands,
 * so that the UNREF or DETACH_BACKING of the resource comes after the frame. Until that is
 * answered, the memory of the resource stays.
 */

/* See "blobs": later framebuffers have 2D resources. */
static void virtgpu_sgt_frame_refused(struct virtgpu_sgt_frame *frame,
				      const struct virtgpu_sgt_cmd *cmd)
{
	struct virtgpu_sgt_device *vgdev = frame->output->vgdev;

	if (le32_to_cpu(cmd->req.hdr.type) != VIRTIO_GPU_CMD_SET_SCANOUT_BLOB ||
	    !READ_ONCE(vgdev->has_blobs))
		return;
	WRITE_ONCE(vgdev->has_blobs, false);
	drm_warn(vgdev->drm, "the host cannot show blob %u: using no more blobs\n",
		 cmd->resource);
}

/*
 * Called for each command. The last call ends the frame: any order of the answers is
 * safe.
 */
static void virtgpu_sgt_frame_done(struct virtgpu_sgt_cmd *cmd, int status)
{
	struct virtgpu_sgt_frame *frame = cmd->priv;

	if (status)
		cmpxchg(&frame->error, 0, status);
	if (cmd->refused)
		virtgpu_sgt_frame_refused(frame, cmd);
	if (!atomic_dec_and_test(&frame->left))
		return;

	if (frame->error && !frame->waited)
		virtgpu_sgt_output_frame_failed(frame->output, frame->master, frame->error);
	/* Pairs with the acquire in virtgpu_sgt_frame_is_busy(). */
	smp_store_release(&frame->busy, false);
}

static bool virtgpu_sgt_frame_is_busy(const struct virtgpu_sgt_frame *frame)
{
	/* Pairs with the release in virtgpu_sgt_frame_done(). */
	return smp_load_acquire(&frame->busy);
}

static struct virtgpu_sgt_cmd *virtgpu_sgt_frame_cmd_alloc(struct virtgpu_sgt_frame *frame)
{
	struct virtgpu_sgt_cmd *cmd = virtgpu_sgt_cmd_alloc(&frame->output->vgdev->ctrlq,
							    sizeof(struct virtio_gpu_ctrl_hdr));

	if (cmd) {
		cmd->done = virtgpu_sgt_frame_done;
		cmd->priv = frame;
	}
	return cmd;
}

/**
 * virtgpu_sgt_frame_init() - allocate the commands of a frame
 * @frame: the frame, zeroed
 * @output: its output
 *
 * Ownership: the caller frees them with virtgpu_sgt_frame_fini(), also after an error.
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ENOMEM
 */
int virtgpu_sgt_frame_init(struct virtgpu_sgt_frame *frame, struct virtgpu_sgt_output *output)
{
	frame->output = output;
	frame->transfer = virtgpu_sgt_frame_cmd_alloc(frame);
	frame->blank = virtgpu_sgt_frame_cmd_alloc(frame);
	frame->scanout = virtgpu_sgt_frame_cmd_alloc(frame);
	frame->flush = virtgpu_sgt_frame_cmd_alloc(frame);
	return frame->transfer && frame->blank && frame->scanout && frame->flush ? 0 : -ENOMEM;
}

/**
 * virtgpu_sgt_frame_fini() - free the commands of a frame
 * @frame: the frame, zeroed or idle
 *
 * Context: Process context.
 */
void virtgpu_sgt_frame_fini(struct virtgpu_sgt_frame *frame)
{
	virtgpu_sgt_cmd_put(frame->transfer);
	virtgpu_sgt_cmd_put(frame->blank);
	virtgpu_sgt_cmd_put(frame->scanout);
	virtgpu_sgt_cmd_put(frame->flush);
}

/**
 * virtgpu_sgt_frame_reclaim() - wait until a frame is idle
 * @frame: the frame
 * @killable: whether the wait ends when the task is killed
 *
 * Context: Process context, the fence-signalling path. The caller holds
 * &virtgpu_sgt_output.lock.
 * Return:
 * * %0       - the frame can be filled
 * * %-EINTR  - the task was killed
 * * %-ENODEV, %-EIO - see virtgpu_sgt_queue_error()
 */
int virtgpu_sgt_frame_reclaim(struct virtgpu_sgt_frame *frame, bool killable)
{
	unsigned int i;
	int ret;

	/* The last one first: its answer comes after the others. */
	for (i = frame->count; i-- && virtgpu_sgt_frame_is_busy(frame);) {
		ret = virtgpu_sgt_cmd_wait_either(frame->cmds[i], killable);
		if (ret == -ERESTARTSYS)
			return -EINTR;
		/* The wait ended without an answer: the queue has the earlier ones, too. */
		if (!virtgpu_sgt_cmd_is_idle(frame->cmds[i]))
			break;
	}
	if (virtgpu_sgt_frame_is_busy(frame))
		return virtgpu_sgt_queue_error(frame->transfer->queue) ?: -ENODEV;

	for (i = 0; i < frame->count; i++)
		virtgpu_sgt_cmd_settle(frame->cmds[i]);
	frame->count = 0;
	return 0;
}

/**
 * virtgpu_sgt_frame_add() - make a command part of a frame
 * @frame: an idle frame
 * @cmd: one of its commands, filled
 *
 * Context: The caller holds &virtgpu_sgt_output.lock.
 */
void virtgpu_sgt_frame_add(struct virtgpu_sgt_frame *frame, struct virtgpu_sgt_cmd *cmd)
{
	frame->cmds[frame->count++] = cmd;
}

/**
 * virtgpu_sgt_frame_submit() - send the commands of a frame, with one notification
 * @frame: an idle frame, with at least one command
 * @wait: whether virtgpu_sgt_frame_wait() follows
 * @master: &virtgpu_sgt_crtc_state.master of the commit
 *
 * Context: Process context, the fence-signalling path. The caller holds
 * &virtgpu_sgt_output.lock. Does not wait for the host.
 */
void virtgpu_sgt_frame_submit(struct virtgpu_sgt_frame *frame, bool wait, u32 master)
{
	frame->waited = wait;
	frame->master = master;
	frame->error = 0;
	frame->busy = true;
	atomic_set(&frame->left, frame->count);
	virtgpu_sgt_cmds_submit(frame->cmds, frame->count);
}

/**
 * virtgpu_sgt_frame_wait() - wait until the host has executed a frame
 * @frame: the frame, submitted
 *
 * Context: Process context, the fence-signalling path. The caller holds
 * &virtgpu_sgt_output.lock.
 * Return: the first error of its commands, see virtgpu_sgt_cmd_wait()
 */
int virtgpu_sgt_frame_wait(struct virtgpu_sgt_frame *frame)
{
	unsigned int i;
	int ret = 0;

	/* The last one first: its answer comes after the others. */
	for (i = frame->count; i--;)
		ret = virtgpu_sgt_cmd_wait(frame->cmds[i]) ?: ret;
	return ret;
}
