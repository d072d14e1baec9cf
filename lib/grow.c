/* SPDX-License-Identifier: MIT */
/*
 * grow.c - the blocks that a region grows by.
 *
 * A region's next block is at most half of what it holds, and GROW_BYTES at
 * most: so it is never much larger than what it has been good for, and a
 * region of n bytes has O(log n) blocks before they are of the largest size.
 * Blocks of one order are a chain with a known end and count: all of them go
 * back in constant time.
 */
#include <errno.h>
#include <string.h>

#include "lib/region.h"

bool
grow_may_hold(const struct region *region, size_t size)
{
	size_t most = region->state & STATE_MORE ? region->more.max_bytes : 0;

	if (!most || size <= most - acre_region_held(&region->cursor))
		return true;
	errno = ENOMEM;
	return false;
}

size_t
grow_object_most(const acre_pool *pool)
{
	size_t quarter = pool->orders[pool->grow_orders - 1].size / 4;
	size_t page = pool->page_size - BLOCK_HEADER;

	return quarter > page ? quarter : page;
}

/* The order of the smallest block that holds size bytes of objects. */
static unsigned
least_order(const struct region *region, size_t size)
{
	unsigned order = 0;

	while (pool_of(region)->orders[order].size - BLOCK_HEADER < size)
		order++;
	return order;
}

/* The order of the next block: as large as growth allows, but not less than
 * the least. */
static unsigned
next_order(const struct region *region, unsigned least)
{
	const acre_pool *pool = pool_of(region);
	size_t half = acre_region_held(&region->cursor) / 2;
	unsigned order = least;

	while (order + 1 < pool->grow_orders &&
		pool->orders[order + 1].size <= half)
		order++;
	return order;
}

/* Number the block from the chain's end, for batch_cut. */
static void
push(struct chain *chain, struct block *block, size_t full)
{
	block->next = chain->newest;
	chain->newest = block;
	if (chain->count++ == 0)
		chain->oldest = block;
	if (chain->count % full == 0) {
		block->skip = chain->rest;
		chain->rest = block;
	}
}

/* A block of *order, or where that cannot be had, of less. */
static struct block *
take(struct region *region, struct cache *cache, unsigned *order,
	unsigned least)
{
	const struct order *orders = pool_of(region)->orders;
	struct block *block;

	for (; *order > least; --*order) {
		block = grow_may_hold(region, orders[*order].size) ?
			cache_try(cache, *order) : NULL;
		if (block)
			return block;
	}
	return grow_may_hold(region, orders[least].size) ?
		cache_take(cache, least) : NULL;
}

struct block *
grow_take(struct region *region, size_t size, size_t *room)
{
	acre_pool *pool = pool_of(region);
	struct cache *cache = cache_of(pool);
	unsigned least = least_order(region, size);
	unsigned order = next_order(region, least);
	struct block *block;

	block = cache ? take(region, cache, &order, least) : NULL;
	if (!block)
		return NULL;
	if (!(region->state & STATE_GREW))
		learn_outgrown(cache, region);
	region->state |= STATE_GREW;
	push(&region_more(region)->chains[order], block,
		pool->orders[order].full_batch);
	region->more.held += pool->orders[order].size;
	pool_add(pool, &cache->member, GROWN, 1);
	*room = pool->orders[order].size - BLOCK_HEADER;
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

static void
give(acre_pool *pool, unsigned order, const struct batch *batch,
	struct block *oldest)
{
	struct cache *cache = cache_of(pool);

	if (cache)
		cache_give(cache, order, batch, oldest);
	else
		pool_give(pool, NULL, order, batch);
}

static void
release(struct region *region, unsigned order)
{
	struct chain *chain = &region->more.chains[order];
	size_t full = pool_of(region)->orders[order].full_batch;
	struct batch batch = {
		.first = chain->newest,
		.count = chain->count,
		.linked = true,
	};

	if (batch.count > full)
		batch.rest = batch.count % full ? chain->rest :
						  chain->rest->skip;
	give(pool_of(region), order, &batch, chain->oldest);
	region->more.held -= chain->count * pool_of(region)->orders[order].size;
	*chain = (struct chain){0};
}

void
grow_release(struct region *region)
{
	for (unsigned order = 0; order < pool_of(region)->grow_orders; order++)
		if (region->more.chains[order].count)
			release(region, order);
}

void
grow_release_to(struct region *region, unsigned order, size_t count)
{
	struct chain *chain = &region->more.chains[order];

	while (chain->count > count) {
		struct block *block = chain->newest;

		chain->newest = block->next;
		if (chain->rest == block)
			chain->rest = block->skip;
		chain->count--;
		region->more.held -= pool_of(region)->orders[order].size;
		give(pool_of(region), order,
			&(struct batch){block, NULL, 1, true}, block);
	}
}
