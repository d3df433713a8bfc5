/* SPDX-License-Identifier: GPL-2.0 */
/* Common parts of the tests: the device and assertions. */
#ifndef SGT_TEST_H
#define SGT_TEST_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sgt_bus.h"
#include "sgt_host.h"
#include "sgt_kms.h"
#include "sgt_mem.h"
#include "sgt_pattern.h"
#include "sgt_rounds.h"
#include "sgt_table.h"

#define PAGE		4096ul
#define WORDS_PER_PAGE	(PAGE / sizeof(uint32_t))

/* The value of a call that must not return a negative errno */
#define sgt_must(call) ({						\
	int sgt_value_ = (call);					\
									\
	igt_assert_f(sgt_value_ >= 0, #call ": %s\n",			\
		     strerror(-sgt_value_));				\
	sgt_value_;							\
})

/* What the host or the kernel does meanwhile takes milliseconds. */
#define SGT_PATIENCE_US	5000000
#define SGT_POLL_MS	20

/* Repeats a statement until SGT_PATIENCE_US have passed. */
#define sgt_for_a_while(end)						\
	for (long end = sgt_now_us() + SGT_PATIENCE_US; sgt_now_us() < end;	\
	     poll(NULL, 0, SGT_POLL_MS))

struct sgt_test {
	struct sgt_gpu gpu;
	bool tables;		/* the driver has the tables of the helpers */
};

/*
 * For the opening fixture: finds the device and the driver under test, and returns
 * an open fd.  Skips if there is none.
 */
int sgt_test_begin(struct sgt_test *test);

/* The DMA set-up of the guest: "phys", "iommu", "swiotlb", ...; "" elsewhere */
const char *sgt_setup(void);
bool sgt_setup_is(const char *name);

/* The GPU takes physical addresses, and the machine has no IOMMU. */
bool sgt_setup_is_physical(void);

/* Skips outside of the guest of this project, in which the port must exist. */
void sgt_require_host(void);
void sgt_require_tables(const struct sgt_test *test);

/* The number of buffers and mappings of the device, including the console */
struct sgt_baseline {
	unsigned int dev;
	int buffers;
	unsigned long mapped;
};

void sgt_baseline_take(const struct sgt_test *test, struct sgt_baseline *base);

/* The numbers are the same again.  Waits a little for the device. */
void sgt_baseline_check(const struct sgt_test *test,
			const struct sgt_baseline *base);

/* A buffer of this size, which no other buffer of the live device has */
void sgt_expect_row(const struct sgt_test *test, const struct sgt_bo *bo,
		    struct sgt_buffer_row *row);

/* The same, after a shrink: what the host still uses a little longer is tried again. */
void sgt_expect_shrunk(const struct sgt_test *test, const struct sgt_bo *bo, const char *state);

/* These wait a little until the screen is as expected. */
void sgt_expect_screen(const struct sgt_screen *screen, uint32_t seed);
void sgt_expect_part(const struct sgt_part *part, uint32_t seed);

/* Events of the device since the mark: at least, or exactly @count */
int sgt_wait_trace(const char *event, int count);
void sgt_expect_trace(const char *event, int count);

/* A seed for a picture that was not shown before */
uint32_t sgt_new_seed(void);

/* A fault fails the test. */
void sgt_expect_pattern(const uint32_t *words, size_t count, uint32_t seed);
void sgt_fill(uint32_t *words, size_t count, uint32_t seed);

/* Page faults that the driver handles.  Without sgt_cpu_marks_pages(), there are others. */
void sgt_expect_faults(long faults, long expected);

/* A dumb buffer of the screen's size, mapped, filled, and with a framebuffer */
void sgt_make_picture(struct sgt_bo *bo, const struct sgt_screen *screen,
		      uint32_t seed);

#endif
