// SPDX-License-Identifier: GPL-2.0

#include <kunit/device.h>
#include <linux/dma-mapping.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include "drm_sgt_kunit_helpers.h"

/*
 * The effect of a device shutdown on the tables of the device. Complete drivers are in
 * drm_sgt_driver_kunit.c, two concurrent threads in drm_sgt_races_kunit.c.
 */

static const struct drm_sgt_kunit_piece device_pieces[] = {
	{ 0x100, 3 }, { 0x300, 1 }, { 0x200, 2 },
};

#define DEVICE_SIZE	((3 + 1 + 2) * PAGE_SIZE)

struct device_table {
	struct drm_sgt_kunit_source *source;
	struct drm_sgt *sgt;
};

/* A table of @sdev, in @state. */
static struct device_table device_table_create(struct kunit *test,
					       struct drm_sgt_device *sdev,
					       enum drm_sgt_state state)
{
	struct device_table t;

	t.source = drm_sgt_kunit_source_create(test, device_pieces,
					       ARRAY_SIZE(device_pieces));
	t.sgt = drm_sgt_kunit_sgt(test, sdev, t.source);
	if (state != DRM_SGT_EMPTY)
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(t.sgt));
	if (state == DRM_SGT_MAPPED)
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(t.sgt, DMA_BIDIRECTIONAL));
	return t;
}

/* After the shutdown of its device, a table can do everything except be mapped. */
static void device_check_table_after_end(struct kunit *test, struct device_table *t)
{
	struct drm_sgt_access access = {};

	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_access_begin(t->sgt, &access));
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_sync_for_cpu(t->sgt, 0, DEVICE_SIZE));
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_sync_for_device(t->sgt, 0, DEVICE_SIZE));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_unmap(t->sgt));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_depopulate(t->sgt));
	KUNIT_EXPECT_EQ(test, t->source->pages_out, 0);
	KUNIT_EXPECT_EQ(test, -EINVAL, drm_sgt_map(t->sgt, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, 0, drm_sgt_populate(t->sgt));
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_map(t->sgt, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_map(t->sgt, DMA_TO_DEVICE));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(t->sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_access_begin(t->sgt, &access));
}

static const enum drm_sgt_state device_states[] = {
	DRM_SGT_EMPTY, DRM_SGT_BACKED, DRM_SGT_MAPPED,
};

static void device_state_desc(const enum drm_sgt_state *state, char *desc)
{
	static const char * const name[] = { "EMPTY", "BACKED", "MAPPED" };

	strscpy(desc, name[*state], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(device_state, device_states, device_state_desc);

/* Without a DMA device, a create fails, and does not select physical mode. */
static void device_without_dma_device_is_refused(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "owner");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR_OR_ZERO(devm_drm_sgt_device_create(dev, NULL)));
}

struct device_limits {
	const char *name;
	unsigned int max_segment;
	unsigned long boundary;
	/* 0 if the device is refused */
	unsigned int expected_segment;
	unsigned long expected_boundary;
};

static const struct device_limits device_limits[] = {
	{ "none", UINT_MAX, ULONG_MAX, UINT_MAX & PAGE_MASK, ULONG_MAX },
	{ "64K", SZ_64K, SZ_64K - 1, SZ_64K, SZ_64K - 1 },
	{ "one page", PAGE_SIZE, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE - 1 },
	{ "a page and a half", PAGE_SIZE * 3 / 2, ULONG_MAX, PAGE_SIZE, ULONG_MAX },
	{ "the defaults of the DMA API", 0, 0, SZ_64K, ULONG_MAX },
	{ "less than a page", PAGE_SIZE - 1, ULONG_MAX, 0, 0 },
	{ "boundary of less than a page", SZ_64K, PAGE_SIZE / 2 - 1, 0, 0 },
	{ "boundary that is no mask", SZ_64K, SZ_64K, 0, 0 },
};

static void device_limits_desc(const struct device_limits *l, char *desc)
{
	strscpy(desc, l->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(device_limits, device_limits, device_limits_desc);

/*
 * The limits are those of the DMA device, rounded down to pages. A device that cannot take
 * a page is refused. They are read once: later changes are ignored.
 */
static void device_has_the_limits_of_the_dma_device(struct kunit *test)
{
	const struct device_limits *l = test->param_value;
	struct drm_sgt_device *sdev;
	struct device *dev;

	dev = drm_sgt_kunit_dma_device(test, "owner", l->max_segment, l->boundary);
	sdev = devm_drm_sgt_device_create(dev, dev);
	if (!l->expected_segment) {
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sdev), -EINVAL);
		return;
	}
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sdev);
	dma_set_max_seg_size(dev, SZ_1M);
	KUNIT_EXPECT_EQ(test, sdev->limits.max_segment, l->expected_segment);
	KUNIT_EXPECT_EQ(test, sdev->limits.boundary, l->expected_boundary);
}

/* The entries of a table keep to the limits of its device. */
static void device_limits_reach_its_tables(struct kunit *test)
{
	struct drm_sgt_kunit_device *d;
	struct device_table t;
	struct drm_sgt_info info;

	d = drm_sgt_kunit_bind_limits(test, "sgt", PAGE_SIZE, ULONG_MAX);
	t = device_table_create(test, d->sdev, DRM_SGT_BACKED);
	drm_sgt_get_info(t.sgt, &info);
	KUNIT_EXPECT_EQ(test, info.cpu_ents, DEVICE_SIZE / PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, info.runs, ARRAY_SIZE(device_pieces));
}

/*
 * When unbind returns, a table in any state has no mapping, and keeps the pages that it
 * had.
 */
static void device_unbind_ends_mappings(struct kunit *test)
{
	enum drm_sgt_state state = *(const enum drm_sgt_state *)test->param_value;
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	bool mapped = state == DRM_SGT_MAPPED;
	struct drm_sgt_kunit *ctx = test->priv;
	struct drm_sgt_device_stats stats;
	struct device_table t;

	drm_sgt_kunit_stub_dma(ctx);
	t = device_table_create(test, d->sdev, state);
	drm_sgt_kunit_unbind(d);

	stats = drm_sgt_kunit_stats(d->sdev);
	KUNIT_EXPECT_EQ(test, ctx->unmaps, mapped);
	KUNIT_EXPECT_EQ(test, stats.mapped, 0);
	KUNIT_EXPECT_EQ(test, stats.bytes_mapped, 0);
	KUNIT_EXPECT_EQ(test, stats.revoked, mapped);
	KUNIT_EXPECT_EQ(test, stats.unmaps, mapped);
	KUNIT_EXPECT_EQ(test, stats.tables, 1);
	KUNIT_EXPECT_EQ(test, stats.grace_periods, 1);
	KUNIT_EXPECT_TRUE(test, stats.gone);
	KUNIT_EXPECT_TRUE(test, drm_sgt_device_is_gone(d->sdev));
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(t.sgt), mapped ? DRM_SGT_BACKED : state);
	KUNIT_EXPECT_EQ(test, atomic_read(&t.sgt->readers), DRM_SGT_NO_READERS);
	KUNIT_EXPECT_EQ(test, t.source->puts, 0);

	device_check_table_after_end(test, &t);
	drm_sgt_kunit_free_now(test, t.sgt);
	KUNIT_EXPECT_EQ(test, t.source->releases, 1);
	KUNIT_EXPECT_EQ(test, ctx->maps, mapped);
	KUNIT_EXPECT_EQ(test, ctx->unmaps, mapped);
}

/* The same with the real DMA API, and by unregistering the device. */
static void device_unregister_ends_mappings(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct drm_sgt *sgt;
	void *buf;

	buf = vmalloc(DEVICE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	sgt = drm_sgt_create_vmalloc(d->sdev, buf, DEVICE_SIZE);
	if (IS_ERR(sgt))
		vfree(buf);
	drm_sgt_kunit_free_later(test, sgt);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(sgt, DMA_BIDIRECTIONAL));

	/* The table keeps it alive, without a driver and an entry in sysfs. */
	d->bound = false;
	kunit_device_unregister(test, d->dev);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(d->sdev).mapped, 0);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(sgt), DRM_SGT_BACKED);
	memset(buf, 0x5a, DEVICE_SIZE);
	KUNIT_EXPECT_EQ(test, -ENODEV, drm_sgt_map(sgt, DMA_BIDIRECTIONAL));
}

/*
 * A shutdown by the driver ends the mappings. A second one, and the later release of the
 * devres entry, do nothing: there is one grace period in total.
 */
static void device_shutdown_happens_once(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct drm_sgt_kunit *ctx = test->priv;
	struct device_table t;

	drm_sgt_kunit_stub_dma(ctx);
	t = device_table_create(test, d->sdev, DRM_SGT_MAPPED);
	KUNIT_EXPECT_FALSE(test, drm_sgt_device_is_gone(d->sdev));

	drm_sgt_device_shutdown(d->sdev);
	KUNIT_EXPECT_EQ(test, ctx->unmaps, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(d->sdev).grace_periods, 1);
	device_check_table_after_end(test, &t);

	drm_sgt_device_shutdown(d->sdev);
	drm_sgt_kunit_unbind(d);
	KUNIT_EXPECT_EQ(test, ctx->unmaps, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(d->sdev).grace_periods, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(d->sdev).revoked, 1);
}

/* A source of pages that does not track them. */
static int device_plain_get(void *source, struct drm_sgt_builder *builder, u64 size)
{
	return drm_sgt_builder_add(builder, pfn_to_page(0x100), size >> PAGE_SHIFT);
}

static const struct drm_sgt_pages_ops device_plain_ops = {
	.name = "plain",
	.get = device_plain_get,
};

struct device_many {
	unsigned int nr;
	struct drm_sgt *sgt[];
};

static void device_many_free(void *data)
{
	struct device_many *many = data;
	unsigned int i;

	for (i = 0; i < many->nr; i++)
		drm_sgt_free(many->sgt[i]);
	kvfree(many);
}

/* Mapped tables, without a KUnit action for each, which would make lookups slow. */
static struct device_many *device_many_create(struct kunit *test,
					      struct drm_sgt_device *sdev, unsigned int nr)
{
	struct device_many *many = kvzalloc(struct_size(many, sgt, nr), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, many);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, device_many_free, many));
	while (many->nr < nr) {
		struct drm_sgt *sgt;

		sgt = drm_sgt_create(sdev, &device_plain_ops, NULL, DEVICE_SIZE);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
		many->sgt[many->nr++] = sgt;
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_populate(sgt));
		KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(sgt, DMA_BIDIRECTIONAL));
	}
	return many;
}

static const unsigned int device_numbers[] = { 1, 10, 1000, 10000 };

static void device_number_desc(const unsigned int *nr, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u tables", *nr);
}

KUNIT_ARRAY_PARAM(device_number, device_numbers, device_number_desc);

/* With any number of mapped tables, each is unmapped once, after one grace period. */
static void device_unbind_waits_once_for_many(struct kunit *test)
{
	unsigned int nr = *(const unsigned int *)test->param_value, i;
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct drm_sgt_kunit *ctx = test->priv;
	struct drm_sgt_device_stats stats;
	struct device_many *many;

	drm_sgt_kunit_stub_dma(ctx);
	many = device_many_create(test, d->sdev, nr);
	stats = drm_sgt_kunit_stats(d->sdev);
	KUNIT_EXPECT_EQ(test, ctx->maps, nr);
	KUNIT_EXPECT_EQ(test, stats.mapped, nr);
	KUNIT_EXPECT_EQ(test, stats.bytes_mapped, nr * DEVICE_SIZE);
	KUNIT_EXPECT_EQ(test, stats.grace_periods, 0);

	drm_sgt_kunit_unbind(d);
	stats = drm_sgt_kunit_stats(d->sdev);
	KUNIT_EXPECT_EQ(test, ctx->unmaps, nr);
	KUNIT_EXPECT_EQ(test, stats.mapped, 0);
	KUNIT_EXPECT_EQ(test, stats.bytes_mapped, 0);
	KUNIT_EXPECT_EQ(test, stats.revoked, nr);
	KUNIT_EXPECT_EQ(test, stats.tables, nr);
	KUNIT_EXPECT_EQ(test, stats.grace_periods, 1);
	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, drm_sgt_get_state(many->sgt[i]), DRM_SGT_BACKED);
}

/* A table that is created after unbind can have pages, but no mapping. */
static void device_that_is_gone_still_makes_tables(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	struct device_table t;

	drm_sgt_kunit_unbind(d);
	t = device_table_create(test, d->sdev, DRM_SGT_BACKED);
	device_check_table_after_end(test, &t);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(d->sdev).maps, 0);
}

/*
 * The structure lives until its last table is freed. Then it also drops its reference to
 * the DMA device.
 */
static void device_lives_as_long_as_its_tables(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	unsigned int refs = kref_read(&d->dev->kobj.kref);
	struct device_table t;

	t = device_table_create(test, d->sdev, DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, kref_read(&d->sdev->refcount), 3);
	drm_sgt_kunit_unbind(d);
	KUNIT_EXPECT_EQ(test, kref_read(&d->sdev->refcount), 2);
	KUNIT_EXPECT_GE(test, kref_read(&d->dev->kobj.kref), 2);
	KUNIT_EXPECT_LE(test, kref_read(&d->dev->kobj.kref), refs);
	KUNIT_EXPECT_PTR_EQ(test, d->sdev->dma_dev, d->dev);

	drm_sgt_kunit_free_now(test, t.sgt);
	KUNIT_EXPECT_EQ(test, kref_read(&d->sdev->refcount), 1);
}

/* Each get needs a put; NULL is ignored. */
static void device_references_are_counted(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);

	KUNIT_EXPECT_PTR_EQ(test, drm_sgt_device_get(d->sdev), d->sdev);
	KUNIT_EXPECT_EQ(test, kref_read(&d->sdev->refcount), 3);
	drm_sgt_device_put(d->sdev);
	KUNIT_EXPECT_EQ(test, kref_read(&d->sdev->refcount), 2);
	drm_sgt_device_put(NULL);
}

/* An owner, and a device of another driver that does the DMA for it. */
struct device_pair {
	struct drm_sgt_kunit_device *other;
	struct device *owner;
	struct drm_sgt_device *sdev;
	struct device_table t;
};

static struct device_pair device_pair_create(struct kunit *test)
{
	struct device_pair p = {
		.other = drm_sgt_kunit_bind(test),
		.owner = kunit_device_register(test, "owner"),
	};

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p.owner);
	p.sdev = devm_drm_sgt_device_create(p.owner, p.other->dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p.sdev);
	KUNIT_EXPECT_PTR_EQ(test, p.sdev->dma_dev, p.other->dev);
	KUNIT_EXPECT_FALSE(test, drm_sgt_device_is_phys(p.sdev));
	KUNIT_EXPECT_NE(test, drm_sgt_device_id(p.sdev), drm_sgt_device_id(p.other->sdev));
	drm_sgt_kunit_watch(test, p.sdev);
	drm_sgt_kunit_stub_dma(test->priv);
	p.t = device_table_create(test, p.sdev, DRM_SGT_MAPPED);
	return p;
}

/* With a separate DMA device, the unbind of the owner ends the mappings. */
static void device_ends_with_its_owner(struct kunit *test)
{
	struct device_pair p = device_pair_create(test);
	struct drm_sgt_kunit *ctx = test->priv;

	device_release_driver(p.owner);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(p.t.sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, ctx->unmaps, 1);
	/* It also removes the device link between the two. */
	KUNIT_EXPECT_TRUE(test, list_empty(&p.owner->links.suppliers));
	KUNIT_EXPECT_NOT_NULL(test, p.other->dev->driver);
}

/* An unbind of the DMA device leaves no mapping on it: it unbinds the owner first. */
static void device_ends_with_its_dma_device(struct kunit *test)
{
	struct device_pair p = device_pair_create(test);
	struct drm_sgt_kunit *ctx = test->priv;

	drm_sgt_kunit_unbind(p.other);
	KUNIT_EXPECT_NULL(test, p.owner->driver);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(p.t.sgt), DRM_SGT_BACKED);
	KUNIT_EXPECT_EQ(test, ctx->unmaps, 1);
	KUNIT_EXPECT_TRUE(test, drm_sgt_device_is_gone(p.sdev));
}

/* The same for the device that imports of a device in physical mode hang on. */
static void device_ends_with_its_bus_device(struct kunit *test)
{
	struct drm_sgt_kunit_device *bus = drm_sgt_kunit_bind(test);
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind_phys(test, bus->dev);

	d->bound = false;
	drm_sgt_kunit_unbind(bus);
	KUNIT_EXPECT_NULL(test, d->dev->driver);
	KUNIT_EXPECT_TRUE(test, drm_sgt_device_is_gone(d->sdev));
}

/* If the driver of the DMA device is not bound yet, probe is deferred. */
static void device_waits_for_the_driver_of_its_dma_device(struct kunit *test)
{
	struct drm_sgt_kunit_device *other = drm_sgt_kunit_bind(test);
	struct device *owner = kunit_device_register(test, "owner");
	struct drm_sgt_device *sdev;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, owner);
	drm_sgt_kunit_unbind(other);
	sdev = devm_drm_sgt_device_create(owner, other->dev);
	KUNIT_EXPECT_EQ(test, -EPROBE_DEFER, PTR_ERR_OR_ZERO(sdev));
	sdev = devm_drm_sgt_device_create_phys(owner, other->dev);
	KUNIT_EXPECT_EQ(test, -EPROBE_DEFER, PTR_ERR_OR_ZERO(sdev));
}

/* A DMA device that is an ancestor of the owner needs neither a link nor a driver. */
static void device_needs_no_link_to_an_ancestor(struct kunit *test)
{
	struct device *owner = kunit_device_register(test, "owner");
	struct drm_sgt_device *sdev;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, owner);
	KUNIT_ASSERT_NOT_NULL(test, owner->parent);
	KUNIT_ASSERT_NULL(test, owner->parent->driver);
	sdev = devm_drm_sgt_device_create_phys(owner, owner->parent);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, sdev);
	KUNIT_EXPECT_TRUE(test, list_empty(&owner->links.suppliers));
	/* The other way round, a link is not possible either. */
	sdev = devm_drm_sgt_device_create_phys(owner->parent, owner);
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR_OR_ZERO(sdev));
}

/* In physical mode the DMA API is not called, and unbind ends mappings in the same way. */
static void device_in_physical_mode_ends_too(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind_phys(test, NULL);
	struct device_table t;

	KUNIT_EXPECT_TRUE(test, drm_sgt_device_is_phys(d->sdev));
	KUNIT_EXPECT_EQ(test, d->sdev->limits.max_segment, UINT_MAX & PAGE_MASK);
	KUNIT_EXPECT_EQ(test, d->sdev->limits.boundary, ULONG_MAX);
	/* No stubs: the pages do not exist, so a call of the DMA API would fail. */
	t = device_table_create(test, d->sdev, DRM_SGT_MAPPED);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(d->sdev).mapped, 1);
	drm_sgt_kunit_unbind(d);
	KUNIT_EXPECT_EQ(test, drm_sgt_kunit_stats(d->sdev).revoked, 1);
	KUNIT_EXPECT_EQ(test, drm_sgt_get_state(t.sgt), DRM_SGT_BACKED);
	device_check_table_after_end(test, &t);
}

/*
 * debugfs
 */

#define DEVICE_SHOW_SIZE	SZ_16K

/* The line of @sdev in the table of devices. */
static char *device_show(struct kunit *test, struct drm_sgt_device *sdev)
{
	struct seq_file m = { .size = DEVICE_SHOW_SIZE };
	char *line, *text, number[16];

	text = kunit_kzalloc(test, DEVICE_SHOW_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, text);
	m.buf = text;
	drm_sgt_device_show_all(&m);
	KUNIT_ASSERT_FALSE(test, seq_has_overflowed(&m));
	KUNIT_ASSERT_EQ(test, 0, strncmp(text, "id ", 3));
	scnprintf(number, sizeof(number), "%u ", drm_sgt_device_id(sdev));
	while ((line = strsep(&text, "\n")))
		if (str_has_prefix(line, number))
			return line;
	KUNIT_FAIL_AND_ABORT(test, "device %u is not listed", drm_sgt_device_id(sdev));
	return NULL;
}

/* debugfs shows the counters, also of a device that is gone. */
static void device_is_shown_as_it_is(struct kunit *test)
{
	struct drm_sgt_kunit_device *d = drm_sgt_kunit_bind(test);
	char owner[64], dma[64], mode[8], state[8];
	unsigned long tables, mapped, bytes;
	unsigned int id, maps, unmaps, revoked;
	struct device_table t;
	const char *line;

	drm_sgt_kunit_stub_dma(test->priv);
	t = device_table_create(test, d->sdev, DRM_SGT_MAPPED);
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_unmap(t.sgt));
	KUNIT_ASSERT_EQ(test, 0, drm_sgt_map(t.sgt, DMA_TO_DEVICE));

	line = device_show(test, d->sdev);
	KUNIT_ASSERT_EQ(test, 11,
			sscanf(line, "%u %63s %63s %7s %7s %lu %lu %lu %u %u %u", &id,
			       owner, dma, mode, state, &tables, &mapped, &bytes,
			       &maps, &unmaps, &revoked));
	KUNIT_EXPECT_STREQ(test, owner, dev_name(d->dev));
	KUNIT_EXPECT_STREQ(test, dma, dev_name(d->dev));
	KUNIT_EXPECT_STREQ(test, mode, "dma");
	KUNIT_EXPECT_STREQ(test, state, "live");
	KUNIT_EXPECT_EQ(test, tables, 1);
	KUNIT_EXPECT_EQ(test, mapped, 1);
	KUNIT_EXPECT_EQ(test, bytes, DEVICE_SIZE);
	KUNIT_EXPECT_EQ(test, maps, 2);
	KUNIT_EXPECT_EQ(test, unmaps, 1);
	KUNIT_EXPECT_EQ(test, revoked, 0);

	drm_sgt_kunit_unbind(d);
	line = device_show(test, d->sdev);
	KUNIT_ASSERT_EQ(test, 11,
			sscanf(line, "%u %63s %63s %7s %7s %lu %lu %lu %u %u %u", &id,
			       owner, dma, mode, state, &tables, &mapped, &bytes,
			       &maps, &unmaps, &revoked));
	KUNIT_EXPECT_STREQ(test, state, "gone");
	KUNIT_EXPECT_EQ(test, tables, 1);
	KUNIT_EXPECT_EQ(test, mapped, 0);
	KUNIT_EXPECT_EQ(test, bytes, 0);
	KUNIT_EXPECT_EQ(test, unmaps, 2);
	KUNIT_EXPECT_EQ(test, revoked, 1);
}

static struct kunit_case drm_sgt_device_cases[] = {
	KUNIT_CASE(device_without_dma_device_is_refused),
	KUNIT_CASE_PARAM(device_has_the_limits_of_the_dma_device, device_limits_gen_params),
	KUNIT_CASE(device_limits_reach_its_tables),
	KUNIT_CASE_PARAM(device_unbind_ends_mappings, device_state_gen_params),
	KUNIT_CASE(device_unregister_ends_mappings),
	KUNIT_CASE(device_shutdown_happens_once),
	KUNIT_CASE_PARAM(device_unbind_waits_once_for_many, device_number_gen_params),
	KUNIT_CASE(device_that_is_gone_still_makes_tables),
	KUNIT_CASE(device_lives_as_long_as_its_tables),
	KUNIT_CASE(device_references_are_counted),
	KUNIT_CASE(device_ends_with_its_owner),
	KUNIT_CASE(device_ends_with_its_dma_device),
	KUNIT_CASE(device_ends_with_its_bus_device),
	KUNIT_CASE(device_waits_for_the_driver_of_its_dma_device),
	KUNIT_CASE(device_needs_no_link_to_an_ancestor),
	KUNIT_CASE(device_in_physical_mode_ends_too),
	KUNIT_CASE(device_is_shown_as_it_is),
	{}
};

static struct kunit_suite drm_sgt_device_suite = {
	.name = "drm_sgt_device",
	.init = drm_sgt_kunit_init,
	.test_cases = drm_sgt_device_cases,
};

kunit_test_suite(drm_sgt_device_suite);
