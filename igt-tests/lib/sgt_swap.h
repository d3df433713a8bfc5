/* SPDX-License-Identifier: GPL-2.0 */
/* Swap in compressed memory, and the calls that free memory. */
#ifndef SGT_SWAP_H
#define SGT_SWAP_H

#include <stdint.h>

/* Returns 0, or a negative errno: -EOPNOTSUPP without zram or swap. */
int sgt_swap_begin(uint64_t bytes);

/* For the fixture after a subtest that may have failed, or skipped */
void sgt_swap_end(void);

/* Have the kernel call its shrinkers: 0 or a negative errno. */
int sgt_shrink(void);

#endif
