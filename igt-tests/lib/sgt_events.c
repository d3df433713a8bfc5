// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "sgt_bus.h"
#include "sgt_events.h"

#define TRACING	"/sys/kernel/tracing/"
#define GROUP	TRACING "events/drm_gem_sgt/"

/* Opening it for writing discards what was recorded. */
static int clear(void)
{
	FILE *file = fopen(TRACING "trace", "we");

	return file && !fclose(file) ? 0 : -errno;
}

int sgt_events_begin(unsigned long size)
{
	char filter[64];

	if (mount("tracefs", TRACING, "tracefs", 0, NULL) && errno != EBUSY)
		return -errno;
	snprintf(filter, sizeof(filter), "size == %lu", size);
	return sgt_write_file(GROUP "filter", filter) ?:
	       clear() ?:
	       sgt_write_file(GROUP "enable", "1");
}

void sgt_events_end(void)
{
	sgt_write_file(GROUP "enable", "0");
	sgt_write_file(GROUP "filter", "0");
	clear();
}

#define FAULT_FIELDS	"index=%lu order=%u ret=%x"

/* "task-pid [cpu] flags time: name: dev=... table=... size=... pages=..." */
static int parse(const char *line, struct sgt_event *event)
{
	const char *text = strstr(line, ": drm_");
	int fields;

	if (!text)
		return -EPROTO;
	*event = (struct sgt_event){};
	fields = sscanf(text + 2, "%31[^:]: dev=%63s table=%31s size=%lu pages=%lu " FAULT_FIELDS,
			event->name, event->dev, event->table, &event->size, &event->pages,
			&event->index, &event->order, &event->ret);
	return fields == (strcmp(event->name, "drm_gem_sgt_fault") ? 5 : 8) ? 0 : -EPROTO;
}

int sgt_events_take(struct sgt_event *events, int max)
{
	FILE *file = fopen(TRACING "trace", "re");
	int err = 0, count = 0;
	char line[512];

	if (!file)
		return -errno;
	while (!err && count < max && fgets(line, sizeof(line), file))
		if (line[0] != '#')
			err = parse(line, &events[count++]);
	fclose(file);
	return err ?: clear() ?: count;
}
