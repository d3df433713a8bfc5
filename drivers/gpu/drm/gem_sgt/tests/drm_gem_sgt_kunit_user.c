// SPDX-License-Identifier: GPL-2.0

#include <kunit/test-bug.h>
#include <linux/anon_inodes.h>
#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include <drm/drm_device.h>
#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <drm/drm_vma_manager.h>

#include "drm_gem_sgt_kunit_helpers.h"

/*
 * What other devices and processes do with an object. mmap is in the address space of
 * the case's thread.
 */

/* The last reference to a file is dropped by a work item: wait for it. */
void gem_dma_buf_put(void *buf)
{
	dma_buf_put(buf);
	flush_delayed_fput();
}

struct dma_buf *gem_export(struct gem_kunit *f, struct drm_gem_sgt_object *bo)
{
	struct dma_buf *buf = drm_gem_prime_export(&bo->base, O_RDWR);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(f->test, buf);
	KUNIT_ASSERT_EQ(f->test, 0,
			kunit_add_action_or_reset(f->test, gem_dma_buf_put, buf));
	return buf;
}

struct dma_buf_attachment *gem_attach(struct kunit *test, struct dma_buf *buf)
{
	struct drm_sgt_kunit_device *importer;
	struct dma_buf_attachment *attach;

	importer = drm_sgt_kunit_bind_limits(test, "importer", UINT_MAX, ULONG_MAX);
	attach = dma_buf_attach(buf, importer->dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	return attach;
}

unsigned long gem_user_map(struct kunit *test, struct dma_buf *buf, unsigned long flags)
{
	return kunit_vm_mmap(test, buf->file, 0, buf->size,
			     PROT_READ | PROT_WRITE, flags, 0);
}

unsigned long gem_user_map_shared(struct kunit *test, struct dma_buf *buf)
{
	unsigned long addr = gem_user_map(test, buf, MAP_SHARED);

	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	return addr;
}

/* The bytes from @start to the end of an object, as a process reads them. */
void gem_user_check(struct kunit *test, unsigned long addr, size_t start, u8 seed)
{
	size_t size = GEM_KUNIT_SIZE - start;
	u8 *p = kunit_kzalloc(test, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, 0, copy_from_user(p, (void __user *)(addr + start), size));
	KUNIT_EXPECT_EQ(test, gem_kunit_check(p, start, GEM_KUNIT_SIZE, seed),
			GEM_KUNIT_SIZE);
}

/* The page that is mapped at @addr; NULL if none is mapped yet. */
struct page *gem_user_page(unsigned long addr)
{
	struct follow_pfnmap_args args = { .address = addr };
	struct mm_struct *mm = current->mm;
	struct page *page = NULL;

	mmap_read_lock(mm);
	args.vma = vma_lookup(mm, addr);
	if (args.vma && !follow_pfnmap_start(&args)) {
		page = pfn_to_page(args.pfn);
		follow_pfnmap_end(&args);
	}
	mmap_read_unlock(mm);
	return page;
}

KUNIT_DEFINE_ACTION_WRAPPER(gem_user_fput, fput, struct file *);

/* Closing it leaves the drm_file to the fixture. */
static const struct file_operations gem_user_fops = {
	.mmap = drm_gem_mmap,
};

/* Map an object through a DRM file, which has a handle of it: the object is not shared. */
unsigned long gem_user_map_object(struct gem_kunit *f, struct drm_gem_sgt_object *bo)
{
	struct kunit *test = f->test;
	struct drm_file *priv;
	unsigned long addr;
	struct file *filp;
	u32 handle;

	priv = gem_kunit_open(f);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_handle_create(priv, &bo->base, &handle));
	filp = anon_inode_getfile("kunit", &gem_user_fops, priv, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, gem_user_fput, filp));
	filp->f_mapping = f->drm->anon_inode->i_mapping;

	addr = kunit_vm_mmap(test, filp, 0, bo->base.size, PROT_READ | PROT_WRITE, MAP_SHARED,
			     drm_vma_node_offset_addr(&bo->base.vma_node));
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	return addr;
}
