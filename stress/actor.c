/* SPDX-License-Identifier: MIT */
/*
 * actor.c - a step: one thing of all that acre can do, checked and counted.
 */
#include "stress/actor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <urcu/urcu-bp.h>


#define SLOTS 8          /* for regions that are handed over */
#define SHELVES 8        /* for regions that others read */
#define OBJECTS 40       /* of a region when it is filled, at most */
#define SMALL_MOST 2000  /* bytes of an object */
#define LARGE_MOST ((size_t)800 << 10)

struct owned {
	struct filled filled;
	unsigned pool;
	bool budgeted;
	struct actor *retirer;
	acre_cleanup cleanup;
};

static _Atomic(struct owned *) slots[SLOTS];
static _Atomic(struct owned *) shelves[SHELVES];
static _Atomic(size_t) held[POOLS], peak[POOLS];

/* For the handler. */
static _Thread_local struct actor *self;

/* ---- regions ---- */

/* What is held together, at most, is part of design.md's bound. */
static void
note(struct actor *a, unsigned pool)
{
	size_t bytes = a->tallies[pool].bytes_held;
	size_t more = bytes - a->noted[pool]; /* may wrap, and the sum too */
	size_t now = add_relaxed(&held[pool], more) + more;
	size_t most = load_relaxed(&peak[pool]);

	a->noted[pool] = bytes;
	while (now > most && !cas_relaxed(&peak[pool], &most, now))
		;
}

static void
note_region(struct actor *a, const struct owned *owned)
{
	note(a, owned->pool);
	if (owned->filled.held > a->largest[owned->pool])
		a->largest[owned->pool] = owned->filled.held;
}

static size_t
object_size(struct actor *a)
{
	size_t most = chance_once_in(&a->chance, 300) ? LARGE_MOST :
							SMALL_MOST;

	return (16 + chance_size(&a->chance, most)) & ~(size_t)7;
}

static void
add_objects(struct actor *a, struct owned *owned)
{
	for (size_t n = chance_below(&a->chance, OBJECTS + 1); n; n--) {
		if (owned->filled.count == FILLED_OBJECTS)
			break;
		if (!filled_add(&owned->filled, object_size(a),
			    &a->tallies[owned->pool]))
			a->totals.refused++;
	}
	note_region(a, owned);
}

/* NULL: refused. */
static struct owned *
fill_one(struct actor *a, unsigned pool, acre_budget *budget)
{
	struct owned *owned = stress_malloc(sizeof(*owned));
	acre_region_options with = {.budget = budget};
	uint64_t id = filled_id(a->number, a->totals.made++);

	owned->pool = pool;
	owned->budgeted = budget != NULL;
	if (!filled_open_with(&owned->filled, crowd_pools[pool], &with, id,
		    &a->tallies[pool])) {
		if (pool != LIMITED && !budget)
			stress_fail("no memory to open a region");
		a->totals.refused++;
		free(owned);
		return NULL;
	}
	add_objects(a, owned);
	return owned;
}

static void
close_one(struct actor *a, struct owned *owned)
{
	if (!owned)
		return;
	filled_close(&owned->filled, &a->tallies[owned->pool]);
	note(a, owned->pool);
	free(owned);
}

/* Its limbo ends, and all objects are still there. */
static void
clean_up(void *argument)
{
	struct owned *owned = argument;

	filled_verify(&owned->filled);
	add_release(&owned->retirer->cleaned, 1);
	free(owned);
}

static void
retire_one(struct actor *a, struct owned *owned)
{
	unsigned pool = owned->pool;
	int error;

	filled_verify(&owned->filled);
	owned->retirer = a;
	a->tallies[pool].bytes_held -= owned->filled.held;
	error = acre_region_retire(owned->filled.region);
	if (error)
		stress_fail("retire: %s", strerror(error));
	a->totals.retired++;
	a->retired[pool]++;
	note(a, pool);
}

/* ---- steps ---- */

/* Any region that is kept; the caller puts one in its place. */
static struct owned **
some_kept(struct actor *a)
{
	return &a->kept[chance_below(&a->chance, KEPT)];
}

static void
change_kept(struct actor *a, unsigned pool)
{
	struct owned **kept = some_kept(a);
	bool budgeted = a->tenant && chance_once_in(&a->chance, 2);

	close_one(a, *kept);
	*kept = NULL;
	*kept = fill_one(a, pool, budgeted ? a->tenant : NULL);
}

/* Meanwhile the handler must not find it. */
static void
grow_kept(struct actor *a)
{
	struct owned **kept = some_kept(a), *owned = *kept;

	if (!owned)
		return;
	*kept = NULL;
	if (owned->filled.count && chance_once_in(&a->chance, 2))
		filled_drop(&owned->filled, &a->tallies[owned->pool]);
	add_objects(a, owned);
	*kept = owned;
}

/* Others may close what is in a slot, or go on with it. */
static void
hand_over(struct actor *a, unsigned pool)
{
	size_t slot = chance_below(&a->chance, SLOTS);
	struct owned **kept = some_kept(a);
	struct owned *owned = fill_one(a, pool, NULL);

	if (owned && acre_region_detach(owned->filled.region))
		stress_fail("a region could not be detached");
	owned = atomic_exchange(&slots[slot], owned);
	if (owned && !*kept && !acre_region_adopt(owned->filled.region)) {
		add_objects(a, owned);
		*kept = owned;
	} else {
		close_one(a, owned);
	}
}

static void
publish(struct actor *a, unsigned pool)
{
	size_t shelf = chance_below(&a->chance, SHELVES);
	struct owned *owned = fill_one(a, pool, NULL);

	if (owned)
		acre_cleanup_link(owned->filled.region, &owned->cleanup,
			clean_up, owned);
	owned = atomic_exchange(&shelves[shelf], owned);
	if (owned)
		retire_one(a, owned);
}

static void
read_shelf(struct actor *a)
{
	size_t shelf = chance_below(&a->chance, SHELVES);
	struct owned *owned;

	urcu_bp_read_lock();
	owned = load_acquire(&shelves[shelf]);
	if (owned) {
		filled_verify(&owned->filled);
		if (chance_once_in(&a->chance, 64))
			stress_pause_ms(1);
		filled_verify(&owned->filled);
	}
	acre_reader_leaves(NULL);
	urcu_bp_read_unlock();
}

static void
retire_budgeted(struct actor *a, unsigned pool)
{
	struct owned *owned = fill_one(a, pool, a->tenant);

	if (!owned)
		return;
	acre_cleanup_link(owned->filled.region, &owned->cleanup, clean_up,
		owned);
	retire_one(a, owned);
}

static void
trim(struct actor *a, unsigned pool)
{
	size_t keep = chance_size(&a->chance, (size_t)4 << 20);
	size_t most = chance_size(&a->chance, (size_t)2 << 20);

	if (chance_once_in(&a->chance, 2))
		acre_thread_flush(crowd_pools[pool]);
	else
		a->totals.bytes_trimmed += acre_pool_trim(
			crowd_pools[TRIMMED], keep, most);
}

/* ---- budgets ---- */

static bool
keeps_budgeted(const struct actor *a)
{
	for (unsigned i = 0; i < KEPT; i++)
		if (a->kept[i] && a->kept[i]->budgeted)
			return true;
	return false;
}

/* One that is in limbo may still use it. */
static void
change_tenant(struct actor *a)
{
	int error;

	if (!a->tenant) {
		a->tenant = acre_budget_create(crowd_budget,
			4096 + chance_size(&a->chance, (size_t)1 << 20));
		if (!a->tenant)
			stress_fail("no budget");
		return;
	}
	error = acre_budget_destroy(a->tenant);
	if (!error && keeps_budgeted(a))
		stress_fail("a budget that a region uses was destroyed");
	if (!error)
		a->tenant = NULL;
	else if (error != EBUSY)
		stress_fail("a budget: %s", strerror(error));
}

/* ---- pools ---- */

int
actor_make_room(acre_pool *pool, size_t size, void *unused)
{
	(void)pool;
	(void)size;
	(void)unused;
	for (unsigned i = 0; self && i < KEPT; i++) {
		struct owned *owned = self->kept[i];

		if (!owned || owned->pool != LIMITED)
			continue;
		self->kept[i] = NULL;
		close_one(self, owned);
		self->totals.rescued++;
		return 1;
	}
	return 0;
}

static void
count_cleanup(void *actor)
{
	add_release(&((struct actor *)actor)->cleaned, 1);
}

static void
use_short_pool(struct actor *a, acre_pool *pool)
{
	struct filled filled;
	struct tally tally = {0};
	acre_region *region;

	for (size_t n = chance_below(&a->chance, 4); n; n--) {
		uint64_t id = filled_id(a->number, a->totals.made++);

		if (!filled_open(&filled, pool, id, &tally))
			stress_fail("no use of a new pool");
		for (size_t k = chance_below(&a->chance, OBJECTS); k; k--)
			filled_add(&filled, object_size(a), &tally);
		filled_close(&filled, &tally);
	}
	region = acre_region_open(pool);
	if (!region || acre_cleanup_add(region, count_cleanup, a) ||
		acre_region_retire(region))
		stress_fail("no retire in a new pool");
	a->totals.retired++;
}

static void
make_and_end_pool(struct actor *a)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE)
		<< chance_below(&a->chance, 2);
	acre_pool_options o = {
		.source = chance_once_in(&a->chance, 2) ?
			&acre_mmap_allocator : NULL,
		.page_size = page,
		.chunk_size = page << (2 + chance_below(&a->chance, 5)),
		.cache_bytes = page << chance_below(&a->chance, 6),
		.decay_ms = (unsigned)chance_below(&a->chance, 10),
	};
	acre_pool *pool = acre_pool_create(&o);

	if (!pool) {
		stress_fail("no pool");
		return;
	}
	use_short_pool(a, pool);
	if (acre_pool_destroy(pool))
		stress_fail("a new pool could not be destroyed");
	a->totals.pools_ended++;
}

/* ---- all of it ---- */

void
actor_begin(struct actor *a)
{
	self = a;
}

void
actor_step(struct actor *a)
{
	unsigned pool = (unsigned)chance_below(&a->chance, POOLS);
	size_t dice = chance_below(&a->chance, 1000);

	a->totals.steps++;
	if (dice < 250)
		close_one(a, fill_one(a, pool, NULL));
	else if (dice < 400)
		change_kept(a, pool);
	else if (dice < 500)
		grow_kept(a);
	else if (dice < 600)
		hand_over(a, pool);
	else if (dice < 750)
		publish(a, pool);
	else if (dice < 900)
		read_shelf(a);
	else if (dice < 950)
		retire_budgeted(a, pool);
	else if (dice < 970)
		change_tenant(a);
	else if (dice < 997)
		trim(a, pool);
	else
		make_and_end_pool(a);
}

void
actor_leave(struct actor *a)
{
	for (unsigned i = 0; i < KEPT; i++) {
		close_one(a, a->kept[i]);
		a->kept[i] = NULL;
	}
	if (!a->tenant)
		return;
	crowd_wait_for_limbo();
	if (acre_budget_destroy(a->tenant))
		stress_fail("a budget is used by nobody, and busy");
	a->tenant = NULL;
}

void
actors_clear(struct actor *a)
{
	for (unsigned i = 0; i < SLOTS; i++)
		close_one(a, atomic_exchange(&slots[i], NULL));
	for (unsigned i = 0; i < SHELVES; i++) {
		struct owned *owned = atomic_exchange(&shelves[i], NULL);

		if (owned)
			retire_one(a, owned);
	}
}

static void
add_totals(struct totals *sum, const struct totals *more)
{
	sum->steps += more->steps;
	sum->made += more->made;
	sum->retired += more->retired;
	sum->refused += more->refused;
	sum->rescued += more->rescued;
	sum->pools_ended += more->pools_ended;
	sum->visits += more->visits;
	sum->forks += more->forks;
	sum->bytes_trimmed += more->bytes_trimmed;
}

void
actor_count(struct actor *a, struct crowd_count *count)
{
	add_totals(&count->totals, &a->totals);
	count->cleaned += load_acquire(&a->cleaned);
	for (unsigned i = 0; i < KEPT; i++)
		if (a->kept[i] && a->kept[i]->budgeted)
			count->charged += a->kept[i]->filled.held;
	for (unsigned i = 0; i < POOLS; i++) {
		tally_add(&count->pools[i].tally, &a->tallies[i]);
		count->pools[i].retired += a->retired[i];
		if (a->largest[i] > count->pools[i].largest)
			count->pools[i].largest = a->largest[i];
	}
}

size_t
actors_peak(unsigned pool)
{
	return load_relaxed(&peak[pool]);
}
