// SPDX-License-Identifier: GPL-2.0

#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "drm_gpupt_internal.h"

/**
 * DOC: memory of the tables
 *
 * A table is read by the device, so its memory is mapped for DMA like that of a
 * buffer, and its mapping ends with the device, too: it is a &struct drm_sgt.
 * The tables that one operation needs share a few of these. Each has a page of
 * its own, of the CPU's size, and they are mapped with one call. A user can have
 * many: they are charged to the task that prepares the operation.
 *
 * With &drm_gpupt_config.cpu_only there is no mapping: the tables are what the driver
 * knows, and takes from there to the device by other ways.
 */

/**
 * DOC: what a device writes
 *
 * A device reads tables, and writes nothing to them. They are mapped DMA_TO_DEVICE: an
 * IOMMU stops a device that tries, a bounce buffer is never copied back. So the memory
 * is the CPU's own copy, and the engine reads addresses of leaves back from it, for a
 * walk and for a leaf that is cut. What is a table, and which, it does not read there at
 * all, but knows: a forged entry is -EIO or not looked at. (A device that is behind
 * neither can write to any memory of the machine.)
 *
 * A device that sets bits in the entries that it used, accessed and dirty, needs a
 * format that has them set beforehand, as &drm_gpupt_x86_64 does: then it has nothing to
 * write. One that would have to have them clear needs a copy of the leaves in the
 * engine, which there is not: such a format is not supported.
 */

static int drm_gpupt_mem_get_pages(void *source, struct drm_sgt_builder *builder, u64 size)
{
	struct drm_gpupt_mem *mem = source;
	unsigned int i;
	int ret;

	for (i = 0; i < mem->nr_pages; i++) {
		ret = drm_sgt_builder_add(builder, mem->pages[i], 1);
		if (ret)
			return ret;
	}
	return 0;
}

/* The pages are put by drm_gpupt_mem_free(). */
static const struct drm_sgt_pages_ops drm_gpupt_mem_pages = {
	.name = "page tables",
	.get = drm_gpupt_mem_get_pages,
};

static int drm_gpupt_mem_map(struct drm_gpupt_mem *mem, struct drm_sgt_device *sdev)
{
	struct drm_sgt *sgt;
	int ret;

	sgt = drm_sgt_create(sdev, &drm_gpupt_mem_pages, mem,
			     (u64)mem->nr_pages << PAGE_SHIFT);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	mem->sgt = sgt;
	ret = drm_sgt_populate(sgt);
	if (ret)
		return ret;

	/* What is there is ours: see "what a device writes". */
	ret = drm_sgt_map(sgt, DMA_TO_DEVICE);
	return ret ?: drm_sgt_sync_for_device(sgt, 0, drm_sgt_size(sgt));
}

static void drm_gpupt_mem_free(struct drm_gpupt_mem *mem)
{
	unsigned int i;

	drm_sgt_free(mem->sgt);
	for (i = 0; i < mem->nr_pages; i++)
		if (mem->pages[i])
			__free_page(mem->pages[i]);
	kfree(mem);
}

/**
 * drm_gpupt_mem_alloc() - get memory for tables
 * @pt: of which page table
 * @tables: how many; there may be fewer in one piece
 *
 * Return: memory for at least one table, or an ERR_PTR()
 */
struct drm_gpupt_mem *drm_gpupt_mem_alloc(const struct drm_gpupt *pt,
					  unsigned int tables)
{
	unsigned int i, nr = min(tables, DRM_GPUPT_MEM_MAX_PAGES);
	struct drm_gpupt_mem *mem;
	int ret = 0;

	mem = kzalloc(struct_size(mem, pages, nr), GFP_KERNEL_ACCOUNT);
	if (!mem)
		return ERR_PTR(-ENOMEM);

	mem->nr_pages = nr;
	INIT_LIST_HEAD(&mem->entry);
	for (i = 0; i < nr && !ret; i++) {
		mem->pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!mem->pages[i])
			ret = -ENOMEM;
	}
	if (!ret && !pt->config->cpu_only)
		ret = drm_gpupt_mem_map(mem, pt->sdev);
	if (ret) {
		drm_gpupt_mem_free(mem);
		return ERR_PTR(ret);
	}
	return mem;
}

/* The addresses of the pages, one table each. */
static int drm_gpupt_mem_read_mapping(struct drm_gpupt_mem *mem, struct drm_gpupt_table **tables)
{
	struct drm_dma_iter iter;
	struct drm_dma_seg seg;
	unsigned int i = 0;
	int ret;

	drm_sgt_access_scope(view, mem->sgt, ret) {
		ret = drm_dma_iter_init(&iter, view, 0, drm_dma_view_size(view));
		while (!ret && drm_dma_iter_next(&iter, &seg))
			for (; seg.len; seg.len -= PAGE_SIZE, seg.addr += PAGE_SIZE)
				tables[i++]->dma = seg.addr;
	}
	return ret;
}

static int drm_gpupt_mem_read(struct drm_gpupt_mem *mem, struct drm_gpupt_table **tables)
{
	unsigned int i;

	if (mem->sgt)
		return drm_gpupt_mem_read_mapping(mem, tables);

	for (i = 0; i < mem->nr_pages; i++)
		tables[i]->dma = page_to_phys(mem->pages[i]);
	return 0;
}

/* Whether entries of the tables above have room for it; a register for the root, too. */
static int drm_gpupt_mem_check(const struct drm_gpupt *pt, dma_addr_t addr)
{
	if (fls64(addr + PAGE_SIZE - 1) <= pt->fmt->addr_bits)
		return 0;

	drm_gpupt_dbg(pt, "a table at %pad: an address has %u bits\n", &addr,
		      pt->fmt->addr_bits);
	return -EOVERFLOW;
}

/**
 * drm_gpupt_mem_give() - let tables use the memory
 * @pt: of which page table
 * @mem: new, from drm_gpupt_mem_alloc()
 * @tables: as many as there are pages
 *
 * The addresses that are stored in @tables go into other tables, and nowhere
 * else. They end with the mapping, and nothing reads the tables then.
 *
 * Return: 0, or a negative errno, and @tables use nothing:
 *
 * * %-ENODEV    - the device is no longer bound
 * * %-EOVERFLOW - an address has more bits than an entry
 */
int drm_gpupt_mem_give(struct drm_gpupt *pt, struct drm_gpupt_mem *mem,
		       struct drm_gpupt_table **tables)
{
	unsigned int i;
	int ret = drm_gpupt_mem_read(mem, tables);

	for (i = 0; i < mem->nr_pages && !ret; i++)
		ret = drm_gpupt_mem_check(pt, tables[i]->dma);
	if (ret)
		return ret;

	for (i = 0; i < mem->nr_pages; i++) {
		tables[i]->mem = mem;
		tables[i]->index = i;
		tables[i]->entries = page_address(mem->pages[i]);
	}
	mem->tables = mem->nr_pages;
	pt->pages += mem->nr_pages;
	WRITE_ONCE(pt->tables, pt->tables + mem->nr_pages);
	return 0;
}

/**
 * drm_gpupt_mem_drop() - a table does not use its memory any more
 * @pt: of which page table
 * @mem: the memory
 * @index: of the page
 * @unused: @mem is added to that, if this was the last table there
 *
 * A mapping ends as a whole. Without one, the page is free at once.
 */
void drm_gpupt_mem_drop(struct drm_gpupt *pt, struct drm_gpupt_mem *mem, unsigned int index,
			struct list_head *unused)
{
	lockdep_assert_held(&pt->plan_lock);

	WRITE_ONCE(pt->tables, pt->tables - 1);
	if (!mem->sgt) {
		__free_page(mem->pages[index]);
		mem->pages[index] = NULL;
		pt->pages--;
	}
	if (--mem->tables)
		return;

	if (mem->sgt)
		pt->pages -= mem->nr_pages;
	list_add(&mem->entry, unused);
}

/**
 * drm_gpupt_mem_free_list() - free memory that no table uses any more
 * @unused: list of &struct drm_gpupt_mem
 *
 * Context: Process context, may sleep; not under &drm_gpupt.commit_lock.
 */
void drm_gpupt_mem_free_list(struct list_head *unused)
{
	struct drm_gpupt_mem *mem, *next;

	list_for_each_entry_safe(mem, next, unused, entry) {
		drm_gpupt_mem_free(mem);
		cond_resched();
	}
}
