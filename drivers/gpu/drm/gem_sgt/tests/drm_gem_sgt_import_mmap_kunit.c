// SPDX-License-Identifier: GPL-2.0

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_vma_manager.h>

#include "drm_gem_sgt_kunit_helpers.h"
#include "drm_sgt_kunit_exporter.h"

/* Imports that a process maps through the DRM file. */

#define IMPORT_PAGES	6
#define IMPORT_SIZE	(IMPORT_PAGES * PAGE_SIZE)

struct gem_import_mmap {
	struct kunit *test;
	struct gem_kunit *f;
	struct drm_sgt_kunit_exporter *e;
	struct drm_gem_object *obj;
	/* Has a handle of @obj */
	struct drm_file *priv;
	u32 handle;
	/* What a process would have for @priv */
	struct file *filp;
};

KUNIT_DEFINE_ACTION_WRAPPER(gem_mmap_put, drm_gem_object_put, struct drm_gem_object *);
KUNIT_DEFINE_ACTION_WRAPPER(gem_mmap_fput, fput, struct file *);

/* Closing it leaves the drm_file to the fixture. */
static const struct file_operations gem_mmap_fops = {
	.mmap = drm_gem_mmap,
};

static struct gem_import_mmap
gem_import_mmap_create(struct kunit *test, enum drm_sgt_kunit_exporter_kind kind)
{
	struct gem_import_mmap c = { .test = test };

	c.f = gem_kunit_create(test, &gem_kunit_driver_with_objects);
	c.e = drm_sgt_kunit_exporter_create(test, kind, IMPORT_SIZE, c.f->d->dev);
	c.obj = drm_gem_sgt_prime_import(c.f->drm, c.f->d->sdev, c.e->buf, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c.obj);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, gem_mmap_put, c.obj));
	c.priv = gem_kunit_open(c.f);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_handle_create(c.priv, c.obj, &c.handle));
	c.filp = anon_inode_getfile("kunit", &gem_mmap_fops, c.priv, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c.filp);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, gem_mmap_fput, c.filp));
	return c;
}

static int gem_import_offset(struct gem_import_mmap *c, u64 *offset)
{
	return drm_gem_sgt_dumb_map_offset(c->priv, c->f->drm, c->handle, offset);
}

/* An address, or an errno */
static unsigned long gem_import_try_mmap(struct gem_import_mmap *c, size_t size,
					 unsigned long flags)
{
	u64 offset = 0;

	KUNIT_ASSERT_EQ(c->test, 0, gem_import_offset(c, &offset));
	KUNIT_ASSERT_NE(c->test, offset, 0);
	return kunit_vm_mmap(c->test, c->filp, 0, size, PROT_READ | PROT_WRITE, flags, offset);
}

static unsigned long gem_import_mmap(struct gem_import_mmap *c)
{
	unsigned long addr = gem_import_try_mmap(c, IMPORT_SIZE, MAP_SHARED);

	KUNIT_ASSERT_FALSE(c->test, IS_ERR_OR_NULL((void *)addr));
	return addr;
}

static void gem_import_munmap(struct gem_import_mmap *c, unsigned long addr,
			      unsigned long first, unsigned long end)
{
	KUNIT_EXPECT_EQ(c->test, 0, vm_munmap(addr + first * PAGE_SIZE,
					      (end - first) * PAGE_SIZE));
}

/* Write all bytes as a process, and find them in the memory of the exporter. */
static void gem_import_write(struct gem_import_mmap *c, unsigned long addr, u8 seed)
{
	u8 *p = kunit_kzalloc(c->test, IMPORT_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(c->test, p);
	gem_kunit_fill(p, IMPORT_SIZE, seed);
	KUNIT_EXPECT_EQ(c->test, 0, copy_to_user((void __user *)addr, p, IMPORT_SIZE));
	KUNIT_EXPECT_EQ(c->test, gem_kunit_check(c->e->mem, 0, IMPORT_SIZE, seed), IMPORT_SIZE);
}

/* The other way, for the pages from @first up to @end */
static void gem_import_read(struct gem_import_mmap *c, unsigned long addr,
			    unsigned long first, unsigned long end, u8 seed)
{
	size_t start = first * PAGE_SIZE, stop = end * PAGE_SIZE;
	u8 *p = kunit_kzalloc(c->test, stop - start, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(c->test, p);
	gem_kunit_fill(c->e->mem, IMPORT_SIZE, seed);
	KUNIT_EXPECT_EQ(c->test, 0, copy_from_user(p, (void __user *)addr + start,
						   stop - start));
	KUNIT_EXPECT_EQ(c->test, gem_kunit_check(p, start, stop, seed), stop);
}

/* The VMA is the exporter's, from page 0 on, and takes no reference to the object. */
static void gem_import_vma_is_the_exporters(struct kunit *test)
{
	struct gem_import_mmap c = gem_import_mmap_create(test, EXPORTER_CACHED);
	unsigned int refs = kref_read(&c.obj->refcount);
	long files = file_count(c.e->buf->file);
	unsigned long addr = gem_import_mmap(&c);
	struct vm_area_struct *vma;

	KUNIT_EXPECT_EQ(test, c.e->vmas, 1);
	KUNIT_EXPECT_EQ(test, kref_read(&c.obj->refcount), refs);
	KUNIT_EXPECT_EQ(test, file_count(c.e->buf->file), files + 1);
	KUNIT_EXPECT_EQ(test, file_count(c.filp), 1);

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	KUNIT_EXPECT_PTR_EQ(test, vma->vm_file, c.e->buf->file);
	KUNIT_EXPECT_PTR_EQ(test, vma->vm_private_data, c.e);
	KUNIT_EXPECT_EQ(test, vma->vm_pgoff, 0);
	KUNIT_EXPECT_TRUE(test, vma->vm_flags & VM_DONTEXPAND);
	mmap_read_unlock(current->mm);

	gem_import_write(&c, addr, 1);
	gem_import_read(&c, addr, 0, IMPORT_PAGES, 2);
	gem_import_munmap(&c, addr, 0, IMPORT_PAGES);
	KUNIT_EXPECT_EQ(test, c.e->vmas, 0);
}

/* Drivers with an ioctl of their own read the offset, and create none. */
static void gem_import_has_an_offset(struct kunit *test)
{
	struct gem_import_mmap c = gem_import_mmap_create(test, EXPORTER_CACHED);
	u64 offset = drm_vma_node_offset_addr(&c.obj->vma_node), asked = 0;

	KUNIT_EXPECT_NE(test, offset, 0);
	KUNIT_EXPECT_EQ(test, 0, gem_import_offset(&c, &asked));
	KUNIT_EXPECT_EQ(test, offset, asked);
}

/* The offset is the same each time, and only files with a handle may use it. */
static void gem_import_offset_needs_a_handle(struct kunit *test)
{
	struct gem_import_mmap c = gem_import_mmap_create(test, EXPORTER_CACHED);
	struct drm_gem_sgt_object *own = gem_kunit_bo(c.f, GEM_KUNIT_SIZE);
	u64 first = 0, again = 0;
	u32 handle;

	KUNIT_ASSERT_EQ(test, 0, drm_gem_handle_create(c.priv, &own->base, &handle));
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_dumb_map_offset(c.priv, c.f->drm, handle, &first));
	KUNIT_EXPECT_EQ(test, first, drm_vma_node_offset_addr(&own->base.vma_node));
	KUNIT_EXPECT_EQ(test, 0, drm_gem_handle_delete(c.priv, handle));

	KUNIT_ASSERT_EQ(test, 0, gem_import_offset(&c, &first));
	KUNIT_ASSERT_EQ(test, 0, gem_import_offset(&c, &again));
	KUNIT_EXPECT_EQ(test, first, drm_vma_node_offset_addr(&c.obj->vma_node));
	KUNIT_EXPECT_EQ(test, first, again);
	KUNIT_EXPECT_NE(test, first, 0);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_handle_delete(c.priv, c.handle));
	KUNIT_EXPECT_EQ(test, -ENOENT, gem_import_offset(&c, &again));
	KUNIT_EXPECT_EQ(test, -EACCES,
			(long)kunit_vm_mmap(test, c.filp, 0, IMPORT_SIZE, PROT_READ,
					    MAP_SHARED, first));
	KUNIT_EXPECT_EQ(test, c.e->vmas, 0);
}

/* An unbind, and then the end of the object, leave the mapping as it was. */
static void gem_import_mmap_outlives_the_object(struct kunit *test)
{
	struct gem_import_mmap c = gem_import_mmap_create(test, EXPORTER_CACHED);
	unsigned long addr = gem_import_mmap(&c);

	gem_import_write(&c, addr, 3);
	drm_sgt_kunit_unbind(c.f->d);
	drm_sgt_kunit_exporter_check(c.e, 1, 1);
	gem_import_read(&c, addr, 0, IMPORT_PAGES, 4);

	KUNIT_EXPECT_EQ(test, 0, drm_gem_handle_delete(c.priv, c.handle));
	kunit_release_action(test, gem_mmap_put, c.obj);
	KUNIT_EXPECT_EQ(test, c.f->objects, 0);
	gem_import_write(&c, addr, 5);

	/* The VMA has the last reference to the dma-buf. */
	drm_sgt_kunit_exporter_put(c.e);
	flush_delayed_fput();
	KUNIT_EXPECT_FALSE(test, completion_done(&c.e->released));
	gem_import_munmap(&c, addr, 0, IMPORT_PAGES);
	KUNIT_EXPECT_TRUE(test, drm_sgt_kunit_exporter_released(c.e));
}

/* A hole makes two VMAs, each with the pages that it had. */
static void gem_import_mmap_is_split(struct kunit *test)
{
	struct gem_import_mmap c = gem_import_mmap_create(test, EXPORTER_CACHED);
	unsigned int refs = kref_read(&c.obj->refcount);
	unsigned long addr = gem_import_mmap(&c);

	gem_import_munmap(&c, addr, 2, 3);
	KUNIT_EXPECT_EQ(test, c.e->vmas, 2);
	gem_import_read(&c, addr, 0, 2, 6);
	gem_import_read(&c, addr, 3, IMPORT_PAGES, 7);
	gem_import_munmap(&c, addr, 0, 2);
	gem_import_munmap(&c, addr, 3, IMPORT_PAGES);
	KUNIT_EXPECT_EQ(test, c.e->vmas, 0);
	KUNIT_EXPECT_EQ(test, kref_read(&c.obj->refcount), refs);
}

/* What is refused leaves no reference behind. */
static void gem_import_mmap_is_refused(struct kunit *test)
{
	struct gem_import_mmap c = gem_import_mmap_create(test, EXPORTER_CACHED);
	unsigned int refs = kref_read(&c.obj->refcount);
	long files = file_count(c.e->buf->file);

	KUNIT_EXPECT_EQ(test, -EINVAL,
			(long)gem_import_try_mmap(&c, IMPORT_SIZE, MAP_PRIVATE));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			(long)gem_import_try_mmap(&c, IMPORT_SIZE + PAGE_SIZE, MAP_SHARED));
	c.e->fail_mmap = -ENXIO;
	KUNIT_EXPECT_EQ(test, -ENXIO,
			(long)gem_import_try_mmap(&c, IMPORT_SIZE, MAP_SHARED));
	KUNIT_EXPECT_EQ(test, c.e->vmas, 0);
	KUNIT_EXPECT_EQ(test, kref_read(&c.obj->refcount), refs);
	KUNIT_EXPECT_EQ(test, file_count(c.e->buf->file), files);
}

/* What was shared for reading is not written, now or later. */
static void gem_import_mmap_for_reading(struct kunit *test)
{
	struct gem_import_mmap c = gem_import_mmap_create(test, EXPORTER_CACHED);
	unsigned int refs = kref_read(&c.obj->refcount);
	struct vm_area_struct *vma;
	unsigned long addr;
	u64 offset = 0;

	c.e->buf->file->f_mode &= ~FMODE_WRITE;
	KUNIT_EXPECT_EQ(test, -EACCES,
			(long)gem_import_try_mmap(&c, IMPORT_SIZE, MAP_SHARED));
	KUNIT_EXPECT_EQ(test, kref_read(&c.obj->refcount), refs);

	KUNIT_ASSERT_EQ(test, 0, gem_import_offset(&c, &offset));
	addr = kunit_vm_mmap(test, c.filp, 0, IMPORT_SIZE, PROT_READ, MAP_SHARED, offset);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL((void *)addr));
	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	KUNIT_EXPECT_FALSE(test, vma->vm_flags & (VM_WRITE | VM_MAYWRITE));
	mmap_read_unlock(current->mm);
	gem_import_read(&c, addr, 0, IMPORT_PAGES, 8);
	gem_import_munmap(&c, addr, 0, IMPORT_PAGES);
	c.e->buf->file->f_mode |= FMODE_WRITE;
}

/* Where the exporter maps nothing into processes, there is no offset to map. */
static void gem_import_without_mmap(struct kunit *test)
{
	struct gem_import_mmap c = gem_import_mmap_create(test, EXPORTER_PLAIN);
	unsigned int refs = kref_read(&c.obj->refcount);
	u64 offset = 1234;

	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, gem_import_offset(&c, &offset));
	KUNIT_EXPECT_EQ(test, offset, 1234);
	KUNIT_EXPECT_EQ(test, kref_read(&c.obj->refcount), refs);
}

static struct kunit_case drm_gem_sgt_import_mmap_cases[] = {
	KUNIT_CASE(gem_import_vma_is_the_exporters),
	KUNIT_CASE(gem_import_has_an_offset),
	KUNIT_CASE(gem_import_offset_needs_a_handle),
	KUNIT_CASE(gem_import_mmap_outlives_the_object),
	KUNIT_CASE(gem_import_mmap_is_split),
	KUNIT_CASE(gem_import_mmap_is_refused),
	KUNIT_CASE(gem_import_mmap_for_reading),
	KUNIT_CASE(gem_import_without_mmap),
	{}
};

static struct kunit_suite drm_gem_sgt_import_mmap_suite = {
	.name = "drm_gem_sgt_import_mmap",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gem_sgt_import_mmap_cases,
};

kunit_test_suite(drm_gem_sgt_import_mmap_suite);
