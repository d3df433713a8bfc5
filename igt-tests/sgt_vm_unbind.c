// SPDX-License-Identifier: GPL-2.0
#include <sys/mman.h>

#include "igt.h"

#include "lib/sgt_children.h"
#include "lib/sgt_dmabuf.h"
#include "lib/sgt_fence.h"
#include "lib/sgt_removal.h"
#include "lib/sgt_rounds.h"
#include "lib/sgt_virtgpu.h"
#include "lib/sgt_vm_model.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt vm unbind
 * Description: Unbind the device while address spaces are in use
 * Category: Display
 * Mega feature: DRM
 * Sub-category: driver
 * Functionality: address space, device hotplug
 * Test category: functionality test
 *
 * SUBTEST: failed-in-fence
 * Description: A bind behind a fence that failed is done, and its own fence has an error
 *
 * SUBTEST: race
 * Description: Processes bind and unbind during the unbind of the device
 *
 * SUBTEST: %s-unload
 * Description: %arg[1] with all of it, release it and unload the module
 *
 * SUBTEST: %s-%s
 * Description: %arg[1] with %arg[2]
 *
 * arg[1]:
 *
 * @virtio: Unbind on the virtio bus
 * @pci: Unbind virtio-pci
 * @remove: Remove the PCI device
 *
 * arg[2]:
 *
 * @bound: buffers bound
 * @in-flight: binds that wait for a fence
 * @shown: a range on the screen
 * @cut: a range on the screen that lost a page
 */

IGT_TEST_DESCRIPTION("Unbind the device while address spaces are in use");

/* Tables of all levels begin in the middle of the first screen. */
#define VA	((3ull << 39) - 300 * PAGE)

/* The state of a file when the device is removed; all files have mapped buffers. */
enum {
	WITH_JOBS	= 1 << 0,	/* which wait for a fence that does not signal */
	WITH_PICTURE	= 1 << 1,	/* on the screen */
	WITH_CUT	= 1 << 2,	/* which has lost a page */
};

struct hold {
	unsigned int what;
	int drm;
	uint32_t seed;
	struct sgt_screen screen;
	struct sgt_vm_model model;
	struct sgt_foreign foreign;
	struct sgt_bo import;
	struct sgt_bo picture;
	struct sgt_fence gate;
	int out;		/* a sync file */
};

#define HELD_BUFFERS	2

static struct sgt_test test;

static uint32_t make_sync(int drm, int sync_file)
{
	uint32_t sync;

	igt_assert_eq(drmSyncobjCreate(drm, 0, &sync), 0);
	if (sync_file >= 0)
		igt_assert_eq(drmSyncobjImportSyncFile(drm, sync, sync_file), 0);
	return sync;
}

static void bind_import(struct hold *hold)
{
	hold->foreign = (struct sgt_foreign) { .fd = -1, .drm = -1 };
	if (sgt_setup_is("bypass") || sgt_foreign_udmabuf(&hold->foreign, 16 * PAGE))
		return;
	sgt_must(sgt_bo_import(&hold->import, hold->drm, hold->foreign.fd, WORDS_PER_PAGE, 16));
	sgt_must(sgt_vm_map(&hold->import, SGT_LEAF_1G, 16 * PAGE, 0));
}

static void start_jobs(struct hold *hold)
{
	struct drm_virtgpu_sgt_vm_bind_op ops[2];
	uint32_t in, out;

	sgt_must(sgt_fence_begin(&hold->gate));
	in = make_sync(hold->drm, hold->gate.file);
	out = make_sync(hold->drm, -1);
	ops[0] = sgt_vm_op_map(2 * SGT_LEAF_1G - PAGE, 2 * PAGE, &hold->model.bos[0], 0);
	ops[1] = sgt_vm_op_unmap(VA + 7 * PAGE, 3 * PAGE);
	sgt_must(sgt_vm_bind_async(hold->drm, ops, 2, in, 0));
	ops[0] = sgt_vm_op_remap(VA + 8 * PAGE, 9 * PAGE, &hold->model.bos[1], 0);
	sgt_must(sgt_vm_bind_async(hold->drm, ops, 1, 0, out));
	igt_assert_eq(drmSyncobjExportSyncFile(hold->drm, out, &hold->out), 0);
	drmSyncobjDestroy(hold->drm, in);
	drmSyncobjDestroy(hold->drm, out);
	igt_assert_eq(sgt_sync_file_status(hold->out), 0);
}

static void begin_hold(struct hold *hold, unsigned int what)
{
	uint32_t sizes[SGT_MODEL_BOS] = { 0, 3 * SGT_LEAF_2M / PAGE };

	memset(hold, 0, sizeof(*hold));
	hold->what = what;
	hold->out = -1;
	hold->drm = sgt_must(sgt_open());
	hold->seed = sgt_new_seed();
	sgt_must(sgt_screen_find(&hold->screen, hold->drm));
	sizes[0] = sgt_screen_bytes(&hold->screen) / PAGE;
	sgt_model_begin(&hold->model, hold->drm, VA, sizes[0], sizes);
	sgt_model_lay(&hold->model, 0, sizes[0], &hold->model.bos[0], 0);
	sgt_model_fill(&hold->model, hold->seed);
	sgt_must(sgt_vm_map(&hold->model.bos[1], 5 * SGT_LEAF_1G, 3 * SGT_LEAF_2M, 0));
	bind_import(hold);

	if (what & WITH_PICTURE) {
		sgt_must(sgt_vm_picture(&hold->picture, hold->drm, VA,
					hold->screen.mode.hdisplay,
					hold->screen.mode.vdisplay));
		sgt_must(sgt_bo_add_fb(&hold->picture));
		sgt_must(sgt_screen_show(&hold->screen, &hold->picture, 0));
		if (sgt_host_present())
			sgt_expect_screen(&hold->screen, hold->seed);
	}
	if (what & WITH_CUT)
		sgt_model_cut(&hold->model, 77, 1);
	if (what & WITH_JOBS)
		start_jobs(hold);
}

/* Each call returns -ENODEV; memory and fences remain. */
static void check_hold(const struct hold *hold)
{
	const struct sgt_bo *bo = &hold->model.bos[0];
	struct drm_virtgpu_sgt_vm_query query;
	struct drm_virtgpu_sgt_bo_info info;
	struct sgt_bo picture;

	igt_assert_eq(sgt_vm_map(bo, 0, PAGE, 0), -ENODEV);
	igt_assert_eq(sgt_vm_unmap(hold->drm, VA, PAGE), -ENODEV);
	igt_assert_eq(sgt_vm_query(hold->drm, VA, PAGE, &query), -ENODEV);
	igt_assert_eq(sgt_bo_info(bo, &info), -ENODEV);
	igt_assert_eq(sgt_vm_picture(&picture, hold->drm, VA, 64, 64), -ENODEV);
	if (hold->what & WITH_PICTURE)
		igt_assert_eq(sgt_transfer(&hold->picture), -ENODEV);
	if (hold->what & WITH_JOBS) {
		igt_assert_eq(sgt_sync_file_wait(hold->out), -ENODEV);
		/* The unbind did not wait for the in-fence, which has not timed out either. */
		igt_assert_eq(sgt_sync_file_status(hold->gate.file), 0);
	}
	sgt_expect_pattern(bo->map, sgt_bo_words(bo), hold->seed);
}

static void end_hold(struct hold *hold)
{
	sgt_bo_free(&hold->picture);
	sgt_bo_free(&hold->import);
	sgt_model_end(&hold->model);
	close(hold->drm);
	sgt_foreign_free(&hold->foreign);
	if (hold->what & WITH_JOBS) {
		close(hold->out);
		sgt_fence_end(&hold->gate);
	}
}

/* The new device has empty address spaces. */
static void check_new(void)
{
	int drm = sgt_must(sgt_open_wait());
	struct sgt_bo bo;

	sgt_expect_space(drm, 0, 1);
	sgt_make_pages(&bo, drm, 9);
	sgt_must(sgt_vm_map(&bo, VA, bo.size, 0));
	sgt_expect_mapped(drm, VA, bo.size, bo.size);
	sgt_bo_free(&bo);
	close(drm);
}

static void hold_round(enum sgt_route route, unsigned int what)
{
	struct sgt_before before;
	struct hold hold;

	sgt_look_before(&test, &before);
	begin_hold(&hold, what);
	sgt_remove(&test, route);
	sgt_expect_gone(&test, &before, HELD_BUFFERS);
	sgt_expect_no_mapping(&test, 0);
	check_hold(&hold);

	sgt_bring_back(&test, route);
	check_new();
	sgt_expect_gone(&test, &before, HELD_BUFFERS);
	end_hold(&hold);
	sgt_expect_forgotten(&test, &before);
}

static void test_held(enum sgt_route route, unsigned int what)
{
	struct sgt_rounds rounds;

	sgt_rounds_begin(&rounds, 1, 1);
	while (sgt_rounds_next(&rounds))
		hold_round(route, what);
	sgt_expect_picture(&test);
}

static void test_unload(enum sgt_route route)
{
	struct hold hold;

	begin_hold(&hold, WITH_JOBS | WITH_PICTURE | WITH_CUT);
	sgt_remove(&test, route);
	sgt_expect_no_mapping(&test, 0);
	igt_assert_eq(sgt_module_unload(test.gpu.driver), -EWOULDBLOCK);
	check_hold(&hold);
	end_hold(&hold);

	sgt_must(sgt_unload_in_time(&test));
	sgt_must(sgt_module_load(test.gpu.driver));
	if (route != SGT_ROUTE_VIRTIO)
		sgt_bring_back(&test, route);
	sgt_expect_picture(&test);
}

/* The in-fence is the failed fence of a job of the removed device. */
static void test_failed_in_fence(void)
{
	struct drm_virtgpu_sgt_vm_bind_op op;
	uint32_t in, out;
	struct hold hold;
	struct sgt_bo bo;
	int drm, file = -1;

	begin_hold(&hold, WITH_JOBS);
	sgt_remove(&test, SGT_ROUTE_VIRTIO);
	igt_assert_eq(sgt_sync_file_wait(hold.out), -ENODEV);
	sgt_bring_back(&test, SGT_ROUTE_VIRTIO);

	drm = sgt_must(sgt_open_wait());
	sgt_make_pages(&bo, drm, 9);
	in = make_sync(drm, hold.out);
	out = make_sync(drm, -1);
	op = sgt_vm_op_map(VA, bo.size, &bo, 0);
	sgt_must(sgt_vm_bind_async(drm, &op, 1, in, out));
	igt_assert_eq(drmSyncobjExportSyncFile(drm, out, &file), 0);
	igt_assert_eq(sgt_sync_file_wait(file), -ENODEV);
	sgt_expect_mapped(drm, VA, bo.size, bo.size);
	close(file);

	/* Later jobs are done, and do not fail. */
	op = sgt_vm_op_unmap(VA, PAGE);
	sgt_must(sgt_vm_bind_async(drm, &op, 1, 0, out));
	igt_assert_eq(drmSyncobjExportSyncFile(drm, out, &file), 0);
	igt_assert_eq(sgt_sync_file_wait(file), 1);
	sgt_expect_mapped(drm, VA, bo.size, bo.size - PAGE);
	close(file);
	sgt_bo_free(&bo);
	close(drm);
	end_hold(&hold);
}

static int random_call(int drm, const struct sgt_bo *bo, uint64_t *random)
{
	uint64_t va = VA + sgt_random_below(random, 600) * PAGE;
	uint64_t size = (1 + sgt_random_below(random, 16)) * PAGE;
	struct drm_virtgpu_sgt_vm_query query;
	struct drm_virtgpu_sgt_vm_bind_op op;
	struct sgt_bo picture;
	int err;

	switch (sgt_random_below(random, 6)) {
	case 0:
		return sgt_vm_unmap(drm, va, size);
	case 1:
		return sgt_vm_query(drm, va, size, &query);
	case 2:
		err = sgt_vm_picture(&picture, drm, va, WORDS_PER_PAGE, 1);
		return err ?: sgt_bo_close(&picture);
	case 3:
		op = sgt_vm_op_remap(va, size, bo, 0);
		return sgt_vm_bind_async(drm, &op, 1, 0, 0);
	default:
		return sgt_vm_remap(bo, va, size, bo->size - size);
	}
}

#define RACERS	3

/* The number of calls of each child */
struct race {
	volatile uint32_t calls[RACERS];
};

static void bind_until_gone(struct race *race, int child, uint64_t random)
{
	int drm = sgt_must(sgt_open()), err;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 16);
	do {
		err = random_call(drm, &bo, &random);
		race->calls[child]++;
	} while (!err || err == -EFAULT);
	igt_assert_eq(err, -ENODEV);
	sgt_bo_free(&bo);
	close(drm);
}

static void race_round(enum sgt_route route, struct race *race, uint64_t *random)
{
	struct sgt_before before;

	memset(race, 0, sizeof(*race));
	sgt_look_before(&test, &before);
	igt_fork(child, RACERS)
		bind_until_gone(race, child, sgt_random_fork(random, child));
	sgt_children_reach(race->calls, RACERS, 20);
	sgt_spin_us(sgt_random_below(random, 2000));
	sgt_remove(&test, route);
	sgt_expect_gone(&test, &before, 0);
	sgt_expect_no_mapping(&test, 0);
	sgt_children_wait();
	sgt_expect_forgotten(&test, &before);
	sgt_bring_back(&test, route);
}

static void test_race(void)
{
	struct race *race = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sgt_rounds rounds;

	igt_assert(race != MAP_FAILED);
	sgt_rounds_begin(&rounds, 1, 9);
	while (sgt_rounds_next(&rounds))
		race_round(rounds.done % sgt_gpu_routes(&test.gpu), race, &rounds.random);
	munmap(race, PAGE);
	sgt_expect_picture(&test);
}

int igt_main()
{
	static const struct {
		const char *name;
		unsigned int what;
	} holds[] = {
		{ "bound", 0 },
		{ "in-flight", WITH_JOBS },
		{ "shown", WITH_PICTURE },
		{ "cut", WITH_PICTURE | WITH_CUT },
	};

	igt_fixture() {
		sgt_removal_begin(&test);
		sgt_require_tables(&test);
		igt_require_f(sgt_have_driver("vgem"), "vgem has fences that do not signal\n");
	}

	for (int route = 0; route < SGT_ROUTES; route++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(holds); i++) {
			igt_describe("Tables end with the device, without a wait for fences");
			igt_subtest_f("%s-%s", sgt_route_name[route], holds[i].name) {
				sgt_require_route(&test, route);
				test_held(route, holds[i].what);
			}
			igt_fixture()
				sgt_removal_recover(&test);
		}

		igt_describe("The module stays as long as its code can be called");
		igt_subtest_f("%s-unload", sgt_route_name[route]) {
			sgt_require_route(&test, route);
			test_unload(route);
		}
		igt_fixture()
			sgt_removal_recover(&test);
	}

	igt_describe("A failed in-fence does not stop binds");
	igt_subtest("failed-in-fence")
		test_failed_in_fence();
	igt_fixture()
		sgt_removal_recover(&test);

	igt_describe("The unbind comes at any time");
	igt_subtest("race")
		test_race();
	igt_fixture()
		sgt_removal_recover(&test);
}
