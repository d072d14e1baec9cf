/* SPDX-License-Identifier: MIT */
/*
 * grow.c - the blocks that a region grows by.
 *
 * A region's next block is as large as its first, or an eighth of what it
 * holds, and GROW_BYTES at most: what it does not fill of its last block stays
 * small beside it. Regions of one size need not grow at all: see learn.c.
 * Blocks of one order are a chain with a known end and count: all of them go
 * back in constant time.
 */
#include <errno.h>
#include <string.h>

#include "lib/region.h"

/* The part of what a region holds that its next block may be. */
#define GROW_SHARE 8

bool
grow_may_hold(const struct region *region, size_t size)
{
	size_t most = region->state & STATE_MORE ? region->more.max_bytes : 0;

	if (!most || size <= most - acre_region_held(&region->cursor))
		return true;
	errno = ENOMEM;
	return false;
}

/* The order of the smallest block that holds size bytes of objects. */
static unsigned
least_order(const struct cache *cache, size_t size)
{
	unsigned order = 0;

	while (cache->bins[order].size - BLOCK_HEADER < size)
		order++;
	return order;
}

/* As the region grows, so do its blocks. */
static void
raise_next_order(struct region *region, const struct cache *cache)
{
	size_t part = acre_region_held(&region->cursor) / GROW_SHARE;
	unsigned next = region->more.next_order + 1;

	if (next < pool_of(region)->grow_orders &&
		cache->bins[next].size <= part)
		region->more.next_order = next;
}

/* A block of *order, or where that cannot be had, of less. */
static struct block *
take(struct region *region, struct cache *cache, unsigned *order,
	unsigned least)
{
	struct block *block;

	if (*order < least)
		*order = least;
	for (; *order > least; --*order) {
		block = grow_may_hold(region, cache->bins[*order].size) ?
			cache_try(cache, *order) : NULL;
		if (block)
			return block;
	}
	return grow_may_hold(region, cache->bins[least].size) ?
		cache_take(cache, least) : NULL;
}

struct block *
grow_take(struct region *region, size_t size, size_t *room)
{
	acre_pool *pool = pool_of(region);
	struct cache *cache = cache_of(pool);
	struct more *more = region_more(region);
	unsigned order = more->next_order;
	struct block *block;

	block = cache ? take(region, cache, &order, least_order(cache, size))
		      : NULL;
	if (!block)
		return NULL;
	if (!(region->state & STATE_GREW))
		learn_outgrown(cache, region);
	region->state |= STATE_GREW;
	chain_append(&more->chains[order], block,
		pool->orders[order].full_batch);
	more->held += cache->bins[order].size;
	raise_next_order(region, cache);
	pool_add(pool, &cache->member, GROWN, 1);
	*room = cache->bins[order].size - BLOCK_HEADER;
	return block;
}

void
grow_move_to(struct region *region, struct block *block, size_t room)
{
	struct more *more = region_more(region);

	more->passed += region->cursor.top - more->base;
	more->base = (uintptr_t)block + BLOCK_HEADER;
	more->end = more->base + room;
	region->cursor.top = more->base;
	region->cursor.limit = more->end;
}

/* The first count blocks of a chain, of which the last is known. */
static void
give(struct region *region, unsigned order, struct block *first,
	struct block *last, size_t count)
{
	acre_pool *pool = pool_of(region);
	struct cache *cache = cache_of(pool);
	struct batch batch = {first, count, true};

	region->more.held -= count * pool->orders[order].size;
	if (cache)
		cache_give(cache, order, &batch, last);
	else
		pool_give(pool, NULL, order, &batch);
}

void
grow_release(struct region *region)
{
	for (unsigned order = pool_of(region)->grow_orders; order-- > 0;) {
		struct chain *chain = &region->more.chains[order];

		if (chain->count)
			give(region, order, chain->first, chain->last,
				chain->count);
		*chain = (struct chain){0};
	}
}

void
grow_release_to(struct region *region, unsigned order,
	const struct chain *before)
{
	struct chain *chain = &region->more.chains[order];
	size_t full = pool_of(region)->orders[order].full_batch;
	size_t left = chain->count - before->count;
	struct block *next = before->count ? before->last->next : chain->first;

	while (left > 0) {
		size_t count = left < full ? left : full;
		struct block *first = next, *last = next;

		for (size_t i = 1; i < count; i++)
			last = last->next;
		next = last->next;
		give(region, order, first, last, count);
		left -= count;
	}
	*chain = *before;
}
