// SPDX-License-Identifier: GPL-2.0

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pgtable.h>
#include <linux/shmem_fs.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_vma_manager.h>

#include "drm_gem_sgt_huge.h"
#include "drm_gem_sgt_shrinker.h"
#include "drm_sgt_table.h"
#include "drm_sgt_trace.h"

/**
 * DOC: huge pages
 *
 * With the parameter ``huge_pages`` of the module, which is off by default, the pages of
 * an object come from a tmpfs mount with ``huge=within_size``: wherever a huge page (2 MiB
 * on x86) fits into the object and memory has one, shmem allocates that, and elsewhere
 * small pages. A huge page is one run of the table: DMA segments and the leaves of page
 * tables become larger. Pages that were swapped out come back as small ones.
 *
 * The parameter can be changed at any time (``/sys/module/drm_gem_sgt/parameters``), and
 * holds for objects that are made from then on. It has no effect on objects that are
 * smaller than a huge page, on kernels without huge pages, and where they are denied to
 * shmem (``/sys/kernel/mm/transparent_hugepage/shmem_enabled``).
 *
 * A process maps a huge page with one fault, and as one entry of its page table, where
 * the address is aligned and the whole page is inside the VMA; elsewhere, a fault maps
 * small pages: see "CPU mappings". ``DRM_GEM_SGT_FOPS`` has mmap() of the DRM file choose
 * an aligned address; mmap() of a dma-buf does so where the length is a multiple of a
 * huge page.
 */

bool drm_gem_sgt_huge_pages;
module_param_named(huge_pages, drm_gem_sgt_huge_pages, bool, 0644);
MODULE_PARM_DESC(huge_pages, "Allocate huge pages for large objects (default: false)");

/* NULL without huge pages; constant after init */
static struct vfsmount *drm_gem_sgt_huge_mnt;

/* The file for the pages of an object, as drm_gem_object_init() makes it */
struct file *drm_gem_sgt_file_create(size_t size)
{
	const char *name = "drm mm object";

	if (READ_ONCE(drm_gem_sgt_huge_pages) && drm_gem_sgt_huge_mnt && size >= PMD_SIZE)
		return shmem_file_setup_with_mnt(drm_gem_sgt_huge_mnt, name, size,
						 mk_vma_flags(VMA_NORESERVE_BIT));

	return shmem_file_setup(name, size, mk_vma_flags(VMA_NORESERVE_BIT));
}

/* Small pages serve as well: a kernel that cannot mount it is no reason to fail. */
void __init drm_gem_sgt_huge_init(void)
{
	char options[] = "huge=within_size";
	struct vfsmount *mnt;

	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE))
		return;

	mnt = vfs_kern_mount(get_fs_type("tmpfs"), SB_KERNMOUNT, "drm_gem_sgt", options);
	if (IS_ERR(mnt))
		pr_notice("no huge pages: %pe\n", mnt);
	else
		drm_gem_sgt_huge_mnt = mnt;
}

/* Files that are still being closed hold references of their own. */
void drm_gem_sgt_huge_fini(void)
{
	if (drm_gem_sgt_huge_mnt)
		kern_unmount(drm_gem_sgt_huge_mnt);
}

/* Returns the object at @pgoff of a DRM file, with a reference; NULL if there is none. */
static struct drm_gem_object *drm_gem_sgt_at_offset(struct drm_device *dev,
						    unsigned long pgoff,
						    unsigned long pages)
{
	struct drm_vma_offset_manager *mgr = dev->vma_offset_manager;
	struct drm_vma_offset_node *node;
	struct drm_gem_object *obj = NULL;

	drm_vma_offset_lock_lookup(mgr);
	node = drm_vma_offset_lookup_locked(mgr, pgoff, pages);
	if (node)
		obj = container_of(node, struct drm_gem_object, vma_node);
	/* An object that is being freed has no reference, but is still in the manager. */
	if (obj && !kref_get_unless_zero(&obj->refcount))
		obj = NULL;
	drm_vma_offset_unlock_lookup(mgr);
	return obj;
}

/**
 * drm_gem_sgt_get_unmapped_area() - find an address to map an object at
 * @filp: the DRM file
 * @addr: hint, or 0
 * @len: bytes
 * @pgoff: in pages, from the fake offset of the object on
 * @flags: of mmap()
 *
 * For &file_operations.get_unmapped_area: see DRM_GEM_SGT_FOPS. Shmem aligns the address
 * to a huge page if the object is in shmem and can have such pages. It does not check
 * that the file may map the object: mmap() does, afterwards.
 *
 * Context: Process context, may sleep. Called with the mmap lock held.
 * Return: an address, or a negative errno of the mm
 */
unsigned long drm_gem_sgt_get_unmapped_area(struct file *filp, unsigned long addr,
					    unsigned long len, unsigned long pgoff,
					    unsigned long flags)
{
	struct drm_file *priv = filp->private_data;
	struct drm_gem_object *obj = drm_gem_sgt_at_offset(priv->minor->dev, pgoff,
							   len >> PAGE_SHIFT);
	struct file *shmem = obj ? obj->filp : NULL;
	unsigned long ret;

	/* Fake offsets are not aligned: align to the offset in the object. */
	if (shmem && shmem->f_op->get_unmapped_area)
		ret = shmem->f_op->get_unmapped_area(shmem, addr, len,
						     pgoff - drm_vma_node_start(&obj->vma_node),
						     flags);
	else
		ret = mm_get_unmapped_area(filp, addr, len, pgoff, flags);
	if (obj)
		drm_gem_object_put(obj);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gem_sgt_get_unmapped_area);

/* Whether a huge page of @obj begins at @index, and where; the table is pinned. */
static bool drm_gem_sgt_find_huge(struct drm_gem_object *obj, pgoff_t index,
				  unsigned long *pfn)
{
	struct folio *folio = xa_load(&obj->filp->f_mapping->i_pages, index);

	if (!folio || xa_is_value(folio) || folio_order(folio) < PMD_ORDER ||
	    drm_sgt_folio_is_poisoned(folio))
		return false;

	*pfn = page_to_pfn(folio_file_page(folio, index));
	return IS_ALIGNED(*pfn, BIT(PMD_ORDER));
}

static vm_fault_t drm_gem_sgt_insert_huge(struct vm_fault *vmf, unsigned long addr)
{
	struct vm_area_struct *vma = vmf->vma;
	struct drm_gem_object *obj = vma->vm_private_data;
	struct drm_sgt *sgt = to_drm_gem_sgt_obj(obj)->sgt;
	pgoff_t index = linear_page_index(vma, addr) - drm_vma_node_start(&obj->vma_node);
	pgprot_t prot = drm_sgt_pgprot(sgt, vm_get_page_prot(vma->vm_flags));
	unsigned long pfn;

	/* vmf_insert_pfn_pmd() takes the caching from the VMA: it can be out of date. */
	if (pgprot_val(prot) != pgprot_val(vma->vm_page_prot) ||
	    !drm_gem_sgt_find_huge(obj, index, &pfn))
		return VM_FAULT_FALLBACK;

	return vmf_insert_pfn_pmd(vmf, pfn, false);
}

/*
 * For &vm_operations_struct.huge_fault. The entry is writable if the VMA is, as with small
 * pages. Nothing is changed that is mapped already: another thread can have mapped small
 * pages meanwhile. An entry from before an mprotect() cannot be made writable, so the core
 * drops it, and small pages are mapped.
 */
vm_fault_t drm_gem_sgt_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct drm_gem_object *obj = vmf->vma->vm_private_data;
	struct drm_sgt *sgt = to_drm_gem_sgt_obj(obj)->sgt;
	unsigned long addr = vmf->address & PMD_MASK;
	vm_fault_t ret;

	if (!IS_ENABLED(CONFIG_ARCH_SUPPORTS_PMD_PFNMAP) || order != PMD_ORDER ||
	    !pmd_none(vmf->orig_pmd) || addr < vmf->vma->vm_start ||
	    vmf->vma->vm_end - addr < PMD_SIZE)
		return VM_FAULT_FALLBACK;

	/* drm_gem_sgt_fault() tries again, and reports. */
	if (drm_sgt_pin_pages(sgt))
		return VM_FAULT_FALLBACK;

	ret = drm_gem_sgt_insert_huge(vmf, addr);
	drm_sgt_unpin_pages(sgt);
	trace_drm_gem_sgt_fault(sgt, vmf->pgoff - drm_vma_node_start(&obj->vma_node), order, ret);
	return ret;
}
