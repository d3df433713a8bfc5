/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_RESOURCE_H__
#define __VIRTGPU_SGT_RESOURCE_H__

#include <asm/barrier.h>
#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue_types.h>

#include <drm/drm_gem.h>

struct dma_fence;
struct drm_rect;
struct virtgpu_sgt_attach;
struct virtgpu_sgt_cmd;
struct virtgpu_sgt_device;
struct virtgpu_sgt_mem_entries;
struct virtgpu_sgt_resource;

/**
 * enum virtgpu_sgt_resource_state - how much of a resource is on the host
 */
enum virtgpu_sgt_resource_state {
	/**
	 * @VIRTGPU_SGT_RESOURCE_LOCAL: the first state: nothing is on the host. Also
	 * after the host has refused to create the resource
	 */
	VIRTGPU_SGT_RESOURCE_LOCAL,
	/**
	 * @VIRTGPU_SGT_RESOURCE_CREATED: CREATE_2D or CREATE_BLOB was submitted, or later
	 * DETACH_BACKING; needs an UNREF
	 */
	VIRTGPU_SGT_RESOURCE_CREATED,
	/**
	 * @VIRTGPU_SGT_RESOURCE_ATTACHED: the host has answered ATTACH_BACKING or
	 * CREATE_BLOB: the resource can be shown
	 */
	VIRTGPU_SGT_RESOURCE_ATTACHED,
	/**
	 * @VIRTGPU_SGT_RESOURCE_UNREF: the last state, from when UNREF is
	 * submitted until it is answered and the memory is freed
	 */
	VIRTGPU_SGT_RESOURCE_UNREF,
};

/**
 * struct virtgpu_sgt_resource_ops - operations of a kind of resource
 */
struct virtgpu_sgt_resource_ops {
	/**
	 * @gem: of a resource that is part of a GEM object: &drm_gem_object.funcs
	 * points here, see to_virtgpu_sgt_resource()
	 */
	struct drm_gem_object_funcs gem;

	/** @of_object: with @gem: find the resource of a GEM object */
	struct virtgpu_sgt_resource *(*of_object)(struct drm_gem_object *obj);

	/**
	 * @attach: see virtgpu_sgt_resource_attach(); without it, the resource is
	 * attached before any use, and stays attached
	 */
	int (*attach)(struct virtgpu_sgt_resource *res);

	/**
	 * @prepare: optional, see virtgpu_sgt_resource_prepare(); without it, @attach
	 * is called
	 */
	struct virtgpu_sgt_attach *(*prepare)(struct virtgpu_sgt_resource *res,
					      struct dma_fence **fence);

	/**
	 * @attach_prepared: carry out what @prepare returned, once
	 *
	 * Called in the fence-signalling path. Returns 0 or a negative errno.
	 */
	int (*attach_prepared)(struct virtgpu_sgt_attach *attach);

	/** @unprepare: free what @prepare returned */
	void (*unprepare)(struct virtgpu_sgt_attach *attach);

	/**
	 * @sync: sync a range of bytes for the device
	 *
	 * See drm_sgt_sync_for_device(). Called with &virtgpu_sgt_resource.lock held.
	 */
	int (*sync)(struct virtgpu_sgt_resource *res, u64 offset, u64 len);

	/**
	 * @free: free what the resource is part of, which the host does not use
	 */
	void (*free)(struct virtgpu_sgt_resource *res);
};

/**
 * struct virtgpu_sgt_blob - what a blob has in addition to a 2D resource
 *
 * See "blobs". Set once.
 */
struct virtgpu_sgt_blob {
	/** @size: bytes, whole pages; 0 if the resource is not a blob */
	u64 size;
	/** @again: of @size, bytes at its end that are the pages before, once more */
	u64 again;
	/** @width: pixels per line, without padding */
	u32 width;
};

/**
 * struct virtgpu_sgt_resource - a 2D resource or a blob on the host
 *
 * Part of a GEM object, or of a framebuffer. Its description is set once, before that
 * is published.
 */
struct virtgpu_sgt_resource {
	/**
	 * @obj: the GEM object whose memory it shows; if the resource is not part of
	 * that, a counted reference
	 */
	struct drm_gem_object *obj;

	/** @ops: operations of this kind of resource */
	const struct virtgpu_sgt_resource_ops *ops;

	/**
	 * @id: number of the resource; 0 while it has none. Of a buffer, set under
	 * &virtgpu_sgt_device.make_lock
	 */
	u32 id;

	/** @format: one of enum virtio_gpu_formats, four bytes per pixel */
	u32 format;

	/** @width: pixels from one line to the next; 0 if there cannot be a resource */
	u32 width;

	/** @height: lines */
	u32 height;

	/** @blob: of a blob; zeroed for a 2D resource */
	struct virtgpu_sgt_blob blob;

	/**
	 * @lock: while it is held, an ATTACHED resource stays attached, and commands
	 * that need its memory can be submitted. Taken in the fence-signalling path:
	 * do not allocate while holding it
	 */
	struct mutex lock;

	/** @entries: number of mem entries that the host may have */
	unsigned int entries;

	/**
	 * @state: of a VA resource, written under @lock, as it can be attached and
	 * detached at any time. Otherwise written where the resource is created, of a
	 * buffer under &virtgpu_sgt_device.make_lock, and where it is freed, which do
	 * not overlap. Other readers use READ_ONCE()
	 */
	enum virtgpu_sgt_resource_state state;

	/**
	 * @unref: the UNREF, allocated in advance, as freeing must not fail
	 */
	struct virtgpu_sgt_cmd *unref;

	/** @free_work: frees the resource once @unref is answered */
	struct work_struct free_work;

	/**
	 * @node: in &virtgpu_sgt_device.resources, protected by resource_lock
	 * there
	 */
	struct list_head node;
};

/*
 * The limit of the width and the height of a 2D resource: twice the limit of a
 * display, and far below where their product overflows here or on the host.
 */
#define VIRTGPU_SGT_MAX_RESOURCE	16384U

/**
 * virtgpu_sgt_resource_is_blob() - does the host show the memory itself?
 * @res: the resource
 *
 * Return: whether it is a blob, and there is nothing to transfer
 */
static inline bool virtgpu_sgt_resource_is_blob(const struct virtgpu_sgt_resource *res)
{
	return res->blob.size;
}

/**
 * virtgpu_sgt_resource_is_attached() - is a resource attached to its memory?
 * @res: the resource
 *
 * Return: whether it can be shown; if so, its number is constant
 */
static inline bool
virtgpu_sgt_resource_is_attached(const struct virtgpu_sgt_resource *res)
{
	/* Pairs with the release in virtgpu_sgt_resource_settle(). */
	return smp_load_acquire(&res->state) == VIRTGPU_SGT_RESOURCE_ATTACHED;
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
	return container_of(obj->funcs, const struct virtgpu_sgt_resource_ops,
			    gem)->of_object(obj);
}

void virtgpu_sgt_resource_init(struct virtgpu_sgt_resource *res,
			       struct drm_gem_object *obj,
			       const struct virtgpu_sgt_resource_ops *ops);
int __must_check virtgpu_sgt_resource_reserve(struct virtgpu_sgt_resource *res);
u64 virtgpu_sgt_resource_size(const struct virtgpu_sgt_resource *res);
int __must_check virtgpu_sgt_resource_attach(struct virtgpu_sgt_resource *res);
struct virtgpu_sgt_attach * __must_check
virtgpu_sgt_resource_prepare(struct virtgpu_sgt_resource *res, struct dma_fence **fence);
void virtgpu_sgt_resource_unprepare(struct virtgpu_sgt_resource *res,
				    struct virtgpu_sgt_attach *attach);
int __must_check virtgpu_sgt_resource_begin_use(struct virtgpu_sgt_resource *res,
						struct virtgpu_sgt_attach *attach);
void virtgpu_sgt_resource_end_use(struct virtgpu_sgt_resource *res);
void virtgpu_sgt_resource_settle(struct virtgpu_sgt_resource *res,
				 const struct virtgpu_sgt_cmd *create,
				 const struct virtgpu_sgt_cmd *attach, int ret);
int __must_check virtgpu_sgt_resource_make(struct virtgpu_sgt_resource *res,
					   struct virtgpu_sgt_mem_entries *entries);
int __must_check virtgpu_sgt_resource_undo(struct virtgpu_sgt_resource *res);
void virtgpu_sgt_resource_detach_locked(struct virtgpu_sgt_resource *res,
					struct virtgpu_sgt_cmd *detach);
void virtgpu_sgt_resource_release(struct virtgpu_sgt_resource *res);
u64 virtgpu_sgt_resource_offset(const struct virtgpu_sgt_resource *res,
				const struct drm_rect *rect);
int __must_check
virtgpu_sgt_resource_sync_locked(struct virtgpu_sgt_resource *res,
				 const struct drm_rect *rect, u64 offset);
int __must_check
virtgpu_sgt_resource_transfer_locked(struct virtgpu_sgt_resource *res,
				     struct virtgpu_sgt_cmd *cmd,
				     const struct drm_rect *rect, u64 offset);

bool virtgpu_sgt_format_is_known(u32 format);
bool virtgpu_sgt_resource_is_possible(u32 format, u32 width, u32 height);
u32 virtgpu_sgt_format(u32 fourcc);
bool virtgpu_sgt_format_shows(u32 format, u32 fourcc);

#endif /* __VIRTGPU_SGT_RESOURCE_H__ */
