// SPDX-License-Identifier: GPL-2.0
#include "igt.h"

#include <sys/mman.h>

#include "virtgpu_drm.h"

#include "lib/sgt_refuse.h"
#include "lib/sgt_test.h"
#include "lib/sgt_virtgpu.h"

/**
 * TEST: sgt create
 * Description: Create buffers of every size
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: buffer creation
 * Test category: functionality test
 *
 * SUBTEST: dumb-sizes
 * Description: Dumb buffers from one pixel to 64 MiB have the right size, pitch and last byte
 *
 * SUBTEST: dumb-zero
 * Description: A dimension of zero is refused
 *
 * SUBTEST: dumb-overflow
 * Description: Dimensions whose product wraps around 32 bits are refused
 *
 * SUBTEST: dumb-bad-bpp
 * Description: A depth that the device does not support is refused
 *
 * SUBTEST: dumb-bad-flags
 * Description: Each unknown flag is refused
 *
 * SUBTEST: dumb-garbage-outputs
 * Description: Output fields need not be initialised
 *
 * SUBTEST: resource-sizes
 * Description: Resources from one byte on are backed by whole pages
 *
 * SUBTEST: resource-bad-fields
 * Description: Resources are refused for one bad field at a time
 *
 * SUBTEST: resource-short-backing
 * Description: A size smaller than the picture is rounded up to it
 *
 * SUBTEST: many-small
 * Description: Two thousand buffers exist at once and are freed in another order
 *
 * SUBTEST: trace-counts
 * Description: The device sees nothing of a dumb buffer, and one command of each kind of a resource
 */

IGT_TEST_DESCRIPTION("Create buffers of every size");

/* The longest side of a resource */
#define MAX_DIMENSION	16384u

/* The first and last word of a mapping can be accessed, and are zero at first. */
static void check_ends(uint32_t *map, size_t size)
{
	uint32_t *ends[] = { map, map + size / sizeof(*map) - 1 };
	uint32_t value = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(ends); i++) {
		igt_assert_eq(sgt_try_read(ends[i], &value), 0);
		igt_assert_eq_u32(value, 0);
		igt_assert_eq(sgt_try_write(ends[i], 0x5a5a0000 + i), 0);
		igt_assert_eq(sgt_try_read(ends[i], &value), 0);
		igt_assert_eq_u32(value, 0x5a5a0000 + i);
	}
}

static void dumb_sizes(int drm)
{
	static const struct {
		uint32_t width, height;
	} sizes[] = {
		{ 1, 1 }, { 1, 1023 }, { 1, 1024 }, { 1, 1025 },
		{ 1023, 1 }, { 1024, 1 }, { 1025, 1 }, { 31, 33 }, { 63, 65 },
		{ 640, 480 }, { 1366, 768 }, { 1920, 1080 }, { 4096, 2160 },
		{ 16, 16384 }, { 16384, 16 }, { 4096, 4096 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t bytes = sizes[i].width * 4ull * sizes[i].height;
		struct sgt_bo bo;

		sgt_must(sgt_bo_create(&bo, drm, sizes[i].width, sizes[i].height));
		igt_assert_eq(bo.pitch, sizes[i].width * 4);
		igt_assert_eq_u64(bo.size, ALIGN(bytes, PAGE));
		igt_assert_neq(bo.handle, 0);
		sgt_must(sgt_bo_map(&bo));
		check_ends(bo.map, bo.size);
		sgt_bo_free(&bo);
	}
}

static void dumb_overflow(int drm)
{
	static const struct {
		uint32_t width, height;
	} sizes[] = {
		{ UINT32_MAX, 1 }, { 1, UINT32_MAX }, { UINT32_MAX, UINT32_MAX },
		{ 1u << 30, 1 }, { 1, 1u << 30 }, { 1u << 15, 1u << 15 },
		{ 1u << 16, 1u << 16 }, { (1u << 15) + 1, 1u << 15 },
		/* below 4 GiB, and 4 GiB when rounded up to pages */
		{ 1, (1u << 30) - 1 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
		igt_assert_eq(sgt_try_dumb(drm, sizes[i].width, sizes[i].height, 32), -EINVAL);

	igt_assert_eq(sgt_try_dumb(drm, 64, 64, UINT32_MAX), -EINVAL);
}

#define DUMB(field, value)	SGT_BAD(struct drm_mode_create_dumb, field, value, EINVAL)

static const struct drm_mode_create_dumb good_dumb = { .width = 64, .height = 64, .bpp = 32 };

static const struct sgt_bad_field dumb_zeros[] = {
	DUMB(width, 0), DUMB(height, 0), DUMB(bpp, 0),
};

static const struct sgt_bad_field dumb_bad_bpps[] = {
	DUMB(bpp, 1), DUMB(bpp, 8), DUMB(bpp, 15), DUMB(bpp, 16), DUMB(bpp, 24),
	DUMB(bpp, 30), DUMB(bpp, 31), DUMB(bpp, 33), DUMB(bpp, 64), DUMB(bpp, 128),
};

static void dumb_garbage_outputs(int drm)
{
	struct drm_mode_create_dumb arg = {
		.width = 64,
		.height = 64,
		.bpp = 32,
		.handle = ~0u,
		.pitch = ~0u,
		.size = ~0ull,
	};
	struct drm_mode_destroy_dumb destroy = {};

	do_ioctl(drm, DRM_IOCTL_MODE_CREATE_DUMB, &arg);
	igt_assert_eq(arg.pitch, 64 * 4);
	igt_assert_eq_u64(arg.size, 64 * 4 * 64);
	destroy.handle = arg.handle;
	do_ioctl(drm, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy);
}

static const struct drm_virtgpu_resource_create good_resource = {
	.target = SGT_TARGET_2D,
	.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
	.width = 64,
	.height = 64,
	.depth = 1,
	.array_size = 1,
	.size = 64 * 64 * 4,
};

static void resource_sizes(int drm)
{
	static const uint32_t sizes[] = {
		1, 4, 4095, 4096, 4097, 65535, 65536, 65537, 1u << 20, (1u << 20) + 1,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct drm_virtgpu_resource_create create = good_resource;
		struct drm_virtgpu_resource_info info = {};
		uint32_t *map;

		create.width = 1;
		create.height = 1;
		create.size = sizes[i];
		do_ioctl(drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create);

		info.bo_handle = create.bo_handle;
		do_ioctl(drm, DRM_IOCTL_VIRTGPU_RESOURCE_INFO, &info);
		igt_assert_eq(info.size, ALIGN(sizes[i], PAGE));
		igt_assert_eq(info.res_handle, create.res_handle);

		map = sgt_mmap_handle(drm, create.bo_handle, info.size);
		igt_assert(map);
		check_ends(map, info.size);
		munmap(map, info.size);
		sgt_must(sgt_close_handle(drm, create.bo_handle));
	}
}

static void create_resource(int drm, struct drm_virtgpu_resource_create create)
{
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create);
	sgt_must(sgt_close_handle(drm, create.bo_handle));
}

static void resource_bad_dimensions(int drm)
{
	static const struct {
		uint32_t width, height;
	} bad[] = {
		{ MAX_DIMENSION + 1, 1 }, { 1, MAX_DIMENSION + 1 },
		{ 1u << 16, 1u << 16 }, { 1u << 31, 1u << 31 },
	};
	struct drm_virtgpu_resource_create create = good_resource;

	create.width = MAX_DIMENSION;
	create.height = 1;
	create_resource(drm, create);
	create.width = 1;
	create.height = MAX_DIMENSION;
	create_resource(drm, create);

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		create.width = bad[i].width;
		create.height = bad[i].height;
		igt_debug("%#x x %#x\n", create.width, create.height);
		do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create, EINVAL);
	}
}

#define RESOURCE(field, value)	SGT_BAD(struct drm_virtgpu_resource_create, field, value, EINVAL)

static const struct sgt_bad_field bad_resources[] = {
	RESOURCE(target, 0),
	RESOURCE(target, 1),
	RESOURCE(target, 3),
	RESOURCE(depth, 2),
	RESOURCE(array_size, 2),
	RESOURCE(last_level, 2),
	RESOURCE(nr_samples, 2),
};

/* The in-tree driver does not check these. */
static const struct sgt_bad_field unchecked_resources[] = {
	RESOURCE(width, 0),
	RESOURCE(height, 0),
	RESOURCE(width, UINT32_MAX),
	RESOURCE(height, UINT32_MAX),
	RESOURCE(format, 0),
	RESOURCE(format, UINT32_MAX),
	RESOURCE(stride, 4),
	RESOURCE(stride, 63 * 4),
	RESOURCE(stride, 64 * 4 - 1),
	RESOURCE(stride, 64 * 4 + 1),
	RESOURCE(stride, 65 * 4),
	RESOURCE(stride, UINT32_MAX),
};

static void resource_bad_fields(const struct sgt_test *test, int drm)
{
	struct drm_virtgpu_resource_create create = good_resource;

	create_resource(drm, create);
	create.stride = 64 * 4;
	create_resource(drm, create);

	sgt_refuse_ioctl(drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &good_resource, bad_resources);
	if (!test->tables)
		return;

	create = good_resource;
	create.flags = VIRTIO_GPU_RESOURCE_FLAG_Y_0_TOP;
	create_resource(drm, create);
	sgt_refuse_bits(drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &good_resource,
			offsetof(typeof(create), flags), ~VIRTIO_GPU_RESOURCE_FLAG_Y_0_TOP);
	sgt_refuse_ioctl(drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &good_resource,
			 unchecked_resources);
	resource_bad_dimensions(drm);
}

static void resource_short_backing(int drm)
{
	static const uint32_t sizes[] = { 0, 1, PAGE, 3 * PAGE, 4 * PAGE, 4 * PAGE + 1 };

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct drm_virtgpu_resource_create create = good_resource;
		struct sgt_bo bo = { .drm = drm, .width = create.width, .height = create.height };
		uint32_t res_handle, size;

		create.size = sizes[i];
		do_ioctl(drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create);
		bo.handle = create.bo_handle;
		sgt_must(sgt_resource_info(&bo, &res_handle, &size));
		igt_assert(size >= good_resource.size && size >= sizes[i]);
		igt_assert(size < good_resource.size + PAGE + 1 && size % PAGE == 0);
		bo.size = size;
		sgt_must(sgt_bo_map(&bo));
		check_ends(bo.map, bo.size);
		sgt_must(sgt_transfer(&bo));
		sgt_bo_free(&bo);
	}
}

static void many_small(const struct sgt_test *test, int drm, int count)
{
	struct sgt_bo *bos = calloc(count, sizeof(*bos));
	struct sgt_baseline base, now;

	igt_assert(bos);
	sgt_baseline_take(test, &base);

	for (int i = 0; i < count; i++) {
		sgt_must(sgt_bo_create(&bos[i], drm, 32, 32));
		sgt_must(sgt_bo_map(&bos[i]));
		sgt_fill(bos[i].map, sgt_bo_words(&bos[i]), i);
	}
	if (test->tables) {
		sgt_baseline_take(test, &now);
		igt_assert_eq(now.buffers - base.buffers, count);
		/* The host has not used any of them. */
		igt_assert_eq_u64(now.mapped, base.mapped);
	}
	for (int i = 0; i < count; i++)
		sgt_expect_pattern(bos[i].map, sgt_bo_words(&bos[i]), i);

	sgt_bo_free_all(bos, count);
	free(bos);
}

static void trace_counts(int drm)
{
	struct sgt_bo bos[16];
	int count = ARRAY_SIZE(bos);

	sgt_must(sgt_host_trace_mark());
	for (int i = 0; i < count; i++) {
		sgt_must(sgt_bo_create(&bos[i], drm, 64, 64 + i));
		sgt_must(sgt_bo_map(&bos[i]));
	}
	sgt_bo_free_all(bos, count);

	for (int i = 0; i < count; i++) {
		struct drm_virtgpu_resource_create create = good_resource;

		do_ioctl(drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create);
		bos[i] = (struct sgt_bo) { .drm = drm, .handle = create.bo_handle };
	}
	sgt_expect_trace("virtio_gpu_cmd_res_create_2d", count);
	sgt_expect_trace("virtio_gpu_cmd_res_back_attach", count);
	sgt_expect_trace("virtio_gpu_cmd_res_unref", 0);

	sgt_bo_free_all(bos, count);
	sgt_expect_trace("virtio_gpu_cmd_res_unref", count);
	sgt_expect_trace("virtio_gpu_cmd_res_create_2d", count);
}

int igt_main()
{
	struct sgt_baseline base = {};
	struct sgt_test test = {};
	int drm = -1;

	igt_fixture() {
		drm = sgt_test_begin(&test);
		sgt_baseline_take(&test, &base);
	}

	igt_describe("Dumb buffers of all sizes");
	igt_subtest("dumb-sizes") {
		dumb_sizes(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Empty buffers are refused");
	igt_subtest("dumb-zero") {
		sgt_refuse_ioctl(drm, DRM_IOCTL_MODE_CREATE_DUMB, &good_dumb, dumb_zeros);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Sizes beyond 32 bits do not wrap around to small ones");
	igt_subtest("dumb-overflow") {
		dumb_overflow(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Only 32 bits a pixel");
	igt_subtest("dumb-bad-bpp") {
		sgt_refuse_ioctl(drm, DRM_IOCTL_MODE_CREATE_DUMB, &good_dumb, dumb_bad_bpps);
		igt_assert_eq(sgt_try_dumb(drm, 64, 64, 32), 0);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Unknown flags are refused");
	igt_subtest("dumb-bad-flags") {
		sgt_require_tables(&test);
		sgt_refuse_bits(drm, DRM_IOCTL_MODE_CREATE_DUMB, &good_dumb,
				offsetof(typeof(good_dumb), flags), UINT32_MAX);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Output fields need not be initialised");
	igt_subtest("dumb-garbage-outputs") {
		dumb_garbage_outputs(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Resources of all sizes");
	igt_subtest("resource-sizes") {
		igt_require(!sgt_has_3d(drm));
		resource_sizes(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Only plain 2D pictures");
	igt_subtest("resource-bad-fields") {
		igt_require(!sgt_has_3d(drm));
		resource_bad_fields(&test, drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("All of the picture has memory");
	igt_subtest("resource-short-backing") {
		sgt_require_tables(&test);
		resource_short_backing(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Many buffers exist at once");
	igt_subtest("many-small") {
		many_small(&test, drm, 2000);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("One command of each kind for each resource");
	igt_subtest("trace-counts") {
		sgt_require_tables(&test);
		sgt_require_host();
		trace_counts(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_fixture()
		close(drm);
}
