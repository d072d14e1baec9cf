/* SPDX-License-Identifier: MIT */
/*
 * cache.h - the blocks that one thread keeps for one pool.
 *
 *   region <-- cache <--batch-- pool <-- source
 *
 * Its thread only, so no atomics here but for what others read.
 * While that thread is idle, claim.c may empty it. Sharing is pool.c's, memory
 * chunk.c's.
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
 * pool once per batch.
 *
 * The spare may be an extent; it is then carved. Or it is what a large region
 * had, a chain of several batches, from which current gets one at a time; when
 * the next such region closes, what is left of it joins current, and the same
 * blocks go round in their thread.
 *
 * Source: J. Bonwick, J. Adams, "Magazines and Vmem", USENIX ATC 2001.
 */
struct bin {
	/* All that an open and a close see, on one line. */

	/* The cache's pool while that lives, else NO_POOL. */
	alignas(CACHE_LINE) _Atomic(acre_pool *) key;
	size_t most; /* blocks that current may have: a batch, or fewer */
	size_t size; /* of a block, in bytes */
	struct block *current;
	_Atomic(size_t) current_count; /* blocks; its thread writes, */
	_Atomic(uint64_t) opened;      /* statistics read: regions that */
	_Atomic(uint64_t) closed;      /* had their first block here */

	alignas(CACHE_LINE) struct block *spare;
	struct block *spare_last;      /* of a chain; NULL: not known */
	_Atomic(unsigned) spare_count; /* as current_count */
	unsigned full;                 /* blocks in a full batch */
	bool spare_linked;             /* a chain, not an extent */
	bool kept; /* else blocks of this order come and go one by one */
};

#define NO_POOL ((acre_pool *)(uintptr_t)-1)

/* A cache begins at a multiple of this, and has no more bytes: it is known by
 * each of its bins. */
#define CACHE_ALIGN 4096

/*
 * Bound: what all bins have, or may have without asking (most), is no more than
 * the pool's cache_bytes.
 */
struct cache {
	struct member member;

	/* Where regions open; see learn.c. */
	struct bin *open_bin;
	size_t longest_bytes; /* of a chain that is kept: all but a batch of its
			       * order and one to open with */
	uint64_t since;          /* regions opened at the last decision */
	unsigned outgrown;       /* of these, those that grew */
	unsigned probed;         /* of these, those that were probes */
	unsigned probes;         /* the latest: opened smaller, to see */
	unsigned probes_outgrown;
	unsigned refills;        /* without a probe, so many to come */
	unsigned refills_again;  /* when these probes have been outgrown */
	unsigned grow_order;     /* that large regions grow by, at once */
	unsigned reached[GROW_ORDERS]; /* regions that took each step */

	/* The last refill; see appetite(). */
	struct bin *dry;
	uint64_t dry_since; /* regions closed by then */
	size_t appetite;    /* blocks that were asked for */

	struct bin bins[ORDERS_MOST]; /* by order */
};

_Static_assert(sizeof(struct cache) <= CACHE_ALIGN,
	"a cache is longer than its alignment");

static inline struct cache *
bin_cache(const struct bin *bin)
{
	return (struct cache *)((uintptr_t)bin & ~(uintptr_t)(CACHE_ALIGN - 1));
}

static inline unsigned
bin_order(const struct bin *bin)
{
	return (unsigned)(bin - bin_cache(bin)->bins);
}

/*
 * A thread's caches: the one used last, and all of them by their pool's id.
 * busy and last are what claim.c looks at.
 */
struct thread_caches {
	_Atomic(bool) busy; /* its thread is at its bins */
	/* Where regions open in the cache used last; no_cache's, if none. */
	_Atomic(struct bin *) last;
	struct cache_table *table;
	bool ending; /* key destructors run, and may not run again */
};

/* Of no pool. */
extern struct cache no_cache;

/* One instruction less where the objects go into a program, not a shared
 * library; libtool says which. */
#ifdef PIC
#define TLS_MODEL "initial-exec"
#else
#define TLS_MODEL "local-exec"
#endif

extern _Thread_local struct thread_caches thread_caches
	__attribute__((tls_model(TLS_MODEL), visibility("hidden")));

/* The cache that a thread used last, or no_cache. */
static inline struct cache *
cache_last(struct thread_caches *words)
{
	return bin_cache(load_own(&words->last));
}

/* Whether it is the cache that this thread used last. Who holds a region of
 * the cache's pool may ask this of any cache: see thread.c. */
static inline bool
cache_is_at_hand(const struct cache *cache)
{
	return cache_last(&thread_caches) == cache;
}

/*
 * Every touch of a cache's bins by its thread stands between a begin and
 * cache_end; see claim.c for why. No code of the user's runs in between, and
 * no lock is waited for.
 *
 * cache_begin_at_hand: returns whether cache is the one that this thread used
 * last; if not, only cache_end may follow. bin_begin_at_hand: the same for the
 * bin where its regions open. cache_begin: any of its caches.
 */
static inline void
mark_busy(void)
{
	store_relaxed(&thread_caches.busy, true);
	order_for_membarrier();
}

static inline bool
cache_begin_at_hand(const struct cache *cache)
{
	mark_busy();
	return cache_is_at_hand(cache);
}

static inline bool
bin_begin_at_hand(const struct bin *bin)
{
	mark_busy();
	return is_own(&thread_caches.last, bin);
}

/* The same for a pool, which may be NULL: where its regions open, or NULL. */
static inline struct bin *
bin_begin_for(const acre_pool *pool)
{
	struct bin *bin;

	mark_busy();
	bin = load_own(&thread_caches.last);
	if (!bin)
		__builtin_unreachable();
	return is_own(&bin->key, pool) ? bin : NULL;
}

void cache_begin(struct cache *cache);

static inline void
cache_end(void)
{
	/* Release: pairs with the acquire in claim.c. */
	store_release(&thread_caches.busy, false);
}

/* The calling thread's cache for pool; NULL: out of memory, errno is set. */
struct cache *cache_of(acre_pool *pool);

/* Let regions open in another of its bins. */
void cache_open_in(struct cache *cache, struct bin *bin);

/* A cache without blocks; NULL: out of memory. */
struct cache *cache_create(acre_pool *pool);

/* With registry_lock(). Its pool ends; it has no blocks any more. */
void cache_forget_pool(struct cache *cache);

/* Its thread ends: count in its counters what its bins have counted, and let
 * the next one learn anew. */
void cache_settle(struct cache *cache);

/* What has been counted in counters and bins. Acquire: pairs with count_add. */
uint64_t cache_count(const struct cache *cache, enum count what);

/* Give all blocks back; its thread, or with registry_lock() when that has
 * ended. */
void cache_flush(struct cache *cache);

/* The same for who has claimed it; by is that thread's member, or NULL. */
void cache_empty(struct cache *cache, struct member *by);

/* Give all idle blocks of the calling thread back, in every pool. */
void cache_flush_thread(void);

/* In a fork's child: other threads' words are not theirs any more. */
void caches_after_fork(void);

/* For tests: slots in the calling thread's table of caches. */
size_t cache_table_size(void);

/* Take a block of an order; NULL: max_bytes stands in the way, or the source
 * has no more. See limit_take, for who cannot do with less. */
struct block *cache_try(struct cache *cache, unsigned order);

/* The same when the current chain has one; else NULL. Between a begin and
 * cache_end. */
static inline struct block *
bin_take(struct bin *bin)
{
	struct block *block;

	if (is_own(&bin->current_count, 0))
		return NULL;
	block = bin->current;
	if (!block)
		__builtin_unreachable(); /* it was counted */
	bin->current = block->next;
	count_add(&bin->current_count, (uint64_t)-1);
	return block;
}

/* Give a chain that ends with last to the calling thread's cache for home's
 * pool, or to the pool; more than a full batch has skips. */
void cache_give(struct cache *home, unsigned order, const struct batch *batch,
	struct block *last);

/* The same for a chain when it fits on top of the current one; else false.
 * Between a begin and cache_end. */
static inline bool
bin_give(struct bin *bin, struct block *first, struct block *last, size_t count)
{
	size_t before = load_own(&bin->current_count);

	if (!ACRE_LIKELY(before + (count - 1) < bin->most))
		return false;
	last->next = bin->current;
	bin->current = first;
	count_add(&bin->current_count, count);
	return true;
}

#endif
