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
 * struct virtgpu_sgt_piece - part of a buffer, as a part of the range of a VA resource
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
	 * @ref: the VA resource has one, then its @detach; and each wait for a
	 * command
	 */
	struct kref ref;

	/** @vgdev: device; set once */
	struct virtgpu_sgt_device *vgdev;

	/** @attach: has the host attach it */
	struct virtgpu_sgt_cmd *attach;

	/** @detach: has the host detach it */
	struct virtgpu_sgt_cmd *detach;

	/** @free_work: frees it */
	struct work_struct free_work;

	/** @va_res: the reference of the task that detaches the VA resource */
	struct drm_gem_object *va_res;

	/** @count: length of @pieces */
	unsigned int count;

	/** @pieces: the memory, in the order of the range */
	struct virtgpu_sgt_piece pieces[] __counted_by(count);
};

/**
 * struct virtgpu_sgt_attach - all that it takes to attach a VA resource, and when
 *
 * It may be carried out in the fence-signalling path, where nothing is allocated.
 */
struct virtgpu_sgt_attach {
	/**
	 * @node: in &virtgpu_sgt_va_resource.attaches; not if it was carried out,
	 * or is outdated
	 */
	struct list_head node;

	/** @va_res: the VA resource; the creator of this keeps it */
	struct virtgpu_sgt_va_resource *va_res;

	/** @seqno: of the last job that it was planned on */
	u64 seqno;

	/** @fence: of that job; a counted reference, or NULL if it is done */
	struct dma_fence *fence;

	/** @create: has the host create a new resource; or NULL */
	struct virtgpu_sgt_cmd *create;

	/** @backing: what will be attached, until @va_res has it */
	struct virtgpu_sgt_backing *backing;

	/** @entries: room for the list, until the command has it */
	struct virtgpu_sgt_mem_entries *entries;
};

/**
 * struct virtgpu_sgt_va_resource - a resource whose memory is a range of an address
 * space
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

	/** @subtree_last: for the tree */
	u64 subtree_last;

	/**
	 * @backing: what the host was told to attach, or is about to be, until it
	 * is told to detach it; or NULL. Written under the lock of @res and, inside
	 * that, va_res_lock of @vm; read under either
	 */
	struct virtgpu_sgt_backing *backing;

	/**
	 * @attaches: of struct virtgpu_sgt_attach that can still be carried out;
	 * under va_res_lock of @vm
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
