/* SPDX-License-Identifier: MIT */
/*
 * trim.c - takes free memory off the lists, and gives of it back.
 *
 *   lists --batches--> store --whole chunks--> source
 *     ^                  |
 *     +--runs of pages---+ joined, and purged where that is wanted
 *
 * A sweep sorts batches into the store until the lists are empty; then what no
 * whole chunk was made of is purged, and goes back to the lists. A trim that
 * has done its share of work before that leaves the store as it is, and the
 * next one goes on from there. Meanwhile other threads take from the store.
 *
 * Several threads may trim at once: each step is one batch, one chunk or one
 * run, held by nobody else, and no lock is held between steps. What a step has
 * in its hands nobody else finds: so steps are counted, see member.h.
 */
#include "lib/trim.h"

#include "lib/cache.h"
#include "lib/claim.h"
#include "lib/grace.h"
#include "lib/helper.h"
#include "lib/sizes.h"
#include "lib/store.h"

/* For a byte that may be given back, so many are sorted; and so many at
 * least. */
#define WORK_SHARE 16
#define WORK_LEAST ((size_t)16 << 20)

struct trim {
	acre_pool *pool;
	struct member *member;
	size_t idle;  /* bytes */
	size_t clean; /* of these, purged */
	size_t keep;  /* that are to stay */
	size_t most;  /* to give back */
	size_t given;
	size_t work;  /* bytes that may be sorted yet */
	bool whole_only; /* chunks: nothing is purged */
};

/* ---- steps ---- */

/* A batch of an order; false: none is left. */
static bool
sort_batch(struct trim *trim, unsigned order)
{
	acre_pool *pool = trim->pool;
	size_t size = pool->orders[order].size;
	struct batch batch;
	size_t bytes;

	if (!pool_pop(pool, trim->member, order, &batch))
		return false;
	bytes = batch.count * size;
	pool_add(pool, trim->member, PUSHED, bytes);
	store_put(&pool->chunks, order, &batch);
	if (batch.count) {
		pool_add(pool, trim->member, POPPED, batch.count * size);
		pool_give(pool, trim->member, order, &batch);
	}
	trim->work -= smaller(bytes, trim->work);
	return !batch.count;
}

/* Sort the next batch of any order; false: none is left. */
static bool
sort_next(struct trim *trim)
{
	unsigned order = 0;

	pool_begin_step(trim->pool);
	while (order < trim->pool->order_count && !sort_batch(trim, order))
		order++;
	pool_end_step(trim->pool, trim->member);
	return order < trim->pool->order_count;
}

/* How much may go yet, of so many bytes? */
static size_t
room(const struct trim *trim, size_t bytes)
{
	size_t excess = bytes > trim->keep ? bytes - trim->keep : 0;

	return smaller(excess, trim->most - trim->given);
}

static size_t
room_to_purge(const struct trim *trim)
{
	if (trim->whole_only)
		return 0;
	return room(trim, trim->idle - smaller(trim->clean, trim->idle));
}

static bool
may_give_chunk(const struct trim *trim)
{
	return room(trim, trim->idle) >= trim->pool->chunks.chunk_size;
}

/* A chunk of whose pages so many were stored, and so many of these clean. */
static void
give(struct trim *trim, struct chunk *chunk, size_t stored, size_t clean)
{
	struct chunks *chunks = &trim->pool->chunks;

	pool_add(trim->pool, trim->member, POPPED, stored * chunks->page_size);
	chunks_give(chunks, chunk);
	trim->given += chunks->chunk_size;
	trim->idle -= smaller(chunks->chunk_size, trim->idle);
	trim->clean -= smaller(clean * chunks->page_size, trim->clean);
}

/* A whole chunk; false: there is none. */
static bool
give_whole(struct trim *trim)
{
	size_t stored, clean;
	struct chunk *chunk =
		store_take_chunk(&trim->pool->chunks, &stored, &clean);

	if (chunk)
		give(trim, chunk, stored, clean);
	return chunk;
}

/* The fresh chunk, if that is as it came: no list has a page of it. */
static void
give_fresh(struct trim *trim)
{
	struct chunk *chunk;

	if (!may_give_chunk(trim))
		return;
	pool_begin_step(trim->pool);
	chunk = store_take_fresh(&trim->pool->chunks);
	if (chunk)
		give(trim, chunk, 0, 0);
	pool_end_step(trim->pool, trim->member);
}

/* The next chunk that may go; false: there is none. */
static bool
give_chunk(struct trim *trim)
{
	bool given;

	if (!may_give_chunk(trim))
		return false;
	pool_begin_step(trim->pool);
	given = give_whole(trim);
	pool_end_step(trim->pool, trim->member);
	return given;
}

/* Purge the next run from *from on; false: there is none, or the OS does not
 * take it. */
static bool
purge_run(struct trim *trim, char **from)
{
	struct chunks *chunks = &trim->pool->chunks;
	size_t page = chunks->page_size;
	size_t bytes;
	struct run run;

	if (!store_take_dirty(chunks, *from, room_to_purge(trim) / page, &run))
		return false;
	bytes = source_purge(&chunks->source, run.first, run.pages * page);
	if (bytes)
		run.clean = run.pages;
	trim->given += bytes;
	trim->clean += bytes;
	store_put_run(chunks, &run);
	*from = run.first + run.pages * page;
	return bytes > 0;
}

/* Purge pages of the store where they are, as many as may go. Returns whether
 * there may be more, for the next trim. */
static bool
purge(struct trim *trim)
{
	char *from = NULL;
	bool purged = true;

	while (purged && room_to_purge(trim) >= trim->pool->page_size) {
		pool_begin_step(trim->pool);
		purged = purge_run(trim, &from);
		pool_end_step(trim->pool, trim->member);
	}
	return purged && trim->most - trim->given < trim->pool->page_size;
}

/* Push a run, as far as there are descriptors; the rest goes back to the store.
 * Returns whether there is none. */
static bool
push_run(struct trim *trim, struct run *run)
{
	acre_pool *pool = trim->pool;
	bool clean = run_is_clean(run);
	size_t pushed = pool_push_run(pool, trim->member, run);

	pool_add(pool, trim->member, POPPED, pushed * pool->page_size);
	if (pushed == run->pages)
		return true;
	run->first += pushed * pool->page_size;
	run->at += pushed;
	run->pages -= pushed;
	run->clean = clean ? run->pages : 0;
	store_put_run(&pool->chunks, run);
	return false;
}

static void
push_back(struct trim *trim)
{
	struct run run;
	bool pushed;

	do {
		pool_begin_step(trim->pool);
		pushed = store_take_run(&trim->pool->chunks,
				trim->whole_only, &run) &&
			push_run(trim, &run);
		pool_end_step(trim->pool, trim->member);
	} while (pushed);
}

static void
end_sweep(struct trim *trim)
{
	give_fresh(trim);
	if (!purge(trim))
		push_back(trim);
}

/* ---- trims ---- */

/* Records of chunks that went before are freed, once their time has come. */
static void
begin(struct trim *trim)
{
	chunks_forget(&trim->pool->chunks);
}

/* So that it comes. */
static size_t
end(const struct trim *trim)
{
	if (trim->given)
		helper_want(grace_needed());
	return trim->given;
}

/* Returns whether the sweep has come to its end. */
static bool
sweep(struct trim *trim)
{
	bool more;

	do {
		more = sort_next(trim);
		while (give_chunk(trim))
			;
	} while (more && trim->work &&
		(may_give_chunk(trim) || room_to_purge(trim)));
	return !more;
}

size_t
trim_pool(acre_pool *pool, struct member *member, size_t keep, size_t most,
	bool *swept)
{
	struct trim trim = {
		.pool = pool,
		.member = member,
		.idle = trim_idle(pool),
		.clean = load_relaxed(&pool->chunks.clean) * pool->page_size,
		.keep = keep,
		.most = most,
		.work = most < SIZE_MAX / WORK_SHARE ? WORK_SHARE * most :
						       SIZE_MAX,
	};

	begin(&trim);
	if (trim.work < WORK_LEAST)
		trim.work = WORK_LEAST;
	*swept = trim.idle <= keep || sweep(&trim);
	if (*swept)
		end_sweep(&trim);
	return end(&trim);
}

bool
trim_chunks(acre_pool *pool, struct member *member, size_t bytes)
{
	size_t chunk = pool->chunks.chunk_size;
	struct trim trim = {
		.pool = pool,
		.member = member,
		.idle = trim_idle(pool),
		.most = bytes < SIZE_MAX - chunk ? bytes + chunk : SIZE_MAX,
		.whole_only = true,
	};

	begin(&trim);
	trim.work = 2 * trim.idle; /* others push meanwhile */
	sweep(&trim);
	end_sweep(&trim);
	return end(&trim) > 0;
}

uint64_t
trim_landed_by(const struct member *member)
{
	return load_relaxed(&member->counters.of[LANDED]);
}

uint64_t
trim_landed(acre_pool *pool)
{
	uint64_t landed;

	registry_lock();
	landed = pool_sum(pool, LANDED);
	registry_unlock();
	return landed;
}

bool
trim_join(acre_pool *pool, struct member *member)
{
	struct trim trim = {
		.pool = pool,
		.member = member,
		.whole_only = true,
	};
	uint64_t landed = trim_landed(pool), own = trim_landed_by(member);

	if (load_relaxed(&pool->joined) == landed &&
		!store_pages(&pool->chunks))
		return false;
	trim.work = 2 * trim_idle(pool); /* others push meanwhile */
	while (sort_next(&trim) && trim.work)
		;
	push_back(&trim);
	/* Not what others have pushed meanwhile. */
	if (chunks_all_known(&pool->chunks))
		store_relaxed(&pool->joined,
			landed + trim_landed_by(member) - own);
	return true;
}

/* What threads have that are not in this process, nobody can take. */
size_t
trim_idle(acre_pool *pool)
{
	uint64_t popped, pushed;
	size_t idle = 0;

	registry_lock();
	popped = pool_sum(pool, POPPED);
	pushed = pool_sum(pool, PUSHED);
	for (struct member *m = pool->members; m; m = m->next)
		idle += m->owner ? m->idle(m) : 0;
	registry_unlock();
	return idle + (size_t)(pushed - popped) +
		chunks_uncarved(&pool->chunks) +
		load_relaxed(&pool->chunks.slack);
}

size_t
acre_pool_trim(acre_pool *pool, size_t keep, size_t most)
{
	struct cache *cache = cache_of(pool);
	bool swept;

	if (!cache || !most)
		return 0;
	cache_flush(cache);
	claim_idle(pool, &cache->member, false);
	return trim_pool(pool, &cache->member, keep, most, &swept);
}
