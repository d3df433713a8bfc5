// SPDX-License-Identifier: GPL-2.0
#include "igt.h"

#include "sgt_damage.h"
#include "sgt_test.h"

#define GARBAGE		0x00ff00ffu

static bool inside(const drmModeClip *clip, uint32_t x, uint32_t y)
{
	return x >= clip->x1 && x < clip->x2 && y >= clip->y1 && y < clip->y2;
}

/* The pattern where @clip and @in_clip agree, garbage elsewhere */
static void fill_part(const struct sgt_bo *bo, const drmModeClip *clip, bool in_clip,
		      uint32_t seed)
{
	for (uint32_t y = 0; y < bo->height; y++) {
		for (uint32_t x = 0; x < bo->width; x++) {
			uint32_t word = y * bo->width + x;

			bo->map[word] = inside(clip, x, y) == in_clip ?
					sgt_pattern(word, seed) : GARBAGE;
		}
	}
}

/*
 * The device reads the pattern around the rectangle first, and garbage inside.
 * Then memory has the inverse, and only the rectangle is damaged.
 */
static void check_clip(const struct sgt_screen *screen, const struct sgt_bo *bo,
		       drmModeClip clip)
{
	uint32_t seed = sgt_new_seed();

	igt_debug("damage %d,%d to %d,%d\n", clip.x1, clip.y1, clip.x2, clip.y2);
	fill_part(bo, &clip, false, seed);
	sgt_must(sgt_host_trace_mark());
	sgt_must(sgt_screen_show(screen, bo, 0));
	/* The device may read memory after the call returns. */
	sgt_wait_trace("virtio_gpu_cmd_res_flush", 1);
	fill_part(bo, &clip, true, seed);
	igt_assert_eq(drmModeDirtyFB(bo->drm, bo->fb, &clip, 1), 0);
	sgt_expect_screen(screen, seed);
	sgt_must(sgt_screen_off(screen));
}

void sgt_check_damage(const struct sgt_screen *screen, const struct sgt_bo *bo)
{
	uint16_t width = screen->mode.hdisplay, height = screen->mode.vdisplay;
	const drmModeClip clips[] = {
		{ .x1 = 0, .y1 = 0, .x2 = 1, .y2 = 1 },
		{ .x1 = width - 1, .y1 = height - 1, .x2 = width, .y2 = height },
		{ .x1 = 101, .y1 = 203, .x2 = width - 307, .y2 = height - 89 },
		{ .x1 = 0, .y1 = 0, .x2 = width, .y2 = height },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(clips); i++)
		check_clip(screen, bo, clips[i]);
}
