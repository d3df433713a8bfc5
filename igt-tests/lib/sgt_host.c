// SPDX-License-Identifier: GPL-2.0
/*
 * Sends a request over a virtio-serial port and reads one line.  Only one process
 * can open the port at a time, so a lock file serialises them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "sgt_host.h"

#define PORT		"/dev/virtio-ports/org.drm-gem-sgt.host"
#define LOCK		"/run/sgt-host.lock"
#define TIMEOUT_MS	60000

static char reply[512];

bool sgt_host_present(void)
{
	return access(PORT, F_OK) == 0;
}

const char *sgt_host_reply(void)
{
	return reply;
}

static int send_line(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t done = write(fd, text, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		text += done;
		len -= done;
	}
	return 0;
}

static int receive_line(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t len = 0;

	while (len + 1 < sizeof(reply)) {
		ssize_t done;
		int ready = poll(&pfd, 1, TIMEOUT_MS);

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready < 0)
			return -errno;
		if (!ready)
			return -ETIMEDOUT;

		/* A poll ends with 0 bytes if the other end of the port is closed. */
		done = read(fd, reply + len, sizeof(reply) - 1 - len);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		if (!done)
			return -EPIPE;

		len += done;
		reply[len] = '\0';
		if (strchr(reply, '\n')) {
			*strchr(reply, '\n') = '\0';
			return 0;
		}
	}
	return -EMSGSIZE;
}

static int ask_locked(const char *text, size_t len)
{
	int fd, err;

	fd = open(PORT, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	err = send_line(fd, text, len);
	if (!err)
		err = receive_line(fd);
	close(fd);

	if (err)
		return err;
	if (!strncmp(reply, "ok", 2) && (!reply[2] || reply[2] == ' '))
		return 0;
	return -EREMOTEIO;
}

int sgt_host_ask(const char *format, ...)
{
	char text[256];
	va_list args;
	int lock, len, err;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text) - 1, format, args);
	va_end(args);
	if (len < 0 || len >= (int)sizeof(text) - 1)
		return -EMSGSIZE;
	text[len++] = '\n';

	snprintf(reply, sizeof(reply), "no answer to: %.*s", len - 1, text);
	if (!sgt_host_present())
		return -ENODEV;

	lock = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0)
		return -errno;

	if (flock(lock, LOCK_EX))
		err = -errno;
	else
		err = ask_locked(text, len);
	close(lock);

	return err;
}

int sgt_host_screen(int width, int height, uint32_t seed)
{
	return sgt_host_ask("screen %d %d %u", width, height, seed);
}

int sgt_host_part(const struct sgt_part *part, uint32_t seed)
{
	return sgt_host_ask("part %d %d %d %d %u %u %u", part->x, part->y, part->width,
			    part->height, seed, part->first, part->pitch);
}

int sgt_host_shot(const char *name)
{
	return sgt_host_ask("shot %s", name);
}

int sgt_host_trace_mark(void)
{
	return sgt_host_ask("trace-mark");
}

int sgt_host_trace_count(const char *event)
{
	int count, err;

	err = sgt_host_ask("trace-count %s", event);
	if (err)
		return err;
	if (sscanf(reply, "ok %d", &count) != 1)
		return -EPROTO;
	return count;
}

int sgt_host_fact(const char *key, long value)
{
	return sgt_host_ask("fact %s %ld", key, value);
}
