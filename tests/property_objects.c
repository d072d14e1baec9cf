/* SPDX-License-Identifier: MIT */
/*
 * property_objects.c - steps that take, resize and free objects.
 */
#include "tests/property.h"

#include <string.h>

static struct object *
free_slot(struct model *m)
{
	for (int i = 0; i < OBJECTS; i++)
		if (!m->objects[i].p)
			return &m->objects[i];
	return NULL;
}

struct object *
some_object(struct model *m, bool string)
{
	size_t from = random_below(OBJECTS);

	for (size_t i = 0; i < OBJECTS; i++) {
		struct object *o = &m->objects[(from + i) % OBJECTS];

		if (o->p && (string || !o->string))
			return o;
	}
	return NULL;
}

static bool
is_watched(const struct model *m, const struct object *o)
{
	for (int i = 0; i < m->task_count; i++)
		if (m->tasks[i]->watches == o)
			return true;
	return false;
}

static void
fill(struct object *o, unsigned char *p, size_t size)
{
	o->p = p;
	o->size = size;
	o->with = (unsigned char)(random_below(255) + 1);
	memset(p, o->with, size);
}

void
check_failure(struct model *m, size_t used, size_t held)
{
	REQUIRE(errno == ENOMEM);
	m->failed = true;
	REQUIRE(acre_region_used(m->region) == used);
	REQUIRE(acre_region_held(m->region) == held);
}

/* What an object took of blocks: itself or, of a large one, its record. */
static void
check_taken(struct model *m, const struct object *o, size_t least,
	size_t most)
{
	size_t taken = small_used(m) - m->small;
	struct large *large = large_of(m, o);

	if (large) {
		REQUIRE(taken == 0 || taken == ALIGN_UP(sizeof(*large)));
		REQUIRE(o->p >= (unsigned char *)large->memory);
		REQUIRE(o->p + o->size <=
			(unsigned char *)large->memory + large->size);
	} else {
		REQUIRE(taken >= least && taken <= most);
	}
	m->small += taken;
}

void
step_alloc(struct model *m)
{
	size_t size = random_size(), align = 1;
	size_t used = acre_region_used(m->region);
	size_t held = acre_region_held(m->region);
	struct object *o = free_slot(m);
	unsigned char *p;
	bool zero = false;

	if (!o)
		return;
	errno = 0;
	if (chance(20)) {
		align = (size_t)1 << random_below(15);
		p = acre_alloc_aligned(m->region, size, align);
	} else if (chance(20)) {
		p = acre_zalloc(m->region, size);
		zero = true;
	} else {
		p = acre_alloc(m->region, size);
	}
	if (!p) {
		check_failure(m, used, held);
		/* A large one's record may want a page, too. */
		if (align == 1 && only_budgets_limit(m))
			REQUIRE(!budgets_have(m->budget, least_for(size) +
				(size > pool->object_most ? pool->page_size :
							    0)));
		return;
	}
	REQUIRE((uintptr_t)p % align == 0);
	REQUIRE((uintptr_t)p % ACRE_ALIGN == 0);
	for (size_t i = 0; zero && i < size; i++)
		REQUIRE(p[i] == 0);
	*o = (struct object){.born = ++now};
	fill(o, p, size);
	check_taken(m, o, ALIGN_UP(size ? size : 1),
		ALIGN_UP(size ? size : 1) + (align > 16 ? align : 0));
}

void
step_string(struct model *m)
{
	static char text[6000];
	size_t length = random_size() % sizeof(text);
	size_t used = acre_region_used(m->region);
	size_t held = acre_region_held(m->region);
	struct object *o = free_slot(m);
	unsigned char with = (unsigned char)(random_below(255) + 1);
	char *p;

	if (!o)
		return;
	memset(text, with, sizeof(text) - 1);
	errno = 0;
	p = chance(80) ? acre_strndup(m->region, text, length) :
		acre_asprintf(m->region, "%.*s", (int)length, text);
	if (!p) {
		check_failure(m, used, held);
		return;
	}
	REQUIRE(strlen(p) == length);
	*o = (struct object){.p = (unsigned char *)p, .size = length,
		.with = with, .string = true, .born = ++now};
	check_taken(m, o, length + 1, ALIGN_UP(length + 1));
}

static bool
is_at_tip(const struct model *m, const struct object *o)
{
	return (uintptr_t)o->p + ALIGN_UP(o->size ? o->size : 1) ==
		m->region->top;
}

/* Is there a mark that is younger than it? */
static bool
is_below_a_mark(const struct model *m, const struct object *o)
{
	return m->mark_count &&
		m->marks[m->mark_count - 1].time >= o->born;
}

static bool
is_inside(const struct large *large, const unsigned char *p)
{
	return (uintptr_t)p - (uintptr_t)large->memory < large->size;
}

void
step_realloc(struct model *m)
{
	struct object *o = some_object(m, false);
	size_t used = acre_region_used(m->region);
	size_t held = acre_region_held(m->region);
	size_t size = random_size(), least, old_size;
	struct large *large;
	unsigned char *p;
	bool tip;

	if (!o || is_watched(m, o))
		return;
	check_object(o);
	large = large_of(m, o);
	tip = !large && is_at_tip(m, o);
	old_size = large && chance(50) ? ACRE_SIZE_UNKNOWN : o->size;
	least = size < o->size ? size : o->size;
	errno = 0;
	p = acre_realloc(m->region, o->p, old_size, size);
	if (!p) {
		check_failure(m, used, held);
		check_object(o);
		return;
	}
	for (size_t i = 0; i < least; i++)
		REQUIRE(p[i] == o->with);
	REQUIRE((uintptr_t)p % ACRE_ALIGN == 0);
	if (!large && !tip && size <= o->size)
		REQUIRE(p == o->p);
	if (!large && tip && size <= o->size)
		REQUIRE(m->region->top ==
			(uintptr_t)p + ALIGN_UP(size ? size : 1));
	/* What the source has moved is as old as it was. */
	if (p != o->p && !(large && is_inside(large, p)))
		o->born = ++now, o->forget = false;
	else if (!large && is_below_a_mark(m, o))
		o->forget = true; /* a rewind may cut it */
	/* Blocks have given or taken only what the tip moved, or what a new
	 * place took. */
	if (p == o->p && !tip)
		REQUIRE(small_used(m) == m->small);
	else
		REQUIRE(small_used(m) <= m->small + ALIGN_UP(size + 1) +
			ALIGN_UP(sizeof(struct large)));
	m->small = small_used(m);
	fill(o, p, size);
}

void
step_free(struct model *m)
{
	struct object *o = some_object(m, false);
	size_t held = acre_region_held(m->region);
	size_t expected = m->small;
	struct large *large;

	if (!o || is_watched(m, o))
		return;
	check_object(o);
	large = large_of(m, o);
	if (large)
		held -= large->size;
	else if (is_at_tip(m, o))
		expected -= ALIGN_UP(o->size ? o->size : 1);
	acre_free(m->region, o->p, large && chance(50) ? ACRE_SIZE_UNKNOWN :
		o->size);
	o->p = NULL;
	REQUIRE(small_used(m) == expected);
	REQUIRE(acre_region_held(m->region) == held);
	m->small = expected;
}
