// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "drm_fourcc.h"
#include "igt.h"
#include "virtgpu_drm.h"

#include "lib/sgt_children.h"
#include "lib/sgt_damage.h"
#include "lib/sgt_imported.h"
#include "lib/sgt_refuse.h"
#include "lib/sgt_test.h"
#include "lib/sgt_virtgpu.h"

/**
 * TEST: sgt import fb
 * Description: Show buffers of other exporters
 * Category: Display
 * Mega feature: DRM
 * Sub-category: GEM
 * Functionality: PRIME import
 * Test category: functionality test
 *
 * SUBTEST: padded-rows
 * Description: Rows with padding are shown without it
 *
 * SUBTEST: read-only
 * Description: A dma-buf that was exported for reading is shown, and not mapped for writing
 *
 * SUBTEST: trace-counts
 * Description: The device sees one create, one attach and one unref for each framebuffer
 *
 * SUBTEST: fb-race
 * Description: Framebuffers of two geometries can be made at once
 *
 * SUBTEST: limit
 * Description: All imports of a dma-buf share the limit of its framebuffers
 *
 * SUBTEST: %s-pixels
 * Description: The device shows every pixel that the CPU writes to %arg[1]
 *
 * SUBTEST: %s-damage
 * Description: The device reads the damaged rectangle of %arg[1] and nothing else
 *
 * SUBTEST: %s-transfer
 * Description: %arg[1] has no resource of its own, and a commit transfers the pixels
 *
 * SUBTEST: %s-fb-outlives
 * Description: A framebuffer of %arg[1] outlives the handle and the dma-buf
 *
 * SUBTEST: %s-process
 * Description: The device shows %arg[1] whose process has exited
 *
 * SUBTEST: %s-fork
 * Description: Children import %arg[1] and write to it, and the parent shows it
 *
 * SUBTEST: %s-bad-fb
 * Description: Framebuffers that do not fit %arg[1] are refused, and the one before does not matter
 *
 * arg[1]:
 *
 * @udmabuf: a memfd
 * @vgem: a buffer of vgem
 */

IGT_TEST_DESCRIPTION("Show buffers of other exporters");

static void begin_picture(struct sgt_imported *import, const struct sgt_screen *screen,
			  enum sgt_exporter exporter)
{
	sgt_import_begin(import, screen->drm, exporter, screen->mode.hdisplay,
			 screen->mode.vdisplay);
}

static void end_picture(struct sgt_imported *import, const struct sgt_screen *screen)
{
	sgt_must(sgt_screen_off(screen));
	sgt_import_end(import);
}

static void test_pixels(const struct sgt_test *test, const struct sgt_screen *screen,
			enum sgt_exporter exporter)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_imported import;

	(void)test;
	begin_picture(&import, screen, exporter);
	sgt_import_show(&import, screen, seed);
	for (int i = 0; i < 4; i++) {
		seed = sgt_new_seed();
		sgt_import_redraw(&import, screen, seed);
		sgt_import_check(&import, seed);
	}
	end_picture(&import, screen);
}

static void test_damage(const struct sgt_test *test, const struct sgt_screen *screen,
			enum sgt_exporter exporter)
{
	struct sgt_imported import;

	(void)test;
	begin_picture(&import, screen, exporter);
	sgt_must(sgt_bo_add_fb(&import.bo));
	import.bo.map = import.foreign.map;
	sgt_check_damage(screen, &import.bo);
	import.bo.map = NULL;
	sgt_import_end(&import);
}

static void test_transfer(const struct sgt_test *test, const struct sgt_screen *screen,
			  enum sgt_exporter exporter)
{
	uint32_t seed = sgt_new_seed(), other = sgt_new_seed();
	struct drm_virtgpu_3d_wait wait = {};
	uint32_t resource = ~0u, size = 0;
	struct sgt_imported import;

	(void)test;
	begin_picture(&import, screen, exporter);
	sgt_must(sgt_resource_info(&import.bo, &resource, &size));
	igt_assert_eq(resource, 0);
	igt_assert_eq(size, import.foreign.size);
	igt_assert_eq(sgt_transfer(&import.bo), -EINVAL);
	wait.handle = import.bo.handle;
	do_ioctl(screen->drm, DRM_IOCTL_VIRTGPU_WAIT, &wait);

	/* The device reads the pixels when the damage says so, and not before. */
	sgt_import_show(&import, screen, seed);
	sgt_import_fill(&import, other);
	sgt_expect_screen(screen, seed);
	igt_assert_eq(sgt_transfer(&import.bo), -EINVAL);
	sgt_import_redraw(&import, screen, other);
	end_picture(&import, screen);
}

/* Handle, dma-buf and memfd are closed while the picture is shown. */
static void test_fb_outlives(const struct sgt_test *test, const struct sgt_screen *screen,
			     enum sgt_exporter exporter)
{
	uint32_t seed = sgt_new_seed();
	struct sgt_imported import;
	struct sgt_buffer_row row;

	begin_picture(&import, screen, exporter);
	close(import.foreign.fd);
	import.foreign.fd = sgt_must(sgt_bo_export(&import.bo));
	sgt_import_show(&import, screen, seed);

	sgt_must(sgt_bo_close(&import.bo));
	sgt_import_redraw(&import, screen, ++seed);
	sgt_expect_row(test, &import.bo, &row);
	igt_assert(!strcmp(row.state, "mapped"));

	sgt_import_fill(&import, ++seed);
	sgt_foreign_free(&import.foreign);
	igt_assert_eq(drmModeDirtyFB(screen->drm, import.bo.fb, NULL, 0), 0);
	sgt_expect_screen(screen, seed);
	end_picture(&import, screen);
}

/* The parent gets the dma-buf; everything else ends with the child. */
static void export_and_exit(int socket, const struct sgt_screen *screen,
			    enum sgt_exporter exporter, uint32_t seed)
{
	struct sgt_imported import;

	sgt_import_make(&import, exporter, screen->mode.hdisplay, screen->mode.vdisplay);
	sgt_import_fill(&import, seed);
	sgt_must(sgt_send_fd(socket, import.foreign.fd));
}

static void test_process(const struct sgt_test *test, const struct sgt_screen *screen,
			 enum sgt_exporter exporter)
{
	uint32_t seed = sgt_new_seed(), other = sgt_new_seed();
	struct sgt_imported probe, import = { .foreign.drm = -1 };
	int pair[2], fd;

	(void)test;
	sgt_import_make(&probe, exporter, 1, 1);	/* skips here, which a child cannot */
	sgt_import_end(&probe);
	igt_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	igt_fork(child, 1)
		export_and_exit(pair[1], screen, exporter, seed);
	/* If the child fails, the socket ends. */
	close(pair[1]);
	fd = sgt_must(sgt_receive_fd(pair[0]));
	sgt_must(sgt_bo_import(&import.bo, screen->drm, fd, screen->mode.hdisplay,
			       screen->mode.vdisplay));
	sgt_children_wait();

	sgt_must(sgt_bo_add_fb(&import.bo));
	sgt_must(sgt_screen_show(screen, &import.bo, 0));
	sgt_expect_screen(screen, seed);

	/* Only the dma-buf is left to write through. */
	import.foreign.fd = fd;
	import.foreign.size = import.bo.size;
	import.foreign.map = sgt_mmap_fd(fd, import.bo.size);
	igt_assert(import.foreign.map);
	sgt_import_redraw(&import, screen, other);
	end_picture(&import, screen);
	close(pair[0]);
}

/* Each child writes other rows.  Odd children open the device themselves. */
static void import_as_child(const struct sgt_imported *import, int child, int children,
			    uint32_t seed)
{
	uint32_t *map = import->foreign.map;
	uint32_t width = import->bo.width;
	struct sgt_bo bo;
	int drm;

	drm = child & 1 ? sgt_must(sgt_open()) : import->bo.drm;
	sgt_must(sgt_bo_import(&bo, drm, import->foreign.fd, width, import->bo.height));
	if (drm == import->bo.drm)
		igt_assert_eq(bo.handle, import->bo.handle);
	for (uint32_t y = child; y < import->bo.height; y += children)
		for (uint32_t i = y * width; i < (y + 1) * width; i++)
			map[i] = sgt_pattern(i, seed);
}

static void test_fork(const struct sgt_test *test, const struct sgt_screen *screen,
		      enum sgt_exporter exporter)
{
	uint32_t seed = sgt_new_seed(), other = sgt_new_seed();
	struct sgt_imported import;

	(void)test;
	begin_picture(&import, screen, exporter);
	sgt_import_show(&import, screen, other);
	igt_fork(child, 4)
		import_as_child(&import, child, 4, seed);
	sgt_children_wait();
	igt_assert_eq(drmModeDirtyFB(screen->drm, import.bo.fb, NULL, 0), 0);
	sgt_expect_screen(screen, seed);
	end_picture(&import, screen);
}

static int try_fb(const void *bo, void *fb)
{
	return sgt_try_fb(bo, fb);
}

static void test_bad_fb(const struct sgt_test *test, const struct sgt_screen *screen,
			enum sgt_exporter exporter)
{
	static const struct sgt_bad_field always[] = {
#define BAD(field, value)	SGT_BAD(struct sgt_fb, field, value, EINVAL)
		BAD(width, 0),
		BAD(width, 65),
		BAD(height, 0),
		BAD(height, 65),
		BAD(format, DRM_FORMAT_XBGR8888),
		BAD(format, DRM_FORMAT_RGB565),
		BAD(format, 0),
		BAD(pitch, 0),
		BAD(pitch, 63 * 4),
		BAD(pitch, 64 * 4 + 1),
		BAD(pitch, 64 * 4 + 2),
		BAD(pitch, 65 * 4),
		BAD(offset, 4),
		BAD(offset, PAGE),
#undef BAD
	};
	static const struct sgt_fb others[] = {
		{ 33, 47, DRM_FORMAT_XRGB8888, 64 * 4, 0 },
		{ 64, 32, DRM_FORMAT_XRGB8888, 128 * 4, 0 },
		{ 32, 32, DRM_FORMAT_ARGB8888, 33 * 4, PAGE + 4 },
	};
	const struct sgt_fb good = { 64, 64, DRM_FORMAT_XRGB8888, 64 * 4, 0 };
	struct sgt_imported import;

	(void)test;
	sgt_import_begin(&import, screen->drm, exporter, 64, 64);
	igt_assert_eq_u64(import.foreign.size, 64 * 64 * 4);
	sgt_refuse(try_fb, &import.bo, &good, always);

	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++) {
		sgt_must(sgt_try_fb(&import.bo, &others[i]));
		sgt_refuse(try_fb, &import.bo, &good, always);
		sgt_must(sgt_try_fb(&import.bo, &good));
	}
	sgt_import_end(&import);
}

static void race_for_fb(int drm, uint32_t handle, uint32_t pitch, volatile uint32_t *go,
			volatile int *result)
{
	struct sgt_bo bo = { .drm = drm, .handle = handle };
	struct sgt_fb fb = { 32, 32, DRM_FORMAT_XRGB8888, pitch, 0 };

	__sync_add_and_fetch(go, 1);
	while (*go < 2)
		;
	*result = sgt_try_fb(&bo, &fb);
}

static void test_fb_race(int drm, int rounds)
{
	struct shared {
		volatile uint32_t go;
		volatile int result[2];
	} *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	igt_assert(shared != MAP_FAILED);
	sgt_must(sgt_host_trace_mark());
	for (int round = 0; round < rounds; round++) {
		struct sgt_imported import;

		shared->go = 0;
		sgt_import_begin(&import, drm, SGT_UDMABUF, 64, 64);
		igt_fork(child, 2)
			race_for_fb(drm, import.bo.handle, child ? 64 * 4 : 32 * 4,
				    &shared->go, &shared->result[child]);
		sgt_children_wait();
		sgt_must(shared->result[0]);
		sgt_must(shared->result[1]);
		sgt_import_end(&import);
	}
	sgt_expect_trace("virtio_gpu_cmd_res_unref", 2 * rounds);
	sgt_expect_trace("virtio_gpu_cmd_res_create_2d", 2 * rounds);
	munmap(shared, PAGE);
}

static void test_trace_counts(int drm)
{
	struct sgt_imported import;

	sgt_must(sgt_host_trace_mark());
	sgt_import_begin(&import, drm, SGT_UDMABUF, 64, 64);
	sgt_expect_trace("virtio_gpu_cmd_res_create_2d", 0);
	sgt_must(sgt_bo_add_fb(&import.bo));
	sgt_expect_trace("virtio_gpu_cmd_res_create_2d", 1);
	sgt_expect_trace("virtio_gpu_cmd_res_back_attach", 1);

	drmModeRmFB(drm, import.bo.fb);
	sgt_must(sgt_bo_add_fb(&import.bo));
	sgt_import_end(&import);
	sgt_expect_trace("virtio_gpu_cmd_res_unref", 2);
	sgt_expect_trace("virtio_gpu_cmd_res_create_2d", 2);
	sgt_expect_trace("virtio_gpu_cmd_res_back_attach", 2);

	/* The host has no resource for an import that is not shown. */
	sgt_import_begin(&import, drm, SGT_UDMABUF, 64, 64);
	sgt_import_end(&import);
	sgt_expect_trace("virtio_gpu_cmd_res_create_2d", 2);
	sgt_expect_trace("virtio_gpu_cmd_res_unref", 2);
}

/* The framebuffers hold the import whose handle is closed. */
static void test_limit(int drm)
{
	struct sgt_imported import;
	struct sgt_bo again;
	uint32_t fbs[16];

	sgt_import_begin(&import, drm, SGT_UDMABUF, 64, 64);
	for (unsigned int i = 0; i < ARRAY_SIZE(fbs); i++) {
		sgt_must(sgt_bo_add_fb(&import.bo));
		fbs[i] = import.bo.fb;
	}
	igt_assert_eq(sgt_bo_add_fb(&import.bo), -ENOSPC);
	import.bo.fb = 0;
	sgt_must(sgt_bo_close(&import.bo));

	sgt_must(sgt_bo_import(&again, drm, import.foreign.fd, 64, 64));
	igt_assert_eq(sgt_bo_add_fb(&again), -ENOSPC);
	igt_assert_eq(drmModeRmFB(drm, fbs[0]), 0);
	sgt_must(sgt_bo_add_fb(&again));
	for (unsigned int i = 1; i < ARRAY_SIZE(fbs); i++)
		igt_assert_eq(drmModeRmFB(drm, fbs[i]), 0);
	sgt_bo_free(&again);
	sgt_import_end(&import);
}

static void test_padded_rows(const struct sgt_screen *screen)
{
	uint32_t width = screen->mode.hdisplay, height = screen->mode.vdisplay;
	uint32_t seed = sgt_new_seed(), padded = width + 48;
	struct sgt_imported import;

	sgt_import_begin(&import, screen->drm, SGT_UDMABUF, padded, height);
	for (uint32_t i = 0; i < padded * height; i++)
		import.foreign.map[i] = i % padded < width ?
			sgt_pattern(i / padded * width + i % padded, seed) : ~0u;
	import.bo.width = width;
	sgt_must(sgt_bo_add_fb(&import.bo));
	sgt_must(sgt_screen_show(screen, &import.bo, 0));
	sgt_expect_screen(screen, seed);
	end_picture(&import, screen);
}

/* The first export sets the access mode, so sgt_foreign_vgem() cannot be used. */
static void export_for_reading(struct sgt_foreign *foreign, const struct sgt_screen *screen)
{
	struct sgt_bo bo;
	int vgem;

	vgem = sgt_open_driver("vgem");
	igt_require_f(vgem >= 0, "there is no vgem\n");
	sgt_must(sgt_bo_create(&bo, vgem, screen->mode.hdisplay, screen->mode.vdisplay));
	sgt_must(sgt_bo_map(&bo));
	*foreign = (struct sgt_foreign){ .size = bo.size, .map = bo.map, .drm = vgem };
	igt_assert_eq(drmPrimeHandleToFD(vgem, bo.handle, DRM_CLOEXEC, &foreign->fd), 0);
	igt_assert_eq(fcntl(foreign->fd, F_GETFL) & O_ACCMODE, O_RDONLY);
}

static void test_read_only(const struct sgt_screen *screen)
{
	struct sgt_imported import = {};

	export_for_reading(&import.foreign, screen);
	sgt_must(sgt_bo_import(&import.bo, screen->drm, import.foreign.fd,
			       screen->mode.hdisplay, screen->mode.vdisplay));
	igt_assert_eq(sgt_bo_map(&import.bo), -EACCES);
	sgt_import_show(&import, screen, sgt_new_seed());
	end_picture(&import, screen);
}

int igt_main()
{
	static const struct {
		const char *name, *what;
		void (*run)(const struct sgt_test *test, const struct sgt_screen *screen,
			    enum sgt_exporter exporter);
	} tests[] = {
		{ "pixels", "Every pixel of imported memory", test_pixels },
		{ "damage", "Exactly the damage is transferred", test_damage },
		{ "transfer", "Only the framebuffer has a resource", test_transfer },
		{ "fb-outlives", "A framebuffer holds all that it needs", test_fb_outlives },
		{ "process", "The exporting process has exited", test_process },
		{ "fork", "Several processes draw", test_fork },
		{ "bad-fb", "The host would show a wrong picture, without an error", test_bad_fb },
	};
	const char *rounds = getenv("SGT_ROUNDS");
	struct sgt_import_state before = {};
	struct sgt_screen screen = {};
	struct sgt_test test = {};
	int drm = -1;

	igt_fixture() {
		drm = sgt_test_begin(&test);
		sgt_require_tables(&test);
		sgt_require_host();
		igt_require(!sgt_setup_is("bypass"));
		sgt_must(sgt_screen_find(&screen, drm));
		sgt_import_look(&test, &before);
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		for (int exporter = 0; exporter < SGT_EXPORTERS; exporter++) {
			igt_describe(tests[i].what);
			igt_subtest_f("%s-%s", sgt_exporter_name[exporter], tests[i].name) {
				tests[i].run(&test, &screen, exporter);
				sgt_import_check_clean(&test, &before);
			}
		}
	}

	igt_describe("The host's memory is limited");
	igt_subtest("limit") {
		test_limit(drm);
		sgt_import_check_clean(&test, &before);
	}

	igt_describe("The framebuffer sets the pitch");
	igt_subtest("padded-rows") {
		test_padded_rows(&screen);
		sgt_import_check_clean(&test, &before);
	}

	igt_describe("The device only reads");
	igt_subtest("read-only") {
		test_read_only(&screen);
		sgt_import_check_clean(&test, &before);
	}

	igt_describe("One command of each kind for each framebuffer");
	igt_subtest("trace-counts") {
		test_trace_counts(drm);
		sgt_import_check_clean(&test, &before);
	}

	igt_describe("Each framebuffer has its own geometry");
	igt_subtest("fb-race") {
		test_fb_race(drm, rounds ? atoi(rounds) : 20);
		sgt_import_check_clean(&test, &before);
	}

	igt_fixture()
		close(drm);
}
