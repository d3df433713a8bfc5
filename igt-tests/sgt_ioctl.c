// SPDX-License-Identifier: GPL-2.0
#include "drm_fourcc.h"
#include "igt.h"
#include "virtgpu_drm.h"

#include "lib/sgt_refuse.h"
#include "lib/sgt_test.h"
#include "lib/sgt_virtgpu.h"

/**
 * TEST: sgt ioctl
 * Description: Call with handles and fields that are wrong, one at a time
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: argument checks
 * Test category: functionality test
 *
 * SUBTEST: getparam
 * Description: Each parameter has its value, and unknown ones are refused
 *
 * SUBTEST: three-d-refused
 * Description: The ioctls for 3D fail
 *
 * SUBTEST: map-bad-fields
 * Description: A query of the mmap offset is refused without a buffer or with padding set
 *
 * SUBTEST: wait
 * Description: A wait for an idle buffer returns; unknown handles and flags are refused
 *
 * SUBTEST: transfer-bad-fields
 * Description: A transfer without a buffer, or from outside of it, is refused
 *
 * SUBTEST: bad-fb
 * Description: Framebuffers and cursors that the host cannot show are refused, one field at a time
 *
 * SUBTEST: handle-close-twice
 * Description: A second close of a handle is refused
 *
 * SUBTEST: handle-bogus
 * Description: Calls refuse handles that do not exist
 *
 * SUBTEST: handle-of-another-file
 * Description: A handle is unknown in another open file
 */

IGT_TEST_DESCRIPTION("Call with handles and fields that are wrong, one at a time");

#define NO_HANDLE	0xdeadu

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

	if (test->tables)
		sgt_refuse_bits(drm, DRM_IOCTL_VIRTGPU_WAIT, &wait, offsetof(typeof(wait), flags),
				~VIRTGPU_WAIT_NOWAIT);
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
static const struct sgt_bad_field bad_transfers[] = {
#define BAD(field, value)	SGT_BAD(struct transfer, field, value, EINVAL)
	BAD(level, 1),
	BAD(level, UINT32_MAX),
	BAD(stride, 1),
	BAD(stride, 64 * 4),
	BAD(stride, UINT32_MAX),
	BAD(layer_stride, 1),
	BAD(layer_stride, 64 * 64 * 4),
	BAD(layer_stride, UINT32_MAX),
	BAD(box.z, 1),
	BAD(box.z, UINT32_MAX),
	BAD(box.d, 2),
	BAD(box.d, UINT32_MAX),
	BAD(box.w, 0),
	BAD(box.h, 0),
	BAD(box.w, 65),
	BAD(box.h, 65),
	BAD(box.x, 1),
	BAD(box.y, 1),
	BAD(box.x, UINT32_MAX),
	BAD(box.y, UINT32_MAX),
	/* The backing ends before the box does. */
	BAD(offset, 4),
};

/* Of a box that begins within the picture: position and size wrap around. */
static const struct sgt_bad_field bad_inner_transfers[] = {
	BAD(box.w, UINT32_MAX),
	BAD(box.h, UINT32_MAX),
#undef BAD
};

static void transfer_bad_fields(const struct sgt_test *test, int drm)
{
	struct transfer arg = {
		.bo_handle = NO_HANDLE,
		.box = { .w = 64, .h = 64, .d = 1 },
	};
	struct sgt_bo bo;

	do_ioctl_err(drm, IOCTL_TRANSFER, &arg, ENOENT);

	sgt_must(sgt_bo_create(&bo, drm, 64, 64));
	arg.bo_handle = bo.handle;
	do_ioctl(drm, IOCTL_TRANSFER, &arg);
	if (test->tables) {
		sgt_refuse_ioctl(drm, IOCTL_TRANSFER, &arg, bad_transfers);
		arg.box = (struct drm_virtgpu_3d_box) { 2, 2, 0, 62, 62, 1 };
		do_ioctl(drm, IOCTL_TRANSFER, &arg);
		sgt_refuse_ioctl(drm, IOCTL_TRANSFER, &arg, bad_inner_transfers);
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
	/* The in-tree driver returns another errno. */
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

static int try_fb(const void *bo, void *fb)
{
	return sgt_try_fb(bo, fb);
}

/* The buffer has room for 13 more rows, as its size is rounded up to pages. */
static void refuse_fbs(int drm)
{
	const struct sgt_fb good = { 65, 65, DRM_FORMAT_XRGB8888, 65 * 4, 0 };
	static const struct sgt_bad_field bad[] = {
#define BAD(field, value)	SGT_BAD(struct sgt_fb, field, value, EINVAL)
		BAD(width, 0),
		BAD(width, 66),
		BAD(height, 0),
		BAD(height, 79),
		BAD(format, DRM_FORMAT_XBGR8888),
		BAD(format, DRM_FORMAT_BGRX8888),
		BAD(format, DRM_FORMAT_RGBX8888),
		BAD(format, DRM_FORMAT_RGB565),
		BAD(format, 0),
		BAD(pitch, 0),
		BAD(pitch, 64 * 4),
		BAD(pitch, 65 * 4 + 1),
		BAD(pitch, 65 * 4 + 2),
		BAD(pitch, 79 * 4),
		BAD(pitch, 16385 * 4),
		BAD(offset, 1),
		BAD(offset, 2),
		BAD(offset, PAGE),
#undef BAD
	};
	struct sgt_bo bo;

	sgt_must(sgt_bo_create(&bo, drm, good.width, good.height));
	igt_assert_eq_u64(bo.size, 5 * PAGE);
	igt_assert_eq(sgt_try_fb(&bo, &good), 0);
	sgt_refuse(try_fb, &bo, &good, bad);
	sgt_bo_free(&bo);
}

static int set_cursor(const struct sgt_screen *screen, uint32_t width, uint32_t height,
		      uint32_t shown_width, uint32_t shown_height)
{
	struct sgt_bo bo;
	int err;

	sgt_must(sgt_bo_create(&bo, screen->drm, width, height));
	err = drmModeSetCursor(screen->drm, screen->crtc, bo.handle,
			       shown_width, shown_height);
	if (!err)
		igt_assert_eq(drmModeSetCursor(screen->drm, screen->crtc, 0, 0, 0), 0);
	sgt_bo_free(&bo);
	return err;
}

/* A cursor must be 64x64; its buffer may be larger. */
static void refuse_cursors(const struct sgt_screen *screen)
{
	static const uint32_t bad[][4] = {
		{ 32, 32, 32, 32 },
		{ 63, 64, 63, 64 },
		{ 64, 63, 64, 63 },
		{ 65, 64, 65, 64 },
		{ 64, 65, 64, 65 },
		{ 128, 128, 128, 128 },
		{ 64, 64, 64, 63 },
		{ 64, 64, 63, 64 },
	};

	igt_assert_eq(set_cursor(screen, 64, 64, 64, 64), 0);
	igt_assert_eq(set_cursor(screen, 64, 128, 64, 64), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		const uint32_t *row = bad[i];

		igt_debug("%ux%u of %ux%u\n", row[2], row[3], row[0], row[1]);
		igt_assert_eq(set_cursor(screen, row[0], row[1], row[2], row[3]), -EINVAL);
	}
	igt_assert_eq(set_cursor(screen, 64, 64, 64, 64), 0);
}

static void test_bad_fb(int drm)
{
	struct sgt_screen screen;
	struct sgt_bo bo;

	refuse_fbs(drm);

	/* A cursor needs a CRTC that is on. */
	sgt_must(sgt_screen_find(&screen, drm));
	sgt_make_picture(&bo, &screen, sgt_new_seed());
	sgt_must(sgt_screen_show(&screen, &bo, 0));
	refuse_cursors(&screen);
	sgt_must(sgt_screen_off(&screen));
	sgt_bo_free(&bo);
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

	igt_describe("Parameters of the driver");
	igt_subtest("getparam") {
		igt_require(!sgt_has_3d(drm));
		getparam(drm);
	}

	igt_describe("A 2D device has no 3D calls");
	igt_subtest("three-d-refused") {
		igt_require(!sgt_has_3d(drm));
		three_d_refused(drm);
	}

	igt_describe("Offsets are for existing buffers");
	igt_subtest("map-bad-fields") {
		map_bad_fields(&test, drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("A wait for an idle buffer");
	igt_subtest("wait") {
		wait_idle(&test, drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("Transfers are limited to the picture");
	igt_subtest("transfer-bad-fields") {
		igt_require(!sgt_has_3d(drm));
		transfer_bad_fields(&test, drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("The host would show a wrong picture, without an error");
	igt_subtest("bad-fb") {
		sgt_require_tables(&test);
		test_bad_fb(drm);
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

	igt_fixture()
		close(drm);
}
