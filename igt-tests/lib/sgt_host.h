/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Questions to the machine that runs the guest: what does the screen show, and
 * which commands did the emulated GPU see.
 */
#ifndef SGT_HOST_H
#define SGT_HOST_H

#include <stdbool.h>
#include <stdint.h>

/* Is the port to the host there? */
bool sgt_host_present(void);

/*
 * The calls below return 0 (a count: the number), or a negative errno:
 * -ENODEV without a port, -ETIMEDOUT, or -EREMOTEIO when the host said "fail".
 * sgt_host_reply() then has its words.
 */
int sgt_host_ask(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
const char *sgt_host_reply(void);

/* Every pixel of head 0 is as sgt_pattern() has it. */
int sgt_host_screen(int width, int height, uint32_t seed);

/* The same of a part, which has a part of a picture of the width @pitch. */
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
