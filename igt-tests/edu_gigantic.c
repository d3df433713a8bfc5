// SPDX-License-Identifier: GPL-2.0
#include "igt.h"

#include <drm/edu_gpu_drm.h>
#include "lib/edu.h"
#include "lib/sgt_dmabuf.h"

/**
 * TEST: edu gigantic
 * Description: Copy through leaves of 1 GiB that an MMU in QEMU reads
 * Category: Core
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: address space
 * Test category: functionality test
 *
 * SUBTEST: leaf
 * Description: Copy from and to the first, the last and other bytes of a 1G leaf
 *
 * SUBTEST: cut
 * Description: An unmap of a page in a 1G leaf keeps the rest, and the hole can be filled
 *
 * SUBTEST: replace
 * Description: A 1G leaf replaces what a cut has left, and pages replace a part of it
 *
 * SUBTEST: read-only
 * Description: A copy to a read-only 1G leaf fails and writes nothing, one from it works
 */

IGT_TEST_DESCRIPTION("Copy through leaves of 1 GiB that an MMU in QEMU reads");

#define LEAF_2M		0x200000ull
#define LEAF_1G		0x40000000ull
#define SRC		(5ull << 39)
#define DST		(6ull << 39)

static char pci[64];

/* The page of 1 GiB, and a buffer of a page at DST */
struct buffers {
	struct sgt_foreign page;
	struct sgt_bo large;
	struct sgt_bo small;
};

static void expect_leaves(int drm, unsigned long g, unsigned long m, unsigned long k)
{
	igt_assert_eq_u64(edu_leaves(drm, "1g"), g);
	igt_assert_eq_u64(edu_leaves(drm, "2m"), m);
	igt_assert_eq_u64(edu_leaves(drm, "4k"), k);
}

static void make(struct buffers *b, int drm)
{
	int err = sgt_foreign_gigantic(&b->page);

	if (err && sgt_setup_is("edu") && !getenv("SGT_DEBUG"))
		sgt_must(err);
	igt_require_f(!err, "no page of 1 GiB\n");
	sgt_must(sgt_bo_import(&b->large, drm, b->page.fd, PAGE / 4, LEAF_1G / PAGE));
	b->large.map = b->page.map;
	edu_make(&b->small, drm, 1, sgt_new_seed());
	sgt_must(edu_map(&b->small, DST, PAGE, 0));
}

static void end(struct buffers *b)
{
	b->large.map = NULL;
	sgt_bo_free(&b->large);
	sgt_bo_free(&b->small);
	sgt_foreign_free(&b->page);
}

/* Copy bytes of the page, which are new. */
static void expect_read(const struct buffers *b, uint64_t from, uint64_t va, uint32_t len)
{
	sgt_fill((uint32_t *)((char *)b->page.map + from), len / 4, sgt_new_seed());
	edu_expect_copy(&b->large, from, va, &b->small, 0, DST, len);
}

static void test_leaf(int drm, struct buffers *b)
{
	static const uint64_t at[] = { 0, LEAF_2M - 500, 0x12345678, LEAF_1G - 1000 };

	sgt_must(edu_map(&b->large, SRC, LEAF_1G, 0));
	expect_leaves(drm, 1, 0, 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
		expect_read(b, at[i], SRC + at[i], 1000);
		sgt_fill(b->small.map, 250, sgt_new_seed());
		edu_expect_copy(&b->small, 0, DST, &b->large, at[i], SRC + at[i], 1000);
	}
	edu_expect_fault(drm, SRC + LEAF_1G, DST, 64, b->small.map);
	edu_expect_fault(drm, SRC + LEAF_1G - 32, DST, 64, b->small.map);
	sgt_must(edu_unmap(drm, SRC, LEAF_1G));
	edu_expect_fault(drm, SRC, DST, 64, b->small.map);
}

static void cut(int drm, struct buffers *b, uint64_t hole)
{
	sgt_must(edu_map(&b->large, SRC, LEAF_1G, 0));
	expect_read(b, hole, SRC + hole, 64);
	sgt_must(edu_unmap(drm, SRC + hole, PAGE));
	expect_leaves(drm, 0, 511, 511 + 1);
	edu_expect_fault(drm, SRC + hole, DST, 64, b->small.map);
}

static void test_cut(int drm, struct buffers *b)
{
	const uint64_t hole = 300 * LEAF_2M + 100 * PAGE;

	cut(drm, b, hole);
	expect_read(b, hole - 64, SRC + hole - 64, 64);
	expect_read(b, hole + PAGE, SRC + hole + PAGE, 64);
	expect_read(b, 0, SRC, 64);
	expect_read(b, LEAF_1G - 64, SRC + LEAF_1G - 64, 64);

	sgt_must(edu_map(&b->large, SRC + hole, PAGE, 7 * PAGE));
	expect_read(b, 7 * PAGE, SRC + hole, 64);
}

static void test_replace(int drm, struct buffers *b)
{
	const uint64_t hole = LEAF_2M;

	cut(drm, b, hole);
	sgt_must(edu_replace(&b->large, SRC, LEAF_1G, 0));
	expect_leaves(drm, 1, 0, 1);
	expect_read(b, hole, SRC + hole, 64);

	sgt_must(edu_replace(&b->large, SRC + hole, 2 * PAGE, 5 * PAGE));
	expect_leaves(drm, 0, 511, 512 + 1);
	expect_read(b, 6 * PAGE, SRC + hole + PAGE, 64);
	expect_read(b, hole + 2 * PAGE, SRC + hole + 2 * PAGE, 64);
}

static void test_read_only(int drm, struct buffers *b)
{
	const uint64_t at = 0x2345678;

	sgt_must(edu_map_readonly(&b->large, SRC, LEAF_1G, 0));
	expect_leaves(drm, 1, 0, 1);
	edu_expect_fault(drm, DST, SRC + at, 64, b->page.map + at / 4);
	expect_read(b, at, SRC + at, 64);
}

int igt_main()
{
	static const struct {
		const char *name;
		const char *describe;
		void (*run)(int drm, struct buffers *b);
	} tests[] = {
		{ "leaf", "The MMU reads a leaf on level 2", test_leaf },
		{ "cut", "A split keeps what it does not unmap", test_cut },
		{ "replace", "Tables become a leaf, and a leaf becomes tables", test_replace },
		{ "read-only", "Permissions are those of the map", test_read_only },
	};
	struct buffers b;
	int drm = -1;

	igt_fixture()
		edu_begin(pci);

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].describe);
		igt_subtest(tests[i].name) {
			drm = edu_open();
			make(&b, drm);
			tests[i].run(drm, &b);
			end(&b);
			close(drm);
		}
	}
}
