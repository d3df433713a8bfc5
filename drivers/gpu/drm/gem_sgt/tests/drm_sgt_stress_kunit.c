// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <linux/dma-mapping.h>

#include "drm_sgt_kunit_crew.h"

/*
 * All operations on a table race with the unbind of its device, thousands of times, in
 * random order. The mappings are real, and each table counts its own. Cases that stop one
 * side in the middle, to force an order, are in drm_sgt_races_kunit.c.
 */

#define STRESS_PAGES	3
#define STRESS_TABLES	8
#define STRESS_STORM	3	/* tables in a storm, and threads with them */
#define STRESS_SIZE	(STRESS_PAGES * PAGE_SIZE)

struct stress;

/* A table that is created in each round, and its counters. */
struct stress_table {
	struct stress *f;
	/* these stay over the rounds */
	struct page *page[STRESS_PAGES];
	struct drm_sgt *sgt;
	/* users of @sgt: the last one frees it */
	struct kref users;
	/* mappings that have not ended: 0 or 1 */
	atomic_t live;
	unsigned int maps;
	unsigned int unmaps;
	unsigned int releases;
	atomic_t pages_out;
	/* DMA addresses of the pages; 0 as soon as the mapping begins to end */
	dma_addr_t addr[STRESS_PAGES];
};

/* The context of a job. */
struct stress_hand {
	struct stress *f;
	struct stress_table *t;
	/* what it does to each table, one after the other */
	drm_sgt_kunit_job_fn each;
	struct rnd_state rnd;
};

struct stress {
	struct kunit *test;
	struct drm_sgt_kunit_owner owner;
	struct drm_sgt_kunit_crew *crew;
	struct rnd_state rnd;
	struct stress_table table[STRESS_TABLES];
	unsigned int nr_tables;
	struct stress_hand hand[DRM_SGT_KUNIT_CREW];
	/* a reference to the device that a job drops */
	struct drm_sgt_device *spare;
	/* readers in a section */
	atomic_t inside;
};

/* Source: the pages of a table. */

static int stress_get(void *source, struct drm_sgt_builder *builder, u64 size)
{
	struct stress_table *t = source;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < STRESS_PAGES && !ret; i++) {
		ret = drm_sgt_builder_add(builder, t->page[i], 1);
		if (!ret)
			atomic_inc(&t->pages_out);
	}
	return ret;
}

/* No page may be put while a device can still access it. */
static void stress_put(void *source, const struct drm_sgt_run *runs,
		       unsigned int nr_runs, bool last)
{
	struct stress_table *t = source;

	KUNIT_EXPECT_EQ(t->f->test, atomic_read(&t->live), 0);
	for (; nr_runs--; runs++)
		atomic_sub(runs->nr_pages, &t->pages_out);
}

static void stress_release(void *source)
{
	struct stress_table *t = source;

	KUNIT_EXPECT_EQ(t->f->test, atomic_read(&t->live), 0);
	KUNIT_EXPECT_EQ(t->f->test, atomic_read(&t->pages_out), 0);
	t->releases++;
}

static const struct drm_sgt_pages_ops stress_ops = {
	.name = "stress",
	.get = stress_get,
	.put = stress_put,
	.release = stress_release,
};

/* Stubs that count, and make the real calls. */

static int stress_dma_map(struct drm_sgt *sgt)
{
	struct stress_table *t = sgt->source;
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	ret = dma_map_sgtable(sgt->sdev->dma_dev, &sgt->table, sgt->dir,
			      DMA_ATTR_SKIP_CPU_SYNC);
	if (ret)
		return ret;

	for_each_sgtable_dma_sg(&sgt->table, sg, i)
		WRITE_ONCE(t->addr[i], sg_dma_address(sg));
	t->maps++;
	KUNIT_EXPECT_EQ(t->f->test, atomic_inc_return(&t->live), 1);
	return 0;
}

static void stress_dma_unmap(struct drm_sgt *sgt)
{
	struct stress_table *t = sgt->source;
	unsigned int i;

	for (i = 0; i < STRESS_PAGES; i++)
		WRITE_ONCE(t->addr[i], 0);
	dma_unmap_sgtable(sgt->sdev->dma_dev, &sgt->table, sgt->dir,
			  DMA_ATTR_SKIP_CPU_SYNC);
	t->unmaps++;
	KUNIT_EXPECT_EQ(t->f->test, atomic_dec_return(&t->live), 0);
}

/* A synced address must belong to a mapping that has not begun to end. */
static void stress_check_addr(struct stress *f, dma_addr_t addr)
{
	unsigned int i, k;

	for (i = 0; i < f->nr_tables; i++)
		for (k = 0; k < STRESS_PAGES; k++)
			if (READ_ONCE(f->table[i].addr[k]) == (addr & PAGE_MASK))
				return;
	KUNIT_FAIL(f->test, "sync of %pad, which is not mapped", &addr);
}

static void stress_sync_for_device(struct device *dev, dma_addr_t addr, size_t len,
				   enum dma_data_direction dir)
{
	stress_check_addr(kunit_get_current_test()->priv, addr);
	dma_sync_single_for_device(dev, addr, len, dir);
}

static void stress_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t len,
				enum dma_data_direction dir)
{
	stress_check_addr(kunit_get_current_test()->priv, addr);
	dma_sync_single_for_cpu(dev, addr, len, dir);
}

/* Jobs. Their table, if there is only one, is @hand->t. */

static void stress_free_table(struct kref *kref)
{
	struct stress_table *t = container_of(kref, struct stress_table, users);

	drm_sgt_free(t->sgt);
	t->sgt = NULL;
}

static int stress_last_put(void *arg)
{
	struct stress_hand *hand = arg;

	kref_put(&hand->t->users, stress_free_table);
	return 0;
}

static int stress_map(void *arg)
{
	struct stress_hand *hand = arg;

	return drm_sgt_map(hand->t->sgt, DMA_BIDIRECTIONAL);
}

static int stress_unmap(void *arg)
{
	struct stress_hand *hand = arg;

	return drm_sgt_unmap(hand->t->sgt);
}

/* The table is not mapped again: the result of an unmap stays true. */
static int stress_unmap_for_good(void *arg)
{
	struct stress_hand *hand = arg;
	int ret = stress_unmap(hand);

	KUNIT_EXPECT_EQ(hand->f->test, atomic_read(&hand->t->live), 0);
	return ret;
}

/* Every address of the view must belong to the current mapping. */
static void stress_walk(struct stress_hand *hand, const struct drm_dma_view view)
{
	struct kunit *test = hand->f->test;
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	unsigned int i = 0;

	KUNIT_EXPECT_EQ(test, 0, drm_dma_iter_init(&iter, view, 0, STRESS_SIZE));
	while (drm_dma_iter_next(&iter, &seg))
		for (; seg.len && i < STRESS_PAGES; i++) {
			KUNIT_EXPECT_EQ(test, READ_ONCE(hand->t->addr[i]), seg.addr);
			seg.addr += PAGE_SIZE;
			seg.len -= PAGE_SIZE;
		}
	KUNIT_EXPECT_EQ(test, i, STRESS_PAGES);
}

static int stress_read(void *arg)
{
	struct stress_hand *hand = arg;
	unsigned int n = drm_sgt_kunit_below(&hand->rnd, 20);
	int ret;

	drm_sgt_access_scope(view, hand->t->sgt, ret) {
		atomic_inc(&hand->f->inside);
		do {
			stress_walk(hand, view);
			/* Sections may sleep. */
			cond_resched();
		} while (n--);
		KUNIT_EXPECT_EQ(hand->f->test, atomic_read(&hand->t->live), 1);
		atomic_dec(&hand->f->inside);
	}
	return ret;
}

static int stress_sync(void *arg)
{
	struct stress_hand *hand = arg;

	if (drm_sgt_kunit_below(&hand->rnd, 2))
		return drm_sgt_sync_for_device(hand->t->sgt, 0, STRESS_SIZE);
	return drm_sgt_sync_for_cpu(hand->t->sgt, 0, STRESS_SIZE);
}

static int stress_device_put(void *arg)
{
	struct stress_hand *hand = arg;

	drm_sgt_device_put(hand->f->spare);
	return 0;
}

/* When an unbind returns, no table may be mapped and no section open. */
static int stress_unbind(void *arg)
{
	struct stress_hand *hand = arg;
	struct stress *f = hand->f;
	unsigned int i;

	if (f->owner.sdev)
		drm_sgt_kunit_owner_unbind(&f->owner);
	else
		drm_sgt_kunit_owner_release(&f->owner);
	for (i = 0; i < f->nr_tables; i++)
		KUNIT_EXPECT_EQ(f->test, atomic_read(&f->table[i].live), 0);
	KUNIT_EXPECT_EQ(f->test, atomic_read(&f->inside), 0);
	return 0;
}

static int stress_populate(void *arg)
{
	struct stress_hand *hand = arg;

	return drm_sgt_populate(hand->t->sgt);
}

static int stress_depopulate(void *arg)
{
	struct stress_hand *hand = arg;

	return drm_sgt_depopulate(hand->t->sgt);
}

/* The operations of a storm. One that is listed more often runs more often. */
static const struct stress_op {
	drm_sgt_kunit_job_fn fn;
	/* needs addresses, so fails without a device */
	bool needs_device;
} stress_storm_ops[] = {
	{ stress_map, true }, { stress_map, true }, { stress_map, true },
	{ stress_read, true }, { stress_read, true }, { stress_sync, true },
	{ stress_populate }, { stress_unmap }, { stress_depopulate },
};

/* Run random operations on random tables, and then drop the references to them. */
static int stress_storm(void *arg)
{
	unsigned int i, steps;
	struct stress_hand *hand = arg;
	struct stress *f = hand->f;

	steps = drm_sgt_kunit_below(&hand->rnd, 40);
	while (steps--) {
		const struct stress_op *op;
		bool gone;
		int ret;

		hand->t = &f->table[drm_sgt_kunit_below(&hand->rnd, f->nr_tables)];
		op = &stress_storm_ops[drm_sgt_kunit_below(&hand->rnd,
							   ARRAY_SIZE(stress_storm_ops))];
		gone = drm_sgt_device_is_gone(drm_sgt_get_device(hand->t->sgt));
		ret = op->fn(hand);
		if (ret && ret != -EBUSY && ret != -EINVAL)
			KUNIT_EXPECT_EQ(f->test, ret, -ENODEV);
		/* A table can stay MAPPED a little longer, so that a map succeeds. */
		if (gone && op->needs_device && op->fn != stress_map)
			KUNIT_EXPECT_EQ(f->test, ret, -ENODEV);
		cond_resched();
	}
	for (i = 0; i < f->nr_tables; i++)
		kref_put(&f->table[i].users, stress_free_table);
	return 0;
}

/* Rounds */

static void stress_begin_table(struct stress *f, struct stress_table *t, bool mapped)
{
	struct kunit *test = f->test;

	t->maps = 0;
	t->unmaps = 0;
	t->releases = 0;
	kref_init(&t->users);
	t->sgt = drm_sgt_create(f->owner.sdev, &stress_ops, t, STRESS_SIZE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->sgt);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(t->sgt));
	if (mapped)
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(t->sgt, DMA_BIDIRECTIONAL));
}

/* Expect that all operations on a table have ended, and were balanced. */
static void stress_end_table(struct stress *f, struct stress_table *t)
{
	struct drm_sgt_access access = {};

	if (t->sgt) {
		KUNIT_EXPECT_NE(f->test, drm_sgt_get_state(t->sgt), DRM_SGT_MAPPED);
		KUNIT_EXPECT_EQ(f->test, 0, drm_sgt_populate(t->sgt));
		KUNIT_EXPECT_EQ(f->test, -ENODEV, drm_sgt_map(t->sgt, DMA_BIDIRECTIONAL));
		KUNIT_EXPECT_EQ(f->test, -ENODEV, drm_sgt_access_begin(t->sgt, &access));
		kref_put(&t->users, stress_free_table);
	}
	KUNIT_EXPECT_EQ(f->test, t->maps, t->unmaps);
	KUNIT_EXPECT_EQ(f->test, atomic_read(&t->live), 0);
	KUNIT_EXPECT_EQ(f->test, t->releases, 1);
}

static struct stress_hand *stress_prepare(struct stress *f, unsigned int i)
{
	struct stress_hand *hand = &f->hand[i];

	hand->f = f;
	hand->t = &f->table[0];
	prandom_seed_state(&hand->rnd, prandom_u32_state(&f->rnd));
	return hand;
}

static void stress_free_pages(void *data)
{
	struct stress *f = data;
	unsigned int i, k;

	for (i = 0; i < STRESS_TABLES; i++)
		for (k = 0; k < STRESS_PAGES; k++)
			if (f->table[i].page[k])
				__free_page(f->table[i].page[k]);
}

static struct stress *stress_create(struct kunit *test, unsigned int nr_tables)
{
	struct stress *f = test->priv;
	unsigned int i, k;

	drm_sgt_kunit_seed(test, &f->rnd);
	f->nr_tables = nr_tables;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stress_free_pages, f));
	for (i = 0; i < nr_tables; i++)
		for (k = 0; k < STRESS_PAGES; k++) {
			f->table[i].f = f;
			f->table[i].page[k] = alloc_page(GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, f->table[i].page[k]);
		}
	drm_sgt_kunit_owner_init(&f->owner, test, "stress");
	f->crew = drm_sgt_kunit_crew_create(test);
	/* KUnit finds the newest stub first, so those called most often come last. */
	kunit_activate_static_stub(test, drm_sgt_dma_map, stress_dma_map);
	kunit_activate_static_stub(test, drm_sgt_dma_unmap, stress_dma_unmap);
	kunit_activate_static_stub(test, drm_sgt_dma_sync_for_device, stress_sync_for_device);
	kunit_activate_static_stub(test, drm_sgt_dma_sync_for_cpu, stress_sync_for_cpu);
	return f;
}

/* Do the same to all tables, starting with a random one. */
static int stress_each(void *arg)
{
	struct stress_hand *hand = arg;
	struct stress *f = hand->f;
	unsigned int i, first = drm_sgt_kunit_below(&hand->rnd, f->nr_tables);

	for (i = 0; i < f->nr_tables; i++) {
		int ret;

		hand->t = &f->table[(first + i) % f->nr_tables];
		ret = hand->each(hand);
		if (ret)
			KUNIT_EXPECT_EQ(f->test, ret, -ENODEV);
	}
	return 0;
}

/* An operation, on one table after the other, races with the unbind. */
static const struct stress_pair {
	const char *name;
	drm_sgt_kunit_job_fn fn;
	bool mapped;
} stress_pairs[] = {
	{ "last put", stress_last_put, true },
	{ "map", stress_map, false },
	{ "unmap", stress_unmap_for_good, true },
	{ "reader", stress_read, true },
	{ "sync", stress_sync, true },
};

static void stress_pair_desc(const struct stress_pair *pair, char *desc)
{
	strscpy(desc, pair->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(stress_pair, stress_pairs, stress_pair_desc);

static void stress_pair_vs_unbind(struct kunit *test)
{
	const struct stress_pair *pair = test->param_value;
	struct stress *f = stress_create(test, STRESS_TABLES);
	unsigned int i;

	while (drm_sgt_kunit_crew_again(f->crew, 4000)) {
		struct drm_sgt_kunit_job jobs[] = {
			{ stress_each, stress_prepare(f, 0) },
			{ stress_unbind, stress_prepare(f, 1) },
		};

		f->hand[0].each = pair->fn;
		drm_sgt_kunit_owner_bind(&f->owner);
		for (i = 0; i < STRESS_TABLES; i++)
			stress_begin_table(f, &f->table[i], pair->mapped);
		if (!drm_sgt_kunit_crew_round(f->crew, &f->rnd, jobs, ARRAY_SIZE(jobs)))
			break;
		for (i = 0; i < STRESS_TABLES; i++)
			stress_end_table(f, &f->table[i]);
		drm_sgt_kunit_owner_put(&f->owner);
	}
}

/*
 * The test, a table and the owner have a reference each, and drop them at the
 * same time: the last one frees the device, once.
 */
static void stress_last_reference(struct kunit *test)
{
	struct stress *f = stress_create(test, 1);
	struct drm_sgt_kunit_owner *owner = &f->owner;

	while (drm_sgt_kunit_crew_again(f->crew, 3000)) {
		struct drm_sgt_kunit_job jobs[] = {
			{ stress_last_put, stress_prepare(f, 0) },
			{ stress_device_put, stress_prepare(f, 1) },
			{ stress_unbind, stress_prepare(f, 2) },
		};

		drm_sgt_kunit_owner_bind(owner);
		stress_begin_table(f, &f->table[0], true);
		f->spare = owner->sdev;
		owner->sdev = NULL;
		if (!drm_sgt_kunit_crew_round(f->crew, &f->rnd, jobs, ARRAY_SIZE(jobs)))
			break;
		stress_end_table(f, &f->table[0]);
		KUNIT_EXPECT_EQ(test, kref_read(&owner->dev->kobj.kref), owner->refs);
	}
}

/* Three threads with three tables race with the unbind. */
static void stress_storm_vs_unbind(struct kunit *test)
{
	struct stress *f = stress_create(test, STRESS_STORM);
	unsigned int i;

	while (drm_sgt_kunit_crew_again(f->crew, 3000)) {
		struct drm_sgt_kunit_job jobs[] = {
			{ stress_storm, stress_prepare(f, 0) },
			{ stress_storm, stress_prepare(f, 1) },
			{ stress_storm, stress_prepare(f, 2) },
			{ stress_unbind, stress_prepare(f, 3) },
		};

		drm_sgt_kunit_owner_bind(&f->owner);
		for (i = 0; i < STRESS_STORM; i++) {
			stress_begin_table(f, &f->table[i], i);
			kref_get(&f->table[i].users);
			kref_get(&f->table[i].users);
			/* For the first table, a storm drops the reference of this task. */
			if (i)
				kref_get(&f->table[i].users);
		}
		if (!drm_sgt_kunit_crew_round(f->crew, &f->rnd, jobs, ARRAY_SIZE(jobs)))
			break;
		for (i = 0; i < STRESS_STORM; i++)
			stress_end_table(f, &f->table[i]);
		drm_sgt_kunit_owner_put(&f->owner);
	}
}

static int stress_init(struct kunit *test)
{
	struct stress *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	f->test = test;
	test->priv = f;
	return 0;
}

static struct kunit_case drm_sgt_stress_cases[] = {
	KUNIT_CASE_PARAM(stress_pair_vs_unbind, stress_pair_gen_params),
	KUNIT_CASE(stress_last_reference),
	KUNIT_CASE(stress_storm_vs_unbind),
	{}
};

static struct kunit_suite drm_sgt_stress_suite = {
	.name = "drm_sgt_stress",
	.attr = { .speed = KUNIT_SPEED_SLOW },
	.init = stress_init,
	.test_cases = drm_sgt_stress_cases,
};

kunit_test_suite(drm_sgt_stress_suite);
