/* SPDX-License-Identifier: MIT */
/*
 * budget.c - limits that several regions share, on any threads.
 *
 *   server                          no parent: `reserved` alone counts
 *     ^        ^
 *   tenant   tenant                 reserved >= settled
 *     ^   ^        ^
 *   region  region   region         more.held: what it has charged
 *
 * A region charges a block before it takes it, and ends the charge when it
 * has given the block back. A charge climbs from the region's budget to the
 * root: each level is reserved by compare-and-swap, so that none is ever over
 * its limit; where one has no room, those below it are undone.
 *
 *   charge      reserved +size, each level up;   then settled +size, each
 *   refused     reserved -size where it was
 *   discharge   settled -size, reserved -size, each level up
 *
 * What stands in `reserved` and not in `settled` is on its way: it may come to
 * nothing, so nobody is refused on its account. Who finds no room looks
 * whether there would be some without it; if so it waits for what becomes of
 * it, holding what it has reserved below. All wait for charges that are higher
 * up, and at the root nothing is on its way: so somebody always goes on. A
 * refusal is just: at one moment, what was settled alone left no room.
 *
 *              charge   discharge      R  the swap makes one try again
 *   charge     R, W     R, W           W  where there is no room, waits for
 *   discharge  R        -                 the other to settle
 *
 * A budget lives until it is destroyed, and that is refused while a region or
 * a budget below uses it: so `users` is the last that any of these touches.
 * All budgets are on one list, for a fork's child: there, what other threads
 * had on its way has come to nothing. What had reached a parent and not yet
 * settled below, or the other way around, stays charged there for ever, as do
 * the regions of these threads.
 */
#include "lib/budget.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdlib.h>

#include "lib/atomic.h"
#include "lib/probe.h"

struct acre_budget {
	/* Fixed at creation. */
	acre_budget *parent;
	size_t limit;

	/* Under the lock. */
	acre_budget *next, *previous;

	/* Any thread, atomics only. settled <= reserved <= limit; at rest,
	 * where there is a parent: settled == reserved. */
	alignas(CACHE_LINE) _Atomic(size_t) reserved;
	_Atomic(size_t) settled; /* not used without a parent */
	_Atomic(size_t) users;   /* regions, and budgets below */
};

/* ---- charges ---- */

/* Is so much on its way that without it size bytes would have room? */
static bool
may_have_room(const acre_budget *budget, size_t size)
{
	return budget->parent && size <= budget->limit &&
		load_relaxed(&budget->settled) <= budget->limit - size;
}

/* Reserve size bytes of one level. */
static bool
reserve(acre_budget *budget, size_t size)
{
	size_t reserved = load_relaxed(&budget->reserved);

	for (;;) {
		if (size <= budget->limit - reserved) {
			/* Acquire: pairs with the release in release(). */
			if (cas_acquire(&budget->reserved, &reserved,
				    reserved + size))
				return true;
		} else if (may_have_room(budget, size)) {
			sched_yield();
			reserved = load_relaxed(&budget->reserved);
		} else {
			return false;
		}
	}
}

/* What reserve() did, undone. */
static void
release(acre_budget *budget, size_t size)
{
	/* Release: the memory is back before others may take as much. Pairs
	 * with the acquire in reserve(). */
	sub_release(&budget->reserved, size);
}

bool
budget_charge(acre_budget *budget, size_t size)
{
	acre_budget *level;

	for (level = budget; level; level = level->parent) {
		if (!reserve(level, size))
			break;
		probe_charge_window();
	}
	if (level) {
		for (; budget != level; budget = budget->parent)
			release(budget, size);
		errno = ENOMEM;
		return false;
	}
	for (level = budget; level && level->parent; level = level->parent)
		add_relaxed(&level->settled, size);
	return true;
}

void
budget_discharge(acre_budget *budget, size_t size)
{
	for (; budget; budget = budget->parent) {
		if (budget->parent)
			sub_relaxed(&budget->settled, size);
		release(budget, size);
	}
}

/* ---- users ---- */

void
budget_join(acre_budget *budget)
{
	add_relaxed(&budget->users, 1);
}

void
budget_leave(acre_budget *budget)
{
	/* Release: pairs with the load in acre_budget_destroy. */
	sub_release(&budget->users, 1);
}

/* ---- all budgets ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static acre_budget *budgets;

static void
enlist(acre_budget *budget)
{
	pthread_mutex_lock(&lock);
	budget->next = budgets;
	if (budgets)
		budgets->previous = budget;
	budgets = budget;
	pthread_mutex_unlock(&lock);
}

static void
delist(acre_budget *budget)
{
	pthread_mutex_lock(&lock);
	if (budget->next)
		budget->next->previous = budget->previous;
	if (budget->previous)
		budget->previous->next = budget->next;
	else
		budgets = budget->next;
	pthread_mutex_unlock(&lock);
}

void
budget_before_fork(void)
{
	pthread_mutex_lock(&lock);
}

/* The child has one thread, and that is not inside a charge. */
void
budget_after_fork(bool in_child)
{
	for (acre_budget *b = budgets; b && in_child; b = b->next)
		if (b->parent)
			store_relaxed(&b->reserved,
				load_relaxed(&b->settled));
	pthread_mutex_unlock(&lock);
}

acre_budget *
acre_budget_create(acre_budget *parent, size_t limit)
{
	acre_budget *budget;

	if (!limit) {
		errno = EINVAL;
		return NULL;
	}
	budget = aligned_alloc(alignof(acre_budget), sizeof(*budget));
	if (!budget) {
		errno = ENOMEM;
		return NULL;
	}
	*budget = (acre_budget){.parent = parent, .limit = limit};
	if (parent)
		budget_join(parent);
	enlist(budget);
	return budget;
}

int
acre_budget_destroy(acre_budget *budget)
{
	if (!budget)
		return 0;
	/* Acquire: pairs with the release in budget_leave. */
	if (load_acquire(&budget->users))
		return EBUSY;
	delist(budget);
	if (budget->parent)
		budget_leave(budget->parent);
	free(budget);
	return 0;
}

size_t
acre_budget_used(const acre_budget *budget)
{
	return load_acquire(&budget->reserved);
}
