/* SPDX-License-Identifier: GPL-2.0 */
#include_next <drm/drm_gpuvm.h>

#ifndef __COMPAT_DRM_GPUVM_H__
#define __COMPAT_DRM_GPUVM_H__

#include <linux/version.h>

/* 6.18: drm_gpuvm_sm_map() takes its arguments in a structure. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
struct drm_gpuvm_map_req {
	struct drm_gpuva_op_map map;
};

static inline int compat_drm_gpuvm_sm_map(struct drm_gpuvm *gpuvm, void *priv,
					  const struct drm_gpuvm_map_req *req)
{
	return drm_gpuvm_sm_map(gpuvm, priv, req->map.va.addr, req->map.va.range,
				req->map.gem.obj, req->map.gem.offset);
}

#define drm_gpuvm_sm_map	compat_drm_gpuvm_sm_map
#endif

#endif
