/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GEM_SGT_HUGE_H__
#define __DRM_GEM_SGT_HUGE_H__

#include <linux/mm_types.h>

struct file;
struct vm_fault;

extern bool drm_gem_sgt_huge_pages;

struct file *drm_gem_sgt_file_create(size_t size);
void drm_gem_sgt_huge_init(void);
void drm_gem_sgt_huge_fini(void);
vm_fault_t drm_gem_sgt_huge_fault(struct vm_fault *vmf, unsigned int order);

#endif /* __DRM_GEM_SGT_HUGE_H__ */
