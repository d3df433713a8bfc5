/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __EDU_GPU_H__
#define __EDU_GPU_H__

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>
#include <drm/drm_gpupt_space.h>

struct drm_file;
struct drm_printer;

/* [step: 3] */
/* An entry of the root table or of a context table. */
struct edu_gpu_entry {
	__le64 lo;
	__le64 hi;
};

/* [step: 3] */
/* The VT-d unit. */
struct edu_gpu_unit {
	void __iomem *regs;
	/* protects the registers, the entries and @vm; taken in the signalling path */
	struct mutex lock;
	u64 cap;
	u64 ecap;
	/* the root table, and two context tables; the unit reads them until it is off */
	struct edu_gpu_entry *tables;
	dma_addr_t root;
	/* the context entry of the device, in @tables */
	struct edu_gpu_entry *context;
	/* whose tables it points to; NULL for none */
	struct edu_gpu_vm *vm;
};

/* [step: 2] */
struct edu_gpu {
	struct drm_device drm;
	struct pci_dev *pdev;
	void __iomem *mmio;

	/* [step: 3] */
	struct edu_gpu_unit unit;
	/* no job does DMA any more: -ENODEV, by an unbind, or -EIO, by edu_gpu_hang() */
	int error;

	/* [step: 6] */
	/* of copies */
	struct workqueue_struct *wq;
	/* protects the DMA engine and &edu_gpu_vm.closed; @unit.lock nests inside */
	struct mutex dma_lock;
};

/* [step: 4] */
/* The address space of a file. */
struct edu_gpu_vm {
	struct edu_gpu *edu;
	/* the file, and jobs that have not ended */
	atomic_t users;
	/* gone once the file is closed */
	struct drm_gpupt_space space;

	/* [step: 6] */
	/* the file is closed: jobs end; see &edu_gpu.dma_lock */
	bool closed;
};

/* [step: 3] */
/* edu_gpu_drv.c */
void edu_gpu_hang(struct edu_gpu *edu, const char *what);

/* [step: 3] */
/* edu_gpu_unit.c */
int edu_gpu_unit_init(struct edu_gpu *edu);
void edu_gpu_unit_stop(struct edu_gpu *edu);
int edu_gpu_unit_attach(struct edu_gpu *edu, struct edu_gpu_vm *vm);
void edu_gpu_unit_detach(struct edu_gpu *edu, struct edu_gpu_vm *vm);
void edu_gpu_unit_flush(void *priv, const struct drm_gpupt_flush *flush);
bool edu_gpu_unit_faults(struct edu_gpu *edu);

/* [step: 4] */
/* edu_gpu_vm.c */
void edu_gpu_vm_put(struct edu_gpu_vm *vm);
int edu_gpu_open(struct drm_device *drm, struct drm_file *file);
void edu_gpu_postclose(struct drm_device *drm, struct drm_file *file);
void edu_gpu_show_fdinfo(struct drm_printer *p, struct drm_file *file);
int edu_gpu_vm_bind_ioctl(struct drm_device *drm, void *data, struct drm_file *file);

/* [step: 6] */
/* edu_gpu_job.c */
int edu_gpu_dma_wait(struct edu_gpu *edu);
int edu_gpu_copy_ioctl(struct drm_device *drm, void *data, struct drm_file *file);

#endif /* __EDU_GPU_H__ */
