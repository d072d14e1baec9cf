/* SPDX-License-Identifier: MIT */
/*
 * grow.c - the blocks that a region grows by.
 *
 * A region's next block is as large as its first, or an eighth of what it
 * holds, and half of GROW_BYTES at most: what it does not fill of its last
 * block stays small beside it. Regions of one size need not grow at all, or
 * have large blocks at once: see learn.c. Blocks of one order are a chain with
 * a known end and count: all of them go back in constant time.
 */
#include <errno.h>
#include <string.h>

#include "lib/region.h"

/* The part of what a region holds that its next block may be. */
#define GROW_SHARE 8

/* The same for the largest but one: a megabyte's regions shall come to hold so
 * many of these, and learn to grow by the largest. */
#define GROW_SHARE_LAST 6

bool
grow_charge(const struct region *region, size_t size)
{
	size_t most = region->state & STATE_MORE ? region->more.max_bytes : 0;
	size_t held = acre_region_held(&region->cursor);

	if (!most)
		return true;
	if (held <= most && size <= most - held)
		return budget_charge(region->more.budget, size);
	errno = ENOMEM;
	return false;
}

void
grow_discharge(const struct region *region, size_t size)
{
	if (size > 0 && region->state & STATE_MORE)
		budget_discharge(region->more.budget, size);
}

/* The step to come: when region holds so many blocks of this order. */
static void
set_step(struct region *region, unsigned order)
{
	const acre_pool *pool = pool_of(region);
	bool last_but_one = order >= pool->open_orders &&
		order + 2 == pool->grow_orders;
	size_t blocks = last_but_one ? GROW_SHARE_LAST : GROW_SHARE;

	region->more.step = order;
	region->more.step_held = SIZE_MAX;
	if (order < pool->grow_orders)
		region->more.step_held = blocks * pool->orders[order].size;
}

/* Take the steps that are due. The last one leads back: the largest blocks are
 * for regions of a megabyte or two, which learn to have them from the start. */
static void
take_steps(struct region *region)
{
	const acre_pool *pool = pool_of(region);
	struct more *more = &region->more;

	while (more->held >= more->step_held) {
		if (more->step >= pool->open_orders &&
			more->step + 1 == pool->grow_orders)
			more->next_order = more->step - 1;
		else if (more->next_order < more->step)
			more->next_order = more->step;
		set_step(region, more->step + 1);
	}
}

/* The same after a growth, from which the thread learns; see learn.c. */
static __attribute__((noinline)) void
rise(struct region *region, struct cache *cache)
{
	struct more *more = &region->more;

	take_steps(region);
	for (; more->counted < more->step; more->counted++)
		cache->reached[more->counted]++;
}

void
grow_begin(struct region *region)
{
	unsigned order = region_order(region);
	unsigned top = pool_of(region)->open_orders - 1;
	unsigned learned = region_home(region)->grow_order;

	if (order < top) {
		region->more.next_order = order;
		set_step(region, order + 1);
	} else {
		region->more.next_order = learned > top ? learned : top;
		set_step(region, learned > top ? learned - 1 : top);
	}
}

void
grow_resume(struct region *region)
{
	grow_begin(region);
	take_steps(region);
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

/* A block of bin's, charged; or NULL, errno is set. */
static struct block *
take_charged(const struct region *region, struct cache *cache,
	const struct bin *bin,
	struct block *(*from)(struct cache *cache, unsigned order))
{
	struct block *block;

	if (!grow_charge(region, bin->size))
		return NULL;
	block = from(cache, bin_order(bin));
	if (!block)
		grow_discharge(region, bin->size);
	return block;
}

/* A block from the pool, or where one of that size cannot be had, a smaller
 * one; or from the cache of a thread that used another last. */
static __attribute__((noinline)) struct block *
take_slow(struct region *region, size_t size, struct bin **bin)
{
	struct cache *cache = cache_of(pool_of(region));
	unsigned order = region->more.next_order;
	struct block *block;
	unsigned least;

	if (!cache)
		return NULL;
	least = least_order(cache, size);
	for (; order > least; order--) {
		*bin = &cache->bins[order];
		block = take_charged(region, cache, *bin, cache_try);
		if (block)
			return block;
	}
	*bin = &cache->bins[least];
	return take_charged(region, cache, *bin, limit_take);
}

/* As take_slow, when the block is at hand. */
static inline struct block *
take(struct region *region, size_t size, struct bin **bin)
{
	struct cache *cache = region_home(region);
	struct block *block = NULL;

	if (ACRE_LIKELY(!region->more.max_bytes)) {
		*bin = &cache->bins[region->more.next_order];
		if (ACRE_LIKELY(cache_begin_at_hand(cache)) &&
			ACRE_LIKELY(size <= (*bin)->size - BLOCK_HEADER))
			block = bin_take(*bin);
		cache_end();
	}
	return ACRE_LIKELY(block) ? block : take_slow(region, size, bin);
}

/* Account for a block that was taken from one of this thread's bins. */
static inline void
add(struct region *region, struct block *block, struct bin *bin)
{
	struct more *more = &region->more;
	unsigned order = bin_order(bin);
	struct cache *cache = bin_cache(bin);

	chain_append(&more->bundle.chains[order], block, bin->full);
	more->held += bin->size;
	count_add(&cache->member.counters.of[GROWN], 1);
	if (!(region->state & STATE_GREW)) {
		region->state |= STATE_GREW;
		learn_outgrown(cache, region);
	}
	if (more->held >= more->step_held)
		rise(region, cache);
}

void *
grow_alloc(struct region *region, size_t size)
{
	struct more *more = region_more(region);
	size_t taken = ALIGN_UP(size);
	struct bin *bin;
	struct block *block = take(region, size, &bin);
	uintptr_t object, end;

	if (!block)
		return region_fail(region, errno);
	add(region, block, bin);
	object = (uintptr_t)block + BLOCK_HEADER;
	end = (uintptr_t)block + bin->size;
	if (end - object - taken >= region->cursor.limit - region->cursor.top) {
		more->passed += region->cursor.top - more->base;
		more->base = object;
		more->end = end;
		region->cursor.top = object + taken;
		region->cursor.limit = end;
	} else {
		more->passed += taken;
	}
	return (void *)object;
}

/* The first count blocks of a chain, of which the last is known. */
static void
give(struct region *region, unsigned order, struct block *first,
	struct block *last, size_t count)
{
	struct cache *home = region_home(region);
	struct batch batch = {.first = first, .count = count, .linked = true};

	region->more.held -= count * home->bins[order].size;
	cache_give(home, order, &batch, last);
}

void
grow_release(struct region *region)
{
	if (!(region->state & STATE_GREW))
		return;
	for (unsigned order = pool_of(region)->grow_orders; order-- > 0;) {
		struct chain *chain = &region->more.bundle.chains[order];

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
	struct chain *chain = &region->more.bundle.chains[order];
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
