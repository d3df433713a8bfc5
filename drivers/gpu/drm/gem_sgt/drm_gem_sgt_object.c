// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_mode.h>
#include <drm/drm_sgt_version.h>
#include <drm/drm_vma_manager.h>

#include "drm_gem_sgt_debugfs.h"
#include "drm_gem_sgt_huge.h"
#include "drm_gem_sgt_object.h"
#include "drm_gem_sgt_shrinker.h"
#include "drm_sgt_table.h"

/**
 * DOC: GEM overview
 *
 * A &struct drm_gem_sgt_object is a GEM object in shmem that owns a &struct
 * drm_sgt. The interface follows that of the shmem helper (&struct
 * drm_gem_shmem_object), so that converting a driver is mechanical. It differs in
 * three points:
 *
 * * the driver requests the DMA mapping, by drm_gem_sgt_map(), and it ends at unbind;
 * * the mapping is for the DMA device of a &struct drm_sgt_device, which need not be
 *   the parent of the DRM device;
 * * there is no array of pages and no public &struct sg_table: pages are found
 *   in the page cache, DMA addresses in an access section on
 *   &drm_gem_sgt_object.sgt.
 *
 * An object can also be an import: see drm_gem_sgt_prime_import().
 *
 * Pages are allocated by the first of drm_gem_sgt_map(), drm_gem_sgt_pin(),
 * drm_gem_sgt_vmap_locked(), drm_gem_sgt_mmap() and the attachment of an
 * importer. Each of these but mmap keeps the pages until it is undone. After that, a
 * driver can give them back with drm_sgt_depopulate(), and a process that has mapped the
 * object gets them again by a fault; drm_gem_sgt_free() frees them in any case.
 * All but drm_gem_sgt_map() work after unbind, too: CPU mappings and dma-bufs
 * outlive the device.
 */

static const struct drm_gem_object_funcs drm_gem_sgt_funcs = {
	.free = drm_gem_sgt_object_free,
	.export = drm_gem_sgt_prime_export,
	.print_info = drm_gem_sgt_object_print_info,
	.pin = drm_gem_sgt_object_pin,
	.unpin = drm_gem_sgt_object_unpin,
	.get_sg_table = drm_gem_sgt_object_get_sg_table,
	.vmap = drm_gem_sgt_object_vmap,
	.vunmap = drm_gem_sgt_object_vunmap,
	.mmap = drm_gem_sgt_object_mmap,
	.status = drm_gem_sgt_object_status,
	.vm_ops = &drm_gem_sgt_vm_ops,
};

/* The memory of an object, with its funcs; freed by kfree(). */
struct drm_gem_sgt_object *drm_gem_sgt_alloc(struct drm_device *dev, size_t size)
{
	struct drm_gem_sgt_object *bo;
	struct drm_gem_object *obj;

	if (dev->driver->gem_create_object) {
		obj = dev->driver->gem_create_object(dev, size);
		if (IS_ERR(obj))
			return ERR_CAST(obj);
		bo = to_drm_gem_sgt_obj(obj);
	} else {
		bo = kzalloc(sizeof(*bo), GFP_KERNEL_ACCOUNT);
		if (!bo)
			return ERR_PTR(-ENOMEM);
	}

	if (!bo->base.funcs)
		bo->base.funcs = &drm_gem_sgt_funcs;
	return bo;
}

/*
 * The object can be large: fail rather than invoke the OOM killer, and print no backtrace,
 * as the caller gets -ENOMEM. Zones that a device needs are not in high memory.
 */
static gfp_t drm_gem_sgt_gfp(const struct drm_sgt_device *sdev)
{
	gfp_t zone = drm_sgt_device_zone(sdev);

	return (zone ? GFP_USER | zone : GFP_HIGHUSER) | __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
}

/* Create a table of a new file. The caller gets a reference to the file in @filp. */
static struct drm_sgt *drm_gem_sgt_create_table(struct drm_sgt_device *sdev,
						size_t size, struct file **filp)
{
	struct drm_sgt *sgt;

	*filp = drm_gem_sgt_file_create(size);
	if (IS_ERR(*filp))
		return ERR_CAST(*filp);

	mapping_set_gfp_mask((*filp)->f_mapping, drm_gem_sgt_gfp(sdev));
	sgt = drm_sgt_create_shmem_own(sdev, *filp, size);
	if (IS_ERR(sgt))
		fput(*filp);
	return sgt;
}

/* From here on, the object owns the table and the reference to the file. */
static void drm_gem_sgt_complete(struct drm_device *dev, struct drm_gem_sgt_object *bo,
				 struct drm_sgt *sgt, struct file *filp)
{
	drm_gem_private_object_init(dev, &bo->base, drm_sgt_size(sgt));
	bo->base.filp = filp;
	bo->sgt = sgt;
	sgt->want_wc = bo->map_wc;
	sgt->zap = drm_gem_sgt_zap;
	sgt->populated = drm_gem_sgt_lru_populated;
	sgt->arg = &bo->base;
	drm_gem_sgt_lru_init(bo);
	drm_gem_sgt_debugfs_add(bo);
}

/* Create the object after the table, as only the driver can free its object. */
static struct drm_gem_sgt_object *
drm_gem_sgt_create_shmem(struct drm_device *dev, struct drm_sgt_device *sdev,
			 size_t size)
{
	struct drm_gem_sgt_object *bo;
	struct drm_sgt *sgt;
	struct file *filp;

	sgt = drm_gem_sgt_create_table(sdev, size, &filp);
	if (IS_ERR(sgt))
		return ERR_CAST(sgt);

	bo = drm_gem_sgt_alloc(dev, size);
	if (IS_ERR(bo)) {
		fput(filp);
		drm_sgt_free(sgt);
		return bo;
	}

	drm_gem_sgt_complete(dev, bo, sgt, filp);
	return bo;
}

/* Rounds @size up to whole pages. */
static int drm_gem_sgt_check_size(struct drm_device *dev, size_t *size)
{
	if (!*size) {
		drm_dbg(dev, "size 0\n");
		return -EINVAL;
	}
	if (*size > SIZE_MAX - PAGE_SIZE ||
	    (*size - 1) >> PAGE_SHIFT >= DRM_SGT_MAX_PAGES) {
		drm_dbg(dev, "size %zu is more than a table can list\n", *size);
		return -E2BIG;
	}

	*size = PAGE_ALIGN(*size);
	return 0;
}

/**
 * drm_gem_sgt_create() - make a GEM object
 * @dev: DRM device
 * @sdev: the device that it will be mapped for
 * @size: bytes, not 0; rounded up to whole pages
 *
 * Calls &drm_driver.gem_create_object, if there is one, to allocate the object: with
 * kzalloc(), with a &struct drm_gem_sgt_object as first member, and with
 * &drm_gem_object.funcs set if they are not the default ones. If something fails
 * afterwards, &drm_gem_object_funcs.free is called. A driver whose userspace can make
 * many objects allocates them with GFP_KERNEL_ACCOUNT, as the layer allocates all else
 * for an object. No page is allocated yet; shmem charges pages to the task that
 * populates.
 *
 * Ownership: the caller has the first reference.
 *
 * Context: Process context, may sleep.
 * Return:
 * * the object, or an ERR_PTR() of an errno below
 * * %-EINVAL - @size is 0
 * * %-E2BIG  - @size is more than a table can list
 * * %-ENOMEM - out of memory
 * * %-ENOSPC - out of mmap offsets; or out of memory for an inode of shmem
 * * %-ENFILE - out of files
 */
struct drm_gem_sgt_object *drm_gem_sgt_create(struct drm_device *dev,
					      struct drm_sgt_device *sdev,
					      size_t size)
{
	struct drm_gem_sgt_object *bo;
	int ret;

	ret = drm_gem_sgt_check_size(dev, &size);
	if (ret)
		return ERR_PTR(ret);

	bo = drm_gem_sgt_create_shmem(dev, sdev, size);
	if (IS_ERR(bo))
		return bo;

	ret = drm_gem_create_mmap_offset(&bo->base);
	if (ret) {
		drm_gem_object_put(&bo->base);
		return ERR_PTR(ret);
	}
	return bo;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_create);

/**
 * drm_gem_sgt_init() - make a GEM object of memory of the caller
 * @dev: DRM device
 * @bo: the object, zeroed, with &drm_gem_object.funcs set
 * @sdev: the device that it will be mapped for
 * @size: bytes, not 0; rounded up to whole pages
 *
 * For an object that the driver allocates by itself, where drm_gem_sgt_create() would
 * call &drm_driver.gem_create_object. Its &drm_gem_object_funcs.free calls
 * drm_gem_sgt_release(), and then frees the memory in the way it was allocated.
 *
 * Ownership: the caller has the first reference. On an error, @bo is not an object,
 * and the caller frees its memory.
 *
 * Context: Process context, may sleep.
 * Return: 0, or see drm_gem_sgt_create()
 */
int drm_gem_sgt_init(struct drm_device *dev, struct drm_gem_sgt_object *bo,
		     struct drm_sgt_device *sdev, size_t size)
{
	struct drm_sgt *sgt;
	struct file *filp;
	int ret;

	ret = drm_gem_sgt_check_size(dev, &size);
	if (ret)
		return ret;

	sgt = drm_gem_sgt_create_table(sdev, size, &filp);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	drm_gem_sgt_complete(dev, bo, sgt, filp);
	ret = drm_gem_create_mmap_offset(&bo->base);
	if (ret)
		drm_gem_sgt_release(bo);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_init);

/**
 * drm_gem_sgt_release() - free all of a GEM object but the structure
 * @bo: the object, whose last reference was dropped
 *
 * For &drm_gem_object_funcs.free of an object that the driver has allocated for
 * drm_gem_sgt_init(). The device must no longer use the object: the driver has stopped
 * it, or is unbound.
 *
 * Context: Process context, may sleep. Takes the resv of the dma-buf, if @bo is an
 * import: do not drop the last reference while holding that resv.
 */
void drm_gem_sgt_release(struct drm_gem_sgt_object *bo)
{
	drm_WARN_ON(bo->base.dev, bo->vmap_count);

	drm_gem_sgt_debugfs_remove(bo);
	drm_gem_sgt_lru_remove(bo);
	/*
	 * Drop the reference to the file first, so that the table holds the last one
	 * and discards the pages.
	 */
	drm_gem_object_release(&bo->base);
	drm_sgt_free(bo->sgt);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_release);

/**
 * drm_gem_sgt_free() - free a GEM object
 * @bo: the object, whose last reference was dropped
 *
 * For &drm_gem_object_funcs.free, as its last call: drm_gem_sgt_release(), and kfree()
 * of the structure.
 *
 * Context: As drm_gem_sgt_release().
 */
void drm_gem_sgt_free(struct drm_gem_sgt_object *bo)
{
	drm_gem_sgt_release(bo);
	kfree(bo);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_free);

/**
 * drm_gem_sgt_create_with_handle() - make a GEM object for userspace
 * @file: whose handle it is
 * @dev: DRM device
 * @sdev: the device that it will be mapped for
 * @size: bytes, not 0; rounded up to whole pages
 * @handle: filled
 *
 * For an object that needs no more set-up by the driver. Otherwise, the driver calls
 * drm_gem_sgt_create(), and creates the handle last.
 *
 * Ownership: the handle has the only reference.
 *
 * Context: Process context, may sleep.
 * Return:
 * * %0       - @handle is valid
 * * %-ENOSPC - out of handles
 * * or see drm_gem_sgt_create()
 */
int drm_gem_sgt_create_with_handle(struct drm_file *file, struct drm_device *dev,
				   struct drm_sgt_device *sdev, size_t size,
				   u32 *handle)
{
	struct drm_gem_sgt_object *bo;
	int ret;

	bo = drm_gem_sgt_create(dev, sdev, size);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	ret = drm_gem_handle_create(file, &bo->base, handle);
	drm_gem_object_put(&bo->base);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_create_with_handle);

/**
 * drm_gem_sgt_dumb_args() - check and complete the arguments of a dumb buffer
 * @dev: DRM device
 * @args: width, height and bpp are read, pitch and size are set
 *
 * Rows follow each other without a gap: the pitch is the width in bytes.
 * Drivers with other requirements set pitch and size themselves.
 *
 * Context: Any.
 * Return:
 * * %0       - @args is complete
 * * %-EINVAL - width, height or bpp is 0, or flags are set: none are defined
 * * %-EOVERFLOW - the pitch or the size does not fit into its type
 */
int drm_gem_sgt_dumb_args(struct drm_device *dev,
			  struct drm_mode_create_dumb *args)
{
	/* Not DIV_ROUND_UP(), which overflows. */
	u32 cpp = args->bpp / 8 + !!(args->bpp % 8);
	u64 size;

	if (!args->width || !args->height || !args->bpp || args->flags) {
		drm_dbg(dev, "dumb buffer of %ux%u, %u bpp, flags %#x\n",
			args->width, args->height, args->bpp, args->flags);
		return -EINVAL;
	}
	if (check_mul_overflow(args->width, cpp, &args->pitch) ||
	    check_mul_overflow((u64)args->pitch, (u64)args->height, &size) ||
	    size > SIZE_MAX - PAGE_SIZE) {
		drm_dbg(dev, "dumb buffer of %ux%u, %u bpp does not fit\n",
			args->width, args->height, args->bpp);
		return -EOVERFLOW;
	}

	args->size = PAGE_ALIGN(size);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_dumb_args);

/**
 * drm_gem_sgt_dumb_create() - make a dumb buffer
 * @file: whose handle it is
 * @dev: DRM device
 * @sdev: the device that it will be mapped for
 * @args: as for &drm_driver.dumb_create
 *
 * For &drm_driver.dumb_create, from a callback that knows @sdev.
 *
 * Ownership: the handle has the only reference.
 *
 * Context: Process context, may sleep.
 * Return: 0, or see drm_gem_sgt_dumb_args() and
 * drm_gem_sgt_create_with_handle()
 */
int drm_gem_sgt_dumb_create(struct drm_file *file, struct drm_device *dev,
			    struct drm_sgt_device *sdev,
			    struct drm_mode_create_dumb *args)
{
	int ret;

	ret = drm_gem_sgt_dumb_args(dev, args);
	if (ret)
		return ret;

	return drm_gem_sgt_create_with_handle(file, dev, sdev, args->size,
					      &args->handle);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_dumb_create);

static int drm_gem_sgt_check_can_mmap(const struct drm_gem_object *obj)
{
	if (!obj->funcs->mmap) {
		drm_dbg(obj->dev, "no memory to map\n");
		return -EINVAL;
	}
	if (drm_gem_is_imported(obj) && !obj->import_attach->dmabuf->ops->mmap) {
		drm_dbg(obj->dev, "%s maps no buffer into a process\n",
			obj->import_attach->dmabuf->exp_name);
		return -EOPNOTSUPP;
	}
	return 0;
}

/**
 * drm_gem_sgt_dumb_map_offset() - the mmap offset of an object in the DRM file
 * @file: whose handle it is
 * @dev: DRM device
 * @handle: handle of the object
 * @offset: filled
 *
 * For &drm_driver.dumb_map_offset. Unlike drm_gem_dumb_map_offset(), it refuses an
 * object without &drm_gem_object_funcs.mmap, and an import only if its exporter
 * cannot map it.
 *
 * Context: Process context, may sleep.
 * Return:
 * * %0       - @offset is valid
 * * %-ENOENT - there is no such handle
 * * %-EINVAL - the object cannot be mapped
 * * %-EOPNOTSUPP - the object is an import, whose exporter has no &dma_buf_ops.mmap
 * * %-ENOSPC - out of mmap offsets
 */
int drm_gem_sgt_dumb_map_offset(struct drm_file *file, struct drm_device *dev,
				u32 handle, u64 *offset)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(file, handle);
	int ret;

	if (!obj)
		return -ENOENT;

	ret = drm_gem_sgt_check_can_mmap(obj);
	if (!ret)
		ret = drm_gem_create_mmap_offset(obj);
	if (!ret)
		*offset = drm_vma_node_offset_addr(&obj->vma_node);
	drm_gem_object_put(obj);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_dumb_map_offset);

static enum drm_sgt_state drm_gem_sgt_resident_state(const struct drm_gem_sgt_object *bo)
{
	return drm_gem_sgt_is_import(bo) ? DRM_SGT_MAPPED : DRM_SGT_BACKED;
}

/**
 * drm_gem_sgt_status() - the status of an object in the fdinfo of a DRM file
 * @bo: the object
 *
 * For &drm_gem_object_funcs.status, which drm_show_memory_stats() calls under a
 * spinlock. An object is resident while it has pages; an import, while it is mapped.
 *
 * Context: Process context; does not sleep.
 * Return: %DRM_GEM_OBJECT_RESIDENT and %DRM_GEM_OBJECT_PURGEABLE, or those of them that
 * apply: see drm_gem_sgt_is_purgeable()
 */
enum drm_gem_object_status drm_gem_sgt_status(const struct drm_gem_sgt_object *bo)
{
	bool resident = drm_sgt_get_state(bo->sgt) >= drm_gem_sgt_resident_state(bo);

	return (resident ? DRM_GEM_OBJECT_RESIDENT : 0) |
	       (drm_gem_sgt_is_purgeable(bo) ? DRM_GEM_OBJECT_PURGEABLE : 0);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_status);

/**
 * drm_gem_sgt_print_info() - print a buffer in /sys/kernel/debug/dri/N/framebuffer
 * @bo: the object
 * @p: DRM printer
 * @indent: tabs before each line
 *
 * Among others, the bytes that are resident, as in drm_gem_sgt_status(), and those that the
 * device can see.
 *
 * Context: Process context; does not sleep, unless @p does. The counts are read
 * without the resv, and may be out of date.
 */
void drm_gem_sgt_print_info(const struct drm_gem_sgt_object *bo,
			    struct drm_printer *p, unsigned int indent)
{
	struct drm_sgt_info info;

	drm_sgt_get_info(bo->sgt, &info);
	drm_printf_indent(p, indent, "pin_count=%u\n", bo->pin_count);
	drm_printf_indent(p, indent, "vmap_count=%u\n", bo->vmap_count);
	drm_printf_indent(p, indent, "vaddr=%p\n", bo->vaddr);
	drm_printf_indent(p, indent, "resident=%llu\n",
			  info.state >= drm_gem_sgt_resident_state(bo) ? info.size : 0);
	drm_printf_indent(p, indent, "mapped=%llu\n",
			  info.state == DRM_SGT_MAPPED ? info.size : 0);
	drm_printf_indent(p, indent, "folios=%lu\n", info.folios);
	drm_printf_indent(p, indent, "cpu_ents=%u\n", info.cpu_ents);
	drm_printf_indent(p, indent, "dma_segs=%u\n", info.dma_segs);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_print_info);

static int __init drm_gem_sgt_module_init(void)
{
	int ret;

	ret = drm_gem_sgt_shrinkers_init();
	if (ret)
		return ret;

	drm_gem_sgt_huge_init();
	drm_gem_sgt_debugfs_init();
	return 0;
}
module_init(drm_gem_sgt_module_init);

static void __exit drm_gem_sgt_module_exit(void)
{
	/* The release of a fence may be on its way out of the module. */
	synchronize_rcu_tasks();
	drm_gem_sgt_debugfs_fini();
	drm_gem_sgt_huge_fini();
	drm_gem_sgt_shrinkers_fini();
}
module_exit(drm_gem_sgt_module_exit);

/* Spelled out: since 6.13, and not before, MODULE_IMPORT_NS() takes a string. */
MODULE_INFO(import_ns, "DMA_BUF");
MODULE_DESCRIPTION("GEM objects whose DMA mappings end with the device");
MODULE_VERSION(DRM_SGT_VERSION);
MODULE_LICENSE("GPL");
