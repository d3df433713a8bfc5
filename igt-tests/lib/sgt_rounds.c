// SPDX-License-Identifier: GPL-2.0
#include <time.h>

#include "igt.h"
#include "sgt_rounds.h"

/* Well below the time limit of the runner for a test */
#define LIMIT_MS	120000

long sgt_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void sgt_spin_us(long us)
{
	long end = sgt_now_us() + us;

	while (sgt_now_us() < end)
		;
}

/* SplitMix64 */
uint64_t sgt_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9E3779B97F4A7C15ull);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
	return z ^ (z >> 31);
}

unsigned int sgt_random_below(uint64_t *state, unsigned int limit)
{
	return limit ? sgt_random(state) % limit : 0;
}

uint64_t sgt_random_fork(uint64_t *state, unsigned int child)
{
	uint64_t own = *state ^ (child + 1) * 0xD6E8FEB86659FD93ull;

	return sgt_random(&own);
}

void sgt_rounds_begin(struct sgt_rounds *rounds, unsigned int times,
		      unsigned int unset)
{
	const char *asked = getenv("SGT_ROUNDS"), *seed = getenv("SGT_SEED");

	memset(rounds, 0, sizeof(*rounds));
	rounds->wanted = asked ? atoi(asked) * times : unset;
	rounds->seed = seed ? strtoul(seed, NULL, 0) : (unsigned long)time(NULL);
	rounds->random = rounds->seed;
	rounds->end_ms = sgt_now_us() / 1000 + LIMIT_MS;
	igt_info("%u rounds, SGT_SEED=%u\n", rounds->wanted, rounds->seed);
}

bool sgt_rounds_next(struct sgt_rounds *rounds)
{
	if (rounds->done < rounds->wanted && sgt_now_us() / 1000 < rounds->end_ms) {
		rounds->done++;
		return true;
	}
	igt_info("%u of %u rounds done\n", rounds->done, rounds->wanted);
	return false;
}
