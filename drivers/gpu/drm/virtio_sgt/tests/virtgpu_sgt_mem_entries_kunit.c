// SPDX-License-Identifier: GPL-2.0

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <kunit/test.h>

#include "../virtgpu_sgt_mem_entries.h"

/*
 * The list of mem entries: all of its bytes are compared with a list that is made here,
 * from the same segments.
 */

#define PER_PAGE	(PAGE_SIZE / sizeof(struct virtio_gpu_mem_entry))

/* The longest entry: whole pages, in 32 bits. */
#define MAX_LEN		((u64)U32_MAX & ~(u64)(SZ_4K - 1))

static void list_free(void *data)
{
	virtgpu_sgt_mem_entries_free(data);
}

static void want_free(void *data)
{
	kvfree(data);
}

static struct virtgpu_sgt_mem_entries *list_create(struct kunit *test, u64 count,
						   unsigned int max_chunks)
{
	struct virtgpu_sgt_mem_entries *list;

	list = virtgpu_sgt_mem_entries_reserve(NULL, count, max_chunks);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, list);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, list_free, list));
	KUNIT_EXPECT_EQ(test, list->count, count);
	return list;
}

/* Expect that the chunks hold @nr entries in total, and nothing else. */
static void list_check(struct kunit *test, const struct virtgpu_sgt_mem_entries *list,
		       const struct drm_dma_seg *want, unsigned int nr)
{
	const struct virtio_gpu_mem_entry *entry;
	struct scatterlist *sg = list->sgl;
	unsigned int chunks = 0, i = 0, j;

	for (; sg; sg = sg_next(sg), chunks++) {
		entry = sg_virt(sg);
		KUNIT_EXPECT_EQ(test, 0, sg->length % sizeof(*entry));
		for (j = 0; j < sg->length / sizeof(*entry); j++, i++) {
			KUNIT_ASSERT_LT(test, i, nr);
			KUNIT_ASSERT_EQ(test, le64_to_cpu(entry[j].addr), want[i].addr);
			KUNIT_ASSERT_EQ(test, le32_to_cpu(entry[j].length), want[i].len);
			KUNIT_ASSERT_EQ(test, le32_to_cpu(entry[j].padding), 0);
		}
	}
	KUNIT_EXPECT_EQ(test, i, nr);
	KUNIT_EXPECT_EQ(test, chunks, list->chunks);
}

static const struct list_case {
	const char *name;
	struct drm_dma_seg seg[4];
	struct drm_dma_seg want[5];
} list_cases[] = {
	{ "one page", { { SZ_1G, SZ_4K } }, { { SZ_1G, SZ_4K } } },
	{ "address 0", { { 0, SZ_4K } }, { { 0, SZ_4K } } },
	{ "above 4 GiB", { { SZ_4G + SZ_1M, SZ_4K } }, { { SZ_4G + SZ_1M, SZ_4K } } },
	{ "three", { { SZ_1G, SZ_4K }, { SZ_1M, SZ_8K }, { SZ_4G, SZ_2M } },
	  { { SZ_1G, SZ_4K }, { SZ_1M, SZ_8K }, { SZ_4G, SZ_2M } } },
	{ "the longest", { { SZ_4G, MAX_LEN } }, { { SZ_4G, MAX_LEN } } },
	{ "a page longer", { { SZ_4G, SZ_4G } },
	  { { SZ_4G, MAX_LEN }, { SZ_4G + MAX_LEN, SZ_4K } } },
	{ "twice as long", { { SZ_4G, 2ull * SZ_4G } },
	  { { SZ_4G, MAX_LEN }, { SZ_4G + MAX_LEN, MAX_LEN },
	    { SZ_4G + 2 * MAX_LEN, SZ_8K } } },
	{ "longer, and others", { { SZ_1M, SZ_4K }, { SZ_4G, SZ_4G }, { SZ_1G, SZ_4K } },
	  { { SZ_1M, SZ_4K }, { SZ_4G, MAX_LEN }, { SZ_4G + MAX_LEN, SZ_4K },
	    { SZ_1G, SZ_4K } } },
};

KUNIT_ARRAY_PARAM_DESC(list, list_cases, name);

/* A segment that is too long for one entry is split. */
static void list_cuts_segments(struct kunit *test)
{
	const struct list_case *c = test->param_value;
	struct virtgpu_sgt_mem_entries_pos pos;
	struct virtgpu_sgt_mem_entries *list;
	unsigned int want = 0, i;
	u64 needed = 0;

	while (want < ARRAY_SIZE(c->want) && c->want[want].len)
		want++;
	for (i = 0; i < ARRAY_SIZE(c->seg) && c->seg[i].len; i++)
		needed += virtgpu_sgt_mem_entries_needed(c->seg[i].len);
	KUNIT_ASSERT_EQ(test, needed, want);

	list = list_create(test, needed, 1);
	virtgpu_sgt_mem_entries_begin(&pos, list);
	for (i = 0; i < ARRAY_SIZE(c->seg) && c->seg[i].len; i++)
		KUNIT_EXPECT_EQ(test, 0, virtgpu_sgt_mem_entries_add(&pos, &c->seg[i]));
	KUNIT_EXPECT_EQ(test, 0, virtgpu_sgt_mem_entries_end(&pos));
	list_check(test, list, c->want, want);
}

struct length_case {
	const char *name;
	unsigned int count;
	unsigned int max_chunks;
	unsigned int chunks;
};

/* Up to 1 KiB, a list has one chunk; a longer one has a chunk for each page, or larger ones. */
static const struct length_case length_cases[] = {
	{ "one", 1, 1, 1 },
	{ "the longest short one", 64, 1, 1 },
	{ "short, where many chunks fit", 64, 100, 1 },
	{ "the shortest long one", 65, 100, 1 },
	{ "a page", PER_PAGE, 100, 1 },
	{ "a page and one", PER_PAGE + 1, 100, 2 },
	{ "three pages", 3 * PER_PAGE, 3, 3 },
	{ "three pages, two chunks", 3 * PER_PAGE, 2, 2 },
	{ "three pages, one chunk", 3 * PER_PAGE, 1, 1 },
	{ "all", 16384, 64, 16384 / PER_PAGE },
	{ "all, in chunks of 8 pages", 16384, 8, 8 },
};

KUNIT_ARRAY_PARAM_DESC(length, length_cases, name);

/* Entries continue across the ends of chunks, and an entry too many is refused. */
static void list_goes_on_in_chunks(struct kunit *test)
{
	const struct length_case *c = test->param_value;
	struct virtgpu_sgt_mem_entries *list = list_create(test, c->count, c->max_chunks);
	struct virtgpu_sgt_mem_entries_pos pos;
	struct drm_dma_seg *want;
	unsigned int i;

	want = kvcalloc(c->count, sizeof(*want), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, want);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, want_free, want));

	KUNIT_EXPECT_EQ(test, list->chunks, c->chunks);
	virtgpu_sgt_mem_entries_begin(&pos, list);
	for (i = 0; i < c->count; i++) {
		want[i] = (struct drm_dma_seg) { SZ_1G + (u64)i * SZ_8K, SZ_4K };
		KUNIT_ASSERT_EQ(test, -EIO, virtgpu_sgt_mem_entries_end(&pos));
		KUNIT_ASSERT_EQ(test, 0, virtgpu_sgt_mem_entries_add(&pos, &want[i]));
	}
	KUNIT_EXPECT_EQ(test, 0, virtgpu_sgt_mem_entries_end(&pos));
	KUNIT_EXPECT_EQ(test, -EIO, virtgpu_sgt_mem_entries_add(&pos, &want[0]));
	list_check(test, list, want, c->count);
}

/* Entries that are too many for the host, or for the chunks of 32 KiB, are refused. */
static void list_has_limits(struct kunit *test)
{
	const unsigned int per_chunk = PER_PAGE << PAGE_ALLOC_COSTLY_ORDER;

	KUNIT_EXPECT_EQ(test, -E2BIG,
			PTR_ERR(virtgpu_sgt_mem_entries_reserve(NULL, 16385, UINT_MAX)));
	KUNIT_EXPECT_EQ(test, -E2BIG,
			PTR_ERR(virtgpu_sgt_mem_entries_reserve(NULL, U64_MAX, UINT_MAX)));
	KUNIT_EXPECT_EQ(test, -E2BIG,
			PTR_ERR(virtgpu_sgt_mem_entries_reserve(NULL, 2 * per_chunk + 1, 2)));
	KUNIT_EXPECT_EQ(test, -E2BIG, PTR_ERR(virtgpu_sgt_mem_entries_reserve(NULL, 1, 0)));
	list_create(test, min(2 * per_chunk, 16384u), 2);
}

static struct kunit_case virtgpu_sgt_mem_entries_cases[] = {
	KUNIT_CASE_PARAM(list_cuts_segments, list_gen_params),
	KUNIT_CASE_PARAM(list_goes_on_in_chunks, length_gen_params),
	KUNIT_CASE(list_has_limits),
	{}
};

static struct kunit_suite virtgpu_sgt_mem_entries_suite = {
	.name = "virtgpu_sgt_mem_entries",
	.test_cases = virtgpu_sgt_mem_entries_cases,
};

kunit_test_suite(virtgpu_sgt_mem_entries_suite);
