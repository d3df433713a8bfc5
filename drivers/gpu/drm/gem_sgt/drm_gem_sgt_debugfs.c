// SPDX-License-Identifier: GPL-2.0

#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_sgt.h>

#include "drm_sgt_internal.h"

/**
 * DOC: debugfs
 *
 * /sys/kernel/debug/drm_gem_sgt is a directory of the module, not of a DRM
 * device: what is of interest here is what is left after an unbind, when the
 * directory of the DRM device is gone.
 *
 * devices
 *	one line for each &struct drm_sgt_device, bound or not, until the last
 *	of its tables is freed
 * buffers
 *	one line for each live GEM object of the layer
 * fail_dma_map
 *	makes mappings fail, with CONFIG_FAULT_INJECTION
 */

static struct dentry *drm_gem_sgt_debugfs_dir;

static DEFINE_MUTEX(drm_gem_sgt_live_lock);
static LIST_HEAD(drm_gem_sgt_live);

void drm_gem_sgt_debugfs_add(struct drm_gem_sgt_object *bo)
{
	struct drm_device *dev = bo->base.dev;

	bo->minor = dev->primary ? dev->primary->index : 0;
	bo->pid = task_tgid_nr(current);
	get_task_comm(bo->comm, current);

	guard(mutex)(&drm_gem_sgt_live_lock);
	list_add_tail(&bo->live, &drm_gem_sgt_live);
}

void drm_gem_sgt_debugfs_remove(struct drm_gem_sgt_object *bo)
{
	guard(mutex)(&drm_gem_sgt_live_lock);
	list_del(&bo->live);
}

static const char *drm_gem_sgt_state_name(enum drm_sgt_state state)
{
	switch (state) {
	case DRM_SGT_EMPTY:
		return "empty";
	case DRM_SGT_BACKED:
		return "backed";
	case DRM_SGT_MAPPED:
		return "mapped";
	}
	return "?";
}

static void *drm_gem_sgt_buffers_start(struct seq_file *m, loff_t *pos)
{
	mutex_lock(&drm_gem_sgt_live_lock);
	return seq_list_start_head(&drm_gem_sgt_live, *pos);
}

static void *drm_gem_sgt_buffers_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next(v, &drm_gem_sgt_live, pos);
}

static void drm_gem_sgt_buffers_stop(struct seq_file *m, void *v)
{
	mutex_unlock(&drm_gem_sgt_live_lock);
}

/* Counts of the GEM core are read without its locks: a line for a person. */
static int drm_gem_sgt_buffers_show(struct seq_file *m, void *v)
{
	struct drm_gem_sgt_object *bo;
	struct drm_sgt_info info;

	if (v == &drm_gem_sgt_live) {
		seq_printf(m, "%-4s %-5s %-10s %-7s %-7s %-8s %-8s %-6s %-7s %-5s %-5s %-5s %-8s %-8s %-16s %s\n",
			   "dev", "minor", "size", "folios", "runs", "cpu_ents",
			   "dma_segs", "state", "handles", "refs", "pins",
			   "vmaps", "exported", "source", "comm", "pid");
		return 0;
	}

	bo = list_entry(v, struct drm_gem_sgt_object, live);
	drm_sgt_get_info(bo->sgt, &info);
	seq_printf(m, "%-4u %-5u %-10llu %-7lu %-7u %-8u %-8u %-6s %-7u %-5u %-5u %-5u %-8d %-8s %-16s %d\n",
		   drm_sgt_device_id(drm_sgt_get_device(bo->sgt)), bo->minor,
		   info.size, info.folios, info.runs, info.cpu_ents,
		   info.dma_segs, drm_gem_sgt_state_name(info.state),
		   bo->base.handle_count, kref_read(&bo->base.refcount),
		   bo->pin_count, bo->vmap_count,
		   !drm_gem_sgt_is_import(bo) && bo->base.dma_buf,
		   info.source, bo->comm, bo->pid);
	return 0;
}

static const struct seq_operations drm_gem_sgt_buffers_sops = {
	.start = drm_gem_sgt_buffers_start,
	.next = drm_gem_sgt_buffers_next,
	.stop = drm_gem_sgt_buffers_stop,
	.show = drm_gem_sgt_buffers_show,
};
DEFINE_SEQ_ATTRIBUTE(drm_gem_sgt_buffers);

static int drm_gem_sgt_devices_show(struct seq_file *m, void *unused)
{
	drm_sgt_device_show_all(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(drm_gem_sgt_devices);

void drm_gem_sgt_debugfs_init(void)
{
	drm_gem_sgt_debugfs_dir = debugfs_create_dir("drm_gem_sgt", NULL);
	debugfs_create_file("devices", 0400, drm_gem_sgt_debugfs_dir, NULL,
			    &drm_gem_sgt_devices_fops);
	debugfs_create_file("buffers", 0400, drm_gem_sgt_debugfs_dir, NULL,
			    &drm_gem_sgt_buffers_fops);
	drm_sgt_fault_init(drm_gem_sgt_debugfs_dir);
}

void drm_gem_sgt_debugfs_fini(void)
{
	debugfs_remove(drm_gem_sgt_debugfs_dir);
}
