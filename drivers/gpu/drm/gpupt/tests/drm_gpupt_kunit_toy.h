/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_GPUPT_KUNIT_TOY_H__
#define __DRM_GPUPT_KUNIT_TOY_H__

#include <drm/drm_gpupt_fmt.h>

/*
 * Formats for tests only. They use the public header alone, as the format of a driver
 * does.
 *
 * Pages of 16K, leaves of 512K, but none at the top; entries of 4 bytes in tables
 * of 32, 4 and 8 entries. 1024 pages in all.
 */
extern const struct drm_gpupt_fmt drm_gpupt_kunit_toy;

/*
 * Four levels, leaves of 1, 4 and 8 pages: a split of the largest needs tables of two
 * levels. Entries are big-endian. 128 pages of 4K.
 */
extern const struct drm_gpupt_fmt drm_gpupt_kunit_odd;

/*
 * Leaves of 1, 2 and 4 pages, tables of 2, 2 and 4 entries: 16 pages of 4K. Small
 * enough to try everything.
 */
extern const struct drm_gpupt_fmt drm_gpupt_kunit_tiny;

#endif /* __DRM_GPUPT_KUNIT_TOY_H__ */
