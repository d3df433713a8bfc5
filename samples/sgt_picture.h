/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SGT_PICTURE_H
#define SGT_PICTURE_H

#include <stddef.h>
#include <stdint.h>

/* A 32-bit XRGB picture in memory */
struct picture {
	uint32_t *pixels;
	uint32_t width, height;
	uint32_t pitch;		/* bytes from row to row */
};

/*
 * Colours that run through the rainbow once, a step with each page of memory,
 * and the number of every so manieth page where it starts.  A page out of its
 * place is a streak of the wrong colour.
 */
void draw_pages(const struct picture *picture, const char *title,
		const char *subtitle);

/* A quiet pattern, which goes on where the picture is put below itself */
void draw_wallpaper(const struct picture *picture);

/* A value of its own for each pixel, which a program can check */
void draw_pattern(const struct picture *picture, uint32_t seed);

#endif
