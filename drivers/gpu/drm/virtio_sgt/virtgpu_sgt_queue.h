/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_QUEUE_H__
#define __VIRTGPU_SGT_QUEUE_H__

#include <linux/compiler.h>
#include <linux/completion.h>
#include <linux/errno.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/virtio_gpu.h>
#include <linux/workqueue.h>

#include "virtgpu_sgt_wire.h"

struct virtgpu_sgt_cmd;
struct virtgpu_sgt_device;
struct virtgpu_sgt_mem_entries;
struct virtqueue;

/**
 * enum virtgpu_sgt_queue_state - how far the end of a queue has come
 */
enum virtgpu_sgt_queue_state {
	/** @VIRTGPU_SGT_QUEUE_LIVE: the first state: commands go to the host */
	VIRTGPU_SGT_QUEUE_LIVE,
	/**
	 * @VIRTGPU_SGT_QUEUE_LOSING: the host did not answer, and the device is
	 * being reset. Nothing new goes to the host and no call waits, but the
	 * host may still be at work: commands are kept
	 */
	VIRTGPU_SGT_QUEUE_LOSING,
	/**
	 * @VIRTGPU_SGT_QUEUE_LOST: the device is reset, and still bound. A
	 * command ends with -EIO where it is submitted
	 */
	VIRTGPU_SGT_QUEUE_LOST,
	/**
	 * @VIRTGPU_SGT_QUEUE_STOPPING: from the first step of the removal. As
	 * @VIRTGPU_SGT_QUEUE_LOSING
	 */
	VIRTGPU_SGT_QUEUE_STOPPING,
	/**
	 * @VIRTGPU_SGT_QUEUE_GONE: the device is reset. A command ends with
	 * -ENODEV where it is submitted
	 */
	VIRTGPU_SGT_QUEUE_GONE,
};

/**
 * struct virtgpu_sgt_queue - a virtqueue, and the commands that are in it
 */
struct virtgpu_sgt_queue {
	/** @vgdev: device that the queue belongs to; set once */
	struct virtgpu_sgt_device *vgdev;

	/**
	 * @vq: the virtqueue. Adding and taking buffers is under @lock; NULL
	 * once @state is GONE
	 */
	struct virtqueue *vq;

	/** @size: descriptors that @vq has; set once */
	unsigned int size;

	/** @lock: protects all that follows but @work, and the ring */
	spinlock_t lock;

	/** @state: see &enum virtgpu_sgt_queue_state; protected by @lock */
	enum virtgpu_sgt_queue_state state;

	/** @wires: memory through which commands go; protected by @lock */
	struct virtgpu_sgt_wires wires;

	/** @pending: in order, what has no room in the ring; under @lock */
	struct list_head pending;

	/** @inflight: what the host has been given; protected by @lock */
	struct list_head inflight;

	/** @seq: number of the last command that was submitted; under @lock */
	u64 seq;

	/**
	 * @watched: number of the oldest command at the last look of the
	 * watchdog; protected by @lock
	 */
	u64 watched;

	/** @silent: looks since that was first seen; protected by @lock */
	unsigned int silent;

	/**
	 * @work: takes finished commands from the ring and fills it from
	 * @pending
	 */
	struct delayed_work work;
};

/**
 * union virtgpu_sgt_request - every request that this driver sends
 */
union virtgpu_sgt_request {
	/** @hdr: what all begin with; all there is of GET_DISPLAY_INFO */
	struct virtio_gpu_ctrl_hdr hdr;
	/** @get_edid: GET_EDID */
	struct virtio_gpu_cmd_get_edid get_edid;
	/** @create_2d: RESOURCE_CREATE_2D */
	struct virtio_gpu_resource_create_2d create_2d;
	/** @unref: RESOURCE_UNREF */
	struct virtio_gpu_resource_unref unref;
	/** @attach: RESOURCE_ATTACH_BACKING, the entries follow on their own */
	struct virtio_gpu_resource_attach_backing attach;
	/** @detach: RESOURCE_DETACH_BACKING */
	struct virtio_gpu_resource_detach_backing detach;
	/** @transfer: TRANSFER_TO_HOST_2D */
	struct virtio_gpu_transfer_to_host_2d transfer;
	/** @scanout: SET_SCANOUT */
	struct virtio_gpu_set_scanout scanout;
	/** @flush: RESOURCE_FLUSH */
	struct virtio_gpu_resource_flush flush;
	/** @cursor: UPDATE_CURSOR and MOVE_CURSOR */
	struct virtio_gpu_update_cursor cursor;
};

/**
 * struct virtgpu_sgt_cmd - one command and its response
 *
 * Made by virtgpu_sgt_cmd_alloc(), filled by one of virtgpu_sgt_prep_*(). See
 * "command lifecycle".
 */
struct virtgpu_sgt_cmd {
	/** @ref: the owner has one, and the queue while it has the command */
	struct kref ref;

	/** @queue: where the command goes; set once */
	struct virtgpu_sgt_queue *queue;

	/** @node: in a list of @queue, under the lock of that */
	struct list_head node;

	/**
	 * @wake: tells a waiter to look at @status, which is still
	 * -EINPROGRESS when the device is going away
	 */
	struct completion wake;

	/**
	 * @status: 0 or a negative errno; -EINPROGRESS while the queue has
	 * the command, which must not be changed then. Written by the queue
	 * before @wake
	 */
	int status;

	/**
	 * @refused: the host has said that it has not done it, or the command
	 * could not be sent. Written by the queue before @status
	 */
	bool refused;

	/**
	 * @done: optional, called once with @status when the queue has no more
	 * use for the command, in process context. May free what the command
	 * was about, and drop the reference of the owner; must not submit
	 */
	void (*done)(struct virtgpu_sgt_cmd *cmd, int status);

	/** @priv: for @done */
	void *priv;

	/** @seq: number in @queue, and id of its fence; under the lock of that */
	u64 seq;

	/** @slot: which slot of the wires of @queue it has, while in the ring */
	unsigned int slot;

	/** @ok: type of the response that means success */
	u32 ok;

	/** @resource: which resource it is about, for messages; or 0 */
	u32 resource;

	/** @entries: what follows the request, or NULL; owned */
	struct virtgpu_sgt_mem_entries *entries;

	/** @req_size: bytes of @req that count */
	unsigned int req_size;

	/** @resp_size: bytes of @resp; 0 when the host sends none */
	unsigned int resp_size;

	/**
	 * @resp_len: bytes of @resp that the host has written, at most
	 * @resp_size; the others are zero
	 */
	unsigned int resp_len;

	/** @req: the request; what the host reads is a copy */
	union virtgpu_sgt_request req;

	/**
	 * @resp: a copy of the response, which begins with a struct
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
	return READ_ONCE(cmd->status) != -EINPROGRESS;
}

/**
 * virtgpu_sgt_cmd_has_failed() - is it sure that the host has not done it?
 * @cmd: the command, submitted
 *
 * Return: true if the host has refused the command, or it never got that far. As
 * long as a queue has the command, the host may still do it; and an answer that
 * is none says nothing
 */
static inline bool virtgpu_sgt_cmd_has_failed(const struct virtgpu_sgt_cmd *cmd)
{
	return virtgpu_sgt_cmd_is_idle(cmd) && cmd->refused;
}

/* Descriptors of a command of the control queue, beside the payload */
#define VIRTGPU_SGT_CMD_DESCS	2

/* virtgpu_sgt_queue.c */
void virtgpu_sgt_queue_init(struct virtgpu_sgt_device *vgdev,
			    struct virtgpu_sgt_queue *q);
int __must_check virtgpu_sgt_queue_start(struct virtgpu_sgt_queue *q,
					 struct virtqueue *vq,
					 unsigned int min_size);
int virtgpu_sgt_queue_error(struct virtgpu_sgt_queue *q);
bool virtgpu_sgt_queue_is_gone(struct virtgpu_sgt_queue *q);
void virtgpu_sgt_queue_begin_lose(struct virtgpu_sgt_queue *q);
void virtgpu_sgt_queue_lose(struct virtgpu_sgt_queue *q);
void virtgpu_sgt_queue_stop(struct virtgpu_sgt_queue *q);
void virtgpu_sgt_queue_drain(struct virtgpu_sgt_queue *q);
void virtgpu_sgt_queue_ack(struct virtgpu_sgt_queue *q);
unsigned int virtgpu_sgt_queue_max_payload(const struct virtgpu_sgt_queue *q);
void virtgpu_sgt_queue_count(struct virtgpu_sgt_queue *q,
			     unsigned int *inflight, unsigned int *pending);

void virtgpu_sgt_cmd_submit(struct virtgpu_sgt_cmd *cmd);

/* virtgpu_sgt_cmd.c */
int virtgpu_sgt_cmd_wait(struct virtgpu_sgt_cmd *cmd);
int virtgpu_sgt_cmd_wait_killable(struct virtgpu_sgt_cmd *cmd);
int virtgpu_sgt_cmd_wait_timeout(struct virtgpu_sgt_cmd *cmd,
				 unsigned int seconds);

#endif /* __VIRTGPU_SGT_QUEUE_H__ */
