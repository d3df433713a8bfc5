// SPDX-License-Identifier: GPL-2.0
/* The tour: for a guest that has the tests' port to its host, and root. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../igt-tests/lib/sgt_bus.h"
#include "../igt-tests/lib/sgt_host.h"
#include "../igt-tests/lib/sgt_kms.h"
#include "../igt-tests/lib/sgt_mem.h"
#include "../igt-tests/lib/sgt_table.h"
#include "../igt-tests/lib/sgt_virtgpu.h"
#include "sgt_die.h"
#include "sgt_picture.h"
#include "sgt_run.h"

#define SEED	2024u

enum { ON_SCREEN, BY_HANDLE, BY_MMAP, BY_DMABUF, BY_DMABUF_MMAP };

static const char * const held_by[] = {
	[ON_SCREEN] = "screen",
	[BY_HANDLE] = "handle",
	[BY_MMAP] = "mmap",
	[BY_DMABUF] = "dma-buf fd",
	[BY_DMABUF_MMAP] = "dma-buf mmap",
};

struct held {
	int how;
	uint32_t width, height;	/* 0: the screen's */
	struct sgt_bo bo;
	int dmabuf;
	uint32_t *map;		/* what the program looks at after unbind */
	struct sgt_buffer_row row;
	long entries;
	bool listed;
};

struct tour {
	struct sgt_gpu gpu;
	struct sgt_screen screen;
	bool tables;
	int drm;
	struct held held[6];
	struct sgt_device_row before, after;
};

#define COUNT(array)	(int)(sizeof(array) / sizeof((array)[0]))

static void must(int err, const char *what)
{
	if (err >= 0)
		return;
	die("%s: %s%s%s", what, strerror(-err),
	    err == -EREMOTEIO ? ", " : "",
	    err == -EREMOTEIO ? sgt_host_reply() : "");
}

static void open_device(struct tour *tour)
{
	tour->drm = sgt_open();
	must(tour->drm, "no virtio GPU");
	must(sgt_gpu_find(&tour->gpu, tour->drm), "the GPU's place in sysfs");
	must(sgt_screen_find(&tour->screen, tour->drm), "no screen");
	tour->tables = sgt_gpu_is_sgt(&tour->gpu) && sgt_tables_present();
	if (tour->tables)
		must(sgt_find_live_device(&tour->before), "table of devices");
	printf("%s on %s, %s addresses, set-up %s\n", tour->gpu.driver, tour->gpu.pci,
	       tour->tables ? tour->before.mode : "unknown",
	       getenv("SGT_SETUP") ?: "unknown");
}

static void create(struct tour *tour, struct held *held)
{
	held->dmabuf = -1;
	if (!held->width) {
		held->width = tour->screen.mode.hdisplay;
		held->height = tour->screen.mode.vdisplay;
	}
	must(sgt_bo_create(&held->bo, tour->drm, held->width, held->height), "create");
	must(sgt_bo_map(&held->bo), "mmap");
	if (sgt_try_fill(held->bo.map, sgt_bo_words(&held->bo), SEED))
		die("a fault while drawing");
	/* The device maps a buffer when it is used. */
	must(sgt_bo_use(&held->bo), "transfer");
}

/* The host compares the pattern, then takes a photograph of the picture. */
static void show_picture(struct tour *tour, const char *title)
{
	struct held *held = &tour->held[0];
	struct picture picture = {
		.width = held->width,
		.height = held->height,
	};
	char subtitle[64];

	must(sgt_bo_add_fb(&held->bo), "framebuffer");
	must(sgt_screen_show(&tour->screen, &held->bo, 0), "modeset");
	must(sgt_host_screen(held->width, held->height, SEED), "the screen");
	printf("screen: all %u x %u pixels are as drawn\n", held->width, held->height);

	picture.pixels = held->bo.map;
	picture.pitch = held->bo.pitch;
	snprintf(subtitle, sizeof(subtitle), "%u x %u, %lu pages in their places",
		 held->width, held->height, (unsigned long)held->bo.size / 4096);
	draw_pages(&picture, title, subtitle);
	must(-drmModeDirtyFB(tour->drm, held->bo.fb, NULL, 0), "damage");
	must(sgt_host_shot("screen"), "photograph");
}

/* Only what keeps the buffer by the way it is to be held stays. */
static void hold(struct held *held)
{
	if (held->how == BY_DMABUF || held->how == BY_DMABUF_MMAP) {
		held->dmabuf = sgt_bo_export(&held->bo);
		must(held->dmabuf, "export");
	}
	if (held->how == BY_DMABUF_MMAP) {
		held->map = sgt_mmap_fd(held->dmabuf, held->bo.size);
		if (!held->map)
			die("cannot map the dma-buf");
		close(held->dmabuf);
		held->dmabuf = -1;
	}
	if (held->how == BY_MMAP)
		held->map = held->bo.map;
	else
		munmap(held->bo.map, held->bo.size);
	held->bo.map = NULL;
	if (held->how != BY_HANDLE)
		must(sgt_bo_close(&held->bo), "close");
}

/* The driver's own table: "id size entries state handles" */
static long count_entries(const struct tour *tour, unsigned long size)
{
	unsigned long id, row_size, entries;
	char path[96], line[160];
	struct stat st;
	long found = -1;
	FILE *file;

	if (fstat(tour->drm, &st))
		return -1;
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/virtgpu-resources",
		 minor(st.st_rdev));
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%lu %lu %lu", &id, &row_size, &entries) == 3 &&
		    row_size == size)
			found = entries;
	fclose(file);
	return found;
}

static void look_up(struct tour *tour, struct held *held)
{
	held->entries = count_entries(tour, held->bo.size);
	if (!tour->tables)
		return;
	held->listed = !sgt_find_buffer(tour->before.id, held->bo.size, &held->row);
}

/* "ok" when each word is what was drawn, whatever way there is to see them */
static const char *look_again(const struct held *held)
{
	uint32_t *map = held->map;
	const char *verdict;
	size_t matched = 0;
	int sig;

	if (!map && held->dmabuf >= 0)
		map = sgt_mmap_fd(held->dmabuf, held->bo.size);
	if (!map)
		return held->dmabuf >= 0 ? "LOST" : "-";

	sig = sgt_try_match(map, sgt_bo_words(&held->bo), SEED, &matched);
	verdict = sig ? "FAULT" : matched == sgt_bo_words(&held->bo) ? "ok" : "WRONG";
	if (map != held->map)
		munmap(map, held->bo.size);
	return verdict;
}

static void print_number(bool known, unsigned long value)
{
	if (known)
		printf("  %9lu", value);
	else
		printf("  %9s", "-");
}

static bool print_buffers(const struct tour *tour)
{
	bool fine = true;

	printf("\n%-13s  %9s  %9s  %9s  %9s  %9s\n", "held by", "bytes", "folios",
	       "DMA segs", "entries", "readable");
	for (int i = 0; i < COUNT(tour->held); i++) {
		const struct held *held = &tour->held[i];
		const char *verdict = look_again(held);

		printf("%-13s  %9llu", held_by[held->how],
		       (unsigned long long)held->bo.size);
		print_number(held->listed, held->row.folios);
		print_number(held->listed, held->row.dma_segs);
		print_number(held->entries >= 0, held->entries);
		printf("  %9s\n", verdict);
		if (strcmp(verdict, "ok") && strcmp(verdict, "-"))
			fine = false;
	}
	return fine;
}

static bool print_mappings(struct tour *tour)
{
	if (!tour->tables) {
		printf("\nmappings alive: unknown, the driver has no tables\n");
		return true;
	}
	printf("\nmappings alive: %lu before unbind, %lu after\n",
	       tour->before.mapped, tour->after.mapped);
	sgt_host_fact("buffers", COUNT(tour->held));
	sgt_host_fact("mapped_before_unbind", tour->before.mapped);
	sgt_host_fact("mapped_after_unbind", tour->after.mapped);
	return tour->after.mapped == 0;
}

static void release(struct tour *tour)
{
	for (int i = 0; i < COUNT(tour->held); i++) {
		struct held *held = &tour->held[i];

		if (held->map)
			munmap(held->map, held->bo.size);
		if (held->dmabuf >= 0)
			close(held->dmabuf);
		sgt_bo_free(&held->bo);
	}
	close(tour->drm);
}

/* The pixels again, by the device that was bound while the old one was held */
static void show_on_new_device(const struct tour *tour)
{
	struct sgt_screen screen;
	struct sgt_bo bo;
	int drm;

	drm = sgt_open_wait();
	must(drm, "no device after binding again");
	must(sgt_screen_find(&screen, drm), "no screen after binding again");
	must(sgt_bo_create(&bo, drm, screen.mode.hdisplay, screen.mode.vdisplay), "create");
	must(sgt_bo_map(&bo), "mmap");
	if (sgt_try_fill(bo.map, sgt_bo_words(&bo), SEED + 1))
		die("a fault while drawing");
	must(sgt_bo_add_fb(&bo), "framebuffer");
	must(sgt_screen_show(&screen, &bo, 0), "modeset");
	must(sgt_host_screen(bo.width, bo.height, SEED + 1), "the screen");
	sgt_bo_free(&bo);
	close(drm);
	printf("bound again: %s shows a new picture\n", tour->gpu.virtio);
}

int sgt_run(const char *title)
{
	/* Each size is there once, so that the tables' rows can be told apart. */
	struct tour tour = {
		.held = {
			{ .how = ON_SCREEN },
			{ .how = BY_HANDLE, .width = 32, .height = 32 },
			{ .how = BY_HANDLE, .width = 128, .height = 128 },
			{ .how = BY_MMAP, .width = 1024, .height = 256 },
			{ .how = BY_DMABUF, .width = 2048, .height = 1024 },
			{ .how = BY_DMABUF_MMAP, .width = 2048, .height = 2048 },
		},
	};
	bool fine;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!sgt_host_present())
		die("--run is for the guest of `make run`: there is no port to the host");

	open_device(&tour);
	for (int i = 0; i < COUNT(tour.held); i++)
		create(&tour, &tour.held[i]);
	show_picture(&tour, title);
	for (int i = 0; i < COUNT(tour.held); i++) {
		hold(&tour.held[i]);
		look_up(&tour, &tour.held[i]);
	}
	if (tour.tables)
		must(sgt_find_live_device(&tour.before), "table of devices");

	must(sgt_unbind(&tour.gpu, SGT_ROUTE_VIRTIO), "unbind");
	if (tour.tables)
		must(sgt_find_device(tour.before.id, &tour.after), "the old device's row");
	fine = print_buffers(&tour);
	fine &= print_mappings(&tour);

	must(sgt_rebind(&tour.gpu, SGT_ROUTE_VIRTIO), "bind");
	show_on_new_device(&tour);
	release(&tour);
	return fine ? 0 : 1;
}
