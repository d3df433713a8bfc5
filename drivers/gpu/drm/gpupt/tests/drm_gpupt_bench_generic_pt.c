// SPDX-License-Identifier: GPL-2.0

#include <linux/bits.h>
#include <linux/err.h>
#include <linux/generic_pt/iommu.h>
#include <linux/iommu.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/numa.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "drm_gpupt_bench.h"

/*
 * Kernels with generic_pt have this format in it, and not in io-pgtable. It maps a
 * segment in each call. Nothing flushes a TLB here.
 */

struct drm_gpupt_bench_lib {
	struct pt_iommu_x86_64 pt;
};

static const struct iommu_domain_ops drm_gpupt_bench_lib_ops;

struct drm_gpupt_bench_lib *drm_gpupt_bench_lib_create(void)
{
	static const struct pt_iommu_x86_64_cfg cfg = {
		.common.features = BIT(PT_FEAT_SIGN_EXTEND),
		.common.hw_max_vasz_lg2 = 48,
		.common.hw_max_oasz_lg2 = 52,
		.top_level = 3,
	};
	struct drm_gpupt_bench_lib *lib;
	int ret;

	lib = kzalloc(sizeof(*lib), GFP_KERNEL);
	if (!lib)
		return ERR_PTR(-ENOMEM);

	lib->pt.iommu.nid = NUMA_NO_NODE;
	ret = pt_iommu_x86_64_init(&lib->pt, &cfg, GFP_KERNEL);
	if (ret) {
		kfree(lib);
		return ERR_PTR(ret);
	}
	lib->pt.iommu.domain.ops = &drm_gpupt_bench_lib_ops;
	return lib;
}

void drm_gpupt_bench_lib_destroy(struct drm_gpupt_bench_lib *lib)
{
	if (IS_ERR_OR_NULL(lib))
		return;

	pt_iommu_deinit(&lib->pt.iommu);
	kfree(lib);
}

int drm_gpupt_bench_lib_map(struct drm_gpupt_bench_lib *lib, u64 va, u64 size,
			    const struct sg_table *sgt)
{
	struct pt_iommu *pt = &lib->pt.iommu;
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		size_t len = min_t(u64, sg_dma_len(sg), size), mapped = 0;

		ret = pt->ops->map_range(pt, va, sg_dma_address(sg), len,
					 IOMMU_READ | IOMMU_WRITE, GFP_KERNEL,
					 &mapped);
		if (ret)
			return ret;
		va += len;
		size -= len;
		if (!size)
			break;
	}
	return 0;
}

int drm_gpupt_bench_lib_unmap(struct drm_gpupt_bench_lib *lib, u64 va, u64 size)
{
	struct pt_iommu *pt = &lib->pt.iommu;
	struct iommu_iotlb_gather gather;
	size_t done;

	iommu_iotlb_gather_init(&gather);
	done = pt->ops->unmap_range(pt, va, size, &gather);
	iommu_put_pages_list(&gather.freelist);
	return done == size ? 0 : -EINVAL;
}

MODULE_IMPORT_NS("GENERIC_PT_IOMMU");
