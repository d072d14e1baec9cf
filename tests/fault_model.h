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
#include <stdio.h>
#include <string.h>

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

static struct {
	const char *scenario;
	const char *mode;
	size_t n;              /* the call that fails */
	bool stays;            /* faults do, so the first failure ends it */
	bool limbo;            /* the helper may be at work: nothing is at rest */
	acre_pool *pools[POOLS];
	struct budget budgets[BUDGETS]; /* parents first */
	struct opened regions[REGIONS];
	struct object objects[OBJECTS];
	int cleanups;          /* registered, and not run */
} model;

static _Thread_local jmp_buf abandon;
static _Thread_local size_t faults_before;

#define REQUIRE(condition)                                              \
	((condition) ? (void)0 : required(__LINE__, #condition))

static inline void
required(int line, const char *condition)
{
	fprintf(stderr, "%s, %s at call %zu, line %d: not so: %s (%s)\n",
		model.scenario, model.mode, model.n, line, condition,
		strerror(errno));
	abort();
}

/* ---- what is there ---- */

static inline bool
is_all(const unsigned char *p, size_t size, unsigned char with)
{
	return !size || (*p == with && !memcmp(p, p + 1, size - 1));
}

static inline void
check_objects(void)
{
	for (int i = 0; i < OBJECTS; i++) {
		const struct object *o = &model.objects[i];

		REQUIRE(!o->region || is_all(o->p, o->size, o->with));
	}
}

static inline void
check_pool(acre_pool *pool)
{
	size_t held = 0, open = 0;
	acre_stats s;

	acre_pool_stats(pool, &s);
	for (int i = 0; i < REGIONS; i++)
		if (model.regions[i].region && model.regions[i].pool == pool) {
			held += acre_region_held(model.regions[i].region);
			open++;
		}
	REQUIRE(s.regions_open == open);
	REQUIRE(s.region_bytes + s.large_bytes == held);
	REQUIRE(s.chunk_bytes == s.region_bytes + s.cache_bytes +
		s.free_bytes + s.limbo_bytes + s.uncarved_bytes +
		s.slack_bytes);
	REQUIRE(s.limbo_bytes == 0);
}

static inline size_t
held_within(const acre_budget *budget)
{
	size_t held = 0;

	for (int i = 0; i < REGIONS; i++)
		if (model.regions[i].region &&
			model.regions[i].budget == budget)
			held += acre_region_held(model.regions[i].region);
	for (int i = 0; i < BUDGETS; i++)
		if (model.budgets[i].budget &&
			model.budgets[i].parent == budget)
			held += held_within(model.budgets[i].budget);
	return held;
}

static inline void
check_model(void)
{
	check_objects();
	for (int i = 0; i < POOLS && !model.limbo; i++)
		if (model.pools[i])
			check_pool(model.pools[i]);
	for (int i = 0; i < BUDGETS && !model.limbo; i++)
		if (model.budgets[i].budget)
			REQUIRE(acre_budget_used(model.budgets[i].budget) ==
				held_within(model.budgets[i].budget));
}

static inline acre_pool *
has_pool(acre_pool *pool)
{
	for (int i = 0; i < POOLS; i++)
		if (!model.pools[i])
			return model.pools[i] = pool;
	REQUIRE(false && "room for a pool");
	return NULL;
}

static inline acre_budget *
has_budget(acre_budget *budget, acre_budget *parent)
{
	for (int i = 0; i < BUDGETS; i++)
		if (!model.budgets[i].budget) {
			model.budgets[i] = (struct budget){budget, parent};
			return budget;
		}
	REQUIRE(false && "room for a budget");
	return NULL;
}

static inline acre_region *
has_region(acre_pool *pool, acre_region *region,
	const acre_region_options *options)
{
	for (int i = 0; i < REGIONS; i++)
		if (!model.regions[i].region) {
			model.regions[i] = (struct opened){region,
				options->parent, options->budget, pool};
			return region;
		}
	REQUIRE(false && "room for a region");
	return NULL;
}

/* An object that the model knows from now on, filled. */
static inline void *
has_object(acre_region *region, void *p, size_t size)
{
	static unsigned char with;

	REQUIRE((uintptr_t)p % ACRE_ALIGN == 0);
	for (int i = 0; i < OBJECTS; i++)
		if (!model.objects[i].region) {
			model.objects[i] = (struct object){region, p, size,
				(unsigned char)(++with | 1)};
			memset(p, model.objects[i].with, size);
			return p;
		}
	REQUIRE(false && "room for an object");
	return NULL;
}

static inline struct object *
find_object(const void *p)
{
	for (int i = 0; i < OBJECTS; i++)
		if (model.objects[i].region && model.objects[i].p == p)
			return &model.objects[i];
	REQUIRE(false && "an object of that address");
	return NULL;
}

static inline void
drop_objects(const acre_region *region)
{
	for (int i = 0; i < OBJECTS; i++)
		if (model.objects[i].region == region)
			model.objects[i].region = NULL;
}

/* It is gone, and its children are. */
static inline void
drop_region(const acre_region *region)
{
	drop_objects(region);
	for (int i = 0; i < REGIONS; i++) {
		struct opened *o = &model.regions[i];

		if (o->region && o->parent == region) {
			const acre_region *child = o->region;

			o->parent = NULL;
			drop_region(child);
		}
		if (o->region == region)
			o->region = NULL;
	}
}

/* ---- calls that may fail ---- */

static inline void
begin_call(void)
{
	check_model();
	errno = 0;
	faults_before = fault_count();
}

/* Whether the call is to be made again. */
static inline bool
call_failed(int error)
{
	if (!error)
		return false;
	check_model();
	REQUIRE(error == ENOMEM);
	REQUIRE(fault_count() > faults_before);
	if (model.stays)
		longjmp(abandon, 1);
	fault_never();
	return true;
}

#define MUST(pointer)                                                   \
	do {                                                            \
		begin_call();                                           \
	} while (call_failed((pointer) ? 0 : errno))
#define MUST_DO(action)                                                 \
	do {                                                            \
		begin_call();                                           \
	} while (call_failed(action))

/* ---- the end ---- */

static inline void
close_region(acre_region *region)
{
	check_objects();
	acre_region_close(region);
	drop_region(region);
	check_model();
}

/* Roots close what is below them. */
static inline void
end_all(void)
{
	for (int i = 0; i < REGIONS; i++)
		if (model.regions[i].region && !model.regions[i].parent)
			close_region(model.regions[i].region);
	for (int i = 0; i < POOLS; i++)
		if (model.pools[i]) {
			REQUIRE(acre_pool_destroy(model.pools[i]) == 0);
			model.pools[i] = NULL;
		}
	for (int i = BUDGETS; i-- > 0;) {
		REQUIRE(!model.budgets[i].budget ||
			!acre_budget_used(model.budgets[i].budget));
		REQUIRE(acre_budget_destroy(model.budgets[i].budget) == 0);
		model.budgets[i].budget = NULL;
	}
	REQUIRE(model.cleanups == 0);
}

#endif
