/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SGT_DIE_H
#define SGT_DIE_H

#include <err.h>
#include <stdarg.h>

/* Says what is wrong, and ends the program */
static inline void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	verrx(1, format, args);
}

#endif
