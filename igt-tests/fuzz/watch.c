// SPDX-License-Identifier: GPL-2.0
/* Finds failures in the kernel log and in the tables of the helpers. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "lib/sgt_table.h"

/* The driver frees an unused out-fence within a second or two. */
#define PATIENCE_MS	10000

/* The time limit after the same leak has been seen once */
#define HURRY_MS	1500

static const char * const splats[] = {
	"WARNING: ", "BUG: ", "BUG at", "KASAN", "UBSAN", "DMA-API: ", "Oops: ",
	"general protection fault", "refcount_t: ", "blocked for more than", "stall",
	"possible circular locking", "possible recursive locking", "suspicious RCU",
	"inconsistent lock state", "DMAR: [", "Kernel panic", "list_add corruption",
	"list_del corruption", "ODEBUG", "unreferenced object",
};

/* One device, and the buffers of the console */
struct state {
	int devices, buffers;
	unsigned long mapped;
};

static struct state quiet;
static int kmsg = -1, patience_ms = PATIENCE_MS;

void watch_hurry(void)
{
	patience_ms = HURRY_MS;
}

long watch_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct state measure(void)
{
	struct sgt_device_row *devices = NULL;
	struct sgt_buffer_row *buffers = NULL;
	struct state state = {};

	state.devices = sgt_read_devices(&devices);
	for (int i = 0; i < state.devices; i++)
		state.mapped += devices[i].mapped;
	state.buffers = sgt_read_buffers(&buffers);
	free(devices);
	free(buffers);
	return state;
}

static bool is_quiet(struct state *state)
{
	*state = measure();
	return state->devices == quiet.devices && state->buffers == quiet.buffers &&
	       state->mapped == quiet.mapped;
}

static void write_knob(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	/* The kernel may not have this file. */
	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

/* WARN_ONCE() and the like warn again in the next sequence. */
static void rearm(void)
{
	write_knob("/sys/kernel/debug/clear_warn_once", "1");
	write_knob("/sys/kernel/debug/dma-api/num_errors", "3");
}

void watch_begin(void)
{
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	lseek(kmsg, 0, SEEK_END);
	quiet = measure();
	rearm();
}

/* The line without numbers and addresses, which vary */
static void set_what(struct finding *finding, const char *line)
{
	char *to = finding->what, *end = to + sizeof(finding->what) - 1;

	while (*line && *line != '\n' && to < end) {
		if (!strncmp(line, "PID: ", 5) || !strncmp(line, "CPU: ", 5)) {
			line += 5;
			while (isdigit((unsigned char)*line) || *line == ' ')
				line++;
		} else if (!strncmp(line, "0x", 2) || (line[0] == '+' && line[1] == '0')) {
			while (isalnum((unsigned char)*line) || *line == '+' || *line == '/')
				line++;
			*to++ = '#';
		} else if ((*line == '=' || *line == '#') && isdigit((unsigned char)line[1])) {
			*to++ = *line++;
			while (isdigit((unsigned char)*line))
				line++;
		} else {
			*to++ = *line++;
		}
	}
	*to = '\0';
}

static bool is_splat(const char *line)
{
	/* dma-debug needs many entries for buffers of 256 MiB in single pages. */
	if (strstr(line, "dma_debug_entry pool grown"))
		return false;

	for (size_t i = 0; i < sizeof(splats) / sizeof(splats[0]); i++)
		if (strstr(line, splats[i]))
			return true;
	return false;
}

/* Reads the log since the last call.  Keeps the first splat. */
static bool look_in_log(struct finding *finding)
{
	size_t used = 0;
	char record[8192];
	bool found = false;
	ssize_t len;

	/* EPIPE: lines were lost; the next ones can be read. */
	while ((len = read(kmsg, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		char *line;

		if (len <= 0) {
			errno = 0;
			continue;
		}
		record[len] = '\0';
		line = strchr(record, ';');
		if (!line++)
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (!found && is_splat(line)) {
			set_what(finding, line);
			found = true;
		}
		if (found && used + strlen(line) + 2 < sizeof(finding->log))
			used += sprintf(finding->log + used, "%s\n", line);
		errno = 0;
	}
	return found;
}

/* A bind whose process is killed has no console. */
static bool is_without_console(const struct state *now)
{
	return now->devices == quiet.devices && now->buffers == quiet.buffers - 1 &&
	       now->mapped == quiet.mapped - 1;
}

bool watch_look(struct finding *finding)
{
	long end = watch_now_ms() + patience_ms;
	struct state now;

	memset(finding, 0, sizeof(*finding));
	while (!is_quiet(&now) && watch_now_ms() < end)
		poll(NULL, 0, 2);
	if (look_in_log(finding)) {
		/* Leaks of this failure do not count in the next sequence. */
		quiet = now;
		rearm();
		return true;
	}
	if (is_quiet(&now) || is_without_console(&now))
		return false;

	snprintf(finding->what, sizeof(finding->what), "leak of %s",
		 now.buffers > quiet.buffers ? "buffers" :
		 now.mapped > quiet.mapped ? "mappings" :
		 now.devices > quiet.devices ? "devices" : "less than there was");
	snprintf(finding->log, sizeof(finding->log),
		 "devices %d, buffers %d, mapped %lu; before %d, %d, %lu\n", now.devices,
		 now.buffers, now.mapped, quiet.devices, quiet.buffers, quiet.mapped);
	quiet = now;
	return true;
}
