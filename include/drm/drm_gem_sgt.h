/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GEM_SGT_H__
#define __DRM_GEM_SGT_H__

#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <drm/drm_gem.h>
#include <drm/drm_sgt.h>

struct device;
struct dma_buf;
struct drm_device;
struct drm_file;
struct drm_gem_sgt_shrinker;
struct drm_mode_create_dumb;
struct drm_printer;
struct file;
struct iosys_map;
struct sg_table;

/**
 * struct drm_gem_sgt_object - a GEM object in shmem, with a table of its own
 *
 * Drivers embed it, and allocate their object in &drm_driver.gem_create_object.
 */
struct drm_gem_sgt_object {
	/** @base: the GEM object; its resv protects members as noted below */
	struct drm_gem_object base;

	/**
	 * @sgt: pages, table and mapping, or the import of a dma-buf; set once
	 * by the constructor; has a lock of its own
	 */
	struct drm_sgt *sgt;

	/**
	 * @map_wc: CPU mappings are write-combined, see "caching". Drivers set it in
	 * &drm_driver.gem_create_object, and later with drm_gem_sgt_set_map_wc();
	 * ignored for an import
	 */
	bool map_wc;

	/**
	 * @moved: the callback of drm_gem_sgt_prime_import_dynamic(); constant, NULL for
	 * others
	 */
	void (*moved)(struct drm_gem_sgt_object *bo);

	/** @pin_count: pins of the pages; protected by the resv */
	unsigned int pin_count;

	/** @vmap_count: kernel mappings; protected by the resv */
	unsigned int vmap_count;

	/**
	 * @vaddr: kernel address of our own pages while @vmap_count > 0;
	 * protected by the resv
	 */
	void *vaddr;

	/**
	 * @madv: 0 while userspace needs the bytes, greater than 0 while it does not,
	 * negative once they were purged; protected by the resv
	 */
	int madv;

	/** @shared: drm_gem_sgt_prime_export() has exported the object; never reset */
	bool shared;

	/** @shrinker: of the DRM device, or NULL; constant */
	struct drm_gem_sgt_shrinker *shrinker;

	/** @put: drops a reference that reclaim has taken, if that is the last one */
	struct work_struct put;

	/* private: for the debugfs list of live objects, under the lock of the list */
	struct list_head live;
	unsigned int minor;
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

#define to_drm_gem_sgt_obj(obj) \
	container_of_const(obj, struct drm_gem_sgt_object, base)

struct drm_gem_sgt_object * __must_check
drm_gem_sgt_create(struct drm_device *dev, struct drm_sgt_device *sdev,
		   size_t size);
int __must_check
drm_gem_sgt_create_with_handle(struct drm_file *file, struct drm_device *dev,
			       struct drm_sgt_device *sdev, size_t size,
			       u32 *handle);
void drm_gem_sgt_free(struct drm_gem_sgt_object *bo);
int __must_check
drm_gem_sgt_init(struct drm_device *dev, struct drm_gem_sgt_object *bo,
		 struct drm_sgt_device *sdev, size_t size);
void drm_gem_sgt_release(struct drm_gem_sgt_object *bo);

int __must_check drm_gem_sgt_set_map_wc(struct drm_gem_sgt_object *bo, bool wc);
int __must_check drm_gem_sgt_map(struct drm_gem_sgt_object *bo);
int __must_check drm_gem_sgt_map_attrs(struct drm_gem_sgt_object *bo,
				       enum dma_data_direction dir, unsigned long attrs);
int __must_check drm_gem_sgt_pin_locked(struct drm_gem_sgt_object *bo);
void drm_gem_sgt_unpin_locked(struct drm_gem_sgt_object *bo);
int __must_check drm_gem_sgt_pin(struct drm_gem_sgt_object *bo);
void drm_gem_sgt_unpin(struct drm_gem_sgt_object *bo);
int __must_check drm_gem_sgt_vmap_locked(struct drm_gem_sgt_object *bo,
					 struct iosys_map *map);
void drm_gem_sgt_vunmap_locked(struct drm_gem_sgt_object *bo,
			       struct iosys_map *map);
int drm_gem_sgt_mmap(struct drm_gem_sgt_object *bo, struct vm_area_struct *vma);
struct sg_table *drm_gem_sgt_get_sg_table(struct drm_gem_sgt_object *bo);
enum drm_gem_object_status drm_gem_sgt_status(const struct drm_gem_sgt_object *bo);
void drm_gem_sgt_print_info(const struct drm_gem_sgt_object *bo,
			    struct drm_printer *p, unsigned int indent);

bool drm_gem_sgt_is_import(const struct drm_gem_sgt_object *bo);
struct dma_buf *drm_gem_sgt_prime_export(struct drm_gem_object *obj, int flags);
struct drm_gem_object * __must_check
drm_gem_sgt_prime_import(struct drm_device *dev, struct drm_sgt_device *sdev,
			 struct dma_buf *dma_buf, enum dma_data_direction dir);
struct drm_gem_object * __must_check
drm_gem_sgt_prime_import_dynamic(struct drm_device *dev, struct drm_sgt_device *sdev,
				 struct dma_buf *dma_buf, enum dma_data_direction dir,
				 void (*moved)(struct drm_gem_sgt_object *bo));

int drm_gem_sgt_dumb_map_offset(struct drm_file *file, struct drm_device *dev,
				u32 handle, u64 *offset);
int drm_gem_sgt_dumb_create(struct drm_file *file, struct drm_device *dev,
			    struct drm_sgt_device *sdev,
			    struct drm_mode_create_dumb *args);
int drm_gem_sgt_dumb_args(struct drm_device *dev,
			  struct drm_mode_create_dumb *args);

extern const struct vm_operations_struct drm_gem_sgt_vm_ops;

/* drm_gem_sgt_reclaim.c */

int drm_gem_sgt_madvise_locked(struct drm_gem_sgt_object *bo, int madv);
bool drm_gem_sgt_is_purgeable(const struct drm_gem_sgt_object *bo);
int drm_gem_sgt_purge_locked(struct drm_gem_sgt_object *bo);
int drm_gem_sgt_evict_locked(struct drm_gem_sgt_object *bo);

/* drm_gem_sgt_shrinker.c */

/**
 * struct drm_gem_sgt_shrinker_ops - what a driver does for its shrinker
 */
struct drm_gem_sgt_shrinker_ops {
	/**
	 * @idle: stop the device from using an object that is mapped
	 *
	 * Optional. Removes the object from page tables and host copies, or returns a
	 * negative errno, such as -EBUSY, if the device may be using it. As a rule, the
	 * mapping ends after that, as with drm_gem_sgt_evict_locked(): the callback calls
	 * drm_sgt_sync_for_cpu() if the device has written, for a bounce buffer. Called in
	 * reclaim, with the resv locked: allocates nothing that enters reclaim, takes locks
	 * under which that happens by trylock only, and waits for no fence. Called inside a
	 * section of the device, for an object that is mapped, so never after the unbind. A
	 * driver with this callback holds the resv from drm_gem_sgt_map() until the fence
	 * of the job is in it. One without jobs counts uses instead, the first one under the
	 * resv and before drm_gem_sgt_map(), and returns -EBUSY while there are any.
	 */
	int (*idle)(struct drm_gem_sgt_object *bo);
};

int __must_check
drmm_gem_sgt_shrinker_init(struct drm_device *drm,
			   const struct drm_gem_sgt_shrinker_ops *ops);

/* drm_gem_sgt_default.c */

int __must_check drmm_gem_sgt_init(struct drm_device *drm,
				   struct drm_sgt_device *sdev);
int __must_check devm_drm_gem_sgt_init(struct drm_device *drm, struct device *owner,
				       struct device *dma_dev);
struct drm_sgt_device *drm_gem_sgt_default_device(struct drm_device *drm);
int drm_gem_sgt_driver_dumb_create(struct drm_file *file, struct drm_device *drm,
				   struct drm_mode_create_dumb *args);
struct drm_gem_object * __must_check
drm_gem_sgt_driver_prime_import(struct drm_device *drm, struct dma_buf *dma_buf);

/**
 * DRM_GEM_SGT_DRIVER_OPS - the callbacks of &struct drm_driver for buffers
 *
 * For a driver with a default device: see devm_drm_gem_sgt_init(). Imports are mapped
 * for both directions: see drm_gem_sgt_driver_prime_import().
 */
#define DRM_GEM_SGT_DRIVER_OPS					\
	.dumb_create = drm_gem_sgt_driver_dumb_create,		\
	.dumb_map_offset = drm_gem_sgt_dumb_map_offset,		\
	.gem_prime_import = drm_gem_sgt_driver_prime_import

/* drm_gem_sgt_huge.c */

unsigned long drm_gem_sgt_get_unmapped_area(struct file *filp, unsigned long addr,
					    unsigned long len, unsigned long pgoff,
					    unsigned long flags);

/**
 * DRM_GEM_SGT_FOPS - the callbacks of &struct file_operations
 *
 * Those of DRM_GEM_FOPS, and mappings that are aligned to huge pages: see "huge pages".
 * They are spelled out, as the DRM_GEM_FOPS of some kernels has a get_unmapped_area, too.
 */
#define DRM_GEM_SGT_FOPS					\
	.open = drm_open,					\
	.release = drm_release,					\
	.unlocked_ioctl = drm_ioctl,				\
	.compat_ioctl = drm_compat_ioctl,			\
	.poll = drm_poll,					\
	.read = drm_read,					\
	.llseek = noop_llseek,					\
	.get_unmapped_area = drm_gem_sgt_get_unmapped_area,	\
	.mmap = drm_gem_mmap,					\
	.fop_flags = FOP_UNSIGNED_OFFSET

/**
 * DEFINE_DRM_GEM_SGT_FOPS() - define the file operations of a driver
 * @name: of the static structure, for &drm_driver.fops
 *
 * Those of DRM_GEM_SGT_FOPS, and drm_show_fdinfo() of drm_file.h, which calls
 * &drm_driver.show_fdinfo.
 */
#define DEFINE_DRM_GEM_SGT_FOPS(name)				\
	static const struct file_operations name = {		\
		.owner = THIS_MODULE,				\
		.show_fdinfo = drm_show_fdinfo,			\
		DRM_GEM_SGT_FOPS,				\
	}

/*
 * The functions above, with the prototypes of &struct drm_gem_object_funcs.
 */

/**
 * drm_gem_sgt_object_free - GEM object function for drm_gem_sgt_free()
 * @obj: GEM object
 */
static inline void drm_gem_sgt_object_free(struct drm_gem_object *obj)
{
	drm_gem_sgt_free(to_drm_gem_sgt_obj(obj));
}

/**
 * drm_gem_sgt_object_print_info - GEM object function for drm_gem_sgt_print_info()
 * @p: DRM printer
 * @indent: tabs before each line
 * @obj: GEM object
 */
static inline void drm_gem_sgt_object_print_info(struct drm_printer *p,
						 unsigned int indent,
						 const struct drm_gem_object *obj)
{
	drm_gem_sgt_print_info(to_drm_gem_sgt_obj(obj), p, indent);
}

/**
 * drm_gem_sgt_object_status - GEM object function for drm_gem_sgt_status()
 * @obj: GEM object
 *
 * Return: see drm_gem_sgt_status()
 */
static inline enum drm_gem_object_status
drm_gem_sgt_object_status(struct drm_gem_object *obj)
{
	return drm_gem_sgt_status(to_drm_gem_sgt_obj(obj));
}

/**
 * drm_gem_sgt_object_pin - GEM object function for drm_gem_sgt_pin_locked()
 * @obj: GEM object, resv held
 *
 * Return: see drm_gem_sgt_pin_locked()
 */
static inline int drm_gem_sgt_object_pin(struct drm_gem_object *obj)
{
	return drm_gem_sgt_pin_locked(to_drm_gem_sgt_obj(obj));
}

/**
 * drm_gem_sgt_object_unpin - GEM object function for drm_gem_sgt_unpin_locked()
 * @obj: GEM object, resv held
 */
static inline void drm_gem_sgt_object_unpin(struct drm_gem_object *obj)
{
	drm_gem_sgt_unpin_locked(to_drm_gem_sgt_obj(obj));
}

/**
 * drm_gem_sgt_object_get_sg_table - GEM object function for drm_gem_sgt_get_sg_table()
 * @obj: GEM object
 *
 * Return: see drm_gem_sgt_get_sg_table()
 */
static inline struct sg_table *
drm_gem_sgt_object_get_sg_table(struct drm_gem_object *obj)
{
	return drm_gem_sgt_get_sg_table(to_drm_gem_sgt_obj(obj));
}

/**
 * drm_gem_sgt_object_vmap - GEM object function for drm_gem_sgt_vmap_locked()
 * @obj: GEM object, resv held
 * @map: filled with the kernel address
 *
 * Return: see drm_gem_sgt_vmap_locked()
 */
static inline int drm_gem_sgt_object_vmap(struct drm_gem_object *obj,
					  struct iosys_map *map)
{
	return drm_gem_sgt_vmap_locked(to_drm_gem_sgt_obj(obj), map);
}

/**
 * drm_gem_sgt_object_vunmap - GEM object function for drm_gem_sgt_vunmap_locked()
 * @obj: GEM object, resv held
 * @map: filled by drm_gem_sgt_object_vmap()
 */
static inline void drm_gem_sgt_object_vunmap(struct drm_gem_object *obj,
					     struct iosys_map *map)
{
	drm_gem_sgt_vunmap_locked(to_drm_gem_sgt_obj(obj), map);
}

/**
 * drm_gem_sgt_object_mmap - GEM object function for drm_gem_sgt_mmap()
 * @obj: GEM object
 * @vma: the VMA to map it into
 *
 * Return: see drm_gem_sgt_mmap()
 */
static inline int drm_gem_sgt_object_mmap(struct drm_gem_object *obj,
					  struct vm_area_struct *vma)
{
	return drm_gem_sgt_mmap(to_drm_gem_sgt_obj(obj), vma);
}

#endif /* __DRM_GEM_SGT_H__ */
