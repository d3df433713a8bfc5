/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rounds of a test that repeats itself, and its random numbers.
 *
 * SGT_ROUNDS=N in the environment asks for more rounds, SGT_SEED=N for the
 * numbers of an earlier run.
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

/* As many rounds as SGT_ROUNDS says, @times that, or @unset without it */
void sgt_rounds_begin(struct sgt_rounds *rounds, unsigned int times,
		      unsigned int unset);

/* Is there another one?  Ends early when the time is up.  Says how many. */
bool sgt_rounds_next(struct sgt_rounds *rounds);

/* The next number of a sequence, uniform over 64 bits; below @limit */
uint64_t sgt_random(uint64_t *state);
unsigned int sgt_random_below(uint64_t *state, unsigned int limit);

/* For a process of its own: numbers that no other has */
uint64_t sgt_random_fork(uint64_t *state, unsigned int child);

long sgt_now_us(void);

/* Spins, as a sleep would give the order of events away to the scheduler. */
void sgt_spin_us(long us);

#endif
