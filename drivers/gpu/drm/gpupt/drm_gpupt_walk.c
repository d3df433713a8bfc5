// SPDX-License-Identifier: GPL-2.0

#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>

#include <drm/drm_print.h>

#include "drm_gpupt_internal.h"

/*
 * Reading the live table back. Only leaves are read from the memory of the tables. The
 * engine keeps its own record of which entries point to a table, and to which one.
 */

/* Entries that are read before commit_lock is dropped. */
#define DRM_GPUPT_VISIT_ENTRIES	1024

/* Called for each leaf, in the order of VA; a result other than 0 ends the visit. */
typedef int (*drm_gpupt_leaf_fn)(void *arg, unsigned int level,
				 const struct drm_gpupt_extent *extent);

/* A visit of all leaves of a range. */
struct drm_gpupt_visit {
	drm_gpupt_leaf_fn fn;
	void *arg;
	/* the rest of the range */
	u64 va;
	u64 end;
	/* the device of the access section; NULL if no addresses are read */
	struct drm_sgt_device *sdev;
	/* entries until commit_lock is dropped */
	unsigned int left;
};

/* Visit an entry that points to no table according to the engine. */
static int drm_gpupt_visit_entry(struct drm_gpupt *pt, const struct drm_gpupt_table *table,
				 unsigned int index, struct drm_gpupt_visit *visit)
{
	u64 span = drm_gpupt_span(pt, table->level);
	struct drm_gpupt_extent extent = { .va = visit->va & ~(span - 1) };

	switch (pt->fmt->read(drm_gpupt_entry(pt, table, index), table->level, &extent)) {
	case DRM_GPUPT_ENTRY_NONE:
		return 0;
	case DRM_GPUPT_ENTRY_LEAF:
		if (pt->fmt->level[table->level].leaf)
			return visit->fn(visit->arg, table->level, &extent);
		break;
	case DRM_GPUPT_ENTRY_TABLE:
		break;
	}
	drm_gpupt_dbg(pt, "the entry at %#llx, level %u, is not what was written\n",
		      extent.va, table->level);
	return -EIO;
}

static int drm_gpupt_visit_table(struct drm_gpupt *pt, const struct drm_gpupt_table *table,
				 u64 end, struct drm_gpupt_visit *visit)
{
	struct drm_gpupt_table *child;
	int ret = 0;

	child = drm_gpupt_table_live_from(pt, table,
					  drm_gpupt_index(pt, table->level, visit->va));

	while (visit->va < end && visit->left && !ret) {
		unsigned int index = drm_gpupt_index(pt, table->level, visit->va);
		u64 next = drm_gpupt_entry_end(pt, table->level, visit->va, end);

		visit->left--;
		if (child && child->slot == index) {
			ret = drm_gpupt_visit_table(pt, child, next, visit);
			child = drm_gpupt_table_live_next(child);
			continue;
		}
		ret = drm_gpupt_visit_entry(pt, table, index, visit);
		visit->va = next;
	}
	return ret;
}

static int drm_gpupt_visit_some(struct drm_gpupt *pt, struct drm_gpupt_visit *visit)
{
	guard(mutex)(&pt->commit_lock);

	visit->left = DRM_GPUPT_VISIT_ENTRIES;
	return drm_gpupt_visit_table(pt, pt->root, visit->end, visit);
}

/* User space can choose a long range: commits, a kill and an unbind do not wait for its end. */
static int drm_gpupt_visit_range(struct drm_gpupt *pt, struct drm_gpupt_visit *visit)
{
	for (;;) {
		int ret = drm_gpupt_visit_some(pt, visit);

		if (ret || visit->va >= visit->end)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		if (visit->sdev && drm_sgt_device_is_gone(visit->sdev))
			return -ENODEV;
		cond_resched();
	}
}

/* A walk in progress. */
struct drm_gpupt_walker {
	int (*fn)(void *arg, const struct drm_gpupt_extent *extent);
	void *arg;
	struct drm_gpupt_extent extent;
	u64 va;
	u64 end;
};

static int drm_gpupt_walker_emit(struct drm_gpupt_walker *walker)
{
	int ret = 0;

	if (walker->extent.seg.len)
		ret = walker->fn(walker->arg, &walker->extent);
	walker->extent.seg.len = 0;
	return ret;
}

static int drm_gpupt_walker_leaf(void *arg, unsigned int level,
				 const struct drm_gpupt_extent *leaf)
{
	struct drm_gpupt_walker *walker = arg;
	struct drm_gpupt_extent extent = *leaf;
	u64 cut;
	int ret = 0;

	/* The range of the walk can begin and end in the middle of a leaf. */
	cut = extent.va < walker->va ? walker->va - extent.va : 0;
	extent.va += cut;
	extent.seg.addr += cut;
	extent.seg.len = min(extent.seg.len - cut, walker->end - extent.va);

	if (extent.va != walker->va)
		return -EFAULT;
	walker->va += extent.seg.len;

	if (walker->extent.seg.len && walker->extent.prot == extent.prot &&
	    drm_dma_seg_touches(&walker->extent.seg, &extent.seg)) {
		walker->extent.seg.len += extent.seg.len;
		return 0;
	}

	ret = drm_gpupt_walker_emit(walker);
	walker->extent = extent;
	return ret;
}

static int drm_gpupt_walk_live(struct drm_gpupt *pt, struct drm_gpupt_walker *walker)
{
	struct drm_gpupt_visit visit = {
		.fn = drm_gpupt_walker_leaf,
		.arg = walker,
		.va = walker->va,
		.end = walker->end,
		.sdev = pt->sdev,
	};
	int ret = drm_gpupt_visit_range(pt, &visit);

	if (!ret && walker->va < walker->end)
		ret = -EFAULT;
	return ret ?: drm_gpupt_walker_emit(walker);
}

/**
 * drm_gpupt_walk() - read what a range maps to
 * @pt: the page table
 * @va: first byte of the range
 * @len: bytes, not 0
 * @fn: called for each extent, in the order of VA; a result other than 0 ends the walk.
 *	Runs in an access section, and under the lock of commits: must not allocate
 *	memory, or call a function of @pt
 * @arg: passed to @fn
 *
 * Reads the live table, without operations that are prepared and not committed. In a
 * long range, it drops the lock from time to time, so a caller that needs a consistent
 * view must keep commits out.
 *
 * Context: Process context, may sleep.
 * Return:
 * * 0 if the extents cover the range; the result of @fn if that is not 0
 * * %-EINVAL - @len is 0, or the range is beyond the VA space
 * * %-EFAULT - the range has a hole; @fn may have been called for extents before it
 * * %-EIO    - an entry is not what the engine wrote
 * * %-EINTR  - the task is being killed
 * * %-ENODEV - the device is no longer bound
 */
int drm_gpupt_walk(struct drm_gpupt *pt, u64 va, u64 len,
		   int (*fn)(void *arg, const struct drm_gpupt_extent *extent), void *arg)
{
	struct drm_gpupt_walker walker = { .fn = fn, .arg = arg, .va = va };
	u64 size = pt->va_size;
	int idx, ret;

	if (!len || len > size || va > size - len) {
		drm_gpupt_dbg(pt, "walk of %#llx bytes at %#llx\n", len, va);
		return -EINVAL;
	}

	walker.end = va + len;
	ret = drm_sgt_device_enter(pt->sdev, &idx);
	if (ret)
		return ret;

	ret = drm_gpupt_walk_live(pt, &walker);
	drm_sgt_device_exit(pt->sdev, idx);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gpupt_walk);

static int drm_gpupt_count_leaf(void *arg, unsigned int level,
				const struct drm_gpupt_extent *extent)
{
	u64 *leaves = arg;

	leaves[level]++;
	return 0;
}

/**
 * drm_gpupt_count_leaves() - count the leaves of a range
 * @pt: the page table
 * @va: first byte of the range
 * @len: bytes
 * @leaves: out: number of leaves by level, including those that lie in the range in part
 *
 * Drops the lock from time to time, as drm_gpupt_walk() does.
 *
 * Context: Process context, may sleep.
 * Return:
 * * %0       - success; on an error, @leaves is incomplete
 * * %-EIO   - an entry is not what the engine wrote
 * * %-EINTR - the task is being killed
 */
int drm_gpupt_count_leaves(struct drm_gpupt *pt, u64 va, u64 len,
			   u64 leaves[DRM_GPUPT_MAX_LEVELS])
{
	struct drm_gpupt_visit visit = { .fn = drm_gpupt_count_leaf, .arg = leaves, .va = va };
	u64 size = pt->va_size;

	memset(leaves, 0, DRM_GPUPT_MAX_LEVELS * sizeof(*leaves));
	if (va >= size)
		return 0;

	visit.end = va + min(len, size - va);
	return drm_gpupt_visit_range(pt, &visit);
}
EXPORT_SYMBOL_GPL(drm_gpupt_count_leaves);

/* A drm_gpupt_get_info() in progress, which has counted everything below @va. */
struct drm_gpupt_survey {
	struct drm_gpupt_info *info;
	u64 va;
};

/* A leaf may have replaced smaller ones meanwhile: below survey->va, those were counted. */
static int drm_gpupt_survey_leaf(void *arg, unsigned int level,
				 const struct drm_gpupt_extent *extent)
{
	struct drm_gpupt_survey *survey = arg;
	u64 end = extent->va + extent->seg.len;

	survey->info->leaves[level]++;
	survey->info->mapped += end - max(extent->va, survey->va);
	survey->va = end;
	return 0;
}

/**
 * drm_gpupt_get_info() - get statistics of a page table
 * @pt: the page table
 * @info: filled in
 *
 * Reads the whole page table, for debugfs and tests. Drops the lock from time to time,
 * as drm_gpupt_walk() does.
 *
 * Context: Process context, may sleep.
 * Return:
 * * 0; or a negative errno, and the leaves and mapped bytes in @info are incomplete
 * * %-EIO   - an entry is not what the engine wrote
 * * %-EINTR - the task is being killed
 */
int drm_gpupt_get_info(struct drm_gpupt *pt, struct drm_gpupt_info *info)
{
	struct drm_gpupt_survey survey = { .info = info };
	struct drm_gpupt_visit visit = {
		.fn = drm_gpupt_survey_leaf,
		.arg = &survey,
		.end = pt->va_size,
	};
	int ret;

	*info = (struct drm_gpupt_info) {};
	ret = drm_gpupt_visit_range(pt, &visit);

	guard(mutex)(&pt->plan_lock);

	info->tables = pt->tables;
	info->in_flight = pt->planned - READ_ONCE(pt->committed);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gpupt_get_info);

/* A dump in progress: adjacent leaves of one level are one line. */
struct drm_gpupt_dump {
	struct seq_file *m;
	struct drm_gpupt_extent extent;
	unsigned int level;
	u64 leaf;
};

static void drm_gpupt_dump_line(struct drm_gpupt_dump *dump)
{
	const struct drm_gpupt_extent *extent = &dump->extent;

	if (!extent->seg.len)
		return;

	seq_printf(dump->m, "%#018llx %#018llx %#14llx %8lluK %c%c%c\n",
		   extent->va, extent->seg.addr, extent->seg.len, dump->leaf / SZ_1K,
		   extent->prot & DRM_GPUPT_WRITE ? 'w' : '-',
		   extent->prot & DRM_GPUPT_EXEC ? 'x' : '-',
		   extent->prot & DRM_GPUPT_UNCACHED ? 'u' : '-');
}

static int drm_gpupt_dump_leaf(void *arg, unsigned int level,
			       const struct drm_gpupt_extent *extent)
{
	struct drm_gpupt_dump *dump = arg;
	struct drm_gpupt_extent *last = &dump->extent;

	if (last->seg.len && level == dump->level && last->prot == extent->prot &&
	    last->va + last->seg.len == extent->va &&
	    drm_dma_seg_touches(&last->seg, &extent->seg)) {
		last->seg.len += extent->seg.len;
		return 0;
	}

	drm_gpupt_dump_line(dump);
	dump->extent = *extent;
	dump->level = level;
	dump->leaf = extent->seg.len;
	/* Stop: seq_file starts over with a larger buffer. */
	return seq_has_overflowed(dump->m) ? -ENOSPC : 0;
}

/**
 * drm_gpupt_show() - print a page table
 * @pt: the page table
 * @m: where to print
 *
 * Prints one line for adjacent leaves of one size with contiguous addresses. Drops the
 * lock from time to time, as drm_gpupt_walk() does. If not all of it could be read, the
 * last line is the error.
 *
 * Context: Process context, may sleep.
 */
void drm_gpupt_show(struct drm_gpupt *pt, struct seq_file *m)
{
	struct drm_gpupt_dump dump = { .m = m };
	struct drm_gpupt_visit visit = {
		.fn = drm_gpupt_dump_leaf,
		.arg = &dump,
		.end = pt->va_size,
	};
	struct drm_gpupt_info info;
	int ret;

	ret = drm_gpupt_get_info(pt, &info);
	seq_printf(m, "format %s tables %lu mapped %#llx in_flight %llu\n",
		   pt->fmt->name, info.tables, info.mapped, info.in_flight);
	seq_printf(m, "%-18s %-18s %14s %9s %s\n", "va", "address", "bytes",
		   "leaf", "prot");
	if (!ret)
		ret = drm_gpupt_visit_range(pt, &visit);
	drm_gpupt_dump_line(&dump);
	if (ret)
		seq_printf(m, "%pe\n", ERR_PTR(ret));
}
EXPORT_SYMBOL_GPL(drm_gpupt_show);

/**
 * drm_gpupt_show_fdinfo() - print how many tables and leaves a page table has
 * @pt: the page table of an open file
 * @p: the printer of &drm_driver.show_fdinfo
 * @prefix: of the keys, such as the name of the driver
 *
 * Prints, for example, "PREFIX-tables: 5" and "PREFIX-leaves-2m: 3", one line for each size
 * of leaf. Reads the whole page table, as drm_gpupt_get_info() does, and prints nothing if
 * that fails.
 *
 * Context: Process context, may sleep.
 */
void drm_gpupt_show_fdinfo(struct drm_gpupt *pt, struct drm_printer *p, const char *prefix)
{
	struct drm_gpupt_info info;
	unsigned int i;

	if (drm_gpupt_get_info(pt, &info))
		return;

	drm_printf(p, "%s-tables:\t%lu\n", prefix, info.tables);
	for (i = 0; i < pt->fmt->levels; i++) {
		const struct drm_gpupt_level *level = &pt->fmt->level[i];

		if (level->leaf)
			drm_printf(p, "%s-leaves-%u%c:\t%llu\n", prefix, 1u << level->shift % 10,
				   " kmgtpe"[level->shift / 10], info.leaves[i]);
	}
}
EXPORT_SYMBOL_GPL(drm_gpupt_show_fdinfo);
