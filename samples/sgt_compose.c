// SPDX-License-Identifier: GPL-2.0
/*
 * Composes a screen of two buffers without copying a pixel: the lines of the
 * picture are whole pages, each of which the GPU page tables map to a buffer.
 * For the driver virtio_gpu_sgt.
 *
 *                     +---------- 3072 pixels: three pages a line ----------+
 *                     |  page 0        |  page 1        |  page 2           |
 *   a wallpaper       |            +---+----------------+----+              |
 *   of 80 lines,      | wallpaper  |   |     window     |    |  wallpaper   |
 *   bound ten times   |            +---+----------------+----+              |
 *                     |               what the screen shows                 |
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <xf86drm.h>
#include <xf86drmMode.h>

#include <drm/virtgpu_sgt_drm.h>

#include "../igt-tests/lib/sgt_host.h"
#include "../igt-tests/lib/sgt_kms.h"
#include "../igt-tests/lib/sgt_pattern.h"
#include "sgt_die.h"
#include "sgt_picture.h"

#define PAGE		4096ull
#define PAGE_PIXELS	1024u

/* Of the picture, in pages of a line */
#define COLUMNS		3u
#define WINDOW_COLUMN	1u

#define WIDTH		(COLUMNS * PAGE_PIXELS)
#define TILE_HEIGHT	80u
#define WINDOW_HEIGHT	320u

#define VA		(4096ull << 20)
#define MAX_OPS		VIRTGPU_SGT_VM_BIND_MAX_OPS
#define FORMAT_BGRX	2	/* VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM */

#define TILE_SEED	4001u
#define WINDOW_SEED	4002u

struct compose {
	int drm;
	struct sgt_screen screen;
	uint32_t left;			/* the first column of pixels that is shown */
	struct sgt_bo tile, window, picture;
	uint32_t window_y;
	bool check;
	struct drm_virtgpu_sgt_vm_bind_op ops[MAX_OPS];
	uint32_t num_ops;
};

static void must(int err, const char *what)
{
	if (err < 0)
		die("%s: %s%s%s", what, strerror(-err), err == -EREMOTEIO ? ", " : "",
		    err == -EREMOTEIO ? sgt_host_reply() : "");
}

static void must_ioctl(const struct compose *compose, unsigned long request, void *arg,
		       const char *what)
{
	if (drmIoctl(compose->drm, request, arg))
		die("%s: %s", what, strerror(errno));
}

/* Pages of a buffer, for a place in the picture; to be bound with all others */
static void put(struct compose *compose, uint32_t line, uint32_t column, uint32_t pages,
		const struct sgt_bo *bo, uint32_t page)
{
	if (compose->num_ops == MAX_OPS)
		die("too many operations for one call");
	compose->ops[compose->num_ops++] = (struct drm_virtgpu_sgt_vm_bind_op) {
		.op = VIRTGPU_SGT_VM_REMAP,
		.va = VA + (line * COLUMNS + column) * PAGE,
		.size = pages * PAGE,
		.offset = page * PAGE,
		.handle = bo->handle,
	};
}

static void bind(struct compose *compose, const char *step)
{
	struct drm_virtgpu_sgt_vm_query query = { .va = VA, .size = compose->picture.size };
	struct drm_virtgpu_sgt_vm_bind arg = {
		.ops = {
			.stride = sizeof(compose->ops[0]),
			.count = compose->num_ops,
			.array = (uintptr_t)compose->ops,
		},
	};

	must_ioctl(compose, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &arg, "VM_BIND");
	must_ioctl(compose, DRM_IOCTL_VIRTGPU_SGT_VM_QUERY, &query, "VM_QUERY");
	printf("%-13s  %9u  %9llu  %9llu  %9llu  %9llu\n", step, compose->num_ops,
	       (unsigned long long)(query.mapped / PAGE), (unsigned long long)query.segments,
	       (unsigned long long)(query.leaves_4k + query.leaves_2m + query.leaves_1g),
	       (unsigned long long)query.tables);
	compose->num_ops = 0;
}

static void put_wallpaper(struct compose *compose)
{
	uint32_t height = compose->screen.mode.vdisplay;

	for (uint32_t y = 0; y < height; y += TILE_HEIGHT) {
		uint32_t lines = height - y < TILE_HEIGHT ? height - y : TILE_HEIGHT;

		put(compose, y, 0, lines * COLUMNS, &compose->tile, 0);
	}
}

/* Its lines are pages. take_window() puts wallpaper at its old place. */
static void put_window(struct compose *compose, uint32_t y)
{
	for (uint32_t i = 0; i < WINDOW_HEIGHT; i++)
		put(compose, y + i, WINDOW_COLUMN, 1, &compose->window, i);
	compose->window_y = y;
}

static void take_window(struct compose *compose, uint32_t new_y)
{
	for (uint32_t i = 0; i < WINDOW_HEIGHT; i++) {
		uint32_t line = compose->window_y + i;

		if (line >= new_y && line < new_y + WINDOW_HEIGHT)
			continue;
		put(compose, line, WINDOW_COLUMN, 1, &compose->tile,
		    line % TILE_HEIGHT * COLUMNS + WINDOW_COLUMN);
	}
}

static void make_buffer(struct compose *compose, struct sgt_bo *bo, uint32_t width,
			uint32_t height, uint32_t seed)
{
	must(sgt_bo_create(bo, compose->drm, width, height), "create");
	must(sgt_bo_map(bo), "mmap");
	sgt_pattern_fill(bo->map, sgt_bo_words(bo), seed);
}

/* Sends the host the memory that the range maps to now. */
static void make_picture(struct compose *compose)
{
	struct drm_virtgpu_sgt_resource_from_va arg = {
		.va = VA,
		.size = compose->picture.size,
		.width = WIDTH,
		.height = compose->screen.mode.vdisplay,
		.format = FORMAT_BGRX,
	};

	must_ioctl(compose, DRM_IOCTL_VIRTGPU_SGT_RESOURCE_FROM_VA, &arg, "RESOURCE_FROM_VA");
	compose->picture.handle = arg.bo_handle;
	must(sgt_bo_add_fb(&compose->picture), "framebuffer");
}

static void show(struct compose *compose)
{
	drmModeModeInfo mode = compose->screen.mode;
	uint32_t connector = compose->screen.connector;

	if (drmModeSetCrtc(compose->drm, compose->screen.crtc, compose->picture.fb,
			   compose->left, 0, &connector, 1, &mode))
		die("modeset: %s", strerror(errno));
}

static void check_part(uint32_t x, uint32_t y, uint32_t width, uint32_t height,
		       uint32_t first, uint32_t pitch, uint32_t seed)
{
	const struct sgt_part part = { x, y, width, height, first, pitch };

	if (width && height)
		must(sgt_host_part(&part, seed), "the screen");
}

/* Lines of one tile: from edge to edge, or on both sides of the window */
static void check_wallpaper(const struct compose *compose, uint32_t y, uint32_t lines,
			    bool sides)
{
	uint32_t begin = WINDOW_COLUMN * PAGE_PIXELS - compose->left;
	uint32_t end = begin + PAGE_PIXELS, width = compose->screen.mode.hdisplay;
	uint32_t first = y % TILE_HEIGHT * WIDTH + compose->left;

	check_part(0, y, sides ? begin : width, lines, first, WIDTH, TILE_SEED);
	if (sides)
		check_part(end, y, width - end, lines, first + end, WIDTH, TILE_SEED);
}

/* The host compares each pixel with that of the buffer which is to be there. */
static void check_screen(const struct compose *compose)
{
	uint32_t height = compose->screen.mode.vdisplay, step;
	uint32_t top = compose->window_y, bottom = top + WINDOW_HEIGHT;

	if (!compose->check)
		return;
	check_part(WINDOW_COLUMN * PAGE_PIXELS - compose->left, top, PAGE_PIXELS, WINDOW_HEIGHT,
		   0, PAGE_PIXELS, WINDOW_SEED);
	for (uint32_t y = 0; y < height; y += step) {
		step = TILE_HEIGHT - y % TILE_HEIGHT;
		if (y < top && top - y < step)
			step = top - y;
		if (y < bottom && bottom - y < step)
			step = bottom - y;
		if (height - y < step)
			step = height - y;
		check_wallpaper(compose, y, step, y >= top && y < bottom);
	}
}

static void draw(struct compose *compose)
{
	struct picture tile = { compose->tile.map, WIDTH, TILE_HEIGHT, compose->tile.pitch };
	struct picture window = {
		compose->window.map, PAGE_PIXELS, WINDOW_HEIGHT, compose->window.pitch,
	};

	draw_wallpaper(&tile);
	draw_pages(&window, "drm-gem-sgt", "a window: 320 pages of another buffer");
}

/* Both drivers of a virtio GPU have the same name. */
static void find_address_spaces(const struct compose *compose)
{
	struct drm_virtgpu_sgt_dev_query query = { .type = VIRTGPU_SGT_DEV_QUERY_VM };

	if (drmIoctl(compose->drm, DRM_IOCTL_VIRTGPU_SGT_DEV_QUERY, &query))
		die("no GPU address spaces: is the driver virtio_gpu_sgt?");
}

static void begin(struct compose *compose)
{
	const drmModeModeInfo *mode = &compose->screen.mode;

	compose->drm = sgt_open();
	must(compose->drm, "no virtio GPU");
	find_address_spaces(compose);
	must(sgt_screen_find(&compose->screen, compose->drm), "no screen");
	if (mode->hdisplay > WIDTH || mode->hdisplay < PAGE_PIXELS ||
	    mode->vdisplay < 2 * WINDOW_HEIGHT)
		die("the screen is %u x %u, which is not what this is for",
		    mode->hdisplay, mode->vdisplay);
	/* The window is in the middle. */
	compose->left = (WIDTH - mode->hdisplay) / 2;
	compose->picture = (struct sgt_bo) {
		.drm = compose->drm,
		.width = WIDTH,
		.height = mode->vdisplay,
		.pitch = WIDTH * 4,
		.size = WIDTH * 4ull * mode->vdisplay,
	};
	make_buffer(compose, &compose->tile, WIDTH, TILE_HEIGHT, TILE_SEED);
	make_buffer(compose, &compose->window, PAGE_PIXELS, WINDOW_HEIGHT, WINDOW_SEED);
}

static void finish(struct compose *compose)
{
	const drmModeModeInfo *mode = &compose->screen.mode;

	draw(compose);
	must(-drmModeDirtyFB(compose->drm, compose->picture.fb, NULL, 0), "damage");
	printf("screen: %u x %u pixels%s; %llu pages, of %llu in memory, and none copied\n",
	       mode->hdisplay, mode->vdisplay, compose->check ? ", all as drawn" : "",
	       (unsigned long long)(compose->picture.size / PAGE),
	       (unsigned long long)((compose->tile.size + compose->window.size) / PAGE));
	if (compose->check) {
		must(sgt_host_shot("composed"), "photograph");
	} else {
		printf("Press Enter to end.\n");
		getchar();
	}
}

static void compose_screen(struct compose *compose)
{
	uint32_t high = TILE_HEIGHT + TILE_HEIGHT / 5, low;

	begin(compose);
	low = compose->screen.mode.vdisplay - WINDOW_HEIGHT - high;
	printf("%-13s  %9s  %9s  %9s  %9s  %9s\n", "VM_BIND", "ops", "pages", "segments",
	       "leaves", "tables");
	put_wallpaper(compose);
	bind(compose, "wallpaper");
	put_window(compose, high);
	bind(compose, "window");
	make_picture(compose);
	show(compose);
	check_screen(compose);

	take_window(compose, low);
	put_window(compose, low);
	bind(compose, "window moved");
	show(compose);
	check_screen(compose);
	finish(compose);
}

static void usage(FILE *out)
{
	fputs("Usage: sgt_compose [OPTION]...\n"
	      "Shows a window on a wallpaper: two buffers, put together by GPU page tables.\n"
	      "\n"
	      "  -c, --check          have the host compare each pixel: for `make run`\n"
	      "  -h, --help           this text\n", out);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "check", no_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	static struct compose compose;
	int opt;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((opt = getopt_long(argc, argv, "ch", longs, NULL)) >= 0) {
		switch (opt) {
		case 'c':
			compose.check = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc)
		die("no arguments are taken: %s", argv[optind]);
	if (compose.check && !sgt_host_present())
		die("--check is for the guest of `make run`: there is no port to the host");
	compose_screen(&compose);
	return 0;
}
