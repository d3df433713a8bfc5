// SPDX-License-Identifier: GPL-2.0

#include <linux/build_bug.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/virtio.h>

#include <drm/drm_rect.h>

#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_mem_entries.h"
#include "virtgpu_sgt_queue.h"
#include "virtgpu_sgt_resource.h"

/*
 * The 2D commands of the virtio specification, version 1.2, section 5.7 "GPU
 * Device". Numbers of sections below are of that document.
 */

/* How often a wait checks whether the queue is broken. */
#define VIRTGPU_SGT_POLL	HZ

/* The structures have the sizes of the specification. */
static_assert(sizeof(struct virtio_gpu_ctrl_hdr) == 24);
static_assert(sizeof(struct virtio_gpu_cmd_get_edid) == 32);
static_assert(sizeof(struct virtio_gpu_resource_create_2d) == 40);
static_assert(sizeof(struct virtio_gpu_resource_create_blob) == 56);
static_assert(sizeof(struct virtio_gpu_resource_unref) == 32);
static_assert(sizeof(struct virtio_gpu_resource_attach_backing) == 32);
static_assert(sizeof(struct virtio_gpu_resource_detach_backing) == 32);
static_assert(sizeof(struct virtio_gpu_transfer_to_host_2d) == 56);
static_assert(sizeof(struct virtio_gpu_set_scanout) == 48);
static_assert(sizeof(struct virtio_gpu_set_scanout_blob) == 96);
static_assert(sizeof(struct virtio_gpu_resource_flush) == 48);
static_assert(sizeof(struct virtio_gpu_update_cursor) == 56);
static_assert(sizeof(struct virtio_gpu_mem_entry) == 16);

/**
 * virtgpu_sgt_cmd_alloc() - allocate a command
 * @q: queue to which it will be submitted
 * @resp_size: bytes of the response, 0 if there will be none
 *
 * The command is idle, and can be filled.
 *
 * Context: Process context, may sleep.
 * Return: the command, with a reference for the caller, or NULL
 */
struct virtgpu_sgt_cmd *
virtgpu_sgt_cmd_alloc(struct virtgpu_sgt_queue *q, unsigned int resp_size)
{
	struct virtgpu_sgt_cmd *cmd;

	/* virtgpu_sgt_wires has room for this. */
	if (WARN_ON_ONCE(resp_size > sizeof(struct virtio_gpu_resp_edid)))
		return NULL;

	cmd = kzalloc(struct_size(cmd, resp, resp_size), GFP_KERNEL_ACCOUNT);
	if (!cmd)
		return NULL;

	kref_init(&cmd->ref);
	cmd->queue = q;
	cmd->resp_size = resp_size;
	INIT_LIST_HEAD(&cmd->node);
	init_completion(&cmd->wake);
	complete_all(&cmd->wake);
	return cmd;
}

static void virtgpu_sgt_cmd_release(struct kref *ref)
{
	struct virtgpu_sgt_cmd *cmd = container_of(ref, struct virtgpu_sgt_cmd,
						   ref);

	virtgpu_sgt_mem_entries_free(cmd->entries);
	kfree(cmd);
}

/**
 * virtgpu_sgt_cmd_get() - take a reference
 * @cmd: the command
 */
void virtgpu_sgt_cmd_get(struct virtgpu_sgt_cmd *cmd)
{
	kref_get(&cmd->ref);
}

/**
 * virtgpu_sgt_cmd_put() - drop a reference
 * @cmd: the command, or NULL
 *
 * The owner may call this at any time: the queue has a reference of its own.
 */
void virtgpu_sgt_cmd_put(struct virtgpu_sgt_cmd *cmd)
{
	if (cmd)
		kref_put(&cmd->ref, virtgpu_sgt_cmd_release);
}

/**
 * virtgpu_sgt_cmd_name() - the name of a command in the specification
 * @cmd: the command, filled
 *
 * Return: the name, for messages
 */
const char *virtgpu_sgt_cmd_name(const struct virtgpu_sgt_cmd *cmd)
{
	switch (le32_to_cpu(cmd->req.hdr.type)) {
	case VIRTIO_GPU_CMD_GET_DISPLAY_INFO:
		return "GET_DISPLAY_INFO";
	case VIRTIO_GPU_CMD_GET_EDID:
		return "GET_EDID";
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_2D:
		return "RESOURCE_CREATE_2D";
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB:
		return "RESOURCE_CREATE_BLOB";
	case VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING:
		return "RESOURCE_ATTACH_BACKING";
	case VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING:
		return "RESOURCE_DETACH_BACKING";
	case VIRTIO_GPU_CMD_RESOURCE_UNREF:
		return "RESOURCE_UNREF";
	case VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D:
		return "TRANSFER_TO_HOST_2D";
	case VIRTIO_GPU_CMD_SET_SCANOUT:
		return "SET_SCANOUT";
	case VIRTIO_GPU_CMD_SET_SCANOUT_BLOB:
		return "SET_SCANOUT_BLOB";
	case VIRTIO_GPU_CMD_RESOURCE_FLUSH:
		return "RESOURCE_FLUSH";
	case VIRTIO_GPU_CMD_UPDATE_CURSOR:
		return "UPDATE_CURSOR";
	case VIRTIO_GPU_CMD_MOVE_CURSOR:
		return "MOVE_CURSOR";
	}
	return "?";
}

/* Begin to fill a command, which must be idle. */
static union virtgpu_sgt_request *
virtgpu_sgt_prep(struct virtgpu_sgt_cmd *cmd, enum virtio_gpu_ctrl_type type,
		 size_t size, u32 resource)
{
	WARN_ON_ONCE(!virtgpu_sgt_cmd_is_idle(cmd));

	memset(&cmd->req, 0, sizeof(cmd->req));
	cmd->req.hdr.type = cpu_to_le32(type);
	cmd->req_size = size;
	cmd->resource = resource;
	cmd->ok = VIRTIO_GPU_RESP_OK_NODATA;
	return &cmd->req;
}

static struct virtio_gpu_rect virtgpu_sgt_rect(const struct drm_rect *rect)
{
	return (struct virtio_gpu_rect) {
		.x = cpu_to_le32(rect->x1),
		.y = cpu_to_le32(rect->y1),
		.width = cpu_to_le32(drm_rect_width(rect)),
		.height = cpu_to_le32(drm_rect_height(rect)),
	};
}

/**
 * virtgpu_sgt_prep_get_display_info() - ask for the displays (5.7.6.8)
 * @cmd: an idle command of the control queue, with room for a struct
 *	virtio_gpu_resp_display_info
 */
void virtgpu_sgt_prep_get_display_info(struct virtgpu_sgt_cmd *cmd)
{
	virtgpu_sgt_prep(cmd, VIRTIO_GPU_CMD_GET_DISPLAY_INFO,
			 sizeof(cmd->req.hdr), 0);
	cmd->ok = VIRTIO_GPU_RESP_OK_DISPLAY_INFO;
}

/**
 * virtgpu_sgt_prep_get_edid() - ask for the EDID of a display (5.7.6.8)
 * @cmd: an idle command of the control queue, with room for a struct
 *	virtio_gpu_resp_edid
 * @scanout: number of the display
 */
void virtgpu_sgt_prep_get_edid(struct virtgpu_sgt_cmd *cmd, u32 scanout)
{
	union virtgpu_sgt_request *req;

	req = virtgpu_sgt_prep(cmd, VIRTIO_GPU_CMD_GET_EDID,
			       sizeof(req->get_edid), 0);
	req->get_edid.scanout = cpu_to_le32(scanout);
	cmd->ok = VIRTIO_GPU_RESP_OK_EDID;
}

/**
 * virtgpu_sgt_prep_create_2d() - create a resource on the host (5.7.6.8)
 * @cmd: an idle command of the control queue
 * @res: the resource
 */
void virtgpu_sgt_prep_create_2d(struct virtgpu_sgt_cmd *cmd,
				const struct virtgpu_sgt_resource *res)
{
	union virtgpu_sgt_request *req;

	req = virtgpu_sgt_prep(cmd, VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
			       sizeof(req->create_2d), res->id);
	req->create_2d.resource_id = cpu_to_le32(res->id);
	req->create_2d.format = cpu_to_le32(res->format);
	req->create_2d.width = cpu_to_le32(res->width);
	req->create_2d.height = cpu_to_le32(res->height);
}

/**
 * virtgpu_sgt_prep_create_blob() - create a blob of guest memory (5.7.6.8)
 * @cmd: an idle command of the control queue, not used before
 * @res: the resource
 * @entries: the list of its pages; owned by @cmd from here on
 */
void virtgpu_sgt_prep_create_blob(struct virtgpu_sgt_cmd *cmd,
				  const struct virtgpu_sgt_resource *res,
				  struct virtgpu_sgt_mem_entries *entries)
{
	union virtgpu_sgt_request *req;

	req = virtgpu_sgt_prep(cmd, VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB,
			       sizeof(req->create_blob), res->id);
	req->create_blob.resource_id = cpu_to_le32(res->id);
	req->create_blob.blob_mem = cpu_to_le32(VIRTIO_GPU_BLOB_MEM_GUEST);
	req->create_blob.blob_flags = cpu_to_le32(VIRTIO_GPU_BLOB_FLAG_USE_SHAREABLE);
	req->create_blob.nr_entries = cpu_to_le32(entries->count);
	req->create_blob.size = cpu_to_le64(res->blob.size);
	cmd->entries = entries;
}

/**
 * virtgpu_sgt_prep_attach() - give the pages of a resource to the host (5.7.6.8)
 * @cmd: an idle command of the control queue, not used before
 * @res: the resource
 * @entries: the list of its pages; owned by @cmd from here on
 */
void virtgpu_sgt_prep_attach(struct virtgpu_sgt_cmd *cmd,
			     const struct virtgpu_sgt_resource *res,
			     struct virtgpu_sgt_mem_entries *entries)
{
	union virtgpu_sgt_request *req;

	req = virtgpu_sgt_prep(cmd, VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
			       sizeof(req->attach), res->id);
	req->attach.resource_id = cpu_to_le32(res->id);
	req->attach.nr_entries = cpu_to_le32(entries->count);
	cmd->entries = entries;
}

/**
 * virtgpu_sgt_prep_detach() - take the pages of a resource from the host (5.7.6.8)
 * @cmd: an idle command of the control queue
 * @res: the resource
 */
void virtgpu_sgt_prep_detach(struct virtgpu_sgt_cmd *cmd,
			     const struct virtgpu_sgt_resource *res)
{
	union virtgpu_sgt_request *req;

	req = virtgpu_sgt_prep(cmd, VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING,
			       sizeof(req->detach), res->id);
	req->detach.resource_id = cpu_to_le32(res->id);
}

/**
 * virtgpu_sgt_prep_unref() - destroy a resource on the host (5.7.6.8)
 * @cmd: an idle command of the control queue
 * @res: the resource
 *
 * This detaches the pages as well: no DETACH_BACKING is needed before.
 */
void virtgpu_sgt_prep_unref(struct virtgpu_sgt_cmd *cmd,
			    const struct virtgpu_sgt_resource *res)
{
	union virtgpu_sgt_request *req;

	req = virtgpu_sgt_prep(cmd, VIRTIO_GPU_CMD_RESOURCE_UNREF,
			       sizeof(req->unref), res->id);
	req->unref.resource_id = cpu_to_le32(res->id);
}

/**
 * virtgpu_sgt_prep_transfer() - copy from the pages to the resource (5.7.6.8)
 * @cmd: an idle command of the control queue
 * @res: the resource
 * @rect: destination in the resource
 * @offset: offset of its first pixel in the pages, whose pitch is that of the
 *	resource
 */
void virtgpu_sgt_prep_transfer(struct virtgpu_sgt_cmd *cmd,
			       const struct virtgpu_sgt_resource *res,
			       const struct drm_rect *rect, u64 offset)
{
	union virtgpu_sgt_request *req;

	req = virtgpu_sgt_prep(cmd, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
			       sizeof(req->transfer), res->id);
	req->transfer.r = virtgpu_sgt_rect(rect);
	req->transfer.offset = cpu_to_le64(offset);
	req->transfer.resource_id = cpu_to_le32(res->id);
}

static void virtgpu_sgt_prep_set_scanout_blob(struct virtgpu_sgt_cmd *cmd, u32 scanout,
					      const struct virtgpu_sgt_resource *res,
					      const struct drm_rect *rect)
{
	union virtgpu_sgt_request *req;

	req = virtgpu_sgt_prep(cmd, VIRTIO_GPU_CMD_SET_SCANOUT_BLOB,
			       sizeof(req->scanout_blob), res->id);
	req->scanout_blob.r = virtgpu_sgt_rect(rect);
	req->scanout_blob.scanout_id = cpu_to_le32(scanout);
	req->scanout_blob.resource_id = cpu_to_le32(res->id);
	req->scanout_blob.width = cpu_to_le32(res->blob.width);
	req->scanout_blob.height = cpu_to_le32(res->height);
	req->scanout_blob.format = cpu_to_le32(res->format);
	req->scanout_blob.strides[0] = cpu_to_le32(res->width * sizeof(u32));
}

/**
 * virtgpu_sgt_prep_set_scanout() - show a resource on a display (5.7.6.8)
 * @cmd: an idle command of the control queue
 * @scanout: number of the display
 * @res: resource to show, or NULL to turn the display off
 * @rect: part of @res to show; ignored without @res
 *
 * A blob is shown by SET_SCANOUT_BLOB.
 */
void virtgpu_sgt_prep_set_scanout(struct virtgpu_sgt_cmd *cmd, u32 scanout,
				  const struct virtgpu_sgt_resource *res,
				  const struct drm_rect *rect)
{
	union virtgpu_sgt_request *req;

	if (res && virtgpu_sgt_resource_is_blob(res)) {
		virtgpu_sgt_prep_set_scanout_blob(cmd, scanout, res, rect);
		return;
	}

	req = virtgpu_sgt_prep(cmd, VIRTIO_GPU_CMD_SET_SCANOUT,
			       sizeof(req->scanout), res ? res->id : 0);
	req->scanout.scanout_id = cpu_to_le32(scanout);
	if (!res)
		return;

	req->scanout.r = virtgpu_sgt_rect(rect);
	req->scanout.resource_id = cpu_to_le32(res->id);
}

/**
 * virtgpu_sgt_prep_flush() - update the displays that show a resource (5.7.6.8)
 * @cmd: an idle command of the control queue
 * @res: the resource
 * @rect: part of @res that has changed
 */
void virtgpu_sgt_prep_flush(struct virtgpu_sgt_cmd *cmd,
			    const struct virtgpu_sgt_resource *res,
			    const struct drm_rect *rect)
{
	union virtgpu_sgt_request *req;

	req = virtgpu_sgt_prep(cmd, VIRTIO_GPU_CMD_RESOURCE_FLUSH,
			       sizeof(req->flush), res->id);
	req->flush.r = virtgpu_sgt_rect(rect);
	req->flush.resource_id = cpu_to_le32(res->id);
}

/**
 * virtgpu_sgt_prep_cursor() - set or move a cursor (5.7.6.10)
 * @cmd: an idle command of the cursor queue
 * @scanout: number of the display
 * @cursor: the cursor
 * @update: whether image or hotspot are new
 *
 * The specification uses the resource in UPDATE_CURSOR only, but QEMU hides
 * the cursor when a MOVE_CURSOR has no resource.
 */
void virtgpu_sgt_prep_cursor(struct virtgpu_sgt_cmd *cmd, u32 scanout,
			     const struct virtgpu_sgt_cursor *cursor,
			     bool update)
{
	union virtgpu_sgt_request *req;

	req = virtgpu_sgt_prep(cmd, update ? VIRTIO_GPU_CMD_UPDATE_CURSOR :
					     VIRTIO_GPU_CMD_MOVE_CURSOR,
			       sizeof(req->cursor), cursor->resource);
	req->cursor.pos.scanout_id = cpu_to_le32(scanout);
	req->cursor.pos.x = cpu_to_le32(cursor->x);
	req->cursor.pos.y = cpu_to_le32(cursor->y);
	req->cursor.resource_id = cpu_to_le32(cursor->resource);
	req->cursor.hot_x = cpu_to_le32(cursor->hot_x);
	req->cursor.hot_y = cpu_to_le32(cursor->hot_y);
}

/* Under the lock, as the virtqueue is deleted once @q no longer points to it. */
static bool virtgpu_sgt_queue_is_broken(struct virtgpu_sgt_queue *q)
{
	bool broken;

	spin_lock(&q->lock);
	broken = !q->vq || virtqueue_is_broken(q->vq);
	spin_unlock(&q->lock);
	return broken;
}

/* @limit: jiffies, or MAX_SCHEDULE_TIMEOUT */
static int virtgpu_sgt_cmd_do_wait(struct virtgpu_sgt_cmd *cmd, bool killable,
				   long limit)
{
	long ret;
	int status;

	for (;;) {
		long slice = min_t(long, limit, VIRTGPU_SGT_POLL);

		if (killable)
			ret = wait_for_completion_killable_timeout(&cmd->wake,
								   slice);
		else
			ret = wait_for_completion_timeout(&cmd->wake, slice);
		if (ret < 0)
			return ret;
		if (ret)
			break;
		if (virtgpu_sgt_queue_is_broken(cmd->queue))
			return -ENODEV;
		if (limit != MAX_SCHEDULE_TIMEOUT) {
			limit -= slice;
			if (!limit)
				return -ETIMEDOUT;
		}
	}

	/* Woken without a status: the host will not answer. */
	status = READ_ONCE(cmd->status);
	if (status == -EINPROGRESS)
		return virtgpu_sgt_queue_error(cmd->queue) ?: -ENODEV;
	return status;
}

/**
 * virtgpu_sgt_cmd_wait_either() - wait until a command is done, killable or not
 * @cmd: the command, submitted or idle
 * @killable: whether the wait ends when the task is killed
 *
 * Context: see virtgpu_sgt_cmd_wait().
 * Return: see virtgpu_sgt_cmd_wait_killable() if @killable, or virtgpu_sgt_cmd_wait()
 */
int virtgpu_sgt_cmd_wait_either(struct virtgpu_sgt_cmd *cmd, bool killable)
{
	return virtgpu_sgt_cmd_do_wait(cmd, killable, MAX_SCHEDULE_TIMEOUT);
}

/**
 * virtgpu_sgt_cmd_wait() - wait until a command is done
 * @cmd: the command, submitted or idle
 *
 * Context: Process context. Not inside drm_dev_enter(), nor inside an access
 * section. The watchdog limits the time of each command: see "a silent host".
 * Return:
 * * %0       - the host has executed it
 * * %-ENODEV - the device is being removed, or its queue is broken. The queue may
 *   still have the command
 * * %-EIO    - the host was silent, and the device is lost. The queue may still have
 *   the command. Or the host has reported an error
 * * %-ENOMEM, %-EINVAL - the host has reported an error, or the command could not be
 *   sent
 */
int virtgpu_sgt_cmd_wait(struct virtgpu_sgt_cmd *cmd)
{
	return virtgpu_sgt_cmd_wait_either(cmd, false);
}

/**
 * virtgpu_sgt_cmd_wait_killable() - wait until a command is done, killable
 * @cmd: the command, submitted or idle
 *
 * Context: see virtgpu_sgt_cmd_wait().
 * Return: see virtgpu_sgt_cmd_wait(); also %-ERESTARTSYS: the task was killed, and
 * the queue may still have the command
 */
int virtgpu_sgt_cmd_wait_killable(struct virtgpu_sgt_cmd *cmd)
{
	return virtgpu_sgt_cmd_wait_either(cmd, true);
}

/**
 * virtgpu_sgt_cmd_wait_timeout() - wait until a command is done, with a limit
 * @cmd: the command, submitted or idle
 * @seconds: the limit
 *
 * Context: see virtgpu_sgt_cmd_wait().
 * Return: see virtgpu_sgt_cmd_wait_killable(); also %-ETIMEDOUT: the queue still
 * has the command
 */
int virtgpu_sgt_cmd_wait_timeout(struct virtgpu_sgt_cmd *cmd,
				 unsigned int seconds)
{
	return virtgpu_sgt_cmd_do_wait(cmd, true, (long)seconds * HZ);
}
