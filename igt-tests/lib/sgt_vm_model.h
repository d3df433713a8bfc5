/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of the mappings of a range of the address space, for each page, which is
 * compared with the driver.  The model owns its buffers.
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

/* Begins with an unmapped range.  A size of 0 pages means no buffer. */
void sgt_model_begin(struct sgt_vm_model *model, int drm, uint64_t va, uint32_t count,
		     const uint32_t bo_pages[SGT_MODEL_BOS]);

/* Maps @count pages of a buffer at page @first, or unmaps them. */
void sgt_model_lay(struct sgt_vm_model *model, uint32_t first, uint32_t count,
		   const struct sgt_bo *bo, uint32_t page);
void sgt_model_cut(struct sgt_vm_model *model, uint32_t first, uint32_t count);

/*
 * Makes a call with a few random operations, which must fail if one of them fails.
 * With a syncobj, it is asynchronous: see sgt_vm_bind_async().
 */
void sgt_model_step(struct sgt_vm_model *model, uint64_t *random, uint32_t in,
		    uint32_t out);

/* Compares the number of mapped pages in each part of the range. */
void sgt_model_check(const struct sgt_vm_model *model);

/* Fills the buffers so that the range is a picture of the pattern. */
void sgt_model_fill(const struct sgt_vm_model *model, uint32_t seed);

/* Does not unmap anything, as the file may be closed. */
void sgt_model_end(struct sgt_vm_model *model);

#endif
