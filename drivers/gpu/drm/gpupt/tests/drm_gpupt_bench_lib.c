// SPDX-License-Identifier: GPL-2.0

#include <linux/err.h>
#include <linux/io-pgtable.h>
#include <linux/minmax.h>
#include <linux/numa.h>
#include <linux/scatterlist.h>
#include <linux/seqlock_types.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "drm_gpupt_bench.h"

/*
 * panthor, msm and other drivers, whose GPU reads a format of io-pgtable, map a buffer
 * with a call for each segment. This is their loop, with the only format that a kernel
 * for x86 has. Nothing flushes a TLB here.
 */

/*
 * A copy of struct amd_io_pgtable, which is private to the driver of the IOMMU. The
 * library gets it by container_of() from the configuration. In the driver it is part of
 * a struct protection_domain, which the library accesses when it replaces a table or an
 * entry. There is none here, so only empty ranges may be mapped.
 */
struct drm_gpupt_bench_lib {
	seqcount_t seqcount;
	struct io_pgtable pgtbl;
	int mode;
	u64 *root;
	u64 *pgd;
};

/* IOMMU_PROT_IR and _IW of that driver */
#define DRM_GPUPT_BENCH_LIB_PROT	3

struct drm_gpupt_bench_lib *drm_gpupt_bench_lib_create(void)
{
	struct drm_gpupt_bench_lib *lib;

	lib = kzalloc(sizeof(*lib), GFP_KERNEL);
	if (!lib)
		return ERR_PTR(-ENOMEM);

	lib->pgtbl.cfg.amd.nid = NUMA_NO_NODE;
	if (!alloc_io_pgtable_ops(AMD_IOMMU_V2, &lib->pgtbl.cfg, NULL)) {
		kfree(lib);
		return ERR_PTR(-ENOMEM);
	}
	return lib;
}

void drm_gpupt_bench_lib_destroy(struct drm_gpupt_bench_lib *lib)
{
	if (IS_ERR_OR_NULL(lib))
		return;

	free_io_pgtable_ops(&lib->pgtbl.ops);
	kfree(lib);
}

/* The part that one call can map: pages of one size, in one table. */
static size_t drm_gpupt_bench_lib_run(u64 addr, size_t size, size_t *count)
{
	size_t left = -addr % SZ_2M;

	if (left || size < SZ_2M) {
		*count = min_not_zero(left, size) / SZ_4K;
		return SZ_4K;
	}
	left = -addr % SZ_1G ?: SZ_1G;
	*count = min(left, size) / SZ_2M;
	return SZ_2M;
}

int drm_gpupt_bench_lib_map(struct drm_gpupt_bench_lib *lib, u64 va, u64 size,
			    const struct sg_table *sgt)
{
	struct io_pgtable_ops *ops = &lib->pgtbl.ops;
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		dma_addr_t addr = sg_dma_address(sg);
		size_t len = min_t(u64, sg_dma_len(sg), size);

		size -= len;
		while (len) {
			size_t count, mapped = 0;
			size_t page = drm_gpupt_bench_lib_run(va | addr, len, &count);

			ret = ops->map_pages(ops, va, addr, page, count,
					     DRM_GPUPT_BENCH_LIB_PROT, GFP_KERNEL,
					     &mapped);
			if (ret)
				return ret;
			va += mapped;
			addr += mapped;
			len -= mapped;
		}
		if (!size)
			break;
	}
	return 0;
}

int drm_gpupt_bench_lib_unmap(struct drm_gpupt_bench_lib *lib, u64 va, u64 size)
{
	struct io_pgtable_ops *ops = &lib->pgtbl.ops;

	while (size) {
		size_t count, page = drm_gpupt_bench_lib_run(va, size, &count);
		size_t done = ops->unmap_pages(ops, va, page, count, NULL);

		if (done != page * count)
			return -EINVAL;
		va += done;
		size -= done;
	}
	return 0;
}
