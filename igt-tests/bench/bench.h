/* SPDX-License-Identifier: GPL-2.0 */
/* Common parts of the benchmarks: clocks, and the response of the host. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>

/* Squares: 4 KiB to 64 MiB, each four times the one before */
#define FIRST_SIDE	32
#define LAST_SIDE	4096

#define PAGE		4096

void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void must(const char *what, int ret);

long own_clock(void);
long whole_clock(void);

/* A virtgpu resource, which the host has created: its handle */
uint32_t bench_create(int drm, uint32_t side);

/* Waits until the host has executed all commands. */
void host_answers(int drm);

/* What measuring costs, with or without host_answers() */
long measure_nothing(int drm, bool answer);

/* The other benchmark: dumb buffers, and what shows them */
void bench_display(void);

#endif
