/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_DEBUGFS_H__
#define __VIRTGPU_SGT_DEBUGFS_H__

struct virtgpu_sgt_device;

void virtgpu_sgt_debugfs_init(struct virtgpu_sgt_device *vgdev);

#endif /* __VIRTGPU_SGT_DEBUGFS_H__ */
