// SPDX-License-Identifier: GPL-2.0
/*
 * Measures the cost of the life of a buffer, up to the response of the host, with
 * either driver of a virtio-gpu.  Prints a line for each sample of one buffer:
 *
 *	create|touch|destroy BYTES ALIVE COST
 *
 * The cost is in instructions of the only CPU of the guest if its clock counts them
 * (SGT_ICOUNT), and in nanoseconds otherwise.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <virtgpu_drm.h>

#include "lib/sgt_kms.h"
#include "lib/sgt_virtgpu.h"

#define PAGE		4096
#define BATCH		8
#define BATCH_BYTES	(32ul << 20)
#define SAMPLES		3
#define EMPTY_SAMPLES	3

/* A CPU with so few instructions during such a sleep is idle. */
#define SLEEP_MS	10
#define SETTLED		200000

/* Squares: 4 KiB to 64 MiB, each four times the one before */
#define FIRST_SIDE	32
#define LAST_SIDE	4096

static const int steps[] = { 100, 1000, 4000 };

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *format, ...)
{
	va_list args;

	fputs("sgt_bench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void must(const char *what, int ret)
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
static long own_clock(void)
{
	return read_clock(getenv("SGT_ICOUNT") ? CLOCK_THREAD_CPUTIME_ID :
						 CLOCK_MONOTONIC);
}

/* For work of several threads */
static long whole_clock(void)
{
	return getenv("SGT_ICOUNT") ? settled_schedstat() :
				      read_clock(CLOCK_MONOTONIC);
}

/*
 * Creates a picture on the host.  With the in-tree driver, only the creation of a
 * resource has a fence to wait for.
 */
static uint32_t create(int drm, uint32_t side)
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
static void host_answers(int drm)
{
	create(drm, FIRST_SIDE);
}

static void create_all(int drm, uint32_t *bos, int count, uint32_t side)
{
	for (int i = 0; i < count; i++)
		bos[i] = create(drm, side);
}

static void destroy_all(int drm, const uint32_t *bos, int count)
{
	for (int i = 0; i < count; i++)
		must("close", sgt_close_handle(drm, bos[i]));
}

/* The first access to each page */
static long touch(int drm, uint32_t bo, size_t bytes)
{
	volatile char *map = sgt_mmap_handle(drm, bo, bytes);
	long cost;

	if (!map)
		die("mmap: %s", strerror(errno));
	cost = -own_clock();
	for (size_t at = 0; at < bytes; at += PAGE)
		map[at] = 1;
	cost += own_clock();
	munmap((void *)map, bytes);
	return cost;
}

/* The cost of measuring, with or without a wait for the host */
static long measure_nothing(int drm, bool answer)
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

static void measure_size(int drm, uint32_t side, int alive)
{
	const size_t bytes = 4ul * side * side;
	const int count = bytes * BATCH <= BATCH_BYTES ? BATCH :
			  bytes < BATCH_BYTES ? BATCH_BYTES / bytes : 1;
	long created, touched = 0, destroyed;
	uint32_t bos[BATCH];

	created = -whole_clock();
	create_all(drm, bos, count, side);
	created += whole_clock() - measure_nothing(drm, false);

	for (int i = 0; i < count; i++)
		touched += touch(drm, bos[i], bytes);

	destroyed = -whole_clock();
	destroy_all(drm, bos, count);
	host_answers(drm);
	destroyed += whole_clock() - measure_nothing(drm, true);

	printf("create %zu %d %ld\n", bytes, alive, created / count);
	printf("touch %zu %d %ld\n", bytes, alive, touched / count);
	printf("destroy %zu %d %ld\n", bytes, alive, destroyed / count);
}

/* The buffers that stay alive are small, and older than those measured. */
static void measure_alive(int alive)
{
	uint32_t *bos = calloc(alive, sizeof(*bos));
	int drm = sgt_open_wait();

	if (!bos)
		die("out of memory");
	must("open", drm);
	create_all(drm, bos, alive, FIRST_SIDE);
	for (int i = 0; i < SAMPLES; i++)
		for (uint32_t side = FIRST_SIDE; side <= LAST_SIDE; side *= 2)
			measure_size(drm, side, alive);
	close(drm);
	free(bos);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned int i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		measure_alive(steps[i]);
	return 0;
}
