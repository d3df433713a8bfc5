/* SPDX-License-Identifier: GPL-2.0 */
/* Waits for the children of igt_fork() that end, also when a child does not. */
#ifndef SGT_CHILDREN_H
#define SGT_CHILDREN_H

#include <stdint.h>

/*
 * Waits until each of @num counters has reached @wanted.  The test fails if a
 * child has exited before that: it has said why.
 */
void sgt_children_reach(const volatile uint32_t *counters, unsigned int num,
			uint32_t wanted);

/*
 * igt_waitchildren(), within a limit.  The test fails if a child is still
 * there then, with the place in the kernel where that sleeps; a child that a
 * signal can end is ended.
 */
void sgt_children_wait(void);

#endif
