// SPDX-License-Identifier: GPL-2.0
#include <sys/mman.h>

#include "igt.h"

#include "lib/sgt_hold.h"
#include "lib/sgt_imported.h"
#include "lib/sgt_removal.h"
#include "lib/sgt_test.h"

/**
 * TEST: sgt import unbind
 * Description: Take the device away while it has buffers of other exporters
 * Category: Display
 * Mega feature: DRM
 * Sub-category: driver
 * Functionality: device hotplug
 * Test category: functionality test
 *
 * SUBTEST: %s-handle
 * Description: %arg[1]: the mappings of imports that have handles end
 *
 * SUBTEST: %s-scanout
 * Description: %arg[1]: the mapping of an import on the screen ends
 *
 * SUBTEST: %s-dmabuf
 * Description: %arg[1]: the next device can import and show a dma-buf of this one
 *
 * arg[1]:
 *
 * @virtio: Unbind on the virtio bus
 * @pci: Unbind virtio-pci
 * @remove: Remove the PCI device
 */

IGT_TEST_DESCRIPTION("Take the device away while it has buffers of other exporters");

/* The memory is that of the exporter, and the mappings stay, without the device. */
static void check_foreign(const struct sgt_imported *import, uint32_t seed)
{
	uint32_t *map;

	sgt_import_check(import, seed);
	sgt_expect_pattern(import->bo.map, sgt_bo_words(&import->bo), seed);
	map = sgt_mmap_fd(import->foreign.fd, import->foreign.size);
	igt_assert(map);
	sgt_expect_pattern(map, import->foreign.size / sizeof(*map), seed);
	munmap(map, import->foreign.size);
}

static void check_works(const struct sgt_imported *import)
{
	struct sgt_imported again = { .foreign = import->foreign };
	struct sgt_screen screen;
	int drm;

	drm = sgt_must(sgt_open_wait());
	sgt_must(sgt_screen_find(&screen, drm));
	sgt_must(sgt_bo_import(&again.bo, drm, again.foreign.fd, screen.mode.hdisplay,
			       screen.mode.vdisplay));
	sgt_import_show(&again, &screen, sgt_new_seed());
	sgt_must(sgt_screen_off(&screen));
	sgt_bo_free(&again.bo);
	close(drm);
}

/* The device has no mapping of the import any more, and takes no new one. */
static void check_nodev(const struct sgt_imported *import)
{
	struct sgt_bo again;

	sgt_expect_nodev(import->bo.drm, &import->bo);
	igt_assert_eq(sgt_bo_import(&again, import->bo.drm, import->foreign.fd, 64, 64),
		      -ENODEV);
}

static void import_all(struct sgt_imported *imports, const struct sgt_screen *screen,
		       uint32_t seed)
{
	for (int i = 0; i < SGT_EXPORTERS; i++) {
		sgt_import_begin(&imports[i], screen->drm, i, screen->mode.hdisplay,
				 screen->mode.vdisplay);
		sgt_must(sgt_bo_map(&imports[i].bo));
		sgt_import_fill(&imports[i], seed + i);
	}
}

static void test_held(struct sgt_test *test, enum sgt_route route, bool shown)
{
	struct sgt_imported imports[SGT_EXPORTERS];
	uint32_t seed = sgt_new_seed() << 8;
	struct sgt_screen screen;
	struct sgt_before before;
	int vgem_users, drm;

	vgem_users = sgt_module_users("vgem");
	drm = sgt_must(sgt_open_wait());
	sgt_look_before(test, &before);
	sgt_must(sgt_screen_find(&screen, drm));
	import_all(imports, &screen, seed);
	igt_assert_eq(sgt_must(sgt_dmabuf_attachments(test->gpu.pci)), SGT_EXPORTERS);
	for (int i = 0; shown && i < SGT_EXPORTERS; i++)
		sgt_import_show(&imports[i], &screen, seed + i);

	sgt_remove(test, route);
	sgt_expect_gone(test, &before, SGT_EXPORTERS);
	sgt_expect_no_dma(test);
	for (int i = 0; i < SGT_EXPORTERS; i++) {
		check_foreign(&imports[i], seed + i);
		check_nodev(&imports[i]);
		sgt_import_fill(&imports[i], ~seed);
		check_foreign(&imports[i], ~seed);
		sgt_fill(imports[i].bo.map, sgt_bo_words(&imports[i].bo), ~seed - 1);
		check_foreign(&imports[i], ~seed - 1);
	}

	sgt_bring_back(test, route);
	for (int i = 0; i < SGT_EXPORTERS; i++) {
		check_works(&imports[i]);
		check_nodev(&imports[i]);
		sgt_import_end(&imports[i]);
	}
	close(drm);
	sgt_expect_forgotten(test, &before);
	sgt_import_check_let_go(test, vgem_users);
}

static void test_handle(struct sgt_test *test, enum sgt_route route)
{
	test_held(test, route, false);
}

static void test_scanout(struct sgt_test *test, enum sgt_route route)
{
	test_held(test, route, true);
}

/* A buffer that outlives its device, as memory of another exporter */
static void outlive(struct sgt_test *test, enum sgt_route route,
		    struct sgt_foreign *foreign)
{
	struct sgt_screen screen;
	struct sgt_bo bo;
	int drm;

	drm = sgt_must(sgt_open_wait());
	sgt_must(sgt_screen_find(&screen, drm));
	sgt_make_picture(&bo, &screen, sgt_new_seed());
	*foreign = (struct sgt_foreign){
		.fd = sgt_must(sgt_bo_export(&bo)),
		.size = bo.size,
		.map = bo.map,
		.drm = -1,
	};
	sgt_remove(test, route);
	close(drm);
	sgt_bring_back(test, route);
}

static void test_dmabuf(struct sgt_test *test, enum sgt_route route)
{
	struct sgt_before first, second;
	uint32_t seed = sgt_new_seed();
	struct sgt_imported import = {};
	struct sgt_screen screen;
	int drm;

	sgt_look_before(test, &first);
	outlive(test, route, &import.foreign);

	drm = sgt_must(sgt_open_wait());
	sgt_look_before(test, &second);
	igt_assert_neq(second.row.id, first.row.id);
	sgt_must(sgt_screen_find(&screen, drm));
	sgt_must(sgt_bo_import(&import.bo, drm, import.foreign.fd, screen.mode.hdisplay,
			       screen.mode.vdisplay));
	sgt_must(sgt_bo_map(&import.bo));
	sgt_import_show(&import, &screen, seed);
	sgt_import_redraw(&import, &screen, ++seed);

	sgt_remove(test, route);
	sgt_expect_gone(test, &second, 1);
	sgt_expect_no_dma(test);
	check_foreign(&import, seed);
	check_nodev(&import);
	sgt_bring_back(test, route);
	check_works(&import);

	sgt_import_end(&import);
	close(drm);
	sgt_expect_forgotten(test, &first);
	sgt_expect_forgotten(test, &second);
}

int igt_main()
{
	static const struct {
		const char *name, *what;
		void (*run)(struct sgt_test *test, enum sgt_route route);
	} tests[] = {
		{ "handle", "Mappings of imports end with the device", test_handle },
		{ "scanout", "The same with a picture on the screen", test_scanout },
		{ "dmabuf", "The dma-buf of a removed device can be imported", test_dmabuf },
	};
	struct sgt_test test = {};

	igt_fixture() {
		sgt_removal_begin(&test);
		sgt_require_tables(&test);
		sgt_require_host();
		igt_require(!sgt_setup_is("bypass"));
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		for (int route = 0; route < SGT_ROUTES; route++) {
			igt_describe(tests[i].what);
			igt_subtest_f("%s-%s", sgt_route_name[route], tests[i].name) {
				sgt_require_route(&test, route);
				tests[i].run(&test, route);
			}
			igt_fixture()
				sgt_removal_recover(&test);
		}
	}
}
