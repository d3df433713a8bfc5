// SPDX-License-Identifier: GPL-2.0

#include <linux/array_size.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/virtio_gpu.h>

#include <kunit/test.h>

#include <drm/drm_edid.h>
#include <drm/drm_modes.h>

#include "../virtgpu_sgt_scanout.h"

/*
 * The host's answers about displays, valid or not: an answer is not read beyond its
 * length, and missing data is not used as a size.
 */

#define INFO_LEN(displays)						\
	(offsetof(struct virtio_gpu_resp_display_info, pmodes) +	\
	 (displays) * sizeof(struct virtio_gpu_display_one))
#define EDID_LEN(bytes)	(offsetof(struct virtio_gpu_resp_edid, edid) + (bytes))

/* The old state before the answer, which must be replaced. */
static void display_begin(struct virtgpu_sgt_scanout *display)
{
	*display = (struct virtgpu_sgt_scanout) {
		.enabled = true,
		.width = 640,
		.height = 480,
		.edid_size = EDID_LENGTH,
	};
}

struct size_case {
	const char *name;
	u32 width, height;
	u32 want_width, want_height;
};

static const struct size_case size_cases[] = {
	{ "nothing said", 0, 0, 1024, 768 },
	{ "no width", 0, 800, 1024, 768 },
	{ "no height", 1280, 0, 1024, 768 },
	{ "usual", 1280, 800, 1280, 800 },
	{ "smallest", 32, 32, 32, 32 },
	{ "largest", 8192, 8192, 8192, 8192 },
	{ "narrow", 31, 800, 1024, 768 },
	{ "low", 1280, 31, 1024, 768 },
	{ "wide", 8193, 800, 1024, 768 },
	{ "high", 1280, 8193, 1024, 768 },
	{ "both small", 20, 20, 1024, 768 },
	{ "wide and low", 9000, 20, 1024, 768 },
	{ "U32_MAX", U32_MAX, U32_MAX, 1024, 768 },
};

KUNIT_ARRAY_PARAM_DESC(size, size_cases, name);

static void virtgpu_sgt_scanout_size_test(struct kunit *test)
{
	const struct size_case *c = test->param_value;
	struct virtgpu_sgt_scanout *display;
	u32 width, height;

	display = kunit_kzalloc(test, sizeof(*display), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, display);
	display->width = c->width;
	display->height = c->height;
	virtgpu_sgt_scanout_get_size(display, &width, &height);
	KUNIT_EXPECT_EQ(test, width, c->want_width);
	KUNIT_EXPECT_EQ(test, height, c->want_height);
}

struct mode_case {
	const char *name;
	u16 width, height;
	u32 flags;
	bool want;
};

static const struct mode_case mode_cases[] = {
	{ "usual", 1280, 800, DRM_MODE_FLAG_PHSYNC, true },
	{ "smallest", 32, 32, 0, true },
	{ "largest", 8192, 8192, 0, true },
	{ "narrow", 31, 32, 0, false },
	{ "low", 32, 31, 0, false },
	{ "wide", 8193, 8192, 0, false },
	{ "high", 8192, 8193, 0, false },
	{ "interlaced", 1920, 1080, DRM_MODE_FLAG_INTERLACE, false },
	{ "lines twice", 640, 480, DRM_MODE_FLAG_DBLSCAN, false },
};

KUNIT_ARRAY_PARAM_DESC(mode, mode_cases, name);

static void virtgpu_sgt_scanout_mode_test(struct kunit *test)
{
	const struct mode_case *c = test->param_value;
	const struct drm_display_mode mode = {
		.hdisplay = c->width,
		.vdisplay = c->height,
		.flags = c->flags,
	};

	KUNIT_EXPECT_EQ(test, virtgpu_sgt_scanout_has_mode(&mode), c->want);
}

struct info_case {
	const char *name;
	size_t len;
	unsigned int scanout;
	bool want;
};

/* The response has all 16 displays, each with a different size. */
static const struct info_case info_cases[] = {
	{ "first", INFO_LEN(16), 0, true },
	{ "last", INFO_LEN(16), 15, true },
	{ "one more than there can be", INFO_LEN(16), 16, false },
	{ "number that overflows", INFO_LEN(16), UINT_MAX, false },
	{ "just long enough", INFO_LEN(3), 2, true },
	{ "cut in the display", INFO_LEN(3) - 1, 2, false },
	{ "cut before the display", INFO_LEN(2), 2, false },
	{ "header only", sizeof(struct virtio_gpu_ctrl_hdr), 0, false },
	{ "empty", 0, 0, false },
};

KUNIT_ARRAY_PARAM_DESC(info, info_cases, name);

static void virtgpu_sgt_scanout_info_test(struct kunit *test)
{
	const struct info_case *c = test->param_value;
	struct virtio_gpu_resp_display_info *resp;
	struct virtgpu_sgt_scanout *display;
	unsigned int i;

	display = kunit_kzalloc(test, sizeof(*display), GFP_KERNEL);
	resp = kunit_kzalloc(test, sizeof(*resp), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, display);
	KUNIT_ASSERT_NOT_NULL(test, resp);
	for (i = 0; i < ARRAY_SIZE(resp->pmodes); i++) {
		resp->pmodes[i].enabled = cpu_to_le32(1);
		resp->pmodes[i].r.width = cpu_to_le32(1000 + i);
		resp->pmodes[i].r.height = cpu_to_le32(500 + i);
	}

	display_begin(display);
	virtgpu_sgt_scanout_set_info(display, resp, c->len, c->scanout);
	KUNIT_EXPECT_EQ(test, display->enabled, c->want);
	KUNIT_EXPECT_EQ(test, display->width, c->want ? 1000 + c->scanout : 0);
	KUNIT_EXPECT_EQ(test, display->height, c->want ? 500 + c->scanout : 0);
	KUNIT_EXPECT_EQ(test, display->edid_size, EDID_LENGTH);
}

struct edid_case {
	const char *name;
	size_t len;
	u32 size;
	unsigned int want_blocks;
};

static const struct edid_case edid_cases[] = {
	{ "one block", EDID_LEN(1024), 128, 1 },
	{ "two blocks", EDID_LEN(1024), 256, 2 },
	{ "all there can be", EDID_LEN(1024), 1024, 8 },
	{ "no EDID", EDID_LEN(1024), 0, 0 },
	{ "less than a block", EDID_LEN(1024), 127, 0 },
	{ "a block and a part", EDID_LEN(1024), 255, 1 },
	{ "more than the field", EDID_LEN(1024), 1025, 8 },
	{ "U32_MAX", EDID_LEN(1024), U32_MAX, 8 },
	{ "more than was written", EDID_LEN(200), 1024, 1 },
	{ "as much as was written", EDID_LEN(256), 256, 2 },
	{ "nothing written", EDID_LEN(0), 1024, 0 },
	{ "header only", sizeof(struct virtio_gpu_ctrl_hdr), 1024, 0 },
	{ "empty", 0, 1024, 0 },
	{ "more written than asked for", EDID_LEN(4096), 1024, 8 },
};

KUNIT_ARRAY_PARAM_DESC(edid, edid_cases, name);

/* Expect that each block is filled with its number. */
static void expect_blocks(struct kunit *test, struct virtgpu_sgt_scanout *display,
			  unsigned int count)
{
	u8 buf[EDID_LENGTH];
	unsigned int i;

	for (i = 0; i < count; i++) {
		KUNIT_EXPECT_EQ(test, 0,
				virtgpu_sgt_scanout_read_edid(display, buf, i,
							      sizeof(buf)));
		KUNIT_EXPECT_PTR_EQ(test, NULL,
				    memchr_inv(buf, i + 1, sizeof(buf)));
	}

	memset(buf, 0xff, sizeof(buf));
	/* 255 extensions are the maximum of the count. */
	for (; i < 256; i++)
		KUNIT_EXPECT_EQ(test, -EINVAL,
				virtgpu_sgt_scanout_read_edid(display, buf, i,
							      sizeof(buf)));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			virtgpu_sgt_scanout_read_edid(display, buf, UINT_MAX,
						      sizeof(buf)));
	KUNIT_EXPECT_PTR_EQ(test, NULL, memchr_inv(buf, 0xff, sizeof(buf)));
}

static void virtgpu_sgt_scanout_edid_test(struct kunit *test)
{
	const struct edid_case *c = test->param_value;
	struct virtgpu_sgt_scanout *display;
	struct virtio_gpu_resp_edid *resp;
	unsigned int i;

	display = kunit_kzalloc(test, sizeof(*display), GFP_KERNEL);
	resp = kunit_kzalloc(test, sizeof(*resp), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, display);
	KUNIT_ASSERT_NOT_NULL(test, resp);
	for (i = 0; i < sizeof(resp->edid); i++)
		resp->edid[i] = 1 + i / EDID_LENGTH;
	resp->size = cpu_to_le32(c->size);

	display_begin(display);
	virtgpu_sgt_scanout_set_edid(display, resp, c->len);
	KUNIT_EXPECT_EQ(test, display->edid_size, c->want_blocks * EDID_LENGTH);
	expect_blocks(test, display, c->want_blocks);
	KUNIT_EXPECT_TRUE(test, display->enabled);
	KUNIT_EXPECT_EQ(test, display->width, 640);
}

static struct kunit_case virtgpu_sgt_scanout_cases[] = {
	KUNIT_CASE_PARAM(virtgpu_sgt_scanout_size_test, size_gen_params),
	KUNIT_CASE_PARAM(virtgpu_sgt_scanout_mode_test, mode_gen_params),
	KUNIT_CASE_PARAM(virtgpu_sgt_scanout_info_test, info_gen_params),
	KUNIT_CASE_PARAM(virtgpu_sgt_scanout_edid_test, edid_gen_params),
	{}
};

static struct kunit_suite virtgpu_sgt_scanout_suite = {
	.name = "virtgpu_sgt_scanout",
	.test_cases = virtgpu_sgt_scanout_cases,
};

kunit_test_suite(virtgpu_sgt_scanout_suite);
