// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sgt_bus.h"
#include "sgt_vmap.h"

#define FRAME_MS	10000

/* One device, which only captures: 320x180 is its smallest picture. */
#define VIVID		"vivid n_devs=1 node_types=1"

static int open_video(void)
{
	for (int i = 0; i < 8; i++) {
		struct v4l2_capability cap = {};
		char path[32];
		int fd;

		snprintf(path, sizeof(path), "/dev/video%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0)
			continue;
		if (!ioctl(fd, VIDIOC_QUERYCAP, &cap) &&
		    !strcmp((char *)cap.driver, "vivid"))
			return fd;
		close(fd);
	}
	return -ENODEV;
}

int sgt_vmap_probe(void)
{
	int fd = open_video();

	if (fd == -ENODEV && !sgt_module_load(VIVID))
		fd = open_video();
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int queue_dmabuf(int video, int dmabuf, size_t size)
{
	struct v4l2_format format = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.fmt.pix = {
			.width = 1,
			.height = 1,
			.pixelformat = V4L2_PIX_FMT_YUYV,
		},
	};
	struct v4l2_requestbuffers request = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
		.count = 1,
	};
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
		.m.fd = dmabuf,
		.length = size,
	};

	if (ioctl(video, VIDIOC_S_FMT, &format) ||
	    ioctl(video, VIDIOC_REQBUFS, &request) ||
	    ioctl(video, VIDIOC_QBUF, &buffer))
		return -errno;
	return 0;
}

int sgt_vmap_begin(struct sgt_vmap *vmap, int dmabuf, size_t size)
{
	int err;

	vmap->video = open_video();
	if (vmap->video < 0)
		return vmap->video;
	err = queue_dmabuf(vmap->video, dmabuf, size);
	if (err)
		sgt_vmap_end(vmap);
	return err;
}

int sgt_vmap_write(const struct sgt_vmap *vmap)
{
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
	};
	struct pollfd pfd = { .fd = vmap->video, .events = POLLIN };
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

	if (ioctl(vmap->video, VIDIOC_STREAMON, &type))
		return -errno;
	if (poll(&pfd, 1, FRAME_MS) != 1)
		return -ETIMEDOUT;
	if (ioctl(vmap->video, VIDIOC_DQBUF, &buffer))
		return -errno;
	return buffer.flags & V4L2_BUF_FLAG_ERROR ? -EIO : 0;
}

void sgt_vmap_end(struct sgt_vmap *vmap)
{
	close(vmap->video);
	vmap->video = -1;
}
