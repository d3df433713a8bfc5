// SPDX-License-Identifier: GPL-2.0

#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_gpupt_fmt.h>
#include <drm/drm_print.h>
#include <drm/edu_gpu_drm.h>

#include "edu_gpu.h"

/* [book: config] */
static const struct drm_gpupt_config edu_gpu_gpupt_config = {
	.flush = edu_gpu_unit_flush,
	.max_tables = EDU_GPU_MAX_TABLES,
};

/* [end] */

/**
 * edu_gpu_open() - &drm_driver.open: create the address space of a file
 * @drm: DRM device
 * @file: the file
 *
 * Return: 0, -ENOMEM, or see drm_gpupt_space_init()
 */
/* [book: open] */
int edu_gpu_open(struct drm_device *drm, struct drm_file *file)
{
	struct edu_gpu_vm *vm __free(kfree) = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!vm)
		return -ENOMEM;

	vm->edu = container_of(drm, struct edu_gpu, drm);
	atomic_set(&vm->users, 1);
	ret = drm_gpupt_space_init(&vm->space, &drm_gpupt_vtd2, drm_gem_sgt_default_device(drm),
				   &edu_gpu_gpupt_config, vm->edu);
	if (!ret)
		file->driver_priv = no_free_ptr(vm);
	return ret;
}

/* [end] */

/**
 * edu_gpu_vm_put() - drop a user of an address space
 * @vm: the address space; at the last user, its file was closed
 */
void edu_gpu_vm_put(struct edu_gpu_vm *vm)
{
	if (atomic_dec_and_test(&vm->users))
		kfree(vm);
}

/**
 * edu_gpu_postclose() - &drm_driver.postclose: end the copies of a file, and its mappings
 * @drm: DRM device
 * @file: the file
 *
 * This frees buffers, which can wait for fences, so no job does it.
 */
/* [book: close] */
void edu_gpu_postclose(struct drm_device *drm, struct drm_file *file)
{
	struct edu_gpu_vm *vm = file->driver_priv;
	int idx;

	/* [step: 6] */
	/* A part of a copy may be in progress. */
	scoped_guard(mutex, &vm->edu->dma_lock)
		vm->closed = true;

	/* An unbind blocks the device as well. */
	if (drm_dev_enter(drm, &idx)) {
		edu_gpu_unit_detach(vm->edu, vm);
		drm_dev_exit(idx);
	}
	drm_gpupt_space_fini(&vm->space);
	edu_gpu_vm_put(vm);
}

/* [end] */

/* [book: map] */
/* [step: 5] */
static int edu_gpu_vm_map(struct edu_gpu_vm *vm, struct drm_file *file,
			  const struct drm_edu_gpu_vm_bind *args)
{
	u32 prot = args->flags & EDU_GPU_VM_BIND_READONLY ? 0 : DRM_GPUPT_WRITE;
	struct drm_gem_object *obj = drm_gem_object_lookup(file, args->handle);
	int ret;

	if (!obj)
		return -ENOENT;

	ret = drm_gpupt_space_map(&vm->space, to_drm_gem_sgt_obj(obj), args->va, args->len,
				  args->offset, prot, args->op == EDU_GPU_VM_BIND_REPLACE);
	drm_gem_object_put(obj);
	return ret;
}

/* [end] */

/* [step: 5] */
/**
 * edu_gpu_vm_bind_ioctl() - DRM_IOCTL_EDU_GPU_VM_BIND
 * @drm: DRM device
 * @data: struct drm_edu_gpu_vm_bind
 * @file: the file
 *
 * Return: see "edu_gpu interface" in edu_gpu_drm.h
 */
/* [book: bind] */
int edu_gpu_vm_bind_ioctl(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_edu_gpu_vm_bind *args = data;
	struct edu_gpu_vm *vm = file->driver_priv;
	bool map = args->op != EDU_GPU_VM_BIND_UNMAP;
	int idx, ret = -EINVAL;

	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;

	if (!args->pad && args->op <= EDU_GPU_VM_BIND_REPLACE &&
	    !(args->flags & ~(map ? EDU_GPU_VM_BIND_READONLY : 0)) &&
	    (map || (!args->handle && !args->offset)))
		ret = map ? edu_gpu_vm_map(vm, file, args) :
			    drm_gpupt_space_unmap(&vm->space, args->va, args->len);
	drm_dev_exit(idx);
	if (ret)
		drm_dbg(drm, "operation %u, flags %#x, handle %u, offset %#llx: %pe\n", args->op,
			args->flags, args->handle, args->offset, ERR_PTR(ret));
	return ret;
}

/* [end] */

/**
 * edu_gpu_show_fdinfo() - &drm_driver.show_fdinfo: the leaves of the address space
 * @p: printer
 * @file: the file
 */
void edu_gpu_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	struct edu_gpu_vm *vm = file->driver_priv;

	drm_gpupt_show_fdinfo(vm->space.pt, p, "edu");
}
