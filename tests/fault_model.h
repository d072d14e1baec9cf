/* SPDX-License-Identifier: MIT */
/*
 * fault_model.h - what is there while calls fail: pools, budgets, regions,
 * objects.
 *
 *	MUST(r = acre_region_open(pool));      again, until it is done
 *	MUST_DO(acre_region_retire(r));
 *
 * Between calls all of it is held against what the library says, and every
 * object against what was written to it. A call may fail once, with ENOMEM,
 * and only where a fault came in between; then the same call must succeed. Or
 * the faults stay: then the scenario is left where it stands (abandon), and
 * all that there is must end without memory.
 */
#ifndef ACRE_TESTS_FAULT_MODEL_H
#define ACRE_TESTS_FAULT_MODEL_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

#include "acre/acre.h"
#include "tests/fault.h"

enum { POOLS = 24, REGIONS = 64, OBJECTS = 600, BUDGETS = 4 };

struct object {
	acre_region *region; /* NULL: none */
	unsigned char *p;
	size_t size;
	unsigned char with;
};

struct opened {
	acre_region *region; /* NULL: none */
	acre_region *parent;
	acre_budget *budget;
	acre_pool *pool;
};

struct budget {
	acre_budget *budget; /* NULL: none */
	acre_budget *parent;
};

extern struct model {
	const char *scenario;
	const char *mode;
	size_t n;              /* the call that fails */
	bool stays;            /* faults do, so the first failure ends it */
	bool limbo;            /* the helper may be at work, not at rest */
	acre_pool *pools[POOLS];
	struct budget budgets[BUDGETS]; /* parents first */
	struct opened regions[REGIONS];
	struct object objects[OBJECTS];
	int cleanups;          /* registered, and not run */
} model;

extern _Thread_local jmp_buf abandon;

#define REQUIRE(condition)                                              \
	((condition) ? (void)0 : required(__LINE__, #condition))

_Noreturn void required(int line, const char *condition);

/* ---- what is there ---- */

bool is_all(const unsigned char *p, size_t size, unsigned char with);

/* A pool's statistics, and all that there is, at rest. */
void check_pool(acre_pool *pool);
void check_model(void);

/* The model knows it from now on. An object is filled. */
acre_pool *has_pool(acre_pool *pool);
acre_budget *has_budget(acre_budget *budget, acre_budget *parent);
acre_region *has_region(acre_pool *pool, acre_region *region,
	const acre_region_options *options);
void *has_object(acre_region *region, void *p, size_t size);
struct object *find_object(const void *p);

/* Its objects are gone; it is, and its children are. */
void drop_objects(const acre_region *region);
void drop_region(const acre_region *region);

/* ---- calls that may fail ---- */

void begin_call(void);

/* Whether the call is to be made again. */
bool call_failed(int error);

#define MUST(pointer)                                                   \
	do {                                                            \
		begin_call();                                           \
	} while (call_failed((pointer) ? 0 : errno))
#define MUST_DO(action)                                                 \
	do {                                                            \
		begin_call();                                           \
	} while (call_failed(action))

/* ---- the end ---- */

void close_region(acre_region *region);

/* Roots close what is below them. */
void end_all(void);

#endif
