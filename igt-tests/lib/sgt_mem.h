/* SPDX-License-Identifier: GPL-2.0 */
/* Memory accesses that may fault, and physical memory in small pieces. */
#ifndef SGT_MEM_H
#define SGT_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* These return 0, or the signal that the access raised. */
int sgt_try_read(const volatile uint32_t *word, uint32_t *value);
int sgt_try_write(volatile uint32_t *word, uint32_t value);
int sgt_try_fill(uint32_t *words, size_t count, uint32_t seed);
int sgt_try_match(const uint32_t *words, size_t count, uint32_t seed,
		  size_t *matched);

/* The page faults of the process so far */
long sgt_count_faults(void);

/*
 * The CPU notes in its page tables that a page was read or written.  Where it does
 * not, as on much of arm64, each first access is a fault, which the core handles.
 */
bool sgt_cpu_marks_pages(void);

/*
 * After sgt_scatter_begin(), the next @bytes of unmovable memory are allocated as
 * single pages without a free neighbour.  One at a time, as the process stays on one
 * CPU until sgt_scatter_end().
 */
struct sgt_scatter {
	int keep[2];
};

int sgt_scatter_begin(struct sgt_scatter *scatter, size_t bytes);
void sgt_scatter_end(struct sgt_scatter *scatter);

#endif
