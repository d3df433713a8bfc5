/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef __VIRTGPU_SGT_DRM_H__
#define __VIRTGPU_SGT_DRM_H__

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * DOC: interface
 *
 * The virtio_gpu_sgt driver implements the 2D part of virtgpu_drm.h. This header adds
 * a GPU address space for each open file, host resources whose memory is a range of that
 * address space, and buffers whose bytes the kernel may discard. All ioctls are available
 * on the primary and the render node.
 *
 * Both virtio-gpu drivers report the name "virtio_gpu" to DRM_IOCTL_VERSION. To detect
 * address spaces, call DRM_IOCTL_VIRTGPU_SGT_DEV_QUERY on a device of this name with
 * %VIRTGPU_SGT_DEV_QUERY_VM and without a pointer: it succeeds if they are supported,
 * and fails with EINVAL otherwise. The in-tree virtio_gpu driver, and this driver built
 * without address spaces, do not implement the ioctl, which DRM answers with EINVAL.
 * MADVISE does not need address spaces.
 *
 * Structures have the same layout for 32 and 64 bits. Set fields without a documented
 * meaning, such as pad, and unknown flag bits to zero; anything else fails with EINVAL.
 *
 * Structures that are passed in a &struct drm_virtgpu_sgt_obj_array can grow at their
 * end. The kernel accepts a stride larger than its structure if all excess bytes are
 * zero, and reads the fields that a smaller stride leaves out as zero.
 */

/**
 * DOC: errors
 *
 * An ioctl that fails changes nothing, except as stated here.
 *
 * ==============  =================================================================
 * Any ioctl
 * ==============  =================================================================
 * ENODEV          the driver is unbound, or is being unbound
 * ENOMEM          out of memory, of the machine or of the caller's memory cgroup
 * EFAULT          a pointer to memory that cannot be read or written
 * EINTR           interrupted by a signal; repeat the call, as drmIoctl() does
 * ==============  =================================================================
 *
 * ==============  =================================================================
 * DEV_QUERY
 * ==============  =================================================================
 * EINVAL          an unknown type, or a size below the first version of the
 *                 structure; an unsupported ioctl, see "interface"
 * E2BIG           a size of more than 4096 bytes
 * ==============  =================================================================
 *
 * ==============  =================================================================
 * VM_BIND
 * ==============  =================================================================
 * EINVAL          an unknown flag or operation; a pad that is not 0; no operations,
 *                 or more than %VIRTGPU_SGT_VM_BIND_MAX_OPS; more syncs than
 *                 %VIRTGPU_SGT_VM_BIND_MAX_SYNCS; a stride below the first version
 *                 of the structure; a range that is empty, not of whole pages, or not
 *                 within the address space; an offset that is not a multiple of the
 *                 page size; an UNMAP with a flag, an offset or a handle; a timeline
 *                 value for a binary syncobj, or 0 for a timeline; a wait for a
 *                 syncobj without a fence, or for a point not yet submitted; a buffer
 *                 whose bytes were discarded: see MADVISE
 * E2BIG           a stride of more than 4096 bytes, or excess bytes that are not 0
 * ENOENT          an unknown buffer or syncobj handle
 * EOPNOTSUPP      the buffer is a resource from VA, which has no memory of its own
 * ERANGE          the range is not within the buffer
 * EEXIST          a MAP of a range that is not empty
 * EOVERFLOW       a DMA address of the buffer has more than 52 bits
 * ENOSPC          the file would exceed %VIRTGPU_SGT_VM_MAX_TABLES or
 *                 %VIRTGPU_SGT_VM_MAX_MAPPINGS
 * EBUSY           the pending calls of the file would exceed
 *                 %VIRTGPU_SGT_VM_MAX_JOBS or %VIRTGPU_SGT_VM_MAX_JOB_OPS: wait for
 *                 one of them, and repeat the call
 * EINTR           interrupted before the operations were queued. Afterwards only a
 *                 fatal signal interrupts the call, and the operations are still
 *                 done
 * ENODEV,         of a synchronous call: the driver was unbound, or the file closed,
 * ECANCELED       after the operations were queued
 * ==============  =================================================================
 *
 * ==================  =============================================================
 * RESOURCE_FROM_VA
 * ==================  =============================================================
 * EINVAL              a flag is set; a range that VM_BIND rejects; a width or height of
 *                     0 or above 16384; a format that virtio-gpu does not define; a
 *                     size below 4 * width * height; the host rejected a parameter
 * EFAULT              part of the range is unmapped
 * ENOSPC              the file has %VIRTGPU_SGT_VM_MAX_RESOURCES resources from VA
 * E2BIG               the range has more than 16384 DMA segments, the limit of QEMU,
 *                     or more than the queue can carry
 * ENOMEM              out of memory, of bounce buffers, or of memory on the host
 * EIO                 the host reported another error, or does not answer
 * ==================  =============================================================
 *
 * ==============  =================================================================
 * VM_QUERY
 * ==============  =================================================================
 * EINVAL          a range that VM_BIND rejects
 * ECANCELED       the file was closed
 * ==============  =================================================================
 *
 * ==============  =================================================================
 * BO_INFO
 * ==============  =================================================================
 * EINVAL          a flag is set
 * ENOENT          an unknown handle
 * ECANCELED       the file was closed
 * ==============  =================================================================
 *
 * ==============  =================================================================
 * MADVISE
 * ==============  =================================================================
 * EINVAL          an unknown advice; a pad that is not 0
 * ENOENT          an unknown handle
 * EOPNOTSUPP      the buffer is a resource from VA, which has no memory of its own
 * ==============  =================================================================
 */

#define DRM_VIRTGPU_SGT_DEV_QUERY		0x30
#define DRM_VIRTGPU_SGT_VM_BIND			0x31
#define DRM_VIRTGPU_SGT_RESOURCE_FROM_VA	0x32
#define DRM_VIRTGPU_SGT_VM_QUERY		0x33
#define DRM_VIRTGPU_SGT_BO_INFO			0x34
#define DRM_VIRTGPU_SGT_MADVISE			0x35

/*
 * Bits of a GPU VA. Addresses, sizes and offsets are multiples of a page of the kernel,
 * &drm_virtgpu_sgt_vm_info.page_size.
 */
#define VIRTGPU_SGT_VA_BITS		48

/*
 * The limits of this kernel version, which a later one may change. For the limits of
 * the running kernel, query struct drm_virtgpu_sgt_vm_info.
 */

/* Operations of one VM_BIND, and its syncs, waits and signals together. */
#define VIRTGPU_SGT_VM_BIND_MAX_OPS	4096
#define VIRTGPU_SGT_VM_BIND_MAX_SYNCS	64

/*
 * Page tables of a file, a page each. They have 512 entries: enough for 64 GiB in
 * scattered parts of 4 KiB, or for 8192 mappings far from each other. Tables that a
 * VM_BIND removes count until it is done.
 */
#define VIRTGPU_SGT_VM_MAX_TABLES	32768

/*
 * Pending VM_BINDs of a file, and the operations of all of them. A VM_BIND is pending
 * until its syncs are signalled.
 */
#define VIRTGPU_SGT_VM_MAX_JOBS		1024
#define VIRTGPU_SGT_VM_MAX_JOB_OPS	65536

/*
 * Mappings of a file. A mapping is a VA range that maps to one range of one buffer: an
 * operation that unmaps its middle leaves two.
 */
#define VIRTGPU_SGT_VM_MAX_MAPPINGS	262144

/* Resources from VA of a file, including those closed while a framebuffer uses them. */
#define VIRTGPU_SGT_VM_MAX_RESOURCES	1024

/**
 * struct drm_virtgpu_sgt_obj_array - an array of structures that can grow
 */
struct drm_virtgpu_sgt_obj_array {
	/** @stride: size of a structure, as the caller knows it; ignored if @count is 0 */
	__u32 stride;
	/** @count: number of structures */
	__u32 count;
	/** @array: address of the first one; ignored if @count is 0 */
	__u64 array;
};

/* Types of DEV_QUERY, with the structure at the pointer: struct drm_virtgpu_sgt_vm_info */
#define VIRTGPU_SGT_DEV_QUERY_VM	0

/**
 * struct drm_virtgpu_sgt_vm_info - properties and limits of address spaces
 */
struct drm_virtgpu_sgt_vm_info {
	/** @flags: features; none are defined, 0 */
	__u32 flags;
	/** @page_size: granularity of addresses, and the memory of a page table */
	__u32 page_size;
	/** @va_bits: bits of a GPU VA */
	__u32 va_bits;
	/** @max_ops: operations of a VM_BIND */
	__u32 max_ops;
	/** @max_syncs: syncs of a VM_BIND */
	__u32 max_syncs;
	/** @max_jobs: pending VM_BINDs of a file */
	__u32 max_jobs;
	/** @max_job_ops: operations of all pending VM_BINDs of a file */
	__u32 max_job_ops;
	/** @max_tables: page tables of a file */
	__u32 max_tables;
	/** @max_mappings: mappings of a file */
	__u32 max_mappings;
	/** @max_resources: resources from VA of a file */
	__u32 max_resources;
};

/**
 * struct drm_virtgpu_sgt_dev_query - query the device
 *
 * Without a pointer, only @size is returned. Otherwise the structure is written as far
 * as it fits, and zeros after its end.
 */
struct drm_virtgpu_sgt_dev_query {
	/** @type: VIRTGPU_SGT_DEV_QUERY_VM */
	__u32 type;
	/** @size: in: bytes at @pointer; out: size of the kernel's structure */
	__u32 size;
	/** @pointer: address of the structure, or 0 */
	__u64 pointer;
};

/* Map part of a buffer at an unmapped range; else EEXIST. */
#define VIRTGPU_SGT_VM_MAP		1
/* Unmap a range, all of which may be unmapped already. Takes no buffer. */
#define VIRTGPU_SGT_VM_UNMAP		2
/* Unmap a range, and map part of a buffer there. */
#define VIRTGPU_SGT_VM_REMAP		3

/* MAP and REMAP: the GPU may not write. */
#define VIRTGPU_SGT_VM_READONLY		1

/**
 * struct drm_virtgpu_sgt_vm_bind_op - one operation of a VM_BIND
 */
struct drm_virtgpu_sgt_vm_bind_op {
	/** @op: VIRTGPU_SGT_VM_MAP, _UNMAP or _REMAP */
	__u32 op;
	/** @flags: VIRTGPU_SGT_VM_READONLY or 0 */
	__u32 flags;
	/** @va: first byte of the range in the address space */
	__u64 va;
	/** @size: bytes of the range, not 0 */
	__u64 size;
	/** @offset: MAP and REMAP: first byte in the buffer; else 0 */
	__u64 offset;
	/** @handle: MAP and REMAP: GEM handle of the buffer; else 0 */
	__u32 handle;
	/** @pad: 0 */
	__u32 pad;
};

/* What &drm_virtgpu_sgt_sync.handle is; exactly one type. */
#define VIRTGPU_SGT_SYNC_TYPE_MASK		0xff
#define VIRTGPU_SGT_SYNC_SYNCOBJ		0
#define VIRTGPU_SGT_SYNC_TIMELINE_SYNCOBJ	1

/* Start after the fence of the sync has signalled, or signal the sync when done. */
#define VIRTGPU_SGT_SYNC_WAIT			0
#define VIRTGPU_SGT_SYNC_SIGNAL			0x80000000u

/**
 * struct drm_virtgpu_sgt_sync - a fence that a VM_BIND waits for, or that it signals
 *
 * A wait takes the fence that the syncobj, or the point of the timeline, has when the
 * ioctl is called, before the syncs to signal get their fences. It cannot wait for a
 * fence that is submitted later.
 *
 * Points of a timeline must increase. As everywhere in DRM, a point signals after those
 * that were added before it, and a point that is not higher than its predecessor gets
 * the value of its predecessor.
 */
struct drm_virtgpu_sgt_sync {
	/** @flags: one VIRTGPU_SGT_SYNC type, and _WAIT or _SIGNAL */
	__u32 flags;
	/** @handle: handle of the syncobj */
	__u32 handle;
	/** @timeline_value: point of a timeline, not 0; 0 for a binary syncobj */
	__u64 timeline_value;
};

/* Return before the operations are done: see &drm_virtgpu_sgt_vm_bind.syncs. */
#define VIRTGPU_SGT_VM_BIND_ASYNC	1

/**
 * struct drm_virtgpu_sgt_vm_bind - change the address space of the file
 *
 * Does all operations, in order, or none. Each operation is checked against the result
 * of all operations before it, done or pending, including those of earlier calls. Once
 * the ioctl has queued the operations, they cannot fail.
 *
 * If a fence that is waited for has an error, the operations are still done, since
 * later ones depend on them, and the fence that is signalled has that error. A point of
 * a timeline carries no error.
 *
 * Host resources are detached from ranges before these are unmapped or remapped. Using
 * such a resource fails with EFAULT until all of its range is mapped again.
 */
struct drm_virtgpu_sgt_vm_bind {
	/** @flags: VIRTGPU_SGT_VM_BIND_ASYNC or 0 */
	__u32 flags;
	/** @pad: 0 */
	__u32 pad;
	/** @ops: struct drm_virtgpu_sgt_vm_bind_op, at least one */
	struct drm_virtgpu_sgt_obj_array ops;
	/** @syncs: struct drm_virtgpu_sgt_sync, waits and signals in any order */
	struct drm_virtgpu_sgt_obj_array syncs;
};

/**
 * struct drm_virtgpu_sgt_resource_from_va - create a 2D resource whose memory is a
 * range of the address space
 *
 * Creates a resource on the host from the memory that the range maps to, and a GEM
 * handle for framebuffers, transfers and cursors. The range may span several buffers
 * or parts of them, and map a page more than once, but all of it must be mapped.
 *
 * The object has no memory of its own: it can be neither mapped nor exported. It does
 * not prevent an unmap of the range, see struct drm_virtgpu_sgt_vm_bind. Waits for
 * pending operations of the file.
 */
struct drm_virtgpu_sgt_resource_from_va {
	/** @va: first byte of the image */
	__u64 va;
	/** @size: bytes, at least 4 * @width * @height */
	__u64 size;
	/** @width: pixels per line; there is no gap between lines */
	__u32 width;
	/** @height: lines */
	__u32 height;
	/** @format: as in struct drm_virtgpu_resource_create */
	__u32 format;
	/** @flags: 0 */
	__u32 flags;
	/** @bo_handle: out: GEM handle */
	__u32 bo_handle;
	/** @res_handle: out: number of the resource on the host */
	__u32 res_handle;
};

/**
 * struct drm_virtgpu_sgt_vm_query - query what is mapped in a range
 *
 * Waits for pending operations of the file.
 */
struct drm_virtgpu_sgt_vm_query {
	/** @va: first byte of the range */
	__u64 va;
	/** @size: bytes of the range, not 0 */
	__u64 size;
	/** @mapped: out: mapped bytes of the range */
	__u64 mapped;
	/** @segments: out: contiguous segments of DMA addresses in the range */
	__u64 segments;
	/** @leaves_4k: out: leaves of 4 KiB that overlap the range */
	__u64 leaves_4k;
	/** @leaves_2m: out: leaves of 2 MiB */
	__u64 leaves_2m;
	/** @leaves_1g: out: leaves of 1 GiB */
	__u64 leaves_1g;
	/** @tables: out: page tables of the whole address space, including the root */
	__u64 tables;
};

/**
 * struct drm_virtgpu_sgt_bo_info - query the memory of a buffer
 *
 * Waits for pending operations of the file.
 */
struct drm_virtgpu_sgt_bo_info {
	/** @handle: GEM handle */
	__u32 handle;
	/** @flags: 0 */
	__u32 flags;
	/** @size: out: bytes */
	__u64 size;
	/**
	 * @folios: out: folios of its pages; 0 for an import and a resource from VA, and
	 * before the first use of the buffer
	 */
	__u64 folios;
	/** @cpu_runs: out: physically contiguous runs of its pages; 0 as for @folios */
	__u64 cpu_runs;
	/**
	 * @segments: out: segments of DMA addresses; 0 for a resource from VA, before the
	 * first framebuffer, transfer or VM_BIND of the buffer, and after the last one if
	 * its pages were swapped out
	 */
	__u64 segments;
	/** @leaves_4k: out: leaves of 4 KiB of its mappings in this file */
	__u64 leaves_4k;
	/** @leaves_2m: out: leaves of 2 MiB */
	__u64 leaves_2m;
	/** @leaves_1g: out: leaves of 1 GiB */
	__u64 leaves_1g;
};

/* The bytes of the buffer are needed: the default. */
#define VIRTGPU_SGT_MADV_WILLNEED	0
/* They are not. The kernel may discard them when it is short of memory. */
#define VIRTGPU_SGT_MADV_DONTNEED	1

/**
 * struct drm_virtgpu_sgt_madvise - say whether the bytes of a buffer are needed
 *
 * For caches of buffers. Before a buffer is used again, say that it is needed, and look at
 * @retained: bytes that were discarded do not come back. Then an access by the CPU raises
 * SIGBUS, and mmap(), a framebuffer, a transfer or a VM_BIND of the buffer fails with EINVAL:
 * close the handle, and create another buffer.
 *
 * The kernel keeps the bytes of a buffer as long as a framebuffer, a resource or a VM_BIND
 * uses it, or another handle names it, and those of a buffer that is, or was, a dma-buf. An
 * unbind ends the uses, but not the last advice.
 *
 * To find out whether there is this ioctl, try it with handle 0: ENOENT if there is, EINVAL
 * if not.
 */
struct drm_virtgpu_sgt_madvise {
	/** @handle: GEM handle */
	__u32 handle;
	/** @madv: VIRTGPU_SGT_MADV_WILLNEED or _DONTNEED */
	__u32 madv;
	/** @retained: out: 1 if the bytes are still there, else 0 */
	__u32 retained;
	/** @pad: 0 */
	__u32 pad;
};

#define DRM_IOCTL_VIRTGPU_SGT_DEV_QUERY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VIRTGPU_SGT_DEV_QUERY, \
		 struct drm_virtgpu_sgt_dev_query)

#define DRM_IOCTL_VIRTGPU_SGT_VM_BIND \
	DRM_IOW(DRM_COMMAND_BASE + DRM_VIRTGPU_SGT_VM_BIND, \
		struct drm_virtgpu_sgt_vm_bind)

#define DRM_IOCTL_VIRTGPU_SGT_RESOURCE_FROM_VA \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VIRTGPU_SGT_RESOURCE_FROM_VA, \
		 struct drm_virtgpu_sgt_resource_from_va)

#define DRM_IOCTL_VIRTGPU_SGT_VM_QUERY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VIRTGPU_SGT_VM_QUERY, \
		 struct drm_virtgpu_sgt_vm_query)

#define DRM_IOCTL_VIRTGPU_SGT_BO_INFO \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VIRTGPU_SGT_BO_INFO, \
		 struct drm_virtgpu_sgt_bo_info)

#define DRM_IOCTL_VIRTGPU_SGT_MADVISE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VIRTGPU_SGT_MADVISE, \
		 struct drm_virtgpu_sgt_madvise)

#if defined(__cplusplus)
}
#endif

#endif /* __VIRTGPU_SGT_DRM_H__ */
