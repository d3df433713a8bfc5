/* SPDX-License-Identifier: GPL-2.0 */
/* Common parts of the tests of the address space. */
#ifndef SGT_VM_TEST_H
#define SGT_VM_TEST_H

#include "sgt_test.h"
#include "sgt_space.h"

#define SGT_LEAF_2M	(2ull << 20)
#define SGT_LEAF_1G	(1024ull << 20)

/*
 * For the opening fixture, in place of sgt_test_begin().  The fd stays open, so
 * that a close does not restore the console; it is not the DRM master.
 */
int sgt_vm_fixture(struct sgt_test *test);

/* Runs the test with a new file, after which no buffer or mapping may be left. */
void sgt_in_file(const struct sgt_test *test, void (*run)(int drm));

struct sgt_file_test {
	const char *name, *what;
	void (*run)(int drm);
};

/* A subtest for each, in a file of its own as above */
void sgt_in_files(const struct sgt_test *test, const struct sgt_file_test *tests,
		  unsigned int count);

/* A buffer of whole pages, mapped for the CPU */
void sgt_make_pages(struct sgt_bo *bo, int drm, uint32_t pages);

/*
 * @mapped bytes of the range are mapped, by leaves of the same total size.  The
 * bounds of the range must not be within a leaf.
 */
void sgt_expect_mapped(int drm, uint64_t va, uint64_t size, uint64_t mapped);

/* The same for the whole address space, and its number of tables */
void sgt_expect_space(int drm, uint64_t mapped, uint64_t tables);

/* So many mappings, each in a table of its own, exceed the limit of tables. */
#define SGT_WIDE	196608

/*
 * Maps the first page of a buffer @count times, at every @stride bytes.  Returns 0
 * or a negative errno; @mapped is the number of mappings, NULL if it is not wanted.
 */
int sgt_map_often(const struct sgt_bo *bo, uint64_t va, uint64_t stride, uint64_t count,
		  uint64_t *mapped);

#endif
