// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <sys/wait.h>

#include "igt.h"

#include "lib/sgt_cgroup.h"
#include "lib/sgt_removal.h"
#include "lib/sgt_virtgpu.h"
#include "lib/sgt_vm_gate.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt abuse
 * Description: Exceed the limits of what a file may allocate
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: address space, limits
 * Test category: stress test
 *
 * SUBTEST: jobs
 * Description: Binds that are not done are refused when there are too many
 *
 * SUBTEST: job-ops
 * Description: Binds that are not done are refused when they have too many operations
 *
 * SUBTEST: mappings
 * Description: The mappings of a file are limited, and an unmap makes room
 *
 * SUBTEST: tables
 * Description: The page tables of a file are limited
 *
 * SUBTEST: tables-churn
 * Description: Page tables that an unmap frees do not count against the limit
 *
 * SUBTEST: charged
 * Description: Tables, mappings and fences are charged to the memory cgroup
 *
 * SUBTEST: resources
 * Description: The resources from VA of a file are limited
 *
 * SUBTEST: fences
 * Description: Binds go on while tens of thousands of their fences are held
 */

IGT_TEST_DESCRIPTION("Exceed the limits of what a file may allocate");

#define VA	(3ull << 39)

static struct sgt_test test;

/* A full queue refuses binds of its own file, and not those of another. */
static void check_queue_is_full(int drm, uint32_t in, uint32_t count)
{
	static struct drm_virtgpu_sgt_vm_bind_op ops[VIRTGPU_SGT_VM_BIND_MAX_OPS];
	int other = sgt_must(sgt_open());

	for (uint32_t i = 0; i < count; i++)
		ops[i] = sgt_vm_op_unmap(VA + i * PAGE, PAGE);
	igt_assert_eq(sgt_vm_bind_async(drm, ops, count, in, 0), -EBUSY);
	igt_assert_eq(sgt_vm_bind(drm, ops, count), -EBUSY);
	sgt_must(sgt_vm_bind(other, ops, count));
	close(other);
}

static void fill_queue(int drm, uint32_t jobs, uint32_t ops_each)
{
	static struct drm_virtgpu_sgt_vm_bind_op ops[VIRTGPU_SGT_VM_BIND_MAX_OPS];
	uint32_t first = make_sync(drm), last = make_sync(drm);
	struct gate gate;

	for (uint32_t i = 0; i < ops_each; i++)
		ops[i] = sgt_vm_op_unmap(VA + i * PAGE, PAGE);
	close_gate(&gate, drm);
	for (uint32_t i = 0; i < jobs; i++)
		sgt_must(sgt_vm_bind_async(drm, ops, ops_each, gate.sync, i ? last : first));
	check_queue_is_full(drm, gate.sync, 1);

	/* As documented: wait for a bind, and retry. */
	open_gate(&gate);
	igt_assert_eq(wait_for_sync(drm, first), 1);
	sgt_must(sgt_vm_bind_async(drm, ops, 1, 0, 0));
	igt_assert_eq(wait_for_sync(drm, last), 1);
	for (uint32_t i = 0; i < jobs; i++)
		sgt_must(sgt_vm_bind(drm, ops, 1));
	end_gate(&gate, drm);
}

static void test_jobs(int drm)
{
	fill_queue(drm, VIRTGPU_SGT_VM_MAX_JOBS, 1);
}

static void test_job_ops(int drm)
{
	fill_queue(drm, VIRTGPU_SGT_VM_MAX_JOB_OPS / VIRTGPU_SGT_VM_BIND_MAX_OPS,
		   VIRTGPU_SGT_VM_BIND_MAX_OPS);
}

static void test_mappings(int drm)
{
	const uint64_t most = VIRTGPU_SGT_VM_MAX_MAPPINGS, far = VA + 2 * most * PAGE;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 3);
	sgt_must(sgt_vm_map(&bo, far, 3 * PAGE, 0));
	sgt_must(sgt_map_often(&bo, VA, PAGE, most - 1, NULL));
	igt_assert_eq(sgt_vm_map(&bo, far + bo.size, PAGE, 0), -ENOSPC);

	/* The unmap would split a mapping in two, and there is room for one. */
	igt_assert_eq(sgt_vm_unmap(drm, far + PAGE, PAGE), -ENOSPC);
	sgt_expect_mapped(drm, VA, 4 * most * PAGE, (most + 2) * PAGE);
	sgt_must(sgt_vm_unmap(drm, far, PAGE));
	igt_assert_eq(sgt_vm_map(&bo, far, PAGE, 0), -ENOSPC);

	/* A remap of a whole mapping does not add one. */
	sgt_must(sgt_vm_remap(&bo, VA, PAGE, PAGE));
	sgt_must(sgt_vm_unmap(drm, VA, PAGE));
	sgt_must(sgt_vm_map(&bo, far, PAGE, 0));
	sgt_must(sgt_vm_unmap(drm, 0, SGT_VM_END));
	sgt_expect_space(drm, 0, 1);
	sgt_bo_free(&bo);
}

static void test_tables(int drm)
{
	struct drm_virtgpu_sgt_vm_query query;
	uint64_t mapped;
	struct sgt_bo bo;
	int err;

	sgt_make_pages(&bo, drm, 1);
	igt_assert_eq(sgt_map_often(&bo, 0, SGT_LEAF_2M, SGT_WIDE, &mapped), -ENOSPC);
	sgt_must(sgt_vm_query(drm, 0, SGT_VM_END, &query));
	igt_assert_eq_u64(query.mapped, mapped * PAGE);
	igt_assert(query.tables <= VIRTGPU_SGT_VM_MAX_TABLES);

	/* Each of these mappings needs one or two tables, up to the exact limit. */
	while (!(err = sgt_vm_map(&bo, mapped * SGT_LEAF_2M, PAGE, 0)))
		mapped++;
	igt_assert_eq(err, -ENOSPC);
	sgt_must(sgt_vm_query(drm, 0, SGT_VM_END, &query));
	igt_info("%llu mappings, %llu tables\n", (unsigned long long)mapped,
		 (unsigned long long)query.tables);
	igt_assert(query.tables <= VIRTGPU_SGT_VM_MAX_TABLES);
	igt_assert(query.tables + 2 > VIRTGPU_SGT_VM_MAX_TABLES);
	sgt_must(sgt_vm_map(&bo, PAGE, PAGE, 0));
	sgt_must(sgt_vm_unmap(drm, 0, SGT_VM_END));
	sgt_expect_space(drm, 0, 1);
	sgt_bo_free(&bo);
}

/* Mappings that take a while to unmap, and to free */
#define MANY	98304

/*
 * Jobs are freed one after another, some time after they are done.  The first one
 * here keeps the tables of the second one waiting.
 */
static void test_tables_churn(int drm)
{
	const uint64_t most = VIRTGPU_SGT_VM_MAX_TABLES - 1024, some = 4096;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 1);
	sgt_must(sgt_map_often(&bo, VA, PAGE, MANY, NULL));
	sgt_must(sgt_map_often(&bo, 0, SGT_LEAF_2M, most, NULL));
	unmap_async(drm, VA, MANY * PAGE, 0, 0);
	sgt_must(sgt_vm_unmap(drm, 0, some * SGT_LEAF_2M));
	sgt_must(sgt_map_often(&bo, 0, SGT_LEAF_2M, some, NULL));
	sgt_bo_free(&bo);
}

/* The functions that allocate return the least number of bytes for it. */
static long long make_tables(const struct sgt_bo *bo)
{
	struct drm_virtgpu_sgt_vm_query query;

	igt_assert_eq(sgt_map_often(bo, 0, SGT_LEAF_2M, SGT_WIDE, NULL), -ENOSPC);
	sgt_must(sgt_vm_query(bo->drm, 0, SGT_VM_END, &query));
	return query.tables * PAGE;
}

/* A mapping has a range, a buffer and an offset, and is in a tree and a list. */
static long long make_mappings(const struct sgt_bo *bo)
{
	const uint64_t count = 65536;

	sgt_must(sgt_map_often(bo, VA, PAGE, count, NULL));
	return count * 12 * sizeof(uint64_t);
}

/* A syncobj and a fence have a reference count, a list and a lock each. */
static long long make_fences(const struct sgt_bo *bo)
{
	const int count = 30000;

	for (int i = 0; i < count; i++) {
		unmap_async(bo->drm, VA, PAGE, 0, make_sync(bo->drm));
		if (i % 512 == 0)
			sgt_must(sgt_vm_unmap(bo->drm, VA, PAGE));
	}
	return count * 8ll * sizeof(uint64_t);
}

/* Runs in a child, whose group is charged. */
static void pay_for(const struct sgt_cgroup *group, long long (*make)(const struct sgt_bo *bo))
{
	long long before, after, least;
	struct sgt_bo bo;
	int drm;

	sgt_must(sgt_cgroup_join(group));
	drm = sgt_must(sgt_open());
	sgt_make_pages(&bo, drm, 1);
	before = sgt_cgroup_read(group, "memory.current");
	least = make(&bo);
	after = sgt_cgroup_read(group, "memory.current");
	igt_info("%lld bytes of at least %lld charged\n", after - before, least);
	igt_assert(before > 0);
	igt_assert(after - before >= least);
	close(drm);
}

/* Far less than the tables need */
#define LITTLE	(48ll << 20)

/* The bind fails, or the kernel kills the only process of the group. */
static void run_out(const struct sgt_cgroup *group)
{
	struct sgt_bo bo;
	int status = 0;
	pid_t child;

	sgt_must(sgt_cgroup_write(group, "memory.max", LITTLE));
	child = fork();
	igt_assert(child >= 0);
	if (!child) {
		int drm = sgt_open();

		if (drm < 0 || sgt_cgroup_join(group) ||
		    sgt_bo_create(&bo, drm, WORDS_PER_PAGE, 1))
			_exit(1);
		_exit(sgt_map_often(&bo, 0, SGT_LEAF_2M, SGT_WIDE, NULL) == -ENOMEM ? 0 : 2);
	}
	igt_set_timeout(120, "run out");
	igt_assert_eq(waitpid(child, &status, 0), child);
	igt_reset_timeout();
	igt_info("status %#x, %lld bytes at most\n", status,
		 sgt_cgroup_read(group, "memory.peak"));
	igt_assert(!status || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
	igt_assert(sgt_cgroup_read(group, "memory.peak") < 2 * LITTLE);
}

static void test_charged(int drm)
{
	long long (*const make[])(const struct sgt_bo *bo) = {
		make_tables, make_mappings, make_fences,
	};
	struct sgt_cgroup group;
	int err = sgt_cgroup_begin(&group);

	(void)drm;
	igt_require_f(!err, "no memory cgroup: %s\n", strerror(-err));
	for (unsigned int i = 0; i < ARRAY_SIZE(make); i++) {
		igt_fork(child, 1)
			pay_for(&group, make[i]);
		igt_waitchildren();
	}
	sgt_cgroup_end(&group);

	/* A new group, as the peak of the old one includes the charges above. */
	sgt_must(sgt_cgroup_begin(&group));
	run_out(&group);
	sgt_cgroup_end(&group);
}

static void test_resources(int drm)
{
	static struct sgt_bo pictures[VIRTGPU_SGT_VM_MAX_RESOURCES];
	struct sgt_bo bo, more;

	sgt_make_pages(&bo, drm, 1);
	sgt_must(sgt_vm_map(&bo, VA, PAGE, 0));
	for (unsigned int i = 0; i < ARRAY_SIZE(pictures); i++)
		sgt_must(sgt_vm_picture(&pictures[i], drm, VA, 1, 1));
	igt_assert_eq(sgt_vm_picture(&more, drm, VA, 1, 1), -ENOSPC);

	sgt_bo_free(&pictures[0]);
	sgt_must(sgt_vm_picture(&more, drm, VA, 1, 1));
	igt_assert_eq(sgt_vm_picture(&pictures[0], drm, VA, 1, 1), -ENOSPC);

	/* The unmap detaches all of them. */
	sgt_must(sgt_vm_unmap(drm, VA, PAGE));
	igt_assert_eq(sgt_transfer(&more), -EFAULT);
	for (unsigned int i = 1; i < ARRAY_SIZE(pictures); i++)
		sgt_bo_free(&pictures[i]);
	sgt_bo_free(&more);
	sgt_bo_free(&bo);

	/* The host creates this buffer after it has freed all the others. */
	sgt_make_pages(&bo, drm, 1);
	sgt_bo_free(&bo);
}

/* The cost of a bind does not depend on the number of fences. */
static void test_fences(int drm)
{
	struct drm_virtgpu_sgt_vm_bind_op op = sgt_vm_op_unmap(VA, PAGE);

	igt_set_timeout(120, "fences");
	for (int i = 1; i <= 30000; i++) {
		sgt_must(sgt_vm_bind_async(drm, &op, 1, 0, make_sync(drm)));
		if (i % 512 == 0)
			sgt_must(sgt_vm_unmap(drm, VA, PAGE));
	}
	igt_reset_timeout();
}

int igt_main()
{
	static const struct {
		const char *name, *what;
		bool vgem;
		void (*run)(int drm);
	} tests[] = {
		{ "jobs", "The number of queued binds is limited", true, test_jobs },
		{ "job-ops", "The number of queued operations is limited", true, test_job_ops },
		{ "mappings", "The number of mappings is limited", false, test_mappings },
		{ "tables", "The number of tables is limited", false, test_tables },
		{ "tables-churn", "Freed tables do not count", false, test_tables_churn },
		{ "charged", "Allocations are charged", false, test_charged },
		{ "resources", "The number of resources is limited", false, test_resources },
		{ "fences", "Fences that are held do not slow binds down", false, test_fences },
	};
	int keep = -1;

	igt_fixture()
		keep = sgt_vm_fixture(&test);

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].what);
		igt_subtest(tests[i].name) {
			igt_require_f(!tests[i].vgem || sgt_have_driver("vgem"),
				      "vgem has fences that a test can signal\n");
			sgt_in_file(&test, tests[i].run);
		}
	}

	igt_fixture()
		close(keep);
}
