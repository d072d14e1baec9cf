/* SPDX-License-Identifier: MIT */
/*
 * cache.c - the blocks of a cache: taken, given, refilled, flushed.
 *
 * Its thread only; or, when that has ended, whoever holds registry_lock().
 * How a thread finds its caches, and what becomes of them, is in thread.c; how
 * an idle thread's are emptied by others, in claim.c. The pool is asked outside
 * of begin and end: its source may be the user's.
 *
 * A block that moves is not counted for a moment, and never twice: statistics
 * and a fork's child see no more than there is.
 */
#include "lib/cache.h"

#include <stdlib.h>
#include <string.h>

/* ---- blocks in and out ---- */

static struct batch
spare_as_batch(const struct bin *bin)
{
	return (struct batch){
		.first = bin->spare,
		.count = load_relaxed(&bin->spare_count),
		.linked = bin->spare_linked,
	};
}

static struct batch
current_as_batch(const struct bin *bin)
{
	return (struct batch){
		.first = bin->current,
		.count = load_relaxed(&bin->current_count),
		.linked = true,
	};
}

/* last is NULL where it is not known. */
static void
set_spare(struct bin *bin, const struct batch *batch, struct block *last)
{
	bin->spare = batch->first;
	bin->spare_last = last;
	bin->spare_linked = batch->linked;
	store_relaxed(&bin->spare_count, (unsigned)batch->count);
}

/* by is the member of who does it, or NULL. */
static void
flush_by(acre_pool *pool, struct member *by, const struct bin *bin,
	const struct batch *batch)
{
	if (!batch->count)
		return;
	pool_add(pool, by, FLUSHES, 1);
	pool_give(pool, by, bin_order(bin), batch);
}

static void
flush(struct cache *cache, const struct bin *bin, const struct batch *batch)
{
	flush_by(cache->member.pool, &cache->member, bin, batch);
}

static void
flush_spare(struct cache *cache, struct bin *bin)
{
	struct batch spare = spare_as_batch(bin);

	store_relaxed(&bin->spare_count, 0);
	flush(cache, bin, &spare);
}

static void
flush_current(struct cache *cache, struct bin *bin)
{
	struct batch current = current_as_batch(bin);

	store_relaxed(&bin->current_count, 0);
	flush(cache, bin, &current);
}

static size_t
idle_bytes(const struct member *member)
{
	const struct cache *cache = (const struct cache *)member;
	size_t bytes = 0;

	for (unsigned i = 0; i < member->pool->order_count; i++) {
		const struct bin *bin = &cache->bins[i];

		bytes += bin->size * (load_relaxed(&bin->current_count) +
			load_relaxed(&bin->spare_count));
	}
	return bytes;
}

static void
flush_bin(acre_pool *pool, struct member *by, struct bin *bin)
{
	struct batch spare = spare_as_batch(bin);
	struct batch current = current_as_batch(bin);

	store_relaxed(&bin->spare_count, 0);
	store_relaxed(&bin->current_count, 0);
	flush_by(pool, by, bin, &spare);
	flush_by(pool, by, bin, &current);
}

void
cache_empty(struct cache *cache, struct member *by)
{
	acre_pool *pool = cache->member.pool;

	for (unsigned i = 0; i < pool->order_count; i++)
		flush_bin(pool, by, &cache->bins[i]);
}

void
cache_flush(struct cache *cache)
{
	cache_begin(cache);
	cache_empty(cache, &cache->member);
	cache_end();
}

/* Give larger blocks than bin's to the pool, which can split them. */
static bool
flush_larger(struct cache *cache, const struct bin *bin)
{
	bool any = false;

	cache_begin(cache);
	for (unsigned i = bin_order(bin) + 1;
		i < cache->member.pool->order_count; i++) {
		any = any || load_relaxed(&cache->bins[i].current_count) ||
			load_relaxed(&cache->bins[i].spare_count);
		flush_bin(cache->member.pool, &cache->member,
			&cache->bins[i]);
	}
	cache_end();
	return any;
}

/* Blocks that bin may have when others need no room of it. */
static size_t
usual_most(const acre_pool *pool, const struct bin *bin)
{
	return pool->batch_bytes / bin->size;
}

/* What bins have, or may have without asking again. */
static size_t
reserved_bytes(const struct cache *cache)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < cache->member.pool->order_count; i++) {
		const struct bin *bin = &cache->bins[i];

		bytes += bin->size *
			(bin->most + load_relaxed(&bin->spare_count));
	}
	return bytes;
}

/* Blocks that bin's current chain may have beside so many bytes of a spare and
 * a batch to open with. */
static size_t
most_beside(const acre_pool *pool, const struct bin *bin, size_t bytes)
{
	size_t room = pool->cache_bytes - bytes;
	size_t most = usual_most(pool, bin);

	if (room > 2 * pool->batch_bytes)
		most = (room - pool->batch_bytes) / bin->size;
	return most < bin->full ? most : bin->full;
}

/*
 * Let bin have so many blocks as its current chain, or as usual, but no more
 * than there is room for beside so many bytes of a spare, which are no more
 * than cache->longest_bytes. If need be, other bins may have no more than they
 * do, and then less: large spares go first, then small blocks, but for those
 * that regions open with.
 */
static void
make_room(struct cache *cache, struct bin *bin, size_t current, size_t bytes)
{
	const acre_pool *pool = cache->member.pool;
	size_t usual = usual_most(pool, bin);
	size_t beside = most_beside(pool, bin, bytes);
	size_t most = pool->cache_bytes - bytes;

	bin->most = current > usual ? current : usual;
	if (bin->most > beside)
		bin->most = beside;
	if (reserved_bytes(cache) <= most)
		return;
	for (unsigned i = 0; i < pool->order_count; i++)
		if (&cache->bins[i] != bin)
			cache->bins[i].most =
				load_relaxed(&cache->bins[i].current_count);
	for (unsigned i = pool->order_count; i-- > 0;)
		if (reserved_bytes(cache) > most)
			flush_spare(cache, &cache->bins[i]);
	for (unsigned i = 0; i < pool->order_count; i++)
		if (&cache->bins[i] != bin &&
			&cache->bins[i] != cache->open_bin &&
			reserved_bytes(cache) > most) {
			cache->bins[i].most = 0;
			flush_bin(cache->member.pool, &cache->member,
				&cache->bins[i]);
		}
}

/* How many blocks to ask for: two batches, and twice as many again for a bin
 * that runs dry again before a region has closed; no more than are kept. */
static size_t
appetite(struct cache *cache, struct bin *bin)
{
	const acre_pool *pool = cache->member.pool;
	uint64_t closed = cache_count(cache, CLOSED);
	size_t usual = usual_most(pool, bin);
	size_t most = cache->longest_bytes / bin->size;

	if (!bin->kept)
		return 1;
	if (cache->dry != bin || cache->dry_since != closed)
		cache->appetite = usual;
	cache->dry = bin;
	cache->dry_since = closed;
	if (2 * cache->appetite <= most)
		cache->appetite *= 2;
	else if (most > usual)
		cache->appetite = most;
	return cache->appetite;
}

/* The source is asked when neither the pool nor this cache has anything that
 * would do. */
static int
ask_pool(struct cache *cache, struct bin *bin, struct batch *batch)
{
	struct member *member = &cache->member;
	unsigned order = bin_order(bin);
	size_t most = appetite(cache, bin);
	int error;

	pool_add(member->pool, member, MISSES, 1);
	error = pool_refill(member->pool, member, order, most, false, batch);
	if (error && flush_larger(cache, bin))
		error = pool_refill(member->pool, member, order, most, false,
			batch);
	if (error)
		error = pool_refill(member->pool, member, order, most, true,
			batch);
	return error;
}

static void
set_current(struct bin *bin, const struct batch *chain)
{
	bin->current = chain->first;
	if (bin->kept && bin->most < chain->count)
		bin->most = chain->count;
	store_relaxed(&bin->current_count, chain->count);
}

/* Fill an empty bin from the pool. */
static int
refill(struct cache *cache, struct bin *bin)
{
	struct batch batch;
	int error = ask_pool(cache, bin, &batch);

	if (error)
		return error;
	cache_begin(cache);
	if (bin->kept)
		make_room(cache, bin, 0, batch.count * bin->size);
	set_spare(bin, &batch, NULL);
	cache_end();
	return 0;
}

/* The current chain is empty. */
static struct block *
take_from_spare(struct bin *bin)
{
	struct batch batch = spare_as_batch(bin);
	struct batch current;
	struct block *block;

	if (!batch.count)
		return NULL;
	if (!batch.linked) {
		block = batch_take(&batch, bin->size);
		set_spare(bin, &batch, bin->spare_last);
		return block;
	}
	current = batch_cut(&batch, bin->full, bin->size);
	set_spare(bin, &batch, bin->spare_last);
	set_current(bin, &current);
	return bin_take(bin);
}

struct block *
cache_try(struct cache *cache, unsigned order)
{
	struct bin *bin = &cache->bins[order];
	struct block *block;

	for (;;) {
		cache_begin(cache);
		block = bin_take(bin);
		if (!block)
			block = take_from_spare(bin);
		cache_end();
		if (block)
			return block;
		if (refill(cache, bin))
			return NULL;
	}
}

/* What is left of the spare joins the current chain, or goes to the pool. */
static void
clear_spare(struct cache *cache, struct bin *bin)
{
	struct batch spare = spare_as_batch(bin);

	store_relaxed(&bin->spare_count, 0);
	if (!bin->spare_last || !spare.count ||
		!bin_give(bin, spare.first, bin->spare_last, spare.count))
		flush(cache, bin, &spare);
}

/* In the place of what bin has, which becomes the spare if there is room. */
static void
replace_current(struct cache *cache, struct bin *bin, const struct batch *batch)
{
	const acre_pool *pool = cache->member.pool;
	struct batch before = current_as_batch(bin);
	size_t count = before.count + batch->count;

	flush_spare(cache, bin);
	store_relaxed(&bin->current_count, 0);
	if (count <= 2 * usual_most(pool, bin) ||
		count * bin->size <= pool->cache_bytes - pool->batch_bytes) {
		make_room(cache, bin, batch->count, before.count * bin->size);
		set_spare(bin, &before, NULL);
	} else {
		make_room(cache, bin, batch->count, 0);
		flush(cache, bin, &before);
	}
	set_current(bin, batch);
}

/* On top of what bin has, in its place, or as more than a batch beside it. */
static void
keep(struct cache *cache, struct bin *bin, const struct batch *batch,
	struct block *last)
{
	size_t current = load_relaxed(&bin->current_count);

	if (bin_give(bin, batch->first, last, batch->count))
		return;
	if (batch->count > bin->full) {
		clear_spare(cache, bin);
		make_room(cache, bin, 0, batch->count * bin->size);
		if (load_relaxed(&bin->current_count) > bin->most)
			flush_current(cache, bin);
		set_spare(bin, batch, last);
		return;
	}
	if (current + batch->count <=
		most_beside(cache->member.pool, bin, 0))
		make_room(cache, bin, current + batch->count, 0);
	if (!bin_give(bin, batch->first, last, batch->count))
		replace_current(cache, bin, batch);
}

/* Whether a chain of so many blocks is. */
static bool
is_kept(const struct cache *cache, const struct bin *bin, size_t count)
{
	const acre_pool *pool = cache->member.pool;

	return bin->kept && (count <= usual_most(pool, bin) ||
		count * bin->size <= cache->longest_bytes);
}

static __attribute__((noinline)) void
give_slow(acre_pool *pool, unsigned order, const struct batch *batch,
	struct block *last)
{
	struct cache *cache = cache_of(pool);

	if (!cache) {
		pool_give(pool, NULL, order, batch);
	} else if (!is_kept(cache, &cache->bins[order], batch->count)) {
		flush(cache, &cache->bins[order], batch);
	} else {
		cache_begin(cache);
		keep(cache, &cache->bins[order], batch, last);
		cache_end();
	}
}

void
cache_give(struct cache *home, unsigned order, const struct batch *batch,
	struct block *last)
{
	bool given = cache_begin_at_hand(home) &&
		bin_give(&home->bins[order], batch->first, last, batch->count);

	cache_end();
	if (!ACRE_LIKELY(given))
		give_slow(home->member.pool, order, batch, last);
}

/* ---- what it has counted ---- */

uint64_t
cache_count(const struct cache *cache, enum count what)
{
	uint64_t sum = load_acquire(&cache->member.counters.of[what]);

	for (unsigned i = 0; what == OPENED && i < ORDERS_MOST; i++)
		sum += load_acquire(&cache->bins[i].opened);
	for (unsigned i = 0; what == CLOSED && i < ORDERS_MOST; i++)
		sum += load_acquire(&cache->bins[i].closed);
	return sum;
}

static uint64_t
count_of(const struct member *member, enum count what)
{
	return cache_count((const struct cache *)member, what);
}

void
cache_settle(struct cache *cache)
{
	struct counters *counters = &cache->member.counters;

	/* Who takes this cache over begins a window of learning, and with
	 * counts of 0. */
	cache->since = 0;
	cache->outgrown = cache->probed = 0;
	store_relaxed(&counters->of[OPENED], cache_count(cache, OPENED));
	store_relaxed(&counters->of[CLOSED], cache_count(cache, CLOSED));
	for (unsigned i = 0; i < ORDERS_MOST; i++) {
		store_relaxed(&cache->bins[i].opened, 0);
		store_relaxed(&cache->bins[i].closed, 0);
	}
}

/* ---- a cache's beginning and its pool's end ---- */

static void
init_bins(struct cache *cache, acre_pool *pool)
{
	for (unsigned i = 0; i < pool->order_count; i++) {
		struct bin *bin = &cache->bins[i];

		store_relaxed(&bin->key, pool);
		bin->size = pool->orders[i].size;
		bin->full = (unsigned)pool->orders[i].full_batch;
		bin->kept = i < CACHED_ORDERS &&
			bin->size <= pool->batch_bytes;
		bin->most = bin->kept ? usual_most(pool, bin) : 0;
	}
	cache->open_bin = cache->bins;
	cache->longest_bytes = pool->cache_bytes - 2 * pool->batch_bytes;
}

struct cache *
cache_create(acre_pool *pool)
{
	struct cache *cache = aligned_alloc(CACHE_ALIGN, CACHE_ALIGN);

	if (!cache)
		return NULL;
	memset(cache, 0, CACHE_ALIGN);
	cache->member.pool = pool;
	cache->member.idle = idle_bytes;
	cache->member.count = count_of;
	init_bins(cache, pool);
	return cache;
}

void
cache_forget_pool(struct cache *cache)
{
	cache->member.pool = NULL;
	for (unsigned i = 0; i < ORDERS_MOST; i++)
		store_relaxed(&cache->bins[i].key, NO_POOL);
}
