// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "igt.h"

#include <drm/edu_gpu_drm.h>
#include "lib/edu.h"
#include "lib/sgt_fence.h"

/**
 * TEST: edu hang
 * Description: An IOMMU that does not answer
 * Category: Core
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: error handling
 * Test category: functionality test
 *
 * SUBTEST: unmap
 * Description: After a flush without an answer, copies fail until the driver is bound again
 *
 * SUBTEST: copying
 * Description: A copy fails whose flushes get no answer, and so do those that are pending
 */

IGT_TEST_DESCRIPTION("An IOMMU that does not answer");

#define SRC		(5ull << 39)
#define DST		(6ull << 39)

/* Registers of the only IOMMU in QEMU, and what is written to them */
#define REGISTERS	0xfed90000
#define GCMD		0x18
#define GSTS		0x1c
#define QUEUE_TAIL	0x88
#define QUEUE_BASE	0x90
#define TRANSLATE	0x80000000u
#define QUEUE		0x04000000u
/* A descriptor that waits for those before it; its interrupt is masked. */
#define WAIT		0x15

static char pci[64];

static uint64_t physical(const void *page)
{
	int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry;

	igt_assert_eq(pread(file, &entry, 8, (uintptr_t)page / PAGE * 8), 8);
	close(file);
	return (entry & ((1ull << 55) - 1)) * PAGE;
}

/*
 * While its queue is on, the IOMMU of QEMU takes no invalidation from registers. It can only
 * be turned off after it has read a WAIT.
 */
static void hang(void)
{
	uint64_t *queue = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	int mem = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	volatile void *regs;

	igt_assert(mem >= 0 && queue != MAP_FAILED);
	regs = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, mem, REGISTERS);
	igt_assert(regs != MAP_FAILED);
	queue[0] = WAIT;
	*(volatile uint64_t *)(regs + QUEUE_BASE) = physical(queue);
	*(volatile uint32_t *)(regs + GCMD) = TRANSLATE | QUEUE;
	*(volatile uint64_t *)(regs + QUEUE_TAIL) = 16;
	igt_assert_eq_u32(*(volatile uint32_t *)(regs + GSTS) & QUEUE, QUEUE);
	munmap((void *)regs, PAGE);
	munmap(queue, PAGE);
	close(mem);
}

static void make_and_map(struct sgt_bo bos[2], int drm)
{
	for (int i = 0; i < 2; i++)
		edu_make(&bos[i], drm, EDU_GPU_MAX_COPY / PAGE, sgt_new_seed());
	sgt_must(edu_map(&bos[0], SRC, bos[0].size, 0));
	sgt_must(edu_map(&bos[1], DST, bos[1].size, 0));
}

static void end(int drm, struct sgt_bo bos[2])
{
	sgt_bo_free(&bos[0]);
	sgt_bo_free(&bos[1]);
	close(drm);
}

/* The driver that was bound again turns the queue off. */
static void recover(void)
{
	struct sgt_bo bos[2];
	int drm;

	sgt_must(edu_unbind(pci));
	sgt_must(edu_bind(pci));
	drm = edu_open();
	make_and_map(bos, drm);
	edu_expect_copy(&bos[0], 0, SRC, &bos[1], 0, DST, 64);
	end(drm, bos);
}

static void test_unmap(void)
{
	struct sgt_bo bos[2];
	int drm = edu_open(), other;
	uint32_t word;

	make_and_map(bos, drm);
	edu_expect_copy(&bos[0], 0, SRC, &bos[1], 0, DST, 64);
	word = bos[1].map[PAGE / 4];
	hang();
	sgt_must(edu_unmap(drm, SRC, PAGE));
	igt_assert_eq(edu_copy(drm, SRC + PAGE, DST + PAGE, 64), -EIO);
	other = edu_open();
	igt_assert_eq(edu_copy(other, SRC, DST, 64), -EIO);
	close(other);
	igt_assert_eq_u32(bos[1].map[PAGE / 4], word);
	end(drm, bos);
	recover();
}

static void test_copying(void)
{
	struct sgt_bo bos[2];
	int drm = edu_open();
	int files[2];

	make_and_map(bos, drm);
	for (int i = 0; i < 2; i++)
		files[i] = sgt_must(edu_copy_begin(drm, SRC, DST, EDU_GPU_MAX_COPY));
	hang();
	for (int i = 0; i < 2; i++) {
		igt_assert_eq(sgt_sync_file_wait(files[i]), -EIO);
		close(files[i]);
	}
	igt_assert_eq(edu_copy_begin(drm, SRC, DST, 64), -EIO);
	igt_assert_f(memcmp(bos[0].map, bos[1].map, bos[1].size), "the copy was done\n");
	end(drm, bos);
	recover();
}

int igt_main()
{
	igt_fixture() {
		edu_begin(pci);
		igt_require_f(!access("/dev/mem", R_OK), "no access to registers\n");
	}

	igt_describe("No copy uses translations that may be old");
	igt_subtest("unmap")
		test_unmap();

	igt_describe("The error reaches fences");
	igt_subtest("copying")
		test_copying();
}
