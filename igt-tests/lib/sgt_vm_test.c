// SPDX-License-Identifier: GPL-2.0
#include "igt.h"
#include "sgt_vm_test.h"

int sgt_vm_fixture(struct sgt_test *test)
{
	int drm = sgt_test_begin(test);

	sgt_require_tables(test);
	drmDropMaster(drm);
	return drm;
}

void sgt_in_file(const struct sgt_test *test, void (*run)(int drm))
{
	struct sgt_baseline base;
	int drm;

	sgt_baseline_take(test, &base);
	drm = sgt_must(sgt_open());
	run(drm);
	close(drm);
	sgt_baseline_check(test, &base);
}

void sgt_in_files(const struct sgt_test *test, const struct sgt_file_test *tests,
		  unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		igt_describe(tests[i].what);
		igt_subtest(tests[i].name)
			sgt_in_file(test, tests[i].run);
	}
}

void sgt_make_pages(struct sgt_bo *bo, int drm, uint32_t pages)
{
	sgt_must(sgt_bo_create(bo, drm, WORDS_PER_PAGE, pages));
	igt_assert_eq_u64(bo->size, pages * PAGE);
	sgt_must(sgt_bo_map(bo));
}

static void expect_query(const struct drm_virtgpu_sgt_vm_query *query, uint64_t mapped)
{
	uint64_t leaves = query->leaves_4k + query->leaves_2m + query->leaves_1g;

	igt_assert_eq_u64(query->mapped, mapped);
	igt_assert_eq_u64(query->leaves_4k * PAGE + query->leaves_2m * SGT_LEAF_2M +
			  query->leaves_1g * SGT_LEAF_1G, mapped);
	igt_assert_f(query->segments <= leaves, "%llu segments in %llu leaves\n",
		     (unsigned long long)query->segments, (unsigned long long)leaves);
	igt_assert(!query->segments == !mapped);
}

void sgt_expect_mapped(int drm, uint64_t va, uint64_t size, uint64_t mapped)
{
	struct drm_virtgpu_sgt_vm_query query;

	sgt_must(sgt_vm_query(drm, va, size, &query));
	expect_query(&query, mapped);
}

void sgt_expect_space(int drm, uint64_t mapped, uint64_t tables)
{
	struct drm_virtgpu_sgt_vm_query query;

	sgt_must(sgt_vm_query(drm, 0, SGT_VM_END, &query));
	expect_query(&query, mapped);
	igt_assert_eq_u64(query.tables, tables);
}

int sgt_map_often(const struct sgt_bo *bo, uint64_t va, uint64_t stride, uint64_t count,
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
