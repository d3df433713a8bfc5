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

void virtgpu_sgt_cmd_submit(struct virtgpu_sgt_cmd *cmd);

#endif /* __VIRTGPU_SGT_QUEUE_H__ */
