// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "igt.h"

#include "lib/sgt_cgroup.h"
#include "lib/sgt_removal.h"
#include "lib/sgt_rounds.h"
#include "lib/sgt_virtgpu.h"
#include "lib/sgt_vm_gate.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt abuse
 * Description: What any user who may open the render node can try against the machine
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: address space, limits
 * Test category: stress test
 *
 * SUBTEST: close-signalled
 * Description: A file is closed while the fence that its bind waits for is being signalled
 *
 * SUBTEST: jobs
 * Description: Binds that are not done are refused when there are too many
 *
 * SUBTEST: job-ops
 * Description: So are binds that have too many operations together
 *
 * SUBTEST: mappings
 * Description: A file that has too many mappings gets no other, and can give some back
 *
 * SUBTEST: tables
 * Description: Page tables of one page that is mapped far and wide come to an end
 *
 * SUBTEST: tables-churn
 * Description: Page tables that a finished bind took out are there for the next one
 *
 * SUBTEST: charged
 * Description: Tables, mappings and fences are charged to the process, and limited with it
 *
 * SUBTEST: resources
 * Description: A file that has too many resources from VA gets no other
 *
 * SUBTEST: fences
 * Description: Binds go on while tens of thousands of their fences are held
 *
 * SUBTEST: query-killed
 * Description: A process that asks for a large range can be killed
 *
 * SUBTEST: unmap-killed
 * Description: An unmap of everything is done or not when its process is killed, and ends
 */

IGT_TEST_DESCRIPTION("What any user who may open the render node can try against the machine");

#define VA	(3ull << 39)

static struct sgt_test test;

/*
 * One ioctl waits for a fence so often.  When the fence signals, it calls back
 * for each of them, and for the bind last of all: the file can be closed in
 * between.
 */
#define CROWD	8192

struct crowd {
	pthread_t thread;
	int drm;
	uint32_t handles[CROWD];
	volatile int tid;
};

static void *wait_often(void *data)
{
	struct crowd *crowd = data;

	crowd->tid = syscall(SYS_gettid);
	drmSyncobjWait(crowd->drm, crowd->handles, CROWD, INT64_MAX,
		       DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL, NULL);
	return NULL;
}

/* Whether it sleeps: in its one ioctl, and not on the way there */
static bool sleeps(int tid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "re");
	igt_assert(file);
	igt_assert_eq(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
	fclose(file);
	return state == 'S';
}

static void gather(struct crowd *crowd, int drm, uint32_t sync)
{
	crowd->drm = drm;
	crowd->tid = 0;
	for (unsigned int i = 0; i < CROWD; i++)
		crowd->handles[i] = sync;
	igt_assert_eq(pthread_create(&crowd->thread, NULL, wait_often, crowd), 0);
	igt_set_timeout(30, "gather");
	while (!crowd->tid || !sleeps(crowd->tid))
		sched_yield();
	igt_reset_timeout();
}

struct opener {
	const struct gate *gate;
	pthread_barrier_t start;
	long delay_us;
};

static void *open_in_thread(void *data)
{
	struct opener *opener = data;

	pthread_barrier_wait(&opener->start);
	sgt_spin_us(opener->delay_us);
	open_gate(opener->gate);
	return NULL;
}

/* A file whose bind waits for the fence of another */
static int open_and_wait(const struct gate *gate)
{
	int drm = sgt_must(sgt_open());
	uint32_t in = make_sync(drm);
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 1);
	igt_assert_eq(drmSyncobjImportSyncFile(drm, in, gate->fence.file), 0);
	map_async(&bo, VA, in, 0);
	sgt_bo_free(&bo);
	return drm;
}

/* The fence signals so long after the close has begun.  How long the close took */
static long close_round(int drm, long delay_us)
{
	struct opener opener = { .delay_us = delay_us };
	struct crowd crowd;
	struct gate gate;
	pthread_t thread;
	int victim;
	long begin;

	close_gate(&gate, drm);
	gather(&crowd, drm, gate.sync);
	victim = open_and_wait(&gate);

	opener.gate = &gate;
	igt_assert_eq(pthread_barrier_init(&opener.start, NULL, 2), 0);
	igt_assert_eq(pthread_create(&thread, NULL, open_in_thread, &opener), 0);
	pthread_barrier_wait(&opener.start);
	igt_set_timeout(30, "close");
	begin = sgt_now_us();
	close(victim);
	begin = sgt_now_us() - begin;
	igt_reset_timeout();

	pthread_join(thread, NULL);
	pthread_join(crowd.thread, NULL);
	end_gate(&gate, drm);
	return begin;
}

/* Kernels that watch freed memory are the judges. */
static void test_close_signalled(int drm)
{
	struct sgt_rounds rounds;
	long window = 1000;

	sgt_rounds_begin(&rounds, 2, 20);
	while (sgt_rounds_next(&rounds))
		window = close_round(drm, sgt_random_below(&rounds.random, window));
	igt_info("the last close took %ld us\n", window);
}

/* As often as it goes, at one distance; 0 or a negative errno, and how often */
static int map_often(const struct sgt_bo *bo, uint64_t va, uint64_t stride, uint64_t count,
		     uint64_t *mapped)
{
	static struct drm_virtgpu_sgt_vm_bind_op ops[VIRTGPU_SGT_VM_BIND_MAX_OPS];
	uint64_t done = 0;
	int err = 0;

	while (done < count && !err) {
		uint32_t some = 0;

		while (some < ARRAY_SIZE(ops) && done + some < count) {
			ops[some] = sgt_vm_op_map(va + (done + some) * stride, PAGE, bo, 0);
			some++;
		}
		err = sgt_vm_bind(bo->drm, ops, some);
		done += err ? 0 : some;
	}
	if (mapped)
		*mapped = done;
	return err;
}

/* What is queued behind a fence waits for it, and another file does not. */
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

	/* As documented: wait for one, and try again. */
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
	sgt_must(map_often(&bo, VA, PAGE, most - 1, NULL));
	igt_assert_eq(sgt_vm_map(&bo, far + bo.size, PAGE, 0), -ENOSPC);

	/* Two would be left of it, but one is left of it. */
	igt_assert_eq(sgt_vm_unmap(drm, far + PAGE, PAGE), -ENOSPC);
	sgt_expect_mapped(drm, VA, 4 * most * PAGE, (most + 2) * PAGE);
	sgt_must(sgt_vm_unmap(drm, far, PAGE));
	igt_assert_eq(sgt_vm_map(&bo, far, PAGE, 0), -ENOSPC);

	/* What takes the place of another is no more than before. */
	sgt_must(sgt_vm_remap(&bo, VA, PAGE, PAGE));
	sgt_must(sgt_vm_unmap(drm, VA, PAGE));
	sgt_must(sgt_vm_map(&bo, far, PAGE, 0));
	sgt_must(sgt_vm_unmap(drm, 0, SGT_VM_END));
	sgt_expect_space(drm, 0, 1);
	sgt_bo_free(&bo);
}

/* Far more than there may be tables, and no two in the same one */
#define WIDE	196608

static void test_tables(int drm)
{
	struct drm_virtgpu_sgt_vm_query query;
	uint64_t mapped;
	struct sgt_bo bo;
	int err;

	sgt_make_pages(&bo, drm, 1);
	igt_assert_eq(map_often(&bo, 0, SGT_LEAF_2M, WIDE, &mapped), -ENOSPC);
	sgt_must(sgt_vm_query(drm, 0, SGT_VM_END, &query));
	igt_assert_eq_u64(query.mapped, mapped * PAGE);
	igt_assert(query.tables <= VIRTGPU_SGT_VM_MAX_TABLES);

	/* One by one, each of which takes a table, or two.  Others take none. */
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

static void test_tables_churn(int drm)
{
	const uint64_t most = VIRTGPU_SGT_VM_MAX_TABLES * 3ull / 4;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 1);
	for (int i = 0; i < 6; i++) {
		sgt_must(map_often(&bo, 0, SGT_LEAF_2M, most, NULL));
		sgt_must(sgt_vm_unmap(drm, 0, SGT_VM_END));
	}
	sgt_bo_free(&bo);
}

/* Each has something made, and says how many bytes that takes at least. */
static long long make_tables(const struct sgt_bo *bo)
{
	struct drm_virtgpu_sgt_vm_query query;

	igt_assert_eq(map_often(bo, 0, SGT_LEAF_2M, WIDE, NULL), -ENOSPC);
	sgt_must(sgt_vm_query(bo->drm, 0, SGT_VM_END, &query));
	return query.tables * PAGE;
}

/* A range, a buffer and its part, in a tree and a list */
static long long make_mappings(const struct sgt_bo *bo)
{
	const uint64_t count = 65536;

	sgt_must(map_often(bo, VA, PAGE, count, NULL));
	return count * 12 * sizeof(uint64_t);
}

/* A syncobj and a fence, each with a count, a list and a lock */
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

/* It is the child's: its group pays for it while it is there. */
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

/* Far less than the tables would take */
#define LITTLE	(48ll << 20)

/* It is told, or the kernel kills it: it is the only one in the group. */
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
		_exit(map_often(&bo, 0, SGT_LEAF_2M, WIDE, NULL) == -ENOMEM ? 0 : 2);
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

	/* Another one, as what was charged at most stays with it. */
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

	/* All of them are detached. */
	sgt_must(sgt_vm_unmap(drm, VA, PAGE));
	igt_assert_eq(sgt_transfer(&more), -EFAULT);
	for (unsigned int i = 1; i < ARRAY_SIZE(pictures); i++)
		sgt_bo_free(&pictures[i]);
	sgt_bo_free(&more);
	sgt_bo_free(&bo);

	/* This one is there when the host has forgotten all those before it. */
	sgt_make_pages(&bo, drm, 1);
	sgt_bo_free(&bo);
}

/* Each of them costs the same. */
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

/* A call that takes long, and a child that is killed in the middle of it */
struct killing {
	int (*call)(int drm);
	volatile bool called;
};

static struct killing *share_killing(int (*call)(int drm))
{
	struct killing *killing = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	igt_assert(killing != MAP_FAILED);
	killing->call = call;
	return killing;
}

/* How long it takes the child to be gone after the signal */
static long kill_in_call(struct killing *killing, int drm, long after_us)
{
	int status = 0;
	pid_t child;
	long begin;

	killing->called = false;
	child = fork();
	igt_assert(child >= 0);
	if (!child) {
		killing->called = true;
		for (;;)
			killing->call(drm);
	}
	while (!killing->called)
		sched_yield();
	sgt_spin_us(after_us);
	begin = sgt_now_us();
	igt_assert_eq(kill(child, SIGKILL), 0);
	igt_assert_eq(waitpid(child, &status, 0), child);
	igt_assert(WIFSIGNALED(status));
	return sgt_now_us() - begin;
}

static long time_call(int (*call)(int drm), int drm)
{
	long begin = sgt_now_us();

	sgt_must(call(drm));
	return sgt_now_us() - begin;
}

static int query_all(int drm)
{
	struct drm_virtgpu_sgt_vm_query query;

	return sgt_vm_query(drm, 0, SGT_VM_END, &query);
}

#define KILLS	5

/*
 * A child that is killed at the begin of the call is gone before its end.  The best
 * of some, as a signal that comes late proves nothing.
 */
static void test_query_killed(int drm)
{
	struct killing *killing = share_killing(query_all);
	long whole, late, least = LONG_MAX;
	struct sgt_bo bo;

	sgt_make_pages(&bo, drm, 1);
	igt_assert_eq(map_often(&bo, 0, SGT_LEAF_2M, WIDE, NULL), -ENOSPC);
	whole = time_call(query_all, drm);
	for (int i = 0; i < KILLS; i++) {
		late = kill_in_call(killing, drm, whole / 20);
		least = late < least ? late : least;
	}
	igt_info("a query takes %ld us, the end of a killed one %ld us\n", whole, least);
	igt_assert(least < whole / 2);
	munmap(killing, PAGE);
	sgt_bo_free(&bo);
}

#define MANY	98304

static int unmap_all(int drm)
{
	return sgt_vm_unmap(drm, 0, SGT_VM_END);
}

static void test_unmap_killed(int drm)
{
	struct killing *killing = share_killing(unmap_all);
	long whole, late, least = LONG_MAX;
	struct drm_virtgpu_sgt_vm_query query;
	struct sgt_bo bo;
	int undone = 0;

	sgt_make_pages(&bo, drm, 1);
	sgt_must(map_often(&bo, VA, PAGE, MANY, NULL));
	whole = time_call(unmap_all, drm);
	for (int i = 0; i < KILLS; i++) {
		sgt_must(map_often(&bo, VA, PAGE, MANY, NULL));
		late = kill_in_call(killing, drm, whole / 20);
		least = late < least ? late : least;
		sgt_must(sgt_vm_query(drm, 0, SGT_VM_END, &query));
		igt_assert(!query.mapped || query.mapped == MANY * PAGE);
		undone += !!query.mapped;
		sgt_must(unmap_all(drm));
	}
	igt_info("an unmap takes %ld us, the end of a killed one %ld us, %d taken back\n",
		 whole, least, undone);
	igt_assert(least < whole / 2);
	munmap(killing, PAGE);
	sgt_bo_free(&bo);
}

int igt_main()
{
	static const struct {
		const char *name, *what;
		bool vgem;
		void (*run)(int drm);
	} tests[] = {
		{ "close-signalled", "A late callback finds nothing to run", true,
		  test_close_signalled },
		{ "jobs", "A queue has an end", true, test_jobs },
		{ "job-ops", "So has what is in it", true, test_job_ops },
		{ "mappings", "An address space has an end", false, test_mappings },
		{ "tables", "So have its tables", false, test_tables },
		{ "tables-churn", "What is given back is there", false, test_tables_churn },
		{ "charged", "Each pays for itself", false, test_charged },
		{ "resources", "Pictures without memory have an end", false, test_resources },
		{ "fences", "What is held costs nothing", false, test_fences },
		{ "query-killed", "A question can be dropped", false, test_query_killed },
		{ "unmap-killed", "All or nothing, and soon", false, test_unmap_killed },
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
