// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/dma-buf.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "drm_sgt_table.h"

/**
 * DOC: kernel mappings
 *
 * drm_sgt_vmap() maps a table into the kernel, for jobs of the CPU and for core
 * dumps. It needs no GEM object and no resv. The mapping does not depend on the device:
 * it continues to work after unbind, and a new one can be made then. Each call makes
 * a mapping of its own, which pins the pages.
 *
 * An import is mapped by its exporter, possibly to I/O memory, and the dma-buf core
 * shares that mapping.
 *
 * Mappings do not sync. Where the device has written, call drm_sgt_sync_for_cpu()
 * before a read, and drm_sgt_sync_for_device() after a write. An import has
 * dma_buf_begin_cpu_access() and dma_buf_end_cpu_access() instead.
 */

/*
 * The lock holds off drm_sgt_map(), which a pin does not: while an IOMMU maps, the
 * entries of a table have other lengths.
 */
static void drm_sgt_list_pages(struct drm_sgt *sgt, struct page **pages)
{
	struct drm_sgt_run_iter iter;
	struct drm_sgt_run run;
	unsigned long k;

	guard(mutex)(&sgt->lock);

	drm_sgt_run_iter_init(&iter, sgt);
	while (drm_sgt_run_iter_next(&iter, &run)) {
		for (k = 0; k < run.nr_pages; k++)
			*pages++ = run.page + k;
		cond_resched();
	}
}

void *drm_sgt_vmap_array(struct page **pages, unsigned long n, pgprot_t prot)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_sgt_vmap_array, pages, n, prot);

	return vmap(pages, n, VM_MAP, prot);
}

/*
 * Map the pages of a table that is pinned. Returns NULL if there is no memory, or no
 * room. vmap() needs an array for the duration of the call.
 */
void *drm_sgt_vmap_pages(struct drm_sgt *sgt)
{
	unsigned long n = sgt->size >> PAGE_SHIFT;
	struct page **pages;
	void *vaddr;

	pages = kvmalloc_array(n, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return NULL;

	drm_sgt_list_pages(sgt, pages);
	vaddr = drm_sgt_vmap_array(pages, n, drm_sgt_pgprot(sgt, PAGE_KERNEL));
	kvfree(pages);
	if (!vaddr)
		drm_sgt_dbg(sgt->sdev, "no room to vmap %llu bytes\n", sgt->size);
	return vaddr;
}

/**
 * drm_sgt_vmap() - map a table into the kernel
 * @sgt: the table, in any state
 * @map: filled; cleared on failure
 *
 * Populates the table if it is EMPTY. Works after unbind, and an unbind does not end
 * it. drm_sgt_depopulate() is refused until drm_sgt_vunmap().
 *
 * Ownership: the caller owns the mapping. It does not keep the table: the caller
 * unmaps before drm_sgt_free().
 *
 * Context: Process context, may sleep and allocate. Takes the lock of the table only:
 * the caller can hold a resv, unless @sgt is an import, for which the resv of
 * the dma-buf is taken instead.
 * Return:
 * * %0       - success
 * * see drm_sgt_populate(), or for an import an errno of the exporter
 * * %-ENOMEM - no memory, or no room for the mapping
 * * %-EINVAL - the exporter of an import has no kernel mappings
 */
int drm_sgt_vmap(struct drm_sgt *sgt, struct iosys_map *map)
{
	void *vaddr;
	int ret;

	iosys_map_clear(map);
	if (drm_sgt_is_import(sgt))
		return dma_buf_vmap_unlocked(drm_sgt_import_source(sgt)->dmabuf, map);

	ret = drm_sgt_pin_pages(sgt);
	if (ret)
		return ret;

	vaddr = drm_sgt_vmap_pages(sgt);
	if (!vaddr) {
		drm_sgt_unpin_pages(sgt);
		return -ENOMEM;
	}
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_sgt_vmap);

/**
 * drm_sgt_vunmap() - undo drm_sgt_vmap()
 * @sgt: the table
 * @map: filled by drm_sgt_vmap(), and cleared here; nothing happens if it is clear
 *
 * Context: Process context, may sleep. Takes the resv of the dma-buf if @sgt is an
 * import, and no lock otherwise.
 */
void drm_sgt_vunmap(struct drm_sgt *sgt, struct iosys_map *map)
{
	if (iosys_map_is_null(map))
		return;

	if (drm_sgt_is_import(sgt)) {
		dma_buf_vunmap_unlocked(drm_sgt_import_source(sgt)->dmabuf, map);
	} else {
		vunmap(map->vaddr);
		drm_sgt_unpin_pages(sgt);
	}
	iosys_map_clear(map);
}
EXPORT_SYMBOL_GPL(drm_sgt_vunmap);
