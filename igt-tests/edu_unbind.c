// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "igt.h"

#include <drm/edu_gpu_drm.h>
#include "lib/edu.h"
#include "lib/sgt_dma_api.h"
#include "lib/sgt_dmabuf.h"
#include "lib/sgt_fence.h"
#include "lib/sgt_removal.h"

/**
 * TEST: edu unbind
 * Description: Unbind a driver whose device has an MMU
 * Category: Core
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: hotplug
 * Test category: functionality test
 *
 * SUBTEST: held
 * Description: Unbind leaves no mapping, while buffers are held and mapped in tables
 *
 * SUBTEST: copying
 * Description: Unbind in the middle of a copy: it fails, and nothing is written later
 *
 * SUBTEST: close-copying
 * Description: A close in the middle of a copy: it fails, and other files go on
 *
 * SUBTEST: close-import
 * Description: A close in the middle of a copy frees an import itself, and no job does
 *
 * SUBTEST: busy
 * Description: A DMA that runs while the driver is bound ends before the first copy
 *
 * SUBTEST: unload
 * Description: The module stays as long as a fence can call it
 */

IGT_TEST_DESCRIPTION("Unbind a driver whose device has an MMU");

#define SRC	(5ull << 39)
#define DST	(6ull << 39)
/* The device takes 100 ms for each DMA. */
#define DMA_MS	100

static char pci[64];

static void make_and_map(struct sgt_bo bos[2], int drm, unsigned int pages)
{
	for (int i = 0; i < 2; i++)
		edu_make(&bos[i], drm, pages, sgt_new_seed());
	sgt_must(edu_map(&bos[0], SRC, bos[0].size, 0));
	sgt_must(edu_map(&bos[1], DST, bos[1].size, 0));
}

/* Two buffers, three mappings with the root tables or more, nothing mapped after it */
static void unbind(const struct sgt_device_row *before)
{
	struct sgt_device_row row;
	long mapped;

	igt_set_timeout(60, "unbind");
	sgt_must(edu_unbind(pci));
	igt_reset_timeout();

	sgt_must(sgt_find_device(before->id, &row));
	igt_assert(!strcmp(row.state, "gone"));
	igt_assert_eq_u64(row.mapped, 0);
	igt_assert_eq_u64(row.bytes_mapped, 0);
	igt_assert_eq_u64(row.maps, row.unmaps);
	mapped = sgt_dma_api_count(pci);
	if (mapped != -ENOENT || getenv("SGT_DEBUG"))
		igt_assert_eq(mapped, 0);
}

/* A device that was just bound works. */
static void bind_and_copy(void)
{
	struct sgt_bo bos[2];
	int drm;

	sgt_must(edu_bind(pci));
	drm = edu_open();
	make_and_map(bos, drm, 1);
	edu_expect_copy(&bos[0], 0, SRC, &bos[1], 0, DST, 64);
	sgt_bo_free(&bos[0]);
	sgt_bo_free(&bos[1]);
	close(drm);
}

static void test_held(void)
{
	const uint32_t seed = sgt_new_seed();
	struct sgt_device_row row;
	struct sgt_bo bos[2];
	int drm = edu_open();

	make_and_map(bos, drm, 1000);
	edu_expect_copy(&bos[0], 0, SRC, &bos[1], 0, DST, 64);
	sgt_must(edu_find_device(pci, "live", &row));
	igt_assert(row.mapped > 2);
	unbind(&row);

	igt_assert_eq(edu_unmap(drm, SRC, PAGE), -ENODEV);
	igt_assert_eq(edu_copy(drm, SRC, DST, 64), -ENODEV);
	for (int i = 0; i < 2; i++) {
		sgt_fill(bos[i].map, sgt_bo_words(&bos[i]), seed + i);
		sgt_expect_pattern(bos[i].map, sgt_bo_words(&bos[i]), seed + i);
	}
	bind_and_copy();
	sgt_bo_free(&bos[0]);
	sgt_bo_free(&bos[1]);
	close(drm);
}

/* Wait until the first bytes are copied, so that the copy is in its middle. */
static void wait_for_begin(const struct sgt_bo bos[2])
{
	const volatile uint32_t *to = bos[1].map;
	int ms = 0;

	while (*to != bos[0].map[0] && ms++ < 10000)
		poll(NULL, 0, 1);
	igt_assert_eq_u32(*to, bos[0].map[0]);
}

static void test_copying(void)
{
	struct sgt_device_row row;
	struct sgt_bo bos[2];
	int drm = edu_open();
	int files[3];
	void *copy;

	make_and_map(bos, drm, EDU_GPU_MAX_COPY / PAGE);
	sgt_must(edu_find_device(pci, "live", &row));
	for (int i = 0; i < 3; i++)
		files[i] = sgt_must(edu_copy_begin(drm, SRC, DST, EDU_GPU_MAX_COPY));
	wait_for_begin(bos);
	unbind(&row);

	copy = malloc(bos[1].size);
	igt_assert(copy);
	memcpy(copy, bos[1].map, bos[1].size);
	for (int i = 0; i < 3; i++) {
		igt_assert_eq(sgt_sync_file_status(files[i]), -ENODEV);
		close(files[i]);
	}
	/* Time for a DMA that was not waited for, in vain */
	poll(NULL, 0, 3 * DMA_MS);
	igt_assert(!memcmp(copy, bos[1].map, bos[1].size));
	igt_assert_f(memcmp(bos[0].map, bos[1].map, bos[1].size), "the copy was done\n");
	free(copy);
	bind_and_copy();
	sgt_bo_free(&bos[0]);
	sgt_bo_free(&bos[1]);
	close(drm);
}

static void test_close_copying(void)
{
	int drm = edu_open(), other = edu_open();
	struct sgt_bo bos[2], others[2];
	int file, last;

	make_and_map(bos, drm, EDU_GPU_MAX_COPY / PAGE);
	make_and_map(others, other, 1);
	file = sgt_must(edu_copy_begin(drm, SRC, DST, EDU_GPU_MAX_COPY));
	last = sgt_must(edu_copy_begin(other, SRC, DST, 64));
	wait_for_begin(bos);
	for (int i = 0; i < 2; i++)
		munmap(bos[i].map, bos[i].size);
	close(drm);
	igt_assert_eq(sgt_sync_file_wait(file), -ECANCELED);
	igt_assert_eq(sgt_sync_file_wait(last), 1);
	igt_assert(!memcmp(others[0].map, others[1].map, 64));
	close(file);
	close(last);
	sgt_bo_free(&others[0]);
	sgt_bo_free(&others[1]);
	close(other);
}

static void test_close_import(void)
{
	struct sgt_foreign foreign;
	struct sgt_bo bos[2];
	int drm = edu_open();
	int file, err;

	err = sgt_foreign_udmabuf(&foreign, EDU_GPU_MAX_COPY);
	igt_require_f(err != -ENOENT, "no udmabuf\n");
	sgt_must(err);
	edu_make(&bos[1], drm, EDU_GPU_MAX_COPY / PAGE, sgt_new_seed());
	sgt_must(sgt_bo_import(&bos[0], drm, foreign.fd, PAGE / 4, EDU_GPU_MAX_COPY / PAGE));
	bos[0].map = foreign.map;
	sgt_fill(foreign.map, sgt_bo_words(&bos[0]), sgt_new_seed());
	sgt_must(edu_map(&bos[0], SRC, bos[0].size, 0));
	sgt_must(edu_map(&bos[1], DST, bos[1].size, 0));
	igt_assert_eq(sgt_dmabuf_attachments(pci), 1);

	file = sgt_must(edu_copy_begin(drm, SRC, DST, EDU_GPU_MAX_COPY));
	wait_for_begin(bos);
	munmap(bos[1].map, bos[1].size);
	close(drm);
	igt_assert_eq(sgt_dmabuf_attachments(pci), 0);
	igt_assert_eq(sgt_sync_file_wait(file), -ECANCELED);
	close(file);
	sgt_foreign_free(&foreign);
}

/* Registers of the device, and a command for its DMA engine */
#define BUFFER		0x40000
#define DMA_SRC		0x80
#define DMA_DST		0x88
#define DMA_COUNT	0x90
#define DMA_CMD		0x98
#define DMA_RUN		1

static void write_register(volatile void *registers, unsigned int at, uint64_t value)
{
	*(volatile uint64_t *)(registers + at) = value;
}

static void test_busy(void)
{
	volatile void *registers;
	char path[128];
	int file;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", pci);
	file = open(path, O_RDWR | O_SYNC | O_CLOEXEC);
	igt_assert(file >= 0);
	registers = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	igt_assert(registers != MAP_FAILED);
	close(file);

	sgt_must(edu_unbind(pci));
	write_register(registers, DMA_SRC, 0);
	write_register(registers, DMA_DST, BUFFER);
	write_register(registers, DMA_COUNT, 64);
	write_register(registers, DMA_CMD, DMA_RUN);
	igt_assert(*(volatile uint64_t *)(registers + DMA_CMD) & DMA_RUN);
	sgt_must(edu_bind(pci));
	igt_assert_f(!(*(volatile uint64_t *)(registers + DMA_CMD) & DMA_RUN),
		     "the DMA from before runs on\n");
	munmap((void *)registers, PAGE);
	sgt_must(edu_unbind(pci));
	bind_and_copy();
}

static void test_unload(void)
{
	struct sgt_bo bos[2];
	int drm = edu_open(), file, err = 0;

	make_and_map(bos, drm, 1);
	file = sgt_must(edu_copy_begin(drm, SRC, DST, 64));
	sgt_bo_free(&bos[0]);
	sgt_bo_free(&bos[1]);
	close(drm);
	igt_assert_eq(sgt_module_unload("edu_gpu"), -EWOULDBLOCK);
	sgt_sync_file_wait(file);
	close(file);
	for (int ms = 0; ms < 10000; ms++) {
		err = sgt_module_unload("edu_gpu");
		if (err != -EWOULDBLOCK)
			break;
		poll(NULL, 0, 1);
	}
	igt_assert_eq(err, 0);
	sgt_must(sgt_module_load("edu_gpu"));
}

int igt_main()
{
	igt_fixture()
		edu_begin(pci);

	igt_describe("No mapping is left, and no byte is lost");
	igt_subtest("held")
		test_held();

	igt_describe("No DMA after the unbind");
	igt_subtest("copying")
		test_copying();

	igt_describe("The copies of a file end with it");
	igt_subtest("close-copying")
		test_close_copying();

	igt_describe("Jobs free nothing that waits for fences");
	igt_subtest("close-import")
		test_close_import();

	igt_describe("The engine takes no command while a DMA runs");
	igt_subtest("busy")
		test_busy();

	igt_describe("The module stays as long as its code can be called");
	igt_subtest("unload")
		test_unload();
}
