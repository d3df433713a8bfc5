// SPDX-License-Identifier: GPL-2.0
#include "igt.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

#include "virtgpu_drm.h"

#include "lib/sgt_test.h"

/**
 * TEST: sgt create
 * Description: Create buffers of every size, and ask for what cannot be
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
 * Description: A depth that the device cannot do is refused
 *
 * SUBTEST: dumb-bad-flags
 * Description: Each unknown flag is refused
 *
 * SUBTEST: dumb-garbage-outputs
 * Description: What is in the output fields before the call does not matter
 *
 * SUBTEST: resource-sizes
 * Description: Resources from one byte on are backed by whole pages
 *
 * SUBTEST: resource-bad-fields
 * Description: Resources are refused for one bad field at a time
 *
 * SUBTEST: resource-short-backing
 * Description: A backing smaller than the picture it is for is refused
 *
 * SUBTEST: getparam
 * Description: Each parameter has its value, and unknown ones are refused
 *
 * SUBTEST: three-d-refused
 * Description: Calls of the 3D part say that there is none
 *
 * SUBTEST: map-bad-fields
 * Description: Asking for the offset of no buffer, or with the padding set, is refused
 *
 * SUBTEST: wait
 * Description: An idle buffer is waited for at once, no buffer and unknown flags are refused
 *
 * SUBTEST: transfer-bad-fields
 * Description: A transfer of no buffer, or from outside of it, is refused
 *
 * SUBTEST: handle-close-twice
 * Description: A handle closes once
 *
 * SUBTEST: handle-bogus
 * Description: No call takes a handle that was never given out
 *
 * SUBTEST: handle-of-another-file
 * Description: A handle means nothing in another open file
 *
 * SUBTEST: many-small
 * Description: Two thousand buffers live at once, each with a page of its own, and go in any order
 *
 * SUBTEST: killed
 * Description: Processes killed while they create leave nothing, in the guest or in the host
 *
 * SUBTEST: trace-counts
 * Description: The device sees one create, one attach and one unref for each buffer
 *
 * SUBTEST: limit-one-buffer
 * Description: A buffer as large as the host's whole memory for buffers is refused
 *
 * SUBTEST: limit-host-memory
 * Description: Buffers fill the host's memory to the last page, and fit again once freed
 *
 * SUBTEST: limit-entries
 * Description: A buffer in more pieces than the host takes is refused, one with just as many is not
 */

IGT_TEST_DESCRIPTION("Create buffers of every size, and ask for what cannot be");

/* What QEMU gives to 2D resources: their sum stays below. */
#define HOST_MEMORY	(256ul << 20)

/* The longest list of pieces that QEMU takes for one resource */
#define HOST_ENTRIES	16384ul

/* pipe_texture_target and virtio_gpu_formats, of which libdrm has no header */
#define TARGET_2D	2
#define FORMAT_BGRX	2

/* VIRTIO_GPU_RESOURCE_FLAG_Y_0_TOP */
#define RESOURCE_Y_0_TOP	0x1u

/* The longest side of a resource */
#define MAX_DIMENSION	16384u

#define NO_HANDLE	0xdeadu

static int create_dumb(int drm, uint32_t width, uint32_t height, uint32_t bpp)
{
	struct drm_mode_create_dumb arg = {
		.width = width,
		.height = height,
		.bpp = bpp,
	};
	struct drm_mode_destroy_dumb destroy = {};

	if (drmIoctl(drm, DRM_IOCTL_MODE_CREATE_DUMB, &arg))
		return -errno;
	destroy.handle = arg.handle;
	do_ioctl(drm, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy);
	return 0;
}

/* The first and last word of a mapping are there, zero, and hold what is written. */
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
		/* just below 4 GiB, and past it once it is whole pages */
		{ 1, (1u << 30) - 1 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
		igt_assert_eq(create_dumb(drm, sizes[i].width, sizes[i].height, 32), -EINVAL);

	igt_assert_eq(create_dumb(drm, 64, 64, UINT32_MAX), -EINVAL);
}

static void dumb_bad_bpp(int drm)
{
	static const uint32_t depths[] = { 1, 8, 15, 16, 24, 30, 31, 33, 64, 128 };

	for (unsigned int i = 0; i < ARRAY_SIZE(depths); i++)
		igt_assert_eq(create_dumb(drm, 64, 64, depths[i]), -EINVAL);
	igt_assert_eq(create_dumb(drm, 64, 64, 32), 0);
}

static void dumb_bad_flags(int drm)
{
	for (int bit = 0; bit < 32; bit++) {
		struct drm_mode_create_dumb arg = {
			.width = 64,
			.height = 64,
			.bpp = 32,
			.flags = 1u << bit,
		};

		do_ioctl_err(drm, DRM_IOCTL_MODE_CREATE_DUMB, &arg, EINVAL);
	}
}

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
	.target = TARGET_2D,
	.format = FORMAT_BGRX,
	.width = 64,
	.height = 64,
	.depth = 1,
	.array_size = 1,
	.size = 64 * 64 * 4,
};

static void close_handle(int drm, uint32_t handle)
{
	struct drm_gem_close arg = { .handle = handle };

	do_ioctl(drm, DRM_IOCTL_GEM_CLOSE, &arg);
}

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
		close_handle(drm, create.bo_handle);
	}
}

static void create_resource(int drm, struct drm_virtgpu_resource_create create)
{
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create);
	close_handle(drm, create.bo_handle);
}

/* Only the origin can be chosen. */
static void resource_bad_flags(int drm)
{
	struct drm_virtgpu_resource_create create = good_resource;

	create.flags = RESOURCE_Y_0_TOP;
	create_resource(drm, create);

	for (int bit = 0; bit < 32; bit++) {
		create = good_resource;
		create.flags = 1u << bit;
		if (create.flags == RESOURCE_Y_0_TOP)
			continue;
		do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create, EINVAL);
	}
}

/* The backing is enough for one row or column, and for a product that wraps. */
static void resource_bad_dimensions(int drm)
{
	static const struct {
		uint32_t width, height;
	} bad[] = {
		{ MAX_DIMENSION + 1, 1 }, { 1, MAX_DIMENSION + 1 },
		{ 1u << 16, 1u << 16 }, { 1u << 31, 1u << 31 },
	};
	struct drm_virtgpu_resource_create create = good_resource;

	create.size = (MAX_DIMENSION + 1) * 4;
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

static void resource_bad_fields(const struct sgt_test *test, int drm)
{
	static const struct {
		size_t offset;
		uint32_t value;
		bool everywhere;	/* the in-tree driver looks at it too */
	} bad[] = {
#define FIELD(name)	offsetof(struct drm_virtgpu_resource_create, name)
		{ FIELD(target), 0, true },
		{ FIELD(target), 1, true },
		{ FIELD(target), 3, true },
		{ FIELD(depth), 2, true },
		{ FIELD(array_size), 2, true },
		{ FIELD(last_level), 2, true },
		{ FIELD(nr_samples), 2, true },
		{ FIELD(width), 0, false },
		{ FIELD(height), 0, false },
		{ FIELD(width), UINT32_MAX, false },
		{ FIELD(height), UINT32_MAX, false },
		{ FIELD(format), 0, false },
		{ FIELD(format), UINT32_MAX, false },
		{ FIELD(stride), 4, false },
		{ FIELD(stride), 63 * 4, false },
		{ FIELD(stride), 64 * 4 - 1, false },
		{ FIELD(stride), 64 * 4 + 1, false },
		{ FIELD(stride), 65 * 4, false },
		{ FIELD(stride), UINT32_MAX, false },
#undef FIELD
	};
	struct drm_virtgpu_resource_create create = good_resource;

	create_resource(drm, create);
	create.stride = 64 * 4;
	create_resource(drm, create);

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		if (!bad[i].everywhere && !test->tables)
			continue;

		create = good_resource;
		memcpy((char *)&create + bad[i].offset, &bad[i].value,
		       sizeof(bad[i].value));
		igt_debug("field at %zu = %#x\n", bad[i].offset, bad[i].value);
		do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create, EINVAL);
	}
	if (test->tables) {
		resource_bad_flags(drm);
		resource_bad_dimensions(drm);
	}
}

static void resource_short_backing(int drm)
{
	static const uint32_t sizes[] = { 0, 1, PAGE, 3 * PAGE };

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct drm_virtgpu_resource_create create = good_resource;

		create.size = sizes[i];
		do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create, EINVAL);
	}
}

static void getparam(int drm)
{
	struct drm_virtgpu_getparam arg = {};
	int value = -1;

	arg.value = (uintptr_t)&value;
	arg.param = VIRTGPU_PARAM_3D_FEATURES;
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_GETPARAM, &arg);
	igt_assert_eq(value, 0);

	arg.param = VIRTGPU_PARAM_CAPSET_QUERY_FIX;
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_GETPARAM, &arg);
	igt_assert_eq(value, 1);

	arg.param = 0;
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_GETPARAM, &arg, EINVAL);
	arg.param = ~0ull;
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_GETPARAM, &arg, EINVAL);

	arg.param = VIRTGPU_PARAM_3D_FEATURES;
	arg.value = 0;
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_GETPARAM, &arg, EFAULT);
}

static bool has_3d(int drm)
{
	struct drm_virtgpu_getparam arg = { .param = VIRTGPU_PARAM_3D_FEATURES };
	int value = 0;

	arg.value = (uintptr_t)&value;
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_GETPARAM, &arg);
	return value;
}

static void three_d_refused(int drm)
{
	struct drm_virtgpu_3d_transfer_from_host from = {};
	struct drm_virtgpu_execbuffer exec = {};
	struct drm_virtgpu_get_caps caps = { .cap_set_id = 1, .cap_set_ver = 1 };
	char room[64];

	caps.addr = (uintptr_t)room;
	caps.size = sizeof(room);
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_GET_CAPS, &caps, ENOSYS);
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_EXECBUFFER, &exec, ENOSYS);
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_TRANSFER_FROM_HOST, &from, ENOSYS);
}

static void map_bad_fields(const struct sgt_test *test, int drm)
{
	struct drm_virtgpu_map map = { .handle = NO_HANDLE };
	struct drm_mode_map_dumb map_dumb = { .handle = NO_HANDLE };
	struct sgt_bo bo;

	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_MAP, &map, ENOENT);
	do_ioctl_err(drm, DRM_IOCTL_MODE_MAP_DUMB, &map_dumb, ENOENT);

	sgt_must(sgt_bo_create(&bo, drm, 64, 64));
	map.handle = bo.handle;
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_MAP, &map);
	map_dumb.handle = bo.handle;
	do_ioctl(drm, DRM_IOCTL_MODE_MAP_DUMB, &map_dumb);
	igt_assert_eq_u64(map.offset, map_dumb.offset);

	if (test->tables) {
		map.pad = 1;
		do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_MAP, &map, EINVAL);
	}
	sgt_bo_free(&bo);
}

static void wait_idle(const struct sgt_test *test, int drm)
{
	struct drm_virtgpu_3d_wait wait = { .handle = NO_HANDLE };
	struct sgt_bo bo;

	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_WAIT, &wait, ENOENT);

	sgt_must(sgt_bo_create(&bo, drm, 64, 64));
	wait.handle = bo.handle;
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_WAIT, &wait);
	wait.flags = VIRTGPU_WAIT_NOWAIT;
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_WAIT, &wait);

	for (int bit = 1; bit < 32 && test->tables; bit++) {
		wait.flags = 1u << bit;
		do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_WAIT, &wait, EINVAL);
	}
	sgt_bo_free(&bo);
}

/* As of Linux 5.16: libdrm's struct may end before the strides. */
struct transfer {
	uint32_t bo_handle;
	struct drm_virtgpu_3d_box box;
	uint32_t level, offset, stride, layer_stride;
};

#define IOCTL_TRANSFER	\
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VIRTGPU_TRANSFER_TO_HOST, struct transfer)

/* A 2D picture has one level and one layer, and rows of its own length. */
static void transfer_not_2d(int drm, uint32_t handle)
{
	const struct transfer good = {
		.bo_handle = handle,
		.box = { .w = 64, .h = 64, .d = 1 },
	};
	struct transfer arg = good;
	static const struct {
		size_t offset;
		uint32_t value;
	} bad[] = {
#define FIELD(name)	offsetof(struct transfer, name)
		{ FIELD(level), 1 },
		{ FIELD(level), UINT32_MAX },
		{ FIELD(stride), 1 },
		{ FIELD(stride), 64 * 4 },
		{ FIELD(stride), UINT32_MAX },
		{ FIELD(layer_stride), 1 },
		{ FIELD(layer_stride), 64 * 64 * 4 },
		{ FIELD(layer_stride), UINT32_MAX },
		{ FIELD(box.z), 1 },
		{ FIELD(box.z), UINT32_MAX },
		{ FIELD(box.d), 2 },
		{ FIELD(box.d), UINT32_MAX },
#undef FIELD
	};

	do_ioctl(drm, IOCTL_TRANSFER, &arg);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		arg = good;
		memcpy((char *)&arg + bad[i].offset, &bad[i].value,
		       sizeof(bad[i].value));
		igt_debug("field at %zu = %#x\n", bad[i].offset, bad[i].value);
		do_ioctl_err(drm, IOCTL_TRANSFER, &arg, EINVAL);
	}
}

static void transfer_bad_fields(const struct sgt_test *test, int drm)
{
	static const struct drm_virtgpu_3d_box boxes[] = {
		{ .w = 0, .h = 64, .d = 1 },
		{ .w = 64, .h = 0, .d = 1 },
		{ .w = 65, .h = 64, .d = 1 },
		{ .w = 64, .h = 65, .d = 1 },
		{ .x = 1, .w = 64, .h = 64, .d = 1 },
		{ .y = 1, .w = 64, .h = 64, .d = 1 },
		{ .x = UINT32_MAX, .w = 1, .h = 1, .d = 1 },
		{ .y = UINT32_MAX, .w = 1, .h = 1, .d = 1 },
		{ .x = 2, .w = UINT32_MAX, .h = 1, .d = 1 },
	};
	struct drm_virtgpu_3d_transfer_to_host arg = {
		.bo_handle = NO_HANDLE,
		.box = { .w = 64, .h = 64, .d = 1 },
	};
	struct sgt_bo bo;

	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &arg, ENOENT);

	sgt_must(sgt_bo_create(&bo, drm, 64, 64));
	arg.bo_handle = bo.handle;
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &arg);
	if (test->tables)
		transfer_not_2d(drm, bo.handle);

	for (unsigned int i = 0; i < ARRAY_SIZE(boxes) && test->tables; i++) {
		arg.box = boxes[i];
		do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &arg, EINVAL);
	}
	if (test->tables) {
		/* A backing that ends before the box does */
		arg.box = (struct drm_virtgpu_3d_box){ .w = 64, .h = 64, .d = 1 };
		arg.offset = 4;
		do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &arg, EINVAL);
	}
	sgt_bo_free(&bo);
}

static void handle_close_twice(int drm)
{
	struct drm_mode_destroy_dumb destroy;
	struct drm_gem_close close;
	struct sgt_bo bo;

	sgt_must(sgt_bo_create(&bo, drm, 64, 64));
	close = (struct drm_gem_close){ .handle = bo.handle };
	destroy = (struct drm_mode_destroy_dumb){ .handle = bo.handle };
	do_ioctl(drm, DRM_IOCTL_GEM_CLOSE, &close);
	do_ioctl_err(drm, DRM_IOCTL_GEM_CLOSE, &close, EINVAL);
	do_ioctl_err(drm, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy, EINVAL);
}

static void refuse_handle(const struct sgt_test *test, int drm, uint32_t handle)
{
	struct drm_virtgpu_resource_info info = { .bo_handle = handle };
	struct drm_virtgpu_map map = { .handle = handle };
	struct drm_virtgpu_3d_wait wait = { .handle = handle };
	struct drm_gem_close close = { .handle = handle };
	struct sgt_bo bo = {
		.drm = drm,
		.handle = handle,
		.width = 64,
		.height = 64,
		.pitch = 64 * 4,
	};

	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_RESOURCE_INFO, &info, ENOENT);
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_MAP, &map, ENOENT);
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_WAIT, &wait, ENOENT);
	do_ioctl_err(drm, DRM_IOCTL_GEM_CLOSE, &close, EINVAL);
	igt_assert_eq(sgt_bo_export(&bo), -ENOENT);
	/* The in-tree driver has a word of its own for this. */
	igt_assert_eq(sgt_bo_add_fb(&bo), test->tables ? -ENOENT : -EINVAL);
}

static void handle_of_another_file(const struct sgt_test *test, int drm)
{
	struct sgt_bo bo;
	int other;

	other = sgt_must(sgt_open());
	sgt_must(sgt_bo_create(&bo, drm, 64, 64));
	refuse_handle(test, other, bo.handle);
	close(other);
	sgt_bo_free(&bo);
}

/* Odd ones go first, then the even ones from the end. */
static void free_in_any_order(struct sgt_bo *bos, int count)
{
	for (int i = 1; i < count; i += 2)
		sgt_bo_free(&bos[i]);
	for (int i = count - 1; i >= 0; i--)
		if (bos[i].handle)
			sgt_bo_free(&bos[i]);
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
		igt_assert_eq_u64(now.mapped - base.mapped, count);
	}
	for (int i = 0; i < count; i++)
		sgt_expect_pattern(bos[i].map, sgt_bo_words(&bos[i]), i);

	free_in_any_order(bos, count);
	free(bos);
}

static void trace_counts(int drm)
{
	struct sgt_bo bos[16];
	int count = ARRAY_SIZE(bos);

	sgt_must(sgt_host_trace_mark());
	for (int i = 0; i < count; i++)
		sgt_must(sgt_bo_create(&bos[i], drm, 64, 64 + i));
	sgt_expect_trace("virtio_gpu_cmd_res_create_2d", count);
	sgt_expect_trace("virtio_gpu_cmd_res_back_attach", count);
	sgt_expect_trace("virtio_gpu_cmd_res_unref", 0);

	free_in_any_order(bos, count);
	sgt_expect_trace("virtio_gpu_cmd_res_unref", count);
	sgt_expect_trace("virtio_gpu_cmd_res_create_2d", count);
}

struct hoard {
	struct sgt_bo *bos;
	int count;
	uint64_t bytes;
};

/* Adds buffers of one size until the host has no room for another. */
static void fill_host(struct hoard *hoard, int drm, uint32_t width, uint32_t height)
{
	uint64_t fits = HOST_MEMORY / (width * 4ull * height);

	for (uint64_t i = 0; ; i++) {
		struct sgt_bo bo;
		int err = sgt_bo_create(&bo, drm, width, height);

		if (err) {
			igt_assert_eq(err, -ENOMEM);
			return;
		}
		igt_assert(i < fits);
		hoard->bos = realloc(hoard->bos, (hoard->count + 1) * sizeof(bo));
		igt_assert(hoard->bos);
		hoard->bos[hoard->count++] = bo;
		hoard->bytes += bo.size;
	}
}

static void empty_hoard(struct hoard *hoard)
{
	free_in_any_order(hoard->bos, hoard->count);
	free(hoard->bos);
	memset(hoard, 0, sizeof(*hoard));
}

/* The bytes of all live buffers, the console's included */
static uint64_t all_bytes(unsigned int dev)
{
	struct sgt_buffer_row *rows = NULL;
	uint64_t bytes = 0;
	int count;

	count = sgt_must(sgt_read_buffers(&rows));
	for (int i = 0; i < count; i++)
		bytes += rows[i].dev == dev ? rows[i].size : 0;
	free(rows);
	return bytes;
}

/* What all buffers that fit into the host have together */
static uint64_t fill_host_up(struct hoard *hoard, int drm)
{
	fill_host(hoard, drm, 2048, 2048);
	fill_host(hoard, drm, 256, 256);
	fill_host(hoard, drm, 32, 32);
	igt_info("%d buffers, %llu bytes\n", hoard->count,
		 (unsigned long long)hoard->bytes);
	return hoard->bytes;
}

static void limit_host_memory(const struct sgt_test *test, int drm)
{
	struct sgt_baseline base;
	uint64_t first = 0;

	sgt_baseline_take(test, &base);
	for (int round = 0; round < 2; round++) {
		struct hoard hoard = {};

		fill_host_up(&hoard, drm);

		/* Full to the last page; the console's picture may end inside one. */
		igt_assert(hoard.bytes < HOST_MEMORY);
		igt_assert(all_bytes(base.dev) >= HOST_MEMORY - 2 * PAGE);
		if (round)
			igt_assert_eq_u64(hoard.bytes, first);
		first = hoard.bytes;

		empty_hoard(&hoard);
		sgt_baseline_check(test, &base);
	}
}

static uint64_t room_in_host(int drm)
{
	struct hoard hoard = {};
	uint64_t bytes = fill_host_up(&hoard, drm);

	empty_hoard(&hoard);
	return bytes;
}

/* Holds the last few, so that there is something to leave behind. */
static void create_until_killed(volatile uint32_t *creates, uint32_t seed)
{
	struct sgt_bo bos[8] = {};
	int drm = sgt_open();
	int err = drm < 0 ? drm : 0;

	for (uint32_t i = 0; !err; i++) {
		struct sgt_bo *bo = &bos[i % ARRAY_SIZE(bos)];

		if (bo->handle)
			sgt_bo_free(bo);
		err = sgt_bo_create(bo, drm, 1 + sgt_pattern(i, seed) % 512, 256);
		__sync_add_and_fetch(creates, !err);
	}
	_exit(-err);
}

/* One that could not create has ended by itself, with the errno. */
static void kill_and_wait(pid_t child)
{
	int status = 0;

	igt_assert_eq(kill(child, SIGKILL), 0);
	igt_assert_eq(waitpid(child, &status, 0), child);
	igt_assert_f(WIFSIGNALED(status), "creating failed before the kill: %s\n",
		     strerror(WEXITSTATUS(status)));
}

/* Each round ends after another time: most of it goes by inside of creates. */
static void killed_round(volatile uint32_t *creates, uint32_t seed)
{
	pid_t children[4];

	for (unsigned int i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = fork();
		igt_assert(children[i] >= 0);
		if (!children[i])
			create_until_killed(creates, seed + i);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(children); i++) {
		usleep(500 + sgt_pattern(i, seed) % 5000);
		kill_and_wait(children[i]);
	}
}

/* The host counts a resource that nobody told it to free, so its room shrinks. */
static void killed(const struct sgt_test *test, int drm, int rounds)
{
	volatile uint32_t *creates = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sgt_baseline base;
	uint64_t room;

	igt_assert(creates != MAP_FAILED);
	sgt_baseline_take(test, &base);
	room = room_in_host(drm);

	for (int round = 0; round < rounds; round++) {
		uint32_t seed = sgt_new_seed();

		igt_debug("round %d, seed %u\n", round, seed);
		killed_round(creates, seed);
		igt_assert_eq(create_dumb(drm, 64, 64, 32), 0);
		sgt_baseline_check(test, &base);
	}
	igt_info("%d processes killed, %u creates\n", 4 * rounds, *creates);
	igt_assert(*creates);
	igt_assert_eq_u64(room_in_host(drm), room);
	sgt_baseline_check(test, &base);
	munmap((void *)creates, PAGE);
}

static void limit_one_buffer(int drm)
{
	struct sgt_bo bo;

	igt_assert_eq(create_dumb(drm, 8192, 8192, 32), -ENOMEM);
	igt_assert_eq(create_dumb(drm, 16384, 8192, 32), -ENOMEM);

	/* The failure left room for half of it. */
	sgt_must(sgt_bo_create(&bo, drm, 8192, 4096));
	sgt_bo_free(&bo);
}

/*
 * In pieces of one page each, the host takes 64 MiB and not a page more.  Where
 * pages happen to be neighbours the buffer has fewer pieces, so the tables say
 * how many it came to.
 */
static void limit_entries(const struct sgt_test *test, int drm)
{
	size_t limit = HOST_ENTRIES * PAGE;
	struct sgt_scatter scatter;
	struct sgt_buffer_row row;
	uint32_t height;
	struct sgt_bo bo;
	int err;

	sgt_must(sgt_scatter_begin(&scatter, 4 * limit));
	for (height = HOST_ENTRIES - 8; height < 2 * HOST_ENTRIES; height += 8) {
		err = sgt_bo_create(&bo, drm, WORDS_PER_PAGE, height);
		if (err)
			break;
		sgt_expect_row(test, &bo, &row);
		igt_assert(row.cpu_ents <= HOST_ENTRIES);
		sgt_bo_free(&bo);
		if (row.cpu_ents + 64 < HOST_ENTRIES)
			height += HOST_ENTRIES - row.cpu_ents - 64;
	}
	sgt_scatter_end(&scatter);
	igt_assert_eq(err, -E2BIG);

	/* With memory in one piece again it works. */
	sgt_must(sgt_bo_create(&bo, drm, 64, 64));
	sgt_bo_free(&bo);
}

static bool have_memory(unsigned long mib)
{
	struct sysinfo info;

	igt_assert_eq(sysinfo(&info), 0);
	return info.freeram / 1048576 * info.mem_unit >= mib;
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

	igt_describe("Nothing has no size");
	igt_subtest("dumb-zero") {
		igt_assert_eq(create_dumb(drm, 0, 64, 32), -EINVAL);
		igt_assert_eq(create_dumb(drm, 64, 0, 32), -EINVAL);
		igt_assert_eq(create_dumb(drm, 64, 64, 0), -EINVAL);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Sizes beyond 32 bits do not wrap around to small ones");
	igt_subtest("dumb-overflow") {
		dumb_overflow(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Only 32 bits a pixel");
	igt_subtest("dumb-bad-bpp") {
		dumb_bad_bpp(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Flags are for later use");
	igt_subtest("dumb-bad-flags") {
		sgt_require_tables(&test);
		dumb_bad_flags(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Old programs leave output fields unset");
	igt_subtest("dumb-garbage-outputs") {
		dumb_garbage_outputs(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("The virtgpu call for buffers, all sizes");
	igt_subtest("resource-sizes") {
		igt_require(!has_3d(drm));
		resource_sizes(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Only plain 2D pictures");
	igt_subtest("resource-bad-fields") {
		igt_require(!has_3d(drm));
		resource_bad_fields(&test, drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("The host would not notice, and show less");
	igt_subtest("resource-short-backing") {
		sgt_require_tables(&test);
		resource_short_backing(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("What the driver says of itself");
	igt_subtest("getparam") {
		igt_require(!has_3d(drm));
		getparam(drm);
	}

	igt_describe("A 2D device has no 3D calls");
	igt_subtest("three-d-refused") {
		igt_require(!has_3d(drm));
		three_d_refused(drm);
	}

	igt_describe("Offsets are for buffers that are there");
	igt_subtest("map-bad-fields") {
		map_bad_fields(&test, drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Waiting for a buffer that nobody uses");
	igt_subtest("wait") {
		wait_idle(&test, drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Only what is inside the picture can be transferred");
	igt_subtest("transfer-bad-fields") {
		igt_require(!has_3d(drm));
		transfer_bad_fields(&test, drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Handles are counted");
	igt_subtest("handle-close-twice") {
		handle_close_twice(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Handles are looked up");
	igt_subtest("handle-bogus") {
		refuse_handle(&test, drm, NO_HANDLE);
		refuse_handle(&test, drm, UINT32_MAX);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Handles belong to a file");
	igt_subtest("handle-of-another-file") {
		handle_of_another_file(&test, drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Many buffers live side by side");
	igt_subtest("many-small") {
		many_small(&test, drm, 2000);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("The device is told of each buffer once");
	igt_subtest("trace-counts") {
		sgt_require_host();
		trace_counts(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("The limits are the host's, and their errors come back");
	igt_subtest_group() {
		igt_fixture() {
			/* The in-tree driver does not wait for the host's answer. */
			sgt_require_tables(&test);
			sgt_require_host();
			igt_require(have_memory(768));
		}

		igt_describe("One buffer too large for the host");
		igt_subtest("limit-one-buffer") {
			limit_one_buffer(drm);
			sgt_baseline_check(&test, &base);
		}

		igt_describe("Whoever is killed in the middle of a create");
		igt_subtest("killed")
			killed(&test, drm, 100);

		igt_describe("The host's memory is used to the last page");
		igt_subtest("limit-host-memory")
			limit_host_memory(&test, drm);

		igt_describe("Too many pieces for the host");
		igt_subtest("limit-entries") {
			igt_require_f(sgt_setup_is("phys"),
				      "IOMMU and bounce buffers join the pieces\n");
			limit_entries(&test, drm);
			sgt_baseline_check(&test, &base);
		}
	}

	igt_fixture()
		close(drm);
}
