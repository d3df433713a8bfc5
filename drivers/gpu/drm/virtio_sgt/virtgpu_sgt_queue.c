// SPDX-License-Identifier: GPL-2.0

#include <linux/list.h>
#include <linux/preempt.h>
#include <linux/scatterlist.h>
#include <linux/virtio.h>

#include <drm/drm_print.h>

#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_fault.h"
#include "virtgpu_sgt_mem_entries.h"
#include "virtgpu_sgt_queue.h"
#include "virtgpu_sgt_watchdog.h"

/**
 * DOC: command lifecycle
 *
 * A command is a reference-counted object with a request, a response and a status.
 * The owner fills and submits it. From then on it belongs to its queue until it is
 * done. The owner may wait for that, or drop its reference.
 *
 * ::
 *
 *            submit            room in the ring          response
 *   (idle) ----------> PENDING ----------------> INFLIGHT ----------> (idle)
 *                         |                         |                 status,
 *                         |                         |                 done()
 *                         +--- list of memory: -----|---------------->  ^
 *                         |    no mapping, -ENOMEM  |                   |
 *                         +-------------------------+--- reset: ------->+
 *                                                        -ENODEV, -EIO
 *
 * A queue sends commands in the order in which they were submitted. A full ring
 * does not block the caller: the command stays pending, and the work item that
 * takes responses from the ring adds it later. The host is notified without a lock, as
 * the hypervisor stops the CPU that does it, and other CPUs can add commands meanwhile.
 * Only a call that needs the status waits. Such a wait ends
 *
 * - with the response,
 * - with -EIO, when the host is silent for too long: see "a silent host",
 * - with -ENODEV, at once, when the driver is being unbound,
 * - with -ENODEV, within a second, when the virtio core has broken the queues. It
 *   does so at reboot, when the device is removed and when the host returns a
 *   buffer that it does not have, without notifying the driver,
 * - when the task is killed, in an ioctl,
 * - after a few seconds, when the driver asks for the displays.
 *
 * In all but the first case the command still belongs to the queue. So the command
 * owns all memory that the host may read or write for it, and it is safe to stop
 * waiting. As the order is kept, an UNREF that follows an abandoned CREATE undoes
 * it.
 *
 * All commands of the control queue ask for a fence (VIRTIO 1.2, 5.7.6.5): a
 * response means that the host has executed the request, not only read it. The
 * cursor queue has no responses: a command is done when the host returns its
 * buffer.
 */

/*
 * Completes the commands of all devices. Commits and ioctls wait for that, so it
 * has a rescuer.
 */
struct workqueue_struct *virtgpu_sgt_wq;

/* How often the work item runs while virtgpu_sgt_fault_hold(). */
#define VIRTGPU_SGT_HELD	(HZ / 10)

/* When a command is tried again that could not be mapped. */
#define VIRTGPU_SGT_UNMAPPED	(HZ / 10)

static void virtgpu_sgt_queue_work(struct work_struct *work);

/**
 * virtgpu_sgt_queue_init() - initialise a queue that has no virtqueue yet
 * @vgdev: device
 * @q: the queue; it is GONE until virtgpu_sgt_queue_start()
 */
void virtgpu_sgt_queue_init(struct virtgpu_sgt_device *vgdev,
			    struct virtgpu_sgt_queue *q)
{
	q->vgdev = vgdev;
	q->state = VIRTGPU_SGT_QUEUE_GONE;
	spin_lock_init(&q->lock);
	INIT_LIST_HEAD(&q->pending);
	INIT_LIST_HEAD(&q->inflight);
	INIT_DELAYED_WORK(&q->work, virtgpu_sgt_queue_work);
}

/**
 * virtgpu_sgt_queue_start() - make a queue accept commands
 * @q: a queue from virtgpu_sgt_queue_init()
 * @vq: its virtqueue, not used before
 * @min_size: least number of descriptors that @vq must have
 *
 * Context: Process context, may sleep.
 * Return:
 * * %0       - success
 * * %-EINVAL - @vq has less than @min_size descriptors
 * * %-ENOMEM - out of memory, or of bounce buffers
 */
int virtgpu_sgt_queue_start(struct virtgpu_sgt_queue *q, struct virtqueue *vq,
			    unsigned int min_size)
{
	unsigned int size = virtqueue_get_vring_size(vq);
	int ret;

	if (size < min_size) {
		drm_err(q->vgdev->drm, "%s queue of %u descriptors, %u needed\n",
			vq->name, size, min_size);
		return -EINVAL;
	}

	ret = virtgpu_sgt_wires_init(&q->wires, vq);
	if (ret)
		return ret;

	spin_lock(&q->lock);
	q->vq = vq;
	q->size = size;
	WRITE_ONCE(q->state, VIRTGPU_SGT_QUEUE_LIVE);
	spin_unlock(&q->lock);
	return 0;
}

/**
 * virtgpu_sgt_queue_max_payload() - the largest number of pieces of a payload
 * @q: the queue
 *
 * A chain of descriptors must not be longer than the queue. A payload within the
 * limit fits into an empty ring, so that no command stays pending for ever.
 *
 * Return: the number of pieces
 */
unsigned int virtgpu_sgt_queue_max_payload(const struct virtgpu_sgt_queue *q)
{
	return q->size - VIRTGPU_SGT_CMD_DESCS;
}

static bool virtgpu_sgt_queue_has_room_locked(struct virtgpu_sgt_queue *q,
					      const struct virtgpu_sgt_cmd *cmd)
{
	unsigned int descs = 1 + !!cmd->resp_size;

	lockdep_assert_held(&q->lock);

	if (cmd->entries)
		descs += cmd->entries->chunks;
	return q->vq->num_free >= descs &&
	       virtgpu_sgt_wires_have_room(&q->wires, cmd);
}

/* The command has left the ring: free its slot there, and unmap its payload. */
static void virtgpu_sgt_queue_take_back_locked(struct virtgpu_sgt_queue *q,
					       struct virtgpu_sgt_cmd *cmd,
					       unsigned int len)
{
	lockdep_assert_held(&q->lock);

	virtgpu_sgt_wires_receive(&q->wires, cmd, len);
	if (cmd->entries && q->wires.premapped)
		virtgpu_sgt_mem_entries_unmap(cmd->entries, q->vq);
}

/* Add a command to the ring. -ENOSPC: no room now. */
static int virtgpu_sgt_queue_add_locked(struct virtgpu_sgt_queue *q,
					struct virtgpu_sgt_cmd *cmd)
{
	struct scatterlist req, resp, *sgs[3];
	unsigned int out = 0, in = 0;
	int ret;

	lockdep_assert_held(&q->lock);

	if (!virtgpu_sgt_queue_has_room_locked(q, cmd))
		return -ENOSPC;

	if (cmd->entries && q->wires.premapped) {
		ret = virtgpu_sgt_mem_entries_map(cmd->entries, q->vq);
		if (ret)
			return ret;
	}
	if (cmd->resp_size) {
		cmd->req.hdr.flags = cpu_to_le32(VIRTIO_GPU_FLAG_FENCE);
		cmd->req.hdr.fence_id = cpu_to_le64(cmd->seq);
	}
	virtgpu_sgt_wires_send(&q->wires, cmd, &req, &resp);

	sgs[out++] = &req;
	if (cmd->entries)
		sgs[out++] = cmd->entries->sgl;
	if (cmd->resp_size)
		sgs[out + in++] = &resp;
	ret = virtqueue_add_sgs(q->vq, sgs, out, in, cmd, GFP_ATOMIC);
	if (ret)
		virtgpu_sgt_queue_take_back_locked(q, cmd, 0);
	return ret;
}

/*
 * Move pending commands to the ring. Commands that cannot be sent go to @failed. Returns
 * the virtqueue if the host has to be notified: see virtgpu_sgt_queue_unlock().
 */
static struct virtqueue *virtgpu_sgt_queue_push_locked(struct virtgpu_sgt_queue *q,
						       struct list_head *failed)
{
	struct virtgpu_sgt_cmd *cmd, *next;
	bool added = false;
	int ret;

	lockdep_assert_held(&q->lock);

	list_for_each_entry_safe(cmd, next, &q->pending, node) {
		ret = virtgpu_sgt_queue_add_locked(q, cmd);
		if (!ret) {
			atomic_long_inc(&q->vgdev->stats.commands);
			list_move_tail(&cmd->node, &q->inflight);
			added = true;
			continue;
		}

		/* The next response makes room. */
		if (ret == -ENOSPC)
			break;

		/* A broken queue stays broken: wait for the reset. */
		if (virtqueue_is_broken(q->vq))
			break;

		/* The virtio core could not map the slot: see "memory of a queue". */
		if (ret == -ENOMEM && !cmd->entries) {
			queue_delayed_work(virtgpu_sgt_wq, &q->work,
					   VIRTGPU_SGT_UNMAPPED);
			break;
		}

		/* The list of memory could not be mapped. */
		cmd->refused = true;
		cmd->status = ret;
		list_move_tail(&cmd->node, failed);
	}

	return added && virtqueue_kick_prepare(q->vq) ? q->vq : NULL;
}

/*
 * Unlock the queue, and notify the host. A hypervisor stops this CPU meanwhile, but other
 * CPUs can add commands. Those need no notification of their own, so it must not wait
 * until this task is scheduled again. After the queue has stopped,
 * virtgpu_sgt_device_stop() waits for the end of the section, which RCU sees as one of its
 * readers.
 */
static void virtgpu_sgt_queue_unlock(struct virtgpu_sgt_queue *q, struct virtqueue *notify)
	__releases(&q->lock)
{
	preempt_disable();
	spin_unlock(&q->lock);
	if (notify) {
		atomic_long_inc(&q->vgdev->stats.notifies);
		virtqueue_notify(notify);
	}
	preempt_enable();
}

/* The status of a command. The response may be short or nonsense. */
static int virtgpu_sgt_cmd_outcome(struct virtgpu_sgt_cmd *cmd)
{
	struct virtgpu_sgt_device *vgdev = cmd->queue->vgdev;
	const struct virtio_gpu_ctrl_hdr *hdr = (const void *)cmd->resp;
	u32 type;

	if (!cmd->resp_size)
		return 0;

	type = cmd->resp_len < sizeof(*hdr) ? 0 : le32_to_cpu(hdr->type);
	if (type == cmd->ok)
		return 0;

	atomic_long_inc(&vgdev->stats.host_errors);
	drm_dbg_driver(vgdev->drm, "%s of resource %u: host says 0x%04x\n",
		       virtgpu_sgt_cmd_name(cmd), cmd->resource, type);

	/* Other responses do not say whether the host has executed the command. */
	cmd->refused = type >= VIRTIO_GPU_RESP_ERR_UNSPEC &&
		       type <= VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;

	switch (type) {
	case VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY:
		return -ENOMEM;
	case VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID:
	case VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID:
	case VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID:
	case VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER:
		return -EINVAL;
	default:
		return -EIO;
	}
}

/*
 * The queue no longer uses the command. Once the waiter is woken, it may fill the
 * command again: only drop the reference after that.
 */
static void virtgpu_sgt_cmd_finish(struct virtgpu_sgt_cmd *cmd, int status)
{
	/* The queue is done with @cmd; pairs with the acquire in virtgpu_sgt_cmd_is_idle(). */
	smp_store_release(&cmd->status, status);
	if (cmd->done)
		cmd->done(cmd, status);
	complete_all(&cmd->wake);
	virtgpu_sgt_cmd_put(cmd);
}

static void virtgpu_sgt_queue_finish_failed(struct list_head *failed)
{
	struct virtgpu_sgt_cmd *cmd, *next;

	list_for_each_entry_safe(cmd, next, failed, node) {
		list_del_init(&cmd->node);
		virtgpu_sgt_cmd_finish(cmd, cmd->status);
	}
}

/* Take the commands that the host has finished from the ring. */
static void virtgpu_sgt_queue_pull_locked(struct virtgpu_sgt_queue *q,
					  struct list_head *finished)
{
	struct virtgpu_sgt_cmd *cmd;
	unsigned int len;

	lockdep_assert_held(&q->lock);

	do {
		virtqueue_disable_cb(q->vq);
		while ((cmd = virtqueue_get_buf(q->vq, &len))) {
			len = virtgpu_sgt_fault_len(len);
			virtgpu_sgt_queue_take_back_locked(q, cmd, len);
			list_move_tail(&cmd->node, finished);
		}
	} while (!virtqueue_enable_cb(q->vq));
}

/* After a reset, the content of the ring is stale. */
static bool virtgpu_sgt_queue_has_ring_locked(struct virtgpu_sgt_queue *q)
{
	lockdep_assert_held(&q->lock);

	return q->vq && q->state != VIRTGPU_SGT_QUEUE_LOST;
}

static void virtgpu_sgt_queue_work(struct work_struct *work)
{
	struct virtgpu_sgt_queue *q = container_of(to_delayed_work(work),
						   struct virtgpu_sgt_queue,
						   work);
	struct virtqueue *notify = NULL;
	struct virtgpu_sgt_cmd *cmd, *next;
	LIST_HEAD(finished);
	LIST_HEAD(failed);

	if (virtgpu_sgt_fault_hold()) {
		queue_delayed_work(virtgpu_sgt_wq, &q->work, VIRTGPU_SGT_HELD);
		return;
	}

	spin_lock(&q->lock);
	if (virtgpu_sgt_queue_has_ring_locked(q))
		virtgpu_sgt_queue_pull_locked(q, &finished);
	if (q->state == VIRTGPU_SGT_QUEUE_LIVE)
		notify = virtgpu_sgt_queue_push_locked(q, &failed);
	virtgpu_sgt_queue_unlock(q, notify);

	list_for_each_entry_safe(cmd, next, &finished, node) {
		list_del_init(&cmd->node);
		virtgpu_sgt_cmd_finish(cmd, virtgpu_sgt_cmd_outcome(cmd));
	}
	virtgpu_sgt_queue_finish_failed(&failed);
}

/**
 * virtgpu_sgt_queue_ack() - the host has returned buffers
 * @q: the queue
 *
 * Context: Any, for use in the callback of a virtqueue.
 */
void virtgpu_sgt_queue_ack(struct virtgpu_sgt_queue *q)
{
	mod_delayed_work(virtgpu_sgt_wq, &q->work, 0);
}

/**
 * virtgpu_sgt_queue_is_gone() - has the host forgotten all commands?
 * @q: the queue
 *
 * Return: true from the end of virtgpu_sgt_queue_drain() on, and after
 * virtgpu_sgt_queue_lose() until the removal begins
 */
bool virtgpu_sgt_queue_is_gone(struct virtgpu_sgt_queue *q)
{
	enum virtgpu_sgt_queue_state state = READ_ONCE(q->state);

	return state == VIRTGPU_SGT_QUEUE_GONE ||
	       state == VIRTGPU_SGT_QUEUE_LOST;
}

static void virtgpu_sgt_queue_end_waits_locked(struct virtgpu_sgt_queue *q)
{
	struct virtgpu_sgt_cmd *cmd;

	lockdep_assert_held(&q->lock);

	list_for_each_entry(cmd, &q->inflight, node)
		complete_all(&cmd->wake);
	list_for_each_entry(cmd, &q->pending, node)
		complete_all(&cmd->wake);
}

/**
 * virtgpu_sgt_queue_begin_lose() - stop sending to a host that is silent
 * @q: a queue that is live
 *
 * Waits end with -EIO. Commands are kept until virtgpu_sgt_queue_lose().
 *
 * Context: Process context. No removal has begun, and none begins.
 */
void virtgpu_sgt_queue_begin_lose(struct virtgpu_sgt_queue *q)
{
	spin_lock(&q->lock);
	WRITE_ONCE(q->state, VIRTGPU_SGT_QUEUE_LOSING);
	virtgpu_sgt_queue_end_waits_locked(q);
	spin_unlock(&q->lock);
}

/**
 * virtgpu_sgt_queue_stop() - stop sending, and end all waits
 * @q: the queue
 *
 * Part of the removal, see "removal order". A wait that is woken finds the status
 * -EINPROGRESS, and fails with -ENODEV.
 */
void virtgpu_sgt_queue_stop(struct virtgpu_sgt_queue *q)
{
	spin_lock(&q->lock);
	if (q->state != VIRTGPU_SGT_QUEUE_GONE)
		WRITE_ONCE(q->state, VIRTGPU_SGT_QUEUE_STOPPING);
	virtgpu_sgt_queue_end_waits_locked(q);
	spin_unlock(&q->lock);
}

/* Complete all commands, and those that are submitted later, with @error. */
static void virtgpu_sgt_queue_end(struct virtgpu_sgt_queue *q,
				  enum virtgpu_sgt_queue_state state, int error)
{
	struct virtgpu_sgt_cmd *cmd, *next;
	LIST_HEAD(left);

	disable_delayed_work_sync(&q->work);

	spin_lock(&q->lock);
	/* @inflight has these commands. */
	while (q->vq && virtqueue_detach_unused_buf(q->vq))
		;
	list_for_each_entry(cmd, &q->inflight, node)
		virtgpu_sgt_queue_take_back_locked(q, cmd, 0);
	list_splice_tail_init(&q->inflight, &left);
	list_splice_tail_init(&q->pending, &left);
	WRITE_ONCE(q->state, state);
	if (state == VIRTGPU_SGT_QUEUE_GONE) {
		virtgpu_sgt_wires_fini(&q->wires);
		q->vq = NULL;
	}
	spin_unlock(&q->lock);

	list_for_each_entry_safe(cmd, next, &left, node) {
		list_del_init(&cmd->node);
		virtgpu_sgt_cmd_finish(cmd, error);
	}
}

/**
 * virtgpu_sgt_queue_lose() - complete all commands with -EIO
 * @q: a queue after virtgpu_sgt_queue_begin_lose(), of a device that is reset, and
 *	whose virtqueue has no callback running
 *
 * Frees the memory that commands have kept for the host.
 *
 * Context: Process context, may sleep.
 */
void virtgpu_sgt_queue_lose(struct virtgpu_sgt_queue *q)
{
	virtgpu_sgt_queue_end(q, VIRTGPU_SGT_QUEUE_LOST, -EIO);
}

/**
 * virtgpu_sgt_queue_drain() - complete all commands with -ENODEV
 * @q: a queue that is stopped, of a device that is reset, and whose virtqueue has
 *	no callback running
 *
 * Also frees the buffers whose UNREF the host did not answer, since it has
 * forgotten them with the reset. The virtqueue is not used afterwards.
 *
 * Context: Process context, may sleep.
 */
void virtgpu_sgt_queue_drain(struct virtgpu_sgt_queue *q)
{
	virtgpu_sgt_queue_end(q, VIRTGPU_SGT_QUEUE_GONE, -ENODEV);
}

/**
 * virtgpu_sgt_queue_count() - count the commands of a queue, for debugfs
 * @q: the queue
 * @inflight: set to the number of commands in the ring
 * @pending: set to the number of commands that wait for room
 */
void virtgpu_sgt_queue_count(struct virtgpu_sgt_queue *q,
			     unsigned int *inflight, unsigned int *pending)
{
	spin_lock(&q->lock);
	*inflight = list_count_nodes(&q->inflight);
	*pending = list_count_nodes(&q->pending);
	spin_unlock(&q->lock);
}

/* Returns the status of @cmd if the queue does not take it, and 0 if it does. */
static int virtgpu_sgt_queue_accept_locked(struct virtgpu_sgt_queue *q,
					   struct virtgpu_sgt_cmd *cmd)
{
	lockdep_assert_held(&q->lock);

	cmd->refused = false;
	cmd->seq = ++q->seq;
	switch (q->state) {
	case VIRTGPU_SGT_QUEUE_LOST:
	case VIRTGPU_SGT_QUEUE_GONE:
		return virtgpu_sgt_queue_error(q);
	default:
		list_add_tail(&cmd->node, &q->pending);
		return 0;
	}
}

/*
 * Send what is pending. Returns whether the host can answer. @notify: see
 * virtgpu_sgt_queue_push_locked().
 */
static bool virtgpu_sgt_queue_send_locked(struct virtgpu_sgt_queue *q,
					  struct list_head *failed, struct virtqueue **notify)
{
	lockdep_assert_held(&q->lock);

	if (q->state != VIRTGPU_SGT_QUEUE_LIVE)
		return false;

	*notify = virtgpu_sgt_queue_push_locked(q, failed);
	if (!list_empty(&q->pending))
		atomic_long_inc(&q->vgdev->stats.ring_full);
	virtgpu_sgt_watchdog_start(q->vgdev);
	return !virtqueue_is_broken(q->vq);
}

/**
 * virtgpu_sgt_cmds_submit() - pass commands to their queue
 * @cmds: the commands, filled, all of one queue
 * @count: their number, not 0
 *
 * As virtgpu_sgt_cmd_submit() for each of them, in order, but the host is notified once.
 *
 * Context: Process context. Not inside an access section.
 */
void virtgpu_sgt_cmds_submit(struct virtgpu_sgt_cmd * const *cmds, unsigned int count)
{
	struct virtgpu_sgt_queue *q = cmds[0]->queue;
	struct virtqueue *notify = NULL;
	LIST_HEAD(failed);
	int error = 0;
	unsigned int i;

	for (i = 0; i < count; i++) {
		WRITE_ONCE(cmds[i]->status, -EINPROGRESS);
		reinit_completion(&cmds[i]->wake);
		virtgpu_sgt_cmd_get(cmds[i]);
	}

	spin_lock(&q->lock);
	for (i = 0; i < count; i++)
		error = virtgpu_sgt_queue_accept_locked(q, cmds[i]);
	/* The host cannot answer: do not wait. */
	if (!error && !virtgpu_sgt_queue_send_locked(q, &failed, &notify))
		for (i = 0; i < count; i++)
			complete_all(&cmds[i]->wake);
	virtgpu_sgt_queue_unlock(q, notify);

	virtgpu_sgt_queue_finish_failed(&failed);
	for (i = 0; error && i < count; i++)
		virtgpu_sgt_cmd_finish(cmds[i], error);
}

/**
 * virtgpu_sgt_cmd_submit() - pass a command to its queue
 * @cmd: the command, filled
 *
 * Cannot fail: an error becomes the status of the command, for the waiter and for
 * &virtgpu_sgt_cmd.done. Does not wait for the host.
 *
 * Context: Process context. Not inside an access section.
 */
void virtgpu_sgt_cmd_submit(struct virtgpu_sgt_cmd *cmd)
{
	virtgpu_sgt_cmds_submit(&cmd, 1);
}
