/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_VA_GEM_H__
#define __VIRTGPU_SGT_VA_GEM_H__

#include <linux/compiler.h>
#include <linux/types.h>

struct virtgpu_sgt_va_resource;
struct virtgpu_sgt_vm;

/**
 * struct virtgpu_sgt_va_resource_params - parameters of a new VA resource
 */
struct virtgpu_sgt_va_resource_params {
	/** @va: first byte of the range */
	u64 va;
	/** @size: bytes of the range */
	u64 size;
	/** @format: one of enum virtio_gpu_formats */
	u32 format;
	/** @width: pixels per line */
	u32 width;
	/** @height: lines */
	u32 height;
};

struct virtgpu_sgt_va_resource * __must_check
virtgpu_sgt_va_resource_create(struct virtgpu_sgt_vm *vm,
			       const struct virtgpu_sgt_va_resource_params *params);

#endif /* __VIRTGPU_SGT_VA_GEM_H__ */
