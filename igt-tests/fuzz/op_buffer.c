// SPDX-License-Identifier: GPL-2.0
/* Operations on buffers of the device, and on mappings of them. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include <xf86drm.h>

#include "args.h"
#include "fuzz.h"
#include "virtgpu_drm.h"

/* As of Linux 5.16: libdrm's struct may end before the strides. */
struct transfer {
	uint32_t handle;
	struct drm_virtgpu_3d_box box;
	uint32_t level, offset, stride, layer_stride;
};

#define IOCTL_TRANSFER	\
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VIRTGPU_TRANSFER_TO_HOST, struct transfer)

static int create_dumb(struct world *world, const uint32_t *arg)
{
	struct drm_mode_create_dumb create = {
		.width = arg[2],
		.height = arg[3],
		.bpp = arg[4],
		.flags = arg[5],
	};
	struct buffer *buffer = world_buffer(world, arg[1]);
	int err = fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_MODE_CREATE_DUMB, &create);

	if (!err)
		*buffer = (struct buffer) {
			.handle = create.handle,
			.width = create.pitch / 4,
			.height = create.height,
			.pitch = create.pitch,
			.size = create.size,
			.file = arg[0],
		};
	return err;
}

/* The size is that of the picture plus @arg[10]. */
static int create_resource(struct world *world, const uint32_t *arg)
{
	struct drm_virtgpu_resource_create create = {
		.target = arg[4],
		.format = arg[5],
		.width = arg[2],
		.height = arg[3],
		.depth = arg[6],
		.array_size = arg[7],
		.nr_samples = arg[8],
		.last_level = arg[8],
		.flags = arg[9],
		.size = arg[2] * arg[3] * 4 + arg[10],
		.stride = arg[11],
	};
	struct buffer *buffer = world_buffer(world, arg[1]);
	int err = fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create);

	if (!err)
		*buffer = (struct buffer) {
			.handle = create.bo_handle,
			.width = create.width,
			.height = create.height,
			.pitch = create.width * 4,
			.size = create.size,
			.file = arg[0],
		};
	return err;
}

static int resource_info(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);
	struct drm_virtgpu_resource_info info = { .bo_handle = buffer->handle };

	return fuzz_ioctl(world_via(world, buffer->file, arg[1]),
			  DRM_IOCTL_VIRTGPU_RESOURCE_INFO, &info);
}

static int getparam(struct world *world, const uint32_t *arg)
{
	uint64_t value = 0;
	struct drm_virtgpu_getparam get = {
		.param = arg[1] + 1,
		.value = fuzz_pointer(&value, arg[2]),
	};

	return fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_VIRTGPU_GETPARAM, &get);
}

/* The offset is off by @arg[3] pages, and the size by @arg[4]. */
static int map_buffer(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);
	struct drm_mode_map_dumb dumb = { .handle = buffer->handle };
	struct drm_virtgpu_map map = { .handle = buffer->handle, .pad = arg[5] > 1 };
	int fd = world_via(world, buffer->file, arg[2]);
	size_t size = buffer->size + arg[4] * 4096ul;
	uint64_t offset;
	int err;

	if (arg[5]) {
		err = fuzz_ioctl(fd, DRM_IOCTL_VIRTGPU_MAP, &map);
		offset = map.offset;
	} else {
		err = fuzz_ioctl(fd, DRM_IOCTL_MODE_MAP_DUMB, &dumb);
		offset = dumb.offset;
	}
	if (err)
		return err;
	return fuzz_mmap(world, arg[1], fd, offset + arg[3] * 4096ul, size) ? 0 : -errno;
}

static __thread sigjmp_buf fault;

static void on_fault(int sig)
{
	siglongjmp(fault, sig);
}

/* One word of each page from @start on: read, written, or both */
static int touch(struct world *world, const uint32_t *arg)
{
	struct map *map = world_map(world, arg[0]);
	struct sigaction act = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
	volatile uint32_t *word = map->start;
	size_t words = map->size / sizeof(*word), step = arg[2] ? 1024 : words / 4 + 1;

	if (!words)
		return -ECANCELED;
	sigaction(SIGBUS, &act, NULL);
	sigaction(SIGSEGV, &act, NULL);
	if (sigsetjmp(fault, 1))
		return -EFAULT;
	for (size_t i = arg[1] % words; i < words; i += step) {
		if (arg[3] != 1)
			(void)word[i];
		if (arg[3])
			word[i] = i;
	}
	return 0;
}

static int unmap(struct world *world, const uint32_t *arg)
{
	struct map *map = world_map(world, arg[0]);
	size_t size = map->size;
	void *start = map->start;

	if (!start)
		return -ECANCELED;
	map->size = 0;
	/* Unmaps a part or all of it, and keeps the addresses reserved. */
	if (arg[1] && size > 4096)
		size = size / 2 & ~4095ul;
	return mmap(start, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED |
		    MAP_NORESERVE, -1, 0) == MAP_FAILED ? -errno : 0;
}

static int protect(struct world *world, const uint32_t *arg)
{
	struct map *map = world_map(world, arg[0]);

	if (!map->start)
		return -ECANCELED;
	return mprotect(map->start, map->size, arg[1]) ? -errno : 0;
}

static int advise(struct world *world, const uint32_t *arg)
{
	static const int advice[] = {
		MADV_NORMAL, MADV_WILLNEED, MADV_DONTFORK, MADV_DOFORK, MADV_DONTNEED,
		MADV_HUGEPAGE, MADV_REMOVE, MADV_FREE, MADV_MERGEABLE, MADV_COLD,
	};
	struct map *map = world_map(world, arg[0]);

	if (!map->start)
		return -ECANCELED;
	return madvise(map->start, map->size, advice[arg[1] % 10]) ? -errno : 0;
}

static int gem_close(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);
	struct drm_gem_close close = { .handle = buffer->handle };

	return fuzz_ioctl(world_via(world, buffer->file, arg[1]), DRM_IOCTL_GEM_CLOSE, &close);
}

static int destroy_dumb(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);
	struct drm_mode_destroy_dumb destroy = { .handle = buffer->handle };

	return fuzz_ioctl(world_via(world, buffer->file, arg[1]),
			  DRM_IOCTL_MODE_DESTROY_DUMB, &destroy);
}

/* By its name: a second handle, for the same file or for another */
static int flink(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);
	struct drm_gem_flink flink = { .handle = buffer->handle };
	struct drm_gem_open open = {};
	struct buffer *copy = world_buffer(world, arg[2]);
	int err;

	err = fuzz_ioctl(world_file(world, buffer->file), DRM_IOCTL_GEM_FLINK, &flink);
	if (err)
		return err;
	open.name = flink.name + arg[3];
	err = fuzz_ioctl(world_file(world, arg[1]), DRM_IOCTL_GEM_OPEN, &open);
	if (err)
		return err;
	*copy = *buffer;
	copy->handle = open.handle;
	copy->file = arg[1];
	return 0;
}

/* With @arg[2], all sizes fit the buffer. */
static int transfer(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);
	struct transfer to = {
		.handle = buffer->handle,
		.box = { .x = arg[3], .y = arg[4], .w = arg[5], .h = arg[6], .d = 1, .z = arg[8] },
		.offset = arg[7],
		.level = arg[8],
		.stride = arg[9],
		.layer_stride = arg[9],
	};

	if (arg[2] && buffer->width && buffer->height) {
		to.box.x %= buffer->width;
		to.box.y %= buffer->height;
		to.box.w = to.box.w % (buffer->width - to.box.x) + 1;
		to.box.h = to.box.h % (buffer->height - to.box.y) + 1;
		to.offset = arg[7] ? arg[7] : (to.box.y * buffer->width + to.box.x) * 4;
	}
	return fuzz_ioctl(world_via(world, buffer->file, arg[1]), IOCTL_TRANSFER, &to);
}

static int wait_buffer(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);
	struct drm_virtgpu_3d_wait wait = {
		.handle = buffer->handle,
		.flags = VIRTGPU_WAIT_NOWAIT ^ arg[2],
	};

	return fuzz_ioctl(world_via(world, buffer->file, arg[1]), DRM_IOCTL_VIRTGPU_WAIT, &wait);
}

const struct op_desc buffer_ops[] = {
	{ "create_dumb", 12, create_dumb,
	  { FILE_ARG, NEW_BUFFER, WIDTH, HEIGHT, EXACT("bpp", 32), EXACT("flags", 0) } },
	{ "create_resource", 5, create_resource,
	  { FILE_ARG, NEW_BUFFER, WIDTH, HEIGHT, EXACT("target", 2), EXACT("format", 2),
	    PICK("depth", 2), PICK("layers", 2), PICK("samples", 2), PICK("flags", 2),
	    OFF_BY("more"), EXACT("stride", 0) } },
	{ "resource_info", 2, resource_info, { BUFFER_ARG, VIA } },
	{ "getparam", 2, getparam, { FILE_ARG, PICK("param", 2), POINTER } },
	{ "map", 8, map_buffer,
	  { BUFFER_ARG, NEW_MAP, VIA, OFF_BY("page"), OFF_BY("pages"),
	    PICK("how", 2) } },
	{ "touch", 10, touch,
	  { MAP_ARG, ANY("start"), PICK("all", 2), PICK("write", 3) } },
	{ "unmap", 4, unmap, { { "map", ARG_MAP, ARG_ENDS, 0 }, PICK("half", 2) } },
	{ "protect", 1, protect, { MAP_ARG, PICK("how", 4) } },
	{ "advise", 1, advise, { MAP_ARG, PICK("advice", 10) } },
	{ "gem_close", 5, gem_close, { OLD_BUFFER, VIA } },
	{ "destroy_dumb", 2, destroy_dumb, { OLD_BUFFER, VIA } },
	{ "flink", 2, flink,
	  { BUFFER_ARG, FILE_ARG, { "copy", ARG_BUFFER, ARG_MAKES, 0 }, OFF_BY("name") } },
	{ "transfer", 8, transfer,
	  { BUFFER_ARG, VIA, EXACT("fit", 1), ANY("x"), ANY("y"), ANY("w"), ANY("h"),
	    OFF_BY("offset"), OFF_BY("level"), OFF_BY("stride") } },
	{ "wait", 3, wait_buffer, { BUFFER_ARG, VIA, EXACT("flags", 0) } },
	{ NULL }
};
