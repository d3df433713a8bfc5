/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_QUEUE_H__
#define __VIRTGPU_SGT_QUEUE_H__

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "virtgpu_sgt_wire.h"

struct virtgpu_sgt_cmd;
struct virtgpu_sgt_device;
struct virtqueue;

/**
 * enum virtgpu_sgt_queue_state - state of a queue
 */
enum virtgpu_sgt_queue_state {
	/** @VIRTGPU_SGT_QUEUE_LIVE: commands go to the host */
	VIRTGPU_SGT_QUEUE_LIVE,
	/**
	 * @VIRTGPU_SGT_QUEUE_LOSING: the host did not answer, and the device is
	 * being reset. Nothing new goes to the host and no call waits, but the
	 * host may still execute commands: they are kept
	 */
	VIRTGPU_SGT_QUEUE_LOSING,
	/**
	 * @VIRTGPU_SGT_QUEUE_LOST: the device is reset, and still bound.
	 * Commands fail with -EIO when they are submitted
	 */
	VIRTGPU_SGT_QUEUE_LOST,
	/**
	 * @VIRTGPU_SGT_QUEUE_STOPPING: the removal has begun. Like
	 * @VIRTGPU_SGT_QUEUE_LOSING
	 */
	VIRTGPU_SGT_QUEUE_STOPPING,
	/**
	 * @VIRTGPU_SGT_QUEUE_GONE: there is no virtqueue, or the device is reset
	 * for good. Commands fail with -ENODEV when they are submitted
	 */
	VIRTGPU_SGT_QUEUE_GONE,
};

/**
 * struct virtgpu_sgt_queue - a virtqueue and its commands
 */
struct virtgpu_sgt_queue {
	/** @vgdev: the device; set once */
	struct virtgpu_sgt_device *vgdev;

	/**
	 * @vq: the virtqueue, NULL once @state is GONE. Adding and taking buffers
	 * is protected by @lock
	 */
	struct virtqueue *vq;

	/** @size: descriptors that @vq has; set once */
	unsigned int size;

	/** @lock: protects the ring, and all fields that follow but @work */
	spinlock_t lock;

	/** @state: protected by @lock; also read without it */
	enum virtgpu_sgt_queue_state state;

	/** @wires: memory for requests and responses; protected by @lock */
	struct virtgpu_sgt_wires wires;

	/** @pending: in order, commands that wait for room; protected by @lock */
	struct list_head pending;

	/** @inflight: commands in the ring; protected by @lock */
	struct list_head inflight;

	/** @seq: number of the last command submitted; protected by @lock */
	u64 seq;

	/**
	 * @watched: number of the oldest command at the last check of the
	 * watchdog; protected by @lock
	 */
	u64 watched;

	/** @silent: checks since the first that saw it; protected by @lock */
	unsigned int silent;

	/**
	 * @work: takes finished commands from the ring, and adds those of
	 * @pending
	 */
	struct delayed_work work;
};

/**
 * virtgpu_sgt_queue_error() - the error of commands that do not reach the host
 * @q: the queue
 *
 * Return: 0 if commands reach it; -EIO if the host was silent for too long;
 * -ENODEV from the first step of the removal on
 */
static inline int virtgpu_sgt_queue_error(const struct virtgpu_sgt_queue *q)
{
	switch (READ_ONCE(q->state)) {
	case VIRTGPU_SGT_QUEUE_LIVE:
		return 0;
	case VIRTGPU_SGT_QUEUE_LOSING:
	case VIRTGPU_SGT_QUEUE_LOST:
		return -EIO;
	default:
		return -ENODEV;
	}
}

extern struct workqueue_struct *virtgpu_sgt_wq;

void virtgpu_sgt_queue_init(struct virtgpu_sgt_device *vgdev,
			    struct virtgpu_sgt_queue *q);
int __must_check virtgpu_sgt_queue_start(struct virtgpu_sgt_queue *q,
					 struct virtqueue *vq,
					 unsigned int min_size);
bool virtgpu_sgt_queue_is_gone(struct virtgpu_sgt_queue *q);
void virtgpu_sgt_queue_begin_lose(struct virtgpu_sgt_queue *q);
void virtgpu_sgt_queue_lose(struct virtgpu_sgt_queue *q);
void virtgpu_sgt_queue_stop(struct virtgpu_sgt_queue *q);
void virtgpu_sgt_queue_drain(struct virtgpu_sgt_queue *q);
void virtgpu_sgt_queue_ack(struct virtgpu_sgt_queue *q);
unsigned int virtgpu_sgt_queue_max_payload(const struct virtgpu_sgt_queue *q);
void virtgpu_sgt_queue_count(struct virtgpu_sgt_queue *q,
			     unsigned int *inflight, unsigned int *pending);

void virtgpu_sgt_cmds_submit(struct virtgpu_sgt_cmd * const *cmds, unsigned int count);
void virtgpu_sgt_cmd_submit(struct virtgpu_sgt_cmd *cmd);

#endif /* __VIRTGPU_SGT_QUEUE_H__ */
