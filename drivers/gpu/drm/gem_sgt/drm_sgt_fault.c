// SPDX-License-Identifier: GPL-2.0

#include <linux/fault-inject.h>
#include <linux/limits.h>
#include <linux/minmax.h>

#include "drm_sgt_fault.h"

/**
 * DOC: fault injection
 *
 * The kernel can make allocations fail on request, but not DMA mappings. With
 * CONFIG_FAULT_INJECTION, those of this layer can: fail_dma_map in the debugfs
 * directory of the module has the usual knobs, and /proc/<pid>/fail-nth counts
 * mappings along with allocations. See Documentation/fault-injection/ in the kernel.
 */

static DECLARE_FAULT_ATTR(drm_sgt_fail_dma_map);

/* Should the next mapping, of @size bytes, fail? */
bool drm_sgt_should_fail_map(u64 size)
{
	return should_fail(&drm_sgt_fail_dma_map, min_t(u64, size, SSIZE_MAX));
}

void drm_sgt_fault_init(struct dentry *dir)
{
	fault_create_debugfs_attr("fail_dma_map", dir, &drm_sgt_fail_dma_map);
}
