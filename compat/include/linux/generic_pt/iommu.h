/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/generic_pt/iommu.h>

#ifndef __COMPAT_LINUX_GENERIC_PT_IOMMU_H__
#define __COMPAT_LINUX_GENERIC_PT_IOMMU_H__

struct iommu_pages_list;

/* 7.3: exported, but declared in a header of drivers/iommu. */
void iommu_put_pages_list(struct iommu_pages_list *list);

#endif
