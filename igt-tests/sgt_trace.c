// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "igt.h"

#include "lib/sgt_events.h"
#include "lib/sgt_removal.h"
#include "lib/sgt_space.h"
#include "lib/sgt_swap.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt trace
 * Description: The events in tracefs tell what becomes of the memory of a buffer
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: tracing
 * Test category: functionality test
 *
 * SUBTEST: life
 * Description: Each event of a buffer that is shown, swapped out, used again and discarded
 *
 * SUBTEST: unbind
 * Description: An unbind ends a mapping by an event of its own
 */

IGT_TEST_DESCRIPTION("The events in tracefs tell what becomes of the memory of a buffer");

/* A size that no other buffer has */
#define PAGES		269
#define SIZE		(PAGES * PAGE)
#define SWAP		(16ull << 20)
#define MAX_EVENTS	16

/* VM_FAULT_NOPAGE: the driver has mapped the page itself. */
#define FAULT_DONE	0x100

static struct sgt_test test;

struct watch {
	struct sgt_bo bo;
	char owner[64];		/* the bound device */
	char table[32];		/* of the first event */
};

static void watch_begin(struct watch *watch)
{
	struct sgt_device_row dev;
	int err;

	sgt_must(sgt_find_live_device(&dev));
	*watch = (struct watch){};
	snprintf(watch->owner, sizeof(watch->owner), "%s", dev.owner);
	err = sgt_events_begin(SIZE);
	igt_require_f(err != -ENOENT, "the kernel has no events\n");
	sgt_must(err);
	sgt_make_pages(&watch->bo, sgt_must(sgt_open_wait()), PAGES);
}

static void watch_end(struct watch *watch)
{
	sgt_bo_free(&watch->bo);
	close(watch->bo.drm);
}

static void expect_fields(struct watch *watch, const struct sgt_event *event)
{
	if (!watch->table[0])
		snprintf(watch->table, sizeof(watch->table), "%s", event->table);
	igt_assert(!strcmp(event->dev, watch->owner));
	igt_assert(!strcmp(event->table, watch->table));
	igt_assert_eq_u64(event->size, SIZE);
	igt_assert_eq_u64(event->pages, PAGES);
}

/* The events since the last call, in their order; @last is the last of them. */
static void expect(struct watch *watch, const char * const *names, int count,
		   struct sgt_event *last)
{
	struct sgt_event events[MAX_EVENTS];
	int seen = sgt_must(sgt_events_take(events, MAX_EVENTS));

	for (int i = 0; i < seen && i < count; i++) {
		igt_assert_f(!strcmp(events[i].name, names[i]), "event %s, and not %s\n",
			     events[i].name, names[i]);
		expect_fields(watch, &events[i]);
	}
	igt_assert_eq(seen, count);
	*last = events[count - 1];
}

#define EXPECT(watch, ...)	({					\
	const char * const names_[] = { __VA_ARGS__ };			\
	struct sgt_event last_;						\
									\
	expect(watch, names_, ARRAY_SIZE(names_), &last_);		\
	last_;								\
})

static void expect_fault(const struct sgt_event *event, unsigned int page)
{
	igt_assert_eq_u64(event->index, page);
	igt_assert_eq_u32(event->order, 0);
	igt_assert_eq_u32(event->ret, FAULT_DONE);
}

static void touch(struct watch *watch, unsigned int page)
{
	watch->bo.map[page * WORDS_PER_PAGE] = page;
}

static void test_life(void)
{
	struct sgt_event event;
	struct watch watch;

	/* An mmap() gets the pages: it can fail, and a fault could not. */
	watch_begin(&watch);
	EXPECT(&watch, "drm_sgt_populate");
	touch(&watch, 7);
	event = EXPECT(&watch, "drm_gem_sgt_fault");
	expect_fault(&event, 7);

	sgt_must(sgt_bo_add_fb(&watch.bo));
	EXPECT(&watch, "drm_sgt_map");

	igt_assert_eq(drmModeRmFB(watch.bo.drm, watch.bo.fb), 0);
	watch.bo.fb = 0;
	sgt_expect_shrunk(&test, &watch.bo, "empty");
	EXPECT(&watch, "drm_sgt_unmap", "drm_sgt_evict");

	touch(&watch, PAGES - 1);
	event = EXPECT(&watch, "drm_sgt_restore", "drm_gem_sgt_fault");
	expect_fault(&event, PAGES - 1);

	igt_assert_eq(sgt_madvise(&watch.bo, VIRTGPU_SGT_MADV_DONTNEED), 1);
	sgt_expect_shrunk(&test, &watch.bo, "empty");
	EXPECT(&watch, "drm_sgt_purge");
	watch_end(&watch);
}

static void test_unbind(void)
{
	struct watch watch;

	watch_begin(&watch);
	sgt_must(sgt_bo_add_fb(&watch.bo));
	EXPECT(&watch, "drm_sgt_populate", "drm_sgt_map");
	sgt_remove(&test, SGT_ROUTE_VIRTIO);
	EXPECT(&watch, "drm_sgt_revoke");
	watch_end(&watch);
}

int igt_main()
{
	igt_fixture() {
		sgt_removal_begin(&test);
		sgt_require_tables(&test);
	}

	igt_describe("Each event, with the fields of the buffer");
	igt_subtest("life") {
		int err = sgt_swap_begin(SWAP);

		igt_require_f(!err, "no swap: %s\n", strerror(-err));
		test_life();
	}
	igt_fixture() {
		sgt_events_end();
		sgt_swap_end();
	}

	igt_describe("A revoke is no unmap");
	igt_subtest("unbind")
		test_unbind();
	igt_fixture() {
		sgt_events_end();
		sgt_removal_recover(&test);
	}
}
