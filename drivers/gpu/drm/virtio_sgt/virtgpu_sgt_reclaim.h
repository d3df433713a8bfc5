/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_RECLAIM_H__
#define __VIRTGPU_SGT_RECLAIM_H__

#include <linux/compiler.h>

struct drm_device;
struct drm_file;
struct drm_gem_object;
struct drm_gem_sgt_shrinker_ops;
struct virtgpu_sgt_bo;

extern const struct drm_gem_sgt_shrinker_ops virtgpu_sgt_shrinker_ops;

int __must_check virtgpu_sgt_bo_begin_use(struct virtgpu_sgt_bo *bo);
void virtgpu_sgt_bo_end_use(struct virtgpu_sgt_bo *bo);
void virtgpu_sgt_bo_get_used(struct drm_gem_object *obj);
void virtgpu_sgt_bo_put_used(struct drm_gem_object *obj);
int virtgpu_sgt_madvise_ioctl(struct drm_device *drm, void *data, struct drm_file *file);

#endif /* __VIRTGPU_SGT_RECLAIM_H__ */
