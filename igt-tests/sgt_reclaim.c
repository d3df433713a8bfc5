// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "igt.h"

#include "lib/sgt_cgroup.h"
#include "lib/sgt_children.h"
#include "lib/sgt_kms.h"
#include "lib/sgt_removal.h"
#include "lib/sgt_rounds.h"
#include "lib/sgt_swap.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt reclaim
 * Description: Buffers are swapped out, and keep their contents
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: buffer creation, hotunplug
 * Test category: functionality test
 *
 * SUBTEST: unbind
 * Description: After unbind, buffers are used under a memory limit that is too small for them
 *
 * SUBTEST: hidden
 * Description: Buffers that were shown are swapped out when they are not shown any more
 *
 * SUBTEST: random
 * Description: Buffers are written, shared, swapped out, purged and unbound in every order
 */

IGT_TEST_DESCRIPTION("Buffers are swapped out, and keep their contents");

#define BUFFERS		24
/* A size that no other buffer has */
#define PAGES		259
#define SIZE		(PAGES * PAGE)
#define WORDS		(PAGES * WORDS_PER_PAGE)

#define PASSES		3

#define SWAP		(256ull << 20)
/* Half of what the buffers need */
#define LIMIT		((long long)(BUFFERS * SIZE / 2))

static struct sgt_test test;
static struct sgt_cgroup cgroup;

static unsigned int count_buffers(const char *state)
{
	struct sgt_buffer_row *rows;
	unsigned int found = 0;
	int count = sgt_must(sgt_read_buffers(&rows));

	for (int i = 0; i < count; i++)
		found += rows[i].size == SIZE && !strcmp(rows[i].state, state);
	free(rows);
	return found;
}

static void make_buffers(struct sgt_bo *bo, int drm, uint32_t seed)
{
	for (unsigned int i = 0; i < BUFFERS; i++) {
		sgt_make_pages(&bo[i], drm, PAGES);
		/* The driver maps what it shows. */
		sgt_must(sgt_bo_add_fb(&bo[i]));
		sgt_fill(bo[i].map, WORDS, seed + i);
	}
}

/* Not all of the buffers can be in memory, in none of the passes. */
static void use_buffers(const struct sgt_cgroup *group, struct sgt_bo *bo, uint32_t seed,
			volatile uint32_t *passes)
{
	sgt_must(sgt_cgroup_write(group, "memory.max", LIMIT));
	for (; *passes < PASSES; ++*passes)
		for (unsigned int i = 0; i < BUFFERS; i++) {
			sgt_expect_pattern(bo[i].map, WORDS, seed + *passes * BUFFERS + i);
			sgt_fill(bo[i].map, WORDS, seed + (*passes + 1) * BUFFERS + i);
		}
	igt_info("%lld bytes swapped out\n", sgt_cgroup_read(group, "memory.swap.current"));
	igt_assert(sgt_cgroup_read(group, "memory.swap.current") >= LIMIT / 2);
}

/* Runs in a child, whose group is charged. */
static void unbind_and_use(const struct sgt_cgroup *group, volatile uint32_t *passes)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_bo bo[BUFFERS];
	struct sgt_before before;

	sgt_must(sgt_cgroup_join(group));
	make_buffers(bo, sgt_must(sgt_open()), seed);

	/* The host may read them. */
	sgt_must(sgt_shrink());
	igt_assert_eq(count_buffers("mapped"), BUFFERS);

	sgt_look_before(&test, &before);
	sgt_remove(&test, SGT_ROUTE_VIRTIO);
	sgt_expect_gone(&test, &before, BUFFERS);
	igt_assert_eq(count_buffers("backed"), BUFFERS);
	sgt_must(sgt_shrink());
	igt_assert_eq(count_buffers("empty"), BUFFERS);
	use_buffers(group, bo, seed, passes);
}

/* Runs in a child, whose group is charged. */
static void show_and_hide(const struct sgt_cgroup *group)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_bo bo[BUFFERS];
	int drm;

	sgt_must(sgt_cgroup_join(group));
	drm = sgt_must(sgt_open_wait());
	make_buffers(bo, drm, seed);
	sgt_must(sgt_shrink());
	igt_assert_eq(count_buffers("mapped"), BUFFERS);

	/* Until the host has answered, it may read them. */
	for (unsigned int i = 0; i < BUFFERS; i++) {
		igt_assert_eq(drmModeRmFB(drm, bo[i].fb), 0);
		bo[i].fb = 0;
	}
	sgt_for_a_while(end) {
		sgt_must(sgt_shrink());
		if (count_buffers("empty") == BUFFERS)
			break;
	}
	igt_assert_eq(count_buffers("empty"), BUFFERS);

	for (unsigned int i = 0; i < BUFFERS; i++) {
		sgt_must(sgt_bo_add_fb(&bo[i]));
		sgt_expect_pattern(bo[i].map, WORDS, seed + i);
		sgt_bo_free(&bo[i]);
	}
}

#define ITEMS		6
#define ITEM_PAGES	64
#define ITEM_SIZE	(ITEM_PAGES * PAGE)
#define ITEM_WORDS	(ITEM_PAGES * WORDS_PER_PAGE)
#define STEPS		100

/* A buffer, and what is expected of it */
struct item {
	struct sgt_bo bo;
	uint32_t seed;
	int dmabuf;		/* -1 if it is not shared */
	uint32_t *shared;	/* a mapping of @dmabuf */
	uint32_t imported;	/* a handle of vgem, or 0 */
	bool was_shared;
	bool unneeded;		/* it may be purged */
	bool gone;		/* it was */
};

struct random {
	const struct sgt_cgroup *group;
	struct item items[ITEMS];
	uint64_t state;
	int drm, vgem;
	bool bound;
	long long swapped;	/* most that was seen */
	unsigned int purged;
};

static void item_create(struct random *r, struct item *item)
{
	*item = (struct item){ .dmabuf = -1, .seed = sgt_random(&r->state) };
	sgt_make_pages(&item->bo, r->drm, ITEM_PAGES);
	sgt_fill(item->bo.map, ITEM_WORDS, item->seed);
}

/* Instead of a fault, there are the bytes of the shadow copy.  An unbind ends all uses. */
static bool item_is_purged(const struct random *r, const struct item *item)
{
	size_t matched = 0;
	int sig = sgt_try_match(item->bo.map, ITEM_WORDS, item->seed, &matched);

	if (!sig) {
		igt_assert_eq(matched, ITEM_WORDS);
		return false;
	}
	igt_assert_eq(sig, SIGBUS);
	igt_assert(item->unneeded && !item->was_shared && !(r->bound && item->bo.fb));
	return true;
}

/*
 * Whether the bytes are there.  As long as the driver is bound, they stay from now on;
 * after that, there is no call for it.
 */
static bool item_need(struct random *r, struct item *item)
{
	int retained = -1;

	if (item->gone || !item->unneeded)
		return !item->gone;

	if (r->bound)
		retained = sgt_must(sgt_madvise(&item->bo, VIRTGPU_SGT_MADV_WILLNEED));
	item->gone = item_is_purged(r, item);
	r->purged += item->gone;
	if (r->bound) {
		igt_assert_eq(retained, !item->gone);
		item->unneeded = false;
	}
	return !item->gone;
}

static void item_doubt(struct random *r, struct item *item)
{
	if (!r->bound || !item_need(r, item))
		return;
	igt_assert_eq(sgt_madvise(&item->bo, VIRTGPU_SGT_MADV_DONTNEED), 1);
	item->unneeded = true;
}

/* The bytes, by one mapping or the other, and then new ones */
static void item_use(struct random *r, struct item *item)
{
	uint32_t *map = item->bo.map;

	if (!item_need(r, item) || item->unneeded)
		return;
	if (item->shared && sgt_random_below(&r->state, 2))
		map = item->shared;
	sgt_expect_pattern(map, ITEM_WORDS, item->seed);
	item->seed = sgt_random(&r->state);
	sgt_fill(map, ITEM_WORDS, item->seed);
}

static void item_show(struct random *r, struct item *item)
{
	if (item_need(r, item) && !item->bo.fb)
		igt_assert_eq(sgt_bo_add_fb(&item->bo), r->bound ? 0 : -ENODEV);
}

static void item_share(struct random *r, struct item *item)
{
	if (!r->bound || item->dmabuf >= 0 || !item_need(r, item))
		return;
	item->was_shared = true;
	item->dmabuf = sgt_must(sgt_bo_export(&item->bo));
	item->shared = sgt_mmap_fd(item->dmabuf, ITEM_SIZE);
	igt_assert(item->shared);
}

static void item_import(struct random *r, struct item *item)
{
	item_share(r, item);
	if (item->shared && !item->imported)
		igt_assert_eq(drmPrimeFDToHandle(r->vgem, item->dmabuf, &item->imported), 0);
}

static void item_let_go(struct random *r, struct item *item)
{
	if (item->imported)
		sgt_must(sgt_close_handle(r->vgem, item->imported));
	item->imported = 0;
}

static void item_unshare(struct random *r, struct item *item)
{
	item_let_go(r, item);
	if (item->shared)
		munmap(item->shared, ITEM_SIZE);
	if (item->dmabuf >= 0)
		close(item->dmabuf);
	item->shared = NULL;
	item->dmabuf = -1;
}

static void item_free(struct random *r, struct item *item)
{
	if (item_need(r, item))
		igt_assert(!item_is_purged(r, item));
	item_unshare(r, item);
	sgt_bo_free(&item->bo);
}

static void item_replace(struct random *r, struct item *item)
{
	if (!r->bound)
		return;
	item_free(r, item);
	item_create(r, item);
}

/* Pages that no mapping keeps go back to the file; some of them, and others, to swap. */
static void swap_out(struct random *r)
{
	long long swapped;

	sgt_must(sgt_shrink());
	/* -EAGAIN if there is less to reclaim */
	sgt_cgroup_write(r->group, "memory.reclaim",
			 ITEM_SIZE * (1 + sgt_random_below(&r->state, ITEMS)));
	swapped = sgt_cgroup_read(r->group, "memory.swap.current");
	if (swapped > r->swapped)
		r->swapped = swapped;
}

static void unbind(struct random *r)
{
	struct sgt_before before;
	int mapped = 0;

	if (!r->bound || sgt_random_below(&r->state, 4))
		return;
	for (unsigned int i = 0; i < ITEMS; i++)
		mapped += !!r->items[i].bo.fb;
	sgt_look_before(&test, &before);
	sgt_remove(&test, SGT_ROUTE_VIRTIO);
	sgt_expect_gone(&test, &before, mapped);
	r->bound = false;
}

static void random_step(struct random *r)
{
	static void (*const calls[])(struct random *r, struct item *item) = {
		item_use, item_use, item_use, item_use, item_show, item_share, item_import,
		item_let_go, item_unshare, item_replace, item_doubt, item_doubt, item_doubt,
	};
	unsigned int call = sgt_random_below(&r->state, ARRAY_SIZE(calls) + 4);
	struct item *item = &r->items[sgt_random_below(&r->state, ITEMS)];

	if (item->gone)
		item_replace(r, item);
	else if (call < ARRAY_SIZE(calls))
		calls[call](r, item);
	else if (call == ARRAY_SIZE(calls))
		unbind(r);
	else
		swap_out(r);
}

/* Runs in a child, whose group is charged. */
static void in_every_order(const struct sgt_cgroup *group, uint64_t state)
{
	struct random r = { .group = group, .state = state, .bound = true };

	sgt_must(sgt_cgroup_join(group));
	r.drm = sgt_must(sgt_open_wait());
	r.vgem = sgt_must(sgt_open_driver("vgem"));
	for (unsigned int i = 0; i < ITEMS; i++)
		item_create(&r, &r.items[i]);
	/* Whatever comes, one of them is purged. */
	item_doubt(&r, &r.items[0]);
	swap_out(&r);
	for (unsigned int i = 0; i < STEPS; i++)
		random_step(&r);
	for (unsigned int i = 0; i < ITEMS; i++)
		item_free(&r, &r.items[i]);
	igt_info("%s, %lld bytes swapped out, %u buffers purged\n",
		 r.bound ? "bound" : "unbound", r.swapped, r.purged);
	igt_assert(r.swapped >= (long long)ITEM_SIZE);
	igt_assert(r.purged);
}

static void begin(void)
{
	int err;

	err = sgt_swap_begin(SWAP);
	igt_require_f(!err, "no swap: %s\n", strerror(-err));
	err = sgt_cgroup_begin(&cgroup);
	igt_require_f(!err, "no memory cgroup: %s\n", strerror(-err));
}

/* Also after a subtest that has failed */
static void end(void)
{
	sgt_cgroup_end(&cgroup);
	sgt_swap_end();
}

/* All of the passes take longer on a busy host than a child may be waited for. */
static void test_unbind(void)
{
	uint32_t *passes = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				-1, 0);

	igt_assert(passes != MAP_FAILED);
	begin();
	igt_fork(child, 1)
		unbind_and_use(&cgroup, passes);
	for (unsigned int i = 1; i <= PASSES; i++)
		sgt_children_reach(passes, 1, i);
	sgt_children_wait();
	munmap(passes, PAGE);
}

static void test_hidden(void)
{
	begin();
	igt_fork(child, 1)
		show_and_hide(&cgroup);
	sgt_children_wait();
}

static void test_random(void)
{
	struct sgt_rounds rounds;

	igt_require(sgt_have_driver("vgem"));
	begin();
	sgt_rounds_begin(&rounds, 1, 3);
	while (sgt_rounds_next(&rounds)) {
		uint64_t state = sgt_random(&rounds.random);

		igt_fork(child, 1)
			in_every_order(&cgroup, state);
		sgt_children_wait();
		sgt_removal_recover(&test);
	}
}

int igt_main()
{
	igt_fixture() {
		sgt_removal_begin(&test);
		sgt_require_tables(&test);
	}

	igt_describe("Swapped out under a limit, after unbind, nothing is lost");
	igt_subtest("unbind")
		test_unbind();
	igt_fixture() {
		end();
		sgt_removal_recover(&test);
	}

	igt_describe("The host reads no memory that it has given back");
	igt_subtest("hidden")
		test_hidden();
	igt_fixture()
		end();

	igt_describe("The bytes are those of a shadow copy, whatever came before");
	igt_subtest("random")
		test_random();
	igt_fixture() {
		end();
		sgt_removal_recover(&test);
	}
}
