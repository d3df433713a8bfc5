// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <unistd.h>

#include "igt.h"

#include "lib/sgt_answers.h"
#include "lib/sgt_dmabuf.h"
#include "lib/sgt_refuse.h"
#include "lib/sgt_swap.h"
#include "lib/sgt_virtgpu.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt madvise
 * Description: Buffers whose bytes are not needed are discarded
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: buffer creation
 * Test category: functionality test
 *
 * SUBTEST: bad-fields
 * Description: An advice is refused with a wrong field, one at a time
 *
 * SUBTEST: retained
 * Description: Without a shortage of memory, the bytes are retained
 *
 * SUBTEST: purged
 * Description: A buffer that is not needed is discarded, and stays so
 *
 * SUBTEST: needed
 * Description: A buffer that is needed again is not discarded
 *
 * SUBTEST: used
 * Description: As long as the host or an address space uses a buffer, its bytes are retained
 *
 * SUBTEST: used-held
 * Description: The bytes of a removed framebuffer are retained until the host has answered
 *
 * SUBTEST: shared
 * Description: The bytes of a dma-buf are retained, also after it is closed
 *
 * SUBTEST: handles
 * Description: The bytes of a buffer with two handles are retained, those of the last are not
 */

IGT_TEST_DESCRIPTION("Buffers whose bytes are not needed are discarded");

#define WILLNEED	VIRTGPU_SGT_MADV_WILLNEED
#define DONTNEED	VIRTGPU_SGT_MADV_DONTNEED

/* A size that no other buffer has */
#define PAGES		263
#define WORDS		(PAGES * WORDS_PER_PAGE)
#define VA		(3ull << 39)

static struct sgt_test test;

static uint32_t make(struct sgt_bo *bo, int drm)
{
	uint32_t seed = sgt_new_seed();

	sgt_make_pages(bo, drm, PAGES);
	sgt_fill(bo->map, WORDS, seed);
	return seed;
}

/* A shrink leaves the bytes, though they are not needed. */
static void expect_kept(const struct sgt_bo *bo, uint32_t seed, const char *state)
{
	igt_assert_eq(sgt_madvise(bo, DONTNEED), 1);
	sgt_expect_shrunk(&test, bo, state);
	igt_assert_eq(sgt_madvise(bo, WILLNEED), 1);
	sgt_expect_pattern(bo->map, WORDS, seed);
}

static void expect_purged(const struct sgt_bo *bo)
{
	igt_assert_eq(sgt_madvise(bo, DONTNEED), 1);
	sgt_expect_shrunk(&test, bo, "empty");
	igt_assert_eq(sgt_madvise(bo, WILLNEED), 0);
}

static void test_bad_fields(int drm)
{
	static const struct sgt_bad_field bad[] = {
#define BAD(field, value, error)	SGT_BAD(struct drm_virtgpu_sgt_madvise, field, value, error)
		BAD(handle, 0, ENOENT),
		BAD(handle, 0xdead, ENOENT),
		BAD(madv, 2, EINVAL),
		BAD(madv, UINT32_MAX, EINVAL),
		BAD(pad, 1, EINVAL),
#undef BAD
	};
	struct drm_virtgpu_sgt_madvise good = {};
	struct sgt_bo bo, picture;

	make(&bo, drm);
	good.handle = bo.handle;
	do_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_MADVISE, &good);
	igt_assert_eq_u32(good.retained, 1);
	sgt_refuse_ioctl(drm, DRM_IOCTL_VIRTGPU_SGT_MADVISE, &good, bad);

	sgt_must(sgt_vm_map(&bo, VA, bo.size, 0));
	sgt_must(sgt_vm_picture(&picture, drm, VA, 64, 64));
	igt_assert_eq(sgt_madvise(&picture, DONTNEED), -EOPNOTSUPP);
	sgt_bo_free(&picture);
	sgt_bo_free(&bo);
}

static void test_retained(int drm)
{
	struct sgt_bo bo;
	uint32_t seed = make(&bo, drm);

	igt_assert_eq(sgt_madvise(&bo, DONTNEED), 1);
	igt_assert_eq(sgt_madvise(&bo, DONTNEED), 1);
	sgt_expect_pattern(bo.map, WORDS, seed);
	igt_assert_eq(sgt_madvise(&bo, WILLNEED), 1);
	sgt_expect_pattern(bo.map, WORDS, seed);
	sgt_bo_free(&bo);
}

static void test_purged(int drm)
{
	struct sgt_bo bo;
	uint32_t word;

	make(&bo, drm);
	expect_purged(&bo);

	/* For good: neither the CPU nor the host gets other bytes in their place. */
	igt_assert_eq(sgt_try_read(bo.map, &word), SIGBUS);
	igt_assert_eq(sgt_try_write(bo.map + WORDS - 1, 1), SIGBUS);
	igt_assert_eq(sgt_bo_add_fb(&bo), -EINVAL);
	igt_assert_eq(sgt_bo_use(&bo), -EINVAL);
	igt_assert_eq(sgt_vm_map(&bo, VA, bo.size, 0), -EINVAL);
	igt_assert_eq(sgt_madvise(&bo, DONTNEED), 0);
	igt_assert_eq(sgt_madvise(&bo, WILLNEED), 0);
	sgt_bo_free(&bo);

	/* One that was shown and mapped, when that is over */
	make(&bo, drm);
	sgt_must(sgt_bo_add_fb(&bo));
	sgt_must(sgt_vm_map(&bo, VA, bo.size, 0));
	sgt_must(sgt_vm_unmap(drm, VA, bo.size));
	igt_assert_eq(drmModeRmFB(drm, bo.fb), 0);
	bo.fb = 0;
	expect_purged(&bo);
	sgt_bo_free(&bo);
}

static void test_needed(int drm)
{
	struct sgt_bo bo;
	uint32_t seed = make(&bo, drm);

	igt_assert_eq(sgt_madvise(&bo, DONTNEED), 1);
	igt_assert_eq(sgt_madvise(&bo, WILLNEED), 1);
	sgt_must(sgt_shrink());
	sgt_expect_pattern(bo.map, WORDS, seed);
	sgt_bo_free(&bo);
}

static void test_used(int drm)
{
	struct sgt_bo bo, picture;
	uint32_t seed = make(&bo, drm);

	sgt_must(sgt_bo_add_fb(&bo));
	expect_kept(&bo, seed, "mapped");
	igt_assert_eq(drmModeRmFB(drm, bo.fb), 0);
	bo.fb = 0;

	/* A mapping of one page, in one piece and in two */
	sgt_must(sgt_vm_map(&bo, VA, bo.size, 0));
	expect_kept(&bo, seed, "mapped");
	sgt_must(sgt_vm_unmap(drm, VA + PAGE, PAGE));
	sgt_must(sgt_vm_unmap(drm, VA, PAGE));
	sgt_must(sgt_vm_unmap(drm, VA + 3 * PAGE, bo.size - 3 * PAGE));
	expect_kept(&bo, seed, "mapped");

	/* The picture, too, ends with its range. */
	sgt_must(sgt_vm_remap(&bo, VA, bo.size, 0));
	sgt_must(sgt_vm_picture(&picture, drm, VA, 64, 64));
	sgt_must(sgt_vm_unmap(drm, VA, bo.size));
	expect_purged(&bo);
	sgt_bo_free(&picture);
	sgt_bo_free(&bo);

	/* A resource stays as long as the buffer. */
	seed = make(&bo, drm);
	sgt_must(sgt_bo_use(&bo));
	expect_kept(&bo, seed, "mapped");
	sgt_bo_free(&bo);
}

/* Until its answer, the host may not have executed the UNREF. */
static void test_used_held(int drm)
{
	struct sgt_bo bo;
	uint32_t seed = make(&bo, drm);

	sgt_must(sgt_bo_add_fb(&bo));
	sgt_hold_answers();
	igt_assert_eq(drmModeRmFB(drm, bo.fb), 0);
	bo.fb = 0;
	expect_kept(&bo, seed, "mapped");
	sgt_release_answers();
	expect_purged(&bo);
	sgt_bo_free(&bo);
}

static void test_shared(int drm)
{
	struct sgt_bo bo;
	uint32_t seed = make(&bo, drm);
	int fd = sgt_must(sgt_bo_export(&bo));

	expect_kept(&bo, seed, "backed");
	close(fd);
	expect_kept(&bo, seed, "backed");
	sgt_bo_free(&bo);
}

/* As by GETFB, or by the name of a buffer: the other user did not say that it needs no bytes. */
static void test_handles(int drm)
{
	struct drm_gem_flink flink = {};
	struct drm_gem_open open = {};
	struct sgt_bo bo;
	uint32_t seed = make(&bo, drm);
	int other = sgt_must(sgt_open());

	flink.handle = bo.handle;
	do_ioctl(drm, DRM_IOCTL_GEM_FLINK, &flink);
	open.name = flink.name;
	do_ioctl(other, DRM_IOCTL_GEM_OPEN, &open);
	expect_kept(&bo, seed, "backed");
	close(other);
	expect_purged(&bo);
	sgt_bo_free(&bo);
}

int igt_main()
{
	static const struct sgt_file_test tests[] = {
		{ "bad-fields", "A wrong field is refused", test_bad_fields },
		{ "retained", "Nothing is discarded without need", test_retained },
		{ "purged", "What was discarded does not come back", test_purged },
		{ "needed", "The last advice counts", test_needed },
		{ "used", "The host reads what it was told of", test_used },
		{ "shared", "Other users of the bytes were not asked", test_shared },
		{ "handles", "Another user has a handle", test_handles },
	};
	int drm;

	igt_fixture() {
		drm = sgt_vm_fixture(&test);
		sgt_require_tables(&test);
	}

	sgt_in_files(&test, tests, ARRAY_SIZE(tests));

	igt_describe("A host that does not respond");
	igt_subtest("used-held") {
		sgt_require_answers();
		sgt_in_file(&test, test_used_held);
	}

	igt_fixture() {
		sgt_reset_answers();
		close(drm);
	}
}
