/* SPDX-License-Identifier: GPL-2.0 */
/* Waits with a time limit for the children of igt_fork(). */
#ifndef SGT_CHILDREN_H
#define SGT_CHILDREN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Waits until each of @num counters has reached @wanted.  The test fails if a
 * child exits before that, with the message of the child, or if that takes longer
 * than sgt_children_wait() waits.
 */
void sgt_children_reach(const volatile uint32_t *counters, unsigned int num,
			uint32_t wanted);

/*
 * igt_waitchildren() with a time limit.  If a child is still there then, the test
 * says where in the kernel it sleeps, kills it and fails.
 */
void sgt_children_wait(void);

/* Whether the child sleeps and only a kill, or nothing, wakes it before its time */
bool sgt_child_is_stuck(pid_t child);

#endif
