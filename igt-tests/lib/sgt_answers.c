// SPDX-License-Identifier: GPL-2.0
#include <unistd.h>

#include "igt.h"

#include "sgt_answers.h"
#include "sgt_test.h"
#include "sgt_virtgpu.h"

#define FAULTS		"/sys/kernel/debug/virtio_gpu_sgt/"
#define HOLD		FAULTS "hold_answers"
#define BYTES		FAULTS "answer_bytes"
#define LIMIT		"/sys/module/virtio_gpu_sgt/parameters/host_seconds"

#define ENDS_SECONDS	20

void sgt_require_answers(void)
{
	igt_require_f(!access(HOLD, F_OK), "the driver has no fault injection\n");
}

void sgt_hold_answers(void)
{
	igt_set_timeout(ENDS_SECONDS, "a call that waits for the host");
	sgt_must(sgt_write_file(LIMIT, "40"));
	sgt_must(sgt_write_file(HOLD, "Y"));
}

void sgt_release_answers(void)
{
	igt_reset_timeout();
	sgt_must(sgt_write_file(HOLD, "N"));
	sgt_must(sgt_write_file(LIMIT, "10"));
}

void sgt_empty_answers(bool empty)
{
	sgt_must(sgt_write_file(BYTES, empty ? "0" : "4294967295"));
}

void sgt_reset_answers(void)
{
	if (access(HOLD, F_OK))
		return;
	sgt_empty_answers(false);
	sgt_release_answers();
}

long sgt_commands_held(int drm)
{
	return sgt_must(sgt_stat(drm, "inflight")) + sgt_must(sgt_stat(drm, "pending"));
}
