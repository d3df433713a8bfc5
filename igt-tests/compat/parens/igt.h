/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For an IGT checkout of before the block keywords took parentheses: the real
 * header, with those keywords replaced.
 */
#include_next <igt.h>
#include "../igt_blocks.h"
