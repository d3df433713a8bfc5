/* SPDX-License-Identifier: GPL-2.0 */
/* What the device takes when a part of a picture is said to have changed. */
#ifndef SGT_DAMAGE_H
#define SGT_DAMAGE_H

#include "sgt_kms.h"

/*
 * Rectangles from one pixel to all: the device takes each one, and nothing
 * else.  @bo has the size of the screen, a mapping and a framebuffer; the screen
 * is off afterwards.
 */
void sgt_check_damage(const struct sgt_screen *screen, const struct sgt_bo *bo);

#endif
