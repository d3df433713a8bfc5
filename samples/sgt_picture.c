// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../igt-tests/lib/sgt_pattern.h"
#include "sgt_picture.h"

#define PAGE_BYTES	4096u
#define PAGE_PIXELS	(PAGE_BYTES / 4)

/*
 * Letters of 3 by 5 dots: five octal digits, a row each, from top to bottom.
 * The left dot is worth 4.
 */
static const struct {
	char letter;
	uint16_t rows;
} font[] = {
	{ 'A', 025755 }, { 'B', 065656 }, { 'C', 034443 }, { 'D', 065556 },
	{ 'E', 074647 }, { 'F', 074644 }, { 'G', 034553 }, { 'H', 055755 },
	{ 'I', 072227 }, { 'J', 011152 }, { 'K', 055655 }, { 'L', 044447 },
	{ 'M', 057755 }, { 'N', 065555 }, { 'O', 025552 }, { 'P', 065644 },
	{ 'Q', 025563 }, { 'R', 065655 }, { 'S', 034216 }, { 'T', 072222 },
	{ 'U', 055557 }, { 'V', 055552 }, { 'W', 055775 }, { 'X', 055255 },
	{ 'Y', 055222 }, { 'Z', 071247 },
	{ '0', 075557 }, { '1', 026227 }, { '2', 061247 }, { '3', 071317 },
	{ '4', 055711 }, { '5', 074617 }, { '6', 034757 }, { '7', 071222 },
	{ '8', 075757 }, { '9', 075716 },
	{ '-', 000700 }, { '_', 000007 }, { '.', 000002 }, { ',', 000024 },
	{ ':', 002020 }, { '/', 011244 }, { '+', 002720 }, { '*', 052520 },
};

static uint16_t rows_of(char letter)
{
	if (letter >= 'a' && letter <= 'z')
		letter += 'A' - 'a';
	for (size_t i = 0; i < sizeof(font) / sizeof(font[0]); i++)
		if (font[i].letter == letter)
			return font[i].rows;
	return 0;
}

static uint32_t *pixel_at(const struct picture *picture, uint32_t x, uint32_t y)
{
	return (uint32_t *)((char *)picture->pixels + (size_t)y * picture->pitch) + x;
}

static void fill_rect(const struct picture *picture, uint32_t x, uint32_t y,
		      uint32_t width, uint32_t height, uint32_t colour)
{
	for (uint32_t j = y; j < y + height && j < picture->height; j++)
		for (uint32_t i = x; i < x + width && i < picture->width; i++)
			*pixel_at(picture, i, j) = colour;
}

/* Half as bright, so that text on it can be read */
static void shade_rect(const struct picture *picture, uint32_t x, uint32_t y,
		       uint32_t width, uint32_t height)
{
	for (uint32_t j = y; j < y + height && j < picture->height; j++) {
		for (uint32_t i = x; i < x + width && i < picture->width; i++) {
			uint32_t *pixel = pixel_at(picture, i, j);

			*pixel = *pixel >> 2 & 0x3f3f3f;
		}
	}
}

static void draw_letter(const struct picture *picture, char letter, uint32_t x,
			uint32_t y, uint32_t dot, uint32_t colour)
{
	uint16_t rows = rows_of(letter);

	for (int bit = 14; bit >= 0; bit--) {
		if (rows >> bit & 1)
			fill_rect(picture, x + (14 - bit) % 3 * dot,
				  y + (14 - bit) / 3 * dot, dot, dot, colour);
	}
}

static void draw_text(const struct picture *picture, const char *text, uint32_t x,
		      uint32_t y, uint32_t dot, uint32_t colour)
{
	for (; *text; text++, x += 4 * dot)
		draw_letter(picture, *text, x, y, dot, colour);
}

static uint32_t text_width(const char *text, uint32_t dot)
{
	return *text ? (4 * strlen(text) - 1) * dot : 0;
}

/* A colour of the rainbow: @step of @steps, @bright of 255 */
static uint32_t rainbow(uint32_t step, uint32_t steps, uint32_t bright)
{
	uint32_t place = (uint64_t)step * (6 * 256) / steps;
	uint32_t up = (place & 255) * bright / 255;
	uint32_t low = bright / 5;
	uint32_t down = bright - up;

	if (up < low)
		up = low;
	if (down < low)
		down = low;

	switch (place / 256) {
	case 0:
		return bright << 16 | up << 8 | low;
	case 1:
		return down << 16 | bright << 8 | low;
	case 2:
		return low << 16 | bright << 8 | up;
	case 3:
		return low << 16 | down << 8 | bright;
	case 4:
		return up << 16 | low << 8 | bright;
	default:
		return bright << 16 | low << 8 | down;
	}
}

static uint32_t count_pages(const struct picture *picture)
{
	return (uint64_t)picture->pitch * picture->height / PAGE_BYTES;
}

/* Ten marks or so, at round page numbers */
static uint32_t mark_distance(uint32_t pages)
{
	uint32_t distance = 1;

	while (pages / distance > 15)
		distance *= pages / distance > 75 ? 10 : 5;
	return distance;
}

/* The picture's bytes in their order in memory, padding included */
static void draw_rainbow(const struct picture *picture)
{
	size_t total = (size_t)picture->pitch / 4 * picture->height;
	uint32_t pages = count_pages(picture) + 1;
	uint32_t band = mark_distance(pages) / 4 ?: 1;

	for (size_t i = 0; i < total; i++) {
		uint32_t page = i / PAGE_PIXELS;

		/* Bands of some pages have steps where a page begins. */
		picture->pixels[i] = rainbow(page, pages, page / band % 2 ? 240 : 216);
	}
}

static void draw_marks(const struct picture *picture)
{
	uint32_t pages = count_pages(picture);
	uint32_t distance = mark_distance(pages);

	for (uint32_t page = 0; page < pages; page += distance) {
		uint32_t y = (size_t)page * PAGE_BYTES / picture->pitch;
		char number[32];

		snprintf(number, sizeof(number), "page %u", page);
		fill_rect(picture, 0, y, picture->width / 40, 2, 0xffffff);
		draw_text(picture, number, picture->width / 40 + 8, y + 2, 2, 0xffffff);
	}
}

static void draw_title(const struct picture *picture, const char *title,
		       const char *subtitle)
{
	uint32_t big = picture->width / 128 ?: 1, small = big / 3 ?: 1;
	uint32_t width = text_width(title, big), height = 10 * big;
	uint32_t x, y;

	if (text_width(subtitle, small) > width)
		width = text_width(subtitle, small);
	width += 6 * big;
	if (width > picture->width || height > picture->height)
		return;

	x = (picture->width - width) / 2;
	y = (picture->height - height) / 2;
	shade_rect(picture, x, y, width, height);
	draw_text(picture, title, (picture->width - text_width(title, big)) / 2,
		  y + big, big, 0xffffff);
	draw_text(picture, subtitle, (picture->width - text_width(subtitle, small)) / 2,
		  y + 7 * big, small, 0xffffff);
}

void draw_pages(const struct picture *picture, const char *title,
		const char *subtitle)
{
	draw_rainbow(picture);
	draw_marks(picture);
	draw_title(picture, title, subtitle);
}

/* Diamonds, one as high as the picture */
void draw_wallpaper(const struct picture *picture)
{
	int period = picture->height, half = period / 2;

	for (uint32_t y = 0; y < picture->height; y++) {
		for (uint32_t x = 0; x < picture->width; x++) {
			int far = abs((int)x % period - half) + abs((int)y - half);
			uint32_t light = abs(far - half) * 40 / half;

			*pixel_at(picture, x, y) = (16 + light / 2) << 16 |
						   (32 + light) << 8 | (64 + light);
		}
	}
}

void draw_pattern(const struct picture *picture, uint32_t seed)
{
	for (uint32_t y = 0; y < picture->height; y++)
		for (uint32_t x = 0; x < picture->width; x++)
			*pixel_at(picture, x, y) = sgt_pattern(y * picture->width + x, seed);
}
