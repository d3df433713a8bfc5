/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/hrtimer.h>

#ifndef __COMPAT_LINUX_HRTIMER_H__
#define __COMPAT_LINUX_HRTIMER_H__

#include <linux/version.h>

/* 6.13: the function of a timer is set with its clock. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock_id, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock_id, mode);
	timer->function = function;
}
#endif

#endif
