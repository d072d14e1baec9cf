/* SPDX-License-Identifier: MIT */
/*
 * decay.c - trims pools on the helper, a step at a time.
 *
 * A pool decays from the first chunk that it takes until its chunks are no
 * more than it is to keep. DECAY_STEPS times in decay_ms the helper trims it,
 * each time a share of what is idle, the last one all: so whatever has become
 * idle is back decay_ms later, and other threads meet a few chunks' work at a
 * time. A thread's cache counts as idle when it made no call in a whole step.
 *
 * The helper holds a pool while it trims it without a lock; who destroys the
 * pool waits for that.
 *
 * Why none is forgotten: a pool that is about to be left alone says so first,
 * and then counts its chunks once more; who has taken a chunk has counted it
 * before it looks whether the pool decays (all seq_cst).
 */
#include "lib/decay.h"

#include "lib/cache.h"
#include "lib/claim.h"
#include "lib/clock.h"
#include "lib/helper.h"
#include "lib/trim.h"

#define DECAY_STEPS 8
#define STEP_LEAST_US 1000

/* What is given back before the helper looks whether a grace period is
 * wanted. */
#define SLICE ((size_t)4 << 20)

static pthread_cond_t let_go = PTHREAD_COND_INITIALIZER;

static int64_t
interval(const acre_pool *pool)
{
	int64_t step = (int64_t)pool->decay_ms * 1000 / DECAY_STEPS;

	return step > STEP_LEAST_US ? step : STEP_LEAST_US;
}

static size_t
chunk_bytes(const acre_pool *pool)
{
	return load_seq_cst(&pool->chunks.count) * pool->chunks.chunk_size;
}

/* Is there anything to look at again? */
static void
look_again(acre_pool *pool)
{
	if (chunk_bytes(pool) > pool->keep_bytes)
		return;
	store_seq_cst(&pool->decays, false);
	if (chunk_bytes(pool) > pool->keep_bytes)
		store_seq_cst(&pool->decays, true);
}

/* The pool is held. How much of it is to go in the step that begins now. */
static size_t
share_of(acre_pool *pool, struct cache *cache)
{
	size_t chunk = pool->chunks.chunk_size;
	size_t idle, share;

	cache_flush(cache);
	claim_idle(pool, &cache->member, true);
	idle = trim_idle(pool);
	if (idle <= pool->keep_bytes || trim_landed(pool) == pool->rested)
		return 0;
	if (!pool->steps_left)
		pool->steps_left = DECAY_STEPS;
	share = (idle - pool->keep_bytes) / pool->steps_left--;
	/* Rather a chunk more than a part of one that would have to stay. */
	return (share / chunk + 1) * chunk;
}

/*
 * The pool is held. Trim so much, at most. When all was looked at and gave
 * less, the step is over; when it gave nothing, and not for want of memory, the
 * pool rests until more is pushed.
 */
static void
trim_slice(acre_pool *pool, struct member *member, size_t slice)
{
	uint64_t landed = trim_landed(pool), own = trim_landed_by(member);
	bool swept;
	size_t given = trim_pool(pool, member, pool->keep_bytes, slice, &swept);

	if (swept && !given && chunks_all_known(&pool->chunks))
		pool->rested = landed + trim_landed_by(member) - own;
	pool->share -= given;
	if (swept && given < slice)
		pool->share = 0;
}

/* The pool is held. A slice of a step; returns whether there are more. */
static bool
decay_slice(acre_pool *pool)
{
	struct cache *cache = cache_of(pool);
	size_t slice;

	if (!cache)
		return false;
	if (!pool->share)
		pool->share = share_of(pool, cache);
	if (!pool->share)
		return false;
	slice = pool->share < SLICE ? pool->share : SLICE;
	if (slice < pool->chunks.chunk_size)
		slice = pool->share;
	trim_slice(pool, &cache->member, slice);
	return pool->share > 0;
}

/* With registry_lock(). When pool is due; INT64_MAX: it does not decay. */
static int64_t
due(acre_pool *pool)
{
	if (!load_seq_cst(&pool->decays)) {
		pool->due = 0;
		return INT64_MAX;
	}
	if (!pool->due)
		pool->due = clock_now() + interval(pool);
	return pool->due;
}

/* Hold a pool that is due; NULL: none is before *next. */
static acre_pool *
hold_due(int64_t time, int64_t *next)
{
	acre_pool *pool;

	*next = INT64_MAX;
	registry_lock();
	for (pool = pool_first(); pool && due(pool) > time;
		pool = pool->next_pool)
		if (pool->due && pool->due < *next)
			*next = pool->due;
	if (pool)
		pool->held = true;
	registry_unlock();
	return pool;
}

/* With registry_lock(). Steps begin at their times, but not two at once when
 * the helper is late. */
static void
set_due(acre_pool *pool)
{
	int64_t soonest = clock_now() + interval(pool) / 2;

	pool->due += interval(pool);
	if (pool->due < soonest)
		pool->due = soonest;
}

static void
release(acre_pool *pool, bool more)
{
	look_again(pool);
	registry_lock();
	pool->held = false;
	if (!more)
		set_due(pool);
	pthread_cond_broadcast(&let_go);
	registry_unlock();
}

/* A slice of a pool that is due. Microseconds until it is to be called again;
 * -1: no pool decays. */
static int64_t
decay(void)
{
	int64_t begun = clock_now(), next;
	acre_pool *pool = hold_due(begun, &next);

	if (!pool)
		return next == INT64_MAX ? -1 : next - begun;
	release(pool, decay_slice(pool));
	return 0;
}

void
decay_init(void)
{
	helper_set_decay(decay);
}

void
decay_wait(const acre_pool *pool)
{
	while (pool->held)
		registry_wait(&let_go);
}

/* The next chunk that a pool takes begins its decay anew. */
void
decay_after_fork(void)
{
	let_go = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
	for (acre_pool *pool = pool_first(); pool; pool = pool->next_pool) {
		pool->held = false;
		store_relaxed(&pool->decays, false);
	}
}
