// SPDX-License-Identifier: GPL-2.0

#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>
#include <linux/string.h>
#include <linux/virtio.h>
#include <linux/virtio_gpu.h>

#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_wire.h"

/**
 * DOC: memory of a queue
 *
 * The host does not access commands, but slots in memory that belongs to the
 * queue. When a command is added to the ring, its request is copied to a slot.
 * When it is taken from the ring, the response is copied from the slot. This has
 * three reasons:
 *
 * - The memory is mapped once, with the queue. A command that must arrive, such as
 *   an UNREF or a DETACH_BACKING, needs no mapping. So it does not fail when other
 *   users have exhausted the bounce buffers or the IOMMU.
 * - A response does not change after the driver has read it, and the device can
 *   access only slots, even where an IOMMU maps whole pages.
 * - Submitting a command costs no mapping.
 *
 * A table of indirect descriptors would have to be mapped for each command, so the
 * driver does not accept VIRTIO_RING_F_INDIRECT_DESC. Only the list of an
 * ATTACH_BACKING or CREATE_BLOB is mapped when it is submitted. This can fail with -ENOMEM, and
 * an ioctl waits for it.
 *
 * Since Linux 6.15, a driver cannot map a command that has a response: it maps all
 * buffers of a chain of descriptors or none, and only chains in one direction. There,
 * the virtio core maps the slot when the command is added to the ring, by its page:
 * where bounce buffers are forced, it takes a new one even for memory that is coherent
 * or mapped already. Nor would it help to hold bounce buffers back, as other users can
 * take them between their release and the map by the core. If the map fails, the command
 * stays pending, and is tried again until there is a mapping. So where other users have
 * exhausted the bounce buffers, commands do not arrive. After ten seconds the device is
 * lost, as with a silent host, until it is bound again.
 */

/* Bits of virtgpu_sgt_wires.free */
#define VIRTGPU_SGT_MAX_SLOTS	64U

/* Bytes of the longest response */
#define VIRTGPU_SGT_LARGE	sizeof(struct virtio_gpu_resp_edid)

struct virtgpu_sgt_wire {
	union virtgpu_sgt_request req __aligned(ARCH_DMA_MINALIGN);
	u8 resp[sizeof(struct virtio_gpu_ctrl_hdr)] __aligned(ARCH_DMA_MINALIGN);
};

static int virtgpu_sgt_wires_map(struct virtgpu_sgt_wires *wires)
{
	if (!wires->premapped)
		return 0;

	wires->addr = virtqueue_map_single_attrs(wires->vq, wires->slots,
						 wires->size,
						 DMA_BIDIRECTIONAL, 0);
	return virtqueue_map_mapping_error(wires->vq, wires->addr) ? -ENOMEM : 0;
}

/**
 * virtgpu_sgt_wires_init() - allocate and map the memory of a queue
 * @wires: zeroed
 * @vq: the virtqueue, not used before
 *
 * Context: Process context, may sleep.
 * Return: 0, -ENOMEM, or -EINVAL: @vq is in use
 */
int virtgpu_sgt_wires_init(struct virtgpu_sgt_wires *wires,
			   struct virtqueue *vq)
{
	unsigned int count = min(virtqueue_get_vring_size(vq),
				 VIRTGPU_SGT_MAX_SLOTS);
	size_t slots = count * sizeof(*wires->slots);
	int ret;

	ret = compat_virtqueue_set_premapped(vq);
	if (ret && ret != -EOPNOTSUPP)
		return ret;
	wires->premapped = !ret;

	/* Whole pages, so that an IOMMU maps nothing else. */
	wires->size = PAGE_ALIGN(slots + VIRTGPU_SGT_LARGE);
	wires->slots = alloc_pages_exact(wires->size, GFP_KERNEL | __GFP_ZERO);
	if (!wires->slots)
		return -ENOMEM;

	wires->vq = vq;
	ret = virtgpu_sgt_wires_map(wires);
	if (ret) {
		free_pages_exact(wires->slots, wires->size);
		wires->slots = NULL;
		return ret;
	}

	wires->large = (u8 *)wires->slots + slots;
	wires->free = GENMASK_ULL(count - 1, 0);
	wires->large_is_free = true;
	return 0;
}

/**
 * virtgpu_sgt_wires_fini() - unmap and free the memory of a queue
 * @wires: the memory, whose device is reset; or zeroed
 *
 * Context: Process context.
 */
void virtgpu_sgt_wires_fini(struct virtgpu_sgt_wires *wires)
{
	if (!wires->slots)
		return;

	if (wires->premapped)
		virtqueue_unmap_single_attrs(wires->vq, wires->addr, wires->size,
					     DMA_BIDIRECTIONAL,
					     DMA_ATTR_SKIP_CPU_SYNC);
	free_pages_exact(wires->slots, wires->size);
	wires->slots = NULL;
}

static bool virtgpu_sgt_cmd_is_large(const struct virtgpu_sgt_cmd *cmd)
{
	return cmd->resp_size > sizeof_field(struct virtgpu_sgt_wire, resp);
}

/**
 * virtgpu_sgt_wires_have_room() - is there a slot for a command?
 * @wires: memory of the queue
 * @cmd: the command
 *
 * Return: whether virtgpu_sgt_wires_send() can be called
 */
bool virtgpu_sgt_wires_have_room(const struct virtgpu_sgt_wires *wires,
				 const struct virtgpu_sgt_cmd *cmd)
{
	return wires->free &&
	       (wires->large_is_free || !virtgpu_sgt_cmd_is_large(cmd));
}

static void virtgpu_sgt_wires_sync(struct virtgpu_sgt_wires *wires,
				   const void *ptr, size_t size, bool for_cpu)
{
	size_t offset = ptr - (const void *)wires->slots;

	if (!wires->premapped || !virtqueue_map_need_sync(wires->vq, wires->addr))
		return;

	if (for_cpu)
		virtqueue_map_sync_single_range_for_cpu(wires->vq, wires->addr,
							offset, size,
							DMA_BIDIRECTIONAL);
	else
		virtqueue_map_sync_single_range_for_device(wires->vq,
							   wires->addr, offset,
							   size,
							   DMA_BIDIRECTIONAL);
}

static void virtgpu_sgt_wires_sg(const struct virtgpu_sgt_wires *wires,
				 struct scatterlist *sg, void *ptr, size_t size)
{
	sg_init_one(sg, ptr, size);
	sg_dma_address(sg) = wires->addr + (ptr - (void *)wires->slots);
}

/**
 * virtgpu_sgt_wires_send() - copy a request to a slot
 * @wires: memory of the queue, with room for @cmd
 * @cmd: the command
 * @req: set to the request in the slot, with its DMA address
 * @resp: set to the room for the response, with its DMA address; ignored if there
 *	is no response
 */
void virtgpu_sgt_wires_send(struct virtgpu_sgt_wires *wires,
			    struct virtgpu_sgt_cmd *cmd,
			    struct scatterlist *req, struct scatterlist *resp)
{
	struct virtgpu_sgt_wire *wire;
	u8 *answer;

	cmd->slot = __ffs64(wires->free);
	wires->free &= ~BIT_ULL(cmd->slot);
	wire = &wires->slots[cmd->slot];
	answer = wire->resp;

	/* Clear the response of the last command that had the slot. */
	if (virtgpu_sgt_cmd_is_large(cmd)) {
		wires->large_is_free = false;
		answer = wires->large;
		memset(answer, 0, VIRTGPU_SGT_LARGE);
		virtgpu_sgt_wires_sync(wires, answer, VIRTGPU_SGT_LARGE, false);
	}
	memset(wire->resp, 0, sizeof(wire->resp));
	memcpy(&wire->req, &cmd->req, cmd->req_size);
	virtgpu_sgt_wires_sync(wires, wire, sizeof(*wire), false);

	virtgpu_sgt_wires_sg(wires, req, &wire->req, cmd->req_size);
	if (cmd->resp_size)
		virtgpu_sgt_wires_sg(wires, resp, answer, cmd->resp_size);
}

/**
 * virtgpu_sgt_wires_receive() - copy a response, and free the slot
 * @wires: memory of the queue
 * @cmd: the command, which has a slot
 * @len: bytes that the host reports to have written; not trusted
 *
 * Sets &virtgpu_sgt_cmd.resp_len to the bytes of the response. The rest of
 * &virtgpu_sgt_cmd.resp is zeroed.
 */
void virtgpu_sgt_wires_receive(struct virtgpu_sgt_wires *wires,
			       struct virtgpu_sgt_cmd *cmd, unsigned int len)
{
	const u8 *answer = wires->slots[cmd->slot].resp;

	if (virtgpu_sgt_cmd_is_large(cmd)) {
		wires->large_is_free = true;
		answer = wires->large;
	}
	wires->free |= BIT_ULL(cmd->slot);

	len = min(len, cmd->resp_size);
	if (len)
		virtgpu_sgt_wires_sync(wires, answer, len, true);
	memcpy(cmd->resp, answer, len);
	memset(cmd->resp + len, 0, cmd->resp_size - len);
	cmd->resp_len = len;
}
