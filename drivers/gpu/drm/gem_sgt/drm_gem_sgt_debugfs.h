/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GEM_SGT_DEBUGFS_H__
#define __DRM_GEM_SGT_DEBUGFS_H__

#include <linux/list.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include <drm/drm_sgt.h>

struct drm_gem_sgt_object;

/* The line of one object in the debugfs file "buffers". */
struct drm_gem_sgt_line {
	struct drm_sgt_info info;
	unsigned int device;
	unsigned int minor;
	unsigned int handles;
	unsigned int refs;
	unsigned int pins;
	unsigned int vmaps;
	bool exported;
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

/**
 * struct drm_gem_sgt_reader - an open debugfs file "buffers"
 */
struct drm_gem_sgt_reader {
	/** @entry: in the list of readers; protected by the lock of the objects' list */
	struct list_head entry;
	/** @next: the object to take next, or the end; protected as @entry */
	struct list_head *next;
	/** @pos: position of @line; 0 if there is none */
	loff_t pos;
	/** @line: a copy of the object that was taken last */
	struct drm_gem_sgt_line line;
};

extern const struct seq_operations drm_gem_sgt_buffers_sops;

void drm_gem_sgt_reader_init(struct drm_gem_sgt_reader *reader);
void drm_gem_sgt_reader_fini(struct drm_gem_sgt_reader *reader);
void drm_gem_sgt_debugfs_add(struct drm_gem_sgt_object *bo);
void drm_gem_sgt_debugfs_remove(struct drm_gem_sgt_object *bo);
void drm_gem_sgt_debugfs_init(void);
void drm_gem_sgt_debugfs_fini(void);

#endif /* __DRM_GEM_SGT_DEBUGFS_H__ */
