/* SPDX-License-Identifier: MIT */
/*
 * model.h - what regions should be, and holding them against it.
 *
 * The model knows of each region its live objects, each filled with a byte of
 * its own, their order, its cleanups, marks and children; it knows the
 * library by its public header alone. REQUIRE aborts with a line.
 */
#ifndef ACRE_FUZZ_MODEL_H
#define ACRE_FUZZ_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "acre/acre.h"

enum { POOLS = 2, REGIONS = 10, OBJECTS = 24, TASKS = 200, MARKS = 3 };

struct object {
	unsigned char *p; /* NULL: none */
	size_t size;
	unsigned char with;
	bool string;      /* may not be resized or freed */
	uint64_t born;    /* the model's time */
};

struct mark {
	acre_mark mark;
	uint64_t time;
	size_t used, held;
	bool exact;       /* nothing older has changed since */
};

struct model {
	acre_region *region; /* NULL: none */
	struct model *parent;
	struct budget *budget; /* NULL: none; see budgets.h */
	unsigned pool;
	unsigned owner;      /* an actor */
	bool detached;
	bool failed;
	uint64_t born;
	size_t max_bytes;
	size_t first;        /* held when it was opened */
	char *buffer;
	struct object objects[OBJECTS];
	struct mark marks[MARKS];
	int mark_count;
};

/* A cleanup: its region's, or, once that is retired, nobody's. */
struct task {
	acre_cleanup storage;
	struct model *model; /* NULL: cancelled, over, or in limbo */
	uint64_t born;
	bool cancelled;
	bool reports;        /* when it runs, in model_ran */
	atomic_int ran;
};

/* An object of a retired region, which a reader may still read. */
struct ghost {
	const unsigned char *p;
	size_t size;
	unsigned char with;
};

extern struct model models[REGIONS];
extern struct task tasks[TASKS];
extern int task_count;
extern uint64_t model_now;

#define REQUIRE(condition) \
	((condition) ? (void)0 : model_broken(__FILE__, __LINE__, #condition))
_Noreturn void model_broken(const char *file, int line, const char *condition);

void model_begin(void);
struct model *model_root(struct model *m);

/* A new object; it may be nobody else's memory. NULL: no room for one. */
struct object *model_slot(struct model *m);
void model_fill(struct object *o, unsigned char *p, size_t size);
void model_check_object(const struct object *o);
void model_check_contents(const struct model *m);
void model_check_region(const struct model *m);

/* The cleanup of every task; and whether those of m's end ran in order. */
void model_run_task(void *task);
void model_expect_end(struct model *m, uint64_t since);
void model_check_end(void);

/* Forget what m has had since, or all of it and its children. */
void model_forget(struct model *m, uint64_t since);

/* Before m is retired: its cleanups run on the helper, and if it is read,
 * readers still see its objects. After: it was, or is still open. */
void model_begin_retire(struct model *m, bool read);
void model_end_retire(struct model *m, bool retired);
void model_check_ghosts(void);
void model_drop_ghosts(void);

/* When all pools are gone. */
void model_free_buffers(void);
/* Every cleanup has run once. */
void model_check_tasks(void);

#endif
