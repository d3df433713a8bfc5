// SPDX-License-Identifier: GPL-2.0
#include <sys/mman.h>

#include "igt.h"
#include "sgt_children.h"
#include "sgt_fence.h"
#include "sgt_hold.h"
#include "sgt_removal.h"
#include "sgt_virtgpu.h"

/* The kinds that hold the three buffers, imports, or fences */
#define OF_BUFFERS	(SGT_HOLD_HANDLE | SGT_HOLD_MMAP | SGT_HOLD_DMABUF | \
			 SGT_HOLD_DMABUF_MMAP | SGT_HOLD_IMPORTER)
#define OF_GUESTS	(SGT_HOLD_UDMABUF | SGT_HOLD_VGEM)
#define OF_FENCES	(SGT_HOLD_SYNC_FILE | SGT_HOLD_SYNCOBJ)

/* The buffer that the kernel maps; the others are too large or too small. */
#define MAPPED		2

/* The size of an import: that of the smallest framebuffer */
#define GUEST_WIDTH	64
#define GUEST_HEIGHT	32

/* IO_TLB_SIZE of include/linux/swiotlb.h, in bytes */
#define SWIOTLB_SLOT	2048

/* Some set-ups refuse imports, and the in-tree driver has none. */
static bool can_import(const struct sgt_test *test)
{
	struct sgt_foreign from;
	struct sgt_bo bo;
	int drm, err;

	if (!test->tables || sgt_foreign_udmabuf(&from, PAGE))
		return false;
	drm = sgt_must(sgt_open());
	err = sgt_bo_import(&bo, drm, from.fd, 32, 32);
	igt_assert_f(!err || err == -EOPNOTSUPP, "import: %s\n", strerror(-err));
	if (!err)
		sgt_bo_free(&bo);
	close(drm);
	sgt_foreign_free(&from);
	return !err;
}

unsigned int sgt_hold_possible(const struct sgt_test *test, unsigned int what)
{
	if (what & (SGT_HOLD_IMPORTER | SGT_HOLD_VGEM) && !sgt_have_driver("vgem"))
		what &= ~(SGT_HOLD_IMPORTER | SGT_HOLD_VGEM);
	if ((what & OF_GUESTS) && !can_import(test))
		what &= ~OF_GUESTS;
	if ((what & SGT_HOLD_VMAP) && sgt_vmap_probe())
		what &= ~SGT_HOLD_VMAP;
	/* The fences of the in-tree driver need an open file of the device. */
	if ((what & OF_FENCES) && !test->tables)
		what |= SGT_HOLD_HANDLE;
	return what;
}

static void import(struct sgt_hold *hold, struct sgt_held *held)
{
	long before = sgt_swiotlb_used(), slots = held->bo.size / SWIOTLB_SLOT;

	igt_assert_eq(drmPrimeFDToHandle(hold->vgem, held->dmabuf, &held->import), 0);
	/* Other devices return slots at the same time: the size is exact. */
	if (sgt_swiotlb_used() - before > slots / 2)
		hold->import_slots += slots;
}

static void hold_dmabuf(struct sgt_hold *hold, struct sgt_held *held)
{
	unsigned int needs = SGT_HOLD_DMABUF | SGT_HOLD_DMABUF_MMAP | SGT_HOLD_IMPORTER;
	bool mapped = hold->what & SGT_HOLD_VMAP && held == &hold->held[MAPPED];

	if (!(hold->what & needs) && !mapped)
		return;

	held->dmabuf = sgt_must(sgt_bo_export(&held->bo));
	if (hold->what & SGT_HOLD_DMABUF_MMAP) {
		held->dmabuf_map = sgt_mmap_fd(held->dmabuf, held->bo.size);
		igt_assert(held->dmabuf_map);
	}
	if (hold->what & SGT_HOLD_IMPORTER)
		import(hold, held);
	if (mapped)
		sgt_must(sgt_vmap_begin(&hold->vmap, held->dmabuf, held->bo.size));
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
	sgt_must(sgt_bo_use(&held->bo));
	hold_dmabuf(hold, held);
}

static void hold_guest(struct sgt_hold *hold, struct sgt_guest *guest)
{
	sgt_pattern_fill(guest->from.map, guest->from.size / sizeof(uint32_t), hold->seed);
	sgt_must(sgt_bo_import(&guest->bo, hold->drm, guest->from.fd,
			       GUEST_WIDTH, GUEST_HEIGHT));
	/* The framebuffer makes the host attach the pages. */
	sgt_must(sgt_bo_add_fb(&guest->bo));
}

static void hold_guests(struct sgt_hold *hold)
{
	if (hold->what & SGT_HOLD_UDMABUF) {
		sgt_must(sgt_foreign_udmabuf(&hold->guests[0].from,
					     GUEST_HEIGHT * GUEST_WIDTH * sizeof(uint32_t)));
		hold_guest(hold, &hold->guests[0]);
	}
	if (hold->what & SGT_HOLD_VGEM) {
		sgt_must(sgt_foreign_vgem(&hold->guests[1].from,
					  GUEST_WIDTH, GUEST_HEIGHT));
		hold_guest(hold, &hold->guests[1]);
	}
}

static void hold_picture(struct sgt_hold *hold)
{
	struct sgt_bo *picture = &hold->held[0].bo;

	if (!(hold->what & (SGT_HOLD_SCANOUT | OF_FENCES)))
		return;

	sgt_must(sgt_bo_add_fb(picture));
	sgt_must(sgt_screen_show(&hold->screen, picture, 0));
	if (hold->what & SGT_HOLD_SCANOUT && sgt_host_present())
		sgt_expect_screen(&hold->screen, hold->seed);
}

/* Last, so that the commit is not done when the device is removed */
static void hold_fence(struct sgt_hold *hold)
{
	int fence;

	if (!(hold->what & OF_FENCES))
		return;

	fence = sgt_must(sgt_screen_fence(&hold->screen, &hold->held[0].bo, -1));
	if (hold->what & SGT_HOLD_SYNCOBJ)
		hold->syncobj = sgt_must(sgt_syncobj_make(hold->drm, fence));
	if (hold->what & SGT_HOLD_SYNC_FILE)
		hold->sync_file = fence;
	else
		close(fence);
}

/* Whether the file stays open as well */
static bool needs_file(unsigned int what)
{
	return what & (SGT_HOLD_HANDLE | SGT_HOLD_SCANOUT | OF_GUESTS);
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

/* Fork first, so that children do not inherit files. */
void sgt_hold_begin(struct sgt_hold *hold, unsigned int what)
{
	memset(hold, 0, sizeof(*hold));
	hold->what = what;
	hold->seed = sgt_new_seed();
	hold->vgem = -1;
	hold->sync_file = -1;
	hold->syncobj = -1;
	if (what & SGT_HOLD_PROCESS)
		sgt_peer_begin(&hold->peer);
	if (what & SGT_HOLD_QUEUED)
		sgt_traffic_begin(&hold->traffic);
	if (what & SGT_HOLD_IMPORTER)
		hold->vgem = sgt_must(sgt_open_driver("vgem"));

	hold->drm = sgt_must(sgt_open());
	sgt_must(sgt_screen_find(&hold->screen, hold->drm));
	hold_one(hold, &hold->held[0], hold->screen.mode.hdisplay,
		 hold->screen.mode.vdisplay);
	hold_one(hold, &hold->held[1], 32, 32);
	hold_one(hold, &hold->held[MAPPED], 1021, 77);
	hold_guests(hold);
	hold_picture(hold);
	sgt_hold_write(hold);
	hold_fence(hold);
	let_go(hold);
	if (what & SGT_HOLD_QUEUED)
		sgt_traffic_wait(&hold->traffic);
}

/* Uses any mapping of each buffer. */
void sgt_hold_write(struct sgt_hold *hold)
{
	uint32_t seed = sgt_new_seed();

	for (int i = 0; i < SGT_HELD_BUFFERS; i++) {
		struct sgt_held *held = &hold->held[i];
		uint32_t *map = held->bo.map ?: held->dmabuf_map;

		if (map)
			sgt_fill(map, sgt_bo_words(&held->bo), seed);
		else if (held->dmabuf >= 0 || held->import)
			return;		/* can be read only */
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(hold->guests); i++) {
		struct sgt_foreign *from = &hold->guests[i].from;

		if (from->map)
			sgt_fill(from->map, from->size / sizeof(uint32_t), seed);
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

/* The table of buffers shows the kernel mapping. */
static void check_vmap(const struct sgt_hold *hold)
{
	struct sgt_buffer_row *rows = NULL;
	int count, vmaps = 0;

	if (!sgt_tables_present())
		return;
	count = sgt_must(sgt_read_buffers(&rows));
	for (int i = 0; i < count; i++)
		if (rows[i].size == hold->held[MAPPED].bo.size)
			vmaps += rows[i].vmaps;
	free(rows);
	igt_assert_eq(vmaps, 1);
}

void sgt_hold_check(struct sgt_hold *hold)
{
	for (int i = 0; i < SGT_HELD_BUFFERS; i++)
		check_one(hold, &hold->held[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(hold->guests); i++) {
		struct sgt_foreign *from = &hold->guests[i].from;

		if (from->map)
			sgt_expect_pattern(from->map, from->size / sizeof(uint32_t),
					   hold->seed);
	}
	if (hold->what & SGT_HOLD_VMAP)
		check_vmap(hold);
	if (hold->what & SGT_HOLD_PROCESS)
		sgt_peer_check(&hold->peer);
}

/* The fence of an fd of a syncobj can be exported by the next device. */
static void check_syncobj(int syncobj)
{
	int drm = sgt_open(), fence;

	if (drm < 0)
		return;
	fence = sgt_must(sgt_syncobj_open(drm, syncobj));
	sgt_expect_signalled(fence);
	close(fence);
	close(drm);
}

void sgt_hold_check_nodev(struct sgt_hold *hold)
{
	if (hold->drm >= 0)
		sgt_expect_nodev(hold->drm, &hold->held[0].bo);
	if (hold->what & SGT_HOLD_PROCESS)
		sgt_peer_check_nodev(&hold->peer);
	if (hold->what & SGT_HOLD_QUEUED)
		sgt_traffic_expect_nodev(&hold->traffic);
	if (hold->sync_file >= 0)
		sgt_expect_signalled(hold->sync_file);
	if (hold->syncobj >= 0)
		check_syncobj(hold->syncobj);
}

int sgt_hold_buffers(const struct sgt_hold *hold)
{
	int count = 0;

	if (hold->what & OF_BUFFERS)
		count += SGT_HELD_BUFFERS;
	else
		count += !!(hold->what & SGT_HOLD_VMAP) + !!(hold->what & SGT_HOLD_SCANOUT);
	if (hold->what & SGT_HOLD_PROCESS)
		count++;
	if (hold->what & SGT_HOLD_QUEUED)
		count += SGT_TRAFFIC_PROCESSES;
	for (unsigned int i = 0; i < ARRAY_SIZE(hold->guests); i++)
		count += !!hold->guests[i].from.map;
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

static void end_guest(struct sgt_guest *guest)
{
	if (!guest->from.map)
		return;
	sgt_bo_free(&guest->bo);
	sgt_foreign_free(&guest->from);
}

void sgt_hold_end(struct sgt_hold *hold)
{
	if (hold->what & SGT_HOLD_VMAP) {
		/* Writes to the buffer of a removed device, which is not checked. */
		sgt_must(sgt_vmap_write(&hold->vmap));
		sgt_vmap_end(&hold->vmap);
	}
	for (int i = 0; i < SGT_HELD_BUFFERS; i++)
		end_one(hold, &hold->held[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(hold->guests); i++)
		end_guest(&hold->guests[i]);
	if (hold->sync_file >= 0)
		close(hold->sync_file);
	if (hold->syncobj >= 0)
		close(hold->syncobj);
	if (hold->drm >= 0)
		close(hold->drm);
	if (hold->vgem >= 0)
		close(hold->vgem);
	if (hold->what & SGT_HOLD_PROCESS)
		sgt_peer_end(&hold->peer);
	if (hold->what & SGT_HOLD_QUEUED)
		sgt_traffic_end(&hold->traffic);
	sgt_children_wait();
}
