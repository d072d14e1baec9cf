/* SPDX-License-Identifier: MIT */
/*
 * cache.h - the blocks that one thread keeps for one pool.
 *
 *   region <-- cache <--batch-- pool <-- source
 *
 * Its thread only, so no atomics here but for counts that statistics read.
 * Sharing is pool.c's, memory chunk.c's.
 */
#ifndef ACRE_LIB_CACHE_H
#define ACRE_LIB_CACHE_H

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "acre/acre.h"
#include "lib/atomic.h"
#include "lib/block.h"
#include "lib/pool.h"

/*
 * The blocks of one order: Bonwick's magazines, as chains. Blocks are taken
 * from and given to the current chain; when that is a full batch it becomes
 * the spare, and the spare goes to the pool; when it is empty the spare
 * becomes current. So a thread that swings around either boundary visits the
 * pool once per batch. The spare may be an extent; it is then carved.
 *
 * Source: J. Bonwick, J. Adams, "Magazines and Vmem", USENIX ATC 2001.
 */
struct bin {
	size_t full; /* blocks in a full batch; fixed */
	struct block *current;
	_Atomic(size_t) current_count; /* blocks; its thread writes */
	_Atomic(size_t) spare_count;   /* == spare.count, for statistics */
	struct batch spare;            /* without a rest */
};

struct cache {
	struct member member;
	struct bin bins[]; /* by order */
};

/* A thread's caches: the one used last, and all of them by their pool's id. */
struct thread_caches {
	uint64_t id; /* 0: none */
	struct cache *last;
	struct cache_table *table;
};

extern _Thread_local struct thread_caches thread_caches
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

/* The calling thread's cache for pool; NULL: out of memory, errno is set. */
struct cache *cache_of(acre_pool *pool);

/* The same at the cost of a few instructions; NULL: ask cache_of. */
static inline struct cache *
cache_at_hand(const acre_pool *pool)
{
	if (!ACRE_LIKELY(thread_caches.id == pool->id))
		return NULL;
	if (!thread_caches.last)
		__builtin_unreachable(); /* an id comes with its cache */
	return thread_caches.last;
}

/* For tests: slots in the calling thread's table of caches. */
size_t cache_table_size(void);

/* Take a block of an order; NULL: out of memory, errno is set. */
struct block *cache_take(struct cache *cache, unsigned order);

/* The same when the current chain has one; else NULL. */
static inline struct block *
bin_take(struct bin *bin)
{
	size_t count = load_relaxed(&bin->current_count);
	struct block *block = bin->current;

	if (!ACRE_LIKELY(count))
		return NULL;
	bin->current = block->next;
	store_relaxed(&bin->current_count, count - 1);
	return block;
}

/* Give a chain of count blocks, linked from newest to oldest; more than a
 * full batch has the rest that batch_cut needs. */
void cache_give(struct cache *cache, unsigned order, const struct batch *batch,
	struct block *oldest);

/* The same when the chain fits on top of the current one; else false. */
static inline bool
bin_give(struct bin *bin, struct block *newest, struct block *oldest,
	size_t count)
{
	size_t sum = load_relaxed(&bin->current_count) + count;

	if (!ACRE_LIKELY(sum <= bin->full))
		return false;
	oldest->next = bin->current;
	bin->current = newest;
	store_relaxed(&bin->current_count, sum);
	return true;
}

#endif
