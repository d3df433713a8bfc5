// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_vma_manager.h>

#include "drm_gem_sgt_huge.h"
#include "drm_gem_sgt_object.h"
#include "drm_gem_sgt_shrinker.h"
#include "drm_sgt_table.h"
#include "drm_sgt_trace.h"

/**
 * DOC: CPU mappings
 *
 * The kernel maps an object with drm_gem_sgt_vmap_locked(), a process with
 * mmap() of the DRM file or of a dma-buf. Neither depends on the device: existing
 * mappings continue to work after unbind, and new ones can be made wherever the
 * core still allows the call. Both are cached or write-combined, as the object is.
 *
 * A process gets its pages by faults. A fault maps up to 16 pages: the faulting one
 * and those around it, within the object and the VMA. mmap() allocates the pages, so
 * that it returns the errors, but does not keep them: when a table gives its pages back,
 * the PTEs are zapped, and the next fault gets the pages again. If it cannot, for lack of
 * memory for example, the process gets a SIGBUS. An unbind never leads to one.
 *
 * An import is mapped by its exporter. Its VMA belongs to the dma-buf, and outlives
 * the object and the DRM file without a reference to them.
 */

static int drm_gem_sgt_vmap_own_locked(struct drm_gem_sgt_object *bo,
				       struct iosys_map *map)
{
	int ret;

	dma_resv_assert_held(bo->base.resv);

	if (!bo->vmap_count) {
		ret = drm_gem_sgt_pin_locked(bo);
		if (ret)
			return ret;
		bo->vaddr = drm_sgt_vmap_pages(bo->sgt);
		if (!bo->vaddr) {
			drm_gem_sgt_unpin_locked(bo);
			return -ENOMEM;
		}
	}

	iosys_map_set_vaddr(map, bo->vaddr);
	return 0;
}

/**
 * drm_gem_sgt_vmap_locked() - map an object into the kernel
 * @bo: the object
 * @map: filled
 *
 * Works after unbind, and an unbind does not end it. An import is mapped by its
 * exporter, possibly to I/O memory.
 *
 * Context: Process context, may sleep. The caller holds the resv of @bo.
 * Return: 0, to be undone by drm_gem_sgt_vunmap_locked(), or see drm_sgt_populate(),
 * or an errno of the exporter
 */
int drm_gem_sgt_vmap_locked(struct drm_gem_sgt_object *bo, struct iosys_map *map)
{
	struct dma_buf *dma_buf = drm_gem_sgt_import_dma_buf(bo);
	int ret;

	dma_resv_assert_held(bo->base.resv);

	ret = dma_buf ? dma_buf_vmap(dma_buf, map) :
			drm_gem_sgt_vmap_own_locked(bo, map);
	if (!ret)
		bo->vmap_count++;
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_vmap_locked);

/**
 * drm_gem_sgt_vunmap_locked() - undo drm_gem_sgt_vmap_locked()
 * @bo: the object
 * @map: filled by drm_gem_sgt_vmap_locked(); cleared
 *
 * Context: Process context, may sleep. The caller holds the resv of @bo.
 */
void drm_gem_sgt_vunmap_locked(struct drm_gem_sgt_object *bo,
			       struct iosys_map *map)
{
	struct dma_buf *dma_buf = drm_gem_sgt_import_dma_buf(bo);

	dma_resv_assert_held(bo->base.resv);

	if (drm_WARN_ON(bo->base.dev, !bo->vmap_count))
		return;

	bo->vmap_count--;
	if (dma_buf) {
		dma_buf_vunmap(dma_buf, map);
		return;
	}

	iosys_map_clear(map);
	if (bo->vmap_count)
		return;

	vunmap(bo->vaddr);
	bo->vaddr = NULL;
	drm_gem_sgt_unpin_locked(bo);
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_vunmap_locked);

/* Pages that one fault maps, as for other files: see fault_around_bytes. */
#define DRM_GEM_SGT_FAULT_AROUND	16

/*
 * The table is pinned, and so keeps the folios in the page cache: what is found there
 * needs no other reference, and what is not found does not belong to the object. A
 * poisoned page stays in the cache, but is not mapped.
 */
static vm_fault_t drm_gem_sgt_map_page(struct vm_fault *vmf, pgoff_t index,
				       unsigned long addr, pgprot_t prot)
{
	struct drm_gem_object *obj = vmf->vma->vm_private_data;
	struct folio *folio;
	struct page *page;

	folio = xa_load(&obj->filp->f_mapping->i_pages, index);
	if (!folio || xa_is_value(folio))
		return VM_FAULT_SIGBUS;

	page = folio_file_page(folio, index);
	if (PageHWPoison(page))
		return VM_FAULT_SIGBUS;

	return vmf_insert_pfn_prot(vmf->vma, addr, page_to_pfn(page), prot);
}

/*
 * Indices are counted from the start of the object: after a munmap of its first
 * pages, a VMA starts in the middle.
 *
 * The pages around the faulting one are present, too, and mapping them now costs
 * less than a fault for each. One that cannot be mapped is an error only when it
 * is the faulting one. A read fault maps a page as a write fault does: writes to a PFN
 * are not tracked, and the table marks folios dirty when it gives them back.
 *
 * The caching is that of the pages, which can have changed since mmap().
 */
static vm_fault_t drm_gem_sgt_map_around(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct drm_gem_object *obj = vma->vm_private_data;
	pgoff_t offset = drm_vma_node_start(&obj->vma_node);
	pgoff_t index = vmf->pgoff - offset;
	pgoff_t start = vma->vm_pgoff - offset;
	pgoff_t end = min(start + vma_pages(vma), obj->size >> PAGE_SHIFT);
	vm_fault_t ret, wanted = VM_FAULT_SIGBUS;
	unsigned long addr;
	pgprot_t prot;
	pgoff_t i;

	if (index >= end)
		return VM_FAULT_SIGBUS;

	start = max(start, round_down(index, DRM_GEM_SGT_FAULT_AROUND));
	end = min(end, round_up(index + 1, DRM_GEM_SGT_FAULT_AROUND));
	addr = vmf->address - (index - start) * PAGE_SIZE;
	prot = drm_sgt_pgprot(to_drm_gem_sgt_obj(obj)->sgt, vm_get_page_prot(vma->vm_flags));
	for (i = start; i < end; i++, addr += PAGE_SIZE) {
		ret = drm_gem_sgt_map_page(vmf, i, addr, prot);
		if (i == index)
			wanted = ret;
	}
	return wanted;
}

/* The pin is short: a depopulate zaps the PTEs, and must not do so in the middle. */
static vm_fault_t drm_gem_sgt_fault(struct vm_fault *vmf)
{
	struct drm_gem_object *obj = vmf->vma->vm_private_data;
	struct drm_gem_sgt_object *bo = to_drm_gem_sgt_obj(obj);
	vm_fault_t ret = VM_FAULT_SIGBUS;
	int err;

	err = drm_gem_sgt_pin_pages(bo);
	if (err) {
		drm_dbg(obj->dev, "no pages for a fault: %pe\n", ERR_PTR(err));
	} else {
		ret = drm_gem_sgt_map_around(vmf);
		drm_sgt_unpin_pages(bo->sgt);
	}
	trace_drm_gem_sgt_fault(bo->sgt, vmf->pgoff - drm_vma_node_start(&obj->vma_node), 0, ret);
	return ret;
}

/*
 * The presence of this callback tells the core that a fault needs no mmap lock:
 * everything that drm_gem_sgt_fault() reads stays while the VMA is locked or the pages
 * are pinned. Without it, the core starts each fault twice. The callback maps nothing itself.
 * drm_gem_sgt_fault() does: it is not atomic, so it may allocate a page table, and it
 * is called for writes, too.
 */
static vm_fault_t drm_gem_sgt_map_pages(struct vm_fault *vmf, pgoff_t start,
					pgoff_t end)
{
	return 0;
}

/* For &drm_sgt.zap: all mmaps are of the inode of the DRM device, at the fake offset. */
void drm_gem_sgt_zap(void *arg)
{
	struct drm_gem_object *obj = arg;

	drm_vma_node_unmap(&obj->vma_node, obj->dev->anon_inode->i_mapping);
}

/* For &drm_gem_object_funcs.vm_ops. */
const struct vm_operations_struct drm_gem_sgt_vm_ops = {
	.fault = drm_gem_sgt_fault,
	.huge_fault = drm_gem_sgt_huge_fault,
	.map_pages = drm_gem_sgt_map_pages,
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};
EXPORT_SYMBOL_GPL(drm_gem_sgt_vm_ops);

/*
 * The core has checked the mode of the DRM file only. A dma-buf that was shared for
 * reading is not written, even after mprotect().
 */
static int drm_gem_sgt_check_import_mode(const struct dma_buf *dma_buf,
					 struct vm_area_struct *vma)
{
	if (dma_buf->file->f_mode & FMODE_WRITE)
		return 0;
	if (vma->vm_flags & VM_WRITE)
		return -EACCES;

	vm_flags_clear(vma, VM_MAYWRITE);
	return 0;
}

/*
 * The exporter need not set vm_ops and vm_private_data: they must not remain ours.
 * VM_DONTEXPAND, which drm_gem_mmap_obj() requires, is not set by each exporter.
 */
static int drm_gem_sgt_mmap_import(struct drm_gem_sgt_object *bo,
				   struct dma_buf *dma_buf,
				   struct vm_area_struct *vma)
{
	unsigned long first = vma->vm_pgoff - drm_vma_node_start(&bo->base.vma_node);
	int ret;

	vma->vm_ops = NULL;
	vma->vm_private_data = NULL;
	ret = drm_gem_sgt_check_import_mode(dma_buf, vma);
	if (!ret)
		ret = dma_buf_mmap(dma_buf, vma, first);
	if (ret) {
		drm_dbg(bo->base.dev, "mmap by %s: %d\n", dma_buf->exp_name, ret);
		return ret;
	}

	vm_flags_set(vma, VM_DONTEXPAND);
	/* drm_gem_mmap_obj() got it for the VMA, which holds the dma-buf instead. */
	drm_gem_object_put(&bo->base);
	return 0;
}

/**
 * drm_gem_sgt_mmap() - map an object into a process
 * @bo: the object
 * @vma: the VMA to map it into, with the fake offset of the object in vm_pgoff
 *
 * For &drm_gem_object_funcs.mmap, with &drm_gem_sgt_vm_ops. Allocates the pages, but
 * does not keep them: see "CPU mappings". The mapping continues to work after unbind.
 *
 * The VMA of an import is one of the dma-buf: it holds a reference to that, and none
 * to @bo or the DRM file.
 *
 * Context: Process context, may sleep. Called with the mmap lock held.
 * Return:
 * * %0       - success
 * * see drm_sgt_populate()
 * * %-EINVAL - @vma is private and writable
 * * %-EACCES - @vma is writable, but @bo is the import of a dma-buf that was shared
 *   for reading
 * * of an import: an errno of dma_buf_mmap() or the exporter
 */
int drm_gem_sgt_mmap(struct drm_gem_sgt_object *bo, struct vm_area_struct *vma)
{
	struct dma_buf *dma_buf = drm_gem_sgt_import_dma_buf(bo);
	int ret;

	if (vma_is_cow_mapping(vma)) {
		drm_dbg(bo->base.dev, "private writable mapping\n");
		return -EINVAL;
	}

	if (dma_buf)
		return drm_gem_sgt_mmap_import(bo, dma_buf, vma);

	ret = drm_gem_sgt_pin_pages(bo);
	if (ret)
		return ret;

	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = drm_sgt_pgprot(bo->sgt, vm_get_page_prot(vma->vm_flags));
	drm_sgt_unpin_pages(bo->sgt);
	drm_gem_sgt_lru_update(bo);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_mmap);
