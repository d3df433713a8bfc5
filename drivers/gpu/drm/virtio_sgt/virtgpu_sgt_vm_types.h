/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_VM_TYPES_H__
#define __VIRTGPU_SGT_VM_TYPES_H__

#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree_types.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue_types.h>

#include <drm/drm_gpuvm.h>

struct drm_gpupt;
struct virtgpu_sgt_device;

/**
 * struct virtgpu_sgt_mapping - a mapped range of an address space
 */
struct virtgpu_sgt_mapping {
	/** @base: the range; has a counted reference to its GEM object */
	struct drm_gpuva base;

	/** @prot: DRM_GPUPT_* */
	u32 prot;
};

#define to_virtgpu_sgt_mapping(va) \
	container_of_const(va, struct virtgpu_sgt_mapping, base)

/**
 * struct virtgpu_sgt_vm - the GPU address space of an open file
 *
 * See "address spaces".
 */
struct virtgpu_sgt_vm {
	/**
	 * @base: what is mapped where when all jobs are done; counts the
	 * references. Protected by @lock
	 */
	struct drm_gpuvm base;

	/** @vgdev: device; set once */
	struct virtgpu_sgt_device *vgdev;

	/** @pt: the page table, until the file is closed */
	struct drm_gpupt *pt;

	/** @node: in &virtgpu_sgt_device.vms, protected by vm_lock there */
	struct list_head node;

	/** @pid: process that created it, for debugfs; set once, like @comm */
	pid_t pid;

	/** @comm: name of @pid */
	char comm[TASK_COMM_LEN];

	/**
	 * @lock: protects the planned state: @base, @num_mappings, @seqno, and the
	 * order of jobs
	 */
	struct mutex lock;

	/** @num_mappings: mappings in @base; protected by @lock */
	unsigned int num_mappings;

	/** @context: of the fences; set once */
	u64 context;

	/** @seqno: of the last fence; protected by @lock */
	u64 seqno;

	/** @job_lock: protects @error, the lists of jobs, and their numbers */
	spinlock_t job_lock;

	/**
	 * @error: 0; or -ENODEV or -ECANCELED, which is then the error of all jobs,
	 * and they do not wait for in-fences any more. Written under @job_lock
	 */
	int error;

	/** @jobs: pending jobs, in their order; protected by @job_lock */
	struct list_head jobs;

	/**
	 * @num_jobs: jobs whose fences have not signalled, queued or being planned;
	 * protected by @job_lock
	 */
	unsigned int num_jobs;

	/** @num_ops: operations of these jobs; protected by @job_lock */
	unsigned int num_ops;

	/** @done: jobs to be freed; protected by @job_lock */
	struct list_head done;

	/** @num_done: length of @done; protected by @job_lock */
	unsigned int num_done;

	/** @finished: woken after each job */
	wait_queue_head_t finished;

	/** @work: runs the jobs */
	struct work_struct work;

	/** @free_work: frees the jobs of @done */
	struct work_struct free_work;

	/**
	 * @va_res_lock: protects @va_resources, @num_va_res, and the planned attaches
	 * of VA resources
	 */
	spinlock_t va_res_lock;

	/** @va_resources: tree of struct virtgpu_sgt_va_resource, by range */
	struct rb_root_cached va_resources;

	/** @num_va_res: VA resources still referenced; protected by @va_res_lock */
	unsigned int num_va_res;
};

#define to_virtgpu_sgt_vm(gpuvm) \
	container_of_const(gpuvm, struct virtgpu_sgt_vm, base)

#endif /* __VIRTGPU_SGT_VM_TYPES_H__ */
