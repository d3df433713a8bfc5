/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_FRAME_H__
#define __VIRTGPU_SGT_FRAME_H__

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/types.h>

struct virtgpu_sgt_cmd;
struct virtgpu_sgt_output;

/* How many frames of an output the host may have */
#define VIRTGPU_SGT_FRAMES	16

/**
 * struct virtgpu_sgt_frame - the commands of one change of the picture
 *
 * Allocated with the output. &virtgpu_sgt_output.lock protects all fields while the
 * frame is idle. While it is busy, they do not change, except for @left and @error.
 */
struct virtgpu_sgt_frame {
	/** @output: the output; set once */
	struct virtgpu_sgt_output *output;

	/** @transfer: TRANSFER_TO_HOST; set once */
	struct virtgpu_sgt_cmd *transfer;
	/** @blank: SET_SCANOUT without a resource, before @scanout; set once */
	struct virtgpu_sgt_cmd *blank;
	/** @scanout: SET_SCANOUT; set once */
	struct virtgpu_sgt_cmd *scanout;
	/** @flush: FLUSH; set once */
	struct virtgpu_sgt_cmd *flush;

	/** @cmds: those of the four that are part of the frame, in order */
	struct virtgpu_sgt_cmd *cmds[4];
	/** @count: length of @cmds */
	unsigned int count;

	/** @waited: the commit waits for the frame, and takes its error */
	bool waited;

	/** @master: &virtgpu_sgt_crtc_state.master of the commit */
	u32 master;

	/** @left: number of @cmds that the queue has */
	atomic_t left;

	/** @error: 0, or the negative errno of the first command that failed */
	int error;

	/** @busy: false when the frame can be used again */
	bool busy;
};

int __must_check virtgpu_sgt_frame_init(struct virtgpu_sgt_frame *frame,
					struct virtgpu_sgt_output *output);
void virtgpu_sgt_frame_fini(struct virtgpu_sgt_frame *frame);
int __must_check virtgpu_sgt_frame_reclaim(struct virtgpu_sgt_frame *frame, bool killable);
void virtgpu_sgt_frame_add(struct virtgpu_sgt_frame *frame, struct virtgpu_sgt_cmd *cmd);
void virtgpu_sgt_frame_submit(struct virtgpu_sgt_frame *frame, bool wait, u32 master);
int __must_check virtgpu_sgt_frame_wait(struct virtgpu_sgt_frame *frame);

#endif /* __VIRTGPU_SGT_FRAME_H__ */
