// SPDX-License-Identifier: GPL-2.0
/* Operations on the screen. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "args.h"
#include "fuzz.h"

#define CURSOR	64

static const uint32_t formats[] = {
	DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_BGRX8888, DRM_FORMAT_RGB565,
	DRM_FORMAT_NV12, DRM_FORMAT_ABGR8888, DRM_FORMAT_C8,
};

/* The whole buffer, except for the changes of the arguments */
static int add_fb(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);
	struct drm_mode_fb_cmd2 add = {
		.width = buffer->width + arg[3],
		.height = buffer->height + arg[4],
		.pixel_format = formats[arg[6] % 7],
		.handles = { buffer->handle },
		.pitches = { buffer->pitch + arg[5] },
		.offsets = { arg[7] },
		.modifier = { arg[9] },
		.flags = arg[8],
	};
	int fd = world_via(world, buffer->file, arg[2]);
	int err = fuzz_ioctl(fd, DRM_IOCTL_MODE_ADDFB2, &add);

	if (!err)
		*world_fb(world, arg[1]) = (struct fb) {
			.id = add.fb_id,
			.file = arg[2] ? (arg[2] - 1) % FILES : buffer->file,
			.width = add.width,
			.height = add.height,
		};
	return err;
}

static int add_fb_legacy(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);
	struct drm_mode_fb_cmd add = {
		.width = buffer->width,
		.height = buffer->height,
		.pitch = buffer->pitch,
		.bpp = arg[2],
		.depth = arg[3],
		.handle = buffer->handle,
	};
	int err = fuzz_ioctl(world_file(world, buffer->file), DRM_IOCTL_MODE_ADDFB, &add);

	if (!err)
		*world_fb(world, arg[1]) = (struct fb) {
			add.fb_id, buffer->file, add.width, add.height
		};
	return err;
}

static int remove_fb(struct world *world, const uint32_t *arg)
{
	struct fb *fb = world_fb(world, arg[0]);
	unsigned int id = fb->id;

	return fuzz_ioctl(world_via(world, fb->file, arg[1]), DRM_IOCTL_MODE_RMFB, &id);
}

/* Makes a handle, if the file is the master */
static int get_fb(struct world *world, const uint32_t *arg)
{
	struct drm_mode_fb_cmd2 get = { .fb_id = world_fb(world, arg[1])->id };
	struct fb *fb = world_fb(world, arg[1]);
	int err = fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_MODE_GETFB2, &get);

	if (!err)
		*world_buffer(world, arg[2]) = (struct buffer) {
			.handle = get.handles[0],
			.width = fb->width,
			.height = fb->height,
			.pitch = get.pitches[0],
			.size = (uint64_t)get.pitches[0] * fb->height,
			.file = arg[0],
		};
	return err;
}

static int dirty(struct world *world, const uint32_t *arg)
{
	struct fb *fb = world_fb(world, arg[0]);
	struct drm_clip_rect clips[2] = {
		{ arg[3], arg[4], arg[5], arg[6] }, { 0, 0, fb->width, fb->height },
	};
	struct drm_mode_fb_dirty_cmd cmd = {
		.fb_id = fb->id,
		.num_clips = arg[2],
		.clips_ptr = fuzz_pointer(clips, arg[7]),
		.flags = arg[8],
	};

	return fuzz_ioctl(world_via(world, fb->file, arg[1]), DRM_IOCTL_MODE_DIRTYFB, &cmd);
}

/* A mode as large as the picture, as any size will do for this device */
static struct drm_mode_modeinfo mode_of(uint32_t width, uint32_t height)
{
	return (struct drm_mode_modeinfo) {
		.clock = (width + 40) * (height + 30) * 60ull / 1000,
		.hdisplay = width,
		.hsync_start = width + 10,
		.hsync_end = width + 20,
		.htotal = width + 40,
		.vdisplay = height,
		.vsync_start = height + 10,
		.vsync_end = height + 20,
		.vtotal = height + 30,
		.vrefresh = 60,
		.name = "fuzz",
	};
}

static int set_crtc(struct world *world, const uint32_t *arg)
{
	struct fb *fb = world_fb(world, arg[0]);
	uint32_t connectors[2] = { world->kms->connector, world->kms->crtc };
	struct drm_mode_crtc set = {
		.crtc_id = world->kms->crtc + arg[6],
		.fb_id = fb->id,
		.x = arg[2],
		.y = arg[3],
		.count_connectors = arg[5],
		.set_connectors_ptr = fuzz_pointer(connectors, arg[7]),
		.mode_valid = 1,
		.mode = mode_of(fb->width + arg[4], fb->height + arg[4]),
	};

	return fuzz_ioctl(world_via(world, fb->file, arg[1]), DRM_IOCTL_MODE_SETCRTC, &set);
}

static int crtc_off(struct world *world, const uint32_t *arg)
{
	struct drm_mode_crtc set = { .crtc_id = world->kms->crtc };

	return fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_MODE_SETCRTC, &set);
}

static int flip(struct world *world, const uint32_t *arg)
{
	struct fb *fb = world_fb(world, arg[0]);
	struct drm_mode_crtc_page_flip cmd = {
		.crtc_id = world->kms->crtc,
		.fb_id = fb->id,
		.flags = arg[2],
		.user_data = arg[3],
	};

	return fuzz_ioctl(world_via(world, fb->file, arg[1]), DRM_IOCTL_MODE_PAGE_FLIP, &cmd);
}

static int cursor(struct world *world, const uint32_t *arg)
{
	struct buffer *buffer = world_buffer(world, arg[0]);
	struct drm_mode_cursor2 cmd = {
		.flags = arg[2] + 1,
		.crtc_id = world->kms->crtc,
		.x = arg[3],
		.y = arg[4],
		.width = CURSOR + arg[5],
		.height = CURSOR,
		.handle = arg[6] ? 0 : buffer->handle,
		.hot_x = arg[7],
		.hot_y = arg[7],
	};

	return fuzz_ioctl(world_via(world, buffer->file, arg[1]), DRM_IOCTL_MODE_CURSOR2, &cmd);
}

struct commit {
	uint32_t object[24], count[24], id[24];
	uint64_t value[24];
	int objects, props;
};

static void set(struct commit *commit, const struct world *world, uint32_t object,
		const char *name, uint64_t value)
{
	if (commit->props == 24)
		return;
	if (!commit->objects || commit->object[commit->objects - 1] != object)
		commit->object[commit->objects++] = object;
	commit->count[commit->objects - 1]++;
	commit->id[commit->props] = world_property(world, object, name);
	commit->value[commit->props++] = value;
}

static int send(int fd, const struct commit *commit, uint32_t flags)
{
	struct drm_mode_atomic atomic = {
		.flags = flags,
		.count_objs = commit->objects,
		.objs_ptr = (uintptr_t)commit->object,
		.count_props_ptr = (uintptr_t)commit->count,
		.props_ptr = (uintptr_t)commit->id,
		.prop_values_ptr = (uintptr_t)commit->value,
	};

	return fuzz_ioctl(fd, DRM_IOCTL_MODE_ATOMIC, &atomic);
}

static uint32_t make_blob(int fd, const void *data, size_t size)
{
	struct drm_mode_create_blob blob = { .data = (uintptr_t)data, .length = size };

	return fuzz_ioctl(fd, DRM_IOCTL_MODE_CREATEPROPBLOB, &blob) ? 0 : blob.blob_id;
}

static void drop_blob(int fd, uint32_t id)
{
	struct drm_mode_destroy_blob blob = { .blob_id = id };

	if (id)
		fuzz_ioctl(fd, DRM_IOCTL_MODE_DESTROYPROPBLOB, &blob);
}

/* A picture, all of it or a part, with damage and both fences if wanted */
static int commit_picture(struct world *world, const uint32_t *arg)
{
	const struct kms *kms = world->kms;
	struct fb *fb = world_fb(world, arg[0]);
	int fd = world_via(world, fb->file, arg[1]);
	struct drm_mode_modeinfo mode = mode_of(fb->width, fb->height);
	struct drm_mode_rect damage = { 0, 0, arg[5], arg[6] };
	uint32_t mode_blob = 0, damage_blob = 0;
	struct commit commit = {};
	int32_t out_fence = -1;
	int err;

	set(&commit, world, kms->primary, "FB_ID", fb->id);
	if (arg[4]) {
		mode_blob = make_blob(fd, &mode, sizeof(mode));
		set(&commit, world, kms->primary, "CRTC_ID", kms->crtc);
		set(&commit, world, kms->primary, "SRC_X", (uint64_t)arg[7] << 16);
		set(&commit, world, kms->primary, "SRC_Y", 0);
		set(&commit, world, kms->primary, "SRC_W", (uint64_t)fb->width << 16);
		set(&commit, world, kms->primary, "SRC_H", (uint64_t)fb->height << 16);
		set(&commit, world, kms->primary, "CRTC_X", 0);
		set(&commit, world, kms->primary, "CRTC_Y", 0);
		set(&commit, world, kms->primary, "CRTC_W", fb->width + arg[8]);
		set(&commit, world, kms->primary, "CRTC_H", fb->height);
	}
	if (arg[9] & 1) {
		damage_blob = make_blob(fd, &damage, sizeof(damage));
		set(&commit, world, kms->primary, "FB_DAMAGE_CLIPS", damage_blob);
	}
	if (arg[9] & 2)
		set(&commit, world, kms->primary, "IN_FENCE_FD", world_fd(world, arg[3]));
	if (arg[4]) {
		set(&commit, world, kms->crtc, "MODE_ID", mode_blob);
		set(&commit, world, kms->crtc, "ACTIVE", 1);
	}
	if (arg[9] & 4)
		set(&commit, world, kms->crtc, "OUT_FENCE_PTR", fuzz_pointer(&out_fence, arg[10]));
	if (arg[4])
		set(&commit, world, kms->connector, "CRTC_ID", kms->crtc);

	err = send(fd, &commit, (arg[4] ? DRM_MODE_ATOMIC_ALLOW_MODESET : 0) | arg[2]);
	if (!err && out_fence >= 0)
		world_put_fd(world, arg[3], out_fence);
	drop_blob(fd, mode_blob);
	drop_blob(fd, damage_blob);
	return err;
}

static int commit_cursor(struct world *world, const uint32_t *arg)
{
	struct fb *fb = world_fb(world, arg[0]);
	uint32_t plane = world->kms->cursor;
	struct commit commit = {};

	set(&commit, world, plane, "FB_ID", fb->id);
	set(&commit, world, plane, "CRTC_ID", world->kms->crtc);
	set(&commit, world, plane, "SRC_X", 0);
	set(&commit, world, plane, "SRC_Y", 0);
	set(&commit, world, plane, "SRC_W", (uint64_t)fb->width << 16);
	set(&commit, world, plane, "SRC_H", (uint64_t)fb->height << 16);
	set(&commit, world, plane, "CRTC_X", (int32_t)arg[3]);
	set(&commit, world, plane, "CRTC_Y", (int32_t)arg[4]);
	set(&commit, world, plane, "CRTC_W", fb->width + arg[5]);
	set(&commit, world, plane, "CRTC_H", fb->height);
	return send(world_via(world, fb->file, arg[1]), &commit, arg[2]);
}

/* Up to three properties, any of any object, to any value */
static int commit_any(struct world *world, const uint32_t *arg)
{
	struct commit commit = {};

	for (int i = 0; i < 3; i++) {
		const struct property *prop = &world->kms->prop[arg[2 + i] % world->kms->props];

		commit.object[i] = prop->object;
		commit.count[i] = 1;
		commit.id[i] = prop->id;
		commit.value[i] = (int32_t)arg[5 + i];
	}
	commit.objects = 3;
	return send(world_file(world, arg[0]), &commit, arg[1]);
}

static int set_property(struct world *world, const uint32_t *arg)
{
	const struct property *prop = &world->kms->prop[arg[1] % world->kms->props];
	struct drm_mode_obj_set_property cmd = {
		.obj_id = prop->object,
		.obj_type = prop->type,
		.prop_id = prop->id,
		.value = arg[2],
	};

	return fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_MODE_OBJ_SETPROPERTY, &cmd);
}

static int get_properties(struct world *world, const uint32_t *arg)
{
	const struct property *prop = &world->kms->prop[arg[1] % world->kms->props];
	uint32_t ids[64];
	uint64_t values[64] = {};
	struct drm_mode_obj_get_properties cmd = {
		.obj_id = prop->object,
		.obj_type = prop->type,
		.count_props = arg[2],
		.props_ptr = (uintptr_t)ids,
		.prop_values_ptr = fuzz_pointer(values, arg[3]),
	};

	return fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_MODE_OBJ_GETPROPERTIES, &cmd);
}

static int get_connector(struct world *world, const uint32_t *arg)
{
	struct drm_mode_modeinfo modes[64] = {};
	struct drm_mode_get_connector cmd = {
		.connector_id = world->kms->connector + arg[1],
		.count_modes = arg[2],
		.modes_ptr = fuzz_pointer(modes, arg[3]),
	};

	return fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_MODE_GETCONNECTOR, &cmd);
}

static int get_resources(struct world *world, const uint32_t *arg)
{
	struct drm_mode_card_res cmd = {};

	return fuzz_ioctl(world_file(world, arg[0]), DRM_IOCTL_MODE_GETRESOURCES, &cmd);
}

static int read_events(struct world *world, const uint32_t *arg)
{
	int fd = world_file(world, arg[0]);
	char events[256];

	fcntl(fd, F_SETFL, O_NONBLOCK);
	return read(fd, events, arg[1] % sizeof(events)) < 0 ? -errno : 0;
}

#define EVENT		DRM_MODE_PAGE_FLIP_EVENT
#define COMMIT_FLAGS	(DRM_MODE_ATOMIC_TEST_ONLY | DRM_MODE_ATOMIC_NONBLOCK)

const struct op_desc kms_ops[] = {
	{ "add_fb", 10, add_fb,
	  { BUFFER_ARG, NEW_FB, VIA, OFF_BY("width"), OFF_BY("height"), OFF_BY("pitch"),
	    EXACT("format", 0), OFF_BY("offset"), EXACT("flags", 0), EXACT("modifier", 0) } },
	{ "add_fb_legacy", 2, add_fb_legacy,
	  { BUFFER_ARG, NEW_FB, EXACT("bpp", 32), EXACT("depth", 24) } },
	{ "remove_fb", 3, remove_fb, { OLD_FB, VIA } },
	{ "get_fb", 2, get_fb, { FILE_ARG, FB_ARG, NEW_BUFFER } },
	{ "dirty", 3, dirty,
	  { FB_ARG, VIA, PICK("clips", 3), PICK("x1", 60), PICK("y1", 60), PICK("x2", 64),
	    PICK("y2", 64), POINTER, FLAGS("flags", 3) } },
	{ "set_crtc", 6, set_crtc,
	  { FB_ARG, VIA, OFF_BY("x"), OFF_BY("y"), OFF_BY("mode"), EXACT("connectors", 1),
	    OFF_BY("crtc"), POINTER } },
	{ "crtc_off", 1, crtc_off, { FILE_ARG } },
	{ "flip", 5, flip, { FB_ARG, VIA, FLAGS("flags", EVENT), ANY("data") } },
	{ "cursor", 4, cursor,
	  { BUFFER_ARG, VIA, PICK("what", 3), ANY("x"), PICK("y", 900), OFF_BY("width"),
	    PICK("off", 2), PICK("hot", 64) } },
	{ "commit_picture", 8, commit_picture,
	  { FB_ARG, VIA, FLAGS("flags", COMMIT_FLAGS), { "fence", ARG_FD, ARG_MAKES, 0 },
	    PICK("modeset", 2), ANY("damage_x"), PICK("damage_y", 900), OFF_BY("src_x"),
	    OFF_BY("crtc_w"), PICK("with", 8), POINTER } },
	{ "commit_cursor", 2, commit_cursor,
	  { FB_ARG, VIA, FLAGS("flags", COMMIT_FLAGS), PICK("x", 1300), PICK("y", 900),
	    OFF_BY("width") } },
	{ "commit_any", 2, commit_any,
	  { FILE_ARG, FLAGS("flags", COMMIT_FLAGS | DRM_MODE_ATOMIC_ALLOW_MODESET),
	    PICK("first", MAX_PROPS), PICK("second", MAX_PROPS), PICK("third", MAX_PROPS),
	    PICK("to_first", 3), PICK("to_second", 3), PICK("to_third", 3) } },
	{ "set_property", 1, set_property,
	  { FILE_ARG, PICK("property", MAX_PROPS), PICK("to", 3) } },
	{ "get_properties", 1, get_properties,
	  { FILE_ARG, PICK("property", MAX_PROPS), PICK("count", 64), POINTER } },
	{ "get_connector", 1, get_connector,
	  { FILE_ARG, OFF_BY("connector"), PICK("count", 64), POINTER } },
	{ "get_resources", 1, get_resources, { FILE_ARG } },
	{ "read_events", 2, read_events, { FILE_ARG, PICK("size", 256) } },
	{ NULL }
};
