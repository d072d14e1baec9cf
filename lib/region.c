/* SPDX-License-Identifier: MIT */
/*
 * region.c - a region's life: open, finish, close, reset, hand over.
 *
 * The owner's thread only (close: whoever received the region), so nothing
 * here is atomic. See region.h for the picture.
 */
#include "lib/region.h"

#include <errno.h>
#include <string.h>

#define BUFFER_LEAST 576

_Static_assert(BUFFER_LEAST >= REGION_HEADER + 4 * ACRE_ALIGN,
	"a buffer may have no room");

void
region_begin_more(struct region *region)
{
	struct more *more = &region->more;

	memset(more, 0, sizeof(*more));
	more->base = region_first_object(region);
	more->end = more->first_end = region->cursor.limit;
	if (!(region->state & STATE_BUFFER))
		more->held = region->cursor.limit - (uintptr_t)region;
	more->bundle.home = (struct block *)region;
	more->bundle.home_order = region_order(region);
	region->state |= STATE_MORE;
	grow_begin(region);
}

void *
region_fail(struct region *region, int error)
{
	region->state |= STATE_FAILED;
	errno = error;
	return NULL;
}

/* ---- open ---- */

static inline acre_region *
start(struct bin *bin, struct block *block)
{
	struct region *region = (struct region *)block;

	region->cursor.top = region_first_object(region);
	region->cursor.limit = (uintptr_t)region + bin->size;
	region->state = (uintptr_t)bin;
	count_add(&bin->opened, 1);
	return &region->cursor;
}

static __attribute__((noinline)) acre_region *
open_slow(acre_pool *pool)
{
	struct block *block = NULL;
	struct cache *cache;
	unsigned order;

	if (!pool) {
		errno = EINVAL;
		return NULL;
	}
	cache = cache_of(pool);
	if (!cache)
		return NULL;
	order = learn_order(cache);
	if (order > 0)
		block = cache_try(cache, order);
	if (!block)
		block = limit_take(cache, order = 0);
	return block ? start(&cache->bins[order], block) : NULL;
}

acre_region *
acre_region_open(acre_pool *pool)
{
	struct bin *bin = bin_begin_for(pool);

	if (ACRE_LIKELY(bin)) {
		struct block *block = bin_take(bin);

		cache_end();
		if (ACRE_LIKELY(block))
			return start(bin, block);
	}
	cache_end();
	return open_slow(pool);
}

static bool
are_valid(const acre_pool *pool, const acre_region_options *o)
{
	return pool && !o->buffer == !o->buffer_size &&
		!(o->max_bytes && o->max_bytes < pool->page_size) &&
		!(o->parent && region_of(o->parent)->state & STATE_DETACHED);
}

/* A region in the caller's buffer. */
static acre_region *
open_in_buffer(acre_pool *pool, const acre_region_options *o)
{
	uintptr_t start = ALIGN_UP((uintptr_t)o->buffer);
	uintptr_t end = (uintptr_t)o->buffer + o->buffer_size;
	struct region *region = (struct region *)start;
	struct cache *cache = cache_of(pool);

	if (!cache)
		return NULL;
	region->cursor.top = region_first_object(region);
	region->cursor.limit = end & ~(uintptr_t)(ACRE_ALIGN - 1);
	region->state = (uintptr_t)cache->bins | STATE_BUFFER;
	pool_add(pool, &cache->member, OPENED, 1);
	return &region->cursor;
}

/* A first block of an order, charged; or NULL, errno is set. */
static struct block *
take_first(struct cache *cache, unsigned order, acre_budget *budget)
{
	size_t size = cache->bins[order].size;
	struct block *block;

	if (!budget_charge(budget, size))
		return NULL;
	block = order > 0 ? cache_try(cache, order) : limit_take(cache, 0);
	if (!block)
		budget_discharge(budget, size);
	return block;
}

/* A first block that limits let be: of a learned order or less, and where the
 * region has a limit of its own, of a page. */
static acre_region *
open_within(acre_pool *pool, const acre_region_options *o)
{
	struct cache *cache = cache_of(pool);
	struct block *block;
	unsigned order;

	if (!cache)
		return NULL;
	order = o->max_bytes ? 0 : learn_order(cache);
	block = take_first(cache, order, o->budget);
	while (!block && order > 0)
		block = take_first(cache, --order, o->budget);
	return block ? start(&cache->bins[order], block) : NULL;
}

static void
add_budget(struct region *region, acre_budget *budget)
{
	region->more.budget = budget;
	region->state |= STATE_ATTACHED;
	if (!region->more.max_bytes)
		region->more.max_bytes = SIZE_MAX;
	budget_join(budget);
}

static void
add_child(struct region *parent, struct region *child)
{
	struct more *more = region_more(parent);
	struct region *sibling = more->children;

	child->more.parent = parent;
	child->state |= STATE_ATTACHED;
	parent->state |= STATE_ATTACHED;
	child->more.born = ++more->serial;
	child->more.next_sibling = sibling;
	if (sibling)
		sibling->more.previous_sibling = child;
	more->children = child;
}

acre_region *
acre_region_open_with(acre_pool *pool, const acre_region_options *options)
{
	acre_region *cursor;
	struct more *more;

	if (!options)
		return acre_region_open(pool);
	if (!are_valid(pool, options)) {
		errno = EINVAL;
		return NULL;
	}
	if (options->buffer_size >= BUFFER_LEAST)
		cursor = open_in_buffer(pool, options);
	else if (options->max_bytes || options->budget)
		cursor = open_within(pool, options);
	else
		cursor = acre_region_open(pool);
	if (!cursor)
		return NULL;
	more = region_more(region_of(cursor));
	more->max_bytes = options->max_bytes;
	more->name = options->name;
	if (options->budget)
		add_budget(region_of(cursor), options->budget);
	if (options->parent)
		add_child(region_of(options->parent), region_of(cursor));
	return cursor;
}

/* ---- close ---- */

void
region_leave_parent(struct region *child)
{
	struct more *more = &child->more;

	if (!(child->state & STATE_MORE) || !more->parent)
		return;
	if (more->next_sibling)
		more->next_sibling->more.previous_sibling =
			more->previous_sibling;
	if (more->previous_sibling)
		more->previous_sibling->more.next_sibling = more->next_sibling;
	else
		more->parent->more.children = more->next_sibling;
	more->parent = NULL;
}

/* Give the first block back. */
static void
end(struct region *region)
{
	struct block *block = (struct block *)region;
	struct batch batch = {.first = block, .count = 1, .linked = true};

	if (region->state & STATE_BUFFER)
		return;
	cache_give(region_home(region), region_order(region), &batch, block);
}

/* Without children, after cleanups: all memory goes back. */
static void
release(struct region *region)
{
	acre_budget *budget = NULL;
	size_t held = 0;

	if (region->state & STATE_MORE) {
		budget = region->more.budget;
		held = region->more.held;
		large_release(region, 0);
		grow_release(region);
		region_leave_parent(region);
	}
	end(region);
	if (budget) {
		budget_discharge(budget, held);
		budget_leave(budget);
	}
}

static void
count_closed(struct region *region)
{
	struct cache *cache = region_home(region);

	if (!cache_is_at_hand(cache))
		cache = cache_of(cache->member.pool);
	pool_add(pool_of(region), cache ? &cache->member : NULL, CLOSED, 1);
}

/* Run cleanups and close children that these leave, until none are left. The
 * deepest child first, without recursion: a chain of children may be long. */
static void
close_child(struct region *child)
{
	struct region *region = child;

	for (;;) {
		struct region *parent;

		while (region->more.children)
			region = region->more.children;
		if (cleanup_run(region, 0))
			continue;
		parent = region->more.parent;
		count_closed(region);
		release(region);
		if (region == child)
			return;
		region = parent;
	}
}

void
region_finish(struct region *region, uint64_t serial)
{
	do {
		while (region->more.children &&
			region->more.children->more.born > serial)
			close_child(region->more.children);
	} while (cleanup_run(region, serial));
}

/* Close cannot fail, so it leaves errno alone. */
static __attribute__((noinline)) void
close_slow(struct region *region)
{
	int saved = errno;

	if (region->state & STATE_MORE)
		region_finish(region, 0);
	count_closed(region);
	release(region);
	errno = saved;
}

void
region_end_limbo(struct region *region)
{
	if (region->state & STATE_MORE)
		region_finish(region, 0);
	release(region);
}

/* A region with nothing but its first block, in any bin of the cache at hand;
 * false: it is none. */
static bool
close_plain(struct region *region)
{
	struct block *block = (struct block *)region;
	struct bin *bin = region_bin(region);
	bool given;

	if (region->state & STATE_FLAGS)
		return false;
	given = cache_begin_at_hand(bin_cache(bin)) &&
		bin_give(bin, block, block, 1);
	cache_end();
	if (given)
		count_add(&bin->closed, 1);
	return given;
}

/* Whether region has just these flags, and its home is at hand: what its state
 * and the bin used last do not have in common is their place in the cache, and
 * the flags. */
static inline bool
is_at_home(const struct region *region, unsigned flags)
{
	uintptr_t difference = region->state ^
		(uintptr_t)load_own(&thread_caches.last);

	return (difference & ~(uintptr_t)(CACHE_ALIGN - 1 - STATE_FLAGS)) ==
		flags;
}

/* A region whose blocks are too many for a cache; false: they are not. */
static bool
close_bundle(struct region *region)
{
	struct cache *cache = region_home(region);
	size_t held;

	if (!is_at_home(region, STATE_MORE | STATE_GREW))
		return false;
	held = region->more.held;
	if (held <= cache->longest_bytes)
		return false;
	count_add(&cache->bins->closed, 1);
	pool_give_bundle(&cache->member, &region->more.bundle, held);
	return true;
}

/* Whatever is not the plainest of regions. */
static __attribute__((noinline)) void
close_rest(struct region *region)
{
	if (!close_bundle(region) && !close_plain(region))
		close_slow(region);
}

void
acre_region_close(acre_region *cursor)
{
	struct region *region = region_of(cursor);
	struct block *block = (struct block *)region;
	struct bin *bin;

	if (!region)
		return;
	/* With a flag in it, it is no bin's address. */
	bin = (struct bin *)region->state;
	if (ACRE_LIKELY(bin_begin_at_hand(bin)) &&
		ACRE_LIKELY(bin_give(bin, block, block, 1))) {
		cache_end();
		count_add(&bin->closed, 1);
		return;
	}
	cache_end();
	close_rest(region);
}

void
acre_region_reset(acre_region *cursor)
{
	struct region *region = region_of(cursor);
	struct more *more = &region->more;

	if (region->state & STATE_MORE) {
		size_t held;

		region_finish(region, 0);
		held = more->held;
		large_release(region, 0);
		grow_release(region);
		grow_discharge(region, held - more->held);
		more->base = region_first_object(region);
		more->end = more->first_end;
		grow_begin(region);
		more->passed = more->packed = 0;
		more->serial = 0;
		more->last = NULL;
		region->cursor.limit = more->first_end;
	}
	region->cursor.top = region_first_object(region);
	region->state &= ~(uintptr_t)STATE_FAILED;
}

/* ---- hand-over ---- */

/* A region that is detached has no room, so every allocation takes the slow
 * path and is refused there. */
int
acre_region_detach(acre_region *cursor)
{
	struct region *region = region_of(cursor);

	if (region->state & STATE_DETACHED)
		return EALREADY;
	if (region_more(region)->parent)
		return EINVAL;
	region->state |= STATE_DETACHED;
	region->cursor.limit = region->cursor.top;
	return 0;
}

int
acre_region_adopt(acre_region *cursor)
{
	struct region *region = region_of(cursor);

	if (!(region->state & STATE_DETACHED))
		return EALREADY;
	region->state &= ~(uintptr_t)STATE_DETACHED;
	region->cursor.limit = region->more.end & ~(uintptr_t)(ACRE_ALIGN - 1);
	return 0;
}

/* ---- what it holds ---- */

size_t
acre_region_used(const acre_region *cursor)
{
	const struct region *region = (const struct region *)cursor;
	const struct more *more = &region->more;
	size_t used;

	if (!(region->state & STATE_MORE))
		return cursor->top - region_first_object(region);
	used = more->passed + (cursor->top - more->base) + more->packed;
	for (const struct large *large = more->large; large;
		large = large->next)
		used += large->size;
	return used;
}

size_t
acre_region_held(const acre_region *cursor)
{
	const struct region *region = (const struct region *)cursor;

	if (region->state & STATE_MORE)
		return region->more.held;
	return pool_of(region)->orders[region_order(region)].size;
}

int
acre_region_failed(const acre_region *cursor)
{
	return !!(((const struct region *)cursor)->state & STATE_FAILED);
}
