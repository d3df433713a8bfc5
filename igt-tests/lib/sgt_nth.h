/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fault injection at the Nth point of a call.  The points are the allocations, DMA
 * maps and user copies of the call; each one fails once, until the call succeeds.
 */
#ifndef SGT_NTH_H
#define SGT_NTH_H

#include "sgt_dmabuf.h"
#include "sgt_test.h"

/* The objects of a call, which uses some of them */
struct sgt_try {
	int drm;		/* -1: not open */
	int fd;			/* -1: none */
	uint32_t id;
	struct sgt_bo bo, other, third;
	struct sgt_foreign foreign;
	struct sgt_screen screen;
	void *map;
};

struct sgt_nth_call {
	const char *name;

	/* Before and after all tries, and each try, without failures; may be NULL */
	void (*begin)(struct sgt_try *try);
	void (*end)(struct sgt_try *try);
	void (*prepare)(struct sgt_try *try);
	void (*finish)(struct sgt_try *try);

	int (*call)(struct sgt_try *try);	/* 0 or a negative errno */
	void (*check)(struct sgt_try *try);	/* the result of a call that succeeds */

	/* An errno of the call besides ENOMEM and EFAULT */
	int also;

	/*
	 * The errno of a second call if the first one was done and only the copy of
	 * its result failed
	 */
	int again;

	/* The next commit may return the error of an accepted one. */
	bool latched;

	/* Maps the buffer of the try, which stays mapped until it is freed */
	bool maps;
};

/*
 * For the opening fixture, in place of sgt_test_begin().  The fd stays open, so
 * that a close does not restore the console.
 */
int sgt_nth_fixture(struct sgt_test *test);

/* A file for each try, and a small buffer in it.  The close frees the rest. */
#define SGT_TRY_WIDTH	64
#define SGT_TRY_HEIGHT	64
#define SGT_TRY_SIZE	(SGT_TRY_WIDTH * SGT_TRY_HEIGHT * sizeof(uint32_t))

const char *sgt_try_node(void);		/* of the device under test */
void sgt_try_open(struct sgt_try *try);
void sgt_try_buffer(struct sgt_try *try);
void sgt_try_close(struct sgt_try *try);

/* An ioctl that is not restarted: 0 or a negative errno */
int sgt_try_ioctl(int fd, unsigned long request, void *arg);

/*
 * Skips without fault injection in the kernel.  Configures it so that each
 * allocation is a point, and that no failure is random.
 */
void sgt_nth_require(void);

/* Makes the next @point-th point of this thread fail. */
void sgt_nth_begin(unsigned int point);

/* Stops that.  Returns the number of points that were left: 0 after the failure. */
unsigned int sgt_nth_end(void);

/* Makes the call fail at each of its points, and prints their number. */
void sgt_nth_sweep(const struct sgt_test *test, const struct sgt_nth_call *call,
		   struct sgt_try *try);

void sgt_nth_report(const char *name, int points, int tolerated);

#endif
