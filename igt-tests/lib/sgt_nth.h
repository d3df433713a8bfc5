/* SPDX-License-Identifier: GPL-2.0 */
/*
 * "Fail the Nth": one by one, each allocation, DMA map and copy from or to the
 * user fails that the kernel makes for a call, until the call gets through
 * without one.
 */
#ifndef SGT_NTH_H
#define SGT_NTH_H

#include "sgt_dmabuf.h"
#include "sgt_test.h"

/* What a call works on; a call uses what it needs. */
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

	/* Around all tries and around each, where nothing fails.  May be NULL. */
	void (*begin)(struct sgt_try *try);
	void (*end)(struct sgt_try *try);
	void (*prepare)(struct sgt_try *try);
	void (*finish)(struct sgt_try *try);

	int (*call)(struct sgt_try *try);	/* 0 or a negative errno */
	void (*check)(struct sgt_try *try);	/* what a good call leaves */

	/* Besides ENOMEM, and EFAULT for a failed copy */
	int also;

	/*
	 * What the next call may say, when the first one had done its work
	 * before the copy of the result failed
	 */
	int again;

	/* An error of a commit that was accepted is the next one's. */
	bool latched;
};

/*
 * For the opening fixture, in place of sgt_test_begin(): the fd is to be open
 * all the time, so that the console does not come back with each close.
 */
int sgt_nth_fixture(struct sgt_test *test);

/* A file of a try, and a small buffer in it: what the try has left goes with it. */
#define SGT_TRY_WIDTH	64
#define SGT_TRY_HEIGHT	64
#define SGT_TRY_SIZE	(SGT_TRY_WIDTH * SGT_TRY_HEIGHT * sizeof(uint32_t))

const char *sgt_try_node(void);		/* of the device under test */
void sgt_try_open(struct sgt_try *try);
void sgt_try_buffer(struct sgt_try *try);
void sgt_try_close(struct sgt_try *try);

/* One call, never repeated: 0 or a negative errno */
int sgt_try_ioctl(int fd, unsigned long request, void *arg);

/*
 * Skips where the kernel has no fault injection.  Sets its knobs so that any
 * allocation counts, and nothing else fails.
 */
void sgt_nth_require(void);

/* The point-th thing that can fail from now on fails in this thread. */
void sgt_nth_begin(unsigned int point);

/* Nothing fails any more.  The number of points that were left: 0, it failed. */
unsigned int sgt_nth_end(void);

/* Makes the call fail at each of its points, and prints how many it has. */
void sgt_nth_sweep(const struct sgt_test *test, const struct sgt_nth_call *call,
		   struct sgt_try *try);

void sgt_nth_report(const char *name, int points, int tolerated);

#endif
