// SPDX-License-Identifier: GPL-2.0
#include <poll.h>
#include <sys/mman.h>

#include "igt.h"
#include "virtgpu_drm.h"

#include "sgt_hold.h"

#define CHILD_MS	30000

/* Steps of the child, one byte each way */
enum { CHILD_CHECK = 'c', CHILD_CHECK_NODEV = 'n', CHILD_END = 'e' };

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

/* A file of its own, opened after the fork: the parent has no part in it. */
static void hold_as_child(int from_parent, int to_parent)
{
	int drm = sgt_must(sgt_open());
	uint32_t seed = 99;
	struct sgt_bo bo;
	char step;

	/* The screen is the parent's. */
	igt_assert_eq(drmDropMaster(drm), 0);
	sgt_must(sgt_bo_create(&bo, drm, 333, 111));
	sgt_must(sgt_bo_map(&bo));
	sgt_fill(bo.map, sgt_bo_words(&bo), seed);
	send_byte(to_parent, 'r');

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
		send_byte(to_parent, 'r');
	} while (step != CHILD_END);
}

static void start_child(struct sgt_hold *hold)
{
	int down[2], up[2];

	igt_assert_eq(pipe(down), 0);
	igt_assert_eq(pipe(up), 0);
	igt_fork(child, 1)
		hold_as_child(down[0], up[1]);
	close(down[0]);
	close(up[1]);
	hold->to_child = down[1];
	hold->from_child = up[0];
	receive_byte(hold->from_child);
}

static void step_child(struct sgt_hold *hold, char step)
{
	if (!(hold->what & SGT_HOLD_PROCESS))
		return;
	send_byte(hold->to_child, step);
	receive_byte(hold->from_child);
}

static void import(struct sgt_hold *hold, struct sgt_held *held)
{
	long before = sgt_swiotlb_used();

	igt_assert_eq(drmPrimeFDToHandle(hold->vgem, held->dmabuf, &held->import), 0);
	hold->import_slots += sgt_swiotlb_used() - before;
}

static void hold_dmabuf(struct sgt_hold *hold, struct sgt_held *held)
{
	unsigned int needs = SGT_HOLD_DMABUF | SGT_HOLD_DMABUF_MMAP | SGT_HOLD_IMPORT;

	if (!(hold->what & needs))
		return;

	held->dmabuf = sgt_must(sgt_bo_export(&held->bo));
	if (hold->what & SGT_HOLD_DMABUF_MMAP) {
		held->dmabuf_map = sgt_mmap_fd(held->dmabuf, held->bo.size);
		igt_assert(held->dmabuf_map);
	}
	if (hold->what & SGT_HOLD_IMPORT)
		import(hold, held);
	if (!(hold->what & SGT_HOLD_DMABUF)) {
		close(held->dmabuf);
		held->dmabuf = -1;
	}
}

static void hold_one(struct sgt_hold *hold, struct sgt_held *held,
		     uint32_t width, uint32_t height)
{
	held->dmabuf = -1;
	sgt_must(sgt_bo_create(&held->bo, hold->drm, width, height));
	sgt_must(sgt_bo_map(&held->bo));
	sgt_fill(held->bo.map, sgt_bo_words(&held->bo), hold->seed);
	hold_dmabuf(hold, held);
}

/* Whether the file stays open as well */
static bool needs_file(unsigned int what)
{
	return what & (SGT_HOLD_HANDLE | SGT_HOLD_SCANOUT);
}

static void let_go(struct sgt_hold *hold)
{
	for (int i = 0; i < SGT_HELD_BUFFERS; i++) {
		struct sgt_held *held = &hold->held[i];

		if (!(hold->what & SGT_HOLD_MMAP)) {
			munmap(held->bo.map, held->bo.size);
			held->bo.map = NULL;
		}
		held->map = held->bo.map;
		if (!(hold->what & SGT_HOLD_HANDLE))
			sgt_must(sgt_bo_close(&held->bo));
	}
	if (!needs_file(hold->what)) {
		close(hold->drm);
		hold->drm = -1;
	}
}

void sgt_hold_begin(struct sgt_hold *hold, unsigned int what)
{
	memset(hold, 0, sizeof(*hold));
	hold->what = what;
	hold->seed = sgt_new_seed();
	hold->vgem = -1;
	if (what & SGT_HOLD_PROCESS)
		start_child(hold);
	if (what & SGT_HOLD_IMPORT)
		hold->vgem = sgt_must(sgt_open_driver("vgem"));

	hold->drm = sgt_must(sgt_open());
	sgt_must(sgt_screen_find(&hold->screen, hold->drm));
	hold_one(hold, &hold->held[0], hold->screen.mode.hdisplay,
		 hold->screen.mode.vdisplay);
	hold_one(hold, &hold->held[1], 32, 32);
	hold_one(hold, &hold->held[2], 1021, 77);
	if (what & SGT_HOLD_SCANOUT) {
		sgt_must(sgt_bo_add_fb(&hold->held[0].bo));
		sgt_must(sgt_screen_show(&hold->screen, &hold->held[0].bo, 0));
		if (sgt_host_present())
			sgt_expect_screen(&hold->screen, hold->seed);
	}
	sgt_hold_write(hold);
	let_go(hold);
}

/* Any mapping of a buffer that is held will do. */
void sgt_hold_write(struct sgt_hold *hold)
{
	uint32_t seed = sgt_new_seed();

	for (int i = 0; i < SGT_HELD_BUFFERS; i++) {
		struct sgt_held *held = &hold->held[i];
		uint32_t *map = held->bo.map ?: held->dmabuf_map;

		if (map)
			sgt_fill(map, sgt_bo_words(&held->bo), seed);
		else if (held->dmabuf >= 0 || held->import)
			return;		/* only to be looked at */
	}
	hold->seed = seed;
}

static void check_dmabuf(int dmabuf, const struct sgt_hold *hold,
			 const struct sgt_held *held)
{
	uint32_t *map = sgt_mmap_fd(dmabuf, held->bo.size);

	igt_assert(map);
	sgt_expect_pattern(map, sgt_bo_words(&held->bo), hold->seed);
	munmap(map, held->bo.size);
}

static void check_one(const struct sgt_hold *hold, const struct sgt_held *held)
{
	size_t words = sgt_bo_words(&held->bo);

	if (held->map)
		sgt_expect_pattern(held->map, words, hold->seed);
	if (held->dmabuf_map)
		sgt_expect_pattern(held->dmabuf_map, words, hold->seed);
	if (held->dmabuf >= 0)
		check_dmabuf(held->dmabuf, hold, held);
	if (held->import) {
		struct sgt_bo bo = { .drm = hold->vgem, .handle = held->import };
		int dmabuf = sgt_must(sgt_bo_export(&bo));

		check_dmabuf(dmabuf, hold, held);
		close(dmabuf);
	}
}

void sgt_hold_check(struct sgt_hold *hold)
{
	for (int i = 0; i < SGT_HELD_BUFFERS; i++)
		check_one(hold, &hold->held[i]);
	step_child(hold, CHILD_CHECK);
}

void sgt_hold_check_nodev(struct sgt_hold *hold)
{
	if (hold->drm >= 0)
		sgt_expect_nodev(hold->drm, &hold->held[0].bo);
	step_child(hold, CHILD_CHECK_NODEV);
}

int sgt_hold_buffers(const struct sgt_hold *hold)
{
	unsigned int all = hold->what & ~(SGT_HOLD_PROCESS | SGT_HOLD_SCANOUT);
	int count = 0;

	if (all)
		count += SGT_HELD_BUFFERS;
	else if (hold->what & SGT_HOLD_SCANOUT)
		count++;
	if (hold->what & SGT_HOLD_PROCESS)
		count++;
	return count;
}

static void end_one(struct sgt_hold *hold, struct sgt_held *held)
{
	if (held->dmabuf_map)
		munmap(held->dmabuf_map, held->bo.size);
	if (held->import) {
		struct drm_gem_close arg = { .handle = held->import };

		do_ioctl(hold->vgem, DRM_IOCTL_GEM_CLOSE, &arg);
	}
	if (held->dmabuf >= 0)
		close(held->dmabuf);
	sgt_bo_free(&held->bo);
}

void sgt_hold_end(struct sgt_hold *hold)
{
	for (int i = 0; i < SGT_HELD_BUFFERS; i++)
		end_one(hold, &hold->held[i]);
	if (hold->drm >= 0)
		close(hold->drm);
	if (hold->vgem >= 0)
		close(hold->vgem);
	if (hold->what & SGT_HOLD_PROCESS) {
		step_child(hold, CHILD_END);
		igt_waitchildren();
		close(hold->to_child);
		close(hold->from_child);
	}
}
