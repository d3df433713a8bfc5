// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#include "sgt_bus.h"
#include "sgt_swap.h"

#define SWAP_DEVICE	"/dev/zram0"
#define SWAP_PAGE	4096u

/* The first page of a swap device; without padding */
struct swap_header {
	char boot[1024];
	uint32_t version, last_page, nr_bad;
	char unused[SWAP_PAGE - 1024 - 3 * sizeof(uint32_t) - 10];
	char magic[10];
};

static int write_header(uint64_t bytes)
{
	struct swap_header header = {
		.version = 1,
		.last_page = bytes / SWAP_PAGE - 1,
	};
	int fd, err = 0;

	memcpy(header.magic, "SWAPSPACE2", sizeof(header.magic));
	fd = open(SWAP_DEVICE, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, &header, sizeof(header)) != sizeof(header))
		err = -EIO;
	return close(fd) ? -errno : err;
}

static bool begun;

int sgt_swap_begin(uint64_t bytes)
{
	char text[32];
	int err;

	if (access("/proc/swaps", R_OK) || sgt_module_load("zram"))
		return -EOPNOTSUPP;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	err = sgt_write_file("/sys/block/zram0/disksize", text);
	begun = !err;
	if (!err)
		err = write_header(bytes);
	if (!err && swapon(SWAP_DEVICE, 0))
		err = -errno;
	return err;
}

void sgt_swap_end(void)
{
	if (!begun)
		return;
	begun = false;
	swapoff(SWAP_DEVICE);
	sgt_write_file("/sys/block/zram0/reset", "1");
}

int sgt_shrink(void)
{
	return sgt_write_file("/proc/sys/vm/drop_caches", "2");
}
