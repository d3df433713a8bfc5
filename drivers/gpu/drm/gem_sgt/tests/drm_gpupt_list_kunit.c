// SPDX-License-Identifier: GPL-2.0

#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/virtio_gpu.h>

#include "drm_gpupt_kunit_helpers.h"

/*
 * The list of memory entries of virtio-gpu: all of its bytes against a list that
 * is made here, of the same segments.
 */

#define LIST_PER_PAGE	256
#define LIST_MAX	16384
/* The longest entry: whole pages, in 32 bits. */
#define LIST_MAX_LEN	((u64)U32_MAX & ~(u64)(SZ_4K - 1))

struct list_want {
	u64 addr;
	u64 len;
};

static void list_destroy(void *data)
{
	drm_gpupt_destroy(data);
}

static struct drm_gpupt *list_create(struct kunit *test, struct drm_sgt_device *sdev)
{
	struct drm_gpupt *gpt = drm_gpupt_create(&drm_gpupt_virtio_mem, sdev, NULL, NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, gpt);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, list_destroy, gpt));
	return gpt;
}

static int list_map(struct drm_gpupt *gpt, const struct drm_gpupt_kunit_mem *mem, u64 offset,
		    u64 len)
{
	const struct drm_dma_view view = drm_gpupt_kunit_view(mem);
	struct drm_gpupt_op op = {};
	int ret = drm_gpupt_prepare_map(gpt, &op, 0, len, view, offset, 0);

	if (ret)
		return ret;
	drm_gpupt_commit_map(&op, view);
	drm_gpupt_op_fini(&op);
	return 0;
}

static int list_unmap(struct drm_gpupt *gpt, u64 len)
{
	struct drm_gpupt_op op = {};
	int ret = drm_gpupt_prepare_unmap(gpt, &op, 0, len);

	if (ret)
		return ret;
	drm_gpupt_commit(&op);
	drm_gpupt_op_fini(&op);
	return 0;
}

/* A page, as it must be: entries, and nothing behind the last one. */
static void list_check_page(struct kunit *test, struct page *page, const struct list_want *want,
			    unsigned int nr)
{
	struct virtio_gpu_mem_entry *entry;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, page);
	entry = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, entry);
	for (i = 0; i < nr; i++) {
		entry[i].addr = cpu_to_le64(want[i].addr);
		entry[i].length = cpu_to_le32(want[i].len);
	}
	KUNIT_EXPECT_MEMEQ(test, page_address(page), entry, PAGE_SIZE);
	kunit_kfree(test, entry);
}

static void list_check(struct kunit *test, struct drm_gpupt *gpt, const struct list_want *want,
		       unsigned int nr)
{
	unsigned int i;

	KUNIT_ASSERT_EQ(test, drm_gpupt_list_entries(gpt), nr);
	for (i = 0; i * LIST_PER_PAGE < nr; i++)
		list_check_page(test, drm_gpupt_list_page(gpt, i), want + i * LIST_PER_PAGE,
				min(nr - i * LIST_PER_PAGE, LIST_PER_PAGE));
	KUNIT_EXPECT_NULL(test, drm_gpupt_list_page(gpt, i));
}

/* Memory, what of it is mapped, and the list of that. */
static const struct list_case {
	const char *name;
	struct drm_dma_seg seg[4];
	u64 offset;
	/* 0: all from @offset on */
	u64 len;
	struct list_want want[5];
} list_cases[] = {
	{ "one page", { { SZ_1G, SZ_4K } }, 0, 0, { { SZ_1G, SZ_4K } } },
	{ "address 0", { { 0, SZ_4K } }, 0, 0, { { 0, SZ_4K } } },
	{ "three apart", { { SZ_1G, SZ_4K }, { SZ_1M, SZ_8K }, { SZ_4G, SZ_2M } }, 0, 0,
	  { { SZ_1G, SZ_4K }, { SZ_1M, SZ_8K }, { SZ_4G, SZ_2M } } },
	{ "neighbours", { { SZ_1M, SZ_4K }, { SZ_1M + SZ_4K, SZ_8K }, { SZ_1G, SZ_4K } }, 0, 0,
	  { { SZ_1M, SZ_4K + SZ_8K }, { SZ_1G, SZ_4K } } },
	{ "neighbours the wrong way", { { SZ_1M + SZ_4K, SZ_4K }, { SZ_1M, SZ_4K } }, 0, 0,
	  { { SZ_1M + SZ_4K, SZ_4K }, { SZ_1M, SZ_4K } } },
	{ "the same page twice", { { SZ_1M, SZ_4K }, { SZ_1M, SZ_4K } }, 0, 0,
	  { { SZ_1M, SZ_4K }, { SZ_1M, SZ_4K } } },
	{ "a part", { { SZ_1M, SZ_64K }, { SZ_1G, SZ_64K } }, SZ_32K, SZ_64K,
	  { { SZ_1M + SZ_32K, SZ_32K }, { SZ_1G, SZ_32K } } },
	{ "a part of one", { { SZ_1M, SZ_64K }, { SZ_1G, SZ_64K } }, SZ_64K + SZ_4K, SZ_4K,
	  { { SZ_1G + SZ_4K, SZ_4K } } },
	{ "the longest", { { SZ_4G, LIST_MAX_LEN } }, 0, 0, { { SZ_4G, LIST_MAX_LEN } } },
	{ "a page longer", { { SZ_4G, SZ_4G } }, 0, 0,
	  { { SZ_4G, LIST_MAX_LEN }, { SZ_4G + LIST_MAX_LEN, SZ_4K } } },
	{ "longer, with a neighbour", { { SZ_4G, SZ_4G }, { 2ull * SZ_4G, SZ_4G } }, 0, 0,
	  { { SZ_4G, LIST_MAX_LEN }, { SZ_4G + LIST_MAX_LEN, LIST_MAX_LEN },
	    { SZ_4G + 2 * LIST_MAX_LEN, SZ_8K } } },
	{ "longer, and others", { { SZ_1M, SZ_4K }, { SZ_4G, SZ_4G + SZ_64K }, { SZ_1G, SZ_4K } },
	  0, 0, { { SZ_1M, SZ_4K }, { SZ_4G, LIST_MAX_LEN },
		  { SZ_4G + LIST_MAX_LEN, SZ_64K + SZ_4K }, { SZ_1G, SZ_4K } } },
};

static void list_case_desc(const struct list_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(list_case, list_cases, list_case_desc);

/* Entries are merged where segments touch, and cut where they are too long. */
static void list_has_what_is_mapped(struct kunit *test)
{
	const struct list_case *c = test->param_value;
	struct drm_gpupt *gpt = list_create(test, NULL);
	unsigned int segs = 0, want = 0, i;
	struct drm_gpupt_kunit_mem *mem;
	struct drm_gpupt_info info;
	u64 len;

	while (segs < ARRAY_SIZE(c->seg) && c->seg[segs].len)
		segs++;
	while (want < ARRAY_SIZE(c->want) && c->want[want].len)
		want++;
	mem = drm_gpupt_kunit_mem(test, c->seg, segs);
	len = c->len ?: mem->size - c->offset;

	KUNIT_EXPECT_NULL(test, drm_gpupt_root(gpt));
	/* Once more, to see that nothing is left of the first time. */
	for (i = 0; i < 2; i++) {
		list_check(test, gpt, NULL, 0);
		KUNIT_ASSERT_EQ(test, 0, list_map(gpt, mem, c->offset, len));
		list_check(test, gpt, c->want, want);
		KUNIT_EXPECT_EQ(test, 0, drm_gpupt_get_info(gpt, &info));
		KUNIT_EXPECT_EQ(test, info.mapped, len);
		KUNIT_EXPECT_EQ(test, info.leaves[0], want);
		KUNIT_ASSERT_EQ(test, 0, list_unmap(gpt, len));
	}
	list_check(test, gpt, NULL, 0);
}

/* So many segments of a page that do not touch, and the list of them. */
static struct drm_gpupt_kunit_mem *list_scattered(struct kunit *test, unsigned int nr,
						  struct list_want **want)
{
	struct drm_dma_seg *seg = kvcalloc(nr, sizeof(*seg), GFP_KERNEL);
	struct drm_gpupt_kunit_mem *mem;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, seg);
	*want = kunit_kcalloc(test, nr, sizeof(**want), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, *want);
	for (i = 0; i < nr; i++) {
		seg[i].addr = SZ_1G + (u64)i * SZ_8K;
		seg[i].len = SZ_4K;
		(*want)[i] = (struct list_want) { seg[i].addr, seg[i].len };
	}
	mem = drm_gpupt_kunit_mem(test, seg, nr);
	kvfree(seg);
	return mem;
}

/* A list of several pages, and as many pages as it takes: no more than that. */
static void list_has_exactly_its_pages(struct kunit *test)
{
	static const unsigned int nr[] = { 1, 255, 256, 257, 511, 512, 513 };
	struct drm_gpupt *gpt = list_create(test, NULL);
	struct list_want *want;
	struct drm_gpupt_kunit_mem *mem = list_scattered(test, 513, &want);
	const struct drm_dma_view view = drm_gpupt_kunit_view(mem);
	struct drm_gpupt_info empty, info;
	struct drm_gpupt_op op = {};
	unsigned int i;

	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_get_info(gpt, &empty));
	for (i = 0; i < ARRAY_SIZE(nr); i++) {
		u64 len = nr[i] * (u64)SZ_4K;
		unsigned int pages = DIV_ROUND_UP(nr[i], LIST_PER_PAGE);

		KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_map(gpt, &op, 0, len, view, 0, 0));
		KUNIT_EXPECT_EQ(test, drm_gpupt_op_tables(&op), pages);
		KUNIT_ASSERT_EQ(test, 0, drm_gpupt_abort(&op));
		KUNIT_EXPECT_EQ(test, 0, drm_gpupt_get_info(gpt, &info));
		KUNIT_EXPECT_EQ(test, info.tables, empty.tables);

		KUNIT_ASSERT_EQ(test, 0, list_map(gpt, mem, 0, len));
		KUNIT_EXPECT_EQ(test, 0, drm_gpupt_get_info(gpt, &info));
		KUNIT_EXPECT_EQ(test, info.tables, empty.tables + pages);
		list_check(test, gpt, want, nr[i]);
		KUNIT_ASSERT_EQ(test, 0, list_unmap(gpt, len));
		KUNIT_EXPECT_EQ(test, 0, drm_gpupt_get_info(gpt, &info));
		KUNIT_EXPECT_EQ(test, info.tables, empty.tables);
	}
}

/* 16384 entries, and not one more. */
static void list_takes_as_many_entries_as_allowed(struct kunit *test)
{
	struct drm_gpupt *gpt = list_create(test, NULL);
	struct list_want *want;
	struct drm_gpupt_kunit_mem *mem = list_scattered(test, LIST_MAX + 1, &want);
	struct drm_gpupt_info info;

	KUNIT_EXPECT_EQ(test, -E2BIG, list_map(gpt, mem, 0, (LIST_MAX + 1) * (u64)SZ_4K));
	list_check(test, gpt, NULL, 0);
	KUNIT_ASSERT_EQ(test, 0, list_map(gpt, mem, 0, LIST_MAX * (u64)SZ_4K));
	list_check(test, gpt, want, LIST_MAX);
	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_get_info(gpt, &info));
	KUNIT_EXPECT_EQ(test, info.leaves[0], LIST_MAX);
	KUNIT_EXPECT_EQ(test, info.mapped, LIST_MAX * (u64)SZ_4K);
}

/* As a whole, from VA 0, or not at all. */
static void list_is_mapped_as_a_whole(struct kunit *test)
{
	struct drm_gpupt *gpt = list_create(test, NULL);
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_block(test, SZ_1G, SZ_64K);
	const struct drm_dma_view view = drm_gpupt_kunit_view(mem);
	const struct list_want want = { SZ_1G, SZ_64K };
	struct drm_gpupt_op op = {};

	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			drm_gpupt_prepare_map(gpt, &op, SZ_4K, SZ_4K, view, 0, 0));
	KUNIT_EXPECT_EQ(test, -ENOENT, drm_gpupt_prepare_unmap(gpt, &op, 0, SZ_64K));
	KUNIT_EXPECT_EQ(test, -ERANGE, drm_gpupt_prepare_map(gpt, &op, 0, SZ_128K, view, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gpupt_prepare_map(gpt, &op, 0, SZ_4K + 1, view, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gpupt_prepare_map(gpt, &op, 0, SZ_4K, view, 1, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gpupt_prepare_map(gpt, &op, 0, 0, view, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_gpupt_prepare_map(gpt, &op, 0, SZ_4K, view, 0,
							     DRM_GPUPT_WRITE));

	KUNIT_ASSERT_EQ(test, 0, list_map(gpt, mem, 0, SZ_64K));
	KUNIT_EXPECT_EQ(test, -EEXIST, drm_gpupt_prepare_map(gpt, &op, 0, SZ_4K, view, 0, 0));
	KUNIT_EXPECT_EQ(test, -EEXIST, drm_gpupt_prepare_map(gpt, &op, SZ_64K, SZ_4K, view, 0, 0));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, drm_gpupt_prepare_unmap(gpt, &op, 0, SZ_32K));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, drm_gpupt_prepare_unmap(gpt, &op, SZ_4K, SZ_32K));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, drm_gpupt_prepare_unmap(gpt, &op, 0, SZ_128K));
	list_check(test, gpt, &want, 1);
}

/* An address that is none of a page's. */
static void list_refuses_misaligned_memory(struct kunit *test)
{
	struct drm_gpupt *gpt = list_create(test, NULL);
	const struct drm_dma_seg seg[] = { { SZ_1G, SZ_4K }, { SZ_1M + 512, SZ_4K } };
	const struct drm_dma_seg half[] = { { SZ_1G, SZ_2K }, { SZ_1M, SZ_4K + SZ_2K } };

	KUNIT_EXPECT_EQ(test, -EINVAL, list_map(gpt, drm_gpupt_kunit_mem(test, seg, 2), 0, SZ_8K));
	KUNIT_EXPECT_EQ(test, -EINVAL, list_map(gpt, drm_gpupt_kunit_mem(test, half, 2), 0, SZ_8K));
	list_check(test, gpt, NULL, 0);
	KUNIT_EXPECT_EQ(test, 0, list_map(gpt, drm_gpupt_kunit_mem(test, seg, 2), 0, SZ_4K));
}

/* Several at a time: the next list is planned while the one before is there. */
static void list_operations_in_flight(struct kunit *test)
{
	struct drm_gpupt *gpt = list_create(test, NULL);
	struct drm_gpupt_kunit_mem *first = drm_gpupt_kunit_block(test, SZ_1G, SZ_64K);
	struct drm_gpupt_kunit_mem *second = drm_gpupt_kunit_block(test, SZ_2G, SZ_32K);
	const struct list_want want = { SZ_2G, SZ_32K };
	struct drm_gpupt_op op[4] = {};
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_map(gpt, &op[0], 0, SZ_64K,
						       drm_gpupt_kunit_view(first), 0, 0));
	KUNIT_EXPECT_EQ(test, -EEXIST, drm_gpupt_prepare_map(gpt, &op[1], 0, SZ_32K,
							     drm_gpupt_kunit_view(second), 0, 0));
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_unmap(gpt, &op[1], 0, SZ_64K));
	KUNIT_EXPECT_EQ(test, -ENOENT, drm_gpupt_prepare_unmap(gpt, &op[2], 0, SZ_64K));
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_map(gpt, &op[2], 0, SZ_32K,
						       drm_gpupt_kunit_view(second), 0, 0));
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_prepare_unmap(gpt, &op[3], 0, SZ_32K));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_gpupt_abort(&op[2]));
	KUNIT_ASSERT_EQ(test, 0, drm_gpupt_abort(&op[3]));
	/* Of the same length as before the abort. */
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, drm_gpupt_prepare_unmap(gpt, &op[3], 0, SZ_64K));

	drm_gpupt_commit_map(&op[0], drm_gpupt_kunit_view(first));
	drm_gpupt_commit(&op[1]);
	drm_gpupt_commit_map(&op[2], drm_gpupt_kunit_view(second));
	for (i = 0; i < 3; i++)
		drm_gpupt_op_fini(&op[i]);
	list_check(test, gpt, &want, 1);
}

struct list_walk {
	const struct list_want *want;
	u64 va;
};

static int list_check_run(void *arg, const struct drm_gpupt_run *run)
{
	struct list_walk *walk = arg;

	if (run->va != walk->va || run->seg.addr != walk->want->addr ||
	    run->seg.len != walk->want->len)
		return -EPROTO;
	walk->va += run->seg.len;
	walk->want++;
	return 0;
}

/* A walk merges what the length of an entry has cut. */
static void list_can_be_walked(struct kunit *test)
{
	struct drm_gpupt *gpt = list_create(test, NULL);
	const struct drm_dma_seg seg[] = {
		{ SZ_1G, SZ_8K }, { SZ_4G, SZ_4G + SZ_4K }, { SZ_1M, SZ_64K },
	};
	static const struct list_want want[] = {
		{ SZ_1G + SZ_4K, SZ_4K }, { SZ_4G, SZ_4G + SZ_4K }, { SZ_1M, SZ_32K },
	};
	struct drm_gpupt_kunit_mem *mem = drm_gpupt_kunit_mem(test, seg, ARRAY_SIZE(seg));
	struct list_walk walk = { .want = want, .va = SZ_4K };

	KUNIT_EXPECT_EQ(test, -EFAULT, drm_gpupt_walk(gpt, 0, SZ_4K, list_check_run, &walk));
	KUNIT_ASSERT_EQ(test, 0, list_map(gpt, mem, 0, mem->size));
	KUNIT_EXPECT_EQ(test, 0, drm_gpupt_walk(gpt, SZ_4K, mem->size - SZ_4K - SZ_32K,
						list_check_run, &walk));
	KUNIT_EXPECT_PTR_EQ(test, walk.want, &want[ARRAY_SIZE(want)]);

	walk.want = want;
	walk.va = SZ_4K;
	KUNIT_EXPECT_EQ(test, -EFAULT,
			drm_gpupt_walk(gpt, mem->size, SZ_4K, list_check_run, &walk));
	KUNIT_EXPECT_PTR_EQ(test, walk.want, &want[0]);
}

/* A list can have a device that maps its pages, and ends with it. */
static void list_of_a_device(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct drm_gpupt *gpt = list_create(test, d->sdev);
	struct list_want *want;
	struct drm_gpupt_kunit_mem *mem = list_scattered(test, LIST_PER_PAGE + 1, &want);

	KUNIT_EXPECT_NULL(test, drm_gpupt_root(gpt));
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(d->sdev).mapped, 0);
	KUNIT_ASSERT_EQ(test, 0, list_map(gpt, mem, 0, mem->size));
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(d->sdev).bytes_mapped, 2 * PAGE_SIZE);
	list_check(test, gpt, want, LIST_PER_PAGE + 1);

	drm_sgt_kunit_unbind(d);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(d->sdev).mapped, 0);
	KUNIT_EXPECT_EQ(test, -ENODEV, list_unmap(gpt, mem->size));
}

static struct kunit_case drm_gpupt_list_cases[] = {
	KUNIT_CASE_PARAM(list_has_what_is_mapped, list_case_gen_params),
	KUNIT_CASE(list_has_exactly_its_pages),
	KUNIT_CASE(list_takes_as_many_entries_as_allowed),
	KUNIT_CASE(list_is_mapped_as_a_whole),
	KUNIT_CASE(list_refuses_misaligned_memory),
	KUNIT_CASE(list_operations_in_flight),
	KUNIT_CASE(list_can_be_walked),
	KUNIT_CASE(list_of_a_device),
	{}
};

static struct kunit_suite drm_gpupt_list_suite = {
	.name = "drm_gpupt_list",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gpupt_list_cases,
};

kunit_test_suite(drm_gpupt_list_suite);
