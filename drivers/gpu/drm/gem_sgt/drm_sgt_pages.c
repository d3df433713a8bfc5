// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/folio_batch.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/vmalloc.h>

#include "drm_sgt_table.h"

/**
 * DOC: sources of pages
 *
 * The layer has three sources. GEM objects use a shmem file: its folios go straight
 * from the page cache into the table, which holds one reference to each and so keeps
 * them in memory. A table of a driver can cover a part of such a file. A vmalloc buffer
 * and an array of pages are for drivers' own tables and for firmware. A driver can
 * provide its own &struct drm_sgt_pages_ops.
 *
 * A table does not grow: its mapping would have to be made again, which changes addresses
 * that the device uses, is not possible while an access section is open, and loses what
 * the device wrote to a bounce buffer. A buffer that grows, such as a heap for GPU faults,
 * has a table for each part of its file instead. What is mapped stays where it is, a part
 * that cannot be allocated leaves the others alone, and an unbind ends all of them.
 */

/*
 * shmem
 */

/* Unlike shmem_read_mapping_page_gfp(), shmem_read_folio_gfp() ignores poison. */
bool drm_sgt_folio_is_poisoned(struct folio *folio)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_sgt_folio_is_poisoned, folio);

	return folio_test_hwpoison(folio) ||
	       (folio_test_large(folio) && folio_test_has_hwpoisoned(folio));
}

/*
 * Translate errnos of shmem to those of the layer: -ENOSPC if no memory may be
 * committed (vm.overcommit_memory), -EINVAL for an index past the end of the file.
 */
static int drm_sgt_shmem_errno(int ret)
{
	switch (ret) {
	case -ENOSPC:
		return -ENOMEM;
	case -EINVAL:
		return -EIO;
	}
	return ret;
}

/*
 * Add the pages of one folio from @index on. Returns their number, or a negative errno.
 * A new folio is charged to the memory cgroup of the task, as in a page fault.
 */
static long drm_sgt_shmem_get_folio(struct address_space *mapping,
				    struct drm_sgt_builder *builder, pgoff_t index)
{
	unsigned long nr;
	struct folio *folio;
	int ret;

	/* drm_sgt_builder_add() checks too late: the allocation can take long. */
	if (fatal_signal_pending(current))
		return -EINTR;

	folio = shmem_read_folio_gfp(mapping, index, mapping_gfp_mask(mapping));
	if (IS_ERR(folio))
		return drm_sgt_shmem_errno(PTR_ERR(folio));

	/* A huge folio may reach past the end of the object. */
	nr = min(folio_next_index(folio) - index, drm_sgt_builder_left(builder));
	ret = drm_sgt_folio_is_poisoned(folio) ? -EIO :
	      drm_sgt_builder_add(builder, folio_file_page(folio, index), nr);
	if (ret) {
		folio_put(folio);
		return ret;
	}
	return nr;
}

/* Add the pages from @index on, until the table is full. */
static int drm_sgt_shmem_get_from(struct file *filp, struct drm_sgt_builder *builder,
				  pgoff_t index)
{
	while (drm_sgt_builder_left(builder)) {
		long nr = drm_sgt_shmem_get_folio(filp->f_mapping, builder, index);

		if (nr < 0)
			return nr;
		index += nr;
		cond_resched();
	}
	return 0;
}

/* The folios of a batch, and what is done to each before it is put. */
struct drm_sgt_shmem_batch {
	struct folio_batch folios;
	bool dirty;
	bool rescue;
};

static void drm_sgt_shmem_release_batch(struct drm_sgt_shmem_batch *batch)
{
	if (batch->rescue)
		check_move_unevictable_folios(&batch->folios);
	folios_put(&batch->folios);
	cond_resched();
}

/* One reference for each folio: a folio is added, and given back, once. */
static void drm_sgt_shmem_put_run(struct drm_sgt_shmem_batch *batch,
				  const struct drm_sgt_run *run)
{
	unsigned long pfn = page_to_pfn(run->page), end = pfn + run->nr_pages;

	while (pfn < end) {
		struct folio *folio = page_folio(pfn_to_page(pfn));

		if (batch->dirty)
			folio_mark_dirty(folio);
		pfn = folio_pfn(folio) + folio_nr_pages(folio);
		if (!folio_batch_add(&batch->folios, folio))
			drm_sgt_shmem_release_batch(batch);
	}
}

static void drm_sgt_shmem_put_runs(struct drm_sgt_shmem_batch *batch,
				   const struct drm_sgt_run *runs,
				   unsigned int nr_runs)
{
	folio_batch_init(&batch->folios);
	while (nr_runs--)
		drm_sgt_shmem_put_run(batch, runs++);
	if (folio_batch_count(&batch->folios))
		drm_sgt_shmem_release_batch(batch);
}

struct drm_sgt_shmem_part {
	struct file *filp;
	pgoff_t start;
};

static int drm_sgt_shmem_get(void *source, struct drm_sgt_builder *builder, u64 size)
{
	struct drm_sgt_shmem_part *part = source;

	return drm_sgt_shmem_get_from(part->filp, builder, part->start);
}

/*
 * Mark all folios dirty: the mm does not see writes of the device, and reclaim drops
 * clean folios. Even the last put must do so: another file of the inode, such as a
 * memfd opened again through /proc, is not in the file_count() of this one. Other
 * tables may have some of these folios, with references of their own.
 */
static void drm_sgt_shmem_put(void *source, const struct drm_sgt_run *runs,
			      unsigned int nr_runs, bool last)
{
	struct drm_sgt_shmem_batch batch = { .dirty = true };

	drm_sgt_shmem_put_runs(&batch, runs, nr_runs);
}

static void drm_sgt_shmem_release(void *source)
{
	struct drm_sgt_shmem_part *part = source;

	fput(part->filp);
	kfree(part);
}

static const struct drm_sgt_pages_ops drm_sgt_shmem_ops = {
	.name = "shmem",
	.get = drm_sgt_shmem_get,
	.put = drm_sgt_shmem_put,
	.release = drm_sgt_shmem_release,
};

/*
 * A shmem file of the layer's own: no user can open its inode, so file_count()
 * counts all users of the bytes, and its one table owns AS_UNEVICTABLE.
 */

static int drm_sgt_shmem_own_get(void *source, struct drm_sgt_builder *builder, u64 size)
{
	struct file *filp = source;
	int ret;

	/* Reclaim cannot free the folios while the table has references. */
	mapping_set_unevictable(filp->f_mapping);
	ret = drm_sgt_shmem_get_from(filp, builder, 0);
	if (ret)
		mapping_clear_unevictable(filp->f_mapping);
	return ret;
}

/*
 * The last reference to the file discards the bytes: the folios leave the page
 * cache, clean or dirty, from either list of reclaim. In all other cases, reclaim
 * can write the folios to swap from here on.
 */
static void drm_sgt_shmem_own_put(void *source, const struct drm_sgt_run *runs,
				  unsigned int nr_runs, bool last)
{
	struct file *filp = source;
	bool again = !last || file_count(filp) > 1;
	struct drm_sgt_shmem_batch batch = { .dirty = again, .rescue = again };

	if (again)
		mapping_clear_unevictable(filp->f_mapping);
	drm_sgt_shmem_put_runs(&batch, runs, nr_runs);
}

static void drm_sgt_shmem_own_release(void *source)
{
	fput(source);
}

static const struct drm_sgt_pages_ops drm_sgt_shmem_own_ops = {
	.name = "shmem",
	.get = drm_sgt_shmem_own_get,
	.put = drm_sgt_shmem_own_put,
	.release = drm_sgt_shmem_own_release,
};

/**
 * drm_sgt_create_shmem_own() - make a table of a shmem file that no user can open
 * @sdev: the device that it will be mapped for
 * @filp: a file of shmem_file_setup(), at least @size bytes long
 * @size: bytes, a multiple of the page size, not 0
 *
 * As drm_sgt_create_shmem() from offset 0, but cheaper to free. No file descriptor and
 * no VMA refers to @filp, and this function makes at most one table of it. So its
 * bytes are in use only as long as there are references to @filp.
 *
 * Context: Process context, may sleep.
 * Return: see drm_sgt_create()
 */
struct drm_sgt *drm_sgt_create_shmem_own(struct drm_sgt_device *sdev,
					 struct file *filp, u64 size)
{
	struct drm_sgt *sgt;

	sgt = drm_sgt_create(sdev, &drm_sgt_shmem_own_ops, filp, size);
	if (!IS_ERR(sgt))
		get_file(filp);
	return sgt;
}

/**
 * drm_sgt_create_shmem() - make a table of a part of a shmem file
 * @sdev: the device that it will be mapped for
 * @filp: a file of shmem_file_setup(), at least @offset + @size bytes long
 * @offset: bytes before the part, a multiple of the page size
 * @size: bytes, a multiple of the page size, not 0
 *
 * The pages of the part are allocated, or swapped in, by drm_sgt_populate(), with the
 * GFP mask of the mapping of @filp. A fatal signal interrupts it.
 *
 * The file can have other users: a process, a second open of a memfd, tables of other
 * parts, which may overlap. A heap that grows with GPU faults has a table for each of
 * its chunks. Folios are marked dirty when they are given back. AS_UNEVICTABLE is left
 * to the owner of the file (SHM_LOCK, a GEM object). Reclaim cannot free a folio
 * that is in a table, as the table holds a reference.
 *
 * Ownership: the caller owns the table, which has a reference to @filp.
 *
 * Context: Process context, may sleep.
 * Return:
 * * see drm_sgt_create()
 * * %-EINVAL    - @offset is no multiple of the page size
 * * %-EOVERFLOW - the part ends beyond the largest offset in a file
 */
struct drm_sgt *drm_sgt_create_shmem(struct drm_sgt_device *sdev,
				     struct file *filp, u64 offset, u64 size)
{
	struct drm_sgt_shmem_part *part;
	struct drm_sgt *sgt;
	u64 end;

	if (!PAGE_ALIGNED(offset)) {
		drm_sgt_dbg(sdev, "offset %llu is no multiple of a page\n", offset);
		return ERR_PTR(-EINVAL);
	}
	if (check_add_overflow(offset, size, &end) || end > MAX_LFS_FILESIZE) {
		drm_sgt_dbg(sdev, "no file has %llu bytes at offset %llu\n", size, offset);
		return ERR_PTR(-EOVERFLOW);
	}

	part = kmalloc(sizeof(*part), GFP_KERNEL_ACCOUNT);
	if (!part)
		return ERR_PTR(-ENOMEM);

	part->filp = filp;
	part->start = offset >> PAGE_SHIFT;
	sgt = drm_sgt_create(sdev, &drm_sgt_shmem_ops, part, size);
	if (IS_ERR(sgt)) {
		kfree(part);
		return sgt;
	}
	get_file(filp);
	return sgt;
}
EXPORT_SYMBOL_GPL(drm_sgt_create_shmem);

/*
 * vmalloc
 */

static int drm_sgt_vmalloc_get(void *source, struct drm_sgt_builder *builder, u64 size)
{
	int ret = 0;

	for (; !ret && drm_sgt_builder_left(builder); source += PAGE_SIZE) {
		struct page *page = vmalloc_to_page(source);

		/* The guard page behind the buffer: it is shorter than @size. */
		ret = page ? drm_sgt_builder_add(builder, page, 1) : -EIO;
		cond_resched();
	}
	return ret;
}

static void drm_sgt_vmalloc_release(void *source)
{
	vfree(source);
}

static const struct drm_sgt_pages_ops drm_sgt_vmalloc_ops = {
	.name = "vmalloc",
	.get = drm_sgt_vmalloc_get,
	.release = drm_sgt_vmalloc_release,
};

/**
 * drm_sgt_create_vmalloc() - make a table of a vmalloc buffer
 * @sdev: the device that it will be mapped for
 * @buf: from vmalloc(), at least @size bytes long
 * @size: bytes, a multiple of the page size, not 0
 *
 * Ownership: the caller owns the table, which owns @buf and frees it with
 * vfree(). On failure, @buf stays with the caller.
 *
 * Context: Process context, may sleep.
 * Return:
 * * see drm_sgt_create()
 * * %-EINVAL - @buf is not from vmalloc(), or in the middle of a page
 */
struct drm_sgt *drm_sgt_create_vmalloc(struct drm_sgt_device *sdev, void *buf,
				       u64 size)
{
	if (!is_vmalloc_addr(buf) || !PAGE_ALIGNED(buf)) {
		drm_sgt_dbg(sdev, "buffer is not from vmalloc\n");
		return ERR_PTR(-EINVAL);
	}

	return drm_sgt_create(sdev, &drm_sgt_vmalloc_ops, buf, size);
}
EXPORT_SYMBOL_GPL(drm_sgt_create_vmalloc);

/*
 * array of pages
 */

struct drm_sgt_page_array {
	struct page **pages;
	unsigned long nr_pages;
};

static int drm_sgt_array_get(void *source, struct drm_sgt_builder *builder, u64 size)
{
	struct drm_sgt_page_array *array = source;
	unsigned long i;
	int ret = 0;

	for (i = 0; !ret && i < array->nr_pages; i++) {
		ret = drm_sgt_builder_add(builder, array->pages[i], 1);
		cond_resched();
	}
	return ret;
}

static void drm_sgt_array_release(void *source)
{
	struct drm_sgt_page_array *array = source;
	unsigned long i;

	for (i = 0; i < array->nr_pages; i++) {
		put_page(array->pages[i]);
		cond_resched();
	}
	kvfree(array->pages);
	kfree(array);
}

static const struct drm_sgt_pages_ops drm_sgt_array_ops = {
	.name = "pages",
	.get = drm_sgt_array_get,
	.release = drm_sgt_array_release,
};

/**
 * drm_sgt_create_pages() - make a table of an array of pages
 * @sdev: the device that it will be mapped for
 * @pages: from kvmalloc_array(), with a reference to each page
 * @nr_pages: how many, not 0
 *
 * For the driver's own pages, from alloc_page(): references are dropped by put_page(),
 * not by unpin_user_page(), and pages are not marked dirty. A page may be in the array
 * more than once, with a reference each time.
 *
 * Ownership: the caller owns the table, which owns the array and the
 * references. On failure, they stay with the caller.
 *
 * Context: Process context, may sleep.
 * Return: see drm_sgt_create()
 */
struct drm_sgt *drm_sgt_create_pages(struct drm_sgt_device *sdev,
				     struct page **pages, unsigned long nr_pages)
{
	struct drm_sgt_page_array *array;
	struct drm_sgt *sgt;
	u64 size;

	if (check_mul_overflow((u64)nr_pages, (u64)PAGE_SIZE, &size)) {
		drm_sgt_dbg(sdev, "%lu pages are more than there can be\n", nr_pages);
		return ERR_PTR(-E2BIG);
	}

	array = kzalloc(sizeof(*array), GFP_KERNEL_ACCOUNT);
	if (!array)
		return ERR_PTR(-ENOMEM);

	array->pages = pages;
	array->nr_pages = nr_pages;
	sgt = drm_sgt_create(sdev, &drm_sgt_array_ops, array, size);
	if (IS_ERR(sgt))
		kfree(array);
	return sgt;
}
EXPORT_SYMBOL_GPL(drm_sgt_create_pages);
