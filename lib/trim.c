/* SPDX-License-Identifier: MIT */
/*
 * trim.c - takes free memory off the lists, and gives of it back.
 *
 *   lists --batches--> store --whole chunks--> source
 *     ^                  |
 *     +--runs of pages---+ joined, and purged where that is wanted
 *
 * A sweep sorts batches into the store until the lists are empty; then what no
 * whole chunk was made of goes back to the lists. A trim that has done its
 * share of work in the middle of a sweep leaves the store as it is, and the
 * next one goes on from there. Meanwhile other threads take from the store.
 *
 * Several threads may trim at once: each step is one batch, one chunk or one
 * run, held by nobody else, and no lock is held between steps.
 */
#include "lib/trim.h"

#include "lib/cache.h"
#include "lib/claim.h"
#include "lib/grace.h"
#include "lib/helper.h"
#include "lib/store.h"

/* For a byte that may be given back, so many are sorted; and so many at
 * least. */
#define WORK_SHARE 16
#define WORK_LEAST ((size_t)16 << 20)

struct trim {
	acre_pool *pool;
	struct member *member;
	size_t idle;  /* bytes */
	size_t keep;  /* that are to stay of these */
	size_t most;  /* to give back */
	size_t given;
	size_t work;  /* bytes that may be sorted yet */
};

/* ---- steps ---- */

/* Sort a batch of an order; false: none is left. */
static bool
sort_batch(struct trim *trim, unsigned order)
{
	acre_pool *pool = trim->pool;
	size_t size = pool->orders[order].size;
	struct batch batch;
	size_t sorted;

	if (!pool_pop(pool, trim->member, order, &batch))
		return false;
	sorted = batch.count;
	store_put(&pool->chunks, order, &batch);
	sorted -= batch.count;
	pool_add(pool, trim->member, PUSHED, sorted * size);
	if (batch.count)
		pool_give(pool, trim->member, order, &batch);
	trim->work -= sorted * size < trim->work ? sorted * size : trim->work;
	return !batch.count;
}

/* Sort the next batch of any order; false: none is left. */
static bool
sort_next(struct trim *trim)
{
	unsigned order = 0;

	while (order < trim->pool->order_count && !sort_batch(trim, order))
		order++;
	return order < trim->pool->order_count;
}

/* How much of so many idle bytes may go yet? */
static size_t
room_in(const struct trim *trim, size_t idle)
{
	size_t excess = idle > trim->keep ? idle - trim->keep : 0;
	size_t left = trim->most - trim->given;

	return excess < left ? excess : left;
}

static size_t
room(const struct trim *trim)
{
	return room_in(trim, trim->idle);
}

/* In pages: what is clean has gone before. */
static size_t
room_to_purge(const struct trim *trim)
{
	size_t page = trim->pool->page_size;
	size_t clean = load_relaxed(&trim->pool->chunks.clean) * page;

	return room_in(trim, trim->idle > clean ? trim->idle - clean : 0) /
		page;
}

static void
account(struct trim *trim, size_t bytes)
{
	trim->given += bytes;
	trim->idle -= bytes < trim->idle ? bytes : trim->idle;
}

/* Give a whole chunk back; false: there is none, or it may not go. */
static bool
give_chunk(struct trim *trim)
{
	struct chunks *chunks = &trim->pool->chunks;
	struct chunk *chunk;
	size_t stored;

	if (room(trim) < chunks->chunk_size)
		return false;
	chunk = store_take_chunk(chunks, &stored);
	if (!chunk)
		return false;
	pool_add(trim->pool, trim->member, POPPED, stored * chunks->page_size);
	chunks_give(chunks, chunk);
	account(trim, chunks->chunk_size);
	return true;
}

/* Purge pages of the store where they are, as many as may go. */
static void
purge(struct trim *trim)
{
	struct chunks *chunks = &trim->pool->chunks;
	size_t page = chunks->page_size;
	struct run run = {.first = NULL};
	size_t bytes = 1, most;

	while (bytes && (most = room_to_purge(trim)) &&
		store_take_dirty(chunks, run.first, most, &run)) {
		bytes = source_purge(&chunks->source, run.first,
			run.pages * page);
		run.clean = bytes > 0;
		trim->given += bytes;
		store_put_run(chunks, &run);
		run.first += run.pages * page;
	}
}

/* Give the store's pages back to the lists, as far as there are descriptors
 * for them. */
static void
push_back(struct trim *trim)
{
	acre_pool *pool = trim->pool;
	size_t pushed;
	struct run run;

	do {
		if (!store_take_run(&pool->chunks, &run))
			return;
		pushed = pool_push_pages(pool, trim->member, run.first,
			run.pages, run.clean);
		pool_add(pool, trim->member, POPPED, pushed * pool->page_size);
		run.first += pushed * pool->page_size;
		run.pages -= pushed;
		if (run.pages)
			store_put_run(&pool->chunks, &run);
	} while (!run.pages);
}

static void
end_sweep(struct trim *trim)
{
	purge(trim);
	push_back(trim);
}

/* ---- trims ---- */

/* Returns whether the sweep has come to its end. */
static bool
sweep(struct trim *trim)
{
	bool more;

	do {
		more = sort_next(trim);
		while (give_chunk(trim))
			;
	} while (more && trim->work && room(trim));
	return !more;
}

size_t
trim_pool(acre_pool *pool, struct member *member, size_t keep, size_t most)
{
	struct trim trim = {
		.pool = pool,
		.member = member,
		.idle = trim_idle(pool),
		.keep = keep,
		.most = most,
		.work = most < SIZE_MAX / WORK_SHARE ? WORK_SHARE * most :
						       SIZE_MAX,
	};

	if (trim.work < WORK_LEAST)
		trim.work = WORK_LEAST;
	if ((room(&trim) && sweep(&trim)) || trim.idle <= keep)
		end_sweep(&trim);
	if (trim.given)
		helper_want(grace_needed()); /* for records of chunks */
	return trim.given;
}

static uint64_t
pushed_so_far(acre_pool *pool)
{
	uint64_t pushed;

	registry_lock();
	pushed = pool_sum(pool, PUSHED);
	registry_unlock();
	return pushed;
}

bool
trim_join(acre_pool *pool, struct member *member)
{
	struct trim trim = {.pool = pool, .member = member, .work = SIZE_MAX};

	if (load_relaxed(&pool->joined) == pushed_so_far(pool))
		return false;
	while (sort_next(&trim))
		;
	push_back(&trim);
	store_relaxed(&pool->joined, pushed_so_far(pool));
	return true;
}

size_t
trim_idle(acre_pool *pool)
{
	uint64_t popped, pushed;
	size_t idle = 0;

	registry_lock();
	popped = pool_sum(pool, POPPED);
	pushed = pool_sum(pool, PUSHED);
	for (struct member *m = pool->members; m; m = m->next)
		idle += m->idle(m);
	registry_unlock();
	return idle + (size_t)(pushed - popped) +
		chunks_uncarved(&pool->chunks) +
		load_relaxed(&pool->chunks.slack);
}

size_t
acre_pool_trim(acre_pool *pool, size_t keep, size_t most)
{
	struct cache *cache = cache_of(pool);

	if (!cache || !most)
		return 0;
	cache_flush(cache);
	claim_idle(pool, &cache->member, false);
	return trim_pool(pool, &cache->member, keep, most);
}
