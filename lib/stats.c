/* SPDX-License-Identifier: MIT */
/*
 * stats.c - adds up what threads have counted.
 *
 * What ends is read before what begins, popped before pushed and closed
 * before opened, so that no difference is negative while threads go on. What
 * open regions hold is not counted by anybody: it is what chunks have and
 * nobody else has. The tests hold it against what the regions really hold.
 */
#include <string.h>

#include "acre/acre.h"
#include "lib/grace.h"
#include "lib/pool.h"

/* a - b, or 0 when reads under way have crossed. */
static size_t
difference(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

/* With registry_lock(). */
static size_t
bytes_in_caches(const acre_pool *pool)
{
	size_t bytes = 0;

	for (struct member *m = pool->members; m; m = m->next)
		bytes += m->idle(m);
	return bytes;
}

/* With registry_lock(). */
static size_t
bytes_in_limbo(const acre_pool *pool)
{
	size_t allowances = 0;

	for (struct member *m = pool->members; m; m = m->next)
		allowances += load_relaxed(&m->limbo_allowance);
	return difference(load_relaxed(&pool->limbo_reserved),
		allowances + load_relaxed(&pool->limbo_elsewhere));
}

static size_t
count_overflow(const acre_pool *pool)
{
	size_t batches = 0;

	for (unsigned i = 0; i < pool->order_count; i++)
		batches += load_relaxed(&pool->orders[i].overflow.count);
	return batches;
}

/* With registry_lock(). */
static void
sum_up(acre_pool *pool, acre_stats *stats)
{
	uint64_t popped = pool_sum(pool, POPPED);

	stats->regions_closed = pool_sum(pool, CLOSED);
	stats->regions_retired = pool_sum(pool, RETIRED);
	stats->regions_opened = pool_sum(pool, OPENED);
	stats->free_bytes = (size_t)(pool_sum(pool, PUSHED) - popped);
	stats->pages_taken = stats->regions_opened + pool_sum(pool, GROWN);
	stats->cache_misses = pool_sum(pool, MISSES);
	stats->cache_flushes = pool_sum(pool, FLUSHES);
	stats->overflow_pushes = pool_sum(pool, OVERFLOWED);
	stats->cache_bytes = bytes_in_caches(pool);
	stats->limbo_bytes = bytes_in_limbo(pool);
	stats->caches = pool->member_count;
}

void
acre_pool_stats(acre_pool *pool, acre_stats *stats)
{
	struct chunks *chunks = &pool->chunks;

	memset(stats, 0, sizeof(*stats));
	registry_lock();
	sum_up(pool, stats);
	registry_unlock();
	stats->regions_open = (size_t)(stats->regions_opened -
		stats->regions_closed - stats->regions_retired);
	stats->chunks = load_relaxed(&chunks->count);
	stats->chunk_bytes = stats->chunks * chunks->chunk_size;
	stats->large_bytes = load_relaxed(&pool->large_bytes);
	stats->uncarved_bytes = chunks_uncarved(chunks);
	stats->slack_bytes = load_relaxed(&chunks->slack);
	stats->region_bytes = difference(stats->chunk_bytes,
		stats->uncarved_bytes + stats->slack_bytes +
			stats->free_bytes + stats->cache_bytes +
			stats->limbo_bytes);
	stats->descriptors = load_relaxed(&pool->depot.made);
	stats->overflow_batches = count_overflow(pool);
	stats->source_calls = load_relaxed(&chunks->source.calls);
	stats->grace_periods = grace_count();
}
