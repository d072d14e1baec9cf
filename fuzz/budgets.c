/* SPDX-License-Identifier: MIT */
/*
 * budgets.c - limits that regions of both pools share.
 */
#include "fuzz/budgets.h"

#include <errno.h>
#include <string.h>

static struct budget budgets[BUDGETS];

void
budgets_begin(void)
{
	memset(budgets, 0, sizeof(budgets));
}

struct budget *
budgets_get(size_t n, bool nested, size_t limit)
{
	struct budget *b = &budgets[n];

	if (b->budget)
		return b;
	b->parent = nested && n > 0 && b[-1].budget ? b - 1 : NULL;
	b->limit = limit;
	b->budget = acre_budget_create(b->parent ? b->parent->budget : NULL,
		limit);
	REQUIRE(b->budget);
	return b;
}

size_t
budget_room(const struct budget *b)
{
	size_t room = SIZE_MAX;

	for (; b; b = b->parent) {
		size_t left = b->limit - acre_budget_used(b->budget);

		room = left < room ? left : room;
	}
	return room;
}

static bool
is_above(const struct budget *above, const struct budget *b)
{
	while (b && b != above)
		b = b->parent;
	return b;
}

static bool
is_used(const struct budget *b)
{
	for (int i = 0; i < BUDGETS; i++)
		if (budgets[i].budget && budgets[i].parent == b)
			return true;
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region && models[i].budget == b)
			return true;
	return false;
}

void
budgets_destroy(size_t n, bool limbo)
{
	struct budget *b = &budgets[n];
	bool used = is_used(b);
	int error;

	if (!b->budget)
		return;
	error = acre_budget_destroy(b->budget);
	REQUIRE(error == (used ? EBUSY : 0) || (limbo && error == EBUSY));
	if (!error)
		b->budget = NULL;
}

static size_t
held_within(const struct budget *b)
{
	size_t held = 0;

	for (int i = 0; i < REGIONS; i++)
		if (models[i].region && is_above(b, models[i].budget))
			held += acre_region_held(models[i].region);
	return held;
}

void
budgets_check(bool limbo)
{
	for (int i = 0; i < BUDGETS; i++) {
		const struct budget *b = &budgets[i];
		size_t held, used;

		if (!b->budget)
			continue;
		held = held_within(b);
		used = acre_budget_used(b->budget);
		REQUIRE(used <= b->limit);
		REQUIRE(used == held || (limbo && used > held));
	}
}

void
budgets_end(void)
{
	for (size_t n = BUDGETS; n-- > 0;)
		budgets_destroy(n, false);
}
