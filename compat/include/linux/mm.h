/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/mm.h>

#ifndef __COMPAT_LINUX_MM_H__
#define __COMPAT_LINUX_MM_H__

#include <linux/version.h>

/* 7.3: is_cow_mapping() of flags became vma_is_cow_mapping() of an area. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
static inline bool vma_is_cow_mapping(const struct vm_area_struct *vma)
{
	return is_cow_mapping(vma->vm_flags);
}
#endif

/* 6.18 at the latest: a plain PFN, and no pfn_t.h. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#include <linux/pfn_t.h>

#define vmf_insert_pfn_pmd(vmf, pfn, write) \
	vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), write)
#endif

/* 7.0: the flags of an area became a bitmap, which shmem_file_setup() takes. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#define VMA_NORESERVE_BIT	VM_NORESERVE
#define mk_vma_flags(flags)	(flags)
#endif

#endif
