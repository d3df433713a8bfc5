/* SPDX-License-Identifier: GPL-2.0 */
/* Calls with an argument of which one field is bad: each must return its error. */
#ifndef SGT_REFUSE_H
#define SGT_REFUSE_H

#include <stddef.h>
#include <stdint.h>

struct sgt_bad_field {
	const char *name;
	size_t offset, size;	/* in the argument; 4 or 8 bytes */
	uint64_t value;
	int error;
};

#define SGT_BAD(type, field, value, error)				\
	{ #field, offsetof(type, field), sizeof(((type *)NULL)->field), value, error }

/* Returns 0 or a negative errno.  @arg is a copy that the call may change. */
typedef int (*sgt_call_fn)(const void *context, void *arg);

/*
 * For each of @bad, calls with a copy of @good that differs in that field.  A
 * failure of the test names the field and its value.
 */
void sgt_refuse_fields(sgt_call_fn call, const void *context, const void *good, size_t size,
		       const struct sgt_bad_field *bad, unsigned int count);

#define sgt_refuse(call, context, good, bad)				\
	sgt_refuse_fields(call, context, good, sizeof(*(good)), bad, ARRAY_SIZE(bad))

/* The same with an ioctl, whose number has the size of the argument */
void sgt_refuse_ioctl_fields(int drm, unsigned long request, const void *good,
			     const struct sgt_bad_field *bad, unsigned int count);

#define sgt_refuse_ioctl(drm, request, good, bad)			\
	sgt_refuse_ioctl_fields(drm, request, good, bad, ARRAY_SIZE(bad))

/* The same for each of @bits in the 32-bit field at @offset: -EINVAL */
void sgt_refuse_bits(int drm, unsigned long request, const void *good, size_t offset,
		     uint32_t bits);

#endif
