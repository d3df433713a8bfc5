// SPDX-License-Identifier: GPL-2.0
#include <linux/virtio_gpu.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "igt.h"

#include "lib/sgt_dmabuf.h"
#include "lib/sgt_virtgpu.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt bounce
 * Description: One file uses all bounce buffers, and another one frees its own
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: buffer creation, address space
 * Test category: functionality test
 *
 * SUBTEST: full-unmap
 * Description: A range that the host has attached is unmapped
 *
 * SUBTEST: full-close
 * Description: A file with buffers and attached ranges is closed, and its memory freed
 *
 * SUBTEST: full-kill
 * Description: A process is killed that unmaps a range which the host has attached
 *
 * SUBTEST: full-create
 * Description: Creating a buffer or a picture is refused, and the next one is not
 */

IGT_TEST_DESCRIPTION("One file uses all bounce buffers, and another one frees its own");

/* Far more than the calls need: a regression hangs */
#define ENDS_SECONDS	60

#define VA		SGT_LEAF_1G
#define STAGES		4
#define MOST_FILES	64		/* in each of them */

static struct sgt_test test;

/* The same memory in many files: each import has bounce buffers of its own. */
struct hog {
	struct sgt_foreign foreign[STAGES];
	int files[STAGES * MOST_FILES];
	int count;
};

static void take(struct hog *hog, struct sgt_foreign *foreign, size_t size)
{
	int most = hog->count + MOST_FILES, err = 0;

	sgt_must(sgt_foreign_udmabuf(foreign, size));
	while (!err) {
		int drm = sgt_must(sgt_open());
		uint32_t handle;

		igt_assert(hog->count < most);
		drmDropMaster(drm);
		err = drmPrimeFDToHandle(drm, foreign->fd, &handle) ? -errno : 0;
		if (err)
			close(drm);
		else
			hog->files[hog->count++] = drm;
	}
	/* The exporter returns the error of the DMA API. */
	igt_assert_f(err == -EIO || err == -ENOMEM, "import: %s\n", strerror(-err));
}

static void hog_begin(struct hog *hog)
{
	/* The first size is the limit of udmabuf. */
	static const size_t sizes[STAGES] = { 64ul << 20, 2ul << 20, 64ul << 10, PAGE };

	hog->count = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
		take(hog, &hog->foreign[i], sizes[i]);
	igt_set_timeout(ENDS_SECONDS, "a call without bounce buffers");
}

static void hog_end(struct hog *hog)
{
	igt_reset_timeout();
	while (hog->count)
		close(hog->files[--hog->count]);
	for (unsigned int i = 0; i < ARRAY_SIZE(hog->foreign); i++)
		sgt_foreign_free(&hog->foreign[i]);
}

/* Pages at VA, and a resource of them on the host */
static void make_window(int drm, struct sgt_bo *bo, struct sgt_bo *picture)
{
	sgt_make_pages(bo, drm, 100);
	sgt_must(sgt_vm_map(bo, VA, bo->size, 0));
	sgt_must(sgt_vm_picture(picture, drm, VA, WORDS_PER_PAGE, 100));
}

static void test_unmap(struct hog *hog)
{
	int drm = sgt_must(sgt_open());
	struct sgt_bo bo, picture;

	make_window(drm, &bo, &picture);
	hog_begin(hog);

	/* The page tables are not mapped for the device. */
	sgt_must(sgt_vm_map(&bo, 2 * VA, bo.size, 0));

	igt_assert_eq(sgt_vm_unmap(drm, VA, bo.size), 0);
	sgt_expect_mapped(drm, VA, bo.size, 0);
	igt_assert_eq(sgt_transfer(&picture), -EFAULT);
	hog_end(hog);

	sgt_must(sgt_vm_map(&bo, VA, bo.size, 0));
	igt_assert_eq(sgt_transfer(&picture), 0);
	sgt_bo_free(&picture);
	sgt_bo_free(&bo);
	close(drm);
}

static void test_close(struct hog *hog)
{
	int drm = sgt_must(sgt_open()), other = sgt_must(sgt_open());
	struct sgt_bo bo, picture;

	make_window(drm, &bo, &picture);
	munmap(bo.map, bo.size);
	hog_begin(hog);
	igt_assert_eq(sgt_try_resource(other), -ENOMEM);
	close(drm);

	/* The host frees the buffers of the file later, which makes room. */
	while (sgt_try_resource(other) == -ENOMEM)
		;
	igt_assert_eq(sgt_try_resource(other), 0);
	hog_end(hog);
	close(other);
}

/* A byte hands the turn to the other process. */
static void turn(int to, int from)
{
	char byte = 0;

	igt_assert_eq(write(to, &byte, 1), 1);
	igt_assert_eq(read(from, &byte, 1), 1);
}

/* The process is killed while the job runs, or after it. */
static void unmap_until_killed(int to, int from)
{
	struct drm_virtgpu_sgt_vm_bind_op op;
	struct sgt_bo bo, picture;
	int drm = sgt_open();

	make_window(drm, &bo, &picture);
	turn(to, from);
	op = sgt_vm_op_unmap(VA, bo.size);
	sgt_must(sgt_vm_bind_async(drm, &op, 1, 0, 0));
	turn(to, from);
	_exit(1);
}

static void test_kill(struct hog *hog)
{
	int drm = sgt_must(sgt_open()), to[2], from[2], status;
	pid_t child;
	char byte;

	igt_assert_eq(pipe(to), 0);
	igt_assert_eq(pipe(from), 0);
	child = fork();
	igt_assert(child >= 0);
	if (!child)
		unmap_until_killed(from[1], to[0]);
	/* If the child fails, the pipe ends. */
	close(from[1]);
	close(to[0]);
	igt_assert_eq(read(from[0], &byte, 1), 1);

	hog_begin(hog);
	turn(to[1], from[0]);
	igt_assert_eq(kill(child, SIGKILL), 0);
	igt_assert_eq(waitpid(child, &status, 0), child);
	igt_assert(WIFSIGNALED(status));
	hog_end(hog);

	/* The watchdog ends such a wait, too, but then the device is lost. */
	igt_assert_eq(sgt_try_resource(drm), 0);
	close(drm);
	close(to[1]);
	close(from[0]);
}

/* How often to map one page, so that the list for the host takes a page as well */
#define TIMES		(PAGE / sizeof(struct virtio_gpu_mem_entry))

static void map_often(const struct sgt_bo *bo)
{
	struct drm_virtgpu_sgt_vm_bind_op ops[TIMES];

	for (unsigned int i = 0; i < TIMES; i++)
		ops[i] = sgt_vm_op_map(VA + i * PAGE, PAGE, bo, 0);
	sgt_must(sgt_vm_bind(bo->drm, ops, TIMES));
}

/* The buffer needs bounce buffers; of the picture only the list, when it is sent. */
static void test_create(struct hog *hog)
{
	int drm = sgt_must(sgt_open());
	struct sgt_bo bo, picture;

	sgt_make_pages(&bo, drm, 1);
	map_often(&bo);
	hog_begin(hog);
	igt_assert_eq(sgt_try_resource(drm), -ENOMEM);
	igt_assert_eq(sgt_vm_picture(&picture, drm, VA, WORDS_PER_PAGE, TIMES), -ENOMEM);
	hog_end(hog);

	igt_assert_eq(sgt_try_resource(drm), 0);
	sgt_must(sgt_vm_picture(&picture, drm, VA, WORDS_PER_PAGE, TIMES));
	igt_assert_eq(sgt_transfer(&picture), 0);
	sgt_bo_free(&picture);
	sgt_bo_free(&bo);
	close(drm);
}

int igt_main()
{
	static const struct {
		const char *name;
		void (*run)(struct hog *hog);
	} tests[] = {
		{ "full-unmap", test_unmap },
		{ "full-close", test_close },
		{ "full-kill", test_kill },
		{ "full-create", test_create },
	};
	static struct hog hog;
	int drm = -1;

	igt_fixture() {
		igt_require(sgt_setup_is("swiotlb"));
		drm = sgt_vm_fixture(&test);
		igt_require_f(sgt_stat(drm, "premapped") == 1,
			      "the virtio core maps each command\n");
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe("Commands to the host need no bounce buffer");
		igt_subtest(tests[i].name) {
			struct sgt_baseline base;

			sgt_baseline_take(&test, &base);
			tests[i].run(&hog);
			sgt_baseline_check(&test, &base);
		}
	}

	igt_fixture()
		close(drm);
}
