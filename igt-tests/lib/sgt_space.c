// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "sgt_space.h"
#include "sgt_virtgpu.h"

#define PAGE		4096ull

struct drm_virtgpu_sgt_vm_bind_op
sgt_vm_op_map(uint64_t va, uint64_t size, const struct sgt_bo *bo, uint64_t offset)
{
	return (struct drm_virtgpu_sgt_vm_bind_op) {
		.op = VIRTGPU_SGT_VM_MAP,
		.va = va,
		.size = size,
		.offset = offset,
		.handle = bo->handle,
	};
}

struct drm_virtgpu_sgt_vm_bind_op
sgt_vm_op_remap(uint64_t va, uint64_t size, const struct sgt_bo *bo, uint64_t offset)
{
	struct drm_virtgpu_sgt_vm_bind_op op = sgt_vm_op_map(va, size, bo, offset);

	op.op = VIRTGPU_SGT_VM_REMAP;
	return op;
}

struct drm_virtgpu_sgt_vm_bind_op sgt_vm_op_unmap(uint64_t va, uint64_t size)
{
	return (struct drm_virtgpu_sgt_vm_bind_op) {
		.op = VIRTGPU_SGT_VM_UNMAP,
		.va = va,
		.size = size,
	};
}

static struct drm_virtgpu_sgt_sync make_sync(uint32_t flags, uint32_t handle, uint64_t point)
{
	return (struct drm_virtgpu_sgt_sync) {
		.flags = flags | (point ? VIRTGPU_SGT_SYNC_TIMELINE_SYNCOBJ :
				  VIRTGPU_SGT_SYNC_SYNCOBJ),
		.handle = handle,
		.timeline_value = point,
	};
}

struct drm_virtgpu_sgt_sync sgt_vm_wait(uint32_t handle, uint64_t point)
{
	return make_sync(VIRTGPU_SGT_SYNC_WAIT, handle, point);
}

struct drm_virtgpu_sgt_sync sgt_vm_signal(uint32_t handle, uint64_t point)
{
	return make_sync(VIRTGPU_SGT_SYNC_SIGNAL, handle, point);
}

static int try_ioctl(int drm, unsigned long request, void *arg)
{
	return ioctl(drm, request, arg) ? -errno : 0;
}

int sgt_vm_bind(int drm, const struct drm_virtgpu_sgt_vm_bind_op *ops, uint32_t count)
{
	struct drm_virtgpu_sgt_vm_bind arg = { .ops = sgt_objs(ops, count) };

	return try_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &arg);
}

int sgt_vm_bind_syncs(int drm, const struct drm_virtgpu_sgt_vm_bind_op *ops, uint32_t count,
		      const struct drm_virtgpu_sgt_sync *syncs, uint32_t num_syncs)
{
	struct drm_virtgpu_sgt_vm_bind arg = {
		.flags = VIRTGPU_SGT_VM_BIND_ASYNC,
		.ops = sgt_objs(ops, count),
		.syncs = sgt_objs(syncs, num_syncs),
	};

	return try_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &arg);
}

int sgt_vm_bind_async(int drm, const struct drm_virtgpu_sgt_vm_bind_op *ops,
		      uint32_t count, uint32_t in, uint32_t out)
{
	struct drm_virtgpu_sgt_sync syncs[2];
	uint32_t num_syncs = 0;

	if (in)
		syncs[num_syncs++] = sgt_vm_wait(in, 0);
	if (out)
		syncs[num_syncs++] = sgt_vm_signal(out, 0);
	return sgt_vm_bind_syncs(drm, ops, count, syncs, num_syncs);
}

int sgt_vm_map(const struct sgt_bo *bo, uint64_t va, uint64_t size, uint64_t offset)
{
	struct drm_virtgpu_sgt_vm_bind_op op = sgt_vm_op_map(va, size, bo, offset);

	return sgt_vm_bind(bo->drm, &op, 1);
}

int sgt_vm_remap(const struct sgt_bo *bo, uint64_t va, uint64_t size, uint64_t offset)
{
	struct drm_virtgpu_sgt_vm_bind_op op = sgt_vm_op_remap(va, size, bo, offset);

	return sgt_vm_bind(bo->drm, &op, 1);
}

int sgt_vm_unmap(int drm, uint64_t va, uint64_t size)
{
	struct drm_virtgpu_sgt_vm_bind_op op = sgt_vm_op_unmap(va, size);

	return sgt_vm_bind(drm, &op, 1);
}

int sgt_vm_query(int drm, uint64_t va, uint64_t size,
		 struct drm_virtgpu_sgt_vm_query *query)
{
	memset(query, 0, sizeof(*query));
	query->va = va;
	query->size = size;
	return try_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_VM_QUERY, query);
}

int sgt_bo_info(const struct sgt_bo *bo, struct drm_virtgpu_sgt_bo_info *info)
{
	memset(info, 0, sizeof(*info));
	info->handle = bo->handle;
	return try_ioctl(bo->drm, DRM_IOCTL_VIRTGPU_SGT_BO_INFO, info);
}

int sgt_madvise(const struct sgt_bo *bo, uint32_t madv)
{
	struct drm_virtgpu_sgt_madvise arg = { .handle = bo->handle, .madv = madv };

	return try_ioctl(bo->drm, DRM_IOCTL_VIRTGPU_SGT_MADVISE, &arg) ?: (int)arg.retained;
}

int sgt_vm_picture(struct sgt_bo *picture, int drm, uint64_t va, uint32_t width,
		   uint32_t height)
{
	struct drm_virtgpu_sgt_resource_from_va arg = {
		.va = va,
		.size = (width * 4ull * height + PAGE - 1) & ~(PAGE - 1),
		.width = width,
		.height = height,
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
	};
	int err = try_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_RESOURCE_FROM_VA, &arg);

	if (err)
		return err;

	*picture = (struct sgt_bo) {
		.drm = drm,
		.handle = arg.bo_handle,
		.width = width,
		.height = height,
		.pitch = width * 4,
		.size = arg.size,
	};
	return 0;
}
