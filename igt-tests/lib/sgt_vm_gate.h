/* SPDX-License-Identifier: GPL-2.0 */
/* Operations that a fence of the test holds back, and what they signal. */
#ifndef SGT_VM_GATE_H
#define SGT_VM_GATE_H

#include "sgt_fence.h"
#include "sgt_vm_test.h"

/* A fence of vgem, in a syncobj of the file */
struct gate {
	struct sgt_fence fence;
	uint32_t sync;
};

void close_gate(struct gate *gate, int drm);

/* An operation that waited longer than vgem lets a fence wait is an error here. */
void open_gate(const struct gate *gate);
void end_gate(struct gate *gate, int drm);

uint32_t make_sync(int drm);

/* A sync file of the fence in it */
int export_sync(int drm, uint32_t sync);

/* As sgt_sync_file_status() and sgt_sync_file_wait() */
int sync_status(int drm, uint32_t sync);
int wait_for_sync(int drm, uint32_t sync);

/* Of all of the buffer, and of any range: after @in, before @out, 0 for none */
void map_async(const struct sgt_bo *bo, uint64_t va, uint32_t in, uint32_t out);
void unmap_async(int drm, uint64_t va, uint64_t size, uint32_t in, uint32_t out);

#endif
