/* SPDX-License-Identifier: MIT */
/*
 * property_model.c - what regions and budgets should be, held against what
 * they are.
 */
#include "tests/property.h"

struct model models[REGIONS];
struct budget_model budgets[BUDGETS];
struct test_source source;
acre_pool *pool;
uint64_t seed, now;
int at_step;
bool sourced;
static uint64_t state;

/* ---- random numbers ---- */

void
random_begin(void)
{
	state = seed * 0x9e3779b97f4a7c15ull + 1;
}

size_t
random_below(size_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (size_t)((state * 0x2545f4914f6cdd1dull) >> 33) % n;
}

bool
chance(size_t percent)
{
	return random_below(100) < percent;
}

size_t
random_size(void)
{
	static const size_t most[] = {
		64, 64, 64, 300, 300, 300, 300, 2000, 2000, 5000, 12000,
		40000, 200000,
	};

	return random_below(most[random_below(COUNT(most))]);
}

/* ---- what is ---- */

/* The bytes of large objects, and how many there are. */
static size_t
large_bytes(const struct model *m, int *count)
{
	const struct region *r = region_of(m->region);
	size_t bytes = 0;

	*count = 0;
	if (!(r->state & STATE_MORE))
		return 0;
	for (const struct large *l = r->more.large; l; l = l->next) {
		bytes += l->size;
		++*count;
	}
	return bytes;
}

size_t
small_used(const struct model *m)
{
	int count;

	return acre_region_used(m->region) - large_bytes(m, &count);
}

size_t
block_bytes(const struct model *m)
{
	int count;

	return acre_region_held(m->region) - large_bytes(m, &count);
}

struct large *
large_of(const struct model *m, const struct object *o)
{
	return o->string && (uintptr_t)o->p % ACRE_ALIGN ? NULL :
		large_find(region_of(m->region), o->p);
}

/* ---- holding it against the model ---- */

void
check_object(const struct object *o)
{
	for (size_t i = 0; i < o->size; i++)
		REQUIRE(o->p[i] == o->with);
}

void
check_contents(const struct model *m)
{
	for (int i = 0; i < OBJECTS; i++)
		if (m->objects[i].p)
			check_object(&m->objects[i]);
}

void
check_region(const struct model *m)
{
	const acre_region *r = m->region;
	int large = 0, count;

	for (int i = 0; i < OBJECTS; i++)
		if (m->objects[i].p && large_of(m, &m->objects[i]))
			large++;
	large_bytes(m, &count);
	REQUIRE(count == large);
	REQUIRE(small_used(m) == m->small);
	REQUIRE(!m->max_bytes || acre_region_held(r) <= m->max_bytes);
	REQUIRE(acre_region_failed(r) == m->failed);
	REQUIRE(r->top <= r->limit);
	REQUIRE(r->top % ACRE_ALIGN == 0 && r->limit % ACRE_ALIGN == 0);
}

void
check_pool(void)
{
	acre_stats s = stats_of(pool);
	size_t held = 0, open = 0;

	for (int i = 0; i < REGIONS; i++) {
		if (!models[i].region)
			continue;
		held += acre_region_held(models[i].region);
		open++;
	}
	REQUIRE(s.region_bytes + s.large_bytes == held);
	REQUIRE(s.regions_open == open);
	REQUIRE(s.chunk_bytes == s.region_bytes + s.cache_bytes +
		s.free_bytes + s.uncarved_bytes + s.slack_bytes);
	if (sourced)
		REQUIRE(source.calls + source.resizes == s.source_calls);
}

/* What regions hold below a budget. */
static size_t
charged_to(const struct budget_model *b)
{
	size_t bytes = 0;

	for (int i = 0; i < REGIONS; i++) {
		const struct budget_model *of =
			models[i].region ? models[i].budget : NULL;

		while (of && of != b)
			of = of->parent;
		if (of)
			bytes += acre_region_held(models[i].region);
	}
	return bytes;
}

void
check_budgets(void)
{
	for (int i = 0; i < BUDGETS; i++) {
		const struct budget_model *b = &budgets[i];

		if (!b->budget)
			continue;
		REQUIRE(acre_budget_used(b->budget) == charged_to(b));
		REQUIRE(charged_to(b) <= b->limit);
	}
}

bool
budgets_have(const struct budget_model *b, size_t size)
{
	for (; b; b = b->parent)
		if (b->limit - charged_to(b) < size)
			return false;
	return true;
}

bool
only_budgets_limit(const struct model *m)
{
	return !m->max_bytes && !source.fail_at &&
		!pool->chunks.source.max_bytes;
}

size_t
least_for(size_t size)
{
	unsigned order = 0;

	if (size > pool->orders[pool->order_count - 1].size)
		return ALIGN_UP(size);
	while (pool->orders[order].size <
		size + (size > pool->object_most ? 0 : BLOCK_HEADER))
		order++;
	return pool->orders[order].size;
}

void
check_all(void)
{
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region) {
			check_region(&models[i]);
			check_contents(&models[i]);
		}
	check_pool();
}
