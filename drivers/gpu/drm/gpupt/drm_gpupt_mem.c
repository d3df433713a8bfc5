// SPDX-License-Identifier: GPL-2.0

#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "drm_gpupt_internal.h"

/**
 * DOC: memory of the tables
 *
 * The device reads the tables, so their memory is mapped for DMA like that of a buffer:
 * as a &struct drm_sgt, whose mapping ends at unbind. Each table has a CPU page of its
 * own. The new tables of an operation share mappings, of up to 32 pages each. User space
 * can cause many tables, so they are charged to the task that prepares the operation.
 *
 * The driver can allocate the pages itself: see &drm_gpupt_config.get_page.
 *
 * With &drm_gpupt_config.cpu_only the tables are not mapped. The driver reads them with
 * drm_gpupt_walk(), and sends the result to the device by other means.
 */

/**
 * DOC: what a device writes
 *
 * The device reads the tables, and must not write to them. They are mapped
 * DMA_TO_DEVICE: an IOMMU blocks writes of the device, and a bounce buffer is never
 * copied back. So the engine can trust the addresses of leaves that it reads back, for a
 * walk and for the split of a leaf. It does not read back which entries point to a table,
 * or to which one, but records that elsewhere. If an entry is forged nevertheless, it is
 * ignored, or reported as -EIO. (A device with neither an IOMMU nor a bounce buffer can
 * write to all memory of the machine.)
 *
 * Some devices set accessed and dirty bits in the entries that they use. The format sets
 * these bits in advance, as &drm_gpupt_x86_64 does, so that the device has nothing to
 * write. A format that needs them clear is not supported: the engine would have to keep
 * a copy of the leaves.
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

/* There is no put: drm_gpupt_mem_free() frees the pages. */
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

	/* The device must not write to tables: see "what a device writes". */
	ret = drm_sgt_map(sgt, DMA_TO_DEVICE);
	return ret ?: drm_sgt_sync_for_device(sgt, 0, drm_sgt_size(sgt));
}

/* Within reach of the device; the caller reports a failure. */
static struct page *drm_gpupt_get_page(const struct drm_gpupt *pt)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN;

	if (!pt->config->cpu_only)
		gfp |= drm_sgt_device_zone(pt->sdev);
	return pt->config->get_page ? pt->config->get_page(pt->priv, gfp) : alloc_page(gfp);
}

static void drm_gpupt_put_page(const struct drm_gpupt *pt, struct page *page)
{
	if (pt->config->put_page)
		pt->config->put_page(pt->priv, page);
	else
		__free_page(page);
}

static void drm_gpupt_mem_free(struct drm_gpupt_mem *mem)
{
	unsigned int i;

	drm_sgt_free(mem->sgt);
	for (i = 0; i < mem->nr_pages; i++)
		if (mem->pages[i])
			drm_gpupt_put_page(mem->pt, mem->pages[i]);
	kfree(mem);
}

/**
 * drm_gpupt_mem_alloc() - allocate memory for tables
 * @pt: the page table
 * @tables: number of tables; the result can be for fewer
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

	mem->pt = pt;
	mem->nr_pages = nr;
	INIT_LIST_HEAD(&mem->entry);
	for (i = 0; i < nr && !ret; i++) {
		mem->pages[i] = drm_gpupt_get_page(pt);
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

/* Store the DMA address of each page in its table. */
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

/* Does the address of a table fit into an entry, or a register for the root? */
static int drm_gpupt_mem_check(const struct drm_gpupt *pt, dma_addr_t addr)
{
	if (fls64(addr + PAGE_SIZE - 1) <= pt->fmt->addr_bits)
		return 0;

	drm_gpupt_dbg(pt, "a table at %pad: an address has %u bits\n", &addr,
		      pt->fmt->addr_bits);
	return -EOVERFLOW;
}

/**
 * drm_gpupt_mem_give() - give each table a page
 * @pt: the page table
 * @mem: new, from drm_gpupt_mem_alloc()
 * @tables: as many as @mem has pages
 *
 * The DMA addresses that are stored in @tables are only written to other tables. They
 * become invalid at unbind, when the device no longer reads the tables.
 *
 * Return:
 * * %0       - success; on an error, @tables do not use @mem
 * * %-ENODEV    - the device is no longer bound
 * * %-EOVERFLOW - an address has more bits than an entry holds
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
 * drm_gpupt_mem_drop() - take back the page of a table
 * @pt: the page table
 * @mem: the memory
 * @index: index of the page
 * @unused: a list that gets @mem, if no other table uses it
 *
 * Mapped pages are unmapped and freed together. A page without a mapping is freed at
 * once.
 */
void drm_gpupt_mem_drop(struct drm_gpupt *pt, struct drm_gpupt_mem *mem, unsigned int index,
			struct list_head *unused)
{
	lockdep_assert_held(&pt->plan_lock);

	WRITE_ONCE(pt->tables, pt->tables - 1);
	if (!mem->sgt) {
		drm_gpupt_put_page(pt, mem->pages[index]);
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
 * drm_gpupt_mem_free_list() - free memory that no table uses
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
