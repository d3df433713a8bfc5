// SPDX-License-Identifier: GPL-2.0

#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/string.h>

#include <kunit/test.h>

#include <drm/virtgpu_sgt_drm.h>

#include "../virtgpu_sgt_vm_args.h"

/* Arguments of a VM_BIND, one wrong field at a time. */

#define VA	(3ull << 39)
#define VA_END	BIT_ULL(VIRTGPU_SGT_VA_BITS)
#define MAX_OPS	VIRTGPU_SGT_VM_BIND_MAX_OPS
#define MAX_SYNCS	VIRTGPU_SGT_VM_BIND_MAX_SYNCS

struct bind_case {
	const char *name;
	u32 flags, pad, num_ops, num_syncs;
	int want;
};

static const struct bind_case bind_cases[] = {
	{ "one operation", 0, 0, 1, 0, 0 },
	{ "asynchronous", VIRTGPU_SGT_VM_BIND_ASYNC, 0, 1, 1, 0 },
	{ "most", 0, 0, MAX_OPS, MAX_SYNCS, 0 },
	{ "no operation", 0, 0, 0, 0, -EINVAL },
	{ "too many operations", 0, 0, MAX_OPS + 1, 0, -EINVAL },
	{ "U32_MAX operations", 0, 0, U32_MAX, 0, -EINVAL },
	{ "too many syncs", 0, 0, 1, MAX_SYNCS + 1, -EINVAL },
	{ "U32_MAX syncs", 0, 0, 1, U32_MAX, -EINVAL },
	{ "unknown flag", 2, 0, 1, 0, -EINVAL },
	{ "highest flag", BIT(31), 0, 1, 0, -EINVAL },
	{ "flag and unknown flag", 3, 0, 1, 0, -EINVAL },
	{ "pad", 0, 1, 1, 0, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(bind, bind_cases, name);

static void virtgpu_sgt_vm_check_bind_test(struct kunit *test)
{
	const struct bind_case *c = test->param_value;
	const struct drm_virtgpu_sgt_vm_bind args = {
		.flags = c->flags,
		.pad = c->pad,
		.ops.count = c->num_ops,
		.syncs.count = c->num_syncs,
	};

	KUNIT_EXPECT_EQ(test, virtgpu_sgt_vm_check_bind(NULL, &args), c->want);
}

struct op_case {
	const char *name;
	struct drm_virtgpu_sgt_vm_bind_op op;
	int want;
};

#define OP(kind, flags, va, size, offset, handle, pad)	\
	{ VIRTGPU_SGT_VM_ ## kind, flags, va, size, offset, handle, pad }
#define READONLY	VIRTGPU_SGT_VM_READONLY

static const struct op_case op_cases[] = {
	{ "map", OP(MAP, 0, VA, PAGE_SIZE, 0, 1, 0), 0 },
	{ "map, read only", OP(MAP, READONLY, VA, PAGE_SIZE, PAGE_SIZE, 1, 0), 0 },
	{ "remap", OP(REMAP, READONLY, VA, PAGE_SIZE, PAGE_SIZE, 1, 0), 0 },
	{ "unmap", OP(UNMAP, 0, VA, PAGE_SIZE, 0, 0, 0), 0 },
	{ "unmap all", OP(UNMAP, 0, 0, VA_END, 0, 0, 0), 0 },
	{ "last page", OP(MAP, 0, VA_END - PAGE_SIZE, PAGE_SIZE, 0, 1, 0), 0 },
	{ "no kind", { .va = VA, .size = PAGE_SIZE }, -EINVAL },
	{ "unknown kind", { .op = 4, .va = VA, .size = PAGE_SIZE }, -EINVAL },
	{ "kind U32_MAX", { .op = U32_MAX, .va = VA, .size = PAGE_SIZE }, -EINVAL },
	{ "map, unknown flag", OP(MAP, 2, VA, PAGE_SIZE, 0, 1, 0), -EINVAL },
	{ "remap, highest flag", OP(REMAP, BIT(31), VA, PAGE_SIZE, 0, 1, 0), -EINVAL },
	{ "unmap, flag", OP(UNMAP, READONLY, VA, PAGE_SIZE, 0, 0, 0), -EINVAL },
	{ "unmap, offset", OP(UNMAP, 0, VA, PAGE_SIZE, PAGE_SIZE, 0, 0), -EINVAL },
	{ "unmap, handle", OP(UNMAP, 0, VA, PAGE_SIZE, 0, 1, 0), -EINVAL },
	{ "map, pad", OP(MAP, 0, VA, PAGE_SIZE, 0, 1, 1), -EINVAL },
	{ "unmap, pad", OP(UNMAP, 0, VA, PAGE_SIZE, 0, 0, BIT(31)), -EINVAL },
	{ "empty", OP(MAP, 0, VA, 0, 0, 1, 0), -EINVAL },
	{ "part of a page", OP(MAP, 0, VA, PAGE_SIZE + 8, 0, 1, 0), -EINVAL },
	{ "va in a page", OP(MAP, 0, VA + 1, PAGE_SIZE, 0, 1, 0), -EINVAL },
	{ "offset in a page", OP(MAP, 0, VA, PAGE_SIZE, 1, 1, 0), -EINVAL },
	{ "behind the end", OP(MAP, 0, VA_END, PAGE_SIZE, 0, 1, 0), -EINVAL },
	{ "over the end", OP(UNMAP, 0, VA_END - PAGE_SIZE, 2 * PAGE_SIZE, 0, 0, 0), -EINVAL },
	{ "more than all", OP(UNMAP, 0, 0, VA_END + PAGE_SIZE, 0, 0, 0), -EINVAL },
	{ "overflow to 0", OP(UNMAP, 0, VA, 0 - VA, 0, 0, 0), -EINVAL },
	{ "overflow", OP(UNMAP, 0, 0ull - PAGE_SIZE, 2 * PAGE_SIZE, 0, 0, 0), -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(op, op_cases, name);

static void virtgpu_sgt_vm_check_op_test(struct kunit *test)
{
	const struct op_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, virtgpu_sgt_vm_check_op(NULL, &c->op), c->want);
}

struct object_case {
	const char *name;
	u64 offset, size, object;
	int want;
};

static const struct object_case object_cases[] = {
	{ "all", 0, 8 * PAGE_SIZE, 8 * PAGE_SIZE, 0 },
	{ "end", 7 * PAGE_SIZE, PAGE_SIZE, 8 * PAGE_SIZE, 0 },
	{ "too long", 0, 9 * PAGE_SIZE, 8 * PAGE_SIZE, -ERANGE },
	{ "over the end", 7 * PAGE_SIZE, 2 * PAGE_SIZE, 8 * PAGE_SIZE, -ERANGE },
	{ "behind the end", 8 * PAGE_SIZE, PAGE_SIZE, 8 * PAGE_SIZE, -ERANGE },
	{ "overflow to 0", 0ull - PAGE_SIZE, PAGE_SIZE, 8 * PAGE_SIZE, -ERANGE },
	{ "overflow", 0ull - PAGE_SIZE, 2 * PAGE_SIZE, 8 * PAGE_SIZE, -ERANGE },
};

KUNIT_ARRAY_PARAM_DESC(object, object_cases, name);

static void virtgpu_sgt_vm_check_op_object_test(struct kunit *test)
{
	const struct object_case *c = test->param_value;
	const struct drm_virtgpu_sgt_vm_bind_op op = {
		.op = VIRTGPU_SGT_VM_MAP,
		.va = VA,
		.offset = c->offset,
		.size = c->size,
	};

	KUNIT_EXPECT_EQ(test, virtgpu_sgt_vm_check_op_object(NULL, &op, c->object), c->want);
}

struct sync_case {
	const char *name;
	u32 flags;
	u64 point;
	int want;
};

static const struct sync_case sync_cases[] = {
	{ "wait", 0, 0, 0 },
	{ "signal", VIRTGPU_SGT_SYNC_SIGNAL, 0, 0 },
	{ "timeline", VIRTGPU_SGT_SYNC_TIMELINE_SYNCOBJ, 1, 0 },
	{ "last point", VIRTGPU_SGT_SYNC_TIMELINE_SYNCOBJ | VIRTGPU_SGT_SYNC_SIGNAL, U64_MAX, 0 },
	{ "point of a binary", 0, 1, -EINVAL },
	{ "signal a point of a binary", VIRTGPU_SGT_SYNC_SIGNAL, 1, -EINVAL },
	{ "timeline without a point", VIRTGPU_SGT_SYNC_TIMELINE_SYNCOBJ, 0, -EINVAL },
	{ "signal a timeline without a point",
	  VIRTGPU_SGT_SYNC_TIMELINE_SYNCOBJ | VIRTGPU_SGT_SYNC_SIGNAL, 0, -EINVAL },
	{ "unknown type", 2, 0, -EINVAL },
	{ "unknown type with a point", 3, 1, -EINVAL },
	{ "last type", VIRTGPU_SGT_SYNC_TYPE_MASK, 1, -EINVAL },
	{ "unknown flag", BIT(8), 0, -EINVAL },
	{ "highest unknown flag", BIT(30) | VIRTGPU_SGT_SYNC_SIGNAL, 0, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(sync, sync_cases, name);

static void virtgpu_sgt_vm_check_sync_test(struct kunit *test)
{
	const struct sync_case *c = test->param_value;
	const struct drm_virtgpu_sgt_sync sync = {
		.flags = c->flags,
		.handle = 1,
		.timeline_value = c->point,
	};

	KUNIT_EXPECT_EQ(test, virtgpu_sgt_vm_check_sync(NULL, &sync), c->want);
}

struct stride_case {
	const char *name;
	u32 stride;
	int want;
};

static const struct stride_case stride_cases[] = {
	{ "smallest", VIRTGPU_SGT_MIN_OP, 0 },
	{ "newer", VIRTGPU_SGT_MIN_OP + 8, 0 },
	{ "largest", PAGE_SIZE, 0 },
	{ "none", 0, -EINVAL },
	{ "too small", VIRTGPU_SGT_MIN_OP - 1, -EINVAL },
	{ "too large", PAGE_SIZE + 1, -E2BIG },
	{ "U32_MAX", U32_MAX, -E2BIG },
};

KUNIT_ARRAY_PARAM_DESC(stride, stride_cases, name);

static void virtgpu_sgt_vm_check_array_test(struct kunit *test)
{
	const struct stride_case *c = test->param_value;
	const struct drm_virtgpu_sgt_obj_array array = { .stride = c->stride, .count = 1 };

	KUNIT_EXPECT_EQ(test, virtgpu_sgt_vm_check_array(NULL, &array, VIRTGPU_SGT_MIN_OP),
			c->want);
}

static struct kunit_case virtgpu_sgt_vm_args_cases[] = {
	KUNIT_CASE_PARAM(virtgpu_sgt_vm_check_bind_test, bind_gen_params),
	KUNIT_CASE_PARAM(virtgpu_sgt_vm_check_op_test, op_gen_params),
	KUNIT_CASE_PARAM(virtgpu_sgt_vm_check_op_object_test, object_gen_params),
	KUNIT_CASE_PARAM(virtgpu_sgt_vm_check_sync_test, sync_gen_params),
	KUNIT_CASE_PARAM(virtgpu_sgt_vm_check_array_test, stride_gen_params),
	{}
};

static struct kunit_suite virtgpu_sgt_vm_args_suite = {
	.name = "virtgpu_sgt_vm_args",
	.test_cases = virtgpu_sgt_vm_args_cases,
};

kunit_test_suite(virtgpu_sgt_vm_args_suite);
