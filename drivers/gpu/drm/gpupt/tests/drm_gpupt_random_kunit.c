// SPDX-License-Identifier: GPL-2.0

#include <linux/align.h>
#include <linux/sizes.h>

#include "drm_gpupt_kunit_helpers.h"

/*
 * Random operations in random order, with some in flight. A prepare succeeds if the flat
 * map allows it, and is refused otherwise. After each operation, the tables are those
 * that the flat map needs.
 */

#define RANDOM_MEMS	6
#define RANDOM_SEGS	600

/* A format, and the window to use in it. */
struct random_place {
	const char *name;
	const struct drm_gpupt_fmt *fmt;
	u64 va;
	u64 cell;
	unsigned int nr;
	unsigned int steps;
};

static const struct random_place random_places[] = {
	/* Around an end of tables of all levels; pages and 2M. */
	{ "x86_64 in pages", &drm_gpupt_x86_64, SZ_512G - SZ_4M - SZ_64K, SZ_4K, 2048, 1000 },
	/* 2M and 1G, and whole tables of pages. */
	{ "x86_64 in units of 2M", &drm_gpupt_x86_64, SZ_512G - SZ_1G, SZ_2M, 1024, 200 },
	{ "radix3", &drm_gpupt_radix3, SZ_1G - SZ_2M - SZ_64K, SZ_4K, 1024, 1000 },
	{ "vtd2", &drm_gpupt_vtd2, SZ_512G - SZ_2M - SZ_64K, SZ_4K, 1024, 1000 },
	/* The whole VA space. */
	{ "toy", &drm_gpupt_kunit_toy, 0, SZ_16K, 1024, 2000 },
	{ "odd", &drm_gpupt_kunit_odd, 0, SZ_4K, 128, 3000 },
	{ "tiny", &drm_gpupt_kunit_tiny, 0, SZ_4K, 16, 3000 },
};

static void random_place_desc(const struct random_place *place, char *desc)
{
	strscpy(desc, place->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(random_place, random_places, random_place_desc);

struct random {
	struct drm_gpupt_kunit *pt;
	struct rnd_state rnd;
	struct drm_gpupt_kunit_mem *mem[RANDOM_MEMS];
	/* number of prepares that were rightly refused */
	unsigned int refused;
};

static u32 random_below(struct random *r, u32 limit)
{
	return drm_sgt_kunit_below(&r->rnd, limit);
}

/*
 * Memory as long as the window, with the same alignment up to the first segment that is
 * not contiguous with the next.
 */
static struct drm_gpupt_kunit_mem *random_mem(struct random *r)
{
	const struct drm_gpupt_kunit_window *w = &r->pt->window;
	/* Long segments, or so many short ones that the sg list is chained. */
	unsigned int some = random_below(r, 2) ? 40 : 3;
	u64 jump = 0, done = 0, left = w->nr;
	struct drm_gpupt_kunit_mem *mem;
	struct drm_dma_seg *seg;
	unsigned int i;

	seg = kcalloc(RANDOM_SEGS, sizeof(*seg), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(r->pt->test, seg);
	for (i = 0; left; i++) {
		u64 n = i == RANDOM_SEGS - 1 ? left : 1 + random_below(r, left);

		if (i < RANDOM_SEGS - 1 && random_below(r, 500 / some))
			n = min(n, 1 + random_below(r, some));
		seg[i].addr = DRM_GPUPT_KUNIT_DMA + w->va + done + jump;
		seg[i].len = n * w->cell;
		done += n * w->cell;
		left -= n;
		switch (random_below(r, 6)) {
		case 0: /* no large leaves any more */
			jump += drm_gpupt_kunit_page(w->fmt) * (1 + random_below(r, 100));
			break;
		case 1 ... 2: /* a gap, and large leaves after it */
			jump += drm_gpupt_kunit_entry_size(w->fmt, w->fmt->levels - 1);
			break;
		}
	}
	mem = drm_gpupt_kunit_mem(r->pt->test, seg, i);
	kfree(seg);
	return mem;
}

static struct random *random_create(struct kunit *test)
{
	const struct random_place *place = test->param_value;
	struct random *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, r);
	drm_sgt_kunit_seed(test, &r->rnd);
	r->pt = drm_gpupt_kunit_create(test, place->fmt);
	drm_gpupt_kunit_look_at(r->pt, place->va, place->cell, place->nr);
	for (i = 0; i < RANDOM_MEMS; i++)
		r->mem[i] = random_mem(r);
	return r;
}

/* Random cells. Half of the time, they begin or end where a leaf can. */
static unsigned int random_range(struct random *r, unsigned int *first)
{
	const struct drm_gpupt_kunit_window *w = &r->pt->window;
	unsigned int level = random_below(r, w->fmt->levels);
	u64 step = max(drm_gpupt_kunit_entry_size(w->fmt, level) / w->cell, 1);
	unsigned int end;

	*first = random_below(r, w->nr);
	end = *first + 1 + random_below(r, random_below(r, 3) ? min(w->nr, 64) : w->nr);
	if (random_below(r, 2))
		*first = rounddown(*first, step);
	if (random_below(r, 2))
		end = roundup(end, step);
	return min(end, w->nr) - *first;
}

/* The cells of the plan. */
static const struct drm_gpupt_kunit_cell *random_plan(const struct random *r)
{
	return r->pt->cells[r->pt->in_flight];
}

static int random_map(struct random *r, unsigned int first, unsigned int nr)
{
	const struct drm_gpupt_kunit_window *w = &r->pt->window;
	struct drm_gpupt_kunit_mem *mem = r->mem[random_below(r, RANDOM_MEMS)];
	/* The same offset in the memory as in the window, or any. */
	unsigned int offset = random_below(r, 3) ? first : random_below(r, w->nr - nr + 1);
	u32 prot = random_below(r, 8) & w->fmt->prot;
	int ret, expect = drm_gpupt_kunit_flat_mapped(random_plan(r), first, nr) ? -EEXIST : 0;

	ret = drm_gpupt_kunit_map(r->pt, drm_gpupt_kunit_va(r->pt, first), nr * w->cell, mem,
				  offset * w->cell, prot);
	KUNIT_EXPECT_EQ_MSG(r->pt->test, ret, expect, "map of %u at %u", nr, first);
	r->refused += !!expect;
	return ret;
}

static int random_unmap(struct random *r, unsigned int first, unsigned int nr)
{
	const struct drm_gpupt_kunit_window *w = &r->pt->window;
	int ret, expect = drm_gpupt_kunit_flat_mapped(random_plan(r), first, nr) < nr ? -ENOENT : 0;

	ret = drm_gpupt_kunit_unmap(r->pt, drm_gpupt_kunit_va(r->pt, first), nr * w->cell);
	KUNIT_EXPECT_EQ_MSG(r->pt->test, ret, expect, "unmap of %u at %u", nr, first);
	r->refused += !!expect;
	return ret;
}

/* Random adjacent cells that are all holes, or all mapped. */
static unsigned int random_run(struct random *r, unsigned int *first)
{
	const struct drm_gpupt_kunit_cell *plan = random_plan(r);
	unsigned int nr = random_range(r, first), n = 1;

	while (n < nr && !plan[*first + n].leaf == !plan[*first].leaf)
		n++;
	return n;
}

/* Replace a mapping by another: both operations are in flight at the same time. */
static void random_remap(struct random *r)
{
	unsigned int first, nr = random_run(r, &first);

	if (r->pt->in_flight + 2 > DRM_GPUPT_KUNIT_OPS || !random_plan(r)[first].leaf)
		return;
	if (!random_unmap(r, first, nr))
		random_map(r, first, nr);
}

/* Replace whatever is there. */
static void random_replace(struct random *r)
{
	const struct drm_gpupt_kunit_window *w = &r->pt->window;
	struct drm_gpupt_kunit_mem *mem = r->mem[random_below(r, RANDOM_MEMS)];
	unsigned int first, nr = random_range(r, &first);
	int ret;

	ret = drm_gpupt_kunit_replace(r->pt, drm_gpupt_kunit_va(r->pt, first), nr * w->cell, mem,
				      first * w->cell, random_below(r, 8) & w->fmt->prot);
	KUNIT_EXPECT_EQ_MSG(r->pt->test, ret, 0, "replace of %u at %u", nr, first);
}

static void random_prepare(struct random *r)
{
	unsigned int first, nr;

	switch (random_below(r, 8)) {
	case 0:
		nr = random_range(r, &first);
		random_map(r, first, nr);
		break;
	case 1:
		nr = random_range(r, &first);
		random_unmap(r, first, nr);
		break;
	case 2:
		random_remap(r);
		break;
	case 3:
		random_replace(r);
		break;
	default:
		nr = random_run(r, &first);
		if (random_plan(r)[first].leaf)
			random_unmap(r, first, nr);
		else
			random_map(r, first, nr);
		break;
	}
}

static void random_step(struct random *r)
{
	switch (random_below(r, 8)) {
	case 0:
		if (r->pt->in_flight)
			drm_gpupt_kunit_abort(r->pt);
		break;
	case 1 ... 3:
		if (r->pt->in_flight)
			drm_gpupt_kunit_commit(r->pt);
		break;
	default:
		if (r->pt->in_flight < DRM_GPUPT_KUNIT_OPS)
			random_prepare(r);
		break;
	}
}

/* Run all steps, with any number of operations in flight; at the end, nothing is left. */
static void random_maps_and_unmaps(struct kunit *test)
{
	const struct random_place *place = test->param_value;
	struct random *r = random_create(test);
	struct drm_gpupt_kunit *pt = r->pt;
	unsigned int i, n;

	for (i = 0; i < place->steps && test->status == KUNIT_SUCCESS; i++) {
		random_step(r);
		if (i % 8 == 0 || pt->window.nr <= 128)
			drm_gpupt_kunit_check(pt);
	}
	KUNIT_EXPECT_GT(test, r->refused, 0);

	drm_gpupt_kunit_commit_all(pt);
	for (i = 0; i < pt->window.nr; i += n) {
		for (n = 1; i + n < pt->window.nr; n++)
			if (!pt->cells[0][i + n].leaf != !pt->cells[0][i].leaf)
				break;
		if (pt->cells[0][i].leaf)
			drm_gpupt_kunit_unmap_now(pt, drm_gpupt_kunit_va(pt, i),
						  n * pt->window.cell);
	}
	KUNIT_EXPECT_EQ(test, drm_gpupt_kunit_info(pt).tables, pt->empty);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(pt->d->sdev).mapped, 1);
}

static struct kunit_case drm_gpupt_random_cases[] = {
	KUNIT_CASE_PARAM(random_maps_and_unmaps, random_place_gen_params),
	{}
};

static struct kunit_suite drm_gpupt_random_suite = {
	.name = "drm_gpupt_random",
	.attr = { .speed = KUNIT_SPEED_SLOW },
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpupt_random_cases,
};

kunit_test_suite(drm_gpupt_random_suite);
