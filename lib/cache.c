/* SPDX-License-Identifier: MIT */
/*
 * cache.c - a thread's caches: found, made, refilled, flushed, given back.
 *
 * A cache is found through thread-local storage by its pool's id: the last
 * one used at once, others in a small hash table. Ids are never reused, so
 * a cache whose pool is gone is never found; it is freed when its thread's
 * table is next rebuilt, or the thread ends.
 *
 * A thread's end is seen through one pthread key for the whole process. Its
 * destructor only pushes, so it needs no read-side section and runs in any
 * order with other libraries' destructors. One that uses acre after it makes
 * a new cache, and pthreads calls the destructor again.
 */
#include "lib/cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct cache_slot {
	uint64_t id; /* 0: empty */
	struct cache *cache;
};

/* Open addressing, linear probes, at most half full. */
struct cache_table {
	size_t count;
	size_t size; /* a power of two */
	struct cache_slot slots[];
};

#define TABLE_SIZE_FIRST 4

_Thread_local struct thread_caches thread_caches;

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

static void
set_spare(struct bin *bin, const struct batch *batch)
{
	bin->spare = batch->first;
	bin->spare_linked = batch->linked;
	store_relaxed(&bin->spare_count, batch->count);
}

static void
flush(struct cache *cache, const struct bin *bin, const struct batch *batch)
{
	if (!batch->count)
		return;
	pool_add(cache->member.pool, &cache->member, FLUSHES, 1);
	pool_give(cache->member.pool, &cache->member, bin_order(bin),
		batch);
}

static void
flush_spare(struct cache *cache, struct bin *bin)
{
	struct batch spare = spare_as_batch(bin);

	store_relaxed(&bin->spare_count, 0);
	flush(cache, bin, &spare);
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
flush_bin(struct cache *cache, struct bin *bin)
{
	struct batch current = current_as_batch(bin);

	flush_spare(cache, bin);
	store_relaxed(&bin->current_count, 0);
	flush(cache, bin, &current);
}

static void
flush_all(struct cache *cache)
{
	for (unsigned i = 0; i < cache->member.pool->order_count; i++)
		flush_bin(cache, &cache->bins[i]);
}

/* Give larger blocks than bin's to the pool, which can split them. */
static bool
flush_larger(struct cache *cache, const struct bin *bin)
{
	bool any = false;

	for (unsigned i = bin_order(bin) + 1;
		i < cache->member.pool->order_count; i++) {
		any = any || load_relaxed(&cache->bins[i].current_count) ||
			load_relaxed(&cache->bins[i].spare_count);
		flush_bin(cache, &cache->bins[i]);
	}
	return any;
}

/* Flush spares of other orders, large ones first, until one more batch's
 * bytes have room. */
static void
make_room(struct cache *cache, const struct bin *bin, size_t bytes)
{
	const acre_pool *pool = cache->member.pool;
	size_t most = CACHE_SPARES * pool->batch_bytes;

	for (unsigned i = 0; i < pool->order_count; i++)
		bytes += cache->bins[i].size *
			load_relaxed(&cache->bins[i].spare_count);
	for (unsigned i = pool->order_count; bytes > most && i-- > 0;) {
		struct bin *other = &cache->bins[i];

		if (other == bin)
			continue;
		bytes -= other->size * load_relaxed(&other->spare_count);
		flush_spare(cache, other);
	}
}

/* The source is asked when neither the pool nor this cache has anything that
 * would do. */
static int
ask_pool(struct cache *cache, struct bin *bin, struct batch *batch,
	struct batch *second)
{
	struct member *member = &cache->member;
	unsigned order = bin_order(bin);
	int error;

	pool_add(member->pool, member, MISSES, 1);
	second->count = 0;
	if (!bin->full)
		second = NULL; /* one block at a time */
	error = pool_refill(member->pool, member, order, false, batch, second);
	if (error && flush_larger(cache, bin))
		error = pool_refill(member->pool, member, order, false, batch,
			second);
	if (error)
		error = pool_refill(member->pool, member, order, true, batch,
			second);
	return error;
}

static void
set_current(struct bin *bin, const struct batch *chain)
{
	bin->current = chain->first;
	store_relaxed(&bin->current_count, chain->count);
}

/* Fill an empty bin from the pool. */
static int
refill(struct cache *cache, struct bin *bin)
{
	struct batch batch, second;
	int error = ask_pool(cache, bin, &batch, &second);

	if (error)
		return error;
	if (!second.count) {
		set_spare(bin, &batch);
		return 0;
	}
	set_current(bin, &batch);
	make_room(cache, bin, second.count * bin->size);
	set_spare(bin, &second);
	return 0;
}

/* The current chain is empty. */
static struct block *
take_from_spare(struct bin *bin)
{
	struct batch batch = spare_as_batch(bin);
	struct block *block;

	if (!batch.count)
		return NULL;
	if (batch.linked) {
		set_current(bin, &batch);
		store_relaxed(&bin->spare_count, 0);
		return bin_take(bin);
	}
	block = batch_take(&batch, bin->size);
	set_spare(bin, &batch);
	return block;
}

/* Returns NULL and sets *error as pool_refill. */
static struct block *
try(struct cache *cache, struct bin *bin, int *error)
{
	struct block *block;

	for (;;) {
		block = bin_take(bin);
		if (!block)
			block = take_from_spare(bin);
		if (block)
			return block;
		*error = refill(cache, bin);
		if (*error)
			return NULL;
	}
}

struct block *
cache_try(struct cache *cache, unsigned order)
{
	int error;
	struct block *block = try(cache, &cache->bins[order], &error);

	if (!block)
		errno = ENOMEM;
	return block;
}

struct block *
cache_take(struct cache *cache, unsigned order)
{
	struct bin *bin = &cache->bins[order];
	struct block *block;
	int error;

	do {
		block = try(cache, bin, &error);
	} while (!block && error == EAGAIN &&
		pool_ask_handler(cache->member.pool, bin->size));
	if (!block)
		errno = ENOMEM;
	return block;
}

void
cache_give(struct cache *cache, unsigned order, const struct batch *batch,
	struct block *last)
{
	struct bin *bin = &cache->bins[order];
	struct batch current = current_as_batch(bin);

	if (bin_give(bin, batch->first, last, batch->count))
		return;
	if (batch->count > bin->full) {
		flush(cache, bin, batch);
		return;
	}
	flush_spare(cache, bin);
	make_room(cache, bin, current.count * bin->size);
	set_spare(bin, &current);
	set_current(bin, batch);
}

/* ---- the thread's table ---- */

static struct cache_slot *
probe(struct cache_table *table, uint64_t id)
{
	size_t i = id & (table->size - 1);

	while (table->slots[i].id && table->slots[i].id != id)
		i = (i + 1) & (table->size - 1);
	return &table->slots[i];
}

/* With registry_lock(). How many of the table's pools live. */
static size_t
count_live(const struct cache_table *table)
{
	size_t live = 0;

	for (size_t i = 0; table && i < table->size; i++)
		live += table->slots[i].id &&
			table->slots[i].cache->member.pool;
	return live;
}

/* With registry_lock(). Put what lives of old into table, free the rest. */
static void
rehash(struct cache_table *table, struct cache_table *old)
{
	for (size_t i = 0; old && i < old->size; i++) {
		struct cache_slot slot = old->slots[i];

		if (!slot.id)
			continue;
		if (slot.cache->member.pool) {
			*probe(table, slot.id) = slot;
			table->count++;
		} else {
			free(slot.cache);
		}
	}
	free(old);
	/* It may be one of those that were freed. */
	thread_caches.id = 0;
	thread_caches.last = NULL;
}

/* With registry_lock(). Make room for one more, or return ENOMEM. */
static int
reserve_slot(void)
{
	struct cache_table *old = thread_caches.table;
	struct cache_table *table;
	size_t size = TABLE_SIZE_FIRST;

	if (old && 2 * (old->count + 1) <= old->size)
		return 0;
	while (size < 2 * (count_live(old) + 1))
		size *= 2;
	table = calloc(1, sizeof(*table) + size * sizeof(table->slots[0]));
	if (!table)
		return ENOMEM;
	table->size = size;
	rehash(table, old);
	thread_caches.table = table;
	return 0;
}

size_t
cache_table_size(void)
{
	return thread_caches.table ? thread_caches.table->size : 0;
}

/* ---- a cache's life ---- */

/* With registry_lock(). */
static void
end_cache(struct cache *cache)
{
	acre_pool *pool = cache->member.pool;

	if (!pool) {
		free(cache);
		return;
	}
	flush_all(cache);
	pool_leave(pool, &cache->member);
}

void
cache_flush_thread(void)
{
	struct cache_table *table = thread_caches.table;

	registry_lock();
	for (size_t i = 0; table && i < table->size; i++)
		if (table->slots[i].id && table->slots[i].cache->member.pool)
			flush_all(table->slots[i].cache);
	registry_unlock();
}

void
acre_thread_flush(acre_pool *pool)
{
	struct cache *cache = NULL;

	if (thread_caches.table)
		cache = probe(thread_caches.table, pool->id)->cache;
	if (cache)
		flush_all(cache);
}

static void
end_thread(void *unused)
{
	struct cache_table *table = thread_caches.table;

	(void)unused;
	thread_caches = (struct thread_caches){0};
	if (!table)
		return;
	registry_lock();
	for (size_t i = 0; i < table->size; i++)
		if (table->slots[i].id)
			end_cache(table->slots[i].cache);
	registry_unlock();
	free(table);
}

/* With registry_lock(). See to it that end_thread is called. */
static int
watch_thread(void)
{
	static pthread_key_t key;
	static bool made;

	if (!made && pthread_key_create(&key, end_thread))
		return ENOMEM;
	made = true;
	/* Any value that is not NULL. */
	return pthread_setspecific(key, &key) ? ENOMEM : 0;
}

static void
init_bins(struct cache *cache, const acre_pool *pool)
{
	for (unsigned i = 0; i < pool->order_count; i++) {
		struct bin *bin = &cache->bins[i];

		bin->offset = i * sizeof(*bin);
		bin->size = pool->orders[i].size;
		if (i < CACHED_ORDERS && bin->size <= pool->batch_bytes)
			bin->full = pool->orders[i].full_batch;
	}
	cache->open_bin = &cache->bins[0];
}

static struct cache *
make_cache(acre_pool *pool)
{
	size_t size = sizeof(struct cache) +
		pool->order_count * sizeof(struct bin);
	struct cache *cache = aligned_alloc(CACHE_LINE,
		(size + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1));

	if (!cache)
		return NULL;
	memset(cache, 0, size);
	cache->member.pool = pool;
	cache->member.idle = idle_bytes;
	init_bins(cache, pool);
	return cache;
}

/* With registry_lock(). One that another thread has left, or a new one. */
static struct cache *
get_cache(acre_pool *pool)
{
	struct member *unused = pool->unused;

	if (!unused)
		return make_cache(pool);
	pool->unused = unused->next;
	return (struct cache *)unused;
}

/* With registry_lock(). NULL: out of memory. */
static struct cache *
add_cache(acre_pool *pool)
{
	struct cache *cache = NULL;

	if (!watch_thread() && !reserve_slot())
		cache = get_cache(pool);
	if (!cache)
		return NULL;
	pool_join(pool, &cache->member);
	*probe(thread_caches.table, pool->id) =
		(struct cache_slot){pool->id, cache};
	thread_caches.table->count++;
	return cache;
}

/* A cache that the thread has, but not at hand, or a new one. */
static struct cache *
find(acre_pool *pool)
{
	struct cache *cache = NULL;

	if (thread_caches.table)
		cache = probe(thread_caches.table, pool->id)->cache;
	if (cache)
		return cache;
	registry_lock();
	cache = add_cache(pool);
	registry_unlock();
	if (!cache)
		errno = ENOMEM;
	return cache;
}

struct cache *
cache_of(acre_pool *pool)
{
	struct cache *cache = cache_at_hand(pool);

	if (cache)
		return cache;
	cache = find(pool);
	if (cache) {
		thread_caches.id = pool->id;
		thread_caches.last = cache;
	}
	return cache;
}
