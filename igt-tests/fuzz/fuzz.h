/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A program of the fuzzer is a sequence of operations, and a pure function of a
 * seed and an index.  An operation is a name and numbers.  The objects that it uses
 * are in numbered slots, so that removing one operation does not change the others.
 */
#ifndef SGT_FUZZ_H
#define SGT_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/sgt_bus.h"

#define MAX_ARGS	13
#define MAX_OPS		80
#define MAX_KINDS	128
#define MAX_LANES	4
#define MAX_PROPS	160

/* The slots of each kind; the object in BAD_SLOT was never valid. */
#define FILES	4
#define BUFFERS	6
#define FDS	6
#define MAPS	4
#define FBS	5
#define SYNCOBJS 4
#define BAD_SLOT 99

#define BAD_HANDLE	0xdeadu

enum arg_kind {
	ARG_END,
	/* a slot */
	ARG_FILE, ARG_BUFFER, ARG_FD, ARG_MAP, ARG_FB, ARG_SYNCOBJ,
	ARG_SLOTS,
	/* a file for something that has one: 0, that one; n + 1, slot n */
	ARG_VIA,
	ARG_WIDTH, ARG_HEIGHT,	/* which fit each other */
	ARG_PICK,		/* less than .value */
	ARG_FLAGS,		/* some bits of .value */
	ARG_EXACT,		/* .value, or it is wrong */
	ARG_OFF_BY,		/* 0, or it is wrong by so much */
	ARG_POINTER,		/* see fuzz_pointer() */
	ARG_ANY,
};

enum arg_use { ARG_USES, ARG_MAKES, ARG_ENDS };

struct arg_desc {
	const char *name;
	uint8_t kind, use;
	uint32_t value;
};

struct world;

struct op_desc {
	const char *name;
	int weight;		/* 0: only the generator inserts it */
	/* 0 or a negative errno: -ECANCELED if an object is missing */
	int (*run)(struct world *world, const uint32_t *arg);
	struct arg_desc arg[MAX_ARGS + 1];
};

struct op {
	const struct op_desc *desc;
	uint8_t lane;		/* the process that runs it after a split */
	uint32_t arg[MAX_ARGS];
};

struct sequence {
	int count;
	struct op op[MAX_OPS];
};

/* How the lanes of a split run */
enum { SPLIT_THREADS, SPLIT_PROCESSES, SPLIT_KILLED, SPLITS };

/* op.c: the table of operations, and their text */
extern const struct op_desc file_ops[], buffer_ops[], share_ops[], kms_ops[], vm_ops[];

const struct op_desc *op_at(int index);		/* NULL: no more */
int op_index(const struct op_desc *desc);
const struct op_desc *op_find(const char *name);
void sequence_print(const struct sequence *seq, FILE *to, const char *indent);
void sequence_print_word(const struct sequence *seq, FILE *to);
/* A word: arguments are separated by commas, operations by semicolons. */
bool sequence_parse(struct sequence *seq, const char *word);

/* generate.c */
void sequence_generate(struct sequence *seq, uint64_t seed, uint64_t index);

/* world.c: the objects of a sequence */
struct buffer {
	uint32_t handle, width, height, pitch, name, file;
	uint64_t size;
};

struct fb {
	uint32_t id, file, width, height;
};

struct syncobj {
	uint32_t handle, file;
};

struct map {
	void *start;
	size_t size;
};

struct property {
	uint32_t object, type, id;
	char name[24];
};

struct kms {
	uint32_t crtc, connector, primary, cursor;
	struct property prop[MAX_PROPS];
	int props;
};

struct world {
	struct sgt_gpu gpu;
	char card[32], render[32], vgem_card[32];	/* device nodes */
	int file[FILES];
	struct buffer buffer[BUFFERS];
	int fd[FDS];
	struct map map[MAPS];
	struct fb fb[FBS];
	struct syncobj syncobj[SYNCOBJS];
	int vgem, udmabuf, sink;	/* sink: a file of vgem that imports */
	char *area;			/* the addresses of mappings */
	const struct kms *kms;
};

bool world_find(struct world *world);		/* the device, while it exists */
bool world_find_kms(const struct world *world, struct kms *kms);
void world_begin(struct world *world);

int world_file(const struct world *world, uint32_t slot);
int world_via(const struct world *world, uint32_t own, uint32_t via);
int world_fd(const struct world *world, uint32_t slot);
struct buffer *world_buffer(struct world *world, uint32_t slot);
struct fb *world_fb(struct world *world, uint32_t slot);
struct syncobj *world_syncobj(struct world *world, uint32_t slot);
struct map *world_map(struct world *world, uint32_t slot);
void world_put_fd(struct world *world, uint32_t slot, int fd);
uint32_t world_property(const struct world *world, uint32_t object, const char *name);

int fuzz_ioctl(int fd, unsigned long request, void *arg);
void *fuzz_mmap(struct world *world, uint32_t slot, int fd, uint64_t offset, size_t size);
/* 0: @good; else one of several that are wrong in some way */
uint64_t fuzz_pointer(const void *good, uint32_t how);
uint64_t fuzz_random(uint64_t *state);

/* run.c */
struct tally {
	unsigned long calls[MAX_KINDS], good[MAX_KINDS];
};

enum run_end { RUN_DONE, RUN_TIMEOUT, RUN_STUCK };

struct runner {
	struct world world;
	struct kms kms;
	struct tally *tally;		/* shared with the processes of the sequence */
	unsigned int limit_ms;
};

bool runner_begin(struct runner *runner);
/* Runs in another process.  Binds the device again afterwards. */
enum run_end runner_run(struct runner *runner, const struct sequence *seq);

/* watch.c: failures */
struct finding {
	char what[160];		/* the same for the same bug */
	char log[1 << 14];
};

void watch_begin(void);
/* After a sequence: waits a little until its objects are freed. */
bool watch_look(struct finding *finding);
void watch_hurry(void);
long watch_now_ms(void);

/* minimise.c: RUN_STUCK if the guest cannot continue */
enum run_end minimise(struct runner *runner, struct sequence *seq,
		      const struct finding *wanted);

#endif
