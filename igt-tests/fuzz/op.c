// SPDX-License-Identifier: GPL-2.0
/* The table of all operations, and sequences of them as text. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static const struct op_desc * const groups[] = {
	file_ops, buffer_ops, share_ops, kms_ops, vm_ops,
};

const struct op_desc *op_at(int index)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		for (const struct op_desc *desc = groups[i]; desc->name; desc++)
			if (!index--)
				return desc;
	return NULL;
}

int op_index(const struct op_desc *desc)
{
	int index = 0;

	while (op_at(index) != desc)
		index++;
	return index;
}

const struct op_desc *op_find(const char *name)
{
	const struct op_desc *desc;

	for (int i = 0; (desc = op_at(i)); i++)
		if (!strcmp(desc->name, name))
			return desc;
	return NULL;
}

static void print_op(const struct op *op, FILE *to, char between)
{
	fprintf(to, "%s", op->desc->name);
	if (op->lane)
		fprintf(to, "%clane=%u", between, op->lane);
	for (int i = 0; op->desc->arg[i].name; i++) {
		const char *format = op->arg[i] < 10000 ? "%c%s=%u" : "%c%s=%#x";

		fprintf(to, format, between, op->desc->arg[i].name, op->arg[i]);
	}
}

void sequence_print(const struct sequence *seq, FILE *to, const char *indent)
{
	for (int i = 0; i < seq->count; i++) {
		fputs(indent, to);
		print_op(&seq->op[i], to, ' ');
		fputc('\n', to);
	}
}

void sequence_print_word(const struct sequence *seq, FILE *to)
{
	for (int i = 0; i < seq->count; i++) {
		print_op(&seq->op[i], to, ',');
		fputc(i + 1 < seq->count ? ';' : '\n', to);
	}
}

static bool parse_arg(struct op *op, char *text)
{
	char *number = strchr(text, '=');

	if (!number)
		return false;
	*number++ = '\0';
	if (!strcmp(text, "lane")) {
		op->lane = strtoul(number, NULL, 0) % MAX_LANES;
		return true;
	}
	for (int i = 0; op->desc->arg[i].name; i++) {
		if (strcmp(op->desc->arg[i].name, text))
			continue;
		op->arg[i] = strtoul(number, NULL, 0);
		return true;
	}
	return false;
}

static bool parse_op(struct op *op, char *text)
{
	char *save, *part = strtok_r(text, ",", &save);

	memset(op, 0, sizeof(*op));
	op->desc = part ? op_find(part) : NULL;
	if (!op->desc)
		return false;
	while ((part = strtok_r(NULL, ",", &save)))
		if (!parse_arg(op, part))
			return false;
	return true;
}

bool sequence_parse(struct sequence *seq, const char *word)
{
	char *copy = strdup(word), *save, *part;
	bool good = copy;

	seq->count = 0;
	for (part = strtok_r(copy, ";", &save); good && part; part = strtok_r(NULL, ";", &save)) {
		good = seq->count < MAX_OPS && parse_op(&seq->op[seq->count], part);
		if (good)
			seq->count++;
		else
			fprintf(stderr, "no such operation, or argument of it: %s\n", part);
	}
	free(copy);
	return good && seq->count;
}
