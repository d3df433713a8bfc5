// SPDX-License-Identifier: GPL-2.0
/* Delta debugging: removes operations as long as the failure is the same. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* How often a sequence may run until it fails, as races do not fail each time */
#define TRIES	8

struct search {
	struct runner *runner;
	const struct finding *wanted;
	int tries, runs;
	bool stuck;
};

static bool fails(struct search *search, const struct sequence *seq)
{
	static struct finding found;

	for (int i = 0; i < search->tries && !search->stuck; i++) {
		search->runs++;
		if (runner_run(search->runner, seq) == RUN_STUCK)
			search->stuck = true;
		else if (watch_look(&found) && !strcmp(found.what, search->wanted->what))
			return true;
	}
	return false;
}

static void leave_out(struct sequence *to, const struct sequence *from, int at, int count)
{
	*to = *from;
	to->count -= count;
	memmove(&to->op[at], &from->op[at + count],
		(from->count - at - count) * sizeof(to->op[0]));
}

/* The output has the shortest sequence so far, even if the next one stops the guest. */
static void announce(const struct sequence *seq)
{
	printf("ops ");
	sequence_print_word(seq, stdout);
	fflush(stdout);
}

static bool shorten(struct search *search, struct sequence *seq, int chunk)
{
	struct sequence less;
	bool any = false;

	/* From the end, as later operations depend on earlier ones */
	for (int at = seq->count - chunk; at >= 0 && !search->stuck; at -= chunk) {
		if (at + chunk > seq->count || seq->count == chunk)
			continue;
		leave_out(&less, seq, at, chunk);
		if (!fails(search, &less))
			continue;
		*seq = less;
		any = true;
		announce(seq);
	}
	return any;
}

/* One lane is easier to read than four. */
static void flatten(struct search *search, struct sequence *seq)
{
	struct sequence flat = *seq;

	for (int i = 0; i < flat.count; i++)
		flat.op[i].lane = 0;
	if (memcmp(&flat, seq, sizeof(flat)) && fails(search, &flat)) {
		*seq = flat;
		announce(seq);
	}
}

/* Sets arguments to 0, so that only those that matter are left. */
static void plain_arguments(struct search *search, struct sequence *seq)
{
	struct sequence plain;

	for (int i = 0; i < seq->count; i++) {
		for (int j = 0; seq->op[i].desc->arg[j].name && !search->stuck; j++) {
			const struct arg_desc *arg = &seq->op[i].desc->arg[j];
			uint32_t value = arg->kind == ARG_EXACT ? arg->value : 0;

			if (arg->kind < ARG_SLOTS || seq->op[i].arg[j] == value)
				continue;
			plain = *seq;
			plain.op[i].arg[j] = value;
			if (fails(search, &plain))
				*seq = plain;
		}
	}
	announce(seq);
}

enum run_end minimise(struct runner *runner, struct sequence *seq,
		      const struct finding *wanted)
{
	struct search search = { .runner = runner, .wanted = wanted, .tries = TRIES };

	if (!fails(&search, seq))
		return search.stuck ? RUN_STUCK : RUN_TIMEOUT;

	watch_hurry();
	/* A sequence that fails in its first run is run once each time. */
	search.tries = search.runs == 1 ? 1 : TRIES;
	flatten(&search, seq);
	for (int chunk = seq->count / 2; chunk > 0 && !search.stuck; chunk /= 2)
		while (shorten(&search, seq, chunk) && chunk == 1)
			;
	plain_arguments(&search, seq);
	printf("%d operations are left after %d runs\n", seq->count, search.runs);
	return search.stuck ? RUN_STUCK : RUN_DONE;
}
