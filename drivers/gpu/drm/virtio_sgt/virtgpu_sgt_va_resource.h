/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_VA_RESOURCE_H__
#define __VIRTGPU_SGT_VA_RESOURCE_H__

#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/rbtree_types.h>
#include <linux/types.h>

#include <drm/drm_gem.h>

#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_resource.h"

struct dma_fence;
struct virtgpu_sgt_attach;
struct virtgpu_sgt_backing;
struct virtgpu_sgt_device;
struct virtgpu_sgt_vm;

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

extern const struct drm_gem_object_funcs virtgpu_sgt_va_resource_gem_funcs;

/**
 * virtgpu_sgt_is_va_resource() - is a GEM object a resource from VA?
 * @obj: GEM object of this driver
 *
 * Return: whether it is part of a &struct virtgpu_sgt_va_resource, and not of a &struct
 * virtgpu_sgt_bo
 */
static inline bool virtgpu_sgt_is_va_resource(const struct drm_gem_object *obj)
{
	return obj->funcs == &virtgpu_sgt_va_resource_gem_funcs;
}

/**
 * to_virtgpu_sgt_resource() - the resource of a GEM object
 * @obj: GEM object of this driver
 *
 * Return: the &struct virtgpu_sgt_resource
 */
static inline struct virtgpu_sgt_resource *
to_virtgpu_sgt_resource(struct drm_gem_object *obj)
{
	return virtgpu_sgt_is_va_resource(obj) ? &to_virtgpu_sgt_va_resource(obj)->res :
					    &to_virtgpu_sgt_bo(obj)->res;
}

/**
 * struct virtgpu_sgt_va_resource_params - what a new VA resource shall be
 */
struct virtgpu_sgt_va_resource_params {
	/** @va: first byte of the range */
	u64 va;
	/** @size: bytes of the range */
	u64 size;
	/** @format: one of enum virtio_gpu_formats */
	u32 format;
	/** @width: pixels of a line */
	u32 width;
	/** @height: lines */
	u32 height;
};

struct virtgpu_sgt_va_resource * __must_check
virtgpu_sgt_va_resource_create(struct virtgpu_sgt_vm *vm,
			       const struct virtgpu_sgt_va_resource_params *params);
void virtgpu_sgt_va_resources_detach(struct virtgpu_sgt_vm *vm, u64 va, u64 len,
				     u64 seqno);

struct virtgpu_sgt_attach * __must_check
virtgpu_sgt_attach_create(struct virtgpu_sgt_va_resource *va_res);
struct dma_fence *virtgpu_sgt_attach_fence(const struct virtgpu_sgt_attach *attach);
int __must_check virtgpu_sgt_attach_run(struct virtgpu_sgt_attach *attach);
void virtgpu_sgt_attach_free(struct virtgpu_sgt_attach *attach);

#endif /* __VIRTGPU_SGT_VA_RESOURCE_H__ */
