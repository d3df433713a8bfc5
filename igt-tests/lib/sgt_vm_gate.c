// SPDX-License-Identifier: GPL-2.0
#include "igt.h"
#include "sgt_vm_gate.h"

uint32_t make_sync(int drm)
{
	uint32_t sync;

	igt_assert_eq(drmSyncobjCreate(drm, 0, &sync), 0);
	return sync;
}

void close_gate(struct gate *gate, int drm)
{
	sgt_must(sgt_fence_begin(&gate->fence));
	gate->sync = make_sync(drm);
	igt_assert_eq(drmSyncobjImportSyncFile(drm, gate->sync, gate->fence.file), 0);
}

void open_gate(const struct gate *gate)
{
	sgt_must(sgt_fence_signal(&gate->fence));
}

void end_gate(struct gate *gate, int drm)
{
	drmSyncobjDestroy(drm, gate->sync);
	sgt_fence_end(&gate->fence);
}

int export_sync(int drm, uint32_t sync)
{
	int file = -1;

	igt_assert_eq(drmSyncobjExportSyncFile(drm, sync, &file), 0);
	return file;
}

static int ask_sync(int drm, uint32_t sync, int (*ask)(int file))
{
	int file = export_sync(drm, sync);
	int status = ask(file);

	close(file);
	return status;
}

int sync_status(int drm, uint32_t sync)
{
	return ask_sync(drm, sync, sgt_sync_file_status);
}

int wait_for_sync(int drm, uint32_t sync)
{
	return ask_sync(drm, sync, sgt_sync_file_wait);
}

void map_async(const struct sgt_bo *bo, uint64_t va, uint32_t in, uint32_t out)
{
	struct drm_virtgpu_sgt_vm_bind_op op = sgt_vm_op_map(va, bo->size, bo, 0);

	sgt_must(sgt_vm_bind_async(bo->drm, &op, 1, in, out));
}

void unmap_async(int drm, uint64_t va, uint64_t size, uint32_t in, uint32_t out)
{
	struct drm_virtgpu_sgt_vm_bind_op op = sgt_vm_op_unmap(va, size);

	sgt_must(sgt_vm_bind_async(drm, &op, 1, in, out));
}
