/* SPDX-License-Identifier: MIT */
/*
 * thread.c - a thread's caches: found, made, and given back at its end.
 *
 * A cache is found through thread-local storage: the last one used by its key,
 * which is its pool's address while that lives; others in a small hash table,
 * by their pool's id. Ids are never reused, so a cache whose pool is gone is
 * never found; it is freed when its thread's table is next rebuilt, or the
 * thread ends.
 *
 * A cache is found by its address too: a region knows the cache that it was
 * opened with, and when that is the one that the closing thread used last, it
 * is the right one. That holds because a cache is not freed while its pool
 * lives: a thread that ends leaves it to the pool's next new thread. And when
 * the pool is gone, it is freed by its own thread, which then has no `last`,
 * or with the pool, when no thread has it.
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

alignas(CACHE_ALIGN) struct cache no_cache = {.bins[0].key = NO_POOL};

_Thread_local struct thread_caches thread_caches = {.last = no_cache.bins};

/* Regions open in bin now, perhaps of another cache. */
static void
set_last(struct bin *bin)
{
	/* Release: it leaves the cache before; pairs with is_idle(). */
	store_release(&thread_caches.last, bin);
}

static void
forget_last(void)
{
	set_last(no_cache.bins);
}

/* ---- the thread's table ---- */

static struct cache_slot *
probe(struct cache_table *table, uint64_t id)
{
	size_t i = (size_t)id & (table->size - 1);

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
	forget_last();
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
	cache_flush(cache);
	cache_settle(cache);
	pool_leave(pool, &cache->member);
}

void
cache_flush_thread(void)
{
	struct cache_table *table = thread_caches.table;

	registry_lock();
	for (size_t i = 0; table && i < table->size; i++)
		if (table->slots[i].id && table->slots[i].cache->member.pool)
			cache_flush(table->slots[i].cache);
	registry_unlock();
}

void
acre_thread_flush(acre_pool *pool)
{
	struct cache *cache = NULL;

	if (thread_caches.table)
		cache = probe(thread_caches.table, pool->id)->cache;
	if (cache)
		cache_flush(cache);
}

static void
end_thread(void *unused)
{
	struct cache_table *table = thread_caches.table;

	(void)unused;
	forget_last();
	thread_caches.ending = true;
	thread_caches.table = NULL;
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

/* With registry_lock(). One that another thread has left, or a new one. */
static struct cache *
get_cache(acre_pool *pool)
{
	struct member *unused = pool->unused;

	if (!unused)
		return cache_create(pool);
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
	/* After the last of its destructors its words are not there. */
	cache->member.owner = thread_caches.ending ? NULL : &thread_caches;
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

/* With registry_lock(), in a fork's child. */
void
caches_after_fork(void)
{
	for (acre_pool *pool = pool_first(); pool; pool = pool->next_pool)
		for (struct member *m = pool->members; m; m = m->next)
			if (m->owner != &thread_caches)
				m->owner = NULL;
}

void
cache_begin(struct cache *cache)
{
	while (!cache_begin_at_hand(cache) &&
		/* Acquire: pairs with the release in claim.c. */
		load_acquire(&cache->member.claimed)) {
		cache_end();
		/* Who claims holds it. */
		registry_lock();
		registry_unlock();
	}
}

void
cache_open_in(struct cache *cache, struct bin *bin)
{
	cache->open_bin = bin;
	cache_begin(cache);
	if (cache_is_at_hand(cache))
		set_last(bin);
	cache_end();
}

struct cache *
cache_of(acre_pool *pool)
{
	struct bin *bin = load_relaxed(&thread_caches.last);
	struct cache *cache;

	if (load_relaxed(&bin->key) == pool)
		return bin_cache(bin);
	cache = find(pool);
	if (!cache)
		return NULL;
	cache_begin(cache);
	set_last(cache->open_bin);
	cache_end();
	return cache;
}
