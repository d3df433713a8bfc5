/* SPDX-License-Identifier: GPL-2.0 */
/* The edu device, whose driver is edu_gpu: address spaces and copies. */
#ifndef EDU_H
#define EDU_H

#include "sgt_test.h"

/*
 * For the opening fixture: loads the driver, and writes the name of the PCI device.
 * Skips if there is none, which the set-up "edu" must have.
 */
void edu_begin(char pci[64]);

/* An fd of the device */
int edu_open(void);

/* A buffer of whole pages, mapped and filled */
void edu_make(struct sgt_bo *bo, int drm, unsigned int pages, uint32_t seed);

/* These return 0 or a negative errno. */
int edu_map(const struct sgt_bo *bo, uint64_t va, uint64_t len, uint64_t offset);
int edu_map_readonly(const struct sgt_bo *bo, uint64_t va, uint64_t len, uint64_t offset);
int edu_replace(const struct sgt_bo *bo, uint64_t va, uint64_t len, uint64_t offset);
int edu_unmap(int drm, uint64_t va, uint64_t len);
int edu_bind(const char *pci);
int edu_unbind(const char *pci);

/* A sync file of the copy, or a negative errno */
int edu_copy_begin(int drm, uint64_t src, uint64_t dst, uint32_t len);

/* Copies, and waits: 0 or the error of the copy. */
int edu_copy(int drm, uint64_t src, uint64_t dst, uint32_t len);

/* The same, 0 expected, and the copied bytes, which lie at these offsets */
void edu_expect_copy(const struct sgt_bo *src, uint64_t from, uint64_t src_va,
		     const struct sgt_bo *dst, uint64_t to, uint64_t dst_va, uint32_t len);

/* The copy is refused by the MMU, and the word at the destination stays. */
void edu_expect_fault(int drm, uint64_t src, uint64_t dst, uint32_t len,
		      const volatile uint32_t *word);

/* The leaves of the address space: "4k", "2m", "1g" */
unsigned long edu_leaves(int drm, const char *size);

/* The row of the device in the tables of the helpers, live or gone: 0 or -ENOENT */
int edu_find_device(const char *pci, const char *state, struct sgt_device_row *row);

#endif
