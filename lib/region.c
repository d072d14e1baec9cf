/* SPDX-License-Identifier: MIT */
/*
 * region.c - open, close, and what acre_alloc does when a page is full.
 *
 * The owner's thread only (close: whoever received the region): no atomics.
 * See region.h for the picture.
 */
#include "lib/region.h"

#include <errno.h>
#include <string.h>

#include "lib/cache.h"

/* What a page after the first begins with. */
#define BLOCK_HEADER ((sizeof(struct block) + ACRE_ALIGN - 1) & \
	~(size_t)(ACRE_ALIGN - 1))

static struct region *
region_of(acre_region *cursor)
{
	return (struct region *)cursor;
}

static inline acre_region *
start(acre_pool *pool, struct cache *cache, struct block *block)
{
	struct region *region = (struct region *)block;

	region->cursor.top = (uintptr_t)region + REGION_HEADER;
	region->cursor.limit = (uintptr_t)region + pool->page_size;
	region->pool = pool;
	region->newest = block;
	region->count = 1;
	region->rest = block;
	pool_add(pool, &cache->member, OPENED, 1);
	return &region->cursor;
}

static __attribute__((noinline)) acre_region *
open_slow(acre_pool *pool)
{
	struct cache *cache;
	struct block *block;

	if (!pool) {
		errno = EINVAL;
		return NULL;
	}
	cache = cache_of(pool);
	block = cache ? cache_take(cache, 0) : NULL;
	return block ? start(pool, cache, block) : NULL;
}

acre_region *
acre_region_open(acre_pool *pool)
{
	struct cache *cache = ACRE_LIKELY(pool) ? cache_at_hand(pool) : NULL;
	struct block *block = cache ? bin_take(&cache->bins[0]) : NULL;

	return ACRE_LIKELY(block) ? start(pool, cache, block) :
				    open_slow(pool);
}

static __attribute__((noinline)) void
close_slow(struct region *region)
{
	acre_pool *pool = region->pool;
	struct cache *cache = cache_of(pool);
	size_t full = pool->orders[0].full_batch;
	struct batch batch = {
		.first = region->newest,
		.count = region->count,
		.linked = true,
	};

	if (batch.count > full)
		batch.rest = batch.count % full ? region->rest :
						  region->rest->skip;
	if (cache) {
		pool_add(pool, &cache->member, CLOSED, 1);
		cache_give(cache, 0, &batch, (struct block *)region);
	} else {
		pool_add(pool, NULL, CLOSED, 1);
		pool_give(pool, NULL, 0, &batch);
	}
}

void
acre_region_close(acre_region *cursor)
{
	struct region *region = region_of(cursor);
	struct cache *cache;

	if (!region)
		return;
	cache = cache_at_hand(region->pool);
	if (ACRE_LIKELY(cache) &&
		ACRE_LIKELY(bin_give(&cache->bins[0], region->newest,
			(struct block *)region, region->count)))
		pool_add(NULL, &cache->member, CLOSED, 1);
	else
		close_slow(region);
}

/* Put one more page on top of the region's chain. */
static bool
grow(struct region *region)
{
	acre_pool *pool = region->pool;
	struct cache *cache = cache_of(pool);
	struct block *block;

	if (!cache)
		return false;
	block = cache_take(cache, 0);
	if (!block)
		return false;
	block->next = region->newest;
	region->newest = block;
	region->count++;
	if (region->count % pool->orders[0].full_batch == 0) {
		block->skip = region->rest;
		region->rest = block;
	}
	region->cursor.top = (uintptr_t)block + BLOCK_HEADER;
	region->cursor.limit = (uintptr_t)block + pool->page_size;
	pool_add(pool, &cache->member, GROWN, 1);
	return true;
}

void *
acre_alloc_slow(acre_region *cursor, size_t size)
{
	struct region *region = region_of(cursor);

	if (size == 0)
		return acre_alloc(cursor, 1);
	if (size > region->pool->page_size - REGION_HEADER) {
		errno = ENOMEM;
		return NULL;
	}
	if (!grow(region))
		return NULL;
	return acre_alloc(cursor, size);
}

void *
acre_zalloc(acre_region *region, size_t size)
{
	void *p = acre_alloc(region, size);

	return p ? memset(p, 0, size) : NULL;
}

void *
acre_zalloc_array(acre_region *region, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return acre_zalloc(region, bytes);
}
