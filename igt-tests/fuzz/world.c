// SPDX-License-Identifier: GPL-2.0
/* The objects of a sequence: the device, and slots of objects made from it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "lib/sgt_kms.h"

/* Reserved addresses for each mapping: none replaces another one. */
#define MAP_ROOM	(64ul << 20)

int fuzz_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

uint64_t fuzz_pointer(const void *good, uint32_t how)
{
	switch (how) {
	case 0:
		return (uintptr_t)good;
	case 1:
		return 0;
	case 2:
		return 0xdead000;
	case 3:
		return 0xffff888000000000;	/* the kernel's */
	case 4:
		return (uintptr_t)"cannot be written";
	default:
		return (uintptr_t)good + how;
	}
}

/* Looking up vgem opens all devices, and the last close of one restores its console. */
static void find_vgem(struct world *world)
{
	int fd = sgt_open_driver("vgem");
	char *card = fd < 0 ? NULL : drmGetDeviceNameFromFd2(fd);

	snprintf(world->vgem_card, sizeof(world->vgem_card), "%s", card ?: "");
	drmFree(card);
	close(fd);
}

static void find_nodes(struct world *world, int fd)
{
	char *card = drmGetDeviceNameFromFd2(fd);
	char *render = drmGetRenderDeviceNameFromFd(fd);

	snprintf(world->card, sizeof(world->card), "%s", card ?: "");
	snprintf(world->render, sizeof(world->render), "%s", render ?: "");
	drmFree(card);
	drmFree(render);
}

bool world_find(struct world *world)
{
	int fd = sgt_open();
	bool found;

	if (fd < 0)
		return false;
	found = !sgt_gpu_find(&world->gpu, fd);
	if (found)
		find_nodes(world, fd);
	close(fd);
	find_vgem(world);
	return found;
}

static void find_properties(int fd, uint32_t object, uint32_t type, struct kms *kms)
{
	drmModeObjectProperties *props = drmModeObjectGetProperties(fd, object, type);

	for (uint32_t i = 0; props && i < props->count_props && kms->props < MAX_PROPS; i++) {
		drmModePropertyRes *prop = drmModeGetProperty(fd, props->props[i]);
		struct property *to = &kms->prop[kms->props];

		if (!prop)
			continue;
		to->object = object;
		to->type = type;
		to->id = prop->prop_id;
		snprintf(to->name, sizeof(to->name), "%.23s", prop->name);
		drmModeFreeProperty(prop);
		kms->props++;
	}
	drmModeFreeObjectProperties(props);
}

static void find_planes(int fd, struct kms *kms)
{
	drmModePlaneRes *planes = drmModeGetPlaneResources(fd);

	/* The first is that of the picture, the second that of the cursor. */
	for (uint32_t i = 0; planes && i < planes->count_planes && i < 2; i++) {
		*(i ? &kms->cursor : &kms->primary) = planes->planes[i];
		find_properties(fd, planes->planes[i], DRM_MODE_OBJECT_PLANE, kms);
	}
	drmModeFreePlaneResources(planes);
}

/* The numbers are the same with each bind. */
bool world_find_kms(const struct world *world, struct kms *kms)
{
	int fd = open(world->card, O_RDWR | O_CLOEXEC);
	struct sgt_screen screen;
	bool found;

	if (fd < 0)
		return false;
	memset(kms, 0, sizeof(*kms));
	drmSetClientCap(fd, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1);
	drmSetClientCap(fd, DRM_CLIENT_CAP_ATOMIC, 1);
	found = !sgt_screen_find(&screen, fd);
	if (found) {
		kms->crtc = screen.crtc;
		kms->connector = screen.connector;
		find_properties(fd, kms->crtc, DRM_MODE_OBJECT_CRTC, kms);
		find_properties(fd, kms->connector, DRM_MODE_OBJECT_CONNECTOR, kms);
		find_planes(fd, kms);
	}
	close(fd);
	return found;
}

void world_begin(struct world *world)
{
	size_t size = MAP_ROOM * MAPS;

	for (int i = 0; i < FILES; i++)
		world->file[i] = -1;
	for (int i = 0; i < FDS; i++)
		world->fd[i] = -1;
	world->area = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			   -1, 0);
	world->vgem = open(world->vgem_card, O_RDWR | O_CLOEXEC);
	world->sink = open(world->vgem_card, O_RDWR | O_CLOEXEC);
	world->udmabuf = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
}

int world_file(const struct world *world, uint32_t slot)
{
	return slot < FILES ? world->file[slot] : -1;
}

int world_via(const struct world *world, uint32_t own, uint32_t via)
{
	return world_file(world, via ? (via - 1) % FILES : own);
}

int world_fd(const struct world *world, uint32_t slot)
{
	return slot < FDS ? world->fd[slot] : -1;
}

struct buffer *world_buffer(struct world *world, uint32_t slot)
{
	static __thread struct buffer bad;

	if (slot < BUFFERS)
		return &world->buffer[slot];
	bad = (struct buffer) { .handle = BAD_HANDLE, .width = 64, .height = 64, .size = 16384 };
	return &bad;
}

struct fb *world_fb(struct world *world, uint32_t slot)
{
	static __thread struct fb bad;

	if (slot < FBS)
		return &world->fb[slot];
	bad = (struct fb) { .id = BAD_HANDLE, .width = 64, .height = 64 };
	return &bad;
}

struct syncobj *world_syncobj(struct world *world, uint32_t slot)
{
	static __thread struct syncobj bad;

	if (slot < SYNCOBJS)
		return &world->syncobj[slot];
	bad = (struct syncobj) { .handle = BAD_HANDLE };
	return &bad;
}

struct map *world_map(struct world *world, uint32_t slot)
{
	static __thread struct map none;

	return slot < MAPS ? &world->map[slot] : &none;
}

void world_put_fd(struct world *world, uint32_t slot, int fd)
{
	int old;

	if (slot >= FDS) {
		close(fd);
		return;
	}
	old = __atomic_exchange_n(&world->fd[slot], fd, __ATOMIC_RELAXED);
	if (old >= 0)
		close(old);
}

void *fuzz_mmap(struct world *world, uint32_t slot, int fd, uint64_t offset, size_t size)
{
	struct map *map = world_map(world, slot);
	char *start = world->area + slot * MAP_ROOM;

	if (slot >= MAPS || size > MAP_ROOM) {
		errno = EINVAL;
		return NULL;
	}
	if (mmap(start, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, offset) ==
	    MAP_FAILED)
		return NULL;
	map->start = start;
	map->size = size;
	return start;
}

uint32_t world_property(const struct world *world, uint32_t object, const char *name)
{
	for (int i = 0; i < world->kms->props; i++)
		if (world->kms->prop[i].object == object &&
		    !strcmp(world->kms->prop[i].name, name))
			return world->kms->prop[i].id;
	return 0;
}
