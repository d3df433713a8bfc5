/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_OUTPUT_H__
#define __VIRTGPU_SGT_OUTPUT_H__

#include <linux/container_of.h>
#include <linux/hrtimer.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <drm/drm_connector.h>
#include <drm/drm_crtc.h>
#include <drm/drm_encoder.h>
#include <drm/drm_rect.h>

#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_frame.h"
#include "virtgpu_sgt_scanout.h"

struct virtgpu_sgt_attach;
struct virtgpu_sgt_device;
struct virtgpu_sgt_resource;

/**
 * struct virtgpu_sgt_update - a change of the picture of an output
 */
struct virtgpu_sgt_update {
	/** @res: the resource to show */
	struct virtgpu_sgt_resource *res;
	/** @attach: from virtgpu_sgt_resource_prepare(), or NULL */
	struct virtgpu_sgt_attach *attach;
	/** @damage: part of @res that has changed, or NULL */
	const struct drm_rect *damage;
	/** @src: part of @res to show */
	struct drm_rect src;
	/** @set_src: whether @res or @src are new */
	bool set_src;
};

/**
 * struct virtgpu_sgt_commit - what an output has to know about a commit
 */
struct virtgpu_sgt_commit {
	/** @wait: userspace has asked for an event or an out-fence */
	bool wait;
	/** @master: &virtgpu_sgt_crtc_state.master */
	u32 master;
};

/**
 * struct virtgpu_sgt_output - one scanout, from the plane to the display
 *
 * The commands are allocated with the output, so that a commit allocates nothing.
 * @lock serializes their use: DRM does the commits of a CRTC one after another, but
 * waits at most ten seconds for the one before, and the host may take longer.
 */
struct virtgpu_sgt_output {
	/** @crtc: the CRTC */
	struct drm_crtc crtc;
	/** @encoder: does nothing */
	struct drm_encoder encoder;
	/** @connector: the connector */
	struct drm_connector connector;
	/** @vblank_timer: expires at the next vertical blank */
	struct hrtimer vblank_timer;

	/** @vgdev: device; set once */
	struct virtgpu_sgt_device *vgdev;
	/** @index: number of the scanout; set once */
	unsigned int index;

	/** @display: protected by &virtgpu_sgt_device.output_lock */
	struct virtgpu_sgt_scanout display;

	/** @lock: protects the fields up to @error; held while waiting for the host */
	struct mutex lock;

	/** @frames: the changes of the picture, used in turn */
	struct virtgpu_sgt_frame frames[VIRTGPU_SGT_FRAMES];
	/** @next_frame: index of the frame to fill next: once all were used, the oldest one */
	unsigned int next_frame;
	/** @upload: TRANSFER_TO_HOST of a cursor */
	struct virtgpu_sgt_cmd *upload;
	/** @cursor: UPDATE_CURSOR */
	struct virtgpu_sgt_cmd *cursor;

	/**
	 * @stale: the host may not have the picture of the last commit. Also set without
	 * @lock
	 */
	bool stale;
	/** @shows_blob: the last SET_SCANOUT with a resource was that of a blob */
	bool shows_blob;
	/** @cursor_shown: the host may show a cursor */
	bool cursor_shown;
	/** @cursor_stale: the host may not have the cursor of the last commit */
	bool cursor_stale;
	/** @error: 0, or the first error of the commit in its hardware phase */
	int error;

	/**
	 * @cursor_lock: protects @moved and @position, and orders the commands of the
	 * cursor; not held while waiting for the host
	 */
	struct mutex cursor_lock;
	/** @move: MOVE_CURSOR; not waited for, as its end sends the next one */
	struct virtgpu_sgt_cmd *move;
	/** @moved: @position is not sent yet */
	bool moved;
	/** @position: the newest position of the cursor */
	struct virtgpu_sgt_cursor position;

	/** @told_lock: protects @untold and @untold_master */
	spinlock_t told_lock;

	/**
	 * @untold: 0, or the first negative errno of a commit that was not
	 * returned to its master yet
	 */
	int untold;

	/** @untold_master: &virtgpu_sgt_crtc_state.master of that commit */
	u32 untold_master;
};

/**
 * to_virtgpu_sgt_output() - the output of a CRTC
 * @crtc: a CRTC of this driver
 *
 * Return: the &struct virtgpu_sgt_output
 */
static inline struct virtgpu_sgt_output *
to_virtgpu_sgt_output(struct drm_crtc *crtc)
{
	return container_of(crtc, struct virtgpu_sgt_output, crtc);
}

int __must_check virtgpu_sgt_output_init(struct virtgpu_sgt_output *output);
void virtgpu_sgt_output_show(struct virtgpu_sgt_output *output,
			     const struct virtgpu_sgt_commit *commit,
			     const struct virtgpu_sgt_update *update);
void virtgpu_sgt_output_blank(struct virtgpu_sgt_output *output,
			      const struct virtgpu_sgt_commit *commit);
void virtgpu_sgt_output_cursor_set(struct virtgpu_sgt_output *output,
				   const struct virtgpu_sgt_commit *commit,
				   const struct virtgpu_sgt_cursor *cursor,
				   struct virtgpu_sgt_resource *image,
				   struct virtgpu_sgt_attach *attach, bool upload);
bool virtgpu_sgt_output_cursor_can_move(const struct virtgpu_sgt_output *output);
void virtgpu_sgt_output_cursor_move(struct virtgpu_sgt_output *output,
				    const struct virtgpu_sgt_cursor *cursor);
void virtgpu_sgt_output_cursor_hide(struct virtgpu_sgt_output *output);
void virtgpu_sgt_output_drain(struct virtgpu_sgt_output *output);
int virtgpu_sgt_output_error(struct virtgpu_sgt_output *output);
void virtgpu_sgt_output_report(struct virtgpu_sgt_output *output, u32 master, int error);
void virtgpu_sgt_output_frame_failed(struct virtgpu_sgt_output *output, u32 master,
				     int error);
int virtgpu_sgt_output_tell_error(struct virtgpu_sgt_output *output, u32 master);

#endif /* __VIRTGPU_SGT_OUTPUT_H__ */
