// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm_fourcc.h>

#include "sgt_kms.h"

#define APPEAR_MS	20000

static int is_driver(int fd, const char *name)
{
	drmVersion *version = drmGetVersion(fd);
	int match;

	if (!version)
		return 0;
	match = !strcmp(version->name, name);
	drmFreeVersion(version);
	return match;
}

int sgt_open_driver(const char *name)
{
	for (int i = 0; i < 64; i++) {
		char path[32];
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (is_driver(fd, name))
			return fd;
		close(fd);
	}
	return -ENODEV;
}

int sgt_open(void)
{
	return sgt_open_driver("virtio_gpu");
}

int sgt_open_wait(void)
{
	int fd;

	for (int ms = 0; ms < APPEAR_MS; ms += 10) {
		fd = sgt_open();
		if (fd >= 0)
			return fd;
		poll(NULL, 0, 10);
	}
	return fd;
}

int sgt_bo_create(struct sgt_bo *bo, int drm, uint32_t width, uint32_t height)
{
	struct drm_mode_create_dumb create = {
		.width = width,
		.height = height,
		.bpp = 32,
	};

	memset(bo, 0, sizeof(*bo));
	if (drmIoctl(drm, DRM_IOCTL_MODE_CREATE_DUMB, &create))
		return -errno;

	bo->drm = drm;
	bo->width = width;
	bo->height = height;
	bo->handle = create.handle;
	bo->pitch = create.pitch;
	bo->size = create.size;
	return 0;
}

void *sgt_mmap_fd(int fd, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return map == MAP_FAILED ? NULL : map;
}

void *sgt_mmap_handle(int drm, uint32_t handle, size_t size)
{
	struct drm_mode_map_dumb arg = { .handle = handle };
	void *map;

	if (drmIoctl(drm, DRM_IOCTL_MODE_MAP_DUMB, &arg))
		return NULL;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, drm, arg.offset);
	return map == MAP_FAILED ? NULL : map;
}

int sgt_bo_map(struct sgt_bo *bo)
{
	bo->map = sgt_mmap_handle(bo->drm, bo->handle, bo->size);
	return bo->map ? 0 : -errno;
}

static int add_fb(const struct sgt_bo *bo, const struct sgt_fb *fb, uint32_t *id)
{
	uint32_t handles[4] = { bo->handle };
	uint32_t pitches[4] = { fb->pitch };
	uint32_t offsets[4] = { fb->offset };

	if (drmModeAddFB2(bo->drm, fb->width, fb->height, fb->format,
			  handles, pitches, offsets, id, 0))
		return -errno;
	return 0;
}

int sgt_bo_add_fb(struct sgt_bo *bo)
{
	const struct sgt_fb fb = {
		.width = bo->width,
		.height = bo->height,
		.format = DRM_FORMAT_XRGB8888,
		.pitch = bo->pitch,
	};

	return add_fb(bo, &fb, &bo->fb);
}

int sgt_add_fb(struct sgt_bo *bo, const struct sgt_fb *fb)
{
	return add_fb(bo, fb, &bo->fb);
}

int sgt_bo_export(const struct sgt_bo *bo)
{
	int fd;

	if (drmPrimeHandleToFD(bo->drm, bo->handle, DRM_CLOEXEC | DRM_RDWR, &fd))
		return -errno;
	return fd;
}

int sgt_close_handle(int drm, uint32_t handle)
{
	struct drm_gem_close arg = { .handle = handle };

	return drmIoctl(drm, DRM_IOCTL_GEM_CLOSE, &arg) ? -errno : 0;
}

int sgt_bo_close(struct sgt_bo *bo)
{
	uint32_t handle = bo->handle;

	bo->handle = 0;
	return sgt_close_handle(bo->drm, handle);
}

void sgt_bo_free(struct sgt_bo *bo)
{
	if (bo->map)
		munmap(bo->map, bo->size);
	if (bo->fb)
		drmModeRmFB(bo->drm, bo->fb);
	if (bo->handle)
		sgt_bo_close(bo);
	memset(bo, 0, sizeof(*bo));
}

void sgt_bo_free_all(struct sgt_bo *bos, int count)
{
	for (int i = 1; i < count; i += 2)
		sgt_bo_free(&bos[i]);
	for (int i = count - 1; i >= 0; i--)
		if (bos[i].handle)
			sgt_bo_free(&bos[i]);
}

int sgt_try_dumb(int drm, uint32_t width, uint32_t height, uint32_t bpp)
{
	struct drm_mode_create_dumb arg = {
		.width = width,
		.height = height,
		.bpp = bpp,
	};
	struct drm_mode_destroy_dumb destroy = {};

	if (drmIoctl(drm, DRM_IOCTL_MODE_CREATE_DUMB, &arg))
		return -errno;
	destroy.handle = arg.handle;
	return drmIoctl(drm, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy) ? -errno : 0;
}

int sgt_try_fb(const struct sgt_bo *bo, const struct sgt_fb *fb)
{
	uint32_t id = 0;
	int err;

	err = add_fb(bo, fb, &id);
	if (err)
		return err;
	return drmModeRmFB(bo->drm, id) ? -errno : 0;
}

/* The first CRTC that an encoder of the connector can drive */
static int find_crtc(int drm, const drmModeRes *res,
		     const drmModeConnector *connector, uint32_t *crtc)
{
	for (int i = 0; i < connector->count_encoders; i++) {
		drmModeEncoder *encoder;
		uint32_t possible;

		encoder = drmModeGetEncoder(drm, connector->encoders[i]);
		if (!encoder)
			continue;
		possible = encoder->possible_crtcs;
		drmModeFreeEncoder(encoder);

		for (int j = 0; j < res->count_crtcs; j++) {
			if (!(possible & (1u << j)))
				continue;
			*crtc = res->crtcs[j];
			return 0;
		}
	}
	return -ENODEV;
}

int sgt_screen_find(struct sgt_screen *screen, int drm)
{
	drmModeRes *res = drmModeGetResources(drm);
	int err = -ENODEV;

	if (!res)
		return -errno;

	memset(screen, 0, sizeof(*screen));
	screen->drm = drm;
	for (int i = 0; i < res->count_connectors && err; i++) {
		drmModeConnector *connector;

		connector = drmModeGetConnector(drm, res->connectors[i]);
		if (!connector)
			continue;
		if (connector->connection == DRM_MODE_CONNECTED &&
		    connector->count_modes) {
			screen->connector = connector->connector_id;
			screen->mode = connector->modes[0];
			err = find_crtc(drm, res, connector, &screen->crtc);
		}
		drmModeFreeConnector(connector);
	}
	drmModeFreeResources(res);
	return err;
}

int sgt_screen_show(const struct sgt_screen *screen, const struct sgt_bo *bo,
		    uint32_t y)
{
	uint32_t connector = screen->connector;
	drmModeModeInfo mode = screen->mode;

	if (drmModeSetCrtc(screen->drm, screen->crtc, bo->fb, 0, y, &connector, 1, &mode))
		return -errno;
	return 0;
}

int sgt_screen_off(const struct sgt_screen *screen)
{
	if (drmModeSetCrtc(screen->drm, screen->crtc, 0, 0, 0, NULL, 0, NULL))
		return -errno;
	return 0;
}

int sgt_screen_flip(const struct sgt_screen *screen, const struct sgt_bo *bo)
{
	if (drmModePageFlip(screen->drm, screen->crtc, bo->fb,
			    DRM_MODE_PAGE_FLIP_EVENT, NULL))
		return -errno;
	return 0;
}

/* Returns 0 or a negative errno: -ENOENT if there is no property of this name. */
static int find_property(int drm, uint32_t object, uint32_t type,
			 const char *name, uint32_t *id, uint64_t *value)
{
	drmModeObjectProperties *props;
	int err = -ENOENT;

	props = drmModeObjectGetProperties(drm, object, type);
	if (!props)
		return -errno;

	for (uint32_t i = 0; i < props->count_props && err; i++) {
		drmModePropertyRes *prop = drmModeGetProperty(drm, props->props[i]);

		if (!prop)
			continue;
		if (!strcmp(prop->name, name)) {
			*id = prop->prop_id;
			*value = props->prop_values[i];
			err = 0;
		}
		drmModeFreeProperty(prop);
	}
	drmModeFreeObjectProperties(props);
	return err;
}

/* The primary plane of the CRTC, which must be on */
static int find_plane(const struct sgt_screen *screen, uint32_t *plane)
{
	drmModePlaneRes *planes = drmModeGetPlaneResources(screen->drm);
	int err = -ENOENT;

	if (!planes)
		return -errno;

	for (uint32_t i = 0; i < planes->count_planes && err; i++) {
		uint64_t type, crtc;
		uint32_t id;

		*plane = planes->planes[i];
		if (find_property(screen->drm, *plane, DRM_MODE_OBJECT_PLANE, "type",
				  &id, &type) ||
		    find_property(screen->drm, *plane, DRM_MODE_OBJECT_PLANE, "CRTC_ID",
				  &id, &crtc))
			continue;
		if (type == DRM_PLANE_TYPE_PRIMARY && crtc == screen->crtc)
			err = 0;
	}
	drmModeFreePlaneResources(planes);
	return err;
}

static int add_property(drmModeAtomicReq *req, int drm, uint32_t object, uint32_t type,
			const char *name, uint64_t value)
{
	uint64_t old;
	uint32_t id;
	int err = find_property(drm, object, type, name, &id, &old);

	if (err)
		return err;
	err = drmModeAtomicAddProperty(req, object, id, value);
	return err < 0 ? err : 0;
}

static int fill_request(drmModeAtomicReq *req, const struct sgt_screen *screen,
			const struct sgt_bo *bo, int in_fence, int32_t *out_fence)
{
	int drm = screen->drm, err;
	uint32_t plane = 0;

	err = find_plane(screen, &plane);
	if (!err)
		err = add_property(req, drm, plane, DRM_MODE_OBJECT_PLANE, "FB_ID", bo->fb);
	if (!err && in_fence >= 0)
		err = add_property(req, drm, plane, DRM_MODE_OBJECT_PLANE, "IN_FENCE_FD",
				   in_fence);
	if (!err && out_fence)
		err = add_property(req, drm, screen->crtc, DRM_MODE_OBJECT_CRTC,
				   "OUT_FENCE_PTR", (uintptr_t)out_fence);
	return err;
}

int sgt_screen_request(drmModeAtomicReq **req, const struct sgt_screen *screen,
		       const struct sgt_bo *bo, int in_fence, int32_t *out_fence)
{
	int err;

	if (drmSetClientCap(screen->drm, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1) ||
	    drmSetClientCap(screen->drm, DRM_CLIENT_CAP_ATOMIC, 1))
		return -errno;
	*req = drmModeAtomicAlloc();
	if (!*req)
		return -ENOMEM;
	err = fill_request(*req, screen, bo, in_fence, out_fence);
	if (err)
		drmModeAtomicFree(*req);
	return err;
}

int sgt_screen_fence(const struct sgt_screen *screen, const struct sgt_bo *bo,
		     int in_fence)
{
	int32_t out_fence = -1;
	drmModeAtomicReq *req;
	int err = sgt_screen_request(&req, screen, bo, in_fence, &out_fence);

	if (err)
		return err;
	err = drmModeAtomicCommit(screen->drm, req, DRM_MODE_ATOMIC_NONBLOCK, NULL);
	drmModeAtomicFree(req);
	return err ?: out_fence;
}

int sgt_screen_try(const struct sgt_screen *screen, const struct sgt_bo *bo)
{
	drmModeAtomicReq *req;
	int err = sgt_screen_request(&req, screen, bo, -1, NULL);

	if (err)
		return err;
	err = drmModeAtomicCommit(screen->drm, req, DRM_MODE_ATOMIC_TEST_ONLY, NULL);
	drmModeAtomicFree(req);
	return err;
}

/* The plane of the first CRTC with an alpha channel */
static int find_cursor_plane(int drm, uint32_t *id)
{
	drmModePlaneRes *planes;
	int err = -ENOENT;

	if (drmSetClientCap(drm, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1))
		return -errno;
	planes = drmModeGetPlaneResources(drm);
	if (!planes)
		return -errno;

	for (uint32_t i = 0; i < planes->count_planes && err; i++) {
		drmModePlane *plane = drmModeGetPlane(drm, planes->planes[i]);

		if (!plane)
			continue;
		if (plane->possible_crtcs & 1 && plane->formats[0] == DRM_FORMAT_ARGB8888) {
			*id = plane->plane_id;
			err = 0;
		}
		drmModeFreePlane(plane);
	}
	drmModeFreePlaneResources(planes);
	return err;
}

int sgt_place_cursor(const struct sgt_screen *screen, const struct sgt_bo *cursor, int x, int y)
{
	uint32_t plane = 0;
	int err = find_cursor_plane(screen->drm, &plane);

	if (err)
		return err;
	if (drmModeSetPlane(screen->drm, plane, screen->crtc, cursor->fb, 0, x, y, 64, 64, 0, 0,
			    64 << 16, 64 << 16))
		return -errno;
	return 0;
}

static int flips_seen;

static void count_flip(int fd, unsigned int sequence, unsigned int sec,
		       unsigned int usec, void *data)
{
	(void)fd;
	(void)sequence;
	(void)sec;
	(void)usec;
	(void)data;
	flips_seen++;
}

int sgt_wait_flips(int drm, int flips, int timeout_ms)
{
	drmEventContext events = {
		.version = 2,
		.page_flip_handler = count_flip,
	};
	struct pollfd pfd = { .fd = drm, .events = POLLIN };

	flips_seen = 0;
	while (flips_seen < flips) {
		/* A removed device has POLLHUP or POLLERR without events. */
		if (poll(&pfd, 1, timeout_ms) <= 0 || !(pfd.revents & POLLIN))
			break;
		if (drmHandleEvent(drm, &events))
			break;
	}
	return flips_seen;
}
