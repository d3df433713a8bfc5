// SPDX-License-Identifier: GPL-2.0
/* Runs a sequence in another process, and in several lanes after a split. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

/* The time for a killed process to end, as it may be in an unbind */
#define DEATH_MS	60000

/* The time until a device that is bound again appears */
#define BIND_MS		20000

struct lane {
	struct runner *runner;
	const struct sequence *seq;
	int first, number;
};

static void run_op(struct runner *runner, const struct op *op)
{
	int index = op_index(op->desc);
	int err;

	if (!op->desc->run)
		return;
	err = op->desc->run(&runner->world, op->arg);
	if (err == -ECANCELED)
		return;
	__atomic_fetch_add(&runner->tally->calls[index], 1, __ATOMIC_RELAXED);
	if (!err)
		__atomic_fetch_add(&runner->tally->good[index], 1, __ATOMIC_RELAXED);
}

static void *run_lane(void *data)
{
	const struct lane *lane = data;

	for (int i = lane->first; i < lane->seq->count; i++)
		if (lane->seq->op[i].lane == lane->number)
			run_op(lane->runner, &lane->seq->op[i]);
	return NULL;
}

static void run_threads(struct lane *lanes, int count)
{
	pthread_t thread[MAX_LANES];
	bool started[MAX_LANES] = {};

	for (int i = 1; i < count; i++)
		started[i] = !pthread_create(&thread[i], NULL, run_lane, &lanes[i]);
	run_lane(&lanes[0]);
	for (int i = 1; i < count; i++)
		if (started[i])
			pthread_join(thread[i], NULL);
}

/* The files are shared, the numbers of handles are copies. */
static void run_processes(struct lane *lanes, int count, bool kill_them)
{
	pid_t pid[MAX_LANES] = {};

	for (int i = 1; i < count; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			run_lane(&lanes[i]);
			_exit(0);
		}
	}
	run_lane(&lanes[0]);
	for (int i = 1; i < count; i++) {
		if (pid[i] <= 0)
			continue;
		if (kill_them)
			kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
}

static void run_split(struct runner *runner, const struct sequence *seq, int at)
{
	uint32_t how = seq->op[at].arg[0];
	struct lane lanes[MAX_LANES];

	for (int i = 0; i < MAX_LANES; i++)
		lanes[i] = (struct lane) { runner, seq, at + 1, i };
	if (how == SPLIT_THREADS)
		run_threads(lanes, MAX_LANES);
	else
		run_processes(lanes, MAX_LANES, how == SPLIT_KILLED);
}

static void run_ops(struct runner *runner, const struct sequence *seq)
{
	for (int i = 0; i < seq->count; i++) {
		if (!strcmp(seq->op[i].desc->name, "split")) {
			run_split(runner, seq, i);
			return;
		}
		run_op(runner, &seq->op[i]);
	}
}

static bool wait_for_end(pid_t pid, int ms)
{
	struct pollfd pfd = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	bool ended = poll(&pfd, 1, ms) > 0;

	close(pfd.fd);
	return ended;
}

/* Kills the process and its children before the check for leaks. */
static bool reap(pid_t group)
{
	long end = watch_now_ms() + DEATH_MS;

	kill(-group, SIGKILL);
	while (waitpid(-group, NULL, WNOHANG) >= 0) {
		if (watch_now_ms() > end)
			return false;
		poll(NULL, 0, 1);
	}
	return true;
}

/* The sequence may have bound the device again, with another minor. */
static bool find_again(struct runner *runner)
{
	long end = watch_now_ms() + BIND_MS;

	if (sgt_gpu_recover(&runner->world.gpu))
		return false;
	while (access(runner->world.card, F_OK) || access(runner->world.render, F_OK)) {
		if (watch_now_ms() > end)
			return false;
		if (world_find(&runner->world))
			break;
		poll(NULL, 0, 10);
	}
	return true;
}

static void show_file(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text));

	if (len > 0)
		printf("%s:\n%.*s", path, (int)len, text);
	close(fd);
}

/* Prints where the processes sleep that did not end in time. */
static void show_stacks(pid_t group)
{
	char path[300];
	glob_t tasks;

	if (glob("/proc/[0-9]*/task/*", GLOB_NOSORT, NULL, &tasks))
		return;
	for (size_t i = 0; i < tasks.gl_pathc; i++) {
		if (getpgid(atoi(tasks.gl_pathv[i] + strlen("/proc/"))) != group)
			continue;
		snprintf(path, sizeof(path), "%s/stack", tasks.gl_pathv[i]);
		show_file(path);
	}
	globfree(&tasks);
}

static bool unbinds(const struct sequence *seq)
{
	for (int i = 0; i < seq->count; i++)
		if (!strcmp(seq->op[i].desc->name, "unbind"))
			return true;
	return false;
}

bool runner_begin(struct runner *runner)
{
	memset(runner, 0, sizeof(*runner));
	runner->limit_ms = getenv("SGT_DEBUG") ? 20000 : 5000;
	runner->tally = mmap(NULL, sizeof(*runner->tally), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	runner->world.kms = &runner->kms;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return world_find(&runner->world) && world_find_kms(&runner->world, &runner->kms);
}

enum run_end runner_run(struct runner *runner, const struct sequence *seq)
{
	enum run_end end = RUN_DONE;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		world_begin(&runner->world);
		run_ops(runner, seq);
		_exit(0);
	}
	setpgid(pid, pid);
	if (!wait_for_end(pid, runner->limit_ms))
		end = RUN_TIMEOUT;
	if (end == RUN_TIMEOUT)
		show_stacks(pid);
	if (!reap(pid))
		return RUN_STUCK;
	if (unbinds(seq) && !find_again(runner))
		return RUN_STUCK;
	return end;
}
