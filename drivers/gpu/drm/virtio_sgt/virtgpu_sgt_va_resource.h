/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_VA_RESOURCE_H__
#define __VIRTGPU_SGT_VA_RESOURCE_H__

#include <linux/container_of.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/rbtree_types.h>
#include <linux/types.h>
#include <linux/workqueue_types.h>

#include <drm/drm_gem.h>

#include "virtgpu_sgt_resource.h"

struct dma_fence;
struct virtgpu_sgt_cmd;
struct virtgpu_sgt_device;
struct virtgpu_sgt_mem_entries;
struct virtgpu_sgt_vm;

/**
 * struct virtgpu_sgt_piece - part of a buffer in the range of a VA resource
 */
struct virtgpu_sgt_piece {
	/** @obj: the buffer; a counted reference */
	struct drm_gem_object *obj;

	/** @offset: first byte of the part in @obj */
	u64 offset;

	/** @len: bytes of the part */
	u64 len;
};

/**
 * struct virtgpu_sgt_backing - memory that a VA resource is attached to
 */
struct virtgpu_sgt_backing {
	/**
	 * @ref: one of the VA resource, which @detach takes over, and one of each wait
	 * for a command
	 */
	struct kref ref;

	/** @vgdev: device; set once */
	struct virtgpu_sgt_device *vgdev;

	/** @attach: the ATTACH_BACKING */
	struct virtgpu_sgt_cmd *attach;

	/** @detach: the DETACH_BACKING */
	struct virtgpu_sgt_cmd *detach;

	/** @free_work: frees it */
	struct work_struct free_work;

	/** @va_res: a reference to drop with the backing, or NULL */
	struct drm_gem_object *va_res;

	/** @count: number of @pieces */
	unsigned int count;

	/** @pieces: the memory, in the order of the range */
	struct virtgpu_sgt_piece pieces[] __counted_by(count);
};

/**
 * struct virtgpu_sgt_attach - a plan to attach a VA resource
 *
 * Carried out in the fence-signalling path, so all memory is allocated with the plan.
 */
struct virtgpu_sgt_attach {
	/**
	 * @node: in &virtgpu_sgt_va_resource.attaches, until the plan is carried out
	 * or outdated
	 */
	struct list_head node;

	/** @va_res: the VA resource; the owner of the plan has a reference */
	struct virtgpu_sgt_va_resource *va_res;

	/** @seqno: seqno of the last job at the time of the plan */
	u64 seqno;

	/** @fence: fence of that job, a counted reference; NULL if it was done */
	struct dma_fence *fence;

	/** @create: the CREATE_2D of a new VA resource, or NULL */
	struct virtgpu_sgt_cmd *create;

	/** @backing: the memory to attach, until @va_res takes it over */
	struct virtgpu_sgt_backing *backing;

	/** @entries: room for the list, until the command takes it over */
	struct virtgpu_sgt_mem_entries *entries;
};

/**
 * struct virtgpu_sgt_va_resource - a resource whose memory is a range of VA
 *
 * See "resources from VA".
 */
struct virtgpu_sgt_va_resource {
	/** @base: the GEM object, without memory */
	struct drm_gem_object base;

	/** @res: the resource on the host */
	struct virtgpu_sgt_resource res;

	/** @vm: the address space; a counted reference */
	struct virtgpu_sgt_vm *vm;

	/** @va: first byte of the range; its size is that of @base */
	u64 va;

	/** @last: last byte of the range */
	u64 last;

	/** @rb: in &virtgpu_sgt_vm.va_resources, under va_res_lock there */
	struct rb_node rb;

	/** @subtree_last: see INTERVAL_TREE_DEFINE() */
	u64 subtree_last;

	/**
	 * @backing: memory from before its ATTACH is submitted until its DETACH is, or
	 * NULL. Written under the lock of @res and va_res_lock of @vm, which nests
	 * inside; read under either
	 */
	struct virtgpu_sgt_backing *backing;

	/**
	 * @attaches: list of struct virtgpu_sgt_attach that can be carried out;
	 * protected by va_res_lock of @vm
	 */
	struct list_head attaches;
};

#define to_virtgpu_sgt_va_resource(obj) \
	container_of_const(obj, struct virtgpu_sgt_va_resource, base)

struct virtgpu_sgt_backing * __must_check
virtgpu_sgt_backing_alloc(struct virtgpu_sgt_device *vgdev, unsigned int count);
void virtgpu_sgt_backing_put(struct virtgpu_sgt_backing *backing);

void virtgpu_sgt_va_resource_add(struct virtgpu_sgt_va_resource *va_res);
void virtgpu_sgt_va_resource_remove(struct virtgpu_sgt_va_resource *va_res);
bool virtgpu_sgt_va_resource_forget_locked(struct virtgpu_sgt_va_resource *va_res,
					   struct virtgpu_sgt_backing *backing);
void virtgpu_sgt_va_resources_detach(struct virtgpu_sgt_vm *vm, u64 va, u64 len,
				     u64 seqno);

#endif /* __VIRTGPU_SGT_VA_RESOURCE_H__ */
