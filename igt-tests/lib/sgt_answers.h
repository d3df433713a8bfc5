/* SPDX-License-Identifier: GPL-2.0 */
/* The driver behaves as if the host were slow, or answered wrongly. */
#ifndef SGT_ANSWERS_H
#define SGT_ANSWERS_H

#include <stdbool.h>

/* Skips without fault injection. */
void sgt_require_answers(void);

/*
 * While answers are held, a call that waits for the host fails the test, before the device
 * is lost.
 */
void sgt_hold_answers(void);
void sgt_release_answers(void);

/* The host answers, but its answers are empty. */
void sgt_empty_answers(bool empty);

/* For the fixture after a subtest that may have failed */
void sgt_reset_answers(void);

/* The number of commands that the host has not answered */
long sgt_commands_held(int drm);

#endif
