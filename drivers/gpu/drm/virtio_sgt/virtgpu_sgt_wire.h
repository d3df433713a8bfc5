/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_WIRE_H__
#define __VIRTGPU_SGT_WIRE_H__

#include <linux/types.h>

struct scatterlist;
struct virtgpu_sgt_cmd;
struct virtgpu_sgt_wire;
struct virtqueue;

/**
 * struct virtgpu_sgt_wires - memory for the requests and responses of a queue
 *
 * Protected by the lock of the queue, once virtgpu_sgt_wires_init() has returned.
 */
struct virtgpu_sgt_wires {
	/** @vq: the virtqueue that @slots is mapped for */
	struct virtqueue *vq;

	/** @slots: one for each command that can be in the ring; or NULL */
	struct virtgpu_sgt_wire *slots;

	/** @large: room for one response that is too long for a slot */
	u8 *large;

	/** @addr: DMA address of @slots, which @large follows, if @premapped */
	dma_addr_t addr;

	/** @size: bytes of @slots and @large */
	size_t size;

	/** @free: bitmap of the slots that no command has */
	u64 free;

	/** @large_is_free: no command has @large */
	bool large_is_free;

	/** @premapped: @slots are mapped; otherwise the virtio core maps each command */
	bool premapped;
};

int __must_check virtgpu_sgt_wires_init(struct virtgpu_sgt_wires *wires,
					struct virtqueue *vq);
void virtgpu_sgt_wires_fini(struct virtgpu_sgt_wires *wires);
bool virtgpu_sgt_wires_have_room(const struct virtgpu_sgt_wires *wires,
				 const struct virtgpu_sgt_cmd *cmd);
void virtgpu_sgt_wires_send(struct virtgpu_sgt_wires *wires,
			    struct virtgpu_sgt_cmd *cmd,
			    struct scatterlist *req, struct scatterlist *resp);
void virtgpu_sgt_wires_receive(struct virtgpu_sgt_wires *wires,
			       struct virtgpu_sgt_cmd *cmd, unsigned int len);

#endif /* __VIRTGPU_SGT_WIRE_H__ */
