/* SPDX-License-Identifier: MIT */
/*
 * fault_model.c - what is there while calls fail, held against the library.
 */
#include "tests/fault_model.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fault.h"

struct model model;
_Thread_local jmp_buf abandon;
static _Thread_local size_t faults_before;

_Noreturn void
required(int line, const char *condition)
{
	fprintf(stderr, "%s, %s at call %zu, line %d: not so: %s (%s)\n",
		model.scenario, model.mode, model.n, line, condition,
		strerror(errno));
	abort();
}

/* ---- what is there ---- */

bool
is_all(const unsigned char *p, size_t size, unsigned char with)
{
	return !size || (*p == with && !memcmp(p, p + 1, size - 1));
}

static void
check_objects(void)
{
	for (int i = 0; i < OBJECTS; i++) {
		const struct object *o = &model.objects[i];

		REQUIRE(!o->region || is_all(o->p, o->size, o->with));
	}
}

void
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

static size_t
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

void
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

acre_pool *
has_pool(acre_pool *pool)
{
	for (int i = 0; i < POOLS; i++)
		if (!model.pools[i])
			return model.pools[i] = pool;
	REQUIRE(false && "room for a pool");
	return NULL;
}

acre_budget *
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

acre_region *
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

void *
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

struct object *
find_object(const void *p)
{
	for (int i = 0; i < OBJECTS; i++)
		if (model.objects[i].region && model.objects[i].p == p)
			return &model.objects[i];
	REQUIRE(false && "an object of that address");
	return NULL;
}

void
drop_objects(const acre_region *region)
{
	for (int i = 0; i < OBJECTS; i++)
		if (model.objects[i].region == region)
			model.objects[i].region = NULL;
}

void
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

void
begin_call(void)
{
	check_model();
	errno = 0;
	faults_before = fault_count();
}

bool
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

/* ---- the end ---- */

void
close_region(acre_region *region)
{
	check_objects();
	acre_region_close(region);
	drop_region(region);
	check_model();
}

void
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
