// SPDX-License-Identifier: GPL-2.0
#include "igt.h"
#include "sgt_rounds.h"
#include "sgt_test.h"
#include "sgt_vm_model.h"

#define MAX_STEP_OPS	8
#define CHECK_PAGES	61u	/* a prime */

void sgt_model_begin(struct sgt_vm_model *model, int drm, uint64_t va, uint32_t count,
		     const uint32_t bo_pages[SGT_MODEL_BOS])
{
	memset(model, 0, sizeof(*model));
	model->drm = drm;
	model->va = va;
	model->count = count;
	model->pages = calloc(count, sizeof(*model->pages));
	igt_assert(model->pages);
	for (int i = 0; i < SGT_MODEL_BOS; i++) {
		struct sgt_bo *bo = &model->bos[i];

		if (!bo_pages[i])
			continue;
		sgt_must(sgt_bo_create(bo, drm, WORDS_PER_PAGE, bo_pages[i]));
		igt_assert_eq_u64(bo->size, bo_pages[i] * PAGE);
		sgt_must(sgt_bo_map(bo));
	}
}

void sgt_model_end(struct sgt_vm_model *model)
{
	for (int i = 0; i < SGT_MODEL_BOS; i++)
		sgt_bo_free(&model->bos[i]);
	free(model->pages);
	memset(model, 0, sizeof(*model));
}

static void set_pages(struct sgt_vm_page *pages, uint32_t count, const struct sgt_bo *bo,
		      uint32_t page)
{
	for (uint32_t i = 0; i < count; i++)
		pages[i] = (struct sgt_vm_page) { bo, bo ? page + i : 0 };
}

void sgt_model_lay(struct sgt_vm_model *model, uint32_t first, uint32_t count,
		   const struct sgt_bo *bo, uint32_t page)
{
	sgt_must(sgt_vm_remap(bo, model->va + first * PAGE, count * PAGE, page * PAGE));
	set_pages(model->pages + first, count, bo, page);
}

void sgt_model_cut(struct sgt_vm_model *model, uint32_t first, uint32_t count)
{
	sgt_must(sgt_vm_unmap(model->drm, model->va + first * PAGE, count * PAGE));
	set_pages(model->pages + first, count, NULL, 0);
}

static uint32_t count_mapped(const struct sgt_vm_page *pages, uint32_t count)
{
	uint32_t mapped = 0;

	for (uint32_t i = 0; i < count; i++)
		mapped += !!pages[i].bo;
	return mapped;
}

/* A random operation, which may be refused for one of two reasons */
struct plan {
	struct drm_virtgpu_sgt_vm_bind_op op;
	const struct sgt_bo *bo;
	uint32_t first, count, page;
};

static struct plan random_plan(const struct sgt_vm_model *model, uint64_t *random)
{
	struct plan plan = {};
	uint64_t va, size;

	plan.first = sgt_random_below(random, model->count);
	plan.count = 1 + sgt_random_below(random, 40);
	if (plan.count > model->count - plan.first)
		plan.count = model->count - plan.first;
	va = model->va + plan.first * PAGE;
	size = plan.count * PAGE;

	do {
		plan.bo = &model->bos[sgt_random_below(random, SGT_MODEL_BOS)];
	} while (!plan.bo->handle);
	/* The buffer may end before the range. */
	plan.page = sgt_random_below(random, plan.bo->size / PAGE);
	if (plan.count <= plan.bo->size / PAGE && sgt_random_below(random, 20))
		plan.page %= plan.bo->size / PAGE - plan.count + 1;

	switch (sgt_random_below(random, 4)) {
	case 0:
		plan.op = sgt_vm_op_unmap(va, size);
		plan.bo = NULL;
		break;
	case 1:
		plan.op = sgt_vm_op_map(va, size, plan.bo, plan.page * PAGE);
		break;
	default:
		plan.op = sgt_vm_op_remap(va, size, plan.bo, plan.page * PAGE);
	}
	return plan;
}

static int apply_plan(struct sgt_vm_page *pages, const struct plan *plan)
{
	if (plan->bo && plan->page + plan->count > plan->bo->size / PAGE)
		return -ERANGE;
	if (plan->op.op == VIRTGPU_SGT_VM_MAP &&
	    count_mapped(pages + plan->first, plan->count))
		return -EEXIST;
	set_pages(pages + plan->first, plan->count, plan->bo, plan->page);
	return 0;
}

void sgt_model_step(struct sgt_vm_model *model, uint64_t *random, uint32_t in,
		    uint32_t out)
{
	unsigned int count = 1 + sgt_random_below(random, MAX_STEP_OPS);
	size_t bytes = model->count * sizeof(*model->pages);
	struct drm_virtgpu_sgt_vm_bind_op ops[MAX_STEP_OPS];
	struct sgt_vm_page *next = malloc(bytes);
	bool outside = false;
	int want = 0, err;

	igt_assert(next);
	memcpy(next, model->pages, bytes);
	for (unsigned int i = 0; i < count; i++) {
		struct plan plan = random_plan(model, random);

		ops[i] = plan.op;
		err = apply_plan(next, &plan);
		outside |= err == -ERANGE;
		want = want ?: err;
	}

	err = in || out ? sgt_vm_bind_async(model->drm, ops, count, in, out) :
			  sgt_vm_bind(model->drm, ops, count);
	/* The driver may check the state last. */
	igt_assert_f(err == want || (outside && err == -ERANGE), "%s, not %s\n",
		     strerror(-err), strerror(-want));
	if (!err) {
		free(model->pages);
		model->pages = next;
	} else {
		free(next);
	}
}

static void check_part(const struct sgt_vm_model *model, uint32_t first, uint32_t count)
{
	uint32_t mapped = count_mapped(model->pages + first, count);
	struct drm_virtgpu_sgt_vm_query query;

	sgt_must(sgt_vm_query(model->drm, model->va + first * PAGE, count * PAGE, &query));
	igt_assert_f(query.mapped == mapped * PAGE, "pages %u to %u: %llu mapped, not %u\n",
		     first, first + count, (unsigned long long)query.mapped / PAGE, mapped);
	igt_assert(query.segments <= mapped);
	igt_assert(!mapped == !query.segments);
}

void sgt_model_check(const struct sgt_vm_model *model)
{
	check_part(model, 0, model->count);
	for (uint32_t i = 0; i < model->count; i += CHECK_PAGES) {
		uint32_t left = model->count - i;

		check_part(model, i, left < CHECK_PAGES ? left : CHECK_PAGES);
	}
}

void sgt_model_fill(const struct sgt_vm_model *model, uint32_t seed)
{
	for (uint32_t i = 0; i < model->count; i++) {
		const struct sgt_vm_page *page = &model->pages[i];
		uint32_t first = i * WORDS_PER_PAGE;
		uint32_t *words;

		if (!page->bo)
			continue;
		words = page->bo->map + page->page * WORDS_PER_PAGE;
		for (uint32_t word = 0; word < WORDS_PER_PAGE; word++)
			words[word] = sgt_pattern(first + word, seed);
	}
}
