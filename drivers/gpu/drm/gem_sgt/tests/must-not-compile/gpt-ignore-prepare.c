// SPDX-License-Identifier: GPL-2.0
/* expect: ignoring return value of .*drm_gpt_prepare_unmap */
/* What was not prepared must not be committed. */
#include <drm/drm_gpt.h>

int run(struct drm_gpt *gpt, struct drm_gpt_op *op);

int run(struct drm_gpt *gpt, struct drm_gpt_op *op)
{
#ifndef GOOD
	drm_gpt_prepare_unmap(gpt, op, 0, 4096);
	drm_gpt_commit(op);
	return 0;
#else
	int ret = drm_gpt_prepare_unmap(gpt, op, 0, 4096);

	if (!ret)
		drm_gpt_commit(op);
	return ret;
#endif
}
