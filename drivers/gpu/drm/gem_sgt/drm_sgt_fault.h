/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_SGT_FAULT_H__
#define __DRM_SGT_FAULT_H__

#include <linux/types.h>

struct dentry;

bool drm_sgt_should_fail_map(u64 size);
void drm_sgt_fault_init(struct dentry *dir);

#endif /* __DRM_SGT_FAULT_H__ */
