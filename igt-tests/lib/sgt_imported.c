// SPDX-License-Identifier: GPL-2.0
#include <poll.h>

#include "igt.h"

#include "sgt_imported.h"

#define PATIENCE_MS	5000
#define POLL_MS		20

static size_t words_of(const struct sgt_imported *import)
{
	return import->foreign.size / sizeof(*import->foreign.map);
}

void sgt_import_make(struct sgt_imported *import, enum sgt_exporter exporter,
		     uint32_t width, uint32_t height)
{
	int err;

	memset(import, 0, sizeof(*import));
	err = sgt_foreign_make(&import->foreign, exporter, width, height);
	igt_require_f(err != -ENODEV, "there is no %s\n", sgt_exporter_name[exporter]);
	sgt_must(err);
}

void sgt_import_begin(struct sgt_imported *import, int drm,
		      enum sgt_exporter exporter, uint32_t width, uint32_t height)
{
	sgt_import_make(import, exporter, width, height);
	sgt_must(sgt_bo_import(&import->bo, drm, import->foreign.fd, width, height));
}

void sgt_import_fill(const struct sgt_imported *import, uint32_t seed)
{
	sgt_must(sgt_foreign_begin_cpu(&import->foreign));
	sgt_fill(import->foreign.map, words_of(import), seed);
	sgt_must(sgt_foreign_end_cpu(&import->foreign));
}

void sgt_import_show(struct sgt_imported *import, const struct sgt_screen *screen,
		     uint32_t seed)
{
	sgt_import_fill(import, seed);
	sgt_must(sgt_bo_add_fb(&import->bo));
	sgt_must(sgt_screen_show(screen, &import->bo, 0));
	sgt_expect_screen(screen, seed);
}

void sgt_import_redraw(const struct sgt_imported *import,
		       const struct sgt_screen *screen, uint32_t seed)
{
	sgt_import_fill(import, seed);
	igt_assert_eq(drmModeDirtyFB(import->bo.drm, import->bo.fb, NULL, 0), 0);
	sgt_expect_screen(screen, seed);
}

void sgt_import_check(const struct sgt_imported *import, uint32_t seed)
{
	sgt_expect_pattern(import->foreign.map, words_of(import), seed);
}

void sgt_import_end(struct sgt_imported *import)
{
	sgt_bo_free(&import->bo);
	sgt_foreign_free(&import->foreign);
}

void sgt_import_look(const struct sgt_test *test, struct sgt_import_state *state)
{
	sgt_baseline_take(test, &state->base);
	state->vgem_users = sgt_module_users("vgem");
}

void sgt_import_check_let_go(const struct sgt_test *test, int vgem_users)
{
	int attachments = 0, users = 0;

	/* A worker may put the last reference to a file. */
	for (int ms = 0; ms < PATIENCE_MS; ms += POLL_MS) {
		attachments = sgt_must(sgt_dmabuf_attachments(test->gpu.pci));
		users = sgt_module_users("vgem");
		if (!attachments && users == vgem_users)
			break;
		poll(NULL, 0, POLL_MS);
	}
	igt_assert_eq(attachments, 0);
	igt_assert_eq(users, vgem_users);
}

void sgt_import_check_clean(const struct sgt_test *test,
			    const struct sgt_import_state *before)
{
	sgt_baseline_check(test, &before->base);
	sgt_import_check_let_go(test, before->vgem_users);
}
