// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>

#include "igt.h"

#include "lib/sgt_dmabuf.h"
#include "lib/sgt_virtgpu.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt vm args
 * Description: Call for the address space with what is wrong, one field at a time
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: address space, argument checks
 * Test category: functionality test
 *
 * SUBTEST: bind-bad-fields
 * Description: A bind with unknown flags, too much or bad pointers is refused
 *
 * SUBTEST: op-bad-fields
 * Description: An operation is refused for one bad field at a time
 *
 * SUBTEST: bad-syncobjs
 * Description: A bind with syncobjs that are not there, or have no fence, is refused
 *
 * SUBTEST: resource-bad-fields
 * Description: A resource from VA is refused for one bad field at a time
 *
 * SUBTEST: query-bad-fields
 * Description: A question for a range that cannot be is refused
 *
 * SUBTEST: info-bad-fields
 * Description: A question for a buffer that is not there, or with a flag, is refused
 *
 * SUBTEST: garbage-outputs
 * Description: What is in the output fields before the call does not matter
 *
 * SUBTEST: handle-of-another-file
 * Description: A handle means nothing in another open file
 *
 * SUBTEST: render-node
 * Description: Each call works on the render node
 */

IGT_TEST_DESCRIPTION("Call for the address space with what is wrong, one field at a time");

/* The interface is the same for 32 and 64 bits: no hole, nothing that shifts. */
#define SAME(type, size)	_Static_assert(sizeof(struct type) == (size), #type)
#define AT(type, field, offset)	\
	_Static_assert(offsetof(struct type, field) == (offset), #type "." #field)

SAME(drm_virtgpu_sgt_vm_bind_op, 40);
AT(drm_virtgpu_sgt_vm_bind_op, va, 8);
AT(drm_virtgpu_sgt_vm_bind_op, size, 16);
AT(drm_virtgpu_sgt_vm_bind_op, offset, 24);
AT(drm_virtgpu_sgt_vm_bind_op, handle, 32);
AT(drm_virtgpu_sgt_vm_bind_op, pad, 36);
SAME(drm_virtgpu_sgt_vm_bind, 40);
AT(drm_virtgpu_sgt_vm_bind, ops, 8);
AT(drm_virtgpu_sgt_vm_bind, in_syncs, 16);
AT(drm_virtgpu_sgt_vm_bind, out_syncs, 24);
AT(drm_virtgpu_sgt_vm_bind, num_in_syncs, 32);
AT(drm_virtgpu_sgt_vm_bind, num_out_syncs, 36);
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

/* A field of a call, by its place; of 4 or of 8 bytes */
struct bad_field {
	size_t offset, size;
	uint64_t value;
	int error;
};

#define FIELD(type, name)	\
	offsetof(struct type, name), sizeof(((struct type *)NULL)->name)

static void set_field(void *to, const struct bad_field *field)
{
	igt_debug("field at %zu = %#llx\n", field->offset, (unsigned long long)field->value);
	memcpy((char *)to + field->offset, &field->value, field->size);
}

static const struct bad_field bad_binds[] = {
#define BIND(name)	FIELD(drm_virtgpu_sgt_vm_bind, name)
	{ BIND(num_ops), 0, EINVAL },
	{ BIND(num_ops), VIRTGPU_SGT_VM_BIND_MAX_OPS + 1, EINVAL },
	{ BIND(num_ops), UINT32_MAX, EINVAL },
	{ BIND(ops), 0, EFAULT },
	{ BIND(ops), KERNEL, EFAULT },
	{ BIND(num_in_syncs), VIRTGPU_SGT_VM_BIND_MAX_SYNCS + 1, EINVAL },
	{ BIND(num_in_syncs), UINT32_MAX, EINVAL },
	{ BIND(num_out_syncs), VIRTGPU_SGT_VM_BIND_MAX_SYNCS + 1, EINVAL },
	{ BIND(num_out_syncs), UINT32_MAX, EINVAL },
	{ BIND(num_in_syncs), 1, EFAULT },
	{ BIND(num_out_syncs), 1, EFAULT },
#undef BIND
};

static void test_bind(int drm)
{
	struct drm_virtgpu_sgt_vm_bind_op op;
	struct drm_virtgpu_sgt_vm_bind good, arg;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 4);
	op = sgt_vm_op_map(VA, bo.size, &bo, 0);
	good = (struct drm_virtgpu_sgt_vm_bind) { .num_ops = 1, .ops = (uintptr_t)&op };

	for (unsigned int i = 0; i < ARRAY_SIZE(bad_binds); i++) {
		arg = good;
		set_field(&arg, &bad_binds[i]);
		do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &arg, bad_binds[i].error);
	}
	for (int bit = 1; bit < 32; bit++) {
		arg = good;
		arg.flags = 1u << bit;
		do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &arg, EINVAL);
	}
	sgt_expect_space(drm, 0, 1);
	arg = good;
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &arg);
	sgt_expect_space(drm, bo.size, 4);
	sgt_bo_free(&bo);
}

/* Of a map of four pages of a buffer of eight, from the second on */
static const struct bad_field bad_maps[] = {
#define OP(name)	FIELD(drm_virtgpu_sgt_vm_bind_op, name)
	{ OP(op), 0, EINVAL },
	{ OP(op), VIRTGPU_SGT_VM_REMAP + 1, EINVAL },
	{ OP(op), UINT32_MAX, EINVAL },
	{ OP(flags), 1u << 1, EINVAL },
	{ OP(flags), 1u << 31, EINVAL },
	{ OP(va), VA + 1, EINVAL },
	{ OP(va), VA + PAGE / 2, EINVAL },
	{ OP(va), SGT_VM_END, EINVAL },
	{ OP(va), SGT_VM_END - PAGE, EINVAL },
	{ OP(va), 0 - PAGE, EINVAL },
	{ OP(va), 0 - 4 * PAGE, EINVAL },
	{ OP(size), 0, EINVAL },
	{ OP(size), 1, EINVAL },
	{ OP(size), PAGE + 8, EINVAL },
	{ OP(size), SGT_VM_END - VA + PAGE, EINVAL },
	{ OP(size), 0 - PAGE, EINVAL },
	{ OP(size), 0 - VA, EINVAL },
	{ OP(size), 8 * PAGE, ERANGE },
	{ OP(size), SGT_VM_END - VA, ERANGE },
	{ OP(offset), 1, EINVAL },
	{ OP(offset), PAGE + 4, EINVAL },
	{ OP(offset), 5 * PAGE, ERANGE },
	{ OP(offset), 8 * PAGE, ERANGE },
	{ OP(offset), 0 - PAGE, ERANGE },
	{ OP(offset), 0 - 4 * PAGE, ERANGE },
	{ OP(handle), 0, ENOENT },
	{ OP(handle), NO_HANDLE, ENOENT },
	{ OP(handle), UINT32_MAX, ENOENT },
	{ OP(pad), 1, EINVAL },
	{ OP(pad), UINT32_MAX, EINVAL },
};

static const struct bad_field bad_unmaps[] = {
	{ OP(flags), VIRTGPU_SGT_VM_READONLY, EINVAL },
	{ OP(va), VA + 1, EINVAL },
	{ OP(va), SGT_VM_END, EINVAL },
	{ OP(va), 0 - 4 * PAGE, EINVAL },
	{ OP(size), 0, EINVAL },
	{ OP(size), PAGE - 1, EINVAL },
	{ OP(size), 0 - VA, EINVAL },
	{ OP(size), SGT_VM_END - VA + PAGE, EINVAL },
	{ OP(offset), PAGE, EINVAL },
	{ OP(handle), 1, EINVAL },
	{ OP(pad), 1, EINVAL },
#undef OP
};

static void refuse_ops(int drm, const struct drm_virtgpu_sgt_vm_bind_op *good,
		       const struct bad_field *bad, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct drm_virtgpu_sgt_vm_bind_op op = *good;

		set_field(&op, &bad[i]);
		igt_assert_eq(sgt_vm_bind(drm, &op, 1), -bad[i].error);
	}
}

static void test_op(int drm)
{
	struct drm_virtgpu_sgt_vm_bind_op op;
	struct sgt_bo bo, picture;

	sgt_make_pages(&bo, drm, 8);
	op = sgt_vm_op_map(VA, 4 * PAGE, &bo, PAGE);
	refuse_ops(drm, &op, bad_maps, ARRAY_SIZE(bad_maps));
	sgt_expect_space(drm, 0, 1);
	op = sgt_vm_op_remap(VA, 4 * PAGE, &bo, PAGE);
	refuse_ops(drm, &op, bad_maps, ARRAY_SIZE(bad_maps));
	sgt_expect_space(drm, 0, 1);

	op.flags = VIRTGPU_SGT_VM_READONLY;
	sgt_must(sgt_vm_bind(drm, &op, 1));
	op = sgt_vm_op_unmap(VA, 4 * PAGE);
	refuse_ops(drm, &op, bad_unmaps, ARRAY_SIZE(bad_unmaps));
	sgt_expect_space(drm, 4 * PAGE, 4);

	/* What has no memory of its own */
	sgt_must(sgt_vm_picture(&picture, drm, VA, WORDS_PER_PAGE, 4));
	igt_assert_eq(sgt_vm_map(&picture, VA + 4 * PAGE, PAGE, 0), -EOPNOTSUPP);
	igt_assert_eq(sgt_vm_remap(&picture, VA, PAGE, 0), -EOPNOTSUPP);
	sgt_expect_space(drm, 4 * PAGE, 4);
	sgt_bo_free(&picture);
	sgt_bo_free(&bo);
}

static int bind_with(int drm, const struct drm_virtgpu_sgt_vm_bind_op *op,
		     const uint32_t *in, uint32_t ins, const uint32_t *out, uint32_t outs)
{
	struct drm_virtgpu_sgt_vm_bind arg = {
		.flags = VIRTGPU_SGT_VM_BIND_ASYNC,
		.num_ops = 1,
		.ops = (uintptr_t)op,
		.in_syncs = (uintptr_t)in,
		.out_syncs = (uintptr_t)out,
		.num_in_syncs = ins,
		.num_out_syncs = outs,
	};

	return drmIoctl(drm, DRM_IOCTL_VIRTGPU_SGT_VM_BIND, &arg) ? -errno : 0;
}

static void test_syncobjs(int drm)
{
	uint32_t syncs[VIRTGPU_SGT_VM_BIND_MAX_SYNCS], bad = NO_HANDLE, empty;
	const uint32_t count = ARRAY_SIZE(syncs);
	struct drm_virtgpu_sgt_vm_bind_op op, unmap;
	struct sgt_bo bo;
	int other;

	sgt_make_pages(&bo, drm, 4);
	op = sgt_vm_op_map(VA, bo.size, &bo, 0);
	igt_assert_eq(drmSyncobjCreate(drm, 0, &empty), 0);
	for (uint32_t i = 0; i < count; i++)
		igt_assert_eq(drmSyncobjCreate(drm, DRM_SYNCOBJ_CREATE_SIGNALED, &syncs[i]), 0);

	igt_assert_eq(bind_with(drm, &op, &bad, 1, NULL, 0), -ENOENT);
	igt_assert_eq(bind_with(drm, &op, NULL, 0, &bad, 1), -ENOENT);
	igt_assert_eq(bind_with(drm, &op, &empty, 1, NULL, 0), -ENOENT);
	bad = syncs[count - 1];
	syncs[count - 1] = 0;
	igt_assert_eq(bind_with(drm, &op, syncs, count, NULL, 0), -ENOENT);
	igt_assert_eq(bind_with(drm, &op, NULL, 0, syncs, count), -ENOENT);
	syncs[count - 1] = bad;
	sgt_expect_space(drm, 0, 1);

	/* In another file they are none. */
	other = sgt_must(sgt_open());
	unmap = sgt_vm_op_unmap(VA, PAGE);
	igt_assert_eq(bind_with(other, &unmap, syncs, 1, NULL, 0), -ENOENT);
	igt_assert_eq(bind_with(other, &unmap, NULL, 0, syncs, 1), -ENOENT);
	close(other);

	sgt_must(bind_with(drm, &op, syncs, count, syncs, count));
	igt_assert_eq(drmSyncobjWait(drm, syncs, count, INT64_MAX,
				     DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL, NULL), 0);
	sgt_expect_space(drm, bo.size, 4);
	for (uint32_t i = 0; i < count; i++)
		drmSyncobjDestroy(drm, syncs[i]);
	drmSyncobjDestroy(drm, empty);
	sgt_bo_free(&bo);
}

/* Of a picture of 64 by 64 in five pages, of which it needs four */
static const struct bad_field bad_resources[] = {
#define RES(name)	FIELD(drm_virtgpu_sgt_resource_from_va, name)
	{ RES(va), VA + 1, EINVAL },
	{ RES(va), VA + PAGE / 2, EINVAL },
	{ RES(va), SGT_VM_END, EINVAL },
	{ RES(va), SGT_VM_END - PAGE, EINVAL },
	{ RES(va), 0 - 5 * PAGE, EINVAL },
	{ RES(va), VA - PAGE, EFAULT },
	{ RES(va), VA + PAGE, EFAULT },
	{ RES(va), 0, EFAULT },
	{ RES(size), 0, EINVAL },
	{ RES(size), 3 * PAGE, EINVAL },
	{ RES(size), 4 * PAGE + 4, EINVAL },
	{ RES(size), 0 - VA, EINVAL },
	{ RES(size), 0 - PAGE, EINVAL },
	{ RES(size), SGT_VM_END - VA + PAGE, EINVAL },
	{ RES(size), 6 * PAGE, EFAULT },
	{ RES(width), 0, EINVAL },
	{ RES(width), 16385, EINVAL },
	{ RES(width), UINT32_MAX, EINVAL },
	{ RES(width), 81, EINVAL },
	{ RES(height), 0, EINVAL },
	{ RES(height), 16385, EINVAL },
	{ RES(height), UINT32_MAX, EINVAL },
	{ RES(height), 81, EINVAL },
	{ RES(format), 0, EINVAL },
	{ RES(format), UINT32_MAX, EINVAL },
	{ RES(flags), 1, EINVAL },
	{ RES(flags), 1u << 31, EINVAL },
#undef RES
};

static void test_resource(int drm)
{
	const struct drm_virtgpu_sgt_resource_from_va good = {
		.va = VA,
		.size = 5 * PAGE,
		.width = 64,
		.height = 64,
		.format = 2,		/* VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM */
	};
	struct drm_virtgpu_sgt_resource_from_va arg;
	struct sgt_baseline base;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 5);
	sgt_must(sgt_vm_map(&bo, VA, bo.size, 0));
	sgt_baseline_take(&test, &base);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad_resources); i++) {
		arg = good;
		set_field(&arg, &bad_resources[i]);
		do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_SGT_RESOURCE_FROM_VA, &arg,
			     bad_resources[i].error);
	}
	sgt_baseline_check(&test, &base);

	arg = good;
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_RESOURCE_FROM_VA, &arg);
	sgt_must(sgt_close_handle(drm, arg.bo_handle));

	/* All of it is a hole. */
	sgt_must(sgt_vm_unmap(drm, VA, bo.size));
	arg = good;
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_SGT_RESOURCE_FROM_VA, &arg, EFAULT);
	sgt_bo_free(&bo);
}

static void test_query(int drm)
{
	static const struct {
		uint64_t va, size;
	} bad[] = {
		{ VA, 0 }, { VA, 1 }, { VA, PAGE + 1 }, { VA + 1, PAGE }, { VA + 512, PAGE },
		{ SGT_VM_END, PAGE }, { SGT_VM_END - PAGE, 2 * PAGE }, { VA, SGT_VM_END },
		{ 0, SGT_VM_END + PAGE }, { 0, 0 - PAGE }, { 0 - PAGE, PAGE },
		{ 0 - PAGE, 2 * PAGE }, { VA, 0 - VA },
	};
	struct drm_virtgpu_sgt_vm_query query;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		igt_debug("%#llx + %#llx\n", (unsigned long long)bad[i].va,
			  (unsigned long long)bad[i].size);
		igt_assert_eq(sgt_vm_query(drm, bad[i].va, bad[i].size, &query), -EINVAL);
	}
	sgt_must(sgt_vm_query(drm, SGT_VM_END - PAGE, PAGE, &query));
	sgt_expect_space(drm, 0, 1);
}

static void test_info(int drm)
{
	struct drm_virtgpu_sgt_bo_info arg;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 4);
	for (int bit = 0; bit < 32; bit++) {
		arg = (struct drm_virtgpu_sgt_bo_info) {
			.handle = bo.handle,
			.flags = 1u << bit,
		};
		do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_SGT_BO_INFO, &arg, EINVAL);
	}
	arg = (struct drm_virtgpu_sgt_bo_info) { .handle = NO_HANDLE };
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_SGT_BO_INFO, &arg, ENOENT);
	arg.handle = 0;
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_SGT_BO_INFO, &arg, ENOENT);
	sgt_must(sgt_bo_info(&bo, &arg));
	sgt_bo_free(&bo);
}

static void test_outputs(int drm)
{
	struct drm_virtgpu_sgt_resource_from_va from;
	struct drm_virtgpu_sgt_vm_query query, clean;
	struct drm_virtgpu_sgt_bo_info info, fresh;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 4);
	sgt_must(sgt_vm_map(&bo, VA, bo.size, 0));

	sgt_must(sgt_vm_query(drm, VA, bo.size, &clean));
	memset(&query, 0xa5, sizeof(query));
	query.va = VA;
	query.size = bo.size;
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_VM_QUERY, &query);
	igt_assert(!memcmp(&query, &clean, sizeof(query)));

	sgt_must(sgt_bo_info(&bo, &fresh));
	memset(&info, 0xa5, sizeof(info));
	info.handle = bo.handle;
	info.flags = 0;
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_BO_INFO, &info);
	igt_assert(!memcmp(&info, &fresh, sizeof(info)));

	from = (struct drm_virtgpu_sgt_resource_from_va) {
		.va = VA,
		.size = bo.size,
		.width = WORDS_PER_PAGE,
		.height = 4,
		.format = 2,
		.bo_handle = ~0u,
		.res_handle = ~0u,
	};
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_RESOURCE_FROM_VA, &from);
	igt_assert_neq(from.res_handle, 0);
	sgt_must(sgt_close_handle(drm, from.bo_handle));
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

	/* Dumb buffers are for those who show them. */
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
	static const struct {
		const char *name, *what;
		void (*run)(int drm);
	} tests[] = {
		{ "bind-bad-fields", "The call as a whole", test_bind },
		{ "op-bad-fields", "Each operation", test_op },
		{ "bad-syncobjs", "Syncobjs are looked up first", test_syncobjs },
		{ "resource-bad-fields", "The host would not notice", test_resource },
		{ "query-bad-fields", "Ranges are of pages, and within the space", test_query },
		{ "info-bad-fields", "Handles are looked up", test_info },
		{ "garbage-outputs", "Old programs leave output fields unset", test_outputs },
		{ "handle-of-another-file", "Handles belong to a file", test_other_file },
		{ "render-node", "Who does not show may bind", test_render_node },
	};
	int keep = -1;

	igt_fixture()
		keep = sgt_vm_fixture(&test);

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].what);
		igt_subtest(tests[i].name)
			sgt_in_file(&test, tests[i].run);
	}

	igt_fixture()
		close(keep);
}
