// SPDX-License-Identifier: GPL-2.0

#include <linux/err.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

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
#include "virtgpu_sgt_vm_types.h"

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

static int virtgpu_sgt_va_resource_attach(struct virtgpu_sgt_resource *res,
					  const struct drm_framebuffer *fb)
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

	/* Before the host answers: userspace has closed it. */
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
			      const struct virtgpu_sgt_va_resource_params *params)
{
	struct virtgpu_sgt_va_resource *va_res;

	va_res = kzalloc(sizeof(*va_res), GFP_KERNEL_ACCOUNT);
	if (!va_res)
		return NULL;

	drm_gem_private_object_init(vm->vgdev->drm, &va_res->base, params->size);
	virtgpu_sgt_resource_init(&va_res->res, &va_res->base,
				  &virtgpu_sgt_va_resource_ops);
	va_res->res.format = params->format;
	va_res->res.width = params->width;
	va_res->res.height = params->height;
	va_res->va = params->va;
	va_res->last = params->va + params->size - 1;
	va_res->vm = vm;
	INIT_LIST_HEAD(&va_res->attaches);
	drm_gpuvm_get(&vm->base);

	virtgpu_sgt_va_resource_add(va_res);
	return va_res;
}

/**
 * virtgpu_sgt_va_resource_create() - create a resource over a range of an address space
 * @vm: the address space
 * @params: parameters of the VA resource; the range is within @vm
 *
 * Waits for jobs, and for the host. The VA resource is attached when this returns.
 *
 * Context: Process context, not inside drm_dev_enter(): waits for the host.
 * Return: the VA resource, with one reference of its GEM object for the caller, or an
 * ERR_PTR():
 *
 * * %-EINVAL - the range is smaller than width and height need
 * * %-EFAULT - part of the range is not mapped
 * * %-ENOSPC - @vm has too many VA resources, or all numbers are in use
 * * %-EINTR, %-ERESTARTSYS - interrupted while waiting for jobs
 * * others   - see virtgpu_sgt_bo_create()
 */
struct virtgpu_sgt_va_resource *
virtgpu_sgt_va_resource_create(struct virtgpu_sgt_vm *vm,
			       const struct virtgpu_sgt_va_resource_params *params)
{
	struct virtgpu_sgt_va_resource *va_res;
	size_t needed;
	int ret;

	needed = array3_size(params->width, params->height, sizeof(u32));
	if (params->size < needed) {
		drm_dbg_driver(vm->vgdev->drm, "%llu bytes back a resource of %zu\n",
			       params->size, needed);
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

	va_res = virtgpu_sgt_va_resource_alloc(vm, params);
	if (!va_res) {
		virtgpu_sgt_va_resources_leave(vm);
		return ERR_PTR(-ENOMEM);
	}

	ret = virtgpu_sgt_resource_reserve(&va_res->res);
	if (!ret)
		ret = virtgpu_sgt_resource_attach(&va_res->res, NULL);
	if (ret) {
		drm_gem_object_put(&va_res->base);
		return ERR_PTR(ret);
	}
	return va_res;
}
