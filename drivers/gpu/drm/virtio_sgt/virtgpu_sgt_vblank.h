/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_VBLANK_H__
#define __VIRTGPU_SGT_VBLANK_H__

#include <linux/compiler.h>
#include <linux/ktime.h>
#include <linux/types.h>

#include <drm/drm_modes.h>

struct drm_crtc;
struct drm_crtc_state;
struct virtgpu_sgt_device;
struct virtgpu_sgt_output;

int virtgpu_sgt_vblank_enable(struct drm_crtc *crtc);
void virtgpu_sgt_vblank_disable(struct drm_crtc *crtc);
bool virtgpu_sgt_vblank_timestamp(struct drm_crtc *crtc, int *max_error, ktime_t *time,
				  bool in_vblank_irq);
enum drm_mode_status virtgpu_sgt_vblank_mode_valid(const struct drm_display_mode *mode);
bool virtgpu_sgt_vblank_has_event(const struct drm_crtc_state *crtc_state);
void virtgpu_sgt_vblank_send_event(struct drm_crtc *crtc, struct drm_crtc_state *crtc_state);
int __must_check virtgpu_sgt_vblank_init(struct virtgpu_sgt_output *output);
void virtgpu_sgt_vblanks_stop(struct virtgpu_sgt_device *vgdev);

#endif /* __VIRTGPU_SGT_VBLANK_H__ */
