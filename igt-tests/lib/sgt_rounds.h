/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rounds of a repeated test, and random numbers.
 *
 * SGT_ROUNDS=N in the environment sets the number of rounds, and SGT_SEED=N repeats
 * the random numbers of an earlier run.
 */
#ifndef SGT_ROUNDS_H
#define SGT_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

struct sgt_rounds {
	unsigned int wanted, done, seed;
	uint64_t random;	/* for sgt_random() */
	long end_ms;
};

/* @times SGT_ROUNDS rounds, or @unset rounds if SGT_ROUNDS is not set */
void sgt_rounds_begin(struct sgt_rounds *rounds, unsigned int times,
		      unsigned int unset);

/* Returns false after the last round, or at the time limit; prints their number. */
bool sgt_rounds_next(struct sgt_rounds *rounds);

/* The next number of a sequence: uniform over 64 bits, or below @limit */
uint64_t sgt_random(uint64_t *state);
unsigned int sgt_random_below(uint64_t *state, unsigned int limit);

/* The seed of another sequence, for a child */
uint64_t sgt_random_fork(uint64_t *state, unsigned int child);

long sgt_now_us(void);

/* Spins, as the end of a sleep would depend on the scheduler. */
void sgt_spin_us(long us);

#endif
