/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SGT_DIE_H
#define SGT_DIE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Says what is wrong, and ends the program */
static inline void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "sgt_demo: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

#endif
