/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef __VIRTGPU_SGT_DRM_H__
#define __VIRTGPU_SGT_DRM_H__

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

/*
 * What the virtio_gpu_sgt driver has beyond virtgpu_drm.h: a GPU address space
 * of 4-level page tables for each open file, and host resources whose memory is
 * a range of it. All of it needs DRM_CAP_SYNCOBJ and no other capability. Each
 * structure is the same for 32 and 64 bits. Whatever is not documented is 0.
 */

#define DRM_VIRTGPU_SGT_VM_BIND			0x30
#define DRM_VIRTGPU_SGT_RESOURCE_FROM_VA	0x31
#define DRM_VIRTGPU_SGT_VM_QUERY		0x32
#define DRM_VIRTGPU_SGT_BO_INFO			0x33

/* GPU VA has this many bits; va and size are multiples of a page, 4096. */
#define VIRTGPU_SGT_VA_BITS		48

/* The most operations of one VM_BIND, and the most syncobjs of each kind. */
#define VIRTGPU_SGT_VM_BIND_MAX_OPS	4096
#define VIRTGPU_SGT_VM_BIND_MAX_SYNCS	64

/*
 * The most tables of 4096 bytes that an address space can have, 128 MiB: enough for
 * 64 GiB of scattered pages, or for 8192 mappings that are far from each other. Tables
 * that a VM_BIND takes out count until it is done.
 */
#define VIRTGPU_SGT_VM_MAX_TABLES	32768

/*
 * The most VM_BINDs of a file that are not done, and the most operations of these
 * together. They are done when their @out_syncs signal.
 */
#define VIRTGPU_SGT_VM_MAX_JOBS		1024
#define VIRTGPU_SGT_VM_MAX_JOB_OPS	65536

/*
 * The most mappings of a file, which is ranges that lead to one part of one buffer:
 * an operation that cuts one in the middle makes two of it.
 */
#define VIRTGPU_SGT_VM_MAX_MAPPINGS	262144

/* The most resources from VA of a file, those that are closed but shown included. */
#define VIRTGPU_SGT_VM_MAX_RESOURCES	1024

/* Have a range that is empty lead to part of a buffer; else EEXIST. */
#define VIRTGPU_SGT_VM_MAP		1
/* Empty a range, whatever is there, also nothing. No buffer. */
#define VIRTGPU_SGT_VM_UNMAP		2
/* Both: empty a range, and have it lead to part of a buffer. */
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

/* Return before the operations are done: see @out_syncs. */
#define VIRTGPU_SGT_VM_BIND_ASYNC	1

/**
 * struct drm_virtgpu_sgt_vm_bind - change the address space of the file
 *
 * All operations or none, in their order, each seeing what those before it did,
 * also those of earlier calls that are not done yet. What can fail has failed
 * when the call returns. If one of @in_syncs fails, the operations are done all
 * the same, since later ones count on them; @out_syncs then have its error.
 *
 * Host resources of the ranges that lose memory are detached from it first. Using
 * one of them is EFAULT then, until all of its range is bound again.
 *
 * Errors: EINVAL for a bad number, EEXIST for a MAP where something is, ENOENT for
 * an unknown handle or syncobj, or one of @in_syncs without a fence, ERANGE for
 * a range outside of the buffer, EOPNOTSUPP for a buffer that is a resource from
 * VA, ENOSPC for more than VIRTGPU_SGT_VM_MAX_TABLES or _MAX_MAPPINGS, ENOMEM,
 * ENODEV. EBUSY for more than VIRTGPU_SGT_VM_MAX_JOBS or _MAX_JOB_OPS that are not
 * done: wait for one of the calls before, and try again. EINTR says that nothing
 * was done: once all is planned, only a signal that kills ends the wait.
 */
struct drm_virtgpu_sgt_vm_bind {
	/** @flags: VIRTGPU_SGT_VM_BIND_ASYNC or 0 */
	__u32 flags;
	/** @num_ops: how many @ops, at least 1 */
	__u32 num_ops;
	/** @ops: address of an array of struct drm_virtgpu_sgt_vm_bind_op */
	__u64 ops;
	/** @in_syncs: address of an array of handles, __u32, waited for before */
	__u64 in_syncs;
	/** @out_syncs: address of an array of handles, __u32, signalled after */
	__u64 out_syncs;
	/** @num_in_syncs: how many @in_syncs */
	__u32 num_in_syncs;
	/** @num_out_syncs: how many @out_syncs */
	__u32 num_out_syncs;
};

/**
 * struct drm_virtgpu_sgt_resource_from_va - a picture whose memory is a range of
 * the address space
 *
 * Makes a 2D resource on the host of what the range leads to, and a GEM handle for
 * framebuffers, transfers and cursors. The range may span buffers and parts of
 * them, and the same page more than once, but may not have a hole (EFAULT).
 * The object has no memory of its own: it can be neither mapped nor exported.
 * It keeps neither the range nor the buffers in place. ENOSPC: the file has
 * VIRTGPU_SGT_VM_MAX_RESOURCES of them.
 */
struct drm_virtgpu_sgt_resource_from_va {
	/** @va: first byte of the picture */
	__u64 va;
	/** @size: bytes, at least 4 * @width * @height */
	__u64 size;
	/** @width: pixels of a line; lines follow each other without a gap */
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
 * struct drm_virtgpu_sgt_vm_query - what is mapped in a range
 *
 * Waits for operations that are not done yet.
 */
struct drm_virtgpu_sgt_vm_query {
	/** @va: first byte of the range */
	__u64 va;
	/** @size: bytes of the range, not 0 */
	__u64 size;
	/** @mapped: out: bytes of the range that lead to memory */
	__u64 mapped;
	/** @segments: out: runs of addresses that the GPU sees there */
	__u64 segments;
	/** @leaves_4k: out: entries of 4 KiB in the range, or partly in it */
	__u64 leaves_4k;
	/** @leaves_2m: out: entries of 2 MiB */
	__u64 leaves_2m;
	/** @leaves_1g: out: entries of 1 GiB */
	__u64 leaves_1g;
	/** @tables: out: tables of the whole address space, with the root */
	__u64 tables;
};

/**
 * struct drm_virtgpu_sgt_bo_info - what a buffer is made of
 */
struct drm_virtgpu_sgt_bo_info {
	/** @handle: GEM handle */
	__u32 handle;
	/** @flags: 0 */
	__u32 flags;
	/** @size: out: bytes */
	__u64 size;
	/** @folios: out: folios of its pages; 0 if it has none of its own */
	__u64 folios;
	/** @cpu_runs: out: runs of pages as the CPU sees them; 0 likewise */
	__u64 cpu_runs;
	/** @segments: out: runs of addresses as the device sees them */
	__u64 segments;
	/** @leaves_4k: out: entries of 4 KiB that lead to it in this file */
	__u64 leaves_4k;
	/** @leaves_2m: out: entries of 2 MiB */
	__u64 leaves_2m;
	/** @leaves_1g: out: entries of 1 GiB */
	__u64 leaves_1g;
};

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

#if defined(__cplusplus)
}
#endif

#endif /* __VIRTGPU_SGT_DRM_H__ */
