// SPDX-License-Identifier: GPL-2.0

#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_sgt.h>

#include "drm_gem_sgt_debugfs.h"
#include "drm_sgt_device.h"
#include "drm_sgt_fault.h"

/**
 * DOC: debugfs
 *
 * /sys/kernel/debug/drm_gem_sgt is a directory of the module, not of a DRM
 * device: it shows what is left after an unbind, when the directory of the DRM
 * device is gone.
 *
 * devices
 *	one line for each &struct drm_sgt_device, bound or not, until its last
 *	reference is dropped
 * buffers
 *	one line for each live GEM object of the layer
 * fail_dma_map
 *	makes mappings fail, with CONFIG_FAULT_INJECTION
 */

static struct dentry *drm_gem_sgt_debugfs_dir;

/*
 * Creating a buffer takes this lock, so a reader of debugfs holds it for one
 * object at a time: it copies what it prints.
 */
static DEFINE_SPINLOCK(drm_gem_sgt_live_lock);
static LIST_HEAD(drm_gem_sgt_live);
static LIST_HEAD(drm_gem_sgt_readers);

void drm_gem_sgt_debugfs_add(struct drm_gem_sgt_object *bo)
{
	struct drm_device *dev = bo->base.dev;

	bo->minor = dev->primary ? dev->primary->index : 0;
	bo->pid = task_tgid_nr(current);
	get_task_comm(bo->comm, current);

	spin_lock(&drm_gem_sgt_live_lock);
	list_add_tail(&bo->live, &drm_gem_sgt_live);
	spin_unlock(&drm_gem_sgt_live_lock);
}

void drm_gem_sgt_debugfs_remove(struct drm_gem_sgt_object *bo)
{
	struct drm_gem_sgt_reader *reader;

	spin_lock(&drm_gem_sgt_live_lock);
	list_for_each_entry(reader, &drm_gem_sgt_readers, entry)
		if (reader->next == &bo->live)
			reader->next = bo->live.next;
	list_del(&bo->live);
	spin_unlock(&drm_gem_sgt_live_lock);
}

void drm_gem_sgt_reader_init(struct drm_gem_sgt_reader *reader)
{
	spin_lock(&drm_gem_sgt_live_lock);
	reader->next = drm_gem_sgt_live.next;
	list_add(&reader->entry, &drm_gem_sgt_readers);
	spin_unlock(&drm_gem_sgt_live_lock);
}

void drm_gem_sgt_reader_fini(struct drm_gem_sgt_reader *reader)
{
	spin_lock(&drm_gem_sgt_live_lock);
	list_del(&reader->entry);
	spin_unlock(&drm_gem_sgt_live_lock);
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

static const char *drm_gem_sgt_caching_name(const struct drm_sgt_info *info)
{
	/* Without pages, nothing is decided yet. An exporter decides for its importers. */
	if (!info->runs)
		return "-";

	return info->wc ? "wc" : "cached";
}

/* Reads the counts of the GEM core without its locks: for debugging only. */
static void drm_gem_sgt_line_fill(struct drm_gem_sgt_line *line,
				  struct drm_gem_sgt_object *bo)
{
	lockdep_assert_held(&drm_gem_sgt_live_lock);

	drm_sgt_get_info(bo->sgt, &line->info);
	line->device = drm_sgt_device_id(drm_sgt_get_device(bo->sgt));
	line->minor = bo->minor;
	line->handles = bo->base.handle_count;
	line->refs = kref_read(&bo->base.refcount);
	line->pins = bo->pin_count;
	line->vmaps = bo->vmap_count;
	line->exported = !drm_gem_sgt_is_import(bo) && bo->base.dma_buf;
	line->pid = bo->pid;
	memcpy(line->comm, bo->comm, sizeof(line->comm));
}

/* Returns the line of the next object, for position @pos; NULL if there is none. */
static void *drm_gem_sgt_reader_take(struct drm_gem_sgt_reader *reader, loff_t pos)
{
	struct drm_gem_sgt_object *bo;
	bool found;

	spin_lock(&drm_gem_sgt_live_lock);
	found = reader->next != &drm_gem_sgt_live;
	if (found) {
		bo = list_entry(reader->next, struct drm_gem_sgt_object, live);
		drm_gem_sgt_line_fill(&reader->line, bo);
		reader->next = bo->live.next;
		reader->pos = pos;
	}
	spin_unlock(&drm_gem_sgt_live_lock);
	return found ? &reader->line : NULL;
}

/* A reader begins at 0, and asks for each line once, or for the last one again. */
static void *drm_gem_sgt_buffers_start(struct seq_file *m, loff_t *pos)
{
	struct drm_gem_sgt_reader *reader = m->private;

	if (*pos && *pos == reader->pos)
		return &reader->line;
	if (*pos)
		return drm_gem_sgt_reader_take(reader, *pos);

	spin_lock(&drm_gem_sgt_live_lock);
	reader->next = drm_gem_sgt_live.next;
	reader->pos = 0;
	spin_unlock(&drm_gem_sgt_live_lock);
	return SEQ_START_TOKEN;
}

static void *drm_gem_sgt_buffers_next(struct seq_file *m, void *v, loff_t *pos)
{
	return drm_gem_sgt_reader_take(m->private, ++*pos);
}

static void drm_gem_sgt_buffers_stop(struct seq_file *m, void *v)
{
}

static int drm_gem_sgt_buffers_show(struct seq_file *m, void *v)
{
	const struct drm_gem_sgt_line *line = v;
	const struct drm_sgt_info *info = &line->info;

	if (v == SEQ_START_TOKEN) {
		seq_printf(m, "%-4s %-5s %-10s %-7s %-7s %-8s %-8s %-6s %-7s %-7s %-5s %-5s %-5s %-8s %-8s %-16s %s\n",
			   "dev", "minor", "size", "folios", "runs", "cpu_ents",
			   "dma_segs", "state", "caching", "handles", "refs", "pins",
			   "vmaps", "exported", "source", "comm", "pid");
		return 0;
	}

	seq_printf(m, "%-4u %-5u %-10llu %-7lu %-7u %-8u %-8u %-6s %-7s %-7u %-5u %-5u %-5u %-8d %-8s %-16s %d\n",
		   line->device, line->minor, info->size, info->folios, info->runs,
		   info->cpu_ents, info->dma_segs, drm_gem_sgt_state_name(info->state),
		   drm_gem_sgt_caching_name(info), line->handles, line->refs, line->pins,
		   line->vmaps, line->exported, info->source, line->comm, line->pid);
	return 0;
}

const struct seq_operations drm_gem_sgt_buffers_sops = {
	.start = drm_gem_sgt_buffers_start,
	.next = drm_gem_sgt_buffers_next,
	.stop = drm_gem_sgt_buffers_stop,
	.show = drm_gem_sgt_buffers_show,
};

static int drm_gem_sgt_buffers_open(struct inode *inode, struct file *file)
{
	struct drm_gem_sgt_reader *reader;

	reader = __seq_open_private(file, &drm_gem_sgt_buffers_sops, sizeof(*reader));
	if (!reader)
		return -ENOMEM;

	drm_gem_sgt_reader_init(reader);
	return 0;
}

static int drm_gem_sgt_buffers_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;

	drm_gem_sgt_reader_fini(m->private);
	return seq_release_private(inode, file);
}

static const struct file_operations drm_gem_sgt_buffers_fops = {
	.owner = THIS_MODULE,
	.open = drm_gem_sgt_buffers_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = drm_gem_sgt_buffers_release,
};

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
