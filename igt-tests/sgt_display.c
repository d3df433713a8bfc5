// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "igt.h"

#include "lib/sgt_test.h"

/**
 * TEST: sgt display
 * Description: Query the modes of displays without information from the host
 * Category: Display
 * Mega feature: DRM
 * Sub-category: KMS
 * Functionality: modes
 * Test category: functionality test
 *
 * SUBTEST: forced
 * Description: A display that is off on the host and forced on has the modes of its EDID
 *
 * SUBTEST: forced-no-size
 * Description: A forced display whose EDID has no usable mode prefers 1024x768
 *
 * SUBTEST: no-preferred
 * Description: The size of the host is used if the EDID has no usable mode
 *
 * SUBTEST: override
 * Description: An EDID override is used from the next probe on
 *
 * SUBTEST: override-ends
 * Description: The EDID of the host is used again from the next probe on
 */

IGT_TEST_DESCRIPTION("Query the modes of displays without information from the host");

#define EDID_BLOCK	128
#define EDID_MAX	1024

/* The first detailed timing of an EDID begins here. */
#define EDID_TIMING	54

struct edid {
	uint8_t bytes[EDID_MAX];
	size_t size;
};

static void control_path(char path[128], int drm, int display, const char *file)
{
	struct stat st;

	igt_assert_eq(fstat(drm, &st), 0);
	if (!strcmp(file, "edid_override"))
		snprintf(path, 128, "/sys/kernel/debug/dri/%u/Virtual-%d/%s",
			 minor(st.st_rdev), display, file);
	else
		snprintf(path, 128, "/sys/class/drm/card%u-Virtual-%d/%s",
			 minor(st.st_rdev), display, file);
}

static void control(int drm, int display, const char *file, const void *data, size_t len)
{
	char path[128];
	int fd;

	control_path(path, drm, display, file);
	fd = open(path, O_WRONLY);
	igt_assert_f(fd >= 0, "%s: %s\n", path, strerror(errno));
	igt_assert_eq(write(fd, data, len), len);
	close(fd);
}

static void force(int drm, int display, const char *status)
{
	control(drm, display, "status", status, strlen(status));
}

static void override(int drm, int display, const struct edid *edid)
{
	control(drm, display, "edid_override", edid->bytes, edid->size);
}

static void override_end(int drm, int display)
{
	control(drm, display, "edid_override", "reset", strlen("reset"));
}

/* Probes the connector, which the caller frees. */
static drmModeConnector *probe(int drm, uint32_t display)
{
	drmModeRes *res = drmModeGetResources(drm);
	drmModeConnector *connector = NULL;

	igt_assert(res);
	for (int i = 0; i < res->count_connectors; i++) {
		connector = drmModeGetConnector(drm, res->connectors[i]);
		igt_assert(connector);
		if (connector->connector_type_id == display)
			break;
		drmModeFreeConnector(connector);
		connector = NULL;
	}
	drmModeFreeResources(res);
	return connector;
}

/* A probe finds the display, and its first mode is the preferred one. */
static drmModeModeInfo first_mode(int drm, int display)
{
	drmModeConnector *connector = probe(drm, display);
	drmModeModeInfo mode;

	igt_assert(connector);
	igt_assert_eq(connector->connection, DRM_MODE_CONNECTED);
	igt_assert_lt(0, connector->count_modes);
	mode = connector->modes[0];
	igt_assert(mode.type & DRM_MODE_TYPE_PREFERRED);
	drmModeFreeConnector(connector);
	return mode;
}

static void expect_first_mode(int drm, int display, int width, int height)
{
	drmModeModeInfo mode = first_mode(drm, display);

	igt_assert_f(mode.hdisplay == width && mode.vdisplay == height,
		     "the first mode is %dx%d, not %dx%d\n", mode.hdisplay, mode.vdisplay,
		     width, height);
}

/* The result of the last probe */
static void read_edid(int drm, int display, struct edid *edid)
{
	char path[128];
	ssize_t size;
	int fd;

	control_path(path, drm, display, "edid");
	fd = open(path, O_RDONLY);
	igt_assert(fd >= 0);
	size = read(fd, edid->bytes, sizeof(edid->bytes));
	close(fd);
	igt_assert_f(size >= EDID_BLOCK, "an EDID of %zd bytes\n", size);
	edid->size = size;
}

static int edid_width(const struct edid *edid)
{
	const uint8_t *timing = edid->bytes + EDID_TIMING;

	return timing[2] | (timing[4] & 0xf0) << 4;
}

static int edid_height(const struct edid *edid)
{
	const uint8_t *timing = edid->bytes + EDID_TIMING;

	return timing[5] | (timing[7] & 0xf0) << 4;
}

/* The EDID of the last probe, with another preferred size */
static void make_edid(int drm, int display, struct edid *edid, int width, int height)
{
	uint8_t *timing = edid->bytes + EDID_TIMING, sum = 0;

	read_edid(drm, display, edid);
	timing[2] = width;
	timing[4] = (timing[4] & 0xf) | (width >> 8) << 4;
	timing[5] = height;
	timing[7] = (timing[7] & 0xf) | (height >> 8) << 4;
	for (int i = 0; i < EDID_BLOCK - 1; i++)
		sum += edid->bytes[i];
	edid->bytes[EDID_BLOCK - 1] = -sum;
}

/* The second display, which is off on the host */
static void force_second(int drm)
{
	drmModeConnector *connector = probe(drm, 2);

	igt_require_f(connector, "the GPU has one display\n");
	igt_assert_eq(connector->connection, DRM_MODE_DISCONNECTED);
	drmModeFreeConnector(connector);
	force(drm, 2, "on");
}

static void test_forced(int drm)
{
	struct edid edid;

	force_second(drm);
	first_mode(drm, 2);
	read_edid(drm, 2, &edid);
	expect_first_mode(drm, 2, edid_width(&edid), edid_height(&edid));
}

static void test_forced_no_size(int drm)
{
	struct edid edid;

	force_second(drm);
	first_mode(drm, 2);
	make_edid(drm, 2, &edid, 20, 20);
	override(drm, 2, &edid);
	expect_first_mode(drm, 2, 1024, 768);
}

static void test_no_preferred(int drm)
{
	drmModeModeInfo mode = first_mode(drm, 1);
	struct edid edid;

	make_edid(drm, 1, &edid, 20, 20);
	override(drm, 1, &edid);
	expect_first_mode(drm, 1, mode.hdisplay, mode.vdisplay);
}

static void test_override(int drm)
{
	struct edid edid, probed;

	first_mode(drm, 1);
	make_edid(drm, 1, &edid, 1000, 700);
	override(drm, 1, &edid);
	expect_first_mode(drm, 1, 1000, 700);
	read_edid(drm, 1, &probed);
	igt_assert_eq(probed.size, edid.size);
	igt_assert(!memcmp(probed.bytes, edid.bytes, edid.size));
}

static void test_override_ends(int drm)
{
	drmModeModeInfo mode = first_mode(drm, 1);
	struct edid host, edid, probed;

	read_edid(drm, 1, &host);
	make_edid(drm, 1, &edid, 1000, 700);
	override(drm, 1, &edid);
	expect_first_mode(drm, 1, 1000, 700);
	override_end(drm, 1);
	expect_first_mode(drm, 1, mode.hdisplay, mode.vdisplay);
	read_edid(drm, 1, &probed);
	igt_assert_eq(probed.size, host.size);
	igt_assert(!memcmp(probed.bytes, host.bytes, host.size));
}

/* No override is active: at the beginning and at the end of each test */
static void let_go(int drm)
{
	for (int display = 1; ; display++) {
		drmModeConnector *connector = probe(drm, display);

		if (!connector)
			break;
		drmModeFreeConnector(connector);
		force(drm, display, "detect");
		override_end(drm, display);
		drmModeFreeConnector(probe(drm, display));
	}
}

int igt_main()
{
	static const struct {
		const char *name, *what;
		void (*run)(int drm);
	} tests[] = {
		{ "forced", "A forced display has an EDID", test_forced },
		{ "forced-no-size", "0 is not a size", test_forced_no_size },
		{ "no-preferred", "The size is still that of the display", test_no_preferred },
		{ "override", "An EDID override", test_override },
		{ "override-ends", "The end of an override", test_override_ends },
	};
	struct sgt_test test;
	int drm = -1;

	igt_fixture() {
		drm = sgt_test_begin(&test);
		sgt_require_tables(&test);
		let_go(drm);
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].what);
		igt_subtest(tests[i].name)
			tests[i].run(drm);
	}

	igt_fixture() {
		let_go(drm);
		close(drm);
	}
}
