/* SPDX-License-Identifier: GPL-2.0 */
/* Removal of a device and what must be true until it is bound again. */
#ifndef SGT_REMOVAL_H
#define SGT_REMOVAL_H

#include "sgt_test.h"

/* For the opening fixture, and after each subtest */
void sgt_removal_begin(struct sgt_test *test);
void sgt_removal_recover(struct sgt_test *test);

/* Skips if the device is not on the bus of the route. */
void sgt_require_route(const struct sgt_test *test, enum sgt_route route);

void sgt_remove(const struct sgt_test *test, enum sgt_route route);
void sgt_bring_back(struct sgt_test *test, enum sgt_route route);

/* The state of the device before its removal; empty without tables */
struct sgt_before {
	struct sgt_device_row row;
};

void sgt_look_before(const struct sgt_test *test, struct sgt_before *before);

/*
 * To be called right after the removal, which must be synchronous: the tables have
 * no mapping of the device, and @held buffers or more still exist.
 */
void sgt_expect_gone(const struct sgt_test *test, const struct sgt_before *before,
		     int held);

/*
 * While the device has no driver, dma-debug and dma-buf list no mapping and no
 * attachment of it.  This holds for each route, as virtio-pci maps nothing itself.
 */
void sgt_expect_no_dma(const struct sgt_test *test);

/* The same, and only importers use bounce buffers. */
void sgt_expect_no_mapping(const struct sgt_test *test, long importers_slots);

/* The tables have no row of the device after the last close. */
void sgt_expect_forgotten(const struct sgt_test *test,
			  const struct sgt_before *before);

/* A fence of the device is signalled, with or without an error. */
void sgt_expect_signalled(int sync_file);

/* A device that was just bound can allocate memory, and show a picture. */
void sgt_expect_memory(const struct sgt_test *test);
void sgt_expect_picture(const struct sgt_test *test);

/* The module can be unloaded some time after the last close. */
int sgt_unload_in_time(const struct sgt_test *test);

bool sgt_have_driver(const char *name);

#endif
