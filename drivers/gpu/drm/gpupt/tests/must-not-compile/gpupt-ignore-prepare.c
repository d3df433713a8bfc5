// SPDX-License-Identifier: GPL-2.0
/* expect: ignoring return value of .*drm_gpupt_prepare_unmap */
/* A prepare can fail, so its result must be checked before a commit. */
#include <drm/drm_gpupt.h>

int run(struct drm_gpupt *pt, struct drm_gpupt_op *op);

int run(struct drm_gpupt *pt, struct drm_gpupt_op *op)
{
#ifndef GOOD
	drm_gpupt_prepare_unmap(pt, op, 0, 4096);
	drm_gpupt_commit(op);
	return 0;
#else
	int ret = drm_gpupt_prepare_unmap(pt, op, 0, 4096);

	if (!ret)
		drm_gpupt_commit(op);
	return ret;
#endif
}
