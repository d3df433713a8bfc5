// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sgt_fence.h"
#include "vgem_drm.h"

#define SIGNAL_MS	10000

/* Exports the only fence of the buffer as a sync file. */
static int export_fence(const struct sgt_bo *bo)
{
	struct dma_buf_export_sync_file arg = { .flags = DMA_BUF_SYNC_RW, .fd = -1 };
	int dmabuf, err;

	dmabuf = sgt_bo_export(bo);
	if (dmabuf < 0)
		return dmabuf;
	err = drmIoctl(dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg) ? -errno : 0;
	close(dmabuf);
	return err ? err : arg.fd;
}

int sgt_fence_begin(struct sgt_fence *fence)
{
	struct drm_vgem_fence_attach attach = { .flags = VGEM_FENCE_WRITE };
	int vgem, err;

	memset(fence, 0, sizeof(*fence));
	fence->file = -1;
	vgem = sgt_open_driver("vgem");
	if (vgem < 0)
		return vgem;

	err = sgt_bo_create(&fence->bo, vgem, 1, 1);
	fence->bo.drm = vgem;
	if (err)
		goto fail;
	attach.handle = fence->bo.handle;
	err = drmIoctl(vgem, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach) ? -errno : 0;
	if (err)
		goto fail;
	fence->id = attach.out_fence;
	fence->file = export_fence(&fence->bo);
	err = fence->file;
	if (err < 0)
		goto fail;
	return 0;

fail:
	sgt_fence_end(fence);
	return err;
}

int sgt_fence_signal(const struct sgt_fence *fence)
{
	struct drm_vgem_fence_signal arg = { .fence = fence->id };

	return drmIoctl(fence->bo.drm, DRM_IOCTL_VGEM_FENCE_SIGNAL, &arg) ? -errno : 0;
}

void sgt_fence_end(struct sgt_fence *fence)
{
	int vgem = fence->bo.drm;

	if (fence->file >= 0)
		close(fence->file);
	sgt_bo_free(&fence->bo);
	close(vgem);
}

int sgt_sync_file_status(int file)
{
	struct sync_file_info info = {};

	return ioctl(file, SYNC_IOC_FILE_INFO, &info) ? -errno : info.status;
}

int sgt_sync_file_wait(int file)
{
	struct pollfd pfd = { .fd = file, .events = POLLIN };

	if (poll(&pfd, 1, SIGNAL_MS) != 1 || !(pfd.revents & POLLIN))
		return -ETIMEDOUT;
	return sgt_sync_file_status(file);
}

int sgt_syncobj_make(int drm, int sync_file)
{
	uint32_t handle;
	int fd = -1, err;

	if (drmSyncobjCreate(drm, 0, &handle))
		return -errno;
	err = drmSyncobjImportSyncFile(drm, handle, sync_file) ||
	      drmSyncobjHandleToFD(drm, handle, &fd) ? -errno : 0;
	drmSyncobjDestroy(drm, handle);
	return err ? err : fd;
}

int sgt_syncobj_open(int drm, int syncobj)
{
	uint32_t handle;
	int fd = -1, err;

	if (drmSyncobjFDToHandle(drm, syncobj, &handle))
		return -errno;
	err = drmSyncobjExportSyncFile(drm, handle, &fd) ? -errno : 0;
	drmSyncobjDestroy(drm, handle);
	return err ? err : fd;
}
