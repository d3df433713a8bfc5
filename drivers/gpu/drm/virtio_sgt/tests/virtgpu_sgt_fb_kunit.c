// SPDX-License-Identifier: GPL-2.0

#include <linux/sizes.h>
#include <linux/virtio_gpu.h>

#include <kunit/test.h>

#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_rect.h>

#include "../virtgpu_sgt_fb.h"
#include "../virtgpu_sgt_fb_blob.h"
#include "../virtgpu_sgt_fb_resource.h"
#include "../virtgpu_sgt_resource.h"

/*
 * The framebuffers that a resource can be shown as, those that a resource can be created
 * for, those that can be a blob, and the offset of a pixel in the memory of a resource.
 */

struct format_case {
	const char *name;
	u32 fourcc;
	u32 want;
};

static const struct format_case format_cases[] = {
	{ "XRGB8888", DRM_FORMAT_XRGB8888, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM },
	{ "ARGB8888", DRM_FORMAT_ARGB8888, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM },
	{ "BGRX8888", DRM_FORMAT_BGRX8888, VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM },
	{ "BGRA8888", DRM_FORMAT_BGRA8888, VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM },
	{ "XBGR8888", DRM_FORMAT_XBGR8888, 0 },
	{ "RGB565", DRM_FORMAT_RGB565, 0 },
	{ "NV12", DRM_FORMAT_NV12, 0 },
	{ "none", 0, 0 },
};

KUNIT_ARRAY_PARAM_DESC(format, format_cases, name);

static void virtgpu_sgt_fb_format_test(struct kunit *test)
{
	const struct format_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, virtgpu_sgt_format(c->fourcc), c->want);
	KUNIT_EXPECT_EQ(test, virtgpu_sgt_format_is_known(c->want), !!c->want);
}

struct fb_case {
	const char *name;
	u32 fourcc;
	unsigned int width, height, pitch, offset;
	bool want;
};

static struct drm_framebuffer case_fb(const struct fb_case *c)
{
	return (struct drm_framebuffer) {
		.format = drm_format_info(c->fourcc),
		.width = c->width,
		.height = c->height,
		.pitches = { c->pitch },
		.offsets = { c->offset },
	};
}

/* Framebuffers of a resource of 64x48, with alpha. */
static const struct fb_case fb_cases[] = {
	{ "all of it", DRM_FORMAT_ARGB8888, 64, 48, 256, 0, true },
	{ "alpha ignored", DRM_FORMAT_XRGB8888, 64, 48, 256, 0, true },
	{ "part of it", DRM_FORMAT_XRGB8888, 1, 1, 256, 0, true },
	{ "other order", DRM_FORMAT_BGRA8888, 64, 48, 256, 0, false },
	{ "other size of a pixel", DRM_FORMAT_RGB565, 64, 48, 256, 0, false },
	{ "too wide", DRM_FORMAT_XRGB8888, 65, 48, 256, 0, false },
	{ "too high", DRM_FORMAT_XRGB8888, 64, 49, 256, 0, false },
	{ "short pitch", DRM_FORMAT_XRGB8888, 63, 48, 252, 0, false },
	{ "long pitch", DRM_FORMAT_XRGB8888, 64, 48, 260, 0, false },
	{ "every second line", DRM_FORMAT_XRGB8888, 64, 24, 512, 0, false },
	{ "from the second line on", DRM_FORMAT_XRGB8888, 64, 47, 256, 256, false },
};

KUNIT_ARRAY_PARAM_DESC(fb, fb_cases, name);

static void virtgpu_sgt_fb_check_test(struct kunit *test)
{
	const struct virtgpu_sgt_resource res = {
		.format = VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM,
		.width = 64,
		.height = 48,
	};
	const struct fb_case *c = test->param_value;
	const struct drm_framebuffer fb = case_fb(c);

	KUNIT_EXPECT_EQ(test, virtgpu_sgt_fb_check_resource(&fb, &res),
			c->want ? 0 : -EINVAL);
}

static const struct fb_case own_cases[] = {
	{ "usual", DRM_FORMAT_XRGB8888, 64, 48, 256, 0, true },
	{ "padded lines", DRM_FORMAT_ARGB8888, 63, 48, 256, 0, true },
	{ "every second line", DRM_FORMAT_XRGB8888, 64, 24, 512, 0, true },
	{ "widest", DRM_FORMAT_XRGB8888, 8192, 48, 65536, 0, true },
	{ "pitch too long", DRM_FORMAT_XRGB8888, 8192, 48, 65540, 0, false },
	{ "highest", DRM_FORMAT_XRGB8888, 64, 16384, 256, 0, true },
	{ "too high", DRM_FORMAT_XRGB8888, 64, 16385, 256, 0, false },
	{ "pitch of half a pixel", DRM_FORMAT_XRGB8888, 64, 48, 258, 0, false },
	{ "from the second page on", DRM_FORMAT_XRGB8888, 64, 48, 256, 4096, true },
	{ "from the second pixel on", DRM_FORMAT_XRGB8888, 63, 48, 256, 4, true },
	{ "from half a pixel on", DRM_FORMAT_XRGB8888, 63, 48, 256, 2, false },
	{ "no pitch", DRM_FORMAT_XRGB8888, 64, 1, 0, 0, false },
	{ "unknown format", DRM_FORMAT_XBGR8888, 64, 48, 256, 0, false },
};

KUNIT_ARRAY_PARAM_DESC(own, own_cases, name);

static void virtgpu_sgt_fb_own_test(struct kunit *test)
{
	const struct fb_case *c = test->param_value;
	const struct drm_framebuffer fb = case_fb(c);

	KUNIT_EXPECT_EQ(test, virtgpu_sgt_fb_can_be_resource(&fb), c->want);
}

struct size_case {
	const char *name;
	unsigned int width, height, pitch;
	u64 want;
};

static const struct size_case size_cases[] = {
	{ "no gap", 64, 48, 256, 12288 },
	{ "padded lines", 63, 48, 256, 12284 },
	{ "one line", 63, 1, 65536, 252 },
	{ "one pixel", 1, 1, 4, 4 },
	{ "largest", 16384, 16384, 65536, SZ_1G },
};

KUNIT_ARRAY_PARAM_DESC(size, size_cases, name);

static void virtgpu_sgt_fb_size_test(struct kunit *test)
{
	const struct size_case *c = test->param_value;
	const struct drm_framebuffer fb = {
		.width = c->width,
		.height = c->height,
		.pitches = { c->pitch },
	};

	KUNIT_EXPECT_EQ(test, virtgpu_sgt_fb_size(&fb), c->want);
}

struct blob_case {
	const char *name;
	unsigned int width, height, pitch, offset;
	/* in pages; 0 if it cannot be a blob */
	u64 pages;
	/* how many of them are those before, once more */
	u64 again;
};

/* Of a kernel with pages of 4 KiB */
static const struct blob_case blob_cases[] = {
	{ "one page", 32, 32, 128, 0, 2, 1 },
	{ "part of a page", 33, 31, 132, 0, 2, 1 },
	{ "from the second page on", 32, 32, 128, 4096, 2, 1 },
	{ "from the second pixel on", 32, 32, 128, 4, 0, 0 },
	{ "from the end of a page on", 1, 1, 4, 8188, 0, 0 },
	{ "one pixel", 1, 1, 4, 8192, 1, 0 },
	{ "screen", 1280, 800, 5120, 0, 1002, 2 },
	{ "long pitch", 640, 480, 8192, 0, 962, 3 },
	{ "two screens, side by side", 2048, 768, 8192, 0, 1538, 2 },
	{ "size of a cursor", 64, 64, 256, 0, 0, 0 },
	{ "size of a cursor, narrower", 63, 64, 256, 0, 0, 0 },
	{ "lower than a cursor", 64, 63, 256, 0, 4, 0 },
	{ "less memory than a line", 1, 1, 65536, 0, 0, 0 },
	{ "largest", 8192, 2047, 32768, 0, 16384, 8 },
	{ "too large", 8192, 2048, 32768, 0, 0, 0 },
};

KUNIT_ARRAY_PARAM_DESC(blob, blob_cases, name);

static void virtgpu_sgt_fb_blob_test(struct kunit *test)
{
	const struct blob_case *c = test->param_value;
	const struct drm_framebuffer fb = {
		.width = c->width,
		.height = c->height,
		.pitches = { c->pitch },
		.offsets = { c->offset },
	};
	struct virtgpu_sgt_blob blob = virtgpu_sgt_fb_blob_of(&fb);

	if (PAGE_SIZE != SZ_4K)
		kunit_skip(test, "pages of another size");

	KUNIT_EXPECT_EQ(test, blob.size, c->pages * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, blob.again, c->again * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, blob.width, c->pages ? c->width : 0);
}

struct pixel_case {
	const char *name;
	u32 width;
	int x, y;
	u64 want;
};

static const struct pixel_case pixel_cases[] = {
	{ "first", 64, 0, 0, 0 },
	{ "second", 64, 1, 0, 4 },
	{ "last of a line", 64, 63, 0, 252 },
	{ "second line", 64, 0, 1, 256 },
	{ "one pixel wide", 1, 0, 5, 20 },
	{ "largest", 16384, 16383, 16383, SZ_1G - 4 },
};

KUNIT_ARRAY_PARAM_DESC(pixel, pixel_cases, name);

static void virtgpu_sgt_fb_offset_test(struct kunit *test)
{
	const struct pixel_case *c = test->param_value;
	const struct virtgpu_sgt_resource res = { .width = c->width };
	const struct drm_rect rect = DRM_RECT_INIT(c->x, c->y, 1, 1);

	KUNIT_EXPECT_EQ(test, virtgpu_sgt_resource_offset(&res, &rect), c->want);
}

static struct kunit_case virtgpu_sgt_fb_cases[] = {
	KUNIT_CASE_PARAM(virtgpu_sgt_fb_format_test, format_gen_params),
	KUNIT_CASE_PARAM(virtgpu_sgt_fb_check_test, fb_gen_params),
	KUNIT_CASE_PARAM(virtgpu_sgt_fb_own_test, own_gen_params),
	KUNIT_CASE_PARAM(virtgpu_sgt_fb_size_test, size_gen_params),
	KUNIT_CASE_PARAM(virtgpu_sgt_fb_blob_test, blob_gen_params),
	KUNIT_CASE_PARAM(virtgpu_sgt_fb_offset_test, pixel_gen_params),
	{}
};

static struct kunit_suite virtgpu_sgt_fb_suite = {
	.name = "virtgpu_sgt_fb",
	.test_cases = virtgpu_sgt_fb_cases,
};

kunit_test_suite(virtgpu_sgt_fb_suite);
