// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/debug_locks.h>
#include <linux/dma-mapping.h>
#include <linux/kernel.h>
#include <linux/mman.h>
#include <linux/sizes.h>

#include "drm_sgt_kunit_helpers.h"

/*
 * Access sections: when one is entered, that it ends however its block is left, and what
 * it blocks. Also the syncs, which run inside one.
 *
 * No ASSERT inside a section: it would end the thread and leave the section
 * open, and the unbind at the end of the case would wait for it.
 */

static const struct drm_sgt_kunit_piece access_pieces[] = {
	{ 0x100, 3 }, { 0x300, 1 }, { 0x200, 2 }, { 0x400, 5 },
};

#define ACCESS_PAGES	(3 + 1 + 2 + 5)
#define ACCESS_SIZE	(ACCESS_PAGES * PAGE_SIZE)

struct access_fixture {
	struct drm_sgt_kunit *ctx;
	struct drm_sgt_kunit_device *d;
	struct drm_sgt *sgt;
};

static struct drm_sgt *access_mapped_sgt(struct kunit *test, struct drm_sgt_device *sdev)
{
	struct drm_sgt_kunit_source *source;
	struct drm_sgt *sgt;

	source = drm_sgt_kunit_source_create(test, access_pieces,
					     ARRAY_SIZE(access_pieces));
	sgt = drm_sgt_kunit_sgt(test, sdev, source);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(sgt, DMA_BIDIRECTIONAL));
	return sgt;
}

/* A mapped table, with entries of two pages at most. */
static struct access_fixture access_fixture_create(struct kunit *test)
{
	struct access_fixture f = { .ctx = test->priv };

	f.d = drm_sgt_kunit_bind_limits(test, "sgt", 2 * PAGE_SIZE, ULONG_MAX);
	drm_sgt_kunit_stub_dma(f.ctx);
	drm_sgt_kunit_stub_sync(f.ctx);
	f.sgt = access_mapped_sgt(test, f.d->sdev);
	return f;
}

/* Is this thread inside a section of @sgt's device? Only lockdep knows. */
static bool access_is_inside(struct drm_sgt *sgt)
{
	return IS_ENABLED(CONFIG_PROVE_RCU) && debug_lockdep_rcu_enabled() &&
	       srcu_read_lock_held(&sgt->sdev->srcu);
}

/* Expect that no section is open: according to the task, lockdep and an unmap. */
static void access_expect_nobody_inside(struct kunit *test, struct drm_sgt *sgt)
{
	KUNIT_EXPECT_EQ(test, atomic_read(&sgt->readers), 0);
	KUNIT_EXPECT_FALSE(test, access_is_inside(sgt));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(sgt));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(sgt, DMA_BIDIRECTIONAL));
}

/* The example of "DOC: access sections", unchanged. */
static int count_segments(struct drm_sgt *sgt, unsigned int *count)
{
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	int ret;

	drm_sgt_access_scope(view, sgt, ret) {
		ret = drm_dma_iter_init(&iter, view, 0, drm_dma_view_size(view));
		if (ret)
			break;
		while (drm_dma_iter_next(&iter, &seg))
			(*count)++;
	}
	return ret;
}

/* The example counts adjacent entries as one segment, and fails if not mapped. */
static void access_example_counts_segments(struct kunit *test)
{
	struct access_fixture f = access_fixture_create(test);
	unsigned int count = 0;

	KUNIT_EXPECT_EQ(test, 0, count_segments(f.sgt, &count));
	KUNIT_EXPECT_EQ(test, count, 1);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	f.ctx->map.gap = PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	count = 0;
	KUNIT_EXPECT_EQ(test, 0, count_segments(f.sgt, &count));
	KUNIT_EXPECT_EQ(test, count, f.sgt->table.orig_nents);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	count = 0;
	KUNIT_EXPECT_EQ(test, -EINVAL, count_segments(f.sgt, &count));
	drm_sgt_kunit_unbind(f.d);
	KUNIT_EXPECT_EQ(test, -ENODEV, count_segments(f.sgt, &count));
	KUNIT_EXPECT_EQ(test, count, 0);
}

/*
 * Sections nest. An unmap inside one is refused, and leaves the mapping as it
 * is, until the last of them ends.
 */
static void access_holds_off_unmap(struct kunit *test)
{
	struct access_fixture f = access_fixture_create(test);
	struct drm_sgt_access outer = {}, inner = {};

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_access_begin(f.sgt, &outer));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_unmap(f.sgt));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_access_begin(f.sgt, &inner));
	KUNIT_EXPECT_EQ(test, atomic_read(&f.sgt->readers), 2);
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_unmap(f.sgt));
	drm_sgt_access_end(&inner);
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_unmap(f.sgt));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_depopulate(f.sgt));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(f.sgt), DRM_SGT_MAPPED);
	KUNIT_EXPECT_EQ(test, f.ctx->unmaps, 0);
	drm_sgt_access_end(&outer);

	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	KUNIT_EXPECT_EQ(test, f.ctx->unmaps, 1);
}

/* A section of one table does not block the unmap of another. */
static void access_does_not_hold_off_others(struct kunit *test)
{
	struct access_fixture f = access_fixture_create(test);
	struct drm_sgt *other = access_mapped_sgt(test, f.d->sdev);
	struct drm_sgt_access access = {};

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_access_begin(f.sgt, &access));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(other));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(other));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_populate(other));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(other, DMA_TO_DEVICE));
	drm_sgt_kunit_free_now(test, other);
	drm_sgt_access_end(&access);
}

/* The end of a section that is not open, or has ended, does nothing. */
static void access_end_twice_is_harmless(struct kunit *test)
{
	struct access_fixture f = access_fixture_create(test);
	struct drm_sgt_access access = {}, never = {}, refused = {};

	drm_sgt_access_end(&never);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_access_begin(f.sgt, &access));
	drm_sgt_access_end(&access);
	drm_sgt_access_end(&access);
	access_expect_nobody_inside(test, f.sgt);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	KUNIT_ASSERT_EQ(test, -EINVAL, drm_sgt_access_begin(f.sgt, &refused));
	drm_sgt_access_end(&refused);
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	access_expect_nobody_inside(test, f.sgt);
}

static unsigned int access_misuses;

static void access_count_misuse(void)
{
	access_misuses++;
}

/*
 * An access that is open cannot begin again, for the same table or another. One end closes
 * its section, and an unbind does not wait.
 */
static void access_begin_twice_is_refused(struct kunit *test)
{
	struct access_fixture f = access_fixture_create(test);
	struct drm_sgt *other = access_mapped_sgt(test, f.d->sdev);
	struct drm_sgt_access access = {};

	access_misuses = 0;
	kunit_activate_static_stub(test, drm_sgt_access_misused, access_count_misuse);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_access_begin(f.sgt, &access));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_access_begin(f.sgt, &access));
	KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_access_begin(other, &access));
	KUNIT_EXPECT_EQ(test, access_misuses, 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&f.sgt->readers), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&other->readers), 0);
	drm_sgt_access_end(&access);
	access_expect_nobody_inside(test, f.sgt);

	/* An access that has ended can begin again. */
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_access_begin(other, &access));
	drm_sgt_access_end(&access);
	KUNIT_EXPECT_EQ(test, access_misuses, 2);
}

static int access_leave_by_return(struct drm_sgt *sgt)
{
	int ret;

	drm_sgt_access_scope(view, sgt, ret)
		return drm_dma_view_size(view) ? 17 : 18;
	return ret;
}

static int access_leave_by_goto(struct drm_sgt *sgt)
{
	int ret;

	drm_sgt_access_scope(view, sgt, ret) {
		if (drm_dma_view_size(view))
			goto out;
	}
	return 18;
out:
	return 17;
}

/*
 * However the block is left, it runs once, and the section has ended after it. The errno
 * is 0, unless the block sets it.
 */
static void access_scope_ends_however_it_is_left(struct kunit *test)
{
	struct access_fixture f = access_fixture_create(test);
	unsigned int runs = 0, i;
	int ret = 99;

	drm_sgt_access_scope(view, f.sgt, ret) {
		KUNIT_EXPECT_EQ(test, atomic_read(&f.sgt->readers), 1);
		KUNIT_EXPECT_EQ(test, drm_dma_view_size(view), ACCESS_SIZE);
		runs++;
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, runs, 1);
	access_expect_nobody_inside(test, f.sgt);

	drm_sgt_access_scope(view, f.sgt, ret) {
		runs++;
		if (drm_dma_view_size(view))
			break;
		runs += 100;
	}
	KUNIT_EXPECT_EQ(test, runs, 2);
	access_expect_nobody_inside(test, f.sgt);

	drm_sgt_access_scope(view, f.sgt, ret) {
		runs++;
		if (drm_dma_view_size(view))
			continue;
		runs += 100;
	}
	KUNIT_EXPECT_EQ(test, runs, 3);
	access_expect_nobody_inside(test, f.sgt);

	/* break and continue leave the block, not the loop around it. */
	for (i = 0; i < 5; i++)
		drm_sgt_access_scope(view, f.sgt, ret) {
			if (i % 2)
				break;
			ret = drm_dma_view_size(view) ? -EILSEQ : 0;
		}
	KUNIT_EXPECT_EQ(test, i, 5);
	KUNIT_EXPECT_EQ(test, ret, -EILSEQ);
	access_expect_nobody_inside(test, f.sgt);

	KUNIT_EXPECT_EQ(test, access_leave_by_return(f.sgt), 17);
	access_expect_nobody_inside(test, f.sgt);
	KUNIT_EXPECT_EQ(test, access_leave_by_goto(f.sgt), 17);
	access_expect_nobody_inside(test, f.sgt);
}

/* Scopes nest, over one table or two, and each ends its own section only. */
static void access_scopes_nest(struct kunit *test)
{
	struct access_fixture f = access_fixture_create(test);
	struct drm_sgt *other = access_mapped_sgt(test, f.d->sdev);
	int ret, inner;

	drm_sgt_access_scope(view, f.sgt, ret) {
		drm_sgt_access_scope(again, f.sgt, inner) {
			KUNIT_EXPECT_EQ(test, drm_dma_view_size(again),
					drm_dma_view_size(view));
			KUNIT_EXPECT_EQ(test, atomic_read(&f.sgt->readers), 2);
		}
		drm_sgt_access_scope(there, other, inner) {
			KUNIT_EXPECT_EQ(test, drm_dma_view_size(there), ACCESS_SIZE);
			KUNIT_EXPECT_EQ(test, atomic_read(&other->readers), 1);
			break;
		}
		KUNIT_EXPECT_EQ(test, atomic_read(&f.sgt->readers), 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&other->readers), 0);
	}
	access_expect_nobody_inside(test, f.sgt);
	access_expect_nobody_inside(test, other);
}

/* If a section cannot begin, its block does not run, and the errno is the reason. */
static void access_scope_that_is_refused_does_not_run(struct kunit *test)
{
	struct access_fixture f = access_fixture_create(test);
	int ret = 0;

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	drm_sgt_access_scope(view, f.sgt, ret)
		KUNIT_FAIL(test, "ran with %llu bytes", drm_dma_view_size(view));
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);

	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_BIDIRECTIONAL));
	drm_sgt_device_shutdown(f.d->sdev);
	drm_sgt_access_scope(view, f.sgt, ret)
		KUNIT_FAIL(test, "ran with %llu bytes", drm_dma_view_size(view));
	KUNIT_EXPECT_EQ(test, ret, -ENODEV);
}

/* A physical device sees the CPU addresses, by the same rules. */
static void access_in_physical_mode(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind_phys(test, NULL);
	struct drm_sgt *sgt = access_mapped_sgt(test, d->sdev);
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	unsigned int i = 0;
	int ret;

	KUNIT_EXPECT_TRUE(test, drm_sgt_device_is_phys(d->sdev));
	drm_sgt_access_scope(view, sgt, ret) {
		KUNIT_EXPECT_EQ(test, -EBUSY, drm_sgt_unmap(sgt));
		ret = drm_dma_iter_init(&iter, view, 0, ACCESS_SIZE);
		if (ret)
			break;
		for (; i < ARRAY_SIZE(access_pieces); i++) {
			KUNIT_EXPECT_TRUE(test, drm_dma_iter_next(&iter, &seg));
			KUNIT_EXPECT_EQ(test, seg.addr, PFN_PHYS(access_pieces[i].pfn));
			KUNIT_EXPECT_EQ(test, seg.len,
					access_pieces[i].nr_pages << PAGE_SHIFT);
		}
		KUNIT_EXPECT_FALSE(test, drm_dma_iter_next(&iter, &seg));
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, i, ARRAY_SIZE(access_pieces));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_sync_for_device(sgt, 0, ACCESS_SIZE));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_sync_for_cpu(sgt, 0, ACCESS_SIZE));
	KUNIT_EXPECT_EQ(test, -ERANGE, drm_sgt_sync_for_cpu(sgt, 1, ACCESS_SIZE));

	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(sgt));
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_sync_for_cpu(sgt, 0, ACCESS_SIZE));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(sgt, DMA_TO_DEVICE));
	drm_sgt_kunit_unbind(d);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_sync_for_cpu(sgt, 0, ACCESS_SIZE));
}

/*
 * Syncs
 */

/* The layout of the segments that the stub makes. */
struct access_layout {
	const char *name;
	u64 gap;
	bool merge;
};

static const struct access_layout access_layouts[] = {
	{ "segments apart", PAGE_SIZE, false },
	{ "segments that touch", 0, false },
	{ "one merged segment", 0, true },
};

static void access_layout_desc(const struct access_layout *l, char *desc)
{
	strscpy(desc, l->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(access_layout, access_layouts, access_layout_desc);

/* The oracle: the CPU entry of each page, and its DMA address. */
struct access_oracle {
	unsigned int ent[ACCESS_PAGES];
	dma_addr_t addr[ACCESS_PAGES];
};

static void access_oracle_fill(struct access_oracle *o, const struct access_fixture *f)
{
	dma_addr_t addr = f->ctx->map.base;
	unsigned int i, k, n = 0;
	struct scatterlist *sg;

	for_each_sgtable_sg(&f->sgt->table, sg, i) {
		for (k = 0; k < sg->length >> PAGE_SHIFT; k++, addr += PAGE_SIZE) {
			o->ent[n] = i;
			o->addr[n++] = addr;
		}
		addr += f->ctx->map.gap;
	}
}

/* Expect that the recorded calls are those for @len bytes at @offset, in order. */
static void access_check_syncs(struct kunit *test, const struct access_fixture *f,
			       const struct access_oracle *o, u64 offset, u64 len,
			       bool for_cpu)
{
	const struct drm_sgt_kunit_sync *sync = f->ctx->sync;
	u64 pos = offset, end = offset + len;
	unsigned int n = 0;

	while (pos < end) {
		u64 page = pos >> PAGE_SHIFT, stop = page + 1;

		while (stop < ACCESS_PAGES && o->ent[stop] == o->ent[page])
			stop++;
		stop = min(stop << PAGE_SHIFT, end);
		KUNIT_ASSERT_LT(test, n, f->ctx->nr_syncs);
		KUNIT_EXPECT_EQ(test, sync[n].addr, o->addr[page] + offset_in_page(pos));
		KUNIT_EXPECT_EQ(test, sync[n].len, stop - pos);
		KUNIT_EXPECT_EQ(test, sync[n].dir, DMA_BIDIRECTIONAL);
		KUNIT_EXPECT_EQ(test, sync[n].for_cpu, for_cpu);
		pos = stop;
		n++;
	}
	KUNIT_EXPECT_EQ_MSG(test, f->ctx->nr_syncs, n, "%llu bytes at %llu", len, offset);
	f->ctx->nr_syncs = 0;
}

static void access_skip_without_syncs(struct kunit *test, const struct access_fixture *f)
{
	if (!dma_dev_need_sync(f->d->dev))
		kunit_skip(test, "nothing to sync here without CONFIG_DMA_API_DEBUG");
}

/*
 * A sync covers its range, and is cut where a CPU entry ends: in a merged segment, the DMA
 * API finds only the memory of the first entry.
 */
static void access_syncs_are_cut_at_cpu_entries(struct kunit *test)
{
	const struct access_layout *l = test->param_value;
	struct drm_sgt_kunit *ctx = test->priv;
	struct access_fixture f;
	struct access_oracle o;
	struct rnd_state rnd;
	unsigned int round;

	if (l->merge && !IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH))
		kunit_skip(test, "entries have one length for CPU and device");
	ctx->map.gap = l->gap;
	ctx->map.merge = l->merge;
	f = access_fixture_create(test);
	access_skip_without_syncs(test, &f);
	access_oracle_fill(&o, &f);

	KUNIT_EXPECT_EQ(test, 0, drm_sgt_sync_for_device(f.sgt, 0, ACCESS_SIZE));
	access_check_syncs(test, &f, &o, 0, ACCESS_SIZE, false);

	drm_sgt_kunit_seed(test, &rnd);
	for (round = 0; round < 500; round++) {
		u64 offset = drm_sgt_kunit_below(&rnd, ACCESS_SIZE + 1);
		u64 len = drm_sgt_kunit_below(&rnd, ACCESS_SIZE - offset + 1);
		bool for_cpu = drm_sgt_kunit_below(&rnd, 2);

		if (round % 2) {
			offset = PAGE_ALIGN(offset);
			len &= PAGE_MASK;
		}
		if (for_cpu)
			KUNIT_ASSERT_EQ(test, 0, drm_sgt_sync_for_cpu(f.sgt, offset, len));
		else
			KUNIT_ASSERT_EQ(test, 0, drm_sgt_sync_for_device(f.sgt, offset, len));
		access_check_syncs(test, &f, &o, offset, len, for_cpu);
	}
}

/* A range that ends beyond the table is refused, and no part of it is synced. */
static void access_syncs_refuse_bad_ranges(struct kunit *test)
{
	static const struct { u64 offset, len; } bad[] = {
		{ 0, ACCESS_SIZE + 1 }, { 1, ACCESS_SIZE }, { ACCESS_SIZE, 1 },
		{ ACCESS_SIZE + 1, 0 }, { U64_MAX, 1 }, { 1, U64_MAX }, { 0, U64_MAX },
	};
	struct access_fixture f = access_fixture_create(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ(test, -ERANGE,
				drm_sgt_sync_for_device(f.sgt, bad[i].offset, bad[i].len));
		KUNIT_EXPECT_EQ(test, -ERANGE,
				drm_sgt_sync_for_cpu(f.sgt, bad[i].offset, bad[i].len));
	}
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_sync_for_cpu(f.sgt, ACCESS_SIZE, 0));
	KUNIT_EXPECT_EQ(test, f.ctx->nr_syncs, 0);
	access_expect_nobody_inside(test, f.sgt);
}

/* The direction of a sync is that of the mapping. */
static void access_syncs_have_the_direction_of_the_map(struct kunit *test)
{
	struct access_fixture f = access_fixture_create(test);

	access_skip_without_syncs(test, &f);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(f.sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(f.sgt, DMA_FROM_DEVICE));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_sync_for_cpu(f.sgt, 0, 1));
	KUNIT_ASSERT_EQ(test, f.ctx->nr_syncs, 1);
	KUNIT_EXPECT_EQ(test, f.ctx->sync[0].dir, DMA_FROM_DEVICE);
}

/*
 * lockdep reports an access to user memory inside a section, although the page is present
 * and no unbind waits. The report turns lockdep off, which is what the test looks for, as
 * the selftest of lockdep does.
 */
static void access_reports_user_memory(struct kunit *test)
{
	struct drm_sgt_access access = {};
	struct access_fixture f;
	bool before, inside;
	int ret;

	if (!IS_ENABLED(CONFIG_PROVE_LOCKING) || !debug_locks)
		kunit_skip(test, "no lockdep");

	/* From here on, the thread has an mm. */
	KUNIT_ASSERT_NE(test, 0, kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ,
					       MAP_ANONYMOUS | MAP_PRIVATE, 0));
	f = access_fixture_create(test);
	debug_locks_silent = 1;
	might_fault();
	before = !debug_locks;
	ret = drm_sgt_access_begin(f.sgt, &access);
	might_fault();
	inside = !debug_locks;
	debug_locks = 1;
	drm_sgt_access_end(&access);
	debug_locks_silent = 0;
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_FALSE(test, before);
	KUNIT_EXPECT_TRUE(test, inside);
}

/* First the cases that detect an open section, and do not wait for it. */
static struct kunit_case drm_sgt_access_cases[] = {
	KUNIT_CASE(access_end_twice_is_harmless),
	KUNIT_CASE(access_begin_twice_is_refused),
	KUNIT_CASE(access_scope_ends_however_it_is_left),
	KUNIT_CASE(access_holds_off_unmap),
	KUNIT_CASE(access_does_not_hold_off_others),
	KUNIT_CASE(access_scopes_nest),
	KUNIT_CASE(access_example_counts_segments),
	KUNIT_CASE(access_scope_that_is_refused_does_not_run),
	KUNIT_CASE(access_in_physical_mode),
	KUNIT_CASE(access_reports_user_memory),
	KUNIT_CASE_PARAM(access_syncs_are_cut_at_cpu_entries, access_layout_gen_params),
	KUNIT_CASE(access_syncs_refuse_bad_ranges),
	KUNIT_CASE(access_syncs_have_the_direction_of_the_map),
	{}
};

static struct kunit_suite drm_sgt_access_suite = {
	.name = "drm_sgt_access",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_sgt_access_cases,
};

kunit_test_suite(drm_sgt_access_suite);
