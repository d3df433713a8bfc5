/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A picture whose pixels have different values.  The host computes the same, so it
 * detects pages that are missing, swapped or stale.
 */
#ifndef SGT_PATTERN_H
#define SGT_PATTERN_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t sgt_pattern(uint32_t index, uint32_t seed)
{
	uint32_t hash = index * 0x9E3779B1u + seed * 0x85EBCA6Bu;

	hash ^= hash >> 15;
	return hash & 0x00FFFFFF;
}

static inline void sgt_pattern_fill(uint32_t *words, size_t count, uint32_t seed)
{
	for (size_t i = 0; i < count; i++)
		words[i] = sgt_pattern(i, seed);
}

/* The number of words at the beginning that are correct */
static inline size_t sgt_pattern_match(const uint32_t *words, size_t count,
				       uint32_t seed)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (words[i] != sgt_pattern(i, seed))
			break;
	return i;
}

#endif
