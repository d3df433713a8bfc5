// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"

#include "sgt_children.h"
#include "sgt_rounds.h"

/* Longer than any wait of the driver, that for a silent host included */
#define LIMIT_US	60000000l
#define POLL_MS		10

static void read_first_line(pid_t pid, const char *name, char *line, int size)
{
	char path[64];
	FILE *file;

	line[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(line, size, file))
		line[strcspn(line, "\n")] = '\0';
	fclose(file);
}

/* The state of a child, as in /proc; 0 if it is gone */
static char child_state(pid_t pid)
{
	char line[256], state;
	const char *name_end;
	int parent;

	read_first_line(pid, "stat", line, sizeof(line));
	name_end = strrchr(line, ')');
	if (!name_end || sscanf(name_end, ") %c %d", &state, &parent) != 2 || parent != getpid())
		return 0;
	return state;
}

bool sgt_child_is_stuck(pid_t child)
{
	return child_state(child) == 'D';
}

/* A child that runs or sleeps, and is not a zombie */
static bool is_living_child(pid_t pid)
{
	char state = child_state(pid);

	return state && state != 'Z';
}

/* The first living child after @pid, or 0 */
static pid_t next_child(pid_t pid)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t next = 0;

	igt_assert(proc);
	while ((entry = readdir(proc))) {
		pid_t found = atoi(entry->d_name);

		if (found > pid && (!next || found < next) && is_living_child(found))
			next = found;
	}
	closedir(proc);
	return next;
}

static bool has_child_exited(void)
{
	siginfo_t info = {};

	igt_assert_eq(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	return info.si_pid;
}

static bool have_reached(const volatile uint32_t *counters, unsigned int num,
			 uint32_t wanted)
{
	while (num--)
		if (counters[num] < wanted)
			return false;
	return true;
}

/* Fails if a child lives, with the place where it sleeps; kills all of them. */
static void fail_if_stuck(void)
{
	char where[64] = "", call[128];
	bool stuck = false;
	pid_t pid;

	for (pid = next_child(0); pid; pid = next_child(pid)) {
		read_first_line(pid, "wchan", where, sizeof(where));
		read_first_line(pid, "syscall", call, sizeof(call));
		igt_info("child %d is still there: in %s, system call %s\n", pid,
			 where, call);
		kill(pid, SIGKILL);
		stuck = true;
	}
	igt_assert_f(!stuck, "a child is stuck: in %s\n", where);
}

void sgt_children_reach(const volatile uint32_t *counters, unsigned int num,
			uint32_t wanted)
{
	long end = sgt_now_us() + LIMIT_US;

	while (!have_reached(counters, num, wanted)) {
		if (has_child_exited()) {
			igt_waitchildren();
			igt_assert_f(have_reached(counters, num, wanted),
				     "a child has exited too early\n");
		}
		if (sgt_now_us() > end)
			fail_if_stuck();
		sched_yield();
	}
}

void sgt_children_wait(void)
{
	long end = sgt_now_us() + LIMIT_US;

	while (next_child(0) && sgt_now_us() < end)
		poll(NULL, 0, POLL_MS);
	fail_if_stuck();
	igt_waitchildren();
}
