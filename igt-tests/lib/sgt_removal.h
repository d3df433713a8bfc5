/* SPDX-License-Identifier: GPL-2.0 */
/* A device goes and comes back, and what must be true meanwhile. */
#ifndef SGT_REMOVAL_H
#define SGT_REMOVAL_H

#include "sgt_test.h"

/* For the opening fixture, and after each subtest */
void sgt_removal_begin(struct sgt_test *test);
void sgt_removal_recover(struct sgt_test *test);

/* Skips where the device is not on the route's bus. */
void sgt_require_route(const struct sgt_test *test, enum sgt_route route);

void sgt_remove(const struct sgt_test *test, enum sgt_route route);
void sgt_bring_back(struct sgt_test *test, enum sgt_route route);

/* The device as it was before it went; empty without tables */
struct sgt_before {
	struct sgt_device_row row;
};

void sgt_look_before(const struct sgt_test *test, struct sgt_before *before);

/*
 * Right after the removal, as nothing may come later: the layer's tables have
 * no mapping of the device, though @held buffers or more are still there.
 */
void sgt_expect_gone(const struct sgt_test *test, const struct sgt_before *before,
		     int held);

/*
 * While the device has no driver, the kernel's own lists have no mapping and no
 * attachment of it, whatever the route: virtio-pci maps nothing for itself.
 */
void sgt_expect_no_dma(const struct sgt_test *test);

/* Nor are bounce buffers in use, but the importers' own. */
void sgt_expect_no_mapping(const struct sgt_test *test, long importers_slots);

/* The last holder let go: so do the tables. */
void sgt_expect_forgotten(const struct sgt_test *test,
			  const struct sgt_before *before);

/* A fence of the device: done, or not done any more; nobody waits for it. */
void sgt_expect_signalled(int sync_file);

/* A device that was just bound has memory, and shows a picture. */
void sgt_expect_memory(const struct sgt_test *test);
void sgt_expect_picture(const struct sgt_test *test);

/* The GPU's driver: free some time after the last holder let go */
int sgt_unload_in_time(const struct sgt_test *test);

bool sgt_have_driver(const char *name);

#endif
