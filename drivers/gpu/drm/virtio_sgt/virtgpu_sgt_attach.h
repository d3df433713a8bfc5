/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_ATTACH_H__
#define __VIRTGPU_SGT_ATTACH_H__

#include <linux/compiler.h>

struct virtgpu_sgt_attach;
struct virtgpu_sgt_va_resource;

struct virtgpu_sgt_attach * __must_check
virtgpu_sgt_attach_create(struct virtgpu_sgt_va_resource *va_res);
int __must_check virtgpu_sgt_attach_run(struct virtgpu_sgt_attach *attach);
void virtgpu_sgt_attach_free(struct virtgpu_sgt_attach *attach);
int __must_check virtgpu_sgt_attach_now(struct virtgpu_sgt_va_resource *va_res);

#endif /* __VIRTGPU_SGT_ATTACH_H__ */
