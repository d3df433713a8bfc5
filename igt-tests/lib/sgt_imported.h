/* SPDX-License-Identifier: GPL-2.0 */
/* A buffer of another exporter, imported by the device under test. */
#ifndef SGT_IMPORTED_H
#define SGT_IMPORTED_H

#include "sgt_dmabuf.h"
#include "sgt_test.h"

struct sgt_imported {
	struct sgt_foreign foreign;
	struct sgt_bo bo;	/* has no mapping: the memory is the exporter's */
};

/* Makes the dma-buf and imports it.  Skips where the exporter is not there. */
void sgt_import_begin(struct sgt_imported *import, int drm,
		      enum sgt_exporter exporter, uint32_t width, uint32_t height);

/* Skips likewise, and stops at the dma-buf */
void sgt_import_make(struct sgt_imported *import, enum sgt_exporter exporter,
		     uint32_t width, uint32_t height);

/* The CPU writes the picture, through the exporter's own mapping. */
void sgt_import_fill(const struct sgt_imported *import, uint32_t seed);

/* The same with a framebuffer, on the screen, where the host looks at it */
void sgt_import_show(struct sgt_imported *import, const struct sgt_screen *screen,
		     uint32_t seed);

/* It is on the screen already: draws another one, and says so. */
void sgt_import_redraw(const struct sgt_imported *import,
		       const struct sgt_screen *screen, uint32_t seed);

/* The exporter's memory has what was written last. */
void sgt_import_check(const struct sgt_imported *import, uint32_t seed);

/* Errors of a device that is gone are fine. */
void sgt_import_end(struct sgt_imported *import);

/* What is there without imports */
struct sgt_import_state {
	struct sgt_baseline base;
	int vgem_users;		/* its module's, open files included */
};

void sgt_import_look(const struct sgt_test *test, struct sgt_import_state *state);

/* Imports that were let go left nothing behind.  Waits a little, as files do. */
void sgt_import_check_clean(const struct sgt_test *test,
			    const struct sgt_import_state *before);

/* The exporters' part of it: no attachment, and no use of the module */
void sgt_import_check_let_go(const struct sgt_test *test, int vgem_users);

#endif
