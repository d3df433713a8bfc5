/* SPDX-License-Identifier: GPL-2.0 */
#include_next <kunit/test.h>

#ifndef __COMPAT_KUNIT_TEST_H__
#define __COMPAT_KUNIT_TEST_H__

#include <linux/version.h>

/* 6.18: a generator of parameters gets the test. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define COMPAT_GEN_PARAMS(name)	const void *name(const void *prev, char *desc)
#define COMPAT_GEN_ARGS		prev, desc
#else
#define COMPAT_GEN_PARAMS(name)	\
	const void *name(struct kunit *test, const void *prev, char *desc)
#define COMPAT_GEN_ARGS		test, prev, desc
#endif

#endif
