/* SPDX-License-Identifier: MIT */
/*
 * member.h - a thread that uses a pool, as the pool knows it.
 */
#ifndef ACRE_LIB_MEMBER_H
#define ACRE_LIB_MEMBER_H

#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "acre/acre.h"
#include "lib/atomic.h"
#include "lib/descriptor.h"

/* What is counted, of one pool. */
enum count {
	OPENED,     /* regions */
	CLOSED,     /* regions */
	RETIRED,    /* regions */
	GROWN,      /* blocks that regions took after their first */
	MISSES,     /* batches that caches asked of the pool */
	FLUSHES,    /* batches that caches gave to the pool */
	PUSHED,     /* bytes, to the lists, the overflow and the heaps */
	LANDED,     /* the same, when they are there */
	POPPED,     /* bytes, from there */
	OVERFLOWED, /* batches pushed without a descriptor */
	COUNTS
};

/* A thread's counters: it alone writes them, with count_add; any thread
 * reads. The pool has one more set, for threads that have ended or have no
 * cache, which any thread writes. */
struct counters {
	_Atomic(uint64_t) of[COUNTS];
};

/*
 * What the pool knows of a thread that uses it: the base of a cache. All
 * members stand in the pool's list, which thread exit, destroy and the
 * statistics share.
 */
struct member {
	/* Written under registry_lock(). */
	struct member *previous;
	struct member *next;
	acre_pool *pool; /* NULL: it was destroyed */
	struct thread_caches *owner; /* its thread's words; NULL: not here */
	_Atomic(bool) claimed; /* see claim.c */
	uint64_t calls_seen;   /* the same */

	/* Its thread only, but for what `idle` and `count` read. */
	unsigned shard;
	struct heap *heap; /* of its shard */
	struct stash stash;
	struct counters counters;
	size_t (*idle)(const struct member *member); /* bytes it keeps */
	/* What is counted in the cache and not in counters, too; acquire. */
	uint64_t (*count)(const struct member *member, enum count what);
	uint64_t steps; /* its own; see pool_begin_step */

	/* Reserved of limbo and not used; its thread writes. */
	_Atomic(size_t) limbo_allowance;

	/* Retired regions: its thread pushes, any thread takes all. */
	alignas(CACHE_LINE) _Atomic(struct region *) bag;
};

/* Guards every pool's list of members. Never held when a source, a handler
 * or other code of the user's runs. */
void registry_lock(void);
void registry_unlock(void);
void registry_wait(pthread_cond_t *condition);

/* Let a member join or leave; one that left is kept in pool->unused, to join
 * again. With registry_lock(). */
void pool_join(acre_pool *pool, struct member *member);
void pool_leave(acre_pool *pool, struct member *member);

/* The sum over all threads. With registry_lock(). */
uint64_t pool_sum(acre_pool *pool, enum count what);

/* Regions in limbo, with registry_lock(); or whether there are any. */
uint64_t pool_in_limbo(acre_pool *pool);
bool pool_has_limbo(acre_pool *pool);

/*
 * Where much is in one thread's hands for a moment, that nobody else finds: a
 * step of a trim, or a heap that is taken apart. Steps are counted when they
 * begin and when they end.
 *
 * pool_steps, pool_has_hidden: who found nothing since `ended` was what
 * pool_steps said may find some now. What member has done itself does not
 * count. pool_wait: for the steps that are under way; they may be in the
 * source's free.
 */
void pool_begin_step(acre_pool *pool);
void pool_end_step(acre_pool *pool, struct member *member);
uint64_t pool_steps(const acre_pool *pool, const struct member *member);
bool pool_has_hidden(const acre_pool *pool, const struct member *member,
	uint64_t ended);
void pool_wait(const acre_pool *pool);

#endif
