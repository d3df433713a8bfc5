// SPDX-License-Identifier: GPL-2.0
/*
 * Generates sequences.  Most operations can succeed, as they use objects of earlier
 * ones.  Others have one wrong argument, and a few have only wrong ones.
 */
#include <string.h>

#include "fuzz.h"

/* One of so many sequences unbinds the device, which is slow. */
#define UNBIND_EVERY	24

/* DRM_CLIENT_CAP_ATOMIC, counted from 0 */
#define CAP_ATOMIC	2

#define PERCENT_NEAR	14
#define PERCENT_WILD	6

enum mood { VALID, NEAR, WILD };

struct generator {
	uint64_t random;
	struct sequence *seq;
	uint32_t made[ARG_SLOTS];	/* slots in use, a bit each */
	int size;			/* of those in ARG_WIDTH */
	int total;			/* of all weights */
	int lanes;
};

static const uint32_t slots[ARG_SLOTS] = {
	[ARG_FILE] = FILES,
	[ARG_BUFFER] = BUFFERS,
	[ARG_FD] = FDS,
	[ARG_MAP] = MAPS,
	[ARG_FB] = FBS,
	[ARG_SYNCOBJ] = SYNCOBJS,
};

/* Mostly the size of the screen or of a cursor */
static const struct {
	uint32_t width, height;
} sizes[] = {
	{ 64, 64 }, { 1280, 800 }, { 64, 64 }, { 640, 480 }, { 1280, 800 },
	{ 1, 1 }, { 100, 37 }, { 1024, 1 }, { 1366, 768 }, { 16, 2000 },
};

static const uint32_t odd[] = {
	0, 1, 2, 3, 4, 7, 63, 65, 255, 4095, 4096, 4097, 16383, 16384, 16385,
	65535, 65536, 1u << 20, (1u << 28) - 1, 1u << 30, 0x7fffffff, 0x80000000,
	0xfffff000, 0xfffffffe, 0xffffffff,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

uint64_t fuzz_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint32_t below(struct generator *gen, uint32_t limit)
{
	return fuzz_random(&gen->random) % limit;
}

static bool chance(struct generator *gen, uint32_t percent)
{
	return below(gen, 100) < percent;
}

static uint32_t pick_bit(struct generator *gen, uint32_t bits)
{
	int which = below(gen, __builtin_popcount(bits));

	while (which--)
		bits &= bits - 1;
	return __builtin_ctz(bits);
}

static uint32_t good_slot(struct generator *gen, const struct arg_desc *arg)
{
	if (arg->use == ARG_MAKES)
		return below(gen, slots[arg->kind]);
	return pick_bit(gen, gen->made[arg->kind]);
}

static uint32_t good_value(struct generator *gen, const struct arg_desc *arg)
{
	switch (arg->kind) {
	case ARG_WIDTH:
		gen->size = below(gen, COUNT(sizes));
		return sizes[gen->size].width;
	case ARG_HEIGHT:
		return sizes[gen->size].height;
	case ARG_PICK:
		return below(gen, arg->value);
	case ARG_FLAGS:
		return chance(gen, 50) ? 0 : fuzz_random(&gen->random) & arg->value;
	case ARG_EXACT:
		return arg->value;
	case ARG_ANY:
		return fuzz_random(&gen->random) >> below(gen, 64);
	default:
		return arg->kind < ARG_SLOTS ? good_slot(gen, arg) : 0;
	}
}

/* Nearly right: a slot that may be empty, a size that is slightly off */
static uint32_t near_value(struct generator *gen, const struct arg_desc *arg)
{
	uint32_t value;

	if (arg->kind < ARG_SLOTS)
		return chance(gen, 10) ? BAD_SLOT : below(gen, slots[arg->kind]);
	if (arg->kind == ARG_VIA)
		return below(gen, FILES + 1);
	if (arg->kind == ARG_FLAGS)
		return 1u << below(gen, 32);
	if (arg->kind == ARG_POINTER)
		return below(gen, 6);

	value = good_value(gen, arg);
	return chance(gen, 50) ? value + below(gen, 9) - 4 : value ^ 1u << below(gen, 32);
}

static uint32_t wild_value(struct generator *gen, const struct arg_desc *arg)
{
	if (arg->kind < ARG_SLOTS || arg->kind == ARG_POINTER)
		return near_value(gen, arg);
	return chance(gen, 70) ? odd[below(gen, COUNT(odd))] : fuzz_random(&gen->random);
}

/* Whether all objects that the operation uses exist */
static bool can_do(const struct generator *gen, const struct op_desc *desc)
{
	for (const struct arg_desc *arg = desc->arg; arg->name; arg++)
		if (arg->kind < ARG_SLOTS && arg->use != ARG_MAKES && !gen->made[arg->kind])
			return false;
	return true;
}

static const struct op_desc *pick_op(struct generator *gen)
{
	const struct op_desc *desc;
	int which;

	do {
		which = below(gen, gen->total);
		for (int i = 0; (desc = op_at(i)); i++) {
			which -= desc->weight;
			if (which < 0)
				break;
		}
	} while (!can_do(gen, desc));
	return desc;
}

static void note(struct generator *gen, const struct op *op)
{
	for (int i = 0; op->desc->arg[i].name; i++) {
		const struct arg_desc *arg = &op->desc->arg[i];

		if (arg->kind >= ARG_SLOTS || op->arg[i] == BAD_SLOT)
			continue;
		if (arg->use == ARG_MAKES)
			gen->made[arg->kind] |= 1u << op->arg[i];
		if (arg->use == ARG_ENDS)
			gen->made[arg->kind] &= ~(1u << op->arg[i]);
	}
}

static struct op *add(struct generator *gen, const struct op_desc *desc, enum mood mood)
{
	struct op *op = &gen->seq->op[gen->seq->count++];
	int count = 0, wrong;

	memset(op, 0, sizeof(*op));
	op->desc = desc;
	op->lane = gen->lanes ? below(gen, gen->lanes) : 0;
	while (desc->arg[count].name)
		count++;
	wrong = count ? below(gen, count) : 0;
	for (int i = 0; i < count; i++) {
		bool makes = desc->arg[i].use == ARG_MAKES;

		if (!makes && (mood == NEAR ? i == wrong : mood == WILD && chance(gen, 40)))
			op->arg[i] = mood == NEAR ? near_value(gen, &desc->arg[i]) :
						    wild_value(gen, &desc->arg[i]);
		else
			op->arg[i] = good_value(gen, &desc->arg[i]);
	}
	if (mood == VALID)
		note(gen, op);
	return op;
}

static enum mood pick_mood(struct generator *gen)
{
	uint32_t dice = below(gen, 100);

	if (dice < PERCENT_WILD)
		return WILD;
	return dice < PERCENT_WILD + PERCENT_NEAR ? NEAR : VALID;
}

/* A file of a master, a buffer and often a picture, which most operations need */
static void begin(struct generator *gen)
{
	struct op *op = add(gen, op_find("open"), VALID);

	op->arg[1] = 0;
	op = add(gen, op_find("set_cap"), VALID);
	op->arg[1] = CAP_ATOMIC;
	add(gen, op_find("create_dumb"), VALID);
	if (chance(gen, 60)) {
		add(gen, op_find("add_fb"), VALID);
		add(gen, op_find("set_crtc"), VALID);
	}
}

void sequence_generate(struct sequence *seq, uint64_t seed, uint64_t index)
{
	struct generator gen = { .seq = seq, .random = seed };
	int count, split = -1, unbind = -1;
	const struct op_desc *desc;

	gen.random = fuzz_random(&gen.random) + index;
	for (int i = 0; (desc = op_at(i)); i++)
		gen.total += desc->weight;

	count = 10 + below(&gen, MAX_OPS - 16);
	if (chance(&gen, 40))
		split = 4 + below(&gen, count / 2);
	if (!below(&gen, UNBIND_EVERY))
		unbind = 6 + below(&gen, count - 6);

	seq->count = 0;
	begin(&gen);
	while (seq->count < count) {
		if (seq->count == split) {
			gen.lanes = add(&gen, op_find("split"), VALID)->arg[1] += 2;
			split = -1;
		} else if (seq->count == unbind) {
			add(&gen, op_find("unbind"), VALID);
			unbind = -1;
			if (chance(&gen, 60)) {
				add(&gen, op_find("rebind"), VALID);
				add(&gen, op_find("open"), VALID);
			}
		} else {
			add(&gen, pick_op(&gen), pick_mood(&gen));
		}
	}
}
