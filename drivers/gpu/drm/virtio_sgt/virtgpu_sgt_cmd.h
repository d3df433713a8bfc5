/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_CMD_H__
#define __VIRTGPU_SGT_CMD_H__

#include <linux/compiler.h>
#include <linux/completion.h>
#include <linux/errno.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/virtio_gpu.h>

struct drm_rect;
struct virtgpu_sgt_mem_entries;
struct virtgpu_sgt_queue;
struct virtgpu_sgt_resource;

/**
 * union virtgpu_sgt_request - the requests that this driver sends
 */
union virtgpu_sgt_request {
	/** @hdr: header of all requests; all of GET_DISPLAY_INFO */
	struct virtio_gpu_ctrl_hdr hdr;
	/** @get_edid: GET_EDID */
	struct virtio_gpu_cmd_get_edid get_edid;
	/** @create_2d: RESOURCE_CREATE_2D */
	struct virtio_gpu_resource_create_2d create_2d;
	/** @create_blob: RESOURCE_CREATE_BLOB; the entries are a payload */
	struct virtio_gpu_resource_create_blob create_blob;
	/** @unref: RESOURCE_UNREF */
	struct virtio_gpu_resource_unref unref;
	/** @attach: RESOURCE_ATTACH_BACKING; the entries are a payload */
	struct virtio_gpu_resource_attach_backing attach;
	/** @detach: RESOURCE_DETACH_BACKING */
	struct virtio_gpu_resource_detach_backing detach;
	/** @transfer: TRANSFER_TO_HOST_2D */
	struct virtio_gpu_transfer_to_host_2d transfer;
	/** @scanout: SET_SCANOUT */
	struct virtio_gpu_set_scanout scanout;
	/** @scanout_blob: SET_SCANOUT_BLOB */
	struct virtio_gpu_set_scanout_blob scanout_blob;
	/** @flush: RESOURCE_FLUSH */
	struct virtio_gpu_resource_flush flush;
	/** @cursor: UPDATE_CURSOR and MOVE_CURSOR */
	struct virtio_gpu_update_cursor cursor;
};

/**
 * struct virtgpu_sgt_cmd - one command and its response
 *
 * Allocated by virtgpu_sgt_cmd_alloc(), filled by one of virtgpu_sgt_prep_*(). See
 * "command lifecycle".
 */
struct virtgpu_sgt_cmd {
	/** @ref: one of the owner, and one of the queue while it has the command */
	struct kref ref;

	/** @queue: the queue that it is submitted to; set once */
	struct virtgpu_sgt_queue *queue;

	/** @node: in a list of @queue, protected by its lock */
	struct list_head node;

	/**
	 * @wake: wakes the waiter. If @status is still -EINPROGRESS then, the
	 * device is being removed or is lost
	 */
	struct completion wake;

	/**
	 * @status: 0 or a negative errno; -EINPROGRESS while the queue has the
	 * command, which must not be changed then. Written before @wake
	 */
	int status;

	/**
	 * @refused: the host has reported that it did not execute the command,
	 * or the command could not be sent. Written before @status
	 */
	bool refused;

	/**
	 * @done: optional, called once with @status when the queue no longer
	 * uses the command, in process context. May free memory that the host
	 * has used for it, and drop the reference of the owner. Must not submit
	 * a command after an error
	 */
	void (*done)(struct virtgpu_sgt_cmd *cmd, int status);

	/** @priv: for @done */
	void *priv;

	/** @seq: number in @queue, and id of its fence; protected by its lock */
	u64 seq;

	/** @slot: its slot of the wires of @queue, while in the ring */
	unsigned int slot;

	/** @ok: type of the response that means success */
	u32 ok;

	/** @resource: id of its resource, for messages; or 0 */
	u32 resource;

	/** @entries: payload after the request, or NULL; owned */
	struct virtgpu_sgt_mem_entries *entries;

	/** @req_size: bytes of @req that are sent */
	unsigned int req_size;

	/** @resp_size: bytes of @resp; 0 if there is no response */
	unsigned int resp_size;

	/**
	 * @resp_len: bytes of @resp that the host has written, at most
	 * @resp_size; the rest is zero
	 */
	unsigned int resp_len;

	/** @req: the request; the host reads a copy */
	union virtgpu_sgt_request req;

	/**
	 * @resp: copy of the response, which begins with a struct
	 * virtio_gpu_ctrl_hdr
	 */
	u8 resp[];
};

/**
 * virtgpu_sgt_cmd_is_idle() - may a command be filled?
 * @cmd: the command
 *
 * Return: false while a queue has it
 */
static inline bool virtgpu_sgt_cmd_is_idle(const struct virtgpu_sgt_cmd *cmd)
{
	/* Pairs with the release in virtgpu_sgt_cmd_finish(). */
	return smp_load_acquire(&cmd->status) != -EINPROGRESS;
}

/**
 * virtgpu_sgt_cmd_settle() - let the queue wake those that wait for an idle command
 * @cmd: the command, idle
 *
 * It is idle before they are woken. If it was submitted again before that, they would be
 * those that wait for its next answer. A wait for the command does this as well.
 *
 * Context: Process context. Waits for the end of virtgpu_sgt_cmd_finish().
 */
static inline void virtgpu_sgt_cmd_settle(struct virtgpu_sgt_cmd *cmd)
{
	wait_for_completion(&cmd->wake);
}

/**
 * virtgpu_sgt_cmd_has_failed() - did the host certainly not execute a command?
 * @cmd: the command, submitted
 *
 * Return: true if the host has refused the command, or the command was not sent. While
 * a queue has the command, the host may still execute it. After a response that is
 * not an error code, it may have executed it
 */
static inline bool virtgpu_sgt_cmd_has_failed(const struct virtgpu_sgt_cmd *cmd)
{
	return virtgpu_sgt_cmd_is_idle(cmd) && cmd->refused;
}

/* Descriptors of a command of the control queue, beside the payload */
#define VIRTGPU_SGT_CMD_DESCS	2

/**
 * struct virtgpu_sgt_cursor - cursor of a scanout
 */
struct virtgpu_sgt_cursor {
	/** @resource: the image, or 0 for no cursor */
	u32 resource;
	/** @x: left edge of the image on the scanout */
	s32 x;
	/** @y: upper edge of the image on the scanout */
	s32 y;
	/** @hot_x: hotspot, from the left edge */
	s32 hot_x;
	/** @hot_y: hotspot, from the upper edge */
	s32 hot_y;
};

struct virtgpu_sgt_cmd * __must_check
virtgpu_sgt_cmd_alloc(struct virtgpu_sgt_queue *q, unsigned int resp_size);
void virtgpu_sgt_cmd_get(struct virtgpu_sgt_cmd *cmd);
void virtgpu_sgt_cmd_put(struct virtgpu_sgt_cmd *cmd);
const char *virtgpu_sgt_cmd_name(const struct virtgpu_sgt_cmd *cmd);
int virtgpu_sgt_cmd_wait(struct virtgpu_sgt_cmd *cmd);
int virtgpu_sgt_cmd_wait_either(struct virtgpu_sgt_cmd *cmd, bool killable);
int virtgpu_sgt_cmd_wait_killable(struct virtgpu_sgt_cmd *cmd);
int virtgpu_sgt_cmd_wait_timeout(struct virtgpu_sgt_cmd *cmd,
				 unsigned int seconds);

void virtgpu_sgt_prep_get_display_info(struct virtgpu_sgt_cmd *cmd);
void virtgpu_sgt_prep_get_edid(struct virtgpu_sgt_cmd *cmd, u32 scanout);
void virtgpu_sgt_prep_create_2d(struct virtgpu_sgt_cmd *cmd,
				const struct virtgpu_sgt_resource *res);
void virtgpu_sgt_prep_create_blob(struct virtgpu_sgt_cmd *cmd,
				  const struct virtgpu_sgt_resource *res,
				  struct virtgpu_sgt_mem_entries *entries);
void virtgpu_sgt_prep_attach(struct virtgpu_sgt_cmd *cmd,
			     const struct virtgpu_sgt_resource *res,
			     struct virtgpu_sgt_mem_entries *entries);
void virtgpu_sgt_prep_detach(struct virtgpu_sgt_cmd *cmd,
			     const struct virtgpu_sgt_resource *res);
void virtgpu_sgt_prep_unref(struct virtgpu_sgt_cmd *cmd,
			    const struct virtgpu_sgt_resource *res);
void virtgpu_sgt_prep_transfer(struct virtgpu_sgt_cmd *cmd,
			       const struct virtgpu_sgt_resource *res,
			       const struct drm_rect *rect, u64 offset);
void virtgpu_sgt_prep_set_scanout(struct virtgpu_sgt_cmd *cmd, u32 scanout,
				  const struct virtgpu_sgt_resource *res,
				  const struct drm_rect *rect);
void virtgpu_sgt_prep_flush(struct virtgpu_sgt_cmd *cmd,
			    const struct virtgpu_sgt_resource *res,
			    const struct drm_rect *rect);
void virtgpu_sgt_prep_cursor(struct virtgpu_sgt_cmd *cmd, u32 scanout,
			     const struct virtgpu_sgt_cursor *cursor,
			     bool update);

#endif /* __VIRTGPU_SGT_CMD_H__ */
