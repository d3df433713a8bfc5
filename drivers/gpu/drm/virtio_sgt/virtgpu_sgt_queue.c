// SPDX-License-Identifier: GPL-2.0

#include <linux/list.h>
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
 * A command is one counted object that holds request, response and outcome.
 * It is filled, submitted, and then belongs to its queue until that is done
 * with it; the owner may wait, or drop its reference and never look again.
 *
 * ::
 *
 *            submit            room in the ring          response
 *   (idle) ----------> PENDING ----------------> INFLIGHT ----------> (idle)
 *                         |                         |                 status,
 *                         |                         |                 done()
 *                         +--- ATTACH_BACKING: -----|---------------->  ^
 *                         |    no mapping, -ENOMEM  |                   |
 *                         +-------------------------+--- reset: ------->+
 *                                                        -ENODEV, -EIO
 *
 * A queue sends its commands in the order in which they were submitted, and a
 * full ring blocks no caller: the command stays pending, and the work item that
 * takes responses from the ring puts it in. Only a call that needs the outcome
 * waits. Such a wait ends
 *
 * - with the response,
 * - with -EIO, when the host is silent for too long: see "a silent host",
 * - with -ENODEV, at once, when the driver is being unbound,
 * - with -ENODEV, within a second, when the virtio core has broken the queues:
 *   it does so at reboot, when the device is pulled and when the host returns a
 *   buffer that it does not have, and gives the driver no notice,
 * - when the waiter is killed, where an ioctl waits,
 * - after some seconds, where a probe asks for the displays.
 *
 * In all but the first case the command is still the queue's. That is why it
 * owns all that the host may read or write for it, and why giving up is safe:
 * as the order is kept, an UNREF that follows an abandoned CREATE undoes it.
 *
 * All commands of the control queue ask for a fence (VIRTIO 1.2, 5.7.6.5): a
 * response means that the host has finished, not only that it has read the
 * request. The queue of the cursor has no responses; there, a command is done
 * when the host gives its buffer back.
 */

/*
 * For the finished commands of all devices. Commits and ioctls wait for these, so
 * it has a rescuer.
 */
struct workqueue_struct *virtgpu_sgt_wq;

/* How often the ring is looked at while virtgpu_sgt_fault_hold(). */
#define VIRTGPU_SGT_HELD	(HZ / 10)

static void virtgpu_sgt_queue_work(struct work_struct *work);

/**
 * virtgpu_sgt_queue_init() - prepare a queue that has no virtqueue yet
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
 * virtgpu_sgt_queue_start() - take commands from now on
 * @q: a queue from virtgpu_sgt_queue_init()
 * @vq: its virtqueue, not used before
 * @min_size: how many descriptors @vq must have at least
 *
 * Context: Process context, may sleep.
 * Return: 0, or a negative errno:
 *
 * * %-EINVAL - the host gives the queue a size with which it cannot work
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
 * virtgpu_sgt_queue_max_payload() - into how many pieces a payload may be cut
 * @q: the queue
 *
 * A chain of descriptors may not be longer than the queue. What is within the
 * limit fits into an empty ring, so that nothing stays pending for good.
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

/* Out of the ring: what was the command's there, another one can have. */
static void virtgpu_sgt_queue_take_back_locked(struct virtgpu_sgt_queue *q,
					       struct virtgpu_sgt_cmd *cmd,
					       unsigned int len)
{
	lockdep_assert_held(&q->lock);

	virtgpu_sgt_wires_receive(&q->wires, cmd, len);
	if (cmd->entries)
		virtgpu_sgt_mem_entries_unmap(cmd->entries, q->vq);
}

/* Put a command into the ring. -ENOSPC: no room now. */
static int virtgpu_sgt_queue_add_locked(struct virtgpu_sgt_queue *q,
					struct virtgpu_sgt_cmd *cmd)
{
	struct scatterlist req, resp, *sgs[3];
	unsigned int out = 0, in = 0;
	int ret;

	lockdep_assert_held(&q->lock);

	if (!virtgpu_sgt_queue_has_room_locked(q, cmd))
		return -ENOSPC;

	if (cmd->entries) {
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
 * Fill the ring from what is pending, and notify the host. Commands that cannot
 * be sent at all go to @failed.
 */
static void virtgpu_sgt_queue_push_locked(struct virtgpu_sgt_queue *q,
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

		/* A broken queue stays so: wait for the reset. */
		if (virtqueue_is_broken(q->vq))
			break;

		/* The list of an ATTACH_BACKING could not be mapped. */
		cmd->refused = true;
		cmd->status = ret;
		list_move_tail(&cmd->node, failed);
	}

	if (added)
		virtqueue_kick(q->vq);
}

/* What the response says. The host is not trusted to have written one. */
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

	/* Of another answer, nothing can be concluded. */
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
 * The queue has no more use for the command. Once the waiter is woken, it may
 * fill the command again; only the reference is ours then.
 */
static void virtgpu_sgt_cmd_finish(struct virtgpu_sgt_cmd *cmd, int status)
{
	WRITE_ONCE(cmd->status, status);
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

/* Take back what the host has finished. */
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

/* After a reset, what is in the ring is of no use. */
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
		virtgpu_sgt_queue_push_locked(q, &failed);
	spin_unlock(&q->lock);

	list_for_each_entry_safe(cmd, next, &finished, node) {
		list_del_init(&cmd->node);
		virtgpu_sgt_cmd_finish(cmd, virtgpu_sgt_cmd_outcome(cmd));
	}
	virtgpu_sgt_queue_finish_failed(&failed);
}

/**
 * virtgpu_sgt_queue_ack() - the host has given buffers back
 * @q: the queue
 *
 * Context: Any, for use in the callback of a virtqueue.
 */
void virtgpu_sgt_queue_ack(struct virtgpu_sgt_queue *q)
{
	mod_delayed_work(virtgpu_sgt_wq, &q->work, 0);
}

/**
 * virtgpu_sgt_queue_is_gone() - is there no host any more that knows anything?
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
 * virtgpu_sgt_queue_begin_lose() - send nothing more to a host that is silent
 * @q: a queue that is live
 *
 * Waits end with -EIO. Commands are kept until virtgpu_sgt_queue_lose().
 *
 * Context: Process context. No removal has begun, nor does.
 */
void virtgpu_sgt_queue_begin_lose(struct virtgpu_sgt_queue *q)
{
	spin_lock(&q->lock);
	WRITE_ONCE(q->state, VIRTGPU_SGT_QUEUE_LOSING);
	virtgpu_sgt_queue_end_waits_locked(q);
	spin_unlock(&q->lock);
}

/**
 * virtgpu_sgt_queue_stop() - send nothing more, and end all waits
 * @q: the queue
 *
 * The first step of the removal, see "removal order". A wait that is woken finds
 * the status to be -EINPROGRESS, and gives up.
 */
void virtgpu_sgt_queue_stop(struct virtgpu_sgt_queue *q)
{
	spin_lock(&q->lock);
	if (q->state != VIRTGPU_SGT_QUEUE_GONE)
		WRITE_ONCE(q->state, VIRTGPU_SGT_QUEUE_STOPPING);
	virtgpu_sgt_queue_end_waits_locked(q);
	spin_unlock(&q->lock);
}

/* End every command, and those that come later, with @error. */
static void virtgpu_sgt_queue_end(struct virtgpu_sgt_queue *q,
				  enum virtgpu_sgt_queue_state state, int error)
{
	struct virtgpu_sgt_cmd *cmd, *next;
	LIST_HEAD(left);

	disable_delayed_work_sync(&q->work);

	spin_lock(&q->lock);
	/* Which commands these are, our own list says. */
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
 * virtgpu_sgt_queue_lose() - end every command with -EIO
 * @q: a queue after virtgpu_sgt_queue_begin_lose(), of a device that is reset
 *
 * That frees the memory that the host did not let go of. No callback of the
 * virtqueue runs any more.
 *
 * Context: Process context, may sleep.
 */
void virtgpu_sgt_queue_lose(struct virtgpu_sgt_queue *q)
{
	virtgpu_sgt_queue_end(q, VIRTGPU_SGT_QUEUE_LOST, -EIO);
}

/**
 * virtgpu_sgt_queue_drain() - end every command with -ENODEV
 * @q: a queue that is stopped, of a device that is reset
 *
 * That frees buffers whose UNREF the host did not answer, as well: the reset has
 * made the host forget them. No callback of the virtqueue runs any more, and the
 * virtqueue is not used afterwards.
 *
 * Context: Process context, may sleep.
 */
void virtgpu_sgt_queue_drain(struct virtgpu_sgt_queue *q)
{
	virtgpu_sgt_queue_end(q, VIRTGPU_SGT_QUEUE_GONE, -ENODEV);
}

/**
 * virtgpu_sgt_queue_count() - how many commands there are, for debugfs
 * @q: the queue
 * @inflight: set to how many the host has
 * @pending: set to how many wait for room
 */
void virtgpu_sgt_queue_count(struct virtgpu_sgt_queue *q,
			     unsigned int *inflight, unsigned int *pending)
{
	spin_lock(&q->lock);
	*inflight = list_count_nodes(&q->inflight);
	*pending = list_count_nodes(&q->pending);
	spin_unlock(&q->lock);
}

/**
 * virtgpu_sgt_cmd_submit() - hand a command to its queue
 * @cmd: the command, filled
 *
 * Cannot fail: whatever happens to the command is its outcome, and reaches the
 * waiter and &virtgpu_sgt_cmd.done. Never waits for the host.
 *
 * Context: Process context. Not inside an access section.
 */
void virtgpu_sgt_cmd_submit(struct virtgpu_sgt_cmd *cmd)
{
	struct virtgpu_sgt_queue *q = cmd->queue;
	LIST_HEAD(failed);
	int error = 0;

	WRITE_ONCE(cmd->status, -EINPROGRESS);
	reinit_completion(&cmd->wake);
	virtgpu_sgt_cmd_get(cmd);

	spin_lock(&q->lock);
	cmd->refused = false;
	cmd->seq = ++q->seq;
	switch (q->state) {
	case VIRTGPU_SGT_QUEUE_LIVE:
		list_add_tail(&cmd->node, &q->pending);
		virtgpu_sgt_queue_push_locked(q, &failed);
		if (!list_empty(&q->pending))
			atomic_long_inc(&q->vgdev->stats.ring_full);
		/* No wait for a host that cannot be reached. */
		if (virtqueue_is_broken(q->vq))
			complete_all(&cmd->wake);
		virtgpu_sgt_watchdog_start(q->vgdev);
		break;
	case VIRTGPU_SGT_QUEUE_LOSING:
	case VIRTGPU_SGT_QUEUE_STOPPING:
		list_add_tail(&cmd->node, &q->pending);
		complete_all(&cmd->wake);
		break;
	case VIRTGPU_SGT_QUEUE_LOST:
	case VIRTGPU_SGT_QUEUE_GONE:
		error = virtgpu_sgt_queue_error(q);
		break;
	}
	spin_unlock(&q->lock);

	virtgpu_sgt_queue_finish_failed(&failed);
	if (error)
		virtgpu_sgt_cmd_finish(cmd, error);
}
