/* SPDX-License-Identifier: MIT */
/*
 * pool.h - the blocks that all threads share.
 */
#ifndef ACRE_LIB_POOL_H
#define ACRE_LIB_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "acre/acre.h"
#include "lib/atomic.h"
#include "lib/block.h"
#include "lib/chunk.h"
#include "lib/descriptor.h"
#include "lib/freelist.h"
#include "lib/member.h"

/* A list has a shard for each few threads that use the pool. */
#define SHARDS 16
#define THREADS_PER_SHARD 4

/* Blocks have at most this many orders: 2^0 to 2^15 pages. */
#define ORDERS_MOST 16

/* A full batch has at most this many pages; or of blocks that regions grow by,
 * but do not open with, so many, or so many bytes. */
#define BATCH_PAGES 64
#define BATCH_BLOCKS 8
#define BATCH_BYTES ((size_t)1 << 20)

/* A cache keeps blocks of this many orders, and this many batches at least,
 * but for tiny ones. */
#define CACHED_ORDERS 7
#define CACHE_BATCHES 8

/* Regions grow by blocks of this many orders, and of this many bytes at
 * most; and open with so many. */
#define GROW_ORDERS BUNDLE_ORDERS
#define GROW_BYTES ((size_t)262144)
#define OPEN_BYTES ((size_t)32768)

/* One order's part in the pool. */
struct order {
	size_t size;       /* of a block, in bytes */
	size_t full_batch; /* blocks, a power of two */
	struct overflow overflow;
	struct freelist shards[SHARDS];
};

/*
 * Bundles, linked through themselves. They are pushed one by one and taken all
 * at once, which needs neither descriptors nor grace periods: nobody reads a
 * link before it holds the whole heap.
 */
struct heap {
	alignas(CACHE_LINE) _Atomic(struct bundle *) top;
};

/* Retired regions that a tick has drained: what is about to leave limbo. */
struct drained {
	size_t regions;
	size_t bytes;
	size_t elsewhere;
};

struct acre_pool {
	/* Fixed at creation, read by every thread. */
	uint64_t id; /* never used again by another pool */
	size_t page_size;
	unsigned order_count;
	unsigned open_orders; /* that regions open with */
	unsigned grow_orders; /* that regions grow by, no fewer */
	size_t batch_bytes;   /* of a full batch of pages */
	size_t cache_bytes;   /* that a cache keeps at most */
	size_t object_most;   /* that goes into a block with others */
	int (*on_limit)(acre_pool *pool, size_t size, void *userdata);
	void *userdata;
	const struct rcu_flavor_struct *application;
	size_t limbo_bytes; /* that may be in limbo */
	size_t keep_bytes;
	unsigned decay_ms; /* 0: never */
	unsigned flags;
	const char *name;

	/* Under registry_lock(). */
	struct member *members;
	size_t member_count;
	struct member *unused; /* of threads that have ended */
	acre_pool *next_pool, *previous_pool;
	bool held;       /* by decay.c: not to be destroyed */
	int64_t due;     /* microseconds: the next decay; 0: none yet */

	/* The helper's: of a decay, and bytes of its step. */
	unsigned steps_left;
	size_t share;
	uint64_t rested; /* LANDED when there was nothing to give */

	/* Who ticks; under retire.c's lock. */
	struct drained drained;

	/* Any thread, atomics only. */
	_Atomic(unsigned) shards_used; /* grows with the number of threads */
	struct counters others;        /* of threads that are not members */
	_Atomic(size_t) large_bytes;   /* of objects from the source */
	_Atomic(size_t) limbo_reserved; /* bytes in limbo, and allowances */
	_Atomic(uint64_t) limbo_ended;  /* regions that have left it */
	_Atomic(size_t) limbo_elsewhere; /* bytes in limbo, of no chunk here */
	_Atomic(bool) decays;     /* decay.c looks at it */
	_Atomic(uint64_t) steps_begun, steps_ended; /* pool_begin_step */
	_Atomic(uint64_t) joined; /* LANDED at the last trim_join's end */

	struct chunks chunks;
	struct depot depot;
	struct heap heaps[SHARDS];
	struct order orders[];
};

/* The first of all pools; next_pool leads on. With registry_lock(). */
acre_pool *pool_first(void);

/* Whether there ever was a pool. */
bool pools_ever(void);

/* Whether this thread may wait for a tick, which waits for the readers of
 * every pool: it is in no section of any pool's flavour, nor the helper. */
bool pool_may_wait(void);

/* Around a fork: all locks of all pools. */
void pool_before_fork(void);
void pool_after_fork(bool in_child);

/*
 * Get a batch of at least one and at most a full batch of blocks; where a
 * longer chain is found, full batches of it, of most blocks together.
 *
 * Returns 0, EAGAIN (max_bytes stands in the way; or the source would have to
 * be asked, and the caller does not want that) or ENOMEM (the source has no
 * more). Threads: member's. Progress: lock-free, but for the source.
 */
int pool_refill(acre_pool *pool, struct member *member, unsigned order,
	size_t most, bool may_grow, struct batch *batch);

/* A batch from the lists, a full one at most; false: they are empty. The bytes
 * count as POPPED. Threads: member's. Progress: as pool_refill. */
bool pool_pop(acre_pool *pool, struct member *member, unsigned order,
	struct batch *batch);

/*
 * Push a run onto the lists, as the largest blocks that fit; each at a multiple
 * of its size where one of that size does (see run_skip).
 *
 * Returns how many were pushed: not all when descriptors run out.
 * Threads: member's. Progress: lock-free.
 */
size_t pool_push_run(acre_pool *pool, struct member *member,
	const struct run *run);

/* Whether the application's handler wants size bytes tried again after
 * EAGAIN. It may open and close regions of this thread meanwhile. */
bool pool_ask_handler(acre_pool *pool, size_t size);

/*
 * Give a batch of any size back. member may be NULL: the thread has no cache.
 *
 * Threads: member's, or with registry_lock() when its thread ends. Progress:
 * lock-free; a lock when descriptors have run out.
 */
void pool_give(acre_pool *pool, struct member *member, unsigned order,
	const struct batch *batch);

/*
 * Memory straight from the source, for an object that no block can hold. It
 * counts against max_bytes. Errors as source_take and source_resize.
 */
void *pool_take_large(acre_pool *pool, size_t size, int *error);
void *pool_resize_large(acre_pool *pool, void *memory, size_t old_size,
	size_t new_size, int *error);
void pool_give_large(acre_pool *pool, void *memory, size_t size);

/* Count n for member, or for a thread that is none (NULL). */
static inline void
pool_add(acre_pool *pool, struct member *member, enum count what, uint64_t n)
{
	if (member)
		count_add(&member->counters.of[what], n);
	else
		add_release(&pool->others.of[what], n);
}

/*
 * Give a bundle of so many bytes; a refill takes it apart.
 *
 * Threads: member's. Progress: lock-free.
 */
static inline void
pool_give_bundle(struct member *member, struct bundle *bundle, size_t bytes)
{
	_Atomic(struct bundle *) *heap = &member->heap->top;
	struct bundle *top = load_relaxed(heap);

	count_add(&member->counters.of[PUSHED], bytes);
	do {
		bundle->next = top;
		/* Release: pairs with the exchange in take_apart(). */
	} while (!cas_release(heap, &top, bundle));
	count_add(&member->counters.of[LANDED], bytes);
}

#endif
