/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_CONNECTOR_H__
#define __VIRTGPU_SGT_CONNECTOR_H__

struct virtgpu_sgt_device;
struct virtgpu_sgt_output;

int virtgpu_sgt_connector_init(struct virtgpu_sgt_output *output);
int virtgpu_sgt_scanouts_refresh(struct virtgpu_sgt_device *vgdev);

#endif /* __VIRTGPU_SGT_CONNECTOR_H__ */
