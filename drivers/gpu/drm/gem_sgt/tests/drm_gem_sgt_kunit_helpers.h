/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GEM_SGT_KUNIT_HELPERS_H__
#define __DRM_GEM_SGT_KUNIT_HELPERS_H__

#include <drm/drm_client.h>
#include <drm/drm_gem_sgt.h>

#include "drm_sgt_kunit_helpers.h"
#include "../drm_gem_sgt_debugfs.h"
#include "../drm_gem_sgt_object.h"

struct dma_buf;
struct dma_buf_attachment;
struct drm_device;
struct drm_driver;

#define GEM_KUNIT_SIZE	(5 * PAGE_SIZE)

/**
 * struct gem_kunit - a DRM device for the tests of GEM objects
 *
 * Its parent is another device than @d, as for a virtio driver: an unbind removes @d
 * alone.
 */
struct gem_kunit {
	/** @test: the case */
	struct kunit *test;
	/** @d: the device that the objects are mapped for */
	struct drm_sgt_kunit_device *d;
	/** @drm: the DRM device */
	struct drm_device *drm;
	/** @client: has the DRM file of gem_kunit_open() */
	struct drm_client_dev client;
	/** @create_object_err: errno of gem_create_object; 0 if it succeeds */
	int create_object_err;
	/** @map_wc: of the objects that gem_create_object makes */
	bool map_wc;
	/** @objects: objects of the driver that exist */
	unsigned int objects;
	/** @freed_by: the task that freed the last one; only compared */
	const struct task_struct *freed_by;
};

/* Drivers with default objects, and with objects of their own, which they count. */
extern const struct drm_driver gem_kunit_driver;
extern const struct drm_driver gem_kunit_driver_with_objects;
extern const struct drm_gem_object_funcs gem_kunit_object_funcs;

struct drm_device *gem_kunit_card(struct kunit *test, const char *name,
				  const struct drm_driver *driver);
struct gem_kunit *gem_kunit_create(struct kunit *test, const struct drm_driver *driver);
struct gem_kunit *gem_kunit_create_on(struct kunit *test, const struct drm_driver *driver,
				      struct drm_sgt_kunit_device *d);
struct drm_file *gem_kunit_open(struct gem_kunit *f);
struct drm_gem_sgt_object *gem_kunit_bo(struct gem_kunit *f, size_t size);
void gem_kunit_bo_free(struct gem_kunit *f, struct drm_gem_sgt_object *bo);
int gem_kunit_evict(struct drm_gem_sgt_object *bo);

/* The byte at offset @i of a pattern, which differs by offset and @seed. */
u8 gem_kunit_pattern(size_t i, u8 seed);
void gem_kunit_fill(u8 *p, size_t size, u8 seed);
size_t gem_kunit_check(const u8 *p, size_t start, size_t end, u8 seed);
void gem_kunit_each_page(struct kunit *test, struct drm_gem_sgt_object *bo, u8 seed,
			 bool write);

/* drm_gem_sgt_kunit_user.c */
void gem_dma_buf_put(void *buf);
struct dma_buf *gem_export(struct gem_kunit *f, struct drm_gem_sgt_object *bo);
struct dma_buf_attachment *gem_attach(struct kunit *test, struct dma_buf *buf);
unsigned long gem_user_map(struct kunit *test, struct dma_buf *buf, unsigned long flags);
unsigned long gem_user_map_shared(struct kunit *test, struct dma_buf *buf);
unsigned long gem_user_map_object(struct gem_kunit *f, struct drm_gem_sgt_object *bo);
void gem_user_check(struct kunit *test, unsigned long addr, size_t start, u8 seed);
struct page *gem_user_page(unsigned long addr);

#endif /* __DRM_GEM_SGT_KUNIT_HELPERS_H__ */
