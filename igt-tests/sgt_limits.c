// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

#include "igt.h"

#include "lib/sgt_rounds.h"
#include "lib/sgt_test.h"
#include "lib/sgt_virtgpu.h"

/**
 * TEST: sgt limits
 * Description: Fill the host, and free in every way
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: buffer creation
 * Test category: functionality test
 *
 * SUBTEST: limit-one-buffer
 * Description: A framebuffer as large as the host's whole memory for them is refused
 *
 * SUBTEST: limit-host-memory
 * Description: Framebuffers fill the host's memory to the last page, and fit again once freed
 *
 * SUBTEST: limit-entries
 * Description: A framebuffer may have as many entries as the host takes, and not one more
 *
 * SUBTEST: killed
 * Description: Processes that are killed during a create leave nothing, in guest and host
 */

IGT_TEST_DESCRIPTION("Fill the host, and free in every way");

/* The limit of QEMU for the sum of all 2D resources */
#define HOST_MEMORY	(256ul << 20)

/* The limit of QEMU for the entries of one resource */
#define HOST_ENTRIES	16384ul

struct hoard {
	struct sgt_bo *bos;
	int count;
	uint64_t bytes;
};

/* The host has memory for a framebuffer, and none for a buffer that is not shown. */
static int make_shown(struct sgt_bo *bo, int drm, uint32_t width, uint32_t height)
{
	int err = sgt_bo_create(bo, drm, width, height);

	if (err)
		return err;
	err = sgt_bo_add_fb(bo);
	if (err)
		sgt_bo_free(bo);
	return err;
}

/* Adds buffers of one size until the host has no room for another. */
static void fill_host(struct hoard *hoard, int drm, uint32_t width, uint32_t height)
{
	uint64_t fits = HOST_MEMORY / (width * 4ull * height);

	for (uint64_t i = 0; ; i++) {
		struct sgt_bo bo;
		int err = make_shown(&bo, drm, width, height);

		if (err) {
			igt_assert_eq(err, -ENOMEM);
			return;
		}
		igt_assert(i < fits);
		hoard->bos = realloc(hoard->bos, (hoard->count + 1) * sizeof(bo));
		igt_assert(hoard->bos);
		hoard->bos[hoard->count++] = bo;
		hoard->bytes += bo.size;
	}
}

static void empty_hoard(struct hoard *hoard)
{
	sgt_bo_free_all(hoard->bos, hoard->count);
	free(hoard->bos);
	memset(hoard, 0, sizeof(*hoard));
}

/* The bytes of all live buffers, the console's included */
static uint64_t all_bytes(unsigned int dev)
{
	struct sgt_buffer_row *rows = NULL;
	uint64_t bytes = 0;
	int count;

	count = sgt_must(sgt_read_buffers(&rows));
	for (int i = 0; i < count; i++)
		bytes += rows[i].dev == dev ? rows[i].size : 0;
	free(rows);
	return bytes;
}

/* The total size of all buffers that fit into the host */
static uint64_t fill_host_up(struct hoard *hoard, int drm)
{
	fill_host(hoard, drm, 2048, 2048);
	fill_host(hoard, drm, 256, 256);
	fill_host(hoard, drm, 32, 32);
	igt_info("%d buffers, %llu bytes\n", hoard->count,
		 (unsigned long long)hoard->bytes);
	return hoard->bytes;
}

static void limit_host_memory(const struct sgt_test *test, int drm)
{
	struct sgt_baseline base;
	uint64_t first = 0;

	sgt_baseline_take(test, &base);
	for (int round = 0; round < 2; round++) {
		struct hoard hoard = {};

		fill_host_up(&hoard, drm);

		/* Full to the last page: the picture of the console may end within a page. */
		igt_assert(hoard.bytes < HOST_MEMORY);
		igt_assert(all_bytes(base.dev) >= HOST_MEMORY - 2 * PAGE);
		if (round)
			igt_assert_eq_u64(hoard.bytes, first);
		first = hoard.bytes;

		empty_hoard(&hoard);
		sgt_baseline_check(test, &base);
	}
}

static uint64_t room_in_host(int drm)
{
	struct hoard hoard = {};
	uint64_t bytes = fill_host_up(&hoard, drm);

	empty_hoard(&hoard);
	return bytes;
}

/* Keeps the last few buffers, which the kill must free. */
static void create_until_killed(volatile uint32_t *creates, uint32_t seed)
{
	struct sgt_bo bos[8] = {};
	int drm = sgt_open();
	int err = drm < 0 ? drm : 0;

	for (uint32_t i = 0; !err; i++) {
		struct sgt_bo *bo = &bos[i % ARRAY_SIZE(bos)];

		if (bo->handle)
			sgt_bo_free(bo);
		err = make_shown(bo, drm, 32 + sgt_pattern(i, seed) % 480, 256);
		__sync_add_and_fetch(creates, !err);
	}
	_exit(-err);
}

/* A child whose create fails exits with the errno. */
static void kill_and_wait(pid_t child)
{
	int status = 0;

	igt_assert_eq(kill(child, SIGKILL), 0);
	igt_assert_eq(waitpid(child, &status, 0), child);
	igt_assert_f(WIFSIGNALED(status), "creating failed before the kill: %s\n",
		     strerror(WEXITSTATUS(status)));
}

/* The time until the kill differs from round to round. */
static void killed_round(volatile uint32_t *creates, uint32_t seed)
{
	pid_t children[4];

	for (unsigned int i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = fork();
		igt_assert(children[i] >= 0);
		if (!children[i])
			create_until_killed(creates, seed + i);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(children); i++) {
		usleep(500 + sgt_pattern(i, seed) % 5000);
		kill_and_wait(children[i]);
	}
}

/* A resource that was not freed on the host would reduce its capacity. */
static void killed(const struct sgt_test *test, int drm)
{
	volatile uint32_t *creates = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sgt_rounds rounds;
	struct sgt_baseline base;
	uint64_t room;

	igt_assert(creates != MAP_FAILED);
	sgt_baseline_take(test, &base);
	room = room_in_host(drm);

	sgt_rounds_begin(&rounds, 1, 100);
	while (sgt_rounds_next(&rounds)) {
		killed_round(creates, sgt_random_below(&rounds.random, UINT32_MAX));
		igt_assert_eq(sgt_try_resource(drm), 0);
		sgt_baseline_check(test, &base);
	}
	igt_info("%u processes killed, %u creates\n", 4 * rounds.done, *creates);
	igt_assert(*creates);
	igt_assert_eq_u64(room_in_host(drm), room);
	sgt_baseline_check(test, &base);
	munmap((void *)creates, PAGE);
}

/* Without merging, the number of entries may be the first limit. */
static void expect_too_large(int drm, uint32_t width, uint32_t height)
{
	struct sgt_bo bo;
	int err = make_shown(&bo, drm, width, height);

	if (!sgt_setup_is_physical() || err != -E2BIG)
		igt_assert_eq(err, -ENOMEM);
}

static void limit_one_buffer(int drm)
{
	struct sgt_bo bo;

	expect_too_large(drm, 8192, 8192);

	/* A quarter of the size fits after the failure, even in single pages. */
	sgt_must(make_shown(&bo, drm, 8192, 2048));
	sgt_bo_free(&bo);
}

/*
 * With one entry for each page, the host takes 64 MiB and not a page more.  Pages
 * that are neighbours share an entry, so the number comes from the tables.
 */
static void limit_entries(const struct sgt_test *test, int drm)
{
	size_t limit = HOST_ENTRIES * PAGE;
	struct sgt_scatter scatter;
	struct sgt_buffer_row row;
	struct sgt_bo bo;
	uint32_t pages;
	int err;

	sgt_must(sgt_scatter_begin(&scatter, 4 * limit));
	for (pages = HOST_ENTRIES - 8; pages < 2 * HOST_ENTRIES; pages += 8) {
		err = make_shown(&bo, drm, 4 * WORDS_PER_PAGE, pages / 4);
		if (err)
			break;
		sgt_expect_row(test, &bo, &row);
		igt_assert(row.cpu_ents <= HOST_ENTRIES);
		sgt_bo_free(&bo);
		if (row.cpu_ents + 64 < HOST_ENTRIES)
			pages += (HOST_ENTRIES - row.cpu_ents - 64) / 8 * 8;
	}
	sgt_scatter_end(&scatter);
	igt_assert_eq(err, -E2BIG);

	/* With contiguous memory, it works. */
	sgt_must(make_shown(&bo, drm, 64, 64));
	sgt_bo_free(&bo);
}

static bool have_memory(unsigned long mib)
{
	struct sysinfo info;

	igt_assert_eq(sysinfo(&info), 0);
	return info.freeram / 1048576 * info.mem_unit >= mib;
}

int igt_main()
{
	struct sgt_baseline base = {};
	struct sgt_test test = {};
	int drm = -1;

	igt_fixture() {
		drm = sgt_test_begin(&test);
		/* The in-tree driver does not wait for the response of the host. */
		sgt_require_tables(&test);
		sgt_require_host();
		igt_require(have_memory(768));
		sgt_baseline_take(&test, &base);
	}

	igt_describe("One buffer too large for the host");
	igt_subtest("limit-one-buffer") {
		limit_one_buffer(drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("The memory of the host is used to the last page");
	igt_subtest("limit-host-memory")
		limit_host_memory(&test, drm);

	igt_describe("Too many entries for the host");
	igt_subtest("limit-entries") {
		igt_require_f(sgt_setup_is_physical(),
			      "IOMMU and bounce buffers merge the entries\n");
		limit_entries(&test, drm);
		sgt_baseline_check(&test, &base);
	}

	igt_describe("A process is killed during a create");
	igt_subtest("killed")
		killed(&test, drm);

	igt_fixture()
		close(drm);
}
