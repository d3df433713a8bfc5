// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <poll.h>

#include "igt.h"

#include "lib/sgt_children.h"
#include "lib/sgt_fence.h"
#include "lib/sgt_hold.h"
#include "lib/sgt_removal.h"
#include "lib/sgt_rounds.h"

/**
 * TEST: sgt unbind
 * Description: Unbind the device while its buffers are in use
 * Category: Display
 * Mega feature: DRM
 * Sub-category: driver
 * Functionality: device hotplug
 * Test category: functionality test
 *
 * SUBTEST: out-fence
 * Description: An unbind signals the fence of a commit that waits
 *
 * SUBTEST: generations
 * Description: Buffers of several removed devices exist at once
 *
 * SUBTEST: suspend
 * Description: A refused suspend leaves a working device
 *
 * SUBTEST: %s-unload
 * Description: %arg[1] with all of it held, release it and unload the module
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
 * @nothing: nothing held
 * @handle: a file and its handles held
 * @process: the file of another process open
 * @mmap: mappings held
 * @vmap: a kernel mapping held
 * @dmabuf: dma-bufs held
 * @dmabuf-mmap: mappings of dma-bufs held
 * @import: the imports of another driver held
 * @udmabuf: an import from udmabuf held
 * @vgem: an import from vgem held
 * @scanout: a buffer on the screen
 * @queued: commands without a response
 * @sync-file: the sync file of a commit held
 * @syncobj: the syncobj of a commit held
 * @everything: all of it held
 */

IGT_TEST_DESCRIPTION("Unbind the device while its buffers are in use");

#define EVERYTHING	(SGT_HOLD_SYNCOBJ * 2 - 1)
/* What a process can hold several times */
#define GENERATIONS	(EVERYTHING & ~(SGT_HOLD_PROCESS | SGT_HOLD_QUEUED | SGT_HOLD_VMAP))

static void hold_round(struct sgt_test *test, enum sgt_route route, unsigned int what)
{
	struct sgt_before before;
	struct sgt_hold hold;

	sgt_look_before(test, &before);
	sgt_hold_begin(&hold, what);

	sgt_remove(test, route);
	sgt_expect_gone(test, &before, sgt_hold_buffers(&hold));
	sgt_expect_no_mapping(test, hold.import_slots);
	sgt_hold_check(&hold);
	sgt_hold_check_nodev(&hold);
	sgt_hold_write(&hold);
	sgt_hold_check(&hold);

	sgt_bring_back(test, route);
	sgt_expect_memory(test);
	sgt_expect_gone(test, &before, sgt_hold_buffers(&hold));
	sgt_hold_check_nodev(&hold);
	sgt_hold_check(&hold);

	sgt_hold_end(&hold);
	sgt_expect_forgotten(test, &before);
}

static void test_held(struct sgt_test *test, enum sgt_route route, unsigned int what)
{
	unsigned int possible = sgt_hold_possible(test, what);
	struct sgt_rounds rounds;

	igt_require_f(!what || possible, "not with this kernel, driver and set-up\n");
	sgt_rounds_begin(&rounds, 1, 1);
	while (sgt_rounds_next(&rounds))
		hold_round(test, route, possible);
	sgt_expect_picture(test);
}

static void test_unload(struct sgt_test *test, enum sgt_route route)
{
	unsigned int what = sgt_hold_possible(test, EVERYTHING);
	struct sgt_rounds rounds;
	struct sgt_hold hold;

	sgt_rounds_begin(&rounds, 1, 1);
	while (sgt_rounds_next(&rounds)) {
		sgt_hold_begin(&hold, what);
		sgt_remove(test, route);
		sgt_expect_no_mapping(test, hold.import_slots);
		igt_assert_eq(sgt_module_unload(test->gpu.driver), -EWOULDBLOCK);
		sgt_hold_check(&hold);
		sgt_hold_end(&hold);

		sgt_must(sgt_unload_in_time(test));
		sgt_must(sgt_module_load(test->gpu.driver));
		if (route != SGT_ROUTE_VIRTIO)
			sgt_bring_back(test, route);
	}
	sgt_expect_picture(test);
}

/* The unbind in the other process has unregistered the device. */
static void wait_until_gone(int drm)
{
	uint64_t value;

	for (int ms = 0; ms < 5000; ms += 5) {
		if (drmGetCap(drm, DRM_CAP_DUMB_BUFFER, &value) && errno == ENODEV)
			return;
		poll(NULL, 0, 5);
	}
	igt_assert_f(false, "the device is still there\n");
}

/*
 * The commit waits for a fence of another device, which signals right before the
 * unbind, or while the unbind waits for the commit.
 */
static void test_out_fence(struct sgt_test *test, enum sgt_route route, bool first)
{
	struct sgt_fence in_fence;
	struct sgt_screen screen;
	struct sgt_before before;
	struct sgt_bo bo;
	int drm, fence;

	sgt_look_before(test, &before);
	drm = sgt_must(sgt_open());
	sgt_must(sgt_screen_find(&screen, drm));
	sgt_make_picture(&bo, &screen, sgt_new_seed());
	sgt_must(sgt_screen_show(&screen, &bo, 0));
	sgt_must(sgt_fence_begin(&in_fence));
	fence = sgt_must(sgt_screen_fence(&screen, &bo, in_fence.file));
	igt_assert_eq(sgt_sync_file_status(fence), 0);

	if (first)
		sgt_must(sgt_fence_signal(&in_fence));
	igt_fork(child, 1)
		sgt_remove(test, route);
	wait_until_gone(drm);
	if (!first) {
		igt_assert_eq(sgt_sync_file_status(fence), 0);
		sgt_must(sgt_fence_signal(&in_fence));
	}
	sgt_expect_signalled(fence);
	sgt_children_wait();
	sgt_expect_gone(test, &before, 1);
	sgt_expect_signalled(fence);

	sgt_fence_end(&in_fence);
	close(fence);
	sgt_bo_free(&bo);
	close(drm);
	sgt_expect_forgotten(test, &before);
	sgt_bring_back(test, route);
	sgt_expect_picture(test);
}

static void test_generations(struct sgt_test *test)
{
	unsigned int what = sgt_hold_possible(test, GENERATIONS);
	static struct sgt_hold holds[6];
	struct sgt_before before[ARRAY_SIZE(holds)];
	long import_slots = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(holds); i++) {
		enum sgt_route route = i % sgt_gpu_routes(&test->gpu);

		sgt_look_before(test, &before[i]);
		sgt_hold_begin(&holds[i], what);
		sgt_remove(test, route);
		sgt_expect_gone(test, &before[i], sgt_hold_buffers(&holds[i]));
		import_slots += holds[i].import_slots;
		sgt_expect_no_mapping(test, import_slots);
		sgt_bring_back(test, route);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(holds); i++) {
		/* Frees neither the oldest nor the newest first */
		unsigned int old = (i * 5 + 3) % ARRAY_SIZE(holds);

		sgt_hold_check_nodev(&holds[old]);
		sgt_hold_write(&holds[old]);
		sgt_hold_check(&holds[old]);
		sgt_hold_end(&holds[old]);
		sgt_expect_forgotten(test, &before[old]);
	}
	sgt_expect_picture(test);
}

static bool can_suspend(void)
{
	return access("/sys/power/pm_test", W_OK) == 0 &&
	       access("/sys/power/state", W_OK) == 0;
}

/* Whether the log after the position of @kmsg has a line with @text */
static bool log_says(int kmsg, const char *text)
{
	bool found = false;
	char line[1024];
	ssize_t len;

	/* A read returns one line; EPIPE means that lines were lost. */
	while ((len = read(kmsg, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		line[len > 0 ? len : 0] = '\0';
		found |= !!strstr(line, text);
	}
	return found;
}

/*
 * The device that appeared last is suspended first, and its refusal ends the suspend. On 7.3,
 * the virtio console that has the result of the test does not come back from one.
 */
static void suspend_gpu_first(struct sgt_test *test)
{
	sgt_remove(test, SGT_ROUTE_REMOVE);
	sgt_bring_back(test, SGT_ROUTE_REMOVE);
	sgt_must(sgt_write_file("/sys/power/pm_async", "0"));
}

static void test_suspend(struct sgt_test *test)
{
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	uint32_t seed = sgt_new_seed();
	struct sgt_screen screen;
	struct sgt_bo bo;
	int drm, err;

	igt_assert(kmsg >= 0);
	igt_assert(lseek(kmsg, 0, SEEK_END) == 0);

	suspend_gpu_first(test);
	drm = sgt_must(sgt_open_wait());
	sgt_must(sgt_screen_find(&screen, drm));
	sgt_make_picture(&bo, &screen, seed);
	sgt_must(sgt_screen_show(&screen, &bo, 0));

	/* Only devices are suspended: the guest stays awake. */
	sgt_must(sgt_write_file("/sys/power/pm_test", "devices"));
	err = sgt_write_file("/sys/power/state", "freeze");
	sgt_must(sgt_write_file("/sys/power/pm_test", "none"));
	sgt_must(sgt_write_file("/sys/power/pm_async", "1"));
	if (err != -EBUSY) {
		/* The device was suspended and has lost its buffers. */
		sgt_remove(test, SGT_ROUTE_VIRTIO);
		sgt_bring_back(test, SGT_ROUTE_VIRTIO);
	}
	igt_assert_eq(err, -EBUSY);
	igt_assert(log_says(kmsg, "no suspend: the host would forget all resources"));
	close(kmsg);

	sgt_expect_screen(&screen, seed);
	sgt_fill(bo.map, sgt_bo_words(&bo), ++seed);
	igt_assert_eq(drmModeDirtyFB(drm, bo.fb, NULL, 0), 0);
	sgt_expect_screen(&screen, seed);
	sgt_must(sgt_screen_off(&screen));
	sgt_bo_free(&bo);
	close(drm);
}

int igt_main()
{
	static const struct {
		const char *name;
		unsigned int what;
	} holds[] = {
		{ "nothing", 0 },
		{ "handle", SGT_HOLD_HANDLE },
		{ "process", SGT_HOLD_PROCESS },
		{ "mmap", SGT_HOLD_MMAP },
		{ "vmap", SGT_HOLD_VMAP },
		{ "dmabuf", SGT_HOLD_DMABUF },
		{ "dmabuf-mmap", SGT_HOLD_DMABUF_MMAP },
		{ "import", SGT_HOLD_IMPORTER },
		{ "udmabuf", SGT_HOLD_UDMABUF },
		{ "vgem", SGT_HOLD_VGEM },
		{ "scanout", SGT_HOLD_SCANOUT },
		{ "queued", SGT_HOLD_QUEUED },
		{ "sync-file", SGT_HOLD_SYNC_FILE },
		{ "syncobj", SGT_HOLD_SYNCOBJ },
		{ "everything", EVERYTHING },
	};
	struct sgt_test test = {};

	igt_fixture()
		sgt_removal_begin(&test);

	for (int route = 0; route < SGT_ROUTES; route++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(holds); i++) {
			igt_describe("Mappings end with the device, memory does not");
			igt_subtest_f("%s-%s", sgt_route_name[route], holds[i].name) {
				sgt_require_route(&test, route);
				test_held(&test, route, holds[i].what);
			}
			igt_fixture()
				sgt_removal_recover(&test);
		}

		igt_describe("The module stays as long as its code can be called");
		igt_subtest_f("%s-unload", sgt_route_name[route]) {
			sgt_require_route(&test, route);
			test_unload(&test, route);
		}
		igt_fixture()
			sgt_removal_recover(&test);
	}

	igt_describe("No wait outlives the device");
	igt_subtest("out-fence") {
		igt_require(sgt_have_driver("vgem"));
		for (unsigned int route = 0; route < sgt_gpu_routes(&test.gpu); route++) {
			test_out_fence(&test, route, true);
			test_out_fence(&test, route, false);
		}
	}
	igt_fixture()
		sgt_removal_recover(&test);

	igt_describe("Removed devices are independent");
	igt_subtest("generations")
		test_generations(&test);
	igt_fixture()
		sgt_removal_recover(&test);

	igt_describe("Suspend is not supported");
	igt_subtest("suspend") {
		igt_require_f(sgt_gpu_is_sgt(&test.gpu),
			      "the kernel's driver suspends, and on 7.3 the guest is lost\n");
		igt_require(can_suspend());
		sgt_require_route(&test, SGT_ROUTE_REMOVE);
		sgt_require_host();
		test_suspend(&test);
	}
	igt_fixture()
		sgt_removal_recover(&test);
}
