// SPDX-License-Identifier: GPL-2.0

#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <linux/spinlock.h>

#include <drm/drm_crtc.h>
#include <drm/drm_managed.h>
#include <drm/drm_modes.h>
#include <drm/drm_vblank.h>

#include "virtgpu_sgt_device.h"
#include "virtgpu_sgt_output.h"
#include "virtgpu_sgt_vblank.h"

/**
 * DOC: vertical blank
 *
 * The device has no vertical blank. For the driver, one happens whenever
 * CLOCK_MONOTONIC is a multiple of the refresh period. So the time and the number of
 * each follow from the clock, whether or not a timer has run. A timer runs only while
 * an event, an out-fence or an ioctl waits for a vertical blank.
 *
 * An event of a commit, or its out-fence, is sent at the first vertical blank after the
 * host has executed the commit. A client that draws one picture per event draws no more
 * than the display would show. Commits that userspace asks no event for wait neither for a
 * vertical blank nor for the host, and the next commit does not wait for theirs.
 *
 * When a CRTC is turned off, the events that still wait are sent at once. The removal
 * turns all CRTCs off. A commit that comes later does not start the vertical blank again.
 */

/* The highest refresh rate: userspace chooses the mode, and each period is an interrupt. */
#define VIRTGPU_SGT_MAX_REFRESH		1000

/* The DRM core multiplies these two in an int. */
#define VIRTGPU_SGT_MAX_TOTAL		(4 * VIRTGPU_SGT_MAX_SIZE - 1)

static u32 virtgpu_sgt_vblank_period(struct virtgpu_sgt_output *output)
{
	return drm_crtc_vblank_crtc(&output->crtc)->framedur_ns;
}

/* The latest vertical blank. */
static ktime_t virtgpu_sgt_vblank_last(struct virtgpu_sgt_output *output)
{
	u64 now = ktime_get_ns();
	u32 rest;

	div_u64_rem(now, virtgpu_sgt_vblank_period(output), &rest);
	return ns_to_ktime(now - rest);
}

static void virtgpu_sgt_vblank_start_timer(struct virtgpu_sgt_output *output)
{
	hrtimer_start(&output->vblank_timer,
		      ktime_add_ns(virtgpu_sgt_vblank_last(output),
				   virtgpu_sgt_vblank_period(output)),
		      HRTIMER_MODE_ABS);
}

/*
 * virtgpu_sgt_vblank_enable() may start the timer meanwhile. To start it twice for the
 * same time is harmless, while hrtimer_forward() must not see a timer that is queued.
 */
static enum hrtimer_restart virtgpu_sgt_vblank_timeout(struct hrtimer *timer)
{
	struct virtgpu_sgt_output *output =
		container_of(timer, struct virtgpu_sgt_output, vblank_timer);

	if (drm_crtc_handle_vblank(&output->crtc))
		virtgpu_sgt_vblank_start_timer(output);
	return HRTIMER_NORESTART;
}

/**
 * virtgpu_sgt_vblank_enable() - &drm_crtc_funcs.enable_vblank
 * @crtc: the CRTC, with a mode
 *
 * Context: Atomic. The core holds its locks of vertical blanks.
 * Return: 0
 */
int virtgpu_sgt_vblank_enable(struct drm_crtc *crtc)
{
	virtgpu_sgt_vblank_start_timer(to_virtgpu_sgt_output(crtc));
	return 0;
}

/**
 * virtgpu_sgt_vblank_disable() - &drm_crtc_funcs.disable_vblank
 * @crtc: the CRTC
 *
 * Does not wait for the timer, whose function takes the locks that are held here. It
 * finds the vertical blank disabled, and does not start the timer again.
 *
 * Context: Atomic. The core holds its locks of vertical blanks.
 */
void virtgpu_sgt_vblank_disable(struct drm_crtc *crtc)
{
	hrtimer_try_to_cancel(&to_virtgpu_sgt_output(crtc)->vblank_timer);
}

/**
 * virtgpu_sgt_vblank_timestamp() - &drm_crtc_funcs.get_vblank_timestamp
 * @crtc: the CRTC, with a mode
 * @max_error: set to 0
 * @time: set to the time of the latest vertical blank
 * @in_vblank_irq: not used
 *
 * Context: Any.
 * Return: true
 */
bool virtgpu_sgt_vblank_timestamp(struct drm_crtc *crtc, int *max_error, ktime_t *time,
				  bool in_vblank_irq)
{
	*time = virtgpu_sgt_vblank_last(to_virtgpu_sgt_output(crtc));
	*max_error = 0;
	return true;
}

/**
 * virtgpu_sgt_vblank_mode_valid() - can the timer follow a mode?
 * @mode: a mode, whose clock is not 0
 *
 * Return: MODE_OK; or the reason why the period is not within 1 ms and 2 s
 */
enum drm_mode_status virtgpu_sgt_vblank_mode_valid(const struct drm_display_mode *mode)
{
	int refresh;

	if (mode->flags & DRM_MODE_FLAG_INTERLACE)
		return MODE_NO_INTERLACE;
	if (mode->flags & DRM_MODE_FLAG_DBLSCAN)
		return MODE_NO_DBLESCAN;
	if (mode->vscan > 1)
		return MODE_NO_VSCAN;
	if (mode->htotal > VIRTGPU_SGT_MAX_TOTAL)
		return MODE_BAD_HVALUE;
	if (mode->vtotal > VIRTGPU_SGT_MAX_TOTAL)
		return MODE_BAD_VVALUE;

	refresh = drm_mode_vrefresh(mode);
	return refresh < 1 || refresh > VIRTGPU_SGT_MAX_REFRESH ? MODE_VSYNC : MODE_OK;
}

/**
 * virtgpu_sgt_vblank_has_event() - does userspace wait for the event of a commit?
 * @crtc_state: new state of a CRTC in the commit
 *
 * The DRM core gives an event of its own to a commit that userspace asks none for.
 *
 * Return: whether the commit has an event that a file reads, or an out-fence
 */
bool virtgpu_sgt_vblank_has_event(const struct drm_crtc_state *crtc_state)
{
	const struct drm_pending_vblank_event *event = crtc_state->event;

	return event && (event->base.file_priv || event->base.fence);
}

/**
 * virtgpu_sgt_vblank_send_event() - send the event of a commit, now or later
 * @crtc: the CRTC
 * @crtc_state: its new state; if userspace waits for the event, the host has executed the
 *	commit
 *
 * Context: Process context, the fence-signalling path.
 */
void virtgpu_sgt_vblank_send_event(struct drm_crtc *crtc, struct drm_crtc_state *crtc_state)
{
	struct drm_pending_vblank_event *event = crtc_state->event;
	bool has_event = virtgpu_sgt_vblank_has_event(crtc_state);

	if (!event)
		return;
	crtc_state->event = NULL;

	spin_lock_irq(&crtc->dev->event_lock);
	if (has_event && !drm_crtc_vblank_get(crtc))
		drm_crtc_arm_vblank_event(crtc, event);
	else
		drm_crtc_send_vblank_event(crtc, event);
	spin_unlock_irq(&crtc->dev->event_lock);
}

static void virtgpu_sgt_vblank_release(struct drm_device *drm, void *data)
{
	struct virtgpu_sgt_output *output = data;

	hrtimer_cancel(&output->vblank_timer);
}

/**
 * virtgpu_sgt_vblank_init() - initialise the vertical blank of an output
 * @output: the output, after drm_vblank_init(), whose CRTC is initialised
 *
 * The timer is cancelled before the DRM device frees the CRTC.
 *
 * Return: 0, or -ENOMEM
 */
int virtgpu_sgt_vblank_init(struct virtgpu_sgt_output *output)
{
	hrtimer_setup(&output->vblank_timer, virtgpu_sgt_vblank_timeout, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS);
	return drmm_add_action_or_reset(output->vgdev->drm, virtgpu_sgt_vblank_release,
					output);
}

/**
 * virtgpu_sgt_vblanks_stop() - send all events, and stop the timers
 * @vgdev: device, which is being removed
 *
 * Step 5 of the removal. Needed when the atomic shutdown has failed, or has not come so
 * far.
 *
 * Context: Process context, may sleep.
 */
void virtgpu_sgt_vblanks_stop(struct virtgpu_sgt_device *vgdev)
{
	unsigned int i;

	for (i = 0; i < vgdev->num_scanouts; i++) {
		drm_crtc_vblank_off(&vgdev->outputs[i].crtc);
		hrtimer_cancel(&vgdev->outputs[i].vblank_timer);
	}
}
