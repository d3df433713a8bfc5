/* SPDX-License-Identifier: GPL-2.0 */
/* KMS for the tests: dumb buffers and one screen. */
#ifndef SGT_KMS_H
#define SGT_KMS_H

#include <stddef.h>
#include <stdint.h>

#include <xf86drm.h>
#include <xf86drmMode.h>

struct sgt_bo {
	int drm;		/* not owned */
	uint32_t handle, fb;
	uint32_t width, height, pitch;
	uint64_t size;
	uint32_t *map;
};

/* The parameters of a framebuffer that differ from those of its buffer */
struct sgt_fb {
	uint32_t width, height, format, pitch, offset;
};

struct sgt_screen {
	int drm;		/* not owned */
	uint32_t connector, crtc;
	drmModeModeInfo mode;
};

/* These return 0 or a negative errno unless stated otherwise. */

/* An fd of the first device with this DRM driver; sgt_open() uses virtio_gpu. */
int sgt_open_driver(const char *name);
int sgt_open(void);

/* The same, waiting for the device to appear */
int sgt_open_wait(void);

int sgt_bo_create(struct sgt_bo *bo, int drm, uint32_t width, uint32_t height);
int sgt_bo_map(struct sgt_bo *bo);
int sgt_bo_add_fb(struct sgt_bo *bo);
int sgt_add_fb(struct sgt_bo *bo, const struct sgt_fb *fb);
int sgt_bo_export(const struct sgt_bo *bo);	/* a dma-buf fd */
int sgt_bo_close(struct sgt_bo *bo);		/* the handle only */
int sgt_close_handle(int drm, uint32_t handle);

/* Frees everything of the bo.  Ignores errors of a removed device. */
void sgt_bo_free(struct sgt_bo *bo);

/* Frees an array: odd elements first, then the even ones from the end. */
void sgt_bo_free_all(struct sgt_bo *bos, int count);

/* Create the object and free it again. */
int sgt_try_dumb(int drm, uint32_t width, uint32_t height, uint32_t bpp);
int sgt_try_fb(const struct sgt_bo *bo, const struct sgt_fb *fb);

/* A new mapping, by handle or by dma-buf: NULL and errno on failure */
void *sgt_mmap_handle(int drm, uint32_t handle, size_t size);
void *sgt_mmap_fd(int fd, size_t size);

static inline size_t sgt_bo_words(const struct sgt_bo *bo)
{
	return bo->size / sizeof(*bo->map);
}

static inline size_t sgt_screen_bytes(const struct sgt_screen *screen)
{
	return screen->mode.hdisplay * screen->mode.vdisplay * 4ul;
}

/* The preferred mode of the first connected connector */
int sgt_screen_find(struct sgt_screen *screen, int drm);
int sgt_screen_show(const struct sgt_screen *screen, const struct sgt_bo *bo,
		    uint32_t y);
int sgt_screen_off(const struct sgt_screen *screen);

/* Shows a framebuffer of 64x64 pixels as the cursor. */
int sgt_place_cursor(const struct sgt_screen *screen, const struct sgt_bo *cursor, int x, int y);

/* A flip with an event, which sgt_wait_flips() reads */
int sgt_screen_flip(const struct sgt_screen *screen, const struct sgt_bo *bo);

/*
 * An atomic request that shows the picture after the sync file @in_fence (-1: at
 * once), and has the kernel write a sync file to @out_fence (NULL: none).  The
 * screen must be on.
 */
int sgt_screen_request(drmModeAtomicReq **req, const struct sgt_screen *screen,
		       const struct sgt_bo *bo, int in_fence, int32_t *out_fence);

/*
 * Commits such a request without blocking.  Returns a sync file with its out-fence,
 * or a negative errno.
 */
int sgt_screen_fence(const struct sgt_screen *screen, const struct sgt_bo *bo,
		     int in_fence);

/* An atomic test commit of the picture */
int sgt_screen_try(const struct sgt_screen *screen, const struct sgt_bo *bo);

/* Returns the number of flip events: fewer than @flips if one does not come in time. */
int sgt_wait_flips(int drm, int flips, int timeout_ms);

#endif
