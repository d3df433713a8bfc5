// SPDX-License-Identifier: GPL-2.0
/*
 * What igt.h of this directory declares, for an architecture that Debian has no
 * libigt for.  It runs subtests, fixtures and groups, forks, and reports in
 * libigt's words; it is not a copy of IGT.
 */
#define _GNU_SOURCE
#include <fnmatch.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <time.h>

#include "igt.h"

/* The exit statuses of IGT's programs */
#define STATUS_SKIP	77
#define STATUS_INVALID	79
#define STATUS_FAILURE	98

#define MAX_CHILDREN	64

jmp_buf igt_subtest_jmpbuf;

/* What becomes of the subtests that follow in the same group */
enum fate { RUN, SKIP, FAIL };

static struct {
	const char *wanted;
	bool list, matched;
	bool in_fixture;
	enum fate rest;
	bool passed, failed;
	char subtest[256];
	struct timespec started;
} run;

static struct {
	pid_t pids[MAX_CHILDREN];
	int count;
	bool is_child;
} children;

/* The newest debug messages, shown if the subtest fails */
static struct {
	char text[1 << 14];
	size_t length;
} debug;

static const char *timeout_op;

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return;
	fputs(text, file);
	fclose(file);
}

static void keep_debug(const char *text)
{
	size_t length = strlen(text);

	if (length >= sizeof(debug.text))
		return;
	if (debug.length + length >= sizeof(debug.text))
		debug.length = 0;
	memcpy(debug.text + debug.length, text, length + 1);
	debug.length += length;
}

static void vlog(enum igt_log_level level, const char *format, va_list args)
{
	static const char * const names[] = { "DEBUG", "INFO", "WARNING", "CRITICAL" };
	char said[1024], line[1200];

	vsnprintf(said, sizeof(said), format, args);
	snprintf(line, sizeof(line), "(%s:%d) %s: %s", program_invocation_short_name,
		 getpid(), names[level], said);
	if (level == IGT_LOG_DEBUG)
		keep_debug(line);
	else if (level == IGT_LOG_INFO)
		fputs(said, stdout);
	else
		fputs(line, stderr);
}

void igt_log(const char *domain, enum igt_log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vlog(level, format, args);
	va_end(args);
}

#define critical(...) igt_log(NULL, IGT_LOG_CRITICAL, __VA_ARGS__)

void igt_kmsg(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	write_file("/dev/kmsg", text);
}

void igt_describe_f(const char *format, ...)
{
}

/* Ends the children; a failed one fails the test unless it ends anyway. */
static bool reap(bool kill_all)
{
	bool failed = false;

	for (int i = 0; i < children.count; i++) {
		int status = 0;

		if (kill_all || failed)
			kill(children.pids[i], SIGKILL);
		while (waitpid(children.pids[i], &status, 0) < 0 && errno == EINTR)
			;
		if (status && !kill_all && !failed) {
			critical("child %d ended with status %#x\n", i, status);
			failed = true;
		}
	}
	children.count = 0;
	return failed;
}

/* Leaves the subtest, or the fixture, by a jump to its start. */
static SGT_NORETURN void leave(enum fate fate)
{
	static const char * const names[] = { "SUCCESS", "SKIP", "FAIL" };
	struct timespec now;

	if (children.is_child)
		exit(STATUS_FAILURE);
	reap(true);
	igt_reset_timeout();
	if (run.in_fixture) {
		run.in_fixture = false;
		run.rest = fate;
		siglongjmp(igt_subtest_jmpbuf, 1);
	}
	if (!*run.subtest)
		igt_exit();

	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("Subtest %s: %s (%.3fs)\n", run.subtest, names[fate],
	       now.tv_sec - run.started.tv_sec + (now.tv_nsec - run.started.tv_nsec) / 1e9);
	*run.subtest = '\0';
	siglongjmp(igt_subtest_jmpbuf, 1);
}

static SGT_NORETURN void fail(void)
{
	if (debug.length)
		fprintf(stderr, "**** DEBUG ****\n%s****  END  ****\n", debug.text);
	run.failed = true;
	leave(FAIL);
}

void igt_success(void)
{
	if (children.count) {
		critical("%d children were not waited for\n", children.count);
		fail();
	}
	run.passed = true;
	leave(RUN);
}

void __igt_fail_assert(const char *domain, const char *file, const int line, const char *func,
		       const char *assertion, const char *format, ...)
{
	int err = errno;
	va_list args;

	critical("Test assertion failure function %s, file %s:%d:\n", func, file, line);
	critical("Failed assertion: %s\n", assertion);
	if (err)
		critical("Last errno: %d, %s\n", err, strerror(err));
	if (format) {
		va_start(args, format);
		vlog(IGT_LOG_CRITICAL, format, args);
		va_end(args);
	}
	fail();
}

void igt_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	leave(SKIP);
}

void __igt_skip_check(const char *file, const int line, const char *func, const char *check,
		      const char *format, ...)
{
	va_list args;

	printf("Test requirement not met in function %s, file %s:%d:\n", func, file, line);
	printf("Test requirement: %s\n", check);
	if (format) {
		va_start(args, format);
		vprintf(format, args);
		va_end(args);
	}
	leave(SKIP);
}

void igt_exit(void)
{
	int status = STATUS_SKIP;

	if (run.list)
		exit(0);
	if (run.wanted && !run.matched) {
		critical("Unknown subtest: %s\n", run.wanted);
		exit(STATUS_INVALID);
	}
	reap(true);
	if (run.failed)
		status = STATUS_FAILURE;
	else if (run.passed)
		status = 0;
	igt_kmsg(KMSG_INFO "%s: exiting, ret=%d\n", program_invocation_short_name, status);
	exit(status);
}

bool __igt_run_subtest(const char *name, const char *file, const int line)
{
	if (run.list) {
		puts(name);
		return false;
	}
	if (run.wanted && fnmatch(run.wanted, name, 0))
		return false;

	run.matched = true;
	if (run.rest != RUN) {
		printf("Subtest %s: %s\n", name, run.rest == SKIP ? "SKIP" : "FAIL");
		return false;
	}

	igt_kmsg(KMSG_INFO "%s: starting subtest %s\n", program_invocation_short_name, name);
	printf("Starting subtest: %s\n", name);
	snprintf(run.subtest, sizeof(run.subtest), "%s", name);
	clock_gettime(CLOCK_MONOTONIC, &run.started);
	debug.length = 0;
	return true;
}

bool __igt_fixture(void)
{
	if (run.list || run.rest != RUN)
		return false;
	run.in_fixture = true;
	return true;
}

void __igt_fixture_complete(void)
{
	run.in_fixture = false;
}

void __igt_subtest_group_save(int *skip, int *desc)
{
	*skip = run.rest;
	*desc = 0;
}

void __igt_subtest_group_restore(int skip, int desc)
{
	run.rest = skip;
}

bool __igt_fork(void)
{
	pid_t pid;

	igt_assert_lt(children.count, MAX_CHILDREN);
	fflush(NULL);
	pid = fork();
	igt_assert(pid >= 0);
	if (pid) {
		children.pids[children.count++] = pid;
		return false;
	}
	children.count = 0;
	children.is_child = true;
	return true;
}

void igt_waitchildren(void)
{
	if (reap(false))
		fail();
}

static void on_alarm(int signal)
{
	critical("Timed out: %s\n", timeout_op ?: "");
	fail();
}

void igt_set_timeout(unsigned int seconds, const char *op)
{
	struct sigaction action = { .sa_handler = on_alarm };

	timeout_op = op;
	sigaction(SIGALRM, &action, NULL);
	alarm(seconds);
}

void igt_reset_timeout(void)
{
	alarm(0);
}

int igt_subtest_init_parse_opts(int *argc, char **argv, const char *short_opts,
				const struct option *long_opts, const char *help,
				igt_opt_handler_t handler, void *data)
{
	static const struct option options[] = {
		{ "list-subtests", no_argument, NULL, 'l' },
		{ "run-subtest", required_argument, NULL, 'r' },
		{}
	};
	int option;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((option = getopt_long(*argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			exit(STATUS_INVALID);
		if (option == 'l')
			run.list = true;
		else
			run.wanted = optarg;
	}

	/* Out of memory, the test is what ends. */
	if (!run.list)
		write_file("/proc/self/oom_score_adj", "1000");
	return 0;
}
