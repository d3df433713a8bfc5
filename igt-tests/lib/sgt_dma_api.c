// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sgt_dma_api.h"

#define DIRECTORY	"/sys/kernel/debug/dma-api/"

/* dma-debug disables itself when it runs out of entries. */
static int check_enabled(void)
{
	FILE *file = fopen(DIRECTORY "disabled", "re");
	int letter;

	if (!file)
		return -errno;
	letter = fgetc(file);
	fclose(file);
	return letter == 'N' ? 0 : -EOVERFLOW;
}

/* There is a line "DRIVER DEVICE KIND ..." for each segment of each mapping. */
long sgt_dma_api_count(const char *device)
{
	char *line = NULL, name[64];
	size_t size = 0;
	long count = 0;
	FILE *file;
	int err;

	err = check_enabled();
	if (err)
		return err;
	file = fopen(DIRECTORY "dump", "re");
	if (!file)
		return -errno;
	while (getline(&line, &size, file) > 0)
		count += sscanf(line, "%*s %63s", name) == 1 && !strcmp(name, device);
	free(line);
	fclose(file);
	return count;
}
