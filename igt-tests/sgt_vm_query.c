// SPDX-License-Identifier: GPL-2.0
#include "igt.h"

#include "lib/sgt_refuse.h"
#include "lib/sgt_removal.h"
#include "lib/sgt_virtgpu.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt vm query
 * Description: Query the limits of the device, ranges and buffers
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: address space, argument checks
 * Test category: functionality test
 *
 * SUBTEST: device
 * Description: A device query returns all limits, and fills the size that is given
 *
 * SUBTEST: device-bad-fields
 * Description: A device query is refused for one bad field at a time
 *
 * SUBTEST: no-address-space
 * Description: A driver without address spaces does not implement the device query
 *
 * SUBTEST: range-bad-fields
 * Description: A query of an invalid range is refused
 *
 * SUBTEST: info-bad-fields
 * Description: A query of an unknown handle, or with a flag, is refused
 *
 * SUBTEST: garbage-outputs
 * Description: Output fields need not be initialised
 */

IGT_TEST_DESCRIPTION("Query the limits of the device, ranges and buffers");

#define VA		(3ull << 39)
#define NO_HANDLE	0xdeadu
#define KERNEL		0xffff888000000000ull

static struct sgt_test test;

static int ask_device(int drm, uint32_t type, uint32_t size, const void *pointer,
		      uint32_t *returned)
{
	struct drm_virtgpu_sgt_dev_query arg = {
		.type = type,
		.size = size,
		.pointer = (uintptr_t)pointer,
	};

	if (drmIoctl(drm, DRM_IOCTL_VIRTGPU_SGT_DEV_QUERY, &arg))
		return -errno;
	*returned = arg.size;
	return 0;
}

static void test_device(int drm)
{
	static const struct drm_virtgpu_sgt_vm_info want = {
		.page_size = PAGE,
		.va_bits = VIRTGPU_SGT_VA_BITS,
		.max_ops = VIRTGPU_SGT_VM_BIND_MAX_OPS,
		.max_syncs = VIRTGPU_SGT_VM_BIND_MAX_SYNCS,
		.max_jobs = VIRTGPU_SGT_VM_MAX_JOBS,
		.max_job_ops = VIRTGPU_SGT_VM_MAX_JOB_OPS,
		.max_tables = VIRTGPU_SGT_VM_MAX_TABLES,
		.max_mappings = VIRTGPU_SGT_VM_MAX_MAPPINGS,
		.max_resources = VIRTGPU_SGT_VM_MAX_RESOURCES,
	};
	static const uint32_t sizes[] = { sizeof(want), sizeof(want) + 1, 100, PAGE };
	unsigned char answer[PAGE + 1];
	uint32_t size = 0;

	sgt_must(ask_device(drm, VIRTGPU_SGT_DEV_QUERY_VM, 0, NULL, &size));
	igt_assert_eq(size, sizeof(want));
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(answer, 0xa5, sizeof(answer));
		size = 0;
		sgt_must(ask_device(drm, VIRTGPU_SGT_DEV_QUERY_VM, sizes[i], answer, &size));
		igt_assert_eq(size, sizeof(want));
		igt_assert(!memcmp(answer, &want, sizeof(want)));
		for (uint32_t at = sizeof(want); at < sizeof(answer); at++)
			igt_assert_eq(answer[at], at < sizes[i] ? 0 : 0xa5);
	}
}

static void test_device_fields(int drm)
{
	const uint32_t full = sizeof(struct drm_virtgpu_sgt_vm_info);
	const uint32_t type = VIRTGPU_SGT_DEV_QUERY_VM;
	static const char read_only[PAGE] = { 1 };
	char answer[PAGE + 1];
	uint32_t size;

	igt_assert_eq(ask_device(drm, type + 1, full, answer, &size), -EINVAL);
	igt_assert_eq(ask_device(drm, UINT32_MAX, full, answer, &size), -EINVAL);
	igt_assert_eq(ask_device(drm, type + 1, 0, NULL, &size), -EINVAL);
	igt_assert_eq(ask_device(drm, type, 0, answer, &size), -EINVAL);
	igt_assert_eq(ask_device(drm, type, full - 1, answer, &size), -EINVAL);
	igt_assert_eq(ask_device(drm, type, PAGE + 1, answer, &size), -E2BIG);
	igt_assert_eq(ask_device(drm, type, UINT32_MAX, answer, &size), -E2BIG);
	igt_assert_eq(ask_device(drm, type, full, (void *)KERNEL, &size), -EFAULT);
	igt_assert_eq(ask_device(drm, type, full, read_only, &size), -EFAULT);
}

/* Neither vgem nor the in-tree driver has an ioctl of this number. */
static void test_no_address_space(int drm)
{
	const uint32_t unknown = DRM_COMMAND_BASE + DRM_VIRTGPU_SGT_MADVISE + 1;
	struct drm_virtgpu_sgt_dev_query arg = { .type = VIRTGPU_SGT_DEV_QUERY_VM };
	int vgem;

	do_ioctl_err(drm, DRM_IOWR(unknown, struct drm_virtgpu_sgt_dev_query), &arg, EINVAL);

	igt_require(sgt_have_driver("vgem"));
	vgem = sgt_must(sgt_open_driver("vgem"));
	do_ioctl_err(vgem, DRM_IOCTL_VIRTGPU_SGT_DEV_QUERY, &arg, EINVAL);
	close(vgem);
}

static const struct sgt_bad_field bad_ranges[] = {
#define RANGE(field, value)	SGT_BAD(struct drm_virtgpu_sgt_vm_query, field, value, EINVAL)
	RANGE(va, VA + 1),
	RANGE(va, VA + 512),
	RANGE(va, SGT_VM_END),
	RANGE(va, SGT_VM_END - PAGE),
	RANGE(va, 0 - PAGE),
	RANGE(va, 0 - 2 * PAGE),
	RANGE(size, 0),
	RANGE(size, 1),
	RANGE(size, PAGE + 1),
	RANGE(size, SGT_VM_END),
	RANGE(size, SGT_VM_END + PAGE),
	RANGE(size, 0 - PAGE),
	RANGE(size, 0 - VA),
#undef RANGE
};

static void test_range(int drm)
{
	const struct drm_virtgpu_sgt_vm_query good = { .va = VA, .size = 2 * PAGE };
	struct drm_virtgpu_sgt_vm_query query;

	sgt_refuse_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_VM_QUERY, &good, bad_ranges);
	igt_assert_eq(sgt_vm_query(drm, 0, SGT_VM_END + PAGE, &query), -EINVAL);
	sgt_must(sgt_vm_query(drm, good.va, good.size, &query));
	sgt_must(sgt_vm_query(drm, SGT_VM_END - PAGE, PAGE, &query));
	sgt_expect_space(drm, 0, 1);
}

static void test_info(int drm)
{
	static const struct sgt_bad_field bad[] = {
		SGT_BAD(struct drm_virtgpu_sgt_bo_info, handle, 0, ENOENT),
		SGT_BAD(struct drm_virtgpu_sgt_bo_info, handle, NO_HANDLE, ENOENT),
	};
	struct drm_virtgpu_sgt_bo_info good = {};
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 4);
	good.handle = bo.handle;
	sgt_refuse_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_BO_INFO, &good, bad);
	sgt_refuse_bits(drm, DRM_IOCTL_VIRTGPU_SGT_BO_INFO, &good, offsetof(typeof(good), flags),
			UINT32_MAX);
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_BO_INFO, &good);
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
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.bo_handle = ~0u,
		.res_handle = ~0u,
	};
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_RESOURCE_FROM_VA, &from);
	igt_assert_neq(from.res_handle, 0);
	sgt_must(sgt_close_handle(drm, from.bo_handle));
	sgt_bo_free(&bo);
}

int igt_main()
{
	static const struct sgt_file_test tests[] = {
		{ "device", "Older and newer programs", test_device },
		{ "device-bad-fields", "The size has bounds", test_device_fields },
		{ "no-address-space", "How to tell drivers apart", test_no_address_space },
		{ "range-bad-fields", "Ranges are of pages, and within the space", test_range },
		{ "info-bad-fields", "Handles are looked up", test_info },
		{ "garbage-outputs", "Old programs leave output fields unset", test_outputs },
	};
	int keep = -1;

	igt_fixture()
		keep = sgt_vm_fixture(&test);

	sgt_in_files(&test, tests, ARRAY_SIZE(tests));

	igt_fixture()
		close(keep);
}
