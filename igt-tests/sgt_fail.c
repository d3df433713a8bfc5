// SPDX-License-Identifier: GPL-2.0
#include "igt.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "virtgpu_drm.h"

#include "lib/sgt_nth.h"
#include "lib/sgt_virtgpu.h"

/**
 * TEST: sgt fail
 * Description: Make each call for buffers and files fail at each point where it can
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: error paths
 * Test category: fault injection
 *
 * SUBTEST: %s
 * Description: Failures in %arg[1]
 *
 * arg[1]:
 *
 * @open: opening the device
 * @close: closing a file that has buffers
 * @create-dumb: creating a dumb buffer
 * @create-resource: creating a resource
 * @resource-info: querying a resource
 * @getparam: querying a parameter
 * @map-dumb: querying the mmap offset of a dumb buffer
 * @map-resource: querying the mmap offset of a resource
 * @mmap: mapping a buffer
 * @touch: the first access to a mapping
 * @transfer: a transfer to the host
 * @wait: waiting for a buffer
 * @gem-close: closing a handle
 * @destroy-dumb: destroying a dumb buffer
 * @flink: naming a buffer
 * @gem-open: opening a buffer by its name
 * @fdinfo: reading the fdinfo of a file
 * @devices-table: reading the table of devices in debugfs
 * @buffers-table: reading the table of buffers in debugfs
 */

IGT_TEST_DESCRIPTION("Make each call for buffers and files fail at each point where it can");

static void make_mapping(struct sgt_try *try)
{
	sgt_try_buffer(try);
	try->map = sgt_mmap_handle(try->drm, try->bo.handle, SGT_TRY_SIZE);
	igt_assert(try->map);
}

/* The memory keeps its bytes, and the host reads them. */
static void check_buffer(struct sgt_try *try)
{
	struct drm_virtgpu_3d_transfer_to_host transfer = {
		.bo_handle = try->bo.handle,
		.box = { .w = SGT_TRY_WIDTH, .h = SGT_TRY_HEIGHT, .d = 1 },
	};
	uint32_t seed = sgt_new_seed();
	uint32_t *map;

	map = sgt_mmap_handle(try->drm, try->bo.handle, SGT_TRY_SIZE);
	igt_assert(map);
	sgt_fill(map, SGT_TRY_SIZE / sizeof(*map), seed);
	sgt_expect_pattern(map, SGT_TRY_SIZE / sizeof(*map), seed);
	munmap(map, SGT_TRY_SIZE);
	igt_assert_eq(sgt_try_ioctl(try->drm, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &transfer), 0);
}

static int open_call(struct sgt_try *try)
{
	try->drm = open(sgt_try_node(), O_RDWR | O_CLOEXEC);
	return try->drm < 0 ? -errno : 0;
}

static void open_check(struct sgt_try *try)
{
	sgt_must(sgt_bo_create(&try->bo, try->drm, SGT_TRY_WIDTH, SGT_TRY_HEIGHT));
	check_buffer(try);
}

static int close_call(struct sgt_try *try)
{
	int drm = try->drm;

	try->drm = -1;
	return close(drm) ? -errno : 0;
}

static int create_dumb_call(struct sgt_try *try)
{
	struct drm_mode_create_dumb arg = {
		.width = SGT_TRY_WIDTH,
		.height = SGT_TRY_HEIGHT,
		.bpp = 32,
	};
	int err = sgt_try_ioctl(try->drm, DRM_IOCTL_MODE_CREATE_DUMB, &arg);

	try->bo.handle = arg.handle;
	return err;
}

static int create_resource_call(struct sgt_try *try)
{
	struct drm_virtgpu_resource_create arg = {
		.target = SGT_TARGET_2D,
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.width = SGT_TRY_WIDTH,
		.height = SGT_TRY_HEIGHT,
		.depth = 1,
		.array_size = 1,
		.size = SGT_TRY_SIZE,
	};
	int err = sgt_try_ioctl(try->drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &arg);

	try->bo.handle = arg.bo_handle;
	return err;
}

static int resource_info_call(struct sgt_try *try)
{
	struct drm_virtgpu_resource_info arg = { .bo_handle = try->bo.handle };
	int err = sgt_try_ioctl(try->drm, DRM_IOCTL_VIRTGPU_RESOURCE_INFO, &arg);

	if (!err)
		igt_assert_eq(arg.size, SGT_TRY_SIZE);
	return err;
}

static int getparam_call(struct sgt_try *try)
{
	struct drm_virtgpu_getparam arg = { .param = VIRTGPU_PARAM_CAPSET_QUERY_FIX };
	int value = -1, err;

	arg.value = (uintptr_t)&value;
	err = sgt_try_ioctl(try->drm, DRM_IOCTL_VIRTGPU_GETPARAM, &arg);
	if (!err)
		igt_assert_eq(value, 1);
	return err;
}

static int map_dumb_call(struct sgt_try *try)
{
	struct drm_mode_map_dumb arg = { .handle = try->bo.handle };

	return sgt_try_ioctl(try->drm, DRM_IOCTL_MODE_MAP_DUMB, &arg);
}

static int map_resource_call(struct sgt_try *try)
{
	struct drm_virtgpu_map arg = { .handle = try->bo.handle };

	return sgt_try_ioctl(try->drm, DRM_IOCTL_VIRTGPU_MAP, &arg);
}

static void make_offset(struct sgt_try *try)
{
	struct drm_mode_map_dumb arg = {};

	sgt_try_buffer(try);
	arg.handle = try->bo.handle;
	igt_assert_eq(sgt_try_ioctl(try->drm, DRM_IOCTL_MODE_MAP_DUMB, &arg), 0);
	try->bo.size = arg.offset;
}

static int mmap_call(struct sgt_try *try)
{
	void *map = mmap(NULL, SGT_TRY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, try->drm,
			 try->bo.size);

	if (map == MAP_FAILED)
		return -errno;
	try->map = map;
	return 0;
}

/* A fault without memory is retried and raises no signal. */
static int touch_call(struct sgt_try *try)
{
	return sgt_try_fill(try->map, SGT_TRY_SIZE / sizeof(uint32_t), 7) ? -EIO : 0;
}

static void touch_check(struct sgt_try *try)
{
	sgt_expect_pattern(try->map, SGT_TRY_SIZE / sizeof(uint32_t), 7);
}

static void mmap_check(struct sgt_try *try)
{
	igt_assert_eq(touch_call(try), 0);
	touch_check(try);
}

static int transfer_call(struct sgt_try *try)
{
	struct drm_virtgpu_3d_transfer_to_host arg = {
		.bo_handle = try->bo.handle,
		.box = { .w = SGT_TRY_WIDTH, .h = SGT_TRY_HEIGHT, .d = 1 },
	};

	return sgt_try_ioctl(try->drm, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &arg);
}

static int wait_call(struct sgt_try *try)
{
	struct drm_virtgpu_3d_wait arg = { .handle = try->bo.handle };

	return sgt_try_ioctl(try->drm, DRM_IOCTL_VIRTGPU_WAIT, &arg);
}

static int gem_close_call(struct sgt_try *try)
{
	struct drm_gem_close arg = { .handle = try->bo.handle };

	return sgt_try_ioctl(try->drm, DRM_IOCTL_GEM_CLOSE, &arg);
}

static int destroy_dumb_call(struct sgt_try *try)
{
	struct drm_mode_destroy_dumb arg = { .handle = try->bo.handle };

	return sgt_try_ioctl(try->drm, DRM_IOCTL_MODE_DESTROY_DUMB, &arg);
}

static int flink_call(struct sgt_try *try)
{
	struct drm_gem_flink arg = { .handle = try->bo.handle };
	int err = sgt_try_ioctl(try->drm, DRM_IOCTL_GEM_FLINK, &arg);

	try->id = arg.name;
	return err;
}

static void make_name(struct sgt_try *try)
{
	sgt_try_buffer(try);
	igt_assert_eq(flink_call(try), 0);
}

static int gem_open_call(struct sgt_try *try)
{
	struct drm_gem_open arg = { .name = try->id };
	int err = sgt_try_ioctl(try->drm, DRM_IOCTL_GEM_OPEN, &arg);

	try->other.handle = arg.handle;
	return err;
}

static int read_all(const char *path)
{
	static char text[1 << 16];
	int fd, err = 0;
	ssize_t len;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		len = read(fd, text, sizeof(text));
	} while (len > 0);
	if (len < 0)
		err = -errno;
	close(fd);
	return err;
}

static int fdinfo_call(struct sgt_try *try)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", try->drm);
	return read_all(path);
}

static int devices_table_call(struct sgt_try *try)
{
	(void)try;
	return read_all("/sys/kernel/debug/drm_gem_sgt/devices");
}

static int buffers_table_call(struct sgt_try *try)
{
	(void)try;
	return read_all("/sys/kernel/debug/drm_gem_sgt/buffers");
}

#define CALL(name_, call_, prepare_, ...)	\
	{ .name = name_, .call = call_, .prepare = prepare_, .finish = sgt_try_close, __VA_ARGS__ }

static const struct sgt_nth_call calls[] = {
	CALL("open", open_call, NULL, .check = open_check),
	CALL("close", close_call, sgt_try_buffer),
	/* shmem returns ENOSPC if it cannot allocate an inode. */
	CALL("create-dumb", create_dumb_call, sgt_try_open, .check = check_buffer, .also = ENOSPC),
	CALL("create-resource", create_resource_call, sgt_try_open, .check = check_buffer,
	     .also = ENOSPC),
	CALL("resource-info", resource_info_call, sgt_try_buffer),
	CALL("getparam", getparam_call, sgt_try_open),
	CALL("map-dumb", map_dumb_call, sgt_try_buffer),
	CALL("map-resource", map_resource_call, sgt_try_buffer),
	CALL("mmap", mmap_call, make_offset, .check = mmap_check),
	CALL("touch", touch_call, make_mapping, .check = touch_check),
	CALL("transfer", transfer_call, make_mapping, .maps = true),
	CALL("wait", wait_call, sgt_try_buffer),
	CALL("gem-close", gem_close_call, sgt_try_buffer, .again = EINVAL),
	CALL("destroy-dumb", destroy_dumb_call, sgt_try_buffer, .again = EINVAL),
	CALL("flink", flink_call, sgt_try_buffer),
	CALL("gem-open", gem_open_call, make_name),
	CALL("fdinfo", fdinfo_call, make_mapping),
	CALL("devices-table", devices_table_call, make_mapping),
	CALL("buffers-table", buffers_table_call, make_mapping),
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
