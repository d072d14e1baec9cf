/* SPDX-License-Identifier: MIT */
/*
 * property.h - the model of property_test.c, and the steps of its runs.
 */
#ifndef ACRE_TESTS_PROPERTY_H
#define ACRE_TESTS_PROPERTY_H

#include "lib/region.h"
#include "tests/source.h"
#include "tests/suite.h"

#define PAGE ((size_t)4096)
#define KIB ((size_t)1024)
#define MIB (KIB * KIB)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { REGIONS = 8, OBJECTS = 48, CLEANUPS = 12, MARKS = 4 };
enum { BUDGETS = 6 };

struct object {
	unsigned char *p; /* NULL: none */
	size_t size;
	unsigned char with;
	bool string;   /* may not be reallocated or freed */
	uint64_t born; /* the model's time */
	bool forget;   /* at a rewind, though it is older */
};

struct task {
	acre_cleanup storage;
	acre_cleanup storage_of_next;
	struct model *model;
	int id; /* 0: none */
	bool in_storage;
	bool registers; /* another one, which runs next */
	struct object *watches;
	uint64_t born;
};

struct mark {
	acre_mark mark;
	uint64_t time;
	size_t small, blocks;
};

/* Below another one, or none. */
struct budget_model {
	acre_budget *budget; /* NULL: none */
	struct budget_model *parent;
	size_t limit;
};

struct model {
	acre_region *region; /* NULL: none */
	struct model *parent;
	struct budget_model *budget;
	uint64_t born;
	struct object objects[OBJECTS];
	struct task *tasks[CLEANUPS]; /* oldest first */
	int task_count;
	struct mark marks[MARKS];
	int mark_count;
	size_t small;  /* used, but for large objects */
	size_t max_bytes;
	size_t first;  /* bytes of the first block; 0: a buffer */
	bool failed;
	char *buffer;
};

/* ---- property_model.c ---- */

extern struct model models[REGIONS];
extern struct budget_model budgets[BUDGETS];
extern struct test_source source;
extern acre_pool *pool;
extern uint64_t seed, now; /* of the run; the model's time */
extern int at_step;
extern bool sourced; /* the pool's source is the test's */

/* Says where. */
#define REQUIRE(condition)                                               \
	do {                                                             \
		if (!(condition))                                        \
			ck_abort_msg("TEST_SEED=%llu, step %d: %s",      \
				(unsigned long long)seed, at_step,       \
				#condition);                             \
	} while (0)

/* Numbers that seed decides; of sizes mostly small, some of a few pages, few
 * large. */
void random_begin(void);
size_t random_below(size_t n);
bool chance(size_t percent);
size_t random_size(void);

/* Bytes of a region that are used, or in blocks, but for large objects. */
size_t small_used(const struct model *m);
size_t block_bytes(const struct model *m);
struct large *large_of(const struct model *m, const struct object *o);

void check_object(const struct object *o);
void check_contents(const struct model *m);
void check_region(const struct model *m);
void check_pool(void);
void check_budgets(void);
void check_all(void);

/* Have b and all above it so much room? */
bool budgets_have(const struct budget_model *b, size_t size);

/* Can only budgets have refused? */
bool only_budgets_limit(const struct model *m);

/* The least that must be held more for an object of its own. */
size_t least_for(size_t size);

/* ---- property_objects.c ---- */

/* NULL: there is none. */
struct object *some_object(struct model *m, bool string);

/* After a call that has failed: all is as it was. */
void check_failure(struct model *m, size_t used, size_t held);

void step_alloc(struct model *m);
void step_string(struct model *m);
void step_realloc(struct model *m);
void step_free(struct model *m);

/* ---- property_regions.c ---- */

void step_cleanup(struct model *m);
void step_cancel(struct model *m);
void step_close(struct model *m);
void step_reset(struct model *m);
void step_mark(struct model *m);
void step_rewind(struct model *m);
void step_open(struct model *m);
void step_detach(struct model *m);

/* A budget is made, or ended where that can be. */
void step_budget(void);
void end_budgets(void);

/* From its nth call from now the source fails, or no more. */
void step_source(void);

#endif
