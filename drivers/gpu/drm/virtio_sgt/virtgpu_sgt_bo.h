/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_BO_H__
#define __VIRTGPU_SGT_BO_H__

#include <linux/atomic.h>
#include <linux/types.h>

#include <drm/drm_gem_sgt.h>

#include "virtgpu_sgt_fb_memory.h"
#include "virtgpu_sgt_resource.h"

struct dma_buf;
struct drm_device;
struct drm_file;
struct drm_mode_create_dumb;
struct virtgpu_sgt_device;

/**
 * struct virtgpu_sgt_bo - a GEM object with memory
 */
struct virtgpu_sgt_bo {
	/** @base: the GEM object with its pages; must be first */
	struct drm_gem_sgt_object base;

	/** @users: see "buffers that are not in use" */
	atomic_t users;

	/** @res_uses: @res is one of @users, under &virtgpu_sgt_device.make_lock */
	bool res_uses;

	/** @res: the resource of RESOURCE_CREATE and TRANSFER_TO_HOST, or LOCAL */
	struct virtgpu_sgt_resource res;

	/**
	 * @fb_memory: what its framebuffers take on the host: @own_fb_memory, or that of the
	 * dma-buf of an import; set once
	 */
	struct virtgpu_sgt_fb_memory *fb_memory;

	/** @own_fb_memory: not used by an import */
	struct virtgpu_sgt_fb_memory own_fb_memory;
};

#define to_virtgpu_sgt_bo(obj) \
	container_of_const(to_drm_gem_sgt_obj(obj), struct virtgpu_sgt_bo, base)

/**
 * struct virtgpu_sgt_bo_params - parameters of a new buffer
 */
struct virtgpu_sgt_bo_params {
	/** @size: bytes of memory */
	size_t size;
	/** @format: one of enum virtio_gpu_formats */
	u32 format;
	/** @width: pixels per line */
	u32 width;
	/** @height: lines */
	u32 height;
};

extern const struct virtgpu_sgt_resource_ops virtgpu_sgt_bo_ops;

/**
 * virtgpu_sgt_is_bo() - does a GEM object have memory of its own?
 * @obj: GEM object of this driver
 *
 * Return: whether it is part of a &struct virtgpu_sgt_bo
 */
static inline bool virtgpu_sgt_is_bo(const struct drm_gem_object *obj)
{
	return obj->funcs == &virtgpu_sgt_bo_ops.gem;
}

struct drm_gem_object *virtgpu_sgt_gem_create_object(struct drm_device *drm,
						     size_t size);
struct virtgpu_sgt_bo * __must_check
virtgpu_sgt_bo_create(struct virtgpu_sgt_device *vgdev,
		      const struct virtgpu_sgt_bo_params *params);
struct drm_gem_object *virtgpu_sgt_prime_import(struct drm_device *drm,
						struct dma_buf *dma_buf);
int virtgpu_sgt_dumb_create(struct drm_file *file, struct drm_device *drm,
			    struct drm_mode_create_dumb *args);
void virtgpu_sgt_bo_show_fdinfo(struct drm_printer *p, struct drm_file *file);

#endif /* __VIRTGPU_SGT_BO_H__ */
