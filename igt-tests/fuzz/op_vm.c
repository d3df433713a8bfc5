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

/* Few addresses, so that ranges overlap; tables of each level begin near one. */
static uint64_t place(uint32_t base, uint32_t page)
{
	static const uint64_t bases[] = {
		(3ull << 39) - 16 * PAGE, 0, (1ull << 30) - 16 * PAGE,
		(1ull << VIRTGPU_SGT_VA_BITS) - 32 * PAGE,
	};

	return bases[base % 4] + page * PAGE;
}

static struct drm_virtgpu_sgt_obj_array
make_array(uint64_t pointer, uint32_t stride, uint32_t count)
{
	return (struct drm_virtgpu_sgt_obj_array) {
		.stride = stride,
		.count = count,
		.array = pointer,
	};
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
	struct drm_virtgpu_sgt_vm_bind bind = { .flags = arg[8] };

	op.flags = arg[2] + 1 == VIRTGPU_SGT_VM_UNMAP ? 0 : arg[7];
	op.pad = arg[10];
	bind.ops = make_array(fuzz_pointer(&op, arg[11]), sizeof(op), 1);
	return fuzz_ioctl(world_via(world, buffer->file, arg[1]),
			  DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &bind);
}

static int fill(const struct buffer *buffer, int fd, uint64_t va)
{
	struct drm_virtgpu_sgt_vm_bind_op op =
		make_op(VIRTGPU_SGT_VM_REMAP, va, (buffer->size + PAGE - 1) & ~(PAGE - 1),
			buffer->handle, 0);
	struct drm_virtgpu_sgt_vm_bind bind = {
		.ops = make_array((uintptr_t)&op, sizeof(op), 1),
	};

	return fuzz_ioctl(fd, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &bind);
}

/* A remap of all of a buffer */
static int vm_fill(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);

	return fill(buffer, world_via(world, buffer->file, arg[1]), place(arg[2], arg[3]));
}

/* Parts of a buffer; one time in twelve of another one, perhaps of another file */
static void random_ops(struct world *world, const struct buffer *buffer,
		       struct drm_virtgpu_sgt_vm_bind_op *ops, uint32_t base, uint64_t random)
{
	for (uint32_t i = 0; i < MAX_ARRAY; i++) {
		uint64_t dice = fuzz_random(&random), pages;
		const struct buffer *from = buffer;
		uint32_t what = 1 + (dice >> 8) % 3;

		if (!((dice >> 40) % (12 * MAX_ARRAY)))
			from = &world->buffer[dice % BUFFERS];
		/* Most maps are remaps, as few ranges are empty. */
		if (what == VIRTGPU_SGT_VM_MAP && (dice >> 56) % 8)
			what = VIRTGPU_SGT_VM_REMAP;
		pages = from->size / PAGE ?: 1;
		pages = 1 + (dice >> 24) % (pages < 16 ? pages : 16);
		ops[i] = make_op(what, place(base, (dice >> 16) % 64), pages * PAGE, from->handle,
				 from->size > pages * PAGE ?
				 (dice >> 32) % (from->size / PAGE - pages + 1) * PAGE : 0);
	}
}

static int vm_array(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);
	struct drm_virtgpu_sgt_vm_bind_op ops[MAX_ARRAY];
	struct drm_virtgpu_sgt_vm_bind bind = { .flags = arg[5], .pad = arg[8] };

	random_ops(world, buffer, ops, arg[2], arg[3]);
	bind.ops = make_array(fuzz_pointer(ops, arg[6]), sizeof(ops[0]) + arg[7], arg[4] + 1);
	/* Arbitrary bytes follow the array. */
	return fuzz_ioctl(world_via(world, buffer->file, arg[1]),
			  DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &bind);
}

/* Uses few points, so that waits find them; binary without a point */
static struct drm_virtgpu_sgt_sync make_sync(const struct syncobj *syncobj, uint32_t flags,
					     uint32_t point)
{
	return (struct drm_virtgpu_sgt_sync) {
		.flags = flags | (point ? VIRTGPU_SGT_SYNC_TIMELINE_SYNCOBJ : 0),
		.handle = syncobj->handle,
		.timeline_value = point,
	};
}

static int vm_sync(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);
	struct drm_virtgpu_sgt_sync syncs[3] = {
		make_sync(world_syncobj(world, arg[2]), arg[10], arg[7]),
		make_sync(world_syncobj(world, arg[3]), VIRTGPU_SGT_SYNC_SIGNAL, arg[8]),
		make_sync(world_syncobj(world, arg[2]), VIRTGPU_SGT_SYNC_SIGNAL, arg[7] + 1),
	};
	struct drm_virtgpu_sgt_vm_bind_op ops[MAX_ARRAY];
	struct drm_virtgpu_sgt_vm_bind bind = {
		.flags = arg[6],
		.ops = make_array((uintptr_t)ops, sizeof(ops[0]), 1 + arg[5] % 4),
		.syncs = make_array(fuzz_pointer(syncs, arg[9]), sizeof(syncs[0]) + arg[12],
				    arg[11]),
	};

	random_ops(world, buffer, ops, arg[4], arg[5]);
	return fuzz_ioctl(world_via(world, buffer->file, arg[1]),
			  DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &bind);
}

/* Of the size of a buffer, which is there with @arg[5]; it has @arg[7] more bytes. */
static int vm_resource(struct world *world, const uint32_t *arg)
{
	struct buffer *from = world_buffer(world, arg[0]), *buffer;
	int fd = world_via(world, from->file, arg[2]), err;
	struct drm_virtgpu_sgt_resource_from_va make = {
		.va = place(arg[3], arg[4]),
		.size = ((from->width * 4ull * from->height + PAGE - 1) & ~(PAGE - 1)) + arg[7],
		.width = from->width,
		.height = from->height,
		.format = arg[6],
		.flags = arg[8],
	};

	if (arg[5])
		fill(from, fd, make.va);
	err = fuzz_ioctl(fd, DRM_IOCTL_VIRTGPU_SGT_RESOURCE_FROM_VA, &make);
	if (err)
		return err;
	buffer = world_buffer(world, arg[1]);
	*buffer = (struct buffer) {
		.handle = make.bo_handle,
		.width = make.width,
		.height = make.height,
		.pitch = make.width * 4,
		.size = make.size,
		.file = arg[2] ? (arg[2] - 1) % FILES : from->file,
	};
	return 0;
}

/* There is room for the longest reply. */
static int dev_query(struct world *world, const uint32_t *arg)
{
	char answer[2 * PAGE] = {};
	struct drm_virtgpu_sgt_dev_query query = {
		.type = arg[1],
		.size = sizeof(struct drm_virtgpu_sgt_vm_info) + arg[2],
		.pointer = fuzz_pointer(answer, arg[3]),
	};

	return fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_VIRTGPU_SGT_DEV_QUERY, &query);
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

static int advise(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);
	struct drm_virtgpu_sgt_madvise args = {
		.handle = buffer->handle,
		.madv = arg[2],
		.pad = arg[3],
	};

	return fuzz_ioctl(world_via(world, buffer->file, arg[1]),
			  DRM_IOCTL_VIRTGPU_SGT_MADVISE, &args);
}

const struct op_desc vm_ops[] = {
	{ "vm_bind", 6, vm_bind,
	  { BUFFER_ARG, VIA, PICK("op", 3), PICK("base", 4), PICK("at", 64), PICK("pages", 8),
	    PICK("from", 8), FLAGS("flags", 1), FLAGS("async", 1), OFF_BY("bytes"),
	    EXACT("pad", 0), POINTER } },
	{ "vm_fill", 6, vm_fill, { BUFFER_ARG, VIA, PICK("base", 4), PICK("at", 4) } },
	{ "vm_array", 4, vm_array,
	  { BUFFER_ARG, VIA, PICK("base", 4), ANY("seed"), PICK("count", MAX_ARRAY),
	    FLAGS("async", 1), POINTER, OFF_BY("stride"), EXACT("pad", 0) } },
	{ "vm_sync", 4, vm_sync,
	  { BUFFER_ARG, VIA, SYNCOBJ_ARG, { "out", ARG_SYNCOBJ, ARG_USES, 0 }, PICK("base", 4),
	    ANY("seed"), FLAGS("async", 1), PICK("point", 8), PICK("out point", 8), POINTER,
	    EXACT("wait", 0), PICK("syncs", 4), OFF_BY("stride") } },
	{ "vm_resource", 6, vm_resource,
	  { BUFFER_ARG, { "picture", ARG_BUFFER, ARG_MAKES, 0 }, VIA, PICK("base", 4),
	    PICK("at", 4), PICK("fill", 2), EXACT("format", 2), OFF_BY("more"),
	    EXACT("flags", 0) } },
	{ "dev_query", 1, dev_query,
	  { FILE_ARG, EXACT("type", VIRTGPU_SGT_DEV_QUERY_VM), OFF_BY("size"), POINTER } },
	{ "vm_query", 3, vm_query,
	  { FILE_ARG, PICK("base", 4), PICK("at", 64), PICK("pages", 64), OFF_BY("bytes") } },
	{ "bo_info", 2, bo_info, { BUFFER_ARG, VIA, EXACT("flags", 0) } },
	{ "madvise", 2, advise, { BUFFER_ARG, VIA, PICK("advice", 3), EXACT("pad", 0) } },
	{ NULL }
};
