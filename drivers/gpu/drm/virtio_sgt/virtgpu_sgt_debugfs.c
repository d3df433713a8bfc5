// SPDX-License-Identifier: GPL-2.0

#include <linux/seq_file.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_gem.h>
#include <drm/drm_sgt.h>

#include "virtgpu_sgt_debugfs.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_resource.h"
#include "virtgpu_sgt_vm.h"

static const char *virtgpu_sgt_resource_state_name(enum virtgpu_sgt_resource_state state)
{
	switch (state) {
	case VIRTGPU_SGT_RESOURCE_LOCAL:
		return "local";
	case VIRTGPU_SGT_RESOURCE_CREATED:
		return "created";
	case VIRTGPU_SGT_RESOURCE_ATTACHED:
		return "attached";
	case VIRTGPU_SGT_RESOURCE_UNREF:
		return "unref";
	}
	return "?";
}

static int virtgpu_sgt_resources_show(struct seq_file *m, void *data)
{
	struct drm_debugfs_entry *entry = m->private;
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(entry->dev);
	const struct virtgpu_sgt_resource *res;

	seq_puts(m, "id size entries state handles\n");
	spin_lock(&vgdev->resource_lock);
	list_for_each_entry(res, &vgdev->resources, node)
		seq_printf(m, "%u %zu %u %s %u\n", res->id, res->obj->size,
			   READ_ONCE(res->entries),
			   virtgpu_sgt_resource_state_name(READ_ONCE(res->state)),
			   READ_ONCE(res->obj->handle_count));
	spin_unlock(&vgdev->resource_lock);
	return 0;
}

static void virtgpu_sgt_stat(struct seq_file *m, const char *key, long value)
{
	seq_printf(m, "%s %ld\n", key, value);
}

static int virtgpu_sgt_stats_show(struct seq_file *m, void *data)
{
	struct drm_debugfs_entry *entry = m->private;
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(entry->dev);
	struct virtgpu_sgt_stats *stats = &vgdev->stats;
	unsigned int inflight, pending;

	virtgpu_sgt_queue_count(&vgdev->ctrlq, &inflight, &pending);

	seq_printf(m, "mode %s\n",
		   drm_sgt_device_is_phys(vgdev->sdev) ? "phys" : "dma");
	virtgpu_sgt_stat(m, "premapped", vgdev->ctrlq.wires.premapped);
	virtgpu_sgt_stat(m, "scanouts", vgdev->num_scanouts);
	virtgpu_sgt_stat(m, "resources", READ_ONCE(vgdev->num_resources));
	virtgpu_sgt_stat(m, "has_blobs", READ_ONCE(vgdev->has_blobs));
	virtgpu_sgt_stat(m, "blobs", READ_ONCE(vgdev->num_blobs));
	virtgpu_sgt_stat(m, "commands", atomic_long_read(&stats->commands));
	virtgpu_sgt_stat(m, "notifies", atomic_long_read(&stats->notifies));
	virtgpu_sgt_stat(m, "inflight", inflight);
	virtgpu_sgt_stat(m, "pending", pending);
	virtgpu_sgt_stat(m, "ring_full", atomic_long_read(&stats->ring_full));
	virtgpu_sgt_stat(m, "host_errors",
			 atomic_long_read(&stats->host_errors));
	virtgpu_sgt_stat(m, "commit_errors",
			 atomic_long_read(&stats->commit_errors));
	virtgpu_sgt_stat(m, "hotplugs", atomic_long_read(&stats->hotplugs));
	virtgpu_sgt_stat(m, "out_fences", READ_ONCE(vgdev->fences.count));
	return 0;
}

static int virtgpu_sgt_vm_show(struct seq_file *m, void *data)
{
	struct drm_debugfs_entry *entry = m->private;

	virtgpu_sgt_vms_show(to_virtgpu_sgt(entry->dev), m);
	return 0;
}

/**
 * virtgpu_sgt_debugfs_init() - add the files of the driver
 * @vgdev: device, before it is registered
 *
 * An unbind removes them, as all files of DRM in debugfs. The files of the helper
 * layer stay.
 */
void virtgpu_sgt_debugfs_init(struct virtgpu_sgt_device *vgdev)
{
	drm_debugfs_add_file(vgdev->drm, "virtgpu-resources",
			     virtgpu_sgt_resources_show, NULL);
	drm_debugfs_add_file(vgdev->drm, "virtgpu-stats",
			     virtgpu_sgt_stats_show, NULL);
	if (IS_ENABLED(CONFIG_DRM_VIRTIO_SGT_VM))
		drm_debugfs_add_file(vgdev->drm, "vm", virtgpu_sgt_vm_show, NULL);
}
