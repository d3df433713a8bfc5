// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "igt.h"
#include "sgt_nth.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define DEBUGFS		"/sys/kernel/debug/"

/* More points than any call has: a call that reaches them loops. */
#define MAX_POINTS	20000

/* The time for which a call may return EBUSY, as the call before is not done */
#define BUSY_MS		5000

static int nth_file = -1;

/* The path of the device under test, for example /dev/dri/card0 */
static char node[64];

int sgt_nth_fixture(struct sgt_test *test)
{
	int drm = sgt_test_begin(test);
	char *name;

	sgt_require_tables(test);
	drmDropMaster(drm);
	name = drmGetDeviceNameFromFd2(drm);
	igt_assert(name);
	snprintf(node, sizeof(node), "%s", name);
	drmFree(name);
	sgt_nth_require();
	return drm;
}

const char *sgt_try_node(void)
{
	return node;
}

int sgt_try_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

void sgt_try_open(struct sgt_try *try)
{
	try->drm = open(node, O_RDWR | O_CLOEXEC);
	igt_assert_neq(try->drm, -1);
}

void sgt_try_buffer(struct sgt_try *try)
{
	sgt_try_open(try);
	sgt_must(sgt_bo_create(&try->bo, try->drm, SGT_TRY_WIDTH, SGT_TRY_HEIGHT));
}

void sgt_try_close(struct sgt_try *try)
{
	if (try->map)
		munmap(try->map, SGT_TRY_SIZE);
	if (try->fd >= 0)
		close(try->fd);
	if (try->drm >= 0)
		close(try->drm);
	try->map = NULL;
	try->fd = -1;
	try->drm = -1;
}

/* The text is one line of /proc/kallsyms. */
static bool parse_symbol(const char *line, unsigned long *address, char *name)
{
	char type;

	return sscanf(line, "%lx %c %127s", address, &type, name) == 3;
}

/*
 * Finds the addresses of a function, which are 0 before the call.  The table is
 * sorted, except for modules.
 */
static int find_function(const char *wanted, unsigned long *start, unsigned long *end)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[256], name[128];
	unsigned long address;
	int err = -ENOENT;

	if (!file)
		return -errno;

	while (err && fgets(line, sizeof(line), file)) {
		if (!parse_symbol(line, &address, name))
			continue;
		if (!*start && !strcmp(name, wanted)) {
			*start = address;
		} else if (*start && address > *start) {
			*end = address;
			err = 0;
		}
	}
	fclose(file);
	return err;
}

static void set_knob(const char *attr, const char *knob, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUGFS "%s/%s", attr, knob);
	sgt_must(sgt_write_file(path, value));
}

/*
 * dma-debug disables itself without memory.  It allocates when it adds a mapping,
 * so exclude these allocations.
 */
static void spare_dma_debug(const char *attr)
{
	unsigned long start = 0, end = 0;
	char path[128], text[32];

	if (access(DEBUGFS "dma-api", F_OK))
		return;

	snprintf(path, sizeof(path), DEBUGFS "%s/reject-start", attr);
	igt_require_f(!access(path, F_OK),
		      "dma-debug needs CONFIG_FAULT_INJECTION_STACKTRACE_FILTER\n");
	sgt_must(find_function("add_dma_entry", &start, &end));
	snprintf(text, sizeof(text), "%#lx", start);
	set_knob(attr, "reject-start", text);
	snprintf(text, sizeof(text), "%#lx", end);
	set_knob(attr, "reject-end", text);
}

void sgt_nth_require(void)
{
	static const char * const attrs[] = {
		"failslab", "fail_page_alloc", "fail_usercopy",
		"drm_gem_sgt/fail_dma_map",
	};

	igt_require_f(!access(FAIL_NTH, W_OK), "the kernel has no fault injection\n");

	for (unsigned int i = 0; i < ARRAY_SIZE(attrs); i++) {
		/* The message and stack of each failure would overflow the log. */
		set_knob(attrs[i], "verbose", "0");
		set_knob(attrs[i], "probability", "0");
	}
	/* By default, only atomic allocations of two pages or more fail. */
	set_knob("failslab", "ignore-gfp-wait", "N");
	set_knob("failslab", "cache-filter", "N");
	set_knob("fail_page_alloc", "ignore-gfp-wait", "N");
	set_knob("fail_page_alloc", "ignore-gfp-highmem", "N");
	set_knob("fail_page_alloc", "min-order", "0");
	spare_dma_debug("failslab");
	spare_dma_debug("fail_page_alloc");

	if (nth_file < 0)
		nth_file = sgt_must(open(FAIL_NTH, O_RDWR | O_CLOEXEC));
}

void sgt_nth_begin(unsigned int point)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", point);

	igt_assert_eq(pwrite(nth_file, text, len, 0), len);
}

/*
 * The read and the write below have points as well.  The read formats the number
 * before its copy fails.  A failure sets the number to 0, as does the write.
 */
unsigned int sgt_nth_end(void)
{
	char text[16] = {};
	ssize_t len;

	len = pread(nth_file, text, sizeof(text) - 1, 0);
	if (len < 0) {
		igt_assert_eq(errno, EFAULT);
		return 1;
	}
	if (pwrite(nth_file, "0", 1, 0) != 1)
		igt_assert_eq(errno, EFAULT);
	return strtoul(text, NULL, 10);
}

/* The highest open fd, without that of the directory */
static int last_fd(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int last = -1;

	igt_assert(dir);
	while ((entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (fd != dirfd(dir) && fd > last)
			last = fd;
	}
	closedir(dir);
	return last;
}

/* The call succeeds without fault injection after it has failed. */
static void call_again(const struct sgt_nth_call *call, struct sgt_try *try, int first)
{
	int err, latched = call->latched;

	for (int ms = 0; ms < BUSY_MS; ms += 10) {
		err = call->call(try);
		if (err == -ENOMEM && latched--)
			continue;
		if (err != -EBUSY)
			break;
		poll(NULL, 0, 10);
	}
	if (first == -EFAULT && call->again && err == -call->again)
		return;
	igt_assert_f(!err, "%s after a failure: %s\n", call->name, strerror(-err));
	if (call->check)
		call->check(try);
}

/* What a failed call leaves behind: nothing, but the mapping of the buffer of the try. */
static void check_failed(const struct sgt_test *test, const struct sgt_nth_call *call,
			 const struct sgt_baseline *base)
{
	struct sgt_baseline now, left = *base;

	sgt_baseline_take(test, &now);
	if (call->maps && now.mapped == base->mapped + 1)
		left.mapped++;
	sgt_baseline_check(test, &left);
}

static void try_failed(const struct sgt_test *test, const struct sgt_nth_call *call,
		       struct sgt_try *try, int err, int fd,
		       const struct sgt_baseline *base)
{
	igt_assert_f(err == -ENOMEM || err == -EFAULT || (call->also && err == -call->also),
		     "%s: %s\n", call->name, strerror(-err));

	/* A result that was not copied to the caller exists until its file is closed. */
	if (err == -EFAULT) {
		close_range(fd + 1, ~0u, 0);
	} else {
		check_failed(test, call, base);
		igt_assert_eq(last_fd(), fd);
	}
	call_again(call, try, err);
}

/* Returns whether the call has this point. */
static bool try_point(const struct sgt_test *test, const struct sgt_nth_call *call,
		      struct sgt_try *try, unsigned int point, int *tolerated)
{
	struct sgt_baseline before, base;
	bool failed;
	int err, fd;

	igt_debug("%s: point %u\n", call->name, point);
	sgt_baseline_take(test, &before);
	if (call->prepare)
		call->prepare(try);
	sgt_baseline_take(test, &base);
	fd = last_fd();

	sgt_nth_begin(point);
	err = call->call(try);
	failed = !sgt_nth_end();

	igt_assert_f(failed || !err, "%s: %s, and nothing was made to fail\n",
		     call->name, strerror(-err));
	if (err) {
		try_failed(test, call, try, err, fd, &base);
	} else {
		*tolerated += failed;
		if (call->check)
			call->check(try);
	}
	if (call->finish)
		call->finish(try);
	sgt_baseline_check(test, &before);
	return failed;
}

void sgt_nth_report(const char *name, int points, int tolerated)
{
	char key[64];

	igt_info("%s: %d points of failure, %d of them without an error\n",
		 name, points, tolerated);
	snprintf(key, sizeof(key), "fail-points:%s", name);
	if (sgt_host_present())
		sgt_must(sgt_host_fact(key, points));
}

void sgt_nth_sweep(const struct sgt_test *test, const struct sgt_nth_call *call,
		   struct sgt_try *try)
{
	unsigned int point = 1;
	int tolerated = 0;

	if (call->begin)
		call->begin(try);
	while (try_point(test, call, try, point, &tolerated)) {
		point++;
		igt_assert_lt(point, MAX_POINTS);
	}
	if (call->end)
		call->end(try);
	sgt_nth_report(call->name, point - 1, tolerated);
}
