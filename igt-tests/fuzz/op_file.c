// SPDX-License-Identifier: GPL-2.0
/* Operations on files, on the device as a whole, and calls of any number. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <xf86drm.h>

#include "args.h"
#include "fuzz.h"
#include "virtgpu_drm.h"

static void put_file(struct world *world, uint32_t slot, int fd)
{
	int old = slot < FILES ?
		  __atomic_exchange_n(&world->file[slot], fd, __ATOMIC_RELAXED) : fd;

	if (old >= 0)
		close(old);
}

static int open_node(struct world *world, const uint32_t *arg)
{
	int fd = open(arg[1] ? world->render : world->card, O_RDWR | O_CLOEXEC | arg[2]);

	/* After a bind the device may have another number. */
	if (fd < 0 && world_find(world))
		fd = open(arg[1] ? world->render : world->card, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	put_file(world, arg[0], fd);
	return 0;
}

static int close_node(struct world *world, const uint32_t *arg)
{
	if (world_file(world, arg[0]) < 0)
		return -ECANCELED;
	put_file(world, arg[0], -1);
	return 0;
}

static int dup_node(struct world *world, const uint32_t *arg)
{
	int fd = dup(world_file(world, arg[0]));

	if (fd < 0)
		return -errno;
	put_file(world, arg[1], fd);
	return 0;
}

static int set_master(struct world *world, const uint32_t *arg)
{
	return fuzz_ioctl(world_file(world, arg[0]),
			  arg[1] ? DRM_IOCTL_SET_MASTER : DRM_IOCTL_DROP_MASTER, NULL);
}

static int set_cap(struct world *world, const uint32_t *arg)
{
	struct drm_set_client_cap set = { .capability = arg[1] + 1, .value = arg[2] };

	return fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_SET_CLIENT_CAP, &set);
}

static int get_cap(struct world *world, const uint32_t *arg)
{
	struct drm_get_cap get = { .capability = arg[1] };

	return fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_GET_CAP, &get);
}

static int version(struct world *world, const uint32_t *arg)
{
	char name[32] = "", date[32], desc[32];
	struct drm_version get = {
		.name_len = arg[1],
		.name = (char *)fuzz_pointer(name, arg[2]),
		.date_len = arg[1],
		.date = date,
		.desc_len = arg[1],
		.desc = desc,
	};

	return fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_VERSION, &get);
}

static int read_file(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	do {
		len = read(fd, text, sizeof(text));
	} while (len > 0);
	close(fd);
	return len < 0 ? -EIO : 0;
}

static int read_debug(struct world *world, const uint32_t *arg)
{
	static const char * const names[] = {
		"drm_gem_sgt/devices", "drm_gem_sgt/buffers", "dri/0/virtgpu-resources",
		"dri/0/virtgpu-stats", "dri/0/state", "dri/0/framebuffer", "dri/0/gem_names",
		"dri/0/vm", "dma_buf/bufinfo",
	};
	char path[64];

	if (arg[1] % 10 == 9)
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", world_file(world, arg[0]));
	else
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", names[arg[1] % 10]);
	return read_file(path);
}

/* Ioctls that a device without 3D refuses */
static int three_d(struct world *world, const uint32_t *arg)
{
	static const struct {
		uint32_t number, size;
	} calls[] = {
		{ DRM_VIRTGPU_EXECBUFFER, 64 }, { DRM_VIRTGPU_TRANSFER_FROM_HOST, 44 },
		{ DRM_VIRTGPU_GET_CAPS, 24 }, { 0x0a, 56 }, { 0x0b, 16 },
	};
	uint64_t random = arg[2];
	uint32_t data[64];

	for (int i = 0; i < 64; i++)
		data[i] = fuzz_random(&random) >> (random & 31);
	data[0] = world_buffer(world, arg[3])->handle;
	return fuzz_ioctl(world_file(world, arg[0]),
			  _IOC(_IOC_READ | _IOC_WRITE, DRM_IOCTL_BASE,
			       DRM_COMMAND_BASE + calls[arg[1] % 5].number,
			       calls[arg[1] % 5].size),
			  data);
}

/* Some of the arguments are existing objects. */
static uint32_t any_word(struct world *world, uint64_t *random, const void *data)
{
	uint64_t dice = fuzz_random(random);

	switch (dice >> 32 & 7) {
	case 0:
		return world->buffer[dice % BUFFERS].handle;
	case 1:
		return world->fb[dice % FBS].id;
	case 2:
		return world->fd[dice % FDS];
	case 3:
		return world->kms->prop[dice % MAX_PROPS].object;
	case 4:
		return (uintptr_t)data;
	case 5:
		return dice >> (dice >> 40 & 31);
	default:
		return 0;
	}
}

/*
 * Excludes waits without an end, and the ioctls of syncobjs that take an array.  The
 * core allocates any length, about which the page allocator warns: see
 * drm_syncobj_array_find(), which is not part of this driver.
 */
static bool is_barred(uint32_t number)
{
	return number == 0x3a || (number >= 0xc3 && number <= 0xc5) ||
	       (number >= 0xca && number <= 0xcd);
}

/* An ioctl by its number, with arbitrary words */
static int any_call(struct world *world, const uint32_t *arg)
{
	uint32_t size = arg[2] & ~3u, number = arg[1];
	uint64_t random = arg[3];
	uint32_t data[64];

	if (is_barred(number & 0xff))
		return -ECANCELED;
	for (int i = 0; i < 64; i++)
		data[i] = any_word(world, &random, data);
	return fuzz_ioctl(world_file(world, arg[0]),
			  _IOC(_IOC_READ | _IOC_WRITE, DRM_IOCTL_BASE, number, size & 0xfc), data);
}

static int unbind(struct world *world, const uint32_t *arg)
{
	return sgt_unbind(&world->gpu, arg[0] % SGT_ROUTES);
}

/* By a route that the device has */
static int rebind(struct world *world, const uint32_t *arg)
{
	(void)arg;
	return sgt_gpu_recover(&world->gpu);
}

const struct op_desc file_ops[] = {
	{ "open", 4, open_node,
	  { { "file", ARG_FILE, ARG_MAKES, 0 }, PICK("render", 2), EXACT("flags", 0) } },
	{ "close", 2, close_node, { { "file", ARG_FILE, ARG_ENDS, 0 } } },
	{ "dup", 1, dup_node, { FILE_ARG, { "copy", ARG_FILE, ARG_MAKES, 0 } } },
	{ "master", 1, set_master, { FILE_ARG, PICK("set", 2) } },
	{ "set_cap", 4, set_cap, { FILE_ARG, PICK("cap", 6), EXACT("to", 1) } },
	{ "get_cap", 1, get_cap, { FILE_ARG, PICK("cap", 20) } },
	{ "version", 1, version, { FILE_ARG, PICK("size", 32), POINTER } },
	{ "read_debug", 2, read_debug, { FILE_ARG, PICK("which", 10) } },
	{ "three_d", 2, three_d, { FILE_ARG, PICK("call", 5), ANY("seed"), BUFFER_ARG } },
	{ "any_call", 4, any_call,
	  { FILE_ARG, PICK("number", 0xd2), PICK("size", 128), ANY("seed") } },
	/* Only the generator inserts these. */
	{ "split", 0, NULL, { PICK("how", SPLITS), PICK("lanes", MAX_LANES - 1) } },
	{ "unbind", 0, unbind, { PICK("route", SGT_ROUTES) } },
	{ "rebind", 0, rebind, {} },
	{ NULL }
};
