/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef __EDU_GPU_DRM_H__
#define __EDU_GPU_DRM_H__

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * DOC: edu_gpu interface
 *
 * Each open file has a GPU address space of 48 bits. Dumb buffers are mapped into it
 * with VM_BIND, which is done when it returns. COPY queues a copy between two ranges of
 * the address space, and returns a sync file.
 *
 * An ioctl that fails changes nothing.
 *
 * ==============  =================================================================
 * ENODEV          the driver is unbound, or is being unbound
 * ENOMEM          out of memory
 * EINTR           interrupted by a signal; repeat the call
 * EINVAL          an unknown operation or flag; a pad that is not 0; a range that is
 *                 empty or not within the address space; VM_BIND: a range or an offset
 *                 that is not of whole pages, an UNMAP with a flag, handle or offset;
 *                 COPY: more than %EDU_GPU_MAX_COPY bytes, ranges that overlap
 * ENOENT          an unknown handle; an UNMAP of a range with a hole
 * ERANGE          MAP, REPLACE: the range is not within the buffer
 * EEXIST          MAP: a part of the range is mapped
 * ENOSPC          VM_BIND: more than %EDU_GPU_MAX_TABLES page tables
 * EBUSY           COPY: the file has %EDU_GPU_MAX_JOBS pending copies
 * EIO             COPY: the device or its MMU did not answer, since the driver was bound
 * EMFILE          COPY: no free file descriptor
 * ==============  =================================================================
 *
 * The error of a copy is that of its sync file. The bytes before it may be copied.
 *
 * ==============  =================================================================
 * EFAULT          a part of the source is unmapped, or of the destination unmapped or
 *                 read-only
 * ENODEV          the driver was unbound
 * ECANCELED       the file was closed
 * EIO             the device or its MMU did not answer
 * ==============  =================================================================
 */

#define DRM_EDU_GPU_VM_BIND	0x00
#define DRM_EDU_GPU_COPY	0x01

/* Bytes of the address space of a file. */
#define EDU_GPU_VA_SIZE		0x1000000000000ULL

/* Page tables of a file, 4096 bytes each. */
#define EDU_GPU_MAX_TABLES	1024

/* Bytes of a copy, and pending copies of a file. */
#define EDU_GPU_MAX_COPY	65536
#define EDU_GPU_MAX_JOBS	64

#define EDU_GPU_VM_BIND_MAP		0
#define EDU_GPU_VM_BIND_UNMAP		1
/* MAP in place of what is mapped, if anything: a copy at that time does not fault. */
#define EDU_GPU_VM_BIND_REPLACE		2

/* MAP, REPLACE: the device must not write. */
#define EDU_GPU_VM_BIND_READONLY	0x1

/**
 * struct drm_edu_gpu_vm_bind - map or unmap a range of the address space
 */
struct drm_edu_gpu_vm_bind {
	/** @op: EDU_GPU_VM_BIND_MAP, EDU_GPU_VM_BIND_UNMAP or EDU_GPU_VM_BIND_REPLACE */
	__u32 op;
	/** @flags: EDU_GPU_VM_BIND_READONLY */
	__u32 flags;
	/** @handle: not for UNMAP: the buffer, which stays alive while it is mapped */
	__u32 handle;
	/** @pad: 0 */
	__u32 pad;
	/** @va: first byte of the range */
	__u64 va;
	/** @len: bytes */
	__u64 len;
	/** @offset: not for UNMAP: first byte in the buffer */
	__u64 offset;
};

/**
 * struct drm_edu_gpu_copy - copy between two ranges, which must not overlap
 */
struct drm_edu_gpu_copy {
	/** @src: first byte to read */
	__u64 src;
	/** @dst: first byte to write */
	__u64 dst;
	/** @len: bytes, up to EDU_GPU_MAX_COPY */
	__u32 len;
	/** @flags: 0 */
	__u32 flags;
	/** @fence: out: a sync file that signals when the copy is done */
	__s32 fence;
	/** @pad: 0 */
	__u32 pad;
};

#define DRM_IOCTL_EDU_GPU_VM_BIND \
	DRM_IOW(DRM_COMMAND_BASE + DRM_EDU_GPU_VM_BIND, struct drm_edu_gpu_vm_bind)
#define DRM_IOCTL_EDU_GPU_COPY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_EDU_GPU_COPY, struct drm_edu_gpu_copy)

#if defined(__cplusplus)
}
#endif

#endif /* __EDU_GPU_DRM_H__ */
