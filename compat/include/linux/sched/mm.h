/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/sched/mm.h>

#ifndef __COMPAT_LINUX_SCHED_MM_H__
#define __COMPAT_LINUX_SCHED_MM_H__

#include <linux/version.h>

/* 7.2 at the latest: mm_get_unmapped_area() is always for the task that calls it. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
#define mm_get_unmapped_area(filp, addr, len, pgoff, flags) \
	mm_get_unmapped_area(current->mm, filp, addr, len, pgoff, flags)
#endif

#endif
