// SPDX-License-Identifier: GPL-2.0

#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "drm_sgt_runs.h"
#include "drm_sgt_table.h"

/**
 * DOC: from pages to a table
 *
 * A source adds its pages piece by piece. They are kept as runs, sixteen bytes
 * for each physically contiguous one, until all are there: then the number of
 * entries is known, and the table is allocated in its exact size. There is no
 * array of pages at any time, and a buffer of one huge page costs one run.
 *
 * A run knows nothing of the limits of the device; it is cut to entries when
 * the table is written. The source cuts the last piece to the size of the table.
 */

/* A chunk: a page of runs, or fewer if fewer can still be added. */
struct drm_sgt_run_chunk {
	struct list_head node;
	unsigned int nr;
	unsigned int max;
	struct drm_sgt_run run[] __counted_by(max);
};

#define DRM_SGT_RUNS_PER_CHUNK						\
	((PAGE_SIZE - sizeof(struct drm_sgt_run_chunk)) /		\
	 sizeof(struct drm_sgt_run))

void drm_sgt_builder_init(struct drm_sgt_builder *builder, u64 size)
{
	INIT_LIST_HEAD(&builder->chunks);
	builder->nr = 0;
	builder->left = size >> PAGE_SHIFT;
	builder->folios = 0;
}

/* Frees the list, not the pages. */
void drm_sgt_builder_fini(struct drm_sgt_builder *builder)
{
	struct drm_sgt_run_chunk *chunk, *tmp;

	list_for_each_entry_safe(chunk, tmp, &builder->chunks, node) {
		kfree(chunk);
		cond_resched();
	}
}

/* The run that was added last; NULL if there is none. */
static struct drm_sgt_run *drm_sgt_builder_last(struct drm_sgt_builder *builder)
{
	struct drm_sgt_run_chunk *chunk;

	if (list_empty(&builder->chunks))
		return NULL;

	chunk = list_last_entry(&builder->chunks, struct drm_sgt_run_chunk, node);
	return &chunk->run[chunk->nr - 1];
}

/* Most buffers are small: with init_on_alloc, a full page takes long to clear. */
static struct drm_sgt_run_chunk *drm_sgt_run_chunk_alloc(unsigned long pages)
{
	unsigned int max = min(pages, DRM_SGT_RUNS_PER_CHUNK);
	struct drm_sgt_run_chunk *chunk;

	chunk = kmalloc(struct_size(chunk, run, max), GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return NULL;

	chunk->nr = 0;
	chunk->max = max;
	return chunk;
}

/* Room for one more run. A chunk is on the list only if it holds one. */
static struct drm_sgt_run *drm_sgt_builder_new(struct drm_sgt_builder *builder)
{
	struct drm_sgt_run_chunk *chunk = NULL;

	if (!list_empty(&builder->chunks))
		chunk = list_last_entry(&builder->chunks, struct drm_sgt_run_chunk,
					node);
	if (!chunk || chunk->nr == chunk->max) {
		chunk = drm_sgt_run_chunk_alloc(builder->left);
		if (!chunk)
			return NULL;
		list_add_tail(&chunk->node, &builder->chunks);
	}
	builder->nr++;
	return &chunk->run[chunk->nr++];
}

/**
 * drm_sgt_builder_add() - add pages to the table that is being built
 * @builder: what &drm_sgt_pages_ops.get was called with
 * @page: the first page
 * @nr_pages: physically contiguous pages, not more than drm_sgt_builder_left()
 *
 * Ownership: on success, the pages belong to the layer, and come back through
 * &drm_sgt_pages_ops.put. On failure they are still the caller's.
 *
 * Context: Inside &drm_sgt_pages_ops.get, may sleep.
 * Return:
 * * %0       - added
 * * %-EINVAL - @nr_pages is 0 or more than drm_sgt_builder_left()
 * * %-EINTR  - the task is being killed
 * * %-ENOMEM - out of memory
 */
int drm_sgt_builder_add(struct drm_sgt_builder *builder, struct page *page,
			unsigned long nr_pages)
{
	struct drm_sgt_run *run = drm_sgt_builder_last(builder);

	if (!nr_pages || nr_pages > builder->left)
		return -EINVAL;
	if (fatal_signal_pending(current))
		return -EINTR;

	if (!run || page_to_pfn(run->page) + run->nr_pages != page_to_pfn(page)) {
		run = drm_sgt_builder_new(builder);
		if (!run)
			return -ENOMEM;
		run->page = page;
		run->nr_pages = 0;
	}
	run->nr_pages += nr_pages;
	builder->left -= nr_pages;
	builder->folios++;
	return 0;
}
EXPORT_SYMBOL_GPL(drm_sgt_builder_add);

/**
 * drm_sgt_builder_left() - how many pages are missing
 * @builder: what &drm_sgt_pages_ops.get was called with
 *
 * Context: Inside &drm_sgt_pages_ops.get.
 * Return: pages
 */
unsigned long drm_sgt_builder_left(const struct drm_sgt_builder *builder)
{
	return builder->left;
}
EXPORT_SYMBOL_GPL(drm_sgt_builder_left);

/* Call @fn with all runs, in order, a chunk at a time. */
void drm_sgt_builder_for_each(const struct drm_sgt_builder *builder,
			      void (*fn)(void *arg, const struct drm_sgt_run *runs,
					 unsigned int nr_runs),
			      void *arg)
{
	const struct drm_sgt_run_chunk *chunk;

	list_for_each_entry(chunk, &builder->chunks, node) {
		fn(arg, chunk->run, chunk->nr);
		cond_resched();
	}
}

/*
 * How much of @len bytes at @phys goes into one entry. The boundary applies to DMA
 * addresses. Behind an IOMMU, the DMA API keeps it. Without one, a DMA address is a
 * physical address plus a constant that is a multiple of any sane boundary.
 */
static unsigned int drm_sgt_cut(const struct drm_sgt_limits *limits,
				phys_addr_t phys, u64 len)
{
	unsigned long to_boundary = limits->boundary -
				    (phys & limits->boundary);
	u64 n = min_t(u64, len, limits->max_segment);

	if (n - 1 > to_boundary)
		n = (u64)to_boundary + 1;
	return n;
}

/* A run being written to, or counted for, a table. */
struct drm_sgt_writer {
	const struct drm_sgt_limits *limits;
	/* the next entry; NULL to count only */
	struct scatterlist *sg;
	u64 ents;
};

static void drm_sgt_write_run(struct drm_sgt_writer *w,
			      const struct drm_sgt_run *run)
{
	u64 left = (u64)run->nr_pages << PAGE_SHIFT;
	unsigned long pfn = page_to_pfn(run->page);

	while (left) {
		unsigned int len = drm_sgt_cut(w->limits, PFN_PHYS(pfn), left);

		if (w->sg) {
			sg_set_page(w->sg, pfn_to_page(pfn), len, 0);
			w->sg = sg_next(w->sg);
		}
		w->ents++;
		pfn += len >> PAGE_SHIFT;
		left -= len;
	}
}

static void drm_sgt_write_runs(void *arg, const struct drm_sgt_run *runs,
			       unsigned int nr_runs)
{
	while (nr_runs--)
		drm_sgt_write_run(arg, runs++);
}

/* Returns 0, -E2BIG or -ENOMEM. The caller frees @table with sg_free_table(). */
int drm_sgt_builder_to_table(const struct drm_sgt_builder *builder,
			     const struct drm_sgt_limits *limits,
			     struct sg_table *table)
{
	struct drm_sgt_writer w = { .limits = limits };
	int ret;

	drm_sgt_builder_for_each(builder, drm_sgt_write_runs, &w);
	if (w.ents > INT_MAX)
		return -E2BIG;

	ret = sg_alloc_table(table, w.ents, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;

	w.sg = table->sgl;
	drm_sgt_builder_for_each(builder, drm_sgt_write_runs, &w);
	return 0;
}

/**
 * drm_sgt_run_iter_init() - start to walk the pages of a table
 * @iter: the position, on the stack of the caller
 * @sgt: the table, pinned or mapped
 *
 * Context: Any. No drm_sgt_map() or drm_sgt_unmap() of @sgt may run at the same
 * time: while it is being mapped, its entries have other lengths.
 */
void drm_sgt_run_iter_init(struct drm_sgt_run_iter *iter, struct drm_sgt *sgt)
{
	*iter = (struct drm_sgt_run_iter) {
		.sg = sgt->table.sgl,
		.left = sgt->table.orig_nents,
	};
}
EXPORT_SYMBOL_GPL(drm_sgt_run_iter_init);

/**
 * drm_sgt_run_iter_next() - the next physically contiguous pages
 * @iter: the position
 * @run: filled, unless at the end
 *
 * Context: As drm_sgt_run_iter_init().
 * Return: false at the end of the table
 */
bool drm_sgt_run_iter_next(struct drm_sgt_run_iter *iter, struct drm_sgt_run *run)
{
	unsigned long pfn;

	if (!iter->left)
		return false;

	run->page = sg_page(iter->sg);
	run->nr_pages = 0;
	pfn = page_to_pfn(run->page);
	do {
		run->nr_pages += iter->sg->length >> PAGE_SHIFT;
		if (--iter->left)
			iter->sg = sg_next(iter->sg);
	} while (iter->left &&
		 page_to_pfn(sg_page(iter->sg)) == pfn + run->nr_pages);
	return true;
}
EXPORT_SYMBOL_GPL(drm_sgt_run_iter_next);
