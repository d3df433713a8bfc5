// SPDX-License-Identifier: GPL-2.0

#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_fb_memory.h"

#define to_virtgpu_sgt_fb_memory(node_) \
	rb_entry(node_, struct virtgpu_sgt_fb_memory, node)

static int virtgpu_sgt_fb_memory_cmp(struct rb_node *a, const struct rb_node *b)
{
	uintptr_t first = (uintptr_t)to_virtgpu_sgt_fb_memory(a)->dma_buf;
	uintptr_t second = (uintptr_t)to_virtgpu_sgt_fb_memory(b)->dma_buf;

	return first < second ? -1 : first > second;
}

/**
 * virtgpu_sgt_fb_memory_get() - find or create the count for a dma-buf
 * @vgdev: device
 * @dma_buf: the dma-buf, of another exporter
 *
 * Ownership: the caller calls virtgpu_sgt_fb_memory_put(), and holds a reference to
 * @dma_buf until then.
 *
 * Context: Process context, may sleep. Takes &virtgpu_sgt_device.resource_lock.
 * Return: the count, or NULL: out of memory
 */
struct virtgpu_sgt_fb_memory *
virtgpu_sgt_fb_memory_get(struct virtgpu_sgt_device *vgdev, const struct dma_buf *dma_buf)
{
	struct virtgpu_sgt_fb_memory *memory, *new;
	struct rb_node *found;

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	new->dma_buf = dma_buf;

	spin_lock(&vgdev->resource_lock);
	found = rb_find_add(&new->node, &vgdev->fb_memories, virtgpu_sgt_fb_memory_cmp);
	memory = found ? to_virtgpu_sgt_fb_memory(found) : new;
	memory->imports++;
	spin_unlock(&vgdev->resource_lock);

	if (found)
		kfree(new);
	return memory;
}

/**
 * virtgpu_sgt_fb_memory_put() - end virtgpu_sgt_fb_memory_get()
 * @vgdev: device
 * @memory: the count
 *
 * Context: Process context. Takes &virtgpu_sgt_device.resource_lock.
 */
void virtgpu_sgt_fb_memory_put(struct virtgpu_sgt_device *vgdev,
			       struct virtgpu_sgt_fb_memory *memory)
{
	bool last;

	spin_lock(&vgdev->resource_lock);
	last = !--memory->imports;
	if (last)
		rb_erase(&memory->node, &vgdev->fb_memories);
	spin_unlock(&vgdev->resource_lock);

	if (last)
		kfree(memory);
}
