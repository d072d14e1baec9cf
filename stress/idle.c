/* SPDX-License-Identifier: MIT */
/*
 * idle.c - threads are idle and busy by turns, and what they keep is taken.
 *
 *   laps      one thread at a time takes all that a pool at max_bytes has, and
 *             hands on; the others wait, so what is missing is in their caches,
 *             and ENOMEM before the last page is a failure
 *   rush      all fill regions in three pools, rest now and then, and end and
 *             are made anew now and then; meanwhile one thread takes idle
 *             threads' caches as fast as it can, and trims. The third pool is
 *             ended and made anew, while threads that have a cache of it go on
 *
 * Each object tells whose it is, so a page that two threads have is found; at
 * the end each pool must have each of its pages once. Where membarrier is left
 * out (idle-skip-membarrier) this must fail.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/atomic.h"
#include "lib/cache.h"
#include "lib/claim.h"
#include "stress/common.h"
#include "stress/filled.h"

#define POOLS 3
#define LIMITED 0  /* pool at max_bytes */
#define DECAYING 1
#define RENEWED 2
#define REGIONS 24 /* of a thread, at a time */
#define OBJECTS 24 /* of a region */
#define OBJECT_MOST 600
#define TABLE_MOST 16 /* slots of a thread that knows three live pools */
#define LAPS_PART 4   /* of the run; two seconds at most */
#define LAPS_MOST 2.0
#define RENEW_EVERY 500
#define TRIM_EVERY 50

struct place {
	pthread_rwlock_t use; /* read: the pool is used; write: made anew */
	acre_pool *pool;
	acre_pool_options options;
	pthread_mutex_t lock;
	struct tally tally; /* under lock */
};

static struct place places[POOLS];
static _Atomic(uint64_t) regions, refused, taken, laps, renewals, threads_ended;
static _Atomic(bool) rush_is_over;

/* ---- pools ---- */

static void
make_pool(struct place *place)
{
	place->pool = acre_pool_create(&place->options);
	place->tally = (struct tally){0};
	if (!place->pool) {
		fprintf(stderr, "no pool\n");
		exit(3);
	}
}

static void
make_pools(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	acre_pool_options basic = {
		.page_size = page,
		.chunk_size = 64 * page,
		.cache_bytes = 128 * page,
		.source = &acre_mmap_allocator,
		.name = "idle",
	};

	for (int i = 0; i < POOLS; i++) {
		pthread_rwlock_init(&places[i].use, NULL);
		pthread_mutex_init(&places[i].lock, NULL);
		places[i].options = basic;
	}
	/* Half of what all caches could keep. */
	places[LIMITED].options.max_bytes = (stress.threads + 1) / 2 * 128 *
		page;
	places[DECAYING].options.decay_ms = 8;
	for (int i = 0; i < POOLS; i++)
		make_pool(&places[i]);
}

/* What all threads and what they keep may need. */
static size_t
bound_of(const struct place *place)
{
	size_t largest = stress_region_bytes(place->options.page_size,
		OBJECTS);
	unsigned threads = stress.threads + 3;

	return stress_bound(&place->options, threads * REGIONS * largest,
		largest, threads);
}

static void
check_place(struct place *place)
{
	if (place->options.max_bytes)
		stress_check_bound(place->pool, place->options.max_bytes);
	stress_check_bound(place->pool, bound_of(place));
}

/* ---- laps ---- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned turn; /* whose it is */
	_Atomic(bool) over;
} baton = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false};

static bool
take_baton(unsigned number)
{
	bool mine;

	pthread_mutex_lock(&baton.lock);
	while (baton.turn != number && !load_relaxed(&baton.over))
		pthread_cond_wait(&baton.changed, &baton.lock);
	mine = !load_relaxed(&baton.over);
	pthread_mutex_unlock(&baton.lock);
	return mine;
}

static void
hand_baton_on(bool over)
{
	pthread_mutex_lock(&baton.lock);
	baton.turn = (baton.turn + 1) % stress.threads;
	store_relaxed(&baton.over, over);
	pthread_cond_broadcast(&baton.changed);
	pthread_mutex_unlock(&baton.lock);
}

/* Take each page that there can be, and see that they are as many. */
static void
take_all(struct place *place, unsigned number)
{
	acre_region_options one_page = {.max_bytes = place->options.page_size};
	size_t most = place->options.max_bytes / one_page.max_bytes, count = 0;
	uint64_t **words = stress_malloc(most * sizeof(*words));
	acre_region **all = stress_malloc(most * sizeof(*all));
	struct tally tally = {0};

	while (count < most && (all[count] = acre_region_open_with(place->pool,
			&one_page)) != NULL) {
		words[count] = acre_alloc(all[count], 2000);
		*words[count] = filled_id(number, count);
		count++;
	}
	if (count < most)
		stress_fail("%zu pages of %zu, and others' caches are idle",
			count, most);
	tally.opened = tally.closed = tally.pages_taken = count;
	while (count-- > 0) {
		if (*words[count] != filled_id(number, count))
			stress_fail("page %p is there twice",
				(void *)all[count]);
		acre_region_close(all[count]);
	}
	pthread_mutex_lock(&place->lock);
	tally_add(&place->tally, &tally);
	pthread_mutex_unlock(&place->lock);
	free(words);
	free(all);
}

static bool
laps_go_on(void)
{
	double elapsed = stress_elapsed();

	return stress_goes_on() && elapsed < LAPS_MOST &&
		elapsed * LAPS_PART < stress.seconds;
}

static void
run_laps(unsigned number)
{
	while (take_baton(number)) {
		take_all(&places[LIMITED], number);
		add_relaxed(&laps, 1);
		hand_baton_on(!laps_go_on());
	}
}

/* ---- the rush ---- */

struct worker {
	unsigned number;
	struct chance chance;
	uint64_t next;
	struct filled filled[REGIONS];
};

static bool
fill_one(struct worker *w, struct filled *filled, acre_pool *pool,
	struct tally *tally)
{
	if (!filled_open(filled, pool, filled_id(w->number, w->next++), tally))
		return false;
	add_relaxed(&regions, 1);
	for (size_t n = chance_below(&w->chance, OBJECTS + 1); n; n--)
		if (!filled_add(filled,
			    16 + chance_below(&w->chance, OBJECT_MOST), tally))
			return false;
	return true;
}

/* A burst of regions, open at one time; or one at a time, from the cache. */
static void
be_busy(struct worker *w, struct place *place)
{
	bool many = chance_once_in(&w->chance, 8);
	size_t most = 1 + chance_below(&w->chance, REGIONS), count = 0;
	struct tally tally = {0};

	pthread_rwlock_rdlock(&place->use);
	for (size_t n = many ? most : 8 * most; n; n--) {
		if (!fill_one(w, &w->filled[count], place->pool, &tally))
			add_relaxed(&refused, 1);
		if (w->filled[count].region && many)
			count++;
		else if (w->filled[count].region)
			filled_close(&w->filled[count], &tally);
	}
	while (count-- > 0)
		filled_close(&w->filled[count], &tally);
	pthread_mutex_lock(&place->lock);
	tally_add(&place->tally, &tally);
	pthread_mutex_unlock(&place->lock);
	pthread_rwlock_unlock(&place->use);
}

/* Nobody else uses it; the taker may still look. */
static void
renew(struct place *place)
{
	pthread_rwlock_wrlock(&place->use);
	stress_check_at_rest(place->pool, &place->options, &place->tally);
	stress_destroy(place->pool);
	make_pool(place);
	pthread_rwlock_unlock(&place->use);
	add_relaxed(&renewals, 1);
}

/* Returns when the thread is to end. */
static void
rush(struct worker *w)
{
	do {
		be_busy(w, &places[chance_below(&w->chance, POOLS)]);
		if (chance_once_in(&w->chance, 4))
			stress_pause_ms((unsigned)chance_below(&w->chance, 4));
		if (chance_once_in(&w->chance, RENEW_EVERY))
			renew(&places[RENEWED]);
		if (cache_table_size() > TABLE_MOST)
			stress_fail("%zu slots for %d pools",
				cache_table_size(), POOLS);
	} while (stress_goes_on() && !chance_once_in(&w->chance, 200));
}

static void *
rush_main(void *worker)
{
	rush(worker);
	return NULL;
}

/* A worker's own thread waits while others do its work, one after another. */
static void *
worker_main(void *argument)
{
	struct worker *w = argument;
	pthread_t thread;

	run_laps(w->number);
	while (stress_goes_on()) {
		rush(w);
		stress_thread(&thread, rush_main, w);
		pthread_join(thread, NULL);
		add_relaxed(&threads_ended, 1);
	}
	return NULL;
}

/* ---- who takes ---- */

static void
take_from(struct place *place, struct chance *chance)
{
	pthread_rwlock_rdlock(&place->use);
	add_relaxed(&taken, claim_idle(place->pool, NULL, false));
	if (chance_once_in(chance, TRIM_EVERY))
		acre_pool_trim(place->pool,
			chance_below(chance, 2) * place->options.chunk_size,
			chance_once_in(chance, 3) ? place->options.chunk_size :
						    SIZE_MAX);
	check_place(place);
	pthread_rwlock_unlock(&place->use);
}

static void *
taker_main(void *unused)
{
	struct chance chance = chance_of(stress.threads);

	(void)unused;
	while (!load_relaxed(&rush_is_over))
		if (load_relaxed(&baton.over))
			take_from(&places[chance_below(&chance, POOLS)],
				&chance);
	return NULL;
}

/* ---- the whole ---- */

static void
run_threads(void)
{
	struct worker *workers = stress_malloc(
		stress.threads * sizeof(*workers));
	pthread_t *threads = stress_malloc(stress.threads * sizeof(*threads));
	pthread_t taker;

	for (unsigned i = 0; i < stress.threads; i++) {
		workers[i] = (struct worker){
			.number = i, .chance = chance_of(i)};
		stress_thread(&threads[i], worker_main, &workers[i]);
	}
	stress_thread(&taker, taker_main, NULL);
	for (unsigned i = 0; i < stress.threads; i++)
		pthread_join(threads[i], NULL);
	store_relaxed(&rush_is_over, true);
	pthread_join(taker, NULL);
	free(threads);
	free(workers);
}

int
main(int argc, char **argv)
{
	stress_begin(argc, argv,
		"Threads are idle and busy by turns, and what they keep is "
		"taken.", 8, false);
	make_pools();
	run_threads();
	for (int i = 0; i < POOLS; i++) {
		stress_check_at_rest(places[i].pool, &places[i].options,
			&places[i].tally);
		if (i != DECAYING)
			stress_check_pages(places[i].pool, &places[i].options);
		stress_destroy(places[i].pool);
	}
	return stress_end("%" PRIu64 " laps, %" PRIu64 " regions, %" PRIu64
			  " refused, %" PRIu64 " MiB taken, %" PRIu64
			  " threads and %" PRIu64 " pools ended",
		load_relaxed(&laps), load_relaxed(&regions),
		load_relaxed(&refused), load_relaxed(&taken) >> 20,
		load_relaxed(&threads_ended),
		load_relaxed(&renewals) + POOLS);
}
