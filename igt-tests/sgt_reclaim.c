// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "igt.h"

#include "lib/sgt_cgroup.h"
#include "lib/sgt_children.h"
#include "lib/sgt_kms.h"
#include "lib/sgt_removal.h"
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
 */

IGT_TEST_DESCRIPTION("Buffers are swapped out, and keep their contents");

#define BUFFERS		24
/* A size that no other buffer has */
#define PAGES		259
#define SIZE		(PAGES * PAGE)
#define WORDS		(PAGES * WORDS_PER_PAGE)

#define SWAP		(256ull << 20)
/* Half of what the buffers need */
#define LIMIT		((long long)(BUFFERS * SIZE / 2))

static struct sgt_test test;

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

/* Have the kernel call its shrinkers. */
static void shrink(void)
{
	sgt_must(sgt_write_file("/proc/sys/vm/drop_caches", "2"));
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
static void use_buffers(const struct sgt_cgroup *group, struct sgt_bo *bo, uint32_t seed)
{
	sgt_must(sgt_cgroup_write(group, "memory.max", LIMIT));
	for (unsigned int pass = 0; pass < 3; pass++)
		for (unsigned int i = 0; i < BUFFERS; i++) {
			sgt_expect_pattern(bo[i].map, WORDS, seed + pass * BUFFERS + i);
			sgt_fill(bo[i].map, WORDS, seed + (pass + 1) * BUFFERS + i);
		}
	igt_info("%lld bytes swapped out\n", sgt_cgroup_read(group, "memory.swap.current"));
	igt_assert(sgt_cgroup_read(group, "memory.swap.current") >= LIMIT / 2);
}

/* Runs in a child, whose group is charged. */
static void unbind_and_use(const struct sgt_cgroup *group)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_bo bo[BUFFERS];
	struct sgt_before before;

	sgt_must(sgt_cgroup_join(group));
	make_buffers(bo, sgt_must(sgt_open()), seed);

	/* The host may read them. */
	shrink();
	igt_assert_eq(count_buffers("mapped"), BUFFERS);

	sgt_look_before(&test, &before);
	sgt_remove(&test, SGT_ROUTE_VIRTIO);
	sgt_expect_gone(&test, &before, BUFFERS);
	igt_assert_eq(count_buffers("backed"), BUFFERS);
	shrink();
	igt_assert_eq(count_buffers("empty"), BUFFERS);
	use_buffers(group, bo, seed);
}

static void test_unbind(void)
{
	struct sgt_cgroup group;
	int err;

	err = sgt_swap_begin(SWAP);
	igt_require_f(!err, "no swap: %s\n", strerror(-err));
	err = sgt_cgroup_begin(&group);
	if (err)
		sgt_swap_end();
	igt_require_f(!err, "no memory cgroup: %s\n", strerror(-err));

	igt_fork(child, 1)
		unbind_and_use(&group);
	sgt_children_wait();
	sgt_cgroup_end(&group);
	sgt_swap_end();
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
	igt_fixture()
		sgt_removal_recover(&test);
}
