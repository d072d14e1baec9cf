/* SPDX-License-Identifier: MIT */
/*
 * threads.c - threads come and go, and so do pools.
 *
 * A few keepers live through the run. They start visitors by the thousands:
 * joined and detached ones, that use one pool or several, leave their caches
 * filled, leave regions open in a pool's locker for others to close, and at
 * times use acre once more in a thread-specific destructor, after or before
 * acre's own. Now and then a keeper ends a pool, which others have used and
 * still hold caches of, and makes another in its place. At the end every
 * thread is gone, and every page of every pool must be there, once.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/atomic.h"
#include "stress/common.h"
#include "stress/filled.h"

#define PLACES 3           /* for pools */
#define LOCKER 32          /* regions left open in a place, at most */
#define REGIONS 4          /* of a visit, at most */
#define OBJECTS 32         /* of a region, at most */
#define GUESTS_A_KEEPER 4  /* detached visitors at a time */
#define RENEW_EVERY 200    /* visitors of a keeper, on average */

/* A place for a pool, and what is known of the pool in it now. */
struct place {
	pthread_rwlock_t use; /* read: the pool is used; write: ended, made */
	acre_pool *pool;
	acre_pool_options options;

	pthread_mutex_t lock; /* guards all below */
	struct tally tally;
	struct filled *locker[LOCKER];
	unsigned left; /* in the locker */
};

struct visitor {
	unsigned number;
	struct chance chance;
	bool counted; /* as a guest, which frees this at its end */
	bool again;   /* see_off is to run once more */
};

static struct place places[PLACES];
static pthread_key_t key;

static pthread_mutex_t guests_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t guests_changed = PTHREAD_COND_INITIALIZER;
static unsigned guests;

static _Atomic(unsigned) visitors;
static _Atomic(uint64_t) regions;
static _Atomic(unsigned) renewals;

/* ---- pools in their places ---- */

static void
make_pool(struct place *place, struct chance *chance)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE) << chance_below(chance, 2);

	place->options = (acre_pool_options){
		.page_size = page,
		.chunk_size = page << (2 + chance_below(chance, 5)),
		.cache_bytes = page << chance_below(chance, 6),
		.name = "threads",
	};
	place->pool = acre_pool_create(&place->options);
	if (!place->pool)
		stress_fail("no pool");
	place->tally = (struct tally){0};
}

/* What all threads that may be there at a time can hold. A guest that is no
 * longer counted may still be on its way out. */
static size_t
bound_of(const struct place *place)
{
	unsigned threads = 2 * stress.threads * (2 + GUESTS_A_KEEPER);
	size_t largest = stress_region_bytes(
		place->options.page_size, OBJECTS);

	return stress_bound(&place->options,
		(LOCKER + threads * REGIONS) * largest, largest, threads);
}

/* Nobody else uses the pool, though threads may be giving back caches. */
static void
check_and_empty(struct place *place)
{
	stress_check_at_rest(place->pool, &place->options, &place->tally);
	stress_check_bound(place->pool, bound_of(place));
	if (place->left && acre_pool_destroy(place->pool) != EBUSY)
		stress_fail("a pool with regions in use was destroyed");
	while (place->left) {
		struct filled *filled = place->locker[--place->left];

		filled_close(filled, &place->tally);
		free(filled);
	}
	stress_check_at_rest(place->pool, &place->options, &place->tally);
}

/* End a pool that others hold caches of. */
static void
renew(struct place *place, struct chance *chance)
{
	pthread_rwlock_wrlock(&place->use);
	check_and_empty(place);
	stress_destroy(place->pool);
	make_pool(place, chance);
	pthread_rwlock_unlock(&place->use);
	add_relaxed(&renewals, 1);
}

/* ---- what a visit does ---- */

static struct filled *
fill_one(struct visitor *v, struct place *place, struct tally *tally)
{
	struct filled *filled = stress_malloc(sizeof(*filled));
	size_t most = chance_size(&v->chance,
		place->options.page_size - 64 - 16);
	uint64_t id = filled_id(v->number, add_relaxed(&regions, 1));

	if (!filled_open(filled, place->pool, id, tally)) {
		stress_fail("no memory to open a region");
		free(filled);
		return NULL;
	}
	for (size_t n = chance_below(&v->chance, OBJECTS + 1); n; n--)
		if (!filled_add(filled, 16 + chance_below(&v->chance, most),
			    tally))
			stress_fail("no memory for an object");
	return filled;
}

/* Put a region into the locker; returns another that was there, or the same
 * when the locker is full. */
static struct filled *
leave(struct visitor *v, struct place *place, struct filled *filled)
{
	struct filled *other = NULL;

	pthread_mutex_lock(&place->lock);
	if (place->left && chance_once_in(&v->chance, 2)) {
		size_t i = chance_below(&v->chance, place->left);

		other = place->locker[i];
		place->locker[i] = filled;
	} else if (place->left < LOCKER) {
		place->locker[place->left++] = filled;
	} else {
		other = filled;
	}
	pthread_mutex_unlock(&place->lock);
	return other;
}

static void
visit(struct visitor *v, struct place *place)
{
	struct tally tally = {0};

	pthread_rwlock_rdlock(&place->use);
	for (size_t n = 1 + chance_below(&v->chance, REGIONS); n; n--) {
		struct filled *filled = fill_one(v, place, &tally);

		if (filled && chance_once_in(&v->chance, 3))
			filled = leave(v, place, filled);
		if (filled)
			filled_close(filled, &tally);
		free(filled);
	}
	pthread_mutex_lock(&place->lock);
	tally_add(&place->tally, &tally);
	pthread_mutex_unlock(&place->lock);
	pthread_rwlock_unlock(&place->use);
}

static void
visit_some(struct visitor *v)
{
	for (size_t n = 1 + chance_below(&v->chance, PLACES); n; n--)
		visit(v, &places[chance_below(&v->chance, PLACES)]);
}

/* ---- visitors ---- */

static void
guest_comes(void)
{
	pthread_mutex_lock(&guests_lock);
	while (guests >= stress.threads * GUESTS_A_KEEPER)
		pthread_cond_wait(&guests_changed, &guests_lock);
	guests++;
	pthread_mutex_unlock(&guests_lock);
}

static void
guest_goes(void)
{
	pthread_mutex_lock(&guests_lock);
	guests--;
	pthread_cond_broadcast(&guests_changed);
	pthread_mutex_unlock(&guests_lock);
}

static void
wait_for_guests(void)
{
	pthread_mutex_lock(&guests_lock);
	while (guests)
		pthread_cond_wait(&guests_changed, &guests_lock);
	pthread_mutex_unlock(&guests_lock);
}

/* A visitor's last step. */
static void
go(struct visitor *v)
{
	if (!v->counted)
		return;
	guest_goes();
	free(v);
}

/* The destructor of `key`. At the first call it may only ask for another:
 * then acre's destructor has run. */
static void
see_off(void *value)
{
	struct visitor *v = value;

	if (v->again) {
		v->again = false;
		pthread_setspecific(key, v);
		return;
	}
	visit(v, &places[chance_below(&v->chance, PLACES)]);
	go(v);
}

static void *
visitor_main(void *argument)
{
	struct visitor *v = argument;
	bool seen_off = chance_once_in(&v->chance, 4) &&
		!pthread_setspecific(key, v);

	v->again = chance_once_in(&v->chance, 2);
	visit_some(v);
	if (!seen_off)
		go(v);
	return NULL;
}

static void
prepare(struct visitor *v, struct chance *chance)
{
	*v = (struct visitor){
		.number = add_relaxed(&visitors, 1),
		.chance = {chance_next(chance)},
	};
}

static void *
guest_main(void *argument)
{
	pthread_detach(pthread_self());
	return visitor_main(argument);
}

static void
invite_guest(struct chance *chance)
{
	struct visitor *v = stress_malloc(sizeof(*v));
	pthread_t thread;

	prepare(v, chance);
	v->counted = true;
	guest_comes();
	stress_thread(&thread, guest_main, v);
}

/* ---- keepers ---- */

static void *
keeper_main(void *argument)
{
	struct visitor *keeper = argument;

	while (stress_goes_on()) {
		struct visitor v;
		pthread_t thread;

		prepare(&v, &keeper->chance);
		stress_thread(&thread, visitor_main, &v);
		invite_guest(&keeper->chance);
		visit_some(keeper);
		pthread_join(thread, NULL);
		if (chance_once_in(&keeper->chance, RENEW_EVERY))
			renew(&places[chance_below(&keeper->chance, PLACES)],
				&keeper->chance);
	}
	return NULL;
}

static void
run_keepers(void)
{
	struct chance chance = chance_of(0);
	struct visitor *keepers =
		stress_malloc(stress.threads * sizeof(*keepers));
	pthread_t *threads = stress_malloc(stress.threads * sizeof(*threads));

	for (unsigned i = 0; i < stress.threads; i++) {
		prepare(&keepers[i], &chance);
		stress_thread(&threads[i], keeper_main, &keepers[i]);
	}
	for (unsigned i = 0; i < stress.threads; i++)
		pthread_join(threads[i], NULL);
	wait_for_guests();
	free(threads);
	free(keepers);
}

/* ---- the whole ---- */

static void
open_places(void)
{
	struct chance chance = chance_of(1);
	pthread_rwlockattr_t writers_first;

	pthread_rwlockattr_init(&writers_first);
	pthread_rwlockattr_setkind_np(&writers_first,
		PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	for (unsigned i = 0; i < PLACES; i++) {
		pthread_rwlock_init(&places[i].use, &writers_first);
		pthread_mutex_init(&places[i].lock, NULL);
		make_pool(&places[i], &chance);
	}
	pthread_rwlockattr_destroy(&writers_first);
}

/* The last guests may still be giving their caches back. */
static void
wait_for_caches(struct place *place)
{
	acre_stats s;

	do {
		sched_yield();
		acre_pool_stats(place->pool, &s);
	} while (s.caches);
}

/* Every page is back, but for what the locker's regions hold. */
static void
close_places(void)
{
	for (unsigned i = 0; i < PLACES; i++) {
		struct place *place = &places[i];

		wait_for_caches(place);
		check_and_empty(place);
		stress_check_pages(place->pool, &place->options);
		stress_destroy(place->pool);
		pthread_rwlock_destroy(&place->use);
		pthread_mutex_destroy(&place->lock);
	}
}

int
main(int argc, char **argv)
{
	stress_begin(argc, argv,
		"Threads come and go, pools are made and ended among them.", 4,
		false);
	/* Before acre's own key, so that see_off runs before its destructor
	 * in each round. */
	pthread_key_create(&key, see_off);
	open_places();
	run_keepers();
	close_places();
	return stress_end("%u threads, %" PRIu64 " regions, %u pools ended",
		load_relaxed(&visitors), load_relaxed(&regions),
		load_relaxed(&renewals) + PLACES);
}
