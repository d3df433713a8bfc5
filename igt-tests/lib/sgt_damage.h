/* SPDX-License-Identifier: GPL-2.0 */
/* What the device reads if a part of a picture is damaged. */
#ifndef SGT_DAMAGE_H
#define SGT_DAMAGE_H

#include "sgt_kms.h"

/*
 * For rectangles from one pixel to all, the device reads exactly the rectangle.
 * @bo has the size of the screen, a mapping and a framebuffer; the screen is off
 * afterwards.
 */
void sgt_check_damage(const struct sgt_screen *screen, const struct sgt_bo *bo);

#endif
