/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of the mappings of a range of the address space, page by page, to compare
 * with those of the driver.  It owns its buffers.
 */
#ifndef SGT_VM_MODEL_H
#define SGT_VM_MODEL_H

#include "sgt_space.h"

#define SGT_MODEL_BOS	3

struct sgt_vm_page {
	const struct sgt_bo *bo;	/* NULL: unmapped */
	uint32_t page;
};

struct sgt_vm_model {
	int drm;		/* not owned */
	uint64_t va;
	uint32_t count;		/* of pages, those in the range */
	struct sgt_vm_page *pages;
	struct sgt_bo bos[SGT_MODEL_BOS];
};

/* An unmapped range; 0 pages: no such buffer */
void sgt_model_begin(struct sgt_vm_model *model, int drm, uint64_t va, uint32_t count,
		     const uint32_t bo_pages[SGT_MODEL_BOS]);

/* Maps @count pages from @first on to those of a buffer, or unmaps them. */
void sgt_model_lay(struct sgt_vm_model *model, uint32_t first, uint32_t count,
		   const struct sgt_bo *bo, uint32_t page);
void sgt_model_cut(struct sgt_vm_model *model, uint32_t first, uint32_t count);

/*
 * A call with a few random operations, which must fail if one of them does.
 * With a syncobj it is asynchronous, see sgt_vm_bind_async().
 */
void sgt_model_step(struct sgt_vm_model *model, uint64_t *random, uint32_t in,
		    uint32_t out);

/* The driver has as many pages mapped in each part of the range. */
void sgt_model_check(const struct sgt_vm_model *model);

/* Writes to the buffers by the CPU, so that the range is a picture of the pattern. */
void sgt_model_fill(const struct sgt_vm_model *model, uint32_t seed);

/* Mappings belong to the file, which may be closed already. */
void sgt_model_end(struct sgt_vm_model *model);

#endif
