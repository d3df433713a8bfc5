// SPDX-License-Identifier: GPL-2.0
#include "igt.h"

#include <drm_fourcc.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "lib/sgt_nth.h"

/**
 * TEST: sgt fail share
 * Description: Make each call for what is shared fail at each point where it can
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: sharing
 * Test category: fault injection
 *
 * SUBTEST: %s
 * Description: Failures in %arg[1]
 *
 * arg[1]:
 *
 * @export: exporting a buffer
 * @import-self: importing a buffer into its own device
 * @import-udmabuf: importing a buffer of udmabuf
 * @import-vgem: importing a buffer of vgem
 * @fb-import: creating a framebuffer of an import
 * @attach: importing a buffer into vgem
 * @touch-dmabuf: the first access to a mapping of a dma-buf
 * @syncobj-create: creating a syncobj
 * @syncobj-export: exporting a syncobj
 * @syncobj-import: importing a syncobj
 */

IGT_TEST_DESCRIPTION("Make each call for what is shared fail at each point where it can");

static void make_dmabuf(struct sgt_try *try)
{
	sgt_try_buffer(try);
	try->fd = sgt_must(sgt_bo_export(&try->bo));
}

static int export_call(struct sgt_try *try)
{
	struct drm_prime_handle arg = {
		.handle = try->bo.handle,
		.flags = DRM_CLOEXEC | DRM_RDWR,
	};
	int err = sgt_try_ioctl(try->drm, DRM_IOCTL_PRIME_HANDLE_TO_FD, &arg);

	if (!err)
		try->fd = arg.fd;
	return err;
}

static void export_check(struct sgt_try *try)
{
	uint32_t *map = sgt_mmap_fd(try->fd, SGT_TRY_SIZE);

	igt_assert(map);
	sgt_fill(map, SGT_TRY_SIZE / sizeof(*map), 3);
	sgt_expect_pattern(map, SGT_TRY_SIZE / sizeof(*map), 3);
	munmap(map, SGT_TRY_SIZE);
}

static int import_call(struct sgt_try *try, int drm, int fd)
{
	struct drm_prime_handle arg = { .fd = fd };
	int err = sgt_try_ioctl(drm, DRM_IOCTL_PRIME_FD_TO_HANDLE, &arg);

	try->other.handle = arg.handle;
	return err;
}

static int import_self_call(struct sgt_try *try)
{
	return import_call(try, try->drm, try->fd);
}

static void import_self_check(struct sgt_try *try)
{
	igt_assert_eq(try->other.handle, try->bo.handle);
}

static int import_foreign_call(struct sgt_try *try)
{
	return import_call(try, try->drm, try->foreign.fd);
}

static int fb_import_call(struct sgt_try *try)
{
	struct drm_mode_fb_cmd2 arg = {
		.width = SGT_TRY_WIDTH,
		.height = SGT_TRY_HEIGHT,
		.pixel_format = DRM_FORMAT_XRGB8888,
		.handles = { try->other.handle },
		.pitches = { SGT_TRY_WIDTH * sizeof(uint32_t) },
	};
	int err = sgt_try_ioctl(try->drm, DRM_IOCTL_MODE_ADDFB2, &arg);

	try->id = arg.fb_id;
	return err;
}

/* An import has a resource once it has a framebuffer. */
static void import_foreign_check(struct sgt_try *try)
{
	igt_assert_eq(fb_import_call(try), 0);
	drmModeRmFB(try->drm, try->id);
}

static void import_foreign(struct sgt_try *try)
{
	sgt_try_open(try);
	igt_assert_eq(import_foreign_call(try), 0);
}

/* vgem imports and maps the pages for its device. */
static void make_attach(struct sgt_try *try)
{
	make_dmabuf(try);
	try->foreign.drm = sgt_must(sgt_open_driver("vgem"));
}

static int attach_call(struct sgt_try *try)
{
	return import_call(try, try->foreign.drm, try->fd);
}

static void finish_attach(struct sgt_try *try)
{
	close(try->foreign.drm);
	try->foreign.drm = -1;
	sgt_try_close(try);
}

static void make_dmabuf_mapping(struct sgt_try *try)
{
	make_dmabuf(try);
	try->map = sgt_mmap_fd(try->fd, SGT_TRY_SIZE);
	igt_assert(try->map);
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

static int syncobj_create_call(struct sgt_try *try)
{
	struct drm_syncobj_create arg = { .flags = DRM_SYNCOBJ_CREATE_SIGNALED };
	int err = sgt_try_ioctl(try->drm, DRM_IOCTL_SYNCOBJ_CREATE, &arg);

	try->id = arg.handle;
	return err;
}

static void make_syncobj(struct sgt_try *try)
{
	sgt_try_open(try);
	igt_assert_eq(syncobj_create_call(try), 0);
}

static int syncobj_export_call(struct sgt_try *try)
{
	struct drm_syncobj_handle arg = {
		.handle = try->id,
		.flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE,
	};
	int err = sgt_try_ioctl(try->drm, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &arg);

	if (!err)
		try->fd = arg.fd;
	return err;
}

static void make_sync_file(struct sgt_try *try)
{
	make_syncobj(try);
	igt_assert_eq(syncobj_export_call(try), 0);
}

static int syncobj_import_call(struct sgt_try *try)
{
	struct drm_syncobj_handle arg = {
		.handle = try->id,
		.fd = try->fd,
		.flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE,
	};

	return sgt_try_ioctl(try->drm, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &arg);
}

#define CALL(name_, call_, prepare_, ...)	\
	{ .name = name_, .call = call_, .prepare = prepare_, .finish = sgt_try_close, __VA_ARGS__ }

static const struct sgt_nth_call calls[] = {
	CALL("export", export_call, sgt_try_buffer, .check = export_check),
	CALL("import-self", import_self_call, make_dmabuf, .check = import_self_check),
	{
		.name = "attach",
		.call = attach_call,
		.prepare = make_attach,
		.finish = finish_attach,
	},
	CALL("touch-dmabuf", touch_call, make_dmabuf_mapping, .check = touch_check),
	CALL("syncobj-create", syncobj_create_call, sgt_try_open),
	/* The core returns EINVAL if it cannot create the sync file. */
	CALL("syncobj-export", syncobj_export_call, make_syncobj, .also = EINVAL),
	CALL("syncobj-import", syncobj_import_call, make_sync_file),
};

static const struct sgt_nth_call import_call_desc =
	CALL("", import_foreign_call, sgt_try_open, .check = import_foreign_check);

static const struct sgt_nth_call fb_import_desc =
	CALL("fb-import", fb_import_call, import_foreign);

/* Some set-ups refuse imports. */
static void sweep_import(const struct sgt_test *test, struct sgt_try *try,
			 const struct sgt_nth_call *model, const char *name)
{
	struct sgt_nth_call call = *model;
	int err;

	sgt_try_open(try);
	err = import_foreign_call(try);
	sgt_try_close(try);
	igt_require_f(err != -EOPNOTSUPP, "the device takes no imports here\n");
	igt_assert_eq(err, 0);

	call.name = name;
	sgt_nth_sweep(test, &call, try);
}

int igt_main()
{
	struct sgt_try try = { .drm = -1, .fd = -1, .foreign = { .fd = -1, .drm = -1 } };
	struct sgt_test test;
	int keep = -1;

	igt_fixture()
		keep = sgt_nth_fixture(&test);

	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++) {
		igt_describe_f("At each point of %s", calls[i].name);
		igt_subtest_f("%s", calls[i].name)
			sgt_nth_sweep(&test, &calls[i], &try);
	}

	igt_describe("At each point of an import from udmabuf");
	igt_subtest("import-udmabuf") {
		igt_require(sgt_foreign_udmabuf(&try.foreign, SGT_TRY_SIZE) != -ENOENT);
		sweep_import(&test, &try, &import_call_desc, "import-udmabuf");
	}

	igt_describe("At each point of an import from vgem");
	igt_subtest("import-vgem") {
		sgt_must(sgt_foreign_vgem(&try.foreign, SGT_TRY_WIDTH, SGT_TRY_HEIGHT));
		sweep_import(&test, &try, &import_call_desc, "import-vgem");
	}

	igt_describe("At each point of creating the resource of an import");
	igt_subtest("fb-import") {
		sgt_must(sgt_foreign_vgem(&try.foreign, SGT_TRY_WIDTH, SGT_TRY_HEIGHT));
		sweep_import(&test, &try, &fb_import_desc, "fb-import");
	}

	igt_fixture()
		close(keep);
}
