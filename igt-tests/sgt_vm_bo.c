// SPDX-License-Identifier: GPL-2.0
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "igt.h"

#include "lib/sgt_children.h"
#include "lib/sgt_dmabuf.h"
#include "lib/sgt_rounds.h"
#include "lib/sgt_virtgpu.h"
#include "lib/sgt_vm_model.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt vm bo
 * Description: Share buffers and address spaces, and close them
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: address space
 * Test category: functionality test
 *
 * SUBTEST: bo-info
 * Description: A query of a buffer agrees with the tables in debugfs
 *
 * SUBTEST: handle-closed
 * Description: A mapped buffer outlives its handle until it is unmapped
 *
 * SUBTEST: imported
 * Description: Map a buffer of another exporter
 *
 * SUBTEST: two-files
 * Description: The same address maps to different buffers in two files
 *
 * SUBTEST: dump
 * Description: The dump in debugfs has each mapped byte, and its protection
 *
 * SUBTEST: processes
 * Description: Processes that share a file map in separate ranges
 */

IGT_TEST_DESCRIPTION("Share buffers and address spaces, and close them");

/* The first page of a table of each level, with room on both sides */
#define VA	(3ull << 39)

static struct sgt_test test;

static void test_bo_info(int drm)
{
	struct drm_virtgpu_sgt_bo_info info;
	struct sgt_buffer_row row;
	struct sgt_bo bo, same;
	int other, fd;

	sgt_make_pages(&bo, drm, 83);
	sgt_must(sgt_bo_info(&bo, &info));
	igt_assert_eq_u64(info.size, bo.size);
	igt_assert_eq_u64(info.segments, 0);

	/* A buffer has DMA addresses from its first use by the device on. */
	sgt_must(sgt_bo_use(&bo));
	sgt_expect_row(&test, &bo, &row);
	sgt_must(sgt_bo_info(&bo, &info));
	igt_assert_eq_u64(info.size, bo.size);
	igt_assert_eq_u64(info.folios, row.folios);
	igt_assert_eq_u64(info.cpu_runs, row.runs);
	igt_assert(info.segments >= 1 && info.segments <= row.dma_segs);
	igt_assert_eq_u64(info.leaves_4k + info.leaves_2m + info.leaves_1g, 0);

	sgt_must(sgt_vm_map(&bo, VA, bo.size, 0));
	sgt_must(sgt_vm_map(&bo, VA + SGT_LEAF_1G, 7 * PAGE, 3 * PAGE));
	sgt_must(sgt_bo_info(&bo, &info));
	igt_assert_eq_u64(info.leaves_4k, 83 + 7);
	igt_assert_eq_u64(info.leaves_2m + info.leaves_1g, 0);

	/* Another file has no mappings. */
	other = sgt_must(sgt_open());
	fd = sgt_must(sgt_bo_export(&bo));
	sgt_must(sgt_bo_import(&same, other, fd, bo.width, bo.height));
	sgt_must(sgt_bo_info(&same, &info));
	igt_assert_eq_u64(info.size, bo.size);
	igt_assert_eq_u64(info.leaves_4k + info.leaves_2m + info.leaves_1g, 0);
	sgt_must(sgt_vm_map(&same, VA, PAGE, 0));
	sgt_must(sgt_bo_info(&same, &info));
	igt_assert_eq_u64(info.leaves_4k, 1);
	sgt_bo_free(&same);
	close(fd);
	close(other);

	sgt_must(sgt_vm_unmap(drm, 0, SGT_VM_END));
	sgt_must(sgt_bo_info(&bo, &info));
	igt_assert_eq_u64(info.leaves_4k + info.leaves_2m + info.leaves_1g, 0);
	sgt_bo_free(&bo);
}

static void test_handle_closed(int drm)
{
	struct sgt_buffer_row row;
	struct sgt_baseline base;
	struct sgt_bo bo, none;

	sgt_baseline_take(&test, &base);
	sgt_make_pages(&bo, drm, 61);
	sgt_must(sgt_vm_map(&bo, VA, 40 * PAGE, 0));
	sgt_must(sgt_vm_map(&bo, VA + 40 * PAGE, 21 * PAGE, 40 * PAGE));
	none = bo;
	sgt_bo_free(&bo);
	igt_assert_eq(sgt_vm_map(&none, VA + SGT_LEAF_2M, PAGE, 0), -ENOENT);
	sgt_expect_row(&test, &none, &row);
	igt_assert_eq(row.handles, 0);

	sgt_must(sgt_vm_unmap(drm, VA, 60 * PAGE));
	sgt_expect_mapped(drm, VA + 60 * PAGE, PAGE, PAGE);
	sgt_expect_row(&test, &none, &row);
	sgt_must(sgt_vm_unmap(drm, VA + 60 * PAGE, PAGE));
	sgt_expect_space(drm, 0, 1);
	sgt_baseline_check(&test, &base);
}

static void test_imported(int drm)
{
	struct drm_virtgpu_sgt_bo_info info;
	struct sgt_foreign foreign;
	struct sgt_bo bo;
	int err;

	for (int exporter = 0; exporter < SGT_EXPORTERS; exporter++) {
		err = sgt_foreign_make(&foreign, exporter, WORDS_PER_PAGE, 33);
		igt_require_f(!err, "no %s\n", sgt_exporter_name[exporter]);
		err = sgt_bo_import(&bo, drm, foreign.fd, WORDS_PER_PAGE, 33);
		sgt_must(err);
		sgt_must(sgt_vm_map(&bo, VA, bo.size - PAGE, PAGE));
		sgt_expect_space(drm, bo.size - PAGE, 4);
		sgt_must(sgt_bo_info(&bo, &info));
		igt_assert_eq_u64(info.size, bo.size);
		igt_assert_eq_u64(info.folios, 0);
		igt_assert_eq_u64(info.leaves_4k, 32);
		sgt_bo_free(&bo);
		sgt_foreign_free(&foreign);
		sgt_expect_space(drm, 32 * PAGE, 4);
		sgt_must(sgt_vm_unmap(drm, 0, SGT_VM_END));
	}
}

static void test_two_files(int drm)
{
	struct sgt_bo bos[2];
	int other;

	other = sgt_must(sgt_open());
	sgt_make_pages(&bos[0], drm, 7);
	sgt_make_pages(&bos[1], other, 9);
	sgt_must(sgt_vm_map(&bos[0], VA, bos[0].size, 0));
	sgt_must(sgt_vm_map(&bos[1], VA, bos[1].size, 0));
	sgt_expect_space(drm, bos[0].size, 4);
	sgt_expect_space(other, bos[1].size, 4);

	sgt_must(sgt_vm_unmap(drm, VA, PAGE));
	sgt_expect_space(drm, bos[0].size - PAGE, 4);
	sgt_expect_space(other, bos[1].size, 4);
	sgt_bo_free(&bos[1]);
	close(other);
	sgt_expect_space(drm, bos[0].size - PAGE, 4);
	sgt_bo_free(&bos[0]);
}

/* "va address bytes leaf prot" */
struct dump {
	uint64_t writable, readonly;
};

static FILE *open_dump(int drm)
{
	char path[64];
	struct stat st;
	FILE *file;

	igt_assert_eq(fstat(drm, &st), 0);
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/vm", minor(st.st_rdev));
	file = fopen(path, "re");
	igt_assert(file);
	return file;
}

/* The address spaces of all files; all files are those of this process. */
static void read_dump(int drm, struct dump *dump)
{
	unsigned long long va, address, bytes;
	FILE *file = open_dump(drm);
	char line[160], prot[8];
	int pid = 0;

	memset(dump, 0, sizeof(*dump));
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "pid %d ", &pid) == 1)
			igt_assert_eq(pid, getpid());
		else if (sscanf(line, "%llx %llx %llx %*s %7s", &va, &address, &bytes, prot) == 4)
			*(strchr(prot, 'w') ? &dump->writable : &dump->readonly) += bytes;
	}
	fclose(file);
	igt_assert(pid);
}

static void test_dump(int drm)
{
	struct drm_virtgpu_sgt_vm_bind_op op;
	struct dump dump;
	struct sgt_bo bo;

	sgt_expect_space(drm, 0, 1);
	read_dump(drm, &dump);
	igt_assert_eq_u64(dump.writable + dump.readonly, 0);

	sgt_make_pages(&bo, drm, 700);
	sgt_must(sgt_vm_map(&bo, VA - 100 * PAGE, bo.size, 0));
	op = sgt_vm_op_map(VA + SGT_LEAF_1G, 30 * PAGE, &bo, 5 * PAGE);
	op.flags = VIRTGPU_SGT_VM_READONLY;
	sgt_must(sgt_vm_bind(drm, &op, 1));
	sgt_must(sgt_vm_unmap(drm, VA + SGT_LEAF_1G + PAGE, PAGE));
	read_dump(drm, &dump);
	igt_assert_eq_u64(dump.writable, bo.size);
	igt_assert_eq_u64(dump.readonly, 29 * PAGE);

	/* The protection belongs to the mapping, not to the range. */
	sgt_must(sgt_vm_remap(&bo, VA + SGT_LEAF_1G, 3 * PAGE, 0));
	read_dump(drm, &dump);
	igt_assert_eq_u64(dump.writable, bo.size + 3 * PAGE);
	igt_assert_eq_u64(dump.readonly, 27 * PAGE);
	sgt_bo_free(&bo);
}

static void bind_as_child(int drm, int child, uint64_t random)
{
	static const uint32_t sizes[] = { 100, 30, 1 };
	struct sgt_vm_model model;

	sgt_model_begin(&model, drm, VA + (child - 2) * 200 * PAGE, 200, sizes);
	for (int i = 0; i < 20; i++) {
		for (int j = 0; j < 10; j++)
			sgt_model_step(&model, &random, 0, 0);
		sgt_model_check(&model);
	}
	sgt_must(sgt_vm_unmap(drm, model.va, model.count * PAGE));
	sgt_model_end(&model);
}

/* Two of the processes share tables of all levels. */
static void test_processes(int drm)
{
	struct sgt_rounds rounds;

	sgt_rounds_begin(&rounds, 1, 2);
	while (sgt_rounds_next(&rounds)) {
		sgt_random(&rounds.random);
		igt_fork(child, 4)
			bind_as_child(drm, child, sgt_random_fork(&rounds.random, child));
		sgt_children_wait();
		sgt_expect_space(drm, 0, 1);
	}
}

int igt_main()
{
	static const struct sgt_file_test tests[] = {
		{ "bo-info", "Two views of a buffer", test_bo_info },
		{ "handle-closed", "A mapping holds the buffer", test_handle_closed },
		{ "two-files", "Each file has a space of its own", test_two_files },
		{ "dump", "A table in text", test_dump },
		{ "processes", "Calls of one file are serialised", test_processes },
	};
	int keep = -1;

	igt_fixture()
		keep = sgt_vm_fixture(&test);

	sgt_in_files(&test, tests, ARRAY_SIZE(tests));

	igt_describe("Memory of another exporter");
	igt_subtest("imported") {
		igt_require(!sgt_setup_is("bypass"));
		sgt_in_file(&test, test_imported);
	}

	igt_fixture()
		close(keep);
}
