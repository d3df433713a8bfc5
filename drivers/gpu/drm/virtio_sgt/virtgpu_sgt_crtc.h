/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_CRTC_H__
#define __VIRTGPU_SGT_CRTC_H__

#include <linux/container_of.h>
#include <linux/types.h>

#include <drm/drm_crtc.h>

#include "virtgpu_sgt_output.h"

struct virtgpu_sgt_device;

/**
 * struct virtgpu_sgt_crtc_state - state of a CRTC, and its master
 */
struct virtgpu_sgt_crtc_state {
	/** @base: state of the DRM core */
	struct drm_crtc_state base;
	/**
	 * @master: &virtgpu_sgt_device.master when userspace committed it; 0
	 * if userspace did not
	 */
	u32 master;
};

#define to_virtgpu_sgt_crtc_state(state) \
	container_of_const(state, struct virtgpu_sgt_crtc_state, base)

struct virtgpu_sgt_commit virtgpu_sgt_crtc_commit(const struct drm_crtc_state *crtc_state);
int __must_check virtgpu_sgt_crtcs_init(struct virtgpu_sgt_device *vgdev);

#endif /* __VIRTGPU_SGT_CRTC_H__ */
