// SPDX-License-Identifier: GPL-2.0
/*
 * Measures the cost of the life of a buffer, up to the response of the host, with
 * either driver of a virtio-gpu.  Prints a line for each sample of one buffer:
 *
 *	create|touch|destroy BYTES ALIVE COST
 *
 * With the argument "display": see bench_display().
 *
 * The cost is in instructions of the only CPU of the guest if its clock counts them
 * (SGT_ICOUNT), and in nanoseconds otherwise.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/sgt_kms.h"
#include "bench.h"

#define BATCH		8
#define BATCH_BYTES	(32ul << 20)
#define SAMPLES		3

static const int steps[] = { 100, 1000, 4000 };

static void create_all(int drm, uint32_t *bos, int count, uint32_t side)
{
	for (int i = 0; i < count; i++)
		bos[i] = bench_create(drm, side);
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

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && !strcmp(argv[1], "display")) {
		bench_display();
		return 0;
	}
	for (unsigned int i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		measure_alive(steps[i]);
	return 0;
}
