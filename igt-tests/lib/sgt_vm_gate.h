/* SPDX-License-Identifier: GPL-2.0 */
/* Asynchronous operations that wait for a fence of the test */
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

/* Fails if vgem has signalled the fence first, after ten seconds. */
void open_gate(const struct gate *gate);
void end_gate(struct gate *gate, int drm);

uint32_t make_sync(int drm);

/* A sync file with the fence of the syncobj */
int export_sync(int drm, uint32_t sync);

/* As sgt_sync_file_status() and sgt_sync_file_wait() */
int sync_status(int drm, uint32_t sync);
int wait_for_sync(int drm, uint32_t sync);

/* Map all of a buffer, unmap a range: wait for @in, signal @out, 0 for none. */
void map_async(const struct sgt_bo *bo, uint64_t va, uint32_t in, uint32_t out);
void unmap_async(int drm, uint64_t va, uint64_t size, uint32_t in, uint32_t out);

#endif
