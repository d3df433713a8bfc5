// SPDX-License-Identifier: GPL-2.0

#include <linux/align.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>

#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_sgt.h>
#include <drm/drm_sgt.h>

#include "virtgpu_sgt_bo.h"
#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_fb_blob.h"
#include "virtgpu_sgt_fb_resource.h"
#include "virtgpu_sgt_mem_entries.h"
#include "virtgpu_sgt_plane.h"
#include "virtgpu_sgt_resource.h"

/**
 * DOC: blobs
 *
 * A host with VIRTIO_GPU_F_RESOURCE_BLOB can show the memory of the guest itself. The
 * resource of a framebuffer is then a blob: the pages from the first to the last pixel.
 * It is shown with the geometry of the framebuffer, and there is no transfer. A FLUSH
 * still tells the host that pixels have changed.
 *
 * QEMU 9.2 and later checks that a blob has pitch x height bytes from the first pixel
 * that is shown, not only up to the last one. If that is not the first of a line, a
 * buffer need not have so many. So the list of a blob has its last pages twice. What is
 * read from the second ones is not shown.
 *
 * The host can read the memory at any time while it shows the blob, also between two
 * flushes: what is drawn into a framebuffer on the screen may be seen at once, or torn.
 * A commit with an event or an out-fence is done when the host has executed its FLUSH,
 * so that userspace can draw into the framebuffer that was shown before.
 *
 * The host takes no copy. What it has for each blob is a mapping of the pages and a file
 * descriptor. So a blob counts like a 2D resource with its pitch and height, and a device
 * has at most 64 blobs.
 *
 * A host maps a blob with the kernel's udmabuf, which takes at most 1024 pieces and
 * 64 MiB. QEMU 7.2 reports only that it cannot show the blob, when it is too late for the
 * framebuffer. So the driver creates a 2D resource if one of the limits is exceeded. It
 * does so, too, if the host refuses to create the blob.
 * With physical addresses, a piece is a run of pages, which the parameter ``huge_pages``
 * of drm_gem_sgt makes longer. With addresses of the DMA API, each page can be a piece.
 *
 * If the host still refuses to show a blob, the commit fails, and the driver creates no
 * more blobs until it is bound again. On a host that cannot show blobs at all, the commit
 * of the console is the first one to fail, before userspace has framebuffers.
 *
 * A framebuffer also has a 2D resource if it can be a cursor, of which the host takes a
 * copy; if it shows an import, which need not be memory of the guest; or if its offset is
 * not a multiple of a page, as QEMU ignores the offset when it draws with OpenGL. When a 2D
 * resource follows a blob on a display, the display is turned off in between: such a QEMU
 * would go on showing the blob.
 *
 * With VIRTIO_GPU_F_VIRGL, the host has no udmabuf for blobs of guest memory, so that they
 * are not used.
 *
 * Userspace cannot create blobs: VIRTGPU_PARAM_RESOURCE_BLOB is 0, as it would promise
 * RESOURCE_CREATE_BLOB. The module parameter ``blobs``, read when a device is bound, turns
 * blobs off.
 */

#define VIRTGPU_SGT_MAX_BLOBS		64U
#define VIRTGPU_SGT_MAX_BLOB_PIECES	1024U
#define VIRTGPU_SGT_MAX_BLOB_SIZE	SZ_64M

/**
 * virtgpu_sgt_fb_blob_of() - the blob of a framebuffer
 * @fb: framebuffer for which a resource can be created
 *
 * Return: the geometry, of size 0 if the framebuffer has to have a 2D resource
 */
struct virtgpu_sgt_blob virtgpu_sgt_fb_blob_of(const struct drm_framebuffer *fb)
{
	bool is_cursor = fb->pitches[0] == VIRTGPU_SGT_CURSOR_SIZE * sizeof(u32) &&
			 fb->height == VIRTGPU_SGT_CURSOR_SIZE;
	u64 size = PAGE_ALIGN((fb->height + 1) * (u64)fb->pitches[0]);
	u64 own = PAGE_ALIGN(virtgpu_sgt_fb_size(fb));

	if (is_cursor || offset_in_page(fb->offsets[0]) || size > VIRTGPU_SGT_MAX_BLOB_SIZE ||
	    size - own > own)
		return (struct virtgpu_sgt_blob) {};

	return (struct virtgpu_sgt_blob) {
		.size = size,
		.again = size - own,
		.width = fb->width,
	};
}

static bool virtgpu_sgt_fb_blob_enter(struct virtgpu_sgt_device *vgdev)
{
	bool fits;

	spin_lock(&vgdev->resource_lock);
	fits = vgdev->num_blobs < VIRTGPU_SGT_MAX_BLOBS;
	vgdev->num_blobs += fits;
	spin_unlock(&vgdev->resource_lock);
	return fits;
}

/**
 * virtgpu_sgt_fb_blob_leave() - no longer count the blob of a framebuffer
 * @vgdev: device
 *
 * Context: Process context. Takes &virtgpu_sgt_device.resource_lock.
 */
void virtgpu_sgt_fb_blob_leave(struct virtgpu_sgt_device *vgdev)
{
	spin_lock(&vgdev->resource_lock);
	vgdev->num_blobs--;
	spin_unlock(&vgdev->resource_lock);
}

static bool virtgpu_sgt_fb_blob_is_mappable(const struct virtgpu_sgt_device *vgdev,
					    const struct virtgpu_sgt_blob *blob,
					    const struct virtgpu_sgt_mem_entries *entries)
{
	u64 pieces = drm_sgt_device_is_phys(vgdev->sdev) ? entries->count :
							   blob->size >> PAGE_SHIFT;

	return pieces <= VIRTGPU_SGT_MAX_BLOB_PIECES;
}

/**
 * virtgpu_sgt_fb_blob_begin() - make the resource of a framebuffer a blob, if possible
 * @res: the resource, LOCAL
 * @fb: the framebuffer, of a mapped buffer
 *
 * If the resource is a blob when this returns, virtgpu_sgt_fb_blob_leave() must follow,
 * when the resource is freed.
 *
 * Context: Process context, may sleep. Takes &virtgpu_sgt_device.resource_lock.
 * Return: the list of its memory, owned by the caller; NULL if @res has to be a 2D
 * resource; or an ERR_PTR(), see virtgpu_sgt_mem_entries_of_table()
 */
struct virtgpu_sgt_mem_entries *
virtgpu_sgt_fb_blob_begin(struct virtgpu_sgt_resource *res, const struct drm_framebuffer *fb)
{
	struct virtgpu_sgt_device *vgdev = to_virtgpu_sgt(fb->dev);
	struct virtgpu_sgt_blob blob = virtgpu_sgt_fb_blob_of(fb);
	struct virtgpu_sgt_mem_entries *entries;

	if (!READ_ONCE(vgdev->has_blobs) || drm_gem_is_imported(fb->obj[0]) || !blob.size)
		return NULL;

	entries = virtgpu_sgt_mem_entries_of_table(vgdev->drm,
						   to_virtgpu_sgt_bo(fb->obj[0])->base.sgt,
						   fb->offsets[0], blob.size - blob.again,
						   blob.again,
						   virtgpu_sgt_queue_max_payload(&vgdev->ctrlq));
	if (IS_ERR(entries))
		return entries;

	if (!virtgpu_sgt_fb_blob_is_mappable(vgdev, &blob, entries) ||
	    !virtgpu_sgt_fb_blob_enter(vgdev)) {
		virtgpu_sgt_mem_entries_free(entries);
		return NULL;
	}
	res->blob = blob;
	return entries;
}
