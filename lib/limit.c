/* SPDX-License-Identifier: MIT */
/*
 * limit.c - what is tried before ENOMEM.
 *
 *   cache, pool, source            as always
 *   idle threads' caches           claim.c
 *   other sizes                    trim.c joins pages to larger blocks, and
 *                                  gives chunks back for a large object
 *   limbo                          a grace period is waited for, briefly
 *   other sizes                    again: limbo's pages
 *   the application's handler      may free something, and all begins again
 *
 * After each that brought something the pool is asked again. For an object that
 * max_bytes could never hold only the handler is asked. No lock is held while
 * the handler runs, and nobody is inside a cache's begin and end.
 */
#include "lib/limit.h"

#include <errno.h>

#include "lib/claim.h"
#include "lib/grace.h"
#include "lib/helper.h"
#include "lib/trim.h"

#define LIMBO_WAIT_US 10000
#define TRIES_MOST 100 /* while a trim goes on */

/* What is asked for: a block, or so many bytes from the source. */
struct want {
	struct cache *cache;
	bool large;
	unsigned order;
	size_t size;
	bool waited;    /* for limbo */
	unsigned tries; /* while others take steps */
};

static void *
take(const struct want *want)
{
	acre_pool *pool = want->cache->member.pool;
	int error;

	if (want->large)
		return pool_take_large(pool, want->size, &error);
	return cache_try(want->cache, want->order);
}

/* ---- what may help; each returns whether it is worth another try ---- */

static bool
look_into_caches(struct want *want)
{
	struct member *member = &want->cache->member;

	return claim_idle(member->pool, member, false) > 0;
}

static bool
look_at_other_sizes(struct want *want)
{
	struct member *member = &want->cache->member;

	cache_flush(want->cache);
	if (want->large)
		return trim_chunks(member->pool, member, want->size);
	return trim_join(member->pool, member);
}

static bool
look_into_limbo(struct want *want)
{
	acre_pool *pool = want->cache->member.pool;

	if (want->waited || !pool_has_limbo(pool) ||
		pool->flags & ACRE_NONBLOCKING || !pool_may_wait())
		return false;
	want->waited = true;
	return helper_wait_briefly(grace_needed(), LIMBO_WAIT_US);
}

/* Below max_bytes, if all else were given back? */
static bool
can_ever_be(const struct want *want)
{
	size_t most = want->cache->member.pool->chunks.source.max_bytes;

	return !want->large || !most || want->size <= most;
}

static void *
look_around(struct want *want)
{
	static bool (*const steps[])(struct want *) = {
		look_into_caches,
		look_at_other_sizes,
		look_into_limbo,
		look_at_other_sizes,
	};
	void *memory = NULL;

	for (size_t i = 0; !memory && i < sizeof(steps) / sizeof(steps[0]);
		i++)
		if (steps[i](want))
			memory = take(want);
	return memory;
}

/* All was in vain, since a step. */
static bool
may_try_again(struct want *want, uint64_t step)
{
	struct member *member = &want->cache->member;

	if (pool_has_hidden(member->pool, member, step) &&
		++want->tries < TRIES_MOST) {
		pool_wait(member->pool);
		return true;
	}
	want->waited = false;
	want->tries = 0;
	return pool_ask_handler(member->pool, want->size);
}

static void *
take_or_look(struct want *want)
{
	struct member *member = &want->cache->member;
	uint64_t step;
	void *memory;

	do {
		step = pool_steps(member->pool, member);
		memory = take(want);
		if (!memory && can_ever_be(want))
			memory = look_around(want);
	} while (!memory && may_try_again(want, step));
	if (!memory)
		errno = ENOMEM;
	return memory;
}

struct block *
limit_take(struct cache *cache, unsigned order)
{
	struct want want = {
		.cache = cache,
		.order = order,
		.size = cache->bins[order].size,
	};

	return take_or_look(&want);
}

void *
limit_take_large(struct cache *cache, size_t size)
{
	struct want want = {
		.cache = cache,
		.large = true,
		.size = size,
	};

	return take_or_look(&want);
}
