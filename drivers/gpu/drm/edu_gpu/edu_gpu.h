/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __EDU_GPU_H__
#define __EDU_GPU_H__

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/maple_tree.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>

struct drm_file;
struct drm_gpupt;
struct drm_printer;
struct edu_gpu_vm;

/* An entry of the root table or of a context table. */
struct edu_gpu_entry {
	__le64 lo;
	__le64 hi;
};

/* The VT-d unit. */
struct edu_gpu_unit {
	void __iomem *regs;
	/* protects the registers, the entries and @vm; taken in the signalling path */
	struct mutex lock;
	u64 cap;
	u64 ecap;
	/* the context entry of the device */
	struct edu_gpu_entry *context;
	/* whose tables it points to; NULL for none */
	struct edu_gpu_vm *vm;
};

struct edu_gpu {
	struct drm_device drm;
	struct pci_dev *pdev;
	void __iomem *mmio;
	struct edu_gpu_unit unit;

	/* the interrupt of the DMA engine */
	struct completion dma_done;
	/* the DMA engine does not answer; only jobs use it, of which one runs at a time */
	bool hung;
	/* an unbind has begun: jobs end */
	bool gone;
};

#define to_edu_gpu(dev) container_of(dev, struct edu_gpu, drm)

/* The address space of a file. The file and each job have a reference. */
struct edu_gpu_vm {
	struct kref ref;
	struct edu_gpu *edu;
	struct drm_gpupt *pt;
	/* protects the plan of @pt, @maps, and @seqno */
	struct mutex lock;
	/* which buffer is mapped where: &struct edu_gpu_mapping by VA */
	struct maple_tree maps;
	/* of the fences of its jobs, as @seqno is */
	u64 fence_context;
	u64 seqno;
	/* jobs that have not ended */
	atomic_t jobs;
	/* the file is closed: jobs end */
	bool closed;
};

extern struct workqueue_struct *edu_gpu_wq;

/* edu_gpu_unit.c */
int edu_gpu_unit_init(struct edu_gpu *edu);
void edu_gpu_unit_stop(struct edu_gpu *edu);
int edu_gpu_unit_attach(struct edu_gpu *edu, struct edu_gpu_vm *vm);
void edu_gpu_unit_detach(struct edu_gpu *edu, struct edu_gpu_vm *vm);
void edu_gpu_unit_flush(struct edu_gpu *edu, u64 va, u64 len, bool tables);
bool edu_gpu_unit_faults(struct edu_gpu *edu);

/* edu_gpu_vm.c */
struct edu_gpu_vm *edu_gpu_vm_get(struct edu_gpu_vm *vm);
void edu_gpu_vm_put(struct edu_gpu_vm *vm);
int edu_gpu_open(struct drm_device *drm, struct drm_file *file);
void edu_gpu_postclose(struct drm_device *drm, struct drm_file *file);
void edu_gpu_show_fdinfo(struct drm_printer *p, struct drm_file *file);
int edu_gpu_vm_bind_ioctl(struct drm_device *drm, void *data, struct drm_file *file);

/* edu_gpu_job.c */
irqreturn_t edu_gpu_irq(int irq, void *data);
int edu_gpu_copy_ioctl(struct drm_device *drm, void *data, struct drm_file *file);

#endif /* __EDU_GPU_H__ */
