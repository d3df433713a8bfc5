// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sgt_mem.h"
#include "sgt_pattern.h"

static sigjmp_buf fault;

static void on_fault(int sig)
{
	siglongjmp(fault, sig);
}

struct handlers {
	struct sigaction bus, segv;
};

static void catch_faults(struct handlers *old)
{
	struct sigaction act = { .sa_handler = on_fault };

	sigaction(SIGBUS, &act, &old->bus);
	sigaction(SIGSEGV, &act, &old->segv);
}

static void release_faults(const struct handlers *old)
{
	sigaction(SIGBUS, &old->bus, NULL);
	sigaction(SIGSEGV, &old->segv, NULL);
}

/* Runs a statement.  The value is the signal that it raised, or 0. */
#define TRY(statement) ({						\
	struct handlers old;						\
	int sig;							\
									\
	catch_faults(&old);						\
	sig = sigsetjmp(fault, 1);					\
	if (!sig)							\
		statement;						\
	release_faults(&old);						\
	sig;								\
})

int sgt_try_read(const volatile uint32_t *word, uint32_t *value)
{
	return TRY(*value = *word);
}

int sgt_try_write(volatile uint32_t *word, uint32_t value)
{
	return TRY(*word = value);
}

int sgt_try_fill(uint32_t *words, size_t count, uint32_t seed)
{
	return TRY(sgt_pattern_fill(words, count, seed));
}

int sgt_try_match(const uint32_t *words, size_t count, uint32_t seed,
		  size_t *matched)
{
	return TRY(*matched = sgt_pattern_match(words, count, seed));
}

long sgt_count_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

bool sgt_cpu_marks_pages(void)
{
	volatile char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long faults;

	if (page == MAP_FAILED)
		return false;

	(void)*page;
	faults = -sgt_count_faults();
	*page = 1;
	faults += sgt_count_faults();
	munmap((void *)page, 4096);
	return !faults;
}

/* The two pipes allocate pages in turn. */
static int fill_in_turn(int first, int second, size_t pages)
{
	static const char page[4096];

	for (size_t i = 0; i < pages; i++) {
		if (write(first, page, sizeof(page)) != sizeof(page) ||
		    write(second, page, sizeof(page)) != sizeof(page))
			return -ENOMEM;
	}
	return 0;
}

static cpu_set_t cpus_before;

static int stay_on_cpu(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	if (sched_getaffinity(0, sizeof(cpus_before), &cpus_before) ||
	    sched_setaffinity(0, sizeof(here), &here))
		return -errno;
	return 0;
}

/*
 * A pipe allocates unmovable pages one at a time, as a GEM object does.  Two pipes
 * that are filled in turn split each free block of memory between them page by
 * page.  When one is closed, its pages are free without free neighbours, and the
 * allocator uses single pages before it splits a larger block.  It uses those of
 * the same CPU first.
 */
int sgt_scatter_begin(struct sgt_scatter *scatter, size_t bytes)
{
	int drop[2], err;

	scatter->keep[0] = -1;
	scatter->keep[1] = -1;

	if (pipe2(drop, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	if (pipe2(scatter->keep, O_CLOEXEC | O_NONBLOCK)) {
		err = -errno;
		goto out;
	}

	if (fcntl(drop[1], F_SETPIPE_SZ, bytes) < 0 ||
	    fcntl(scatter->keep[1], F_SETPIPE_SZ, bytes) < 0)
		err = -errno;
	else
		err = stay_on_cpu() ?: fill_in_turn(scatter->keep[1], drop[1], bytes / 4096);
	if (err)
		sgt_scatter_end(scatter);
out:
	close(drop[0]);
	close(drop[1]);
	return err;
}

void sgt_scatter_end(struct sgt_scatter *scatter)
{
	if (CPU_COUNT(&cpus_before))
		sched_setaffinity(0, sizeof(cpus_before), &cpus_before);
	close(scatter->keep[0]);
	close(scatter->keep[1]);
	scatter->keep[0] = -1;
	scatter->keep[1] = -1;
}
