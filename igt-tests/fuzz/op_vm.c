// SPDX-License-Identifier: GPL-2.0
/* Operations on the address spaces of files, and on pictures that are a range. */
#include <errno.h>
#include <string.h>

#include <xf86drm.h>

#include <drm/virtgpu_sgt_drm.h>

#include "args.h"
#include "fuzz.h"

#define PAGE		4096ull
#define MAX_ARRAY	24u

/* Few places, so that ranges meet; tables of each level begin near one of them. */
static uint64_t place(uint32_t base, uint32_t page)
{
	static const uint64_t bases[] = {
		(3ull << 39) - 16 * PAGE, 0, (1ull << 30) - 16 * PAGE,
		(1ull << VIRTGPU_SGT_VA_BITS) - 32 * PAGE,
	};

	return bases[base % 4] + page * PAGE;
}

static struct drm_virtgpu_sgt_vm_bind_op
make_op(uint32_t what, uint64_t va, uint64_t size, uint32_t handle, uint64_t offset)
{
	bool maps = what != VIRTGPU_SGT_VM_UNMAP;

	return (struct drm_virtgpu_sgt_vm_bind_op) {
		.op = what,
		.va = va,
		.size = size,
		.offset = maps ? offset : 0,
		.handle = maps ? handle : 0,
	};
}

/* One operation; the size is off by @arg[9] bytes. */
static int vm_bind(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);
	struct drm_virtgpu_sgt_vm_bind_op op =
		make_op(arg[2] + 1, place(arg[3], arg[4]), (arg[5] + 1) * PAGE + arg[9],
			buffer->handle, arg[6] * PAGE);
	struct drm_virtgpu_sgt_vm_bind bind = { .num_ops = 1, .flags = arg[8] };

	op.flags = arg[2] + 1 == VIRTGPU_SGT_VM_UNMAP ? 0 : arg[7];
	op.pad = arg[10];
	bind.ops = fuzz_pointer(&op, arg[11]);
	return fuzz_ioctl(world_via(world, buffer->file, arg[1]),
			  DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &bind);
}

/* All of a buffer, whatever is there: what a picture can be made of */
static int vm_fill(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);
	struct drm_virtgpu_sgt_vm_bind_op op =
		make_op(VIRTGPU_SGT_VM_REMAP, place(arg[2], arg[3]),
			(buffer->size + PAGE - 1) & ~(PAGE - 1), buffer->handle, 0);
	struct drm_virtgpu_sgt_vm_bind bind = { .num_ops = 1, .ops = (uintptr_t)&op };

	return fuzz_ioctl(world_via(world, buffer->file, arg[1]),
			  DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &bind);
}

/* With so many buffers in it, some are of other files. */
static void random_ops(struct world *world, struct drm_virtgpu_sgt_vm_bind_op *ops,
		       uint32_t count, uint32_t base, uint64_t random)
{
	for (uint32_t i = 0; i < count; i++) {
		uint64_t dice = fuzz_random(&random);
		const struct buffer *buffer = &world->buffer[dice % BUFFERS];

		ops[i] = make_op(1 + (dice >> 8) % 3, place(base, (dice >> 16) % 64),
				 (1 + (dice >> 24) % 16) * PAGE, buffer->handle,
				 (dice >> 32) % 8 * PAGE);
	}
}

static int vm_array(struct world *world, const uint32_t *arg)
{
	struct drm_virtgpu_sgt_vm_bind_op ops[MAX_ARRAY] = {};
	struct drm_virtgpu_sgt_vm_bind bind = { .flags = arg[4], .num_ops = arg[3] };

	random_ops(world, ops, MAX_ARRAY, arg[1], arg[2]);
	bind.ops = fuzz_pointer(ops, arg[5]);
	/* What is behind the array is anything. */
	return fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &bind);
}

static int vm_sync(struct world *world, const uint32_t *arg)
{
	struct syncobj *in = world_syncobj(world, arg[1]);
	struct syncobj *out = world_syncobj(world, arg[2]);
	struct drm_virtgpu_sgt_vm_bind_op ops[MAX_ARRAY];
	struct drm_virtgpu_sgt_vm_bind bind = {
		.flags = arg[6],
		.num_ops = 1 + arg[5] % MAX_ARRAY,
		.ops = (uintptr_t)ops,
		.in_syncs = fuzz_pointer(&in->handle, arg[9]),
		.out_syncs = (uintptr_t)&out->handle,
		.num_in_syncs = arg[7],
		.num_out_syncs = arg[8],
	};

	random_ops(world, ops, MAX_ARRAY, arg[3], arg[4]);
	return fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &bind);
}

/* The size is what the picture needs, and @arg[7] more. */
static int vm_resource(struct world *world, const uint32_t *arg)
{
	struct drm_virtgpu_sgt_resource_from_va from = {
		.va = place(arg[4], arg[5]),
		.size = ((arg[2] * 4ull * arg[3] + PAGE - 1) & ~(PAGE - 1)) + arg[7],
		.width = arg[2],
		.height = arg[3],
		.format = arg[6],
		.flags = arg[8],
	};
	struct buffer *buffer = world_buffer(world, arg[1]);
	int err = fuzz_ioctl(world_file(world, arg[0]),
			     DRM_IOCTL_VIRTGPU_SGT_RESOURCE_FROM_VA, &from);

	if (!err)
		*buffer = (struct buffer) {
			.handle = from.bo_handle,
			.width = from.width,
			.height = from.height,
			.pitch = from.width * 4,
			.size = from.size,
			.file = arg[0],
		};
	return err;
}

static int vm_query(struct world *world, const uint32_t *arg)
{
	struct drm_virtgpu_sgt_vm_query query = {
		.va = place(arg[1], arg[2]),
		.size = (arg[3] + 1) * PAGE + arg[4],
	};

	return fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_VIRTGPU_SGT_VM_QUERY, &query);
}

static int bo_info(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);
	struct drm_virtgpu_sgt_bo_info info = { .handle = buffer->handle, .flags = arg[2] };

	return fuzz_ioctl(world_via(world, buffer->file, arg[1]),
			  DRM_IOCTL_VIRTGPU_SGT_BO_INFO, &info);
}

const struct op_desc vm_ops[] = {
	{ "vm_bind", 6, vm_bind,
	  { BUFFER_ARG, VIA, PICK("op", 3), PICK("base", 4), PICK("at", 64), PICK("pages", 8),
	    PICK("from", 8), FLAGS("flags", 1), FLAGS("async", 1), OFF_BY("bytes"),
	    EXACT("pad", 0), POINTER } },
	{ "vm_fill", 6, vm_fill, { BUFFER_ARG, VIA, PICK("base", 4), PICK("at", 4) } },
	{ "vm_array", 3, vm_array,
	  { FILE_ARG, PICK("base", 4), ANY("seed"), PICK("count", MAX_ARRAY),
	    FLAGS("async", 1), POINTER } },
	{ "vm_sync", 3, vm_sync,
	  { FILE_ARG, SYNCOBJ_ARG, { "out", ARG_SYNCOBJ, ARG_USES, 0 }, PICK("base", 4),
	    ANY("seed"), PICK("count", MAX_ARRAY), FLAGS("async", 1), EXACT("ins", 1),
	    EXACT("outs", 1), POINTER } },
	{ "vm_resource", 6, vm_resource,
	  { FILE_ARG, NEW_BUFFER, WIDTH, HEIGHT, PICK("base", 4), PICK("at", 4),
	    EXACT("format", 2), OFF_BY("more"), EXACT("flags", 0) } },
	{ "vm_query", 3, vm_query,
	  { FILE_ARG, PICK("base", 4), PICK("at", 64), PICK("pages", 64), OFF_BY("bytes") } },
	{ "bo_info", 2, bo_info, { BUFFER_ARG, VIA, EXACT("flags", 0) } },
	{ NULL }
};
