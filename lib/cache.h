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
	size_t full;   /* blocks in a full batch; 0: order is not cached */
	size_t size;   /* of a block, in bytes */
	size_t offset; /* from the cache's first bin: order * sizeof */
	struct block *current;
	struct block *spare;
	bool spare_linked;             /* a chain, not an extent */
	_Atomic(size_t) current_count; /* blocks; its thread writes, */
	_Atomic(size_t) spare_count;   /* statistics read */
};

/*
 * Bound: one full batch in each current chain, CACHED_ORDERS of them at most,
 * and CACHE_SPARES batches' bytes in spares: CACHE_BATCHES batches. While a
 * refill is used up, one batch more.
 */
struct cache {
	struct member member;

	/* Where regions open; see learn.c. */
	struct bin *open_bin;
	uint64_t since;          /* regions opened at the last decision */
	unsigned outgrown;       /* of these, those that grew */
	unsigned probed;         /* of these, those that were probes */
	unsigned probes;         /* the latest: opened smaller, to see */
	unsigned probes_outgrown;
	unsigned refills;        /* without a probe, so many to come */
	unsigned refills_again;  /* when these probes have been outgrown */

	alignas(CACHE_LINE) struct bin bins[]; /* by order */
};

static inline unsigned
bin_order(const struct bin *bin)
{
	return (unsigned)(bin->offset / sizeof(*bin));
}

/* A thread's caches: the one used last, and all of them by their pool's id. */
struct thread_caches {
	uint64_t id; /* 0: none */
	struct cache *last;
	struct cache_table *table;
};

/* One instruction less where the objects go into a program, not a shared
 * library; libtool says which. */
#ifdef PIC
#define TLS_MODEL "initial-exec"
#else
#define TLS_MODEL "local-exec"
#endif

extern _Thread_local struct thread_caches thread_caches
	__attribute__((tls_model(TLS_MODEL), visibility("hidden")));

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

/* A cache without blocks; NULL: out of memory. */
struct cache *cache_create(acre_pool *pool);

/* Give all blocks back. */
void cache_flush(struct cache *cache);

/* Give all idle blocks of the calling thread back, in every pool. */
void cache_flush_thread(void);

/* For tests: slots in the calling thread's table of caches. */
size_t cache_table_size(void);

/* Whether it is the cache that this thread used last. Who holds a region of
 * the cache's pool may ask this of any cache: see thread.c. */
static inline bool
cache_is_at_hand(const struct cache *cache)
{
	return thread_caches.last == cache;
}

/* Take a block of an order; NULL: out of memory, errno is set. cache_try does
 * not ask the application's handler: the caller can do with less. */
struct block *cache_take(struct cache *cache, unsigned order);
struct block *cache_try(struct cache *cache, unsigned order);

/* The same when the current chain has one; else NULL. */
static inline struct block *
bin_take(struct bin *bin)
{
	struct block *block = bin->current;
	size_t left;

	if (__builtin_sub_overflow(load_relaxed(&bin->current_count), 1,
		    &left))
		return NULL;
	if (!block)
		__builtin_unreachable(); /* it was counted */
	bin->current = block->next;
	store_relaxed(&bin->current_count, left);
	return block;
}

/* Give a chain that ends with last; more than a full batch has skips. */
void cache_give(struct cache *cache, unsigned order, const struct batch *batch,
	struct block *last);

/* The same for a chain when it fits on top of the current one; else false. */
static inline bool
bin_give(struct bin *bin, struct block *first, struct block *last, size_t count)
{
	size_t sum = load_relaxed(&bin->current_count) + count;

	if (!ACRE_LIKELY(sum <= bin->full))
		return false;
	last->next = bin->current;
	bin->current = first;
	store_relaxed(&bin->current_count, sum);
	return true;
}

#endif
