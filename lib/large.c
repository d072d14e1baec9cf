/* SPDX-License-Identifier: MIT */
/*
 * large.c - objects with memory of their own, which can go back alone.
 *
 * Up to half a chunk a large object is a block of 2^k pages, from the same
 * cache and lists as pages; beyond that it is memory from the source. One that
 * grows is copied from block to block, but from an eighth of a chunk on has
 * memory from a source that can resize it, so that it is not copied any more.
 * An object's record is in the region, so that one of 2^k pages fits its
 * block. Records of freed objects are used again.
 */
#include <errno.h>
#include <string.h>

#include "lib/region.h"

/* The part of the largest block from which one that grows has no block. */
#define GROWN_SHARE 4

/* The order of the smallest block that holds size bytes, or ORDER_SOURCE. */
static unsigned
order_for(const acre_pool *pool, size_t size)
{
	for (unsigned order = 0; order < pool->order_count; order++)
		if (size <= pool->orders[order].size)
			return order;
	return ORDER_SOURCE;
}

/* The same for an object that has grown to size. Where there is a limit, chunks
 * and what is free in them are all there may be. */
static unsigned
order_for_grown(const acre_pool *pool, size_t size)
{
	const struct source *source = &pool->chunks.source;
	size_t largest = pool->orders[pool->order_count - 1].size;

	if (size < largest / GROWN_SHARE || source->max_bytes ||
		!source->allocator.reallocate)
		return order_for(pool, size);
	return ORDER_SOURCE;
}

static struct large *
take_record(struct region *region)
{
	struct large *record = region_more(region)->large_spare;

	if (record) {
		region->more.large_spare = record->next;
		return record;
	}
	record = acre_alloc(&region->cursor, sizeof(*record));
	if (record)
		record->born = ++region->more.serial;
	return record;
}

static void
keep_record(struct region *region, struct large *record)
{
	record->next = region->more.large_spare;
	region->more.large_spare = record;
}

static bool
take_block(struct region *region, struct large *large)
{
	struct cache *cache = cache_of(pool_of(region));
	struct block *block = NULL;

	large->size = pool_of(region)->orders[large->order].size;
	if (!grow_charge(region, large->size))
		return false;
	if (cache)
		block = limit_take(cache, large->order);
	if (block)
		pool_add(pool_of(region), &cache->member, GROWN, 1);
	else
		grow_discharge(region, large->size);
	large->memory = (char *)block;
	return block;
}

static bool
take_from_source(struct region *region, struct large *large, size_t size)
{
	struct cache *cache = cache_of(pool_of(region));

	large->size = ALIGN_UP(size);
	if (!cache || !grow_charge(region, large->size))
		return false;
	large->memory = limit_take_large(cache, large->size);
	if (!large->memory) {
		grow_discharge(region, large->size);
		return false;
	}
	region_more(region)->from_source += large->size;
	return true;
}

static bool
take_memory(struct region *region, struct large *large, size_t size,
	unsigned order)
{
	if (size > PTRDIFF_MAX - ACRE_ALIGN) {
		errno = ENOMEM;
		return false;
	}
	large->order = order;
	if (large->order == ORDER_SOURCE)
		return take_from_source(region, large, size);
	return take_block(region, large);
}

static void
give_memory(struct region *region, const struct large *large)
{
	struct block *block = (struct block *)large->memory;
	struct batch batch = {.first = block, .count = 1, .linked = true};

	if (large->order == ORDER_SOURCE) {
		region->more.from_source -= large->size;
		pool_give_large(pool_of(region), large->memory, large->size);
		return;
	}
	cache_give(region_home(region), large->order, &batch, block);
}

static void *
alloc(struct region *region, size_t size, unsigned order)
{
	struct large taken, *large;

	if (!take_memory(region, &taken, size, order))
		return region_fail(region, errno);
	/* Counted first: the record may take a block too. */
	region_more(region)->held += taken.size;
	region->state |= STATE_ATTACHED;
	large = take_record(region);
	if (!large) {
		region->more.held -= taken.size;
		give_memory(region, &taken);
		grow_discharge(region, taken.size);
		return NULL;
	}
	large->memory = taken.memory;
	large->size = taken.size;
	large->order = taken.order;
	large->serial = ++region->more.serial;
	large->next = region->more.large;
	region->more.large = large;
	return large->memory;
}

void *
large_alloc(struct region *region, size_t size)
{
	return alloc(region, size, order_for(pool_of(region), size));
}

struct large *
large_find(const struct region *region, const void *p)
{
	struct large *large =
		region->state & STATE_MORE ? region->more.large : NULL;

	while (large &&
		(uintptr_t)p - (uintptr_t)large->memory >= large->size)
		large = large->next;
	return large;
}

/* All of large_free but the end of the charge. */
static void
give(struct region *region, struct large *large)
{
	struct large **link = &region->more.large;

	while (*link != large)
		link = &(*link)->next;
	*link = large->next;
	region->more.held -= large->size;
	give_memory(region, large);
	keep_record(region, large);
}

void
large_free(struct region *region, struct large *large)
{
	size_t size = large->size;

	give(region, large);
	grow_discharge(region, size);
}

/* Memory from the source, resized where the source can; else NULL. */
static bool
resize(struct region *region, struct large *large, size_t size)
{
	size_t new_size = ALIGN_UP(size);
	size_t more = new_size > large->size ? new_size - large->size : 0;
	char *moved;
	int error;

	if (large->order != ORDER_SOURCE || size > PTRDIFF_MAX - ACRE_ALIGN ||
		order_for_grown(pool_of(region), size) != ORDER_SOURCE)
		return false;
	if (more && !grow_charge(region, more))
		return false;
	moved = pool_resize_large(pool_of(region), large->memory, large->size,
		new_size, &error);
	if (!moved) {
		grow_discharge(region, more);
		return false;
	}
	if (new_size < large->size)
		grow_discharge(region, large->size - new_size);
	region->more.held += new_size - large->size;
	region->more.from_source += new_size - large->size;
	large->memory = moved;
	large->size = new_size;
	return true;
}

void *
large_realloc(struct region *region, struct large *large, void *p, size_t size)
{
	size_t offset = (size_t)((char *)p - large->memory);
	size_t room = large->size - offset;
	unsigned order;
	void *copy;

	if (size <= room && size > room / 2)
		return p;
	if (size <= SIZE_MAX - offset &&
		resize(region, large, size + offset))
		return large->memory + offset;
	if (size <= room)
		return p;
	order = order_for_grown(pool_of(region), size);
	copy = order == ORDER_SOURCE ? alloc(region, size, order) :
				       acre_alloc(&region->cursor, size);
	if (!copy)
		return NULL;
	memcpy(copy, p, room);
	large_free(region, large);
	return copy;
}

/* Drop the spare records that are younger than serial. */
static void
forget_records(struct region *region, uint64_t serial)
{
	struct large *record = region->more.large_spare;

	region->more.large_spare = NULL;
	while (record) {
		struct large *next = record->next;

		if (record->born <= serial)
			keep_record(region, record);
		record = next;
	}
}

void
large_release(struct region *region, uint64_t serial)
{
	while (region->more.large && region->more.large->serial > serial)
		give(region, region->more.large);
	forget_records(region, serial);
}
