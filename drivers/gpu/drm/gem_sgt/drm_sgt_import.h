/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_SGT_IMPORT_H__
#define __DRM_SGT_IMPORT_H__

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/workqueue.h>

struct drm_sgt;

/**
 * struct drm_sgt_import - the source of an import
 */
struct drm_sgt_import {
	/** @sgt: the table; constant */
	struct drm_sgt *sgt;

	/** @never_attached: for the DRM core, see "imports"; constant */
	struct dma_buf_attachment never_attached;

	/** @moved: of the driver; NULL for a static import; constant from the first map on */
	void (*moved)(void *data);

	/** @data: for @moved; constant as it */
	void *data;

	/** @pinned: the layer pinned the memory of the mapping; under the resv */
	bool pinned;

	/**
	 * @work: signals when all work is done that may use the old place of the mapping;
	 * NULL while it is not known. Under the resv
	 */
	struct dma_fence *work;

	/** @work_done: the callback of @work; as @work */
	struct dma_fence_cb work_done;

	/** @end: ends the mapping of the old place */
	struct delayed_work end;
};

/* drm_sgt_import.c */
void drm_sgt_import_end_mapping(struct drm_sgt *sgt, struct dma_buf_attachment *attach);

/* drm_sgt_import_move.c */
extern const struct dma_buf_attach_ops drm_sgt_import_dynamic_ops;

void drm_sgt_import_init_end(struct drm_sgt_import *import);
void drm_sgt_import_cancel_end(struct drm_sgt_import *import);
void drm_sgt_import_forget_work(struct drm_sgt_import *import);

#endif /* __DRM_SGT_IMPORT_H__ */
