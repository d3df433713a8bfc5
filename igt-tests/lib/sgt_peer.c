// SPDX-License-Identifier: GPL-2.0
#include <poll.h>

#include "igt.h"
#include "virtgpu_drm.h"

#include "sgt_peer.h"
#include "sgt_test.h"
#include "sgt_virtgpu.h"

#define CHILD_MS	120000

/* Steps of the child, one byte each way */
enum { CHILD_CHECK = 'c', CHILD_CHECK_NODEV = 'n', CHILD_END = 'e', CHILD_DONE = 'd' };

void sgt_expect_nodev(int drm, const struct sgt_bo *bo)
{
	struct drm_mode_create_dumb create = { .width = 64, .height = 64, .bpp = 32 };
	struct drm_mode_map_dumb map = { .handle = bo->handle };
	struct drm_virtgpu_resource_info info = { .bo_handle = bo->handle };
	struct drm_virtgpu_getparam param = { .param = VIRTGPU_PARAM_3D_FEATURES };
	struct drm_gem_close close = { .handle = bo->handle };
	int value;

	param.value = (uintptr_t)&value;
	do_ioctl_err(drm, DRM_IOCTL_MODE_CREATE_DUMB, &create, ENODEV);
	do_ioctl_err(drm, DRM_IOCTL_MODE_MAP_DUMB, &map, ENODEV);
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_RESOURCE_INFO, &info, ENODEV);
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_GETPARAM, &param, ENODEV);
	do_ioctl_err(drm, DRM_IOCTL_GEM_CLOSE, &close, ENODEV);
	igt_assert_eq(sgt_bo_export(bo), -ENODEV);
	igt_assert(!drmModeGetResources(drm));
	igt_assert_eq(errno, ENODEV);
}

static void send_byte(int fd, char byte)
{
	igt_assert_eq(write(fd, &byte, 1), 1);
}

static char receive_byte(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char byte = 0;

	igt_assert_eq(poll(&pfd, 1, CHILD_MS), 1);
	igt_assert_eq(read(fd, &byte, 1), 1);
	return byte;
}

/* Opens its own file after the fork, so that the parent does not share it. */
static void hold_as_child(int from_parent, int to_parent)
{
	int drm = sgt_must(sgt_open());
	uint32_t seed = 99;
	struct sgt_bo bo;
	char step;

	/* The parent is the DRM master. */
	drmDropMaster(drm);
	sgt_must(sgt_bo_create(&bo, drm, 333, 111));
	sgt_must(sgt_bo_map(&bo));
	sgt_fill(bo.map, sgt_bo_words(&bo), seed);
	sgt_must(sgt_bo_use(&bo));
	send_byte(to_parent, CHILD_DONE);

	do {
		step = receive_byte(from_parent);
		sgt_expect_pattern(bo.map, sgt_bo_words(&bo), seed);
		if (step == CHILD_CHECK_NODEV)
			sgt_expect_nodev(drm, &bo);
		sgt_fill(bo.map, sgt_bo_words(&bo), ++seed);
		if (step == CHILD_END) {
			sgt_bo_free(&bo);
			close(drm);
		}
		send_byte(to_parent, CHILD_DONE);
	} while (step != CHILD_END);
}

void sgt_peer_begin(struct sgt_peer *peer)
{
	int down[2], up[2];

	igt_assert_eq(pipe(down), 0);
	igt_assert_eq(pipe(up), 0);
	igt_fork(child, 1)
		hold_as_child(down[0], up[1]);
	close(down[0]);
	close(up[1]);
	peer->to_child = down[1];
	peer->from_child = up[0];
	receive_byte(peer->from_child);
}

static void step(struct sgt_peer *peer, char what)
{
	send_byte(peer->to_child, what);
	receive_byte(peer->from_child);
}

void sgt_peer_check(struct sgt_peer *peer)
{
	step(peer, CHILD_CHECK);
}

void sgt_peer_check_nodev(struct sgt_peer *peer)
{
	step(peer, CHILD_CHECK_NODEV);
}

void sgt_peer_end(struct sgt_peer *peer)
{
	step(peer, CHILD_END);
	close(peer->to_child);
	close(peer->from_child);
}
