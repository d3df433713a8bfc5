// SPDX-License-Identifier: GPL-2.0
/* Operations on objects that devices share: dma-bufs and fences. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <linux/udmabuf.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <xf86drm.h>

#include "args.h"
#include "fuzz.h"

#define PAGE	4096ul

static int export_buffer(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);
	struct drm_prime_handle prime = {
		.handle = buffer->handle,
		.flags = (DRM_CLOEXEC | DRM_RDWR) ^ arg[3],
	};
	int err = fuzz_ioctl(world_via(world, buffer->file, arg[2]),
			     DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);

	if (!err)
		world_put_fd(world, arg[1], prime.fd);
	return err;
}

/* The dma-buf has no geometry: as many rows of the given width as fit. */
static int import_buffer(struct world *world, const uint32_t *arg)
{
	struct drm_prime_handle prime = { .fd = world_fd(world, arg[2]), .flags = arg[4] };
	struct buffer *buffer = world_buffer(world, arg[1]);
	off_t size = lseek(prime.fd, 0, SEEK_END);
	int err = fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);

	if (!err)
		*buffer = (struct buffer) {
			.handle = prime.handle,
			.width = arg[3],
			.pitch = arg[3] * 4,
			.height = arg[3] ? size / 4 / arg[3] : 0,
			.size = size,
			.file = arg[0],
		};
	return err;
}

static int make_udmabuf(struct world *world, const uint32_t *arg)
{
	size_t size = (arg[1] * arg[2] * 4ul + PAGE - 1) & ~(PAGE - 1);
	struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC };
	int memfd, fd, err = 0;

	if (world->udmabuf < 0)
		return -ECANCELED;
	memfd = memfd_create("fuzz", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (memfd < 0)
		return -errno;
	create.memfd = memfd;
	create.size = (size + arg[3]) % (64ul << 20);
	if (ftruncate(memfd, create.size) || fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		err = -errno;
	if (!err) {
		fd = ioctl(world->udmabuf, UDMABUF_CREATE, &create);
		if (fd < 0)
			err = -errno;
		else
			world_put_fd(world, arg[0], fd);
	}
	close(memfd);
	return err;
}

static int make_vgem(struct world *world, const uint32_t *arg)
{
	struct drm_mode_create_dumb create = { .width = arg[1], .height = arg[2], .bpp = 32 };
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };
	struct drm_gem_close close = {};
	int err;

	if ((uint64_t)arg[1] * arg[2] > 16u << 20)
		return -ECANCELED;
	err = fuzz_ioctl(world->vgem, DRM_IOCTL_MODE_CREATE_DUMB, &create);
	if (err)
		return err;
	prime.handle = create.handle;
	err = fuzz_ioctl(world->vgem, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
	if (!err)
		world_put_fd(world, arg[0], prime.fd);
	close.handle = create.handle;
	fuzz_ioctl(world->vgem, DRM_IOCTL_GEM_CLOSE, &close);
	return err;
}

/* vgem maps it until its handle is closed: at once, or at the end of the sequence. */
static int attach(struct world *world, const uint32_t *arg)
{
	struct drm_prime_handle prime = { .fd = world_fd(world, arg[0]) };
	struct drm_gem_close close = {};
	int err = fuzz_ioctl(world->sink, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);

	if (err || arg[1])
		return err;
	close.handle = prime.handle;
	return fuzz_ioctl(world->sink, DRM_IOCTL_GEM_CLOSE, &close);
}

static int map_fd(struct world *world, const uint32_t *arg)
{
	int fd = world_fd(world, arg[0]);
	off_t size = lseek(fd, 0, SEEK_END);

	if (size < 0)
		return -errno;
	return fuzz_mmap(world, arg[1], fd, arg[2] * PAGE, size + arg[3] * PAGE) ? 0 : -errno;
}

/*
 * Always for reading and writing: udmabuf maps for the direction of the first call
 * and syncs for that of the next, about which dma-debug warns.
 */
static int sync_cpu(struct world *world, const uint32_t *arg)
{
	struct dma_buf_sync sync = {
		.flags = DMA_BUF_SYNC_RW | (arg[1] ? DMA_BUF_SYNC_END : 0) | arg[2] << 3,
	};

	return fuzz_ioctl(world_fd(world, arg[0]), DMA_BUF_IOCTL_SYNC, &sync);
}

static int export_fences(struct world *world, const uint32_t *arg)
{
	struct dma_buf_export_sync_file sync = { .flags = arg[2] + 1, .fd = -1 };
	int err = fuzz_ioctl(world_fd(world, arg[0]), DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &sync);

	if (!err)
		world_put_fd(world, arg[1], sync.fd);
	return err;
}

static int import_fence(struct world *world, const uint32_t *arg)
{
	struct dma_buf_import_sync_file sync = {
		.flags = arg[2] + 1,
		.fd = world_fd(world, arg[1]),
	};

	return fuzz_ioctl(world_fd(world, arg[0]), DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &sync);
}

static int merge_fences(struct world *world, const uint32_t *arg)
{
	struct sync_merge_data merge = { .name = "fuzz", .fd2 = world_fd(world, arg[1]) };
	int err = fuzz_ioctl(world_fd(world, arg[0]), SYNC_IOC_MERGE, &merge);

	if (!err)
		world_put_fd(world, arg[2], merge.fence);
	return err;
}

static int fence_info(struct world *world, const uint32_t *arg)
{
	struct sync_fence_info fences[4] = {};
	struct sync_file_info info = {
		.num_fences = arg[1],
		.sync_fence_info = fuzz_pointer(fences, arg[2]),
	};

	return fuzz_ioctl(world_fd(world, arg[0]), SYNC_IOC_FILE_INFO, &info);
}

static int dup_fd(struct world *world, const uint32_t *arg)
{
	int fd = dup(world_fd(world, arg[0]));

	if (fd < 0)
		return -errno;
	world_put_fd(world, arg[1], fd);
	return 0;
}

static int close_fd(struct world *world, const uint32_t *arg)
{
	if (arg[0] >= FDS || world->fd[arg[0]] < 0)
		return -ECANCELED;
	world_put_fd(world, arg[0], -1);
	return 0;
}

static int syncobj_create(struct world *world, const uint32_t *arg)
{
	struct drm_syncobj_create create = { .flags = arg[2] };
	int err = fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_SYNCOBJ_CREATE, &create);

	if (!err)
		*world_syncobj(world, arg[1]) = (struct syncobj) { create.handle, arg[0] };
	return err;
}

static int syncobj_destroy(struct world *world, const uint32_t *arg)
{
	struct syncobj *syncobj = world_syncobj(world, arg[0]);
	struct drm_syncobj_destroy destroy = { .handle = syncobj->handle };

	return fuzz_ioctl(world_via(world, syncobj->file, arg[1]),
			  DRM_IOCTL_SYNCOBJ_DESTROY, &destroy);
}

static int syncobj_export(struct world *world, const uint32_t *arg)
{
	struct syncobj *syncobj = world_syncobj(world, arg[0]);
	struct drm_syncobj_handle export = { .handle = syncobj->handle, .flags = arg[2] };
	int err = fuzz_ioctl(world_file(world, syncobj->file),
			     DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &export);

	if (!err)
		world_put_fd(world, arg[1], export.fd);
	return err;
}

static int syncobj_import(struct world *world, const uint32_t *arg)
{
	struct syncobj *syncobj = world_syncobj(world, arg[0]);
	struct drm_syncobj_handle import = {
		.handle = syncobj->handle,
		.fd = world_fd(world, arg[1]),
		.flags = arg[2],
	};

	return fuzz_ioctl(world_file(world, syncobj->file),
			  DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &import);
}

/* Signal, reset, query, or wait for a moment; of binary ones, or of points */
static int syncobj_use(struct world *world, const uint32_t *arg)
{
	struct syncobj *syncobj = world_syncobj(world, arg[0]);
	int fd = world_via(world, syncobj->file, arg[1]);
	uint64_t point = arg[3];
	struct drm_syncobj_array array = { .count_handles = 1 };
	struct drm_syncobj_timeline_array line = { .count_handles = 1 };
	struct drm_syncobj_timeline_wait wait = { .count_handles = 1, .flags = arg[4] };
	struct timespec now;

	array.handles = (uintptr_t)&syncobj->handle;
	line.handles = (uintptr_t)&syncobj->handle;
	line.points = fuzz_pointer(&point, arg[5]);
	wait.handles = (uintptr_t)&syncobj->handle;
	wait.points = (uintptr_t)&point;
	clock_gettime(CLOCK_MONOTONIC, &now);
	wait.timeout_nsec = now.tv_sec * 1000000000ll + now.tv_nsec + 5000000;

	switch (arg[2] % 6) {
	case 0:
		return fuzz_ioctl(fd, DRM_IOCTL_SYNCOBJ_SIGNAL, &array);
	case 1:
		return fuzz_ioctl(fd, DRM_IOCTL_SYNCOBJ_RESET, &array);
	case 2:
		return fuzz_ioctl(fd, DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, &line);
	case 3:
		return fuzz_ioctl(fd, DRM_IOCTL_SYNCOBJ_QUERY, &line);
	default:
		return fuzz_ioctl(fd, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &wait);
	}
}

static int syncobj_transfer(struct world *world, const uint32_t *arg)
{
	struct syncobj *from = world_syncobj(world, arg[0]);
	struct drm_syncobj_transfer transfer = {
		.src_handle = from->handle,
		.dst_handle = world_syncobj(world, arg[1])->handle,
		.src_point = arg[2],
		.dst_point = arg[3],
	};

	return fuzz_ioctl(world_file(world, from->file), DRM_IOCTL_SYNCOBJ_TRANSFER, &transfer);
}

const struct op_desc share_ops[] = {
	{ "export", 8, export_buffer, { BUFFER_ARG, NEW_FD, VIA, EXACT("flags", 0) } },
	{ "import", 8, import_buffer,
	  { FILE_ARG, NEW_BUFFER, FD_ARG, EXACT("width", 64), EXACT("flags", 0) } },
	{ "udmabuf", 4, make_udmabuf, { NEW_FD, WIDTH, HEIGHT, OFF_BY("more") } },
	{ "vgem", 3, make_vgem, { NEW_FD, WIDTH, HEIGHT } },
	{ "attach", 3, attach, { FD_ARG, PICK("keep", 2) } },
	{ "map_fd", 3, map_fd, { FD_ARG, NEW_MAP, OFF_BY("page"), OFF_BY("pages") } },
	{ "sync_cpu", 3, sync_cpu, { FD_ARG, PICK("end", 2), EXACT("flags", 0) } },
	{ "export_fences", 2, export_fences,
	  { FD_ARG, { "fence", ARG_FD, ARG_MAKES, 0 }, PICK("access", 2) } },
	{ "import_fence", 1, import_fence,
	  { FD_ARG, { "fence", ARG_FD, ARG_USES, 0 }, PICK("access", 2) } },
	{ "merge_fences", 1, merge_fences,
	  { FD_ARG, { "with", ARG_FD, ARG_USES, 0 }, { "into", ARG_FD, ARG_MAKES, 0 } } },
	{ "fence_info", 1, fence_info, { FD_ARG, PICK("count", 4), POINTER } },
	{ "dup_fd", 1, dup_fd, { FD_ARG, { "copy", ARG_FD, ARG_MAKES, 0 } } },
	{ "close_fd", 3, close_fd, { { "fd", ARG_FD, ARG_ENDS, 0 } } },
	{ "syncobj_create", 2, syncobj_create, { FILE_ARG, NEW_SYNCOBJ, PICK("flags", 2) } },
	{ "syncobj_destroy", 1, syncobj_destroy,
	  { { "syncobj", ARG_SYNCOBJ, ARG_ENDS, 0 }, VIA } },
	{ "syncobj_export", 1, syncobj_export, { SYNCOBJ_ARG, NEW_FD, PICK("flags", 2) } },
	{ "syncobj_import", 1, syncobj_import, { SYNCOBJ_ARG, FD_ARG, EXACT("flags", 1) } },
	{ "syncobj_use", 3, syncobj_use,
	  { SYNCOBJ_ARG, VIA, PICK("how", 6), PICK("point", 4), FLAGS("flags", 7), POINTER } },
	{ "syncobj_transfer", 1, syncobj_transfer,
	  { SYNCOBJ_ARG, { "to", ARG_SYNCOBJ, ARG_USES, 0 }, PICK("from_point", 3),
	    PICK("to_point", 3) } },
	{ NULL }
};
