// SPDX-License-Identifier: GPL-2.0
#include <drm_fourcc.h>

#include "igt.h"
#include "virtgpu_drm.h"

#include "lib/sgt_damage.h"
#include "lib/sgt_rounds.h"
#include "lib/sgt_virtgpu.h"
#include "lib/sgt_vm_model.h"
#include "lib/sgt_vm_test.h"

/**
 * TEST: sgt vm res
 * Description: Show pictures whose memory is a range of the address space
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: address space, scanout
 * Test category: functionality test
 *
 * SUBTEST: whole
 * Description: The device shows every pixel of a buffer that is bound as a whole
 *
 * SUBTEST: parts
 * Description: The same of parts of a larger buffer, in another order
 *
 * SUBTEST: several
 * Description: The same of pages dealt from three buffers
 *
 * SUBTEST: same-pages
 * Description: A picture of several screens that map the same pages
 *
 * SUBTEST: random
 * Description: The same after random binds, unbinds and remaps, for each page
 *
 * SUBTEST: readonly
 * Description: A range that is mapped read-only is shown
 *
 * SUBTEST: damage
 * Description: Exactly the damaged rectangle is transferred
 *
 * SUBTEST: transfer
 * Description: Pixels reach the device with a transfer, and not before
 *
 * SUBTEST: cut
 * Description: A picture is detached when a page is unmapped, and cannot be used
 *
 * SUBTEST: cut-many
 * Description: An unmap detaches each picture of its range once, and no other
 *
 * SUBTEST: rebind
 * Description: A picture shows the pixels that are bound to its range now
 *
 * SUBTEST: remap
 * Description: A remap detaches the old pages, and the next use attaches the new ones
 *
 * SUBTEST: object
 * Description: A picture from VA cannot be mapped, exported or bound
 *
 * SUBTEST: handle-closed
 * Description: A framebuffer outlives the handles of the picture and of the buffers
 *
 * SUBTEST: file-closed
 * Description: A picture on the screen outlives the file of its address space
 *
 * SUBTEST: notifies
 * Description: The host is notified once of the commands that attach a picture
 *
 * SUBTEST: trace-counts
 * Description: The device sees one create, one attach and one unref for each picture
 */

IGT_TEST_DESCRIPTION("Show pictures whose memory is a range of the address space");

/* Tables of all levels begin in the middle of the first screen. */
#define VA	((3ull << 39) - 300 * PAGE)

#define ATTACH	"virtio_gpu_cmd_res_back_attach"
#define DETACH	"virtio_gpu_cmd_res_back_detach"

static struct sgt_test test;
static struct sgt_screen screen;

static uint32_t screen_pages(void)
{
	return sgt_screen_bytes(&screen) / PAGE;
}

/* A picture of the range's first pages, as many screens as said, on the screen */
static void show_range(struct sgt_bo *picture, const struct sgt_vm_model *model,
		       unsigned int screens)
{
	sgt_must(sgt_vm_picture(picture, model->drm, model->va, screen.mode.hdisplay,
				screens * screen.mode.vdisplay));
	sgt_must(sgt_bo_add_fb(picture));
	sgt_must(sgt_screen_show(&screen, picture, 0));
}

static void show_and_check(const struct sgt_bo *picture, uint32_t seed)
{
	sgt_must(sgt_screen_show(&screen, picture, 0));
	sgt_expect_screen(&screen, seed);
}

static void end_range(struct sgt_bo *picture, struct sgt_vm_model *model)
{
	sgt_must(sgt_screen_off(&screen));
	sgt_bo_free(picture);
	sgt_model_end(model);
}

/* Write and show all pages, twice. */
static void check_pixels(struct sgt_vm_model *model)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_bo picture;

	sgt_model_fill(model, seed);
	show_range(&picture, model, 1);
	sgt_expect_screen(&screen, seed);

	seed = sgt_new_seed();
	sgt_model_fill(model, seed);
	igt_assert_eq(drmModeDirtyFB(model->drm, picture.fb, NULL, 0), 0);
	sgt_expect_screen(&screen, seed);
	end_range(&picture, model);
}

static void test_whole(int drm)
{
	const uint32_t sizes[SGT_MODEL_BOS] = { screen_pages() };
	struct sgt_vm_model model;

	sgt_model_begin(&model, drm, VA, screen_pages(), sizes);
	sgt_model_lay(&model, 0, model.count, &model.bos[0], 0);
	check_pixels(&model);
}

/* From the end of the buffer to the start, without its first pages */
static void test_parts(int drm)
{
	const uint32_t sizes[SGT_MODEL_BOS] = { screen_pages() + 37 };
	struct sgt_vm_model model;
	uint32_t run;

	sgt_model_begin(&model, drm, VA, screen_pages(), sizes);
	for (uint32_t first = 0; first < model.count; first += run) {
		run = 1 + first % 29;
		if (run > model.count - first)
			run = model.count - first;
		sgt_model_lay(&model, first, run, &model.bos[0], sizes[0] - first - run);
	}
	check_pixels(&model);
}

static void test_several(int drm)
{
	const uint32_t third = screen_pages() / SGT_MODEL_BOS + 1;
	const uint32_t sizes[SGT_MODEL_BOS] = { third, third, third };
	struct sgt_vm_model model;

	sgt_model_begin(&model, drm, VA, screen_pages(), sizes);
	for (uint32_t i = 0; i < model.count; i++)
		sgt_model_lay(&model, i, 1, &model.bos[i % SGT_MODEL_BOS], i / SGT_MODEL_BOS);
	check_pixels(&model);
}

static void test_same_pages(int drm)
{
	const uint32_t sizes[SGT_MODEL_BOS] = { screen_pages() };
	uint32_t seed = sgt_new_seed();
	unsigned int screens = 4;
	struct sgt_vm_model model;
	struct sgt_bo picture;

	sgt_model_begin(&model, drm, VA, screens * screen_pages(), sizes);
	for (unsigned int i = 0; i < screens; i++)
		sgt_model_lay(&model, i * screen_pages(), screen_pages(), &model.bos[0], 0);
	sgt_fill(model.bos[0].map, sgt_bo_words(&model.bos[0]), seed);
	show_range(&picture, &model, screens);
	for (unsigned int i = 0; i < screens; i++) {
		sgt_must(sgt_screen_show(&screen, &picture, i * screen.mode.vdisplay));
		sgt_expect_screen(&screen, seed);
	}

	/* Change a page in one of them only. */
	sgt_model_lay(&model, screen_pages() + 5, 1, &model.bos[0], 6);
	sgt_must(sgt_screen_show(&screen, &picture, 0));
	sgt_expect_screen(&screen, seed);
	sgt_must(sgt_host_trace_mark());
	sgt_must(sgt_screen_show(&screen, &picture, screen.mode.vdisplay));
	sgt_wait_trace("virtio_gpu_cmd_res_flush", 1);
	igt_assert_eq(sgt_host_screen(screen.mode.hdisplay, screen.mode.vdisplay, seed),
		      -EREMOTEIO);
	end_range(&picture, &model);
}

static void test_random(int drm)
{
	const uint32_t sizes[SGT_MODEL_BOS] = { 2 * screen_pages(), 64, 1 };
	struct sgt_vm_model model;
	struct sgt_rounds rounds;

	sgt_model_begin(&model, drm, VA, screen_pages(), sizes);
	sgt_rounds_begin(&rounds, 20, 300);
	while (sgt_rounds_next(&rounds))
		sgt_model_step(&model, &rounds.random, 0, 0);
	sgt_model_check(&model);

	/* Replace holes and pages that are mapped twice. */
	for (uint32_t i = 0; i < model.count; i++) {
		const struct sgt_vm_page *page = &model.pages[i];
		bool once = page->bo == &model.bos[0] && page->page < screen_pages();

		for (uint32_t j = 0; j < i && once; j++)
			once = model.pages[j].bo != page->bo || model.pages[j].page != page->page;
		if (!once)
			sgt_model_lay(&model, i, 1, &model.bos[0], screen_pages() + i);
	}
	check_pixels(&model);
}

static void test_readonly(int drm)
{
	const uint32_t sizes[SGT_MODEL_BOS] = { screen_pages() };
	struct drm_virtgpu_sgt_vm_bind_op op;
	struct sgt_vm_model model;

	sgt_model_begin(&model, drm, VA, screen_pages(), sizes);
	sgt_model_lay(&model, 0, model.count, &model.bos[0], 0);
	op = sgt_vm_op_remap(VA, model.count / 2 * PAGE, &model.bos[0], 0);
	op.flags = VIRTGPU_SGT_VM_READONLY;
	sgt_must(sgt_vm_bind(drm, &op, 1));
	check_pixels(&model);
}

static void test_damage(int drm)
{
	const uint32_t sizes[SGT_MODEL_BOS] = { screen_pages() };
	struct sgt_vm_model model;
	struct sgt_bo picture;

	sgt_model_begin(&model, drm, VA, screen_pages(), sizes);
	sgt_model_lay(&model, 0, model.count, &model.bos[0], 0);
	sgt_must(sgt_vm_picture(&picture, drm, VA, screen.mode.hdisplay, screen.mode.vdisplay));
	sgt_must(sgt_bo_add_fb(&picture));
	picture.map = model.bos[0].map;
	sgt_check_damage(&screen, &picture);
	picture.map = NULL;
	sgt_bo_free(&picture);
	sgt_model_end(&model);
}

static void test_transfer(int drm)
{
	const uint32_t half = screen_pages() / 2;
	const uint32_t sizes[SGT_MODEL_BOS] = { half, screen_pages() - half };
	uint32_t seed = sgt_new_seed(), other = sgt_new_seed();
	struct sgt_vm_model model;
	struct sgt_bo picture;

	sgt_model_begin(&model, drm, VA, screen_pages(), sizes);
	sgt_model_lay(&model, 0, half, &model.bos[0], 0);
	sgt_model_lay(&model, half, sizes[1], &model.bos[1], 0);
	sgt_model_fill(&model, seed);
	show_range(&picture, &model, 1);
	sgt_expect_screen(&screen, seed);

	sgt_model_fill(&model, other);
	sgt_expect_screen(&screen, seed);
	sgt_must(sgt_transfer(&picture));
	sgt_expect_screen(&screen, other);
	end_range(&picture, &model);
}

static int detaches(void)
{
	return sgt_must(sgt_host_trace_count(DETACH));
}

/* The picture cannot be used: not by a transfer, nor to be shown. */
static void expect_cut(struct sgt_bo *picture)
{
	struct sgt_bo again = *picture;

	igt_assert_eq(sgt_transfer(picture), -EFAULT);
	igt_assert_eq(sgt_bo_add_fb(&again), -EFAULT);
	igt_assert_eq(sgt_screen_flip(&screen, picture), -EFAULT);
	igt_assert_eq(sgt_screen_show(&screen, picture, 0), -EFAULT);
	igt_assert_eq(drmModeDirtyFB(picture->drm, picture->fb, NULL, 0), -EFAULT);
}

/* A page at a time: the first, the last, and in between */
static void test_cut(int drm)
{
	const uint32_t sizes[SGT_MODEL_BOS] = { screen_pages() };
	const uint32_t cuts[] = { 0, screen_pages() - 1, screen_pages() / 2, 300, 299 };
	struct sgt_vm_model model;
	struct sgt_bo picture;
	uint32_t seed;

	sgt_model_begin(&model, drm, VA, screen_pages(), sizes);
	sgt_model_lay(&model, 0, model.count, &model.bos[0], 0);
	show_range(&picture, &model, 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(cuts); i++) {
		seed = sgt_new_seed();
		sgt_model_fill(&model, seed);
		show_and_check(&picture, seed);

		/* The unmap waits for the host. */
		sgt_must(sgt_host_trace_mark());
		sgt_model_cut(&model, cuts[i], 1);
		igt_assert_eq(detaches(), 1);
		expect_cut(&picture);
		sgt_expect_screen(&screen, seed);

		/* A detached picture is not detached again. */
		sgt_model_cut(&model, (cuts[i] + 7) % model.count, 1);
		igt_assert_eq(detaches(), 1);
		sgt_model_lay(&model, cuts[i], 1, &model.bos[0], cuts[i]);
		expect_cut(&picture);

		sgt_model_lay(&model, (cuts[i] + 7) % model.count, 1, &model.bos[0],
			      (cuts[i] + 7) % model.count);
		seed = sgt_new_seed();
		sgt_model_fill(&model, seed);
		show_and_check(&picture, seed);
		sgt_expect_trace(ATTACH, 1);
		igt_assert_eq(detaches(), 1);
	}

	/* A detached picture can be taken off the screen. */
	sgt_model_cut(&model, 5, 3);
	end_range(&picture, &model);
}

static void test_cut_many(int drm)
{
	const uint32_t sizes[SGT_MODEL_BOS] = { 40 };
	struct sgt_vm_model model;
	struct sgt_bo pictures[4];

	sgt_model_begin(&model, drm, VA, 40, sizes);
	sgt_model_lay(&model, 0, 40, &model.bos[0], 0);
	/* Ten pages each: the first two are the same, the last one is separate. */
	for (int i = 0; i < 4; i++)
		sgt_must(sgt_vm_picture(&pictures[i], drm, VA + (i ? i - 1 : 0) * 10 * PAGE,
					WORDS_PER_PAGE, 10));
	sgt_must(sgt_host_trace_mark());
	sgt_model_cut(&model, 30, 10);
	igt_assert_eq(detaches(), 0);
	sgt_model_cut(&model, 8, 4);
	igt_assert_eq(detaches(), 3);
	for (int i = 0; i < 3; i++)
		igt_assert_eq(sgt_transfer(&pictures[i]), -EFAULT);
	sgt_must(sgt_transfer(&pictures[3]));

	/* The ranges of the first two are mapped again, that of the third is not. */
	sgt_model_lay(&model, 8, 2, &model.bos[0], 8);
	sgt_must(sgt_transfer(&pictures[0]));
	sgt_must(sgt_transfer(&pictures[1]));
	igt_assert_eq(sgt_transfer(&pictures[2]), -EFAULT);
	sgt_expect_trace(ATTACH, 2);
	for (int i = 0; i < 4; i++)
		sgt_bo_free(&pictures[i]);
	sgt_model_end(&model);
}

static void test_rebind(int drm)
{
	const uint32_t sizes[SGT_MODEL_BOS] = { screen_pages(), screen_pages() };
	uint32_t seeds[2] = { sgt_new_seed(), sgt_new_seed() };
	struct sgt_vm_model model;
	struct sgt_bo picture;

	sgt_model_begin(&model, drm, VA, screen_pages(), sizes);
	for (int i = 0; i < 2; i++)
		sgt_fill(model.bos[i].map, sgt_bo_words(&model.bos[i]), seeds[i]);
	sgt_model_lay(&model, 0, model.count, &model.bos[0], 0);
	show_range(&picture, &model, 1);
	sgt_expect_screen(&screen, seeds[0]);
	for (int i = 1; i < 6; i++) {
		sgt_model_cut(&model, 0, model.count);
		igt_assert_eq(sgt_transfer(&picture), -EFAULT);
		sgt_model_lay(&model, 0, model.count, &model.bos[i & 1], 0);
		sgt_must(sgt_transfer(&picture));
		sgt_expect_screen(&screen, seeds[i & 1]);
	}
	end_range(&picture, &model);
}

/* Remap the middle of the picture, then the rest. */
static void test_remap(int drm)
{
	const uint32_t sizes[SGT_MODEL_BOS] = { screen_pages(), screen_pages() };
	uint32_t seed = sgt_new_seed(), other = sgt_new_seed();
	struct sgt_vm_model model;
	struct sgt_bo picture;

	sgt_model_begin(&model, drm, VA, screen_pages(), sizes);
	sgt_fill(model.bos[0].map, sgt_bo_words(&model.bos[0]), seed);
	sgt_fill(model.bos[1].map, sgt_bo_words(&model.bos[1]), other);
	sgt_model_lay(&model, 0, model.count, &model.bos[0], 0);
	show_range(&picture, &model, 1);
	sgt_expect_screen(&screen, seed);

	sgt_must(sgt_host_trace_mark());
	sgt_model_lay(&model, 10, model.count - 20, &model.bos[1], 10);
	igt_assert_eq(detaches(), 1);
	sgt_expect_screen(&screen, seed);
	sgt_must(sgt_transfer(&picture));
	igt_assert_eq(sgt_host_screen(screen.mode.hdisplay, screen.mode.vdisplay, other),
		      -EREMOTEIO);
	sgt_model_lay(&model, 0, 10, &model.bos[1], 0);
	sgt_model_lay(&model, model.count - 10, 10, &model.bos[1], model.count - 10);
	igt_assert_eq(drmModeDirtyFB(drm, picture.fb, NULL, 0), 0);
	sgt_expect_screen(&screen, other);
	end_range(&picture, &model);
}

static void test_object(int drm)
{
	struct drm_mode_map_dumb map_dumb = {};
	struct drm_virtgpu_sgt_bo_info info;
	struct drm_virtgpu_map map = {};
	uint32_t resource = 0, size = 0;
	struct sgt_bo bo, picture;

	sgt_make_pages(&bo, drm, 16);
	sgt_must(sgt_vm_map(&bo, VA, bo.size, 0));
	sgt_must(sgt_vm_picture(&picture, drm, VA, 100, 100));
	sgt_must(sgt_resource_info(&picture, &resource, &size));
	igt_assert_neq(resource, 0);
	igt_assert_eq(size, 10 * PAGE);

	map.handle = picture.handle;
	do_ioctl_err(drm, DRM_IOCTL_VIRTGPU_MAP, &map, EINVAL);
	map_dumb.handle = picture.handle;
	do_ioctl_err(drm, DRM_IOCTL_MODE_MAP_DUMB, &map_dumb, EINVAL);
	igt_assert_eq(sgt_bo_export(&picture), -EINVAL);
	igt_assert_eq(sgt_vm_map(&picture, VA + SGT_LEAF_2M, PAGE, 0), -EOPNOTSUPP);
	sgt_must(sgt_bo_info(&picture, &info));
	igt_assert_eq_u64(info.size, 10 * PAGE);
	igt_assert_eq_u64(info.folios, 0);
	igt_assert_eq_u64(info.cpu_runs, 0);
	igt_assert_eq_u64(info.leaves_4k + info.leaves_2m + info.leaves_1g, 0);

	sgt_must(sgt_transfer(&picture));
	sgt_bo_free(&picture);
	sgt_expect_space(drm, bo.size, 4);
	sgt_bo_free(&bo);
}

static void test_handle_closed(int drm)
{
	const uint32_t sizes[SGT_MODEL_BOS] = { screen_pages() };
	uint32_t seed = sgt_new_seed();
	struct sgt_vm_model model;
	struct sgt_bo picture;

	sgt_model_begin(&model, drm, VA, screen_pages(), sizes);
	sgt_model_lay(&model, 0, model.count, &model.bos[0], 0);
	sgt_model_fill(&model, seed);
	show_range(&picture, &model, 1);
	sgt_must(sgt_bo_close(&picture));
	sgt_must(sgt_bo_close(&model.bos[0]));
	sgt_expect_screen(&screen, seed);

	seed = sgt_new_seed();
	sgt_model_fill(&model, seed);
	igt_assert_eq(drmModeDirtyFB(drm, picture.fb, NULL, 0), 0);
	sgt_expect_screen(&screen, seed);
	sgt_model_cut(&model, 0, model.count);
	igt_assert_eq(drmModeDirtyFB(drm, picture.fb, NULL, 0), -EFAULT);
	end_range(&picture, &model);
}

/* DRM_IOCTL_MODE_CLOSEFB of Linux 6.8, which libdrm does not have yet */
struct closefb {
	uint32_t id, pad;
};

#define IOCTL_CLOSEFB	DRM_IOWR(0xd0, struct closefb)

/* One file shows a picture from the address space of another. */
static void test_file_closed(int drm)
{
	const uint32_t sizes[SGT_MODEL_BOS] = { screen_pages() };
	uint32_t seed = sgt_new_seed(), fb;
	struct closefb closefb = {};
	struct sgt_vm_model model;
	struct sgt_bo picture;
	int other;

	other = sgt_must(sgt_open());
	sgt_model_begin(&model, other, VA, screen_pages(), sizes);
	sgt_model_lay(&model, 0, model.count, &model.bos[0], 0);
	sgt_model_fill(&model, seed);
	sgt_must(sgt_vm_picture(&picture, other, VA, screen.mode.hdisplay,
				screen.mode.vdisplay));
	sgt_must(sgt_bo_add_fb(&picture));
	show_and_check(&picture, seed);

	/* Now only the screen holds the picture. */
	fb = picture.fb;
	closefb.id = fb;
	do_ioctl(other, IOCTL_CLOSEFB, &closefb);
	picture.fb = 0;
	sgt_bo_free(&picture);
	sgt_model_end(&model);
	close(other);
	sgt_expect_screen(&screen, seed);
	igt_assert_eq(drmModeDirtyFB(drm, fb, NULL, 0), -EFAULT);
	sgt_must(sgt_screen_off(&screen));
}

static void test_trace_counts(int drm)
{
	struct sgt_bo bo, pictures[8];
	int count = ARRAY_SIZE(pictures);

	sgt_make_pages(&bo, drm, 64);
	sgt_must(sgt_vm_map(&bo, VA, bo.size, 0));
	sgt_must(sgt_host_trace_mark());
	for (int i = 0; i < count; i++)
		sgt_must(sgt_vm_picture(&pictures[i], drm, VA + i * PAGE, 64, 64));
	sgt_expect_trace("virtio_gpu_cmd_res_create_2d", count);
	sgt_expect_trace(ATTACH, count);

	/* An unmap does nothing for pictures that are freed. */
	sgt_bo_free_all(pictures, count);
	sgt_expect_trace("virtio_gpu_cmd_res_unref", count);
	sgt_must(sgt_vm_unmap(drm, VA, bo.size));
	sgt_expect_trace("virtio_gpu_cmd_res_create_2d", count);
	sgt_expect_trace(ATTACH, count);
	sgt_bo_free(&bo);
}

static void on_screen(void (*run)(int drm))
{
	struct sgt_baseline base;
	int drm;

	sgt_baseline_take(&test, &base);
	drm = sgt_must(sgt_open());
	sgt_must(sgt_screen_find(&screen, drm));
	run(drm);
	close(drm);
	sgt_baseline_check(&test, &base);
}

struct sent {
	long commands, notifies;
};

static struct sent look_sent(int drm)
{
	return (struct sent) {
		.commands = sgt_must(sgt_stat(drm, "commands")),
		.notifies = sgt_must(sgt_stat(drm, "notifies")),
	};
}

/*
 * A create and an attach, with one notification. False if there were other commands: a
 * framebuffer of an earlier test may still be freed.
 */
static bool had_one_notify(int drm, const struct sent *before)
{
	struct sent now = look_sent(drm);

	if (now.commands != before->commands + 2)
		return false;
	/* None, if the host still reads an earlier command: it finds these, too. */
	igt_assert_lte(now.notifies, before->notifies + 1);
	return true;
}

static bool make_picture(int drm)
{
	struct sent before = look_sent(drm);
	struct sgt_bo picture;
	bool alone;

	sgt_must(sgt_vm_picture(&picture, drm, VA, WORDS_PER_PAGE, 64));
	alone = had_one_notify(drm, &before);
	sgt_bo_free(&picture);
	return alone;
}

static bool make_fb(int drm)
{
	struct sent before;
	struct sgt_bo bo;
	bool alone;

	sgt_make_pages(&bo, drm, 64);
	before = look_sent(drm);
	sgt_must(sgt_bo_add_fb(&bo));
	alone = had_one_notify(drm, &before);
	sgt_bo_free(&bo);
	return alone;
}

static void test_notifies(int drm)
{
	struct sgt_bo bo;
	int tries;

	sgt_make_pages(&bo, drm, 64);
	sgt_must(sgt_vm_map(&bo, VA, bo.size, 0));
	for (tries = 0; tries < 50 && !make_picture(drm); tries++)
		;
	igt_assert_f(tries < 50, "a picture never takes two commands\n");
	for (tries = 0; tries < 50 && !make_fb(drm); tries++)
		;
	igt_assert_f(tries < 50, "a framebuffer never takes two commands\n");
	sgt_bo_free(&bo);
}

int igt_main()
{
	static const struct {
		const char *name, *what;
		void (*run)(int drm);
	} tests[] = {
		{ "whole", "One buffer, every pixel", test_whole },
		{ "parts", "The tables order the pages", test_parts },
		{ "several", "One picture, three buffers", test_several },
		{ "same-pages", "One page, many places", test_same_pages },
		{ "random", "After random changes of the tables", test_random },
		{ "readonly", "The device only reads", test_readonly },
		{ "damage", "Exactly the damage is synced and transferred", test_damage },
		{ "transfer", "Pixels that are written later", test_transfer },
		{ "cut", "Unmapped pages, no picture", test_cut },
		{ "cut-many", "Each picture of the range, once", test_cut_many },
		{ "rebind", "The same range, other pixels", test_rebind },
		{ "remap", "The same in one operation", test_remap },
		{ "object", "A picture is no buffer", test_object },
		{ "handle-closed", "A framebuffer holds all that it needs", test_handle_closed },
		{ "file-closed", "The screen keeps no memory of other files", test_file_closed },
		{ "notifies", "One notification", test_notifies },
		{ "trace-counts", "One command of each kind for each picture", test_trace_counts },
	};
	int keep = -1;

	igt_fixture() {
		keep = sgt_vm_fixture(&test);
		sgt_require_host();
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].what);
		igt_subtest(tests[i].name)
			on_screen(tests[i].run);
	}

	igt_fixture()
		close(keep);
}
