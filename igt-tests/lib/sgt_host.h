/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Queries to the host that runs the guest: the pixels of the screen, and the
 * commands of the emulated GPU.
 */
#ifndef SGT_HOST_H
#define SGT_HOST_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the guest has a port to the host */
bool sgt_host_present(void);

/*
 * The calls below return 0 (or a count), or a negative errno: -ENODEV without a
 * port, -ETIMEDOUT, or -EREMOTEIO if the host replies "fail".  sgt_host_reply()
 * returns the text of the reply.
 */
int sgt_host_ask(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
const char *sgt_host_reply(void);

/* Every pixel of head 0 has the value of sgt_pattern(). */
int sgt_host_screen(int width, int height, uint32_t seed);

/* The same for a rectangle, which shows a part of a picture of the width @pitch */
struct sgt_part {
	int x, y, width, height;	/* on the screen */
	uint32_t first;			/* pixel of the picture */
	uint32_t pitch;
};

int sgt_host_part(const struct sgt_part *part, uint32_t seed);
int sgt_host_shot(const char *name);

/* Lines of a QEMU trace event since the mark */
int sgt_host_trace_mark(void);
int sgt_host_trace_count(const char *event);

int sgt_host_fact(const char *key, long value);

#endif
