// SPDX-License-Identifier: GPL-2.0

#include <linux/err.h>
#include <linux/slab.h>
#include <linux/stddef.h>

#include <drm/drm_damage_helper.h>
#include <drm/drm_device.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_print.h>

#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_fb.h"
#include "virtgpu_sgt_fb_resource.h"
#include "virtgpu_sgt_resource.h"

/**
 * DOC: framebuffers
 *
 * A framebuffer is shown by a 2D resource, or by a blob: see "blobs". In guest memory,
 * the lines of a 2D resource follow each other without a gap, and it begins with the first
 * byte of its memory. So the width of the resource is the pitch of the framebuffer, of
 * which a commit shows the left part, and its memory begins at the offset of the
 * framebuffer. Any linear framebuffer can be shown whose pitch and offset are multiples of
 * a pixel.
 *
 * A framebuffer of a buffer has a resource of its own, so that several framebuffers
 * of a buffer do not depend on each other. An exception is a buffer that has a resource
 * with the geometry of the framebuffer: from RESOURCE_CREATE, or made by
 * TRANSFER_TO_HOST. The framebuffer then uses that, and a transfer changes what is
 * shown. The framebuffers of a VA resource are shown by the VA resource.
 *
 * Adding a framebuffer waits for the host, and returns its error. Removing one waits
 * for nothing: the resource has a reference to the buffer, until the host has answered
 * its UNREF.
 *
 * The resources of framebuffers take memory of the host. For each buffer, they may have
 * 16 times its size together: each scanout can show all of it. All imports of a dma-buf
 * count as one buffer. An exporter that makes several dma-bufs of the same pages, as
 * udmabuf can, makes several buffers.
 */

/* drm_gem_fb_destroy() frees the memory through its own pointer. */
static_assert(offsetof(struct virtgpu_sgt_fb, base) == 0);

static bool virtgpu_sgt_fb_fits(const struct drm_framebuffer *fb,
				const struct virtgpu_sgt_resource *res)
{
	return virtgpu_sgt_format_shows(res->format, fb->format->format) &&
	       !fb->offsets[0] && fb->pitches[0] == res->width * sizeof(u32) &&
	       fb->width <= res->width && fb->height <= res->height;
}

/**
 * virtgpu_sgt_fb_check_resource() - can the host show a resource like this?
 * @fb: framebuffer of a VA resource
 * @res: the VA resource
 *
 * The format and the size of a 2D resource are fixed when it is created. The host
 * cannot show it in another format or size.
 *
 * Return: 0, or -EINVAL
 */
int virtgpu_sgt_fb_check_resource(const struct drm_framebuffer *fb,
				  const struct virtgpu_sgt_resource *res)
{
	if (virtgpu_sgt_fb_fits(fb, res))
		return 0;

	drm_dbg_kms(fb->dev, "%ux%u, %p4cc, pitch %u, at %u do not fit resource %u: %ux%u, %u\n",
		    fb->width, fb->height, &fb->format->format, fb->pitches[0],
		    fb->offsets[0], res->id, res->width, res->height, res->format);
	return -EINVAL;
}

static int virtgpu_sgt_fb_find_resource(struct virtgpu_sgt_fb *vfb)
{
	struct drm_framebuffer *fb = &vfb->base;
	struct virtgpu_sgt_resource *res = to_virtgpu_sgt_resource(fb->obj[0]);
	int ret;

	if (!virtgpu_sgt_is_bo(fb->obj[0])) {
		ret = virtgpu_sgt_resource_attach(res) ?:
		      virtgpu_sgt_fb_check_resource(fb, res);
		if (ret)
			return ret;
	} else if (!virtgpu_sgt_resource_is_attached(res) || !virtgpu_sgt_fb_fits(fb, res)) {
		res = virtgpu_sgt_fb_resource_create(fb);
		if (IS_ERR(res))
			return PTR_ERR(res);
		vfb->own = res;
	}

	/* A commit can find the framebuffer already; pairs with virtgpu_sgt_plane_check(). */
	smp_store_release(&vfb->res, res);
	return 0;
}

static void virtgpu_sgt_fb_destroy(struct drm_framebuffer *fb)
{
	struct virtgpu_sgt_fb *vfb = to_virtgpu_sgt_fb(fb);

	if (vfb->own)
		virtgpu_sgt_fb_resource_destroy(vfb->own);
	drm_gem_fb_destroy(fb);
}

static const struct drm_framebuffer_funcs virtgpu_sgt_fb_funcs = {
	.destroy = virtgpu_sgt_fb_destroy,
	.create_handle = drm_gem_fb_create_handle,
	.dirty = drm_atomic_helper_dirtyfb,
};

/**
 * virtgpu_sgt_fb_create() - &drm_mode_config_funcs.fb_create
 * @drm: DRM device
 * @file: open file
 * @info: format of the framebuffer
 * @cmd: see struct drm_mode_fb_cmd2
 *
 * Context: Process context. May wait for the host, and for fences.
 * Return:
 * * the framebuffer, or an ERR_PTR() of an errno below
 * * %-EINVAL - of a VA resource: see virtgpu_sgt_fb_check_resource()
 * * others   - see drm_gem_fb_init_with_funcs(), virtgpu_sgt_resource_attach() and
 *   virtgpu_sgt_fb_resource_create()
 */
struct drm_framebuffer *
virtgpu_sgt_fb_create(struct drm_device *drm, struct drm_file *file,
		      const struct drm_format_info *info,
		      const struct drm_mode_fb_cmd2 *cmd)
{
	struct virtgpu_sgt_fb *vfb;
	int ret;

	vfb = kzalloc(sizeof(*vfb), GFP_KERNEL_ACCOUNT);
	if (!vfb)
		return ERR_PTR(-ENOMEM);

	ret = drm_gem_fb_init_with_funcs(drm, &vfb->base, file, info, cmd,
					 &virtgpu_sgt_fb_funcs);
	if (ret) {
		kfree(vfb);
		return ERR_PTR(ret);
	}

	ret = virtgpu_sgt_fb_find_resource(vfb);
	if (ret) {
		drm_framebuffer_put(&vfb->base);
		return ERR_PTR(ret);
	}
	return &vfb->base;
}
