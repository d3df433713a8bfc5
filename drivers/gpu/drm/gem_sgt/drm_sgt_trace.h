/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM drm_gem_sgt

#if !defined(__DRM_SGT_TRACE_H__) || defined(TRACE_HEADER_MULTI_READ)
#define __DRM_SGT_TRACE_H__

#include <linux/mm.h>
#include <linux/tracepoint.h>

#include "drm_sgt_table.h"

/* What they mean is in drm_sgt_trace.c. The device is named by its owner. */
DECLARE_EVENT_CLASS(drm_sgt_table,
		    TP_PROTO(const struct drm_sgt *sgt),
		    TP_ARGS(sgt),
		    TP_STRUCT__entry(__string(dev, sgt->sdev->owner)
				     __field(const void *, table)
				     __field(u64, size)
				     ),
		    TP_fast_assign(__assign_str(dev);
				   __entry->table = sgt;
				   __entry->size = sgt->size;
				   ),
		    TP_printk("dev=%s table=%p size=%llu pages=%llu", __get_str(dev),
			      __entry->table, __entry->size, __entry->size >> PAGE_SHIFT)
);

DEFINE_EVENT(drm_sgt_table, drm_sgt_populate,
	     TP_PROTO(const struct drm_sgt *sgt),
	     TP_ARGS(sgt)
);

DEFINE_EVENT(drm_sgt_table, drm_sgt_restore,
	     TP_PROTO(const struct drm_sgt *sgt),
	     TP_ARGS(sgt)
);

DEFINE_EVENT(drm_sgt_table, drm_sgt_map,
	     TP_PROTO(const struct drm_sgt *sgt),
	     TP_ARGS(sgt)
);

DEFINE_EVENT(drm_sgt_table, drm_sgt_unmap,
	     TP_PROTO(const struct drm_sgt *sgt),
	     TP_ARGS(sgt)
);

DEFINE_EVENT(drm_sgt_table, drm_sgt_revoke,
	     TP_PROTO(const struct drm_sgt *sgt),
	     TP_ARGS(sgt)
);

DEFINE_EVENT(drm_sgt_table, drm_sgt_evict,
	     TP_PROTO(const struct drm_sgt *sgt),
	     TP_ARGS(sgt)
);

DEFINE_EVENT(drm_sgt_table, drm_sgt_purge,
	     TP_PROTO(const struct drm_sgt *sgt),
	     TP_ARGS(sgt)
);

TRACE_EVENT(drm_gem_sgt_fault,
	    TP_PROTO(const struct drm_sgt *sgt, pgoff_t index, unsigned int order,
		     vm_fault_t ret),
	    TP_ARGS(sgt, index, order, ret),
	    TP_STRUCT__entry(__string(dev, sgt->sdev->owner)
			     __field(const void *, table)
			     __field(u64, size)
			     __field(pgoff_t, index)
			     __field(unsigned int, order)
			     __field(unsigned int, ret)
			     ),
	    TP_fast_assign(__assign_str(dev);
			   __entry->table = sgt;
			   __entry->size = sgt->size;
			   __entry->index = index;
			   __entry->order = order;
			   __entry->ret = (__force unsigned int)ret;
			   ),
	    TP_printk("dev=%s table=%p size=%llu pages=%llu index=%lu order=%u ret=%#x",
		      __get_str(dev), __entry->table, __entry->size,
		      __entry->size >> PAGE_SHIFT, __entry->index, __entry->order,
		      __entry->ret)
);

#endif /* __DRM_SGT_TRACE_H__ */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE drm_sgt_trace
#include <trace/define_trace.h>
