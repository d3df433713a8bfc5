// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/iommu.h>
#include <linux/mmap_lock.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "drm_sgt_device.h"

/**
 * DOC: device lifetime
 *
 * A &struct drm_sgt_device stands for one bound device. Two devices stand
 * behind it. The *owner* is the one that the driver is bound to: its unbind
 * ends every mapping. The *DMA device* is the one that the mappings are made
 * for. They are the same for most drivers, and differ for virtio, where the
 * driver is bound to a virtio device and the DMA is done by the PCI device
 * above it. One that is not above the owner is unbound after it: the driver core
 * is told by a device link.
 *
 * All mappings of a device hang on one list, and the owner has one devres
 * entry, whatever the number of buffers: removing a devres entry is a linear
 * search, so one for each buffer would make freeing them quadratic.
 *
 * A software driver has no DMA device, and no table is mapped for it. All else is
 * as for any other driver: see devm_drm_sgt_device_create_none().
 *
 * A driver calls drm_sgt_device_shutdown() last in its remove callback, when
 * the hardware is stopped. The devres entry does the same again, for drivers
 * whose probe failed half way; there it finds nothing left to do.
 */

static DEFINE_MUTEX(drm_sgt_devices_lock);
static LIST_HEAD(drm_sgt_devices);
static unsigned int drm_sgt_next_id;

/* drm_sgt_devices_lock protects the list and the next id. */
static void drm_sgt_device_publish(struct drm_sgt_device *sdev)
{
	mutex_lock(&drm_sgt_devices_lock);
	sdev->id = drm_sgt_next_id++;
	list_add_tail(&sdev->entry, &drm_sgt_devices);
	mutex_unlock(&drm_sgt_devices_lock);
}

static void drm_sgt_device_release(struct kref *kref)
{
	struct drm_sgt_device *sdev = container_of(kref, struct drm_sgt_device,
						   refcount);

	mutex_lock(&drm_sgt_devices_lock);
	list_del(&sdev->entry);
	mutex_unlock(&drm_sgt_devices_lock);

	WARN_ON_ONCE(sdev->stats.mapped);
	cleanup_srcu_struct(&sdev->srcu);
	mutex_destroy(&sdev->shutdown_lock);
	put_device(sdev->bus_dev);
	put_device(sdev->dma_dev);
	kfree(sdev->owner);
	kfree(sdev);
}

/* The devres entry of the owner: the backstop of drm_sgt_device_shutdown(). */
static void drm_sgt_device_unbound(void *data)
{
	struct drm_sgt_device *sdev = data;

	drm_sgt_device_shutdown(sdev);
	drm_sgt_device_put(sdev);
}

/*
 * Tell lockdep that a wait for all access sections nests inside the mmap lock.
 * No wait does, but lockdep then reports a section that takes the mmap lock. Such
 * a section faults on user memory, and userfaultfd can hold up the fault, and with
 * it an unbind, for ever.
 */
static void drm_sgt_device_prime_lockdep(struct drm_sgt_device *sdev)
{
	/* A kernel thread, which can run a probe, has no mm. */
	if (!IS_ENABLED(CONFIG_LOCKDEP) || !current->mm)
		return;

	mmap_read_lock(current->mm);
	srcu_lock_sync(&sdev->srcu.dep_map);
	mmap_read_unlock(current->mm);
}

/*
 * Without a DMA device, the device sets no limits. But importers map copies of our
 * tables, and with bounce buffers an entry must fit into one.
 */
int drm_sgt_limits_init(struct drm_sgt_limits *limits, struct device *owner,
			struct device *dma_dev)
{
	/* 0 is "no limit", as in drm_prime_pages_to_sg(). */
	size_t max = dma_max_mapping_size(dma_dev ?: owner) ?: UINT_MAX;

	limits->boundary = ULONG_MAX;
	if (dma_dev) {
		max = min_t(size_t, max, dma_get_max_seg_size(dma_dev));
		limits->boundary = dma_get_seg_boundary(dma_dev);
	}
	limits->max_segment = round_down(min_t(size_t, max, UINT_MAX), PAGE_SIZE);

	/* A boundary is a mask: one less than a power of two. */
	if (!limits->max_segment || limits->boundary < PAGE_SIZE - 1 ||
	    limits->boundary & (limits->boundary + 1)) {
		dev_dbg(owner, "segments of %u bytes, boundary %#lx: no page fits\n",
			limits->max_segment, limits->boundary);
		return -EINVAL;
	}
	return 0;
}

/* Does an IOMMU translate the DMA addresses of the device? */
bool drm_sgt_dma_is_translated(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type != IOMMU_DOMAIN_IDENTITY;
}

/* Is there memory that the device cannot reach? An IOMMU can map all of it. */
bool drm_sgt_dma_is_limited(struct device *dev)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_sgt_dma_is_limited, dev);

	return !drm_sgt_dma_is_translated(dev) && dma_addressing_limited(dev);
}

/*
 * The largest zone that is within reach. Below 32 bits, ZONE_DMA32 can have such pages as
 * well, but shmem cannot be asked for these only.
 */
static gfp_t drm_sgt_zone_of(struct device *dma_dev)
{
	if (!dma_dev || !drm_sgt_dma_is_limited(dma_dev))
		return 0;

	return min_not_zero(dma_get_mask(dma_dev), dma_dev->bus_dma_limit) < DMA_BIT_MASK(32) ?
	       GFP_DMA : GFP_DMA32;
}

static struct drm_sgt_device *
drm_sgt_device_alloc(struct device *owner, struct device *dma_dev,
		     struct device *bus_dev)
{
	struct drm_sgt_device *sdev;
	int ret;

	sdev = kzalloc(sizeof(*sdev), GFP_KERNEL);
	if (!sdev)
		return ERR_PTR(-ENOMEM);

	ret = drm_sgt_limits_init(&sdev->limits, owner, dma_dev);
	if (ret)
		goto err_free;

	sdev->zone = drm_sgt_zone_of(dma_dev);
	sdev->owner = kstrdup(dev_name(owner), GFP_KERNEL);
	if (!sdev->owner) {
		ret = -ENOMEM;
		goto err_free;
	}

	ret = init_srcu_struct(&sdev->srcu);
	if (ret)
		goto err_owner;

	kref_init(&sdev->refcount);
	mutex_init(&sdev->shutdown_lock);
	spin_lock_init(&sdev->lock);
	INIT_LIST_HEAD(&sdev->mapped);
	init_waitqueue_head(&sdev->unmapped);
	sdev->dma_dev = get_device(dma_dev);
	sdev->bus_dev = get_device(bus_dev);
	drm_sgt_device_prime_lockdep(sdev);
	drm_sgt_device_publish(sdev);
	return sdev;

err_owner:
	kfree(sdev->owner);
err_free:
	kfree(sdev);
	return ERR_PTR(ret);
}

static bool drm_sgt_device_is_below(struct device *dev, struct device *ancestor)
{
	while (dev && dev != ancestor)
		dev = dev->parent;
	return dev;
}

/*
 * No mapping may be left on a device whose driver is unbound. The driver of an
 * ancestor of the owner ensures that by removing the devices below it. For any other
 * device, a link does: the driver core unbinds the consumers of a link first. The
 * link is removed when the owner is unbound, after its devres.
 */
static int drm_sgt_device_link(struct device *owner, struct device *supplier)
{
	struct device_link *link;

	if (!supplier || drm_sgt_device_is_below(owner, supplier))
		return 0;
	if (drm_sgt_device_is_below(supplier, owner)) {
		dev_dbg(owner, "%s is below\n", dev_name(supplier));
		return -EINVAL;
	}

	link = device_link_add(owner, supplier, DL_FLAG_AUTOREMOVE_CONSUMER);
	if (!link) {
		dev_dbg(owner, "no link to %s\n", dev_name(supplier));
		return -ENOMEM;
	}

	switch (READ_ONCE(link->status)) {
	case DL_STATE_DORMANT:
	case DL_STATE_SUPPLIER_UNBIND:
		dev_dbg(owner, "%s has no driver\n", dev_name(supplier));
		return -EPROBE_DEFER;
	default:
		return 0;
	}
}

static struct drm_sgt_device *
drm_sgt_device_bind(struct device *owner, struct device *dma_dev,
		    struct device *bus_dev)
{
	struct drm_sgt_device *sdev;
	int ret;

	sdev = drm_sgt_device_alloc(owner, dma_dev, bus_dev);
	if (IS_ERR(sdev))
		return sdev;

	ret = devm_add_action_or_reset(owner, drm_sgt_device_unbound, sdev);
	if (ret)
		return ERR_PTR(ret);

	/* Last, as only an unbind of the owner removes a link. */
	ret = drm_sgt_device_link(owner, dma_dev ?: bus_dev);
	if (ret) {
		devm_release_action(owner, drm_sgt_device_unbound, sdev);
		return ERR_PTR(ret);
	}
	return sdev;
}

/**
 * devm_drm_sgt_device_create() - create a device that ends all mappings at unbind
 * @owner: the device that the calling driver is being bound to
 * @dma_dev: the device that does the DMA; can be @owner
 *
 * Call it in probe, once the DMA mask, the segment size and the segment
 * boundary of @dma_dev are set: they are read here, and never again.
 *
 * Where @dma_dev is neither @owner nor above it, a device link makes @owner its
 * consumer until @owner is unbound. An unbind of @dma_dev then unbinds @owner first.
 *
 * Ownership: @owner holds the reference that is returned, and drops it at
 * unbind. A driver whose ioctls use it takes one more with
 * drm_sgt_device_get(), for the lifetime of its DRM device: an ioctl can still be
 * running when the unbind ends. Each &struct drm_sgt has a reference of its own.
 *
 * Context: Probe of @owner, may sleep. Under no lock that is also taken under the
 * mmap lock.
 * Return:
 * * the device, or an ERR_PTR() of an errno below
 * * %-EINVAL - there is no @dma_dev, or it cannot map a page in one piece, or
 *   its segment boundary is not a mask, or it is below @owner. For a device
 *   without DMA addresses of its own see devm_drm_sgt_device_create_phys()
 * * %-EPROBE_DEFER - a link is needed, and @dma_dev has no driver
 * * %-ENOMEM - out of memory, or the driver core refuses the link, as @dma_dev is
 *   a consumer of @owner by other links
 */
struct drm_sgt_device *devm_drm_sgt_device_create(struct device *owner,
						  struct device *dma_dev)
{
	if (!dma_dev) {
		dev_dbg(owner, "no DMA device, and physical mode not asked for\n");
		return ERR_PTR(-EINVAL);
	}

	return drm_sgt_device_bind(owner, dma_dev, NULL);
}
EXPORT_SYMBOL_GPL(devm_drm_sgt_device_create);

/**
 * devm_drm_sgt_device_create_phys() - create a device that takes physical addresses
 * @owner: the device that the calling driver is being bound to
 * @bus_dev: the device on the bus, to attach imports to; NULL if there are none
 *
 * For devices that take physical addresses by contract, such as a virtio device
 * without VIRTIO_F_ACCESS_PLATFORM, for which virtqueue_dma_dev() returns NULL.
 * "Mapping" a table then makes its physical addresses readable until the unbind,
 * under the same rules, and drm_sgt_sync_for_device() has nothing to do.
 *
 * An import (drm_sgt_create_import()) has DMA addresses only. It is attached to
 * @bus_dev, and is refused if an IOMMU translates the DMA of that device or a
 * bounce buffer is in between.
 *
 * Ownership, and the link to @bus_dev: as for devm_drm_sgt_device_create().
 *
 * Context: Probe of @owner, may sleep. Under no lock that is also taken under the
 * mmap lock.
 * Return:
 * * the device, or an ERR_PTR() of an errno below
 * * %-EINVAL - @bus_dev is below @owner
 * * %-EPROBE_DEFER - a link is needed, and @bus_dev has no driver
 * * %-ENOMEM - as for devm_drm_sgt_device_create()
 */
struct drm_sgt_device *devm_drm_sgt_device_create_phys(struct device *owner,
						       struct device *bus_dev)
{
	return drm_sgt_device_bind(owner, NULL, bus_dev);
}
EXPORT_SYMBOL_GPL(devm_drm_sgt_device_create_phys);

/**
 * devm_drm_sgt_device_create_none() - create a device that does no DMA
 * @owner: the device that the calling driver is being bound to
 *
 * For software drivers, such as vgem and vkms, which access buffers with the CPU. Tables
 * can be populated, mapped into the kernel and into processes, and exported, and the
 * importers map them for their devices. drm_sgt_map() fails.
 *
 * An import is never attached to its dma-buf, so drm_gem_sgt_prime_import() does not map.
 * Its kernel mappings and mmap() are those of the exporter, as for any import. The
 * exporter is free to move its memory as long as it is not mapped in that way.
 *
 * Ownership: as for devm_drm_sgt_device_create().
 *
 * Context: Probe of @owner, may sleep. Under no lock that is also taken under the
 * mmap lock.
 * Return:
 * * the device, or an ERR_PTR() of an errno below
 * * %-EINVAL - the largest piece that @owner could map is smaller than a page
 * * %-ENOMEM - out of memory
 */
struct drm_sgt_device *devm_drm_sgt_device_create_none(struct device *owner)
{
	struct drm_sgt_device *sdev;

	sdev = drm_sgt_device_bind(owner, NULL, NULL);
	/* No other task can see it yet. */
	if (!IS_ERR(sdev))
		sdev->no_dma = true;
	return sdev;
}
EXPORT_SYMBOL_GPL(devm_drm_sgt_device_create_none);

/**
 * drm_sgt_device_get() - take a reference
 * @sdev: the device
 *
 * A reference keeps the structure alive, not the device: calls that need the device
 * return -ENODEV after unbind.
 *
 * Context: Any. The caller has a reference, or @sdev's owner is bound.
 * Return: @sdev
 */
struct drm_sgt_device *drm_sgt_device_get(struct drm_sgt_device *sdev)
{
	kref_get(&sdev->refcount);
	return sdev;
}
EXPORT_SYMBOL_GPL(drm_sgt_device_get);

/**
 * drm_sgt_device_put() - drop a reference
 * @sdev: the device, or NULL
 *
 * Context: May sleep.
 */
void drm_sgt_device_put(struct drm_sgt_device *sdev)
{
	might_sleep();

	if (sdev)
		kref_put(&sdev->refcount, drm_sgt_device_release);
}
EXPORT_SYMBOL_GPL(drm_sgt_device_put);

/**
 * drm_sgt_device_is_phys() - does this device take physical addresses?
 * @sdev: the device
 *
 * Context: Any.
 * Return: true for one made by devm_drm_sgt_device_create_phys()
 */
bool drm_sgt_device_is_phys(const struct drm_sgt_device *sdev)
{
	return !sdev->dma_dev && !sdev->no_dma;
}
EXPORT_SYMBOL_GPL(drm_sgt_device_is_phys);

/**
 * drm_sgt_device_dma_dev() - the device that does the DMA
 * @sdev: the device
 *
 * For messages, and to ask what its DMA needs. Nothing is mapped for it but by this
 * layer: after an unbind, such a mapping would stay.
 *
 * Context: Any.
 * Return: the device, which @sdev holds a reference to; NULL in physical mode, or if
 * there is no DMA
 */
struct device *drm_sgt_device_dma_dev(const struct drm_sgt_device *sdev)
{
	return sdev->dma_dev;
}
EXPORT_SYMBOL_GPL(drm_sgt_device_dma_dev);

/**
 * drm_sgt_device_zone() - where the memory is that the device can reach
 * @sdev: the device
 *
 * For the GFP flags of a driver that allocates memory for a table, as the layer does for GEM
 * objects and page tables. It matters to a device whose DMA mask does not cover all
 * memory, unless an IOMMU translates. What is in another zone, such as an array of pages
 * of the driver, is bounced, or drm_sgt_map() fails.
 *
 * The zone for less than 32 bits can be small (16 MiB on x86). Allocate from it with
 * __GFP_NOWARN, and without __GFP_HIGHMEM.
 *
 * Context: Any.
 * Return: %GFP_DMA, %GFP_DMA32, or 0 for any zone
 */
gfp_t drm_sgt_device_zone(const struct drm_sgt_device *sdev)
{
	return sdev->zone;
}
EXPORT_SYMBOL_GPL(drm_sgt_device_zone);

/**
 * drm_sgt_device_id() - the number of this device in debugfs
 * @sdev: the device
 *
 * Context: Any.
 * Return: a number that is unique since the module was loaded
 */
unsigned int drm_sgt_device_id(const struct drm_sgt_device *sdev)
{
	return sdev->id;
}
EXPORT_SYMBOL_GPL(drm_sgt_device_id);

void drm_sgt_device_count(struct drm_sgt_device *sdev, int tables)
{
	spin_lock(&sdev->lock);
	sdev->stats.tables += tables;
	spin_unlock(&sdev->lock);
}

/**
 * drm_sgt_device_get_stats() - read the counters of a device
 * @sdev: the device
 * @stats: filled
 *
 * Context: Process context; does not sleep, and works after unbind too.
 */
void drm_sgt_device_get_stats(struct drm_sgt_device *sdev,
			      struct drm_sgt_device_stats *stats)
{
	spin_lock(&sdev->lock);
	*stats = sdev->stats;
	spin_unlock(&sdev->lock);
	stats->gone = drm_sgt_device_is_gone(sdev);
}
EXPORT_SYMBOL_GPL(drm_sgt_device_get_stats);

static const char *drm_sgt_device_mode(const struct drm_sgt_device *sdev)
{
	if (sdev->no_dma)
		return "none";

	return drm_sgt_device_is_phys(sdev) ? "phys" : "dma";
}

static void drm_sgt_device_show(struct seq_file *m, struct drm_sgt_device *sdev)
{
	struct drm_sgt_device_stats stats;

	drm_sgt_device_get_stats(sdev, &stats);
	seq_printf(m, "%-4u %-16s %-16s %-5s %-5s %-7lu %-7lu %-12llu %-8llu %-8llu %-8llu %llu\n",
		   sdev->id, sdev->owner,
		   sdev->dma_dev ? dev_name(sdev->dma_dev) : "-",
		   drm_sgt_device_mode(sdev),
		   stats.gone ? "gone" : "live", stats.tables, stats.mapped,
		   stats.bytes_mapped, stats.maps, stats.unmaps, stats.revoked,
		   stats.grace_periods);
}

/* The debugfs file "devices". It lists a device until its last reference is dropped. */
void drm_sgt_device_show_all(struct seq_file *m)
{
	struct drm_sgt_device *sdev;

	seq_printf(m, "%-4s %-16s %-16s %-5s %-5s %-7s %-7s %-12s %-8s %-8s %-8s %s\n",
		   "id", "owner", "dma", "mode", "state", "tables", "mapped",
		   "bytes_mapped", "maps", "unmaps", "revoked", "grace");

	guard(mutex)(&drm_sgt_devices_lock);
	list_for_each_entry(sdev, &drm_sgt_devices, entry)
		drm_sgt_device_show(m, sdev);
}
