/* SPDX-License-Identifier: MIT */
/*
 * pools.c - makes and ends pools; the list of all; the default one.
 *
 * The list is for those who must see every pool: the helper, which looks for
 * retired regions, and a fork.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cache.h"
#include "lib/decay.h"
#include "lib/fork.h"
#include "lib/helper.h"
#include "lib/membarrier.h"
#include "lib/options.h"
#include "lib/pool.h"
#include "lib/rcu.h"
#include "lib/retire.h"

/* ---- all pools ---- */

static acre_pool *pools; /* under registry_lock() */
static _Atomic(bool) ever;

bool
pools_ever(void)
{
	return load_relaxed(&ever);
}

acre_pool *
pool_first(void)
{
	return pools;
}

static void
enlist(acre_pool *pool)
{
	registry_lock();
	pool->next_pool = pools;
	if (pools)
		pools->previous_pool = pool;
	pools = pool;
	registry_unlock();
}

bool
pool_may_wait(void)
{
	bool inside = helper_is_me() || rcu_inside(NULL);

	registry_lock();
	for (acre_pool *pool = pools; pool && !inside;
		pool = pool->next_pool)
		inside = rcu_inside(pool->application);
	registry_unlock();
	return !inside;
}

/* With registry_lock(). */
static void
delist(acre_pool *pool)
{
	if (pool->next_pool)
		pool->next_pool->previous_pool = pool->previous_pool;
	if (pool->previous_pool)
		pool->previous_pool->next_pool = pool->next_pool;
	else
		pools = pool->next_pool;
}

static pthread_mutex_t default_lock = PTHREAD_MUTEX_INITIALIZER;

void
pool_before_fork(void)
{
	pthread_mutex_lock(&default_lock);
	registry_lock();
	for (acre_pool *pool = pools; pool; pool = pool->next_pool) {
		chunks_before_fork(&pool->chunks);
		depot_before_fork(&pool->depot);
		for (unsigned i = 0; i < pool->order_count; i++)
			overflow_before_fork(&pool->orders[i].overflow);
	}
}

void
pool_after_fork(bool in_child)
{
	for (acre_pool *pool = pools; pool; pool = pool->next_pool) {
		for (unsigned i = 0; i < pool->order_count; i++)
			overflow_after_fork(&pool->orders[i].overflow);
		depot_after_fork(&pool->depot);
		if (in_child)
			store_relaxed(&pool->steps_ended,
				load_relaxed(&pool->steps_begun));
		if (in_child)
			chunks_recount(&pool->chunks,
				load_relaxed(&pool->large_bytes));
		chunks_after_fork(&pool->chunks);
	}
	registry_unlock();
	pthread_mutex_unlock(&default_lock);
}

/* ---- making and ending pools ---- */

static unsigned
count_orders(const acre_pool_options *options)
{
	size_t pages = options->chunk_size / options->page_size;
	unsigned orders = 1;

	while (orders < ORDERS_MOST && (size_t)2 << orders <= pages)
		orders++;
	return orders;
}

/* An eighth of a cache, in a power of two pages. */
static size_t
batch_bytes(const acre_pool_options *options)
{
	size_t pages = 1;

	while (pages < BATCH_PAGES && 2 * pages <= options->cache_bytes /
			CACHE_BATCHES / options->page_size)
		pages *= 2;
	return pages * options->page_size;
}

/* Blocks of so many bytes in a full batch: where there are few to a region, as
 * many as a region and what is beside it in its cache may come to. */
static size_t
full_batch(const acre_pool *pool, unsigned order)
{
	size_t size = pool->orders[order].size;
	size_t blocks = pool->batch_bytes / size;

	if (!blocks)
		return 1;
	if (order > 0 && size > OPEN_BYTES && size <= GROW_BYTES)
		while (blocks < BATCH_BLOCKS && blocks * size < BATCH_BYTES)
			blocks *= 2;
	return blocks;
}

static void
init_orders(acre_pool *pool, const acre_pool_options *options)
{
	pool->batch_bytes = batch_bytes(options);
	pool->cache_bytes = options->cache_bytes;
	if (pool->cache_bytes < 2 * pool->batch_bytes)
		pool->cache_bytes = 2 * pool->batch_bytes;
	pool->order_count = count_orders(options);
	for (unsigned i = 0; i < pool->order_count; i++) {
		struct order *order = &pool->orders[i];

		order->size = options->page_size << i;
		order->full_batch = full_batch(pool, i);
		if (i == 0 || (i < GROW_ORDERS && order->size <= GROW_BYTES))
			pool->grow_orders = i + 1;
		if (i == 0 || (i < GROW_ORDERS && order->size <= OPEN_BYTES))
			pool->open_orders = i + 1;
		overflow_init(&order->overflow);
	}
}

/* A quarter of the largest block that regions open with, or a page's worth. */
static size_t
object_most(const acre_pool *pool)
{
	size_t quarter = pool->orders[pool->open_orders - 1].size / 4;
	size_t page = pool->page_size - BLOCK_HEADER;

	return quarter > page ? quarter : page;
}

static void
init(acre_pool *pool, const acre_pool_options *options)
{
	static _Atomic(uint64_t) last_id;

	pool->id = add_relaxed(&last_id, 1) + 1;
	pool->page_size = options->page_size;
	pool->on_limit = options->on_limit;
	pool->userdata = options->userdata;
	pool->application = options->rcu;
	pool->name = options->name;
	pool->flags = options->flags;
	pool->limbo_bytes = options->limbo_bytes;
	pool->keep_bytes = options->keep_bytes;
	pool->decay_ms = options->decay_ms;
	pool->chunks.source.allocator = *options->source;
	pool->chunks.source.max_bytes = options->max_bytes;
	pool->chunks.page_size = options->page_size;
	pool->chunks.os_page_size = (size_t)sysconf(_SC_PAGESIZE);
	pool->chunks.chunk_size = options->chunk_size;
	chunks_init(&pool->chunks);
	depot_init(&pool->depot);
	init_orders(pool, options);
	pool->object_most = object_most(pool);
}

acre_pool *
acre_pool_create_sized(const acre_pool_options *given, size_t given_size)
{
	acre_pool_options options;
	acre_pool *pool;
	size_t size;

	if (options_resolve(given, given_size, &options)) {
		errno = EINVAL;
		return NULL;
	}
	size = sizeof(*pool) + count_orders(&options) * sizeof(struct order);
	pool = fork_watch() ? NULL : aligned_alloc(alignof(acre_pool), size);
	if (!pool) {
		errno = ENOMEM;
		return NULL;
	}
	memset(pool, 0, size);
	init(pool, &options);
	store_relaxed(&ever, true);
	enlist(pool);
	retire_init();
	decay_init();
	membarrier_register();
	helper_retain();
	return pool;
}

static _Atomic(acre_pool *) default_pool;

acre_pool *
acre_pool_default(void)
{
	/* Acquire: pairs with the release below. */
	acre_pool *pool = load_acquire(&default_pool);

	if (pool)
		return pool;
	pthread_mutex_lock(&default_lock);
	pool = load_relaxed(&default_pool);
	if (!pool) {
		pool = acre_pool_create(NULL);
		store_release(&default_pool, pool);
	}
	pthread_mutex_unlock(&default_lock);
	return pool;
}

/* With registry_lock(). Members live on, without a pool. */
static bool
detach_members(acre_pool *pool)
{
	uint64_t ended = pool_sum(pool, CLOSED) + pool_sum(pool, RETIRED);

	if (pool_sum(pool, OPENED) != ended)
		return false;
	for (struct member *m = pool->members; m; m = m->next)
		cache_forget_pool((struct cache *)m);
	return true;
}

int
acre_pool_destroy(acre_pool *pool)
{
	bool detached;

	if (!pool)
		return 0;
	if (!pool_may_wait())
		return EDEADLK;
	if (pool == load_relaxed(&default_pool))
		return EBUSY;
	/* Again where a cleanup has retired more. */
	do
		retire_wait(pool);
	while (pool_has_limbo(pool));
	registry_lock();
	decay_wait(pool);
	detached = detach_members(pool);
	if (detached)
		delist(pool);
	registry_unlock();
	if (!detached)
		return EBUSY;
	while (pool->unused) {
		struct member *next = pool->unused->next;

		free(pool->unused);
		pool->unused = next;
	}
	chunks_release(&pool->chunks);
	depot_destroy(&pool->depot);
	for (unsigned i = 0; i < pool->order_count; i++)
		overflow_destroy(&pool->orders[i].overflow);
	free(pool);
	helper_release();
	return 0;
}
