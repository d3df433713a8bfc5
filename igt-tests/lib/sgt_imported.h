/* SPDX-License-Identifier: GPL-2.0 */
/* A buffer of another exporter, imported by the device under test. */
#ifndef SGT_IMPORTED_H
#define SGT_IMPORTED_H

#include "sgt_dmabuf.h"
#include "sgt_test.h"

struct sgt_imported {
	struct sgt_foreign foreign;
	struct sgt_bo bo;	/* unmapped: most tests use the exporter's mapping */
};

/* Makes a dma-buf and imports it.  Skips without the exporter. */
void sgt_import_begin(struct sgt_imported *import, int drm,
		      enum sgt_exporter exporter, uint32_t width, uint32_t height);

/* The same without the import */
void sgt_import_make(struct sgt_imported *import, enum sgt_exporter exporter,
		     uint32_t width, uint32_t height);

/* Writes the picture through the mapping of the exporter. */
void sgt_import_fill(const struct sgt_imported *import, uint32_t seed);

/* The same, and shows it with a framebuffer; the host checks the screen. */
void sgt_import_show(struct sgt_imported *import, const struct sgt_screen *screen,
		     uint32_t seed);

/* Draws another picture while the buffer is on the screen, with damage. */
void sgt_import_redraw(const struct sgt_imported *import,
		       const struct sgt_screen *screen, uint32_t seed);

/* The memory of the exporter has the bytes of this seed. */
void sgt_import_check(const struct sgt_imported *import, uint32_t seed);

/* Ignores errors of a removed device. */
void sgt_import_end(struct sgt_imported *import);

/* The state without imports */
struct sgt_import_state {
	struct sgt_baseline base;
	int vgem_users;		/* of its module, open files included */
};

void sgt_import_look(const struct sgt_test *test, struct sgt_import_state *state);

/* Imports are freed.  Waits a little, as files are closed asynchronously. */
void sgt_import_check_clean(const struct sgt_test *test,
			    const struct sgt_import_state *before);

/* The part of the exporters: no attachment, and no user of the module */
void sgt_import_check_let_go(const struct sgt_test *test, int vgem_users);

#endif
