// SPDX-License-Identifier: GPL-2.0
#include <poll.h>

#include "igt.h"

#include "lib/sgt_children.h"
#include "lib/sgt_fence.h"
#include "lib/sgt_hold.h"
#include "lib/sgt_removal.h"
#include "lib/sgt_rounds.h"
#include "lib/sgt_space.h"

/**
 * TEST: sgt module
 * Description: Unload the module while its buffers are held
 * Category: Display
 * Mega feature: DRM
 * Sub-category: driver
 * Functionality: module unload
 * Test category: functionality test
 *
 * SUBTEST: close-race
 * Description: The last close and the unload come in any order
 *
 * SUBTEST: %s
 * Description: %arg[1] keeps the module, and its end frees the device
 *
 * arg[1]:
 *
 * @file: An open file of a removed device
 * @mmap: A mapping
 * @vmap: A kernel mapping
 * @dmabuf: A dma-buf
 * @import: The import of another driver
 * @sync-file: The sync file of a commit
 * @bind-fence: The sync file of a bind
 * @syncobj: The syncobj of a commit
 */

IGT_TEST_DESCRIPTION("Unload the module while its buffers are held");

/* Longer than the driver takes to find that a fence has no other user */
#define FENCE_MS	3000

/* About as long as the last close takes */
#define WINDOW_US	3000

static void test_held(struct sgt_test *test, unsigned int what, int keeps_ms)
{
	const char *module = test->gpu.driver;
	struct sgt_hold hold;

	igt_require_f(sgt_hold_possible(test, what) == what,
		      "not with this kernel, driver and set-up\n");
	sgt_hold_begin(&hold, what);
	sgt_remove(test, SGT_ROUTE_VIRTIO);
	for (int ms = 0; ms <= keeps_ms; ms += 100) {
		igt_assert_lt(0, sgt_must(sgt_module_users(module)));
		igt_assert_eq(sgt_module_unload(module), -EWOULDBLOCK);
		poll(NULL, 0, keeps_ms ? 100 : 0);
	}
	sgt_hold_check(&hold);

	sgt_hold_end(&hold);
	sgt_must(sgt_unload_in_time(test));
	sgt_must(sgt_module_load(module));
	sgt_expect_picture(test);
}

/* Returns a sync file with the fence of a finished bind; the file is closed. */
static int fence_of_bind(void)
{
	struct drm_virtgpu_sgt_vm_bind_op op = sgt_vm_op_unmap(0, PAGE);
	int drm = sgt_must(sgt_open()), file = -1;
	uint32_t sync;

	igt_assert_eq(drmSyncobjCreate(drm, 0, &sync), 0);
	sgt_must(sgt_vm_bind_async(drm, &op, 1, 0, sync));
	igt_assert_eq(drmSyncobjExportSyncFile(drm, sync, &file), 0);
	igt_assert_eq(sgt_sync_file_wait(file), 1);
	close(drm);
	return file;
}

static void test_bind_fence(struct sgt_test *test)
{
	const char *module = test->gpu.driver;
	int file;

	sgt_require_tables(test);
	file = fence_of_bind();
	sgt_remove(test, SGT_ROUTE_VIRTIO);
	igt_assert_lt(0, sgt_must(sgt_module_users(module)));
	igt_assert_eq(sgt_module_unload(module), -EWOULDBLOCK);
	igt_assert_eq(sgt_sync_file_status(file), 1);

	close(file);
	sgt_must(sgt_unload_in_time(test));
	sgt_must(sgt_module_load(module));
	sgt_expect_picture(test);
}

/* Closes the last reference to the module, of a kind that the seed selects. */
static void close_one(int in, int out, uint64_t random)
{
	int drm = sgt_must(sgt_open()), dmabuf = -1;
	char byte = 0;
	struct sgt_bo bo;

	sgt_must(sgt_bo_create(&bo, drm, 64, 64));
	sgt_must(sgt_bo_map(&bo));
	sgt_fill(bo.map, sgt_bo_words(&bo), 1);
	switch (sgt_random_below(&random, 3)) {
	case 0:
		dmabuf = sgt_must(sgt_bo_export(&bo));
		sgt_bo_free(&bo);
		close(drm);
		drm = -1;
		break;
	case 1:
		sgt_must(sgt_bo_close(&bo));
		close(drm);
		drm = -1;
		break;
	}

	igt_assert_eq(write(out, &byte, 1), 1);
	igt_assert_eq(read(in, &byte, 1), 1);
	sgt_spin_us(sgt_random_below(&random, WINDOW_US));
	if (dmabuf >= 0)
		close(dmabuf);
	sgt_bo_free(&bo);
	if (drm >= 0)
		close(drm);
}

/* In every second round, the unload unbinds the driver. */
static void close_round(struct sgt_test *test, struct sgt_rounds *rounds)
{
	uint64_t random = sgt_random(&rounds->random);
	bool bound = rounds->done % 2;
	int down[2], up[2], err;
	char byte = 0;

	igt_assert_eq(pipe(down), 0);
	igt_assert_eq(pipe(up), 0);
	igt_fork(child, 1)
		close_one(down[0], up[1], random);
	close(down[0]);
	close(up[1]);
	igt_assert_eq(read(up[0], &byte, 1), 1);
	if (!bound)
		sgt_remove(test, SGT_ROUTE_VIRTIO);

	igt_assert_eq(write(down[1], &byte, 1), 1);
	sgt_spin_us(sgt_random_below(&random, WINDOW_US));
	err = sgt_module_unload(test->gpu.driver);
	igt_assert(!err || err == -EWOULDBLOCK);
	sgt_children_wait();
	close(down[1]);
	close(up[0]);

	if (err)
		sgt_must(sgt_unload_in_time(test));
	sgt_must(sgt_module_load(test->gpu.driver));
}

static void test_close_race(struct sgt_test *test)
{
	struct sgt_rounds rounds;

	sgt_rounds_begin(&rounds, 2, 6);
	while (sgt_rounds_next(&rounds))
		close_round(test, &rounds);
	sgt_expect_picture(test);
}

int igt_main()
{
	static const struct {
		const char *name;
		unsigned int what;
		int keeps_ms;
	} holds[] = {
		{ "file", SGT_HOLD_HANDLE, 0 },
		{ "mmap", SGT_HOLD_MMAP, 0 },
		{ "vmap", SGT_HOLD_VMAP, 0 },
		{ "dmabuf", SGT_HOLD_DMABUF, 0 },
		{ "import", SGT_HOLD_IMPORTER, 0 },
		/* With the in-tree driver, these would use freed memory. */
		{ "sync-file", SGT_HOLD_SYNC_FILE, FENCE_MS },
		{ "syncobj", SGT_HOLD_SYNCOBJ, FENCE_MS },
	};
	struct sgt_test test = {};

	igt_fixture()
		sgt_removal_begin(&test);

	for (unsigned int i = 0; i < ARRAY_SIZE(holds); i++) {
		igt_describe("The module stays as long as its code can be called");
		igt_subtest_f("%s", holds[i].name)
			test_held(&test, holds[i].what, holds[i].keeps_ms);
		igt_fixture()
			sgt_removal_recover(&test);
	}

	igt_describe("The module stays as long as its fences are used");
	igt_subtest("bind-fence")
		test_bind_fence(&test);
	igt_fixture()
		sgt_removal_recover(&test);

	igt_describe("An unload finds the module in use, or waits for the last close");
	igt_subtest("close-race")
		test_close_race(&test);
	igt_fixture()
		sgt_removal_recover(&test);
}
