// SPDX-License-Identifier: GPL-2.0
#include <signal.h>

#include "igt.h"
#include "sgt_swap.h"
#include "sgt_test.h"

const char *sgt_setup(void)
{
	return getenv("SGT_SETUP") ?: "";
}

bool sgt_setup_is(const char *name)
{
	return !strcmp(sgt_setup(), name);
}

bool sgt_setup_is_physical(void)
{
	return sgt_setup_is("phys") || sgt_setup_is("mmio") || sgt_setup_is("blob");
}

int sgt_test_begin(struct sgt_test *test)
{
	const char *driver = getenv("SGT_DRIVER");
	int drm;

	drm = sgt_open();
	igt_require_f(drm >= 0, "no device with the DRM driver virtio_gpu\n");
	sgt_must(sgt_gpu_find(&test->gpu, drm));

	/* A run for this driver must not pass with another one. */
	test->tables = sgt_gpu_is_sgt(&test->gpu);
	if (driver)
		igt_assert_eq(!strcmp(driver, "sgt"), test->tables);
	if (test->tables)
		igt_assert_f(sgt_tables_present(), "debugfs is not mounted\n");

	return drm;
}

void sgt_require_host(void)
{
	if (*sgt_setup())
		igt_assert_f(sgt_host_present(), "the guest lost its port to the host\n");
	else
		igt_require_f(sgt_host_present(), "no port to the host\n");
}

void sgt_require_tables(const struct sgt_test *test)
{
	igt_require_f(test->tables, "the driver is not built on drm_gem_sgt\n");
}

static void measure(struct sgt_baseline *base)
{
	struct sgt_device_row row;

	sgt_must(sgt_find_live_device(&row));
	base->dev = row.id;
	base->mapped = row.mapped;
	base->buffers = sgt_must(sgt_count_buffers(row.id));
}

void sgt_baseline_take(const struct sgt_test *test, struct sgt_baseline *base)
{
	memset(base, 0, sizeof(*base));
	if (test->tables)
		measure(base);
}

void sgt_baseline_check(const struct sgt_test *test,
			const struct sgt_baseline *base)
{
	struct sgt_baseline now = {};

	if (!test->tables)
		return;

	/* A command in progress may hold the last reference. */
	sgt_for_a_while(end) {
		measure(&now);
		if (now.buffers == base->buffers && now.mapped == base->mapped)
			break;
	}
	igt_assert_eq(now.dev, base->dev);
	igt_assert_eq(now.buffers, base->buffers);
	igt_assert_eq_u64(now.mapped, base->mapped);
}

void sgt_expect_row(const struct sgt_test *test, const struct sgt_bo *bo,
		    struct sgt_buffer_row *row)
{
	struct sgt_device_row dev;

	igt_assert(test->tables);
	sgt_must(sgt_find_live_device(&dev));
	sgt_must(sgt_find_buffer(dev.id, bo->size, row));
}

void sgt_expect_shrunk(const struct sgt_test *test, const struct sgt_bo *bo, const char *state)
{
	struct sgt_buffer_row row;

	sgt_for_a_while(end) {
		sgt_must(sgt_shrink());
		sgt_expect_row(test, bo, &row);
		if (!strcmp(row.state, state))
			break;
	}
	igt_assert_f(!strcmp(row.state, state), "buffer of %lu bytes: %s, and not %s\n",
		     (unsigned long)bo->size, row.state, state);
}

uint32_t sgt_new_seed(void)
{
	static uint32_t seed = 1000;

	return seed++;
}

void sgt_expect_part(const struct sgt_part *part, uint32_t seed)
{
	int err = 0;

	/* A commit does not wait for the device to process the commands. */
	sgt_for_a_while(end) {
		err = sgt_host_part(part, seed);
		if (err != -EREMOTEIO)
			break;
	}
	igt_assert_f(!err, "screen: %s (%s)\n", sgt_host_reply(), strerror(-err));
}

void sgt_expect_screen(const struct sgt_screen *screen, uint32_t seed)
{
	int err = 0;

	/* A commit does not wait for the device to process the commands. */
	sgt_for_a_while(end) {
		err = sgt_host_screen(screen->mode.hdisplay,
				      screen->mode.vdisplay, seed);
		if (err != -EREMOTEIO)
			break;
	}
	igt_assert_f(!err, "screen: %s (%s)\n", sgt_host_reply(), strerror(-err));
}

int sgt_wait_trace(const char *event, int count)
{
	int seen = 0;

	sgt_for_a_while(end) {
		seen = sgt_must(sgt_host_trace_count(event));
		if (seen >= count)
			break;
	}
	igt_assert_f(seen >= count, "%s: %d times, not %d\n", event, seen, count);
	return seen;
}

void sgt_expect_trace(const char *event, int count)
{
	igt_assert_eq(sgt_wait_trace(event, count), count);
}

void sgt_expect_pattern(const uint32_t *words, size_t count, uint32_t seed)
{
	size_t matched = 0;
	int sig;

	sig = sgt_try_match(words, count, seed, &matched);
	igt_assert_f(!sig, "reading raised %s\n", strsignal(sig));
	igt_assert_f(matched == count,
		     "word %zu of %zu (page %zu) is %#x, not %#x\n",
		     matched, count, matched / WORDS_PER_PAGE, words[matched],
		     sgt_pattern(matched, seed));
}

void sgt_fill(uint32_t *words, size_t count, uint32_t seed)
{
	int sig = sgt_try_fill(words, count, seed);

	igt_assert_f(!sig, "writing raised %s\n", strsignal(sig));
}

void sgt_expect_faults(long faults, long expected)
{
	if (sgt_cpu_marks_pages())
		igt_assert_eq(faults, expected);
	else
		igt_assert(faults >= expected);
}

void sgt_make_picture(struct sgt_bo *bo, const struct sgt_screen *screen,
		      uint32_t seed)
{
	sgt_must(sgt_bo_create(bo, screen->drm, screen->mode.hdisplay,
			       screen->mode.vdisplay));
	/* The pattern is continued from row to row. */
	igt_assert_eq(bo->pitch, bo->width * sizeof(*bo->map));
	sgt_must(sgt_bo_map(bo));
	sgt_fill(bo->map, sgt_bo_words(bo), seed);
	sgt_must(sgt_bo_add_fb(bo));
}
