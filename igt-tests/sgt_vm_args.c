// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <sys/mman.h>

#include "igt.h"

#include "lib/sgt_dmabuf.h"
#include "lib/sgt_refuse.h"
#include "lib/sgt_virtgpu.h"
#include "lib/sgt_vm_gate.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt vm args
 * Description: Call the address space ioctls with bad arguments, one field at a time
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: address space, argument checks
 * Test category: functionality test
 *
 * SUBTEST: bind-bad-fields
 * Description: A bind with unknown flags, bad counts, strides or pointers is refused
 *
 * SUBTEST: op-bad-fields
 * Description: An operation is refused for one bad field at a time
 *
 * SUBTEST: strides
 * Description: A stride larger than the structure is accepted if the excess is zero
 *
 * SUBTEST: end-of-memory
 * Description: An array is read to its end, and no further
 *
 * SUBTEST: sync-bad-fields
 * Description: A sync is refused for one bad field at a time
 *
 * SUBTEST: bad-syncobjs
 * Description: A bind with unknown syncobjs, or a wait without a fence, is refused
 *
 * SUBTEST: resource-bad-fields
 * Description: A resource from VA is refused for one bad field at a time
 *
 * SUBTEST: handle-of-another-file
 * Description: A handle is unknown in another open file
 *
 * SUBTEST: render-node
 * Description: Each call works on the render node
 */

IGT_TEST_DESCRIPTION("Call the address space ioctls with bad arguments, one field at a time");

/* The layout is the same for 32 and 64 bits: no holes, and aligned fields. */
#define SAME(type, size)	_Static_assert(sizeof(struct type) == (size), #type)
#define AT(type, field, offset)	\
	_Static_assert(offsetof(struct type, field) == (offset), #type "." #field)

SAME(drm_virtgpu_sgt_vm_bind_op, 40);
AT(drm_virtgpu_sgt_vm_bind_op, va, 8);
AT(drm_virtgpu_sgt_vm_bind_op, size, 16);
AT(drm_virtgpu_sgt_vm_bind_op, offset, 24);
AT(drm_virtgpu_sgt_vm_bind_op, handle, 32);
AT(drm_virtgpu_sgt_vm_bind_op, pad, 36);
SAME(drm_virtgpu_sgt_obj_array, 16);
AT(drm_virtgpu_sgt_obj_array, count, 4);
AT(drm_virtgpu_sgt_obj_array, array, 8);
SAME(drm_virtgpu_sgt_sync, 16);
AT(drm_virtgpu_sgt_sync, handle, 4);
AT(drm_virtgpu_sgt_sync, timeline_value, 8);
SAME(drm_virtgpu_sgt_vm_bind, 40);
AT(drm_virtgpu_sgt_vm_bind, ops, 8);
AT(drm_virtgpu_sgt_vm_bind, syncs, 24);
SAME(drm_virtgpu_sgt_dev_query, 16);
AT(drm_virtgpu_sgt_dev_query, pointer, 8);
SAME(drm_virtgpu_sgt_vm_info, 40);
AT(drm_virtgpu_sgt_vm_info, max_resources, 36);
SAME(drm_virtgpu_sgt_resource_from_va, 40);
AT(drm_virtgpu_sgt_resource_from_va, size, 8);
AT(drm_virtgpu_sgt_resource_from_va, width, 16);
AT(drm_virtgpu_sgt_resource_from_va, flags, 28);
AT(drm_virtgpu_sgt_resource_from_va, bo_handle, 32);
AT(drm_virtgpu_sgt_resource_from_va, res_handle, 36);
SAME(drm_virtgpu_sgt_vm_query, 64);
AT(drm_virtgpu_sgt_vm_query, mapped, 16);
AT(drm_virtgpu_sgt_vm_query, leaves_4k, 32);
AT(drm_virtgpu_sgt_vm_query, tables, 56);
SAME(drm_virtgpu_sgt_bo_info, 64);
AT(drm_virtgpu_sgt_bo_info, size, 8);
AT(drm_virtgpu_sgt_bo_info, segments, 32);
AT(drm_virtgpu_sgt_bo_info, leaves_1g, 56);

#define VA		(3ull << 39)
#define NO_HANDLE	0xdeadu
#define KERNEL		0xffff888000000000ull

static struct sgt_test test;

static const struct sgt_bad_field bad_binds[] = {
#define BIND(field, value, error)	\
	SGT_BAD(struct drm_virtgpu_sgt_vm_bind, field, value, error)
	BIND(pad, 1, EINVAL),
	BIND(pad, UINT32_MAX, EINVAL),
	BIND(ops.count, 0, EINVAL),
	BIND(ops.count, VIRTGPU_SGT_VM_BIND_MAX_OPS + 1, EINVAL),
	BIND(ops.count, UINT32_MAX, EINVAL),
	BIND(ops.stride, 0, EINVAL),
	BIND(ops.stride, sizeof(struct drm_virtgpu_sgt_vm_bind_op) - 1, EINVAL),
	BIND(ops.stride, PAGE + 1, E2BIG),
	BIND(ops.stride, UINT32_MAX, E2BIG),
	BIND(ops.array, 0, EFAULT),
	BIND(ops.array, KERNEL, EFAULT),
	BIND(syncs.count, VIRTGPU_SGT_VM_BIND_MAX_SYNCS + 1, EINVAL),
	BIND(syncs.count, UINT32_MAX, EINVAL),
	BIND(syncs.stride, 0, EINVAL),
	BIND(syncs.stride, sizeof(struct drm_virtgpu_sgt_sync) - 1, EINVAL),
	BIND(syncs.stride, PAGE + 1, E2BIG),
	BIND(syncs.stride, UINT32_MAX, E2BIG),
	BIND(syncs.array, 0, EFAULT),
	BIND(syncs.array, KERNEL, EFAULT),
#undef BIND
};

static void test_bind(int drm)
{
	uint32_t syncobj = make_sync(drm);
	struct drm_virtgpu_sgt_sync sync = sgt_vm_signal(syncobj, 0);
	struct drm_virtgpu_sgt_vm_bind_op op;
	struct drm_virtgpu_sgt_vm_bind good, arg;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 4);
	op = sgt_vm_op_map(VA, bo.size, &bo, 0);
	good = (struct drm_virtgpu_sgt_vm_bind) {
		.ops = sgt_objs(&op, 1),
		.syncs = sgt_objs(&sync, 1),
	};

	sgt_refuse_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &good, bad_binds);
	sgt_refuse_bits(drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &good, offsetof(typeof(good), flags),
			~VIRTGPU_SGT_VM_BIND_ASYNC);
	sgt_expect_space(drm, 0, 1);
	arg = good;
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &arg);
	sgt_expect_space(drm, bo.size, 4);

	/* An array without elements is not read. */
	op = sgt_vm_op_unmap(VA, bo.size);
	arg.syncs = (struct drm_virtgpu_sgt_obj_array) { .stride = 1, .array = KERNEL };
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &arg);
	sgt_expect_space(drm, 0, 1);
	drmSyncobjDestroy(drm, syncobj);
	sgt_bo_free(&bo);
}

/* Two operations, a wait and a signal, in structures of the strides of @arg */
struct longer {
	char ops[2][PAGE], syncs[2][PAGE];
	struct drm_virtgpu_sgt_vm_bind arg;
};

static void make_longer(struct longer *longer, const struct sgt_bo *bo, uint32_t syncobj,
			uint32_t op_stride, uint32_t sync_stride)
{
	const struct drm_virtgpu_sgt_vm_bind_op ops[] = {
		sgt_vm_op_remap(VA, bo->size, bo, 0),
		sgt_vm_op_remap(VA + bo->size, bo->size, bo, 0),
	};
	const struct drm_virtgpu_sgt_sync syncs[] = {
		sgt_vm_wait(syncobj, 0), sgt_vm_signal(syncobj, 0),
	};

	*longer = (struct longer) {
		.arg.ops = { op_stride, 2, (uintptr_t)longer->ops },
		.arg.syncs = { sync_stride, 2, (uintptr_t)longer->syncs },
	};
	for (int i = 0; i < 2; i++) {
		memcpy((char *)longer->ops + i * op_stride, &ops[i], sizeof(ops[i]));
		memcpy((char *)longer->syncs + i * sync_stride, &syncs[i], sizeof(syncs[i]));
	}
}

/* The first and the last byte of the excess, of the first and the last element */
static void refuse_excess(int drm, struct longer *longer, char *array, uint32_t stride,
			  uint32_t size)
{
	const uint32_t bad[] = { size, stride - 1, stride + size, 2 * stride - 1 };

	for (unsigned int i = 0; stride > size && i < ARRAY_SIZE(bad); i++) {
		array[bad[i]] = 1;
		do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &longer->arg, E2BIG);
		array[bad[i]] = 0;
	}
}

static void test_strides(int drm)
{
	static const uint32_t more[] = { 0, 1, 4, 8, 64, PAGE };
	const uint32_t op = sizeof(struct drm_virtgpu_sgt_vm_bind_op);
	const uint32_t sync = sizeof(struct drm_virtgpu_sgt_sync);
	static struct longer longer;
	uint32_t syncobj;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 4);
	igt_assert_eq(drmSyncobjCreate(drm, DRM_SYNCOBJ_CREATE_SIGNALED, &syncobj), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(more); i++) {
		make_longer(&longer, &bo, syncobj, more[i] == PAGE ? PAGE : op + more[i],
			    more[i] == PAGE ? PAGE : sync + more[i]);
		refuse_excess(drm, &longer, (char *)longer.ops, longer.arg.ops.stride, op);
		refuse_excess(drm, &longer, (char *)longer.syncs, longer.arg.syncs.stride, sync);
		sgt_expect_space(drm, 0, 1);
		do_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &longer.arg);
		sgt_expect_space(drm, 2 * bo.size, 4);
		sgt_must(sgt_vm_unmap(drm, VA, 2 * bo.size));
	}
	drmSyncobjDestroy(drm, syncobj);
	sgt_bo_free(&bo);
}

/* The last element ends with its page; the next page cannot be read. */
static void test_end_of_memory(int drm)
{
	struct drm_virtgpu_sgt_vm_bind_op *ops;
	struct drm_virtgpu_sgt_vm_bind arg = {};
	struct sgt_bo bo;
	char *pages;

	pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	igt_assert(pages != MAP_FAILED);
	igt_assert_eq(mprotect(pages + PAGE, PAGE, PROT_NONE), 0);
	ops = (void *)(pages + PAGE - 2 * sizeof(*ops));
	sgt_make_pages(&bo, drm, 4);
	ops[0] = sgt_vm_op_map(VA, bo.size, &bo, 0);
	ops[1] = sgt_vm_op_map(VA + bo.size, bo.size, &bo, 0);

	arg.ops = sgt_objs(ops, 3);
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &arg, EFAULT);
	arg.ops = sgt_objs(ops, 2);
	arg.ops.stride += 8;
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &arg, E2BIG);
	arg.ops.array += sizeof(*ops);
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &arg, EFAULT);
	sgt_expect_space(drm, 0, 1);
	arg.ops = sgt_objs(ops, 2);
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &arg);
	sgt_expect_space(drm, 2 * bo.size, 4);
	sgt_bo_free(&bo);
	munmap(pages, 2 * PAGE);
}

/* For a map of four pages from the second page of a buffer of eight */
static const struct sgt_bad_field bad_maps[] = {
#define OP(field, value, error)	\
	SGT_BAD(struct drm_virtgpu_sgt_vm_bind_op, field, value, error)
	OP(op, 0, EINVAL),
	OP(op, VIRTGPU_SGT_VM_REMAP + 1, EINVAL),
	OP(op, UINT32_MAX, EINVAL),
	OP(flags, 1u << 1, EINVAL),
	OP(flags, 1u << 31, EINVAL),
	OP(va, VA + 1, EINVAL),
	OP(va, VA + PAGE / 2, EINVAL),
	OP(va, SGT_VM_END, EINVAL),
	OP(va, SGT_VM_END - PAGE, EINVAL),
	OP(va, 0 - PAGE, EINVAL),
	OP(va, 0 - 4 * PAGE, EINVAL),
	OP(size, 0, EINVAL),
	OP(size, 1, EINVAL),
	OP(size, PAGE + 8, EINVAL),
	OP(size, SGT_VM_END - VA + PAGE, EINVAL),
	OP(size, 0 - PAGE, EINVAL),
	OP(size, 0 - VA, EINVAL),
	OP(size, 8 * PAGE, ERANGE),
	OP(size, SGT_VM_END - VA, ERANGE),
	OP(offset, 1, EINVAL),
	OP(offset, PAGE + 4, EINVAL),
	OP(offset, 5 * PAGE, ERANGE),
	OP(offset, 8 * PAGE, ERANGE),
	OP(offset, 0 - PAGE, ERANGE),
	OP(offset, 0 - 4 * PAGE, ERANGE),
	OP(handle, 0, ENOENT),
	OP(handle, NO_HANDLE, ENOENT),
	OP(handle, UINT32_MAX, ENOENT),
	OP(pad, 1, EINVAL),
	OP(pad, UINT32_MAX, EINVAL),
};

static const struct sgt_bad_field bad_unmaps[] = {
	OP(flags, VIRTGPU_SGT_VM_READONLY, EINVAL),
	OP(va, VA + 1, EINVAL),
	OP(va, SGT_VM_END, EINVAL),
	OP(va, 0 - 4 * PAGE, EINVAL),
	OP(size, 0, EINVAL),
	OP(size, PAGE - 1, EINVAL),
	OP(size, 0 - VA, EINVAL),
	OP(size, SGT_VM_END - VA + PAGE, EINVAL),
	OP(offset, PAGE, EINVAL),
	OP(handle, 1, EINVAL),
	OP(pad, 1, EINVAL),
#undef OP
};

static int bind_op(const void *drm, void *op)
{
	return sgt_vm_bind(*(const int *)drm, op, 1);
}

static void test_op(int drm)
{
	struct drm_virtgpu_sgt_vm_bind_op op;
	struct sgt_bo bo, picture;

	sgt_make_pages(&bo, drm, 8);
	op = sgt_vm_op_map(VA, 4 * PAGE, &bo, PAGE);
	sgt_refuse(bind_op, &drm, &op, bad_maps);
	sgt_expect_space(drm, 0, 1);
	op = sgt_vm_op_remap(VA, 4 * PAGE, &bo, PAGE);
	sgt_refuse(bind_op, &drm, &op, bad_maps);
	sgt_expect_space(drm, 0, 1);

	op.flags = VIRTGPU_SGT_VM_READONLY;
	sgt_must(sgt_vm_bind(drm, &op, 1));
	op = sgt_vm_op_unmap(VA, 4 * PAGE);
	sgt_refuse(bind_op, &drm, &op, bad_unmaps);
	sgt_expect_space(drm, 4 * PAGE, 4);

	/* A resource from VA has no memory of its own. */
	sgt_must(sgt_vm_picture(&picture, drm, VA, WORDS_PER_PAGE, 4));
	igt_assert_eq(sgt_vm_map(&picture, VA + 4 * PAGE, PAGE, 0), -EOPNOTSUPP);
	igt_assert_eq(sgt_vm_remap(&picture, VA, PAGE, 0), -EOPNOTSUPP);
	sgt_expect_space(drm, 4 * PAGE, 4);
	sgt_bo_free(&picture);
	sgt_bo_free(&bo);
}

/* For a wait for a signalled binary syncobj, or its signal */
static const struct sgt_bad_field bad_syncs[] = {
#define SYNC(field, value, error)	\
	SGT_BAD(struct drm_virtgpu_sgt_sync, field, value, error)
	SYNC(handle, 0, ENOENT),
	SYNC(handle, NO_HANDLE, ENOENT),
	SYNC(handle, UINT32_MAX, ENOENT),
	SYNC(timeline_value, 1, EINVAL),
	SYNC(timeline_value, UINT64_MAX, EINVAL),
#undef SYNC
};

static int bind_sync(const void *drm, void *sync)
{
	struct drm_virtgpu_sgt_vm_bind_op op = sgt_vm_op_unmap(VA, PAGE);

	return sgt_vm_bind_syncs(*(const int *)drm, &op, 1, sync, 1);
}

static void refuse_syncs(int drm, struct drm_virtgpu_sgt_sync *good)
{
	struct drm_virtgpu_sgt_sync sync;

	sgt_refuse(bind_sync, &drm, good, bad_syncs);
	/* Bit 0 selects a timeline, which has no point 0. */
	for (int bit = 0; bit < 31; bit++) {
		sync = *good;
		sync.flags |= 1u << bit;
		igt_assert_eq(bind_sync(&drm, &sync), -EINVAL);
		sync.timeline_value = 1;
		if (bit)
			igt_assert_eq(bind_sync(&drm, &sync), -EINVAL);
	}
	sgt_must(bind_sync(&drm, good));
}

static void test_sync(int drm)
{
	struct drm_virtgpu_sgt_sync sync;
	uint32_t syncobj;

	igt_assert_eq(drmSyncobjCreate(drm, DRM_SYNCOBJ_CREATE_SIGNALED, &syncobj), 0);
	sync = sgt_vm_wait(syncobj, 0);
	refuse_syncs(drm, &sync);
	sync = sgt_vm_signal(syncobj, 0);
	refuse_syncs(drm, &sync);
	drmSyncobjDestroy(drm, syncobj);
}

/* Waits for the first half of the array, signals the second. */
static int bind_with(int drm, const struct drm_virtgpu_sgt_vm_bind_op *op,
		     const uint32_t *handles, uint32_t count)
{
	struct drm_virtgpu_sgt_sync syncs[VIRTGPU_SGT_VM_BIND_MAX_SYNCS];

	for (uint32_t i = 0; i < count; i++)
		syncs[i] = i < count / 2 ? sgt_vm_wait(handles[i], 0) :
					   sgt_vm_signal(handles[i], 0);
	return sgt_vm_bind_syncs(drm, op, 1, syncs, count);
}

static void test_syncobjs(int drm)
{
	uint32_t handles[VIRTGPU_SGT_VM_BIND_MAX_SYNCS], empty = make_sync(drm);
	const uint32_t count = ARRAY_SIZE(handles), half = count / 2;
	const struct drm_virtgpu_sgt_sync wait = sgt_vm_wait(empty, 0);
	struct drm_virtgpu_sgt_vm_bind_op op, unmap;
	struct sgt_bo bo;
	int other;

	sgt_make_pages(&bo, drm, 4);
	op = sgt_vm_op_map(VA, bo.size, &bo, 0);
	for (uint32_t i = 0; i < count; i++)
		igt_assert_eq(drmSyncobjCreate(drm, i < half ? DRM_SYNCOBJ_CREATE_SIGNALED : 0,
					       &handles[i]), 0);

	igt_assert_eq(sgt_vm_bind_syncs(drm, &op, 1, &wait, 1), -EINVAL);
	for (uint32_t i = half - 1; i < count; i += half) {
		uint32_t good = handles[i];

		handles[i] = NO_HANDLE;
		igt_assert_eq(bind_with(drm, &op, handles, count), -ENOENT);
		handles[i] = good;
	}
	sgt_expect_space(drm, 0, 1);

	/* The handles are unknown in another file. */
	other = sgt_must(sgt_open());
	unmap = sgt_vm_op_unmap(VA, PAGE);
	igt_assert_eq(bind_with(other, &unmap, handles, count), -ENOENT);
	igt_assert_eq(bind_with(other, &unmap, &handles[count - 1], 1), -ENOENT);
	close(other);

	sgt_must(bind_with(drm, &op, handles, count));
	igt_assert_eq(drmSyncobjWait(drm, handles, count, INT64_MAX,
				     DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL, NULL), 0);
	sgt_expect_space(drm, bo.size, 4);
	for (uint32_t i = 0; i < count; i++)
		drmSyncobjDestroy(drm, handles[i]);
	drmSyncobjDestroy(drm, empty);
	sgt_bo_free(&bo);
}

/* For a picture of 64x64, which needs four of the five pages */
static const struct sgt_bad_field bad_resources[] = {
#define RES(field, value, error)	\
	SGT_BAD(struct drm_virtgpu_sgt_resource_from_va, field, value, error)
	RES(va, VA + 1, EINVAL),
	RES(va, VA + PAGE / 2, EINVAL),
	RES(va, SGT_VM_END, EINVAL),
	RES(va, SGT_VM_END - PAGE, EINVAL),
	RES(va, 0 - 5 * PAGE, EINVAL),
	RES(va, VA - PAGE, EFAULT),
	RES(va, VA + PAGE, EFAULT),
	RES(va, 0, EFAULT),
	RES(size, 0, EINVAL),
	RES(size, 3 * PAGE, EINVAL),
	RES(size, 4 * PAGE + 4, EINVAL),
	RES(size, 0 - VA, EINVAL),
	RES(size, 0 - PAGE, EINVAL),
	RES(size, SGT_VM_END - VA + PAGE, EINVAL),
	RES(size, 6 * PAGE, EFAULT),
	RES(width, 0, EINVAL),
	RES(width, 16385, EINVAL),
	RES(width, UINT32_MAX, EINVAL),
	RES(width, 81, EINVAL),
	RES(height, 0, EINVAL),
	RES(height, 16385, EINVAL),
	RES(height, UINT32_MAX, EINVAL),
	RES(height, 81, EINVAL),
	RES(format, 0, EINVAL),
	RES(format, UINT32_MAX, EINVAL),
	RES(flags, 1, EINVAL),
	RES(flags, 1u << 31, EINVAL),
#undef RES
};

static void test_resource(int drm)
{
	const struct drm_virtgpu_sgt_resource_from_va good = {
		.va = VA,
		.size = 5 * PAGE,
		.width = 64,
		.height = 64,
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
	};
	struct drm_virtgpu_sgt_resource_from_va arg;
	struct sgt_baseline base;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 5);
	sgt_must(sgt_vm_map(&bo, VA, bo.size, 0));
	sgt_baseline_take(&test, &base);
	sgt_refuse_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_RESOURCE_FROM_VA, &good, bad_resources);
	sgt_baseline_check(&test, &base);

	arg = good;
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_RESOURCE_FROM_VA, &arg);
	sgt_must(sgt_close_handle(drm, arg.bo_handle));

	/* All of it is unmapped. */
	sgt_must(sgt_vm_unmap(drm, VA, bo.size));
	arg = good;
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_SGT_RESOURCE_FROM_VA, &arg, EFAULT);
	sgt_bo_free(&bo);
}

static void test_other_file(int drm)
{
	struct drm_virtgpu_sgt_bo_info info;
	struct sgt_bo bo, same;

	sgt_make_pages(&bo, drm, 4);
	same = bo;
	same.drm = sgt_must(sgt_open());
	igt_assert_eq(sgt_vm_map(&same, VA, PAGE, 0), -ENOENT);
	igt_assert_eq(sgt_vm_remap(&same, VA, PAGE, 0), -ENOENT);
	igt_assert_eq(sgt_bo_info(&same, &info), -ENOENT);
	sgt_expect_space(same.drm, 0, 1);
	close(same.drm);
	sgt_bo_free(&bo);
}

static void test_render_node(int drm)
{
	char *name = drmGetRenderDeviceNameFromFd(drm);
	struct drm_virtgpu_sgt_bo_info info;
	struct sgt_bo bo, same, picture;
	int render, fd;

	igt_assert(name);
	render = open(name, O_RDWR | O_CLOEXEC);
	igt_assert(render >= 0);
	drmFree(name);

	/* The render node has no ioctl for dumb buffers. */
	sgt_make_pages(&bo, drm, 4);
	fd = sgt_must(sgt_bo_export(&bo));
	sgt_must(sgt_bo_import(&same, render, fd, bo.width, bo.height));
	close(fd);
	sgt_must(sgt_vm_map(&same, VA, same.size, 0));
	sgt_expect_space(render, same.size, 4);
	sgt_must(sgt_bo_info(&same, &info));
	igt_assert_eq_u64(info.leaves_4k, 4);
	sgt_must(sgt_vm_picture(&picture, render, VA, WORDS_PER_PAGE, 4));
	sgt_must(sgt_transfer(&picture));
	sgt_bo_free(&picture);
	sgt_bo_free(&same);
	sgt_bo_free(&bo);
	close(render);
}

int igt_main()
{
	static const struct sgt_file_test tests[] = {
		{ "bind-bad-fields", "Fields of the call", test_bind },
		{ "op-bad-fields", "Each operation", test_op },
		{ "strides", "Newer programs than the kernel", test_strides },
		{ "end-of-memory", "As many bytes as count and stride", test_end_of_memory },
		{ "sync-bad-fields", "Each sync", test_sync },
		{ "bad-syncobjs", "Syncobjs are looked up first", test_syncobjs },
		{ "resource-bad-fields", "The host does not check them", test_resource },
		{ "handle-of-another-file", "Handles belong to a file", test_other_file },
		{ "render-node", "Binding needs no display", test_render_node },
	};
	int keep = -1;

	igt_fixture()
		keep = sgt_vm_fixture(&test);

	sgt_in_files(&test, tests, ARRAY_SIZE(tests));

	igt_fixture()
		close(keep);
}
