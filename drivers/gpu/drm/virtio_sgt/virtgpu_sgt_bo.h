/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_BO_H__
#define __VIRTGPU_SGT_BO_H__

#include <asm/barrier.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/workqueue_types.h>

#include <drm/drm_gem_sgt.h>

struct dma_buf;
struct drm_device;
struct drm_file;
struct drm_framebuffer;
struct drm_mode_create_dumb;
struct drm_rect;
struct virtgpu_sgt_cmd;
struct virtgpu_sgt_device;

/**
 * enum virtgpu_sgt_bo_state - what the host knows of a buffer
 */
enum virtgpu_sgt_bo_state {
	/**
	 * @VIRTGPU_SGT_BO_LOCAL: the first state: nothing. Also after the
	 * host has refused to make the resource, and that of an import until
	 * somebody makes a framebuffer of it
	 */
	VIRTGPU_SGT_BO_LOCAL,
	/**
	 * @VIRTGPU_SGT_BO_CREATED: from when CREATE_2D is submitted; it takes
	 * an UNREF to leave
	 */
	VIRTGPU_SGT_BO_CREATED,
	/**
	 * @VIRTGPU_SGT_BO_ATTACHED: the host has answered ATTACH_BACKING: the
	 * resource can be shown
	 */
	VIRTGPU_SGT_BO_ATTACHED,
	/**
	 * @VIRTGPU_SGT_BO_UNREF: the last state, from when UNREF is submitted
	 * until it is answered and the memory is freed
	 */
	VIRTGPU_SGT_BO_UNREF,
};

/**
 * struct virtgpu_sgt_bo - a GEM object and its resource on the host
 *
 * Everything but @state is set once, before anybody else can see the buffer. Of
 * an import, what describes the resource is set, and set again if the host refuses
 * it, under
 * &virtgpu_sgt_device.import_lock, and looked at by those who have seen that
 * it is attached: see virtgpu_sgt_bo_is_attached().
 */
struct virtgpu_sgt_bo {
	/** @base: the GEM object with its pages; must be first */
	struct drm_gem_sgt_object base;

	/** @res_id: number of the resource; 0: an import that has none yet */
	u32 res_id;

	/** @format: one of enum virtio_gpu_formats, four bytes a pixel */
	u32 format;

	/** @width: pixels of a line; lines follow each other without a gap */
	u32 width;

	/** @height: lines */
	u32 height;

	/** @entries: how many pieces of memory the host was told of */
	unsigned int entries;

	/**
	 * @state: written by who makes the resource and who frees the buffer,
	 * and these do not overlap; READ_ONCE() for everybody else
	 */
	enum virtgpu_sgt_bo_state state;

	/**
	 * @unref: the command that ends the resource, allocated beforehand,
	 * as freeing must not fail
	 */
	struct virtgpu_sgt_cmd *unref;

	/** @free_work: frees the buffer, once @unref is done */
	struct work_struct free_work;

	/** @node: in &virtgpu_sgt_device.bos, protected by bo_lock there */
	struct list_head node;
};

#define to_virtgpu_sgt_bo(obj) \
	container_of_const(to_drm_gem_sgt_obj(obj), struct virtgpu_sgt_bo, base)

/**
 * struct virtgpu_sgt_bo_params - what a new buffer shall be
 */
struct virtgpu_sgt_bo_params {
	/** @size: bytes of memory */
	size_t size;
	/** @format: one of enum virtio_gpu_formats */
	u32 format;
	/** @width: pixels of a line */
	u32 width;
	/** @height: lines */
	u32 height;
};

/*
 * Width and height of a 2D resource. Twice what a display may have; far below
 * where products of the two get too large for the host or for us.
 */
#define VIRTGPU_SGT_MAX_RESOURCE	16384U

/**
 * virtgpu_sgt_bo_is_attached() - does the host have the pages of a buffer?
 * @bo: the buffer
 *
 * Return: whether there is a resource that can be shown; if so, all that
 * describes it is constant
 */
static inline bool virtgpu_sgt_bo_is_attached(const struct virtgpu_sgt_bo *bo)
{
	/* Pairs with the release in virtgpu_sgt_bo_submit(). */
	return smp_load_acquire(&bo->state) == VIRTGPU_SGT_BO_ATTACHED;
}

struct drm_gem_object *virtgpu_sgt_gem_create_object(struct drm_device *drm,
						     size_t size);
struct virtgpu_sgt_bo * __must_check
virtgpu_sgt_bo_create(struct virtgpu_sgt_device *vgdev,
		      const struct virtgpu_sgt_bo_params *params);
struct drm_gem_object *virtgpu_sgt_prime_import(struct drm_device *drm,
						struct dma_buf *dma_buf);
int __must_check virtgpu_sgt_bo_complete(struct virtgpu_sgt_bo *bo,
					 const struct drm_framebuffer *fb);
int virtgpu_sgt_dumb_create(struct drm_file *file, struct drm_device *drm,
			    struct drm_mode_create_dumb *args);
u64 virtgpu_sgt_bo_offset(const struct virtgpu_sgt_bo *bo,
			  const struct drm_rect *rect);
int __must_check virtgpu_sgt_bo_sync(struct virtgpu_sgt_bo *bo,
				     const struct drm_rect *rect, u64 offset);
bool virtgpu_sgt_format_is_known(u32 format);
u32 virtgpu_sgt_format(u32 fourcc);
bool virtgpu_sgt_format_shows(u32 format, u32 fourcc);

#endif /* __VIRTGPU_SGT_BO_H__ */
