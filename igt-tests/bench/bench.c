// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <virtgpu_drm.h>

#include "../lib/sgt_kms.h"
#include "../lib/sgt_virtgpu.h"
#include "bench.h"

#define EMPTY_SAMPLES	3

/* A CPU with so few instructions during such a sleep is idle. */
#define SLEEP_MS	10
#define SETTLED		200000

void die(const char *format, ...)
{
	va_list args;

	fputs("sgt_bench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

void must(const char *what, int ret)
{
	if (ret < 0)
		die("%s: %s", what, strerror(-ret));
}

static long read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * 1000000000 + now.tv_nsec;
}

/*
 * The instructions of all tasks but the idle task, up to the last switch between
 * tasks, which the sleep causes.
 */
static long read_schedstat(void)
{
	unsigned long long ran = 0;
	bool found = false;
	char line[256];
	FILE *file;

	poll(NULL, 0, SLEEP_MS);
	file = fopen("/proc/schedstat", "re");
	if (!file)
		die("the kernel has no /proc/schedstat");
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "cpu0 %*u %*u %*u %*u %*u %*u %llu", &ran) == 1;
	fclose(file);
	if (!found)
		die("/proc/schedstat has no CPU 0");
	return ran;
}

/* The same when the CPU is idle, as work items free the memory. */
static long settled_schedstat(void)
{
	long before, now = read_schedstat();

	do {
		before = now;
		now = read_schedstat();
	} while (now - before > SETTLED);
	return now;
}

/* For work of this thread only */
long own_clock(void)
{
	return read_clock(getenv("SGT_ICOUNT") ? CLOCK_THREAD_CPUTIME_ID :
						 CLOCK_MONOTONIC);
}

/* For work of several threads */
long whole_clock(void)
{
	return getenv("SGT_ICOUNT") ? settled_schedstat() :
				      read_clock(CLOCK_MONOTONIC);
}

/*
 * Creates a picture on the host.  With the in-tree driver, only the creation of a
 * resource has a fence to wait for.
 */
uint32_t bench_create(int drm, uint32_t side)
{
	struct drm_virtgpu_resource_create create = {
		.target = SGT_TARGET_2D, .format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.width = side, .height = side, .depth = 1, .array_size = 1, .size = 4 * side * side,
	};
	struct drm_virtgpu_3d_wait wait = {};

	if (drmIoctl(drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create))
		die("resource: %s", strerror(errno));
	wait.handle = create.bo_handle;
	if (drmIoctl(drm, DRM_IOCTL_VIRTGPU_WAIT, &wait))
		die("wait: %s", strerror(errno));
	return create.bo_handle;
}

/*
 * The host processes commands in order, so it responds to this one last.  The
 * resource stays until the file is closed, as its end would be measured, too.
 */
void host_answers(int drm)
{
	bench_create(drm, FIRST_SIDE);
}

/* The cost of measuring, with or without a wait for the host */
long measure_nothing(int drm, bool answer)
{
	long least = LONG_MAX;

	for (int i = 0; i < EMPTY_SAMPLES; i++) {
		long cost = -whole_clock();

		if (answer)
			host_answers(drm);
		cost += whole_clock();
		least = cost < least ? cost : least;
	}
	return least;
}
