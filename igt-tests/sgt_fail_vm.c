// SPDX-License-Identifier: GPL-2.0
#include "igt.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "virtgpu_drm.h"

#include "lib/sgt_nth.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt fail vm
 * Description: Make each call for the address space fail at each point where it can
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: address space, error paths
 * Test category: fault injection
 *
 * SUBTEST: %s
 * Description: Failures in %arg[1]
 *
 * arg[1]:
 *
 * @first-query: the call that makes the address space
 * @query: querying what is bound
 * @bo-info: querying the layout of a buffer
 * @map: a bind that needs many tables
 * @unmap: a bind that empties parts of ranges
 * @split: a bind that splits a large leaf
 * @remap: a bind that replaces mappings
 * @async: a bind with in-fences and out-fences
 * @resource: creating a resource from VA
 * @cut-resource: a bind that unmaps memory of a resource
 * @transfer: a transfer that attaches the memory of a resource again
 * @close: closing a file that has an address space
 * @vm-table: reading the table of address spaces in debugfs
 */

IGT_TEST_DESCRIPTION("Make each call for the address space fail at each point where it can");

/* The first page of a table of each level */
#define VA		(3ull << 39)
#define TRY_PAGES	(SGT_TRY_SIZE / PAGE)

static int query_call(struct sgt_try *try)
{
	struct drm_virtgpu_sgt_vm_query query;

	return sgt_vm_query(try->drm, 0, SGT_VM_END, &query);
}

/* A file with a buffer and an empty address space */
static void make_space(struct sgt_try *try)
{
	sgt_try_buffer(try);
	igt_assert_eq(query_call(try), 0);
}

static void make_bound(struct sgt_try *try)
{
	sgt_try_buffer(try);
	sgt_must(sgt_vm_map(&try->bo, VA, SGT_TRY_SIZE, 0));
}

static void check_bound(struct sgt_try *try)
{
	sgt_expect_space(try->drm, SGT_TRY_SIZE, 4);
}

static int info_call(struct sgt_try *try)
{
	struct drm_virtgpu_sgt_bo_info info;
	int err = sgt_bo_info(&try->bo, &info);

	if (!err)
		igt_assert_eq_u64(info.leaves_4k, TRY_PAGES);
	return err;
}

/* Each operation needs tables of other levels. */
static int map_call(struct sgt_try *try)
{
	const struct drm_virtgpu_sgt_vm_bind_op ops[] = {
		sgt_vm_op_map(VA - PAGE, 2 * PAGE, &try->bo, 0),
		sgt_vm_op_map(VA + SGT_LEAF_1G - PAGE, 2 * PAGE, &try->bo, 0),
		sgt_vm_op_map(VA + SGT_LEAF_2M, SGT_TRY_SIZE, &try->bo, 0),
		sgt_vm_op_map(0, PAGE, &try->bo, 0),
	};

	return sgt_vm_bind(try->drm, ops, ARRAY_SIZE(ops));
}

/* The root, and the tables of each operation */
static void map_check(struct sgt_try *try)
{
	sgt_expect_space(try->drm, 5 * PAGE + SGT_TRY_SIZE, 1 + 6 + 3 + 1 + 3);
}

static int unmap_call(struct sgt_try *try)
{
	const struct drm_virtgpu_sgt_vm_bind_op ops[] = {
		sgt_vm_op_unmap(VA + PAGE, PAGE),
		sgt_vm_op_unmap(0, VA + PAGE),
		sgt_vm_op_unmap(SGT_LEAF_1G, PAGE),
	};

	return sgt_vm_bind(try->drm, ops, ARRAY_SIZE(ops));
}

static void unmap_check(struct sgt_try *try)
{
	sgt_expect_space(try->drm, SGT_TRY_SIZE - 2 * PAGE, 4);
}

static void make_large(struct sgt_try *try)
{
	sgt_try_open(try);
	sgt_must(sgt_bo_create(&try->bo, try->drm, WORDS_PER_PAGE, 2 * SGT_LEAF_2M / PAGE));
	sgt_must(sgt_vm_map(&try->bo, VA, try->bo.size, 0));
}

static int split_call(struct sgt_try *try)
{
	return sgt_vm_unmap(try->drm, VA + SGT_LEAF_2M / 2, PAGE);
}

static void split_check(struct sgt_try *try)
{
	sgt_expect_mapped(try->drm, VA, SGT_LEAF_2M, SGT_LEAF_2M - PAGE);
	sgt_expect_mapped(try->drm, VA + SGT_LEAF_2M, SGT_LEAF_2M, SGT_LEAF_2M);
}

static int remap_call(struct sgt_try *try)
{
	const struct drm_virtgpu_sgt_vm_bind_op ops[] = {
		sgt_vm_op_remap(VA + PAGE, 2 * PAGE, &try->bo, 0),
		sgt_vm_op_remap(VA + 2 * PAGE, SGT_TRY_SIZE, &try->bo, 0),
	};

	return sgt_vm_bind(try->drm, ops, ARRAY_SIZE(ops));
}

static void remap_check(struct sgt_try *try)
{
	sgt_expect_space(try->drm, SGT_TRY_SIZE + 2 * PAGE, 4);
}

/* The bind replaces the fence of the syncobj. */
static void make_sync(struct sgt_try *try)
{
	make_space(try);
	igt_assert_eq(drmSyncobjCreate(try->drm, DRM_SYNCOBJ_CREATE_SIGNALED, &try->id), 0);
}

static int async_call(struct sgt_try *try)
{
	struct drm_virtgpu_sgt_vm_bind_op op = sgt_vm_op_map(VA, SGT_TRY_SIZE, &try->bo, 0);
	const struct drm_virtgpu_sgt_sync syncs[] = {
		sgt_vm_wait(try->id, 0), sgt_vm_signal(try->id, 0), sgt_vm_signal(try->id, 1),
	};

	return sgt_vm_bind_syncs(try->drm, &op, 1, syncs, ARRAY_SIZE(syncs));
}

static void async_check(struct sgt_try *try)
{
	uint64_t point = 1;

	igt_assert_eq(drmSyncobjTimelineWait(try->drm, &try->id, &point, 1, INT64_MAX, 0, NULL), 0);
	check_bound(try);
}

static int resource_call(struct sgt_try *try)
{
	return sgt_vm_picture(&try->other, try->drm, VA, SGT_TRY_WIDTH, SGT_TRY_HEIGHT);
}

static int transfer_call(struct sgt_try *try)
{
	struct drm_virtgpu_3d_transfer_to_host arg = {
		.bo_handle = try->other.handle,
		.box = { .w = SGT_TRY_WIDTH, .h = SGT_TRY_HEIGHT, .d = 1 },
	};

	return sgt_try_ioctl(try->drm, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &arg);
}

static void resource_check(struct sgt_try *try)
{
	igt_assert_eq(transfer_call(try), 0);
}

static void make_resource(struct sgt_try *try)
{
	make_bound(try);
	igt_assert_eq(resource_call(try), 0);
}

static int cut_call(struct sgt_try *try)
{
	return sgt_vm_unmap(try->drm, VA + PAGE, PAGE);
}

static void cut_check(struct sgt_try *try)
{
	igt_assert_eq(transfer_call(try), -EFAULT);
	sgt_must(sgt_vm_map(&try->bo, VA + PAGE, PAGE, PAGE));
	igt_assert_eq(transfer_call(try), 0);
}

static void make_whole_again(struct sgt_try *try)
{
	make_resource(try);
	igt_assert_eq(cut_call(try), 0);
	sgt_must(sgt_vm_map(&try->bo, VA + PAGE, PAGE, PAGE));
}

static int close_call(struct sgt_try *try)
{
	int drm = try->drm;

	try->drm = -1;
	return close(drm) ? -errno : 0;
}

/* The minor of the file, as fstat() could fail as well */
static void make_bound_minor(struct sgt_try *try)
{
	struct stat st;

	make_bound(try);
	igt_assert_eq(fstat(try->drm, &st), 0);
	try->id = minor(st.st_rdev);
}

static int table_call(struct sgt_try *try)
{
	char path[64], text[4096];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/vm", try->id);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		len = read(fd, text, sizeof(text));
	} while (len > 0);
	len = len < 0 ? -errno : 0;
	close(fd);
	return len;
}

#define CALL(name_, call_, prepare_, ...)	\
	{ .name = name_, .call = call_, .prepare = prepare_, .finish = sgt_try_close, __VA_ARGS__ }

static const struct sgt_nth_call calls[] = {
	CALL("first-query", query_call, sgt_try_open),
	CALL("query", query_call, make_bound),
	CALL("bo-info", info_call, make_bound),
	CALL("map", map_call, make_space, .check = map_check, .maps = true),
	CALL("unmap", unmap_call, make_bound, .check = unmap_check),
	CALL("split", split_call, make_large, .check = split_check),
	CALL("remap", remap_call, make_bound, .check = remap_check),
	CALL("async", async_call, make_sync, .check = async_check, .maps = true),
	CALL("resource", resource_call, make_bound, .check = resource_check),
	CALL("cut-resource", cut_call, make_resource, .check = cut_check),
	CALL("transfer", transfer_call, make_whole_again),
	CALL("close", close_call, make_resource),
	CALL("vm-table", table_call, make_bound_minor),
};

int igt_main()
{
	struct sgt_try try = { .drm = -1, .fd = -1 };
	struct sgt_test test;
	int keep = -1;

	igt_fixture()
		keep = sgt_nth_fixture(&test);

	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++) {
		igt_describe_f("At each point of %s", calls[i].name);
		igt_subtest_f("%s", calls[i].name)
			sgt_nth_sweep(&test, &calls[i], &try);
	}

	igt_fixture()
		close(keep);
}
