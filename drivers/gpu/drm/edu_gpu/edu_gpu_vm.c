// SPDX-License-Identifier: GPL-2.0

#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_gpupt_fmt.h>
#include <drm/drm_print.h>
#include <drm/edu_gpu_drm.h>

#include "edu_gpu.h"

/*
 * A map of a buffer, or what later unmaps have left of it: several ranges, maybe. Their
 * number needs no limit of its own, as each has a leaf in one of the limited tables.
 */
struct edu_gpu_mapping {
	struct drm_gem_object *obj;
	u64 bytes;
	/* in a list of those without bytes, to be freed */
	struct list_head entry;
};

/* [book: vm] */
static void edu_gpu_vm_flush(void *priv, const struct drm_gpupt_flush *flush)
{
	struct edu_gpu_vm *vm = priv;

	edu_gpu_unit_flush(vm->edu, flush->va, flush->len, flush->tables);
}

static const struct drm_gpupt_config edu_gpu_gpupt_config = {
	.flush = edu_gpu_vm_flush,
	.max_tables = EDU_GPU_MAX_TABLES,
};

/**
 * edu_gpu_open() - &drm_driver.open: create the address space of a file
 * @drm: DRM device
 * @file: the file
 *
 * Return: 0, -ENOMEM, or see drm_gpupt_create()
 */
int edu_gpu_open(struct drm_device *drm, struct drm_file *file)
{
	struct edu_gpu_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);

	if (!vm)
		return -ENOMEM;

	vm->pt = drm_gpupt_create(&drm_gpupt_vtd2, drm_gem_sgt_default_device(drm),
				  &edu_gpu_gpupt_config, vm);
	if (IS_ERR(vm->pt)) {
		int ret = PTR_ERR(vm->pt);

		kfree(vm);
		return ret;
	}
	kref_init(&vm->ref);
	vm->edu = to_edu_gpu(drm);
	vm->fence_context = dma_fence_context_alloc(1);
	mutex_init(&vm->lock);
	mt_init_flags(&vm->maps, MT_FLAGS_LOCK_EXTERN);
	mt_set_external_lock(&vm->maps, &vm->lock);
	file->driver_priv = vm;
	return 0;
}

/* [end] */

/* Subtract a range; add the mappings of which nothing is left to @unmapped. */
static void edu_gpu_vm_drop_locked(struct edu_gpu_vm *vm, u64 va, u64 end,
				   struct list_head *unmapped)
{
	MA_STATE(mas, &vm->maps, va, va);
	struct edu_gpu_mapping *mapping;

	lockdep_assert_held(&vm->lock);

	mas_for_each(&mas, mapping, end - 1) {
		mapping->bytes -= min(mas.last + 1, end) - max(mas.index, va);
		if (!mapping->bytes)
			list_add(&mapping->entry, unmapped);
		cond_resched();
	}
}

static void edu_gpu_mappings_free(struct list_head *unmapped)
{
	struct edu_gpu_mapping *mapping, *next;

	list_for_each_entry_safe(mapping, next, unmapped, entry) {
		drm_gem_object_put(mapping->obj);
		kfree(mapping);
		cond_resched();
	}
}

static void edu_gpu_vm_release(struct kref *ref)
{
	struct edu_gpu_vm *vm = container_of(ref, struct edu_gpu_vm, ref);
	LIST_HEAD(unmapped);
	int idx;

	/* An unbind blocks the device as well. */
	if (drm_dev_enter(&vm->edu->drm, &idx)) {
		edu_gpu_unit_detach(vm->edu, vm);
		drm_dev_exit(idx);
	}
	mutex_lock(&vm->lock);
	edu_gpu_vm_drop_locked(vm, 0, EDU_GPU_VA_SIZE, &unmapped);
	__mt_destroy(&vm->maps);
	mutex_unlock(&vm->lock);
	drm_gpupt_destroy(vm->pt);
	edu_gpu_mappings_free(&unmapped);
	kfree(vm);
}

struct edu_gpu_vm *edu_gpu_vm_get(struct edu_gpu_vm *vm)
{
	kref_get(&vm->ref);
	return vm;
}

void edu_gpu_vm_put(struct edu_gpu_vm *vm)
{
	kref_put(&vm->ref, edu_gpu_vm_release);
}

void edu_gpu_postclose(struct drm_device *drm, struct drm_file *file)
{
	struct edu_gpu_vm *vm = file->driver_priv;

	WRITE_ONCE(vm->closed, true);
	edu_gpu_vm_put(vm);
}

/* [book: map] */
static int edu_gpu_vm_map_locked(struct edu_gpu_vm *vm, struct edu_gpu_mapping *mapping,
				 const struct drm_edu_gpu_vm_bind *args,
				 struct list_head *unmapped)
{
	MA_STATE(mas, &vm->maps, args->va, args->va + args->len - 1);
	u32 prot = args->flags & EDU_GPU_VM_BIND_READONLY ? 0 : DRM_GPUPT_WRITE;
	struct drm_gem_sgt_object *bo = to_drm_gem_sgt_obj(mapping->obj);
	struct drm_gpupt_op op = {};
	int ret;

	lockdep_assert_held(&vm->lock);

	ret = drm_gem_sgt_map(bo);
	if (ret)
		return ret;

	drm_sgt_access_scope(view, bo->sgt, ret) {
		if (args->op == EDU_GPU_VM_BIND_REPLACE)
			ret = drm_gpupt_prepare_replace(vm->pt, &op, args->va, args->len, view,
							args->offset, prot);
		else
			ret = drm_gpupt_prepare_map(vm->pt, &op, args->va, args->len, view,
						    args->offset, prot);
		if (!ret)
			ret = mas_preallocate(&mas, mapping, GFP_KERNEL_ACCOUNT);
		if (ret) {
			drm_gpupt_abort(&op);
			break;
		}
		edu_gpu_vm_drop_locked(vm, args->va, args->va + args->len, unmapped);
		mas_store_prealloc(&mas, mapping);
		drm_gpupt_commit_map(&op, view);
	}
	drm_gpupt_op_fini(&op);
	return ret;
}

/* [end] */

static int edu_gpu_vm_map(struct edu_gpu_vm *vm, struct drm_file *file,
			  const struct drm_edu_gpu_vm_bind *args)
{
	struct edu_gpu_mapping *mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	LIST_HEAD(unmapped);
	int ret = -ENOENT;

	if (!mapping)
		return -ENOMEM;

	mapping->bytes = args->len;
	mapping->obj = drm_gem_object_lookup(file, args->handle);
	if (mapping->obj) {
		mutex_lock(&vm->lock);
		ret = edu_gpu_vm_map_locked(vm, mapping, args, &unmapped);
		mutex_unlock(&vm->lock);
	}
	edu_gpu_mappings_free(&unmapped);
	if (!ret)
		return 0;

	drm_dbg(&vm->edu->drm, "map of handle %u: %pe\n", args->handle, ERR_PTR(ret));
	if (mapping->obj)
		drm_gem_object_put(mapping->obj);
	kfree(mapping);
	return ret;
}

/* [book: unmap] */
static int edu_gpu_vm_unmap_locked(struct edu_gpu_vm *vm,
				   const struct drm_edu_gpu_vm_bind *args,
				   struct list_head *unmapped)
{
	MA_STATE(mas, &vm->maps, args->va, args->va + args->len - 1);
	struct drm_gpupt_op op = {};
	int ret;

	lockdep_assert_held(&vm->lock);

	ret = drm_gpupt_prepare_unmap(vm->pt, &op, args->va, args->len);
	if (ret)
		return ret;
	ret = mas_preallocate(&mas, NULL, GFP_KERNEL_ACCOUNT);
	if (ret) {
		drm_gpupt_abort(&op);
		return ret;
	}

	edu_gpu_vm_drop_locked(vm, args->va, args->va + args->len, unmapped);
	mas_store_prealloc(&mas, NULL);
	drm_gpupt_commit(&op);
	drm_gpupt_op_fini(&op);
	return 0;
}

/* [end] */

static int edu_gpu_vm_unmap(struct edu_gpu_vm *vm, const struct drm_edu_gpu_vm_bind *args)
{
	LIST_HEAD(unmapped);
	int ret;

	scoped_guard(mutex, &vm->lock)
		ret = edu_gpu_vm_unmap_locked(vm, args, &unmapped);
	edu_gpu_mappings_free(&unmapped);
	return ret;
}

/**
 * edu_gpu_vm_bind_ioctl() - DRM_IOCTL_EDU_GPU_VM_BIND
 * @drm: DRM device
 * @data: struct drm_edu_gpu_vm_bind
 * @file: the file
 *
 * Return: see "edu_gpu interface" in edu_gpu_drm.h
 */
int edu_gpu_vm_bind_ioctl(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_edu_gpu_vm_bind *args = data;
	struct edu_gpu_vm *vm = file->driver_priv;
	bool map = args->op != EDU_GPU_VM_BIND_UNMAP;
	int idx, ret;

	if (args->pad || args->op > EDU_GPU_VM_BIND_REPLACE ||
	    args->flags & ~(map ? EDU_GPU_VM_BIND_READONLY : 0) ||
	    (!map && (args->handle || args->offset))) {
		drm_dbg(drm, "operation %u, flags %#x, handle %u, offset %#llx\n", args->op,
			args->flags, args->handle, args->offset);
		return -EINVAL;
	}
	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;

	ret = map ? edu_gpu_vm_map(vm, file, args) : edu_gpu_vm_unmap(vm, args);
	drm_dev_exit(idx);
	return ret;
}

/**
 * edu_gpu_show_fdinfo() - &drm_driver.show_fdinfo: the leaves of the address space
 * @p: printer
 * @file: the file
 */
void edu_gpu_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	struct edu_gpu_vm *vm = file->driver_priv;
	struct drm_gpupt_info info;

	if (drm_gpupt_get_info(vm->pt, &info))
		return;
	drm_printf(p, "edu-tables:\t%lu\n", info.tables);
	drm_printf(p, "edu-leaves-4k:\t%llu\nedu-leaves-2m:\t%llu\nedu-leaves-1g:\t%llu\n",
		   info.leaves[0], info.leaves[1], info.leaves[2]);
}
