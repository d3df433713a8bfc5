// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/memfd.h>
#include <linux/udmabuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sgt_bus.h"
#include "sgt_dmabuf.h"

#define PAGE		4096ul
#define RUN		(16 * PAGE)
/* The largest buffer of udmabuf, in MiB */
#define UDMABUF_LIMIT	"/sys/module/udmabuf/parameters/size_limit_mb"

const char * const sgt_exporter_name[SGT_EXPORTERS] = {
	[SGT_UDMABUF] = "udmabuf",
	[SGT_VGEM] = "vgem",
};

static int allocate_run(int memfd, size_t at, size_t size)
{
	for (size_t end = at + RUN < size ? at + RUN : size; at < end; at += PAGE)
		if (pwrite(memfd, "", 1, at) != 1)
			return -1;
	return 0;
}

/*
 * The pages of every second run, then the rest.  The udmabuf of 7.3 makes one segment of all
 * pages that are adjacent in memory; bounce buffers take 256 KiB of a segment at most.  Pages
 * of fallocate() would be zeroed at the first fault, after the device has written to them.
 */
static int allocate_scattered(int memfd, size_t size)
{
	for (size_t half = 0; half < 2; half++)
		for (size_t at = half * RUN; at < size; at += 2 * RUN)
			if (allocate_run(memfd, at, size))
				return -1;
	return 0;
}

/* udmabuf requires a memfd that is sealed against shrinking. */
static int make_memfd(size_t size, unsigned int flags)
{
	int err, fd;

	fd = memfd_create("sgt", MFD_ALLOW_SEALING | MFD_CLOEXEC | flags);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, size) || (!flags && allocate_scattered(fd, size)) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static int export_memfd(int memfd, size_t size)
{
	struct udmabuf_create arg = {
		.memfd = memfd,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = size,
	};
	int dev, fd;

	dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		return -errno;
	fd = ioctl(dev, UDMABUF_CREATE, &arg);
	if (fd < 0)
		fd = -errno;
	close(dev);
	return fd;
}

static int foreign_memfd(struct sgt_foreign *f, size_t size, unsigned int flags)
{
	int memfd;

	memset(f, 0, sizeof(*f));
	f->drm = -1;
	f->size = size;
	memfd = make_memfd(size, flags);
	if (memfd < 0)
		return memfd;

	f->map = sgt_mmap_fd(memfd, size);
	f->fd = f->map ? export_memfd(memfd, size) : -ENOMEM;
	if (f->map && f->fd < 0)
		munmap(f->map, size);
	close(memfd);
	return f->fd < 0 ? f->fd : 0;
}

int sgt_foreign_udmabuf(struct sgt_foreign *f, size_t size)
{
	return foreign_memfd(f, size, 0);
}

int sgt_foreign_gigantic(struct sgt_foreign *f)
{
	const size_t size = 1ul << 30;
	int err = sgt_write_file(UDMABUF_LIMIT, "1024");

	if (err)
		return err;
	err = foreign_memfd(f, size, MFD_HUGETLB | MFD_HUGE_1GB);
	sgt_write_file(UDMABUF_LIMIT, "64");
	return err;
}

int sgt_foreign_vgem(struct sgt_foreign *f, uint32_t width, uint32_t height)
{
	struct sgt_bo bo = {};
	int vgem, err;

	memset(f, 0, sizeof(*f));
	vgem = sgt_open_driver("vgem");
	if (vgem < 0)
		return vgem;

	err = sgt_bo_create(&bo, vgem, width, height);
	if (!err)
		err = sgt_bo_map(&bo);
	if (!err)
		err = sgt_bo_export(&bo);
	if (err < 0) {
		sgt_bo_free(&bo);
		close(vgem);
		return err;
	}

	f->fd = err;
	f->size = bo.size;
	f->map = bo.map;
	f->drm = vgem;
	f->handle = bo.handle;
	return 0;
}

int sgt_foreign_make(struct sgt_foreign *f, enum sgt_exporter exporter,
		     uint32_t width, uint32_t height)
{
	size_t bytes = width * 4ul * height;
	int err;

	if (exporter == SGT_VGEM)
		return sgt_foreign_vgem(f, width, height);
	err = sgt_foreign_udmabuf(f, (bytes + PAGE - 1) & ~(PAGE - 1));
	return err == -ENOENT ? -ENODEV : err;
}

int sgt_dmabuf_sync(int dmabuf, uint64_t flags)
{
	struct dma_buf_sync arg = { .flags = flags };

	return drmIoctl(dmabuf, DMA_BUF_IOCTL_SYNC, &arg) ? -errno : 0;
}

int sgt_foreign_begin_cpu(const struct sgt_foreign *f)
{
	return sgt_dmabuf_sync(f->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
}

int sgt_foreign_end_cpu(const struct sgt_foreign *f)
{
	return sgt_dmabuf_sync(f->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
}

void sgt_foreign_free(struct sgt_foreign *f)
{
	if (f->map)
		munmap(f->map, f->size);
	if (f->fd >= 0)
		close(f->fd);
	if (f->drm >= 0)
		close(f->drm);		/* frees the handle as well */
	memset(f, 0, sizeof(*f));
	f->fd = -1;
	f->drm = -1;
}

int sgt_bo_import(struct sgt_bo *bo, int drm, int dmabuf,
		  uint32_t width, uint32_t height)
{
	off_t size = lseek(dmabuf, 0, SEEK_END);
	uint32_t handle;

	memset(bo, 0, sizeof(*bo));
	if (size < 0)
		return -errno;
	if (drmPrimeFDToHandle(drm, dmabuf, &handle))
		return -errno;

	bo->drm = drm;
	bo->handle = handle;
	bo->width = width;
	bo->height = height;
	bo->pitch = width * sizeof(*bo->map);
	bo->size = size;
	return 0;
}

int sgt_dmabuf_attachments(const char *device)
{
	FILE *file = fopen("/sys/kernel/debug/dma_buf/bufinfo", "re");
	int count = 0;
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return -errno;
	/* Each attachment has its own line, after a tab. */
	while (getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		count += line[0] == '\t' && !strcmp(line + 1, device);
	}
	free(line);
	fclose(file);
	return count;
}

/* A byte of data carries the file. */
union fd_message {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

int sgt_send_fd(int socket, int fd)
{
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	union fd_message control = {
		.head = {
			.cmsg_len = CMSG_LEN(sizeof(fd)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		},
	};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	return sendmsg(socket, &msg, 0) == 1 ? 0 : -errno;
}

int sgt_receive_fd(int socket)
{
	union fd_message control = {};
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(socket, &msg, MSG_CMSG_CLOEXEC) != 1)
		return -EIO;
	if (control.head.cmsg_type != SCM_RIGHTS)
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
	return fd;
}
