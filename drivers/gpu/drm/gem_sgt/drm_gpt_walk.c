// SPDX-License-Identifier: GPL-2.0

#include <linux/seq_file.h>
#include <linux/sizes.h>

#include "drm_gpt_internal.h"

/*
 * Reading back: what the device would read, from the memory of the tables.
 */

/* What is done with each leaf, in the order of VA; not 0 ends it. */
typedef int (*drm_gpt_leaf_fn)(void *arg, unsigned int level,
			       const struct drm_gpt_run *run);

static int drm_gpt_visit(struct drm_gpt *gpt, const struct drm_gpt_table *table,
			 u64 va, u64 end, drm_gpt_leaf_fn fn, void *arg)
{
	u64 span = drm_gpt_span(gpt, table->level);
	int ret = 0;

	for (; va < end && !ret; va = drm_gpt_entry_end(gpt, table->level, va, end)) {
		unsigned int index = drm_gpt_index(gpt, table->level, va);
		u64 next = drm_gpt_entry_end(gpt, table->level, va, end);
		struct drm_gpt_run run = { .va = va & ~(span - 1) };

		switch (gpt->fmt->read(drm_gpt_entry(gpt, table, index),
				       table->level, &run)) {
		case DRM_GPT_ENTRY_NONE:
			break;
		case DRM_GPT_ENTRY_TABLE:
			WARN_ON_ONCE(run.seg.addr != table->live[index]->dma);
			ret = drm_gpt_visit(gpt, table->live[index], va, next, fn, arg);
			break;
		case DRM_GPT_ENTRY_LEAF:
			ret = fn(arg, table->level, &run);
			break;
		}
	}
	return ret;
}

/* The entries of a list follow each other, whatever their length. */
static int drm_gpt_visit_list(struct drm_gpt *gpt, u64 va, u64 end,
			      drm_gpt_leaf_fn fn, void *arg)
{
	unsigned int nr = drm_gpt_nr_entries(gpt, 0);
	unsigned int max = gpt->fmt->max_entries;
	struct drm_gpt_run run = {};
	unsigned int i;
	int ret = 0;

	for (i = 0; i < max && run.va < end && !ret; i++, run.va += run.seg.len) {
		const struct drm_gpt_table *page = gpt->root->live[i / nr];

		if (!page || gpt->fmt->read(drm_gpt_entry(gpt, page, i % nr), 0,
					    &run) != DRM_GPT_ENTRY_LEAF)
			break;
		if (run.va + run.seg.len > va)
			ret = fn(arg, 0, &run);
	}
	return ret;
}

static int drm_gpt_visit_range(struct drm_gpt *gpt, u64 va, u64 end,
			       drm_gpt_leaf_fn fn, void *arg)
{
	guard(mutex)(&gpt->commit_lock);

	if (gpt->fmt->list)
		return drm_gpt_visit_list(gpt, va, end, fn, arg);

	return drm_gpt_visit(gpt, gpt->root, va, end, fn, arg);
}

/* A walk in progress. */
struct drm_gpt_walker {
	int (*fn)(void *arg, const struct drm_gpt_run *run);
	void *arg;
	struct drm_gpt_run run;
	u64 va;
	u64 end;
};

static int drm_gpt_walker_emit(struct drm_gpt_walker *walker)
{
	int ret = 0;

	if (walker->run.seg.len)
		ret = walker->fn(walker->arg, &walker->run);
	walker->run.seg.len = 0;
	return ret;
}

static int drm_gpt_walker_leaf(void *arg, unsigned int level,
			       const struct drm_gpt_run *leaf)
{
	struct drm_gpt_walker *walker = arg;
	struct drm_gpt_run run = *leaf;
	u64 cut;
	int ret = 0;

	/* Begin and end are in the middle of a leaf, perhaps. */
	cut = run.va < walker->va ? walker->va - run.va : 0;
	run.va += cut;
	run.seg.addr += cut;
	run.seg.len = min(run.seg.len - cut, walker->end - run.va);

	if (run.va != walker->va)
		return -EFAULT;
	walker->va += run.seg.len;

	if (walker->run.seg.len && walker->run.prot == run.prot &&
	    drm_dma_seg_touches(&walker->run.seg, &run.seg)) {
		walker->run.seg.len += run.seg.len;
		return 0;
	}

	ret = drm_gpt_walker_emit(walker);
	walker->run = run;
	return ret;
}

static int drm_gpt_walk_live(struct drm_gpt *gpt, struct drm_gpt_walker *walker)
{
	int ret = drm_gpt_visit_range(gpt, walker->va, walker->end,
				      drm_gpt_walker_leaf, walker);

	if (!ret && walker->va < walker->end)
		ret = -EFAULT;
	return ret ?: drm_gpt_walker_emit(walker);
}

/**
 * drm_gpt_walk() - read where a range leads to
 * @gpt: the page table
 * @va: first byte of the range
 * @len: bytes, not 0
 * @fn: called for each run of neighbouring addresses with the same permissions, in
 *	the order of VA; not 0 ends the walk. In an access section, and under the lock
 *	of commits: must not allocate, nor call anything of @gpt
 * @arg: for @fn
 *
 * Reads the tables as they are: without what is prepared and not committed.
 *
 * Context: Process context, may sleep.
 * Return: 0, and the runs were of @len bytes; or
 *
 * * %-EINVAL - @len is 0, or the range is beyond the VA
 * * %-EFAULT - the range has a hole, found behind what @fn was called for
 * * %-ENODEV - the device is no longer bound
 * * what @fn returned
 */
int drm_gpt_walk(struct drm_gpt *gpt, u64 va, u64 len,
		 int (*fn)(void *arg, const struct drm_gpt_run *run), void *arg)
{
	struct drm_gpt_walker walker = { .fn = fn, .arg = arg, .va = va };
	u64 size = gpt->va_size;
	struct drm_sgt *root = drm_gpt_root(gpt);
	struct drm_sgt_access access = {};
	int ret;

	if (!len || len > size || va > size - len) {
		drm_gpt_dbg(gpt, "walk of %#llx bytes at %#llx\n", len, va);
		return -EINVAL;
	}

	walker.end = va + len;
	/* What a list that nobody maps leads to is for its caller to know. */
	if (!root)
		return drm_gpt_walk_live(gpt, &walker);

	ret = drm_sgt_access_begin(root, &access);
	if (ret)
		return ret;

	ret = drm_gpt_walk_live(gpt, &walker);
	drm_sgt_access_end(&access);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gpt_walk);

static int drm_gpt_count_leaf(void *arg, unsigned int level,
			      const struct drm_gpt_run *run)
{
	u64 *leaves = arg;

	leaves[level]++;
	return 0;
}

/**
 * drm_gpt_count_leaves() - count the leaves of a range
 * @gpt: the page table
 * @va: first byte of the range
 * @len: bytes
 * @leaves: out: by level, those that lie in the range, in part at least
 *
 * Context: Process context, may sleep.
 */
void drm_gpt_count_leaves(struct drm_gpt *gpt, u64 va, u64 len,
			  u64 leaves[DRM_GPT_MAX_LEVELS])
{
	u64 size = gpt->va_size;

	memset(leaves, 0, DRM_GPT_MAX_LEVELS * sizeof(*leaves));
	if (va < size)
		drm_gpt_visit_range(gpt, va, va + min(len, size - va),
				    drm_gpt_count_leaf, leaves);
}
EXPORT_SYMBOL_GPL(drm_gpt_count_leaves);

static int drm_gpt_info_leaf(void *arg, unsigned int level,
			     const struct drm_gpt_run *run)
{
	struct drm_gpt_info *info = arg;

	info->leaves[level]++;
	info->mapped += run->seg.len;
	return 0;
}

/**
 * drm_gpt_get_info() - what a page table consists of
 * @gpt: the page table
 * @info: filled in
 *
 * Reads all of it: for debugfs and tests.
 *
 * Context: Process context, may sleep.
 */
void drm_gpt_get_info(struct drm_gpt *gpt, struct drm_gpt_info *info)
{
	*info = (struct drm_gpt_info) {};
	drm_gpt_visit_range(gpt, 0, gpt->va_size, drm_gpt_info_leaf, info);

	guard(mutex)(&gpt->plan_lock);

	info->tables = gpt->tables;
	info->in_flight = gpt->planned - READ_ONCE(gpt->committed);
}
EXPORT_SYMBOL_GPL(drm_gpt_get_info);

/* A dump in progress: leaves of one size that follow each other are a line. */
struct drm_gpt_dump {
	struct seq_file *m;
	struct drm_gpt_run run;
	unsigned int level;
	u64 leaf;
};

static void drm_gpt_dump_line(struct drm_gpt_dump *dump)
{
	const struct drm_gpt_run *run = &dump->run;

	if (!run->seg.len)
		return;

	seq_printf(dump->m, "%#018llx %#018llx %#14llx %8lluK %c%c%c\n",
		   run->va, run->seg.addr, run->seg.len, dump->leaf / SZ_1K,
		   run->prot & DRM_GPT_WRITE ? 'w' : '-',
		   run->prot & DRM_GPT_EXEC ? 'x' : '-',
		   run->prot & DRM_GPT_UNCACHED ? 'u' : '-');
}

static int drm_gpt_dump_leaf(void *arg, unsigned int level,
			     const struct drm_gpt_run *run)
{
	struct drm_gpt_dump *dump = arg;
	struct drm_gpt_run *last = &dump->run;

	if (last->seg.len && level == dump->level && last->prot == run->prot &&
	    last->va + last->seg.len == run->va &&
	    drm_dma_seg_touches(&last->seg, &run->seg)) {
		last->seg.len += run->seg.len;
		return 0;
	}

	drm_gpt_dump_line(dump);
	dump->run = *run;
	dump->level = level;
	dump->leaf = run->seg.len;
	return 0;
}

/**
 * drm_gpt_show() - print a page table
 * @gpt: the page table
 * @m: where to
 *
 * One line for leaves of one size whose addresses follow each other.
 *
 * Context: Process context, may sleep.
 */
void drm_gpt_show(struct drm_gpt *gpt, struct seq_file *m)
{
	struct drm_gpt_dump dump = { .m = m };
	struct drm_gpt_info info;

	drm_gpt_get_info(gpt, &info);
	seq_printf(m, "format %s tables %lu mapped %#llx in_flight %llu\n",
		   gpt->fmt->name, info.tables, info.mapped, info.in_flight);
	seq_printf(m, "%-18s %-18s %14s %9s %s\n", "va", "address", "bytes",
		   "leaf", "prot");
	drm_gpt_visit_range(gpt, 0, gpt->va_size, drm_gpt_dump_leaf, &dump);
	drm_gpt_dump_line(&dump);
}
EXPORT_SYMBOL_GPL(drm_gpt_show);
