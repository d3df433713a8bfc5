// SPDX-License-Identifier: GPL-2.0
#include <poll.h>

#include "igt.h"
#include "sgt_dma_api.h"
#include "sgt_dmabuf.h"
#include "sgt_fence.h"
#include "sgt_removal.h"

#define SYSFS_SECONDS	60
#define FORGET_MS	10000
#define POLL_MS		5

/* The slots of other devices vary by this number.  A picture needs two thousand. */
#define SLOTS_OF_OTHERS	64

/* The slots in use while the GPU is unbound, or negative */
static long idle_slots = -1;

void sgt_removal_begin(struct sgt_test *test)
{
	/* The test must not hold the device itself. */
	close(sgt_test_begin(test));
	igt_require(geteuid() == 0);

	if (!sgt_setup_is("swiotlb"))
		return;
	sgt_remove(test, SGT_ROUTE_VIRTIO);
	idle_slots = sgt_must(sgt_swiotlb_used());
	sgt_bring_back(test, SGT_ROUTE_VIRTIO);
}

/* Has an effect only after a failed subtest. */
void sgt_removal_recover(struct sgt_test *test)
{
	igt_set_timeout(SYSFS_SECONDS, "recovery");
	sgt_let_go();
	sgt_must(sgt_gpu_recover(&test->gpu));
	igt_reset_timeout();
}

void sgt_require_route(const struct sgt_test *test, enum sgt_route route)
{
	igt_require_f(route < sgt_gpu_routes(&test->gpu), "the GPU is no PCI device\n");
}

void sgt_remove(const struct sgt_test *test, enum sgt_route route)
{
	igt_kmsg(KMSG_INFO "unbinding by %s\n", sgt_route_name[route]);
	igt_set_timeout(SYSFS_SECONDS, "unbind");
	sgt_must(sgt_unbind(&test->gpu, route));
	igt_reset_timeout();
}

void sgt_bring_back(struct sgt_test *test, enum sgt_route route)
{
	igt_kmsg(KMSG_INFO "binding again by %s\n", sgt_route_name[route]);
	igt_set_timeout(SYSFS_SECONDS, "bind");
	sgt_must(sgt_rebind(&test->gpu, route));
	igt_reset_timeout();
}

void sgt_look_before(const struct sgt_test *test, struct sgt_before *before)
{
	memset(before, 0, sizeof(*before));
	if (test->tables)
		sgt_must(sgt_find_live_device(&before->row));
}

/* No buffer of the removed device is mapped. */
static void expect_rows(unsigned int dev, int at_least)
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

void sgt_expect_gone(const struct sgt_test *test, const struct sgt_before *before,
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
	expect_rows(before->row.id, held);
}

/* Every mapped page has a bounce buffer in this set-up, with any driver. */
static void expect_slots(long of_importers)
{
	long slots, most = idle_slots + of_importers + SLOTS_OF_OTHERS;

	if (idle_slots < 0)
		return;
	slots = sgt_must(sgt_swiotlb_used());
	igt_assert_f(slots <= most, "%ld bounce buffer slots in use, %ld at most\n",
		     slots, most);
}

void sgt_expect_no_dma(const struct sgt_test *test)
{
	int attached = sgt_dmabuf_attachments(test->gpu.pci);
	long mapped = sgt_dma_api_count(test->gpu.pci);

	if (attached != -ENOENT)
		igt_assert_eq(attached, 0);
	/* dma-debug must be available in the debug kernel. */
	if (mapped == -ENOENT && !getenv("SGT_DEBUG"))
		return;
	igt_assert_f(mapped >= 0, "dma-api: %s\n", strerror(-mapped));
	igt_assert_f(!mapped, "%ld DMA mappings of %s pending\n", mapped, test->gpu.pci);
}

void sgt_expect_no_mapping(const struct sgt_test *test, long importers_slots)
{
	sgt_expect_no_dma(test);
	expect_slots(importers_slots);
}

void sgt_expect_forgotten(const struct sgt_test *test,
			  const struct sgt_before *before)
{
	struct sgt_device_row row;
	int err = 0, buffers = 0;

	if (!test->tables)
		return;
	for (int ms = 0; ms < FORGET_MS; ms += POLL_MS) {
		buffers = sgt_must(sgt_count_buffers(before->row.id));
		err = sgt_find_device(before->row.id, &row);
		if (err == -ENOENT && !buffers)
			break;
		poll(NULL, 0, POLL_MS);
	}
	igt_assert_eq(buffers, 0);
	igt_assert_eq(err, -ENOENT);
}

void sgt_expect_signalled(int sync_file)
{
	int status = sgt_sync_file_wait(sync_file);

	igt_assert_f(status == 1 || status == -ENODEV, "status %d\n", status);
}

void sgt_expect_memory(const struct sgt_test *test)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_baseline base;
	struct sgt_bo bo;
	int drm;

	drm = sgt_must(sgt_open_wait());
	sgt_baseline_take(test, &base);
	sgt_must(sgt_bo_create(&bo, drm, 100, 100));
	sgt_must(sgt_bo_map(&bo));
	sgt_fill(bo.map, sgt_bo_words(&bo), seed);
	sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
	sgt_bo_free(&bo);
	sgt_baseline_check(test, &base);
	close(drm);
}

void sgt_expect_picture(const struct sgt_test *test)
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

int sgt_unload_in_time(const struct sgt_test *test)
{
	int err = 0;

	for (int ms = 0; ms < FORGET_MS; ms += POLL_MS) {
		err = sgt_module_unload(test->gpu.driver);
		if (err != -EWOULDBLOCK)
			break;
		poll(NULL, 0, POLL_MS);
	}
	return err;
}

bool sgt_have_driver(const char *name)
{
	int drm = sgt_open_driver(name);

	if (drm >= 0)
		close(drm);
	return drm >= 0;
}
