// SPDX-License-Identifier: GPL-2.0
/*
 * Shows a dumb buffer on the screen, with a picture in which every page of the
 * buffer's memory has a place that can be seen.  Works on any KMS driver.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xf86drm.h>
#include <xf86drmMode.h>

#include "sgt_die.h"
#include "sgt_picture.h"
#include "sgt_run.h"

struct options {
	const char *device;
	const char *title;
	bool pattern;
	uint32_t seed;
	int seconds;		/* negative: until Enter is pressed */
};

struct screen {
	int fd;
	drmModeConnector *connector;
	drmModeCrtc *old;	/* what was shown before */
	uint32_t crtc;
};

struct buffer {
	struct picture picture;
	uint32_t handle, fb;
	uint64_t size;
};

static drmModeConnector *find_connector(int fd, const drmModeRes *res)
{
	for (int i = 0; i < res->count_connectors; i++) {
		drmModeConnector *connector;

		connector = drmModeGetConnector(fd, res->connectors[i]);
		if (!connector)
			continue;
		if (connector->connection == DRM_MODE_CONNECTED &&
		    connector->count_modes)
			return connector;
		drmModeFreeConnector(connector);
	}
	return NULL;
}

static uint32_t find_crtc(int fd, const drmModeRes *res,
			  const drmModeConnector *connector)
{
	for (int i = 0; i < connector->count_encoders; i++) {
		drmModeEncoder *encoder;
		uint32_t possible;

		encoder = drmModeGetEncoder(fd, connector->encoders[i]);
		if (!encoder)
			continue;
		possible = encoder->possible_crtcs;
		drmModeFreeEncoder(encoder);
		for (int j = 0; j < res->count_crtcs; j++)
			if (possible & (1u << j))
				return res->crtcs[j];
	}
	return 0;
}

/* Why the device cannot be used, or NULL: then the screen is filled in. */
static const char *open_screen(struct screen *screen, const char *path)
{
	uint64_t dumb = 0;
	drmModeRes *res;

	screen->fd = open(path, O_RDWR | O_CLOEXEC);
	if (screen->fd < 0)
		return strerror(errno);

	if (drmGetCap(screen->fd, DRM_CAP_DUMB_BUFFER, &dumb) || !dumb)
		return "the driver has no dumb buffers";
	res = drmModeGetResources(screen->fd);
	if (!res)
		return "the driver has no screens";

	screen->connector = find_connector(screen->fd, res);
	if (screen->connector)
		screen->crtc = find_crtc(screen->fd, res, screen->connector);
	drmModeFreeResources(res);
	if (!screen->crtc)
		return "no screen is connected";
	return NULL;
}

static void close_screen(struct screen *screen)
{
	if (screen->connector)
		drmModeFreeConnector(screen->connector);
	if (screen->fd >= 0)
		close(screen->fd);
	memset(screen, 0, sizeof(*screen));
}

static void find_screen(struct screen *screen, const char *device)
{
	const char *why = "there is none";
	char path[32];

	if (device) {
		why = open_screen(screen, device);
		if (why)
			die("%s: %s", device, why);
		return;
	}
	for (int i = 0; i < 64; i++) {
		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		if (access(path, F_OK))
			continue;
		why = open_screen(screen, path);
		if (!why)
			return;
		fprintf(stderr, "sgt_demo: not %s: %s\n", path, why);
		close_screen(screen);
	}
	die("no device to draw on (%s); is a driver loaded?", why);
}

static void create_buffer(struct buffer *buffer, int fd, uint32_t width,
			  uint32_t height)
{
	struct drm_mode_create_dumb create = {
		.width = width,
		.height = height,
		.bpp = 32,
	};
	struct drm_mode_map_dumb map = {};
	void *pixels;

	if (drmIoctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &create))
		die("cannot create a buffer of %u by %u: %s", width, height,
		    strerror(errno));
	map.handle = create.handle;
	if (drmIoctl(fd, DRM_IOCTL_MODE_MAP_DUMB, &map))
		die("cannot map the buffer: %s", strerror(errno));
	pixels = mmap(NULL, create.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      map.offset);
	if (pixels == MAP_FAILED)
		die("cannot map the buffer: %s", strerror(errno));
	if (drmModeAddFB(fd, width, height, 24, 32, create.pitch, create.handle,
			 &buffer->fb))
		die("cannot make a framebuffer: %s", strerror(errno));

	buffer->handle = create.handle;
	buffer->size = create.size;
	buffer->picture = (struct picture) {
		.pixels = pixels,
		.width = width,
		.height = height,
		.pitch = create.pitch,
	};
}

static void destroy_buffer(struct buffer *buffer, int fd)
{
	struct drm_mode_destroy_dumb destroy = { .handle = buffer->handle };

	munmap(buffer->picture.pixels, buffer->size);
	drmModeRmFB(fd, buffer->fb);
	drmIoctl(fd, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy);
}

static void show(struct screen *screen, const struct buffer *buffer)
{
	uint32_t connector = screen->connector->connector_id;

	screen->old = drmModeGetCrtc(screen->fd, screen->crtc);
	if (!drmModeSetCrtc(screen->fd, screen->crtc, buffer->fb, 0, 0,
			    &connector, 1, &screen->connector->modes[0]))
		return;
	if (errno == EACCES || errno == EPERM)
		die("another program has the screen: run this from a text console");
	die("cannot set the mode: %s", strerror(errno));
}

static void restore(struct screen *screen)
{
	uint32_t connector = screen->connector->connector_id;
	drmModeCrtc *old = screen->old;

	if (!old)
		return;
	if (old->mode_valid)
		drmModeSetCrtc(screen->fd, old->crtc_id, old->buffer_id, old->x,
			       old->y, &connector, 1, &old->mode);
	drmModeFreeCrtc(old);
}

static void stop(int sig)
{
	(void)sig;
}

static void wait_a_while(int seconds)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	struct sigaction act = { .sa_handler = stop };

	/* A signal ends the wait, so that the old picture comes back. */
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	if (seconds < 0) {
		printf("Press Enter to end.\n");
		poll(&pfd, 1, -1);
	} else {
		poll(NULL, 0, seconds * 1000);
	}
}

static void demo(const struct options *options)
{
	struct buffer buffer = {};
	struct screen screen = {};
	drmModeModeInfo *mode;
	char subtitle[64];

	find_screen(&screen, options->device);
	mode = &screen.connector->modes[0];
	create_buffer(&buffer, screen.fd, mode->hdisplay, mode->vdisplay);
	snprintf(subtitle, sizeof(subtitle), "%u x %u, %llu pages in their places",
		 mode->hdisplay, mode->vdisplay,
		 (unsigned long long)buffer.size / 4096);

	if (options->pattern)
		draw_pattern(&buffer.picture, options->seed);
	else
		draw_pages(&buffer.picture, options->title, subtitle);
	show(&screen, &buffer);
	wait_a_while(options->seconds);

	restore(&screen);
	destroy_buffer(&buffer, screen.fd);
	close_screen(&screen);
}

static void usage(FILE *out)
{
	fputs("Usage: sgt_demo [OPTION]...\n"
	      "Shows a picture in which every page of its buffer can be seen.\n"
	      "\n"
	      "  -d, --device=PATH    the device to draw on (default: the first with a screen)\n"
	      "  -t, --title=TEXT     what to write on the picture\n"
	      "  -p, --pattern=SEED   draw the pattern that the tests check instead\n"
	      "  -s, --seconds=N      end after N seconds (default: when Enter is pressed)\n"
	      "      --run            the tour of `make run`: for its QEMU guest, as root\n"
	      "  -h, --help           this text\n", out);
}

static uint32_t number(const char *text, const char *option)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 0);
	if (errno || end == text || *end || value > UINT32_MAX)
		die("--%s takes a number, not \"%s\"", option, text);
	return value;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "title", required_argument, NULL, 't' },
		{ "pattern", required_argument, NULL, 'p' },
		{ "seconds", required_argument, NULL, 's' },
		{ "run", no_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	struct options options = { .title = "drm-gem-sgt", .seconds = -1 };
	int opt;

	while ((opt = getopt_long(argc, argv, "d:t:p:s:h", longs, NULL)) >= 0) {
		switch (opt) {
		case 'd':
			options.device = optarg;
			break;
		case 't':
			options.title = optarg;
			break;
		case 'p':
			options.pattern = true;
			options.seed = number(optarg, "pattern");
			break;
		case 's':
			options.seconds = number(optarg, "seconds") & INT32_MAX;
			break;
		case 'r':
			return sgt_run(options.title);
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc)
		die("no arguments are taken: %s", argv[optind]);
	demo(&options);
	return 0;
}
