// SPDX-License-Identifier: GPL-2.0

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/moduleparam.h>
#include <linux/mount.h>
#include <linux/pgtable.h>
#include <linux/shmem_fs.h>

#include "drm_gem_sgt_huge.h"

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
						 VM_NORESERVE);

	return shmem_file_setup(name, size, VM_NORESERVE);
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
