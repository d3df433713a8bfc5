// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "igt.h"

#include "sgt_refuse.h"

void sgt_refuse_fields(sgt_call_fn call, const void *context, const void *good, size_t size,
		       const struct sgt_bad_field *bad, unsigned int count)
{
	uint64_t arg[32];
	int err;

	igt_assert(size <= sizeof(arg));
	for (; count--; bad++) {
		memcpy(arg, good, size);
		memcpy((char *)arg + bad->offset, &bad->value, bad->size);
		err = call(context, arg);
		igt_assert_f(err == -bad->error, "%s = %#llx: returns %d, and not %d\n",
			     bad->name, (unsigned long long)bad->value, err, -bad->error);
	}
}

struct ioctl_call {
	int drm;
	unsigned long request;
};

static int call_ioctl(const void *context, void *arg)
{
	const struct ioctl_call *call = context;

	return drmIoctl(call->drm, call->request, arg) ? -errno : 0;
}

void sgt_refuse_ioctl_fields(int drm, unsigned long request, const void *good,
			     const struct sgt_bad_field *bad, unsigned int count)
{
	const struct ioctl_call call = { drm, request };

	sgt_refuse_fields(call_ioctl, &call, good, _IOC_SIZE(request), bad, count);
}

void sgt_refuse_bits(int drm, unsigned long request, const void *good, size_t offset,
		     uint32_t bits)
{
	struct sgt_bad_field bad = { "flags", offset, sizeof(bits), 0, EINVAL };

	for (bad.value = 1; bad.value <= bits; bad.value <<= 1)
		if (bad.value & bits)
			sgt_refuse_ioctl_fields(drm, request, good, &bad, 1);
}
