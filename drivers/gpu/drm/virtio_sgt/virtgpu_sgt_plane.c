// SPDX-License-Identifier: GPL-2.0

#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/dma-fence.h>
#include <linux/dma-fence-chain.h>
#include <linux/err.h>
#include <linux/slab.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_atomic_state_helper.h>
#include <drm/drm_blend.h>
#include <drm/drm_crtc.h>
#include <drm/drm_damage_helper.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem_atomic_helper.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_print.h>
#include <drm/drm_rect.h>

#include "virtgpu_sgt_cmd.h"
#include "virtgpu_sgt_crtc.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_fb.h"
#include "virtgpu_sgt_output.h"
#include "virtgpu_sgt_plane.h"
#include "virtgpu_sgt_resource.h"

static const u32 virtgpu_sgt_primary_formats[] = {
	DRM_FORMAT_HOST_XRGB8888,
};

static const u32 virtgpu_sgt_cursor_formats[] = {
	DRM_FORMAT_HOST_ARGB8888,
};

/* @attach: from virtgpu_sgt_resource_prepare(), or NULL */
struct virtgpu_sgt_plane_state {
	struct drm_plane_state base;
	struct virtgpu_sgt_attach *attach;
};

#define to_virtgpu_sgt_plane_state(state) \
	container_of_const(state, struct virtgpu_sgt_plane_state, base)

static struct virtgpu_sgt_resource *
virtgpu_sgt_plane_resource(const struct drm_plane_state *state)
{
	return to_virtgpu_sgt_fb(state->fb)->res;
}

/* A plane belongs to one CRTC: if the new state has none, use that of the old state. */
static struct virtgpu_sgt_output *
virtgpu_sgt_plane_output(const struct drm_plane_state *old_state,
			 const struct drm_plane_state *new_state)
{
	return to_virtgpu_sgt_output(new_state->crtc ?: old_state->crtc);
}

/* Reject what the host would reject, or would show wrongly without an error. */
static int virtgpu_sgt_plane_check(struct drm_plane *plane,
				   struct drm_atomic_commit *state,
				   bool can_position)
{
	struct drm_plane_state *old_state, *new_state;
	struct drm_crtc_state *crtc_state;

	old_state = drm_atomic_get_old_plane_state(state, plane);
	new_state = drm_atomic_get_new_plane_state(state, plane);
	if (!new_state->fb)
		return 0;

	/* The core lists a framebuffer before its resource is there. */
	if (!smp_load_acquire(&to_virtgpu_sgt_fb(new_state->fb)->res)) {
		drm_dbg_kms(plane->dev, "framebuffer %u is being added\n",
			    new_state->fb->base.id);
		return -EINVAL;
	}

	/*
	 * The damage clips are those of the new buffer, which the host may not
	 * have at all. Write false, too, since a new state is a copy of the old.
	 */
	new_state->ignore_damage_clips = old_state->fb != new_state->fb;

	crtc_state = drm_atomic_get_new_crtc_state(state, new_state->crtc);
	return drm_atomic_helper_check_plane_state(new_state, crtc_state,
						   DRM_PLANE_NO_SCALING,
						   DRM_PLANE_NO_SCALING,
						   can_position, true);
}

static int virtgpu_sgt_primary_atomic_check(struct drm_plane *plane,
					    struct drm_atomic_commit *state)
{
	return virtgpu_sgt_plane_check(plane, state, false);
}

static int virtgpu_sgt_cursor_atomic_check(struct drm_plane *plane,
					   struct drm_atomic_commit *state)
{
	const struct drm_plane_state *new_state =
		drm_atomic_get_new_plane_state(state, plane);
	const struct virtgpu_sgt_resource *res;
	int ret;

	/* First: it checks that there is a size. */
	ret = virtgpu_sgt_plane_check(plane, state, true);
	if (ret)
		return ret;

	if (new_state->fb) {
		res = virtgpu_sgt_plane_resource(new_state);
		if (res->width != VIRTGPU_SGT_CURSOR_SIZE ||
		    res->height != VIRTGPU_SGT_CURSOR_SIZE ||
		    new_state->crtc_w != VIRTGPU_SGT_CURSOR_SIZE ||
		    new_state->crtc_h != VIRTGPU_SGT_CURSOR_SIZE) {
			drm_dbg_kms(plane->dev, "cursor is not %ux%u\n",
				    VIRTGPU_SGT_CURSOR_SIZE,
				    VIRTGPU_SGT_CURSOR_SIZE);
			return -EINVAL;
		}
	}
	return 0;
}

/* Both fences must have signalled before the hardware phase. */
static int virtgpu_sgt_plane_add_fence(struct drm_plane_state *state,
				       struct dma_fence *fence)
{
	struct dma_fence_chain *chain;

	if (!state->fence) {
		state->fence = dma_fence_get(fence);
		return 0;
	}

	chain = dma_fence_chain_alloc();
	if (!chain)
		return -ENOMEM;
	/* The chain takes over the reference of the state. */
	dma_fence_chain_init(chain, state->fence, dma_fence_get(fence), 1);
	state->fence = &chain->base;
	return 0;
}

/*
 * The host must have the memory of a plane that will be visible. If it will not be,
 * this must not fail, so that a display can always be turned off. If the device is
 * being removed, the commit succeeds and sends nothing.
 */
static int virtgpu_sgt_plane_prepare_resource(struct drm_plane_state *state)
{
	struct drm_crtc_state *crtc_state;
	struct virtgpu_sgt_attach *attach;
	struct dma_fence *fence;

	if (!state->visible)
		return 0;
	crtc_state = drm_atomic_get_new_crtc_state(state->state, state->crtc);
	if (!crtc_state->active)
		return 0;

	attach = virtgpu_sgt_resource_prepare(virtgpu_sgt_plane_resource(state), &fence);
	if (IS_ERR(attach))
		return PTR_ERR(attach) == -ENODEV ? 0 : PTR_ERR(attach);

	to_virtgpu_sgt_plane_state(state)->attach = attach;
	return fence ? virtgpu_sgt_plane_add_fence(state, fence) : 0;
}

static int virtgpu_sgt_plane_prepare_fb(struct drm_plane *plane,
					struct drm_plane_state *new_state)
{
	int ret;

	if (!new_state->fb)
		return 0;

	/* First: it checks whether userspace has set a fence. */
	ret = drm_gem_plane_helper_prepare_fb(plane, new_state);
	if (ret)
		return ret;
	return virtgpu_sgt_plane_prepare_resource(new_state);
}

static void virtgpu_sgt_plane_unprepare(struct drm_plane_state *state)
{
	struct virtgpu_sgt_plane_state *plane_state = to_virtgpu_sgt_plane_state(state);

	if (plane_state->attach)
		virtgpu_sgt_resource_unprepare(virtgpu_sgt_plane_resource(state),
					       plane_state->attach);
	plane_state->attach = NULL;
}

static bool virtgpu_sgt_plane_src_changed(const struct drm_plane_state *old,
					  const struct drm_plane_state *new)
{
	return old->fb != new->fb || !drm_rect_equals(&old->src, &new->src);
}

static void virtgpu_sgt_primary_atomic_update(struct drm_plane *plane,
					      struct drm_atomic_commit *state)
{
	struct drm_plane_state *old_state, *new_state;
	struct drm_crtc_state *crtc_state;
	struct virtgpu_sgt_output *output;
	struct virtgpu_sgt_update update;
	struct virtgpu_sgt_commit commit;
	struct drm_rect damage;

	old_state = drm_atomic_get_old_plane_state(state, plane);
	new_state = drm_atomic_get_new_plane_state(state, plane);
	output = virtgpu_sgt_plane_output(old_state, new_state);
	crtc_state = drm_atomic_get_new_crtc_state(state, &output->crtc);
	commit = virtgpu_sgt_crtc_commit(crtc_state);

	update = (struct virtgpu_sgt_update) {
		.res = virtgpu_sgt_plane_resource(new_state),
		.attach = to_virtgpu_sgt_plane_state(new_state)->attach,
		.set_src = virtgpu_sgt_plane_src_changed(old_state, new_state) ||
			   drm_atomic_crtc_needs_modeset(crtc_state),
	};
	drm_rect_fp_to_int(&update.src, &new_state->src);
	if (drm_atomic_helper_damage_merged(old_state, new_state, &damage))
		update.damage = &damage;
	virtgpu_sgt_output_show(output, &commit, &update);
	virtgpu_sgt_plane_unprepare(new_state);
}

static void virtgpu_sgt_primary_atomic_disable(struct drm_plane *plane,
					       struct drm_atomic_commit *state)
{
	struct drm_crtc *crtc = drm_atomic_get_old_plane_state(state, plane)->crtc;
	struct virtgpu_sgt_commit commit =
		virtgpu_sgt_crtc_commit(drm_atomic_get_new_crtc_state(state, crtc));

	virtgpu_sgt_output_blank(to_virtgpu_sgt_output(crtc), &commit);
}

static bool virtgpu_sgt_cursor_is_moved(const struct drm_plane_state *old,
					const struct drm_plane_state *new)
{
	return old->crtc_x != new->crtc_x || old->crtc_y != new->crtc_y;
}

static bool virtgpu_sgt_cursor_has_hotspot(const struct drm_plane_state *old,
					   const struct drm_plane_state *new)
{
	return old->hotspot_x != new->hotspot_x || old->hotspot_y != new->hotspot_y;
}

/*
 * In a primary plane, no damage clips mean full damage. In a cursor, that would upload
 * the image with each move. A commit that changes nothing says that it was redrawn.
 */
static bool virtgpu_sgt_cursor_is_redrawn(const struct drm_plane_state *old,
					  const struct drm_plane_state *new)
{
	return old->fb != new->fb || drm_plane_get_damage_clips_count(new) ||
	       !(virtgpu_sgt_cursor_is_moved(old, new) ||
		 virtgpu_sgt_cursor_has_hotspot(old, new));
}

/* Is the position all that changes, of a cursor that the host has? */
static bool virtgpu_sgt_cursor_is_only_moved(struct virtgpu_sgt_output *output,
					     const struct drm_plane_state *old,
					     const struct drm_plane_state *new)
{
	return new->visible && !virtgpu_sgt_cursor_is_redrawn(old, new) &&
	       !virtgpu_sgt_cursor_has_hotspot(old, new) &&
	       virtgpu_sgt_output_cursor_can_move(output);
}

static struct virtgpu_sgt_cursor
virtgpu_sgt_cursor_of_state(const struct drm_plane_state *state)
{
	return (struct virtgpu_sgt_cursor) {
		.resource = virtgpu_sgt_plane_resource(state)->id,
		.x = state->crtc_x,
		.y = state->crtc_y,
		.hot_x = state->hotspot_x,
		.hot_y = state->hotspot_y,
	};
}

/* The memory of a cursor that is not visible need not be attached: hide it. */
static void virtgpu_sgt_cursor_atomic_update(struct drm_plane *plane,
					     struct drm_atomic_commit *state)
{
	struct drm_plane_state *old_state, *new_state;
	struct virtgpu_sgt_output *output;
	struct virtgpu_sgt_commit commit;
	struct virtgpu_sgt_cursor cursor;

	old_state = drm_atomic_get_old_plane_state(state, plane);
	new_state = drm_atomic_get_new_plane_state(state, plane);
	output = virtgpu_sgt_plane_output(old_state, new_state);
	commit = virtgpu_sgt_crtc_commit(drm_atomic_get_new_crtc_state(state, &output->crtc));
	cursor = virtgpu_sgt_cursor_of_state(new_state);

	if (!new_state->visible)
		virtgpu_sgt_output_cursor_hide(output);
	else if (virtgpu_sgt_cursor_is_only_moved(output, old_state, new_state))
		virtgpu_sgt_output_cursor_move(output, &cursor);
	else
		virtgpu_sgt_output_cursor_set(output, &commit, &cursor,
					      virtgpu_sgt_plane_resource(new_state),
					      to_virtgpu_sgt_plane_state(new_state)->attach,
					      virtgpu_sgt_cursor_is_redrawn(old_state,
									    new_state));
	virtgpu_sgt_plane_unprepare(new_state);
}

/* A move waits neither for the host nor for the commits before it. */
static int virtgpu_sgt_cursor_atomic_async_check(struct drm_plane *plane,
						 struct drm_atomic_commit *state, bool flip)
{
	const struct drm_plane_state *old_state, *new_state;

	old_state = drm_atomic_get_old_plane_state(state, plane);
	new_state = drm_atomic_get_new_plane_state(state, plane);
	return virtgpu_sgt_cursor_is_only_moved(to_virtgpu_sgt_output(new_state->crtc),
						old_state, new_state) ? 0 : -EINVAL;
}

static void virtgpu_sgt_cursor_atomic_async_update(struct drm_plane *plane,
						   struct drm_atomic_commit *state)
{
	const struct drm_plane_state *new_state = drm_atomic_get_new_plane_state(state, plane);
	struct virtgpu_sgt_cursor cursor = virtgpu_sgt_cursor_of_state(new_state);

	plane->state->crtc_x = new_state->crtc_x;
	plane->state->crtc_y = new_state->crtc_y;
	plane->state->src = new_state->src;
	plane->state->dst = new_state->dst;
	virtgpu_sgt_output_cursor_move(to_virtgpu_sgt_output(new_state->crtc), &cursor);
}

static void virtgpu_sgt_cursor_atomic_disable(struct drm_plane *plane,
					      struct drm_atomic_commit *state)
{
	struct drm_crtc *crtc = drm_atomic_get_old_plane_state(state, plane)->crtc;

	virtgpu_sgt_output_cursor_hide(to_virtgpu_sgt_output(crtc));
}

static const struct drm_plane_helper_funcs virtgpu_sgt_primary_helper_funcs = {
	.prepare_fb = virtgpu_sgt_plane_prepare_fb,
	.atomic_check = virtgpu_sgt_primary_atomic_check,
	.atomic_update = virtgpu_sgt_primary_atomic_update,
	.atomic_disable = virtgpu_sgt_primary_atomic_disable,
};

COMPAT_DRM_ASYNC_CHECK(virtgpu_sgt_cursor_atomic_async_check)

static const struct drm_plane_helper_funcs virtgpu_sgt_cursor_helper_funcs = {
	.prepare_fb = virtgpu_sgt_plane_prepare_fb,
	.atomic_check = virtgpu_sgt_cursor_atomic_check,
	.atomic_update = virtgpu_sgt_cursor_atomic_update,
	.atomic_disable = virtgpu_sgt_cursor_atomic_disable,
	.atomic_async_check = COMPAT_DRM_ASYNC_CHECK_OP(virtgpu_sgt_cursor_atomic_async_check),
	.atomic_async_update = virtgpu_sgt_cursor_atomic_async_update,
};

static struct drm_plane_state *
virtgpu_sgt_plane_atomic_duplicate_state(struct drm_plane *plane)
{
	struct virtgpu_sgt_plane_state *state;

	state = kzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return NULL;

	__drm_atomic_helper_plane_duplicate_state(plane, &state->base);
	return &state->base;
}

/* Also called for a state that was prepared, but not committed. */
static void virtgpu_sgt_plane_atomic_destroy_state(struct drm_plane *plane,
						   struct drm_plane_state *state)
{
	virtgpu_sgt_plane_unprepare(state);
	__drm_atomic_helper_plane_destroy_state(state);
	kfree(to_virtgpu_sgt_plane_state(state));
}

static void virtgpu_sgt_plane_reset(struct drm_plane *plane)
{
	struct virtgpu_sgt_plane_state *state;

	if (plane->state)
		virtgpu_sgt_plane_atomic_destroy_state(plane, plane->state);
	plane->state = NULL;

	state = kzalloc(sizeof(*state), GFP_KERNEL);
	if (state)
		__drm_atomic_helper_plane_reset(plane, &state->base);
}

static const struct drm_plane_funcs virtgpu_sgt_plane_funcs = {
	.update_plane = drm_atomic_helper_update_plane,
	.disable_plane = drm_atomic_helper_disable_plane,
	.reset = virtgpu_sgt_plane_reset,
	.atomic_duplicate_state = virtgpu_sgt_plane_atomic_duplicate_state,
	.atomic_destroy_state = virtgpu_sgt_plane_atomic_destroy_state,
};

/**
 * virtgpu_sgt_plane_create() - create a plane of an output
 * @output: the output
 * @type: DRM_PLANE_TYPE_PRIMARY or DRM_PLANE_TYPE_CURSOR
 *
 * Return: the plane, freed with the DRM device, or an ERR_PTR()
 */
struct drm_plane *virtgpu_sgt_plane_create(struct virtgpu_sgt_output *output,
					   enum drm_plane_type type)
{
	const bool is_cursor = type == DRM_PLANE_TYPE_CURSOR;
	const u32 *formats = is_cursor ? virtgpu_sgt_cursor_formats :
					 virtgpu_sgt_primary_formats;
	struct drm_device *drm = output->vgdev->drm;
	struct drm_plane *plane;
	int ret;

	static_assert(ARRAY_SIZE(virtgpu_sgt_cursor_formats) == 1 &&
		      ARRAY_SIZE(virtgpu_sgt_primary_formats) == 1);

	plane = drmm_universal_plane_alloc(drm, struct drm_plane, dev,
					   BIT(output->index),
					   &virtgpu_sgt_plane_funcs,
					   formats, 1, NULL, type, NULL);
	if (IS_ERR(plane))
		return plane;

	drm_plane_helper_add(plane, is_cursor ?
				    &virtgpu_sgt_cursor_helper_funcs :
				    &virtgpu_sgt_primary_helper_funcs);
	drm_plane_enable_fb_damage_clips(plane);
	if (!is_cursor)
		return plane;

	/* Its format has alpha. */
	ret = drm_plane_create_blend_mode_property(plane, BIT(DRM_MODE_BLEND_PREMULTI));
	return ret ? ERR_PTR(ret) : plane;
}
