// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "igt.h"
#include "virtgpu_drm.h"

#include "lib/sgt_fence.h"
#include "lib/sgt_hold.h"
#include "lib/sgt_test.h"

/**
 * TEST: sgt unbind
 * Description: Take the device away from its driver while its buffers are held
 * Category: Display
 * Mega feature: DRM
 * Sub-category: driver
 * Functionality: device hotplug
 * Test category: functionality test
 *
 * SUBTEST: virtio-nothing
 * Description: Unbind on the virtio bus with nothing held
 *
 * SUBTEST: virtio-handle
 * Description: Unbind on the virtio bus with a file and its handles held
 *
 * SUBTEST: virtio-process
 * Description: Unbind on the virtio bus with the file of another process open
 *
 * SUBTEST: virtio-mmap
 * Description: Unbind on the virtio bus with mappings held
 *
 * SUBTEST: virtio-dmabuf
 * Description: Unbind on the virtio bus with dma-bufs held
 *
 * SUBTEST: virtio-dmabuf-mmap
 * Description: Unbind on the virtio bus with mappings of dma-bufs held
 *
 * SUBTEST: virtio-import
 * Description: Unbind on the virtio bus with the imports of another driver held
 *
 * SUBTEST: virtio-scanout
 * Description: Unbind on the virtio bus with a buffer on the screen
 *
 * SUBTEST: virtio-everything
 * Description: Unbind on the virtio bus with all of that held
 *
 * SUBTEST: pci-nothing
 * Description: Unbind virtio-pci with nothing held
 *
 * SUBTEST: pci-handle
 * Description: Unbind virtio-pci with a file and its handles held
 *
 * SUBTEST: pci-process
 * Description: Unbind virtio-pci with the file of another process open
 *
 * SUBTEST: pci-mmap
 * Description: Unbind virtio-pci with mappings held
 *
 * SUBTEST: pci-dmabuf
 * Description: Unbind virtio-pci with dma-bufs held
 *
 * SUBTEST: pci-dmabuf-mmap
 * Description: Unbind virtio-pci with mappings of dma-bufs held
 *
 * SUBTEST: pci-import
 * Description: Unbind virtio-pci with the imports of another driver held
 *
 * SUBTEST: pci-scanout
 * Description: Unbind virtio-pci with a buffer on the screen
 *
 * SUBTEST: pci-everything
 * Description: Unbind virtio-pci with all of that held
 *
 * SUBTEST: remove-nothing
 * Description: Remove the PCI device with nothing held
 *
 * SUBTEST: remove-handle
 * Description: Remove the PCI device with a file and its handles held
 *
 * SUBTEST: remove-process
 * Description: Remove the PCI device with the file of another process open
 *
 * SUBTEST: remove-mmap
 * Description: Remove the PCI device with mappings held
 *
 * SUBTEST: remove-dmabuf
 * Description: Remove the PCI device with dma-bufs held
 *
 * SUBTEST: remove-dmabuf-mmap
 * Description: Remove the PCI device with mappings of dma-bufs held
 *
 * SUBTEST: remove-import
 * Description: Remove the PCI device with the imports of another driver held
 *
 * SUBTEST: remove-scanout
 * Description: Remove the PCI device with a buffer on the screen
 *
 * SUBTEST: remove-everything
 * Description: Remove the PCI device with all of that held
 *
 * SUBTEST: virtio-flips
 * Description: Unbind on the virtio bus between page flips: each one has its event
 *
 * SUBTEST: pci-flips
 * Description: Unbind virtio-pci between page flips: each one has its event
 *
 * SUBTEST: remove-flips
 * Description: Remove the PCI device between page flips: each one has its event
 *
 * SUBTEST: virtio-storm
 * Description: Unbind on the virtio bus while processes create, map, show and free
 *
 * SUBTEST: pci-storm
 * Description: Unbind virtio-pci while processes create, map, show and free
 *
 * SUBTEST: remove-storm
 * Description: Remove the PCI device while processes create, map, show and free
 *
 * SUBTEST: virtio-close-race
 * Description: The last puts of many buffers race an unbind on the virtio bus
 *
 * SUBTEST: pci-close-race
 * Description: The last puts of many buffers race an unbind of virtio-pci
 *
 * SUBTEST: remove-close-race
 * Description: The last puts of many buffers race the removal of the PCI device
 *
 * SUBTEST: out-fence
 * Description: The fence of a commit that waits while the device goes is signalled
 *
 * SUBTEST: generations
 * Description: The buffers of many devices that are gone live side by side
 *
 * SUBTEST: module-file
 * Description: An open file of a device that is gone keeps the module, and closing it frees it
 *
 * SUBTEST: module-mmap
 * Description: A mapping keeps the module, and unmapping frees it
 *
 * SUBTEST: module-dmabuf
 * Description: A dma-buf keeps the module, and closing it frees it
 *
 * SUBTEST: module-sync-file
 * Description: The sync file of a commit keeps the module, and closing it frees it
 *
 * SUBTEST: suspend
 * Description: Suspend is refused and leaves a working device
 */

IGT_TEST_DESCRIPTION("Take the device away from its driver while its buffers are held");

#define SYSFS_SECONDS	60
#define FORGET_MS	10000
#define ROUNDS		2

/* Bounce buffer slots (2 KiB) that others than the GPU may take meanwhile */
#define SLOTS_OF_OTHERS	16

/* Those in use while the GPU is unbound, or negative */
static long idle_slots = -1;

/* The device as it was before it went */
struct before {
	struct sgt_device_row row;
};

static void unbind(const struct sgt_test *test, enum sgt_route route)
{
	igt_kmsg(KMSG_INFO "unbinding by %s\n", sgt_route_name[route]);
	igt_set_timeout(SYSFS_SECONDS, "unbind");
	sgt_must(sgt_unbind(&test->gpu, route));
	igt_reset_timeout();
}

static void rebind(struct sgt_test *test, enum sgt_route route)
{
	igt_kmsg(KMSG_INFO "binding again by %s\n", sgt_route_name[route]);
	igt_set_timeout(SYSFS_SECONDS, "bind");
	sgt_must(sgt_rebind(&test->gpu, route));
	igt_reset_timeout();
}

static void look_before(const struct sgt_test *test, struct before *before)
{
	memset(before, 0, sizeof(*before));
	if (test->tables)
		sgt_must(sgt_find_live_device(&before->row));
}

/* No row of the device that is gone has an address left. */
static void check_rows(unsigned int dev, int at_least)
{
	struct sgt_buffer_row *rows = NULL;
	int count, seen = 0;

	count = sgt_must(sgt_read_buffers(&rows));
	for (int i = 0; i < count; i++) {
		if (rows[i].dev != dev)
			continue;
		igt_assert(strcmp(rows[i].state, "mapped"));
		igt_assert_eq_u64(rows[i].dma_segs, 0);
		seen++;
	}
	free(rows);
	igt_assert_lte(at_least, seen);
}

/* Every mapped page has bounce buffers in this set-up, whatever the driver. */
static void check_slots(long of_importers)
{
	long slots, most = idle_slots + of_importers + SLOTS_OF_OTHERS;

	if (idle_slots < 0)
		return;
	slots = sgt_must(sgt_swiotlb_used());
	igt_assert_f(slots <= most, "%ld bounce buffer slots in use, %ld at most\n",
		     slots, most);
}

/* To be called right after unbind: nothing may come later. */
static void check_gone(const struct sgt_test *test, const struct before *before,
		       int held)
{
	struct sgt_device_row row;
	int err;

	if (!test->tables)
		return;

	err = sgt_find_device(before->row.id, &row);
	if (err == -ENOENT && !held)
		return;
	sgt_must(err);
	igt_assert(!strcmp(row.state, "gone"));
	igt_assert_eq_u64(row.mapped, 0);
	igt_assert_eq_u64(row.bytes_mapped, 0);
	igt_assert_eq_u64(row.maps, row.unmaps);
	igt_assert(row.revoked >= (unsigned long)held);
	check_rows(before->row.id, held);
}

/* The last holder let go: so do the tables. */
static void check_forgotten(const struct sgt_test *test, const struct before *before)
{
	struct sgt_device_row row;
	int err = 0, buffers = 0;

	if (!test->tables)
		return;
	for (int ms = 0; ms < FORGET_MS; ms += 10) {
		buffers = sgt_must(sgt_count_buffers(before->row.id));
		err = sgt_find_device(before->row.id, &row);
		if (err == -ENOENT && !buffers)
			break;
		poll(NULL, 0, 10);
	}
	igt_assert_eq(buffers, 0);
	igt_assert_eq(err, -ENOENT);
}

/* A device that was just bound shows a picture. */
static void check_works(const struct sgt_test *test)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_baseline base;
	struct sgt_screen screen;
	struct sgt_bo bo;
	int drm;

	drm = sgt_must(sgt_open_wait());
	sgt_baseline_take(test, &base);
	sgt_must(sgt_screen_find(&screen, drm));
	sgt_make_picture(&bo, &screen, seed);
	sgt_must(sgt_screen_show(&screen, &bo, 0));
	if (sgt_host_present())
		sgt_expect_screen(&screen, seed);
	sgt_must(sgt_screen_off(&screen));
	sgt_bo_free(&bo);
	sgt_baseline_check(test, &base);
	close(drm);
}

static void test_held(struct sgt_test *test, enum sgt_route route, unsigned int what)
{
	struct before before;
	struct sgt_hold hold;

	look_before(test, &before);
	sgt_hold_begin(&hold, what);

	unbind(test, route);
	check_gone(test, &before, sgt_hold_buffers(&hold));
	check_slots(hold.import_slots);
	sgt_hold_check(&hold);
	sgt_hold_check_nodev(&hold);
	sgt_hold_write(&hold);
	sgt_hold_check(&hold);

	rebind(test, route);
	check_works(test);
	check_gone(test, &before, sgt_hold_buffers(&hold));
	sgt_hold_check_nodev(&hold);
	sgt_hold_write(&hold);
	sgt_hold_check(&hold);

	sgt_hold_end(&hold);
	check_forgotten(test, &before);
	check_works(test);
}

/* What processes have in common: how far they are, and whether to stop */
struct shared {
	volatile unsigned int rounds, stop;
};

static struct shared *share(void)
{
	struct shared *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	igt_assert(shared != MAP_FAILED);
	return shared;
}

static void wait_for_rounds(struct shared *shared, unsigned int more)
{
	unsigned int end = shared->rounds + more;

	for (int ms = 0; ms < 30000 && shared->rounds < end; ms += 5)
		poll(NULL, 0, 5);
	igt_assert_f(shared->rounds >= end, "the other processes are stuck\n");
}

/* Flips until the device says no; then every flip that was taken has its event. */
static void flip_until_gone(struct shared *shared)
{
	struct sgt_screen screen;
	struct sgt_bo bos[2];
	int drm, err, flips = 0, seen = 0;

	drm = sgt_must(sgt_open());
	sgt_must(sgt_screen_find(&screen, drm));
	sgt_make_picture(&bos[0], &screen, 1);
	sgt_make_picture(&bos[1], &screen, 2);
	sgt_must(sgt_screen_show(&screen, &bos[0], 0));

	for (;;) {
		err = sgt_screen_flip(&screen, &bos[shared->rounds++ & 1]);
		if (err && err != -EBUSY)
			break;
		flips += !err;
		/* Every fourth time the event is left for later. */
		if (err || shared->rounds % 4)
			seen += sgt_wait_flips(drm, flips - seen, 5000);
	}
	seen += sgt_wait_flips(drm, flips - seen, 5000);
	igt_assert_eq(seen, flips);

	for (int ms = 0; ms < FORGET_MS; ms += 10) {
		if (sgt_screen_flip(&screen, &bos[0]) == -ENODEV)
			break;
		poll(NULL, 0, 10);
	}
	sgt_expect_nodev(drm, &bos[0]);
	close(drm);
}

static void test_flips(struct sgt_test *test, enum sgt_route route)
{
	struct shared *shared = share();
	struct before before;

	for (int round = 0; round < 3; round++) {
		look_before(test, &before);
		igt_fork(child, 1)
			flip_until_gone(shared);
		wait_for_rounds(shared, 20);
		unbind(test, route);
		igt_waitchildren();
		check_gone(test, &before, 0);
		check_slots(0);
		check_forgotten(test, &before);
		rebind(test, route);
	}
	munmap(shared, PAGE);
	check_works(test);
}

/* One buffer's whole life; a device that goes in the middle may fail any step. */
static void live_a_life(int drm, uint32_t rounds)
{
	struct sgt_screen screen;
	struct sgt_bo bo;
	int dmabuf;

	if (sgt_bo_create(&bo, drm, 64 + rounds % 512, 64))
		return;
	if (!sgt_bo_map(&bo)) {
		sgt_fill(bo.map, sgt_bo_words(&bo), rounds);
		sgt_expect_pattern(bo.map, sgt_bo_words(&bo), rounds);
	}
	dmabuf = sgt_bo_export(&bo);
	if (dmabuf >= 0)
		close(dmabuf);
	sgt_bo_free(&bo);

	if (rounds % 8 || sgt_screen_find(&screen, drm))
		return;
	if (sgt_bo_create(&bo, drm, screen.mode.hdisplay, screen.mode.vdisplay))
		return;
	if (!sgt_bo_add_fb(&bo))
		sgt_screen_show(&screen, &bo, 0);
	sgt_bo_free(&bo);
}

static void live_until_stopped(struct shared *shared)
{
	while (!shared->stop) {
		int drm = sgt_open();

		if (drm < 0) {
			poll(NULL, 0, 1);
			continue;
		}
		for (int i = 0; i < 16 && !shared->stop; i++)
			live_a_life(drm, __sync_add_and_fetch(&shared->rounds, 1));
		close(drm);
	}
}

static void test_storm(struct sgt_test *test, enum sgt_route route)
{
	struct shared *shared = share();
	struct before before[4];

	igt_fork(child, 4)
		live_until_stopped(shared);

	for (unsigned int round = 0; round < ARRAY_SIZE(before); round++) {
		wait_for_rounds(shared, 40);
		look_before(test, &before[round]);
		unbind(test, route);
		check_gone(test, &before[round], 0);
		rebind(test, route);
	}
	shared->stop = 1;
	igt_waitchildren();
	munmap(shared, PAGE);

	for (unsigned int round = 0; round < ARRAY_SIZE(before); round++)
		check_forgotten(test, &before[round]);
	check_works(test);
}

#define RACE_BUFFERS 100

static void close_at_once(struct shared *shared)
{
	static struct sgt_bo bos[RACE_BUFFERS];
	int drm = sgt_must(sgt_open());

	for (int i = 0; i < RACE_BUFFERS; i++) {
		sgt_must(sgt_bo_create(&bos[i], drm, 256, 16 + i));
		sgt_must(sgt_bo_map(&bos[i]));
		sgt_fill(bos[i].map, sgt_bo_words(&bos[i]), i);
	}
	/* The parent unbinds from here on. */
	__sync_add_and_fetch(&shared->rounds, 1);
	while (!shared->stop)
		;
	for (int i = 0; i < RACE_BUFFERS; i++) {
		if (i % 4 == 3)
			sgt_expect_pattern(bos[i].map, sgt_bo_words(&bos[i]), i);
		sgt_bo_free(&bos[i]);
	}
	close(drm);
}

static void test_close_race(struct sgt_test *test, enum sgt_route route)
{
	struct shared *shared = share();
	struct before before;

	for (int round = 0; round < 4; round++) {
		shared->stop = 0;
		look_before(test, &before);
		igt_fork(child, 1)
			close_at_once(shared);
		wait_for_rounds(shared, 1);
		shared->stop = 1;
		unbind(test, route);
		check_gone(test, &before, 0);
		check_slots(0);
		igt_waitchildren();
		check_forgotten(test, &before);
		rebind(test, route);
	}
	munmap(shared, PAGE);
	check_works(test);
}

static int fence_status(int fence)
{
	struct sync_file_info info = {};

	do_ioctl(fence, SYNC_IOC_FILE_INFO, &info);
	return info.status;
}

/* The unbind in the other process is past the point of no return. */
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

static void check_signalled(int fence)
{
	struct pollfd pfd = { .fd = fence, .events = POLLIN };
	int status;

	igt_assert_eq(poll(&pfd, 1, 5000), 1);
	igt_assert(pfd.revents & POLLIN);
	status = fence_status(fence);
	igt_assert_f(status == 1 || status == -ENODEV, "status %d\n", status);
}

/*
 * The commit waits for a fence of another device, which comes right before the
 * unbind, or while that waits for the commit.
 */
static void test_out_fence(struct sgt_test *test, enum sgt_route route, bool first)
{
	struct sgt_fence in_fence;
	struct sgt_screen screen;
	struct before before;
	struct sgt_bo bo;
	int drm, fence;

	look_before(test, &before);
	drm = sgt_must(sgt_open());
	sgt_must(sgt_screen_find(&screen, drm));
	sgt_make_picture(&bo, &screen, sgt_new_seed());
	sgt_must(sgt_screen_show(&screen, &bo, 0));
	sgt_must(sgt_fence_begin(&in_fence));
	fence = sgt_must(sgt_screen_fence(&screen, &bo, in_fence.file));
	igt_assert_eq(fence_status(fence), 0);

	if (first)
		sgt_must(sgt_fence_signal(&in_fence));
	igt_fork(child, 1)
		unbind(test, route);
	wait_until_gone(drm);
	if (!first) {
		igt_assert_eq(fence_status(fence), 0);
		sgt_must(sgt_fence_signal(&in_fence));
	}
	check_signalled(fence);
	igt_waitchildren();
	check_gone(test, &before, 1);
	check_signalled(fence);

	sgt_fence_end(&in_fence);
	close(fence);
	sgt_bo_free(&bo);
	close(drm);
	check_forgotten(test, &before);
	rebind(test, route);
	check_works(test);
}

static void test_generations(struct sgt_test *test)
{
	static struct sgt_hold holds[6];
	struct before before[ARRAY_SIZE(holds)];
	long import_slots = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(holds); i++) {
		enum sgt_route route = i % SGT_ROUTES;

		look_before(test, &before[i]);
		sgt_hold_begin(&holds[i], SGT_HOLD_ALL & ~SGT_HOLD_PROCESS);
		unbind(test, route);
		check_gone(test, &before[i], sgt_hold_buffers(&holds[i]));
		import_slots += holds[i].import_slots;
		check_slots(import_slots);
		rebind(test, route);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(holds); i++) {
		/* From the middle outwards */
		unsigned int old = (i * 5 + 3) % ARRAY_SIZE(holds);

		sgt_hold_check_nodev(&holds[old]);
		sgt_hold_write(&holds[old]);
		sgt_hold_check(&holds[old]);
		sgt_hold_end(&holds[old]);
		check_forgotten(test, &before[old]);
	}
	check_works(test);
}

/* The module is free some time after the last holder let go. */
static int unload_in_time(const char *module)
{
	int err = 0;

	for (int ms = 0; ms < FORGET_MS; ms += 10) {
		err = sgt_module_unload(module);
		if (err != -EWOULDBLOCK)
			break;
		poll(NULL, 0, 10);
	}
	return err;
}

static void test_module(struct sgt_test *test, unsigned int what)
{
	const char *module = test->gpu.driver;
	struct sgt_hold hold;

	sgt_hold_begin(&hold, what);
	unbind(test, SGT_ROUTE_VIRTIO);
	igt_assert_lt(0, sgt_must(sgt_module_users(module)));
	igt_assert_eq(sgt_module_unload(module), -EWOULDBLOCK);
	sgt_hold_check(&hold);

	sgt_hold_end(&hold);
	sgt_must(unload_in_time(module));
	sgt_must(sgt_module_load(module));
	check_works(test);
}

/*
 * A fence is a pointer to its CRTC.  The file alone must keep what that points
 * to, for longer than it takes the driver to see that nobody else does.
 */
static void test_module_sync_file(struct sgt_test *test)
{
	const char *module = test->gpu.driver;
	struct sgt_screen screen;
	struct sgt_bo bo;
	int drm, fence;

	drm = sgt_must(sgt_open());
	sgt_must(sgt_screen_find(&screen, drm));
	sgt_make_picture(&bo, &screen, sgt_new_seed());
	sgt_must(sgt_screen_show(&screen, &bo, 0));
	fence = sgt_must(sgt_screen_fence(&screen, &bo, -1));
	sgt_bo_free(&bo);
	close(drm);
	unbind(test, SGT_ROUTE_VIRTIO);

	for (int ms = 0; ms < 3000; ms += 100) {
		igt_assert_eq(sgt_module_unload(module), -EWOULDBLOCK);
		poll(NULL, 0, 100);
	}
	igt_assert_neq(fence_status(fence), 0);
	close(fence);
	sgt_must(unload_in_time(module));
	sgt_must(sgt_module_load(module));
	check_works(test);
}

static bool can_suspend(void)
{
	return access("/sys/power/pm_test", W_OK) == 0 &&
	       access("/sys/power/state", W_OK) == 0;
}

static void test_suspend(struct sgt_test *test)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_screen screen;
	struct sgt_bo bo;
	int drm, err;

	drm = sgt_must(sgt_open());
	sgt_must(sgt_screen_find(&screen, drm));
	sgt_make_picture(&bo, &screen, seed);
	sgt_must(sgt_screen_show(&screen, &bo, 0));

	/* Devices are asked, and nothing beyond: the guest stays awake. */
	sgt_must(sgt_write_file("/sys/power/pm_test", "devices"));
	err = sgt_write_file("/sys/power/state", "freeze");
	sgt_must(sgt_write_file("/sys/power/pm_test", "none"));
	if (err != -EBUSY) {
		/* Went to sleep and woke up without its buffers */
		unbind(test, SGT_ROUTE_VIRTIO);
		rebind(test, SGT_ROUTE_VIRTIO);
	}
	igt_assert_eq(err, -EBUSY);

	sgt_expect_screen(&screen, seed);
	sgt_fill(bo.map, sgt_bo_words(&bo), ++seed);
	igt_assert_eq(drmModeDirtyFB(drm, bo.fb, NULL, 0), 0);
	sgt_expect_screen(&screen, seed);
	sgt_must(sgt_screen_off(&screen));
	sgt_bo_free(&bo);
	close(drm);
}

static void measure_idle_slots(struct sgt_test *test)
{
	unbind(test, SGT_ROUTE_VIRTIO);
	idle_slots = sgt_must(sgt_swiotlb_used());
	rebind(test, SGT_ROUTE_VIRTIO);
}

static bool have_driver(const char *name)
{
	int drm = sgt_open_driver(name);

	if (drm >= 0)
		close(drm);
	return drm >= 0;
}

/* Only a subtest that failed leaves something to do here. */
static void recover(struct sgt_test *test)
{
	igt_set_timeout(SYSFS_SECONDS, "recovery");
	sgt_let_go();
	sgt_must(sgt_gpu_recover(&test->gpu));
	igt_reset_timeout();
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
		{ "dmabuf", SGT_HOLD_DMABUF },
		{ "dmabuf-mmap", SGT_HOLD_DMABUF_MMAP },
		{ "import", SGT_HOLD_IMPORT },
		{ "scanout", SGT_HOLD_SCANOUT },
		{ "everything", SGT_HOLD_ALL },
	};
	static const struct {
		const char *name, *what;
		void (*run)(struct sgt_test *test, enum sgt_route route);
	} races[] = {
		{ "flips", "A page flip either fails or has its event", test_flips },
		{ "storm", "Whatever goes on does not outlive the device", test_storm },
		{ "close-race", "Unbind and the last put, whoever is first", test_close_race },
	};
	static const struct {
		const char *name;
		unsigned int what;
	} modules[] = {
		{ "module-file", SGT_HOLD_HANDLE },
		{ "module-mmap", SGT_HOLD_MMAP },
		{ "module-dmabuf", SGT_HOLD_DMABUF },
	};
	struct sgt_test test = {};

	igt_fixture() {
		/* Nothing of the test's own may keep the device. */
		close(sgt_test_begin(&test));
		igt_require(geteuid() == 0);
		if (sgt_setup_is("swiotlb"))
			measure_idle_slots(&test);
	}

	for (int route = 0; route < SGT_ROUTES; route++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(holds); i++) {
			igt_describe("Mappings end with the device, bytes do not");
			igt_subtest_f("%s-%s", sgt_route_name[route], holds[i].name) {
				igt_require(!(holds[i].what & SGT_HOLD_IMPORT) ||
					    have_driver("vgem"));
				for (int round = 0; round < ROUNDS; round++)
					test_held(&test, route, holds[i].what);
			}
			igt_fixture()
				recover(&test);
		}
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(races); i++) {
		for (int route = 0; route < SGT_ROUTES; route++) {
			igt_describe(races[i].what);
			igt_subtest_f("%s-%s", sgt_route_name[route], races[i].name)
				races[i].run(&test, route);
			igt_fixture()
				recover(&test);
		}
	}

	igt_describe("Nobody waits for a device that is gone");
	igt_subtest("out-fence") {
		igt_require(have_driver("vgem"));
		for (int route = 0; route < SGT_ROUTES; route++) {
			test_out_fence(&test, route, true);
			test_out_fence(&test, route, false);
		}
	}
	igt_fixture()
		recover(&test);

	igt_describe("Old devices do not get in each other's way");
	igt_subtest("generations") {
		igt_require(have_driver("vgem"));
		test_generations(&test);
	}
	igt_fixture()
		recover(&test);

	for (unsigned int i = 0; i < ARRAY_SIZE(modules); i++) {
		igt_describe("The code stays as long as somebody may call it");
		igt_subtest_f("%s", modules[i].name)
			test_module(&test, modules[i].what);
		igt_fixture()
			recover(&test);
	}

	igt_describe("The code stays as long as a fence may call it");
	igt_subtest("module-sync-file") {
		/* The in-tree driver's goes, and the file points to freed memory. */
		sgt_require_tables(&test);
		test_module_sync_file(&test);
	}
	igt_fixture()
		recover(&test);

	igt_describe("What is not supported is refused");
	igt_subtest("suspend") {
		igt_require(can_suspend());
		sgt_require_host();
		test_suspend(&test);
	}
	igt_fixture()
		recover(&test);
}
