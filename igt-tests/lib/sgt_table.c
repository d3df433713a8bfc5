// SPDX-License-Identifier: GPL-2.0
/*
 * The cells of a table are separated by white space.  The first line has the names
 * of the columns, so the order and number of columns may change.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sgt_table.h"

#define DIRECTORY	"/sys/kernel/debug/drm_gem_sgt/"
#define MAX_COLUMNS	32

struct line {
	char *text;
	char *cell[MAX_COLUMNS];
	int cells;
};

struct table {
	FILE *file;
	struct line head, row;
};

static void split(struct line *line)
{
	char *save, *cell;

	line->cells = 0;
	for (cell = strtok_r(line->text, " \t\n", &save);
	     cell && line->cells < MAX_COLUMNS;
	     cell = strtok_r(NULL, " \t\n", &save))
		line->cell[line->cells++] = cell;
}

static bool next_line(struct table *table, struct line *line)
{
	size_t size = 0;

	free(line->text);
	line->text = NULL;
	if (getline(&line->text, &size, table->file) < 0)
		return false;
	split(line);
	return true;
}

static void close_table(struct table *table)
{
	free(table->head.text);
	free(table->row.text);
	fclose(table->file);
}

static int open_table(struct table *table, const char *name)
{
	char path[128];

	memset(table, 0, sizeof(*table));
	snprintf(path, sizeof(path), DIRECTORY "%s", name);
	table->file = fopen(path, "re");
	if (!table->file)
		return -errno;

	if (!next_line(table, &table->head)) {
		close_table(table);
		return -EBADMSG;
	}
	return 0;
}

static const char *text_of(const struct table *table, const char *column)
{
	for (int i = 0; i < table->head.cells && i < table->row.cells; i++)
		if (!strcmp(table->head.cell[i], column))
			return table->row.cell[i];

	fprintf(stderr, DIRECTORY " has no column %s\n", column);
	return "";
}

static unsigned long number_of(const struct table *table, const char *column)
{
	return strtoul(text_of(table, column), NULL, 0);
}

static void copy_text(char *to, size_t size, const struct table *table,
		      const char *column)
{
	snprintf(to, size, "%s", text_of(table, column));
}

static void parse_device(void *to, const struct table *table)
{
	struct sgt_device_row *row = to;

	row->id = number_of(table, "id");
	copy_text(row->owner, sizeof(row->owner), table, "owner");
	copy_text(row->dma, sizeof(row->dma), table, "dma");
	copy_text(row->mode, sizeof(row->mode), table, "mode");
	copy_text(row->state, sizeof(row->state), table, "state");
	row->tables = number_of(table, "tables");
	row->mapped = number_of(table, "mapped");
	row->bytes_mapped = number_of(table, "bytes_mapped");
	row->maps = number_of(table, "maps");
	row->unmaps = number_of(table, "unmaps");
	row->revoked = number_of(table, "revoked");
	row->grace = number_of(table, "grace");
}

static void parse_buffer(void *to, const struct table *table)
{
	struct sgt_buffer_row *row = to;

	row->dev = number_of(table, "dev");
	row->size = number_of(table, "size");
	row->folios = number_of(table, "folios");
	row->runs = number_of(table, "runs");
	row->cpu_ents = number_of(table, "cpu_ents");
	row->dma_segs = number_of(table, "dma_segs");
	copy_text(row->state, sizeof(row->state), table, "state");
	copy_text(row->caching, sizeof(row->caching), table, "caching");
	row->handles = number_of(table, "handles");
	row->refs = number_of(table, "refs");
	row->pins = number_of(table, "pins");
	row->vmaps = number_of(table, "vmaps");
	row->exported = number_of(table, "exported");
	copy_text(row->source, sizeof(row->source), table, "source");
}

static int read_table(const char *name, void **rows, size_t row_size,
		      void (*parse)(void *to, const struct table *table))
{
	struct table table;
	int count = 0, err;
	char *all = NULL;

	err = open_table(&table, name);
	if (err)
		return err;

	while (next_line(&table, &table.row)) {
		char *more;

		if (!table.row.cells)
			continue;
		more = realloc(all, (count + 1) * row_size);
		if (!more) {
			free(all);
			close_table(&table);
			return -ENOMEM;
		}
		all = more;
		parse(all + count++ * row_size, &table);
	}
	close_table(&table);

	*rows = all;
	return count;
}

bool sgt_tables_present(void)
{
	return access(DIRECTORY "devices", R_OK) == 0;
}

int sgt_read_devices(struct sgt_device_row **rows)
{
	return read_table("devices", (void **)rows, sizeof(**rows), parse_device);
}

int sgt_read_buffers(struct sgt_buffer_row **rows)
{
	return read_table("buffers", (void **)rows, sizeof(**rows), parse_buffer);
}

/* The device that is bound if @live, or the device with @id */
static int find_device(bool live, unsigned int id, struct sgt_device_row *row)
{
	struct sgt_device_row *rows = NULL;
	int count, err = -ENOENT;

	count = sgt_read_devices(&rows);
	if (count < 0)
		return count;

	for (int i = 0; i < count; i++) {
		if (live ? strcmp(rows[i].state, "live") : rows[i].id != id)
			continue;
		*row = rows[i];
		err = 0;
	}
	free(rows);
	return err;
}

int sgt_find_device(unsigned int id, struct sgt_device_row *row)
{
	return find_device(false, id, row);
}

int sgt_find_live_device(struct sgt_device_row *row)
{
	return find_device(true, 0, row);
}

int sgt_count_buffers(unsigned int dev)
{
	struct sgt_buffer_row *rows = NULL;
	int count, found = 0;

	count = sgt_read_buffers(&rows);
	if (count < 0)
		return count;

	for (int i = 0; i < count; i++)
		found += rows[i].dev == dev;
	free(rows);
	return found;
}

int sgt_find_buffer(unsigned int dev, unsigned long size,
		    struct sgt_buffer_row *row)
{
	struct sgt_buffer_row *rows = NULL;
	int count, err = -ENOENT;

	count = sgt_read_buffers(&rows);
	if (count < 0)
		return count;

	for (int i = 0; i < count; i++) {
		if (rows[i].dev != dev || rows[i].size != size)
			continue;
		*row = rows[i];
		err = 0;
	}
	free(rows);
	return err;
}
