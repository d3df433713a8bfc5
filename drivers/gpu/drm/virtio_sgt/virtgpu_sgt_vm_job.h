/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_VM_JOB_H__
#define __VIRTGPU_SGT_VM_JOB_H__

#include <linux/compiler.h>
#include <linux/dma-fence.h>
#include <linux/list.h>
#include <linux/types.h>

struct virtgpu_sgt_vm;
struct work_struct;
struct workqueue_struct;

/**
 * struct virtgpu_sgt_vm_job - the operations of one VM_BIND
 */
struct virtgpu_sgt_vm_job {
	/** @node: in a list of @vm, under its job_lock */
	struct list_head node;

	/** @vm: the address space */
	struct virtgpu_sgt_vm *vm;

	/** @fence: signals when the job is done; a counted reference */
	struct dma_fence *fence;

	/** @steps: of struct virtgpu_sgt_vm_step, in their order */
	struct list_head steps;

	/**
	 * @num_ops: operations counted by @vm; 0 if it does not count the job.
	 * Protected by job_lock there
	 */
	u32 num_ops;

	/** @error: the first error of @waits, or 0 */
	int error;

	/** @armed: @cb is registered with the fence at @next_wait */
	bool armed;

	/** @cb: see @armed */
	struct dma_fence_cb cb;

	/** @next_wait: index of the first of @waits not known to have signalled */
	unsigned int next_wait;

	/** @num_waits: length of @waits */
	unsigned int num_waits;

	/** @waits: in-fences; references counted */
	struct dma_fence **waits;
};

extern struct workqueue_struct *virtgpu_sgt_vm_wq;

struct virtgpu_sgt_vm_job * __must_check
virtgpu_sgt_vm_job_create(struct virtgpu_sgt_vm *vm, u32 num_ops);
int __must_check virtgpu_sgt_vm_job_push(struct virtgpu_sgt_vm_job *job);
void virtgpu_sgt_vm_job_free(struct virtgpu_sgt_vm_job *job);
struct dma_fence *virtgpu_sgt_vm_jobs_last_fence(struct virtgpu_sgt_vm *vm);
void virtgpu_sgt_vm_jobs_work(struct work_struct *work);
void virtgpu_sgt_vm_jobs_free_work(struct work_struct *work);
void virtgpu_sgt_vm_jobs_kill(struct virtgpu_sgt_vm *vm, int error);
void virtgpu_sgt_vm_jobs_throttle(struct virtgpu_sgt_vm *vm);
void virtgpu_sgt_vm_jobs_flush(struct virtgpu_sgt_vm *vm);

#endif /* __VIRTGPU_SGT_VM_JOB_H__ */
