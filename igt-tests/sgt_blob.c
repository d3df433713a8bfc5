// SPDX-License-Identifier: GPL-2.0
#include <sched.h>

#include "drm_fourcc.h"
#include "igt.h"

#include "lib/sgt_removal.h"
#include "lib/sgt_virtgpu.h"

/**
 * TEST: sgt blob
 * Description: Framebuffers whose memory the device shows without a copy
 * Category: Display
 * Mega feature: DRM
 * Sub-category: KMS
 * Functionality: blobs
 * Test category: functionality test
 *
 * SUBTEST: no-copy
 * Description: Shown, drawn into and flipped, a picture needs no transfer
 *
 * SUBTEST: number
 * Description: A device has at most 64 blobs; more framebuffers have a copy on the host
 *
 * SUBTEST: pieces
 * Description: So has a framebuffer in too many pieces of memory
 *
 * SUBTEST: mixed
 * Description: The display is off between a blob and a framebuffer that has a copy
 *
 * SUBTEST: refused
 * Description: When the host cannot show a blob, later framebuffers have a copy
 *
 * SUBTEST: parameter
 * Description: The module parameter turns blobs off at the next bind
 *
 * SUBTEST: unbind
 * Description: After an unbind, the device does not show the memory any more
 */

IGT_TEST_DESCRIPTION("Framebuffers whose memory the device shows without a copy");

#define PARAMETER	"/sys/module/virtio_gpu_sgt/parameters/blobs"
#define MAX_BLOBS	64
#define MAX_PIECES	1024
/* What the library that answers for /dev/udmabuf refuses */
#define REFUSED_BYTES	(1500 * PAGE)

#define CREATE_BLOB	"virtio_gpu_cmd_res_create_blob"
#define CREATE_2D	"virtio_gpu_cmd_res_create_2d"
#define UNREF		"virtio_gpu_cmd_res_unref"
#define TRANSFER	"virtio_gpu_cmd_res_xfer_toh_2d"
#define SHOW_BLOB	"virtio_gpu_cmd_set_scanout_blob"
#define SHOW_2D		"virtio_gpu_cmd_set_scanout"
#define FLUSH		"virtio_gpu_cmd_res_flush"

static struct sgt_test test;
static struct sgt_screen screen;
static bool is_off;

static void show(const struct sgt_bo *bo, uint32_t seed)
{
	sgt_must(sgt_screen_show(&screen, bo, 0));
	sgt_expect_screen(&screen, seed);
}

static void redraw(struct sgt_bo *bo)
{
	uint32_t seed = sgt_new_seed();

	sgt_fill(bo->map, sgt_bo_words(bo), seed);
	igt_assert_eq(drmModeDirtyFB(bo->drm, bo->fb, NULL, 0), 0);
	sgt_expect_screen(&screen, seed);
}

static void flip(struct sgt_bo *bo)
{
	uint32_t seed = sgt_new_seed();

	sgt_fill(bo->map, sgt_bo_words(bo), seed);
	sgt_must(sgt_screen_flip(&screen, bo));
	igt_assert_eq(sgt_wait_flips(screen.drm, 1, 5000), 1);
	/* The event comes after the commands: there is nothing to wait for. */
	igt_assert_eq(sgt_host_screen(screen.mode.hdisplay, screen.mode.vdisplay, seed), 0);
}

static void test_no_copy(void)
{
	const int redraws = 3, flips = 6;
	uint32_t seed = sgt_new_seed();
	struct sgt_bo bos[2];

	sgt_must(sgt_host_trace_mark());
	sgt_make_picture(&bos[0], &screen, seed);
	sgt_make_picture(&bos[1], &screen, sgt_new_seed());
	sgt_expect_trace(CREATE_BLOB, 2);
	show(&bos[0], seed);
	sgt_expect_trace(TRANSFER, 0);
	sgt_expect_trace(CREATE_2D, 0);

	/* The console has sent its last command by now. */
	sgt_must(sgt_host_trace_mark());
	for (int i = 0; i < redraws; i++)
		redraw(&bos[0]);
	sgt_expect_trace(FLUSH, redraws);
	sgt_expect_trace(SHOW_BLOB, 0);

	for (int i = 1; i <= flips; i++)
		flip(&bos[i & 1]);
	sgt_expect_trace(SHOW_BLOB, flips);
	sgt_expect_trace(FLUSH, redraws + flips);
	sgt_expect_trace(TRANSFER, 0);

	sgt_must(sgt_screen_off(&screen));
	sgt_bo_free(&bos[0]);
	sgt_bo_free(&bos[1]);
	sgt_expect_trace(UNREF, 2);
}

/* A picture that is, or is not, a blob */
static void expect_picture(bool blob)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_bo bo;

	sgt_must(sgt_host_trace_mark());
	sgt_make_picture(&bo, &screen, seed);
	sgt_expect_trace(CREATE_BLOB, blob);
	sgt_expect_trace(CREATE_2D, !blob);
	show(&bo, seed);
	/* A console that was just bound may draw, too. */
	igt_assert_eq(sgt_wait_trace(TRANSFER, !blob) > 0, !blob);
	sgt_must(sgt_screen_off(&screen));
	sgt_bo_free(&bo);
}

/* With those that the console has, the largest number of blobs */
static void test_number(void)
{
	int count = MAX_BLOBS - sgt_must(sgt_stat(screen.drm, "blobs"));
	struct sgt_bo bos[MAX_BLOBS];

	for (int i = 0; i < count; i++) {
		sgt_must(sgt_bo_create(&bos[i], screen.drm, 64, 32));
		sgt_must(sgt_bo_add_fb(&bos[i]));
	}
	igt_assert_eq(sgt_stat(screen.drm, "blobs"), MAX_BLOBS);
	expect_picture(false);
	sgt_bo_free(&bos[--count]);
	expect_picture(true);
	sgt_bo_free_all(bos, count);
}

static void test_pieces(void)
{
	/* At least half of the pages are pieces. */
	const size_t pages = 2 * MAX_PIECES + 2;
	uint32_t seed = sgt_new_seed();
	struct sgt_scatter scatter;
	struct sgt_bo bo;

	igt_assert(pages * PAGE >= sgt_screen_bytes(&screen));
	sgt_must(sgt_host_trace_mark());
	sgt_must(sgt_scatter_begin(&scatter, 2 * pages * PAGE));
	sgt_must(sgt_bo_create(&bo, screen.drm, screen.mode.hdisplay,
			       pages * WORDS_PER_PAGE / screen.mode.hdisplay + 1));
	sgt_must(sgt_bo_map(&bo));
	sgt_fill(bo.map, sgt_bo_words(&bo), seed);
	sgt_scatter_end(&scatter);
	sgt_must(sgt_bo_add_fb(&bo));
	sgt_expect_trace(CREATE_BLOB, 0);
	sgt_expect_trace(CREATE_2D, 1);
	show(&bo, seed);
	sgt_must(sgt_screen_off(&screen));
	sgt_bo_free(&bo);
}

/* An offset that is no multiple of a page: no blob */
static void test_mixed(void)
{
	uint32_t handles[4] = {}, pitches[4] = {}, offsets[4] = { sizeof(uint32_t) };
	uint32_t seed = sgt_new_seed();
	struct sgt_bo blob, other;

	sgt_make_picture(&blob, &screen, seed);
	sgt_must(sgt_bo_create(&other, screen.drm, screen.mode.hdisplay,
			       screen.mode.vdisplay + 1));
	handles[0] = other.handle;
	pitches[0] = other.pitch;
	igt_assert_eq(drmModeAddFB2(screen.drm, screen.mode.hdisplay, screen.mode.vdisplay,
				    DRM_FORMAT_XRGB8888, handles, pitches, offsets, &other.fb,
				    0), 0);

	show(&blob, seed);
	sgt_must(sgt_host_trace_mark());
	sgt_must(sgt_screen_show(&screen, &other, 0));
	sgt_expect_trace(TRANSFER, 1);
	sgt_expect_trace(SHOW_2D, 2);
	show(&blob, seed);
	sgt_expect_trace(SHOW_BLOB, 1);
	sgt_expect_trace(SHOW_2D, 2);
	sgt_must(sgt_screen_off(&screen));
	sgt_bo_free(&other);
	sgt_bo_free(&blob);
}

static void open_screen(void)
{
	int drm = sgt_must(sgt_open_wait());

	sgt_must(sgt_screen_find(&screen, drm));
}

static void bind_again(bool off)
{
	sgt_must(sgt_write_file(PARAMETER, off ? "N" : "Y"));
	is_off = off;
	sgt_remove(&test, SGT_ROUTE_VIRTIO);
	sgt_bring_back(&test, SGT_ROUTE_VIRTIO);
}

static void test_refused(void)
{
	long errors = sgt_must(sgt_stat(screen.drm, "commit_errors"));
	struct sgt_bo bo;

	igt_require_f(sgt_setup_is("blob"), "no size is known that the host refuses\n");
	/* Few pieces, but more than one, as QEMU maps one by itself */
	sgt_must(sgt_write_file(SGT_HUGE_PAGES, "Y"));
	sgt_must(sgt_bo_create(&bo, screen.drm, screen.mode.hdisplay,
			       REFUSED_BYTES / 4 / screen.mode.hdisplay - 1));
	sgt_must(sgt_write_file(SGT_HUGE_PAGES, "N"));
	/* The blob has a line more. */
	igt_assert_eq_u64((bo.height + 1) * (uint64_t)bo.pitch, REFUSED_BYTES);

	sgt_must(sgt_host_trace_mark());
	sgt_must(sgt_bo_add_fb(&bo));
	sgt_expect_trace(CREATE_BLOB, 1);
	is_off = true;
	sgt_must(sgt_screen_show(&screen, &bo, 0));
	igt_set_timeout(5, "an error that is counted");
	while (sgt_must(sgt_stat(screen.drm, "commit_errors")) == errors)
		sched_yield();
	igt_reset_timeout();
	igt_assert(!sgt_has_blobs(screen.drm));
	igt_assert_eq(sgt_screen_off(&screen), -EIO);
	sgt_must(sgt_screen_off(&screen));
	sgt_bo_free(&bo);
	expect_picture(false);

	close(screen.drm);
	bind_again(false);
	open_screen();
	expect_picture(true);
}

static void test_parameter(void)
{
	close(screen.drm);
	bind_again(true);
	open_screen();
	igt_assert(!sgt_has_blobs(screen.drm));
	expect_picture(false);
	close(screen.drm);
	bind_again(false);
	open_screen();
	igt_assert(sgt_has_blobs(screen.drm));
	expect_picture(true);
}

static void test_unbind(void)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_before before;
	struct sgt_bo bo;

	sgt_make_picture(&bo, &screen, seed);
	show(&bo, seed);
	sgt_look_before(&test, &before);
	sgt_remove(&test, SGT_ROUTE_VIRTIO);
	sgt_expect_gone(&test, &before, 1);

	sgt_fill(bo.map, sgt_bo_words(&bo), ++seed);
	igt_assert_eq(sgt_host_screen(screen.mode.hdisplay, screen.mode.vdisplay, seed),
		      -EREMOTEIO);

	sgt_bo_free(&bo);
	close(screen.drm);
	sgt_expect_forgotten(&test, &before);
	sgt_bring_back(&test, SGT_ROUTE_VIRTIO);
	sgt_expect_picture(&test);
	open_screen();
}

static void run(void (*subtest)(void))
{
	long blobs;

	open_screen();
	igt_require_f(sgt_has_blobs(screen.drm), "the device shows no blobs\n");
	blobs = sgt_stat(screen.drm, "blobs");
	subtest();
	igt_assert_eq(sgt_stat(screen.drm, "blobs"), blobs);
	close(screen.drm);
}

int igt_main()
{
	static const struct {
		const char *name, *what;
		void (*run)(void);
	} tests[] = {
		{ "no-copy", "No transfer", test_no_copy },
		{ "number", "The host's descriptors are limited", test_number },
		{ "pieces", "The host maps a limited number of pieces", test_pieces },
		{ "mixed", "A blob and a copy in turn", test_mixed },
		{ "refused", "The host cannot show a blob", test_refused },
		{ "parameter", "Off and on", test_parameter },
		{ "unbind", "Nothing is shown after an unbind", test_unbind },
	};

	igt_fixture() {
		sgt_removal_begin(&test);
		sgt_require_tables(&test);
		sgt_require_host();
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].what);
		igt_subtest(tests[i].name)
			run(tests[i].run);
		igt_fixture() {
			sgt_removal_recover(&test);
			sgt_must(sgt_write_file(SGT_HUGE_PAGES, "N"));
			if (is_off)
				bind_again(false);
		}
	}
}
