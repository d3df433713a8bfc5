// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <unistd.h>

#include "igt.h"

#include "lib/sgt_dmabuf.h"
#include "lib/sgt_space.h"
#include "lib/sgt_test.h"

/**
 * TEST: sgt fdinfo
 * Description: Read the memory of a DRM file from its fdinfo
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: fdinfo
 * Test category: functionality test
 *
 * SUBTEST: total
 * Description: Buffers add their size, and take it with them
 *
 * SUBTEST: shared
 * Description: An exported buffer is shared, and still counted once
 *
 * SUBTEST: import
 * Description: An import adds the size of its dma-buf
 *
 * SUBTEST: va-resource
 * Description: A resource over a range of the address space has no memory of its own
 *
 * SUBTEST: other-file
 * Description: Buffers of one file are not in the fdinfo of another one
 *
 * SUBTEST: unbound
 * Description: The fdinfo of a file whose device is unbound can be read
 */

IGT_TEST_DESCRIPTION("Read the memory of a DRM file from its fdinfo");

#define SIDE	256u

/* Bytes, as in Documentation/gpu/drm-usage-stats.rst of the kernel; -1: no such line */
struct memory {
	long long total, shared, resident;
};

static long long bytes_of(const char *text, const char *key)
{
	const char *line = strstr(text, key);
	char unit[8] = "";
	long long number;

	if (!line)
		return -1;
	igt_assert(sscanf(line + strlen(key), " %lld %7[A-Za-z]", &number, unit) >= 1);
	if (!strcmp(unit, "KiB"))
		return number << 10;
	if (!strcmp(unit, "MiB"))
		return number << 20;
	return number;
}

static void read_fdinfo(int drm, char *text, size_t size)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", drm);
	file = fopen(path, "re");
	igt_assert(file);
	text[fread(text, 1, size - 1, file)] = 0;
	igt_assert(!ferror(file));
	fclose(file);
}

static struct memory memory_of(int drm)
{
	char text[4096];

	read_fdinfo(drm, text, sizeof(text));
	return (struct memory) {
		.total = bytes_of(text, "drm-total-memory:"),
		.shared = bytes_of(text, "drm-shared-memory:"),
		.resident = bytes_of(text, "drm-resident-memory:"),
	};
}

static void expect_memory(int drm, long long total, long long shared, long long resident)
{
	struct memory memory = memory_of(drm);

	igt_assert_eq(memory.total, total);
	igt_assert_eq(memory.shared, shared);
	igt_assert_eq(memory.resident, resident);
}

/* A buffer has pages when it is used. */
static void make_resident(struct sgt_bo *bo, int drm, uint32_t height)
{
	sgt_must(sgt_bo_create(bo, drm, SIDE, height));
	sgt_must(sgt_bo_map(bo));
	sgt_fill(bo->map, sgt_bo_words(bo), 0);
}

static void test_total(int drm)
{
	struct sgt_bo bos[3];
	long long size = 0;

	for (int i = 0; i < 3; i++) {
		make_resident(&bos[i], drm, SIDE << i);
		size += bos[i].size;
		expect_memory(drm, size, 0, size);
	}
	for (int i = 0; i < 3; i++) {
		size -= bos[i].size;
		sgt_bo_free(&bos[i]);
		expect_memory(drm, size, 0, size);
	}
}

static void test_shared(int drm)
{
	struct sgt_bo bo;
	int dmabuf;

	make_resident(&bo, drm, SIDE);
	dmabuf = sgt_must(sgt_bo_export(&bo));
	expect_memory(drm, bo.size, bo.size, bo.size);
	close(dmabuf);
	sgt_bo_free(&bo);
	expect_memory(drm, 0, 0, 0);
}

static void test_import(int drm)
{
	struct sgt_foreign foreign;
	struct sgt_bo bo;

	igt_require(!sgt_foreign_vgem(&foreign, SIDE, SIDE));
	sgt_must(sgt_bo_import(&bo, drm, foreign.fd, SIDE, SIDE));
	expect_memory(drm, bo.size, bo.size, bo.size);
	sgt_bo_free(&bo);
	sgt_foreign_free(&foreign);
}

static void test_va_resource(int drm)
{
	struct sgt_bo bo, picture;

	sgt_must(sgt_bo_create(&bo, drm, SIDE, SIDE));
	sgt_must(sgt_vm_map(&bo, 0, bo.size, 0));
	sgt_must(sgt_vm_picture(&picture, drm, 0, SIDE, SIDE));
	expect_memory(drm, bo.size, 0, bo.size);
	sgt_bo_free(&picture);
	sgt_must(sgt_vm_unmap(drm, 0, bo.size));
	sgt_bo_free(&bo);
}

static void test_other_file(int drm)
{
	int other = sgt_must(sgt_open());
	struct sgt_bo bo;

	sgt_must(sgt_bo_create(&bo, drm, SIDE, SIDE));
	expect_memory(other, 0, 0, 0);
	expect_memory(drm, bo.size, 0, 0);
	sgt_must(sgt_bo_map(&bo));
	sgt_fill(bo.map, sgt_bo_words(&bo), 0);
	expect_memory(drm, bo.size, 0, bo.size);
	sgt_bo_free(&bo);
	close(other);
}

static void test_unbound(struct sgt_test *test)
{
	int drm = sgt_must(sgt_open());
	struct sgt_bo bo;

	sgt_must(sgt_bo_create(&bo, drm, SIDE, SIDE));
	sgt_must(sgt_unbind(&test->gpu, SGT_ROUTE_VIRTIO));
	expect_memory(drm, -1, -1, -1);
	sgt_bo_free(&bo);
	close(drm);
	sgt_must(sgt_rebind(&test->gpu, SGT_ROUTE_VIRTIO));
}

int igt_main()
{
	static const struct {
		const char *name, *what;
		void (*run)(int drm);
	} tests[] = {
		{ "total", "Buffers add their size", test_total },
		{ "shared", "An exported buffer is shared", test_shared },
		{ "import", "An import adds the size of its dma-buf", test_import },
		{ "va-resource", "A resource over a range has no memory", test_va_resource },
		{ "other-file", "Files have numbers of their own", test_other_file },
	};
	struct sgt_test test = {};
	struct sgt_baseline base;

	igt_fixture() {
		close(sgt_test_begin(&test));
		sgt_require_tables(&test);
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].what);
		igt_subtest(tests[i].name) {
			int drm = sgt_must(sgt_open());

			sgt_baseline_take(&test, &base);
			tests[i].run(drm);
			sgt_baseline_check(&test, &base);
			close(drm);
		}
	}

	igt_describe("Read after an unbind");
	igt_subtest("unbound")
		test_unbound(&test);
}
