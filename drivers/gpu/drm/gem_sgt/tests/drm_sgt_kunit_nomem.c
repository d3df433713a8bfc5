// SPDX-License-Identifier: GPL-2.0

#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/sched.h>

#include "drm_sgt_kunit_helpers.h"

/*
 * Failing allocations, by fault injection: see fail-nth in
 * Documentation/fault-injection/fault-injection.rst.
 */

#ifdef CONFIG_FAULT_INJECTION
static void drm_sgt_kunit_fail_nth(unsigned int n)
{
	WRITE_ONCE(current->fail_nth, n);
}

/* Has the nth allocation failed? */
static bool drm_sgt_kunit_has_failed(void)
{
	return !READ_ONCE(current->fail_nth);
}
#else
static void drm_sgt_kunit_fail_nth(unsigned int n)
{
}

static bool drm_sgt_kunit_has_failed(void)
{
	return false;
}
#endif

/*
 * Knobs of fault injection that can only be set in debugfs. Their defaults exclude most of
 * our allocations, and print a backtrace for each of the others.
 */
static const struct drm_sgt_kunit_knob {
	const char *parent;
	const char *dir;
	const char *file;
	size_t size;
} drm_sgt_kunit_knobs[] = {
	{ NULL, "failslab", "ignore-gfp-wait", sizeof(bool) },
	{ NULL, "failslab", "verbose", sizeof(unsigned long) },
	{ NULL, "fail_page_alloc", "ignore-gfp-wait", sizeof(bool) },
	{ NULL, "fail_page_alloc", "ignore-gfp-highmem", sizeof(bool) },
	{ NULL, "fail_page_alloc", "min-order", sizeof(u32) },
	{ NULL, "fail_page_alloc", "verbose", sizeof(unsigned long) },
	{ "drm_gem_sgt", "fail_dma_map", "verbose", sizeof(unsigned long) },
};

/* The address of each knob, and its value before. */
struct drm_sgt_kunit_knobs {
	void *value[ARRAY_SIZE(drm_sgt_kunit_knobs)];
	unsigned long was[ARRAY_SIZE(drm_sgt_kunit_knobs)];
};

/* The private data of a debugfs file with one value is a pointer to it. */
static void *drm_sgt_kunit_knob_find(const struct drm_sgt_kunit_knob *knob)
{
	struct dentry *parent = NULL, *dir, *file;
	void *value = NULL;

	if (knob->parent) {
		parent = debugfs_lookup(knob->parent, NULL);
		if (!parent)
			return NULL;
	}
	dir = debugfs_lookup(knob->dir, parent);
	dput(parent);
	if (!dir)
		return NULL;
	file = debugfs_lookup(knob->file, dir);
	if (file) {
		value = d_inode(file)->i_private;
		dput(file);
	}
	dput(dir);
	return value;
}

static void drm_sgt_kunit_knobs_restore(void *data)
{
	struct drm_sgt_kunit_knobs *k = data;
	unsigned int i;

	drm_sgt_kunit_fail_nth(0);
	for (i = 0; i < ARRAY_SIZE(drm_sgt_kunit_knobs); i++)
		if (k->value[i])
			memcpy(k->value[i], &k->was[i], drm_sgt_kunit_knobs[i].size);
}

/* From here to the end of the case, any allocation can fail, without a backtrace. */
void drm_sgt_kunit_nomem(struct kunit *test)
{
	struct drm_sgt_kunit_knobs *k = kunit_kzalloc(test, sizeof(*k), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, k);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, drm_sgt_kunit_knobs_restore, k));
	for (i = 0; i < ARRAY_SIZE(drm_sgt_kunit_knobs); i++) {
		const struct drm_sgt_kunit_knob *knob = &drm_sgt_kunit_knobs[i];
		void *value = drm_sgt_kunit_knob_find(knob);

		if (!value)
			kunit_skip(test, "needs %s in debugfs", knob->dir);
		memcpy(&k->was[i], value, knob->size);
		memset(value, 0, knob->size);
		k->value[i] = value;
	}
}
EXPORT_SYMBOL_GPL(drm_sgt_kunit_nomem);

/* More allocations than any operation here makes. */
#define DRM_SGT_KUNIT_ALLOCATIONS	2000

/**
 * drm_sgt_kunit_sweep() - let each allocation of @op fail in turn
 * @test: the case, which has called drm_sgt_kunit_nomem()
 * @op: returns 0, or an errno after it has undone everything
 * @check: checks that after an errno; undoes @op after 0
 * @arg: for both
 *
 * Calls @op until no allocation is left that can fail. Some failures do not matter:
 * when the allocator asks for more than it needs and tries again, or when kmemleak
 * allocates memory of its own. The number of those of kmemleak varies, so that
 * sometimes an allocation of @op is skipped.
 *
 * Return: number of failures of @op; with kmemleak, number of failed allocations
 */
unsigned int drm_sgt_kunit_sweep(struct kunit *test, int (*op)(void *arg),
				 void (*check)(void *arg, int ret), void *arg)
{
	unsigned int n, failures = 0;
	bool failed = true;

	for (n = 1; failed && n < DRM_SGT_KUNIT_ALLOCATIONS; n++) {
		int ret;

		drm_sgt_kunit_fail_nth(n);
		ret = op(arg);
		failed = drm_sgt_kunit_has_failed();
		drm_sgt_kunit_fail_nth(0);

		if (!failed)
			KUNIT_EXPECT_EQ_MSG(test, ret, 0, "no allocation has failed");
		failures += !!ret;
		check(arg, ret);
	}
	KUNIT_EXPECT_LT(test, n, DRM_SGT_KUNIT_ALLOCATIONS);
	kunit_info(test, "%u allocations, %u failures", n - 2, failures);
	KUNIT_EXPECT_GT(test, failures, 0);
	return IS_ENABLED(CONFIG_DEBUG_KMEMLEAK) ? n - 2 : failures;
}
EXPORT_SYMBOL_GPL(drm_sgt_kunit_sweep);
