/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What these tests use of IGT's library.
 *
 * Distributions ship libigt.so.0 but not its headers.  This file declares the
 * few entry points needed, as libigt 1.27 and later export them, and gives the
 * macros around them.  It is not a copy of IGT's igt.h: with IGT_SRC= the tests
 * are built against the real one instead.
 */
#ifndef SGT_COMPAT_IGT_H
#define SGT_COMPAT_IGT_H

#include <errno.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <xf86drm.h>
#include <xf86drmMode.h>

struct option;

enum igt_log_level {
	IGT_LOG_DEBUG,
	IGT_LOG_INFO,
	IGT_LOG_WARN,
	IGT_LOG_CRITICAL,
	IGT_LOG_NONE,
};

typedef int (*igt_opt_handler_t)(int opt, int opt_index, void *data);

#define SGT_NORETURN	__attribute__((noreturn))
#define SGT_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Subtests, fixtures and groups */
extern jmp_buf igt_subtest_jmpbuf;

int igt_subtest_init_parse_opts(int *argc, char **argv,
				const char *short_opts,
				const struct option *long_opts,
				const char *help,
				igt_opt_handler_t handler, void *data);
bool __igt_run_subtest(const char *name, const char *file, const int line);
bool __igt_fixture(void);
void __igt_fixture_complete(void);
void __igt_subtest_group_save(int *skip, int *desc);
void __igt_subtest_group_restore(int skip, int desc);
SGT_PRINTF(1, 2) void igt_describe_f(const char *format, ...);

/* Ends of a subtest */
void igt_success(void);
SGT_NORETURN void igt_exit(void);
SGT_NORETURN SGT_PRINTF(1, 2) void igt_skip(const char *format, ...);
SGT_NORETURN SGT_PRINTF(5, 6)
void __igt_skip_check(const char *file, const int line, const char *func,
		      const char *check, const char *format, ...);
SGT_NORETURN SGT_PRINTF(6, 7)
void __igt_fail_assert(const char *domain, const char *file, const int line,
		       const char *func, const char *assertion,
		       const char *format, ...);

/* Helpers of a running subtest */
bool __igt_fork(void);
void igt_waitchildren(void);
void igt_set_timeout(unsigned int seconds, const char *op);
void igt_reset_timeout(void);
SGT_PRINTF(3, 4)
void igt_log(const char *domain, enum igt_log_level level,
	     const char *format, ...);
SGT_PRINTF(1, 2) void igt_kmsg(const char *format, ...);

#define KMSG_INFO	"<6>[IGT] "

#define IGT_TEST_DESCRIPTION(text) const char *__igt_test_description = text
extern const char *__igt_test_description;

#define igt_describe(text)	igt_describe_f("%s", text)

#include "igt_blocks.h"

#define igt_subtest(name)						\
	for (; __igt_run_subtest(name, __FILE__, __LINE__) &&		\
	       !sigsetjmp(igt_subtest_jmpbuf, 1); igt_success())

#define igt_subtest_f(...)						\
	for (char SGT_UNIQUE(name)[256];				\
	     snprintf(SGT_UNIQUE(name), sizeof(SGT_UNIQUE(name)),	\
		      __VA_ARGS__),					\
	     __igt_run_subtest(SGT_UNIQUE(name), __FILE__, __LINE__) &&	\
	     !sigsetjmp(igt_subtest_jmpbuf, 1); igt_success())

#define igt_fork(child, count)						\
	for (int child = 0; child < (count); child++)			\
		for (; __igt_fork(); exit(0))

#define igt_debug(...)	igt_log(NULL, IGT_LOG_DEBUG, __VA_ARGS__)
#define igt_info(...)	igt_log(NULL, IGT_LOG_INFO, __VA_ARGS__)

#define sgt_fail(text, ...)						\
	__igt_fail_assert(NULL, __FILE__, __LINE__, __func__, text, __VA_ARGS__)

#define igt_assert(expr)						\
	do {								\
		if (!(expr))						\
			sgt_fail(#expr, NULL);				\
	} while (0)

#define igt_assert_f(expr, ...)						\
	do {								\
		if (!(expr))						\
			sgt_fail(#expr, __VA_ARGS__);			\
	} while (0)

/* Both sides are evaluated once, and both values are shown. */
#define sgt_assert_cmp(type, format, a, op, b)				\
	do {								\
		type sgt_a_ = (a), sgt_b_ = (b);			\
									\
		if (!(sgt_a_ op sgt_b_))				\
			sgt_fail(#a " " #op " " #b,			\
				 "left: " format ", right: " format "\n", \
				 sgt_a_, sgt_b_);			\
	} while (0)

#define igt_assert_eq(a, b)	sgt_assert_cmp(int, "%d", a, ==, b)
#define igt_assert_neq(a, b)	sgt_assert_cmp(int, "%d", a, !=, b)
#define igt_assert_lt(a, b)	sgt_assert_cmp(int, "%d", a, <, b)
#define igt_assert_lte(a, b)	sgt_assert_cmp(int, "%d", a, <=, b)
#define igt_assert_eq_u32(a, b)	sgt_assert_cmp(uint32_t, "%#x", a, ==, b)
#define igt_assert_eq_u64(a, b)	\
	sgt_assert_cmp(unsigned long long, "%#llx", a, ==, b)

#define sgt_skip_unless(expr, text, ...)				\
	do {								\
		if (!(expr))						\
			__igt_skip_check(__FILE__, __LINE__, __func__,	\
					 text, __VA_ARGS__);		\
	} while (0)

#define igt_require(expr)		sgt_skip_unless(expr, #expr, NULL)
#define igt_require_f(expr, ...)	sgt_skip_unless(expr, #expr, __VA_ARGS__)

#define do_ioctl(fd, request, arg)					\
	do {								\
		igt_assert_eq(drmIoctl(fd, request, arg), 0);		\
		errno = 0;						\
	} while (0)

#define do_ioctl_err(fd, request, arg, error)				\
	do {								\
		igt_assert_eq(drmIoctl(fd, request, arg), -1);		\
		igt_assert_eq(errno, error);				\
		errno = 0;						\
	} while (0)

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define ALIGN(value, to)	(((value) + (to) - 1) & ~((to) - 1))

#endif
