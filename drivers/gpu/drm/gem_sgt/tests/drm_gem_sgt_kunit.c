// SPDX-License-Identifier: GPL-2.0

#include <linux/pagemap.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_mode.h>
#include <drm/drm_print.h>
#include <drm/drm_vma_manager.h>

#include "drm_gem_sgt_kunit_helpers.h"

/*
 * Creation of GEM objects: sizes, dumb buffers and handles; and what debugfs prints. The
 * use of objects is in drm_gem_sgt_share_kunit.c.
 */

/* 64 bits wide, as some sizes do not fit into the addresses of a 32-bit machine. */
struct gem_size {
	const char *name;
	u64 size;
	int err;
	u64 expected;
};

static const struct gem_size gem_sizes[] = {
	{ "1 byte", 1, 0, PAGE_SIZE },
	{ "a page less a byte", PAGE_SIZE - 1, 0, PAGE_SIZE },
	{ "a page", PAGE_SIZE, 0, PAGE_SIZE },
	{ "a page and a byte", PAGE_SIZE + 1, 0, 2 * PAGE_SIZE },
	{ "3 MiB", 3 * SZ_1M, 0, 3 * SZ_1M },
	{ "8 GiB, without a page of them", 2 * SZ_4G, 0, 2 * SZ_4G },
	{ "0", 0, -EINVAL, 0 },
	{ "2 TiB, more than mmap offsets", 512 * SZ_4G, -ENOSPC, 0 },
	{ "a page more than a table can list", ((u64)INT_MAX + 1) << PAGE_SHIFT, -E2BIG, 0 },
	{ "2^63", BIT_ULL(63), -E2BIG, 0 },
	{ "all there is, in whole pages", SIZE_MAX & PAGE_MASK, -E2BIG, 0 },
	{ "all there is", SIZE_MAX, -E2BIG, 0 },
};

static void gem_size_desc(const struct gem_size *s, char *desc)
{
	strscpy(desc, s->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(gem_size, gem_sizes, gem_size_desc);

/*
 * Sizes are rounded up to pages. Invalid ones are refused with the documented errno, and
 * leave nothing behind. A create allocates no page.
 */
static void gem_create_with_a_size(struct kunit *test)
{
	const struct gem_size *s = test->param_value;
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo;

	if (s->size > SIZE_MAX)
		kunit_skip(test, "a size_t of %zu bytes", sizeof(size_t));
	if (s->err) {
		bo = drm_gem_sgt_create(f->drm, f->d->sdev, s->size);
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(bo), s->err);
		KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).tables, 0);
		return;
	}

	bo = gem_kunit_bo(f, s->size);
	KUNIT_EXPECT_EQ(test, bo->base.size, s->expected);
	KUNIT_EXPECT_EQ(test, drm_sgt_size(bo->sgt), s->expected);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(bo->sgt), DRM_SGT_EMPTY);
	KUNIT_EXPECT_EQ(test, bo->base.filp->f_mapping->nrpages, 0);
	KUNIT_EXPECT_NE(test, drm_vma_node_offset_addr(&bo->base.vma_node), 0);
	KUNIT_EXPECT_NOT_NULL(test, bo->base.funcs);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).tables, 1);
	gem_kunit_bo_free(f, bo);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(f->d->sdev).tables, 0);
}

/* The object and the functions of a driver are used, and its errno is returned. */
static void gem_create_uses_the_object_of_the_driver(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver_with_objects);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);

	KUNIT_EXPECT_EQ(test, f->objects, 1);
	KUNIT_EXPECT_PTR_EQ(test, bo->base.funcs, &gem_kunit_object_funcs);
	gem_kunit_bo_free(f, bo);
	KUNIT_EXPECT_EQ(test, f->objects, 0);

	f->create_object_err = -EACCES;
	bo = drm_gem_sgt_create(f->drm, f->d->sdev, GEM_KUNIT_SIZE);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(bo), -EACCES);
}

/* The handle has the only reference, so its deletion frees the object. */
static void gem_create_with_handle_owns_nothing_itself(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver_with_objects);
	struct drm_file *file = gem_kunit_open(f);
	struct drm_gem_object *obj;
	u32 handle = 0;

	KUNIT_ASSERT_EQ(test, 0,
			drm_gem_sgt_create_with_handle(file, f->drm, f->d->sdev,
						       GEM_KUNIT_SIZE, &handle));
	KUNIT_EXPECT_NE(test, handle, 0);
	obj = drm_gem_object_lookup(file, handle);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	KUNIT_EXPECT_EQ(test, obj->size, GEM_KUNIT_SIZE);
	KUNIT_EXPECT_EQ(test, kref_read(&obj->refcount), 2);
	drm_gem_object_put(obj);
	KUNIT_EXPECT_EQ(test, 0, drm_gem_handle_delete(file, handle));
	KUNIT_EXPECT_EQ(test, f->objects, 0);

	KUNIT_EXPECT_EQ(test, -EINVAL,
			drm_gem_sgt_create_with_handle(file, f->drm, f->d->sdev, 0,
						       &handle));
	KUNIT_EXPECT_EQ(test, f->objects, 0);
}

struct gem_dumb {
	const char *name;
	u32 width, height, bpp, flags;
	int err;
	u32 pitch;
	u64 size;
};

static const struct gem_dumb gem_dumbs[] = {
	{ "1x1, 32 bpp", 1, 1, 32, 0, 0, 4, PAGE_SIZE },
	{ "64x64, 32 bpp", 64, 64, 32, 0, 0, 256, 4 * PAGE_SIZE },
	{ "100x100, 24 bpp", 100, 100, 24, 0, 0, 300, 8 * PAGE_SIZE },
	{ "17x3, 8 bpp", 17, 3, 8, 0, 0, 17, PAGE_SIZE },
	{ "17x3, 1 bpp", 17, 3, 1, 0, 0, 17, PAGE_SIZE },
	{ "1024x1025, 32 bpp", 1024, 1025, 32, 0, 0, 4096, 1025 * 4096 },
	{ "no width", 0, 64, 32, 0, -EINVAL },
	{ "no height", 64, 0, 32, 0, -EINVAL },
	{ "no bpp", 64, 64, 0, 0, -EINVAL },
	{ "flags", 64, 64, 32, 1, -EINVAL },
	{ "the last flag", 64, 64, 32, BIT(31), -EINVAL },
	{ "a pitch of 2^32", BIT(30), 1, 32, 0, -EOVERFLOW },
	{ "the widest", U32_MAX, 1, 32, 0, -EOVERFLOW },
	{ "bpp of all ones", 1, 1, U32_MAX, 0, 0, BIT(29), BIT(29) },
	{ "bpp of 2^32 - 8", 1, 1, U32_MAX - 7, 0, 0, BIT(29) - 1, BIT(29) },
	{ "a size over 32 bits", BIT(20), BIT(12), 32, 0, 0, BIT(22), BIT_ULL(34) },
};

static void gem_dumb_desc(const struct gem_dumb *t, char *desc)
{
	strscpy(desc, t->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(gem_dumb, gem_dumbs, gem_dumb_desc);

/* Dumb buffers: pitch and size are computed; one invalid field at a time is refused. */
static void gem_dumb_args_are_checked(struct kunit *test)
{
	const struct gem_dumb *t = test->param_value;
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_mode_create_dumb args = {
		.width = t->width,
		.height = t->height,
		.bpp = t->bpp,
		.flags = t->flags,
	};
	int err = t->size > SIZE_MAX ? -EOVERFLOW : t->err;

	KUNIT_EXPECT_EQ(test, drm_gem_sgt_dumb_args(f->drm, &args), err);
	if (err)
		return;
	KUNIT_EXPECT_EQ(test, args.pitch, t->pitch);
	KUNIT_EXPECT_EQ(test, args.size, t->size);
	KUNIT_EXPECT_EQ(test, args.width, t->width);
	KUNIT_EXPECT_EQ(test, args.height, t->height);
}

/* A dumb buffer has the computed size; one with invalid arguments is not created. */
static void gem_dumb_create_makes_a_handle(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver_with_objects);
	struct drm_mode_create_dumb args = { .width = 100, .height = 50, .bpp = 32 };
	struct drm_file *file = gem_kunit_open(f);
	struct drm_gem_object *obj;

	KUNIT_ASSERT_EQ(test, 0, f->drm->driver->dumb_create(file, f->drm, &args));
	KUNIT_EXPECT_EQ(test, args.pitch, 400);
	KUNIT_EXPECT_EQ(test, args.size, PAGE_ALIGN(400 * 50));
	obj = drm_gem_object_lookup(file, args.handle);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	KUNIT_EXPECT_EQ(test, obj->size, args.size);
	drm_gem_object_put(obj);

	args.flags = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, f->drm->driver->dumb_create(file, f->drm, &args));
	KUNIT_EXPECT_EQ(test, f->objects, 1);
	/* The close of the file drops the handle, and that frees the object. */
}

static void gem_print_info(struct drm_gem_sgt_object *bo, char *text)
{
	struct drm_print_iterator iter = { .data = text, .remain = PAGE_SIZE };
	struct drm_printer p = drm_coredump_printer(&iter);

	memset(text, 0, PAGE_SIZE);
	bo->base.funcs->print_info(&p, 2, &bo->base);
}

/* debugfs shows the state of an object. */
static void gem_print_info_says_what_there_is(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);
	char *text = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	char expected[64];

	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(bo));
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_pin(bo));
	gem_print_info(bo, text);
	drm_gem_sgt_unpin(bo);

	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\t\tpin_count=1\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\t\tvmap_count=0\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\t\tfolios=5\n"));
	snprintf(expected, sizeof(expected), "\t\tcpu_ents=%u\n\t\tdma_segs=%u\n",
		 bo->sgt->table.orig_nents, bo->sgt->table.nents);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, expected));
}

static void gem_expect_memory(struct kunit *test, struct drm_gem_sgt_object *bo,
			      unsigned long resident, unsigned long mapped)
{
	char *text = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	char expected[64];

	KUNIT_ASSERT_NOT_NULL(test, text);
	gem_print_info(bo, text);
	snprintf(expected, sizeof(expected), "\t\tresident=%lu\n\t\tmapped=%lu\n",
		 resident, mapped);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, expected), "%s", text);
}

/* The memory of an object: what is resident, and what the device sees. */
static void gem_print_info_says_how_much(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);

	gem_expect_memory(test, bo, 0, 0);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(bo->sgt));
	gem_expect_memory(test, bo, GEM_KUNIT_SIZE, 0);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(bo));
	gem_expect_memory(test, bo, GEM_KUNIT_SIZE, GEM_KUNIT_SIZE);
	drm_sgt_kunit_unbind(f->d);
	gem_expect_memory(test, bo, GEM_KUNIT_SIZE, 0);
}

static const unsigned int gem_narrow[] = { 28, 32, 36 };

static void gem_narrow_desc(const unsigned int *bits, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u bits", *bits);
}

KUNIT_ARRAY_PARAM(gem_narrow, gem_narrow, gem_narrow_desc);

static void gem_expect_pages_below(struct kunit *test, struct drm_gem_sgt_object *bo, u64 end)
{
	struct drm_sgt_run_iter iter;
	struct drm_sgt_run run;

	drm_sgt_run_iter_init(&iter, bo->sgt);
	while (drm_sgt_run_iter_next(&iter, &run))
		KUNIT_EXPECT_LE(test, page_to_phys(run.page) + run.nr_pages * PAGE_SIZE, end);
}

/* The pages are where the device can reach them, if the kernel has such a zone. */
static void gem_pages_are_within_reach(struct kunit *test)
{
	unsigned int bits = *(const unsigned int *)test->param_value;
	gfp_t zone = bits < 32 ? GFP_DMA : GFP_DMA32;
	struct gem_kunit *f = gem_kunit_create_on(test, &gem_kunit_driver,
						  drm_sgt_kunit_bind_narrow(test, bits));
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);
	gfp_t mask = mapping_gfp_mask(bo->base.filp->f_mapping);

	KUNIT_EXPECT_EQ(test, (__force u32)drm_sgt_device_zone(f->d->sdev), (__force u32)zone);
	KUNIT_EXPECT_EQ(test, (__force u32)(mask & GFP_ZONEMASK), (__force u32)zone);
	KUNIT_EXPECT_TRUE(test, mask & __GFP_NOWARN);
	/* A skip here would hide a failure of the above. */
	if (!IS_ENABLED(CONFIG_ZONE_DMA) || !IS_ENABLED(CONFIG_ZONE_DMA32))
		return;
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(bo));
	gem_expect_pages_below(test, bo, BIT_ULL(min(bits, 32)));
}

/* A device that can reach all memory gets it from any zone. */
static void gem_pages_are_anywhere(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);

	KUNIT_EXPECT_EQ(test, (__force u32)drm_sgt_device_zone(f->d->sdev), 0);
	KUNIT_EXPECT_EQ(test, (__force u32)mapping_gfp_mask(bo->base.filp->f_mapping),
			(__force u32)(GFP_HIGHUSER | __GFP_RETRY_MAYFAIL | __GFP_NOWARN));
}

/* Resident from the first page to the last, and not before or after. */
static void gem_status_follows_the_pages(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo = gem_kunit_bo(f, GEM_KUNIT_SIZE);
	const struct drm_gem_object_funcs *funcs = bo->base.funcs;

	KUNIT_EXPECT_EQ(test, funcs->status(&bo->base), 0);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_pin(bo));
	KUNIT_EXPECT_EQ(test, funcs->status(&bo->base), DRM_GEM_OBJECT_RESIDENT);
	KUNIT_ASSERT_EQ(test, 0, drm_gem_sgt_map(bo));
	KUNIT_EXPECT_EQ(test, funcs->status(&bo->base), DRM_GEM_OBJECT_RESIDENT);
	drm_gem_sgt_unpin(bo);
	drm_sgt_kunit_unbind(f->d);
	KUNIT_EXPECT_EQ(test, funcs->status(&bo->base), DRM_GEM_OBJECT_RESIDENT);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_depopulate(bo->sgt));
	KUNIT_EXPECT_EQ(test, funcs->status(&bo->base), 0);
}

/* The debugfs table of buffers, read a line at a time. */
struct gem_reader {
	struct drm_gem_sgt_reader reader;
	struct seq_file m;
	char text[512];
	loff_t pos;
	void *v;
};

KUNIT_DEFINE_ACTION_WRAPPER(gem_reader_fini, drm_gem_sgt_reader_fini,
			    struct drm_gem_sgt_reader *);

/* Start a reader, at the heading. */
static struct gem_reader *gem_reader_create(struct kunit *test)
{
	struct gem_reader *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, r);
	drm_gem_sgt_reader_init(&r->reader);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, gem_reader_fini, &r->reader));
	r->m.private = &r->reader;
	r->m.buf = r->text;
	r->m.size = sizeof(r->text);
	r->v = drm_gem_sgt_buffers_sops.start(&r->m, &r->pos);
	KUNIT_EXPECT_PTR_EQ(test, r->v, SEQ_START_TOKEN);
	return r;
}

/* The size in the next line; 0 at the end. */
static unsigned long gem_reader_next(struct kunit *test, struct gem_reader *r)
{
	unsigned long size = 0;

	r->v = drm_gem_sgt_buffers_sops.next(&r->m, r->v, &r->pos);
	if (!r->v)
		return 0;
	memset(r->text, 0, sizeof(r->text));
	r->m.count = 0;
	KUNIT_EXPECT_EQ(test, 0, drm_gem_sgt_buffers_sops.show(&r->m, r->v));
	KUNIT_EXPECT_EQ(test, 1,
			sscanf(r->text, "%*u %*u %lu", &size));
	return size;
}

/* Each object has one line, also if the next one is freed during the read. */
static void gem_buffers_are_listed_once(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_gem_sgt_object *bo[4];
	struct gem_reader *r;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bo); i++)
		bo[i] = gem_kunit_bo(f, (i + 1) * PAGE_SIZE);
	r = gem_reader_create(test);
	KUNIT_EXPECT_EQ(test, gem_reader_next(test, r), PAGE_SIZE);
	gem_kunit_bo_free(f, bo[1]);
	gem_kunit_bo_free(f, bo[0]);
	KUNIT_EXPECT_EQ(test, gem_reader_next(test, r), 3 * PAGE_SIZE);
	/* If the buffer of seq_file was too small, the same line is read again. */
	KUNIT_EXPECT_PTR_EQ(test, drm_gem_sgt_buffers_sops.start(&r->m, &r->pos), r->v);
	KUNIT_EXPECT_EQ(test, gem_reader_next(test, r), 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, gem_reader_next(test, r), 0);
	drm_gem_sgt_buffers_sops.stop(&r->m, r->v);

	r->pos = 0;
	r->v = drm_gem_sgt_buffers_sops.start(&r->m, &r->pos);
	KUNIT_EXPECT_EQ(test, gem_reader_next(test, r), 3 * PAGE_SIZE);
	drm_gem_sgt_buffers_sops.stop(&r->m, r->v);
}

static int gem_make_and_free(void *arg)
{
	struct gem_kunit *f = arg;
	struct drm_gem_sgt_object *bo;

	bo = drm_gem_sgt_create(f->drm, f->d->sdev, GEM_KUNIT_SIZE);
	if (IS_ERR(bo))
		return PTR_ERR(bo);
	drm_gem_object_put(&bo->base);
	return 0;
}

/* A reader in the middle of the table does not block the creation or free of a buffer. */
static void gem_buffers_do_not_wait_for_a_reader(struct kunit *test)
{
	struct gem_kunit *f = gem_kunit_create(test, &gem_kunit_driver);
	struct drm_sgt_kunit_thread *thread;
	struct gem_reader *r;

	gem_kunit_bo(f, PAGE_SIZE);
	r = gem_reader_create(test);
	KUNIT_EXPECT_EQ(test, gem_reader_next(test, r), PAGE_SIZE);
	thread = drm_sgt_kunit_start(test->priv, gem_make_and_free, f);
	if (drm_sgt_kunit_join(thread))
		KUNIT_EXPECT_EQ(test, thread->ret, 0);
	drm_gem_sgt_buffers_sops.stop(&r->m, r->v);
}

/* The context of an operation that runs out of memory. */
struct gem_nomem {
	struct gem_kunit *f;
	struct drm_file *file;
	u32 handle;
};

static int gem_nomem_create(void *arg)
{
	struct gem_nomem *c = arg;

	return drm_gem_sgt_create_with_handle(c->file, c->f->drm, c->f->d->sdev,
					      GEM_KUNIT_SIZE, &c->handle);
}

static void gem_nomem_check_create(void *arg, int ret)
{
	struct gem_nomem *c = arg;

	if (!ret)
		ret = drm_gem_handle_delete(c->file, c->handle);
	else if (ret != -ENOSPC) /* the errno of shmem without an inode */
		KUNIT_EXPECT_EQ(c->f->test, ret, -ENOMEM);
	KUNIT_EXPECT_EQ(c->f->test, drm_sgt_kunit_stats(c->f->d->sdev).tables, 0);
	KUNIT_EXPECT_EQ(c->f->test, c->f->objects, 0);
	/* No mmap offset is left. */
	KUNIT_EXPECT_TRUE(c->f->test,
			  drm_mm_clean(&c->f->drm->vma_offset_manager->vm_addr_space_mm));
}

/* A create that runs out of memory at any allocation leaves nothing behind. */
static void gem_create_without_memory(struct kunit *test)
{
	struct gem_nomem c = {
		.f = gem_kunit_create(test, &gem_kunit_driver_with_objects),
	};

	c.file = gem_kunit_open(c.f);
	drm_sgt_kunit_nomem(test);
	KUNIT_EXPECT_GE(test, drm_sgt_kunit_sweep(test, gem_nomem_create,
						  gem_nomem_check_create, &c), 4);
}

static struct kunit_case drm_gem_sgt_cases[] = {
	KUNIT_CASE_PARAM(gem_create_with_a_size, gem_size_gen_params),
	KUNIT_CASE(gem_create_uses_the_object_of_the_driver),
	KUNIT_CASE(gem_create_with_handle_owns_nothing_itself),
	KUNIT_CASE_PARAM(gem_dumb_args_are_checked, gem_dumb_gen_params),
	KUNIT_CASE(gem_dumb_create_makes_a_handle),
	KUNIT_CASE(gem_print_info_says_what_there_is),
	KUNIT_CASE(gem_print_info_says_how_much),
	KUNIT_CASE_PARAM(gem_pages_are_within_reach, gem_narrow_gen_params),
	KUNIT_CASE(gem_pages_are_anywhere),
	KUNIT_CASE(gem_status_follows_the_pages),
	KUNIT_CASE(gem_buffers_are_listed_once),
	KUNIT_CASE(gem_buffers_do_not_wait_for_a_reader),
	KUNIT_CASE(gem_create_without_memory),
	{}
};

static struct kunit_suite drm_gem_sgt_suite = {
	.name = "drm_gem_sgt",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_gem_sgt_cases,
};

kunit_test_suite(drm_gem_sgt_suite);
