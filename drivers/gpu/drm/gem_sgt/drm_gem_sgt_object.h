/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GEM_SGT_OBJECT_H__
#define __DRM_GEM_SGT_OBJECT_H__

#include <linux/types.h>

struct dma_buf;
struct dma_buf_ops;
struct drm_device;
struct drm_gem_sgt_object;

/* drm_gem_sgt_object.c */
struct drm_gem_sgt_object *drm_gem_sgt_alloc(struct drm_device *dev, size_t size);

/* drm_gem_sgt_cpu.c */
void drm_gem_sgt_zap(void *arg);

/* drm_gem_sgt_reclaim.c */
int drm_gem_sgt_try_purge_locked(struct drm_gem_sgt_object *bo, bool unmap);
int drm_gem_sgt_try_evict_locked(struct drm_gem_sgt_object *bo, bool unmap);

/* drm_gem_sgt_memory.c */
int drm_gem_sgt_pin_pages(struct drm_gem_sgt_object *bo);
struct dma_buf *drm_gem_sgt_import_dma_buf(const struct drm_gem_sgt_object *bo);

/* drm_gem_sgt_export.c */
extern const struct dma_buf_ops drm_gem_sgt_dmabuf_ops;

#endif /* __DRM_GEM_SGT_OBJECT_H__ */
