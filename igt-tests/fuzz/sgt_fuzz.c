// SPDX-License-Identifier: GPL-2.0
/*
 * Runs random sequences of operations on the device until one fails, and reduces it
 * to the operations that matter.
 *
 * Output: "at INDEX" before each sequence; "ops WORD" for the shortest program so
 * far that fails; other lines are messages.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define PROGRESS_MS	5000

enum { EXIT_FOUND = 1, EXIT_USAGE = 2, EXIT_ONCE = 3, EXIT_STUCK = 4 };

struct options {
	uint64_t seed, first, count;
	long seconds;
	const char *ops;
	bool print, table;
};

static const char usage[] =
	"usage: sgt_fuzz [options]\n"
	"  --seed N      of the sequences (default: the time)\n"
	"  --first N     index of the first one (default: 0)\n"
	"  --count N     so many of them (default: no limit)\n"
	"  --seconds N   for so long (default: no limit)\n"
	"  --ops WORD    this sequence instead, as \"ops\" lines have it\n"
	"  --print       do not run the sequences, show them\n"
	"  --table       at the end, how often each operation succeeded\n";

static unsigned long sum(const unsigned long *counts)
{
	unsigned long total = 0;

	for (int i = 0; i < MAX_KINDS; i++)
		total += counts[i];
	return total;
}

static void print_progress(const struct runner *runner, const struct options *options,
			   uint64_t sequences, long ms)
{
	unsigned long calls = sum(runner->tally->calls);
	unsigned long good = sum(runner->tally->good);

	printf("seed %llu: %llu sequences, %lu calls, %lu %% succeeded, %ld s\n",
	       (unsigned long long)options->seed, (unsigned long long)sequences, calls,
	       calls ? good * 100 / calls : 0, ms / 1000);
	fflush(stdout);
}

static void print_table(const struct tally *tally)
{
	const struct op_desc *desc;

	for (int i = 0; (desc = op_at(i)); i++)
		if (desc->run)
			printf("%-18s %8lu calls %8lu succeeded\n", desc->name,
			       tally->calls[i], tally->good[i]);
}

static int report(struct runner *runner, struct sequence *seq, struct finding *finding,
		  enum run_end end)
{
	printf("found: %s\n%s", end == RUN_STUCK ? "a process that cannot be killed, or no device" :
	       finding->what, finding->log);
	printf("ops ");
	sequence_print_word(seq, stdout);
	fflush(stdout);
	if (end == RUN_STUCK)
		return EXIT_STUCK;

	printf("looking for the shortest program with the same result\n");
	end = minimise(runner, seq, finding);
	if (end == RUN_TIMEOUT)
		printf("it does not happen again with the same sequence\n");
	printf("program:\n");
	sequence_print(seq, stdout, "  ");
	fflush(stdout);
	return end == RUN_STUCK ? EXIT_STUCK : end == RUN_TIMEOUT ? EXIT_ONCE : EXIT_FOUND;
}

static int run_all(const struct options *options)
{
	static struct finding finding;
	long start = watch_now_ms(), shown = start, now = start;
	struct sequence seq;
	struct runner runner;
	uint64_t done = 0;

	if (!runner_begin(&runner)) {
		fprintf(stderr, "no device with the DRM driver virtio_gpu, or no screen\n");
		return EXIT_USAGE;
	}
	watch_begin();
	while (done < options->count && now - start < options->seconds * 1000) {
		enum run_end end;

		if (options->ops)
			sequence_parse(&seq, options->ops);
		else
			sequence_generate(&seq, options->seed, options->first + done);
		printf("at %llu\n", (unsigned long long)(options->first + done));
		end = runner_run(&runner, &seq);
		if (watch_look(&finding) || end == RUN_STUCK)
			return report(&runner, &seq, &finding, end);

		done++;
		now = watch_now_ms();
		if (now - shown > PROGRESS_MS) {
			print_progress(&runner, options, done, now - start);
			shown = now;
		}
	}
	print_progress(&runner, options, done, now - start);
	if (options->table)
		print_table(runner.tally);
	return 0;
}

static int print_all(const struct options *options)
{
	struct sequence seq;

	for (uint64_t i = 0; i < options->count; i++) {
		sequence_generate(&seq, options->seed, options->first + i);
		printf("ops ");
		sequence_print_word(&seq, stdout);
		sequence_print(&seq, stdout, "  ");
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "first", required_argument, NULL, 'f' },
		{ "count", required_argument, NULL, 'c' },
		{ "seconds", required_argument, NULL, 't' },
		{ "ops", required_argument, NULL, 'o' },
		{ "print", no_argument, NULL, 'p' },
		{ "table", no_argument, NULL, 'b' },
		{}
	};
	struct options options = {
		.seed = watch_now_ms(),
		.count = UINT64_MAX,
		.seconds = INT32_MAX / 1000,
	};
	struct sequence seq;
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (option) {
		case 's':
			options.seed = strtoull(optarg, NULL, 0);
			break;
		case 'f':
			options.first = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			options.count = strtoull(optarg, NULL, 0);
			break;
		case 't':
			options.seconds = strtol(optarg, NULL, 0);
			break;
		case 'o':
			options.ops = optarg;
			if (!sequence_parse(&seq, optarg))
				return EXIT_USAGE;
			break;
		case 'p':
			options.print = true;
			break;
		case 'b':
			options.table = true;
			break;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	return options.print ? print_all(&options) : run_all(&options);
}
