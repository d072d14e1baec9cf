/* SPDX-License-Identifier: MIT */
/*
 * crowd.c - residents, visitors and children.
 */
#include "stress/crowd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <urcu/urcu-bp.h>

#include "stress/filled.h"

#define KEPT 4           /* regions that an actor keeps open */
#define SLOTS 8          /* for regions that are handed over */
#define SHELVES 8        /* for regions that others read */
#define OBJECTS 40       /* of a region when it is filled, at most */
#define SMALL_MOST 2000  /* bytes of an object */
#define LARGE_MOST ((size_t)800 << 10)
#define VISIT_STEPS 200  /* at most */
#define VISIT_EVERY 50   /* steps of a resident, on average */
#define FORK_EVERY 2000  /* the same */
#define CHILD_STEPS 60
#define CHILD_SECONDS 15 /* before a child counts as hung */

/* A region, and whose it is. */
struct owned {
	struct filled filled;
	unsigned pool;
	bool budgeted;
	struct actor *retirer;
	acre_cleanup cleanup;
};

/* Who does steps, and what it has counted; its copy in a child. The watcher
 * reads it when all have stopped. */
struct actor {
	struct chance chance;
	unsigned number;
	struct owned *kept[KEPT];
	acre_budget *tenant;
	struct tally tallies[POOLS];
	size_t noted[POOLS]; /* of what it holds, in `held` */
	size_t largest[POOLS];
	uint64_t retired[POOLS];
	struct totals totals;

	/* Of totals.retired: by the helper, or in a child by whoever waits. */
	_Atomic(uint64_t) cleaned;
};

struct resident {
	struct actor actor;
	pthread_t thread;
	struct actor visitor;
	pthread_t visitor_thread;
	bool visited;
};

acre_pool *crowd_pools[POOLS];
acre_pool_options crowd_options[POOLS];
acre_budget *crowd_budget;

static struct resident *residents;
static _Atomic(struct owned *) slots[SLOTS];
static _Atomic(struct owned *) shelves[SHELVES];
static _Atomic(size_t) held[POOLS], peak[POOLS];

/* Held for reading in each step, for writing by who stops all. */
static pthread_rwlock_t gate;

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
		a->totals.bytes_trimmed += acre_pool_trim(crowd_pools[TRIMMED], keep, most);
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

void
crowd_wait_for_limbo(void)
{
	for (unsigned i = 0; i < POOLS; i++)
		if (acre_pool_barrier(crowd_pools[i]))
			stress_fail("no barrier");
}

/* Leave nothing behind. */
static void
close_kept(struct actor *a)
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

/* ---- pools ---- */

/* LIMITED's: a kept region of the thread's own goes. */
static int
make_room(acre_pool *pool, size_t size, void *unused)
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

/* ---- actors ---- */

static void
do_one(struct actor *a)
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

static void
step(struct actor *a)
{
	pthread_rwlock_rdlock(&gate);
	do_one(a);
	pthread_rwlock_unlock(&gate);
}

/* Outside of a step. */
static void
count(uint64_t *what)
{
	pthread_rwlock_rdlock(&gate);
	++*what;
	pthread_rwlock_unlock(&gate);
}

static void
leave(struct actor *a)
{
	pthread_rwlock_rdlock(&gate);
	close_kept(a);
	pthread_rwlock_unlock(&gate);
}

static void *
visit(void *visitor)
{
	struct actor *a = visitor;

	self = a;
	for (size_t n = chance_below(&a->chance, VISIT_STEPS); n; n--)
		step(a);
	leave(a);
	return NULL;
}

static void
see_off(struct resident *r)
{
	if (r->visited)
		pthread_join(r->visitor_thread, NULL);
	r->visited = false;
}

static void
have_visitor(struct resident *r)
{
	see_off(r);
	count(&r->actor.totals.visits);
	stress_thread(&r->visitor_thread, visit, &r->visitor);
	r->visited = true;
}

/* ---- forks ---- */

/* Others had regions open at the fork, or not. */
static void
end_in_child(struct actor *a)
{
	crowd_wait_for_limbo();
	if (load_acquire(&a->cleaned) != a->totals.retired)
		stress_fail("in a child: not each cleanup has run once");
	close_kept(a);
	for (unsigned i = 0; i < POOLS; i++) {
		int error = acre_pool_destroy(crowd_pools[i]);

		if (error && error != EBUSY)
			stress_fail("in a child: %s", strerror(error));
	}
}

static _Noreturn void
be_a_child(struct actor *a)
{
	alarm(CHILD_SECONDS);
	/* From now on, stress_goes_on() but after a failure. */
	stress.seconds += 1000000;
	for (unsigned i = 0; i < CHILD_STEPS && stress_goes_on(); i++)
		do_one(a);
	end_in_child(a);
	_exit(stress_goes_on() ? 0 : 1);
}

static void
fork_one(struct actor *a)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		be_a_child(a);
	count(&a->totals.forks);
	if (child < 0)
		stress_fail("no fork: %s", strerror(errno));
	else if (waitpid(child, &status, 0) != child || status)
		stress_fail("a child ended with status %#x", (unsigned)status);
}

static void *
reside(void *resident)
{
	struct resident *r = resident;
	struct actor *a = &r->actor;

	self = a;
	while (stress_goes_on()) {
		step(a);
		if (chance_once_in(&a->chance, VISIT_EVERY))
			have_visitor(r);
		if (!SANITIZED && chance_once_in(&a->chance, FORK_EVERY))
			fork_one(a);
	}
	see_off(r);
	leave(a);
	return NULL;
}

/* ---- all of them ---- */

static struct actor *
actor(unsigned i)
{
	return i % 2 ? &residents[i / 2].visitor : &residents[i / 2].actor;
}

unsigned
crowd_size(void)
{
	return 2 * stress.threads;
}

void
crowd_stop(void)
{
	pthread_rwlock_wrlock(&gate);
}

void
crowd_go_on(void)
{
	pthread_rwlock_unlock(&gate);
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

static void
add_actor(struct crowd_count *count, struct actor *a)
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

void
crowd_count(struct crowd_count *count)
{
	*count = (struct crowd_count){0};
	for (unsigned i = 0; i < crowd_size(); i++)
		add_actor(count, actor(i));
	for (unsigned i = 0; i < POOLS; i++)
		count->pools[i].peak = load_relaxed(&peak[i]);
}

static void
make_pools(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	crowd_options[DECAYS] = (acre_pool_options){
		.name = "decays",
		.chunk_size = 256 * page,
		.cache_bytes = 256 * page,
		.keep_bytes = 256 * page,
		.decay_ms = 200,
	};
	crowd_options[LIMITED] = (acre_pool_options){
		.name = "limited",
		.chunk_size = 32 * page,
		.max_bytes = stress.threads * 48 * page,
		.cache_bytes = 16 * page,
		.on_limit = make_room,
	};
	crowd_options[TRIMMED] = (acre_pool_options){
		.name = "trimmed",
		.source = &acre_mmap_allocator,
		.chunk_size = 64 * page,
		.cache_bytes = 64 * page,
	};
	for (unsigned i = 0; i < POOLS; i++) {
		crowd_options[i].limbo_bytes = CROWD_LIMBO_BYTES;
		crowd_pools[i] = acre_pool_create(&crowd_options[i]);
		if (!crowd_pools[i])
			stress_fail("no pool: %s",
				acre_pool_explain(&crowd_options[i]));
	}
	crowd_budget = acre_budget_create(NULL, stress.threads * 64 * page);
	if (!crowd_budget)
		stress_fail("no budget");
}

static void
make_gate(void)
{
	pthread_rwlockattr_t writers_first;

	pthread_rwlockattr_init(&writers_first);
	pthread_rwlockattr_setkind_np(&writers_first,
		PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&gate, &writers_first);
	pthread_rwlockattr_destroy(&writers_first);
}

void
crowd_begin(void)
{
	make_gate();
	make_pools();
	residents = stress_malloc(stress.threads * sizeof(*residents));
	memset(residents, 0, stress.threads * sizeof(*residents));
	for (unsigned i = 0; i < crowd_size(); i++) {
		actor(i)->number = i;
		actor(i)->chance = chance_of(i);
	}
	for (unsigned i = 0; i < stress.threads; i++)
		stress_thread(&residents[i].thread, reside, &residents[i]);
}

void
crowd_end(void)
{
	struct actor *a = actor(0);

	for (unsigned i = 0; i < stress.threads; i++)
		pthread_join(residents[i].thread, NULL);
	for (unsigned i = 0; i < SLOTS; i++)
		close_one(a, atomic_exchange(&slots[i], NULL));
	for (unsigned i = 0; i < SHELVES; i++) {
		struct owned *owned = atomic_exchange(&shelves[i], NULL);

		if (owned)
			retire_one(a, owned);
	}
}
