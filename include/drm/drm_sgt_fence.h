/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_SGT_FENCE_H__
#define __DRM_SGT_FENCE_H__

#include <linux/types.h>

struct dma_fence;
struct module;

struct dma_fence * __must_check
drm_sgt_fence_create(struct module *owner, const char *driver, const char *timeline,
		     u64 context, u64 seqno);

#endif /* __DRM_SGT_FENCE_H__ */
