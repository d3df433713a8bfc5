// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "igt.h"

#include "../samples/driver/sgt_sample_drm.h"
#include "lib/sgt_test.h"

/**
 * TEST: sgt sample
 * Description: Use and unbind the driver that is built outside of the tree
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: driver outside of the tree
 * Test category: functionality test
 *
 * SUBTEST: show
 * Description: The device reads a buffer, which the CPU has mapped
 *
 * SUBTEST: unbind
 * Description: An unbind ends the mapping; the buffer stays, and the module with it
 *
 * SUBTEST: caching
 * Description: The CPU maps buffers of a device that is not coherent write-combined
 *
 * SUBTEST: refuse
 * Description: A handle that is none is refused, and a buffer that is too large
 */

IGT_TEST_DESCRIPTION("Use and unbind the driver that is built outside of the tree");

#define MODULE	"sgt_sample"
#define DRIVER	"/sys/bus/platform/drivers/" MODULE
#define SIDE	64u
#define PAGES	(SIDE * SIDE * 4 / PAGE)

static bool is_built(void)
{
	struct utsname kernel;
	char path[256];

	igt_assert_eq(uname(&kernel), 0);
	snprintf(path, sizeof(path), "/lib/modules/%s/" MODULE ".ko", kernel.release);
	return !access(path, F_OK);
}

static int show(int drm, uint32_t handle, uint32_t *pages)
{
	struct drm_sgt_sample_show args = { .handle = handle };

	if (drmIoctl(drm, DRM_IOCTL_SGT_SAMPLE_SHOW, &args))
		return -errno;
	*pages = args.pages;
	return 0;
}

/* The device of the sample, which is not the only one with the helpers */
static void find_row(struct sgt_device_row *row)
{
	struct sgt_device_row *rows = NULL;
	int count = sgt_must(sgt_read_devices(&rows)), found = 0;

	for (int i = 0; i < count; i++) {
		if (strcmp(rows[i].owner, MODULE))
			continue;
		*row = rows[i];
		found++;
	}
	free(rows);
	igt_assert_eq(found, 1);
}

/* Makes a buffer that the device has read; returns the DRM file. */
static int begin(struct sgt_bo *bo)
{
	struct sgt_device_row row;
	uint32_t pages = 0;
	int drm;

	sgt_must(sgt_module_load(MODULE));
	drm = sgt_must(sgt_open_driver(MODULE));
	sgt_must(sgt_bo_create(bo, drm, SIDE, SIDE));
	sgt_must(sgt_bo_map(bo));
	sgt_fill(bo->map, sgt_bo_words(bo), 1);
	sgt_must(show(drm, bo->handle, &pages));
	igt_assert_eq(pages, PAGES);

	find_row(&row);
	igt_assert_eq(row.mapped, 1);
	igt_assert_eq(row.bytes_mapped, PAGES * PAGE);
	return drm;
}

static void end(int drm, struct sgt_bo *bo)
{
	sgt_bo_free(bo);
	close(drm);
	sgt_must(sgt_module_unload(MODULE));
}

static void test_show(void)
{
	struct sgt_bo bo;
	int drm = begin(&bo);

	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), 1);
	end(drm, &bo);
}

static void test_unbind(void)
{
	struct sgt_device_row row;
	struct sgt_bo bo;
	uint32_t pages;
	int drm = begin(&bo);

	sgt_must(sgt_write_file(DRIVER "/unbind", MODULE));
	find_row(&row);
	igt_assert_eq(row.mapped, 0);
	igt_assert_eq(row.revoked, 1);
	igt_assert_eq(show(drm, bo.handle, &pages), -ENODEV);
	igt_assert_eq(sgt_module_unload(MODULE), -EWOULDBLOCK);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), 1);
	end(drm, &bo);
}

/* A device without a firmware node is coherent on x86 only. */
static void test_caching(void)
{
#ifdef __x86_64__
	static const char caching[] = "cached";
#else
	static const char caching[] = "wc";
#endif
	struct sgt_buffer_row buffer;
	struct sgt_device_row row;
	struct sgt_bo bo;
	int drm = begin(&bo);

	find_row(&row);
	sgt_must(sgt_find_buffer(row.id, bo.size, &buffer));
	igt_assert_f(!strcmp(buffer.caching, caching), "it is %s\n", buffer.caching);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), 1);

	/* The pages stay as they are. */
	sgt_must(sgt_write_file(DRIVER "/unbind", MODULE));
	sgt_must(sgt_find_buffer(row.id, bo.size, &buffer));
	igt_assert_f(!strcmp(buffer.caching, caching), "it is %s\n", buffer.caching);
	sgt_fill(bo.map, sgt_bo_words(&bo), 2);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), 2);
	end(drm, &bo);
}

static void test_refuse(void)
{
	struct sgt_bo bo, large;
	uint32_t pages;
	int drm = begin(&bo);

	igt_assert_eq(show(drm, bo.handle + 1, &pages), -ENOENT);
	sgt_must(sgt_bo_create(&large, drm, 2048, 1024));
	igt_assert_eq(show(drm, large.handle, &pages), -E2BIG);
	sgt_bo_free(&large);
	end(drm, &bo);
}

int igt_main()
{
	static const struct {
		const char *name, *what;
		void (*run)(void);
	} tests[] = {
		{ "show", "The device reads a buffer", test_show },
		{ "unbind", "The buffer outlives the mapping", test_unbind },
		{ "caching", "The mapping is as the device needs it", test_caching },
		{ "refuse", "What cannot be shown is refused", test_refuse },
	};

	igt_fixture()
		igt_require_f(is_built(), "the driver is not built for this kernel\n");

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].what);
		igt_subtest(tests[i].name)
			tests[i].run();
	}

	igt_fixture() {
		sgt_let_go();
		sgt_module_unload(MODULE);
	}
}
