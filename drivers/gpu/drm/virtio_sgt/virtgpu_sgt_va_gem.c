// SPDX-License-Identifier: GPL-2.0

#include <linux/err.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gpuvm.h>
#include <drm/drm_print.h>
#include <drm/drm_sgt.h>
#include <drm/virtgpu_sgt_drm.h>

#include "virtgpu_sgt_attach.h"
#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_va_gem.h"
#include "virtgpu_sgt_va_resource.h"
#include "virtgpu_sgt_vm.h"
#include "virtgpu_sgt_vm_args.h"

static_assert(sizeof(struct drm_virtgpu_sgt_resource_from_va) == 40);

static struct virtgpu_sgt_resource *
virtgpu_sgt_va_resource_resource(struct drm_gem_object *obj)
{
	return &to_virtgpu_sgt_va_resource(obj)->res;
}

static struct virtgpu_sgt_va_resource *
virtgpu_sgt_resource_va(struct virtgpu_sgt_resource *res)
{
	return container_of(res, struct virtgpu_sgt_va_resource, res);
}

static int virtgpu_sgt_va_resource_attach(struct virtgpu_sgt_resource *res)
{
	return virtgpu_sgt_attach_now(virtgpu_sgt_resource_va(res));
}

static struct virtgpu_sgt_attach *
virtgpu_sgt_va_resource_prepare(struct virtgpu_sgt_resource *res,
				struct dma_fence **fence)
{
	struct virtgpu_sgt_attach *attach;

	attach = virtgpu_sgt_attach_create(virtgpu_sgt_resource_va(res));
	/* While it is attached, the commit need not wait: see virtgpu_sgt_attach_run(). */
	if (!IS_ERR_OR_NULL(attach) && !virtgpu_sgt_resource_is_attached(res))
		*fence = attach->fence;
	return attach;
}

static int virtgpu_sgt_va_resource_sync(struct virtgpu_sgt_resource *res, u64 offset,
					u64 len)
{
	struct virtgpu_sgt_backing *backing =
		virtgpu_sgt_resource_va(res)->backing;
	unsigned int i;
	int ret;

	lockdep_assert_held(&res->lock);

	for (i = 0; i < backing->count && len; i++) {
		struct virtgpu_sgt_piece *piece = &backing->pieces[i];
		u64 part;

		if (offset >= piece->len) {
			offset -= piece->len;
			continue;
		}

		part = min(len, piece->len - offset);
		ret = drm_sgt_sync_for_device(to_virtgpu_sgt_bo(piece->obj)->base.sgt,
					      piece->offset + offset, part);
		if (ret)
			return ret;
		offset = 0;
		len -= part;
	}
	return len ? -ERANGE : 0;
}

static void virtgpu_sgt_va_resource_destroy(struct virtgpu_sgt_resource *res)
{
	struct virtgpu_sgt_va_resource *va_res = virtgpu_sgt_resource_va(res);
	struct virtgpu_sgt_vm *vm = va_res->vm;

	virtgpu_sgt_va_resource_remove(va_res);
	if (va_res->backing)
		virtgpu_sgt_backing_put(va_res->backing);
	drm_gem_object_release(&va_res->base);
	kfree(va_res);
	drm_gpuvm_put(&vm->base);
}

/* Count a VA resource. -ENOSPC if there are too many. */
static int virtgpu_sgt_va_resources_enter(struct virtgpu_sgt_vm *vm)
{
	bool fits;

	spin_lock(&vm->va_res_lock);
	fits = vm->num_va_res < VIRTGPU_SGT_VM_MAX_RESOURCES;
	if (fits)
		vm->num_va_res++;
	spin_unlock(&vm->va_res_lock);

	if (fits)
		return 0;
	drm_dbg_driver(vm->vgdev->drm, "too many resources from VA\n");
	return -ENOSPC;
}

static void virtgpu_sgt_va_resources_leave(struct virtgpu_sgt_vm *vm)
{
	spin_lock(&vm->va_res_lock);
	vm->num_va_res--;
	spin_unlock(&vm->va_res_lock);
}

static void virtgpu_sgt_va_resource_free(struct drm_gem_object *obj)
{
	struct virtgpu_sgt_va_resource *va_res = to_virtgpu_sgt_va_resource(obj);

	/* Userspace has closed it: do not count it until the host answers the UNREF. */
	virtgpu_sgt_va_resources_leave(va_res->vm);
	virtgpu_sgt_resource_release(&va_res->res);
}

/* There is no memory to share. */
static struct dma_buf *virtgpu_sgt_va_resource_export(struct drm_gem_object *obj,
						      int flags)
{
	return ERR_PTR(-EINVAL);
}

static const struct virtgpu_sgt_resource_ops virtgpu_sgt_va_resource_ops = {
	.gem = {
		.free = virtgpu_sgt_va_resource_free,
		.export = virtgpu_sgt_va_resource_export,
	},
	.of_object = virtgpu_sgt_va_resource_resource,
	.attach = virtgpu_sgt_va_resource_attach,
	.prepare = virtgpu_sgt_va_resource_prepare,
	.attach_prepared = virtgpu_sgt_attach_run,
	.unprepare = virtgpu_sgt_attach_free,
	.sync = virtgpu_sgt_va_resource_sync,
	.free = virtgpu_sgt_va_resource_destroy,
};

static struct virtgpu_sgt_va_resource *
virtgpu_sgt_va_resource_alloc(struct virtgpu_sgt_vm *vm,
			      const struct drm_virtgpu_sgt_resource_from_va *args)
{
	struct virtgpu_sgt_va_resource *va_res;

	va_res = kzalloc(sizeof(*va_res), GFP_KERNEL_ACCOUNT);
	if (!va_res)
		return NULL;

	va_res->base.funcs = &virtgpu_sgt_va_resource_ops.gem;
	drm_gem_private_object_init(vm->vgdev->drm, &va_res->base, args->size);
	virtgpu_sgt_resource_init(&va_res->res, &va_res->base,
				  &virtgpu_sgt_va_resource_ops);
	va_res->res.format = args->format;
	va_res->res.width = args->width;
	va_res->res.height = args->height;
	va_res->va = args->va;
	va_res->last = args->va + args->size - 1;
	va_res->vm = vm;
	INIT_LIST_HEAD(&va_res->attaches);
	drm_gpuvm_get(&vm->base);

	virtgpu_sgt_va_resource_add(va_res);
	return va_res;
}

/* The VA resource is attached when this returns: waits for jobs, and for the host. */
static struct virtgpu_sgt_va_resource *
virtgpu_sgt_va_resource_create(struct virtgpu_sgt_vm *vm,
			       const struct drm_virtgpu_sgt_resource_from_va *args)
{
	struct virtgpu_sgt_va_resource *va_res;
	size_t needed;
	int ret;

	needed = array3_size(args->width, args->height, sizeof(u32));
	if (args->size < needed) {
		drm_dbg_driver(vm->vgdev->drm, "%llu bytes back a resource of %zu\n",
			       args->size, needed);
		return ERR_PTR(-EINVAL);
	}

	ret = virtgpu_sgt_va_resources_enter(vm);
	if (ret) {
		/* Closed VA resources may be waiting to be freed. */
		flush_workqueue(virtgpu_sgt_free_wq);
		ret = virtgpu_sgt_va_resources_enter(vm);
	}
	if (ret)
		return ERR_PTR(ret);

	va_res = virtgpu_sgt_va_resource_alloc(vm, args);
	if (!va_res) {
		virtgpu_sgt_va_resources_leave(vm);
		return ERR_PTR(-ENOMEM);
	}

	ret = virtgpu_sgt_resource_reserve(&va_res->res);
	if (!ret)
		ret = virtgpu_sgt_resource_attach(&va_res->res);
	if (ret) {
		drm_gem_object_put(&va_res->base);
		return ERR_PTR(ret);
	}
	return va_res;
}

static int
virtgpu_sgt_va_resource_check(struct drm_device *drm,
			      const struct drm_virtgpu_sgt_resource_from_va *args)
{
	if (args->flags) {
		drm_dbg_driver(drm, "unknown flags 0x%x of a resource\n", args->flags);
		return -EINVAL;
	}
	if (!virtgpu_sgt_resource_is_possible(args->format, args->width,
					      args->height)) {
		drm_dbg_driver(drm, "not a 2D resource: format %u, %ux%u\n",
			       args->format, args->width, args->height);
		return -EINVAL;
	}
	if (!virtgpu_sgt_vm_has_range(args->va, args->size)) {
		drm_dbg_driver(drm, "bad range 0x%llx + 0x%llx\n", args->va,
			       args->size);
		return -EINVAL;
	}
	return 0;
}

/**
 * virtgpu_sgt_resource_from_va_ioctl() - DRM_IOCTL_VIRTGPU_SGT_RESOURCE_FROM_VA
 * @drm: DRM device
 * @data: struct drm_virtgpu_sgt_resource_from_va
 * @file: open file
 *
 * Context: Process context. Waits for jobs, and for the host.
 * Return:
 * * %0       - success
 * * %-EINVAL - flags, format, size or range are invalid, or the range is smaller
 *   than width and height need
 * * %-EFAULT - part of the range is not mapped
 * * %-ENOSPC - the file has too many VA resources, or all numbers are in use
 * * %-EINTR, %-ERESTARTSYS - interrupted while waiting for jobs
 * * others   - see virtgpu_sgt_resource_make() and drm_gem_handle_create()
 */
int virtgpu_sgt_resource_from_va_ioctl(struct drm_device *drm, void *data,
				       struct drm_file *file)
{
	struct drm_virtgpu_sgt_resource_from_va *args = data;
	struct virtgpu_sgt_va_resource *va_res;
	struct virtgpu_sgt_vm *vm;
	u32 handle, res_id;
	int ret;

	ret = virtgpu_sgt_va_resource_check(drm, args);
	if (ret)
		return ret;

	vm = virtgpu_sgt_vm_of_file(to_virtgpu_sgt(drm), file);
	if (IS_ERR(vm))
		return PTR_ERR(vm);

	va_res = virtgpu_sgt_va_resource_create(vm, args);
	if (IS_ERR(va_res))
		return PTR_ERR(va_res);

	res_id = va_res->res.id;
	ret = drm_gem_handle_create(file, &va_res->base, &handle);
	drm_gem_object_put(&va_res->base);
	if (ret)
		return ret;

	args->res_handle = res_id;
	args->bo_handle = handle;
	return 0;
}
