// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-fence.h>
#include <linux/file.h>
#include <linux/iopoll.h>
#include <linux/slab.h>
#include <linux/sync_file.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>
#include <drm/drm_sgt_fence.h>
#include <drm/edu_gpu_drm.h>

#include "edu_gpu.h"

/* The registers, as in docs/specs/edu.txt of QEMU. */
#define EDU_DMA_SRC		0x80
#define EDU_DMA_DST		0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_CMD		0x98
#define EDU_DMA_RUN		BIT(0)
#define EDU_DMA_TO_PCI		BIT(1)
#define EDU_BUFFER		0x40000

/* QEMU up to 7.2 aborts at a DMA that ends at the end of the buffer of 4096 bytes. */
#define EDU_PART		(SZ_4K - 8)

/* A DMA takes 100 ms. */
#define EDU_POLL_US		1000
#define EDU_TIMEOUT_US		(5 * USEC_PER_SEC)

struct edu_gpu_job {
	struct work_struct work;
	struct edu_gpu_vm *vm;
	struct dma_fence *fence;
	struct drm_edu_gpu_copy args;
};

/**
 * edu_gpu_dma_wait() - wait until the DMA engine is idle
 * @edu: the device
 *
 * Return: 0, or an error if the device can do no DMA any more, see &edu_gpu.error
 */
/* [book: dma] */
int edu_gpu_dma_wait(struct edu_gpu *edu)
{
	u64 val;

	if (readq_poll_timeout(edu->mmio + EDU_DMA_CMD, val, !(val & EDU_DMA_RUN), EDU_POLL_US,
			       EDU_TIMEOUT_US))
		edu_gpu_hang(edu, "DMA engine");
	return READ_ONCE(edu->error);
}

static int edu_gpu_dma(struct edu_gpu *edu, u64 src, u64 dst, u32 len, u32 cmd)
{
	int ret;

	writeq(src, edu->mmio + EDU_DMA_SRC);
	writeq(dst, edu->mmio + EDU_DMA_DST);
	writeq(len, edu->mmio + EDU_DMA_COUNT);
	writeq(cmd | EDU_DMA_RUN, edu->mmio + EDU_DMA_CMD);

	ret = edu_gpu_dma_wait(edu);
	return !ret && edu_gpu_unit_faults(edu) ? -EFAULT : ret;
}

/* Copy a part. The device tells nothing of a fault: the unit does, after each half. */
static int edu_gpu_copy_part_locked(struct edu_gpu *edu, struct edu_gpu_vm *vm, u64 src, u64 dst,
				    u32 len)
{
	int ret = READ_ONCE(edu->error);

	lockdep_assert_held(&edu->dma_lock);

	if (ret || vm->closed)
		return ret ?: -ECANCELED;
	ret = edu_gpu_unit_attach(edu, vm);
	if (ret)
		return ret;

	/* Those of other devices, and of an earlier copy */
	edu_gpu_unit_faults(edu);
	ret = edu_gpu_dma(edu, src, EDU_BUFFER, len, 0);
	if (ret)
		return ret;
	/* QEMU tells of no fault if it has the page in its IOTLB, from a read. */
	edu_gpu_unit_flush(edu, &(struct drm_gpupt_flush){ .va = dst, .len = len });
	return edu_gpu_dma(edu, EDU_BUFFER, dst, len, EDU_DMA_TO_PCI);
}

static int edu_gpu_job_run(struct edu_gpu *edu, const struct edu_gpu_job *job)
{
	const struct drm_edu_gpu_copy *args = &job->args;
	u32 done, len;
	int ret = 0;

	/* A close and an unbind wait for a part, not for the copy. */
	for (done = 0; done < args->len && !ret; done += len) {
		len = min(args->len - done, EDU_PART);
		scoped_guard(mutex, &edu->dma_lock)
			ret = edu_gpu_copy_part_locked(edu, job->vm, args->src + done,
						       args->dst + done, len);
	}
	return ret;
}

/* [end] */

static void edu_gpu_job_work(struct work_struct *work)
{
	struct edu_gpu_job *job = container_of(work, struct edu_gpu_job, work);
	struct edu_gpu_vm *vm = job->vm;
	bool cookie = dma_fence_begin_signalling();
	int ret = edu_gpu_job_run(vm->edu, job);

	if (ret)
		dma_fence_set_error(job->fence, ret);
	dma_fence_signal(job->fence);
	dma_fence_end_signalling(cookie);
	dma_fence_put(job->fence);
	kfree(job);
	edu_gpu_vm_put(vm);
}

/* [book: submit] */
/* On success, the caller's use of @vm becomes that of the job. */
static int edu_gpu_copy(struct edu_gpu_vm *vm, struct drm_edu_gpu_copy *args)
{
	struct edu_gpu_job *job __free(kfree) = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);
	CLASS(get_unused_fd, fd)(O_CLOEXEC);
	struct sync_file *sync;

	if (fd < 0)
		return fd;
	if (!job)
		return -ENOMEM;
	/* A timeline of its own, so that no lock has to order fences as jobs. */
	job->fence = drm_sgt_fence_create(THIS_MODULE, "edu_gpu", "copy",
					  dma_fence_context_alloc(1), 1);
	if (!job->fence)
		return -ENOMEM;
	sync = sync_file_create(job->fence);
	if (!sync) {
		dma_fence_put(job->fence);
		return -ENOMEM;
	}

	args->fence = fd;
	job->args = *args;
	job->vm = vm;
	INIT_WORK(&job->work, edu_gpu_job_work);
	fd_install(take_fd(fd), sync->file);
	queue_work(vm->edu->wq, &no_free_ptr(job)->work);
	return 0;
}

/* [end] */

static bool edu_gpu_copy_valid(const struct drm_edu_gpu_copy *args)
{
	u64 last = EDU_GPU_VA_SIZE - args->len;

	return !args->flags && !args->pad && args->len && args->len <= EDU_GPU_MAX_COPY &&
	       args->src <= last && args->dst <= last &&
	       max(args->src, args->dst) - min(args->src, args->dst) >= args->len;
}

/**
 * edu_gpu_copy_ioctl() - DRM_IOCTL_EDU_GPU_COPY
 * @drm: DRM device
 * @data: struct drm_edu_gpu_copy
 * @file: the file
 *
 * Return: see "edu_gpu interface" in edu_gpu_drm.h
 */
int edu_gpu_copy_ioctl(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_edu_gpu_copy *args = data;
	struct edu_gpu_vm *vm = file->driver_priv;
	int idx, ret;

	/* An unbind waits for what is queued here. */
	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;

	ret = edu_gpu_copy_valid(args) ? READ_ONCE(vm->edu->error) : -EINVAL;
	if (!ret && !atomic_add_unless(&vm->users, 1, 1 + EDU_GPU_MAX_JOBS)) {
		ret = -EBUSY;
	} else if (!ret) {
		ret = edu_gpu_copy(vm, args);
		if (ret)
			edu_gpu_vm_put(vm);
	}
	drm_dev_exit(idx);
	if (ret)
		drm_dbg(drm, "copy of %u bytes from %#llx to %#llx, flags %#x: %pe\n", args->len,
			args->src, args->dst, args->flags, ERR_PTR(ret));
	return ret;
}
