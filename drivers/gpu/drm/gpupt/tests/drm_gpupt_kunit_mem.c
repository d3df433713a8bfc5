// SPDX-License-Identifier: GPL-2.0

#include <linux/scatterlist.h>
#include <linux/sizes.h>

#include "drm_gpupt_kunit_helpers.h"

/* An sg entry cannot hold 4 GiB: longer segments are several adjacent entries. */
#define GPUPT_MEM_ENTRY	((u64)SZ_2G)

static void pt_mem_free(void *data)
{
	struct drm_gpupt_kunit_mem *mem = data;

	/* sg_free_table() needs the number of allocated entries. */
	mem->table.orig_nents = mem->ents;
	sg_free_table(&mem->table);
}

struct drm_gpupt_kunit_mem *drm_gpupt_kunit_mem(struct kunit *test, const struct drm_dma_seg *seg,
						unsigned int nr)
{
	struct drm_gpupt_kunit_mem *mem = kunit_kzalloc(test, sizeof(*mem), GFP_KERNEL);
	struct scatterlist *sg;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, mem);
	for (i = 0; i < nr; i++)
		mem->ents += DIV_ROUND_UP_ULL(seg[i].len, GPUPT_MEM_ENTRY);
	KUNIT_ASSERT_EQ(test, 0, sg_alloc_table(&mem->table, mem->ents, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, pt_mem_free, mem));

	sg = mem->table.sgl;
	for (i = 0; i < nr; i++) {
		u64 done, len;

		for (done = 0; done < seg[i].len; done += len, sg = sg_next(sg)) {
			len = min(seg[i].len - done, GPUPT_MEM_ENTRY);
			sg_dma_address(sg) = seg[i].addr + done;
			sg_dma_len(sg) = len;
		}
		mem->size += seg[i].len;
	}
	mem->table.orig_nents = 0;
	return mem;
}

/* Memory in one piece. */
struct drm_gpupt_kunit_mem *drm_gpupt_kunit_block(struct kunit *test, u64 addr, u64 len)
{
	const struct drm_dma_seg seg = { .addr = addr, .len = len };

	return drm_gpupt_kunit_mem(test, &seg, 1);
}

struct drm_dma_view drm_gpupt_kunit_view(const struct drm_gpupt_kunit_mem *mem)
{
	return drm_dma_view_borrow(&mem->table);
}

/* Set the address and the permissions of cells that become mapped. */
void drm_gpupt_kunit_mem_to_cells(const struct drm_gpupt_kunit_mem *mem, u64 offset, u32 prot,
				  struct drm_gpupt_kunit_cell *cells, unsigned int nr, u64 cell)
{
	struct scatterlist *sg = mem->table.sgl;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		while (offset >= sg_dma_len(sg)) {
			offset -= sg_dma_len(sg);
			sg = sg_next(sg);
		}
		cells[i] = (struct drm_gpupt_kunit_cell) {
			.addr = sg_dma_address(sg) + offset,
			.prot = prot,
		};
		offset += cell;
	}
}
