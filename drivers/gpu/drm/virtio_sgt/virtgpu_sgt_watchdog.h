/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_WATCHDOG_H__
#define __VIRTGPU_SGT_WATCHDOG_H__

struct virtgpu_sgt_device;

void virtgpu_sgt_watchdog_init(struct virtgpu_sgt_device *vgdev);
void virtgpu_sgt_watchdog_start(struct virtgpu_sgt_device *vgdev);
void virtgpu_sgt_watchdog_stop(struct virtgpu_sgt_device *vgdev);
void virtgpu_sgt_reset(struct virtgpu_sgt_device *vgdev);

#endif /* __VIRTGPU_SGT_WATCHDOG_H__ */
