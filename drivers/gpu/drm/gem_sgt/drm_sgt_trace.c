// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tracepoints
 *
 * The events of the group ``drm_gem_sgt`` tell what becomes of the memory of a table. Each
 * one has the device (the name of the owner), an id of the table, its size in bytes and
 * its pages:
 *
 * drm_sgt_populate
 *	the table has got pages
 * drm_sgt_restore
 *	the same, instead of drm_sgt_populate, for pages that were evicted: those that
 *	were swapped out have been read
 * drm_sgt_map
 *	it is mapped for the device
 * drm_sgt_unmap
 *	the mapping has ended, by drm_sgt_unmap(), free or reclaim
 * drm_sgt_revoke
 *	the mapping has ended by an unbind
 * drm_sgt_evict
 *	the pages were given back, for shmem to swap them out
 * drm_sgt_purge
 *	the bytes were discarded
 * drm_gem_sgt_fault
 *	a page fault of a process, with the index of the page in the object, the order
 *	of the entry that was asked for, and the VM_FAULT result. A huge fault that falls
 *	back is followed by one of order 0
 *
 * For example, to see which buffers come back from swap::
 *
 *   cd /sys/kernel/tracing
 *   echo 1 > events/drm_gem_sgt/drm_sgt_evict/enable
 *   echo 1 > events/drm_gem_sgt/drm_sgt_restore/enable
 *   cat trace_pipe
 *
 * Filters and triggers work as for all events: ``echo 'size >= 1048576' >
 * events/drm_gem_sgt/filter`` leaves out small buffers. As an event is a format for
 * programs, too, fields are added and not changed.
 */

/* The header includes itself once for each part of an event: sparse does not follow. */
#ifndef __CHECKER__
#define CREATE_TRACE_POINTS
#include "drm_sgt_trace.h"
#endif
