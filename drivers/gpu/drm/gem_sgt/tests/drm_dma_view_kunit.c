// SPDX-License-Identifier: GPL-2.0

#include <linux/sizes.h>

#include "drm_sgt_kunit_helpers.h"

/*
 * The walk over DMA segments against an oracle without segments, which has the address
 * of each byte of a table. So the tables are tiny, and the lengths of their entries are
 * no multiples of a page; the walk does not depend on that.
 */

#define VIEW_ENTS	8
#define VIEW_BYTES	64

/* Addresses and lengths that a walk must not meet. */
#define VIEW_POISON_ADDR	((dma_addr_t)0xdead0000dead0000ULL)
#define VIEW_POISON_LEN		0xdead

struct view_ent {
	dma_addr_t addr;
	unsigned int len;
};

struct view_table {
	const char *name;
	unsigned int nents;
	/* entries of the list; those after nents are poison unless @ent has them */
	unsigned int ents;
	/* orig_nents is 0 */
	bool no_cpu_list;
	struct view_ent ent[VIEW_ENTS];
};

/* A mapped table, as another driver would pass it on. */
struct view_fixture {
	struct sg_table table;
	unsigned int ents;
};

static void view_fixture_free(void *data)
{
	struct view_fixture *f = data;

	/* sg_free_table() needs the real numbers, whatever the case has set. */
	f->table.nents = f->ents;
	f->table.orig_nents = f->ents;
	sg_free_table(&f->table);
}

/* @ents entries, the first @nents of them from @ent, the others poison. */
static struct sg_table *view_fixture_create(struct kunit *test,
					    const struct view_ent *ent,
					    unsigned int given,
					    unsigned int nents, unsigned int ents)
{
	struct view_fixture *f;
	struct scatterlist *sg;
	unsigned int i;

	f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f);
	f->ents = ents ?: 1;
	KUNIT_ASSERT_EQ(test, 0, sg_alloc_table(&f->table, f->ents, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, view_fixture_free, f));

	for_each_sg(f->table.sgl, sg, f->ents, i) {
		sg_dma_address(sg) = i < given ? ent[i].addr : VIEW_POISON_ADDR;
		sg_dma_len(sg) = i < given ? ent[i].len : VIEW_POISON_LEN;
	}
	f->table.nents = nents;
	return &f->table;
}

/* The oracle: fills @addr with the address of each byte, returns their number. */
static unsigned int view_bytes(const struct view_ent *ent, unsigned int nents,
			       u64 *addr, unsigned int max)
{
	unsigned int i, k, n = 0;

	for (i = 0; i < nents; i++)
		for (k = 0; k < ent[i].len && n < max; k++)
			addr[n++] = ent[i].addr + k;
	return n;
}

/* Does a segment end between two bytes? Yes unless they are adjacent, and on a wrap. */
static bool view_is_cut(u64 addr, u64 next)
{
	return next != addr + 1 || !next;
}

/* Walk a range, and compare each byte of each segment with the oracle. */
static void view_check_range(struct kunit *test, const struct drm_dma_view view,
			     const u64 *addr, u64 offset, u64 len)
{
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	u64 k, done = 0;

	KUNIT_ASSERT_EQ_MSG(test, 0, drm_dma_iter_init(&iter, view, offset, len),
			    "%llu bytes at %llu", len, offset);
	while (drm_dma_iter_next(&iter, &seg)) {
		KUNIT_ASSERT_GT(test, seg.len, 0);
		KUNIT_ASSERT_LE_MSG(test, seg.len, len - done,
				    "%llu bytes at %llu: too long", len, offset);
		for (k = 0; k < seg.len; k++)
			if (seg.addr + k != addr[offset + done + k])
				KUNIT_FAIL_AND_ABORT(test,
						     "%llu bytes at %llu: byte %llu is %#llx, not %#llx",
						     len, offset, done + k,
						     (u64)seg.addr + k,
						     addr[offset + done + k]);
		done += seg.len;
		if (done < len)
			KUNIT_EXPECT_TRUE_MSG(test,
					      view_is_cut(addr[offset + done - 1],
							  addr[offset + done]),
					      "%llu bytes at %llu: neighbours not merged at %llu",
					      len, offset, done);
		for (k = 1; k < seg.len; k++)
			if (view_is_cut(seg.addr + k - 1, seg.addr + k))
				KUNIT_FAIL_AND_ABORT(test, "a segment wraps");
	}
	KUNIT_EXPECT_EQ_MSG(test, done, len, "%llu bytes at %llu", len, offset);
	/* After the end, there is still no segment. */
	KUNIT_EXPECT_FALSE(test, drm_dma_iter_next(&iter, &seg));
}

/* The same by blocks, and by segments where an entry is not a block. */
static void view_check_blocks(struct kunit *test, const struct drm_dma_view view,
			      const u64 *addr, u64 offset, u64 len, unsigned int shift)
{
	struct drm_dma_iter iter;
	dma_addr_t block[3];
	u64 done = 0;

	KUNIT_ASSERT_EQ(test, 0, drm_dma_iter_init(&iter, view, offset, len));
	for (;;) {
		unsigned int i, nr = drm_dma_iter_next_blocks(&iter, shift, block, 3);
		struct drm_dma_seg seg = { .len = BIT(shift) };
		u64 k;

		KUNIT_ASSERT_LE(test, nr, 3);
		if (!nr && !drm_dma_iter_next(&iter, &seg))
			break;
		for (i = 0; i < max(nr, 1); i++) {
			if (nr)
				seg.addr = block[i];
			KUNIT_ASSERT_LE(test, seg.len, len - done);
			for (k = 0; k < seg.len; k++, done++)
				if (seg.addr + k != addr[offset + done])
					KUNIT_FAIL_AND_ABORT(test, "%llu bytes at %llu: byte %llu",
							     len, offset, done);
		}
	}
	KUNIT_EXPECT_EQ_MSG(test, done, len, "%llu bytes at %llu", len, offset);
}

/* Every range that fits, and every range that is one byte too long. */
static void view_check_all(struct kunit *test, const struct drm_dma_view view,
			   const u64 *addr, u64 size)
{
	struct drm_dma_iter iter;
	u64 offset, len;

	KUNIT_ASSERT_EQ(test, drm_dma_view_size(view), size);
	if (size)
		KUNIT_EXPECT_EQ(test, drm_dma_view_first(view), addr[0]);
	for (offset = 0; offset <= size; offset++) {
		for (len = 0; len <= size - offset; len++) {
			view_check_range(test, view, addr, offset, len);
			view_check_blocks(test, view, addr, offset, len, len % 4);
		}
		KUNIT_EXPECT_EQ(test, -ERANGE,
				drm_dma_iter_init(&iter, view, offset,
						  size - offset + 1));
	}
	KUNIT_EXPECT_EQ(test, -ERANGE, drm_dma_iter_init(&iter, view, size + 1, 0));
}

static const struct view_table view_tables[] = {
	{ "one segment", 1, 1, false, { { 0x1000, 9 } } },
	{ "segments apart", 3, 3, false, { { 0x1000, 4 }, { 0x3000, 5 }, { 0x2000, 6 } } },
	{ "neighbours", 2, 2, false, { { 0x1000, 8 }, { 0x1008, 8 } } },
	{ "neighbours among others", 5, 5, false,
	  { { 0x9000, 3 }, { 0x1000, 4 }, { 0x1004, 4 }, { 0x1008, 4 }, { 0x500, 2 } } },
	{ "neighbours in the wrong order", 2, 2, false, { { 0x1008, 8 }, { 0x1000, 8 } } },
	{ "the same segment twice", 2, 2, false, { { 0x1000, 8 }, { 0x1000, 8 } } },
	{ "a byte apart", 2, 2, false, { { 0x1000, 8 }, { 0x1009, 8 } } },
	{ "a byte over each other", 2, 2, false, { { 0x1000, 8 }, { 0x1007, 8 } } },
	{ "fewer nents, then poison", 2, 5, false, { { 0x1000, 8 }, { 0x4000, 8 } } },
	{ "fewer nents, then what would go on", 2, 4, false,
	  { { 0x1000, 8 }, { 0x4000, 8 }, { 0x4008, 8 }, { 0x4010, 8 } } },
	{ "no CPU list", 2, 2, true, { { 0x1000, 8 }, { 0x4000, 8 } } },
	{ "no CPU list, fewer nents", 1, 3, true, { { 0x1000, 8 } } },
	{ "empty entries at the end", 4, 4, false, { { 0x1000, 8 }, { 0x4000, 8 } } },
	{ "empty entry at the start", 2, 2, false, { { 0x7000, 0 }, { 0x4000, 8 } } },
	{ "empty entry in the middle", 3, 3, false,
	  { { 0x1000, 8 }, { 0x7000, 0 }, { 0x4000, 8 } } },
	{ "empty entry between neighbours", 3, 3, false,
	  { { 0x1000, 8 }, { 0x7000, 0 }, { 0x1008, 8 } } },
	{ "only empty entries", 3, 3, false, { } },
	{ "no entries", 0, 2, false, { } },
	{ "address 0", 2, 2, false, { { 0, 8 }, { 8, 8 } } },
	{ "up to the last address", 2, 2, false, { { -16ULL, 8 }, { -8ULL, 8 } } },
	{ "wrap at the last address", 2, 2, false, { { -8ULL, 8 }, { 0, 8 } } },
	{ "over 32 bits", 2, 2, false, { { SZ_4G - 8, 8 }, { SZ_4G, 8 } } },
};

static void view_table_desc(const struct view_table *t, char *desc)
{
	strscpy(desc, t->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(view_table, view_tables, view_table_desc);

/* The number of entries that @t has: those after nents count if they are not zero. */
static unsigned int view_table_given(const struct view_table *t)
{
	unsigned int given = t->ents;

	while (given > t->nents && !t->ent[given - 1].len)
		given--;
	return given;
}

/*
 * Every range of every table: the segments have exactly the bytes of the range, in
 * order, and are merged where they touch. A range that is a byte too long is refused.
 */
static void view_walks_exactly_the_range(struct kunit *test)
{
	const struct view_table *t = test->param_value;
	struct sg_table *table;
	u64 addr[VIEW_BYTES];
	unsigned int n;

	table = view_fixture_create(test, t->ent, view_table_given(t), t->nents,
				    t->ents);
	if (t->no_cpu_list)
		table->orig_nents = 0;
	n = view_bytes(t->ent, t->nents, addr, ARRAY_SIZE(addr));
	view_check_all(test, drm_dma_view_borrow(table), addr, n);
}

struct view_bad_range {
	u64 offset;
	u64 len;
};

/* Ranges whose end does not fit into 64 bits are refused, and not wrapped. */
static void view_refuses_ranges_that_overflow(struct kunit *test)
{
	static const struct view_ent ent[] = { { 0x1000, 16 }, { 0x8000, 16 } };
	static const struct view_bad_range bad[] = {
		{ 1, U64_MAX }, { U64_MAX, 1 }, { U64_MAX, U64_MAX },
		{ 32, U64_MAX - 31 }, { U64_MAX - 15, 32 }, { BIT_ULL(63), BIT_ULL(63) },
		{ 0, U64_MAX }, { U64_MAX, 0 },
	};
	struct sg_table *table = view_fixture_create(test, ent, 2, 2, 2);
	const struct drm_dma_view view = drm_dma_view_borrow(table);
	struct drm_dma_iter iter;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, -ERANGE,
				    drm_dma_iter_init(&iter, view, bad[i].offset,
						      bad[i].len),
				    "%llu bytes at %llu", bad[i].len, bad[i].offset);
}

/*
 * Lengths are added up in 64 bits: three adjacent entries of almost 4 GiB are one
 * segment of almost 12 GiB, and a range in it may begin and end anywhere.
 */
static void view_adds_up_beyond_4g(struct kunit *test)
{
	const u64 len = UINT_MAX & PAGE_MASK, base = SZ_1G;
	const struct view_ent ent[] = {
		{ base, len }, { base + len, len }, { base + 2 * len, len },
		{ 16 * (u64)SZ_4G, len },
	};
	struct sg_table *table = view_fixture_create(test, ent, 4, 4, 6);
	const struct drm_dma_view view = drm_dma_view_borrow(table);
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;

	KUNIT_ASSERT_EQ(test, drm_dma_view_size(view), 4 * len);

	KUNIT_ASSERT_EQ(test, 0, drm_dma_iter_init(&iter, view, 0, 4 * len));
	KUNIT_ASSERT_TRUE(test, drm_dma_iter_next(&iter, &seg));
	KUNIT_EXPECT_EQ(test, seg.addr, base);
	KUNIT_EXPECT_EQ(test, seg.len, 3 * len);
	KUNIT_ASSERT_TRUE(test, drm_dma_iter_next(&iter, &seg));
	KUNIT_EXPECT_EQ(test, seg.addr, 16 * (u64)SZ_4G);
	KUNIT_EXPECT_EQ(test, seg.len, len);
	KUNIT_EXPECT_FALSE(test, drm_dma_iter_next(&iter, &seg));

	KUNIT_ASSERT_EQ(test, 0, drm_dma_iter_init(&iter, view, len + 5, 2 * len));
	KUNIT_ASSERT_TRUE(test, drm_dma_iter_next(&iter, &seg));
	KUNIT_EXPECT_EQ(test, seg.addr, base + len + 5);
	KUNIT_EXPECT_EQ(test, seg.len, 2 * len - 5);
	KUNIT_ASSERT_TRUE(test, drm_dma_iter_next(&iter, &seg));
	KUNIT_EXPECT_EQ(test, seg.addr, 16 * (u64)SZ_4G);
	KUNIT_EXPECT_EQ(test, seg.len, 5);
	KUNIT_EXPECT_FALSE(test, drm_dma_iter_next(&iter, &seg));

	KUNIT_EXPECT_EQ(test, -ERANGE, drm_dma_iter_init(&iter, view, len, 3 * len + 1));
}

/*
 * In physical mode, addresses and lengths come from the pages, with the offset into the
 * page. The DMA fields are ignored.
 */
static void view_walks_physical_addresses(struct kunit *test)
{
	static const struct { unsigned long pfn; unsigned int offset, len; } ent[] = {
		{ 0x100, 0, 8 }, { 0x200, PAGE_SIZE - 8, 8 }, { 0x201, 0, 8 },
		{ DRM_SGT_KUNIT_HIGH_PFN, 16, 4 },
	};
	struct sg_table *table = view_fixture_create(test, NULL, 0, 0, ARRAY_SIZE(ent));
	struct drm_dma_view view = {
		.sgl = table->sgl,
		.size = 28,
		.nents = ARRAY_SIZE(ent),
		.phys = true,
	};
	unsigned int i, k, n = 0;
	struct scatterlist *sg;
	u64 addr[28];

	for_each_sgtable_sg(table, sg, i) {
		sg_set_page(sg, pfn_to_page(ent[i].pfn), ent[i].len, ent[i].offset);
		sg_dma_address(sg) = VIEW_POISON_ADDR;
		for (k = 0; k < ent[i].len; k++)
			addr[n++] = PFN_PHYS(ent[i].pfn) + ent[i].offset + k;
	}
	view_check_all(test, view, addr, n);
}

/* Entries of any length, often adjacent to the one before, sometimes empty. */
static unsigned int view_random_ents(struct rnd_state *rnd, struct view_ent *ent,
				     unsigned int nents)
{
	dma_addr_t next = drm_sgt_kunit_below(rnd, 1000);
	unsigned int i, size = 0;

	for (i = 0; i < nents; i++) {
		if (drm_sgt_kunit_below(rnd, 2))
			next = drm_sgt_kunit_below(rnd, 1000);
		ent[i].addr = next;
		ent[i].len = drm_sgt_kunit_below(rnd, 4) ? drm_sgt_kunit_below(rnd, 9) : 0;
		next += ent[i].len;
		size += ent[i].len;
	}
	return size;
}

/* Every range of a thousand random tables, with a random nents. */
static void view_walks_random_tables(struct kunit *test)
{
	struct view_ent ent[VIEW_ENTS];
	const unsigned int max = VIEW_ENTS * 8;
	struct rnd_state rnd;
	unsigned int round;
	u64 *addr;

	drm_sgt_kunit_seed(test, &rnd);
	addr = kunit_kmalloc_array(test, max, sizeof(*addr), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, addr);
	for (round = 0; round < 1000; round++) {
		unsigned int ents = 1 + drm_sgt_kunit_below(&rnd, VIEW_ENTS);
		unsigned int nents = drm_sgt_kunit_below(&rnd, ents + 1);
		struct view_fixture f = { .ents = ents };
		struct scatterlist *sg;
		unsigned int i, n;

		view_random_ents(&rnd, ent, ents);
		KUNIT_ASSERT_EQ(test, 0, sg_alloc_table(&f.table, ents, GFP_KERNEL));
		for_each_sgtable_sg(&f.table, sg, i) {
			sg_dma_address(sg) = ent[i].addr;
			sg_dma_len(sg) = ent[i].len;
		}
		f.table.nents = nents;
		n = view_bytes(ent, nents, addr, max);
		view_check_all(test, drm_dma_view_borrow(&f.table), addr, n);
		view_fixture_free(&f);
	}
}

#define VIEW_LONG_ENTS	1000

/*
 * A table of several chained lists, as all but tiny tables are: random ranges, from any
 * entry to any other.
 */
static void view_walks_chained_lists(struct kunit *test)
{
	struct view_ent *ent = kunit_kcalloc(test, VIEW_LONG_ENTS, sizeof(*ent), GFP_KERNEL);
	u64 *addr = kunit_kcalloc(test, VIEW_LONG_ENTS * 8, sizeof(*addr), GFP_KERNEL);
	struct sg_table *table;
	struct rnd_state rnd;
	unsigned int round;
	u32 n;

	KUNIT_ASSERT_NOT_NULL(test, ent);
	KUNIT_ASSERT_NOT_NULL(test, addr);

	drm_sgt_kunit_seed(test, &rnd);
	view_random_ents(&rnd, ent, VIEW_LONG_ENTS);
	n = view_bytes(ent, VIEW_LONG_ENTS, addr, VIEW_LONG_ENTS * 8);
	table = view_fixture_create(test, ent, VIEW_LONG_ENTS, VIEW_LONG_ENTS,
				    VIEW_LONG_ENTS + 1);

	for (round = 0; round < 500; round++) {
		u32 offset = drm_sgt_kunit_below(&rnd, n + 1);
		u32 len = drm_sgt_kunit_below(&rnd, n - offset + 1);

		view_check_range(test, drm_dma_view_borrow(table), addr, offset, len);
		view_check_blocks(test, drm_dma_view_borrow(table), addr, offset, len, round % 4);
	}
}

/* Take as many blocks as there are, or as fit, and stop at an entry that is not one. */
static void view_takes_as_many_blocks_as_it_can(struct kunit *test)
{
	const struct view_ent ent[] = {
		{ 0x1000, 8 }, { 0x3000, 8 }, { 0x2000, 8 }, { 0x5000, 16 }, { 0x7000, 8 },
	};
	struct sg_table *table = view_fixture_create(test, ent, 5, 5, 5);
	const struct drm_dma_view view = drm_dma_view_borrow(table);
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	dma_addr_t block[4];

	KUNIT_ASSERT_EQ(test, 0, drm_dma_iter_init(&iter, view, 0, 48));
	KUNIT_EXPECT_EQ(test, 0, drm_dma_iter_next_blocks(&iter, 3, block, 0));
	KUNIT_EXPECT_EQ(test, 2, drm_dma_iter_next_blocks(&iter, 3, block, 2));
	KUNIT_EXPECT_EQ(test, block[0], 0x1000);
	KUNIT_EXPECT_EQ(test, block[1], 0x3000);
	KUNIT_EXPECT_EQ(test, 1, drm_dma_iter_next_blocks(&iter, 3, block, 4));
	KUNIT_EXPECT_EQ(test, block[0], 0x2000);
	KUNIT_EXPECT_EQ(test, 0, drm_dma_iter_next_blocks(&iter, 3, block, 4));
	KUNIT_ASSERT_TRUE(test, drm_dma_iter_next(&iter, &seg));
	KUNIT_EXPECT_EQ(test, seg.addr, 0x5000);
	KUNIT_EXPECT_EQ(test, 1, drm_dma_iter_next_blocks(&iter, 3, block, 4));
	KUNIT_EXPECT_EQ(test, block[0], 0x7000);
	KUNIT_EXPECT_EQ(test, 0, drm_dma_iter_next_blocks(&iter, 3, block, 4));
	KUNIT_EXPECT_FALSE(test, drm_dma_iter_next(&iter, &seg));

	/* Half of the last entry is not a block, and neither is the rest of the first. */
	KUNIT_ASSERT_EQ(test, 0, drm_dma_iter_init(&iter, view, 4, 16));
	KUNIT_EXPECT_EQ(test, 0, drm_dma_iter_next_blocks(&iter, 3, block, 4));
	KUNIT_ASSERT_TRUE(test, drm_dma_iter_next(&iter, &seg));
	KUNIT_EXPECT_EQ(test, seg.addr, 0x1004);
	KUNIT_EXPECT_EQ(test, 1, drm_dma_iter_next_blocks(&iter, 3, block, 4));
	KUNIT_EXPECT_EQ(test, block[0], 0x3000);
	KUNIT_EXPECT_EQ(test, 0, drm_dma_iter_next_blocks(&iter, 3, block, 4));
	KUNIT_ASSERT_TRUE(test, drm_dma_iter_next(&iter, &seg));
	KUNIT_EXPECT_EQ(test, seg.addr, 0x2000);
	KUNIT_EXPECT_EQ(test, seg.len, 4);
}

/*
 * A borrowed view has the mapped entries of the table: its size is that of nents entries,
 * whatever the CPU list has.
 */
static void view_borrow_counts_nents_only(struct kunit *test)
{
	static const struct view_ent ent[] = { { 0x1000, 16 }, { 0x8000, 32 }, { 0x9000, 64 } };
	struct sg_table *table = view_fixture_create(test, ent, 3, 3, 3);

	KUNIT_EXPECT_EQ(test, drm_dma_view_size(drm_dma_view_borrow(table)), 112);
	table->nents = 2;
	KUNIT_EXPECT_EQ(test, drm_dma_view_size(drm_dma_view_borrow(table)), 48);
	KUNIT_EXPECT_EQ(test, drm_dma_view_borrow(table).nents, 2);
	table->orig_nents = 0;
	KUNIT_EXPECT_EQ(test, drm_dma_view_size(drm_dma_view_borrow(table)), 48);
	table->nents = 0;
	KUNIT_EXPECT_EQ(test, drm_dma_view_size(drm_dma_view_borrow(table)), 0);
}

static struct kunit_case drm_dma_view_cases[] = {
	KUNIT_CASE_PARAM(view_walks_exactly_the_range, view_table_gen_params),
	KUNIT_CASE(view_refuses_ranges_that_overflow),
	KUNIT_CASE(view_adds_up_beyond_4g),
	KUNIT_CASE(view_walks_physical_addresses),
	KUNIT_CASE(view_walks_random_tables),
	KUNIT_CASE(view_walks_chained_lists),
	KUNIT_CASE(view_takes_as_many_blocks_as_it_can),
	KUNIT_CASE(view_borrow_counts_nents_only),
	{}
};

static struct kunit_suite drm_dma_view_suite = {
	.name = "drm_dma_view",
	.test_cases = drm_dma_view_cases,
};

kunit_test_suite(drm_dma_view_suite);
