/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GPUPT_BENCH_H__
#define __DRM_GPUPT_BENCH_H__

#include <linux/kconfig.h>
#include <linux/types.h>

struct drm_gpupt_bench_lib;
struct sg_table;

/*
 * The same work with the kernel's own library: generic_pt, or in older kernels io-pgtable,
 * whose only format for x86 is part of the driver of AMD's IOMMU.
 */
#if IS_ENABLED(CONFIG_IOMMU_PT_X86_64) || IS_ENABLED(CONFIG_AMD_IOMMU)
struct drm_gpupt_bench_lib *drm_gpupt_bench_lib_create(void);
void drm_gpupt_bench_lib_destroy(struct drm_gpupt_bench_lib *lib);
int drm_gpupt_bench_lib_map(struct drm_gpupt_bench_lib *lib, u64 va, u64 size,
			    const struct sg_table *sgt);
int drm_gpupt_bench_lib_unmap(struct drm_gpupt_bench_lib *lib, u64 va, u64 size);
#else
static inline struct drm_gpupt_bench_lib *drm_gpupt_bench_lib_create(void)
{
	return NULL;
}

static inline void drm_gpupt_bench_lib_destroy(struct drm_gpupt_bench_lib *lib)
{
}

static inline int drm_gpupt_bench_lib_map(struct drm_gpupt_bench_lib *lib, u64 va,
					  u64 size, const struct sg_table *sgt)
{
	return 0;
}

static inline int drm_gpupt_bench_lib_unmap(struct drm_gpupt_bench_lib *lib, u64 va,
					    u64 size)
{
	return 0;
}
#endif

#endif /* __DRM_GPUPT_BENCH_H__ */
