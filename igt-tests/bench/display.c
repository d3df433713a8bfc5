// SPDX-License-Identifier: GPL-2.0
/*
 * Measures dumb buffers, and what shows them.  Prints a line for each sample:
 *
 *	WHAT BYTES COST
 *
 * The cost is that of one operation, up to the response of the host.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/sgt_bus.h"
#include "../lib/sgt_kms.h"
#include "bench.h"

#define SAMPLES		3

/* Operations of a sample */
#define BUFFERS		16
#define BURST		2000
#define FRAMES		200
#define MOVES		2000

#define CURSOR_SIDE	64

/* The side of a small change */
#define DAMAGE		64

static struct sgt_screen screen;
static struct sgt_bo pictures[2], cursor;

static void make(struct sgt_bo *bo, uint32_t width, uint32_t height)
{
	must("create", sgt_bo_create(bo, screen.drm, width, height));
}

static void touch(struct sgt_bo *bo)
{
	must("mmap", sgt_bo_map(bo));
	for (size_t at = 0; at < bo->size; at += PAGE)
		((volatile char *)bo->map)[at] = 1;
}

static void make_picture(struct sgt_bo *bo, uint32_t width, uint32_t height)
{
	make(bo, width, height);
	touch(bo);
	must("addfb", sgt_bo_add_fb(bo));
}

/* A mode of that size, at 60 Hz */
static struct sgt_screen square(uint32_t side)
{
	struct sgt_screen small = screen;

	small.mode = (drmModeModeInfo) {
		.hdisplay = side, .hsync_start = side + 8,
		.hsync_end = side + 16, .htotal = side + 32,
		.vdisplay = side, .vsync_start = side + 8,
		.vsync_end = side + 16, .vtotal = side + 32,
	};
	small.mode.clock = small.mode.htotal * small.mode.vtotal * 60 / 1000;
	return small;
}

/* Created and freed, and neither touched nor shown */
static int bench_dumb(uint32_t side)
{
	struct sgt_bo bo;

	for (int i = 0; i < BUFFERS; i++) {
		make(&bo, side, side);
		sgt_bo_free(&bo);
	}
	return BUFFERS;
}

/* Created, touched, added as a framebuffer, and shown */
static int bench_show(uint32_t side)
{
	struct sgt_screen small = square(side);
	int count = side == LAST_SIDE ? 1 : BUFFERS;
	struct sgt_bo bo;

	for (int i = 0; i < count; i++) {
		make_picture(&bo, side, side);
		must("show", sgt_screen_show(&small, &bo, 0));
		must("off", sgt_screen_off(&small));
		sgt_bo_free(&bo);
	}
	return count;
}

/* Many are alive at once. */
static int bench_burst(uint32_t side)
{
	static struct sgt_bo bos[BURST];

	for (int i = 0; i < BURST; i++)
		make(&bos[i], side, side);
	for (int i = 0; i < BURST; i++)
		sgt_bo_free(&bos[i]);
	return BURST;
}

static int bench_map(uint32_t side)
{
	struct sgt_bo bo;

	for (int i = 0; i < FRAMES; i++) {
		make(&bo, side, side);
		touch(&bo);
		sgt_bo_free(&bo);
	}
	return FRAMES;
}

static int bench_setcrtc(uint32_t side)
{
	(void)side;
	for (int i = 0; i < FRAMES; i++)
		must("show", sgt_screen_show(&screen, &pictures[i & 1], 0));
	return FRAMES;
}

static int dirty(const struct sgt_bo *bo, uint16_t width, uint16_t height)
{
	drmModeClip clip = { .x2 = width, .y2 = height };

	for (int i = 0; i < FRAMES; i++)
		if (drmModeDirtyFB(screen.drm, bo->fb, &clip, 1))
			die("dirtyfb: %s", strerror(errno));
	return FRAMES;
}

static int bench_dirty(uint32_t side)
{
	(void)side;
	return dirty(&pictures[1], screen.mode.hdisplay, screen.mode.vdisplay);
}

static int bench_damage(uint32_t side)
{
	(void)side;
	return dirty(&pictures[1], DAMAGE, DAMAGE);
}

static int bench_move(uint32_t side)
{
	(void)side;
	for (int i = 0; i < MOVES; i++)
		if (drmModeMoveCursor(screen.drm, screen.crtc, 1 + i % 500, i % 300))
			die("cursor: %s", strerror(errno));
	return MOVES;
}

static void measure(const char *what, int (*bench)(uint32_t side), uint32_t side, size_t bytes)
{
	for (int i = 0; i < SAMPLES; i++) {
		long cost = -whole_clock();
		int count = bench(side);

		host_answers(screen.drm);
		cost += whole_clock() - measure_nothing(screen.drm, true);
		printf("%s %zu %ld\n", what, bytes, cost / count);
	}
}

static void measure_buffers(void)
{
	/* 4 KiB, 64 KiB, 1 MiB and 64 MiB */
	static const uint32_t sides[] = { FIRST_SIDE, 128, 512, LAST_SIDE };

	for (unsigned int i = 0; i < sizeof(sides) / sizeof(*sides); i++) {
		const size_t bytes = 4ul * sides[i] * sides[i];

		measure("dumb", bench_dumb, sides[i], bytes);
		measure("show", bench_show, sides[i], bytes);
	}
	measure("burst", bench_burst, FIRST_SIDE, 4ul * FIRST_SIDE * FIRST_SIDE);
	measure("map", bench_map, CURSOR_SIDE, 4ul * CURSOR_SIDE * CURSOR_SIDE);
}

/* The same with huge pages, if the driver has them */
static void measure_huge(void)
{
	static const uint32_t sides[] = { 512, 1024, LAST_SIDE };
	/* The in-tree driver does not use the helpers. */
	bool ours = !access(SGT_HUGE_PAGES, F_OK);

	if (ours)
		must("huge pages", sgt_write_file(SGT_HUGE_PAGES, "Y"));
	for (unsigned int i = 0; i < sizeof(sides) / sizeof(*sides); i++)
		measure("huge", bench_show, sides[i], 4ul * sides[i] * sides[i]);
	if (ours)
		must("huge pages", sgt_write_file(SGT_HUGE_PAGES, "N"));
}

/* The screen shows part of a large buffer. */
static void measure_large(void)
{
	sgt_bo_free(&pictures[1]);
	make_picture(&pictures[1], LAST_SIDE, LAST_SIDE);
	must("show", sgt_screen_show(&screen, &pictures[1], 0));
	measure("damage", bench_damage, 0, pictures[1].size);
}

static void measure_screen(void)
{
	for (int i = 0; i < 2; i++)
		make_picture(&pictures[i], screen.mode.hdisplay, screen.mode.vdisplay);
	measure("setcrtc", bench_setcrtc, 0, sgt_screen_bytes(&screen));
	measure("dirty", bench_dirty, 0, sgt_screen_bytes(&screen));
	measure("damage", bench_damage, 0, sgt_screen_bytes(&screen));
	measure_large();

	make(&cursor, CURSOR_SIDE, CURSOR_SIDE);
	if (drmModeSetCursor(screen.drm, screen.crtc, cursor.handle, CURSOR_SIDE, CURSOR_SIDE))
		die("cursor: %s", strerror(errno));
	measure("move", bench_move, 0, 4ul * CURSOR_SIDE * CURSOR_SIDE);
}

void bench_display(void)
{
	int drm = sgt_open_wait();

	must("open", drm);
	must("screen", sgt_screen_find(&screen, drm));
	measure_buffers();
	measure_huge();
	measure_screen();
	close(drm);
}
